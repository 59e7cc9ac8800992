// SPDX-License-Identifier: MIT
/* Devices: one per function of the topology, and those only ACPI knows. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* Two or three to a page. */
UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_device) <= 512);

/* The plan goes before the device does: it keeps its requester ids itself. */
static int device_keep_sids(struct uiommu_device *device,
			    const struct uiommu_plan *plan,
			    const struct uiommu_plan_device *from)
{
	struct uiommu_sid *sids = device->sids;
	size_t size = from->alias_count * sizeof(*sids);
	int err;

	if (from->alias_count > CORE_OWN_SIDS) {
		err = uiommu_block_alloc(device->uiommu->host, size,
					 &device->sid_block);
		if (err)
			return err;
		sids = device->sid_block.memory;
	}
	memcpy(sids, &plan->aliases[from->alias_first], size);
	device->hw.sids = sids;
	device->hw.sid_count = from->alias_count;
	return UIOMMU_OK;
}

void uiommu_core_device_set_direct(struct uiommu_device *device,
				   const struct uiommu_edition *edition,
				   uint32_t index)
{
	const struct uiommu_plan *plan = &edition->view.plan;
	const struct uiommu_plan_device *from = &plan->devices[index];
	uint32_t i;

	device->hw.direct = false;
	for (i = 0; i < from->region_count; i++)
		if (uiommu_core_is_direct(
			    &plan->regions[from->region_first + i]))
			device->hw.direct = true;
}

int uiommu_core_device_make(struct uiommu *uiommu,
			    const struct uiommu_edition *edition,
			    uint32_t index, struct uiommu_device **device)
{
	const struct uiommu_plan *plan = &edition->view.plan;
	const struct uiommu_plan_device *from = &plan->devices[index];
	struct uiommu_driver *driver = uiommu->driver;
	struct uiommu_device *made;
	int err;

	made = uiommu_pool_alloc(&uiommu->device_pool, 0);
	if (!made)
		return UIOMMU_ENOMEM;
	made->uiommu = uiommu;
	made->dma_mask = ~(uint64_t)0;
	made->sid = plan->aliases[from->alias_first];
	if (from->function != UIOMMU_PCI_NONE)
		made->sid = edition->view.topology.functions[index].sid;
	made->barred = from->barred;
	made->hw.unit = from->unit;
	uiommu_core_device_set_direct(made, edition, index);
	err = device_keep_sids(made, plan, from);
	if (!err && from->unit != UIOMMU_PLAN_NONE) {
		err = driver->ops->device_init(driver, &made->hw);
		made->ready = !err;
	}
	if (err) {
		uiommu_core_device_free(made);
		return err;
	}
	*device = made;
	return UIOMMU_OK;
}

void uiommu_core_device_free(struct uiommu_device *device)
{
	struct uiommu *uiommu = device->uiommu;
	struct uiommu_driver *driver = uiommu->driver;

	if (device->ready)
		driver->ops->device_fini(driver, &device->hw);
	uiommu_block_free(uiommu->host, &device->sid_block);
	uiommu_pool_free(&uiommu->device_pool, device);
}

int uiommu_core_device_attach(struct uiommu_device *device,
			      struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = device->uiommu->driver;
	int err;

	/* Whatever it was in: there the unit does not walk any more. */
	if (device->lost)
		return domain == &device->uiommu->blocked ? UIOMMU_OK
							  : UIOMMU_EIO;
	/* The hardware's word for it: books may say more than came true. */
	if (device->hw.domain == &domain->hw)
		return UIOMMU_OK;
	err = driver->ops->attach(driver, &device->hw, &domain->hw);
	if (!err)
		device->hw.domain = &domain->hw;
	return err;
}

int uiommu_core_device_enter(struct uiommu_device *device,
			     struct uiommu_domain *domain)
{
	struct uiommu_domain *blocked = &device->uiommu->blocked;
	int err = uiommu_core_device_attach(device, domain);

	/* A sink is a favour to the bus; refusing is what counts. */
	if (err && domain == device->group->sink) {
		domain = blocked;
		err = uiommu_core_device_attach(device, domain);
	}
	if (!err)
		uiommu_store(&device->domain, domain);
	return err;
}

int uiommu_core_device_place(struct uiommu_device *device)
{
	struct uiommu_domain *domain = device->group->domain;

	if (device->barred || device->resetting)
		domain = uiommu_core_refusal(device->group);
	/*
	 * Another kernel's work goes on until somebody asks for the device; not
	 * where the group is an owner's.
	 */
	if (device->hw.inherited && !device->resetting &&
	    !device->group->owner) {
		uiommu_store(&device->domain, domain);
		return UIOMMU_OK;
	}
	return uiommu_core_device_enter(device, domain);
}

void uiommu_core_device_refuse(struct uiommu_device *device)
{
	int err = uiommu_core_device_place(device);

	if (err)
		uiommu_log(device->uiommu->host, UIOMMU_LOG_ERROR,
			   UIOMMU_SID_FMT ": is not refused, as it should be: "
					  "%s",
			   UIOMMU_SID_ARGS(device->sid), uiommu_strerror(err));
}

void uiommu_core_device_publish(struct uiommu_device *device)
{
	struct uiommu_group *group = device->group;
	struct uiommu_domain *domain = &device->uiommu->identity;

	/* Without a unit addresses are physical, as they are in identity. */
	if (group)
		domain = group->default_domain;
	/* It could not stay there: no address would lead anywhere. */
	if (group && group->domain != domain)
		domain = &device->uiommu->blocked;
	if (!device->uses || device->paused || device->hw.inherited)
		domain = NULL;
	uiommu_store(&device->dma, domain);
}

static int device_arrive(struct uiommu_device *device)
{
	int err;

	if (!device->uses || device->paused)
		return UIOMMU_EACCES;
	if (device->hw.inherited) {
		/* Against the rules, and no unit would hear of it. */
		if (device->uiommu->suspended)
			return UIOMMU_EBUSY;
		err = uiommu_core_device_attach(device, device->domain);
		/* Its unit is broken: who asks again is told at once. */
		if (err == UIOMMU_EIO || err == UIOMMU_ETIMEDOUT)
			uiommu_store(&device->dma, &device->uiommu->blocked);
		if (err)
			return err;
	}
	/* Also if it arrived in the meantime, by way of a reset. */
	uiommu_core_device_publish(device);
	return UIOMMU_OK;
}

int uiommu_core_device_arrive(struct uiommu_device *device,
			      struct uiommu_domain **domain)
{
	unsigned long state;
	int err = UIOMMU_OK;

	/* Wrong calls find out in any context, a pause's included. */
	if (!uiommu_load(&device->uses) || uiommu_load(&device->paused))
		return UIOMMU_EACCES;
	/*
	 * Who holds the mutex may have to wait for this driver: either it sees
	 * that a call waits for the mutex, or the call sees what it published.
	 */
	uiommu_add(&device->arriving, 1u);
	uiommu_barrier();
	*domain = uiommu_load(&device->dma);
	if (!*domain) {
		state = uiommu_core_lock(device->uiommu);
		err = device_arrive(device);
		*domain = uiommu_load(&device->dma);
		uiommu_core_unlock(device->uiommu, state);
	}
	uiommu_add(&device->arriving, ~(uint32_t)0);
	return err;
}

struct uiommu_sid uiommu_device_sid(const struct uiommu_device *device)
{
	return device->sid;
}

struct uiommu_group *uiommu_device_group(const struct uiommu_device *device)
{
	return device->group;
}

struct uiommu_domain *uiommu_device_domain(const struct uiommu_device *device)
{
	return uiommu_load(&device->domain);
}
