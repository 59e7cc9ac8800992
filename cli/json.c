// SPDX-License-Identifier: MIT
/*
 * A study as JSON. Addresses are strings in hexadecimal, as JSON's numbers
 * end at 2^53. Without memory members are missing, and json_print() says so:
 * jansson's functions take NULL for a value that could not be made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/version.h>

#include "json.h"
#include "words.h"

json_t *json_text(const char *text)
{
	char copy[512];
	size_t i;

	for (i = 0; text[i] && i + 1 < sizeof(copy); i++)
		copy[i] = (unsigned char)text[i] < 0x20 ||
					  (unsigned char)text[i] > 0x7e
				  ? '?'
				  : text[i];
	copy[i] = 0;
	return json_string(copy);
}

static json_t *json_hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

json_t *json_range(struct uiommu_range range)
{
	return json_pack("{so so}", "first", json_hex(range.first), "last",
			 json_hex(range.last));
}

json_t *json_head(const struct ask *ask)
{
	return json_pack("{ss ss si ss}", "program", "uiommu", "version",
			 UIOMMU_VERSION_STRING, "schema", JSON_SCHEMA,
			 "command", ask->command->name);
}

static json_t *json_index(uint32_t index)
{
	return index == UIOMMU_PLAN_NONE ? json_null()
					 : json_integer((json_int_t)index);
}

static json_t *json_sid(const struct study *study, uint32_t device)
{
	char name[300];

	study_device_name(study, device, name, sizeof(name));
	return json_text(name);
}

static json_t *json_unit_name(const struct study *study, uint32_t record)
{
	char name[32];

	if (record == UIOMMU_PLAN_NONE)
		return json_null();
	study_unit_name(study, record, name, sizeof(name));
	return json_text(name);
}

static json_t *json_record(const struct study *study, uint32_t record)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;

	if (record >= dmar->record_count)
		return json_null();
	return json_pack("{si si}", "record", (int)record, "offset",
			 (int)dmar->records[record].offset);
}

static json_t *json_regions(const struct study *study,
			    const struct uiommu_region *regions, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		json_t *one = json_range(regions[i].range);

		json_object_set_new(
			one, "type",
			json_text(uiommu_region_type_name(regions[i].type)));
		json_object_set_new(one, "dmar",
				    json_record(study, regions[i].record));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *json_acs(uint32_t bits)
{
	char words[32];
	json_t *list = json_array();
	char *word, *rest = words;

	words_acs(bits, words, sizeof(words));
	while ((word = strsep(&rest, " ")))
		if (strcmp(word, "ACS"))
			json_array_append_new(list, json_string(word));
	return list;
}

/* Which of a reason's numbers are devices, and which are access control? */
static bool json_other_is_device(enum uiommu_rule rule)
{
	return (rule >= UIOMMU_RULE_GROUP_ALONE &&
		rule <= UIOMMU_RULE_GROUP_APART) ||
	       (rule >= UIOMMU_RULE_TYPE_OPTION &&
		rule <= UIOMMU_RULE_TYPE_BARRED_APART) ||
	       rule == UIOMMU_RULE_TYPE_REFUSED ||
	       rule == UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS ||
	       rule == UIOMMU_RULE_REGION_NOT_USER;
}

static bool json_other_is_record(enum uiommu_rule rule)
{
	return rule <= UIOMMU_RULE_UNIT_HELD ||
	       rule == UIOMMU_RULE_TYPE_NO_IDENTITY ||
	       rule == UIOMMU_RULE_TYPE_NOT_LAZY ||
	       (rule >= UIOMMU_RULE_REGION_RMRR &&
		rule <= UIOMMU_RULE_REGION_IN_MSI);
}

static json_t *json_reason(const struct study *study,
			   const struct uiommu_reason *reason)
{
	char text[512];
	json_t *one;

	uiommu_reason_text(&study->plan, &study->machine->topology, reason,
			   text, sizeof(text));
	one = json_pack("{ss so}", "rule", uiommu_rule_name(reason->rule),
			"text", json_text(text));
	if (reason->other == UIOMMU_PLAN_NONE)
		return one;
	if (json_other_is_device(reason->rule))
		json_object_set_new(one, "other",
				    json_sid(study, reason->other));
	if (json_other_is_record(reason->rule))
		json_object_set_new(one, "dmar",
				    json_record(study, reason->other));
	if (reason->rule != UIOMMU_RULE_GROUP_NO_ACS &&
	    reason->rule != UIOMMU_RULE_GROUP_REACH &&
	    reason->rule != UIOMMU_RULE_GROUP_MULTIFUNCTION)
		return one;
	json_object_set_new(one, "missing", json_acs(reason->detail));
	json_object_set_new(
		one, "acs_capability",
		json_boolean(!(reason->detail & UIOMMU_ACS_NO_CAPABILITY)));
	return one;
}

static json_t *json_aliases(const struct study *study, uint32_t device)
{
	const struct uiommu_plan_device *d = &study->plan.devices[device];
	json_t *list = json_array();

	for (uint32_t i = 0; i < d->alias_count; i++) {
		struct uiommu_sid sid = study->plan.aliases[d->alias_first + i];

		json_array_append_new(list, json_sprintf("%04x:%02x:%02x.%u",
							 sid.segment,
							 UIOMMU_SID_BUS(sid),
							 UIOMMU_SID_DEV(sid),
							 UIOMMU_SID_FN(sid)));
	}
	return list;
}

static void json_add_function(json_t *one, const struct study *study,
			      uint32_t device)
{
	const struct uiommu_pci_function *f =
		&study->machine->topology.functions[device];
	const struct machine_group *now = study->linux_groups[device];
	const struct machine_function *known = machine_find(study->machine,
							    f->sid);
	char name[160], type[80];

	names_device(study->names, f->vendor, f->device, name, sizeof(name));
	names_class(study->names, f->class_code, type, sizeof(type));
	json_object_set_new(one, "name", json_text(name));
	json_object_set_new(one, "class_name", json_text(type));
	json_object_set_new(one, "vendor", json_sprintf("%04x", f->vendor));
	json_object_set_new(one, "device_id", json_sprintf("%04x", f->device));
	json_object_set_new(one, "class", json_sprintf("%06x", f->class_code));
	json_object_set_new(one, "linux_group",
			    now ? json_integer((json_int_t)now->number)
				: json_null());
	if (known && known->driver[0])
		json_object_set_new(one, "driver", json_text(known->driver));
	if (f->parent != UIOMMU_PCI_NONE)
		json_object_set_new(one, "parent", json_sid(study, f->parent));
	if (f->header_type == 1)
		json_object_set_new(one, "bus", json_integer(f->secondary_bus));
}

json_t *json_device(const struct study *study, uint32_t device, bool reasons)
{
	const struct uiommu_plan_device *d = &study->plan.devices[device];
	const struct uiommu_reason *first;
	uint32_t count = uiommu_plan_reasons(&study->plan, device, &first);
	json_t *one = json_object(), *list;
	char why[400];

	words_why(study, device, why, sizeof(why));
	json_object_set_new(one, "device", json_sid(study, device));
	if (device < study->machine->topology.count)
		json_add_function(one, study, device);
	json_object_set_new(one, "unit", json_unit_name(study, d->unit));
	json_object_set_new(one, "group", json_index(d->group));
	json_object_set_new(one, "why", json_text(why));
	if (d->required != UIOMMU_DOMAIN_NONE)
		json_object_set_new(
			one, "requires",
			json_text(uiommu_domain_type_name(d->required)));
	if (!reasons)
		return one;
	json_object_set_new(one, "aliases", json_aliases(study, device));
	json_object_set_new(one, "regions",
			    json_regions(study,
					 &study->plan.regions[d->region_first],
					 d->region_count));
	list = json_array();
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_reason(study, &first[i]));
	json_object_set_new(one, "reasons", list);
	return one;
}

/* Linux's numbers of the members, each once. */
static json_t *json_numbers(const struct study *study, uint32_t group)
{
	uint32_t count;
	const uint32_t *members = study_members(study, group, &count);
	const struct machine_group *now, *before = NULL;
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		now = members[i] < study->machine->topology.count
			      ? study->linux_groups[members[i]]
			      : NULL;
		if (!now || now == before)
			continue;
		before = now;
		for (uint32_t k = 0; now && k < i; k++)
			if (members[k] < study->machine->topology.count &&
			    study->linux_groups[members[k]] == now)
				now = NULL;
		if (now)
			json_array_append_new(list, json_integer(now->number));
	}
	return list;
}

json_t *json_group(const struct study *study, uint32_t group)
{
	const struct uiommu_plan_group *g = &study->plan.groups[group];
	uint32_t count;
	const uint32_t *members = study_members(study, group, &count);
	json_t *list = json_array();
	json_t *one = json_pack("{si so so sb sb}", "id", (int)group, "label",
				json_text(study->labels[group]), "type",
				json_text(uiommu_domain_type_name(g->type)),
				"type_required", g->type_required, "assignable",
				!study_is_kept(study, group));

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_sid(study, members[i]));
	json_object_set_new(one, "devices", list);
	json_object_set_new(one, "linux", json_numbers(study, group));
	json_object_set_new(
		one, "regions",
		json_regions(study, &study->plan.group_regions[g->region_first],
			     g->region_count));
	return one;
}

json_t *json_advice(const struct study *study, uint32_t group)
{
	json_t *list = json_array();
	struct advices advices;
	char name[300];

	advise(study, group, &advices);
	for (uint32_t i = 0; i < advices.count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "text",
				    json_text(advices.list[i].text));
		if (advices.list[i].blamed != UIOMMU_PLAN_NONE) {
			study_device_name(study, advices.list[i].blamed, name,
					  sizeof(name));
			json_object_set_new(one, "about", json_text(name));
		}
		json_array_append_new(list, one);
	}
	advices_fini(&advices);
	return list;
}

static json_t *json_unit(const struct study *study, uint32_t record)
{
	const struct uiommu_dmar_record *r =
		&study->machine->dmar.records[record];
	const struct machine_unit *u = machine_unit_at(study->machine,
						       r->range.first);
	const struct uiommu_plan_unit *unit = &study->units[record];
	json_t *one = json_pack(
		"{so so si so sb sb}", "name", json_unit_name(study, record),
		"dmar", json_record(study, record), "segment", (int)r->segment,
		"registers", json_hex(r->range.first), "present", unit->present,
		"include_all", (r->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL) != 0);

	if (!u)
		return one;
	json_object_set_new(one, "cap", json_hex(u->cap));
	json_object_set_new(one, "ecap", json_hex(u->ecap));
	json_object_set_new(one, "passthrough",
			    json_boolean(unit->passthrough));
	json_object_set_new(one, "caching_mode", json_boolean(unit->caching));
	return one;
}

json_t *json_dmar_findings(const struct uiommu_dmar *dmar)
{
	static const char *const words[] = { [UIOMMU_NOTE] = "note",
					     [UIOMMU_WARNING] = "warning",
					     [UIOMMU_ERROR] = "error" };
	json_t *list = json_array();
	char text[200];

	for (uint32_t i = 0; i < dmar->finding_count; i++) {
		const struct uiommu_dmar_finding *f = &dmar->findings[i];

		uiommu_dmar_finding_text(f, text, sizeof(text));
		json_array_append_new(list, json_pack("{ss si so}", "severity",
						      words[f->severity],
						      "offset", (int)f->offset,
						      "text", json_text(text)));
	}
	return list;
}

static void json_add_linux(json_t *document, const struct study *study)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < study->difference_count; i++) {
		const struct study_difference *d = &study->differences[i];

		json_array_append_new(list,
				      json_pack("{so so}", "group",
						json_index(d->group), "text",
						json_text(d->text)));
	}
	json_object_set_new(
		document, "linux",
		json_pack("{sb si sb so}", "known", study_knows_linux(study),
			  "groups", (int)study->machine->group_count, "agrees",
			  study_knows_linux(study) && !study->difference_count,
			  "differences", list));
}

static json_t *json_option_findings(const struct study *study)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < study->finding_count; i++) {
		const struct uiommu_options_finding *f = &study->findings[i];

		json_array_append_new(
			list,
			json_pack("{si si ss}", "offset", (int)f->offset,
				  "length", (int)f->length, "text",
				  uiommu_options_problem_text(f->problem)));
	}
	return list;
}

static void json_add_machine(json_t *document, const struct study *study)
{
	const struct machine *m = study->machine;
	json_t *notes = json_array();

	for (uint32_t i = 0; i < m->note_count; i++)
		json_array_append_new(notes, json_text(m->notes[i]));
	json_object_set_new(
		document, "machine",
		json_pack("{so so so so so sb sb}", "source",
			  json_text(m->source ? m->source : "?"), "kernel",
			  json_text(m->kernel ? m->kernel : ""), "options",
			  json_text(study->options_text), "option_findings",
			  json_option_findings(study), "notes", notes,
			  "assumed_acs", study->assumed_acs, "off",
			  study->plan.off));
	json_object_set_new(document, "dmar_findings",
			    json_dmar_findings(&m->dmar));
	json_object_set_new(document, "rules",
			    json_text(study->input.rules == UIOMMU_RULES_LINUX
					      ? "linux"
					      : "strict"));
}

json_t *json_study(const struct ask *ask, const struct study *study,
		   uint32_t parts)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	json_t *document = json_head(ask), *list;

	json_add_machine(document, study);
	json_add_linux(document, study);
	if (parts & JSON_UNITS) {
		list = json_array();
		for (uint32_t i = 0; i < dmar->record_count; i++)
			if (dmar->records[i].type == UIOMMU_DMAR_DRHD)
				json_array_append_new(list,
						      json_unit(study, i));
		json_object_set_new(document, "units", list);
	}
	if (parts & JSON_GROUPS) {
		list = json_array();
		for (uint32_t i = 0; i < study->plan.group_count; i++)
			json_array_append_new(list, json_group(study, i));
		json_object_set_new(document, "groups", list);
	}
	if (parts & JSON_DEVICES) {
		list = json_array();
		for (uint32_t i = 0; i < study->plan.device_count; i++)
			json_array_append_new(
				list,
				json_device(study, i, parts & JSON_REASONS));
		json_object_set_new(document, "devices", list);
	}
	return document;
}

int json_print(json_t *document, FILE *to)
{
	int err = !document || json_dumpf(document, to, JSON_INDENT(1));

	json_decref(document);
	fputc('\n', to);
	if (err || fflush(to)) {
		fprintf(stderr, "uiommu: the document cannot be written\n");
		return ASK_FINDINGS;
	}
	return ASK_FINE;
}
