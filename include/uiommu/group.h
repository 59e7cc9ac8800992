/* SPDX-License-Identifier: MIT */
/*
 * Groups: devices that cannot be isolated from each other. All members are in
 * one domain: the group's default domain, whose type the plan decides and
 * uiommu_group_set_type() changes, or one of an owner's who claimed the group
 * for a guest or a user-space driver.
 *
 * Kernel drivers and owners exclude each other: a group is claimed while no
 * member is in use (uiommu_device_use()), and used while nobody owns it.
 *
 * A member that could not use the type of its group when it joined is blocked
 * wherever the group is; the plan says so and why.
 */
#ifndef UIOMMU_GROUP_H
#define UIOMMU_GROUP_H

#include <uiommu/device.h>
#include <uiommu/error.h>
#include <uiommu/plan.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * uiommu_group_id() - small number of a group [any]
 *
 * Return: struct uiommu_plan_group.id of the plan in force; it never changes
 * while the group is there.
 */
uint32_t uiommu_group_id(const struct uiommu_group *group);

/**
 * uiommu_group_regions() - reserved regions of a group [any]
 * @group: group
 * @count: where to store how many
 *
 * All its members' together, merged as people see them: the one list by which
 * addresses are given out, direct regions are mapped and users are refused.
 * Of a direct region that overlaps the interrupt window (or another range that
 * is never mapped) only the rest is mapped. Host bridges' windows are not in it.
 *
 * Return: the first, in ascending order; valid as uiommu_plan() says.
 */
const struct uiommu_region *
uiommu_group_regions(const struct uiommu_group *group, uint32_t *count);

/**
 * uiommu_group_type() - type of the default domain [any]
 *
 * Return: IDENTITY, DMA, DMA_FQ, or BLOCKED where none could be had.
 */
enum uiommu_domain_type uiommu_group_type(const struct uiommu_group *group);

/**
 * uiommu_group_default_domain() - never NULL [any]
 *
 * Valid until the type changes or the group's last member leaves.
 */
struct uiommu_domain *
uiommu_group_default_domain(const struct uiommu_group *group);

/** uiommu_group_domain() - the domain all its members are in [any] */
struct uiommu_domain *uiommu_group_domain(const struct uiommu_group *group);

/** uiommu_group_owner() - who claimed it, or NULL [any] */
const void *uiommu_group_owner(const struct uiommu_group *group);

/**
 * uiommu_group_set_type() - change the type of a group's default domain
 * @group: group of any number of devices
 * @type: UIOMMU_DOMAIN_IDENTITY, _DMA or _DMA_FQ; UIOMMU_DOMAIN_NONE: what the
 *	plan would choose if nobody had asked for anything
 *
 * One transaction: a new plan says whether it may be; members in use are
 * paused by the host; the new domain is built, direct regions mapped in it,
 * every member attached, the old domain freed. Accesses to direct regions go
 * through all the while. DMA and DMA_FQ take each other's place without any of
 * that, whoever is at work. (DMA_FQ invalidates at once, too, for now.)
 *
 * After an error everything is as it was; if the hardware refuses even that,
 * the group is blocked and the log says so.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, also if it has that type already, or
 *   UIOMMU_EINVAL - no such type can be asked for
 *   UIOMMU_EOWNED - the group is claimed
 *   UIOMMU_EINUSE - a member is in use and the host did not pause it; or it
 *     has yet to make its first DMA call (see uiommu_dma_map()), or is in it
 *   UIOMMU_EBUSY - a member is being reset, or mappings of the DMA API are
 *     still out
 *   UIOMMU_EPERM - a member requires another type; the log says which and why
 *   UIOMMU_ENOTSUP - members' units have no tables in common
 *   UIOMMU_ERANGE - a direct region is out of reach of the tables
 *   UIOMMU_ENOMEM, UIOMMU_ENOSPC - no memory, or a unit is out of domain ids
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_group_set_type(struct uiommu_group *group,
			  enum uiommu_domain_type type);

/**
 * uiommu_group_set_sink() - what being blocked is like for a group
 * @group: group that nobody owns
 * @on: true: every address reads and writes one page that is nobody's
 *
 * For devices that hang the bus when they are refused. Holds for claims, for
 * resets and for members that cannot use the group's type; the page is the
 * group's own, so that no device finds there what another group's left. Where
 * the hardware refuses the sink, the device is blocked.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or, with nothing changed:
 *   UIOMMU_EOWNED, UIOMMU_EBUSY - claimed, or a member is being reset
 *   UIOMMU_ENOTSUP - members' units have no tables in common
 *   UIOMMU_ENOMEM - no memory
 */
UIOMMU_MUST_CHECK
int uiommu_group_set_sink(struct uiommu_group *group, bool on);

/**
 * uiommu_group_claim() - take a group for a guest or a user-space driver
 * @group: group
 * @owner: any address that stands for the owner; not NULL
 *
 * Blocks every member at once. The default domain is kept, with what is
 * mapped there, for the time after.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or, with nothing changed (but for a unit that refuses the
 * way back: then the group is blocked, and the log says so):
 *   UIOMMU_EINVAL - no owner
 *   UIOMMU_EOWNED - claimed already, by this owner or another
 *   UIOMMU_EINUSE - a kernel driver uses a member
 *   UIOMMU_EBUSY - a member is being reset
 *   UIOMMU_EPERM - firmware keeps a direct region for a member (relaxable ones
 *     do not count), or it is kept apart from groups that it relates to; the
 *     log names member, region and table entry
 *   UIOMMU_ENOMEM - no memory
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_group_claim(struct uiommu_group *group, const void *owner);

/**
 * uiommu_group_release() - give a group back
 * @group: group
 * @owner: the one who claimed it
 *
 * From whatever domain it is in, by way of blocked, every member goes back to
 * the default domain; one that is being reset follows at the end of it. Members
 * that were refused because the group was claimed are let in. If that fails the
 * group is blocked, but released all the same; the next uiommu_device_use() or
 * uiommu_group_set_type() tries again.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EACCES - nobody or somebody else claimed it; nothing changed
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT, UIOMMU_ENOSPC - released, and blocked
 */
UIOMMU_MUST_CHECK
int uiommu_group_release(struct uiommu_group *group, const void *owner);

/**
 * uiommu_group_attach() - put every member of a claimed group into a domain
 * @group: group
 * @owner: the one who claimed it
 * @domain: unmanaged, of the same instance
 *
 * It takes the place of the domain that the group was in, at once: an access
 * that both allow is not refused in between. The group holds the domain until
 * it leaves it. One domain may be attached to several groups.
 *
 * After an error every member is in the domain it was in; if the hardware
 * refuses even that, it is blocked and the log says so.
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EACCES - nobody or somebody else claimed the group
 *   UIOMMU_ESTALE - the domain was freed, or is of another instance (this
 *     goes unnoticed once another domain has taken its place in memory)
 *   UIOMMU_EINVAL - it is no unmanaged domain: uiommu_group_detach() blocks
 *   UIOMMU_EBUSY - a member is being reset
 *   UIOMMU_ENOTSUP - a unit cannot walk the domain's tables; the log says why
 *   UIOMMU_ENOSPC - a unit is out of domain ids
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit is broken
 */
UIOMMU_MUST_CHECK
int uiommu_group_attach(struct uiommu_group *group, const void *owner,
			struct uiommu_domain *domain);

/**
 * uiommu_group_detach() - block every member of a claimed group
 * @group: group
 * @owner: the one who claimed it
 *
 * Context: sleep.
 *
 * Return: as uiommu_group_attach(); UIOMMU_OK also if it is blocked already.
 */
UIOMMU_MUST_CHECK
int uiommu_group_detach(struct uiommu_group *group, const void *owner);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_GROUP_H */
