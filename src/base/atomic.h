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

/*
 * One access of 64 bits to a word that hardware may walk. A 32-bit x86 has no
 * plain one outside of its floating-point registers, which a kernel may not
 * touch, and compilers told so call a helper library for __atomic_load_n: the
 * older builtin is one instruction with every compiler and option.
 */
static inline uint64_t uiommu_word_load(uiommu_word_t *word)
{
	if (sizeof(void *) < 8)
		return __sync_val_compare_and_swap(word, 0, 0);
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void uiommu_word_store(uiommu_word_t *word, uint64_t value)
{
	uint64_t old, seen;

	if (sizeof(void *) >= 8) {
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
		return;
	}
	seen = 0;
	do {
		old = seen;
		seen = __sync_val_compare_and_swap(word, old, value);
	} while (seen != old);
}

/* Orders writes to memory before a later register write or valid bit. */
#define uiommu_barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif /* UIOMMU_BASE_ATOMIC_H */
