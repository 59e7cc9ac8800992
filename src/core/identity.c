// SPDX-License-Identifier: MIT
/*
 * The identity domain where units have no pass-through: one table for all of
 * them, in which the host's RAM and what firmware keeps for devices stand at
 * their own addresses. It is made before anybody is attached and grows with
 * the RAM; nothing is ever taken out while the instance runs.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"
#include "plan/plan_config.h"

#define IDENTITY_PROT (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

/* Units that need the table. */
struct identity_units {
	struct uiommu_block block;
	uint32_t *records;
	uint32_t count;
};

static bool identity_is_used(const struct uiommu_plan *plan, uint32_t record)
{
	uint32_t i;

	for (i = 0; i < plan->device_count; i++)
		if (plan->devices[i].unit == record)
			return true;
	return false;
}

/*
 * All such units, whether they have a device now or not: one may come. @used:
 * has one of them a device of @plan?
 */
static int identity_find_units(struct uiommu *uiommu,
			       const struct uiommu_plan *plan,
			       struct identity_units *units, bool *used)
{
	struct uiommu_driver *driver = uiommu->driver;
	uint32_t count = uiommu->dmar.record_count;
	struct uiommu_plan_unit *facts;
	uint32_t i;
	int err;

	err = uiommu_block_alloc(
		uiommu->host,
		(uint64_t)count * (sizeof(*facts) + sizeof(*units->records)),
		&units->block);
	if (err)
		return err;
	units->records = units->block.memory;
	facts = (void *)(units->records + count);
	driver->ops->describe(driver, facts, count);
	units->count = 0;
	*used = false;
	for (i = 0; i < count; i++) {
		if (!facts[i].present || facts[i].passthrough)
			continue;
		units->records[units->count++] = i;
		*used = *used || (plan && identity_is_used(plan, i));
	}
	return UIOMMU_OK;
}

/* The last address that the table must map. */
static uint64_t identity_last(const struct uiommu *uiommu)
{
	uint64_t last = uiommu->ram.ranges[uiommu->ram.count - 1].last;
	uint32_t i;

	for (i = 0; i < uiommu->dmar.record_count; i++) {
		const struct uiommu_dmar_record *r = &uiommu->dmar.records[i];

		if (r->type == UIOMMU_DMAR_RMRR && r->usable &&
		    r->range.last > last)
			last = r->range.last;
	}
	return last;
}

static uint64_t identity_reach(const struct uiommu_pt_config *config)
{
	uint64_t last = UIOMMU_MASK64(config->width - 1, 0);

	return config->paddr_last < last ? config->paddr_last : last;
}

int uiommu_core_identity_check(struct uiommu *uiommu, bool *possible)
{
	struct uiommu_pt_config config;
	struct identity_units units;
	bool used;
	int err;

	*possible = UIOMMU_CONFIG_IDENTITY_SOFTWARE && uiommu->ram.count;
	if (!*possible)
		return UIOMMU_OK;
	err = identity_find_units(uiommu, NULL, &units, &used);
	if (err)
		return err;
	if (units.count) {
		err = uiommu_core_pt_config(uiommu, units.records, units.count,
					    &config);
		if (!err && identity_reach(&config) < identity_last(uiommu))
			err = UIOMMU_ERANGE;
	}
	uiommu_block_free(uiommu->host, &units.block);
	if (err != UIOMMU_ENOTSUP && err != UIOMMU_ERANGE)
		return err;
	uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
		   "no identity for units without pass-through: %s",
		   err == UIOMMU_ERANGE ? "RAM is out of reach of their tables"
					: "they have no tables in common");
	*possible = false;
	return UIOMMU_OK;
}

/* Each part with one call, and so with the largest leaves. */
static int identity_map(struct uiommu_domain *identity,
			const struct uiommu_region *regions, uint32_t count,
			struct uiommu_range range)
{
	struct uiommu_range part;
	bool stuck;
	int err;

	while (uiommu_core_part(regions, count, range, &part)) {
		err = uiommu_core_map(identity, part, part.first, IDENTITY_PROT,
				      0, &stuck);
		if (err)
			return err;
		if (part.last == range.last)
			break;
		range.first = part.last + 1;
	}
	return UIOMMU_OK;
}

/* RAM and direct regions, joined first: what touches shares leaves. */
static int identity_fill(struct uiommu *uiommu, const struct uiommu_plan *plan)
{
	const struct uiommu_region *regions = plan->group_regions;
	uint32_t regions_count = plan->group_region_count;
	struct uiommu_range *ranges;
	struct uiommu_block block;
	struct uiommu_range pages;
	uint32_t count = 0;
	uint32_t i;
	int err;

	err = uiommu_block_alloc(uiommu->host,
				 ((uint64_t)uiommu->ram.count + regions_count) *
					 sizeof(*ranges),
				 &block);
	if (err)
		return err;
	ranges = block.memory;
	for (i = 0; i < uiommu->ram.count; i++)
		if (uiommu_core_ram_pages(uiommu->ram.ranges[i], &pages))
			count = uiommu_core_join(ranges, count, pages);
	for (i = 0; i < regions_count; i++)
		if (uiommu_core_is_direct(&regions[i]))
			count = uiommu_core_join(
				ranges, count,
				uiommu_core_pages(regions[i].range));
	for (i = 0; i < count && !err; i++)
		err = identity_map(&uiommu->identity, regions, regions_count,
				   ranges[i]);
	uiommu_block_free(uiommu->host, &block);
	return err;
}

static int identity_build(struct uiommu *uiommu, const struct uiommu_plan *plan,
			  const struct identity_units *units)
{
	struct uiommu_domain *identity = &uiommu->identity;
	struct uiommu_pt_config config;
	int err;

	err = uiommu_core_pt_config(uiommu, units->records, units->count,
				    &config);
	if (err)
		return err;
	err = uiommu_pt_init(&identity->hw.pt, uiommu->host, &config);
	if (err)
		return err;
	identity->aperture.last = identity_reach(&config);
	err = identity_fill(uiommu, plan);
	if (err) {
		uiommu_pt_fini(&identity->hw.pt);
		memset(&identity->hw.pt, 0, sizeof(identity->hw.pt));
		return err;
	}
	uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
		   "identity: %llu pages of tables for %u units without "
		   "pass-through",
		   (unsigned long long)identity->hw.pt.table_pages,
		   units->count);
	return UIOMMU_OK;
}

int uiommu_core_identity_make(struct uiommu *uiommu,
			      const struct uiommu_plan *plan)
{
	struct identity_units units;
	bool used;
	int err;

	if (!uiommu->soft_identity || uiommu->identity.hw.pt.root)
		return UIOMMU_OK;
	err = identity_find_units(uiommu, plan, &units, &used);
	if (err)
		return err;
	if (used)
		err = identity_build(uiommu, plan, &units);
	uiommu_block_free(uiommu->host, &units.block);
	return err;
}

/* --- RAM that is added ---------------------------------------------------- */

/* The whole pages of @ram in which @range is, or false. */
static bool identity_pages_around(const struct uiommu_ram *ram,
				  struct uiommu_range range,
				  struct uiommu_range *pages)
{
	uint32_t i = 0;

	while (ram->ranges[i].last < range.first)
		i++;
	if (!uiommu_core_ram_pages(ram->ranges[i], pages))
		return false;
	/* What was RAM before, but for the page that became whole, is there. */
	range = uiommu_core_pages(range);
	if (pages->first < range.first)
		pages->first = range.first;
	if (pages->last > range.last)
		pages->last = range.last;
	return pages->first < pages->last;
}

static int identity_grow(struct uiommu *uiommu, struct uiommu_range pages)
{
	const struct uiommu_plan *plan = &uiommu->edition->view.plan;
	struct uiommu_domain *identity = &uiommu->identity;
	struct uiommu_runs runs;
	int err;

	runs.count = uiommu_core_find_runs(
		&identity->hw.pt, plan->group_regions, plan->group_region_count,
		pages, NULL, 0);
	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)runs.count * sizeof(*runs.ranges),
				 &runs.block);
	if (err)
		return err;
	runs.ranges = runs.block.memory;
	(void)uiommu_core_find_runs(&identity->hw.pt, plan->group_regions,
				    plan->group_region_count, pages,
				    runs.ranges, runs.count);
	err = uiommu_core_map_runs(identity, &runs);
	uiommu_core_runs_free(uiommu, &runs);
	return err;
}

static int ram_add(struct uiommu *uiommu, struct uiommu_range range)
{
	struct uiommu_range pages;
	struct uiommu_ram joined;
	int err;

	if (uiommu->identity.hw.pt.root &&
	    range.last > uiommu->identity.aperture.last)
		return UIOMMU_ERANGE;
	err = uiommu_core_ram_join(uiommu, &range, 1, &joined);
	if (err)
		return err;
	if (uiommu->identity.hw.pt.root &&
	    identity_pages_around(&joined, range, &pages))
		err = identity_grow(uiommu, pages);
	if (err)
		uiommu_block_free(uiommu->host, &joined.block);
	else
		uiommu_core_ram_set(uiommu, &joined);
	return err;
}

int uiommu_add_ram(struct uiommu *uiommu, struct uiommu_range range)
{
	unsigned long state;
	int err;

	if (range.first > range.last)
		return UIOMMU_EINVAL;
	state = uiommu_host_lock_acquire(uiommu->mutex);
	err = ram_add(uiommu, range);
	uiommu_host_lock_release(uiommu->mutex, state);
	return err;
}
