// SPDX-License-Identifier: MIT
/*
 * Physical memory with up to three views of each block:
 *
 *	cpu	what the CPU's pointers see, and (cache coherent) DMA
 *	buf	what left the CPU's caches but not yet the write buffer
 *	walk	what a table walk sees
 *
 * Views that cannot differ are one. The map from page numbers keeps freed
 * pages for ever, with no block: that is how a stale access is known.
 */
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "vtdm_int.h"
#include "vtdm_mem.h"

#define PAGE 4096u
#define LINE 64u

/* Blocks are page-aligned; a 32-bit build must be told that words in them are. */
typedef uint64_t word_t __attribute__((aligned(8)));

struct block {
	struct block *prev, *next;
	uint64_t paddr;
	size_t size;
	uint8_t *cpu, *buf, *walk;
};

struct vtdm_mem {
	pthread_mutex_t lock;
	struct vtdm_mem_config cfg;
	struct vtdm_notes notes;
	struct vtdm_table by_paddr; /* page number + 1 -> block, or 0: freed */
	struct vtdm_table by_ptr;   /* CPU page number -> block */
	struct block *blocks;
	uint64_t next_low, next_high;
	uint64_t rng;
	uint64_t tried, fail_at, fail_from;
	size_t live;
};

static void note(struct vtdm_mem *mem, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct vtdm_mem *mem, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vtdm_notes_add(&mem->notes, fmt, ap);
	va_end(ap);
}

/* Views are compared by other threads' walks: copy whole words, untorn. */
static void copy_words(void *dst, const void *src, size_t size)
{
	word_t *d = dst;
	const word_t *s = src;
	size_t i;

	for (i = 0; i < size / 8; i++)
		__atomic_store_n(&d[i],
				 __atomic_load_n(&s[i], __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
}

/* As copy_words() where address and size allow it, for data of any shape. */
static void copy_any(void *dst, const void *src, size_t size)
{
	uint32_t word;

	if (!(((uintptr_t)dst | (uintptr_t)src | size) & 7)) {
		copy_words(dst, src, size);
	} else if (size == 4 && !((uintptr_t)dst & 3)) {
		memcpy(&word, src, 4);
		__atomic_store_n((uint32_t *)dst, word, __ATOMIC_RELEASE);
	} else {
		memcpy(dst, src, size);
	}
}

/* --- Finding -------------------------------------------------------------- */

static struct block *block_at(const struct vtdm_mem *mem, uint64_t paddr,
			      bool *freed)
{
	struct vtdm_slot *s = vtdm_table_find(&mem->by_paddr, paddr / PAGE + 1);

	*freed = s && !s->val;
	return s ? (struct block *)(uintptr_t)s->val : NULL;
}

static struct block *block_of(const struct vtdm_mem *mem, const void *ptr)
{
	struct vtdm_slot *s = vtdm_table_find(&mem->by_ptr,
					      (uintptr_t)ptr / PAGE);

	return s ? (struct block *)(uintptr_t)s->val : NULL;
}

/* --- Making and freeing blocks -------------------------------------------- */

struct vtdm_mem *vtdm_mem_create(const struct vtdm_mem_config *config)
{
	struct vtdm_mem *mem;

	if (config->haw && (config->haw < 33 || config->haw > 52))
		return NULL;
	mem = calloc(1, sizeof(*mem));
	if (!mem)
		return NULL;
	if (pthread_mutex_init(&mem->lock, NULL)) {
		free(mem);
		return NULL;
	}
	mem->cfg = *config;
	if (!mem->cfg.haw)
		mem->cfg.haw = 39;
	mem->next_low = 0x100000;
	mem->next_high = UINT64_C(1) << 32;
	mem->rng = config->seed * 2 + 1;
	return mem;
}

static void views_free(struct block *b)
{
	if (b->walk != b->cpu)
		free(b->walk);
	if (b->buf != b->cpu)
		free(b->buf);
	free(b->cpu);
	free(b);
}

static uint8_t *view_new(size_t size, int fill)
{
	uint8_t *v = aligned_alloc(PAGE, size);

	if (v)
		memset(v, fill, size);
	return v;
}

static struct block *views_new(const struct vtdm_mem *mem, size_t size)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->size = size;
	b->cpu = view_new(size, 0);
	b->buf = b->cpu;
	b->walk = b->cpu;
	if (b->cpu && mem->cfg.noncoherent && mem->cfg.buffered)
		b->buf = view_new(size, VTDM_MEM_POISON);
	if (b->cpu && (mem->cfg.noncoherent || mem->cfg.buffered))
		b->walk = view_new(size, VTDM_MEM_POISON);
	if (b->cpu && b->buf && b->walk)
		return b;
	views_free(b);
	return NULL;
}

void vtdm_mem_destroy(struct vtdm_mem *mem)
{
	struct block *b;

	if (!mem)
		return;
	while (mem->blocks) {
		b = mem->blocks;
		mem->blocks = b->next;
		views_free(b);
	}
	vtdm_table_clear(&mem->by_paddr);
	vtdm_table_clear(&mem->by_ptr);
	pthread_mutex_destroy(&mem->lock);
	free(mem);
}

static uint64_t next_random(struct vtdm_mem *mem)
{
	mem->rng ^= mem->rng << 13;
	mem->rng ^= mem->rng >> 7;
	mem->rng ^= mem->rng << 17;
	return mem->rng;
}

static bool range_known(const struct vtdm_mem *mem, uint64_t paddr, size_t size,
			bool live_only)
{
	uint64_t at;

	for (at = paddr; at < paddr + size; at += PAGE) {
		bool freed;
		struct block *b = block_at(mem, at, &freed);

		if (b || (freed && !live_only))
			return true;
	}
	return false;
}

/* The next unused address of a zone, a few pages further; false if none. */
static bool zone_take(struct vtdm_mem *mem, uint64_t *next, uint64_t end,
		      size_t size, uint64_t *paddr)
{
	uint64_t at = (*next + size - 1) & ~(uint64_t)(size - 1);

	while (at + size <= end && range_known(mem, at, size, false))
		at += size;
	if (at + size > end)
		return false;
	*next = at + size + (next_random(mem) & 3) * PAGE;
	*paddr = at;
	return true;
}

static bool place(struct vtdm_mem *mem, size_t size, unsigned int flags,
		  uint64_t *paddr)
{
	uint64_t high_end = UINT64_C(1) << mem->cfg.haw;
	bool low_first = flags == VTDM_MEM_LOW;

	if (!(flags & (VTDM_MEM_LOW | VTDM_MEM_HIGH)))
		low_first = next_random(mem) & 1;
	/* Below 4 GiB stays clear of where devices and interrupts are. */
	if (low_first &&
	    zone_take(mem, &mem->next_low, 0xc0000000, size, paddr))
		return true;
	if (flags == VTDM_MEM_LOW)
		return false;
	return zone_take(mem, &mem->next_high, high_end, size, paddr);
}

static void block_add(struct vtdm_mem *mem, struct block *b, uint64_t paddr)
{
	uint64_t val = (uintptr_t)b;
	size_t off;

	b->paddr = paddr;
	for (off = 0; off < b->size; off += PAGE) {
		vtdm_table_put(&mem->by_paddr, (paddr + off) / PAGE + 1, val,
			       0);
		vtdm_table_put(&mem->by_ptr, (uintptr_t)(b->cpu + off) / PAGE,
			       val, 0);
	}
	b->next = mem->blocks;
	if (b->next)
		b->next->prev = b;
	mem->blocks = b;
	mem->live += b->size / PAGE;
}

static size_t round_size(size_t size)
{
	size_t s = PAGE;

	while (s < size)
		s *= 2;
	return s;
}

static bool fails(struct vtdm_mem *mem)
{
	mem->tried++;
	return mem->tried == mem->fail_at ||
	       (mem->fail_from && mem->tried >= mem->fail_from);
}

void *vtdm_mem_alloc(struct vtdm_mem *mem, size_t size, unsigned int flags,
		     uint64_t *paddr)
{
	struct block *b = NULL;
	uint64_t pa;

	size = round_size(size);
	pthread_mutex_lock(&mem->lock);
	if (!fails(mem))
		b = views_new(mem, size);
	if (b && !place(mem, size, flags, &pa)) {
		views_free(b);
		b = NULL;
	}
	if (b) {
		block_add(mem, b, pa);
		*paddr = pa;
	}
	pthread_mutex_unlock(&mem->lock);
	return b ? b->cpu : NULL;
}

void *vtdm_mem_alloc_at(struct vtdm_mem *mem, uint64_t paddr, size_t size)
{
	struct block *b = NULL;

	if (paddr % PAGE || !size || size % PAGE)
		return NULL;
	pthread_mutex_lock(&mem->lock);
	if (!range_known(mem, paddr, size, true) && !fails(mem))
		b = views_new(mem, size);
	if (b)
		block_add(mem, b, paddr);
	pthread_mutex_unlock(&mem->lock);
	return b ? b->cpu : NULL;
}

static void block_remove(struct vtdm_mem *mem, struct block *b)
{
	size_t off;

	for (off = 0; off < b->size; off += PAGE) {
		vtdm_table_put(&mem->by_paddr, (b->paddr + off) / PAGE + 1, 0,
			       0);
		vtdm_table_del(&mem->by_ptr, (uintptr_t)(b->cpu + off) / PAGE);
	}
	if (b->prev)
		b->prev->next = b->next;
	else
		mem->blocks = b->next;
	if (b->next)
		b->next->prev = b->prev;
	mem->live -= b->size / PAGE;
	views_free(b);
}

void vtdm_mem_free(struct vtdm_mem *mem, void *ptr, size_t size)
{
	struct block *b;

	if (!ptr)
		return;
	pthread_mutex_lock(&mem->lock);
	b = block_of(mem, ptr);
	if (!b || b->cpu != ptr)
		note(mem, "free of %p, which is no block", ptr);
	else if (size && round_size(size) != round_size(b->size))
		note(mem, "free of 0x%llx with size %zu, it is %zu",
		     (unsigned long long)b->paddr, size, b->size);
	if (b && b->cpu == ptr)
		block_remove(mem, b);
	pthread_mutex_unlock(&mem->lock);
}

/* --- Moving lines from view to view --------------------------------------- */

void vtdm_mem_clean(struct vtdm_mem *mem, const void *ptr, size_t size)
{
	struct block *b;
	size_t first, end;
	uint8_t *dst;

	pthread_mutex_lock(&mem->lock);
	b = block_of(mem, ptr);
	if (!b || (size_t)((const uint8_t *)ptr - b->cpu) + size > b->size) {
		note(mem, "clean of %zu bytes at %p, not in one block", size,
		     ptr);
		b = NULL;
	}
	if (b && mem->cfg.noncoherent) {
		first = (size_t)((const uint8_t *)ptr - b->cpu);
		end = (first + size + LINE - 1) & ~(size_t)(LINE - 1);
		first &= ~(size_t)(LINE - 1);
		dst = mem->cfg.buffered ? b->buf : b->walk;
		copy_words(dst + first, b->cpu + first, end - first);
	}
	pthread_mutex_unlock(&mem->lock);
}

bool vtdm_mem_store128(void *ptr, uint64_t first, uint64_t second)
{
#ifdef __x86_64__
	unsigned int eax, ebx, ecx, edx;
	uint64_t(*pair)[2] = ptr;
	uint64_t old_first = (*pair)[0];
	uint64_t old_second = (*pair)[1];
	bool done = false;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_CMPXCHG16B))
		return false;
	while (!done)
		__asm__ volatile("lock cmpxchg16b %1"
				 : "=@ccz"(done), "+m"(*pair), "+a"(old_first),
				   "+d"(old_second)
				 : "b"(first), "c"(second)
				 : "memory");
	return true;
#else
	(void)ptr;
	(void)first;
	(void)second;
	return false;
#endif
}

void vtdm_mem_flush(struct vtdm_mem *mem)
{
	struct block *b;

	if (!mem->cfg.buffered)
		return;
	pthread_mutex_lock(&mem->lock);
	for (b = mem->blocks; b; b = b->next)
		copy_words(b->walk, b->buf, b->size);
	pthread_mutex_unlock(&mem->lock);
}

/* --- Accesses of the unit ------------------------------------------------- */

/* The block that holds all of an access, or NULL; notes freed pages. */
static struct block *access_block(struct vtdm_mem *mem, const char *what,
				  uint64_t paddr, size_t size, bool *freed)
{
	struct block *b = block_at(mem, paddr, freed);

	if (*freed)
		note(mem, "%s at 0x%llx, a freed page", what,
		     (unsigned long long)paddr);
	if (b && paddr - b->paddr + size > b->size)
		return NULL;
	return b;
}

int vtdm_mem_walk_read(struct vtdm_mem *mem, uint64_t paddr, void *buf,
		       size_t size)
{
	struct block *b;
	bool freed;

	pthread_mutex_lock(&mem->lock);
	b = access_block(mem, "walk", paddr, size, &freed);
	if (b)
		copy_any(buf, b->walk + (paddr - b->paddr), size);
	else if (freed)
		memset(buf, VTDM_MEM_POISON, size);
	pthread_mutex_unlock(&mem->lock);
	return b || freed ? 0 : -1;
}

static int op_walk_read(void *ctx, uint64_t paddr, void *buf, size_t size)
{
	return vtdm_mem_walk_read(ctx, paddr, buf, size);
}

static int op_read(void *ctx, uint64_t paddr, void *buf, size_t size)
{
	struct vtdm_mem *mem = ctx;
	struct block *b;
	bool freed;

	pthread_mutex_lock(&mem->lock);
	b = access_block(mem, "dma read", paddr, size, &freed);
	if (b)
		copy_any(buf, b->cpu + (paddr - b->paddr), size);
	pthread_mutex_unlock(&mem->lock);
	return b ? 0 : -1;
}

/* DMA reaches memory itself: all views have it. */
static int op_write(void *ctx, uint64_t paddr, const void *buf, size_t size)
{
	struct vtdm_mem *mem = ctx;
	struct block *b;
	size_t off;
	bool freed;

	pthread_mutex_lock(&mem->lock);
	b = access_block(mem, "dma write", paddr, size, &freed);
	if (b) {
		off = (size_t)(paddr - b->paddr);
		if (b->walk != b->cpu)
			copy_any(b->walk + off, buf, size);
		if (b->buf != b->cpu)
			copy_any(b->buf + off, buf, size);
		copy_any(b->cpu + off, buf, size);
	}
	pthread_mutex_unlock(&mem->lock);
	return b ? 0 : -1;
}

static void op_flush(void *ctx)
{
	vtdm_mem_flush(ctx);
}

const struct vtdm_mem_ops vtdm_mem_ops = {
	.walk_read = op_walk_read,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
};

/* --- Questions ------------------------------------------------------------ */

bool vtdm_mem_paddr(struct vtdm_mem *mem, const void *ptr, uint64_t *paddr)
{
	struct block *b;

	pthread_mutex_lock(&mem->lock);
	b = block_of(mem, ptr);
	if (b)
		*paddr = b->paddr + (uint64_t)((const uint8_t *)ptr - b->cpu);
	pthread_mutex_unlock(&mem->lock);
	return b;
}

void *vtdm_mem_ptr(struct vtdm_mem *mem, uint64_t paddr)
{
	uint8_t *ptr = NULL;
	struct block *b;
	bool freed;

	pthread_mutex_lock(&mem->lock);
	b = block_at(mem, paddr, &freed);
	if (b)
		ptr = b->cpu + (paddr - b->paddr);
	pthread_mutex_unlock(&mem->lock);
	return ptr;
}

size_t vtdm_mem_live(struct vtdm_mem *mem)
{
	size_t n;

	pthread_mutex_lock(&mem->lock);
	n = mem->live;
	pthread_mutex_unlock(&mem->lock);
	return n;
}

uint64_t vtdm_mem_allocs(struct vtdm_mem *mem)
{
	uint64_t n;

	pthread_mutex_lock(&mem->lock);
	n = mem->tried;
	pthread_mutex_unlock(&mem->lock);
	return n;
}

void vtdm_mem_fail_at(struct vtdm_mem *mem, uint64_t nth)
{
	pthread_mutex_lock(&mem->lock);
	mem->fail_at = nth ? mem->tried + nth : 0;
	pthread_mutex_unlock(&mem->lock);
}

void vtdm_mem_fail_from(struct vtdm_mem *mem, uint64_t nth)
{
	pthread_mutex_lock(&mem->lock);
	mem->fail_from = nth ? mem->tried + nth : 0;
	pthread_mutex_unlock(&mem->lock);
}

size_t vtdm_mem_violations(struct vtdm_mem *mem)
{
	size_t n;

	pthread_mutex_lock(&mem->lock);
	n = mem->notes.count;
	pthread_mutex_unlock(&mem->lock);
	return n;
}

const char *vtdm_mem_violation(struct vtdm_mem *mem, size_t index)
{
	if (index >= vtdm_mem_violations(mem) || index >= VTDM_NOTES)
		return NULL;
	return mem->notes.text[index];
}

void vtdm_mem_violations_clear(struct vtdm_mem *mem)
{
	pthread_mutex_lock(&mem->lock);
	mem->notes.count = 0;
	pthread_mutex_unlock(&mem->lock);
}
