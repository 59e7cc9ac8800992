// SPDX-License-Identifier: MIT
/* The plan, rule by rule, on machines small enough to decide by hand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define ENDPOINT UIOMMU_SCOPE_ENDPOINT
#define BRIDGE UIOMMU_SCOPE_BRIDGE
#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL

static struct fake_function *device(struct machine *machine, unsigned int bus,
				    unsigned int slot, unsigned int function,
				    unsigned int type)
{
	struct fake_function *f = fake_add(machine->host,
					   fake_sid(bus, slot, function),
					   0x10001b36, 0x020000, 0);

	if (type != UIOMMU_PCI_CONVENTIONAL)
		fake_express(f, type);
	return f;
}

static struct fake_function *port(struct machine *machine, unsigned int bus,
				  unsigned int slot, unsigned int function,
				  unsigned int type, unsigned int secondary,
				  bool acs)
{
	return fake_port(machine->host, fake_sid(bus, slot, function), type,
			 secondary, secondary, acs);
}

/* Groups as text: members joined by '+', groups by ' '. */
static void check_partition(const struct machine *machine, const char *expected)
{
	const struct uiommu_plan *plan = &machine->plan;
	char text[1024] = "";
	size_t used = 0;
	uint32_t i, k;

	for (i = 0; i < plan->group_count; i++) {
		const struct uiommu_plan_group *group = &plan->groups[i];

		for (k = 0; k < group->member_count; k++) {
			struct uiommu_sid sid =
				machine->topology
					.functions
						[plan->members
							 [group->member_first +
							  k]]
					.sid;

			used += (size_t)snprintf(
				text + used, sizeof(text) - used,
				"%s%02x:%02x.%u",
				k   ? "+"
				: i ? " "
				    : "",
				UIOMMU_SID_BUS(sid), UIOMMU_SID_DEV(sid),
				UIOMMU_SID_FN(sid));
		}
	}
	assert_string_equal(text, expected);
}

/* What Linux makes of QEMU's q35 with devices on the root bus and below. */
static void test_q35(void **state)
{
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	device(machine, 0, 0, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 2, 0, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	device(machine, 0, 3, 0, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	port(machine, 0, 4, 0, UIOMMU_PCIE_ROOT_PORT, 1, true);
	device(machine, 1, 0, 0, UIOMMU_PCIE_ENDPOINT);
	port(machine, 0, 5, 0, UIOMMU_PCIE_ROOT_PORT, 2, false);
	device(machine, 2, 0, 0, UIOMMU_PCIE_ENDPOINT);
	fake_multifunction(device(machine, 0, 31, 0, UIOMMU_PCI_CONVENTIONAL));
	device(machine, 0, 31, 2, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 31, 3, UIOMMU_PCI_CONVENTIONAL);
	machine_plan(machine);
	check_partition(machine, "00:00.0 00:01.0 00:02.0 00:03.0 00:04.0 "
				 "00:05.0+02:00.0 00:1f.0+00:1f.2+00:1f.3 "
				 "01:00.0");
	assert_non_null(machine_reason(machine, machine_index(machine, 1, 0, 0),
				       UIOMMU_RULE_GROUP_ALONE));
}

static void check_aliases(const struct machine *machine, unsigned int bus,
			  unsigned int slot, const uint16_t *rids,
			  uint32_t count)
{
	const struct uiommu_plan_device *decided = machine_device(machine, bus,
								  slot, 0);
	uint32_t i;

	assert_int_equal(decided->alias_count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(
			machine->plan.aliases[decided->alias_first + i].rid,
			rids[i]);
}

static void test_aliases(void **state)
{
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	/* A PCIe-to-PCI bridge below a port that isolates. */
	port(machine, 0, 1, 0, UIOMMU_PCIE_ROOT_PORT, 1, true);
	port(machine, 1, 0, 0, UIOMMU_PCIE_TO_PCI_BRIDGE, 2, false);
	device(machine, 2, 0, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 2, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	/* A conventional bridge on it, and one that leads back to PCIe. */
	port(machine, 2, 2, 0, UIOMMU_PCI_CONVENTIONAL, 3, false);
	device(machine, 3, 5, 0, UIOMMU_PCI_CONVENTIONAL);
	port(machine, 3, 6, 0, UIOMMU_PCI_TO_PCIE_BRIDGE, 4, false);
	device(machine, 4, 0, 0, UIOMMU_PCIE_ENDPOINT);
	machine_plan(machine);
	check_aliases(machine, 1, 0, (const uint16_t[]){ 0x100 }, 1);
	check_aliases(machine, 2, 0, (const uint16_t[]){ 0x200 }, 1);
	check_aliases(machine, 2, 1, (const uint16_t[]){ 0x208, 0x200 }, 2);
	check_aliases(machine, 2, 2, (const uint16_t[]){ 0x210, 0x200 }, 2);
	check_aliases(machine, 3, 5, (const uint16_t[]){ 0x328, 0x210, 0x200 },
		      3);
	check_aliases(machine, 4, 0,
		      (const uint16_t[]){ 0x400, 0x330, 0x210, 0x200 }, 4);
	check_partition(machine, "00:01.0 01:00.0+02:00.0+02:01.0+02:02.0+"
				 "03:05.0+03:06.0+04:00.0");
	assert_non_null(machine_reason(machine, machine_index(machine, 2, 1, 0),
				       UIOMMU_RULE_GROUP_ALIAS));
	assert_non_null(machine_reason(machine, machine_index(machine, 2, 1, 0),
				       UIOMMU_RULE_GROUP_BRIDGE));
	assert_non_null(machine_reason(machine, machine_index(machine, 1, 0, 0),
				       UIOMMU_RULE_GROUP_BRIDGE));
}

/* Root ports that share a slot drag in what is below them. */
static void test_ports_of_one_slot(void **state)
{
	struct machine *machine = *state;
	unsigned int i;

	machine_drhd(machine, ALL);
	for (i = 0; i < 4; i++) {
		port(machine, 0, 28, i, UIOMMU_PCIE_ROOT_PORT, i + 1, i >= 2);
		device(machine, i + 1, 0, 0, UIOMMU_PCIE_ENDPOINT);
	}
	fake_multifunction(machine->host->functions[0][28 << 3]);
	machine_plan(machine);
	/* What 1c.0 lets go round reaches what is below its neighbours. */
	check_partition(machine, "00:1c.0+00:1c.1+00:1c.2+00:1c.3+01:00.0+"
				 "02:00.0+03:00.0+04:00.0");
	assert_int_equal(machine_reason(machine,
					machine_index(machine, 4, 0, 0),
					UIOMMU_RULE_GROUP_REACH)
				 ->other,
			 machine_index(machine, 0, 28, 0));
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	check_partition(machine, "00:1c.0+00:1c.1+01:00.0+02:00.0 00:1c.2 "
				 "00:1c.3 03:00.0 04:00.0");
	assert_non_null(machine_reason(machine, machine_index(machine, 4, 0, 0),
				       UIOMMU_RULE_GROUP_LINUX));
	assert_int_equal(machine_reason(machine,
					machine_index(machine, 0, 28, 1),
					UIOMMU_RULE_GROUP_MULTIFUNCTION)
				 ->other,
			 machine_index(machine, 0, 28, 0));
	assert_int_equal(machine_reason(machine,
					machine_index(machine, 2, 0, 0),
					UIOMMU_RULE_GROUP_NO_ACS)
				 ->other,
			 machine_index(machine, 0, 28, 1));
}

static void test_acs_words(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_reason *reason;
	char text[200];
	unsigned int i;

	machine_drhd(machine, ALL);
	for (i = 1; i <= 4; i++) {
		port(machine, 0, i, 0, UIOMMU_PCIE_ROOT_PORT, i, true);
		device(machine, i, 0, 0, UIOMMU_PCIE_ENDPOINT);
	}
	/* What a port cannot do at all it does always. */
	fake_acs(machine->host->functions[0][1 << 3], 0x05, 0x05);
	fake_acs(machine->host->functions[0][2 << 3], 0x7f, 0x18);
	fake_acs(machine->host->functions[0][3 << 3], 0x00, 0x00);
	fake_acs(machine->host->functions[0][4 << 3], 0x1d, 0x0d);
	machine_plan(machine);
	check_partition(machine, "00:01.0 00:02.0+02:00.0 00:03.0 "
				 "00:04.0+04:00.0 01:00.0 03:00.0");
	reason = machine_reason(machine, machine_index(machine, 2, 0, 0),
				UIOMMU_RULE_GROUP_NO_ACS);
	assert_int_equal(reason->detail, 0x05);
	uiommu_reason_text(&machine->plan, &machine->topology, reason, text,
			   sizeof(text));
	assert_string_equal(text, "port 0000:00:02.0 above 0000:02:00.0 has "
				  "ACS but SV RR are not turned on, so nothing "
				  "keeps the latter apart");
	reason = machine_reason(machine, machine_index(machine, 0, 4, 0),
				UIOMMU_RULE_GROUP_NO_ACS);
	assert_int_equal(reason->other, reason->device);
	assert_int_equal(reason->detail, 0x10);
}

/* A switch isolates only as far as the root port above it does. */
static void test_switches(void **state)
{
	struct machine *machine = *state;
	unsigned int i;

	machine_drhd(machine, ALL);
	for (i = 0; i < 2; i++) {
		unsigned int bus = 0x10 * (i + 1);

		port(machine, 0, i + 1, 0, UIOMMU_PCIE_ROOT_PORT, bus, i == 0);
		port(machine, bus, 0, 0, UIOMMU_PCIE_UPSTREAM_PORT, bus + 1,
		     false);
		port(machine, bus + 1, 0, 0, UIOMMU_PCIE_DOWNSTREAM_PORT,
		     bus + 2, true);
		device(machine, bus + 2, 0, 0, UIOMMU_PCIE_ENDPOINT);
		port(machine, bus + 1, 1, 0, UIOMMU_PCIE_DOWNSTREAM_PORT,
		     bus + 3, false);
		device(machine, bus + 3, 0, 0, UIOMMU_PCIE_ENDPOINT);
	}
	machine_plan(machine);
	/* 11:01.0 lets requests go round to 11:00.0 and what is below it. */
	check_partition(machine, "00:01.0 "
				 "00:02.0+20:00.0+21:00.0+21:01.0+22:00.0+"
				 "23:00.0 "
				 "10:00.0 11:00.0+11:01.0+12:00.0+13:00.0");
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	check_partition(machine, "00:01.0 "
				 "00:02.0+20:00.0+21:00.0+21:01.0+22:00.0+"
				 "23:00.0 "
				 "10:00.0 11:00.0 11:01.0+13:00.0 12:00.0");
	assert_int_equal(machine_reason(machine,
					machine_index(machine, 0x22, 0, 0),
					UIOMMU_RULE_GROUP_NO_ACS)
				 ->other,
			 machine_index(machine, 0, 2, 0));
}

static void test_slots(void **state)
{
	struct machine *machine = *state;
	struct fake_function *f;

	machine_drhd(machine, ALL);
	/* Integrated, of Intel: their word counts. Of others: it does not. */
	f = device(machine, 0, 1, 0, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	f->space[0] = 0x10008086;
	fake_multifunction(f);
	f = device(machine, 0, 1, 1, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	f->space[0] = 0x10008086;
	fake_multifunction(
		device(machine, 0, 2, 0, UIOMMU_PCIE_INTEGRATED_ENDPOINT));
	device(machine, 0, 2, 1, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	/* Functions of an adapter; the one with ACS stays out of it. */
	port(machine, 0, 3, 0, UIOMMU_PCIE_ROOT_PORT, 1, true);
	fake_multifunction(device(machine, 1, 0, 0, UIOMMU_PCIE_ENDPOINT));
	fake_acs(device(machine, 1, 0, 1, UIOMMU_PCIE_ENDPOINT), 0x1d, 0x1d);
	device(machine, 1, 0, 2, UIOMMU_PCIE_ENDPOINT);
	/* A slot that could hold several but does not; an event collector. */
	fake_multifunction(device(machine, 0, 4, 0, UIOMMU_PCI_CONVENTIONAL));
	device(machine, 0, 5, 0, UIOMMU_PCIE_EVENT_COLLECTOR);
	machine_plan(machine);
	check_partition(machine, "00:01.0 00:01.1 00:02.0+00:02.1 00:03.0 "
				 "00:04.0 00:05.0 01:00.0+01:00.1+01:00.2");
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	check_partition(machine, "00:01.0 00:01.1 00:02.0+00:02.1 00:03.0 "
				 "00:04.0 00:05.0 01:00.0+01:00.2 01:00.1");
}

/* A bridge that says it is an endpoint isolates nothing. */
static void test_bridge_in_disguise(void **state)
{
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	port(machine, 0, 1, 0, UIOMMU_PCIE_ENDPOINT, 1, true);
	device(machine, 1, 0, 0, UIOMMU_PCIE_ENDPOINT);
	port(machine, 0, 2, 0, 3, 2, true); /* a type that does not exist */
	device(machine, 2, 0, 0, UIOMMU_PCIE_ENDPOINT);
	machine_plan(machine);
	check_partition(machine, "00:01.0+01:00.0 00:02.0+02:00.0");
}

static void check_unit(const struct machine *machine, unsigned int bus,
		       unsigned int slot, uint32_t unit, enum uiommu_rule rule)
{
	uint32_t i = machine_index(machine, bus, slot, 0);

	assert_int_equal(machine->plan.devices[i].unit, unit);
	assert_non_null(machine_reason(machine, i, rule));
}

static void test_units(void **state)
{
	struct machine *machine = *state;
	uint32_t graphics, below, far, rest;

	device(machine, 0, 2, 0, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	device(machine, 0, 6, 0, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	port(machine, 0, 3, 0, UIOMMU_PCIE_ROOT_PORT, 7, true);
	port(machine, 7, 0, 0, UIOMMU_PCIE_UPSTREAM_PORT, 8, true);
	port(machine, 8, 1, 0, UIOMMU_PCIE_DOWNSTREAM_PORT, 9, true);
	device(machine, 9, 0, 0, UIOMMU_PCIE_ENDPOINT);
	port(machine, 8, 2, 0, UIOMMU_PCIE_DOWNSTREAM_PORT, 10, true);
	device(machine, 10, 0, 0, UIOMMU_PCIE_ENDPOINT);
	device(machine, 10, 1, 0, UIOMMU_PCIE_ENDPOINT);
	/* The rest comes first and still loses to what names a device. */
	rest = machine_drhd(machine, ALL);
	machine_scope(machine, UIOMMU_SCOPE_IOAPIC, 0xf0, 31, 0);
	graphics = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	below = machine_drhd(machine, 0);
	machine_scope(machine, BRIDGE, 0, 3, 0);
	/* By a path through a bridge, and nearer than the bridge above. */
	far = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 8, 2, 0);
	machine_hop(machine, 1, 0);
	machine_plan(machine);
	check_unit(machine, 0, 2, graphics, UIOMMU_RULE_UNIT_SCOPE);
	check_unit(machine, 0, 6, rest, UIOMMU_RULE_UNIT_INCLUDE_ALL);
	check_unit(machine, 0, 3, below, UIOMMU_RULE_UNIT_SCOPE);
	check_unit(machine, 8, 2, below, UIOMMU_RULE_UNIT_BRIDGE_SCOPE);
	check_unit(machine, 9, 0, below, UIOMMU_RULE_UNIT_BRIDGE_SCOPE);
	check_unit(machine, 10, 0, below, UIOMMU_RULE_UNIT_BRIDGE_SCOPE);
	check_unit(machine, 10, 1, far, UIOMMU_RULE_UNIT_SCOPE);
	assert_int_equal(machine_reason(machine,
					machine_index(machine, 9, 0, 0),
					UIOMMU_RULE_UNIT_BRIDGE_SCOPE)
				 ->detail,
			 machine_index(machine, 0, 3, 0));
}

/* Scopes that name nothing, or a port as if it were an endpoint. */
static void test_odd_scopes(void **state)
{
	struct machine *machine = *state;
	uint32_t odd;

	device(machine, 0, 0, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	port(machine, 0, 3, 0, UIOMMU_PCIE_ROOT_PORT, 7, true);
	device(machine, 7, 0, 0, UIOMMU_PCIE_ENDPOINT);
	port(machine, 0, 4, 0, UIOMMU_PCIE_ROOT_PORT, 0, true);
	device(machine, 1, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	odd = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 9, 0); /* not there */
	machine_scope(machine, ENDPOINT, 0, 1, 0); /* below an endpoint */
	machine_hop(machine, 0, 0);
	machine_scope(machine, ENDPOINT, 0, 4, 0); /* below an unset bridge */
	machine_hop(machine, 1, 0);
	machine_scope(machine, ENDPOINT, 0, 33,
		      0); /* device 33 is 1 of bus 1 */
	machine_scope(machine, UIOMMU_SCOPE_HPET, 0, 1, 0);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 1, 0);
	machine_scope(machine, ENDPOINT, 0, 1, 0)->usable = false;
	machine_scope(machine, ENDPOINT, 0, 3, 0); /* a port as an endpoint */
	machine_scope(machine, BRIDGE, 0, 0, 0);   /* a host bridge */
	machine_plan(machine);
	check_unit(machine, 0, 0, odd, UIOMMU_RULE_UNIT_SCOPE);
	check_unit(machine, 0, 1, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
	check_unit(machine, 0, 3, odd, UIOMMU_RULE_UNIT_SCOPE);
	check_unit(machine, 7, 0, odd, UIOMMU_RULE_UNIT_BRIDGE_SCOPE);
	check_unit(machine, 0, 4, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
	check_unit(machine, 1, 1, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
}

/* A unit that is not there never hands its devices to another. */
static void test_absent_units(void **state)
{
	struct machine *machine = *state;
	uint32_t absent, twin, unusable, rest;

	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 2, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 3, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 4, 0, UIOMMU_PCI_CONVENTIONAL);
	absent = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine->units[absent].present = false;
	twin = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	unusable = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	machine->records[unusable].usable = false;
	rest = machine_drhd(machine, ALL);
	machine_plan(machine);
	check_unit(machine, 0, 1, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
	check_unit(machine, 0, 2, twin, UIOMMU_RULE_UNIT_SCOPE);
	check_unit(machine, 0, 3, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
	check_unit(machine, 0, 4, rest, UIOMMU_RULE_UNIT_INCLUDE_ALL);
	check_partition(machine, "00:02.0 00:04.0");
	assert_int_equal(
		machine_reason(machine, 0, UIOMMU_RULE_UNIT_NONE)->other,
		absent);
	machine->units[rest].present = false;
	machine_plan(machine);
	check_unit(machine, 0, 4, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
}

static void test_segments(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid other = { 1, 0x10 };
	uint32_t named, i;

	device(machine, 0, 2, 0, UIOMMU_PCI_CONVENTIONAL);
	fake_add(machine->host, other, 0x18086, 0, 0);
	other.rid = 0x18;
	fake_add(machine->host, other, 0x18086, 0, 0);
	machine_drhd(machine, ALL);
	named = machine_drhd(machine, 0);
	machine->records[named].segment = 1;
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_plan(machine);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 1, 0, 0), 0);
	uiommu_plan_fini(&machine->plan);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	machine_check(machine);
	check_unit(machine, 0, 2, 0, UIOMMU_RULE_UNIT_INCLUDE_ALL);
	other.rid = 0x10;
	i = uiommu_topology_find(&machine->topology, other);
	assert_int_equal(machine->plan.devices[i].unit, named);
	assert_int_equal(machine->plan.devices[i + 1].unit, UIOMMU_PLAN_NONE);
}

static void check_type(struct machine *machine, enum uiommu_choice choice,
		       uint32_t group, enum uiommu_domain_type type,
		       enum uiommu_rule rule)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t i, member;

	machine->options.passthrough = choice;
	machine_plan(machine);
	assert_int_equal(plan->groups[group].type, type);
	for (i = 0; i < plan->groups[group].member_count; i++) {
		member = plan->members[plan->groups[group].member_first + i];
		assert_non_null(machine_reason(machine, member, rule));
	}
}

static void test_types(void **state)
{
	struct machine *machine = *state;
	uint32_t poor;

	/* Group 0 below the rest; group 1 half below a unit without. */
	machine_drhd(machine, ALL);
	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	fake_multifunction(device(machine, 0, 2, 0, UIOMMU_PCI_CONVENTIONAL));
	device(machine, 0, 2, 1, UIOMMU_PCI_CONVENTIONAL);
	poor = machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 1);
	machine->units[poor].passthrough = false;
	check_type(machine, UIOMMU_CHOICE_DEFAULT, 0, UIOMMU_DOMAIN_DMA,
		   UIOMMU_RULE_TYPE_BUILD);
	check_type(machine, UIOMMU_CHOICE_NO, 0, UIOMMU_DOMAIN_DMA,
		   UIOMMU_RULE_TYPE_OPTION);
	check_type(machine, UIOMMU_CHOICE_YES, 0, UIOMMU_DOMAIN_IDENTITY,
		   UIOMMU_RULE_TYPE_OPTION);
	check_type(machine, UIOMMU_CHOICE_YES, 1, UIOMMU_DOMAIN_DMA,
		   UIOMMU_RULE_TYPE_REQUIRED);
	assert_int_equal(machine_device(machine, 0, 2, 0)->required,
			 UIOMMU_DOMAIN_NONE);
	assert_int_equal(machine_device(machine, 0, 2, 1)->required,
			 UIOMMU_DOMAIN_DMA);
	assert_int_equal(
		machine_reason(machine, 1, UIOMMU_RULE_TYPE_REQUIRED)->other,
		2);
}

/* Regions of a device as "first-last type record" lines. */
static void check_region_list(const struct machine *machine, unsigned int bus,
			      unsigned int slot, const char *expected)
{
	const struct uiommu_plan_device *decided = machine_device(machine, bus,
								  slot, 0);
	char text[512] = "";
	size_t used = 0;
	uint32_t i;

	for (i = 0; i < decided->region_count; i++) {
		const struct uiommu_region *region =
			&machine->plan.regions[decided->region_first + i];

		used += (size_t)snprintf(
			text + used, sizeof(text) - used,
			"%llx-%llx %s %x %d\n",
			(unsigned long long)region->range.first,
			(unsigned long long)region->range.last,
			uiommu_region_type_name(region->type), region->prot,
			(int)region->record);
	}
	assert_string_equal(text, expected);
}

#define MSI "fee00000-feefffff msi 0 -1\n"

static void test_regions(void **state)
{
	struct machine *machine = *state;

	machine_drhd(machine, ALL);
	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	device(machine, 0, 2, 0, UIOMMU_PCI_CONVENTIONAL)->space[2] =
		0x0c033000;
	device(machine, 0, 3, 0, UIOMMU_PCI_CONVENTIONAL)->space[2] =
		0x03000000;
	port(machine, 0, 4, 0, UIOMMU_PCIE_ROOT_PORT, 1, true);
	device(machine, 1, 0, 0, UIOMMU_PCIE_ENDPOINT);
	device(machine, 0, 5, 0, UIOMMU_PCI_CONVENTIONAL);
	machine_rmrr(machine, 0x1234, 0x1235); /* 1: not whole pages */
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	machine_scope(machine, BRIDGE, 0, 4, 0);
	machine_rmrr(machine, 0xfef00000, 0xfef0ffff); /* 2: touches the MSIs */
	machine_scope(machine, ENDPOINT, 1, 0, 0);
	machine_scope(machine, ENDPOINT, 1, 0, 0);
	machine_rmrr(machine, 0x9000, 0x8fff); /* 3: backwards */
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine_rmrr(machine, 0x9000, 0x9fff); /* 4: not to be used */
	machine_scope(machine, ENDPOINT, 0, 1, 0);
	machine->records[4].usable = false;
	machine_plan(machine);
	check_region_list(machine, 0, 1, MSI);
	check_region_list(machine, 0, 2,
			  "1000-1fff direct-relaxable 3 1\n" MSI);
	check_region_list(machine, 0, 3,
			  "1000-1fff direct-relaxable 3 1\n" MSI);
	check_region_list(machine, 0, 4, "1000-1fff direct 3 1\n" MSI);
	check_region_list(machine, 1, 0,
			  "1000-1fff direct 3 1\n" MSI
			  "fef00000-fef0ffff direct 3 2\n");
	check_region_list(machine, 0, 5, MSI);
}

/* Overlapping, touching and nested regions, in every order of records. */
static void test_region_merge(void **state)
{
	static const uint64_t parts[5][2] = {
		{ 0x10000, 0x1ffff },	    { 0x20000, 0x27fff },
		{ 0x22000, 0x23fff },	    { 0x26000, 0x2ffff },
		{ 0xfed00000, UINT64_MAX },
	};
	struct machine *machine = *state;
	unsigned int order, i, k, n;

	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	for (order = 0; order < 120; order++) {
		bool used[5] = { false };
		char expected[200];
		unsigned int rank = order, low = 0, high = 0;

		machine->dmar.record_count = 0;
		machine->dmar.scope_count = 0;
		memset(machine->records, 0, sizeof(machine->records));
		machine_drhd(machine, ALL);
		for (i = 5; i != 0; i--) {
			n = rank % i;
			rank /= i;
			for (k = 0; used[k] || n-- != 0; k++)
				;
			used[k] = true;
			machine_rmrr(machine, parts[k][0], parts[k][1]);
			machine_scope(machine, ENDPOINT, 0, 1, 0);
			if (k == 0)
				low = machine->dmar.record_count - 1;
			if (k == 4)
				high = machine->dmar.record_count - 1;
		}
		machine_plan(machine);
		snprintf(expected, sizeof(expected),
			 "10000-2ffff direct 3 %u\n"
			 "fed00000-ffffffffffffffff direct 3 %u\n" MSI,
			 low, high);
		check_region_list(machine, 0, 1, expected);
	}
}

static void test_arguments(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan_input input = { 0 };
	struct uiommu_plan plan, untouched;

	memset(&plan, 0x5a, sizeof(plan));
	untouched = plan;
	assert_int_equal(uiommu_plan_make(machine->host, &input, &plan),
			 UIOMMU_EINVAL);
	machine_drhd(machine, ALL);
	input.topology = &machine->topology;
	input.dmar = &machine->dmar;
	assert_int_equal(uiommu_plan_make(machine->host, &input, &plan),
			 UIOMMU_EINVAL);
	assert_memory_equal(&plan, &untouched, sizeof(plan));
	/* Nothing to plan is a plan. */
	machine_plan(machine);
	assert_int_equal(machine->plan.device_count, 0);
	/* Without a table nobody has a unit. */
	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 0), 0);
	uiommu_plan_fini(&machine->plan);
	input.dmar = NULL;
	assert_int_equal(
		uiommu_plan_make(machine->host, &input, &machine->plan), 0);
	machine_check(machine);
	check_unit(machine, 0, 1, UIOMMU_PLAN_NONE, UIOMMU_RULE_UNIT_NONE);
	assert_int_equal(machine->plan.group_count, 0);
	uiommu_plan_fini(&machine->plan);
	assert_int_equal(machine->plan.device_count, 0);
	assert_null(machine->plan.devices);
	uiommu_plan_fini(&machine->plan);
}

/* Every allocation fails in turn. */
static void test_no_memory(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan plan, untouched;
	unsigned int n, live;

	machine_drhd(machine, ALL);
	device(machine, 0, 1, 0, UIOMMU_PCI_CONVENTIONAL);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 0), 0);
	live = machine->host->live;
	memset(&plan, 0x5a, sizeof(plan));
	untouched = plan;
	for (n = 1;; n++) {
		machine->host->allocs = 0;
		machine->host->fail_at = n;
		if (machine_try_plan(machine, &plan) == 0)
			break;
		assert_int_equal(machine->host->live, live);
		assert_memory_equal(&plan, &untouched, sizeof(plan));
	}
	assert_true(n > 2);
	assert_int_equal(machine->host->live, live + 1);
	uiommu_plan_fini(&plan);
	assert_int_equal(machine->host->live, live);
}

/* As many functions as a segment can hold, all below one RMRR's bridge. */
static void test_full(void **state)
{
	struct machine *machine = *state;
	struct fake_function *one;
	struct fake_function **all = machine->host->functions[0];
	uint32_t i;

	machine_drhd(machine, ALL);
	machine_rmrr(machine, 0x1000, 0x1fff);
	machine_scope(machine, BRIDGE, 0, 0, 0);
	port(machine, 0, 0, 0, UIOMMU_PCI_CONVENTIONAL, 1, false);
	fake_buses(all[0], 1, 255);
	fake_multifunction(all[0]);
	one = device(machine, 0, 0, 1, UIOMMU_PCI_CONVENTIONAL);
	fake_multifunction(one);
	for (i = 2; i < FAKE_SLOTS; i++)
		all[i] = one;
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	/* All that is below the bridge, the bridge, and the rest of its slot. */
	assert_int_equal(machine->plan.groups[0].member_count,
			 FAKE_SLOTS - 256 + 8);
	assert_int_equal(machine->plan.group_count, 1 + 31);
	for (i = 2; i < FAKE_SLOTS; i++)
		all[i] = NULL;
}

/* More regions than a host should be asked to hold. */
static void test_too_much(void **state)
{
	struct machine *machine = *state;
	struct uiommu_dmar_record *records = calloc(
		32768, sizeof(struct uiommu_dmar_record));
	struct uiommu_plan_unit *units = calloc(
		32768, sizeof(struct uiommu_plan_unit));
	unsigned int live, i;

	assert_non_null(records);
	assert_non_null(units);
	port(machine, 0, 0, 0, UIOMMU_PCI_CONVENTIONAL, 1, false);
	for (i = 0; i < 32; i++)
		fake_multifunction(
			device(machine, 1, i, 0, UIOMMU_PCI_CONVENTIONAL)),
			device(machine, 1, i, 1, UIOMMU_PCI_CONVENTIONAL);
	machine_rmrr(machine, 0x1000, 0x1fff);
	machine_scope(machine, BRIDGE, 0, 0, 0);
	for (i = 0; i < 32768; i++)
		records[i] = machine->records[0];
	machine->dmar.records = records;
	machine->dmar.record_count = 32768;
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 1), 0);
	live = machine->host->live;
	{
		struct uiommu_plan_input input = {
			.dmar = &machine->dmar,
			.topology = &machine->topology,
			.units = units,
			.options = machine->options
		};

		assert_int_equal(
			uiommu_plan_make(machine->host, &input, &machine->plan),
			UIOMMU_ENOMEM);
	}
	assert_int_equal(machine->host->live, live);
	free(records);
	free(units);
}

/* A topology made by hand whose parents run in a circle or out of it. */
static void test_bad_parents(void **state)
{
	struct machine *machine = *state;
	uint32_t i;

	machine_drhd(machine, ALL);
	for (i = 0; i < 8; i++)
		port(machine, 0, i, 0,
		     i & 1 ? UIOMMU_PCIE_ROOT_PORT : UIOMMU_PCI_CONVENTIONAL,
		     i + 1, i & 1);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 0), 0);
	for (i = 0; i < 8; i++)
		machine->topology.functions[i].parent = (i + 1) % 7;
	machine->topology.functions[7].parent = 12345;
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	assert_int_equal(machine->plan.groups[0].member_count, 7);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_q35),
		TEST(test_aliases),
		TEST(test_ports_of_one_slot),
		TEST(test_acs_words),
		TEST(test_switches),
		TEST(test_slots),
		TEST(test_bridge_in_disguise),
		TEST(test_units),
		TEST(test_odd_scopes),
		TEST(test_absent_units),
		TEST(test_segments),
		TEST(test_types),
		TEST(test_regions),
		TEST(test_region_merge),
		TEST(test_arguments),
		TEST(test_no_memory),
		TEST(test_full),
		TEST(test_too_much),
		TEST(test_bad_parents),
	};

	return cmocka_run_group_tests_name("plan cases", tests, NULL, NULL);
}
