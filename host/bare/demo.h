/* SPDX-License-Identifier: MIT */
/*
 * The demonstration: real drivers behind uIOMMU, and one device gone bad. Each
 * part is a file of its own and reports through check().
 */
#ifndef BARE_DEMO_H
#define BARE_DEMO_H

#include <uiommu/uiommu.h>

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
	bool has_bridged;
	struct edu keeper;  /* owns the RMRR and never stops using it */
	struct edu rogue;   /* told to do what it must not */
	struct edu bridged; /* behind a bridge to conventional PCI */
	struct nvme nvme;
	struct load load; /* of the disk, beside all else */
	struct e1000e net;
};

/* demo_show.c: units, and the table of devices */
void demo_show_units(struct demo *d);
void demo_show_devices(struct demo *d);

/* demo_rmrr.c: an RMRR is reachable all the time */
void demo_rmrr_begin(struct demo *d);
void demo_rmrr_poll(void); /* in every polling loop */
void demo_rmrr_translated_end(void);
void demo_rmrr_end(struct demo *d);

/* demo_nvme.c */
void demo_nvme(struct demo *d);
/* Read the 16 MiB and compare the checksum; again after a storm, say. */
void demo_nvme_read(struct demo *d);

/* demo_load.c: the disk reads on while other things happen */
void demo_load(struct demo *d);

/* demo_net.c */
void demo_net(struct demo *d);

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

/* demo_storm.c: so many of them that only a few are told */
void demo_storm(struct demo *d);

#endif /* BARE_DEMO_H */
