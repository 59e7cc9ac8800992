// SPDX-License-Identifier: MIT
/* Regions that are not free: whose they are, how they merge, what is odd. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define ENDPOINT UIOMMU_SCOPE_ENDPOINT
#define MSI "0x00000000fee00000 0x00000000feefffff msi\n"

static struct fake_function *endpoint(struct machine *machine,
				      struct uiommu_sid sid,
				      unsigned int class_code)
{
	struct fake_function *f = fake_add(machine->host, sid, 0x10001b36,
					   class_code, 0);

	fake_express(f, UIOMMU_PCIE_ENDPOINT);
	return f;
}

static void print(const struct uiommu_region *regions, uint32_t count,
		  char *text, size_t size)
{
	size_t at = 0;
	uint32_t i;

	text[0] = 0;
	for (i = 0; i < count && at < size; i++)
		at += uiommu_region_line(&regions[i], text + at, size - at);
}

/* The lines of the group that the function is in. */
static void check_group(const struct machine *machine, struct uiommu_sid sid,
			const char *lines)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t i = uiommu_topology_find(&machine->topology, sid);
	const struct uiommu_plan_group *group =
		&plan->groups[plan->devices[i].group];
	char text[1024];

	print(plan->group_regions + group->region_first, group->region_count,
	      text, sizeof(text));
	assert_string_equal(text, lines);
}

static void check_device(const struct machine *machine, uint32_t i,
			 const char *lines)
{
	const struct uiommu_plan_device *device = &machine->plan.devices[i];
	char text[1024];

	print(machine->plan.regions + device->region_first,
	      device->region_count, text, sizeof(text));
	assert_string_equal(text, lines);
}

static bool has(const struct machine *machine, struct uiommu_sid sid,
		enum uiommu_rule rule)
{
	return machine_reason(machine,
			      uiommu_topology_find(&machine->topology, sid),
			      rule) != NULL;
}

static void swap(unsigned int *a, unsigned int *b)
{
	unsigned int held = *a;

	*a = *b;
	*b = held;
}

/* The one after @order by the alphabet; false if it was the last. */
static bool next_order(unsigned int order[5])
{
	unsigned int i, k;

	for (i = 3; i < 4 && order[i] > order[i + 1]; i--)
		;
	if (i > 3)
		return false;
	for (k = 4; order[k] < order[i]; k--)
		;
	swap(&order[i], &order[k]);
	for (i++, k = 4; i < k; i++, k--)
		swap(&order[i], &order[k]);
	return true;
}

/* Overlapping, touching, nested and apart, of two types, in every order. */
static void test_permutations(void **state)
{
	static const struct uiommu_range ranges[] = {
		{ 0x10000, 0x12fff }, { 0x12000, 0x14fff },
		{ 0x15000, 0x15fff }, { 0x11000, 0x11fff },
		{ 0x17000, 0x17fff },
	};
	struct machine *machine = *state;
	unsigned int order[5] = { 0, 1, 2, 3, 4 };
	unsigned int n, i;

	machine_drhd(machine, ALL);
	fake_multifunction(endpoint(machine, fake_sid(0, 1, 0), 0x010000));
	endpoint(machine, fake_sid(0, 1, 1), 0x0c0330);
	for (n = 0; n < 120; n++) {
		machine->dmar.record_count = 1;
		machine->dmar.scope_count = 0;
		memset(&machine->records[1], 0,
		       5 * sizeof(machine->records[0]));
		for (i = 0; i < 5; i++) {
			machine_rmrr(machine, ranges[order[i]].first,
				     ranges[order[i]].last);
			/* All but the nested one are the disk's. */
			machine_scope(machine, ENDPOINT, 0, 1, order[i] == 3);
			if (order[i] == 4)
				machine_scope(machine, ENDPOINT, 0, 1, 1);
		}
		machine_plan(machine);
		check_group(machine, fake_sid(0, 1, 0),
			    "0x0000000000010000 0x0000000000015fff direct\n"
			    "0x0000000000011000 0x0000000000011fff "
			    "direct-relaxable\n"
			    "0x0000000000017000 0x0000000000017fff direct\n"
			    "0x0000000000017000 0x0000000000017fff "
			    "direct-relaxable\n" MSI);
		check_device(
			machine, 0,
			"0x0000000000010000 0x0000000000015fff direct\n"
			"0x0000000000017000 0x0000000000017fff direct\n" MSI);
		if (!next_order(order))
			break;
	}
	assert_int_equal(n, 119);
}

/* Two devices in one record, and one behind a bridge that it names. */
static void test_scopes(void **state)
{
	struct machine *machine = *state;
	uint32_t record;

	machine_drhd(machine, ALL);
	endpoint(machine, fake_sid(0, 1, 0), 0x010000);
	endpoint(machine, fake_sid(0, 2, 0), 0x010000);
	fake_port(machine->host, fake_sid(0, 3, 0), UIOMMU_PCIE_ROOT_PORT, 1, 2,
		  true);
	fake_port(machine->host, fake_sid(1, 0, 0), UIOMMU_PCIE_TO_PCI_BRIDGE,
		  2, 2, false);
	fake_add(machine->host, fake_sid(2, 4, 0), 0x10001b36, 0x010000, 0);
	record = machine_rmrr(machine, 0x20000, 0x20fff);
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine_scope(machine, UIOMMU_SCOPE_BRIDGE, 0, 3, 0);
	machine_scope(machine, ENDPOINT, 0, 1, 0); /* twice the same */
	machine_plan(machine);
	check_device(machine, machine_index(machine, 0, 1, 0),
		     "0x0000000000020000 0x0000000000020fff direct\n" MSI);
	check_device(machine, machine_index(machine, 0, 2, 0), MSI);
	check_device(machine, machine_index(machine, 2, 4, 0),
		     "0x0000000000020000 0x0000000000020fff direct\n" MSI);
	assert_int_equal(
		machine->plan
			.regions[machine_device(machine, 2, 4, 0)->region_first]
			.record,
		record);
	assert_string_equal(machine_says(machine, fake_sid(2, 4, 0),
					 UIOMMU_RULE_REGION_RMRR),
			    "DMAR record 1 at 0x58 asks for 0000:02:04.0 that "
			    "0x20000-0x20fff stay reachable");
	assert_string_equal(machine_says(machine, fake_sid(2, 4, 0),
					 UIOMMU_RULE_REGION_MSI),
			    "0xfee00000-0xfeefffff is kept for 0000:02:04.0, "
			    "for its interrupts and never for memory");
}

static void test_classes(void **state)
{
	static const struct {
		unsigned int class_code;
		bool relaxable;
	} cases[] = {
		{ 0x0c0300, true },  { 0x0c0330, true },  { 0x0c03fe, true },
		{ 0x0c0500, false }, { 0x030000, true },  { 0x038000, true },
		{ 0x040300, false }, { 0x010601, false }, { 0x0d0300, false },
	};
	struct machine *machine = *state;
	struct fake_function *f;
	size_t i;

	machine_drhd(machine, ALL);
	f = endpoint(machine, fake_sid(0, 1, 0), 0);
	machine_rmrr(machine, 0x20000, 0x20fff);
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->space[2] = cases[i].class_code << 8;
		machine_plan(machine);
		assert_int_equal(machine->plan.regions[0].type,
				 cases[i].relaxable
					 ? UIOMMU_REGION_DIRECT_RELAXABLE
					 : UIOMMU_REGION_DIRECT);
		assert_int_equal(machine->plan.regions[0].prot,
				 UIOMMU_PROT_READ | UIOMMU_PROT_WRITE);
		assert_int_equal(has(machine, fake_sid(0, 1, 0),
				     UIOMMU_RULE_REGION_NOT_USER),
				 !cases[i].relaxable);
	}
}

/* Direct means: not for a user, for nobody of the group. */
static void test_not_user(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_reason *reason;

	machine_drhd(machine, ALL);
	fake_multifunction(endpoint(machine, fake_sid(0, 1, 0), 0x020000));
	endpoint(machine, fake_sid(0, 1, 1), 0x010000);
	endpoint(machine, fake_sid(0, 2, 0), 0x020000);
	machine_rmrr(machine, 0x20000, 0x2ffff);
	machine_scope(machine, ENDPOINT, 0, 1, 1);
	machine_plan(machine);
	assert_string_equal(
		machine_says(machine, fake_sid(0, 1, 0),
			     UIOMMU_RULE_REGION_NOT_USER),
		"0000:00:01.0 is not for a user: DMAR record 1 at 0x58 keeps "
		"0x20000-0x2ffff for 0000:00:01.1 of its group");
	reason = machine_reason(machine, 1, UIOMMU_RULE_REGION_NOT_USER);
	assert_int_equal(reason->other, 1);
	assert_int_equal(machine->plan.regions[reason->detail].record, 1);
	assert_false(
		has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_REGION_NOT_USER));
}

/* An ACPI device in the scope of a region; Linux does not look. */
static void test_namespace(void **state)
{
	struct machine *machine = *state;
	uint32_t i;

	machine_drhd(machine, ALL);
	machine_drhd(machine, 0);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 21, 2)
		->enumeration_id = 7;
	machine_andd(machine, 3); /* in no scope of a unit: no device */
	machine_andd(machine, 7);
	endpoint(machine, fake_sid(0, 1, 0), 0x020000);
	machine_rmrr(machine, 0x20000, 0x20fff);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 21, 2)
		->enumeration_id = 3;
	machine_rmrr(machine, 0x30000, 0x30fff);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 21, 2)
		->enumeration_id = 7;
	machine_scope(machine, ENDPOINT, 0, 1, 0)->usable = false;
	machine_plan(machine);
	assert_int_equal(machine->plan.device_count, 2);
	check_device(machine, 0, MSI);
	check_device(machine, 1,
		     "0x0000000000030000 0x0000000000030fff direct\n" MSI);
	assert_non_null(
		machine_reason(machine, 1, UIOMMU_RULE_REGION_NOT_USER));
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	for (i = 0; i < 2; i++)
		check_device(machine, i, MSI);
}

static void test_isa(void **state)
{
	static const char isa[] = "0x0000000000000000 0x0000000000ffffff "
				  "direct-relaxable\n" MSI;
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	endpoint(machine, fake_sid(0, 31, 0), 0x060100);
	endpoint(machine, fake_sid(0, 30, 0), 0x060000);
	machine_plan(machine);
	check_device(machine, machine_index(machine, 0, 31, 0), isa);
	check_device(machine, machine_index(machine, 0, 30, 0), MSI);
	assert_int_equal(machine->plan
				 .regions[machine_device(machine, 0, 31, 0)
						  ->region_first]
				 .prot,
			 UIOMMU_PROT_READ | UIOMMU_PROT_WRITE);
	assert_false(
		has(machine, fake_sid(0, 31, 0), UIOMMU_RULE_REGION_NOT_USER));
	assert_string_equal(machine_says(machine, fake_sid(0, 31, 0),
					 UIOMMU_RULE_REGION_ISA),
			    "0x0-0xffffff is kept for 0000:00:1f.0, as ISA "
			    "devices below always could reach it");
	machine->options.isa_range = UIOMMU_CHOICE_NO;
	machine_plan(machine);
	check_device(machine, machine_index(machine, 0, 31, 0), MSI);
	machine->options.isa_range = UIOMMU_CHOICE_YES;
	machine_plan(machine);
	check_device(machine, machine_index(machine, 0, 31, 0), isa);
}

static void rmrr(struct machine *machine, uint64_t first, uint64_t last)
{
	machine->dmar.record_count = 1;
	machine->dmar.scope_count = 0;
	memset(&machine->records[1], 0, sizeof(machine->records[1]));
	machine_rmrr(machine, first, last);
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine_plan(machine);
}

/* The host's RAM, to the byte. */
static void test_ram(void **state)
{
	struct uiommu_sid sid = fake_sid(0, 1, 0);
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	endpoint(machine, sid, 0x020000);
	machine->input.ram_count = 2;
	machine->ram[0] = (struct uiommu_range){ 0x0, 0x9fbff };
	machine->ram[1] = (struct uiommu_range){ 0x100000, 0x1fffff };
	rmrr(machine, 0xa0000, 0xfffff);
	assert_false(has(machine, sid, UIOMMU_RULE_REGION_IN_RAM));
	rmrr(machine, 0xa0000, 0x100fff);
	assert_string_equal(
		machine_says(machine, sid, UIOMMU_RULE_REGION_IN_RAM),
		"DMAR record 1 at 0x58 asks for 0000:00:01.0 that "
		"0xa0000-0x100fff stay reachable, though it is RAM "
		"to the host at least in part; it is mapped all "
		"the same");
	check_device(machine, 0,
		     "0x00000000000a0000 0x0000000000100fff direct\n" MSI);
	rmrr(machine, 0x9f000, 0x9ffff);
	assert_true(has(machine, sid, UIOMMU_RULE_REGION_IN_RAM));
	machine->ram[0].last = 0x9f000; /* one byte of it */
	rmrr(machine, 0x9f000, 0x9ffff);
	assert_true(has(machine, sid, UIOMMU_RULE_REGION_IN_RAM));
	machine->ram[0].last = 0x9efff;
	rmrr(machine, 0x9f000, 0x9ffff);
	assert_false(has(machine, sid, UIOMMU_RULE_REGION_IN_RAM));
	machine->ram[1].first = 0x100fff;
	rmrr(machine, 0xa0000, 0x100fff);
	assert_true(has(machine, sid, UIOMMU_RULE_REGION_IN_RAM));
}

/* The interrupt range, the end of all addresses, and what is none. */
static void test_edges(void **state)
{
	struct uiommu_sid sid = fake_sid(0, 1, 0);
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	endpoint(machine, sid, 0x020000);
	rmrr(machine, 0xfedff000, 0xfedfffff);
	assert_false(has(machine, sid, UIOMMU_RULE_REGION_IN_MSI));
	check_device(machine, 0,
		     "0x00000000fedff000 0x00000000fedfffff direct\n" MSI);
	rmrr(machine, 0xfeeff000, 0xfef00fff);
	assert_string_equal(
		machine_says(machine, sid, UIOMMU_RULE_REGION_IN_MSI),
		"DMAR record 1 at 0x58 asks for 0000:00:01.0 that "
		"0xfeeff000-0xfef00fff stay reachable, but part of "
		"it takes interrupts and is never mapped");
	check_device(machine, 0,
		     MSI "0x00000000feeff000 0x00000000fef00fff direct\n");
	rmrr(machine, 0xfef00000, 0xfef00fff);
	assert_false(has(machine, sid, UIOMMU_RULE_REGION_IN_MSI));
	/* To the very end, where one more would be 0 again. */
	rmrr(machine, 0xfffffffffffff000, UINT64_MAX);
	check_device(machine, 0,
		     MSI "0xfffffffffffff000 0xffffffffffffffff direct\n");
	/* A record that is not usable keeps nothing. */
	machine->records[1].usable = false;
	machine_plan(machine);
	check_device(machine, 0, MSI);
	machine->records[1].usable = true;
	machine->records[1].range = (struct uiommu_range){ 0x3000, 0x2fff };
	machine_plan(machine);
	check_device(machine, 0, MSI);
}

static void put64(uint8_t *bytes, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Whole pages are kept; Linux lists what the table says. */
static void test_unaligned(void **state)
{
	struct machine *machine = *state;
	struct uiommu_dmar_record *record = &machine->records[1];

	machine_drhd(machine, ALL);
	endpoint(machine, fake_sid(0, 1, 0), 0x020000);
	rmrr(machine, 0x20000, 0x22fff);
	record->length = 24;
	put64(&machine->table[record->offset + 8], 0x20010);
	put64(&machine->table[record->offset + 16], 0x22ffe);
	machine_plan(machine);
	check_device(machine, 0,
		     "0x0000000000020000 0x0000000000022fff direct\n" MSI);
	machine->input.rules = UIOMMU_RULES_LINUX;
	uiommu_plan_fini(&machine->plan);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	check_device(machine, 0,
		     "0x0000000000020010 0x0000000000022ffe direct\n" MSI);
	/* Not if record and table do not agree, or it has no such bytes. */
	put64(&machine->table[record->offset + 16], 0x23ffe);
	machine_plan(machine);
	check_device(machine, 0,
		     "0x0000000000020000 0x0000000000022fff direct\n" MSI);
	record->offset = machine->dmar.size - 23;
	machine_plan(machine);
	check_device(machine, 0,
		     "0x0000000000020000 0x0000000000022fff direct\n" MSI);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_permutations), TEST(test_scopes),
		TEST(test_classes),	 TEST(test_not_user),
		TEST(test_namespace),	 TEST(test_isa),
		TEST(test_ram),		 TEST(test_edges),
		TEST(test_unaligned),
	};

	return cmocka_run_group_tests_name("plan regions", tests, NULL, NULL);
}
