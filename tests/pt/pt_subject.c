// SPDX-License-Identifier: MIT
/* VT-d second-stage entries as hardware reads them, and the walk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pt_subject.h"

/* "Second-Stage Paging Entries": SNP is asked for in every leaf here. */
#define READ 0x1u
#define WRITE 0x2u
#define PAGE_SIZE_BIT 0x80u
#define SNOOP 0x800u
#define ADDRESS UINT64_C(0x000ffffffffff000)

static enum pt_kind vtd_ss_decode(uint64_t entry, unsigned int level,
				  uiommu_paddr_t *paddr, unsigned int *prot)
{
	uint64_t low = (UINT64_C(0x1000) << (9 * level)) - 0x1000;

	if (!(entry & (READ | WRITE)))
		return PT_NOTHING;
	*paddr = entry & ADDRESS;
	*prot = (entry & READ ? UIOMMU_PROT_READ : 0) |
		(entry & WRITE ? UIOMMU_PROT_WRITE : 0);
	if (level && !(entry & PAGE_SIZE_BIT))
		return entry & ~(ADDRESS | READ | WRITE) ? PT_DEFECT
							 : PT_POINTER;
	if (level > 2 || (entry & low) || !(entry & SNOOP) ||
	    (entry &
	     ~(ADDRESS | READ | WRITE | SNOOP | (level ? PAGE_SIZE_BIT : 0))))
		return PT_DEFECT;
	return PT_LEAF;
}

const struct pt_subject pt_vtd_ss = {
	.name = "vtd_ss",
	.leaf_bits = SNOOP,
	.map = uiommu_pt_map,
	.unmap = uiommu_pt_unmap,
	.lookup = uiommu_pt_lookup,
	.find = uiommu_pt_find,
	.decode = vtd_ss_decode,
};

unsigned int pt_walk_hardware(struct uiommu_host *host,
			      const struct pt_subject *subject,
			      const struct uiommu_pt *pt, uiommu_iova_t iova,
			      uiommu_paddr_t *paddr)
{
	uiommu_paddr_t table = pt->root_paddr;
	unsigned int level = pt->config.levels, prot = 0;

	for (;;) {
		uint64_t index, entry;

		level--;
		index = iova >> (12 + 9 * level) & 511;
		entry = fake_host_read(host, table + index * 8);
		switch (subject->decode(entry, level, &table, &prot)) {
		case PT_NOTHING:
			return 0;
		case PT_POINTER:
			assert_int_equal(prot, 3);
			continue;
		case PT_LEAF:
			*paddr = table +
				 (iova & ((UINT64_C(4096) << 9 * level) - 1));
			return prot;
		default:
			fail_msg("entry 0x%llx of level %u has a defect",
				 (unsigned long long)entry, level);
		}
	}
}
