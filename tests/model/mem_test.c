// SPDX-License-Identifier: MIT
/*
 * The memory under the model: views, addresses, freed pages, counting.
 */
#include "fx.h"

static struct vtdm_mem *make(bool noncoherent, bool buffered)
{
	struct vtdm_mem_config c = { 0 };
	struct vtdm_mem *mem;

	c.noncoherent = noncoherent;
	c.buffered = buffered;
	mem = vtdm_mem_create(&c);
	assert_non_null(mem);
	return mem;
}

static uint64_t walk(struct vtdm_mem *mem, uint64_t pa)
{
	uint64_t val = 0;

	assert_int_equal(vtdm_mem_walk_read(mem, pa, &val, 8), 0);
	return val;
}

static void test_addresses(void **state)
{
	struct vtdm_mem *mem = make(false, false);
	uint64_t pa, other;
	bool low = false, high = false;
	uint8_t *p;

	(void)state;
	for (int i = 0; i < 64; i++) {
		size_t size = (size_t)4096 << (i % 4);

		p = vtdm_mem_alloc(mem, size, 0, &pa);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 4096, 0);
		assert_int_equal(pa % size, 0);
		assert_true(pa + size <= UINT64_C(1) << 39);
		if (pa >> 32)
			high = true;
		else
			low = true;
		assert_ptr_equal(vtdm_mem_ptr(mem, pa + size - 1),
				 p + size - 1);
		assert_true(vtdm_mem_paddr(mem, p + 77, &other));
		assert_int_equal(other, pa + 77);
	}
	assert_true(low && high);
	for (int i = 0; i < 16; i++) {
		vtdm_mem_alloc(mem, 4096, VTDM_MEM_LOW, &pa);
		assert_int_equal(pa >> 32, 0);
		vtdm_mem_alloc(mem, 4096, VTDM_MEM_HIGH, &pa);
		assert_int_not_equal(pa >> 32, 0);
	}
	/* Given places are stepped over. */
	vtdm_mem_alloc(mem, 4096, VTDM_MEM_LOW, &pa);
	for (int i = 1; i < 16; i++)
		assert_non_null(vtdm_mem_alloc_at(mem, pa + i * 4096u, 4096));
	vtdm_mem_alloc(mem, 4096, VTDM_MEM_LOW, &other);
	assert_int_equal(other, pa + 16 * 4096);
	assert_non_null(vtdm_mem_alloc_at(mem, 0x9f000, 8192));
	assert_null(vtdm_mem_alloc_at(mem, 0xa0000, 4096));
	assert_null(vtdm_mem_ptr(mem, 0xa1000));
	assert_int_equal(vtdm_mem_violations(mem), 0);
	vtdm_mem_destroy(mem);
}

static void test_coherent(void **state)
{
	struct vtdm_mem *mem = make(false, false);
	uint64_t pa, *p = vtdm_mem_alloc(mem, 4096, 0, &pa);

	(void)state;
	assert_int_equal(walk(mem, pa), 0);
	p[3] = 42;
	assert_int_equal(walk(mem, pa + 24), 42);
	vtdm_mem_destroy(mem);
}

/* Fresh pages are zero for the CPU only; a clean moves whole lines. */
static void test_clean(void **state)
{
	const uint64_t poison = UINT64_C(0x0101010101010101) * VTDM_MEM_POISON;
	struct vtdm_mem *mem = make(true, false);
	uint64_t pa, *p = vtdm_mem_alloc(mem, 4096, 0, &pa);

	(void)state;
	assert_int_equal(p[0], 0);
	assert_int_equal(walk(mem, pa), poison);
	p[8] = 1;
	p[15] = 2;
	p[16] = 3;
	vtdm_mem_clean(mem, &p[9], 1);
	assert_int_equal(walk(mem, pa + 64), 1);
	assert_int_equal(walk(mem, pa + 120), 2);
	assert_int_equal(walk(mem, pa + 128), poison);
	assert_int_equal(walk(mem, pa + 56), poison);
	vtdm_mem_clean(mem, &p[15], 16); /* over a line's end */
	assert_int_equal(walk(mem, pa + 128), 3);
	vtdm_mem_flush(mem); /* there is no buffer */
	assert_int_equal(walk(mem, pa), poison);
	assert_int_equal(vtdm_mem_violations(mem), 0);
	vtdm_mem_clean(mem, &p[511], 16); /* beyond the block */
	assert_int_equal(vtdm_mem_violations(mem), 1);
	vtdm_mem_destroy(mem);
}

static void test_buffer(void **state)
{
	struct vtdm_mem *mem = make(true, true);
	uint64_t pa, *p = vtdm_mem_alloc(mem, 4096, 0, &pa);

	(void)state;
	p[0] = 1;
	vtdm_mem_flush(mem);
	assert_int_not_equal(walk(mem, pa), 1); /* not cleaned */
	vtdm_mem_clean(mem, p, 8);
	assert_int_not_equal(walk(mem, pa), 1); /* not flushed */
	p[0] = 2;				/* after the clean */
	vtdm_mem_flush(mem);
	assert_int_equal(walk(mem, pa), 1);
	vtdm_mem_destroy(mem);
}

/* DMA is cache coherent and reaches every view. */
static void test_dma(void **state)
{
	struct vtdm_mem *mem = make(true, true);
	uint64_t pa, *p = vtdm_mem_alloc(mem, 4096, 0, &pa);
	uint64_t val = 5;

	(void)state;
	p[0] = 4;
	assert_int_equal(vtdm_mem_ops.read(mem, pa, &val, 8), 0);
	assert_int_equal(val, 4);
	val = 5;
	assert_int_equal(vtdm_mem_ops.write(mem, pa, &val, 8), 0);
	assert_int_equal(p[0], 5);
	assert_int_equal(walk(mem, pa), 5);
	assert_int_equal(vtdm_mem_ops.write(mem, pa + 1, "abc", 3), 0);
	assert_memory_equal((char *)p + 1, "abc", 3);
	assert_int_equal(vtdm_mem_ops.write(mem, pa + 4092, &val, 8), -1);
	vtdm_mem_destroy(mem);
}

static void test_freed(void **state)
{
	struct vtdm_mem *mem = make(false, false);
	uint64_t pa, again, val;
	void *p = vtdm_mem_alloc(mem, 8192, 0, &pa);

	(void)state;
	assert_int_equal(vtdm_mem_live(mem), 2);
	vtdm_mem_free(mem, p, 8192);
	assert_int_equal(vtdm_mem_live(mem), 0);
	assert_null(vtdm_mem_ptr(mem, pa));
	assert_int_equal(vtdm_mem_violations(mem), 0);
	/* A walk reads poison, DMA fails; each is remembered with its place. */
	assert_int_equal(walk(mem, pa) & 0xff, VTDM_MEM_POISON);
	assert_non_null(strstr(vtdm_mem_violation(mem, 0), "walk"));
	assert_int_equal(vtdm_mem_ops.read(mem, pa + 4096, &val, 8), -1);
	assert_int_equal(vtdm_mem_ops.write(mem, pa, &val, 8), -1);
	assert_int_equal(vtdm_mem_violations(mem), 3);
	for (int i = 0; i < 1000; i++) { /* the address never comes back */
		p = vtdm_mem_alloc(mem, 4096, 0, &again);
		assert_int_not_equal(again & ~UINT64_C(8191), pa);
		vtdm_mem_free(mem, p, 4096);
	}
	/* What never was memory is no violation. */
	assert_int_equal(vtdm_mem_ops.read(mem, 0x1000, &val, 8), -1);
	assert_int_equal(vtdm_mem_violations(mem), 3);
	vtdm_mem_destroy(mem);
}

static void test_wrong_free(void **state)
{
	struct vtdm_mem *mem = make(false, false);
	uint64_t pa;
	char *p = vtdm_mem_alloc(mem, 8192, 0, &pa);

	(void)state;
	vtdm_mem_free(mem, p + 4096, 4096);
	assert_int_equal(vtdm_mem_violations(mem), 1);
	assert_int_equal(vtdm_mem_live(mem), 2);
	vtdm_mem_free(mem, p, 4096);
	assert_int_equal(vtdm_mem_violations(mem), 2);
	assert_int_equal(vtdm_mem_live(mem), 0);
	vtdm_mem_free(mem, p, 8192);
	assert_int_equal(vtdm_mem_violations(mem), 3);
	vtdm_mem_free(mem, NULL, 0);
	assert_int_equal(vtdm_mem_violations(mem), 3);
	vtdm_mem_destroy(mem);
}

static void test_failing(void **state)
{
	struct vtdm_mem *mem = make(false, false);
	uint64_t pa = 1;

	(void)state;
	vtdm_mem_fail_at(mem, 2);
	assert_non_null(vtdm_mem_alloc(mem, 4096, 0, &pa));
	pa = 1;
	assert_null(vtdm_mem_alloc(mem, 4096, 0, &pa));
	assert_int_equal(pa, 1);
	assert_non_null(vtdm_mem_alloc(mem, 4096, 0, &pa));
	vtdm_mem_fail_from(mem, 1);
	assert_null(vtdm_mem_alloc(mem, 4096, 0, &pa));
	assert_null(vtdm_mem_alloc_at(mem, 0x5000, 4096));
	vtdm_mem_fail_from(mem, 0);
	assert_non_null(vtdm_mem_alloc(mem, 4096, 0, &pa));
	assert_int_equal(vtdm_mem_allocs(mem), 6);
	assert_int_equal(vtdm_mem_live(mem), 3);
	vtdm_mem_destroy(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_coherent),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_dma),
		cmocka_unit_test(test_freed),
		cmocka_unit_test(test_wrong_free),
		cmocka_unit_test(test_failing),
	};

	return cmocka_run_group_tests_name("model memory", tests, NULL, NULL);
}
