// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

struct uiommu_host {
	unsigned int live;
	unsigned int fail_nth; /* 0: never */
	unsigned int calls;
	unsigned int last_flags;
};

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page;

	host->last_flags = flags;
	if (++host->calls == host->fail_nth)
		return NULL;
	page = aligned_alloc(size, size);
	memset(page, 0, size);
	*paddr = (uintptr_t)page;
	host->live++;
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	(void)size;
	host->live--;
	free(page);
}

#define OBJECTS 1000

static void objects_are_apart_and_zero(void **state)
{
	static const size_t sizes[] = { 1, 16, 17, 72, 500, 2032 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct uiommu_host host = { 0 };
		struct uiommu_pool pool;
		unsigned char *object[OBJECTS];

		uiommu_pool_init(&pool, &host, sizes[s]);
		for (unsigned int round = 0; round < 2; round++) {
			for (size_t i = 0; i < OBJECTS; i++) {
				object[i] = uiommu_pool_alloc(&pool, 0);
				assert_non_null(object[i]);
				for (size_t b = 0; b < sizes[s]; b++)
					assert_int_equal(object[i][b], 0);
				memset(object[i], (int)(i % 255) + 1, sizes[s]);
			}
			for (size_t i = 0; i < OBJECTS; i++) {
				assert_int_equal(object[i][sizes[s] - 1],
						 i % 255 + 1);
				uiommu_pool_free(&pool, object[i]);
			}
			assert_int_equal(pool.live, 0);
		}
		uiommu_pool_fini(&pool);
		assert_int_equal(host.live, 0);
	}
}

static void failed_growth_changes_nothing(void **state)
{
	struct uiommu_host host = { .fail_nth = 2 };
	struct uiommu_pool pool;
	unsigned int got = 0;

	(void)state;
	uiommu_pool_init(&pool, &host, 2032);
	while (uiommu_pool_alloc(&pool, UIOMMU_ALLOC_ATOMIC))
		got++;
	assert_int_equal(got, 2); /* two to a page */
	assert_int_equal(host.last_flags, UIOMMU_ALLOC_ATOMIC);
	assert_int_equal(pool.live, 2);
	assert_non_null(uiommu_pool_alloc(&pool, 0));
	uiommu_pool_fini(&pool);
	assert_int_equal(host.live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_apart_and_zero),
		cmocka_unit_test(failed_growth_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
