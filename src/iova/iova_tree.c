// SPDX-License-Identifier: MIT
#include "iova/iova_tree.h"

#define TREE_NO_ORDER 255u

/*
 * Gaps that a search looks at. One for what is sure to fit ends after twice
 * the height of the tree, which no memory lets grow so far.
 */
#define TREE_TRIES 128u

static unsigned int tree_log2(uint64_t value)
{
	unsigned int log = 0, step;

	for (step = 32; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			log += step;
		}
	}
	return log;
}

/* Any run of 2^n bytes holds an aligned block of 2^(n-1), maybe of 2^n. */
static void tree_set_gap(struct uiommu_iova_node *node, uint64_t gap)
{
	uint64_t first = node->first - gap, size;
	unsigned int order;

	node->gap = gap;
	node->order = 0;
	if (!gap)
		return;
	order = tree_log2(gap);
	size = UIOMMU_BIT64(order);
	/* The bytes that rounding up to @size costs. */
	if (order && ((0 - first) & (size - 1)) > gap - size)
		order--;
	node->order = (uint8_t)order;
}

static unsigned int tree_height(const struct uiommu_iova_node *node)
{
	return node ? node->height : 0;
}

/* Sums up the subtree from its two halves. */
static void tree_update(struct uiommu_iova_node *node)
{
	const struct uiommu_iova_node *child[2];
	unsigned int n, height = 0;

	child[0] = node->left;
	child[1] = node->right;
	node->max_gap = node->gap;
	node->max_order = node->order;
	for (n = 0; n < 2; n++) {
		if (!child[n])
			continue;
		if (child[n]->height > height)
			height = child[n]->height;
		if (child[n]->max_gap > node->max_gap)
			node->max_gap = child[n]->max_gap;
		if (child[n]->max_order > node->max_order)
			node->max_order = child[n]->max_order;
	}
	node->height = (uint8_t)(height + 1);
}

/* Puts @new, or nothing, where @old hangs. */
static void tree_replace(struct uiommu_iova_node **root,
			 struct uiommu_iova_node *old,
			 struct uiommu_iova_node *new)
{
	struct uiommu_iova_node *parent = old->parent;

	if (!parent)
		*root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

/* Turns the left child up, into the place of @node, and returns it. */
static struct uiommu_iova_node *tree_turn_right(struct uiommu_iova_node **root,
						struct uiommu_iova_node *node)
{
	struct uiommu_iova_node *up = node->left;

	tree_replace(root, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	tree_update(node);
	tree_update(up);
	return up;
}

static struct uiommu_iova_node *tree_turn_left(struct uiommu_iova_node **root,
					       struct uiommu_iova_node *node)
{
	struct uiommu_iova_node *up = node->right;

	tree_replace(root, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	tree_update(node);
	tree_update(up);
	return up;
}

/* Sums up and balances one node; returns what stands in its place. */
static struct uiommu_iova_node *tree_balance(struct uiommu_iova_node **root,
					     struct uiommu_iova_node *node)
{
	unsigned int left = tree_height(node->left);
	unsigned int right = tree_height(node->right);

	if (left > right + 1) {
		if (tree_height(node->left->left) <
		    tree_height(node->left->right))
			tree_turn_left(root, node->left);
		return tree_turn_right(root, node);
	}
	if (right > left + 1) {
		if (tree_height(node->right->right) <
		    tree_height(node->right->left))
			tree_turn_right(root, node->right);
		return tree_turn_left(root, node);
	}
	tree_update(node);
	return node;
}

/*
 * Brings sums and balance up to date from @node on upwards: past @changed, in
 * which a gap changed, and then until nothing changes any more.
 */
static void tree_fix(struct uiommu_iova_node **root,
		     struct uiommu_iova_node *node,
		     const struct uiommu_iova_node *changed)
{
	while (node) {
		unsigned int height = node->height, order = node->max_order;
		uint64_t gap = node->max_gap;

		if (node == changed)
			changed = NULL;
		node = tree_balance(root, node);
		if (!changed && node->height == height &&
		    node->max_order == order && node->max_gap == gap)
			break;
		node = node->parent;
	}
}

void uiommu_iova_tree_init(struct uiommu_iova_node **root,
			   struct uiommu_iova_node *sentinel,
			   uint64_t aperture_first)
{
	sentinel->left = NULL;
	sentinel->right = NULL;
	sentinel->parent = NULL;
	tree_set_gap(sentinel, sentinel->first - aperture_first);
	tree_update(sentinel);
	*root = sentinel;
}

struct uiommu_iova_node *uiommu_iova_tree_at(struct uiommu_iova_node *root,
					     uint64_t address)
{
	struct uiommu_iova_node *node = root, *found = NULL;

	while (node) {
		if (node->last >= address) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

struct uiommu_iova_node *uiommu_iova_tree_next(struct uiommu_iova_node *node)
{
	if (node->right) {
		node = node->right;
		while (node->left)
			node = node->left;
		return node;
	}
	while (node->parent && node == node->parent->right)
		node = node->parent;
	return node->parent;
}

void uiommu_iova_tree_insert(struct uiommu_iova_node **root,
			     struct uiommu_iova_node *above,
			     struct uiommu_iova_node *node)
{
	struct uiommu_iova_node *parent = above;

	tree_set_gap(node, node->first - (above->first - above->gap));
	tree_set_gap(above, above->first - node->last - 1);

	node->left = NULL;
	node->right = NULL;
	if (!above->left) {
		above->left = node;
	} else {
		parent = above->left;
		while (parent->right)
			parent = parent->right;
		parent->right = node;
	}
	node->parent = parent;
	tree_update(node);
	/* @above is an ancestor of the new node, or its parent. */
	tree_fix(root, parent, above);
}

/* A node that took another's place begins with its sums: see tree_fix(). */
static void tree_take_sums(struct uiommu_iova_node *node,
			   const struct uiommu_iova_node *from)
{
	node->height = from->height;
	node->max_gap = from->max_gap;
	node->max_order = from->max_order;
}

void uiommu_iova_tree_remove(struct uiommu_iova_node **root,
			     struct uiommu_iova_node *node)
{
	struct uiommu_iova_node *above = uiommu_iova_tree_next(node);
	struct uiommu_iova_node *start = node->parent;

	tree_set_gap(above, above->first - (node->first - node->gap));

	if (!node->right) {
		/* @above is an ancestor. */
		tree_replace(root, node, node->left);
	} else {
		/* @above, the lowest on the right, takes the node's place. */
		start = above;
		if (above != node->right) {
			start = above->parent;
			tree_replace(root, above, above->right);
			above->right = node->right;
			above->right->parent = above;
		}
		tree_replace(root, node, above);
		above->left = node->left;
		if (above->left)
			above->left->parent = above;
		tree_take_sums(above, node);
	}
	tree_fix(root, start, above);
}

/* The highest place in the gap of @node, not beyond @limit. */
static bool tree_fit(const struct uiommu_iova_node *node,
		     const struct iova_request *request, uint64_t *first)
{
	uint64_t low = node->first - node->gap, end = node->first, at;

	if (end > request->limit)
		end = request->limit + 1;
	if (end < low || end - low < request->size)
		return false;
	at = (end - request->size) & ~(request->align - 1);
	if (at < low)
		return false;
	*first = at;
	return true;
}

/*
 * From the limit downwards, through subtrees that promise something: a gap of
 * @gap bytes or an aligned block of 2^@order. If each such gap is a fit, then
 * the first promise is kept and the way is once down the tree.
 */
static struct uiommu_iova_node *tree_walk(struct uiommu_iova_node *root,
					  const struct iova_request *request,
					  uint64_t gap, unsigned int order,
					  uint64_t *first)
{
	struct uiommu_iova_node *node, *left;
	unsigned int tries = 0;

	/* The gap that @limit cuts is the first to try, and the only one. */
	node = uiommu_iova_tree_at(root, request->limit);
	if (node->first <= request->limit)
		node = uiommu_iova_tree_next(node);
	while (node && !tree_fit(node, request, first)) {
		if (++tries > TREE_TRIES)
			return NULL;
		left = node->left;
		if (left &&
		    (left->max_gap >= gap || left->max_order >= order)) {
			node = left;
			while (node->right && (node->right->max_gap >= gap ||
					       node->right->max_order >= order))
				node = node->right;
			continue;
		}
		while (node->parent && node == node->parent->left)
			node = node->parent;
		node = node->parent;
	}
	return node;
}

struct uiommu_iova_node *
uiommu_iova_tree_search(struct uiommu_iova_node *root,
			const struct iova_request *request, uint64_t *first)
{
	uint64_t slack = request->align - UIOMMU_PAGE_SIZE;
	unsigned int order = TREE_NO_ORDER;
	uint64_t gap = ~(uint64_t)0;
	struct uiommu_iova_node *node;

	/* What is a fit for sure, wherever it begins. */
	if (request->size <= gap - slack)
		gap = request->size + slack;
	if (request->size <= request->align)
		order = tree_log2(request->align);
	node = tree_walk(root, request, gap, order, first);

	/* What may be one; an aligned block was none of them. */
	if (!node && slack && request->size != request->align)
		node = tree_walk(root, request, request->size, TREE_NO_ORDER,
				 first);
	return node;
}
