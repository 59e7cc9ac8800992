// SPDX-License-Identifier: MIT
#include <uiommu/dma.h>

#include "bare.h"
#include "bench.h"

#define ROUNDS 1000u
#define WARM_UP 100u
#define LIST 32u
#define LIVE 100000u
#define LIVE_ROUNDS 10000u
#define MAX_SAMPLES LIVE_ROUNDS
#define MEMORY UINT64_C(0x4000000) /* lent out; no device ever looks at it */
#define MEMORY_SPREAD 0x3fffu	   /* pages */

struct mapping {
	uint64_t iova;
	size_t size;
};

static struct {
	struct uiommu_device *device;
	uint64_t random;
	uint32_t overhead; /* of reading the counter twice */
	uint32_t map[MAX_SAMPLES];
	uint32_t unmap[MAX_SAMPLES];
	unsigned int errors;
} bench;

static uint32_t random32(void)
{
	bench.random ^= bench.random << 13;
	bench.random ^= bench.random >> 7;
	bench.random ^= bench.random << 17;
	return (uint32_t)(bench.random >> 16);
}

static uint64_t random_memory(void)
{
	return MEMORY + (uint64_t)(random32() & MEMORY_SPREAD) * PAGE_SIZE;
}

static uint32_t since(uint64_t begin)
{
	uint64_t cost = time_cycles() - begin;

	return cost > bench.overhead ? (uint32_t)(cost - bench.overhead) : 0;
}

static void note(int err)
{
	if (err)
		bench.errors++;
}

/* Shell's sort: short, in place, without recursion. */
static void sort(uint32_t *v, uint32_t count)
{
	for (uint32_t gap = count / 2; gap; gap /= 2)
		for (uint32_t i = gap; i < count; i++) {
			uint32_t x = v[i];
			uint32_t k = i;

			for (; k >= gap && v[k - gap] > x; k -= gap)
				v[k] = v[k - gap];
			v[k] = x;
		}
}

static void report(const char *name, uint32_t *v, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += v[i];
	sort(v, count);
	print("bench: {\"name\": \"%s\", \"unit\": \"instructions\", "
	      "\"mean\": %lu, \"median\": %u, \"p99\": %u, \"max\": %u, "
	      "\"count\": %u}\n",
	      name, sum / count, v[count / 2], v[count * 99 / 100],
	      v[count - 1], count);
}

static void report_both(const char *what)
{
	char name[32];

	print_to(name, sizeof(name), "map %s", what);
	report(name, bench.map, ROUNDS);
	print_to(name, sizeof(name), "unmap %s", what);
	report(name, bench.unmap, ROUNDS);
}

static void measure_overhead(void)
{
	uint32_t least = ~0u;

	for (unsigned int i = 0; i < WARM_UP; i++) {
		uint64_t begin = time_cycles();
		uint64_t cost = time_cycles() - begin;

		if (cost < least)
			least = (uint32_t)cost;
	}
	bench.overhead = least;
}

static void bench_range(const char *what, size_t size)
{
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		unsigned int at = i < WARM_UP ? 0 : i - WARM_UP;
		uint64_t iova = 0;
		uint64_t begin = time_cycles();

		note(uiommu_dma_map(bench.device, MEMORY, size,
				    UIOMMU_DMA_BIDIRECTIONAL, &iova));
		bench.map[at] = since(begin);
		begin = time_cycles();
		note(uiommu_dma_unmap(bench.device, iova, size));
		bench.unmap[at] = since(begin);
	}
	report_both(what);
}

static void bench_list(void)
{
	struct uiommu_sg sg[LIST];

	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		unsigned int at = i < WARM_UP ? 0 : i - WARM_UP;
		uint32_t segments;
		uint64_t begin;

		for (uint32_t k = 0; k < LIST; k++)
			sg[k] = (struct uiommu_sg){
				.paddr = MEMORY + 2 * (uint64_t)k * PAGE_SIZE,
				.size = PAGE_SIZE,
			};
		begin = time_cycles();
		note(uiommu_dma_map_sg(bench.device, sg, LIST,
				       UIOMMU_DMA_BIDIRECTIONAL, &segments));
		bench.map[at] = since(begin);
		begin = time_cycles();
		note(uiommu_dma_unmap_sg(bench.device, sg, LIST));
		bench.unmap[at] = since(begin);
	}
	report_both("list of 32 x 4K");
}

static void bench_coherent(void)
{
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		unsigned int at = i < WARM_UP ? 0 : i - WARM_UP;
		uint64_t iova = 0;
		void *cpu = NULL;
		uint64_t begin = time_cycles();

		note(uiommu_dma_alloc(bench.device, PAGE_SIZE, &cpu, &iova));
		bench.map[at] = since(begin);
		begin = time_cycles();
		note(uiommu_dma_free(bench.device, PAGE_SIZE, cpu, iova));
		bench.unmap[at] = since(begin);
	}
	report_both("coherent 4K");
}

/* What a busy machine lends: mostly single pages, and some large buffers. */
static size_t random_size(void)
{
	uint32_t percent = random32() % 100;

	if (percent < 60)
		return 4096;
	if (percent < 75)
		return 8192;
	if (percent < 85)
		return 16384;
	return percent < 95 ? 65536 : 131072;
}

/* How many of @live could be made. */
static uint32_t fill_live(struct mapping *live)
{
	for (uint32_t i = 0; i < LIVE; i++) {
		live[i].size = random_size();
		if (uiommu_dma_map(bench.device, random_memory(), live[i].size,
				   UIOMMU_DMA_BIDIRECTIONAL, &live[i].iova))
			return i;
	}
	return LIVE;
}

static void replace_live(struct mapping *live, uint32_t count)
{
	for (uint32_t i = 0; i < LIVE_ROUNDS; i++) {
		struct mapping *m = &live[random32() % count];
		size_t size = random_size();
		uint64_t paddr = random_memory();
		uint64_t begin = time_cycles();

		note(uiommu_dma_unmap(bench.device, m->iova, m->size));
		bench.unmap[i] = since(begin);
		m->size = size;
		begin = time_cycles();
		note(uiommu_dma_map(bench.device, paddr, size,
				    UIOMMU_DMA_BIDIRECTIONAL, &m->iova));
		bench.map[i] = since(begin);
	}
}

static void bench_live(void)
{
	unsigned int order = mem_order(LIVE * sizeof(struct mapping));
	struct mapping *live = mem_alloc(order);
	uint32_t count;

	if (!live) {
		bench.errors++;
		return;
	}
	count = fill_live(live);
	print("bench: {\"name\": \"live mappings\", \"unit\": \"mappings\", "
	      "\"mean\": %u}\n",
	      count);
	if (count) {
		replace_live(live, count);
		report("map with 100k live", bench.map, LIVE_ROUNDS);
		report("unmap with 100k live", bench.unmap, LIVE_ROUNDS);
	}
	if (count < LIVE)
		bench.errors++;
	for (uint32_t i = 0; i < count; i++)
		note(uiommu_dma_unmap(bench.device, live[i].iova,
				      live[i].size));
	mem_free(live, order);
}

bool bench_run(struct uiommu_device *device)
{
	bench.device = device;
	bench.random = UINT64_C(0x2545f4914f6cdd1d);
	/* No timer's interrupt may be counted for an operation. */
	__asm__ volatile("cli" : : : "memory");
	measure_overhead();
	bench_range("4K", 4096);
	bench_range("64K", 65536);
	bench_range("1M", 1 << 20);
	bench_list();
	bench_coherent();
	bench_live();
	__asm__ volatile("sti" : : : "memory");
	return bench.errors == 0;
}
