// SPDX-License-Identifier: MIT
/*
 * Specification: "Global Command Register", "Set Root Table Pointer
 * Operation", "Write Buffer Flushing", "Hardware Register Programming
 * Considerations", "Protected Memory Enable Register".
 */
#include <uiommu/error.h>
#include <uiommu/fault.h>

#include "base/format.h"
#include "vtd/vtd_adopt.h"
#include "vtd/vtd_context.h"
#include "vtd/vtd_domain.h"
#include "vtd/vtd_fault.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"
#include "vtd/vtd_unit.h"

bool uiommu_vtd_unit_mark(struct vtd_unit *u)
{
	return !uiommu_exchange(&u->broken, true);
}

void uiommu_vtd_unit_tell(struct vtd_unit *u, const char *what)
{
	struct uiommu_event event = { .kind = UIOMMU_EVENT_UNIT_BROKEN };

	uiommu_log(u->host, UIOMMU_LOG_ERROR,
		   "unit %u: %s: it is not used any more", u->index, what);
	event.unit = u->index;
	uiommu_host_notify(u->host, &event);
}

void uiommu_vtd_unit_break(struct vtd_unit *u, const char *what)
{
	if (uiommu_vtd_unit_mark(u))
		uiommu_vtd_unit_tell(u, what);
}

/* --- Commands ------------------------------------------------------------- */

/* Bits 22:0 are zero in every unit: all ones is no status. */
static bool vtd_unit_gone(uint32_t gsts)
{
	return gsts == ~(uint32_t)0;
}

bool uiommu_vtd_unit_translates(struct vtd_unit *u)
{
	uint32_t gsts = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);

	return !vtd_unit_gone(gsts) && gsts & VTD_GCMD_TE;
}

static int vtd_unit_wait(struct vtd_unit *u, uint32_t offset, uint32_t mask,
			 uint32_t want)
{
	uint64_t deadline = uiommu_vtd_deadline(u);

	for (;;) {
		bool late = uiommu_vtd_late(u, deadline);
		uint32_t value = uiommu_host_mmio_read32(u->mmio, offset);

		if (vtd_unit_gone(value))
			return UIOMMU_EIO;
		if ((value & mask) == want)
			return UIOMMU_OK;
		if (late)
			return UIOMMU_ETIMEDOUT;
		uiommu_host_relax(u->host);
	}
}

int uiommu_vtd_unit_run(struct vtd_unit *u, uint32_t command, bool on)
{
	uint32_t value = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);

	if (vtd_unit_gone(value))
		return UIOMMU_EIO;
	value &= VTD_GSTS_STICKY;
	value = on ? value | command : value & ~command;
	uiommu_barrier(); /* tables before the command that makes them used */
	uiommu_host_mmio_write32(u->mmio, VTD_GCMD, value);

	/* A write-buffer flush clears its status; the others mirror it. */
	return vtd_unit_wait(u, VTD_GSTS, command,
			     on && command != VTD_GCMD_WBF ? command : 0);
}

int uiommu_vtd_unit_command(struct vtd_unit *u, uint32_t command, bool on,
			    const char *what)
{
	unsigned long state;
	bool tell = false;
	int err = UIOMMU_EIO;

	state = uiommu_host_lock_acquire(u->lock);
	if (!uiommu_vtd_broken(u)) {
		err = uiommu_vtd_unit_run(u, command, on);
		tell = err && uiommu_vtd_unit_mark(u);
	}
	uiommu_host_lock_release(u->lock, state);
	if (tell)
		uiommu_vtd_unit_tell(u, what);
	return err;
}

int uiommu_vtd_unit_write_buffer(struct vtd_unit *u)
{
	if (!u->caps.write_buffer)
		return UIOMMU_OK;
	return uiommu_vtd_unit_command(u, VTD_GCMD_WBF, true,
				       "write buffer was not flushed");
}

/* --- Creation ------------------------------------------------------------- */

/*
 * A scope of I/O APICs and timers alone is about interrupts. Whatever the
 * reader found wrong with a record, its registers may be real, and so is the
 * memory that they protect: such a unit gets no device, but is looked at.
 */
static bool vtd_unit_has_devices(const struct uiommu_dmar *dmar,
				 const struct uiommu_dmar_record *record)
{
	uint32_t i;

	if (!record->usable)
		return false;
	if (record->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL)
		return true;
	for (i = 0; i < record->scope_count; i++) {
		const struct uiommu_dmar_scope *scope =
			&dmar->scopes[record->scope_first + i];

		if (scope->usable && (scope->type == UIOMMU_SCOPE_ENDPOINT ||
				      scope->type == UIOMMU_SCOPE_BRIDGE ||
				      scope->type == UIOMMU_SCOPE_NAMESPACE))
			return true;
	}
	return false;
}

static int vtd_unit_window(struct vtd_unit *u, size_t size)
{
	u->mmio = uiommu_host_mmio_map(u->host, u->base, size);
	u->mmio_size = size;
	if (u->mmio)
		return UIOMMU_OK;
	uiommu_log(u->host, UIOMMU_LOG_WARN,
		   "unit at 0x%llx: the host does not map its registers, left "
		   "out",
		   (unsigned long long)u->base);
	return UIOMMU_ENODEV;
}

/*
 * Maps the registers, more of them if the unit says that some lie further
 * out: the offsets' widths bound that to 20 KiB.
 */
static int vtd_unit_map(struct vtd_unit *u, size_t size)
{
	uint64_t cap;
	uint64_t ecap;
	size_t wanted;
	int err;

	err = vtd_unit_window(u, size);
	if (err)
		return err;
	cap = uiommu_host_mmio_read64(u->mmio, VTD_CAP);
	ecap = uiommu_host_mmio_read64(u->mmio, VTD_ECAP);
	u->version = (uint8_t)uiommu_host_mmio_read32(u->mmio, VTD_VER);
	err = uiommu_vtd_caps_read(cap, ecap, &u->caps);
	if (err) {
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit at 0x%llx: no sensible unit answers there "
			   "(cap 0x%llx, ecap 0x%llx), left out",
			   (unsigned long long)u->base, (unsigned long long)cap,
			   (unsigned long long)ecap);
		return err;
	}

	wanted = uiommu_vtd_caps_window(&u->caps);
	if (wanted <= size)
		return UIOMMU_OK;
	uiommu_host_mmio_unmap(u->host, u->mmio, size);
	return vtd_unit_window(u, wanted);
}

static int vtd_unit_memory(struct vtd_unit *u)
{
	u->lock = uiommu_host_lock_create(u->host, UIOMMU_LOCK_SPIN);
	if (!u->lock)
		return UIOMMU_ENOMEM;
	u->fault_lock = uiommu_host_lock_create(u->host, UIOMMU_LOCK_SPIN);
	if (!u->fault_lock)
		return UIOMMU_ENOMEM;
	if (u->ignored)
		return UIOMMU_OK;
	return uiommu_vtd_ids_init(u);
}

static int vtd_unit_setup(struct vtd_unit *u,
			  const struct uiommu_dmar_record *record)
{
	int err;

	u->base = record->range.first;
	u->segment = record->segment;
	err = vtd_unit_map(
		u, (size_t)(record->range.last - record->range.first + 1));
	if (err)
		return err;
	if (!vtd_unit_has_devices(u->driver->dmar, record)) {
		uiommu_log(u->host, UIOMMU_LOG_INFO,
			   "unit at 0x%llx: no device in its scope, ignored",
			   (unsigned long long)u->base);
		u->ignored = true;
	} else if (!u->caps.levels) {
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit at 0x%llx: no usable address width, ignored",
			   (unsigned long long)u->base);
		u->ignored = true;
	} else if (!u->caps.queued && !uiommu_vtd_has_registers(u)) {
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit at 0x%llx: version %u without a queue cannot "
			   "invalidate, ignored",
			   (unsigned long long)u->base, u->version >> 4);
		u->ignored = true;
	}
	uiommu_vtd_look(u);
	u->remaps = u->found.remapping;
	u->irta = u->found.irta;
	u->ran = u->found.translating;
	return vtd_unit_memory(u);
}

int uiommu_vtd_unit_create(struct vtd_driver *driver, uint32_t record,
			   struct vtd_unit **unit)
{
	const struct uiommu_dmar_record *r = &driver->dmar->records[record];
	struct uiommu_host *host = driver->base.host;
	struct vtd_unit *u;
	uiommu_paddr_t paddr;
	int err;

	if (!r->range.first || r->range.first & UIOMMU_PAGE_MASK ||
	    r->range.last < r->range.first ||
	    r->range.last - r->range.first < UIOMMU_PAGE_MASK) {
		uiommu_log(host, UIOMMU_LOG_WARN,
			   "unit at 0x%llx: no address for registers, left out",
			   (unsigned long long)r->range.first);
		return UIOMMU_ENODEV;
	}

	u = uiommu_host_page_alloc(host, UIOMMU_PAGE_SIZE, 0, &paddr);
	if (!u)
		return UIOMMU_ENOMEM;
	u->driver = driver;
	u->host = host;
	u->record = record;
	err = vtd_unit_setup(u, r);
	if (err) {
		uiommu_vtd_unit_destroy(u);
		return err;
	}
	*unit = u;
	return UIOMMU_OK;
}

void uiommu_vtd_unit_destroy(struct vtd_unit *u)
{
	struct uiommu_host *host = u->host;

	uiommu_vtd_ids_fini(u);
	if (u->fault_lock)
		uiommu_host_lock_destroy(host, u->fault_lock);
	if (u->lock)
		uiommu_host_lock_destroy(host, u->lock);
	if (u->mmio)
		uiommu_host_mmio_unmap(host, u->mmio, u->mmio_size);
	uiommu_host_page_free(host, u, UIOMMU_PAGE_SIZE);
}

/* --- Bring-up ------------------------------------------------------------- */

/* May what was found translating be taken over at all? */
static int vtd_unit_allowed(const struct vtd_unit *u)
{
	if (u->driver->takeover == UIOMMU_TAKEOVER_REFUSE) {
		uiommu_log(u->host, UIOMMU_LOG_ERROR,
			   "unit %u: translates already; turn DMA protection "
			   "off in firmware, or stop who used the unit before",
			   u->index);
		return UIOMMU_EBUSY;
	}
	if (uiommu_vtd_wanted(u) && uiommu_vtd_stays_on(u) &&
	    u->found.root & VTD_RTADDR_TTM) {
		uiommu_log(u->host, UIOMMU_LOG_ERROR,
			   "unit %u: translates already, by tables that are "
			   "not of legacy mode, and must not be turned off: "
			   "turn DMA protection off in firmware",
			   u->index);
		return UIOMMU_ENOTSUP;
	}
	return UIOMMU_OK;
}

int uiommu_vtd_unit_check(struct vtd_unit *u)
{
	uint32_t gsts;

	if (uiommu_vtd_wanted(u)) {
		if (uiommu_vtd_broken(u))
			return UIOMMU_EIO;
		gsts = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);
		if (vtd_unit_gone(gsts)) {
			uiommu_vtd_unit_break(u, "its registers are gone");
			return UIOMMU_EIO;
		}
	}
	uiommu_vtd_look(u);
	u->ran = u->ran || u->found.translating;
	/*
	 * What went on after create is the host's own; and so it may be where
	 * nothing was ever to be taken over.
	 */
	u->remaps = u->remaps && u->ran && u->found.remapping;
	return u->found.translating ? vtd_unit_allowed(u) : UIOMMU_OK;
}

static int vtd_unit_alloc(struct vtd_unit *u)
{
	u->root = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0,
					 &u->root_paddr);
	if (!u->root)
		return UIOMMU_ENOMEM;
	uiommu_vtd_clean(u, u->root, UIOMMU_PAGE_SIZE);
	if (!u->caps.queued)
		return UIOMMU_OK;

	u->status = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0,
					   &u->status_paddr);
	if (!u->status)
		return UIOMMU_ENOMEM;
	u->ring = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0,
					 &u->ring_paddr);
	return u->ring ? UIOMMU_OK : UIOMMU_ENOMEM;
}

static void vtd_unit_free_page(struct vtd_unit *u, void *page)
{
	if (page)
		uiommu_host_page_free(u->host, page, UIOMMU_PAGE_SIZE);
}

/*
 * A unit that stopped answering may still read or write what it was given.
 * Its pages leak: a leak is bounded, stray DMA is not.
 */
static void vtd_unit_free(struct vtd_unit *u)
{
	if (!uiommu_vtd_broken(u)) {
		uiommu_vtd_context_free(u);
		vtd_unit_free_page(u, u->root);
		vtd_unit_free_page(u, u->ring);
		vtd_unit_free_page(u, u->status);
	}
	u->root = NULL;
	u->ring = NULL;
	u->status = NULL;
}

int uiommu_vtd_unit_prepare(struct vtd_unit *u)
{
	int err = vtd_unit_alloc(u);

	return err ? err : uiommu_vtd_takeover(u);
}

/* Who had the unit may have left a queue on: let it finish, then end it. */
static int vtd_unit_end_queue(struct vtd_unit *u)
{
	uint32_t gsts = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);

	if (!u->caps.queued || !(gsts & VTD_GCMD_QIE))
		return UIOMMU_OK;
	/* Stuck or not, it ends here; whether the unit is dead shows then. */
	if (uiommu_vtd_queue_quiesce(u))
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: invalidation queue does not drain, ended",
			   u->index);
	return uiommu_vtd_unit_command(u, VTD_GCMD_QIE, false,
				       "invalidation queue did not end");
}

int uiommu_vtd_unit_queue(struct vtd_unit *u)
{
	int err = vtd_unit_end_queue(u);

	if (err || !u->ring)
		return err;
	uiommu_vtd_queue_start(u);
	return uiommu_vtd_unit_command(u, VTD_GCMD_QIE, true,
				       "invalidation queue did not start");
}

/*
 * Do the tables that were found serve until ours are whole? Where the unit
 * hangs if it goes off, or to let nothing through. Those in another format
 * cannot be followed by ours while translation is on.
 */
static bool vtd_unit_follows(const struct vtd_unit *u)
{
	return u->found.translating && !u->adopted &&
	       !(u->found.root & VTD_RTADDR_TTM) &&
	       (u->withheld || uiommu_vtd_stays_on(u));
}

/* Is it to go off before it gets our tables? */
static bool vtd_unit_resets(const struct vtd_unit *u)
{
	return u->found.translating && !u->adopted && !vtd_unit_follows(u);
}

int uiommu_vtd_unit_start(struct vtd_unit *u)
{
	int err = UIOMMU_OK;

	u->started = true;
	if (vtd_unit_resets(u))
		err = uiommu_vtd_unit_command(u, VTD_GCMD_TE, false,
					      "translation did not stop");
	if (err)
		return err;
	uiommu_vtd_fault_start(u);
	return uiommu_vtd_unit_queue(u);
}

/* A new root table, whether or not it translates. */
static int vtd_unit_root(struct vtd_unit *u, uint64_t root)
{
	const struct vtd_desc context[] = { uiommu_vtd_context_global() };
	const struct vtd_desc iotlb[] = { uiommu_vtd_iotlb_global(&u->caps) };
	int err;

	err = uiommu_vtd_unit_write_buffer(u);
	if (err)
		return err;
	uiommu_host_mmio_write64(u->mmio, VTD_RTADDR, root);
	err = uiommu_vtd_unit_command(u, VTD_GCMD_SRTP, true,
				      "root table was not taken");
	if (err || u->caps.root_flushes)
		return err;

	/* In this order: the context cache tags what the IOTLB holds. */
	err = uiommu_vtd_run(u, context, 1);
	return err ? err : uiommu_vtd_run(u, iotlb, 1);
}

static int vtd_unit_take_root(struct vtd_unit *u)
{
	/* Before the command: if that hangs, it may be in use. */
	u->loaded = true;
	/* Low bits zero: legacy mode. */
	return vtd_unit_root(u, u->root_paddr & VTD_RTADDR_RTA);
}

int uiommu_vtd_unit_load(struct vtd_unit *u)
{
	int err;

	if (!u->enabled && vtd_unit_follows(u))
		return UIOMMU_OK;
	err = vtd_unit_take_root(u);
	/* No longer than it takes is anything let through. */
	if (!err && u->withheld && !u->enabled)
		err = uiommu_vtd_unit_enable(u);
	return err;
}

int uiommu_vtd_unit_enable(struct vtd_unit *u)
{
	int err;

	if (u->loaded)
		err = uiommu_vtd_unit_write_buffer(u);
	else
		err = vtd_unit_take_root(u);
	if (err)
		return err;
	if (uiommu_vtd_broken(u))
		return UIOMMU_EIO;
	/* Before the command: if that hangs, translation may be on. */
	u->enabled = true;
	if (u->found.translating && uiommu_vtd_unit_translates(u))
		return UIOMMU_OK; /* it never went off */
	return uiommu_vtd_unit_command(u, VTD_GCMD_TE, true,
				       "translation did not start");
}

/* Has it translated without a break since it was found? */
static bool vtd_unit_kept(const struct vtd_unit *u)
{
	return u->started && u->found.translating &&
	       (u->adopted || vtd_unit_follows(u));
}

/* Start failed: the tables that were found are whole. */
static void vtd_unit_hand_back(struct vtd_unit *u)
{
	if (u->loaded && !vtd_unit_root(u, u->found.root & VTD_RTADDR_RTA))
		uiommu_log(u->host, UIOMMU_LOG_INFO,
			   "unit %u: goes on with the tables that were found",
			   u->index);
	u->loaded = false;
	u->enabled = false;
}

/* Shutdown takes no lock: a stopped CPU might hold it. */
void uiommu_vtd_unit_disable(struct vtd_unit *u)
{
	if (uiommu_vtd_broken(u))
		return;
	if (!u->driver->enabled && vtd_unit_kept(u)) {
		vtd_unit_hand_back(u);
		return;
	}
	if (u->enabled || uiommu_vtd_unit_translates(u)) {
		if (uiommu_vtd_stays_on(u)) {
			uiommu_vtd_unit_hold(u);
			return;
		}
		if (uiommu_vtd_unit_run(u, VTD_GCMD_TE, false)) {
			uiommu_vtd_unit_break(u, "translation did not stop");
			return;
		}
	}
	u->enabled = false;
	u->adopted = false;
}

/* The addresses of devices without a unit are physical: make it so. */
static void vtd_unit_leave(struct vtd_unit *u)
{
	uiommu_vtd_unit_disable(u);
	if (!u->found.translating)
		return;
	if (uiommu_vtd_unit_translates(u))
		uiommu_log(u->host, UIOMMU_LOG_ERROR,
			   "unit %u: goes on translating by tables of another "
			   "kernel, and is not to be used: its devices do not "
			   "reach what they are given",
			   u->index);
	else
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: found translating, and not to be used: "
			   "turned off; what its devices still do is not "
			   "confined",
			   u->index);
}

bool uiommu_vtd_unit_remaps(struct vtd_unit *u)
{
	/* Not if our host has set a table of its own. */
	return u->remaps &&
	       uiommu_host_mmio_read64(u->mmio, VTD_IRTA) == u->irta;
}

/*
 * Remapping of interrupts goes with the old tables. Those of a kernel that is
 * gone lead nowhere, and ours would be stopped on the way.
 */
static int vtd_unit_end_remapping(struct vtd_unit *u)
{
	int err;

	if (u->adopted || !uiommu_vtd_unit_remaps(u))
		return UIOMMU_OK;
	err = uiommu_vtd_unit_command(u, VTD_GCMD_IRE, false,
				      "interrupt remapping did not stop");
	if (err)
		return err;
	u->remaps = false;
	uiommu_log(u->host, UIOMMU_LOG_WARN,
		   "unit %u: found remapping interrupts: turned off", u->index);
	return UIOMMU_OK;
}

int uiommu_vtd_unit_settle(struct vtd_unit *u)
{
	if (!uiommu_vtd_wanted(u))
		vtd_unit_leave(u);
	return vtd_unit_end_remapping(u);
}

int uiommu_vtd_unit_open_memory(struct vtd_unit *u)
{
	uint32_t pmen;
	int err;

	if (!u->caps.protected_memory)
		return UIOMMU_OK;
	if (uiommu_vtd_broken(u))
		return UIOMMU_EIO;
	pmen = uiommu_host_mmio_read32(u->mmio, VTD_PMEN);
	if (!(pmen & (VTD_PMEN_EPM | VTD_PMEN_PRS)))
		return UIOMMU_OK;

	uiommu_host_mmio_write32(u->mmio, VTD_PMEN, pmen & ~VTD_PMEN_EPM);
	err = vtd_unit_wait(u, VTD_PMEN, VTD_PMEN_PRS, 0);
	if (err)
		uiommu_vtd_unit_break(u, "protected memory was not opened");
	return err;
}

void uiommu_vtd_unit_stop(struct vtd_unit *u)
{
	if (u->started && !uiommu_vtd_broken(u)) {
		uiommu_vtd_fault_stop(u);
		/* What was adopted with it: its table is in anybody's memory. */
		if (u->driver->enabled && uiommu_vtd_unit_remaps(u) &&
		    !uiommu_vtd_unit_run(u, VTD_GCMD_IRE, false))
			u->remaps = false;
		if (u->ring &&
		    uiommu_host_mmio_read32(u->mmio, VTD_GSTS) & VTD_GCMD_QIE &&
		    uiommu_vtd_unit_run(u, VTD_GCMD_QIE, false))
			uiommu_vtd_unit_break(u,
					      "invalidation queue did not end");
	}
	uiommu_vtd_takeover_end(u);
	vtd_unit_free(u);
	u->loaded = false;
	u->started = false;
}
