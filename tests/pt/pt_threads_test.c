// SPDX-License-Identifier: MIT
/*
 * Threads in one tree, on ranges that are disjoint but share tables: a table
 * is claimed by several at once, and each goes on as soon as hardware would
 * see its own pages. Under ThreadSanitizer.
 */
/* pthread_barrier_t beside plain C11 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pt_subject.h"

#define THREADS 3u
#define ROUNDS 100u
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

struct worker {
	struct uiommu_host *host;
	struct uiommu_pt *pt;
	pthread_barrier_t *barrier;
	unsigned int id;
};

/* cmocka's asserts are for its own thread. */
#define MUST(condition)                                                    \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

static void map_one(struct worker *worker, uint64_t iova, uint64_t size)
{
	struct uiommu_range range = { iova, iova + size - 1 };
	uiommu_paddr_t paddr = 0;
	struct uiommu_gather gather;

	uiommu_gather_init(&gather);
	MUST(uiommu_pt_map(worker->pt, range, iova + GIB, RW, 0, &gather) == 0);
	MUST(pt_walk_hardware(worker->host, &pt_vtd_ss, worker->pt, range.last,
			      &paddr) == RW);
	MUST(paddr == range.last + GIB);
	MUST(uiommu_pt_lookup(worker->pt, iova, &paddr, NULL) == 0);
	MUST(paddr == iova + GIB);
}

static void unmap_one(struct worker *worker, uint64_t iova, uint64_t size,
		      uint64_t want)
{
	struct uiommu_range range = { iova, iova + size - 1 };
	struct uiommu_gather gather;
	uint64_t unmapped;

	uiommu_gather_init(&gather);
	MUST(uiommu_pt_unmap(worker->pt, range, 0, &gather, &unmapped) == 0);
	MUST(unmapped == want);
	uiommu_gather_free(worker->pt, &gather);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	uint64_t own = worker->id * 2 * MIB;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t base = GIB + round * 512 * GIB / 2;

		pthread_barrier_wait(worker->barrier);
		/* All in the same new table at once, and in holes of it. */
		unmap_one(worker, base + worker->id * 0x1000, 0x1000, 0);
		map_one(worker, base + worker->id * 0x1000, 0x1000);
		for (uint64_t n = 0; n < 24; n++)
			map_one(worker,
				base + 16 * MIB + n * 2 * MIB +
					worker->id * 0x3000,
				0x3000);
		/* One makes a table where the others find nothing. */
		for (uint64_t n = 0; n < 48; n++) {
			uint64_t at = base + (256 + n * 2) * MIB +
				      worker->id * 0x1000;

			if ((n + worker->id) % 3 == 0)
				map_one(worker, at, 0x1000);
			else
				unmap_one(worker, at, 0x1000, 0);
		}
		/* A whole table comes and goes beside the others'. */
		map_one(worker, base + 128 * MIB + own, 2 * MIB - 0x1000);
		unmap_one(worker, base + 128 * MIB + own, 2 * MIB,
			  2 * MIB - 0x1000);
		map_one(worker, base + 128 * MIB + own, 2 * MIB);
		unmap_one(worker, base + 128 * MIB + own, MIB, MIB);
		for (uint64_t n = 0; n < 24; n++)
			unmap_one(worker,
				  base + 16 * MIB + n * 2 * MIB +
					  worker->id * 0x3000,
				  0x3000, 0x3000);
	}
	return NULL;
}

static void disjoint_ranges(bool coherent)
{
	struct uiommu_pt_config config = {
		.format = UIOMMU_PT_VTD_SS,
		.levels = 4,
		.width = 48,
		.page_sizes = 0x40201000,
		.paddr_last = (UINT64_C(1) << 52) - 1,
		.leaf_bits = pt_vtd_ss.leaf_bits,
		.coherent = coherent,
	};
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t barrier;
	struct uiommu_host host;
	struct uiommu_pt pt;
	unsigned int n;

	fake_host_init(&host, !coherent);
	assert_int_equal(uiommu_pt_init(&pt, &host, &config), 0);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (n = 0; n < THREADS; n++) {
		workers[n].host = &host;
		workers[n].pt = &pt;
		workers[n].barrier = &barrier;
		workers[n].id = n;
		pthread_create(&threads[n], NULL, work, &workers[n]);
	}
	for (n = 0; n < THREADS; n++)
		pthread_join(threads[n], NULL);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(host.live, pt.table_pages);
	uiommu_pt_fini(&pt);
	assert_int_equal(pt.table_pages, 0);
	fake_host_fini(&host);
}

static void snooping_walker(void **state)
{
	(void)state;
	disjoint_ranges(true);
}

static void walker_that_does_not_snoop(void **state)
{
	(void)state;
	disjoint_ranges(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snooping_walker),
		cmocka_unit_test(walker_that_does_not_snoop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
