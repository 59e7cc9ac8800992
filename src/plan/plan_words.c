// SPDX-License-Identifier: MIT
/* The words for reasons of types and regions. */
#include "base/format.h"
#include "plan/plan.h"

#define PLAN_SID(topology, index) \
	UIOMMU_SID_ARGS(uiommu_plan_sid(plan, (topology), (index)))

static const char *plan_type_word(uint32_t type)
{
	return uiommu_domain_type_name((enum uiommu_domain_type)type);
}

/* Reasons that name nobody but their device, if that. */
static size_t plan_policy_text(const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	const char *type = plan_type_word(reason->detail);

	switch (reason->rule) {
	case UIOMMU_RULE_TYPE_OPTION:
		return uiommu_format(text, size,
				     "an option given at start chose %s", type);
	case UIOMMU_RULE_TYPE_OPT_IN:
		return uiommu_format(text, size,
				     "firmware alone turned remapping on, for "
				     "what is plugged in: %s for the rest",
				     type);
	case UIOMMU_RULE_TYPE_ENCRYPTED:
		return uiommu_format(text, size,
				     "host memory is encrypted, which rules "
				     "identity out as a default: %s",
				     type);
	case UIOMMU_RULE_TYPE_NOT_LAZY:
		return uiommu_format(text, size,
				     "the unit of DMAR record %u caches what "
				     "is not mapped: no lazy invalidation",
				     reason->other);
	default:
		return uiommu_format(
			text, size, "the library was built to choose %s", type);
	}
}

static size_t plan_besides_text(const struct uiommu_plan *plan,
				const struct uiommu_topology *topology,
				const struct uiommu_reason *reason, char *text,
				size_t size)
{
	switch (reason->rule) {
	case UIOMMU_RULE_TYPE_NO_IDENTITY:
		return uiommu_format(
			text, size,
			"the unit of DMAR record %u, over " UIOMMU_SID_FMT
			", has no pass-through, and "
			"no 1:1 table replaces it",
			reason->other, PLAN_SID(topology, reason->device));
	case UIOMMU_RULE_TYPE_QUIRK:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " is a device known to work "
				     "with %s only",
				     PLAN_SID(topology, reason->device),
				     plan_type_word(reason->detail));
	case UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " says it is a device that "
						    "needs %s, but from "
						    "outside that is not "
						    "believed",
				     PLAN_SID(topology, reason->device),
				     plan_type_word(reason->detail));
	case UIOMMU_RULE_TYPE_REFUSED:
		return uiommu_format(
			text, size,
			"%s was asked for the group of " UIOMMU_SID_FMT
			" but cannot be had",
			plan_type_word(reason->detail),
			PLAN_SID(topology, reason->other));
	default:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " reaches %u bits of address, RAM goes up "
				     "to 0x%llx: what is above cannot be "
				     "mapped for it",
				     PLAN_SID(topology, reason->device),
				     reason->detail,
				     (unsigned long long)plan->ram_last);
	}
}

static size_t plan_conflict_text(const struct uiommu_plan *plan,
				 const struct uiommu_topology *topology,
				 const struct uiommu_reason *reason, char *text,
				 size_t size)
{
	const struct uiommu_plan_device *device =
		&plan->devices[reason->device];

	return uiommu_format(
		text, size,
		UIOMMU_SID_FMT " requires %s but " UIOMMU_SID_FMT
			       " of its group %u requires %s, which wins%s",
		PLAN_SID(topology, reason->device),
		uiommu_domain_type_name(device->required),
		PLAN_SID(topology, reason->other), device->group,
		plan_type_word(reason->detail),
		plan->groups[device->group].type == UIOMMU_DOMAIN_BLOCKED
			? " but cannot be made: blocked"
			: "");
}

size_t uiommu_plan_type_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	const char *type = plan_type_word(reason->detail);

	switch (reason->rule) {
	case UIOMMU_RULE_TYPE_REQUIRED:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " can work with no type "
						    "but %s",
				     PLAN_SID(topology, reason->other), type);
	case UIOMMU_RULE_TYPE_UNTRUSTED:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " comes from outside the "
						    "machine, so its group "
						    "gets strict %s",
				     PLAN_SID(topology, reason->other), type);
	case UIOMMU_RULE_TYPE_OVERRIDE:
		return uiommu_format(
			text, size,
			"%s was asked for the group of " UIOMMU_SID_FMT, type,
			PLAN_SID(topology, reason->other));
	case UIOMMU_RULE_TYPE_BLOCKED:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " requires %s, which "
						    "cannot be made: the "
						    "whole group is blocked",
				     PLAN_SID(topology, reason->other), type);
	case UIOMMU_RULE_TYPE_CONFLICT:
		return plan_conflict_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_NO_IDENTITY:
	case UIOMMU_RULE_TYPE_QUIRK:
	case UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED:
	case UIOMMU_RULE_TYPE_REFUSED:
	case UIOMMU_RULE_TYPE_MASK:
		return plan_besides_text(plan, topology, reason, text, size);
	default:
		return plan_policy_text(reason, text, size);
	}
}

size_t uiommu_plan_region_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	const struct uiommu_region *region = &plan->regions[reason->detail];
	unsigned long long first = region->range.first;
	unsigned long long last = region->range.last;

	switch (reason->rule) {
	case UIOMMU_RULE_REGION_MSI:
		return uiommu_format(text, size,
				     "0x%llx-0x%llx takes interrupts, never "
				     "memory accesses",
				     first, last);
	case UIOMMU_RULE_REGION_ISA:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT " leads to ISA devices, "
						    "which reach "
						    "0x%llx-0x%llx as they "
						    "always did",
				     PLAN_SID(topology, reason->device), first,
				     last);
	case UIOMMU_RULE_REGION_IN_RAM:
		return uiommu_format(text, size,
				     "DMAR record %u asks for 0x%llx-0x%llx, "
				     "part of which the host uses as RAM; it "
				     "is mapped all the same",
				     reason->other, first, last);
	case UIOMMU_RULE_REGION_IN_MSI:
		return uiommu_format(text, size,
				     "DMAR record %u asks for 0x%llx-0x%llx, "
				     "part of which takes interrupts and is "
				     "never mapped",
				     reason->other, first, last);
	case UIOMMU_RULE_REGION_NOT_USER:
		return uiommu_format(text, size,
				     "not for a user: DMAR record %u keeps "
				     "0x%llx-0x%llx for " UIOMMU_SID_FMT
				     " of this group",
				     region->record, first, last,
				     PLAN_SID(topology, reason->other));
	default:
		return uiommu_format(text, size,
				     "firmware asks in DMAR record %u that "
				     "0x%llx-0x%llx stay reachable",
				     reason->other, first, last);
	}
}
