// SPDX-License-Identifier: MIT
/*
 * Gathers the facts about each group, has plan_decide.c decide, and says why.
 * A group has one default domain: it is never split because its members do not
 * agree, and no member gets a domain of its own.
 *
 * Known models, from Linux: the audio function of Intel's ICH10 cannot meet
 * its deadlines when the unit it is under has no TLB entries. Graphics is left
 * alone when the option or plan_graphics.c says so. Neither for what comes from outside: there
 * anybody may give a device any id.
 */
#include "plan/plan.h"
#include "plan/plan_config.h"

#define PLAN_VENDOR_INTEL 0x8086
#define PLAN_ICH10_AUDIO 0x3a3e
#define PLAN_CLASS_DISPLAY 0x03

static bool plan_untrusted(const struct plan_work *work, uint32_t device)
{
	return uiommu_plan_untrusted(work->topology, work->input->rules,
				     device);
}

static bool plan_quirk(const struct plan_work *work, uint32_t device)
{
	const struct uiommu_pci_function *function;

	if (device >= work->topology->count)
		return false;
	function = &work->topology->functions[device];
	if (work->input->isoch_without_tlb &&
	    function->vendor == PLAN_VENDOR_INTEL &&
	    function->device == PLAN_ICH10_AUDIO)
		return true;
	return work->graphics_off &&
	       function->class_code >> 16 == PLAN_CLASS_DISPLAY;
}

static bool plan_can_identity(const struct plan_work *work, uint32_t device)
{
	uint32_t unit = work->plan.devices[device].unit;

	return work->input->units[unit].passthrough ||
	       (UIOMMU_CONFIG_IDENTITY_SOFTWARE &&
		!work->input->no_identity_tables &&
		work->input->ram_count != 0);
}

/* What the device or its unit allows alone; NONE if any type will do. */
static enum uiommu_domain_type plan_required(const struct plan_work *work,
					     uint32_t device)
{
	enum uiommu_domain_type demanded = work->notes[device].demanded;

	if (plan_untrusted(work, device))
		return UIOMMU_DOMAIN_DMA;
	if (demanded == UIOMMU_DOMAIN_IDENTITY || plan_quirk(work, device))
		return UIOMMU_DOMAIN_IDENTITY;
	if (demanded != UIOMMU_DOMAIN_NONE || !plan_can_identity(work, device))
		return UIOMMU_DOMAIN_DMA;
	return UIOMMU_DOMAIN_NONE;
}

static void plan_note_overrides(struct plan_work *work)
{
	const struct uiommu_plan_input *input = work->input;
	uint32_t i, k;

	for (i = 0; i < input->override_count; i++) {
		k = uiommu_plan_find(work, input->overrides[i].sid);
		if (k == UIOMMU_PLAN_NONE ||
		    work->plan.devices[k].group == UIOMMU_PLAN_NONE)
			continue;
		work->notes[work->plan.devices[k].group].named = k;
		work->notes[work->plan.devices[k].group].override = i;
	}
	for (i = 0; i < input->requirement_count; i++) {
		k = uiommu_plan_find(work, input->requirements[i].sid);
		if (k != UIOMMU_PLAN_NONE)
			work->notes[k].demanded = input->requirements[i].type;
	}
	for (i = 0; i < input->mask_count; i++) {
		uint8_t bits = 0;

		k = uiommu_plan_find(work, input->masks[i].sid);
		while (bits < 64 && input->masks[i].mask >> bits & 1)
			bits++;
		if (k != UIOMMU_PLAN_NONE)
			work->notes[k].mask_bits = bits;
	}
}

static void plan_first(uint32_t *member, uint32_t device)
{
	if (*member == UIOMMU_PLAN_NONE)
		*member = device;
}

static bool plan_is_short(const struct plan_work *work, uint32_t device)
{
	uint8_t bits = work->notes[device].mask_bits;

	return bits < 64 && work->plan.ram_last >> bits != 0;
}

/* What one device says about the type of its group. */
static void plan_gather_device(struct plan_work *work, uint32_t i)
{
	struct uiommu_plan_device *device = &work->plan.devices[i];
	struct plan_note *group = &work->notes[device->group];

	device->required = plan_required(work, i);
	if (!uiommu_plan_counts(work, i))
		return;
	group->counted = true;
	if (plan_untrusted(work, i))
		plan_first(&group->outsider, i);
	if (device->required == UIOMMU_DOMAIN_IDENTITY)
		plan_first(&group->requirer, i);
	else if (device->required == UIOMMU_DOMAIN_DMA)
		plan_first(&group->confined, i);
	if (!plan_can_identity(work, i))
		group->no_identity = true;
	if (work->input->rules == UIOMMU_RULES_STRICT && plan_is_short(work, i))
		plan_first(&group->short_of_ram, i);
}

static void plan_gather(struct plan_work *work)
{
	uint32_t caching = UIOMMU_PLAN_NONE;
	const struct uiommu_dmar *dmar = work->input->dmar;
	uint32_t i;

	/* As in Linux one such unit is enough: there is one policy. */
	for (i = 0; dmar != NULL && i < dmar->record_count; i++) {
		if (work->input->units[i].present &&
		    work->input->units[i].caching)
			plan_first(&caching, i);
	}
	for (i = 0; i < work->plan.group_count; i++)
		work->notes[i].caching = caching;
	for (i = 0; i < work->plan.device_count; i++) {
		if (work->plan.devices[i].group != UIOMMU_PLAN_NONE)
			plan_gather_device(work, i);
	}
}

static void plan_policy(const struct plan_work *work,
			struct plan_type_facts *facts)
{
	const struct uiommu_plan_input *input = work->input;

	memset(facts, 0, sizeof(*facts));
	(void)uiommu_plan_wanted(input, &facts->opt_in);
	facts->passthrough = input->options.passthrough;
	facts->strict = input->options.strict;
	facts->encrypted = input->memory_encryption;
	facts->build = input->build_default;
	facts->build_strict = UIOMMU_CONFIG_DEFAULT_STRICT;
	if (facts->build == UIOMMU_DOMAIN_NONE)
		facts->build = UIOMMU_CONFIG_DEFAULT_PASSTHROUGH
				       ? UIOMMU_DOMAIN_IDENTITY
				       : UIOMMU_DOMAIN_DMA;
	else if (facts->build != UIOMMU_DOMAIN_IDENTITY)
		facts->build_strict = facts->build == UIOMMU_DOMAIN_DMA;
	else if (input->rules == UIOMMU_RULES_LINUX)
		facts->build_strict = false; /* it is never built for both */
}

/* Between what was decided and what is in force. */
static void plan_put_type(struct plan_work *work, uint32_t index,
			  const struct plan_type_decision *decision)
{
	struct uiommu_plan_group *group = &work->plan.groups[index];
	struct plan_note *note = &work->notes[index];
	uint32_t newcomer;

	note->decided = decision->type;
	note->type_rule = decision->rule;
	note->wants_lazy = decision->wants_lazy;
	group->type = decision->type;
	group->type_required = decision->required;
	if (!note->counted) {
		note->decided = UIOMMU_DOMAIN_BLOCKED;
		group->type = UIOMMU_DOMAIN_BLOCKED;
		group->type_required = true;
		return;
	}
	if (!uiommu_plan_is_held(work, index))
		return;
	group->type = work->held[note->number].type;
	if (group->type != note->decided)
		group->type_required = true;
	if (group->type != UIOMMU_DOMAIN_DMA_FQ)
		return;
	newcomer = uiommu_plan_newcomer(work, index);
	if (newcomer == UIOMMU_PLAN_NONE)
		return;
	/* To flush at once is possible at any time. */
	note->outsider = newcomer;
	note->decided = UIOMMU_DOMAIN_DMA;
	note->type_rule = UIOMMU_RULE_TYPE_UNTRUSTED;
	note->wants_lazy = false;
	group->type = UIOMMU_DOMAIN_DMA;
	group->type_required = true;
}

void uiommu_plan_types(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	struct plan_type_decision decision;
	struct plan_type_facts facts;
	uint32_t i;

	plan_note_overrides(work);
	plan_gather(work);
	plan_policy(work, &facts);
	for (i = 0; i < plan->group_count; i++) {
		struct plan_note *note = &work->notes[i];

		facts.untrusted = note->outsider != UIOMMU_PLAN_NONE;
		facts.needs_identity = note->requirer != UIOMMU_PLAN_NONE;
		facts.needs_dma = note->confined != UIOMMU_PLAN_NONE;
		facts.can_identity = !note->no_identity;
		facts.caching = note->caching != UIOMMU_PLAN_NONE ||
				work->not_lazy != UIOMMU_PLAN_NONE;
		facts.override = UIOMMU_DOMAIN_NONE;
		if (note->override != UIOMMU_PLAN_NONE)
			facts.override =
				work->input->overrides[note->override].type;
		facts.short_of_ram = note->short_of_ram != UIOMMU_PLAN_NONE;
		uiommu_plan_decide_type(&facts, &decision);
		plan_put_type(work, i, &decision);
	}
}

enum uiommu_domain_type uiommu_plan_kind(enum uiommu_domain_type type)
{
	return type == UIOMMU_DOMAIN_DMA_FQ ? UIOMMU_DOMAIN_DMA : type;
}

/* The member whose requirement the group's type is, or NONE. */
static uint32_t plan_winner(const struct plan_note *group)
{
	if (group->outsider != UIOMMU_PLAN_NONE)
		return group->outsider;
	return group->requirer != UIOMMU_PLAN_NONE ? group->requirer
						   : group->confined;
}

static void plan_say_decision(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan_device *decided = &work->plan.devices[device];
	const struct plan_note *group = &work->notes[decided->group];
	enum uiommu_domain_type type = group->decided;
	enum uiommu_domain_type won = uiommu_plan_kind(type);
	enum uiommu_rule rule = group->type_rule;
	uint32_t other = UIOMMU_PLAN_NONE;

	if (type == UIOMMU_DOMAIN_BLOCKED)
		won = UIOMMU_DOMAIN_IDENTITY; /* what could not be made */
	if (decided->required != UIOMMU_DOMAIN_NONE &&
	    decided->required != won && uiommu_plan_counts(work, device)) {
		rule = UIOMMU_RULE_TYPE_CONFLICT;
		other = plan_winner(group);
		type = won;
	} else if (rule == UIOMMU_RULE_TYPE_BLOCKED) {
		other = group->requirer;
		type = won;
	} else if (rule == UIOMMU_RULE_TYPE_UNTRUSTED) {
		other = group->outsider;
		if (plan_untrusted(work, device))
			other = device;
	} else if (rule == UIOMMU_RULE_TYPE_REQUIRED) {
		other = decided->required == won ? device : plan_winner(group);
	} else if (rule == UIOMMU_RULE_TYPE_OVERRIDE) {
		other = group->named;
	} else if (rule == UIOMMU_RULE_TYPE_REACH) {
		other = plan_is_short(work, device) ? device
						    : group->short_of_ram;
	}
	uiommu_plan_say(work, rule, device, other, (uint32_t)type);
}

static void plan_say_quirk(struct plan_work *work, uint32_t device)
{
	bool quirk = plan_quirk(work, device);

	if (plan_untrusted(work, device)) {
		if (quirk ||
		    work->notes[device].demanded == UIOMMU_DOMAIN_IDENTITY)
			uiommu_plan_say(work, UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED,
					device, UIOMMU_PLAN_NONE,
					UIOMMU_DOMAIN_IDENTITY);
	} else if (quirk) {
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_QUIRK, device,
				UIOMMU_PLAN_NONE, UIOMMU_DOMAIN_IDENTITY);
	}
}

/* It would be lazy: says what forbids that, if two things do both. */
static void plan_say_not_lazy(struct plan_work *work, uint32_t device)
{
	uint32_t group = work->plan.devices[device].group;

	if (work->notes[group].caching != UIOMMU_PLAN_NONE)
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_NOT_LAZY, device,
				work->notes[group].caching, UIOMMU_PLAN_NONE);
	if (work->not_lazy != UIOMMU_PLAN_NONE)
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS,
				device, work->not_lazy, UIOMMU_PLAN_NONE);
}

static void plan_say_besides(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan_device *decided = &work->plan.devices[device];
	enum uiommu_domain_type type = work->plan.groups[decided->group].type;
	const struct plan_note *group = &work->notes[decided->group];
	enum uiommu_domain_type asked;

	if (!plan_can_identity(work, device))
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_NO_IDENTITY, device,
				decided->unit, UIOMMU_PLAN_NONE);
	plan_say_quirk(work, device);
	if (decided->barred)
		return;
	if (group->override != UIOMMU_PLAN_NONE) {
		asked = work->input->overrides[group->override].type;
		if (asked != group->decided)
			uiommu_plan_say(work, UIOMMU_RULE_TYPE_REFUSED, device,
					group->named, (uint32_t)asked);
	}
	if (group->wants_lazy)
		plan_say_not_lazy(work, device);
	if (type == UIOMMU_DOMAIN_IDENTITY && plan_is_short(work, device))
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_MASK, device,
				UIOMMU_PLAN_NONE,
				work->notes[device].mask_bits);
	if (type != group->decided)
		uiommu_plan_say(work, UIOMMU_RULE_TYPE_HELD, device,
				UIOMMU_PLAN_NONE, (uint32_t)group->decided);
}

void uiommu_plan_say_type(struct plan_work *work, uint32_t device)
{
	if (work->plan.devices[device].group == UIOMMU_PLAN_NONE)
		return;
	if (!uiommu_plan_say_barred(work, device))
		plan_say_decision(work, device);
	plan_say_besides(work, device);
}
