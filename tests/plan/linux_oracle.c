// SPDX-License-Identifier: MIT
#include <string.h>

#include "linux_oracle.h"

#define NONE 0xffffffffu

struct world {
	const struct machine *machine;
	const struct uiommu_pci_function *f;
	uint32_t count;
	uint32_t *group;
};

bool oracle_model(const struct uiommu_pci_function *f, uint32_t devfn)
{
	uint32_t own = f->sid.rid & 0xff;
	uint32_t id = (uint32_t)f->device << 16 | f->vendor;

	if (devfn == own)
		return false;
	if (id == 0x92301b4b)
		return devfn == (own | 7) - 6;
	if (id == 0xe8321180)
		return devfn == (own | 7) - 7;
	if (id == 0x22608086)
		return devfn == 0x10 * 8 || devfn == 0x11 * 8 ||
		       devfn == 0x12 * 8 + 3;
	return id == 0x87b010b5;
}

/* The function whose id @i bears. */
static uint32_t asker(const struct world *w, uint32_t i)
{
	uint32_t k;

	for (k = 0; w->f[i].has_requester && k < w->count; k++) {
		if (w->f[k].sid.rid == w->f[i].requester.rid)
			return k;
	}
	return i;
}

static bool acs(const struct uiommu_pci_function *f)
{
	unsigned int bit;

	if (f->acs_offset == 0)
		return false;
	for (bit = 1; bit <= 0x10; bit <<= 1) {
		if (bit != 2 && (f->acs_capability & bit) &&
		    !(f->acs_control & bit))
			return false;
	}
	return true;
}

static bool isolated(const struct world *w, uint32_t i)
{
	const struct uiommu_pci_function *f = &w->f[i];

	if (f->vendor == 0x8086 && (f->device == 0x1521 || f->pcie_type == 9 ||
				    (f->device == 0x1c10 && f->pcie_type == 4)))
		return true;
	switch (f->pcie_type) {
	case 16:
	case 7:
	case 8:
	case 10:
		return false;
	case 4:
	case 6:
		return acs(f);
	case 0:
	case 1:
	case 5:
	case 9:
		return !f->multifunction || acs(f);
	default:
		return true;
	}
}

static bool path_isolated(const struct world *w, uint32_t i)
{
	return i == NONE ||
	       (isolated(w, i) && path_isolated(w, w->f[i].parent));
}

static bool one_bus(const struct world *w, uint32_t a, uint32_t b)
{
	return a != b && w->f[a].sid.rid >> 8 == w->f[b].sid.rid >> 8;
}

static uint32_t from_slot(struct world *w, uint32_t i, bool *seen);

static uint32_t from_bus(struct world *w, uint32_t i, bool *seen)
{
	uint32_t k, found;

	if (seen[w->f[i].sid.rid & 0xff])
		return NONE;
	seen[w->f[i].sid.rid & 0xff] = true;
	if (w->group[i] != NONE)
		return w->group[i];
	for (k = 0; k < w->count; k++) {
		if (!one_bus(w, i, k))
			continue;
		if (!oracle_model(&w->f[i], w->f[k].sid.rid & 0xff) &&
		    !oracle_model(&w->f[k], w->f[i].sid.rid & 0xff) &&
		    asker(w, i) != k && asker(w, k) != i)
			continue;
		found = from_bus(w, k, seen);
		if (found == NONE)
			found = from_slot(w, k, seen);
		if (found != NONE)
			return found;
	}
	return NONE;
}

static uint32_t from_slot(struct world *w, uint32_t i, bool *seen)
{
	uint32_t k, found;

	if (!w->f[i].multifunction || isolated(w, i))
		return NONE;
	for (k = 0; k < w->count; k++) {
		if (!one_bus(w, i, k) || isolated(w, k) ||
		    w->f[i].sid.rid >> 3 != w->f[k].sid.rid >> 3)
			continue;
		found = from_bus(w, k, seen);
		if (found != NONE)
			return found;
	}
	return NONE;
}

static void add(struct world *w, uint32_t device)
{
	bool seen[256] = { false };
	uint32_t top = asker(w, device);
	uint32_t i;

	if (w->group[top] != NONE) {
		w->group[device] = w->group[top];
		return;
	}
	for (i = w->f[top].parent; i != NONE; i = w->f[i].parent) {
		if (w->f[i].pcie_type != 16 && w->f[i].pcie_type != 7 &&
		    w->f[i].pcie_type != 8)
			continue;
		top = i;
		w->group[device] = w->group[i];
		if (w->group[i] != NONE)
			return;
	}
	for (i = w->f[top].parent; i != NONE && !path_isolated(w, i);
	     i = w->f[i].parent) {
		top = i;
		w->group[device] = w->group[i];
		if (w->group[i] != NONE)
			return;
	}
	i = from_bus(w, top, seen);
	if (i == NONE)
		i = from_slot(w, top, seen);
	w->group[device] = i == NONE ? device : i;
}

static void add_of_unit(struct world *w, uint32_t unit)
{
	uint32_t i;

	for (i = 0; i < w->count; i++) {
		if (w->machine->plan.devices[i].unit == unit &&
		    !w->f[i].virtual_function && !w->f[i].has_requester)
			add(w, i);
	}
}

void linux_groups(const struct machine *machine, uint32_t *group)
{
	struct world w = { machine, machine->topology.functions,
			   machine->topology.count, group };
	uint32_t records = machine->dmar.record_count;
	uint32_t i;

	for (i = 0; i < w.count; i++)
		group[i] = NONE;
	for (i = records; i != 0; i--) {
		if (!(machine->records[i - 1].flags & 1))
			add_of_unit(&w, i - 1);
	}
	for (i = 0; i < records; i++) {
		if (machine->records[i].flags & 1)
			add_of_unit(&w, i);
	}
	for (i = 0; i < w.count; i++) {
		if (machine->plan.devices[i].unit != NONE &&
		    (w.f[i].virtual_function || w.f[i].has_requester))
			add(&w, i);
	}
}
