// SPDX-License-Identifier: MIT
/* Heapsort: in place, no recursion, n log n whatever firmware wrote. */
#include "plan/plan.h"

#define PLAN_SORT_LARGEST 64

struct plan_heap {
	uint8_t *base;
	size_t size;
	bool (*less)(const void *a, const void *b);
};

static uint8_t *plan_at(const struct plan_heap *heap, uint32_t i)
{
	return heap->base + (size_t)i * heap->size;
}

static void plan_swap(const struct plan_heap *heap, uint32_t i, uint32_t k)
{
	uint8_t held[PLAN_SORT_LARGEST];

	memcpy(held, plan_at(heap, i), heap->size);
	memmove(plan_at(heap, i), plan_at(heap, k), heap->size);
	memcpy(plan_at(heap, k), held, heap->size);
}

static void plan_sink(const struct plan_heap *heap, uint32_t i, uint32_t count)
{
	while (i < count / 2) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < count &&
		    heap->less(plan_at(heap, child), plan_at(heap, child + 1)))
			child++;
		if (!heap->less(plan_at(heap, i), plan_at(heap, child)))
			return;
		plan_swap(heap, i, child);
		i = child;
	}
}

void uiommu_plan_sort(void *base, uint32_t count, size_t size,
		      bool (*less)(const void *a, const void *b))
{
	struct plan_heap heap = { base, size, less };
	uint32_t i;

	for (i = count / 2; i != 0; i--)
		plan_sink(&heap, i - 1, count);
	for (i = count; i > 1; i--) {
		plan_swap(&heap, 0, i - 1);
		plan_sink(&heap, 0, i - 1);
	}
}
