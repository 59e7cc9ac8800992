/* SPDX-License-Identifier: MIT */
/* What a unit's capability registers allow. Pure: no hardware touched. */
#ifndef UIOMMU_VTD_CAPS_H
#define UIOMMU_VTD_CAPS_H

#include <uiommu/types.h>

/* All ids of a unit: 0 is never used (reserved where CM is set). */
#define VTD_DID_NONE 0u
#define VTD_DID_IDENTITY 1u /* unless who was adopted used it */
#define VTD_DID_FIRST 2u

struct vtd_caps {
	uint64_t cap;
	uint64_t ecap;
	unsigned int levels; /* bit n: walks tables of n levels; 0: unusable */
	unsigned int mgaw;   /* bits of address that it translates */
	uint64_t page_sizes; /* bit n: leaves of 2^n bytes */
	uint32_t domain_ids;
	uint32_t fault_offset; /* of the first fault recording register */
	uint32_t fault_count;
	uint32_t iotlb_offset; /* of the invalidate address register */
	int address_mask;      /* largest of a page invalidation; -1: none */
	uint64_t drain;	       /* DR and DW of IOTLB descriptors, if any */
	bool queued;
	bool coherent;
	bool snoop;
	bool passthrough;
	bool caching;
	bool write_buffer; /* to be flushed by command */
	bool protected_memory;
	bool root_flushes; /* setting the root invalidates all caches */
};

/*
 * Reads the registers' values. UIOMMU_ENODEV if this is no unit: all ones, or
 * registers that would lie on top of each other.
 */
UIOMMU_MUST_CHECK
int uiommu_vtd_caps_read(uint64_t cap, uint64_t ecap, struct vtd_caps *caps);

/* Bytes of registers, rounded up to pages. */
uint32_t uiommu_vtd_caps_window(const struct vtd_caps *caps);

/*
 * The levels to build tables with: the fewest of @levels that cover @mgaw
 * bits, else the most there are; 0 if there are none.
 */
unsigned int uiommu_vtd_caps_best_levels(unsigned int levels,
					 unsigned int mgaw);

/* Input bits of a table of @levels that @mgaw allows. */
unsigned int uiommu_vtd_caps_width(unsigned int levels, unsigned int mgaw);

#endif /* UIOMMU_VTD_CAPS_H */
