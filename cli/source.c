// SPDX-License-Identifier: MIT
/* The machine that the command line names, read and thought through. */
#include <stdio.h>

#include "demo.h"
#include "study.h"

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

int study_of(const struct ask *ask, const char *options,
	     struct machine *machine, struct study *study)
{
	struct machine_error error = { "" };
	int err = source_of(ask, machine, &error);

	if (!err) {
		err = study_make(study, machine, ask, options, &error);
		if (err)
			machine_fini(machine);
	}
	if (err)
		fprintf(stderr, "uiommu: %s\n", error.text);
	return err;
}
