/* SPDX-License-Identifier: MIT */
/* This port's instance: what the uiommu_host_*() functions work on. */
#ifndef BARE_HOST_H
#define BARE_HOST_H

#include <uiommu/fault.h>
#include <uiommu/host.h>

#include "bare.h"

#define HOST_LOCKS 256u
#define HOST_EVENTS 64u

struct uiommu_lock {
	bool used;
	bool held;
	enum uiommu_lock_kind kind;
};

enum host_cx16 {
	HOST_CX16_NOT_ASKED = 0,
	HOST_CX16_NO,
	HOST_CX16_YES,
};

struct uiommu_host {
	enum uiommu_log_level loudest; /* print up to this level */
	size_t pages;		       /* lent to the library now */
	unsigned int windows;	       /* of registers, likewise */
	unsigned int lines;	       /* that the library logged */
	struct uiommu_lock locks[HOST_LOCKS];
	struct uiommu_event events[HOST_EVENTS]; /* the first ones told */
	unsigned int event_count; /* all that were told, kept or not */
	unsigned int overflows;	  /* times that a unit ran out of records */
	uint16_t suspect;	  /* the requester that is told to misbehave */
	unsigned int strangers;	  /* faults of any other */
	enum host_cx16 cx16;	  /* can the CPU store 16 bytes at once? */
	uint64_t stored; /* cycles when an entry was last replaced at once */
	/* What the drivers do when told; none: a device in use stays. */
	bool (*pause)(struct uiommu_device *device);
	void (*resume)(struct uiommu_device *device);
};

#endif /* BARE_HOST_H */
