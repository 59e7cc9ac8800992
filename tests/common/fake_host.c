// SPDX-License-Identifier: MIT
/* mmap() flags and clock_gettime() beside plain C11 */
#define _DEFAULT_SOURCE
#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE ((size_t)4096)
#define PADDR_BASE ((uiommu_paddr_t)0x5000000000)
#define RUBBISH 0xff

struct uiommu_lock {
	pthread_mutex_t mutex;
	struct uiommu_host *host;
	enum uiommu_lock_kind kind;
};

static _Thread_local unsigned int spin_locks_held;

static void complain(const char *what)
{
	fprintf(stderr, "fake host: %s\n", what);
	abort();
}

static void *map_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		complain("no memory");
	return at;
}

void fake_host_init(struct uiommu_host *host, bool shadow)
{
	memset(host, 0, sizeof(*host));
	pthread_mutex_init(&host->mutex, NULL);
	host->memory = map_memory(FAKE_PAGES * PAGE);
	host->sizes = map_memory(FAKE_PAGES);
	if (shadow)
		host->shadow = map_memory(FAKE_PAGES * PAGE);
	host->fail_after = -1;
}

void fake_host_fini(struct uiommu_host *host)
{
	if (host->live)
		complain("pages leaked");
	if (host->locks)
		complain("locks leaked");
	munmap(host->memory, FAKE_PAGES * PAGE);
	munmap(host->sizes, FAKE_PAGES);
	if (host->shadow)
		munmap(host->shadow, FAKE_PAGES * PAGE);
	pthread_mutex_destroy(&host->mutex);
}

static unsigned int order_of(size_t size)
{
	unsigned int order;

	for (order = 0; order < FAKE_ORDERS; order++)
		if (size == PAGE << order)
			return order;
	complain("size of a page allocation");
	return 0;
}

static unsigned char *take_page(struct uiommu_host *host, size_t size)
{
	unsigned int order = order_of(size);
	size_t pages = (size_t)1 << order;
	unsigned char *page = host->free[order];
	size_t at;

	if (page) {
		memcpy(&host->free[order], page, sizeof(void *));
	} else {
		at = (host->fresh + pages - 1) & ~(pages - 1);
		if (at + pages > FAKE_PAGES)
			return NULL;
		host->fresh = at + pages;
		page = host->memory + at * PAGE;
	}
	host->sizes[(size_t)(page - host->memory) / PAGE] = (unsigned char)
		pages;
	host->live += pages;
	return page;
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	unsigned char *page = NULL;

	if (spin_locks_held && !(flags & UIOMMU_ALLOC_ATOMIC))
		complain("allocation that may sleep, under a spin lock");
	pthread_mutex_lock(&host->mutex);
	host->allocs++;
	if (host->fail_after)
		page = take_page(host, size);
	if (host->fail_after > 0)
		host->fail_after--;
	pthread_mutex_unlock(&host->mutex);
	if (!page)
		return NULL;
	if (host->on_alloc) {
		void (*hook)(void *arg) = host->on_alloc;

		host->on_alloc = NULL;
		hook(host->on_alloc_arg);
	}
	memset(page, 0, size);
	if (host->shadow)
		memset(host->shadow + (page - host->memory), RUBBISH, size);
	*paddr = PADDR_BASE + (uiommu_paddr_t)(page - host->memory);
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	unsigned int order = order_of(size);
	size_t at = (size_t)((unsigned char *)page - host->memory) / PAGE;

	pthread_mutex_lock(&host->mutex);
	if (at >= FAKE_PAGES || host->sizes[at] != 1u << order)
		complain("free of what is not out");
	host->sizes[at] = 0;
	host->live -= (size_t)1 << order;
	memset(page, RUBBISH, size);
	memcpy(page, &host->free[order], sizeof(void *));
	host->free[order] = page;
	pthread_mutex_unlock(&host->mutex);
}

void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size)
{
	size_t at = (size_t)((const unsigned char *)addr - host->memory);
	const uint64_t *from = addr;
	uint64_t *to;

	if (!host->shadow)
		complain("cache cleaned for walkers that snoop");
	if (!size || (at | size) % sizeof(*to) || at + size > FAKE_PAGES * PAGE)
		complain("range to clean");
	to = (uint64_t *)(void *)(host->shadow + at);
	for (size_t n = 0; n < size / sizeof(*to); n++)
		__atomic_store_n(&to[n],
				 __atomic_load_n(&from[n], __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	__atomic_add_fetch(&host->cleans, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&host->cleaned, size, __ATOMIC_RELAXED);
}

uint64_t fake_host_read(struct uiommu_host *host, uiommu_paddr_t paddr)
{
	size_t at = (size_t)(paddr - PADDR_BASE), head = at / PAGE;
	unsigned char *memory = host->shadow ? host->shadow : host->memory;

	if (paddr % 8 || at >= FAKE_PAGES * PAGE)
		complain("hardware reads outside of memory");
	pthread_mutex_lock(&host->mutex);
	while (head && !host->sizes[head])
		head--;
	if (head + host->sizes[head] <= at / PAGE)
		complain("hardware reads a page that was freed");
	pthread_mutex_unlock(&host->mutex);
	return __atomic_load_n((uint64_t *)(void *)(memory + at),
			       __ATOMIC_RELAXED);
}

struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind)
{
	struct uiommu_lock *lock;

	if (host->fail_lock)
		return NULL;
	lock = calloc(1, sizeof(*lock));
	pthread_mutex_init(&lock->mutex, NULL);
	lock->host = host;
	lock->kind = kind;
	host->locks++;
	return lock;
}

void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock)
{
	if (pthread_mutex_destroy(&lock->mutex))
		complain("lock destroyed while it is held");
	host->locks--;
	free(lock);
}

unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	if (lock->kind == UIOMMU_LOCK_SPIN)
		spin_locks_held++;
	return 4711;
}

void uiommu_host_lock_release(struct uiommu_lock *lock, unsigned long state)
{
	if (state != 4711)
		complain("lock released without what acquire returned");
	if (lock->kind == UIOMMU_LOCK_SPIN)
		spin_locks_held--;
	pthread_mutex_unlock(&lock->mutex);
}

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	fprintf(stderr, "%s\n", line);
}

uint64_t uiommu_host_now_ns(struct uiommu_host *host)
{
	struct timespec now;

	(void)host;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
