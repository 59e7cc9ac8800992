// SPDX-License-Identifier: MIT
/*
 * The unit for isochronous traffic of the chipset that Intel called
 * Tylersburg (5500, 5520, X58). One register of its system management function
 * says whether the audio function is routed to that unit, and how many of the
 * TLB entries it was given.
 */
#include "pci/pci.h"

/* clang-format off */
#define PCI_INTEL		0x8086
#define PCI_ISOCH_DEVICE	0x342e	/* "System Management Registers" */
#define PCI_ISOCH_CONTROL	0x188
#define  PCI_ISOCH_ELSEWHERE	UIOMMU_BIT32(0) /* audio: not to that unit */
#define  PCI_ISOCH_ENTRIES	(UIOMMU_BIT32(4) | UIOMMU_BIT32(3) | \
				 UIOMMU_BIT32(2))
/* clang-format on */

bool uiommu_topology_isoch_without_tlb(const struct uiommu_topology *topology)
{
	uint32_t control;
	uint32_t i;

	for (i = 0; i < topology->count; i++)
		if (topology->functions[i].vendor == PCI_INTEL &&
		    topology->functions[i].device == PCI_ISOCH_DEVICE)
			break;
	if (i == topology->count)
		return false;
	/* A host without extended space reads ones: routed elsewhere. */
	control = uiommu_host_pci_read32(
		topology->host, topology->functions[i].sid, PCI_ISOCH_CONTROL);
	return !(control & (PCI_ISOCH_ELSEWHERE | PCI_ISOCH_ENTRIES));
}
