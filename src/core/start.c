// SPDX-License-Identifier: MIT
/* Apply the plan to the hardware, and let go of it again. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/*
 * Units that options leave alone: all of them, or those for displays. The plan
 * says so of their devices and gives them no unit.
 */
static void start_leave(struct uiommu *uiommu, const struct uiommu_plan *plan)
{
	struct uiommu_driver *driver = uiommu->driver;
	uint32_t i;

	for (i = 0; i < uiommu->dmar.record_count; i++)
		driver->ops->leave(driver, i, plan->off);
	for (i = 0; i < plan->reason_count; i++)
		if (plan->reasons[i].rule == UIOMMU_RULE_UNIT_GRAPHICS_OFF)
			driver->ops->leave(driver, plan->reasons[i].other,
					   true);
}

/*
 * The order is the point: tables and direct mappings, then contexts, then
 * translation. A device with a direct region never meets a gap.
 */
static int start_hardware(struct uiommu *uiommu, struct uiommu_edition *first)
{
	struct uiommu_driver *driver = uiommu->driver;
	int err;

	start_leave(uiommu, &first->view.plan);
	uiommu_core_tell_stays_on(uiommu, first);
	err = driver->ops->start(driver);
	if (err)
		return err;
	uiommu->driver_started = true;
	err = uiommu_core_static_init(uiommu);
	if (err)
		return err;
	err = uiommu_core_apply(uiommu, first);
	if (err)
		return err;
	return driver->ops->enable(driver);
}

static int start_build(struct uiommu *uiommu)
{
	struct uiommu_edition *first;
	int err;

	err = uiommu_core_identity_check(uiommu, &uiommu->soft_identity);
	if (err)
		return err;
	err = uiommu_core_edition_make(uiommu, &uiommu->topology, &first);
	if (err)
		return err;
	err = start_hardware(uiommu, first);
	/* Else it is in force, and teardown's. */
	if (err && !uiommu->edition) {
		uiommu->topology = first->view.topology;
		uiommu_topology_init(&first->view.topology, uiommu->host);
		uiommu_core_edition_free(uiommu, first);
	}
	return err;
}

/* The functions that are known stay known. */
static void teardown_edition(struct uiommu *uiommu)
{
	struct uiommu_edition *last = uiommu->edition;
	struct uiommu_edition *held;

	if (last) {
		uiommu->topology = last->view.topology;
		uiommu_topology_init(&last->view.topology, uiommu->host);
		last->holders = 0;
		uiommu_core_edition_enforce(uiommu, NULL);
	}
	while (uiommu->editions) {
		held = uiommu->editions;
		uiommu->editions = held->next;
		uiommu_core_edition_free(uiommu, held);
	}
}

static void teardown_objects(struct uiommu *uiommu)
{
	struct uiommu_edition *last = uiommu->edition;
	uint32_t i;

	for (i = last ? last->view.plan.device_count : 0; i > 0; i--) {
		uiommu_core_device_free(last->devices[i - 1]);
		last->devices[i - 1] = NULL;
	}
	while (uiommu->groups) {
		uiommu->groups->members = NULL;
		uiommu_core_group_free(uiommu->groups);
	}
	while (uiommu->domains)
		uiommu_core_domain_free(uiommu->domains);
}

void uiommu_core_teardown(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;

	/* First, or blocking the devices would cut direct regions off. */
	if (uiommu->driver_started && driver->ops->disable)
		driver->ops->disable(driver);
	uiommu_bounces_drop(uiommu);
	teardown_objects(uiommu);
	uiommu_core_static_fini(uiommu);
	if (uiommu->driver_started)
		driver->ops->stop(driver);
	uiommu->driver_started = false;

	uiommu_pool_fini(&uiommu->pool);
	uiommu_pool_fini(&uiommu->group_pool);
	uiommu_pool_fini(&uiommu->device_pool);
	teardown_edition(uiommu);
}

/* Who is confined, and who is not: no number here is to be guessed. */
static void start_log(struct uiommu *uiommu)
{
	uint32_t in[UIOMMU_DOMAIN_SINK + 1] = { 0 };
	const struct uiommu_edition *first = uiommu->edition;
	uint32_t count = first->view.plan.device_count;
	uint32_t i;

	if (first->view.plan.off) {
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "remapping is off by option: the DMA of %u devices "
			   "is not confined",
			   count);
		return;
	}
	for (i = 0; i < count; i++) {
		const struct uiommu_domain *domain = first->devices[i]->domain;

		in[domain ? domain->hw.type : UIOMMU_DOMAIN_NONE]++;
	}
	uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
		   "%u devices in %u groups: %u translated, %u in identity, "
		   "%u blocked",
		   count, first->view.plan.group_count, in[UIOMMU_DOMAIN_DMA],
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
	uiommu_pool_init(&uiommu->group_pool, uiommu->host,
			 sizeof(struct uiommu_group));
	uiommu_pool_init(&uiommu->device_pool, uiommu->host,
			 sizeof(struct uiommu_device));
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
	uiommu_core_wake(uiommu);
	uiommu_store(&uiommu->started, 0u);
	stop_unmanaged(uiommu);
	uiommu_core_teardown(uiommu);
	uiommu_host_lock_release(uiommu->mutex, state);
}
