/* SPDX-License-Identifier: MIT */
/*
 * Memory out of a device's reach, where addresses are physical: a slot within
 * its reach stands in, and data is copied. All of it runs in any context.
 *
 * A record is in the table from publish to return; what is made or claimed
 * belongs to one CPU alone. Slots are disjoint and aligned to their size,
 * which is how the record of any address in one is found.
 */
#ifndef UIOMMU_DMA_BOUNCE_H
#define UIOMMU_DMA_BOUNCE_H

#include "dma/dma.h"

/* (l): the lock of struct uiommu_bounces; the rest is constant. */
struct uiommu_bounce {
	struct uiommu_bounce *next;    /* (l) in the table */
	struct uiommu_bounce *sibling; /* of whoever made or claimed it */
	struct uiommu_device *device;
	uiommu_paddr_t paddr; /* of the driver's memory */
	uiommu_paddr_t slot;
	uint8_t *cpu; /* the slot */
	size_t size;
	size_t slot_size; /* a power of two of whole pages */
	enum uiommu_dma_dir dir;
	uint32_t users; /* (l) calls that copy now; all ones: claimed */
};

struct uiommu_bounce_list {
	struct uiommu_bounce *first, *last;
};

/* The offset within a page stays: there are devices that count on it. */
static inline uiommu_iova_t
uiommu_bounce_iova(const struct uiommu_bounce *bounce)
{
	return bounce->slot + (bounce->paddr & UIOMMU_PAGE_MASK);
}

/*
 * Takes a slot for @paddr and fills it; it goes to the end of @list.
 * UIOMMU_ENOMEM, UIOMMU_ERANGE; @list is then as it was.
 */
UIOMMU_MUST_CHECK
int uiommu_bounce_make(struct uiommu_device *device, uiommu_paddr_t paddr,
		       size_t size, enum uiommu_dma_dir dir,
		       struct uiommu_bounce_list *list);
/* Takes back what was made and not published; copies nothing. */
void uiommu_bounce_undo(struct uiommu *uiommu, struct uiommu_bounce_list *list);
/* From now on the addresses of @list are known. */
void uiommu_bounce_publish(struct uiommu *uiommu,
			   struct uiommu_bounce_list *list);

/*
 * Claims the mapping at @iova and puts it at the end of @list. *@found: the
 * address is in a slot of @device. UIOMMU_ENOENT: it is, but this is no
 * mapping, or one that is in use right now.
 */
UIOMMU_MUST_CHECK
int uiommu_bounce_claim(struct uiommu_device *device, uiommu_iova_t iova,
			size_t size, struct uiommu_bounce_list *list,
			bool *found);
/* Lets go of what was claimed: it is as before. */
void uiommu_bounce_unclaim(struct uiommu *uiommu,
			   struct uiommu_bounce_list *list);
/*
 * Copies back what devices may have written, and frees all that was claimed.
 * UIOMMU_ERANGE: the host could not; all of it is still mapped.
 */
UIOMMU_MUST_CHECK
int uiommu_bounce_return(struct uiommu *uiommu,
			 struct uiommu_bounce_list *list);

/* uiommu_dma_map() where @paddr is out of reach. */
UIOMMU_MUST_CHECK
int uiommu_bounce_map(struct uiommu_device *device, uiommu_paddr_t paddr,
		      size_t size, enum uiommu_dma_dir dir,
		      uiommu_iova_t *iova);
/*
 * uiommu_dma_unmap() for a device with bounced mappings; this one may be none
 * of them. In a DMA domain, to which the group may have come since, addresses
 * are the domain's first of all.
 */
UIOMMU_MUST_CHECK
int uiommu_bounce_unmap(struct uiommu_device *device, uiommu_iova_t iova,
			size_t size);

#endif /* UIOMMU_DMA_BOUNCE_H */
