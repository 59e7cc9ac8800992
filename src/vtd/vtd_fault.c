// SPDX-License-Identifier: MIT
/*
 * Specification: "Non-Recoverable Fault Reporting", "Fault Conditions and
 * Remapping Hardware Behavior for Various Requests", "Fault Recording
 * Registers", "Interrupt Remapping Fault Conditions".
 */
#include "base/format.h"
#include "vtd/vtd_fault.h"
#include "vtd/vtd_queue.h"

/* Rounds over the records in one call, should they fill up meanwhile. */
#define VTD_FAULT_ROUNDS 4u

#define VTD_FAULT_INTERRUPT_FIRST 0x20u
#define VTD_FAULT_INTERRUPT_LAST 0x2fu

const char *uiommu_vtd_fault_text(uint8_t reason)
{
	static const char *const dma[] = {
		[0x01] = "its bus has no root entry",
		[0x02] = "it has no context entry",
		[0x03] = "its context entry makes no sense to the hardware",
		[0x04] = "the address is beyond what the unit translates",
		[0x05] = "not mapped for writing",
		[0x06] = "not mapped for reading",
		[0x07] = "a page table could not be read",
		[0x08] = "the root table could not be read",
		[0x09] = "the context table could not be read",
		[0x0a] = "the root entry has reserved bits set",
		[0x0b] = "the context entry has reserved bits set",
		[0x0c] = "a page-table entry has reserved bits set",
		[0x0d] = "it may not use addresses translated by itself",
		[0x0e] = "the address leads into the interrupt range",
	};
	static const char *const interrupt[] = {
		[0x00] = "the request has reserved bits set",
		[0x01] = "the index is beyond the remapping table",
		[0x02] = "its remapping entry is not present",
		[0x03] = "the remapping table could not be read",
		[0x04] = "its remapping entry has reserved bits set",
		[0x05] = "interrupts in compatibility format are blocked",
		[0x06] = "its remapping entry belongs to another requester",
		[0x07] = "the posting descriptor could not be read",
		[0x08] = "the posting descriptor has reserved bits set",
		[0x09] = "the request is not one for an interrupt",
	};
	const char *text = NULL;

	if (reason < sizeof(dma) / sizeof(dma[0]))
		text = dma[reason];
	else if (reason >= VTD_FAULT_INTERRUPT_FIRST &&
		 reason - VTD_FAULT_INTERRUPT_FIRST <
			 sizeof(interrupt) / sizeof(interrupt[0]))
		text = interrupt[reason - VTD_FAULT_INTERRUPT_FIRST];
	else if (reason >= 0x30 && reason <= 0x34)
		text = "the root table address register forbids it";
	return text ? text : "for a reason that has no name";
}

bool uiommu_vtd_fault_is_interrupt(uint8_t reason)
{
	return reason >= VTD_FAULT_INTERRUPT_FIRST &&
	       reason <= VTD_FAULT_INTERRUPT_LAST;
}

struct vtd_fault uiommu_vtd_fault_decode(uint64_t lo, uint64_t hi)
{
	struct vtd_fault fault;

	fault.address = lo & VTD_FRCD_LO_FI;
	fault.rid = (uint16_t)UIOMMU_GET64(VTD_FRCD_HI_SID, hi);
	fault.reason = (uint8_t)UIOMMU_GET64(VTD_FRCD_HI_FR, hi);
	if (uiommu_vtd_fault_is_interrupt(fault.reason)) {
		fault.address = lo >> 48;
		fault.access = UIOMMU_ACCESS_OTHER;
	} else if (hi & VTD_FRCD_HI_T2) { /* page request, or atomic */
		fault.access = UIOMMU_ACCESS_OTHER;
	} else {
		fault.access = hi & VTD_FRCD_HI_T1 ? UIOMMU_ACCESS_READ
						   : UIOMMU_ACCESS_WRITE;
	}
	return fault;
}

static bool vtd_fault_expired(const struct vtd_fault_source *s, uint64_t now)
{
	return now - s->since >= VTD_FAULT_PERIOD_NS;
}

static bool vtd_fault_source_admit(struct vtd_fault_source *s, uint64_t now,
				   uint32_t *suppressed)
{
	if (!s->told || vtd_fault_expired(s, now)) {
		s->since = now;
		s->told = 0;
	}
	if (s->told >= VTD_FAULT_TELL) {
		s->suppressed++;
		return false;
	}
	s->told++;
	*suppressed = s->suppressed;
	s->suppressed = 0;
	return true;
}

bool uiommu_vtd_fault_admit(struct vtd_unit *u, uint16_t rid, uint64_t now,
			    uint32_t *suppressed)
{
	/*
	 * Requesters beyond the slots share one: a device that invents new
	 * requester ids gets no more lines for it.
	 */
	struct vtd_fault_source *s = &u->others;
	unsigned int i;

	for (i = 0; i < VTD_FAULT_SOURCES; i++) {
		struct vtd_fault_source *slot = &u->sources[i];

		if (slot->told && slot->rid == rid) {
			s = slot;
			break;
		}
		if (s == &u->others &&
		    (!slot->told || vtd_fault_expired(slot, now)))
			s = slot;
	}
	if (s != &u->others && s->rid != rid) {
		s->rid = rid;
		s->told = 0;
		s->suppressed = 0;
	}
	return vtd_fault_source_admit(s, now, suppressed);
}

static const char *vtd_fault_verb(enum uiommu_access access)
{
	switch (access) {
	case UIOMMU_ACCESS_READ:
		return "read of";
	case UIOMMU_ACCESS_WRITE:
		return "write to";
	default:
		return "request for";
	}
}

static void vtd_fault_tell(struct vtd_unit *u, const struct vtd_fault *fault,
			   uint32_t suppressed)
{
	struct uiommu_event event = { .kind = UIOMMU_EVENT_FAULT };
	char more[40] = "";

	event.unit = u->index;
	event.sid.segment = u->segment;
	event.sid.rid = fault->rid;
	event.address = fault->address;
	event.access = fault->access;
	event.reason = fault->reason;
	event.text = uiommu_vtd_fault_text(fault->reason);
	event.suppressed = suppressed;

	if (suppressed)
		uiommu_format(more, sizeof(more), ", %u more not told before",
			      suppressed);
	if (uiommu_vtd_fault_is_interrupt(fault->reason))
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: " UIOMMU_SID_FMT " interrupt %u refused: "
			   "%s (0x%02x)%s",
			   u->index, UIOMMU_SID_ARGS(event.sid),
			   (unsigned int)fault->address, event.text,
			   fault->reason, more);
	else
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: " UIOMMU_SID_FMT " %s 0x%llx refused: "
			   "%s (0x%02x)%s",
			   u->index, UIOMMU_SID_ARGS(event.sid),
			   vtd_fault_verb(fault->access),
			   (unsigned long long)fault->address, event.text,
			   fault->reason, more);
	uiommu_host_notify(u->host, &event);
}

/*
 * Reads record @index and clears it. Returns whether there was a fault. The
 * fault lock is held.
 */
static bool vtd_fault_take(struct vtd_unit *u, uint32_t index,
			   struct vtd_fault *fault)
{
	uint32_t at = u->caps.fault_offset + index * VTD_FRCD_SIZE;
	uint64_t top;
	uint64_t hi;
	uint64_t lo;

	/* Hardware may write a record in parts, the one with F last. */
	top = uiommu_host_mmio_read32(u->mmio, at + 12);
	if (!(top << 32 & VTD_FRCD_HI_F) || top == ~(uint32_t)0)
		return false;
	hi = top << 32 | uiommu_host_mmio_read32(u->mmio, at + 8);
	lo = uiommu_host_mmio_read64(u->mmio, at);
	uiommu_host_mmio_write32(u->mmio, at + 12,
				 (uint32_t)(VTD_FRCD_HI_F >> 32));
	*fault = uiommu_vtd_fault_decode(lo, hi);
	u->faults++;
	return true;
}

/* One record after the other, beginning with the oldest; see below. */
static unsigned int vtd_fault_round(struct vtd_unit *u, uint32_t first)
{
	unsigned int found = 0;
	uint32_t i;

	/*
	 * All of them, not only up to the first empty one: FRI stays where it
	 * was while any fault is pending, and what an earlier call left
	 * standing lies behind empty records.
	 */
	for (i = 0; i < u->caps.fault_count; i++) {
		uint32_t index = (first + i) % u->caps.fault_count;
		uint64_t now = uiommu_host_now_ns(u->host);
		uint32_t suppressed = 0;
		struct vtd_fault fault;
		unsigned long state;
		bool tell = false;
		bool taken;

		state = uiommu_host_lock_acquire(u->fault_lock);
		taken = vtd_fault_take(u, index, &fault);
		if (taken)
			tell = uiommu_vtd_fault_admit(u, fault.rid, now,
						      &suppressed);
		uiommu_host_lock_release(u->fault_lock, state);

		found += taken;
		if (tell)
			vtd_fault_tell(u, &fault, suppressed);
	}
	return found;
}

/* After the records, or they would overflow again at once. */
static void vtd_fault_overflow(struct vtd_unit *u)
{
	struct uiommu_event event = { .kind = UIOMMU_EVENT_OVERFLOW };
	uint64_t now = uiommu_host_now_ns(u->host);
	uint32_t suppressed = 0;
	unsigned long state;
	bool tell;

	uiommu_host_mmio_write32(u->mmio, VTD_FSTS, VTD_FSTS_PFO);

	state = uiommu_host_lock_acquire(u->fault_lock);
	tell = vtd_fault_source_admit(&u->overflow, now, &suppressed);
	uiommu_host_lock_release(u->fault_lock, state);
	if (!tell)
		return;

	event.unit = u->index;
	event.suppressed = suppressed;
	uiommu_log(u->host, UIOMMU_LOG_WARN,
		   "unit %u: more faults than its %u records hold, some lost",
		   u->index, u->caps.fault_count);
	uiommu_host_notify(u->host, &event);
}

unsigned int uiommu_vtd_fault_poll(struct vtd_unit *u)
{
	unsigned int found = 0;
	unsigned int round;

	for (round = 0; round < VTD_FAULT_ROUNDS; round++) {
		uint32_t fsts = uiommu_host_mmio_read32(u->mmio, VTD_FSTS);

		if (fsts == ~(uint32_t)0) {
			uiommu_vtd_unit_break(u, "its registers are gone");
			break;
		}
		/* One left standing would keep the next event from coming. */
		if (fsts & (VTD_FSTS_IQE | VTD_FSTS_ITE | VTD_FSTS_ICE) &&
		    uiommu_vtd_queue_service(u))
			break;
		if (!(fsts & (VTD_FSTS_PPF | VTD_FSTS_PFO)))
			break;
		/* FRI means nothing without PPF. */
		if (fsts & VTD_FSTS_PPF)
			found += vtd_fault_round(
				u, (uint32_t)UIOMMU_GET64(VTD_FSTS_FRI, fsts));
		if (fsts & VTD_FSTS_PFO)
			vtd_fault_overflow(u);
	}
	return found;
}

static void vtd_fault_mask(struct vtd_unit *u, bool masked)
{
	uint32_t fectl = uiommu_host_mmio_read32(u->mmio, VTD_FECTL);

	/* The rest of the register is to be left as it is. */
	fectl = masked ? fectl | VTD_FECTL_IM : fectl & ~VTD_FECTL_IM;
	uiommu_host_mmio_write32(u->mmio, VTD_FECTL, fectl);
}

void uiommu_vtd_fault_start(struct vtd_unit *u)
{
	struct vtd_fault fault;
	unsigned long state;
	uint32_t i;

	vtd_fault_mask(u, true);
	state = uiommu_host_lock_acquire(u->fault_lock);
	for (i = 0; i < u->caps.fault_count; i++)
		(void)vtd_fault_take(u, i, &fault);
	u->faults = 0;
	uiommu_host_lock_release(u->fault_lock, state);
	uiommu_host_mmio_write32(u->mmio, VTD_FSTS, VTD_FSTS_PFO);
}

void uiommu_vtd_fault_stop(struct vtd_unit *u)
{
	vtd_fault_mask(u, true);
}

void uiommu_vtd_fault_interrupt(struct vtd_unit *u, uint64_t address,
				uint32_t data)
{
	unsigned long state;

	state = uiommu_host_lock_acquire(u->fault_lock);
	vtd_fault_mask(u, true);
	uiommu_host_mmio_write32(u->mmio, VTD_FEDATA, data);
	uiommu_host_mmio_write32(u->mmio, VTD_FEADDR, (uint32_t)address);
	uiommu_host_mmio_write32(u->mmio, VTD_FEUADDR,
				 (uint32_t)(address >> 32));
	/* An event that is pending already is sent now. */
	vtd_fault_mask(u, false);
	uiommu_host_lock_release(u->fault_lock, state);
}
