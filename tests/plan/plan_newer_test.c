// SPDX-License-Identifier: MIT
/*
 * Rules of types that Linux changed after 6.1, the kernel that tests/linux
 * boots: each test says what 6.1 did, what Linux does since, and that the plan
 * does the latter or why not. "Group" is two functions of one conventional
 * slot, 00:02.0 and 00:02.1.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"
#include "plan/plan_config.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL

static struct fake_function *add(struct machine *machine, unsigned int bus,
				 unsigned int slot, unsigned int function)
{
	return fake_add(machine->host, fake_sid(bus, slot, function),
			0x10001b36, 0x020000, 0);
}

/* The group, and 00:03.0 alone. */
static void add_group(struct machine *machine)
{
	fake_multifunction(add(machine, 0, 2, 0));
	add(machine, 0, 2, 1);
	add(machine, 0, 3, 0);
	machine->input.build_default = UIOMMU_DOMAIN_DMA_FQ;
}

static void scan(struct machine *machine)
{
	uiommu_topology_fini(&machine->topology);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
}

/* Plans again what was scanned, with what was told of it since. */
static void plan(struct machine *machine)
{
	if (machine->plan.host != NULL)
		uiommu_plan_fini(&machine->plan);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	machine_check(machine);
}

static const struct uiommu_plan_group *
group_of(const struct machine *machine, unsigned int bus, unsigned int slot)
{
	return &machine->plan
			.groups[machine_device(machine, bus, slot, 0)->group];
}

static enum uiommu_domain_type type_of(const struct machine *machine,
				       unsigned int bus, unsigned int slot)
{
	return group_of(machine, bus, slot)->type;
}

static bool says(const struct machine *machine, unsigned int slot,
		 unsigned int function, enum uiommu_rule rule)
{
	return machine_reason(machine,
			      machine_index(machine, 0, slot, function),
			      rule) != NULL;
}

/*
 * Drivers that ask for different types in one group. 6.1: a warning, and the
 * system's default type. Since 6.7 (59ddce4418da): an error in the log, and
 * identity wins, in whatever order they are asked.
 */
static void test_conflict(void **state)
{
	struct machine *machine = *state;
	struct uiommu_plan_override wish[] = {
		{ fake_sid(0, 2, 0), UIOMMU_DOMAIN_DMA },
		{ fake_sid(0, 2, 1), UIOMMU_DOMAIN_IDENTITY },
	};
	unsigned int turn;

	machine_drhd(machine, ALL);
	add_group(machine);
	scan(machine);
	machine->input.requirements = wish;
	machine->input.requirement_count = 2;
	for (turn = 0; turn < 2; turn++) {
		wish[0].sid = fake_sid(0, 2, turn);
		wish[1].sid = fake_sid(0, 2, 1 - turn);
		plan(machine);
		assert_int_equal(type_of(machine, 0, 2),
				 UIOMMU_DOMAIN_IDENTITY);
		assert_true(group_of(machine, 0, 2)->type_required);
		assert_true(says(machine, 2, turn, UIOMMU_RULE_TYPE_CONFLICT));
		assert_true(
			says(machine, 2, 1 - turn, UIOMMU_RULE_TYPE_REQUIRED));
		/* Nobody else has to suffer from it. */
		assert_int_equal(type_of(machine, 0, 3), UIOMMU_DOMAIN_DMA_FQ);
		assert_false(group_of(machine, 0, 3)->type_required);
	}
}

/*
 * A unit without pass-through and a wish for identity. 6.1: page tables for
 * it. Since 2031c469f816: its driver asks for DMA. Here it is the first while
 * RAM is known, as the tables can be made then, and the second otherwise.
 */
static void test_no_passthrough(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_range ram = { 0, 0x3fffffff };
	uint32_t unit = machine_drhd(machine, ALL);

	add_group(machine);
	scan(machine);
	machine->units[unit].passthrough = false;
	machine->options.passthrough = UIOMMU_CHOICE_YES;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_DMA_FQ);
	assert_true(group_of(machine, 0, 2)->type_required);
	assert_true(says(machine, 2, 0, UIOMMU_RULE_TYPE_REQUIRED));
	assert_true(says(machine, 2, 0, UIOMMU_RULE_TYPE_NO_IDENTITY));
	/* Linux's driver names DMA, so there it is strict; here policy rules. */
	machine->options.strict = UIOMMU_CHOICE_YES;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_DMA);
	machine->input.ram = &ram;
	machine->input.ram_count = 1;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2),
			 UIOMMU_CONFIG_IDENTITY_SOFTWARE
				 ? UIOMMU_DOMAIN_IDENTITY
				 : UIOMMU_DOMAIN_DMA);
}

/*
 * A device from outside in a group with one that needs identity. 6.1: the two
 * disagree, so the system's default, be it identity. Since 6.7 (59ddce4418da):
 * never identity; first the device was refused, now the whole group is
 * translated and flushed at once.
 */
static void test_untrusted(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan_override wish = { fake_sid(0, 2, 0),
						   UIOMMU_DOMAIN_IDENTITY };
	unsigned int i;

	machine_drhd(machine, ALL);
	add_group(machine);
	scan(machine);
	machine->input.requirements = &wish;
	machine->input.requirement_count = 1;
	i = machine_index(machine, 0, 2, 1);
	machine->topology.functions[i].untrusted = true;
	machine->options.passthrough = UIOMMU_CHOICE_YES;
	machine->options.strict = UIOMMU_CHOICE_NO;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_DMA);
	assert_true(group_of(machine, 0, 2)->type_required);
	assert_true(says(machine, 2, 0, UIOMMU_RULE_TYPE_CONFLICT));
	assert_true(says(machine, 2, 1, UIOMMU_RULE_TYPE_UNTRUSTED));
	assert_int_equal(type_of(machine, 0, 3), UIOMMU_DOMAIN_IDENTITY);
}

/*
 * A type that cannot be made. 6.1: DMA instead, whoever asked. Newer: DMA only
 * where policy chose; where a driver asked, an error, and here a group that is
 * blocked.
 */
static void test_no_retry(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan_override wish = { fake_sid(0, 2, 1),
						   UIOMMU_DOMAIN_IDENTITY };
	uint32_t unit = machine_drhd(machine, ALL);

	add_group(machine);
	scan(machine);
	machine->units[unit].passthrough = false;
	machine->input.requirements = &wish;
	machine->input.requirement_count = 1;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_BLOCKED);
	assert_true(says(machine, 2, 1, UIOMMU_RULE_TYPE_BLOCKED));
	assert_true(says(machine, 2, 0, UIOMMU_RULE_TYPE_CONFLICT));
	/* The same wish as policy: translated, and no harm done. */
	machine->input.requirement_count = 0;
	machine->input.build_default = UIOMMU_DOMAIN_IDENTITY;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_DMA);
	/* A kernel built for pass-through was not built for strict. */
	machine->input.rules = UIOMMU_RULES_LINUX;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_DMA_FQ);
	assert_int_equal(type_of(machine, 0, 3), UIOMMU_DOMAIN_DMA_FQ);
}

/*
 * A type that somebody asks for at run time. 6.1: only for a group of one
 * device. Newer: for any group. What a driver requires is not to be had
 * otherwise in either; that newer ones make an untrusted group lazy if asked
 * to is not followed (there a shortcut goes before the check).
 */
static void test_override(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan_override need = { fake_sid(0, 2, 1),
						   UIOMMU_DOMAIN_IDENTITY };
	struct uiommu_plan_override wish = { fake_sid(0, 2, 0),
					     UIOMMU_DOMAIN_IDENTITY };

	machine_drhd(machine, ALL);
	add_group(machine);
	scan(machine);
	machine->input.overrides = &wish;
	machine->input.override_count = 1;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(type_of(machine, 0, 3), UIOMMU_DOMAIN_DMA_FQ);
	machine->input.requirements = &need;
	machine->input.requirement_count = 1;
	wish.type = UIOMMU_DOMAIN_DMA;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_IDENTITY);
	assert_true(says(machine, 2, 0, UIOMMU_RULE_TYPE_REFUSED));
	machine->input.requirement_count = 0;
	wish.type = UIOMMU_DOMAIN_DMA_FQ;
	machine->topology.functions[machine_index(machine, 0, 2, 1)].untrusted =
		true;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 2), UIOMMU_DOMAIN_DMA);
	assert_true(says(machine, 2, 0, UIOMMU_RULE_TYPE_REFUSED));
}

static void add_port(struct machine *machine, unsigned int bus,
		     unsigned int slot, unsigned int type,
		     unsigned int secondary, unsigned int last)
{
	fake_port(machine->host, fake_sid(bus, slot, 0), type, secondary, last,
		  true);
}

static void add_endpoint(struct machine *machine, unsigned int bus,
			 unsigned int type)
{
	fake_express(add(machine, bus, 0, 0), type);
}

/*
 * Below a port to the outside. Until 6.12: all is untrusted. Since 6.13 ("PCI:
 * Detect and trust built-in Thunderbolt chips"), and in Debian's 6.1.192: not
 * a switch right below it, nor endpoints right below that switch, unless the
 * port is a tunnel's own. By the strict rules all is untrusted.
 */
static void test_built_in(void **state)
{
	struct machine *machine = *state;
	struct uiommu_pci_function *top;
	unsigned int bus;

	machine_drhd(machine, ALL);
	machine->input.build_default = UIOMMU_DOMAIN_DMA_FQ;
	add_port(machine, 0, 1, UIOMMU_PCIE_ROOT_PORT, 1, 8);
	add_port(machine, 1, 0, UIOMMU_PCIE_UPSTREAM_PORT, 2, 8);
	add_port(machine, 2, 0, UIOMMU_PCIE_DOWNSTREAM_PORT, 3, 3);
	add_port(machine, 2, 1, UIOMMU_PCIE_DOWNSTREAM_PORT, 4, 6);
	add_port(machine, 2, 2, UIOMMU_PCIE_DOWNSTREAM_PORT, 7, 7);
	add_port(machine, 2, 3, UIOMMU_PCIE_DOWNSTREAM_PORT, 8, 8);
	add_endpoint(machine, 3, UIOMMU_PCIE_ENDPOINT);
	add_port(machine, 4, 0, UIOMMU_PCIE_UPSTREAM_PORT, 5, 6);
	add_port(machine, 5, 0, UIOMMU_PCIE_DOWNSTREAM_PORT, 6, 6);
	add_endpoint(machine, 6, UIOMMU_PCIE_ENDPOINT);
	add_endpoint(machine, 7, UIOMMU_PCIE_LEGACY_ENDPOINT);
	add(machine, 8, 0, 0);
	scan(machine);
	top = &machine->topology.functions[machine_index(machine, 0, 1, 0)];
	top->external_facing = true;
	machine->input.rules = UIOMMU_RULES_LINUX;
	plan(machine);
	for (bus = 0; bus <= 8; bus++) {
		/* What is behind the second switch, and a legacy endpoint. */
		bool outside = bus >= 4 && bus <= 7;

		assert_int_equal(type_of(machine, bus, bus == 0 ? 1 : 0),
				 outside ? UIOMMU_DOMAIN_DMA
					 : UIOMMU_DOMAIN_DMA_FQ);
	}
	assert_int_equal(type_of(machine, 2, 1), UIOMMU_DOMAIN_DMA_FQ);
	top->vendor = 0x8086; /* Tiger Lake: the switch is somebody's dock */
	top->device = 0x9a23;
	plan(machine);
	for (bus = 1; bus <= 8; bus++)
		assert_int_equal(type_of(machine, bus, 0), UIOMMU_DOMAIN_DMA);
	top->device = 0x9a24;
	machine->input.rules = UIOMMU_RULES_STRICT;
	plan(machine);
	assert_int_equal(type_of(machine, 0, 1), UIOMMU_DOMAIN_DMA_FQ);
	for (bus = 1; bus <= 8; bus++)
		assert_int_equal(type_of(machine, bus, 0), UIOMMU_DOMAIN_DMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_conflict, machine_setup,
						machine_teardown),
		cmocka_unit_test_setup_teardown(
			test_no_passthrough, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_untrusted, machine_setup,
						machine_teardown),
		cmocka_unit_test_setup_teardown(test_no_retry, machine_setup,
						machine_teardown),
		cmocka_unit_test_setup_teardown(test_override, machine_setup,
						machine_teardown),
		cmocka_unit_test_setup_teardown(test_built_in, machine_setup,
						machine_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
