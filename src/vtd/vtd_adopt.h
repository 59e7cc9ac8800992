/* SPDX-License-Identifier: MIT */
/* What a unit was found doing, and how it is taken over. */
#ifndef UIOMMU_VTD_ADOPT_H
#define UIOMMU_VTD_ADOPT_H

#include "vtd/vtd_context.h"
#include "vtd/vtd_unit.h"

/*
 * What an adopted unit goes on with. Kept beside the entries: in them there is
 * no bit that the other kernel could not have used for itself.
 */
struct vtd_inherited {
	/* Requester ids whose entries are the other kernel's still. */
	uint32_t rids[65536 / 32];
	/*
	 * Domain ids that it used: ours have none of them. What is cached by
	 * such an id goes with the last entry that was copied and has it.
	 */
	uint32_t dids[65536 / 32];
};
UIOMMU_STATIC_ASSERT(sizeof(struct vtd_inherited) == 4 * UIOMMU_PAGE_SIZE);

/* Reads how the unit is; changes nothing. */
void uiommu_vtd_look(struct vtd_unit *u);
/* In one line, if there is anything to tell. */
void uiommu_vtd_look_log(const struct vtd_unit *u);

/*
 * Decides what becomes of a unit that was found translating. Fills its root
 * table with copies if it can be adopted. Touches no hardware. UIOMMU_ENOMEM,
 * then nothing was decided.
 */
UIOMMU_MUST_CHECK int uiommu_vtd_takeover(struct vtd_unit *u);
/* Forgets all of it; the tables are the unit's own. */
void uiommu_vtd_takeover_end(struct vtd_unit *u);

/* Is the device to wait for its first attach? */
bool uiommu_vtd_inherits(const struct vtd_device *dev);
/* May it use addresses that a former kernel chose? After that was answered. */
bool uiommu_vtd_at_work(const struct vtd_device *dev);
/* What was inherited for @rid, one of the device's; NULL: nothing, or gone. */
const struct vtd_entry *uiommu_vtd_inherited_entry(const struct vtd_device *dev,
						   uint16_t rid);
/* It is to be in identity: warns if it was not before. */
void uiommu_vtd_inherited_physical(const struct vtd_device *dev);
/* Domain ids of entries that are gone may be had again. */
void uiommu_vtd_inherited_recount(struct vtd_unit *u);
/* The device's entries are ours now. */
void uiommu_vtd_inherited_gone(const struct vtd_device *dev);

#endif /* UIOMMU_VTD_ADOPT_H */
