// SPDX-License-Identifier: MIT
/*
 * One function's configuration space into a struct.
 *
 * Specifications: "PCI Local Bus", "Configuration Space Organization" and
 * "Capabilities List"; "PCI Express Base", "PCI Express Capability Structure",
 * "PCI Express Extended Capabilities", "ACS Extended Capability", "ATS
 * Extended Capability".
 *
 * A function may say anything. What leads out of its space, runs in a circle
 * or reads as all ones counts as absent, which makes groups larger, never
 * smaller.
 */
#include "pci/pci.h"

/* clang-format off */
#define PCI_ID			0x00
#define PCI_STATUS		0x04
#define  PCI_STATUS_CAPS	UIOMMU_BIT32(20)
#define PCI_CLASS		0x08
#define PCI_HEADER		0x0c
#define  PCI_HEADER_MULTI	UIOMMU_BIT32(23)
#define PCI_CARDBUS_CAPS	0x14
#define PCI_BUSES		0x18
#define PCI_CAPS		0x34
#define PCI_CAPS_FIRST		0x40
#define PCI_CAPS_MOST		48	/* (256 - 64) / 4 */
#define PCI_CAP_PCIE		0x10

#define PCI_EXT_FIRST		0x100
#define PCI_EXT_MOST		480	/* (4096 - 256) / 8 */
#define PCI_EXT_LAST		0xff8	/* has one more doubleword in reach */
#define PCI_EXT_ACS		0x000d
#define PCI_EXT_ATS		0x000f
/* clang-format on */

#define PCI_ALL_ONES ((uint32_t)0xffffffff)
#define PCI_RETRY ((uint32_t)0xffff0001) /* "not ready yet" */

static bool pci_is_absent(uint32_t id)
{
	uint32_t vendor = id & 0xffff;

	return vendor == 0xffff || vendor == 0 || id == PCI_RETRY;
}

/* Offset of the PCI Express capability, or 0. */
static uint32_t pci_find_pcie(struct uiommu_host *host, struct uiommu_sid sid,
			      uint32_t list)
{
	uint32_t at = uiommu_host_pci_read32(host, sid, list) & 0xfc;
	unsigned int left;

	if (!(uiommu_host_pci_read32(host, sid, PCI_STATUS) & PCI_STATUS_CAPS))
		return 0;
	for (left = PCI_CAPS_MOST; left != 0 && at >= PCI_CAPS_FIRST; left--) {
		uint32_t head = uiommu_host_pci_read32(host, sid, at);

		if (head == PCI_ALL_ONES)
			return 0;
		if ((head & 0xff) == PCI_CAP_PCIE)
			return at;
		at = (head >> 8) & 0xfc;
	}
	return 0;
}

static void pci_read_acs(struct uiommu_host *host, uint32_t at,
			 struct uiommu_pci_function *function)
{
	uint32_t acs;

	if (function->acs_offset != 0 || at > PCI_EXT_LAST)
		return;
	acs = uiommu_host_pci_read32(host, function->sid, at + 4);
	if (acs == PCI_ALL_ONES)
		return;
	function->acs_offset = (uint16_t)at;
	function->acs_capability = (uint16_t)acs;
	function->acs_control = (uint16_t)(acs >> 16);
}

static void pci_read_extended(struct uiommu_host *host, uint32_t id,
			      struct uiommu_pci_function *function)
{
	uint32_t at = PCI_EXT_FIRST;
	unsigned int left;

	for (left = PCI_EXT_MOST; left != 0 && at >= PCI_EXT_FIRST; left--) {
		uint32_t head = uiommu_host_pci_read32(host, function->sid, at);

		/* The id again: a port whose space repeats every 256 bytes. */
		if (head == 0 || head == PCI_ALL_ONES || head == id)
			return;
		if ((head & 0xffff) == PCI_EXT_ACS)
			pci_read_acs(host, at, function);
		else if ((head & 0xffff) == PCI_EXT_ATS &&
			 function->ats_offset == 0 && at <= PCI_EXT_LAST)
			function->ats_offset = (uint16_t)at;
		at = (head >> 20) & 0xffc;
	}
}

static void pci_read_express(struct uiommu_host *host, uint32_t id,
			     struct uiommu_pci_function *function)
{
	uint32_t list = function->header_type == 2 ? PCI_CARDBUS_CAPS
						   : PCI_CAPS;
	uint32_t at = pci_find_pcie(host, function->sid, list);

	function->pcie_type = UIOMMU_PCI_CONVENTIONAL;
	if (at == 0)
		return;
	function->pcie_type =
		(uiommu_host_pci_read32(host, function->sid, at) >> 20) & 0xf;
	pci_read_extended(host, id, function);
}

bool uiommu_pci_function_read(struct uiommu_host *host, struct uiommu_sid sid,
			      struct uiommu_pci_function *function)
{
	uint32_t id = uiommu_host_pci_read32(host, sid, PCI_ID);
	uint32_t header;

	if (pci_is_absent(id))
		return false;
	header = uiommu_host_pci_read32(host, sid, PCI_HEADER);
	memset(function, 0, sizeof(*function));
	function->sid = sid;
	function->vendor = (uint16_t)id;
	function->device = (uint16_t)(id >> 16);
	function->class_code = uiommu_host_pci_read32(host, sid, PCI_CLASS) >>
			       8;
	function->parent = UIOMMU_PCI_NONE;
	function->header_type = (header >> 16) & 0x7f;
	function->multifunction = (header & PCI_HEADER_MULTI) != 0;
	/* No other layout exists: this is noise, or it left meanwhile. */
	if (function->header_type > 2)
		return false;
	if (function->header_type != 0) {
		uint32_t buses = uiommu_host_pci_read32(host, sid, PCI_BUSES);

		function->secondary_bus = (uint8_t)(buses >> 8);
		function->subordinate_bus = (uint8_t)(buses >> 16);
	}
	pci_read_express(host, id, function);
	return true;
}
