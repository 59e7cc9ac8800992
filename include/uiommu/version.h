/* SPDX-License-Identifier: MIT */
/* The version of this library, at compile time and at run time. */
#ifndef UIOMMU_VERSION_H
#define UIOMMU_VERSION_H

#define UIOMMU_VERSION_MAJOR 0
#define UIOMMU_VERSION_MINOR 1
#define UIOMMU_VERSION_PATCH 0
#define UIOMMU_VERSION_STRING "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * uiommu_version() - version of the library that was linked
 *
 * Differs from UIOMMU_VERSION_STRING when headers and library are not of one
 * release. Context: any.
 *
 * Return: "major.minor.patch", a constant string.
 */
const char *uiommu_version(void);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_VERSION_H */
