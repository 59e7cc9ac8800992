// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pt_subject.h"

static struct random seeded;

static void run_all(const struct pt_subject *subject)
{
	static const uint64_t sizes[] = { 0x1000, 0x201000, 0x40201000 };

	for (unsigned int levels = 3; levels <= 5; levels++)
		for (unsigned int n = 0; n < 3; n++)
			for (unsigned int coherent = 0; coherent < 2;
			     coherent++)
				pt_random_run(subject, levels, sizes[n],
					      coherent, &seeded, 400);
}

static void vtd_ss_against_flat_array(void **state)
{
	(void)state;
	run_all(&pt_vtd_ss);
}

static void toy_against_flat_array(void **state)
{
	(void)state;
	run_all(&pt_toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd_ss_against_flat_array),
		cmocka_unit_test(toy_against_flat_array),
	};

	random_init(&seeded, "pt random");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
