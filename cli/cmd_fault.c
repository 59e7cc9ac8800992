// SPDX-License-Identifier: MIT
/* uiommu fault: what lines of the kernel's log about DMAR faults mean. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "fault_log.h"
#include "json.h"
#include "text.h"
#include "words.h"

#define FAULT_STORIES_MOST 16u /* told at length; all are in the table */

static const char *fault_verb(enum fault_access access)
{
	static const char *const verbs[] = {
		[FAULT_READ] = "read",
		[FAULT_WRITE] = "write",
		[FAULT_INTERRUPT] = "interrupt",
		[FAULT_UNKNOWN] = "unknown",
	};

	return verbs[access];
}

/* The requester as the line has it: with a segment only if that has one. */
static void fault_requester(const struct fault *fault, char *text, size_t size)
{
	char segment[16] = "";

	if (fault->has_domain)
		snprintf(segment, sizeof(segment), "%04x:", fault->domain);
	snprintf(text, size, "%s%02x:%02x.%x", segment, fault->rid >> 8,
		 fault->rid >> 3 & 31, fault->rid & 7);
}

static void fault_target(const struct fault *fault, char *text, size_t size)
{
	snprintf(text, size, "%s0x%llx",
		 fault->access == FAULT_INTERRUPT ? "number " : "",
		 (unsigned long long)fault->address);
}

static void fault_reason_words(const struct fault *fault, char *text,
			       size_t size)
{
	const struct fault_reason *reason = fault_reason(fault->reason);

	if (fault->reason == FAULT_NO_REASON)
		snprintf(text, size, "not told");
	else
		snprintf(text, size, "0x%02x: %s", fault->reason,
			 reason ? reason->text
				: "a code that the specification does not "
				  "name");
}

static void fault_print_askers(struct out *out, const struct study *study,
			       const struct fault_story *story)
{
	uint32_t count = story->asker_count;
	char name[300], model[200];

	if (count > FAULT_ASKERS_MOST)
		count = FAULT_ASKERS_MOST;
	for (uint32_t i = 0; i < count; i++) {
		study_device_name(study, story->askers[i], name, sizeof(name));
		words_model(study, story->askers[i], model, sizeof(model));
		out_wrap(out, OUT_PLAIN, i ? "            " : "  device    ",
			 "%s  %s%s", name, model,
			 story->askers[i] == story->device
				 ? ""
				 : " (asks under this id, too)");
	}
	if (story->asker_count > count)
		out_say(out, OUT_PLAIN, "            and %u more\n",
			story->asker_count - count);
	if (story->segments)
		out_wrap(out, OUT_WARN, "            ",
			 "other segments have such a requester, too, and the "
			 "line does not tell the segment");
	if (*story->chip)
		out_wrap(out, OUT_PLAIN, "  device    ", "%s", story->chip);
	if (count || *story->chip)
		return;
	out_say(out, OUT_BAD, "  device    %s\n",
		study->machine->topology.count
			? "no device of the machine asks under this id"
			: "the machine's devices are not known");
	if (story->like == UIOMMU_PLAN_NONE)
		return;
	study_device_name(study, story->like, name, sizeof(name));
	words_model(study, story->like, model, sizeof(model));
	out_wrap(out, OUT_PLAIN, "            ", "nearest: %s  %s", name,
		 model);
}

/* The group of Linux, where the table that ours comes from is not known. */
static const struct machine_group *
fault_linux_group(const struct study *study, const struct fault_story *story)
{
	if (story->group != UIOMMU_PLAN_NONE ||
	    story->device == UIOMMU_PLAN_NONE)
		return NULL;
	return study->linux_groups[story->device];
}

static void fault_print_linux(struct out *out, const struct machine_group *g)
{
	char text[400];
	size_t used = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < g->member_count && used < 300; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s", i ? ", " : "",
					 g->members[i].name);
	out_wrap(out, OUT_PLAIN, "  group     ", "%u of Linux, %s: %s",
		 g->number, *g->type ? g->type : "type not known", text);
}

static void fault_print_group(struct out *out, const struct study *study,
			      const struct fault_story *story)
{
	const uint32_t *members;
	char text[600], name[300];
	uint32_t count, shown;
	size_t used = 0;

	if (fault_linux_group(study, story)) {
		fault_print_linux(out, fault_linux_group(study, story));
		return;
	}
	if (story->group == UIOMMU_PLAN_NONE) {
		if (story->asker_count && study->table)
			out_say(out, OUT_BAD,
				"  group     none: no unit confines it\n");
		return;
	}
	members = study_members(study, story->group, &count);
	text[0] = 0;
	for (shown = 0; shown < count && used < 400; shown++) {
		study_device_name(study, members[shown], name, sizeof(name));
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%.100s", shown ? ", " : "", name);
	}
	out_wrap(out, OUT_PLAIN, "  group     ", "%s, default domain %s: %s%s",
		 study->labels[story->group],
		 uiommu_domain_type_name(study->plan.groups[story->group].type),
		 text, shown < count ? ", and more" : "");
}

static void fault_print_story(struct out *out, const struct study *study,
			      const struct fault_entry *entry)
{
	const struct fault *fault = &entry->fault;
	struct fault_story story;
	char name[40], target[40], text[240];

	fault_tell(&story, study, fault);
	fault_requester(fault, name, sizeof(name));
	out_say(out, OUT_HEAD, "%s", name);
	out_say(out, OUT_PLAIN, "  %u fault%s\n", entry->count,
		entry->count == 1 ? "" : "s of this page and reason");
	if (study) {
		fault_print_askers(out, study, &story);
		fault_print_group(out, study, &story);
	}
	out_say(out, OUT_PLAIN, "  tried     %s",
		story.reason && story.reason->tried
			? story.reason->tried
			: fault_verb(fault->access));
	if (fault->pasid != FAULT_NO_PASID)
		out_say(out, OUT_PLAIN, ", in PASID 0x%x", fault->pasid);
	fault_target(fault, target, sizeof(target));
	out_say(out, OUT_PLAIN, "\n");
	out_say(out, OUT_PLAIN, "  %s %s\n",
		fault->access == FAULT_INTERRUPT ? "interrupt" : "address  ",
		target);
	for (uint32_t i = 0; i < story.place_count; i++)
		out_wrap(out, OUT_PLAIN, "            ", "%s", story.places[i]);
	fault_reason_words(fault, text, sizeof(text));
	out_wrap(out, OUT_WARN, "  reason    ", "%s", text);
	out_wrap(out, OUT_PLAIN, "  cause     ", "%s", story.cause->text);
	out_wrap(out, OUT_GOOD, "  to do     ", "%s", story.cause->advice);
}

static void fault_print_table(struct out *out, const struct fault_log *log)
{
	static const char *const heads[] = { "COUNT", "REQUESTER", "TRIED",
					     "ADDRESS", "REASON" };
	struct out_table table;
	char text[240];

	out_table_init(&table, 5, heads);
	for (uint32_t i = 0; i < log->count; i++) {
		const struct fault *fault = &log->entries[i].fault;

		out_cell(&table, OUT_HEAD, "%u", log->entries[i].count);
		fault_requester(fault, text, sizeof(text));
		out_cell(&table, OUT_PLAIN, "%s", text);
		out_cell(&table, OUT_PLAIN, "%s", fault_verb(fault->access));
		fault_target(fault, text, sizeof(text));
		out_cell(&table, OUT_PLAIN, "%s", text);
		fault_reason_words(fault, text, sizeof(text));
		out_cell(&table, OUT_WARN, "%s", text);
	}
	out_table_print(out, &table);
	out_say(out, OUT_PLAIN, "\n");
}

/* Has this requester been told of with this reason? */
static bool fault_is_told(const struct fault_log *log, const uint32_t *told,
			  uint32_t count, const struct fault *fault)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct fault *other = &log->entries[told[i]].fault;

		if (other->rid == fault->rid &&
		    other->domain == fault->domain &&
		    other->has_domain == fault->has_domain &&
		    other->reason == fault->reason)
			return true;
	}
	return false;
}

static void fault_print(const struct ask *ask, const struct study *study,
			const struct fault_log *log)
{
	uint32_t told[FAULT_STORIES_MOST], count = 0;
	struct out out;

	out_init(&out, stdout, ask->colour);
	if (!study)
		out_wrap(&out, OUT_DIM, "note: ",
			 "the machine is not known, so only the lines "
			 "themselves are explained");
	if (log->lines > 1)
		out_say(&out, OUT_PLAIN,
			"%u fault%s in %u lines, %u of them different; %u "
			"line%s about something else\n",
			log->faults, log->faults == 1 ? "" : "s", log->lines,
			log->count, log->others, log->others == 1 ? "" : "s");
	if (log->suppressed)
		out_say(&out, OUT_WARN,
			"The kernel left out %llu more messages.\n",
			(unsigned long long)log->suppressed);
	if (!study || log->lines > 1 || log->suppressed)
		out_say(&out, OUT_PLAIN, "\n");
	if (log->count > 1)
		fault_print_table(&out, log);
	for (uint32_t i = 0; i < log->count && count < FAULT_STORIES_MOST;
	     i++) {
		if (fault_is_told(log, told, count, &log->entries[i].fault))
			continue;
		if (count)
			out_say(&out, OUT_PLAIN, "\n");
		fault_print_story(&out, study, &log->entries[i]);
		told[count++] = i;
	}
}

static json_t *fault_device_json(const struct study *study, uint32_t device)
{
	char name[300];

	if (device == UIOMMU_PLAN_NONE)
		return json_null();
	study_device_name(study, device, name, sizeof(name));
	return json_text(name);
}

static json_t *fault_reason_json(const struct fault *fault)
{
	const struct fault_reason *reason = fault_reason(fault->reason);

	if (fault->reason == FAULT_NO_REASON)
		return json_null();
	return json_pack("{si ss? sb}", "code", (int)fault->reason, "text",
			 reason ? reason->text : NULL, "known", reason != NULL);
}

static void fault_json_machine(json_t *one, const struct study *study,
			       const struct fault_story *story)
{
	const struct machine_group *now = NULL;
	json_t *askers = json_array();

	if (story->device != UIOMMU_PLAN_NONE)
		now = study->linux_groups[story->device];
	for (uint32_t i = 0; i < story->asker_count && i < FAULT_ASKERS_MOST;
	     i++)
		json_array_append_new(
			askers, fault_device_json(study, story->askers[i]));
	json_object_set_new(one, "device",
			    fault_device_json(study, story->device));
	json_object_set_new(one, "asked_by", askers);
	json_object_set_new(one, "chip",
			    *story->chip ? json_text(story->chip)
					 : json_null());
	json_object_set_new(one, "nearest",
			    fault_device_json(study, story->like));
	json_object_set_new(one, "several_segments",
			    json_boolean(story->segments));
	json_object_set_new(one, "group",
			    story->group == UIOMMU_PLAN_NONE
				    ? json_null()
				    : json_group(study, story->group));
	json_object_set_new(one, "linux_group",
			    now ? json_integer((json_int_t)now->number)
				: json_null());
}

static json_t *fault_json(const struct study *study,
			  const struct fault_entry *entry)
{
	const struct fault *fault = &entry->fault;
	bool interrupt = fault->access == FAULT_INTERRUPT;
	json_t *places = json_array(), *one;
	struct fault_story story;
	char name[40];

	fault_tell(&story, study, fault);
	fault_requester(fault, name, sizeof(name));
	for (uint32_t i = 0; i < story.place_count; i++)
		json_array_append_new(places, json_text(story.places[i]));
	one = json_pack(
		"{si ss ss ss? so so so so s{ss ss ss}}", "count",
		(int)entry->count, "requester", name, "access",
		fault_verb(fault->access), "tried",
		story.reason ? story.reason->tried : NULL, "pasid",
		fault->pasid == FAULT_NO_PASID
			? json_null()
			: json_integer((json_int_t)fault->pasid),
		interrupt ? "index" : "address",
		json_sprintf("0x%llx", (unsigned long long)fault->address),
		"places", places, "reason", fault_reason_json(fault), "cause",
		"id", story.cause->id, "text", story.cause->text, "advice",
		story.cause->advice);
	if (study)
		fault_json_machine(one, study, &story);
	return one;
}

static json_t *fault_document(const struct ask *ask, const struct study *study,
			      const struct fault_log *log)
{
	json_t *document = json_head(ask), *list = json_array();

	json_object_set_new(document, "source",
			    study && study->machine->source
				    ? json_text(study->machine->source)
				    : json_null());
	json_object_set_new(document, "lines",
			    json_pack("{si si si sI}", "all", (int)log->lines,
				      "faults", (int)log->faults, "others",
				      (int)log->others, "suppressed",
				      (json_int_t)log->suppressed));
	for (uint32_t i = 0; i < log->count; i++)
		json_array_append_new(list,
				      fault_json(study, &log->entries[i]));
	json_object_set_new(document, "faults", list);
	return document;
}

/* The words of the command line, or what "-" stands for; free() it. */
static char *fault_input(const struct ask *ask, size_t *size,
			 struct machine_error *error)
{
	char *bytes;

	if (!strcmp(ask->words[0], "-"))
		return text_load("-", size, error);
	bytes = strdup(ask->words[0]);
	if (!bytes)
		machine_fail(error, "out of memory");
	else
		*size = strlen(bytes);
	return bytes;
}

/*
 * This machine cannot have had the fault if it has no unit: the line is from
 * elsewhere, and devices of the same address are others.
 */
static bool fault_is_from(const struct study *study, bool named)
{
	const struct machine *m = study->machine;

	return study->table || m->group_count || (named && m->topology.count);
}

static int fault_show(const struct ask *ask, const struct fault_log *log)
{
	bool named = ask->from || ask->dmar || ask->lspci || ask->demo;
	const struct study *known = NULL;
	struct machine machine;
	struct study study;
	bool made = !study_of(ask, ask->options, &machine, &study);
	int status = ASK_FINE;

	if (!made && named)
		return ASK_FINDINGS;
	if (made && fault_is_from(&study, named))
		known = &study;
	if (ask->json)
		status = json_print(fault_document(ask, known, log), stdout);
	else
		fault_print(ask, known, log);
	if (made) {
		study_fini(&study);
		machine_fini(&machine);
	}
	return status;
}

static bool fault_is_stdin(const char *path)
{
	return path && !strcmp(path, "-");
}

int cmd_fault(const struct ask *ask)
{
	struct machine_error error = { "" };
	struct fault_log log = { 0 };
	int status = ASK_FINDINGS;
	size_t size;
	char *bytes;

	if (fault_is_stdin(ask->words[0]) &&
	    (fault_is_stdin(ask->from) || fault_is_stdin(ask->dmar) ||
	     fault_is_stdin(ask->lspci))) {
		fprintf(stderr, "uiommu: standard input cannot be both the log "
				"and the machine\n");
		return ASK_USAGE;
	}
	bytes = fault_input(ask, &size, &error);
	if (!bytes || fault_log_read(&log, bytes, size, &error))
		fprintf(stderr, "uiommu: %s\n", error.text);
	else if (!log.count)
		fprintf(stderr,
			"uiommu: no line tells of a DMAR fault, such as 'DMAR: "
			"[DMA Write] Request device [00:02.0] fault addr "
			"0x1000 [fault reason 0x05]'\n");
	else
		status = fault_show(ask, &log);
	fault_log_fini(&log);
	free(bytes);
	return status;
}
