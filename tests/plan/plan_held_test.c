// SPDX-License-Identifier: MIT
/*
 * The unit of a device in force stays, or that it has none, whoever comes or
 * goes; and each entry of what is in force belongs to one device.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define ENDPOINT UIOMMU_SCOPE_ENDPOINT
#define BRIDGE UIOMMU_SCOPE_BRIDGE
#define NONE UIOMMU_PLAN_NONE
#define HELD UIOMMU_RULE_UNIT_HELD
#define LIVES 16

static struct uiommu_plan_live live[LIVES];

static void add(struct machine *machine, struct uiommu_sid sid,
		uint32_t class_code)
{
	fake_express(fake_add(machine->host, sid, 0x10001b36, class_code, 0),
		     UIOMMU_PCIE_ENDPOINT);
}

/* A root port over one bus, which isolates. */
static void add_port(struct machine *machine, struct uiommu_sid sid,
		     unsigned int bus)
{
	fake_port(machine->host, sid, UIOMMU_PCIE_ROOT_PORT, bus, bus, true);
}

static void unplug(struct machine *machine, struct uiommu_sid sid)
{
	free(machine->host->functions[sid.segment][sid.rid]);
	machine->host->functions[sid.segment][sid.rid] = NULL;
}

static void take(struct machine *machine)
{
	uint32_t i;

	assert_true(machine->plan.device_count <= LIVES);
	uiommu_plan_live(&machine->plan, &machine->topology, live,
			 &machine->input.live_count);
	machine->input.live = live;
	/* Each entry is that of the device of its place. */
	assert_int_equal(machine->input.live_count, machine->plan.device_count);
	for (i = 0; i < machine->plan.device_count; i++) {
		const struct uiommu_plan_device *device =
			&machine->plan.devices[i];

		assert_int_equal(live[i].unit, device->unit);
		assert_int_equal(live[i].andd, device->andd);
		assert_int_equal(live[i].off, machine->plan.off);
		assert_int_equal(live[i].group == NONE, device->unit == NONE);
		assert_int_equal(live[i].type == UIOMMU_DOMAIN_NONE,
				 device->unit == NONE);
		assert_false(live[i].owned);
	}
}

static void start(struct machine *machine)
{
	machine->input.live_count = 0;
	machine_plan(machine);
	take(machine);
}

static void check(const struct machine *machine, struct uiommu_sid sid,
		  uint32_t unit, enum uiommu_rule rule, uint32_t other)
{
	uint32_t i = uiommu_topology_find(&machine->topology, sid);
	const struct uiommu_reason *first;

	assert_int_not_equal(i, UIOMMU_PCI_NONE);
	assert_int_equal(machine->plan.devices[i].unit, unit);
	assert_true(uiommu_plan_reasons(&machine->plan, i, &first) != 0);
	assert_int_equal(first->rule, rule);
	assert_int_equal(first->other, other);
}

/* Without what is in force: what the test is about would go elsewhere. */
static void check_fresh(struct machine *machine, struct uiommu_sid sid,
			uint32_t unit)
{
	uint32_t i = uiommu_topology_find(&machine->topology, sid);
	uint32_t count = machine->input.live_count;
	struct uiommu_plan fresh;

	machine->input.live_count = 0;
	assert_int_equal(machine_try_plan(machine, &fresh), 0);
	machine->input.live_count = count;
	assert_int_equal(fresh.devices[i].unit, unit);
	uiommu_plan_fini(&fresh);
}

/* The other function that a unit names goes: now it is for displays alone. */
static void test_displays_alone(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid display = fake_sid(0, 2, 0);
	struct uiommu_sid late = fake_sid(0, 4, 0);

	machine->options.igfx_off = true;
	machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	machine_scope(machine, ENDPOINT, 0, 4, 0);
	machine_drhd(machine, ALL);
	add(machine, display, 0x030000);
	add(machine, fake_sid(0, 3, 0), 0x020000);
	start(machine);
	check(machine, display, 0, UIOMMU_RULE_UNIT_SCOPE, 0);
	unplug(machine, fake_sid(0, 3, 0));
	add(machine, late, 0x030000);
	machine_plan(machine);
	check_fresh(machine, display, NONE);
	check(machine, display, 0, HELD, NONE);
	assert_string_equal(machine_says(machine, display, HELD),
			    "0000:00:02.0 keeps the unit of DMAR record 0 at "
			    "0x30, which is "
			    "in force for it; a new start would give it none");
	/* A unit in force is in use: who is new gets it, too. */
	check(machine, late, 0, UIOMMU_RULE_UNIT_SCOPE, 0);
	/* And so it goes on. */
	take(machine);
	machine_plan(machine);
	check(machine, display, 0, HELD, NONE);
	check(machine, late, 0, HELD, NONE);
	/* Nobody has it any more. */
	unplug(machine, display);
	take(machine);
	live[uiommu_topology_find(&machine->topology, late)].sid = fake_sid(
		9, 9, 1);
	machine_plan(machine);
	check(machine, late, NONE, UIOMMU_RULE_UNIT_GRAPHICS_OFF, 0);
}

/* And the other way: a unit that was left off is for others now. */
static void test_left_off(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid display = fake_sid(0, 2, 0);

	machine->options.igfx_off = true;
	machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	machine_drhd(machine, ALL);
	add(machine, display, 0x030000);
	start(machine);
	check(machine, display, NONE, UIOMMU_RULE_UNIT_GRAPHICS_OFF, 0);
	add(machine, fake_sid(0, 3, 0), 0x020000);
	machine_plan(machine);
	check_fresh(machine, display, 0);
	check(machine, display, NONE, HELD, 0);
	assert_string_equal(
		machine_says(machine, display, HELD),
		"0000:00:02.0 stays without a unit, so nothing confines its "
		"DMA; a new start would give it that of DMAR record 0 at 0x30");
	assert_int_equal(machine_device(machine, 0, 2, 0)->group, NONE);
}

/* A bridge that a scope names is found after what is below it. */
static void test_bridge_later(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid below = fake_sid(5, 0, 0);

	machine_drhd(machine, 0);
	machine_scope(machine, BRIDGE, 0, 1, 0);
	machine_drhd(machine, ALL);
	add(machine, below, 0x020000);
	start(machine);
	check(machine, below, 1, UIOMMU_RULE_UNIT_INCLUDE_ALL, 1);
	add_port(machine, fake_sid(0, 1, 0), 5);
	machine_plan(machine);
	check_fresh(machine, below, 0);
	check(machine, below, 1, HELD, 0);
	assert_string_equal(
		machine_says(machine, below, HELD),
		"0000:05:00.0 keeps the unit of DMAR record 1 at 0x58, which "
		"is "
		"in force for it; a new start would give it that of DMAR "
		"record 0 at 0x30");
	check(machine, fake_sid(0, 1, 0), 0, UIOMMU_RULE_UNIT_SCOPE, 0);
	/* And it goes again. */
	take(machine);
	unplug(machine, fake_sid(0, 1, 0));
	machine_plan(machine);
	check(machine, below, 1, UIOMMU_RULE_UNIT_INCLUDE_ALL, 1);
	/* Barred it is on that unit all the same. */
	add_port(machine, fake_sid(0, 1, 0), 5);
	live[uiommu_topology_find(&machine->topology, below)].barred = true;
	machine_plan(machine);
	check(machine, below, 1, HELD, 0);
}

/* What has the unit of another has the one in force for that. */
static void test_follow(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid physical = fake_sid(5, 0, 0);
	struct uiommu_sid virtual = fake_sid(5, 0, 1);
	struct uiommu_sid hidden = fake_sid(8, 0, 0);

	machine_drhd(machine, 0);
	machine_scope(machine, BRIDGE, 0, 1, 0);
	machine_drhd(machine, ALL);
	add(machine, physical, 0x020000);
	fake_multifunction(machine->host->functions[0][physical.rid]);
	start(machine);
	add_port(machine, fake_sid(0, 1, 0), 5);
	add(machine, virtual, 0x020000);
	add(machine, hidden, 0x010802);
	machine->facts[0] = (struct machine_fact){ virtual, physical, true };
	machine->facts[1] = (struct machine_fact){ hidden, physical, false };
	machine->fact_count = 2;
	machine_plan(machine);
	check_fresh(machine, virtual, 0);
	check(machine, virtual, 1, UIOMMU_RULE_UNIT_PHYSICAL, 1);
	check(machine, hidden, 1, UIOMMU_RULE_UNIT_REQUESTER, 1);
	/* In force they hold their own. */
	take(machine);
	machine_plan(machine);
	check(machine, virtual, 1, HELD, 0);
	check(machine, hidden, 1, HELD, 0);
	/* Of one that has none there is none to have. */
	live[uiommu_topology_find(&machine->topology, physical)] =
		(struct uiommu_plan_live){ .sid = physical,
					   .andd = NONE,
					   .unit = NONE,
					   .group = NONE };
	live[uiommu_topology_find(&machine->topology, virtual)].sid = fake_sid(
		9, 9, 1);
	machine_plan(machine);
	check(machine, physical, NONE, HELD, 0);
	check(machine, virtual, NONE, UIOMMU_RULE_UNIT_NONE, NONE);
	check(machine, hidden, 1, HELD, 0);
}

/* Remapping neither goes on nor off while it runs. */
static void test_off(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid inside = fake_sid(0, 1, 0);
	struct uiommu_sid late = fake_sid(0, 2, 0);

	machine->input.build_off = true;
	machine->input.build_default = UIOMMU_DOMAIN_DMA;
	machine->dmar.flags = UIOMMU_DMAR_PLATFORM_OPT_IN;
	machine_drhd(machine, ALL);
	add(machine, inside, 0x020000);
	start(machine);
	assert_true(machine->plan.off);
	/* A port that leads outside comes: firmware would opt in. */
	add_port(machine, late, 7);
	machine->ports[0] = (struct machine_port){ .sid = late,
						   .external_facing = true };
	machine->port_count = 1;
	machine_plan(machine);
	assert_true(machine->plan.off);
	check_fresh(machine, late, 0);
	check(machine, late, NONE, UIOMMU_RULE_UNIT_OFF, NONE);
	check(machine, inside, NONE, UIOMMU_RULE_UNIT_OFF, NONE);
	/* It goes: remapping stays, and what is inside is as before. */
	start(machine);
	assert_false(machine->plan.off);
	assert_int_equal(machine_type(machine, 0, 1, 0),
			 UIOMMU_DOMAIN_IDENTITY);
	unplug(machine, late);
	machine->port_count = 0;
	add(machine, fake_sid(0, 3, 0), 0x020000);
	machine_plan(machine);
	assert_false(machine->plan.off);
	check_fresh(machine, inside, NONE);
	check(machine, inside, 0, UIOMMU_RULE_UNIT_INCLUDE_ALL, 0);
	check(machine, fake_sid(0, 3, 0), 0, UIOMMU_RULE_UNIT_INCLUDE_ALL, 0);
	assert_int_equal(machine_type(machine, 0, 3, 0),
			 UIOMMU_DOMAIN_IDENTITY);
	assert_non_null(machine_reason(machine, 1, UIOMMU_RULE_TYPE_OPT_IN));
	/* Whatever options say by now. */
	machine->options.off = true;
	machine_plan(machine);
	assert_false(machine->plan.off);
}

/* A function and what ACPI alone knows, with one requester id. */
static void build_twins(struct machine *machine, bool function)
{
	machine_drhd(machine, 0);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 1, 0)
		->enumeration_id = 5;
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0xf0, 1, 0)
		->enumeration_id = 6;
	machine_drhd(machine, ALL);
	machine_andd(machine, 6);
	machine_andd(machine, 5);
	add(machine, fake_sid(0, 0, 0), 0x020000);
	if (function)
		add(machine, fake_sid(0, 1, 0), 0x020000);
}

static void test_twins(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan *plan = &machine->plan;
	struct uiommu_plan_live held;

	build_twins(machine, true);
	start(machine);
	assert_int_equal(plan->device_count, 4);
	assert_int_equal(live[1].sid.rid, live[3].sid.rid);
	assert_int_equal(live[1].unit, 1);
	assert_int_equal(live[2].unit, 0);
	assert_int_equal(live[3].unit, 0);
	assert_int_equal(live[1].andd, NONE);
	assert_int_equal(live[2].andd, 2);
	assert_int_equal(live[3].andd, 3);
	assert_int_equal(plan->devices[1].group, plan->devices[3].group);
	/* Each its own, in any order. */
	held = live[0];
	live[0] = live[3];
	live[3] = held;
	live[0].barred = true;
	machine_require(machine, fake_sid(0, 1, 0), UIOMMU_DOMAIN_IDENTITY);
	machine_plan(machine);
	assert_int_equal(plan->devices[1].unit, 1);
	assert_int_equal(plan->devices[3].unit, 0);
	assert_null(machine_reason(machine, 1, HELD));
	assert_null(machine_reason(machine, 3, HELD));
	/* The record counts, not the id beside it. */
	live[0].sid = fake_sid(0, 0, 0);
	live[0].unit = 1;
	machine_plan(machine);
	assert_int_equal(plan->devices[3].unit, 1);
	assert_int_equal(machine_reason(machine, 3, HELD)->other, 0);
	assert_int_equal(plan->devices[0].unit, 1);
	assert_null(machine_reason(machine, 0, HELD));
}

/* One of them comes later: it is new, and the other is not. */
static void test_twin_later(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan *plan = &machine->plan;

	build_twins(machine, false);
	start(machine);
	assert_int_equal(plan->device_count, 3);
	live[2].group = 9;
	live[2].type = UIOMMU_DOMAIN_IDENTITY;
	add(machine, fake_sid(0, 1, 0), 0x020000);
	machine_require(machine, fake_sid(0, 1, 0), UIOMMU_DOMAIN_DMA);
	machine_plan(machine);
	assert_int_equal(plan->device_count, 4);
	assert_int_equal(plan->groups[plan->devices[1].group].id, 9);
	assert_int_equal(plan->groups[plan->devices[3].group].id, 9);
	assert_true(plan->devices[1].barred);
	assert_false(plan->devices[3].barred);
	assert_int_equal(plan->devices[1].unit, 1);
	/* Its own of those that ACPI knows is not told of: they are new. */
	live[2].andd = NONE;
	machine_plan(machine);
	assert_false(plan->devices[1].barred);
	assert_int_equal(plan->devices[1].unit, 0);
	assert_int_equal(machine_reason(machine, 1, HELD)->other, 1);
}

static void test_unsound(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan plan;
	struct uiommu_plan_live good;

	build_twins(machine, true);
	start(machine);
	machine_rmrr(machine, 0x1000, 0x1fff);
	machine_plan(machine);
	good = live[1];
#define REFUSED(change)                                            \
	do {                                                       \
		change;                                            \
		assert_int_equal(machine_try_plan(machine, &plan), \
				 UIOMMU_EINVAL);                   \
		live[1] = good;                                    \
	} while (0)
	REFUSED(live[1].unit = NONE);
	REFUSED(live[1].group = NONE);
	REFUSED((live[1].unit = NONE, live[1].group = NONE));
	REFUSED(live[1].unit = machine->dmar.record_count);
	REFUSED(live[1].unit = NONE - 1);
	machine->units[2].present = true; /* an ANDD, whatever is said */
	REFUSED(live[1].unit = 2);
	REFUSED(live[1].unit = machine->dmar.record_count - 1);
	REFUSED(live[1].off = true);
	REFUSED(live[1].andd = live[3].andd);
	REFUSED(live[1].sid = live[0].sid);
	machine->units[0].present = false;
	REFUSED(live[1].unit = 0);
	machine->units[0].present = true;
	machine->records[0].usable = false;
	REFUSED(live[1].unit = 0);
	machine->records[0].usable = true;
	live[0].off = true;
	REFUSED(live[1].off = true);
	live[0].off = false;
	/* Nobody's, with what nobody could have. */
	live[1].andd = 77;
	machine_plan(machine);
	assert_int_equal(machine->plan.devices[1].unit, 1);
	live[1].andd = 0; /* a unit declares nothing */
	machine_plan(machine);
	/* No table, no unit. */
	live[1] = good;
	machine->dmar.record_count = 0;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_displays_alone),
		TEST(test_left_off),
		TEST(test_bridge_later),
		TEST(test_follow),
		TEST(test_off),
		TEST(test_twins),
		TEST(test_twin_later),
		TEST(test_unsound),
	};

	return cmocka_run_group_tests_name("plan held", tests, NULL, NULL);
}
