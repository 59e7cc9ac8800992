// SPDX-License-Identifier: MIT
/*
 * Physical pages by the buddy scheme: a free block of 2^n pages lies at a
 * multiple of its size, so that its buddy is found by one exclusive or. The
 * links of a free block are kept in the block.
 */
#include "bare.h"

#define PAGE_SHIFT 12
#define MAX_PAGES (1u << 20) /* we manage the first 4 GiB */
#define MAX_RESERVED 16
#define MAX_RAM 16
#define NOT_FREE 0xff

struct block {
	struct block *next;
	struct block *prev;
};

struct range {
	uint64_t first;
	uint64_t last;
};

/* Order of the free block that begins at this page, or NOT_FREE. */
static uint8_t page_order[MAX_PAGES];
static struct block free_list[MEM_MAX_ORDER + 1];
static struct range reserved[MAX_RESERVED];
static unsigned int reserved_count;
static struct range ram[MAX_RAM];
static unsigned int ram_count;
static size_t free_pages;
static size_t total_pages;
static bool poisoned;
static size_t spoilt_once; /* pages that were, before they were used */
static uint64_t first_spoilt = ~UINT64_C(0);

static uint64_t page_number(const void *p)
{
	return virt_to_phys(p) >> PAGE_SHIFT;
}

static void block_insert(void *p, unsigned int order)
{
	struct block *head = &free_list[order];
	struct block *b = p;

	b->next = head->next;
	b->prev = head;
	head->next->prev = b;
	head->next = b;
	page_order[page_number(p)] = (uint8_t)order;
}

static void block_remove(struct block *b)
{
	b->prev->next = b->next;
	b->next->prev = b->prev;
	if (poisoned)
		memset(b, MEM_POISON, sizeof(*b));
	page_order[page_number(b)] = NOT_FREE;
}

static void mem_init_once(void)
{
	if (free_list[0].next)
		return;
	memset(page_order, NOT_FREE, sizeof(page_order));
	for (unsigned int i = 0; i <= MEM_MAX_ORDER; i++)
		free_list[i].next = free_list[i].prev = &free_list[i];
}

void mem_reserve(uint64_t first, uint64_t last)
{
	if (reserved_count == MAX_RESERVED)
		kernel_panic("too many reserved ranges");
	reserved[reserved_count++] = (struct range){ first, last };
}

static bool is_reserved(uint64_t first, uint64_t last)
{
	for (unsigned int i = 0; i < reserved_count; i++)
		if (first <= reserved[i].last && last >= reserved[i].first)
			return true;
	return false;
}

static void give(void *pages, unsigned int order)
{
	uint64_t pfn = page_number(pages);

	free_pages += (size_t)1 << order;
	for (; order < MEM_MAX_ORDER; order++) {
		uint64_t buddy = pfn ^ (UINT64_C(1) << order);

		if (buddy >= MAX_PAGES || page_order[buddy] != order)
			break;
		block_remove(phys_to_virt(buddy << PAGE_SHIFT));
		pfn &= buddy;
	}
	block_insert(phys_to_virt(pfn << PAGE_SHIFT), order);
}

void mem_add(uint64_t first, uint64_t last)
{
	uint64_t pfn = (first + PAGE_SIZE - 1) >> PAGE_SHIFT;
	uint64_t end = (last + 1) >> PAGE_SHIFT;

	mem_init_once();
	if (ram_count < MAX_RAM)
		ram[ram_count++] = (struct range){ first, last };
	if (end > MAX_PAGES)
		end = MAX_PAGES;
	for (; pfn < end; pfn++) {
		uint64_t paddr = pfn << PAGE_SHIFT;

		if (is_reserved(paddr, paddr + PAGE_SIZE - 1))
			continue;
		total_pages++;
		give(phys_to_virt(paddr), 0); /* grows by merging */
	}
}

void mem_free(void *pages, unsigned int order)
{
	if (poisoned)
		memset(pages, MEM_POISON, (size_t)PAGE_SIZE << order);
	give(pages, order);
}

void mem_poison(void)
{
	poisoned = true;
}

bool mem_is_poison(const void *memory, size_t size)
{
	const char *p = memory;

	/* Each byte is the one before it, and the first one is as it should. */
	return !size || (*p == MEM_POISON && !memcmp(p, p + 1, size - 1));
}

/* Of 2^@order pages from @page on, the first @links bytes of which may differ */
static size_t spoilt_pages(const char *page, unsigned int order, size_t links)
{
	size_t spoilt = 0;

	for (size_t n = (size_t)1 << order; n; n--, page += PAGE_SIZE) {
		if (!mem_is_poison(page + links, PAGE_SIZE - links)) {
			spoilt++;
			if (virt_to_phys(page) < first_spoilt)
				first_spoilt = virt_to_phys(page);
		}
		links = 0;
	}
	return spoilt;
}

size_t mem_spoilt(uint64_t *first)
{
	size_t spoilt = spoilt_once;

	for (unsigned int o = 0; o <= MEM_MAX_ORDER; o++)
		for (const struct block *b = free_list[o].next;
		     b != &free_list[o]; b = b->next)
			spoilt += spoilt_pages((const char *)b, o, sizeof(*b));
	*first = first_spoilt;
	return spoilt;
}

/* Take @p of 2^@order pages out of the free block @b of 2^@have pages. */
static void *carve(struct block *b, unsigned int have, void *p,
		   unsigned int order)
{
	char *base = (char *)b;

	block_remove(b);
	while (have > order) {
		size_t half = (size_t)PAGE_SIZE << --have;

		if ((char *)p < base + half) {
			block_insert(base + half, have);
		} else {
			block_insert(base, have);
			base += half;
		}
	}
	free_pages -= (size_t)1 << order;
	if (poisoned)
		spoilt_once += spoilt_pages(p, order, 0);
	return memset(p, 0, (size_t)PAGE_SIZE << order);
}

void *mem_alloc(unsigned int order)
{
	for (unsigned int o = order; o <= MEM_MAX_ORDER; o++) {
		struct block *b = free_list[o].next;

		if (b != &free_list[o])
			return carve(b, o, b, order);
	}
	return NULL;
}

void *mem_alloc_in(unsigned int order, uint64_t first, uint64_t last)
{
	uint64_t size = (uint64_t)PAGE_SIZE << order;

	for (unsigned int o = order; o <= MEM_MAX_ORDER; o++) {
		struct block *head = &free_list[o];

		for (struct block *b = head->next; b != head; b = b->next) {
			uint64_t begin = virt_to_phys(b);
			uint64_t end = begin + ((uint64_t)PAGE_SIZE << o) - 1;
			uint64_t p = begin < first ? first : begin;

			p = (p + size - 1) & ~(size - 1);
			if (p + size - 1 <= end && p + size - 1 <= last)
				return carve(b, o, phys_to_virt(p), order);
		}
	}
	return NULL;
}

bool mem_is_ram(uint64_t first, uint64_t last)
{
	for (unsigned int i = 0; i < ram_count; i++)
		if (first <= ram[i].last && last >= ram[i].first)
			return true;
	return false;
}

bool mem_holds(uint64_t first, uint64_t last)
{
	uint64_t mapped = (uint64_t)MAX_PAGES << PAGE_SHIFT;

	for (unsigned int i = 0; i < ram_count; i++)
		if (first >= ram[i].first && last <= ram[i].last)
			return last < mapped;
	return false;
}

bool mem_ram(unsigned int nth, uint64_t *first, uint64_t *last)
{
	if (nth >= ram_count)
		return false;
	*first = ram[nth].first;
	*last = ram[nth].last;
	return true;
}

size_t mem_free_pages(void)
{
	return free_pages;
}

size_t mem_total_pages(void)
{
	return total_pages;
}

unsigned int mem_order(size_t size)
{
	unsigned int order = 0;

	while (((size_t)PAGE_SIZE << order) < size)
		order++;
	return order;
}
