/* SPDX-License-Identifier: MIT */
/* Loss of power, and the end of the kernel. Operations: src/base/driver.h. */
#ifndef UIOMMU_VTD_POWER_H
#define UIOMMU_VTD_POWER_H

#include "vtd/vtd_unit.h"

void uiommu_vtd_set_stays_on(struct uiommu_driver *driver, uint32_t record,
			     bool stays);
UIOMMU_MUST_CHECK int uiommu_vtd_suspend(struct uiommu_driver *driver);
UIOMMU_MUST_CHECK int uiommu_vtd_resume(struct uiommu_driver *driver);
void uiommu_vtd_shutdown(struct uiommu_driver *driver, bool keep_translating);

#endif /* UIOMMU_VTD_POWER_H */
