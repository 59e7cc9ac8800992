// SPDX-License-Identifier: MIT
/*
 * Specification: "Non-Recoverable Fault Reporting", "Fault Conditions and
 * Remapping Hardware Behavior for Various Requests", "Interrupt Remapping
 * Fault Conditions".
 */
#include <stddef.h>

#include "fault_line.h"

/* By code. */
static const struct fault_reason fault_reasons[] = {
	/* Legacy mode */
	{ 0x01, FAULT_NO_CONTEXT, NULL,
	  "the root table has no entry for the requester's bus" },
	{ 0x02, FAULT_NO_CONTEXT, NULL,
	  "the requester has no context entry: it is in no domain" },
	{ 0x03, FAULT_CONTEXT, NULL,
	  "the requester's context entry asks for what the unit cannot do" },
	{ 0x04, FAULT_WIDTH, NULL,
	  "the address has more bits than the domain or the unit translates" },
	{ 0x05, FAULT_UNMAPPED, NULL, "the page is not mapped for writing" },
	{ 0x06, FAULT_UNMAPPED, NULL, "the page is not mapped for reading" },
	{ 0x07, FAULT_TABLES, NULL,
	  "a page-table entry leads to where the unit cannot read" },
	{ 0x08, FAULT_TABLES, NULL, "the unit could not read the root table" },
	{ 0x09, FAULT_TABLES, NULL,
	  "the unit could not read the context table" },
	{ 0x0a, FAULT_TABLES, NULL, "the root entry has reserved bits set" },
	{ 0x0b, FAULT_TABLES, NULL, "the context entry has reserved bits set" },
	{ 0x0c, FAULT_TABLES, NULL,
	  "a page-table entry has reserved bits set" },
	{ 0x0d, FAULT_ATS, "use of an address that it translated itself",
	  "the context entry does not let the requester translate by itself" },
	{ 0x0e, FAULT_TO_MSI, NULL,
	  "the page is mapped to the interrupt range 0xfee00000" },
	/* Interrupts */
	{ 0x20, FAULT_IR_TABLES, NULL,
	  "the interrupt request has reserved bits set" },
	{ 0x21, FAULT_IR_ENTRY, NULL,
	  "the interrupt's index is beyond the remapping table" },
	{ 0x22, FAULT_IR_ENTRY, NULL,
	  "the interrupt's remapping entry is not present" },
	{ 0x23, FAULT_IR_TABLES, NULL,
	  "the unit could not read the interrupt remapping table" },
	{ 0x24, FAULT_IR_TABLES, NULL,
	  "the interrupt's remapping entry has reserved bits set" },
	{ 0x25, FAULT_IR_BLOCKED, NULL,
	  "an interrupt of the format without remapping was blocked" },
	{ 0x26, FAULT_IR_FOREIGN, NULL,
	  "the interrupt's remapping entry belongs to another requester" },
	{ 0x27, FAULT_IR_TABLES, NULL,
	  "the unit could not read the descriptor of a posted interrupt" },
	{ 0x28, FAULT_IR_TABLES, NULL,
	  "the descriptor of a posted interrupt has reserved bits set" },
	{ 0x29, FAULT_IR_BLOCKED, NULL,
	  "what was written to the interrupt range is no interrupt" },
	/* Scalable mode: root table */
	{ 0x30, FAULT_TABLES, NULL,
	  "the register of the root table holds no valid mode" },
	{ 0x31, FAULT_PASID, NULL,
	  "a request with PASID, while the unit is in legacy mode" },
	{ 0x32, FAULT_PASID, "a page request",
	  "a page request, while the unit is in legacy mode" },
	{ 0x38, FAULT_TABLES, NULL, "the unit could not read the root entry" },
	{ 0x39, FAULT_NO_CONTEXT, NULL,
	  "the root table has no entry for the requester's half of the bus" },
	{ 0x3a, FAULT_TABLES, NULL, "the root entry has reserved bits set" },
	/* Context entry */
	{ 0x40, FAULT_TABLES, NULL,
	  "the unit could not read the context entry" },
	{ 0x41, FAULT_NO_CONTEXT, NULL,
	  "the requester has no context entry: it is in no domain" },
	{ 0x42, FAULT_TABLES, NULL, "the context entry has reserved bits set" },
	{ 0x43, FAULT_CONTEXT, NULL,
	  "the requester's context entry asks for what the unit cannot do" },
	{ 0x44, FAULT_ATS, "a translation request, or use of its answer",
	  "the context entry does not let the requester translate by itself" },
	{ 0x45, FAULT_PASID, NULL,
	  "a request with PASID of a requester that may use none" },
	{ 0x46, FAULT_PASID, NULL,
	  "the PASID is larger than the requester's directory" },
	{ 0x47, FAULT_PASID, "a page request",
	  "a page request of a requester that may make none" },
	{ 0x48, FAULT_CONTEXT, NULL,
	  "the PASID for requests that carry none is out of bounds" },
	/* PASID directory and table */
	{ 0x50, FAULT_TABLES, NULL,
	  "the unit could not read the PASID directory" },
	{ 0x51, FAULT_PASID, NULL,
	  "the PASID directory has no entry for this PASID" },
	{ 0x52, FAULT_TABLES, NULL,
	  "the PASID directory entry has reserved bits set" },
	{ 0x58, FAULT_TABLES, NULL, "the unit could not read the PASID entry" },
	{ 0x59, FAULT_PASID, NULL, "the PASID has no entry" },
	{ 0x5a, FAULT_TABLES, NULL, "the PASID entry has reserved bits set" },
	{ 0x5b, FAULT_CONTEXT, NULL,
	  "the PASID entry asks for what the unit cannot do" },
	{ 0x5c, FAULT_PRIVILEGE, "execution",
	  "the PASID entry allows no requests for execution" },
	{ 0x5d, FAULT_PRIVILEGE, "a privileged access",
	  "the PASID entry allows no privileged requests" },
	/* First-stage tables */
	{ 0x70, FAULT_TABLES, NULL,
	  "the unit could not read a first-stage table" },
	{ 0x71, FAULT_UNMAPPED, NULL,
	  "the page is not mapped in the first stage" },
	{ 0x72, FAULT_TABLES, NULL,
	  "a first-stage entry has reserved bits set" },
	{ 0x73, FAULT_TABLES, NULL,
	  "the unit could not read the first stage's top table" },
	{ 0x74, FAULT_WIDTH, NULL,
	  "a first-stage table lies at a guest address that is too large" },
	{ 0x75, FAULT_UNMAPPED, NULL,
	  "the guest's top table is not mapped for reading" },
	{ 0x76, FAULT_UNMAPPED, NULL,
	  "a table of the guest is not mapped for reading" },
	{ 0x77, FAULT_UNMAPPED, NULL,
	  "a table of the guest is not mapped for writing" },
	/* Second-stage tables */
	{ 0x78, FAULT_TABLES, NULL,
	  "the unit could not read a second-stage table" },
	{ 0x79, FAULT_UNMAPPED, NULL,
	  "the page is not mapped for that in the second stage" },
	{ 0x7a, FAULT_TABLES, NULL,
	  "a second-stage entry has reserved bits set" },
	{ 0x7b, FAULT_TABLES, NULL,
	  "the pointer to the second-stage table is not valid" },
	{ 0x7c, FAULT_SNOOP, NULL,
	  "a second-stage entry has to be marked as used, but the unit may "
	  "not snoop" },
	/* What came out */
	{ 0x80, FAULT_WIDTH, NULL,
	  "the address is not canonical: its upper bits differ" },
	{ 0x81, FAULT_PRIVILEGE, "a user access",
	  "the page is mapped for privileged requests alone" },
	{ 0x82, FAULT_PRIVILEGE, "execution",
	  "the page is mapped, but not for execution" },
	{ 0x83, FAULT_WIDTH, NULL,
	  "the address is beyond what the host's memory bus has" },
	{ 0x84, FAULT_WIDTH, NULL,
	  "the address is beyond what the second stage translates" },
	{ 0x85, FAULT_UNMAPPED, "a write or an atomic operation",
	  "the page is not mapped for writing" },
	{ 0x86, FAULT_UNMAPPED, "a read or an atomic operation",
	  "the page is not mapped for reading" },
	{ 0x87, FAULT_TO_MSI, NULL,
	  "the address, or what it is mapped to, is in the interrupt range" },
	{ 0x90, FAULT_SNOOP, NULL,
	  "a first-stage entry has to be marked as used, but the unit may "
	  "not snoop" },
};

const struct fault_reason *fault_reason(uint16_t code)
{
	size_t low = 0;
	size_t high = sizeof(fault_reasons) / sizeof(fault_reasons[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (fault_reasons[middle].code == code)
			return &fault_reasons[middle];
		if (fault_reasons[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
