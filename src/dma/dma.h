/* SPDX-License-Identifier: MIT */
/* What the files of the DMA API share. All of it runs in any context. */
#ifndef UIOMMU_DMA_DMA_H
#define UIOMMU_DMA_DMA_H

#include <uiommu/dma.h>
#include <uiommu/error.h>

#include "core/object.h"

/* The whole pages that hold bytes @first..@last. Zero if it is all of them. */
static inline uint64_t uiommu_dma_span(uint64_t first, uint64_t last)
{
	return (last | UIOMMU_PAGE_MASK) - (first & ~UIOMMU_PAGE_MASK) + 1;
}

/* A power of two that the host can be asked for; 0 if there is none. */
static inline size_t uiommu_dma_pages(size_t size)
{
	size_t pages = (size_t)UIOMMU_PAGE_SIZE;

	while (pages && pages < size)
		pages <<= 1;
	return pages;
}

static inline bool uiommu_dma_range_ok(uint64_t first, size_t size)
{
	return size && first + (size - 1) >= first;
}

/* Directions are permissions: the device reads what goes to it. */
UIOMMU_STATIC_ASSERT((unsigned int)UIOMMU_DMA_TO_DEVICE == UIOMMU_PROT_READ);
UIOMMU_STATIC_ASSERT((unsigned int)UIOMMU_DMA_FROM_DEVICE == UIOMMU_PROT_WRITE);

static inline bool uiommu_dma_dir_ok(enum uiommu_dma_dir dir)
{
	return (unsigned int)dir - 1u < 3u;
}

/* What @domain, the device's for the DMA API, is; NULL: it is not in use. */
static inline bool uiommu_dma_is_direct(const struct uiommu_domain *domain)
{
	return domain && domain->hw.type == UIOMMU_DOMAIN_IDENTITY;
}

static inline bool uiommu_dma_is_mapped(const struct uiommu_domain *domain)
{
	return domain && domain->hw.type == UIOMMU_DOMAIN_DMA;
}

/* Where @device maps; the first call may have to bring it there, and sleep. */
static inline int uiommu_dma_enter(struct uiommu_device *device,
				   struct uiommu_domain **domain)
{
	*domain = uiommu_load(&device->dma);
	return *domain ? UIOMMU_OK : uiommu_core_device_arrive(device, domain);
}

/* The error where it is neither. */
static inline int uiommu_dma_refusal(const struct uiommu_domain *domain)
{
	return domain ? UIOMMU_EPERM : UIOMMU_EACCES;
}

/*
 * Takes @size bytes of addresses within @device's reach, so aligned that
 * memory at @paddr can be mapped with large leaves if its own alignment and
 * size allow.
 */
UIOMMU_MUST_CHECK
int uiommu_dma_iova_alloc(struct uiommu_device *device,
			  struct uiommu_domain *domain, uiommu_paddr_t paddr,
			  uint64_t size, uiommu_iova_t *iova);
/* Gives back addresses at which nothing is mapped. */
void uiommu_dma_iova_free(struct uiommu_domain *domain, uiommu_iova_t iova,
			  uint64_t size);
/* Whole pages: unmap, invalidate, and only then let go of the addresses. */
UIOMMU_MUST_CHECK
int uiommu_dma_unmap_pages(struct uiommu_device *device, uiommu_iova_t first,
			   uint64_t size);

#endif /* UIOMMU_DMA_DMA_H */
