/* SPDX-License-Identifier: MIT */
/*
 * I/O page tables: one engine (pt_engine.h), compiled once per hardware
 * format (pt_<format>.c), so that no entry costs an indirect call.
 *
 * Words: a table is one 4 KiB page of entries; level 0 tables hold only
 * leaves; an entry of a higher level is a leaf (a superpage) or points to a
 * table one level down.
 *
 * Concurrency: callers on different CPUs may map, unmap and look up disjoint
 * ranges at once, without a lock: a slot for a table is claimed by
 * compare-and-swap, leaves belong to whoever owns the range. The address
 * allocator, or the owner of an unmanaged domain, keeps ranges disjoint. A
 * superpage of which only a part is unmapped counts as a whole: no other call
 * may be inside it meanwhile.
 *
 * Nothing here talks to hardware but for cleaning caches. Whoever changes a
 * table invalidates; pages that unmap takes out of the tables are handed to
 * the caller in the gather and freed by it only after that.
 */
#ifndef UIOMMU_PT_H
#define UIOMMU_PT_H

#include <uiommu/error.h>
#include <uiommu/host.h>
#include <uiommu/plan.h>
#include <uiommu/types.h>

#include "base/atomic.h"

enum uiommu_pt_format {
	UIOMMU_PT_VTD_SS, /* VT-d second-stage paging entries */
};

/* What the units that will walk the tables can do: the weakest of them. */
struct uiommu_pt_config {
	enum uiommu_pt_format format;
	unsigned int levels; /* 3, 4 or 5: 39, 48 or 57 bits of address */
	unsigned int width;  /* usable input bits, at most 12 + 9 * levels */
	uint64_t page_sizes; /* bit n: leaves of 2^n bytes; 12, maybe 21, 30 */
	uint64_t paddr_last; /* highest physical address entries can hold */
	uint64_t leaf_bits;  /* format's extra bits for every leaf (SNP) */
	bool coherent;	     /* walkers snoop: no cleaning */
};

struct uiommu_pt {
	struct uiommu_host *host;	/* (c) */
	struct uiommu_pt_config config; /* (c) */
	uiommu_word_t *root;		/* (c) */
	uiommu_paddr_t root_paddr;	/* (c) */
	size_t table_pages;		/* (a) of 4 KiB, all; atomic add */
};

#define UIOMMU_GATHER_RANGES 4u

/*
 * What one or several unmaps want the hardware to forget. Adjacent and
 * overlapping ranges are merged; when all slots are used the nearest grow
 * together: a gather may name more than was unmapped, never less.
 */
struct uiommu_gather {
	struct uiommu_range ranges[UIOMMU_GATHER_RANGES];
	unsigned int count;
	bool tables;	  /* a table left the tree or a leaf was split: cached
		      * pointers to tables must be forgotten as well */
	void *freed;	  /* level 0 tables that left the tree, linked */
	void *freed_dirs; /* higher ones; see pt_table.h for both */
};

/* Starts an empty gather. */
void uiommu_gather_init(struct uiommu_gather *gather);
/* Adds a range by hand. */
void uiommu_gather_add(struct uiommu_gather *gather, struct uiommu_range range);
/* After the invalidation completed: gives the table pages to the host. */
void uiommu_gather_free(struct uiommu_pt *pt, struct uiommu_gather *gather);

/*
 * Makes an empty tree. UIOMMU_EINVAL if the config makes no sense,
 * UIOMMU_ENOMEM. Context: sleep. On error nothing is allocated.
 *
 * 1 GiB leaves are used only together with 2 MiB ones: part of one is unmapped
 * by way of those. pt->config says what is used.
 */
UIOMMU_MUST_CHECK
int uiommu_pt_init(struct uiommu_pt *pt, struct uiommu_host *host,
		   const struct uiommu_pt_config *config);

/*
 * Frees every table page. No unit may hold the root in an entry or a cache.
 * Context: any; no other call at the same time.
 */
void uiommu_pt_fini(struct uiommu_pt *pt);

/*
 * Maps @range (inclusive, whole 4 KiB pages) to @paddr..., with the largest
 * leaves that alignment, page_sizes and tables already there allow: where a
 * table stands, even an empty one, smaller pages go into it. To put a
 * superpage in its place would need an invalidation first, since hardware may
 * hold the pointer to the table.
 *
 * After an error no part of @range that was free before is mapped. What had
 * been entered and taken out again meanwhile stands in @gather: if it is not
 * empty the caller invalidates it, also after an error. Empty tables may stay.
 *
 * Context: any; @flags as for uiommu_host_page_alloc().
 *
 * UIOMMU_EINVAL - unaligned, empty, wrapping, @prot 0 or with unknown bits
 * UIOMMU_ERANGE - beyond the input width or paddr_last
 * UIOMMU_EEXIST - some page of @range is mapped already
 * UIOMMU_ENOMEM - no page for a table
 */
UIOMMU_MUST_CHECK
int uiommu_pt_map(struct uiommu_pt *pt, struct uiommu_range range,
		  uiommu_paddr_t paddr, unsigned int prot, unsigned int flags,
		  struct uiommu_gather *gather);

/*
 * Takes every mapping out of @range; holes are fine. A superpage that reaches
 * beyond @range is first split; only the memory for that can be missing
 * (UIOMMU_ENOMEM). Adds to @gather what to invalidate, and tables
 * that lie wholly inside @range. What was split stands in @gather as the whole
 * superpage. After an error tables and @gather are as they were.
 *
 * Context: any. UIOMMU_EINVAL, UIOMMU_ERANGE as for map.
 *
 * @unmapped: bytes that were mapped before.
 */
UIOMMU_MUST_CHECK
int uiommu_pt_unmap(struct uiommu_pt *pt, struct uiommu_range range,
		    unsigned int flags, struct uiommu_gather *gather,
		    uint64_t *unmapped);

/*
 * Looks @iova up as the hardware would, offset within the page included.
 * UIOMMU_ENOENT if nothing is mapped there. @prot may be NULL. Context: any.
 */
UIOMMU_MUST_CHECK
int uiommu_pt_lookup(const struct uiommu_pt *pt, uiommu_iova_t iova,
		     uiommu_paddr_t *paddr, unsigned int *prot);

/* What one leaf maps. */
struct uiommu_pt_leaf {
	struct uiommu_range range; /* all of the leaf, whatever was asked */
	uiommu_paddr_t paddr;	   /* of range.first */
	unsigned int prot;
};

/*
 * The leaf that maps @iova, so that a long range is looked at leaf by leaf.
 * UIOMMU_ENOENT if nothing is mapped there. Context: any.
 */
UIOMMU_MUST_CHECK
int uiommu_pt_leaf(const struct uiommu_pt *pt, uiommu_iova_t iova,
		   struct uiommu_pt_leaf *leaf);

/*
 * The first page of @range that is mapped (or, with @mapped false, that is
 * not), or UIOMMU_ENOENT. Skips absent tables whole. Context: any.
 */
UIOMMU_MUST_CHECK
int uiommu_pt_find(const struct uiommu_pt *pt, struct uiommu_range range,
		   bool mapped, uiommu_iova_t *iova);

#endif /* UIOMMU_PT_H */
