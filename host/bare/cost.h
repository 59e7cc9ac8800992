/* SPDX-License-Identifier: MIT */
/*
 * What one operation cost: guest instructions, where QEMU counts them (option
 * icount=), else nanoseconds, and how many invalidations it took. What goes on
 * beside, in polling loops and in drivers that are paused, is told apart.
 */
#ifndef BARE_COST_H
#define BARE_COST_H

#include <uiommu/uiommu.h>

#include "bare.h"

struct cost {
	struct uiommu *uiommu;
	uint64_t cycles; /* when it began; then what it took */
	uint64_t aside;	 /* likewise, of what went on beside */
	uint64_t invalidations;
};

void cost_begin(struct cost *c, struct uiommu *uiommu);
void cost_end(struct cost *c);
/* One line, indented: below one that says what was done. */
void cost_print(const struct cost *c);

/* Around what is no part of the operation that is measured; they nest. */
void cost_aside_begin(void);
void cost_aside_end(void);

#endif /* BARE_COST_H */
