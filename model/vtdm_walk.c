// SPDX-License-Identifier: MIT
/*
 * From a device's request to memory: context entry, second-stage walk, fault.
 */
#include <string.h>

#include "vtdm_int.h"

struct request {
	uint16_t sid;
	uint64_t addr;
	bool write;
	bool zero_length;
	enum vtdm_at at;
};

/* --- Context entry -------------------------------------------------------- */

static unsigned int top_aw(const struct vtdm *m)
{
	unsigned int aw = 4;

	while (aw && !(m->cfg.sagaw & (1u << aw)))
		aw--;
	return aw;
}

/* "Context Entry": what is programmed wrongly in a present entry. */
static enum vtdm_result ctx_check(struct vtdm *m, const struct vtdm_ctx *c,
				  const uint64_t *e)
{
	uint64_t beyond = ~vtdm_below(m->cfg.haw);

	if ((e[0] & VTDM_CTX_LO_RSVD) || (e[1] & VTDM_CTX_HI_RSVD) ||
	    c->did >> (4 + 2 * m->cfg.nd))
		return VTDM_FR_CTX_RSVD;
	if (c->tt != VTDM_TT_PASS && (c->table & beyond))
		return VTDM_FR_CTX_RSVD;
	switch (c->tt) {
	case VTDM_TT_TRANSLATE:
		break;
	case VTDM_TT_DEV_TLB:
		if (!m->cfg.dt)
			return VTDM_FR_CTX_INVALID;
		break;
	case VTDM_TT_PASS:
		/* Pass-through asks for the largest supported width. */
		if (!m->cfg.pt || c->aw != top_aw(m))
			return VTDM_FR_CTX_INVALID;
		break;
	default:
		return VTDM_FR_CTX_INVALID;
	}
	if (c->aw < 1 || c->aw > 3 || !(m->cfg.sagaw & (1u << c->aw)))
		return VTDM_FR_CTX_INVALID;
	if (m->cfg.cm && c->did == 0)
		vtdm_note(m, "domain id 0 used though CM is set");
	return VTDM_OK;
}

static enum vtdm_result ctx_fetch(struct vtdm *m, uint16_t sid,
				  struct vtdm_ctx *c)
{
	uint64_t beyond = ~vtdm_below(m->cfg.haw);
	uint64_t at, e[2];

	at = (m->root & VTDM_PAGE_ADDR) + (uint64_t)(sid >> 8) * 16;
	m->stats.walk_reads++;
	if (m->cfg.mem->walk_read(m->cfg.mem_ctx, at, e, sizeof(e)))
		return VTDM_FR_ROOT_READ;
	if (!(e[0] & VTDM_ROOT_P))
		return VTDM_FR_ROOT_NOT_PRESENT;
	if ((e[0] & VTDM_ROOT_RSVD) || (e[0] & beyond) || e[1])
		return VTDM_FR_ROOT_RSVD;

	at = (e[0] & VTDM_PAGE_ADDR) + (uint64_t)(sid & 0xff) * 16;
	m->stats.walk_reads++;
	if (m->cfg.mem->walk_read(m->cfg.mem_ctx, at, e, sizeof(e)))
		return VTDM_FR_CTX_READ;
	c->fpd = e[0] & VTDM_CTX_FPD;
	if (!(e[0] & VTDM_CTX_P))
		return VTDM_FR_CTX_NOT_PRESENT;
	c->tt = (uint8_t)VTDM_GET(VTDM_CTX_TT, e[0]);
	c->aw = (uint8_t)VTDM_GET(VTDM_CTX_AW, e[1]);
	c->did = (uint16_t)VTDM_GET(VTDM_CTX_DID, e[1]);
	c->table = e[0] & VTDM_PAGE_ADDR;
	return ctx_check(m, c, e);
}

static void ctx_get(struct vtdm *m, uint16_t sid, struct vtdm_ctx *c)
{
	struct vtdm_ctx *held = vtdm_ctx_slot(m, sid);

	if (held) {
		*c = *held;
		return;
	}
	*c = (struct vtdm_ctx){ 0 };
	c->reason = (uint16_t)ctx_fetch(m, sid, c);
	if (c->reason) {
		/* "Caching Mode": faulting entries too, as of domain 0. */
		c->did = 0;
		if (!m->cfg.cm)
			return;
	}
	vtdm_ctx_hold(m, sid, c);
}

/* --- Second stage --------------------------------------------------------- */

/* "Second-Stage Paging Entries": bits that must be 0 in a present entry. */
static uint64_t entry_rsvd(const struct vtdm *m, unsigned int level, bool leaf)
{
	uint64_t rsvd = VTDM_SS_ADDR & ~vtdm_below(m->cfg.haw);

	if (!leaf) {
		rsvd |= VTDM_SS_SNP | VTDM_SS_TM;
		/* As page size where it may be set, it would be a leaf. */
		rsvd |= VTDM_SS_PS;
		return rsvd;
	}
	if (!m->cfg.sc)
		rsvd |= VTDM_SS_SNP;
	if (!m->cfg.dt)
		rsvd |= VTDM_SS_TM;
	rsvd |= VTDM_SS_ADDR & vtdm_below(12 + 9 * level);
	if (level > 2 || (level && !(m->cfg.sslps & (1u << (level - 1)))))
		rsvd |= VTDM_SS_PS;
	return rsvd;
}

static enum vtdm_result not_present(const struct request *r)
{
	return r->write ? VTDM_FR_WRITE : VTDM_FR_READ;
}

static enum vtdm_result check_perm(const struct vtdm *m,
				   const struct request *r, uint64_t perm)
{
	if (r->write)
		return perm & VTDM_SS_W ? VTDM_OK : VTDM_FR_WRITE;
	/* "Zero-Length Read": allowed by CAP.ZLR on a write-only page. */
	if (r->zero_length && m->cfg.zlr && (perm & VTDM_SS_W))
		return VTDM_OK;
	return perm & VTDM_SS_R ? VTDM_OK : VTDM_FR_READ;
}

/* Caching mode also keeps what is not there, or is wrong. */
static enum vtdm_result walk_fail(struct vtdm *m, const struct vtdm_ctx *c,
				  const struct request *r, unsigned int level,
				  unsigned int reason)
{
	if (m->cfg.cm)
		vtdm_dom_hold(m, c->did, r->addr, level, level == 0, 0, reason);
	if (reason == VTDM_NOT_PRESENT)
		return not_present(r);
	return (enum vtdm_result)reason;
}

static enum vtdm_result held_result(const struct vtdm *m,
				    const struct request *r,
				    const struct vtdm_slot *s)
{
	if (s->aux == VTDM_NOT_PRESENT)
		return not_present(r);
	if (s->aux)
		return (enum vtdm_result)s->aux;
	return check_perm(m, r, s->val);
}

/*
 * Where to begin: below the lowest cached pointer to a table, or at the top.
 * Returns the level whose table is in @table, or -1 if a cached fault says
 * what happens, in @res.
 */
static int walk_begin(struct vtdm *m, const struct vtdm_ctx *c,
		      const struct request *r, uint64_t *table, uint64_t *perm,
		      enum vtdm_result *res)
{
	unsigned int top = c->aw + 1u;
	unsigned int level;

	for (level = 1; level <= top; level++) {
		struct vtdm_slot *s = vtdm_dom_find(m, c->did, r->addr, level,
						    false);

		if (!s)
			continue;
		if (s->aux) {
			*res = held_result(m, r, s);
			return -1;
		}
		*table = s->val & VTDM_SS_ADDR;
		*perm = s->val & (VTDM_SS_R | VTDM_SS_W);
		return (int)level - 1;
	}
	*table = c->table;
	*perm = VTDM_SS_R | VTDM_SS_W;
	return (int)top;
}

static enum vtdm_result walk(struct vtdm *m, const struct vtdm_ctx *c,
			     const struct request *r, uint64_t *paddr)
{
	enum vtdm_result res = VTDM_OK;
	uint64_t table, perm, e;
	int level;

	m->stats.walks++;
	level = walk_begin(m, c, r, &table, &perm, &res);
	for (; level >= 0; level--) {
		unsigned int lv = (unsigned int)level;
		unsigned int shift = 12 + 9 * lv;
		uint64_t at = table + (r->addr >> shift & 0x1ff) * 8;
		bool leaf;

		m->stats.walk_reads++;
		if (m->cfg.mem->walk_read(m->cfg.mem_ctx, at, &e, sizeof(e)))
			return walk_fail(m, c, r, lv,
					 lv == c->aw + 1u ? VTDM_FR_CTX_INVALID
							  : VTDM_FR_TABLE_READ);
		if (!(e & (VTDM_SS_R | VTDM_SS_W)))
			return walk_fail(m, c, r, lv, VTDM_NOT_PRESENT);
		leaf = !lv || (lv <= 2 && (e & VTDM_SS_PS));
		if (e & entry_rsvd(m, lv, leaf))
			return walk_fail(m, c, r, lv, VTDM_FR_TABLE_RSVD);
		perm &= e;
		e &= VTDM_SS_ADDR;
		/* A request that fails for its direction only caches nothing. */
		res = check_perm(m, r, perm);
		if (res && !m->cfg.cm)
			return res;
		vtdm_dom_hold(m, c->did, r->addr, lv, leaf, e | perm, 0);
		if (res)
			return res;
		if (leaf) {
			*paddr = e | (r->addr & vtdm_below(shift));
			return VTDM_OK;
		}
		table = e;
	}
	return res;
}

static enum vtdm_result second_stage(struct vtdm *m, const struct vtdm_ctx *c,
				     const struct request *r, uint64_t *paddr)
{
	unsigned int width = 30u + 9u * c->aw;
	enum vtdm_result res = VTDM_OK;
	unsigned int level;

	if (width > m->cfg.mgaw)
		width = m->cfg.mgaw;
	if (r->addr & ~vtdm_below(width))
		return VTDM_FR_ADDR_BEYOND;
	for (level = 0; level <= 2; level++) {
		struct vtdm_slot *s = vtdm_dom_find(m, c->did, r->addr, level,
						    true);

		if (!s)
			continue;
		*paddr = (s->val & VTDM_SS_ADDR) |
			 (r->addr & vtdm_below(12 + 9 * level));
		res = held_result(m, r, s);
		break;
	}
	if (level > 2)
		res = walk(m, c, r, paddr);
	if (!res && *paddr >= VTDM_INTR_FIRST && *paddr <= VTDM_INTR_LAST)
		res = VTDM_FR_INTR_OUT;
	return res;
}

/* --- Request -------------------------------------------------------------- */

static enum vtdm_result pass_through(const struct vtdm *m,
				     const struct vtdm_ctx *c,
				     const struct request *r, uint64_t *paddr)
{
	if (r->addr & ~vtdm_below(m->cfg.haw))
		return VTDM_FR_ADDR_BEYOND;
	if (r->addr & ~vtdm_below(30u + 9u * c->aw))
		return VTDM_FR_ADDR_BEYOND;
	*paddr = r->addr;
	return VTDM_OK;
}

static enum vtdm_result remap(struct vtdm *m, const struct request *r,
			      uint64_t *paddr, bool *fpd)
{
	struct vtdm_ctx c;

	/* Tables of another kind than legacy ones are not supported. */
	if (m->root & VTDM_RTADDR_TTM)
		return VTDM_FR_TTM;
	ctx_get(m, r->sid, &c);
	*fpd = c.fpd;
	if (c.reason)
		return (enum vtdm_result)c.reason;
	if (r->at != VTDM_AT_UNTRANSLATED && c.tt != VTDM_TT_DEV_TLB)
		return VTDM_FR_TT_BLOCKED;
	if (r->at == VTDM_AT_TRANSLATED || c.tt == VTDM_TT_PASS)
		return pass_through(m, &c, r, paddr);
	return second_stage(m, &c, r, paddr);
}

static bool in_range(uint64_t addr, uint64_t base, uint64_t limit,
		     unsigned int shift)
{
	/* The registers' low bits read as 0; in the limit they count as 1. */
	base &= ~vtdm_below(shift);
	limit |= vtdm_below(shift);
	return base <= addr && addr <= limit;
}

static bool pmr_blocks(const struct vtdm *m, uint64_t paddr)
{
	if (!(vtdm_reg(m, VTDM_PMEN) & VTDM_PMEN_PRS))
		return false;
	if (m->cfg.plmr &&
	    in_range(paddr, vtdm_reg(m, VTDM_PLMBASE),
		     vtdm_reg(m, VTDM_PLMLIMIT), m->cfg.pmr_shift))
		return true;
	return m->cfg.phmr &&
	       in_range(paddr, vtdm_reg64(m, VTDM_PHMBASE),
			vtdm_reg64(m, VTDM_PHMLIMIT), m->cfg.pmr_shift);
}

/*
 * "Interrupt Address Range": never translated, whatever tables say. A write of
 * one aligned doubleword is an interrupt; all else has no meaning there.
 */
static enum vtdm_result interrupt(struct vtdm *m, const struct request *r,
				  size_t size)
{
	if (!r->write || size != 4 || (r->addr & 3))
		return VTDM_INTR_INVALID;
	m->stats.msi++;
	return VTDM_INTERRUPT;
}

/* Only untranslated requests have data, so @size matters to those alone. */
static enum vtdm_result request(struct vtdm *m, const struct request *r,
				size_t size, uint64_t *paddr)
{
	enum vtdm_result res = VTDM_OK;
	bool fpd = false;

	m->stats.dma++;
	if (r->at == VTDM_AT_UNTRANSLATED && r->addr >= VTDM_INTR_FIRST &&
	    r->addr <= VTDM_INTR_LAST)
		return interrupt(m, r, size);
	if (vtdm_on(m, VTDM_G_TE))
		res = remap(m, r, paddr, &fpd);
	else
		*paddr = r->addr;
	if (res) {
		m->stats.faults++;
		if (!fpd)
			vtdm_record(m, r->sid, r->addr, r->write, r->at, res);
		return res;
	}
	/*
	 * "Protected Memory Enable Register": hardware may or may not block
	 * what it translated; here it does, so nothing can rely on it not to.
	 */
	if (pmr_blocks(m, *paddr)) {
		m->stats.pmr_blocked++;
		return VTDM_PMR_BLOCKED;
	}
	return VTDM_OK;
}

enum vtdm_result vtdm_translate(struct vtdm *m, uint16_t sid, uint64_t addr,
				bool write, enum vtdm_at at, uint64_t *paddr)
{
	struct request r = { .sid = sid, .addr = addr, .write = write };
	enum vtdm_result res;
	uint64_t pa = 0;

	r.at = at;
	vtdm_lock(m);
	res = request(m, &r, 0, &pa);
	vtdm_unlock(m);
	if (!res && paddr)
		*paddr = pa;
	return res;
}

enum vtdm_result vtdm_dma(struct vtdm *m, uint16_t sid, uint64_t addr,
			  bool write, void *buf, size_t size)
{
	struct request r = { .sid = sid, .addr = addr, .write = write };
	enum vtdm_result res = VTDM_OK;
	uint8_t *data = buf;
	uint64_t pa = 0;
	int err;

	r.zero_length = !size && !write;
	vtdm_lock(m);
	do {
		size_t part = 4096 - (r.addr & 4095);

		part = part < size ? part : size;
		res = request(m, &r, part, &pa);
		if (res || !part)
			break;
		if (write)
			err = m->cfg.mem->write(m->cfg.mem_ctx, pa, data, part);
		else
			err = m->cfg.mem->read(m->cfg.mem_ctx, pa, data, part);
		if (err) {
			m->stats.bus_errors++;
			res = VTDM_BUS_ERROR;
			break;
		}
		data += part;
		r.addr += part;
		size -= part;
	} while (size);
	vtdm_unlock(m);
	return res;
}
