// SPDX-License-Identifier: MIT
/*
 * What each function keeps apart: a port what is below it, a function of a
 * slot itself from the others of the slot.
 *
 * Specification: "PCI Express Base", "Access Control Services (ACS)".
 *
 * Linux's answer is noted beside ours. It trusts more: reserved types, bridges
 * that say they are endpoints, and ports that isolate once it has set them up.
 * So whatever it joins is joined by us.
 */
#include "plan/plan.h"
#include "plan/plan_quirk.h"

#define PLAN_ACS_NEEDED                                               \
	(UIOMMU_ACS_SOURCE_VALIDATION | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)

uint32_t uiommu_plan_acs_missing(const struct uiommu_pci_function *function)
{
	if (function->acs_offset == 0)
		return PLAN_ACS_NEEDED;
	/* What a function with the capability cannot do, it does always. */
	return PLAN_ACS_NEEDED & function->acs_capability &
	       ~(uint32_t)function->acs_control;
}

/* By what configuration space says. */
static bool plan_is_apart(const struct uiommu_pci_function *function,
			  enum uiommu_rules rules)
{
	switch (function->pcie_type) {
	case UIOMMU_PCIE_ROOT_PORT:
	case UIOMMU_PCIE_DOWNSTREAM_PORT:
		return uiommu_plan_acs_missing(function) == 0;
	case UIOMMU_PCIE_UPSTREAM_PORT:
		break;
	case UIOMMU_PCIE_ENDPOINT:
	case UIOMMU_PCIE_LEGACY_ENDPOINT:
	case UIOMMU_PCIE_INTEGRATED_ENDPOINT:
		if (rules == UIOMMU_RULES_STRICT && function->header_type != 0)
			return false; /* a bridge that denies being one */
		break;
	case UIOMMU_PCIE_TO_PCI_BRIDGE:
	case UIOMMU_PCI_TO_PCIE_BRIDGE:
	case UIOMMU_PCIE_EVENT_COLLECTOR:
	case UIOMMU_PCI_CONVENTIONAL:
		return false;
	default:
		return rules == UIOMMU_RULES_LINUX;
	}
	/* Alone in its slot there is nobody it could reach. */
	return !function->multifunction ||
	       uiommu_plan_acs_missing(function) == 0;
}

static bool plan_apart(const struct uiommu_pci_function *function,
		       enum uiommu_rules rules, uint32_t *claim)
{
	*claim = uiommu_plan_claim(function, rules);
	if (*claim != UIOMMU_PLAN_NONE)
		return true;
	return !uiommu_plan_disclaimed(function) &&
	       plan_is_apart(function, rules);
}

uint32_t uiommu_plan_lack(const struct plan_work *work, uint32_t function)
{
	struct uiommu_pci_function ideal = work->topology->functions[function];
	uint32_t lack = uiommu_plan_acs_missing(&ideal);
	uint32_t claim;

	if (ideal.acs_offset == 0)
		lack |= UIOMMU_ACS_NO_CAPABILITY;
	ideal.acs_offset = 0x100;
	ideal.acs_capability = PLAN_ACS_NEEDED;
	ideal.acs_control = PLAN_ACS_NEEDED;
	if (!plan_apart(&ideal, work->input->rules, &claim))
		lack |= UIOMMU_ACS_NOT_COUNTED;
	return lack;
}

static void plan_note_apart(struct plan_work *work, uint32_t i)
{
	const struct uiommu_pci_function *function =
		&work->topology->functions[i];
	struct plan_note *note = &work->notes[i];
	uint32_t claims[2];

	note->model = uiommu_plan_model(function);
	note->apart = plan_apart(function, UIOMMU_RULES_STRICT, &claims[0]);
	note->linux_apart = plan_apart(function, UIOMMU_RULES_LINUX,
				       &claims[1]);
	/* The host has done what this vendor's word hangs on. */
	if (!note->apart && work->input->chipset_set_up &&
	    uiommu_plan_claim_hangs(claims[1])) {
		note->apart = true;
		claims[0] = claims[1];
	}
	note->claim = claims[work->input->rules == UIOMMU_RULES_LINUX];
	/* One that does without is not worth a word. */
	if (plan_is_apart(function, work->input->rules))
		note->claim = UIOMMU_PLAN_NONE;
}

static void plan_note_leaks(struct plan_work *work, uint32_t device)
{
	struct plan_note *notes = work->notes;
	struct plan_note *note = &notes[device];
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t i = device;

	for (; i != UIOMMU_PCI_NONE; left--) {
		if (note->leak == UIOMMU_PLAN_NONE &&
		    (!notes[i].apart || left == 0))
			note->leak = i;
		if (note->linux_leak == UIOMMU_PLAN_NONE &&
		    (!notes[i].linux_apart || left == 0))
			note->linux_leak = i;
		if (left == 0)
			return;
		i = uiommu_plan_above(work->topology, i);
	}
}

static void plan_lower(uint32_t *noted, uint32_t i)
{
	if (*noted == UIOMMU_PLAN_NONE)
		*noted = i;
}

/* Where requests from below, or from the slot, may go round. */
static void plan_note_open(struct plan_work *work, uint32_t i)
{
	const struct uiommu_topology *topology = work->topology;
	const struct uiommu_pci_function *function = &topology->functions[i];
	uint32_t above = uiommu_plan_above(topology, i);

	if (work->notes[i].apart)
		return;
	if (function->pcie_type == UIOMMU_PCIE_DOWNSTREAM_PORT &&
	    above != UIOMMU_PCI_NONE)
		plan_lower(&work->notes[above].open_below, i);
	if (function->multifunction)
		plan_lower(&work->notes[uiommu_plan_slot_first(topology, i)]
				    .open_slot,
			   i);
}

void uiommu_plan_note_isolation(struct plan_work *work)
{
	uint32_t i;

	for (i = 0; i < work->function_count; i++)
		plan_note_apart(work, i);
	for (i = 0; i < work->function_count; i++) {
		plan_note_leaks(work, i);
		plan_note_open(work, i);
	}
}
