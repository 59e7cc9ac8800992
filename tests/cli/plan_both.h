/* SPDX-License-Identifier: MIT */
/* What a machine from any source comes to, under both rule sets. */
#ifndef TESTS_CLI_PLAN_BOTH_H
#define TESTS_CLI_PLAN_BOTH_H

#include <stdio.h>

#include "machine.h"

/* Prints the groups to @to, one a line, if that is not NULL. 0, or -1. */
int plan_both(struct machine *machine, FILE *to);

#endif /* TESTS_CLI_PLAN_BOTH_H */
