// SPDX-License-Identifier: MIT
/*
 * From a plan to objects and hardware: at start, when devices come, and when
 * one that was refused need not be any more. What the edition in force has
 * already is taken over as it is; what is new is marked until it is in force.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/*
 * Index in @now of device @index of @next, or NONE. A function and what ACPI
 * calls by its id are two devices, so it is looked for by its kind.
 */
static uint32_t apply_known(const struct uiommu_edition *now,
			    const struct uiommu_edition *next, uint32_t index)
{
	const struct uiommu_topology *functions = &next->view.topology;
	const struct uiommu_plan *plan = &now->view.plan;
	uint32_t i;

	if (index < functions->count) {
		i = uiommu_topology_find(&now->view.topology,
					 functions->functions[index].sid);
		return i == UIOMMU_PCI_NONE ? UIOMMU_PLAN_NONE : i;
	}
	for (i = now->view.topology.count; i < plan->device_count; i++)
		if (plan->devices[i].andd ==
		    next->view.plan.devices[index].andd)
			return i;
	return UIOMMU_PLAN_NONE;
}

/* Does firmware keep other memory for it than it did? A bridge was found. */
static bool apply_regions_differ(const struct uiommu_plan *now, uint32_t old,
				 const struct uiommu_plan *next, uint32_t index)
{
	const struct uiommu_plan_device *was = &now->devices[old];
	const struct uiommu_plan_device *is = &next->devices[index];
	uint32_t i;

	if (was->region_count != is->region_count)
		return true;
	for (i = 0; i < is->region_count; i++) {
		const struct uiommu_region *a =
			&now->regions[was->region_first + i];
		const struct uiommu_region *b =
			&next->regions[is->region_first + i];

		if (a->range.first != b->range.first ||
		    a->range.last != b->range.last || a->type != b->type)
			return true;
	}
	return false;
}

/* Takes over @device; the plan keeps its unit and its group. */
static int apply_keep(struct uiommu_edition *next, uint32_t index,
		      struct uiommu_device *device)
{
	const struct uiommu_plan_device *from = &next->view.plan.devices[index];

	next->devices[index] = device;
	if (device->hw.unit != from->unit)
		return UIOMMU_EINVAL;
	if (!device->group)
		return UIOMMU_OK;
	if (next->groups[from->group] &&
	    next->groups[from->group] != device->group)
		return UIOMMU_EINVAL;
	next->groups[from->group] = device->group;
	device->group->place = from->group;
	if (device->barred && !from->barred) {
		device->barred = false;
		device->enters = true;
	}
	return UIOMMU_OK;
}

static int apply_keep_all(struct uiommu *uiommu, struct uiommu_edition *next)
{
	const struct uiommu_edition *now = uiommu->edition;
	struct uiommu_device *device;
	uint32_t i, old;
	int err;

	for (i = 0; now && i < next->view.plan.device_count; i++) {
		old = apply_known(now, next, i);
		if (old == UIOMMU_PLAN_NONE)
			continue;
		device = now->devices[old];
		err = apply_keep(next, i, device);
		if (!err && device->group &&
		    apply_regions_differ(&now->view.plan, old, &next->view.plan,
					 i))
			device->group->regions_differ = true;
		if (err) {
			uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
				   UIOMMU_SID_FMT ": the new plan has another "
						  "unit or group for it",
				   UIOMMU_SID_ARGS(device->sid));
			return err;
		}
	}
	return UIOMMU_OK;
}

static int apply_groups(struct uiommu *uiommu, struct uiommu_edition *next)
{
	const struct uiommu_plan *plan = &next->view.plan;
	struct uiommu_group *group;
	uint32_t i;
	int err;

	for (i = 0; i < plan->group_count; i++) {
		if (next->groups[i])
			continue;
		err = uiommu_core_group_make(uiommu, plan->groups[i].id,
					     &group);
		if (err)
			return err;
		group->fresh = true;
		group->place = i;
		next->groups[i] = group;
	}
	return UIOMMU_OK;
}

static int apply_device(struct uiommu *uiommu, struct uiommu_edition *next,
			uint32_t index)
{
	const struct uiommu_plan_device *from = &next->view.plan.devices[index];
	struct uiommu_device *device;
	int err;

	err = uiommu_core_device_make(uiommu, next, index, &device);
	if (err)
		return err;
	device->fresh = true;
	device->enters = !device->barred;
	next->devices[index] = device;
	if (from->group == UIOMMU_PLAN_NONE)
		return UIOMMU_OK;
	device->group = next->groups[from->group];
	device->next = device->group->members;
	device->group->members = device;
	return UIOMMU_OK;
}

static int apply_devices(struct uiommu *uiommu, struct uiommu_edition *next)
{
	uint32_t i;
	int err = UIOMMU_OK;

	for (i = 0; i < next->view.plan.device_count && !err; i++)
		if (!next->devices[i])
			err = apply_device(uiommu, next, i);
	return err;
}

/* The default domain of a new group. */
static int apply_default(struct uiommu_group *group,
			 struct uiommu_edition *next)
{
	struct uiommu_plan_group *from = &next->view.plan.groups[group->place];
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_domain *domain;
	int err;

	err = uiommu_core_group_domain(group, next, from->type, &domain);
	/*
	 * The machine cannot do what the plan wants: a region out of reach, or
	 * units without tables in common. One group less is better than no
	 * start, and better blocked than let through.
	 */
	if (err == UIOMMU_ERANGE || err == UIOMMU_ENOTSUP) {
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": group %u has no DMA domain and is "
					  "blocked: %s",
			   UIOMMU_SID_ARGS(uiommu_core_group_sid(group)),
			   group->id, uiommu_strerror(err));
		domain = &uiommu->blocked;
		from->type = UIOMMU_DOMAIN_BLOCKED;
		err = UIOMMU_OK;
	}
	if (err)
		return err;
	group->type = from->type;
	group->default_domain = domain;
	uiommu_core_group_enter(group, domain);
	return UIOMMU_OK;
}

enum apply_joiners {
	APPLY_NOBODY,
	APPLY_KNOWN, /* only such that were there, and refused */
	APPLY_FRESH,
};

static enum apply_joiners apply_joiners(const struct uiommu_group *group)
{
	enum apply_joiners who = APPLY_NOBODY;
	const struct uiommu_device *device;

	for (device = group->members; device; device = device->next) {
		if (device->enters && device->fresh)
			return APPLY_FRESH;
		if (device->enters)
			who = APPLY_KNOWN;
	}
	return who;
}

/*
 * The device is refused after all, for a reason that no plan knows. It is tried
 * again with every plan, and said once.
 */
static void apply_bar(struct uiommu_edition *next, uint32_t index, int err)
{
	struct uiommu_device *device = next->devices[index];

	device->enters = false;
	device->barred = true;
	if (device->unfit)
		return;
	device->unfit = true;
	uiommu_log(device->uiommu->host, UIOMMU_LOG_ERROR,
		   UIOMMU_SID_FMT ": blocked, it cannot be in the domain of "
				  "group %u: %s",
		   UIOMMU_SID_ARGS(device->sid), device->group->id,
		   uiommu_strerror(err));
}

/* Who would have joined is refused instead. */
static void apply_bar_joiners(const struct uiommu_group *group,
			      struct uiommu_edition *next, int err)
{
	uint32_t i;

	for (i = 0; i < next->view.plan.device_count; i++)
		if (next->devices[i]->group == group &&
		    next->devices[i]->enters)
			apply_bar(next, i, err);
}

/* The regions of who joins a group that is there, before they are in it. */
static int apply_join(struct uiommu_group *group, struct uiommu_edition *next)
{
	struct uiommu_domain *domain = group->default_domain;
	struct uiommu *uiommu = group->uiommu;
	int err = UIOMMU_OK;

	if (!domain->hw.pt.root)
		return UIOMMU_OK;
	if (domain->hw.type == UIOMMU_DOMAIN_DMA) {
		uiommu_core_group_apart(group, domain);
		err = uiommu_core_reserve(uiommu, next, group->place, domain);
	}
	if (!err)
		err = uiommu_core_map_direct(uiommu, next, group->place, domain,
					     &group->direct);
	if (!err)
		return UIOMMU_OK;
	/*
	 * An address is in use there, or beyond the tables. Who is there only
	 * to be judged anew is in nobody's way, whatever the reason.
	 */
	if (err != UIOMMU_EBUSY && err != UIOMMU_ERANGE &&
	    apply_joiners(group) == APPLY_FRESH)
		return err;
	apply_bar_joiners(group, next, err);
	if (group->regions_differ)
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": what firmware keeps for group %u "
					  "is not all within its reach: %s",
			   UIOMMU_SID_ARGS(uiommu_core_group_sid(group)),
			   group->id, uiommu_strerror(err));
	return UIOMMU_OK;
}

static int apply_domains(struct uiommu_edition *next)
{
	uint32_t i;
	int err = UIOMMU_OK;

	for (i = 0; i < next->view.plan.group_count && !err; i++) {
		struct uiommu_group *group = next->groups[i];

		if (group->fresh)
			err = apply_default(group, next);
		else if (group->regions_differ ||
			 apply_joiners(group) != APPLY_NOBODY)
			err = apply_join(group, next);
	}
	return err;
}

static int apply_attach_one(struct uiommu_edition *next, uint32_t index)
{
	struct uiommu_device *device = next->devices[index];
	int err = uiommu_core_device_place(device);

	if (!err || !device->enters)
		return err;
	/* Its unit does not walk the group's tables, or it need not enter. */
	if (device->fresh && err != UIOMMU_ENOTSUP)
		return err;
	apply_bar(next, index, err);
	if (device->fresh)
		return uiommu_core_device_place(device);
	uiommu_core_device_refuse(device);
	return UIOMMU_OK;
}

static int apply_attach(struct uiommu_edition *next)
{
	uint32_t i;
	int err = UIOMMU_OK;

	for (i = 0; i < next->view.plan.device_count && !err; i++) {
		struct uiommu_device *device = next->devices[i];

		if (device->group && (device->fresh || device->enters))
			err = apply_attach_one(next, i);
	}
	return err;
}

static void apply_unlink(struct uiommu_device *device)
{
	struct uiommu_device **link;

	if (!device->group)
		return;
	for (link = &device->group->members; *link; link = &(*link)->next) {
		if (*link == device) {
			*link = device->next;
			return;
		}
	}
}

static void apply_undo_devices(struct uiommu_edition *next)
{
	uint32_t i;

	for (i = 0; i < next->view.plan.device_count; i++) {
		struct uiommu_device *device = next->devices[i];

		if (!device)
			continue;
		if (device->fresh) {
			apply_unlink(device);
			uiommu_core_device_free(device);
		} else if (device->enters) {
			device->enters = false;
			device->barred = true;
			uiommu_core_device_refuse(device);
		}
	}
}

static void apply_undo(struct uiommu *uiommu, struct uiommu_edition *next)
{
	struct uiommu_group *group;
	uint32_t i;

	apply_undo_devices(next);
	for (i = 0; i < next->view.plan.group_count; i++) {
		group = next->groups[i];
		if (!group)
			continue;
		if (group->fresh) {
			uiommu_core_group_free(group);
		} else {
			group->regions_differ = false;
			uiommu_core_runs_undo(group->default_domain,
					      &group->direct);
			uiommu_core_runs_free(uiommu, &group->direct);
		}
	}
}

static bool apply_bars(enum uiommu_rule rule)
{
	return rule == UIOMMU_RULE_TYPE_BARRED ||
	       rule == UIOMMU_RULE_TYPE_BARRED_OWNED ||
	       rule == UIOMMU_RULE_TYPE_BARRED_APART;
}

static void apply_say_barred(const struct uiommu_edition *next, uint32_t index)
{
	const struct uiommu_device *device = next->devices[index];
	const struct uiommu_plan *plan = &next->view.plan;
	const struct uiommu_reason *reasons;
	char text[200];
	uint32_t count, i;

	count = uiommu_plan_reasons(plan, index, &reasons);
	for (i = 0; i < count; i++) {
		if (!apply_bars(reasons[i].rule))
			continue;
		uiommu_reason_text(plan, &next->view.topology, &reasons[i],
				   text, sizeof(text));
		uiommu_log(device->uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": blocked in group %u: %s",
			   UIOMMU_SID_ARGS(device->sid), device->group->id,
			   text);
	}
}

static void apply_commit(struct uiommu *uiommu, struct uiommu_edition *next)
{
	struct uiommu_plan *plan = &next->view.plan;
	uint32_t i;

	for (i = 0; i < plan->device_count; i++) {
		struct uiommu_device *device = next->devices[i];

		if (device->fresh && plan->devices[i].barred)
			apply_say_barred(next, i);
		plan->devices[i].barred = device->barred;
		device->unfit = device->unfit && device->barred;
		if (device->group && device->group->regions_differ &&
		    !device->group->owner)
			uiommu_core_device_set_direct(device, next, i);
		device->fresh = false;
		device->enters = false;
	}
	for (i = 0; i < plan->group_count; i++) {
		struct uiommu_group *group = next->groups[i];

		group->fresh = false;
		group->regions_differ = false;
		/* DMA and DMA_FQ take each other's place without a move. */
		if (group->default_domain->hw.type == UIOMMU_DOMAIN_DMA)
			uiommu_store(&group->type, plan->groups[i].type);
		uiommu_core_runs_free(uiommu, &group->direct);
	}
	uiommu_core_edition_enforce(uiommu, next);
}

int uiommu_core_apply(struct uiommu *uiommu, struct uiommu_edition *next)
{
	int err;

	err = uiommu_core_identity_make(uiommu, &next->view.plan);
	if (!err)
		err = apply_keep_all(uiommu, next);
	if (!err)
		err = apply_groups(uiommu, next);
	if (!err)
		err = apply_devices(uiommu, next);
	if (!err)
		err = apply_domains(next);
	if (!err)
		err = apply_attach(next);
	if (err) {
		apply_undo(uiommu, next);
		return err;
	}
	apply_commit(uiommu, next);
	return UIOMMU_OK;
}

void uiommu_core_let_go(struct uiommu_device *leaving)
{
	struct uiommu_group *group;
	struct uiommu_device *device;

	while (leaving) {
		device = leaving;
		leaving = device->leaving;
		group = device->group;
		apply_unlink(device);
		if (group && device->resetting)
			group->resets--;
		uiommu_core_device_free(device);
		if (group && !group->members)
			uiommu_core_group_free(group);
	}
}

int uiommu_core_follow(struct uiommu *uiommu, struct uiommu_topology *topology)
{
	struct uiommu_edition *next;
	int err;

	err = uiommu_core_edition_make(uiommu, topology, &next);
	if (err) {
		uiommu_topology_fini(topology);
		return err;
	}
	err = uiommu_core_apply(uiommu, next);
	if (err)
		uiommu_core_edition_free(uiommu, next);
	return err;
}

int uiommu_core_renew(struct uiommu *uiommu)
{
	struct uiommu_topology topology;
	int err;

	err = uiommu_topology_copy(&uiommu->edition->view.topology, &topology);
	return err ? err : uiommu_core_follow(uiommu, &topology);
}
