// SPDX-License-Identifier: MIT
/*
 * Scatter-gather: one range of addresses for a whole list, one invalidation
 * to take it back.
 *
 * Each piece takes the whole pages it lies in, one after the other. Pieces
 * that follow each other in memory page by page are entered with one call.
 */
#include "dma/bounce.h"

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

/* What the caller is told: the first entries of the list, and how many. */
struct sg_report {
	struct uiommu_sg *sg;
	uint32_t segments;
	uiommu_iova_t end; /* of the last; no boundary: nothing continues it */
};

/* A piece continues a segment if that ends, on a page boundary, at @iova. */
static void sg_put(struct sg_report *report, uiommu_iova_t iova, size_t size)
{
	struct uiommu_sg *segment;

	segment = &report->sg[report->segments - (report->segments > 0)];
	if (sg_follows(report->end, iova) && segment->iova_size + size > size) {
		segment->iova_size += size;
	} else {
		segment = &report->sg[report->segments++];
		segment->iova = iova;
		segment->iova_size = size;
	}
	report->end = iova + size;
}

static uint32_t sg_report_mapped(struct uiommu_sg *sg, uint32_t count,
				 uiommu_iova_t page)
{
	struct sg_report report = { sg, 0, 1 };
	uint32_t i;

	for (i = 0; i < count; i++) {
		sg_put(&report, page + (sg[i].paddr & UIOMMU_PAGE_MASK),
		       sg[i].size);
		page += sg_span(&sg[i]);
	}
	return report.segments;
}

/*
 * A slot is a segment of its own: so unmap, which sees where segments begin
 * and end, knows each piece's address. @bounce: of the pieces beyond @mask.
 */
static uint32_t sg_report_direct(struct uiommu_sg *sg, uint32_t count,
				 uint64_t mask,
				 const struct uiommu_bounce *bounce)
{
	struct sg_report report = { sg, 0, 1 };
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (sg_last(&sg[i]) <= mask) {
			sg_put(&report, sg[i].paddr, sg[i].size);
			continue;
		}
		report.end = 1;
		sg_put(&report, uiommu_bounce_iova(bounce), sg[i].size);
		report.end = 1;
		bounce = bounce->sibling;
	}
	return report.segments;
}

static int sg_map_direct(struct uiommu_device *device, struct uiommu_sg *sg,
			 uint32_t count, enum uiommu_dma_dir dir,
			 uint32_t *segments)
{
	struct uiommu_bounce_list list = { NULL, NULL };
	uint64_t mask = device->dma_mask;
	uint32_t i;
	int err;

	for (i = 0; i < count; i++) {
		if (sg_last(&sg[i]) <= mask)
			continue;
		err = uiommu_bounce_make(device, sg[i].paddr, sg[i].size, dir,
					 &list);
		if (err) {
			uiommu_bounce_undo(device->uiommu, &list);
			return err;
		}
	}
	*segments = sg_report_direct(sg, count, mask, list.first);
	if (list.first)
		uiommu_bounce_publish(device->uiommu, &list);
	return UIOMMU_OK;
}

int uiommu_dma_map_sg(struct uiommu_device *device, struct uiommu_sg *sg,
		      uint32_t count, enum uiommu_dma_dir dir,
		      uint32_t *segments)
{
	struct uiommu_domain *domain;
	struct uiommu_range range;
	uint64_t total;
	int err;

	if (!count || !uiommu_dma_dir_ok(dir))
		return UIOMMU_EINVAL;
	err = sg_measure(sg, count, &total);
	if (!err)
		err = uiommu_dma_enter(device, &domain);
	if (err)
		return err;

	if (uiommu_dma_is_direct(domain))
		return sg_map_direct(device, sg, count, dir, segments);
	if (!uiommu_dma_is_mapped(domain))
		return uiommu_dma_refusal(domain);
	err = uiommu_dma_iova_alloc(device, domain, sg[0].paddr, total,
				    &range.first);
	if (err)
		return err;
	range.last = range.first + (total - 1);
	err = sg_map_pages(domain, sg, count, range, (unsigned int)dir);
	if (!err)
		*segments = sg_report_mapped(sg, count, range.first);
	return err;
}

/*
 * Claims all slots of the list as map_sg left it, or none. *@found: there is
 * one, and the error is what counts.
 */
static int sg_claim(struct uiommu_device *device, const struct uiommu_sg *sg,
		    uint32_t count, struct uiommu_bounce_list *list,
		    bool *found)
{
	const struct uiommu_sg *segment = sg;
	bool missing = false;
	size_t at = 0;
	uint32_t i;

	*found = false;
	for (i = 0; i < count; i++) {
		uiommu_iova_t iova = segment->iova + at;
		bool slot;

		/* A slot is never where the memory is that it stands for. */
		if (iova != sg[i].paddr) {
			if (uiommu_bounce_claim(device, iova, sg[i].size, list,
						&slot) ||
			    list->last->paddr != sg[i].paddr)
				missing = true;
			*found = *found || slot;
		}
		at += sg[i].size;
		if (at >= segment->iova_size) {
			segment++;
			at = 0;
		}
	}
	if (*found && !missing)
		return UIOMMU_OK;
	uiommu_bounce_unclaim(device->uiommu, list);
	return UIOMMU_ENOENT;
}

static int sg_unmap_slots(struct uiommu_device *device,
			  const struct uiommu_sg *sg, uint32_t count,
			  bool *found)
{
	struct uiommu_bounce_list list = { NULL, NULL };
	int err;

	err = sg_claim(device, sg, count, &list, found);
	if (err)
		return err;
	return uiommu_bounce_return(device->uiommu, &list);
}

int uiommu_dma_unmap_sg(struct uiommu_device *device,
			const struct uiommu_sg *sg, uint32_t count)
{
	uint64_t total;
	bool found;
	int err;

	if (!count)
		return UIOMMU_EINVAL;
	err = sg_measure(sg, count, &total);
	if (err)
		return err;
	if (uiommu_load(&device->bounced) &&
	    uiommu_dma_is_direct(uiommu_load(&device->dma))) {
		err = sg_unmap_slots(device, sg, count, &found);
		if (found)
			return err;
	}
	return uiommu_dma_unmap_pages(device, sg[0].iova & ~UIOMMU_PAGE_MASK,
				      total);
}
