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

#define UIOMMU_PCI_BUSES 0x18 /* register of a bridge: its bus numbers */

/* The same for a virtual function of @physical, which has no id of its own. */
void uiommu_pci_virtual_read(struct uiommu_host *host, struct uiommu_sid sid,
			     const struct uiommu_pci_function *physical,
			     uint16_t device,
			     struct uiommu_pci_function *function);

/* Where the virtual functions of a physical one are. */
struct uiommu_pci_virtual {
	uint32_t count;
	uint32_t first;	 /* requester id above that of the physical one */
	uint32_t stride; /* from one to the next */
	uint16_t device; /* their device id */
};

/* False if @physical has none enabled. */
bool uiommu_pci_virtual(struct uiommu_host *host,
			const struct uiommu_pci_function *physical,
			struct uiommu_pci_virtual *found);

/* Some root ports keep the controls a doubleword behind the capability. */
bool uiommu_pci_acs_is_wide(const struct uiommu_pci_function *function);

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
