/* SPDX-License-Identifier: MIT */
/*
 * The page-table engine. Each format's .c file includes its format header and
 * then this one, once, and so gets an engine of its own in which nothing of
 * the format costs a call. A format defines PT_FMT_PRESENT (an entry is present
 * if any of these bits is set) and pt_fmt_table(), pt_fmt_leaf(),
 * pt_fmt_address(), pt_fmt_paddr() and pt_fmt_prot().
 *
 * Ways down follow the links alone (pt_table.h). Entries are read only where
 * there is no link, so an entry that is present is a leaf: no format needs to
 * say how a leaf differs from a pointer.
 */
#ifndef UIOMMU_PT_ENGINE_H
#define UIOMMU_PT_ENGINE_H

#include "pt/pt_table.h"

/* What makes a page-aligned address a "not present" entry. */
UIOMMU_STATIC_ASSERT((PT_FMT_PRESENT & ~UIOMMU_PAGE_MASK) == 0);
UIOMMU_STATIC_ASSERT(PT_FMT_PRESENT != 0);

static inline bool pt_present(uint64_t entry)
{
	return (entry & PT_FMT_PRESENT) != 0;
}

/*
 * The link of a slot, or 0 and its entry. A table for somebody else's range
 * may come into the slot at any time, and its entry is not to be taken for a
 * leaf: whoever writes it has set the link before, so look again.
 */
static inline uintptr_t pt_slot(uiommu_word_t *dir, unsigned int index,
				uint64_t *entry)
{
	uintptr_t link = uiommu_load(pt_link(dir, index));

	if (link)
		return link;
	*entry = uiommu_word_load(&dir[index]);
	return pt_present(*entry) ? uiommu_load(pt_link(dir, index)) : 0;
}

/* Points the entry to the claimed table, unless that has been done. */
static void pt_publish(struct uiommu_pt *pt, uiommu_word_t *dir,
		       unsigned int index)
{
	uintptr_t *link = pt_link(dir, index);
	uintptr_t value = uiommu_load(link);
	uiommu_paddr_t paddr = uiommu_word_load(pt_linked_table(value));

	/*
	 * Word 0 is the table's address if PT_LINKED is missing after it was
	 * read; otherwise it may be anything, and there is nothing to do.
	 * Several CPUs may get past here, and all write the same.
	 */
	if (uiommu_load(link) & PT_LINKED)
		return;
	uiommu_word_store(&dir[index], pt_fmt_table(paddr));
	pt_clean(pt, &dir[index], 1);
	uiommu_store(link, value | PT_LINKED);
}

/*
 * Makes sure that a table of level @level is behind the slot.
 * UIOMMU_EEXIST if a leaf is.
 */
PT_RARE int pt_claim(struct uiommu_pt *pt, uiommu_word_t *dir,
		     unsigned int index, unsigned int level, unsigned int flags)
{
	uint64_t entry = 0;
	uintptr_t link = pt_slot(dir, index, &entry);
	uiommu_word_t *table;
	uiommu_paddr_t paddr;

	if (!link && pt_present(entry))
		return UIOMMU_EEXIST;
	if (!link) {
		table = uiommu_pt_table_alloc(pt, level, flags, &paddr);
		if (!table)
			return UIOMMU_ENOMEM;
		uiommu_word_store(table, paddr);
		pt_clean(pt, table, PT_ENTRIES);
		/* The loser's table was never seen by anybody. */
		if (!uiommu_cas(pt_link(dir, index), &link, (uintptr_t)table))
			uiommu_pt_table_free(pt, table, level);
	}
	pt_publish(pt, dir, index);
	return UIOMMU_OK;
}

/* The level of the largest leaf that fits at the start of what is left. */
static inline unsigned int pt_leaf_level(const struct uiommu_pt *pt,
					 struct uiommu_range range,
					 uiommu_paddr_t paddr)
{
	uint64_t low = range.first | paddr;
	unsigned int level;

	for (level = 2; level; level--) {
		if (!(pt->config.page_sizes & pt_span(level)))
			continue;
		if (!(low & (pt_span(level) - 1)) &&
		    range.last - range.first >= pt_span(level) - 1)
			break;
	}
	return level;
}

/*
 * Goes down to where a leaf of *@level for @iova belongs, making tables; lower
 * than asked where a table is in the way.
 */
static inline int pt_descend(struct uiommu_pt *pt, uiommu_iova_t iova,
			     unsigned int flags, uiommu_word_t **table,
			     unsigned int *level)
{
	uiommu_word_t *dir = pt->root;
	unsigned int at;
	uintptr_t link;
	int err;

	for (at = pt->config.levels - 1; at; at--) {
		unsigned int index = pt_index(iova, at);

		link = uiommu_load(pt_link(dir, index));
		if (!link && at <= *level)
			break;
		if (!(link & PT_LINKED)) {
			err = pt_claim(pt, dir, index, at - 1, flags);
			if (err)
				return err;
			link = uiommu_load(pt_link(dir, index));
		}
		dir = pt_linked_table(link);
	}
	*table = dir;
	*level = at;
	return UIOMMU_OK;
}

/*
 * Enters up to @count leaves side by side; stops where a leaf or a table is.
 * Returns how many.
 */
static inline unsigned int pt_fill(struct uiommu_pt *pt, uiommu_word_t *table,
				   unsigned int level, unsigned int index,
				   unsigned int count, uiommu_paddr_t paddr,
				   unsigned int prot)
{
	uint64_t bits = pt_fmt_leaf(prot, level) | pt->config.leaf_bits;
	uiommu_word_t *entry = table + index;
	unsigned int done;

	for (done = 0; done < count; done++) {
		if (pt_present(uiommu_word_load(entry)))
			break;
		if (level && uiommu_load(pt_link(table, index + done)))
			break;
		uiommu_word_store(entry++, bits | pt_fmt_address(paddr));
		paddr += pt_span(level);
	}
	if (done)
		pt_clean(pt, table + index, done);
	return done;
}

/*
 * Takes leaves out of up to @count slots side by side, all of them the
 * caller's; stops where a table is. Returns how many slots it went past.
 */
static inline unsigned int pt_wipe(struct uiommu_pt *pt, uiommu_word_t *table,
				   unsigned int level, unsigned int index,
				   unsigned int count, uint64_t *bytes)
{
	uiommu_word_t *entry = table + index;
	unsigned int done, leaves = 0;

	for (done = 0; done < count; done++, entry++) {
		if (level && uiommu_load(pt_link(table, index + done)))
			break;
		/* Not over the address in word 0 of a table just claimed. */
		if (!pt_present(uiommu_word_load(entry)))
			continue;
		uiommu_word_store(entry, 0);
		leaves++;
	}
	if (leaves)
		pt_clean(pt, table + index, done);
	*bytes += (uint64_t)leaves << pt_shift(level);
	return done;
}

/* Takes the table behind a slot out of the tree; nothing is in it. */
static void pt_drop(struct uiommu_pt *pt, uiommu_word_t *dir,
		    unsigned int index, unsigned int level,
		    struct uiommu_gather *gather)
{
	uintptr_t link = uiommu_load(pt_link(dir, index));

	uiommu_word_store(&dir[index], 0);
	pt_clean(pt, &dir[index], 1);
	uiommu_store(pt_link(dir, index), 0);
	uiommu_pt_table_gather(gather, pt_linked_table(link), level);
}

/* Where pt_clear() is: tables[at] is the way down to @pos. */
struct pt_walk {
	uiommu_word_t *tables[PT_LEVELS_MAX];
	unsigned int at;
	uint64_t pos;
};

/*
 * Leaves the slots of one table behind: of a directory those that lie wholly
 * inside the range. One that does not has no leaf (they were split) and may be
 * somebody else's to put a table in: it is not touched.
 */
static inline void pt_clear_slots(struct uiommu_pt *pt,
				  struct uiommu_range range,
				  struct pt_walk *walk, uint64_t *bytes)
{
	uint64_t span = pt_span(walk->at);
	unsigned int index = pt_index(walk->pos, walk->at);
	uint64_t count = (range.last - walk->pos + 1) >> pt_shift(walk->at);

	if ((walk->pos & (span - 1)) || !count) {
		walk->pos = (walk->pos | (span - 1)) + 1;
		return;
	}
	if (count > PT_ENTRIES - index)
		count = PT_ENTRIES - index;
	count = pt_wipe(pt, walk->tables[walk->at], walk->at, index,
			(unsigned int)count, bytes);
	walk->pos += count << pt_shift(walk->at);
}

/* Empties a range that no leaf crosses the ends of. Returns bytes unmapped. */
static uint64_t pt_clear(struct uiommu_pt *pt, struct uiommu_range range,
			 struct uiommu_gather *gather)
{
	unsigned int top = pt->config.levels - 1;
	struct pt_walk walk;
	bool tables = false;
	uint64_t bytes = 0;

	walk.tables[top] = pt->root;
	walk.at = top;
	walk.pos = range.first;
	while (walk.pos <= range.last) {
		uiommu_word_t *table = walk.tables[walk.at];
		unsigned int index = pt_index(walk.pos, walk.at);
		uintptr_t link = 0;

		if (walk.at)
			link = uiommu_load(pt_link(table, index));
		if (link) {
			walk.tables[--walk.at] = pt_linked_table(link);
			continue;
		}
		pt_clear_slots(pt, range, &walk, &bytes);

		/* Up, out of each table that ends here or that we end in. */
		while (walk.at < top) {
			uint64_t span = pt_span(walk.at + 1);
			uint64_t first = (walk.pos - 1) & ~(span - 1);

			if (walk.pos <= range.last && (walk.pos & (span - 1)))
				break;
			walk.at++;
			if (first < range.first ||
			    first + (span - 1) > range.last)
				continue;
			pt_drop(pt, walk.tables[walk.at],
				pt_index(first, walk.at), walk.at - 1, gather);
			tables = true;
		}
	}
	if (bytes || tables)
		uiommu_gather_add(gather, range);
	gather->tables |= tables;
	return bytes;
}

/* Tables in store by level, so that no split fails after another was made. */
struct pt_spares {
	uiommu_word_t *tables[2][2];
	uiommu_paddr_t paddrs[2][2];
	unsigned int count[2];
};

/* The entry that decides about @iova, and its level. */
static inline uint64_t pt_entry(const struct uiommu_pt *pt, uiommu_iova_t iova,
				uiommu_word_t **table, unsigned int *level)
{
	uiommu_word_t *at = pt->root;
	unsigned int n;
	uint64_t entry = 0;

	for (n = pt->config.levels - 1; n; n--) {
		uintptr_t link = pt_slot(at, pt_index(iova, n), &entry);

		if (!link)
			break;
		at = pt_linked_table(link);
	}
	if (!n)
		entry = uiommu_word_load(&at[pt_index(iova, 0)]);
	*table = at;
	*level = n;
	return entry;
}

/* Counts the tables that splits at one end of a range need. */
static void pt_count_splits(const struct uiommu_pt *pt, uiommu_iova_t iova,
			    uint64_t edge, unsigned int needed[2])
{
	uiommu_word_t *table;
	unsigned int level;

	if (!pt_present(pt_entry(pt, iova, &table, &level)))
		return;
	for (; level; level--)
		if (edge & (pt_span(level) - 1))
			needed[level - 1]++;
}

static void pt_free_spares(struct uiommu_pt *pt, struct pt_spares *spares)
{
	unsigned int level;

	for (level = 0; level < 2; level++)
		while (spares->count[level])
			uiommu_pt_table_free(
				pt,
				spares->tables[level][--spares->count[level]],
				level);
}

static int pt_get_spares(struct uiommu_pt *pt, struct uiommu_range range,
			 unsigned int flags, struct pt_spares *spares)
{
	unsigned int needed[2] = { 0, 0 }, level;

	pt_count_splits(pt, range.first, range.first, needed);
	pt_count_splits(pt, range.last, range.last + 1, needed);
	spares->count[0] = 0;
	spares->count[1] = 0;
	for (level = 0; level < 2; level++) {
		/* Both ends in one leaf: it is split once. */
		if (needed[level] == 2 &&
		    !((range.first ^ range.last) >> pt_shift(level + 1)))
			needed[level] = 1;
		while (spares->count[level] < needed[level]) {
			unsigned int n = spares->count[level];

			spares->tables[level][n] = uiommu_pt_table_alloc(
				pt, level, flags, &spares->paddrs[level][n]);
			if (!spares->tables[level][n]) {
				pt_free_spares(pt, spares);
				return UIOMMU_ENOMEM;
			}
			spares->count[level]++;
		}
	}
	return UIOMMU_OK;
}

/* Replaces a leaf of level @at by a table of the next smaller ones. */
static void pt_split(struct uiommu_pt *pt, uiommu_word_t *dir, unsigned int at,
		     unsigned int index, struct pt_spares *spares)
{
	uint64_t leaf = uiommu_word_load(&dir[index]);
	unsigned int n = --spares->count[at - 1];
	uiommu_word_t *table = spares->tables[at - 1][n];

	pt_fill(pt, table, at - 1, 0, PT_ENTRIES, pt_fmt_paddr(leaf),
		pt_fmt_prot(leaf));
	/*
	 * The table is whole, and cleaned, before one store puts it in the
	 * place of the leaf: a walk meets either, and both say the same.
	 */
	uiommu_store(pt_link(dir, index), (uintptr_t)table | PT_LINKED);
	uiommu_word_store(&dir[index], pt_fmt_table(spares->paddrs[at - 1][n]));
	pt_clean(pt, &dir[index], 1);
}

/* Splits what crosses an end of @range at @iova, until nothing does. */
static void pt_split_at(struct uiommu_pt *pt, struct uiommu_range range,
			uiommu_iova_t iova, struct pt_spares *spares,
			struct uiommu_gather *gather)
{
	for (;;) {
		uiommu_word_t *table;
		unsigned int at;
		uint64_t entry = pt_entry(pt, iova, &table, &at);
		struct uiommu_range leaf;

		leaf.first = iova & ~(pt_span(at) - 1);
		leaf.last = iova | (pt_span(at) - 1);
		if (!pt_present(entry) ||
		    (leaf.first >= range.first && leaf.last <= range.last))
			break;
		pt_split(pt, table, at, pt_index(iova, at), spares);
		/*
		 * A cached superpage may be forgotten only as a whole, and
		 * walks of it may have been cached as well.
		 */
		uiommu_gather_add(gather, leaf);
		gather->tables = true;
	}
}

/* Takes out again what map entered before it met an error. */
PT_RARE void pt_undo(struct uiommu_pt *pt, uiommu_iova_t first,
		     uiommu_iova_t next, struct uiommu_gather *gather)
{
	struct uiommu_range range;

	if (next == first)
		return;
	range.first = first;
	range.last = next - 1;
	/* All of it was free before, so no leaf crosses its ends. */
	pt_clear(pt, range, gather);
}

PT_RARE int pt_map_any(struct uiommu_pt *pt, struct uiommu_range range,
		       uiommu_paddr_t paddr, unsigned int prot,
		       unsigned int flags, struct uiommu_gather *gather)
{
	struct uiommu_range left = range;
	int err;

	do {
		unsigned int level = pt_leaf_level(pt, left, paddr);
		unsigned int index, done;
		uiommu_word_t *table;
		uint64_t count;

		err = pt_descend(pt, left.first, flags, &table, &level);
		if (err)
			break;
		index = pt_index(left.first, level);
		count = (left.last - left.first + 1) >> pt_shift(level);
		if (count > PT_ENTRIES - index)
			count = PT_ENTRIES - index;
		done = pt_fill(pt, table, level, index, (unsigned int)count,
			       paddr, prot);
		if (!done) {
			err = UIOMMU_EEXIST;
			break;
		}
		left.first += (uint64_t)done << pt_shift(level);
		paddr += (uint64_t)done << pt_shift(level);
	} while (left.first <= left.last);
	if (err)
		pt_undo(pt, range.first, left.first, gather);
	return err;
}

/* The table of level 0 that all of @range is in, if it stands; or NULL. */
static inline uiommu_word_t *pt_one_table(const struct uiommu_pt *pt,
					  struct uiommu_range range)
{
	uiommu_word_t *table = pt->root;
	unsigned int at;

	if ((range.first ^ range.last) >> pt_shift(1))
		return NULL;
	for (at = pt->config.levels - 1; at; at--) {
		uintptr_t link = uiommu_load(
			pt_link(table, pt_index(range.first, at)));

		if (!(link & PT_LINKED))
			return NULL;
		table = pt_linked_table(link);
	}
	return table;
}

static inline unsigned int pt_pages(struct uiommu_range range)
{
	return (unsigned int)((range.last - range.first) >> pt_shift(0)) + 1;
}

static inline int pt_map(struct uiommu_pt *pt, struct uiommu_range range,
			 uiommu_paddr_t paddr, unsigned int prot,
			 unsigned int flags, struct uiommu_gather *gather)
{
	uiommu_word_t *table = pt_one_table(pt, range);
	unsigned int done;

	if (!table)
		return pt_map_any(pt, range, paddr, prot, flags, gather);
	done = pt_fill(pt, table, 0, pt_index(range.first, 0), pt_pages(range),
		       paddr, prot);
	if (done == pt_pages(range))
		return UIOMMU_OK;
	pt_undo(pt, range.first, range.first + done * pt_span(0), gather);
	return UIOMMU_EEXIST;
}

PT_RARE int pt_unmap_any(struct uiommu_pt *pt, struct uiommu_range range,
			 unsigned int flags, struct uiommu_gather *gather,
			 uint64_t *unmapped)
{
	struct pt_spares spares;
	int err = pt_get_spares(pt, range, flags, &spares);

	if (err)
		return err;
	pt_split_at(pt, range, range.first, &spares, gather);
	pt_split_at(pt, range, range.last, &spares, gather);
	*unmapped = pt_clear(pt, range, gather);
	return UIOMMU_OK;
}

static inline int pt_unmap(struct uiommu_pt *pt, struct uiommu_range range,
			   unsigned int flags, struct uiommu_gather *gather,
			   uint64_t *unmapped)
{
	uiommu_word_t *table = pt_one_table(pt, range);
	uint64_t bytes = 0;

	/* A table that is emptied as a whole also leaves the tree. */
	if (!table || pt_pages(range) == PT_ENTRIES)
		return pt_unmap_any(pt, range, flags, gather, unmapped);
	pt_wipe(pt, table, 0, pt_index(range.first, 0), pt_pages(range),
		&bytes);
	if (bytes)
		uiommu_gather_add(gather, range);
	*unmapped = bytes;
	return UIOMMU_OK;
}

static inline int pt_lookup(const struct uiommu_pt *pt, uiommu_iova_t iova,
			    uiommu_paddr_t *paddr, unsigned int *prot)
{
	uiommu_word_t *table;
	unsigned int level;
	uint64_t entry = pt_entry(pt, iova, &table, &level);

	if (!pt_present(entry))
		return UIOMMU_ENOENT;
	*paddr = pt_fmt_paddr(entry) + (iova & (pt_span(level) - 1));
	if (prot)
		*prot = pt_fmt_prot(entry);
	return UIOMMU_OK;
}

static inline int pt_leaf(const struct uiommu_pt *pt, uiommu_iova_t iova,
			  struct uiommu_pt_leaf *leaf)
{
	uiommu_word_t *table;
	unsigned int level;
	uint64_t entry = pt_entry(pt, iova, &table, &level);

	if (!pt_present(entry))
		return UIOMMU_ENOENT;
	leaf->range.first = iova & ~(pt_span(level) - 1);
	leaf->range.last = iova | (pt_span(level) - 1);
	leaf->paddr = pt_fmt_paddr(entry);
	leaf->prot = pt_fmt_prot(entry);
	return UIOMMU_OK;
}

static inline int pt_find(const struct uiommu_pt *pt, struct uiommu_range range,
			  bool mapped, uiommu_iova_t *iova)
{
	uint64_t pos = range.first;

	while (pos <= range.last) {
		uiommu_word_t *table;
		unsigned int level;
		uint64_t entry = pt_entry(pt, pos, &table, &level);

		while (pt_present(entry) != mapped) {
			pos = (pos | (pt_span(level) - 1)) + 1;
			if (level || pos > range.last || !pt_index(pos, 0))
				break;
			entry = uiommu_word_load(&table[pt_index(pos, 0)]);
		}
		if (pos <= range.last && pt_present(entry) == mapped) {
			*iova = pos;
			return UIOMMU_OK;
		}
	}
	return UIOMMU_ENOENT;
}

#endif /* UIOMMU_PT_ENGINE_H */
