// SPDX-License-Identifier: MIT
/*
 * Fault records, their overflow, and the event message.
 */
#include "fx.h"

#define PFO 1u
#define PPF 2u
#define FRI(n) ((uint32_t)(n) << 8)

static uint32_t fsts(struct fx *fx)
{
	return vtdm_read32(fx->m, 0x34);
}

static uint64_t rec_hi(struct fx *fx, unsigned int i)
{
	return vtdm_read64(fx->m, fx->cfg.fro + i * 16 + 8);
}

static void rec_clear(struct fx *fx, unsigned int i)
{
	vtdm_write32(fx->m, fx->cfg.fro + i * 16 + 12, UINT32_C(1) << 31);
}

static void start(struct fx *fx, unsigned int nfr, unsigned int fro)
{
	fx_init(fx);
	fx->cfg.nfr = nfr;
	fx->cfg.fro = fro;
	fx_start(fx);
}

/* Records go round; FRI is where the first pending one was put. */
static void test_ring(void **state)
{
	struct fx fx;
	unsigned int i;

	(void)state;
	start(&fx, 4, 0x1a00);
	for (i = 0; i < 3; i++)
		vtdm_fault_inject(fx.m, (uint16_t)i, i * 0x1000u, i & 1, 5);
	assert_int_equal(fsts(&fx), PPF | FRI(0));
	for (i = 0; i < 3; i++) {
		assert_int_equal(rec_hi(&fx, i) & 0xffff, i);
		assert_int_equal(vtdm_read64(fx.m, 0x1a00 + i * 16),
				 i * 0x1000);
		assert_int_equal(fsts(&fx) & PPF, PPF);
		rec_clear(&fx, i);
		assert_int_equal(rec_hi(&fx, i) >> 63, 0);
	}
	assert_int_equal(fsts(&fx) & PPF, 0);
	vtdm_fault_inject(fx.m, 9, 0, true, 5);
	assert_int_equal(fsts(&fx), PPF | FRI(3));
	vtdm_fault_inject(fx.m, 10, 0, true, 5);
	assert_int_equal(rec_hi(&fx, 0) & 0xffff, 10);
	assert_int_equal(fsts(&fx), PPF | FRI(3));
	rec_clear(&fx, 3);
	rec_clear(&fx, 0);
	vtdm_fault_inject(fx.m, 11, 0, true, 5);
	assert_int_equal(fsts(&fx), PPF | FRI(1));
	fx_clean(&fx);
	fx_stop(&fx);
}

/* When the ring is full PFO is set, and nothing recorded until it is clear. */
static void test_overflow(void **state)
{
	struct fx fx;

	(void)state;
	start(&fx, 2, 0x200);
	vtdm_fault_inject(fx.m, 1, 0, true, 5);
	vtdm_fault_inject(fx.m, 2, 0, true, 5);
	assert_int_equal(fsts(&fx), PPF);
	vtdm_fault_inject(fx.m, 3, 0, true, 5);
	assert_int_equal(fsts(&fx), PPF | PFO);
	rec_clear(&fx, 0);
	rec_clear(&fx, 1);
	assert_int_equal(fsts(&fx), PFO);
	vtdm_fault_inject(fx.m, 4, 0, true, 5);
	assert_int_equal(fsts(&fx), PFO);
	vtdm_write32(fx.m, 0x34, PFO);
	assert_int_equal(fsts(&fx), 0);
	vtdm_fault_inject(fx.m, 5, 0, true, 5);
	assert_int_equal(fsts(&fx), PPF | FRI(0));
	assert_int_equal(vtdm_stats(fx.m)->faults, 5);
	assert_int_equal(vtdm_stats(fx.m)->faults_lost, 2);
	assert_int_equal(vtdm_stats(fx.m)->faults_recorded, 3);
	/* PPF is nobody's to clear directly. */
	vtdm_write32(fx.m, 0x34, PPF);
	assert_int_equal(fsts(&fx), PPF | FRI(0));
	fx_stop(&fx);
}

static void test_one_record(void **state)
{
	struct fx fx;

	(void)state;
	start(&fx, 1, 0x100);
	vtdm_fault_inject(fx.m, 1, 0x5000, true, 7);
	vtdm_fault_inject(fx.m, 1, 0x6000, true, 7);
	assert_int_equal(fsts(&fx), PPF | PFO);
	assert_int_equal(vtdm_read64(fx.m, 0x100), 0x5000);
	fx_stop(&fx);
}

static void test_compressed(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.compress_faults = true;
	fx_start(&fx);
	for (int i = 0; i < 100; i++)
		vtdm_fault_inject(fx.m, 1, 0, true, 5);
	vtdm_fault_inject(fx.m, 2, 0, true, 5);
	assert_int_equal(fsts(&fx), PPF);
	assert_int_equal(vtdm_stats(fx.m)->faults_recorded, 2);
	fx_stop(&fx);
}

/* One message per condition, kept back while masked. */
static void test_event(void **state)
{
	struct fx fx;

	(void)state;
	start(&fx, 2, 0x200);
	assert_int_equal(vtdm_read32(fx.m, 0x38), 0x80000000); /* masked */
	vtdm_write32(fx.m, 0x3c, 0x55);
	vtdm_write32(fx.m, 0x40, 0xfee00000);
	vtdm_write32(fx.m, 0x44, 0x1);
	vtdm_fault_inject(fx.m, 1, 0, true, 5);
	assert_int_equal(vtdm_read32(fx.m, 0x38), 0xc0000000);
	assert_int_equal(fx.irqs, 0);
	vtdm_write32(fx.m, 0x38, 0);
	assert_int_equal(fx.irqs, 1);
	assert_int_equal(fx.irq_addr, UINT64_C(0x1fee00000));
	assert_int_equal(fx.irq_data, 0x55);
	assert_int_equal(vtdm_read32(fx.m, 0x38), 0);
	vtdm_fault_inject(fx.m, 1, 0, true, 5); /* pending already */
	vtdm_fault_inject(fx.m, 1, 0, true, 5); /* overflow likewise */
	assert_int_equal(fx.irqs, 1);
	rec_clear(&fx, 0);
	rec_clear(&fx, 1);
	vtdm_fault_inject(fx.m, 1, 0, true, 5); /* PFO keeps it out */
	assert_int_equal(fx.irqs, 1);
	vtdm_write32(fx.m, 0x34, PFO);
	vtdm_fault_inject(fx.m, 1, 0, true, 5);
	assert_int_equal(fx.irqs, 2);
	/* Masked and cleared before unmasking: nothing is sent. */
	rec_clear(&fx, 0);
	rec_clear(&fx, 1);
	vtdm_write32(fx.m, 0x38, UINT32_C(1) << 31);
	vtdm_fault_inject(fx.m, 1, 0, true, 5);
	assert_int_equal(vtdm_read32(fx.m, 0x38), 0xc0000000);
	rec_clear(&fx, 0);
	rec_clear(&fx, 1);
	assert_int_equal(vtdm_read32(fx.m, 0x38), 0x80000000);
	vtdm_write32(fx.m, 0x38, 0);
	assert_int_equal(fx.irqs, 2);
	assert_int_equal(vtdm_stats(fx.m)->irq_fault, 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_storm(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	vtdm_knobs(fx.m)->storm_faults = 100;
	vtdm_knobs(fx.m)->storm_sid = 0x77;
	vtdm_knobs(fx.m)->storm_addr = 0x9000;
	vtdm_tick(fx.m, 10);
	assert_int_equal(vtdm_stats(fx.m)->faults, 1000);
	assert_int_equal(vtdm_stats(fx.m)->faults_recorded, 8);
	assert_int_equal(vtdm_stats(fx.m)->faults_lost, 992);
	assert_int_equal(vtdm_knobs(fx.m)->storm_addr, 0x9000 + 1000 * 4096);
	assert_int_equal(fsts(&fx), PPF | PFO);
	assert_int_equal(rec_hi(&fx, 7) & 0xffff, 0x77);
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.fro + 7 * 16), 0x10000);
	/* Records taken while it blows are filled anew. */
	for (unsigned int i = 0; i < 8; i++)
		rec_clear(&fx, i);
	vtdm_write32(fx.m, 0x34, PFO);
	vtdm_tick(fx.m, 1);
	assert_int_equal(fsts(&fx) & (PPF | PFO), PPF | PFO);
	fx_stop(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_one_record),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_storm),
	};

	return cmocka_run_group_tests_name("model fault", tests, NULL, NULL);
}
