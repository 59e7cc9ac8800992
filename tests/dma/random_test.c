// SPDX-License-Identifier: MIT
/*
 * Random sequences on the whole stack: right after every change each device
 * reaches exactly what it may. The unit's caches forget only when told, so a
 * missing invalidation shows as an access that must have been refused.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack.h"

static unsigned long steps = 600;

static void run_kind(void **state)
{
	static struct stack stack;
	const struct stack_kind *kind = *state;

	random_init(&stack.random, kind->name);
	stack_up(&stack, kind);
	for (unsigned long i = 0; i < steps; i++)
		stack_step(&stack);
	assert_true(stack.accesses > steps);
	assert_true(stack.refused > steps / 10);
	stack_down(&stack);
}

int main(void)
{
	struct CMUnitTest tests[32];

	if (getenv("STEPS"))
		steps = strtoul(getenv("STEPS"), NULL, 0);
	for (unsigned int i = 0; i < stack_kind_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = stack_kinds[i].name,
			.test_func = run_kind,
			.initial_state = (void *)(uintptr_t)&stack_kinds[i],
		};
	return _cmocka_run_group_tests("dma random", tests, stack_kind_count,
				       NULL, NULL);
}
