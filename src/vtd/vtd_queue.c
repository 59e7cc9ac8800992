// SPDX-License-Identifier: MIT
/*
 * Queued invalidation.
 *
 * Descriptors are counted for ever, modulo 2^32; the low bits of the count are
 * the place in the ring. Each batch ends in a wait descriptor that writes the
 * count behind itself to one word of memory. The waits carry the fence flag,
 * so that they complete in order: the word then tells both which batches are
 * done and how much of the ring is free, and no register is read on the way.
 *
 * Specification: "Queued Invalidation Interface", "Hardware Handling of Queued
 * Invalidation Interface Errors", "Queued Invalidation Ordering
 * Considerations".
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"

#define VTD_QUEUE_ERRORS (VTD_FSTS_IQE | VTD_FSTS_ITE | VTD_FSTS_ICE)
/* Turns of a waiting loop between looks at the error bits. */
#define VTD_QUEUE_LOOK 16u

static uint64_t vtd_queue_tail(const struct vtd_unit *u)
{
	return UIOMMU_PUT64(VTD_IQT_QT, u->submitted % VTD_QUEUE_ENTRIES);
}

/* Is what was counted up to @number done? */
static bool vtd_queue_done(const struct vtd_unit *u, uint32_t number)
{
	return (int32_t)(uiommu_load(u->status) - number) >= 0;
}

/* What firmware's queue left; ours would not begin, and its would not move. */
static uint32_t vtd_queue_forgive(struct vtd_unit *u)
{
	uint32_t fsts = uiommu_host_mmio_read32(u->mmio, VTD_FSTS);

	if (fsts != ~(uint32_t)0 && fsts & VTD_QUEUE_ERRORS)
		uiommu_host_mmio_write32(u->mmio, VTD_FSTS,
					 fsts & VTD_QUEUE_ERRORS);
	return fsts;
}

void uiommu_vtd_queue_start(struct vtd_unit *u)
{
	(void)vtd_queue_forgive(u);
	u->submitted = 0;
	u->errors = 0;
	uiommu_store(u->status, 0);
	uiommu_host_mmio_write64(u->mmio, VTD_IQT, 0);
	/* Size 0 is one page; width 0 is 128 bits. */
	uiommu_host_mmio_write64(u->mmio, VTD_IQA, u->ring_paddr & VTD_IQA_IQA);
}

int uiommu_vtd_queue_quiesce(struct vtd_unit *u)
{
	uint64_t deadline = uiommu_vtd_deadline(u);

	if (vtd_queue_forgive(u) == ~(uint32_t)0)
		return UIOMMU_EIO;
	for (;;) {
		bool late = uiommu_vtd_late(u, deadline);
		uint64_t head = uiommu_host_mmio_read64(u->mmio, VTD_IQH);
		uint64_t tail = uiommu_host_mmio_read64(u->mmio, VTD_IQT);

		if (head == ~(uint64_t)0)
			return UIOMMU_EIO;
		if (UIOMMU_GET64(VTD_IQH_QH, head) ==
		    UIOMMU_GET64(VTD_IQT_QT, tail))
			return UIOMMU_OK;
		if (late)
			return UIOMMU_ETIMEDOUT;
		uiommu_host_relax(u->host);
	}
}

/* What happened, while the unit lock was held. */
struct vtd_queue_report {
	uint32_t fsts;
	uint64_t iqercd;
	uint64_t head;
	bool over; /* too often */
};

/*
 * Clears what stopped the queue; it goes on at its head, that is, it tries a
 * rejected descriptor again. Wherever in whosever batch that stands: the error
 * is the queue's, not the waiter's. The unit lock is held.
 */
static void vtd_queue_clear(struct vtd_unit *u, struct vtd_queue_report *r)
{
	uint32_t done = uiommu_load(u->status);

	r->iqercd = uiommu_host_mmio_read64(u->mmio, VTD_IQERCD);
	r->head = UIOMMU_GET64(VTD_IQH_QH,
			       uiommu_host_mmio_read64(u->mmio, VTD_IQH));
	if (r->fsts & (VTD_FSTS_IQE | VTD_FSTS_ITE)) {
		if (done != u->error_mark)
			u->errors = 0;
		u->error_mark = done;
		u->errors++;
		r->over = u->errors > VTD_QUEUE_RETRIES;
		if (r->over)
			return;
	}
	/*
	 * A time-out aborts the waits that the unit had fetched. They must
	 * learn of it before a later wait can complete in their place.
	 */
	if (r->fsts & VTD_FSTS_ITE)
		uiommu_store(&u->aborts, u->aborts + 1);
	uiommu_host_mmio_write32(u->mmio, VTD_FSTS, r->fsts & VTD_QUEUE_ERRORS);
	/* Some (emulated) units look at the queue only when the tail moves. */
	if (r->fsts & (VTD_FSTS_IQE | VTD_FSTS_ITE))
		uiommu_host_mmio_write64(u->mmio, VTD_IQT, vtd_queue_tail(u));
}

static void vtd_queue_report(struct vtd_unit *u,
			     const struct vtd_queue_report *r)
{
	if (r->fsts & VTD_FSTS_IQE)
		uiommu_log(
			u->host, UIOMMU_LOG_ERROR,
			"unit %u: rejected invalidation descriptor %u "
			"(info %u)",
			u->index, (unsigned int)r->head,
			(unsigned int)UIOMMU_GET64(VTD_IQERCD_IQEI, r->iqercd));
	if (r->fsts & VTD_FSTS_ITE)
		uiommu_log(u->host, UIOMMU_LOG_ERROR,
			   "unit %u: device %04x did not answer an "
			   "invalidation in time",
			   u->index,
			   (unsigned int)UIOMMU_GET64(VTD_IQERCD_ITESID,
						      r->iqercd));
	if (r->fsts & VTD_FSTS_ICE)
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: stray invalidation completion from "
			   "device %04x",
			   u->index,
			   (unsigned int)UIOMMU_GET64(VTD_IQERCD_ICESID,
						      r->iqercd));
}

int uiommu_vtd_queue_service(struct vtd_unit *u)
{
	struct vtd_queue_report r = { 0 };
	unsigned long state;

	state = uiommu_host_lock_acquire(u->lock);
	r.fsts = uiommu_host_mmio_read32(u->mmio, VTD_FSTS);
	if (!u->ring && r.fsts != ~(uint32_t)0)
		r.fsts = 0; /* reserved bits then */
	if (r.fsts != ~(uint32_t)0 && r.fsts & VTD_QUEUE_ERRORS)
		vtd_queue_clear(u, &r);
	uiommu_host_lock_release(u->lock, state);

	if (r.fsts == ~(uint32_t)0) {
		uiommu_vtd_unit_break(u, "its registers are gone");
		return UIOMMU_EIO;
	}
	vtd_queue_report(u, &r);
	if (r.over) {
		uiommu_vtd_unit_break(u,
				      "its invalidation queue keeps failing");
		return UIOMMU_EIO;
	}
	return UIOMMU_OK;
}

/* Polls until @number is done, keeping the queue going. No lock held. */
static int vtd_queue_poll(struct vtd_unit *u, uint32_t number, uint32_t aborts)
{
	uint64_t deadline = uiommu_vtd_deadline(u);
	unsigned int turn;

	for (turn = 1;; turn++) {
		bool late = uiommu_vtd_late(u, deadline);
		int err;

		if (vtd_queue_done(u, number))
			return UIOMMU_OK;
		if (uiommu_vtd_broken(u))
			return UIOMMU_EIO;
		if (turn % VTD_QUEUE_LOOK == 0 || late) {
			err = uiommu_vtd_queue_service(u);
			if (err)
				return err;
		}
		if (uiommu_load(&u->aborts) != aborts)
			return VTD_AGAIN;
		if (late && vtd_queue_done(u, number))
			return UIOMMU_OK;
		if (late) {
			uiommu_vtd_unit_break(u, "invalidation did not finish");
			return UIOMMU_ETIMEDOUT;
		}
		uiommu_host_relax(u->host);
	}
}

/*
 * Puts the batch into the ring; the unit lock is held and there is room. The
 * queue is always snooped: no cleaning.
 */
static void vtd_queue_put(struct vtd_unit *u, const struct vtd_desc *descs,
			  unsigned int count, struct vtd_ticket *ticket)
{
	uint32_t at = u->submitted;
	struct vtd_desc *wait;
	unsigned int i;

	for (i = 0; i < count; i++)
		u->ring[at++ % VTD_QUEUE_ENTRIES] = descs[i];
	wait = &u->ring[at++ % VTD_QUEUE_ENTRIES];
	wait->lo = VTD_DESC_WAIT | VTD_WAIT_LO_SW | VTD_WAIT_LO_FN |
		   UIOMMU_PUT64(VTD_WAIT_LO_DATA, at);
	wait->hi = u->status_paddr;

	u->submitted = at;
	u->invalidations++;
	ticket->number = at;
	ticket->aborts = u->aborts;
	uiommu_barrier(); /* tables and ring before the tail */
	uiommu_host_mmio_write64(u->mmio, VTD_IQT, vtd_queue_tail(u));
}

/* One slot stays free: head equal to tail means empty. */
static bool vtd_queue_room(const struct vtd_unit *u, unsigned int count)
{
	uint32_t used = u->submitted - uiommu_load(u->status);

	return used + count + 1 < VTD_QUEUE_ENTRIES;
}

static int vtd_submit_registers(struct vtd_unit *u,
				const struct vtd_desc *descs,
				unsigned int count)
{
	unsigned long state;
	bool tell = false;
	unsigned int i;
	int err;

	state = uiommu_host_lock_acquire(u->lock);
	err = uiommu_vtd_broken(u) ? UIOMMU_EIO : UIOMMU_OK;
	for (i = 0; i < count && !err; i++) {
		err = uiommu_vtd_iotlb_register(u, descs[i]);
		tell = err && uiommu_vtd_unit_mark(u);
	}
	u->invalidations++;
	uiommu_host_lock_release(u->lock, state);
	if (tell)
		uiommu_vtd_unit_tell(u, "invalidation did not finish");
	return err;
}

int uiommu_vtd_submit(struct vtd_unit *u, const struct vtd_desc *descs,
		      unsigned int count, struct vtd_ticket *ticket)
{
	unsigned long state;
	uint32_t oldest;
	int err;

	ticket->number = 0;
	ticket->aborts = 0;
	ticket->done = !u->ring || !count;
	if (!count)
		return UIOMMU_OK;
	if (uiommu_vtd_broken(u))
		return UIOMMU_EIO;
	if (!u->ring)
		return vtd_submit_registers(u, descs, count);

	for (;;) {
		state = uiommu_host_lock_acquire(u->lock);
		if (vtd_queue_room(u, count))
			break;
		/* Anybody's progress will do. */
		oldest = uiommu_load(u->status) + 1;
		ticket->aborts = u->aborts;
		uiommu_host_lock_release(u->lock, state);
		err = vtd_queue_poll(u, oldest, ticket->aborts);
		if (err < 0)
			return err;
	}
	vtd_queue_put(u, descs, count, ticket);
	uiommu_host_lock_release(u->lock, state);
	return UIOMMU_OK;
}

int uiommu_vtd_wait(struct vtd_unit *u, const struct vtd_ticket *ticket)
{
	if (ticket->done)
		return UIOMMU_OK;
	if (!vtd_queue_done(u, ticket->number)) {
		int err = vtd_queue_poll(u, ticket->number, ticket->aborts);

		if (err)
			return err;
	}
	/* Done, or passed by a later batch after an abort? */
	if (uiommu_load(&u->aborts) != ticket->aborts)
		return VTD_AGAIN;
	return UIOMMU_OK;
}

int uiommu_vtd_run(struct vtd_unit *u, const struct vtd_desc *descs,
		   unsigned int count)
{
	struct vtd_ticket ticket;
	unsigned int tries;
	int err;

	for (tries = 0; tries <= VTD_QUEUE_RETRIES; tries++) {
		err = uiommu_vtd_submit(u, descs, count, &ticket);
		if (err)
			return err;
		err = uiommu_vtd_wait(u, &ticket);
		if (err != VTD_AGAIN)
			return err;
	}
	uiommu_vtd_unit_break(u, "invalidations are aborted again and again");
	return UIOMMU_EIO;
}
