// SPDX-License-Identifier: MIT
/*
 * The type of a group's default domain changes: because somebody asks for it,
 * or because a device turns out to reach less than all of RAM. A new plan
 * decides; the group moves as a whole, or nothing happened.
 */
#include <uiommu/change.h>
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* --- The transaction ------------------------------------------------------ */

/*
 * May a call for @device wait for the mutex, now or later? Its driver would
 * wait for that call while we wait for the driver.
 */
static bool change_arrives(struct uiommu_device *device)
{
	uiommu_barrier(); /* see uiommu_core_device_arrive() */
	return device->hw.inherited || uiommu_load(&device->arriving);
}

static int change_in_use(const struct uiommu_device *device, const char *why)
{
	const struct uiommu_group *group = device->group;

	uiommu_log(group->uiommu->host, UIOMMU_LOG_INFO,
		   UIOMMU_SID_FMT ": is in use and %s: group %u stays %s",
		   UIOMMU_SID_ARGS(device->sid), why, group->id,
		   uiommu_domain_type_name(group->type));
	return UIOMMU_EINUSE;
}

/* The host stops those who are at work, all but @asker: it is the one who asks. */
static int change_pause(struct uiommu_group *group,
			const struct uiommu_device *asker)
{
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_device *device;

	for (device = group->members; device; device = device->next)
		if (device->uses && device != asker && change_arrives(device))
			return change_in_use(device, "has yet to make its "
						     "first DMA call");
	for (device = group->members; device; device = device->next) {
		if (!device->uses || device == asker)
			continue;
		if (!uiommu_host_pause(uiommu->host, device))
			return change_in_use(device, "was not paused");
		uiommu_store(&device->paused, true);
	}
	return UIOMMU_OK;
}

static void change_resume(struct uiommu_group *group)
{
	struct uiommu_device *device;

	for (device = group->members; device; device = device->next) {
		bool paused = device->paused;

		uiommu_store(&device->paused, false);
		uiommu_core_device_publish(device);
		if (paused)
			uiommu_host_resume(group->uiommu->host, device);
	}
}

/* Is anything lent that would be lost? */
static int change_check_idle(struct uiommu_group *group)
{
	struct uiommu_domain *domain = group->default_domain;
	struct uiommu_device *device;
	size_t out = 0;

	if (domain->hw.type == UIOMMU_DOMAIN_DMA)
		out = uiommu_iova_live(&domain->iova);
	for (device = group->members; device; device = device->next) {
		uiommu_core_device_publish(device);
		out += uiommu_load(&device->bounced);
	}
	if (!out)
		return UIOMMU_OK;
	uiommu_log(group->uiommu->host, UIOMMU_LOG_WARN,
		   UIOMMU_SID_FMT ": group %u stays %s, %llu mappings of the "
				  "DMA API are still out",
		   UIOMMU_SID_ARGS(uiommu_core_group_sid(group)), group->id,
		   uiommu_domain_type_name(group->type),
		   (unsigned long long)out);
	return UIOMMU_EBUSY;
}

/*
 * The group is idle: it moves to @domain, then the plan is in force. Whatever
 * fails, it goes back.
 */
static int change_move(struct uiommu_group *group, struct uiommu_edition *next,
		       struct uiommu_domain *domain)
{
	enum uiommu_domain_type type =
		next->view.plan.groups[group->place].type;
	enum uiommu_domain_type old_type = group->type;
	struct uiommu_domain *old = group->default_domain;
	struct uiommu *uiommu = group->uiommu;
	int err;

	err = uiommu_core_group_move(group, domain);
	if (err)
		return err;
	uiommu_store(&group->default_domain, domain);
	uiommu_store(&group->type, type);
	err = uiommu_core_apply(uiommu, next);
	if (!err) {
		uiommu_core_group_drop(group, old);
		return UIOMMU_OK;
	}
	uiommu_store(&group->default_domain, old);
	uiommu_store(&group->type, old_type);
	if (uiommu_core_group_move(group, old) &&
	    group->domain != &uiommu->blocked)
		uiommu_core_group_block(group);
	return err;
}

/* @place: of the group in the plan of @next */
static int change_group(struct uiommu_group *group, uint32_t place,
			struct uiommu_edition *next,
			const struct uiommu_device *asker)
{
	const struct uiommu_plan *plan = &next->view.plan;
	struct uiommu_domain *domain;
	int err;

	group->place = place;
	err = uiommu_core_group_domain(group, next, plan->groups[place].type,
				       &domain);
	if (err)
		return err;
	err = change_pause(group, asker);
	if (!err)
		err = change_check_idle(group);
	if (!err)
		err = change_move(group, next, domain);
	if (err)
		uiommu_core_group_drop(group, domain);
	change_resume(group);
	return err;
}

/* --- Requests ------------------------------------------------------------- */

/* Too large for a stack. */
struct change_work {
	struct uiommu_block self;
	struct uiommu_core_facts facts;
	struct uiommu_change change;
};

static int change_plan(struct uiommu *uiommu,
		       const struct uiommu_request *request,
		       struct change_work *work)
{
	const struct uiommu_edition *now = uiommu->edition;
	const struct uiommu_plan_input *input = &work->facts.input;
	int err;

	err = uiommu_core_facts_find(uiommu, &now->view.topology, &work->facts);
	if (err)
		return err;
	err = uiommu_change_make(uiommu->host, input, &now->view.plan,
				 input->live, input->live_count, request,
				 &work->change);
	uiommu_core_facts_free(uiommu, &work->facts);
	return err;
}

static int change_begin(struct uiommu *uiommu,
			const struct uiommu_request *request,
			struct change_work **work)
{
	struct uiommu_block self;
	int err;

	err = uiommu_block_alloc(uiommu->host, sizeof(**work), &self);
	if (err)
		return err;
	*work = self.memory;
	(*work)->self = self;
	err = change_plan(uiommu, request, *work);
	if (err)
		uiommu_block_free(uiommu->host, &self);
	return err;
}

static void change_end(struct uiommu *uiommu, struct change_work *work)
{
	struct uiommu_block self = work->self;

	uiommu_change_fini(uiommu->host, &work->change);
	uiommu_block_free(uiommu->host, &self);
}

/* The plan of @change as an edition, which takes it over. */
static int change_edition(struct uiommu *uiommu, struct uiommu_change *change,
			  struct uiommu_edition **next)
{
	struct uiommu_topology topology;
	int err;

	err = uiommu_topology_copy(&uiommu->edition->view.topology, &topology);
	if (err)
		return err;
	err = uiommu_core_edition_wrap(uiommu, &change->plan, &topology, next);
	if (err)
		uiommu_topology_fini(&topology);
	return err;
}

/* Puts the plan of @change in force; moves @group first, unless it is NULL. */
static int change_apply(struct uiommu *uiommu, struct uiommu_change *change,
			struct uiommu_group *group,
			const struct uiommu_device *asker)
{
	struct uiommu_edition *next;
	int err;

	err = change_edition(uiommu, change, &next);
	if (err)
		return err;
	err = group ? change_group(group, change->group, next, asker)
		    : uiommu_core_apply(uiommu, next);
	if (err)
		uiommu_core_edition_free(uiommu, next);
	return err;
}

static void change_say_refused(const struct uiommu_group *group,
			       const struct uiommu_change *change,
			       const char *what)
{
	struct uiommu *uiommu = group->uiommu;
	char text[200] = "";

	if (change->has_why)
		uiommu_reason_text(&change->plan, change->input.topology,
				   &change->why, text, sizeof(text));
	uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
		   UIOMMU_SID_FMT ": group %u %s: %s",
		   UIOMMU_SID_ARGS(uiommu_core_group_sid(group)), group->id,
		   what, text);
}

static int type_apply(struct uiommu_group *group, struct uiommu_change *change)
{
	struct uiommu *uiommu = group->uiommu;

	switch (change->outcome) {
	case UIOMMU_OUTCOME_REFUSED:
		change_say_refused(group, change, "keeps its type");
		return UIOMMU_EPERM;
	case UIOMMU_OUTCOME_MOVE:
		return change_apply(uiommu, change, group, NULL);
	default:
		return change_apply(uiommu, change, NULL, NULL);
	}
}

static int type_set(struct uiommu_group *group, enum uiommu_domain_type type)
{
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_request request = { .kind = UIOMMU_REQUEST_TYPE,
					  .type = type };
	struct change_work *work;
	int err;

	if (group->owner)
		return UIOMMU_EOWNED;
	if (group->resets)
		return UIOMMU_EBUSY;
	err = uiommu_core_group_return(group);
	if (err)
		return err;
	request.sid = uiommu_core_group_sid(group);
	err = change_begin(uiommu, &request, &work);
	if (err)
		return err;
	err = type_apply(group, &work->change);
	if (!err) {
		group->asked = true;
		group->wish = type;
	}
	if (!err && work->change.from != work->change.to)
		uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
			   UIOMMU_SID_FMT ": group %u is %s now, it was %s",
			   UIOMMU_SID_ARGS(request.sid), group->id,
			   uiommu_domain_type_name(work->change.to),
			   uiommu_domain_type_name(work->change.from));
	change_end(uiommu, work);
	return err;
}

int uiommu_group_set_type(struct uiommu_group *group,
			  enum uiommu_domain_type type)
{
	unsigned long state;
	int err;

	if (type != UIOMMU_DOMAIN_NONE && type != UIOMMU_DOMAIN_IDENTITY &&
	    type != UIOMMU_DOMAIN_DMA && type != UIOMMU_DOMAIN_DMA_FQ)
		return UIOMMU_EINVAL;
	state = uiommu_core_lock(group->uiommu);
	err = type_set(group, type);
	uiommu_core_unlock(group->uiommu, state);
	return err;
}

int uiommu_core_claim_check(struct uiommu_group *group)
{
	struct uiommu_request request = { .kind = UIOMMU_REQUEST_CLAIM };
	struct uiommu *uiommu = group->uiommu;
	struct change_work *work;
	int err;

	request.sid = uiommu_core_group_sid(group);
	err = change_begin(uiommu, &request, &work);
	if (err)
		return err;
	if (work->change.outcome == UIOMMU_OUTCOME_REFUSED) {
		change_say_refused(group, &work->change, "is not claimed");
		err = UIOMMU_EPERM;
	}
	change_end(uiommu, work);
	return err;
}

/* --- Masks ---------------------------------------------------------------- */

/* Would the host have pages that a device of @mask reaches? */
static int mask_check_low(struct uiommu *uiommu, uint64_t mask)
{
	uiommu_paddr_t paddr;
	void *page = uiommu_host_low_page_alloc(uiommu->host, UIOMMU_PAGE_SIZE,
						mask, 0, &paddr);

	if (!page)
		return UIOMMU_ERANGE;
	uiommu_host_page_free(uiommu->host, page, UIOMMU_PAGE_SIZE);
	return UIOMMU_OK;
}

/*
 * The group stays in identity. The plan is made once more, with the type in
 * force, so that it says why.
 */
static int mask_bounce(struct uiommu_device *device, uint64_t mask)
{
	struct uiommu *uiommu = device->uiommu;
	uint64_t before = device->dma_mask;
	int err;

	err = mask_check_low(uiommu, mask);
	if (err)
		return err;
	device->dma_mask = mask;
	err = uiommu_core_renew(uiommu);
	if (err) {
		device->dma_mask = before;
		return err;
	}
	uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
		   UIOMMU_SID_FMT ": reaches up to %llx and stays in identity: "
				  "what is above goes through low pages",
		   UIOMMU_SID_ARGS(device->sid), (unsigned long long)mask);
	return UIOMMU_OK;
}

static int mask_apply(struct uiommu_device *device,
		      struct uiommu_change *change, uint64_t mask)
{
	struct uiommu *uiommu = device->uiommu;
	struct uiommu_group *group = device->group;
	int err;

	switch (change->outcome) {
	case UIOMMU_OUTCOME_MOVE:
		if (group->owner || group->resets)
			return mask_bounce(device, mask);
		err = change_apply(uiommu, change, group, device);
		if (!err)
			uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
				   UIOMMU_SID_FMT ": reaches up to %llx: group "
						  "%u is %s now",
				   UIOMMU_SID_ARGS(device->sid),
				   (unsigned long long)mask, group->id,
				   uiommu_domain_type_name(group->type));
		/* Unless it is where no address leads anywhere. */
		if (!err || group->domain != group->default_domain)
			return err;
		return mask_bounce(device, mask);
	case UIOMMU_OUTCOME_BOUNCE:
		return mask_bounce(device, mask);
	default:
		return change_apply(uiommu, change, NULL, NULL);
	}
}

static int mask_set(struct uiommu_device *device, uint64_t mask)
{
	struct uiommu *uiommu = device->uiommu;
	struct uiommu_request request = { .kind = UIOMMU_REQUEST_MASK,
					  .mask = mask };
	struct change_work *work;
	int err;

	request.sid = device->sid;
	err = change_begin(uiommu, &request, &work);
	if (err)
		return err;
	err = mask_apply(device, &work->change, mask);
	change_end(uiommu, work);
	return err;
}

/* Could anything be decided otherwise for it? Drivers call this often. */
static bool mask_matters(const struct uiommu_device *device, uint64_t mask)
{
	const struct uiommu_ram *ram = &device->uiommu->ram;
	uint64_t last;

	if (!device->group || device->group->type != UIOMMU_DOMAIN_IDENTITY ||
	    !ram->count)
		return false;
	last = ram->ranges[ram->count - 1].last;
	return mask < last || device->dma_mask < last;
}

int uiommu_device_set_dma_mask(struct uiommu_device *device, uint64_t mask)
{
	unsigned long state;
	int err = UIOMMU_OK;

	if (mask < UIOMMU_PAGE_MASK || (mask & (mask + 1)))
		return UIOMMU_EINVAL;
	state = uiommu_core_lock(device->uiommu);
	if (mask != device->dma_mask && mask_matters(device, mask))
		err = mask_set(device, mask);
	if (!err)
		device->dma_mask = mask;
	uiommu_core_unlock(device->uiommu, state);
	return err;
}
