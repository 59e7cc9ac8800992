// SPDX-License-Identifier: MIT
#include <uiommu/error.h>
#include <uiommu/types.h>

static const struct {
	int err;
	const char *text;
} error_texts[] = {
	{ UIOMMU_OK, "success" },
	{ UIOMMU_EPERM, "not allowed by this domain or policy" },
	{ UIOMMU_ENOENT, "no such mapping, device or table" },
	{ UIOMMU_EIO, "remapping unit is broken or reported a failure" },
	{ UIOMMU_ENOMEM, "out of memory" },
	{ UIOMMU_EACCES,
	  "the group is not the caller's, or the device not in use" },
	{ UIOMMU_EBUSY, "in use, or not in a state that allows this" },
	{ UIOMMU_EEXIST, "there already, in whole or in part" },
	{ UIOMMU_ENODEV, "no usable remapping unit" },
	{ UIOMMU_EINVAL, "invalid argument" },
	{ UIOMMU_ENOSPC, "out of I/O virtual addresses or domain ids" },
	{ UIOMMU_ERANGE, "out of reach of the domain or the device" },
	{ UIOMMU_EBADTABLE, "firmware table is unusable" },
	{ UIOMMU_EINUSE, "a driver uses a device of the group" },
	{ UIOMMU_ENOTSUP, "not supported by the hardware" },
	{ UIOMMU_ETIMEDOUT, "hardware did not answer in time" },
	{ UIOMMU_EOWNED, "the group is claimed by an owner" },
	{ UIOMMU_ESTALE, "the domain was freed" },
};

const char *uiommu_strerror(int err)
{
	size_t i;

	for (i = 0; i < sizeof(error_texts) / sizeof(error_texts[0]); i++)
		if (error_texts[i].err == err)
			return error_texts[i].text;
	return "unknown error";
}
