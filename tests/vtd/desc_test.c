// SPDX-License-Identifier: MIT
/* What is to be invalidated, descriptor by descriptor; what faults say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../common/random.h"
#include "vtd/vtd_fault.h"
#include "vtd/vtd_iotlb.h"

static struct uiommu_range pages(uint64_t first, uint64_t count)
{
	struct uiommu_range range = { first << 12,
				      ((first + count) << 12) - 1 };

	return range;
}

static const struct vtd_caps caps = { .address_mask = 18 };

static void test_mask(void **state)
{
	(void)state;
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0x17f, 1)), 0);
	/* R75: the example of the mail that found it */
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0x17f, 3)), 8);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0x180, 2)), 1);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0x181, 2)), 2);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0x200, 512)), 9);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0x1ff, 2)), 10);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0, 1ull << 20)), 20);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages((1ull << 32) - 1, 2)), 33);
	assert_int_equal(uiommu_vtd_iotlb_mask(pages(0, 1ull << 52)), 52);
}

/* R76: what is flushed contains what was asked for; half of it would not. */
static void test_mask_random(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, "mask");
	for (unsigned int i = 0; i < 100000; i++) {
		unsigned int width = 1 +
				     (unsigned int)random_below(&random, 45);
		uint64_t first = random_below(&random, 1ull << width);
		uint64_t count = 1 + random_below(&random, 1ull << (width / 2));
		struct uiommu_range range = pages(first, count);
		unsigned int mask = uiommu_vtd_iotlb_mask(range);
		uint64_t block = ~UINT64_C(0) << (12 + mask);

		assert_int_equal(range.first & block, range.last & block);
		if (mask)
			assert_int_not_equal(range.first & (block >> 1 | block),
					     range.last & (block >> 1 | block));
	}
}

static void test_golden(void **state)
{
	struct vtd_caps drains = { .address_mask = 18,
				   .drain = VTD_TLB_LO_DR | VTD_TLB_LO_DW };
	struct vtd_desc d;

	(void)state;
	d = uiommu_vtd_context_global();
	assert_int_equal(d.lo, 0x11);
	assert_int_equal(d.hi, 0);
	d = uiommu_vtd_context_device(0x1234, 0xabcd);
	assert_int_equal(d.lo, 0x0000abcd12340031);
	assert_int_equal(d.hi, 0);
	d = uiommu_vtd_iotlb_global(&caps);
	assert_int_equal(d.lo, 0x12);
	assert_int_equal(d.hi, 0);
	d = uiommu_vtd_iotlb_domain(&drains, 0xfffe);
	assert_int_equal(d.lo, 0xfffe00e2);
	assert_int_equal(d.hi, 0);
	d = uiommu_vtd_iotlb_range(&drains, 7, pages(0x17f, 3), true);
	assert_int_equal(d.lo, 0x700f2);
	assert_int_equal(d.hi, 0x100048); /* 0x100000, IH, mask 8 */
	d = uiommu_vtd_iotlb_range(&caps, 7, pages(0x123456789, 1), false);
	assert_int_equal(d.lo, 0x70032);
	assert_int_equal(d.hi, 0x123456789000);
}

static void test_too_large(void **state)
{
	struct vtd_caps none = { .address_mask = -1 };
	struct vtd_caps nine = { .address_mask = 9 };
	struct vtd_desc d;

	(void)state;
	d = uiommu_vtd_iotlb_range(&nine, 5, pages(0x200, 512), true);
	assert_int_equal(d.lo, 0x50032);
	d = uiommu_vtd_iotlb_range(&nine, 5, pages(0x1ff, 2), true);
	assert_int_equal(d.lo, 0x50022);
	assert_int_equal(d.hi, 0);
	d = uiommu_vtd_iotlb_range(&none, 5, pages(0x200, 1), true);
	assert_int_equal(d.lo, 0x50022);
	d = uiommu_vtd_iotlb_range(&caps, 5, pages(0, 1ull << 52), true);
	assert_int_equal(d.lo, 0x50022);
}

static void test_gather(void **state)
{
	struct vtd_desc d[VTD_GATHER_DESCS];
	struct uiommu_gather g = { .count = 0 };

	(void)state;
	assert_int_equal(uiommu_vtd_iotlb_gather(&caps, 3, &g, d), 0);
	g.ranges[0] = pages(0x10, 1);
	g.ranges[1] = pages(0x40, 4);
	g.count = 2;
	assert_int_equal(uiommu_vtd_iotlb_gather(&caps, 3, &g, d), 2);
	assert_int_equal(d[0].hi, 0x10040); /* leaves only: hint */
	assert_int_equal(d[1].hi, 0x40042);
	g.tables = true;
	assert_int_equal(uiommu_vtd_iotlb_gather(&caps, 3, &g, d), 2);
	assert_int_equal(d[0].hi, 0x10000);
	assert_int_equal(d[1].hi, 0x40002);
	/* one that needs the domain makes the rest superfluous */
	g.ranges[2] = pages(0, 1ull << 30);
	g.ranges[3] = pages(0x8000000000, 1);
	g.count = 4;
	assert_int_equal(uiommu_vtd_iotlb_gather(&caps, 3, &g, d), 1);
	assert_int_equal(d[0].lo, 0x30022);
}

static void test_decode(void **state)
{
	struct vtd_fault f;

	(void)state;
	f = uiommu_vtd_fault_decode(0x12345fff, 0x8000000500000008);
	assert_int_equal(f.address, 0x12345000);
	assert_int_equal(f.rid, 8);
	assert_int_equal(f.reason, 5);
	assert_int_equal(f.access, UIOMMU_ACCESS_WRITE);
	f = uiommu_vtd_fault_decode(0xfffffffffffff000, 0xc00000060000ffff);
	assert_int_equal(f.address, 0xfffffffffffff000);
	assert_int_equal(f.rid, 0xffff);
	assert_int_equal(f.access, UIOMMU_ACCESS_READ);
	f = uiommu_vtd_fault_decode(0, 0x8000000510000000); /* page request */
	assert_int_equal(f.access, UIOMMU_ACCESS_OTHER);
	f = uiommu_vtd_fault_decode(0, 0xc000000510000000); /* atomic */
	assert_int_equal(f.access, UIOMMU_ACCESS_OTHER);
	f = uiommu_vtd_fault_decode(0x0042000000000000, 0x80000022000000f8);
	assert_int_equal(f.address, 0x42);
	assert_int_equal(f.access, UIOMMU_ACCESS_OTHER);
}

static void test_text(void **state)
{
	const char *unknown = uiommu_vtd_fault_text(0xff);
	const char *last = unknown;

	(void)state;
	assert_string_equal(uiommu_vtd_fault_text(5), "not mapped for writing");
	assert_string_equal(uiommu_vtd_fault_text(6), "not mapped for reading");
	assert_string_equal(uiommu_vtd_fault_text(2),
			    "it has no context entry");
	for (unsigned int i = 0; i < 256; i++) {
		const char *text = uiommu_vtd_fault_text((uint8_t)i);
		bool named = (i >= 0x1 && i <= 0xe) ||
			     (i >= 0x20 && i <= 0x29) ||
			     (i >= 0x30 && i <= 0x34);

		assert_non_null(text);
		assert_int_equal(named, strcmp(text, unknown) != 0);
		if (named && i < 0x30) {
			assert_string_not_equal(text, last);
			last = text;
		}
		assert_int_equal(uiommu_vtd_fault_is_interrupt((uint8_t)i),
				 i >> 4 == 2);
	}
}

static const uint64_t second = 1000000000;

static void test_rate(void **state)
{
	static struct vtd_unit u;
	uint64_t now = 77;
	uint32_t lost = 99;

	(void)state;
	memset(&u, 0, sizeof(u));
	for (unsigned int i = 0; i < 10; i++) {
		assert_true(uiommu_vtd_fault_admit(&u, 8, now, &lost));
		assert_int_equal(lost, 0);
	}
	for (unsigned int i = 0; i < 1000; i++)
		assert_false(uiommu_vtd_fault_admit(&u, 8, now + i, &lost));
	/* others are told all the same */
	assert_true(uiommu_vtd_fault_admit(&u, 9, now, &lost));
	assert_false(
		uiommu_vtd_fault_admit(&u, 8, now + 5 * second - 1, &lost));
	assert_true(uiommu_vtd_fault_admit(&u, 8, now + 5 * second, &lost));
	assert_int_equal(lost, 1001);
	assert_true(uiommu_vtd_fault_admit(&u, 8, now + 5 * second, &lost));
	assert_int_equal(lost, 0);
}

/* A device that makes requester ids up gets no more lines for it. */
static void test_rate_many(void **state)
{
	static struct vtd_unit u;
	unsigned int told = 0;
	uint32_t lost;

	(void)state;
	memset(&u, 0, sizeof(u));
	for (unsigned int rid = 0; rid < 65536; rid++)
		told += uiommu_vtd_fault_admit(&u, (uint16_t)rid, 1, &lost);
	assert_int_equal(told, VTD_FAULT_SOURCES + VTD_FAULT_TELL);
	/* slots are free again after a period */
	assert_true(uiommu_vtd_fault_admit(&u, 0x4242, 6 * second, &lost));
	assert_int_equal(lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_mask_random),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
