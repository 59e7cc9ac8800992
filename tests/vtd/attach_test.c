// SPDX-License-Identifier: MIT
/* Contexts, domain ids and invalidation, for each kind of unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "kinds.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)
#define MIB ((uint64_t)1 << 20)

static const int just_a[] = { 0x10, -1 };
static const int just_b[] = { 0x18, -1 };

/* Two devices, one domain of each sort, two of DMA, two pages. */
struct world {
	struct rig rig;
	struct rig_device a, b;
	struct uiommu_hwdomain one, two, blocked, identity;
	struct rig_page p, q;
	const struct vtdm_stats *stats;
	bool cm, pt;
};

static struct world *world_up(const struct kind *kind, const int *rids_a,
			      const int *rids_b)
{
	static struct world w;

	kind_up(&w.rig, kind);
	w.stats = vtdm_stats(w.rig.host->units[0]);
	w.cm = w.rig.config.units[0].model.cm;
	w.pt = w.rig.config.units[0].model.pt;
	w.p = rig_page(&w.rig, 4096);
	w.q = rig_page(&w.rig, 4096);
	assert_int_equal(rig_device(&w.rig, &w.a, rids_a), 0);
	assert_int_equal(rig_device(&w.rig, &w.b, rids_b), 0);
	assert_int_equal(rig_domain(&w.rig, &w.one, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(&w.rig, &w.two, UIOMMU_DOMAIN_UNMANAGED),
			 0);
	assert_int_equal(rig_domain(&w.rig, &w.blocked, UIOMMU_DOMAIN_BLOCKED),
			 0);
	assert_int_equal(
		rig_domain(&w.rig, &w.identity, UIOMMU_DOMAIN_IDENTITY), 0);
	return &w;
}

/* The devices are gone. */
static void world_down(struct world *w)
{
	rig_domain_gone(&w->rig, &w->one);
	rig_domain_gone(&w->rig, &w->two);
	rig_domain_gone(&w->rig, &w->identity);
	rig_domain_gone(&w->rig, &w->blocked);
	rig_page_gone(&w->rig, w->p, 4096);
	rig_page_gone(&w->rig, w->q, 4096);
	rig_down(&w->rig);
}

/* A table makes way for a superpage, and the other way round (R74). */
static void kind_superpage(struct rig *rig, struct uiommu_hwdomain *d,
			   struct rig_page p, struct rig_page big)
{
	assert_int_equal(rig_map(rig, d, 4 * MIB, p.paddr, 4096, RW), 0);
	assert_true(rig_reaches(rig, 0x10, 4 * MIB, p));
	assert_int_equal(rig_unmap(rig, d, 4 * MIB, 4 * MIB), 0);
	assert_int_equal(rig_map(rig, d, 4 * MIB, big.paddr, 4 * MIB, RW), 0);
	assert_true(rig_reaches(rig, 0x10, 4 * MIB, big));
	assert_int_equal(rig_unmap(rig, d, 4 * MIB, 4096), 0);
	assert_int_not_equal(rig_write(rig, 0x10, 4 * MIB), VTDM_OK);
	big.bytes += 4096;
	assert_true(rig_reaches(rig, 0x10, 4 * MIB + 4096, big));
	assert_int_equal(rig_unmap(rig, d, 4 * MIB, 4 * MIB), 0);
	assert_int_not_equal(rig_write(rig, 0x10, 4 * MIB + 4096), VTDM_OK);
}

/* Not aligned: the block that is flushed begins below (R75). */
static void kind_unaligned(struct rig *rig, struct uiommu_hwdomain *d,
			   struct rig_page big)
{
	assert_int_equal(rig_map(rig, d, 0x17f000, big.paddr, 0x3000, RW), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rig_write(rig, 0x10, 0x17f000 + i * 0x1000u),
				 VTDM_OK);
	assert_int_equal(rig_unmap(rig, d, 0x17f000, 0x3000), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_not_equal(
			rig_write(rig, 0x10, 0x17f000 + i * 0x1000u), VTDM_OK);
}

/* Mapping and unmapping; whatever a cache holds is never right. */
static void kind_maps(struct rig *rig, struct uiommu_hwdomain *d)
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
	assert_int_equal(rig_unmap(rig, d, 0x10000, 4096), 0);
	kind_superpage(rig, d, p, big);
	kind_unaligned(rig, d, big);
	rig_page_gone(rig, p, 4096);
	rig_page_gone(rig, q, 4096);
	rig_page_gone(rig, big, 4 * MIB);
}

/* From one domain to another, at once and wholly. */
static void kind_moves(struct world *w)
{
	struct rig *rig = &w->rig;
	uint64_t flushes;

	assert_int_equal(rig_map(rig, &w->one, 0x5000, w->p.paddr, 4096, RW),
			 0);
	assert_true(rig_reaches(rig, 0x10, 0x5000, w->p));
	assert_int_equal(rig_attach(rig, &w->a, &w->two), 0);
	assert_false(rig_reaches(rig, 0x10, 0x5000, w->p));
	assert_int_equal(rig_map(rig, &w->two, 0x5000, w->q.paddr, 4096,
				 UIOMMU_PROT_WRITE),
			 0);
	assert_true(rig_reaches(rig, 0x10, 0x5000, w->q));
	assert_int_equal(rig_attach(rig, &w->b, &w->one), 0);
	assert_true(rig_reaches(rig, 0x18, 0x5000, w->p));
	assert_int_equal(rig_attach(rig, &w->b, &w->two), 0);
	assert_true(rig_reaches(rig, 0x18, 0x5000, w->q));

	/* "...must always follow": also where the domain goes on being used */
	flushes = w->stats->iotlb_domain;
	assert_int_equal(rig_attach(rig, &w->a, &w->blocked), 0);
	assert_int_equal(w->stats->iotlb_domain, flushes + 1);
	assert_int_equal(rig_write(rig, 0x10, 0x5000), VTDM_FR_CTX_NOT_PRESENT);
	assert_true(rig_reaches(rig, 0x18, 0x5000, w->q));
	assert_int_equal(rig_attach(rig, &w->a, &w->identity),
			 w->pt ? UIOMMU_OK : UIOMMU_ENOTSUP);
	assert_int_equal(rig_reaches(rig, 0x10, w->p.paddr, w->p), w->pt);
	assert_int_equal(rig_attach(rig, &w->a, &w->two), 0);
	assert_false(rig_reaches(rig, 0x10, w->p.paddr, w->p));
}

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct world *w = world_up(&kinds[i], just_a, just_b);
		struct rig *rig = &w->rig;

		print_message("  %s\n", kinds[i].name);
		/* refused before the first attach, and remembered so */
		assert_in_range(rig_write(rig, 0x10, 0x10000),
				VTDM_FR_ROOT_NOT_PRESENT,
				VTDM_FR_CTX_NOT_PRESENT);
		assert_int_equal(rig_attach(rig, &w->a, &w->one), 0);
		kind_maps(rig, &w->one);
		kind_moves(w);

		/* a device that goes is refused; the other stays (R41) */
		rig_device_gone(rig, &w->a);
		assert_int_equal(rig_write(rig, 0x10, 0x5000),
				 VTDM_FR_CTX_NOT_PRESENT);
		assert_true(rig_reaches(rig, 0x18, 0x5000, w->q));
		rig_device_gone(rig, &w->b);
		world_down(w);
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

/* Both move, half of them moves back, and that half goes. */
static void alias_moves(struct world *w)
{
	struct rig *rig = &w->rig;

	assert_int_equal(rig_attach(rig, &w->a, &w->two), 0);
	assert_true(rig_reaches(rig, 0x308, 0, w->q));
	assert_int_equal(rig_attach(rig, &w->b, &w->two), 0);
	assert_true(rig_reaches(rig, 0x308, 0, w->q));
	assert_int_equal(rig_attach(rig, &w->a, &w->one), 0);
	assert_true(rig_reaches(rig, 0x308, 0, w->p));
	rig_device_gone(rig, &w->a);
	assert_true(rig_reaches(rig, 0x308, 0, w->q));
	rig_device_gone(rig, &w->b);
	assert_int_not_equal(rig_write(rig, 0x300, 0), VTDM_OK);
	assert_int_not_equal(rig_write(rig, 0x308, 0), VTDM_OK);
	assert_int_not_equal(rig_write(rig, 0x310, 0), VTDM_OK);
}

/* Two devices seen by one requester id besides their own (R12, R40, R42). */
static void test_alias(void **state)
{
	static const int rids_a[] = { 0x300, 0x308, -1 };
	static const int rids_b[] = { 0x310, 0x308, -1 };

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct world *w = world_up(&kinds[k], rids_a, rids_b);
		struct rig *rig = &w->rig;
		uint64_t flushes;

		assert_int_equal(rig_map(rig, &w->one, 0, w->p.paddr, 4096, RW),
				 0);
		assert_int_equal(rig_map(rig, &w->two, 0, w->q.paddr, 4096, RW),
				 0);
		assert_int_equal(rig_attach(rig, &w->a, &w->one), 0);
		assert_true(rig_reaches(rig, 0x300, 0, w->p));
		assert_true(rig_reaches(rig, 0x308, 0, w->p));
		assert_int_not_equal(rig_write(rig, 0x310, 0), VTDM_OK);
		flushes = w->stats->ctx_device;
		assert_int_equal(rig_attach(rig, &w->b, &w->one), 0);
		/* the shared entry was not touched; caching mode: b's own */
		assert_int_equal(w->stats->ctx_device, flushes + w->cm);
		assert_true(rig_reaches(rig, 0x310, 0, w->p));
		assert_true(rig_reaches(rig, 0x308, 0, w->p));

		/* one leaves: the other keeps the shared id */
		assert_int_equal(rig_attach(rig, &w->a, &w->blocked), 0);
		assert_int_not_equal(rig_write(rig, 0x300, 0), VTDM_OK);
		assert_true(rig_reaches(rig, 0x308, 0, w->p));
		assert_true(rig_reaches(rig, 0x310, 0, w->p));
		assert_int_equal(rig_attach(rig, &w->a, &w->one), 0);
		alias_moves(w);
		world_down(w);
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

#define IDS 14 /* of 16; 0 and the identity's are not given out */

struct ids {
	struct rig rig;
	struct rig_device dev[IDS + 1];
	struct uiommu_hwdomain d[IDS + 1];
	struct rig_page p;
};

static void ids_device(struct ids *s, int i)
{
	const int rids[] = { i, -1 };

	assert_int_equal(rig_device(&s->rig, &s->dev[i], rids), 0);
}

/* All in use, each another one, and one domain too many. */
static void ids_round(struct ids *s)
{
	uint32_t seen = 0;
	uint16_t did;

	for (int i = 0; i < IDS; i++) {
		assert_int_equal(rig_attach(&s->rig, &s->dev[i], &s->d[i]), 0);
		assert_true(rig_reaches(&s->rig, i, 0, s->p));
		assert_true(vtdm_context_cached(s->rig.host->units[0],
						(uint16_t)i, &did));
		assert_in_range(did, 2, 15);
		assert_int_equal(seen >> did & 1, 0);
		seen |= UINT32_C(1) << did;
	}
	assert_int_equal(rig_attach(&s->rig, &s->dev[IDS], &s->d[IDS]),
			 UIOMMU_ENOSPC);
	assert_int_not_equal(rig_write(&s->rig, IDS, 0), VTDM_OK);
	/* a shared domain takes none */
	assert_int_equal(rig_attach(&s->rig, &s->dev[IDS], &s->d[0]), 0);
	for (int i = 0; i <= IDS; i++) {
		rig_device_gone(&s->rig, &s->dev[i]);
		ids_device(s, i);
	}
}

/* Ids run out, nothing changes then, and each comes back. */
static void test_ids(void **state)
{
	static struct ids s;

	(void)state;
	rig_describe(&s.rig);
	kind_few_ids(&s.rig.config.units[0].model);
	rig_up(&s.rig);
	s.p = rig_page(&s.rig, 4096);
	for (int i = 0; i <= IDS; i++) {
		ids_device(&s, i);
		assert_int_equal(rig_domain(&s.rig, &s.d[i], UIOMMU_DOMAIN_DMA),
				 0);
		assert_int_equal(
			rig_map(&s.rig, &s.d[i], 0, s.p.paddr, 4096, RW), 0);
	}
	for (unsigned int round = 0; round < 3; round++)
		ids_round(&s);
	for (int i = 0; i <= IDS; i++) {
		rig_device_gone(&s.rig, &s.dev[i]);
		rig_domain_gone(&s.rig, &s.d[i]);
	}
	rig_page_gone(&s.rig, s.p, 4096);
	rig_down(&s.rig);
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

static void check_unfit(struct rig *rig, struct rig_device *dev,
			struct uiommu_hwdomain *domain, const char *why)
{
	memset(rig->host->lines, 0, sizeof(rig->host->lines));
	assert_int_equal(rig_attach(rig, dev, domain), UIOMMU_ENOTSUP);
	assert_true(user_logged(rig->host, why));
	assert_true(user_logged(rig->host, "unit 0: cannot walk a domain for "
					   "0000:00:02.0"));
}

/* Tables that a unit cannot walk are not given to it, with the reason. */
static void test_unfit(void **state)
{
	static struct rig rig;
	static struct rig_device a;
	struct uiommu_hwdomain d, identity;
	struct uiommu_pt_config good;

	(void)state;
	rig_describe(&rig);
	kind_3_levels(&rig.config.units[0].model);
	rig.config.units[0].model.sslps = 1;
	rig.config.units[0].model.sc = false;
	rig.config.units[0].model.c = false;
	rig.config.units[0].model.pt = false;
	rig_up(&rig);
	assert_int_equal(rig_device(&rig, &a, just_a), 0);
	assert_int_equal(rig_domain(&rig, &d, UIOMMU_DOMAIN_UNMANAGED), 0);
	assert_int_equal(rig_domain(&rig, &identity, UIOMMU_DOMAIN_IDENTITY),
			 0);
	good = d.pt.config;
	assert_int_equal(good.levels, 3);
	assert_int_equal(good.width, 39);
	assert_int_equal(good.leaf_bits, 0);
	assert_false(good.coherent);
	assert_int_equal(good.paddr_last, (UINT64_C(1) << 39) - 1);
	check_unfit(&rig, &a, &identity, ": no pass-through and no tables");
	d.pt.config.levels = 4;
	check_unfit(&rig, &a, &d, ": tables of another number of levels");
	d.pt.config = good;
	d.pt.config.width = 40;
	check_unfit(&rig, &a, &d, ": wider addresses");
	d.pt.config = good;
	d.pt.config.page_sizes |= 1u << 30;
	check_unfit(&rig, &a, &d, ": larger pages");
	d.pt.config = good;
	d.pt.config.leaf_bits = 1u << 11;
	check_unfit(&rig, &a, &d, ": snoop control");
	d.pt.config = good;
	d.pt.config.coherent = true;
	check_unfit(&rig, &a, &d, ": tables that are not cleaned");
	d.pt.config = good;
	assert_int_equal(rig_attach(&rig, &a, &d), UIOMMU_OK);
	rig_device_gone(&rig, &a);
	rig_domain_gone(&rig, &d);
	rig_domain_gone(&rig, &identity);
	rig_down(&rig);
}

/* A domain for both units, and a device behind each. */
static void two_up(struct rig *rig, unsigned int weak, struct rig_device *a,
		   struct rig_device *b, struct uiommu_hwdomain *d)
{
	static const uint32_t both[] = { 0, 1 };
	struct vtdm_config *m = &rig->config.units[weak].model;
	struct uiommu_pt_config c;

	m->sagaw = 4;
	m->mgaw = 46;
	m->sslps = 1;
	m->sc = false;
	m->qi = false;
	rig_up(rig);
	assert_int_equal(uiommu_vtd_ops.pt_config(rig->driver, both, 2, &c), 0);
	assert_int_equal(c.levels, 4);
	assert_int_equal(c.width, 46);
	assert_int_equal(c.page_sizes, 1u << 12 | 1u << 21);
	assert_int_equal(c.leaf_bits, 0);
	assert_true(c.coherent);

	memset(d, 0, sizeof(*d));
	d->type = UIOMMU_DOMAIN_DMA;
	assert_int_equal(uiommu_pt_init(&d->pt, rig->host, &c), 0);
	assert_int_equal(uiommu_vtd_ops.domain_init(rig->driver, d), 0);
	assert_int_equal(rig_device(rig, a, just_a), 0);
	memset(b, 0, sizeof(*b));
	b->hw.sids = b->sids;
	b->sids[0].rid = 0x18;
	b->hw.sid_count = 1;
	b->hw.unit = 1;
	assert_int_equal(uiommu_vtd_ops.device_init(rig->driver, &b->hw), 0);
	assert_int_equal(rig_attach(rig, a, d), 0);
	assert_int_equal(rig_attach(rig, b, d), 0);
}

static bool second_reaches(struct rig *rig, uint64_t iova)
{
	uint8_t byte = 1;

	return vtdm_dma(rig->host->units[1], 0x18, iova, true, &byte, 1) ==
	       VTDM_OK;
}

/* One domain in two units: what is unmapped goes from both. */
static void test_two_units(void **state)
{
	static struct rig rig;
	static struct rig_device a, b;
	struct uiommu_hwdomain d;
	struct rig_page p;

	(void)state;
	for (unsigned int weak = 0; weak < 2; weak++) {
		rig_describe(&rig);
		rig.config.unit_count = 2;
		two_up(&rig, weak, &a, &b, &d);
		p = rig_page(&rig, 4096);
		assert_int_equal(rig_map(&rig, &d, 0x7000, p.paddr, 4096, RW),
				 0);
		assert_true(rig_reaches(&rig, 0x10, 0x7000, p));
		assert_true(second_reaches(&rig, 0x7000));
		assert_int_equal(rig_unmap(&rig, &d, 0x7000, 4096), 0);
		assert_int_not_equal(rig_write(&rig, 0x10, 0x7000), VTDM_OK);
		assert_false(second_reaches(&rig, 0x7000));
		/* with one left, it is still right there */
		rig_device_gone(&rig, &a);
		assert_int_equal(rig_map(&rig, &d, 0x7000, p.paddr, 4096, RW),
				 0);
		assert_true(second_reaches(&rig, 0x7000));
		assert_int_equal(rig_unmap(&rig, &d, 0x7000, 4096), 0);
		assert_false(second_reaches(&rig, 0x7000));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
