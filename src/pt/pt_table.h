/* SPDX-License-Identifier: MIT */
/*
 * Table pages: what all formats have in common.
 *
 * A table of level 0 is one page of 512 entries. A table of a higher level, a
 * directory, is two pages in a row: the entries that hardware walks, then one
 * link for each, which only we read: the CPU's address of the table below, as
 * the host need not be able to turn a physical address back into one.
 *
 * A link goes through three values and never back while its directory is in
 * use by somebody else:
 *
 *   0			no table below; the entry is a leaf or not present
 *   table		claimed by compare-and-swap; the entry may not be
 *			written yet, nobody maps anything below
 *   table | PT_LINKED	the entry is written, and cleaned if need be
 *
 * Word 0 of a claimed table holds its own physical address, so that a CPU that
 * comes second need not wait for the first but writes the entry itself, with
 * the same value. A page-aligned address in an entry has all of its low 12
 * bits clear, and reads as "not present" in every format (the engine asserts
 * it). By the time the first leaf overwrites it, PT_LINKED is set.
 *
 * Tables that left the tree wait in a gather for the invalidation. Those of
 * level 0 are linked through word 0, for the same reason: hardware that still
 * holds a pointer to the table finds a page-aligned address there, and nothing
 * in the other words. Directories are linked through their first link, which
 * hardware does not see at all.
 */
#ifndef UIOMMU_PT_TABLE_H
#define UIOMMU_PT_TABLE_H

#include "base/atomic.h"
#include "pt/pt.h"

#define PT_ENTRIES 512u
#define PT_LEVELS_MAX 5u
#define PT_LINKED ((uintptr_t)1)

/*
 * Keeps what is rare from costing what is not its registers. With underscores:
 * Linux defines the plain word as a macro.
 */
#define PT_RARE static __attribute__((__noinline__))

#define PT_TABLE_SIZE ((size_t)4096)
#define PT_DIR_SIZE (2 * PT_TABLE_SIZE)

UIOMMU_STATIC_ASSERT(PT_ENTRIES * sizeof(uiommu_word_t) == PT_TABLE_SIZE);
UIOMMU_STATIC_ASSERT(PT_ENTRIES * sizeof(uintptr_t) <=
		     PT_DIR_SIZE - PT_TABLE_SIZE);

static inline unsigned int pt_shift(unsigned int level)
{
	return 12 + 9 * level;
}

/* Bytes that one entry of a table of @level spans. */
static inline uint64_t pt_span(unsigned int level)
{
	return UIOMMU_BIT64(pt_shift(level));
}

static inline unsigned int pt_index(uint64_t iova, unsigned int level)
{
	return (unsigned int)(iova >> pt_shift(level)) & (PT_ENTRIES - 1);
}

static inline uintptr_t *pt_link(uiommu_word_t *dir, unsigned int index)
{
	return (uintptr_t *)(void *)(dir + PT_ENTRIES) + index;
}

static inline uiommu_word_t *pt_linked_table(uintptr_t link)
{
	return (uiommu_word_t *)(link & ~PT_LINKED);
}

/* Lets a walker that does not snoop see @count entries. */
static inline void pt_clean(const struct uiommu_pt *pt,
			    const uiommu_word_t *entries, unsigned int count)
{
	if (!pt->config.coherent)
		uiommu_host_cache_clean(pt->host, entries,
					count * sizeof(*entries));
}

/* Does the config make sense? */
bool uiommu_pt_config_valid(const struct uiommu_pt_config *config);

/*
 * A zeroed table that is in no tree yet, counted, and cleaned by nobody. NULL
 * if the host has no page, or none that an entry can point to.
 */
uiommu_word_t *uiommu_pt_table_alloc(struct uiommu_pt *pt, unsigned int level,
				     unsigned int flags, uiommu_paddr_t *paddr);
void uiommu_pt_table_free(struct uiommu_pt *pt, uiommu_word_t *table,
			  unsigned int level);
/* Hands a table that no entry points to any more to @gather. */
void uiommu_pt_table_gather(struct uiommu_gather *gather, uiommu_word_t *table,
			    unsigned int level);

/* One instance of the engine; arguments are checked in pt.c. */
int uiommu_pt_vtd_ss_map(struct uiommu_pt *pt, struct uiommu_range range,
			 uiommu_paddr_t paddr, unsigned int prot,
			 unsigned int flags, struct uiommu_gather *gather);
int uiommu_pt_vtd_ss_unmap(struct uiommu_pt *pt, struct uiommu_range range,
			   unsigned int flags, struct uiommu_gather *gather,
			   uint64_t *unmapped);
int uiommu_pt_vtd_ss_lookup(const struct uiommu_pt *pt, uiommu_iova_t iova,
			    uiommu_paddr_t *paddr, unsigned int *prot);
int uiommu_pt_vtd_ss_leaf(const struct uiommu_pt *pt, uiommu_iova_t iova,
			  struct uiommu_pt_leaf *leaf);
int uiommu_pt_vtd_ss_find(const struct uiommu_pt *pt, struct uiommu_range range,
			  bool mapped, uiommu_iova_t *iova);

#endif /* UIOMMU_PT_TABLE_H */
