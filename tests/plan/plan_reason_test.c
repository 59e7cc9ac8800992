// SPDX-License-Identifier: MIT
/*
 * Random machines with random policy: no decision without a reason, no rule
 * that never comes up, every type as a second decision has it, and the same
 * plan in whatever order things are found or told.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "random_machine.h"

#define NONE UIOMMU_PLAN_NONE
#define RULES (UIOMMU_RULE_REGION_NOT_USER + 1)
#define ROUNDS 400

/* Classes and models that something depends on. */
static void random_kinds(struct machine *machine, uint64_t *seed)
{
	static const uint32_t classes[] = { 0x030000, 0x0c0330, 0x060100,
					    0x010600 };
	static const uint32_t models[] = { 0x2a40, 0x163e, 0x0040, 0x0040,
					   0x006a, 0x006a, 0x006a, 0x006a };
	uint32_t model = models[random_below(seed, 8)]; /* of the machine */
	uint32_t i;

	for (i = 0; i < FAKE_SLOTS; i++) {
		struct fake_function *f = machine->host->functions[0][i];

		if (f == NULL || (f->space[3] >> 16 & 0x7f) != 0)
			continue;
		if (random_below(seed, 3) == 0)
			f->space[2] = classes[random_below(seed, 4)] << 8;
		if (random_below(seed, 20) == 0)
			f->space[0] = 0x3a3e8086;
		else if (random_below(seed, 20) == 0)
			f->space[0] = model << 16 | 0x8086;
	}
}

/* A unit for the first display alone. */
static void random_display(struct machine *machine, uint32_t *named)
{
	const struct uiommu_topology *topology = &machine->topology;
	struct uiommu_sid sid;
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		sid = topology->functions[i].sid;
		if (topology->functions[i].class_code >> 16 != 3)
			continue;
		machine_drhd(machine, 0);
		named[machine->dmar.scope_count] = i;
		machine_scope(machine, UIOMMU_SCOPE_ENDPOINT,
			      UIOMMU_SID_BUS(sid), UIOMMU_SID_DEV(sid),
			      UIOMMU_SID_FN(sid));
		return;
	}
}

/* ACPI devices, and memory that firmware should not have asked for. */
static void random_rest(struct machine *machine, uint32_t *named,
			uint64_t *seed)
{
	uint32_t which = random_below(seed, machine->topology.count);
	struct uiommu_sid sid = machine->topology.functions[which].sid;

	if (random_below(seed, 2) == 0) {
		machine_andd(machine, 5);
		machine_drhd(machine, 0);
		machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 21,
			      random_below(seed, 8))
			->enumeration_id = 5;
	}
	random_display(machine, named);
	machine_rmrr(machine, random_below(seed, 2) ? 0xfeeff000 : 0x5000,
		     0xff000fff);
	named[machine->dmar.scope_count] = which;
	machine_scope(machine, UIOMMU_SCOPE_ENDPOINT, UIOMMU_SID_BUS(sid),
		      UIOMMU_SID_DEV(sid), UIOMMU_SID_FN(sid));
	machine_scope(machine, UIOMMU_SCOPE_NAMESPACE, 0, 0, 0)
		->enumeration_id = 5;
}

/* --- the types once more ------------------------------------------------- */

static const struct uiommu_pci_function *
parent_of(const struct machine *machine, const struct uiommu_pci_function *f)
{
	return f == NULL || f->parent == UIOMMU_PCI_NONE
		       ? NULL
		       : &machine->topology.functions[f->parent];
}

static bool is_type(const struct uiommu_pci_function *f, unsigned int type)
{
	return f != NULL && f->pcie_type == type;
}

/* Is @f of the switch right below @port? Its way up, kind by kind. */
static bool on_board(const struct machine *machine,
		     const struct uiommu_pci_function *f,
		     const struct uiommu_pci_function *port)
{
	const struct uiommu_pci_function *one = parent_of(machine, f);
	const struct uiommu_pci_function *two = parent_of(machine, one);
	const struct uiommu_pci_function *three = parent_of(machine, two);

	if (!port->onboard_switch)
		return false;
	if (is_type(f, UIOMMU_PCIE_UPSTREAM_PORT))
		return one == port;
	if (is_type(f, UIOMMU_PCIE_DOWNSTREAM_PORT))
		return is_type(one, UIOMMU_PCIE_UPSTREAM_PORT) && two == port;
	return is_type(f, UIOMMU_PCIE_ENDPOINT) &&
	       is_type(one, UIOMMU_PCIE_DOWNSTREAM_PORT) &&
	       is_type(two, UIOMMU_PCIE_UPSTREAM_PORT) && three == port;
}

static bool from_outside(const struct machine *machine, uint32_t i)
{
	const struct uiommu_pci_function *f, *at;

	if (i >= machine->topology.count)
		return false;
	f = &machine->topology.functions[i];
	for (at = parent_of(machine, f); at != NULL;
	     at = parent_of(machine, at)) {
		if (at->untrusted ||
		    (at->external_facing && !on_board(machine, f, at)))
			return true;
	}
	return f->untrusted;
}

static bool is_intel(const struct uiommu_pci_function *f, uint16_t a,
		     uint16_t b)
{
	return f->vendor == 0x8086 && (f->device == a || f->device == b);
}

/* The first host bridge with a second table for graphics, if from inside. */
static bool has_bridge(const struct machine *machine)
{
	uint32_t i = 0;

	while (i < machine->topology.count &&
	       !is_intel(&machine->topology.functions[i], 0x0040, 0x006a))
		i++;
	return i < machine->topology.count && !from_outside(machine, i);
}

/* Of the models that random machines have. */
static bool leaves_displays(const struct machine *machine)
{
	uint32_t i;

	for (i = 0; i < machine->topology.count; i++) {
		if (is_intel(&machine->topology.functions[i], 0x2a40, 0x163e) &&
		    !from_outside(machine, i))
			return true;
	}
	return machine->options.igfx_off ||
	       (machine->input.ggc == UIOMMU_GGC_NO_SHADOW &&
		has_bridge(machine));
}

static enum uiommu_domain_type demanded(const struct machine *machine,
					uint32_t i)
{
	const struct uiommu_pci_function *f;
	enum uiommu_domain_type type = UIOMMU_DOMAIN_NONE;
	uint32_t k;

	if (i >= machine->topology.count)
		return type;
	f = &machine->topology.functions[i];
	for (k = 0; k < machine->input.requirement_count; k++) {
		if (machine->requirements[k].sid.rid == f->sid.rid)
			type = machine->requirements[k].type;
	}
	if (machine->input.isoch_without_tlb && f->vendor == 0x8086 &&
	    f->device == 0x3a3e)
		type = UIOMMU_DOMAIN_IDENTITY;
	if (leaves_displays(machine) && f->class_code >> 16 == 3)
		type = UIOMMU_DOMAIN_IDENTITY;
	return type;
}

static enum uiommu_domain_type override_of(const struct machine *machine,
					   uint32_t group)
{
	enum uiommu_domain_type type = UIOMMU_DOMAIN_NONE;
	uint32_t i, k;

	for (k = 0; k < machine->input.override_count; k++) {
		i = uiommu_topology_find(&machine->topology,
					 machine->overrides[k].sid);
		if (machine->plan.devices[i].group == group)
			type = machine->overrides[k].type;
	}
	return type;
}

static enum uiommu_domain_type translated(const struct machine *machine)
{
	enum uiommu_domain_type build = machine->input.build_default;

	if (machine->options.strict == UIOMMU_CHOICE_NO)
		return UIOMMU_DOMAIN_DMA_FQ;
	/* A kernel built for pass-through is lazy where it translates. */
	if (build == UIOMMU_DOMAIN_IDENTITY &&
	    machine->input.rules == UIOMMU_RULES_LINUX)
		build = UIOMMU_DOMAIN_DMA_FQ;
	return machine->options.strict == UIOMMU_CHOICE_DEFAULT &&
			       build == UIOMMU_DOMAIN_DMA_FQ
		       ? UIOMMU_DOMAIN_DMA_FQ
		       : UIOMMU_DOMAIN_DMA;
}

/* Remapping is on for firmware's sake alone. */
static bool by_firmware(const struct machine *machine)
{
	const struct uiommu_plan_input *input = &machine->input;

	return input->build_off &&
	       machine->options.remapping == UIOMMU_CHOICE_DEFAULT &&
	       !(input->trusted_boot && !machine->options.tboot_noforce);
}

static enum uiommu_domain_type policy(const struct machine *machine)
{
	if (machine->options.passthrough == UIOMMU_CHOICE_YES)
		return UIOMMU_DOMAIN_IDENTITY;
	if (machine->options.passthrough == UIOMMU_CHOICE_NO ||
	    machine->input.memory_encryption)
		return translated(machine);
	if (by_firmware(machine) ||
	    machine->input.build_default == UIOMMU_DOMAIN_IDENTITY)
		return UIOMMU_DOMAIN_IDENTITY;
	return translated(machine);
}

/* Does the mask told last for @device hold every byte of RAM? */
static bool reaches(const struct machine *machine, uint32_t device)
{
	uint64_t mask = UINT64_MAX;
	uint32_t i;

	if (machine->input.rules == UIOMMU_RULES_LINUX ||
	    device >= machine->topology.count)
		return true;
	for (i = 0; i < machine->input.mask_count; i++) {
		if (machine->masks[i].sid.rid ==
		    machine->topology.functions[device].sid.rid)
			mask = machine->masks[i].mask;
	}
	for (i = 0; i < machine->input.ram_count; i++) {
		if (machine->ram[i].last > mask)
			return false;
	}
	return true;
}

static enum uiommu_domain_type expected(const struct machine *machine,
					uint32_t group)
{
	const struct uiommu_plan *plan = &machine->plan;
	bool outside = false, identity = false, dma = false, cannot = false;
	enum uiommu_domain_type type = override_of(machine, group);
	bool reach = true;
	uint32_t i;

	for (i = 0; i < plan->device_count; i++) {
		if (plan->devices[i].group != group)
			continue;
		outside |= from_outside(machine, i);
		identity |= demanded(machine, i) == UIOMMU_DOMAIN_IDENTITY;
		dma |= demanded(machine, i) == UIOMMU_DOMAIN_DMA;
		/* Where RAM is known tables take the place of it. */
		cannot |= !machine->units[plan->devices[i].unit].passthrough &&
			  machine->input.ram_count == 0;
		reach &= reaches(machine, i);
	}
	if (outside)
		return UIOMMU_DOMAIN_DMA;
	if (identity)
		return cannot ? UIOMMU_DOMAIN_BLOCKED : UIOMMU_DOMAIN_IDENTITY;
	if (type == UIOMMU_DOMAIN_NONE) {
		type = policy(machine);
		if (type == UIOMMU_DOMAIN_IDENTITY && !reach)
			type = translated(machine);
	}
	if (type == UIOMMU_DOMAIN_IDENTITY && (dma || cannot))
		type = translated(machine);
	if (type == UIOMMU_DOMAIN_DMA_FQ && has_bridge(machine) &&
	    machine->input.ggc == UIOMMU_GGC_SHADOW &&
	    !leaves_displays(machine))
		type = UIOMMU_DOMAIN_DMA;
	for (i = 0; i < machine->dmar.record_count; i++) {
		if (machine->units[i].present && machine->units[i].caching &&
		    type == UIOMMU_DOMAIN_DMA_FQ)
			type = UIOMMU_DOMAIN_DMA;
	}
	return type;
}

static void compare_types(const struct machine *machine)
{
	uint32_t i;

	for (i = 0; i < machine->plan.group_count; i++) {
		if (machine->plan.groups[i].type != expected(machine, i))
			fail_msg("group %u: %s, not %s", i,
				 uiommu_domain_type_name(
					 machine->plan.groups[i].type),
				 uiommu_domain_type_name(expected(machine, i)));
	}
}

/* --- in another order ---------------------------------------------------- */

static void swap_bytes(void *a, void *b, size_t size)
{
	uint8_t held[256];

	assert_true(size <= sizeof(held));
	memcpy(held, a, size);
	memmove(a, b, size);
	memcpy(b, held, size);
}

/* Buses one at a time; masks and RAM from behind. */
static void compare_order(struct machine *machine, uint64_t *seed)
{
	struct uiommu_plan first = machine->plan;
	struct uiommu_plan *plan = &machine->plan;
	bool done[16] = { false };
	unsigned int left = 16;

	if (machine->input.ram_count == 2)
		swap_bytes(&machine->ram[0], &machine->ram[1],
			   sizeof(machine->ram[0]));
	if (machine->input.mask_count == 2 &&
	    machine->masks[0].sid.rid != machine->masks[1].sid.rid)
		swap_bytes(&machine->masks[0], &machine->masks[1],
			   sizeof(machine->masks[0]));
	uiommu_topology_fini(&machine->topology);
	while (left != 0) {
		uint8_t bus = (uint8_t)random_below(seed, 16);

		if (done[bus])
			continue;
		done[bus] = true;
		left--;
		assert_int_equal(
			uiommu_topology_scan(&machine->topology, 0, bus, bus),
			0);
	}
	machine_tell(machine);
	assert_int_equal(machine_try_plan(machine, plan), 0);
	/* One block, the same in every byte that is used. */
	assert_int_equal(plan->memory_size, first.memory_size);
	assert_memory_equal(plan->memory, first.memory, first.memory_size);
	uiommu_plan_fini(&first);
}

/* Exchanges two regions' records and what their scopes say of them. */
static void swap_regions(struct machine *machine, uint32_t a, uint32_t b)
{
	uint32_t i;

	swap_bytes(&machine->records[a], &machine->records[b],
		   sizeof(machine->records[a]));
	for (i = 0; i < machine->dmar.scope_count; i++) {
		if (machine->scopes[i].record == a)
			machine->scopes[i].record = b;
		else if (machine->scopes[i].record == b)
			machine->scopes[i].record = a;
	}
}

/* RMRRs the other way round: the same but for who is named. */
static void compare_records(struct machine *machine)
{
	struct uiommu_plan first = machine->plan;
	struct uiommu_plan *plan = &machine->plan;
	uint32_t a = 0, b = machine->dmar.record_count;
	uint32_t i;

	while (a < b) {
		if (machine->records[a].type != UIOMMU_DMAR_RMRR)
			a++;
		else if (machine->records[--b].type == UIOMMU_DMAR_RMRR)
			swap_regions(machine, a++, b);
	}
	assert_int_equal(machine_try_plan(machine, plan), 0);
	assert_int_equal(plan->group_count, first.group_count);
	assert_int_equal(plan->region_count, first.region_count);
	assert_int_equal(plan->group_region_count, first.group_region_count);
	assert_memory_equal(plan->groups, first.groups,
			    plan->group_count * sizeof(plan->groups[0]));
	assert_memory_equal(plan->members, first.members,
			    plan->member_count * sizeof(plan->members[0]));
	assert_memory_equal(plan->devices, first.devices,
			    plan->device_count * sizeof(plan->devices[0]));
	for (i = 0; i < plan->group_region_count; i++) {
		first.group_regions[i].record = plan->group_regions[i].record;
		assert_memory_equal(&plan->group_regions[i],
				    &first.group_regions[i],
				    sizeof(plan->group_regions[i]));
	}
	machine_check(machine);
	uiommu_plan_fini(&first);
}

static void count(const struct machine *machine, unsigned int seen[RULES])
{
	uint32_t i;

	for (i = 0; i < machine->plan.reason_count; i++)
		seen[machine->plan.reasons[i].rule]++;
}

/*
 * What random machines never are: Linux joins 00:01.0, whose model asks as
 * 00:01.1, to whom that one asks as, though no request bears the number.
 */
static void count_joined(unsigned int seen[RULES])
{
	struct machine *machine;
	unsigned int i;

	machine_setup((void **)&machine);
	machine_drhd(machine, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	for (i = 0; i < 3; i++)
		fake_express(
			fake_add(machine->host, fake_sid(0, 1 + i / 2, i % 2),
				 i == 0 ? 0x91231b4b : 0x10001b36, 0x010600, 0),
			UIOMMU_PCIE_ENDPOINT);
	fake_multifunction(machine->host->functions[0][1 << 3]);
	fake_acs(machine->host->functions[0][1 << 3], FAKE_ACS_FULL,
		 FAKE_ACS_FULL);
	machine->facts[machine->fact_count++] = (struct machine_fact){
		fake_sid(0, 1, 1), fake_sid(0, 2, 0), false
	};
	machine->input.rules = UIOMMU_RULES_LINUX;
	machine_plan(machine);
	assert_int_equal(machine->plan.group_count, 1);
	count(machine, seen);
	assert_string_equal(machine_says(machine, fake_sid(0, 1, 0),
					 UIOMMU_RULE_GROUP_JOINED),
			    "0000:00:01.0 is joined by 0000:00:01.1, which "
			    "says why");
	machine_teardown((void **)&machine);
}

/* Nothing is in force yet: plan_live_test.c sees those. */
static bool is_of_live(unsigned int rule)
{
	switch (rule) {
	case UIOMMU_RULE_UNIT_HELD:
	case UIOMMU_RULE_GROUP_KEPT:
	case UIOMMU_RULE_GROUP_APART:
	case UIOMMU_RULE_TYPE_BARRED:
	case UIOMMU_RULE_TYPE_BARRED_OWNED:
	case UIOMMU_RULE_TYPE_BARRED_APART:
	case UIOMMU_RULE_TYPE_HELD:
	case UIOMMU_RULE_TYPE_OWNED:
		return true;
	default:
		return false;
	}
}

static void test_reasons(void **state)
{
	uint64_t seed = fake_seed("reasons of random machines");
	unsigned int seen[RULES] = { 0 };
	uint32_t named[MACHINE_SCOPES];
	unsigned int round;
	uint32_t i;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		struct machine *machine;

		machine_setup((void **)&machine);
		random_functions(machine, &seed);
		random_kinds(machine, &seed);
		assert_int_equal(
			uiommu_topology_scan(&machine->topology, 0, 0, 255), 0);
		random_facts(machine, &seed);
		random_table(machine, named, &seed);
		random_rest(machine, named, &seed);
		random_policy(machine, &seed);
		machine_plan(machine); /* checks every reason */
		count(machine, seen);
		compare_types(machine);
		compare_order(machine, &seed);
		compare_records(machine);
		machine_teardown((void **)&machine);
	}
	count_joined(seen);
	for (i = 0; i < RULES; i++) {
		if ((seen[i] == 0) != is_of_live(i))
			fail_msg("%s came up %u times",
				 uiommu_rule_name((enum uiommu_rule)i),
				 seen[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests_name("plan reasons", tests, NULL, NULL);
}
