// SPDX-License-Identifier: MIT
#include <uiommu/version.h>

const char *uiommu_version(void)
{
	return UIOMMU_VERSION_STRING;
}
