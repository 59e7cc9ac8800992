// SPDX-License-Identifier: MIT
/*
 * plan_bundle BUNDLE...: plans each machine as the referee's Linux would, and
 * prints one JSON object: file -> groups, each with its type, its members and
 * its regions as Linux writes them. replay.py compares that with what Linux
 * did. A file that cannot be planned has a text instead of groups.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/options.h>
#include <uiommu/plan.h>

#include "machine.h"

#define CAP_CACHING_MODE (UINT64_C(1) << 7)
#define CAP_SAGAW (UINT64_C(0x1f) << 8)
#define ECAP_PASS_THROUGH (UINT64_C(1) << 6)

/* What goes into the plan, and the memory for it. */
struct input {
	struct uiommu_plan_input plan;
	struct uiommu_plan_unit *units;
	struct uiommu_range *ram;
};

static void *need(size_t count, size_t size)
{
	void *memory = calloc(count + 1, size);

	if (memory == NULL) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	return memory;
}

static void print_member(const struct uiommu_plan *plan,
			 const struct uiommu_topology *topology, uint32_t index)
{
	const struct uiommu_plan_device *device = &plan->devices[index];
	struct uiommu_sid sid;

	if (device->function == UIOMMU_PCI_NONE) {
		printf("\"namespace\"");
		return;
	}
	sid = topology->functions[device->function].sid;
	printf("\"%04x:%02x:%02x.%x\"", sid.segment, UIOMMU_SID_BUS(sid),
	       UIOMMU_SID_DEV(sid), UIOMMU_SID_FN(sid));
}

static void print_group(const struct uiommu_plan *plan,
			const struct uiommu_topology *topology,
			const struct uiommu_plan_group *group)
{
	char line[64];
	uint32_t i;

	printf("{\"type\": \"%s\", \"members\": [",
	       uiommu_domain_type_name(group->type));
	for (i = 0; i < group->member_count; i++) {
		printf("%s", i > 0 ? ", " : "");
		print_member(plan, topology,
			     plan->members[group->member_first + i]);
	}
	printf("], \"regions\": [");
	for (i = 0; i < group->region_count; i++) {
		uiommu_region_line(
			&plan->group_regions[group->region_first + i], line,
			sizeof(line));
		line[strcspn(line, "\n")] = '\0';
		printf("%s\"%s\"", i > 0 ? ", " : "", line);
	}
	printf("]}");
}

static void print_plan(const struct uiommu_plan *plan,
		       const struct uiommu_topology *topology)
{
	uint32_t i;

	printf("[");
	for (i = 0; i < plan->group_count; i++) {
		printf("%s\n  ", i > 0 ? "," : "");
		print_group(plan, topology, &plan->groups[i]);
	}
	printf("]");
}

/* A unit that no width of table suits cannot translate. */
static void read_units(const struct machine *machine, struct input *input)
{
	const struct uiommu_dmar *dmar = &machine->dmar;
	uint32_t i;

	input->units = need(dmar->record_count, sizeof(*input->units));
	for (i = 0; i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *record = &dmar->records[i];
		const struct machine_unit *unit;

		if (record->type != UIOMMU_DMAR_DRHD)
			continue;
		unit = machine_unit_at(machine, record->range.first);
		input->units[i].present = record->usable &&
					  (unit == NULL ||
					   (unit->cap & CAP_SAGAW) != 0);
		input->units[i].passthrough = unit == NULL ||
					      unit->ecap & ECAP_PASS_THROUGH;
		input->units[i].caching = unit != NULL &&
					  unit->cap & CAP_CACHING_MODE;
	}
}

static void read_ram(const struct machine *machine, struct input *input)
{
	uint32_t count = 0;
	uint32_t i;

	input->ram = need(machine->memory_count, sizeof(*input->ram));
	for (i = 0; i < machine->memory_count; i++) {
		if (strcmp(machine->memory[i].kind, "System RAM") == 0)
			input->ram[count++] = machine->memory[i].range;
	}
	input->plan.ram = input->ram;
	input->plan.ram_count = count;
}

/* Debian's kernel: on unasked, translated, lazy. */
static void prepare(const struct machine *machine, struct input *input)
{
	memset(input, 0, sizeof(*input));
	input->plan.topology = &machine->topology;
	input->plan.isoch_without_tlb = uiommu_topology_isoch_without_tlb(
		&machine->topology);
	input->plan.ggc = uiommu_topology_ggc(&machine->topology);
	input->plan.rules = UIOMMU_RULES_LINUX;
	input->plan.build_default = UIOMMU_DOMAIN_DMA_FQ;
	if (machine->table != NULL && machine->dmar_error == UIOMMU_OK) {
		read_units(machine, input);
		input->plan.dmar = &machine->dmar;
		input->plan.units = input->units;
	}
	read_ram(machine, input);
	if (machine->cmdline != NULL)
		uiommu_options_parse(machine->cmdline, strlen(machine->cmdline),
				     &input->plan.options, NULL, 0);
}

static bool plan_one(const char *path, struct machine *machine)
{
	struct machine_error error = { "" };
	struct uiommu_plan plan;
	struct input input;
	int status;

	if (machine_read_bundle(machine, path, &error) != 0 ||
	    machine_prepare(machine, &error) != 0) {
		fprintf(stderr, "%s: %s\n", path, error.text);
		return false;
	}
	prepare(machine, &input);
	status = uiommu_plan_make(&machine->host, &input.plan, &plan);
	if (status == UIOMMU_OK) {
		print_plan(&plan, &machine->topology);
		uiommu_plan_fini(&plan);
	} else {
		printf("\"no plan: %s\"", uiommu_strerror(status));
	}
	free(input.units);
	free(input.ram);
	return true;
}

int main(int argc, char **argv)
{
	struct machine machine;
	int i;

	printf("{");
	for (i = 1; i < argc; i++) {
		bool done;

		printf("%s\n\"%s\": ", i > 1 ? "," : "", argv[i]);
		machine_init(&machine);
		done = plan_one(argv[i], &machine);
		machine_fini(&machine);
		if (!done)
			return 1;
	}
	printf("\n}\n");
	return 0;
}
