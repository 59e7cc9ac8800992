// SPDX-License-Identifier: MIT
/* Wishes for people and for programs. */
#include <string.h>

#include "json.h"
#include "wish.h"

static enum out_style wish_style(enum uiommu_outcome outcome)
{
	switch (outcome) {
	case UIOMMU_OUTCOME_REFUSED:
		return OUT_BAD;
	case UIOMMU_OUTCOME_MOVE:
	case UIOMMU_OUTCOME_BOUNCE:
	case UIOMMU_OUTCOME_CLAIM:
		return OUT_WARN;
	default:
		return OUT_GOOD;
	}
}

static const char *wish_word(enum uiommu_outcome outcome)
{
	switch (outcome) {
	case UIOMMU_OUTCOME_NOTHING:
		return "nothing to do";
	case UIOMMU_OUTCOME_BOUND:
		return "bounded";
	case UIOMMU_OUTCOME_LIVE:
		return "in place";
	case UIOMMU_OUTCOME_MOVE:
		return "moves";
	case UIOMMU_OUTCOME_BOUNCE:
		return "copies";
	case UIOMMU_OUTCOME_CLAIM:
		return "claimed";
	default:
		return "refused";
	}
}

/* What the group has afterwards. */
static const char *wish_after(const struct wish *wish)
{
	if (wish->outcome == UIOMMU_OUTCOME_REFUSED)
		return uiommu_domain_type_name(wish->from);
	if (wish->outcome == UIOMMU_OUTCOME_CLAIM)
		return "the user's";
	return uiommu_domain_type_name(wish->to);
}

static void wish_members(const struct study *study, uint32_t group, char *text,
			 size_t size)
{
	uint32_t count;
	const uint32_t *members = study_members(study, group, &count);
	char first[100];

	study_device_name(study, members[0], first, sizeof(first));
	if (count == 1)
		snprintf(text, size, "%s", first);
	else
		snprintf(text, size, "%s and %u more", first, count - 1);
}

static void wish_print(struct out *out, const struct study *study,
		       const struct wish *wish)
{
	char members[128];

	wish_members(study, wish->group, members, sizeof(members));
	out_say(out, OUT_HEAD, "Asked: ");
	out_say(out, OUT_PLAIN, "%s\n", wish->asked);
	out_wrap(out, wish_style(wish->outcome), "  outcome  ", "%s",
		 wish->takes);
	out_wrap(out, OUT_PLAIN, "  group    ", "%s: %s",
		 study->labels[wish->group], members);
	out_wrap(out, OUT_PLAIN, "  before   ", "%s",
		 uiommu_domain_type_name(wish->from));
	out_wrap(out, OUT_PLAIN, "  after    ", "%s", wish_after(wish));
	if (wish->why[0])
		out_wrap(out, OUT_PLAIN, "  why      ", "%s: %s",
			 uiommu_rule_name(wish->rule), wish->why);
	if (wish->linux[0])
		out_wrap(out, OUT_DIM, "  Linux    ", "%s", wish->linux);
}

void wishes_print(struct out *out, const struct study *study,
		  const struct wishes *wishes)
{
	for (uint32_t i = 0; i < wishes->count; i++) {
		if (i)
			fputc('\n', out->to);
		wish_print(out, study, &wishes->list[i]);
	}
}

void wishes_table(struct out *out, const struct wishes *wishes)
{
	static const char *const heads[] = { "ASKED", "OUTCOME", "AFTER",
					     "WHAT IT TAKES" };
	struct out_table table;

	out_table_init(&table, 4, heads);
	for (uint32_t i = 0; i < wishes->count; i++) {
		const struct wish *wish = &wishes->list[i];
		bool refused = wish->outcome == UIOMMU_OUTCOME_REFUSED;

		out_cell(&table, OUT_PLAIN, "%s", wish->asked);
		out_cell(&table, wish_style(wish->outcome), "%s",
			 wish_word(wish->outcome));
		out_cell(&table, OUT_PLAIN, "%s", wish_after(wish));
		out_cell(&table, OUT_DIM, "%s",
			 refused ? wish->why : wish->takes);
	}
	out_table_print(out, &table);
}

static json_t *wish_json(const struct study *study, const struct wish *wish)
{
	static const char *const kinds[] = { "set-type", "mask", "claim" };
	const struct uiommu_request *request = &wish->request;
	char name[300], mask[24];
	json_t *one;

	study_device_name(study, wish->device, name, sizeof(name));
	one = json_pack("{ss so si ss so so ss ss}", "request",
			kinds[request->kind], "device", json_text(name),
			"group", (int)wish->group, "outcome",
			uiommu_outcome_name(wish->outcome), "asked",
			json_text(wish->asked), "takes", json_text(wish->takes),
			"before", uiommu_domain_type_name(wish->from), "after",
			wish->outcome == UIOMMU_OUTCOME_REFUSED
				? uiommu_domain_type_name(wish->from)
				: uiommu_domain_type_name(wish->to));
	if (request->kind == UIOMMU_REQUEST_TYPE)
		json_object_set_new(one, "type",
				    json_string(wish_type_word(request->type)));
	if (request->kind == UIOMMU_REQUEST_MASK) {
		snprintf(mask, sizeof(mask), "0x%llx",
			 (unsigned long long)request->mask);
		json_object_set_new(one, "mask", json_string(mask));
	}
	if (wish->why[0])
		json_object_set_new(one, "why",
				    json_pack("{ss so}", "rule",
					      uiommu_rule_name(wish->rule),
					      "text", json_text(wish->why)));
	if (wish->linux[0])
		json_object_set_new(one, "linux", json_text(wish->linux));
	return one;
}

json_t *wishes_json(const struct study *study, const struct wishes *wishes)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < wishes->count; i++)
		json_array_append_new(list, wish_json(study, &wishes->list[i]));
	return list;
}
