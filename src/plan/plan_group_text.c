// SPDX-License-Identifier: MIT
/* Words for why a device is in its group. */
#include "base/format.h"
#include "plan/plan.h"
#include "plan/plan_quirk.h"

#define PLAN_SID(topology, index) PLAN_SID_ARGS(plan, topology, index)

#define PLAN_ACS_WORDS 48

static const char *plan_acs_word(uint32_t lack, uint32_t bit, const char *word)
{
	return lack & bit ? word : "";
}

/* What follows the name of a function that does not isolate. */
static void plan_lack_words(uint32_t lack, char words[PLAN_ACS_WORDS])
{
	uint32_t bits = lack & 0xffff;

	if (lack & UIOMMU_ACS_NOT_COUNTED)
		uiommu_format(words, PLAN_ACS_WORDS,
			      "is not known to isolate at all");
	else if (lack & UIOMMU_ACS_NO_CAPABILITY)
		uiommu_format(words, PLAN_ACS_WORDS, "has no ACS capability");
	else
		uiommu_format(
			words, PLAN_ACS_WORDS,
			"has ACS but%s%s%s%s %s not turned on",
			plan_acs_word(bits, UIOMMU_ACS_SOURCE_VALIDATION,
				      " SV"),
			plan_acs_word(bits, UIOMMU_ACS_REQUEST_REDIRECT, " RR"),
			plan_acs_word(bits, UIOMMU_ACS_COMPLETION_REDIRECT,
				      " CR"),
			plan_acs_word(bits, UIOMMU_ACS_UPSTREAM_FORWARDING,
				      " UF"),
			(bits & (bits - 1)) == 0 ? "is" : "are");
}

static size_t plan_acs_text(const struct uiommu_plan *plan,
			    const struct uiommu_topology *topology,
			    const struct uiommu_reason *reason, char *text,
			    size_t size)
{
	char lack[PLAN_ACS_WORDS];

	plan_lack_words(reason->detail, lack);
	if (reason->other == reason->device)
		return uiommu_format(text, size,
				     "port " UIOMMU_SID_FMT " %s, so it is one "
				     "with what is below it",
				     PLAN_SID(topology, reason->device), lack);
	return uiommu_format(text, size,
			     "port " UIOMMU_SID_FMT " above " UIOMMU_SID_FMT
			     " %s, so nothing keeps the latter apart",
			     PLAN_SID(topology, reason->other),
			     PLAN_SID(topology, reason->device), lack);
}

static size_t plan_bridge_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	if (reason->other == reason->device)
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " is a bridge that hides "
						    "who below it asks",
				     PLAN_SID(topology, reason->device));
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT " is below bridge " UIOMMU_SID_FMT
					    ", which hides who asks",
			     PLAN_SID(topology, reason->device),
			     PLAN_SID(topology, reason->other));
}

static size_t plan_alias_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	struct uiommu_sid sid = { 0, (uint16_t)reason->detail };
	uint32_t asker = reason->device;

	/* What is shared is of the requester's segment, not the device's. */
	if (asker < topology->count)
		asker = uiommu_plan_asker(topology, asker);
	return uiommu_format(
		text, size,
		UIOMMU_SID_FMT " and " UIOMMU_SID_FMT
			       " both ask as requester " UIOMMU_SID_FMT,
		PLAN_SID(topology, reason->device),
		PLAN_SID(topology, reason->other),
		uiommu_plan_domain(plan, topology, asker), UIOMMU_SID_BUS(sid),
		UIOMMU_SID_DEV(sid), UIOMMU_SID_FN(sid));
}

static size_t plan_reach_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	char lack[PLAN_ACS_WORDS];

	plan_lack_words(reason->detail, lack);
	if (reason->other == reason->device)
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " %s, so it lets requests "
						    "go round to its "
						    "neighbours",
				     PLAN_SID(topology, reason->device), lack);
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT " %s, so what it lets pass may "
					    "reach " UIOMMU_SID_FMT,
			     PLAN_SID(topology, reason->other), lack,
			     PLAN_SID(topology, reason->device));
}

static size_t plan_slot_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	char lack[PLAN_ACS_WORDS];

	plan_lack_words(reason->detail, lack);
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT " and " UIOMMU_SID_FMT
					    " are functions of one slot, and "
					    "the first %s",
			     PLAN_SID(topology, reason->device),
			     PLAN_SID(topology, reason->other), lack);
}

/* Sentences about two devices: the words before, between and after them. */
struct plan_pair_words {
	const char *before;
	const char *between;
	const char *after;
};

static const struct plan_pair_words *plan_pair_words(enum uiommu_rule rule)
{
	static const struct plan_pair_words joined = { "", " is joined by ",
						       ", which says why" };
	static const struct plan_pair_words apart = {
		"Linux keeps ", " and ",
		" apart, yet DMA of one could reach the other"
	};

	return rule == UIOMMU_RULE_GROUP_JOINED ? &joined : &apart;
}

static size_t plan_pair_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	const struct plan_pair_words *words = plan_pair_words(reason->rule);

	return uiommu_format(text, size,
			     "%s" UIOMMU_SID_FMT "%s" UIOMMU_SID_FMT "%s",
			     words->before, PLAN_SID(topology, reason->device),
			     words->between, PLAN_SID(topology, reason->other),
			     words->after);
}

static size_t plan_claim_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	if (reason->detail == PLAN_CLAIM_INTEGRATED)
		return uiommu_format(text, size,
				     "for " UIOMMU_SID_FMT
				     " the vendor of " UIOMMU_SID_FMT
				     " states: %s",
				     PLAN_SID(topology, reason->device),
				     PLAN_SID(topology, reason->other),
				     uiommu_plan_claim_text(reason->detail));
	return uiommu_format(
		text, size,
		"for " UIOMMU_SID_FMT " the vendor of " UIOMMU_SID_FMT
		" (%s, entry %u) states: %s",
		PLAN_SID(topology, reason->device),
		PLAN_SID(topology, reason->other),
		uiommu_plan_claim_model(reason->detail), reason->detail,
		uiommu_plan_claim_text(reason->detail));
}

size_t uiommu_plan_group_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	switch (reason->rule) {
	case UIOMMU_RULE_GROUP_ALIAS:
		return plan_alias_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_BRIDGE:
		return plan_bridge_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_NO_ACS:
		return plan_acs_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_REACH:
		return plan_reach_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_MULTIFUNCTION:
		return plan_slot_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_KEPT:
	case UIOMMU_RULE_GROUP_APART:
		return uiommu_plan_live_text(plan, topology, reason, text,
					     size);
	case UIOMMU_RULE_GROUP_JOINED:
	case UIOMMU_RULE_GROUP_LINUX:
		return plan_pair_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_CLAIM:
		return plan_claim_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_MODEL_ALIAS:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " is of a model (%s, entry %u) that asks "
				     "as %s",
				     PLAN_SID(topology, reason->device),
				     uiommu_plan_alias_model(reason->detail),
				     reason->detail,
				     uiommu_plan_alias_text(reason->detail));
	default:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " is isolated from every "
				     "other device up to the root",
				     PLAN_SID(topology, reason->device));
	}
}
