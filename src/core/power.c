// SPDX-License-Identifier: MIT
/*
 * Sleep, and the end. No lock of the core is taken here: in suspend and resume
 * nobody else runs, in shutdown whoever holds one may never let go.
 */
#include <uiommu/error.h>
#include <uiommu/power.h>

#include "base/format.h"
#include "core/object.h"
#include "plan/plan.h"

void uiommu_core_tell_stays_on(struct uiommu *uiommu,
			       const struct uiommu_edition *edition)
{
	struct uiommu_driver *driver = uiommu->driver;
	struct uiommu_plan_input input = { 0 };
	uint32_t i;

	if (!driver->ops->stays_on)
		return;
	input.dmar = &uiommu->dmar;
	input.topology = &edition->view.topology;
	input.rules = uiommu->input.rules;
	for (i = 0; i < uiommu->dmar.record_count; i++)
		driver->ops->stays_on(driver, i,
				      uiommu_plan_stays_on(&input, i));
}

int uiommu_suspend(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;

	if (!uiommu_load(&uiommu->started) || uiommu->suspended)
		return UIOMMU_EBUSY;
	/* Also after an error: resume puts right what was done. */
	uiommu->suspended = true;
	return driver->ops->suspend(driver);
}

static bool power_broken(struct uiommu *uiommu, uint32_t record)
{
	struct uiommu_unit_info info;
	uint32_t index;

	for (index = 0; !uiommu_unit_info(uiommu, index, &info); index++)
		if (info.record == record)
			return info.broken;
	return false;
}

static bool power_lost(struct uiommu *uiommu, const struct uiommu_group *group)
{
	const struct uiommu_device *device;

	for (device = group->members; device; device = device->next)
		if (power_broken(uiommu, device->hw.unit))
			return true;
	return false;
}

/*
 * In the hardware where it answers, in the books wherever. The domain that it
 * was in stays: a member that cannot be moved may still reach it.
 */
static void power_block(struct uiommu *uiommu, struct uiommu_group *group)
{
	struct uiommu_domain *blocked = &uiommu->blocked;
	struct uiommu_device *device;

	for (device = group->members; device; device = device->next) {
		if (!uiommu_core_device_attach(device, blocked))
			continue;
		device->lost = true;
		device->hw.inherited = false; /* nothing is to come of it */
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": its unit did not come back, its "
					  "group is blocked",
			   UIOMMU_SID_ARGS(device->sid));
	}
	uiommu_core_group_enter(group, blocked);
	for (device = group->members; device; device = device->next) {
		uiommu_store(&device->domain, blocked);
		uiommu_core_device_publish(device);
	}
}

int uiommu_resume(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;
	struct uiommu_group *group;
	int err;

	if (!uiommu->suspended)
		return UIOMMU_EBUSY;
	err = driver->ops->resume(driver);
	/* Those too that broke in suspend, or before it. */
	for (group = uiommu->groups; group; group = group->next)
		if (group->domain != &uiommu->blocked &&
		    power_lost(uiommu, group))
			power_block(uiommu, group);
	uiommu->suspended = false;
	return err;
}

void uiommu_core_wake(struct uiommu *uiommu)
{
	int err;

	if (!uiommu->suspended)
		return;
	err = uiommu_resume(uiommu);
	if (err)
		uiommu_log(uiommu->host, UIOMMU_LOG_DEBUG,
			   "stopped while suspended: %s", uiommu_strerror(err));
}

void uiommu_shutdown(struct uiommu *uiommu, bool keep_translating)
{
	if (uiommu && uiommu->driver)
		uiommu->driver->ops->shutdown(uiommu->driver, keep_translating);
}
