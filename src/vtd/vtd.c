// SPDX-License-Identifier: MIT
/* The Intel VT-d driver: its list of units, and its operations. */
#include <uiommu/error.h>

#include "base/format.h"
#include "vtd/vtd_adopt.h"
#include "vtd/vtd_context.h"
#include "vtd/vtd_domain.h"
#include "vtd/vtd_fault.h"
#include "vtd/vtd_power.h"
#include "vtd/vtd_queue.h"
#include "vtd/vtd_unit.h"

UIOMMU_STATIC_ASSERT(sizeof(struct vtd_driver) <= 4096);

static struct vtd_driver *vtd_driver(struct uiommu_driver *driver)
{
	return (struct vtd_driver *)driver;
}

/* --- Creation ------------------------------------------------------------- */

static void vtd_destroy(struct uiommu_driver *driver)
{
	struct vtd_driver *d = vtd_driver(driver);
	struct uiommu_host *host = d->base.host;

	while (d->units) {
		struct vtd_unit *u = d->units;

		d->units = u->next;
		uiommu_vtd_unit_destroy(u);
	}
	uiommu_pool_fini(&d->devices);
	uiommu_pool_fini(&d->domains);
	uiommu_pool_fini(&d->buses);
	uiommu_host_page_free(host, d, UIOMMU_PAGE_SIZE);
}

/* Numbers the units, those in use first: so they appear to people. */
static void vtd_number(struct vtd_driver *d)
{
	uint32_t ignored;
	struct vtd_unit *u;

	for (u = d->units; u; u = u->next) {
		if (u->ignored)
			continue;
		u->index = d->unit_count++;
		if (u->caps.caching || u->caps.write_buffer)
			d->map_sync = true;
	}
	ignored = d->unit_count;
	for (u = d->units; u; u = u->next) {
		if (u->ignored)
			u->index = ignored++;
		uiommu_vtd_look_log(u);
	}
}

static bool vtd_duplicate(const struct vtd_driver *d, uint32_t record)
{
	const struct uiommu_dmar_record *r = &d->dmar->records[record];
	const struct vtd_unit *u;

	for (u = d->units; u; u = u->next)
		if (u->base == r->range.first)
			return true;
	return false;
}

static int vtd_find_units(struct vtd_driver *d)
{
	struct vtd_unit *last = NULL;
	struct vtd_unit *unit = NULL;
	uint32_t i;
	int err;

	for (i = 0; i < d->dmar->record_count; i++) {
		if (d->dmar->records[i].type != UIOMMU_DMAR_DRHD ||
		    vtd_duplicate(d, i))
			continue;
		err = uiommu_vtd_unit_create(d, i, &unit);
		if (err == UIOMMU_ENOMEM)
			return err;
		if (err)
			continue;
		if (last)
			last->next = unit;
		else
			d->units = unit;
		last = unit;
	}
	vtd_number(d);
	return d->unit_count ? UIOMMU_OK : UIOMMU_ENODEV;
}

static int vtd_create(const struct uiommu_driver_env *env,
		      struct uiommu_driver **driver)
{
	struct vtd_driver *d;
	uiommu_paddr_t paddr;
	size_t slots;
	int err;

	d = uiommu_host_page_alloc(env->host, UIOMMU_PAGE_SIZE, 0, &paddr);
	if (!d)
		return UIOMMU_ENOMEM;
	d->base.ops = &uiommu_vtd_ops;
	d->base.host = env->host;
	d->dmar = env->dmar;
	d->timeout_us = env->timeout_us;
	d->takeover = env->takeover;
	d->takeover_block = env->takeover_block;
	uiommu_pool_init(&d->buses, env->host, sizeof(struct vtd_bus));
	uiommu_pool_init(&d->devices, env->host, sizeof(struct vtd_device));

	err = vtd_find_units(d);
	slots = sizeof(struct vtd_domain) +
		d->unit_count * sizeof(struct vtd_slot);
	/* Larger ones are not taken from the pool. */
	uiommu_pool_init(&d->domains, env->host, slots <= 2032 ? slots : 16);
	if (err) {
		vtd_destroy(&d->base);
		return err;
	}
	*driver = &d->base;
	return UIOMMU_OK;
}

/* --- Looking at units ----------------------------------------------------- */

struct vtd_unit *uiommu_vtd_find_unit(struct uiommu_driver *driver,
				      uint32_t record)
{
	struct vtd_unit *u;

	for (u = vtd_driver(driver)->units; u; u = u->next)
		if (u->record == record)
			return u->ignored ? NULL : u;
	return NULL;
}

static struct vtd_unit *vtd_by_index(struct vtd_driver *d, uint32_t index)
{
	struct vtd_unit *u;

	for (u = d->units; u; u = u->next)
		if (u->index == index && !u->ignored)
			return u;
	return NULL;
}

static void vtd_describe(struct uiommu_driver *driver,
			 struct uiommu_plan_unit *units, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct vtd_unit *u = uiommu_vtd_find_unit(driver, i);

		/* One that start left alone takes no device before the next. */
		units[i].present = u && (!u->driver->started || u->started);
		units[i].passthrough = u && u->caps.passthrough;
		units[i].caching = u && u->caps.caching;
	}
}

static bool vtd_translates(struct vtd_unit *u)
{
	if (uiommu_vtd_broken(u))
		return u->enabled || u->adopted; /* for all we know */
	return uiommu_vtd_unit_translates(u);
}

static int vtd_unit_info(struct uiommu_driver *driver, uint32_t index,
			 struct uiommu_unit_info *info)
{
	struct vtd_unit *u = vtd_by_index(vtd_driver(driver), index);
	struct uiommu_unit_info i = { 0 };
	unsigned long state;

	if (!u)
		return UIOMMU_ENOENT;
	i.record = u->record;
	i.segment = u->segment;
	i.base = u->base;
	i.version_major = (uint8_t)UIOMMU_GET64(VTD_VER_MAJOR, u->version);
	i.version_minor = (uint8_t)UIOMMU_GET64(VTD_VER_MINOR, u->version);
	i.capability = u->caps.cap;
	i.extended_capability = u->caps.ecap;
	i.levels = uiommu_vtd_caps_best_levels(u->caps.levels, u->caps.mgaw);
	i.address_bits = uiommu_vtd_caps_width(i.levels, u->caps.mgaw);
	i.page_sizes = u->caps.page_sizes;
	i.domain_ids = u->caps.domain_ids;
	i.fault_records = u->caps.fault_count;
	i.queued = u->caps.queued;
	i.coherent = u->caps.coherent;
	i.caching = u->caps.caching;
	i.passthrough = u->caps.passthrough;
	i.snoop = u->caps.snoop;
	i.translating = vtd_translates(u);
	i.broken = uiommu_vtd_broken(u);
	i.found_translating = u->found.translating;
	i.found_queued = u->found.queued;
	i.found_unfinished = u->found.unfinished;
	i.found_interrupt_remapping = u->found.remapping;
	i.found_protected = u->found.protected_memory;
	i.adopted = u->adopted;
	i.inherited = uiommu_load(&u->inherited_count);

	state = uiommu_host_lock_acquire(u->lock);
	i.invalidations = u->invalidations;
	uiommu_host_lock_release(u->lock, state);
	state = uiommu_host_lock_acquire(u->fault_lock);
	i.faults = u->faults;
	uiommu_host_lock_release(u->fault_lock, state);
	*info = i;
	return UIOMMU_OK;
}

/* --- Bring-up and shutdown ------------------------------------------------ */

static void vtd_disable(struct uiommu_driver *driver)
{
	struct vtd_unit *u;

	for (u = vtd_driver(driver)->units; u; u = u->next)
		if (u->started)
			uiommu_vtd_unit_disable(u);
}

static void vtd_stop(struct uiommu_driver *driver)
{
	struct vtd_driver *d = vtd_driver(driver);
	struct vtd_unit *u;

	/* Everywhere off, before anything that one may still use goes. */
	vtd_disable(driver);
	for (u = d->units; u; u = u->next)
		uiommu_vtd_unit_stop(u);
	d->started = false;
	d->enabled = false;
}

static void vtd_leave(struct uiommu_driver *driver, uint32_t record, bool leave)
{
	struct vtd_unit *u = uiommu_vtd_find_unit(driver, record);

	if (u)
		u->left = leave;
}

static int vtd_prepare(struct vtd_driver *d)
{
	struct vtd_unit *u;
	int err = UIOMMU_OK;

	for (u = d->units; u && !err; u = u->next)
		err = uiommu_vtd_unit_check(u);
	for (u = d->units; u && !err; u = u->next)
		if (uiommu_vtd_wanted(u))
			err = uiommu_vtd_unit_prepare(u);
	for (u = d->units; u && err; u = u->next)
		uiommu_vtd_unit_stop(u);
	return err;
}

static int vtd_start(struct uiommu_driver *driver)
{
	struct vtd_driver *d = vtd_driver(driver);
	struct vtd_unit *u;
	int err = UIOMMU_OK;

	if (d->started)
		return UIOMMU_EBUSY;
	/* Nothing is touched before all is there that it takes. */
	err = vtd_prepare(d);
	if (err)
		return err;

	d->started = true;
	for (u = d->units; u && !err; u = u->next)
		if (uiommu_vtd_wanted(u))
			err = uiommu_vtd_unit_start(u);
	/*
	 * Only when the queues of all run: there are chipsets that hang if
	 * one unit gets its root table while another has no queue yet.
	 */
	for (u = d->units; u && !err; u = u->next)
		if (uiommu_vtd_wanted(u))
			err = uiommu_vtd_unit_load(u);
	if (err)
		vtd_stop(driver);
	return err;
}

/* All that are wanted, and stay on once they are, or do not. */
static int vtd_enable_those(struct vtd_driver *d, bool stay)
{
	struct vtd_unit *u;
	int err = UIOMMU_OK;

	for (u = d->units; u && !err; u = u->next)
		if (uiommu_vtd_wanted(u) && uiommu_vtd_stays_on(u) == stay)
			err = uiommu_vtd_unit_enable(u);
	/*
	 * Protected memory last: it was the protection until now, and it would
	 * stop what contexts allow.
	 */
	for (u = d->units; u && !err; u = u->next)
		if (uiommu_vtd_wanted(u) && uiommu_vtd_stays_on(u) == stay)
			err = uiommu_vtd_unit_open_memory(u);
	return err;
}

static int vtd_enable(struct uiommu_driver *driver)
{
	struct vtd_driver *d = vtd_driver(driver);
	struct vtd_unit *u;
	int err;

	if (!d->started)
		return UIOMMU_EBUSY;
	/* Those first that can be turned off again if another one fails. */
	err = vtd_enable_those(d, false);
	if (!err)
		err = vtd_enable_those(d, true);
	for (u = d->units; u && !err; u = u->next) {
		int e = uiommu_vtd_unit_settle(u);

		if (uiommu_vtd_wanted(u))
			err = e;
		else
			(void)!uiommu_vtd_unit_open_memory(u);
	}
	d->enabled = !err;
	if (err)
		vtd_disable(driver);
	return err;
}

/* --- Devices -------------------------------------------------------------- */

static int vtd_device_init(struct uiommu_driver *driver,
			   struct uiommu_hwdev *dev)
{
	struct vtd_driver *d = vtd_driver(driver);
	struct vtd_unit *u = uiommu_vtd_find_unit(driver, dev->unit);
	struct vtd_device *v;
	int err;

	if (!u)
		return UIOMMU_ENODEV;
	if (!u->started)
		return UIOMMU_EBUSY;
	if (uiommu_vtd_broken(u))
		return UIOMMU_EIO;
	v = uiommu_pool_alloc(&d->devices, 0);
	if (!v)
		return UIOMMU_ENOMEM;
	v->hw = dev;
	v->unit = u;
	err = uiommu_vtd_context_add(v);
	if (err) {
		uiommu_pool_free(&d->devices, v);
		return err;
	}
	dev->priv = v;
	dev->domain = NULL;
	dev->inherited = uiommu_vtd_inherits(v);
	dev->at_work = uiommu_vtd_at_work(v);
	return UIOMMU_OK;
}

static void vtd_device_fini(struct uiommu_driver *driver,
			    struct uiommu_hwdev *dev)
{
	struct uiommu_hwdomain blocked = { .type = UIOMMU_DOMAIN_BLOCKED };
	struct vtd_driver *d = vtd_driver(driver);
	struct vtd_device *v = dev->priv;

	if (!v)
		return;
	/*
	 * After stop there is no table left; on a broken unit it is kept. What
	 * is inherited is not ours to refuse. A unit that could not be turned
	 * off goes on as it is, entries and all.
	 */
	if (v->unit->started && !v->unit->held && !dev->inherited &&
	    uiommu_vtd_attach(driver, dev, &blocked)) {
		v->domain = NULL;
		uiommu_vtd_context_restore(v);
	}
	uiommu_vtd_context_remove(v);
	if (dev->inherited && v->unit->started && !v->unit->held)
		uiommu_vtd_context_left(v);
	uiommu_pool_free(&d->devices, v);
	dev->priv = NULL;
	dev->domain = NULL;
	dev->inherited = false;
	dev->at_work = false;
}

/* --- Faults --------------------------------------------------------------- */

static unsigned int vtd_poll_faults(struct uiommu_driver *driver)
{
	struct vtd_driver *d = vtd_driver(driver);
	unsigned int found = 0;
	struct vtd_unit *u;

	for (u = d->units; u; u = u->next)
		if (u->started && !uiommu_vtd_broken(u))
			found += uiommu_vtd_fault_poll(u);
	return found;
}

static int vtd_set_fault_interrupt(struct uiommu_driver *driver, uint32_t index,
				   uint64_t address, uint32_t data)
{
	struct vtd_unit *u = vtd_by_index(vtd_driver(driver), index);

	if (!u)
		return UIOMMU_ENOENT;
	if (!u->started)
		return UIOMMU_EBUSY;
	if (uiommu_vtd_broken(u))
		return UIOMMU_EIO;
	uiommu_vtd_fault_interrupt(u, address, data);
	return UIOMMU_OK;
}

const struct uiommu_driver_ops uiommu_vtd_ops = {
	.name = "Intel VT-d",
	.create = vtd_create,
	.destroy = vtd_destroy,
	.describe = vtd_describe,
	.unit_info = vtd_unit_info,
	.leave = vtd_leave,
	.stays_on = uiommu_vtd_set_stays_on,
	.start = vtd_start,
	.enable = vtd_enable,
	.disable = vtd_disable,
	.stop = vtd_stop,
	.device_init = vtd_device_init,
	.device_fini = vtd_device_fini,
	.pt_config = uiommu_vtd_pt_config,
	.domain_init = uiommu_vtd_domain_init,
	.domain_held = uiommu_vtd_domain_held,
	.domain_fini = uiommu_vtd_domain_fini,
	.attach = uiommu_vtd_attach,
	.invalidate = uiommu_vtd_invalidate,
	.map_sync = uiommu_vtd_map_sync,
	.poll_faults = vtd_poll_faults,
	.set_fault_interrupt = vtd_set_fault_interrupt,
	.suspend = uiommu_vtd_suspend,
	.resume = uiommu_vtd_resume,
	.shutdown = uiommu_vtd_shutdown,
};
