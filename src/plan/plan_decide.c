// SPDX-License-Identifier: MIT
/*
 * The decision about the type of one group's default domain, without the
 * machine: facts in, type and rule out. tests/plan/plan_decide_test.c goes
 * through all combinations of facts.
 *
 * From strong to weak: a member from outside is translated and flushed at
 * once; what a member requires; what somebody asks for this group; options;
 * the build, or identity where firmware alone turned remapping on.
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

	if (facts->passthrough == UIOMMU_CHOICE_YES)
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

/* The bridge above @function, if there is one and it is of @type. */
static uint32_t plan_above_of(const struct uiommu_topology *topology,
			      uint32_t function, unsigned int type)
{
	uint32_t above = uiommu_plan_above(topology, function);

	if (above == UIOMMU_PCI_NONE ||
	    topology->functions[above].pcie_type != type)
		return UIOMMU_PCI_NONE;
	return above;
}

/*
 * A controller for what is plugged in may itself be a switch on the board: its
 * ports, and the endpoints right below them, are part of the machine. What is
 * plugged in comes with a switch of its own.
 */
static bool plan_is_onboard(const struct uiommu_topology *topology,
			    uint32_t function, uint32_t port)
{
	unsigned int type = topology->functions[function].pcie_type;

	if (!topology->functions[port].onboard_switch)
		return false;
	if (type == UIOMMU_PCIE_ENDPOINT) {
		function = plan_above_of(topology, function,
					 UIOMMU_PCIE_DOWNSTREAM_PORT);
		type = UIOMMU_PCIE_DOWNSTREAM_PORT;
	}
	if (function != UIOMMU_PCI_NONE &&
	    type == UIOMMU_PCIE_DOWNSTREAM_PORT) {
		function = plan_above_of(topology, function,
					 UIOMMU_PCIE_UPSTREAM_PORT);
		type = UIOMMU_PCIE_UPSTREAM_PORT;
	}
	return function != UIOMMU_PCI_NONE &&
	       type == UIOMMU_PCIE_UPSTREAM_PORT &&
	       uiommu_plan_above(topology, function) == port;
}

bool uiommu_plan_untrusted(const struct uiommu_topology *topology,
			   uint32_t function)
{
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t i = function;

	if (function >= topology->count)
		return false; /* soldered on: firmware names it */
	if (topology->functions[function].untrusted)
		return true;
	/* A port to the outside is part of the machine; what is below is not */
	for (; left != 0; left--) {
		i = uiommu_plan_above(topology, i);
		if (i == UIOMMU_PCI_NONE)
			return false;
		if (topology->functions[i].untrusted ||
		    (topology->functions[i].external_facing &&
		     !plan_is_onboard(topology, function, i)))
			return true;
	}
	return true; /* no tree of this world */
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
		       !input->build_off);

	*opt_in = false;
	if (options->off)
		return false;
	if (wanted || (input->trusted_boot && !options->tboot_noforce))
		return true;
	*opt_in = options->remapping != UIOMMU_CHOICE_NO &&
		  input->dmar != NULL &&
		  input->dmar->flags & UIOMMU_DMAR_PLATFORM_OPT_IN &&
		  plan_faces_outside(input->topology);
	return *opt_in;
}
