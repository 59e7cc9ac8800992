/* SPDX-License-Identifier: MIT */
/*
 * One instance of uIOMMU, its units, its devices and their groups.
 *
 * The life of an instance: uiommu_create(), uiommu_scan_pci() for each range of
 * buses, uiommu_start(); then devices are under control until uiommu_stop().
 * There are no globals: a process may hold many instances.
 */
#ifndef UIOMMU_DEVICE_H
#define UIOMMU_DEVICE_H

#include <uiommu/error.h>
#include <uiommu/host.h>
#include <uiommu/pci.h>
#include <uiommu/plan.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uiommu;	      /* an instance */
struct uiommu_device; /* a requester, with its aliases */
struct uiommu_group;  /* devices that cannot be isolated from each other */
struct uiommu_domain; /* an address space; <uiommu/domain.h> */

/* Addresses that the host bridges of a segment take for what is below them. */
struct uiommu_window {
	uint16_t segment;
	struct uiommu_range range;
};

/*
 * What to do at start with a unit that translates already: firmware left it
 * on, or another kernel that ran before.
 */
enum uiommu_takeover {
	/*
	 * Translation off, fresh tables, on again. The log says so. Until it
	 * is on again devices reach all of memory. Afterwards what they had
	 * under way is refused; but in identity the addresses that they were
	 * given are physical. Remapping of interrupts goes off, too, and stays
	 * off, if it was on at create; a unit that does not translate keeps it
	 * as it is.
	 */
	UIOMMU_TAKEOVER_RESET = 0,
	/*
	 * For a kernel that starts where another one crashed: translation
	 * stays on, and each requester stays in the address space that it was
	 * in, or refused, until its device is first attached: at its first DMA
	 * API call, at a reset if it has no direct region, or when an owner
	 * claims its group. Such a device is not attached at start, whatever
	 * its type; nor is one that comes later, but where one was attached
	 * before. What was under way goes on, and so does the remapping of
	 * interrupts: the dead kernel's go where it sent them, and those of a
	 * new driver arrive only if the unit lets the compatibility format
	 * pass. The log says whether; else poll.
	 */
	UIOMMU_TAKEOVER_ADOPT,
	/*
	 * uiommu_start() fails with UIOMMU_EBUSY, nothing is changed; also if
	 * no device is to be in that unit.
	 */
	UIOMMU_TAKEOVER_REFUSE,
};

/*
 * Zero everywhere is a good configuration but for the table. All that is
 * pointed to is copied.
 *
 * Of ram it is whole pages that are mapped: ranges may be in any order,
 * overlap and touch, and a page that they do not fill together counts as no
 * RAM. Only groups in identity on units without pass-through are bounded by
 * it; if no RAM is told, such groups are translated instead.
 *
 * No DMA domain of a segment's devices gives out an address in one of its
 * windows: a bridge or switch that does not send requests up to the root (no
 * ACS) would hand them to the neighbour that answers there.
 */
struct uiommu_config {
	const void *dmar; /* ACPI DMAR table */
	size_t dmar_size; /* bytes that may be read there */
	struct uiommu_options options;
	/*
	 * More options as text, as uiommu_options_parse() reads them; ends
	 * with a NUL. Goes over @options: what it says holds, what it does
	 * not mention stays. What is odd in it is logged with its offset.
	 */
	const char *options_text;
	/* As in struct uiommu_plan_input: */
	enum uiommu_domain_type build_default;
	bool build_off;
	bool memory_encryption;
	bool trusted_boot;
	const struct uiommu_plan_override *overrides; /* per group */
	uint32_t override_count;
	const struct uiommu_range *ram; /* all of the host's, or none */
	uint32_t ram_count;
	const struct uiommu_window *windows;
	uint32_t window_count;
	uint32_t timeout_us; /* for each wait on hardware; 0: 1 s */
	bool keep_acs;	     /* leave access control services as they are */
	enum uiommu_takeover takeover; /* of units that translate already */
	/*
	 * If such a unit is to be adopted and cannot be (tables in a format
	 * that is not ours, or out of reach): true refuses each of its devices
	 * until its driver asks, but for those with a direct region; false
	 * resets the unit. Either is warned of.
	 */
	bool takeover_block;
};

/**
 * uiommu_create() - read the firmware's table and look at the units
 * @host: port instance, handed to every uiommu_host_*() call
 * @config: not needed any more after the call
 * @uiommu: where to store the instance
 *
 * Maps registers and reads capabilities; changes nothing in hardware. What is
 * odd about the table is logged. After an error nothing is held.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - no table given, an unknown option or domain type, or a
 *     range that ends before it begins
 *   UIOMMU_EBADTABLE - the table is unusable; the log says why and where
 *   UIOMMU_ENODEV - the table names no unit that can be used
 *   UIOMMU_ENOMEM - no memory
 */
UIOMMU_MUST_CHECK
int uiommu_create(struct uiommu_host *host, const struct uiommu_config *config,
		  struct uiommu **uiommu);

/**
 * uiommu_destroy() - free an instance
 * @uiommu: if started it is stopped first; NULL is fine
 *
 * Context: sleep; no other call on the instance at the same time.
 */
void uiommu_destroy(struct uiommu *uiommu);

/**
 * uiommu_scan_pci() - find the devices on a range of buses
 * @uiommu: not yet started
 * @segment: PCI segment
 * @first_bus: lowest bus
 * @last_bus: highest bus
 *
 * Buses must be numbered already. Unless keep_acs was set, turns access
 * control services on in what was found. After an error nothing was added.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or the errors of uiommu_topology_scan(), or
 *   UIOMMU_EBUSY - the instance was started already: uiommu_add_pci()
 */
UIOMMU_MUST_CHECK
int uiommu_scan_pci(struct uiommu *uiommu, uint16_t segment, uint8_t first_bus,
		    uint8_t last_bus);

/**
 * uiommu_add_ram() - the host has more memory now
 * @uiommu: created; started or not
 * @range: first..last; may overlap and touch what was told before
 *
 * After success devices in identity reach every page that is RAM as a whole
 * now, also on units without pass-through. Before, such a device is stopped
 * there: call it before the memory is used. Types do not change before the
 * next start: if no RAM was told to uiommu_create(), no table grows.
 *
 * After an error devices reach what they reached before, and the range does
 * not count as told. It cannot be taken back once it was added.
 *
 * Context: sleep; beside all calls but stop and destroy.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - it ends before it begins
 *   UIOMMU_ERANGE - the shared identity tables do not reach that far
 *   UIOMMU_ENOMEM - no memory for tables; a retry may succeed
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_add_ram(struct uiommu *uiommu, struct uiommu_range range);

/**
 * uiommu_start() - bring every device under control
 * @uiommu: scanned
 *
 * Makes the plan, groups and default domains, maps direct regions, attaches
 * every device, and turns translation on last. From then on a device reaches
 * its reserved regions and what is mapped for it; all else is stopped and
 * reported. Requesters that were not found are refused. On a unit that is adopted
 * each requester, found or not, has what it had until its device is attached.
 *
 * What comes later is brought in by uiommu_add_pci().
 *
 * With the option off it leaves the units alone and succeeds: translation is
 * off, protected memory is open, no device has a group or a domain, and DMA
 * addresses are physical. With igfx_off that is so of units that serve
 * displays alone and of their devices. One that was found translating is
 * turned off when all else succeeded, whatever takeover says but REFUSE; if it
 * must not be turned off it goes on, which the log calls an error.
 *
 * The first mappings of a device that another kernel may have left at work are
 * not where kernels begin, at the highest address that it reaches, but further
 * down, as long as there is room.
 *
 * After an error translation is off, as before, on every unit that answers,
 * and start may be tried again. One that was found translating, and was not
 * turned off since, is given its old tables back and goes on with them.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBUSY - started already; or a unit translates already and takeover
 *     says to refuse that
 *   UIOMMU_ENOTSUP - a unit translates already by tables that are not of
 *     legacy mode, and must not be turned off (graphics); firmware can do so
 *   UIOMMU_ENOMEM - no memory
 *   UIOMMU_ENOSPC - a unit has fewer domain ids than there are groups
 *   UIOMMU_ETIMEDOUT, UIOMMU_EIO - a unit does not answer; the log names it
 */
UIOMMU_MUST_CHECK
int uiommu_start(struct uiommu *uiommu);

/**
 * uiommu_stop() - let go of the hardware, in order
 * @uiommu: started; else nothing happens
 *
 * Turns translation off and frees groups, domains and tables. Devices and
 * domains of the instance become invalid. Domains that the host created must
 * have been destroyed.
 *
 * A unit whose translation must not be turned off, as some that serve Intel
 * graphics alone, is left as it is, with all memory that it may walk; the log
 * says so, and uiommu_start() fails from then on (UIOMMU_EIO). A suspended
 * instance is resumed first.
 *
 * Context: sleep; no other call on the instance at the same time. Devices that
 * still do DMA reach all of memory afterwards: silence them before.
 */
void uiommu_stop(struct uiommu *uiommu);

/**
 * uiommu_add_pci() - bring new functions on a range of buses under control
 * @uiommu: started
 * @segment: PCI segment
 * @first_bus: lowest bus to look at
 * @last_bus: highest bus to look at
 *
 * For a device, a card or a whole bus that was plugged in, its buses numbered.
 * What is known already stays as it is, also if it does not answer. New
 * functions go the way that all went at start: unit, group, default domain,
 * direct regions first, then they are attached.
 *
 * A function that joins a group which is there takes its domain. One that
 * cannot use it (it requires another type, a user has claimed the group, its
 * unit cannot walk the tables, its reserved addresses are in use) is a member
 * too, but blocked; the log says why, and so does the plan where it decided
 * that. The others go on undisturbed. Groups that are there never become one: a function that
 * would join two is blocked alone.
 *
 * A bridge's bus numbers are read again while nothing is known below it. One
 * that was renumbered since has to be removed first, as has a device that was
 * swapped for another.
 *
 * After an error nothing was added, except that addresses of a new device's
 * regions may be kept from being given out, and that access control services
 * were turned on.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBUSY - not started
 *   UIOMMU_EINVAL - buses in the wrong order
 *   UIOMMU_EEXIST - where a device is known another one answers; the log says
 *     where
 *   UIOMMU_ENOMEM - no memory
 *   UIOMMU_ENOSPC - a unit is out of domain ids
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_add_pci(struct uiommu *uiommu, uint16_t segment, uint8_t first_bus,
		   uint8_t last_bus);

/**
 * uiommu_remove_device() - a device leaves, or has left
 * @device: one that its driver does not use any more, or a bridge
 *
 * Refuses the device's DMA and forgets it, its virtual functions and, if it is
 * a bridge, everything below it. What it inherited (UIOMMU_TAKEOVER_ADOPT) and
 * never left stays, and is refused to nobody: what is plugged in in its place
 * inherits that, until it is attached itself. The last member takes its group and default
 * domain along. No device is asked anything, so that one which was pulled out
 * is no trouble: but its driver, or the owner of its group, has to let go first,
 * and nothing may be plugged in its place before. Afterwards the pointers to
 * what left are invalid; no other call may use one at the same time.
 *
 * What was mapped for firmware's regions of the device stays within reach of
 * the rest of its group.
 *
 * Devices without a function, which only ACPI knows, cannot be removed.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or, with nothing changed:
 *   UIOMMU_EINUSE - a driver uses one of them
 *   UIOMMU_EOWNED - the group of one of them is claimed
 *   UIOMMU_EBUSY - one of them has mappings left that stand in for memory out
 *     of its reach
 *   UIOMMU_EINVAL - it has no function
 *   UIOMMU_ENOMEM - no memory for a new plan
 */
UIOMMU_MUST_CHECK
int uiommu_remove_device(struct uiommu_device *device);

/* What is in force: all of it was decided at once and belongs together. */
struct uiommu_view {
	struct uiommu_plan plan;
	struct uiommu_topology topology;
};

/**
 * uiommu_view_get() - hold what is in force
 * @uiommu: instance
 *
 * It stays as it is, also when devices come and go and types change.
 *
 * Context: any.
 *
 * Return: the view, to be given back before uiommu_stop(); NULL if the
 * instance is not started.
 */
const struct uiommu_view *uiommu_view_get(struct uiommu *uiommu);
/** uiommu_view_put() - give back what uiommu_view_get() gave; or NULL [sleep] */
void uiommu_view_put(struct uiommu *uiommu, const struct uiommu_view *view);

/**
 * uiommu_plan() - the plan in force [any]
 *
 * Return: valid until devices come or go, a type or a mask changes, or stop:
 * uiommu_view_get() holds it. NULL before start.
 */
const struct uiommu_plan *uiommu_plan(const struct uiommu *uiommu);
/** uiommu_topology() - the functions that were found; valid as the plan [any] */
const struct uiommu_topology *uiommu_topology(const struct uiommu *uiommu);
/** uiommu_dmar() - the table as it was read [any] */
const struct uiommu_dmar *uiommu_dmar(const struct uiommu *uiommu);

/* What a unit is, in the hardware's own numbers and in few words. */
struct uiommu_unit_info {
	uint32_t record; /* DMAR record that describes it */
	uint16_t segment;
	uiommu_paddr_t base; /* of its registers */
	uint8_t version_major;
	uint8_t version_minor;
	uint64_t capability;	      /* CAP_REG as read */
	uint64_t extended_capability; /* ECAP_REG as read */
	unsigned int address_bits;    /* of a DMA address that it translates */
	unsigned int levels;	      /* of its page tables */
	uint64_t page_sizes;	      /* bit n: leaves of 2^n bytes */
	uint32_t domain_ids;
	uint32_t fault_records;
	bool queued;	  /* invalidates through a queue, else by registers */
	bool coherent;	  /* its walks snoop CPU caches */
	bool caching;	  /* caches what is not mapped, too (emulated) */
	bool passthrough; /* has hardware pass-through */
	bool snoop;	  /* can force snooping per mapping */
	bool translating; /* now */
	bool broken;	  /* missed a deadline; refuses work */
	/* As uiommu_create(), or the last start, found it: */
	bool found_translating;
	bool found_queued;     /* its invalidation queue was on */
	bool found_unfinished; /* and not executed to the end */
	bool found_interrupt_remapping;
	bool found_protected;	/* protected memory regions */
	bool adopted;		/* goes on with what was found */
	uint32_t inherited;	/* entries that are another kernel's still */
	uint64_t invalidations; /* submitted since start */
	uint64_t faults;	/* records read since start */
};

/**
 * uiommu_unit_info() - look at a unit
 * @uiommu: instance
 * @index: 0, 1, ... until UIOMMU_ENOENT
 * @info: where to store it; untouched on error
 *
 * Context: any.
 *
 * Return: UIOMMU_OK, or UIOMMU_ENOENT if there is no such unit.
 */
UIOMMU_MUST_CHECK
int uiommu_unit_info(struct uiommu *uiommu, uint32_t index,
		     struct uiommu_unit_info *info);

/**
 * uiommu_unit_set_fault_interrupt() - have a unit interrupt on faults
 * @uiommu: started
 * @index: unit, as in uiommu_unit_info()
 * @address: message address, as for MSI
 * @data: message data
 *
 * The host's handler calls uiommu_poll_faults(). Without one, faults are
 * recorded all the same, and reported when polled.
 *
 * Context: any.
 *
 * Return: UIOMMU_OK, or UIOMMU_ENOENT if there is no such unit, UIOMMU_EBUSY
 * if the instance is not started or an option leaves the unit alone,
 * UIOMMU_EIO if it is broken.
 */
UIOMMU_MUST_CHECK
int uiommu_unit_set_fault_interrupt(struct uiommu *uiommu, uint32_t index,
				    uint64_t address, uint32_t data);

/**
 * uiommu_device_find() - the device behind a requester id
 * @uiommu: started
 * @sid: its own requester id, not an alias
 *
 * Context: any. The device lives until uiommu_remove_device() or uiommu_stop().
 *
 * Return: the device, or NULL if no such function was found.
 */
struct uiommu_device *uiommu_device_find(struct uiommu *uiommu,
					 struct uiommu_sid sid);

/** uiommu_device_sid() - a device's own requester id [any] */
struct uiommu_sid uiommu_device_sid(const struct uiommu_device *device);

/**
 * uiommu_device_group() - the group of a device [any]
 *
 * Return: its group, or NULL if no unit covers the device: its DMA is then
 * not confined and DMA addresses are physical.
 */
struct uiommu_group *uiommu_device_group(const struct uiommu_device *device);

/**
 * uiommu_device_domain() - the domain a device is in [any]
 *
 * Return: never NULL for a device with a group, NULL without.
 */
struct uiommu_domain *uiommu_device_domain(const struct uiommu_device *device);

/**
 * uiommu_device_regions() - reserved regions of a device [any]
 * @device: device
 * @count: where to store how many
 *
 * Return: the first, in ascending order; valid as uiommu_plan() says.
 */
const struct uiommu_region *
uiommu_device_regions(const struct uiommu_device *device, uint32_t *count);

/**
 * uiommu_device_use() - a kernel driver begins to use a device
 * @device: device
 *
 * Before its driver calls the DMA API. While any member of a group is in use
 * nobody can claim the group, and its default domain changes only after the
 * host silenced every such member (uiommu_host_pause()). Counted: each use is
 * ended by one uiommu_device_unuse(). Always succeeds for a device that no
 * unit covers.
 *
 * A group that failed to come back to its default domain is blocked; the first
 * use tries once more.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EOWNED - its group is claimed
 *   UIOMMU_EPERM - it is blocked: it joined a group whose type it cannot use
 *   UIOMMU_EBUSY - it is being reset
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT, ... - the group is blocked and stays so, as
 *     for uiommu_group_release()
 */
UIOMMU_MUST_CHECK
int uiommu_device_use(struct uiommu_device *device);

/**
 * uiommu_device_unuse() - a kernel driver is done with a device
 * @device: one in use, all its mappings given back
 *
 * Context: sleep. A device that is not in use stays as it is.
 */
void uiommu_device_unuse(struct uiommu_device *device);

/**
 * uiommu_device_set_dma_mask() - say how far a device reaches
 * @device: device; all 64 bits until told
 * @mask: highest address it can put on the bus; a power of two less one
 *
 * Bounds what the DMA API gives it from now on, not what is mapped already:
 * for the device's own driver, before its first mapping.
 *
 * In identity, if the mask does not reach all of RAM (as the host told it),
 * the whole group moves to a DMA domain, if the plan allows that and every
 * other member is idle or paused by the host. Else the device stays, and what
 * it cannot reach is copied through low pages of the host's; its siblings
 * notice nothing. The plan in force gives the reason.
 *
 * After an error the mask is what it was.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - @mask is below 4095 or not of the form 2^n - 1
 *   UIOMMU_ERANGE - its group cannot move, and the host has no pages that the
 *     device reaches
 *   UIOMMU_ENOMEM - no memory for a new plan
 */
UIOMMU_MUST_CHECK
int uiommu_device_set_dma_mask(struct uiommu_device *device, uint64_t mask);

/**
 * uiommu_device_reset_begin() - keep a device quiet while its function is reset
 * @device: device
 *
 * The device is refused until uiommu_device_reset_end(), whatever domain its
 * group is in; siblings go on, also under a requester id that they share with
 * it. A device that firmware keeps a direct region for is not refused, or the
 * region would be out of reach.
 *
 * Until the end its group can be neither claimed, attached nor changed in type.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBUSY - a reset has begun already
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - the unit is broken; no reset has begun
 */
UIOMMU_MUST_CHECK
int uiommu_device_reset_begin(struct uiommu_device *device);

/**
 * uiommu_device_reset_end() - the reset is over
 * @device: one whose reset has begun
 *
 * Puts it back into the domain that its group is in. After an error it stays
 * refused and the reset is not over: call again, or remove the device.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - no reset has begun
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT, UIOMMU_ENOSPC, UIOMMU_ENOTSUP - as
 *     uiommu_group_attach()
 */
UIOMMU_MUST_CHECK
int uiommu_device_reset_end(struct uiommu_device *device);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_DEVICE_H */
