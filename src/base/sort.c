// SPDX-License-Identifier: MIT
/* Heapsort: in place, no recursion, n log n whatever firmware wrote. */
#include "base/sort.h"

#define SORT_PIECE 64

struct sort_heap {
	uint8_t *base;
	size_t size;
	bool (*less)(const void *a, const void *b);
};

static uint8_t *sort_at(const struct sort_heap *heap, uint32_t i)
{
	return heap->base + (size_t)i * heap->size;
}

static void sort_swap(const struct sort_heap *heap, uint32_t i, uint32_t k)
{
	uint8_t *a = sort_at(heap, i);
	uint8_t *b = sort_at(heap, k);
	uint8_t held[SORT_PIECE];
	size_t left = heap->size;
	size_t piece;

	for (; left != 0; left -= piece, a += piece, b += piece) {
		piece = left < SORT_PIECE ? left : SORT_PIECE;
		memcpy(held, a, piece);
		memcpy(a, b, piece);
		memcpy(b, held, piece);
	}
}

static void sort_sink(const struct sort_heap *heap, uint32_t i, uint32_t count)
{
	while (i < count / 2) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < count &&
		    heap->less(sort_at(heap, child), sort_at(heap, child + 1)))
			child++;
		if (!heap->less(sort_at(heap, i), sort_at(heap, child)))
			return;
		sort_swap(heap, i, child);
		i = child;
	}
}

void uiommu_sort(void *base, uint32_t count, size_t size,
		 bool (*less)(const void *a, const void *b))
{
	struct sort_heap heap = { base, size, less };
	uint32_t i;

	for (i = count / 2; i != 0; i--)
		sort_sink(&heap, i - 1, count);
	for (i = count; i > 1; i--) {
		sort_swap(&heap, 0, i - 1);
		sort_sink(&heap, 0, i - 1);
	}
}
