// SPDX-License-Identifier: MIT
/* A network adapter through its domain: QEMU's gateway answers. */
#include "demo.h"

#define PINGS 40u /* more than the rings have entries */
#define PING_SIZE 1400u

int demo_net_again(struct demo *d)
{
	uint8_t gateway[6];
	int err = e1000e_start(&d->net);

	d->has_net = !err;
	if (!err)
		err = net_arp(&d->net, gateway);
	return err ? err : net_ping(&d->net, gateway, 1, PING_SIZE);
}

void demo_net(struct demo *d)
{
	uint8_t gateway[6] = { 0 };
	unsigned int answered = 0;
	int err;

	print("\ne1000e: the network through its domain\n");
	if (!e1000e_probe(&d->net)) {
		check(false, "e1000e: found");
		return;
	}
	err = dma_connect(&d->net.dma, d->uiommu);
	if (!err)
		err = e1000e_start(&d->net);
	if (err) {
		check(false, "e1000e: started: %s", uiommu_strerror(err));
		return;
	}
	d->has_net = true;
	err = net_arp(&d->net, gateway);
	check(!err, "e1000e: 10.0.2.2 is at %02x:%02x:%02x:%02x:%02x:%02x: %s",
	      gateway[0], gateway[1], gateway[2], gateway[3], gateway[4],
	      gateway[5], uiommu_strerror(err));
	for (uint16_t i = 0; !err && i < PINGS; i++) {
		err = net_ping(&d->net, gateway, i, PING_SIZE);
		answered += !err;
	}
	check(answered == PINGS, "e1000e: %u of %u echoes of %u bytes",
	      answered, PINGS, PING_SIZE);
}
