// SPDX-License-Identifier: MIT
/* The words for reasons of types and regions. */
#include "base/format.h"
#include "plan/plan.h"

#define PLAN_SID(topology, index) PLAN_SID_ARGS(plan, topology, index)

static const char *plan_type_word(uint32_t type)
{
	return uiommu_domain_type_name((enum uiommu_domain_type)type);
}

/* What policy chose for the group of a device. */
static size_t plan_policy_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	const char *why = "as the build chooses where nothing else does";

	if (reason->rule == UIOMMU_RULE_TYPE_OPTION)
		why = "as an option given at start asks";
	else if (reason->rule == UIOMMU_RULE_TYPE_OPT_IN)
		why = "as firmware alone turned remapping on, for what is "
		      "plugged in from outside";
	else if (reason->rule == UIOMMU_RULE_TYPE_ENCRYPTED)
		why = "as host memory is encrypted, which rules identity out "
		      "as a default";
	return uiommu_format(text, size, UIOMMU_SID_FMT " gets %s, %s",
			     PLAN_SID(topology, reason->device),
			     plan_type_word(reason->detail), why);
}

/* What a unit cannot do or does not make sense over. */
static size_t plan_of_unit_text(const struct uiommu_plan *plan,
				const struct uiommu_topology *topology,
				const struct uiommu_reason *reason, char *text,
				size_t size)
{
	if (reason->rule == UIOMMU_RULE_TYPE_NO_IDENTITY)
		return uiommu_format(
			text, size,
			"the unit of " PLAN_RECORD_FMT ", over " UIOMMU_SID_FMT
			", has no pass-through, and no 1:1 table replaces it",
			PLAN_RECORD(plan, reason->other),
			PLAN_SID(topology, reason->device));
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT
			     " is not lazy, as the unit of " PLAN_RECORD_FMT
			     " caches what is not mapped (caching mode)",
			     PLAN_SID(topology, reason->device),
			     PLAN_RECORD(plan, reason->other));
}

static size_t plan_not_lazy_text(const struct uiommu_plan *plan,
				 const struct uiommu_topology *topology,
				 const struct uiommu_reason *reason, char *text,
				 size_t size)
{
	return uiommu_format(
		text, size,
		UIOMMU_SID_FMT
		" is not lazy, as next to host bridge " UIOMMU_SID_FMT
		" graphics must be idle at each flush",
		PLAN_SID(topology, reason->device),
		PLAN_SID(topology, reason->other));
}

static size_t plan_besides_text(const struct uiommu_plan *plan,
				const struct uiommu_topology *topology,
				const struct uiommu_reason *reason, char *text,
				size_t size)
{
	switch (reason->rule) {
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
		return uiommu_format(text, size,
				     "%s was asked for " UIOMMU_SID_FMT
				     " and so for the group of " UIOMMU_SID_FMT
				     ", but cannot be had",
				     plan_type_word(reason->detail),
				     PLAN_SID(topology, reason->other),
				     PLAN_SID(topology, reason->device));
	default:
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " reaches %u bits of address, RAM goes up "
				     "to 0x%llx: what is above cannot be "
				     "mapped for it in identity",
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
		PLAN_SID(topology, reason->other),
		plan->groups[device->group].id, plan_type_word(reason->detail),
		plan->groups[device->group].type == UIOMMU_DOMAIN_BLOCKED
			? " but cannot be made: blocked"
			: "");
}

/* What a member decided for the group: after its name, and after the type. */
struct plan_decided_words {
	const char *does;
	const char *so;
};

static const struct plan_decided_words *
plan_decided_words(enum uiommu_rule rule)
{
	static const struct plan_decided_words required = {
		"can work with no type but", ""
	};
	static const struct plan_decided_words untrusted = {
		"comes from outside the machine, which calls for strict", ""
	};
	static const struct plan_decided_words override = {
		"was named by who asked for", ""
	};
	static const struct plan_decided_words blocked = {
		"requires", ", which cannot be made: the group is blocked"
	};

	static const struct plan_decided_words reach = {
		"does not reach all of RAM, so identity would not serve it: "
		"it gets",
		""
	};

	switch (rule) {
	case UIOMMU_RULE_TYPE_REACH:
		return &reach;
	case UIOMMU_RULE_TYPE_UNTRUSTED:
		return &untrusted;
	case UIOMMU_RULE_TYPE_OVERRIDE:
		return &override;
	case UIOMMU_RULE_TYPE_BLOCKED:
		return &blocked;
	default:
		return &required;
	}
}

static size_t plan_decided_text(const struct uiommu_plan *plan,
				const struct uiommu_topology *topology,
				const struct uiommu_reason *reason, char *text,
				size_t size)
{
	const struct plan_decided_words *words = plan_decided_words(
		reason->rule);
	const char *type = plan_type_word(reason->detail);

	if (reason->other == reason->device)
		return uiommu_format(text, size, UIOMMU_SID_FMT " %s %s%s",
				     PLAN_SID(topology, reason->device),
				     words->does, type, words->so);
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT " of the group of " UIOMMU_SID_FMT
					    " %s %s%s",
			     PLAN_SID(topology, reason->other),
			     PLAN_SID(topology, reason->device), words->does,
			     type, words->so);
}

size_t uiommu_plan_type_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	switch (reason->rule) {
	case UIOMMU_RULE_TYPE_REQUIRED:
	case UIOMMU_RULE_TYPE_UNTRUSTED:
	case UIOMMU_RULE_TYPE_OVERRIDE:
	case UIOMMU_RULE_TYPE_BLOCKED:
	case UIOMMU_RULE_TYPE_REACH:
		return plan_decided_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_CONFLICT:
		return plan_conflict_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_NO_IDENTITY:
	case UIOMMU_RULE_TYPE_NOT_LAZY:
		return plan_of_unit_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_QUIRK:
	case UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED:
	case UIOMMU_RULE_TYPE_REFUSED:
	case UIOMMU_RULE_TYPE_MASK:
		return plan_besides_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_TYPE_BARRED:
	case UIOMMU_RULE_TYPE_BARRED_OWNED:
	case UIOMMU_RULE_TYPE_BARRED_APART:
	case UIOMMU_RULE_TYPE_HELD:
	case UIOMMU_RULE_TYPE_OWNED:
		return uiommu_plan_live_text(plan, topology, reason, text,
					     size);
	case UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS:
		return plan_not_lazy_text(plan, topology, reason, text, size);
	default:
		return plan_policy_text(plan, topology, reason, text, size);
	}
}

/* Reasons about a region that a DMAR record asks for. */
static size_t plan_record_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	const struct uiommu_region *region = &plan->regions[reason->detail];
	const char *how = "stay reachable";

	if (reason->rule == UIOMMU_RULE_REGION_IN_RAM)
		how = "stay reachable, though it is RAM to the host at least "
		      "in part; it is mapped all the same";
	else if (reason->rule == UIOMMU_RULE_REGION_IN_MSI)
		how = "stay reachable, but part of it takes interrupts and is "
		      "never mapped";
	return uiommu_format(text, size,
			     PLAN_RECORD_FMT " asks for " UIOMMU_SID_FMT
					     " that 0x%llx-0x%llx %s",
			     PLAN_RECORD(plan, reason->other),
			     PLAN_SID(topology, reason->device),
			     (unsigned long long)region->range.first,
			     (unsigned long long)region->range.last, how);
}

static size_t plan_not_user_text(const struct uiommu_plan *plan,
				 const struct uiommu_topology *topology,
				 const struct uiommu_reason *reason, char *text,
				 size_t size)
{
	const struct uiommu_region *region = &plan->regions[reason->detail];

	return uiommu_format(text, size,
			     UIOMMU_SID_FMT
			     " is not for a user: " PLAN_RECORD_FMT
			     " keeps 0x%llx-0x%llx for " UIOMMU_SID_FMT
			     " of its group",
			     PLAN_SID(topology, reason->device),
			     PLAN_RECORD(plan, region->record),
			     (unsigned long long)region->range.first,
			     (unsigned long long)region->range.last,
			     PLAN_SID(topology, reason->other));
}

size_t uiommu_plan_region_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size)
{
	const struct uiommu_region *region = &plan->regions[reason->detail];
	const char *what = "for its interrupts and never for memory";

	switch (reason->rule) {
	case UIOMMU_RULE_REGION_ISA:
		what = "as ISA devices below always could reach it";
		break;
	case UIOMMU_RULE_REGION_MSI:
		break;
	case UIOMMU_RULE_REGION_NOT_USER:
		return plan_not_user_text(plan, topology, reason, text, size);
	default:
		return plan_record_text(plan, topology, reason, text, size);
	}
	return uiommu_format(text, size,
			     "0x%llx-0x%llx is kept for " UIOMMU_SID_FMT ", %s",
			     (unsigned long long)region->range.first,
			     (unsigned long long)region->range.last,
			     PLAN_SID(topology, reason->device), what);
}
