/* SPDX-License-Identifier: MIT */
/*
 * The demonstration: real drivers behind uIOMMU, and one device gone bad. Each
 * part is a file of its own and reports through check().
 */
#ifndef BARE_DEMO_H
#define BARE_DEMO_H

#include <uiommu/uiommu.h>

#include "cost.h"
#include "crash.h"
#include "e1000e.h"
#include "edu.h"
#include "host.h"
#include "load.h"
#include "net.h"
#include "nvme.h"

struct demo {
	struct uiommu_host host;
	struct uiommu *uiommu; /* NULL with iommu=off */
	bool passthrough;      /* default domains are identity */
	bool has_nvme;	       /* started, to be stopped */
	bool has_net;
	bool has_rogue;
	bool has_keeper;
	bool has_pair;
	bool has_bridged;
	struct edu keeper; /* owns the RMRR and never stops using it */
	struct edu rogue;  /* told to do what it must not */
	struct edu
		pair[2]; /* functions of one device that nothing keeps apart */
	struct edu bridged; /* behind a bridge to conventional PCI */
	struct nvme nvme;
	struct load load; /* of the disk, beside all else */
	struct e1000e net;
	struct crash_handover *crash; /* to whom comes, or from who went */
};

/* demo_show.c: units, and the table of devices */
void demo_show_units(struct demo *d);
void demo_show_devices(struct demo *d);
/* The group of the device at @bdf; NULL if it has none. */
struct uiommu_group *demo_group(struct demo *d, uint16_t bdf);

/* demo_rmrr.c: an RMRR is reachable all the time */
void demo_rmrr_begin(struct demo *d);
void demo_rmrr_poll(void); /* in every polling loop */
bool demo_rmrr_working(void);
uint32_t demo_rmrr_copies(void); /* right ones under translation */
/* Wait for @rounds copies; false if they do not come or one was ever wrong. */
bool demo_rmrr_go_on(uint32_t rounds);
/* Before sleep: false if it does not come to rest. And after it. */
bool demo_rmrr_rest(void);
void demo_rmrr_wake(void);
/*
 * Return so many cycles before the device moves the data of a copy that is
 * under way; false if it does not come to that. Where QEMU counts time.
 */
bool demo_rmrr_aim(uint64_t before);
void demo_rmrr_translated_end(void);
void demo_rmrr_end(struct demo *d);

/* demo_nvme.c */
void demo_nvme(struct demo *d);
/* Read the 16 MiB and compare the checksum; again after a storm, say. */
void demo_nvme_read(struct demo *d);

/* demo_load.c: the disk reads on while other things happen */
void demo_load(struct demo *d);

/*
 * demo_change.c: other domains below devices that work. From begin to end the
 * disk reads beside all else.
 */
void demo_change_begin(struct demo *d);
void demo_change_end(struct demo *d);
/*
 * Three lines and more: what was done, why the plan wants @device to be as it
 * is now, or else @why, and what it took.
 */
void demo_tell(struct demo *d, const struct uiommu_device *device,
	       const char *what, const char *why, const struct cost *cost);
/* uiommu_group_set_type() for the group of @device, told and checked. */
bool demo_set_type(struct demo *d, struct uiommu_device *device,
		   const char *who, enum uiommu_domain_type type);
/* dma_connect(), and told if the device's domain became another by that. */
int demo_connect(struct demo *d, struct dma_device *dma, const char *who);

/* demo_net.c */
void demo_net(struct demo *d);
/* The adapter is connected already: starts it anew, and somebody answers. */
int demo_net_again(struct demo *d);

/* demo_user.c: the adapter in a user's hands, and back */
void demo_user(struct demo *d);

/* demo_edu.c: copies within the reach of 28 bits, and beyond */
void demo_edu(struct demo *d);

struct edu_try {
	int err;
	bool same;	  /* what came back is what went out */
	uint64_t memory;  /* physical address of what was copied */
	uint64_t highest; /* address that the device was told */
};

/*
 * Copy a page to the device and back to another page, both within its reach or
 * both beyond; true if every byte arrived. @t tells more.
 */
bool demo_edu_copy_low(struct edu *e, struct edu_try *t);
bool demo_edu_copy_high(struct edu *e, struct edu_try *t);

/* demo_hotplug.c: a device comes and goes, asked and unasked */
void demo_hotplug(struct demo *d);

/* demo_rogue.c: accesses that must be stopped */
void demo_rogue(struct demo *d);
/* In identity by tables: what is not RAM is out of reach. */
void demo_rogue_outside(struct demo *d);
/* The fault that must come: who, where, which way. NULL: it does not. */
const struct uiommu_event *demo_find_event(struct demo *d, uint16_t bdf,
					   uint64_t addr,
					   enum uiommu_access access);

/* Any fault of the device at @bdf that was told, or NULL. */
const struct uiommu_event *demo_find_any(struct demo *d, uint16_t bdf);

/* Was it refused for who it is, not for an address that is not mapped? */
bool demo_shut_out(const struct uiommu_event *e);

/* demo_sleep.c: the machine sleeps and wakes up, and at last all is let go */
void demo_sleep(struct demo *d);

/*
 * demo_inherit.c: have what the disk was slow with end now, with faults; its
 * driver's reset would wait for it.
 */
void demo_hurry_disk(struct demo *d);

/* demo_storm.c: so many of them that only a few are told */
void demo_storm(struct demo *d);

/* demo_crash.c: devices at work, and the kernel that told them is no more */
void demo_crash(struct demo *d);
/* demo_rmrr.c: its region goes on changing. */
void demo_rmrr_hand_over(struct crash_handover *h);

/*
 * demo_inherit.c: in the second kernel. Before all else, right before the start
 * and as soon as it is done, and until devices are silent; nothing happens in
 * the first.
 */
void demo_inherit_begin(struct demo *d);
void demo_inherit_found(struct demo *d);
void demo_inherit_started(struct demo *d);
void demo_inherit(struct demo *d);
void demo_inherit_poll(void); /* in every polling loop */

/* What the frames of scripts/bare-sender.py and the edu's page hold. */
#define DEMO_FRAME_SIZE 600u
#define DEMO_FRAME_NUMBER 14u /* where the number is; then the filling */
#define DEMO_FRAME_FILL 18u
#define DEMO_PAGE_COPY 2048u /* of the page, which the edu writes */
#define DEMO_POISON 0xa5
void demo_page_pattern(void *page, uint32_t seed);

/*
 * demo_linux.c: what a Linux left behind goes on; begin before the unit is
 * touched, started as soon as it is ours
 */
void demo_linux_begin(struct demo *d);
void demo_linux_started(struct demo *d);
void demo_linux(struct demo *d);

#endif /* BARE_DEMO_H */
