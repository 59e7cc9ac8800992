/* SPDX-License-Identifier: MIT */
/* Random machines for the plan; each step adds to what is there. */
#ifndef TESTS_PLAN_RANDOM_MACHINE_H
#define TESTS_PLAN_RANDOM_MACHINE_H

#include "machine.h"

#define RANDOM_MOST 48 /* functions */

unsigned int random_below(uint64_t *seed, unsigned int n);

/* Functions on segment 0, to be scanned. */
void random_functions(struct machine *machine, uint64_t *seed);
/* What configuration space does not tell, and whose rules. Scan first. */
void random_facts(struct machine *machine, uint64_t *seed);
/* Records; @named: the function that each scope is to name. */
void random_table(struct machine *machine, uint32_t *named, uint64_t *seed);
/* Options, wishes and what else decides about types. Last. */
void random_policy(struct machine *machine, uint64_t *seed);

#endif /* TESTS_PLAN_RANDOM_MACHINE_H */
