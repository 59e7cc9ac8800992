// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_host.h"
#include "iova_check.h"

#define PAGE UINT64_C(0x1000)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define NO_LIMIT (~UINT64_C(0))
#define RANGE(first, last) ((struct uiommu_range){ (first), (last) })

struct fixture {
	struct uiommu_host host;
	struct uiommu_iova_space space;
};

static struct fixture fixture;

static struct uiommu_iova_space *begin(uint64_t first, uint64_t last)
{
	fake_host_init(&fixture.host, false);
	assert_int_equal(uiommu_iova_init(&fixture.space, &fixture.host,
					  RANGE(first, last)),
			 0);
	iova_check(&fixture.space);
	return &fixture.space;
}

static void end(void)
{
	iova_check(&fixture.space);
	uiommu_iova_fini(&fixture.space);
	fake_host_fini(&fixture.host);
}

static uint64_t must_alloc(struct uiommu_iova_space *space, uint64_t size,
			   uint64_t align, uint64_t limit)
{
	uiommu_iova_t iova = 1;

	assert_int_equal(uiommu_iova_alloc(space, size, align, limit, 0, &iova),
			 0);
	assert_int_equal(iova & (align - 1), 0);
	assert_true(iova + (size - 1) <= limit);
	return iova;
}

static void must_free(struct uiommu_iova_space *space, uint64_t iova,
		      uint64_t size)
{
	struct uiommu_iova_node *node = NULL;

	assert_int_equal(uiommu_iova_claim(space, iova, size, &node), 0);
	uiommu_iova_release(space, node);
}

static void refuses_bad_apertures(void **state)
{
	static const struct uiommu_range bad[] = {
		{ 1, 0xffff },	     { 0, 0x1000 },	 { 0x2000, 0xfff },
		{ 0, ~UINT64_C(0) }, { 0x1800, 0x2fff },
	};
	struct uiommu_iova_space space;
	struct uiommu_host host;

	(void)state;
	fake_host_init(&host, false);
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		assert_int_equal(uiommu_iova_init(&space, &host, bad[n]),
				 UIOMMU_EINVAL);
	assert_int_equal(host.allocs, 0);
	host.fail_after = 0;
	assert_int_equal(uiommu_iova_init(&space, &host, RANGE(0, 0xfff)),
			 UIOMMU_ENOMEM);
	host.fail_after = -1;
	host.fail_lock = true;
	assert_int_equal(uiommu_iova_init(&space, &host, RANGE(0, 0xfff)),
			 UIOMMU_ENOMEM);
	fake_host_fini(&host);
}

static void refuses_bad_requests(void **state)
{
	struct uiommu_iova_space *space = begin(PAGE, GIB - 1);
	uiommu_iova_t iova = 77;

	(void)state;
#define REFUSED(error, size, align, limit)                                    \
	assert_int_equal(                                                     \
		uiommu_iova_alloc(space, (size), (align), (limit), 0, &iova), \
		(error))
	REFUSED(UIOMMU_EINVAL, 0, PAGE, NO_LIMIT);
	REFUSED(UIOMMU_EINVAL, 0x800, PAGE, NO_LIMIT);
	REFUSED(UIOMMU_EINVAL, PAGE, 0, NO_LIMIT);
	REFUSED(UIOMMU_EINVAL, PAGE, 0x800, NO_LIMIT);
	REFUSED(UIOMMU_EINVAL, PAGE, 3 * PAGE, NO_LIMIT);
	/* More than there is, or than is below the limit; nothing wraps. */
	REFUSED(UIOMMU_ENOSPC, GIB, PAGE, NO_LIMIT);
	REFUSED(UIOMMU_ENOSPC, ~UINT64_C(0xfff), PAGE, NO_LIMIT);
	REFUSED(UIOMMU_ENOSPC, 2 * PAGE, PAGE, 2 * PAGE - 1);
	REFUSED(UIOMMU_ENOSPC, PAGE, PAGE, 2 * PAGE - 2);
	REFUSED(UIOMMU_ENOSPC, PAGE, PAGE, 0);
	REFUSED(UIOMMU_ENOSPC, MIB, PAGE, PAGE);
	REFUSED(UIOMMU_ENOSPC, PAGE, GIB, NO_LIMIT);
	REFUSED(UIOMMU_ENOSPC, PAGE, UINT64_C(1) << 63, NO_LIMIT);
	assert_int_equal(iova, 77);
	assert_int_equal(space->live, 0);
	assert_int_equal(must_alloc(space, PAGE, PAGE, 2 * PAGE - 1), PAGE);
	end();
}

/* Far-reaching devices leave what is low to the others. */
static void gives_high_addresses_first(void **state)
{
	uint64_t top = (UINT64_C(1) << 48) - 1;
	struct uiommu_iova_space *space = begin(PAGE, top);

	(void)state;
	assert_int_equal(must_alloc(space, PAGE, PAGE, NO_LIMIT),
			 top + 1 - PAGE);
	assert_int_equal(must_alloc(space, MIB, MIB, 0xffffffff),
			 4 * GIB - MIB);
	assert_int_equal(must_alloc(space, PAGE, PAGE, 0xfffffff),
			 0x10000000 - PAGE);
	/* All above 4 GiB is gone: only then below. */
	must_alloc(space, top + 1 - 4 * GIB - PAGE, PAGE, NO_LIMIT);
	assert_true(must_alloc(space, PAGE, PAGE, NO_LIMIT) < 4 * GIB);
	end();
}

/* A limit in the middle of a free gap, of a range, and at its edges. */
static void honours_any_limit(void **state)
{
	struct uiommu_iova_space *space = begin(0, 16 * MIB - 1);
	uint64_t at = must_alloc(space, MIB, MIB, 8 * MIB - 1);

	(void)state;
	assert_int_equal(at, 7 * MIB);
	assert_int_equal(must_alloc(space, PAGE, PAGE, at + 5), at - PAGE);
	assert_int_equal(must_alloc(space, PAGE, PAGE, at - 1), at - 2 * PAGE);
	assert_int_equal(must_alloc(space, PAGE, PAGE, at + MIB + PAGE - 1),
			 at + MIB);
	assert_int_equal(must_alloc(space, PAGE, PAGE, at + MIB + PAGE - 2),
			 at - 3 * PAGE);
	assert_int_equal(
		must_alloc(space, 2 * PAGE, 2 * PAGE, 12 * MIB + 5 * PAGE + 17),
		12 * MIB + 2 * PAGE);
	end();
}

static void claims_exactly_what_it_gave(void **state)
{
	struct uiommu_iova_space *space = begin(PAGE, 64 * MIB - 1);
	struct uiommu_iova_node *node = NULL, *other = NULL;
	uint64_t at = must_alloc(space, 4 * PAGE, 4 * PAGE, NO_LIMIT);

	(void)state;
	assert_int_equal(uiommu_iova_reserve(space, RANGE(MIB, 2 * MIB - 1)),
			 0);
#define UNKNOWN(first, size)                                               \
	assert_int_equal(uiommu_iova_claim(space, (first), (size), &node), \
			 UIOMMU_ENOENT)
	UNKNOWN(at, 3 * PAGE);
	UNKNOWN(at, 5 * PAGE);
	UNKNOWN(at, 0);
	UNKNOWN(at + PAGE, 3 * PAGE);
	UNKNOWN(at - PAGE, PAGE);
	UNKNOWN(MIB, MIB);
	UNKNOWN(64 * MIB, 0 - 64 * MIB);
	UNKNOWN(NO_LIMIT, 1);
	assert_null(node);

	assert_int_equal(uiommu_iova_claim(space, at, 4 * PAGE, &node), 0);
	assert_int_equal(uiommu_iova_claim(space, at, 4 * PAGE, &other),
			 UIOMMU_ENOENT);
	assert_null(other);
	/* Claimed is not free yet. */
	assert_int_not_equal(must_alloc(space, 4 * PAGE, 4 * PAGE, NO_LIMIT),
			     at);
	uiommu_iova_unclaim(space, node);
	assert_int_equal(uiommu_iova_claim(space, at, 4 * PAGE, &node), 0);
	uiommu_iova_release(space, node);
	UNKNOWN(at, 4 * PAGE);
	assert_int_equal(must_alloc(space, 4 * PAGE, 4 * PAGE, NO_LIMIT), at);
	end();
}

static void reserves_any_overlap(void **state)
{
	struct uiommu_iova_space *space = begin(PAGE, GIB - 1);
	size_t nodes;

	(void)state;
	/* Outside, across both ends, and bytes of pages. */
	assert_int_equal(uiommu_iova_reserve(space, RANGE(GIB, 2 * GIB)), 0);
	assert_int_equal(uiommu_iova_reserve(space, RANGE(0, 0)), 0);
	assert_int_equal(iova_check(space), 1);
	assert_int_equal(uiommu_iova_reserve(space, RANGE(0, 2 * PAGE)), 0);
	assert_int_equal(uiommu_iova_reserve(space, RANGE(GIB - 5, NO_LIMIT)),
			 0);
	assert_int_equal(must_alloc(space, PAGE, PAGE, 4 * PAGE - 1), 3 * PAGE);
	assert_int_equal(must_alloc(space, PAGE, PAGE, NO_LIMIT),
			 GIB - 2 * PAGE);
	/* Several that overlap become one. */
	nodes = iova_check(space);
	for (uint64_t n = 0; n < 20; n++)
		assert_int_equal(uiommu_iova_reserve(
					 space, RANGE((100 + 3 * n) * MIB,
						      (102 + 3 * n) * MIB - 1)),
				 0);
	assert_int_equal(iova_check(space), nodes + 20);
	assert_int_equal(
		uiommu_iova_reserve(space, RANGE(101 * MIB, 158 * MIB)), 0);
	assert_int_equal(iova_check(space), nodes + 1);
	assert_int_equal(
		uiommu_iova_reserve(space, RANGE(120 * MIB, 121 * MIB)), 0);
	assert_int_equal(iova_check(space), nodes + 1);
	assert_int_equal(must_alloc(space, MIB, MIB, 159 * MIB - 1), 99 * MIB);
	assert_int_equal(must_alloc(space, PAGE, PAGE, 159 * MIB - 1),
			 99 * MIB - PAGE);

	/* Not over what is given out; and not the other way about. */
	assert_int_equal(uiommu_iova_reserve(space, RANGE(98 * MIB, 99 * MIB)),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_iova_reserve(space, RANGE(90 * MIB, 200 * MIB)),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_iova_reserve(space, RANGE(2, 1)),
			 UIOMMU_EINVAL);
	assert_int_equal(must_alloc(space, MIB, MIB, 98 * MIB - 1), 97 * MIB);
	end();
}

/* Fill what 32 bits reach, free a low one, and it is found again. */
static void finds_the_one_that_came_free(void **state)
{
	struct uiommu_iova_space *space = begin(MIB, (UINT64_C(1) << 40) - 1);
	uiommu_iova_t iova;

	(void)state;
	for (unsigned int n = 0; n < 4095; n++)
		must_alloc(space, MIB, MIB, 0xffffffff);
	assert_int_equal(
		uiommu_iova_alloc(space, MIB, MIB, 0xffffffff, 0, &iova),
		UIOMMU_ENOSPC);
	assert_int_equal(
		uiommu_iova_alloc(space, PAGE, PAGE, 0xffffffff, 0, &iova),
		UIOMMU_ENOSPC);
	must_free(space, 3 * MIB, MIB);
	assert_int_equal(must_alloc(space, MIB, MIB, 0xffffffff), 3 * MIB);
	must_free(space, MIB, MIB);
	assert_int_equal(must_alloc(space, MIB, PAGE, 0xffffffff), MIB);
	assert_true(must_alloc(space, MIB, MIB, NO_LIMIT) > 0xffffffff);
	end();
}

/* Everything at once, and again after it was given back. */
static void gives_the_whole_aperture(void **state)
{
	struct uiommu_iova_space *space = begin(0, ~UINT64_C(0) - PAGE);
	uint64_t all = 0 - PAGE;
	uiommu_iova_t iova;

	(void)state;
	for (unsigned int n = 0; n < 3; n++) {
		assert_int_equal(must_alloc(space, all, PAGE, NO_LIMIT), 0);
		assert_int_equal(uiommu_iova_alloc(space, PAGE, PAGE, NO_LIMIT,
						   0, &iova),
				 UIOMMU_ENOSPC);
		iova_check(space);
		must_free(space, 0, all);
	}
	/* Sizes and alignments whose sum does not fit in 64 bits. */
	assert_int_equal(must_alloc(space, UINT64_C(1) << 63, UINT64_C(1) << 63,
				    NO_LIMIT),
			 0);
	assert_int_equal(uiommu_iova_alloc(space, PAGE, UINT64_C(1) << 63,
					   NO_LIMIT, 0, &iova),
			 0);
	assert_int_equal(iova, UINT64_C(1) << 63);
	end();
}

static void out_of_memory_changes_nothing(void **state)
{
	struct uiommu_iova_space *space = begin(PAGE, GIB - 1);
	uiommu_iova_t iova = 77;
	unsigned int given = 0;
	size_t live;

	(void)state;
	while (space->nodes.free) {
		must_alloc(space, PAGE, PAGE, NO_LIMIT);
		given++;
	}
	live = fixture.host.live;
	for (unsigned int flags = 0; flags <= UIOMMU_ALLOC_ATOMIC; flags++) {
		fixture.host.fail_after = 0;
		assert_int_equal(uiommu_iova_alloc(space, PAGE, PAGE, NO_LIMIT,
						   flags, &iova),
				 UIOMMU_ENOMEM);
		assert_int_equal(uiommu_iova_reserve(space, RANGE(PAGE, MIB)),
				 UIOMMU_ENOMEM);
		assert_int_equal(space->live, given);
		iova_check(space);
	}
	assert_int_equal(iova, 77);
	assert_int_equal(fixture.host.live, live);
	/* Without memory one can still give back. */
	must_free(space, GIB - PAGE, PAGE);
	fixture.host.fail_after = -1;
	must_alloc(space, PAGE, PAGE, NO_LIMIT);
	assert_int_equal(uiommu_iova_alloc(space, PAGE, PAGE, NO_LIMIT,
					   UIOMMU_ALLOC_ATOMIC, &iova),
			 0);
	end();
}

/*
 * Gaps that are large enough but lie badly: what is promised is found, what is
 * not is looked for in a bounded number of them, and less alignment helps.
 */
static void many_gaps_that_lie_badly(void **state)
{
	struct uiommu_iova_space *space = begin(0, 64 * MIB - 1);
	uiommu_iova_t iova;

	(void)state;
	/* Every 4 pages, the one in the middle: gaps of 3, aligned to none. */
	for (uint64_t n = 0; n < 64 * MIB / PAGE / 4; n++)
		assert_int_equal(uiommu_iova_reserve(
					 space, RANGE((4 * n + 2) * PAGE,
						      (4 * n + 3) * PAGE - 1)),
				 0);
	assert_int_equal(uiommu_iova_alloc(space, 2 * PAGE, 8 * PAGE, NO_LIMIT,
					   0, &iova),
			 0);
	assert_int_equal(uiommu_iova_alloc(space, 3 * PAGE, 4 * PAGE, NO_LIMIT,
					   0, &iova),
			 UIOMMU_ENOSPC);
	assert_int_equal(must_alloc(space, 3 * PAGE, PAGE, 32 * MIB - 1) %
				 (4 * PAGE),
			 3 * PAGE);
	assert_int_equal(uiommu_iova_alloc(space, 4 * PAGE, 4 * PAGE, NO_LIMIT,
					   0, &iova),
			 UIOMMU_ENOSPC);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_apertures),
		cmocka_unit_test(refuses_bad_requests),
		cmocka_unit_test(gives_high_addresses_first),
		cmocka_unit_test(honours_any_limit),
		cmocka_unit_test(claims_exactly_what_it_gave),
		cmocka_unit_test(reserves_any_overlap),
		cmocka_unit_test(finds_the_one_that_came_free),
		cmocka_unit_test(gives_the_whole_aperture),
		cmocka_unit_test(out_of_memory_changes_nothing),
		cmocka_unit_test(many_gaps_that_lie_badly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
