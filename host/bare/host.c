// SPDX-License-Identifier: MIT
/*
 * The host contract: all that uIOMMU asks of this kernel, in the order of
 * <uiommu/host.h>. A port of your own is a file like this one. Here CPU
 * addresses are physical addresses and there is one CPU; what would be more
 * elsewhere is said at each function.
 */
#include "host.h"

/* --- Tier 1: to a first blocked DMA ---------------------------------------- */

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	static const char *const names[] = { "error: ", "warning: ", "", "" };
	uint64_t ms = time_ns() / 1000000;

	host->lines++;
	if (level <= host->loudest)
		print("[%3lu.%03lu] uiommu: %s%s\n", ms / 1000, ms % 1000,
		      names[level], line);
}

uint64_t uiommu_host_now_ns(struct uiommu_host *host)
{
	(void)host;
	return time_ns();
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page = mem_alloc(mem_order(size));

	(void)flags; /* our allocator never sleeps */
	if (!page)
		return NULL;
	host->pages += size / PAGE_SIZE;
	*paddr = virt_to_phys(page);
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	host->pages -= size / PAGE_SIZE;
	mem_free(page, mem_order(size));
}

struct uiommu_mmio *uiommu_host_mmio_map(struct uiommu_host *host,
					 uiommu_paddr_t paddr, size_t size)
{
	/* Firmware says where registers are; do not believe that it is RAM. */
	if (mem_is_ram(paddr, paddr + size - 1))
		return NULL;
	host->windows++;
	/* The window is its first register: no more state is needed here. */
	return paging_map_device(paddr, size);
}

uint32_t uiommu_host_mmio_read32(struct uiommu_mmio *mmio, uint32_t offset)
{
	return mmio_read32(mmio, offset);
}

uint64_t uiommu_host_mmio_read64(struct uiommu_mmio *mmio, uint32_t offset)
{
	return mmio_read64(mmio, offset);
}

/*
 * x86 keeps stores to memory in front of a later store to uncached registers;
 * a machine that does not needs a barrier here. The compiler is held by the
 * accessors' volatile together with the "memory" clobber.
 */
void uiommu_host_mmio_write32(struct uiommu_mmio *mmio, uint32_t offset,
			      uint32_t value)
{
	__asm__ volatile("" : : : "memory");
	mmio_write32(mmio, offset, value);
}

void uiommu_host_mmio_write64(struct uiommu_mmio *mmio, uint32_t offset,
			      uint64_t value)
{
	__asm__ volatile("" : : : "memory");
	mmio_write64(mmio, offset, value);
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	(void)host;
	if (sid.segment != 0) /* this kernel knows one segment only */
		return ~0u;
	return pci_read(sid.rid, (uint16_t)offset, 4);
}

/* --- Tier 2: locks, teardown, events ----------------------------------------- */

void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size)
{
	const char *p = (const char *)((uintptr_t)addr & ~(uintptr_t)63);
	const char *end = (const char *)addr + size;

	(void)host;
	for (; p < end; p += 64)
		__asm__ volatile("clflush (%0)" : : "r"(p) : "memory");
	__asm__ volatile("mfence" : : : "memory");
}

void uiommu_host_relax(struct uiommu_host *host)
{
	(void)host;
	cpu_relax();
}

#define CPUID_1_ECX_CX16 (1u << 13)

static bool cpu_has_cx16(struct uiommu_host *host)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	/* Under a hypervisor each question is a costly one: ask once. */
	if (host->cx16 == HOST_CX16_NOT_ASKED) {
		__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
		host->cx16 = ecx & CPUID_1_ECX_CX16 ? HOST_CX16_YES
						    : HOST_CX16_NO;
	}
	return host->cx16 == HOST_CX16_YES;
}

bool uiommu_host_store128(struct uiommu_host *host, void *addr, uint64_t first,
			  uint64_t second)
{
	uint64_t(*pair)[2] = addr;
	uint64_t old_first = (*pair)[0];
	uint64_t old_second = (*pair)[1];
	bool done = false;

	if (!cpu_has_cx16(host))
		return false;
	while (!done)
		__asm__ volatile("lock cmpxchg16b %1"
				 : "=@ccz"(done), "+m"(*pair), "+a"(old_first),
				   "+d"(old_second)
				 : "b"(first), "c"(second)
				 : "memory");
	host->stored = time_cycles(); /* the demonstration aims at it */
	return true;
}

void uiommu_host_mmio_unmap(struct uiommu_host *host, struct uiommu_mmio *mmio,
			    size_t size)
{
	/* Device memory stays mapped in this kernel; only the count goes. */
	(void)mmio;
	(void)size;
	host->windows--;
}

void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	(void)host;
	if (sid.segment == 0)
		pci_write(sid.rid, (uint16_t)offset, 4, value);
}

/*
 * With one CPU and one thread nobody else can be inside: a spin lock is no more
 * than interrupts off, and a mutex, which leaves them on (the watchdog is to
 * bark while a unit is being started), is nothing at all. With more of either
 * they are a real spin lock and a mutex that sleeps.
 */
struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind)
{
	for (unsigned int i = 0; i < HOST_LOCKS; i++) {
		struct uiommu_lock *lock = &host->locks[i];

		if (lock->used)
			continue;
		*lock = (struct uiommu_lock){ .used = true, .kind = kind };
		return lock;
	}
	return NULL;
}

void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock)
{
	(void)host;
	if (lock->held)
		kernel_panic("a held lock was destroyed");
	lock->used = false;
}

unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	if (lock->kind == UIOMMU_LOCK_SPIN)
		__asm__ volatile("cli" : : : "memory");
	if (lock->held) /* it would wait for itself */
		kernel_panic("a lock was taken twice");
	lock->held = true;
	return flags;
}

void uiommu_host_lock_release(struct uiommu_lock *lock, unsigned long state)
{
	lock->held = false;
	if (lock->kind == UIOMMU_LOCK_SPIN)
		__asm__ volatile("pushq %0; popfq"
				 :
				 : "r"(state)
				 : "memory", "cc");
}

void uiommu_host_notify(struct uiommu_host *host,
			const struct uiommu_event *event)
{
	if (event->kind == UIOMMU_EVENT_OVERFLOW) {
		host->overflows++;
		return;
	}
	/* The event lives as long as this call: keep a copy. */
	if (host->event_count < HOST_EVENTS)
		host->events[host->event_count] = *event;
	host->event_count++;
	if (event->kind != UIOMMU_EVENT_FAULT ||
	    event->sid.rid != host->suspect)
		host->strangers++;
}

bool uiommu_host_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	return host->pause && host->pause(device);
}

void uiommu_host_resume(struct uiommu_host *host, struct uiommu_device *device)
{
	if (host->resume)
		host->resume(device);
}

/* --- Tier 3: devices that reach less than all of RAM ------------------------ */

void *uiommu_host_low_page_alloc(struct uiommu_host *host, size_t size,
				 uiommu_paddr_t limit, unsigned int flags,
				 uiommu_paddr_t *paddr)
{
	void *page = mem_alloc_in(mem_order(size), PAGE_SIZE, limit);

	(void)flags;
	if (!page)
		return NULL;
	host->pages += size / PAGE_SIZE;
	*paddr = virt_to_phys(page);
	return page;
}

/* A kernel that does not map all memory at all times makes a window here. */
bool uiommu_host_copy(struct uiommu_host *host, uiommu_paddr_t paddr,
		      void *memory, size_t size, bool to_memory)
{
	(void)host;
	if (!mem_holds(paddr, paddr + size - 1))
		return false;
	if (to_memory)
		memcpy(memory, phys_to_virt(paddr), size);
	else
		memcpy(phys_to_virt(paddr), memory, size);
	return true;
}
