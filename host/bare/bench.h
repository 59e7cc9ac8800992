/* SPDX-License-Identifier: MIT */
/*
 * What the DMA API costs. QEMU's -icount shift=0 makes the time stamp counter
 * count guest instructions, so that figures of different days compare.
 */
#ifndef BARE_BENCH_H
#define BARE_BENCH_H

#include <uiommu/uiommu.h>

/* Print one line of JSON for each figure; false if something failed. */
bool bench_run(struct uiommu_device *device);

#endif /* BARE_BENCH_H */
