// SPDX-License-Identifier: MIT
/* uiommu capture: a machine into a file that every command takes. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static void capture_say(const struct ask *ask, const struct machine *machine)
{
	struct out out;

	out_init(&out, stderr, ask->colour);
	for (uint32_t i = 0; i < machine->note_count; i++)
		out_wrap(&out, OUT_DIM, "note: ", "%s", machine->notes[i]);
	out_wrap(&out, OUT_GOOD, "",
		 "%s: %u functions, %s DMAR table, %u groups of Linux's; no "
		 "serial numbers, no network addresses. Look at it: uiommu "
		 "--from %s",
		 ask->output, machine->function_count,
		 machine->table ? "the" : "no", machine->group_count,
		 ask->output);
}

int cmd_capture(const struct ask *ask)
{
	struct machine_error error = { "" };
	struct machine machine;
	int err;

	if (!ask->output) {
		fprintf(stderr, "uiommu: say where to write: uiommu capture "
				"-o FILE\n");
		return ASK_USAGE;
	}
	err = source_of(ask, &machine, &error);
	if (!err) {
		err = machine_capture(&machine, ask->output, &error);
		if (!err && strcmp(ask->output, "-"))
			capture_say(ask, &machine);
		machine_fini(&machine);
	}
	if (err)
		fprintf(stderr, "uiommu: %s\n", error.text);
	return err ? ASK_FINDINGS : ASK_FINE;
}
