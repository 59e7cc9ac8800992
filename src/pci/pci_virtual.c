// SPDX-License-Identifier: MIT
/*
 * Virtual functions: they answer to no identifier of their own, so a scan of
 * slots does not meet them; their physical function says where they are.
 *
 * Specification: "PCI Express Base", "Single Root I/O Virtualization and
 * Sharing", "SR-IOV Extended Capability".
 */
#include "pci/pci.h"

/* clang-format off */
#define PCI_SRIOV_CONTROL	0x08
#define  PCI_SRIOV_ENABLE	UIOMMU_BIT32(0)
#define PCI_SRIOV_COUNT		0x10
#define PCI_SRIOV_PLACE		0x14
#define PCI_SRIOV_DEVICE	0x18
#define PCI_SRIOV_LAST		(4096 - 0x40)
/* clang-format on */

bool uiommu_pci_virtual(struct uiommu_host *host,
			const struct uiommu_pci_function *physical,
			struct uiommu_pci_virtual *found)
{
	uint32_t at = physical->sriov_offset;
	uint32_t place, device, count;

	if (at == 0 || at > PCI_SRIOV_LAST)
		return false;
	count = uiommu_host_pci_read32(host, physical->sid,
				       at + PCI_SRIOV_CONTROL);
	if (count == 0xffffffff || !(count & PCI_SRIOV_ENABLE))
		return false;
	count = uiommu_host_pci_read32(host, physical->sid,
				       at + PCI_SRIOV_COUNT);
	place = uiommu_host_pci_read32(host, physical->sid,
				       at + PCI_SRIOV_PLACE);
	device = uiommu_host_pci_read32(host, physical->sid,
					at + PCI_SRIOV_DEVICE);
	found->count = count & 0xffff;
	found->first = place & 0xffff;
	found->stride = place >> 16;
	found->device = (uint16_t)(device >> 16);
	/* One that sits on its physical function is none. */
	return found->first != 0 && (found->stride != 0 || found->count == 1);
}
