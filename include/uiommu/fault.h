/* SPDX-License-Identifier: MIT */
/* What the host is told while it runs: stopped accesses and lost units. */
#ifndef UIOMMU_FAULT_H
#define UIOMMU_FAULT_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uiommu;

enum uiommu_access {
	UIOMMU_ACCESS_READ,
	UIOMMU_ACCESS_WRITE,
	UIOMMU_ACCESS_OTHER, /* page request or atomic; see the log */
};

enum uiommu_event_kind {
	UIOMMU_EVENT_FAULT,	  /* a device's access was stopped */
	UIOMMU_EVENT_OVERFLOW,	  /* a unit had more faults than records */
	UIOMMU_EVENT_UNIT_BROKEN, /* a unit missed a deadline */
};

struct uiommu_event {
	enum uiommu_event_kind kind;
	uint32_t unit; /* index, as in uiommu_unit_info() */
	/* UIOMMU_EVENT_FAULT only: */
	struct uiommu_sid sid; /* who asked */
	uint64_t address; /* of the page, as the device put it on the bus */
	enum uiommu_access access;
	uint8_t reason;	     /* the hardware's number */
	const char *text;    /* the number in words; constant */
	uint32_t suppressed; /* faults of this requester not told since */
};

/**
 * uiommu_poll_faults() - read, report and clear what the units recorded
 * @uiommu: started instance
 *
 * For the host's fault interrupt, or now and then without one. Each record is
 * logged and given to uiommu_host_notify(), at most ten in five seconds for one
 * requester; all records are cleared however many there are, and the work of
 * one call is bounded.
 *
 * Context: any, not from within uiommu_host_notify().
 *
 * Return: number of records found.
 */
unsigned int uiommu_poll_faults(struct uiommu *uiommu);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_FAULT_H */
