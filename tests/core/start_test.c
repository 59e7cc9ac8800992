// SPDX-License-Identifier: MIT
/*
 * Start and stop: what stands when translation begins, and that a failure at
 * any point leaves nothing. Rnn: rows of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/fault.h>

#include "fake.h"
#include "machine.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d7fffffull /* 8 MiB */

static const struct uiommu_sid both[] = { MACHINE_SID(0, 2, 0),
					  MACHINE_SID(0, 3, 0) };
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
		uiommu_device_domain(machine_device(machine, sid)));
}

static void test_plan_applied(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan *plan;

	machine_up(machine);
	plan = uiommu_plan(machine->uiommu);
	assert_non_null(plan);
	assert_int_equal(plan->device_count,
			 uiommu_topology(machine->uiommu)->count);
	assert_true(fake.translating);
	for (uint32_t i = 0; i < plan->device_count; i++) {
		struct uiommu_sid sid =
			uiommu_topology(machine->uiommu)->functions[i].sid;
		struct uiommu_device *device = machine_device(machine, sid);
		struct uiommu_group *group = uiommu_device_group(device);
		uint32_t regions;

		assert_int_equal(uiommu_device_sid(device).rid, sid.rid);
		assert_non_null(group);
		assert_int_equal(uiommu_group_id(group),
				 plan->devices[i].group);
		assert_non_null(uiommu_device_domain(device));
		assert_ptr_equal(uiommu_device_domain(device),
				 uiommu_group_domain(group));
		assert_ptr_equal(uiommu_group_domain(group),
				 uiommu_group_default_domain(group));
		assert_int_equal(type_of(machine, sid), UIOMMU_DOMAIN_DMA);
		assert_non_null(fake_domain_of(sid));
		assert_non_null(uiommu_device_regions(device, &regions));
		assert_int_equal(regions, plan->devices[i].region_count);
	}
	assert_ptr_equal(machine_group(machine, MACHINE_PAIR0),
			 machine_group(machine, MACHINE_PAIR1));
	assert_ptr_equal(machine_group(machine, MACHINE_PCI0),
			 machine_group(machine, MACHINE_PCI1));
	assert_ptr_not_equal(machine_group(machine, MACHINE_ALONE),
			     machine_group(machine, MACHINE_OTHER));
	assert_null(uiommu_device_find(machine->uiommu, MACHINE_SID(9, 0, 0)));
	assert_int_equal(uiommu_poll_faults(machine->uiommu), 3);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_EBUSY);
	machine_down(machine);
}

/* R17, R52: passthrough attaches the one identity domain, without tables. */
static void test_passthrough(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;

	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	machine_up(machine);
	domain = uiommu_device_domain(machine_device(machine, MACHINE_ALONE));
	assert_ptr_equal(domain, uiommu_identity_domain(machine->uiommu));
	assert_ptr_equal(domain, uiommu_device_domain(machine_device(
					 machine, MACHINE_NVME)));
	assert_int_equal(fake.domains, 2);
	machine_down(machine);
}

/* A group for which identity cannot be made is translated, not refused. */
static void test_no_passthrough(void **state)
{
	struct machine *machine = *state;

	fake.no_passthrough = true;
	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	machine_up(machine);
	assert_int_equal(type_of(machine, MACHINE_ALONE), UIOMMU_DOMAIN_DMA);
	machine_down(machine);
}

/* R11: what firmware reserved is in the very domain that is attached, before
 * it is attached, hence before translation.
 */
static void check_direct_mapped(struct uiommu_hwdev *dev,
				struct uiommu_hwdomain *domain)
{
	unsigned int rid = dev->sids[0].rid;
	uiommu_paddr_t paddr;
	unsigned int prot;

	if (rid != both[0].rid && rid != both[1].rid)
		return;
	if (domain->type != UIOMMU_DOMAIN_DMA)
		return;
	for (uint64_t at = RESERVE_FIRST; at < RESERVE_LAST; at += 4096) {
		assert_int_equal(uiommu_pt_lookup(&domain->pt, at + 0x123,
						  &paddr, &prot),
				 UIOMMU_OK);
		assert_int_equal(paddr, at + 0x123);
		/* R20: readable and writable. */
		assert_int_equal(prot, UIOMMU_PROT_READ | UIOMMU_PROT_WRITE);
	}
	/* R53: and not a page more. */
	assert_int_equal(
		uiommu_pt_lookup(&domain->pt, RESERVE_LAST + 1, &paddr, &prot),
		UIOMMU_ENOENT);
	assert_int_equal(
		uiommu_pt_lookup(&domain->pt, RESERVE_FIRST - 1, &paddr, &prot),
		UIOMMU_ENOENT);
}

static void check_still_reaches(void)
{
	assert_true(
		fake_reaches(both[0], RESERVE_FIRST, UIOMMU_PROT_WRITE, NULL));
}

static void test_direct_before_attach(void **state)
{
	struct machine *machine = *state;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	fake.on_attach = check_direct_mapped;
	fake.on_disable = check_still_reaches;
	machine_up(machine);
	/* R04: a reserved region asks for no other type. */
	assert_int_equal(type_of(machine, both[0]), UIOMMU_DOMAIN_DMA);
	/* R57: entered as one range, hence as large leaves: no table of the
	 * lowest level, of which four would be needed.
	 */
	assert_true(fake_domain_of(both[0])->pt.table_pages <= 6);
	machine_down(machine);
}

/* R45: one region, two devices in two groups: each has its own copy. */
static void test_shared_region(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_region *regions[2];
	uint32_t counts[2];

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	machine_up(machine);
	for (int i = 0; i < 2; i++) {
		regions[i] = uiommu_device_regions(
			machine_device(machine, both[i]), &counts[i]);
		assert_int_equal(counts[i], 2); /* and the MSI window */
		assert_int_equal(regions[i][0].range.first, RESERVE_FIRST);
		assert_int_equal(regions[i][0].range.last, RESERVE_LAST);
		assert_true(fake_reaches(both[i], RESERVE_LAST,
					 UIOMMU_PROT_WRITE, NULL));
		assert_false(fake_reaches(both[i], RESERVE_LAST + 1,
					  UIOMMU_PROT_READ, NULL));
	}
	assert_ptr_not_equal(regions[0], regions[1]);
	assert_false(fake_reaches(MACHINE_NVME, RESERVE_FIRST, UIOMMU_PROT_READ,
				  NULL));
	machine_down(machine);
}

/* R54, R57: members share regions, regions overlap and touch, page 0 is among
 * them; each page is mapped once, to itself.
 */
static void test_overlapping_regions(void **state)
{
	struct machine *machine = *state;

	machine_reserve(machine, 0, 0xfff, pair, 2);
	machine_reserve(machine, 0, 0x2fff, pair, 1);
	machine_reserve(machine, 0x3000, 0x4fff, &pair[1], 1);
	machine_reserve(machine, 0x8000, 0xbfff, pair, 2);
	machine_reserve(machine, 0x6000, 0x8fff, pair, 1);
	machine_reserve(machine, 0xa000, 0xdfff, &pair[1], 1);
	machine_up(machine);
	for (uint64_t at = 0; at < 0x10000; at += 4096) {
		bool in = at <= 0x4fff || (at >= 0x6000 && at <= 0xdfff);
		uint64_t paddr = ~0ull;

		assert_int_equal(
			fake_reaches(pair[0], at, UIOMMU_PROT_READ, &paddr),
			in);
		assert_true(!in || paddr == at);
	}
	machine_down(machine);
}

/* R46: a scope that names a bridge means what is below it, too. */
static void test_region_below_bridge(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_region *region;
	uint32_t count;

	user_dmar_reserve(&machine->dmar, 0, RESERVE_FIRST, RESERVE_LAST);
	user_dmar_scope(&machine->dmar, UIOMMU_SCOPE_BRIDGE, MACHINE_PORT);
	machine_up(machine);
	region = uiommu_device_regions(machine_device(machine, MACHINE_PCI1),
				       &count);
	assert_int_equal(count, 2);
	assert_int_equal(region->range.first, RESERVE_FIRST);
	assert_int_equal(region->type, UIOMMU_REGION_DIRECT);
	assert_true(fake_reaches(MACHINE_PCI1, RESERVE_LAST, UIOMMU_PROT_WRITE,
				 NULL));
	assert_false(fake_reaches(MACHINE_NVME, RESERVE_LAST, UIOMMU_PROT_READ,
				  NULL));
	machine_down(machine);
}

/* A region that tables cannot hold: the group is blocked, the rest starts. */
static void test_region_out_of_reach(void **state)
{
	struct machine *machine = *state;

	fake.levels = 3;
	user_dmar_begin(&machine->dmar, 48);
	user_dmar_unit(&machine->dmar, 0, machine->config.units[0].base, true);
	machine_reserve(machine, UIOMMU_BIT64(39) - 0x1000,
			UIOMMU_BIT64(39) + 0xfff, pair, 1);
	machine_up(machine);
	assert_int_equal(type_of(machine, pair[0]), UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(type_of(machine, pair[1]), UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(type_of(machine, both[0]), UIOMMU_DOMAIN_DMA);
	assert_ptr_equal(
		uiommu_group_default_domain(machine_group(machine, pair[0])),
		uiommu_blocked_domain(machine->uiommu));
	assert_true(user_logged(machine->host, "out of reach"));
	assert_true(user_logged(machine->host, "is blocked"));
	machine_down(machine);
}

static void test_no_tables(void **state)
{
	struct machine *machine = *state;

	fake.no_tables = true;
	machine_up(machine);
	assert_int_equal(type_of(machine, MACHINE_ALONE),
			 UIOMMU_DOMAIN_BLOCKED);
	assert_true(user_logged(machine->host, "is blocked"));
	machine_down(machine);
}

/* R16: a device under no unit: no group, no domain, physical addresses. */
static void test_no_unit(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_sid sid = MACHINE_ALONE;
	struct uiommu_device *device;

	user_dmar_begin(&machine->dmar, 39);
	user_dmar_unit(&machine->dmar, 0, machine->config.units[0].base, false);
	user_dmar_scope(&machine->dmar, UIOMMU_SCOPE_ENDPOINT, sid);
	machine_up(machine);
	assert_non_null(machine_group(machine, sid));
	device = machine_device(machine, MACHINE_NVME);
	assert_null(uiommu_device_group(device));
	assert_null(uiommu_device_domain(device));
	assert_null(fake_domain_of(MACHINE_NVME));
	machine_down(machine);
}

static void hard_machine(struct machine *machine)
{
	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	machine_reserve(machine, 0x1000, 0x5fff, pair, 2);
}

/* Start again and again, one host call failing in turn (R68-like: the root
 * table of a domain is among them), with the count of pages as judge.
 */
static void test_host_failures(void **state)
{
	struct machine *machine = *state;
	size_t pages;
	unsigned int nth;
	int err;

	hard_machine(machine);
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	pages = machine->host->pages;
	for (nth = 1; nth < 10000; nth++) {
		user_fail_at(machine->host, nth);
		err = uiommu_start(machine->uiommu);
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(machine->host->pages, pages);
		assert_int_equal(machine->host->locks, 3);
		assert_false(fake.started);
		assert_null(uiommu_plan(machine->uiommu));
	}
	assert_true(nth > 40);
	user_fail_at(machine->host, 0);
	uiommu_stop(machine->uiommu);
	assert_int_equal(machine->host->pages, pages);
	machine_down(machine);
}

static void test_driver_failures(void **state)
{
	struct machine *machine = *state;
	size_t pages;
	unsigned int nth;
	int err;

	hard_machine(machine);
	fake.map_sync = true;
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	pages = machine->host->pages;
	for (nth = 1; nth < 10000; nth++) {
		fake.ops = 0;
		fake.fail_op = nth;
		err = uiommu_start(machine->uiommu);
		if (fake.ops < nth)
			break;
		assert_int_equal(err, UIOMMU_EIO);
		assert_int_equal(machine->host->pages, pages);
		assert_int_equal(machine->host->locks, 3);
		assert_false(fake.started);
	}
	assert_int_equal(err, UIOMMU_OK);
	assert_true(nth > 40);
	fake.fail_op = 0;
	machine_down(machine);
}

/* R03-like: what fails late leaves translation off. */
static void test_enable_fails(void **state)
{
	struct machine *machine = *state;

	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	fake.ops = 0;
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	uiommu_stop(machine->uiommu);
	fake.fail_op = fake.ops; /* the last was enable */
	fake.fail_error = UIOMMU_ETIMEDOUT;
	fake.ops = 0;
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_ETIMEDOUT);
	assert_false(fake.translating);
	fake.fail_op = 0;
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	machine_down(machine);
}

/* A broken unit may walk for ever what it was given: that stays. */
static void test_broken_keeps_tables(void **state)
{
	struct machine *machine = *state;
	size_t tables;

	machine_up(machine);
	tables = machine->host->pages;
	fake.broken = true;
	uiommu_stop(machine->uiommu);
	uiommu_destroy(machine->uiommu);
	assert_true(user_logged(machine->host, "are not given back"));
	assert_true(machine->host->pages > 0);
	assert_true(machine->host->pages < tables);
	assert_int_equal(machine->host->locks, 0);
	user_host_destroy(machine->host);
}

static void test_again(void **state)
{
	struct machine *machine = *state;
	size_t pages;

	hard_machine(machine);
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	pages = machine->host->pages;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
		uiommu_stop(machine->uiommu);
		uiommu_stop(machine->uiommu);
		assert_int_equal(machine->host->pages, pages);
	}
	uiommu_destroy(NULL);
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plan_applied, set_up),
		cmocka_unit_test_setup(test_passthrough, set_up),
		cmocka_unit_test_setup(test_no_passthrough, set_up),
		cmocka_unit_test_setup(test_direct_before_attach, set_up),
		cmocka_unit_test_setup(test_shared_region, set_up),
		cmocka_unit_test_setup(test_overlapping_regions, set_up),
		cmocka_unit_test_setup(test_region_below_bridge, set_up),
		cmocka_unit_test_setup(test_region_out_of_reach, set_up),
		cmocka_unit_test_setup(test_no_tables, set_up),
		cmocka_unit_test_setup(test_no_unit, set_up),
		cmocka_unit_test_setup(test_host_failures, set_up),
		cmocka_unit_test_setup(test_driver_failures, set_up),
		cmocka_unit_test_setup(test_enable_fails, set_up),
		cmocka_unit_test_setup(test_broken_keeps_tables, set_up),
		cmocka_unit_test_setup(test_again, set_up),
	};

	return cmocka_run_group_tests_name("core start", tests, NULL, NULL);
}
