/* SPDX-License-Identifier: MIT */
/*
 * The line between the core and the drivers of IOMMU hardware. The core knows
 * a driver only through struct uiommu_driver_ops; a driver knows devices and
 * domains only through what the core embeds in its own objects: struct
 * uiommu_hwdev and struct uiommu_hwdomain.
 *
 * Unless an op says otherwise the core holds the instance's mutex around it,
 * so ops that change what is attached never run at once; invalidate and
 * map_sync run without it, on many CPUs.
 */
#ifndef UIOMMU_BASE_DRIVER_H
#define UIOMMU_BASE_DRIVER_H

#include <uiommu/device.h>
#include <uiommu/dmar.h>
#include <uiommu/host.h>
#include <uiommu/plan.h>
#include <uiommu/types.h>

#include "pt/pt.h"

struct uiommu_driver_ops;

/* First member of each driver's own instance. */
struct uiommu_driver {
	const struct uiommu_driver_ops *ops;
	struct uiommu_host *host;
};

/* An address space, as a driver sees it. */
struct uiommu_hwdomain {
	enum uiommu_domain_type type;
	/*
	 * DMA, UNMANAGED and SINK; IDENTITY for units without pass-through. No
	 * root where there is none.
	 */
	struct uiommu_pt pt;
	bool map_sync; /* a new mapping needs ops->map_sync; set by a driver */
	void *priv;    /* driver's: domain ids and counts per unit */
};

/* A requester and its aliases, as a driver sees them. */
struct uiommu_hwdev {
	const struct uiommu_sid *sids; /* the first is its own */
	uint32_t sid_count;
	uint32_t unit; /* DMAR record index, as in the plan */
	bool direct;   /* some direct region must stay translated; the core's */
	/*
	 * In the hands of who had the unit before: its entry is another
	 * kernel's, if there is one, and else stays empty until its driver asks.
	 * Set by device_init, cleared by attach; the core waits with the first
	 * attach until it is needed.
	 */
	bool inherited;
	/*
	 * Its unit was found translating, and it may be at work, by addresses
	 * that another kernel chose. Set by device_init.
	 */
	bool at_work;
	/*
	 * Refused for a while only: a requester id that it shares stays with
	 * who inherits it. The core's.
	 */
	bool yields;
	struct uiommu_hwdomain *domain; /* attached; NULL before the first */
	void *priv;			/* driver's */
};

struct uiommu_driver_env {
	struct uiommu_host *host;
	const struct uiommu_dmar *dmar; /* lives as long as the driver */
	uint32_t timeout_us;		/* for every wait on hardware */
	enum uiommu_takeover takeover;	/* <uiommu/device.h> */
	bool takeover_block;
};

struct uiommu_driver_ops {
	const char *name;

	/*
	 * Finds the units: maps registers, reads capabilities, changes
	 * nothing in hardware. A unit that cannot be used is left out and
	 * logged. UIOMMU_ENODEV if none is left. [sleep]
	 */
	int (*create)(const struct uiommu_driver_env *env,
		      struct uiommu_driver **driver);
	/* After stop, or instead of start. [sleep] */
	void (*destroy)(struct uiommu_driver *driver);

	/*
	 * What the plan wants to know: fills @units, one per DMAR record.
	 * [any]
	 */
	void (*describe)(struct uiommu_driver *driver,
			 struct uiommu_plan_unit *units, uint32_t count);
	/*
	 * What the hardware requires of a device: IDENTITY or DMA, or NONE if
	 * any type will do. It states; the plan decides. That a unit has no
	 * pass-through is told by describe. NULL: never anything. [any]
	 */
	enum uiommu_domain_type (*def_domain_type)(
		struct uiommu_driver *driver,
		const struct uiommu_pci_function *function);
	/* For people; UIOMMU_ENOENT beyond the last unit. [any] */
	int (*unit_info)(struct uiommu_driver *driver, uint32_t index,
			 struct uiommu_unit_info *info);

	/*
	 * Says whether start is to leave the unit of a DMAR record alone: no
	 * device is in it, and enable, when all else succeeded, opens its
	 * protected memory and turns its translation off if it is on. Holds
	 * until said otherwise; harmless if the record is no unit. While
	 * stopped. [any]
	 */
	void (*leave)(struct uiommu_driver *driver, uint32_t record,
		      bool leave);

	/*
	 * Says whether the unit of a DMAR record hangs, or may, when its
	 * translation is turned off. What is on there stays on, then, whatever
	 * is stopped. Holds, and is harmless, as for leave. NULL: no unit of
	 * this driver does. While stopped. [any]
	 */
	void (*stays_on)(struct uiommu_driver *driver, uint32_t record,
			 bool stays);

	/*
	 * Takes the units over: fresh root tables in which every requester is
	 * refused, invalidation working, caches flushed, fault records
	 * cleared; translation itself still off. A unit that translates
	 * already is treated as env.takeover says: adopted, it translates all
	 * the time, with a copy of the tables that were found; or else, where
	 * it must not go off or all that is there is to be refused, with the
	 * tables themselves until enable. UIOMMU_EBUSY: it says to refuse.
	 * UIOMMU_ENOTSUP: a unit must not go off, and cannot be given other
	 * tables while it is on. After an error every unit is as it was, but
	 * off if it was to be reset; or it is broken. [sleep]
	 */
	int (*start)(struct uiommu_driver *driver);
	/*
	 * Turns translation on in every unit where it is off, then protected
	 * memory regions off. Contexts and direct mappings stand by then.
	 * After an error translation is off in every unit that still answers,
	 * but for disable's exceptions. [sleep]
	 */
	int (*enable)(struct uiommu_driver *driver);
	/*
	 * Turns translation off in every unit that answers; invalidation goes
	 * on working. The core calls it before it takes devices and domains
	 * down, so that a direct region is never out of reach on the way. If
	 * enable did not succeed a unit that translates since before start is
	 * given its old tables back instead. One that must not go off stays
	 * on, and is given up. Harmless when it was never on. NULL: stop
	 * alone does it. [sleep]
	 */
	void (*disable)(struct uiommu_driver *driver);
	/*
	 * Turns translation off, then the queues, and frees what start
	 * allocated (not what a broken unit may still read). [sleep]
	 */
	void (*stop)(struct uiommu_driver *driver);

	/*
	 * Allocates all that attach needs, so that attach itself allocates
	 * nothing per device. After start. The device is refused (blocked)
	 * until its first attach, or else inherited: then nothing that its
	 * requester ids lead to is touched. [sleep]
	 */
	int (*device_init)(struct uiommu_driver *driver,
			   struct uiommu_hwdev *dev);
	/*
	 * Refuses all DMA of the device and forgets it. One that is inherited
	 * still is only forgotten; who yielded to it does so no more. [sleep]
	 */
	void (*device_fini)(struct uiommu_driver *driver,
			    struct uiommu_hwdev *dev);

	/*
	 * The weakest of what the @count units can walk. UIOMMU_ENOTSUP if
	 * they have no page-table format in common. [any]
	 */
	int (*pt_config)(struct uiommu_driver *driver, const uint32_t *units,
			 uint32_t count, struct uiommu_pt_config *config);
	/* Sets up priv; pt is ready for types that have one. [sleep] */
	int (*domain_init)(struct uiommu_driver *driver,
			   struct uiommu_hwdomain *domain);
	/*
	 * Was it ever used by a unit that is broken now? What its tables are
	 * made of, and point to, may be walked for ever. [any]
	 */
	bool (*domain_held)(struct uiommu_driver *driver,
			    const struct uiommu_hwdomain *domain);
	/* No device is attached any more. Flushes what units may hold. */
	void (*domain_fini)(struct uiommu_driver *driver,
			    struct uiommu_hwdomain *domain);

	/*
	 * Puts the device, with all its aliases, into @domain instead of
	 * where it was. After an error it is where it was. BLOCKED fails only
	 * on a broken unit. Whatever the type, an entry that was inherited
	 * goes, and with it what the unit remembers of it. Of a requester id
	 * that two devices share the first attach takes it, and the other one,
	 * inherited or not, is where the first is until it is attached; only
	 * who yields leaves it to the other. IDENTITY is pass-through, or
	 * else @domain's tables. UIOMMU_ENOTSUP: the unit can do neither, or
	 * does not walk such tables; or the device, or one that shares a
	 * requester id with it, has direct set, and could not be moved without
	 * a moment in which it is refused (never for BLOCKED, nor for what was
	 * inherited). UIOMMU_ENOSPC: out of domain ids. UIOMMU_EIO,
	 * UIOMMU_ETIMEDOUT: the unit is broken. Where it is not refused and
	 * direct is not set, DMA may be refused for a moment. [sleep]
	 */
	int (*attach)(struct uiommu_driver *driver, struct uiommu_hwdev *dev,
		      struct uiommu_hwdomain *domain);

	/*
	 * Returns when no unit holds a translation of @gather's ranges any
	 * more. After an error it may: memory must not be reused. [any]
	 */
	int (*invalidate)(struct uiommu_driver *driver,
			  struct uiommu_hwdomain *domain,
			  const struct uiommu_gather *gather);
	/* A new mapping was written; for hwdomain.map_sync only. [any] */
	int (*map_sync)(struct uiommu_driver *driver,
			struct uiommu_hwdomain *domain,
			struct uiommu_range range);

	/*
	 * Reads, reports and clears all fault records. Returns how many.
	 * No lock held. [any]
	 */
	unsigned int (*poll_faults)(struct uiommu_driver *driver);
	/* UIOMMU_ENOENT: no such unit. [any] */
	int (*set_fault_interrupt)(struct uiommu_driver *driver, uint32_t index,
				   uint64_t address, uint32_t data);

	/*
	 * Before units lose their power: keeps in the driver's memory what
	 * registers alone know, has work under way finish, turns translation
	 * and queues off. After an error the units that answer are suspended
	 * all the same, the others are broken. Without the mutex, while no
	 * other op runs; after start. [any, no memory]
	 */
	int (*suspend)(struct uiommu_driver *driver);
	/*
	 * After suspend, whether the power went or not: the units do what they
	 * did. After an error those that do not are broken, the others work.
	 * Called as suspend. [any, no memory]
	 */
	int (*resume)(struct uiommu_driver *driver);
	/*
	 * The end, while other CPUs may have stopped in any op: opens protected
	 * memory and turns translation off in every unit that answers; or, to
	 * keep translating, masks fault interrupts and nothing else. Takes no
	 * lock, tells no event. No op after it. [any, no memory, no lock]
	 */
	void (*shutdown)(struct uiommu_driver *driver, bool keep_translating);
};

extern const struct uiommu_driver_ops uiommu_vtd_ops;

#endif /* UIOMMU_BASE_DRIVER_H */
