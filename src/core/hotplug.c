// SPDX-License-Identifier: MIT
/*
 * Devices that come and go. What comes is planned for together with what is
 * there and goes the way that all went at start; what goes is refused and
 * forgotten once the plan without it is in force.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* Does another device stand where one is known? It came unseen. */
static bool hotplug_swapped(struct uiommu *uiommu,
			    const struct uiommu_pci_function *known)
{
	uint32_t id = uiommu_host_pci_read32(uiommu->host, known->sid, 0);

	/* A virtual function does not say who it is. */
	if (known->virtual_function || id == ~(uint32_t)0 ||
	    id == ((uint32_t)known->device << 16 | known->vendor))
		return false;
	uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
		   UIOMMU_SID_FMT ": is %04x:%04x now and was %04x:%04x: "
				  "uiommu_remove_device() has to come first",
		   UIOMMU_SID_ARGS(known->sid), id & 0xffff, id >> 16,
		   known->vendor, known->device);
	return true;
}

/* Of what is known on these buses. */
static int hotplug_check_known(struct uiommu *uiommu, uint16_t segment,
			       uint8_t first_bus, uint8_t last_bus)
{
	const struct uiommu_topology *known = &uiommu->edition->view.topology;
	uint32_t i;

	for (i = 0; i < known->count; i++) {
		const struct uiommu_pci_function *f = &known->functions[i];

		if (f->sid.segment == segment &&
		    UIOMMU_SID_BUS(f->sid) >= first_bus &&
		    UIOMMU_SID_BUS(f->sid) <= last_bus &&
		    hotplug_swapped(uiommu, f))
			return UIOMMU_EEXIST;
	}
	return UIOMMU_OK;
}

/* A copy of what is known, with what is new on these buses. */
static int hotplug_scan(struct uiommu *uiommu, uint16_t segment,
			uint8_t first_bus, uint8_t last_bus,
			struct uiommu_topology *topology)
{
	int err;

	err = uiommu_topology_copy(&uiommu->edition->view.topology, topology);
	if (err)
		return err;
	err = uiommu_topology_rescan(topology, segment, first_bus, last_bus);
	if (err)
		uiommu_topology_fini(topology);
	else if (!uiommu->keep_acs)
		uiommu_topology_enable_acs(topology);
	return err;
}

static int hotplug_add(struct uiommu *uiommu, uint16_t segment,
		       uint8_t first_bus, uint8_t last_bus)
{
	const struct uiommu_plan *now;
	struct uiommu_topology topology;
	uint32_t before;
	int err;

	if (!uiommu->started)
		return UIOMMU_EBUSY;
	err = hotplug_check_known(uiommu, segment, first_bus, last_bus);
	if (err)
		return err;
	before = uiommu->edition->view.plan.device_count;
	err = hotplug_scan(uiommu, segment, first_bus, last_bus, &topology);
	if (err)
		return err;
	err = uiommu_core_follow(uiommu, &topology);
	if (err)
		return err;
	now = &uiommu->edition->view.plan;
	uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
		   "%04x:%02x-%02x: %u devices came, %u groups now", segment,
		   first_bus, last_bus, now->device_count - before,
		   now->group_count);
	return UIOMMU_OK;
}

int uiommu_add_pci(struct uiommu *uiommu, uint16_t segment, uint8_t first_bus,
		   uint8_t last_bus)
{
	unsigned long state = uiommu_core_lock(uiommu);
	int err = hotplug_add(uiommu, segment, first_bus, last_bus);

	uiommu_core_unlock(uiommu, state);
	return err;
}

/* May @device go? */
static int hotplug_check(const struct uiommu_device *device)
{
	if (device->uses)
		return UIOMMU_EINUSE;
	if (device->group && device->group->owner)
		return UIOMMU_EOWNED;
	return uiommu_load(&device->bounced) ? UIOMMU_EBUSY : UIOMMU_OK;
}

/*
 * All that go with function @root, linked, and taken out of @topology. The
 * topology in force says what is below what: it does not change meanwhile.
 */
static int hotplug_collect(struct uiommu *uiommu, uint32_t root,
			   struct uiommu_topology *topology,
			   struct uiommu_device **leaving)
{
	const struct uiommu_edition *now = uiommu->edition;
	const struct uiommu_topology *known = &now->view.topology;
	uint32_t i;
	int err;

	*leaving = NULL;
	for (i = known->count; i > 0; i--) {
		struct uiommu_device *device = now->devices[i - 1];

		if (!uiommu_topology_below(known, root, i - 1))
			continue;
		err = hotplug_check(device);
		if (!err)
			err = uiommu_topology_remove(
				topology, known->functions[i - 1].sid);
		if (err)
			return err;
		device->leaving = *leaving;
		*leaving = device;
	}
	return UIOMMU_OK;
}

static int hotplug_remove(struct uiommu_device *device)
{
	struct uiommu *uiommu = device->uiommu;
	const struct uiommu_edition *now = uiommu->edition;
	struct uiommu_topology topology;
	struct uiommu_device *leaving;
	uint32_t root;
	int err;

	root = uiommu_core_device_index(device);
	if (root >= now->view.topology.count)
		return UIOMMU_EINVAL;
	err = uiommu_topology_copy(&now->view.topology, &topology);
	if (err)
		return err;
	err = hotplug_collect(uiommu, root, &topology, &leaving);
	if (err) {
		uiommu_topology_fini(&topology);
		return err;
	}
	err = uiommu_core_follow(uiommu, &topology);
	if (!err)
		uiommu_core_let_go(leaving);
	return err;
}

int uiommu_remove_device(struct uiommu_device *device)
{
	struct uiommu *uiommu = device->uiommu;
	unsigned long state = uiommu_core_lock(uiommu);
	int err = hotplug_remove(device);

	uiommu_core_unlock(uiommu, state);
	return err;
}
