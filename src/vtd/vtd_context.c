// SPDX-License-Identifier: MIT
/*
 * Specification: "Root Entry", "Context Entry", "Guidance to Software for
 * Invalidations", "Caching Mode".
 */
#include <uiommu/error.h>

#include "vtd/vtd_adopt.h"
#include "vtd/vtd_context.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"

/* Requester ids whose entries change together. */
#define VTD_CONTEXT_CHUNK 8u

struct vtd_entry uiommu_vtd_context_entry(const struct vtd_unit *u,
					  const struct vtd_domain *domain)
{
	struct vtd_entry entry;
	unsigned int levels;

	entry.lo = VTD_CTX_LO_P;
	if (uiommu_vtd_passes(u, domain->hw)) {
		/* Pass-through wants the widest that the unit knows. */
		levels = uiommu_vtd_caps_best_levels(u->caps.levels, 64);
		entry.lo |= UIOMMU_PUT64(VTD_CTX_LO_TT, VTD_TT_PASS_THROUGH);
	} else {
		levels = domain->hw->pt.config.levels;
		entry.lo |= UIOMMU_PUT64(VTD_CTX_LO_TT, VTD_TT_SECOND_STAGE) |
			    (domain->hw->pt.root_paddr & VTD_CTX_LO_SSPTPTR);
	}
	/* 3 levels are 1, 4 are 2, 5 are 3. */
	entry.hi = UIOMMU_PUT64(VTD_CTX_HI_AW, levels - 2) |
		   UIOMMU_PUT64(VTD_CTX_HI_DID,
				uiommu_vtd_domain_id(domain, u));
	return entry;
}

static struct vtd_entry *vtd_context_at(const struct vtd_unit *u, uint16_t rid)
{
	return &u->bus[rid >> 8]->table[rid & 0xff];
}

int uiommu_vtd_context_put(struct vtd_unit *u, unsigned int bus,
			   struct vtd_entry *table, uiommu_paddr_t paddr)
{
	struct vtd_bus *b = uiommu_pool_alloc(&u->driver->buses, 0);
	struct vtd_entry *root = &u->root[bus];
	int err;

	if (!b)
		return UIOMMU_ENOMEM;
	b->table = table;
	u->bus[bus] = b;
	uiommu_vtd_clean(u, table, UIOMMU_PAGE_SIZE);
	/*
	 * It must have left every buffer before it is pointed to, once the
	 * unit knows the root table.
	 */
	err = u->loaded ? uiommu_vtd_unit_write_buffer(u) : UIOMMU_OK;
	if (err)
		return err;
	uiommu_word_store(&root->lo, (paddr & VTD_ROOT_LO_CTP) | VTD_ROOT_LO_P);
	uiommu_vtd_clean(u, root, sizeof(*root));
	return UIOMMU_OK;
}

static int vtd_context_bus(struct vtd_unit *u, unsigned int bus)
{
	struct vtd_entry *table;
	uiommu_paddr_t paddr;
	int err;

	if (u->bus[bus])
		return UIOMMU_OK;
	table = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0, &paddr);
	if (!table)
		return UIOMMU_ENOMEM;
	err = uiommu_vtd_context_put(u, bus, table, paddr);
	if (err == UIOMMU_ENOMEM)
		uiommu_host_page_free(u->host, table, UIOMMU_PAGE_SIZE);
	return err;
}

int uiommu_vtd_context_add(struct vtd_device *dev)
{
	struct vtd_unit *u = dev->unit;
	uint32_t i;
	int err;

	/* Tables made in vain stay: they are the unit's, for the next. */
	for (i = 0; i < dev->hw->sid_count; i++) {
		err = vtd_context_bus(u, dev->hw->sids[i].rid >> 8);
		if (err)
			return err;
	}
	for (i = 0; i < dev->hw->sid_count; i++) {
		uint16_t rid = dev->hw->sids[i].rid;

		u->bus[rid >> 8]->sharers[rid & 0xff]++;
	}
	dev->next = u->devices;
	u->devices = dev;
	return UIOMMU_OK;
}

void uiommu_vtd_context_remove(struct vtd_device *dev)
{
	struct vtd_unit *u = dev->unit;
	struct vtd_device **link;
	uint32_t i;

	for (link = &u->devices; *link; link = &(*link)->next) {
		if (*link == dev) {
			*link = dev->next;
			break;
		}
	}
	for (i = 0; i < dev->hw->sid_count; i++) {
		uint16_t rid = dev->hw->sids[i].rid;

		if (u->bus[rid >> 8])
			u->bus[rid >> 8]->sharers[rid & 0xff]--;
	}
}

static bool vtd_context_has(const struct vtd_device *dev, uint16_t rid)
{
	uint32_t i;

	for (i = 0; i < dev->hw->sid_count; i++)
		if (dev->hw->sids[i].rid == rid)
			return true;
	return false;
}

static bool vtd_context_sinks(const struct vtd_domain *domain)
{
	return domain->hw->type == UIOMMU_DOMAIN_SINK;
}

/*
 * The domain of some other device that the unit knows by @rid too; a sink only
 * if none is in any other.
 */
static struct vtd_domain *vtd_context_sharer(const struct vtd_device *dev,
					     uint16_t rid)
{
	struct vtd_domain *sink = NULL;
	struct vtd_unit *u = dev->unit;
	struct vtd_device *other;

	if (u->bus[rid >> 8]->sharers[rid & 0xff] < 2)
		return NULL;
	for (other = u->devices; other; other = other->next) {
		if (other == dev || !other->domain ||
		    !vtd_context_has(other, rid))
			continue;
		if (!vtd_context_sinks(other->domain))
			return other->domain;
		sink = other->domain;
	}
	return sink;
}

/* What some other device that is known by @rid too still inherits; or NULL. */
static const struct vtd_entry *vtd_context_heir(const struct vtd_device *dev,
						uint16_t rid)
{
	const struct vtd_entry *entry = NULL;
	struct vtd_unit *u = dev->unit;
	struct vtd_device *other;

	if (u->bus[rid >> 8]->sharers[rid & 0xff] < 2)
		return NULL;
	for (other = u->devices; other && !entry; other = other->next)
		if (other != dev && vtd_context_has(other, rid))
			entry = uiommu_vtd_inherited_entry(other, rid);
	return entry;
}

/* What the entry of @rid, one of the device's, is to say. */
static struct vtd_entry vtd_context_target(const struct vtd_device *dev,
					   uint16_t rid)
{
	const struct vtd_entry *inherited = NULL;
	struct vtd_domain *domain = dev->domain;
	struct vtd_domain *sharer = NULL;
	struct vtd_entry none = { 0 };

	/* Who is refused takes no id from who is not. */
	if (!domain || vtd_context_sinks(domain)) {
		sharer = vtd_context_sharer(dev, rid);
		if (dev->hw->yields && (!sharer || vtd_context_sinks(sharer)))
			inherited = vtd_context_heir(dev, rid);
	}
	if (inherited)
		return *inherited;
	if (sharer)
		domain = sharer;
	return domain ? uiommu_vtd_context_entry(dev->unit, domain) : none;
}

/*
 * Replaces a present entry by another so that a walk meets one or the other;
 * false, and nothing done, where the CPU cannot. A unit fetches an entry with
 * one access of 16 bytes, which lie in one line of a cache also on their way to
 * a walker that does not snoop.
 *
 * If only one half differs a store of that half is as good: what is fetched
 * with it is the same before and after. The upper half alone is a new domain
 * id, or width, for the same tables. The lower half alone is other tables, or
 * another type, under an id that stays (of two identity domains, say); what
 * was cached by that id goes with the invalidation that follows any change, and
 * until then an access may be served by either, as with a new id.
 */
static bool vtd_context_at_once(const struct vtd_unit *u, struct vtd_entry *at,
				struct vtd_entry value)
{
	if (at->hi == value.hi) {
		uiommu_word_store(&at->lo, value.lo);
		return true;
	}
	if (at->lo == value.lo) {
		uiommu_word_store(&at->hi, value.hi);
		return true;
	}
	return uiommu_host_store128(u->host, at, value.lo, value.hi);
}

/* Has anybody known by @rid, one of the device's, a direct region? */
static bool vtd_context_direct(const struct vtd_device *dev, uint16_t rid)
{
	const struct vtd_device *other;

	if (dev->hw->direct ||
	    dev->unit->bus[rid >> 8]->sharers[rid & 0xff] < 2)
		return dev->hw->direct;
	for (other = dev->unit->devices; other; other = other->next)
		if (other->hw->direct && vtd_context_has(other, rid))
			return true;
	return false;
}

bool uiommu_vtd_context_gap(const struct vtd_device *dev,
			    const struct vtd_domain *domain,
			    struct uiommu_sid *sid)
{
	const struct vtd_unit *u = dev->unit;
	struct vtd_entry value = uiommu_vtd_context_entry(u, domain);
	uint32_t i;

	for (i = 0; i < dev->hw->sid_count; i++) {
		uint16_t rid = dev->hw->sids[i].rid;
		struct vtd_entry *at = vtd_context_at(u, rid);

		if (!(at->lo & VTD_CTX_LO_P) || at->lo == value.lo ||
		    at->hi == value.hi || !vtd_context_direct(dev, rid))
			continue;
		/* Whether the CPU can is seen best by storing what is there. */
		if (uiommu_host_store128(u->host, at, at->lo, at->hi))
			return false;
		*sid = dev->hw->sids[i];
		return true;
	}
	return false;
}

static void vtd_context_write(const struct vtd_unit *u, struct vtd_entry *at,
			      struct vtd_entry value)
{
	uiommu_word_store(&at->hi, value.hi);
	uiommu_vtd_clean(u, at, sizeof(*at));
	uiommu_barrier(); /* the upper half stands before P makes it valid */
	uiommu_word_store(&at->lo, value.lo);
	uiommu_vtd_clean(u, at, sizeof(*at));
}

/* Requester ids whose entries are wrong, a chunk of them. */
struct vtd_context_change {
	uint16_t rids[VTD_CONTEXT_CHUNK];
	unsigned int count;
};

static unsigned int vtd_context_add_iotlb(const struct vtd_unit *u,
					  struct vtd_desc *descs,
					  unsigned int first,
					  unsigned int count, uint32_t did)
{
	struct vtd_desc desc = uiommu_vtd_iotlb_domain(&u->caps, did);
	unsigned int i;

	for (i = first; i < count; i++)
		if (descs[i].lo == desc.lo)
			return count;
	descs[count] = desc;
	return count + 1;
}

/*
 * Replaces an entry at once if the CPU can, so that a device with a direct
 * region is never without one; otherwise makes it absent. What has a direct
 * region gets there only to be blocked: uiommu_vtd_context_gap().
 */
static void vtd_context_replace(const struct vtd_unit *u, struct vtd_entry *at,
				struct vtd_entry value)
{
	if (!value.lo || !vtd_context_at_once(u, at, value))
		uiommu_word_store(&at->lo, at->lo & ~VTD_CTX_LO_P);
	uiommu_vtd_clean(u, at, sizeof(*at));
}

/*
 * Takes away what stands in the entries. Hardware may hold it in the context
 * cache by requester id and old domain id, and translations made with it in
 * the IOTLB by domain id; both must go before the words are used again.
 */
static int vtd_context_clear(struct vtd_device *dev,
			     const struct vtd_context_change *c)
{
	struct vtd_unit *u = dev->unit;
	struct vtd_desc descs[2 * VTD_CONTEXT_CHUNK];
	unsigned int contexts;
	unsigned int count = 0;
	unsigned int i;
	int err;

	for (i = 0; i < c->count; i++) {
		struct vtd_entry *at = vtd_context_at(u, c->rids[i]);

		if (!(at->lo & VTD_CTX_LO_P))
			continue;
		descs[count++] = uiommu_vtd_context_device(
			(uint32_t)UIOMMU_GET64(VTD_CTX_HI_DID, at->hi),
			c->rids[i]);
		vtd_context_replace(u, at, vtd_context_target(dev, c->rids[i]));
	}
	contexts = count;
	for (i = 0; i < contexts; i++)
		count = vtd_context_add_iotlb(
			u, descs, contexts, count,
			(uint32_t)UIOMMU_GET64(VTD_CC_LO_DID, descs[i].lo));
	err = uiommu_vtd_run(u, descs, count);
	if (err)
		return err;

	for (i = 0; i < c->count; i++) {
		struct vtd_entry *at = vtd_context_at(u, c->rids[i]);

		if (at->lo & VTD_CTX_LO_P)
			continue;
		uiommu_word_store(&at->lo, 0);
		uiommu_word_store(&at->hi, 0);
		uiommu_vtd_clean(u, at, sizeof(*at));
	}
	return UIOMMU_OK;
}

/*
 * A unit in caching mode may hold that there was no entry: in the context
 * cache under domain id 0, in the IOTLB under the new id.
 */
static int vtd_context_forget_absence(struct vtd_unit *u,
				      const struct vtd_context_change *c)
{
	struct vtd_desc descs[2 * VTD_CONTEXT_CHUNK];
	unsigned int count;
	unsigned int i;

	for (i = 0; i < c->count; i++)
		descs[i] = uiommu_vtd_context_device(VTD_DID_NONE, c->rids[i]);
	count = c->count;
	for (i = 0; i < c->count; i++) {
		struct vtd_entry *at = vtd_context_at(u, c->rids[i]);

		if (at->lo & VTD_CTX_LO_P)
			count = vtd_context_add_iotlb(
				u, descs, c->count, count,
				(uint32_t)UIOMMU_GET64(VTD_CTX_HI_DID, at->hi));
	}
	return uiommu_vtd_run(u, descs, count);
}

static int vtd_context_apply(struct vtd_device *dev,
			     const struct vtd_context_change *c)
{
	struct vtd_unit *u = dev->unit;
	unsigned int i;
	int err;

	err = vtd_context_clear(dev, c);
	if (err)
		return err;
	for (i = 0; i < c->count; i++) {
		struct vtd_entry value = vtd_context_target(dev, c->rids[i]);
		struct vtd_entry *at = vtd_context_at(u, c->rids[i]);

		if (value.lo && !(at->lo & VTD_CTX_LO_P))
			vtd_context_write(u, at, value);
	}
	if (u->caps.caching)
		return vtd_context_forget_absence(u, c);
	return uiommu_vtd_unit_write_buffer(u);
}

int uiommu_vtd_context_update(struct vtd_device *dev)
{
	struct vtd_context_change c = { .count = 0 };
	uint32_t i;
	int err;

	for (i = 0; i < dev->hw->sid_count; i++) {
		uint16_t rid = dev->hw->sids[i].rid;
		struct vtd_entry *at = vtd_context_at(dev->unit, rid);
		struct vtd_entry value = vtd_context_target(dev, rid);

		/* Untouched if right: a device that shares it may use it. */
		if (at->lo == value.lo && at->hi == value.hi)
			continue;
		c.rids[c.count++] = rid;
		if (c.count < VTD_CONTEXT_CHUNK)
			continue;
		err = vtd_context_apply(dev, &c);
		if (err)
			return err;
		c.count = 0;
	}
	return c.count ? vtd_context_apply(dev, &c) : UIOMMU_OK;
}

static bool vtd_context_shares(const struct vtd_device *dev,
			       const struct vtd_device *other)
{
	uint32_t i;

	for (i = 0; i < dev->hw->sid_count; i++)
		if (vtd_context_has(other, dev->hw->sids[i].rid))
			return true;
	return false;
}

void uiommu_vtd_context_left(const struct vtd_device *dev)
{
	const struct vtd_unit *u = dev->unit;
	struct vtd_device *other;

	for (other = u->devices; other; other = other->next) {
		if (other->hw->inherited || !vtd_context_shares(dev, other))
			continue;
		if (uiommu_vtd_broken(u))
			return;
		if (uiommu_vtd_context_update(other))
			uiommu_vtd_context_restore(other);
		uiommu_vtd_inherited_gone(other);
	}
}

void uiommu_vtd_context_restore(struct vtd_device *dev)
{
	uint32_t i;

	for (i = 0; i < dev->hw->sid_count; i++) {
		uint16_t rid = dev->hw->sids[i].rid;
		const struct vtd_entry *old = uiommu_vtd_inherited_entry(dev,
									 rid);
		struct vtd_entry *at = vtd_context_at(dev->unit, rid);
		struct vtd_entry value = vtd_context_target(dev, rid);

		if (old)
			value = *old;
		if (at->lo == value.lo && at->hi == value.hi)
			continue;
		/* A unit that does not answer may go on walking. */
		if (at->lo & VTD_CTX_LO_P)
			vtd_context_replace(dev->unit, at, value);
		if (!(at->lo & VTD_CTX_LO_P))
			vtd_context_write(dev->unit, at, value);
	}
}

void uiommu_vtd_context_free(struct vtd_unit *u)
{
	unsigned int i;

	for (i = 0; i < VTD_BUSES; i++) {
		if (!u->bus[i])
			continue;
		uiommu_host_page_free(u->host, u->bus[i]->table,
				      UIOMMU_PAGE_SIZE);
		uiommu_pool_free(&u->driver->buses, u->bus[i]);
		u->bus[i] = NULL;
	}
}
