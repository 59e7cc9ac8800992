// SPDX-License-Identifier: MIT
/*
 * A plan for a machine that runs: what is in force stays, as far as it must.
 *
 * The hardware translates a device where it was set up, whoever comes or goes:
 * its unit stays, or that it has none (plan_unit.c has the decision).
 *
 * Groups neither merge nor split while they are in use. A set is what the
 * relations join (plan_group.c; by Linux's rules what would be one group). Of
 * the groups in force that have members in a set one may take in those of the
 * set that are new; the set elects it:
 *
 * - the only one that has members which are not barred;
 * - if there are several of these, none: whoever is new would merge them;
 * - if there is none of these, the one with the lowest device.
 *
 * What is new in a set that elects none, or barred in a group that its set does
 * not elect, is set apart: it is refused all DMA and has no say. All that needs
 * sets alone, so the order in which anything is met does not matter.
 *
 * A group that has a type in force keeps it, and members that are new are held
 * against it. docs/rules.md has the rules.
 */
#include "base/sort.h"
#include "plan/plan.h"

static bool plan_same_sid(struct uiommu_sid a, struct uiommu_sid b)
{
	return a.segment == b.segment && a.rid == b.rid;
}

static bool plan_sid_less(struct uiommu_sid a, struct uiommu_sid b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment;
	return a.rid < b.rid;
}

/* Devices that only ACPI knows by their record, the others by their id. */
static bool plan_held_less(const struct plan_held *a, const struct plan_held *b)
{
	if (a->andd != b->andd)
		return a->andd < b->andd;
	return a->andd == UIOMMU_PLAN_NONE && plan_sid_less(a->sid, b->sid);
}

static bool plan_by_device(const void *a, const void *b)
{
	return plan_held_less(a, b);
}

static bool plan_by_number(const void *a, const void *b)
{
	const struct plan_held *one = a;
	const struct plan_held *two = b;

	if (one->number != two->number)
		return one->number < two->number;
	return plan_held_less(one, two);
}

/* One entry for each device. */
static bool plan_hold_once(struct plan_work *work)
{
	struct plan_held *held = work->held;
	uint32_t i;

	uiommu_sort(held, work->held_count, sizeof(*held), plan_by_device);
	for (i = 1; i < work->held_count; i++) {
		if (!plan_held_less(&held[i - 1], &held[i]))
			return false;
	}
	return true;
}

bool uiommu_plan_hold(struct plan_work *work)
{
	const struct uiommu_plan_live *live = work->input->live;
	struct plan_held *held = work->held;
	uint32_t first = 0;
	uint32_t i;

	work->held_count = work->input->live_count;
	for (i = 0; i < work->held_count; i++)
		held[i] = (struct plan_held){ .sid = live[i].sid,
					      .andd = live[i].andd,
					      .unit = live[i].unit,
					      .number = live[i].group,
					      .type = live[i].type,
					      .owned = live[i].owned,
					      .barred = live[i].barred,
					      .index = UIOMMU_PLAN_NONE };
	if (!plan_hold_once(work))
		return false;
	uiommu_sort(held, work->held_count, sizeof(*held), plan_by_number);
	for (i = 0; i < work->held_count; i++) {
		if (held[i].number != held[first].number)
			first = i;
		if (held[i].type != held[first].type)
			return false;
		held[first].owned = held[first].owned || held[i].owned;
	}
	return true;
}

/* Index of the first user of @sid that is @device or a later one. */
static uint32_t plan_user_of(const struct plan_work *work,
			     struct uiommu_sid sid, uint32_t device)
{
	uint32_t low = 0, high = work->plan.alias_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct plan_alias *user = &work->users[middle];

		if (plan_sid_less(user->sid, sid) ||
		    (plan_same_sid(user->sid, sid) && user->device < device))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t uiommu_plan_find(const struct plan_work *work, struct uiommu_sid sid)
{
	uint32_t i = uiommu_topology_find(work->topology, sid);

	if (i != UIOMMU_PCI_NONE)
		return i;
	/* What has no function asks as nobody else. */
	i = plan_user_of(work, sid, work->function_count);
	if (i == work->plan.alias_count ||
	    !plan_same_sid(work->users[i].sid, sid))
		return UIOMMU_PLAN_NONE;
	return work->users[i].device;
}

/* The device that record @andd declares; or NONE. */
static uint32_t plan_declared(const struct plan_work *work, uint32_t andd)
{
	uint32_t low = work->function_count, high = work->plan.device_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (work->plan.devices[middle].andd < andd)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == work->plan.device_count ||
	    work->plan.devices[low].andd != andd)
		return UIOMMU_PLAN_NONE;
	return low;
}

void uiommu_plan_note_held(struct plan_work *work)
{
	struct plan_held *held = work->held;
	uint32_t first = 0;
	uint32_t i, k;

	for (i = 0; i < work->held_count; i++) {
		if (held[i].number != held[first].number)
			first = i;
		if (held[i].andd != UIOMMU_PLAN_NONE)
			k = plan_declared(work, held[i].andd);
		else
			k = uiommu_topology_find(work->topology, held[i].sid);
		if (k == UIOMMU_PLAN_NONE)
			continue;
		uiommu_plan_hold_unit(work, k, held[i].unit);
		if (held[i].unit == UIOMMU_PLAN_NONE)
			continue;
		work->notes[k].held = first;
		work->notes[k].fresh = held[i].barred;
		if (!held[i].barred)
			held[first].real = true;
	}
	/* Who is new goes by what is held. */
	if (work->held_count != 0 && !work->plan.off)
		uiommu_plan_units(work);
}

/* The group in force that takes in what is new in the set; or NONE. */
static uint32_t plan_elected(const struct plan_work *work, uint32_t root)
{
	const struct plan_note *set = &work->notes[root];

	if (set->other_real != UIOMMU_PLAN_NONE)
		return UIOMMU_PLAN_NONE;
	if (set->real != UIOMMU_PLAN_NONE)
		return work->notes[set->real].held;
	if (set->hollow != UIOMMU_PLAN_NONE)
		return work->notes[set->hollow].held;
	return UIOMMU_PLAN_NONE;
}

static void plan_note_set(struct plan_work *work, uint32_t device)
{
	uint32_t held = work->notes[device].held;
	struct plan_note *set = &work->notes[uiommu_plan_set(work, device)];

	if (!work->held[held].real) {
		if (set->hollow == UIOMMU_PLAN_NONE)
			set->hollow = device;
	} else if (set->real == UIOMMU_PLAN_NONE) {
		set->real = device;
	} else if (set->other_real == UIOMMU_PLAN_NONE &&
		   work->notes[set->real].held != held) {
		set->other_real = device;
	}
}

void uiommu_plan_settle(struct plan_work *work)
{
	const struct uiommu_plan *plan = &work->plan;
	uint32_t i, root;

	for (i = 0; i < plan->device_count; i++) {
		if (work->notes[i].held != UIOMMU_PLAN_NONE)
			plan_note_set(work, i);
	}
	for (i = 0; i < plan->device_count; i++) {
		struct plan_note *note = &work->notes[i];

		if (plan->devices[i].unit == UIOMMU_PLAN_NONE || !note->fresh)
			continue;
		root = uiommu_plan_set(work, i);
		if (note->held == UIOMMU_PLAN_NONE)
			note->set_apart = work->notes[root].other_real !=
					  UIOMMU_PLAN_NONE;
		else
			note->set_apart = plan_elected(work, root) !=
					  note->held;
	}
}

/* The group in force that the device is in, or comes to; or NONE. */
static uint32_t plan_number_of(struct plan_work *work, uint32_t device)
{
	if (work->notes[device].held != UIOMMU_PLAN_NONE)
		return work->notes[device].held;
	return plan_elected(work, uiommu_plan_set(work, device));
}

uint32_t *uiommu_plan_place(struct plan_work *work, uint32_t device)
{
	uint32_t held = plan_number_of(work, device);

	if (held != UIOMMU_PLAN_NONE)
		return &work->held[held].index;
	if (work->notes[device].set_apart)
		return &work->notes[device].group;
	return &work->notes[uiommu_plan_set(work, device)].group;
}

/* Notes with the group what is in force for it. */
static void plan_note_group(struct plan_work *work, uint32_t index)
{
	const struct uiommu_plan_group *group = &work->plan.groups[index];
	const uint32_t *members = &work->plan.members[group->member_first];
	struct plan_note *note = &work->notes[index];
	uint32_t lowest = uiommu_plan_set(work, members[0]);
	uint32_t i;

	note->number = plan_number_of(work, members[0]);
	for (i = 0; i < group->member_count; i++) {
		if (note->elder == UIOMMU_PLAN_NONE &&
		    !work->notes[members[i]].fresh)
			note->elder = members[i];
		if (note->stray == UIOMMU_PLAN_NONE &&
		    uiommu_plan_set(work, members[i]) != lowest)
			note->stray = members[i];
	}
}

void uiommu_plan_number(struct plan_work *work)
{
	const struct plan_held *held = work->held;
	uint32_t next = 0, at = 0;
	uint32_t i;

	for (i = 0; i < work->plan.group_count; i++) {
		struct uiommu_plan_group *group = &work->plan.groups[i];

		plan_note_group(work, i);
		if (work->notes[i].number != UIOMMU_PLAN_NONE) {
			group->id = held[work->notes[i].number].number;
			continue;
		}
		/* The lowest that no group of the plan has. */
		for (; at < work->held_count && held[at].number <= next; at++) {
			if (held[at].index != UIOMMU_PLAN_NONE &&
			    held[at].number == next)
				next++;
		}
		group->id = next++;
	}
}

bool uiommu_plan_is_held(const struct plan_work *work, uint32_t group)
{
	const struct plan_note *note = &work->notes[group];

	return note->number != UIOMMU_PLAN_NONE &&
	       note->elder != UIOMMU_PLAN_NONE &&
	       work->held[note->number].type != UIOMMU_DOMAIN_NONE;
}

bool uiommu_plan_counts(const struct plan_work *work, uint32_t device)
{
	const struct plan_note *note = &work->notes[device];
	uint32_t group = work->plan.devices[device].group;

	return !note->set_apart &&
	       !(note->fresh && uiommu_plan_is_held(work, group));
}

/* Came it to a group that a user has? */
static bool plan_is_owned(const struct plan_work *work, uint32_t device)
{
	uint32_t group = work->plan.devices[device].group;
	uint32_t number = work->notes[group].number;

	return work->notes[device].fresh && number != UIOMMU_PLAN_NONE &&
	       work->held[number].owned;
}

uint32_t uiommu_plan_newcomer(const struct plan_work *work, uint32_t index)
{
	const struct uiommu_plan_group *group = &work->plan.groups[index];
	uint32_t i;

	for (i = 0; i < group->member_count; i++) {
		uint32_t member = work->plan.members[group->member_first + i];

		if (!work->notes[member].set_apart &&
		    !plan_is_owned(work, member) &&
		    uiommu_plan_untrusted(work->topology, work->input->rules,
					  member))
			return member;
	}
	return UIOMMU_PLAN_NONE;
}

void uiommu_plan_bar(struct plan_work *work)
{
	uint32_t i;

	for (i = 0; i < work->plan.device_count; i++) {
		struct uiommu_plan_device *device = &work->plan.devices[i];
		enum uiommu_domain_type type;

		if (device->group == UIOMMU_PLAN_NONE)
			continue;
		type = uiommu_plan_kind(work->plan.groups[device->group].type);
		device->barred = work->notes[i].set_apart ||
				 plan_is_owned(work, i) ||
				 (work->notes[i].fresh &&
				  uiommu_plan_is_held(work, device->group) &&
				  device->required != UIOMMU_DOMAIN_NONE &&
				  device->required != type);
	}
}

/* The lowest member but @device that nothing relates to it; or NONE. */
static uint32_t plan_kept_with(struct plan_work *work, uint32_t device)
{
	uint32_t group = work->plan.devices[device].group;
	uint32_t lowest =
		work->plan.members[work->plan.groups[group].member_first];

	if (uiommu_plan_set(work, device) != uiommu_plan_set(work, lowest))
		return lowest;
	return work->notes[group].stray;
}

uint32_t uiommu_plan_say_held(struct plan_work *work, uint32_t device)
{
	const struct plan_note *set =
		&work->notes[uiommu_plan_set(work, device)];
	uint32_t other = plan_kept_with(work, device);
	uint32_t said = 0;

	if (other != UIOMMU_PLAN_NONE) {
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_KEPT, device, other,
				UIOMMU_PLAN_NONE);
		said++;
	}
	if (work->notes[device].set_apart) {
		other = set->real != UIOMMU_PLAN_NONE ? set->real : set->hollow;
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_APART, device, other,
				set->other_real);
		said++;
	}
	return said;
}

bool uiommu_plan_say_barred(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan_device *decided = &work->plan.devices[device];
	const struct uiommu_plan_group *group =
		&work->plan.groups[decided->group];
	const uint32_t *members = &work->plan.members[group->member_first];
	uint32_t elder = work->notes[decided->group].elder;

	if (!decided->barred)
		return false;
	if (elder == UIOMMU_PLAN_NONE && group->member_count != 1)
		elder = members[members[0] == device];
	if (work->notes[device].set_apart)
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_BARRED_APART, device,
				UIOMMU_PLAN_NONE, UIOMMU_DOMAIN_BLOCKED);
	else if (plan_is_owned(work, device))
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_BARRED_OWNED, device,
				elder, (uint32_t)group->type);
	else
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_BARRED, device, elder,
				(uint32_t)decided->required);
	return true;
}

void uiommu_plan_live(const struct uiommu_plan *plan,
		      const struct uiommu_topology *topology,
		      struct uiommu_plan_live *live, uint32_t *count)
{
	uint32_t i;

	*count = plan->device_count;
	for (i = 0; i < plan->device_count; i++) {
		const struct uiommu_plan_device *device = &plan->devices[i];

		live[i] = (struct uiommu_plan_live){ .sid = uiommu_plan_sid(
							     plan, topology, i),
						     .andd = device->andd,
						     .unit = device->unit,
						     .off = plan->off,
						     .group = UIOMMU_PLAN_NONE,
						     .barred = device->barred };
		if (device->group == UIOMMU_PLAN_NONE)
			continue;
		live[i].group = plan->groups[device->group].id;
		live[i].type = plan->groups[device->group].type;
	}
}
