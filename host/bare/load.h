/* SPDX-License-Identifier: MIT */
/*
 * A disk that never rests: reads go on from every polling loop, several at
 * once, and each is compared with what the disk is known to hold. It can be
 * paused: afterwards the device holds no address at all.
 */
#ifndef BARE_LOAD_H
#define BARE_LOAD_H

#include "nvme.h"

#define LOAD_DEPTH 8u
#define LOAD_PAGES 2u /* of one read */
#define LOAD_PIECE (LOAD_PAGES * PAGE_SIZE)
#define LOAD_PIECES 128u /* the first MiB is read over and over */

struct load {
	struct nvme *nvme;
	bool known; /* what the disk holds: crc[] */
	bool running;
	char *buffers; /* LOAD_DEPTH pieces, one mapping while running */
	uint64_t buffers_addr;
	uint32_t crc[LOAD_PIECES];
	uint32_t next;		    /* piece to read */
	uint32_t piece[LOAD_DEPTH]; /* that is on its way to a buffer */
	uint32_t out;		    /* commands that did not end yet */
	uint64_t reads;		    /* that ended well */
	uint32_t errors;	    /* that the disk refused */
	uint32_t wrong;		    /* that brought other bytes */
};

/* The disk holds @data from @at on; only the pieces' part of it is kept. */
void load_learn(struct load *l, size_t at, const char *data, size_t size);
/*
 * Start the stopped controller @n and its reads; 0 or a negative error, and
 * then the controller is stopped. Uses the DMA API: not in a polling loop.
 */
int load_resume(struct load *l, struct nvme *n);
/*
 * Wait for the reads that are out, stop the controller and give back every
 * address. UIOMMU_ETIMEDOUT if reads got lost. Nothing happens if it is paused.
 */
int load_pause(struct load *l);
/* From cpu_relax(): never waits, never calls the library. */
void load_poll(struct load *l);
/* Go on until @count more reads ended well; false if they do not. */
bool load_wait(struct load *l, uint64_t count);

#endif /* BARE_LOAD_H */
