/* SPDX-License-Identifier: MIT */
/*
 * One machine for the tests of the core and of the DMA API:
 *
 *	00:00.0 host bridge		00:1c.0 root port, ACS
 *	00:02.0 integrated device	  01:00.0 endpoint
 *	00:03.0 integrated device	00:1d.0 root port, ACS
 *	00:04.0 two functions,		  02:00.0 PCIe-to-PCI bridge
 *	00:04.1 no ACS: one group	    03:01.0, 03:02.0 conventional
 *
 *	00:05.0 USB controller
 *
 * One unit at 0xfed90000 for all of them.
 */
#ifndef TESTS_CORE_MACHINE_H
#define TESTS_CORE_MACHINE_H

#include "user.h"

#define MACHINE_SID(bus, dev, fn) \
	((struct uiommu_sid){ 0, (uint16_t)((bus) << 8 | (dev) << 3 | (fn)) })

#define MACHINE_ALONE MACHINE_SID(0, 2, 0)
#define MACHINE_OTHER MACHINE_SID(0, 3, 0)
#define MACHINE_PAIR0 MACHINE_SID(0, 4, 0)
#define MACHINE_PAIR1 MACHINE_SID(0, 4, 1)
#define MACHINE_USB MACHINE_SID(0, 5, 0)
#define MACHINE_PORT MACHINE_SID(0, 0x1d, 0) /* above the bridge */
#define MACHINE_NVME MACHINE_SID(1, 0, 0)
#define MACHINE_BRIDGE MACHINE_SID(2, 0, 0)
#define MACHINE_PCI0 MACHINE_SID(3, 1, 0)
#define MACHINE_PCI1 MACHINE_SID(3, 2, 0)
#define MACHINE_ALIAS MACHINE_SID(3, 0, 0) /* theirs, and no device */

struct machine {
	struct user_config config;
	struct user_dmar dmar;
	struct uiommu_config options;
	struct uiommu_host *host;
	struct uiommu *uiommu;
};

/* The machine's description; change it, then machine_up(). */
void machine_describe(struct machine *machine);
/* An RMRR for endpoints; between describe and up. */
void machine_reserve(struct machine *machine, uint64_t first, uint64_t last,
		     const struct uiommu_sid *sids, unsigned int count);
/* Builds the host; closes the table. */
void machine_build(struct machine *machine);
/* Create and scan; 0 or the error. */
int machine_scan(struct machine *machine);
/* All up to start, which must succeed. */
void machine_up(struct machine *machine);
/* Stop, destroy, and no page, window or lock left. */
void machine_down(struct machine *machine);

struct uiommu_device *machine_device(struct machine *machine,
				     struct uiommu_sid sid);
/* The same, in use by a driver. */
struct uiommu_device *machine_driver(struct machine *machine,
				     struct uiommu_sid sid);
struct uiommu_group *machine_group(struct machine *machine,
				   struct uiommu_sid sid);

#endif /* TESTS_CORE_MACHINE_H */
