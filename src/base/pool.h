/* SPDX-License-Identifier: MIT */
/*
 * Small objects of one size, cut from the host's pages: the reason why a port
 * need not bring an allocator. Objects come zeroed. Pages go back to the host
 * when the pool goes. The caller holds a lock of its own around every call.
 */
#ifndef UIOMMU_BASE_POOL_H
#define UIOMMU_BASE_POOL_H

#include <uiommu/host.h>
#include <uiommu/types.h>

struct uiommu_pool {
	struct uiommu_host *host;
	size_t object_size; /* rounded up to 16 */
	void *free;  /* list of free objects, linked through their first word */
	void *pages; /* list of pages, linked through their first word */
	size_t live; /* objects handed out */
};

/* @object_size: 1 to 2032 bytes. */
void uiommu_pool_init(struct uiommu_pool *pool, struct uiommu_host *host,
		      size_t object_size);
/* Frees the pages; objects still handed out become invalid. */
void uiommu_pool_fini(struct uiommu_pool *pool);
/* @flags: 0 or UIOMMU_ALLOC_ATOMIC. NULL if the host has no page. */
void *uiommu_pool_alloc(struct uiommu_pool *pool, unsigned int flags);
/*
 * Adds a page of the host's, as if the pool had asked for it: for callers that
 * hold a spin lock around the pool but could sleep without it.
 */
void uiommu_pool_add(struct uiommu_pool *pool, void *page);
void uiommu_pool_free(struct uiommu_pool *pool, void *object);

#endif /* UIOMMU_BASE_POOL_H */
