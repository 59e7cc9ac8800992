// SPDX-License-Identifier: MIT
/*
 * What would change things. Nothing here is guessed where it can be computed:
 * the machine is planned again with the access control, or the option, that
 * the advice is about.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

#define ADVICE_ACS_OFFSET 0x100 /* where a capability that is not there is */
#define ADVICE_SLOTS_MOST 3u

static void advice_add(struct advices *advices, uint32_t blamed,
		       const char *fmt, ...) UIOMMU_PRINTF(3, 4);

static void advice_add(struct advices *advices, uint32_t blamed,
		       const char *fmt, ...)
{
	struct advice *one = &advices->list[advices->count];
	va_list args;

	if (advices->count == ADVICE_MOST)
		return;
	va_start(args, fmt);
	if (vasprintf(&one->text, fmt, args) >= 0) {
		one->blamed = blamed;
		advices->count++;
	}
	va_end(args);
}

void advices_fini(struct advices *advices)
{
	for (uint32_t i = 0; i < advices->count; i++)
		free(advices->list[i].text);
	advices->count = 0;
}

static bool advice_has(const struct advices *advices, uint32_t blamed)
{
	for (uint32_t i = 0; i < advices->count; i++)
		if (advices->list[i].blamed == blamed)
			return true;
	return false;
}

/* A copy of the machine's functions, to be changed; free() its array. */
static int advice_copy(const struct study *study, struct uiommu_topology *copy)
{
	const struct uiommu_topology *from = &study->machine->topology;
	size_t size = from->count * sizeof(*from->functions);

	*copy = *from;
	copy->functions = malloc(size + 1);
	if (!copy->functions)
		return -1;
	memcpy(copy->functions, from->functions, size);
	return 0;
}

static void advice_give_acs(struct uiommu_pci_function *f)
{
	if (!f->acs_offset)
		f->acs_offset = ADVICE_ACS_OFFSET;
	f->acs_capability |= STUDY_ACS;
	f->acs_control |= STUDY_ACS;
}

/* Members of the device's group if @blamed, or its whole slot, had ACS. */
static uint32_t advice_members_with(const struct study *study, uint32_t device,
				    uint32_t blamed, bool slot)
{
	struct uiommu_topology copy;
	struct uiommu_plan plan;
	uint32_t members = 0;

	if (advice_copy(study, &copy))
		return 0;
	for (uint32_t i = 0; i < copy.count; i++) {
		const struct uiommu_sid *a = &copy.functions[i].sid;
		const struct uiommu_sid *b = &copy.functions[blamed].sid;

		if (i == blamed || (slot && a->segment == b->segment &&
				    a->rid >> 3 == b->rid >> 3))
			advice_give_acs(&copy.functions[i]);
	}
	if (!study_plan_with(study, &copy, &plan)) {
		if (plan.devices[device].group != UIOMMU_PLAN_NONE)
			members = plan.groups[plan.devices[device].group]
					  .member_count;
		uiommu_plan_fini(&plan);
	}
	free(copy.functions);
	return members;
}

/* How @blamed could come to have what it lacks. */
static const char *advice_how(const struct uiommu_pci_function *f)
{
	if (!f->acs_offset)
		return "it has no ACS capability; no kernel option gives it "
		       "one, "
		       "a few firmware set-ups do under a name like 'ACS'";
	if ((f->acs_control & STUDY_ACS) != (f->acs_capability & STUDY_ACS))
		return "it has the capability but not all of it is turned on: "
		       "boot Linux with intel_iommu=on, without "
		       "pci=disable_acs_redir or config_acs";
	return "it can do no more than it does";
}

static void advice_acs(const struct study *study, uint32_t device,
		       uint32_t blamed, bool slot, struct advices *advices)
{
	uint32_t group = study->plan.devices[device].group;
	uint32_t now = study->plan.groups[group].member_count, then;
	char name[300];

	if (advice_has(advices, blamed))
		return;
	study_device_name(study, blamed, name, sizeof(name));
	then = advice_members_with(study, device, blamed, slot);
	if (!then || then >= now)
		advice_add(
			advices, blamed,
			"access control in %s%s alone would not make the "
			"group smaller; %s",
			slot ? "all functions of the slot of " : "", name,
			advice_how(
				&study->machine->topology.functions[blamed]));
	else
		advice_add(
			advices, blamed,
			"with access control in %s%s the group would have "
			"%u instead of %u devices; %s",
			slot ? "all functions of the slot of " : "", name, then,
			now,
			advice_how(
				&study->machine->topology.functions[blamed]));
}

/* Functions of one slot: once for all of them, by the first. */
static void advice_slot(const struct study *study, uint32_t device,
			struct advices *advices)
{
	const struct uiommu_pci_function *functions =
		study->machine->topology.functions;
	uint32_t first = device;
	char name[300];

	while (first &&
	       functions[first - 1].sid.segment ==
		       functions[device].sid.segment &&
	       functions[first - 1].sid.rid >> 3 ==
		       functions[device].sid.rid >> 3)
		first--;
	if (functions[device].pcie_type != UIOMMU_PCI_CONVENTIONAL) {
		advice_acs(study, device, first, true, advices);
		return;
	}
	if (advice_has(advices, first))
		return;
	study_device_name(study, first, name, sizeof(name));
	advice_add(advices, first,
		   "the functions of the slot of %s are parts of one "
		   "conventional device; nothing keeps them apart, so hand out "
		   "all or none",
		   name);
}

/* One reason's part. */
static void advice_reason(const struct study *study,
			  const struct uiommu_reason *reason,
			  struct advices *advices)
{
	char name[300] = "";

	if (reason->other != UIOMMU_PLAN_NONE)
		study_device_name(study, reason->other, name, sizeof(name));
	switch (reason->rule) {
	case UIOMMU_RULE_GROUP_NO_ACS:
	case UIOMMU_RULE_GROUP_REACH:
		advice_acs(study, reason->device, reason->other, false,
			   advices);
		break;
	case UIOMMU_RULE_GROUP_MULTIFUNCTION:
		advice_slot(study, reason->device, advices);
		break;
	case UIOMMU_RULE_GROUP_BRIDGE:
		if (!advice_has(advices, reason->other))
			advice_add(advices, reason->other,
				   "what is behind %s cannot be told apart; "
				   "nothing but a slot that is not behind it "
				   "changes that",
				   name);
		break;
	case UIOMMU_RULE_GROUP_ALIAS:
		if (!advice_has(advices, reason->other))
			advice_add(advices, reason->other,
				   "the IOMMU sees requests of %s and its "
				   "companion under one id; hand out both "
				   "together",
				   name);
		break;
	default:
		break;
	}
}

static bool advice_is_port(const struct uiommu_pci_function *f)
{
	return f->header_type == 1 &&
	       (f->pcie_type == UIOMMU_PCIE_ROOT_PORT ||
		f->pcie_type == UIOMMU_PCIE_DOWNSTREAM_PORT);
}

/* Root ports with nothing below them that would keep a card apart. */
static void advice_slots(const struct study *study, uint32_t group,
			 struct advices *advices)
{
	const struct uiommu_topology *topology = &study->machine->topology;
	char names[ADVICE_SLOTS_MOST * 302] = "", name[300];
	uint32_t found = 0;

	for (uint32_t i = 0; i < topology->count; i++) {
		uint32_t own = study->plan.devices[i].group;
		bool free = advice_is_port(&topology->functions[i]);

		for (uint32_t k = 0; free && k < topology->count; k++)
			free = topology->functions[k].parent != i;
		if (!free || own == UIOMMU_PLAN_NONE || own == group ||
		    study->plan.groups[own].member_count != 1 ||
		    found == ADVICE_SLOTS_MOST)
			continue;
		study_device_name(study, i, name, sizeof(name));
		if (found++)
			strcat(names, ", ");
		strcat(names, name);
	}
	if (found)
		advice_add(advices, UIOMMU_PLAN_NONE,
			   "another slot: a card below port %s, where nothing "
			   "is now, would not share this group",
			   names);
}

static bool advice_pluggable(const struct study *study, uint32_t device)
{
	const struct uiommu_topology *topology = &study->machine->topology;

	return device < topology->count &&
	       topology->functions[device].header_type == 0 &&
	       topology->functions[device].parent != UIOMMU_PCI_NONE;
}

/* Firmware's claim, and what people can do about it. */
static void advice_region(const struct study *study, uint32_t group,
			  struct advices *advices)
{
	const struct uiommu_plan_group *g = &study->plan.groups[group];
	const struct uiommu_dmar *dmar = &study->machine->dmar;

	for (uint32_t i = 0; i < g->region_count; i++) {
		const struct uiommu_region *r =
			&study->plan.group_regions[g->region_first + i];

		if (r->type != UIOMMU_REGION_DIRECT ||
		    r->record >= dmar->record_count)
			continue;
		advice_add(advices, UIOMMU_PLAN_NONE,
			   "to hand it to a user, turn off in firmware set-up "
			   "what makes it keep 0x%llx-0x%llx (DMAR record %u, "
			   "offset 0x%x: remote management, shared memory with "
			   "a controller, legacy support); Linux refuses with "
			   "'ineligible for IOMMU domain attach due to "
			   "platform RMRR' and has no option for it",
			   (unsigned long long)r->range.first,
			   (unsigned long long)r->range.last, r->record,
			   dmar->records[r->record].offset);
	}
}

/* The group's type with other words on the command line. */
static void advice_option(const struct study *study, uint32_t group,
			  const char *words, struct advices *advices)
{
	enum uiommu_domain_type now = study->plan.groups[group].type, then;
	uint32_t device =
		study->plan.members[study->plan.groups[group].member_first];
	struct uiommu_plan_input input = study->input;
	struct uiommu_plan plan;

	uiommu_options_parse(words, strlen(words), &input.options, NULL, 0);
	if (uiommu_plan_make(study->machine->topology.host, &input, &plan))
		return;
	if (plan.devices[device].group != UIOMMU_PLAN_NONE) {
		then = plan.groups[plan.devices[device].group].type;
		if (then != now)
			advice_add(advices, UIOMMU_PLAN_NONE,
				   "kernel option '%s' would make its type %s "
				   "instead of %s",
				   words, uiommu_domain_type_name(then),
				   uiommu_domain_type_name(now));
	}
	uiommu_plan_fini(&plan);
}

static void advice_types(const struct study *study, uint32_t group,
			 struct advices *advices)
{
	static const char *const words[] = {
		"iommu.passthrough=1",
		"iommu.passthrough=0 iommu.strict=0",
		"iommu.passthrough=0 iommu.strict=1",
	};
	uint32_t before = advices->count;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		advice_option(study, group, words[i], advices);
	if (advices->count == before)
		advice_add(advices, UIOMMU_PLAN_NONE,
			   "no kernel option changes its type");
}

const char *advise_unconfined(const struct study *study, uint32_t device)
{
	const struct uiommu_reason *reasons;

	if (!uiommu_plan_reasons(&study->plan, device, &reasons))
		return "";
	switch (reasons[0].rule) {
	case UIOMMU_RULE_UNIT_OFF:
		return "boot with intel_iommu=on, without iommu=off";
	case UIOMMU_RULE_UNIT_GRAPHICS_OFF:
		if (reasons[0].detail != UIOMMU_PLAN_NONE)
			return "nothing: graphics does not work translated on "
			       "this model of machine";
		return "boot without intel_iommu=igfx_off";
	default:
		if (!study->machine->table)
			return "turn VT-d on in firmware set-up; without a "
			       "DMAR table there is no unit to use";
		return "nothing but another DMAR table: firmware names no "
		       "unit for this device";
	}
}

void advise(const struct study *study, uint32_t group, struct advices *advices)
{
	uint32_t count;
	const uint32_t *members = study_members(study, group, &count);
	const struct uiommu_reason *reasons;
	bool pluggable = false;

	advices->count = 0;
	for (uint32_t i = 0; count > 1 && i < count; i++) {
		uint32_t reason_count = uiommu_plan_reasons(
			&study->plan, members[i], &reasons);

		pluggable |= advice_pluggable(study, members[i]);
		for (uint32_t k = 0; k < reason_count; k++)
			advice_reason(study, &reasons[k], advices);
	}
	if (count > 1 && pluggable)
		advice_slots(study, group, advices);
	advice_region(study, group, advices);
	advice_types(study, group, advices);
}
