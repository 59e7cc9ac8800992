// SPDX-License-Identifier: MIT
/* Apply the plan to the hardware, and let go of it again. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* What the driver requires of devices, in room for all functions. */
static uint32_t start_requirements(struct uiommu *uiommu,
				   struct uiommu_plan_override *requirements)
{
	const struct uiommu_topology *topology = &uiommu->topology;
	struct uiommu_driver *driver = uiommu->driver;
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		enum uiommu_domain_type type = driver->ops->def_domain_type(
			driver, &topology->functions[i]);

		if (type == UIOMMU_DOMAIN_NONE)
			continue;
		requirements[count].sid = topology->functions[i].sid;
		requirements[count++].type = type;
	}
	return count;
}

/* What is found out for the plan, in memory that goes with it. */
struct start_facts {
	struct uiommu_block units;
	struct uiommu_block requirements;
};

static int start_find_facts(struct uiommu *uiommu, struct start_facts *facts,
			    struct uiommu_plan_input *input)
{
	struct uiommu_driver *driver = uiommu->driver;
	uint32_t count = uiommu->dmar.record_count;
	int err;

	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)count * sizeof(*input->units),
				 &facts->units);
	if (err)
		return err;
	driver->ops->describe(driver, facts->units.memory, count);
	input->units = facts->units.memory;
	if (!driver->ops->def_domain_type)
		return UIOMMU_OK;
	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)uiommu->topology.count *
					 sizeof(*input->requirements),
				 &facts->requirements);
	if (err)
		return err;
	input->requirements = facts->requirements.memory;
	input->requirement_count = start_requirements(
		uiommu, facts->requirements.memory);
	return UIOMMU_OK;
}

static int start_plan(struct uiommu *uiommu)
{
	struct uiommu_plan_input input = uiommu->input;
	struct start_facts facts = { { NULL, 0 }, { NULL, 0 } };
	int err;

	err = uiommu_core_identity_check(uiommu, &uiommu->soft_identity);
	if (err)
		return err;
	input.dmar = &uiommu->dmar;
	input.topology = &uiommu->topology;
	input.ram = uiommu->ram.ranges;
	input.ram_count = uiommu->ram.count;
	input.no_identity_tables = !uiommu->soft_identity;
	input.isoch_without_tlb = uiommu_topology_isoch_without_tlb(
		&uiommu->topology);
	input.ggc = uiommu_topology_ggc(&uiommu->topology);
	err = start_find_facts(uiommu, &facts, &input);
	if (!err)
		err = uiommu_plan_make(uiommu->host, &input, &uiommu->plan);
	uiommu_block_free(uiommu->host, &facts.requirements);
	uiommu_block_free(uiommu->host, &facts.units);
	return err;
}

/*
 * Units that options leave alone: all of them, or those for displays. The plan
 * says so of their devices and gives them no unit.
 */
static void start_leave(struct uiommu *uiommu)
{
	const struct uiommu_plan *plan = &uiommu->plan;
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
static int start_build(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;
	int err;

	err = start_plan(uiommu);
	if (err)
		return err;
	start_leave(uiommu);
	err = driver->ops->start(driver);
	if (err)
		return err;
	uiommu->driver_started = true;

	err = uiommu_core_static_init(uiommu);
	if (err)
		return err;
	err = uiommu_core_identity_make(uiommu);
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
	uiommu_bounces_drop(uiommu);
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

	if (uiommu->plan.off) {
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "remapping is off by option: the DMA of %u devices "
			   "is not confined",
			   count);
		return;
	}
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
