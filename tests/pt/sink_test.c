// SPDX-License-Identifier: MIT
/* Tables of a sink, walked as hardware would: one page and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "pt/pt_sink.h"
#include "random.h"

#define SNP (UINT64_C(1) << 11)
#define RW UINT64_C(3)

static struct uiommu_pt_config config_of(unsigned int levels, bool coherent,
					 uint64_t leaf_bits)
{
	struct uiommu_pt_config config = {
		.format = UIOMMU_PT_VTD_SS,
		.levels = levels,
		.width = 12 + 9 * levels,
		.page_sizes = UINT64_C(1) << 12 | UINT64_C(1) << 21,
		.paddr_last = (UINT64_C(1) << 52) - 1,
		.leaf_bits = leaf_bits,
		.coherent = coherent,
	};

	return config;
}

/* Where @iova leads, through what a walker sees. */
static uint64_t walk(struct uiommu_host *host,
		     const struct uiommu_pt_sink *sink, uint64_t iova)
{
	uint64_t at = sink->root_paddr;

	for (unsigned int level = sink->config.levels; level-- > 0;) {
		uint64_t index = iova >> (12 + 9 * level) & 511;
		uint64_t entry = fake_host_read(host, at + 8 * index);

		assert_int_equal(entry & RW, RW);
		assert_int_equal(entry & 0xffc,
				 level ? 0 : sink->config.leaf_bits);
		assert_int_equal(entry >> 52, 0);
		at = entry & ~UINT64_C(0xfff);
	}
	return at | (iova & 0xfff);
}

static void check(struct uiommu_host *host, const struct uiommu_pt_sink *sink,
		  struct random *random)
{
	unsigned int bits = sink->config.width;
	uint64_t last = (UINT64_C(1) << bits) - 1;
	uint64_t iova;

	/* Every entry of every table is on the way of one of these. */
	for (unsigned int level = 0; level < sink->config.levels; level++)
		for (uint64_t i = 0; i < 512; i++)
			assert_int_equal(
				walk(host, sink, i << (12 + 9 * level)),
				sink->page_paddr);
	for (unsigned int i = 0; i < 5000; i++) {
		iova = random_below(random, last);
		assert_int_equal(walk(host, sink, iova),
				 sink->page_paddr | (iova & 0xfff));
	}
	assert_int_equal(walk(host, sink, last), sink->page_paddr | 0xfff);
	for (unsigned int i = 0; i < 4096; i += 8)
		assert_int_equal(fake_host_read(host, sink->page_paddr + i), 0);
}

static void test_walk(void **state)
{
	struct random random;
	struct uiommu_host host;
	struct uiommu_pt_sink sink;
	struct uiommu_pt pt;

	(void)state;
	random_init(&random, "sink");
	for (unsigned int kind = 0; kind < 3 * 4; kind++) {
		bool coherent = kind & 1;
		struct uiommu_pt_config config = config_of(
			3 + kind / 4, coherent, kind & 2 ? SNP : 0);

		fake_host_init(&host, !coherent);
		assert_int_equal(uiommu_pt_sink_init(&sink, &host, &config), 0);
		assert_int_equal(host.live, config.levels + 1);
		assert_int_equal(host.cleans != 0, !coherent);
		check(&host, &sink, &random);
		memset(&pt, 0x5a, sizeof(pt));
		uiommu_pt_sink_tables(&sink, &pt);
		assert_ptr_equal(pt.root, sink.root);
		assert_int_equal(pt.root_paddr, sink.root_paddr);
		assert_int_equal(pt.config.levels, config.levels);
		assert_int_equal(pt.config.coherent, coherent);
		/* Any unit can walk pages of 4 KiB. */
		assert_int_equal(pt.config.page_sizes, 1u << 12);
		uiommu_pt_sink_fini(&sink);
		assert_int_equal(host.live, 0);
		uiommu_pt_sink_fini(&sink);
		fake_host_fini(&host);
	}
}

static void test_errors(void **state)
{
	struct uiommu_pt_config config = config_of(5, true, 0);
	struct uiommu_pt_sink sink, untouched;
	struct uiommu_host host;
	long n;

	(void)state;
	fake_host_init(&host, false);
	memset(&sink, 0x5a, sizeof(sink));
	untouched = sink;
	for (n = 0;; n++) {
		host.fail_after = n;
		if (uiommu_pt_sink_init(&sink, &host, &config) == 0)
			break;
		assert_int_equal(host.live, 0);
		assert_memory_equal(&sink, &untouched, sizeof(sink));
	}
	assert_int_equal(n, 6);
	host.fail_after = -1;
	uiommu_pt_sink_fini(&sink);
	/* Pages that no entry can point to are as good as none. */
	config.paddr_last = 0xfffff;
	assert_int_equal(uiommu_pt_sink_init(&sink, &host, &config),
			 UIOMMU_ENOMEM);
	assert_int_equal(host.live, 0);
	config = config_of(6, true, 0);
	assert_int_equal(uiommu_pt_sink_init(&sink, &host, &config),
			 UIOMMU_EINVAL);
	config = config_of(2, true, 0);
	assert_int_equal(uiommu_pt_sink_init(&sink, &host, &config),
			 UIOMMU_EINVAL);
	fake_host_fini(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
