// SPDX-License-Identifier: MIT
/* Single cases: arguments, large pages, splits, failures, what is known to
 * have gone wrong elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pt/pt_table.h"
#include "pt_subject.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define ALL_SIZES UINT64_C(0x40201000)

struct tree {
	struct uiommu_host host;
	struct uiommu_pt pt;
	struct uiommu_gather gather;
};

static struct uiommu_pt_config config_of(unsigned int levels, uint64_t sizes)
{
	struct uiommu_pt_config config = {
		.format = UIOMMU_PT_VTD_SS,
		.levels = levels,
		.width = 12 + 9 * levels,
		.page_sizes = sizes,
		.paddr_last = (UINT64_C(1) << 46) - 1,
		.leaf_bits = pt_vtd_ss.leaf_bits,
		.coherent = true,
	};

	return config;
}

static void tree_init(struct tree *tree, struct uiommu_pt_config config)
{
	fake_host_init(&tree->host, !config.coherent);
	uiommu_gather_init(&tree->gather);
	assert_int_equal(uiommu_pt_init(&tree->pt, &tree->host, &config), 0);
}

static void tree_fini(struct tree *tree)
{
	uiommu_gather_free(&tree->pt, &tree->gather);
	uiommu_pt_fini(&tree->pt);
	fake_host_fini(&tree->host);
}

static int map(struct tree *tree, uint64_t first, uint64_t size,
	       uiommu_paddr_t paddr)
{
	struct uiommu_range range = { first, first + size - 1 };

	return uiommu_pt_map(&tree->pt, range, paddr, RW, 0, &tree->gather);
}

static int unmap(struct tree *tree, uint64_t first, uint64_t size,
		 uint64_t *unmapped)
{
	struct uiommu_range range = { first, first + size - 1 };

	return uiommu_pt_unmap(&tree->pt, range, 0, &tree->gather, unmapped);
}

/* Through the tables and through the library: both or neither. */
static bool leads_to(struct tree *tree, uint64_t iova, uiommu_paddr_t want)
{
	uiommu_paddr_t paddr = ~want, walked = ~want;
	int err = uiommu_pt_lookup(&tree->pt, iova, &paddr, NULL);
	unsigned int prot = pt_walk_hardware(&tree->host, &pt_vtd_ss, &tree->pt,
					     iova, &walked);

	assert_int_equal(err == 0, prot != 0);
	if (err)
		return false;
	assert_int_equal(paddr, walked);
	return paddr == want;
}

static bool mapped(struct tree *tree, uint64_t iova)
{
	uiommu_paddr_t paddr;

	return uiommu_pt_lookup(&tree->pt, iova, &paddr, NULL) == 0;
}

static void refuses_bad_configs(void **state)
{
	struct uiommu_pt_config good = config_of(4, ALL_SIZES), bad;
	struct uiommu_host host;
	struct uiommu_pt pt;

	(void)state;
	fake_host_init(&host, false);
#define REFUSED(field, value)                                      \
	do {                                                       \
		bad = good;                                        \
		bad.field = (value);                               \
		assert_int_equal(uiommu_pt_init(&pt, &host, &bad), \
				 UIOMMU_EINVAL);                   \
	} while (0)
	REFUSED(levels, 2);
	REFUSED(levels, 6);
	REFUSED(width, 49);
	REFUSED(width, 11);
	REFUSED(page_sizes, 0);
	REFUSED(page_sizes, 0x200000);
	REFUSED(page_sizes, 0x3000);
	REFUSED(paddr_last, 0);
	REFUSED(format, (enum uiommu_pt_format)77);
	assert_int_equal(host.allocs, 0);
	host.fail_after = 0;
	assert_int_equal(uiommu_pt_init(&pt, &host, &good), UIOMMU_ENOMEM);
	fake_host_fini(&host);
}

static void refuses_bad_ranges(void **state)
{
	struct uiommu_pt_config config = config_of(4, ALL_SIZES);
	uint64_t unmapped = 77, end = UINT64_C(1) << 46;
	struct uiommu_range wraps = { 0x2000, 0xfff };
	struct tree tree;
	size_t allocs;

	(void)state;
	config.width = 46;
	tree_init(&tree, config);
	allocs = tree.host.allocs;
	assert_int_equal(map(&tree, 0x1001, 0x1000, 0), UIOMMU_EINVAL);
	assert_int_equal(map(&tree, 0x1000, 0x800, 0), UIOMMU_EINVAL);
	assert_int_equal(map(&tree, 0x1000, 0x1000, 0x10), UIOMMU_EINVAL);
	assert_int_equal(uiommu_pt_map(&tree.pt, wraps, 0, RW, 0, &tree.gather),
			 UIOMMU_EINVAL);
	wraps.last = 0x2fff;
	assert_int_equal(uiommu_pt_map(&tree.pt, wraps, 0, 0, 0, &tree.gather),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_pt_map(&tree.pt, wraps, 0, 7, 0, &tree.gather),
			 UIOMMU_EINVAL);
	assert_int_equal(map(&tree, end, 0x1000, 0), UIOMMU_ERANGE);
	assert_int_equal(map(&tree, end - 0x1000, 0x2000, 0), UIOMMU_ERANGE);
	assert_int_equal(map(&tree, 0, 0x2000, end - 0x1000), UIOMMU_ERANGE);
	assert_int_equal(map(&tree, 0, 0x1000, end), UIOMMU_ERANGE);
	assert_int_equal(map(&tree, 0, 0x2000, ~UINT64_C(0xfff)),
			 UIOMMU_ERANGE);
	assert_int_equal(unmap(&tree, 1, 0x1000, &unmapped), UIOMMU_EINVAL);
	assert_int_equal(unmap(&tree, end, 0x1000, &unmapped), UIOMMU_ERANGE);
	assert_int_equal(unmapped, 77);
	assert_false(mapped(&tree, end));
	assert_false(mapped(&tree, ~UINT64_C(0)));
	assert_int_equal(tree.host.allocs, allocs);

	/* The very last page on both sides is good. */
	assert_int_equal(map(&tree, end - 0x1000, 0x1000, end - 0x1000), 0);
	assert_true(leads_to(&tree, end - 1, end - 1));
	tree_fini(&tree);
}

/* A page mapped to physical 0 is mapped. */
static void physical_zero_is_an_address(void **state)
{
	struct tree tree;

	(void)state;
	tree_init(&tree, config_of(3, ALL_SIZES));
	assert_int_equal(map(&tree, 0, 0x1000, 0), 0);
	assert_true(mapped(&tree, 0));
	assert_true(leads_to(&tree, 7, 7));
	assert_int_equal(map(&tree, 0, 0x1000, 0), UIOMMU_EEXIST);
	tree_fini(&tree);
}

static void permissions_are_kept(void **state)
{
	struct tree tree;

	(void)state;
	tree_init(&tree, config_of(4, ALL_SIZES));
	for (unsigned int prot = 1; prot <= 3; prot++) {
		uint64_t iova = prot * 4 * MIB;
		struct uiommu_range range = { iova, iova + 2 * MIB + 0xfff };
		unsigned int got = 0;
		uiommu_paddr_t paddr;
		uint64_t unmapped;

		assert_int_equal(uiommu_pt_map(&tree.pt, range, iova, prot, 0,
					       &tree.gather),
				 0);
		/* The split of a large page keeps them as well. */
		assert_int_equal(unmap(&tree, iova, 0x1000, &unmapped), 0);
		for (unsigned int at = 1; at <= 512; at += 511) {
			assert_int_equal(uiommu_pt_lookup(&tree.pt,
							  iova + at * 4096,
							  &paddr, &got),
					 0);
			assert_int_equal(got, prot);
			assert_int_equal(pt_walk_hardware(&tree.host,
							  &pt_vtd_ss, &tree.pt,
							  iova + at * 4096,
							  &paddr),
					 prot);
		}
	}
	tree_fini(&tree);
}

/* Leaves are as large as they can be, and no larger; counted in tables. */
static void uses_the_largest_leaves(void **state)
{
	static const struct {
		uint64_t sizes, first, size, paddr;
		size_t pages; /* with the root of 2 and directories of 2 */
	} cases[] = {
		{ 0x40201000, GIB, GIB, 2 * GIB, 4 },
		{ 0x201000, GIB, GIB, 2 * GIB, 6 },
		{ 0x1000, GIB, GIB, 2 * GIB, 6 + 512 },
		{ 0x40001000, GIB, GIB, 2 * GIB, 6 + 512 },
		{ 0x40201000, GIB, GIB, 2 * MIB, 6 },
		{ 0x40201000, GIB, GIB, 0x1000, 6 + 512 },
		{ 0x40201000, GIB, GIB - 0x1000, 0, 6 + 1 },
		{ 0x40201000, GIB - 0x1000, GIB + 0x2000, 3 * GIB - 0x1000,
		  4 + 2 + 1 + 2 + 1 },
		{ 0x40201000, 0x1ff000, 0x2000, 0, 6 + 2 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct tree tree;

		tree_init(&tree, config_of(4, cases[n].sizes));
		assert_int_equal(map(&tree, cases[n].first, cases[n].size,
				     cases[n].paddr),
				 0);
		if (tree.pt.table_pages != cases[n].pages)
			fail_msg("case %zu: %zu pages", n, tree.pt.table_pages);
		assert_true(leads_to(&tree, cases[n].first + cases[n].size - 1,
				     cases[n].paddr + cases[n].size - 1));
		assert_false(mapped(&tree, cases[n].first - 1));
		assert_false(mapped(&tree, cases[n].first + cases[n].size));
		tree_fini(&tree);
	}
}

/* Any offset in a page of any size. */
static void looks_up_any_offset(void **state)
{
	struct tree tree;

	(void)state;
	tree_init(&tree, config_of(5, ALL_SIZES));
	assert_int_equal(map(&tree, 4 * GIB, 2 * GIB, 8 * GIB), 0);
	assert_int_equal(map(&tree, 6 * GIB, 2 * MIB + 0x1000, 32 * MIB), 0);
	for (uint64_t at = 1; at < 2 * GIB; at = at * 3 + 0x10001)
		assert_true(leads_to(&tree, 4 * GIB + at, 8 * GIB + at));
	for (uint64_t at = 1; at < 2 * MIB + 0x1000; at = at * 3 + 5)
		assert_true(leads_to(&tree, 6 * GIB + at, 32 * MIB + at));
	tree_fini(&tree);
}

/* 1024 pages from page 0x3fe00 cross two tables. */
static void unmaps_across_tables(void **state)
{
	struct tree tree;
	uint64_t unmapped = 0;
	uiommu_iova_t iova;

	(void)state;
	tree_init(&tree, config_of(4, 0x1000));
	for (unsigned int n = 0; n < 1024; n++)
		assert_int_equal(map(&tree, (UINT64_C(0x3fe00) + n) << 12,
				     0x1000, n << 12),
				 0);
	assert_int_equal(
		unmap(&tree, UINT64_C(0x3fe00) << 12, 1024 << 12, &unmapped),
		0);
	assert_int_equal(unmapped, 1024 << 12);
	assert_int_equal(uiommu_pt_find(&tree.pt,
					(struct uiommu_range){ 0, 4 * GIB - 1 },
					true, &iova),
			 UIOMMU_ENOENT);
	tree_fini(&tree);
}

/* Tables stay below 0.3 % of what is mapped, at the worst. */
static void tables_are_small(void **state)
{
	struct tree tree;

	(void)state;
	tree_init(&tree, config_of(4, 0x1000));
	assert_int_equal(map(&tree, 0, 16 * GIB, 0), 0);
	assert_in_range(tree.pt.table_pages * 4096, 16 * GIB / 512,
			16 * GIB / 1000 * 3);
	assert_true(leads_to(&tree, 16 * GIB - 1, 16 * GIB - 1));
	assert_false(mapped(&tree, 16 * GIB));
	tree_fini(&tree);
}

/*
 * A table that small pages left behind, and that hardware may have cached, is
 * not replaced by a large page behind its back.
 */
static void keeps_tables_under_large_pages(void **state)
{
	struct tree tree;
	uint64_t unmapped, entry, pages;

	(void)state;
	tree_init(&tree, config_of(3, ALL_SIZES));
	assert_int_equal(map(&tree, 4 * MIB, 0x1000, 0x5000), 0);
	pages = tree.pt.table_pages;
	assert_int_equal(unmap(&tree, 4 * MIB, 0x1000, &unmapped), 0);
	assert_false(tree.gather.tables);
	entry = tree.pt.root[0];
	assert_int_equal(map(&tree, 2 * MIB, 6 * MIB, 8 * MIB), 0);
	assert_int_equal(tree.pt.root[0], entry);
	assert_int_equal(tree.pt.table_pages, pages);
	for (uint64_t at = 0; at < 6 * MIB; at += 0x1000)
		assert_true(leads_to(&tree, 2 * MIB + at, 8 * MIB + at));

	/* Taken out as a whole it goes, and then the large page comes. */
	assert_int_equal(unmap(&tree, 4 * MIB, 2 * MIB, &unmapped), 0);
	assert_true(tree.gather.tables);
	uiommu_gather_free(&tree.pt, &tree.gather);
	assert_int_equal(map(&tree, 4 * MIB, 2 * MIB, 8 * MIB), 0);
	assert_int_equal(tree.pt.table_pages, pages - 1);
	tree_fini(&tree);
}

static void split_gathers_the_whole_leaf(void **state)
{
	struct tree tree;
	uint64_t unmapped = 0;

	(void)state;
	tree_init(&tree, config_of(4, ALL_SIZES));
	assert_int_equal(map(&tree, GIB, GIB, 4 * GIB), 0);
	assert_int_equal(unmap(&tree, GIB + 3 * MIB, 0x1000, &unmapped), 0);
	assert_int_equal(unmapped, 0x1000);
	assert_true(tree.gather.tables);
	assert_int_equal(tree.gather.count, 1);
	assert_int_equal(tree.gather.ranges[0].first, GIB);
	assert_int_equal(tree.gather.ranges[0].last, 2 * GIB - 1);
	assert_null(tree.gather.freed);
	assert_false(mapped(&tree, GIB + 3 * MIB));
	assert_true(leads_to(&tree, GIB + 3 * MIB - 1, 4 * GIB + 3 * MIB - 1));
	assert_true(leads_to(&tree, 2 * GIB - 1, 5 * GIB - 1));
	tree_fini(&tree);
}

/* Both ends of an unmap split or neither is unmapped, whatever fails. */
static void split_fails_as_a_whole(void **state)
{
	struct tree tree;
	uint64_t unmapped;
	size_t pages;
	long failing;
	int err = UIOMMU_ENOMEM;

	(void)state;
	for (failing = 0; err; failing++) {
		tree_init(&tree, config_of(4, ALL_SIZES));
		assert_int_equal(map(&tree, GIB, 3 * GIB, 4 * GIB), 0);
		pages = tree.pt.table_pages;
		tree.host.fail_after = failing;
		unmapped = 77;
		err = unmap(&tree, GIB + 0x1000, 3 * GIB - 0x2000, &unmapped);
		tree.host.fail_after = -1;
		if (err) {
			assert_int_equal(err, UIOMMU_ENOMEM);
			assert_int_equal(unmapped, 77);
			for (uint64_t at = 0; at < 3 * GIB; at += 511 * 4096)
				assert_true(leads_to(&tree, GIB + at,
						     4 * GIB + at));
			assert_int_equal(tree.gather.count, 0);
			assert_false(tree.gather.tables);
			assert_int_equal(tree.pt.table_pages, pages);
		}
		tree_fini(&tree);
	}
	/* Each of two leaves of 1 GiB twice. */
	assert_int_equal(failing, 5);
}

/* No table is asked for that is not needed, whatever the ends have in common. */
static void splits_no_more_than_needed(void **state)
{
	static const struct {
		uint64_t first, size;
		size_t pages; /* directories are two */
	} cases[] = {
		{ 0, 2 * GIB, 0 },
		{ 0, GIB, 0 },
		{ 0, GIB / 2, 2 },
		{ GIB / 2, GIB, 2 + 2 },
		{ 2 * MIB, 2 * MIB, 2 },
		{ 2 * MIB, 0x1000, 2 + 1 },
		{ 2 * MIB + 0x1000, 0x1000, 2 + 1 },
		{ 2 * MIB + 0x1000, 2 * MIB, 2 + 1 + 1 },
		{ GIB - 0x1000, 0x2000, 2 * (2 + 1) },
		{ 2 * GIB, 0x1000, 1 },
		{ 2 * GIB + 0x5000, 0x1000, 1 },
		{ 2 * GIB - 2 * MIB, 3 * MIB, 2 + 1 },
		{ 2 * GIB - 0x1000, GIB, 2 + 1 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct tree tree;
		uint64_t unmapped;
		size_t pages, allocs;

		/* Two leaves of 1 GiB, one of 2 MiB, nothing after it. */
		tree_init(&tree, config_of(4, ALL_SIZES));
		assert_int_equal(map(&tree, 0, 2 * GIB + 2 * MIB, 4 * GIB), 0);
		pages = tree.pt.table_pages;
		allocs = tree.host.allocs;
		assert_int_equal(
			unmap(&tree, cases[n].first, cases[n].size, &unmapped),
			0);
		if (tree.pt.table_pages - pages != cases[n].pages)
			fail_msg("case %zu: %zu pages", n,
				 tree.pt.table_pages - pages);
		assert_true(tree.host.allocs - allocs <= cases[n].pages);
		assert_false(mapped(&tree, cases[n].first));
		assert_false(mapped(&tree, cases[n].first + cases[n].size - 1));
		if (cases[n].first)
			assert_true(leads_to(&tree, cases[n].first - 1,
					     4 * GIB + cases[n].first - 1));
		tree_fini(&tree);
	}
}

/* Overlap is refused, and what had been entered is taken out again. */
static void overlap_rolls_back(void **state)
{
	struct tree tree;

	(void)state;
	tree_init(&tree, config_of(4, 0x201000));
	assert_int_equal(map(&tree, 8 * MIB + 0x3000, 0x1000, 0), 0);
	assert_int_equal(map(&tree, MIB, 16 * MIB, GIB), UIOMMU_EEXIST);
	assert_true(leads_to(&tree, 8 * MIB + 0x3000, 0));
	for (uint64_t at = 0; at < 32 * MIB; at += 0x1000)
		if (at != 8 * MIB + 0x3000)
			assert_false(mapped(&tree, at));
	assert_int_equal(tree.gather.count, 1);
	assert_int_equal(tree.gather.ranges[0].first, MIB);
	assert_int_equal(tree.gather.ranges[0].last, 8 * MIB + 0x2fff);

	/* Refused at its first page: nothing was ever visible. */
	uiommu_gather_free(&tree.pt, &tree.gather);
	uiommu_gather_init(&tree.gather);
	assert_int_equal(map(&tree, 8 * MIB + 0x3000, 0x2000, GIB),
			 UIOMMU_EEXIST);
	assert_int_equal(tree.gather.count, 0);

	/* A large page over a small one, and the other way round. */
	assert_int_equal(map(&tree, 8 * MIB, 2 * MIB, 2 * MIB), UIOMMU_EEXIST);
	assert_int_equal(map(&tree, 4 * MIB, 2 * MIB, 2 * MIB), 0);
	assert_int_equal(map(&tree, 5 * MIB, 0x1000, 0), UIOMMU_EEXIST);
	assert_true(leads_to(&tree, 5 * MIB, 3 * MIB));
	tree_fini(&tree);
}

static void map_fails_as_a_whole(void **state)
{
	struct tree tree;
	long failing;
	int err = UIOMMU_ENOMEM;

	(void)state;
	for (failing = 0; err; failing++) {
		size_t pages;

		tree_init(&tree, config_of(5, ALL_SIZES));
		tree.host.fail_after = failing;
		err = map(&tree, GIB - 2 * MIB - 0x1000, GIB + 6 * MIB,
			  4 * GIB - 2 * MIB - 0x1000);
		tree.host.fail_after = -1;
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		for (uint64_t at = 0; at < 3 * GIB; at += 0x1ff000)
			assert_false(mapped(&tree, at));
		uiommu_gather_free(&tree.pt, &tree.gather);
		pages = tree.pt.table_pages;
		assert_int_equal(pages, tree.host.live);
		tree_fini(&tree);
	}
	/* Two directories, then one more and a table at each end. */
	assert_int_equal(failing, 6);
	tree_fini(&tree);
}

/* A walker that does not snoop: few calls for many entries. */
static void cleans_by_run(void **state)
{
	struct uiommu_pt_config config = config_of(3, ALL_SIZES);
	struct tree tree;
	uint64_t unmapped;
	size_t cleans;

	(void)state;
	config.coherent = false;
	tree_init(&tree, config);
	assert_int_equal(map(&tree, 0, 0x1000, 0), 0);
	cleans = tree.host.cleans;
	tree.host.cleaned = 0;
	assert_int_equal(map(&tree, 0x10000, 0x100000, 0x1000), 0);
	assert_int_equal(tree.host.cleans, cleans + 1);
	assert_int_equal(tree.host.cleaned, 256 * 8);
	assert_int_equal(unmap(&tree, 0x10000, 0x100000, &unmapped), 0);
	assert_int_equal(tree.host.cleans, cleans + 2);
	assert_int_equal(tree.host.cleaned, 2 * 256 * 8);
	assert_int_equal(map(&tree, 2 * MIB, 64 * MIB, 0), 0);
	assert_int_equal(tree.host.cleans, cleans + 3);
	assert_true(leads_to(&tree, 66 * MIB - 1, 64 * MIB - 1));

	/* Nothing there, nothing written, nothing cleaned. */
	assert_int_equal(unmap(&tree, 0x10000, 0x100000, &unmapped), 0);
	assert_int_equal(unmapped, 0);
	assert_int_equal(tree.host.cleans, cleans + 3);
	tree_fini(&tree);
}

/* Pages that hardware cannot point to are given back at once. */
static void refuses_tables_out_of_reach(void **state)
{
	struct uiommu_pt_config config = config_of(3, ALL_SIZES);
	struct uiommu_host host;
	struct uiommu_pt pt;

	(void)state;
	fake_host_init(&host, false);
	config.paddr_last = 0xffffffff; /* the fake host's pages lie above */
	assert_int_equal(uiommu_pt_init(&pt, &host, &config), UIOMMU_ENOMEM);
	assert_int_equal(host.allocs, 1);
	fake_host_fini(&host);
}

/* Tables in a gather read as empty, whatever links them. */
static void freed_tables_lead_nowhere(void **state)
{
	struct tree tree;
	uint64_t unmapped;
	uiommu_word_t *table;
	unsigned int tables = 0;

	(void)state;
	tree_init(&tree, config_of(3, 0x1000));
	assert_int_equal(map(&tree, 0, 8 * MIB, 0), 0);
	assert_int_equal(unmap(&tree, 0, 8 * MIB, &unmapped), 0);
	for (table = tree.gather.freed; table;
	     table = (void *)(uintptr_t)table[0]) {
		tables++;
		for (unsigned int n = 0; n < 512; n++)
			assert_int_equal(table[n] & 0xfff, 0);
	}
	assert_int_equal(tables, 4);
	assert_int_equal(tree.host.live, 2 + 2 + 4);
	uiommu_gather_free(&tree.pt, &tree.gather);
	assert_int_equal(tree.host.live, 2 + 2);
	tree_fini(&tree);
}

/* Puts the lowest first slot back to "claimed, entry not written yet". */
static void unpublish(struct tree *tree)
{
	uiommu_word_t *dir = tree->pt.root, *table;
	unsigned int level;

	for (level = tree->pt.config.levels - 1; level > 1; level--)
		dir = pt_linked_table(*pt_link(dir, 0));
	table = pt_linked_table(*pt_link(dir, 0));
	*pt_link(dir, 0) = (uintptr_t)table;
	table[0] = dir[0] & UIOMMU_MASK64(51, 12);
	dir[0] = 0;
	pt_clean(&tree->pt, dir, 1);
}

/* Another CPU claimed the table and has come no further. */
static void goes_on_for_another_cpu(void **state)
{
	struct uiommu_pt_config config = config_of(4, ALL_SIZES);
	struct tree tree;
	uint64_t unmapped;

	(void)state;
	config.coherent = false;
	tree_init(&tree, config);
	assert_int_equal(map(&tree, 0x3000, 0x1000, 0x3000), 0);
	unpublish(&tree);
	/* Nothing is there yet that could be unmapped, and nothing breaks. */
	assert_int_equal(unmap(&tree, 0, 0x2000, &unmapped), 0);
	assert_int_equal(unmapped, 0);
	assert_int_equal(map(&tree, 0, 0x2000, 0x1000), 0);
	assert_true(leads_to(&tree, 0x1000, 0x2000));
	assert_true(leads_to(&tree, 0x3000, 0x3000));
	tree_fini(&tree);
}

static void claim_first(void *arg)
{
	struct tree *tree = arg;

	assert_int_equal(map(tree, 0x3000, 0x1000, 0x3000), 0);
	unpublish(tree);
}

/* Another CPU claims a table while we get a page for the same. */
static void loses_a_claim(void **state)
{
	struct uiommu_pt_config config = config_of(4, ALL_SIZES);
	struct tree tree;

	(void)state;
	config.coherent = false;
	tree_init(&tree, config);
	assert_int_equal(map(&tree, 2 * MIB, 0x1000, 0), 0);
	tree.host.on_alloc = claim_first; /* only one table is missing */
	tree.host.on_alloc_arg = &tree;
	assert_int_equal(map(&tree, 0, 0x2000, 0x1000), 0);
	assert_true(leads_to(&tree, 0x1000, 0x2000));
	assert_true(leads_to(&tree, 0x3000, 0x3000));
	/* The page of the loser is the host's again. */
	assert_int_equal(tree.pt.table_pages, 2 + 2 + 2 + 2);
	assert_int_equal(tree.host.live, tree.pt.table_pages);
	tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_configs),
		cmocka_unit_test(refuses_bad_ranges),
		cmocka_unit_test(physical_zero_is_an_address),
		cmocka_unit_test(permissions_are_kept),
		cmocka_unit_test(uses_the_largest_leaves),
		cmocka_unit_test(looks_up_any_offset),
		cmocka_unit_test(unmaps_across_tables),
		cmocka_unit_test(tables_are_small),
		cmocka_unit_test(keeps_tables_under_large_pages),
		cmocka_unit_test(split_gathers_the_whole_leaf),
		cmocka_unit_test(split_fails_as_a_whole),
		cmocka_unit_test(splits_no_more_than_needed),
		cmocka_unit_test(overlap_rolls_back),
		cmocka_unit_test(map_fails_as_a_whole),
		cmocka_unit_test(cleans_by_run),
		cmocka_unit_test(refuses_tables_out_of_reach),
		cmocka_unit_test(freed_tables_lead_nowhere),
		cmocka_unit_test(goes_on_for_another_cpu),
		cmocka_unit_test(loses_a_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
