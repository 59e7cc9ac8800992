// SPDX-License-Identifier: MIT
/* uiommu: who shares a group, which default domain each group gets, and why. */
#include "cmd.h"

#define MAIN_VIEW (ASK_SOURCE | ASK_RULES)

static const struct ask_command main_commands[] = {
	{ "groups", "", "the machine at a glance (what uiommu alone does)",
	  MAIN_VIEW | ASK_SUPPOSE | ASK_OPTIONS, 0, 0, cmd_groups },
	{ "explain", "DEVICE|GROUP", "every reason, and what would change it",
	  MAIN_VIEW | ASK_SUPPOSE | ASK_OPTIONS | ASK_WISHES, 1, 1,
	  cmd_explain },
	{ "plan", "", "what would be with other options, or other wishes",
	  MAIN_VIEW | ASK_SUPPOSE | ASK_OPTIONS | ASK_WISHES, 0, 0, cmd_plan },
	{ "regions", "", "reserved regions of each group",
	  MAIN_VIEW | ASK_OPTIONS, 0, 0, cmd_regions },
	{ "capture", "-o FILE", "this machine as a file that --from takes",
	  ASK_SOURCE | ASK_OUTPUT, 0, 0, cmd_capture },
	{ "units", "", "the IOMMU units and what they can do",
	  MAIN_VIEW | ASK_OPTIONS, 0, 0, cmd_units },
	{ "dmar", "[FILE]", "what a DMAR table says, and what is wrong in it",
	  ASK_SOURCE, 0, 1, cmd_dmar },
	{ "fault", "LINE|-", "what a DMAR fault in the kernel's log means",
	  MAIN_VIEW | ASK_OPTIONS, 1, 1, cmd_fault },
	{ "report", "", "the machine as one page: -o machine.html",
	  MAIN_VIEW | ASK_SUPPOSE | ASK_OPTIONS | ASK_OUTPUT, 0, 0,
	  cmd_report },
	{ "demo", "[COMMAND...]", "the same on a machine that is built in",
	  MAIN_VIEW | ASK_OPTIONS | ASK_DEMO, 0, 0, cmd_demo },
};

int main(int argc, char **argv)
{
	struct ask ask;
	int status = ask_read(&ask, argc, argv, main_commands,
			      sizeof(main_commands) / sizeof(main_commands[0]));

	return status < 0 ? ask.command->run(&ask) : status;
}
