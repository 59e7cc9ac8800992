// SPDX-License-Identifier: MIT
/*
 * On the software VT-d: what is refused takes nothing from who is not, a
 * region that may be dropped stands in nobody's way, and a unit that broke is
 * no loss to the others.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "machine.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull
#define OTHER_UNIT 0xfed91000ull

static int set_up(void **state)
{
	static struct machine machine;

	machine_describe(&machine);
	*state = &machine;
	return 0;
}

/* A bridge to somewhere else, which asks as all of its bus. */
#define APART MACHINE_SID(0, 6, 0)

static const struct user_function apart_functions[] = {
	{ .sid = MACHINE_ALONE,
	  .vendor = 0x1234,
	  .device = 2,
	  .class_code = 0x00ff00,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = MACHINE_OTHER,
	  .vendor = 0x1234,
	  .device = 3,
	  .class_code = 0x00ff00,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
	{ .sid = APART,
	  .vendor = 0x10b5,
	  .device = 0x87b0,
	  .class_code = 0x00ff00,
	  .pcie_type = UIOMMU_PCIE_INTEGRATED_ENDPOINT },
};

static bool writes(struct machine *machine, struct uiommu_sid sid,
		   uint64_t iova, const uint32_t *cpu, uint32_t value)
{
	uint32_t word = value;

	return user_dma(machine->host, sid, iova, true, &word, 4) == VTDM_OK &&
	       *cpu == value;
}

/* Who would join two groups is alone, and its sink takes nobody's name. */
static void test_apart(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	uiommu_iova_t iova;
	uint32_t *cpu;

	machine->config.functions = apart_functions;
	machine->config.function_count = 3;
	machine_build(machine);
	user_plug(machine->host, APART, false);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	device = machine_driver(machine, MACHINE_ALONE);
	assert_int_equal(uiommu_dma_alloc(device, 4096, (void **)&cpu, &iova),
			 UIOMMU_OK);

	user_plug(machine->host, APART, true);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 0), UIOMMU_OK);
	assert_ptr_not_equal(machine_group(machine, MACHINE_ALONE),
			     machine_group(machine, MACHINE_OTHER));
	assert_ptr_not_equal(machine_group(machine, APART),
			     machine_group(machine, MACHINE_ALONE));
	assert_int_equal(uiommu_device_use(machine_device(machine, APART)),
			 UIOMMU_EPERM);
	assert_true(writes(machine, MACHINE_ALONE, iova, cpu, 1));
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(
			uiommu_group_set_sink(machine_group(machine, APART),
					      !(i % 2)),
			UIOMMU_OK);
		assert_true(writes(machine, MACHINE_ALONE, iova, cpu, 2 + i));
	}
	assert_int_equal(uiommu_remove_device(machine_device(machine, APART)),
			 UIOMMU_OK);
	assert_true(writes(machine, MACHINE_ALONE, iova, cpu, 9));
	assert_int_equal(uiommu_dma_free(device, 4096, cpu, iova), UIOMMU_OK);
	uiommu_device_unuse(device);
	machine_down(machine);
}

/* R47, R55, R81: where the CPU has no store of 16 bytes, too. */
static void test_relaxable(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_sid usb = MACHINE_USB;
	struct uiommu_domain *domains[2];
	struct uiommu_device *device;
	struct uiommu_group *group;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &usb, 1);
	machine_build(machine);
	machine->host->no_store128 = true;
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	device = machine_device(machine, usb);
	group = uiommu_device_group(device);
	/* For the kernel's own changes the region has to stay. */
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_ENOTSUP);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(uiommu_domain_create(&group, 1, &domains[i]),
				 UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, state, domains[0]),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, state, domains[1]),
			 UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_ptr_equal(uiommu_device_domain(device),
			 uiommu_blocked_domain(machine->uiommu));
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_domain(group),
			 uiommu_group_default_domain(group));
	/* And has to stay again. */
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_ENOTSUP);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(uiommu_domain_put(machine->uiommu, domains[i]),
				 UIOMMU_OK);
	machine_down(machine);
}

/* Two units: that of @bridge is another one. */
static void two_units(struct machine *machine, struct uiommu_sid bridge)
{
	machine->config.unit_count = 2;
	machine->config.units[1] = machine->config.units[0];
	machine->config.units[1].base = OTHER_UNIT;
	user_dmar_begin(&machine->dmar, 39);
	user_dmar_unit(&machine->dmar, 0, OTHER_UNIT, false);
	user_dmar_scope(&machine->dmar, UIOMMU_SCOPE_BRIDGE, bridge);
	user_dmar_unit(&machine->dmar, 0, machine->config.units[0].base, true);
}

/* Changes on the unit that works cost nothing because another does not. */
static void test_healthy_unit(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	size_t pages = 0;

	two_units(machine, MACHINE_PORT);
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	vtdm_knobs(machine->host->units[1])->hang = VTDM_HANG_QUEUE;
	group = machine_group(machine, MACHINE_PCI0);
	assert_true(uiommu_group_claim(group, state) < 0);
	group = machine_group(machine, MACHINE_NVME);
	for (unsigned int i = 0; i < 50; i++) {
		assert_int_equal(
			uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_OK);
		assert_int_equal(
			uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			UIOMMU_OK);
		if (!i)
			pages = machine->host->pages;
		assert_int_equal(machine->host->pages, pages);
	}
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_NVME)),
		UIOMMU_OK);
	uiommu_stop(machine->uiommu);
	uiommu_destroy(machine->uiommu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_apart, set_up),
		cmocka_unit_test_setup(test_relaxable, set_up),
		cmocka_unit_test_setup(test_healthy_unit, set_up),
	};

	return cmocka_run_group_tests_name("change refused", tests, NULL, NULL);
}
