/* SPDX-License-Identifier: MIT */
/*
 * The core's objects and what its files share.
 *
 * Marks of the lock legends (order: docs/locking.md):
 *   (c) constant once the object can be seen by another CPU
 *   (s) written by start and stop alone, during which no other call runs
 *   (m) the instance's mutex
 *   (a) written under the mutex, read without a lock; a single word
 *   (o) has locks of its own, or needs none
 */
#ifndef UIOMMU_CORE_OBJECT_H
#define UIOMMU_CORE_OBJECT_H

#include <uiommu/device.h>
#include <uiommu/dmar.h>
#include <uiommu/domain.h>
#include <uiommu/pci.h>
#include <uiommu/plan.h>

#include "base/block.h"
#include "base/driver.h"
#include "base/pool.h"
#include "iova/iova.h"
#include "pt/pt.h"

struct uiommu_domain {
	struct uiommu_hwdomain hw;     /* (o) the driver's rules */
	struct uiommu_range aperture;  /* (c) with tables: what can be mapped */
	struct uiommu_iova_space iova; /* (o) DMA only */
	struct uiommu *uiommu;	       /* (c) */
	struct uiommu_group *owner;    /* (c) whose default it is, or NULL */
	struct uiommu_domain *next;    /* (m) of uiommu->domains */
	uint32_t attached;	       /* (m) groups in it */
	bool ready;		       /* (m) the driver knows it */
	uint32_t kept; /* (a) groups in it that have direct regions */
	uint32_t lost; /* atomic: one of its units broke; for ever */
};

struct uiommu_group {
	struct uiommu *uiommu;		      /* (c) */
	struct uiommu_domain *default_domain; /* (s) */
	struct uiommu_domain *domain;	      /* (a) of all members */
	const uint32_t *members;	      /* (c) device indices */
	uint32_t member_count;		      /* (c) */
	uint32_t *units;		      /* (c) DMAR records, each once */
	uint32_t unit_count;		      /* (c) */
	uint32_t id;			      /* (c) index in the plan */
	bool direct; /* (c) some member has a direct region */
};

struct uiommu_device {
	struct uiommu_domain *domain; /* (a) NULL: no unit, addresses are
				       * physical */
	uint64_t dma_mask;	      /* (a) */
	uint32_t bounced;	      /* atomic: mappings that are copied */
	struct uiommu *uiommu;	      /* (c) */
	struct uiommu_group *group;   /* (c) NULL: no unit */
	const struct uiommu_plan_device *plan; /* (c) */
	struct uiommu_hwdev hw;		       /* (m) */
	bool ready;			       /* (s) the driver knows it */
};

/* Ranges of RAM, ascending, none touching another. */
struct uiommu_ram {
	struct uiommu_block block;
	struct uiommu_range *ranges;
	uint32_t count;
};

#define UIOMMU_BOUNCE_BUCKETS 256u

/* Memory that stands in for other, by its address; dma/bounce.h. */
struct uiommu_bounces {
	struct uiommu_lock *lock; /* (c) spin, of all below */
	struct uiommu_pool pool;  /* struct uiommu_bounce */
	uint64_t sizes;		  /* of any that there ever was, or'd */
	struct uiommu_bounce *buckets[UIOMMU_BOUNCE_BUCKETS];
};

struct uiommu {
	struct uiommu_host *host;     /* (c) */
	struct uiommu_lock *mutex;    /* (c) */
	struct uiommu_driver *driver; /* (c) */
	struct uiommu_block self;     /* (c) where this lies */
	struct uiommu_block table;    /* (c) copy of the firmware's */
	struct uiommu_block records;  /* (c) memory of dmar */
	struct uiommu_dmar dmar;      /* (c) */
	bool keep_acs;		      /* (c) */
	/* (c) what the host says; without units, requirements and RAM */
	struct uiommu_plan_input input;
	struct uiommu_block override_block; /* (c) input.overrides */
	struct uiommu_block window_block;   /* (c) */
	const struct uiommu_window *windows;
	uint32_t window_count;
	struct uiommu_ram ram; /* (m) what the host told */

	bool soft_identity;		 /* (s) tables stand in for it */
	struct uiommu_topology topology; /* (m), (c) when started */
	struct uiommu_domain identity;	 /* (o) */
	struct uiommu_domain blocked;	 /* (o) */

	uint32_t started;		  /* (a) */
	bool driver_started;		  /* (s) */
	struct uiommu_plan plan;	  /* (s) */
	struct uiommu_device *devices;	  /* (s) one per function */
	struct uiommu_group *groups;	  /* (s) one per group of the plan */
	struct uiommu_block device_block; /* (s) */
	struct uiommu_block group_block;  /* (s) */
	struct uiommu_block unit_block;	  /* (s) all groups' units */
	struct uiommu_pool pool;	  /* (m) struct uiommu_domain */
	struct uiommu_domain *domains;	  /* (m) all from the pool */
	struct uiommu_bounces bounces;	  /* (o) */
};

/* dma/dma_bounce.c. UIOMMU_ENOMEM. [sleep] */
UIOMMU_MUST_CHECK
int uiommu_bounces_init(struct uiommu *uiommu);
/* Frees all slots; no device uses one any more, nobody calls. [any] */
void uiommu_bounces_drop(struct uiommu *uiommu);
/* After drop, and of half-built instances. [sleep] */
void uiommu_bounces_fini(struct uiommu *uiommu);

static inline struct uiommu_device *
uiommu_core_member(const struct uiommu_group *group, uint32_t i)
{
	return &group->uiommu->devices[group->members[i]];
}

/* start.c. Takes a half-built instance back to where create left it. Mutex. */
void uiommu_core_teardown(struct uiommu *uiommu);

/* unit.c. One line for each unit. [any] */
void uiommu_core_log_units(struct uiommu *uiommu);
/* Did any unit miss a deadline? What it was given must stay. [any] */
bool uiommu_core_broken(struct uiommu *uiommu);

/* device.c. Makes the devices of the plan; the driver knows them. Mutex. */
UIOMMU_MUST_CHECK
int uiommu_core_devices_make(struct uiommu *uiommu);
/* Undoes it, also when half done. Mutex. */
void uiommu_core_devices_free(struct uiommu *uiommu);

/*
 * group.c. Makes the groups and their default domains, direct regions mapped;
 * attaches nothing. Undone by freeing the group block and all domains. Mutex.
 */
UIOMMU_MUST_CHECK
int uiommu_core_groups_make(struct uiommu *uiommu);
/* Attaches every group to its default domain for the first time. Mutex. */
UIOMMU_MUST_CHECK
int uiommu_core_groups_attach(struct uiommu *uiommu);

/*
 * config.c. Is what the host says sensible? UIOMMU_EINVAL; nothing was done.
 * [any]
 */
UIOMMU_MUST_CHECK
int uiommu_core_config_check(const struct uiommu_config *config);
/* Copies it; UIOMMU_ENOMEM. What was copied, _free() takes back. [sleep] */
UIOMMU_MUST_CHECK
int uiommu_core_config_copy(struct uiommu *uiommu,
			    const struct uiommu_config *config);
void uiommu_core_config_free(struct uiommu *uiommu);

/*
 * ram.c. Puts @range into @count ascending ranges with room for one more,
 * joined with all that it overlaps or touches. Returns how many there are
 * then. [any]
 */
uint32_t uiommu_core_join(struct uiommu_range *ranges, uint32_t count,
			  struct uiommu_range range);
/* What the host told, and @ram besides. UIOMMU_ENOMEM. [sleep] */
UIOMMU_MUST_CHECK
int uiommu_core_ram_join(struct uiommu *uiommu, const struct uiommu_range *ram,
			 uint32_t count, struct uiommu_ram *joined);
/* From now on @ram is what the host told. [sleep] */
void uiommu_core_ram_set(struct uiommu *uiommu, const struct uiommu_ram *ram);
/* The whole pages within @range; false if there is none. [any] */
bool uiommu_core_ram_pages(struct uiommu_range range,
			   struct uiommu_range *pages);

/*
 * identity.c. Can one table serve all units without pass-through? If not, the
 * log says why. UIOMMU_ENOMEM. Mutex.
 */
UIOMMU_MUST_CHECK
int uiommu_core_identity_check(struct uiommu *uiommu, bool *possible);
/*
 * Fills the table if the plan has a device in such a unit. After an error the
 * caller tears down. Mutex.
 */
UIOMMU_MUST_CHECK
int uiommu_core_identity_make(struct uiommu *uiommu);

/*
 * domain.c. What tables of these units look like, options obeyed.
 * UIOMMU_ENOTSUP. [any]
 */
UIOMMU_MUST_CHECK
int uiommu_core_pt_config(struct uiommu *uiommu, const uint32_t *units,
			  uint32_t count, struct uiommu_pt_config *config);
/* Makes the identity and the blocked domain known. Mutex. */
UIOMMU_MUST_CHECK
int uiommu_core_static_init(struct uiommu *uiommu);
void uiommu_core_static_fini(struct uiommu *uiommu);
/*
 * Makes a domain with tables that the units of @group walk. UIOMMU_ENOTSUP,
 * UIOMMU_ENOMEM. Mutex.
 */
UIOMMU_MUST_CHECK
int uiommu_core_domain_make(struct uiommu_group *group,
			    enum uiommu_domain_type type,
			    struct uiommu_domain **domain);
/* Frees it; its tables stay allocated where a unit is broken. Mutex. */
void uiommu_core_domain_free(struct uiommu_domain *domain);

/*
 * domain.c, for the DMA API as well: the tables and the hardware at once.
 *
 * Maps and syncs. After an error nothing is mapped and no unit holds any of
 * @range, unless *@stuck: a unit may, and addresses must not be reused.
 * @flags: as for uiommu_host_page_alloc(). [any]
 */
UIOMMU_MUST_CHECK
int uiommu_core_map(struct uiommu_domain *domain, struct uiommu_range range,
		    uiommu_paddr_t paddr, unsigned int prot, unsigned int flags,
		    bool *stuck);
/* Nothing more is lent to a unit that does not take it back. [any] */
static inline bool uiommu_core_lost(const struct uiommu_domain *domain)
{
	return uiommu_load(&domain->lost);
}
/* Tells the hardware of a new mapping where it wants to know. [any] */
UIOMMU_MUST_CHECK
int uiommu_core_map_sync(struct uiommu_domain *domain,
			 struct uiommu_range range);
/*
 * Invalidates what @gather names and only then frees its table pages. After
 * an error they stay allocated for ever: the unit may still walk them. [any]
 */
UIOMMU_MUST_CHECK
int uiommu_core_flush(struct uiommu_domain *domain,
		      struct uiommu_gather *gather);
/* Unmaps and flushes. UIOMMU_ENOMEM: nothing was unmapped. [any] */
UIOMMU_MUST_CHECK
int uiommu_core_unmap(struct uiommu_domain *domain, struct uiommu_range range,
		      uint64_t *unmapped);

/* Anything to tell the hardware? Usually not, after a map. */
static inline bool uiommu_core_gathered(const struct uiommu_gather *gather)
{
	return gather->count || gather->tables;
}

/* The whole pages that hold @range: nothing smaller can be given or kept. */
struct uiommu_range uiommu_core_pages(struct uiommu_range range);
bool uiommu_core_is_direct(const struct uiommu_region *region);
/*
 * The first part of @rest in which none of @regions forbids to map; those that
 * are direct do not. False if there is none. @regions in any order. [any]
 */
bool uiommu_core_part(const struct uiommu_region *regions, uint32_t count,
		      struct uiommu_range rest, struct uiommu_range *part);

/*
 * region.c. Keeps the group's regions, and what host bridges take, out of
 * @domain's allocator. [sleep]
 */
UIOMMU_MUST_CHECK
int uiommu_core_reserve(struct uiommu_group *group,
			struct uiommu_domain *domain);
/*
 * Maps all members' direct regions 1:1 into @domain, which is attached to
 * nothing. UIOMMU_ERANGE: one is out of its reach; it was logged. [sleep]
 */
UIOMMU_MUST_CHECK
int uiommu_core_map_direct(struct uiommu_group *group,
			   struct uiommu_domain *domain);
/*
 * May @group be in @domain without losing a direct region? UIOMMU_EPERM; the
 * log says which. [any]
 */
UIOMMU_MUST_CHECK
int uiommu_core_check_direct(const struct uiommu_group *group,
			     const struct uiommu_domain *domain);

/* Does any member have a direct region, relaxable ones not counted? [any] */
bool uiommu_core_has_direct(const struct uiommu_group *group);
/* Is part of @range a direct region of a group in @domain? [any] */
bool uiommu_core_keeps(const struct uiommu_domain *domain,
		       struct uiommu_range range);

#endif /* UIOMMU_CORE_OBJECT_H */
