/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_HOST_H
#define TEMPLATE_HOST_H

#include <uiommu/uiommu.h>
#include <uiommu/host.h>

/* Whatever the functions in host_tier1.c need to know of your kernel. */
struct uiommu_host {
	const void *dmar; /* the ACPI table with signature "DMAR", or NULL */
	size_t dmar_size; /* as its header says */
	struct uiommu *uiommu; /* set by template_iommu_start() */
};

/* Brings every device under control; see start.c. */
int template_iommu_start(struct uiommu_host *host);

#endif /* TEMPLATE_HOST_H */
