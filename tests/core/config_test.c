// SPDX-License-Identifier: MIT
/*
 * What the host says of itself: options as text, wishes for groups, windows of
 * host bridges; and what groups make of regions.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "fake.h"
#include "machine.h"

#define GIB 0x40000000ull
#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);
static const struct uiommu_sid pair[] = { MACHINE_SID(0, 4, 0),
					  MACHINE_SID(0, 4, 1) };

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

static enum uiommu_domain_type type_of(struct machine *machine,
				       struct uiommu_sid sid)
{
	return uiommu_domain_type(
		uiommu_group_default_domain(machine_group(machine, sid)));
}

/* Text goes over the struct; what it does not mention stays. */
static void test_text(void **state)
{
	struct machine *machine = *state;
	char text[] = "quiet iommu=nopt,fish iommu.passthrough=1 "
		      "intel_iommu=\x01,sp_off,sm_on";

	machine->options.options.passthrough = UIOMMU_CHOICE_NO;
	machine->options.options_text = text;
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	memset(text, 'x', sizeof(text) - 1); /* it was read */
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_true(user_logged(machine->host, "offset 17: fish: unknown"));
	assert_true(user_logged(machine->host, "offset 54: ?: unknown"));
	assert_true(user_logged(machine->host, "scalable"));
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	machine_down(machine);

	assert_int_equal(set_up(state), 0);
	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	machine->options.options_text = "iommu.strict=1";
	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	machine_down(machine);
}

static void test_many_findings(void **state)
{
	struct machine *machine = *state;

	machine->options.options_text = "iommu=a,b,c,d,e,f,g,h,i,j,k";
	machine_up(machine);
	assert_true(user_logged(machine->host, "offset 20: h: "));
	assert_false(user_logged(machine->host, "offset 22: i: "));
	assert_true(user_logged(machine->host, "options: 3 more"));
	machine_down(machine);
}

/* sp_off: leaves of 4 KiB wherever the library makes tables. */
static void test_small_pages(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct uiommu_domain *own;
	uint64_t before;

	machine->options.options_text = "intel_iommu=sp_off";
	machine_up(machine);
	group = machine_group(machine, alone);
	assert_int_equal(uiommu_domain_create(&group, 1, &own), UIOMMU_OK);
	before = uiommu_domain_table_pages(own);
	assert_int_equal(uiommu_domain_map(
				 own, (struct uiommu_range){ GIB, 2 * GIB - 1 },
				 GIB, RW),
			 UIOMMU_OK);
	assert_true(uiommu_domain_table_pages(own) - before >= 512);
	assert_int_equal(uiommu_domain_put(machine->uiommu, own), UIOMMU_OK);
	machine_down(machine);
}

static void test_wishes(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan_override wish[] = {
		{ .sid = MACHINE_ALONE, .type = UIOMMU_DOMAIN_IDENTITY },
		{ .sid = MACHINE_PAIR1, .type = UIOMMU_DOMAIN_IDENTITY },
	};

	machine->options.overrides = wish;
	machine->options.override_count = 2;
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	memset(wish, 0xff, sizeof(wish)); /* copied */
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(type_of(machine, pair[0]), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(type_of(machine, MACHINE_NVME), UIOMMU_DOMAIN_DMA);
	machine_down(machine);

	/* The build's default, and what rules it out. */
	assert_int_equal(set_up(state), 0);
	machine->options.build_default = UIOMMU_DOMAIN_IDENTITY;
	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	machine_down(machine);
	assert_int_equal(set_up(state), 0);
	machine->options.build_default = UIOMMU_DOMAIN_IDENTITY;
	machine->options.memory_encryption = true;
	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_DMA);
	machine_down(machine);
}

/* off, in each way to say it: units alone, devices free, and back again. */
static void test_off(void **state)
{
	struct machine *machine = *state;

	for (unsigned int way = 0; way < 5; way++) {
		struct uiommu_device *device;
		uiommu_iova_t iova;

		assert_int_equal(set_up(state), 0);
		if (way == 0)
			machine->options.options.off = true;
		if (way == 1)
			machine->options.options_text = "iommu=off";
		if (way == 2)
			machine->options.options_text = "intel_iommu=off";
		if (way == 3)
			machine->options.build_off = true;
		if (way == 4) { /* and that is forced here */
			machine->options.build_off = true;
			machine->options.trusted_boot = true;
		}
		machine_up(machine);
		device = machine_device(machine, alone);
		if (way == 4) {
			assert_non_null(uiommu_device_group(device));
			machine_down(machine);
			continue;
		}
		assert_int_equal(fake.left, 1);
		assert_true(uiommu_plan(machine->uiommu)->off);
		assert_int_equal(uiommu_device_use(device), UIOMMU_OK);
		assert_null(uiommu_device_group(device));
		assert_null(uiommu_device_domain(device));
		assert_int_equal(uiommu_dma_map(device, 0x123456, 100,
						UIOMMU_DMA_TO_DEVICE, &iova),
				 UIOMMU_OK);
		assert_int_equal(iova, 0x123456);
		assert_true(user_logged(machine->host, "is off by option"));
		machine_down(machine);
	}
}

/* What host bridges take is given to nobody of that segment. */
static void test_windows(void **state)
{
	struct machine *machine = *state;
	static const struct uiommu_window windows[] = {
		{ 0, { 0x8000, 0xbeff } }, /* not of whole pages */
		{ 1, { 0x1000, 0x7fff } }, /* somebody else's */
	};
	struct uiommu_device *device;
	uiommu_iova_t iova = 0;
	uint32_t count;

	machine->options.windows = windows;
	machine->options.window_count = 2;
	machine_up(machine);
	device = machine_driver(machine, alone);
	(void)uiommu_group_regions(machine_group(machine, alone), &count);
	assert_int_equal(count, 1); /* not listed */
	assert_int_equal(uiommu_device_set_dma_mask(device, 0xffff), UIOMMU_OK);
	for (unsigned int i = 0; i < 11; i++) {
		assert_int_equal(uiommu_dma_map(device, 0x100000, 4096,
						UIOMMU_DMA_TO_DEVICE, &iova),
				 UIOMMU_OK);
		assert_true(iova < 0x8000 || iova > 0xbfff);
	}
	assert_int_equal(uiommu_dma_map(device, 0x100000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_ENOSPC);
	machine_down(machine);
}

/* Firmware keeps memory across the interrupt window: mapped is the rest. */
static void test_region_in_interrupts(void **state)
{
	struct machine *machine = *state;

	machine_reserve(machine, 0xfedff000, 0xfef00fff, &alone, 1);
	machine_up(machine);
	assert_true(fake_reaches(alone, 0xfedff000, RW, NULL));
	assert_true(fake_reaches(alone, 0xfedfffff, RW, NULL));
	assert_false(fake_reaches(alone, 0xfee00000, UIOMMU_PROT_READ, NULL));
	assert_false(fake_reaches(alone, 0xfeefffff, UIOMMU_PROT_READ, NULL));
	assert_true(fake_reaches(alone, 0xfef00fff, RW, NULL));
	machine_down(machine);
}

/* A region of 64 GiB is there to the last byte, in few pages of tables. */
static void test_large_region(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_range all = { 64 * GIB, 128 * GIB - 1 };
	struct uiommu_domain *own;

	user_dmar_begin(&machine->dmar, 48);
	user_dmar_unit(&machine->dmar, 0, machine->config.units[0].base, true);
	machine_reserve(machine, all.first, all.last, pair, 2);
	machine_up(machine);
	own = uiommu_group_domain(machine_group(machine, pair[0]));
	assert_true(uiommu_domain_table_pages(own) < 16);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(fake_reaches(pair[i], all.first, RW, NULL));
		assert_true(fake_reaches(pair[i], all.last, RW, NULL));
		assert_false(fake_reaches(pair[i], all.first - 1, RW, NULL));
		assert_false(fake_reaches(pair[i], all.last + 1, RW, NULL));
	}
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_text, set_up),
		cmocka_unit_test_setup(test_many_findings, set_up),
		cmocka_unit_test_setup(test_small_pages, set_up),
		cmocka_unit_test_setup(test_wishes, set_up),
		cmocka_unit_test_setup(test_off, set_up),
		cmocka_unit_test_setup(test_windows, set_up),
		cmocka_unit_test_setup(test_region_in_interrupts, set_up),
		cmocka_unit_test_setup(test_large_region, set_up),
	};

	return cmocka_run_group_tests_name("core config", tests, NULL, NULL);
}
