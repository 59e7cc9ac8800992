// SPDX-License-Identifier: MIT
/*
 * The host functions that a plan calls: memory, and configuration space as it
 * was captured, to which nothing is written. What only the live core calls is
 * in demo_host.c, and what it calls besides goes there by host->live.
 */
#include <stdlib.h>
#include <string.h>

#include <uiommu/host.h>

#include "machine.h"

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page;

	(void)flags;
	if (host->live)
		return host->page_alloc(host->live, size, paddr);
	page = aligned_alloc(4096, size);
	if (!page)
		return NULL;
	memset(page, 0, size);
	*paddr = 0; /* no hardware will ever walk it */
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	if (host->live)
		host->page_free(host->live, page, size);
	else
		free(page);
}

#define HOST_NO_ID 0x00000001u /* no vendor has this number */

/* The header of a function that is off: an endpoint without capabilities. */
static uint32_t host_silent_read32(const struct machine_function *function,
				   uint32_t offset)
{
	uint32_t id = function->vendor | (uint32_t)function->device << 16;

	if (offset == 0) /* 0xffff0001: "not ready yet" */
		return function->vendor == 0 || function->vendor == 0xffff ||
				       id == 0xffff0001
			       ? HOST_NO_ID
			       : id;
	if (offset == 8)
		return function->class_code << 8;
	if (offset == 0xc)
		return function->several ? UIOMMU_BIT32(23) : 0;
	return 0;
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	const struct machine_function *function = machine_find(host->machine,
							       sid);
	const uint8_t *byte;

	if (!function || offset + 4 > function->size)
		return 0xffffffff;
	if (function->silent && offset < 64)
		return host_silent_read32(function, offset);
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
	const struct machine_function *function = machine_find(host->machine,
							       sid);

	if (!host->live || !function || offset + 4 > function->size)
		return;
	for (unsigned int i = 0; i < 4; i++)
		function->config[offset + i] = (uint8_t)(value >> 8 * i);
}

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	if (host->live && level != UIOMMU_LOG_DEBUG)
		host->log(host->live, line);
}
