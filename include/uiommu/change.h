/* SPDX-License-Identifier: MIT */
/*
 * What a request would change in a machine that runs: another type for a
 * group, a shorter reach of a device, a user who claims a group. A change is a
 * new plan beside the one in force, and what it takes to get there. Nothing is
 * touched: the live core carries it out, a tool prints it.
 */
#ifndef UIOMMU_CHANGE_H
#define UIOMMU_CHANGE_H

#include <uiommu/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

enum uiommu_request_kind {
	UIOMMU_REQUEST_TYPE,  /* the group's default domain is to have a type */
	UIOMMU_REQUEST_MASK,  /* the device says how far it reaches */
	UIOMMU_REQUEST_CLAIM, /* a user wants the group */
};

struct uiommu_request {
	enum uiommu_request_kind kind;
	struct uiommu_sid sid; /* of a member of the group */
	/* TYPE: IDENTITY, DMA or DMA_FQ; NONE: what nobody's asking gives */
	enum uiommu_domain_type type;
	uint64_t mask; /* MASK: bits of address, all ones from bit 0 on */
};

enum uiommu_outcome {
	UIOMMU_OUTCOME_NOTHING, /* it is so already */
	UIOMMU_OUTCOME_BOUND,	/* mask: addresses are given out below it */
	UIOMMU_OUTCOME_LIVE, /* in place, whoever is at work: DMA and DMA-FQ */
	UIOMMU_OUTCOME_MOVE, /* all members at once; drivers must be idle */
	UIOMMU_OUTCOME_BOUNCE,	/* mask: domain stays, low pages stand in */
	UIOMMU_OUTCOME_CLAIM,	/* blocked at once, then the user's domains */
	UIOMMU_OUTCOME_REFUSED, /* nothing changes, see the reason */
};

/** uiommu_outcome_name() - "nothing", "move"...; never NULL [any] */
const char *uiommu_outcome_name(enum uiommu_outcome outcome);

struct uiommu_change {
	enum uiommu_outcome outcome;
	uint32_t device; /* that was named; the same in both plans */
	uint32_t group;	 /* its group, index into plan.groups */
	enum uiommu_domain_type from; /* of the group's default domain now */
	/* It is to have; a claim: BLOCKED; refused: what would come instead */
	enum uiommu_domain_type to;
	struct uiommu_reason why; /* of plan, for uiommu_reason_text() */
	bool has_why;
	/* As given, with what was asked added. Its overrides, masks and what is
	 * in force are in memory, all else is the caller's. */
	struct uiommu_plan_input input;
	/* In force afterwards; if refused, what the reason refers to */
	struct uiommu_plan plan;
	void *memory;
	size_t memory_size;
};

/**
 * uiommu_change_make() - think a request through
 * @host: port instance, for memory only
 * @input: from which @now was made, or the input of the last change
 * @now: the plan in force
 * @live: what is in force, as uiommu_plan_live() tells it, and who is claimed
 * @live_count: how many these are
 * @request: what is asked
 * @change: where to store the answer; uiommu_change_fini() frees it
 *
 * What the group is for a request of a type: it is decided again with the
 * wish, by all members; REFUSED if another type comes out, the reason tells
 * why. Only what concerns the group of the device can differ between the two
 * plans. A wish replaces earlier ones for the same group and a mask the
 * device's earlier one, so that the input does not grow with their number;
 * asking for no type drops the wishes for the group.
 *
 * For a mask: translated, the addresses are bounded (BOUND). In identity, a
 * device that reaches all of RAM, as far as that is known, needs NOTHING; else
 * the group is to MOVE if that is decided without wishes to the contrary, and
 * the device must BOUNCE if not, or while a user has the group.
 *
 * A claim is refused while another user has the group, for a group with a
 * region that must stay mapped, and for devices that are kept apart since they
 * relate to several groups.
 *
 * Whoever carries a change out uses @change.plan and @change.input from then
 * on, keeps @change.memory as long as that input, and gives the memory of the
 * last one back. What was refused is given back with uiommu_change_fini().
 *
 * After an error nothing is allocated. @input, @now and @live are not in
 * @change: the answer is made there while they are looked at.
 *
 * Context: sleep (memory). Touches no hardware.
 *
 * Return: UIOMMU_OK, also if the outcome is REFUSED, or
 *   UIOMMU_EINVAL - no such kind, a type nobody can ask for, a mask below
 *     4095 or with a gap, or an input or @live that uiommu_plan_make() rejects
 *   UIOMMU_ENOENT - no device of @now has this id
 *   UIOMMU_ENODEV - it has no unit, so no group
 *   UIOMMU_ENOMEM - no memory for the arrays
 */
UIOMMU_MUST_CHECK
int uiommu_change_make(struct uiommu_host *host,
		       const struct uiommu_plan_input *input,
		       const struct uiommu_plan *now,
		       const struct uiommu_plan_live *live, uint32_t live_count,
		       const struct uiommu_request *request,
		       struct uiommu_change *change);

/** uiommu_change_fini() - free a change's plan and arrays [sleep] */
void uiommu_change_fini(struct uiommu_host *host, struct uiommu_change *change);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_CHANGE_H */
