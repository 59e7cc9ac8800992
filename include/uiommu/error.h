/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_ERROR_H
#define UIOMMU_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Negative, so that a count can share the return value. The numbers are those
 * of Linux so that a Linux host passes them through unchanged. They are ABI:
 * add at the end, never renumber.
 */
enum uiommu_error {
	UIOMMU_OK = 0,
	UIOMMU_EPERM = -1,   /* the domain or the policy forbids it */
	UIOMMU_ENOENT = -2,  /* no such mapping, device, group or table */
	UIOMMU_EIO = -5,     /* the unit is broken or reported a failure */
	UIOMMU_ENOMEM = -12, /* the host gave no memory; nothing changed */
	UIOMMU_EACCES = -13, /* a group not owned, a device not in use */
	UIOMMU_EBUSY = -16,  /* in use, or in the wrong state for this call */
	UIOMMU_EEXIST = -17, /* there already: a mapping, a function */
	UIOMMU_ENODEV = -19, /* no usable remapping unit */
	UIOMMU_EINVAL = -22, /* bug in the caller: alignment, flags, empty */
	UIOMMU_ENOSPC = -28, /* out of I/O virtual addresses or domain ids */
	UIOMMU_ERANGE = -34, /* beyond what the domain or the device reaches */
	UIOMMU_EBADTABLE = -74, /* firmware table unusable as a whole */
	UIOMMU_EINUSE = -87,	/* a kernel driver uses a member of the group */
	UIOMMU_ENOTSUP = -95,	/* the hardware lacks the capability */
	UIOMMU_ETIMEDOUT = -110, /* hardware missed its deadline: now broken */
	UIOMMU_EOWNED = -114,	 /* the group is claimed by an owner */
	UIOMMU_ESTALE = -116,	 /* the domain was freed, or never was one */
};

/**
 * uiommu_strerror() - say what an error means, in a few words
 * @err: UIOMMU_OK, a negative UIOMMU_E* or any other number
 *
 * Context: any.
 *
 * Return: a constant string, never NULL; "unknown error" for a number that is
 * not of enum uiommu_error.
 */
const char *uiommu_strerror(int err);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_ERROR_H */
