/* SPDX-License-Identifier: MIT */
/* The one sort of the library. */
#ifndef UIOMMU_BASE_SORT_H
#define UIOMMU_BASE_SORT_H

#include <uiommu/types.h>

/*
 * Sorts @count elements of @size bytes at @base in place, whatever their order,
 * in n log n steps without recursion. Those of which neither is @less than the
 * other come out in any order, so @less should be a total one.
 */
void uiommu_sort(void *base, uint32_t count, size_t size,
		 bool (*less)(const void *a, const void *b));

#endif /* UIOMMU_BASE_SORT_H */
