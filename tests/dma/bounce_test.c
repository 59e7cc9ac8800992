// SPDX-License-Identifier: MIT
/*
 * Devices that do not reach the memory they are given, in identity on the
 * software VT-d: data through slots, both ways, and not a byte of anything
 * else. R18, R100: rows of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "core/object.h"
#include "machine.h"
#include "random.h"

#define PAGE 4096ull
#define MIB 0x100000ull
#define BIG (8 * MIB)
#define MASK32 0xffffffffull
#define MASK28 0xfffffffull
#define LOW 0x20000000ull /* where the tests have low memory of their own */
#define LOW_SIZE 0x10000ull
#define TO UIOMMU_DMA_TO_DEVICE
#define FROM UIOMMU_DMA_FROM_DEVICE
#define BOTH UIOMMU_DMA_BIDIRECTIONAL

static const struct uiommu_sid sid = MACHINE_OTHER;

struct fixture {
	struct machine machine;
	struct random random;
	struct uiommu_device *device;
	uint8_t *big; /* out of reach */
	uint64_t paddr;
	uint8_t *low;
	size_t pages; /* that the library holds while nothing is mapped */
	uint8_t want[BIG], seen[BIG];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture.machine, 0, sizeof(fixture.machine));
	fixture.random.state = 4711;
	machine_describe(&fixture.machine);
	fixture.machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	*state = &fixture;
	return 0;
}

static void fill(struct fixture *f, void *bytes, size_t size)
{
	uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		byte[i] = (uint8_t)(1 + random_below(&f->random, 255));
}

static int map(struct fixture *f, uint64_t at, size_t size,
	       enum uiommu_dma_dir dir, uint64_t *iova)
{
	return uiommu_dma_map(f->device, f->paddr + at, size, dir, iova);
}

static int unmap(struct fixture *f, uint64_t iova, size_t size)
{
	return uiommu_dma_unmap(f->device, iova, size);
}

static void bring_up(struct fixture *f)
{
	struct vtdm_mem *mem;
	uint64_t iova;

	machine_up(&f->machine);
	mem = f->machine.host->mem;
	f->big = vtdm_mem_alloc(mem, BIG, VTDM_MEM_HIGH, &f->paddr);
	f->low = vtdm_mem_alloc_at(mem, LOW, LOW_SIZE);
	assert_non_null(f->big);
	assert_non_null(f->low);
	fill(f, f->big, 64 * PAGE);
	fill(f, f->low, LOW_SIZE);
	f->device = machine_driver(&f->machine, sid);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, MASK32),
			 UIOMMU_OK);
	/* The first record takes a page, once. */
	assert_int_equal(map(f, 0, 1, TO, &iova), UIOMMU_OK);
	assert_int_equal(unmap(f, iova, 1), UIOMMU_OK);
	f->pages = f->machine.host->pages;
}

static void assert_idle(struct fixture *f)
{
	assert_int_equal(f->device->bounced, 0);
	assert_int_equal(f->machine.host->pages, f->pages);
}

static void take_down(struct fixture *f)
{
	struct vtdm_mem *mem = f->machine.host->mem;

	uiommu_stop(f->machine.uiommu);
	assert_int_equal(user_violations(f->machine.host), 0);
	vtdm_mem_free(mem, f->big, BIG);
	vtdm_mem_free(mem, f->low, LOW_SIZE);
	machine_down(&f->machine);
}

static void device_read(struct fixture *f, uint64_t iova, void *to, size_t size)
{
	assert_int_equal(user_dma(f->machine.host, sid, iova, false, to, size),
			 VTDM_OK);
}

static void device_write(struct fixture *f, uint64_t iova, const void *from,
			 size_t size)
{
	assert_int_equal(user_dma(f->machine.host, sid, iova, true,
				  (void *)(uintptr_t)from, size),
			 VTDM_OK);
}

/* --- One buffer --- */

/*
 * The device reads all, writes the middle third and, where it should not, what
 * is beside the buffer in the slot.
 */
static void one_buffer(struct fixture *f, uint64_t at, size_t size,
		       enum uiommu_dma_dir dir)
{
	uint64_t before = (f->paddr + at) % PAGE;
	size_t slot = PAGE, third = size / 3, around = 2 * PAGE;
	uint8_t *cpu;
	uint64_t iova;

	fill(f, f->big + at - around, size + 2 * around);
	memcpy(f->want, f->big + at - around, size + 2 * around);
	assert_int_equal(map(f, at, size, dir, &iova), UIOMMU_OK);
	while (slot < before + size)
		slot *= 2;
	assert_int_equal(iova % PAGE, before);
	assert_true(iova - before + slot - 1 <= MASK32);
	assert_int_equal(f->device->bounced, 1);
	assert_int_equal(f->machine.host->pages, f->pages + slot / PAGE);

	device_read(f, iova, f->seen, size);
	assert_memory_equal(f->seen, f->want + around, size);
	cpu = vtdm_mem_ptr(f->machine.host->mem, iova - before);
	assert_non_null(cpu);
	for (size_t i = 0; i < before; i++)
		assert_int_equal(cpu[i], 0);
	for (size_t i = before + size; i < slot; i++)
		assert_int_equal(cpu[i], 0);

	memset(cpu, 0xee, before);
	memset(cpu + before + size, 0xdd, slot - before - size);
	fill(f, f->seen, third + 1);
	device_write(f, iova + third, f->seen, third + 1);
	assert_memory_equal(f->big + at - around, f->want, size + 2 * around);
	if (dir != TO)
		memcpy(f->want + around + third, f->seen, third + 1);
	assert_int_equal(unmap(f, iova, size), UIOMMU_OK);
	assert_memory_equal(f->big + at - around, f->want, size + 2 * around);
	assert_idle(f);
	/* It is gone: a driver that unmaps twice is not believed. */
	assert_null(vtdm_mem_ptr(f->machine.host->mem, iova - before));
}

static void test_buffers(void **state)
{
	static const size_t sizes[] = { 1,    2,    3,	   511,	  512,
					4095, 4096, 4097,  8191,  8192,
					8193, 9000, 65535, 65537, 300000 };
	static const uint64_t offsets[] = { 0, 1, 7, 512, 2048, 4094, 4095 };
	struct fixture *f = *state;

	bring_up(f);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (size_t o = 0; o < sizeof(offsets) / sizeof(offsets[0]);
		     o++)
			for (int dir = 1; dir <= 3; dir++)
				one_buffer(f, 4 * PAGE + offsets[o], sizes[s],
					   (enum uiommu_dma_dir)dir);
	for (int dir = 1; dir <= 3; dir++) {
		one_buffer(f, 4 * PAGE, 4 * MIB, (enum uiommu_dma_dir)dir);
		one_buffer(f, 4 * PAGE + 77, 5 * MIB + 1,
			   (enum uiommu_dma_dir)dir);
	}
	take_down(f);
}

/* What the mask reaches is not copied; a byte beyond is. */
static void test_edge(void **state)
{
	struct fixture *f = *state;
	struct vtdm_mem *mem;
	uint64_t iova;
	void *edge;

	bring_up(f);
	mem = f->machine.host->mem;
	assert_int_equal(uiommu_device_set_dma_mask(f->device, MASK28),
			 UIOMMU_OK);
	edge = vtdm_mem_alloc_at(mem, MASK28 + 1 - PAGE, 2 * PAGE);
	assert_non_null(edge);
	assert_int_equal(
		uiommu_dma_map(f->device, MASK28 + 1 - PAGE, PAGE, BOTH, &iova),
		UIOMMU_OK);
	assert_int_equal(iova, MASK28 + 1 - PAGE);
	assert_idle(f);
	assert_int_equal(unmap(f, iova, PAGE), UIOMMU_OK);
	assert_int_equal(uiommu_dma_map(f->device, MASK28 + 1 - PAGE, PAGE + 1,
					BOTH, &iova),
			 UIOMMU_OK);
	assert_true(iova + PAGE <= MASK28);
	assert_int_equal(f->device->bounced, 1);
	assert_int_equal(unmap(f, iova, PAGE + 1), UIOMMU_OK);
	assert_idle(f);
	vtdm_mem_free(mem, edge, 2 * PAGE);
	take_down(f);
}

/* Odd devices: slots are where they reach, or the map is refused. */
static void test_masks(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	bring_up(f);
	for (unsigned int bits = 21; bits < 40; bits++) {
		uint64_t mask = (1ull << bits) - 1;

		assert_int_equal(uiommu_device_set_dma_mask(f->device, mask),
				 UIOMMU_OK);
		assert_int_equal(map(f, 5, 5000, TO, &iova), UIOMMU_OK);
		if (f->paddr + 5 + 5000 - 1 <= mask)
			assert_int_equal(iova, f->paddr + 5);
		else
			assert_true(iova + 5000 - 1 <= mask);
		assert_int_equal(unmap(f, iova, 5000), UIOMMU_OK);
		assert_idle(f);
	}
	iova = 99;
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xfffff),
			 UIOMMU_OK);
	assert_int_equal(map(f, 0, 100, TO, &iova), UIOMMU_ENOMEM);
	assert_int_equal(map(f, 0, 2 * MIB, TO, &iova), UIOMMU_ERANGE);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, MASK32),
			 UIOMMU_OK);
	/* More than there is, more than can be, and what is no memory. */
	assert_int_equal(map(f, 0, 1ull << 31, TO, &iova), UIOMMU_ENOMEM);
	assert_int_equal(map(f, 0, SIZE_MAX / 2, TO, &iova), UIOMMU_ERANGE);
	assert_int_equal(map(f, BIG - 1, 4 * MIB, TO, &iova), UIOMMU_ERANGE);
	assert_int_equal(uiommu_dma_map(f->device, ~0ull, 1, TO, &iova),
			 UIOMMU_ERANGE);
	assert_int_equal(iova, 99);
	assert_idle(f);
	take_down(f);
}

/* What is not a mapping is not unmapped, and a mapping stays what it was. */
static void test_misuse(void **state)
{
	struct fixture *f = *state;
	struct uiommu_device *alone;
	uint64_t iova, other;

	bring_up(f);
	alone = machine_driver(&f->machine, MACHINE_ALONE);
	assert_int_equal(uiommu_device_set_dma_mask(alone, MASK32), UIOMMU_OK);
	assert_int_equal(map(f, 5, 9000, FROM, &iova), UIOMMU_OK);
	assert_int_equal(
		uiommu_dma_map(alone, f->paddr + 5, 9000, FROM, &other),
		UIOMMU_OK);
	assert_int_not_equal(iova, other);
	memcpy(f->want, f->big, 4 * PAGE);
	device_write(f, iova, f->low, 100);
	assert_int_equal(unmap(f, iova, 8999), UIOMMU_ENOENT);
	assert_int_equal(unmap(f, iova, 9001), UIOMMU_ENOENT);
	assert_int_equal(unmap(f, iova + 1, 8999), UIOMMU_ENOENT);
	assert_int_equal(unmap(f, iova + 1, 9000), UIOMMU_ENOENT);
	assert_int_equal(unmap(f, iova - 5, 9005), UIOMMU_ENOENT);
	assert_int_equal(unmap(f, iova + 8192, 808), UIOMMU_ENOENT);
	assert_int_equal(unmap(f, iova, 0), UIOMMU_EINVAL);
	assert_int_equal(unmap(f, iova, SIZE_MAX), UIOMMU_EINVAL);
	/* Somebody else's: theirs stays. */
	(void)!unmap(f, other, 9000);
	assert_int_equal(alone->bounced, 1);
	assert_int_equal(f->device->bounced, 1);
	assert_memory_equal(f->big, f->want, 4 * PAGE);
	assert_int_equal(unmap(f, iova, 9000), UIOMMU_OK);
	memcpy(f->want + 5, f->low, 100);
	assert_memory_equal(f->big, f->want, 4 * PAGE);
	assert_int_equal(uiommu_dma_unmap(alone, other, 9000), UIOMMU_OK);
	assert_int_equal(alone->bounced, 0);
	assert_idle(f);
	take_down(f);
}

/* --- Sync --- */

static void test_sync(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	bring_up(f);
	for (int dir = 1; dir <= 3; dir++) {
		fill(f, f->big, 4 * PAGE);
		memcpy(f->want, f->big, 4 * PAGE);
		assert_int_equal(
			map(f, 100, 8000, (enum uiommu_dma_dir)dir, &iova),
			UIOMMU_OK);
		/* The device's bytes, those that were asked for. */
		device_write(f, iova, f->low, 8000);
		assert_int_equal(
			uiommu_dma_sync_for_cpu(f->device, iova + 4000, 500),
			UIOMMU_OK);
		if (dir != TO)
			memcpy(f->want + 4100, f->low + 4000, 500);
		assert_memory_equal(f->big, f->want, 4 * PAGE);
		/* The CPU's: also where only the device is to write. */
		memset(f->big + 4200, 0x5a, 50);
		memset(f->want + 4200, 0x5a, 50);
		assert_int_equal(
			uiommu_dma_sync_for_device(f->device, iova + 4100, 50),
			UIOMMU_OK);
		device_read(f, iova, f->seen, 8000);
		assert_memory_equal(f->seen, f->low, 4100);
		assert_memory_equal(f->seen + 4100, f->want + 4200, 50);
		assert_memory_equal(f->seen + 4150, f->low + 4150, 3850);
		/* First and last byte. */
		assert_int_equal(uiommu_dma_sync_for_cpu(f->device, iova, 8000),
				 UIOMMU_OK);
		assert_int_equal(
			uiommu_dma_sync_for_cpu(f->device, iova + 7999, 1),
			UIOMMU_OK);
		if (dir != TO) {
			memcpy(f->want + 100, f->low, 8000);
			memset(f->want + 4200, 0x5a, 50);
		}
		assert_memory_equal(f->big, f->want, 4 * PAGE);
		assert_int_equal(unmap(f, iova, 8000), UIOMMU_OK);
		assert_memory_equal(f->big, f->want, 4 * PAGE);
		assert_idle(f);
	}
	take_down(f);
}

static void test_sync_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	bring_up(f);
	for (int mapped = 0; mapped < 2; mapped++) {
		assert_int_equal(uiommu_dma_sync_for_cpu(f->device, LOW, 0),
				 UIOMMU_EINVAL);
		assert_int_equal(
			uiommu_dma_sync_for_device(f->device, ~0ull, 2),
			UIOMMU_EINVAL);
		/* Not bounced: nothing to do. */
		assert_int_equal(uiommu_dma_sync_for_cpu(f->device, LOW, 1),
				 UIOMMU_OK);
		assert_int_equal(uiommu_dma_sync_for_device(f->device, LOW, 1),
				 UIOMMU_OK);
		if (!mapped)
			assert_int_equal(map(f, 100, 8000, BOTH, &iova),
					 UIOMMU_OK);
	}
	memcpy(f->want, f->big, 4 * PAGE);
	device_write(f, iova, f->low, 8000);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, iova, 8001),
			 UIOMMU_ENOENT);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, iova - 1, 2),
			 UIOMMU_ENOENT);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, iova + 8000, 1),
			 UIOMMU_ENOENT);
	assert_int_equal(uiommu_dma_sync_for_device(f->device, iova + 7999, 2),
			 UIOMMU_ENOENT);
	assert_memory_equal(f->big, f->want, 4 * PAGE);
	/* A host that cannot: told, and later it can. */
	user_fail_at(f->machine.host, 1);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, iova, 8000),
			 UIOMMU_ERANGE);
	user_fail_at(f->machine.host, 1);
	assert_int_equal(unmap(f, iova, 8000), UIOMMU_ERANGE);
	assert_memory_equal(f->big, f->want, 4 * PAGE);
	assert_int_equal(f->device->bounced, 1);
	assert_int_equal(unmap(f, iova, 8000), UIOMMU_OK);
	assert_memory_equal(f->big + 100, f->low, 8000);
	assert_idle(f);
	take_down(f);
}

/* --- Domains --- */

static int set_type(struct fixture *f, enum uiommu_domain_type type)
{
	return uiommu_group_set_type(machine_group(&f->machine, sid), type);
}

/* Slots keep the group where it is, be its driver at work or gone. */
static void test_lent(void **state)
{
	struct fixture *f = *state;
	struct uiommu_group *group;
	uint64_t home, slot;

	bring_up(f);
	group = machine_group(&f->machine, sid);
	assert_int_equal(map(f, 16384, 5000, FROM, &slot), UIOMMU_OK);
	assert_int_equal(set_type(f, UIOMMU_DOMAIN_DMA), UIOMMU_EINUSE);
	uiommu_device_unuse(f->device);
	assert_int_equal(set_type(f, UIOMMU_DOMAIN_DMA), UIOMMU_EBUSY);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(unmap(f, slot, 5000), UIOMMU_EACCES);
	assert_int_equal(f->device->bounced, 1);
	device_write(f, slot, f->low, 5000);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(unmap(f, slot, 5000), UIOMMU_OK);
	assert_memory_equal(f->big + 16384, f->low, 5000);
	assert_int_equal(f->device->bounced, 0);

	/* In a domain of its own nothing is copied, there and back. */
	uiommu_device_unuse(f->device);
	assert_int_equal(set_type(f, UIOMMU_DOMAIN_DMA), UIOMMU_OK);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(map(f, 0, 5000, BOTH, &home), UIOMMU_OK);
	assert_int_equal(f->device->bounced, 0);
	device_write(f, home, f->low, 5000);
	assert_memory_equal(f->big, f->low, 5000);
	/* Here the address is nothing of the slot's. */
	memcpy(f->want, f->big, 8 * PAGE);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, slot, 5000),
			 UIOMMU_OK);
	assert_memory_equal(f->big, f->want, 8 * PAGE);
	assert_int_equal(unmap(f, home, 5000), UIOMMU_OK);
	uiommu_device_unuse(f->device);
	assert_int_equal(set_type(f, UIOMMU_DOMAIN_IDENTITY), UIOMMU_OK);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(map(f, 16384, 5000, FROM, &slot), UIOMMU_OK);
	assert_int_equal(f->device->bounced, 1);
	assert_int_equal(unmap(f, slot, 5000), UIOMMU_OK);
	take_down(f);
}

/* R18: the group is left alone, and who reaches all memory gets it as it is. */
static void test_siblings(void **state)
{
	struct fixture *f = *state;
	struct uiommu_device *small, *sibling;
	struct uiommu_domain *domain;
	uint64_t iova, direct;
	uint8_t byte = 0x77;

	bring_up(f);
	small = machine_driver(&f->machine, MACHINE_PAIR0);
	sibling = machine_driver(&f->machine, MACHINE_PAIR1);
	domain = uiommu_device_domain(sibling);
	assert_int_equal(uiommu_device_set_dma_mask(small, MASK32), UIOMMU_OK);
	assert_int_equal(uiommu_dma_map(sibling, f->paddr, PAGE, BOTH, &direct),
			 UIOMMU_OK);
	assert_int_equal(direct, f->paddr);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(uiommu_dma_map(small, f->paddr + 3 * PAGE,
						PAGE, FROM, &iova),
				 UIOMMU_OK);
		byte = (uint8_t)i;
		assert_int_equal(user_dma(f->machine.host, MACHINE_PAIR0, iova,
					  true, &byte, 1),
				 VTDM_OK);
		assert_int_equal(user_dma(f->machine.host, MACHINE_PAIR1,
					  direct + (uint64_t)i, true, &byte, 1),
				 VTDM_OK);
		assert_int_equal(f->big[i], i);
		assert_int_equal(uiommu_dma_unmap(small, iova, PAGE),
				 UIOMMU_OK);
		assert_int_equal(f->big[3 * PAGE], i);
		assert_ptr_equal(uiommu_device_domain(small), domain);
		assert_ptr_equal(uiommu_device_domain(sibling), domain);
	}
	assert_int_equal(sibling->bounced, 0);
	assert_int_equal(uiommu_poll_faults(f->machine.uiommu), 0);
	assert_int_equal(uiommu_dma_unmap(sibling, direct, PAGE), UIOMMU_OK);
	assert_idle(f);
	take_down(f);
}

/* The instance goes down with slots in use, and comes up without them. */
static void test_stop(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	bring_up(f);
	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(map(f, i * 16, 4096 + i, FROM, &iova),
				 UIOMMU_OK);
	assert_int_equal(f->device->bounced, 300);
	uiommu_stop(f->machine.uiommu);
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
	f->device = machine_driver(&f->machine, sid);
	assert_int_equal(f->device->bounced, 0);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, MASK32),
			 UIOMMU_OK);
	assert_int_equal(map(f, 0, 10, FROM, &iova), UIOMMU_OK);
	take_down(f);
}

/* No unit: physical addresses all the same. */
static void test_no_unit(void **state)
{
	struct fixture *f = *state;
	uint8_t *cpu;
	uint64_t iova;

	user_dmar_begin(&f->machine.dmar, 39);
	user_dmar_unit(&f->machine.dmar, 0, f->machine.config.units[0].base,
		       false);
	user_dmar_scope(&f->machine.dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_ALONE);
	bring_up(f);
	assert_null(uiommu_device_domain(f->device));
	assert_int_equal(map(f, 10, 5000, BOTH, &iova), UIOMMU_OK);
	cpu = vtdm_mem_ptr(f->machine.host->mem, iova);
	assert_memory_equal(cpu, f->big + 10, 5000);
	cpu[4999] = 0;
	f->big[5010] = 1;
	assert_int_equal(unmap(f, iova, 5000), UIOMMU_OK);
	assert_int_equal(f->big[5009], 0);
	assert_int_equal(f->big[5010], 1);
	assert_idle(f);
	take_down(f);
}

/* --- Shared memory --- */

static void test_coherent(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;
	void *cpu;

	bring_up(f);
	for (unsigned int bits = 22; bits < 40; bits++) {
		uint64_t mask = (1ull << bits) - 1;
		uint64_t word = 0x1122334455667788ull + bits;

		assert_int_equal(uiommu_device_set_dma_mask(f->device, mask),
				 UIOMMU_OK);
		assert_int_equal(
			uiommu_dma_alloc(f->device, 20000, &cpu, &iova),
			UIOMMU_OK);
		assert_true(iova + 20000 - 1 <= mask);
		assert_int_equal(iova % PAGE, 0);
		/* The same memory: no call in between. */
		device_write(f, iova + 19992, &word, 8);
		assert_memory_equal((uint8_t *)cpu + 19992, &word, 8);
		memset(cpu, 0x3c, 8);
		device_read(f, iova, &word, 8);
		assert_memory_equal(cpu, &word, 8);
		assert_int_equal(f->device->bounced, 0);
		assert_int_equal(uiommu_dma_sync_for_cpu(f->device, iova, 8),
				 UIOMMU_OK);
		assert_int_equal(uiommu_dma_free(f->device, 20000, cpu, iova),
				 UIOMMU_OK);
		assert_idle(f);
	}
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xfff),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_alloc(f->device, 4096, &cpu, &iova),
			 UIOMMU_ENOMEM);
	assert_int_equal(uiommu_dma_alloc(f->device, 8192, &cpu, &iova),
			 UIOMMU_ENOMEM);
	assert_int_equal(uiommu_dma_alloc(f->device, 0, &cpu, &iova),
			 UIOMMU_EINVAL);
	assert_idle(f);
	take_down(f);
}

/* --- Every host call failing in turn --- */

static void test_failures(void **state)
{
	static const struct {
		unsigned int nth;
		int err;
		size_t kept; /* by the pool, for good */
	} turns[] = {
		{ 1, UIOMMU_ENOMEM, 0 }, /* the page for records */
		{ 2, UIOMMU_ENOMEM, 1 }, /* the slot */
		{ 1, UIOMMU_ENOMEM, 0 }, /* the slot, with a record at hand */
		{ 2, UIOMMU_ERANGE, 0 }, /* the copy */
	};
	struct fixture *f = *state;
	unsigned int nth;
	uint64_t iova;
	void *cpu;

	bring_up(f);
	/* From an empty pool: a page for records, a slot, a copy. */
	uiommu_stop(f->machine.uiommu);
	uiommu_destroy(f->machine.uiommu);
	assert_int_equal(f->machine.host->pages, 0);
	assert_int_equal(machine_scan(&f->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
	f->device = machine_driver(&f->machine, sid);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, MASK32),
			 UIOMMU_OK);
	f->pages = f->machine.host->pages;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		user_fail_at(f->machine.host, turns[i].nth);
		assert_int_equal(map(f, 1, 3 * PAGE, FROM, &iova),
				 turns[i].err);
		f->pages += turns[i].kept;
		assert_idle(f);
	}
	user_fail_at(f->machine.host, 3);
	assert_int_equal(map(f, 1, 3 * PAGE, FROM, &iova), UIOMMU_OK);
	user_fail_at(f->machine.host, 0);
	assert_int_equal(unmap(f, iova, 3 * PAGE), UIOMMU_OK);
	for (nth = 1; nth < 10; nth++) {
		user_fail_at(f->machine.host, nth);
		if (!uiommu_dma_alloc(f->device, 5000, &cpu, &iova))
			break;
		assert_idle(f);
	}
	assert_int_equal(nth, 2);
	user_fail_at(f->machine.host, 0);
	assert_int_equal(uiommu_dma_free(f->device, 5000, cpu, iova),
			 UIOMMU_OK);
	assert_idle(f);
	take_down(f);
}

/* --- Many at once --- */

#define LIVE 64u

struct live {
	size_t size; /* 0: none */
	uint64_t at, iova;
	enum uiommu_dma_dir dir;
};

/* Each in a page pair of its own, so that only its own data may change. */
static void live_step(struct fixture *f, struct live *live, unsigned int i)
{
	uint64_t part;

	if (live->size) {
		part = random_below(&f->random, live->size);
		fill(f, f->seen, part);
		device_write(f, live->iova, f->seen, part);
		if (live->dir != TO)
			memcpy(f->want + live->at, f->seen, part);
		assert_int_equal(unmap(f, live->iova, live->size), UIOMMU_OK);
		live->size = 0;
		return;
	}
	live->at = (uint64_t)i * 8 * PAGE + random_below(&f->random, 2 * PAGE);
	live->size = 1 + (size_t)random_below(&f->random, 6 * PAGE);
	live->dir = (enum uiommu_dma_dir)(1 + random_below(&f->random, 3));
	assert_int_equal(map(f, live->at, live->size, live->dir, &live->iova),
			 UIOMMU_OK);
	device_read(f, live->iova, f->seen, live->size);
	assert_memory_equal(f->seen, f->want + live->at, live->size);
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	struct live live[LIVE] = { { 0 } };

	bring_up(f);
	random_init(&f->random, "bounce");
	fill(f, f->big, LIVE * 8 * PAGE);
	memcpy(f->want, f->big, LIVE * 8 * PAGE);
	for (unsigned int step = 0; step < 4000; step++) {
		unsigned int i = (unsigned int)random_below(&f->random, LIVE);

		live_step(f, &live[i], i);
		if (step % 100 == 0)
			assert_memory_equal(f->big, f->want, LIVE * 8 * PAGE);
	}
	for (unsigned int i = 0; i < LIVE; i++)
		if (live[i].size)
			live_step(f, &live[i], i);
	assert_memory_equal(f->big, f->want, LIVE * 8 * PAGE);
	assert_int_equal(f->device->bounced, 0);
	take_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_buffers, set_up),
		cmocka_unit_test_setup(test_edge, set_up),
		cmocka_unit_test_setup(test_masks, set_up),
		cmocka_unit_test_setup(test_misuse, set_up),
		cmocka_unit_test_setup(test_sync, set_up),
		cmocka_unit_test_setup(test_sync_refused, set_up),
		cmocka_unit_test_setup(test_lent, set_up),
		cmocka_unit_test_setup(test_siblings, set_up),
		cmocka_unit_test_setup(test_stop, set_up),
		cmocka_unit_test_setup(test_no_unit, set_up),
		cmocka_unit_test_setup(test_coherent, set_up),
		cmocka_unit_test_setup(test_failures, set_up),
		cmocka_unit_test_setup(test_many, set_up),
	};

	return cmocka_run_group_tests_name("dma bounce", tests, NULL, NULL);
}
