// SPDX-License-Identifier: MIT
/*
 * The sort against counting: the same elements, whole, in order, for sizes
 * below, at and above what it moves at once.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/sort.h"

#define MOST 70
#define SIZE_MOST 200

static bool less(const void *a, const void *b)
{
	return memcmp(a, b, 1) < 0;
}

/* Every byte of an element tells its key, but in a way of its own. */
static void fill(uint8_t *element, size_t size, uint8_t key)
{
	size_t i;

	element[0] = key;
	for (i = 1; i < size; i++)
		element[i] = (uint8_t)(key * 7 + i);
}

static void sort_one(uint32_t count, size_t size, uint32_t pattern)
{
	uint8_t *elements = malloc(count * size + 1);
	unsigned int left[256] = { 0 };
	uint8_t whole[SIZE_MOST];
	uint32_t random = pattern;
	uint32_t i;

	assert_non_null(elements);
	elements[count * size] = 0xa5;
	for (i = 0; i < count; i++) {
		uint8_t key = (uint8_t)(pattern == 0   ? i
					: pattern == 1 ? count - i
					: pattern == 2 ? 9
						       : random >> 24);

		random = random * 1664525 + 1013904223;
		fill(elements + i * size, size, key);
		left[key]++;
	}
	uiommu_sort(elements, count, size, less);
	for (i = 0; i < count; i++) {
		uint8_t key = elements[i * size];

		assert_true(i == 0 || elements[(i - 1) * size] <= key);
		assert_true(left[key]-- != 0);
		fill(whole, size, key);
		assert_memory_equal(elements + i * size, whole, size);
	}
	assert_int_equal(elements[count * size], 0xa5);
	free(elements);
}

static void test_sort(void **state)
{
	static const size_t sizes[] = { 1, 4, 63, 64, 65, 128, SIZE_MOST };
	uint32_t count, pattern;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (count = 0; count <= MOST; count++) {
			for (pattern = 0; pattern < 8; pattern++)
				sort_one(count, sizes[i], pattern);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sort) };

	return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
