/* SPDX-License-Identifier: MIT */
/*
 * Domains: address spaces that devices are attached to, group by group.
 *
 * There is one identity and one blocked domain per instance; both live as long
 * as it does. Default domains and sinks belong to their groups. A host makes
 * unmanaged domains for a guest or a user-space driver, maps in them by address
 * and attaches groups that it claimed. These are counted.
 */
#ifndef UIOMMU_DOMAIN_H
#define UIOMMU_DOMAIN_H

#include <uiommu/device.h>
#include <uiommu/error.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** uiommu_domain_type() - never UIOMMU_DOMAIN_NONE [any] */
enum uiommu_domain_type uiommu_domain_type(const struct uiommu_domain *domain);
/**
 * uiommu_identity_domain() - the instance's own; never NULL [any]
 *
 * Shared by all who are in identity, and there for as long as the instance is.
 * Where a unit has pass-through it reaches everything; on units without, RAM
 * as the host told it and all direct regions, through one table made at start.
 */
struct uiommu_domain *uiommu_identity_domain(struct uiommu *uiommu);
/** uiommu_blocked_domain() - the instance's own; never NULL [any] */
struct uiommu_domain *uiommu_blocked_domain(struct uiommu *uiommu);

/**
 * uiommu_domain_create() - make an unmanaged domain
 * @groups: the groups it is meant for: the weakest of their units says what
 *	tables look like
 * @count: how many; not 0
 * @domain: where to store it
 *
 * Empty: a device attached to it reaches nothing yet. It may be attached to
 * other groups as well if their units can walk its tables.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK; the caller holds it, see uiommu_domain_put(). Or
 *   UIOMMU_EINVAL - no group, or groups of different instances
 *   UIOMMU_ENOTSUP - the groups' units have no table format in common
 *   UIOMMU_ENOMEM - no memory
 */
UIOMMU_MUST_CHECK
int uiommu_domain_create(struct uiommu_group *const *groups, uint32_t count,
			 struct uiommu_domain **domain);

/**
 * uiommu_domain_get() - hold an unmanaged domain once more [sleep]
 *
 * Others are not counted: they live with their group or with the instance.
 */
void uiommu_domain_get(struct uiommu_domain *domain);

/**
 * uiommu_domain_put() - let go of an unmanaged domain
 * @uiommu: its instance
 * @domain: one that the caller holds
 *
 * Who lets go last frees it; a group that is attached to it holds it, too. If
 * a unit broke with a device in it, only uiommu_stop() frees it.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or, with nothing changed:
 *   UIOMMU_EINVAL - identity, blocked, or a group's own domain
 *   UIOMMU_ESTALE - it was freed already
 *   UIOMMU_EBUSY - only the groups that are attached hold it any more
 */
UIOMMU_MUST_CHECK
int uiommu_domain_put(struct uiommu *uiommu, struct uiommu_domain *domain);

/**
 * uiommu_domain_aperture() - addresses that can be mapped [any]
 * @domain: unmanaged or DMA; for others nothing is stored
 * @range: where to store it
 *
 * Return: UIOMMU_OK, or UIOMMU_EINVAL for a domain without tables.
 */
UIOMMU_MUST_CHECK
int uiommu_domain_aperture(const struct uiommu_domain *domain,
			   struct uiommu_range *range);

/**
 * uiommu_domain_table_pages() - pages of 4 KiB that a domain's tables take [any]
 *
 * Return: 0 if it has none, as the identity domain where every unit has
 * pass-through.
 */
uint64_t uiommu_domain_table_pages(const struct uiommu_domain *domain);

/**
 * uiommu_domain_map() - make a physical range reachable by a domain's devices
 * @domain: unmanaged
 * @range: addresses to map, inclusive, whole 4 KiB pages
 * @paddr: physical address of @range.first, aligned to 4 KiB
 * @prot: UIOMMU_PROT_READ, UIOMMU_PROT_WRITE or both
 *
 * After success the hardware sees the mapping. After an error the domain
 * translates as before the call: no part of @range is newly mapped.
 *
 * Context: any that may not be interrupted by another call on the same range;
 * disjoint ranges may be mapped at once. Allocates without sleeping.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EPERM - not an unmanaged domain
 *   UIOMMU_EINVAL - empty, unaligned, wrapping, or unknown @prot
 *   UIOMMU_ERANGE - beyond the aperture, or @paddr beyond what tables hold
 *   UIOMMU_EEXIST - some page of @range is mapped already
 *   UIOMMU_ENOMEM - no memory for a table; a retry may succeed
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_domain_map(struct uiommu_domain *domain, struct uiommu_range range,
		      uiommu_paddr_t paddr, unsigned int prot);

/**
 * uiommu_domain_unmap() - take mappings away
 * @domain: unmanaged
 * @range: inclusive, whole 4 KiB pages; holes are fine, and so are parts of
 *	what was mapped at once
 * @unmapped: bytes that were mapped; may be NULL
 *
 * After success no device reaches the range any more, through no cache. After
 * UIOMMU_ENOMEM (a large page had to be split) nothing was unmapped. After
 * UIOMMU_EIO or UIOMMU_ETIMEDOUT the range is unmapped but a device may still
 * reach the memory: it must not be reused.
 *
 * Context and other errors: as uiommu_domain_map().
 */
UIOMMU_MUST_CHECK
int uiommu_domain_unmap(struct uiommu_domain *domain, struct uiommu_range range,
			uint64_t *unmapped);

/**
 * uiommu_domain_lookup() - where an address leads
 * @domain: any
 * @iova: address as a device would use it, any alignment
 * @paddr: where to store the physical address
 *
 * In identity it says what every device there reaches: those on units with
 * pass-through may reach more.
 *
 * Context: any; not while the same address is unmapped.
 *
 * Return: UIOMMU_OK, or UIOMMU_ENOENT if an access would be refused.
 */
UIOMMU_MUST_CHECK
int uiommu_domain_lookup(const struct uiommu_domain *domain, uiommu_iova_t iova,
			 uiommu_paddr_t *paddr);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_DOMAIN_H */
