// SPDX-License-Identifier: MIT
/*
 * Devices that only the ACPI namespace knows.
 *
 * Specification: "Intel Virtualization Technology for Directed I/O", "ACPI
 * Name-space Device Declaration Structure".
 *
 * A scope of a unit gives such a device the requester id of its path; without
 * one it has no unit and no requests that one could see, so it is no device
 * of the plan. Nothing is known of what it could reach but by its id.
 */
#include "plan/plan.h"

/* The scope of a unit that names the device of @andd; or NONE. */
static uint32_t plan_namespace_scope(const struct uiommu_dmar *dmar,
				     const struct uiommu_dmar_record *andd)
{
	uint8_t device, function;
	uint32_t i;

	if (andd->type != UIOMMU_DMAR_ANDD || !andd->usable)
		return UIOMMU_PLAN_NONE;
	for (i = 0; i < dmar->scope_count; i++) {
		const struct uiommu_dmar_scope *scope = &dmar->scopes[i];

		if (scope->usable && scope->type == UIOMMU_SCOPE_NAMESPACE &&
		    scope->enumeration_id == andd->device_number &&
		    scope->record < dmar->record_count &&
		    dmar->records[scope->record].type == UIOMMU_DMAR_DRHD &&
		    uiommu_dmar_path(dmar, scope, 0, &device, &function) ==
			    UIOMMU_OK)
			return i;
	}
	return UIOMMU_PLAN_NONE;
}

uint32_t uiommu_plan_count_namespace(const struct plan_work *work)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		if (plan_namespace_scope(dmar, &dmar->records[i]) !=
		    UIOMMU_PLAN_NONE)
			count++;
	}
	return count;
}

uint32_t uiommu_plan_namespace_named(const struct plan_work *work,
				     const struct uiommu_dmar_scope *scope)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t at = work->function_count;
	uint32_t i;

	if (!scope->usable || scope->type != UIOMMU_SCOPE_NAMESPACE)
		return UIOMMU_PLAN_NONE;
	for (i = 0; i < dmar->record_count; i++) {
		if (plan_namespace_scope(dmar, &dmar->records[i]) ==
		    UIOMMU_PLAN_NONE)
			continue;
		if (dmar->records[i].device_number == scope->enumeration_id)
			return at;
		at++;
	}
	return UIOMMU_PLAN_NONE;
}

/* The unit of record @unit for @device, which record @andd declares. */
static void plan_namespace_unit(struct plan_work *work, uint32_t device,
				uint32_t unit, uint32_t andd)
{
	struct uiommu_reason *reason = &work->notes[device].unit_reason;

	if (work->plan.off)
		return; /* the reason says so already */
	*reason = (struct uiommu_reason){ UIOMMU_RULE_UNIT_NONE, device, unit,
					  UIOMMU_PLAN_NONE };
	if (!uiommu_plan_has_unit(work, unit))
		return;
	work->plan.devices[device].unit = unit;
	reason->rule = UIOMMU_RULE_UNIT_NAMESPACE;
	reason->detail = andd;
}

void uiommu_plan_namespace(struct plan_work *work)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t at = work->function_count;
	uint32_t i, scope;

	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		scope = plan_namespace_scope(dmar, &dmar->records[i]);
		if (scope == UIOMMU_PLAN_NONE)
			continue;
		work->plan.devices[at].function = UIOMMU_PCI_NONE;
		work->plan.devices[at].andd = i;
		plan_namespace_unit(work, at, dmar->scopes[scope].record, i);
		at++;
	}
}

struct uiommu_sid uiommu_plan_namespace_sid(const struct plan_work *work,
					    uint32_t device)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t i = plan_namespace_scope(
		dmar, &dmar->records[work->plan.devices[device].andd]);
	const struct uiommu_dmar_scope *scope = &dmar->scopes[i];
	struct uiommu_sid sid = { dmar->records[scope->record].segment, 0 };
	uint8_t slot = 0, function = 0;

	if (uiommu_dmar_path(dmar, scope, 0, &slot, &function) == UIOMMU_OK)
		sid.rid = (uint16_t)((uint32_t)scope->start_bus << 8 |
				     (slot & 31u) << 3 | (function & 7u));
	return sid;
}

struct uiommu_sid uiommu_plan_sid(const struct uiommu_plan *plan,
				  const struct uiommu_topology *topology,
				  uint32_t device)
{
	if (device < topology->count)
		return topology->functions[device].sid;
	return plan->aliases[plan->devices[device].alias_first];
}

unsigned int uiommu_plan_domain(const struct uiommu_plan *plan,
				const struct uiommu_topology *topology,
				uint32_t device)
{
	if (device < topology->count)
		return topology->functions[device].domain;
	return uiommu_plan_sid(plan, topology, device).segment;
}
