// SPDX-License-Identifier: MIT
/*
 * What requests would change: each outcome and each reason to refuse, the
 * input afterwards, errors, and memory that runs out at every call.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/change.h>

#include "machine.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define NONE UIOMMU_DOMAIN_NONE
#define IDENTITY UIOMMU_DOMAIN_IDENTITY
#define DMA UIOMMU_DOMAIN_DMA
#define DMA_FQ UIOMMU_DOMAIN_DMA_FQ
#define BLOCKED UIOMMU_DOMAIN_BLOCKED
#define LIVES 16

static struct uiommu_plan_live live[LIVES];
static uint32_t live_count;
static struct uiommu_change change;
static bool changed; /* there is one to free */

static void endpoint(struct machine *machine, struct uiommu_sid sid)
{
	fake_express(fake_add(machine->host, sid, 0x10001b36, 0x020000, 0),
		     UIOMMU_PCIE_ENDPOINT);
}

/* 00:01.0 alone, 00:02.0 and 00:02.1 in one group, 4 GiB and a page. */
static int setup(void **state)
{
	struct machine *machine;
	int err = machine_setup(state);

	machine = *state;
	machine_drhd(machine, ALL);
	endpoint(machine, fake_sid(0, 1, 0));
	endpoint(machine, fake_sid(0, 2, 0));
	fake_multifunction(machine->host->functions[0][2 << 3]);
	endpoint(machine, fake_sid(0, 2, 1));
	machine->ram[0] = (struct uiommu_range){ 0, 0x100000fff };
	machine->input.ram_count = 1;
	return err;
}

static int teardown(void **state)
{
	struct machine *machine = *state;

	if (changed)
		uiommu_change_fini(machine->host, &change);
	changed = false;
	return machine_teardown(state);
}

static void start(struct machine *machine)
{
	machine->input.live_count = 0;
	machine_plan(machine);
	uiommu_plan_live(&machine->plan, &machine->topology, live, &live_count);
	assert_true(live_count <= LIVES);
}

static struct uiommu_plan_live *live_of(struct uiommu_sid sid)
{
	uint32_t i;

	for (i = 0; live[i].sid.rid != sid.rid; i++)
		assert_true(i < live_count);
	return &live[i];
}

static int try_ask(struct machine *machine, const struct uiommu_request *asked)
{
	struct uiommu_plan_input input = machine->input;

	if (changed)
		uiommu_change_fini(machine->host, &change);
	changed = false;
	input.dmar = &machine->dmar;
	input.topology = &machine->topology;
	input.units = machine->units;
	input.options = machine->options;
	input.overrides = machine->overrides;
	input.requirements = machine->requirements;
	input.masks = machine->masks;
	input.ram = machine->ram;
	return uiommu_change_make(machine->host, &input, &machine->plan, live,
				  live_count, asked, &change);
}

static void ask(struct machine *machine, const struct uiommu_request *asked)
{
	assert_int_equal(try_ask(machine, asked), 0);
	changed = true;
	assert_int_equal(change.group,
			 change.plan
				 .devices[uiommu_topology_find(
					 &machine->topology, asked->sid)]
				 .group);
}

static void ask_type(struct machine *machine, struct uiommu_sid sid,
		     enum uiommu_domain_type type)
{
	struct uiommu_request asked = { .kind = UIOMMU_REQUEST_TYPE,
					.sid = sid,
					.type = type };

	ask(machine, &asked);
}

static void ask_mask(struct machine *machine, struct uiommu_sid sid,
		     uint64_t mask)
{
	struct uiommu_request asked = { .kind = UIOMMU_REQUEST_MASK,
					.sid = sid,
					.mask = mask };

	ask(machine, &asked);
}

static void ask_claim(struct machine *machine, struct uiommu_sid sid)
{
	struct uiommu_request asked = { .kind = UIOMMU_REQUEST_CLAIM,
					.sid = sid };

	ask(machine, &asked);
}

/* What came out; @rule: why, UIOMMU_RULE_UNIT_SCOPE if nothing is said. */
static void check(enum uiommu_outcome outcome, enum uiommu_domain_type from,
		  enum uiommu_domain_type to, enum uiommu_rule rule)
{
	assert_string_equal(uiommu_outcome_name(change.outcome),
			    uiommu_outcome_name(outcome));
	assert_string_equal(uiommu_domain_type_name(change.from),
			    uiommu_domain_type_name(from));
	assert_string_equal(uiommu_domain_type_name(change.to),
			    uiommu_domain_type_name(to));
	assert_int_equal(change.has_why, rule != UIOMMU_RULE_UNIT_SCOPE);
	if (change.has_why)
		assert_string_equal(uiommu_rule_name(change.why.rule),
				    uiommu_rule_name(rule));
	if (outcome != UIOMMU_OUTCOME_CLAIM &&
	    outcome != UIOMMU_OUTCOME_REFUSED)
		assert_int_equal(change.plan.groups[change.group].type, to);
}

#define NOTHING_SAID UIOMMU_RULE_UNIT_SCOPE

static const char *why(struct machine *machine)
{
	uiommu_reason_text(&change.plan, &machine->topology, &change.why,
			   machine->said, sizeof(machine->said));
	return machine->said;
}

static void test_type(void **state)
{
	struct machine *machine = *state;

	start(machine);
	ask_type(machine, fake_sid(0, 2, 0), DMA);
	check(UIOMMU_OUTCOME_NOTHING, DMA, DMA, UIOMMU_RULE_TYPE_OVERRIDE);
	ask_type(machine, fake_sid(0, 2, 0), NONE);
	check(UIOMMU_OUTCOME_NOTHING, DMA, DMA, UIOMMU_RULE_TYPE_BUILD);
	ask_type(machine, fake_sid(0, 2, 0), DMA_FQ);
	check(UIOMMU_OUTCOME_LIVE, DMA, DMA_FQ, UIOMMU_RULE_TYPE_OVERRIDE);
	ask_type(machine, fake_sid(0, 2, 0), IDENTITY);
	check(UIOMMU_OUTCOME_MOVE, DMA, IDENTITY, UIOMMU_RULE_TYPE_OVERRIDE);
	assert_string_equal(why(machine),
			    "0000:00:02.0 was named by who asked for identity");
	/* The other group is none of its business. */
	assert_int_equal(change.plan.groups[0].type, DMA);
	assert_int_equal(change.plan.group_count, 2);
}

/* It is so already: nothing is decided again, and who is barred stays so. */
static void test_same(void **state)
{
	struct machine *machine = *state;

	start(machine);
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 2, 1), .untrusted = true
	};
	machine_tell(machine);
	live_of(fake_sid(0, 2, 0))->type = IDENTITY;
	live_of(fake_sid(0, 2, 1))->type = IDENTITY;
	live_of(fake_sid(0, 2, 1))->barred = true;
	ask_type(machine, fake_sid(0, 2, 0), IDENTITY);
	check(UIOMMU_OUTCOME_NOTHING, IDENTITY, IDENTITY,
	      UIOMMU_RULE_TYPE_OVERRIDE);
	assert_true(change.plan
			    .devices[uiommu_topology_find(&machine->topology,
							  fake_sid(0, 2, 1))]
			    .barred);
}

/* What the live machine made of earlier requests counts, not a new start. */
static void test_from(void **state)
{
	struct machine *machine = *state;

	start(machine);
	live_of(fake_sid(0, 1, 0))->type = IDENTITY;
	ask_type(machine, fake_sid(0, 1, 0), DMA_FQ);
	check(UIOMMU_OUTCOME_MOVE, IDENTITY, DMA_FQ, UIOMMU_RULE_TYPE_OVERRIDE);
	ask_type(machine, fake_sid(0, 1, 0), IDENTITY);
	check(UIOMMU_OUTCOME_NOTHING, IDENTITY, IDENTITY,
	      UIOMMU_RULE_TYPE_OVERRIDE);
	/* Another group's held type stays through it. */
	ask_type(machine, fake_sid(0, 2, 1), DMA_FQ);
	check(UIOMMU_OUTCOME_LIVE, DMA, DMA_FQ, UIOMMU_RULE_TYPE_OVERRIDE);
	assert_int_equal(change.plan.groups[0].type, IDENTITY);
	ask_type(machine, fake_sid(0, 1, 0), NONE);
	check(UIOMMU_OUTCOME_MOVE, IDENTITY, DMA, UIOMMU_RULE_TYPE_BUILD);
	live_of(fake_sid(0, 1, 0))->type = BLOCKED;
	ask_type(machine, fake_sid(0, 1, 0), DMA);
	check(UIOMMU_OUTCOME_MOVE, BLOCKED, DMA, UIOMMU_RULE_TYPE_OVERRIDE);
	live_of(fake_sid(0, 1, 0))->type = DMA_FQ;
	ask_type(machine, fake_sid(0, 1, 0), NONE);
	check(UIOMMU_OUTCOME_LIVE, DMA_FQ, DMA, UIOMMU_RULE_TYPE_BUILD);
}

static void test_refused(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 0);

	machine->units[machine_drhd(machine, 0)].passthrough = false;
	machine_scope(machine, UIOMMU_SCOPE_ENDPOINT, 0, 2, 1);
	machine->input.ram_count = 0; /* so no table takes its place */
	start(machine);
	ask_type(machine, sid, IDENTITY);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_NO_IDENTITY);
	assert_string_equal(why(machine),
			    "the unit of DMAR record 1 at 0x58, over "
			    "0000:00:02.1, has no pass-through, and no 1:1 "
			    "table replaces it");
	/* Not that it would be lazy otherwise: nobody asked for that. */
	machine->input.build_default = DMA_FQ;
	machine->units[1].caching = true;
	start(machine);
	ask_type(machine, sid, IDENTITY);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_NO_IDENTITY);
	machine->input.build_default = DMA;
	machine->units[1].caching = false;
	machine->units[1].passthrough = true;
	machine_require(machine, fake_sid(0, 2, 1), DMA);
	start(machine);
	ask_type(machine, sid, IDENTITY);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_REQUIRED);
	assert_string_equal(why(machine),
			    "0000:00:02.1 of the group of 0000:00:02.0 can "
			    "work with no type but DMA");
	machine->requirements[0].type = IDENTITY;
	start(machine);
	ask_type(machine, sid, DMA_FQ);
	check(UIOMMU_OUTCOME_REFUSED, IDENTITY, IDENTITY,
	      UIOMMU_RULE_TYPE_REQUIRED);
	machine->units[1].caching = true;
	start(machine);
	ask_type(machine, fake_sid(0, 1, 0), DMA_FQ);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_NOT_LAZY);
	machine->units[1].passthrough = false;
	ask_type(machine, sid, DMA);
	check(UIOMMU_OUTCOME_REFUSED, IDENTITY, BLOCKED,
	      UIOMMU_RULE_TYPE_BLOCKED);
}

static void test_untrusted(void **state)
{
	struct machine *machine = *state;

	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 2, 1), .untrusted = true
	};
	start(machine);
	ask_type(machine, fake_sid(0, 2, 0), IDENTITY);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_UNTRUSTED);
	ask_type(machine, fake_sid(0, 2, 0), DMA_FQ);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_UNTRUSTED);
	assert_string_equal(why(machine),
			    "0000:00:02.1 of the group of 0000:00:02.0 comes "
			    "from outside the machine, which calls for strict "
			    "DMA");
}

/* Calpella's host bridge: nothing is lazy in the whole machine. */
static void test_graphics(void **state)
{
	struct machine *machine = *state;

	fake_add(machine->host, fake_sid(0, 0, 0), 0x00408086, 0x060000, 0);
	machine->input.ggc = UIOMMU_GGC_SHADOW;
	start(machine);
	ask_type(machine, fake_sid(0, 1, 0), DMA_FQ);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA,
	      UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS);
}

static void test_owned(void **state)
{
	struct machine *machine = *state;

	start(machine);
	live_of(fake_sid(0, 2, 1))->owned = true;
	ask_type(machine, fake_sid(0, 2, 0), IDENTITY);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_OWNED);
	assert_string_equal(why(machine),
			    "a user has claimed the group of 0000:00:02.0: it "
			    "stays as it is until that one is done");
	ask_type(machine, fake_sid(0, 2, 0), DMA);
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_OWNED);
	ask_claim(machine, fake_sid(0, 2, 0));
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_TYPE_OWNED);
	ask_type(machine, fake_sid(0, 1, 0), IDENTITY);
	check(UIOMMU_OUTCOME_MOVE, DMA, IDENTITY, UIOMMU_RULE_TYPE_OVERRIDE);
	/* It copies, as nothing can be moved under a user. */
	live_of(fake_sid(0, 2, 0))->type = IDENTITY;
	live_of(fake_sid(0, 2, 1))->type = IDENTITY;
	ask_mask(machine, fake_sid(0, 2, 0), 0xffffffff);
	check(UIOMMU_OUTCOME_BOUNCE, IDENTITY, IDENTITY, UIOMMU_RULE_TYPE_MASK);
}

static void test_claim(void **state)
{
	struct machine *machine = *state;
	uint32_t i;

	machine_rmrr(machine, 0x1000, 0x2fff);
	machine_scope(machine, UIOMMU_SCOPE_ENDPOINT, 0, 2, 1);
	start(machine);
	ask_claim(machine, fake_sid(0, 1, 0));
	check(UIOMMU_OUTCOME_CLAIM, DMA, BLOCKED, NOTHING_SAID);
	ask_claim(machine, fake_sid(0, 2, 0));
	check(UIOMMU_OUTCOME_REFUSED, DMA, DMA, UIOMMU_RULE_REGION_NOT_USER);
	assert_string_equal(why(machine),
			    "0000:00:02.0 is not for a user: DMAR record 1 at "
			    "0x58 keeps 0x1000-0x2fff for 0000:00:02.1 of its "
			    "group");
	/* What may be dropped for a user keeps nobody. */
	i = uiommu_topology_find(&machine->topology, fake_sid(0, 2, 1));
	machine->topology.functions[i].class_code = 0x0c0330;
	uiommu_plan_fini(&machine->plan);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	ask_claim(machine, fake_sid(0, 2, 0));
	check(UIOMMU_OUTCOME_CLAIM, DMA, BLOCKED, NOTHING_SAID);
}

/* It relates to two groups: nobody could confine it. */
static void test_apart(void **state)
{
	struct machine *machine = *state;

	start(machine);
	live_of(fake_sid(0, 2, 1))->group = 5;
	endpoint(machine, fake_sid(0, 2, 2));
	machine->input.live = live;
	machine->input.live_count = live_count;
	machine_plan(machine);
	uiommu_plan_live(&machine->plan, &machine->topology, live, &live_count);
	ask_claim(machine, fake_sid(0, 2, 2));
	check(UIOMMU_OUTCOME_REFUSED, BLOCKED, BLOCKED,
	      UIOMMU_RULE_GROUP_APART);
	ask_type(machine, fake_sid(0, 2, 2), DMA);
	check(UIOMMU_OUTCOME_REFUSED, BLOCKED, BLOCKED,
	      UIOMMU_RULE_GROUP_APART);
	ask_type(machine, fake_sid(0, 2, 2), NONE);
	check(UIOMMU_OUTCOME_NOTHING, BLOCKED, BLOCKED,
	      UIOMMU_RULE_TYPE_BARRED_APART);
	ask_claim(machine, fake_sid(0, 2, 1));
	check(UIOMMU_OUTCOME_CLAIM, DMA, BLOCKED, NOTHING_SAID);
	assert_int_equal(change.plan.groups[change.group].id, 5);
}

static void test_mask(void **state)
{
	struct machine *machine = *state;
	struct uiommu_sid sid = fake_sid(0, 2, 1);

	start(machine);
	ask_mask(machine, sid, 0xffffffff);
	check(UIOMMU_OUTCOME_BOUND, DMA, DMA, NOTHING_SAID);
	machine->options.passthrough = UIOMMU_CHOICE_YES;
	start(machine);
	ask_mask(machine, sid, 0x1ffffffff);
	check(UIOMMU_OUTCOME_NOTHING, IDENTITY, IDENTITY, NOTHING_SAID);
	ask_mask(machine, sid, 0xffffffff);
	check(UIOMMU_OUTCOME_MOVE, IDENTITY, DMA, UIOMMU_RULE_TYPE_REACH);
	assert_int_equal(change.plan.groups[0].type, IDENTITY);
	/* To the last byte. */
	machine->ram[0].last = 0xffffffff;
	start(machine);
	ask_mask(machine, sid, 0xffffffff);
	check(UIOMMU_OUTCOME_NOTHING, IDENTITY, IDENTITY, NOTHING_SAID);
	machine->ram[0].last = 0x100000fff;
	/* Somebody asked for identity, so it is to copy. */
	machine_override(machine, fake_sid(0, 2, 0), IDENTITY);
	start(machine);
	ask_mask(machine, sid, 0xffffffff);
	check(UIOMMU_OUTCOME_BOUNCE, IDENTITY, IDENTITY, UIOMMU_RULE_TYPE_MASK);
	assert_string_equal(why(machine),
			    "0000:00:02.1 reaches 32 bits of address, RAM goes "
			    "up to 0x100000fff: what is above cannot be mapped "
			    "for it in identity");
	machine->input.ram_count = 0;
	start(machine);
	ask_mask(machine, sid, 0xfff);
	check(UIOMMU_OUTCOME_NOTHING, IDENTITY, IDENTITY, NOTHING_SAID);
	/* A longer reach does not move it back by itself. */
	machine->input.ram_count = 1;
	machine->input.override_count = 0;
	machine->input.mask_count = 1;
	machine->masks[0] = (struct uiommu_plan_mask){ sid, 0xffffffff };
	start(machine);
	ask_mask(machine, sid, UINT64_MAX);
	check(UIOMMU_OUTCOME_BOUND, DMA, DMA, NOTHING_SAID);
	live_of(fake_sid(0, 2, 0))->type = BLOCKED;
	live_of(sid)->type = BLOCKED;
	ask_mask(machine, sid, 0xffffffff);
	check(UIOMMU_OUTCOME_NOTHING, BLOCKED, BLOCKED, NOTHING_SAID);
}

/* A mask moves the group or nothing; who is barred stays so. */
static void test_mask_alone(void **state)
{
	struct machine *machine = *state;

	machine_require(machine, fake_sid(0, 2, 0), IDENTITY);
	machine->input.requirement_count = 2;
	machine->requirements[1] = (struct uiommu_plan_override){
		fake_sid(0, 2, 1), DMA
	};
	start(machine);
	live_of(fake_sid(0, 2, 1))->barred = true;
	machine->input.live = live;
	machine->input.live_count = live_count;
	machine_plan(machine);
	ask_mask(machine, fake_sid(0, 2, 0), 0xffffffff);
	check(UIOMMU_OUTCOME_BOUNCE, IDENTITY, IDENTITY, UIOMMU_RULE_TYPE_MASK);
	assert_true(change.plan
			    .devices[uiommu_topology_find(&machine->topology,
							  fake_sid(0, 2, 1))]
			    .barred);
	/* Who is refused all DMA does not copy. */
	ask_mask(machine, fake_sid(0, 2, 1), 0xffffffff);
	check(UIOMMU_OUTCOME_NOTHING, IDENTITY, IDENTITY, NOTHING_SAID);
}

/* The input afterwards: one wish for a group, one mask for a device. */
static void test_input(void **state)
{
	struct machine *machine = *state;
	unsigned int round;

	start(machine);
	machine_override(machine, fake_sid(0, 1, 0), DMA);
	machine_override(machine, fake_sid(0, 2, 1), DMA_FQ);
	machine_override(machine, fake_sid(7, 0, 0), IDENTITY);
	ask_type(machine, fake_sid(0, 2, 0), IDENTITY);
	assert_int_equal(change.input.override_count, 3);
	assert_int_equal(change.input.overrides[0].sid.rid, 1 << 3);
	assert_int_equal(change.input.overrides[1].sid.rid, 7 << 8);
	assert_int_equal(change.input.overrides[2].sid.rid, 2 << 3);
	assert_int_equal(change.input.overrides[2].type, IDENTITY);
	assert_int_equal(change.input.live_count, live_count);
	ask_type(machine, fake_sid(0, 2, 0), NONE);
	assert_int_equal(change.input.override_count, 2);
	ask_claim(machine, fake_sid(0, 2, 0));
	assert_int_equal(change.input.override_count, 3);
	assert_int_equal(change.input.mask_count, 0);
	for (round = 0; round < 50; round++) {
		struct uiommu_change last;
		struct uiommu_request asked = {
			.kind = round % 2 ? UIOMMU_REQUEST_TYPE
					  : UIOMMU_REQUEST_MASK,
			.sid = fake_sid(0, 1 + round % 4 / 2, 0),
			.type = round % 3 ? DMA_FQ : IDENTITY,
			.mask = 0xffffffffff
		};

		last = change;
		assert_int_equal(uiommu_change_make(
					 machine->host, &last.input, &last.plan,
					 live, live_count, &asked, &change),
				 0);
		uiommu_change_fini(machine->host, &last);
	}
	assert_int_equal(change.input.override_count, 3);
	assert_int_equal(change.input.mask_count, 2);
}

static void test_errors(void **state)
{
	struct machine *machine = *state;
	struct uiommu_request asked = { .kind = UIOMMU_REQUEST_MASK,
					.sid = fake_sid(0, 1, 0),
					.mask = 0xfff };
	static const uint64_t masks[] = {
		0, 1, 0x7ff, 0x1000, 0xfffff000, 0xff00ffffff, UINT64_MAX - 1
	};
	uint32_t i;

	start(machine);
	ask(machine, &asked);
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		asked.mask = masks[i];
		assert_int_equal(try_ask(machine, &asked), UIOMMU_EINVAL);
	}
	asked.kind = (enum uiommu_request_kind)3;
	assert_int_equal(try_ask(machine, &asked), UIOMMU_EINVAL);
	asked.kind = UIOMMU_REQUEST_TYPE;
	for (i = 0; i < 9; i++) {
		asked.type = (enum uiommu_domain_type)i;
		if (i == NONE || i == IDENTITY || i == DMA || i == DMA_FQ)
			ask(machine, &asked);
		else
			assert_int_equal(try_ask(machine, &asked),
					 UIOMMU_EINVAL);
	}
	asked.type = DMA;
	asked.sid = fake_sid(0, 5, 0);
	assert_int_equal(try_ask(machine, &asked), UIOMMU_ENOENT);
	asked.sid = fake_sid(0, 1, 0);
	live[1].type = IDENTITY; /* what is in force contradicts itself */
	assert_int_equal(try_ask(machine, &asked), UIOMMU_EINVAL);
	machine->units[0].present = false;
	start(machine);
	assert_int_equal(try_ask(machine, &asked), UIOMMU_ENODEV);
	assert_string_equal(uiommu_outcome_name((enum uiommu_outcome)77),
			    "unknown");
}

/* What ACPI alone knows can be asked for by its id. */
static void test_namespace(void **state)
{
	struct machine *machine = *state;
	struct uiommu_request asked = { .kind = UIOMMU_REQUEST_TYPE,
					.sid = fake_sid(0xf0, 1, 0),
					.type = IDENTITY };

	machine_andd(machine, 5);
	machine_drhd(machine, 0);
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0xf0, 1, 0)
		->enumeration_id = 5;
	start(machine);
	assert_int_equal(try_ask(machine, &asked), 0);
	changed = true;
	check(UIOMMU_OUTCOME_MOVE, DMA, IDENTITY, UIOMMU_RULE_TYPE_OVERRIDE);
	assert_int_equal(change.device, machine->topology.count);
}

/* Every call of the host fails once: an error, and nothing is held. */
static void test_no_memory(void **state)
{
	struct machine *machine = *state;
	struct uiommu_request asked[] = {
		{ .kind = UIOMMU_REQUEST_TYPE,
		  .sid = fake_sid(0, 2, 0),
		  .type = DMA },
		{ .kind = UIOMMU_REQUEST_MASK,
		  .sid = fake_sid(0, 2, 0),
		  .mask = 0xffffffff },
		{ .kind = UIOMMU_REQUEST_CLAIM, .sid = fake_sid(0, 2, 0) },
	};
	unsigned int i, at, held;

	machine_override(machine, fake_sid(0, 2, 0), IDENTITY);
	start(machine); /* the mask is thought through twice */
	held = machine->host->live;
	for (i = 0; i < 3; i++) {
		for (at = 1;; at++) {
			machine->host->fail_at = machine->host->allocs + at;
			if (try_ask(machine, &asked[i]) == 0)
				break;
			assert_int_equal(machine->host->live, held);
			assert_null(change.memory);
			assert_null(change.plan.memory);
		}
		machine->host->fail_at = 0;
		assert_int_equal(at, i == 1 ? 6 : 4);
		uiommu_change_fini(machine->host, &change);
		assert_int_equal(machine->host->live, held);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_type),    TEST(test_same),	   TEST(test_from),
		TEST(test_refused), TEST(test_untrusted),  TEST(test_graphics),
		TEST(test_owned),   TEST(test_claim),	   TEST(test_apart),
		TEST(test_mask),    TEST(test_mask_alone), TEST(test_input),
		TEST(test_errors),  TEST(test_namespace),  TEST(test_no_memory),
	};

	return cmocka_run_group_tests_name("plan change", tests, NULL, NULL);
}
