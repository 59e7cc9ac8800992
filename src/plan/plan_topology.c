// SPDX-License-Identifier: MIT
/*
 * Questions about the tree of functions that several decisions ask.
 *
 * Specification: "PCI Express Base", "Access Control Services (ACS)".
 */
#include "plan/plan.h"

#define PLAN_ACS_NEEDED                                               \
	(UIOMMU_ACS_SOURCE_VALIDATION | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)
#define PLAN_VENDOR_INTEL 0x8086

uint32_t uiommu_plan_above(const struct uiommu_topology *topology,
			   uint32_t function)
{
	uint32_t above = topology->functions[function].parent;

	return above < topology->count ? above : UIOMMU_PCI_NONE;
}

uint32_t uiommu_plan_acs_missing(const struct uiommu_pci_function *function)
{
	if (function->acs_offset == 0)
		return PLAN_ACS_NEEDED;
	/* What a function with the capability cannot do, it does always. */
	return PLAN_ACS_NEEDED & function->acs_capability &
	       ~(uint32_t)function->acs_control;
}

/* Intel gives its word that its integrated endpoints never reach each other. */
static bool plan_is_vouched_for(const struct uiommu_pci_function *function)
{
	return function->pcie_type == UIOMMU_PCIE_INTEGRATED_ENDPOINT &&
	       function->vendor == PLAN_VENDOR_INTEL;
}

bool uiommu_plan_isolates(const struct uiommu_pci_function *function)
{
	switch (function->pcie_type) {
	case UIOMMU_PCIE_ROOT_PORT:
	case UIOMMU_PCIE_DOWNSTREAM_PORT:
		return uiommu_plan_acs_missing(function) == 0;
	case UIOMMU_PCIE_UPSTREAM_PORT:
		break;
	case UIOMMU_PCIE_ENDPOINT:
	case UIOMMU_PCIE_LEGACY_ENDPOINT:
	case UIOMMU_PCIE_INTEGRATED_ENDPOINT:
		if (function->header_type != 0)
			return false; /* a bridge that denies being one */
		if (plan_is_vouched_for(function))
			return true;
		break;
	default:
		return false; /* bridges, event collectors, conventional PCI */
	}
	/* Alone in its slot there is nobody it could reach. */
	return !function->multifunction ||
	       uiommu_plan_acs_missing(function) == 0;
}

bool uiommu_plan_hides(const struct uiommu_pci_function *function)
{
	if (function->header_type == 0)
		return false;
	return function->pcie_type == UIOMMU_PCI_CONVENTIONAL ||
	       function->pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE ||
	       function->pcie_type == UIOMMU_PCI_TO_PCIE_BRIDGE;
}

uint32_t uiommu_plan_leak(const struct uiommu_topology *topology,
			  uint32_t function)
{
	uint32_t left;

	for (left = PLAN_MOST_BRIDGES;; left--) {
		if (!uiommu_plan_isolates(&topology->functions[function]) ||
		    left == 0)
			return function;
		function = uiommu_plan_above(topology, function);
		if (function == UIOMMU_PCI_NONE)
			return UIOMMU_PCI_NONE;
	}
}
