// SPDX-License-Identifier: MIT
/*
 * The page without its script: what the machine is, the groups, and every
 * reason. The script draws the tree and the address space above that. Nothing
 * of the machine's comes into the page but through report_text().
 */
#include <stdarg.h>
#include <string.h>

#include "json.h"
#include "report.h"
#include "words.h"

void report_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c > 0x7e)
			fputc('?', to);
		else if (strchr("<>&\"'", c))
			fprintf(to, "&#%u;", c);
		else
			fputc(c, to);
	}
}

static void report_say(FILE *to, const char *fmt, ...) UIOMMU_PRINTF(2, 3);

static void report_say(FILE *to, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report_text(to, text);
}

/* A reference to what is said of a device. */
static void report_link(FILE *to, const struct study *study, uint32_t device)
{
	char name[300];

	study_device_name(study, device, name, sizeof(name));
	fputs("<a href=\"#device=", to);
	for (const char *at = name; *at; at++)
		if (strchr(":./-_", *at) || (*at >= '0' && *at <= '9') ||
		    (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z'))
			fputc(*at, to);
		else
			fprintf(to, "%%%02X", (unsigned char)*at);
	fputs("\">", to);
	report_text(to, name);
	fputs("</a>", to);
}

static void report_fact(FILE *to, uint32_t count, const char *one,
			const char *more)
{
	fprintf(to, "<li><b>%u</b>%s</li>\n", count, count == 1 ? one : more);
}

static void report_head(FILE *to, const struct study *study)
{
	const struct machine *m = study->machine;
	uint32_t units = 0, shared = 0;

	for (uint32_t i = 0; i < m->dmar.record_count; i++)
		units += m->dmar.records[i].type == UIOMMU_DMAR_DRHD;
	for (uint32_t i = 0; i < study->plan.group_count; i++)
		shared += study->plan.groups[i].member_count > 1;
	fputs("<header>\n<h1>", to);
	report_say(to, "IOMMU groups of %s", m->source ? m->source : "?");
	fputs("</h1>\n", to);
	if (m->kernel && *m->kernel) {
		fputs("<p class=\"soft\">Kernel ", to);
		report_say(to, "%s", m->kernel);
		fputs("</p>\n", to);
	}
	fputs("<p class=\"soft\">Options <code>", to);
	report_say(to, "%s",
		   *study->options_text ? study->options_text : "(none)");
	fputs("</code></p>\n<ul class=\"facts\">\n", to);
	report_fact(to, units, "IOMMU unit", "IOMMU units");
	report_fact(to, study->plan.device_count, "device", "devices");
	report_fact(to, study->plan.group_count, "group", "groups");
	report_fact(to, shared, "of them shared", "of them shared");
	fprintf(to, "<li>%s rules</li>\n",
		study->input.rules == UIOMMU_RULES_LINUX ? "Linux's"
							 : "strict");
	fputs("</ul>\n</header>\n", to);
}

static void report_table_findings(FILE *to, const struct study *study)
{
	static const char *const words[] = { [UIOMMU_NOTE] = "note",
					     [UIOMMU_WARNING] = "warning",
					     [UIOMMU_ERROR] = "error" };
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	char text[200];

	if (!dmar->finding_count)
		return;
	fputs("<section class=\"alert\" id=\"findings\">\n"
	      "<h2>What is wrong with the DMAR table</h2>\n<ul "
	      "class=\"long\">\n",
	      to);
	for (uint32_t i = 0; i < dmar->finding_count; i++) {
		const struct uiommu_dmar_finding *f = &dmar->findings[i];

		uiommu_dmar_finding_text(f, text, sizeof(text));
		fputs("<li>", to);
		report_say(to, "%s, offset 0x%x: %s", words[f->severity],
			   f->offset, text);
		fputs("</li>\n", to);
	}
	fputs("</ul>\n</section>\n", to);
}

static void report_item(FILE *to, const char *text)
{
	fputs("<li>", to);
	report_text(to, text);
	fputs("</li>\n", to);
}

static void report_notes(FILE *to, const struct study *study)
{
	const struct machine *m = study->machine;

	if (!m->note_count && !study->finding_count && study->table &&
	    !study->assumed_acs && !study->plan.off)
		return;
	fputs("<section class=\"note\">\n<h2>To be known</h2>\n<ul>\n", to);
	if (!m->table)
		report_item(to, "There is no DMAR table: no Intel IOMMU, or "
				"firmware has it off.");
	else if (!study->table)
		report_item(to, "The DMAR table cannot be used.");
	if (study->plan.off)
		report_item(to, "The options turn the IOMMU off: no device is "
				"confined.");
	if (study->assumed_acs)
		report_item(to, "Access control (ACS) is off in every port, so "
				"the IOMMU was off; this is with it turned on, "
				"as Linux does at boot.");
	for (uint32_t i = 0; i < m->note_count; i++)
		report_item(to, m->notes[i]);
	for (uint32_t i = 0; i < study->finding_count; i++) {
		const struct uiommu_options_finding *f = &study->findings[i];

		fputs("<li>", to);
		report_say(to, "option '%.*s': %s",
			   (int)(f->length < 60 ? f->length : 60),
			   study->options_text + f->offset,
			   uiommu_options_problem_text(f->problem));
		fputs("</li>\n", to);
	}
	fputs("</ul>\n</section>\n", to);
}

static void report_linux(FILE *to, const struct study *study)
{
	uint32_t groups = study->machine->group_count;

	fprintf(to, "<section id=\"linux\"%s>\n<h2>Does Linux agree?</h2>\n",
		study->difference_count ? " class=\"note\"" : "");
	if (!study_knows_linux(study)) {
		fputs("<p>What Linux made of this machine is not known.</p>\n",
		      to);
	} else if (!study->difference_count) {
		fprintf(to,
			"<p class=\"good\">Yes: all %u of its groups are as "
			"its rules say.</p>\n",
			groups);
	} else {
		fprintf(to,
			"<p class=\"warn\">Not in %u of its %u groups:</p>\n"
			"<ul class=\"long\">\n",
			groups - study->agreed, groups);
		for (uint32_t i = 0; i < study->difference_count; i++) {
			const struct study_difference *d =
				&study->differences[i];

			fputs("<li>", to);
			if (d->group != UIOMMU_PLAN_NONE)
				fprintf(to, "group %u: ", d->group);
			report_say(to, "%s", d->text);
			fputs("</li>\n", to);
		}
		fputs("</ul>\n", to);
	}
	fputs("</section>\n", to);
}

static void report_row(FILE *to, const struct study *study, uint32_t device)
{
	const struct uiommu_plan_device *d = &study->plan.devices[device];
	char text[400] = "none";

	if (d->unit != UIOMMU_PLAN_NONE)
		study_unit_name(study, d->unit, text, sizeof(text));
	fputs("<td>", to);
	report_say(to, "%s", text);
	fputs("</td><td class=\"address\">", to);
	report_link(to, study, device);
	fputs("</td><td class=\"name\">", to);
	words_model_short(study, device, text, sizeof(text));
	report_say(to, "%s", text);
	fputs("</td><td class=\"why\">", to);
	words_why(study, device, text, sizeof(text));
	report_say(to, "%s", text);
	fputs("</td></tr>\n", to);
}

static void report_group(FILE *to, const struct study *study, uint32_t group)
{
	const struct uiommu_plan_group *g = &study->plan.groups[group];
	uint32_t count;
	const uint32_t *members = study_members(study, group, &count);

	fprintf(to, "<tbody data-group=\"%u\">\n", group);
	for (uint32_t i = 0; i < count; i++) {
		fputs("<tr><td class=\"group\">", to);
		if (!i) {
			fputs("<span class=\"tag\">", to);
			report_text(to, study->labels[group]);
			fputs("</span>", to);
		}
		fputs("</td><td>", to);
		if (!i)
			fprintf(to, "%s%s", uiommu_domain_type_name(g->type),
				g->type_required ? " (required)" : "");
		fputs("</td><td>", to);
		if (!i && study_is_kept(study, group))
			fputs("<span class=\"bad\">no</span>", to);
		else if (!i)
			fputs("<span class=\"good\">yes</span>", to);
		fputs("</td>", to);
		report_row(to, study, members[i]);
	}
	fputs("</tbody>\n", to);
}

static void report_groups(FILE *to, const struct study *study)
{
	const struct uiommu_plan *plan = &study->plan;

	fputs("<section id=\"groups\">\n<h2>Groups</h2>\n"
	      "<p class=\"soft\">Devices of one group cannot be kept apart: "
	      "they are handed to a user together or not at all.</p>\n"
	      "<div class=\"scroll\">\n<table>\n<thead><tr><th>Group</th>"
	      "<th>Default domain</th><th>For a user</th><th>Unit</th>"
	      "<th>Device</th><th>Name</th><th>Why</th></tr></thead>\n",
	      to);
	for (uint32_t i = 0; i < plan->group_count; i++)
		report_group(to, study, i);
	fputs("<tbody>\n", to);
	for (uint32_t i = 0; i < plan->device_count; i++) {
		if (plan->devices[i].group != UIOMMU_PLAN_NONE)
			continue;
		fputs("<tr><td>none</td><td></td><td>"
		      "<span class=\"bad\">no</span></td>",
		      to);
		report_row(to, study, i);
	}
	fputs("</tbody>\n</table>\n</div>\n</section>\n", to);
}

static void report_reasons(FILE *to, const struct study *study, uint32_t device)
{
	const struct uiommu_reason *reasons;
	uint32_t count = uiommu_plan_reasons(&study->plan, device, &reasons);
	char text[512];

	study_device_name(study, device, text, sizeof(text));
	fputs("<article class=\"reasons\" id=\"device=", to);
	report_text(to, text);
	fputs("\">\n<h3><span class=\"address\">", to);
	report_text(to, text);
	fputs("</span> ", to);
	words_model(study, device, text, sizeof(text));
	report_text(to, text);
	fputs("</h3>\n<dl>\n", to);
	for (uint32_t i = 0; i < count; i++) {
		uiommu_reason_text(&study->plan, &study->machine->topology,
				   &reasons[i], text, sizeof(text));
		fprintf(to, "<dt>%s</dt><dd>",
			uiommu_rule_name(reasons[i].rule));
		report_text(to, text);
		fputs("</dd>\n", to);
	}
	fputs("</dl>\n</article>\n", to);
}

static void report_advice(FILE *to, const struct study *study)
{
	fputs("<section class=\"listing\">\n"
	      "<h2>What would change it</h2>\n",
	      to);
	for (uint32_t i = 0; i < study->plan.group_count; i++) {
		struct advices advices;

		if (study->plan.groups[i].member_count < 2 &&
		    !study_is_kept(study, i))
			continue;
		advise(study, i, &advices);
		fputs("<article>\n<h3>Group ", to);
		report_text(to, study->labels[i]);
		fputs("</h3>\n<ul>\n", to);
		for (uint32_t k = 0; k < advices.count; k++)
			report_item(to, advices.list[k].text);
		fputs("</ul>\n</article>\n", to);
		advices_fini(&advices);
	}
	fputs("</section>\n", to);
}

void report_body(FILE *to, const struct study *study)
{
	report_head(to, study);
	fputs("<main>\n", to);
	report_table_findings(to, study);
	report_notes(to, study);
	report_linux(to, study);
	report_groups(to, study);
	fputs("<section class=\"listing\">\n<h2>Every reason</h2>\n", to);
	for (uint32_t i = 0; i < study->plan.device_count; i++)
		report_reasons(to, study, i);
	fputs("</section>\n", to);
	report_advice(to, study);
	fputs("</main>\n<aside hidden></aside>\n", to);
	fputs("<noscript><p>Without scripts there is no picture; all that it "
	      "shows is in the lists above.</p></noscript>",
	      to);
}
