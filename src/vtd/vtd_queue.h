/* SPDX-License-Identifier: MIT */
/*
 * Invalidation: descriptors go to the unit's queue, or, where it has none,
 * one by one to its registers.
 */
#ifndef UIOMMU_VTD_QUEUE_H
#define UIOMMU_VTD_QUEUE_H

#include "vtd/vtd_unit.h"

#define VTD_QUEUE_ENTRIES 256u
#define VTD_QUEUE_BATCH 32u  /* most descriptors of one submit */
#define VTD_QUEUE_RETRIES 3u /* errors in a row, or aborts of one batch */

/* A batch under way. */
struct vtd_ticket {
	uint32_t number; /* that *status shows, or passes, when it is done */
	uint32_t aborts; /* unit's, when it was submitted */
	bool done;
};

/* uiommu_vtd_wait(): the batch may not have been executed; submit it again. */
#define VTD_AGAIN 1

/* Tells the unit, whose queue is off, where its ring is. */
void uiommu_vtd_queue_start(struct vtd_unit *u);
/*
 * Waits until a queue that is on is empty. UIOMMU_ETIMEDOUT, UIOMMU_EIO: it
 * will not be; the unit is not broken by that alone.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_queue_quiesce(struct vtd_unit *u);

/*
 * Starts @count descriptors as one batch with one wait; 0 is done at once.
 * UIOMMU_EIO if the unit is broken, UIOMMU_ETIMEDOUT if it is now.
 */
UIOMMU_MUST_CHECK
int uiommu_vtd_submit(struct vtd_unit *u, const struct vtd_desc *descs,
		      unsigned int count, struct vtd_ticket *ticket);
/* Errors as for submit, or VTD_AGAIN. */
UIOMMU_MUST_CHECK
int uiommu_vtd_wait(struct vtd_unit *u, const struct vtd_ticket *ticket);
/* Both, again and again within bounds. */
UIOMMU_MUST_CHECK
int uiommu_vtd_run(struct vtd_unit *u, const struct vtd_desc *descs,
		   unsigned int count);

/*
 * Looks for errors of the queue, reports and clears them, so that it goes on.
 * UIOMMU_EIO if that happened too often and the unit is now broken.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_queue_service(struct vtd_unit *u);

#endif /* UIOMMU_VTD_QUEUE_H */
