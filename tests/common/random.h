/* SPDX-License-Identifier: MIT */
/* A small generator, so that a seed gives the same sequence everywhere. */
#ifndef UIOMMU_TESTS_RANDOM_H
#define UIOMMU_TESTS_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
	uint64_t state;
};

/* xorshift64*; below @bound, which is not 0. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (random->state * UINT64_C(0x2545f4914f6cdd1d) >> 1) % bound;
}

/* From the environment variable SEED, or the clock; printed. */
static inline void random_init(struct random *random, const char *what)
{
	const char *seed = getenv("SEED");

	random->state = seed ? strtoull(seed, NULL, 0)
			     : (uint64_t)time(NULL) * 2654435761u;
	if (!random->state)
		random->state = 1;
	printf("%s: SEED=%llu\n", what, (unsigned long long)random->state);
	fflush(stdout);
}

#endif /* UIOMMU_TESTS_RANDOM_H */
