// SPDX-License-Identifier: MIT
/*
 * A format that shares nothing with VT-d's but the size of its tables: proof
 * that the engine does not know one from the other. An entry is present by a
 * bit of its own, its address is a page number further up, permission is said
 * by what is denied, and a leaf is marked where VT-d marks a pointer not.
 */
#include <uiommu/plan.h>
#include <uiommu/types.h>

#define TOY_PRESENT UIOMMU_BIT64(5)
#define TOY_POINTER UIOMMU_BIT64(6)
#define TOY_DENY_READ UIOMMU_BIT64(61)
#define TOY_DENY_WRITE UIOMMU_BIT64(60)
#define TOY_FRAME UIOMMU_MASK64(59, 20)
#define TOY_EXTRA UIOMMU_BIT64(1)

#define PT_FMT_PRESENT TOY_PRESENT

static inline uint64_t pt_fmt_table(uiommu_paddr_t paddr)
{
	return UIOMMU_PUT64(TOY_FRAME, paddr >> 12) | TOY_PRESENT | TOY_POINTER;
}

static inline uint64_t pt_fmt_leaf(unsigned int prot, unsigned int level)
{
	(void)level;
	return TOY_PRESENT | (prot & UIOMMU_PROT_READ ? 0 : TOY_DENY_READ) |
	       (prot & UIOMMU_PROT_WRITE ? 0 : TOY_DENY_WRITE);
}

static inline uint64_t pt_fmt_address(uiommu_paddr_t paddr)
{
	return UIOMMU_PUT64(TOY_FRAME, paddr >> 12);
}

static inline uiommu_paddr_t pt_fmt_paddr(uint64_t entry)
{
	return UIOMMU_GET64(TOY_FRAME, entry) << 12;
}

static inline unsigned int pt_fmt_prot(uint64_t entry)
{
	return (entry & TOY_DENY_READ ? 0 : UIOMMU_PROT_READ) |
	       (entry & TOY_DENY_WRITE ? 0 : UIOMMU_PROT_WRITE);
}

#include "base/atomic.h"
#include "pt_subject.h"

/* Lets a test step in right before the engine reads an entry. */
void (*pt_toy_before_read)(void *arg);
void *pt_toy_before_read_arg;

static uint64_t toy_word_load(uiommu_word_t *word)
{
	void (*hook)(void *arg) = pt_toy_before_read;

	if (hook) {
		pt_toy_before_read = NULL;
		hook(pt_toy_before_read_arg);
	}
	return uiommu_word_load(word);
}

#define uiommu_word_load toy_word_load
#include "pt/pt_engine.h"

static int toy_map(struct uiommu_pt *pt, struct uiommu_range range,
		   uiommu_paddr_t paddr, unsigned int prot, unsigned int flags,
		   struct uiommu_gather *gather)
{
	return pt_map(pt, range, paddr, prot, flags, gather);
}

static int toy_unmap(struct uiommu_pt *pt, struct uiommu_range range,
		     unsigned int flags, struct uiommu_gather *gather,
		     uint64_t *unmapped)
{
	return pt_unmap(pt, range, flags, gather, unmapped);
}

static int toy_lookup(const struct uiommu_pt *pt, uiommu_iova_t iova,
		      uiommu_paddr_t *paddr, unsigned int *prot)
{
	return pt_lookup(pt, iova, paddr, prot);
}

static int toy_find(const struct uiommu_pt *pt, struct uiommu_range range,
		    bool mapped, uiommu_iova_t *iova)
{
	return pt_find(pt, range, mapped, iova);
}

static enum pt_kind toy_decode(uint64_t entry, unsigned int level,
			       uiommu_paddr_t *paddr, unsigned int *prot)
{
	if (!(entry >> 5 & 1))
		return PT_NOTHING;
	*paddr = (entry >> 20 & UINT64_C(0xffffffffff)) << 12;
	*prot = (entry >> 61 & 1 ? 0 : UIOMMU_PROT_READ) |
		(entry >> 60 & 1 ? 0 : UIOMMU_PROT_WRITE);
	if (entry >> 6 & 1)
		return level && !(entry & 2) ? PT_POINTER : PT_DEFECT;
	return level < 3 && (entry & 2) ? PT_LEAF : PT_DEFECT;
}

const struct pt_subject pt_toy = {
	.name = "toy",
	.leaf_bits = TOY_EXTRA,
	.map = toy_map,
	.unmap = toy_unmap,
	.lookup = toy_lookup,
	.find = toy_find,
	.decode = toy_decode,
};
