/* SPDX-License-Identifier: MIT */
/*
 * Where this kernel's drivers meet the library: a thin layer over its DMA API
 * that turns pointers into physical addresses, and that gives out physical
 * addresses as long as there is no IOMMU (the option iommu=off).
 */
#ifndef BARE_DMA_H
#define BARE_DMA_H

#include <uiommu/dma.h>

#include "bare.h"

struct dma_device {
	struct uiommu_device *iommu; /* NULL: no library behind it */
	uint16_t bdf;
	uint64_t mask; /* highest address that it can put on the bus */
};

/*
 * Connect a probed device to the instance, or to none: its driver uses it, and
 * says how far it reaches. From here on the functions below may be called for
 * it. After an error it is not connected.
 */
int dma_connect(struct dma_device *d, struct uiommu *uiommu);
/* The driver lets go, all mappings given back: others may have the device. */
void dma_disconnect(struct dma_device *d);

/* All return 0 or a negative UIOMMU_E*. Sizes are bytes. */
int dma_map(struct dma_device *d, void *memory, size_t size,
	    enum uiommu_dma_dir dir, uint64_t *addr);
int dma_unmap(struct dma_device *d, uint64_t addr, size_t size);
int dma_map_sg(struct dma_device *d, struct uiommu_sg *sg, uint32_t count,
	       enum uiommu_dma_dir dir, uint32_t *segments);
int dma_unmap_sg(struct dma_device *d, const struct uiommu_sg *sg,
		 uint32_t count);
/* Memory that CPU and device share as long as it lives; zeroed; or NULL. */
void *dma_alloc(struct dma_device *d, size_t size, uint64_t *addr);
void dma_free(struct dma_device *d, void *memory, size_t size, uint64_t addr);

#endif /* BARE_DMA_H */
