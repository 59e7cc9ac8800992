// SPDX-License-Identifier: MIT
/*
 * The host functions that only the live core calls, for uiommu demo: registers
 * are the model's, time passes when somebody looks at it. One thread. No device
 * of the demo has a mask: for tier 3 the template's stand-ins do.
 */
#include <stdlib.h>

#include <uiommu/fault.h>
#include <uiommu/host.h>
#include <vtdm.h>
#include <vtdm_mem.h>

#include "demo.h"

#define DEMO_CLOCK_STEP 50u   /* ns each look at the clock takes */
#define DEMO_RELAX_STEP 1000u /* ns each turn of a polling loop takes */

struct uiommu_mmio {
	struct vtdm *unit;
};

struct uiommu_lock {
	enum uiommu_lock_kind kind;
};

uint64_t uiommu_host_now_ns(struct uiommu_host *host)
{
	return host->live->now += DEMO_CLOCK_STEP;
}

void uiommu_host_relax(struct uiommu_host *host)
{
	host->live->now += DEMO_RELAX_STEP;
	for (unsigned int i = 0; i < DEMO_UNITS; i++)
		vtdm_tick(host->live->units[i], 1);
}

void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size)
{
	vtdm_mem_clean(host->live->mem, addr, size);
}

bool uiommu_host_store128(struct uiommu_host *host, void *addr, uint64_t first,
			  uint64_t second)
{
	(void)host;
	return vtdm_mem_store128(addr, first, second);
}

struct uiommu_mmio *uiommu_host_mmio_map(struct uiommu_host *host,
					 uiommu_paddr_t paddr, size_t size)
{
	struct uiommu_mmio *mmio;

	(void)size;
	for (unsigned int i = 0; i < DEMO_UNITS; i++) {
		if (demo_units[i].base != paddr)
			continue;
		mmio = calloc(1, sizeof(*mmio));
		if (!mmio)
			return NULL;
		mmio->unit = host->live->units[i];
		host->live->windows++;
		return mmio;
	}
	return NULL;
}

void uiommu_host_mmio_unmap(struct uiommu_host *host, struct uiommu_mmio *mmio,
			    size_t size)
{
	(void)size;
	host->live->windows--;
	free(mmio);
}

uint32_t uiommu_host_mmio_read32(struct uiommu_mmio *mmio, uint32_t offset)
{
	return vtdm_read32(mmio->unit, offset);
}

uint64_t uiommu_host_mmio_read64(struct uiommu_mmio *mmio, uint32_t offset)
{
	return vtdm_read64(mmio->unit, offset);
}

void uiommu_host_mmio_write32(struct uiommu_mmio *mmio, uint32_t offset,
			      uint32_t value)
{
	vtdm_write32(mmio->unit, offset, value);
}

void uiommu_host_mmio_write64(struct uiommu_mmio *mmio, uint32_t offset,
			      uint64_t value)
{
	vtdm_write64(mmio->unit, offset, value);
}

struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind)
{
	struct uiommu_lock *lock = calloc(1, sizeof(*lock));

	if (!lock)
		return NULL;
	lock->kind = kind;
	host->live->locks++;
	return lock;
}

void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock)
{
	host->live->locks--;
	free(lock);
}

unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock)
{
	(void)lock; /* there is nobody else */
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
	if (!host->live->event || event->kind != UIOMMU_EVENT_FAULT)
		return;
	*host->live->event = *event;
	host->live->told = true;
}

/* No device of the demonstration is changed while it is at work. */
bool uiommu_host_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	(void)host;
	(void)device;
	return false;
}

void uiommu_host_resume(struct uiommu_host *host, struct uiommu_device *device)
{
	(void)host;
	(void)device;
}
