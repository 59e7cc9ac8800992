// SPDX-License-Identifier: MIT
/* Devices that are refused for themselves: sinks, and function resets. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* --- Sinks ---------------------------------------------------------------- */

/* Those who are refused move to where that is now. */
static void sink_place(struct uiommu_group *group)
{
	struct uiommu_device *device;

	for (device = group->members; device; device = device->next)
		if (device->barred)
			uiommu_core_device_refuse(device);
}

static int sink_set(struct uiommu_group *group, bool on)
{
	struct uiommu_domain *sink = group->sink;
	int err;

	if (group->owner)
		return UIOMMU_EOWNED;
	if (group->resets)
		return UIOMMU_EBUSY;
	if (on == (sink != NULL))
		return UIOMMU_OK;
	if (on) {
		err = uiommu_core_domain_make(&group, 1, UIOMMU_DOMAIN_SINK,
					      &sink);
		if (err)
			return err;
		sink->owner = group;
		group->sink = sink;
		sink_place(group);
		return UIOMMU_OK;
	}
	group->sink = NULL;
	sink_place(group);
	uiommu_core_group_drop(group, sink);
	return UIOMMU_OK;
}

int uiommu_group_set_sink(struct uiommu_group *group, bool on)
{
	unsigned long state = uiommu_core_lock(group->uiommu);
	int err = sink_set(group, on);

	uiommu_core_unlock(group->uiommu, state);
	return err;
}

/* --- Resets --------------------------------------------------------------- */

static int reset_begin(struct uiommu_device *device)
{
	int err;

	if (device->resetting)
		return UIOMMU_EBUSY;
	device->resetting = true;
	if (!device->group)
		return UIOMMU_OK;
	device->hw.yields = true;
	/* What firmware keeps for it stays within its reach. */
	err = device->hw.direct ? UIOMMU_OK : uiommu_core_device_place(device);
	if (err) {
		device->resetting = false;
		device->hw.yields = false;
	} else {
		device->group->resets++;
	}
	/* If what it inherited is gone no call has to wait for that any more. */
	uiommu_core_device_publish(device);
	return err;
}

static int reset_end(struct uiommu_device *device)
{
	int err;

	if (!device->resetting)
		return UIOMMU_EINVAL;
	device->resetting = false;
	if (!device->group)
		return UIOMMU_OK;
	/* Wherever the group is by now. */
	err = uiommu_core_device_place(device);
	device->resetting = err;
	device->hw.yields = err;
	if (!err)
		device->group->resets--;
	return err;
}

int uiommu_device_reset_begin(struct uiommu_device *device)
{
	unsigned long state = uiommu_core_lock(device->uiommu);
	int err = reset_begin(device);

	uiommu_core_unlock(device->uiommu, state);
	return err;
}

int uiommu_device_reset_end(struct uiommu_device *device)
{
	unsigned long state = uiommu_core_lock(device->uiommu);
	int err = reset_end(device);

	uiommu_core_unlock(device->uiommu, state);
	return err;
}
