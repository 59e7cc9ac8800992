// SPDX-License-Identifier: MIT
/*
 * Which unit translates a device.
 *
 * Specification: "Intel Virtualization Technology for Directed I/O", "DMA
 * Remapping Hardware Unit Definition Structure".
 *
 * What names the device itself goes before what names a bridge above it, a
 * nearer bridge before a farther one, a present unit before an absent one,
 * and the earlier record before the later. A device that only an absent unit
 * names has no unit: the one that takes all the rest never sees its requests,
 * and addresses that unit gave out would hit memory untranslated.
 *
 * A virtual function has the unit of its physical function, and what asks as
 * another has the unit of that one. A unit for displays alone counts as absent
 * where an option or the machine's model leaves it off.
 *
 * A bridge that firmware lists as an endpoint is taken for what it is.
 *
 * While the machine runs what is in force stays: first all are decided as if
 * nothing were, then those told of are held, and then the others are decided
 * once more, as some follow those and a unit in force is in use.
 */
#include "plan/plan.h"

#define PLAN_CLASS_DISPLAY 0x03

bool uiommu_plan_has_unit(const struct plan_work *work, uint32_t record)
{
	const struct uiommu_dmar *dmar = work->input->dmar;

	return dmar != NULL && dmar->records[record].usable &&
	       work->input->units[record].present;
}

bool uiommu_plan_is_for_displays(const struct plan_work *work, uint32_t index)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	const struct uiommu_dmar_record *record = &dmar->records[index];
	uint32_t i, function, displays = 0;

	if (record->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL)
		return false;
	for (i = 0; i < record->scope_count; i++) {
		const struct uiommu_dmar_scope *scope =
			&dmar->scopes[record->scope_first + i];

		if (scope->usable && scope->type == UIOMMU_SCOPE_NAMESPACE)
			return false;
		function = uiommu_plan_named(work, record, scope);
		if (function == UIOMMU_PCI_NONE)
			continue;
		/* From outside anything may call itself a display. */
		if (work->topology->functions[function].class_code >> 16 !=
			    PLAN_CLASS_DISPLAY ||
		    uiommu_plan_untrusted(work->topology, work->input->rules,
					  function))
			return false;
		displays++;
	}
	return displays != 0;
}

/* Is it that of a device in force? */
static bool plan_is_on(const struct plan_work *work, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < work->plan.device_count; i++) {
		if (work->notes[i].told && work->plan.devices[i].unit == index)
			return true;
	}
	return false;
}

static bool plan_is_used(const struct plan_work *work, uint32_t index)
{
	if (!uiommu_plan_has_unit(work, index))
		return false;
	return !work->graphics_off ||
	       !uiommu_plan_is_for_displays(work, index) ||
	       plan_is_on(work, index);
}

/* Notes with each function the first record that names it. */
static void plan_note_record(struct plan_work *work, uint32_t index)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	const struct uiommu_dmar_record *record = &dmar->records[index];
	bool present = plan_is_used(work, index);
	uint32_t i, function;
	uint32_t *noted;

	for (i = 0; i < record->scope_count; i++) {
		function = uiommu_plan_named(
			work, record, &dmar->scopes[record->scope_first + i]);
		if (function == UIOMMU_PCI_NONE)
			continue;
		noted = present ? &work->notes[function].unit
				: &work->notes[function].absent;
		if (*noted == UIOMMU_PLAN_NONE)
			*noted = index;
	}
}

/* The record whose unit takes what no other one names; or NONE. */
static uint32_t plan_rest(const struct plan_work *work, uint16_t segment)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t absent = UIOMMU_PLAN_NONE;
	uint32_t i;

	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *record = &dmar->records[i];

		if (record->type != UIOMMU_DMAR_DRHD ||
		    record->segment != segment ||
		    !(record->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL))
			continue;
		if (uiommu_plan_has_unit(work, i))
			return i;
		if (absent == UIOMMU_PLAN_NONE)
			absent = i;
	}
	return absent;
}

static struct uiommu_reason plan_unit_of(const struct plan_work *work,
					 uint32_t device, uint32_t rest)
{
	struct uiommu_reason reason = { UIOMMU_RULE_UNIT_NONE, device,
					UIOMMU_PLAN_NONE, UIOMMU_PLAN_NONE };
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t i;

	for (i = device; i != UIOMMU_PCI_NONE && left != 0; left--) {
		reason.other = work->notes[i].unit;
		if (reason.other != UIOMMU_PLAN_NONE) {
			reason.rule = i == device
					      ? UIOMMU_RULE_UNIT_SCOPE
					      : UIOMMU_RULE_UNIT_BRIDGE_SCOPE;
			reason.detail = i;
			return reason;
		}
		reason.other = work->notes[i].absent;
		if (reason.other != UIOMMU_PLAN_NONE) {
			/* A unit that is there and yet not used. */
			if (!uiommu_plan_has_unit(work, reason.other))
				return reason;
			reason.rule = UIOMMU_RULE_UNIT_GRAPHICS_OFF;
			reason.detail = work->graphics_by;
			return reason;
		}
		i = uiommu_plan_above(work->topology, i);
	}
	reason.other = rest;
	if (rest != UIOMMU_PLAN_NONE && uiommu_plan_has_unit(work, rest))
		reason.rule = UIOMMU_RULE_UNIT_INCLUDE_ALL;
	return reason;
}

static bool plan_is_none(enum uiommu_rule rule)
{
	return rule == UIOMMU_RULE_UNIT_NONE ||
	       rule == UIOMMU_RULE_UNIT_GRAPHICS_OFF;
}

static void plan_set_unit(struct plan_work *work, uint32_t device,
			  const struct uiommu_reason *reason)
{
	work->notes[device].unit_reason = *reason;
	work->plan.devices[device].unit = UIOMMU_PLAN_NONE;
	if (!plan_is_none(reason->rule))
		work->plan.devices[device].unit = reason->other;
}

/* Gives @device the unit of @like. */
static void plan_copy_unit(struct plan_work *work, uint32_t device,
			   uint32_t like, enum uiommu_rule rule)
{
	struct uiommu_reason reason = work->notes[like].unit_reason;
	uint32_t unit = work->plan.devices[like].unit;

	reason.device = device;
	if (unit != UIOMMU_PLAN_NONE)
		reason = (struct uiommu_reason){ rule, device, unit, like };
	else if (reason.rule == UIOMMU_RULE_UNIT_HELD)
		reason = (struct uiommu_reason){ UIOMMU_RULE_UNIT_NONE, device,
						 UIOMMU_PLAN_NONE,
						 UIOMMU_PLAN_NONE };
	plan_set_unit(work, device, &reason);
}

static void plan_own_units(struct plan_work *work)
{
	const struct uiommu_pci_function *functions = work->topology->functions;
	uint32_t rest = UIOMMU_PLAN_NONE;
	struct uiommu_reason reason;
	uint32_t i;

	for (i = 0; i < work->function_count; i++) {
		/* Functions come segment by segment. */
		if (i == 0 ||
		    functions[i].sid.segment != functions[i - 1].sid.segment)
			rest = plan_rest(work, functions[i].sid.segment);
		if (work->notes[i].told)
			continue;
		reason = plan_unit_of(
			work, i,
			functions[i].domain > 0xffff ? UIOMMU_PLAN_NONE : rest);
		plan_set_unit(work, i, &reason);
	}
}

/* Who has the unit of another gets it. */
static void plan_follow(struct plan_work *work)
{
	const struct uiommu_topology *topology = work->topology;
	const struct uiommu_pci_function *functions = topology->functions;
	uint32_t i, like;

	for (i = 0; i < work->function_count; i++) {
		if (!functions[i].virtual_function || work->notes[i].told)
			continue;
		like = uiommu_topology_find(topology, functions[i].physical);
		if (like != UIOMMU_PCI_NONE &&
		    !functions[like].virtual_function)
			plan_copy_unit(work, i, like,
				       UIOMMU_RULE_UNIT_PHYSICAL);
	}
	for (i = 0; i < work->function_count; i++) {
		if (work->notes[i].told)
			continue;
		like = uiommu_plan_asker(topology, i);
		if (like != i && !functions[like].has_requester)
			plan_copy_unit(work, i, like,
				       UIOMMU_RULE_UNIT_REQUESTER);
	}
}

void uiommu_plan_units(struct plan_work *work)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t i;

	for (i = 0; i < work->function_count; i++) {
		work->notes[i].unit = UIOMMU_PLAN_NONE;
		work->notes[i].absent = UIOMMU_PLAN_NONE;
	}
	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		if (dmar->records[i].type == UIOMMU_DMAR_DRHD)
			plan_note_record(work, i);
	}
	plan_own_units(work);
	plan_follow(work);
}

void uiommu_plan_hold_unit(struct plan_work *work, uint32_t device,
			   uint32_t unit)
{
	struct plan_note *note = &work->notes[device];
	uint32_t fresh = work->plan.devices[device].unit;

	note->told = true;
	if (fresh == unit)
		return;
	work->plan.devices[device].unit = unit;
	note->unit_reason = (struct uiommu_reason){ UIOMMU_RULE_UNIT_HELD,
						    device, fresh,
						    UIOMMU_PLAN_NONE };
}

void uiommu_plan_say_unit(struct plan_work *work, uint32_t device)
{
	const struct uiommu_reason *reason = &work->notes[device].unit_reason;

	uiommu_plan_say(work, reason->rule, device, reason->other,
			reason->detail);
}
