/* SPDX-License-Identifier: MIT */
/* What a build may choose; each is 0 or 1. */
#ifndef UIOMMU_PLAN_CONFIG_H
#define UIOMMU_PLAN_CONFIG_H

/* 1: default domains are identity where no option says otherwise. */
#ifndef UIOMMU_CONFIG_DEFAULT_PASSTHROUGH
#define UIOMMU_CONFIG_DEFAULT_PASSTHROUGH 0
#endif

#endif /* UIOMMU_PLAN_CONFIG_H */
