// SPDX-License-Identifier: MIT
/*
 * uiommu: who shares a group, and does Linux agree?
 *
 *	uiommu groups --from BUNDLE [--rules linux|strict]
 *
 * Exit status: 0 fine, 1 findings or a file that cannot be used, 2 usage.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/plan.h>

#include "machine.h"

#define ECAP_PT UIOMMU_BIT64(6) /* "Extended Capability Register", PT */
#define CAP_CM UIOMMU_BIT64(7)	/* "Capability Register", CM */

static int usage(FILE *to)
{
	fprintf(to, "usage: uiommu groups --from BUNDLE"
		    " [--rules linux|strict]\n");
	return to == stdout ? 0 : 2;
}

static int complain(const struct machine_error *error)
{
	fprintf(stderr, "uiommu: %s\n", error->text);
	return 1;
}

static struct uiommu_plan_unit *units_of(const struct machine *machine)
{
	uint32_t count = machine->dmar.record_count;
	struct uiommu_plan_unit *units = calloc(count + 1, sizeof(*units));

	for (uint32_t i = 0; units && i < count; i++) {
		const struct uiommu_dmar_record *r = &machine->dmar.records[i];
		const struct machine_unit *u = machine_unit_at(machine,
							       r->range.first);

		units[i].present = r->type == UIOMMU_DMAR_DRHD && r->usable;
		units[i].passthrough = !u || u->ecap & ECAP_PT;
		units[i].caching = u && u->cap & CAP_CM;
	}
	return units;
}

/* Members of Linux's group that the scan knows. */
static uint32_t known_members(const struct machine *machine,
			      const struct machine_group *group)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < group->member_count; i++)
		count += group->members[i].pci &&
			 uiommu_topology_find(&machine->topology,
					      group->members[i].sid) !=
				 UIOMMU_PCI_NONE;
	return count;
}

static bool agrees(const struct machine *machine,
		   const struct uiommu_plan *plan,
		   const struct uiommu_plan_group *group)
{
	const struct machine_group *linux_group = NULL;

	for (uint32_t i = 0; i < group->member_count; i++) {
		uint32_t at = plan->members[group->member_first + i];
		const struct machine_group *now;

		if (at >= machine->topology.count)
			continue; /* ACPI's devices have other names */
		now = machine_group_of(machine,
				       machine->topology.functions[at].sid);
		if (!now || (linux_group && now != linux_group))
			return false;
		linux_group = now;
	}
	return !linux_group ||
	       known_members(machine, linux_group) <= group->member_count;
}

static void print_member(const struct machine *machine, uint32_t at)
{
	const struct uiommu_pci_function *f;
	const struct machine_group *now;

	if (at >= machine->topology.count) {
		printf("  (device of ACPI)\n");
		return;
	}
	f = &machine->topology.functions[at];
	now = machine_group_of(machine, f->sid);
	printf("  %04x:%02x:%02x.%u  %04x:%04x  class %06x", f->sid.segment,
	       UIOMMU_SID_BUS(f->sid), UIOMMU_SID_DEV(f->sid),
	       UIOMMU_SID_FN(f->sid), f->vendor, f->device, f->class_code);
	if (now)
		printf("  Linux: group %u", now->number);
	printf("\n");
}

static void print_reasons(const struct machine *machine,
			  const struct uiommu_plan *plan, uint32_t device)
{
	char text[256];

	for (uint32_t i = 0; i < plan->reason_count; i++) {
		const struct uiommu_reason *r = &plan->reasons[i];

		if (r->device != device || r->rule < UIOMMU_RULE_GROUP_ALONE ||
		    r->rule > UIOMMU_RULE_GROUP_MULTIFUNCTION)
			continue;
		uiommu_reason_text(plan, &machine->topology, r, text,
				   sizeof(text));
		printf("      %s\n", text);
	}
}

static int print_groups(const struct machine *machine,
			const struct uiommu_plan *plan)
{
	uint32_t differ = 0;

	for (uint32_t i = 0; i < plan->group_count; i++) {
		const struct uiommu_plan_group *g = &plan->groups[i];
		bool same = !machine->group_count || agrees(machine, plan, g);

		printf("group %u%s\n", i,
		       same ? "" : "  (Linux has it otherwise)");
		differ += !same;
		for (uint32_t j = 0; j < g->member_count; j++) {
			uint32_t at = plan->members[g->member_first + j];

			print_member(machine, at);
			print_reasons(machine, plan, at);
		}
	}
	if (!plan->group_count)
		printf("no group: no unit covers any device\n");
	else if (!machine->group_count)
		printf("what Linux made of this machine is not known\n");
	else if (differ)
		printf("Linux has %u of these groups otherwise\n", differ);
	else
		printf("Linux has the same groups\n");
	return differ ? 1 : 0;
}

static int groups(struct machine *machine, enum uiommu_rules rules)
{
	bool table = machine->table && !machine->dmar_error;
	struct uiommu_plan_input input = { .topology = &machine->topology,
					   .rules = rules };
	struct uiommu_plan_unit *units = units_of(machine);
	struct uiommu_plan plan;
	int err = UIOMMU_ENOMEM;

	if (table) {
		input.dmar = &machine->dmar;
		input.units = units;
	}
	if (units)
		err = uiommu_plan_make(&machine->host, &input, &plan);
	free(units);
	if (err) {
		fprintf(stderr, "uiommu: no plan: %s\n", uiommu_strerror(err));
		return 1;
	}
	for (uint32_t i = 0; i < machine->note_count; i++)
		fprintf(stderr, "note: %s\n", machine->notes[i]);
	if (!table)
		fprintf(stderr, "note: %s holds no DMAR table%s\n",
			machine->source,
			machine->table ? " that can be used" : "");
	err = print_groups(machine, &plan);
	uiommu_plan_fini(&plan);
	return err || (machine->table && !table);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "rules", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum uiommu_rules rules = UIOMMU_RULES_STRICT;
	struct machine_error error = { "" };
	const char *from = NULL;
	struct machine machine;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout);
		if (option == 'f')
			from = optarg;
		else if (option == 'r' && !strcmp(optarg, "linux"))
			rules = UIOMMU_RULES_LINUX;
		else if (option != 'r' || strcmp(optarg, "strict"))
			return usage(stderr);
	}
	if (!from || optind + 1 != argc || strcmp(argv[optind], "groups"))
		return usage(stderr);
	machine_init(&machine);
	if (machine_read_bundle(&machine, from, &error) ||
	    machine_prepare(&machine, &error))
		status = complain(&error);
	else
		status = groups(&machine, rules);
	machine_fini(&machine);
	return status;
}
