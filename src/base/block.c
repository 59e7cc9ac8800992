// SPDX-License-Identifier: MIT
#include <uiommu/error.h>

#include "base/block.h"

int uiommu_block_alloc(struct uiommu_host *host, uint64_t bytes,
		       struct uiommu_block *block)
{
	uint64_t size = UIOMMU_PAGE_SIZE;
	uiommu_paddr_t paddr;
	void *memory;

	while (size < bytes) {
		size <<= 1;
		if (!size || (size_t)size != size)
			return UIOMMU_ENOMEM;
	}
	memory = uiommu_host_page_alloc(host, (size_t)size, 0, &paddr);
	if (!memory)
		return UIOMMU_ENOMEM;

	block->memory = memory;
	block->size = (size_t)size;
	return UIOMMU_OK;
}

void uiommu_block_free(struct uiommu_host *host, struct uiommu_block *block)
{
	if (block->memory)
		uiommu_host_page_free(host, block->memory, block->size);
	block->memory = NULL;
	block->size = 0;
}
