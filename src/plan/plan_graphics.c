// SPDX-License-Identifier: MIT
/*
 * Machines whose graphics does not work translated, or not with invalidation
 * that comes late. As in Linux what tells is the model of a function, mostly
 * of the host bridge, and what follows is for the whole machine: displays are
 * left alone as if an option said so, or nothing is lazy.
 *
 * Not so for what comes from outside: there anybody may give a device any id.
 */
#include "plan/plan.h"
#include "plan/plan_quirk.h"

static bool plan_believed(const struct plan_work *work, uint32_t function)
{
	return !uiommu_plan_untrusted(work->topology, work->input->rules,
				      function);
}

/* The first function for which displays are left alone, or NONE. */
static uint32_t plan_breaks(const struct plan_work *work, uint32_t bridge)
{
	uint32_t i;

	for (i = 0; i < work->function_count; i++) {
		if (uiommu_plan_breaks_graphics(
			    &work->topology->functions[i]) &&
		    plan_believed(work, i))
			return i;
	}
	return work->input->ggc == UIOMMU_GGC_NO_SHADOW ? bridge
							: UIOMMU_PLAN_NONE;
}

void uiommu_plan_graphics_note(struct plan_work *work)
{
	uint32_t bridge = uiommu_topology_ggc_bridge(work->topology);

	if (bridge == UIOMMU_PCI_NONE || !plan_believed(work, bridge))
		bridge = UIOMMU_PLAN_NONE;
	work->not_lazy = UIOMMU_PLAN_NONE;
	work->graphics_by = UIOMMU_PLAN_NONE;
	work->graphics_off = work->input->options.igfx_off;
	if (!work->graphics_off) {
		work->graphics_by = plan_breaks(work, bridge);
		work->graphics_off = work->graphics_by != UIOMMU_PLAN_NONE;
	}
	/* Graphics has to be idle while its unit is flushed. */
	if (!work->graphics_off && work->input->ggc == UIOMMU_GGC_SHADOW)
		work->not_lazy = bridge;
}

/*
 * Graphics of some models does not finish what it has under way when its unit
 * is told to end, and the unit waits for ever. Only for what the unit serves:
 * one that others share was never seen to hang.
 */
bool uiommu_plan_stays_on(const struct uiommu_plan_input *input,
			  uint32_t record)
{
	const struct uiommu_dmar_record *r = &input->dmar->records[record];
	struct plan_work work = { 0 };
	uint32_t function;
	uint32_t i;

	work.input = input;
	work.topology = input->topology;
	work.function_count = input->topology->count;
	if (r->type != UIOMMU_DMAR_DRHD ||
	    !uiommu_plan_is_for_displays(&work, record))
		return false;
	for (i = 0; i < r->scope_count; i++) {
		function = uiommu_plan_named(
			&work, r, &input->dmar->scopes[r->scope_first + i]);
		if (function != UIOMMU_PCI_NONE &&
		    uiommu_plan_hangs_when_off(
			    &work.topology->functions[function]))
			return true;
	}
	return false;
}
