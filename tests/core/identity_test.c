// SPDX-License-Identifier: MIT
/*
 * The identity domain on units without pass-through: what its table maps, what
 * it costs, and that nothing is lost when it cannot be made or grow. Rnn: rows
 * of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fake.h"
#include "machine.h"

#define KIB 0x400ull
#define MIB 0x100000ull
#define GIB 0x40000000ull
#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)
/* Outside of RAM, as firmware has it. */
#define RESERVE_FIRST 0x80001000ull
#define RESERVE_LAST 0x80005fffull

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);
static const struct uiommu_sid both[] = { MACHINE_SID(0, 2, 0),
					  MACHINE_SID(0, 3, 0) };

/* A memory map of a PC: unordered, in pieces, not of whole pages. */
static const struct uiommu_range ram[] = {
	{ 4 * GIB, 5 * GIB - 1 },   { 0, 0x9fbff },
	{ MIB, 0x7ffdefff },	    { 0x7ffdf000, 0x7ffe07ff },
	{ 0x7ffe0800, 0x7ffe0fff }, /* the other half of that page */
};
#define LOW_LAST 0x9efffull /* of whole pages */
#define MIDDLE_LAST 0x7ffe0fffull

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	fake.no_passthrough = true;
	machine_describe(&machine);
	machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	machine.options.ram = ram;
	machine.options.ram_count = sizeof(ram) / sizeof(ram[0]);
	*state = &machine;
	return 0;
}

static bool reaches(uint64_t address)
{
	uint64_t paddr = ~0ull;
	bool reached = fake_reaches(alone, address, RW, &paddr);

	assert_true(!reached || paddr == address);
	return reached;
}

static enum uiommu_domain_type type_of(struct machine *machine,
				       struct uiommu_sid sid)
{
	return uiommu_domain_type(
		uiommu_group_default_domain(machine_group(machine, sid)));
}

/* R53, R52: RAM to its last page, and what is no RAM not at all. */
static void test_bounds(void **state)
{
	struct machine *machine = *state;
	uiommu_paddr_t paddr;

	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	assert_true(reaches(0));
	assert_true(reaches(LOW_LAST));
	assert_false(reaches(LOW_LAST + 1)); /* part of it is firmware's */
	assert_false(reaches(MIB - 1));
	assert_true(reaches(MIB));
	assert_true(reaches(MIDDLE_LAST));
	assert_false(reaches(MIDDLE_LAST + 1));
	assert_false(reaches(4 * GIB - 1));
	assert_true(reaches(4 * GIB));
	assert_true(reaches(5 * GIB - 1));
	assert_false(reaches(5 * GIB));
	assert_int_equal(
		uiommu_domain_lookup(uiommu_identity_domain(machine->uiommu),
				     5 * GIB, &paddr),
		UIOMMU_ENOENT);
	assert_int_equal(
		uiommu_domain_lookup(uiommu_identity_domain(machine->uiommu),
				     5 * GIB - 1, &paddr),
		UIOMMU_OK);
	assert_int_equal(paddr, 5 * GIB - 1);
	machine_down(machine);
}

/* Whatever the host calls RAM, the interrupt window is not memory. */
static void test_interrupts(void **state)
{
	static const struct uiommu_range all = { 0, 6 * GIB - 1 };
	struct machine *machine = *state;

	machine->options.ram = &all;
	machine->options.ram_count = 1;
	machine_reserve(machine, 0xfedff000, 0xfef00fff, both, 2);
	machine_up(machine);
	assert_true(reaches(0xfedfffff));
	assert_false(reaches(0xfee00000));
	assert_false(reaches(0xfeefffff));
	assert_true(reaches(0xfef00000));
	assert_true(reaches(6 * GIB - 1));
	machine_down(machine);
}

/* All direct regions, for all: the domain is shared. */
static void test_regions(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_sid usb = MACHINE_USB;
	const struct uiommu_region *regions;
	uint32_t count;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	machine_reserve(machine, 0x81000000, 0x81000fff, &usb, 1);
	machine_up(machine);
	assert_true(reaches(RESERVE_FIRST));
	assert_true(reaches(RESERVE_LAST));
	assert_false(reaches(RESERVE_FIRST - 1));
	assert_false(reaches(RESERVE_LAST + 1));
	assert_true(reaches(0x81000000)); /* relaxable, another group's */
	regions = uiommu_group_regions(machine_group(machine, alone), &count);
	assert_int_equal(count, 2);
	assert_int_equal(regions[0].range.first, RESERVE_FIRST);
	assert_int_equal(regions[0].type, UIOMMU_REGION_DIRECT);
	assert_int_equal(regions[1].type, UIOMMU_REGION_MSI);
	machine_down(machine);
}

/* Out of identity, through domains of other types, and back. */
static void go_round(struct machine *machine, struct uiommu_sid sid)
{
	struct uiommu_group *group = machine_group(machine, sid);
	struct uiommu_domain *own;

	assert_int_equal(uiommu_group_claim(group, &own), UIOMMU_OK);
	assert_int_equal(uiommu_domain_create(&group, 1, &own), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, &own, own), UIOMMU_OK);
	assert_int_equal(uiommu_group_release(group, &own), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(machine->uiommu, own), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_domain(group),
			 uiommu_identity_domain(machine->uiommu));
}

/* Groups come and go: the one domain and its table stay. */
static void test_lifetime(void **state)
{
	static const struct uiommu_sid sids[] = { MACHINE_ALONE, MACHINE_OTHER,
						  MACHINE_PAIR0, MACHINE_NVME,
						  MACHINE_PCI0 };
	struct machine *machine = *state;
	struct uiommu_domain *identity;
	struct uiommu_hwdomain *hw;
	uint64_t tables;
	void *root;
	size_t pages;

	machine_up(machine);
	identity = uiommu_identity_domain(machine->uiommu);
	hw = fake_domain_of(alone);
	root = hw->pt.root;
	tables = uiommu_domain_table_pages(identity);
	assert_true(tables > 2 && tables == hw->pt.table_pages);
	go_round(machine, alone); /* the pool of domains takes its page */
	pages = machine->host->pages;
	for (unsigned int i = 0; i < 500; i++)
		go_round(machine, sids[i % 5]);
	assert_ptr_equal(uiommu_identity_domain(machine->uiommu), identity);
	assert_ptr_equal(fake_domain_of(alone), hw);
	assert_ptr_equal(hw->pt.root, root);
	assert_int_equal(uiommu_domain_table_pages(identity), tables);
	assert_int_equal(machine->host->pages, pages);
	assert_int_equal(fake.domains, 2);
	assert_true(reaches(5 * GIB - 1));
	/* Again from the beginning, and no page more. */
	for (unsigned int i = 0; i < 3; i++) {
		uiommu_stop(machine->uiommu);
		assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
		assert_int_equal(machine->host->pages, pages - 1);
		assert_true(reaches(5 * GIB - 1));
	}
	machine_down(machine);
}

/* R52: what it costs, in pages of the host. */
static void test_memory(void **state)
{
	static const struct uiommu_range large = { 0, 64 * GIB - 1 };
	static const struct {
		const char *name;
		bool small, no_giants, option;
		uint64_t most; /* pages */
	} kinds[] = {
		/* 0.3 % of 64 GiB are 50331 pages. */
		{ "4 KiB", true, false, false, 50331 },
		{ "4 KiB by option", false, false, true, 50331 },
		{ "2 MiB", false, true, false, 64 * 2 + 520 },
		{ "1 GiB", false, false, false, 520 },
	};
	struct machine *machine = *state;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t before;
		uint64_t tables;

		assert_int_equal(set_up(state), 0);
		machine->options.ram = &large;
		machine->options.ram_count = 1;
		fake.small_pages = kinds[i].small;
		fake.no_giants = kinds[i].no_giants;
		if (kinds[i].option)
			machine->options.options.superpages = UIOMMU_CHOICE_NO;
		machine_build(machine);
		assert_int_equal(machine_scan(machine), UIOMMU_OK);
		before = machine->host->pages;
		assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
		assert_true(reaches(64 * GIB - 1));
		assert_false(reaches(64 * GIB));
		tables = uiommu_domain_table_pages(
			uiommu_identity_domain(machine->uiommu));
		printf("64 GiB in leaves of %s: %llu pages of tables, %llu "
		       "pages in all, %.4f %%\n",
		       kinds[i].name, (unsigned long long)tables,
		       (unsigned long long)(machine->host->pages - before),
		       100. * (double)tables / (64 * 262144));
		assert_true(machine->host->pages - before >= tables);
		assert_true(machine->host->pages - before <= kinds[i].most);
		machine_down(machine);
	}
}

/* With pass-through everywhere it costs nothing. */
static void test_no_table(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *identity;

	fake.no_passthrough = false;
	machine_up(machine);
	identity = uiommu_identity_domain(machine->uiommu);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(uiommu_domain_table_pages(identity), 0);
	assert_int_equal(
		uiommu_add_ram(machine->uiommu,
			       (struct uiommu_range){ 8 * GIB, 9 * GIB - 1 }),
		UIOMMU_OK);
	assert_int_equal(uiommu_domain_table_pages(identity), 0);
	machine_down(machine);
}

/* Policy wanted identity, and there is none: translated. */
static void check_translated(struct machine *machine)
{
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_DMA);
	assert_int_equal(uiommu_group_set_type(machine_group(machine, alone),
					       UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EPERM);
	assert_ptr_equal(
		uiommu_group_domain(machine_group(machine, alone)),
		uiommu_group_default_domain(machine_group(machine, alone)));
}

static void test_no_ram(void **state)
{
	struct machine *machine = *state;

	machine->options.ram = NULL;
	machine->options.ram_count = 0;
	machine_up(machine);
	check_translated(machine);
	assert_int_equal(uiommu_add_ram(machine->uiommu, ram[0]), UIOMMU_OK);
	check_translated(machine);
	/* It counts from the next start on. */
	uiommu_stop(machine->uiommu);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	machine_down(machine);
}

static void test_out_of_reach(void **state)
{
	struct machine *machine = *state;

	fake.width = 32; /* RAM ends at 5 GiB */
	machine_up(machine);
	check_translated(machine);
	assert_true(user_logged(machine->host, "out of reach"));
	machine_down(machine);
}

/* A region beyond the tables is as bad as RAM there. */
static void test_region_out_of_reach(void **state)
{
	struct machine *machine = *state;

	fake.width = 34;
	machine_reserve(machine, 16 * GIB, 16 * GIB + 0xfff, &both[1], 1);
	machine_up(machine);
	check_translated(machine);
	assert_int_equal(type_of(machine, both[1]), UIOMMU_DOMAIN_BLOCKED);
	machine_down(machine);
}

/* Who requires identity does not get translation instead. */
static void test_required(void **state)
{
	struct machine *machine = *state;

	fake.required_rid = alone.rid;
	fake.required = UIOMMU_DOMAIN_IDENTITY;
	machine->options.options.passthrough = UIOMMU_CHOICE_NO;
	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(type_of(machine, both[1]), UIOMMU_DOMAIN_DMA);
	machine_down(machine);

	assert_int_equal(set_up(state), 0);
	fake.required_rid = alone.rid;
	fake.required = UIOMMU_DOMAIN_IDENTITY;
	fake.width = 32;
	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(type_of(machine, both[1]), UIOMMU_DOMAIN_DMA);
	machine_down(machine);

	assert_int_equal(set_up(state), 0);
	fake.required_rid = alone.rid;
	fake.required = UIOMMU_DOMAIN_DMA;
	machine_up(machine);
	assert_int_equal(type_of(machine, alone), UIOMMU_DOMAIN_DMA);
	assert_int_equal(type_of(machine, both[1]), UIOMMU_DOMAIN_IDENTITY);
	machine_down(machine);
}

/* --- RAM that is added --- */

#define ADDED_FIRST (6 * GIB)
#define ADDED_LAST (7 * GIB + 0x1fff)

static struct uiommu_range added(void)
{
	return (struct uiommu_range){ ADDED_FIRST, ADDED_LAST };
}

static void test_add(void **state)
{
	struct machine *machine = *state;
	struct uiommu *uiommu;

	fake.map_sync = true;
	machine_up(machine);
	uiommu = machine->uiommu;
	fake.map_syncs = 0;
	assert_int_equal(uiommu_add_ram(uiommu, added()), UIOMMU_OK);
	assert_int_equal(fake.map_syncs, 1);
	assert_int_equal(fake.synced.first, ADDED_FIRST);
	assert_int_equal(fake.synced.last, ADDED_LAST);
	assert_true(reaches(ADDED_FIRST));
	assert_true(reaches(ADDED_LAST));
	assert_false(reaches(ADDED_LAST + 1));
	assert_false(reaches(ADDED_FIRST - 1));
	/* Once more, and a little more: what is there is left as it is. */
	assert_int_equal(uiommu_add_ram(uiommu, added()), UIOMMU_OK);
	assert_int_equal(fake.map_syncs, 1);
	assert_int_equal(
		uiommu_add_ram(uiommu,
			       (struct uiommu_range){ ADDED_LAST - 5 * 4096,
						      ADDED_LAST + 0x17ff }),
		UIOMMU_OK);
	assert_true(reaches(ADDED_LAST + 0x1000));
	assert_false(reaches(ADDED_LAST + 0x1001));
	/* The rest of that page makes it whole. */
	assert_int_equal(
		uiommu_add_ram(uiommu,
			       (struct uiommu_range){ ADDED_LAST + 0x1800,
						      ADDED_LAST + 0x2000 }),
		UIOMMU_OK);
	assert_true(reaches(ADDED_LAST + 0x2000));
	assert_false(reaches(ADDED_LAST + 0x2001));
	machine_down(machine);
}

/* Round a direct region and the interrupt window; and remembered. */
static void test_add_round(void **state)
{
	struct machine *machine = *state;
	struct uiommu *uiommu;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	machine_up(machine);
	uiommu = machine->uiommu;
	assert_int_equal(
		uiommu_add_ram(uiommu,
			       (struct uiommu_range){ 2 * GIB, 4 * GIB - 1 }),
		UIOMMU_OK);
	assert_true(reaches(2 * GIB));
	assert_true(reaches(RESERVE_FIRST));
	assert_true(reaches(RESERVE_LAST + 1));
	assert_true(reaches(0xfedfffff));
	assert_false(reaches(0xfee00000));
	assert_false(reaches(0xfeefffff));
	assert_true(reaches(0xfef00000));
	assert_int_equal(uiommu_add_ram(uiommu, added()), UIOMMU_OK);
	/* All of it is remembered for the next start. */
	uiommu_stop(uiommu);
	assert_int_equal(uiommu_start(uiommu), UIOMMU_OK);
	assert_true(reaches(ADDED_LAST));
	assert_false(reaches(ADDED_LAST + 1));
	assert_true(reaches(2 * GIB));
	assert_false(reaches(0xfee00000));
	machine_down(machine);
}

static void test_add_refused(void **state)
{
	struct machine *machine = *state;
	struct uiommu_range wrong = { 0x2000, 0x1fff };
	struct uiommu_range far = { UIOMMU_BIT64(36) - 0x1000,
				    UIOMMU_BIT64(36) };

	fake.width = 36;
	machine_up(machine);
	assert_int_equal(uiommu_add_ram(machine->uiommu, wrong), UIOMMU_EINVAL);
	assert_int_equal(uiommu_add_ram(machine->uiommu, far), UIOMMU_ERANGE);
	assert_false(reaches(far.first));
	far.last--;
	assert_int_equal(uiommu_add_ram(machine->uiommu, far), UIOMMU_OK);
	assert_true(reaches(far.last));
	machine_down(machine);
}

/* A range in several runs, some step of which fails: none of it stays. */
static void add_fails(struct machine *machine, bool host)
{
	const struct uiommu_range range = { 2 * GIB, 8 * GIB - 1 };
	static const uint64_t new[] = {
		2 * GIB,     RESERVE_LAST + 1, 0xfedfffff,  0xfef00000,
		4 * GIB - 1, 5 * GIB,	       8 * GIB - 1,
	};
	unsigned int nth;
	uint64_t tables;
	size_t pages;
	int err;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	fake.map_sync = true;
	fake.small_pages = true;
	machine_up(machine);
	for (nth = 1;; nth++) {
		pages = machine->host->pages;
		tables = uiommu_domain_table_pages(
			uiommu_identity_domain(machine->uiommu));
		fake.ops = 0;
		fake.fail_op = host ? 0 : nth;
		fake.fail_error = UIOMMU_ENOTSUP; /* no sign of a dead unit */
		user_fail_at(machine->host, host ? nth : 0);
		err = uiommu_add_ram(machine->uiommu, range);
		if (!err)
			break;
		assert_int_equal(err, host ? UIOMMU_ENOMEM : UIOMMU_ENOTSUP);
		for (unsigned int i = 0; i < 7; i++)
			assert_false(reaches(new[i]));
		assert_true(reaches(RESERVE_FIRST));
		assert_true(reaches(4 * GIB));
		assert_true(reaches(5 * GIB - 1));
		/* Empty tables may stay; all other memory comes back. */
		assert_int_equal(
			machine->host->pages - pages,
			uiommu_domain_table_pages(
				uiommu_identity_domain(machine->uiommu)) -
				tables);
		if (nth > 40)
			nth += 97; /* thousands of tables */
	}
	user_fail_at(machine->host, 0);
	fake.fail_op = 0;
	assert_true(nth > 3);
	for (unsigned int i = 0; i < 7; i++)
		assert_true(reaches(new[i]));
	machine_down(machine);
}

static void test_add_host_fails(void **state)
{
	add_fails(*state, true);
}

static void test_add_driver_fails(void **state)
{
	add_fails(*state, false);
}

/* --- Starts that fail --- */

static void start_fails(struct machine *machine, bool host)
{
	size_t pages;
	unsigned int nth;
	int err;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, both, 2);
	fake.map_sync = true;
	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	pages = machine->host->pages;
	for (nth = 1; nth < 10000; nth++) {
		fake.ops = 0;
		fake.fail_op = host ? 0 : nth;
		user_fail_at(machine->host, host ? nth : 0);
		err = uiommu_start(machine->uiommu);
		if (!err)
			break;
		assert_int_equal(err, host ? UIOMMU_ENOMEM : UIOMMU_EIO);
		assert_int_equal(machine->host->pages, pages);
		assert_int_equal(machine->host->locks, 3);
		assert_false(fake.started);
		assert_int_equal(
			uiommu_domain_table_pages(
				uiommu_identity_domain(machine->uiommu)),
			0);
	}
	assert_true(nth > 20);
	user_fail_at(machine->host, 0);
	fake.fail_op = 0;
	assert_true(reaches(RESERVE_LAST));
	machine_down(machine);
}

static void test_start_host_fails(void **state)
{
	start_fails(*state, true);
}

static void test_start_driver_fails(void **state)
{
	start_fails(*state, false);
}

/* A broken unit may walk the table for ever: it stays. */
static void test_broken(void **state)
{
	struct machine *machine = *state;
	uint64_t tables;

	machine_up(machine);
	tables = uiommu_domain_table_pages(
		uiommu_identity_domain(machine->uiommu));
	fake.broken = true;
	uiommu_stop(machine->uiommu);
	uiommu_destroy(machine->uiommu);
	assert_int_equal(machine->host->pages, tables);
	user_host_destroy(machine->host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bounds, set_up),
		cmocka_unit_test_setup(test_interrupts, set_up),
		cmocka_unit_test_setup(test_regions, set_up),
		cmocka_unit_test_setup(test_lifetime, set_up),
		cmocka_unit_test_setup(test_memory, set_up),
		cmocka_unit_test_setup(test_no_table, set_up),
		cmocka_unit_test_setup(test_no_ram, set_up),
		cmocka_unit_test_setup(test_out_of_reach, set_up),
		cmocka_unit_test_setup(test_region_out_of_reach, set_up),
		cmocka_unit_test_setup(test_required, set_up),
		cmocka_unit_test_setup(test_add, set_up),
		cmocka_unit_test_setup(test_add_round, set_up),
		cmocka_unit_test_setup(test_add_refused, set_up),
		cmocka_unit_test_setup(test_add_host_fails, set_up),
		cmocka_unit_test_setup(test_add_driver_fails, set_up),
		cmocka_unit_test_setup(test_start_host_fails, set_up),
		cmocka_unit_test_setup(test_start_driver_fails, set_up),
		cmocka_unit_test_setup(test_broken, set_up),
	};

	return cmocka_run_group_tests_name("core identity", tests, NULL, NULL);
}
