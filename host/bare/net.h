/* SPDX-License-Identifier: MIT */
/* As much of IPv4 as it takes to be answered: ARP and ICMP echo. */
#ifndef BARE_NET_H
#define BARE_NET_H

#include "e1000e.h"

/* Ask who has QEMU's gateway address; 0, or a negative error. */
int net_arp(struct e1000e *e, uint8_t gateway_mac[6]);
/*
 * Send it @size bytes that depend on @sequence and wait until they come back
 * unchanged; 0, or a negative error.
 */
int net_ping(struct e1000e *e, const uint8_t gateway_mac[6], uint16_t sequence,
	     size_t size);

#endif /* BARE_NET_H */
