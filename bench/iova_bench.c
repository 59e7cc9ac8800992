// SPDX-License-Identifier: MIT
/*
 * The address allocator alone: iova_bench [FILE.json]
 *
 * A number of ranges of mixed sizes stays live, and one after the other is
 * given back and replaced by another of its size or of another.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iova/iova.h"

#define MAX_LIVE 100000u
#define OPS 100000u

struct given {
	uint64_t first;
	uint64_t size;
};

static struct given given[MAX_LIVE];
static double samples[2][OPS];
static uint64_t seed;

static uint64_t random_below(uint64_t bound)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * UINT64_C(0x2545f4914f6cdd1d) >> 1) % bound;
}

/* Mostly a page, now and then 256 KiB: 18 KiB on average. */
static uint64_t random_size(void)
{
	uint64_t dice = random_below(100);

	if (dice < 60)
		return 0x1000;
	if (dice < 80)
		return 0x1000 * (2 + random_below(3));
	if (dice < 90)
		return 0x8000;
	return dice < 98 ? 0x10000 : 0x40000;
}

static uint64_t align_of(uint64_t size)
{
	uint64_t align = 0x1000;

	while (align < size)
		align *= 2;
	return align;
}

static void give(struct uiommu_iova_space *space, struct given *one,
		 uint64_t limit)
{
	uiommu_iova_t first = 0;
	int err;

	/* As the DMA API does: natural alignment if there is room for it. */
	err = uiommu_iova_alloc(space, one->size, align_of(one->size), limit, 0,
				&first);
	if (err)
		err = uiommu_iova_alloc(space, one->size, 0x1000, limit, 0,
					&first);
	bench_must(!err, "alloc");
	one->first = first;
}

static void take_back(struct uiommu_iova_space *space, const struct given *one)
{
	struct uiommu_iova_node *node;

	bench_must(!uiommu_iova_claim(space, one->first, one->size, &node),
		   "claim");
	uiommu_iova_release(space, node);
}

static void measure(struct bench *bench, unsigned int live, uint64_t limit,
		    const char *reach)
{
	struct uiommu_range aperture = { 0x1000, UINT64_C(0xffffffffffff) };
	double clock = bench_clock_cost(), start, both;
	struct uiommu_iova_space space;
	char name[48];
	unsigned int n;

	seed = 4711;
	bench_must(!uiommu_iova_init(&space, NULL, aperture), "space");
	for (n = 0; n < live; n++) {
		given[n].size = random_size();
		give(&space, &given[n], limit);
	}
	/* Long enough for order to be gone; then the averages. */
	for (n = 0; n < 2 * live; n++) {
		struct given *one = &given[random_below(live)];

		take_back(&space, one);
		one->size = random_size();
		give(&space, one, limit);
	}
	start = bench_now();
	for (n = 0; n < OPS; n++) {
		struct given *one = &given[random_below(live)];

		take_back(&space, one);
		one->size = random_size();
		give(&space, one, limit);
	}
	both = (bench_now() - start) / OPS;
	for (n = 0; n < OPS; n++) {
		struct given *one = &given[random_below(live)];
		double t0 = bench_now(), t1, t2;

		take_back(&space, one);
		t1 = bench_now();
		one->size = random_size();
		give(&space, one, limit);
		t2 = bench_now();
		samples[0][n] = t2 - t1 - clock;
		samples[1][n] = t1 - t0 - clock;
	}
	snprintf(name, sizeof(name), "alloc + free, %uk live, %s", live / 1000,
		 reach);
	bench_add(bench, name, &both, 1, -1, false);
	snprintf(name, sizeof(name), "alloc, %uk live, %s", live / 1000, reach);
	bench_add(bench, name, samples[0], OPS, -1, true);
	snprintf(name, sizeof(name), "free, %uk live, %s", live / 1000, reach);
	bench_add(bench, name, samples[1], OPS, -1, true);
	uiommu_iova_fini(&space);
}

/*
 * The unlucky case: 32 bits are full but for 100k gaps that are large enough,
 * of which not one lies right.
 */
static void measure_unlucky(struct bench *bench)
{
	struct uiommu_range aperture = { 0x1000, 0xffffffff };
	double clock = bench_clock_cost();
	struct uiommu_iova_space space;
	uiommu_iova_t iova;

	bench_must(!uiommu_iova_init(&space, NULL, aperture), "space");
	for (uint64_t n = 0; n < MAX_LIVE; n++) {
		struct uiommu_range range = { n * 0x8000 + 0x4000,
					      n * 0x8000 + 0x4fff };

		bench_must(!uiommu_iova_reserve(&space, range), "reserve");
	}
	bench_must(!uiommu_iova_reserve(
			   &space,
			   (struct uiommu_range){ MAX_LIVE * UINT64_C(0x8000),
						  0xffffffff }),
		   "reserve");
	for (unsigned int n = 0; n < OPS; n++) {
		double start = bench_now();

		bench_must(uiommu_iova_alloc(&space, 0x5000, 0x8000, 0xffffffff,
					     0, &iova) == UIOMMU_ENOSPC,
			   "a place where there is none");
		samples[0][n] = bench_now() - start - clock;
	}
	bench_add(bench, "alloc in vain, 100k gaps that lie badly", samples[0],
		  OPS, -1, true);
	uiommu_iova_fini(&space);
}

int main(int argc, char **argv)
{
	static const unsigned int live[] = { 1000, 16000, 100000 };
	struct bench bench;

	bench_init(&bench);
	for (unsigned int n = 0; n < 3; n++) {
		measure(&bench, live[n], ~UINT64_C(0), "64 bits");
		measure(&bench, live[n], 0xffffffff, "32 bits");
	}
	measure_unlucky(&bench);
	return bench_finish(&bench, "address allocator, ns per operation",
			    argc > 1 ? argv[1] : NULL);
}
