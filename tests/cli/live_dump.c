// SPDX-License-Identifier: MIT
/*
 * What the live source reads and the bundle writer writes, for live_test.py:
 *
 *	live_dump live ROOT OUT | bundle FILE OUT     "-": standard output
 *	live_dump topology FILE
 *	live_dump names LIST VENDOR DEVICE CLASS      "": the system's list
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "names.h"

static int dump_names(char **argv)
{
	struct names names;
	char device[NAMES_SIZE], class_name[NAMES_SIZE];

	names_init(&names, argv[2][0] ? argv[2] : NULL);
	for (int again = 0; again < 2; again++)
		printf("%s\n%s\n",
		       names_device(&names,
				    (uint16_t)strtoul(argv[3], NULL, 16),
				    (uint16_t)strtoul(argv[4], NULL, 16),
				    device, sizeof(device)),
		       names_class(&names, (uint32_t)strtoul(argv[5], NULL, 16),
				   class_name, sizeof(class_name)));
	names_fini(&names);
	return 0;
}

static void dump_topology(const struct machine *machine)
{
	for (uint32_t i = 0; i < machine->topology.count; i++) {
		const struct uiommu_pci_function *f =
			&machine->topology.functions[i];
		char name[MACHINE_SID_SIZE];

		machine_sid_text(machine, f->sid, name);
		printf("%s %04x:%04x domain %x%s%s%s\n", name, f->vendor,
		       f->device, f->domain,
		       f->virtual_function ? " virtual" : "",
		       f->external_facing ? " external_facing" : "",
		       f->untrusted ? " untrusted" : "");
	}
	for (uint32_t i = 0; i < machine->group_count; i++)
		for (uint32_t j = 0; j < machine->groups[i].member_count; j++)
			printf("member %s%s\n",
			       machine->groups[i].members[j].name,
			       machine->groups[i].members[j].pci ? " pci" : "");
}

static int dump(struct machine *machine, char **argv,
		struct machine_error *error)
{
	if (strcmp(argv[1], "live")
		    ? machine_read_bundle(machine, argv[2], error)
		    : machine_read_live(machine, argv[2], error))
		return -1;
	if (strcmp(argv[1], "topology"))
		return machine_capture(machine, argv[3], error);
	if (machine_prepare(machine, error))
		return -1;
	dump_topology(machine);
	return 0;
}

int main(int argc, char **argv)
{
	struct machine_error error = { "" };
	struct machine machine;
	int err;

	if (argc == 6 && !strcmp(argv[1], "names"))
		return dump_names(argv);
	if (argc != (argc > 1 && !strcmp(argv[1], "topology") ? 3 : 4))
		return 2;
	machine_init(&machine);
	err = dump(&machine, argv, &error);
	if (err)
		fprintf(stderr, "live_dump: %s\n", error.text);
	machine_fini(&machine);
	return err ? 1 : 0;
}
