// SPDX-License-Identifier: MIT
/*
 * Host bridges of the platform that Intel called Calpella (processors called
 * Ironlake and Arrandale). Their graphics keeps a second table of its own for
 * what a unit translates, in memory that firmware must have set aside. One bit
 * of the graphics control register (GGC) tells whether it did. The host bridge
 * 0044 of the same platform is not here: its graphics does not work translated
 * whatever that bit says (src/plan/plan_quirk_table.c).
 */
#include "pci/pci.h"

/* clang-format off */
#define PCI_INTEL		0x8086
#define PCI_GGC_DWORD		0x50	/* GGC is its upper half: 0x52 */
#define PCI_GGC_UNREADABLE	(~(uint32_t)0)
#define  PCI_GGC_VT		UIOMMU_BIT32(16 + 11)
/* clang-format on */

static bool pci_has_ggc(const struct uiommu_pci_function *function)
{
	static const uint16_t bridges[] = { 0x0040, 0x0062, 0x006a };
	uint32_t i;

	for (i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
		if (function->vendor == PCI_INTEL &&
		    function->device == bridges[i])
			return true;
	}
	return false;
}

uint32_t uiommu_topology_ggc_bridge(const struct uiommu_topology *topology)
{
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		if (pci_has_ggc(&topology->functions[i]))
			return i;
	}
	return UIOMMU_PCI_NONE;
}

enum uiommu_ggc uiommu_topology_ggc(const struct uiommu_topology *topology)
{
	uint32_t bridge = uiommu_topology_ggc_bridge(topology);
	uint32_t control;

	if (bridge == UIOMMU_PCI_NONE)
		return UIOMMU_GGC_UNKNOWN;
	control = uiommu_host_pci_read32(
		topology->host, topology->functions[bridge].sid, PCI_GGC_DWORD);
	if (control == PCI_GGC_UNREADABLE)
		return UIOMMU_GGC_UNKNOWN;
	return control & PCI_GGC_VT ? UIOMMU_GGC_SHADOW : UIOMMU_GGC_NO_SHADOW;
}
