// SPDX-License-Identifier: MIT
/*
 * What a request would change: the input with the wish added, a plan made from
 * it with the concerned group to be decided again, and what lies between that
 * plan and the one in force.
 */
#include <uiommu/change.h>

#include "base/block.h"
#include "plan/plan.h"

/* A change being made. */
struct plan_asked {
	struct uiommu_host *host;
	const struct uiommu_plan_input *input;
	const struct uiommu_plan *now;
	const struct uiommu_request *request;
	struct uiommu_plan_override *overrides; /* in the change's memory, */
	struct uiommu_plan_mask *masks;		/* as these are */
	struct uiommu_plan_live *live;
	uint32_t id; /* of the group */
	bool owned;
	struct uiommu_change *change;
};

const char *uiommu_outcome_name(enum uiommu_outcome outcome)
{
	static const char *const names[] = {
		[UIOMMU_OUTCOME_NOTHING] = "nothing",
		[UIOMMU_OUTCOME_BOUND] = "bound",
		[UIOMMU_OUTCOME_LIVE] = "live",
		[UIOMMU_OUTCOME_MOVE] = "move",
		[UIOMMU_OUTCOME_BOUNCE] = "bounce",
		[UIOMMU_OUTCOME_CLAIM] = "claim",
		[UIOMMU_OUTCOME_REFUSED] = "refused",
	};

	if ((uint32_t)outcome >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[outcome];
}

static bool plan_same(struct uiommu_sid a, struct uiommu_sid b)
{
	return a.segment == b.segment && a.rid == b.rid;
}

/* The device of @plan that @sid names; or NONE. */
static uint32_t plan_device(const struct uiommu_plan *plan,
			    const struct uiommu_topology *topology,
			    struct uiommu_sid sid)
{
	uint32_t i = uiommu_topology_find(topology, sid);

	if (i != UIOMMU_PCI_NONE)
		return i;
	for (i = topology->count; i < plan->device_count; i++) {
		if (plan_same(uiommu_plan_sid(plan, topology, i), sid))
			return i;
	}
	return UIOMMU_PLAN_NONE;
}

static bool plan_is_request(const struct uiommu_request *request)
{
	switch (request->kind) {
	case UIOMMU_REQUEST_TYPE:
		return request->type == UIOMMU_DOMAIN_NONE ||
		       request->type == UIOMMU_DOMAIN_IDENTITY ||
		       request->type == UIOMMU_DOMAIN_DMA ||
		       request->type == UIOMMU_DOMAIN_DMA_FQ;
	case UIOMMU_REQUEST_MASK:
		return request->mask >= UIOMMU_PAGE_MASK &&
		       (request->mask & (request->mask + 1)) == 0;
	case UIOMMU_REQUEST_CLAIM:
		return true;
	}
	return false;
}

/* The earlier wishes but those for the same group, and the new one. */
static void plan_add_override(struct plan_asked *asked)
{
	const struct uiommu_request *request = asked->request;
	const struct uiommu_plan_input *input = asked->input;
	const struct uiommu_plan *now = asked->now;
	bool wish = request->kind == UIOMMU_REQUEST_TYPE;
	uint32_t group = now->devices[asked->change->device].group;
	uint32_t count = 0;
	uint32_t i, k;

	for (i = 0; i < input->override_count; i++) {
		k = plan_device(now, input->topology, input->overrides[i].sid);
		if (wish && k != UIOMMU_PLAN_NONE &&
		    now->devices[k].group == group)
			continue;
		asked->overrides[count++] = input->overrides[i];
	}
	if (wish && request->type != UIOMMU_DOMAIN_NONE)
		asked->overrides[count++] = (struct uiommu_plan_override){
			request->sid, request->type
		};
	asked->change->input.overrides = asked->overrides;
	asked->change->input.override_count = count;
}

static void plan_add_mask(struct plan_asked *asked)
{
	const struct uiommu_request *request = asked->request;
	const struct uiommu_plan_input *input = asked->input;
	bool wish = request->kind == UIOMMU_REQUEST_MASK;
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; i < input->mask_count; i++) {
		if (!wish || !plan_same(input->masks[i].sid, request->sid))
			asked->masks[count++] = input->masks[i];
	}
	if (wish)
		asked->masks[count++] = (struct uiommu_plan_mask){
			request->sid, request->mask
		};
	asked->change->input.masks = asked->masks;
	asked->change->input.mask_count = count;
}

static void plan_add_live(struct plan_asked *asked,
			  const struct uiommu_plan_live *live, uint32_t count)
{
	struct uiommu_change *change = asked->change;
	uint32_t i;

	change->from = asked->now->groups[change->group].type;
	for (i = 0; i < count; i++) {
		asked->live[i] = live[i];
		if (live[i].group != asked->id)
			continue;
		asked->owned = asked->owned || live[i].owned;
		if (live[i].type != UIOMMU_DOMAIN_NONE)
			change->from = live[i].type;
	}
	change->input.live = asked->live;
	change->input.live_count = count;
}

/* The type that is told of the group; NONE: it is decided again. */
static void plan_set_live(struct plan_asked *asked,
			  enum uiommu_domain_type type)
{
	uint32_t i;

	for (i = 0; i < asked->change->input.live_count; i++) {
		if (asked->live[i].group == asked->id)
			asked->live[i].type = type;
	}
}

static int plan_lay_change(struct plan_asked *asked, uint32_t live_count)
{
	const struct uiommu_plan_input *input = asked->input;
	uint64_t overrides = ((uint64_t)input->override_count + 1) *
			     sizeof(*asked->overrides);
	uint64_t masks = ((uint64_t)input->mask_count + 1) *
			 sizeof(*asked->masks);
	uint64_t lives = (uint64_t)live_count * sizeof(*asked->live);
	struct uiommu_block block;
	int err;

	overrides = (overrides + 7) & ~(uint64_t)7;
	err = uiommu_block_alloc(asked->host, overrides + masks + lives,
				 &block);
	if (err)
		return err;
	asked->change->memory = block.memory;
	asked->change->memory_size = block.size;
	asked->overrides = block.memory;
	asked->masks = (void *)((uint8_t *)block.memory + (size_t)overrides);
	asked->live = (void *)((uint8_t *)block.memory +
			       (size_t)(overrides + masks));
	return UIOMMU_OK;
}

static bool plan_translates(enum uiommu_domain_type type)
{
	return uiommu_plan_kind(type) == UIOMMU_DOMAIN_DMA;
}

static int plan_make_again(struct plan_asked *asked,
			   enum uiommu_domain_type held)
{
	struct uiommu_change *change = asked->change;
	int err;

	plan_set_live(asked, held);
	err = uiommu_plan_make(asked->host, &change->input, &change->plan);
	if (err)
		return err;
	change->group = change->plan.devices[change->device].group;
	/* Then what is told does not go with the plan in force. */
	if (change->group == UIOMMU_PLAN_NONE)
		return UIOMMU_EINVAL;
	change->to = change->plan.groups[change->group].type;
	return UIOMMU_OK;
}

/* Puts the reason of @device by @rule, if it has one, into the change. */
static bool plan_why(struct uiommu_change *change, uint32_t device,
		     enum uiommu_rule rule)
{
	const struct uiommu_reason *reasons;
	uint32_t count = uiommu_plan_reasons(&change->plan, device, &reasons);
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (reasons[i].rule != rule)
			continue;
		change->why = reasons[i];
		change->has_why = true;
		return true;
	}
	return false;
}

/* The reason that decided the type. */
static void plan_why_type(struct uiommu_change *change)
{
	uint32_t rule;

	for (rule = UIOMMU_RULE_TYPE_OPTION;
	     rule <= UIOMMU_RULE_TYPE_BARRED_APART; rule++) {
		if (plan_why(change, change->device, (enum uiommu_rule)rule))
			return;
	}
}

/* Why another type came out than the one that was asked for. */
static void plan_why_not(struct uiommu_change *change,
			 enum uiommu_domain_type type)
{
	if (plan_why(change, change->device, UIOMMU_RULE_GROUP_APART))
		return;
	/* Said besides: it would be lazy but for that. */
	if (type == UIOMMU_DOMAIN_DMA_FQ &&
	    (plan_why(change, change->device, UIOMMU_RULE_TYPE_NOT_LAZY) ||
	     plan_why(change, change->device,
		      UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS)))
		return;
	plan_why_type(change);
	/* It requires translation: since its unit cannot do without? */
	if (type == UIOMMU_DOMAIN_IDENTITY &&
	    change->why.rule == UIOMMU_RULE_TYPE_REQUIRED)
		plan_why(change, change->why.other,
			 UIOMMU_RULE_TYPE_NO_IDENTITY);
}

static void plan_refuse_owned(struct uiommu_change *change)
{
	change->outcome = UIOMMU_OUTCOME_REFUSED;
	change->why = (struct uiommu_reason){ UIOMMU_RULE_TYPE_OWNED,
					      change->device, UIOMMU_PLAN_NONE,
					      (uint32_t)change->to };
	change->has_why = true;
}

static int plan_ask_type(struct plan_asked *asked)
{
	enum uiommu_domain_type type = asked->request->type;
	struct uiommu_change *change = asked->change;
	bool stays = asked->owned || type == change->from;
	int err = plan_make_again(asked,
				  stays ? change->from : UIOMMU_DOMAIN_NONE);

	if (err)
		return err;
	if (asked->owned) {
		plan_refuse_owned(change);
	} else if (type != UIOMMU_DOMAIN_NONE && type != change->to) {
		change->outcome = UIOMMU_OUTCOME_REFUSED;
		plan_why_not(change, type);
	} else {
		if (change->from == change->to)
			change->outcome = UIOMMU_OUTCOME_NOTHING;
		else if (plan_translates(change->from) &&
			 plan_translates(change->to))
			change->outcome = UIOMMU_OUTCOME_LIVE;
		else
			change->outcome = UIOMMU_OUTCOME_MOVE;
		plan_why_type(change);
	}
	return UIOMMU_OK;
}

static int plan_ask_mask(struct plan_asked *asked)
{
	struct uiommu_change *change = asked->change;
	bool is_short = change->from == UIOMMU_DOMAIN_IDENTITY &&
			asked->now->ram_last > asked->request->mask &&
			!asked->now->devices[change->device].barred;
	int err;

	if (is_short && !asked->owned) {
		err = plan_make_again(asked, UIOMMU_DOMAIN_NONE);
		if (err)
			return err;
		if (plan_translates(change->to)) {
			change->outcome = UIOMMU_OUTCOME_MOVE;
			plan_why_type(change);
			return UIOMMU_OK;
		}
		/* Then nothing else is to change by the way. */
		uiommu_plan_fini(&change->plan);
	}
	err = plan_make_again(asked, change->from);
	if (err)
		return err;
	change->outcome = UIOMMU_OUTCOME_NOTHING;
	if (plan_translates(change->from))
		change->outcome = UIOMMU_OUTCOME_BOUND;
	else if (is_short)
		change->outcome = UIOMMU_OUTCOME_BOUNCE;
	if (change->outcome == UIOMMU_OUTCOME_BOUNCE)
		plan_why(change, change->device, UIOMMU_RULE_TYPE_MASK);
	return UIOMMU_OK;
}

/* Are all members kept apart? Then nobody could confine them for a user. */
static bool plan_is_apart(const struct uiommu_plan *plan, uint32_t index)
{
	const struct uiommu_plan_group *group = &plan->groups[index];
	const struct uiommu_reason *reasons;
	uint32_t i, k, count;

	for (i = 0; i < group->member_count; i++) {
		count = uiommu_plan_reasons(
			plan, plan->members[group->member_first + i], &reasons);
		for (k = 0; k < count; k++) {
			if (reasons[k].rule == UIOMMU_RULE_TYPE_BARRED_APART)
				break;
		}
		if (k == count)
			return false;
	}
	return true;
}

static int plan_ask_claim(struct plan_asked *asked)
{
	struct uiommu_change *change = asked->change;
	int err = plan_make_again(asked, change->from);

	if (err)
		return err;
	if (asked->owned) {
		plan_refuse_owned(change);
		return UIOMMU_OK;
	}
	change->outcome = UIOMMU_OUTCOME_REFUSED;
	if (plan_is_apart(&change->plan, change->group)) {
		plan_why_not(change, UIOMMU_DOMAIN_UNMANAGED);
		return UIOMMU_OK;
	}
	if (plan_why(change, change->device, UIOMMU_RULE_REGION_NOT_USER))
		return UIOMMU_OK;
	change->outcome = UIOMMU_OUTCOME_CLAIM;
	change->to = UIOMMU_DOMAIN_BLOCKED;
	return UIOMMU_OK;
}

static int plan_ask(struct plan_asked *asked)
{
	switch (asked->request->kind) {
	case UIOMMU_REQUEST_TYPE:
		return plan_ask_type(asked);
	case UIOMMU_REQUEST_MASK:
		return plan_ask_mask(asked);
	default:
		return plan_ask_claim(asked);
	}
}

int uiommu_change_make(struct uiommu_host *host,
		       const struct uiommu_plan_input *input,
		       const struct uiommu_plan *now,
		       const struct uiommu_plan_live *live, uint32_t live_count,
		       const struct uiommu_request *request,
		       struct uiommu_change *change)
{
	struct plan_asked asked = {
		.host = host, .input = input, .now = now, .request = request
	};
	int err;

	memset(change, 0, sizeof(*change));
	if (!plan_is_request(request) || input->topology == NULL)
		return UIOMMU_EINVAL;
	change->device = plan_device(now, input->topology, request->sid);
	if (change->device == UIOMMU_PLAN_NONE)
		return UIOMMU_ENOENT;
	change->group = now->devices[change->device].group;
	if (change->group == UIOMMU_PLAN_NONE)
		return UIOMMU_ENODEV;
	change->input = *input;
	asked.id = now->groups[change->group].id;
	asked.change = change;
	err = plan_lay_change(&asked, live_count);
	if (err)
		return err;
	plan_add_override(&asked);
	plan_add_mask(&asked);
	plan_add_live(&asked, live, live_count);
	err = plan_ask(&asked);
	if (err)
		uiommu_change_fini(host, change);
	return err;
}

void uiommu_change_fini(struct uiommu_host *host, struct uiommu_change *change)
{
	struct uiommu_block block = { change->memory, change->memory_size };

	if (change->plan.host != NULL)
		uiommu_plan_fini(&change->plan);
	uiommu_block_free(host, &block);
	memset(change, 0, sizeof(*change));
}
