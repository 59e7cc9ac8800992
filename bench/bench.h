/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks in user space share: a host of memory and spin locks, a
 * clock, and a table that also becomes JSON.
 *
 * Nanoseconds depend on the machine. Each figure therefore also stands as a
 * ratio to a yardstick measured in the same run: one compare-and-swap of a
 * word in the cache.
 */
#ifndef UIOMMU_BENCH_H
#define UIOMMU_BENCH_H

#include <uiommu/host.h>

#define BENCH_FIGURES 64u

struct bench_figure {
	char name[48];
	double mean;   /* ns per operation */
	double median; /* of the rounds, or of single operations */
	double p99;    /* of single operations; 0: not measured */
};

struct bench {
	double yardstick; /* ns */
	struct bench_figure figures[BENCH_FIGURES];
	unsigned int count;
};

void bench_init(struct bench *bench);
double bench_now(void); /* ns */
/* What taking the time itself costs, ns. */
double bench_clock_cost(void);

/*
 * Adds a figure. @samples are ns per operation and get sorted; @mean below 0:
 * take theirs. @p99: the samples are single operations.
 */
void bench_add(struct bench *bench, const char *name, double *samples,
	       unsigned int count, double mean, bool p99);

/* Prints the table; writes it to @path unless that is NULL. 0, or 1. */
int bench_finish(const struct bench *bench, const char *title,
		 const char *path);

/* Ends the program if @condition is false: a figure of a failure is none. */
void bench_must(bool condition, const char *what);

#endif /* UIOMMU_BENCH_H */
