// SPDX-License-Identifier: MIT
/*
 * Scatter-gather: one range of addresses for a whole list, one invalidation
 * to take it back.
 *
 * Each piece takes the whole pages it lies in, one after the other. Pieces
 * that follow each other in memory page by page are entered with one call.
 */
#include "dma/dma.h"

static inline uint64_t sg_last(const struct uiommu_sg *piece)
{
	return piece->paddr + (piece->size - 1);
}

static inline uint64_t sg_span(const struct uiommu_sg *piece)
{
	return uiommu_dma_span(piece->paddr, sg_last(piece));
}

/* Does @next go on, on a page boundary, where an address @end was reached? */
static inline bool sg_follows(uint64_t end, uint64_t next)
{
	return next == end && !(end & UIOMMU_PAGE_MASK);
}

/* Bytes of addresses for the list; checks every piece on the way. */
static int sg_measure(const struct uiommu_sg *sg, uint32_t count,
		      uint64_t *total)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint64_t span;

		if (!uiommu_dma_range_ok(sg[i].paddr, sg[i].size))
			return UIOMMU_EINVAL;
		span = sg_span(&sg[i]);
		if (sum + span < sum || !span)
			return UIOMMU_EINVAL;
		sum += span;
	}
	*total = sum;
	return UIOMMU_OK;
}

/*
 * Enters the list from address @first on; @gather collects what a mapping
 * pushed out of the tables. *@done: bytes entered, also after an error.
 */
static int sg_enter(struct uiommu_domain *domain, const struct uiommu_sg *sg,
		    uint32_t count, uiommu_iova_t first, unsigned int prot,
		    struct uiommu_gather *gather, uint64_t *done)
{
	uint32_t i = 0;
	int err;

	for (*done = 0; i < count;) {
		uiommu_paddr_t paddr = sg[i].paddr & ~UIOMMU_PAGE_MASK;
		struct uiommu_range range;
		uint64_t run = 0;

		do {
			run += sg_span(&sg[i]);
			i++;
		} while (i < count &&
			 sg_follows(sg_last(&sg[i - 1]) + 1, sg[i].paddr));
		range.first = first + *done;
		range.last = range.first + (run - 1);
		err = uiommu_pt_map(&domain->hw.pt, range, paddr, prot,
				    UIOMMU_ALLOC_ATOMIC, gather);
		if (err)
			return err;
		*done += run;
	}
	return UIOMMU_OK;
}

/* Takes the first @done bytes out again; false if a unit may hold them. */
static bool sg_leave(struct uiommu_domain *domain, uiommu_iova_t first,
		     uint64_t done, struct uiommu_gather *gather)
{
	struct uiommu_range range = { first, first + (done - 1) };
	uint64_t unmapped;

	if (done && uiommu_pt_unmap(&domain->hw.pt, range, UIOMMU_ALLOC_ATOMIC,
				    gather, &unmapped))
		return false;
	return !uiommu_core_gathered(gather) ||
	       !uiommu_core_flush(domain, gather);
}

static int sg_map_pages(struct uiommu_domain *domain,
			const struct uiommu_sg *sg, uint32_t count,
			struct uiommu_range range, unsigned int prot)
{
	struct uiommu_gather gather;
	uint64_t done;
	int err;

	uiommu_gather_init(&gather);
	done = 0;
	err = UIOMMU_EIO;
	if (!uiommu_core_lost(domain))
		err = sg_enter(domain, sg, count, range.first, prot, &gather,
			       &done);
	if (!err && uiommu_core_gathered(&gather)) {
		err = uiommu_core_flush(domain, &gather);
		uiommu_gather_init(&gather);
	}
	if (!err)
		err = uiommu_core_map_sync(domain, range);
	if (!err)
		return UIOMMU_OK;

	if (sg_leave(domain, range.first, done, &gather))
		uiommu_dma_iova_free(domain, range.first,
				     range.last - range.first + 1);
	return err;
}

/*
 * Tells the caller: a piece continues a segment if its address is where the
 * segment ends, that is a page boundary, and the sum fits. With @direct
 * addresses are physical, else they run from @page on.
 */
static uint32_t sg_report(struct uiommu_sg *sg, uint32_t count, bool direct,
			  uiommu_iova_t page)
{
	uiommu_iova_t end = 1; /* no boundary: the first piece begins one */
	uint32_t segments = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct uiommu_sg *segment = &sg[segments - (segments > 0)];
		uiommu_iova_t iova = sg[i].paddr;

		if (!direct) {
			iova = page + (sg[i].paddr & UIOMMU_PAGE_MASK);
			page += sg_span(&sg[i]);
		}
		if (sg_follows(end, iova) &&
		    segment->iova_size + sg[i].size > sg[i].size) {
			segment->iova_size += sg[i].size;
		} else {
			segment = &sg[segments++];
			segment->iova = iova;
			segment->iova_size = sg[i].size;
		}
		end = iova + sg[i].size;
	}
	return segments;
}

static int sg_map_direct(const struct uiommu_device *device,
			 const struct uiommu_domain *domain,
			 const struct uiommu_sg *sg, uint32_t count)
{
	uint32_t i;

	if (!uiommu_dma_is_direct(domain))
		return UIOMMU_EPERM;
	for (i = 0; i < count; i++)
		if (sg_last(&sg[i]) > device->dma_mask)
			return UIOMMU_ERANGE;
	return UIOMMU_OK;
}

int uiommu_dma_map_sg(struct uiommu_device *device, struct uiommu_sg *sg,
		      uint32_t count, enum uiommu_dma_dir dir,
		      uint32_t *segments)
{
	struct uiommu_domain *domain = uiommu_load(&device->domain);
	bool mapped = uiommu_dma_is_mapped(domain);
	struct uiommu_range range = { 0, 0 };
	uint64_t total;
	int err;

	if (!count || !uiommu_dma_dir_ok(dir))
		return UIOMMU_EINVAL;
	err = sg_measure(sg, count, &total);
	if (err)
		return err;

	if (mapped) {
		err = uiommu_dma_iova_alloc(device, domain, sg[0].paddr, total,
					    &range.first);
		if (err)
			return err;
		range.last = range.first + (total - 1);
		err = sg_map_pages(domain, sg, count, range, (unsigned int)dir);
	} else {
		err = sg_map_direct(device, domain, sg, count);
	}
	if (!err)
		*segments = sg_report(sg, count, !mapped, range.first);
	return err;
}

int uiommu_dma_unmap_sg(struct uiommu_device *device,
			const struct uiommu_sg *sg, uint32_t count)
{
	uint64_t total;
	int err;

	if (!count)
		return UIOMMU_EINVAL;
	err = sg_measure(sg, count, &total);
	if (err)
		return err;
	return uiommu_dma_unmap_pages(device, sg[0].iova & ~UIOMMU_PAGE_MASK,
				      total);
}
