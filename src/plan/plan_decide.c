// SPDX-License-Identifier: MIT
/*
 * The decision about the type of one group's default domain, without the
 * machine: facts in, type and rule out. tests/plan/plan_decide_test.c goes
 * through all combinations of facts.
 *
 * From strong to weak: a member from outside is translated and flushed at
 * once; what a member requires; what somebody asks for this group; options;
 * the build, or identity where firmware alone turned remapping on. What
 * options and the build want to be identity is translated for a member that
 * does not reach all of RAM.
 *
 * Identity that is required wins over translation that is, and where it cannot
 * be made nobody gets through: who requires it would not work in any other,
 * and nobody asked for less.
 */
#include "plan/plan.h"

/* The kind of translation that policy wants where it wants any. */
static bool plan_is_lazy(const struct plan_type_facts *facts)
{
	if (facts->strict != UIOMMU_CHOICE_DEFAULT)
		return facts->strict == UIOMMU_CHOICE_NO;
	return !facts->build_strict;
}

static void plan_choose(struct plan_type_decision *decision,
			enum uiommu_domain_type type, enum uiommu_rule rule)
{
	decision->type = type;
	decision->rule = rule;
}

/* Nobody requires anything and nobody asked for this group. */
static void plan_decide_default(const struct plan_type_facts *facts,
				struct plan_type_decision *decision)
{
	enum uiommu_domain_type lazy = plan_is_lazy(facts)
					       ? UIOMMU_DOMAIN_DMA_FQ
					       : UIOMMU_DOMAIN_DMA;
	bool identity = facts->opt_in || facts->build == UIOMMU_DOMAIN_IDENTITY;

	/* Where identity would come out but not all could use it. */
	if (facts->short_of_ram &&
	    (facts->passthrough == UIOMMU_CHOICE_YES ||
	     (facts->passthrough == UIOMMU_CHOICE_DEFAULT && identity &&
	      !facts->encrypted)))
		plan_choose(decision, lazy, UIOMMU_RULE_TYPE_REACH);
	else if (facts->passthrough == UIOMMU_CHOICE_YES)
		plan_choose(decision, UIOMMU_DOMAIN_IDENTITY,
			    UIOMMU_RULE_TYPE_OPTION);
	else if (facts->passthrough == UIOMMU_CHOICE_NO)
		plan_choose(decision, lazy, UIOMMU_RULE_TYPE_OPTION);
	else if (identity && facts->encrypted)
		plan_choose(decision, lazy, UIOMMU_RULE_TYPE_ENCRYPTED);
	else if (facts->opt_in)
		plan_choose(decision, UIOMMU_DOMAIN_IDENTITY,
			    UIOMMU_RULE_TYPE_OPT_IN);
	else if (identity)
		plan_choose(decision, UIOMMU_DOMAIN_IDENTITY,
			    UIOMMU_RULE_TYPE_BUILD);
	else
		plan_choose(decision, lazy,
			    facts->strict == UIOMMU_CHOICE_DEFAULT
				    ? UIOMMU_RULE_TYPE_BUILD
				    : UIOMMU_RULE_TYPE_OPTION);
}

static void plan_decide_trusted(const struct plan_type_facts *facts,
				struct plan_type_decision *decision)
{
	bool translated = facts->needs_dma || !facts->can_identity;

	if (facts->needs_identity) {
		decision->required = true;
		if (facts->can_identity)
			plan_choose(decision, UIOMMU_DOMAIN_IDENTITY,
				    UIOMMU_RULE_TYPE_REQUIRED);
		else
			plan_choose(decision, UIOMMU_DOMAIN_BLOCKED,
				    UIOMMU_RULE_TYPE_BLOCKED);
	} else if (facts->override == UIOMMU_DOMAIN_DMA ||
		   facts->override == UIOMMU_DOMAIN_DMA_FQ) {
		plan_choose(decision, facts->override,
			    UIOMMU_RULE_TYPE_OVERRIDE);
	} else if (translated) {
		decision->required = true;
		plan_choose(decision,
			    plan_is_lazy(facts) ? UIOMMU_DOMAIN_DMA_FQ
						: UIOMMU_DOMAIN_DMA,
			    UIOMMU_RULE_TYPE_REQUIRED);
	} else if (facts->override == UIOMMU_DOMAIN_IDENTITY) {
		plan_choose(decision, UIOMMU_DOMAIN_IDENTITY,
			    UIOMMU_RULE_TYPE_OVERRIDE);
	} else {
		plan_decide_default(facts, decision);
	}
}

void uiommu_plan_decide_type(const struct plan_type_facts *facts,
			     struct plan_type_decision *decision)
{
	memset(decision, 0, sizeof(*decision));
	if (facts->untrusted) {
		decision->required = true;
		plan_choose(decision, UIOMMU_DOMAIN_DMA,
			    UIOMMU_RULE_TYPE_UNTRUSTED);
		return;
	}
	plan_decide_trusted(facts, decision);
	if (decision->type == UIOMMU_DOMAIN_DMA_FQ && facts->caching) {
		decision->type = UIOMMU_DOMAIN_DMA;
		decision->wants_lazy = true;
	}
}

static bool plan_faces_outside(const struct uiommu_topology *topology)
{
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		if (topology->functions[i].external_facing)
			return true;
	}
	return false;
}

bool uiommu_plan_wanted(const struct uiommu_plan_input *input, bool *opt_in)
{
	const struct uiommu_options *options = &input->options;
	bool wanted = options->remapping == UIOMMU_CHOICE_YES ||
		      (options->remapping == UIOMMU_CHOICE_DEFAULT &&
		       !input->build_off) ||
		      (input->trusted_boot && !options->tboot_noforce);

	*opt_in = !options->off && !wanted &&
		  options->remapping != UIOMMU_CHOICE_NO &&
		  input->dmar != NULL &&
		  input->dmar->flags & UIOMMU_DMAR_PLATFORM_OPT_IN;
	/* While it runs ports that lead outside may come and go. */
	if (input->live_count != 0) {
		*opt_in = *opt_in && !input->live[0].off;
		return !input->live[0].off;
	}
	*opt_in = *opt_in && plan_faces_outside(input->topology);
	return *opt_in || (wanted && !options->off);
}
