// SPDX-License-Identifier: MIT
/*
 * The host's RAM: what it told, in ascending order, what touches joined. Kept
 * to the byte, so that two halves of a page make a whole one.
 */
#include <uiommu/error.h>

#include "core/object.h"

uint32_t uiommu_core_join(struct uiommu_range *ram, uint32_t count,
			  struct uiommu_range range)
{
	uint32_t at = 0;
	uint32_t end;

	while (at < count && ram[at].last < range.first &&
	       range.first - ram[at].last > 1)
		at++;
	for (end = at; end < count; end++) {
		if (ram[end].first > range.last &&
		    ram[end].first - range.last > 1)
			break;
		if (ram[end].first < range.first)
			range.first = ram[end].first;
		if (ram[end].last > range.last)
			range.last = ram[end].last;
	}
	memmove(&ram[at + 1], &ram[end], (count - end) * sizeof(*ram));
	ram[at] = range;
	return count - (end - at) + 1;
}

int uiommu_core_ram_join(struct uiommu *uiommu, const struct uiommu_range *ram,
			 uint32_t count, struct uiommu_ram *joined)
{
	struct uiommu_ram made;
	uint32_t i;
	int err;

	err = uiommu_block_alloc(uiommu->host,
				 ((uint64_t)uiommu->ram.count + count) *
					 sizeof(*ram),
				 &made.block);
	if (err)
		return err;
	made.ranges = made.block.memory;
	made.count = uiommu->ram.count;
	if (made.count)
		memcpy(made.ranges, uiommu->ram.ranges,
		       made.count * sizeof(*ram));
	for (i = 0; i < count; i++)
		made.count = uiommu_core_join(made.ranges, made.count, ram[i]);
	*joined = made;
	return UIOMMU_OK;
}

void uiommu_core_ram_set(struct uiommu *uiommu, const struct uiommu_ram *ram)
{
	struct uiommu_block old = uiommu->ram.block;

	uiommu->ram = *ram;
	uiommu_block_free(uiommu->host, &old);
}

/*
 * A page of which a part is not RAM is not mapped: what else is in it may be
 * firmware's, and nobody hands out such a page.
 */
bool uiommu_core_ram_pages(struct uiommu_range range,
			   struct uiommu_range *pages)
{
	uint64_t first = (range.first + UIOMMU_PAGE_MASK) & ~UIOMMU_PAGE_MASK;

	/* At the very ends of 64 bits no page is whole. */
	if (first < range.first || range.last < UIOMMU_PAGE_MASK)
		return false;
	pages->first = first;
	pages->last = ((range.last + 1) & ~UIOMMU_PAGE_MASK) - 1;
	return pages->first < pages->last;
}
