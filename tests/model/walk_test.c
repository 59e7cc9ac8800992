// SPDX-License-Identifier: MIT
/*
 * Translation: every fault reason for its defect, and what is let through.
 */
#include "fx.h"

#define UNBACKED UINT64_C(0x7000000000) /* no memory, below 2^39 */

static void with_page(struct fx *fx)
{
	fx_boot(fx);
	fx_attach(fx, FX_SID);
	fx_map(fx, FX_IOVA, fx->data_pa, RD | WR);
}

/* The record in slot 0, then take it away. */
static void expect_record(struct fx *fx, unsigned int slot, unsigned int fr,
			  uint64_t addr, bool read)
{
	uint32_t off = fx->cfg.fro + slot * 16;
	uint64_t lo = vtdm_read64(fx->m, off);
	uint64_t hi = vtdm_read64(fx->m, off + 8);

	assert_int_equal(hi >> 63, 1);
	assert_int_equal(hi >> 62 & 1, read);
	assert_int_equal(hi >> 32 & 0xff, fr);
	assert_int_equal(hi & 0xffff, FX_SID);
	assert_int_equal(lo, addr & ~UINT64_C(0xfff));
}

static void test_good(void **state)
{
	struct fx fx;
	uint64_t pa;

	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++) {
		fx_init(&fx);
		fx.levels = levels;
		with_page(&fx);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		assert_int_equal(vtdm_translate(fx.m, FX_SID, FX_IOVA + 0x123,
						true, VTDM_AT_UNTRANSLATED,
						&pa),
				 VTDM_OK);
		assert_int_equal(pa, fx.data_pa + 0x123);
		strcpy((char *)fx.data, "changed");
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		assert_int_equal(vtdm_stats(fx.m)->faults, 0);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

/* A request over a page boundary is two: the good half is delivered. */
static void test_split(void **state)
{
	uint8_t *second;
	uint8_t buf[16];
	uint64_t pa;
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	memset(buf, 0x55, sizeof(buf));
	assert_int_equal(vtdm_dma(fx.m, FX_SID, FX_IOVA + 4088, true, buf, 16),
			 VTDM_FR_WRITE);
	assert_memory_equal(fx.data + 4088, buf, 8);
	expect_record(&fx, 0, 5, FX_IOVA + 4096, false);

	second = vtdm_mem_alloc(fx.mem, 4096, 0, &pa);
	fx_map(&fx, FX_IOVA + 4096, pa, RD | WR);
	assert_int_equal(vtdm_dma(fx.m, FX_SID, FX_IOVA + 4088, true, buf, 16),
			 VTDM_OK);
	assert_memory_equal(second, buf, 8);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_root_faults(void **state)
{
	struct fx fx;
	uint64_t good;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	good = fx.root[2 * 2];
	fx.root[2 * 2] = 0;
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_NOT_PRESENT);
	expect_record(&fx, 0, 1, FX_IOVA, true);
	fx.root[2 * 2] = good | 0x10;
	assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_ROOT_RSVD);
	expect_record(&fx, 1, 0xa, FX_IOVA, false);
	fx.root[2 * 2] = good | UINT64_C(1) << 39; /* beyond HAW */
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_RSVD);
	fx.root[2 * 2] = good;
	fx.root[2 * 2 + 1] = 1;
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_RSVD);
	fx.root[2 * 2 + 1] = 0;
	fx.root[2 * 2] = UNBACKED | 1;
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_CTX_READ);
	expect_record(&fx, 4, 9, FX_IOVA, true);
	fx.root[2 * 2] = good;
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_clean(&fx);
	fx_stop(&fx);

	fx_init(&fx);
	with_page(&fx);
	vtdm_write64(fx.m, 0x20, UNBACKED);
	fx_gcmd(&fx, UINT32_C(1) << 30, true);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_READ);
	expect_record(&fx, 0, 8, FX_IOVA, true);
	fx_stop(&fx);
}

struct ctx_case {
	const char *what;
	uint64_t lo_set, lo_clear, hi_set, hi_clear;
	enum vtdm_result want;
};

static void test_context_faults(void **state)
{
	static const struct ctx_case cases[] = {
		{ "not present", 0, 1, 0, 0, VTDM_FR_CTX_NOT_PRESENT },
		{ "TT 01 without DT", 4, 0, 0, 0, VTDM_FR_CTX_INVALID },
		{ "TT 11", 0xc, 0, 0, 0, VTDM_FR_CTX_INVALID },
		{ "AW 0", 0, 0, 0, 7, VTDM_FR_CTX_INVALID },
		{ "AW 4", 0, 0, 4, 7, VTDM_FR_CTX_INVALID },
		{ "AW 7", 0, 0, 7, 0, VTDM_FR_CTX_INVALID },
		{ "low reserved 4", 0x10, 0, 0, 0, VTDM_FR_CTX_RSVD },
		{ "low reserved 11", 0x800, 0, 0, 0, VTDM_FR_CTX_RSVD },
		{ "table beyond HAW", UINT64_C(1) << 39, 0, 0, 0,
		  VTDM_FR_CTX_RSVD },
		{ "high reserved 7", 0, 0, 0x80, 0, VTDM_FR_CTX_RSVD },
		{ "high reserved 24", 0, 0, 1 << 24, 0, VTDM_FR_CTX_RSVD },
		{ "high reserved 63", 0, 0, UINT64_C(1) << 63, 0,
		  VTDM_FR_CTX_RSVD },
		{ "high ignored 6:3", 0, 0, 0x78, 0, VTDM_OK },
		{ "top table unreadable", UNBACKED, ~UINT64_C(0xfff), 0, 0,
		  VTDM_FR_CTX_INVALID },
	};
	struct fx fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ctx_case *c = &cases[i];
		uint64_t pa;
		enum vtdm_result res;

		fx_init(&fx);
		with_page(&fx);
		pa = fx_context_pa(&fx, FX_SID);
		fx_poke(&fx, pa, (fx_peek(&fx, pa) & ~c->lo_clear) | c->lo_set);
		fx_poke(&fx, pa + 8,
			(fx_peek(&fx, pa + 8) & ~c->hi_clear) | c->hi_set);
		res = fx_read(&fx, FX_IOVA);
		if (res != c->want)
			print_error("%s: 0x%x\n", c->what, res);
		assert_int_equal(res, c->want);
		if (res)
			expect_record(&fx, 0, res, FX_IOVA, true);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

static void test_context_widths(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.sagaw = 2; /* 39 bits only: the fixture's 4 levels are wrong */
	with_page(&fx);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_CTX_INVALID);
	fx_stop(&fx);

	fx_init(&fx);
	fx.cfg.nd = 0; /* 16 domains: 15 is the last */
	with_page(&fx);
	fx_context(&fx, FX_SID, fx.table_pa | 1, 15 << 8 | 2);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_context(&fx, FX_SID + 1, fx.table_pa | 1, 16 << 8 | 2);
	assert_int_equal(vtdm_translate(fx.m, FX_SID + 1, FX_IOVA, false,
					VTDM_AT_UNTRANSLATED, NULL),
			 VTDM_FR_CTX_RSVD);
	fx_stop(&fx);
}

static void test_beyond(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_map(&fx, (UINT64_C(1) << 48) - 4096, fx.data_pa, RD);
	assert_int_equal(fx_read(&fx, (UINT64_C(1) << 48) - 4096), VTDM_OK);
	assert_int_equal(fx_read(&fx, UINT64_C(1) << 48), VTDM_FR_ADDR_BEYOND);
	expect_record(&fx, 0, 4, UINT64_C(1) << 48, true);
	fx_clean(&fx);
	fx_stop(&fx);

	fx_init(&fx);
	fx.cfg.mgaw = 40; /* less than the context's 48 */
	with_page(&fx);
	fx_map(&fx, (UINT64_C(1) << 40) - 4096, fx.data_pa, RD);
	assert_int_equal(fx_read(&fx, (UINT64_C(1) << 40) - 4096), VTDM_OK);
	assert_int_equal(fx_read(&fx, UINT64_C(1) << 40), VTDM_FR_ADDR_BEYOND);
	expect_record(&fx, 0, 4, 0, true); /* FI has no bits from MGAW up */
	fx_stop(&fx);
}

/* Permission is that of all levels together; R = W = 0 is not present. */
static void test_permission(void **state)
{
	struct fx fx;
	unsigned int level;
	uint64_t pa, e;

	(void)state;
	for (level = 0; level < 4; level++) {
		fx_init(&fx);
		with_page(&fx);
		pa = fx_entry(&fx, FX_IOVA, level);
		e = fx_peek(&fx, pa);
		fx_poke(&fx, pa, e & ~WR);
		assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
		expect_record(&fx, 0, 5, FX_IOVA, false);
		fx_poke(&fx, pa, e & ~RD);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		expect_record(&fx, 1, 6, FX_IOVA, true);
		fx_poke(&fx, pa, e & ~(RD | WR));
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
		/* Reserved bits do not matter in what is not present. */
		fx_poke(&fx, pa, (e & ~(RD | WR)) | UINT64_C(1) << 62);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 0);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

static void test_table_faults(void **state)
{
	struct fx fx;
	unsigned int level;
	uint64_t pa, e;

	(void)state;
	for (level = 0; level < 4; level++) {
		fx_init(&fx);
		with_page(&fx);
		pa = fx_entry(&fx, FX_IOVA, level);
		e = fx_peek(&fx, pa);
		fx_poke(&fx, pa, e | UINT64_C(1) << 39);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_TABLE_RSVD);
		expect_record(&fx, 0, 0xc, FX_IOVA, true);
		fx_poke(&fx, pa, e | UINT64_C(1) << 62);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_TABLE_RSVD);
		/* Snoop: in leaves, where the unit has snoop control. */
		fx_poke(&fx, pa, e | SNP);
		assert_int_equal(fx_read(&fx, FX_IOVA),
				 level ? VTDM_FR_TABLE_RSVD : VTDM_OK);
		fx_iotlb(&fx, 1, 0, 0);
		if (level == 3) {
			fx_poke(&fx, pa, e | PS);
			assert_int_equal(fx_read(&fx, FX_IOVA),
					 VTDM_FR_TABLE_RSVD);
		}
		/* Ignored: 61:52, 63, 10:8, 6:2. */
		fx_poke(&fx, pa, e | UINT64_C(0xbff000000000077c));
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		fx_iotlb(&fx, 1, 0, 0);
		if (level) {
			fx_poke(&fx, pa, UNBACKED | RD | WR);
			assert_int_equal(fx_read(&fx, FX_IOVA),
					 VTDM_FR_TABLE_READ);
			expect_record(&fx, level == 3 ? 4 : 3, 7, FX_IOVA,
				      true);
		}
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

static void test_no_snoop_control(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.sc = false;
	with_page(&fx);
	fx_map(&fx, FX_IOVA, fx.data_pa, RD | WR | SNP);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_TABLE_RSVD);
	fx_stop(&fx);
}

/* 2 MiB and 1 GiB leaves: where they lead, and when they are reserved. */
static void test_superpages(void **state)
{
	static const unsigned int shift[] = { 21, 30 };
	uint64_t pa, got, base, bad;
	unsigned int level, sslps;
	struct fx fx;

	(void)state;
	for (level = 1; level <= 2; level++) {
		for (sslps = 0; sslps < 4; sslps++) {
			bool able = sslps & (1u << (level - 1));

			base = UINT64_C(3) << shift[level - 1];
			fx_init(&fx);
			fx.cfg.sslps = sslps;
			with_page(&fx);
			pa = fx_entry(&fx, FX_IOVA, level);
			fx_poke(&fx, pa, base | RD | PS);
			got = 0;
			assert_int_equal(
				vtdm_translate(fx.m, FX_SID, FX_IOVA + 5, false,
					       VTDM_AT_UNTRANSLATED, &got),
				able ? VTDM_OK : VTDM_FR_TABLE_RSVD);
			if (able)
				assert_int_equal(
					got, base | ((FX_IOVA + 5) &
						     ((UINT64_C(1)
						       << shift[level - 1]) -
						      1)));
			/* Address bits below the page size are reserved. */
			bad = base | UINT64_C(1) << (shift[level - 1] - 1);
			fx_iotlb(&fx, 1, 0, 0);
			fx_poke(&fx, pa, bad | RD | PS);
			assert_int_equal(fx_read(&fx, FX_IOVA),
					 VTDM_FR_TABLE_RSVD);
			fx_clean(&fx);
			fx_stop(&fx);
		}
	}
}

static void test_pass_through(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_boot(&fx);
	/* AW must be the largest: 57 bits is 3. */
	fx_context(&fx, FX_SID, 0x9, FX_DID << 8 | 2);
	assert_int_equal(fx_read(&fx, fx.data_pa), VTDM_FR_CTX_INVALID);
	fx_context(&fx, FX_SID, 0x9, FX_DID << 8 | 3);
	assert_int_equal(fx_read(&fx, fx.data_pa), VTDM_OK);
	assert_int_equal(fx_read(&fx, UINT64_C(1) << 39), VTDM_FR_ADDR_BEYOND);
	assert_true(vtdm_holds(fx.m, FX_SID, fx.data_pa));
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 0);
	fx_clean(&fx);
	fx_stop(&fx);

	fx_init(&fx);
	fx.cfg.pt = false;
	fx_boot(&fx);
	fx_context(&fx, FX_SID, 0x9, FX_DID << 8 | 3);
	assert_int_equal(fx_read(&fx, fx.data_pa), VTDM_FR_CTX_INVALID);
	fx_stop(&fx);
}

/* Fault processing disable: the DMA fails, but leaves no record. */
static void test_fpd(void **state)
{
	struct fx fx;
	uint64_t pa;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	pa = fx_context_pa(&fx, FX_SID);
	fx_poke(&fx, pa, 2); /* not present, FPD */
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_CTX_NOT_PRESENT);
	fx_poke(&fx, pa, fx.table_pa | 3);
	assert_int_equal(fx_read(&fx, FX_IOVA + 4096), VTDM_FR_READ);
	assert_int_equal(vtdm_stats(fx.m)->faults, 2);
	assert_int_equal(vtdm_stats(fx.m)->faults_recorded, 0);
	assert_int_equal(vtdm_read32(fx.m, 0x34), 0);
	fx_stop(&fx);
}

static void test_translation_off(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	assert_int_equal(fx_read(&fx, fx.data_pa), VTDM_OK);
	assert_int_equal(fx_read(&fx, UNBACKED), VTDM_BUS_ERROR);
	fx_stop(&fx);

	fx_init(&fx);
	with_page(&fx);
	fx_gcmd(&fx, UINT32_C(1) << 31, false);
	assert_int_equal(fx_read(&fx, fx.data_pa), VTDM_OK);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Protected regions: low base, high limit; the limit's low bits count as 1. */
static void test_pmr(void **state)
{
	struct fx fx;
	uint64_t low_pa, high_pa;

	(void)state;
	fx_init(&fx);
	fx_start(&fx);
	assert_non_null(vtdm_mem_alloc(fx.mem, 4096, VTDM_MEM_LOW, &low_pa));
	assert_non_null(vtdm_mem_alloc(fx.mem, 4096, VTDM_MEM_HIGH, &high_pa));
	vtdm_write32(fx.m, 0x68, (uint32_t)low_pa & 0xffe00000);
	vtdm_write32(fx.m, 0x6c, (uint32_t)low_pa & 0xffe00000);
	vtdm_write64(fx.m, 0x70, high_pa & ~UINT64_C(0x1fffff));
	vtdm_write64(fx.m, 0x78, high_pa & ~UINT64_C(0x1fffff));
	assert_int_equal(vtdm_dma(fx.m, 1, low_pa, true, fx.data, 8), VTDM_OK);
	vtdm_write32(fx.m, 0x64, UINT32_C(1) << 31);
	assert_int_equal(vtdm_read32(fx.m, 0x64), 0x80000001);
	assert_int_equal(vtdm_dma(fx.m, 1, low_pa, true, fx.data, 8),
			 VTDM_PMR_BLOCKED);
	assert_int_equal(vtdm_dma(fx.m, 1, high_pa, true, fx.data, 8),
			 VTDM_PMR_BLOCKED);
	assert_int_equal(vtdm_stats(fx.m)->pmr_blocked, 2);
	assert_int_equal(vtdm_stats(fx.m)->faults, 0);
	vtdm_write32(fx.m, 0x64, 0);
	assert_int_equal(vtdm_read32(fx.m, 0x64), 0);
	assert_int_equal(vtdm_dma(fx.m, 1, low_pa, true, fx.data, 8), VTDM_OK);
	fx_clean(&fx);
	fx_stop(&fx);

	fx_init(&fx);
	fx.cfg.plmr = fx.cfg.phmr = false;
	fx_start(&fx);
	vtdm_write32(fx.m, 0x64, UINT32_C(1) << 31);
	assert_int_equal(vtdm_read32(fx.m, 0x64), 0);
	vtdm_write32(fx.m, 0x68, 0xffe00000);
	assert_int_equal(vtdm_read32(fx.m, 0x68), 0);
	fx_stop(&fx);
}

static void test_interrupt_range(void **state)
{
	struct fx fx;
	uint32_t word = 0x41;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	/* A mapping there changes nothing. */
	fx_map(&fx, 0xfee00000, fx.data_pa, RD | WR);
	assert_int_equal(vtdm_dma(fx.m, FX_SID, 0xfee00000, true, &word, 4),
			 VTDM_INTERRUPT);
	assert_string_equal((char *)fx.data, "payload");
	assert_int_equal(vtdm_dma(fx.m, FX_SID, 0xfeefffff, false, &word, 1),
			 VTDM_INTR_INVALID);
	assert_int_equal(vtdm_stats(fx.m)->msi, 1);
	assert_int_equal(vtdm_stats(fx.m)->faults, 0);
	/* Nor may a mapping lead there. */
	fx_map(&fx, FX_IOVA + 4096, 0xfee00000, RD | WR);
	assert_int_equal(fx_write(&fx, FX_IOVA + 4096), VTDM_FR_INTR_OUT);
	fx_stop(&fx);
}

static void test_zero_length(void **state)
{
	struct fx fx;

	(void)state;
	for (int zlr = 0; zlr < 2; zlr++) {
		fx_init(&fx);
		fx.cfg.zlr = zlr;
		with_page(&fx);
		fx_map(&fx, FX_IOVA, fx.data_pa, WR);
		assert_int_equal(
			vtdm_dma(fx.m, FX_SID, FX_IOVA, false, NULL, 0),
			zlr ? VTDM_OK : VTDM_FR_READ);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		fx_stop(&fx);
	}
}

static void test_address_types(void **state)
{
	struct fx fx;
	uint64_t pa;

	(void)state;
	fx_init(&fx);
	fx.cfg.dt = true;
	with_page(&fx);
	assert_int_equal(vtdm_translate(fx.m, FX_SID, FX_IOVA, false,
					VTDM_AT_TRANSLATION_REQUEST, NULL),
			 VTDM_FR_TT_BLOCKED);
	assert_int_equal(vtdm_translate(fx.m, FX_SID, fx.data_pa, false,
					VTDM_AT_TRANSLATED, NULL),
			 VTDM_FR_TT_BLOCKED);
	/* The record says which kind: bits 61:60. */
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.fro + 16 + 8) >> 60 & 3, 2);
	fx_context(&fx, FX_SID, fx.table_pa | 5, FX_DID << 8 | 2);
	fx_ccmd(&fx, 1, 0, 0, 0);
	assert_int_equal(vtdm_translate(fx.m, FX_SID, FX_IOVA, false,
					VTDM_AT_TRANSLATION_REQUEST, &pa),
			 VTDM_OK);
	assert_int_equal(pa, fx.data_pa);
	assert_int_equal(vtdm_translate(fx.m, FX_SID, fx.data_pa, false,
					VTDM_AT_TRANSLATED, &pa),
			 VTDM_OK);
	assert_int_equal(pa, fx.data_pa);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_ttm(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	vtdm_write64(fx.m, 0x20, fx.root_pa | 0x400);
	fx_gcmd(&fx, UINT32_C(1) << 30, true);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_TTM);
	expect_record(&fx, 0, 0x30, FX_IOVA, true);
	fx_stop(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_root_faults),
		cmocka_unit_test(test_context_faults),
		cmocka_unit_test(test_context_widths),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_permission),
		cmocka_unit_test(test_table_faults),
		cmocka_unit_test(test_no_snoop_control),
		cmocka_unit_test(test_superpages),
		cmocka_unit_test(test_pass_through),
		cmocka_unit_test(test_fpd),
		cmocka_unit_test(test_translation_off),
		cmocka_unit_test(test_pmr),
		cmocka_unit_test(test_interrupt_range),
		cmocka_unit_test(test_zero_length),
		cmocka_unit_test(test_address_types),
		cmocka_unit_test(test_ttm),
	};

	return cmocka_run_group_tests_name("model walk", tests, NULL, NULL);
}
