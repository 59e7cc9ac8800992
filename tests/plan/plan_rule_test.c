// SPDX-License-Identifier: MIT
/* The rules of units and groups one by one: a machine each, both rule sets. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"
#include "plan/plan.h"
#include "plan/plan_quirk.h"

#define ENDPOINT UIOMMU_SCOPE_ENDPOINT
#define BRIDGE UIOMMU_SCOPE_BRIDGE
#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define RID(bus, slot, function) ((bus) << 8 | (slot) << 3 | (function))

/* What makes a function; at most twelve make a machine. */
struct part {
	uint16_t rid;
	uint8_t type;	   /* enum uiommu_pcie_type */
	uint8_t secondary; /* bridges: the bus below; else 0 */
	uint32_t id;	   /* device and vendor; 0: somebody's */
	uint8_t acs;	   /* 0 none, 1 in force, 2 there but off */
	bool multi;
	uint32_t subsystem;
};

struct rule_case {
	const char *name;
	struct part parts[12];
	const char *strict; /* groups of the last parts */
	const char *linux_rules;
	uint16_t asks_first; /* the last part asks from this... */
	uint16_t asks_count; /* ...so many ids by strict rules; 0: any */
};

#define RP UIOMMU_PCIE_ROOT_PORT
#define UP UIOMMU_PCIE_UPSTREAM_PORT
#define DP UIOMMU_PCIE_DOWNSTREAM_PORT
#define EP UIOMMU_PCIE_ENDPOINT
#define IE UIOMMU_PCIE_INTEGRATED_ENDPOINT
#define CV UIOMMU_PCI_CONVENTIONAL
#define PB UIOMMU_PCIE_TO_PCI_BRIDGE

/* clang-format off */
static const struct rule_case cases[] = {
	{ "asymmetric: a port lets go round to its neighbour", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 0, 0), UP, 2, 0, 0, false, 0 },
		{ RID(2, 0, 0), DP, 3, 0, 0, false, 0 },
		{ RID(2, 1, 0), DP, 4, 0, 0, false, 0 },
		{ RID(3, 0, 0), EP, 0, 0, 0, false, 0 },
		{ RID(4, 0, 0), EP, 0, 0, 0, false, 0 } },
	  "00:01.0 01:00.0 02:00.0+02:01.0+03:00.0+04:00.0",
	  "00:01.0 01:00.0 02:00.0+03:00.0 02:01.0+04:00.0", 0, 0 },
	{ "a function with access control among some without", {
		{ RID(0, 3, 0), IE, 0, 0, 0, true, 0 },
		{ RID(0, 3, 1), IE, 0, 0, 2, false, 0 },
		{ RID(0, 3, 6), IE, 0, 0, 1, false, 0 } },
	  "00:03.0+00:03.1+00:03.6", "00:03.0+00:03.1 00:03.6", 0, 0 },
	{ "Intel's integrated endpoints", {
		{ RID(0, 3, 0), IE, 0, 0x12348086, 0, true, 0 },
		{ RID(0, 3, 1), IE, 0, 0x12348086, 0, false, 0 } },
	  "00:03.0 00:03.1", "00:03.0 00:03.1", 0, 0 },
	{ "a network adapter whose vendor vouches for it", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 0, 0), EP, 0, 0x15218086, 0, true, 0 },
		{ RID(1, 0, 1), EP, 0, 0x15218086, 0, false, 0 } },
	  "00:01.0 01:00.0 01:00.1", "00:01.0 01:00.0 01:00.1", 0, 0 },
	{ "root ports that isolate once Linux has set them up", {
		{ RID(0, 28, 0), RP, 1, 0x1c108086, 0, true, 0 },
		{ RID(0, 28, 4), RP, 2, 0x1c188086, 0, false, 0 },
		{ RID(1, 0, 0), EP, 0, 0, 0, false, 0 },
		{ RID(2, 0, 0), EP, 0, 0, 0, false, 0 } },
	  "00:1c.0+00:1c.4+01:00.0+02:00.0",
	  "00:1c.0 00:1c.4 01:00.0 02:00.0", 0, 0 },
	{ "south bridge of AMD, but no AMD IOMMU", {
		{ RID(0, 20, 0), CV, 0, 0x43851002, 0, true, 0 },
		{ RID(0, 20, 2), CV, 0, 0x43831002, 0, false, 0 } },
	  "00:14.0+00:14.2", "00:14.0+00:14.2", 0, 0 },
	{ "Marvell asks as function 1, which is there", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 0, 1), EP, 0, 0, 1, false, 0 },
		{ RID(1, 0, 0), EP, 0, 0x91281b4b, 1, true, 0 } },
	  "00:01.0 01:00.0+01:00.1", "00:01.0 01:00.0+01:00.1",
	  RID(1, 0, 0), 2 },
	{ "Ricoh asks as function 0", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 0, 0), EP, 0, 0, 1, true, 0 },
		{ RID(1, 0, 3), EP, 0, 0xe8321180, 1, false, 0 } },
	  "00:01.0 01:00.0+01:00.3", "00:01.0 01:00.0+01:00.3", 0, 2 },
	{ "Adaptec asks as device 1, by subsystem", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 14, 0), EP, 0, 0x02859005, 0, false, 0x02bb9005 } },
	  "00:01.0 01:0e.0", "00:01.0 01:0e.0", 0, 2 },
	{ "another subsystem of the same model", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 14, 0), EP, 0, 0x02859005, 0, false, 0x12349005 } },
	  "00:01.0 01:0e.0", "00:01.0 01:0e.0", RID(1, 14, 0), 1 },
	{ "ASMedia: a PCIe-to-PCI bridge without the capability", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 0, 0), CV, 2, 0x10801b21, 0, false, 0 },
		{ RID(2, 3, 0), CV, 0, 0, 0, false, 0 } },
	  "00:01.0 01:00.0+02:03.0", "00:01.0 01:00.0+02:03.0", 0, 2 },
	{ "MIC", { { RID(0, 3, 0), EP, 0, 0x22608086, 0, false, 0 } },
	  "00:03.0", "00:03.0", 0, 4 },
	{ "VCA", { { RID(0, 3, 0), EP, 0, 0x29548086, 0, false, 0 } },
	  "00:03.0", "00:03.0", 0, 160 },
	{ "PLX takes in its whole bus", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 9, 0), EP, 0, 0, 0, false, 0 },
		{ RID(1, 0, 0), EP, 0, 0x87b010b5, 0, false, 0 } },
	  "00:01.0 01:00.0+01:09.0", "00:01.0 01:00.0+01:09.0", 0, 256 },
	{ "Switchtec's table: perhaps its whole bus", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 9, 0), EP, 0, 0, 0, false, 0 },
		{ RID(1, 0, 0), EP, 0, 0x853111f8, 0, false, 0 } },
	  "00:01.0 01:00.0+01:09.0", "00:01.0 01:00.0 01:09.0", 0, 256 },
	{ "two slots of a conventional bus", {
		{ RID(0, 1, 0), RP, 1, 0, 1, false, 0 },
		{ RID(1, 0, 0), PB, 2, 0, 0, false, 0 },
		{ RID(2, 0, 0), CV, 0, 0, 0, false, 0 },
		{ RID(2, 1, 0), CV, 0, 0, 0, false, 0 } },
	  "00:01.0 01:00.0+02:00.0+02:01.0",
	  "00:01.0 01:00.0+02:00.0+02:01.0", 0, 2 },
};
/* clang-format on */

static struct fake_function *add_part(struct machine *machine,
				      const struct part *part)
{
	struct uiommu_sid sid = { 0, part->rid };
	uint32_t id = part->id != 0 ? part->id : 0x10001b36;
	struct fake_function *f;

	if (part->secondary != 0) {
		f = fake_port(machine->host, sid, part->type, part->secondary,
			      part->secondary, false);
	} else {
		f = fake_add(machine->host, sid, id,
			     id == 0x853111f8 ? 0x068000 : 0x020000, 0);
		if (part->type != CV)
			fake_express(f, part->type);
	}
	f->space[0] = id;
	if (part->secondary == 0)
		f->space[0x2c / 4] = part->subsystem;
	if (part->acs != 0)
		fake_acs(f, FAKE_ACS_FULL, part->acs == 1 ? FAKE_ACS_FULL : 0);
	if (part->multi)
		fake_multifunction(f);
	return f;
}

static void partition(const struct machine *machine, char *text, size_t size)
{
	const struct uiommu_plan *plan = &machine->plan;
	size_t used = 0;
	uint32_t i, k;

	text[0] = '\0';
	for (i = 0; i < plan->group_count; i++) {
		for (k = 0; k < plan->groups[i].member_count; k++) {
			struct uiommu_sid sid = uiommu_plan_sid(
				plan, &machine->topology,
				plan->members[plan->groups[i].member_first +
					      k]);

			used += (size_t)snprintf(
				text + used, size - used, "%s%02x:%02x.%u",
				k   ? "+"
				: i ? " "
				    : "",
				UIOMMU_SID_BUS(sid), UIOMMU_SID_DEV(sid),
				UIOMMU_SID_FN(sid));
		}
	}
}

static void check(struct machine *machine, enum uiommu_rules rules,
		  const char *expected)
{
	char text[512];

	machine->input.rules = rules;
	machine_plan(machine);
	partition(machine, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* Every function whose two answers differ says so; nobody else does. */
static void check_differs(const struct machine *machine, bool differs)
{
	bool said = false;
	uint32_t i;

	for (i = 0; i < machine->plan.device_count; i++)
		said |= machine_reason(machine, i, UIOMMU_RULE_GROUP_LINUX) !=
			NULL;
	assert_int_equal(said, differs);
}

static void one_case(const struct rule_case *one)
{
	const struct uiommu_plan_device *last;
	struct machine *machine;
	bool differs = strcmp(one->strict, one->linux_rules) != 0;
	unsigned int i, n;

	machine_setup((void **)&machine);
	machine_drhd(machine, ALL);
	for (n = 0; n < 12 && (one->parts[n].rid != 0); n++)
		add_part(machine, &one->parts[n]);
	check(machine, UIOMMU_RULES_LINUX, one->linux_rules);
	if (one->parts[n - 1].id != 0x853111f8)
		check_differs(machine, differs);
	check(machine, UIOMMU_RULES_STRICT, one->strict);
	check_differs(machine, differs);
	if (one->asks_count != 0) {
		i = uiommu_topology_find(
			&machine->topology,
			(struct uiommu_sid){ 0, one->parts[n - 1].rid });
		last = &machine->plan.devices[i];
		assert_int_equal(last->alias_count, one->asks_count);
		if (one->asks_first != 0)
			assert_int_equal(
				machine->plan.aliases[last->alias_first].rid,
				one->asks_first);
	}
	machine_teardown((void **)&machine);
}

static void test_cases(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		one_case(&cases[i]);
	}
}

static struct part plain(uint16_t rid, uint8_t type, uint8_t secondary,
			 uint8_t acs)
{
	return (struct part){ rid, type, secondary, 0, acs, false, 0 };
}

static void add(struct machine *machine, uint16_t rid, uint8_t type,
		uint8_t secondary, uint8_t acs)
{
	struct part part = plain(rid, type, secondary, acs);

	add_part(machine, &part);
}

static void test_phantom(void **state)
{
	struct machine *machine = *state;
	struct part part = plain(RID(0, 3, 1), EP, 0, 1);
	struct fake_function *f;

	machine_drhd(machine, ALL);
	add(machine, RID(0, 3, 0), EP, 0, 1);
	fake_multifunction(machine->host->functions[0][RID(0, 3, 0)]);
	f = add_part(machine, &part);
	f->space[0x44 / 4] = 2 << 3; /* two bits */
	check(machine, UIOMMU_RULES_STRICT, "00:03.0 00:03.1");
	assert_int_equal(machine->plan.devices[1].alias_count, 1);
	f->space[0x48 / 4] = 1 << 9; /* and in use */
	check(machine, UIOMMU_RULES_STRICT, "00:03.0 00:03.1");
	assert_int_equal(machine->plan.devices[1].alias_count, 4);
	f->space[0x44 / 4] = 3 << 3;
	check(machine, UIOMMU_RULES_STRICT, "00:03.0+00:03.1");
	assert_int_equal(machine->plan.devices[1].alias_count, 8);
	check(machine, UIOMMU_RULES_LINUX, "00:03.0 00:03.1");
	assert_int_equal(machine->plan.devices[1].alias_count, 1);
}

/* Virtual functions on their function's bus and on one that no bridge has. */
static void test_virtual(void **state)
{
	struct machine *machine = *state;
	struct fake_function *f;
	uint32_t named;

	machine_drhd(machine, ALL);
	named = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine_hop(machine, 0, 0);
	add(machine, RID(0, 1, 0), RP, 1, 1);
	fake_buses(machine->host->functions[0][RID(0, 1, 0)], 1, 2);
	add(machine, RID(1, 0, 0), EP, 0, 0);
	f = machine->host->functions[0][RID(1, 0, 0)];
	f->space[0x100 / 4] = 0x10010;
	f->space[0x108 / 4] = 1;
	f->space[0x110 / 4] = 3;
	f->space[0x114 / 4] = 0x80 << 16 | 0x80;
	f->space[0x118 / 4] = 0x1520u << 16;
	check(machine, UIOMMU_RULES_LINUX,
	      "00:01.0 01:00.0 01:10.0 02:00.0 02:10.0");
	check(machine, UIOMMU_RULES_STRICT,
	      "00:01.0 01:00.0 01:10.0 02:00.0 02:10.0");
	assert_int_equal(machine->topology.functions[3].device, 0x1520);
	assert_int_equal(machine->topology.functions[3].vendor, 0x1b36);
	assert_int_equal(machine->plan.devices[3].unit, named);
	assert_int_equal(
		machine_reason(machine, 3, UIOMMU_RULE_UNIT_PHYSICAL)->detail,
		1);
	/* Its own number is what arrives. */
	assert_int_equal(machine->plan.devices[3].alias_count, 1);
	/*
	 * A port that does not isolate joins them all; but in Linux the unit of
	 * the physical function comes before that of the port.
	 */
	f = machine->host->functions[0][RID(0, 1, 0)];
	f->space[0x104 / 4] &= 0xffff;
	check(machine, UIOMMU_RULES_STRICT,
	      "00:01.0+01:00.0+01:10.0+02:00.0+02:10.0");
	check(machine, UIOMMU_RULES_LINUX,
	      "00:01.0+01:10.0+02:00.0+02:10.0 01:00.0");
	/* Turned off they are gone. */
	machine->host->functions[0][RID(1, 0, 0)]->space[0x108 / 4] = 0;
	machine_plan(machine);
	assert_int_equal(machine->topology.count, 2);
}

/* Each is said by the system's number, the id by that of who asks. */
static void check_requester_words(struct machine *machine)
{
	struct uiommu_sid last = { 1, RID(0, 2, 0) };

	assert_string_equal(
		machine_says(machine, last, UIOMMU_RULE_GROUP_ALIAS),
		"10000:00:02.0 and 10000:00:01.0 both ask as requester "
		"0000:00:0e.0");
	assert_string_equal(
		machine_says(machine, (struct uiommu_sid){ 0, RID(0, 14, 0) },
			     UIOMMU_RULE_GROUP_ALIAS),
		"0000:00:0e.0 and 10000:00:00.0 both ask as requester "
		"0000:00:0e.0");
	assert_non_null(
		strstr(machine_says(machine, last, UIOMMU_RULE_UNIT_REQUESTER),
		       "10000:00:02.0 asks as 0000:00:0e.0, "));
	assert_non_null(
		strstr(machine_says(machine, last, UIOMMU_RULE_REGION_MSI),
		       " is kept for 10000:00:02.0, "));
}

/* Three devices behind a volume management device, in a segment of its own. */
static void test_requester(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid real = { 0, RID(0, 14, 0) };
	struct uiommu_plan *plan = &machine->plan;
	uint32_t unit, i;

	machine_drhd(machine, ALL);
	unit = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 14, 0);
	add(machine, RID(0, 14, 0), IE, 0, 0);
	add(machine, RID(0, 15, 0), IE, 0, 0);
	for (i = 0; i < 3; i++)
		fake_add(machine->host,
			 (struct uiommu_sid){ 1, (uint16_t)(i << 3) },
			 0x0a548086, 0x010802, 0);
	machine_plan(machine);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 1, 0, 0), 0);
	uiommu_topology_set_domain(&machine->topology, 1, 0x10000);
	for (i = 0; i < 3; i++)
		assert_int_equal(uiommu_topology_set_requester(
					 &machine->topology,
					 machine->topology.functions[2 + i].sid,
					 real),
				 0);
	assert_int_equal(uiommu_topology_set_requester(
				 &machine->topology, real,
				 machine->topology.functions[2].sid),
			 UIOMMU_EINVAL);
	for (i = 0; i < 2; i++) {
		uiommu_plan_fini(plan);
		machine->input.rules = (enum uiommu_rules)i;
		assert_int_equal(machine_try_plan(machine, plan), 0);
		machine_check(machine);
		assert_int_equal(plan->group_count, 2);
		assert_int_equal(plan->groups[0].member_count, 4);
		assert_int_equal(plan->devices[4].unit, unit);
		assert_int_equal(plan->devices[4].alias_count, 1);
		assert_int_equal(
			plan->aliases[plan->devices[4].alias_first].rid,
			real.rid);
		assert_non_null(
			machine_reason(machine, 4, UIOMMU_RULE_UNIT_REQUESTER));
		check_requester_words(machine);
	}
}

/* A segment that firmware cannot name, and nobody asks in its stead. */
static void test_domain(void **state)
{
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	add(machine, RID(0, 3, 0), IE, 0, 0);
	add(machine, RID(0, 4, 0), IE, 0, 0);
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 2);
	uiommu_plan_fini(&machine->plan);
	uiommu_topology_set_domain(&machine->topology, 0, 0x10000);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	machine_check(machine);
	assert_int_equal(machine->plan.group_count, 0);
	assert_non_null(machine_reason(machine, 0, UIOMMU_RULE_UNIT_NONE));
}

static void test_namespace(void **state)
{
	struct machine *machine = *state;
	struct uiommu_dmar_scope *scope;
	uint32_t andd, unit, nobody;

	machine_drhd(machine, ALL);
	unit = machine_drhd(machine, 0);
	scope = machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 21, 2);
	scope->enumeration_id = 7;
	andd = machine->dmar.record_count++;
	machine->records[andd].type = UIOMMU_DMAR_ANDD;
	machine->records[andd].usable = true;
	machine->records[andd].device_number = 7;
	nobody = machine->dmar.record_count++;
	machine->records[nobody] = machine->records[andd];
	machine->records[nobody].device_number = 8; /* in no scope */
	add(machine, RID(0, 3, 0), IE, 0, 0);
	check(machine, UIOMMU_RULES_STRICT, "00:03.0 00:15.2");
	assert_int_equal(machine->plan.device_count, 2);
	assert_int_equal(machine->plan.devices[1].function, UIOMMU_PCI_NONE);
	assert_int_equal(machine->plan.devices[1].andd, andd);
	assert_int_equal(machine->plan.devices[1].unit, unit);
	assert_int_equal(
		machine_reason(machine, 1, UIOMMU_RULE_UNIT_NAMESPACE)->other,
		unit);
	/* A function with the same number cannot be told from it. */
	add(machine, RID(0, 21, 0), IE, 0, 0);
	fake_multifunction(machine->host->functions[0][RID(0, 21, 0)]);
	add(machine, RID(0, 21, 2), IE, 0, 1);
	check(machine, UIOMMU_RULES_LINUX, "00:03.0 00:15.0 00:15.2 00:15.2");
	machine->units[unit].present = false;
	machine_plan(machine);
	assert_int_equal(machine->plan.devices[3].unit, UIOMMU_PLAN_NONE);
	machine->units[unit].present = true;
}

static void test_graphics(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_reason *reason;
	uint32_t unit;

	unit = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_drhd(machine, ALL);
	add(machine, RID(0, 2, 0), IE, 0, 0);
	add(machine, RID(0, 3, 0), IE, 0, 0);
	machine->host->functions[0][RID(0, 2, 0)]->space[2] = 0x03000000;
	check(machine, UIOMMU_RULES_STRICT, "00:02.0 00:03.0");
	machine->options.igfx_off = true;
	check(machine, UIOMMU_RULES_STRICT, "00:03.0");
	reason = machine_reason(machine, 0, UIOMMU_RULE_UNIT_GRAPHICS_OFF);
	assert_non_null(reason);
	assert_int_equal(reason->other, unit);
	/* Not for displays alone: it stays. */
	machine->records[unit].scope_count = 0;
	machine->dmar.record_count = 0;
	machine->dmar.scope_count = 0;
	memset(machine->records, 0, sizeof(machine->records));
	machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	check(machine, UIOMMU_RULES_STRICT, "00:02.0 00:03.0");
}

/* Paths that begin elsewhere than on a root bus, and a host bridge. */
static void test_paths(void **state)
{
	struct machine *machine = *state;
	uint32_t renumbered, astray, host, rest;

	add(machine, RID(0, 0, 0), CV, 0, 0);
	machine->host->functions[0][0]->space[2] = 0x06000000;
	add(machine, RID(0, 1, 0), RP, 7, 1);
	fake_buses(machine->host->functions[0][RID(0, 1, 0)], 7, 8);
	add(machine, RID(7, 0, 0), UP, 8, 1);
	add(machine, RID(7, 1, 0), EP, 0, 1);
	add(machine, RID(8, 3, 0), EP, 0, 1);
	renumbered = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 7, 1, 0); /* its real bus */
	astray = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 7, 0, 0);
	machine_hop(machine, 3, 0);
	host = machine_drhd(machine, 0);
	machine_scope(machine, BRIDGE, 0, 0, 0);
	rest = machine_drhd(machine, ALL);
	machine_plan(machine);
	assert_int_equal(machine->plan.devices[0].unit, host);
	assert_int_equal(machine_device(machine, 7, 1, 0)->unit, renumbered);
	assert_int_equal(machine_device(machine, 8, 3, 0)->unit, astray);
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	assert_int_equal(machine->plan.devices[0].unit, host);
	assert_int_equal(machine_device(machine, 7, 1, 0)->unit, renumbered);
	assert_int_equal(machine_device(machine, 8, 3, 0)->unit, rest);
}

/* The bridge's unit comes later in Linux's list than that of what is below. */
static void test_order(void **state)
{
	struct machine *machine = *state;

	machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine_hop(machine, 0, 0);
	machine_drhd(machine, ALL);
	add(machine, RID(0, 1, 0), RP, 1, 0);
	add(machine, RID(1, 0, 0), EP, 0, 0);
	check(machine, UIOMMU_RULES_STRICT, "00:01.0+01:00.0");
	check(machine, UIOMMU_RULES_LINUX, "00:01.0 01:00.0");
	check_differs(machine, true);
}

/* Root ports of the 100 series keep their controls elsewhere. */
static void test_wide_acs(void **state)
{
	struct machine *machine = *state;
	struct fake_function *f;

	machine_drhd(machine, ALL);
	add(machine, RID(0, 28, 0), RP, 1, 1);
	add(machine, RID(1, 0, 0), EP, 0, 0);
	f = machine->host->functions[0][RID(0, 28, 0)];
	f->space[0] = 0xa1108086;
	f->space[0x104 / 4] = 0x0f;
	f->space[0x108 / 4] = 0;
	check(machine, UIOMMU_RULES_LINUX, "00:1c.0+01:00.0");
	f->space[0x108 / 4] = 0x1d;
	check(machine, UIOMMU_RULES_LINUX, "00:1c.0 01:00.0");
}

/* In order, nothing twice, every line with a model and a sentence. */
static void test_tables(void **state)
{
	uint32_t i, devices = 0;

	(void)state;
	for (i = 0; i < uiommu_plan_claim_count; i++) {
		const struct plan_claim *claim = &uiommu_plan_claims[i];
		const struct plan_claim *before = claim - 1;

		assert_true(claim->first <= claim->last);
		assert_true(claim->says <= PLAN_SAYS_AMD);
		assert_true(strlen(claim->model) > 3);
		assert_true(strlen(uiommu_plan_claim_text(i)) > 20);
		devices += claim->last - claim->first + 1u;
		if (i == 0)
			continue;
		assert_true(before->vendor < claim->vendor ||
			    before->first < claim->first);
		/* One may lie in the range of another kind of function. */
		assert_true(before->vendor != claim->vendor ||
			    before->last < claim->first ||
			    before->is != claim->is);
	}
	assert_true(devices > 130);
	for (i = 0; i < uiommu_plan_model_count; i++) {
		const struct plan_model *model = &uiommu_plan_models[i];
		const struct plan_model *before = model - 1;

		assert_true(strlen(model->model) > 3);
		assert_true(strlen(uiommu_plan_alias_text(i)) > 10);
		if (i == 0 || before->vendor < model->vendor)
			continue;
		assert_int_equal(before->vendor, model->vendor);
		assert_true(before->device < model->device ||
			    (before->device == model->device &&
			     before->subsystem < model->subsystem));
	}
	assert_string_equal(uiommu_plan_claim_text(123456), "no such claim");
	assert_string_equal(uiommu_plan_alias_text(123456), "no such model");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		TEST(test_phantom),
		TEST(test_virtual),
		TEST(test_requester),
		TEST(test_domain),
		TEST(test_namespace),
		TEST(test_graphics),
		TEST(test_paths),
		TEST(test_order),
		TEST(test_wide_acs),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests_name("plan rules", tests, NULL, NULL);
}
