// SPDX-License-Identifier: MIT
#include "iova/iova.h"

#include "iova/iova_tree.h"

int uiommu_iova_init(struct uiommu_iova_space *space, struct uiommu_host *host,
		     struct uiommu_range aperture)
{
	struct uiommu_iova_space new;
	struct uiommu_iova_node *sentinel;

	if ((aperture.first & UIOMMU_PAGE_MASK) ||
	    (aperture.last & UIOMMU_PAGE_MASK) != UIOMMU_PAGE_MASK ||
	    aperture.last < aperture.first || aperture.last == ~(uint64_t)0)
		return UIOMMU_EINVAL;

	memset(&new, 0, sizeof(new));
	new.host = host;
	new.aperture = aperture;
	new.lock = uiommu_host_lock_create(host, UIOMMU_LOCK_SPIN);
	if (!new.lock)
		return UIOMMU_ENOMEM;
	uiommu_pool_init(&new.nodes, host, sizeof(struct uiommu_iova_node));
	sentinel = uiommu_pool_alloc(&new.nodes, 0);
	if (!sentinel)
		goto err_lock;
	sentinel->first = aperture.last + 1;
	sentinel->last = ~(uint64_t)0;
	sentinel->state = IOVA_RESERVED;
	uiommu_iova_tree_init(&new.root, sentinel, aperture.first);
	*space = new;
	return UIOMMU_OK;

err_lock:
	uiommu_pool_fini(&new.nodes);
	uiommu_host_lock_destroy(host, new.lock);
	return UIOMMU_ENOMEM;
}

void uiommu_iova_fini(struct uiommu_iova_space *space)
{
	uiommu_pool_fini(&space->nodes);
	uiommu_host_lock_destroy(space->host, space->lock);
	space->root = NULL;
	space->live = 0;
}

/*
 * Takes the lock, with a node at hand if one can be had by sleeping: under a
 * spin lock the pool may ask the host for a page only without.
 */
static unsigned long iova_lock(struct uiommu_iova_space *space,
			       unsigned int flags)
{
	unsigned long state = uiommu_host_lock_acquire(space->lock);
	uiommu_paddr_t paddr;
	void *page;

	if (space->nodes.free || (flags & UIOMMU_ALLOC_ATOMIC))
		return state;
	uiommu_host_lock_release(space->lock, state);
	page = uiommu_host_page_alloc(space->host, UIOMMU_PAGE_SIZE, flags,
				      &paddr);
	state = uiommu_host_lock_acquire(space->lock);
	if (page)
		uiommu_pool_add(&space->nodes, page);
	return state;
}

/* Grows the reserved node @node over @range and all reserved ones in it. */
static void iova_merge(struct uiommu_iova_space *space,
		       struct uiommu_iova_node *node, struct uiommu_range range)
{
	struct uiommu_iova_node *above = uiommu_iova_tree_next(node);

	if (node->first < range.first)
		range.first = node->first;
	if (node->last > range.last)
		range.last = node->last;
	uiommu_iova_tree_remove(&space->root, node);
	while (above->first <= range.last) {
		struct uiommu_iova_node *next = uiommu_iova_tree_next(above);

		if (above->last > range.last)
			range.last = above->last;
		uiommu_iova_tree_remove(&space->root, above);
		uiommu_pool_free(&space->nodes, above);
		above = next;
	}
	node->first = range.first;
	node->last = range.last;
	uiommu_iova_tree_insert(&space->root, above, node);
}

static int iova_reserve(struct uiommu_iova_space *space,
			struct uiommu_range range)
{
	struct uiommu_iova_node *node, *above;

	above = uiommu_iova_tree_at(space->root, range.first);
	for (node = above; node->first <= range.last;
	     node = uiommu_iova_tree_next(node))
		if (node->state != IOVA_RESERVED)
			return UIOMMU_EBUSY;
	if (above->first <= range.last) {
		iova_merge(space, above, range);
		return UIOMMU_OK;
	}
	node = uiommu_pool_alloc(&space->nodes, UIOMMU_ALLOC_ATOMIC);
	if (!node)
		return UIOMMU_ENOMEM;
	node->first = range.first;
	node->last = range.last;
	node->state = IOVA_RESERVED;
	uiommu_iova_tree_insert(&space->root, above, node);
	return UIOMMU_OK;
}

int uiommu_iova_reserve(struct uiommu_iova_space *space,
			struct uiommu_range range)
{
	unsigned long state;
	int err;

	if (range.last < range.first)
		return UIOMMU_EINVAL;
	range.first &= ~UIOMMU_PAGE_MASK;
	range.last |= UIOMMU_PAGE_MASK;
	if (range.first < space->aperture.first)
		range.first = space->aperture.first;
	if (range.last > space->aperture.last)
		range.last = space->aperture.last;
	if (range.last < range.first)
		return UIOMMU_OK; /* wholly outside */

	state = iova_lock(space, 0);
	err = iova_reserve(space, range);
	uiommu_host_lock_release(space->lock, state);
	return err;
}

int uiommu_iova_alloc(struct uiommu_iova_space *space, uint64_t size,
		      uint64_t align, uint64_t limit, unsigned int flags,
		      uiommu_iova_t *iova)
{
	struct uiommu_iova_node *node, *above;
	struct iova_request request;
	unsigned long state;
	uint64_t first = 0;
	int err = UIOMMU_OK;

	if (!size || (size & UIOMMU_PAGE_MASK) || align < UIOMMU_PAGE_SIZE ||
	    (align & (align - 1)))
		return UIOMMU_EINVAL;
	if (limit > space->aperture.last)
		limit = space->aperture.last;
	if (limit < space->aperture.first ||
	    size - 1 > limit - space->aperture.first)
		return UIOMMU_ENOSPC;
	request.size = size;
	request.align = align;
	request.limit = limit;

	state = iova_lock(space, flags);
	above = uiommu_iova_tree_search(space->root, &request, &first);
	if (!above) {
		err = UIOMMU_ENOSPC;
		goto out;
	}
	node = uiommu_pool_alloc(&space->nodes, UIOMMU_ALLOC_ATOMIC);
	if (!node) {
		err = UIOMMU_ENOMEM;
		goto out;
	}
	node->first = first;
	node->last = first + (size - 1);
	node->state = IOVA_GIVEN;
	uiommu_iova_tree_insert(&space->root, above, node);
	space->live++;
	*iova = first;
out:
	uiommu_host_lock_release(space->lock, state);
	return err;
}

int uiommu_iova_claim(struct uiommu_iova_space *space, uiommu_iova_t iova,
		      uint64_t size, struct uiommu_iova_node **node)
{
	struct uiommu_iova_node *found;
	int err = UIOMMU_ENOENT;
	unsigned long state;

	state = uiommu_host_lock_acquire(space->lock);
	found = uiommu_iova_tree_at(space->root, iova);
	if (found && found->state == IOVA_GIVEN && found->first == iova &&
	    found->last - iova == size - 1) {
		found->state = IOVA_CLAIMED;
		*node = found;
		err = UIOMMU_OK;
	}
	uiommu_host_lock_release(space->lock, state);
	return err;
}

void uiommu_iova_release(struct uiommu_iova_space *space,
			 struct uiommu_iova_node *node)
{
	unsigned long state = uiommu_host_lock_acquire(space->lock);

	uiommu_iova_tree_remove(&space->root, node);
	uiommu_pool_free(&space->nodes, node);
	space->live--;
	uiommu_host_lock_release(space->lock, state);
}

void uiommu_iova_unclaim(struct uiommu_iova_space *space,
			 struct uiommu_iova_node *node)
{
	unsigned long state = uiommu_host_lock_acquire(space->lock);

	node->state = IOVA_GIVEN;
	uiommu_host_lock_release(space->lock, state);
}

size_t uiommu_iova_live(struct uiommu_iova_space *space)
{
	unsigned long state = uiommu_host_lock_acquire(space->lock);
	size_t live = space->live;

	uiommu_host_lock_release(space->lock, state);
	return live;
}
