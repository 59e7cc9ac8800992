// SPDX-License-Identifier: MIT
/*
 * Which devices cannot be told apart or kept apart.
 *
 * Three relations join two devices; groups are their closure, kept as a forest
 * whose roots are the lowest device of each set, so that no order in which
 * devices or relations are met can matter:
 *
 * - both may ask under one requester id;
 * - one is the bridge above the other, and something from that bridge up to
 *   the root does not isolate;
 * - both are functions of one slot and neither isolates.
 *
 * A device without a unit relates others but is in no group itself.
 */
#include "plan/plan.h"

static uint32_t plan_set_of(struct plan_note *notes, uint32_t i)
{
	while (notes[i].set != i) {
		notes[i].set = notes[notes[i].set].set;
		i = notes[i].set;
	}
	return i;
}

static void plan_join(struct plan_work *work, uint32_t a, uint32_t b)
{
	a = plan_set_of(work->notes, a);
	b = plan_set_of(work->notes, b);
	if (a < b)
		work->notes[b].set = a;
	else
		work->notes[a].set = b;
}

static void plan_note_share(struct plan_work *work, uint32_t device,
			    uint32_t other, uint32_t rid)
{
	struct plan_note *note = &work->notes[device];

	if (note->shares != UIOMMU_PLAN_NONE)
		return;
	note->shares = other;
	note->shared_rid = rid;
}

/*
 * Users of one id are neighbours in work->users. Ids that are shared through a
 * bridge would be joined by that as well; these are all that are shared.
 */
static void plan_join_aliases(struct plan_work *work)
{
	const struct plan_alias *users = work->users;
	uint32_t i;

	for (i = 1; i < work->plan.alias_count; i++) {
		uint32_t a = users[i - 1].device;
		uint32_t b = users[i].device;

		if (users[i].sid.segment != users[i - 1].sid.segment ||
		    users[i].sid.rid != users[i - 1].sid.rid)
			continue;
		plan_join(work, a, b);
		plan_note_share(work, a, b, users[i].sid.rid);
		plan_note_share(work, b, a, users[i].sid.rid);
	}
}

static uint32_t plan_leak_above(const struct uiommu_topology *topology,
				uint32_t device)
{
	uint32_t above = uiommu_plan_above(topology, device);

	if (above == UIOMMU_PCI_NONE)
		return UIOMMU_PCI_NONE;
	return uiommu_plan_leak(topology, above);
}

static bool plan_same_slot(const struct uiommu_pci_function *a,
			   const struct uiommu_pci_function *b)
{
	return a->sid.segment == b->sid.segment &&
	       a->sid.rid >> 3 == b->sid.rid >> 3;
}

/* Lowest other function of the slot that does not isolate; or NONE. */
static uint32_t plan_slot_mate(const struct uiommu_topology *topology,
			       uint32_t device)
{
	const struct uiommu_pci_function *functions = topology->functions;
	uint32_t i = device;

	if (!functions[device].multifunction ||
	    uiommu_plan_isolates(&functions[device]))
		return UIOMMU_PCI_NONE;
	while (i != 0 && plan_same_slot(&functions[i - 1], &functions[device]))
		i--;
	for (; i < topology->count &&
	       plan_same_slot(&functions[i], &functions[device]);
	     i++) {
		if (i != device && !uiommu_plan_isolates(&functions[i]))
			return i;
	}
	return UIOMMU_PCI_NONE;
}

static void plan_join_neighbours(struct plan_work *work)
{
	const struct uiommu_topology *topology = work->topology;
	uint32_t i, mate;

	for (i = 0; i < work->plan.device_count; i++) {
		if (plan_leak_above(topology, i) != UIOMMU_PCI_NONE)
			plan_join(work, i, uiommu_plan_above(topology, i));
		mate = plan_slot_mate(topology, i);
		if (mate != UIOMMU_PCI_NONE)
			plan_join(work, i, mate);
	}
}

static void plan_number_groups(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	struct uiommu_plan_device *device;
	uint32_t i;

	for (i = 0; i < plan->device_count; i++) {
		struct plan_note *note =
			&work->notes[plan_set_of(work->notes, i)];

		device = &plan->devices[i];
		if (device->unit == UIOMMU_PLAN_NONE)
			continue;
		if (note->group == UIOMMU_PLAN_NONE)
			note->group = plan->group_count++;
		device->group = note->group;
		plan->groups[device->group].member_count++;
		plan->member_count++;
	}
}

static void plan_list_members(struct uiommu_plan *plan)
{
	struct uiommu_plan_group *group;
	uint32_t next = 0;
	uint32_t i;

	for (i = 0; i < plan->group_count; i++) {
		plan->groups[i].member_first = next;
		next += plan->groups[i].member_count;
		plan->groups[i].member_count = 0;
	}
	for (i = 0; i < plan->device_count; i++) {
		if (plan->devices[i].group == UIOMMU_PLAN_NONE)
			continue;
		group = &plan->groups[plan->devices[i].group];
		plan->members[group->member_first + group->member_count++] = i;
	}
}

void uiommu_plan_groups(struct plan_work *work)
{
	plan_join_aliases(work);
	plan_join_neighbours(work);
	plan_number_groups(work);
	plan_list_members(&work->plan);
}

static void plan_say_leak(struct plan_work *work, uint32_t device,
			  uint32_t leak)
{
	const struct uiommu_pci_function *function =
		&work->topology->functions[leak];

	if (function->pcie_type == UIOMMU_PCIE_ROOT_PORT ||
	    function->pcie_type == UIOMMU_PCIE_UPSTREAM_PORT ||
	    function->pcie_type == UIOMMU_PCIE_DOWNSTREAM_PORT)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_NO_ACS, device, leak,
				uiommu_plan_acs_missing(function));
	else
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_BRIDGE, device, leak,
				UIOMMU_PLAN_NONE);
}

void uiommu_plan_say_group(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan *plan = &work->plan;
	const struct plan_note *note = &work->notes[device];
	uint32_t leak = plan_leak_above(work->topology, device);
	uint32_t mate = plan_slot_mate(work->topology, device);
	uint32_t group = plan->devices[device].group;

	if (group == UIOMMU_PLAN_NONE)
		return;
	if (note->shares != UIOMMU_PLAN_NONE)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_ALIAS, device,
				note->shares, note->shared_rid);
	if (leak != UIOMMU_PCI_NONE)
		plan_say_leak(work, device, leak);
	if (mate != UIOMMU_PCI_NONE)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_MULTIFUNCTION, device,
				mate, UIOMMU_PLAN_NONE);
	if (note->shares != UIOMMU_PLAN_NONE || leak != UIOMMU_PCI_NONE ||
	    mate != UIOMMU_PCI_NONE)
		return;
	/* No relation of its own: alone, or the bridge the others are below. */
	if (plan->groups[group].member_count == 1)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_ALONE, device,
				UIOMMU_PLAN_NONE, UIOMMU_PLAN_NONE);
	else
		plan_say_leak(work, device, device);
}
