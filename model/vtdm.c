// SPDX-License-Identifier: MIT
/*
 * The unit as a whole: making it, its lock, its clock, questions to it.
 */
#include <stdlib.h>
#include <string.h>

#include "vtdm_int.h"

void vtdm_config_default(struct vtdm_config *config)
{
	*config = (struct vtdm_config){
		.nd = 6,
		.sagaw = 1u << 1 | 1u << 2,
		.mgaw = 48,
		.sslps = 3,
		.nfr = 8,
		.fro = 0x220,
		.iro = 0xf0,
		.mamv = 18,
		.mhmv = 15,
		.plmr = true,
		.phmr = true,
		.zlr = true,
		.psi = true,
		.dwd = true,
		.drd = true,
		.c = true,
		.qi = true,
		.pt = true,
		.sc = true,
		.version = 0x10,
		.haw = 39,
		.pmr_shift = 21,
	};
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool config_ok(const struct vtdm_config *c)
{
	uint32_t frcd_size = c->nfr * VTDM_FRCD_SIZE;

	if (c->nd > 6 || c->sagaw & ~0xeu || c->mgaw < 1 || c->mgaw > 64 ||
	    c->sslps > 3 || c->nfr < 1 || c->nfr > 256 || c->mamv > 52 ||
	    c->mhmv > 15 || c->haw < 32 || c->haw > 52 || c->pmr_shift < 12 ||
	    c->pmr_shift > 31)
		return false;
	if (c->fro % 16 || c->fro > 1023 * 16 || c->iro % 16 ||
	    c->iro > 1023 * 16)
		return false;
	if (c->fro < VTDM_FIXED_END || c->iro < VTDM_FIXED_END ||
	    overlap(c->fro, frcd_size, c->iro, 16))
		return false;
	return c->mem && c->mem->walk_read && c->mem->read && c->mem->write;
}

static uint64_t flag(bool on, uint64_t bit)
{
	return on ? bit : 0;
}

static uint64_t build_cap(const struct vtdm_config *c)
{
	return VTDM_PUT(VTDM_CAP_ND, (uint64_t)c->nd) |
	       VTDM_PUT(VTDM_CAP_SAGAW, (uint64_t)c->sagaw) |
	       VTDM_PUT(VTDM_CAP_MGAW, (uint64_t)c->mgaw - 1) |
	       VTDM_PUT(VTDM_CAP_FRO, (uint64_t)c->fro / 16) |
	       VTDM_PUT(VTDM_CAP_SSLPS, (uint64_t)c->sslps) |
	       VTDM_PUT(VTDM_CAP_NFR, (uint64_t)c->nfr - 1) |
	       VTDM_PUT(VTDM_CAP_MAMV, (uint64_t)c->mamv) |
	       flag(c->rwbf, VTDM_CAP_RWBF) | flag(c->plmr, VTDM_CAP_PLMR) |
	       flag(c->phmr, VTDM_CAP_PHMR) | flag(c->cm, VTDM_CAP_CM) |
	       flag(c->zlr, VTDM_CAP_ZLR) | flag(c->psi, VTDM_CAP_PSI) |
	       flag(c->dwd, VTDM_CAP_DWD) | flag(c->drd, VTDM_CAP_DRD) |
	       flag(c->fl1gp, VTDM_CAP_FL1GP) |
	       flag(c->esirtps, VTDM_CAP_ESIRTPS) |
	       flag(c->esrtps, VTDM_CAP_ESRTPS) | c->cap_extra;
}

static uint64_t build_ecap(const struct vtdm_config *c)
{
	return VTDM_PUT(VTDM_ECAP_IRO, (uint64_t)c->iro / 16) |
	       VTDM_PUT(VTDM_ECAP_MHMV, (uint64_t)c->mhmv) |
	       flag(c->c, VTDM_ECAP_C) | flag(c->qi, VTDM_ECAP_QI) |
	       flag(c->dt, VTDM_ECAP_DT) | flag(c->ir, VTDM_ECAP_IR) |
	       flag(c->eim, VTDM_ECAP_EIM) | flag(c->pt, VTDM_ECAP_PT) |
	       flag(c->sc, VTDM_ECAP_SC) | c->ecap_extra;
}

static void reset_regs(struct vtdm *m)
{
	vtdm_reg_set(m, VTDM_VER, m->cfg.version);
	vtdm_reg64_set(m, VTDM_CAP, m->cap);
	vtdm_reg64_set(m, VTDM_ECAP, m->ecap);
	vtdm_reg_set(m, VTDM_FECTL, VTDM_ECTL_IM);
	if (m->cfg.qi)
		vtdm_reg_set(m, VTDM_IECTL, VTDM_ECTL_IM);
}

struct vtdm *vtdm_create(const struct vtdm_config *config)
{
	struct vtdm *m;
	uint32_t end;

	if (!config_ok(config))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->cfg = *config;
	m->cap = build_cap(config);
	m->ecap = build_ecap(config);
	end = config->fro + config->nfr * VTDM_FRCD_SIZE;
	if (end < config->iro + 16)
		end = config->iro + 16;
	m->reg_size = (end + 4095) & ~(size_t)4095;
	m->regs = calloc(1, m->reg_size);
	if (!m->regs || pthread_mutex_init(&m->lock, NULL)) {
		free(m->regs);
		free(m);
		return NULL;
	}
	reset_regs(m);
	return m;
}

void vtdm_reset(struct vtdm *m)
{
	static const struct vtdm_cmd idle;
	static const struct vtdm_msg none;

	vtdm_lock(m);
	memset(m->regs, 0, m->reg_size);
	m->gcmd = m->ccmd = m->iotlb = m->pmen = m->queue = idle;
	m->gcmd_todo = 0;
	m->gcmd_want = 0;
	m->root = 0;
	m->root_set = false;
	m->need_ctx = false;
	m->need_iotlb = false;
	m->frcd_next = 0;
	m->msg_fault = none;
	m->msg_inv = none;
	m->dead = false;
	vtdm_cache_drop_all(m);
	reset_regs(m);
	vtdm_unlock(m);
}

void vtdm_destroy(struct vtdm *m)
{
	unsigned int hi, lo;

	if (!m)
		return;
	vtdm_cache_drop_all(m);
	for (hi = 0; hi < 256; hi++) {
		for (lo = 0; m->dom[hi] && lo < 256; lo++)
			free(m->dom[hi][lo]);
		free(m->dom[hi]);
		free(m->ctx[hi]);
	}
	pthread_mutex_destroy(&m->lock);
	free(m->regs);
	free(m);
}

size_t vtdm_reg_size(const struct vtdm *m)
{
	return m->reg_size;
}

/* --- Lock and clock ------------------------------------------------------- */

void vtdm_lock(struct vtdm *m)
{
	pthread_mutex_lock(&m->lock);
}

/* Event messages leave here, so that their receiver may access the unit. */
void vtdm_unlock(struct vtdm *m)
{
	struct vtdm_msg fault = m->msg_fault;
	struct vtdm_msg inv = m->msg_inv;

	m->msg_fault.pending = false;
	m->msg_inv.pending = false;
	pthread_mutex_unlock(&m->lock);
	if (!m->cfg.irq)
		return;
	if (fault.pending)
		m->cfg.irq(m->cfg.irq_ctx, fault.addr, fault.data);
	if (inv.pending)
		m->cfg.irq(m->cfg.irq_ctx, inv.addr, inv.data);
}

void vtdm_note(struct vtdm *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vtdm_notes_add(&m->notes, fmt, ap);
	va_end(ap);
}

static bool cmd_due(const struct vtdm *m, const struct vtdm_cmd *c)
{
	return !c->reads && m->now >= c->due && !(m->knobs.hang & c->hang);
}

/* Begin a command that software polls for; true if it is done at once. */
bool vtdm_cmd_begin(struct vtdm *m, struct vtdm_cmd *c, unsigned int hang)
{
	c->hang = hang;
	c->reads = m->knobs.cmd_reads;
	c->due = m->now + m->knobs.cmd_ticks;
	c->busy = !cmd_due(m, c);
	return !c->busy;
}

/* Complete what is due, after a read was answered or time has passed. */
void vtdm_service(struct vtdm *m, bool read)
{
	static void (*const done[])(struct vtdm *) = {
		vtdm_gcmd_done, vtdm_ccmd_done, vtdm_iotlb_done,
		vtdm_pmen_done, vtdm_queue_run,
	};
	struct vtdm_cmd *cmds[] = {
		&m->gcmd, &m->ccmd, &m->iotlb, &m->pmen, &m->queue,
	};
	size_t i;

	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		if (!cmds[i]->busy || m->dead)
			continue;
		if (read && cmds[i]->reads)
			cmds[i]->reads--;
		if (!cmd_due(m, cmds[i]))
			continue;
		cmds[i]->busy = false;
		done[i](m);
	}
}

static void storm(struct vtdm *m, uint64_t faults)
{
	m->stats.faults += faults;
	for (; faults; faults--) {
		if (vtdm_reg(m, VTDM_FSTS) & VTDM_FSTS_PFO) {
			/* All the others are lost alike: need no turn each. */
			m->stats.faults_lost += faults;
			m->knobs.storm_addr += 4096 * faults;
			return;
		}
		vtdm_record(m, m->knobs.storm_sid, m->knobs.storm_addr, true,
			    VTDM_AT_UNTRANSLATED, VTDM_FR_WRITE);
		m->knobs.storm_addr += 4096;
	}
}

void vtdm_tick(struct vtdm *m, uint64_t ticks)
{
	vtdm_lock(m);
	m->now += ticks;
	vtdm_service(m, false);
	storm(m, ticks * m->knobs.storm_faults);
	vtdm_unlock(m);
}

/* --- Questions ------------------------------------------------------------ */

struct vtdm_knobs *vtdm_knobs(struct vtdm *m)
{
	return &m->knobs;
}

const struct vtdm_stats *vtdm_stats(const struct vtdm *m)
{
	return &m->stats;
}

size_t vtdm_cache_count(struct vtdm *m, enum vtdm_cache cache)
{
	size_t n;

	vtdm_lock(m);
	if (cache == VTDM_CACHE_CONTEXT)
		n = m->n_ctx;
	else
		n = cache == VTDM_CACHE_IOTLB ? m->n_leaf : m->n_table;
	vtdm_unlock(m);
	return n;
}

static struct vtdm_slot *find_leaf(struct vtdm *m, uint16_t did, uint64_t iova,
				   unsigned int *level)
{
	struct vtdm_slot *s = NULL;

	for (*level = 0; *level <= 2; ++*level) {
		s = vtdm_dom_find(m, did, iova, *level, true);
		if (s)
			break;
	}
	return s;
}

bool vtdm_context_cached(struct vtdm *m, uint16_t sid, uint16_t *did)
{
	struct vtdm_ctx *c;

	vtdm_lock(m);
	c = vtdm_ctx_slot(m, sid);
	if (c && did)
		*did = c->did;
	vtdm_unlock(m);
	return c;
}

bool vtdm_iotlb_cached(struct vtdm *m, uint16_t did, uint64_t iova,
		       uint64_t *paddr)
{
	struct vtdm_slot *s;
	unsigned int level;

	vtdm_lock(m);
	s = find_leaf(m, did, iova, &level);
	if (s && paddr)
		*paddr = (s->val & VTDM_SS_ADDR) |
			 (iova & vtdm_below(12 + 9 * level));
	vtdm_unlock(m);
	return s;
}

bool vtdm_holds(struct vtdm *m, uint16_t sid, uint64_t iova)
{
	struct vtdm_ctx *c;
	unsigned int level;
	bool held;

	vtdm_lock(m);
	c = vtdm_ctx_slot(m, sid);
	held = c && (c->reason || c->tt == VTDM_TT_PASS ||
		     find_leaf(m, c->did, iova, &level));
	vtdm_unlock(m);
	return held;
}

size_t vtdm_violations(const struct vtdm *m)
{
	return m->notes.count;
}

const char *vtdm_violation(const struct vtdm *m, size_t index)
{
	if (index >= m->notes.count || index >= VTDM_NOTES)
		return NULL;
	return m->notes.text[index];
}

void vtdm_violations_clear(struct vtdm *m)
{
	vtdm_lock(m);
	m->notes.count = 0;
	vtdm_unlock(m);
}
