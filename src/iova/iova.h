/* SPDX-License-Identifier: MIT */
/*
 * Allocator of I/O virtual addresses of one domain.
 *
 * The interface promises no order, so that per-CPU caches can come in front
 * of the tree without a change to callers. Addresses and sizes are bytes and
 * whole 4 KiB pages.
 */
#ifndef UIOMMU_IOVA_H
#define UIOMMU_IOVA_H

#include <uiommu/error.h>
#include <uiommu/host.h>
#include <uiommu/types.h>

#include "base/pool.h"

struct uiommu_iova_node; /* one range that is given out or reserved */

/* (c) constant after init; (l) under the lock */
struct uiommu_iova_space {
	struct uiommu_host *host;      /* (c) */
	struct uiommu_lock *lock;      /* (c) spin; guards all below */
	struct uiommu_range aperture;  /* (c) what may be given out */
	struct uiommu_pool nodes;      /* (l) */
	struct uiommu_iova_node *root; /* (l) */
	size_t live;		       /* (l) ranges given out, not reserved */
};

/*
 * @aperture: whole pages, not to the very end of 64 bits; its first page
 * should not be 0 if 0 is to mean "none" to anybody. UIOMMU_EINVAL,
 * UIOMMU_ENOMEM. Context: sleep. On error nothing is allocated.
 */
UIOMMU_MUST_CHECK
int uiommu_iova_init(struct uiommu_iova_space *space, struct uiommu_host *host,
		     struct uiommu_range aperture);
/* Forgets everything; ranges still out become invalid. Context: sleep. */
void uiommu_iova_fini(struct uiommu_iova_space *space);

/*
 * Never gives out any address of @range, nor the rest of its first and last
 * page. Ranges may overlap each other and reach beyond the aperture. After an
 * error nothing is reserved. UIOMMU_EINVAL if it ends before it begins,
 * UIOMMU_EBUSY if part of it is given out, UIOMMU_ENOMEM. Context: sleep.
 */
UIOMMU_MUST_CHECK
int uiommu_iova_reserve(struct uiommu_iova_space *space,
			struct uiommu_range range);

/*
 * Gives out @size bytes, aligned to @align (a power of two, at least a page),
 * the last byte at most @limit.
 *
 * With @align a page or @size this finds a place whenever there is one. With
 * others it finds every gap of @size + @align, and every whole aligned block
 * of @align; for a tighter fit it looks at a bounded number of gaps. Whoever
 * can do with less alignment asks again with a page.
 * UIOMMU_EINVAL (size 0, unaligned), UIOMMU_ENOSPC, UIOMMU_ENOMEM.
 * Context: any; @flags as for uiommu_host_page_alloc().
 */
UIOMMU_MUST_CHECK
int uiommu_iova_alloc(struct uiommu_iova_space *space, uint64_t size,
		      uint64_t align, uint64_t limit, unsigned int flags,
		      uiommu_iova_t *iova);

/*
 * Begins to give a range back: afterwards nobody else can claim it, and it is
 * still not given out again. It must be exactly what alloc gave.
 * UIOMMU_ENOENT if not (never allocated, other size, claimed already).
 * Context: any.
 */
UIOMMU_MUST_CHECK
int uiommu_iova_claim(struct uiommu_iova_space *space, uiommu_iova_t iova,
		      uint64_t size, struct uiommu_iova_node **node);
/* Ends it: the range may be given out again. Context: any. */
void uiommu_iova_release(struct uiommu_iova_space *space,
			 struct uiommu_iova_node *node);
/* Takes a claim back: the range stays given out. Context: any. */
void uiommu_iova_unclaim(struct uiommu_iova_space *space,
			 struct uiommu_iova_node *node);

/* How many ranges are given out. Context: any. */
size_t uiommu_iova_live(struct uiommu_iova_space *space);

#endif /* UIOMMU_IOVA_H */
