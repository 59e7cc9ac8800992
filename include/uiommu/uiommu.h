/* SPDX-License-Identifier: MIT */
/* Everything that an embedder uses, but for what it provides: host.h. */
#ifndef UIOMMU_UIOMMU_H
#define UIOMMU_UIOMMU_H

#include <uiommu/change.h>
#include <uiommu/device.h>
#include <uiommu/dma.h>
#include <uiommu/dmar.h>
#include <uiommu/domain.h>
#include <uiommu/error.h>
#include <uiommu/fault.h>
#include <uiommu/group.h>
#include <uiommu/options.h>
#include <uiommu/pci.h>
#include <uiommu/plan.h>
#include <uiommu/power.h>
#include <uiommu/types.h>
#include <uiommu/version.h>

#endif /* UIOMMU_UIOMMU_H */
