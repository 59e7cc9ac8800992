// SPDX-License-Identifier: MIT
/*
 * The register window: who may write what, and what a write sets going.
 */
#include "vtdm_int.h"

/* --- Global command ------------------------------------------------------- */

static const struct {
	uint32_t bit;
	unsigned int hang;
} gcmd_hangs[] = {
	{ VTDM_G_TE, VTDM_HANG_TE },	{ VTDM_G_SRTP, VTDM_HANG_SRTP },
	{ VTDM_G_WBF, VTDM_HANG_WBF },	{ VTDM_G_QIE, VTDM_HANG_QIE },
	{ VTDM_G_SIRTP, VTDM_HANG_IR }, { VTDM_G_IRE, VTDM_HANG_IR },
	{ VTDM_G_CFI, VTDM_HANG_IR },
};

static unsigned int count_bits(uint32_t v)
{
	unsigned int n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

static void gsts_change(struct vtdm *m, uint32_t bit, bool on)
{
	uint32_t gsts = vtdm_reg(m, VTDM_GSTS) & ~bit;

	vtdm_reg_set(m, VTDM_GSTS, on ? gsts | bit : gsts);
}

static void gcmd_te(struct vtdm *m, bool on)
{
	if (on && !m->root_set)
		vtdm_note(m, "TE set though SRTP was never done");
	else if (on && (m->need_ctx || m->need_iotlb))
		vtdm_note(m, "TE set, but no global context and then IOTLB "
			     "invalidation since SRTP");
	gsts_change(m, VTDM_G_TE, on);
	if (on)
		m->stats.te_on++;
	else
		m->stats.te_off++;
}

static void gcmd_srtp(struct vtdm *m)
{
	m->root = vtdm_reg64(m, VTDM_RTADDR);
	m->root_set = true;
	m->stats.srtp++;
	/* "Set Root Table Pointer Operation": only ESRTPS invalidates too. */
	if (m->cfg.esrtps)
		vtdm_cache_drop_all(m);
	m->need_ctx = !m->cfg.esrtps;
	m->need_iotlb = !m->cfg.esrtps;
	gsts_change(m, VTDM_G_SRTP, true);
}

static void gcmd_qie(struct vtdm *m, bool on)
{
	if (on && vtdm_reg64(m, VTDM_IQT))
		vtdm_note(m, "QIE set while the tail is not 0");
	if (!on && vtdm_reg64(m, VTDM_IQH) != vtdm_reg64(m, VTDM_IQT))
		vtdm_note(m, "QIE cleared while the queue is not empty");
	gsts_change(m, VTDM_G_QIE, on);
	vtdm_reg64_set(m, VTDM_IQH, 0);
	m->queue.busy = false;
	if (on)
		vtdm_queue_kick(m);
}

void vtdm_gcmd_done(struct vtdm *m)
{
	uint32_t todo = m->gcmd_todo;
	uint32_t want = m->gcmd_want;

	m->gcmd_todo = 0;
	if (todo & VTDM_G_WBF) {
		m->stats.wbf++;
		if (m->cfg.mem->flush)
			m->cfg.mem->flush(m->cfg.mem_ctx);
		gsts_change(m, VTDM_G_WBF, false);
	}
	if (todo & VTDM_G_SRTP)
		gcmd_srtp(m);
	if (todo & VTDM_G_SIRTP)
		gsts_change(m, VTDM_G_SIRTP, true);
	if (todo & VTDM_G_IRE)
		gsts_change(m, VTDM_G_IRE, want & VTDM_G_IRE);
	if (todo & VTDM_G_CFI)
		gsts_change(m, VTDM_G_CFI, want & VTDM_G_CFI);
	if (todo & VTDM_G_QIE)
		gcmd_qie(m, want & VTDM_G_QIE);
	if (todo & VTDM_G_TE)
		gcmd_te(m, want & VTDM_G_TE);
}

static uint32_t gcmd_supported(const struct vtdm *m)
{
	uint32_t bits = VTDM_G_TE | VTDM_G_SRTP | VTDM_G_WBF;

	if (m->cfg.qi)
		bits |= VTDM_G_QIE;
	if (m->cfg.ir)
		bits |= VTDM_G_SIRTP | VTDM_G_IRE | VTDM_G_CFI;
	return bits;
}

static void gcmd_write(struct vtdm *m, uint32_t val)
{
	uint32_t todo = (val ^ vtdm_reg(m, VTDM_GSTS)) & VTDM_G_KEPT;
	unsigned int hang = 0;
	size_t i;

	todo |= val & VTDM_G_ONESHOT;
	if (m->gcmd.busy)
		vtdm_note(m, "GCMD 0x%x while GSTS does not show the last",
			  val);
	if (val & VTDM_G_RSVD)
		vtdm_note(m, "GCMD 0x%x has reserved bits", val);
	if (todo & ~gcmd_supported(m))
		vtdm_note(m, "GCMD 0x%x: not supported 0x%x", val,
			  todo & ~gcmd_supported(m));
	/* "Global Command Register": one field at a time. */
	if (count_bits(todo) > 1)
		vtdm_note(m, "GCMD 0x%x changes more than one field: 0x%x", val,
			  todo);
	todo &= gcmd_supported(m);
	if (!m->cfg.rwbf)
		todo &= ~VTDM_G_WBF; /* ignored, and no error */
	if (!todo)
		return;
	for (i = 0; i < sizeof(gcmd_hangs) / sizeof(gcmd_hangs[0]); i++) {
		if (todo & gcmd_hangs[i].bit)
			hang |= gcmd_hangs[i].hang;
	}
	m->gcmd_todo |= todo;
	m->gcmd_want = val;
	/* Setting a pointer takes its status away until that is done. */
	gsts_change(m, todo & (VTDM_G_SRTP | VTDM_G_SIRTP), false);
	gsts_change(m, todo & VTDM_G_WBF, true);
	if (vtdm_cmd_begin(m, &m->gcmd, hang))
		vtdm_gcmd_done(m);
}

/* --- Register-based invalidation ------------------------------------------ */

/* "Register-based Invalidation Interface": up to major version 5. */
static bool inv_there(const struct vtdm *m)
{
	return m->cfg.version >> 4 <= 5;
}

void vtdm_ccmd_done(struct vtdm *m)
{
	uint64_t r = vtdm_reg64(m, VTDM_CCMD);
	unsigned int gran = VTDM_GRAN_NONE;

	if (inv_there(m) && !vtdm_on(m, VTDM_G_QIE))
		gran = vtdm_inv_context(
			m, (unsigned int)VTDM_GET(VTDM_CCMD_CIRG, r),
			(uint16_t)VTDM_GET(VTDM_CCMD_DID, r),
			(uint16_t)VTDM_GET(VTDM_CCMD_SID, r),
			(unsigned int)VTDM_GET(VTDM_CCMD_FM, r));
	r &= ~(VTDM_CCMD_ICC | VTDM_CCMD_CAIG);
	r |= VTDM_PUT(VTDM_CCMD_CAIG, (uint64_t)gran);
	vtdm_reg64_set(m, VTDM_CCMD, r);
}

void vtdm_iotlb_done(struct vtdm *m)
{
	uint32_t off = m->cfg.iro + VTDM_IOTLB;
	uint64_t r = vtdm_reg64(m, off);
	unsigned int gran = VTDM_GRAN_NONE;

	if (inv_there(m) && !vtdm_on(m, VTDM_G_QIE))
		gran = vtdm_inv_iotlb(
			m, (unsigned int)VTDM_GET(VTDM_IOTLB_IIRG, r),
			(uint16_t)VTDM_GET(VTDM_IOTLB_DID, r),
			vtdm_reg64(m, m->cfg.iro + VTDM_IVA));
	r &= ~(VTDM_IOTLB_IVT | VTDM_IOTLB_IAIG);
	r |= VTDM_PUT(VTDM_IOTLB_IAIG, (uint64_t)gran);
	vtdm_reg64_set(m, off, r);
}

static bool inv_allowed(struct vtdm *m, const char *reg)
{
	if (!inv_there(m)) {
		vtdm_note(m, "%s used in version %u, which has none", reg,
			  m->cfg.version >> 4);
		m->stats.bad_inv++;
	}
	if (vtdm_on(m, VTDM_G_QIE)) {
		vtdm_note(m, "%s used while the queue is enabled", reg);
		m->stats.bad_inv++;
	}
	if (m->ccmd.busy || m->iotlb.busy) {
		vtdm_note(m, "%s written while an invalidation is pending",
			  reg);
		return false;
	}
	return true;
}

static void ccmd_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	uint32_t icc = (uint32_t)(VTDM_CCMD_ICC >> 32);

	if (off == VTDM_CCMD) {
		if (m->ccmd.busy)
			vtdm_note(m, "CCMD written while ICC is set");
		else
			vtdm_reg_set(m, off, val);
		return;
	}
	if (val & (uint32_t)(VTDM_CCMD_RSVD >> 32))
		vtdm_note(m, "CCMD reserved bits 0x%x", val);
	if (!inv_allowed(m, "CCMD"))
		return;
	vtdm_reg_set(m, off, val);
	if (val & icc && vtdm_cmd_begin(m, &m->ccmd, VTDM_HANG_CCMD))
		vtdm_ccmd_done(m);
}

static void iotlb_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	uint32_t part = off - m->cfg.iro;

	if (part == VTDM_IVA && (val & (uint32_t)VTDM_IVA_RSVD))
		vtdm_note(m, "IVA reserved bits 0x%x", val);
	if (part != VTDM_IOTLB + 4) {
		if (m->iotlb.busy)
			vtdm_note(m, "IVA written while IVT is set");
		else
			vtdm_reg_set(m, off, val);
		return;
	}
	if (!inv_allowed(m, "IOTLB"))
		return;
	vtdm_reg_set(m, off, val);
	if (val & (uint32_t)(VTDM_IOTLB_IVT >> 32) &&
	    vtdm_cmd_begin(m, &m->iotlb, VTDM_HANG_IOTLB))
		vtdm_iotlb_done(m);
}

/* --- Protected memory, queue, plain registers ----------------------------- */

void vtdm_pmen_done(struct vtdm *m)
{
	uint32_t pmen = vtdm_reg(m, VTDM_PMEN) & VTDM_PMEN_EPM;

	if (pmen)
		pmen |= VTDM_PMEN_PRS;
	vtdm_reg_set(m, VTDM_PMEN, pmen);
}

static void pmen_write(struct vtdm *m, uint32_t val)
{
	uint32_t pmen = vtdm_reg(m, VTDM_PMEN);

	if (!m->cfg.plmr && !m->cfg.phmr)
		return; /* read-only zero then */
	if (m->pmen.busy) {
		vtdm_note(m, "PMEN changed before PRS followed");
		return;
	}
	if (!((pmen ^ val) & VTDM_PMEN_EPM))
		return;
	vtdm_reg_set(m, VTDM_PMEN, pmen ^ VTDM_PMEN_EPM);
	if (vtdm_cmd_begin(m, &m->pmen, VTDM_HANG_PMEN))
		vtdm_pmen_done(m);
}

static void pmr_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	bool low = off < VTDM_PHMBASE;

	if (low ? !m->cfg.plmr : !m->cfg.phmr)
		return;
	if (vtdm_reg(m, VTDM_PMEN) & VTDM_PMEN_PRS)
		vtdm_note(m, "protected range 0x%x moved while enabled", off);
	if (low || !(off & 4))
		val &= ~(uint32_t)vtdm_below(m->cfg.pmr_shift);
	vtdm_reg_set(m, off, val);
}

static void queue_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	if (off == VTDM_IQT) {
		if (val & ~(uint32_t)VTDM_IQ_OFFSET)
			vtdm_note(m, "IQT reserved bits 0x%x", val);
		vtdm_reg_set(m, off, val & (uint32_t)VTDM_IQ_OFFSET);
		m->stats.tail_writes++;
		vtdm_queue_kick(m);
		return;
	}
	if (off == VTDM_IQT + 4) {
		if (val)
			vtdm_note(m, "IQT reserved bits 0x%x", val);
		return;
	}
	if (vtdm_on(m, VTDM_G_QIE)) {
		vtdm_note(m, "IQA written while the queue is enabled");
		return;
	}
	if (off == VTDM_IQA && (val & (uint32_t)(VTDM_IQA_RSVD | VTDM_IQA_DW)))
		vtdm_note(m, "IQA reserved bits or width 0x%x", val);
	if (off == VTDM_IQA)
		val &= ~(uint32_t)(VTDM_IQA_RSVD | VTDM_IQA_DW);
	vtdm_reg_set(m, off, val);
}

static void queue_regs_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	if (!m->cfg.qi) {
		vtdm_note(m, "queue register 0x%x without QI", off);
		return;
	}
	if (off == VTDM_ICS)
		vtdm_ics_write(m, val);
	else if (off == VTDM_IECTL)
		vtdm_ectl_write(m, off, val);
	else if (off < VTDM_ICS)
		queue_write(m, off, val);
	else
		vtdm_reg_set(m, off, off == VTDM_IEADDR ? val & ~3u : val);
}

static void masked_write(struct vtdm *m, uint32_t off, uint32_t val,
			 uint32_t rsvd)
{
	if (val & rsvd)
		vtdm_note(m, "register 0x%x: reserved bits 0x%x", off,
			  val & rsvd);
	vtdm_reg_set(m, off, val & ~rsvd);
}

static void fixed_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	switch (off) {
	case VTDM_GCMD:
		gcmd_write(m, val);
		break;
	case VTDM_RTADDR:
		masked_write(m, off, val, (uint32_t)VTDM_RTADDR_RSVD);
		break;
	case VTDM_CCMD:
	case VTDM_CCMD + 4:
		ccmd_write(m, off, val);
		break;
	case VTDM_FSTS:
		vtdm_fsts_write(m, val);
		break;
	case VTDM_FECTL:
		vtdm_ectl_write(m, off, val);
		break;
	case VTDM_FEADDR:
		masked_write(m, off, val, 3);
		break;
	case VTDM_PMEN:
		pmen_write(m, val);
		break;
	case VTDM_IRTA:
		masked_write(m, off, val, (uint32_t)VTDM_IRTA_RSVD);
		break;
	case VTDM_RTADDR + 4:
	case VTDM_FEDATA:
	case VTDM_FEUADDR:
	case VTDM_IRTA + 4:
		vtdm_reg_set(m, off, val);
		break;
	default:
		if (off >= VTDM_PLMBASE && off < VTDM_IQH)
			pmr_write(m, off, val);
		else if (off >= VTDM_IQT && off < VTDM_IQERCD &&
			 off != VTDM_IQA + 8)
			queue_regs_write(m, off, val);
		else
			vtdm_note(m, "write to read-only register 0x%x", off);
	}
}

/* --- Access --------------------------------------------------------------- */

static bool in_iotlb(const struct vtdm *m, uint32_t off)
{
	return off >= m->cfg.iro && off - m->cfg.iro < 16;
}

static bool in_frcd(const struct vtdm *m, uint32_t off)
{
	return off >= m->cfg.fro &&
	       off - m->cfg.fro < m->cfg.nfr * VTDM_FRCD_SIZE;
}

static bool is_64(const struct vtdm *m, uint32_t off)
{
	switch (off) {
	case VTDM_CAP:
	case VTDM_ECAP:
	case VTDM_RTADDR:
	case VTDM_CCMD:
	case VTDM_AFLOG:
	case VTDM_PHMBASE:
	case VTDM_PHMLIMIT:
	case VTDM_IQH:
	case VTDM_IQT:
	case VTDM_IQA:
	case VTDM_IQERCD:
	case VTDM_IRTA:
		return true;
	default:
		return in_iotlb(m, off) || in_frcd(m, off);
	}
}

/* Common to all accesses; false if there is nothing behind @off. */
static bool access(struct vtdm *m, uint32_t off, unsigned int size, bool write)
{
	m->stats.mmio++;
	if (write)
		m->stats.mmio_writes++;
	else
		m->stats.mmio_reads++;
	if (m->knobs.dead_at && m->stats.mmio >= m->knobs.dead_at)
		m->dead = true;
	if (off % size || off > m->reg_size - size) {
		vtdm_note(m, "access of %u bytes at 0x%x", size, off);
		return false;
	}
	if (size == 8 && !is_64(m, off))
		vtdm_note(m, "64-bit access to a 32-bit register 0x%x", off);
	return true;
}

static uint32_t value_of(const struct vtdm *m, uint32_t off)
{
	/* Write-only; nobody should build on what they return. */
	if (off == VTDM_GCMD || (in_iotlb(m, off) && off - m->cfg.iro < 8))
		return 0;
	return vtdm_reg(m, off);
}

static void store(struct vtdm *m, uint32_t off, uint32_t val)
{
	if (off < VTDM_FIXED_END)
		fixed_write(m, off, val);
	else if (in_iotlb(m, off))
		iotlb_write(m, off, val);
	else if (in_frcd(m, off))
		vtdm_frcd_write(m, off, val);
	else
		vtdm_note(m, "write to no register at 0x%x", off);
}

uint32_t vtdm_read32(struct vtdm *m, uint32_t offset)
{
	uint32_t val = UINT32_MAX;

	vtdm_lock(m);
	if (access(m, offset, 4, false))
		val = value_of(m, offset);
	if (m->dead && m->knobs.dead_mode == VTDM_DEAD_ONES)
		val = UINT32_MAX;
	vtdm_service(m, true);
	vtdm_unlock(m);
	return val;
}

uint64_t vtdm_read64(struct vtdm *m, uint32_t offset)
{
	uint64_t val = UINT64_MAX;

	vtdm_lock(m);
	if (access(m, offset, 8, false))
		val = (uint64_t)value_of(m, offset + 4) << 32 |
		      value_of(m, offset);
	if (m->dead && m->knobs.dead_mode == VTDM_DEAD_ONES)
		val = UINT64_MAX;
	vtdm_service(m, true);
	vtdm_unlock(m);
	return val;
}

void vtdm_write32(struct vtdm *m, uint32_t offset, uint32_t value)
{
	vtdm_lock(m);
	if (access(m, offset, 4, true) && !m->dead)
		store(m, offset, value);
	vtdm_unlock(m);
}

void vtdm_write64(struct vtdm *m, uint32_t offset, uint64_t value)
{
	vtdm_lock(m);
	if (access(m, offset, 8, true) && !m->dead) {
		store(m, offset, (uint32_t)value);
		store(m, offset + 4, (uint32_t)(value >> 32));
	}
	vtdm_unlock(m);
}
