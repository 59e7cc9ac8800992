/* SPDX-License-Identifier: MIT */
/*
 * The DMA API, for drivers of devices: memory in, addresses for the device
 * out. In a DMA domain a mapping is made and, in unmap, taken away together
 * with every cached copy before the call returns. In the identity domain, and
 * for a device that no unit covers, addresses are physical. In a blocked or
 * unmanaged domain all is refused.
 *
 * Protection has a granule of 4 KiB: a buffer that shares its first or last
 * page with other data lends that data to the device, too.
 *
 * Where addresses are physical, memory beyond the device's mask is bounced: a
 * slot within reach stands in, filled by map; what the device wrote into it
 * comes back with unmap, and bytes that it left alone stay as they were. Other
 * data is in no slot, and the offset within 4096 bytes is that of the memory.
 * So a driver that maps, lets its device work and unmaps need not know. One
 * that keeps a mapping and looks at its memory in between has to say who has
 * it, with uiommu_dma_sync_for_cpu() and uiommu_dma_sync_for_device(); memory
 * that both sides use at once comes from uiommu_dma_alloc(), is never bounced,
 * and needs no sync.
 */
#ifndef UIOMMU_DMA_H
#define UIOMMU_DMA_H

#include <uiommu/device.h>
#include <uiommu/error.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum uiommu_dma_dir {
	UIOMMU_DMA_TO_DEVICE = 1,   /* the device reads */
	UIOMMU_DMA_FROM_DEVICE = 2, /* the device writes */
	UIOMMU_DMA_BIDIRECTIONAL = 3,
};

/**
 * uiommu_dma_map() - lend memory to a device
 * @device: device
 * @paddr: physical address, any alignment
 * @size: bytes, not 0
 * @dir: what the device may do with it
 * @iova: where to store the address for the device
 *
 * After success the device reaches the memory at @iova, until
 * uiommu_dma_unmap(). After an error nothing is mapped; but after UIOMMU_EIO
 * or UIOMMU_ETIMEDOUT the unit is broken and may have seen the mapping while
 * it was made: keep the memory.
 *
 * Context: any; does not sleep, except for a device on a unit that was taken over
 * from another kernel (UIOMMU_TAKEOVER_ADOPT), until a call has succeeded: the
 * first one brings it under control, and what it did before is refused. So reset
 * the device first, where it is not to be disturbed in the middle; one that has
 * an address cache of its own (ATS) which that kernel used, by a function reset.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - size 0, wrapping, or unknown @dir
 *   UIOMMU_ENOSPC - no free address that the device's mask reaches; or, where
 *     this brings it under control, no domain id left in its unit
 *   UIOMMU_ENOTSUP - this would bring it under control, but its unit does not
 *     walk its domain's tables; the log says why
 *   UIOMMU_EBUSY - likewise, but the instance is suspended
 *   UIOMMU_ERANGE - beyond what page tables hold; or it had to be bounced,
 *     and the host cannot copy it or the mask holds no slot of that size
 *   UIOMMU_ENOMEM - no memory for a table or a record, or no low pages
 *   UIOMMU_EACCES - the device is not in use: uiommu_device_use() comes first
 *   UIOMMU_EPERM - its group's default domain is blocked; or the unit broke
 *     at the device's first call, which said so
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - the unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_dma_map(struct uiommu_device *device, uiommu_paddr_t paddr,
		   size_t size, enum uiommu_dma_dir dir, uiommu_iova_t *iova);

/**
 * uiommu_dma_unmap() - take memory back from a device
 * @device: the device
 * @iova: what uiommu_dma_map() gave
 * @size: the same size
 *
 * After success the memory may be reused: the device reaches it no more, unless
 * it is in the identity domain. What was bounced has been copied back, if the
 * device was to write. While mappings are out the group's type does not change.
 * After UIOMMU_EIO or UIOMMU_ETIMEDOUT the unit is broken and the device may
 * still reach it: keep the memory.
 *
 * Context: any; does not sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_ENOENT - not mapped, or not with a size that covers the same
 *     pages (bounced: not with the very size, or a sync is at it): nothing
 *     changed
 *   UIOMMU_ERANGE - the host cannot copy back: still mapped, try again
 *   UIOMMU_EINVAL - size 0 or wrapping
 *   UIOMMU_EACCES - the device is not in use: uiommu_device_use() comes first
 *   UIOMMU_EPERM - its group's default domain is blocked
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - see above
 */
UIOMMU_MUST_CHECK
int uiommu_dma_unmap(struct uiommu_device *device, uiommu_iova_t iova,
		     size_t size);

/* One piece of a scatter-gather list; the first two are the caller's. */
struct uiommu_sg {
	uiommu_paddr_t paddr;
	size_t size;
	uiommu_iova_t iova; /* out: address for the device */
	size_t iova_size;   /* out: bytes there; may cover later pieces */
};

/**
 * uiommu_dma_map_sg() - lend scattered memory to a device
 * @device: device
 * @sg: pieces; the first @segments of them get iova and iova_size
 * @count: pieces, not 0
 * @dir: as for uiommu_dma_map()
 * @segments: where to store how many addresses to give to the device
 *
 * One range of addresses is taken for the whole list. A piece that begins
 * where the one before ended, on a page boundary, continues its segment, so
 * that @segments may be less than @count. After an error nothing is mapped.
 *
 * Where addresses are physical there is no such range, each piece is bounced
 * or not by itself, and one that is makes a segment of its own.
 *
 * Context and errors: as uiommu_dma_map().
 */
UIOMMU_MUST_CHECK
int uiommu_dma_map_sg(struct uiommu_device *device, struct uiommu_sg *sg,
		      uint32_t count, enum uiommu_dma_dir dir,
		      uint32_t *segments);

/**
 * uiommu_dma_unmap_sg() - take scattered memory back, with one invalidation
 * @device: the device
 * @sg: the list as uiommu_dma_map_sg() left it, segments included: where they
 *	begin and end is how pieces that were bounced are found
 * @count: the same count
 *
 * Context and errors: as uiommu_dma_unmap().
 */
UIOMMU_MUST_CHECK
int uiommu_dma_unmap_sg(struct uiommu_device *device,
			const struct uiommu_sg *sg, uint32_t count);

/**
 * uiommu_dma_sync_for_cpu() - let the CPU see what the device wrote
 * @device: the device
 * @iova: first byte, within a mapping that stays
 * @size: bytes, not 0, not beyond the mapping, or the segment of a list
 *
 * If the range is bounced and the device may write it, it is copied to the
 * driver's memory. The device must not be writing there. Without a bounce there
 * is nothing to do.
 *
 * Context: any; does not sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_ENOENT - the range is not within one mapping that is bounced,
 *     though it begins beside one; nothing was copied
 *   UIOMMU_EINVAL - size 0 or wrapping
 *   UIOMMU_ERANGE - the host cannot copy it
 */
UIOMMU_MUST_CHECK
int uiommu_dma_sync_for_cpu(struct uiommu_device *device, uiommu_iova_t iova,
			    size_t size);

/**
 * uiommu_dma_sync_for_device() - let the device see what the CPU wrote
 * @device: the device
 * @iova: as for uiommu_dma_sync_for_cpu()
 * @size: likewise
 *
 * If the range is bounced, it is copied from the driver's memory, whatever the
 * direction: what the CPU wrote is not to be lost where the device leaves it.
 * So sync for the CPU first if there is something to be seen.
 *
 * Context and errors: as uiommu_dma_sync_for_cpu().
 */
UIOMMU_MUST_CHECK
int uiommu_dma_sync_for_device(struct uiommu_device *device, uiommu_iova_t iova,
			       size_t size);

/**
 * uiommu_dma_alloc() - memory that CPU and device share
 * @device: device
 * @size: bytes, not 0
 * @cpu: where to store the CPU's address; zeroed, aligned to 4096
 * @iova: where to store the device's address, aligned likewise
 *
 * Where addresses are physical it is memory within the device's mask.
 *
 * Context: sleep.
 *
 * Return: as uiommu_dma_map(); UIOMMU_ENOMEM if there is none in reach.
 */
UIOMMU_MUST_CHECK
int uiommu_dma_alloc(struct uiommu_device *device, size_t size, void **cpu,
		     uiommu_iova_t *iova);

/**
 * uiommu_dma_free() - give back memory of uiommu_dma_alloc()
 * @device: the device
 * @size: the same size
 * @cpu: the CPU's address
 * @iova: the device's address
 *
 * After an error the memory stays allocated: the device may still reach it.
 *
 * Context: sleep.
 *
 * Return: as uiommu_dma_unmap().
 */
UIOMMU_MUST_CHECK
int uiommu_dma_free(struct uiommu_device *device, size_t size, void *cpu,
		    uiommu_iova_t iova);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_DMA_H */
