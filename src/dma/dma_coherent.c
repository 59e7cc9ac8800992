// SPDX-License-Identifier: MIT
/* Memory that CPU and device share for as long as they like. */
#include "dma/dma.h"

/* Where addresses are physical: memory that the device reaches as it is. */
static int coherent_direct(struct uiommu_device *device, size_t pages,
			   void **cpu, uiommu_iova_t *iova)
{
	struct uiommu_host *host = device->uiommu->host;
	uint64_t mask = device->dma_mask;
	uiommu_paddr_t paddr;
	void *memory = NULL;

	if (mask == ~(uint64_t)0)
		memory = uiommu_host_page_alloc(host, pages, 0, &paddr);
	else if (pages - 1 <= mask)
		memory = uiommu_host_low_page_alloc(host, pages, mask, 0,
						    &paddr);
	if (!memory)
		return UIOMMU_ENOMEM;
	*cpu = memory;
	*iova = paddr;
	return UIOMMU_OK;
}

static int coherent_mapped(struct uiommu_device *device, size_t size,
			   size_t pages, void **cpu, uiommu_iova_t *iova)
{
	const struct uiommu_domain *domain = uiommu_load(&device->dma);
	struct uiommu_host *host = device->uiommu->host;
	uiommu_paddr_t paddr;
	uiommu_iova_t address;
	void *memory;
	int err;

	memory = uiommu_host_page_alloc(host, pages, 0, &paddr);
	if (!memory)
		return UIOMMU_ENOMEM;

	err = uiommu_dma_map(device, paddr, size, UIOMMU_DMA_BIDIRECTIONAL,
			     &address);
	if (err) {
		/* A broken unit may hold what was mapped for a moment. */
		if (!uiommu_dma_is_mapped(domain) ||
		    !uiommu_core_domain_held(domain))
			uiommu_host_page_free(host, memory, pages);
		return err;
	}
	*cpu = memory;
	*iova = address;
	return UIOMMU_OK;
}

int uiommu_dma_alloc(struct uiommu_device *device, size_t size, void **cpu,
		     uiommu_iova_t *iova)
{
	size_t pages = uiommu_dma_pages(size);
	struct uiommu_domain *domain;
	int err;

	if (!size)
		return UIOMMU_EINVAL;
	if (!pages)
		return UIOMMU_ENOMEM;
	err = uiommu_dma_enter(device, &domain);
	if (err)
		return err;
	if (uiommu_dma_is_direct(domain))
		return coherent_direct(device, pages, cpu, iova);
	return coherent_mapped(device, size, pages, cpu, iova);
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
	uiommu_host_page_free(device->uiommu->host, cpu,
			      uiommu_dma_pages(size));
	return UIOMMU_OK;
}
