// SPDX-License-Identifier: MIT
/*
 * The decision about a default domain's type, through all combinations of
 * facts: against the order of precedence, said a second time as a list of
 * who speaks first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/plan.h"

/* What translation is called when it is nobody's special wish. */
static enum uiommu_domain_type translated(const struct plan_type_facts *f)
{
	bool strict = f->strict == UIOMMU_CHOICE_YES ||
		      (f->strict == UIOMMU_CHOICE_DEFAULT && f->build_strict);

	return strict ? UIOMMU_DOMAIN_DMA : UIOMMU_DOMAIN_DMA_FQ;
}

/* What is asked for where nobody requires anything. */
static enum uiommu_domain_type wanted(const struct plan_type_facts *f)
{
	if (f->override != UIOMMU_DOMAIN_NONE)
		return f->override;
	/* Nobody names identity for this group: all must reach as far. */
	if (f->short_of_ram)
		return translated(f);
	if (f->passthrough != UIOMMU_CHOICE_DEFAULT)
		return f->passthrough == UIOMMU_CHOICE_YES
			       ? UIOMMU_DOMAIN_IDENTITY
			       : translated(f);
	if (f->encrypted)
		return translated(f);
	if (f->opt_in || f->build == UIOMMU_DOMAIN_IDENTITY)
		return UIOMMU_DOMAIN_IDENTITY;
	return translated(f);
}

static enum uiommu_domain_type expected(const struct plan_type_facts *f)
{
	enum uiommu_domain_type type = wanted(f);

	if (f->untrusted)
		return UIOMMU_DOMAIN_DMA;
	if (f->needs_identity)
		return f->can_identity ? UIOMMU_DOMAIN_IDENTITY
				       : UIOMMU_DOMAIN_BLOCKED;
	if (type == UIOMMU_DOMAIN_IDENTITY &&
	    (f->needs_dma || !f->can_identity))
		type = translated(f);
	if (type == UIOMMU_DOMAIN_DMA_FQ && f->caching)
		type = UIOMMU_DOMAIN_DMA;
	return type;
}

static void spread(struct plan_type_facts *f, unsigned int n)
{
	static const enum uiommu_domain_type overrides[] = {
		UIOMMU_DOMAIN_NONE, UIOMMU_DOMAIN_IDENTITY, UIOMMU_DOMAIN_DMA,
		UIOMMU_DOMAIN_DMA_FQ
	};

	*f = (struct plan_type_facts){
		.untrusted = n & 1,
		.needs_identity = n & 2,
		.needs_dma = n & 4,
		.can_identity = n & 8,
		.caching = n & 16,
		.opt_in = n & 32,
		.encrypted = n & 64,
		.build_strict = n & 128,
		.build = n & 256 ? UIOMMU_DOMAIN_IDENTITY : UIOMMU_DOMAIN_DMA,
		.override = overrides[n >> 9 & 3],
		.short_of_ram = n & 2048,
		.passthrough = (enum uiommu_choice)((n >> 12) % 3),
		.strict = (enum uiommu_choice)((n >> 12) / 3 % 3),
	};
}

static void all_combinations(void **state)
{
	struct plan_type_decision decision, without;
	struct plan_type_facts facts;
	unsigned int n;

	(void)state;
	for (n = 0; n < 9u << 12; n++) {
		spread(&facts, n);
		uiommu_plan_decide_type(&facts, &decision);
		if (decision.type != expected(&facts))
			fail_msg("combination %u: %s, not %s", n,
				 uiommu_domain_type_name(decision.type),
				 uiommu_domain_type_name(expected(&facts)));
		/* Fails closed, and is never lazy with what is outside. */
		assert_true(!facts.untrusted ||
			    decision.type == UIOMMU_DOMAIN_DMA);
		assert_true(!facts.caching ||
			    decision.type != UIOMMU_DOMAIN_DMA_FQ);
		/* Said so where that, and nothing else, made it translated. */
		facts.short_of_ram = false;
		uiommu_plan_decide_type(&facts, &without);
		assert_int_equal(decision.rule == UIOMMU_RULE_TYPE_REACH,
				 decision.type != without.type);
		assert_true(decision.type == without.type ||
			    without.type == UIOMMU_DOMAIN_IDENTITY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_combinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
