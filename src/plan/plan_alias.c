// SPDX-License-Identifier: MIT
/*
 * Under which requester ids a device's requests arrive.
 *
 * Specifications: "PCI Express to PCI/PCI-X Bridge", "Assignment of Requester
 * ID and Tag"; "Intel Virtualization Technology for Directed I/O", "Source
 * Identifier".
 *
 * Ports pass an id on. A PCIe-to-PCI bridge asks as device 0, function 0 of
 * its secondary bus; every other bridge as itself.
 */
#include "plan/plan.h"

static bool plan_sid_equal(struct uiommu_sid a, struct uiommu_sid b)
{
	return a.segment == b.segment && a.rid == b.rid;
}

static struct uiommu_sid plan_alias_of(const struct uiommu_pci_function *bridge)
{
	struct uiommu_sid sid = bridge->sid;

	if (bridge->pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE)
		sid.rid = (uint16_t)(bridge->secondary_bus << 8);
	return sid;
}

static bool plan_has_alias(const struct uiommu_sid *aliases, uint32_t count,
			   struct uiommu_sid sid)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (plan_sid_equal(aliases[i], sid))
			return true;
	}
	return false;
}

uint32_t uiommu_plan_device_aliases(const struct uiommu_topology *topology,
				    uint32_t device, struct uiommu_sid *aliases)
{
	const struct uiommu_pci_function *function =
		&topology->functions[device];
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t count = 1;
	uint32_t i;

	if (aliases != NULL)
		aliases[0] = function->sid;
	for (i = uiommu_plan_above(topology, device);
	     i != UIOMMU_PCI_NONE && left != 0; left--) {
		function = &topology->functions[i];
		i = uiommu_plan_above(topology, i);
		if (!uiommu_plan_hides(function))
			continue;
		if (aliases != NULL) {
			if (plan_has_alias(aliases, count,
					   plan_alias_of(function)))
				continue;
			aliases[count] = plan_alias_of(function);
		}
		count++;
	}
	return count;
}

static bool plan_user_less(const void *a, const void *b)
{
	const struct plan_alias *one = a;
	const struct plan_alias *two = b;

	if (one->sid.segment != two->sid.segment)
		return one->sid.segment < two->sid.segment;
	if (one->sid.rid != two->sid.rid)
		return one->sid.rid < two->sid.rid;
	return one->device < two->device;
}

void uiommu_plan_aliases(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	uint32_t i, k;

	for (i = 0; i < plan->device_count; i++) {
		struct uiommu_plan_device *device = &plan->devices[i];
		struct uiommu_sid *aliases = &plan->aliases[plan->alias_count];

		device->alias_first = plan->alias_count;
		device->alias_count = uiommu_plan_device_aliases(work->topology,
								 i, aliases);
		for (k = 0; k < device->alias_count; k++)
			work->users[plan->alias_count++] = (struct plan_alias){
				aliases[k], i
			};
	}
	uiommu_plan_sort(work->users, plan->alias_count, sizeof(*work->users),
			 plan_user_less);
}
