// SPDX-License-Identifier: MIT
/*
 * Reads a bundle from standard input, plans as Linux would, and prints groups
 * with their type, and each member's regions, as JSON. The referee compares
 * that with what Linux did.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/options.h>
#include <uiommu/plan.h>

#include "bundle_host.h"

#define CAP_CACHING_MODE (UINT64_C(1) << 7)
#define CAP_SAGAW (UINT64_C(0x1f) << 8)
#define ECAP_PASS_THROUGH (UINT64_C(1) << 6)

static void print_device(const struct uiommu_plan *plan,
			 const struct uiommu_topology *topology, uint32_t index)
{
	const struct uiommu_plan_device *device = &plan->devices[index];
	struct uiommu_sid sid = { 0, 0 };
	uint32_t i;

	if (device->function == UIOMMU_PCI_NONE) {
		printf("    {\"device\": \"namespace\", \"regions\": [");
	} else {
		sid = topology->functions[device->function].sid;
		printf("    {\"device\": \"%04x:%02x:%02x.%x\", "
		       "\"regions\": [",
		       sid.segment, sid.rid >> 8, sid.rid >> 3 & 0x1f,
		       sid.rid & 7);
	}
	for (i = 0; i < device->region_count; i++) {
		const struct uiommu_region *region =
			&plan->regions[device->region_first + i];

		printf("%s[%" PRIu64 ", %" PRIu64 ", \"%s\"]",
		       i > 0 ? ", " : "", region->range.first,
		       region->range.last,
		       uiommu_region_type_name(region->type));
	}
	printf("]}");
}

static void print_plan(const struct uiommu_plan *plan,
		       const struct uiommu_topology *topology)
{
	uint32_t i, k;

	printf("[");
	for (i = 0; i < plan->group_count; i++) {
		const struct uiommu_plan_group *group = &plan->groups[i];

		printf("%s\n  {\"type\": \"%s\", \"members\": [\n",
		       i > 0 ? "," : "", uiommu_domain_type_name(group->type));
		for (k = 0; k < group->member_count; k++) {
			print_device(plan, topology,
				     plan->members[group->member_first + k]);
			printf("%s\n", k + 1 < group->member_count ? "," : "");
		}
		printf("  ]}");
	}
	printf("\n]\n");
}

static void check(int status, const char *what)
{
	if (status == UIOMMU_OK)
		return;
	fprintf(stderr, "%s: error %d\n", what, status);
	exit(2);
}

/* What the table refers to; the caller frees it. */
static void *read_table(struct uiommu_host *host, struct uiommu_dmar *dmar,
			struct uiommu_plan_unit *units)
{
	size_t room = uiommu_dmar_memory(host->dmar_size);
	void *memory = malloc(room);
	uint32_t i;
	size_t k;

	check(uiommu_dmar_read(host->dmar, host->dmar_size, memory, room, dmar),
	      "the DMAR table");
	for (i = 0; i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *record = &dmar->records[i];

		if (record->type != UIOMMU_DMAR_DRHD)
			continue;
		units[i].present = record->usable;
		units[i].passthrough = true;
		for (k = 0; k < host->unit_count; k++) {
			const struct bundle_unit *unit = &host->units[k];

			if (unit->address != record->range.first)
				continue;
			units[i].present = units[i].present &&
					   (unit->cap & CAP_SAGAW) != 0;
			units[i].passthrough = unit->ecap & ECAP_PASS_THROUGH;
			units[i].caching = unit->cap & CAP_CACHING_MODE;
		}
	}
	return memory;
}

static void scan(struct uiommu_host *host, struct uiommu_topology *topology)
{
	uint16_t last = 0;
	size_t i;

	uiommu_topology_init(topology, host);
	for (i = 0; i < host->function_count; i++) {
		uint16_t segment = host->functions[i].sid.segment;

		if (i > 0 && segment == last)
			continue;
		check(uiommu_topology_scan(topology, segment, 0, 255),
		      "the scan");
		last = segment;
	}
	for (i = 0; i < host->function_count; i++) {
		uint32_t at = uiommu_topology_find(topology,
						   host->functions[i].sid);

		if (at != UIOMMU_PCI_NONE)
			topology->functions[at].external_facing =
				host->functions[i].external_facing;
	}
}

int main(void)
{
	static struct uiommu_plan_unit units[8192];
	struct uiommu_host *host = bundle_read(stdin);
	struct uiommu_topology topology;
	struct uiommu_plan_input input = { .topology = &topology,
					   .rules = UIOMMU_RULES_LINUX };
	struct uiommu_dmar dmar;
	struct uiommu_plan plan;
	void *memory = NULL;

	scan(host, &topology);
	if (host->dmar_size > 0) {
		memory = read_table(host, &dmar, units);
		input.dmar = &dmar;
		input.units = units;
	}
	uiommu_options_parse(host->cmdline, strlen(host->cmdline),
			     &input.options, NULL, 0);
	check(uiommu_plan_make(host, &input, &plan), "the plan");
	print_plan(&plan, &topology);
	uiommu_plan_fini(&plan);
	uiommu_topology_fini(&topology);
	free(memory);
	return 0;
}
