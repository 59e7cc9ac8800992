/* SPDX-License-Identifier: MIT */
/*
 * Looks for packets in the memory of a kernel that is dead: its adapter goes on
 * to put them where that kernel told it to. They bear a mark and are numbered
 * (handover/stream.py), so that each can be told to have landed, and where.
 */
#ifndef BARE_LANDING_H
#define BARE_LANDING_H

#include "bare.h"

#define LANDING_NUMBERS 512u

struct landing {
	uint16_t bdf;	 /* of the adapter, which is not touched */
	uint64_t after;	 /* numbers behind this one count */
	uint64_t newest; /* in memory */
	uint8_t seen[LANDING_NUMBERS]; /* how often: number - after - 1 */
};

/* Find the adapter, and the newest packet that landed so far. */
bool landing_begin(struct landing *l);
/* What has landed by now does not count. */
void landing_mark(struct landing *l);
/*
 * Wait until @packets more have landed, at most @ms. What landed since begin,
 * without gaps and each once; or less if they stay out, 0 if one is missing or
 * lies in two places.
 */
uint32_t landing_wait(struct landing *l, uint32_t packets, uint32_t ms);

#endif /* BARE_LANDING_H */
