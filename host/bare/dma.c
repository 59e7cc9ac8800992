// SPDX-License-Identifier: MIT
#include "dma.h"

int dma_connect(struct dma_device *d, struct uiommu *uiommu)
{
	struct uiommu_sid sid = { .segment = 0, .rid = d->bdf };
	int err;

	d->iommu = uiommu ? uiommu_device_find(uiommu, sid) : NULL;
	if (uiommu && !d->iommu)
		return UIOMMU_ENODEV;
	if (!d->iommu)
		return 0;
	err = uiommu_device_use(d->iommu);
	if (err) {
		d->iommu = NULL;
		return err;
	}
	err = uiommu_device_set_dma_mask(d->iommu, d->mask);
	if (err)
		dma_disconnect(d);
	return err;
}

void dma_disconnect(struct dma_device *d)
{
	if (d->iommu)
		uiommu_device_unuse(d->iommu);
	d->iommu = NULL;
}

int dma_map(struct dma_device *d, void *memory, size_t size,
	    enum uiommu_dma_dir dir, uint64_t *addr)
{
	uint64_t paddr = virt_to_phys(memory);

	if (d->iommu)
		return uiommu_dma_map(d->iommu, paddr, size, dir, addr);
	if (paddr + size - 1 > d->mask)
		return UIOMMU_ERANGE;
	*addr = paddr;
	return 0;
}

int dma_unmap(struct dma_device *d, uint64_t addr, size_t size)
{
	return d->iommu ? uiommu_dma_unmap(d->iommu, addr, size) : 0;
}

int dma_map_sg(struct dma_device *d, struct uiommu_sg *sg, uint32_t count,
	       enum uiommu_dma_dir dir, uint32_t *segments)
{
	if (d->iommu)
		return uiommu_dma_map_sg(d->iommu, sg, count, dir, segments);
	for (uint32_t i = 0; i < count; i++) {
		if (sg[i].paddr + sg[i].size - 1 > d->mask)
			return UIOMMU_ERANGE;
		sg[i].iova = sg[i].paddr;
		sg[i].iova_size = sg[i].size;
	}
	*segments = count;
	return 0;
}

int dma_unmap_sg(struct dma_device *d, const struct uiommu_sg *sg,
		 uint32_t count)
{
	return d->iommu ? uiommu_dma_unmap_sg(d->iommu, sg, count) : 0;
}

void *dma_alloc(struct dma_device *d, size_t size, uint64_t *addr)
{
	void *memory;

	if (d->iommu)
		return uiommu_dma_alloc(d->iommu, size, &memory, addr) ? NULL
								       : memory;
	memory = mem_alloc_in(mem_order(size), 0, d->mask);
	if (memory)
		*addr = virt_to_phys(memory);
	return memory;
}

void dma_free(struct dma_device *d, void *memory, size_t size, uint64_t addr)
{
	if (!d->iommu)
		mem_free(memory, mem_order(size));
	else if (uiommu_dma_free(d->iommu, size, memory, addr))
		print("dma: memory at %p stays allocated\n", memory);
}
