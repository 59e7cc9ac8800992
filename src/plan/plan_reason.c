// SPDX-License-Identifier: MIT
/* Reasons, and the words for them. */
#include "base/format.h"
#include "plan/plan.h"

#define PLAN_SID(topology, index) PLAN_SID_ARGS(plan, topology, index)

void uiommu_plan_say(struct plan_work *work, enum uiommu_rule rule,
		     uint32_t device, uint32_t other, uint32_t detail)
{
	struct uiommu_plan *plan = &work->plan;

	if (plan->reason_count == work->reason_room)
		return;
	plan->reasons[plan->reason_count++] = (struct uiommu_reason){
		rule, device, other, detail
	};
}

const char *uiommu_domain_type_name(enum uiommu_domain_type type)
{
	switch (type) {
	case UIOMMU_DOMAIN_NONE:
		return "none";
	case UIOMMU_DOMAIN_BLOCKED:
		return "blocked";
	case UIOMMU_DOMAIN_IDENTITY:
		return "identity";
	case UIOMMU_DOMAIN_DMA:
		return "DMA";
	case UIOMMU_DOMAIN_DMA_FQ:
		return "DMA-FQ";
	case UIOMMU_DOMAIN_UNMANAGED:
		return "unmanaged";
	case UIOMMU_DOMAIN_SINK:
		return "sink";
	}
	return "unknown";
}

const char *uiommu_region_type_name(enum uiommu_region_type type)
{
	switch (type) {
	case UIOMMU_REGION_DIRECT:
		return "direct";
	case UIOMMU_REGION_DIRECT_RELAXABLE:
		return "direct-relaxable";
	case UIOMMU_REGION_RESERVED:
		return "reserved";
	case UIOMMU_REGION_MSI:
		return "msi";
	}
	return "unknown";
}

uint32_t uiommu_plan_record_offset(const struct uiommu_plan *plan,
				   uint32_t record)
{
	return record < plan->record_count ? plan->record_offsets[record] : 0;
}

/* The device itself asks under another name, or has none in PCI. */
static size_t plan_unit_other_text(const struct uiommu_plan *plan,
				   const struct uiommu_topology *topology,
				   const struct uiommu_reason *reason,
				   char *text, size_t size)
{
	const char *how = " asks as ";

	if (reason->rule == UIOMMU_RULE_UNIT_NAMESPACE)
		return uiommu_format(
			text, size,
			"the unit of " PLAN_RECORD_FMT " names the ACPI device "
			"of " PLAN_RECORD_FMT ", which asks as " UIOMMU_SID_FMT,
			PLAN_RECORD(plan, reason->other),
			PLAN_RECORD(plan, reason->detail),
			PLAN_SID(topology, reason->device));
	if (reason->rule == UIOMMU_RULE_UNIT_PHYSICAL)
		how = " is a virtual function of ";
	return uiommu_format(text, size,
			     UIOMMU_SID_FMT "%s" UIOMMU_SID_FMT
					    ", so the unit of " PLAN_RECORD_FMT
					    " is its",
			     PLAN_SID(topology, reason->device), how,
			     PLAN_SID(topology, reason->detail),
			     PLAN_RECORD(plan, reason->other));
}

static size_t plan_unit_none_text(const struct uiommu_plan *plan,
				  const struct uiommu_topology *topology,
				  const struct uiommu_reason *reason,
				  char *text, size_t size)
{
	const char *why = "is not there";

	if (reason->rule == UIOMMU_RULE_UNIT_GRAPHICS_OFF &&
	    reason->detail != UIOMMU_PLAN_NONE)
		return uiommu_format(
			text, size,
			"the unit of " PLAN_RECORD_FMT " is for displays alone "
			"and stays off, as graphics does not work translated "
			"next to " UIOMMU_SID_FMT ", so nothing confines the "
			"DMA of " UIOMMU_SID_FMT,
			PLAN_RECORD(plan, reason->other),
			PLAN_SID(topology, reason->detail),
			PLAN_SID(topology, reason->device));
	if (reason->rule == UIOMMU_RULE_UNIT_GRAPHICS_OFF)
		why = "is for displays alone and an option leaves it off";
	else if (reason->rule == UIOMMU_RULE_UNIT_OFF)
		return uiommu_format(text, size,
				     "remapping is turned off, so nothing "
				     "confines the DMA of " UIOMMU_SID_FMT,
				     PLAN_SID(topology, reason->device));
	else if (reason->other == UIOMMU_PLAN_NONE)
		return uiommu_format(text, size,
				     "no unit covers " UIOMMU_SID_FMT
				     ", so nothing confines its DMA",
				     PLAN_SID(topology, reason->device));
	return uiommu_format(text, size,
			     "the unit of " PLAN_RECORD_FMT " %s, so nothing "
			     "confines the DMA of " UIOMMU_SID_FMT,
			     PLAN_RECORD(plan, reason->other), why,
			     PLAN_SID(topology, reason->device));
}

static size_t plan_unit_held_text(const struct uiommu_plan *plan,
				  const struct uiommu_topology *topology,
				  const struct uiommu_reason *reason,
				  char *text, size_t size)
{
	uint32_t unit = plan->devices[reason->device].unit;

	if (unit == UIOMMU_PLAN_NONE)
		return uiommu_format(
			text, size,
			UIOMMU_SID_FMT
			" stays without a unit, so nothing confines its DMA; "
			"a new start would give it that of " PLAN_RECORD_FMT,
			PLAN_SID(topology, reason->device),
			PLAN_RECORD(plan, reason->other));
	if (reason->other == UIOMMU_PLAN_NONE)
		return uiommu_format(text, size,
				     UIOMMU_SID_FMT
				     " keeps the unit of " PLAN_RECORD_FMT
				     ", which is in force for it; a new start "
				     "would give it none",
				     PLAN_SID(topology, reason->device),
				     PLAN_RECORD(plan, unit));
	return uiommu_format(
		text, size,
		UIOMMU_SID_FMT " keeps the unit of " PLAN_RECORD_FMT
			       ", which is in force for it; a new start would "
			       "give it that of " PLAN_RECORD_FMT,
		PLAN_SID(topology, reason->device), PLAN_RECORD(plan, unit),
		PLAN_RECORD(plan, reason->other));
}

static size_t plan_unit_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size)
{
	switch (reason->rule) {
	case UIOMMU_RULE_UNIT_SCOPE:
		return uiommu_format(text, size,
				     "the unit of " PLAN_RECORD_FMT
				     " names " UIOMMU_SID_FMT " itself",
				     PLAN_RECORD(plan, reason->other),
				     PLAN_SID(topology, reason->device));
	case UIOMMU_RULE_UNIT_BRIDGE_SCOPE:
		return uiommu_format(text, size,
				     "the unit of " PLAN_RECORD_FMT
				     " names bridge " UIOMMU_SID_FMT
				     " above " UIOMMU_SID_FMT,
				     PLAN_RECORD(plan, reason->other),
				     PLAN_SID(topology, reason->detail),
				     PLAN_SID(topology, reason->device));
	case UIOMMU_RULE_UNIT_INCLUDE_ALL:
		return uiommu_format(text, size,
				     "the unit of " PLAN_RECORD_FMT
				     " takes all others, so " UIOMMU_SID_FMT
				     " too",
				     PLAN_RECORD(plan, reason->other),
				     PLAN_SID(topology, reason->device));
	case UIOMMU_RULE_UNIT_PHYSICAL:
	case UIOMMU_RULE_UNIT_REQUESTER:
	case UIOMMU_RULE_UNIT_NAMESPACE:
		return plan_unit_other_text(plan, topology, reason, text, size);
	case UIOMMU_RULE_UNIT_HELD:
		return plan_unit_held_text(plan, topology, reason, text, size);
	default:
		return plan_unit_none_text(plan, topology, reason, text, size);
	}
}

size_t uiommu_reason_text(const struct uiommu_plan *plan,
			  const struct uiommu_topology *topology,
			  const struct uiommu_reason *reason, char *text,
			  size_t size)
{
	if (reason->rule <= UIOMMU_RULE_UNIT_HELD)
		return plan_unit_text(plan, topology, reason, text, size);
	if (reason->rule <= UIOMMU_RULE_GROUP_APART)
		return uiommu_plan_group_text(plan, topology, reason, text,
					      size);
	if (reason->rule <= UIOMMU_RULE_TYPE_OWNED)
		return uiommu_plan_type_text(plan, topology, reason, text,
					     size);
	return uiommu_plan_region_text(plan, topology, reason, text, size);
}
