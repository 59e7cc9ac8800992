// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define MACHINE_ACS                                                   \
	(UIOMMU_ACS_SOURCE_VALIDATION | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)

/* clang-format off */
static const struct user_function machine_functions[] = {
	{ .sid = MACHINE_SID(0, 0, 0), .vendor = 0x1234, .device = 1,
	  .class_code = 0x060000, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
	{ .sid = MACHINE_SID(0, 2, 0), .vendor = 0x1234, .device = 2,
	  .class_code = 0x00ff00,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = MACHINE_SID(0, 3, 0), .vendor = 0x1234, .device = 3,
	  .class_code = 0x00ff00,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = MACHINE_SID(0, 4, 0), .vendor = 0x1234, .device = 4,
	  .class_code = 0x00ff00, .multifunction = true,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = MACHINE_SID(0, 4, 1), .vendor = 0x1234, .device = 5,
	  .class_code = 0x00ff00, .multifunction = true,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = MACHINE_SID(0, 5, 0), .vendor = 0x1234, .device = 11,
	  .class_code = 0x0c0330,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = MACHINE_SID(0, 0x1c, 0), .vendor = 0x1234, .device = 6,
	  .class_code = 0x060400, .header_type = 1,
	  .pcie_type = UIOMMU_PCIE_ROOT_PORT, .secondary = 1,
	  .subordinate = 1, .acs = MACHINE_ACS },
	{ .sid = MACHINE_SID(0, 0x1d, 0), .vendor = 0x1234, .device = 6,
	  .class_code = 0x060400, .header_type = 1,
	  .pcie_type = UIOMMU_PCIE_ROOT_PORT, .secondary = 2,
	  .subordinate = 3, .acs = MACHINE_ACS },
	{ .sid = MACHINE_SID(1, 0, 0), .vendor = 0x1234, .device = 7,
	  .class_code = 0x010802, .pcie_type = UIOMMU_PCIE_ENDPOINT },
	{ .sid = MACHINE_SID(2, 0, 0), .vendor = 0x1234, .device = 8,
	  .class_code = 0x060400, .header_type = 1,
	  .pcie_type = UIOMMU_PCIE_TO_PCI_BRIDGE, .secondary = 3,
	  .subordinate = 3 },
	{ .sid = MACHINE_SID(3, 1, 0), .vendor = 0x1234, .device = 9,
	  .class_code = 0x00ff00, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
	{ .sid = MACHINE_SID(3, 2, 0), .vendor = 0x1234, .device = 10,
	  .class_code = 0x00ff00, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
};
/* clang-format on */

void machine_describe(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	user_config_default(&machine->config);
	machine->config.functions = machine_functions;
	machine->config.function_count = sizeof(machine_functions) /
					 sizeof(machine_functions[0]);
	user_dmar_begin(&machine->dmar, 39);
	user_dmar_unit(&machine->dmar, 0, machine->config.units[0].base, true);
	machine->options.timeout_us = 2000;
}

void machine_reserve(struct machine *machine, uint64_t first, uint64_t last,
		     const struct uiommu_sid *sids, unsigned int count)
{
	user_dmar_reserve(&machine->dmar, 0, first, last);
	for (unsigned int i = 0; i < count; i++)
		user_dmar_scope(&machine->dmar, UIOMMU_SCOPE_ENDPOINT, sids[i]);
}

void machine_build(struct machine *machine)
{
	user_dmar_end(&machine->dmar);
	machine->options.dmar = machine->dmar.bytes;
	machine->options.dmar_size = machine->dmar.size;
	machine->host = user_host_create(&machine->config);
	if (getenv("UIOMMU_TEST_LOG"))
		machine->host->log = stdout;
}

int machine_scan(struct machine *machine)
{
	int err = uiommu_create(machine->host, &machine->options,
				&machine->uiommu);

	if (err)
		return err;
	err = uiommu_scan_pci(machine->uiommu, 0, 0, 15);
	if (err) {
		uiommu_destroy(machine->uiommu);
		machine->uiommu = NULL;
	}
	return err;
}

void machine_up(struct machine *machine)
{
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
}

void machine_down(struct machine *machine)
{
	uiommu_stop(machine->uiommu);
	uiommu_destroy(machine->uiommu);
	assert_int_equal(machine->host->pages, 0);
	assert_int_equal(machine->host->windows, 0);
	assert_int_equal(machine->host->locks, 0);
	user_host_destroy(machine->host);
}

struct uiommu_device *machine_device(struct machine *machine,
				     struct uiommu_sid sid)
{
	struct uiommu_device *device = uiommu_device_find(machine->uiommu, sid);

	assert_non_null(device);
	return device;
}

struct uiommu_device *machine_driver(struct machine *machine,
				     struct uiommu_sid sid)
{
	struct uiommu_device *device = machine_device(machine, sid);

	assert_int_equal(uiommu_device_use(device), UIOMMU_OK);
	return device;
}

struct uiommu_group *machine_group(struct machine *machine,
				   struct uiommu_sid sid)
{
	struct uiommu_group *group = uiommu_device_group(
		machine_device(machine, sid));

	assert_non_null(group);
	return group;
}
