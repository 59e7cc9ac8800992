// SPDX-License-Identifier: MIT
#include <uiommu/error.h>

#include "vtd/vtd_caps.h"
#include "vtd/vtd_regs.h"

/* Widths below a three-level table's are not translated by any hardware. */
#define VTD_MGAW_MIN 31u

static unsigned int vtd_caps_levels(uint64_t cap)
{
	uint64_t sagaw = UIOMMU_GET64(VTD_CAP_SAGAW, cap);
	unsigned int levels = 0;

	if (sagaw & VTD_SAGAW_3_LEVELS)
		levels |= UIOMMU_BIT32(3);
	if (sagaw & VTD_SAGAW_4_LEVELS)
		levels |= UIOMMU_BIT32(4);
	if (sagaw & VTD_SAGAW_5_LEVELS)
		levels |= UIOMMU_BIT32(5);
	return levels;
}

static uint64_t vtd_caps_page_sizes(uint64_t cap)
{
	uint64_t large = UIOMMU_GET64(VTD_CAP_SSLPS, cap);
	uint64_t sizes = UIOMMU_BIT64(12);

	/* A large size implies the smaller ones; without, it is not trusted. */
	if (large & VTD_SSLPS_2M) {
		sizes |= UIOMMU_BIT64(21);
		if (large & VTD_SSLPS_1G)
			sizes |= UIOMMU_BIT64(30);
	}
	return sizes;
}

static uint32_t vtd_caps_domain_ids(uint64_t cap)
{
	uint32_t nd = (uint32_t)UIOMMU_GET64(VTD_CAP_ND, cap);

	if (nd > 6) /* reserved: what every unit has */
		nd = 0;
	return (uint32_t)1 << (4 + 2 * nd);
}

int uiommu_vtd_caps_read(uint64_t cap, uint64_t ecap, struct vtd_caps *caps)
{
	struct vtd_caps c = { .cap = cap, .ecap = ecap };

	if (cap == ~(uint64_t)0 && ecap == ~(uint64_t)0)
		return UIOMMU_ENODEV;

	c.fault_offset = (uint32_t)UIOMMU_GET64(VTD_CAP_FRO, cap) * 16;
	c.fault_count = (uint32_t)UIOMMU_GET64(VTD_CAP_NFR, cap) + 1;
	c.iotlb_offset = (uint32_t)UIOMMU_GET64(VTD_ECAP_IRO, ecap) * 16;
	c.queued = ecap & VTD_ECAP_QI;
	/* Clearing a fault there would write to some other register. */
	if (c.fault_offset < VTD_FIXED_END)
		return UIOMMU_ENODEV;
	if (!c.queued && c.iotlb_offset < VTD_FIXED_END)
		return UIOMMU_ENODEV;

	c.mgaw = (unsigned int)UIOMMU_GET64(VTD_CAP_MGAW, cap) + 1;
	c.levels = c.mgaw >= VTD_MGAW_MIN ? vtd_caps_levels(cap) : 0;
	c.page_sizes = vtd_caps_page_sizes(cap);
	c.domain_ids = vtd_caps_domain_ids(cap);
	c.address_mask = cap & VTD_CAP_PSI
				 ? (int)UIOMMU_GET64(VTD_CAP_MAMV, cap)
				 : -1;
	c.drain = (cap & VTD_CAP_DRD ? VTD_TLB_LO_DR : 0) |
		  (cap & VTD_CAP_DWD ? VTD_TLB_LO_DW : 0);
	c.coherent = ecap & VTD_ECAP_C;
	c.snoop = ecap & VTD_ECAP_SC;
	c.passthrough = ecap & VTD_ECAP_PT;
	c.caching = cap & VTD_CAP_CM;
	c.write_buffer = cap & VTD_CAP_RWBF;
	c.protected_memory = cap & (VTD_CAP_PLMR | VTD_CAP_PHMR);
	c.root_flushes = cap & VTD_CAP_ESRTPS;
	*caps = c;
	return UIOMMU_OK;
}

uint32_t uiommu_vtd_caps_window(const struct vtd_caps *caps)
{
	uint32_t end = caps->fault_offset + caps->fault_count * VTD_FRCD_SIZE;

	if (!caps->queued && caps->iotlb_offset + VTD_IOTLB_SIZE > end)
		end = caps->iotlb_offset + VTD_IOTLB_SIZE;
	return (end + (uint32_t)UIOMMU_PAGE_MASK) & ~(uint32_t)UIOMMU_PAGE_MASK;
}

unsigned int uiommu_vtd_caps_best_levels(unsigned int levels, unsigned int mgaw)
{
	unsigned int best = 0;
	unsigned int n;

	for (n = 3; n <= 5; n++) {
		if (!(levels & UIOMMU_BIT32(n)))
			continue;
		best = n;
		if (12 + 9 * n >= mgaw)
			break;
	}
	return best;
}

unsigned int uiommu_vtd_caps_width(unsigned int levels, unsigned int mgaw)
{
	unsigned int bits = 12 + 9 * levels;

	return mgaw < bits ? mgaw : bits;
}
