// SPDX-License-Identifier: MIT
/*
 * What is in force: a plan, the topology it was made from, and the objects that
 * stand for both. A change makes a new edition and puts it in force as a whole.
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* What the driver requires of devices, in room for all functions. */
static uint32_t facts_requirements(struct uiommu *uiommu,
				   const struct uiommu_topology *topology,
				   struct uiommu_plan_override *requirements)
{
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

static int facts_find_hardware(struct uiommu *uiommu,
			       const struct uiommu_topology *topology,
			       struct uiommu_core_facts *facts)
{
	struct uiommu_plan_input *input = &facts->input;
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
				 (uint64_t)topology->count *
					 sizeof(*input->requirements),
				 &facts->requirements);
	if (err)
		return err;
	input->requirements = facts->requirements.memory;
	input->requirement_count = facts_requirements(
		uiommu, topology, facts->requirements.memory);
	return UIOMMU_OK;
}

/* Did somebody ask for the group of @sid since it is there? */
static bool facts_asked(const struct uiommu_edition *now, struct uiommu_sid sid)
{
	uint32_t i = uiommu_core_edition_find(now, sid);

	return i != UIOMMU_PLAN_NONE && now->devices[i]->group &&
	       now->devices[i]->group->asked;
}

/*
 * What the host said at create holds for a group until somebody asks for
 * something else; that holds as long as the group is there.
 */
static int facts_find_wishes(struct uiommu *uiommu,
			     struct uiommu_core_facts *facts)
{
	const struct uiommu_edition *now = uiommu->edition;
	struct uiommu_plan_input *input = &facts->input;
	const struct uiommu_group *group;
	struct uiommu_plan_override *wishes;
	uint32_t count = 0;
	uint32_t i;
	int err;

	if (!now)
		return UIOMMU_OK;
	err = uiommu_block_alloc(
		uiommu->host,
		((uint64_t)input->override_count + now->view.plan.group_count) *
			sizeof(*wishes),
		&facts->overrides);
	if (err)
		return err;
	wishes = facts->overrides.memory;
	for (i = 0; i < input->override_count; i++)
		if (!facts_asked(now, input->overrides[i].sid))
			wishes[count++] = input->overrides[i];
	for (group = uiommu->groups; group; group = group->next) {
		if (group->wish == UIOMMU_DOMAIN_NONE)
			continue;
		wishes[count].sid = uiommu_core_group_sid(group);
		wishes[count++].type = group->wish;
	}
	input->overrides = wishes;
	input->override_count = count;
	return UIOMMU_OK;
}

/* How far the devices that are there reach. */
static int facts_find_masks(struct uiommu *uiommu,
			    struct uiommu_core_facts *facts)
{
	const struct uiommu_edition *now = uiommu->edition;
	struct uiommu_plan_mask *masks;
	uint32_t count = 0;
	uint32_t i;
	int err;

	if (!now)
		return UIOMMU_OK;
	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)now->view.plan.device_count *
					 sizeof(*masks),
				 &facts->masks);
	if (err)
		return err;
	masks = facts->masks.memory;
	for (i = 0; i < now->view.plan.device_count; i++) {
		const struct uiommu_device *device = now->devices[i];

		if (device->dma_mask == ~(uint64_t)0)
			continue;
		masks[count].sid = device->sid;
		masks[count++].mask = device->dma_mask;
	}
	facts->input.masks = masks;
	facts->input.mask_count = count;
	return UIOMMU_OK;
}

/* What is in force already, as the plan wants to be told. */
static int facts_find_live(struct uiommu *uiommu,
			   struct uiommu_core_facts *facts)
{
	const struct uiommu_edition *now = uiommu->edition;
	struct uiommu_plan_live *live;
	uint32_t count, i;
	int err;

	if (!now)
		return UIOMMU_OK;
	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)now->view.plan.device_count *
					 sizeof(*live),
				 &facts->live);
	if (err)
		return err;
	live = facts->live.memory;
	uiommu_plan_live(&now->view.plan, &now->view.topology, live, &count);
	for (i = 0; i < count; i++) {
		const struct uiommu_device *device = now->devices[i];

		if (live[i].group == UIOMMU_PLAN_NONE)
			continue;
		live[i].owned = device->group->owner;
		live[i].barred = device->barred;
	}
	facts->input.live = live;
	facts->input.live_count = count;
	return UIOMMU_OK;
}

int uiommu_core_facts_find(struct uiommu *uiommu,
			   const struct uiommu_topology *topology,
			   struct uiommu_core_facts *facts)
{
	struct uiommu_plan_input *input = &facts->input;
	int err;

	memset(facts, 0, sizeof(*facts));
	*input = uiommu->input;
	input->dmar = &uiommu->dmar;
	input->topology = topology;
	input->ram = uiommu->ram.ranges;
	input->ram_count = uiommu->ram.count;
	input->no_identity_tables = !uiommu->soft_identity;
	input->isoch_without_tlb = uiommu_topology_isoch_without_tlb(topology);
	input->ggc = uiommu_topology_ggc(topology);
	err = facts_find_hardware(uiommu, topology, facts);
	if (!err)
		err = facts_find_wishes(uiommu, facts);
	if (!err)
		err = facts_find_masks(uiommu, facts);
	if (!err)
		err = facts_find_live(uiommu, facts);
	if (err)
		uiommu_core_facts_free(uiommu, facts);
	return err;
}

void uiommu_core_facts_free(struct uiommu *uiommu,
			    struct uiommu_core_facts *facts)
{
	uiommu_block_free(uiommu->host, &facts->live);
	uiommu_block_free(uiommu->host, &facts->masks);
	uiommu_block_free(uiommu->host, &facts->overrides);
	uiommu_block_free(uiommu->host, &facts->requirements);
	uiommu_block_free(uiommu->host, &facts->units);
}

int uiommu_core_edition_wrap(struct uiommu *uiommu, struct uiommu_plan *plan,
			     struct uiommu_topology *topology,
			     struct uiommu_edition **edition)
{
	struct uiommu_edition *made;
	struct uiommu_block self;
	struct uiommu_block table;
	int err;

	err = uiommu_block_alloc(uiommu->host, sizeof(*made), &self);
	if (err)
		return err;
	err = uiommu_block_alloc(
		uiommu->host,
		(uint64_t)plan->device_count * sizeof(*made->devices) +
			(uint64_t)plan->group_count * sizeof(*made->groups),
		&table);
	if (err) {
		uiommu_block_free(uiommu->host, &self);
		return err;
	}
	made = self.memory;
	made->self = self;
	made->table = table;
	made->devices = table.memory;
	made->groups = (void *)(made->devices + plan->device_count);
	made->view.plan = *plan;
	made->view.topology = *topology;
	memset(plan, 0, sizeof(*plan));
	uiommu_topology_init(topology, uiommu->host);
	*edition = made;
	return UIOMMU_OK;
}

int uiommu_core_edition_make(struct uiommu *uiommu,
			     struct uiommu_topology *topology,
			     struct uiommu_edition **edition)
{
	struct uiommu_core_facts facts;
	struct uiommu_plan plan;
	int err;

	err = uiommu_core_facts_find(uiommu, topology, &facts);
	if (err)
		return err;
	err = uiommu_plan_make(uiommu->host, &facts.input, &plan);
	uiommu_core_facts_free(uiommu, &facts);
	if (err)
		return err;
	err = uiommu_core_edition_wrap(uiommu, &plan, topology, edition);
	if (err)
		uiommu_plan_fini(&plan);
	return err;
}

void uiommu_core_edition_free(struct uiommu *uiommu,
			      struct uiommu_edition *edition)
{
	struct uiommu_block self = edition->self;

	uiommu_plan_fini(&edition->view.plan);
	uiommu_topology_fini(&edition->view.topology);
	uiommu_block_free(uiommu->host, &edition->table);
	uiommu_block_free(uiommu->host, &self);
}

void uiommu_core_edition_enforce(struct uiommu *uiommu,
				 struct uiommu_edition *edition)
{
	unsigned long state = uiommu_host_lock_acquire(uiommu->index);
	struct uiommu_edition *old = uiommu->edition;

	uiommu_store(&uiommu->edition, edition);
	if (old && old->holders) {
		old->next = uiommu->editions;
		uiommu->editions = old;
		old = NULL;
	}
	uiommu_host_lock_release(uiommu->index, state);
	if (old)
		uiommu_core_edition_free(uiommu, old);
}

uint32_t uiommu_core_edition_find(const struct uiommu_edition *edition,
				  struct uiommu_sid sid)
{
	const struct uiommu_plan *plan = &edition->view.plan;
	uint32_t i = uiommu_topology_find(&edition->view.topology, sid);

	if (i != UIOMMU_PCI_NONE)
		return i;
	/* Those that only ACPI knows: few, if any. */
	for (i = edition->view.topology.count; i < plan->device_count; i++) {
		struct uiommu_sid own =
			plan->aliases[plan->devices[i].alias_first];

		if (own.segment == sid.segment && own.rid == sid.rid)
			return i;
	}
	return UIOMMU_PLAN_NONE;
}

struct uiommu_device *uiommu_device_find(struct uiommu *uiommu,
					 struct uiommu_sid sid)
{
	struct uiommu_device *device = NULL;
	unsigned long state;
	uint32_t index;

	if (!uiommu_load(&uiommu->started))
		return NULL;
	state = uiommu_host_lock_acquire(uiommu->index);
	index = uiommu_core_edition_find(uiommu->edition, sid);
	if (index != UIOMMU_PLAN_NONE)
		device = uiommu->edition->devices[index];
	uiommu_host_lock_release(uiommu->index, state);
	return device;
}

/* Index of @device in the plan in force. */
static uint32_t view_index(const struct uiommu_edition *edition,
			   const struct uiommu_device *device)
{
	uint32_t i = uiommu_topology_find(&edition->view.topology, device->sid);

	if (i != UIOMMU_PCI_NONE && edition->devices[i] == device)
		return i;
	/* One that only ACPI knows: few, if any. */
	for (i = edition->view.topology.count;
	     i < edition->view.plan.device_count; i++)
		if (edition->devices[i] == device)
			break;
	return i;
}

uint32_t uiommu_core_device_index(const struct uiommu_device *device)
{
	return view_index(device->uiommu->edition, device);
}

const struct uiommu_region *
uiommu_device_regions(const struct uiommu_device *device, uint32_t *count)
{
	struct uiommu *uiommu = device->uiommu;
	unsigned long state = uiommu_host_lock_acquire(uiommu->index);
	const struct uiommu_plan *plan = &uiommu->edition->view.plan;
	const struct uiommu_plan_device *from =
		&plan->devices[view_index(uiommu->edition, device)];
	const struct uiommu_region *regions =
		&plan->regions[from->region_first];

	*count = from->region_count;
	uiommu_host_lock_release(uiommu->index, state);
	return regions;
}

const struct uiommu_region *
uiommu_group_regions(const struct uiommu_group *group, uint32_t *count)
{
	struct uiommu *uiommu = group->uiommu;
	unsigned long state = uiommu_host_lock_acquire(uiommu->index);
	const struct uiommu_edition *now = uiommu->edition;
	const struct uiommu_region *regions;
	uint32_t i = 0;

	while (now->groups[i] != group)
		i++;
	regions = uiommu_core_regions(now, i, count);
	uiommu_host_lock_release(uiommu->index, state);
	return regions;
}

const struct uiommu_view *uiommu_view_get(struct uiommu *uiommu)
{
	struct uiommu_edition *edition;
	unsigned long state;

	if (!uiommu_load(&uiommu->started))
		return NULL;
	state = uiommu_host_lock_acquire(uiommu->index);
	edition = uiommu->edition;
	edition->holders++;
	uiommu_host_lock_release(uiommu->index, state);
	return &edition->view;
}

void uiommu_view_put(struct uiommu *uiommu, const struct uiommu_view *view)
{
	struct uiommu_edition *gone = NULL;
	struct uiommu_edition **link;
	unsigned long state;

	if (!view)
		return;
	state = uiommu_host_lock_acquire(uiommu->index);
	if (uiommu->edition && &uiommu->edition->view == view) {
		uiommu->edition->holders--;
	} else {
		for (link = &uiommu->editions; *link; link = &(*link)->next)
			if (&(*link)->view == view)
				break;
		gone = *link;
		if (gone && --gone->holders)
			gone = NULL;
		if (gone)
			*link = gone->next;
	}
	uiommu_host_lock_release(uiommu->index, state);
	if (gone)
		uiommu_core_edition_free(uiommu, gone);
}

const struct uiommu_plan *uiommu_plan(const struct uiommu *uiommu)
{
	if (!uiommu_load(&uiommu->started))
		return NULL;
	return &uiommu_load(&uiommu->edition)->view.plan;
}

const struct uiommu_topology *uiommu_topology(const struct uiommu *uiommu)
{
	if (!uiommu_load(&uiommu->started))
		return &uiommu->topology;
	return &uiommu_load(&uiommu->edition)->view.topology;
}
