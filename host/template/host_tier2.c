// SPDX-License-Identifier: MIT
/*
 * Stand-ins for tier 2 of <uiommu/host.h>: right for one CPU that calls
 * uIOMMU from one thread and never from an interrupt. Replace them one by one
 * as the kernel grows; docs/porting.md says when each is due.
 */
#include <uiommu/fault.h>
#include <uiommu/host.h>

void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size)
{
	const char *line = (const char *)((uintptr_t)addr & ~(uintptr_t)63);
	const char *end = (const char *)addr + size;

	(void)host;
	/* 64 bytes is the line of every x86-64 CPU with VT-d. */
	for (; line < end; line += 64)
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
	__asm__ volatile("mfence" : : : "memory");
}

void uiommu_host_relax(struct uiommu_host *host)
{
	(void)host;
	__asm__ volatile("pause");
}

bool uiommu_host_store128(struct uiommu_host *host, void *addr, uint64_t first,
			  uint64_t second)
{
	/*
	 * Right for every CPU: devices with a direct region then stay in their
	 * first domain. Better where CPUID leaf 1 has bit 13 of ECX: LOCK
	 * CMPXCHG16B in a loop until it succeeds; host/bare/host.c has it.
	 */
	(void)host;
	(void)addr;
	(void)first;
	(void)second;
	return false;
}

void uiommu_host_mmio_unmap(struct uiommu_host *host, struct uiommu_mmio *mmio,
			    size_t size)
{
	/* A window that stays mapped costs address space and nothing else. */
	(void)host;
	(void)mmio;
	(void)size;
}

void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	/* Access control services stay as found; groups may be larger. */
	(void)host;
	(void)sid;
	(void)offset;
	(void)value;
}

struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind)
{
	/* Never dereferenced: any two addresses that differ will do. */
	return (struct uiommu_lock *)((char *)host + 1 + kind);
}

void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock)
{
	(void)host;
	(void)lock;
}

unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock)
{
	(void)lock;
	return 0;
}

void uiommu_host_lock_release(struct uiommu_lock *lock, unsigned long state)
{
	(void)lock;
	(void)state;
}

void uiommu_host_notify(struct uiommu_host *host,
			const struct uiommu_event *event)
{
	/* Every event was logged; act on it here when there is a way to. */
	(void)host;
	(void)event;
}

bool uiommu_host_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	/* Right as long as no driver can be stopped: domains then stay. */
	(void)host;
	(void)device;
	return false;
}

void uiommu_host_resume(struct uiommu_host *host, struct uiommu_device *device)
{
	(void)host;
	(void)device;
}
