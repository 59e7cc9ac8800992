// SPDX-License-Identifier: MIT
/*
 * The context cache, the IOTLB and the paging-structure caches. Without a
 * limit and without replacement: what was cached stays until an invalidation
 * names it. Where the specification leaves hardware a choice, the one that
 * forgives less is taken.
 */
#include <stdlib.h>

#include "vtdm_int.h"

/* --- Context cache -------------------------------------------------------- */

struct vtdm_ctx *vtdm_ctx_slot(struct vtdm *m, uint16_t sid)
{
	struct vtdm_ctx *bus = m->ctx[sid >> 8];

	if (!bus || !bus[sid & 0xff].held)
		return NULL;
	return &bus[sid & 0xff];
}

void vtdm_ctx_hold(struct vtdm *m, uint16_t sid, const struct vtdm_ctx *c)
{
	struct vtdm_ctx **bus = &m->ctx[sid >> 8];

	if (!*bus) {
		*bus = calloc(256, sizeof(**bus));
		if (!*bus)
			abort();
	}
	if (!(*bus)[sid & 0xff].held)
		m->n_ctx++;
	(*bus)[sid & 0xff] = *c;
	(*bus)[sid & 0xff].held = true;
}

/* "Context-cache Invalidate": which entries does the request name? */
static bool ctx_named(unsigned int gran, uint16_t did, uint16_t sid,
		      unsigned int fm, uint16_t entry_sid, uint16_t entry_did)
{
	/* A function mask ignores 1, 2 or 3 bits from the top of three. */
	static const uint16_t fn_ignored[] = { 0, 0x4, 0x6, 0x7 };

	if (gran == VTDM_GRAN_GLOBAL)
		return true;
	if (entry_did != did)
		return false;
	if (gran == VTDM_GRAN_DOMAIN)
		return true;
	return !((entry_sid ^ sid) & (uint16_t)~fn_ignored[fm]);
}

static void ctx_drop(struct vtdm *m, unsigned int gran, uint16_t did,
		     uint16_t sid, unsigned int fm)
{
	unsigned int bus, fn;

	for (bus = 0; bus < 256; bus++) {
		if (!m->ctx[bus])
			continue;
		for (fn = 0; fn < 256; fn++) {
			struct vtdm_ctx *c = &m->ctx[bus][fn];

			if (!c->held ||
			    !ctx_named(gran, did, sid, fm,
				       (uint16_t)(bus << 8 | fn), c->did))
				continue;
			c->held = false;
			m->n_ctx--;
		}
	}
}

/* --- IOTLB and paging-structure caches ------------------------------------ */

static struct vtdm_dom *dom_get(struct vtdm *m, uint16_t did, bool make)
{
	struct vtdm_dom ***row = &m->dom[did >> 8];

	if (!*row) {
		if (!make)
			return NULL;
		*row = calloc(256, sizeof(**row));
		if (!*row)
			abort();
	}
	if (!(*row)[did & 0xff] && make) {
		(*row)[did & 0xff] = calloc(1, sizeof(***row));
		if (!(*row)[did & 0xff])
			abort();
	}
	return (*row)[did & 0xff];
}

static uint64_t dom_key(uint64_t addr, unsigned int level, bool leaf)
{
	unsigned int kind = leaf ? VTDM_KIND_LEAF(level)
				 : VTDM_KIND_TABLE(level);

	return addr >> (12 + 9 * level) << 4 | kind;
}

static void dom_count(struct vtdm *m, struct vtdm_dom *d, uint64_t key, int by)
{
	unsigned int kind = key & 0xf;

	d->n[kind] += (size_t)by;
	if (kind < VTDM_KIND_TABLE(1))
		m->n_leaf += (size_t)by;
	else
		m->n_table += (size_t)by;
}

struct vtdm_slot *vtdm_dom_find(struct vtdm *m, uint16_t did, uint64_t addr,
				unsigned int level, bool leaf)
{
	struct vtdm_dom *d = dom_get(m, did, false);
	uint64_t key = dom_key(addr, level, leaf);

	if (!d || !d->n[key & 0xf])
		return NULL;
	return vtdm_table_find(&d->tab, key);
}

void vtdm_dom_hold(struct vtdm *m, uint16_t did, uint64_t addr,
		   unsigned int level, bool leaf, uint64_t val,
		   unsigned int aux)
{
	struct vtdm_dom *d = dom_get(m, did, true);
	uint64_t key = dom_key(addr, level, leaf);

	if (vtdm_table_put(&d->tab, key, val, aux))
		dom_count(m, d, key, 1);
}

static void dom_drop(struct vtdm *m, struct vtdm_dom *d)
{
	unsigned int kind;

	for (kind = 0; kind < VTDM_KINDS; kind++) {
		if (kind < VTDM_KIND_TABLE(1))
			m->n_leaf -= d->n[kind];
		else
			m->n_table -= d->n[kind];
		d->n[kind] = 0;
	}
	vtdm_table_clear(&d->tab);
}

static void dom_drop_key(struct vtdm *m, struct vtdm_dom *d, uint64_t key)
{
	if (vtdm_table_del(&d->tab, key))
		dom_count(m, d, key, -1);
}

/*
 * Does invalidating 2^@am pages from page @first on drop the entry @key?
 *
 * "Invalidate Address Register": to drop a superpage software must specify at
 * least the superpage's size, so a smaller mask leaves it. A table pointer
 * goes with any address below it, unless the hint says that only leaves
 * changed.
 */
static bool page_named(uint64_t key, uint64_t first, unsigned int am, bool ih)
{
	unsigned int kind = key & 0xf;
	uint64_t last = first + (VTDM_BIT64(am) - 1);
	unsigned int level;
	uint64_t lo, hi;

	if (kind < VTDM_KIND_TABLE(1)) {
		level = kind - VTDM_KIND_LEAF(0);
		lo = key >> 4 << (9 * level);
		hi = lo + vtdm_below(9 * level);
		return first <= lo && hi <= last;
	}
	if (ih)
		return false;
	level = kind - VTDM_KIND_TABLE(0);
	lo = key >> 4 << (9 * level);
	hi = lo + vtdm_below(9 * level);
	return lo <= last && first <= hi;
}

static void dom_drop_pages(struct vtdm *m, struct vtdm_dom *d, uint64_t first,
			   unsigned int am, bool ih)
{
	struct vtdm_table old;
	unsigned int level;
	size_t i;

	if (am == 0) { /* the common case touches few entries: no scan */
		dom_drop_key(m, d, dom_key(first << 12, 0, true));
		for (level = 1; !ih && level <= 4; level++)
			dom_drop_key(m, d, dom_key(first << 12, level, false));
		return;
	}
	if (am < 9 && VTDM_BIT64(am) < d->tab.used / 2) {
		for (i = 0; i < VTDM_BIT64(am); i++)
			dom_drop_key(m, d, dom_key((first + i) << 12, 0, true));
		for (level = 1; !ih && level <= 4; level++)
			dom_drop_key(m, d, dom_key(first << 12, level, false));
		return;
	}
	old = d->tab;
	d->tab = (struct vtdm_table){ 0 };
	for (i = 0; i < old.size; i++) {
		struct vtdm_slot *s = &old.slots[i];

		if (!s->key)
			continue;
		if (page_named(s->key, first, am, ih))
			dom_count(m, d, s->key, -1);
		else
			vtdm_table_put(&d->tab, s->key, s->val, s->aux);
	}
	vtdm_table_clear(&old);
}

static void dom_drop_all(struct vtdm *m)
{
	unsigned int hi, lo;

	for (hi = 0; hi < 256; hi++) {
		for (lo = 0; m->dom[hi] && lo < 256; lo++) {
			if (m->dom[hi][lo])
				dom_drop(m, m->dom[hi][lo]);
		}
	}
}

void vtdm_cache_drop_all(struct vtdm *m)
{
	ctx_drop(m, VTDM_GRAN_GLOBAL, 0, 0, 0);
	dom_drop_all(m);
}

/* --- Invalidation requests, from registers and from the queue ------------- */

static unsigned int inv_refuse(struct vtdm *m, const char *why, uint64_t val)
{
	m->stats.bad_inv++;
	vtdm_note(m, "invalidation refused: %s 0x%llx", why,
		  (unsigned long long)val);
	return VTDM_GRAN_NONE;
}

/* "Write Buffer Flushing": invalidations flush implicitly. */
static void inv_flush(struct vtdm *m)
{
	if (m->cfg.rwbf && m->cfg.mem->flush)
		m->cfg.mem->flush(m->cfg.mem_ctx);
}

unsigned int vtdm_inv_context(struct vtdm *m, unsigned int gran, uint16_t did,
			      uint16_t sid, unsigned int fm)
{
	if (gran == VTDM_GRAN_NONE)
		return inv_refuse(m, "context granularity", gran);
	if (gran != VTDM_GRAN_GLOBAL && did >> (4 + 2 * m->cfg.nd))
		return inv_refuse(m, "domain id", did);
	inv_flush(m);
	ctx_drop(m, gran, did, sid, fm);
	if (gran == VTDM_GRAN_GLOBAL) {
		m->stats.ctx_global++;
		m->need_ctx = false;
	} else if (gran == VTDM_GRAN_DOMAIN) {
		m->stats.ctx_domain++;
	} else {
		m->stats.ctx_device++;
	}
	return gran;
}

static unsigned int inv_pages(struct vtdm *m, uint16_t did, uint64_t iva)
{
	unsigned int am = (unsigned int)VTDM_GET(VTDM_IVA_AM, iva);
	bool ih = iva & VTDM_IVA_IH;
	struct vtdm_dom *d;
	uint64_t first;

	if (!m->cfg.psi)
		return inv_refuse(m, "page-selective without PSI", iva);
	if (am > m->cfg.mamv)
		return inv_refuse(m, "address mask", am);
	/* Bits above MGAW are ignored, as are those that the mask covers. */
	first = (iva & vtdm_below(m->cfg.mgaw)) >> 12 & ~vtdm_below(am);
	inv_flush(m);
	m->stats.iotlb_page++;
	if (ih)
		m->stats.iotlb_page_ih++;
	d = dom_get(m, did, false);
	if (d)
		dom_drop_pages(m, d, first, am, ih);
	return VTDM_GRAN_FINE;
}

unsigned int vtdm_inv_iotlb(struct vtdm *m, unsigned int gran, uint16_t did,
			    uint64_t iva)
{
	struct vtdm_dom *d;

	if (gran == VTDM_GRAN_NONE)
		return inv_refuse(m, "iotlb granularity", gran);
	if (gran != VTDM_GRAN_GLOBAL && did >> (4 + 2 * m->cfg.nd))
		return inv_refuse(m, "domain id", did);
	if (gran == VTDM_GRAN_FINE)
		return inv_pages(m, did, iva);
	inv_flush(m);
	if (gran == VTDM_GRAN_DOMAIN) {
		m->stats.iotlb_domain++;
		d = dom_get(m, did, false);
		if (d)
			dom_drop(m, d);
		return gran;
	}
	m->stats.iotlb_global++;
	dom_drop_all(m);
	/* Counts after SRTP only if the contexts were dropped before. */
	if (!m->need_ctx)
		m->need_iotlb = false;
	return gran;
}
