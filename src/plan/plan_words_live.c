// SPDX-License-Identifier: MIT
/* The words for what is in force and what that means for who is new. */
#include "base/format.h"
#include "plan/plan.h"

#define PLAN_SID(topology, index) PLAN_SID_ARGS(plan, topology, index)

static size_t plan_apart_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	if (reason->detail == UIOMMU_PLAN_NONE)
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " relates to " UIOMMU_SID_FMT
				     " but is of another group, and groups in "
				     "force never merge",
				     PLAN_SID(topology, reason->device),
				     PLAN_SID(topology, reason->other));
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT
			     " relates to " UIOMMU_SID_FMT
			     " and to " UIOMMU_SID_FMT
			     ", whose groups are in force and never merge",
			     PLAN_SID(topology, reason->device),
			     PLAN_SID(topology, reason->other),
			     PLAN_SID(topology, reason->detail));
}

static size_t plan_barred_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	uint32_t group = plan->devices[reason->device].group;

	return uiommu_format(text, size,
			     UIOMMU_SID_FMT
			     " needs %s, but the group of " UIOMMU_SID_FMT
			     " that it came to has %s in force: its DMA is "
			     "refused",
			     PLAN_SID(topology, reason->device),
			     uiommu_domain_type_name(
				     (enum uiommu_domain_type)reason->detail),
			     PLAN_SID(topology, reason->other),
			     uiommu_domain_type_name(plan->groups[group].type));
}

static size_t plan_owned_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size)
{
	if (reason->other == UIOMMU_PLAN_NONE)
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " is in a group that a user has claimed: "
				     "its DMA is refused until that one is "
				     "done",
				     PLAN_SID(topology, reason->device));
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT
			     " came to the group of " UIOMMU_SID_FMT
			     " while a user has it: its DMA is refused until "
			     "that one is done",
			     PLAN_SID(topology, reason->device),
			     PLAN_SID(topology, reason->other));
}

static size_t plan_held_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	uint32_t group = plan->devices[reason->device].group;

	return uiommu_format(text, size,
			     UIOMMU_SID_FMT
			     " keeps %s, which is in force for its group; a "
			     "new start would choose %s",
			     PLAN_SID(topology, reason->device),
			     uiommu_domain_type_name(plan->groups[group].type),
			     uiommu_domain_type_name(
				     (enum uiommu_domain_type)reason->detail));
}

size_t uiommu_plan_live_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	switch (reason->rule) {
	case UIOMMU_RULE_GROUP_APART:
		return plan_apart_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_GROUP_KEPT:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " was with " UIOMMU_SID_FMT
				     " before, and a group in force does not "
				     "split",
				     PLAN_SID(topology, reason->device),
				     PLAN_SID(topology, reason->other));
	case UIOMMU_RULE_TYPE_BARRED:
		return plan_barred_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_BARRED_OWNED:
		return plan_owned_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_OWNED:
		return uiommu_format(text, size,
				     "a user has claimed the group "
				     "of " UIOMMU_SID_FMT
				     ": it stays as it is until that one is "
				     "done",
				     PLAN_SID(topology, reason->device));
	case UIOMMU_RULE_TYPE_HELD:
		return plan_held_text(plan, topology, reason, text, size);
	default:
		return uiommu_format(text, size,
				     "all DMA of " UIOMMU_SID_FMT
				     " is refused, as it cannot be confined "
				     "with those it relates to",
				     PLAN_SID(topology, reason->device));
	}
}
