// SPDX-License-Identifier: MIT
/*
 * The host functions for a process that only plans: memory, and configuration
 * space as it was captured. Nothing is written and no hardware is reached, so
 * what the plan cannot call is not there.
 */
#include <stdlib.h>
#include <string.h>

#include <uiommu/host.h>

#include "machine.h"

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page = aligned_alloc(4096, size);

	(void)host;
	(void)flags;
	if (!page)
		return NULL;
	memset(page, 0, size);
	*paddr = 0; /* no hardware will ever walk it */
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	(void)host;
	(void)size;
	free(page);
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	const struct machine_function *function = machine_find(host->machine,
							       sid);
	const uint8_t *byte;

	if (!function || offset + 4 > function->size)
		return 0xffffffff;
	/* A virtual function does not tell who it is; Linux asks the other. */
	if (offset == 0 && function->vendor)
		return function->vendor | (uint32_t)function->device << 16;
	byte = function->config + offset;
	return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 |
	       (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	(void)host;
	(void)sid;
	(void)offset;
	(void)value;
}

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	(void)line;
}
