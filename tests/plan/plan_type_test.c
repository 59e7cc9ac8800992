// SPDX-License-Identifier: MIT
/*
 * The type of a group's default domain, rule by rule on whole machines: who
 * decides, in which order, and in which words.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define NONE UIOMMU_DOMAIN_NONE
#define IDENTITY UIOMMU_DOMAIN_IDENTITY
#define DMA UIOMMU_DOMAIN_DMA
#define DMA_FQ UIOMMU_DOMAIN_DMA_FQ
#define BLOCKED UIOMMU_DOMAIN_BLOCKED
#define NO UIOMMU_CHOICE_NO
#define YES UIOMMU_CHOICE_YES
#define DEFAULT UIOMMU_CHOICE_DEFAULT

static struct fake_function *endpoint(struct machine *machine,
				      struct uiommu_sid sid,
				      unsigned int class_code)
{
	struct fake_function *f = fake_add(machine->host, sid, 0x10001b36,
					   class_code, 0);

	fake_express(f, UIOMMU_PCIE_ENDPOINT);
	return f;
}

/* 00:01.0 alone and 00:02.0, 00:02.1 in one group, under one unit. */
static int setup(void **state)
{
	struct machine *machine;
	int err = machine_setup(state);

	machine = *state;
	machine_drhd(machine, ALL);
	endpoint(machine, fake_sid(0, 1, 0), 0x020000);
	fake_multifunction(endpoint(machine, fake_sid(0, 2, 0), 0x020000));
	endpoint(machine, fake_sid(0, 2, 1), 0x020000);
	return err;
}

static bool has(const struct machine *machine, struct uiommu_sid sid,
		enum uiommu_rule rule)
{
	return machine_reason(machine,
			      uiommu_topology_find(&machine->topology, sid),
			      rule) != NULL;
}

/* 00:01.0 after planning. */
static void check(struct machine *machine, enum uiommu_domain_type type,
		  enum uiommu_rule rule, bool required)
{
	machine_plan(machine);
	if (machine_type(machine, 0, 1, 0) != type)
		fail_msg(
			"%s, not %s",
			uiommu_domain_type_name(machine_type(machine, 0, 1, 0)),
			uiommu_domain_type_name(type));
	if (!has(machine, fake_sid(0, 1, 0), rule))
		fail_msg("not by %s", uiommu_rule_name(rule));
	assert_int_equal(machine->plan.groups[0].type_required, required);
}

static void test_build(void **state)
{
	struct machine *machine = *state;

	check(machine, DMA, UIOMMU_RULE_TYPE_BUILD, false);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_BUILD),
			    "0000:00:01.0 gets DMA, as the build chooses where "
			    "nothing else does");
	machine->input.build_default = DMA_FQ;
	check(machine, DMA_FQ, UIOMMU_RULE_TYPE_BUILD, false);
	machine->input.build_default = IDENTITY;
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_BUILD, false);
	machine->input.build_default = DMA;
	check(machine, DMA, UIOMMU_RULE_TYPE_BUILD, false);
}

static void test_options(void **state)
{
	static const struct {
		enum uiommu_choice passthrough, strict;
		enum uiommu_domain_type build, type;
		enum uiommu_rule rule;
	} cases[] = {
		{ YES, DEFAULT, DMA_FQ, IDENTITY, UIOMMU_RULE_TYPE_OPTION },
		{ YES, YES, DMA, IDENTITY, UIOMMU_RULE_TYPE_OPTION },
		{ NO, DEFAULT, DMA_FQ, DMA_FQ, UIOMMU_RULE_TYPE_OPTION },
		{ NO, DEFAULT, DMA, DMA, UIOMMU_RULE_TYPE_OPTION },
		{ NO, YES, DMA_FQ, DMA, UIOMMU_RULE_TYPE_OPTION },
		{ DEFAULT, YES, DMA_FQ, DMA, UIOMMU_RULE_TYPE_OPTION },
		{ DEFAULT, NO, DMA, DMA_FQ, UIOMMU_RULE_TYPE_OPTION },
		{ DEFAULT, NO, IDENTITY, IDENTITY, UIOMMU_RULE_TYPE_BUILD },
	};
	struct machine *machine = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		machine->options.passthrough = cases[i].passthrough;
		machine->options.strict = cases[i].strict;
		machine->input.build_default = cases[i].build;
		check(machine, cases[i].type, cases[i].rule, false);
	}
}

/* The last one for a group holds, whichever member it names. */
static void test_overrides(void **state)
{
	struct machine *machine = *state;

	machine->options.passthrough = YES;
	machine_override(machine, fake_sid(0, 2, 0), DMA);
	machine_override(machine, fake_sid(0, 2, 1), DMA_FQ);
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_OPTION, false);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0),
					 UIOMMU_RULE_TYPE_OVERRIDE),
			    "0000:00:02.1 of the group of 0000:00:02.0 was "
			    "named by who asked for DMA-FQ");
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 1),
					 UIOMMU_RULE_TYPE_OVERRIDE),
			    "0000:00:02.1 was named by who asked for DMA-FQ");
	assert_false(has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_TYPE_REFUSED));
	machine_override(machine, fake_sid(0, 2, 0), IDENTITY);
	machine_override(machine, fake_sid(9, 9, 0), DMA); /* nobody */
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	/* Encryption and the build have no say against it. */
	machine->input.memory_encryption = true;
	machine->options.passthrough = NO;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_int_equal(machine_type(machine, 0, 1, 0), DMA);
}

static void test_refused(void **state)
{
	struct machine *machine = *state;

	machine_override(machine, fake_sid(0, 1, 0), IDENTITY);
	machine->units[0].passthrough = false;
	check(machine, DMA, UIOMMU_RULE_TYPE_REQUIRED, true);
	assert_string_equal(
		machine_says(machine, fake_sid(0, 1, 0),
			     UIOMMU_RULE_TYPE_REFUSED),
		"identity was asked for 0000:00:01.0 and so for the group of "
		"0000:00:01.0, but cannot be had");
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_NO_IDENTITY),
			    "the unit of DMAR record 0 at 0x30, over "
			    "0000:00:01.0, has no pass-through, and no 1:1 "
			    "table replaces it");
	machine->units[0].passthrough = true;
	machine_require(machine, fake_sid(0, 1, 0), DMA);
	check(machine, DMA, UIOMMU_RULE_TYPE_REQUIRED, true);
	assert_true(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_REFUSED));
	/* What translates in another way serves who requires translation. */
	machine->overrides[0].type = DMA_FQ;
	check(machine, DMA_FQ, UIOMMU_RULE_TYPE_OVERRIDE, false);
	assert_false(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_REFUSED));
	machine->requirements[0].type = IDENTITY;
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_REQUIRED, true);
	assert_true(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_REFUSED));
}

/* Neither by option nor by override does anything from outside get more. */
static void test_untrusted(void **state)
{
	struct machine *machine = *state;

	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 1, 0), .untrusted = true
	};
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 2, 1), .untrusted = true
	};
	machine->options.passthrough = YES;
	machine->options.strict = NO;
	machine_override(machine, fake_sid(0, 1, 0), DMA_FQ);
	machine_override(machine, fake_sid(0, 2, 0), IDENTITY);
	machine_require(machine, fake_sid(0, 1, 0), IDENTITY);
	check(machine, DMA, UIOMMU_RULE_TYPE_UNTRUSTED, true);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_UNTRUSTED),
			    "0000:00:01.0 comes from outside the machine, "
			    "which calls for strict DMA");
	assert_true(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_REFUSED));
	assert_true(has(machine, fake_sid(0, 1, 0),
			UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED));
	/* One such member is enough for the whole group. */
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0),
					 UIOMMU_RULE_TYPE_UNTRUSTED),
			    "0000:00:02.1 of the group of 0000:00:02.0 comes "
			    "from outside the machine, which calls for strict "
			    "DMA");
}

static void test_caching(void **state)
{
	struct machine *machine = *state;
	uint32_t unit;

	machine->input.build_default = DMA_FQ;
	unit = machine_drhd(machine, 0);
	machine->units[unit].caching = true;
	check(machine, DMA, UIOMMU_RULE_TYPE_BUILD, false);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_NOT_LAZY),
			    "0000:00:01.0 is not lazy, as the unit of DMAR "
			    "record 1 at 0x58 caches what is not mapped "
			    "(caching mode)");
	machine_override(machine, fake_sid(0, 1, 0), DMA_FQ);
	check(machine, DMA, UIOMMU_RULE_TYPE_OVERRIDE, false);
	assert_true(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_REFUSED));
	machine->overrides[0].type = IDENTITY;
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_OVERRIDE, false);
	assert_false(
		has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_NOT_LAZY));
	/* A unit that is not there has no say. */
	machine->input.override_count = 0;
	machine->units[unit].present = false;
	check(machine, DMA_FQ, UIOMMU_RULE_TYPE_BUILD, false);
}

static void test_encryption(void **state)
{
	struct machine *machine = *state;

	machine->input.memory_encryption = true;
	machine->input.build_default = IDENTITY;
	check(machine, DMA, UIOMMU_RULE_TYPE_ENCRYPTED, false);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_ENCRYPTED),
			    "0000:00:01.0 gets DMA, as host memory is "
			    "encrypted, which rules identity out as a default");
	machine->options.strict = NO;
	check(machine, DMA_FQ, UIOMMU_RULE_TYPE_ENCRYPTED, false);
	machine->options.passthrough = YES;
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_OPTION, false);
	machine->options.passthrough = DEFAULT;
	machine->input.build_default = DMA;
	check(machine, DMA_FQ, UIOMMU_RULE_TYPE_OPTION, false);
}

/* Below 00:03.0: a switch on the board, an endpoint on it, and what is
 * plugged in, which has a switch, too. */
static void build_outside(struct machine *machine)
{
	struct uiommu_host *host = machine->host;

	fake_port(host, fake_sid(0, 3, 0), UIOMMU_PCIE_ROOT_PORT, 1, 9, true);
	fake_port(host, fake_sid(1, 0, 0), UIOMMU_PCIE_UPSTREAM_PORT, 2, 9,
		  true);
	fake_port(host, fake_sid(2, 0, 0), UIOMMU_PCIE_DOWNSTREAM_PORT, 3, 3,
		  true);
	fake_port(host, fake_sid(2, 1, 0), UIOMMU_PCIE_DOWNSTREAM_PORT, 4, 9,
		  true);
	endpoint(machine, fake_sid(3, 0, 0), 0x0c0330);
	fake_port(host, fake_sid(4, 0, 0), UIOMMU_PCIE_UPSTREAM_PORT, 5, 9,
		  true);
	fake_port(host, fake_sid(5, 0, 0), UIOMMU_PCIE_DOWNSTREAM_PORT, 6, 6,
		  true);
	endpoint(machine, fake_sid(6, 0, 0), 0x020000);
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 3, 0), .external_facing = true
	};
}

static void test_outside(void **state)
{
	static const uint8_t plugged[][2] = { { 4, 0 }, { 5, 0 }, { 6, 0 } };
	static const uint8_t onboard[][2] = {
		{ 1, 0 }, { 2, 0 }, { 2, 1 }, { 3, 0 }
	};
	struct machine *machine = *state;
	unsigned int round, i;

	build_outside(machine);
	machine->options.passthrough = YES;
	for (round = 0; round < 2; round++) {
		machine->ports[0].onboard_switch = round != 0;
		machine_plan(machine);
		/* The port itself is part of the machine. */
		assert_int_equal(machine_type(machine, 0, 3, 0), IDENTITY);
		for (i = 0; i < 3; i++)
			assert_int_equal(machine_type(machine, plugged[i][0],
						      plugged[i][1], 0),
					 DMA);
		for (i = 0; i < 4; i++)
			assert_int_equal(machine_type(machine, onboard[i][0],
						      onboard[i][1], 0),
					 round ? IDENTITY : DMA);
	}
	/* Whatever is below something marked so comes from there, too. */
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(2, 0, 0), .untrusted = true
	};
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 3, 0, 0), DMA);
}

static void test_opt_in(void **state)
{
	struct machine *machine = *state;

	machine->input.build_off = true;
	machine->dmar.flags = UIOMMU_DMAR_PLATFORM_OPT_IN;
	machine_plan(machine); /* nothing faces outside */
	assert_true(machine->plan.off);
	assert_string_equal(
		machine_says(machine, fake_sid(0, 1, 0), UIOMMU_RULE_UNIT_OFF),
		"remapping is turned off, so nothing confines the "
		"DMA of 0000:00:01.0");
	build_outside(machine);
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_OPT_IN, false);
	assert_false(machine->plan.off);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_OPT_IN),
			    "0000:00:01.0 gets identity, as firmware alone "
			    "turned remapping on, for what is plugged in from "
			    "outside");
	assert_int_equal(machine_type(machine, 6, 0, 0), DMA);
	machine->input.memory_encryption = true;
	check(machine, DMA, UIOMMU_RULE_TYPE_ENCRYPTED, false);
	machine->input.memory_encryption = false;
	machine->options.passthrough = NO;
	check(machine, DMA, UIOMMU_RULE_TYPE_OPTION, false);
	machine->options.passthrough = DEFAULT;
	/* Turned on by an option it is on for all. */
	machine->options.remapping = YES;
	check(machine, DMA, UIOMMU_RULE_TYPE_BUILD, false);
	machine->options.remapping = NO;
	machine_plan(machine);
	assert_true(machine->plan.off);
	machine->options.remapping = DEFAULT;
	machine->dmar.flags = 0;
	machine_plan(machine);
	assert_true(machine->plan.off);
}

static void test_trusted_boot(void **state)
{
	struct machine *machine = *state;

	machine->input.build_off = true;
	machine->input.trusted_boot = true;
	check(machine, DMA, UIOMMU_RULE_TYPE_BUILD, false);
	machine->options.remapping = NO; /* forced all the same */
	check(machine, DMA, UIOMMU_RULE_TYPE_BUILD, false);
	machine->options.tboot_noforce = true;
	machine_plan(machine);
	assert_true(machine->plan.off);
	machine->options.tboot_noforce = false;
	machine->options.off = true;
	machine_plan(machine);
	assert_true(machine->plan.off);
	assert_int_equal(machine->plan.group_count, 0);
}

static void test_required(void **state)
{
	struct machine *machine = *state;

	machine->options.passthrough = YES;
	machine_require(machine, fake_sid(0, 1, 0), DMA);
	machine->options.strict = NO;
	check(machine, DMA_FQ, UIOMMU_RULE_TYPE_REQUIRED, true);
	machine->requirements[0].type = IDENTITY;
	machine->options.passthrough = NO;
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_REQUIRED, true);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_REQUIRED),
			    "0000:00:01.0 can work with no type but identity");
	/* Required, so nothing else takes its place. */
	machine->units[0].passthrough = false;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 1, 0), BLOCKED);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	assert_true(machine->plan.groups[0].type_required);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_TYPE_BLOCKED),
			    "0000:00:01.0 requires identity, which cannot be "
			    "made: the group is blocked");
}

/* One group, whatever its members want. */
static void test_conflict(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_reason *reason;
	uint32_t a, b;

	machine_require(machine, fake_sid(0, 2, 0), DMA);
	machine_require(machine, fake_sid(0, 2, 1), IDENTITY);
	machine_plan(machine);
	a = machine_index(machine, 0, 2, 0);
	b = machine_index(machine, 0, 2, 1);
	assert_int_equal(machine->plan.group_count, 2);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_int_equal(machine->plan.devices[a].required, DMA);
	assert_int_equal(machine->plan.devices[b].required, IDENTITY);
	reason = machine_reason(machine, a, UIOMMU_RULE_TYPE_CONFLICT);
	assert_non_null(reason);
	assert_int_equal(reason->other, b);
	assert_int_equal(reason->detail, IDENTITY);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0),
					 UIOMMU_RULE_TYPE_CONFLICT),
			    "0000:00:02.0 requires DMA but 0000:00:02.1 of its "
			    "group 1 requires identity, which wins");
	assert_true(has(machine, fake_sid(0, 2, 1), UIOMMU_RULE_TYPE_REQUIRED));
	/* Without pass-through nobody gets through. */
	machine->units[0].passthrough = false;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 1), BLOCKED);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0),
					 UIOMMU_RULE_TYPE_CONFLICT),
			    "0000:00:02.0 requires DMA but 0000:00:02.1 of its "
			    "group 1 requires identity, which wins but cannot "
			    "be made: blocked");
	/* What comes from outside wins over both. */
	machine->units[0].passthrough = true;
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 2, 0), .untrusted = true
	};
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 1), DMA);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 1),
					 UIOMMU_RULE_TYPE_CONFLICT),
			    "0000:00:02.1 requires identity but 0000:00:02.0 "
			    "of its group 1 requires DMA, which wins");
}

static void test_audio(void **state)
{
	struct machine *machine = *state;
	struct fake_function *audio;

	audio = endpoint(machine, fake_sid(0, 27, 0), 0x040300);
	audio->space[0] = 0x3a3e8086;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 27, 0), DMA);
	machine->input.isoch_without_tlb = true;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 27, 0), IDENTITY);
	assert_int_equal(machine_type(machine, 0, 1, 0), DMA);
	assert_string_equal(machine_says(machine, fake_sid(0, 27, 0),
					 UIOMMU_RULE_TYPE_QUIRK),
			    "0000:00:1b.0 is a device known to work with "
			    "identity only");
	machine->units[0].passthrough = false;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 27, 0), BLOCKED);
	machine->units[0].passthrough = true;
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 27, 0), .untrusted = true
	};
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 27, 0), DMA);
	assert_string_equal(machine_says(machine, fake_sid(0, 27, 0),
					 UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED),
			    "0000:00:1b.0 says it is a device that needs "
			    "identity, but from outside that is not believed");
	assert_false(has(machine, fake_sid(0, 27, 0), UIOMMU_RULE_TYPE_QUIRK));
	machine->port_count = 0;
	audio->space[0] = 0x3a3e1002; /* another vendor's */
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 27, 0), DMA);
}

static void test_graphics(void **state)
{
	struct machine *machine = *state;
	uint32_t unit;

	endpoint(machine, fake_sid(0, 28, 0), 0x030000);
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 28, 0), DMA);
	machine->options.igfx_off = true;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 28, 0), IDENTITY);
	assert_int_equal(machine_type(machine, 0, 1, 0), DMA);
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, 28, 0), .untrusted = true
	};
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 28, 0), DMA);
	assert_true(has(machine, fake_sid(0, 28, 0),
			UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED));
	/* Nor does it turn off the unit that is to confine it. */
	unit = machine_drhd(machine, 0);
	machine_scope(machine, UIOMMU_SCOPE_ENDPOINT, 0, 28, 0);
	machine_plan(machine);
	assert_int_equal(machine_device(machine, 0, 28, 0)->unit, unit);
	machine->port_count = 0;
	machine_plan(machine);
	assert_int_equal(machine_device(machine, 0, 28, 0)->unit,
			 UIOMMU_PLAN_NONE);
	assert_string_equal(machine_says(machine, fake_sid(0, 28, 0),
					 UIOMMU_RULE_UNIT_GRAPHICS_OFF),
			    "the unit of DMAR record 1 at 0x58 is for displays "
			    "alone and an option leaves it off, so nothing "
			    "confines the DMA of 0000:00:1c.0");
}

static void mask(struct machine *machine, uint64_t bits, uint64_t ram_last,
		 bool said)
{
	machine->masks[0] = (struct uiommu_plan_mask){ fake_sid(0, 1, 0),
						       bits };
	machine->input.mask_count = 1;
	machine->ram[0] = (struct uiommu_range){ 0, 0xfff };
	machine->ram[1] = (struct uiommu_range){ ram_last & ~(uint64_t)0xfff,
						 ram_last };
	machine->ram[2] = (struct uiommu_range){ 0x2000, 0x2fff };
	machine->input.ram_count = 3;
	check(machine, IDENTITY, UIOMMU_RULE_TYPE_OVERRIDE, false);
	assert_int_equal(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_MASK),
			 said);
	assert_false(has(machine, fake_sid(0, 2, 0), UIOMMU_RULE_TYPE_MASK));
}

/* Identity reaches what the device does: to the last byte. */
static void test_mask(void **state)
{
	struct machine *machine = *state;

	machine_override(machine, fake_sid(0, 1, 0), IDENTITY);
	mask(machine, 0xffffffff, 0xffffffff, false);
	mask(machine, 0xffffffff, 0x100000fff, true);
	assert_string_equal(
		machine_says(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_MASK),
		"0000:00:01.0 reaches 32 bits of address, RAM goes "
		"up to 0x100000fff: what is above cannot be mapped "
		"for it in identity");
	mask(machine, 0xfffffff, 0xfffffff, false);
	mask(machine, 0xfffffff, 0x10000000, true);
	mask(machine, UINT64_MAX, UINT64_MAX, false);
	mask(machine, UINT64_MAX >> 1, UINT64_MAX, true);
	mask(machine, 0xff00ffffff, 0x1000000, true); /* a hole counts */
	/* In translation an address within the mask can be given out. */
	machine->overrides[0].type = DMA;
	machine_plan(machine);
	assert_false(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_MASK));
	machine->overrides[0].type = IDENTITY;
	machine->input.ram_count = 0; /* not known */
	machine_plan(machine);
	assert_false(has(machine, fake_sid(0, 1, 0), UIOMMU_RULE_TYPE_MASK));
}

/* Options and the build do not want identity for who cannot use it. */
static void test_reach(void **state)
{
	struct machine *machine = *state;

	machine->options.passthrough = YES;
	machine->masks[0] = (struct uiommu_plan_mask){ fake_sid(0, 2, 1),
						       0xfffffff };
	machine->input.mask_count = 1;
	machine->ram[0] = (struct uiommu_range){ 0, 0xfffffff };
	machine->input.ram_count = 1;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	machine->ram[0].last = 0x10000fff;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 1, 0), IDENTITY);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
	assert_false(machine->plan.groups[1].type_required);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0),
					 UIOMMU_RULE_TYPE_REACH),
			    "0000:00:02.1 of the group of 0000:00:02.0 does "
			    "not reach all of RAM, so identity would not serve "
			    "it: it gets DMA");
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 1),
					 UIOMMU_RULE_TYPE_REACH),
			    "0000:00:02.1 does not reach all of RAM, so "
			    "identity would not serve it: it gets DMA");
	machine->options.strict = NO;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	/* Linux leaves it, and copies. */
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_true(has(machine, fake_sid(0, 2, 1), UIOMMU_RULE_TYPE_MASK));
	machine->input.rules = UIOMMU_RULES_STRICT;
	/* Who requires it, and who is asked to, copies here, too. */
	machine_require(machine, fake_sid(0, 2, 0), IDENTITY);
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_true(has(machine, fake_sid(0, 2, 1), UIOMMU_RULE_TYPE_MASK));
	machine->input.requirement_count = 0;
	machine->input.ram_count = 0; /* not known */
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
}

/* A type that nobody can ask for there. */
static void test_unsound(void **state)
{
	static const enum uiommu_domain_type never[] = {
		BLOCKED, UIOMMU_DOMAIN_UNMANAGED, (enum uiommu_domain_type)77
	};
	struct machine *machine = *state;
	size_t i;

	machine_plan(machine);
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct uiommu_plan plan;

		machine->input.build_default = never[i];
		assert_int_equal(machine_try_plan(machine, &plan),
				 UIOMMU_EINVAL);
		machine->input.build_default = NONE;
		machine_override(machine, fake_sid(0, 1, 0), never[i]);
		assert_int_equal(machine_try_plan(machine, &plan),
				 UIOMMU_EINVAL);
		machine->input.override_count = 0;
		machine_require(machine, fake_sid(0, 1, 0),
				i == 0 ? DMA_FQ : never[i]);
		assert_int_equal(machine_try_plan(machine, &plan),
				 UIOMMU_EINVAL);
		machine->input.requirement_count = 0;
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_build),      TEST(test_options),
		TEST(test_overrides),  TEST(test_refused),
		TEST(test_untrusted),  TEST(test_caching),
		TEST(test_encryption), TEST(test_outside),
		TEST(test_opt_in),     TEST(test_trusted_boot),
		TEST(test_required),   TEST(test_conflict),
		TEST(test_audio),      TEST(test_graphics),
		TEST(test_mask),       TEST(test_reach),
		TEST(test_unsound),
	};

	return cmocka_run_group_tests_name("plan types", tests, NULL, NULL);
}
