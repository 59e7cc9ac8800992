/* SPDX-License-Identifier: MIT */
/* What the files of the topology share. */
#ifndef UIOMMU_PCI_PCI_H
#define UIOMMU_PCI_PCI_H

#include <uiommu/pci.h>

/*
 * Reads what the function at @sid says of itself into @function; all but
 * parent. @function->multifunction is bit 7 of its own header type. False if
 * there is no function, @function is then undefined.
 */
bool uiommu_pci_function_read(struct uiommu_host *host, struct uiommu_sid sid,
			      struct uiommu_pci_function *function);

/* Index of the first function not below @sid; count if there is none. */
uint32_t uiommu_pci_lower_bound(const struct uiommu_topology *topology,
				struct uiommu_sid sid);

/*
 * Finds the bridge above each function of @segment. The functions are sorted;
 * afterwards no chain of parents of the segment returns to where it began.
 */
void uiommu_pci_find_parents(struct uiommu_topology *topology,
			     uint16_t segment);

#endif /* UIOMMU_PCI_PCI_H */
