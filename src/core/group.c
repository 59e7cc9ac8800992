// SPDX-License-Identifier: MIT
/*
 * Groups: the smallest unit of isolation. All members are in one domain at any
 * time; a change that fails half way is taken back.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* The units of the members, each once; there are few. */
static void group_collect_units(struct uiommu_group *group)
{
	uint32_t i, j;

	for (i = 0; i < group->member_count; i++) {
		uint32_t unit = uiommu_core_member(group, i)->hw.unit;

		for (j = 0; j < group->unit_count; j++)
			if (group->units[j] == unit)
				break;
		if (j == group->unit_count)
			group->units[group->unit_count++] = unit;
	}
}

/* A DMA domain in which direct regions are mapped before anybody is in it. */
static int group_make_dma(struct uiommu_group *group)
{
	struct uiommu_domain *domain;
	int err;

	err = uiommu_core_domain_make(group, UIOMMU_DOMAIN_DMA, &domain);
	if (err)
		return err;
	domain->owner = group;
	err = uiommu_core_map_direct(group, domain);
	if (err) {
		uiommu_core_domain_free(domain);
		return err;
	}
	group->default_domain = domain;
	return UIOMMU_OK;
}

static int group_make_default(struct uiommu_group *group,
			      enum uiommu_domain_type type)
{
	struct uiommu *uiommu = group->uiommu;
	int err;

	/* Lazy invalidation is not there yet; strict is the safe half of it. */
	if (type == UIOMMU_DOMAIN_DMA_FQ)
		type = UIOMMU_DOMAIN_DMA;
	group->default_domain = &uiommu->blocked;
	if (type == UIOMMU_DOMAIN_IDENTITY)
		group->default_domain = &uiommu->identity;
	if (type != UIOMMU_DOMAIN_DMA)
		return UIOMMU_OK;

	err = group_make_dma(group);
	/*
	 * The machine cannot do what the plan wants: a region out of reach, or
	 * units without tables in common. One group less is better than no
	 * start, and better blocked than let through.
	 */
	if (err == UIOMMU_ERANGE || err == UIOMMU_ENOTSUP) {
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": group %u has no DMA domain and is "
					  "blocked: %s",
			   UIOMMU_SID_ARGS(
				   uiommu_core_member(group, 0)->hw.sids[0]),
			   group->id, uiommu_strerror(err));
		err = UIOMMU_OK;
	}
	return err;
}

int uiommu_core_groups_make(struct uiommu *uiommu)
{
	const struct uiommu_plan *plan = &uiommu->plan;
	uint32_t i, j;
	int err;

	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)plan->group_count *
					 sizeof(*uiommu->groups),
				 &uiommu->group_block);
	if (err)
		return err;
	err = uiommu_block_alloc(
		uiommu->host, (uint64_t)plan->member_count * sizeof(uint32_t),
		&uiommu->unit_block);
	if (err)
		return err;
	uiommu->groups = uiommu->group_block.memory;

	for (i = 0; i < plan->group_count; i++) {
		const struct uiommu_plan_group *from = &plan->groups[i];
		struct uiommu_group *group = &uiommu->groups[i];

		group->uiommu = uiommu;
		group->id = i;
		group->members = &plan->members[from->member_first];
		group->member_count = from->member_count;
		group->units = (uint32_t *)uiommu->unit_block.memory +
			       from->member_first;
		group_collect_units(group);
		group->direct = uiommu_core_has_direct(group);
		for (j = 0; j < group->member_count; j++)
			uiommu_core_member(group, j)->group = group;
		err = group_make_default(group, from->type);
		if (err)
			return err;
	}
	return UIOMMU_OK;
}

static int device_attach(struct uiommu_device *device,
			 struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = device->uiommu->driver;
	int err = driver->ops->attach(driver, &device->hw, &domain->hw);

	if (!err)
		device->hw.domain = &domain->hw;
	return err;
}

/* The books, once the hardware is there. */
static void group_enter(struct uiommu_group *group,
			struct uiommu_domain *domain)
{
	uint32_t i;

	if (group->domain) {
		group->domain->attached--;
		uiommu_store(&group->domain->kept,
			     group->domain->kept - group->direct);
	}
	domain->attached++;
	uiommu_store(&domain->kept, domain->kept + group->direct);
	for (i = 0; i < group->member_count; i++)
		uiommu_store(&uiommu_core_member(group, i)->domain, domain);
	uiommu_store(&group->domain, domain);
}

/*
 * Fails closed: whatever the reason, nobody in the group gets anywhere. A unit
 * that refuses even this is broken, and its driver has told the host.
 */
static void group_block(struct uiommu_group *group)
{
	struct uiommu *uiommu = group->uiommu;
	uint32_t i;
	int err;

	for (i = 0; i < group->member_count; i++) {
		struct uiommu_device *device = uiommu_core_member(group, i);

		err = device_attach(device, &uiommu->blocked);
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": cannot go back to its domain, "
					  "blocking it: %s",
			   UIOMMU_SID_ARGS(device->hw.sids[0]),
			   err ? uiommu_strerror(err) : "done");
	}
	group_enter(group, &uiommu->blocked);
}

/* Members 0 to @count - 1 go back to where the group is on record. */
static void group_roll_back(struct uiommu_group *group, uint32_t count)
{
	while (count > 0) {
		if (device_attach(uiommu_core_member(group, --count),
				  group->domain)) {
			group_block(group);
			return;
		}
	}
}

static int group_move(struct uiommu_group *group, struct uiommu_domain *domain)
{
	uint32_t i;
	int err;

	for (i = 0; i < group->member_count; i++) {
		err = device_attach(uiommu_core_member(group, i), domain);
		if (err) {
			group_roll_back(group, i);
			return err;
		}
	}
	group_enter(group, domain);
	return UIOMMU_OK;
}

int uiommu_core_groups_attach(struct uiommu *uiommu)
{
	uint32_t i, j;
	int err;

	for (i = 0; i < uiommu->plan.group_count; i++) {
		struct uiommu_group *group = &uiommu->groups[i];

		/* No way back from here but teardown, so no roll-back. */
		for (j = 0; j < group->member_count; j++) {
			err = device_attach(uiommu_core_member(group, j),
					    group->default_domain);
			if (err)
				return err;
		}
		group_enter(group, group->default_domain);
	}
	return UIOMMU_OK;
}

static int group_attach_locked(struct uiommu_group *group,
			       struct uiommu_domain *domain)
{
	int err;

	if (domain == group->domain)
		return UIOMMU_OK;
	if (domain != group->default_domain) {
		err = uiommu_core_check_direct(group, domain);
		if (err)
			return err;
	}
	return group_move(group, domain);
}

int uiommu_group_attach(struct uiommu_group *group,
			struct uiommu_domain *domain)
{
	struct uiommu *uiommu = group->uiommu;
	unsigned long state;
	int err;

	if (domain->uiommu != uiommu ||
	    (domain->owner && domain->owner != group))
		return UIOMMU_EINVAL;
	state = uiommu_host_lock_acquire(uiommu->mutex);
	err = group_attach_locked(group, domain);
	uiommu_host_lock_release(uiommu->mutex, state);
	return err;
}

int uiommu_group_detach(struct uiommu_group *group)
{
	return uiommu_group_attach(group, group->default_domain);
}

uint32_t uiommu_group_id(const struct uiommu_group *group)
{
	return group->id;
}

struct uiommu_domain *
uiommu_group_default_domain(const struct uiommu_group *group)
{
	return group->default_domain;
}

struct uiommu_domain *uiommu_group_domain(const struct uiommu_group *group)
{
	return uiommu_load(&group->domain);
}
