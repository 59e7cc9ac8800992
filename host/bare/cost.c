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
	c->cycles = time_cycles();
}

void cost_end(struct cost *c)
{
	c->cycles = time_cycles() - c->cycles;
	c->aside = aside.cycles - c->aside;
	c->cycles -= c->aside;
	c->invalidations = invalidations(c->uiommu) - c->invalidations;
}

/* The counter is the guest's time: 2^shift ns for an instruction. */
static uint64_t cost_of(uint64_t cycles)
{
	return boot_flag("icount") ? cycles >> boot_number("icount", 0)
				   : time_cycles_ns(cycles);
}

void cost_print(const struct cost *c)
{
	print("    cost: %lu %s", cost_of(c->cycles),
	      boot_flag("icount") ? "instructions" : "ns");
	if (c->aside)
		print(", and %lu of drivers who paused", cost_of(c->aside));
	print("; %lu invalidation%s%s\n", c->invalidations,
	      c->invalidations == 1 ? "" : "s", c->aside ? ", theirs too" : "");
}
