// SPDX-License-Identifier: MIT
/* Making an instance: arguments, the table, and every failure on the way. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/fault.h>

#include "fake.h"
#include "machine.h"

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

static void test_arguments(void **state)
{
	struct machine *machine = *state;
	struct uiommu_config config;
	struct uiommu *uiommu = (struct uiommu *)0x5a5a;

	machine_build(machine);
	config = machine->options;
	config.dmar = NULL;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.dmar_size = 0;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.options.passthrough = (enum uiommu_choice)3;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.options.strict = (enum uiommu_choice) - 1;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.options.superpages = (enum uiommu_choice)7;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	assert_ptr_equal(uiommu, (struct uiommu *)0x5a5a);
	assert_int_equal(machine->host->calls, 0);
	user_host_destroy(machine->host);
}

/* What the host says of itself is looked at before anything is done. */
static void test_host_arguments(void **state)
{
	struct machine *machine = *state;
	struct uiommu_config config;
	struct uiommu *uiommu = (struct uiommu *)0x5a5a;
	const struct uiommu_range backwards = { 0x2000, 0x1fff };
	const struct uiommu_window window = { 0, { 0x2000, 0x1fff } };
	const struct uiommu_plan_override override = {
		.sid = MACHINE_ALONE, .type = UIOMMU_DOMAIN_UNMANAGED
	};

	machine_build(machine);
	config = machine->options;
	config.build_default = UIOMMU_DOMAIN_BLOCKED;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.ram = &backwards;
	config.ram_count = 1;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.windows = &window;
	config.window_count = 1;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	config = machine->options;
	config.overrides = &override;
	config.override_count = 1;
	assert_int_equal(uiommu_create(machine->host, &config, &uiommu),
			 UIOMMU_EINVAL);
	assert_ptr_equal(uiommu, (struct uiommu *)0x5a5a);
	assert_int_equal(machine->host->calls, 0);
	user_host_destroy(machine->host);
}

/* A table cut anywhere is refused with a reason, and nothing stays. */
static void test_cut_table(void **state)
{
	struct machine *machine = *state;
	size_t whole;

	machine_build(machine);
	whole = machine->dmar.size;
	for (size_t size = 1; size < whole; size++) {
		machine->options.dmar_size = size;
		assert_int_equal(machine_scan(machine), UIOMMU_EBADTABLE);
		assert_int_equal(machine->host->pages, 0);
		assert_int_equal(machine->host->locks, 0);
		assert_false(fake.created);
	}
	assert_true(machine->host->line_count >= whole - 1);
	assert_true(user_logged(machine->host, "dmar: offset 0x"));
	user_host_destroy(machine->host);
}

/* More may be readable than the table is long; it is copied, not kept. */
static void test_copied(void **state)
{
	struct machine *machine = *state;

	machine_build(machine);
	machine->options.dmar_size = sizeof(machine->dmar.bytes);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	memset(machine->dmar.bytes, 0xff, sizeof(machine->dmar.bytes));
	assert_int_equal(uiommu_dmar(machine->uiommu)->record_count, 1);
	assert_int_equal(uiommu_dmar(machine->uiommu)->records[0].range.first,
			 0xfed90000);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	machine_down(machine);
}

/* What is odd is told with its offset. */
static void test_findings_logged(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_sid sid = MACHINE_ALONE;
	size_t at = machine->dmar.size;
	char where[32];

	/* An end below its begin. */
	machine_reserve(machine, 0x200000, 0x1fffff, &sid, 1);
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	snprintf(where, sizeof(where), "dmar: offset 0x%x",
		 (unsigned int)at & ~0xfu);
	where[strlen(where) - 1] = 0; /* the record or a field of it */
	assert_true(user_logged(machine->host, where));
	machine_down(machine);
}

static void machine_describe_host(struct machine *machine)
{
	static const struct uiommu_range ram = { 0, 0xffff };
	static const struct uiommu_window window = { 0, { 0x10000, 0x1ffff } };
	static const struct uiommu_plan_override override = {
		.sid = MACHINE_ALONE, .type = UIOMMU_DOMAIN_DMA
	};

	machine->options.ram = &ram;
	machine->options.ram_count = 1;
	machine->options.windows = &window;
	machine->options.window_count = 1;
	machine->options.overrides = &override;
	machine->options.override_count = 1;
}

static void test_host_failures(void **state)
{
	struct machine *machine = *state;
	unsigned int nth;
	int err;

	machine_describe_host(machine);
	machine_build(machine);
	for (nth = 1; nth < 1000; nth++) {
		uint64_t before = machine->host->calls;

		user_fail_at(machine->host, nth);
		err = machine_scan(machine);
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(machine->host->pages, 0);
		assert_int_equal(machine->host->locks, 0);
		assert_false(fake.created);
		assert_true(machine->host->calls >= before + nth);
	}
	assert_true(nth > 4);
	user_fail_at(machine->host, 0);
	machine_down(machine);
}

static void test_driver_fails(void **state)
{
	struct machine *machine = *state;

	machine_build(machine);
	fake.fail_op = 1;
	fake.fail_error = UIOMMU_ENODEV;
	assert_int_equal(machine_scan(machine), UIOMMU_ENODEV);
	assert_int_equal(machine->host->pages, 0);
	assert_int_equal(machine->host->locks, 0);
	user_host_destroy(machine->host);
}

/* Before start there is nothing to be found, and nothing happens. */
static void test_before_start(void **state)
{
	struct machine *machine = *state;
	struct uiommu_unit_info info;

	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_null(uiommu_plan(machine->uiommu));
	assert_null(uiommu_device_find(machine->uiommu, MACHINE_ALONE));
	assert_int_equal(uiommu_poll_faults(machine->uiommu), 0);
	assert_int_equal(fake.polls, 0);
	assert_int_equal(uiommu_unit_set_fault_interrupt(machine->uiommu, 0,
							 0xfee00000, 0x30),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_unit_info(machine->uiommu, 0, &info),
			 UIOMMU_OK);
	assert_int_equal(uiommu_unit_info(machine->uiommu, 1, &info),
			 UIOMMU_ENOENT);
	assert_non_null(uiommu_identity_domain(machine->uiommu));
	assert_int_equal(
		uiommu_domain_type(uiommu_identity_domain(machine->uiommu)),
		UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(
		uiommu_domain_type(uiommu_blocked_domain(machine->uiommu)),
		UIOMMU_DOMAIN_BLOCKED);
	uiommu_stop(machine->uiommu);
	machine_down(machine);
}

static void test_access_control(void **state)
{
	struct machine *machine = *state;
	uint64_t written;

	machine_build(machine);
	machine->options.keep_acs = true;
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(machine->host->config_writes, 0);
	uiommu_destroy(machine->uiommu);

	machine->options.keep_acs = false;
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	written = machine->host->config_writes;
	assert_int_equal(written, 2); /* two root ports */
	assert_int_equal(uiommu_scan_pci(machine->uiommu, 0, 0, 15),
			 UIOMMU_EEXIST);
	assert_int_equal(machine->host->config_writes, written);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_int_equal(uiommu_scan_pci(machine->uiommu, 0, 16, 20),
			 UIOMMU_EBUSY);
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_arguments, set_up),
		cmocka_unit_test_setup(test_host_arguments, set_up),
		cmocka_unit_test_setup(test_cut_table, set_up),
		cmocka_unit_test_setup(test_copied, set_up),
		cmocka_unit_test_setup(test_findings_logged, set_up),
		cmocka_unit_test_setup(test_host_failures, set_up),
		cmocka_unit_test_setup(test_driver_fails, set_up),
		cmocka_unit_test_setup(test_before_start, set_up),
		cmocka_unit_test_setup(test_access_control, set_up),
	};

	return cmocka_run_group_tests_name("core create", tests, NULL, NULL);
}
