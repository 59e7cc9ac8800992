/* SPDX-License-Identifier: MIT */
/*
 * One remapping unit: its state, the order of bring-up and shutdown, commands.
 *
 * Locking: (c) constant after create, (s) constant between start and stop,
 * (m) the core's mutex, (u) unit lock, (f) fault lock, (a) atomic. The unit
 * lock and the fault lock are spin locks and never held together.
 */
#ifndef UIOMMU_VTD_UNIT_H
#define UIOMMU_VTD_UNIT_H

#include <uiommu/device.h>
#include <uiommu/host.h>

#include "base/atomic.h"
#include "base/driver.h"
#include "base/pool.h"
#include "vtd/vtd_caps.h"
#include "vtd/vtd_regs.h"

#define VTD_BUSES 256u
#define VTD_FAULT_SOURCES 16u

struct vtd_unit;
struct vtd_device;
struct vtd_inherited; /* vtd_adopt.h */

struct vtd_driver {
	struct uiommu_driver base;	/* (c) */
	const struct uiommu_dmar *dmar; /* (c) */
	uint32_t timeout_us;		/* (c) */
	enum uiommu_takeover takeover;	/* (c) */
	bool takeover_block;		/* (c) */
	struct vtd_unit *units;		/* (c) in order of DMAR records */
	uint32_t unit_count;		/* (c) those that are not ignored */
	bool map_sync;			/* (c) some unit wants it */
	bool started;			/* (m) */
	bool enabled;			/* (m) every unit; start is through */
	struct uiommu_pool buses;	/* (m) struct vtd_bus */
	struct uiommu_pool devices;	/* (m) struct vtd_device */
	struct uiommu_pool domains;	/* (m) struct vtd_domain */
};

/* What a unit without power forgets, and no memory of ours knows. */
struct vtd_saved {
	uint32_t control; /* of the fault event, as are the others */
	uint32_t data;
	uint32_t address;
	uint32_t upper_address;
};

/* The context table of one bus. */
struct vtd_bus {
	struct vtd_entry *table;
	uint32_t ours[256 / 32]; /* whose device was attached once */
	struct vtd_entry *found; /* a copy of what was adopted; or NULL */
	uint16_t sharers[256];	 /* devices known by that device and function */
};

/* How a unit was before we changed anything. */
struct vtd_found {
	uint64_t root; /* RTADDR */
	uint64_t irta; /* if it remaps */
	bool translating;
	bool queued;
	bool unfinished; /* the queue was not executed to its end */
	bool remapping;	 /* of interrupts */
	bool compatible; /* and those in the old format pass */
	bool protected_memory;
};

/* Faults told of one requester in the current period. */
struct vtd_fault_source {
	uint64_t since;	     /* start of the period */
	uint32_t told;	     /* in it; 0: slot is free */
	uint32_t suppressed; /* since the last that was told */
	uint16_t rid;
};

struct vtd_unit {
	struct vtd_driver *driver; /* (c) */
	struct uiommu_host *host;  /* (c) */
	struct uiommu_mmio *mmio;  /* (c) */
	struct uiommu_lock *lock;  /* (c) commands, queue */
	struct vtd_unit *next;	   /* (c) */
	size_t mmio_size;	   /* (c) */
	uiommu_paddr_t base;	   /* (c) */
	uint32_t index;		   /* (c) as people see it */
	uint32_t record;	   /* (c) in the DMAR table */
	uint16_t segment;	   /* (c) */
	uint8_t version;	   /* (c) */
	bool ignored;		   /* (c) protected memory is turned off only */
	struct vtd_caps caps;	   /* (c) */
	bool left;		   /* (m) alone, by option: likewise */
	bool started;		   /* (m) */
	bool loaded;		   /* (m) it has our root table */
	bool enabled;		   /* (m) translation */
	bool broken;		   /* (a) never cleared */

	/* vtd_power.c */
	bool hangs;		/* (m) if translation is turned off */
	bool held;		/* (m) so it was left on, and is given up */
	struct vtd_saved saved; /* (s) by suspend, for resume */

	/* vtd_queue.c */
	struct vtd_desc *ring;	     /* (s) NULL: invalidates by registers */
	uint32_t *status;	     /* (s) (a) where waits tell their number */
	uiommu_paddr_t ring_paddr;   /* (s) */
	uiommu_paddr_t status_paddr; /* (s) */
	uint32_t submitted;	     /* (u) descriptors ever, modulo 2^32 */
	uint32_t aborts;	     /* (u) (a) times that waits were aborted */
	uint32_t errors;	     /* (u) in a row */
	uint32_t error_mark;	     /* (u) *status at the last error */
	uint64_t invalidations;	     /* (u) batches ever */

	/* vtd_context.c */
	struct vtd_entry *root;		/* (m) */
	uiommu_paddr_t root_paddr;	/* (s) */
	struct vtd_device *devices;	/* (m) */
	struct vtd_bus *bus[VTD_BUSES]; /* (m) */

	/* vtd_domain.c */
	uint32_t *ids;	       /* (m) bit map */
	size_t ids_size;       /* (c) bytes of it */
	uint32_t id_next;      /* (m) where to look first */
	uint32_t did_identity; /* (m) VTD_DID_NONE: none was left so far */

	/* vtd_adopt.c */
	struct vtd_found found;		 /* (m) at create, and at start */
	struct vtd_inherited *inherited; /* (m) NULL: it was not adopted */
	uint32_t inherited_count;	 /* (a) written under (m) */
	bool adopted;			 /* (m) not stopped since */
	bool withheld; /* (m) each device waits, refused, to be asked for */
	bool ran;      /* (m) found translating, at create or later */
	bool remaps; /* (m) interrupts, for who had it before, since create... */
	uint64_t irta; /* (c) ...by this table */

	/* vtd_fault.c */
	struct uiommu_lock *fault_lock;	  /* (c) */
	uint64_t faults;		  /* (f) records ever */
	struct vtd_fault_source overflow; /* (f) */
	struct vtd_fault_source others;	  /* (f) those without a slot */
	struct vtd_fault_source sources[VTD_FAULT_SOURCES]; /* (f) */
};
UIOMMU_STATIC_ASSERT(sizeof(struct vtd_unit) <= 4096);

/* Is it to translate? */
static inline bool uiommu_vtd_wanted(const struct vtd_unit *u)
{
	return !u->ignored && !u->left;
}

/*
 * Would turning translation off hang it? Without draining there is nothing for
 * which it could wait.
 */
static inline bool uiommu_vtd_stays_on(const struct vtd_unit *u)
{
	return u->hangs && u->caps.drain;
}

static inline bool uiommu_vtd_broken(const struct vtd_unit *u)
{
	return uiommu_load(&u->broken);
}

static inline uint64_t uiommu_vtd_deadline(const struct vtd_unit *u)
{
	return uiommu_host_now_ns(u->host) +
	       (uint64_t)u->driver->timeout_us * 1000;
}

/*
 * Every wait on hardware samples the clock with this first and reads the
 * register after it, so that a late wake-up still gets one read.
 */
static inline bool uiommu_vtd_late(const struct vtd_unit *u, uint64_t deadline)
{
	return uiommu_host_now_ns(u->host) > deadline;
}

/* Makes a table write visible to a walker that does not snoop. */
static inline void uiommu_vtd_clean(const struct vtd_unit *u, const void *addr,
				    size_t size)
{
	if (!u->caps.coherent)
		uiommu_host_cache_clean(u->host, addr, size);
}

/*
 * Finds the unit of DMAR record @record. UIOMMU_OK, then @unit may be ignored;
 * UIOMMU_ENODEV if it is none (logged); UIOMMU_ENOMEM. Touches no hardware but
 * for reading capabilities.
 */
UIOMMU_MUST_CHECK
int uiommu_vtd_unit_create(struct vtd_driver *driver, uint32_t record,
			   struct vtd_unit **unit);
void uiommu_vtd_unit_destroy(struct vtd_unit *u);

/*
 * Looks at it again, also at one that is not wanted. UIOMMU_EBUSY if it
 * translates and that is to be refused, UIOMMU_ENOTSUP if it can neither be
 * turned off nor be given our tables while it is on, UIOMMU_EIO if it is gone.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_check(struct vtd_unit *u);
/* Memory, with a copy of the tables if it is adopted. Changes no hardware. */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_prepare(struct vtd_unit *u);
/* Off if it is to be reset; what was left ends; invalidation works. */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_start(struct vtd_unit *u);
/*
 * After all units were started: our root table, empty caches. Where the tables
 * that were found serve until ours are whole, that is left to enable.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_load(struct vtd_unit *u);
UIOMMU_MUST_CHECK int uiommu_vtd_unit_enable(struct vtd_unit *u);
/*
 * Translation off, if it is on; but before the driver's enable succeeded, back
 * to the tables that were found, if it has been translating ever since.
 */
void uiommu_vtd_unit_disable(struct vtd_unit *u);
/*
 * When all units are enabled. Of one that is not wanted whatever was found on
 * goes off; of one that has our tables in place of others, what came with them.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_settle(struct vtd_unit *u);
/* Does its register say so? Not if it is gone. */
bool uiommu_vtd_unit_translates(struct vtd_unit *u);
/* Does it remap interrupts as who had it before wanted? */
bool uiommu_vtd_unit_remaps(struct vtd_unit *u);
UIOMMU_MUST_CHECK int uiommu_vtd_unit_open_memory(struct vtd_unit *u);
/* After disable: ends the queue, frees what prepare allocated. */
void uiommu_vtd_unit_stop(struct vtd_unit *u);

/*
 * One command, carried out. The unit lock is held, or nobody else runs. After
 * an error the unit is to be broken; here it is not yet.
 */
UIOMMU_MUST_CHECK
int uiommu_vtd_unit_run(struct vtd_unit *u, uint32_t command, bool on);
/* The same under the unit lock; a unit that fails is broken: @what it did. */
UIOMMU_MUST_CHECK
int uiommu_vtd_unit_command(struct vtd_unit *u, uint32_t command, bool on,
			    const char *what);
/* Ends whatever queue is on and begins ours, if we have one. */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_queue(struct vtd_unit *u);

/*
 * vtd_power.c: instead of disable, where that would hang the unit. It goes on
 * translating, but for nobody: it keeps its memory and gets no new work.
 */
void uiommu_vtd_unit_hold(struct vtd_unit *u);

/* Flushes the write buffer where that takes a command. */
UIOMMU_MUST_CHECK int uiommu_vtd_unit_write_buffer(struct vtd_unit *u);

/*
 * The unit missed a deadline, or is gone: it gets no new work and keeps its
 * memory. Told to the host once. No spin lock held.
 */
void uiommu_vtd_unit_break(struct vtd_unit *u, const char *what);
/*
 * The same in halves, so that who waits for the unit lock finds the unit
 * broken and does not wait for it once more: mark with the lock held, and if
 * that was the first time, tell without.
 */
bool uiommu_vtd_unit_mark(struct vtd_unit *u);
void uiommu_vtd_unit_tell(struct vtd_unit *u, const char *what);

#endif /* UIOMMU_VTD_UNIT_H */
