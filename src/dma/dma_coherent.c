// SPDX-License-Identifier: MIT
/* Memory that CPU and device share for as long as they like. */
#include "dma/dma.h"

/* What the host is asked for; 0 if there is no such power of two. */
static size_t coherent_pages(size_t size)
{
	size_t pages = (size_t)UIOMMU_PAGE_SIZE;

	while (pages && pages < size)
		pages <<= 1;
	return pages;
}

int uiommu_dma_alloc(struct uiommu_device *device, size_t size, void **cpu,
		     uiommu_iova_t *iova)
{
	struct uiommu_host *host = device->uiommu->host;
	size_t pages = coherent_pages(size);
	uiommu_paddr_t paddr;
	uiommu_iova_t address;
	void *memory;
	int err;

	if (!size)
		return UIOMMU_EINVAL;
	if (!pages)
		return UIOMMU_ENOMEM;
	memory = uiommu_host_page_alloc(host, pages, 0, &paddr);
	if (!memory)
		return UIOMMU_ENOMEM;

	err = uiommu_dma_map(device, paddr, size, UIOMMU_DMA_BIDIRECTIONAL,
			     &address);
	if (err) {
		/* A broken unit may hold what was mapped for a moment. */
		if (!uiommu_core_broken(device->uiommu))
			uiommu_host_page_free(host, memory, pages);
		return err;
	}
	*cpu = memory;
	*iova = address;
	return UIOMMU_OK;
}

int uiommu_dma_free(struct uiommu_device *device, size_t size, void *cpu,
		    uiommu_iova_t iova)
{
	int err;

	if (!cpu)
		return UIOMMU_EINVAL;
	err = uiommu_dma_unmap(device, iova, size);
	if (err)
		return err;
	uiommu_host_page_free(device->uiommu->host, cpu, coherent_pages(size));
	return UIOMMU_OK;
}
