// SPDX-License-Identifier: MIT
/*
 * Specification: "Context Entry" (domain identifier), "Guidance to Software
 * for Invalidations" (re-use of a domain id).
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "vtd/vtd_adopt.h"
#include "vtd/vtd_context.h"
#include "vtd/vtd_domain.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"

/* Units that work on one invalidation at the same time. */
#define VTD_WAVE 8u

/* The largest object of a pool. */
#define VTD_POOL_MAX ((size_t)2032)

/* --- Domain ids ----------------------------------------------------------- */

int uiommu_vtd_ids_init(struct vtd_unit *u)
{
	size_t size = u->caps.domain_ids / 8;
	uiommu_paddr_t paddr;

	if (size < UIOMMU_PAGE_SIZE)
		size = UIOMMU_PAGE_SIZE;
	u->ids = uiommu_host_page_alloc(u->host, size, 0, &paddr);
	if (!u->ids)
		return UIOMMU_ENOMEM;
	u->ids_size = size;
	u->ids[0] = UIOMMU_BIT32(VTD_DID_NONE) | UIOMMU_BIT32(VTD_DID_IDENTITY);
	u->id_next = VTD_DID_FIRST;
	u->did_identity = VTD_DID_IDENTITY;
	return UIOMMU_OK;
}

void uiommu_vtd_ids_fini(struct vtd_unit *u)
{
	if (u->ids)
		uiommu_host_page_free(u->host, u->ids, u->ids_size);
	u->ids = NULL;
}

static bool vtd_ids_used(const struct vtd_unit *u, uint32_t did)
{
	uint32_t map = u->ids[did / 32];

	/* None of another kernel: its translations may be cached. */
	if (u->inherited)
		map |= u->inherited->dids[did / 32];
	return map & UIOMMU_BIT32(did % 32);
}

static bool vtd_ids_take(struct vtd_unit *u, uint32_t *did)
{
	uint32_t id = u->id_next;
	uint32_t i;

	for (i = 0; i < u->caps.domain_ids; i++, id++) {
		if (id >= u->caps.domain_ids)
			id = 0;
		if (vtd_ids_used(u, id))
			continue;
		u->ids[id / 32] |= UIOMMU_BIT32(id % 32);
		u->id_next = id + 1;
		*did = id;
		return true;
	}
	return false;
}

int uiommu_vtd_ids_alloc(struct vtd_unit *u, uint32_t *did)
{
	bool found = vtd_ids_take(u, did);

	if (!found && u->inherited) {
		uiommu_vtd_inherited_recount(u);
		found = vtd_ids_take(u, did);
	}
	return found ? UIOMMU_OK : UIOMMU_ENOSPC;
}

void uiommu_vtd_ids_free(struct vtd_unit *u, uint32_t did)
{
	u->ids[did / 32] &= ~UIOMMU_BIT32(did % 32);
}

/* --- A domain in its units ------------------------------------------------ */

static struct vtd_slot *vtd_domain_slot(struct vtd_domain *domain,
					const struct vtd_unit *u)
{
	uint32_t i;

	for (i = 0; i < domain->slot_count; i++)
		if (domain->slots[i].unit == u)
			return &domain->slots[i];
	return NULL;
}

uint32_t uiommu_vtd_domain_id(const struct vtd_domain *domain,
			      const struct vtd_unit *u)
{
	uint32_t i;

	/* All identity domains have the same one, attached or not. */
	if (domain->hw->type == UIOMMU_DOMAIN_IDENTITY)
		return u->did_identity;
	for (i = 0; i < domain->slot_count; i++)
		if (domain->slots[i].unit == u)
			return domain->slots[i].did;
	return VTD_DID_NONE;
}

/* One more device of @u in @domain. */
static int vtd_domain_join(struct vtd_domain *domain, struct vtd_unit *u)
{
	struct vtd_slot *slot = vtd_domain_slot(domain, u);
	bool identity = domain->hw->type == UIOMMU_DOMAIN_IDENTITY;
	uint32_t did = identity ? u->did_identity : VTD_DID_NONE;

	if (!slot || !slot->did) {
		if (!did && uiommu_vtd_ids_alloc(u, &did))
			return UIOMMU_ENOSPC;
		if (identity)
			u->did_identity = did;
		if (!slot) {
			slot = &domain->slots[domain->slot_count];
			slot->unit = u;
			uiommu_store(&domain->slot_count,
				     domain->slot_count + 1);
		}
		uiommu_store(&slot->did, did);
		/*
		 * Whoever takes a mapping away reads the id after that; this
		 * is the other half. Either it sees the id, or the unit finds
		 * the mapping gone.
		 */
		uiommu_barrier();
	}
	slot->count++;
	return UIOMMU_OK;
}

/* One device less; the last one's leave frees the id, once it is clean. */
static void vtd_domain_leave(struct vtd_domain *domain, struct vtd_unit *u)
{
	struct vtd_slot *slot = vtd_domain_slot(domain, u);
	struct vtd_desc desc;
	uint32_t did;

	if (!slot || --slot->count)
		return;
	did = slot->did;
	desc = uiommu_vtd_iotlb_domain(&u->caps, did);
	if (uiommu_vtd_run(u, &desc, 1))
		return; /* broken: the id is never used again */
	uiommu_store(&slot->did, VTD_DID_NONE);
	if (domain->hw->type != UIOMMU_DOMAIN_IDENTITY)
		uiommu_vtd_ids_free(u, did);
}

int uiommu_vtd_domain_init(struct uiommu_driver *driver,
			   struct uiommu_hwdomain *domain)
{
	struct vtd_driver *d = (struct vtd_driver *)driver;
	size_t size = sizeof(struct vtd_domain) +
		      d->unit_count * sizeof(struct vtd_slot);
	struct vtd_domain *v;
	uiommu_paddr_t paddr;

	if (size <= VTD_POOL_MAX) {
		v = uiommu_pool_alloc(&d->domains, 0);
	} else {
		while (size & (size - 1)) /* up to a power of two */
			size += size & -size;
		if (size < UIOMMU_PAGE_SIZE)
			size = UIOMMU_PAGE_SIZE;
		v = uiommu_host_page_alloc(d->base.host, size, 0, &paddr);
	}
	if (!v)
		return UIOMMU_ENOMEM;
	v->hw = domain;
	v->size = size;
	domain->priv = v;
	domain->map_sync = d->map_sync;
	return UIOMMU_OK;
}

bool uiommu_vtd_domain_held(struct uiommu_driver *driver,
			    const struct uiommu_hwdomain *domain)
{
	const struct vtd_domain *v = domain->priv;
	uint32_t count = v ? uiommu_load(&v->slot_count) : 0;
	uint32_t i;

	(void)driver;
	for (i = 0; i < count; i++)
		if (uiommu_vtd_broken(v->slots[i].unit))
			return true;
	return false;
}

void uiommu_vtd_domain_fini(struct uiommu_driver *driver,
			    struct uiommu_hwdomain *domain)
{
	struct vtd_driver *d = (struct vtd_driver *)driver;
	struct vtd_domain *v = domain->priv;
	uint32_t i;

	if (!v)
		return;
	for (i = 0; i < v->slot_count; i++) {
		struct vtd_slot *slot = &v->slots[i];

		if (slot->did && slot->count && slot->unit->started) {
			slot->count = 1;
			vtd_domain_leave(v, slot->unit);
		} else if (slot->did && !slot->unit->started &&
			   domain->type != UIOMMU_DOMAIN_IDENTITY) {
			/* Left at stop; the next start flushes it all. */
			uiommu_vtd_ids_free(slot->unit, slot->did);
		}
	}
	domain->priv = NULL;
	if (v->size <= VTD_POOL_MAX)
		uiommu_pool_free(&d->domains, v);
	else
		uiommu_host_page_free(d->base.host, v, v->size);
}

/* --- Page tables ---------------------------------------------------------- */

int uiommu_vtd_pt_config(struct uiommu_driver *driver, const uint32_t *units,
			 uint32_t count, struct uiommu_pt_config *config)
{
	struct vtd_driver *d = (struct vtd_driver *)driver;
	struct uiommu_pt_config c = { .format = UIOMMU_PT_VTD_SS };
	unsigned int levels = ~0u;
	unsigned int mgaw = 64;
	unsigned int haw = d->dmar->address_width;
	bool snoop = true;
	uint32_t i;

	c.page_sizes = ~(uint64_t)0;
	c.coherent = true;
	for (i = 0; i < count; i++) {
		const struct vtd_unit *u = uiommu_vtd_find_unit(driver,
								units[i]);

		if (!u)
			return UIOMMU_ENOTSUP;
		levels &= u->caps.levels;
		mgaw = u->caps.mgaw < mgaw ? u->caps.mgaw : mgaw;
		c.page_sizes &= u->caps.page_sizes;
		c.coherent = c.coherent && u->caps.coherent;
		snoop = snoop && u->caps.snoop;
	}
	c.levels = count ? uiommu_vtd_caps_best_levels(levels, mgaw) : 0;
	if (!c.levels)
		return UIOMMU_ENOTSUP;
	c.width = uiommu_vtd_caps_width(c.levels, mgaw);
	c.leaf_bits = snoop ? VTD_SSPTE_SNP : 0;
	/* Entries hold bits 51:12; above the platform's they are reserved. */
	c.paddr_last = UIOMMU_MASK64((haw < 52 ? haw : 52) - 1, 0);
	*config = c;
	return UIOMMU_OK;
}

/* Why @u cannot walk what was built for others; NULL if it can. */
static const char *vtd_domain_misfit(const struct vtd_unit *u,
				     const struct uiommu_hwdomain *domain)
{
	const struct uiommu_pt_config *c = &domain->pt.config;

	if (!domain->pt.root || c->format != UIOMMU_PT_VTD_SS)
		return "no pass-through and no tables of its format";
	if (!(u->caps.levels & UIOMMU_BIT32(c->levels)))
		return "tables of another number of levels";
	if (c->width > u->caps.mgaw)
		return "wider addresses";
	if (c->page_sizes & ~u->caps.page_sizes)
		return "larger pages";
	if (c->leaf_bits & VTD_SSPTE_SNP && !u->caps.snoop)
		return "snoop control";
	if (c->coherent && !u->caps.coherent)
		return "tables that are not cleaned for it";
	return NULL;
}

static bool vtd_domain_fits(const struct vtd_device *dev,
			    const struct uiommu_hwdomain *domain)
{
	const struct vtd_unit *u = dev->unit;
	const char *misfit;

	if (uiommu_vtd_passes(u, domain))
		return true;
	misfit = vtd_domain_misfit(u, domain);
	if (!misfit)
		return true;
	uiommu_log(u->host, UIOMMU_LOG_INFO,
		   "unit %u: cannot walk a domain for " UIOMMU_SID_FMT ": %s",
		   u->index, UIOMMU_SID_ARGS(dev->hw->sids[0]), misfit);
	return false;
}

/* --- Attach --------------------------------------------------------------- */

/* Only with a moment in which a direct region is out of reach? */
static bool vtd_domain_refused(const struct vtd_device *dev,
			       const struct vtd_domain *domain)
{
	struct uiommu_sid sid;

	if (!uiommu_vtd_context_gap(dev, domain, &sid))
		return false;
	/* It has to come to us somehow, and who knows what it has there? */
	if (dev->hw->inherited) {
		uiommu_log(dev->unit->host, UIOMMU_LOG_WARN,
			   "unit %u: " UIOMMU_SID_FMT ": its direct region is "
			   "out of reach for a moment: this CPU cannot replace "
			   "the entry at once",
			   dev->unit->index, UIOMMU_SID_ARGS(sid));
		return false;
	}
	uiommu_log(dev->unit->host, UIOMMU_LOG_INFO,
		   "unit %u: " UIOMMU_SID_FMT " stays in its domain: a direct "
		   "region is reached as " UIOMMU_SID_FMT ", and this CPU "
		   "cannot replace the entry at once",
		   dev->unit->index, UIOMMU_SID_ARGS(dev->hw->sids[0]),
		   UIOMMU_SID_ARGS(sid));
	return true;
}

int uiommu_vtd_attach(struct uiommu_driver *driver, struct uiommu_hwdev *dev,
		      struct uiommu_hwdomain *domain)
{
	struct vtd_device *v = dev->priv;
	struct vtd_domain *old = v->domain;
	struct vtd_domain *new = NULL;
	int err;

	(void)driver;
	if (uiommu_vtd_broken(v->unit))
		return UIOMMU_EIO;
	if (domain->type != UIOMMU_DOMAIN_BLOCKED) {
		if (!vtd_domain_fits(v, domain))
			return UIOMMU_ENOTSUP;
		new = domain->priv;
		if (new != old && vtd_domain_refused(v, new))
			return UIOMMU_ENOTSUP;
	}
	if (new != old || dev->inherited) {
		if (new) {
			err = vtd_domain_join(new, v->unit);
			if (err)
				return err;
		}
		v->domain = new;
		err = uiommu_vtd_context_update(v);
		if (err) {
			/* The unit may use either; both keep their place. */
			v->domain = old;
			uiommu_vtd_context_restore(v);
			return err;
		}
		if (old)
			vtd_domain_leave(old, v->unit);
		if (domain->type == UIOMMU_DOMAIN_IDENTITY)
			uiommu_vtd_inherited_physical(v);
		uiommu_vtd_inherited_gone(v);
	}
	dev->domain = domain;
	return UIOMMU_OK;
}

/* --- Invalidation --------------------------------------------------------- */

/* In one unit, to the end. */
static int vtd_domain_flush(const struct vtd_slot *slot,
			    const struct uiommu_gather *gather)
{
	uint32_t did = uiommu_load(&slot->did);
	struct vtd_unit *u = slot->unit;
	struct vtd_desc descs[VTD_GATHER_DESCS];

	if (!did)
		return UIOMMU_OK;
	return uiommu_vtd_run(
		u, descs,
		uiommu_vtd_iotlb_gather(&u->caps, did, gather, descs));
}

/* Slots @first to @end - 1: all begin before one is waited for. */
static int vtd_domain_wave(struct vtd_domain *domain,
			   const struct uiommu_gather *gather, uint32_t first,
			   uint32_t end)
{
	struct vtd_ticket tickets[VTD_WAVE];
	int errs[VTD_WAVE] = { 0 };
	int result = UIOMMU_OK;
	uint32_t i;

	for (i = first; i < end; i++) {
		struct vtd_unit *u = domain->slots[i].unit;
		uint32_t did = uiommu_load(&domain->slots[i].did);
		struct vtd_desc descs[VTD_GATHER_DESCS];
		unsigned int count = 0;

		if (did)
			count = uiommu_vtd_iotlb_gather(&u->caps, did, gather,
							descs);
		errs[i - first] = uiommu_vtd_submit(u, descs, count,
						    &tickets[i - first]);
	}
	for (i = first; i < end; i++) {
		struct vtd_slot *slot = &domain->slots[i];
		int err = errs[i - first];

		if (!err)
			err = uiommu_vtd_wait(slot->unit, &tickets[i - first]);
		if (err == VTD_AGAIN)
			err = vtd_domain_flush(slot, gather);
		if (err)
			result = err;
	}
	return result;
}

int uiommu_vtd_invalidate(struct uiommu_driver *driver,
			  struct uiommu_hwdomain *domain,
			  const struct uiommu_gather *gather)
{
	struct vtd_domain *v = domain->priv;
	int result = UIOMMU_OK;
	uint32_t count;
	uint32_t i;

	(void)driver;
	if (!gather->count)
		return UIOMMU_OK;
	uiommu_barrier(); /* see vtd_domain_join() */
	count = uiommu_load(&v->slot_count);
	if (count == 1)
		return vtd_domain_flush(&v->slots[0], gather);
	for (i = 0; i < count; i += VTD_WAVE) {
		uint32_t end = count - i < VTD_WAVE ? count : i + VTD_WAVE;
		int err = vtd_domain_wave(v, gather, i, end);

		if (err)
			result = err;
	}
	return result;
}

int uiommu_vtd_map_sync(struct uiommu_driver *driver,
			struct uiommu_hwdomain *domain,
			struct uiommu_range range)
{
	struct vtd_domain *v = domain->priv;
	int result = UIOMMU_OK;
	uint32_t count;
	uint32_t i;

	(void)driver;
	uiommu_barrier(); /* see vtd_domain_join() */
	count = uiommu_load(&v->slot_count);
	for (i = 0; i < count; i++) {
		struct vtd_unit *u = v->slots[i].unit;
		uint32_t did = uiommu_load(&v->slots[i].did);
		struct vtd_desc desc;
		int err = UIOMMU_OK;

		if (!did)
			continue;
		if (u->caps.caching) {
			/* It may hold an absent entry of any level. */
			desc = uiommu_vtd_iotlb_range(&u->caps, did, range,
						      false);
			err = uiommu_vtd_run(u, &desc, 1);
		} else {
			err = uiommu_vtd_unit_write_buffer(u);
		}
		if (err)
			result = err;
	}
	return result;
}
