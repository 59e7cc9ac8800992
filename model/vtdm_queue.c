// SPDX-License-Identifier: MIT
/*
 * The invalidation queue: 128-bit descriptors, one after the other.
 */
#include "vtdm_int.h"

#define DESC_SIZE 16

static uint64_t queue_bytes(const struct vtdm *m)
{
	return UINT64_C(4096) << VTDM_GET(VTDM_IQA_QS, vtdm_reg64(m, VTDM_IQA));
}

static void queue_advance(struct vtdm *m)
{
	uint64_t head = vtdm_reg64(m, VTDM_IQH) + DESC_SIZE;

	vtdm_reg64_set(m, VTDM_IQH, head % queue_bytes(m));
}

/* Stop with the head at the culprit: software mends it and clears IQE. */
static void queue_error(struct vtdm *m, unsigned int info)
{
	uint64_t rec = vtdm_reg64(m, VTDM_IQERCD) & ~VTDM_IQERCD_IQEI;

	vtdm_reg64_set(m, VTDM_IQERCD, rec | info);
	vtdm_fsts_raise(m, VTDM_FSTS_IQE);
}

static unsigned int desc_type(const uint64_t *d)
{
	return (unsigned int)(VTDM_GET(VTDM_DESC_TYPE_HI, d[0]) << 4 |
			      VTDM_GET(VTDM_DESC_TYPE_LO, d[0]));
}

static int queue_fetch(struct vtdm *m, uint64_t *d)
{
	uint64_t at = (vtdm_reg64(m, VTDM_IQA) & VTDM_PAGE_ADDR) +
		      vtdm_reg64(m, VTDM_IQH);

	return m->cfg.mem->read(m->cfg.mem_ctx, at, d, DESC_SIZE);
}

static unsigned int do_context(struct vtdm *m, const uint64_t *d)
{
	unsigned int gran = (unsigned int)VTDM_GET(VTDM_DESC_G, d[0]);

	if ((d[0] & VTDM_CC_RSVD) || d[1])
		return VTDM_IQEI_RSVD;
	if (!vtdm_inv_context(m, gran, (uint16_t)VTDM_GET(VTDM_CC_DID, d[0]),
			      (uint16_t)VTDM_GET(VTDM_CC_SID, d[0]),
			      (unsigned int)VTDM_GET(VTDM_CC_FM, d[0])))
		return VTDM_IQEI_RSVD;
	return 0;
}

static unsigned int do_iotlb(struct vtdm *m, const uint64_t *d)
{
	unsigned int gran = (unsigned int)VTDM_GET(VTDM_DESC_G, d[0]);

	if ((d[0] & VTDM_TLB_RSVD) || (d[1] & VTDM_IVA_RSVD))
		return VTDM_IQEI_RSVD;
	if (!vtdm_inv_iotlb(m, gran, (uint16_t)VTDM_GET(VTDM_TLB_DID, d[0]),
			    d[1]))
		return VTDM_IQEI_RSVD;
	return 0;
}

static unsigned int do_dev_tlb(struct vtdm *m, const uint64_t *d)
{
	if (!m->cfg.dt)
		return VTDM_IQEI_TYPE;
	if ((d[0] & VTDM_DTLB_RSVD) || (d[1] & VTDM_DTLB_HI_RSVD))
		return VTDM_IQEI_RSVD;
	m->stats.dev_tlb++;
	return 0;
}

static unsigned int do_iec(struct vtdm *m, const uint64_t *d)
{
	if (!m->cfg.ir)
		return VTDM_IQEI_TYPE;
	if ((d[0] & VTDM_IEC_RSVD) || d[1])
		return VTDM_IQEI_RSVD;
	m->stats.iec++;
	return 0;
}

static unsigned int do_wait(struct vtdm *m, const uint64_t *d)
{
	uint32_t data = (uint32_t)VTDM_GET(VTDM_WAIT_DATA, d[0]);

	if ((d[0] & VTDM_WAIT_RSVD) || (d[1] & VTDM_WAIT_HI_RSVD))
		return VTDM_IQEI_RSVD;
	m->stats.wait++;
	if ((d[0] & VTDM_WAIT_SW) &&
	    m->cfg.mem->write(m->cfg.mem_ctx, d[1], &data, sizeof(data)))
		vtdm_note(m, "wait status write to 0x%llx, no memory there",
			  (unsigned long long)d[1]);
	if (d[0] & VTDM_WAIT_IF)
		vtdm_ics_raise(m);
	return 0;
}

static unsigned int queue_execute(struct vtdm *m, const uint64_t *d)
{
	switch (desc_type(d)) {
	case VTDM_DESC_CONTEXT:
		return do_context(m, d);
	case VTDM_DESC_IOTLB:
		return do_iotlb(m, d);
	case VTDM_DESC_DEV_TLB:
		return do_dev_tlb(m, d);
	case VTDM_DESC_IEC:
		return do_iec(m, d);
	case VTDM_DESC_WAIT:
		return do_wait(m, d);
	default:
		return VTDM_IQEI_TYPE;
	}
}

/*
 * A device did not answer. What was fetched behind its descriptor is lost up
 * to and with the next wait, which will never report; see "Handling of
 * Device-TLB Invalidation Timeouts".
 */
static void queue_timeout(struct vtdm *m, uint16_t sid)
{
	uint64_t rec = vtdm_reg64(m, VTDM_IQERCD) & ~VTDM_IQERCD_ITESID;
	uint64_t d[2];

	while (vtdm_reg64(m, VTDM_IQH) != vtdm_reg64(m, VTDM_IQT)) {
		if (queue_fetch(m, d))
			break;
		queue_advance(m);
		if (desc_type(d) == VTDM_DESC_WAIT)
			break;
	}
	vtdm_reg64_set(m, VTDM_IQERCD,
		       rec | VTDM_PUT(VTDM_IQERCD_ITESID, (uint64_t)sid));
	vtdm_fsts_raise(m, VTDM_FSTS_ITE);
}

/* Does a knob want this descriptor to fail? True if it must not be executed. */
static bool queue_sabotage(struct vtdm *m)
{
	struct vtdm_knobs *k = &m->knobs;
	uint64_t rec;

	if (!k->queue_error || !k->queue_error_times ||
	    m->stats.descriptors < k->queue_error_at)
		return false;
	k->queue_error_times--;
	switch (k->queue_error) {
	case VTDM_QERR_IQE:
		queue_error(m, VTDM_IQEI_FETCH);
		return true;
	case VTDM_QERR_ITE:
		queue_timeout(m, k->queue_error_sid);
		return true;
	case VTDM_QERR_ICE:
		rec = vtdm_reg64(m, VTDM_IQERCD) & ~VTDM_IQERCD_ICESID;
		rec |= VTDM_PUT(VTDM_IQERCD_ICESID,
				(uint64_t)k->queue_error_sid);
		vtdm_reg64_set(m, VTDM_IQERCD, rec);
		vtdm_fsts_raise(m, VTDM_FSTS_ICE);
		return false;
	default:
		return false;
	}
}

static bool queue_ready(const struct vtdm *m)
{
	return !m->dead && vtdm_on(m, VTDM_G_QIE) &&
	       !(vtdm_reg(m, VTDM_FSTS) & (VTDM_FSTS_IQE | VTDM_FSTS_ITE)) &&
	       vtdm_reg64(m, VTDM_IQH) != vtdm_reg64(m, VTDM_IQT);
}

void vtdm_queue_run(struct vtdm *m)
{
	unsigned int info;
	uint64_t d[2];

	while (queue_ready(m)) {
		if (vtdm_reg64(m, VTDM_IQT) >= queue_bytes(m)) {
			queue_error(m, VTDM_IQEI_TAIL);
			return;
		}
		if (queue_fetch(m, d)) {
			queue_error(m, VTDM_IQEI_FETCH);
			return;
		}
		m->stats.descriptors++;
		if (queue_sabotage(m))
			continue;
		info = queue_execute(m, d);
		if (info) {
			queue_error(m, info);
			return;
		}
		queue_advance(m);
	}
}

void vtdm_queue_kick(struct vtdm *m)
{
	struct vtdm_knobs *k = &m->knobs;

	if (!queue_ready(m) || m->queue.busy)
		return;
	if (!k->queue_ticks && !(k->hang & VTDM_HANG_QUEUE)) {
		vtdm_queue_run(m);
		return;
	}
	m->queue.busy = true;
	m->queue.hang = VTDM_HANG_QUEUE;
	m->queue.reads = 0;
	m->queue.due = m->now + k->queue_ticks;
}
