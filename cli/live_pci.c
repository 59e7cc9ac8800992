// SPDX-License-Identifier: MIT
/* The functions of this machine: sysfs, and configuration space by libpci. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "live.h"
#include "pcilib.h"
#include "privacy.h"
#include "text.h"

#define LIVE_DEVICES "/sys/bus/pci/devices"

/*
 * Linux calls removable what is below a port that faces outside, and does not
 * trust it. The port itself says nothing; it is found by what is below it.
 */
static int live_outside(struct live *live, const char *name,
			struct machine_function *function)
{
	char line[32], path[LIVE_PATH_SIZE];
	struct machine_function *port;
	struct uiommu_sid sid;
	struct machine_error ignored;
	char *end;

	if (!live_line(live, line, sizeof(line), LIVE_DEVICES "/%s/removable",
		       name) ||
	    strcmp(line, "removable"))
		return 0;
	function->untrusted = true;
	if (!live_link(live, path, sizeof(path), LIVE_DEVICES "/%s", name))
		return 0;
	end = strrchr(path, '/');
	if (!end)
		return 0;
	*end = 0;
	name = live_base(path);
	if (machine_sid(live->machine, name, &sid, &ignored) ||
	    (live_line(live, line, sizeof(line), LIVE_DEVICES "/%s/removable",
		       name) &&
	     !strcmp(line, "removable")))
		return 0;
	/* May move the array: @function is not used after it. */
	port = machine_function(live->machine, sid, live->error);
	if (!port)
		return -1;
	port->external_facing = true;
	return 0;
}

/* A virtual function's configuration space does not tell who it is. */
static void live_virtual(struct live *live, const char *name,
			 struct machine_function *function)
{
	char path[LIVE_PATH_SIZE];
	struct machine_error ignored;
	uint64_t vendor, device;

	if (!live_link(live, path, sizeof(path), LIVE_DEVICES "/%s/physfn",
		       name) ||
	    machine_sid(live->machine, live_base(path), &function->physfn,
			&ignored))
		return;
	function->has_physfn = true;
	if (live_hex(live, &vendor, LIVE_DEVICES "/%s/vendor", name) &&
	    live_hex(live, &device, LIVE_DEVICES "/%s/device", name) &&
	    vendor <= 0xffff && device <= 0xffff) {
		function->vendor = (uint16_t)vendor;
		function->device = (uint16_t)device;
	}
}

/* libpci opens whatever is there and would wait for the end of a pipe. */
static bool live_config_plain(const struct live *live, const char *name)
{
	char path[LIVE_PATH_SIZE];
	struct stat is;

	return snprintf(path, sizeof(path), "%s" LIVE_DEVICES "/%s/config",
			live->root, name) < (int)sizeof(path) &&
	       !stat(path, &is) && S_ISREG(is.st_mode);
}

static int live_config(struct live *live, struct pci_access *access,
		       const char *name, struct machine_function *function)
{
	uint8_t config[MACHINE_CONFIG_SIZE];
	uint32_t size = 0;

	if (live_config_plain(live, name))
		size = pcilib_config(access, function->domain,
				     function->sid.rid, config);

	live->no_config += !size;
	live->short_config += size == 64;
	if (!size)
		return 0;
	privacy_config(config, size);
	return machine_set_config(function, config, size, live->error);
}

static int live_function(struct live *live, struct pci_access *access,
			 const char *name)
{
	char path[LIVE_PATH_SIZE];
	struct machine_function *function;
	struct machine_error what;
	struct uiommu_sid sid;

	if (machine_sid(live->machine, name, &sid, &what)) {
		machine_note(live->machine,
			     LIVE_DEVICES "/%.64s is left out: "
					  "%.200s",
			     name, what.text);
		return 0;
	}
	function = machine_function(live->machine, sid, live->error);
	if (!function || live_config(live, access, name, function))
		return -1;
	if (live_link(live, path, sizeof(path), LIVE_DEVICES "/%s/driver",
		      name))
		snprintf(function->driver, sizeof(function->driver), "%.31s",
			 live_base(path));
	live_virtual(live, name, function);
	return live_outside(live, name, function);
}

static void live_config_notes(struct live *live)
{
	struct machine *machine = live->machine;

	if (live->short_config)
		machine_note(
			machine,
			"%u of %u functions show only 64 bytes of "
			"configuration space: their capabilities (PCI "
			"Express, ACS) are not known, so the groups worked "
			"out here may be wrong; run as root",
			live->short_config, machine->function_count);
	if (live->no_config)
		machine_note(machine,
			     "the configuration space of %u of %u functions "
			     "cannot be read; they are in no group here",
			     live->no_config, machine->function_count);
	if (live_exists(live, "/sys/bus/thunderbolt/devices/domain0") ||
	    (machine->table_size > 37 && machine->table[37] & 4))
		machine_note(machine,
			     "which ports face outside (Thunderbolt) is known "
			     "only of those where something is plugged in: "
			     "Linux does not show the rest");
}

int live_functions(struct live *live)
{
	char sysfs[LIVE_PATH_SIZE];
	struct pci_access *access;
	struct live_names names;
	int err = 0;

	if (live_names(live, &names, LIVE_DEVICES)) {
		machine_note(live->machine, LIVE_DEVICES ": %s",
			     strerror(errno));
		return 0;
	}
	snprintf(sysfs, sizeof(sysfs), "%s/sys/bus/pci", live->root);
	access = pcilib_open(sysfs, NULL);
	if (!access) {
		machine_fail(live->error, "libpci cannot read %.200s", sysfs);
		err = -1;
	}
	for (uint32_t i = 0; !err && i < names.count; i++)
		err = live_function(live, access, names.names[i]);
	pcilib_close(access);
	live_names_free(&names);
	if (!err)
		live_config_notes(live);
	return err;
}
