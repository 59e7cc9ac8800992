// SPDX-License-Identifier: MIT
/* RFC 826 (ARP), RFC 791 (IPv4) and RFC 792 (ICMP). */
#include <uiommu/error.h>

#include "net.h"

#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_ARP 0x0806
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define IP_ICMP 1
#define ICMP_ECHO 8
#define ICMP_ECHO_REPLY 0
#define ICMP_ID 0x1234
#define NET_TIMEOUT_NS UINT64_C(30000000000)
#define FRAME_MAX 1536u

struct ether {
	uint8_t to[6];
	uint8_t from[6];
	uint16_t type;
} __attribute__((packed));

struct arp {
	uint16_t hardware;
	uint16_t protocol;
	uint8_t hardware_size;
	uint8_t protocol_size;
	uint16_t operation;
	uint8_t sender_mac[6];
	uint8_t sender_ip[4];
	uint8_t target_mac[6];
	uint8_t target_ip[4];
} __attribute__((packed));

struct ip {
	uint8_t version_length;
	uint8_t service;
	uint16_t total;
	uint16_t id;
	uint16_t fragment;
	uint8_t ttl;
	uint8_t protocol;
	uint16_t checksum;
	uint8_t from[4];
	uint8_t to[4];
} __attribute__((packed));

struct icmp {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint16_t id;
	uint16_t sequence;
} __attribute__((packed));

#define ARP_FRAME (sizeof(struct ether) + sizeof(struct arp))
#define PING_HEADERS \
	(sizeof(struct ether) + sizeof(struct ip) + sizeof(struct icmp))

static const uint8_t our_ip[4] = { 10, 0, 2, 15 };
static const uint8_t gateway_ip[4] = { 10, 0, 2, 2 };
static uint8_t frame[FRAME_MAX] __attribute__((aligned(4096)));

static uint16_t net16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

static uint16_t ip_checksum(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return net16((uint16_t)~sum);
}

static uint8_t *put_ether(struct e1000e *e, const uint8_t *to, uint16_t type)
{
	struct ether *eth = (struct ether *)frame;

	memset(frame, 0, sizeof(frame));
	memcpy(eth->to, to, 6);
	memcpy(eth->from, e->mac, 6);
	eth->type = net16(type);
	return frame + sizeof(*eth);
}

/* Wait for frames of @type until @match says that one is the answer. */
static int wait_for(struct e1000e *e, uint16_t type,
		    bool (*match)(const uint8_t *body, size_t size,
				  void *context),
		    void *context)
{
	const struct ether *eth = (const struct ether *)frame;
	uint64_t end = time_ns() + NET_TIMEOUT_NS;

	while (time_ns() < end) {
		size_t size = e1000e_receive(e, frame, sizeof(frame));

		if (size > sizeof(*eth) && eth->type == net16(type) &&
		    match(frame + sizeof(*eth), size - sizeof(*eth), context))
			return 0;
		cpu_relax();
	}
	return UIOMMU_ETIMEDOUT;
}

static bool match_arp(const uint8_t *body, size_t size, void *context)
{
	const struct arp *a = (const struct arp *)body;

	if (size < sizeof(*a) || a->operation != net16(ARP_REPLY) ||
	    memcmp(a->sender_ip, gateway_ip, 4) != 0)
		return false;
	memcpy(context, a->sender_mac, 6);
	return true;
}

int net_arp(struct e1000e *e, uint8_t gateway_mac[6])
{
	static const uint8_t everyone[6] = { 255, 255, 255, 255, 255, 255 };
	struct arp *a = (struct arp *)put_ether(e, everyone, ETHERTYPE_ARP);
	int err;

	a->hardware = net16(1);
	a->protocol = net16(ETHERTYPE_IP);
	a->hardware_size = 6;
	a->protocol_size = 4;
	a->operation = net16(ARP_REQUEST);
	memcpy(a->sender_mac, e->mac, 6);
	memcpy(a->sender_ip, our_ip, 4);
	memcpy(a->target_ip, gateway_ip, 4);
	err = e1000e_send(e, frame, ARP_FRAME);
	return err ? err : wait_for(e, ETHERTYPE_ARP, match_arp, gateway_mac);
}

struct ping {
	uint16_t sequence;
	size_t size;
};

static uint8_t ping_byte(uint16_t sequence, size_t i)
{
	return (uint8_t)(sequence * 31u + i * 7u + (i >> 8));
}

static bool match_ping(const uint8_t *body, size_t size, void *context)
{
	const struct ip *ip = (const struct ip *)body;
	const struct icmp *icmp = (const struct icmp *)(ip + 1);
	const uint8_t *data = (const uint8_t *)(icmp + 1);
	const struct ping *p = context;

	if (size < sizeof(*ip) + sizeof(*icmp) + p->size ||
	    ip->version_length != 0x45 || ip->protocol != IP_ICMP ||
	    icmp->type != ICMP_ECHO_REPLY || icmp->id != net16(ICMP_ID) ||
	    icmp->sequence != net16(p->sequence))
		return false;
	for (size_t i = 0; i < p->size; i++)
		if (data[i] != ping_byte(p->sequence, i))
			return false;
	return true;
}

int net_ping(struct e1000e *e, const uint8_t gateway_mac[6], uint16_t sequence,
	     size_t size)
{
	struct ip *ip = (struct ip *)put_ether(e, gateway_mac, ETHERTYPE_IP);
	struct icmp *icmp = (struct icmp *)(ip + 1);
	uint8_t *data = (uint8_t *)(icmp + 1);
	struct ping p = { sequence, size };
	int err;

	if (size > FRAME_MAX - PING_HEADERS)
		return UIOMMU_EINVAL;
	for (size_t i = 0; i < size; i++)
		data[i] = ping_byte(sequence, i);
	icmp->type = ICMP_ECHO;
	icmp->id = net16(ICMP_ID);
	icmp->sequence = net16(sequence);
	icmp->checksum = ip_checksum(icmp, sizeof(*icmp) + size);
	ip->version_length = 0x45;
	ip->total = net16((uint16_t)(sizeof(*ip) + sizeof(*icmp) + size));
	ip->ttl = 64;
	ip->protocol = IP_ICMP;
	memcpy(ip->from, our_ip, 4);
	memcpy(ip->to, gateway_ip, 4);
	ip->checksum = ip_checksum(ip, sizeof(*ip));
	err = e1000e_send(e, frame, PING_HEADERS + size);
	return err ? err : wait_for(e, ETHERTYPE_IP, match_ping, &p);
}
