/* SPDX-License-Identifier: MIT */
/*
 * A driver of no hardware, in place of uiommu_vtd_ops: it checks that the core
 * calls in the right order, fails where a test wants it to, and notes what it
 * was told.
 */
#ifndef TESTS_CORE_FAKE_H
#define TESTS_CORE_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/driver.h"

#define FAKE_DEVICES 32u
#define FAKE_RANGES 64u

struct fake_device {
	struct uiommu_hwdev *dev;
	struct uiommu_hwdomain *domain; /* what hardware would have */
	void *page;
};

/* What the tests turn and look at; zeroed by fake_reset(). */
struct fake {
	/* Knobs */
	bool no_passthrough;
	bool small_pages;      /* tables of 4 KiB leaves alone */
	bool no_giants;	       /* no leaves of 1 GiB */
	uint16_t required_rid; /* this one, if not 0, requires... */
	enum uiommu_domain_type required;
	bool no_tables; /* pt_config has nothing in common */
	bool map_sync;
	unsigned int levels; /* 0: 4 */
	unsigned int width;  /* 0: all that levels hold */
	uint64_t fail_op;    /* the Nth op from the reset that can fail */
	uint64_t fail_to;    /* up to this one; 0: that one alone */
	int fail_error;	     /* with this; 0: UIOMMU_EIO */
	int fail_invalidate; /* error of each invalidation */
	int fail_map_sync;
	uint16_t inherits_rid;	  /* another kernel had it, if not 0 */
	uint16_t at_work_rid;	  /* may be at work for that, if not 0 */
	uint16_t misfit_rid;	  /* its unit walks no tables, if not 0 */
	uint16_t fail_attach_rid; /* attach of this one fails, if not 0 */
	bool fail_attach_all;	  /* all attaches fail but to blocked */
	bool fail_blocked;	  /* to blocked, too */
	/* Called before an attach is done. */
	void (*on_attach)(struct uiommu_hwdev *dev,
			  struct uiommu_hwdomain *domain);
	void (*on_disable)(void);

	/* State, for the checks and for tests */
	uint64_t ops; /* that can fail, so far */
	bool created;
	bool started;
	bool translating;
	bool broken;
	uint64_t left;	      /* records that are left alone */
	unsigned int domains; /* known now */
	unsigned int attaches;
	struct fake_device devices[FAKE_DEVICES];
	unsigned int invalidations;
	struct uiommu_range ranges[FAKE_RANGES]; /* the last invalidated */
	unsigned int range_count;
	unsigned int map_syncs;
	struct uiommu_range synced; /* the last */
	unsigned int polls;
	unsigned int suspends, resumes, shutdowns;
	bool asleep;
	bool kept_on;	   /* what shutdown was told */
	uint64_t stays_on; /* records */
};

extern struct fake fake;

void fake_reset(void);
/* What a requester is attached to; NULL: refused. */
struct uiommu_hwdomain *fake_domain_of(struct uiommu_sid sid);
/* May the requester reach this? As hardware without caches would say. */
bool fake_reaches(struct uiommu_sid sid, uint64_t address, unsigned int prot,
		  uint64_t *paddr);

#endif /* TESTS_CORE_FAKE_H */
