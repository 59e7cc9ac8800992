// SPDX-License-Identifier: MIT
/*
 * Under which requester ids a device's requests arrive.
 *
 * Specifications: "PCI Express to PCI/PCI-X Bridge", "Assignment of Requester
 * ID and Tag"; "PCI Express Base", "Phantom Functions"; "Intel Virtualization
 * Technology for Directed I/O", "Source Identifier".
 *
 * A device asks as itself, or as the one it is said to ask as; some models ask
 * under further ids of their bus, and one with phantom functions under the
 * numbers of its slot that nobody has. Ports pass an id on. A PCIe-to-PCI
 * bridge asks as device 0, function 0 of its secondary bus; every other bridge
 * as itself.
 *
 * Linux knows nothing of phantom functions, nor before a driver runs of ids
 * that a table behind a BAR holds.
 */
#include "base/sort.h"
#include "plan/plan.h"
#include "plan/plan_quirk.h"

#define PLAN_DEVFNS 256

struct plan_ids {
	struct uiommu_sid *sids; /* NULL while only counting */
	uint32_t count;
};

static bool plan_sid_equal(struct uiommu_sid a, struct uiommu_sid b)
{
	return a.segment == b.segment && a.rid == b.rid;
}

static void plan_add(struct plan_ids *ids, struct uiommu_sid sid)
{
	uint32_t i;

	if (ids->sids != NULL) {
		for (i = 0; i < ids->count; i++) {
			if (plan_sid_equal(ids->sids[i], sid))
				return;
		}
		ids->sids[ids->count] = sid;
	}
	ids->count++;
}

bool uiommu_plan_asks_as(const struct uiommu_pci_function *function,
			 uint32_t model, uint32_t devfn)
{
	uint32_t own = function->sid.rid & 0xff;

	if (model == UIOMMU_PLAN_NONE || devfn == own)
		return false;
	switch (uiommu_plan_models[model].asks) {
	case PLAN_ASKS_FUNCTION_0:
		return devfn == (own & 0xf8);
	case PLAN_ASKS_FUNCTION_1:
		return devfn == (own & 0xf8) + 1;
	case PLAN_ASKS_DEVICE_1:
		return devfn == 0x08;
	case PLAN_ASKS_MIC:
		return devfn == 0x80 || devfn == 0x88 || devfn == 0x93;
	case PLAN_ASKS_VCA:
		return (devfn & 7) < 5;
	case PLAN_ASKS_BUS:
		return true;
	default:
		return false;
	}
}

/* Function numbers that differ in the highest @bits of their three. */
static bool plan_is_phantom(const struct uiommu_pci_function *function,
			    uint32_t devfn)
{
	uint32_t bits = function->phantom_bits;

	if (bits == 0 || bits > 3)
		return false;
	return ((devfn ^ function->sid.rid) & 0xff &
		~(uint32_t)(7 << (3 - bits) & 7)) == 0;
}

static void plan_add_own(struct plan_ids *ids,
			 const struct uiommu_pci_function *function,
			 enum uiommu_rules rules)
{
	uint32_t model = uiommu_plan_model(function);
	bool strict = rules == UIOMMU_RULES_STRICT;
	bool table = strict && model != UIOMMU_PLAN_NONE &&
		     uiommu_plan_models[model].asks == PLAN_ASKS_TABLE;
	struct uiommu_sid sid = function->sid;
	uint32_t devfn;

	plan_add(ids, sid);
	if (model == UIOMMU_PLAN_NONE && function->phantom_bits == 0)
		return;
	for (devfn = 0; devfn < PLAN_DEVFNS; devfn++) {
		sid.rid = (uint16_t)((function->sid.rid & 0xff00u) | devfn);
		if (sid.rid == function->sid.rid)
			continue;
		if (table || uiommu_plan_asks_as(function, model, devfn) ||
		    (strict && plan_is_phantom(function, devfn)))
			plan_add(ids, sid);
	}
}

/*
 * A PCIe-to-PCI bridge whose PCI Express capability is missing: it is one if
 * what is above speaks PCI Express. The same chip may be used the other way.
 */
static bool plan_asks_for_secondary(const struct uiommu_topology *topology,
				    uint32_t bridge, uint32_t model)
{
	uint32_t above = uiommu_plan_above(topology, bridge);
	unsigned int type;

	if (topology->functions[bridge].pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE)
		return true;
	if (model == UIOMMU_PLAN_NONE || above == UIOMMU_PCI_NONE ||
	    uiommu_plan_models[model].asks != PLAN_ASKS_SECONDARY ||
	    topology->functions[bridge].pcie_type != UIOMMU_PCI_CONVENTIONAL)
		return false;
	type = topology->functions[above].pcie_type;
	return type != UIOMMU_PCI_CONVENTIONAL &&
	       type != UIOMMU_PCIE_TO_PCI_BRIDGE;
}

/* False if no bridge above it matters any more. */
static bool plan_add_bridge(struct plan_ids *ids,
			    const struct uiommu_topology *topology,
			    uint32_t bridge)
{
	const struct uiommu_pci_function *function =
		&topology->functions[bridge];
	uint32_t model = uiommu_plan_model(function);
	struct uiommu_sid sid = function->sid;
	unsigned int asks = PLAN_ASKS_SECONDARY;

	if (model != UIOMMU_PLAN_NONE)
		asks = uiommu_plan_models[model].asks;
	if (asks == PLAN_ASKS_ROOT)
		return false;
	if (!uiommu_plan_hides(function) || asks == PLAN_ASKS_NOTHING)
		return true;
	if (plan_asks_for_secondary(topology, bridge, model))
		sid.rid = (uint16_t)(function->secondary_bus << 8);
	plan_add(ids, sid);
	return true;
}

uint32_t uiommu_plan_device_aliases(const struct uiommu_topology *topology,
				    enum uiommu_rules rules, uint32_t device,
				    struct uiommu_sid *aliases)
{
	struct plan_ids ids = { aliases, 0 };
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t i = uiommu_plan_asker(topology, device);

	plan_add_own(&ids, &topology->functions[i], rules);
	i = uiommu_plan_above(topology, i);
	for (; i != UIOMMU_PCI_NONE && left != 0; left--) {
		if (!plan_add_bridge(&ids, topology, i))
			break;
		i = uiommu_plan_above(topology, i);
	}
	return ids.count;
}

static bool plan_user_less(const void *a, const void *b)
{
	const struct plan_alias *one = a;
	const struct plan_alias *two = b;

	if (one->sid.segment != two->sid.segment)
		return one->sid.segment < two->sid.segment;
	if (one->sid.rid != two->sid.rid)
		return one->sid.rid < two->sid.rid;
	return one->device < two->device;
}

void uiommu_plan_aliases(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	uint32_t i, k;

	for (i = 0; i < plan->device_count; i++) {
		struct uiommu_plan_device *device = &plan->devices[i];
		struct uiommu_sid *aliases = &plan->aliases[plan->alias_count];

		device->alias_first = plan->alias_count;
		device->alias_count = 1;
		if (i < work->function_count)
			device->alias_count = uiommu_plan_device_aliases(
				work->topology, work->input->rules, i, aliases);
		else
			aliases[0] = uiommu_plan_namespace_sid(work, i);
		for (k = 0; k < device->alias_count; k++)
			work->users[plan->alias_count++] = (struct plan_alias){
				aliases[k], i
			};
	}
	uiommu_sort(work->users, plan->alias_count, sizeof(*work->users),
		    plan_user_less);
}
