// SPDX-License-Identifier: MIT
/* A unit that translates for another kernel, and how it is taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "kinds.h"
#include "old.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const int just_a[] = { 0x10, -1 };
static const int just_b[] = { 0x0118, -1 };
static const int just_c[] = { 0x20, -1 };
static const int just_d[] = { 0x28, -1 };

static struct uiommu_unit_info info_of(struct rig *rig)
{
	struct uiommu_unit_info info;

	assert_int_equal(uiommu_vtd_ops.unit_info(rig->driver, 0, &info), 0);
	return info;
}

/*
 * A with the lowest id and B with the highest, C passes if it can; D is
 * nowhere.
 */
struct world {
	struct rig rig;
	struct old old;
	struct rig_device a, b, c, d;
	struct rig_page p, q;
	unsigned int last; /* domain id */
	const struct vtdm_stats *stats;
};

static void world_begin(struct world *w)
{
	const struct vtdm_config *m = &w->rig.config.units[0].model;
	struct old *old = &w->old;
	uint64_t space;

	w->rig.takeover = UIOMMU_TAKEOVER_ADOPT;
	old_begin(old, &w->rig);
	w->last = (1u << (4 + 2 * m->nd)) - 1;
	w->stats = vtdm_stats(old->unit);
	w->p = old_page(old);
	w->q = old_page(old);
	space = old_space(old);
	old_map(old, space, 0x5000, w->p.paddr);
	old_enter(old, 0x10, space, 1);
	space = old_space(old);
	old_map(old, space, 0x5000, w->q.paddr);
	old_enter(old, 0x0118, space, w->last);
	old_flow(old, 0x10, 0x5000, w->p);
	old_flow(old, 0x0118, 0x5000, w->q);
	if (m->pt) {
		old_pass(old, 0x20, 2);
		old_flow(old, 0x20, w->q.paddr, w->q);
	}
}

static struct world *world_of(const struct kind *kind)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	rig_describe(&w.rig);
	kind->set(&w.rig.config.units[0].model);
	world_begin(&w);
	old_on(&w.old);
	old_flows(&w.old);
	return &w;
}

static void world_devices(struct world *w)
{
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_int_equal(rig_device(&w->rig, &w->b, just_b), 0);
	assert_int_equal(rig_device(&w->rig, &w->c, just_c), 0);
	assert_int_equal(rig_device(&w->rig, &w->d, just_d), 0);
	assert_true(w->a.hw.inherited && w->b.hw.inherited);
	/* who was refused waits, too: for the same reason */
	assert_true(w->c.hw.inherited && w->d.hw.inherited);
	assert_true(w->a.hw.at_work && w->b.hw.at_work && w->d.hw.at_work);
	assert_int_equal(w->c.hw.at_work, !w->rig.config.units[0].model.pt);
}

/* Adopted, enabled, with four devices, while DMA goes on. */
static void world_adopt_made(struct world *w)
{
	struct rig *rig = &w->rig;

	old_watch(&w->old, true);
	assert_int_equal(uiommu_vtd_ops.start(rig->driver), UIOMMU_OK);
	world_devices(w);
	assert_int_equal(uiommu_vtd_ops.enable(rig->driver), UIOMMU_OK);
	old_watch(&w->old, false);
	old_flows(&w->old);
}

static void world_adopt(struct world *w)
{
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	world_adopt_made(w);
}

static void world_down(struct world *w)
{
	rig_device_gone(&w->rig, &w->a);
	rig_device_gone(&w->rig, &w->b);
	rig_device_gone(&w->rig, &w->c);
	rig_device_gone(&w->rig, &w->d);
	rig_down(&w->rig);
}

/* --- Adoption ------------------------------------------------------------- */

/* A moves on its own: what it had is gone from tables and caches. */
static void check_attach(struct world *w)
{
	struct uiommu_hwdomain domain;
	struct rig *rig = &w->rig;
	struct rig_page r = rig_page(rig, 4096);
	uint32_t before = info_of(rig).inherited;
	uint64_t faults = w->stats->faults;
	uint16_t did = 0;

	assert_int_equal(rig_domain(rig, &domain, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_map(rig, &domain, 0x7000, r.paddr, 4096, RW), 0);
	w->old.flows[0] = w->old.flows[1];
	old_watch(&w->old, true);
	assert_int_equal(rig_attach(rig, &w->a, &domain), 0);
	old_watch(&w->old, false);
	assert_false(w->a.hw.inherited);
	assert_int_equal(info_of(rig).inherited, before - 1);
	assert_false(vtdm_iotlb_cached(w->old.unit, 1, 0x5000, NULL));
	assert_int_equal(w->stats->faults, faults);
	assert_int_not_equal(rig_write(rig, 0x10, 0x5000), VTDM_OK);
	assert_true(rig_reaches(rig, 0x10, 0x7000, r));
	assert_true(vtdm_context_cached(w->old.unit, 0x10, &did));
	assert_true(did > 2 && did != w->last);
	old_flows(&w->old);

	assert_int_equal(rig_unmap(rig, &domain, 0x7000, 4096), 0);
	assert_int_not_equal(rig_write(rig, 0x10, 0x7000), VTDM_OK);
	rig_device_gone(rig, &w->a);
	old_flows(&w->old);
	rig_domain_gone(rig, &domain);
	rig_page_gone(rig, r, 4096);
}

/* Not one access is refused from before create until the driver asks. */
static void test_goes_on(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KINDS; i++) {
		struct world *w = world_of(&kinds[i]);
		const struct vtdm_config *m = &w->rig.config.units[0].model;
		struct uiommu_unit_info info;
		uint64_t context = w->stats->ctx_global;
		uint64_t iotlb = w->stats->iotlb_global;

		world_adopt(w);
		assert_true(w->old.steps > 10);
		assert_int_equal(w->stats->te_on, 1);
		assert_int_equal(w->stats->te_off, 0);
		assert_int_equal(w->stats->srtp, 2);
		assert_int_equal(w->stats->ctx_global - context, !m->esrtps);
		assert_int_equal(w->stats->iotlb_global - iotlb, !m->esrtps);
		assert_int_equal(w->stats->faults, 0);
		info = info_of(&w->rig);
		assert_true(info.found_translating && info.adopted);
		assert_true(info.translating);
		assert_int_equal(info.found_queued, m->qi);
		assert_int_equal(info.inherited, m->pt ? 3 : 2);
		/* who was nowhere is refused */
		assert_int_not_equal(rig_write(&w->rig, 0x28, 0x5000), VTDM_OK);
		vtdm_write32(w->old.unit, 0x34, 1);
		check_attach(w);
		world_down(w);
	}
}

/* Whatever the type: what was inherited goes, and only of this device. */
static void test_types(void **state)
{
	static const enum uiommu_domain_type types[] = {
		UIOMMU_DOMAIN_BLOCKED,
		UIOMMU_DOMAIN_IDENTITY,
		UIOMMU_DOMAIN_UNMANAGED,
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct world *w = world_of(&kinds[0]);
		struct uiommu_hwdomain domain;
		uint16_t did;

		world_adopt(w);
		w->old.flows[0] = w->old.flows[1];
		assert_int_equal(rig_domain(&w->rig, &domain, types[i]), 0);
		old_watch(&w->old, true);
		assert_int_equal(rig_attach(&w->rig, &w->a, &domain), 0);
		assert_int_equal(rig_attach(&w->rig, &w->a, &domain), 0);
		old_watch(&w->old, false);
		assert_false(w->a.hw.inherited);
		assert_int_equal(info_of(&w->rig).inherited, 2);
		assert_false(vtdm_iotlb_cached(w->old.unit, 1, 0x5000, NULL));
		assert_false(vtdm_context_cached(w->old.unit, 0x10, &did));
		if (types[i] == UIOMMU_DOMAIN_IDENTITY)
			assert_true(
				rig_reaches(&w->rig, 0x10, w->q.paddr, w->q));
		else
			assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000),
					     VTDM_OK);
		/* id 1 was taken, so identity has another */
		if (vtdm_context_cached(w->old.unit, 0x10, &did))
			assert_true(did > 2 && did < w->last);
		old_flows(&w->old);
		rig_device_gone(&w->rig, &w->a);
		rig_domain_gone(&w->rig, &domain);
		world_down(w);
	}
}

/* Who was never attached leaves, and its DMA goes on to the end. */
static void test_never_attached(void **state)
{
	struct world *w = world_of(&kinds[0]);
	uint64_t flushes;

	(void)state;
	world_adopt(w);
	flushes = w->stats->ctx_device + w->stats->iotlb_domain;
	old_watch(&w->old, true);
	rig_device_gone(&w->rig, &w->a);
	rig_device_gone(&w->rig, &w->b);
	rig_device_gone(&w->rig, &w->c);
	old_watch(&w->old, false);
	old_flows(&w->old);
	assert_int_equal(w->stats->ctx_device + w->stats->iotlb_domain,
			 flushes);
	assert_int_equal(info_of(&w->rig).inherited, 3);
	/* it comes back, and it waits again */
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_true(w->a.hw.inherited);
	old_flows(&w->old);
	world_down(w);
}

/* --- Domain ids ----------------------------------------------------------- */

/* 16 ids, of which the other kernel has 1 to @last. */
static void ids_world(struct world *w, unsigned int last)
{
	memset(w, 0, sizeof(*w));
	rig_describe(&w->rig);
	kind_few_ids(&w->rig.config.units[0].model);
	world_begin(w);
	for (unsigned int did = 1; did <= last; did++)
		old_pass(&w->old, (int)(0x200 + did), did);
	old_enter(&w->old, 0x0118, old_space(&w->old), 1);
	w->old.flow_count = 1;
	old_on(&w->old);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), UIOMMU_OK);
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_int_equal(rig_device(&w->rig, &w->b, just_b), 0);
	assert_int_equal(rig_device(&w->rig, &w->d, just_d), 0);
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), UIOMMU_OK);
}

static void ids_down(struct world *w)
{
	rig_device_gone(&w->rig, &w->a);
	rig_device_gone(&w->rig, &w->b);
	rig_device_gone(&w->rig, &w->d);
}

/* Ours never are among those, however few are left. */
static void test_ids_run_out(void **state)
{
	static struct world w;

	(void)state;
	for (unsigned int left = 0; left < 3; left++) {
		struct uiommu_hwdomain one, two, identity;

		ids_world(&w, 15 - left);
		assert_int_equal(rig_domain(&w.rig, &one, UIOMMU_DOMAIN_DMA),
				 0);
		assert_int_equal(rig_domain(&w.rig, &two, UIOMMU_DOMAIN_DMA),
				 0);
		assert_int_equal(
			rig_domain(&w.rig, &identity, UIOMMU_DOMAIN_IDENTITY),
			0);
		/* the first that is left is identity's */
		assert_int_equal(rig_attach(&w.rig, &w.d, &identity),
				 left ? UIOMMU_OK : UIOMMU_ENOSPC);
		assert_int_equal(rig_attach(&w.rig, &w.b, &one),
				 left > 1 ? UIOMMU_OK : UIOMMU_ENOSPC);
		assert_int_equal(w.b.hw.inherited, left < 2);
		assert_int_equal(rig_attach(&w.rig, &w.a, &two), UIOMMU_ENOSPC);
		/* refused, it stays where it was */
		assert_true(w.a.hw.inherited);
		old_flows(&w.old);
		ids_down(&w);
		rig_domain_gone(&w.rig, &one);
		rig_domain_gone(&w.rig, &two);
		rig_domain_gone(&w.rig, &identity);
		rig_down(&w.rig);
	}
}

/* Of an entry that is gone the id may be had, if no other entry has it. */
static void test_ids_again(void **state)
{
	struct uiommu_hwdomain one, two,
		blocked = { .type = UIOMMU_DOMAIN_BLOCKED };
	static const int rids[] = { 0x209, -1 };
	static struct world w;

	(void)state;
	ids_world(&w, 15);
	assert_int_equal(rig_domain(&w.rig, &one, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(&w.rig, &two, UIOMMU_DOMAIN_DMA), 0);
	/* B has one that others have, C the only entry with id 9 */
	assert_int_equal(rig_attach(&w.rig, &w.b, &blocked), 0);
	assert_int_equal(rig_attach(&w.rig, &w.a, &one), UIOMMU_ENOSPC);
	assert_int_equal(rig_device(&w.rig, &w.c, rids), 0);
	assert_int_equal(rig_attach(&w.rig, &w.c, &blocked), 0);
	assert_int_equal(rig_attach(&w.rig, &w.d, &one), 0);
	assert_int_equal(rig_attach(&w.rig, &w.a, &two), UIOMMU_ENOSPC);
	old_flows(&w.old);
	/* identity, which had none at all, has it as well */
	assert_int_equal(rig_attach(&w.rig, &w.d, &blocked), 0);
	rig_domain_gone(&w.rig, &two);
	assert_int_equal(rig_domain(&w.rig, &two, UIOMMU_DOMAIN_IDENTITY), 0);
	assert_int_equal(rig_attach(&w.rig, &w.d, &two), 0);
	rig_device_gone(&w.rig, &w.c);
	ids_down(&w);
	rig_domain_gone(&w.rig, &one);
	rig_domain_gone(&w.rig, &two);
	rig_down(&w.rig);
}

/* After a stop all of them are ours. */
static void test_ids_after_stop(void **state)
{
	static struct world w;
	struct uiommu_hwdomain domains[14];
	static struct rig_device devices[14];

	(void)state;
	ids_world(&w, 15);
	ids_down(&w);
	uiommu_vtd_ops.stop(w.rig.driver);
	assert_int_equal(w.stats->te_off, 1);
	assert_int_equal(uiommu_vtd_ops.start(w.rig.driver), UIOMMU_OK);
	assert_false(info_of(&w.rig).adopted);
	assert_int_equal(info_of(&w.rig).inherited, 0);
	for (int i = 0; i < 14; i++) {
		int rids[] = { 0x30 + i, -1 };

		assert_int_equal(rig_device(&w.rig, &devices[i], rids), 0);
		assert_int_equal(
			rig_domain(&w.rig, &domains[i], UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(rig_attach(&w.rig, &devices[i], &domains[i]),
				 0);
	}
	for (int i = 0; i < 14; i++) {
		rig_device_gone(&w.rig, &devices[i]);
		rig_domain_gone(&w.rig, &domains[i]);
	}
	rig_down(&w.rig);
}

/* --- Requester ids that are shared ---------------------------------------- */

/* A bridge's id for two, and each has one of its own: all inherited. */
struct shared {
	struct rig rig;
	struct old old;
	struct rig_device a, b;
	struct rig_page p;
	struct uiommu_hwdomain domain;
};

static struct shared *shared_up(void)
{
	static const int rids_a[] = { 0x208, 0x200, -1 };
	static const int rids_b[] = { 0x210, 0x200, -1 };
	static struct shared s;
	uint64_t space;

	memset(&s, 0, sizeof(s));
	rig_describe(&s.rig);
	s.rig.takeover = UIOMMU_TAKEOVER_ADOPT;
	old_begin(&s.old, &s.rig);
	s.p = old_page(&s.old);
	space = old_space(&s.old);
	old_map(&s.old, space, 0x5000, s.p.paddr);
	for (int rid = 0x200; rid <= 0x210; rid += 8) {
		old_enter(&s.old, rid, space, 7);
		old_flow(&s.old, rid, 0x5000, s.p);
	}
	old_on(&s.old);
	old_flows(&s.old);
	rig_up(&s.rig);
	assert_int_equal(rig_device(&s.rig, &s.a, rids_a), 0);
	assert_int_equal(rig_device(&s.rig, &s.b, rids_b), 0);
	assert_true(s.a.hw.inherited && s.b.hw.inherited);
	assert_int_equal(rig_domain(&s.rig, &s.domain, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(
		rig_map(&s.rig, &s.domain, 0x9000, s.p.paddr, 4096, RW), 0);
	old_flows(&s.old);
	return &s;
}

static void shared_down(struct shared *s)
{
	rig_device_gone(&s->rig, &s->a);
	rig_device_gone(&s->rig, &s->b);
	rig_domain_gone(&s->rig, &s->domain);
	rig_down(&s->rig);
}

/* Every one of the device's ids moves, the bridge's too. */
static void test_aliases(void **state)
{
	struct shared *s = shared_up();

	(void)state;
	assert_int_equal(rig_attach(&s->rig, &s->a, &s->domain), 0);
	for (int rid = 0x200; rid <= 0x208; rid += 8) {
		assert_int_not_equal(rig_write(&s->rig, rid, 0x5000), VTDM_OK);
		assert_true(rig_reaches(&s->rig, rid, 0x9000, s->p));
	}
	/* the other's own id waits for it */
	assert_true(s->b.hw.inherited && !s->a.hw.inherited);
	assert_int_equal(info_of(&s->rig).inherited, 1);
	assert_true(rig_reaches(&s->rig, 0x210, 0x5000, s->p));
	assert_int_equal(rig_attach(&s->rig, &s->b, &s->domain), 0);
	assert_false(s->b.hw.inherited);
	assert_int_equal(info_of(&s->rig).inherited, 0);
	assert_int_not_equal(rig_write(&s->rig, 0x210, 0x5000), VTDM_OK);
	assert_true(rig_reaches(&s->rig, 0x210, 0x9000, s->p));
	assert_true(rig_reaches(&s->rig, 0x200, 0x9000, s->p));
	shared_down(s);
}

/* Who is refused takes the id they share along, and leaves the other's own. */
static void test_sharer_refused(void **state)
{
	struct uiommu_hwdomain blocked = { .type = UIOMMU_DOMAIN_BLOCKED };
	struct shared *s = shared_up();

	(void)state;
	assert_int_equal(rig_attach(&s->rig, &s->a, &blocked), 0);
	assert_int_not_equal(rig_write(&s->rig, 0x200, 0x5000), VTDM_OK);
	assert_true(rig_reaches(&s->rig, 0x210, 0x5000, s->p));
	assert_int_equal(info_of(&s->rig).inherited, 1);
	shared_down(s);
}

/* Who yields leaves it, as long as there is somebody. */
static void test_sharer_yields(void **state)
{
	struct uiommu_hwdomain blocked = { .type = UIOMMU_DOMAIN_BLOCKED };
	struct shared *s = shared_up();

	(void)state;
	s->a.hw.yields = true;
	assert_int_equal(rig_attach(&s->rig, &s->a, &blocked), 0);
	assert_true(rig_reaches(&s->rig, 0x200, 0x5000, s->p));
	assert_false(s->a.hw.inherited);
	rig_device_gone(&s->rig, &s->b);
	assert_int_not_equal(rig_write(&s->rig, 0x200, 0x5000), VTDM_OK);
	assert_true(rig_reaches(&s->rig, 0x210, 0x5000, s->p));
	assert_int_equal(info_of(&s->rig).inherited, 1);
	shared_down(s);

	s = shared_up();
	s->a.hw.yields = true;
	assert_int_equal(rig_attach(&s->rig, &s->a, &blocked), 0);
	assert_int_not_equal(rig_write(&s->rig, 0x208, 0x5000), VTDM_OK);
	assert_true(rig_reaches(&s->rig, 0x200, 0x5000, s->p));
	assert_true(rig_reaches(&s->rig, 0x210, 0x5000, s->p));
	assert_int_equal(info_of(&s->rig).inherited, 2);
	/* but it goes with the other one, for good */
	assert_int_equal(rig_attach(&s->rig, &s->b, &blocked), 0);
	assert_int_not_equal(rig_write(&s->rig, 0x200, 0x5000), VTDM_OK);
	assert_int_not_equal(rig_write(&s->rig, 0x210, 0x5000), VTDM_OK);
	assert_int_equal(info_of(&s->rig).inherited, 0);
	assert_int_equal(rig_attach(&s->rig, &s->a, &s->domain), 0);
	assert_int_equal(rig_attach(&s->rig, &s->a, &blocked), 0);
	assert_int_not_equal(rig_write(&s->rig, 0x200, 0x5000), VTDM_OK);
	shared_down(s);
}

/* One who leaves unattached takes nothing from who was attached. */
static void test_sharer_leaves(void **state)
{
	struct shared *s = shared_up();

	(void)state;
	assert_int_equal(rig_attach(&s->rig, &s->a, &s->domain), 0);
	rig_device_gone(&s->rig, &s->b);
	assert_true(rig_reaches(&s->rig, 0x200, 0x9000, s->p));
	assert_true(rig_reaches(&s->rig, 0x210, 0x5000, s->p));
	shared_down(s);

	/* and who was attached leaves nothing behind */
	s = shared_up();
	assert_int_equal(rig_attach(&s->rig, &s->a, &s->domain), 0);
	rig_device_gone(&s->rig, &s->a);
	assert_int_not_equal(rig_write(&s->rig, 0x200, 0x5000), VTDM_OK);
	assert_int_not_equal(rig_write(&s->rig, 0x200, 0x9000), VTDM_OK);
	assert_true(rig_reaches(&s->rig, 0x210, 0x5000, s->p));
	shared_down(s);
}

/* More ids than are changed at once, some inherited, some absent. */
static void test_many_aliases(void **state)
{
	static struct world w;
	struct uiommu_hwdomain domain;
	int rids[41];

	(void)state;
	memset(&w, 0, sizeof(w));
	rig_describe(&w.rig);
	world_begin(&w);
	for (int i = 0; i < 40; i++) {
		rids[i] = 0x300 + 16 * i;
		if (i % 3)
			old_pass(&w.old, rids[i], 3 + (unsigned int)i % 5);
	}
	rids[40] = -1;
	old_on(&w.old);
	rig_up(&w.rig);
	assert_int_equal(rig_device(&w.rig, &w.a, rids), 0);
	assert_true(w.a.hw.inherited);
	for (int i = 0; i < 40; i++)
		assert_int_equal(rig_write(&w.rig, rids[i], w.q.paddr) ==
					 VTDM_OK,
				 i % 3 != 0);
	assert_int_equal(rig_domain(&w.rig, &domain, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_map(&w.rig, &domain, 0x9000, w.p.paddr, 4096, RW),
			 0);
	assert_int_equal(rig_attach(&w.rig, &w.a, &domain), 0);
	for (int i = 0; i < 40; i++) {
		assert_int_not_equal(rig_write(&w.rig, rids[i], w.q.paddr),
				     VTDM_OK);
		assert_true(rig_reaches(&w.rig, rids[i], 0x9000, w.p));
	}
	old_flows(&w.old);
	rig_device_gone(&w.rig, &w.a);
	rig_domain_gone(&w.rig, &domain);
	rig_down(&w.rig);
}

/* --- What else was on ----------------------------------------------------- */

/* Interrupt remapping stays as it is, protected memory is opened. */
static void test_found(void **state)
{
	static struct world w;
	struct uiommu_unit_info info;

	(void)state;
	memset(&w, 0, sizeof(w));
	rig_describe(&w.rig);
	w.rig.config.units[0].model.ir = true;
	w.rig.config.units[0].model.phmr = false;
	world_begin(&w);
	old_on(&w.old);
	vtdm_write32(w.old.unit, OLD_GCMD, 0x85000000); /* SIRTP */
	vtdm_write32(w.old.unit, OLD_GCMD, 0x86000000); /* IRE */
	for (unsigned int offset = 0x68; offset <= 0x6c; offset += 4)
		vtdm_write32(w.old.unit, offset, 0xf0000000u);
	vtdm_write32(w.old.unit, 0x64, 0x80000000u);
	assert_int_equal(rig_make(&w.rig), UIOMMU_OK);
	info = info_of(&w.rig);
	assert_true(info.found_translating && info.found_queued);
	assert_true(info.found_interrupt_remapping && info.found_protected);
	assert_false(info.found_unfinished || info.adopted);
	assert_true(user_logged(w.rig.host,
				"unit 0: found on: translation "
				"queued-invalidation interrupt-remapping "
				"protected-memory"));
	world_adopt_made(&w);
	assert_true(vtdm_read32(w.old.unit, OLD_GSTS) & 0x02000000);
	assert_int_equal(vtdm_read32(w.old.unit, 0x64), 0);
	assert_int_equal(w.stats->te_off, 0);
	world_down(&w);
}

/* Nothing on, nothing said. */
static void test_found_off(void **state)
{
	static struct rig rig;
	struct uiommu_unit_info info;

	(void)state;
	rig_describe(&rig);
	assert_int_equal(rig_make(&rig), UIOMMU_OK);
	info = info_of(&rig);
	assert_false(info.found_translating || info.found_queued ||
		     info.found_unfinished || info.found_interrupt_remapping ||
		     info.found_protected || info.adopted);
	assert_false(user_logged(rig.host, "found"));
	/* to be adopted, and there is nothing */
	rig.takeover = UIOMMU_TAKEOVER_ADOPT;
	assert_int_equal(uiommu_vtd_ops.start(rig.driver), 0);
	assert_false(info_of(&rig).adopted);
	rig_down(&rig);
}

/* The other kernel's queue: half run, or stuck for ever by an error. */
static void test_queue(void **state)
{
	static struct world w;

	(void)state;
	for (unsigned int stuck = 0; stuck < 2; stuck++) {
		memset(&w, 0, sizeof(w));
		rig_describe(&w.rig);
		world_begin(&w);
		old_on(&w.old);
		vtdm_knobs(w.old.unit)->queue_ticks = 20;
		for (unsigned int i = 0; i < 4; i++)
			old_set(&w.old, &w.old.queue[2 * i], stuck ? 0xf : 5,
				0);
		vtdm_write64(w.old.unit, OLD_IQT, 0x40);
		if (stuck)
			vtdm_tick(w.old.unit, 100);
		assert_int_equal(rig_make(&w.rig), UIOMMU_OK);
		assert_true(info_of(&w.rig).found_unfinished);
		world_adopt_made(&w);
		assert_int_equal(user_logged(w.rig.host, "does not drain"),
				 stuck);
		if (!stuck)
			assert_true(w.stats->wait >= 4);
		assert_int_equal(w.stats->te_off, 0);
		assert_int_not_equal(vtdm_read64(w.old.unit, OLD_IQA),
				     w.old.queue_paddr);
		if (stuck) /* ended while not empty, unknown descriptors */
			vtdm_violations_clear(w.old.unit);
		check_attach(&w);
		world_down(&w);
	}
}

/* All 65536 requesters, and all ids but one. */
static void test_huge(void **state)
{
	static struct world w;
	struct uiommu_hwdomain domain;
	uint16_t did = 0;

	(void)state;
	memset(&w, 0, sizeof(w));
	rig_describe(&w.rig);
	world_begin(&w);
	for (int rid = 0; rid < 65536; rid++)
		if (rid != 0x10 && rid != 0x0118)
			old_pass(&w.old, rid,
				 rid == 0x4321 ? 5
				 : rid	       ? rid
					       : 5);
	old_on(&w.old);
	rig_up(&w.rig);
	assert_int_equal(info_of(&w.rig).inherited, 65536);
	assert_true(
		user_logged(w.rig.host, "65536 requesters on 256 buses stay"));
	old_flows(&w.old);
	assert_int_equal(rig_device(&w.rig, &w.a, just_a), 0);
	assert_int_equal(rig_domain(&w.rig, &domain, UIOMMU_DOMAIN_UNMANAGED),
			 0);
	/* the ids of 0x0010, 0x0118 and 0x4321 are free; the first of them
	 * went to identity, as 1 was taken */
	assert_int_equal(rig_map(&w.rig, &domain, 0x9000, w.p.paddr, 4096, RW),
			 0);
	assert_int_equal(rig_attach(&w.rig, &w.a, &domain), 0);
	assert_true(rig_reaches(&w.rig, 0x10, 0x9000, w.p));
	assert_true(vtdm_context_cached(w.old.unit, 0x10, &did));
	assert_true(did == 0x118 || did == 0x4321);
	assert_int_equal(rig_write(&w.rig, 0xffff, w.q.paddr), VTDM_OK);
	rig_device_gone(&w.rig, &w.a);
	rig_domain_gone(&w.rig, &domain);
	rig_down(&w.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_never_attached),
		cmocka_unit_test(test_ids_run_out),
		cmocka_unit_test(test_ids_again),
		cmocka_unit_test(test_ids_after_stop),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_sharer_refused),
		cmocka_unit_test(test_sharer_yields),
		cmocka_unit_test(test_sharer_leaves),
		cmocka_unit_test(test_many_aliases),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_found_off),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
