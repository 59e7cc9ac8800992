// SPDX-License-Identifier: MIT
/*
 * What a source makes of a file, for tests to compare:
 *	source_dump [from=BUNDLE] [lspci=FILE] [dmar=FILE]
 */
#include <string.h>

#include "plan_both.h"

static int load(struct machine *machine, const char *word,
		struct machine_error *error)
{
	if (!strncmp(word, "from=", 5))
		return machine_read_bundle(machine, word + 5, error);
	if (!strncmp(word, "lspci=", 6))
		return machine_read_lspci(machine, word + 6, error);
	if (!strncmp(word, "dmar=", 5))
		return machine_load_dmar(machine, word + 5, error);
	machine_fail(error, "usage: source_dump [from=|lspci=|dmar=]FILE...");
	return -1;
}

static void dump_function(const struct machine *machine, uint32_t index)
{
	const struct uiommu_pci_function *f =
		&machine->topology.functions[index];
	const struct machine_function *known = machine_find(machine, f->sid);
	char name[MACHINE_SID_SIZE], other[MACHINE_SID_SIZE];

	machine_sid_text(machine, f->sid, name);
	printf("function %s %04x:%04x class %06x header %u type %u", name,
	       f->vendor, f->device, f->class_code, f->header_type,
	       f->pcie_type);
	printf(" buses %02x-%02x acs %04x/%04x", f->secondary_bus,
	       f->subordinate_bus, f->acs_capability, f->acs_control);
	printf(" subsystem %04x:%04x", f->subsystem_vendor, f->subsystem);
	printf("%s%s%s", f->multifunction ? " multi" : "",
	       f->ats_offset ? " ats" : "", f->sriov_offset ? " sriov" : "");
	if (f->virtual_function) {
		machine_sid_text(machine, f->physical, other);
		printf(" physical %s", other);
	}
	if (f->has_requester) {
		machine_sid_text(machine, f->requester, other);
		printf(" requester %s", other);
	}
	if (known)
		printf(" bytes %u driver '%s'", known->size, known->driver);
	printf("\n");
}

static void dump(struct machine *machine)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < machine->table_size; i++)
		sum = sum * 31 + machine->table[i];
	printf("table %zu %08x\n", machine->table_size, sum);
	for (uint32_t i = 0; i < machine->topology.count; i++)
		dump_function(machine, i);
	for (uint32_t i = 0; i < machine->group_count; i++) {
		const struct machine_group *g = &machine->groups[i];

		printf("group %u", g->number);
		for (uint32_t j = 0; j < g->member_count; j++)
			printf(" %s%s", g->members[j].name,
			       g->members[j].pci ? "" : "(?)");
		printf("\n");
	}
	printf("partial %u\n", machine->partial_count);
	for (uint32_t i = 0; i < machine->note_count; i++)
		printf("note %s\n", machine->notes[i]);
}

int main(int argc, char **argv)
{
	struct machine_error error = { "" };
	struct machine machine;
	int err = 0;

	machine_init(&machine);
	for (int i = 1; i < argc && !err; i++)
		err = load(&machine, argv[i], &error);
	if (!err)
		err = machine_prepare(&machine, &error);
	if (!err) {
		dump(&machine);
		err = plan_both(&machine, stdout);
	}
	if (err)
		fprintf(stderr, "%s\n", error.text);
	machine_fini(&machine);
	return err ? 1 : 0;
}
