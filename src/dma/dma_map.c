// SPDX-License-Identifier: MIT
/*
 * One range at a time, strict: what unmap returned for is out of reach.
 *
 * The path of every driver's every request: no lock of the instance, no
 * indirect call but the invalidation.
 */
#include "dma/bounce.h"

/* Alignments worth having, largest first. */
#define DMA_ALIGN_1G UIOMMU_BIT64(30)
#define DMA_ALIGN_2M UIOMMU_BIT64(21)

/* Large leaves where they fit; small pages will do, none must refuse. */
static int dma_iova(struct uiommu_domain *domain, uiommu_paddr_t paddr,
		    uint64_t size, uint64_t limit, uiommu_iova_t *iova)
{
	static const uint64_t aligns[] = { DMA_ALIGN_1G, DMA_ALIGN_2M };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (size < aligns[i] || (paddr & (aligns[i] - 1)) ||
		    !(domain->hw.pt.config.page_sizes & aligns[i]))
			continue;
		if (!uiommu_iova_alloc(&domain->iova, size, aligns[i], limit,
				       UIOMMU_ALLOC_ATOMIC, iova))
			return UIOMMU_OK;
	}
	return uiommu_iova_alloc(&domain->iova, size, UIOMMU_PAGE_SIZE, limit,
				 UIOMMU_ALLOC_ATOMIC, iova);
}

/*
 * Apart: first where a kernel before is not likely to have been. Out of line,
 * so that the usual case saves no registers for it.
 */
static __attribute__((__noinline__)) int
dma_iova_rare(struct uiommu_domain *domain, uiommu_paddr_t paddr, uint64_t size,
	      uint64_t limit, uiommu_iova_t *iova)
{
	unsigned int apart = uiommu_load(&domain->apart);
	int err = dma_iova(domain, paddr, size, limit - (limit >> 4) * apart,
			   iova);

	if (err == UIOMMU_ENOSPC && apart)
		err = dma_iova(domain, paddr, size, limit, iova);
	return err;
}

int uiommu_dma_iova_alloc(struct uiommu_device *device,
			  struct uiommu_domain *domain, uiommu_paddr_t paddr,
			  uint64_t size, uiommu_iova_t *iova)
{
	uint64_t limit = domain->aperture.last;

	if (device->dma_mask < limit)
		limit = device->dma_mask;
	if (size >= DMA_ALIGN_2M || uiommu_load(&domain->apart))
		return dma_iova_rare(domain, paddr, size, limit, iova);
	return uiommu_iova_alloc(&domain->iova, size, UIOMMU_PAGE_SIZE, limit,
				 UIOMMU_ALLOC_ATOMIC, iova);
}

void uiommu_dma_iova_free(struct uiommu_domain *domain, uiommu_iova_t iova,
			  uint64_t size)
{
	struct uiommu_iova_node *node;

	if (!uiommu_iova_claim(&domain->iova, iova, size, &node))
		uiommu_iova_release(&domain->iova, node);
}

static int dma_map_pages(struct uiommu_device *device,
			 struct uiommu_domain *domain, uiommu_paddr_t paddr,
			 uint64_t size, unsigned int prot, uiommu_iova_t *iova)
{
	struct uiommu_range range;
	bool stuck;
	int err;

	err = uiommu_dma_iova_alloc(device, domain, paddr, size, &range.first);
	if (err)
		return err;
	range.last = range.first + (size - 1);
	err = uiommu_core_map(domain, range, paddr, prot, UIOMMU_ALLOC_ATOMIC,
			      &stuck);
	if (!err) {
		*iova = range.first;
		return UIOMMU_OK;
	}
	/* Addresses that a unit may still translate are never used again. */
	if (!stuck)
		uiommu_dma_iova_free(domain, range.first, size);
	return err;
}

int uiommu_dma_map(struct uiommu_device *device, uiommu_paddr_t paddr,
		   size_t size, enum uiommu_dma_dir dir, uiommu_iova_t *iova)
{
	uint64_t offset = paddr & UIOMMU_PAGE_MASK;
	struct uiommu_domain *domain;
	uiommu_iova_t page;
	int err;

	if (!uiommu_dma_range_ok(paddr, size) || !uiommu_dma_dir_ok(dir))
		return UIOMMU_EINVAL;
	err = uiommu_dma_enter(device, &domain);
	if (err)
		return err;

	if (uiommu_dma_is_mapped(domain)) {
		err = dma_map_pages(device, domain, paddr - offset,
				    uiommu_dma_span(paddr, paddr + (size - 1)),
				    (unsigned int)dir, &page);
		if (!err)
			*iova = page + offset;
		return err;
	}
	if (!uiommu_dma_is_direct(domain))
		return uiommu_dma_refusal(domain);
	if (paddr + (size - 1) > device->dma_mask)
		return uiommu_bounce_map(device, paddr, size, dir, iova);
	*iova = paddr;
	return UIOMMU_OK;
}

static int dma_unmap_translated(struct uiommu_domain *domain,
				uiommu_iova_t first, uint64_t size)
{
	struct uiommu_range range = { first, first + (size - 1) };
	struct uiommu_iova_node *node;
	struct uiommu_gather gather;
	uint64_t unmapped;
	int err;

	err = uiommu_iova_claim(&domain->iova, first, size, &node);
	if (err)
		return err;
	uiommu_gather_init(&gather);
	err = uiommu_pt_unmap(&domain->hw.pt, range, UIOMMU_ALLOC_ATOMIC,
			      &gather, &unmapped);
	if (err) {
		uiommu_iova_unclaim(&domain->iova, node);
		return err;
	}
	/*
	 * From here on the addresses are given out again only when no unit
	 * can translate them any more; if it cannot tell, never.
	 */
	err = uiommu_core_flush(domain, &gather);
	if (err)
		return err;
	uiommu_iova_release(&domain->iova, node);
	return UIOMMU_OK;
}

int uiommu_dma_unmap_pages(struct uiommu_device *device, uiommu_iova_t first,
			   uint64_t size)
{
	struct uiommu_domain *domain = uiommu_load(&device->dma);

	if (uiommu_dma_is_mapped(domain))
		return dma_unmap_translated(domain, first, size);
	if (!uiommu_dma_is_direct(domain))
		return uiommu_dma_refusal(domain);
	return UIOMMU_OK;
}

int uiommu_dma_unmap(struct uiommu_device *device, uiommu_iova_t iova,
		     size_t size)
{
	if (!uiommu_dma_range_ok(iova, size))
		return UIOMMU_EINVAL;
	if (uiommu_load(&device->bounced))
		return uiommu_bounce_unmap(device, iova, size);
	return uiommu_dma_unmap_pages(device, iova & ~UIOMMU_PAGE_MASK,
				      uiommu_dma_span(iova, iova + (size - 1)));
}
