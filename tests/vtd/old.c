// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "old.h"

static uint64_t *old_alloc(struct old *old, uint64_t *paddr)
{
	struct vtdm_mem *mem = old->rig->host->mem;
	uint64_t *page = vtdm_mem_alloc(mem, 4096, 0, paddr);

	assert_non_null(page);
	vtdm_mem_clean(mem, page, 4096);
	return page;
}

static uint64_t *old_at(struct old *old, uint64_t paddr)
{
	uint64_t *page = vtdm_mem_ptr(old->rig->host->mem, paddr);

	assert_non_null(page);
	return page;
}

void old_set(struct old *old, uint64_t *entry, uint64_t lo, uint64_t hi)
{
	entry[0] = lo;
	entry[1] = hi;
	vtdm_mem_clean(old->rig->host->mem, entry, 16);
}

void old_begin(struct old *old, struct rig *rig)
{
	rig_memory(rig);
	rig->host = user_host_create(&rig->config);
	old_join(old, rig, 0);
}

void old_join(struct old *old, struct rig *rig, unsigned int unit)
{
	unsigned int sagaw = rig->config.units[unit].model.sagaw;

	memset(old, 0, sizeof(*old));
	old->rig = rig;
	old->unit = rig->host->units[unit];
	old->model = &rig->config.units[unit].model;
	old->levels = sagaw & 8 ? 5 : sagaw & 4 ? 4 : 3;
	old->root = old_alloc(old, &old->root_paddr);
	old->queue = old_alloc(old, &old->queue_paddr);
}

struct rig_page old_page(struct old *old)
{
	struct rig_page page;
	uint64_t paddr;

	page.bytes = (uint8_t *)old_alloc(old, &paddr);
	page.paddr = paddr;
	return page;
}

uint64_t old_space(struct old *old)
{
	uint64_t paddr;

	(void)old_alloc(old, &paddr);
	return paddr;
}

void old_map(struct old *old, uint64_t space, uint64_t iova, uint64_t paddr)
{
	uint64_t *table = old_at(old, space);

	for (unsigned int level = old->levels - 1; level; level--) {
		uint64_t *e = &table[iova >> (12 + 9 * level) & 0x1ff];
		uint64_t next;

		if (!*e) {
			(void)old_alloc(old, &next);
			*e = next | 3;
			vtdm_mem_clean(old->rig->host->mem, e, 8);
		}
		table = old_at(old, *e & 0x000ffffffffff000u);
	}
	table[iova >> 12 & 0x1ff] = paddr | 3;
	vtdm_mem_clean(old->rig->host->mem, &table[iova >> 12 & 0x1ff], 8);
}

uint64_t *old_entry(struct old *old, int rid)
{
	uint64_t *root = &old->root[2 * (rid >> 8)];
	uint64_t paddr;

	if (!root[0]) {
		(void)old_alloc(old, &paddr);
		old_set(old, root, paddr | 1, 0);
	}
	return &old_at(old, root[0] & ~(uint64_t)0xfff)[2 * (rid & 0xff)];
}

void old_enter(struct old *old, int rid, uint64_t space, unsigned int did)
{
	old_set(old, old_entry(old, rid), space | 1,
		(uint64_t)did << 8 | (old->levels - 2));
}

void old_pass(struct old *old, int rid, unsigned int did)
{
	old_set(old, old_entry(old, rid), 1 | 2 << 2,
		(uint64_t)did << 8 | (old->levels - 2));
}

static void old_command(struct old *old, uint32_t bit)
{
	uint32_t kept = vtdm_read32(old->unit, OLD_GSTS) & 0x86800000u;

	vtdm_write32(old->unit, OLD_GCMD, kept | bit);
}

void old_on(struct old *old)
{
	const struct vtdm_config *m = old->model;

	if (m->rwbf)
		old_command(old, OLD_WBF);
	vtdm_write64(old->unit, OLD_RTADDR, old->root_paddr);
	old_command(old, OLD_SRTP);
	vtdm_write64(old->unit, 0x28, (uint64_t)5 << 61);
	vtdm_write64(old->unit, m->iro + 8, (uint64_t)9 << 60);
	if (m->qi) {
		vtdm_write64(old->unit, OLD_IQT, 0);
		vtdm_write64(old->unit, OLD_IQA, old->queue_paddr);
		old_command(old, OLD_QIE);
	}
	old_command(old, OLD_TE);
	assert_true(vtdm_read32(old->unit, OLD_GSTS) & OLD_TE);
}

void old_flow(struct old *old, int rid, uint64_t iova, struct rig_page page)
{
	old->flows[old->flow_count].rid = rid;
	old->flows[old->flow_count].iova = iova;
	old->flows[old->flow_count].page = page;
	old->flow_count++;
}

bool old_lands(struct old *old, int rid, uint64_t iova, struct rig_page page)
{
	uint8_t mark = 0x5a, *byte = &page.bytes[iova & 4095];
	enum vtdm_result result;

	*byte = 0;
	result = vtdm_dma(old->unit, (uint16_t)rid, iova, true, &mark, 1);
	assert_int_equal(*byte == mark, result == VTDM_OK);
	return result == VTDM_OK;
}

void old_flows(struct old *old)
{
	for (unsigned int i = 0; i < old->flow_count; i++)
		assert_true(old_lands(old, old->flows[i].rid,
				      old->flows[i].iova, old->flows[i].page));
	old->steps++;
}

static void old_step(struct uiommu_host *host, void *context)
{
	(void)host;
	old_flows(context);
}

void old_watch(struct old *old, bool on)
{
	old->rig->host->on_mmio = on ? old_step : NULL;
	old->rig->host->on_mmio_context = old;
}
