/* SPDX-License-Identifier: MIT */
/* What to invalidate, as descriptors, and how without a queue. */
#ifndef UIOMMU_VTD_IOTLB_H
#define UIOMMU_VTD_IOTLB_H

#include "vtd/vtd_unit.h"

/* Descriptors that uiommu_vtd_iotlb_gather() makes at most. */
#define VTD_GATHER_DESCS UIOMMU_GATHER_RANGES

/*
 * The number of low page-number bits to mask so that one aligned block that
 * contains @range.first contains all of @range.
 */
unsigned int uiommu_vtd_iotlb_mask(struct uiommu_range range);

struct vtd_desc uiommu_vtd_iotlb_global(const struct vtd_caps *caps);
struct vtd_desc uiommu_vtd_iotlb_domain(const struct vtd_caps *caps,
					uint32_t did);
/* Pages if it pays and the unit can, else the domain. */
struct vtd_desc uiommu_vtd_iotlb_range(const struct vtd_caps *caps,
				       uint32_t did, struct uiommu_range range,
				       bool leaves_only);
/* All of a gather; returns how many descriptors. */
unsigned int uiommu_vtd_iotlb_gather(const struct vtd_caps *caps, uint32_t did,
				     const struct uiommu_gather *gather,
				     struct vtd_desc *descs);

struct vtd_desc uiommu_vtd_context_global(void);
struct vtd_desc uiommu_vtd_context_device(uint32_t did, uint16_t rid);

/*
 * Has it registers for that? Those of later versions do not, and where there is
 * a queue nobody may have looked whether they lie in the window.
 */
bool uiommu_vtd_has_registers(const struct vtd_unit *u);
/* One descriptor by registers. The unit lock is held. */
UIOMMU_MUST_CHECK
int uiommu_vtd_iotlb_register(struct vtd_unit *u, struct vtd_desc desc);

#endif /* UIOMMU_VTD_IOTLB_H */
