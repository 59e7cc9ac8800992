// SPDX-License-Identifier: MIT
/*
 * Groups as Linux makes them: one device after the other, each joining a group
 * that exists already or founding one. What a later device would have shown
 * does not change what an earlier one got, so the order matters.
 *
 * A device joins the group of the first of these that has one:
 *
 * - the function it asks as, then each bridge above that asks in its stead;
 * - from the last of those on, the bridges up to the first whose whole path to
 *   the root isolates;
 * - what shares ids with the last of all these on its bus, or is of its slot
 *   and does not isolate either, and so on from there.
 *
 * The order is that of units as Linux lists them (it puts each scoped unit
 * before those it read earlier, catch-all units last), then of buses; devices
 * that a driver brings forth come later, those of the namespace last.
 */
#include "base/sort.h"
#include "plan/plan.h"
#include "plan/plan_quirk.h"

static bool plan_turn_less(const void *a, const void *b)
{
	const struct plan_turn *one = a;
	const struct plan_turn *two = b;

	if (one->late != two->late)
		return one->late < two->late;
	if (one->rank != two->rank)
		return one->rank < two->rank;
	return one->device < two->device;
}

static void plan_order(struct plan_work *work)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t i;

	for (i = 0; i < work->plan.device_count; i++) {
		struct plan_turn *turn = &work->order[i];
		uint32_t unit = work->plan.devices[i].unit;

		turn->device = i;
		turn->late = 2;
		if (i < work->function_count)
			turn->late =
				work->topology->functions[i].virtual_function ||
				work->topology->functions[i].has_requester;
		if (turn->late != 0 || unit == UIOMMU_PLAN_NONE)
			continue;
		turn->rank = dmar->record_count - unit;
		if (dmar->records[unit].flags & UIOMMU_DRHD_INCLUDE_PCI_ALL)
			turn->rank = dmar->record_count + unit;
	}
	uiommu_sort(work->order, work->plan.device_count, sizeof(*work->order),
		    plan_turn_less);
}

/* Does either use the other's id? Both are of one bus. */
static bool plan_share(const struct plan_work *work, uint32_t a, uint32_t b)
{
	const struct uiommu_topology *topology = work->topology;
	const struct uiommu_pci_function *functions = topology->functions;

	return uiommu_plan_asks_as(&functions[a], work->notes[a].model,
				   functions[b].sid.rid & 0xff) ||
	       uiommu_plan_asks_as(&functions[b], work->notes[b].model,
				   functions[a].sid.rid & 0xff) ||
	       uiommu_plan_asker(topology, a) == b ||
	       uiommu_plan_asker(topology, b) == a;
}

/* The next function that a step leads to; or NONE. */
static uint32_t plan_step_on(const struct plan_work *work,
			     struct plan_step *step)
{
	const struct uiommu_topology *topology = work->topology;
	uint32_t end = uiommu_plan_bus_end(topology, step->function);

	while (step->next < end) {
		uint32_t i = step->next++;

		if (i == step->function)
			continue;
		if (!step->slot && plan_share(work, step->function, i))
			return i;
		if (step->slot &&
		    uiommu_plan_same_slot(&topology->functions[step->function],
					  &topology->functions[i]) &&
		    !work->notes[i].linux_apart)
			return i;
	}
	return UIOMMU_PLAN_NONE;
}

/* Begins a step; false if it leads nowhere. */
static bool plan_step_in(const struct plan_work *work, struct plan_step *step,
			 uint32_t *seen)
{
	uint32_t i = step->function;
	uint32_t devfn = work->topology->functions[i].sid.rid & 0xff;

	if (step->slot) {
		step->next = uiommu_plan_slot_first(work->topology, i);
		return work->topology->functions[i].multifunction &&
		       !work->notes[i].linux_apart;
	}
	if (seen[devfn / 32] & UIOMMU_BIT32(devfn % 32))
		return false;
	seen[devfn / 32] |= UIOMMU_BIT32(devfn % 32);
	step->next = uiommu_plan_bus_first(work->topology, i);
	return true;
}

static uint32_t plan_push(struct plan_work *work, uint32_t depth,
			  uint32_t function, bool slot)
{
	work->steps[depth] = (struct plan_step){ function, UIOMMU_PLAN_NONE,
						 slot };
	return depth + 1;
}

/* The group of what is related to @start on its bus; or NONE. */
static uint32_t plan_related(struct plan_work *work, uint32_t start)
{
	uint32_t seen[8] = { 0 };
	uint32_t depth, i;

	depth = plan_push(work, 0, start, true);
	depth = plan_push(work, depth, start, false);
	while (depth != 0) {
		struct plan_step *step = &work->steps[depth - 1];

		if (step->next == UIOMMU_PLAN_NONE) {
			if (!plan_step_in(work, step, seen)) {
				depth--;
				continue;
			}
			i = step->function;
			if (!step->slot &&
			    work->notes[i].twin != UIOMMU_PLAN_NONE)
				return work->notes[i].twin;
		}
		i = plan_step_on(work, step);
		if (i == UIOMMU_PLAN_NONE || depth + 2 > PLAN_MOST_STEPS) {
			depth--;
			continue;
		}
		if (!step->slot)
			depth = plan_push(work, depth, i, true);
		depth = plan_push(work, depth, i, false);
	}
	return UIOMMU_PLAN_NONE;
}

/* Does the bridge ask in the stead of what is below it? */
static bool plan_stands_in(const struct plan_work *work, uint32_t bridge)
{
	uint32_t model = work->notes[bridge].model;

	return uiommu_plan_hides(&work->topology->functions[bridge]) &&
	       (model == UIOMMU_PLAN_NONE ||
		uiommu_plan_models[model].asks != PLAN_ASKS_NOTHING);
}

static bool plan_is_translation_root(const struct plan_work *work,
				     uint32_t bridge)
{
	uint32_t model = work->notes[bridge].model;

	return model != UIOMMU_PLAN_NONE &&
	       uiommu_plan_models[model].asks == PLAN_ASKS_ROOT;
}

/* The device whose group @device joins; itself if it founds one. */
static uint32_t plan_twin_of(struct plan_work *work, uint32_t device)
{
	const struct uiommu_topology *topology = work->topology;
	uint32_t top = uiommu_plan_asker(topology, device);
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t i;

	if (work->notes[top].twin != UIOMMU_PLAN_NONE)
		return work->notes[top].twin;
	for (i = uiommu_plan_above(topology, top);
	     i != UIOMMU_PCI_NONE && left != 0 &&
	     !plan_is_translation_root(work, i);
	     i = uiommu_plan_above(topology, i), left--) {
		if (!plan_stands_in(work, i))
			continue;
		top = i;
		if (work->notes[top].twin != UIOMMU_PLAN_NONE)
			return work->notes[top].twin;
	}
	left = PLAN_MOST_BRIDGES;
	for (i = uiommu_plan_above(topology, top);
	     i != UIOMMU_PCI_NONE && left != 0 &&
	     work->notes[i].linux_leak != UIOMMU_PLAN_NONE;
	     i = uiommu_plan_above(topology, i), left--) {
		top = i;
		if (work->notes[top].twin != UIOMMU_PLAN_NONE)
			return work->notes[top].twin;
	}
	i = plan_related(work, top);
	return i == UIOMMU_PLAN_NONE ? device : i;
}

void uiommu_plan_linux(struct plan_work *work)
{
	uint32_t i;

	plan_order(work);
	for (i = 0; i < work->plan.device_count; i++) {
		uint32_t device = work->order[i].device;

		if (work->plan.devices[device].unit == UIOMMU_PLAN_NONE)
			continue;
		if (device >= work->function_count)
			work->notes[device].twin = device;
		else
			work->notes[device].twin = plan_twin_of(work, device);
	}
}
