// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "inherit.h"

const struct uiommu_sid inherit_sids[INHERIT_ENTRIES] = {
	[ALONE] = MACHINE_ALONE, [OTHER] = MACHINE_OTHER,
	[PAIR0] = MACHINE_PAIR0, [PAIR1] = MACHINE_PAIR1,
	[NVME] = MACHINE_NVME,	 [PCI0] = MACHINE_PCI0,
	[PCI1] = MACHINE_PCI1,	 [ALIAS] = MACHINE_ALIAS,
	[USB] = MACHINE_USB,
};

void inherit_describe(struct inherit *t)
{
	memset(t, 0, sizeof(*t));
	machine_describe(&t->machine);
	t->machine.options.takeover = UIOMMU_TAKEOVER_ADOPT;
}

/* Two devices never share a space, also where they share a group. */
static void inherit_fill(struct inherit *t)
{
	struct old *old = &t->old;

	for (int who = 0; who < INHERIT_ENTRIES; who++) {
		int rid = inherit_sids[who].rid;
		uint64_t space;

		t->pages[who] = old_page(old);
		if (who == USB) {
			old_pass(old, rid, 1);
			old_flow(old, rid, t->pages[who].paddr, t->pages[who]);
			continue;
		}
		space = old_space(old);
		old_map(old, space, INHERIT_OLD, t->pages[who].paddr);
		old_enter(old, rid, space, 2 + (unsigned int)who);
		old_flow(old, rid, INHERIT_OLD, t->pages[who]);
	}
}

void inherit_old(struct inherit *t)
{
	struct machine *machine = &t->machine;

	t->rig.config = machine->config;
	old_begin(&t->old, &t->rig);
	machine->host = t->rig.host;
	t->stats = vtdm_stats(t->old.unit);
	inherit_fill(t);
	old_on(&t->old);
	old_flows(&t->old);
	t->memory.bytes = vtdm_mem_alloc(machine->host->mem, 8192,
					 VTDM_MEM_HIGH, &t->memory.paddr);
	assert_non_null(t->memory.bytes);
	user_dmar_end(&machine->dmar);
	machine->options.dmar = machine->dmar.bytes;
	machine->options.dmar_size = machine->dmar.size;
}

struct inherit *inherit_up(bool direct)
{
	static struct inherit t;

	inherit_describe(&t);
	if (direct)
		t.machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	inherit_old(&t);
	old_watch(&t.old, true);
	assert_int_equal(machine_scan(&t.machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(t.machine.uiommu), UIOMMU_OK);
	old_watch(&t.old, false);
	old_flows(&t.old);
	return &t;
}

void inherit_down(struct inherit *t)
{
	old_watch(&t->old, false);
	uiommu_stop(t->machine.uiommu);
	assert_int_equal(user_violations(t->machine.host), 0);
	vtdm_mem_free(t->machine.host->mem, t->memory.bytes, 8192);
	machine_down(&t->machine);
}

void inherit_down_broken(struct inherit *t)
{
	struct uiommu_host *host = t->machine.host;

	uiommu_stop(t->machine.uiommu);
	uiommu_destroy(t->machine.uiommu);
	assert_int_equal(host->windows, 0);
	assert_int_equal(host->locks, 0);
	vtdm_mem_free(host->mem, t->memory.bytes, 8192);
	user_host_destroy(host);
}

struct uiommu_unit_info inherit_info(struct inherit *t)
{
	struct uiommu_unit_info info;

	assert_int_equal(uiommu_unit_info(t->machine.uiommu, 0, &info), 0);
	return info;
}

uint64_t inherit_attaches(const struct inherit *t)
{
	return t->stats->ctx_device + t->stats->ctx_domain +
	       t->stats->ctx_global;
}

void inherit_over(struct inherit *t, enum inherit_who who)
{
	struct old *old = &t->old;

	for (unsigned int i = 0; i < old->flow_count; i++)
		if (old->flows[i].rid == inherit_sids[who].rid) {
			old->flows[i] = old->flows[--old->flow_count];
			return;
		}
	fail_msg("%d has no flow", (int)who);
}

bool inherit_lands(struct inherit *t, enum inherit_who who)
{
	return rig_reaches(&t->rig, inherit_sids[who].rid,
			   who == USB ? t->pages[who].paddr : INHERIT_OLD,
			   t->pages[who]);
}

bool inherit_reaches(struct inherit *t, enum inherit_who who, uint64_t iova,
		     unsigned int index)
{
	struct rig_page page = { t->memory.bytes + 4096 * (size_t)index,
				 t->memory.paddr + 4096 * (uint64_t)index };

	return rig_reaches(&t->rig, inherit_sids[who].rid, iova, page);
}
