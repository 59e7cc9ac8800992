// SPDX-License-Identifier: MIT
/* The machine that the command line names, read and thought through. */
#include <stdio.h>
#include <string.h>

#include "demo.h"
#include "study.h"

#define SOURCE_SUPPOSED_MOST 4096u

static int source_read(const struct ask *ask, struct machine *machine,
		       struct machine_error *error)
{
	if (ask->demo)
		return machine_read_demo(machine, error);
	if (ask->from)
		return machine_read_bundle(machine, ask->from, error);
	if (ask->lspci && machine_read_lspci(machine, ask->lspci, error))
		return -1;
	if (ask->dmar && machine_load_dmar(machine, ask->dmar, error))
		return -1;
	if (ask->dmar && !ask->lspci) /* a table without a machine */
		return machine_set(&machine->source, ask->dmar, error);
	if (ask->lspci)
		return 0;
	return machine_read_live(machine, ask->root, error);
}

int source_of(const struct ask *ask, struct machine *machine,
	      struct machine_error *error)
{
	int err;

	machine_init(machine);
	err = source_read(ask, machine, error);
	if (!err)
		err = machine_prepare(machine, error);
	if (err)
		machine_fini(machine);
	return err;
}

/* One unit that takes all of a segment, for each segment. */
static size_t source_suppose_bytes(const struct machine *machine,
				   uint8_t *table)
{
	static const uint8_t head[] = "DMAR\0\0\0\0\001\0UIOMMUSUPPOSED";
	size_t size = 48;
	uint8_t sum = 0;

	memset(table, 0, 48);
	memcpy(table, head, sizeof(head) - 1);
	table[36] = 47; /* address bits, less one */
	for (uint32_t i = 0; i < machine->topology.count; i++) {
		uint16_t segment = machine->topology.functions[i].sid.segment;
		uint8_t *unit = table + size;

		if (i &&
		    machine->topology.functions[i - 1].sid.segment == segment)
			continue;
		if (size + 16 > SOURCE_SUPPOSED_MOST)
			break;
		memset(unit, 0, 16);
		unit[2] = 16;
		unit[4] = UIOMMU_DRHD_INCLUDE_PCI_ALL;
		unit[6] = (uint8_t)segment;
		unit[7] = (uint8_t)(segment >> 8);
		unit[9] = (uint8_t)(size >> 4 << 4); /* registers: made up */
		unit[10] = (uint8_t)(size >> 8);
		unit[11] = 0xfe;
		size += 16;
	}
	table[4] = (uint8_t)size;
	table[5] = (uint8_t)(size >> 8);
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
	return size;
}

/*
 * Groups need no table as long as one unit or another covers all, as on nearly
 * every machine; so text of lspci alone is good for groups.
 */
static int source_suppose(struct machine *machine, struct machine_error *error)
{
	uint8_t table[SOURCE_SUPPOSED_MOST];
	size_t size = source_suppose_bytes(machine, table);

	machine_note(machine,
		     "the DMAR table is not known (--dmar FILE gives it): "
		     "groups are as if units covered every device; what "
		     "firmware keeps, and which unit it is, cannot be told");
	machine->supposed_table = true;
	if (machine_set_table(machine, table, size, error))
		return -1;
	return machine_read_table(machine, error);
}

int study_of(const struct ask *ask, const char *options,
	     struct machine *machine, struct study *study)
{
	struct machine_error error = { "" };
	int err = source_of(ask, machine, &error);

	if (!err && ask->command->takes & ASK_SUPPOSE && !machine->table &&
	    machine->topology.count && !machine->partial_count &&
	    (ask->lspci || machine->group_count))
		err = source_suppose(machine, &error);
	if (!err && machine->cmdline &&
	    strstr(machine->cmdline, "pcie_acs_override"))
		machine_note(machine,
			     "this kernel is patched to believe isolation "
			     "that is not there (pcie_acs_override); its "
			     "groups are not what the hardware keeps apart");
	if (!err) {
		err = study_make(study, machine, ask, options, &error);
		if (err)
			machine_fini(machine);
	}
	if (err)
		fprintf(stderr, "uiommu: %s\n", error.text);
	return err;
}
