// SPDX-License-Identifier: MIT
/* Contexts, domain ids and invalidation, for each kind of unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "../common/random.h"
#include "rig.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)
#define MIB ((uint64_t)1 << 20)

static const int just_a[] = { 0x10, -1 };
static const int just_b[] = { 0x18, -1 };

struct kind {
	const char *name;
	void (*set)(struct vtdm_config *m);
};

static void set_plain(struct vtdm_config *m)
{
	(void)m;
}

static void set_cm(struct vtdm_config *m)
{
	m->cm = true;
}

static void set_rwbf(struct vtdm_config *m)
{
	m->rwbf = true;
}

static void set_noncoherent(struct vtdm_config *m)
{
	m->c = false;
}

static void set_registers(struct vtdm_config *m)
{
	m->qi = false;
	m->ir = m->eim = m->dt = false;
}

static void set_no_psi(struct vtdm_config *m)
{
	m->psi = false;
	m->mamv = 0;
}

static void set_small_mask(struct vtdm_config *m)
{
	m->mamv = 0;
}

static void set_3_levels(struct vtdm_config *m)
{
	m->sagaw = 2;
	m->mgaw = 39;
}

static void set_5_levels(struct vtdm_config *m)
{
	m->sagaw = 8;
	m->mgaw = 57;
}

static void set_small_pages(struct vtdm_config *m)
{
	m->sslps = 0;
}

static void set_odd_offsets(struct vtdm_config *m)
{
	m->fro = 0x2340;
	m->nfr = 200;
	m->iro = 0x1ff0;
	m->qi = false;
	m->ir = m->eim = m->dt = false;
}

static void set_few_ids(struct vtdm_config *m)
{
	m->nd = 0;
}

static void set_esrtps(struct vtdm_config *m)
{
	m->esrtps = true;
}

static void set_no_snoop(struct vtdm_config *m)
{
	m->sc = false;
}

static void set_draining(struct vtdm_config *m)
{
	m->dwd = m->drd = true;
}

/* An emulated unit of the worst kind, and an old chipset's. */
static void set_all_odd(struct vtdm_config *m)
{
	set_registers(m);
	set_no_psi(m);
	m->cm = m->rwbf = true;
	m->c = m->sc = m->pt = false;
	m->sslps = 0;
	m->nd = 0;
}

static void set_cm_noncoherent(struct vtdm_config *m)
{
	m->cm = true;
	m->c = false;
}

static void set_old(struct vtdm_config *m)
{
	m->c = false;
	m->rwbf = true;
	m->dwd = m->drd = true;
}

static const struct kind kinds[] = {
	{ "plain", set_plain },
	{ "caching mode", set_cm },
	{ "write buffer", set_rwbf },
	{ "not coherent", set_noncoherent },
	{ "registers", set_registers },
	{ "no page-selective", set_no_psi },
	{ "mask 0", set_small_mask },
	{ "3 levels", set_3_levels },
	{ "5 levels", set_5_levels },
	{ "4 KiB pages", set_small_pages },
	{ "odd offsets", set_odd_offsets },
	{ "16 ids", set_few_ids },
	{ "enhanced root", set_esrtps },
	{ "no snoop control", set_no_snoop },
	{ "draining", set_draining },
	{ "all odd", set_all_odd },
	{ "caching mode, not coherent", set_cm_noncoherent },
	{ "old chipset", set_old },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void kind_up(struct rig *rig, const struct kind *kind)
{
	rig_describe(rig);
	kind->set(&rig->config.units[0].model);
	rig_up(rig);
}

/* Mapping, unmapping and moving; whatever a cache holds is never right. */
static void kind_maps(struct rig *rig, struct rig_device *a,
		      struct uiommu_hwdomain *d)
{
	struct rig_page p = rig_page(rig, 4096);
	struct rig_page q = rig_page(rig, 4096);
	struct rig_page big = rig_page(rig, 4 * MIB);

	assert_int_not_equal(rig_write(rig, 0x10, 0x10000), VTDM_OK);
	assert_int_equal(rig_map(rig, d, 0x10000, p.paddr, 4096, RW), 0);
	assert_true(rig_reaches(rig, 0x10, 0x10123, p));
	assert_int_equal(rig_unmap(rig, d, 0x10000, 4096), 0);
	assert_false(rig_reaches(rig, 0x10, 0x10123, p));
	assert_int_equal(rig_map(rig, d, 0x10000, q.paddr, 4096, RW), 0);
	assert_true(rig_reaches(rig, 0x10, 0x10123, q));

	/* a table makes way for a superpage, and the other way round (R74) */
	assert_int_equal(rig_map(rig, d, 4 * MIB, p.paddr, 4096, RW), 0);
	assert_true(rig_reaches(rig, 0x10, 4 * MIB, p));
	assert_int_equal(rig_unmap(rig, d, 4 * MIB, 4 * MIB), 0);
	assert_int_equal(rig_map(rig, d, 4 * MIB, big.paddr, 4 * MIB, RW), 0);
	assert_true(rig_reaches(rig, 0x10, 4 * MIB, big));
	assert_int_equal(rig_unmap(rig, d, 4 * MIB, 4096), 0);
	assert_int_not_equal(rig_write(rig, 0x10, 4 * MIB), VTDM_OK);
	big.bytes += 4096;
	assert_true(rig_reaches(rig, 0x10, 4 * MIB + 4096, big));
	big.bytes -= 4096;
	assert_int_equal(rig_unmap(rig, d, 4 * MIB, 4 * MIB), 0);
	assert_int_not_equal(rig_write(rig, 0x10, 4 * MIB + 4096), VTDM_OK);

	/* not aligned: the block flushed begins below */
	assert_int_equal(rig_map(rig, d, 0x17f000, big.paddr, 0x3000, RW), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rig_write(rig, 0x10, 0x17f000 + i * 0x1000u),
				 VTDM_OK);
	assert_int_equal(rig_unmap(rig, d, 0x17f000, 0x3000), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_not_equal(
			rig_write(rig, 0x10, 0x17f000 + i * 0x1000u), VTDM_OK);
	assert_int_equal(rig_unmap(rig, d, 0x10000, 4096), 0);
	(void)a;
	rig_page_gone(rig, p, 4096);
	rig_page_gone(rig, q, 4096);
	rig_page_gone(rig, big, 4 * MIB);
}

static void test_kinds(void **state)
{
	static struct rig rig;
	static struct rig_device a, b;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct uiommu_hwdomain one, two, blocked, identity;
		struct rig_page p, q;
		bool pt;

		print_message("  %s\n", kinds[i].name);
		kind_up(&rig, &kinds[i]);
		pt = rig.config.units[0].model.pt;
		p = rig_page(&rig, 4096);
		q = rig_page(&rig, 4096);
		assert_int_equal(rig_device(&rig, &a, just_a), 0);
		assert_int_equal(rig_device(&rig, &b, just_b), 0);
		assert_int_equal(rig_domain(&rig, &one, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(
			rig_domain(&rig, &two, UIOMMU_DOMAIN_UNMANAGED), 0);
		assert_int_equal(
			rig_domain(&rig, &blocked, UIOMMU_DOMAIN_BLOCKED), 0);
		assert_int_equal(
			rig_domain(&rig, &identity, UIOMMU_DOMAIN_IDENTITY), 0);

		/* refused before the first attach, and remembered so */
		assert_in_range(rig_write(&rig, 0x10, 0x10000),
				VTDM_FR_ROOT_NOT_PRESENT,
				VTDM_FR_CTX_NOT_PRESENT);
		assert_int_equal(rig_attach(&rig, &a, &one), 0);
		kind_maps(&rig, &a, &one);

		/* another domain, at once and wholly */
		assert_int_equal(rig_map(&rig, &one, 0x5000, p.paddr, 4096, RW),
				 0);
		assert_true(rig_reaches(&rig, 0x10, 0x5000, p));
		assert_int_equal(rig_attach(&rig, &a, &two), 0);
		assert_false(rig_reaches(&rig, 0x10, 0x5000, p));
		assert_int_equal(rig_map(&rig, &two, 0x5000, q.paddr, 4096,
					 UIOMMU_PROT_WRITE),
				 0);
		assert_true(rig_reaches(&rig, 0x10, 0x5000, q));
		assert_int_equal(rig_attach(&rig, &b, &one), 0);
		assert_true(rig_reaches(&rig, 0x18, 0x5000, p));
		assert_int_equal(rig_attach(&rig, &b, &two), 0);
		assert_true(rig_reaches(&rig, 0x18, 0x5000, q));

		assert_int_equal(rig_attach(&rig, &a, &blocked), 0);
		assert_int_equal(rig_write(&rig, 0x10, 0x5000),
				 VTDM_FR_CTX_NOT_PRESENT);
		assert_true(rig_reaches(&rig, 0x18, 0x5000, q));
		assert_int_equal(rig_attach(&rig, &a, &identity),
				 pt ? UIOMMU_OK : UIOMMU_ENOTSUP);
		assert_int_equal(rig_reaches(&rig, 0x10, p.paddr, p), pt);
		assert_int_equal(rig_attach(&rig, &a, &two), 0);
		assert_false(rig_reaches(&rig, 0x10, p.paddr, p));

		/* a device that goes is refused; the other stays (R41) */
		rig_device_gone(&rig, &a);
		assert_int_equal(rig_write(&rig, 0x10, 0x5000),
				 VTDM_FR_CTX_NOT_PRESENT);
		assert_true(rig_reaches(&rig, 0x18, 0x5000, q));
		rig_device_gone(&rig, &b);
		rig_domain_gone(&rig, &one);
		rig_domain_gone(&rig, &two);
		rig_domain_gone(&rig, &identity);
		rig_domain_gone(&rig, &blocked);
		rig_page_gone(&rig, p, 4096);
		rig_page_gone(&rig, q, 4096);
		rig_down(&rig);
	}
}

/* R08: the same requester id comes and goes, with a new domain each time. */
static void test_again(void **state)
{
	static struct rig rig;
	static struct rig_device a;
	struct rig_page p, q;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		kind_up(&rig, &kinds[k]);
		p = rig_page(&rig, 4096);
		q = rig_page(&rig, 4096);
		for (unsigned int i = 0; i < 100; i++) {
			struct rig_page now = i % 2 ? p : q;
			struct uiommu_hwdomain d;

			assert_int_equal(rig_device(&rig, &a, just_a), 0);
			assert_int_equal(
				rig_domain(&rig, &d, UIOMMU_DOMAIN_DMA), 0);
			assert_int_equal(
				rig_map(&rig, &d, 0x1000, now.paddr, 4096, RW),
				0);
			assert_int_equal(rig_attach(&rig, &a, &d), 0);
			assert_true(rig_reaches(&rig, 0x10, 0x1000, now));
			rig_device_gone(&rig, &a);
			rig_domain_gone(&rig, &d);
			assert_false(rig_reaches(&rig, 0x10, 0x1000, now));
		}
		rig_page_gone(&rig, p, 4096);
		rig_page_gone(&rig, q, 4096);
		rig_down(&rig);
	}
}

/* Two devices seen by one requester id besides their own (R12, R40, R42). */
static void test_alias(void **state)
{
	static const int rids_a[] = { 0x300, 0x308, -1 };
	static const int rids_b[] = { 0x310, 0x308, -1 };
	static struct rig rig;
	static struct rig_device a, b;
	struct uiommu_hwdomain d, e, blocked;
	struct rig_page p, q;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		uint64_t faults;

		kind_up(&rig, &kinds[k]);
		p = rig_page(&rig, 4096);
		q = rig_page(&rig, 4096);
		assert_int_equal(rig_device(&rig, &a, rids_a), 0);
		assert_int_equal(rig_device(&rig, &b, rids_b), 0);
		assert_int_equal(rig_domain(&rig, &d, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(rig_domain(&rig, &e, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(
			rig_domain(&rig, &blocked, UIOMMU_DOMAIN_BLOCKED), 0);
		assert_int_equal(rig_map(&rig, &d, 0, p.paddr, 4096, RW), 0);
		assert_int_equal(rig_map(&rig, &e, 0, q.paddr, 4096, RW), 0);

		assert_int_equal(rig_attach(&rig, &a, &d), 0);
		assert_true(rig_reaches(&rig, 0x300, 0, p));
		assert_true(rig_reaches(&rig, 0x308, 0, p));
		assert_int_not_equal(rig_write(&rig, 0x310, 0), VTDM_OK);
		faults = vtdm_stats(rig.host->units[0])->ctx_device;
		assert_int_equal(rig_attach(&rig, &b, &d), 0);
		/* the shared entry was not touched; caching mode: b's own */
		assert_int_equal(vtdm_stats(rig.host->units[0])->ctx_device,
				 faults + rig.config.units[0].model.cm);
		assert_true(rig_reaches(&rig, 0x310, 0, p));
		assert_true(rig_reaches(&rig, 0x308, 0, p));

		/* one leaves: the other keeps the shared id */
		assert_int_equal(rig_attach(&rig, &a, &blocked), 0);
		assert_int_not_equal(rig_write(&rig, 0x300, 0), VTDM_OK);
		assert_true(rig_reaches(&rig, 0x308, 0, p));
		assert_true(rig_reaches(&rig, 0x310, 0, p));
		assert_int_equal(rig_attach(&rig, &a, &d), 0);

		/* both move; the last one settles it */
		assert_int_equal(rig_attach(&rig, &a, &e), 0);
		assert_true(rig_reaches(&rig, 0x308, 0, q));
		assert_int_equal(rig_attach(&rig, &b, &e), 0);
		assert_true(rig_reaches(&rig, 0x308, 0, q));
		/* half of them back, and that half gone: e is b's still */
		assert_int_equal(rig_attach(&rig, &a, &d), 0);
		assert_true(rig_reaches(&rig, 0x308, 0, p));
		rig_device_gone(&rig, &a);
		assert_true(rig_reaches(&rig, 0x308, 0, q));
		rig_device_gone(&rig, &b);
		assert_int_not_equal(rig_write(&rig, 0x300, 0), VTDM_OK);
		assert_int_not_equal(rig_write(&rig, 0x308, 0), VTDM_OK);
		assert_int_not_equal(rig_write(&rig, 0x310, 0), VTDM_OK);

		rig_domain_gone(&rig, &d);
		rig_domain_gone(&rig, &e);
		rig_domain_gone(&rig, &blocked);
		rig_page_gone(&rig, p, 4096);
		rig_page_gone(&rig, q, 4096);
		rig_down(&rig);
	}
}

/* A switch that uses every function of a bus, and then some. */
static void test_many_aliases(void **state)
{
	static struct rig rig;
	static struct rig_device a;
	struct uiommu_hwdomain d, e;
	struct rig_page p, q;
	int rids[RIG_SIDS + 1];

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		kind_up(&rig, &kinds[k]);
		p = rig_page(&rig, 4096);
		q = rig_page(&rig, 4096);
		for (int i = 0; i < (int)RIG_SIDS; i++)
			rids[i] = 0x4200 + i;
		rids[RIG_SIDS] = -1;
		assert_int_equal(rig_device(&rig, &a, rids), 0);
		assert_int_equal(rig_domain(&rig, &d, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(rig_domain(&rig, &e, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(rig_map(&rig, &d, 0, p.paddr, 4096, RW), 0);
		assert_int_equal(rig_map(&rig, &e, 0, q.paddr, 4096, RW), 0);
		assert_int_equal(rig_attach(&rig, &a, &d), 0);
		for (unsigned int i = 0; i < RIG_SIDS; i++)
			assert_true(rig_reaches(&rig, rids[i], 0, p));
		assert_int_equal(rig_attach(&rig, &a, &e), 0);
		for (unsigned int i = 0; i < RIG_SIDS; i++)
			assert_true(rig_reaches(&rig, rids[i], 0, q));
		rig_device_gone(&rig, &a);
		for (unsigned int i = 0; i < RIG_SIDS; i++)
			assert_int_not_equal(rig_write(&rig, rids[i], 0),
					     VTDM_OK);
		rig_domain_gone(&rig, &d);
		rig_domain_gone(&rig, &e);
		rig_page_gone(&rig, p, 4096);
		rig_page_gone(&rig, q, 4096);
		rig_down(&rig);
	}
}

/* Ids run out, nothing changes then, and each comes back. */
static void test_ids(void **state)
{
	enum { IDS = 14 }; /* of 16; 0 and the identity's are not given out */
	static struct rig rig;
	static struct rig_device dev[IDS + 1];
	struct uiommu_hwdomain d[IDS + 1];
	struct rig_page p;

	(void)state;
	rig_describe(&rig);
	set_few_ids(&rig.config.units[0].model);
	rig_up(&rig);
	p = rig_page(&rig, 4096);
	for (int i = 0; i <= IDS; i++) {
		const int rids[] = { i, -1 };

		assert_int_equal(rig_device(&rig, &dev[i], rids), 0);
		assert_int_equal(rig_domain(&rig, &d[i], UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(rig_map(&rig, &d[i], 0, p.paddr, 4096, RW), 0);
	}
	for (unsigned int round = 0; round < 3; round++) {
		uint32_t seen = 0;
		uint16_t did;

		for (int i = 0; i < IDS; i++) {
			assert_int_equal(rig_attach(&rig, &dev[i], &d[i]), 0);
			assert_true(rig_reaches(&rig, i, 0, p));
			assert_true(vtdm_context_cached(rig.host->units[0],
							(uint16_t)i, &did));
			assert_in_range(did, 2, 15);
			assert_int_equal(seen >> did & 1, 0);
			seen |= UINT32_C(1) << did;
		}
		assert_int_equal(rig_attach(&rig, &dev[IDS], &d[IDS]),
				 UIOMMU_ENOSPC);
		assert_int_not_equal(rig_write(&rig, IDS, 0), VTDM_OK);
		/* a shared domain takes none */
		assert_int_equal(rig_attach(&rig, &dev[IDS], &d[0]), 0);
		rig_device_gone(&rig, &dev[IDS]);
		for (int i = 0; i < IDS; i++) {
			const int rids[] = { i, -1 };

			rig_device_gone(&rig, &dev[i]);
			assert_int_equal(rig_device(&rig, &dev[i], rids), 0);
		}
		assert_int_equal(
			rig_device(&rig, &dev[IDS], (const int[]){ IDS, -1 }),
			0);
	}
	for (int i = 0; i <= IDS; i++) {
		rig_device_gone(&rig, &dev[i]);
		rig_domain_gone(&rig, &d[i]);
	}
	rig_page_gone(&rig, p, 4096);
	rig_down(&rig);
}

/* R43: attach asks the host for nothing, and so cannot fail for that. */
static void test_no_memory(void **state)
{
	static struct rig rig;
	static struct rig_device a;
	struct uiommu_hwdomain d;

	(void)state;
	rig_describe(&rig);
	rig_up(&rig);
	assert_int_equal(rig_device(&rig, &a, just_a), 0);
	assert_int_equal(rig_domain(&rig, &d, UIOMMU_DOMAIN_DMA), 0);
	user_fail_from(rig.host, 1);
	assert_int_equal(rig_attach(&rig, &a, &d), 0);
	rig_device_gone(&rig, &a);
	user_fail_from(rig.host, 0);
	rig_domain_gone(&rig, &d);
	rig_down(&rig);
}

/* Tables that a unit cannot walk are not given to it. */
static void test_unfit(void **state)
{
	static struct rig rig;
	static struct rig_device a;
	struct uiommu_hwdomain d;
	struct uiommu_pt_config good;

	(void)state;
	rig_describe(&rig);
	set_3_levels(&rig.config.units[0].model);
	rig.config.units[0].model.sslps = 1;
	rig.config.units[0].model.sc = false;
	rig.config.units[0].model.c = false;
	rig_up(&rig);
	assert_int_equal(rig_device(&rig, &a, just_a), 0);
	assert_int_equal(rig_domain(&rig, &d, UIOMMU_DOMAIN_UNMANAGED), 0);
	good = d.pt.config;
	assert_int_equal(good.levels, 3);
	assert_int_equal(good.width, 39);
	assert_int_equal(good.leaf_bits, 0);
	assert_false(good.coherent);
	assert_int_equal(good.paddr_last, (UINT64_C(1) << 39) - 1);
	d.pt.config.levels = 4;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_ENOTSUP);
	d.pt.config = good;
	d.pt.config.width = 40;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_ENOTSUP);
	d.pt.config = good;
	d.pt.config.page_sizes |= 1u << 30;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_ENOTSUP);
	d.pt.config = good;
	d.pt.config.leaf_bits = 1u << 11;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_ENOTSUP);
	d.pt.config = good;
	d.pt.config.coherent = true;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_ENOTSUP);
	d.pt.config = good;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_OK);
	rig_device_gone(&rig, &a);
	rig_domain_gone(&rig, &d);
	rig_down(&rig);
}

/* One domain in two units: what is unmapped goes from both. */
static void test_two_units(void **state)
{
	static const uint32_t both[] = { 0, 1 };
	static struct rig rig;
	static struct rig_device a, b;
	struct uiommu_hwdomain d;
	struct uiommu_pt_config c;
	struct rig_page p;
	uint8_t byte = 1;

	(void)state;
	for (unsigned int swap = 0; swap < 2; swap++) {
		struct vtdm_config *weak;

		rig_describe(&rig);
		rig.config.unit_count = 2;
		weak = &rig.config.units[swap].model;
		weak->sagaw = 4;
		weak->mgaw = 46;
		weak->sslps = 1;
		weak->sc = false;
		weak->qi = false;
		rig_up(&rig);
		assert_int_equal(
			uiommu_vtd_ops.pt_config(rig.driver, both, 2, &c), 0);
		assert_int_equal(c.levels, 4);
		assert_int_equal(c.width, 46);
		assert_int_equal(c.page_sizes, 1u << 12 | 1u << 21);
		assert_int_equal(c.leaf_bits, 0);
		assert_true(c.coherent);

		memset(&d, 0, sizeof(d));
		d.type = UIOMMU_DOMAIN_DMA;
		assert_int_equal(uiommu_pt_init(&d.pt, rig.host, &c), 0);
		assert_int_equal(uiommu_vtd_ops.domain_init(rig.driver, &d), 0);
		assert_int_equal(rig_device(&rig, &a, just_a), 0);
		memset(&b, 0, sizeof(b));
		b.hw.sids = b.sids;
		b.sids[0].rid = 0x18;
		b.hw.sid_count = 1;
		b.hw.unit = 1;
		assert_int_equal(uiommu_vtd_ops.device_init(rig.driver, &b.hw),
				 0);
		p = rig_page(&rig, 4096);
		assert_int_equal(rig_attach(&rig, &a, &d), 0);
		assert_int_equal(rig_attach(&rig, &b, &d), 0);
		assert_int_equal(rig_map(&rig, &d, 0x7000, p.paddr, 4096, RW),
				 0);
		assert_true(rig_reaches(&rig, 0x10, 0x7000, p));
		assert_int_equal(vtdm_dma(rig.host->units[1], 0x18, 0x7000,
					  true, &byte, 1),
				 VTDM_OK);
		assert_int_equal(rig_unmap(&rig, &d, 0x7000, 4096), 0);
		assert_int_not_equal(rig_write(&rig, 0x10, 0x7000), VTDM_OK);
		assert_int_not_equal(vtdm_dma(rig.host->units[1], 0x18, 0x7000,
					      true, &byte, 1),
				     VTDM_OK);
		/* one unit left: the other is not bothered any more */
		rig_device_gone(&rig, &a);
		assert_int_equal(rig_map(&rig, &d, 0x7000, p.paddr, 4096, RW),
				 0);
		assert_int_equal(vtdm_dma(rig.host->units[1], 0x18, 0x7000,
					  true, &byte, 1),
				 VTDM_OK);
		assert_int_equal(rig_unmap(&rig, &d, 0x7000, 4096), 0);
		assert_int_not_equal(vtdm_dma(rig.host->units[1], 0x18, 0x7000,
					      true, &byte, 1),
				     VTDM_OK);
		rig_device_gone(&rig, &b);
		rig_domain_gone(&rig, &d);
		rig_page_gone(&rig, p, 4096);
		rig_down(&rig);
	}
}

/* What no one of several units can do alone is left out. */
static void test_config(void **state)
{
	static const uint32_t units[] = { 0, 1 };
	static const uint32_t none[] = { 2 };
	static struct rig rig;
	struct uiommu_pt_config c;

	(void)state;
	rig_describe(&rig);
	rig.config.unit_count = 2;
	rig.config.units[1].model.c = false;
	assert_int_equal(rig_make(&rig), 0);
	assert_int_equal(uiommu_vtd_ops.pt_config(rig.driver, units, 1, &c), 0);
	assert_true(c.coherent);
	assert_int_equal(c.leaf_bits, 1u << 11);
	assert_int_equal(uiommu_vtd_ops.pt_config(rig.driver, units, 2, &c), 0);
	assert_false(c.coherent);
	assert_int_equal(c.leaf_bits, 1u << 11);
	assert_int_equal(uiommu_vtd_ops.pt_config(rig.driver, none, 1, &c),
			 UIOMMU_ENOTSUP);
	assert_int_equal(uiommu_vtd_ops.pt_config(rig.driver, units, 0, &c),
			 UIOMMU_ENOTSUP);
	rig_down(&rig);

	rig_describe(&rig);
	rig.config.unit_count = 2;
	rig.config.units[0].model.sagaw = 2;
	rig.config.units[0].model.mgaw = 39;
	rig.config.units[1].model.sagaw = 4;
	assert_int_equal(rig_make(&rig), 0);
	assert_int_equal(uiommu_vtd_ops.pt_config(rig.driver, units, 2, &c),
			 UIOMMU_ENOTSUP);
	rig_down(&rig);
}

/* Anything, in any order; a device reaches what the oracle says, no more. */
static void random_life(struct rig *rig, struct random *r)
{
	enum { PAGES = 16, DOMAINS = 3, DEVICES = 3 };
	static const int rids[DEVICES][3] = { { 0x10, 0x20, -1 },
					      { 0x18, 0x20, -1 },
					      { 0x80, -1, -1 } };
	static struct rig_device dev[DEVICES];
	struct uiommu_hwdomain d[DOMAINS], blocked;
	struct rig_page page[PAGES];
	int map[DOMAINS][PAGES]; /* which page each address leads to */
	int in[DEVICES];	 /* domain, or -1 */

	memset(map, 0xff, sizeof(map));
	memset(in, 0xff, sizeof(in));
	for (unsigned int i = 0; i < PAGES; i++)
		page[i] = rig_page(rig, 4096);
	for (unsigned int i = 0; i < DOMAINS; i++)
		assert_int_equal(rig_domain(rig, &d[i], UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(rig, &blocked, UIOMMU_DOMAIN_BLOCKED), 0);
	for (unsigned int i = 0; i < DEVICES; i++)
		assert_int_equal(rig_device(rig, &dev[i], rids[i]), 0);

	for (unsigned int step = 0; step < 400; step++) {
		unsigned int x = (unsigned int)random_below(r, DEVICES);
		unsigned int y = (unsigned int)random_below(r, DOMAINS);
		unsigned int at = (unsigned int)random_below(r, PAGES);
		unsigned int n = 1 + (unsigned int)random_below(r, PAGES - at);

		switch (random_below(r, 4)) {
		case 0: /* move a device, or block it */
			if (random_below(r, 4) == 0) {
				assert_int_equal(
					rig_attach(rig, &dev[x], &blocked), 0);
				in[x] = -1;
			} else {
				assert_int_equal(
					rig_attach(rig, &dev[x], &d[y]), 0);
				in[x] = (int)y;
			}
			break;
		case 1:
			assert_int_equal(rig_unmap(rig, &d[y], at * 4096u,
						   n * UINT64_C(4096)),
					 0);
			for (unsigned int i = at; i < at + n; i++)
				map[y][i] = -1;
			break;
		case 2:
			if (map[y][at] >= 0)
				break;
			map[y][at] = (int)random_below(r, PAGES);
			assert_int_equal(rig_map(rig, &d[y], at * 4096u,
						 page[map[y][at]].paddr, 4096,
						 RW),
					 0);
			break;
		default:
			break;
		}
		for (unsigned int i = 0; i < DEVICES; i++) {
			uint64_t iova = random_below(r, PAGES) * 4096;
			int to = in[i] < 0 ? -1 : map[in[i]][iova / 4096];

			if (to < 0)
				assert_int_not_equal(
					rig_write(rig, rids[i][0], iova),
					VTDM_OK);
			else
				assert_true(rig_reaches(rig, rids[i][0], iova,
							page[to]));
		}
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		rig_device_gone(rig, &dev[i]);
	for (unsigned int i = 0; i < DOMAINS; i++)
		rig_domain_gone(rig, &d[i]);
	rig_domain_gone(rig, &blocked);
	for (unsigned int i = 0; i < PAGES; i++)
		rig_page_gone(rig, page[i], 4096);
}

static void test_random(void **state)
{
	static struct rig rig;
	struct random random;

	(void)state;
	random_init(&random, "attach");
	for (size_t k = 0; k < KINDS; k++) {
		kind_up(&rig, &kinds[k]);
		random_life(&rig, &random);
		rig_down(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_many_aliases),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_two_units),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
