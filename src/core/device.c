// SPDX-License-Identifier: MIT
/* Devices: one per function of the topology, in its order. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

static int device_make(struct uiommu *uiommu, uint32_t index)
{
	const struct uiommu_plan *plan = &uiommu->plan;
	struct uiommu_device *device = &uiommu->devices[index];
	struct uiommu_driver *driver = uiommu->driver;
	int err;

	device->uiommu = uiommu;
	device->plan = &plan->devices[index];
	device->dma_mask = ~(uint64_t)0;
	device->hw.sids = &plan->aliases[device->plan->alias_first];
	device->hw.sid_count = device->plan->alias_count;
	device->hw.unit = device->plan->unit;
	if (device->hw.unit == UIOMMU_PLAN_NONE)
		return UIOMMU_OK;

	err = driver->ops->device_init(driver, &device->hw);
	device->ready = !err;
	return err;
}

int uiommu_core_devices_make(struct uiommu *uiommu)
{
	uint32_t count = uiommu->plan.device_count;
	uint32_t i;
	int err;

	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)count * sizeof(*uiommu->devices),
				 &uiommu->device_block);
	if (err)
		return err;
	uiommu->devices = uiommu->device_block.memory;

	for (i = 0; i < count; i++) {
		err = device_make(uiommu, i);
		if (err)
			return err;
	}
	return UIOMMU_OK;
}

void uiommu_core_devices_free(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;
	uint32_t i;

	if (!uiommu->devices)
		return;
	for (i = uiommu->plan.device_count; i > 0; i--)
		if (uiommu->devices[i - 1].ready)
			driver->ops->device_fini(driver,
						 &uiommu->devices[i - 1].hw);
	uiommu->devices = NULL;
	uiommu_block_free(uiommu->host, &uiommu->device_block);
}

struct uiommu_device *uiommu_device_find(struct uiommu *uiommu,
					 struct uiommu_sid sid)
{
	uint32_t index;

	if (!uiommu_load(&uiommu->started))
		return NULL;
	index = uiommu_topology_find(&uiommu->topology, sid);
	return index == UIOMMU_PCI_NONE ? NULL : &uiommu->devices[index];
}

struct uiommu_sid uiommu_device_sid(const struct uiommu_device *device)
{
	return device->hw.sids[0];
}

struct uiommu_group *uiommu_device_group(const struct uiommu_device *device)
{
	return device->group;
}

struct uiommu_domain *uiommu_device_domain(const struct uiommu_device *device)
{
	return uiommu_load(&device->domain);
}

const struct uiommu_region *
uiommu_device_regions(const struct uiommu_device *device, uint32_t *count)
{
	*count = device->plan->region_count;
	return &device->uiommu->plan.regions[device->plan->region_first];
}

int uiommu_device_set_dma_mask(struct uiommu_device *device, uint64_t mask)
{
	if (mask < UIOMMU_PAGE_MASK || (mask & (mask + 1)))
		return UIOMMU_EINVAL;
	device->dma_mask = mask;
	return UIOMMU_OK;
}
