// SPDX-License-Identifier: MIT
/*
 * Which bridge is above which bus.
 *
 * Specification: "PCI-to-PCI Bridge Architecture", "Bus Number Registers".
 *
 * Bridges pass on what is for their secondary up to their subordinate bus. Of
 * several the one with the highest secondary bus is the innermost; it is also
 * the one above a bus that has no bridge of its own (virtual functions may
 * live on one). Firmware numbers buses away from the root, so a parent's bus
 * is lower than its child's and no circle can form. A bridge that leads to a
 * lower bus exists only where a root bus is numbered oddly; it is believed for
 * exactly its secondary bus, if that closes no circle.
 */
#include "pci/pci.h"

#define PCI_BUSES_MOST 256

static uint32_t pci_bus(const struct uiommu_topology *topology, uint32_t index)
{
	return UIOMMU_SID_BUS(topology->functions[index].sid);
}

/* Is @index below a function of @bus, or one itself? */
static bool pci_is_below(const struct uiommu_topology *topology, uint32_t index,
			 uint32_t bus)
{
	unsigned int left;

	for (left = PCI_BUSES_MOST; left != 0; left--) {
		if (index == UIOMMU_PCI_NONE)
			return false;
		if (pci_bus(topology, index) == bus)
			return true;
		index = topology->functions[index].parent;
	}
	return true;
}

static bool pci_leads_to(const struct uiommu_topology *topology, uint32_t index,
			 uint32_t bus)
{
	const struct uiommu_pci_function *bridge = &topology->functions[index];
	uint32_t own = pci_bus(topology, index);
	uint32_t last = bridge->subordinate_bus;

	if (bridge->header_type == 0 || bridge->secondary_bus <= own)
		return false;
	if (last < bridge->secondary_bus)
		last = bridge->secondary_bus;
	return bridge->secondary_bus <= bus && bus <= last;
}

static bool pci_leads_back_to(const struct uiommu_topology *topology,
			      uint32_t index, uint32_t bus)
{
	const struct uiommu_pci_function *bridge = &topology->functions[index];

	return bridge->header_type != 0 && bus != 0 &&
	       bridge->secondary_bus == bus && pci_bus(topology, index) > bus &&
	       !pci_is_below(topology, index, bus);
}

static uint32_t pci_bridge_of(const struct uiommu_topology *topology,
			      uint32_t first, uint32_t end, uint32_t bus)
{
	uint32_t best = UIOMMU_PCI_NONE;
	uint32_t i;

	for (i = first; i < end; i++) {
		if (!pci_leads_to(topology, i, bus))
			continue;
		if (best == UIOMMU_PCI_NONE ||
		    topology->functions[i].secondary_bus >
			    topology->functions[best].secondary_bus)
			best = i;
	}
	return best;
}

static uint32_t pci_odd_bridge_of(const struct uiommu_topology *topology,
				  uint32_t first, uint32_t end, uint32_t bus)
{
	uint32_t i;

	for (i = first; i < end; i++) {
		if (pci_leads_back_to(topology, i, bus))
			return i;
	}
	return UIOMMU_PCI_NONE;
}

/* Sets the parent of all functions on the bus of @index; returns its end. */
static uint32_t pci_set_parent(struct uiommu_topology *topology, uint32_t index,
			       uint32_t end, uint32_t parent)
{
	uint32_t bus = pci_bus(topology, index);

	for (; index < end && pci_bus(topology, index) == bus; index++)
		topology->functions[index].parent = parent;
	return index;
}

void uiommu_pci_find_parents(struct uiommu_topology *topology, uint16_t segment)
{
	uint32_t first, end, i, bridge;

	first = uiommu_pci_lower_bound(topology,
				       (struct uiommu_sid){ segment, 0 });
	for (end = first; end < topology->count; end++) {
		if (topology->functions[end].sid.segment != segment)
			break;
	}
	for (i = first; i < end;) {
		bridge = pci_bridge_of(topology, first, end,
				       pci_bus(topology, i));
		i = pci_set_parent(topology, i, end, bridge);
	}
	for (i = first; i < end;) {
		bridge = topology->functions[i].parent;
		if (bridge == UIOMMU_PCI_NONE)
			bridge = pci_odd_bridge_of(topology, first, end,
						   pci_bus(topology, i));
		i = pci_set_parent(topology, i, end, bridge);
	}
}
