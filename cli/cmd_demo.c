// SPDX-License-Identifier: MIT
/* uiommu demo: the machine that is built in, at a glance and at work. */
#include "cmd.h"
#include "demo.h"

static int demo_work(const struct ask *ask)
{
	struct machine machine;
	struct study study;
	struct out out;
	bool ok;

	if (study_of(ask, ask->options, &machine, &study))
		return ASK_FINDINGS;
	out_init(&out, stdout, ask->colour);
	ok = demo_live(&out, &machine, &study);
	fputc('\n', stdout);
	out_say(&out, OUT_DIM,
		"Any command goes on: uiommu demo explain 0000:01:00.0, "
		"uiommu demo report -o demo.html\n");
	study_fini(&study);
	machine_fini(&machine);
	return ok ? ASK_FINE : ASK_FINDINGS;
}

int cmd_demo(const struct ask *ask)
{
	int status = cmd_groups(ask);

	if (ask->json)
		return status;
	fputc('\n', stdout);
	return status | demo_work(ask);
}
