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
#define PCI_CAPS		0x34
#define PCI_CAPS_FIRST		0x40
#define PCI_CAPS_MOST		48	/* (256 - 64) / 4 */
#define PCI_CAP_PCIE		0x10

#define PCI_EXT_FIRST		0x100
#define PCI_EXT_MOST		480	/* (4096 - 256) / 8 */
#define PCI_EXT_LAST		0xff8	/* has one more doubleword in reach */
#define PCI_EXT_ACS		0x000d
#define PCI_EXT_ATS		0x000f
#define PCI_EXT_SRIOV		0x0010
#define PCI_SUBSYSTEM		0x2c
#define PCIE_DEVICE_CAPS	0x04
#define  PCIE_PHANTOM(caps)	((caps) >> 3 & 3)
#define PCIE_DEVICE_CONTROL	0x08
#define  PCIE_PHANTOM_ENABLE	UIOMMU_BIT32(9)
#define PCI_VENDOR_INTEL	0x8086
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

/*
 * Root ports of the Intel 100 and 200 series and of the mobile chips of their
 * time; Intel calls it an erratum of the chipset.
 */
bool uiommu_pci_acs_is_wide(const struct uiommu_pci_function *function)
{
	uint16_t id = function->device;

	if (function->vendor != PCI_VENDOR_INTEL ||
	    function->pcie_type != UIOMMU_PCIE_ROOT_PORT)
		return false;
	return (id >= 0xa110 && id <= 0xa11f) ||
	       (id >= 0xa167 && id <= 0xa16a) ||
	       (id >= 0xa290 && id <= 0xa29f) ||
	       (id >= 0xa2e7 && id <= 0xa2ee) || (id >= 0x9d10 && id <= 0x9d1b);
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
	if (uiommu_pci_acs_is_wide(function))
		function->acs_control = (uint16_t)uiommu_host_pci_read32(
			host, function->sid, at + 8);
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
		else if ((head & 0xffff) == PCI_EXT_SRIOV &&
			 function->sriov_offset == 0)
			function->sriov_offset = (uint16_t)at;
		at = (head >> 20) & 0xffc;
	}
}

/* Function numbers that nobody has, used for more requests in flight. */
static void pci_read_phantom(struct uiommu_host *host, uint32_t at,
			     struct uiommu_pci_function *function)
{
	uint32_t caps, control;

	if (at > 0x100 - 12)
		return;
	caps = uiommu_host_pci_read32(host, function->sid,
				      at + PCIE_DEVICE_CAPS);
	control = uiommu_host_pci_read32(host, function->sid,
					 at + PCIE_DEVICE_CONTROL);
	if (caps != PCI_ALL_ONES && control != PCI_ALL_ONES &&
	    (control & PCIE_PHANTOM_ENABLE))
		function->phantom_bits = (uint8_t)PCIE_PHANTOM(caps);
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
	pci_read_phantom(host, at, function);
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
	function->domain = sid.segment;
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
		uint32_t buses = uiommu_host_pci_read32(host, sid,
							UIOMMU_PCI_BUSES);

		function->secondary_bus = (uint8_t)(buses >> 8);
		function->subordinate_bus = (uint8_t)(buses >> 16);
	}
	if (function->header_type == 0) {
		uint32_t subsystem = uiommu_host_pci_read32(host, sid,
							    PCI_SUBSYSTEM);

		function->subsystem_vendor = (uint16_t)subsystem;
		function->subsystem = (uint16_t)(subsystem >> 16);
	}
	pci_read_express(host, id, function);
	return true;
}

void uiommu_pci_virtual_read(struct uiommu_host *host, struct uiommu_sid sid,
			     const struct uiommu_pci_function *physical,
			     uint16_t device,
			     struct uiommu_pci_function *function)
{
	memset(function, 0, sizeof(*function));
	function->sid = sid;
	function->domain = sid.segment;
	function->vendor = physical->vendor;
	function->device = device;
	function->class_code = physical->class_code;
	function->subsystem_vendor = physical->subsystem_vendor;
	function->subsystem = physical->subsystem;
	function->parent = UIOMMU_PCI_NONE;
	function->virtual_function = true;
	function->physical = physical->sid;
	pci_read_express(host, PCI_ALL_ONES, function);
	/* A host that hides the capability hides no other kind of function. */
	if (function->pcie_type == UIOMMU_PCI_CONVENTIONAL)
		function->pcie_type = physical->pcie_type;
	function->sriov_offset = 0;
}
