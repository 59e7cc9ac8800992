// SPDX-License-Identifier: MIT
/* What configuration space does not tell, told by who knows. */
#include "pci/pci.h"

int uiommu_topology_set_physical(struct uiommu_topology *topology,
				 struct uiommu_sid sid,
				 struct uiommu_sid physical)
{
	uint32_t i = uiommu_topology_find(topology, sid);

	if (i == UIOMMU_PCI_NONE ||
	    uiommu_topology_find(topology, physical) == UIOMMU_PCI_NONE)
		return UIOMMU_ENODEV;
	topology->functions[i].virtual_function = true;
	topology->functions[i].multifunction = false;
	topology->functions[i].physical = physical;
	return UIOMMU_OK;
}

static bool pci_is_requester(const struct uiommu_topology *topology,
			     struct uiommu_sid sid)
{
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		const struct uiommu_pci_function *function =
			&topology->functions[i];

		if (function->has_requester &&
		    function->requester.segment == sid.segment &&
		    function->requester.rid == sid.rid)
			return true;
	}
	return false;
}

int uiommu_topology_set_requester(struct uiommu_topology *topology,
				  struct uiommu_sid sid,
				  struct uiommu_sid requester)
{
	uint32_t i = uiommu_topology_find(topology, sid);
	uint32_t real = uiommu_topology_find(topology, requester);

	if (i == UIOMMU_PCI_NONE || real == UIOMMU_PCI_NONE)
		return UIOMMU_ENODEV;
	if (i == real || topology->functions[real].has_requester ||
	    pci_is_requester(topology, sid))
		return UIOMMU_EINVAL;
	topology->functions[i].has_requester = true;
	topology->functions[i].requester = requester;
	return UIOMMU_OK;
}

void uiommu_topology_set_domain(struct uiommu_topology *topology,
				uint16_t segment, uint32_t domain)
{
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		if (topology->functions[i].sid.segment == segment)
			topology->functions[i].domain = domain;
	}
}
