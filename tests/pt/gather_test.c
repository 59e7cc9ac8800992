// SPDX-License-Identifier: MIT
/* A gather names all that was added, in few ranges that do not touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pt/pt.h"
#include "random.h"

static struct random seeded;

static void add(struct uiommu_gather *gather, uint64_t first, uint64_t last)
{
	struct uiommu_range range = { first, last };

	uiommu_gather_add(gather, range);
}

/* A neighbour is no range of its own. */
static void adjacent_ranges_merge(void **state)
{
	struct uiommu_gather gather;

	(void)state;
	uiommu_gather_init(&gather);
	for (uint64_t n = 0; n < 64; n++)
		add(&gather, n << 12, (n << 12) + 0xfff);
	for (uint64_t n = 128; n > 64; n--)
		add(&gather, n << 12, (n << 12) + 0xfff);
	assert_int_equal(gather.count, 2);
	add(&gather, 64 << 12, (64 << 12) + 0xfff);
	assert_int_equal(gather.count, 1);
	assert_int_equal(gather.ranges[0].first, 0);
	assert_int_equal(gather.ranges[0].last, (128 << 12) + 0xfff);
	/* Inside, around, and at the far end of everything. */
	add(&gather, 0x1000, 0x1fff);
	assert_int_equal(gather.count, 1);
	add(&gather, 0, ~UINT64_C(0));
	assert_int_equal(gather.count, 1);
	assert_int_equal(gather.ranges[0].last, ~UINT64_C(0));
}

static void nearest_grow_together(void **state)
{
	struct uiommu_gather gather;

	(void)state;
	uiommu_gather_init(&gather);
	add(&gather, 0x900000, 0x900fff);
	add(&gather, 0x100000, 0x100fff);
	add(&gather, 0x500000, 0x500fff);
	add(&gather, 0x502000, 0x502fff);
	assert_int_equal(gather.count, 4);
	add(&gather, 0xd00000, 0xd00fff);
	assert_int_equal(gather.count, 4);
	assert_int_equal(gather.ranges[0].last, 0x100fff);
	assert_int_equal(gather.ranges[1].first, 0x500000);
	assert_int_equal(gather.ranges[1].last, 0x502fff);
	assert_int_equal(gather.ranges[3].first, 0xd00000);
}

static void random_ranges_are_covered(void **state)
{
	bool want[256];

	(void)state;
	for (unsigned int round = 0; round < 4000; round++) {
		struct uiommu_gather gather;
		unsigned int count = (unsigned int)random_below(&seeded, 12);

		for (unsigned int n = 0; n < 256; n++)
			want[n] = false;
		uiommu_gather_init(&gather);
		for (unsigned int n = 0; n < count; n++) {
			uint64_t first = random_below(&seeded, 256);
			uint64_t last = first + random_below(&seeded, 12);

			if (last > 255)
				last = 255;
			add(&gather, first, last);
			for (; first <= last; first++)
				want[first] = true;
		}
		assert_in_range(gather.count, count ? 1 : 0,
				UIOMMU_GATHER_RANGES);
		for (unsigned int n = 0; n < 256; n++) {
			bool named = false;

			for (unsigned int at = 0; at < gather.count; at++)
				named |= gather.ranges[at].first <= n &&
					 n <= gather.ranges[at].last;
			assert_true(named || !want[n]);
		}
		for (unsigned int at = 1; at < gather.count; at++)
			assert_true(gather.ranges[at].first >
				    gather.ranges[at - 1].last + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adjacent_ranges_merge),
		cmocka_unit_test(nearest_grow_together),
		cmocka_unit_test(random_ranges_are_covered),
	};

	random_init(&seeded, "gather");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
