// SPDX-License-Identifier: MIT
/*
 * The machine that this runs on. What needs root and what is not there is
 * noted, each once: what is missing, what that costs, what to do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "text.h"

#define LIVE_TABLES "/sys/firmware/acpi/tables"
#define LIVE_TABLE_MOST 0x20000u /* as in a bundle */

static int live_field(struct live *live, char **field, const char *path)
{
	char line[4200];

	if (!live_line(live, line, sizeof(line), "%s", path)) {
		machine_note(live->machine, "%s: %s", path, strerror(errno));
		return 0;
	}
	return machine_set(field, line, live->error);
}

static int live_table(struct live *live)
{
	size_t size;
	char *bytes = live_load(live, &size, LIVE_TABLES "/DMAR");
	int err = 0;

	if (bytes && size && size <= LIVE_TABLE_MOST)
		err = machine_set_table(live->machine, bytes, size,
					live->error);
	else if (bytes)
		machine_note(live->machine,
			     "the firmware's DMAR table has %zu bytes; left "
			     "out",
			     size);
	else if (live_refused())
		live->table_refused = true;
	else if (errno == ENOENT || errno == ENOTDIR)
		live->table_absent = true;
	else
		machine_note(live->machine, LIVE_TABLES "/DMAR: %s",
			     strerror(errno));
	free(bytes);
	if (live->table_refused)
		machine_note(
			live->machine,
			"only root may read the firmware's DMAR table: "
			"units, scopes and reserved regions are not known, "
			"so no group can be worked out; run as root");
	return err;
}

/* What to do about an IOMMU that is missing or off. */
static void live_iommu(struct live *live)
{
	struct machine *machine = live->machine;

	if (live->table_absent && !live->foreign &&
	    live_exists(live, LIVE_TABLES "/IVRS")) {
		live->foreign = true;
		machine_note(machine,
			     "this machine has an AMD IOMMU (IVRS table); only "
			     "Intel VT-d is supported so far%s",
			     machine->group_count
				     ? ", so Linux's groups are shown and not "
				       "checked"
				     : "");
	}
	if (live->foreign)
		return;
	if (live->table_absent && !machine->unit_count)
		machine_note(
			machine,
			"no IOMMU: the firmware has no DMAR table. If the "
			"processor has VT-d, turn it on in the firmware's "
			"setup (\"VT-d\", \"Intel Virtualization Technology "
			"for Directed I/O\")");
	else if (!machine->unit_count && !machine->group_count)
		machine_note(machine,
			     "the firmware describes an IOMMU that Linux does "
			     "not use; to use it, boot with intel_iommu=on");
}

static int live_parts(struct live *live)
{
	struct machine *machine = live->machine;

	if (live_field(live, &machine->cmdline, "/proc/cmdline") ||
	    live_field(live, &machine->kernel, "/proc/sys/kernel/osrelease") ||
	    live_table(live) || live_functions(live) || live_groups(live) ||
	    live_units(live) || live_memory(live) || live_log(live))
		return -1;
	live_iommu(live);
	if (machine->function_count || machine->group_count)
		return 0;
	machine_fail(live->error,
		     "%.200s has no PCI devices that can be seen "
		     "(/sys/bus/pci/devices); --from FILE shows another "
		     "machine",
		     machine->source);
	return -1;
}

int machine_read_live(struct machine *machine, const char *root,
		      struct machine_error *error)
{
	struct live live = { .machine = machine, .error = error, .root = root };

	/* Room for what is appended, here and in libpci. */
	if (strlen(root) > LIVE_PATH_SIZE / 2) {
		machine_fail(error, "%.80s...: the name is too long", root);
		return -1;
	}
	if (machine_set(&machine->source, *root ? root : "this machine", error))
		return -1;
	return live_parts(&live);
}
