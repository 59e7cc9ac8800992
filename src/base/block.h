/* SPDX-License-Identifier: MIT */
/* Arrays of any size, in the host's pages. */
#ifndef UIOMMU_BASE_BLOCK_H
#define UIOMMU_BASE_BLOCK_H

#include <uiommu/host.h>
#include <uiommu/types.h>

/* Pages of the host for an array; memory is NULL when there are none. */
struct uiommu_block {
	void *memory;
	size_t size; /* a power of two, as the host was asked */
};

/* Zeroed memory for @bytes. UIOMMU_ENOMEM. [sleep] */
UIOMMU_MUST_CHECK
int uiommu_block_alloc(struct uiommu_host *host, uint64_t bytes,
		       struct uiommu_block *block);
/* Gives it back, if there is any, and empties @block. */
void uiommu_block_free(struct uiommu_host *host, struct uiommu_block *block);

#endif /* UIOMMU_BASE_BLOCK_H */
