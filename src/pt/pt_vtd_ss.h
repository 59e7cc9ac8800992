/* SPDX-License-Identifier: MIT */
/*
 * VT-d second-stage paging entries: SS-PML5E down to SS-PTE.
 *
 * Specification: "Intel Virtualization Technology for Directed I/O", chapter
 * "Translation Structure Formats", section "Second-Stage Paging Entries". An
 * entry in which Read and Write are both 0 is not present and its other bits
 * are ignored; Execute counts only where it is enabled, which we do not do.
 */
#ifndef UIOMMU_PT_VTD_SS_H
#define UIOMMU_PT_VTD_SS_H

#include <uiommu/plan.h>
#include <uiommu/types.h>

/* clang-format off */
#define VTD_SS_READ	UIOMMU_BIT64(0)
#define VTD_SS_WRITE	UIOMMU_BIT64(1)
#define VTD_SS_PS	UIOMMU_BIT64(7)  /* leaf of 2 MiB or 1 GiB */
#define VTD_SS_SNP	UIOMMU_BIT64(11) /* leaves only; needs ECAP.SC */
#define VTD_SS_ADDRESS	UIOMMU_MASK64(51, 12)
/* clang-format on */

/* What the engine needs to know of a format. */
#define PT_FMT_PRESENT (VTD_SS_READ | VTD_SS_WRITE)

/* An entry that points to a table; leaves alone decide on permission. */
static inline uint64_t pt_fmt_table(uiommu_paddr_t paddr)
{
	return paddr | VTD_SS_READ | VTD_SS_WRITE;
}

/* All of a leaf of @level but its address. */
static inline uint64_t pt_fmt_leaf(unsigned int prot, unsigned int level)
{
	uint64_t bits = level ? VTD_SS_PS : 0;

	if (prot & UIOMMU_PROT_READ)
		bits |= VTD_SS_READ;
	if (prot & UIOMMU_PROT_WRITE)
		bits |= VTD_SS_WRITE;
	return bits;
}

/* A physical address, page-aligned, where an entry has it. */
static inline uint64_t pt_fmt_address(uiommu_paddr_t paddr)
{
	return paddr;
}

static inline uiommu_paddr_t pt_fmt_paddr(uint64_t entry)
{
	return entry & VTD_SS_ADDRESS;
}

static inline unsigned int pt_fmt_prot(uint64_t entry)
{
	return (entry & VTD_SS_READ ? UIOMMU_PROT_READ : 0) |
	       (entry & VTD_SS_WRITE ? UIOMMU_PROT_WRITE : 0);
}

#endif /* UIOMMU_PT_VTD_SS_H */
