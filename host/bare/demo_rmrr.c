// SPDX-License-Identifier: MIT
/*
 * A device that firmware left running: it copies from and to its reserved
 * region at the region's own address, from before translation is turned on
 * until after it is turned off, and must never notice.
 */
#include "demo.h"

#define COPY_SIZE 1024u
#define COPY_TO 2048u	       /* offset in the region */
#define CYCLES_PER_MS 1000000u /* of counted time */
#define EDU_MS 100u

enum when {
	BEFORE,
	TRANSLATED,
	AFTER,
	WHENS,
};

static struct {
	struct edu *edu;     /* NULL: there is no such device at work */
	struct edu *resting; /* or it is to go on */
	uint64_t region;
	uint32_t round;
	bool writing; /* else reading */
	uint64_t due; /* cycles when the device moves its data */
	enum when when;
	unsigned int good[WHENS];
	unsigned int bad;
} keeper;

static bool scope_names(const struct uiommu_dmar *dmar,
			const struct uiommu_dmar_scope *s, uint16_t bdf)
{
	uint8_t dev;
	uint8_t fn;

	if (!s->usable || s->path_count != 1 ||
	    uiommu_dmar_path(dmar, s, 0, &dev, &fn))
		return false;
	return bdf == PCI_BDF(s->start_bus, dev, fn);
}

/* The reserved region of @bdf, or 0. */
static uint64_t find_region(const struct uiommu_dmar *dmar, uint16_t bdf)
{
	for (uint32_t i = 0; i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *r = &dmar->records[i];

		if (r->type != UIOMMU_DMAR_RMRR || !r->usable)
			continue;
		for (uint32_t k = 0; k < r->scope_count; k++)
			if (scope_names(dmar, &dmar->scopes[r->scope_first + k],
					bdf))
				return r->range.first;
	}
	return 0;
}

static void keeper_pattern(uint32_t *words, uint32_t round)
{
	for (uint32_t i = 0; i < COPY_SIZE / 4; i++)
		words[i] = (round * 0x10001u + i) * 0x9e3779b1u;
}

/* Where QEMU counts time it is for the device to the same millisecond. */
static void keeper_set_due(void)
{
	uint64_t ms = time_cycles() / CYCLES_PER_MS;

	keeper.due = (ms + EDU_MS) * CYCLES_PER_MS;
}

static void keeper_next_round(void)
{
	char *region = phys_to_virt(keeper.region);

	keeper.round++;
	keeper.writing = false;
	keeper_pattern((uint32_t *)region, keeper.round);
	memset(region + COPY_TO, 0, COPY_SIZE);
	edu_start_read(keeper.edu, keeper.region, 0, COPY_SIZE);
	keeper_set_due();
}

static void keeper_verify(void)
{
	const char *region = phys_to_virt(keeper.region);

	if (memcmp(region, region + COPY_TO, COPY_SIZE) == 0)
		keeper.good[keeper.when]++;
	else
		keeper.bad++;
}

/* Runs in every polling loop of the kernel; never waits. */
void demo_rmrr_poll(void)
{
	if (!keeper.edu || edu_busy(keeper.edu))
		return;
	if (!keeper.writing) {
		keeper.writing = true;
		edu_start_write(keeper.edu, keeper.region + COPY_TO, 0,
				COPY_SIZE);
		keeper_set_due();
		return;
	}
	keeper_verify();
	keeper_next_round();
}

/* Let the device finish what it is doing and @rounds more. */
static void keeper_run(uint32_t rounds)
{
	uint64_t end = time_ns() + UINT64_C(5000000000);
	uint32_t until = keeper.round + rounds;

	while (keeper.round < until && time_ns() < end)
		cpu_relax();
}

void demo_rmrr_begin(struct demo *d)
{
	uint64_t region;

	if (!d->has_keeper)
		return;
	region = find_region(uiommu_dmar(d->uiommu), d->keeper.dma.bdf);
	if (!region) {
		print("rmrr: this table reserves nothing for our device\n");
		return;
	}
	keeper.edu = &d->keeper;
	keeper.region = region;
	keeper_next_round();
	keeper_run(1);
	/* A copy is under way while translation comes on. */
	keeper.when = TRANSLATED;
}

bool demo_rmrr_working(void)
{
	return keeper.edu;
}

uint32_t demo_rmrr_copies(void)
{
	return keeper.good[TRANSLATED];
}

bool demo_rmrr_go_on(uint32_t rounds)
{
	uint32_t until = keeper.round + rounds;

	keeper_run(rounds);
	return keeper.round >= until && !keeper.bad;
}

bool demo_rmrr_aim(uint64_t before)
{
	uint64_t end = time_ns() + UINT64_C(1000000000);

	while (time_ns() < end) {
		cpu_relax();
		if (time_cycles() + before + CYCLES_PER_MS >= keeper.due)
			continue;
		/* From here on nothing else may take time. */
		while (time_cycles() + before < keeper.due)
			;
		return true;
	}
	return false;
}

bool demo_rmrr_rest(void)
{
	struct edu *edu = keeper.edu;

	keeper.resting = edu;
	keeper.edu = NULL;
	return !edu || edu_wait(edu);
}

void demo_rmrr_wake(void)
{
	keeper.edu = keeper.resting;
	keeper.resting = NULL;
	if (keeper.edu)
		keeper_next_round();
}

void demo_rmrr_translated_end(void)
{
	if (!keeper.edu)
		return;
	keeper_run(2);
	keeper.when = AFTER;
}

void demo_rmrr_hand_over(struct crash_handover *h)
{
	if (keeper.edu)
		crash_live(h, phys_to_virt(keeper.region), PAGE_SIZE);
}

void demo_rmrr_end(struct demo *d)
{
	struct edu *edu = keeper.edu;

	(void)d;
	if (!edu)
		return;
	keeper_run(2);
	/* Nothing new from here on, or the wait meets the next copy. */
	keeper.edu = NULL;
	check(edu_wait(edu), "rmrr: the device finished its last copy");
	check(!keeper.bad && keeper.good[BEFORE] && keeper.good[TRANSLATED] &&
		      keeper.good[AFTER],
	      "rmrr: %lx: %u copies before, %u with, %u after translation, "
	      "%u wrong",
	      keeper.region, keeper.good[BEFORE], keeper.good[TRANSLATED],
	      keeper.good[AFTER], keeper.bad);
}
