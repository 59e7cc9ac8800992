// SPDX-License-Identifier: MIT
/*
 * Stand-ins for tier 3 of <uiommu/host.h>: right where every device reaches all
 * memory. Else a device whose addresses are physical is refused what it does
 * not reach. Replace both at once, or neither.
 */
#include <uiommu/host.h>

void *uiommu_host_low_page_alloc(struct uiommu_host *host, size_t size,
				 uiommu_paddr_t limit, unsigned int flags,
				 uiommu_paddr_t *paddr)
{
	(void)host;
	(void)size;
	(void)limit;
	(void)flags;
	(void)paddr;
	return NULL;
}

bool uiommu_host_copy(struct uiommu_host *host, uiommu_paddr_t paddr,
		      void *memory, size_t size, bool to_memory)
{
	(void)host;
	(void)paddr;
	(void)memory;
	(void)size;
	(void)to_memory;
	return false;
}
