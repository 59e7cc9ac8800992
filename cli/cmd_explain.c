// SPDX-License-Identifier: MIT
/* uiommu explain: every reason, what blocks a user, what would change it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "wish.h"
#include "words.h"

/* What a word of the command line meant. */
struct subject {
	uint32_t device; /* or UIOMMU_PLAN_NONE: the whole group */
	uint32_t group;	 /* or UIOMMU_PLAN_NONE: in none */
};

static bool explain_find(const struct study *study, const char *word,
			 struct subject *subject)
{
	subject->device = study_find_device(study, word);
	if (subject->device != UIOMMU_PLAN_NONE) {
		subject->group = study->plan.devices[subject->device].group;
		return true;
	}
	if (!strncmp(word, "group", 5))
		word += 5 + (word[5] == ' ');
	subject->group = study_find_group(study, word);
	return subject->group != UIOMMU_PLAN_NONE;
}

static void explain_device(struct out *out, const struct study *study,
			   uint32_t device)
{
	const struct uiommu_reason *reasons;
	uint32_t count = uiommu_plan_reasons(&study->plan, device, &reasons);
	char name[300], model[200] = "", first[40], text[512];

	study_device_name(study, device, name, sizeof(name));
	words_model(study, device, model, sizeof(model));
	out_say(out, OUT_HEAD, "%s", name);
	out_say(out, OUT_PLAIN, "  %s\n", model);
	for (uint32_t i = 0; i < count; i++) {
		uiommu_reason_text(&study->plan, &study->machine->topology,
				   &reasons[i], text, sizeof(text));
		snprintf(first, sizeof(first), "  %-20s ",
			 uiommu_rule_name(reasons[i].rule));
		out_wrap(out, words_style(reasons[i].rule), first, "%s", text);
	}
}

static void explain_group_head(struct out *out, const struct study *study,
			       uint32_t group)
{
	const struct uiommu_plan_group *g = &study->plan.groups[group];

	out_say(out, OUT_HEAD, "Group %s", study->labels[group]);
	out_say(out, OUT_PLAIN, ": %u device%s, default domain %s%s\n",
		g->member_count, g->member_count == 1 ? "" : "s",
		uiommu_domain_type_name(g->type),
		g->type_required ? " (required)" : "");
}

/* May it be handed to a user-space driver or a guest, and with what? */
static void explain_user(struct out *out, const struct study *study,
			 uint32_t group)
{
	uint32_t count, others = 0;
	const uint32_t *members = study_members(study, group, &count);

	for (uint32_t i = 0; i < count; i++)
		others += members[i] < study->machine->topology.count &&
			  study->machine->topology.functions[members[i]]
					  .header_type == 0;
	if (!others)
		out_wrap(out, OUT_DIM, "For a user: ",
			 "nothing here to hand out: no PCI device, bridges "
			 "aside");
	else if (study_is_kept(study, group))
		out_wrap(out, OUT_BAD, "For a user: ",
			 "no; firmware keeps memory that one of its devices "
			 "must reach at all times (REGION_NOT_USER above)");
	else if (others > 1)
		out_wrap(out, OUT_WARN, "For a user: ",
			 "yes, but all %u devices together: each has to be "
			 "given away or left without a driver",
			 others);
	else
		out_wrap(out, OUT_GOOD, "For a user: ", "yes");
}

static void explain_advice(struct out *out, const struct study *study,
			   uint32_t group)
{
	struct advices advices;

	advise(study, group, &advices);
	out_say(out, OUT_HEAD, "What would change it\n");
	for (uint32_t i = 0; i < advices.count; i++)
		out_wrap(out, OUT_PLAIN, "  - ", "%s", advices.list[i].text);
	advices_fini(&advices);
}

/* What a running machine would do: what was asked, else what people ask. */
static int explain_wishes(const struct study *study, const struct ask *ask,
			  const struct subject *subject, struct wishes *wishes)
{
	memset(wishes, 0, sizeof(*wishes));
	if (ask->wish_count)
		return wishes_of(study, ask, wishes);
	if (subject->group == UIOMMU_PLAN_NONE)
		return 0;
	return wishes_usual(study, subject->device, subject->group, wishes);
}

static void explain_would(struct out *out, const struct ask *ask,
			  const struct study *study,
			  const struct wishes *wishes)
{
	if (!wishes->count)
		return;
	fputc('\n', out->to);
	out_say(out, OUT_HEAD,
		ask->wish_count ? "What was asked, one after the other\n"
				: "What each of these would do while it "
				  "runs\n");
	if (ask->wish_count)
		wishes_print(out, study, wishes);
	else
		wishes_table(out, wishes);
}

static int explain_text(const struct ask *ask, const struct study *study,
			const struct subject *subject,
			const struct wishes *wishes)
{
	struct out out;
	uint32_t count;

	out_init(&out, stdout, ask->colour);
	cmd_head(&out, study);
	if (subject->group == UIOMMU_PLAN_NONE) {
		explain_device(&out, study, subject->device);
		fputc('\n', stdout);
		out_wrap(&out, OUT_BAD,
			 "For a user: ", "no; nothing confines its DMA");
		out_say(&out, OUT_HEAD, "What would change it\n");
		out_wrap(&out, OUT_PLAIN, "  - ", "%s",
			 advise_unconfined(study, subject->device));
	} else {
		const uint32_t *members = study_members(study, subject->group,
							&count);

		explain_group_head(&out, study, subject->group);
		if (subject->device != UIOMMU_PLAN_NONE)
			explain_device(&out, study, subject->device);
		for (uint32_t i = 0; i < count; i++)
			if (members[i] != subject->device)
				explain_device(&out, study, members[i]);
		fputc('\n', stdout);
		explain_user(&out, study, subject->group);
		explain_advice(&out, study, subject->group);
	}
	explain_would(&out, ask, study, wishes);
	fputc('\n', stdout);
	return cmd_tail(&out, study);
}

static int explain_json(const struct ask *ask, const struct study *study,
			const struct subject *subject,
			const struct wishes *wishes)
{
	json_t *document = json_study(ask, study, 0);
	json_t *groups = json_array(), *devices = json_array();
	uint32_t count;

	if (subject->group == UIOMMU_PLAN_NONE) {
		json_array_append_new(
			devices, json_device(study, subject->device, true));
	} else {
		const uint32_t *members = study_members(study, subject->group,
							&count);

		json_array_append_new(groups,
				      json_group(study, subject->group));
		for (uint32_t i = 0; i < count; i++)
			json_array_append_new(
				devices, json_device(study, members[i], true));
		json_object_set_new(document, "advice",
				    json_advice(study, subject->group));
	}
	json_object_set_new(document, "groups", groups);
	json_object_set_new(document, "devices", devices);
	json_object_set_new(document, "requests", wishes_json(study, wishes));
	return json_print(document, stdout) | cmd_status(study);
}

static int explain_print(const struct ask *ask, const struct study *study,
			 const struct subject *subject)
{
	struct wishes wishes;
	int status = explain_wishes(study, ask, subject, &wishes);

	if (status)
		return status;
	status = ask->json ? explain_json(ask, study, subject, &wishes)
			   : explain_text(ask, study, subject, &wishes);
	wishes_fini(&wishes);
	return status;
}

int cmd_explain(const struct ask *ask)
{
	struct subject subject;
	struct machine machine;
	struct study study;
	int status = ASK_USAGE;

	if (study_of(ask, ask->options, &machine, &study))
		return ASK_FINDINGS;
	if (!explain_find(&study, ask->words[0], &subject))
		fprintf(stderr,
			"uiommu: %s has no device and no group '%s'; uiommu "
			"groups lists them\n",
			machine.source, ask->words[0]);
	else
		status = explain_print(ask, &study, &subject);
	study_fini(&study);
	machine_fini(&machine);
	return status;
}
