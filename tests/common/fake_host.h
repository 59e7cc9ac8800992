/* SPDX-License-Identifier: MIT */
/*
 * A host that is nothing but memory and locks, for the parts of the library
 * that need no hardware. Physical addresses are made up and differ from the
 * CPU's. With a shadow it also keeps what a walker that does not snoop sees:
 * memory as it was when it was last cleaned, and rubbish where it never was.
 *
 * What a port must never see (a page freed twice, a lock taken twice, an
 * allocation that may sleep under a spin lock) ends the process with a line.
 */
#ifndef UIOMMU_TESTS_FAKE_HOST_H
#define UIOMMU_TESTS_FAKE_HOST_H

#include <pthread.h>

#include <uiommu/host.h>

#define FAKE_PAGES ((size_t)32768) /* 128 MiB, touched as they are used */
#define FAKE_ORDERS 5u		   /* allocations of 1 to 16 pages */

struct uiommu_host {
	pthread_mutex_t mutex;
	unsigned char *memory;
	unsigned char *shadow; /* NULL: walkers snoop */
	unsigned char *sizes;  /* of the allocation that begins here, pages */
	void *free[FAKE_ORDERS];
	size_t fresh;	 /* pages never handed out begin here */
	size_t live;	 /* pages that are out */
	size_t allocs;	 /* calls, failed ones included */
	size_t cleans;	 /* calls of cache_clean */
	size_t cleaned;	 /* bytes of them */
	size_t locks;	 /* that exist */
	long fail_after; /* so many allocations succeed, then none; < 0: all */
	bool fail_lock;
	void (*on_alloc)(void *arg); /* once, in the next allocation */
	void *on_alloc_arg;
};

void fake_host_init(struct uiommu_host *host, bool shadow);
/* Ends the process if anything is still out. */
void fake_host_fini(struct uiommu_host *host);

/*
 * A word of memory as hardware sees it. Ends the process if @paddr is in no
 * page that is out: it was freed too early, or never anybody's.
 */
uint64_t fake_host_read(struct uiommu_host *host, uiommu_paddr_t paddr);

#endif /* UIOMMU_TESTS_FAKE_HOST_H */
