// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

void rig_describe(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->timeout_us = RIG_TIMEOUT_US;
	user_config_default(&rig->config);
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		struct vtdm_config *m = &rig->config.units[i].model;

		m->haw = 39;
		m->plmr = true;
	}
}

void rig_memory(struct rig *rig)
{
	for (unsigned int i = 0; i < rig->config.unit_count; i++) {
		const struct vtdm_config *m = &rig->config.units[i].model;

		if (!m->c)
			rig->config.memory.noncoherent = true;
		if (m->rwbf)
			rig->config.memory.buffered = true;
	}
}

int rig_make(struct rig *rig)
{
	struct uiommu_driver_env env = {
		.dmar = &rig->dmar,
		.timeout_us = rig->timeout_us,
		.takeover = rig->takeover,
		.takeover_block = rig->takeover_block
	};

	rig_memory(rig);
	if (!rig->host)
		rig->host = user_host_create(&rig->config);
	if (!rig->table.size) {
		user_dmar_begin(&rig->table, 39);
		for (unsigned int i = 0; i < rig->config.unit_count; i++)
			user_dmar_unit(&rig->table, (uint16_t)i,
				       rig->config.units[i].base, true);
		user_dmar_end(&rig->table);
	}
	assert_int_equal(uiommu_dmar_read(rig->table.bytes, rig->table.size,
					  rig->memory, sizeof(rig->memory),
					  &rig->dmar),
			 UIOMMU_OK);
	env.host = rig->host;
	return uiommu_vtd_ops.create(&env, &rig->driver);
}

void rig_up(struct rig *rig)
{
	assert_int_equal(rig_make(rig), UIOMMU_OK);
	assert_int_equal(uiommu_vtd_ops.start(rig->driver), UIOMMU_OK);
	assert_int_equal(uiommu_vtd_ops.enable(rig->driver), UIOMMU_OK);
}

void rig_down_leaking(struct rig *rig)
{
	if (rig->driver) {
		uiommu_vtd_ops.stop(rig->driver);
		uiommu_vtd_ops.destroy(rig->driver);
	}
	assert_int_equal(rig->host->locks, 0);
	assert_int_equal(rig->host->windows, 0);
	user_host_destroy(rig->host);
	rig->driver = NULL;
	rig->host = NULL;
}

void rig_down(struct rig *rig)
{
	if (rig->driver) {
		uiommu_vtd_ops.stop(rig->driver);
		uiommu_vtd_ops.destroy(rig->driver);
		rig->driver = NULL;
	}
	assert_int_equal(user_violations(rig->host), 0);
	assert_int_equal(rig->host->pages, 0);
	rig_down_leaking(rig);
}

int rig_device(struct rig *rig, struct rig_device *dev, const int *rids)
{
	memset(dev, 0, sizeof(*dev));
	dev->hw.sids = dev->sids;
	for (; *rids >= 0; rids++)
		dev->sids[dev->hw.sid_count++].rid = (uint16_t)*rids;
	return uiommu_vtd_ops.device_init(rig->driver, &dev->hw);
}

void rig_device_gone(struct rig *rig, struct rig_device *dev)
{
	uiommu_vtd_ops.device_fini(rig->driver, &dev->hw);
}

int rig_domain(struct rig *rig, struct uiommu_hwdomain *domain,
	       enum uiommu_domain_type type)
{
	static const uint32_t units[] = { 0 };
	struct uiommu_pt_config config;
	int err;

	memset(domain, 0, sizeof(*domain));
	domain->type = type;
	if (type == UIOMMU_DOMAIN_DMA || type == UIOMMU_DOMAIN_UNMANAGED) {
		err = uiommu_vtd_ops.pt_config(rig->driver, units, 1, &config);
		if (err)
			return err;
		err = uiommu_pt_init(&domain->pt, rig->host, &config);
		if (err)
			return err;
	}
	err = uiommu_vtd_ops.domain_init(rig->driver, domain);
	if (err && domain->pt.root)
		uiommu_pt_fini(&domain->pt);
	return err;
}

void rig_domain_gone(struct rig *rig, struct uiommu_hwdomain *domain)
{
	uiommu_vtd_ops.domain_fini(rig->driver, domain);
	if (domain->pt.root)
		uiommu_pt_fini(&domain->pt);
}

int rig_attach(struct rig *rig, struct rig_device *dev,
	       struct uiommu_hwdomain *domain)
{
	struct uiommu_hwdomain *old = dev->hw.domain;
	int err = uiommu_vtd_ops.attach(rig->driver, &dev->hw, domain);

	assert_ptr_equal(dev->hw.domain, err ? old : domain);
	return err;
}

static int rig_flush(struct rig *rig, struct uiommu_hwdomain *domain,
		     struct uiommu_gather *gather)
{
	int err = UIOMMU_OK;

	if (gather->count)
		err = uiommu_vtd_ops.invalidate(rig->driver, domain, gather);
	if (!err)
		uiommu_gather_free(&domain->pt, gather);
	return err;
}

int rig_map(struct rig *rig, struct uiommu_hwdomain *domain, uint64_t iova,
	    uint64_t paddr, uint64_t size, unsigned int prot)
{
	struct uiommu_range range = { iova, iova + size - 1 };
	struct uiommu_gather gather;
	int flushed;
	int err;

	uiommu_gather_init(&gather);
	err = uiommu_pt_map(&domain->pt, range, paddr, prot, 0, &gather);
	flushed = rig_flush(rig, domain, &gather);
	if (err || flushed)
		return err ? err : flushed;
	if (!domain->map_sync)
		return UIOMMU_OK;
	return uiommu_vtd_ops.map_sync(rig->driver, domain, range);
}

int rig_unmap(struct rig *rig, struct uiommu_hwdomain *domain, uint64_t iova,
	      uint64_t size)
{
	struct uiommu_range range = { iova, iova + size - 1 };
	struct uiommu_gather gather;
	uint64_t unmapped;
	int err;

	uiommu_gather_init(&gather);
	err = uiommu_pt_unmap(&domain->pt, range, 0, &gather, &unmapped);
	return err ? err : rig_flush(rig, domain, &gather);
}

struct rig_page rig_page(struct rig *rig, size_t size)
{
	struct rig_page page = { NULL, 0 };

	page.bytes = uiommu_host_page_alloc(rig->host, size, 0, &page.paddr);
	assert_non_null(page.bytes);
	return page;
}

void rig_page_gone(struct rig *rig, struct rig_page page, size_t size)
{
	uiommu_host_page_free(rig->host, page.bytes, size);
}

enum vtdm_result rig_write(struct rig *rig, int rid, uint64_t iova)
{
	uint8_t mark = 0x5a;

	return vtdm_dma(rig->host->units[0], (uint16_t)rid, iova, true, &mark,
			1);
}

bool rig_reaches(struct rig *rig, int rid, uint64_t iova, struct rig_page page)
{
	enum vtdm_result result;

	page.bytes[iova & 4095] = 0;
	result = rig_write(rig, rid, iova);
	assert_int_equal(page.bytes[iova & 4095] == 0x5a, result == VTDM_OK);
	return result == VTDM_OK;
}
