// SPDX-License-Identifier: MIT
/* What Linux did, beside what its rules say it should have done. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study.h"

#define STUDY_LABEL 16u

static int study_differ(struct study *study, uint32_t group, const char *fmt,
			...) UIOMMU_PRINTF(3, 4);

static int study_differ(struct study *study, uint32_t group, const char *fmt,
			...)
{
	struct study_difference *more;
	va_list args;

	if (study->difference_count == study->difference_room) {
		uint32_t room = 2 * study->difference_room + 8;

		more = realloc(study->differences, room * sizeof(*more));
		if (!more)
			return -1;
		study->differences = more;
		study->difference_room = room;
	}
	more = &study->differences[study->difference_count++];
	more->group = group;
	va_start(args, fmt);
	vsnprintf(more->text, sizeof(more->text), fmt, args);
	va_end(args);
	return 0;
}

/* A member's device, or UIOMMU_PLAN_NONE: no function of this machine. */
static uint32_t study_member(const struct study *study,
			     const struct machine_member *member)
{
	uint32_t at;

	if (!member->pci)
		return UIOMMU_PLAN_NONE;
	at = uiommu_topology_find(&study->machine->topology, member->sid);
	return at == UIOMMU_PCI_NONE ? UIOMMU_PLAN_NONE : at;
}

static void study_note_groups(struct study *study)
{
	const struct machine *machine = study->machine;

	for (uint32_t i = 0; i < machine->group_count; i++) {
		const struct machine_group *g = &machine->groups[i];

		for (uint32_t k = 0; k < g->member_count; k++) {
			uint32_t at = study_member(study, &g->members[k]);

			if (at != UIOMMU_PLAN_NONE)
				study->linux_groups[at] = g;
		}
	}
}

/* Members that the plan sees elsewhere than the first: the group is split. */
static int study_compare_split(struct study *study,
			       const struct machine_group *group, bool *same)
{
	const struct uiommu_plan *plan = &study->as_linux;
	char one[32], two[32];
	uint32_t first = UIOMMU_PLAN_NONE;

	for (uint32_t k = 0; k < group->member_count; k++) {
		uint32_t at = study_member(study, &group->members[k]);

		if (at == UIOMMU_PLAN_NONE && group->members[k].pci) {
			*same = false;
			return study_differ(study, group->number,
					    "Linux has %s in it, of which "
					    "nothing is known here: not "
					    "compared",
					    group->members[k].name);
		}
		if (at == UIOMMU_PLAN_NONE)
			continue;
		if (first == UIOMMU_PLAN_NONE)
			first = at;
		if (plan->devices[at].group == plan->devices[first].group &&
		    plan->devices[at].group != UIOMMU_PLAN_NONE)
			continue;
		*same = false;
		study_device_name(study, first, one, sizeof(one));
		study_device_name(study, at, two, sizeof(two));
		if (at == first)
			return study_differ(study, group->number,
					    "Linux has %s in a group, its "
					    "rules say that no unit covers it",
					    one);
		return study_differ(study, group->number,
				    "Linux has %s and %s in one group, its "
				    "rules keep them apart",
				    one, two);
	}
	return 0;
}

/* Members of the plan's group that Linux has elsewhere: the group is cut. */
static int study_compare_cut(struct study *study,
			     const struct machine_group *group, uint32_t index,
			     bool *same)
{
	const struct uiommu_plan *plan = &study->as_linux;
	const struct uiommu_plan_group *g = &plan->groups[index];
	char name[32];

	for (uint32_t k = 0; k < g->member_count; k++) {
		uint32_t at = plan->members[g->member_first + k];

		if (at >= study->machine->topology.count ||
		    study->linux_groups[at] == group)
			continue;
		*same = false;
		study_device_name(study, at, name, sizeof(name));
		return study_differ(study, group->number,
				    "Linux does not have %s in this group, "
				    "its rules do",
				    name);
	}
	return 0;
}

static int study_compare_type(struct study *study,
			      const struct machine_group *group, uint32_t index,
			      bool *same)
{
	const char *type = uiommu_domain_type_name(
		study->as_linux.groups[index].type);

	if (!group->type[0] || !strcmp(group->type, type))
		return 0;
	*same = false;
	return study_differ(study, group->number,
			    "Linux's default domain is %s, its rules and "
			    "options say %s",
			    group->type, type);
}

static int study_compare_regions(struct study *study,
				 const struct machine_group *group,
				 uint32_t index, bool *same)
{
	const struct uiommu_plan_group *g = &study->as_linux.groups[index];
	const struct uiommu_region *regions =
		&study->as_linux.group_regions[g->region_first];

	/* Not known: there is always one for interrupts, and RMRRs count. */
	if (!group->region_count || study->machine->supposed_table)
		return 0;
	for (uint32_t k = 0; k < group->region_count; k++) {
		const struct machine_range *r = &group->regions[k];

		if (k < g->region_count &&
		    r->range.first == regions[k].range.first &&
		    r->range.last == regions[k].range.last &&
		    !strcmp(r->kind, uiommu_region_type_name(regions[k].type)))
			continue;
		*same = false;
		return study_differ(study, group->number,
				    "Linux reserves 0x%llx-0x%llx (%s), its "
				    "rules do not",
				    (unsigned long long)r->range.first,
				    (unsigned long long)r->range.last, r->kind);
	}
	if (group->region_count == g->region_count)
		return 0;
	*same = false;
	return study_differ(
		study, group->number,
		"its rules reserve 0x%llx-0x%llx, Linux does not",
		(unsigned long long)regions[group->region_count].range.first,
		(unsigned long long)regions[group->region_count].range.last);
}

static int study_compare_group(struct study *study,
			       const struct machine_group *group)
{
	uint32_t index = UIOMMU_PLAN_NONE;
	bool same = true;
	int err;

	for (uint32_t k = 0; k < group->member_count; k++) {
		uint32_t at = study_member(study, &group->members[k]);

		if (at != UIOMMU_PLAN_NONE && index == UIOMMU_PLAN_NONE)
			index = study->as_linux.devices[at].group;
	}
	err = study_compare_split(study, group, &same);
	if (!err && index != UIOMMU_PLAN_NONE)
		err = study_compare_cut(study, group, index, &same) ||
		      study_compare_type(study, group, index, &same) ||
		      study_compare_regions(study, group, index, &same);
	study->agreed += same;
	return err ? -1 : 0;
}

/* Devices that the plan confines and Linux does not. */
static int study_compare_absent(struct study *study)
{
	char name[32];

	for (uint32_t i = 0; i < study->machine->topology.count; i++) {
		uint32_t group = study->as_linux.devices[i].group;

		if (group == UIOMMU_PLAN_NONE || study->linux_groups[i] ||
		    study->as_linux.groups[group].member_count != 1)
			continue;
		study_device_name(study, i, name, sizeof(name));
		if (study_differ(study, UIOMMU_PLAN_NONE,
				 "Linux has no group for %s, its rules do",
				 name))
			return -1;
	}
	return 0;
}

static int study_by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Linux's numbers of the members, each once, in order. */
static uint32_t study_numbers(const struct study *study, uint32_t group,
			      uint32_t *numbers, uint32_t most)
{
	uint32_t count, kept = 0, found = 0;
	const uint32_t *members = study_members(study, group, &count);

	for (uint32_t k = 0; k < count && found < most; k++)
		if (members[k] < study->machine->topology.count &&
		    study->linux_groups[members[k]])
			numbers[found++] =
				study->linux_groups[members[k]]->number;
	qsort(numbers, found, sizeof(*numbers), study_by_number);
	for (uint32_t k = 0; k < found; k++)
		if (!k || numbers[k] != numbers[kept - 1])
			numbers[kept++] = numbers[k];
	return kept;
}

/* What Linux calls the group; ours is a letter where it has no number. */
static void study_label(struct study *study, uint32_t group, uint32_t *numbers,
			uint32_t most)
{
	char *label = study->labels[group];
	uint32_t count = study_numbers(study, group, numbers, most);
	size_t used = 0;

	if (!study_knows_linux(study)) {
		snprintf(label, STUDY_LABEL, "%u", group);
		return;
	}
	if (!count) {
		snprintf(label, STUDY_LABEL, "new%u", group);
		return;
	}
	if (count > 3) {
		snprintf(label, STUDY_LABEL, "%u+..+%u", numbers[0],
			 numbers[count - 1]);
		return;
	}
	for (uint32_t k = 0; k < count; k++)
		used += (size_t)snprintf(label + used, STUDY_LABEL - used,
					 "%s%u", k ? "+" : "", numbers[k]);
}

/* Two parts of one of Linux's groups must not have one label. */
static void study_tell_apart(struct study *study)
{
	for (uint32_t i = 0; i < study->plan.group_count; i++) {
		char *label = study->labels[i];
		size_t length = strlen(label);

		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(study->labels[k], label)) {
				snprintf(label + length, STUDY_LABEL - length,
					 "/%u", i);
				break;
			}
	}
}

int study_compare(struct study *study, struct machine_error *error)
{
	uint32_t functions = study->machine->topology.count;
	uint32_t groups = study->plan.group_count;
	uint32_t *numbers = calloc(functions + 1, sizeof(*numbers));
	int err = 0;

	study->linux_groups = calloc(functions + 1,
				     sizeof(*study->linux_groups));
	study->labels = calloc(groups + 1, sizeof(*study->labels));
	if (!numbers || !study->linux_groups || !study->labels) {
		err = -1;
		goto out;
	}
	study_note_groups(study);
	for (uint32_t i = 0; i < groups; i++)
		study_label(study, i, numbers, functions + 1);
	study_tell_apart(study);
	if (!study_compares(study))
		goto out;
	for (uint32_t i = 0; !err && i < study->machine->group_count; i++)
		err = study_compare_group(study, &study->machine->groups[i]);
	if (!err)
		err = study_compare_absent(study);
out:
	free(numbers);
	if (err)
		machine_fail(error, "out of memory");
	return err;
}
