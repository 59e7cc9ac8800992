// SPDX-License-Identifier: MIT
/*
 * Reserved regions of a group: kept out of allocation, or mapped 1:1. All of it
 * goes by the group's own list in the plan, the one that people see.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

const struct uiommu_region *
uiommu_core_regions(const struct uiommu_edition *edition, uint32_t index,
		    uint32_t *count)
{
	const struct uiommu_plan *plan = &edition->view.plan;
	const struct uiommu_plan_group *from = &plan->groups[index];

	*count = from->region_count;
	return &plan->group_regions[from->region_first];
}

struct uiommu_range uiommu_core_pages(struct uiommu_range range)
{
	range.first &= ~UIOMMU_PAGE_MASK;
	range.last |= UIOMMU_PAGE_MASK;
	return range;
}

bool uiommu_core_is_direct(const struct uiommu_region *region)
{
	return region->type == UIOMMU_REGION_DIRECT ||
	       region->type == UIOMMU_REGION_DIRECT_RELAXABLE;
}

/* The first address from @at on that no region keeps from being mapped. */
static bool region_skip(const struct uiommu_region *regions, uint32_t count,
			uint64_t last, uint64_t *at)
{
	bool again = true;
	uint32_t i;

	while (again) {
		again = false;
		for (i = 0; i < count; i++) {
			struct uiommu_range pages = uiommu_core_pages(
				regions[i].range);

			if (uiommu_core_is_direct(&regions[i]) ||
			    *at < pages.first || *at > pages.last)
				continue;
			if (pages.last >= last)
				return false;
			*at = pages.last + 1;
			again = true;
		}
	}
	return true;
}

bool uiommu_core_part(const struct uiommu_region *regions, uint32_t count,
		      struct uiommu_range rest, struct uiommu_range *part)
{
	uint32_t i;

	if (rest.first > rest.last ||
	    !region_skip(regions, count, rest.last, &rest.first))
		return false;
	for (i = 0; i < count; i++) {
		uint64_t first = uiommu_core_pages(regions[i].range).first;

		if (!uiommu_core_is_direct(&regions[i]) && first > rest.first &&
		    first <= rest.last)
			rest.last = first - 1;
	}
	*part = rest;
	return true;
}

/* What a host bridge takes for its buses never comes to the unit. */
static int region_reserve_windows(struct uiommu *uiommu,
				  const struct uiommu_edition *edition,
				  uint32_t index, struct uiommu_domain *domain)
{
	const struct uiommu_plan *plan = &edition->view.plan;
	const struct uiommu_plan_group *group = &plan->groups[index];
	uint32_t i, k;
	int err;

	for (i = 0; i < uiommu->window_count; i++) {
		for (k = 0; k < group->member_count; k++) {
			uint32_t member =
				plan->members[group->member_first + k];

			if (plan->aliases[plan->devices[member].alias_first]
				    .segment == uiommu->windows[i].segment)
				break;
		}
		if (k == group->member_count)
			continue;
		err = uiommu_iova_reserve(
			&domain->iova,
			uiommu_core_pages(uiommu->windows[i].range));
		if (err)
			return err;
	}
	return UIOMMU_OK;
}

int uiommu_core_reserve(struct uiommu *uiommu,
			const struct uiommu_edition *edition, uint32_t index,
			struct uiommu_domain *domain)
{
	const struct uiommu_region *regions;
	uint32_t count, i;
	int err;

	regions = uiommu_core_regions(edition, index, &count);
	for (i = 0; i < count; i++) {
		err = uiommu_iova_reserve(&domain->iova,
					  uiommu_core_pages(regions[i].range));
		if (err)
			return err;
	}
	return region_reserve_windows(uiommu, edition, index, domain);
}

/* --- Runs ----------------------------------------------------------------- */

uint32_t uiommu_core_find_runs(const struct uiommu_pt *pt,
			       const struct uiommu_region *regions,
			       uint32_t region_count, struct uiommu_range range,
			       struct uiommu_range *runs, uint32_t room)
{
	struct uiommu_range part;
	uint32_t count = 0;
	uiommu_iova_t end;

	while (uiommu_core_part(regions, region_count, range, &part)) {
		if (!uiommu_pt_find(pt, part, false, &part.first)) {
			if (!uiommu_pt_find(pt, part, true, &end))
				part.last = end - 1;
			if (count < room)
				runs[count] = part;
			count++;
		}
		if (part.last == range.last)
			break;
		range.first = part.last + 1;
	}
	return count;
}

int uiommu_core_map_runs(struct uiommu_domain *domain,
			 const struct uiommu_runs *runs)
{
	struct uiommu_runs done = *runs;
	uint32_t i;
	bool stuck;
	int err;

	for (i = 0; i < runs->count; i++) {
		err = uiommu_core_map(
			domain, runs->ranges[i], runs->ranges[i].first,
			UIOMMU_PROT_READ | UIOMMU_PROT_WRITE, 0, &stuck);
		if (!err)
			continue;
		done.count = i;
		uiommu_core_runs_undo(domain, &done);
		return err;
	}
	return UIOMMU_OK;
}

void uiommu_core_runs_undo(struct uiommu_domain *domain,
			   const struct uiommu_runs *runs)
{
	uint64_t unmapped;
	uint32_t i;

	/* Whole runs: no leaf is split, so only a broken unit is in the way. */
	for (i = runs->count; i > 0; i--)
		if (uiommu_core_unmap(domain, runs->ranges[i - 1], &unmapped))
			uiommu_store(&domain->lost, 1u);
}

void uiommu_core_runs_free(struct uiommu *uiommu, struct uiommu_runs *runs)
{
	uiommu_block_free(uiommu->host, &runs->block);
	runs->count = 0;
}

/* --- Direct regions ------------------------------------------------------- */

/* Is every part of them that is to be mapped within reach of the tables? */
static int region_check_reach(struct uiommu *uiommu,
			      const struct uiommu_region *regions,
			      uint32_t count, struct uiommu_sid sid,
			      uint64_t reach)
{
	struct uiommu_range part;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct uiommu_range beyond = uiommu_core_pages(
			regions[i].range);

		if (!uiommu_core_is_direct(&regions[i]) || reach >= beyond.last)
			continue;
		if (beyond.first <= reach)
			beyond.first = reach + 1;
		if (!uiommu_core_part(regions, count, beyond, &part))
			continue;
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": reserved region %llx-%llx is out "
					  "of reach of the page tables (%llx)",
			   UIOMMU_SID_ARGS(sid),
			   (unsigned long long)regions[i].range.first,
			   (unsigned long long)regions[i].range.last,
			   (unsigned long long)reach);
		return UIOMMU_ERANGE;
	}
	return UIOMMU_OK;
}

/*
 * Regions of different types overlap, so they are joined before; all of them
 * map 1:1 and, by the plan, for reading and writing: what is there is right.
 */
static uint32_t region_join(const struct uiommu_region *regions, uint32_t count,
			    struct uiommu_range *joined)
{
	uint32_t found = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (uiommu_core_is_direct(&regions[i]))
			found = uiommu_core_join(
				joined, found,
				uiommu_core_pages(regions[i].range));
	return found;
}

static uint32_t
region_find_all(const struct uiommu_pt *pt, const struct uiommu_region *regions,
		uint32_t count, const struct uiommu_range *joined,
		uint32_t joined_count, struct uiommu_range *runs, uint32_t room)
{
	uint32_t found = 0;
	uint32_t i;

	for (i = 0; i < joined_count; i++) {
		uint32_t left = found < room ? room - found : 0;

		found += uiommu_core_find_runs(pt, regions, count, joined[i],
					       left ? runs + found : NULL,
					       left);
	}
	return found;
}

static int region_find_direct(struct uiommu *uiommu, const struct uiommu_pt *pt,
			      const struct uiommu_region *regions,
			      uint32_t count, struct uiommu_runs *runs)
{
	struct uiommu_block joined;
	uint32_t joined_count;
	int err;

	err = uiommu_block_alloc(uiommu->host,
				 ((uint64_t)count + 1) * sizeof(*runs->ranges),
				 &joined);
	if (err)
		return err;
	joined_count = region_join(regions, count, joined.memory);
	runs->count = region_find_all(pt, regions, count, joined.memory,
				      joined_count, NULL, 0);
	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)runs->count * sizeof(*runs->ranges),
				 &runs->block);
	runs->ranges = runs->block.memory;
	if (!err)
		(void)region_find_all(pt, regions, count, joined.memory,
				      joined_count, runs->ranges, runs->count);
	uiommu_block_free(uiommu->host, &joined);
	return err;
}

int uiommu_core_map_direct(struct uiommu *uiommu,
			   const struct uiommu_edition *edition, uint32_t index,
			   struct uiommu_domain *domain,
			   struct uiommu_runs *runs)
{
	const struct uiommu_plan *plan = &edition->view.plan;
	const struct uiommu_region *regions;
	uint32_t count, member;
	int err;

	memset(runs, 0, sizeof(*runs));
	regions = uiommu_core_regions(edition, index, &count);
	member = plan->members[plan->groups[index].member_first];
	err = region_check_reach(
		uiommu, regions, count,
		plan->aliases[plan->devices[member].alias_first],
		domain->aperture.last);
	if (err)
		return err;
	err = region_find_direct(uiommu, &domain->hw.pt, regions, count, runs);
	if (!err)
		err = uiommu_core_map_runs(domain, runs);
	if (err)
		uiommu_core_runs_free(uiommu, runs);
	return err;
}
