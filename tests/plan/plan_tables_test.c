// SPDX-License-Identifier: MIT
/*
 * The tables of real machines: for each a topology is made that holds what its
 * scopes name, so that the reader, the scan and the plan work together.
 */
#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define TABLE_MOST 65536

/* A bridge if @bus is not NULL, with that bus or a later one below it. */
static void add_function(struct machine *machine, struct uiommu_sid sid,
			 unsigned int *bus)
{
	if (machine->host->functions[0][sid.rid] != NULL)
		return;
	if (bus == NULL) {
		fake_add(machine->host, sid, 0x10008086, 0x020000, 0);
		return;
	}
	fake_port(machine->host, sid, UIOMMU_PCIE_ROOT_PORT, *bus, *bus, true);
	++*bus;
}

/* A slot needs a function 0, and it says whether there are more. */
static void complete_slots(struct machine *machine)
{
	struct fake_function **functions = machine->host->functions[0];
	unsigned int rid;

	for (rid = 0; rid < FAKE_SLOTS; rid++) {
		struct uiommu_sid first = { 0, (uint16_t)(rid & 0xfff8) };

		if (functions[rid] == NULL || first.rid == rid)
			continue;
		add_function(machine, first, NULL);
		fake_multifunction(functions[first.rid]);
	}
}

/* The functions on the way of @scope, or the bridges alone; the last one. */
static struct uiommu_sid add_path(struct machine *machine,
				  const struct uiommu_dmar *dmar,
				  const struct uiommu_dmar_scope *scope,
				  unsigned int *buses, bool bridges)
{
	struct uiommu_sid sid = fake_sid(0, 0, 0);
	unsigned int bus = scope->start_bus;
	unsigned int hop;

	for (hop = 0; hop < scope->path_count; hop++) {
		bool last = hop + 1u == scope->path_count;
		uint8_t device, function;

		assert_int_equal(
			uiommu_dmar_path(dmar, scope, hop, &device, &function),
			0);
		sid = fake_sid(bus, device, function);
		if (last && scope->type == UIOMMU_SCOPE_ENDPOINT) {
			if (!bridges)
				add_function(machine, sid, NULL);
			continue;
		}
		add_function(machine, sid, buses);
		bus = machine->host->functions[0][sid.rid]->space[6] >> 8 &
		      0xff;
	}
	return sid;
}

static bool names_pci(const struct uiommu_dmar_scope *scope)
{
	return scope->usable && (scope->type == UIOMMU_SCOPE_ENDPOINT ||
				 scope->type == UIOMMU_SCOPE_BRIDGE);
}

/* What a record names has its unit, or keeps its memory. */
static void check_scope(const struct machine *machine,
			const struct uiommu_dmar *dmar, uint32_t record,
			struct uiommu_sid sid)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t i = uiommu_topology_find(&machine->topology, sid);
	const struct uiommu_range *range = &dmar->records[record].range;
	const struct uiommu_region *region;
	uint32_t k;

	assert_int_not_equal(i, UIOMMU_PCI_NONE);
	if (dmar->records[record].type == UIOMMU_DMAR_DRHD)
		assert_int_equal(plan->devices[i].unit,
				 dmar->records[record].usable
					 ? record
					 : UIOMMU_PLAN_NONE);
	if (dmar->records[record].type != UIOMMU_DMAR_RMRR ||
	    !dmar->records[record].usable ||
	    plan->devices[i].unit == UIOMMU_PLAN_NONE)
		return;
	for (k = 0; k < plan->devices[i].region_count; k++) {
		region = &plan->regions[plan->devices[i].region_first + k];
		if (region->type == UIOMMU_REGION_DIRECT &&
		    region->range.first <= range->first &&
		    region->range.last >= range->last)
			return;
	}
	fail_msg("the region of record %u is not kept", record);
}

static void plan_table(struct machine *machine, struct uiommu_dmar *dmar)
{
	struct uiommu_plan_unit *units = calloc(dmar->record_count,
						sizeof(*units));
	struct uiommu_plan_input input = { .dmar = dmar,
					   .topology = &machine->topology,
					   .units = units,
					   .options = machine->options };
	struct uiommu_sid *named = calloc(dmar->scope_count + 1,
					  sizeof(*named));
	unsigned int buses = 0x90;
	uint32_t i;

	assert_non_null(units);
	assert_non_null(named);
	for (i = 0; i < 2 * dmar->scope_count; i++) {
		uint32_t at = i % dmar->scope_count;

		if (names_pci(&dmar->scopes[at]))
			named[at] = add_path(machine, dmar, &dmar->scopes[at],
					     &buses, i < dmar->scope_count);
	}
	complete_slots(machine);
	machine->dmar = *dmar;
	for (i = 0; i < dmar->record_count; i++)
		units[i].present = dmar->records[i].type == UIOMMU_DMAR_DRHD;
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
	assert_int_equal(
		uiommu_plan_make(machine->host, &input, &machine->plan), 0);
	machine_check(machine);
	for (i = 0; i < dmar->scope_count; i++) {
		if (names_pci(&dmar->scopes[i]))
			check_scope(machine, dmar, dmar->scopes[i].record,
				    named[i]);
	}
	free(units);
	free(named);
}

static void one_table(const char *folder, const char *name)
{
	static uint8_t bytes[TABLE_MOST];
	struct machine *machine;
	struct uiommu_dmar dmar;
	char path[300];
	size_t size, room;
	void *memory;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	room = uiommu_dmar_memory(size);
	memory = malloc(room);
	assert_non_null(memory);
	machine_setup((void **)&machine);
	assert_int_equal(uiommu_dmar_read(bytes, size, memory, room, &dmar), 0);
	plan_table(machine, &dmar);
	machine_teardown((void **)&machine);
	free(memory);
}

static void test_tables(void **state)
{
	const char *folder = *state;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned int count = 0;

	if (dir == NULL) {
		printf("skipped: no %s\n", folder);
		skip();
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".dat") == NULL)
			continue;
		one_table(folder, entry->d_name);
		count++;
	}
	closedir(dir);
	printf("%u tables\n", count);
	assert_true(count > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_tables,
					  argc > 1 ? argv[1] : "-"),
	};

	return cmocka_run_group_tests_name("plan tables", tests, NULL, NULL);
}
