/* SPDX-License-Identifier: MIT */
/* Root and context tables: which requester is in which address space. */
#ifndef UIOMMU_VTD_CONTEXT_H
#define UIOMMU_VTD_CONTEXT_H

#include "vtd/vtd_domain.h"
#include "vtd/vtd_unit.h"

/* A requester with its aliases, known to one unit. */
struct vtd_device {
	struct uiommu_hwdev *hw;   /* (c) */
	struct vtd_unit *unit;	   /* (c) */
	struct vtd_domain *domain; /* (m) NULL: blocked */
	struct vtd_device *next;   /* (m) of the unit */
};

/* The context entry that puts a requester of @u into @domain (joined). */
struct vtd_entry uiommu_vtd_context_entry(const struct vtd_unit *u,
					  const struct vtd_domain *domain);

/*
 * Would putting the device into @domain, which need not be joined, leave
 * somebody with a direct region without an entry for a moment? @sid: which of
 * the device's requester ids it is about.
 */
bool uiommu_vtd_context_gap(const struct vtd_device *dev,
			    const struct vtd_domain *domain,
			    struct uiommu_sid *sid);

/*
 * @table, which is full already, is that of @bus from now on. UIOMMU_ENOMEM,
 * then it is not; UIOMMU_EIO.
 */
UIOMMU_MUST_CHECK
int uiommu_vtd_context_put(struct vtd_unit *u, unsigned int bus,
			   struct vtd_entry *table, uiommu_paddr_t paddr);
/* Tables for all of the device's buses. UIOMMU_ENOMEM, UIOMMU_EIO. */
UIOMMU_MUST_CHECK int uiommu_vtd_context_add(struct vtd_device *dev);
/* Entries are cleared already. */
void uiommu_vtd_context_remove(struct vtd_device *dev);

/*
 * Makes the entries of all the device's requester ids say dev->domain, and
 * caches forget what they said before. An entry that another device shares is
 * never cleared on the way, unless it has to change, and goes back to that
 * device's domain when this one is blocked. After an error the unit is broken.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_context_update(struct vtd_device *dev);
/* @dev is gone, and inherited: who yielded to it has no reason any more. */
void uiommu_vtd_context_left(const struct vtd_device *dev);
/*
 * The same for a unit that is broken: in memory only. Of a device that was not
 * attached yet what was inherited is put back.
 */
void uiommu_vtd_context_restore(struct vtd_device *dev);

/* Frees the context tables. */
void uiommu_vtd_context_free(struct vtd_unit *u);

#endif /* UIOMMU_VTD_CONTEXT_H */
