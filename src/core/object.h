/* SPDX-License-Identifier: MIT */
/*
 * The core's objects and what its files share.
 *
 * Marks of the lock legends (order: docs/locking.md):
 *   (c) constant once the object can be seen by another CPU
 *   (s) written by start and stop alone, during which no other call runs
 *   (m) the instance's mutex
 *   (i) its index lock
 *   (a) written under the mutex, read without a lock; a single word
 *   (o) has locks of its own, or needs none
 */
#ifndef UIOMMU_CORE_OBJECT_H
#define UIOMMU_CORE_OBJECT_H

#include <uiommu/device.h>
#include <uiommu/dmar.h>
#include <uiommu/domain.h>
#include <uiommu/group.h>
#include <uiommu/pci.h>
#include <uiommu/plan.h>

#include "base/block.h"
#include "base/driver.h"
#include "base/pool.h"
#include "iova/iova.h"
#include "pt/pt.h"
#include "pt/pt_sink.h"

/* Ranges that were mapped, or are to be. */
struct uiommu_runs {
	struct uiommu_block block;
	struct uiommu_range *ranges;
	uint32_t count;
};

struct uiommu_domain {
	struct uiommu_hwdomain hw;     /* (o) the driver's rules */
	struct uiommu_range aperture;  /* (c) with tables: what can be mapped */
	struct uiommu_iova_space iova; /* (o) DMA only */
	struct uiommu_pt_sink sink;    /* (c) SINK only */
	struct uiommu *uiommu;	       /* (c) */
	struct uiommu_group *owner;    /* (c) whose it is; NULL: the host's */
	struct uiommu_domain *next;    /* (m) of uiommu->domains */
	uint32_t holders;	       /* (m) of an unmanaged one: callers... */
	uint32_t attached;	       /* (m) ...and groups in it */
	bool ready;		       /* (m) the driver knows it */
	/* (a) Sixteenths of what is in reach, from above: for when there is need */
	uint8_t apart;
	uint32_t lost; /* atomic: one of its units broke; for ever */
};

struct uiommu_group {
	struct uiommu *uiommu;		      /* (c) */
	struct uiommu_group *next;	      /* (m) of uiommu->groups */
	struct uiommu_device *members;	      /* (m) */
	struct uiommu_domain *default_domain; /* (a) */
	struct uiommu_domain *domain;	      /* (a) of all members */
	struct uiommu_domain *sink;   /* (m) in place of blocked, or NULL */
	const void *owner;	      /* (a) */
	enum uiommu_domain_type type; /* (a) DMA and DMA_FQ told apart */
	bool asked; /* (m) somebody did, while it was there, for... */
	enum uiommu_domain_type wish; /* (m) ...this, or NONE: automatic */
	uint32_t uses;		      /* (m) of all members */
	uint32_t resets;	      /* (m) members that are being reset */
	uint32_t id;		      /* (c) in the plan */
	uint32_t place;		      /* (m) in the one that is to be */
	bool fresh;		      /* (m) of a change that is under way */
	bool regions_differ;	      /* (m) likewise: from those in force */
	struct uiommu_runs direct;    /* (m) of such a change: mapped for it */
};

/* What most devices have at most; more are in a block of their own. */
#define CORE_OWN_SIDS 8u

struct uiommu_device {
	/*
	 * (a) Where the DMA API maps for it; NULL while it is not in use. The
	 * domain does not change or go until then, but while the host paused
	 * the device.
	 */
	struct uiommu_domain *dma;
	uint64_t dma_mask;	      /* (m), read by the one who maps for it */
	struct uiommu_domain *domain; /* (a) NULL: no unit, addresses are
				       * physical */
	uint32_t bounced;	      /* atomic: mappings that are copied */
	uint32_t arriving;	      /* atomic: calls that found dma NULL */
	struct uiommu *uiommu;	      /* (c) */
	struct uiommu_group *group;   /* (c) NULL: no unit */
	struct uiommu_device *next;   /* (m) of group->members */
	struct uiommu_hwdev hw;	      /* (m) */
	struct uiommu_sid sid;	      /* (c) its own */
	struct uiommu_sid sids[CORE_OWN_SIDS]; /* (c) that it asks as */
	struct uiommu_block sid_block;	       /* (c) */
	uint32_t uses;			       /* (a) */
	bool ready;			       /* (m) the driver knows it */
	bool barred;			       /* (m) refused, see the plan */
	bool unfit;	/* (m) barred by the core, which no plan knows */
	bool resetting; /* (m) */
	bool paused;	/* (a) by the host */
	bool lost;	/* (s) its unit did not resume: blocked for ever */
	/* (m) Of a change that is under way: */
	bool fresh;    /* made for it */
	bool enters;   /* its group's domain, and was not there before */
	bool uprooted; /* it inherited, and to that there is no way back */
	struct uiommu_device *leaving; /* the next that goes */
};

/* Ranges of RAM, ascending, none touching another. */
struct uiommu_ram {
	struct uiommu_block block;
	struct uiommu_range *ranges;
	uint32_t count;
};

/*
 * What is in force, and the objects that stand for it. Made, filled, put in
 * force and only then never changed again; old ones live while held.
 */
struct uiommu_edition {
	struct uiommu_view view; /* first: it is what holders know */
	struct uiommu_block self;
	struct uiommu_block table;
	struct uiommu_device **devices; /* of the plan, in its order */
	struct uiommu_group **groups;	/* likewise */
	struct uiommu_edition *next;	/* (i) of those held, not in force */
	uint32_t holders;		/* (i) */
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
	struct uiommu_lock *index;    /* (c) spin; (i) is under it */
	struct uiommu_driver *driver; /* (c) */
	struct uiommu_block self;     /* (c) where this lies */
	struct uiommu_block table;    /* (c) copy of the firmware's */
	struct uiommu_block records;  /* (c) memory of dmar */
	struct uiommu_dmar dmar;      /* (c) */
	bool keep_acs;		      /* (c) */
	/* (m) what the host says; without units, requirements and RAM */
	struct uiommu_plan_input input;
	struct uiommu_block override_block; /* (c) input.overrides */
	struct uiommu_block window_block;   /* (c) */
	const struct uiommu_window *windows;
	uint32_t window_count;
	struct uiommu_ram ram;		/* (m) what the host told */
	struct uiommu_block unit_block; /* (c) */
	uint32_t *units; /* (m) room for one number of each DMAR record */

	bool soft_identity;		 /* (s) tables stand in for it */
	struct uiommu_topology topology; /* (m) while stopped */
	struct uiommu_domain identity;	 /* (o) */
	struct uiommu_domain blocked;	 /* (o) */

	uint32_t started;		 /* (a) */
	bool driver_started;		 /* (s) */
	bool suspended;			 /* (s) likewise by suspend, resume */
	struct uiommu_edition *edition;	 /* (i) written under (m); in force */
	struct uiommu_edition *editions; /* (i) older ones that are held */
	struct uiommu_pool device_pool;	 /* (m) struct uiommu_device */
	struct uiommu_pool group_pool;	 /* (m) struct uiommu_group */
	struct uiommu_pool pool;	 /* (m) struct uiommu_domain */
	struct uiommu_group *groups;	 /* (m) all from the pool */
	struct uiommu_domain *domains;	 /* (m) all from the pool */
	struct uiommu_bounces bounces;	 /* (o) */
};

/* dma/dma_bounce.c. UIOMMU_ENOMEM. [sleep] */
UIOMMU_MUST_CHECK
int uiommu_bounces_init(struct uiommu *uiommu);
/* Frees all slots; no device uses one any more, nobody calls. [any] */
void uiommu_bounces_drop(struct uiommu *uiommu);
/* After drop, and of half-built instances. [sleep] */
void uiommu_bounces_fini(struct uiommu *uiommu);

static inline unsigned long uiommu_core_lock(struct uiommu *uiommu)
{
	return uiommu_host_lock_acquire(uiommu->mutex);
}

static inline void uiommu_core_unlock(struct uiommu *uiommu,
				      unsigned long state)
{
	uiommu_host_lock_release(uiommu->mutex, state);
}

/*
 * Unless it says otherwise, everything below is called with the instance's
 * mutex held and may sleep.
 */

/* power.c. Tells the driver which units must not be turned off. */
void uiommu_core_tell_stays_on(struct uiommu *uiommu,
			       const struct uiommu_edition *edition);
/* Back from suspend, if it is suspended, so that it can be stopped. */
void uiommu_core_wake(struct uiommu *uiommu);

/* start.c. Takes a half-built instance back to where create left it. */
void uiommu_core_teardown(struct uiommu *uiommu);

/* --- view.c: what is in force --------------------------------------------- */

/* Plans for @topology, which moves into the edition unless it fails. */
UIOMMU_MUST_CHECK
int uiommu_core_edition_make(struct uiommu *uiommu,
			     struct uiommu_topology *topology,
			     struct uiommu_edition **edition);
/* An edition for a plan that was made elsewhere, which moves into it. */
UIOMMU_MUST_CHECK
int uiommu_core_edition_wrap(struct uiommu *uiommu, struct uiommu_plan *plan,
			     struct uiommu_topology *topology,
			     struct uiommu_edition **edition);
void uiommu_core_edition_free(struct uiommu *uiommu,
			      struct uiommu_edition *edition);
/* The plan is in force from now on; NULL: none. The old one is let go of. */
void uiommu_core_edition_enforce(struct uiommu *uiommu,
				 struct uiommu_edition *edition);
/* Index of @device in the plan in force. */
uint32_t uiommu_core_device_index(const struct uiommu_device *device);
/* Index of the device of @sid, functions and others; or UIOMMU_PLAN_NONE. */
uint32_t uiommu_core_edition_find(const struct uiommu_edition *edition,
				  struct uiommu_sid sid);
/* All that the plan wants to know, in memory of @facts. */
struct uiommu_core_facts {
	struct uiommu_block units;
	struct uiommu_block requirements;
	struct uiommu_block masks;
	struct uiommu_block overrides;
	struct uiommu_block live;
	struct uiommu_plan_input input;
};
UIOMMU_MUST_CHECK
int uiommu_core_facts_find(struct uiommu *uiommu,
			   const struct uiommu_topology *topology,
			   struct uiommu_core_facts *facts);
void uiommu_core_facts_free(struct uiommu *uiommu,
			    struct uiommu_core_facts *facts);

/* --- apply.c: from a plan to objects and hardware --- */

/*
 * Makes the devices and groups that @next has and the edition in force has
 * not, and attaches them; then @next is in force. After an error all is as it
 * was, and @next is the caller's to free.
 */
UIOMMU_MUST_CHECK
int uiommu_core_apply(struct uiommu *uiommu, struct uiommu_edition *next);
/*
 * Plans for @topology and applies that. @topology is gone then, or freed after
 * an error, when all is as it was.
 */
UIOMMU_MUST_CHECK
int uiommu_core_follow(struct uiommu *uiommu, struct uiommu_topology *topology);
/* Plans again for what is there, and applies it: judges anew who is barred. */
UIOMMU_MUST_CHECK
int uiommu_core_renew(struct uiommu *uiommu);
/*
 * Refuses and forgets a list of devices, linked by leaving, that no edition in
 * force has any more; their groups go with the last member.
 */
void uiommu_core_let_go(struct uiommu_device *leaving);

/*
 * change.c. Does the plan allow a claim of @group? UIOMMU_EPERM, and the log
 * says why; UIOMMU_ENOMEM.
 */
UIOMMU_MUST_CHECK
int uiommu_core_claim_check(struct uiommu_group *group);

/* unit.c. One line for each unit. [any] */
void uiommu_core_log_units(struct uiommu *uiommu);

/* --- device.c --- */

/* Makes device @index of @edition; the driver knows it, and refuses it. */
UIOMMU_MUST_CHECK
int uiommu_core_device_make(struct uiommu *uiommu,
			    const struct uiommu_edition *edition,
			    uint32_t index, struct uiommu_device **device);
/*
 * Says whether a direct region of device @index of @edition must stay
 * translated when @device changes its domain.
 */
void uiommu_core_device_set_direct(struct uiommu_device *device,
				   const struct uiommu_edition *edition,
				   uint32_t index);
/* Refuses it and frees it; it is in no list any more. */
void uiommu_core_device_free(struct uiommu_device *device);
/* The hardware alone; the books are group.c's. */
UIOMMU_MUST_CHECK
int uiommu_core_device_attach(struct uiommu_device *device,
			      struct uiommu_domain *domain);
/* The same in the books; where a sink is not possible, blocked. */
UIOMMU_MUST_CHECK
int uiommu_core_device_enter(struct uiommu_device *device,
			     struct uiommu_domain *domain);
/*
 * Into the domain where its group's members are, or where it is refused; if it
 * inherited something and nobody has the group, in the books alone.
 */
UIOMMU_MUST_CHECK
int uiommu_core_device_place(struct uiommu_device *device);
/* The same, for one that is barred; the log says if it cannot be. */
void uiommu_core_device_refuse(struct uiommu_device *device);

/* --- group.c --- */

/* A group without members and without a default domain. */
UIOMMU_MUST_CHECK
int uiommu_core_group_make(struct uiommu *uiommu, uint32_t id,
			   struct uiommu_group **group);
/* With its own domains; it has no member any more. */
void uiommu_core_group_free(struct uiommu_group *group);
/*
 * A domain fit to be the group's default: shared, or its own with its direct
 * regions, which are those of @edition, mapped. UIOMMU_ERANGE, UIOMMU_ENOTSUP:
 * the machine cannot do what the plan wants.
 */
UIOMMU_MUST_CHECK
int uiommu_core_group_domain(struct uiommu_group *group,
			     const struct uiommu_edition *edition,
			     enum uiommu_domain_type type,
			     struct uiommu_domain **domain);
/*
 * Puts every member that is not refused for itself into @domain. After an
 * error all are where they were, or blocked.
 */
UIOMMU_MUST_CHECK
int uiommu_core_group_move(struct uiommu_group *group,
			   struct uiommu_domain *domain);
/*
 * Puts the group back into its default domain, if it is in another, and has
 * who is barred in it judged anew.
 */
UIOMMU_MUST_CHECK
int uiommu_core_group_return(struct uiommu_group *group);
/* Writes the books: the group is in @domain. */
void uiommu_core_group_enter(struct uiommu_group *group,
			     struct uiommu_domain *domain);
/*
 * Fails closed: nobody in the group gets anywhere. A unit that refuses even
 * this is broken, and its driver has told the host.
 */
void uiommu_core_group_block(struct uiommu_group *group);
/*
 * The first DMA call for @device, or one that is not in use: UIOMMU_EACCES.
 * What was inherited is replaced, once, whoever comes first; then *@domain is
 * where the device maps. Errors of attach: all is as before. Takes the mutex.
 */
UIOMMU_MUST_CHECK
int uiommu_core_device_arrive(struct uiommu_device *device,
			      struct uiommu_domain **domain);
/* Tells the DMA API where @device maps now. */
void uiommu_core_device_publish(struct uiommu_device *device);
/* Where those are who are refused. */
struct uiommu_domain *uiommu_core_refusal(const struct uiommu_group *group);
/*
 * What another kernel gave to members that may be at work nobody tells us: if
 * there are such, @domain, the group's own, gives out addresses apart.
 */
void uiommu_core_group_apart(struct uiommu_group *group,
			     struct uiommu_domain *domain);
/* Frees a domain that is the group's own; shared ones stay. */
void uiommu_core_group_drop(struct uiommu_group *group,
			    struct uiommu_domain *domain);
/* The requester id by which people know a group. [any] */
struct uiommu_sid uiommu_core_group_sid(const struct uiommu_group *group);

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
 * log says why. UIOMMU_ENOMEM.
 */
UIOMMU_MUST_CHECK
int uiommu_core_identity_check(struct uiommu *uiommu, bool *possible);
/*
 * Makes the table and fills it, if it is not there and @plan has a device in
 * such a unit. After an error there is none.
 */
UIOMMU_MUST_CHECK
int uiommu_core_identity_make(struct uiommu *uiommu,
			      const struct uiommu_plan *plan);

/*
 * domain.c. What tables of the units of these groups look like, options
 * obeyed. UIOMMU_ENOTSUP.
 */
UIOMMU_MUST_CHECK
int uiommu_core_pt_config(struct uiommu *uiommu, const uint32_t *units,
			  uint32_t count, struct uiommu_pt_config *config);
/* Makes the identity and the blocked domain known. */
UIOMMU_MUST_CHECK
int uiommu_core_static_init(struct uiommu *uiommu);
void uiommu_core_static_fini(struct uiommu *uiommu);
/*
 * Makes a domain with tables that the units of all @groups walk.
 * UIOMMU_ENOTSUP, UIOMMU_ENOMEM.
 */
UIOMMU_MUST_CHECK
int uiommu_core_domain_make(struct uiommu_group *const *groups, uint32_t count,
			    enum uiommu_domain_type type,
			    struct uiommu_domain **domain);
/* May a broken unit still walk what it was given in this domain? [any] */
bool uiommu_core_domain_held(const struct uiommu_domain *domain);
/* Frees it; its tables stay allocated if they are held so. */
void uiommu_core_domain_free(struct uiommu_domain *domain);
/* Is it one of the instance's? Does not look into it. */
bool uiommu_core_domain_known(const struct uiommu *uiommu,
			      const struct uiommu_domain *domain);
/* The same, unless a unit broke with a device in it: then it stays. */
void uiommu_core_domain_drop(struct uiommu_domain *domain);
/* A group has left it: an unmanaged one that nobody holds any more goes. */
void uiommu_core_domain_left(struct uiommu_domain *domain);

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

/* --- region.c --- */

/* The regions of group @index of @edition. [any] */
const struct uiommu_region *
uiommu_core_regions(const struct uiommu_edition *edition, uint32_t index,
		    uint32_t *count);
/*
 * Keeps the regions of group @index, and what host bridges take, out of the
 * allocator of @domain. UIOMMU_EBUSY: an address there is given out.
 */
UIOMMU_MUST_CHECK
int uiommu_core_reserve(struct uiommu *uiommu,
			const struct uiommu_edition *edition, uint32_t index,
			struct uiommu_domain *domain);
/*
 * Maps the direct regions of group @index 1:1 into @domain where they are not
 * yet; @runs is what it mapped, for uiommu_core_runs_undo() or _free().
 * UIOMMU_ERANGE: one is out of reach; it was logged. After an error nothing
 * was mapped.
 */
UIOMMU_MUST_CHECK
int uiommu_core_map_direct(struct uiommu *uiommu,
			   const struct uiommu_edition *edition, uint32_t index,
			   struct uiommu_domain *domain,
			   struct uiommu_runs *runs);
/* What of @range is neither mapped nor forbidden; how many runs there are. */
uint32_t uiommu_core_find_runs(const struct uiommu_pt *pt,
			       const struct uiommu_region *regions,
			       uint32_t region_count, struct uiommu_range range,
			       struct uiommu_range *runs, uint32_t room);
/* All of them 1:1, or none. */
UIOMMU_MUST_CHECK
int uiommu_core_map_runs(struct uiommu_domain *domain,
			 const struct uiommu_runs *runs);
void uiommu_core_runs_undo(struct uiommu_domain *domain,
			   const struct uiommu_runs *runs);
void uiommu_core_runs_free(struct uiommu *uiommu, struct uiommu_runs *runs);

#endif /* UIOMMU_CORE_OBJECT_H */
