// SPDX-License-Identifier: MIT
/* clock_gettime() beside plain C11 */
#define _DEFAULT_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE ((size_t)4096)
#define YARD_ROUNDS 1000000u

struct uiommu_lock {
	bool held;
};

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page = aligned_alloc(size, size);

	(void)host;
	(void)flags;
	if (!page)
		return NULL;
	memset(page, 0, size);
	*paddr = (uintptr_t)page;
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	(void)host;
	(void)size;
	free(page);
}

void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size)
{
	(void)host;
	(void)addr;
	(void)size;
}

struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind)
{
	(void)host;
	(void)kind;
	return calloc(1, sizeof(struct uiommu_lock));
}

void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock)
{
	(void)host;
	free(lock);
}

unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock)
{
	while (__atomic_test_and_set(&lock->held, __ATOMIC_ACQUIRE))
		;
	return 0;
}

void uiommu_host_lock_release(struct uiommu_lock *lock, unsigned long state)
{
	(void)state;
	__atomic_clear(&lock->held, __ATOMIC_RELEASE);
}

double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double bench_clock_cost(void)
{
	double best = 1e9;

	for (unsigned int n = 0; n < 1000; n++) {
		double start = bench_now(), cost = bench_now() - start;

		if (cost < best)
			best = cost;
	}
	return best;
}

void bench_must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_init(struct bench *bench)
{
	uint64_t word = 0;
	double start;

	memset(bench, 0, sizeof(*bench));
	for (unsigned int round = 0; round < 5; round++) {
		double cost;

		start = bench_now();
		for (uint64_t n = 0; n < YARD_ROUNDS; n++) {
			uint64_t old = word;

			__atomic_compare_exchange_n(&word, &old, n, false,
						    __ATOMIC_ACQ_REL,
						    __ATOMIC_ACQUIRE);
		}
		cost = (bench_now() - start) / YARD_ROUNDS;
		if (!round || cost < bench->yardstick)
			bench->yardstick = cost;
	}
}

void bench_add(struct bench *bench, const char *name, double *samples,
	       unsigned int count, double mean, bool p99)
{
	struct bench_figure *figure = &bench->figures[bench->count];
	double sum = 0;

	bench_must(bench->count < BENCH_FIGURES && count, "too many figures");
	bench->count++;
	qsort(samples, count, sizeof(*samples), ascending);
	for (unsigned int n = 0; n < count; n++)
		sum += samples[n];
	snprintf(figure->name, sizeof(figure->name), "%s", name);
	figure->mean = mean < 0 ? sum / count : mean;
	figure->median = samples[count / 2];
	if (p99)
		figure->p99 = samples[(size_t)count * 99 / 100];
}

static int write_json(const struct bench *bench, const char *path)
{
	FILE *out = fopen(path, "w");
	int failed;

	if (!out) {
		perror(path);
		return 1;
	}
	fprintf(out, "[\n");
	for (unsigned int n = 0; n < bench->count; n++) {
		const struct bench_figure *figure = &bench->figures[n];

		fprintf(out,
			" {\"name\": \"%s\", \"unit\": \"ns\", "
			"\"mean\": %.1f, \"median\": %.1f, ",
			figure->name, figure->mean, figure->median);
		if (figure->p99 > 0)
			fprintf(out, "\"p99\": %.1f, ", figure->p99);
		fprintf(out, "\"ratio_to_cas\": %.2f}%s\n",
			figure->median / bench->yardstick,
			n + 1 < bench->count ? "," : "");
	}
	fprintf(out, "]\n");
	failed = ferror(out);
	return fclose(out) || failed;
}

int bench_finish(const struct bench *bench, const char *title, const char *path)
{
	printf("%-40s%9s%9s%9s%9s\n", title, "mean", "median", "p99", "ratio");
	for (unsigned int n = 0; n < bench->count; n++) {
		const struct bench_figure *figure = &bench->figures[n];
		char p99[16] = "";

		if (figure->p99 > 0)
			snprintf(p99, sizeof(p99), "%.0f", figure->p99);
		printf("%-40s%9.1f%9.1f%9s%9.1f\n", figure->name, figure->mean,
		       figure->median, p99, figure->median / bench->yardstick);
	}
	printf("ratio: to one compare-and-swap, %.1f ns\n", bench->yardstick);
	return path ? write_json(bench, path) : 0;
}
