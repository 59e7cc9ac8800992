// SPDX-License-Identifier: MIT
/*
 * The functions that firmware's device scopes name.
 *
 * Specification: "Intel Virtualization Technology for Directed I/O", "Device
 * Scope Structure". Bus numbers on the way are those that the bridges have
 * now, not those of firmware's time.
 */
#include "base/sort.h"
#include "plan/plan.h"

static uint32_t plan_hop(const struct plan_work *work,
			 const struct uiommu_dmar_scope *scope,
			 unsigned int hop, struct uiommu_sid sid, uint32_t bus)
{
	uint8_t device, function;

	if (uiommu_dmar_path(work->input->dmar, scope, hop, &device,
			     &function) ||
	    device > 31 || function > 7)
		return UIOMMU_PCI_NONE;
	sid.rid = (uint16_t)(bus << 8 | (uint32_t)device << 3 | function);
	return uiommu_topology_find(work->topology, sid);
}

/* Firmware's numbers of segments have 16 bits; the system may have more. */
static bool plan_is_unnamed(const struct plan_work *work, uint32_t function)
{
	return work->topology->functions[function].domain > 0xffff;
}

/*
 * A path of several hops that does not begin on a root bus: firmware means
 * something, but Linux finds nothing there. One of a single hop is believed.
 */
static bool plan_is_astray(const struct plan_work *work,
			   const struct uiommu_dmar_scope *scope,
			   uint32_t function)
{
	return work->input->rules == UIOMMU_RULES_LINUX &&
	       scope->path_count > 1 &&
	       uiommu_plan_above(work->topology, function) != UIOMMU_PCI_NONE;
}

uint32_t uiommu_plan_named(const struct plan_work *work,
			   const struct uiommu_dmar_record *record,
			   const struct uiommu_dmar_scope *scope)
{
	struct uiommu_sid sid = { record->segment, 0 };
	uint32_t bus = scope->start_bus;
	uint32_t found = UIOMMU_PCI_NONE;
	unsigned int hop;

	if (!scope->usable || (scope->type != UIOMMU_SCOPE_ENDPOINT &&
			       scope->type != UIOMMU_SCOPE_BRIDGE))
		return UIOMMU_PCI_NONE;
	for (hop = 0; hop < scope->path_count; hop++) {
		if (hop != 0) {
			bus = work->topology->functions[found].secondary_bus;
			if (bus == 0)
				return UIOMMU_PCI_NONE;
		}
		found = plan_hop(work, scope, hop, sid, bus);
		if (found == UIOMMU_PCI_NONE || plan_is_unnamed(work, found) ||
		    (hop == 0 && plan_is_astray(work, scope, found)))
			return UIOMMU_PCI_NONE;
	}
	return found;
}

static bool plan_is_region(const struct uiommu_dmar_record *record)
{
	return record->type == UIOMMU_DMAR_RMRR && record->usable &&
	       record->range.first <= record->range.last;
}

uint32_t uiommu_plan_count_names(const struct plan_work *work)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		if (plan_is_region(&dmar->records[i]))
			count += dmar->records[i].scope_count;
	}
	return count;
}

static bool plan_name_less(const void *a, const void *b)
{
	const struct plan_name *one = a;
	const struct plan_name *two = b;

	if (one->device != two->device)
		return one->device < two->device;
	return one->record < two->record;
}

/*
 * Linux reads scopes of namespace devices for units alone. A region that such
 * a device needs is as good as any other.
 */
static uint32_t plan_keeper(const struct plan_work *work,
			    const struct uiommu_dmar_record *record,
			    const struct uiommu_dmar_scope *scope)
{
	if (scope->type == UIOMMU_SCOPE_NAMESPACE &&
	    work->input->rules == UIOMMU_RULES_STRICT)
		return uiommu_plan_namespace_named(work, scope);
	return uiommu_plan_named(work, record, scope);
}

void uiommu_plan_name(struct plan_work *work)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	const struct uiommu_dmar_record *record;
	uint32_t i, k, device;

	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		record = &dmar->records[i];
		if (!plan_is_region(record))
			continue;
		for (k = 0; k < record->scope_count; k++) {
			device = plan_keeper(
				work, record,
				&dmar->scopes[record->scope_first + k]);
			if (device == UIOMMU_PLAN_NONE)
				continue;
			work->names[work->name_count++] = (struct plan_name){
				device, i
			};
		}
	}
	uiommu_sort(work->names, work->name_count, sizeof(*work->names),
		    plan_name_less);
}
