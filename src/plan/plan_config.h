/* SPDX-License-Identifier: MIT */
/* What a build may choose; each is 0 or 1. */
#ifndef UIOMMU_PLAN_CONFIG_H
#define UIOMMU_PLAN_CONFIG_H

/* 1: default domains are identity where no option says otherwise. */
#ifndef UIOMMU_CONFIG_DEFAULT_PASSTHROUGH
#define UIOMMU_CONFIG_DEFAULT_PASSTHROUGH 0
#endif

/* 0: translated default domains are lazy where no option says otherwise. */
#ifndef UIOMMU_CONFIG_DEFAULT_STRICT
#define UIOMMU_CONFIG_DEFAULT_STRICT 1
#endif

/*
 * 1: a unit without pass-through gets identity by a 1:1 table of RAM, if the
 * host tells its RAM. 0: it gets translation, as in newer Linux.
 */
#ifndef UIOMMU_CONFIG_IDENTITY_SOFTWARE
#define UIOMMU_CONFIG_IDENTITY_SOFTWARE 1
#endif

/* 1: an ISA bridge keeps 0-16 MiB where no option says otherwise. */
#ifndef UIOMMU_CONFIG_ISA_RANGE
#define UIOMMU_CONFIG_ISA_RANGE 1
#endif

#endif /* UIOMMU_PLAN_CONFIG_H */
