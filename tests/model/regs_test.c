// SPDX-License-Identifier: MIT
/*
 * Registers: what they show, who may write them, and every way in which the
 * register interface can misbehave on request.
 */
#include "fx.h"

#define TE (UINT32_C(1) << 31)
#define SRTP (UINT32_C(1) << 30)
#define WBF (UINT32_C(1) << 27)
#define QIE (UINT32_C(1) << 26)

struct cap_case {
	const char *name;
	size_t field; /* offset of a bool in struct vtdm_config */
	unsigned int bit;
	bool ecap;
};

#define CAP_BIT(f, b)                                         \
	{                                                     \
#f, offsetof(struct vtdm_config, f), b, false \
	}
#define ECAP_BIT(f, b)                                       \
	{                                                    \
#f, offsetof(struct vtdm_config, f), b, true \
	}

/* Each capability sets its own bit and no other. */
static void test_capability_bits(void **state)
{
	static const struct cap_case cases[] = {
		CAP_BIT(rwbf, 4),     CAP_BIT(plmr, 5),	   CAP_BIT(phmr, 6),
		CAP_BIT(cm, 7),	      CAP_BIT(zlr, 22),	   CAP_BIT(psi, 39),
		CAP_BIT(dwd, 54),     CAP_BIT(drd, 55),	   CAP_BIT(fl1gp, 56),
		CAP_BIT(esirtps, 62), CAP_BIT(esrtps, 63), ECAP_BIT(c, 0),
		ECAP_BIT(qi, 1),      ECAP_BIT(dt, 2),	   ECAP_BIT(ir, 3),
		ECAP_BIT(eim, 4),     ECAP_BIT(pt, 6),	   ECAP_BIT(sc, 7),
	};
	struct fx fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t off = cases[i].ecap ? 0x10 : 0x08;
		uint64_t val[2];

		for (int on = 0; on < 2; on++) {
			fx_init(&fx);
			*(bool *)((char *)&fx.cfg + cases[i].field) = on;
			fx_start(&fx);
			val[on] = vtdm_read64(fx.m, off);
			fx_stop(&fx);
		}
		if ((val[0] ^ val[1]) != UINT64_C(1) << cases[i].bit)
			fail_msg("%s", cases[i].name);
		assert_true(val[1] > val[0]);
	}
}

static void test_capability_fields(void **state)
{
	struct fx fx;
	uint64_t cap, ecap;

	(void)state;
	fx_init(&fx);
	fx.cfg.nd = 5;
	fx.cfg.sagaw = 0x6;
	fx.cfg.mgaw = 48;
	fx.cfg.fro = 0x3ff0;
	fx.cfg.sslps = 1;
	fx.cfg.nfr = 256;
	fx.cfg.mamv = 0x21;
	fx.cfg.iro = 0x1230;
	fx.cfg.mhmv = 7;
	fx_start(&fx);
	cap = vtdm_read64(fx.m, 0x08);
	ecap = vtdm_read64(fx.m, 0x10);
	assert_int_equal(vtdm_read32(fx.m, 0x00), 0x10);
	assert_int_equal(cap & 7, 5);
	assert_int_equal(cap >> 8 & 0x1f, 6);
	assert_int_equal(cap >> 16 & 0x3f, 47);
	assert_int_equal(cap >> 24 & 0x3ff, 0x3ff);
	assert_int_equal(cap >> 34 & 0xf, 1);
	assert_int_equal(cap >> 40 & 0xff, 255);
	assert_int_equal(cap >> 48 & 0x3f, 0x21);
	assert_int_equal(ecap >> 8 & 0x3ff, 0x123);
	assert_int_equal(ecap >> 20 & 0xf, 7);
	/* Halves are the same register. */
	assert_int_equal(vtdm_read32(fx.m, 0x0c), cap >> 32);
	assert_int_equal(vtdm_reg_size(fx.m), 0x5000);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_bad_configs(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.mem = &vtdm_mem_ops;
	fx.cfg.fro = fx.cfg.iro; /* on top of each other */
	assert_null(vtdm_create(&fx.cfg));
	fx_init(&fx);
	fx.cfg.mem = &vtdm_mem_ops;
	fx.cfg.iro = 0xb0; /* on top of IQERCD */
	assert_null(vtdm_create(&fx.cfg));
	fx_init(&fx); /* no memory */
	assert_null(vtdm_create(&fx.cfg));
}

static void test_read_only(void **state)
{
	static const uint32_t offs[] = { 0x00, 0x08, 0x0c, 0x10,
					 0x1c, 0x80, 0xb0, 0x58 };
	struct fx fx;
	size_t i;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	for (i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		uint32_t was = vtdm_read32(fx.m, offs[i]);

		vtdm_write32(fx.m, offs[i], ~was);
		assert_int_equal(vtdm_read32(fx.m, offs[i]), was);
		assert_int_equal(vtdm_violations(fx.m), i + 1);
	}
	/* Fault records: all but F; IVA and GCMD do not read back. */
	vtdm_violations_clear(fx.m);
	vtdm_write64(fx.m, fx.cfg.fro, ~UINT64_C(0));
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.fro), 0);
	vtdm_write64(fx.m, fx.cfg.iro, 0x1000);
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.iro), 0);
	assert_int_equal(vtdm_read32(fx.m, 0x18), 0);
	fx_clean(&fx);
	/* Event registers do. */
	vtdm_write32(fx.m, 0x3c, 0x41);
	vtdm_write32(fx.m, 0x40, 0xfee01000);
	vtdm_write32(fx.m, 0x44, 5);
	assert_int_equal(vtdm_read32(fx.m, 0x3c), 0x41);
	assert_int_equal(vtdm_read32(fx.m, 0x40), 0xfee01000);
	assert_int_equal(vtdm_read32(fx.m, 0x44), 5);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_access_rules(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	assert_int_equal(vtdm_read32(fx.m, 0x1000), UINT32_MAX);
	assert_int_equal(vtdm_violations(fx.m), 1);
	(void)vtdm_read32(fx.m, 0x1e);
	assert_int_equal(vtdm_violations(fx.m), 2);
	(void)vtdm_read64(fx.m, 0x38); /* FECTL and FEDATA are two */
	assert_int_equal(vtdm_violations(fx.m), 3);
	(void)vtdm_read64(fx.m, 0xc);
	assert_int_equal(vtdm_violations(fx.m), 4);
	vtdm_write32(fx.m, 0x800, 1);
	assert_int_equal(vtdm_violations(fx.m), 5);
	assert_non_null(strstr(vtdm_violation(fx.m, 4), "0x800"));
	assert_null(vtdm_violation(fx.m, 5));
	assert_int_equal(vtdm_stats(fx.m)->mmio, 5);
	assert_int_equal(vtdm_stats(fx.m)->mmio_writes, 1);
	fx_stop(&fx);
}

static void test_gcmd_one_field(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	vtdm_write64(fx.m, 0x20, fx.root_pa);
	vtdm_write32(fx.m, 0x18, SRTP);
	assert_int_equal(vtdm_read32(fx.m, 0x1c), SRTP);
	fx_ccmd(&fx, 1, 0, 0, 0);
	fx_iotlb(&fx, 1, 0, 0);
	fx_clean(&fx);
	/* The status written back: SRTP goes with TE. */
	vtdm_write32(fx.m, 0x18, vtdm_read32(fx.m, 0x1c) | TE);
	assert_int_equal(vtdm_stats(fx.m)->srtp, 2);
	assert_int_equal(vtdm_read32(fx.m, 0x1c) & TE, TE);
	/* ... which leaves the caches unflushed again: two complaints. */
	assert_int_equal(vtdm_violations(fx.m), 2);
	vtdm_violations_clear(fx.m);
	/* Setting one bit and dropping another is two as well. */
	vtdm_write32(fx.m, 0x18, QIE);
	assert_int_equal(vtdm_violations(fx.m), 1);
	assert_int_equal(vtdm_read32(fx.m, 0x1c) & (TE | QIE), QIE);
	vtdm_violations_clear(fx.m);
	vtdm_write32(fx.m, 0x18, QIE | 1);
	assert_int_equal(vtdm_violations(fx.m), 1);
	fx_stop(&fx);
}

static void test_gcmd_unsupported(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.qi = false;
	fx_start(&fx);
	vtdm_write32(fx.m, 0x18, QIE);
	vtdm_write32(fx.m, 0x18, UINT32_C(1) << 25); /* IRE */
	vtdm_write32(fx.m, 0x18, UINT32_C(1) << 28); /* EAFL */
	assert_int_equal(vtdm_read32(fx.m, 0x1c), 0);
	assert_int_equal(vtdm_violations(fx.m), 3);
	vtdm_write64(fx.m, 0x90, fx.root_pa);
	assert_int_equal(vtdm_read64(fx.m, 0x90), 0);
	assert_true(vtdm_violations(fx.m) > 3);
	/* A needless write-buffer flush is ignored without complaint. */
	vtdm_violations_clear(fx.m);
	vtdm_write32(fx.m, 0x18, WBF);
	assert_int_equal(vtdm_stats(fx.m)->wbf, 0);
	fx_clean(&fx);
	fx_stop(&fx);

	fx_init(&fx);
	fx.cfg.ir = true;
	fx_start(&fx);
	vtdm_write64(fx.m, 0xb8, fx.root_pa | 7);
	fx_gcmd(&fx, UINT32_C(1) << 24, true);
	fx_gcmd(&fx, UINT32_C(1) << 25, true);
	fx_gcmd(&fx, UINT32_C(1) << 23, true);
	fx_gcmd(&fx, UINT32_C(1) << 23, false);
	assert_int_equal(vtdm_read32(fx.m, 0x1c), 0x03000000);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* TE needs SRTP, then the context cache, then the IOTLB; with ESRTPS, SRTP. */
static void test_te_order(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	fx_gcmd(&fx, TE, true);
	assert_int_equal(vtdm_violations(fx.m), 1);
	fx_stop(&fx);

	for (int order = 0; order < 4; order++) {
		fx_init(&fx);
		fx.cfg.esrtps = order == 3;
		fx_start(&fx);
		fx_srtp(&fx);
		if (order == 1)
			fx_iotlb(&fx, 1, 0, 0);
		if (order != 0 && order != 3)
			fx_ccmd(&fx, 1, 0, 0, 0);
		if (order == 2)
			fx_iotlb(&fx, 1, 0, 0);
		fx_gcmd(&fx, TE, true);
		assert_int_equal(vtdm_violations(fx.m), order < 2);
		fx_stop(&fx);
	}
}

/* The unit shows a command as done after the reads asked for, not before. */
static void test_slow_by_reads(void **state)
{
	struct fx fx;
	unsigned int i;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	vtdm_knobs(fx.m)->cmd_reads = 3;
	vtdm_write64(fx.m, 0x20, fx.root_pa);
	vtdm_write32(fx.m, 0x18, SRTP);
	for (i = 0; i < 3; i++) {
		vtdm_tick(fx.m, 1); /* time is no read */
		assert_int_equal(vtdm_read32(fx.m, 0x1c), 0);
	}
	assert_int_equal(vtdm_read32(fx.m, 0x1c), SRTP);
	vtdm_write64(fx.m, 0x28, UINT64_C(5) << 61);
	for (i = 0; i < 3; i++)
		assert_int_equal(vtdm_read64(fx.m, 0x28) >> 63, 1);
	assert_int_equal(vtdm_read64(fx.m, 0x28) >> 63, 0);
	vtdm_write64(fx.m, fx.cfg.iro + 8, UINT64_C(9) << 60);
	for (i = 0; i < 3; i++)
		assert_int_equal(vtdm_read64(fx.m, fx.cfg.iro + 8) >> 63, 1);
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.iro + 8) >> 63, 0);
	vtdm_write32(fx.m, 0x64, UINT32_C(1) << 31);
	for (i = 0; i < 3; i++)
		assert_int_equal(vtdm_read32(fx.m, 0x64) & 1, 0);
	assert_int_equal(vtdm_read32(fx.m, 0x64) & 1, 1);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_slow_by_ticks(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	vtdm_knobs(fx.m)->cmd_ticks = 10;
	vtdm_write64(fx.m, 0x20, fx.root_pa);
	vtdm_write32(fx.m, 0x18, SRTP);
	vtdm_tick(fx.m, 9);
	assert_int_equal(vtdm_read32(fx.m, 0x1c), 0);
	fx_clean(&fx);
	vtdm_write32(fx.m, 0x18, QIE); /* too early */
	assert_int_equal(vtdm_violations(fx.m), 1);
	vtdm_tick(fx.m, 10);
	assert_int_equal(vtdm_read32(fx.m, 0x1c), SRTP | QIE);
	vtdm_violations_clear(fx.m);
	/* One invalidation at a time. */
	vtdm_write32(fx.m, 0x18, 0);
	vtdm_tick(fx.m, 10);
	vtdm_write64(fx.m, 0x28, UINT64_C(5) << 61);
	fx_clean(&fx);
	vtdm_write64(fx.m, fx.cfg.iro + 8, UINT64_C(9) << 60);
	assert_int_equal(vtdm_violations(fx.m), 1);
	vtdm_tick(fx.m, 10);
	assert_int_equal(vtdm_stats(fx.m)->ctx_global, 1);
	assert_int_equal(vtdm_stats(fx.m)->iotlb_global, 0);
	fx_stop(&fx);
}

static void test_hang(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_boot(&fx);
	vtdm_knobs(fx.m)->hang = VTDM_HANG_TE | VTDM_HANG_CCMD |
				 VTDM_HANG_IOTLB | VTDM_HANG_PMEN;
	vtdm_write32(fx.m, 0x18, 0);
	vtdm_write64(fx.m, 0x28, UINT64_C(5) << 61);
	vtdm_write32(fx.m, 0x64, UINT32_C(1) << 31);
	for (int i = 0; i < 1000; i++) {
		vtdm_tick(fx.m, 1000);
		assert_true(vtdm_read32(fx.m, 0x1c) & TE);
		assert_true(vtdm_read64(fx.m, 0x28) >> 63);
		assert_false(vtdm_read32(fx.m, 0x64) & 1);
	}
	vtdm_knobs(fx.m)->hang = 0;
	vtdm_tick(fx.m, 1);
	assert_false(vtdm_read32(fx.m, 0x1c) & TE);
	assert_false(vtdm_read64(fx.m, 0x28) >> 63);
	assert_true(vtdm_read32(fx.m, 0x64) & 1);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Dead from the Nth access on, for reads, writes, commands; DMA goes on. */
static void test_dead(void **state)
{
	struct fx fx;
	int mode;

	(void)state;
	for (mode = 0; mode < 2; mode++) {
		uint32_t gsts = TE | SRTP;
		uint32_t want = mode ? UINT32_MAX : gsts;

		fx_init(&fx);
		fx_boot(&fx);
		fx_attach(&fx, FX_SID);
		fx_map(&fx, FX_IOVA, fx.data_pa, RD);
		vtdm_knobs(fx.m)->dead_at = vtdm_stats(fx.m)->mmio + 2;
		vtdm_knobs(fx.m)->dead_mode = mode ? VTDM_DEAD_ONES
						   : VTDM_DEAD_STALE;
		assert_int_equal(vtdm_read32(fx.m, 0x1c), gsts);
		assert_int_equal(vtdm_read32(fx.m, 0x1c), want);
		vtdm_write32(fx.m, 0x18, 0);
		vtdm_tick(fx.m, 100);
		assert_int_equal(vtdm_read32(fx.m, 0x1c), want);
		assert_int_equal(vtdm_read64(fx.m, 0x20),
				 mode ? UINT64_MAX : fx.root_pa);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		fx_clean(&fx);
		fx_stop(&fx);
	}
	/* In the middle of a command: it never completes. */
	fx_init(&fx);
	fx_start(&fx);
	vtdm_knobs(fx.m)->cmd_ticks = 5;
	vtdm_write32(fx.m, 0x18, SRTP);
	vtdm_knobs(fx.m)->dead_at = vtdm_stats(fx.m)->mmio + 1;
	assert_int_equal(vtdm_read32(fx.m, 0x1c), 0);
	vtdm_tick(fx.m, 100);
	assert_int_equal(vtdm_read32(fx.m, 0x1c), 0);
	fx_stop(&fx);
}

/* Behind a write buffer a walk sees a write only once it was flushed. */
static void test_write_buffer(void **state)
{
	struct fx fx;
	uint64_t pa, *e;
	int way;

	(void)state;
	for (way = 0; way < 3; way++) {
		fx_init(&fx);
		fx.cfg.rwbf = true;
		fx.mem_cfg.buffered = true;
		fx_boot(&fx);
		fx_attach(&fx, FX_SID);
		pa = fx_entry(&fx, FX_IOVA, 0);
		e = vtdm_mem_ptr(fx.mem, pa);
		*e = fx.data_pa | RD;
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		if (way == 0)
			fx_gcmd(&fx, WBF, true);
		else if (way == 1)
			fx_ccmd(&fx, 2, 99, 0, 0);
		else
			fx_iotlb(&fx, 2, 99, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		assert_int_equal(vtdm_stats(fx.m)->wbf, way == 0);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

/* A walk that does not snoop sees a line once it was cleaned. */
static void test_not_coherent(void **state)
{
	struct fx fx;
	uint64_t pa, *e;
	int buffered;

	(void)state;
	for (buffered = 0; buffered < 2; buffered++) {
		fx_init(&fx);
		fx.cfg.c = false;
		fx.cfg.rwbf = buffered;
		fx.mem_cfg.noncoherent = true;
		fx.mem_cfg.buffered = buffered;
		fx_boot(&fx);
		fx_attach(&fx, FX_SID);
		pa = fx_entry(&fx, FX_IOVA, 0);
		e = vtdm_mem_ptr(fx.mem, pa);
		*e = fx.data_pa | RD;
		fx_iotlb(&fx, 1, 0, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		vtdm_mem_clean(fx.mem, e, 8);
		assert_int_equal(fx_read(&fx, FX_IOVA),
				 buffered ? VTDM_FR_READ : VTDM_OK);
		fx_iotlb(&fx, 1, 0, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

static void same_registers(struct vtdm *a, struct vtdm *b)
{
	uint32_t off;

	for (off = 0; off < vtdm_reg_size(a); off += 4)
		if (vtdm_read32(a, off) != vtdm_read32(b, off))
			fail_msg("register 0x%x", off);
}

/* Power gone and back: nothing is left, dead or alive, and it works again. */
static void test_reset(void **state)
{
	struct fx fx, fresh;

	(void)state;
	fx_init(&fx);
	fx_boot_queue(&fx);
	fx_init(&fresh);
	fx_start(&fresh);
	fx_attach(&fx, FX_SID);
	fx_poke(&fx, fx_entry(&fx, FX_IOVA, 0), fx.data_pa | RD);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	assert_int_not_equal(fx_read(&fx, FX_IOVA + 4096), VTDM_OK);
	vtdm_write32(fx.m, 0x40, 0xfee00000);
	vtdm_write32(fx.m, 0x64, 0x80000000u);
	vtdm_knobs(fx.m)->hang = VTDM_HANG_TE;
	vtdm_write32(fx.m, 0x18, 0x04000000u); /* for ever under way */
	fx_clean(&fx);
	vtdm_reset(fx.m);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_CONTEXT), 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 0);
	vtdm_knobs(fx.m)->hang = 0;
	vtdm_tick(fx.m, 10);
	same_registers(fx.m, fresh.m);
	fx_clean(&fx);

	/* No root pointer is remembered. */
	fx_gcmd(&fx, 0x80000000u, true);
	assert_int_equal(vtdm_violations(fx.m), 1);
	vtdm_violations_clear(fx.m);

	vtdm_knobs(fx.m)->dead_mode = VTDM_DEAD_ONES;
	vtdm_knobs(fx.m)->dead_at = vtdm_stats(fx.m)->mmio + 1;
	assert_int_equal(vtdm_read32(fx.m, 0), UINT32_MAX);
	vtdm_reset(fx.m);
	assert_int_equal(vtdm_read32(fx.m, 0), UINT32_MAX);
	vtdm_knobs(fx.m)->dead_at = 0;
	vtdm_reset(fx.m);
	assert_int_equal(vtdm_read32(fx.m, 0), 0x10);
	fx_srtp(&fx);
	fx_ccmd(&fx, 1, 0, 0, 0);
	fx_iotlb(&fx, 1, 0, 0);
	fx_gcmd(&fx, 0x80000000u, true);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_clean(&fx);
	fx_stop(&fresh);
	fx_stop(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capability_bits),
		cmocka_unit_test(test_capability_fields),
		cmocka_unit_test(test_bad_configs),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_access_rules),
		cmocka_unit_test(test_gcmd_one_field),
		cmocka_unit_test(test_gcmd_unsupported),
		cmocka_unit_test(test_te_order),
		cmocka_unit_test(test_slow_by_reads),
		cmocka_unit_test(test_slow_by_ticks),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_write_buffer),
		cmocka_unit_test(test_not_coherent),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests_name("model regs", tests, NULL, NULL);
}
