// SPDX-License-Identifier: MIT
/* Random calls against a bitmap; the tree is checked all along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "iova_check.h"
#include "random.h"

#define PAGES 1500u
#define BASE UINT64_C(0x123) /* first page: no alignment to speak of */

struct given {
	uint64_t first;
	uint64_t count;
};

struct run {
	struct uiommu_host host;
	struct uiommu_iova_space space;
	char taken[PAGES]; /* 0, 'g'iven or 'r'eserved */
	struct given given[PAGES];
	unsigned int count;
};

static struct random seeded;
static struct run run;

/* Free, @align-ed to pages (0: not at all) and ending by @limit. */
static bool fits(uint64_t count, uint64_t align, uint64_t limit)
{
	uint64_t free = 0;

	for (uint64_t n = 0; n < PAGES && BASE + n <= limit; n++) {
		free = run.taken[n] ? 0 : free + 1;
		if (free >= count && !((BASE + n + 1 - count) & (align - 1)))
			return true;
	}
	return false;
}

static void mark(uint64_t first, uint64_t count, char as)
{
	memset(run.taken + (first - BASE), as, count);
}

static void step_alloc(void)
{
	uint64_t count = 1 +
			 random_below(&seeded, 1 << random_below(&seeded, 6));
	uint64_t align = UINT64_C(1) << random_below(&seeded, 7);
	uint64_t limit = BASE + random_below(&seeded, 2 * PAGES);
	uint64_t iova = 1, first;
	int err;

	if (random_below(&seeded, 2))
		for (align = 1; align < count;)
			align *= 2;
	if (random_below(&seeded, 3) == 0)
		count = align;
	run.host.fail_after = random_below(&seeded, 16) ? -1 : 0;
	err = uiommu_iova_alloc(&run.space, count << 12, align << 12,
				(limit << 12) + 0xfff,
				(unsigned int)random_below(&seeded, 2), &iova);
	if (err == UIOMMU_ENOMEM && run.host.fail_after == 0) {
		assert_int_equal(iova, 1);
		run.host.fail_after = -1;
		return;
	}
	run.host.fail_after = -1;
	if (err) {
		assert_int_equal(err, UIOMMU_ENOSPC);
		assert_int_equal(iova, 1);
		/* What it promises to find. */
		assert_false(fits(count + align - 1, 1, limit));
		if (align == 1 || align == count)
			assert_false(fits(count, align, limit));
		if (count <= align)
			assert_false(fits(align, align, limit));
		return;
	}
	first = iova >> 12;
	assert_int_equal(iova & 0xfff, 0);
	assert_int_equal(first & (align - 1), 0);
	assert_in_range(first, BASE, BASE + PAGES - count);
	assert_true(first + count - 1 <= limit);
	for (uint64_t n = 0; n < count; n++)
		assert_int_equal(run.taken[first - BASE + n], 0);
	mark(first, count, 'g');
	run.given[run.count++] = (struct given){ first, count };
}

static void step_free(void)
{
	unsigned int at = (unsigned int)random_below(&seeded, run.count);
	struct given given = run.given[at];
	struct uiommu_iova_node *node;

	assert_int_equal(uiommu_iova_claim(&run.space, given.first << 12,
					   given.count << 12, &node),
			 0);
	if (random_below(&seeded, 8) == 0) {
		uiommu_iova_unclaim(&run.space, node);
		return;
	}
	uiommu_iova_release(&run.space, node);
	mark(given.first, given.count, 0);
	run.given[at] = run.given[--run.count];
}

static void step_claim(void)
{
	uint64_t first = BASE + random_below(&seeded, PAGES);
	uint64_t count = 1 + random_below(&seeded, 3);
	struct uiommu_iova_node *node;
	bool known = false;

	for (unsigned int n = 0; n < run.count; n++)
		known |= run.given[n].first == first &&
			 run.given[n].count == count;
	assert_int_equal(
		uiommu_iova_claim(&run.space, first << 12, count << 12, &node),
		known ? 0 : UIOMMU_ENOENT);
	if (known)
		uiommu_iova_unclaim(&run.space, node);
}

static void step_reserve(void)
{
	uint64_t first = BASE - 8 + random_below(&seeded, PAGES + 8);
	uint64_t last = first + random_below(&seeded, 8);
	struct uiommu_range range = { first << 12, (last << 12) + 0xfff };
	bool busy = false;

	range.first += random_below(&seeded, 4096);
	if (first < BASE)
		first = BASE;
	if (last >= BASE + PAGES)
		last = BASE + PAGES - 1;
	for (uint64_t n = first; n <= last; n++)
		busy |= run.taken[n - BASE] == 'g';
	assert_int_equal(uiommu_iova_reserve(&run.space, range),
			 busy ? UIOMMU_EBUSY : 0);
	if (!busy && first <= last)
		mark(first, last - first + 1, 'r');
}

static void sequence(unsigned int steps)
{
	struct uiommu_range aperture = { BASE << 12,
					 ((BASE + PAGES) << 12) - 1 };

	memset(&run, 0, sizeof(run));
	fake_host_init(&run.host, false);
	assert_int_equal(uiommu_iova_init(&run.space, &run.host, aperture), 0);
	for (unsigned int n = 0; n < steps; n++) {
		/* Fills up, thins out, and so on. */
		unsigned int fill = n / 500 % 2 ? 3 : 6;
		uint64_t what = random_below(&seeded, 10);

		if (what < fill)
			step_alloc();
		else if (what < 9 && run.count)
			step_free();
		else if (random_below(&seeded, 16) == 0)
			step_reserve();
		else
			step_claim();
		if (n % 16 == 0)
			iova_check(&run.space);
		assert_int_equal(run.space.live, run.count);
	}
	while (run.count)
		step_free();
	iova_check(&run.space);
	uiommu_iova_fini(&run.space);
	fake_host_fini(&run.host);
}

static void against_a_bitmap(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 12; n++)
		sequence(4000);
}

/* Many ranges of mixed sizes: the tree stays balanced and right. */
static void many_ranges(void **state)
{
	struct uiommu_range aperture = { 0x1000, UINT64_C(0xffffffffffff) };
	static struct given given[20000];

	(void)state;
	fake_host_init(&run.host, false);
	assert_int_equal(uiommu_iova_init(&run.space, &run.host, aperture), 0);
	memset(given, 0, sizeof(given));
	for (unsigned int n = 0; n < 100000; n++) {
		struct given *one = &given[random_below(&seeded, 20000)];
		struct uiommu_iova_node *node;
		uint64_t align = 4096;

		if (one->count) {
			assert_int_equal(uiommu_iova_claim(&run.space,
							   one->first,
							   one->count, &node),
					 0);
			uiommu_iova_release(&run.space, node);
			one->count = 0;
			continue;
		}
		one->count = (1 + random_below(&seeded, 40)) << 12;
		while (align < one->count)
			align *= 2;
		assert_int_equal(uiommu_iova_alloc(&run.space, one->count,
						   align,
						   random_below(&seeded, 2)
							   ? 0xffffffff
							   : ~UINT64_C(0),
						   0, &one->first),
				 0);
	}
	assert_in_range(iova_check(&run.space), 9000, 11000);
	uiommu_iova_fini(&run.space);
	fake_host_fini(&run.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_bitmap),
		cmocka_unit_test(many_ranges),
	};

	random_init(&seeded, "iova random");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
