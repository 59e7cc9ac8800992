// SPDX-License-Identifier: MIT
/* Scatter-gather lists: layout, merging, roll-back. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "core/object.h"
#include "fake.h"
#include "machine.h"

#define GIB (1ull << 30)
#define PIECES 64u

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);

struct fixture {
	struct machine machine;
	struct uiommu_device *device;
	struct uiommu_domain *domain;
	struct uiommu_sg sg[PIECES];
	uint32_t count;
	uint32_t segments;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fake_reset();
	machine_describe(&fixture.machine);
	*state = &fixture;
	return 0;
}

static void bring_up(struct fixture *f)
{
	machine_up(&f->machine);
	f->device = machine_driver(&f->machine, alone);
	f->domain = uiommu_device_domain(f->device);
}

static void piece(struct fixture *f, uint64_t paddr, size_t size)
{
	f->sg[f->count].paddr = paddr;
	f->sg[f->count].size = size;
	f->count++;
}

static int map(struct fixture *f)
{
	return uiommu_dma_map_sg(f->device, f->sg, f->count,
				 UIOMMU_DMA_BIDIRECTIONAL, &f->segments);
}

static int unmap(struct fixture *f)
{
	return uiommu_dma_unmap_sg(f->device, f->sg, f->count);
}

/* The segments, read one after the other, are the pieces. */
static void assert_layout(const struct fixture *f)
{
	uint32_t segment = 0;
	uint64_t at = 0;

	for (uint32_t i = 0; i < f->count; i++) {
		size_t step = f->sg[i].size > 65536 ? f->sg[i].size - 1 : 777;

		assert_true(segment < f->segments);
		for (size_t byte = 0; byte < f->sg[i].size; byte += step) {
			uint64_t iova = f->sg[segment].iova + at + byte;
			uint64_t paddr;

			assert_true(fake_reaches(alone, iova, 3, &paddr));
			assert_int_equal(paddr, f->sg[i].paddr + byte);
		}
		at += f->sg[i].size;
		if (at == f->sg[segment].iova_size) {
			segment++;
			at = 0;
		}
	}
	assert_int_equal(segment, f->segments);
	assert_int_equal(at, 0);
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	f->segments = 99;
	assert_int_equal(map(f), UIOMMU_EINVAL);
	assert_int_equal(unmap(f), UIOMMU_EINVAL);
	piece(f, 0x1000, 0x1000);
	piece(f, 0x3000, 0);
	assert_int_equal(map(f), UIOMMU_EINVAL);
	f->sg[1].paddr = ~0ull;
	f->sg[1].size = 2;
	assert_int_equal(map(f), UIOMMU_EINVAL);
	/* Sums that wrap. */
	f->sg[0].paddr = 0;
	f->sg[1].paddr = 0;
	f->sg[0].size = f->sg[1].size = (size_t)1 << 63;
	assert_int_equal(map(f), UIOMMU_EINVAL);
	f->sg[1].size = 0x1000;
	assert_int_equal(map(f), UIOMMU_ENOSPC);
	f->sg[0].size = 0x1000;
	assert_int_equal(uiommu_dma_map_sg(f->device, f->sg, 2,
					   (enum uiommu_dma_dir)0,
					   &f->segments),
			 UIOMMU_EINVAL);
	assert_int_equal(f->segments, 99);
	assert_int_equal(f->sg[0].iova, 0);
	assert_int_equal(f->sg[0].iova_size, 0);
	assert_int_equal(f->domain->iova.live, 0);
	machine_down(&f->machine);
}

/* R96: scattered whole pages make one segment; the list says so. */
static void test_pages_merge(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	for (uint32_t i = 0; i < 32; i++)
		piece(f, (100 + 7 * (i % 5) + 100 * i) * 4096, 4096);
	assert_int_equal(map(f), UIOMMU_OK);
	assert_int_equal(f->segments, 1);
	assert_int_equal(f->sg[0].iova_size, 32 * 4096);
	assert_layout(f);
	fake.invalidations = 0;
	fake.range_count = 0;
	assert_int_equal(unmap(f), UIOMMU_OK);
	/* R101 */
	assert_int_equal(fake.invalidations, 1);
	assert_int_equal(fake.range_count, 1);
	assert_false(fake_reaches(alone, f->sg[0].iova, 1, NULL));
	assert_int_equal(f->domain->iova.live, 0);
	machine_down(&f->machine);
}

/* Ends and beginnings inside a page break a segment; nothing else does. */
static void test_breaks(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	piece(f, 0x10800, 0x800);  /* begins inside, ends on a boundary */
	piece(f, 0x20000, 0x1000); /* goes on */
	piece(f, 0x30000, 0x234);  /* goes on, ends inside */
	piece(f, 0x40000, 0x1000); /* new */
	piece(f, 0x50001, 0xfff);  /* new, begins inside */
	piece(f, 0x51000, 0x1000); /* goes on */
	piece(f, 0x52000, 0x10);
	piece(f, 0x52010, 0x10); /* new: no boundary, though next in memory */
	assert_int_equal(map(f), UIOMMU_OK);
	assert_int_equal(f->segments, 4);
	assert_int_equal(f->sg[0].iova & 0xfff, 0x800);
	assert_int_equal(f->sg[0].iova_size, 0x800 + 0x1000 + 0x234);
	assert_int_equal(f->sg[1].iova_size, 0x1000);
	assert_int_equal(f->sg[2].iova_size, 0xfff + 0x1000 + 0x10);
	assert_int_equal(f->sg[3].iova_size, 0x10);
	assert_layout(f);
	assert_int_equal(unmap(f), UIOMMU_OK);
	machine_down(&f->machine);
}

/* R95: pieces and sums beyond 32 bits are not cut. */
static void test_long_list(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	piece(f, GIB, 3 * GIB);
	piece(f, 8 * GIB, 5 * GIB);
	piece(f, 4 * GIB, GIB - 1);
	assert_int_equal(map(f), UIOMMU_OK);
	assert_int_equal(f->segments, 1);
	assert_int_equal(f->sg[0].iova_size, 9 * GIB - 1);
	assert_layout(f);
	assert_int_equal(f->sg[0].iova & (GIB - 1), 0);
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_int_equal(f->domain->iova.live, 0);
	machine_down(&f->machine);
}

/* Identity: pieces that are next to each other in memory make a segment. */
static void test_identity(void **state)
{
	struct fixture *f = *state;

	f->machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	bring_up(f);
	piece(f, 0x10800, 0x800);
	piece(f, 0x11000, 0x1000);
	piece(f, 0x20000, 0x1000);
	piece(f, 0x21000, 0x800);
	piece(f, 0x21800, 0x800);
	assert_int_equal(map(f), UIOMMU_OK);
	assert_int_equal(f->segments, 3);
	assert_int_equal(f->sg[0].iova, 0x10800);
	assert_int_equal(f->sg[1].iova, 0x20000);
	assert_int_equal(f->sg[2].iova, 0x21800);
	assert_layout(f);
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0x1ffff),
			 UIOMMU_OK);
	/* No low pages, and no memory to copy. */
	assert_int_equal(map(f), UIOMMU_ENOMEM);
	piece(f, 0xd0000000, 0x1000);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xfffffff),
			 UIOMMU_OK);
	assert_int_equal(map(f), UIOMMU_ERANGE);
	machine_down(&f->machine);
}

/* Any call failing at any piece takes all of it back. */
static void test_failures(void **state)
{
	struct fixture *f = *state;
	unsigned int failures = 0;
	int err = 0;

	fake.map_sync = true;
	bring_up(f);
	/* Many tables: each piece is as long as one of them spans. */
	for (uint32_t i = 0; i < 8; i++)
		piece(f, (i + 1) * GIB + 0x1000, 512 * 4096);
	for (unsigned int nth = 1; nth < 1000; nth++) {
		user_fail_at(f->machine.host, nth);
		err = map(f);
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(f->domain->iova.live, 0);
		failures++;
	}
	assert_true(failures > 3);
	assert_layout(f);
	user_fail_at(f->machine.host, 0);
	assert_int_equal(unmap(f), UIOMMU_OK);

	for (unsigned int nth = 1; nth < 100; nth++) {
		fake.ops = 0;
		fake.fail_op = nth;
		fake.fail_error = UIOMMU_ENOMEM;
		err = map(f);
		if (fake.ops < nth)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(f->domain->iova.live, 0);
	}
	fake.fail_op = 0;
	assert_int_equal(err, UIOMMU_OK);
	assert_int_equal(unmap(f), UIOMMU_OK);

	/* A piece that tables cannot hold, after some that they can. */
	f->sg[5].paddr = UIOMMU_BIT64(52);
	assert_int_equal(map(f), UIOMMU_ERANGE);
	assert_int_equal(f->domain->iova.live, 0);
	machine_down(&f->machine);
}

static void test_invalidation_fails(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	piece(f, 0x10000, 0x1000);
	piece(f, 0x30000, 0x1000);
	assert_int_equal(map(f), UIOMMU_OK);
	fake.fail_invalidate = UIOMMU_EIO;
	assert_int_equal(unmap(f), UIOMMU_EIO);
	assert_int_equal(unmap(f), UIOMMU_ENOENT);
	assert_int_equal(f->domain->iova.live, 1);
	fake.fail_invalidate = 0;
	assert_int_equal(map(f), UIOMMU_EIO);
	assert_int_equal(f->domain->iova.live, 1);
	uiommu_stop(f->machine.uiommu);
	uiommu_destroy(f->machine.uiommu);
	user_host_destroy(f->machine.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_arguments, set_up),
		cmocka_unit_test_setup(test_pages_merge, set_up),
		cmocka_unit_test_setup(test_breaks, set_up),
		cmocka_unit_test_setup(test_long_list, set_up),
		cmocka_unit_test_setup(test_identity, set_up),
		cmocka_unit_test_setup(test_failures, set_up),
		cmocka_unit_test_setup(test_invalidation_fails, set_up),
	};

	return cmocka_run_group_tests_name("dma sg", tests, NULL, NULL);
}
