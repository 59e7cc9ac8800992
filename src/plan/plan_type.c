// SPDX-License-Identifier: MIT
/*
 * The type of each group's default domain: what a member requires, else what
 * the option says, else what the library was built with. A group has one
 * default domain; where members require different types identity wins, for
 * who requires it does not work at all otherwise, and the plan says who lost.
 */
#include "plan/plan.h"
#include "plan/plan_config.h"

/* What the device or its unit allows alone; NONE if any type will do. */
static enum uiommu_domain_type plan_required(const struct plan_work *work,
					     uint32_t device)
{
	uint32_t unit = work->plan.devices[device].unit;

	if (unit == UIOMMU_PLAN_NONE)
		return UIOMMU_DOMAIN_NONE;
	if (!work->input->units[unit].passthrough)
		return UIOMMU_DOMAIN_DMA;
	return UIOMMU_DOMAIN_NONE;
}

static enum uiommu_domain_type plan_wanted(const struct plan_work *work)
{
	enum uiommu_choice choice = work->input->options.passthrough;

	if (choice == UIOMMU_CHOICE_DEFAULT)
		choice = UIOMMU_CONFIG_DEFAULT_PASSTHROUGH ? UIOMMU_CHOICE_YES
							   : UIOMMU_CHOICE_NO;
	return choice == UIOMMU_CHOICE_YES ? UIOMMU_DOMAIN_IDENTITY
					   : UIOMMU_DOMAIN_DMA;
}

void uiommu_plan_types(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	uint32_t i;

	for (i = 0; i < plan->device_count; i++) {
		struct uiommu_plan_device *device = &plan->devices[i];
		struct uiommu_plan_group *group;

		device->required = plan_required(work, i);
		if (device->required == UIOMMU_DOMAIN_NONE)
			continue;
		group = &plan->groups[device->group];
		if (group->type == UIOMMU_DOMAIN_NONE ||
		    (group->type != device->required &&
		     device->required == UIOMMU_DOMAIN_IDENTITY)) {
			group->type = device->required;
			work->notes[device->group].requirer = i;
		}
	}
	for (i = 0; i < plan->group_count; i++) {
		if (plan->groups[i].type == UIOMMU_DOMAIN_NONE)
			plan->groups[i].type = plan_wanted(work);
	}
}

void uiommu_plan_say_type(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan_device *decided = &work->plan.devices[device];
	const struct uiommu_plan_group *group;
	enum uiommu_rule rule = UIOMMU_RULE_TYPE_BUILD;
	uint32_t other;

	if (decided->group == UIOMMU_PLAN_NONE)
		return;
	group = &work->plan.groups[decided->group];
	other = work->notes[decided->group].requirer;
	if (decided->required == group->type)
		other = device;
	if (decided->required != UIOMMU_DOMAIN_NONE &&
	    decided->required != group->type)
		rule = UIOMMU_RULE_TYPE_CONFLICT;
	else if (other != UIOMMU_PLAN_NONE)
		rule = UIOMMU_RULE_TYPE_REQUIRED;
	else if (work->input->options.passthrough != UIOMMU_CHOICE_DEFAULT)
		rule = UIOMMU_RULE_TYPE_OPTION;
	uiommu_plan_say(work, rule, device, other, (uint32_t)group->type);
}
