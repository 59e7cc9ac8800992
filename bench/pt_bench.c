// SPDX-License-Identifier: MIT
/* The page-table engine alone: pt_bench [FILE.json] */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "pt/pt.h"

#define ROUNDS 301u
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

struct subject {
	const char *name;
	uint64_t size;
	uint64_t stride; /* from one mapping to the next */
	unsigned int count;
	uint64_t offset; /* of the first in its stride */
	uint64_t paddr;
};

/* Mappings that are there all along, so that tables stay. */
static void keep_tables(struct uiommu_pt *pt, const struct subject *subject)
{
	struct uiommu_gather gather;
	unsigned int n;

	uiommu_gather_init(&gather);
	for (n = 0; n < subject->count; n++) {
		uint64_t at = GIB + n * subject->stride +
			      (subject->stride - 0x1000);
		struct uiommu_range range = { at, at + 0xfff };
		uiommu_iova_t found;

		if (!uiommu_pt_find(pt, range, true, &found))
			continue;
		bench_must(!uiommu_pt_map(pt, range, 0, RW, 0, &gather),
			   "map of a neighbour");
	}
}

static double map_all(struct uiommu_pt *pt, const struct subject *subject)
{
	double start = bench_now();
	int failed = 0;

	for (unsigned int n = 0; n < subject->count; n++) {
		uint64_t at = GIB + n * subject->stride + subject->offset;
		struct uiommu_range range = { at, at + subject->size - 1 };
		struct uiommu_gather gather;

		uiommu_gather_init(&gather);
		failed |= uiommu_pt_map(pt, range,
					subject->paddr + n * subject->size, RW,
					0, &gather);
	}
	start = (bench_now() - start) / subject->count;
	bench_must(!failed, "map");
	return start;
}

static double unmap_all(struct uiommu_pt *pt, const struct subject *subject)
{
	double start = bench_now();
	uint64_t sum = 0;
	int failed = 0;

	for (unsigned int n = 0; n < subject->count; n++) {
		uint64_t at = GIB + n * subject->stride + subject->offset;
		struct uiommu_range range = { at, at + subject->size - 1 };
		struct uiommu_gather gather;
		uint64_t unmapped = 0;

		uiommu_gather_init(&gather);
		failed |= uiommu_pt_unmap(pt, range, 0, &gather, &unmapped);
		uiommu_gather_free(pt, &gather);
		sum += unmapped;
	}
	start = (bench_now() - start) / subject->count;
	bench_must(!failed && sum == subject->count * subject->size, "unmap");
	return start;
}

static void measure(struct bench *bench, const struct subject *subject)
{
	struct uiommu_pt_config config = {
		.format = UIOMMU_PT_VTD_SS,
		.levels = 4,
		.width = 48,
		.page_sizes = 0x40201000,
		.paddr_last = (UINT64_C(1) << 52) - 1,
		.coherent = true,
	};
	static double maps[ROUNDS], unmaps[ROUNDS];
	struct uiommu_pt pt;
	char name[48];

	bench_must(!uiommu_pt_init(&pt, NULL, &config), "tree");
	if (subject->size != subject->stride)
		keep_tables(&pt, subject);
	map_all(&pt, subject);
	unmap_all(&pt, subject);
	for (unsigned int n = 0; n < ROUNDS; n++) {
		maps[n] = map_all(&pt, subject);
		unmaps[n] = unmap_all(&pt, subject);
	}
	snprintf(name, sizeof(name), "map %s", subject->name);
	bench_add(bench, name, maps, ROUNDS, -1, false);
	snprintf(name, sizeof(name), "unmap %s", subject->name);
	bench_add(bench, name, unmaps, ROUNDS, -1, false);
	uiommu_pt_fini(&pt);
}

int main(int argc, char **argv)
{
	static const struct subject subjects[] = {
		{ "1 x 4K", 0x1000, 8 * 0x1000, 512, 0, 4 * GIB },
		{ "256 x 4K", MIB, 2 * MIB, 64, 0x1000, 4 * GIB },
		{ "512 x 4K, a table comes and goes", 2 * MIB, 2 * MIB, 64, 0,
		  0x1000 },
		{ "1 x 2M", 2 * MIB, 16 * MIB, 64, 0, 4 * GIB },
		{ "256 x 2M", 512 * MIB, GIB, 8, 0, 4 * GIB },
	};
	struct bench bench;

	bench_init(&bench);
	for (size_t n = 0; n < sizeof(subjects) / sizeof(subjects[0]); n++)
		measure(&bench, &subjects[n]);
	return bench_finish(&bench, "page tables, ns per operation",
			    argc > 1 ? argv[1] : NULL);
}
