// SPDX-License-Identifier: MIT
/*
 * Random machines, planned and compared with a second, naive decision: a
 * matrix of which two functions are related, closed by Warshall's algorithm,
 * and for each device a search through everything for its unit and regions.
 * Then the same machine found in another order.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "linux_oracle.h"
#include "random_machine.h"

#define MOST RANDOM_MOST
#define NONE UIOMMU_PLAN_NONE

struct oracle {
	bool related[MOST][MOST];
	uint32_t linux_group[MOST];
	uint32_t named[MACHINE_SCOPES]; /* function each scope is to name */
};

/* --- the second decision -------------------------------------------------- */

static bool oracle_apart(const struct uiommu_pci_function *f)
{
	uint32_t must = UIOMMU_ACS_SOURCE_VALIDATION |
			UIOMMU_ACS_REQUEST_REDIRECT |
			UIOMMU_ACS_COMPLETION_REDIRECT |
			UIOMMU_ACS_UPSTREAM_FORWARDING;
	bool acs = f->acs_offset &&
		   (must & (uint32_t)(f->acs_control | ~f->acs_capability)) ==
			   must;

	if (f->vendor == 0x8086 && f->device == 0x1521 && f->header_type == 0)
		return true;
	if (f->pcie_type == 4 || f->pcie_type == 6)
		return acs;
	if (f->pcie_type == 5)
		return acs || !f->multifunction;
	if (f->header_type != 0)
		return false;
	if (f->pcie_type == 9 && f->vendor == 0x8086)
		return true;
	if (f->pcie_type == 0 || f->pcie_type == 1 || f->pcie_type == 9)
		return acs || !f->multifunction;
	return false;
}

static bool oracle_path_apart(const struct uiommu_pci_function *functions,
			      uint32_t i)
{
	if (i == UIOMMU_PCI_NONE)
		return true;
	return oracle_apart(&functions[i]) &&
	       oracle_path_apart(functions, functions[i].parent);
}

/* May @i ask as @rid? */
static bool oracle_asks(const struct uiommu_topology *topology, uint32_t i,
			uint32_t rid)
{
	const struct uiommu_pci_function *functions = topology->functions;
	const struct uiommu_pci_function *f = &functions[i];
	uint32_t above;

	if (f->has_requester)
		return oracle_asks(topology,
				   uiommu_topology_find(topology, f->requester),
				   rid);
	if (f->sid.rid == rid ||
	    (f->sid.rid >> 8 == rid >> 8 && oracle_model(f, rid & 0xff)))
		return true;
	while (f->parent != UIOMMU_PCI_NONE) {
		f = &functions[f->parent];
		above = f->parent;
		if (f->pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE ||
		    (f->pcie_type == UIOMMU_PCI_CONVENTIONAL &&
		     f->device == 0x1080 && above != UIOMMU_PCI_NONE &&
		     functions[above].pcie_type != UIOMMU_PCI_CONVENTIONAL &&
		     functions[above].pcie_type != UIOMMU_PCIE_TO_PCI_BRIDGE)) {
			if (rid == (uint32_t)f->secondary_bus << 8)
				return true;
		} else if ((f->pcie_type == UIOMMU_PCI_TO_PCIE_BRIDGE ||
			    f->pcie_type == UIOMMU_PCI_CONVENTIONAL) &&
			   rid == f->sid.rid) {
			return true;
		}
	}
	return false;
}

static bool oracle_both_ask(const struct uiommu_topology *topology, uint32_t a,
			    uint32_t b, uint32_t rid)
{
	return oracle_asks(topology, a, rid) && oracle_asks(topology, b, rid);
}

/* All ids of all buses there are. */
static bool oracle_share(const struct uiommu_topology *topology, uint32_t a,
			 uint32_t b)
{
	uint32_t rid;

	uint32_t end = topology->functions[topology->count - 1].sid.rid | 0xff;

	for (rid = 0; rid <= end; rid++) {
		if (oracle_both_ask(topology, a, b, rid))
			return true;
	}
	return false;
}

/* Is @i, or a bridge above it, of the slot of @of, or else of its bus? */
static bool oracle_below(const struct uiommu_pci_function *functions,
			 uint32_t i, uint32_t of, bool slot)
{
	for (; i != UIOMMU_PCI_NONE; i = functions[i].parent) {
		if (slot && (functions[i].sid.rid & 0xfff8) ==
				    (functions[of].sid.rid & 0xfff8))
			return true;
		if (!slot && functions[i].parent == functions[of].parent)
			return true;
	}
	return false;
}

/* Can what @open lets pass reach @i? */
static bool oracle_reached(const struct uiommu_pci_function *functions,
			   uint32_t open, uint32_t i)
{
	const struct uiommu_pci_function *f = &functions[open];

	if (oracle_apart(f))
		return false;
	if (f->multifunction && oracle_below(functions, i, open, true))
		return true;
	return f->pcie_type == UIOMMU_PCIE_DOWNSTREAM_PORT &&
	       f->parent != UIOMMU_PCI_NONE &&
	       oracle_below(functions, i, open, false);
}

static bool oracle_related(const struct uiommu_topology *topology, uint32_t a,
			   uint32_t b)
{
	const struct uiommu_pci_function *functions = topology->functions;
	const struct uiommu_pci_function *one = &functions[a];
	const struct uiommu_pci_function *two = &functions[b];

	if (one->parent == b && !oracle_path_apart(functions, b))
		return true;
	(void)two;
	if (oracle_reached(functions, a, b))
		return true;
	return oracle_share(topology, a, b);
}

static void oracle_close(struct oracle *oracle,
			 const struct uiommu_topology *topology)
{
	uint32_t n = topology->count;
	uint32_t i, k, via;

	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			oracle->related[i][k] = i == k ||
						oracle_related(topology, i,
							       k) ||
						oracle_related(topology, k, i);
		}
	}
	for (via = 0; via < n; via++) {
		for (i = 0; i < n; i++) {
			for (k = 0; k < n; k++)
				oracle->related[i][k] |=
					oracle->related[i][via] &&
					oracle->related[via][k];
		}
	}
}

static bool oracle_has_unit(const struct machine *machine, uint32_t record)
{
	return machine->units[record].present &&
	       machine->records[record].usable;
}

/* Does @record name @function? */
static bool oracle_names(const struct machine *machine,
			 const struct oracle *oracle, uint32_t record,
			 uint32_t function)
{
	uint32_t i;

	for (i = 0; i < machine->dmar.scope_count; i++) {
		if (machine->scopes[i].record == record &&
		    machine->scopes[i].usable && oracle->named[i] == function)
			return true;
	}
	return false;
}

static uint32_t oracle_unit(const struct machine *machine,
			    const struct oracle *oracle, uint32_t device)
{
	uint32_t records = machine->dmar.record_count;
	uint32_t at, r;
	bool claimed;

	if (machine->topology.functions[device].has_requester)
		return oracle_unit(
			machine, oracle,
			uiommu_topology_find(
				&machine->topology,
				machine->topology.functions[device].requester));
	if (machine->topology.functions[device].virtual_function)
		return oracle_unit(
			machine, oracle,
			uiommu_topology_find(
				&machine->topology,
				machine->topology.functions[device].physical));
	for (at = device; at != UIOMMU_PCI_NONE;
	     at = machine->topology.functions[at].parent) {
		claimed = false;
		for (r = 0; r < records; r++) {
			if (machine->records[r].type != UIOMMU_DMAR_DRHD ||
			    !oracle_names(machine, oracle, r, at))
				continue;
			if (oracle_has_unit(machine, r))
				return r;
			claimed = true;
		}
		if (claimed)
			return NONE;
	}
	for (r = 0; r < records; r++) {
		if (machine->records[r].type == UIOMMU_DMAR_DRHD &&
		    machine->records[r].flags && oracle_has_unit(machine, r))
			return r;
	}
	return NONE;
}

/* Must the page at @address stay mapped for @device? */
static bool oracle_direct(const struct machine *machine,
			  const struct oracle *oracle, uint32_t device,
			  uint64_t address)
{
	uint32_t at, r;

	for (r = 0; r < machine->dmar.record_count; r++) {
		const struct uiommu_dmar_record *record = &machine->records[r];

		if (record->type != UIOMMU_DMAR_RMRR || !record->usable ||
		    record->range.last < address ||
		    record->range.first > address + 0xfff)
			continue;
		for (at = device; at != UIOMMU_PCI_NONE;
		     at = machine->topology.functions[at].parent) {
			if (oracle_names(machine, oracle, r, at))
				return true;
		}
	}
	return false;
}

static bool plan_direct(const struct uiommu_plan *plan, uint32_t device,
			uint64_t address)
{
	const struct uiommu_plan_device *decided = &plan->devices[device];
	uint32_t i;

	for (i = 0; i < decided->region_count; i++) {
		const struct uiommu_region *region =
			&plan->regions[decided->region_first + i];

		if (region->type == UIOMMU_REGION_DIRECT &&
		    region->range.first <= address &&
		    region->range.last >= address + 0xfff)
			return true;
	}
	return false;
}

/* --- the comparison ------------------------------------------------------- */

static void check_group_types(const struct machine *machine)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t i, k, member;

	for (i = 0; i < plan->group_count; i++) {
		enum uiommu_domain_type type = machine->options.passthrough ==
							       UIOMMU_CHOICE_YES
						       ? UIOMMU_DOMAIN_IDENTITY
						       : UIOMMU_DOMAIN_DMA;

		for (k = 0; k < plan->groups[i].member_count; k++) {
			member =
				plan->members[plan->groups[i].member_first + k];
			if (!machine->units[plan->devices[member].unit]
				     .passthrough)
				type = UIOMMU_DOMAIN_DMA;
		}
		assert_int_equal(plan->groups[i].type, type);
	}
}

static void compare(const struct machine *machine, const struct oracle *oracle)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint64_t address;
	uint32_t i, k;

	for (i = 0; i < plan->device_count; i++) {
		assert_int_equal(plan->devices[i].unit,
				 oracle_unit(machine, oracle, i));
		if (plan->devices[i].unit == NONE)
			continue;
		for (k = 0; k < plan->device_count; k++) {
			if (plan->devices[k].unit == NONE)
				continue;
			assert_int_equal(
				plan->devices[i].group ==
					plan->devices[k].group,
				machine->input.rules == UIOMMU_RULES_LINUX
					? oracle->linux_group[i] ==
						  oracle->linux_group[k]
					: oracle->related[i][k]);
			/* Whatever Linux joins, strict rules join. */
			assert_true(oracle->linux_group[i] !=
					    oracle->linux_group[k] ||
				    oracle->related[i][k]);
		}
		for (address = 0; address < 0x20000; address += 0x1000)
			assert_int_equal(
				plan_direct(plan, i, address),
				oracle_direct(machine, oracle, i, address));
	}
	check_group_types(machine);
}

/* The same buses one at a time, in a random order: the same plan. */
static void compare_order(struct machine *machine, uint64_t *seed)
{
	struct uiommu_plan first = machine->plan;
	struct uiommu_plan *plan = &machine->plan;
	bool done[16] = { false };
	unsigned int left = 16;

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
	assert_int_equal(plan->device_count, first.device_count);
	assert_int_equal(plan->reason_count, first.reason_count);
	assert_int_equal(plan->memory_size, first.memory_size);
	/* One block, the same in every byte that is used. */
	assert_memory_equal(plan->memory, first.memory, first.memory_size);
	uiommu_plan_fini(&first);
}

static unsigned int largest_group(const struct uiommu_plan *plan)
{
	unsigned int largest = 0;
	uint32_t i;

	for (i = 0; i < plan->group_count; i++) {
		if (plan->groups[i].member_count > largest)
			largest = plan->groups[i].member_count;
	}
	return largest;
}

static void test_random_machines(void **state)
{
	uint64_t seed = fake_seed("random machines");
	unsigned int round, alone = 0, shared = 0, without = 0;
	uint32_t i;

	(void)state;
	for (round = 0; round < 200; round++) {
		struct oracle *oracle = calloc(1, sizeof(*oracle));
		struct machine *machine;

		assert_non_null(oracle);
		machine_setup((void **)&machine);
		random_functions(machine, &seed);
		assert_int_equal(
			uiommu_topology_scan(&machine->topology, 0, 0, 255), 0);
		assert_true(machine->topology.count <= MOST);
		random_facts(machine, &seed);
		random_table(machine, oracle->named, &seed);
		machine->options.passthrough = (enum uiommu_choice)random_below(
			&seed, 3);
		machine_plan(machine);
		oracle_close(oracle, &machine->topology);
		linux_groups(machine, oracle->linux_group);
		compare(machine, oracle);
		for (i = 0; i < machine->plan.device_count; i++)
			without += machine->plan.devices[i].unit == NONE;
		alone += machine_reason(machine, 0, UIOMMU_RULE_GROUP_ALONE) !=
			 NULL;
		shared += largest_group(&machine->plan) > 2;
		compare_order(machine, &seed);
		machine_teardown((void **)&machine);
		free(oracle);
	}
	/* The machines are not all of one kind. */
	assert_true(alone > 10 && shared > 50 && without > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_machines),
	};

	return cmocka_run_group_tests_name("plan random", tests, NULL, NULL);
}
