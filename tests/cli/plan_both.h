/* SPDX-License-Identifier: MIT */
/* What a machine from any source comes to, under both rule sets. */
#ifndef TESTS_CLI_PLAN_BOTH_H
#define TESTS_CLI_PLAN_BOTH_H

#include <stdio.h>

#include "machine.h"

/* Prints the groups to @to, one a line, if that is not NULL. 0, or -1. */
int plan_both(struct machine *machine, FILE *to);

/* Reads @data by @parse: a machine, with its plans, or a reason why not. */
typedef int machine_parse(struct machine *machine, const char *name,
			  const char *text, size_t size,
			  struct machine_error *error);
void fuzz_machine(machine_parse *parse, const uint8_t *data, size_t size);

#endif /* TESTS_CLI_PLAN_BOTH_H */
