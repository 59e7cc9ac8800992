// SPDX-License-Identifier: MIT
/*
 * Whose a group is: kernel drivers' (counted), an owner's, or nobody's. The
 * first two exclude each other.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* --- Kernel drivers ------------------------------------------------------- */

static int device_use(struct uiommu_device *device)
{
	struct uiommu_group *group = device->group;
	int err;

	if (group && group->owner)
		return UIOMMU_EOWNED;
	if (device->barred)
		return UIOMMU_EPERM;
	if (device->resetting)
		return UIOMMU_EBUSY;
	if (group) {
		err = uiommu_core_group_return(group);
		if (err)
			return err;
	}
	uiommu_store(&device->uses, device->uses + 1);
	if (group)
		group->uses++;
	uiommu_core_device_publish(device);
	return UIOMMU_OK;
}

int uiommu_device_use(struct uiommu_device *device)
{
	unsigned long state = uiommu_core_lock(device->uiommu);
	int err = device_use(device);

	uiommu_core_unlock(device->uiommu, state);
	return err;
}

void uiommu_device_unuse(struct uiommu_device *device)
{
	unsigned long state = uiommu_core_lock(device->uiommu);

	if (device->uses) {
		uiommu_store(&device->uses, device->uses - 1);
		if (device->group)
			device->group->uses--;
		uiommu_core_device_publish(device);
	}
	uiommu_core_unlock(device->uiommu, state);
}

/* --- Owners --------------------------------------------------------------- */

/* Refuses every member: into the group's sink, or else blocked. */
static int owner_refuse(struct uiommu_group *group)
{
	struct uiommu_domain *domain = uiommu_core_refusal(group);
	struct uiommu_device *device;
	int err;

	/* Who is refused in the books alone: another kernel's work ends, too. */
	for (device = group->members; device; device = device->next) {
		if (!device->barred || !device->hw.inherited)
			continue;
		err = uiommu_core_device_enter(device, domain);
		if (err)
			return err;
	}
	/* Also if it is on record there: a broken unit may not know of it. */
	err = uiommu_core_group_move(group, domain);
	if (err && domain == group->sink)
		err = uiommu_core_group_move(group, &group->uiommu->blocked);
	return err;
}

/* A relaxable region may be dropped for a user, and only such are there. */
static void owner_relax(struct uiommu_group *group, bool relax)
{
	struct uiommu_device *device;

	for (device = group->members; device; device = device->next) {
		if (relax)
			device->hw.direct = false;
		else
			uiommu_core_device_set_direct(
				device, group->uiommu->edition,
				uiommu_core_device_index(device));
	}
}

static int owner_claim(struct uiommu_group *group, const void *owner)
{
	int err;

	if (group->owner)
		return UIOMMU_EOWNED;
	if (group->uses)
		return UIOMMU_EINUSE;
	if (group->resets)
		return UIOMMU_EBUSY;
	err = uiommu_core_claim_check(group);
	if (!err)
		err = owner_refuse(group);
	if (err)
		return err;
	owner_relax(group, true);
	uiommu_store(&group->owner, owner);
	return UIOMMU_OK;
}

int uiommu_group_claim(struct uiommu_group *group, const void *owner)
{
	unsigned long state;
	int err;

	if (!owner)
		return UIOMMU_EINVAL;
	state = uiommu_core_lock(group->uiommu);
	err = owner_claim(group, owner);
	uiommu_core_unlock(group->uiommu, state);
	return err;
}

static int owner_check(const struct uiommu_group *group, const void *owner)
{
	return group->owner && group->owner == owner ? UIOMMU_OK
						     : UIOMMU_EACCES;
}

static int owner_release(struct uiommu_group *group, const void *owner)
{
	struct uiommu *uiommu = group->uiommu;
	int err = owner_check(group, owner);

	if (err)
		return err;
	/*
	 * By way of blocked: a region that must stay translated from now on is
	 * not in the owner's domain, so nothing is lost in between.
	 */
	err = owner_refuse(group);
	owner_relax(group, false);
	uiommu_store(&group->owner, NULL);
	if (!err)
		err = uiommu_core_group_return(group);
	if (!err)
		return UIOMMU_OK;
	uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
		   UIOMMU_SID_FMT ": group %u cannot go back to its default "
				  "domain: %s",
		   UIOMMU_SID_ARGS(uiommu_core_group_sid(group)), group->id,
		   uiommu_strerror(err));
	if (group->domain != uiommu_core_refusal(group) &&
	    group->domain != &uiommu->blocked)
		uiommu_core_group_block(group);
	return err;
}

int uiommu_group_release(struct uiommu_group *group, const void *owner)
{
	unsigned long state = uiommu_core_lock(group->uiommu);
	int err = owner_release(group, owner);

	uiommu_core_unlock(group->uiommu, state);
	return err;
}

static int owner_attach(struct uiommu_group *group, const void *owner,
			struct uiommu_domain *domain)
{
	int err = owner_check(group, owner);

	if (err)
		return err;
	if (group->resets)
		return UIOMMU_EBUSY;
	if (!uiommu_core_domain_known(group->uiommu, domain))
		return UIOMMU_ESTALE;
	if (domain->hw.type != UIOMMU_DOMAIN_UNMANAGED)
		return UIOMMU_EINVAL;
	return uiommu_core_group_move(group, domain);
}

int uiommu_group_attach(struct uiommu_group *group, const void *owner,
			struct uiommu_domain *domain)
{
	unsigned long state = uiommu_core_lock(group->uiommu);
	int err = owner_attach(group, owner, domain);

	uiommu_core_unlock(group->uiommu, state);
	return err;
}

int uiommu_group_detach(struct uiommu_group *group, const void *owner)
{
	unsigned long state = uiommu_core_lock(group->uiommu);
	int err = owner_check(group, owner);

	if (!err && group->resets)
		err = UIOMMU_EBUSY;
	if (!err)
		err = owner_refuse(group);
	uiommu_core_unlock(group->uiommu, state);
	return err;
}
