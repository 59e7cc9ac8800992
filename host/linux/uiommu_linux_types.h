/* SPDX-License-Identifier: MIT */
/*
 * The types of <uiommu/types.h> where there is no <stdint.h>: compile the core
 * in the Linux kernel with
 * -DUIOMMU_TYPES_HEADER='<uiommu_linux_types.h>' and this folder on the path.
 */
#ifndef UIOMMU_LINUX_TYPES_H
#define UIOMMU_LINUX_TYPES_H

#include <linux/limits.h>
#include <linux/stdarg.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define UINT8_MAX U8_MAX
#define UINT16_MAX U16_MAX
#define UINT32_MAX U32_MAX
#define UINT64_MAX U64_MAX

#endif /* UIOMMU_LINUX_TYPES_H */
