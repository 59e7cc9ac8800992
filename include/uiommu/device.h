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
 *   UIOMMU_EBUSY - the instance was started already
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
 * reported. Requesters that were not found are refused.
 *
 * With the option off it leaves the units alone and succeeds: translation is
 * off, protected memory is open, no device has a group or a domain, and DMA
 * addresses are physical. With igfx_off that is so of units that serve
 * displays alone and of their devices.
 *
 * After an error translation is off, as before, on every unit that answers,
 * and start may be tried again.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBUSY - started already, or found translating (which is adopted by
 *     no version yet)
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
 * Context: sleep; no other call on the instance at the same time. Devices that
 * still do DMA reach all of memory afterwards: silence them before.
 */
void uiommu_stop(struct uiommu *uiommu);

/** uiommu_plan() - the plan in force; NULL before start [any] */
const struct uiommu_plan *uiommu_plan(const struct uiommu *uiommu);
/** uiommu_topology() - the functions that were found [any] */
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
 * Context: any. The device lives until uiommu_stop().
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
 * Return: the first, in ascending order.
 */
const struct uiommu_region *
uiommu_device_regions(const struct uiommu_device *device, uint32_t *count);

/**
 * uiommu_device_set_dma_mask() - say how far a device reaches
 * @device: device; all 64 bits until told
 * @mask: highest address it can put on the bus; a power of two less one
 *
 * Bounds what the DMA API gives it from now on, not what is mapped already.
 *
 * Context: any; not while mapping for the same device.
 *
 * Return: UIOMMU_OK, or UIOMMU_EINVAL if @mask is below 4095 or not of the
 * form 2^n - 1.
 */
UIOMMU_MUST_CHECK
int uiommu_device_set_dma_mask(struct uiommu_device *device, uint64_t mask);

/** uiommu_group_id() - small number of a group, as in the plan [any] */
uint32_t uiommu_group_id(const struct uiommu_group *group);

/**
 * uiommu_group_regions() - reserved regions of a group [any]
 * @group: group
 * @count: where to store how many
 *
 * All its members' together, merged as people see them: the one list by which
 * addresses are given out, direct regions are mapped and users are refused.
 * Of a direct region that overlaps the interrupt window (or another range that
 * is never mapped) only the rest is mapped. Host bridges' windows are not in it.
 *
 * Return: the first, in ascending order; they live until uiommu_stop().
 */
const struct uiommu_region *
uiommu_group_regions(const struct uiommu_group *group, uint32_t *count);

/** uiommu_group_default_domain() - never NULL [any] */
struct uiommu_domain *
uiommu_group_default_domain(const struct uiommu_group *group);

/** uiommu_group_domain() - the domain all its members are in [any] */
struct uiommu_domain *uiommu_group_domain(const struct uiommu_group *group);

/**
 * uiommu_group_attach() - put every member of a group into a domain
 * @group: group
 * @domain: identity, blocked, or unmanaged of the same instance
 *
 * Its default domain is reached by uiommu_group_detach(). A member with a
 * direct region (not a relaxable one) needs that memory at its own address, so
 * blocked is refused, and unmanaged unless the region is mapped 1:1 in it.
 *
 * After an error every member is in the domain it was in; if the hardware
 * refuses even that, it is blocked and the log says so.
 *
 * Context: sleep. Mappings of the old domain are out of reach afterwards; no
 * DMA API call for a member may run at the same time.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - another group's default domain, or of another instance
 *   UIOMMU_EPERM - a direct region forbids it
 *   UIOMMU_ENOTSUP - a unit cannot walk the domain's tables; for identity: it
 *     has no pass-through, and no RAM was told or no table suits all such units
 *   UIOMMU_ENOSPC - a unit is out of domain ids
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_group_attach(struct uiommu_group *group,
			struct uiommu_domain *domain);

/**
 * uiommu_group_detach() - put every member back into the default domain
 * @group: group; nothing happens if it is there already
 *
 * Context and errors: as uiommu_group_attach().
 */
UIOMMU_MUST_CHECK
int uiommu_group_detach(struct uiommu_group *group);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_DEVICE_H */
