// SPDX-License-Identifier: MIT
/*
 * Random calls against a flat array. The window that is mapped spans a few
 * gigabytes around an address where entries of all levels change, so that
 * leaves of all sizes, splits and whole tables come and go in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pt_subject.h"

#define WINDOW ((uint64_t)3 << 18) /* pages: 3 GiB */

struct flat {
	uint64_t *pages; /* physical address with permission, or 0 */
	uint64_t base;	 /* page number of the first */
};

struct run {
	const struct pt_subject *subject;
	struct uiommu_host host;
	struct uiommu_pt pt;
	struct flat flat;
	struct random *random;
};

static void check_page(struct run *run, uint64_t page)
{
	uint64_t want = run->flat.pages[page];
	uint64_t offset = random_below(run->random, 4096);
	uiommu_iova_t iova = (run->flat.base + page) << 12 | offset;
	uiommu_paddr_t paddr = 0;
	unsigned int prot = 0;
	int err = run->subject->lookup(&run->pt, iova, &paddr, &prot);

	if (!want) {
		assert_int_equal(err, UIOMMU_ENOENT);
		assert_int_equal(pt_walk_hardware(&run->host, run->subject,
						  &run->pt, iova, &paddr),
				 0);
		return;
	}
	assert_int_equal(err, UIOMMU_OK);
	assert_int_equal(prot, want & 3);
	assert_int_equal(paddr, (want & ~UINT64_C(4095)) + offset);
	paddr = 0;
	assert_int_equal(pt_walk_hardware(&run->host, run->subject, &run->pt,
					  iova, &paddr),
			 want & 3);
	assert_int_equal(paddr, (want & ~UINT64_C(4095)) + offset);
}

/* All pages of a short range, the ends and a sample of a long one. */
static void check_range(struct run *run, uint64_t first, uint64_t last)
{
	uint64_t from = first < 2 ? 0 : first - 2;
	uint64_t to = last + 2 < WINDOW ? last + 2 : WINDOW - 1;

	if (to - from < 1200) {
		for (; from <= to; from++)
			check_page(run, from);
		return;
	}
	for (unsigned int n = 0; n < 8; n++) {
		check_page(run, from + n);
		check_page(run, to - n);
	}
	for (unsigned int n = 0; n < 200; n++)
		check_page(run, from + random_below(run->random, to - from));
}

static void check_all(struct run *run)
{
	for (uint64_t page = 0; page < WINDOW;
	     page += 1 + random_below(run->random, 64))
		check_page(run, page);
}

/* Sizes around those of leaves, at places that often fit them. */
static struct uiommu_range pick(struct run *run)
{
	static const unsigned int orders[] = { 0, 0, 3, 8, 9, 10, 12, 18, 19 };
	struct random *random = run->random;
	unsigned int order = orders[random_below(random, 9)];
	uint64_t size = (uint64_t)1 << order, first;
	struct uiommu_range pages;

	if (random_below(random, 2))
		size += random_below(random, size + 1);
	if (random_below(random, 8) == 0 && size > 1)
		size--;
	if (size > WINDOW)
		size = WINDOW;
	first = random_below(random, WINDOW - size + 1);
	if (random_below(random, 4)) {
		uint64_t align = (uint64_t)1 << (order > 9 ? 9 : order);

		if (order >= 18 && random_below(random, 2))
			align = 1 << 18;
		first = ((run->flat.base + first) & ~(align - 1));
		first = first < run->flat.base ? 0 : first - run->flat.base;
	}
	pages.first = first;
	pages.last = first + size - 1;
	return pages;
}

static struct uiommu_range bytes_of(struct run *run, struct uiommu_range pages)
{
	struct uiommu_range range;

	range.first = (run->flat.base + pages.first) << 12;
	range.last = ((run->flat.base + pages.last) << 12) + 4095;
	return range;
}

static uint64_t count_mapped(struct run *run, struct uiommu_range pages)
{
	uint64_t mapped = 0;

	for (uint64_t n = pages.first; n <= pages.last; n++)
		mapped += run->flat.pages[n] != 0;
	return mapped;
}

static bool gathered(const struct uiommu_gather *gather, uint64_t iova)
{
	for (unsigned int n = 0; n < gather->count; n++)
		if (iova >= gather->ranges[n].first &&
		    iova <= gather->ranges[n].last)
			return true;
	return false;
}

/* Nothing that left the tree is the host's again before gather_free. */
static void check_gather(struct run *run, struct uiommu_gather *gather,
			 size_t live)
{
	size_t pages = run->pt.table_pages;

	assert_true(run->host.live >= live);
	assert_int_equal(run->host.live, pages);
	if (gather->freed || gather->freed_dirs) {
		assert_true(gather->tables);
		assert_true(gather->count > 0);
	}
	uiommu_gather_free(&run->pt, gather);
	assert_int_equal(run->host.live, run->pt.table_pages);
	assert_null(gather->freed);
	assert_null(gather->freed_dirs);
}

static void step_map(struct run *run)
{
	struct uiommu_range pages = pick(run);
	uint64_t mapped = count_mapped(run, pages);
	uint64_t frame = random_below(run->random, 1 << 30);
	unsigned int prot = 1 + (unsigned int)random_below(run->random, 3);
	size_t live = run->host.live;
	struct uiommu_gather gather;
	int err;

	if (random_below(run->random, 3))
		frame = (frame & ~((UINT64_C(1) << 18) - 1)) |
			((run->flat.base + pages.first) & ((1 << 18) - 1));
	uiommu_gather_init(&gather);
	err = run->subject->map(&run->pt, bytes_of(run, pages), frame << 12,
				prot, UIOMMU_ALLOC_ATOMIC, &gather);
	if (err == UIOMMU_ENOMEM)
		assert_int_not_equal(run->host.fail_after, -1);
	else
		assert_int_equal(err, mapped ? UIOMMU_EEXIST : UIOMMU_OK);
	if (!err) {
		assert_int_equal(gather.count, 0);
		for (uint64_t n = pages.first; n <= pages.last; n++)
			run->flat.pages[n] = (frame + n - pages.first) << 12 |
					     prot;
	}
	check_range(run, pages.first, pages.last);
	check_gather(run, &gather, live);
}

static void step_unmap(struct run *run)
{
	struct uiommu_range pages = pick(run);
	uint64_t mapped = count_mapped(run, pages), unmapped = 1;
	size_t live = run->host.live;
	struct uiommu_gather gather;
	int err;

	uiommu_gather_init(&gather);
	err = run->subject->unmap(&run->pt, bytes_of(run, pages),
				  UIOMMU_ALLOC_ATOMIC, &gather, &unmapped);
	if (err) {
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_not_equal(run->host.fail_after, -1);
		assert_int_equal(unmapped, 1);
		assert_int_equal(gather.count, 0);
		assert_int_equal(run->host.live, live);
	} else {
		assert_int_equal(unmapped, mapped * 4096);
		for (uint64_t n = pages.first; n <= pages.last; n++) {
			if (run->flat.pages[n])
				assert_true(gathered(
					&gather, (run->flat.base + n) << 12));
			run->flat.pages[n] = 0;
		}
	}
	check_range(run, pages.first, pages.last);
	check_gather(run, &gather, live);
}

static void step_find(struct run *run)
{
	struct uiommu_range pages = pick(run);
	bool mapped = random_below(run->random, 2);
	uiommu_iova_t iova = 0;
	uint64_t n = pages.first;
	int err = run->subject->find(&run->pt, bytes_of(run, pages), mapped,
				     &iova);

	while (n <= pages.last && (run->flat.pages[n] != 0) != mapped)
		n++;
	if (n > pages.last) {
		assert_int_equal(err, UIOMMU_ENOENT);
		return;
	}
	assert_int_equal(err, UIOMMU_OK);
	assert_int_equal(iova, (run->flat.base + n) << 12);
}

static void step(struct run *run)
{
	run->host.fail_after = -1;
	if (random_below(run->random, 8) == 0)
		run->host.fail_after = (long)random_below(run->random, 6);
	switch (random_below(run->random, 8)) {
	case 0:
	case 1:
	case 2:
		step_unmap(run);
		break;
	case 3:
		step_find(run);
		break;
	default:
		step_map(run);
	}
	run->host.fail_after = -1;
}

void pt_random_run(const struct pt_subject *subject, unsigned int levels,
		   uint64_t page_sizes, bool coherent, struct random *random,
		   unsigned int steps)
{
	struct uiommu_pt_config config = {
		.format = UIOMMU_PT_VTD_SS,
		.levels = levels,
		.width = 12 + 9 * levels,
		.page_sizes = page_sizes,
		.paddr_last = (UINT64_C(1) << 52) - 1,
		.leaf_bits = subject->leaf_bits,
		.coherent = coherent,
	};
	struct uiommu_range all = { 0, (UINT64_C(1) << config.width) - 1 };
	struct run *run = calloc(1, sizeof(*run));
	struct uiommu_gather gather;
	uint64_t unmapped = 0, mapped;

	run->subject = subject;
	run->random = random;
	/* Around a boundary of the top level's entries. */
	run->flat.base = (UINT64_C(1) << (9 * (levels - 1))) - (WINDOW / 3);
	run->flat.pages = calloc(WINDOW, sizeof(*run->flat.pages));
	fake_host_init(&run->host, !coherent);
	assert_int_equal(uiommu_pt_init(&run->pt, &run->host, &config), 0);
	for (unsigned int n = 0; n < steps; n++) {
		step(run);
		if (n % 512 == 511)
			check_all(run);
	}
	check_all(run);

	/* Now everything at once: only the root is left. */
	mapped = count_mapped(run, (struct uiommu_range){ 0, WINDOW - 1 });
	uiommu_gather_init(&gather);
	assert_int_equal(subject->unmap(&run->pt, all, 0, &gather, &unmapped),
			 0);
	assert_int_equal(unmapped, mapped * 4096);
	uiommu_gather_free(&run->pt, &gather);
	assert_int_equal(run->pt.table_pages, 2);
	uiommu_pt_fini(&run->pt);
	assert_int_equal(run->pt.table_pages, 0);
	fake_host_fini(&run->host);
	free(run->flat.pages);
	free(run);
}
