// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "vtd/vtd_caps.h"

/* A unit as QEMU 7.2 shows it with 48 bits; fields by hand, not by mask. */
static uint64_t cap(unsigned int nd, unsigned int sagaw, unsigned int mgaw,
		    unsigned int fro, unsigned int large, unsigned int nfr)
{
	return (uint64_t)nd | (uint64_t)sagaw << 8 |
	       (uint64_t)(mgaw - 1) << 16 | (uint64_t)fro << 24 |
	       (uint64_t)large << 34 | (uint64_t)(nfr - 1) << 40;
}

static uint64_t ecap(unsigned int low, unsigned int iro)
{
	return low | (uint64_t)iro << 8;
}

static const uint64_t psi_18 = UINT64_C(1) << 39 | UINT64_C(18) << 48;

static void test_usual(void **state)
{
	struct vtd_caps c;

	(void)state;
	assert_int_equal(
		uiommu_vtd_caps_read(cap(6, 6, 48, 0x22, 3, 1) | psi_18,
				     ecap(0xc3, 0xf), &c),
		UIOMMU_OK);
	assert_int_equal(c.domain_ids, 65536);
	assert_int_equal(c.levels, 1 << 3 | 1 << 4);
	assert_int_equal(c.mgaw, 48);
	assert_int_equal(c.page_sizes, 1ull << 12 | 1ull << 21 | 1ull << 30);
	assert_int_equal(c.fault_offset, 0x220);
	assert_int_equal(c.fault_count, 1);
	assert_int_equal(c.iotlb_offset, 0xf0);
	assert_int_equal(c.address_mask, 18);
	assert_true(c.queued && c.coherent && c.snoop && c.passthrough);
	assert_false(c.caching || c.write_buffer || c.protected_memory ||
		     c.root_flushes);
	assert_int_equal(c.drain, 0);
	assert_int_equal(uiommu_vtd_caps_window(&c), 4096);
}

static void test_single_bits(void **state)
{
	static const uint64_t one = 1;
	uint64_t base = cap(0, 2, 39, 0x20, 0, 1);
	struct vtd_caps c;

	(void)state;
	assert_int_equal(
		uiommu_vtd_caps_read(base | one << 4, ecap(0, 0x10), &c), 0);
	assert_true(c.write_buffer && !c.caching && !c.protected_memory);
	assert_int_equal(
		uiommu_vtd_caps_read(base | one << 5, ecap(0, 0x10), &c), 0);
	assert_true(c.protected_memory && !c.write_buffer);
	assert_int_equal(
		uiommu_vtd_caps_read(base | one << 6, ecap(0, 0x10), &c), 0);
	assert_true(c.protected_memory);
	assert_int_equal(
		uiommu_vtd_caps_read(base | one << 7, ecap(0, 0x10), &c), 0);
	assert_true(c.caching);
	assert_int_equal(
		uiommu_vtd_caps_read(base | one << 63, ecap(0, 0x10), &c), 0);
	assert_true(c.root_flushes);
	assert_int_equal(uiommu_vtd_caps_read(base | one << 54 | one << 55,
					      ecap(0, 0x10), &c),
			 0);
	assert_int_equal(c.drain, 0xc0);
	/* No bit of ECAP set */
	assert_false(c.queued || c.coherent || c.snoop || c.passthrough);
	/* MAMV counts for nothing without PSI */
	assert_int_equal(uiommu_vtd_caps_read(base | UINT64_C(9) << 48,
					      ecap(0, 0x10), &c),
			 0);
	assert_int_equal(c.address_mask, -1);
}

static void test_domain_ids(void **state)
{
	static const uint32_t want[] = { 16,   64,    256,   1024,
					 4096, 16384, 65536, 16 };
	struct vtd_caps c;

	(void)state;
	for (unsigned int nd = 0; nd < 8; nd++) {
		assert_int_equal(
			uiommu_vtd_caps_read(cap(nd, 4, 48, 0x20, 0, 1),
					     ecap(2, 0x10), &c),
			0);
		assert_int_equal(c.domain_ids, want[nd]);
	}
}

/* A unit without a usable width is told by its levels (R86). */
static void test_widths(void **state)
{
	static const struct {
		unsigned int sagaw, mgaw, levels, width;
	} t[] = {
		{ 0x02, 39, 3, 39 }, { 0x04, 48, 4, 48 }, { 0x06, 48, 4, 48 },
		{ 0x06, 39, 3, 39 }, { 0x06, 40, 4, 40 }, { 0x0e, 57, 5, 57 },
		{ 0x0e, 48, 4, 48 }, { 0x0e, 64, 5, 57 }, { 0x02, 48, 3, 39 },
		{ 0x04, 39, 4, 39 }, { 0x08, 36, 5, 36 }, { 0x00, 48, 0, 0 },
		{ 0x11, 48, 0, 0 },  { 0x04, 30, 0, 0 },  { 0x04, 31, 4, 31 },
	};
	struct vtd_caps c;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned int levels;

		assert_int_equal(
			uiommu_vtd_caps_read(
				cap(6, t[i].sagaw, t[i].mgaw, 0x20, 0, 1),
				ecap(2, 0x10), &c),
			0);
		levels = uiommu_vtd_caps_best_levels(c.levels, c.mgaw);
		assert_int_equal(levels, t[i].levels);
		if (levels)
			assert_int_equal(uiommu_vtd_caps_width(levels, c.mgaw),
					 t[i].width);
	}
}

static void test_page_sizes(void **state)
{
	static const uint64_t want[] = {
		1ull << 12,
		1ull << 12 | 1ull << 21,
		1ull << 12, /* 1 GiB without 2 MiB is not valid */
		1ull << 12 | 1ull << 21 | 1ull << 30,
	};
	struct vtd_caps c;

	(void)state;
	for (unsigned int large = 0; large < 16; large++) {
		assert_int_equal(
			uiommu_vtd_caps_read(cap(6, 4, 48, 0x20, large, 1),
					     ecap(2, 0x10), &c),
			0);
		assert_int_equal(c.page_sizes, want[large & 3]);
	}
}

static void test_window(void **state)
{
	struct vtd_caps c;

	(void)state;
	/* 256 records just below 4 KiB reach into the next page */
	assert_int_equal(uiommu_vtd_caps_read(cap(6, 4, 48, 0xff, 0, 256),
					      ecap(2, 0x10), &c),
			 0);
	assert_int_equal(uiommu_vtd_caps_window(&c), 8192);
	/* the most that fits the fields: 16368 + 4096 */
	assert_int_equal(uiommu_vtd_caps_read(cap(6, 4, 48, 0x3ff, 0, 256),
					      ecap(2, 0x10), &c),
			 0);
	assert_int_equal(uiommu_vtd_caps_window(&c), 20480);
	/* the IOTLB registers count only where they are used */
	assert_int_equal(uiommu_vtd_caps_read(cap(6, 4, 48, 0x20, 0, 1),
					      ecap(0, 0x3ff), &c),
			 0);
	assert_int_equal(uiommu_vtd_caps_window(&c), 16384);
	assert_int_equal(uiommu_vtd_caps_read(cap(6, 4, 48, 0x20, 0, 1),
					      ecap(2, 0x3ff), &c),
			 0);
	assert_int_equal(uiommu_vtd_caps_window(&c), 4096);
}

static void test_nonsense(void **state)
{
	struct vtd_caps c = { .cap = 42 };

	(void)state;
	assert_int_equal(uiommu_vtd_caps_read(UINT64_MAX, UINT64_MAX, &c),
			 UIOMMU_ENODEV);
	assert_int_equal(uiommu_vtd_caps_read(0, 0, &c), UIOMMU_ENODEV);
	/* fault records on top of the queue's registers */
	assert_int_equal(uiommu_vtd_caps_read(cap(6, 4, 48, 0x8, 0, 1),
					      ecap(2, 0x10), &c),
			 UIOMMU_ENODEV);
	/* likewise the IOTLB registers, if there is no queue */
	assert_int_equal(
		uiommu_vtd_caps_read(cap(6, 4, 48, 0x20, 0, 1), ecap(0, 0), &c),
		UIOMMU_ENODEV);
	assert_int_equal(c.cap, 42);
	assert_int_equal(
		uiommu_vtd_caps_read(cap(6, 4, 48, 0x20, 0, 1), ecap(2, 0), &c),
		UIOMMU_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_single_bits),
		cmocka_unit_test(test_domain_ids),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_page_sizes),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
