// SPDX-License-Identifier: MIT
#include "cost.h"

static struct {
	unsigned int depth;
	uint64_t begin;
	uint64_t cycles; /* spent so far */
} aside;

void cost_aside_begin(void)
{
	if (!aside.depth++)
		aside.begin = time_cycles();
}

void cost_aside_end(void)
{
	if (!--aside.depth)
		aside.cycles += time_cycles() - aside.begin;
}

static uint64_t invalidations(struct uiommu *uiommu)
{
	struct uiommu_unit_info u;
	uint64_t sum = 0;

	for (uint32_t i = 0; !uiommu_unit_info(uiommu, i, &u); i++)
		sum += u.invalidations;
	return sum;
}

void cost_begin(struct cost *c, struct uiommu *uiommu)
{
	c->uiommu = uiommu;
	c->invalidations = invalidations(uiommu);
	c->aside = aside.cycles;
	c->begin = time_cycles();
}

void cost_end(const struct cost *c, const char *what, const char *reason)
{
	uint64_t cycles = time_cycles() - c->begin;
	uint64_t beside = aside.cycles - c->aside;
	uint64_t count = invalidations(c->uiommu) - c->invalidations;
	bool counted = boot_flag("icount");
	unsigned int shift = (unsigned int)boot_number("icount", 0);

	/* The counter is the guest's time: 2^shift ns for an instruction. */
	cycles -= beside;
	print("  cost: %s (%s): %lu %s, %lu beside, %lu invalidations\n", what,
	      reason, counted ? cycles >> shift : time_cycles_ns(cycles),
	      counted ? "instructions" : "ns",
	      counted ? beside >> shift : time_cycles_ns(beside), count);
}
