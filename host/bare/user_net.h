/* SPDX-License-Identifier: MIT */
/*
 * A driver as it would run in user space: it was handed an adapter's registers
 * and a way to map its own memory at addresses that it chooses by itself. It
 * knows no DMA API. Frames go round in the adapter's loopback mode.
 */
#ifndef BARE_USER_NET_H
#define BARE_USER_NET_H

#include "bare.h"

/* All addresses and sizes are whole pages; 0 or a negative error. */
struct user_dma {
	int (*map)(void *context, uint64_t iova, void *memory, size_t size);
	int (*unmap)(void *context, uint64_t iova, size_t size);
	void *context;
};

struct user_net {
	void *regs;
	const struct user_dma *dma;
	char *memory;  /* rings and buffers, all of it */
	uint64_t iova; /* where the device sees it */
	unsigned int sent;
};

#define USER_NET_FRAME_MAX 1514u

/*
 * Map the driver's memory at @iova, reset the adapter and start its rings. To
 * be undone with user_net_close(), also after an error.
 */
int user_net_open(struct user_net *u, void *regs, const struct user_dma *dma,
		  uint64_t iova);
/*
 * Send a frame of @size bytes that depend on @seed, and wait until it comes
 * back: 0, UIOMMU_ETIMEDOUT, or UIOMMU_EIO if other bytes came.
 */
int user_net_bounce(struct user_net *u, uint32_t seed, size_t size);
/* Put the adapter to rest, unmap and free the memory. */
int user_net_close(struct user_net *u);

#endif /* BARE_USER_NET_H */
