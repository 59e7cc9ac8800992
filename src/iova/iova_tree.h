/* SPDX-License-Identifier: MIT */
/*
 * The tree behind the allocator: an AVL tree of ranges that do not overlap, in
 * the order of their addresses, in which each node also stands for the free
 * gap right below it, and knows the largest gap in its subtree.
 *
 * The last node is a sentinel right above the aperture that is never removed,
 * so every gap has a node. Nodes of ranges are the caller's memory.
 */
#ifndef UIOMMU_IOVA_TREE_H
#define UIOMMU_IOVA_TREE_H

#include <uiommu/types.h>

enum iova_state {
	IOVA_RESERVED, /* the sentinel as well */
	IOVA_GIVEN,
	IOVA_CLAIMED, /* given, and on its way back */
};

/* One cache line on 64-bit machines. */
struct uiommu_iova_node {
	struct uiommu_iova_node *left;
	struct uiommu_iova_node *right;
	struct uiommu_iova_node *parent;
	uint64_t first;
	uint64_t last;
	uint64_t gap;	  /* free bytes right below first */
	uint64_t max_gap; /* largest gap in the subtree */
	uint8_t order; /* of the largest aligned block of 2^order in the gap */
	uint8_t max_order; /* largest order in the subtree */
	uint8_t height;	   /* of the subtree; a node without children has 1 */
	uint8_t state;	   /* enum iova_state */
};

UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_iova_node) <= 64);

struct iova_request {
	uint64_t size;
	uint64_t align;
	uint64_t limit; /* highest address; below the sentinel */
};

/* Begins with the sentinel; [aperture_first, node->first - 1] is its gap. */
void uiommu_iova_tree_init(struct uiommu_iova_node **root,
			   struct uiommu_iova_node *sentinel,
			   uint64_t aperture_first);

/* The lowest node whose range ends at @address or above, or NULL. */
struct uiommu_iova_node *uiommu_iova_tree_at(struct uiommu_iova_node *root,
					     uint64_t address);
struct uiommu_iova_node *uiommu_iova_tree_next(struct uiommu_iova_node *node);

/* Enters @node, whose range lies in the gap of @above. */
void uiommu_iova_tree_insert(struct uiommu_iova_node **root,
			     struct uiommu_iova_node *above,
			     struct uiommu_iova_node *node);
/* Takes @node out; its range becomes part of the gap above it. */
void uiommu_iova_tree_remove(struct uiommu_iova_node **root,
			     struct uiommu_iova_node *node);

/*
 * A place for @request: the node whose gap it is in, and the address, or NULL.
 * What it finds, and what it may miss, stands at uiommu_iova_alloc().
 */
struct uiommu_iova_node *
uiommu_iova_tree_search(struct uiommu_iova_node *root,
			const struct iova_request *request, uint64_t *first);

#endif /* UIOMMU_IOVA_TREE_H */
