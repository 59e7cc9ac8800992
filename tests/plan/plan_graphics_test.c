// SPDX-License-Identifier: MIT
/*
 * Machines whose graphics does not stand translation, or no lazy one: by the
 * model of a function, and by what the host bridge says. 00:00.0 is the host
 * bridge, 00:02.0 a display and 00:03.0 neither.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"
#include "plan/plan.h"
#include "plan/plan_quirk.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define ENDPOINT UIOMMU_SCOPE_ENDPOINT
#define DMA UIOMMU_DOMAIN_DMA
#define DMA_FQ UIOMMU_DOMAIN_DMA_FQ
#define IDENTITY UIOMMU_DOMAIN_IDENTITY
#define OFF UIOMMU_RULE_UNIT_GRAPHICS_OFF
#define QUIRK UIOMMU_RULE_TYPE_QUIRK
#define NOT_LAZY UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS

#define INTEL 0x8086u

/* The ids once more, as Linux lists them by chipset. */
static const char *const broken[] = {
	"2a40 2e00 2e10 2e20 2e30 2e40 2e90", /* GM45, G4x */
	"0044",				      /* QM57, QS57 */
	"29b2",				      /* Q35 */
	"1606 160b 160e 1602 160a 160d",      /* Broadwell, GT1 */
	"1616 161b 161e 1612 161a 161d",      /* GT2 */
	"1626 162b 162e 1622 162a 162d",      /* GT3 */
	"1636 163b 163e 1632 163a 163d",      /* reserved */
};

static bool is_listed(uint32_t id)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const char *at = broken[i];
		char *end;

		for (; *at != 0; at = end)
			if (strtoul(at, &end, 16) == id)
				return true;
	}
	return false;
}

/* A machine with all units at their default, lazy where it may be. */
static void build(struct machine *machine, bool own_unit)
{
	if (own_unit) {
		machine_drhd(machine, 0);
		machine_scope(machine, ENDPOINT, 0, 2, 0);
	}
	machine_drhd(machine, ALL);
	fake_add(machine->host, fake_sid(0, 0, 0), 0x12378086, 0x060000, 0);
	fake_add(machine->host, fake_sid(0, 2, 0), 0x11111234, 0x030000, 0);
	fake_add(machine->host, fake_sid(0, 3, 0), 0x10001b36, 0x020000, 0);
	machine->input.build_default = DMA_FQ;
}

static void model(struct machine *machine, unsigned int device, uint32_t id)
{
	machine->host->functions[0][device << 3]->space[0] = id;
}

static bool has(const struct machine *machine, unsigned int device,
		enum uiommu_rule rule)
{
	return machine_reason(machine, machine_index(machine, 0, device, 0),
			      rule) != NULL;
}

static void distrust(struct machine *machine, unsigned int device)
{
	machine->ports[machine->port_count++] = (struct machine_port){
		.sid = fake_sid(0, device, 0), .untrusted = true
	};
}

static void test_ids(void **state)
{
	struct uiommu_pci_function function;
	uint32_t id;

	(void)state;
	memset(&function, 0, sizeof(function));
	for (id = 0; id <= 0xffff; id++) {
		function.vendor = INTEL;
		function.device = (uint16_t)id;
		if (uiommu_plan_breaks_graphics(&function) != is_listed(id))
			fail_msg("8086:%04x", id);
		function.vendor = 0x1234;
		assert_false(uiommu_plan_breaks_graphics(&function));
	}
	assert_int_equal(uiommu_plan_graphics_count, 33);
}

/* A unit for displays alone, each model as host bridge and as display. */
static void test_unit(void **state)
{
	struct machine *machine = *state;
	unsigned int at;
	uint32_t id;

	build(machine, true);
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	for (id = 0; id <= 0xffff; id++) {
		at = id & 1 ? 0 : 2;
		if (!is_listed(id))
			continue;
		model(machine, at, id << 16 | INTEL);
		machine_plan(machine);
		assert_true(has(machine, 2, OFF));
		assert_int_equal(machine_type(machine, 0, 2, 0),
				 UIOMMU_DOMAIN_NONE);
		assert_int_equal(machine_type(machine, 0, 3, 0), DMA_FQ);
		model(machine, at, 0x11111234);
	}
	model(machine, 0, 0x2a408086);
	machine_plan(machine);
	assert_string_equal(machine_says(machine, fake_sid(0, 2, 0), OFF),
			    "the unit of DMAR record 0 at 0x30 is for displays "
			    "alone and stays off, as graphics does not work "
			    "translated next to 0000:00:00.0, so nothing "
			    "confines the DMA of 0000:00:02.0");
	/* The option is the reason where there is one. */
	machine->options.igfx_off = true;
	machine_plan(machine);
	assert_non_null(strstr(machine_says(machine, fake_sid(0, 2, 0), OFF),
			       "an option leaves it off"));
}

static void test_display(void **state)
{
	struct machine *machine = *state;

	build(machine, false);
	model(machine, 0, 0x00448086);
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	assert_true(has(machine, 2, QUIRK));
	assert_int_equal(machine_type(machine, 0, 3, 0), DMA_FQ);
	assert_false(has(machine, 3, QUIRK));
	/* Under either rules, and a strict library leaves it alone, too. */
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine->input.build_default = DMA;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), IDENTITY);
	/* Another vendor's of that number. */
	model(machine, 0, 0x00441234);
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
}

/* Who came from outside tells nothing, be it the display or not. */
static void test_untrusted(void **state)
{
	struct machine *machine = *state;

	build(machine, true);
	model(machine, 3, 0x16268086);
	machine_plan(machine);
	assert_true(has(machine, 2, OFF));
	distrust(machine, 3);
	machine_plan(machine);
	assert_false(has(machine, 2, OFF));
	assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	/* A second one that is of the machine counts. */
	model(machine, 0, 0x2e008086);
	machine_plan(machine);
	assert_true(has(machine, 2, OFF));
	model(machine, 0, 0x12378086);
	model(machine, 3, 0x00408086);
	for (int ggc = UIOMMU_GGC_UNKNOWN; ggc <= UIOMMU_GGC_SHADOW; ggc++) {
		machine->input.ggc = (enum uiommu_ggc)ggc;
		machine_plan(machine);
		assert_int_equal(machine_type(machine, 0, 2, 0), DMA_FQ);
	}
}

static void test_no_shadow(void **state)
{
	struct machine *machine = *state;

	build(machine, true);
	machine->input.ggc = UIOMMU_GGC_NO_SHADOW;
	machine_plan(machine);
	assert_false(has(machine, 2, OFF)); /* no such host bridge */
	model(machine, 0, 0x00408086);
	machine_plan(machine);
	assert_true(has(machine, 2, OFF));
	assert_int_equal(machine_reason(machine, 1, OFF)->detail, 0);
	assert_int_equal(machine_type(machine, 0, 3, 0), DMA_FQ);
	machine->input.ggc = UIOMMU_GGC_UNKNOWN;
	machine_plan(machine);
	assert_false(has(machine, 2, OFF));
}

static void test_shadow(void **state)
{
	static const uint32_t bridges[] = { 0x00408086, 0x00628086,
					    0x006a8086 };
	struct machine *machine = *state;

	build(machine, true);
	machine->input.ggc = UIOMMU_GGC_SHADOW;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 3, 0), DMA_FQ);
	for (size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
		model(machine, 0, bridges[i]);
		machine_plan(machine);
		assert_int_equal(machine_type(machine, 0, 2, 0), DMA);
		assert_int_equal(machine_type(machine, 0, 3, 0), DMA);
		assert_string_equal(
			machine_says(machine, fake_sid(0, 3, 0), NOT_LAZY),
			"0000:00:03.0 is not lazy, as next to host "
			"bridge 0000:00:00.0 graphics must be idle "
			"at each flush");
		assert_false(has(machine, 3, UIOMMU_RULE_TYPE_NOT_LAZY));
	}
	machine->units[0].caching = true;
	machine_plan(machine);
	assert_true(has(machine, 3, UIOMMU_RULE_TYPE_NOT_LAZY));
	assert_true(has(machine, 3, NOT_LAZY));
	machine->units[0].caching = false;
	/* Nobody lost anything where translation is strict anyway. */
	machine->input.build_default = DMA;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 3, 0), DMA);
	assert_false(has(machine, 3, NOT_LAZY));
	/* Graphics that is left alone need not be idle. */
	machine->input.build_default = DMA_FQ;
	machine->options.igfx_off = true;
	machine_plan(machine);
	assert_int_equal(machine_type(machine, 0, 3, 0), DMA_FQ);
}

static bool stays_on(const struct machine *machine, uint32_t record)
{
	struct uiommu_plan_input input = machine->input;

	input.dmar = &machine->dmar;
	input.topology = &machine->topology;
	return uiommu_plan_stays_on(&input, record);
}

/* By generation, as Linux has them; where the unit serves displays alone. */
static void test_hangs(void **state)
{
	static const char high[] = "45 46 4c 4e 8a 98 9a a7 7d";
	struct machine *machine = *state;
	char text[3];

	build(machine, true);
	machine_plan(machine);
	assert_false(stays_on(machine, 0));
	for (uint32_t id = 0; id <= 0xffff; id += 0x7f) {
		snprintf(text, sizeof(text), "%02x", id >> 8);
		model(machine, 2, id << 16 | INTEL);
		machine_plan(machine);
		if (stays_on(machine, 0) != !!strstr(high, text))
			fail_msg("8086:%04x", id);
		assert_false(stays_on(machine, 1));
		model(machine, 2, id << 16 | 0x1234);
		machine_plan(machine);
		assert_false(stays_on(machine, 0));
	}
	/* Not the neighbour's model, and not what came from outside. */
	model(machine, 2, 0x11111234);
	model(machine, 0, 0x9a498086);
	machine_plan(machine);
	assert_false(stays_on(machine, 0));
	model(machine, 2, 0x9a498086);
	machine_plan(machine);
	assert_true(stays_on(machine, 0));
	distrust(machine, 2);
	machine_plan(machine);
	assert_false(stays_on(machine, 0));
}

/* A unit that others share is turned off. */
static void test_hangs_not(void **state)
{
	struct machine *machine = *state;

	build(machine, true);
	model(machine, 2, 0x9a498086);
	machine_drhd(machine, 0);
	machine_scope(machine, ENDPOINT, 0, 2, 0);
	machine_scope(machine, ENDPOINT, 0, 3, 0);
	machine_plan(machine);
	assert_true(stays_on(machine, 0));
	assert_false(stays_on(machine, 2));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids), TEST(test_unit),
		TEST(test_display),	    TEST(test_untrusted),
		TEST(test_no_shadow),	    TEST(test_shadow),
		TEST(test_hangs),	    TEST(test_hangs_not),
	};

	return cmocka_run_group_tests_name("plan graphics", tests, NULL, NULL);
}
