// SPDX-License-Identifier: MIT
/*
 * The invalidation queue: each descriptor, each error, each knob.
 */
#include "fx.h"

#define IQE 0x10u
#define ICE 0x20u
#define ITE 0x40u

/* Wait with status write; and its parts */
#define WAIT(data) (UINT64_C(0x25) | (uint64_t)(data) << 32)

static uint32_t fsts(struct fx *fx)
{
	return vtdm_read32(fx->m, 0x34);
}

static uint64_t head(struct fx *fx)
{
	return vtdm_read64(fx->m, 0x80) / 16;
}

static void with_page(struct fx *fx)
{
	fx_boot_queue(fx);
	fx_attach(fx, FX_SID);
	fx_map(fx, FX_IOVA, fx->data_pa, RD | WR);
	assert_int_equal(fx_read(fx, FX_IOVA), VTDM_OK);
}

static void test_descriptors(void **state)
{
	const struct vtdm_stats *st;
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	st = vtdm_stats(fx.m);
	assert_int_equal(st->ctx_global, 1);
	assert_int_equal(st->iotlb_global, 1);

	/* Page-selective, domain 7, with hint; then without. */
	fx_submit(&fx, 0x32 | FX_DID << 16, FX_IOVA | 0x40);
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA, NULL));
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 3);
	assert_int_equal(st->iotlb_page_ih, 1);
	fx_submit(&fx, 0x32 | FX_DID << 16, FX_IOVA);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 0);
	assert_int_equal(st->iotlb_page, 2);
	/* Domain-selective with both drains. */
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_submit(&fx, 0xe2 | FX_DID << 16, 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 0);
	assert_int_equal(st->iotlb_domain, 1);
	/* Context: device-selective with wrong, then right device; domain. */
	fx_submit(&fx, 0x31 | FX_DID << 16 | (uint64_t)(FX_SID + 1) << 32, 0);
	assert_true(vtdm_context_cached(fx.m, FX_SID, NULL));
	fx_submit(&fx,
		  0x31 | FX_DID << 16 | (uint64_t)(FX_SID + 1) << 32 |
			  UINT64_C(3) << 48,
		  0);
	assert_false(vtdm_context_cached(fx.m, FX_SID, NULL));
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_submit(&fx, 0x21 | FX_DID << 16, 0);
	assert_false(vtdm_context_cached(fx.m, FX_SID, NULL));
	assert_int_equal(st->ctx_device, 2);
	assert_int_equal(st->ctx_domain, 1);
	assert_int_equal(head(&fx), fx.tail);
	assert_int_equal(fsts(&fx), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_wait(void **state)
{
	struct fx fx;
	uint32_t *status;
	uint64_t pa;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	status = vtdm_mem_alloc(fx.mem, 4096, 0, &pa);
	fx_submit(&fx, WAIT(0xabcd1234), pa + 8);
	assert_int_equal(status[2], 0xabcd1234);
	assert_int_equal(status[1] | status[3], 0);
	/* Fence alone is legal and writes nothing. */
	fx_submit(&fx, 0x45, pa);
	assert_int_equal(status[0], 0);
	assert_int_equal(vtdm_stats(fx.m)->wait, 2);

	/* Interrupt flag: masked at first, sent when unmasked. */
	vtdm_write32(fx.m, 0xa4, 0x77);
	vtdm_write32(fx.m, 0xa8, 0xfee02000);
	fx_submit(&fx, 0x15, 0);
	assert_int_equal(vtdm_read32(fx.m, 0x9c), 1);
	assert_int_equal(vtdm_read32(fx.m, 0xa0), 0xc0000000);
	assert_int_equal(fx.irqs, 0);
	vtdm_write32(fx.m, 0xa0, 0);
	assert_int_equal(fx.irqs, 1);
	assert_int_equal(fx.irq_addr, 0xfee02000);
	assert_int_equal(fx.irq_data, 0x77);
	assert_int_equal(vtdm_read32(fx.m, 0xa0), 0);
	fx_submit(&fx, 0x15, 0); /* IWC still set: no second message */
	assert_int_equal(fx.irqs, 1);
	vtdm_write32(fx.m, 0x9c, 1);
	assert_int_equal(vtdm_read32(fx.m, 0x9c), 0);
	fx_submit(&fx, 0x15, 0);
	assert_int_equal(fx.irqs, 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_wrap(void **state)
{
	struct fx fx;
	unsigned int i;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	for (i = 0; i < 1000; i++)
		fx_submit(&fx, 0x45, 0);
	assert_int_equal(vtdm_stats(fx.m)->wait, 1000);
	assert_int_equal(head(&fx), 1002 % 256);
	fx_clean(&fx);
	fx_stop(&fx);
}

struct bad {
	const char *what;
	uint64_t lo, hi;
	unsigned int info;
};

/* The head stays at a bad descriptor; mended, the queue goes on from there. */
static void test_bad_descriptors(void **state)
{
	static const struct bad bad[] = {
		{ "type 0", 0x10, 0, 3 },
		{ "type 6", 0x16, 0, 3 },
		{ "type 1 with high bits", 0x211, 0, 3 },
		{ "device TLB without DT", 0x3, 0, 3 },
		{ "interrupt cache without IR", 0x4, 0, 3 },
		{ "context, granularity 0", 0x1, 0, 4 },
		{ "context, reserved 6", 0x51, 0, 4 },
		{ "context, reserved 50", 0x11 | UINT64_C(1) << 50, 0, 4 },
		{ "context, second quadword", 0x11, 1, 4 },
		{ "iotlb, granularity 0", 0x2, 0, 4 },
		{ "iotlb, reserved 8", 0x112, 0, 4 },
		{ "iotlb, reserved 32", 0x12 | UINT64_C(1) << 32, 0, 4 },
		{ "iotlb, reserved 7", 0x32, 0x80, 4 },
		{ "iotlb, mask", 0x32, 19, 4 },
		{ "wait, reserved 7", 0x85, 0, 4 },
		{ "wait, reserved 12", 0x1025, 0, 4 },
		{ "wait, address 1", 0x25, 2, 4 },
	};
	struct fx fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fx_init(&fx);
		fx_boot_queue(&fx);
		fx_submit(&fx, bad[i].lo, bad[i].hi);
		fx_submit(&fx, 0x45, 0);
		if (fsts(&fx) != IQE || head(&fx) != 2)
			fail_msg("%s", bad[i].what);
		assert_int_equal(vtdm_read64(fx.m, 0xb0) & 0xf, bad[i].info);
		assert_int_equal(vtdm_stats(fx.m)->wait, 0);
		fx.queue[2 * 2] = 0x45;
		fx.queue[2 * 2 + 1] = 0;
		assert_int_equal(vtdm_stats(fx.m)->wait, 0);
		vtdm_write32(fx.m, 0x34, IQE);
		assert_int_equal(fsts(&fx), 0);
		assert_int_equal(vtdm_stats(fx.m)->wait, 2);
		assert_int_equal(head(&fx), 4);
		fx_stop(&fx);
	}
}

static void test_fetch_and_tail(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	vtdm_write64(fx.m, 0x88, 4096); /* beyond one page of queue */
	assert_int_equal(fsts(&fx), IQE);
	assert_int_equal(vtdm_read64(fx.m, 0xb0) & 0xf, 1);
	vtdm_write64(fx.m, 0x88, 0x24);
	assert_int_equal(vtdm_violations(fx.m), 1);
	fx_stop(&fx);

	fx_init(&fx);
	fx_start(&fx);
	vtdm_write64(fx.m, 0x90, UINT64_C(0x7000000000));
	fx_gcmd(&fx, UINT32_C(1) << 26, true);
	vtdm_write64(fx.m, 0x88, 16);
	assert_int_equal(fsts(&fx), IQE);
	assert_int_equal(vtdm_read64(fx.m, 0xb0) & 0xf, 2);
	fx_stop(&fx);
}

/* A queue of 2^QS pages. */
static void test_queue_size(void **state)
{
	struct fx fx;
	uint64_t pa, *q;
	unsigned int i;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	q = vtdm_mem_alloc(fx.mem, 8192, 0, &pa);
	vtdm_write64(fx.m, 0x90, pa | 1);
	fx_gcmd(&fx, UINT32_C(1) << 26, true);
	for (i = 0; i < 512; i++)
		q[i * 2] = 0x45;
	vtdm_write64(fx.m, 0x88, 511 * 16);
	assert_int_equal(vtdm_stats(fx.m)->wait, 511);
	vtdm_write64(fx.m, 0x88, 0);
	assert_int_equal(vtdm_stats(fx.m)->wait, 512);
	assert_int_equal(vtdm_read64(fx.m, 0x80), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_enable_rules(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	/* The registers are out of use while the queue is on. */
	vtdm_write64(fx.m, 0x28, UINT64_C(5) << 61);
	assert_int_equal(vtdm_read64(fx.m, 0x28) >> 59, 4); /* CAIG 0 */
	assert_int_equal(vtdm_stats(fx.m)->ctx_global, 1);
	vtdm_write64(fx.m, fx.cfg.iro + 8, UINT64_C(9) << 60);
	assert_int_equal(vtdm_stats(fx.m)->iotlb_global, 1);
	assert_int_equal(vtdm_violations(fx.m), 2);
	vtdm_write64(fx.m, 0x90, 0);
	assert_int_equal(vtdm_read64(fx.m, 0x90), fx.queue_pa);
	assert_int_equal(vtdm_violations(fx.m), 4); /* both halves */
	vtdm_violations_clear(fx.m);
	/* Off: the head returns to 0, the tail does not by itself. */
	fx_gcmd(&fx, UINT32_C(1) << 26, false);
	assert_int_equal(vtdm_read64(fx.m, 0x80), 0);
	assert_int_equal(vtdm_read64(fx.m, 0x88), 32);
	fx_clean(&fx);
	fx_gcmd(&fx, UINT32_C(1) << 26, true);
	assert_int_equal(vtdm_violations(fx.m), 1);
	fx_stop(&fx);

	fx_init(&fx);
	fx_boot_queue(&fx);
	vtdm_knobs(fx.m)->hang = VTDM_HANG_QUEUE;
	fx_submit(&fx, 0x45, 0);
	fx_gcmd(&fx, UINT32_C(1) << 26, false);
	assert_int_equal(vtdm_violations(fx.m), 1); /* not drained */
	fx_stop(&fx);
}

static void test_slow_and_hung(void **state)
{
	struct fx fx;
	uint64_t pa;
	uint32_t *status;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	status = vtdm_mem_alloc(fx.mem, 4096, 0, &pa);
	vtdm_knobs(fx.m)->queue_ticks = 50;
	fx_submit(&fx, WAIT(1), pa);
	vtdm_tick(fx.m, 49);
	assert_int_equal(*status, 0);
	assert_int_not_equal(head(&fx), fx.tail);
	vtdm_tick(fx.m, 1);
	assert_int_equal(*status, 1);
	vtdm_knobs(fx.m)->queue_ticks = 0;
	vtdm_knobs(fx.m)->hang = VTDM_HANG_QUEUE;
	fx_submit(&fx, WAIT(2), pa);
	vtdm_tick(fx.m, 1000000);
	assert_int_equal(*status, 1);
	vtdm_knobs(fx.m)->hang = 0;
	vtdm_tick(fx.m, 1);
	assert_int_equal(*status, 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_injected_iqe(void **state)
{
	struct fx fx;
	unsigned int i;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	vtdm_knobs(fx.m)->queue_error = VTDM_QERR_IQE;
	vtdm_knobs(fx.m)->queue_error_at = 4;
	vtdm_knobs(fx.m)->queue_error_times = 3;
	fx_submit(&fx, 0x45, 0); /* the third: two were for start-up */
	assert_int_equal(fsts(&fx), 0);
	fx_submit(&fx, 0x45, 0);
	for (i = 0; i < 3; i++) { /* cleared, it is tried and fails again */
		assert_int_equal(fsts(&fx), IQE);
		assert_int_equal(head(&fx), 3);
		vtdm_write32(fx.m, 0x34, IQE);
	}
	assert_int_equal(fsts(&fx), 0);
	assert_int_equal(head(&fx), 4);
	assert_int_equal(vtdm_stats(fx.m)->wait, 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_injected_ite(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.dt = true;
	fx_boot_queue(&fx);
	vtdm_knobs(fx.m)->queue_error = VTDM_QERR_ITE;
	vtdm_knobs(fx.m)->queue_error_at = 3;
	vtdm_knobs(fx.m)->queue_error_times = 1;
	vtdm_knobs(fx.m)->queue_error_sid = 0x3355;
	fx_submit(&fx, 0x3 | (uint64_t)0x3355 << 32, 1);
	assert_int_equal(fsts(&fx), ITE);
	assert_int_equal(head(&fx), 3);
	assert_int_equal(vtdm_read64(fx.m, 0xb0) >> 32 & 0xffff, 0x3355);
	fx_submit(&fx, 0x45, 0); /* nothing is fetched meanwhile */
	assert_int_equal(head(&fx), 3);
	vtdm_write32(fx.m, 0x34, ITE);
	assert_int_equal(head(&fx), 4);
	assert_int_equal(vtdm_stats(fx.m)->wait, 1);
	fx_clean(&fx);
	fx_stop(&fx);

	/* All at once: the wait behind it is lost, the one after is not. */
	fx_init(&fx);
	fx.cfg.dt = true;
	fx_boot_queue(&fx);
	vtdm_knobs(fx.m)->queue_error = VTDM_QERR_ITE;
	vtdm_knobs(fx.m)->queue_error_at = 3;
	vtdm_knobs(fx.m)->queue_error_times = 1;
	fx.queue[2 * 2] = 0x3;
	fx.queue[3 * 2] = 0x45;
	fx.queue[4 * 2] = 0x45;
	vtdm_write64(fx.m, 0x88, 5 * 16);
	assert_int_equal(head(&fx), 4);
	assert_int_equal(vtdm_stats(fx.m)->wait, 0);
	vtdm_write32(fx.m, 0x34, ITE);
	assert_int_equal(head(&fx), 5);
	assert_int_equal(vtdm_stats(fx.m)->wait, 1);
	fx_stop(&fx);
}

/* A completion error stops nothing. */
static void test_injected_ice(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	vtdm_knobs(fx.m)->queue_error = VTDM_QERR_ICE;
	vtdm_knobs(fx.m)->queue_error_times = 1;
	vtdm_knobs(fx.m)->queue_error_sid = 0x1122;
	fx_submit(&fx, 0x45, 0);
	assert_int_equal(fsts(&fx), ICE);
	assert_int_equal(vtdm_read64(fx.m, 0xb0) >> 48, 0x1122);
	assert_int_equal(head(&fx), 3);
	vtdm_write32(fx.m, 0x34, ICE);
	assert_int_equal(fsts(&fx), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_other_types(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.dt = true;
	fx.cfg.ir = true;
	fx_boot_queue(&fx);
	fx_submit(&fx, 0x3 | (uint64_t)FX_SID << 32, 0x1000);
	fx_submit(&fx, 0x14 | UINT64_C(5) << 32, 0); /* one interrupt entry */
	fx_submit(&fx, 0x4, 0);
	assert_int_equal(vtdm_stats(fx.m)->dev_tlb, 1);
	assert_int_equal(vtdm_stats(fx.m)->iec, 2);
	assert_int_equal(fsts(&fx), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Descriptors are snooped even where walks are not. */
static void test_not_coherent(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.c = false;
	fx.mem_cfg.noncoherent = true;
	fx_boot_queue(&fx);
	assert_int_equal(vtdm_stats(fx.m)->descriptors, 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_fetch_and_tail),
		cmocka_unit_test(test_queue_size),
		cmocka_unit_test(test_enable_rules),
		cmocka_unit_test(test_slow_and_hung),
		cmocka_unit_test(test_injected_iqe),
		cmocka_unit_test(test_injected_ite),
		cmocka_unit_test(test_injected_ice),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_not_coherent),
	};

	return cmocka_run_group_tests_name("model queue", tests, NULL, NULL);
}
