// SPDX-License-Identifier: MIT
/*
 * Plans for machines that run: what is in force stays, and what is new is held
 * against it, rule by rule. plan_live_random_test.c has random machines.
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
#define IDENTITY UIOMMU_DOMAIN_IDENTITY
#define DMA UIOMMU_DOMAIN_DMA
#define DMA_FQ UIOMMU_DOMAIN_DMA_FQ
#define BLOCKED UIOMMU_DOMAIN_BLOCKED

static struct uiommu_plan_live live[2 * RANDOM_MOST];

static struct fake_function *endpoint(struct machine *machine,
				      struct uiommu_sid sid)
{
	struct fake_function *f = fake_add(machine->host, sid, 0x10001b36,
					   0x020000, 0);

	fake_express(f, UIOMMU_PCIE_ENDPOINT);
	return f;
}

static void unplug(struct machine *machine, struct uiommu_sid sid)
{
	free(machine->host->functions[sid.segment][sid.rid]);
	machine->host->functions[sid.segment][sid.rid] = NULL;
}

/* 00:01.0 alone, 00:02.0 and 00:02.1 in one group. */
static int setup(void **state)
{
	struct machine *machine;
	int err = machine_setup(state);

	machine = *state;
	machine_drhd(machine, ALL);
	endpoint(machine, fake_sid(0, 1, 0));
	fake_multifunction(endpoint(machine, fake_sid(0, 2, 0)));
	endpoint(machine, fake_sid(0, 2, 1));
	return err;
}

/* What the last plan put into force; the next one is told of it. */
static void take(struct machine *machine)
{
	assert_true(machine->plan.device_count <= 2 * RANDOM_MOST);
	uiommu_plan_live(&machine->plan, &machine->topology, live,
			 &machine->input.live_count);
	assert_int_equal(machine->input.live_count, machine->plan.device_count);
	machine->input.live = live;
}

static void step(struct machine *machine)
{
	take(machine);
	machine_plan(machine);
}

static void start(struct machine *machine)
{
	machine->input.live_count = 0;
	machine_plan(machine);
	take(machine);
}

static struct uiommu_plan_live *live_of(struct machine *machine,
					struct uiommu_sid sid)
{
	uint32_t i;

	for (i = 0; i < machine->input.live_count; i++) {
		if (live[i].sid.rid == sid.rid)
			return &live[i];
	}
	fail_msg("not in force");
	return NULL;
}

/* It is plugged in only now. */
static void forget(struct machine *machine, struct uiommu_sid sid)
{
	struct uiommu_plan_live *one = live_of(machine, sid);

	*one = live[--machine->input.live_count];
}

static const struct uiommu_plan_group *group_of(const struct machine *machine,
						struct uiommu_sid sid)
{
	uint32_t i = uiommu_topology_find(&machine->topology, sid);

	assert_int_not_equal(machine->plan.devices[i].group, NONE);
	return &machine->plan.groups[machine->plan.devices[i].group];
}

static bool barred(const struct machine *machine, struct uiommu_sid sid)
{
	return machine->plan
		.devices[uiommu_topology_find(&machine->topology, sid)]
		.barred;
}

static bool has(const struct machine *machine, struct uiommu_sid sid,
		enum uiommu_rule rule)
{
	return machine_reason(machine,
			      uiommu_topology_find(&machine->topology, sid),
			      rule) != NULL;
}

/* Nothing new: the same plan, to the byte. */
static void test_same(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan first;

	start(machine);
	first = machine->plan;
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	assert_int_equal(first.memory_size, machine->plan.memory_size);
	assert_memory_equal(first.memory, machine->plan.memory,
			    first.memory_size);
	uiommu_plan_fini(&first);
}

/* Numbers stay; a new group gets the lowest free one. */
static void test_numbers(void **state)
{
	struct machine *machine = *state;

	start(machine);
	assert_int_equal(group_of(machine, fake_sid(0, 1, 0))->id, 0);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 0))->id, 1);
	unplug(machine, fake_sid(0, 1, 0));
	step(machine);
	assert_int_equal(machine->plan.group_count, 1);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 1))->id, 1);
	endpoint(machine, fake_sid(0, 3, 0));
	endpoint(machine, fake_sid(0, 0, 0));
	step(machine);
	assert_int_equal(group_of(machine, fake_sid(0, 0, 0))->id, 0);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 0))->id, 1);
	assert_int_equal(group_of(machine, fake_sid(0, 3, 0))->id, 2);
	/* Any number but NONE will do. */
	take(machine);
	live_of(machine, fake_sid(0, 3, 0))->group = NONE - 1;
	endpoint(machine, fake_sid(0, 4, 0));
	machine_plan(machine);
	assert_int_equal(group_of(machine, fake_sid(0, 3, 0))->id, NONE - 1);
	assert_int_equal(group_of(machine, fake_sid(0, 4, 0))->id, 2);
	/* That of one who left is free, though it is told of. */
	take(machine);
	unplug(machine, fake_sid(0, 4, 0));
	endpoint(machine, fake_sid(0, 5, 0));
	machine_plan(machine);
	assert_int_equal(group_of(machine, fake_sid(0, 5, 0))->id, 2);
}

/* What isolates them by now does not split them. */
static void test_kept(void **state)
{
	struct machine *machine = *state;
	struct fake_function **slot = &machine->host->functions[0][2 << 3];

	start(machine);
	fake_acs(slot[0], FAKE_ACS_FULL, FAKE_ACS_FULL);
	fake_acs(slot[1], FAKE_ACS_FULL, FAKE_ACS_FULL);
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 2);
	assert_string_equal(
		machine_says(machine, fake_sid(0, 2, 1),
			     UIOMMU_RULE_GROUP_KEPT),
		"0000:00:02.1 was with 0000:00:02.0 before, and a group in "
		"force does not split");
	assert_true(has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_GROUP_KEPT));
	assert_false(has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_GROUP_JOINED));
	machine->input.live_count = 0;
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 3);
}

/* 00:02.2 would make one group of two. */
static void split_slot(struct machine *machine)
{
	struct uiommu_plan_live *other;

	start(machine);
	other = live_of(machine, fake_sid(0, 2, 1));
	other->group = 7;
	endpoint(machine, fake_sid(0, 2, 2));
	endpoint(machine, fake_sid(0, 2, 3));
	machine_plan(machine);
}

static void test_apart(void **state)
{
	struct machine *machine = *state;

	split_slot(machine);
	assert_int_equal(machine->plan.group_count, 5);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 0))->id, 1);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 1))->id, 7);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 2))->id, 2);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 3))->id, 3);
	assert_int_equal(machine_type(machine, 0, 2, 1), DMA);
	assert_int_equal(machine_type(machine, 0, 2, 2), BLOCKED);
	assert_false(barred(machine, fake_sid(0, 2, 1)));
	assert_true(barred(machine, fake_sid(0, 2, 2)));
	assert_true(barred(machine, fake_sid(0, 2, 3)));
	assert_string_equal(
		machine_says(machine, fake_sid(0, 2, 2),
			     UIOMMU_RULE_GROUP_APART),
		"0000:00:02.2 relates to 0000:00:02.0 and to 0000:00:02.1, "
		"whose groups are in force and never merge");
	assert_true(
		has(machine, fake_sid(0, 2, 2), UIOMMU_RULE_TYPE_BARRED_APART));
	/* And so it stays, whatever is asked for it. */
	take(machine);
	live_of(machine, fake_sid(0, 2, 2))->type = UIOMMU_DOMAIN_NONE;
	machine_override(machine, fake_sid(0, 2, 2), DMA);
	machine_plan(machine);
	assert_true(barred(machine, fake_sid(0, 2, 2)));
	assert_int_equal(machine_type(machine, 0, 2, 2), BLOCKED);
}

/* Barred in one group and related to another: it opens nothing, and nobody
 * is flushed at once for its sake. */
static void test_apart_inside(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 2);

	machine->input.build_default = DMA_FQ;
	endpoint(machine, sid);
	start(machine);
	live_of(machine, fake_sid(0, 2, 1))->group = 7;
	live_of(machine, sid)->barred = true;
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = sid, .untrusted = true
	};
	machine_plan(machine);
	assert_int_equal(group_of(machine, sid)->id, 1);
	assert_true(barred(machine, sid));
	assert_true(has(machine, sid, UIOMMU_RULE_GROUP_APART));
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
}

/* One of the two goes: what was set apart cannot merge with the other. */
static void test_apart_still(void **state)
{
	struct machine *machine = *state;

	split_slot(machine);
	unplug(machine, fake_sid(0, 2, 1));
	endpoint(machine, fake_sid(0, 2, 4)); /* but what is new can */
	step(machine);
	assert_int_equal(machine_type(machine, 0, 2, 2), BLOCKED);
	assert_string_equal(
		machine_says(machine, fake_sid(0, 2, 2),
			     UIOMMU_RULE_GROUP_APART),
		"0000:00:02.2 relates to 0000:00:02.0 but is of another "
		"group, and groups in force never merge");
	assert_int_equal(group_of(machine, fake_sid(0, 2, 4))->id, 1);
	assert_false(barred(machine, fake_sid(0, 2, 4)));
	/* Both go: one that was barred takes in who is new. */
	unplug(machine, fake_sid(0, 2, 0));
	unplug(machine, fake_sid(0, 2, 4));
	fake_multifunction(machine->host->functions[0][(2 << 3) + 2]);
	fake_multifunction(machine->host->functions[0][(2 << 3) + 3]);
	fake_multifunction(endpoint(machine, fake_sid(0, 2, 0)));
	endpoint(machine, fake_sid(0, 2, 5));
	take(machine);
	forget(machine, fake_sid(0, 2, 0));
	forget(machine, fake_sid(0, 2, 4));
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 2), DMA);
	assert_false(barred(machine, fake_sid(0, 2, 2)));
	assert_int_equal(group_of(machine, fake_sid(0, 2, 5))->id, 2);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 0))->id, 2);
	assert_true(barred(machine, fake_sid(0, 2, 3)));
	assert_int_equal(group_of(machine, fake_sid(0, 2, 3))->id, 3);
}

static void test_held(void **state)
{
	struct machine *machine = *state;

	start(machine);
	machine->options.passthrough = UIOMMU_CHOICE_YES;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 1, 0), DMA);
	assert_true(machine->plan.groups[0].type_required);
	assert_true(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_OPTION));
	assert_string_equal(
		machine_says(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_HELD),
		"0000:00:01.0 keeps DMA, which is in force for its group; a "
		"new start would choose identity");
	/* Somebody asks. */
	live_of(machine, fake_sid(0, 1, 0))->type = UIOMMU_DOMAIN_NONE;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 1, 0), IDENTITY);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	assert_false(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_HELD));
}

/* What is new is held against what is in force. */
static void test_barred(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 1);

	machine->options.passthrough = UIOMMU_CHOICE_YES;
	start(machine);
	forget(machine, sid);
	machine_plan(machine);
	assert_false(barred(machine, sid));
	assert_int_equal(group_of(machine, sid)->id, 1);
	machine_require(machine, sid, DMA);
	machine_plan(machine);
	assert_true(barred(machine, sid));
	assert_false(barred(machine, fake_sid(0, 2, 0)));
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_false(has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_TYPE_HELD));
	assert_string_equal(
		machine_says(machine, sid, UIOMMU_RULE_TYPE_BARRED),
		"0000:00:02.1 needs DMA, but the group of 0000:00:02.0 that it "
		"came to has identity in force: its DMA is refused");
	/* What a start would choose is nothing to one that is refused. */
	machine->options.passthrough = UIOMMU_CHOICE_NO;
	machine_plan(machine);
	assert_true(has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_TYPE_HELD));
	assert_false(has(machine, sid, UIOMMU_RULE_TYPE_HELD));
	machine->options.passthrough = UIOMMU_CHOICE_YES;
	machine_plan(machine);
	/* One that was there before has its say, and nothing happens to it. */
	step(machine);
	assert_true(barred(machine, sid));
	live_of(machine, sid)->barred = false;
	machine_plan(machine);
	assert_false(barred(machine, sid));
	assert_true(has(machine, sid, UIOMMU_RULE_TYPE_HELD));
	/* Judged anew it may pass. */
	live_of(machine, sid)->barred = true;
	machine->input.requirement_count = 0;
	machine_plan(machine);
	assert_false(barred(machine, sid));
	/* With nobody else left the decision is its own. */
	machine_require(machine, sid, DMA);
	live_of(machine, fake_sid(0, 2, 0))->barred = true;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	assert_false(barred(machine, sid));
}

/* The unit of a new member cannot make what is in force. */
static void test_no_identity(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 1);

	machine->options.passthrough = UIOMMU_CHOICE_YES;
	machine->units[machine_drhd(machine, 0)].passthrough = false;
	machine_scope(machine, UIOMMU_SCOPE_ENDPOINT, 0, 2, 1);
	start(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	live_of(machine, fake_sid(0, 2, 0))->type = IDENTITY;
	forget(machine, sid);
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_true(barred(machine, sid));
	assert_true(has(machine, sid, UIOMMU_RULE_TYPE_NO_IDENTITY));
}

/* From outside: DMA and DMA-FQ are one kind, and flushing can begin now. */
static void test_outside(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 1);

	machine->input.build_default = DMA_FQ;
	start(machine);
	forget(machine, sid);
	machine_require(machine, sid, DMA);
	machine_plan(machine);
	assert_false(barred(machine, sid));
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	machine->input.requirement_count = 0;
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = sid, .untrusted = true
	};
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	assert_int_equal(machine_type(machine, 0, 1, 0), DMA_FQ);
	assert_true(group_of(machine, sid)->type_required);
	assert_false(barred(machine, sid));
	assert_true(has(machine, sid, UIOMMU_RULE_TYPE_UNTRUSTED));
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0),
					 UIOMMU_RULE_TYPE_UNTRUSTED),
			    "0000:00:02.1 of the group of 0000:00:02.0 comes "
			    "from outside the machine, which calls for strict "
			    "DMA");
	/* Not for the sake of one that is refused anyway. */
	live_of(machine, fake_sid(0, 2, 0))->owned = true;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	assert_true(barred(machine, sid));
	live_of(machine, fake_sid(0, 2, 0))->owned = false;
	live_of(machine, fake_sid(0, 2, 0))->type = IDENTITY;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_true(barred(machine, sid));
}

static void test_owned(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 1);

	start(machine);
	live_of(machine, sid)->owned = true;
	machine_plan(machine);
	assert_false(barred(machine, sid));
	live_of(machine, fake_sid(0, 2, 0))->owned = true;
	forget(machine, sid);
	machine_plan(machine);
	assert_true(barred(machine, sid));
	assert_false(barred(machine, fake_sid(0, 2, 0)));
	assert_string_equal(
		machine_says(machine, sid, UIOMMU_RULE_TYPE_BARRED_OWNED),
		"0000:00:02.1 came to the group of 0000:00:02.0 while a user "
		"has it: its DMA is refused until that one is done");
	/* Whichever member it is told of. */
	endpoint(machine, fake_sid(0, 2, 2));
	start(machine);
	live_of(machine, sid)->owned = true;
	forget(machine, fake_sid(0, 2, 2));
	machine_plan(machine);
	assert_true(barred(machine, fake_sid(0, 2, 2)));
	assert_false(barred(machine, sid));
	unplug(machine, fake_sid(0, 2, 2));
	/* Nobody is left but one that came later. */
	live_of(machine, fake_sid(0, 2, 0))->owned = true;
	live_of(machine, fake_sid(0, 2, 0))->barred = true;
	unplug(machine, sid);
	machine_plan(machine);
	assert_true(barred(machine, fake_sid(0, 2, 0)));
	assert_string_equal(
		machine_says(machine, fake_sid(0, 2, 0),
			     UIOMMU_RULE_TYPE_BARRED_OWNED),
		"0000:00:02.0 is in a group that a user has claimed: its DMA "
		"is refused until that one is done");
}

/* Blocked stays blocked until somebody asks; nothing is opened by itself. */
static void test_blocked(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 1);

	start(machine);
	live_of(machine, fake_sid(0, 2, 0))->type = BLOCKED;
	live_of(machine, sid)->type = BLOCKED;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), BLOCKED);
	assert_true(has(machine, sid, UIOMMU_RULE_TYPE_HELD));
	forget(machine, sid);
	machine_plan(machine);
	assert_false(barred(machine, sid));
	machine_require(machine, sid, DMA);
	machine_plan(machine);
	assert_true(barred(machine, sid));
	live_of(machine, fake_sid(0, 2, 0))->type = UIOMMU_DOMAIN_NONE;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	assert_false(barred(machine, sid));
}

/* What ACPI alone knows is found again by the id that it is given. */
static void test_namespace(void **state)
{
	struct machine *machine = *state;
	uint32_t i;

	machine_andd(machine, 5);
	machine_drhd(machine, 0);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0xf0, 1, 0)
		->enumeration_id = 5;
	start(machine);
	i = machine->topology.count;
	assert_int_equal(machine->plan.device_count, i + 1);
	assert_int_equal(live[i].sid.rid, 0xf008);
	assert_int_equal(live[i].group, 2);
	live[i].group = 9;
	live[i].type = IDENTITY;
	machine_plan(machine);
	assert_int_equal(machine->plan.groups[2].id, 9);
	assert_int_equal(machine->plan.groups[2].type, IDENTITY);
	/* And so is what is asked for it. */
	live[i].type = UIOMMU_DOMAIN_NONE;
	machine_override(machine, live[i].sid, DMA_FQ);
	machine_plan(machine);
	assert_int_equal(machine->plan.groups[2].type, DMA_FQ);
}

/* By Linux's rules just the same, over its groups. */
static void test_linux(void **state)
{
	struct machine *machine = *state;

	machine->input.rules = UIOMMU_RULES_LINUX;
	split_slot(machine);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 1))->id, 7);
	assert_true(barred(machine, fake_sid(0, 2, 2)));
	start(machine);
	live_of(machine, fake_sid(0, 2, 0))->group = 8;
	live_of(machine, fake_sid(0, 2, 1))->group = 8;
	live_of(machine, fake_sid(0, 2, 2))->group = 8;
	forget(machine, fake_sid(0, 2, 3));
	machine_plan(machine);
	assert_int_equal(group_of(machine, fake_sid(0, 2, 3))->id, 8);
}

static void test_unsound(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan plan;

	start(machine);
	live[0].group = NONE;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
	live[0].group = 0;
	live[0].type = UIOMMU_DOMAIN_UNMANAGED;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
	live[0].type = (enum uiommu_domain_type)77;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
	live[0].type = DMA;
	live[2].type = IDENTITY; /* of the group of [1] */
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
	live[2].type = DMA;
	live[3] = live[0];
	machine->input.live_count = 4;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
	live[3].group = 5;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
	live[3].sid = fake_sid(9, 9, 1); /* nobody */
	machine_plan(machine);
	live[3].group = 0;
	live[3].type = IDENTITY;
	assert_int_equal(machine_try_plan(machine, &plan), UIOMMU_EINVAL);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same),	TEST(test_numbers),
		TEST(test_kept),	TEST(test_apart),
		TEST(test_apart_still), TEST(test_apart_inside),
		TEST(test_held),	TEST(test_barred),
		TEST(test_no_identity), TEST(test_outside),
		TEST(test_owned),	TEST(test_blocked),
		TEST(test_namespace),	TEST(test_linux),
		TEST(test_unsound),
	};

	return cmocka_run_group_tests_name("plan live", tests, NULL, NULL);
}
