/* SPDX-License-Identifier: MIT */
/*
 * Physical memory for tests: pages with made-up physical addresses, seen by
 * the CPU through ordinary pointers and by a walker through a view of its own
 * that can lag behind. Freed addresses are never handed out again, so every
 * access to one is somebody's stale pointer.
 *
 * All functions may be called from any thread.
 */
#ifndef VTDM_MEM_H
#define VTDM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vtdm_mem;
struct vtdm_mem_ops;

/* Ready for struct vtdm_config.mem; its context is the struct vtdm_mem. */
extern const struct vtdm_mem_ops vtdm_mem_ops;

#define VTDM_MEM_LOW 0x1u  /* below 4 GiB */
#define VTDM_MEM_HIGH 0x2u /* at or above 4 GiB */

/* What the walker's view holds before anything was written to it. */
#define VTDM_MEM_POISON 0xdb

/**
 * struct vtdm_mem_config - kind of memory
 * @noncoherent: the walker sees a line only after vtdm_mem_clean() of it
 * @buffered: the walker sees nothing before the write buffer was flushed
 * @haw: width of physical addresses, 33..52; 0 means 39
 * @seed: of the address pattern
 */
struct vtdm_mem_config {
	bool noncoherent;
	bool buffered;
	unsigned int haw;
	uint64_t seed;
};

/** vtdm_mem_create() - an empty memory; NULL if there is none for it */
struct vtdm_mem *vtdm_mem_create(const struct vtdm_mem_config *config);
/** vtdm_mem_destroy() - free it and all blocks in it; NULL is allowed */
void vtdm_mem_destroy(struct vtdm_mem *mem);

/**
 * vtdm_mem_alloc() - allocate zeroed pages
 * @mem: memory
 * @size: bytes, rounded up to a power of two of at least 4096
 * @flags: VTDM_MEM_LOW, VTDM_MEM_HIGH, or 0 for either
 * @paddr: physical address, aligned to the rounded size
 *
 * Zero in the CPU's view; poison in a walker's view that lags.
 *
 * Return: the CPU's pointer, page-aligned, or NULL; @paddr is untouched then.
 */
void *vtdm_mem_alloc(struct vtdm_mem *mem, size_t size, unsigned int flags,
		     uint64_t *paddr);
/** vtdm_mem_alloc_at() - likewise at @paddr; NULL if any page of it is taken */
void *vtdm_mem_alloc_at(struct vtdm_mem *mem, uint64_t paddr, size_t size);

/**
 * vtdm_mem_free() - give back what vtdm_mem_alloc() gave
 * @mem: memory
 * @ptr: the CPU's pointer; NULL is allowed
 * @size: as asked for, or 0 if unknown
 *
 * A wrong pointer or size is a violation.
 */
void vtdm_mem_free(struct vtdm_mem *mem, void *ptr, size_t size);

/**
 * vtdm_mem_clean() - write lines back, so that a walker sees them
 * @mem: memory
 * @ptr: first byte, in a live block
 * @size: bytes; every 64-byte line touched is cleaned whole
 */
void vtdm_mem_clean(struct vtdm_mem *mem, const void *ptr, size_t size);
/**
 * vtdm_mem_store128() - the CPU's store of 16 bytes at once
 * @ptr: aligned to 16
 * @first: of the 8 bytes there
 * @second: of those behind them
 *
 * Return: true; false if this CPU cannot, then nothing was done.
 */
bool vtdm_mem_store128(void *ptr, uint64_t first, uint64_t second);
/** vtdm_mem_flush() - drain the write buffer */
void vtdm_mem_flush(struct vtdm_mem *mem);

/** vtdm_mem_paddr() - physical address of @ptr; false if in no live block */
bool vtdm_mem_paddr(struct vtdm_mem *mem, const void *ptr, uint64_t *paddr);
/** vtdm_mem_ptr() - the CPU's pointer to @paddr; NULL if not live */
void *vtdm_mem_ptr(struct vtdm_mem *mem, uint64_t paddr);
/** vtdm_mem_walk_read() - what a walker sees; 0, or -1 for no memory */
int vtdm_mem_walk_read(struct vtdm_mem *mem, uint64_t paddr, void *buf,
		       size_t size);

/** vtdm_mem_live() - pages allocated and not freed */
size_t vtdm_mem_live(struct vtdm_mem *mem);
/** vtdm_mem_allocs() - allocations tried so far */
uint64_t vtdm_mem_allocs(struct vtdm_mem *mem);
/** vtdm_mem_fail_at() - the @nth allocation from now fails; 0 none */
void vtdm_mem_fail_at(struct vtdm_mem *mem, uint64_t nth);
/** vtdm_mem_fail_from() - the @nth from now and all after it; 0 none */
void vtdm_mem_fail_from(struct vtdm_mem *mem, uint64_t nth);

/**
 * vtdm_mem_violations() - walks and DMA into freed pages, wrong frees
 *
 * Return: the number, also beyond those whose text was kept.
 */
size_t vtdm_mem_violations(struct vtdm_mem *mem);
/** vtdm_mem_violation() - text of number @index from 0; NULL if not kept */
const char *vtdm_mem_violation(struct vtdm_mem *mem, size_t index);
/** vtdm_mem_violations_clear() - forget them */
void vtdm_mem_violations_clear(struct vtdm_mem *mem);

#endif /* VTDM_MEM_H */
