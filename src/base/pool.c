// SPDX-License-Identifier: MIT
#include "base/pool.h"

/* The first 16 bytes of each page link it; objects follow. */
#define POOL_HEADER 16u

void uiommu_pool_init(struct uiommu_pool *pool, struct uiommu_host *host,
		      size_t object_size)
{
	memset(pool, 0, sizeof(*pool));
	pool->host = host;
	pool->object_size = (object_size + 15u) & ~(size_t)15u;
}

void uiommu_pool_fini(struct uiommu_pool *pool)
{
	while (pool->pages) {
		void *page = pool->pages;

		memcpy(&pool->pages, page, sizeof(void *));
		uiommu_host_page_free(pool->host, page, UIOMMU_PAGE_SIZE);
	}
	pool->free = NULL;
	pool->live = 0;
}

void uiommu_pool_add(struct uiommu_pool *pool, void *page)
{
	uint8_t *bytes = page;
	size_t at;

	memcpy(page, &pool->pages, sizeof(void *));
	pool->pages = page;
	for (at = POOL_HEADER; at + pool->object_size <= UIOMMU_PAGE_SIZE;
	     at += pool->object_size) {
		memcpy(bytes + at, &pool->free, sizeof(void *));
		pool->free = bytes + at;
	}
}

/* Leaves the pool as it was if there is no memory. */
static void pool_grow(struct uiommu_pool *pool, unsigned int flags)
{
	uiommu_paddr_t paddr;
	void *page;

	page = uiommu_host_page_alloc(pool->host, UIOMMU_PAGE_SIZE, flags,
				      &paddr);
	if (page)
		uiommu_pool_add(pool, page);
}

void *uiommu_pool_alloc(struct uiommu_pool *pool, unsigned int flags)
{
	void *object;

	if (!pool->free)
		pool_grow(pool, flags);
	object = pool->free;
	if (!object)
		return NULL;
	memcpy(&pool->free, object, sizeof(void *));
	memset(object, 0, pool->object_size);
	pool->live++;
	return object;
}

void uiommu_pool_free(struct uiommu_pool *pool, void *object)
{
	memcpy(object, &pool->free, sizeof(void *));
	pool->free = object;
	pool->live--;
}
