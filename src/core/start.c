// SPDX-License-Identifier: MIT
/* Apply the plan to the hardware, and let go of it again. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

static int start_plan(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;
	struct uiommu_plan_input input = {
		.dmar = &uiommu->dmar,
		.topology = &uiommu->topology,
		.options = uiommu->options,
	};
	struct uiommu_block units = { NULL, 0 };
	uint32_t count = uiommu->dmar.record_count;
	int err;

	err = uiommu_block_alloc(
		uiommu->host, (uint64_t)count * sizeof(*input.units), &units);
	if (err)
		return err;
	driver->ops->describe(driver, units.memory, count);
	input.units = units.memory;
	err = uiommu_plan_make(uiommu->host, &input, &uiommu->plan);
	uiommu_block_free(uiommu->host, &units);
	return err;
}

/*
 * The order is the point: tables and direct mappings, then contexts, then
 * translation. A device with a direct region never meets a gap.
 */
static int start_build(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;
	int err;

	err = start_plan(uiommu);
	if (err)
		return err;
	err = driver->ops->start(driver);
	if (err)
		return err;
	uiommu->driver_started = true;

	err = uiommu_core_static_init(uiommu);
	if (err)
		return err;
	err = uiommu_core_devices_make(uiommu);
	if (err)
		return err;
	err = uiommu_core_groups_make(uiommu);
	if (err)
		return err;
	err = uiommu_core_groups_attach(uiommu);
	if (err)
		return err;
	return driver->ops->enable(driver);
}

void uiommu_core_teardown(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;

	/* First, or blocking the devices would cut direct regions off. */
	if (uiommu->driver_started && driver->ops->disable)
		driver->ops->disable(driver);
	uiommu_core_devices_free(uiommu);
	while (uiommu->domains)
		uiommu_core_domain_free(uiommu->domains);
	uiommu_core_static_fini(uiommu);
	if (uiommu->driver_started)
		driver->ops->stop(driver);
	uiommu->driver_started = false;

	uiommu_pool_fini(&uiommu->pool);
	uiommu->groups = NULL;
	uiommu_block_free(uiommu->host, &uiommu->group_block);
	uiommu_block_free(uiommu->host, &uiommu->unit_block);
	uiommu_plan_fini(&uiommu->plan);
	memset(&uiommu->plan, 0, sizeof(uiommu->plan));
}

/* Who is confined, and who is not: no number here is to be guessed. */
static void start_log(struct uiommu *uiommu)
{
	uint32_t in[UIOMMU_DOMAIN_UNMANAGED + 1] = { 0 };
	uint32_t count = uiommu->plan.device_count;
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct uiommu_domain *domain = uiommu->devices[i].domain;

		in[domain ? domain->hw.type : UIOMMU_DOMAIN_NONE]++;
	}
	uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
		   "%u devices in %u groups: %u translated, %u in identity, "
		   "%u blocked",
		   count, uiommu->plan.group_count, in[UIOMMU_DOMAIN_DMA],
		   in[UIOMMU_DOMAIN_IDENTITY], in[UIOMMU_DOMAIN_BLOCKED]);
	if (in[UIOMMU_DOMAIN_NONE])
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "%u devices are under no unit: their DMA is not "
			   "confined",
			   in[UIOMMU_DOMAIN_NONE]);
	if (!count)
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "no PCI function was scanned: every device is "
			   "refused");
}

int uiommu_start(struct uiommu *uiommu)
{
	unsigned long state = uiommu_host_lock_acquire(uiommu->mutex);
	int err = UIOMMU_EBUSY;

	if (uiommu->started)
		goto out;
	uiommu_pool_init(&uiommu->pool, uiommu->host,
			 sizeof(struct uiommu_domain));
	err = start_build(uiommu);
	if (err) {
		uiommu_core_teardown(uiommu);
		goto out;
	}
	start_log(uiommu);
	uiommu_store(&uiommu->started, 1u);
out:
	uiommu_host_lock_release(uiommu->mutex, state);
	return err;
}

static void stop_unmanaged(struct uiommu *uiommu)
{
	const struct uiommu_domain *domain;
	unsigned int left = 0;

	for (domain = uiommu->domains; domain; domain = domain->next)
		left += !domain->owner;
	if (left)
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "%u unmanaged domains are destroyed by stop", left);
}

void uiommu_stop(struct uiommu *uiommu)
{
	unsigned long state;

	/* Half-built instances come here by way of destroy. */
	if (!uiommu_load(&uiommu->started))
		return;
	state = uiommu_host_lock_acquire(uiommu->mutex);
	uiommu_store(&uiommu->started, 0u);
	stop_unmanaged(uiommu);
	uiommu_core_teardown(uiommu);
	uiommu_host_lock_release(uiommu->mutex, state);
}
