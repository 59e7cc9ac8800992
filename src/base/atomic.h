/* SPDX-License-Identifier: MIT */
/*
 * Atomic words and barriers, as the compiler offers them. A word that CPUs
 * share and hardware may walk is a uiommu_word_t: eight bytes, naturally
 * aligned also where a 64-bit integer would not be (32-bit x86).
 */
#ifndef UIOMMU_BASE_ATOMIC_H
#define UIOMMU_BASE_ATOMIC_H

#include <uiommu/types.h>

typedef uint64_t __attribute__((aligned(8))) uiommu_word_t;

#define uiommu_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define uiommu_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define uiommu_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)

/* True if *@p was *@expected and is @v now; else *@expected says what it is. */
#define uiommu_cas(p, expected, v)                               \
	__atomic_compare_exchange_n((p), (expected), (v), false, \
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define uiommu_add(p, v) __atomic_add_fetch((p), (v), __ATOMIC_RELAXED)

/* Orders writes to memory before a later register write or valid bit. */
#define uiommu_barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif /* UIOMMU_BASE_ATOMIC_H */
