// SPDX-License-Identifier: MIT
/* Questions about the tree of functions that several decisions ask. */
#include "plan/plan.h"

uint32_t uiommu_plan_above(const struct uiommu_topology *topology,
			   uint32_t function)
{
	uint32_t above = topology->functions[function].parent;

	return above < topology->count ? above : UIOMMU_PCI_NONE;
}

bool uiommu_plan_hides(const struct uiommu_pci_function *function)
{
	if (function->header_type == 0)
		return false;
	return function->pcie_type == UIOMMU_PCI_CONVENTIONAL ||
	       function->pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE ||
	       function->pcie_type == UIOMMU_PCI_TO_PCIE_BRIDGE;
}

bool uiommu_plan_same_slot(const struct uiommu_pci_function *a,
			   const struct uiommu_pci_function *b)
{
	return a->sid.segment == b->sid.segment &&
	       a->sid.rid >> 3 == b->sid.rid >> 3;
}

static bool plan_same_bus(const struct uiommu_pci_function *a,
			  const struct uiommu_pci_function *b)
{
	return a->sid.segment == b->sid.segment &&
	       a->sid.rid >> 8 == b->sid.rid >> 8;
}

uint32_t uiommu_plan_slot_first(const struct uiommu_topology *topology,
				uint32_t function)
{
	const struct uiommu_pci_function *functions = topology->functions;

	while (function != 0 && uiommu_plan_same_slot(&functions[function - 1],
						      &functions[function]))
		function--;
	return function;
}

uint32_t uiommu_plan_bus_first(const struct uiommu_topology *topology,
			       uint32_t function)
{
	const struct uiommu_pci_function *functions = topology->functions;

	while (function != 0 &&
	       plan_same_bus(&functions[function - 1], &functions[function]))
		function--;
	return function;
}

uint32_t uiommu_plan_bus_end(const struct uiommu_topology *topology,
			     uint32_t function)
{
	const struct uiommu_pci_function *functions = topology->functions;
	uint32_t i = function;

	while (i < topology->count &&
	       plan_same_bus(&functions[i], &functions[function]))
		i++;
	return i;
}

uint32_t uiommu_plan_asker(const struct uiommu_topology *topology,
			   uint32_t function)
{
	const struct uiommu_pci_function *one = &topology->functions[function];
	uint32_t asker;

	if (!one->has_requester)
		return function;
	asker = uiommu_topology_find(topology, one->requester);
	return asker == UIOMMU_PCI_NONE ? function : asker;
}
