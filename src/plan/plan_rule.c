// SPDX-License-Identifier: MIT
/* The names of the rules, as docs/rules.md has them, and whose reasons are. */
#include "plan/plan.h"

#define PLAN_RULE(name) [UIOMMU_RULE_##name] = #name

static const char *const plan_rule_names[] = {
	PLAN_RULE(UNIT_SCOPE),	      PLAN_RULE(UNIT_BRIDGE_SCOPE),
	PLAN_RULE(UNIT_INCLUDE_ALL),  PLAN_RULE(UNIT_PHYSICAL),
	PLAN_RULE(UNIT_REQUESTER),    PLAN_RULE(UNIT_NAMESPACE),
	PLAN_RULE(UNIT_GRAPHICS_OFF), PLAN_RULE(UNIT_OFF),
	PLAN_RULE(UNIT_NONE),	      PLAN_RULE(UNIT_HELD),
	PLAN_RULE(GROUP_ALONE),	      PLAN_RULE(GROUP_ALIAS),
	PLAN_RULE(GROUP_BRIDGE),      PLAN_RULE(GROUP_NO_ACS),
	PLAN_RULE(GROUP_REACH),	      PLAN_RULE(GROUP_JOINED),
	PLAN_RULE(GROUP_CLAIM),	      PLAN_RULE(GROUP_MODEL_ALIAS),
	PLAN_RULE(GROUP_LINUX),	      PLAN_RULE(GROUP_MULTIFUNCTION),
	PLAN_RULE(GROUP_KEPT),	      PLAN_RULE(GROUP_APART),
	PLAN_RULE(TYPE_OPTION),	      PLAN_RULE(TYPE_BUILD),
	PLAN_RULE(TYPE_REQUIRED),     PLAN_RULE(TYPE_UNTRUSTED),
	PLAN_RULE(TYPE_OVERRIDE),     PLAN_RULE(TYPE_OPT_IN),
	PLAN_RULE(TYPE_ENCRYPTED),    PLAN_RULE(TYPE_BLOCKED),
	PLAN_RULE(TYPE_CONFLICT),     PLAN_RULE(TYPE_REACH),
	PLAN_RULE(TYPE_BARRED),	      PLAN_RULE(TYPE_BARRED_OWNED),
	PLAN_RULE(TYPE_BARRED_APART), PLAN_RULE(TYPE_NO_IDENTITY),
	PLAN_RULE(TYPE_QUIRK),	      PLAN_RULE(TYPE_QUIRK_UNTRUSTED),
	PLAN_RULE(TYPE_REFUSED),      PLAN_RULE(TYPE_NOT_LAZY),
	PLAN_RULE(TYPE_MASK),	      PLAN_RULE(TYPE_NOT_LAZY_GRAPHICS),
	PLAN_RULE(TYPE_HELD),	      PLAN_RULE(TYPE_OWNED),
	PLAN_RULE(REGION_RMRR),	      PLAN_RULE(REGION_MSI),
	PLAN_RULE(REGION_ISA),	      PLAN_RULE(REGION_IN_RAM),
	PLAN_RULE(REGION_IN_MSI),     PLAN_RULE(REGION_NOT_USER),
};

const char *uiommu_rule_name(enum uiommu_rule rule)
{
	if ((uint32_t)rule >=
	    sizeof(plan_rule_names) / sizeof(plan_rule_names[0]))
		return "UNKNOWN";
	return plan_rule_names[rule];
}

/* Index of the first reason of @device or of a later one. */
static uint32_t plan_reasons_of(const struct uiommu_plan *plan, uint32_t device)
{
	uint32_t low = 0, high = plan->reason_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (plan->reasons[middle].device < device)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t uiommu_plan_reasons(const struct uiommu_plan *plan, uint32_t device,
			     const struct uiommu_reason **first)
{
	uint32_t at;

	*first = NULL;
	if (device >= plan->device_count)
		return 0;
	at = plan_reasons_of(plan, device);
	*first = &plan->reasons[at];
	return plan_reasons_of(plan, device + 1) - at;
}
