// SPDX-License-Identifier: MIT
/* Functions that leave, and what leaves with them. */
#include "pci/pci.h"

int uiommu_topology_remove(struct uiommu_topology *topology,
			   struct uiommu_sid sid)
{
	struct uiommu_pci_function *functions = topology->functions;
	uint32_t gone = uiommu_topology_find(topology, sid);
	uint32_t i;

	if (gone == UIOMMU_PCI_NONE)
		return UIOMMU_ENODEV;
	topology->count--;
	memmove(functions + gone, functions + gone + 1,
		(topology->count - gone) * sizeof(*functions));
	for (i = 0; i < topology->count; i++) {
		if (functions[i].parent == UIOMMU_PCI_NONE)
			continue;
		if (functions[i].parent == gone)
			functions[i].parent = UIOMMU_PCI_NONE;
		else if (functions[i].parent > gone)
			functions[i].parent--;
	}
	return UIOMMU_OK;
}

/* No way up is longer than there are functions, or it is a circle. */
static bool pci_is_way_up(const struct uiommu_topology *topology,
			  uint32_t bridge, uint32_t function)
{
	uint32_t left;

	for (left = topology->count; left != 0; left--) {
		if (function >= topology->count)
			return false;
		if (function == bridge)
			return true;
		function = topology->functions[function].parent;
	}
	return false;
}

bool uiommu_topology_below(const struct uiommu_topology *topology,
			   uint32_t bridge, uint32_t function)
{
	const struct uiommu_pci_function *one;

	if (pci_is_way_up(topology, bridge, function))
		return true;
	if (function >= topology->count)
		return false;
	one = &topology->functions[function];
	return one->virtual_function &&
	       pci_is_way_up(topology, bridge,
			     uiommu_topology_find(topology, one->physical));
}
