// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "iova/iova_tree.h"
#include "iova_check.h"

/* The long way: every order, every aligned address in the gap. */
static unsigned int order_of(uint64_t first, uint64_t size)
{
	unsigned int best = 0;

	for (unsigned int order = 12; order < 64; order++) {
		uint64_t block = UINT64_C(1) << order;
		uint64_t at = (first + block - 1) / block * block;

		if (block <= size && at >= first && at - first <= size - block)
			best = order;
	}
	return best;
}

static void check_node(const struct uiommu_iova_node *node, uint64_t free_from)
{
	const struct uiommu_iova_node *children[] = { node->left, node->right };
	unsigned int height[2] = { 0, 0 }, max_order = node->order;
	uint64_t max_gap = node->gap;

	assert_true(node->first >= free_from);
	assert_true(node->last >= node->first);
	assert_int_equal(node->gap, node->first - free_from);
	assert_int_equal(node->order, order_of(free_from, node->gap));
	for (unsigned int n = 0; n < 2; n++) {
		if (!children[n])
			continue;
		assert_ptr_equal(children[n]->parent, node);
		height[n] = children[n]->height;
		if (children[n]->max_gap > max_gap)
			max_gap = children[n]->max_gap;
		if (children[n]->max_order > max_order)
			max_order = children[n]->max_order;
	}
	assert_in_range(height[0] + 1 - height[1], 0, 2);
	assert_int_equal(node->height,
			 1 + (height[0] > height[1] ? height[0] : height[1]));
	assert_int_equal(node->max_gap, max_gap);
	assert_int_equal(node->max_order, max_order);
}

size_t iova_check(const struct uiommu_iova_space *space)
{
	struct uiommu_iova_node *node = space->root;
	uint64_t free_from = space->aperture.first;
	size_t nodes = 0, live = 0;

	assert_null(node->parent);
	while (node->left)
		node = node->left;
	for (; node; node = uiommu_iova_tree_next(node)) {
		check_node(node, free_from);
		free_from = node->last + 1;
		live += node->state != IOVA_RESERVED;
		nodes++;
	}
	/* The sentinel reaches to the end of 64 bits. */
	assert_int_equal(free_from, 0);
	assert_int_equal(live, space->live);
	assert_int_equal(nodes, space->nodes.live);
	return nodes;
}
