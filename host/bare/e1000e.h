/* SPDX-License-Identifier: MIT */
/* A polled driver of the Intel 82574L: one ring each way. */
#ifndef BARE_E1000E_H
#define BARE_E1000E_H

#include "dma.h"

#define E1000E_VENDOR 0x8086
#define E1000E_DEVICE 0x10d3
#define E1000E_RING 32u /* entries, unless the driver is told otherwise */
#define E1000E_BUFFER 2048u

struct e1000e {
	struct dma_device dma;
	void *regs;
	uint8_t mac[6];
	struct e1000e_tx *tx;
	volatile struct e1000e_rx *rx;
	uint64_t tx_addr;
	uint64_t rx_addr;
	uint8_t *buffers; /* of the receive ring, one mapping for all */
	uint64_t buffers_addr;
	/*
	 * To be changed before the start. With fewer buffers than entries each
	 * is in several: for who wants to see much come, and not all of it.
	 */
	uint32_t rx_entries;
	uint32_t buffer_count;
	int poison; /* what the buffers are filled with before */
	unsigned int tx_tail;
	unsigned int rx_next;
};

/* Find the adapter; touches no memory yet. */
bool e1000e_probe(struct e1000e *e);
/* Reset it and start both rings; 0 or a negative error. */
int e1000e_start(struct e1000e *e);
void e1000e_stop(struct e1000e *e);
/*
 * Let the device have all entries of its receive ring once more, whatever they
 * say. Registers only: of a ring that somebody else set up, too.
 */
void e1000e_refill(struct e1000e *e);
/* What the entry @at of the receive ring holds, or NULL if nothing yet. */
const uint8_t *e1000e_peek(const struct e1000e *e, uint32_t at, size_t *size);
/* Send one frame, mapped for as long as it takes; 0 or a negative error. */
int e1000e_send(struct e1000e *e, void *frame, size_t size);
/* Copy the next frame if there is one; bytes, or 0. */
size_t e1000e_receive(struct e1000e *e, void *frame, size_t size);

#endif /* BARE_E1000E_H */
