// SPDX-License-Identifier: MIT
/*
 * Tier 1 of <uiommu/host.h>: ten functions to a first blocked DMA.
 *
 * Copy this folder, then fill in the functions in the order in which they
 * stand. As they are they build and fail politely: uiommu_conformance() and
 * uiommu_create() say what is missing. docs/porting.md has the steps and what
 * to see after each; host/bare/host.c is a finished one.
 */
#include "host.h"

/* Step 1: your kernel's console. */
void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	(void)line;
}

/* Step 2: any clock that never goes back: TSC, HPET, a timer's count. */
uint64_t uiommu_host_now_ns(struct uiommu_host *host)
{
	(void)host;
	return 0;
}

/*
 * Step 3: your page allocator: contiguous, zeroed, a power of two
 * of bytes, aligned to it in physical memory.
 */
void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	(void)host;
	(void)size;
	(void)flags;
	(void)paddr;
	return NULL;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	(void)host;
	(void)page;
	(void)size;
}

/* Step 4: map device memory, uncached. */
struct uiommu_mmio *uiommu_host_mmio_map(struct uiommu_host *host,
					 uiommu_paddr_t paddr, size_t size)
{
	(void)host;
	(void)paddr;
	(void)size;
	return NULL;
}

/*
 * These four are right as they stand where uiommu_host_mmio_map() returns the
 * CPU's address of the registers and the compiler's volatile is an access of
 * that width.
 */
uint32_t uiommu_host_mmio_read32(struct uiommu_mmio *mmio, uint32_t offset)
{
	return *(volatile uint32_t *)((char *)mmio + offset);
}

uint64_t uiommu_host_mmio_read64(struct uiommu_mmio *mmio, uint32_t offset)
{
	return *(volatile uint64_t *)((char *)mmio + offset);
}

void uiommu_host_mmio_write32(struct uiommu_mmio *mmio, uint32_t offset,
			      uint32_t value)
{
	*(volatile uint32_t *)((char *)mmio + offset) = value;
}

void uiommu_host_mmio_write64(struct uiommu_mmio *mmio, uint32_t offset,
			      uint64_t value)
{
	*(volatile uint64_t *)((char *)mmio + offset) = value;
}

/* Step 5: PCI configuration space, through ECAM if there is an MCFG table. */
uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	(void)host;
	(void)sid;
	(void)offset;
	return ~(uint32_t)0;
}
