// SPDX-License-Identifier: MIT
/*
 * Random machines that lose and get functions while they run, against a second
 * decision that is written from docs/rules.md: who is with whom, under which
 * number, and who is refused.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "random_machine.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define NONE UIOMMU_PLAN_NONE
#define DMA UIOMMU_DOMAIN_DMA
#define BLOCKED UIOMMU_DOMAIN_BLOCKED
#define RIDS 4096 /* of the buses that random machines have */
#define SEEN 4

static struct uiommu_plan_live live[2 * RANDOM_MOST];

/* A table that names each function itself. */
struct by_name {
	struct uiommu_dmar_record records[MACHINE_RECORDS];
	struct uiommu_dmar_scope scopes[2 * RANDOM_MOST];
	uint8_t paths[4 * RANDOM_MOST];
};

/* What the last plan put into force; the next one is told of it. */
static void take(struct machine *machine)
{
	assert_true(machine->plan.device_count <= 2 * RANDOM_MOST);
	uiommu_plan_live(&machine->plan, &machine->topology, live,
			 &machine->input.live_count);
	assert_int_equal(machine->input.live_count, machine->plan.device_count);
	machine->input.live = live;
}

static void start(struct machine *machine)
{
	machine->input.live_count = 0;
	machine_plan(machine);
	take(machine);
}

static const struct uiommu_plan_live *told(const struct machine *machine,
					   uint32_t device)
{
	struct uiommu_sid sid = machine->topology.functions[device].sid;
	uint32_t i;

	for (i = 0; i < machine->input.live_count; i++) {
		if (live[i].sid.segment == sid.segment &&
		    live[i].sid.rid == sid.rid && live[i].andd == NONE)
			return &live[i];
	}
	return NULL;
}

/* Which is in the topology, too. */
static bool in_force(const struct machine *machine, uint32_t unit)
{
	uint32_t i;

	for (i = 0; i < machine->topology.count; i++) {
		const struct uiommu_plan_live *one = told(machine, i);

		if (one != NULL && one->unit == unit)
			return true;
	}
	return false;
}

/* What is in force stays, and says so where it matters. */
static void compare_unit(const struct machine *machine,
			 const struct uiommu_plan *alone, uint32_t i,
			 unsigned int seen[SEEN])
{
	const struct uiommu_plan_device *device = &machine->plan.devices[i];
	const struct uiommu_plan_live *one = told(machine, i);
	uint32_t fresh = alone->devices[i].unit;
	const struct uiommu_reason *first;

	assert_true(uiommu_plan_reasons(&machine->plan, i, &first) != 0);
	if (one == NULL) {
		assert_int_not_equal(first->rule, UIOMMU_RULE_UNIT_HELD);
		/* But for a unit that is on as somebody in force has it. */
		if (device->unit != fresh)
			assert_true(in_force(machine, device->unit));
		return;
	}
	assert_int_equal(device->unit, one->unit);
	assert_int_equal(first->rule == UIOMMU_RULE_UNIT_HELD,
			 fresh != one->unit);
	if (fresh == one->unit)
		return;
	assert_int_equal(first->other, fresh);
	seen[3]++;
}

/* Has the number a member that is there, has a unit and is not barred? */
static bool is_real(const struct machine *machine, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < machine->topology.count; i++) {
		const struct uiommu_plan_live *one = told(machine, i);

		if (one != NULL && one->group == number && !one->barred &&
		    machine->plan.devices[i].unit != NONE)
			return true;
	}
	return false;
}

/* The number that takes in who is new in the set of @device, its group in
 * @sets; NONE: nobody's, NONE - 1: a quarrel's. */
static uint32_t elected(const struct machine *machine,
			const struct uiommu_plan *sets, uint32_t device)
{
	uint32_t real = NONE, hollow = NONE;
	uint32_t i;

	for (i = machine->topology.count; i-- != 0;) {
		const struct uiommu_plan_live *one = told(machine, i);

		if (one == NULL || one->unit == NONE ||
		    sets->devices[i].group != sets->devices[device].group)
			continue;
		if (!is_real(machine, one->group))
			hollow = one->group;
		else if (real != NONE && real != one->group)
			return NONE - 1;
		else
			real = one->group;
	}
	return real != NONE ? real : hollow;
}

static void compare_device(const struct machine *machine,
			   const struct uiommu_plan *sets, uint32_t i,
			   unsigned int seen[SEEN])
{
	const struct uiommu_plan_device *device = &machine->plan.devices[i];
	const struct uiommu_plan_group *group =
		&machine->plan.groups[device->group];
	const struct uiommu_plan_live *one = told(machine, i);
	uint32_t number = elected(machine, sets, i);

	if (one != NULL) {
		assert_int_equal(group->id, one->group);
		assert_true(!device->barred || one->barred);
		if (one->barred && number != one->group)
			assert_true(device->barred);
		seen[0]++;
	} else if (number == NONE - 1) {
		assert_true(device->barred);
		assert_int_equal(group->member_count, 1);
		assert_int_equal(group->type, BLOCKED);
		seen[1]++;
	} else if (number != NONE) {
		assert_int_equal(group->id, number);
		seen[2]++;
	}
}

/* Names each function for the unit that it has in the plan. */
static void name_all(const struct machine *machine, struct by_name *table)
{
	const struct uiommu_topology *topology = &machine->topology;
	uint32_t i, k, count = 0;

	for (i = 0; i <= machine->dmar.record_count; i++) {
		bool last = i == machine->dmar.record_count;
		struct uiommu_dmar_record *record = &table->records[i];

		/* The last is of those without a unit: it is not there. */
		*record = machine->records[last ? i - 1 : i];
		record->flags = last ? 0 : record->flags;
		record->scope_first = count;
		for (k = 0; k < topology->count; k++) {
			uint16_t rid = topology->functions[k].sid.rid;

			if (machine->plan.devices[k].unit != (last ? NONE : i))
				continue;
			table->paths[2 * count] = rid >> 3 & 31;
			table->paths[2 * count + 1] = rid & 7;
			table->scopes[count] = (struct uiommu_dmar_scope){
				.record = i,
				.path_offset = 2 * count,
				.path_count = 1,
				.type = UIOMMU_SCOPE_ENDPOINT,
				.start_bus = (uint8_t)(rid >> 8),
				.usable = true
			};
			count++;
		}
		record->scope_count = count - record->scope_first;
	}
}

/* Who would be with whom if nothing were in force but the units. */
static void plan_sets(struct machine *machine, struct uiommu_plan *sets)
{
	static struct by_name table;
	struct uiommu_plan_input input = machine->input;
	uint32_t records = machine->dmar.record_count;
	struct uiommu_options options = machine->options;
	struct uiommu_dmar dmar = machine->dmar;
	uint32_t i;

	assert_true(records < MACHINE_RECORDS);
	name_all(machine, &table);
	machine->input.live_count = 0;
	machine->options.igfx_off = false;
	machine->input.ggc = UIOMMU_GGC_UNKNOWN;
	machine->dmar.records = table.records;
	machine->dmar.record_count = records + 1;
	machine->dmar.scopes = table.scopes;
	machine->dmar.table = table.paths;
	machine->dmar.size = sizeof(table.paths);
	machine->units[records].present = false;
	assert_int_equal(machine_try_plan(machine, sets), 0);
	for (i = 0; i < machine->topology.count; i++)
		assert_int_equal(sets->devices[i].unit,
				 machine->plan.devices[i].unit);
	machine->dmar = dmar;
	machine->options = options;
	machine->input = input;
}

/* Those who are new to all are with whom they would be. */
static void compare_new(const struct machine *machine,
			const struct uiommu_plan *sets, uint32_t i)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t k;

	for (k = 0; k < machine->topology.count; k++) {
		if (plan->devices[k].unit == NONE ||
		    elected(machine, sets, i) != NONE ||
		    elected(machine, sets, k) != NONE)
			continue;
		assert_int_equal(
			plan->devices[i].group == plan->devices[k].group,
			sets->devices[i].group == sets->devices[k].group);
	}
}

static void compare(struct machine *machine, unsigned int seen[SEEN])
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t live_count = machine->input.live_count;
	struct uiommu_plan alone, sets;
	uint32_t i, k;

	machine->input.live_count = 0;
	assert_int_equal(machine_try_plan(machine, &alone), 0);
	machine->input.live_count = live_count;
	plan_sets(machine, &sets);
	for (i = 0; i < machine->topology.count; i++) {
		compare_unit(machine, &alone, i, seen);
		if (plan->devices[i].unit == NONE)
			continue;
		compare_device(machine, &sets, i, seen);
		compare_new(machine, &sets, i);
	}
	for (i = 0; i < plan->group_count; i++) {
		for (k = 0; k < i; k++)
			assert_int_not_equal(plan->groups[i].id,
					     plan->groups[k].id);
	}
	uiommu_plan_fini(&alone);
	uiommu_plan_fini(&sets);
}

/* What is told in another order makes no difference. */
static void compare_order(struct machine *machine, uint64_t *seed)
{
	struct uiommu_plan other;
	uint32_t i, k;

	for (i = machine->input.live_count; i > 1; i--) {
		struct uiommu_plan_live held = live[i - 1];

		k = random_below(seed, i);
		live[i - 1] = live[k];
		live[k] = held;
	}
	assert_int_equal(machine_try_plan(machine, &other), 0);
	assert_int_equal(other.memory_size, machine->plan.memory_size);
	assert_memory_equal(other.memory, machine->plan.memory,
			    other.memory_size);
	uiommu_plan_fini(&other);
}

/* Settled: what a plan puts into force it would make again. */
static void compare_again(struct machine *machine, uint32_t owned)
{
	struct uiommu_plan again;

	take(machine);
	for (uint32_t i = 0; i < machine->input.live_count; i++)
		live[i].owned = owned != NONE && live[i].group == owned;
	assert_int_equal(machine_try_plan(machine, &again), 0);
	assert_int_equal(again.group_count, machine->plan.group_count);
	for (uint32_t i = 0; i < again.device_count; i++) {
		assert_int_equal(again.devices[i].group,
				 machine->plan.devices[i].group);
		assert_int_equal(again.devices[i].barred,
				 machine->plan.devices[i].barred);
		assert_int_equal(again.devices[i].unit,
				 machine->plan.devices[i].unit);
	}
	for (uint32_t i = 0; i < again.group_count; i++) {
		assert_int_equal(again.groups[i].id,
				 machine->plan.groups[i].id);
		assert_int_equal(again.groups[i].type,
				 machine->plan.groups[i].type);
	}
	uiommu_plan_fini(&again);
}

/* Unplugs about a third, or plugs in again what was. */
static void shake(struct machine *machine, struct fake_function *gone[RIDS],
		  uint64_t *seed)
{
	unsigned int rid;

	for (rid = 0; rid < RIDS; rid++) {
		struct fake_function **f = &machine->host->functions[0][rid];

		if ((*f == NULL && gone[rid] == NULL) ||
		    random_below(seed, 3) != 0)
			continue;
		if (*f == NULL) {
			*f = gone[rid];
			gone[rid] = NULL;
		} else {
			gone[rid] = *f;
			*f = NULL;
		}
	}
}

static struct machine *random_one(uint64_t *seed)
{
	uint32_t named[MACHINE_SCOPES];
	struct machine *machine;

	machine_setup((void **)&machine);
	random_functions(machine, seed);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
	random_facts(machine, seed);
	random_table(machine, named, seed);
	machine->units[machine_drhd(machine, ALL)].passthrough = true;
	random_policy(machine, seed);
	machine->options.off = false;
	machine->options.remapping = UIOMMU_CHOICE_YES;
	/* Facts and ports are told of functions that come and go. */
	machine->fact_count = 0;
	machine->port_count = 0;
	return machine;
}

static void test_random(void **state)
{
	uint64_t seed = fake_seed("machines that run");
	unsigned int seen[SEEN] = { 0 };
	unsigned int round, turn;
	uint32_t owned, k;

	(void)state;
	for (round = 0; round < 60; round++) {
		struct machine *machine = random_one(&seed);
		struct fake_function *gone[RIDS] = { NULL };

		start(machine);
		for (turn = 0; turn < 8; turn++) {
			shake(machine, gone, &seed);
			take(machine);
			/* Some are claimed. */
			owned = NONE;
			k = random_below(&seed, 2 * RANDOM_MOST);
			if (k < machine->input.live_count) {
				live[k].owned = true;
				owned = live[k].group;
			}
			machine_plan(machine);
			compare(machine, seen);
			compare_order(machine, &seed);
			compare_again(machine, owned);
		}
		for (turn = 0; turn < RIDS; turn++) {
			if (gone[turn] != NULL)
				machine->host->functions[0][turn] = gone[turn];
		}
		machine_teardown((void **)&machine);
	}
	assert_true(seen[0] > 1000 && seen[1] > 50 && seen[2] > 300);
	assert_true(seen[3] > 50);
}

/* The units that can be in force, and none. */
static uint32_t units_on(const struct machine *machine, uint32_t *on)
{
	uint32_t i, count = 0;

	for (i = 0; i < machine->dmar.record_count; i++) {
		if (machine->records[i].type == UIOMMU_DMAR_DRHD &&
		    machine->records[i].usable && machine->units[i].present)
			on[count++] = i;
	}
	on[count++] = NONE;
	return count;
}

/* Numbers, types, units and ids that nobody would tell. */
static void tell_anything(struct machine *machine, unsigned int round,
			  uint64_t *seed)
{
	const struct uiommu_topology *topology = &machine->topology;
	uint32_t on[MACHINE_RECORDS + 1];
	uint32_t ons = units_on(machine, on);
	uint32_t i;

	machine->input.live = live;
	machine->input.live_count = random_below(seed, 40);
	for (i = 0; i < machine->input.live_count; i++) {
		struct uiommu_sid sid = fake_sid(random_below(seed, 256), 0, 0);
		bool twice = random_below(seed, 60) == 0;

		if (i < topology->count && !twice)
			sid = topology->functions[i].sid;
		live[i] = (struct uiommu_plan_live){
			.sid = sid,
			.andd = NONE,
			.unit = on[random_below(seed, ons)],
			.off = round % 16 == 3,
			.group = i * i % 7,
			.type = DMA,
			.owned = random_below(seed, 4) == 0,
			.barred = random_below(seed, 3) == 0
		};
		if (random_below(seed, 30) == 0)
			live[i].group = NONE - 1;
		if (random_below(seed, 60) == 0)
			live[i].unit = random_below(seed, 64);
		if (random_below(seed, 20) == 0)
			live[i].andd = i;
		if (round % 4 == 0)
			live[i].type = (enum uiommu_domain_type)random_below(
				seed, 5);
		if (live[i].unit == NONE && round % 8 != 0) {
			live[i].group = NONE;
			live[i].type = UIOMMU_DOMAIN_NONE;
		}
	}
}

static void test_hostile(void **state)
{
	uint64_t seed = fake_seed("hostile machines that run");
	unsigned int round, made = 0, refused = 0;
	uint32_t held = 0;
	struct uiommu_plan plan;
	uint32_t i;

	(void)state;
	for (round = 0; round < 400; round++) {
		struct machine *machine = random_one(&seed);

		tell_anything(machine, round, &seed);
		if (machine_try_plan(machine, &plan) == 0) {
			uiommu_plan_fini(&plan);
			machine_plan(machine); /* checks it */
			made++;
		} else {
			refused++;
		}
		for (i = 0; i < machine->plan.reason_count; i++)
			held += machine->plan.reasons[i].rule ==
				UIOMMU_RULE_UNIT_HELD;
		machine_teardown((void **)&machine);
	}
	assert_true(made > 100 && refused > 50 && held > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("plan live random", tests, NULL,
					   NULL);
}
