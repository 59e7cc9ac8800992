// SPDX-License-Identifier: MIT
/* Reserved regions of a group: kept out of allocation, or mapped 1:1. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* Walks the regions of all members of a group. */
struct region_iter {
	const struct uiommu_group *group;
	const struct uiommu_device *device; /* of the last one returned */
	uint32_t member;
	uint32_t region;
};

static const struct uiommu_region *region_next(struct region_iter *iter)
{
	const struct uiommu_group *group = iter->group;
	const struct uiommu_plan *plan = &group->uiommu->plan;

	while (iter->member < group->member_count) {
		uint32_t index = group->members[iter->member];
		const struct uiommu_plan_device *device = &plan->devices[index];

		iter->device = &group->uiommu->devices[index];
		if (iter->region < device->region_count)
			return &plan->regions[device->region_first +
					      iter->region++];
		iter->member++;
		iter->region = 0;
	}
	return NULL;
}

/* Whole pages: the granule of protection is all that can be given or kept. */
static struct uiommu_range region_pages(const struct uiommu_region *region)
{
	struct uiommu_range pages = region->range;

	pages.first &= ~UIOMMU_PAGE_MASK;
	pages.last |= UIOMMU_PAGE_MASK;
	return pages;
}

static bool region_is_direct(const struct uiommu_region *region)
{
	return region->type == UIOMMU_REGION_DIRECT ||
	       region->type == UIOMMU_REGION_DIRECT_RELAXABLE;
}

int uiommu_core_reserve(struct uiommu_group *group,
			struct uiommu_domain *domain)
{
	struct region_iter iter = { .group = group };
	const struct uiommu_region *region;
	int err;

	while ((region = region_next(&iter))) {
		err = uiommu_iova_reserve(&domain->iova, region_pages(region));
		if (err)
			return err;
	}
	return UIOMMU_OK;
}

/*
 * Members share regions and regions overlap, so only what is not mapped yet is
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
		err = uiommu_core_map(domain, run, run.first, prot, &stuck);
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
	struct region_iter iter = { .group = group };
	const struct uiommu_region *region;
	struct uiommu_range pages;
	int err = UIOMMU_OK;

	while (!err && (region = region_next(&iter))) {
		if (!region_is_direct(region))
			continue;
		pages = region_pages(region);
		if (pages.last > domain->aperture.last)
			err = UIOMMU_ERANGE;
		else
			err = region_map_holes(domain, pages, region->prot);
		if (err == UIOMMU_ERANGE)
			uiommu_log(
				group->uiommu->host, UIOMMU_LOG_ERROR,
				UIOMMU_SID_FMT
				": reserved region %llx-%llx is out of reach "
				"of the page tables (%llx)",
				UIOMMU_SID_ARGS(iter.device->hw.sids[0]),
				(unsigned long long)region->range.first,
				(unsigned long long)region->range.last,
				(unsigned long long)domain->aperture.last);
	}
	return err;
}

static bool region_mapped(const struct uiommu_domain *domain,
			  const struct uiommu_region *region)
{
	struct uiommu_range pages = region_pages(region);
	uiommu_iova_t page = pages.first;
	uiommu_paddr_t paddr;
	unsigned int prot;

	for (;;) {
		if (uiommu_pt_lookup(&domain->hw.pt, page, &paddr, &prot) ||
		    paddr != page || (region->prot & ~prot))
			return false;
		if (pages.last - page <= UIOMMU_PAGE_MASK)
			return true;
		page += UIOMMU_PAGE_SIZE;
	}
}

bool uiommu_core_has_direct(const struct uiommu_group *group)
{
	struct region_iter iter = { .group = group };
	const struct uiommu_region *region;

	while ((region = region_next(&iter)))
		if (region->type == UIOMMU_REGION_DIRECT)
			return true;
	return false;
}

static bool region_meets(const struct uiommu_group *group,
			 struct uiommu_range range)
{
	struct region_iter iter = { .group = group };
	const struct uiommu_region *region;

	while ((region = region_next(&iter))) {
		struct uiommu_range pages = region_pages(region);

		if (region->type == UIOMMU_REGION_DIRECT &&
		    pages.first <= range.last && range.first <= pages.last)
			return true;
	}
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
	struct region_iter iter = { .group = group };
	const struct uiommu_region *region;

	if (domain->hw.type == UIOMMU_DOMAIN_IDENTITY)
		return UIOMMU_OK;
	while ((region = region_next(&iter))) {
		if (region->type != UIOMMU_REGION_DIRECT)
			continue;
		if (domain->hw.type != UIOMMU_DOMAIN_BLOCKED &&
		    region_mapped(domain, region))
			continue;
		uiommu_log(group->uiommu->host, UIOMMU_LOG_DEBUG,
			   UIOMMU_SID_FMT
			   ": %s domain refused, firmware keeps %llx-%llx",
			   UIOMMU_SID_ARGS(iter.device->hw.sids[0]),
			   uiommu_domain_type_name(domain->hw.type),
			   (unsigned long long)region->range.first,
			   (unsigned long long)region->range.last);
		return UIOMMU_EPERM;
	}
	return UIOMMU_OK;
}
