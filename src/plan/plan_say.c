// SPDX-License-Identifier: MIT
/* Why a device is in its group. */
#include "plan/plan.h"
#include "plan/plan_quirk.h"

uint32_t uiommu_plan_say_leak(struct plan_work *work, uint32_t device,
			      uint32_t leak)
{
	const struct uiommu_pci_function *function;

	if (leak == UIOMMU_PCI_NONE)
		return 0;
	function = &work->topology->functions[leak];
	if (function->pcie_type == UIOMMU_PCIE_ROOT_PORT ||
	    function->pcie_type == UIOMMU_PCIE_UPSTREAM_PORT ||
	    function->pcie_type == UIOMMU_PCIE_DOWNSTREAM_PORT)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_NO_ACS, device, leak,
				uiommu_plan_lack(work, leak));
	else
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_BRIDGE, device, leak,
				UIOMMU_PLAN_NONE);
	return 1;
}

/*
 * What lets others' requests go round to @device, or @device itself if it does;
 * or NONE. @mate: it is said already that its slot is open.
 */
static uint32_t plan_reached_by(const struct plan_work *work, uint32_t device,
				bool mate)
{
	const struct uiommu_topology *topology = work->topology;
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t found = UIOMMU_PLAN_NONE;
	uint32_t i = device;
	uint32_t open;

	for (; i != UIOMMU_PCI_NONE && left != 0; left--) {
		open = work->notes[uiommu_plan_slot_first(topology, i)]
			       .open_slot;
		if (open != UIOMMU_PLAN_NONE && open != device &&
		    !(mate && i == device))
			return open;
		if (open == device)
			found = device;
		i = uiommu_plan_above(topology, i);
		open = i == UIOMMU_PCI_NONE ? UIOMMU_PLAN_NONE
					    : work->notes[i].open_below;
		if (open != UIOMMU_PLAN_NONE && open != device)
			return open;
		if (open == device)
			found = device;
	}
	return found;
}

uint32_t uiommu_plan_say_reach(struct plan_work *work, uint32_t device,
			       bool mate)
{
	uint32_t group = work->plan.devices[device].group;
	uint32_t other;

	if (device >= work->function_count ||
	    work->input->rules == UIOMMU_RULES_LINUX ||
	    work->plan.groups[group].member_count == 1)
		return 0;
	other = plan_reached_by(work, device, mate);
	if (other == UIOMMU_PLAN_NONE || (other == device && mate))
		return 0;
	uiommu_plan_say(work, UIOMMU_RULE_GROUP_REACH, device, other,
			uiommu_plan_lack(work, other));
	return 1;
}

/* What its model says, of itself and of what is above it. */
void uiommu_plan_say_model(struct plan_work *work, uint32_t device)
{
	uint32_t model, left = PLAN_MOST_BRIDGES;
	uint32_t i = device;

	if (device >= work->function_count)
		return;
	model = work->notes[device].model;
	if (model != UIOMMU_PLAN_NONE)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_MODEL_ALIAS, device,
				UIOMMU_PLAN_NONE, model);
	for (; i != UIOMMU_PCI_NONE && left != 0; left--) {
		if (work->notes[i].claim != UIOMMU_PLAN_NONE) {
			uiommu_plan_say(work, UIOMMU_RULE_GROUP_CLAIM, device,
					i, work->notes[i].claim);
			return;
		}
		i = uiommu_plan_above(work->topology, i);
	}
}

/* Somebody it could reach, or that could reach it, says Linux is elsewhere. */
void uiommu_plan_say_linux(struct plan_work *work, uint32_t device)
{
	const struct plan_note *notes = work->notes;
	const struct plan_note *set;
	uint32_t root = device;
	uint32_t other;

	while (notes[root].set != root)
		root = notes[root].set;
	set = &notes[root];
	if (set->other_twin == UIOMMU_PLAN_NONE)
		return;
	other = set->first_twin;
	if (notes[other].twin == notes[device].twin)
		other = set->other_twin;
	uiommu_plan_say(work, UIOMMU_RULE_GROUP_LINUX, device, other,
			UIOMMU_PLAN_NONE);
}

/* No relation of its own: alone, or what the others relate to. */
void uiommu_plan_say_rest(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan *plan = &work->plan;
	const struct uiommu_plan_group *group =
		&plan->groups[plan->devices[device].group];
	const uint32_t *members = &plan->members[group->member_first];

	if (group->member_count == 1)
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_ALONE, device,
				UIOMMU_PLAN_NONE, UIOMMU_PLAN_NONE);
	else if (device < work->function_count &&
		 work->topology->functions[device].header_type != 0 &&
		 !work->notes[device].apart)
		uiommu_plan_say_leak(work, device, device);
	else
		uiommu_plan_say(work, UIOMMU_RULE_GROUP_JOINED, device,
				members[members[0] == device],
				UIOMMU_PLAN_NONE);
}
