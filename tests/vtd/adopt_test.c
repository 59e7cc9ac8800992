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
	bool pt = w->rig.config.units[0].model.pt;

	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_int_equal(rig_device(&w->rig, &w->b, just_b), 0);
	assert_int_equal(rig_device(&w->rig, &w->c, just_c), 0);
	assert_int_equal(rig_device(&w->rig, &w->d, just_d), 0);
	assert_true(w->a.hw.inherited && w->b.hw.inherited);
	assert_int_equal(w->c.hw.inherited, pt);
	assert_false(w->d.hw.inherited);
}

/* Adopted, enabled, with four devices, while DMA goes on. */
static void world_adopt(struct world *w)
{
	struct rig *rig = &w->rig;

	assert_int_equal(rig_make(rig), UIOMMU_OK);
	old_watch(&w->old, true);
	assert_int_equal(uiommu_vtd_ops.start(rig->driver), UIOMMU_OK);
	world_devices(w);
	assert_int_equal(uiommu_vtd_ops.enable(rig->driver), UIOMMU_OK);
	old_watch(&w->old, false);
	old_flows(&w->old);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
