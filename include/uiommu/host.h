/* SPDX-License-Identifier: MIT */
/*
 * What uIOMMU needs from the system it lives in, in the order in which a new
 * kernel can provide it.
 *
 * A port defines every function below, once; a missing one is a link error.
 * Those of tier 1 are enough to bring a first device's DMA under control. For
 * tier 2 a port may begin with host/template/host_tier2.c, which is right for
 * one CPU that never takes a lock from an interrupt, and replace it function by
 * function. Tier 3 is for devices that do not reach all memory; a port without
 * such devices answers as host/template/host_tier3.c does, for good.
 *
 * Rules that hold for all: no argument is NULL unless it says so; sizes are
 * bytes; a function is called with the struct uiommu_host pointer that the
 * port passed to uiommu_create(); none may call back into uIOMMU.
 *
 * Each says from which context the core may call it:
 *   [any]	any context that the port itself calls uIOMMU from, locks held,
 *		interrupts included; must not sleep
 *   [sleep]	may sleep; at most mutexes of uIOMMU are held, no spin lock
 */
#ifndef UIOMMU_HOST_H
#define UIOMMU_HOST_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uiommu_host;   /* defined by the port, opaque to the core */
struct uiommu_mmio;   /* one window of registers; likewise the port's */
struct uiommu_lock;   /* likewise */
struct uiommu_event;  /* <uiommu/fault.h> */
struct uiommu_device; /* <uiommu/device.h> */

/* --- Tier 1 (10 functions): to a first blocked DMA ------------------------ */

enum uiommu_log_level {
	UIOMMU_LOG_ERROR, /* something does not work now */
	UIOMMU_LOG_WARN,  /* firmware or a device did wrong; handled */
	UIOMMU_LOG_INFO,  /* said once, of use to an administrator */
	UIOMMU_LOG_DEBUG,
};

/**
 * uiommu_host_log() - print one line [any]
 * @host: port instance
 * @level: one of enum uiommu_log_level
 * @line: at most 255 bytes, NUL-terminated, no line feed
 */
void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line);

/**
 * uiommu_host_now_ns() - read a monotonic clock [any]
 * @host: port instance
 *
 * The clock may start anywhere and need not be precise, but it must advance
 * while the core polls: every wait on hardware is bounded by it.
 *
 * Return: nanoseconds.
 */
uint64_t uiommu_host_now_ns(struct uiommu_host *host);

#define UIOMMU_ALLOC_ATOMIC UIOMMU_BIT32(0) /* must not sleep */

/**
 * uiommu_host_page_alloc() - get zeroed memory that an IOMMU can walk [any]
 * @host: port instance
 * @size: a power of two, at least 4096
 * @flags: 0, or UIOMMU_ALLOC_ATOMIC where the caller may not sleep: without
 *	this flag the call comes from a context that may
 * @paddr: where to store the physical address, aligned to @size
 *
 * The memory is physically contiguous, zero, and stays where it is until
 * uiommu_host_page_free(). The returned address is aligned to 4096 at least.
 *
 * Return: the CPU's address, or NULL if there is none; @paddr is untouched then.
 */
void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr);

/**
 * uiommu_host_page_free() - give back what uiommu_host_page_alloc() gave [any]
 * @host: port instance
 * @page: the CPU's address of the memory
 * @size: the size that was asked for
 */
void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size);

/**
 * uiommu_host_mmio_map() - make a unit's registers reachable [sleep]
 * @host: port instance
 * @paddr: physical address of the first register, aligned to 4096
 * @size: bytes, a multiple of 4096
 *
 * Uncached, strongly ordered. The address comes from firmware: a port that
 * knows it to be RAM refuses.
 *
 * Return: the window, or NULL.
 */
struct uiommu_mmio *uiommu_host_mmio_map(struct uiommu_host *host,
					 uiommu_paddr_t paddr, size_t size);

/**
 * uiommu_host_mmio_read32() - read one 32-bit register [any]
 * @mmio: window
 * @offset: bytes from the window's start, aligned to 4
 *
 * All four accessors are one access of the width in their name, in program
 * order with other accesses and with earlier writes to memory.
 *
 * Return: the value; all ones if the hardware is gone.
 */
uint32_t uiommu_host_mmio_read32(struct uiommu_mmio *mmio, uint32_t offset);
/** uiommu_host_mmio_read64() - as above; @offset aligned to 8 [any] */
uint64_t uiommu_host_mmio_read64(struct uiommu_mmio *mmio, uint32_t offset);
/** uiommu_host_mmio_write32() - write one 32-bit register [any] */
void uiommu_host_mmio_write32(struct uiommu_mmio *mmio, uint32_t offset,
			      uint32_t value);
/** uiommu_host_mmio_write64() - write one 64-bit register [any] */
void uiommu_host_mmio_write64(struct uiommu_mmio *mmio, uint32_t offset,
			      uint64_t value);

/**
 * uiommu_host_pci_read32() - read a doubleword of PCI configuration [sleep]
 * @host: port instance
 * @sid: the function
 * @offset: 0..4092, aligned to 4
 *
 * A port without access beyond offset 255 returns all ones there: extended
 * capabilities (ACS, ATS) then count as absent and groups become larger.
 *
 * Return: the value; all ones where there is no such function.
 */
uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset);

/* --- Tier 2 (12 functions): locks, teardown, events ----------------------- */

/**
 * uiommu_host_cache_clean() - let a walker that does not snoop see writes [any]
 * @host: port instance
 * @addr: first byte written
 * @size: bytes, not 0
 *
 * After return every byte is in memory, not only in a CPU cache (on x86:
 * CLFLUSH of each line, then a fence). Called only for units whose page walk
 * is not coherent.
 */
void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size);

/** uiommu_host_relax() - once per turn of a polling loop (x86: PAUSE) [any] */
void uiommu_host_relax(struct uiommu_host *host);

/**
 * uiommu_host_store128() - replace 16 bytes of memory at once [any]
 * @host: port instance
 * @addr: memory of uiommu_host_page_alloc(), aligned to 16
 * @first: what the 8 bytes at @addr are to be
 * @second: what those behind them are to be
 *
 * One access that a walker sees as a whole: all old or all new (on x86-64:
 * CMPXCHG16B, if CPUID says that the CPU has it). Nobody else writes there
 * meanwhile. The answer is the same every time.
 *
 * Where it is false a device with a direct region stays in the domain that it
 * was in first, or is blocked: a change could not be made without a moment in
 * which firmware's accesses are refused.
 *
 * Return: true; or false if the CPU cannot, then nothing was done.
 */
bool uiommu_host_store128(struct uiommu_host *host, void *addr, uint64_t first,
			  uint64_t second);

/**
 * uiommu_host_mmio_unmap() - give back a window [sleep]
 * @host: port instance
 * @mmio: window of uiommu_host_mmio_map()
 * @size: its size
 */
void uiommu_host_mmio_unmap(struct uiommu_host *host, struct uiommu_mmio *mmio,
			    size_t size);

/**
 * uiommu_host_pci_write32() - write a doubleword of PCI configuration [sleep]
 * @host: port instance
 * @sid: a function that was read before
 * @offset: 0..4092, aligned to 4
 * @value: what to write
 *
 * Used to turn on access control services (ACS) in bridges. A port that leaves
 * that to others does nothing here; groups then follow what was found set.
 */
void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value);

enum uiommu_lock_kind {
	UIOMMU_LOCK_SPIN,  /* held briefly, also in interrupts; never sleeps */
	UIOMMU_LOCK_MUTEX, /* taken only where sleeping is allowed */
};

/**
 * uiommu_host_lock_create() - make a lock [sleep]
 * @host: port instance
 * @kind: one of enum uiommu_lock_kind
 *
 * Return: an unlocked lock, or NULL if there is no memory.
 */
struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind);
/** uiommu_host_lock_destroy() - free an unlocked lock [sleep] */
void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock);

/**
 * uiommu_host_lock_acquire() - take a lock [spin: any; mutex: sleep]
 * @lock: not held by this CPU; locks are not recursive
 *
 * A spin lock is taken with interrupts off on this CPU.
 *
 * Return: what uiommu_host_lock_release() needs to put interrupts back.
 */
unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock);
/** uiommu_host_lock_release() - let go, with what acquire returned */
void uiommu_host_lock_release(struct uiommu_lock *lock, unsigned long state);

/**
 * uiommu_host_notify() - a fault or the loss of a unit [any]
 * @host: port instance
 * @event: valid during the call only; see <uiommu/fault.h>
 *
 * Called without a spin lock, from uiommu_poll_faults() or from the call in
 * which a unit missed its deadline. Faults are rate-limited per requester. Every event
 * was logged before.
 */
void uiommu_host_notify(struct uiommu_host *host,
			const struct uiommu_event *event);

/**
 * uiommu_host_pause() - silence a device whose domain is about to change [sleep]
 * @host: port instance
 * @device: one that its driver uses; see uiommu_device_use()
 *
 * The driver is to stop the device's DMA and to give back every mapping. It is
 * the one exception to the rule against calling back: uiommu_dma_unmap(),
 * uiommu_dma_unmap_sg(), uiommu_dma_free() and uiommu_dma_sync_*() for this
 * device may be called from here, and nothing else. From the return on and
 * until uiommu_host_resume() it maps nothing.
 *
 * Return: true if it did; false refuses the change, and the device goes on.
 */
bool uiommu_host_pause(struct uiommu_host *host, struct uiommu_device *device);

/**
 * uiommu_host_resume() - the change is over, for better or worse [sleep]
 * @host: port instance
 * @device: one for which uiommu_host_pause() returned true
 *
 * The driver maps anew and goes on, from here if it likes: every uiommu_dma_*()
 * call for this device is allowed, and nothing else.
 */
void uiommu_host_resume(struct uiommu_host *host, struct uiommu_device *device);

/* --- Tier 3 (2 functions): devices that reach less than all of RAM -------- */

/**
 * uiommu_host_low_page_alloc() - get memory that a device can reach [any]
 * @host: port instance
 * @size: a power of two, at least 4096
 * @limit: the last byte may be here, but not beyond
 * @flags: as for uiommu_host_page_alloc()
 * @paddr: where to store the physical address, aligned to @size
 *
 * In all else as uiommu_host_page_alloc(), zeroed as well: what is not filled
 * is for a device to see. Given back by uiommu_host_page_free().
 *
 * Return: the CPU's address, or NULL if there is none; @paddr is untouched then.
 */
void *uiommu_host_low_page_alloc(struct uiommu_host *host, size_t size,
				 uiommu_paddr_t limit, unsigned int flags,
				 uiommu_paddr_t *paddr);

/**
 * uiommu_host_copy() - copy from or to physical memory [any]
 * @host: port instance
 * @paddr: physical address, any alignment; memory that a driver maps, or what
 *	tables of another kernel call memory (UIOMMU_TAKEOVER_ADOPT): then it
 *	may be any number, and it is only read from
 * @memory: within what uiommu_host_low_page_alloc() or
 *	uiommu_host_page_alloc() gave
 * @size: bytes, not 0; need not end in the page in which it begins
 * @to_memory: from @paddr to @memory; else the other way
 *
 * Not one byte beyond @size is read or written on either side. What is not
 * memory (registers of a device) is not to be read: the answer is false.
 *
 * Return: false if the host cannot reach all of it; nothing was copied then.
 */
bool uiommu_host_copy(struct uiommu_host *host, uiommu_paddr_t paddr,
		      void *memory, size_t size, bool to_memory);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_HOST_H */
