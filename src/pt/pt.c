// SPDX-License-Identifier: MIT
/*
 * Page tables: checks of arguments, the choice of the engine, table pages and
 * the gather; all that does not depend on the format.
 */
#include "pt/pt.h"

#include "pt/pt_table.h"

#define PT_PAGE_SIZES (UIOMMU_BIT64(12) | UIOMMU_BIT64(21) | UIOMMU_BIT64(30))
#define PT_PROTS (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static size_t pt_table_size(unsigned int level)
{
	return level ? PT_DIR_SIZE : PT_TABLE_SIZE;
}

static void pt_count(struct uiommu_pt *pt, unsigned int level, bool more)
{
	size_t pages = pt_table_size(level) / PT_TABLE_SIZE;

	uiommu_add(&pt->table_pages, more ? pages : (size_t)0 - pages);
}

uiommu_word_t *uiommu_pt_table_alloc(struct uiommu_pt *pt, unsigned int level,
				     unsigned int flags, uiommu_paddr_t *paddr)
{
	size_t size = pt_table_size(level);
	uiommu_paddr_t at = 0;
	void *page;

	page = uiommu_host_page_alloc(pt->host, size, flags, &at);
	if (!page)
		return NULL;
	if (at > pt->config.paddr_last) {
		uiommu_host_page_free(pt->host, page, size);
		return NULL;
	}
	pt_count(pt, level, true);
	*paddr = at;
	return page;
}

void uiommu_pt_table_free(struct uiommu_pt *pt, uiommu_word_t *table,
			  unsigned int level)
{
	uiommu_host_page_free(pt->host, table, pt_table_size(level));
	pt_count(pt, level, false);
}

void uiommu_pt_table_gather(struct uiommu_gather *gather, uiommu_word_t *table,
			    unsigned int level)
{
	if (level) {
		*pt_link(table, 0) = (uintptr_t)gather->freed_dirs;
		gather->freed_dirs = table;
	} else {
		/* Still walked, maybe; "not present", see pt_table.h. */
		uiommu_word_store(table, (uintptr_t)gather->freed);
		gather->freed = table;
	}
}

void uiommu_gather_free(struct uiommu_pt *pt, struct uiommu_gather *gather)
{
	while (gather->freed) {
		uiommu_word_t *table = gather->freed;

		gather->freed = (void *)(uintptr_t)uiommu_word_load(table);
		uiommu_pt_table_free(pt, table, 0);
	}
	while (gather->freed_dirs) {
		uiommu_word_t *dir = gather->freed_dirs;

		gather->freed_dirs = (void *)*pt_link(dir, 0);
		uiommu_pt_table_free(pt, dir, 1);
	}
}

void uiommu_gather_init(struct uiommu_gather *gather)
{
	gather->count = 0;
	gather->tables = false;
	gather->freed = NULL;
	gather->freed_dirs = NULL;
}

/* True if nothing lies between: @b begins no later than right after @a. */
static bool gather_touches(struct uiommu_range a, struct uiommu_range b)
{
	return b.first <= a.last || b.first - a.last == 1;
}

/* Joins ranges[at] with the one after it, which begins no earlier. */
static unsigned int gather_join(struct uiommu_range *ranges, unsigned int count,
				unsigned int at)
{
	if (ranges[at].last < ranges[at + 1].last)
		ranges[at].last = ranges[at + 1].last;
	memmove(&ranges[at + 1], &ranges[at + 2],
		(count - at - 2) * sizeof(ranges[0]));
	return count - 1;
}

/* Kept in ascending order, so that only neighbours can touch. */
void uiommu_gather_add(struct uiommu_gather *gather, struct uiommu_range range)
{
	struct uiommu_range ranges[UIOMMU_GATHER_RANGES + 1];
	unsigned int count = gather->count, at, nearest = 0;

	if (!count) {
		gather->ranges[0] = range;
		gather->count = 1;
		return;
	}
	for (at = count; at && gather->ranges[at - 1].first > range.first; at--)
		ranges[at] = gather->ranges[at - 1];
	ranges[at] = range;
	memcpy(ranges, gather->ranges, at * sizeof(ranges[0]));
	count++;

	for (at = 0; at + 1 < count;) {
		if (gather_touches(ranges[at], ranges[at + 1]))
			count = gather_join(ranges, count, at);
		else
			at++;
	}
	if (count > UIOMMU_GATHER_RANGES) {
		for (at = 1; at + 1 < count; at++)
			if (ranges[at + 1].first - ranges[at].last <
			    ranges[nearest + 1].first - ranges[nearest].last)
				nearest = at;
		count = gather_join(ranges, count, nearest);
	}
	memcpy(gather->ranges, ranges, count * sizeof(ranges[0]));
	gather->count = count;
}

bool uiommu_pt_config_valid(const struct uiommu_pt_config *config)
{
	if (config->format != UIOMMU_PT_VTD_SS || config->levels < 3 ||
	    config->levels > PT_LEVELS_MAX || config->width < 12 ||
	    config->width > 12 + 9 * config->levels)
		return false;
	return (config->page_sizes & UIOMMU_BIT64(12)) &&
	       !(config->page_sizes & ~PT_PAGE_SIZES) &&
	       config->paddr_last >= UIOMMU_PAGE_MASK;
}

int uiommu_pt_init(struct uiommu_pt *pt, struct uiommu_host *host,
		   const struct uiommu_pt_config *config)
{
	struct uiommu_pt new;

	if (!uiommu_pt_config_valid(config))
		return UIOMMU_EINVAL;
	memset(&new, 0, sizeof(new));
	new.host = host;
	new.config = *config;
	if (!(config->page_sizes & UIOMMU_BIT64(21)))
		new.config.page_sizes = UIOMMU_BIT64(12);
	new.root = uiommu_pt_table_alloc(&new, config->levels - 1, 0,
					 &new.root_paddr);
	if (!new.root)
		return UIOMMU_ENOMEM;
	pt_clean(&new, new.root, PT_ENTRIES);
	*pt = new;
	return UIOMMU_OK;
}

void uiommu_pt_fini(struct uiommu_pt *pt)
{
	uiommu_word_t *tables[PT_LEVELS_MAX];
	unsigned int next[PT_LEVELS_MAX] = { 0 };
	unsigned int top = pt->config.levels - 1, at = top;

	tables[top] = pt->root;
	while (at <= top) {
		uintptr_t link;

		if (!at || next[at] == PT_ENTRIES) {
			uiommu_pt_table_free(pt, tables[at], at);
			next[at] = 0;
			at++;
			continue;
		}
		link = uiommu_load(pt_link(tables[at], next[at]++));
		if (link)
			tables[--at] = pt_linked_table(link);
	}
	pt->root = NULL;
}

static int pt_check(const struct uiommu_pt *pt, struct uiommu_range range)
{
	if ((range.first & UIOMMU_PAGE_MASK) || range.last < range.first ||
	    (range.last & UIOMMU_PAGE_MASK) != UIOMMU_PAGE_MASK)
		return UIOMMU_EINVAL;
	if (range.last >> pt->config.width)
		return UIOMMU_ERANGE;
	return UIOMMU_OK;
}

int uiommu_pt_map(struct uiommu_pt *pt, struct uiommu_range range,
		  uiommu_paddr_t paddr, unsigned int prot, unsigned int flags,
		  struct uiommu_gather *gather)
{
	int err = pt_check(pt, range);

	if (err)
		return err;
	if ((paddr & UIOMMU_PAGE_MASK) || !prot || (prot & ~PT_PROTS))
		return UIOMMU_EINVAL;
	if (paddr > pt->config.paddr_last ||
	    range.last - range.first > pt->config.paddr_last - paddr)
		return UIOMMU_ERANGE;

	switch (pt->config.format) {
	case UIOMMU_PT_VTD_SS:
		return uiommu_pt_vtd_ss_map(pt, range, paddr, prot, flags,
					    gather);
	}
	return UIOMMU_EINVAL;
}

int uiommu_pt_unmap(struct uiommu_pt *pt, struct uiommu_range range,
		    unsigned int flags, struct uiommu_gather *gather,
		    uint64_t *unmapped)
{
	int err = pt_check(pt, range);

	if (err)
		return err;

	switch (pt->config.format) {
	case UIOMMU_PT_VTD_SS:
		return uiommu_pt_vtd_ss_unmap(pt, range, flags, gather,
					      unmapped);
	}
	return UIOMMU_EINVAL;
}

int uiommu_pt_lookup(const struct uiommu_pt *pt, uiommu_iova_t iova,
		     uiommu_paddr_t *paddr, unsigned int *prot)
{
	if (iova >> pt->config.width)
		return UIOMMU_ENOENT;

	switch (pt->config.format) {
	case UIOMMU_PT_VTD_SS:
		return uiommu_pt_vtd_ss_lookup(pt, iova, paddr, prot);
	}
	return UIOMMU_ENOENT;
}

int uiommu_pt_leaf(const struct uiommu_pt *pt, uiommu_iova_t iova,
		   struct uiommu_pt_leaf *leaf)
{
	if (iova >> pt->config.width)
		return UIOMMU_ENOENT;

	switch (pt->config.format) {
	case UIOMMU_PT_VTD_SS:
		return uiommu_pt_vtd_ss_leaf(pt, iova, leaf);
	}
	return UIOMMU_ENOENT;
}

int uiommu_pt_find(const struct uiommu_pt *pt, struct uiommu_range range,
		   bool mapped, uiommu_iova_t *iova)
{
	int err = pt_check(pt, range);

	if (err)
		return err;

	switch (pt->config.format) {
	case UIOMMU_PT_VTD_SS:
		return uiommu_pt_vtd_ss_find(pt, range, mapped, iova);
	}
	return UIOMMU_ENOENT;
}
