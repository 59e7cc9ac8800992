// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include <uiommu/plan.h>

#include "plan_both.h"

static void print_groups(const struct machine *machine,
			 const struct uiommu_plan *plan, const char *rules,
			 FILE *to)
{
	char name[MACHINE_SID_SIZE];

	for (uint32_t i = 0; i < plan->group_count; i++) {
		const struct uiommu_plan_group *g = &plan->groups[i];

		fprintf(to, "%s", rules);
		for (uint32_t j = 0; j < g->member_count; j++) {
			uint32_t at = plan->members[g->member_first + j];

			if (at >= machine->topology.count) {
				fprintf(to, " acpi");
				continue;
			}
			machine_sid_text(machine,
					 machine->topology.functions[at].sid,
					 name);
			fprintf(to, " %s", name);
		}
		fprintf(to, "\n");
	}
}

int plan_both(struct machine *machine, FILE *to)
{
	static const char *const names[] = { "strict", "linux" };
	static const enum uiommu_rules rules[] = { UIOMMU_RULES_STRICT,
						   UIOMMU_RULES_LINUX };
	bool table = machine->table && !machine->dmar_error;
	uint32_t count = table ? machine->dmar.record_count : 0;
	struct uiommu_plan_unit *units = calloc(count + 1, sizeof(*units));
	struct uiommu_plan plan;
	int err = units ? 0 : -1;

	for (uint32_t i = 0; units && i < count; i++)
		units[i].present = true;
	for (uint32_t i = 0; !err && i < 2; i++) {
		struct uiommu_plan_input input = {
			.topology = &machine->topology,
			.rules = rules[i],
			.dmar = table ? &machine->dmar : NULL,
			.units = table ? units : NULL,
		};

		err = uiommu_plan_make(&machine->host, &input, &plan);
		if (err)
			break;
		if (to)
			print_groups(machine, &plan, names[i], to);
		uiommu_plan_fini(&plan);
	}
	free(units);
	return err ? -1 : 0;
}

void fuzz_machine(machine_parse *parse, const uint8_t *data, size_t size)
{
	struct machine_error error = { "" };
	struct machine machine;
	int err;

	machine_init(&machine);
	err = parse(&machine, "fuzz", (const char *)data, size, &error);
	if (!err)
		err = machine_prepare(&machine, &error);
	if (err && !error.text[0])
		abort(); /* nothing fails without a reason */
	if (!err)
		plan_both(&machine, NULL);
	machine_fini(&machine);
}
