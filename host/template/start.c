// SPDX-License-Identifier: MIT
/* Steps 4 to 6: the calls that bring every device under control. */
#include <uiommu/uiommu.h>

#include "host.h"

int template_iommu_start(struct uiommu_host *host)
{
	struct uiommu_config config = { 0 };
	struct uiommu *uiommu;
	int err;

	config.dmar = host->dmar;
	config.dmar_size = host->dmar_size;
	err = uiommu_create(host, &config, &uiommu);
	if (err)
		return err;

	err = uiommu_scan_pci(uiommu, 0, 0, 255);
	if (err)
		goto err_destroy;

	err = uiommu_start(uiommu);
	if (err)
		goto err_destroy;

	/* From here on a device reaches what uiommu_dma_map() gives it. */
	host->uiommu = uiommu;
	return UIOMMU_OK;

err_destroy:
	uiommu_destroy(uiommu);
	return err;
}
