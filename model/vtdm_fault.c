// SPDX-License-Identifier: MIT
/*
 * Fault records, fault status, and the two event messages.
 */
#include "vtdm_int.h"

static void event_send(struct vtdm *m, struct vtdm_msg *msg, uint32_t data_off)
{
	msg->pending = true;
	msg->data = vtdm_reg(m, data_off);
	/* Data is followed by the lower, then the upper address register. */
	msg->addr = vtdm_reg64(m, data_off + 4);
}

static void event(struct vtdm *m, uint32_t ctl)
{
	bool fault = ctl == VTDM_FECTL;

	if (vtdm_reg(m, ctl) & VTDM_ECTL_IM) {
		vtdm_reg_set(m, ctl, vtdm_reg(m, ctl) | VTDM_ECTL_IP);
		return;
	}
	if (fault)
		m->stats.irq_fault++;
	else
		m->stats.irq_inv++;
	event_send(m, fault ? &m->msg_fault : &m->msg_inv, ctl + 4);
}

void vtdm_ectl_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	uint32_t ctl = vtdm_reg(m, off) & VTDM_ECTL_IP;

	if (val & ~(VTDM_ECTL_IM | VTDM_ECTL_IP))
		vtdm_note(m, "reserved bits in event control 0x%x", val);
	vtdm_reg_set(m, off, ctl | (val & VTDM_ECTL_IM));
	if (ctl && !(val & VTDM_ECTL_IM)) {
		vtdm_reg_set(m, off, 0);
		event(m, off);
	}
}

/*
 * Set @bit in FSTS. "Fault Event Control Register": while an earlier
 * condition is still reported there, no further message is sent for a new one.
 */
void vtdm_fsts_raise(struct vtdm *m, uint32_t bit)
{
	uint32_t fsts = vtdm_reg(m, VTDM_FSTS);

	vtdm_reg_set(m, VTDM_FSTS, fsts | bit);
	if (!(fsts & VTDM_FSTS_ANY))
		event(m, VTDM_FECTL);
}

static void fsts_serviced(struct vtdm *m)
{
	if (vtdm_reg(m, VTDM_FSTS) & VTDM_FSTS_ANY)
		return;
	vtdm_reg_set(m, VTDM_FECTL, vtdm_reg(m, VTDM_FECTL) & ~VTDM_ECTL_IP);
}

void vtdm_fsts_write(struct vtdm *m, uint32_t val)
{
	uint32_t fsts = vtdm_reg(m, VTDM_FSTS);

	vtdm_reg_set(m, VTDM_FSTS, fsts & ~(val & VTDM_FSTS_RW1C));
	fsts_serviced(m);
	/* A queue that stopped for an error goes on where it stands. */
	if (fsts & val & (VTDM_FSTS_IQE | VTDM_FSTS_ITE))
		vtdm_queue_kick(m);
}

void vtdm_frcd_write(struct vtdm *m, uint32_t off, uint32_t val)
{
	uint32_t f = (uint32_t)(VTDM_FRCD_F >> 32);
	uint32_t fro = m->cfg.fro;
	unsigned int i;

	if ((off - fro) % VTDM_FRCD_SIZE != VTDM_FRCD_HI + 4)
		return; /* the rest is read-only */
	if (!(val & f))
		return;
	vtdm_reg_set(m, off, vtdm_reg(m, off) & ~f);
	for (i = 0; i < m->cfg.nfr; i++) {
		if (vtdm_reg(m, fro + i * VTDM_FRCD_SIZE + VTDM_FRCD_HI + 4) &
		    f)
			return;
	}
	/* PPF is the OR of all F. */
	vtdm_reg_set(m, VTDM_FSTS, vtdm_reg(m, VTDM_FSTS) & ~VTDM_FSTS_PPF);
	fsts_serviced(m);
}

static bool same_sid_pending(const struct vtdm *m, uint16_t sid)
{
	unsigned int i;

	for (i = 0; i < m->cfg.nfr; i++) {
		uint64_t hi = vtdm_reg64(m, m->cfg.fro + i * VTDM_FRCD_SIZE +
						    VTDM_FRCD_HI);

		if ((hi & VTDM_FRCD_F) && VTDM_GET(VTDM_FRCD_SID, hi) == sid)
			return true;
	}
	return false;
}

/* "Primary Fault Logging" */
void vtdm_record(struct vtdm *m, uint16_t sid, uint64_t addr, bool write,
		 enum vtdm_at at, unsigned int reason)
{
	uint32_t rec = m->cfg.fro + m->frcd_next * VTDM_FRCD_SIZE;
	uint32_t fsts = vtdm_reg(m, VTDM_FSTS);
	uint64_t hi;

	if ((fsts & VTDM_FSTS_PFO) ||
	    (m->cfg.compress_faults && same_sid_pending(m, sid))) {
		m->stats.faults_lost++;
		return;
	}
	if (vtdm_reg64(m, rec + VTDM_FRCD_HI) & VTDM_FRCD_F) {
		m->stats.faults_lost++;
		vtdm_fsts_raise(m, VTDM_FSTS_PFO);
		return;
	}
	hi = VTDM_PUT(VTDM_FRCD_SID, (uint64_t)sid) |
	     VTDM_PUT(VTDM_FRCD_FR, (uint64_t)reason) | VTDM_FRCD_F;
	if (!write)
		hi |= VTDM_FRCD_T1;
	if (m->cfg.dt)
		hi |= VTDM_PUT(VTDM_FRCD_AT, (uint64_t)at);
	/* "Fault Info": bits from MGAW upwards are not recorded. */
	vtdm_reg64_set(m, rec + VTDM_FRCD_LO,
		       addr & VTDM_PAGE_ADDR & vtdm_below(m->cfg.mgaw));
	vtdm_reg64_set(m, rec + VTDM_FRCD_HI, hi);
	m->stats.faults_recorded++;
	if (!(fsts & VTDM_FSTS_PPF)) {
		fsts &= ~VTDM_FSTS_FRI;
		fsts |= (uint32_t)VTDM_PUT(VTDM_FSTS_FRI, m->frcd_next);
		vtdm_reg_set(m, VTDM_FSTS, fsts);
		vtdm_fsts_raise(m, VTDM_FSTS_PPF);
	}
	m->frcd_next = (m->frcd_next + 1) % m->cfg.nfr;
}

void vtdm_fault_inject(struct vtdm *m, uint16_t sid, uint64_t addr, bool write,
		       unsigned int reason)
{
	vtdm_lock(m);
	m->stats.faults++;
	vtdm_record(m, sid, addr, write, VTDM_AT_UNTRANSLATED, reason);
	vtdm_unlock(m);
}

void vtdm_ics_raise(struct vtdm *m)
{
	if (vtdm_reg(m, VTDM_ICS) & VTDM_ICS_IWC)
		return;
	vtdm_reg_set(m, VTDM_ICS, VTDM_ICS_IWC);
	event(m, VTDM_IECTL);
}

void vtdm_ics_write(struct vtdm *m, uint32_t val)
{
	if (!(val & VTDM_ICS_IWC))
		return;
	vtdm_reg_set(m, VTDM_ICS, 0);
	vtdm_reg_set(m, VTDM_IECTL, vtdm_reg(m, VTDM_IECTL) & ~VTDM_ECTL_IP);
}
