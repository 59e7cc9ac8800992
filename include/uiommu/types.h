/* SPDX-License-Identifier: MIT */
/*
 * Fixed-width types, ranges and compiler glue: the only header of the core
 * that includes anything from outside the project, and the only one that
 * knows the compiler. A port whose system has no <stdint.h> (the Linux kernel
 * is one) defines UIOMMU_TYPES_HEADER as the name of a header of its own that
 * declares the same names.
 */
#ifndef UIOMMU_TYPES_H
#define UIOMMU_TYPES_H

#ifdef UIOMMU_TYPES_HEADER
#include UIOMMU_TYPES_HEADER
#else
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __cplusplus
/* All of libc that the core needs; a compiler may call them by itself. */
void *memcpy(void *dest, const void *src, size_t size);
void *memmove(void *dest, const void *src, size_t size);
void *memset(void *dest, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
#endif
#endif

typedef uint64_t uiommu_iova_t;	 /* address that a device puts on the bus */
typedef uint64_t uiommu_paddr_t; /* address that the memory controller sees */

/* A PCI requester; wrapped so that it is never taken for a domain id. */
struct uiommu_sid {
	uint16_t segment;
	uint16_t rid; /* bus 15:8, device 7:3, function 2:0 */
};

/* Every range in this project is inclusive at both ends. */
struct uiommu_range {
	uint64_t first;
	uint64_t last;
};

#ifdef __cplusplus
#define UIOMMU_STATIC_ASSERT(expr) static_assert(expr, #expr)
#else
#define UIOMMU_STATIC_ASSERT(expr) _Static_assert(expr, #expr)
#endif

#define UIOMMU_MUST_CHECK __attribute__((warn_unused_result))
#define UIOMMU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define UIOMMU_BIT32(n) ((uint32_t)1 << (n))
#define UIOMMU_BIT64(n) ((uint64_t)1 << (n))
#define UIOMMU_MASK64(hi, lo) \
	((~(uint64_t)0 >> (63 - (hi))) & (~(uint64_t)0 << (lo)))

/* Field access by mask: the shift is derived, never written down. */
#define UIOMMU_GET64(mask, reg) (((reg) & (mask)) / ((mask) & -(mask)))
#define UIOMMU_PUT64(mask, val) \
	(((uint64_t)(val) * ((mask) & -(mask))) & (mask))

#define UIOMMU_PAGE_SIZE ((uint64_t)4096) /* the IOMMU's, not the CPU's */
#define UIOMMU_PAGE_MASK (UIOMMU_PAGE_SIZE - 1)

#define UIOMMU_SID_BUS(sid) ((unsigned int)(sid).rid >> 8)
#define UIOMMU_SID_DEV(sid) (((unsigned int)(sid).rid >> 3) & 31u)
#define UIOMMU_SID_FN(sid) ((unsigned int)(sid).rid & 7u)

#endif /* UIOMMU_TYPES_H */
