// SPDX-License-Identifier: MIT
/* Wishes, one after the other, through the library's own change. */
#include <stdlib.h>
#include <string.h>

#include "wish.h"

/* What is in force between two wishes. */
struct wish_now {
	const struct study *study;
	struct uiommu_change change; /* the last that was not refused */
	bool changed;
	struct uiommu_plan_live *live;
	uint32_t live_count;
};

static const struct uiommu_plan *wish_plan(const struct wish_now *now)
{
	return now->changed ? &now->change.plan : &now->study->plan;
}

static int wish_begin(struct wish_now *now, const struct study *study)
{
	memset(now, 0, sizeof(*now));
	now->study = study;
	now->live = calloc(study->plan.device_count + 1, sizeof(*now->live));
	if (!now->live)
		return -1;
	uiommu_plan_live(&study->plan, &study->machine->topology, now->live,
			 &now->live_count);
	return 0;
}

static void wish_end(struct wish_now *now)
{
	if (now->changed)
		uiommu_change_fini(now->study->machine->topology.host,
				   &now->change);
	free(now->live);
}

/* What the change leaves in force; users keep what they have. */
static void wish_commit(struct wish_now *now, struct uiommu_change *change)
{
	struct uiommu_host *host = now->study->machine->topology.host;
	uint32_t claimed = UIOMMU_PLAN_NONE;

	if (change->outcome == UIOMMU_OUTCOME_CLAIM)
		claimed = change->plan.groups[change->group].id;
	if (now->changed)
		uiommu_change_fini(host, &now->change);
	now->change = *change;
	now->changed = true;
	/* The same devices in the same groups: only types can differ. */
	for (uint32_t i = 0; i < now->live_count; i++) {
		struct uiommu_plan_live *live = &now->live[i];

		if (live->group == change->plan.groups[change->group].id)
			live->type = change->plan.groups[change->group].type;
		live->owned |= live->group == claimed;
	}
}

static int wish_try(struct wish_now *now, struct wish *wish)
{
	struct uiommu_host *host = now->study->machine->topology.host;
	struct uiommu_change change;
	int err = uiommu_change_make(
		host, now->changed ? &now->change.input : &now->study->input,
		wish_plan(now), now->live, now->live_count, &wish->request,
		&change);

	if (err) {
		fprintf(stderr, "uiommu: %s: cannot be thought through: %s\n",
			now->study->machine->source, uiommu_strerror(err));
		return ASK_FINDINGS;
	}
	wish->outcome = change.outcome;
	wish->from = change.from;
	wish->to = change.to;
	if (change.has_why) {
		wish->rule = change.why.rule;
		uiommu_reason_text(&change.plan, &now->study->machine->topology,
				   &change.why, wish->why, sizeof(wish->why));
	}
	wish_say(now->study, wish);
	if (change.outcome == UIOMMU_OUTCOME_REFUSED)
		uiommu_change_fini(host, &change);
	else
		wish_commit(now, &change);
	return 0;
}

static int wishes_begin(struct wishes *wishes, uint32_t room)
{
	wishes->count = 0;
	wishes->list = calloc(room, sizeof(*wishes->list));
	if (wishes->list)
		return 0;
	fprintf(stderr, "uiommu: out of memory\n");
	return ASK_FINDINGS;
}

int wishes_of(const struct study *study, const struct ask *ask,
	      struct wishes *wishes)
{
	struct machine_error error;
	struct wish_now now;
	int status = wishes_begin(wishes, ASK_WISHES_MOST);

	if (status)
		return status;
	for (uint32_t i = 0; i < ask->wish_count; i++) {
		if (wish_read(study, &ask->wishes[i], &wishes->list[i],
			      &error)) {
			fprintf(stderr, "uiommu: %s\n", error.text);
			wishes_fini(wishes);
			return ASK_USAGE;
		}
	}
	if (wish_begin(&now, study)) {
		fprintf(stderr, "uiommu: out of memory\n");
		wishes_fini(wishes);
		return ASK_FINDINGS;
	}
	for (; !status && wishes->count < ask->wish_count; wishes->count++)
		status = wish_try(&now, &wishes->list[wishes->count]);
	wish_end(&now);
	if (status)
		wishes_fini(wishes);
	return status;
}

/* One alone, from what is in force without any. */
static int wish_alone(const struct study *study, struct wishes *wishes,
		      const struct uiommu_request *request, uint32_t device)
{
	struct wish *wish = &wishes->list[wishes->count];
	struct wish_now now;
	int status;

	wish->request = *request;
	wish->device = device;
	wish->group = study->plan.devices[device].group;
	if (wish_begin(&now, study)) {
		fprintf(stderr, "uiommu: out of memory\n");
		return ASK_FINDINGS;
	}
	status = wish_try(&now, wish);
	wish_end(&now);
	wishes->count += status == 0;
	return status;
}

int wishes_usual(const struct study *study, uint32_t device, uint32_t group,
		 struct wishes *wishes)
{
	static const struct uiommu_request usual[] = {
		{ .kind = UIOMMU_REQUEST_TYPE, .type = UIOMMU_DOMAIN_IDENTITY },
		{ .kind = UIOMMU_REQUEST_TYPE, .type = UIOMMU_DOMAIN_DMA },
		{ .kind = UIOMMU_REQUEST_TYPE, .type = UIOMMU_DOMAIN_DMA_FQ },
		{ .kind = UIOMMU_REQUEST_CLAIM },
		{ .kind = UIOMMU_REQUEST_MASK, .mask = 0xffffffff },
	};
	uint32_t most = sizeof(usual) / sizeof(usual[0]), count;
	int status = wishes_begin(wishes, most);

	/* How far it reaches is a thing of one device. */
	if (device == UIOMMU_PLAN_NONE) {
		device = study_members(study, group, &count)[0];
		most--;
	}
	for (uint32_t i = 0; !status && i < most; i++) {
		struct uiommu_request request = usual[i];

		request.sid = wish_sid(study, device);
		status = wish_alone(study, wishes, &request, device);
	}
	if (status)
		wishes_fini(wishes);
	return status;
}

void wishes_fini(struct wishes *wishes)
{
	free(wishes->list);
	memset(wishes, 0, sizeof(*wishes));
}

bool wishes_refused(const struct wishes *wishes)
{
	for (uint32_t i = 0; i < wishes->count; i++)
		if (wishes->list[i].outcome == UIOMMU_OUTCOME_REFUSED)
			return true;
	return false;
}
