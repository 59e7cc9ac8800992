/* SPDX-License-Identifier: MIT */
/* Domain ids of each unit, and who uses them. */
#ifndef UIOMMU_VTD_DOMAIN_H
#define UIOMMU_VTD_DOMAIN_H

#include "vtd/vtd_unit.h"

/*
 * A domain's place in a unit. Slots are taken in order and keep their unit
 * until the domain goes, so that invalidation reads them without a lock.
 */
struct vtd_slot {
	struct vtd_unit *unit; /* (c) once taken */
	uint32_t did;	       /* (a) written under (m); VTD_DID_NONE */
	uint32_t count;	       /* (m) devices attached */
};

struct vtd_domain {
	struct uiommu_hwdomain *hw; /* (c) */
	size_t size;		    /* (c) bytes of this object */
	uint32_t slot_count;	    /* (a) written under (m) */
	struct vtd_slot slots[];    /* one per unit that is not ignored */
};

/* Is @domain pass-through in @u, its tables not looked at? */
static inline bool uiommu_vtd_passes(const struct vtd_unit *u,
				     const struct uiommu_hwdomain *domain)
{
	return domain->type == UIOMMU_DOMAIN_IDENTITY && u->caps.passthrough;
}

/* The unit's map of ids. */
UIOMMU_MUST_CHECK int uiommu_vtd_ids_init(struct vtd_unit *u);
void uiommu_vtd_ids_fini(struct vtd_unit *u);
/* UIOMMU_ENOSPC if all are in use. */
UIOMMU_MUST_CHECK int uiommu_vtd_ids_alloc(struct vtd_unit *u, uint32_t *did);
void uiommu_vtd_ids_free(struct vtd_unit *u, uint32_t did);

/*
 * The domain's id in @u. VTD_DID_NONE, which stands in no entry, if it is not
 * attached there; identity domains always have theirs.
 */
uint32_t uiommu_vtd_domain_id(const struct vtd_domain *domain,
			      const struct vtd_unit *u);

/* Operations; see src/base/driver.h. */
UIOMMU_MUST_CHECK
int uiommu_vtd_pt_config(struct uiommu_driver *driver, const uint32_t *units,
			 uint32_t count, struct uiommu_pt_config *config);
UIOMMU_MUST_CHECK
int uiommu_vtd_domain_init(struct uiommu_driver *driver,
			   struct uiommu_hwdomain *domain);
bool uiommu_vtd_domain_held(struct uiommu_driver *driver,
			    const struct uiommu_hwdomain *domain);
void uiommu_vtd_domain_fini(struct uiommu_driver *driver,
			    struct uiommu_hwdomain *domain);
UIOMMU_MUST_CHECK
int uiommu_vtd_attach(struct uiommu_driver *driver, struct uiommu_hwdev *dev,
		      struct uiommu_hwdomain *domain);
UIOMMU_MUST_CHECK
int uiommu_vtd_invalidate(struct uiommu_driver *driver,
			  struct uiommu_hwdomain *domain,
			  const struct uiommu_gather *gather);
UIOMMU_MUST_CHECK
int uiommu_vtd_map_sync(struct uiommu_driver *driver,
			struct uiommu_hwdomain *domain,
			struct uiommu_range range);

/* The unit of a DMAR record, or NULL if there is none to use. */
struct vtd_unit *uiommu_vtd_find_unit(struct uiommu_driver *driver,
				      uint32_t record);

#endif /* UIOMMU_VTD_DOMAIN_H */
