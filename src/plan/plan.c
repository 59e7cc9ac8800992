// SPDX-License-Identifier: MIT
/*
 * Makes a plan: two blocks of memory, one for the plan and one for the notes,
 * then the decisions in order. Nothing after the allocations can fail, so
 * there is nothing to undo.
 */
#include "base/block.h"
#include "plan/plan.h"

/* More is not a machine but a hostile table or topology. */
#define PLAN_MOST_BYTES ((uint64_t)64 << 20)

/* Room for one array after the other, each aligned to 8. */
struct plan_room {
	uint8_t *memory; /* NULL while only counting */
	uint64_t used;
};

static void *plan_take(struct plan_room *room, uint64_t count, size_t size)
{
	uint64_t at = room->used;

	room->used += (count * size + 7) & ~(uint64_t)7;
	return room->memory == NULL ? NULL : room->memory + (size_t)at;
}

/* Memory for what was counted; then @room is to be laid out once more. */
static int plan_room_alloc(struct uiommu_host *host, struct plan_room *room,
			   struct uiommu_block *block)
{
	int err;

	if (room->used > PLAN_MOST_BYTES)
		return UIOMMU_ENOMEM;
	err = uiommu_block_alloc(host, room->used, block);
	if (err)
		return err;
	room->memory = block->memory;
	room->used = 0;
	return UIOMMU_OK;
}

static void plan_lay_notes(struct plan_work *work, struct plan_room *room,
			   uint64_t aliases)
{
	uint64_t count = work->plan.device_count;

	work->notes = plan_take(room, count, sizeof(*work->notes));
	work->order = plan_take(room, count, sizeof(*work->order));
	work->steps = plan_take(room, PLAN_MOST_STEPS, sizeof(*work->steps));
	work->names = plan_take(room, uiommu_plan_count_names(work),
				sizeof(*work->names));
	work->users = plan_take(room, aliases, sizeof(*work->users));
	work->held = plan_take(room, work->input->live_count,
			       sizeof(*work->held));
}

static void plan_lay_plan(struct plan_work *work, struct plan_room *room,
			  uint64_t aliases, uint64_t regions)
{
	struct uiommu_plan *plan = &work->plan;
	uint64_t count = plan->device_count;
	/* The unit, that it may be no user's, and what makes group and type. */
	uint64_t reasons = count * (2 + PLAN_GROUP_REASONS +
				    PLAN_TYPE_REASONS) +
			   3 * regions;

	plan->regions = plan_take(room, regions, sizeof(*plan->regions));
	plan->group_regions = plan_take(room, regions,
					sizeof(*plan->group_regions));
	plan->devices = plan_take(room, count, sizeof(*plan->devices));
	plan->groups = plan_take(room, count, sizeof(*plan->groups));
	plan->members = plan_take(room, count, sizeof(*plan->members));
	plan->aliases = plan_take(room, aliases, sizeof(*plan->aliases));
	plan->reasons = plan_take(room, reasons, sizeof(*plan->reasons));
	plan->record_offsets = plan_take(room, plan->record_count,
					 sizeof(*plan->record_offsets));
	if (room->memory != NULL)
		work->reason_room = (uint32_t)reasons;
}

static uint64_t plan_count_aliases(const struct plan_work *work)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < work->function_count; i++)
		count += uiommu_plan_device_aliases(
			work->topology, work->input->rules, i, NULL);
	return count + (work->plan.device_count - work->function_count);
}

static void plan_begin(struct plan_work *work)
{
	uint32_t i;

	for (i = 0; i < work->plan.device_count; i++) {
		struct plan_note *note = &work->notes[i];
		struct uiommu_plan_device *device = &work->plan.devices[i];

		note->unit = UIOMMU_PLAN_NONE;
		note->absent = UIOMMU_PLAN_NONE;
		note->model = UIOMMU_PLAN_NONE;
		note->claim = UIOMMU_PLAN_NONE;
		note->open_below = UIOMMU_PLAN_NONE;
		note->open_slot = UIOMMU_PLAN_NONE;
		note->leak = UIOMMU_PLAN_NONE;
		note->linux_leak = UIOMMU_PLAN_NONE;
		note->twin = UIOMMU_PLAN_NONE;
		note->first_twin = UIOMMU_PLAN_NONE;
		note->other_twin = UIOMMU_PLAN_NONE;
		note->set = i;
		note->group = UIOMMU_PLAN_NONE;
		note->held = UIOMMU_PLAN_NONE;
		note->fresh = true;
		note->real = UIOMMU_PLAN_NONE;
		note->other_real = UIOMMU_PLAN_NONE;
		note->hollow = UIOMMU_PLAN_NONE;
		note->number = UIOMMU_PLAN_NONE;
		note->elder = UIOMMU_PLAN_NONE;
		note->stray = UIOMMU_PLAN_NONE;
		note->short_of_ram = UIOMMU_PLAN_NONE;
		note->shares = UIOMMU_PLAN_NONE;
		note->requirer = UIOMMU_PLAN_NONE;
		note->confined = UIOMMU_PLAN_NONE;
		note->outsider = UIOMMU_PLAN_NONE;
		note->named = UIOMMU_PLAN_NONE;
		note->override = UIOMMU_PLAN_NONE;
		note->keeper = UIOMMU_PLAN_NONE;
		note->kept = UIOMMU_PLAN_NONE;
		note->caching = UIOMMU_PLAN_NONE;
		note->mask_bits = 64;
		note->unit_reason = (struct uiommu_reason){
			UIOMMU_RULE_UNIT_OFF, i, UIOMMU_PLAN_NONE,
			UIOMMU_PLAN_NONE
		};
		device->function = i;
		device->andd = UIOMMU_PLAN_NONE;
		device->unit = UIOMMU_PLAN_NONE;
		device->group = UIOMMU_PLAN_NONE;
	}
}

static void plan_decide(struct plan_work *work)
{
	bool opt_in;
	uint32_t i;

	plan_begin(work);
	uiommu_plan_graphics_note(work);
	for (i = 0; i < work->plan.record_count; i++)
		work->plan.record_offsets[i] =
			work->input->dmar->records[i].offset;
	for (i = 0; i < work->input->ram_count; i++) {
		if (work->input->ram[i].last > work->plan.ram_last)
			work->plan.ram_last = work->input->ram[i].last;
	}
	work->plan.off = !uiommu_plan_wanted(work->input, &opt_in);
	if (!work->plan.off)
		uiommu_plan_units(work);
	uiommu_plan_namespace(work);
	uiommu_plan_note_isolation(work);
	uiommu_plan_aliases(work);
	uiommu_plan_note_held(work);
	uiommu_plan_groups(work);
	uiommu_plan_types(work);
	uiommu_plan_bar(work);
	uiommu_plan_regions(work);
	for (i = 0; i < work->plan.device_count; i++) {
		uiommu_plan_say_unit(work, i);
		uiommu_plan_say_group(work, i);
		uiommu_plan_say_type(work, i);
		uiommu_plan_say_regions(work, i);
	}
}

/* The notes are there and work->names is filled; makes work->plan. */
static int plan_fill(struct plan_work *work, uint64_t aliases)
{
	uint64_t regions = uiommu_plan_count_regions(work);
	struct plan_room room = { NULL, 0 };
	struct uiommu_plan *plan = &work->plan;
	struct uiommu_block block;
	int err;

	plan_lay_plan(work, &room, aliases, regions);
	err = plan_room_alloc(plan->host, &room, &block);
	if (err)
		return err;
	plan->memory = block.memory;
	plan->memory_size = block.size;
	plan_lay_plan(work, &room, aliases, regions);
	plan_decide(work);
	return UIOMMU_OK;
}

static bool plan_is_choice(enum uiommu_domain_type type)
{
	return type == UIOMMU_DOMAIN_IDENTITY || type == UIOMMU_DOMAIN_DMA ||
	       type == UIOMMU_DOMAIN_DMA_FQ;
}

/* A unit that can be in force for a device. */
static bool plan_is_unit(const struct uiommu_plan_input *input, uint32_t record)
{
	return input->dmar != NULL && record < input->dmar->record_count &&
	       input->dmar->records[record].type == UIOMMU_DMAR_DRHD &&
	       input->dmar->records[record].usable &&
	       input->units[record].present;
}

static bool plan_is_in_force(const struct uiommu_plan_input *input,
			     const struct uiommu_plan_live *live)
{
	if (live->off != input->live[0].off)
		return false;
	if (live->unit == UIOMMU_PLAN_NONE)
		return live->group == UIOMMU_PLAN_NONE &&
		       live->type == UIOMMU_DOMAIN_NONE;
	return !live->off && plan_is_unit(input, live->unit) &&
	       live->group != UIOMMU_PLAN_NONE &&
	       (live->type == UIOMMU_DOMAIN_NONE ||
		live->type == UIOMMU_DOMAIN_BLOCKED ||
		plan_is_choice(live->type));
}

static bool plan_is_sound(const struct uiommu_plan_input *input)
{
	uint32_t i;

	if (input->topology == NULL ||
	    (input->dmar != NULL && input->dmar->record_count != 0 &&
	     input->units == NULL))
		return false;
	if (input->build_default != UIOMMU_DOMAIN_NONE &&
	    !plan_is_choice(input->build_default))
		return false;
	for (i = 0; i < input->override_count; i++) {
		if (!plan_is_choice(input->overrides[i].type))
			return false;
	}
	for (i = 0; i < input->requirement_count; i++) {
		if (!plan_is_choice(input->requirements[i].type) ||
		    input->requirements[i].type == UIOMMU_DOMAIN_DMA_FQ)
			return false;
	}
	for (i = 0; i < input->live_count; i++) {
		if (!plan_is_in_force(input, &input->live[i]))
			return false;
	}
	return true;
}

int uiommu_plan_make(struct uiommu_host *host,
		     const struct uiommu_plan_input *input,
		     struct uiommu_plan *plan)
{
	struct plan_room room = { NULL, 0 };
	struct uiommu_block block;
	struct plan_work work;
	uint64_t aliases;
	int err;

	if (!plan_is_sound(input))
		return UIOMMU_EINVAL;
	memset(&work, 0, sizeof(work));
	work.input = input;
	work.topology = input->topology;
	work.plan.host = host;
	work.function_count = work.topology->count;
	if (input->dmar != NULL)
		work.plan.record_count = input->dmar->record_count;
	work.plan.device_count = work.function_count +
				 uiommu_plan_count_namespace(&work);
	aliases = plan_count_aliases(&work);
	plan_lay_notes(&work, &room, aliases);
	err = plan_room_alloc(host, &room, &block);
	if (err)
		return err;
	plan_lay_notes(&work, &room, aliases);
	uiommu_plan_name(&work);
	err = uiommu_plan_hold(&work) ? plan_fill(&work, aliases)
				      : UIOMMU_EINVAL;
	uiommu_block_free(host, &block);
	if (err)
		return err;
	*plan = work.plan;
	return UIOMMU_OK;
}

void uiommu_plan_fini(struct uiommu_plan *plan)
{
	struct uiommu_block block = { plan->memory, plan->memory_size };
	struct uiommu_host *host = plan->host;

	uiommu_block_free(host, &block);
	memset(plan, 0, sizeof(*plan));
	plan->host = host;
}
