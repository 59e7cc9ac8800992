// SPDX-License-Identifier: MIT
/*
 * Groups: the smallest unit of isolation. All members are in one domain at any
 * time; a change that fails half way is taken back. Who is refused for itself
 * (barred, or being reset) stays refused wherever the group goes.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_group) <= 256);

int uiommu_core_group_make(struct uiommu *uiommu, uint32_t id,
			   struct uiommu_group **group)
{
	struct uiommu_group *made = uiommu_pool_alloc(&uiommu->group_pool, 0);

	if (!made)
		return UIOMMU_ENOMEM;
	made->uiommu = uiommu;
	made->id = id;
	made->next = uiommu->groups;
	uiommu->groups = made;
	*group = made;
	return UIOMMU_OK;
}

void uiommu_core_group_drop(struct uiommu_group *group,
			    struct uiommu_domain *domain)
{
	if (domain && domain->owner == group)
		uiommu_core_domain_drop(domain);
}

/* Drivers that went without giving back what they mapped. */
static void group_say_leaks(const struct uiommu_group *group)
{
	struct uiommu_domain *domain = group->default_domain;
	size_t live = 0;

	if (domain && domain->hw.type == UIOMMU_DOMAIN_DMA)
		live = uiommu_iova_live(&domain->iova);
	if (live)
		uiommu_log(group->uiommu->host, UIOMMU_LOG_WARN,
			   "group %u goes with %llu mappings of the DMA API "
			   "that were not given back",
			   group->id, (unsigned long long)live);
}

void uiommu_core_group_free(struct uiommu_group *group)
{
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_group **link = &uiommu->groups;

	while (*link != group)
		link = &(*link)->next;
	*link = group->next;
	if (group->domain) {
		group->domain->attached--;
		uiommu_core_domain_left(group->domain);
	}
	group_say_leaks(group);
	uiommu_core_group_drop(group, group->default_domain);
	uiommu_core_group_drop(group, group->sink);
	uiommu_pool_free(&uiommu->group_pool, group);
}

/*
 * Allocators tend to go from what a device can reach downwards: ours begins
 * further down then, so that what is still under way meets nothing new. That
 * kernel may have done the same, so where differs from time to time.
 */
void uiommu_core_group_apart(struct uiommu_group *group,
			     struct uiommu_domain *domain)
{
	const struct uiommu_device *device = group->members;
	uint64_t now;

	while (device && !device->hw.at_work)
		device = device->next;
	if (!device || domain->apart)
		return;
	now = uiommu_host_now_ns(group->uiommu->host);
	uiommu_store(&domain->apart,
		     (uint8_t)(4 + (now * 0x9e3779b97f4a7c15u >> 61)));
}

/* A DMA domain in which direct regions are mapped before anybody is in it. */
static int group_make_dma(struct uiommu_group *group,
			  const struct uiommu_edition *edition,
			  struct uiommu_domain **domain)
{
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_domain *made;
	struct uiommu_runs runs;
	int err;

	err = uiommu_core_domain_make(&group, 1, UIOMMU_DOMAIN_DMA, &made);
	if (err)
		return err;
	made->owner = group;
	uiommu_core_group_apart(group, made);
	err = uiommu_core_reserve(uiommu, edition, group->place, made);
	if (!err)
		err = uiommu_core_map_direct(uiommu, edition, group->place,
					     made, &runs);
	if (err) {
		uiommu_core_domain_free(made);
		return err;
	}
	uiommu_core_runs_free(uiommu, &runs);
	*domain = made;
	return UIOMMU_OK;
}

/* The shared table, with this group's direct regions: they may be news to it. */
static int group_share_identity(struct uiommu_group *group,
				const struct uiommu_edition *edition,
				struct uiommu_domain **domain)
{
	struct uiommu_domain *identity = &group->uiommu->identity;
	struct uiommu_runs runs;
	int err;

	if (identity->hw.pt.root) {
		err = uiommu_core_map_direct(group->uiommu, edition,
					     group->place, identity, &runs);
		if (err)
			return err;
		/* Firmware's, and 1:1: they may stay whatever comes. */
		uiommu_core_runs_free(group->uiommu, &runs);
	}
	*domain = identity;
	return UIOMMU_OK;
}

int uiommu_core_group_domain(struct uiommu_group *group,
			     const struct uiommu_edition *edition,
			     enum uiommu_domain_type type,
			     struct uiommu_domain **domain)
{
	/* Lazy invalidation is not there yet; strict is the safe half of it. */
	if (type == UIOMMU_DOMAIN_DMA || type == UIOMMU_DOMAIN_DMA_FQ)
		return group_make_dma(group, edition, domain);
	if (type == UIOMMU_DOMAIN_IDENTITY)
		return group_share_identity(group, edition, domain);
	*domain = &group->uiommu->blocked;
	return UIOMMU_OK;
}

struct uiommu_domain *uiommu_core_refusal(const struct uiommu_group *group)
{
	return group->sink ? group->sink : &group->uiommu->blocked;
}

struct uiommu_sid uiommu_core_group_sid(const struct uiommu_group *group)
{
	return group->members->sid;
}

static bool group_carries(const struct uiommu_device *device)
{
	return !device->barred && !device->resetting;
}

void uiommu_core_group_enter(struct uiommu_group *group,
			     struct uiommu_domain *domain)
{
	struct uiommu_domain *old = group->domain;
	struct uiommu_device *device;

	domain->attached++;
	for (device = group->members; device; device = device->next)
		if (group_carries(device))
			uiommu_store(&device->domain, domain);
	uiommu_store(&group->domain, domain);
	if (old) {
		old->attached--;
		uiommu_core_domain_left(old);
	}
}

/*
 * Fails closed: whatever the reason, nobody in the group gets anywhere. A unit
 * that refuses even this is broken, and its driver has told the host.
 */
void uiommu_core_group_block(struct uiommu_group *group)
{
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_device *device;
	int err;

	for (device = group->members; device; device = device->next) {
		err = uiommu_core_device_attach(device, &uiommu->blocked);
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": cannot go back to its domain, "
					  "blocking it: %s",
			   UIOMMU_SID_ARGS(device->sid),
			   err ? uiommu_strerror(err) : "done");
	}
	uiommu_core_group_enter(group, &uiommu->blocked);
	for (device = group->members; device; device = device->next)
		uiommu_store(&device->domain, &uiommu->blocked);
}

/*
 * Does a move to @domain leave what the device inherited alone? Only if it is
 * to the group's own domain, which the device will enter when it is asked for.
 */
static bool group_defers(const struct uiommu_group *group,
			 const struct uiommu_device *device,
			 const struct uiommu_domain *domain)
{
	return device->hw.inherited && !group->owner &&
	       domain != uiommu_core_refusal(group) &&
	       domain != &group->uiommu->blocked;
}

/*
 * Members before @end go back to where the group is on record; not if that is
 * news to one of them, which is at work.
 */
static void group_roll_back(struct uiommu_group *group,
			    const struct uiommu_device *end)
{
	struct uiommu_device *device;

	for (device = group->members; device != end; device = device->next) {
		if (group_carries(device) && !device->hw.inherited &&
		    (device->uprooted ||
		     uiommu_core_device_attach(device, group->domain))) {
			uiommu_core_group_block(group);
			return;
		}
	}
}

int uiommu_core_group_move(struct uiommu_group *group,
			   struct uiommu_domain *domain)
{
	struct uiommu_device *device;
	int err;

	for (device = group->members; device; device = device->next) {
		if (!group_carries(device) ||
		    group_defers(group, device, domain))
			continue;
		device->uprooted = device->hw.inherited;
		err = uiommu_core_device_attach(device, domain);
		if (err) {
			group_roll_back(group, device);
			return err;
		}
	}
	uiommu_core_group_enter(group, domain);
	return UIOMMU_OK;
}

/* Who came while the group was claimed was refused; it need not be now. */
static void group_rejudge(struct uiommu_group *group)
{
	const struct uiommu_device *device;
	int err;

	for (device = group->members; device; device = device->next)
		if (device->barred)
			break;
	if (!device)
		return;
	err = uiommu_core_renew(group->uiommu);
	if (err)
		uiommu_log(group->uiommu->host, UIOMMU_LOG_WARN,
			   UIOMMU_SID_FMT ": members of group %u that are "
					  "blocked stay so: %s",
			   UIOMMU_SID_ARGS(uiommu_core_group_sid(group)),
			   group->id, uiommu_strerror(err));
}

int uiommu_core_group_return(struct uiommu_group *group)
{
	struct uiommu_device *device;
	int err;

	if (group->domain == group->default_domain)
		return UIOMMU_OK;
	err = uiommu_core_group_move(group, group->default_domain);
	if (err)
		return err;
	group_rejudge(group);
	for (device = group->members; device; device = device->next)
		uiommu_core_device_publish(device);
	return UIOMMU_OK;
}

uint32_t uiommu_group_id(const struct uiommu_group *group)
{
	return group->id;
}

enum uiommu_domain_type uiommu_group_type(const struct uiommu_group *group)
{
	return uiommu_load(&group->type);
}

struct uiommu_domain *
uiommu_group_default_domain(const struct uiommu_group *group)
{
	return uiommu_load(&group->default_domain);
}

struct uiommu_domain *uiommu_group_domain(const struct uiommu_group *group)
{
	return uiommu_load(&group->domain);
}

const void *uiommu_group_owner(const struct uiommu_group *group)
{
	return uiommu_load(&group->owner);
}
