// SPDX-License-Identifier: MIT
/*
 * Lists of which a device reaches some pieces and some not: each piece's data
 * at the address that the list says, and all of it back.
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
#define PIECES 24u
#define HIGH_SIZE (64 * PAGE)
#define LOW 0x20000000ull
#define LOW_SIZE (64 * PAGE)

static const struct uiommu_sid sid = MACHINE_OTHER;

struct fixture {
	struct machine machine;
	struct random random;
	struct uiommu_device *device;
	uint8_t *high, *low;
	uint64_t paddr; /* of high */
	size_t pages;
	struct uiommu_sg sg[PIECES];
	uint32_t count, segments;
	uint64_t at[PIECES]; /* address of each piece, as the list says */
	uint8_t want[HIGH_SIZE + LOW_SIZE];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.random.state = 4711;
	machine_describe(&fixture.machine);
	fixture.machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	*state = &fixture;
	return 0;
}

static void remember(struct fixture *f)
{
	memcpy(f->want, f->high, HIGH_SIZE);
	memcpy(f->want + HIGH_SIZE, f->low, LOW_SIZE);
}

static void assert_as_wanted(struct fixture *f)
{
	assert_memory_equal(f->high, f->want, HIGH_SIZE);
	assert_memory_equal(f->low, f->want + HIGH_SIZE, LOW_SIZE);
}

static void bring_up(struct fixture *f)
{
	struct vtdm_mem *mem;
	uint64_t iova;

	machine_up(&f->machine);
	mem = f->machine.host->mem;
	f->high = vtdm_mem_alloc(mem, HIGH_SIZE, VTDM_MEM_HIGH, &f->paddr);
	f->low = vtdm_mem_alloc_at(mem, LOW, LOW_SIZE);
	assert_non_null(f->high);
	assert_non_null(f->low);
	for (size_t i = 0; i < HIGH_SIZE; i++)
		f->high[i] = (uint8_t)random_below(&f->random, 256);
	for (size_t i = 0; i < LOW_SIZE; i++)
		f->low[i] = (uint8_t)random_below(&f->random, 256);
	remember(f);
	f->device = machine_driver(&f->machine, sid);
	assert_int_equal(uiommu_device_set_dma_mask(f->device, 0xffffffff),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_map(f->device, f->paddr, 1,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(f->device, iova, 1), UIOMMU_OK);
	f->pages = f->machine.host->pages;
}

static void take_down(struct fixture *f)
{
	struct vtdm_mem *mem = f->machine.host->mem;

	uiommu_stop(f->machine.uiommu);
	assert_int_equal(user_violations(f->machine.host), 0);
	vtdm_mem_free(mem, f->high, HIGH_SIZE);
	vtdm_mem_free(mem, f->low, LOW_SIZE);
	machine_down(&f->machine);
}

static void assert_idle(struct fixture *f)
{
	assert_int_equal(f->device->bounced, 0);
	assert_int_equal(f->machine.host->pages, f->pages);
}

static void piece(struct fixture *f, uint64_t paddr, size_t size)
{
	f->sg[f->count].paddr = paddr;
	f->sg[f->count].size = size;
	f->count++;
}

static void high(struct fixture *f, uint64_t at, size_t size)
{
	piece(f, f->paddr + at, size);
}

static void low(struct fixture *f, uint64_t at, size_t size)
{
	piece(f, LOW + at, size);
}

static int map(struct fixture *f, enum uiommu_dma_dir dir)
{
	return uiommu_dma_map_sg(f->device, f->sg, f->count, dir, &f->segments);
}

static int unmap(struct fixture *f)
{
	return uiommu_dma_unmap_sg(f->device, f->sg, f->count);
}

/* As a device goes through the list: addresses of the pieces, in turn. */
static void walk(struct fixture *f)
{
	uint32_t segment = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < f->count; i++) {
		assert_true(segment < f->segments);
		f->at[i] = f->sg[segment].iova + at;
		at += f->sg[i].size;
		assert_true(at <= f->sg[segment].iova_size);
		if (at == f->sg[segment].iova_size) {
			segment++;
			at = 0;
		}
	}
	assert_int_equal(segment, f->segments);
}

static uint8_t *wanted(struct fixture *f, uint64_t paddr)
{
	if (paddr < f->paddr)
		return f->want + HIGH_SIZE + (paddr - LOW);
	return f->want + (paddr - f->paddr);
}

/* The device reads each piece and writes half of it. */
static void use(struct fixture *f, enum uiommu_dma_dir dir)
{
	uint8_t bytes[8 * PAGE];

	walk(f);
	for (uint32_t i = 0; i < f->count; i++) {
		uint8_t *want = wanted(f, f->sg[i].paddr);
		bool direct = f->sg[i].paddr < f->paddr;
		size_t half = (f->sg[i].size + 1) / 2;

		assert_true(f->at[i] + f->sg[i].size - 1 <= 0xffffffff);
		assert_int_equal(f->at[i] % PAGE, f->sg[i].paddr % PAGE);
		if (direct)
			assert_int_equal(f->at[i], f->sg[i].paddr);
		assert_int_equal(user_dma(f->machine.host, sid, f->at[i], false,
					  bytes, f->sg[i].size),
				 VTDM_OK);
		assert_memory_equal(bytes, want, f->sg[i].size);
		for (size_t n = 0; n < half; n++)
			bytes[n] = (uint8_t)random_below(&f->random, 256);
		assert_int_equal(user_dma(f->machine.host, sid, f->at[i], true,
					  bytes, half),
				 VTDM_OK);
		if (direct || dir != UIOMMU_DMA_TO_DEVICE)
			memcpy(want, bytes, half);
	}
}

static void there_and_back(struct fixture *f, uint32_t segments)
{
	for (int dir = 1; dir <= 3; dir++) {
		assert_int_equal(map(f, (enum uiommu_dma_dir)dir), UIOMMU_OK);
		if (segments)
			assert_int_equal(f->segments, segments);
		use(f, (enum uiommu_dma_dir)dir);
		assert_int_equal(unmap(f), UIOMMU_OK);
		assert_as_wanted(f);
		assert_idle(f);
	}
}

static void test_mixed(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	low(f, 0, PAGE);
	low(f, PAGE, PAGE); /* goes on */
	high(f, 0, PAGE);
	high(f, PAGE, PAGE); /* next in memory; slots may be, too */
	high(f, 2 * PAGE + 5, 3 * PAGE);
	low(f, 2 * PAGE, 100);
	high(f, 9 * PAGE - 1, 2);
	low(f, 3 * PAGE, PAGE);
	low(f, 4 * PAGE, 2 * PAGE); /* goes on */
	high(f, 12 * PAGE + 1, 1);
	there_and_back(f, 8);
	take_down(f);
}

/* Slots right behind and right before memory that the device reaches. */
static void test_neighbours(void **state)
{
	struct fixture *f = *state;
	struct vtdm_mem *mem;
	uint8_t *hole;

	bring_up(f);
	mem = f->machine.host->mem;
	vtdm_mem_free(mem, f->low, LOW_SIZE);
	f->low = vtdm_mem_alloc_at(mem, LOW, PAGE);
	hole = vtdm_mem_alloc_at(mem, LOW + 3 * PAGE, PAGE);
	memset(f->want + HIGH_SIZE, 0, LOW_SIZE);
	low(f, 0, PAGE);
	high(f, 0, PAGE);
	high(f, 5 * PAGE, PAGE);
	low(f, 3 * PAGE, PAGE);
	f->machine.host->low_next = LOW + PAGE;
	assert_int_equal(map(f, UIOMMU_DMA_BIDIRECTIONAL), UIOMMU_OK);
	assert_int_equal(f->segments, 4);
	use(f, UIOMMU_DMA_BIDIRECTIONAL);
	assert_int_equal(f->at[1], LOW + PAGE);
	assert_int_equal(f->at[2], LOW + 2 * PAGE);
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_memory_equal(f->high, f->want, HIGH_SIZE);
	assert_memory_equal(f->low, f->want + HIGH_SIZE, PAGE);
	assert_memory_equal(hole, f->want + HIGH_SIZE + 3 * PAGE, PAGE);
	assert_idle(f);
	vtdm_mem_free(mem, f->low, PAGE);
	vtdm_mem_free(mem, hole, PAGE);
	f->low = vtdm_mem_alloc_at(mem, LOW, LOW_SIZE);
	take_down(f);
}

/* Parts of pieces while the list stays. */
static void test_sync(void **state)
{
	struct fixture *f = *state;
	uint8_t byte = 0x99;

	bring_up(f);
	low(f, 0, PAGE);
	high(f, 100, 5000);
	high(f, 3 * PAGE, PAGE);
	assert_int_equal(map(f, UIOMMU_DMA_FROM_DEVICE), UIOMMU_OK);
	walk(f);
	assert_int_equal(
		user_dma(f->machine.host, sid, f->at[1] + 4999, true, &byte, 1),
		VTDM_OK);
	assert_int_equal(
		user_dma(f->machine.host, sid, f->at[2], true, &byte, 1),
		VTDM_OK);
	assert_int_equal(
		uiommu_dma_sync_for_cpu(f->device, f->at[1] + 10, 4990),
		UIOMMU_OK);
	f->want[5099] = byte;
	assert_as_wanted(f);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, f->at[0], PAGE),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_sync_for_cpu(f->device, f->at[1], 5001),
			 UIOMMU_ENOENT);
	assert_as_wanted(f);
	f->want[3 * PAGE] = byte;
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_as_wanted(f);
	assert_idle(f);
	take_down(f);
}

/* A list that is not as it was left: nothing of it is unmapped. */
static void test_changed(void **state)
{
	struct fixture *f = *state;
	struct uiommu_sg was[PIECES];
	uint8_t byte = 0x88;

	bring_up(f);
	high(f, 0, PAGE);
	low(f, 0, PAGE);
	high(f, 2 * PAGE, PAGE);
	high(f, 4 * PAGE, 10);
	assert_int_equal(map(f, UIOMMU_DMA_FROM_DEVICE), UIOMMU_OK);
	walk(f);
	memcpy(was, f->sg, sizeof(was));
	assert_int_equal(
		user_dma(f->machine.host, sid, f->at[0], true, &byte, 1),
		VTDM_OK);
	for (int change = 0; change < 5; change++) {
		memcpy(f->sg, was, sizeof(was));
		switch (change) {
		case 0:
			f->sg[3].size = 9;
			break;
		case 1:
			f->sg[2].iova += PAGE * 100;
			break;
		case 2:
			f->sg[2].paddr += PAGE;
			break;
		case 3:
			f->sg[3] = f->sg[0]; /* one piece twice */
			break;
		default:
			f->sg[0].iova = was[2].iova; /* exchanged */
			f->sg[2].iova = was[0].iova;
		}
		assert_int_equal(unmap(f), UIOMMU_ENOENT);
		assert_int_equal(f->device->bounced, 3);
		assert_as_wanted(f);
	}
	memcpy(f->sg, was, sizeof(was));
	/* The host cannot copy the second one back: all stay. */
	user_fail_at(f->machine.host, 2);
	assert_int_equal(unmap(f), UIOMMU_ERANGE);
	assert_int_equal(f->device->bounced, 3);
	assert_int_equal(unmap(f), UIOMMU_OK);
	f->want[0] = byte;
	assert_as_wanted(f);
	assert_idle(f);
	take_down(f);
}

/* Every call failing at every piece: nothing held, nothing said. */
static void test_failures(void **state)
{
	struct fixture *f = *state;
	unsigned int nth, range = 0, nomem = 0;
	int err;

	bring_up(f);
	low(f, 0, PAGE);
	high(f, 0, 5000);
	high(f, 3 * PAGE, PAGE);
	low(f, 2 * PAGE, PAGE);
	high(f, 9 * PAGE, 3 * PAGE);
	f->segments = 99;
	for (nth = 1; nth < 100; nth++) {
		user_fail_at(f->machine.host, nth);
		err = map(f, UIOMMU_DMA_BIDIRECTIONAL);
		if (!err)
			break;
		nomem += err == UIOMMU_ENOMEM;
		range += err == UIOMMU_ERANGE;
		assert_int_equal(f->segments, 99);
		assert_int_equal(f->sg[0].iova_size, 0);
		assert_int_equal(f->sg[1].iova, 0);
		assert_idle(f);
	}
	assert_int_equal(nth, 7);
	assert_int_equal(nomem, 3);
	assert_int_equal(range, 3);
	user_fail_at(f->machine.host, 0);
	use(f, UIOMMU_DMA_BIDIRECTIONAL);
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_as_wanted(f);
	assert_idle(f);
	take_down(f);
}

/* A list that goes through slots keeps the group where it is. */
static void test_lent(void **state)
{
	struct fixture *f = *state;
	struct uiommu_group *group;
	uint8_t byte[300] = { 1, 2, 3 };

	bring_up(f);
	group = machine_group(&f->machine, sid);
	high(f, 0, 300);
	low(f, 4 * PAGE, 300);
	assert_int_equal(map(f, UIOMMU_DMA_BIDIRECTIONAL), UIOMMU_OK);
	assert_int_equal(f->device->bounced, 1);
	uiommu_device_unuse(f->device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	use(f, UIOMMU_DMA_BIDIRECTIONAL);
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_as_wanted(f);
	uiommu_device_unuse(f->device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	assert_int_equal(uiommu_device_use(f->device), UIOMMU_OK);
	assert_int_equal(map(f, UIOMMU_DMA_BIDIRECTIONAL), UIOMMU_OK);
	assert_int_equal(f->device->bounced, 0);
	walk(f);
	assert_int_equal(
		user_dma(f->machine.host, sid, f->at[0], true, byte, 300),
		VTDM_OK);
	memcpy(wanted(f, f->sg[0].paddr), byte, 300);
	assert_int_equal(unmap(f), UIOMMU_OK);
	assert_as_wanted(f);
	take_down(f);
}

static void test_random(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	random_init(&f->random, "bounce sg");
	for (unsigned int round = 0; round < 300; round++) {
		uint32_t count = 1 + (uint32_t)random_below(&f->random, PIECES);

		memset(f->sg, 0, sizeof(f->sg));
		f->count = 0;
		/* Two pages each, often whole ones that follow. */
		for (uint32_t i = 0; i < count; i++) {
			uint64_t at = i * 2 * PAGE;
			size_t size = 2 * PAGE;

			if (random_below(&f->random, 2)) {
				at += random_below(&f->random, PAGE);
				size = 1 +
				       (size_t)random_below(&f->random, PAGE);
			}
			if (random_below(&f->random, 2))
				high(f, at, size);
			else
				low(f, at, size);
		}
		there_and_back(f, 0);
	}
	take_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_mixed, set_up),
		cmocka_unit_test_setup(test_neighbours, set_up),
		cmocka_unit_test_setup(test_sync, set_up),
		cmocka_unit_test_setup(test_changed, set_up),
		cmocka_unit_test_setup(test_failures, set_up),
		cmocka_unit_test_setup(test_lent, set_up),
		cmocka_unit_test_setup(test_random, set_up),
	};

	return cmocka_run_group_tests_name("dma bounce sg", tests, NULL, NULL);
}
