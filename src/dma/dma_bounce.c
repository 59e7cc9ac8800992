// SPDX-License-Identifier: MIT
/*
 * The table of slots. The lock covers looking up and linking; memory is taken
 * and copied without it, by whoever made or claimed the record.
 */
#include "dma/bounce.h"

#define BOUNCE_CLAIMED (~(uint32_t)0)

/* --- The table; under its lock --- */

static struct uiommu_bounce **bounce_bucket(struct uiommu_bounces *bounces,
					    uiommu_paddr_t slot)
{
	/* 2^64 by the golden ratio: neighbours land far apart. */
	uint64_t hash = (slot >> 12) * (uint64_t)0x9e3779b97f4a7c15u;

	return &bounces->buckets[(hash >> 32) % UIOMMU_BOUNCE_BUCKETS];
}

/* The slot of @device that @iova lies in, tried for each size there was. */
static struct uiommu_bounce *bounce_find(struct uiommu_bounces *bounces,
					 const struct uiommu_device *device,
					 uiommu_iova_t iova)
{
	uint64_t sizes = bounces->sizes;

	for (; sizes; sizes &= sizes - 1) {
		uint64_t size = sizes & (~sizes + 1);
		uiommu_paddr_t slot = iova & ~(size - 1);
		struct uiommu_bounce *bounce = *bounce_bucket(bounces, slot);

		for (; bounce; bounce = bounce->next)
			if (bounce->slot == slot && bounce->device == device &&
			    iova - slot < bounce->slot_size)
				return bounce;
	}
	return NULL;
}

static void bounce_unlink(struct uiommu_bounces *bounces,
			  const struct uiommu_bounce *bounce)
{
	struct uiommu_bounce **link = bounce_bucket(bounces, bounce->slot);

	while (*link != bounce)
		link = &(*link)->next;
	*link = bounce->next;
}

/* --- Records --- */

/* The host is asked for a page without the lock. */
static struct uiommu_bounce *record_alloc(struct uiommu *uiommu)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);
	struct uiommu_bounce *bounce = NULL;
	uiommu_paddr_t paddr;
	void *page;

	if (!bounces->pool.free) {
		uiommu_host_lock_release(bounces->lock, state);
		page = uiommu_host_page_alloc(uiommu->host, UIOMMU_PAGE_SIZE,
					      UIOMMU_ALLOC_ATOMIC, &paddr);
		state = uiommu_host_lock_acquire(bounces->lock);
		if (page)
			uiommu_pool_add(&bounces->pool, page);
	}
	if (bounces->pool.free)
		bounce = uiommu_pool_alloc(&bounces->pool, UIOMMU_ALLOC_ATOMIC);
	uiommu_host_lock_release(bounces->lock, state);
	return bounce;
}

static void record_free(struct uiommu *uiommu, struct uiommu_bounce *bounce)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);

	uiommu_pool_free(&bounces->pool, bounce);
	uiommu_host_lock_release(bounces->lock, state);
}

static void bounce_append(struct uiommu_bounce_list *list,
			  struct uiommu_bounce *bounce)
{
	bounce->sibling = NULL;
	if (list->last)
		list->last->sibling = bounce;
	else
		list->first = bounce;
	list->last = bounce;
}

/* Of records that are not in the table: somebody may be given the slot next. */
static void bounce_free(struct uiommu *uiommu, struct uiommu_bounce_list *list)
{
	while (list->first) {
		struct uiommu_bounce *bounce = list->first;

		list->first = bounce->sibling;
		uiommu_host_page_free(uiommu->host, bounce->cpu,
				      bounce->slot_size);
		record_free(uiommu, bounce);
	}
	list->last = NULL;
}

/* Between the driver's memory and the same bytes of the slot; no byte more. */
static int bounce_copy(struct uiommu_bounce *bounce, uint64_t at, size_t size,
		       bool to_slot)
{
	uint8_t *cpu = bounce->cpu + (bounce->paddr & UIOMMU_PAGE_MASK) + at;

	if (!uiommu_host_copy(bounce->device->uiommu->host, bounce->paddr + at,
			      cpu, size, to_slot))
		return UIOMMU_ERANGE;
	return UIOMMU_OK;
}

/* --- Map --- */

int uiommu_bounce_make(struct uiommu_device *device, uiommu_paddr_t paddr,
		       size_t size, enum uiommu_dma_dir dir,
		       struct uiommu_bounce_list *list)
{
	struct uiommu *uiommu = device->uiommu;
	size_t offset = (size_t)(paddr & UIOMMU_PAGE_MASK);
	struct uiommu_bounce *bounce;
	size_t slot_size = 0;
	int err;

	if (size <= SIZE_MAX - offset)
		slot_size = uiommu_dma_pages(offset + size);
	if (!slot_size || slot_size - 1 > device->dma_mask)
		return UIOMMU_ERANGE;
	bounce = record_alloc(uiommu);
	if (!bounce)
		return UIOMMU_ENOMEM;

	err = UIOMMU_ENOMEM;
	bounce->cpu = uiommu_host_low_page_alloc(
		uiommu->host, slot_size, device->dma_mask, UIOMMU_ALLOC_ATOMIC,
		&bounce->slot);
	if (!bounce->cpu)
		goto err_record;
	bounce->device = device;
	bounce->paddr = paddr;
	bounce->size = size;
	bounce->slot_size = slot_size;
	bounce->dir = dir;
	/* Also for what the device writes: it may not write all of it. */
	err = bounce_copy(bounce, 0, size, true);
	if (err)
		goto err_slot;
	bounce_append(list, bounce);
	return UIOMMU_OK;

err_slot:
	uiommu_host_page_free(uiommu->host, bounce->cpu, slot_size);
err_record:
	record_free(uiommu, bounce);
	return err;
}

void uiommu_bounce_undo(struct uiommu *uiommu, struct uiommu_bounce_list *list)
{
	bounce_free(uiommu, list);
}

void uiommu_bounce_publish(struct uiommu *uiommu,
			   struct uiommu_bounce_list *list)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);
	struct uiommu_bounce *bounce;

	for (bounce = list->first; bounce; bounce = bounce->sibling) {
		struct uiommu_bounce **bucket = bounce_bucket(bounces,
							      bounce->slot);

		bounce->next = *bucket;
		*bucket = bounce;
		bounces->sizes |= bounce->slot_size;
		uiommu_add(&bounce->device->bounced, 1u);
	}
	uiommu_host_lock_release(bounces->lock, state);
}

int uiommu_bounce_map(struct uiommu_device *device, uiommu_paddr_t paddr,
		      size_t size, enum uiommu_dma_dir dir, uiommu_iova_t *iova)
{
	struct uiommu_bounce_list list = { NULL, NULL };
	int err;

	err = uiommu_bounce_make(device, paddr, size, dir, &list);
	if (err)
		return err;
	*iova = uiommu_bounce_iova(list.first);
	uiommu_bounce_publish(device->uiommu, &list);
	return UIOMMU_OK;
}

/* --- Unmap --- */

int uiommu_bounce_claim(struct uiommu_device *device, uiommu_iova_t iova,
			size_t size, struct uiommu_bounce_list *list,
			bool *found)
{
	struct uiommu_bounces *bounces = &device->uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);
	struct uiommu_bounce *bounce = bounce_find(bounces, device, iova);
	int err = UIOMMU_ENOENT;

	*found = bounce;
	if (bounce && uiommu_bounce_iova(bounce) == iova &&
	    bounce->size == size && !bounce->users) {
		bounce->users = BOUNCE_CLAIMED;
		bounce_append(list, bounce);
		err = UIOMMU_OK;
	}
	uiommu_host_lock_release(bounces->lock, state);
	return err;
}

void uiommu_bounce_unclaim(struct uiommu *uiommu,
			   struct uiommu_bounce_list *list)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);
	struct uiommu_bounce *bounce;

	for (bounce = list->first; bounce; bounce = bounce->sibling)
		bounce->users = 0;
	uiommu_host_lock_release(bounces->lock, state);
}

int uiommu_bounce_return(struct uiommu *uiommu, struct uiommu_bounce_list *list)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;
	struct uiommu_bounce *bounce;
	unsigned long state;

	for (bounce = list->first; bounce; bounce = bounce->sibling) {
		if (!(bounce->dir & UIOMMU_DMA_FROM_DEVICE))
			continue;
		if (bounce_copy(bounce, 0, bounce->size, false)) {
			uiommu_bounce_unclaim(uiommu, list);
			return UIOMMU_ERANGE;
		}
	}

	state = uiommu_host_lock_acquire(bounces->lock);
	for (bounce = list->first; bounce; bounce = bounce->sibling) {
		bounce_unlink(bounces, bounce);
		uiommu_add(&bounce->device->bounced, ~(uint32_t)0);
	}
	uiommu_host_lock_release(bounces->lock, state);
	bounce_free(uiommu, list);
	return UIOMMU_OK;
}

/* *@found: it is for the table of slots, and the error is what counts. */
static int bounce_unmap_slot(struct uiommu_device *device, uiommu_iova_t iova,
			     size_t size, bool *found)
{
	struct uiommu_bounce_list list = { NULL, NULL };
	int err;

	err = uiommu_bounce_claim(device, iova, size, &list, found);
	if (err)
		return err;
	return uiommu_bounce_return(device->uiommu, &list);
}

int uiommu_bounce_unmap(struct uiommu_device *device, uiommu_iova_t iova,
			size_t size)
{
	struct uiommu_domain *domain = uiommu_load(&device->dma);
	bool found;
	int err;

	if (uiommu_dma_is_direct(domain)) {
		err = bounce_unmap_slot(device, iova, size, &found);
		if (found)
			return err;
	}
	return uiommu_dma_unmap_pages(device, iova & ~UIOMMU_PAGE_MASK,
				      uiommu_dma_span(iova, iova + (size - 1)));
}

/* --- Sync --- */

/* The mapping that holds the whole range, kept from being unmapped; or NULL. */
static int bounce_get(struct uiommu_device *device, uiommu_iova_t iova,
		      size_t size, struct uiommu_bounce **got)
{
	struct uiommu_bounces *bounces = &device->uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);
	struct uiommu_bounce *bounce = bounce_find(bounces, device, iova);
	int err = UIOMMU_OK;

	*got = NULL;
	if (bounce) {
		/* Huge if it begins before the mapping does. */
		uint64_t at = iova - uiommu_bounce_iova(bounce);

		err = UIOMMU_ENOENT;
		if (at < bounce->size && size <= bounce->size - at &&
		    bounce->users < BOUNCE_CLAIMED - 1) {
			bounce->users++;
			*got = bounce;
			err = UIOMMU_OK;
		}
	}
	uiommu_host_lock_release(bounces->lock, state);
	return err;
}

static void bounce_put(struct uiommu_bounce *bounce)
{
	struct uiommu_bounces *bounces = &bounce->device->uiommu->bounces;
	unsigned long state = uiommu_host_lock_acquire(bounces->lock);

	bounce->users--;
	uiommu_host_lock_release(bounces->lock, state);
}

static int bounce_sync(struct uiommu_device *device, uiommu_iova_t iova,
		       size_t size, bool to_slot)
{
	struct uiommu_bounce *bounce;
	int err;

	if (!uiommu_dma_range_ok(iova, size))
		return UIOMMU_EINVAL;
	if (!uiommu_load(&device->bounced) ||
	    uiommu_dma_is_mapped(uiommu_load(&device->dma)))
		return UIOMMU_OK;
	err = bounce_get(device, iova, size, &bounce);
	if (err || !bounce)
		return err;
	/*
	 * To the slot in every direction, as in map: what the CPU wrote where
	 * the device does not is to come back.
	 */
	if (to_slot || (bounce->dir & UIOMMU_DMA_FROM_DEVICE))
		err = bounce_copy(bounce, iova - uiommu_bounce_iova(bounce),
				  size, to_slot);
	bounce_put(bounce);
	return err;
}

int uiommu_dma_sync_for_cpu(struct uiommu_device *device, uiommu_iova_t iova,
			    size_t size)
{
	return bounce_sync(device, iova, size, false);
}

int uiommu_dma_sync_for_device(struct uiommu_device *device, uiommu_iova_t iova,
			       size_t size)
{
	return bounce_sync(device, iova, size, true);
}

/* --- Up and down --- */

int uiommu_bounces_init(struct uiommu *uiommu)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;

	uiommu_pool_init(&bounces->pool, uiommu->host,
			 sizeof(struct uiommu_bounce));
	bounces->lock = uiommu_host_lock_create(uiommu->host, UIOMMU_LOCK_SPIN);
	return bounces->lock ? UIOMMU_OK : UIOMMU_ENOMEM;
}

void uiommu_bounces_drop(struct uiommu *uiommu)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;
	struct uiommu_bounce_list list = { NULL, NULL };
	uint32_t i;

	for (i = 0; i < UIOMMU_BOUNCE_BUCKETS; i++) {
		for (; bounces->buckets[i];
		     bounces->buckets[i] = bounces->buckets[i]->next)
			bounce_append(&list, bounces->buckets[i]);
	}
	bounce_free(uiommu, &list);
}

void uiommu_bounces_fini(struct uiommu *uiommu)
{
	struct uiommu_bounces *bounces = &uiommu->bounces;

	if (!bounces->lock)
		return;
	uiommu_pool_fini(&bounces->pool);
	uiommu_host_lock_destroy(uiommu->host, bounces->lock);
}
