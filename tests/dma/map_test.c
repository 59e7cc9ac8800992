// SPDX-License-Identifier: MIT
/* The DMA API on a driver of no hardware: arguments, limits, roll-back. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "core/object.h"
#include "fake.h"
#include "machine.h"

#define MIB 0x100000ull
#define MEMORY 0x12345000ull

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);

struct fixture {
	struct machine machine;
	struct uiommu_device *device;
	struct uiommu_domain *domain;
};

static int set_up(void **state)
{
	static struct fixture fixture;

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

static int map(struct fixture *f, uint64_t paddr, size_t size, uint64_t *iova)
{
	return uiommu_dma_map(f->device, paddr, size, UIOMMU_DMA_BIDIRECTIONAL,
			      iova);
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	uint64_t iova = 0x77;
	enum uiommu_dma_dir bad[] = { (enum uiommu_dma_dir)0,
				      (enum uiommu_dma_dir)4,
				      (enum uiommu_dma_dir) - 1 };

	bring_up(f);
	assert_int_equal(map(f, MEMORY, 0, &iova), UIOMMU_EINVAL);
	assert_int_equal(map(f, ~0ull - 5, 7, &iova), UIOMMU_EINVAL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			uiommu_dma_map(f->device, MEMORY, 1, bad[i], &iova),
			UIOMMU_EINVAL);
	assert_int_equal(map(f, UIOMMU_BIT64(52), 1, &iova), UIOMMU_ERANGE);
	assert_int_equal(map(f, ~0ull, 1, &iova), UIOMMU_ERANGE);
	assert_int_equal(iova, 0x77);
	assert_int_equal(uiommu_dma_unmap(f->device, 0x1000, 0), UIOMMU_EINVAL);
	assert_int_equal(uiommu_dma_unmap(f->device, ~0ull, 2), UIOMMU_EINVAL);
	assert_int_equal(uiommu_dma_unmap(f->device, 0x1000, 1), UIOMMU_ENOENT);
	assert_int_equal(f->domain->iova.live, 0);
	machine_down(&f->machine);
}

/* Any alignment and size: the offset stays, the permission is the direction's,
 * and after unmap nothing is reachable.
 */
static void test_offsets_and_directions(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = { 1, 2, 4095, 4096, 4097, 8192, 65536 };
	static const uint64_t offsets[] = { 0, 1, 0x800, 0xfff };

	bring_up(f);
	for (size_t i = 0; i < 7 * 4 * 3; i++) {
		size_t size = sizes[i % 7];
		uint64_t paddr = MEMORY + offsets[i / 7 % 4];
		unsigned int dir = (unsigned int)(i / 28) + 1;
		uint64_t iova, to;

		assert_int_equal(uiommu_dma_map(f->device, paddr, size,
						(enum uiommu_dma_dir)dir,
						&iova),
				 UIOMMU_OK);
		assert_int_equal(iova & 0xfff, paddr & 0xfff);
		assert_true(iova >= 0x1000);
		for (size_t at = 0; at < size; at += at < 8192 ? 1 : 4096) {
			assert_true(fake_reaches(alone, iova + at, dir, &to));
			assert_int_equal(to, paddr + at);
		}
		assert_true(dir == 3 || !fake_reaches(alone, iova, 3, NULL));
		/* Not with another size, not twice. */
		assert_int_equal(uiommu_dma_unmap(f->device, iova, size + 4096),
				 UIOMMU_ENOENT);
		assert_int_equal(uiommu_dma_unmap(f->device, iova + 4096, size),
				 UIOMMU_ENOENT);
		assert_true(fake_reaches(alone, iova, dir, NULL));
		assert_int_equal(uiommu_dma_unmap(f->device, iova, size),
				 UIOMMU_OK);
		assert_false(fake_reaches(alone, iova, dir, NULL));
		assert_int_equal(uiommu_dma_unmap(f->device, iova, size),
				 UIOMMU_ENOENT);
	}
	machine_down(&f->machine);
}

/* The mask bounds addresses, not memory (edu has 28 bits). R18-like. */
static void test_mask(void **state)
{
	struct fixture *f = *state;
	const uint64_t high = UIOMMU_BIT64(40);
	uint64_t iova;

	bring_up(f);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xffe),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0x10000),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0x0fffffff),
			 UIOMMU_OK);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(map(f, high + MEMORY, 0x10000, &iova),
				 UIOMMU_OK);
		assert_true(iova + 0xffff <= 0x0fffffff);
	}
	/* R98: more than the mask holds. */
	assert_int_equal(map(f, high, 0x10000000, &iova), UIOMMU_ENOSPC);
	assert_int_equal(map(f, 0, (size_t)1 << 47, &iova), UIOMMU_ENOSPC);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xfff),
			 UIOMMU_OK);
	assert_int_equal(map(f, 0, 1, &iova), UIOMMU_ENOSPC);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, ~0ull),
			 UIOMMU_OK);
	assert_int_equal(map(f, 0, (size_t)1 << 49, &iova), UIOMMU_ENOSPC);
	assert_int_equal(f->domain->iova.live, 100);
	machine_down(&f->machine);
}

/* What is reserved is given to nobody, whatever the pressure. */
static void test_reserved_left_out(void **state)
{
	struct fixture *f = *state;
	const uint64_t first = 0x100000, last = 0xfeffffff;
	uint64_t iova;
	unsigned int count = 0;

	/* All below 4 GiB but 1 MiB less page 0, and 16 MiB with the MSI. */
	machine_reserve(&f->machine, first, last - 0x1000000, &alone, 1);
	bring_up(f);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xffffffff),
			 UIOMMU_OK);
	while (!map(f, MEMORY, 0x1000, &iova)) {
		assert_true(iova >= 0x1000);
		assert_true(iova < first || iova > last - 0x1000000);
		assert_true(iova < 0xfee00000 || iova > 0xfeefffff);
		count++;
	}
	assert_int_equal(count, 0xff + 0x1000 - 0x100 + 0x1000);
	machine_down(&f->machine);
}

/* Memory that large pages can map gets an address that allows it. */
static void test_alignment(void **state)
{
	struct fixture *f = *state;
	uint64_t iova, small;

	bring_up(f);
	assert_int_equal(map(f, 0x1000, 0x1000, &small), UIOMMU_OK);
	assert_int_equal(map(f, 64 * MIB, 2 * MIB, &iova), UIOMMU_OK);
	assert_int_equal(iova & (2 * MIB - 1), 0);
	assert_int_equal(map(f, 64 * MIB, 6 * MIB, &iova), UIOMMU_OK);
	assert_int_equal(iova & (2 * MIB - 1), 0);
	assert_int_equal(map(f, 4096 * MIB, 1024 * MIB, &iova), UIOMMU_OK);
	assert_int_equal(iova & (1024 * MIB - 1), 0);
	/* Where that cannot be had, small pages serve. */
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 4 * MIB - 1),
			 UIOMMU_OK);
	assert_int_equal(map(f, 64 * MIB, 3 * MIB, &iova), UIOMMU_OK);
	machine_down(&f->machine);
}

/* A failed invalidation: an error, and the address never comes back. */
static void test_invalidation_fails(void **state)
{
	struct fixture *f = *state;
	uint64_t iova, next, last = 0;

	bring_up(f);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0x3fff),
			 UIOMMU_OK);
	assert_int_equal(map(f, MEMORY, 0x1000, &iova), UIOMMU_OK);
	fake.fail_invalidate = UIOMMU_ENOMEM;
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 0x1000),
			 UIOMMU_ENOMEM);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 0x1000),
			 UIOMMU_ENOENT);
	fake.fail_invalidate = 0;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(map(f, MEMORY, 0x1000, &next), UIOMMU_OK);
		assert_int_not_equal(next, iova);
		last = next;
	}
	assert_int_equal(map(f, MEMORY, 0x1000, &next), UIOMMU_ENOSPC);
	/* The unit's own failure is for ever: nothing more is lent to it. */
	fake.fail_invalidate = UIOMMU_ETIMEDOUT;
	assert_int_equal(uiommu_dma_unmap(f->device, last, 0x1000),
			 UIOMMU_ETIMEDOUT);
	fake.fail_invalidate = 0;
	assert_int_equal(uiommu_device_set_dma_mask(f->device, ~0ull),
			 UIOMMU_OK);
	assert_int_equal(map(f, MEMORY, 0x1000, &next), UIOMMU_EIO);
	uiommu_stop(f->machine.uiommu);
	uiommu_destroy(f->machine.uiommu);
	user_host_destroy(f->machine.host); /* may have lost a table */
}

/* R101: one unmap, one invalidation, of exactly what was mapped. */
static void test_one_invalidation(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	bring_up(f);
	assert_int_equal(map(f, MEMORY, 5 * MIB, &iova), UIOMMU_OK);
	fake.invalidations = 0;
	fake.range_count = 0;
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 5 * MIB), UIOMMU_OK);
	assert_int_equal(fake.invalidations, 1);
	assert_int_equal(fake.range_count, 1);
	assert_int_equal(fake.ranges[0].first, iova);
	assert_int_equal(fake.ranges[0].last, iova + 5 * MIB - 1);
	machine_down(&f->machine);
}

static void test_map_sync(void **state)
{
	struct fixture *f = *state;
	uint64_t iova = 0;

	fake.map_sync = true;
	bring_up(f);
	fake.map_syncs = 0;
	assert_int_equal(map(f, MEMORY + 5, 8192, &iova), UIOMMU_OK);
	assert_int_equal(fake.map_syncs, 1);
	assert_int_equal(fake.synced.first, iova - 5);
	assert_int_equal(fake.synced.last, iova - 5 + 0x2fff);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 8192), UIOMMU_OK);

	/* It fails: nothing is mapped, the address is free again... */
	fake.fail_map_sync = UIOMMU_ENOMEM;
	assert_int_equal(map(f, MEMORY, 4096, &iova), UIOMMU_ENOMEM);
	assert_int_equal(f->domain->iova.live, 0);
	/* ...unless the way back failed, too. */
	fake.fail_invalidate = UIOMMU_ENOMEM;
	assert_int_equal(map(f, MEMORY, 4096, &iova), UIOMMU_ENOMEM);
	assert_int_equal(f->domain->iova.live, 1);
	uiommu_stop(f->machine.uiommu);
	uiommu_destroy(f->machine.uiommu);
	user_host_destroy(f->machine.host);
}

/* Identity: physical addresses, as far as the device reaches. */
static void test_identity(void **state)
{
	struct fixture *f = *state;
	uint64_t iova = 9;
	void *cpu;

	f->machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	bring_up(f);
	assert_int_equal(map(f, MEMORY + 7, 100, &iova), UIOMMU_OK);
	assert_int_equal(iova, MEMORY + 7);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 100), UIOMMU_OK);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xffffffff),
			 UIOMMU_OK);
	assert_int_equal(map(f, 0xfffff000, 0x1000, &iova), UIOMMU_OK);
	assert_int_equal(map(f, 0xfffff001, 0x1000, &iova), UIOMMU_ERANGE);
	assert_int_equal(map(f, UIOMMU_BIT64(50), 1, &iova), UIOMMU_ERANGE);
	assert_int_equal(iova, 0xfffff000);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xfff),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_alloc(f->device, 4096, &cpu, &iova),
			 UIOMMU_ENOMEM);
	assert_int_equal(fake.invalidations, 0);
	machine_down(&f->machine);
}

static void test_no_unit(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	user_dmar_begin(&f->machine.dmar, 39);
	user_dmar_unit(&f->machine.dmar, 0, f->machine.config.units[0].base,
		       false);
	user_dmar_scope(&f->machine.dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_OTHER);
	bring_up(f);
	assert_null(f->domain);
	assert_int_equal(map(f, MEMORY, 4096, &iova), UIOMMU_OK);
	assert_int_equal(iova, MEMORY);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 4096), UIOMMU_OK);
	machine_down(&f->machine);
}

/* Every call of the API, with what was mapped at @held before. */
static void assert_refused(struct fixture *f, uint64_t held, int want)
{
	struct uiommu_sg sg = { .paddr = MEMORY, .size = 4096 };
	uint32_t segments = 77;
	uint64_t iova = 66;
	void *cpu = f;

	assert_int_equal(map(f, MEMORY, 4096, &iova), want);
	assert_int_equal(uiommu_dma_unmap(f->device, held, 4096), want);
	assert_int_equal(uiommu_dma_map_sg(f->device, &sg, 1,
					   UIOMMU_DMA_TO_DEVICE, &segments),
			 want);
	assert_int_equal(uiommu_dma_unmap_sg(f->device, &sg, 1), want);
	assert_int_equal(uiommu_dma_alloc(f->device, 1, &cpu, &iova), want);
	assert_int_equal(segments, 77);
	assert_int_equal(iova, 66);
	assert_ptr_equal(cpu, f);
}

/* Without a use nothing is lent, wherever the group is; what was lent stays. */
static void test_not_in_use(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *unmanaged;
	struct uiommu_group *group;
	uint64_t held;

	bring_up(f);
	group = machine_group(&f->machine, alone);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(map(f, MEMORY, 4096, &held), UIOMMU_OK);
	/* Counted. */
	uiommu_device_unuse(f->device);
	assert_int_equal(uiommu_group_claim(group, f), UIOMMU_EINUSE);
	uiommu_device_unuse(f->device);
	assert_refused(f, held, UIOMMU_EACCES);
	uiommu_device_unuse(f->device); /* one too many is none */
	assert_true(fake_reaches(alone, held, 3, NULL));

	assert_int_equal(uiommu_domain_create(&group, 1, &unmanaged),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, f), UIOMMU_OK);
	for (int i = 0; i < 2; i++) {
		assert_refused(f, held, UIOMMU_EACCES);
		assert_false(fake_reaches(alone, held, 1, NULL));
		assert_int_equal(uiommu_device_use(f->device), UIOMMU_EOWNED);
		assert_int_equal(uiommu_group_attach(group, f, unmanaged),
				 UIOMMU_OK);
	}
	assert_int_equal(uiommu_group_release(group, f), UIOMMU_OK);
	assert_refused(f, held, UIOMMU_EACCES);
	/* Back home everything is as it was. */
	assert_true(fake_reaches(alone, held, 3, NULL));
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(f->device, held, 4096), UIOMMU_OK);
	assert_int_equal(f->domain->iova.live, 0);
	assert_int_equal(uiommu_domain_put(f->machine.uiommu, unmanaged),
			 UIOMMU_OK);
	machine_down(&f->machine);
}

/* A group that could have no DMA domain: its drivers are told. */
static void test_blocked(void **state)
{
	struct fixture *f = *state;

	fake.no_tables = true;
	bring_up(f);
	assert_ptr_equal(f->domain, uiommu_blocked_domain(f->machine.uiommu));
	assert_int_equal(uiommu_group_type(machine_group(&f->machine, alone)),
			 UIOMMU_DOMAIN_BLOCKED);
	assert_refused(f, 0x1000, UIOMMU_EPERM);
	machine_down(&f->machine);
}

static void test_coherent(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = { 1, 4096, 4097, 12288, 65536, 2097152 };
	size_t before;
	uint64_t iova, to;
	uint8_t *cpu;

	bring_up(f);
	assert_int_equal(uiommu_dma_alloc(f->device, 0, (void **)&cpu, &iova),
			 UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_dma_alloc(f->device, SIZE_MAX, (void **)&cpu, &iova),
		UIOMMU_ENOMEM);
	/* Tables that this needs stay; then the count must not move. */
	for (int round = 0; round < 2; round++) {
		before = f->machine.host->pages;
		for (size_t i = 0; i < 6; i++) {
			assert_int_equal(uiommu_dma_alloc(f->device, sizes[i],
							  (void **)&cpu, &iova),
					 UIOMMU_OK);
			assert_int_equal((uintptr_t)cpu & 0xfff, 0);
			assert_int_equal(iova & 0xfff, 0);
			for (size_t at = 0; at < sizes[i]; at += 1111) {
				assert_int_equal(cpu[at], 0);
				assert_true(
					fake_reaches(alone, iova + at, 3, &to));
				assert_ptr_equal(
					vtdm_mem_ptr(f->machine.host->mem, to),
					cpu + at);
			}
			assert_int_equal(uiommu_dma_free(f->device, sizes[i],
							 NULL, iova),
					 UIOMMU_EINVAL);
			assert_int_equal(uiommu_dma_free(f->device,
							 sizes[i] + 4096, cpu,
							 iova),
					 UIOMMU_ENOENT);
			assert_int_equal(
				uiommu_dma_free(f->device, sizes[i], cpu, iova),
				UIOMMU_OK);
			assert_false(fake_reaches(alone, iova, 1, NULL));
		}
	}
	assert_true(f->machine.host->pages <= before);
	machine_down(&f->machine);
}

/* Every host call and every op failing in turn: nothing mapped, no address
 * taken, and the allocation was asked for without sleep.
 */
static void test_failures(void **state)
{
	struct fixture *f = *state;
	uint64_t iova = 0;
	uint8_t *cpu;
	unsigned int nth;
	int err = 0;

	fake.map_sync = true;
	bring_up(f);
	for (nth = 1; nth < 100; nth++) {
		user_fail_at(f->machine.host, nth);
		err = uiommu_dma_alloc(f->device, 3 * MIB, (void **)&cpu,
				       &iova);
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(f->domain->iova.live, 0);
	}
	assert_true(nth > 3);
	user_fail_at(f->machine.host, 0);
	assert_int_equal(uiommu_dma_free(f->device, 3 * MIB, cpu, iova),
			 UIOMMU_OK);
	for (nth = 1; nth < 100; nth++) {
		fake.ops = 0;
		fake.fail_op = nth;
		fake.fail_error = UIOMMU_ENOMEM;
		err = uiommu_dma_alloc(f->device, 3 * MIB, (void **)&cpu,
				       &iova);
		if (fake.ops < nth)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(f->domain->iova.live, 0);
	}
	fake.fail_op = 0;
	assert_int_equal(err, UIOMMU_OK);
	assert_int_equal(uiommu_dma_free(f->device, 3 * MIB, cpu, iova),
			 UIOMMU_OK);
	/* No atomic memory: an error, and later it works again. */
	f->machine.host->atomic_fails = true;
	for (uint64_t at = 0; !err; at += 4096)
		err = map(f, MEMORY + at, 4096, &iova);
	assert_int_equal(err, UIOMMU_ENOMEM);
	f->machine.host->atomic_fails = false;
	assert_int_equal(map(f, MEMORY, 4096, &iova), UIOMMU_OK);
	machine_down(&f->machine);
}

/* What is lent keeps the domain; once it is back, so may go the domain. */
static void test_type_changes_when_idle(void **state)
{
	struct fixture *f = *state;
	struct uiommu_sg sg = { .paddr = MEMORY + 4096, .size = 4096 };
	struct uiommu_group *group;
	uint32_t segments;
	uint64_t iova, physical;

	bring_up(f);
	group = machine_group(&f->machine, alone);
	assert_int_equal(map(f, MEMORY, 4096, &iova), UIOMMU_OK);
	assert_int_equal(uiommu_dma_map_sg(f->device, &sg, 1,
					   UIOMMU_DMA_BIDIRECTIONAL, &segments),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EINUSE);
	uiommu_device_unuse(f->device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EBUSY);
	assert_ptr_equal(uiommu_device_domain(f->device), f->domain);
	assert_true(fake_reaches(alone, iova, 3, NULL));
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 4096), UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap_sg(f->device, &sg, 1), UIOMMU_OK);
	uiommu_device_unuse(f->device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);

	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(map(f, MEMORY, 4096, &physical), UIOMMU_OK);
	assert_int_equal(physical, MEMORY);
	/* A physical address, which nobody mapped. */
	assert_int_equal(uiommu_dma_unmap(f->device, 2 * MEMORY, 4096),
			 UIOMMU_OK);
	assert_true(fake_reaches(alone, 2 * MEMORY, 3, NULL));
	uiommu_device_unuse(f->device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_false(fake_reaches(alone, iova, 1, NULL));
	assert_false(fake_reaches(alone, sg.iova, 1, NULL));
	assert_false(fake_reaches(alone, MEMORY, 1, NULL));
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 4096),
			 UIOMMU_ENOENT);
	assert_int_equal(uiommu_dma_unmap(f->device, MEMORY, 4096),
			 UIOMMU_ENOENT);
	machine_down(&f->machine);
}

/* Who asks for lazy invalidation is translated, and strict for now. */
static void test_lazy_asked_for(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	f->machine.options.options.strict = UIOMMU_CHOICE_NO;
	bring_up(f);
	assert_int_equal(f->domain->hw.type, UIOMMU_DOMAIN_DMA);
	assert_int_equal(map(f, MEMORY, 4096, &iova), UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 4096), UIOMMU_OK);
	machine_down(&f->machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_arguments, set_up),
		cmocka_unit_test_setup(test_offsets_and_directions, set_up),
		cmocka_unit_test_setup(test_mask, set_up),
		cmocka_unit_test_setup(test_reserved_left_out, set_up),
		cmocka_unit_test_setup(test_alignment, set_up),
		cmocka_unit_test_setup(test_invalidation_fails, set_up),
		cmocka_unit_test_setup(test_one_invalidation, set_up),
		cmocka_unit_test_setup(test_map_sync, set_up),
		cmocka_unit_test_setup(test_identity, set_up),
		cmocka_unit_test_setup(test_type_changes_when_idle, set_up),
		cmocka_unit_test_setup(test_lazy_asked_for, set_up),
		cmocka_unit_test_setup(test_no_unit, set_up),
		cmocka_unit_test_setup(test_not_in_use, set_up),
		cmocka_unit_test_setup(test_blocked, set_up),
		cmocka_unit_test_setup(test_coherent, set_up),
		cmocka_unit_test_setup(test_failures, set_up),
	};

	return cmocka_run_group_tests_name("dma map", tests, NULL, NULL);
}
