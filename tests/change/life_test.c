// SPDX-License-Identifier: MIT
/*
 * Forty thousand operations, at random, on the software VT-d: after each, every
 * device reaches exactly what it may; during each, between any two accesses to
 * registers, firmware's regions are in reach and nothing is open that is not to
 * be; and so also where the host runs out of memory in the middle. The unit says if it was spoken to wrongly, the host if anything is lost.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "life.h"

/* Commands by register show all; a queue is one access to many. */
static void kind_registers(struct user_config *config)
{
	config->units[0].model.qi = false;
}

static void kind_queue(struct user_config *config)
{
	(void)config;
}

static void kind_emulated(struct user_config *config)
{
	config->units[0].model.cm = true;
	config->units[0].model.c = false;
	config->memory.noncoherent = true;
}

static void kind_old(struct user_config *config)
{
	config->units[0].model.qi = false;
	config->units[0].model.psi = false;
	config->units[0].model.rwbf = true;
	config->memory.buffered = true;
}

static const struct {
	const char *name;
	void (*kind)(struct user_config *config);
} kinds[] = {
	{ "registers", kind_registers },
	{ "queue", kind_queue },
	{ "emulated", kind_emulated },
	{ "old", kind_old },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static unsigned long steps = 10000;

static void run_kind(void **state)
{
	static struct life life;
	unsigned int kind = *(const unsigned int *)*state;

	random_init(&life.random, kinds[kind].name);
	life_up(&life, kinds[kind].kind);
	for (unsigned long i = 0; i < steps; i++)
		life_step(&life);
	/* Every kind of operation got through, many times. */
	for (unsigned int op = 0; op < LIFE_OPS; op++)
		assert_true(life.done[op] > steps / 500);
	assert_true(life.failed > steps / 400);
	assert_true(life.kept_tried > steps);
	assert_true(life.beside_tried > steps / 4);
	life_down(&life);
}

int main(void)
{
	static unsigned int numbers[KINDS];
	struct CMUnitTest tests[KINDS];

	if (getenv("STEPS"))
		steps = strtoul(getenv("STEPS"), NULL, 0);
	for (unsigned int i = 0; i < KINDS; i++) {
		numbers[i] = i;
		tests[i] = (struct CMUnitTest){ .name = kinds[i].name,
						.test_func = run_kind,
						.initial_state = &numbers[i] };
	}
	return _cmocka_run_group_tests("change life", tests, KINDS, NULL, NULL);
}
