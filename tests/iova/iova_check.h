/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_TESTS_IOVA_CHECK_H
#define UIOMMU_TESTS_IOVA_CHECK_H

#include "iova/iova.h"

/*
 * Asserts all that must hold of the tree: order, links, balance, and that each
 * node's gap and sums are what the ranges say. Returns how many nodes it has.
 */
size_t iova_check(const struct uiommu_iova_space *space);

#endif /* UIOMMU_TESTS_IOVA_CHECK_H */
