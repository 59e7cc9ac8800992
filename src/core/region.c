// SPDX-License-Identifier: MIT
/*
 * Reserved regions of a group: kept out of allocation, or mapped 1:1. All of it
 * goes by the group's own list in the plan, the one that people see.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

const struct uiommu_region *
uiommu_group_regions(const struct uiommu_group *group, uint32_t *count)
{
	const struct uiommu_plan *plan = &group->uiommu->plan;
	const struct uiommu_plan_group *from = &plan->groups[group->id];

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

/* The parts of the group's direct regions that can be mapped, one by one. */
struct region_parts {
	const struct uiommu_region *regions;
	uint32_t count;
	uint32_t index; /* of the region that the last part is of */
	bool began;
	struct uiommu_range part;
};

static struct region_parts region_parts(const struct uiommu_group *group)
{
	struct region_parts parts = { 0 };

	parts.regions = uiommu_group_regions(group, &parts.count);
	return parts;
}

static bool region_next(struct region_parts *p)
{
	for (; p->index < p->count; p->index++, p->began = false) {
		const struct uiommu_region *region = &p->regions[p->index];
		struct uiommu_range rest = uiommu_core_pages(region->range);

		if (!uiommu_core_is_direct(region))
			continue;
		if (p->began) {
			if (p->part.last >= rest.last)
				continue;
			rest.first = p->part.last + 1;
		}
		p->began = true;
		if (uiommu_core_part(p->regions, p->count, rest, &p->part))
			return true;
	}
	return false;
}

/* What a host bridge takes for its buses never comes to the unit. */
static int region_reserve_windows(const struct uiommu_group *group,
				  struct uiommu_domain *domain)
{
	const struct uiommu *uiommu = group->uiommu;
	uint32_t i, k;
	int err;

	for (i = 0; i < uiommu->window_count; i++) {
		for (k = 0; k < group->member_count; k++)
			if (uiommu_core_member(group, k)->hw.sids[0].segment ==
			    uiommu->windows[i].segment)
				break;
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

int uiommu_core_reserve(struct uiommu_group *group,
			struct uiommu_domain *domain)
{
	const struct uiommu_region *regions;
	uint32_t count, i;
	int err;

	regions = uiommu_group_regions(group, &count);
	for (i = 0; i < count; i++) {
		err = uiommu_iova_reserve(&domain->iova,
					  uiommu_core_pages(regions[i].range));
		if (err)
			return err;
	}
	return region_reserve_windows(group, domain);
}

/*
 * Regions of different types overlap, so only what is not mapped yet is
 * entered, each run with one call. All of them map 1:1 and, by the plan, for
 * reading and writing; what is there already is therefore right.
 */
static int region_map_holes(struct uiommu_domain *domain,
			    struct uiommu_range pages, unsigned int prot)
{
	struct uiommu_range rest = pages;
	struct uiommu_range run;
	uiommu_iova_t end;
	bool stuck;
	int err;

	while (!uiommu_pt_find(&domain->hw.pt, rest, false, &run.first)) {
		rest.first = run.first;
		run.last = rest.last;
		if (!uiommu_pt_find(&domain->hw.pt, rest, true, &end))
			run.last = end - 1;
		err = uiommu_core_map(domain, run, run.first, prot, 0, &stuck);
		if (err)
			return err;
		if (run.last == rest.last)
			break;
		rest.first = run.last + 1;
	}
	return UIOMMU_OK;
}

int uiommu_core_map_direct(struct uiommu_group *group,
			   struct uiommu_domain *domain)
{
	struct region_parts parts = region_parts(group);
	int err = UIOMMU_OK;

	while (!err && region_next(&parts)) {
		const struct uiommu_region *region =
			&parts.regions[parts.index];

		if (parts.part.last > domain->aperture.last)
			err = UIOMMU_ERANGE;
		else
			err = region_map_holes(domain, parts.part,
					       region->prot);
		if (err == UIOMMU_ERANGE)
			uiommu_log(
				group->uiommu->host, UIOMMU_LOG_ERROR,
				UIOMMU_SID_FMT
				": reserved region %llx-%llx is out of reach "
				"of the page tables (%llx)",
				UIOMMU_SID_ARGS(uiommu_core_member(group, 0)
							->hw.sids[0]),
				(unsigned long long)region->range.first,
				(unsigned long long)region->range.last,
				(unsigned long long)domain->aperture.last);
	}
	return err;
}

/* Leaf by leaf: regions of many GiB exist. */
static bool region_mapped(const struct uiommu_domain *domain,
			  struct uiommu_range part, unsigned int prot)
{
	struct uiommu_pt_leaf leaf;
	uiommu_iova_t at = part.first;

	for (;;) {
		if (uiommu_pt_leaf(&domain->hw.pt, at, &leaf) ||
		    leaf.paddr != leaf.range.first || (prot & ~leaf.prot))
			return false;
		if (leaf.range.last >= part.last)
			return true;
		at = leaf.range.last + 1;
	}
}

bool uiommu_core_has_direct(const struct uiommu_group *group)
{
	const struct uiommu_region *regions;
	uint32_t count, i;

	regions = uiommu_group_regions(group, &count);
	for (i = 0; i < count; i++)
		if (regions[i].type == UIOMMU_REGION_DIRECT)
			return true;
	return false;
}

static bool region_meets(const struct uiommu_group *group,
			 struct uiommu_range range)
{
	struct region_parts parts = region_parts(group);

	while (region_next(&parts))
		if (parts.regions[parts.index].type == UIOMMU_REGION_DIRECT &&
		    parts.part.first <= range.last &&
		    range.first <= parts.part.last)
			return true;
	return false;
}

bool uiommu_core_keeps(const struct uiommu_domain *domain,
		       struct uiommu_range range)
{
	const struct uiommu *uiommu = domain->uiommu;
	uint32_t i;

	/* Seldom any: direct regions and unmanaged domains hardly meet. */
	if (!uiommu_load(&domain->kept))
		return false;
	for (i = 0; i < uiommu->plan.group_count; i++)
		if (uiommu_load(&uiommu->groups[i].domain) == domain &&
		    region_meets(&uiommu->groups[i], range))
			return true;
	return false;
}

int uiommu_core_check_direct(const struct uiommu_group *group,
			     const struct uiommu_domain *domain)
{
	struct region_parts parts = region_parts(group);

	if (domain->hw.type == UIOMMU_DOMAIN_IDENTITY)
		return UIOMMU_OK;
	while (region_next(&parts)) {
		const struct uiommu_region *region =
			&parts.regions[parts.index];

		if (region->type != UIOMMU_REGION_DIRECT)
			continue;
		if (domain->hw.type != UIOMMU_DOMAIN_BLOCKED &&
		    region_mapped(domain, parts.part, region->prot))
			continue;
		uiommu_log(group->uiommu->host, UIOMMU_LOG_DEBUG,
			   UIOMMU_SID_FMT ": %s domain refused for group %u, "
					  "firmware keeps %llx-%llx",
			   UIOMMU_SID_ARGS(
				   uiommu_core_member(group, 0)->hw.sids[0]),
			   uiommu_domain_type_name(domain->hw.type), group->id,
			   (unsigned long long)region->range.first,
			   (unsigned long long)region->range.last);
		return UIOMMU_EPERM;
	}
	return UIOMMU_OK;
}
