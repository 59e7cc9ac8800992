// SPDX-License-Identifier: MIT
/* The engine for VT-d second-stage entries. */
#include "pt/pt_vtd_ss.h"

#include "pt/pt_engine.h"

int uiommu_pt_vtd_ss_map(struct uiommu_pt *pt, struct uiommu_range range,
			 uiommu_paddr_t paddr, unsigned int prot,
			 unsigned int flags, struct uiommu_gather *gather)
{
	return pt_map(pt, range, paddr, prot, flags, gather);
}

int uiommu_pt_vtd_ss_unmap(struct uiommu_pt *pt, struct uiommu_range range,
			   unsigned int flags, struct uiommu_gather *gather,
			   uint64_t *unmapped)
{
	return pt_unmap(pt, range, flags, gather, unmapped);
}

int uiommu_pt_vtd_ss_lookup(const struct uiommu_pt *pt, uiommu_iova_t iova,
			    uiommu_paddr_t *paddr, unsigned int *prot)
{
	return pt_lookup(pt, iova, paddr, prot);
}

int uiommu_pt_vtd_ss_leaf(const struct uiommu_pt *pt, uiommu_iova_t iova,
			  struct uiommu_pt_leaf *leaf)
{
	return pt_leaf(pt, iova, leaf);
}

int uiommu_pt_vtd_ss_find(const struct uiommu_pt *pt, struct uiommu_range range,
			  bool mapped, uiommu_iova_t *iova)
{
	return pt_find(pt, range, mapped, iova);
}
