// SPDX-License-Identifier: MIT
/* What no scan finds: who asks as whom, and how much was not in view. */
#include "machine.h"

/* Volume management devices of Intel, by pci.ids and Linux's driver. */
static bool finish_is_vmd(const struct uiommu_pci_function *function)
{
	static const uint16_t known[] = { 0x201d, 0x28c0, 0x467f, 0x4c3d,
					  0x7d0b, 0x9a0b, 0xa77f, 0xad0b,
					  0xb06f, 0xb07f, 0xb60b };

	if (function->vendor != 0x8086 || function->class_code >> 8 != 0x0104)
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (function->device == known[i])
			return true;
	return false;
}

/* How many may ask for those in large domains, and the last of them. */
static uint32_t finish_vmd(const struct machine *machine,
			   struct uiommu_sid *requester)
{
	const struct uiommu_topology *topology = &machine->topology;
	uint32_t count = 0;

	for (uint32_t i = 0; i < topology->count; i++) {
		const struct uiommu_pci_function *f = &topology->functions[i];

		if (f->domain > 0xffff || !finish_is_vmd(f))
			continue;
		*requester = f->sid;
		count++;
	}
	return count;
}

static void finish_ask_as(struct machine *machine, struct uiommu_sid sid,
			  struct uiommu_sid requester)
{
	char name[MACHINE_SID_SIZE];

	if (!uiommu_topology_set_requester(&machine->topology, sid, requester))
		return;
	machine_sid_text(machine, sid, name);
	machine_note(machine, "%s cannot ask as another function; ignored",
		     name);
}

static void finish_requesters(struct machine *machine)
{
	struct uiommu_topology *topology = &machine->topology;
	struct uiommu_sid vmd = { 0, 0 };
	uint32_t count = finish_vmd(machine, &vmd), unknown = 0;

	for (uint32_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *f = &machine->functions[i];

		if (f->has_requester)
			finish_ask_as(machine, f->sid, f->requester);
	}
	for (uint32_t i = 0; i < topology->count; i++) {
		const struct uiommu_pci_function *f = &topology->functions[i];

		if (f->domain <= 0xffff || f->has_requester)
			continue;
		if (count == 1)
			finish_ask_as(machine, f->sid, vmd);
		else
			unknown++;
	}
	if (unknown)
		machine_note(machine,
			     "%u functions are in a domain above ffff, and %s "
			     "could ask for them; how they are grouped with "
			     "the rest cannot be told",
			     unknown,
			     count ? "several volume management devices"
				   : "no volume management device");
}

static uint32_t finish_read32(const struct machine_function *f, uint32_t offset)
{
	const uint8_t *byte = f->config + offset;

	if (offset + 4 > f->size)
		return 0xffffffff;
	return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 |
	       (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

/* Is it known that there is more to know? */
static bool finish_is_partial(const struct machine *machine,
			      const struct machine_function *f)
{
	uint32_t at = uiommu_topology_find(&machine->topology, f->sid);

	if (at == UIOMMU_PCI_NONE || f->silent ||
	    f->size >= MACHINE_CONFIG_SIZE)
		return false;
	if (f->size < 256) /* "Status Register", Capabilities List */
		return finish_read32(f, 4) & UIOMMU_BIT32(20);
	return machine->topology.functions[at].pcie_type !=
	       UIOMMU_PCI_CONVENTIONAL;
}

void machine_finish(struct machine *machine)
{
	finish_requesters(machine);
	machine->partial_count = 0;
	for (uint32_t i = 0; i < machine->function_count; i++)
		machine->partial_count += finish_is_partial(
			machine, &machine->functions[i]);
	if (machine->partial_count)
		machine_note(
			machine,
			"%u of %u functions without extended configuration "
			"space: what isolates them (ACS) is not in view, "
			"and groups may come out too large; read it as "
			"root (lspci -xxxx)",
			machine->partial_count, machine->function_count);
}
