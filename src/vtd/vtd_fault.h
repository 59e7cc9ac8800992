/* SPDX-License-Identifier: MIT */
/* Fault recording: read, decode, clear, tell within limits. */
#ifndef UIOMMU_VTD_FAULT_H
#define UIOMMU_VTD_FAULT_H

#include <uiommu/fault.h>

#include "vtd/vtd_unit.h"

/* At most so many faults of one requester are told in one period. */
#define VTD_FAULT_TELL 10u
#define VTD_FAULT_PERIOD_NS ((uint64_t)5 * 1000 * 1000 * 1000)

/* A fault recording register, decoded. */
struct vtd_fault {
	uint64_t address; /* of the page; or an interrupt index */
	uint16_t rid;
	uint8_t reason;
	enum uiommu_access access;
};

/* The reason in words; never NULL. */
const char *uiommu_vtd_fault_text(uint8_t reason);
/* Is @reason about an interrupt, not a memory access? */
bool uiommu_vtd_fault_is_interrupt(uint8_t reason);
struct vtd_fault uiommu_vtd_fault_decode(uint64_t lo, uint64_t hi);

/*
 * May a fault of @rid be told now? Then @suppressed says how many were not
 * since the last one that was. The fault lock is held.
 */
bool uiommu_vtd_fault_admit(struct vtd_unit *u, uint16_t rid, uint64_t now,
			    uint32_t *suppressed);

/* Masks the fault event and clears what is recorded, untold. */
void uiommu_vtd_fault_start(struct vtd_unit *u);
/* Masks the fault event. */
void uiommu_vtd_fault_stop(struct vtd_unit *u);
/* Reads, tells and clears; returns how many. No lock held. */
unsigned int uiommu_vtd_fault_poll(struct vtd_unit *u);
void uiommu_vtd_fault_interrupt(struct vtd_unit *u, uint64_t address,
				uint32_t data);

#endif /* UIOMMU_VTD_FAULT_H */
