// SPDX-License-Identifier: MIT
/*
 * Models whose isolation is not what their configuration space says: as many
 * kinds of statement as there are, each at the edges of its range, by both
 * sets of rules.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define RP UIOMMU_PCIE_ROOT_PORT
#define DP UIOMMU_PCIE_DOWNSTREAM_PORT
#define EP UIOMMU_PCIE_ENDPOINT
#define IE UIOMMU_PCIE_INTEGRATED_ENDPOINT

struct model {
	uint32_t id; /* device, vendor */
	unsigned int type;
	bool acs;    /* has full access control, turned on */
	bool strict; /* isolates by the strict rules */
	bool as_linux;
};

static const struct model models[] = {
	/* Nothing known: by access control alone. */
	{ 0x12341b36, RP, false, false, false },
	{ 0x12341b36, RP, true, true, true },
	{ 0x12341b36, EP, false, false, false },
	/* Chipset registers that Linux sets and this library does not. */
	{ 0x1c108086, RP, false, false, true },
	{ 0x1c1f8086, RP, false, false, true },
	{ 0x1c208086, RP, false, false, false },
	{ 0x1e1f8086, RP, false, false, true },
	{ 0x3b428086, RP, false, false, true },
	{ 0x3b418086, RP, false, false, false },
	{ 0x8c1f8086, RP, false, false, true },
	{ 0x8c908086, RP, false, false, true },
	{ 0x8c918086, RP, false, false, false },
	{ 0x8d1e8086, RP, false, false, true },
	{ 0x8d1f8086, RP, false, false, false },
	{ 0x9c1b8086, RP, false, false, true },
	{ 0x9c9b8086, RP, false, false, true },
	{ 0x1d128086, RP, false, false, true },
	{ 0x1d118086, RP, false, false, false },
	{ 0x1c108086, DP, false, false, false },
	/* Ports that pass everything on. */
	{ 0x07101d17, RP, false, true, true },
	{ 0x07521d17, DP, false, true, true },
	{ 0x07531d17, RP, false, false, false },
	{ 0x07531d17, RP, true, false, false }, /* not on the list */
	{ 0x071f1d17, DP, true, false, false },
	{ 0xa000177d, RP, false, true, true },
	{ 0xa7ff177d, RP, false, true, true },
	{ 0xa800177d, RP, false, false, false },
	{ 0xa000177d, DP, false, false, false },
	{ 0xaf84177d, RP, false, true, true },
	{ 0xe0051def, RP, false, true, true },
	{ 0xe00c1def, RP, false, true, true },
	{ 0xe00d1def, RP, false, false, false },
	{ 0xe00410e8, RP, false, true, true },
	{ 0x040017cb, RP, false, true, true },
	{ 0x011517cb, RP, false, true, true },
	{ 0x04011dbf, RP, false, true, true },
	{ 0xd71414e4, RP, false, true, true },
	{ 0x8d801957, RP, false, true, true },
	{ 0x8db91957, RP, false, true, true },
	{ 0x8d841957, RP, false, false, false },
	{ 0x3c090014, RP, false, true, true },
	{ 0x7a690014, RP, false, true, true },
	{ 0x7a790014, RP, false, false, false },
	{ 0x00311c36, RP, false, true, true },
	{ 0x00311c36, DP, false, false, false },
	/* Functions that never reach each other. */
	{ 0x15218086, EP, false, true, true },
	{ 0x15258086, EP, false, false, false },
	{ 0x175014e4, EP, false, true, true },
	{ 0x176314e4, EP, false, true, true },
	{ 0xa026177d, EP, false, true, true },
	{ 0x072001df, EP, false, false, false },
	{ 0x072010df, EP, false, true, true },
	{ 0x071019a2, EP, false, true, true },
	{ 0x09031924, EP, false, true, true },
	{ 0x30381d17, EP, false, true, true },
	{ 0x01008088, EP, false, true, true },
	{ 0x51408088, EP, false, true, true },
	{ 0x51418088, EP, false, false, false },
	{ 0x51418088, EP, true, false, false }, /* not on the list */
	/* Integrated: all of Intel, nobody else. */
	{ 0x12348086, IE, false, true, true },
	{ 0x12341b36, IE, false, false, false },
	{ 0x12341b36, IE, true, true, true },
	/* Only next to another vendor's IOMMU. */
	{ 0x43851002, EP, false, false, false },
	{ 0x780f1022, EP, false, false, false },
};

static void build(struct machine *machine, const struct model *model)
{
	struct fake_function *f, *g;

	machine_drhd(machine, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	if (model->type == RP) {
		f = fake_port(machine->host, fake_sid(0, 1, 0), RP, 1, 1,
			      model->acs);
		g = fake_add(machine->host, fake_sid(1, 0, 0), 0x99991b36,
			     0x020000, 0);
		fake_express(g, EP);
	} else if (model->type == DP) {
		fake_port(machine->host, fake_sid(0, 1, 0), RP, 1, 3, true);
		fake_port(machine->host, fake_sid(1, 0, 0),
			  UIOMMU_PCIE_UPSTREAM_PORT, 2, 3, true);
		f = fake_port(machine->host, fake_sid(2, 0, 0), DP, 3, 3,
			      model->acs);
		g = fake_add(machine->host, fake_sid(3, 0, 0), 0x99991b36,
			     0x020000, 0);
		fake_express(g, EP);
	} else {
		f = fake_add(machine->host, fake_sid(0, 1, 0), model->id,
			     0x020000, 0);
		fake_express(f, model->type);
		fake_multifunction(f);
		g = fake_add(machine->host, fake_sid(0, 1, 1), model->id,
			     0x020000, 0);
		fake_express(g, model->type);
		if (model->acs) {
			fake_acs(f, FAKE_ACS_FULL, FAKE_ACS_FULL);
			fake_acs(g, FAKE_ACS_FULL, FAKE_ACS_FULL);
		}
	}
	f->space[0] = model->id;
}

/* What says why they are together tells whether access control would help. */
static void check_lack(const struct machine *machine, const struct model *model)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t last = plan->device_count - 1;
	const struct uiommu_reason *reason;

	reason = machine_reason(machine, last,
				model->type == RP || model->type == DP
					? UIOMMU_RULE_GROUP_NO_ACS
					: UIOMMU_RULE_GROUP_MULTIFUNCTION);
	assert_non_null(reason);
	assert_int_equal(!!(reason->detail & UIOMMU_ACS_NO_CAPABILITY),
			 !model->acs);
	if (model->acs)
		assert_true(reason->detail & UIOMMU_ACS_NOT_COUNTED);
}

static void check(const struct model *model, enum uiommu_rules rules)
{
	bool apart = rules == UIOMMU_RULES_LINUX ? model->as_linux
						 : model->strict;
	struct machine *machine;
	const struct uiommu_plan *plan;
	uint32_t last;
	bool said;

	machine_setup((void **)&machine);
	build(machine, model);
	machine->input.rules = rules;
	machine_plan(machine);
	plan = &machine->plan;
	last = plan->device_count - 1;
	if ((plan->devices[last].group != plan->devices[last - 1].group) !=
	    apart)
		fail_msg("%08x of type %u is %sapart by rules %u", model->id,
			 model->type, apart ? "not " : "", rules);
	said = machine_reason(machine, last, UIOMMU_RULE_GROUP_CLAIM) != NULL;
	assert_int_equal(said, apart && !model->acs);
	if (!apart)
		check_lack(machine, model);
	machine_teardown((void **)&machine);
}

static void test_models(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		check(&models[i], UIOMMU_RULES_STRICT);
		check(&models[i], UIOMMU_RULES_LINUX);
	}
}

/*
 * Root ports whose controls lie a doubleword behind the capability: what is
 * where others have them must not count, neither when read nor when turned on.
 */
static void wide(uint32_t device, bool is_wide)
{
	struct machine *machine;
	struct fake_function *f;
	uint32_t i;

	machine_setup((void **)&machine);
	f = fake_port(machine->host, fake_sid(0, 1, 0), RP, 1, 1, true);
	f->space[0] = device << 16 | 0x8086;
	f->wide_acs = is_wide;
	f->space[0x108 / 4] = 0;
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
	i = machine_index(machine, 0, 1, 0);
	assert_int_equal(machine->topology.functions[i].acs_control,
			 is_wide ? 0 : FAKE_ACS_FULL);
	f->space[0x104 / 4] = FAKE_ACS_FULL;
	uiommu_topology_fini(&machine->topology);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
	uiommu_topology_enable_acs(&machine->topology);
	assert_int_equal(machine->topology.functions[i].acs_control,
			 FAKE_ACS_FULL);
	assert_int_equal(f->space[0x108 / 4], is_wide ? FAKE_ACS_FULL : 0);
	assert_int_equal(f->space[0x104 / 4],
			 is_wide ? FAKE_ACS_FULL
				 : FAKE_ACS_FULL << 16 | FAKE_ACS_FULL);
	machine_teardown((void **)&machine);
}

static void test_wide(void **state)
{
	static const uint16_t ranges[][2] = {
		{ 0x9d10, 0x9d1b }, { 0xa110, 0xa11f }, { 0xa167, 0xa16a },
		{ 0xa290, 0xa29f }, { 0xa2e7, 0xa2ee },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		wide(ranges[i][0] - 1u, false);
		wide(ranges[i][0], true);
		wide(ranges[i][1], true);
		wide(ranges[i][1] + 1u, false);
	}
}

/* Words for each way to lack access control, and for who is believed. */
static void test_words(void **state)
{
	struct machine *machine = *state;
	struct fake_function *port;

	machine_drhd(machine, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	port = fake_port(machine->host, fake_sid(0, 1, 0), RP, 1, 1, false);
	fake_express(fake_add(machine->host, fake_sid(1, 0, 0), 0x92301b4b,
			      0x010601, 0),
		     EP);
	machine_plan(machine);
	assert_string_equal(machine_says(machine, fake_sid(1, 0, 0),
					 UIOMMU_RULE_GROUP_NO_ACS),
			    "port 0000:00:01.0 above 0000:01:00.0 has no ACS "
			    "capability, so nothing keeps the latter apart");
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_GROUP_NO_ACS),
			    "port 0000:00:01.0 has no ACS capability, so it is "
			    "one with what is below it");
	fake_acs(port, FAKE_ACS_FULL, 0x0d);
	machine_plan(machine);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_GROUP_NO_ACS),
			    "port 0000:00:01.0 has ACS but UF is not turned "
			    "on, so it is one with what is below it");
	port->space[0] = 0x07531d17;
	machine_plan(machine);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_GROUP_NO_ACS),
			    "port 0000:00:01.0 is not known to isolate at all, "
			    "so it is one with what is below it");
	port->space[0] = 0x04011dbf;
	machine_plan(machine);
	assert_non_null(strstr(machine_says(machine, fake_sid(1, 0, 0),
					    UIOMMU_RULE_GROUP_CLAIM),
			       "states: it passes everything on to the root"));
	assert_non_null(strstr(machine->said, "(HXT SD4800 root port, entry "));
	assert_non_null(strstr(machine_says(machine, fake_sid(1, 0, 0),
					    UIOMMU_RULE_GROUP_MODEL_ALIAS),
			       "(Marvell 88SE9xxx, entry "));
	assert_string_equal(uiommu_plan_claim_model(123456), "no such claim");
	assert_string_equal(uiommu_plan_alias_model(123456), "no such model");
}

/* Two ports of a chipset that isolate once its registers are set. */
static void test_set_up(void **state)
{
	struct machine *machine = *state;
	struct fake_function *port;
	unsigned int i;

	machine_drhd(machine, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	for (i = 0; i < 2; i++) {
		port = fake_port(machine->host, fake_sid(0, 0x1c, 4 * i), RP,
				 1 + i, 1 + i, false);
		port->space[0] = (0x1c10 + 8 * i) << 16 | 0x8086;
		fake_multifunction(port);
		fake_express(fake_add(machine->host, fake_sid(1 + i, 0, 0),
				      0x10d38086, 0x020000, 0),
			     EP);
	}
	/* By the strict rules, unless the host says that it set them. */
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 1);
	machine->input.chipset_set_up = true;
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 4);
	assert_non_null(strstr(machine_says(machine, fake_sid(1, 0, 0),
					    UIOMMU_RULE_GROUP_CLAIM),
			       "once chipset registers are set so"));
	/* By Linux's it does so itself. */
	machine->input.chipset_set_up = false;
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_wide),
		cmocka_unit_test_setup_teardown(test_words, machine_setup,
						machine_teardown),
		cmocka_unit_test_setup_teardown(test_set_up, machine_setup,
						machine_teardown),
	};

	return cmocka_run_group_tests_name("plan models", tests, NULL, NULL);
}
