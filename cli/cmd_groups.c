// SPDX-License-Identifier: MIT
/* uiommu groups: the machine at a glance. Also what all views share. */
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "words.h"

static void cmd_note_options(struct out *out, const struct study *study)
{
	for (uint32_t i = 0; i < study->finding_count; i++) {
		const struct uiommu_options_finding *f = &study->findings[i];

		out_wrap(out, OUT_DIM,
			 "note: ", "option '%.*s', byte %zu of the options: %s",
			 (int)(f->length < 60 ? f->length : 60),
			 study->options_text + f->offset, f->offset,
			 uiommu_options_problem_text(f->problem));
	}
}

static void cmd_note_table(struct out *out, const struct study *study)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	uint32_t bad = 0;

	for (uint32_t i = 0; i < dmar->finding_count; i++)
		bad += dmar->findings[i].severity != UIOMMU_NOTE;
	if (!study->machine->table && !study->machine->note_count)
		out_wrap(out, OUT_WARN, "note: ",
			 "there is no DMAR table: none was given, there is no "
			 "Intel IOMMU, or firmware has it off (look for 'VT-d' "
			 "in its set-up)");
	else if (study->machine->table && !study->table)
		out_wrap(out, OUT_BAD, "note: ",
			 "the DMAR table cannot be used; uiommu dmar says why");
	else if (bad)
		out_wrap(out, OUT_WARN, "note: ",
			 "%u findings about the DMAR table; uiommu dmar lists "
			 "them",
			 bad);
}

void cmd_head(struct out *out, const struct study *study)
{
	const struct machine *m = study->machine;
	uint32_t units = 0;

	for (uint32_t i = 0; i < m->dmar.record_count; i++)
		units += m->dmar.records[i].type == UIOMMU_DMAR_DRHD;
	out_say(out, OUT_HEAD, "%s", m->source ? m->source : "?");
	out_say(out, OUT_PLAIN,
		": %u unit%s, %u device%s in %u group%s (%s rules)\n", units,
		units == 1 ? "" : "s", study->plan.device_count,
		study->plan.device_count == 1 ? "" : "s",
		study->plan.group_count,
		study->plan.group_count == 1 ? "" : "s",
		study->input.rules == UIOMMU_RULES_LINUX ? "Linux's"
							 : "strict");
	for (uint32_t i = 0; i < m->note_count; i++)
		out_wrap(out, OUT_DIM, "note: ", "%s", m->notes[i]);
	cmd_note_options(out, study);
	cmd_note_table(out, study);
	if (study->assumed_acs && !study->plan.off)
		out_wrap(out, OUT_DIM, "note: ",
			 "access control (ACS) that ports could do is not "
			 "turned on, as where the IOMMU was off; what follows "
			 "is with it turned on as Linux does at boot");
	if (study->plan.off)
		out_wrap(out, OUT_BAD, "note: ",
			 "the options turn the IOMMU off: no device is "
			 "confined");
	fputc('\n', out->to);
}

int cmd_status(const struct study *study)
{
	const struct machine *m = study->machine;

	for (uint32_t i = 0; i < m->dmar.finding_count; i++)
		if (m->dmar.findings[i].severity != UIOMMU_NOTE)
			return ASK_FINDINGS;
	if (!study->table && study_knows_linux(study))
		return ASK_FINE; /* nothing is known of units */
	for (uint32_t i = 0; i < study->plan.reason_count; i++)
		if (words_style(study->plan.reasons[i].rule) == OUT_BAD)
			return ASK_FINDINGS;
	if (study->difference_count || (m->table && !study->table))
		return ASK_FINDINGS;
	return ASK_FINE;
}

int cmd_tail(struct out *out, const struct study *study)
{
	uint32_t groups = study->machine->group_count;

	if (!study_knows_linux(study)) {
		out_say(out, OUT_DIM,
			"What Linux made of this machine is not known.\n");
		return cmd_status(study);
	}
	if (!study_compares(study)) {
		out_say(out, OUT_DIM,
			"Too little is known to say whether Linux's groups are "
			"as its rules say.\n");
		return cmd_status(study);
	}
	if (!study->difference_count)
		out_say(out, OUT_GOOD,
			"Linux agrees: all %u of its groups are as its rules "
			"say.\n",
			groups);
	else
		out_say(out, OUT_WARN,
			"Linux does not agree in %u of its %u groups:\n",
			groups - study->agreed, groups);
	for (uint32_t i = 0; i < study->difference_count; i++) {
		const struct study_difference *d = &study->differences[i];
		char first[32] = "  ";

		if (d->group != UIOMMU_PLAN_NONE)
			snprintf(first, sizeof(first),
				 "  group %u: ", d->group);
		out_wrap(out, OUT_WARN, first, "%s", d->text);
	}
	return cmd_status(study);
}

static enum out_style cmd_type_style(enum uiommu_domain_type type)
{
	if (type == UIOMMU_DOMAIN_BLOCKED)
		return OUT_BAD;
	return type == UIOMMU_DOMAIN_IDENTITY ? OUT_WARN : OUT_GOOD;
}

static void cmd_device_cells(struct out_table *table, const struct study *study,
			     uint32_t device)
{
	const struct uiommu_plan_device *d = &study->plan.devices[device];
	char text[400];

	study_device_name(study, device, text, sizeof(text));
	out_cell(table, OUT_PLAIN, "%s", text);
	if (d->group == UIOMMU_PLAN_NONE) {
		out_cell(table, OUT_BAD, "none");
		out_cell(table, OUT_BAD, "none");
	} else {
		enum uiommu_domain_type type =
			study->plan.groups[d->group].type;

		out_cell(table, cmd_type_style(type), "%s",
			 uiommu_domain_type_name(type));
		study_unit_name(study, d->unit, text, sizeof(text));
		out_cell(table, OUT_PLAIN, "%s", text);
	}
	words_model_short(study, device, text, sizeof(text));
	out_cell(table, OUT_PLAIN, "%s", text);
	words_why(study, device, text, sizeof(text));
	out_cell(table, OUT_DIM, "%s", text);
}

/* Where nothing can be worked out: what Linux shows to everybody. */
static int cmd_linux_print(struct out *out, const struct study *study)
{
	static const char *const heads[] = { "GROUP", "DEVICE", "TYPE",
					     "NAME" };
	const struct machine *m = study->machine;
	struct out_table table;
	char name[NAMES_SIZE];

	out_table_init(&table, 4, heads);
	for (uint32_t i = 0; i < m->group_count; i++) {
		const struct machine_group *g = &m->groups[i];

		for (uint32_t k = 0; k < g->member_count; k++) {
			uint32_t at = uiommu_topology_find(&m->topology,
							   g->members[k].sid);

			if (k)
				out_cell(&table, OUT_HEAD, "%s", "");
			else
				out_cell(&table, OUT_HEAD, "%u", g->number);
			out_cell(&table, OUT_PLAIN, "%s", g->members[k].name);
			out_cell(&table, OUT_PLAIN, "%s",
				 g->type[0] ? g->type : "?");
			name[0] = 0;
			if (g->members[k].pci && at != UIOMMU_PCI_NONE)
				words_model_short(study, at, name,
						  sizeof(name));
			out_cell(&table, OUT_PLAIN, "%s", name);
		}
	}
	out_table_print(out, &table);
	out_wrap(out, OUT_DIM, "",
		 "These are Linux's own groups; why they are so takes the DMAR "
		 "table and the whole configuration space (root).");
	return ASK_FINE;
}

static int cmd_groups_print(struct out *out, const struct study *study)
{
	static const char *const heads[] = { "GROUP", "DEVICE", "TYPE",
					     "UNIT",  "NAME",	"WHY" };
	const struct uiommu_plan *plan = &study->plan;
	struct out_table table;

	if (!study->table && study_knows_linux(study))
		return cmd_linux_print(out, study);
	out_table_init(&table, 6, heads);
	for (uint32_t i = 0; i < plan->group_count; i++) {
		uint32_t count;
		const uint32_t *members = study_members(study, i, &count);

		for (uint32_t k = 0; k < count; k++) {
			out_cell(&table, OUT_HEAD, "%s",
				 k ? "" : study->labels[i]);
			cmd_device_cells(&table, study, members[k]);
		}
	}
	for (uint32_t i = 0; i < plan->device_count; i++) {
		if (plan->devices[i].group != UIOMMU_PLAN_NONE)
			continue;
		out_cell(&table, OUT_HEAD, "-");
		cmd_device_cells(&table, study, i);
	}
	out_table_print(out, &table);
	if (plan->device_count)
		out_say(out, OUT_DIM,
			"uiommu explain DEVICE gives every reason.\n");
	return ASK_FINE;
}

int cmd_groups(const struct ask *ask)
{
	return cmd_view(ask, JSON_GROUPS | JSON_DEVICES | JSON_UNITS,
			cmd_groups_print);
}

int cmd_view(const struct ask *ask, uint32_t parts, cmd_print *print)
{
	struct machine machine;
	struct study study;
	struct out out;
	int status;

	if (study_of(ask, ask->options, &machine, &study))
		return ASK_FINDINGS;
	if (ask->json) {
		status = json_print(json_study(ask, &study, parts), stdout);
		status |= cmd_status(&study);
	} else {
		out_init(&out, stdout, ask->colour);
		cmd_head(&out, &study);
		status = print(&out, &study);
		fputc('\n', stdout);
		status |= cmd_tail(&out, &study);
	}
	study_fini(&study);
	machine_fini(&machine);
	return status;
}
