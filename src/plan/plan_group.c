// SPDX-License-Identifier: MIT
/*
 * Which devices cannot be told apart or kept apart.
 *
 * Four relations join two devices; groups are their closure, kept as a forest
 * whose roots are the lowest device of each set, so that no order in which
 * devices or relations are met can matter:
 *
 * - both may ask under one requester id;
 * - one is the bridge above the other, and something from that bridge up to
 *   the root does not isolate;
 * - both are functions of one slot, or below one, and a function of the slot
 *   does not isolate: it lets requests go round to all of them;
 * - both are below the bridge of a bus one of whose downstream ports does not
 *   isolate: likewise.
 *
 * What is in force already has its say in plan_live.c.
 *
 * By Linux's rules plan_linux.c decides instead; the closure then tells what
 * Linux keeps apart though one could reach the other.
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

static uint32_t plan_leak_above(const struct plan_work *work, uint32_t device)
{
	uint32_t above;

	if (device >= work->function_count)
		return UIOMMU_PCI_NONE;
	above = uiommu_plan_above(work->topology, device);
	if (above == UIOMMU_PCI_NONE)
		return UIOMMU_PCI_NONE;
	return work->input->rules == UIOMMU_RULES_LINUX
		       ? work->notes[above].linux_leak
		       : work->notes[above].leak;
}

static bool plan_keeps_apart(const struct plan_work *work, uint32_t function)
{
	return work->input->rules == UIOMMU_RULES_LINUX
		       ? work->notes[function].linux_apart
		       : work->notes[function].apart;
}

/* Lowest other function of the slot that does not isolate; or NONE. */
static uint32_t plan_slot_mate(const struct plan_work *work, uint32_t device)
{
	const struct uiommu_topology *topology = work->topology;
	const struct uiommu_pci_function *functions = topology->functions;
	uint32_t i;

	if (device >= work->function_count ||
	    !functions[device].multifunction || plan_keeps_apart(work, device))
		return UIOMMU_PCI_NONE;
	for (i = uiommu_plan_slot_first(topology, device);
	     i < topology->count &&
	     uiommu_plan_same_slot(&functions[i], &functions[device]);
	     i++) {
		if (i != device && !plan_keeps_apart(work, i))
			return i;
	}
	return UIOMMU_PCI_NONE;
}

/* Joins @device to all whose requests may go round to it. */
static void plan_join_reach(struct plan_work *work, uint32_t device)
{
	const struct uiommu_topology *topology = work->topology;
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t i = device;
	uint32_t open;

	for (; i != UIOMMU_PCI_NONE && left != 0; left--) {
		open = work->notes[uiommu_plan_slot_first(topology, i)]
			       .open_slot;
		if (open != UIOMMU_PLAN_NONE)
			plan_join(work, device, open);
		i = uiommu_plan_above(topology, i);
		if (i != UIOMMU_PCI_NONE &&
		    work->notes[i].open_below != UIOMMU_PLAN_NONE)
			plan_join(work, device, work->notes[i].open_below);
	}
}

static void plan_join_neighbours(struct plan_work *work)
{
	uint32_t i, above;

	for (i = 0; i < work->function_count; i++) {
		above = uiommu_plan_above(work->topology, i);
		if (above != UIOMMU_PCI_NONE &&
		    work->notes[above].leak != UIOMMU_PLAN_NONE)
			plan_join(work, i, above);
		plan_join_reach(work, i);
	}
}

/* Notes with each set two members that Linux keeps apart, if it does. */
static void plan_note_twins(struct plan_work *work)
{
	struct plan_note *notes = work->notes;
	struct plan_note *set;
	uint32_t i;

	for (i = 0; i < work->plan.device_count; i++) {
		if (notes[i].twin == UIOMMU_PLAN_NONE)
			continue;
		set = &notes[plan_set_of(notes, i)];
		if (set->first_twin == UIOMMU_PLAN_NONE)
			set->first_twin = i;
		else if (set->other_twin == UIOMMU_PLAN_NONE &&
			 notes[i].twin != notes[set->first_twin].twin)
			set->other_twin = i;
	}
}

uint32_t uiommu_plan_set(struct plan_work *work, uint32_t device)
{
	if (work->input->rules == UIOMMU_RULES_LINUX)
		return work->notes[device].twin;
	return plan_set_of(work->notes, device);
}

static void plan_place_devices(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	struct uiommu_plan_device *device;
	uint32_t *place;
	uint32_t i;

	for (i = 0; i < plan->device_count; i++) {
		device = &plan->devices[i];
		if (device->unit == UIOMMU_PLAN_NONE)
			continue;
		place = uiommu_plan_place(work, i);
		if (*place == UIOMMU_PLAN_NONE)
			*place = plan->group_count++;
		device->group = *place;
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
	uiommu_plan_linux(work);
	plan_note_twins(work);
	uiommu_plan_settle(work);
	plan_place_devices(work);
	plan_list_members(&work->plan);
	uiommu_plan_number(work);
}

void uiommu_plan_say_group(struct plan_work *work, uint32_t device)
{
	const struct plan_note *note = &work->notes[device];
	uint32_t mate = plan_slot_mate(work, device);
	uint32_t said = 0;

	if (work->plan.devices[device].group == UIOMMU_PLAN_NONE)
		return;
	if (note->shares != UIOMMU_PLAN_NONE) {
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_ALIAS, device,
				note->shares, note->shared_rid);
		said++;
	}
	said += uiommu_plan_say_leak(work, device,
				     plan_leak_above(work, device));
	if (mate != UIOMMU_PCI_NONE) {
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_MULTIFUNCTION, device,
				mate, uiommu_plan_lack(work, device));
		said++;
	}
	said += uiommu_plan_say_reach(work, device, mate != UIOMMU_PCI_NONE);
	said += uiommu_plan_say_held(work, device);
	if (said == 0)
		uiommu_plan_say_rest(work, device);
	uiommu_plan_say_model(work, device);
	uiommu_plan_say_linux(work, device);
}
