// SPDX-License-Identifier: MIT
/* uiommu plan: what would be with other options, beside what is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "wish.h"

/* One device for which something would be otherwise. */
struct change {
	uint32_t device;
	const char *what; /* "type", "group", "unit", "regions" */
	char is[64], would[64];
};

struct changes {
	struct change *list;
	uint32_t count, room;
};

static void plan_change(struct changes *changes, uint32_t device,
			const char *what, const char *is, const char *would)
{
	struct change *more;

	if (changes->count == changes->room) {
		uint32_t room = 2 * changes->room + 16;

		more = realloc(changes->list, room * sizeof(*more));
		if (!more) {
			fprintf(stderr, "uiommu: out of memory\n");
			return;
		}
		changes->list = more;
		changes->room = room;
	}
	more = &changes->list[changes->count++];
	more->device = device;
	more->what = what;
	snprintf(more->is, sizeof(more->is), "%s", is);
	snprintf(more->would, sizeof(more->would), "%s", would);
}

static const char *plan_type(const struct study *study, uint32_t device)
{
	uint32_t group = study->plan.devices[device].group;

	if (group == UIOMMU_PLAN_NONE)
		return "not confined";
	return uiommu_domain_type_name(study->plan.groups[group].type);
}

/* Are the members of both devices' groups the same? */
static bool plan_same_group(const struct study *a, const struct study *b,
			    uint32_t device)
{
	uint32_t x = a->plan.devices[device].group;
	uint32_t y = b->plan.devices[device].group;
	const uint32_t *one, *two;
	uint32_t count, other;

	if (x == UIOMMU_PLAN_NONE || y == UIOMMU_PLAN_NONE)
		return x == y;
	one = study_members(a, x, &count);
	two = study_members(b, y, &other);
	return count == other && !memcmp(one, two, count * sizeof(*one));
}

static void plan_members(const struct study *study, uint32_t device, char *text,
			 size_t size)
{
	uint32_t group = study->plan.devices[device].group;

	if (group == UIOMMU_PLAN_NONE)
		snprintf(text, size, "none");
	else
		snprintf(text, size, "%u members",
			 study->plan.groups[group].member_count);
}

static bool plan_same_regions(const struct study *a, const struct study *b,
			      uint32_t device)
{
	const struct uiommu_plan_device *x = &a->plan.devices[device];
	const struct uiommu_plan_device *y = &b->plan.devices[device];

	for (uint32_t i = 0; i < x->region_count && i < y->region_count; i++) {
		const struct uiommu_region *one =
			&a->plan.regions[x->region_first + i];
		const struct uiommu_region *two =
			&b->plan.regions[y->region_first + i];

		if (one->range.first != two->range.first ||
		    one->range.last != two->range.last ||
		    one->type != two->type)
			return false;
	}
	return x->region_count == y->region_count;
}

static void plan_compare(const struct study *is, const struct study *would,
			 struct changes *changes)
{
	for (uint32_t i = 0; i < is->plan.device_count; i++) {
		char a[64], b[64];

		if (strcmp(plan_type(is, i), plan_type(would, i)))
			plan_change(changes, i, "type", plan_type(is, i),
				    plan_type(would, i));
		plan_members(is, i, a, sizeof(a));
		plan_members(would, i, b, sizeof(b));
		if (!plan_same_group(is, would, i))
			plan_change(changes, i, "group", a, b);
		snprintf(a, sizeof(a), "%u", is->plan.devices[i].region_count);
		snprintf(b, sizeof(b), "%u",
			 would->plan.devices[i].region_count);
		if (!plan_same_regions(is, would, i))
			plan_change(changes, i, "regions", a, b);
	}
}

static json_t *plan_changes_json(const struct study *study,
				 const struct changes *changes)
{
	json_t *list = json_array();
	char name[300];

	for (uint32_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->list[i];

		study_device_name(study, c->device, name, sizeof(name));
		json_array_append_new(list,
				      json_pack("{so ss so so}", "device",
						json_text(name), "what",
						c->what, "is", json_text(c->is),
						"would", json_text(c->would)));
	}
	return list;
}

/* The words of the rule that decides it there. */
static void plan_why(const struct study *study, const struct change *change,
		     char *text, size_t size)
{
	const struct uiommu_reason *reasons;
	uint32_t count = uiommu_plan_reasons(&study->plan, change->device,
					     &reasons);
	enum uiommu_rule first = UIOMMU_RULE_UNIT_SCOPE;

	if (!strcmp(change->what, "type"))
		first = UIOMMU_RULE_TYPE_OPTION;
	else if (!strcmp(change->what, "group"))
		first = UIOMMU_RULE_GROUP_ALONE;
	else if (!strcmp(change->what, "regions"))
		first = UIOMMU_RULE_REGION_RMRR;
	text[0] = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (reasons[i].rule < first && i + 1 != count)
			continue;
		uiommu_reason_text(&study->plan, &study->machine->topology,
				   &reasons[i], text, size);
		return;
	}
}

static void plan_changes_text(struct out *out, const struct study *study,
			      const struct changes *changes)
{
	static const char *const heads[] = { "DEVICE", "WHAT", "IS", "WOULD BE",
					     "WHY" };
	struct out_table table;
	char text[512];

	if (!changes->count) {
		out_say(out, OUT_GOOD, "Nothing would change.\n");
		return;
	}
	out_table_init(&table, 5, heads);
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->list[i];

		study_device_name(study, c->device, text, sizeof(text));
		out_cell(&table, OUT_HEAD, "%s", text);
		out_cell(&table, OUT_PLAIN, "%s", c->what);
		out_cell(&table, OUT_PLAIN, "%s", c->is);
		out_cell(&table, OUT_WARN, "%s", c->would);
		plan_why(study, c, text, sizeof(text));
		out_cell(&table, OUT_DIM, "%s", text);
	}
	out_table_print(out, &table);
}

static void plan_text(const struct ask *ask, const struct study *is,
		      const struct study *would, const struct changes *changes,
		      const struct wishes *wishes)
{
	struct out out;

	out_init(&out, stdout, ask->colour);
	cmd_head(&out, would);
	if (ask->options || !wishes->count) {
		out_wrap(&out, OUT_PLAIN, "Options now:  ", "%s",
			 *is->options_text ? is->options_text : "(none)");
		out_wrap(&out, OUT_PLAIN, "Options then: ", "%s",
			 *would->options_text ? would->options_text : "(none)");
		fputc('\n', stdout);
		plan_changes_text(&out, would, changes);
		if (wishes->count)
			fputc('\n', stdout);
	}
	wishes_print(&out, would, wishes);
}

static int plan_print(const struct ask *ask, const struct study *is,
		      const struct study *would, const struct wishes *wishes)
{
	struct changes changes = { NULL, 0, 0 };
	json_t *document;
	int status = cmd_status(would);

	plan_compare(is, would, &changes);
	if (ask->json) {
		document = json_study(ask, would, JSON_ALL);
		json_object_set_new(document, "options_now",
				    json_text(is->options_text));
		json_object_set_new(document, "changes",
				    plan_changes_json(would, &changes));
		json_object_set_new(document, "requests",
				    wishes_json(would, wishes));
		status |= json_print(document, stdout);
	} else {
		plan_text(ask, is, would, &changes, wishes);
	}
	free(changes.list);
	return wishes_refused(wishes) ? status | ASK_FINDINGS : status;
}

int cmd_plan(const struct ask *ask)
{
	struct machine_error error;
	struct machine machine;
	struct study is, would;
	struct wishes wishes;
	int status = ASK_FINDINGS;

	if (study_of(ask, NULL, &machine, &is))
		return ASK_FINDINGS;
	if (study_make(&would, &machine, ask, ask->options, &error)) {
		fprintf(stderr, "uiommu: %s\n", error.text);
	} else {
		status = wishes_of(&would, ask, &wishes);
		if (!status) {
			status = plan_print(ask, &is, &would, &wishes);
			wishes_fini(&wishes);
		}
		study_fini(&would);
	}
	study_fini(&is);
	machine_fini(&machine);
	return status;
}
