// SPDX-License-Identifier: MIT
/* Words for why a device is in its group. */
#include "base/format.h"
#include "plan/plan.h"

#define PLAN_SID(topology, index) \
	UIOMMU_SID_ARGS(uiommu_plan_sid(plan, (topology), (index)))

static const char *plan_acs_word(uint32_t missing, uint32_t bit,
				 const char *word)
{
	return missing & bit ? word : "";
}

static size_t plan_acs_text(const struct uiommu_plan *plan,
			    const struct uiommu_topology *topology,
			    const struct uiommu_reason *reason, char *text,
			    size_t size)
{
	uint32_t bits = reason->detail;
	const char *sv = plan_acs_word(bits, UIOMMU_ACS_SOURCE_VALIDATION,
				       " SV");
	const char *rr = plan_acs_word(bits, UIOMMU_ACS_REQUEST_REDIRECT,
				       " RR");
	const char *cr = plan_acs_word(bits, UIOMMU_ACS_COMPLETION_REDIRECT,
				       " CR");
	const char *uf = plan_acs_word(bits, UIOMMU_ACS_UPSTREAM_FORWARDING,
				       " UF");

	if (reason->other == reason->device)
		return uiommu_format(text, size,
				     "port " UIOMMU_SID_FMT " lacks access "
				     "control%s%s%s%s and is one with what "
				     "is below it",
				     PLAN_SID(topology, reason->device), sv, rr,
				     cr, uf);
	return uiommu_format(text, size,
			     "port " UIOMMU_SID_FMT " above " UIOMMU_SID_FMT
			     " lacks access control%s%s%s%s",
			     PLAN_SID(topology, reason->other),
			     PLAN_SID(topology, reason->device), sv, rr, cr,
			     uf);
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
	struct uiommu_sid sid = uiommu_plan_sid(plan, topology, reason->device);

	sid.rid = (uint16_t)reason->detail;
	return uiommu_format(
		text, size,
		UIOMMU_SID_FMT " and " UIOMMU_SID_FMT
			       " both ask as requester " UIOMMU_SID_FMT,
		PLAN_SID(topology, reason->device),
		PLAN_SID(topology, reason->other), UIOMMU_SID_ARGS(sid));
}

static size_t plan_reach_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	uint32_t bits = reason->detail;

	if (reason->other == reason->device)
		return uiommu_format(
			text, size,
			UIOMMU_SID_FMT " lacks access control%s%s%s%s and lets "
				       "requests go round to its neighbours",
			PLAN_SID(topology, reason->device),
			plan_acs_word(bits, UIOMMU_ACS_SOURCE_VALIDATION,
				      " SV"),
			plan_acs_word(bits, UIOMMU_ACS_REQUEST_REDIRECT, " RR"),
			plan_acs_word(bits, UIOMMU_ACS_COMPLETION_REDIRECT,
				      " CR"),
			plan_acs_word(bits, UIOMMU_ACS_UPSTREAM_FORWARDING,
				      " UF"));
	return uiommu_format(
		text, size,
		UIOMMU_SID_FMT " lacks access control%s%s%s%s, so what it lets "
			       "pass may reach " UIOMMU_SID_FMT,
		PLAN_SID(topology, reason->other),
		plan_acs_word(bits, UIOMMU_ACS_SOURCE_VALIDATION, " SV"),
		plan_acs_word(bits, UIOMMU_ACS_REQUEST_REDIRECT, " RR"),
		plan_acs_word(bits, UIOMMU_ACS_COMPLETION_REDIRECT, " CR"),
		plan_acs_word(bits, UIOMMU_ACS_UPSTREAM_FORWARDING, " UF"),
		PLAN_SID(topology, reason->device));
}

/* Sentences about two devices: the words before, between and after them. */
struct plan_pair_words {
	const char *before;
	const char *between;
	const char *after;
};

static const struct plan_pair_words *plan_pair_words(enum uiommu_rule rule)
{
	static const struct plan_pair_words slot = {
		"", " and ", " are functions of one slot without access control"
	};
	static const struct plan_pair_words joined = { "", " is joined by ",
						       ", which says why" };
	static const struct plan_pair_words apart = {
		"Linux keeps ", " and ", " apart, yet one may reach the other"
	};

	if (rule == UIOMMU_RULE_GROUP_MULTIFUNCTION)
		return &slot;
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
	return uiommu_format(text, size,
			     "for " UIOMMU_SID_FMT
			     " the vendor of " UIOMMU_SID_FMT " states: %s",
			     PLAN_SID(topology, reason->device),
			     PLAN_SID(topology, reason->other),
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
	case UIOMMU_RULE_GROUP_JOINED:
	case UIOMMU_RULE_GROUP_LINUX:
		return plan_pair_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_CLAIM:
		return plan_claim_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_MODEL_ALIAS:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " is of a model that asks as %s",
				     PLAN_SID(topology, reason->device),
				     uiommu_plan_alias_text(reason->detail));
	default:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " is isolated from every "
				     "other device up to the root",
				     PLAN_SID(topology, reason->device));
	}
}
