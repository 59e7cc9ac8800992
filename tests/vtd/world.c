// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

struct uiommu_unit_info info_of(struct rig *rig)
{
	struct uiommu_unit_info info;

	assert_int_equal(uiommu_vtd_ops.unit_info(rig->driver, 0, &info), 0);
	return info;
}

void world_begin(struct world *w)
{
	w->rig.takeover = UIOMMU_TAKEOVER_ADOPT;
	old_begin(&w->old, &w->rig);
	w->stats = vtdm_stats(w->old.unit);
	w->p = old_page(&w->old);
	w->space = old_space(&w->old);
	old_map(&w->old, w->space, 0x5000, w->p.paddr);
	old_enter(&w->old, 0x10, w->space, 1);
	old_flow(&w->old, 0x10, 0x5000, w->p);
}

struct world *world(void)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	rig_describe(&w.rig);
	return &w;
}

void world_end(struct world *w)
{
	struct uiommu_hwdomain domain;
	struct rig *rig = &w->rig;

	assert_int_equal(rig_domain(rig, &domain, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_map(rig, &domain, 0x9000, w->p.paddr, 4096, RW),
			 0);
	assert_int_equal(rig_attach(rig, &w->a, &domain), 0);
	assert_false(w->a.hw.inherited);
	assert_int_not_equal(rig_write(rig, 0x10, 0x5000), VTDM_OK);
	assert_true(rig_reaches(rig, 0x10, 0x9000, w->p));
	rig_device_gone(rig, &w->a);
	rig_domain_gone(rig, &domain);
	rig_down(rig);
}
