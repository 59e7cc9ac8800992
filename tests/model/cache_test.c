// SPDX-License-Identifier: MIT
/*
 * What each cache remembers, and what exactly makes it forget.
 */
#include <stdio.h>
#include <time.h>

#include "fx.h"

/* IVA / second quadword of an IOTLB descriptor */
#define AM(n) ((uint64_t)(n))
#define IH UINT64_C(0x40)

static void with_page(struct fx *fx)
{
	fx_boot(fx);
	fx_attach(fx, FX_SID);
	fx_map(fx, FX_IOVA, fx->data_pa, RD | WR);
	assert_int_equal(fx_read(fx, FX_IOVA), VTDM_OK);
}

static void test_counts(void **state)
{
	struct fx fx;
	uint64_t pa;
	uint16_t did;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_CONTEXT), 1);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 1);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 3);
	assert_true(vtdm_context_cached(fx.m, FX_SID, &did));
	assert_int_equal(did, FX_DID);
	assert_false(vtdm_context_cached(fx.m, FX_SID + 1, NULL));
	assert_true(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA + 9, &pa));
	assert_int_equal(pa, fx.data_pa + 9);
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA + 4096, NULL));
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID + 1, FX_IOVA, NULL));
	assert_true(vtdm_holds(fx.m, FX_SID, FX_IOVA));
	assert_false(vtdm_holds(fx.m, FX_SID, FX_IOVA + 4096));
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Nothing is read again once cached, and a failing walk is not cached. */
static void test_hits(void **state)
{
	struct fx fx;
	uint64_t reads;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	reads = vtdm_stats(fx.m)->walk_reads;
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	assert_int_equal(vtdm_stats(fx.m)->walk_reads, reads);
	/* The neighbour needs its leaf entry only. */
	assert_int_equal(fx_read(&fx, FX_IOVA + 4096), VTDM_FR_READ);
	assert_int_equal(vtdm_stats(fx.m)->walk_reads, reads + 1);
	fx_map(&fx, FX_IOVA + 4096, fx.data_pa, RD);
	assert_int_equal(fx_read(&fx, FX_IOVA + 4096), VTDM_OK);
	assert_int_equal(vtdm_stats(fx.m)->walk_reads, reads + 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Unmapped, remapped, more or less permission: stale until told. */
static void test_iotlb_stale(void **state)
{
	struct fx fx;
	uint64_t other, got;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	other = fx_table(&fx);
	fx_map(&fx, FX_IOVA, 0, 0);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_map(&fx, FX_IOVA, other, RD);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_OK);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA | IH);
	assert_int_equal(vtdm_translate(fx.m, FX_SID, FX_IOVA, false,
					VTDM_AT_UNTRANSLATED, &got),
			 VTDM_OK);
	assert_int_equal(got, other);
	assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
	/* Adding permission needs an invalidation as well. */
	fx_map(&fx, FX_IOVA, other, RD | WR);
	assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA | IH);
	assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_OK);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void fill(struct fx *fx, uint64_t iova, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++) {
		fx_map(fx, iova + i * 4096, fx->data_pa, RD | WR);
		assert_int_equal(fx_read(fx, iova + i * 4096), VTDM_OK);
	}
}

static unsigned int held(struct fx *fx, uint64_t iova, unsigned int pages)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < pages; i++)
		n += vtdm_iotlb_cached(fx->m, FX_DID, iova + i * 4096, NULL);
	return n;
}

/* Every mask drops exactly 2^AM pages, the address cut down to the mask. */
static void test_masks(void **state)
{
	const uint64_t base = UINT64_C(0x40000000);
	struct fx fx;
	unsigned int am;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	for (am = 0; am <= 6; am++) {
		unsigned int n = 1u << am;
		uint64_t in = base + 64 * 4096 + (n - 1) * 4096;

		fill(&fx, base, 256);
		fx_iotlb(&fx, 3, FX_DID, in | AM(am) | IH);
		assert_int_equal(held(&fx, base, 256), 256 - n);
		assert_int_equal(held(&fx, base + 64 * 4096, n), 0);
	}
	/* A mask wider than what is cached takes the scanning way. */
	fill(&fx, base, 256);
	fx_iotlb(&fx, 3, FX_DID, base | AM(10) | IH);
	assert_int_equal(held(&fx, base, 256), 0);
	assert_true(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA, NULL));
	fx_clean(&fx);
	fx_stop(&fx);
}

/* The range of R75: page 0x17f, 3 pages. Mask 2 there misses the tail. */
static void test_unaligned_range(void **state)
{
	const uint64_t base = UINT64_C(0x17f000);
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fill(&fx, base, 3);
	fx_iotlb(&fx, 3, FX_DID, base | AM(2) | IH);
	assert_int_equal(held(&fx, base, 3), 2);
	fx_iotlb(&fx, 3, FX_DID, base | AM(8) | IH);
	assert_int_equal(held(&fx, base, 3), 0 + 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Of a superpage no part can be dropped, only the whole of it. */
static void test_superpage_mask(void **state)
{
	const uint64_t base = UINT64_C(0x40000000);
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_poke(&fx, fx_entry(&fx, base, 1), 0x200000 | RD | PS);
	assert_int_equal(vtdm_translate(fx.m, FX_SID, base + 0x12345, false,
					VTDM_AT_UNTRANSLATED, NULL),
			 VTDM_OK);
	assert_true(vtdm_iotlb_cached(fx.m, FX_DID, base + 0x1ff000, NULL));
	fx_iotlb(&fx, 3, FX_DID, (base + 0x12000) | AM(0));
	fx_iotlb(&fx, 3, FX_DID, base | AM(8));
	assert_true(vtdm_iotlb_cached(fx.m, FX_DID, base, NULL));
	fx_iotlb(&fx, 3, FX_DID, base | AM(9) | IH);
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID, base, NULL));
	/* Also among so many pages that each could be looked for singly. */
	assert_int_equal(vtdm_translate(fx.m, FX_SID, base, false,
					VTDM_AT_UNTRANSLATED, NULL),
			 VTDM_OK);
	fill(&fx, base + 0x200000, 1200);
	fx_iotlb(&fx, 3, FX_DID, base | AM(9) | IH);
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID, base, NULL));
	assert_int_equal(held(&fx, base + 0x200000, 1200), 1200);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* A table freed without telling: with IH the walk still goes through it. */
static void test_paging_structures(void **state)
{
	struct fx fx;
	uint64_t pde, table;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	pde = fx_entry(&fx, FX_IOVA, 1);
	table = fx_peek(&fx, pde) & ~UINT64_C(0xfff);
	fx_poke(&fx, pde, 0);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA | IH);
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA, NULL));
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	assert_int_equal(vtdm_mem_violations(fx.mem), 0);

	fx_iotlb(&fx, 3, FX_DID, FX_IOVA | IH);
	vtdm_mem_free(fx.mem, vtdm_mem_ptr(fx.mem, table), 4096);
	assert_int_not_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	assert_int_equal(vtdm_mem_violations(fx.mem), 1);

	fx_iotlb(&fx, 3, FX_DID, FX_IOVA);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 0);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
	assert_int_equal(vtdm_mem_violations(fx.mem), 1);
	fx_stop(&fx);
}

/* Without IH the pointers on the path go, those of other paths stay. */
static void test_paging_path(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_map(&fx, FX_IOVA + 0x200000, fx.data_pa, RD);
	assert_int_equal(fx_read(&fx, FX_IOVA + 0x200000), VTDM_OK);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 4);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 1);
	fx_iotlb(&fx, 3, FX_DID, 0x12400000 | AM(9));
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Wide masks, found by scanning, treat pointers no differently. */
static void test_paging_wide(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_iotlb(&fx, 3, FX_DID, 0x12200000 | AM(9) | IH);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 3);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 0);
	fx_iotlb(&fx, 3, FX_DID, 0x12200000 | AM(9));
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* A cached leaf carries the permission of the levels above it. */
static void test_cached_permission(void **state)
{
	struct fx fx;
	unsigned int level;
	uint64_t pa;

	(void)state;
	for (level = 1; level < 4; level++) {
		fx_init(&fx);
		fx_boot(&fx);
		fx_attach(&fx, FX_SID);
		fx_map(&fx, FX_IOVA, fx.data_pa, RD | WR);
		pa = fx_entry(&fx, FX_IOVA, level);
		fx_poke(&fx, pa, fx_peek(&fx, pa) & ~WR);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
		/* As does a cached pointer. */
		fx_iotlb(&fx, 3, FX_DID, FX_IOVA | IH);
		assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

static void test_domain_and_global(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_context(&fx, 0x310, fx.table_pa | 1, 0x1234 << 8 | 2);
	assert_int_equal(vtdm_translate(fx.m, 0x310, FX_IOVA, false,
					VTDM_AT_UNTRANSLATED, NULL),
			 VTDM_OK);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 2);
	fx_iotlb(&fx, 2, FX_DID, 0);
	assert_false(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA, NULL));
	assert_true(vtdm_iotlb_cached(fx.m, 0x1234, FX_IOVA, NULL));
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 3);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_CONTEXT), 2);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA); /* another domain's page */
	assert_true(vtdm_iotlb_cached(fx.m, 0x1234, FX_IOVA, NULL));
	fx_iotlb(&fx, 1, 0, 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB), 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_PAGING), 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_CONTEXT), 2);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Two devices of one domain id share its translations, tables or not. */
static void test_shared_domain_id(void **state)
{
	struct fx fx;
	uint64_t pa;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_context(&fx, 0x310, fx_table(&fx) | 1, FX_DID << 8 | 2);
	assert_int_equal(vtdm_translate(fx.m, 0x310, FX_IOVA, false,
					VTDM_AT_UNTRANSLATED, &pa),
			 VTDM_OK);
	assert_int_equal(pa, fx.data_pa);
	fx_clean(&fx);
	fx_stop(&fx);
}

static void test_context_stale(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	fx_poke(&fx, fx_context_pa(&fx, FX_SID), 0);
	fx_iotlb(&fx, 1, 0, 0);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	/* Neither another domain's nor another device's, nor the IOTLB's. */
	fx_ccmd(&fx, 2, FX_DID + 1, 0, 0);
	fx_ccmd(&fx, 3, FX_DID, FX_SID + 8, 0);
	fx_ccmd(&fx, 3, FX_DID + 1, FX_SID, 0);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_ccmd(&fx, 3, FX_DID, FX_SID, 0);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_CTX_NOT_PRESENT);
	/* The translations outlive it: nobody dropped those. */
	assert_true(vtdm_iotlb_cached(fx.m, FX_DID, FX_IOVA, NULL));
	assert_false(vtdm_holds(fx.m, FX_SID, FX_IOVA));
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Functions 0..7 under each function mask, from function 5 (101b). */
static void test_function_mask(void **state)
{
	static const unsigned int left[] = { 0xdf, 0xdd, 0x55, 0x00 };
	struct fx fx;
	unsigned int fm, fn;

	(void)state;
	fx_init(&fx);
	with_page(&fx);
	for (fm = 0; fm < 4; fm++) {
		unsigned int got = 0;

		for (fn = 0; fn < 8; fn++) {
			fx_attach(&fx, (uint16_t)(0x4a8 + fn));
			assert_int_equal(
				vtdm_translate(fx.m, (uint16_t)(0x4a8 + fn),
					       FX_IOVA, false,
					       VTDM_AT_UNTRANSLATED, NULL),
				VTDM_OK);
		}
		fx_ccmd(&fx, 3, FX_DID, 0x4a8 + 5, fm);
		for (fn = 0; fn < 8; fn++) {
			if (vtdm_context_cached(fx.m, (uint16_t)(0x4a8 + fn),
						NULL))
				got |= 1u << fn;
		}
		assert_int_equal(got, left[fm]);
		assert_true(vtdm_context_cached(fx.m, FX_SID, NULL));
	}
	fx_ccmd(&fx, 2, FX_DID, 0, 0);
	assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_CONTEXT), 0);
	fx_clean(&fx);
	fx_stop(&fx);
}

/* Caching mode: what is not there is remembered, at every level. */
static void test_caching_mode(void **state)
{
	struct fx fx;
	unsigned int level;

	(void)state;
	for (level = 0; level < 4; level++) {
		uint64_t pa, e;

		fx_init(&fx);
		fx.cfg.cm = true;
		fx_boot(&fx);
		fx_attach(&fx, FX_SID);
		fx_map(&fx, FX_IOVA, fx.data_pa, RD | WR);
		pa = fx_entry(&fx, FX_IOVA, level);
		e = fx_peek(&fx, pa);
		fx_poke(&fx, pa, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		fx_poke(&fx, pa, e);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_READ);
		assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_WRITE);
		/* With the hint only a leaf is forgotten. */
		fx_iotlb(&fx, 3, FX_DID, FX_IOVA | IH);
		assert_int_equal(fx_read(&fx, FX_IOVA),
				 level ? VTDM_FR_READ : VTDM_OK);
		fx_iotlb(&fx, 3, FX_DID, FX_IOVA);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		/* So is what is wrong. */
		fx_iotlb(&fx, 3, FX_DID, FX_IOVA);
		fx_poke(&fx, pa, e | UINT64_C(1) << 62);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_TABLE_RSVD);
		fx_poke(&fx, pa, e);
		assert_int_equal(fx_write(&fx, FX_IOVA), VTDM_FR_TABLE_RSVD);
		fx_iotlb(&fx, 2, FX_DID, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

/* So is a context entry that is not there, as of domain 0. */
static void test_caching_mode_context(void **state)
{
	struct fx fx;
	uint16_t did;

	(void)state;
	fx_init(&fx);
	fx.cfg.cm = true;
	fx_boot(&fx);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_NOT_PRESENT);
	fx_attach(&fx, FX_SID);
	fx_map(&fx, FX_IOVA, fx.data_pa, RD | WR);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_NOT_PRESENT);
	assert_true(vtdm_context_cached(fx.m, FX_SID, &did));
	assert_int_equal(did, 0);
	fx_ccmd(&fx, 3, FX_DID, FX_SID, 0); /* it is tagged with domain 0 */
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_FR_ROOT_NOT_PRESENT);
	fx_ccmd(&fx, 3, 0, FX_SID, 0);
	assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
	fx_clean(&fx);
	/* Hence no domain may have that id. */
	fx_context(&fx, 0x310, fx.table_pa | 1, 2);
	(void)vtdm_translate(fx.m, 0x310, FX_IOVA, false, VTDM_AT_UNTRANSLATED,
			     NULL);
	assert_int_equal(vtdm_violations(fx.m), 1);
	fx_stop(&fx);
}

static void test_refused(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.mamv = 9;
	fx.cfg.nd = 2; /* 256 domains */
	with_page(&fx);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA | AM(10));
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.iro + 8) >> 57 & 3, 0);
	fx_iotlb(&fx, 0, FX_DID, 0);
	fx_iotlb(&fx, 2, 256 + FX_DID, 0);
	fx_ccmd(&fx, 0, 0, 0, 0);
	assert_int_equal(vtdm_read64(fx.m, 0x28) >> 59 & 3, 0);
	fx_ccmd(&fx, 2, 256 + FX_DID, 0, 0);
	assert_int_equal(vtdm_violations(fx.m), 5);
	assert_int_equal(vtdm_stats(fx.m)->bad_inv, 5);
	assert_true(vtdm_holds(fx.m, FX_SID, FX_IOVA));
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA | AM(9));
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.iro + 8) >> 57 & 3, 3);
	assert_false(vtdm_holds(fx.m, FX_SID, FX_IOVA));
	fx_stop(&fx);

	fx_init(&fx);
	fx.cfg.psi = false;
	with_page(&fx);
	fx_iotlb(&fx, 3, FX_DID, FX_IOVA);
	assert_int_equal(vtdm_violations(fx.m), 1);
	assert_true(vtdm_holds(fx.m, FX_SID, FX_IOVA));
	fx_stop(&fx);
}

/* Units of version 6 have a queue for that, and nothing else. */
static void test_no_registers(void **state)
{
	struct fx fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.version = 0x60;
	with_page(&fx);
	fx_iotlb(&fx, 1, 0, 0);
	assert_int_equal(vtdm_read64(fx.m, fx.cfg.iro + 8) >> 57 & 3, 0);
	fx_ccmd(&fx, 1, 0, 0, 0);
	assert_int_equal(vtdm_read64(fx.m, 0x28) >> 59 & 3, 0);
	assert_true(vtdm_stats(fx.m)->bad_inv >= 2);
	assert_true(vtdm_holds(fx.m, FX_SID, FX_IOVA));
	vtdm_violations_clear(fx.m);
	fx_stop(&fx);
}

/* SRTP takes the new root, not RTADDR's write; and drops nothing itself. */
static void test_srtp(void **state)
{
	struct fx fx;
	uint64_t other;
	int esrtps;

	(void)state;
	for (esrtps = 0; esrtps < 2; esrtps++) {
		fx_init(&fx);
		fx.cfg.esrtps = esrtps;
		with_page(&fx);
		other = fx_table(&fx);
		vtdm_write64(fx.m, 0x20, other);
		fx_ccmd(&fx, 1, 0, 0, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA), VTDM_OK);
		fx_gcmd(&fx, UINT32_C(1) << 30, true);
		assert_int_equal(fx_read(&fx, FX_IOVA),
				 esrtps ? VTDM_FR_ROOT_NOT_PRESENT : VTDM_OK);
		assert_int_equal(vtdm_cache_count(fx.m, VTDM_CACHE_IOTLB),
				 !esrtps);
		fx_ccmd(&fx, 1, 0, 0, 0);
		assert_int_equal(fx_read(&fx, FX_IOVA),
				 VTDM_FR_ROOT_NOT_PRESENT);
		fx_clean(&fx);
		fx_stop(&fx);
	}
}

/* Random maps, unmaps and DMA of a driver that does all right: no surprise. */
static void test_random(void **state)
{
	const uint64_t base = UINT64_C(0x7f8000000);
	unsigned int seed = (unsigned int)time(NULL);
	unsigned char oracle[512] = { 0 }; /* permission bits */
	struct fx fx;
	unsigned int i;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	fx_init(&fx);
	fx_boot(&fx);
	fx_attach(&fx, FX_SID);
	for (i = 0; i < 20000; i++) {
		unsigned int first = (unsigned int)rand() % 512;
		unsigned int am = (unsigned int)rand() % 6;
		unsigned char bits = (unsigned char)(rand() % 4);
		unsigned int n = 1u << am;
		bool wr = rand() & 1;
		enum vtdm_result want, got;

		if (rand() % 4 == 0) {
			first &= ~(n - 1);
			for (unsigned int p = first; p < first + n; p++) {
				fx_map(&fx, base + p * 4096, fx.data_pa, bits);
				oracle[p] = bits;
			}
			fx_iotlb(&fx, 3, FX_DID,
				 (base + first * 4096) | AM(am) | IH);
		}
		first = (unsigned int)rand() % 512;
		want = wr ? (oracle[first] & WR ? VTDM_OK : VTDM_FR_WRITE)
			  : (oracle[first] & RD ? VTDM_OK : VTDM_FR_READ);
		got = wr ? fx_write(&fx, base + first * 4096)
			 : fx_read(&fx, base + first * 4096);
		assert_int_equal(got, want);
	}
	fx_clean(&fx);
	fx_stop(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_hits),
		cmocka_unit_test(test_iotlb_stale),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_unaligned_range),
		cmocka_unit_test(test_superpage_mask),
		cmocka_unit_test(test_paging_structures),
		cmocka_unit_test(test_paging_path),
		cmocka_unit_test(test_paging_wide),
		cmocka_unit_test(test_cached_permission),
		cmocka_unit_test(test_domain_and_global),
		cmocka_unit_test(test_shared_domain_id),
		cmocka_unit_test(test_context_stale),
		cmocka_unit_test(test_function_mask),
		cmocka_unit_test(test_caching_mode),
		cmocka_unit_test(test_caching_mode_context),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_registers),
		cmocka_unit_test(test_srtp),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("model cache", tests, NULL, NULL);
}
