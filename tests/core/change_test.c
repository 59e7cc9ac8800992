// SPDX-License-Identifier: MIT
/*
 * The type of a group changes under its devices: in what order, who is asked to
 * pause, and what stops it. Rnn: rows of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "watch.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull
#define STEPS 64u
#define MASK32 0xffffffffull

static const struct uiommu_sid alone = MACHINE_ALONE;
static const struct uiommu_sid first = MACHINE_PAIR0;
static const struct uiommu_sid second = MACHINE_PAIR1;
static const struct uiommu_range ram = { 0, 0x1ffffffff }; /* 8 GiB */

/* What happened, in order. */
enum step { PAUSE = 1, ATTACH, RESUME };

static struct trace {
	struct machine *machine;
	enum step steps[STEPS];
	uint16_t rids[STEPS];
	unsigned int count;
	unsigned int refuse; /* the pause with this number, from 1 */
	unsigned int pauses;
	uint64_t iova; /* given back by who is paused */
	bool keep;     /* no, it does not */
} trace;

static void note(enum step step, uint16_t rid)
{
	assert_true(trace.count < STEPS);
	trace.steps[trace.count] = step;
	trace.rids[trace.count++] = rid;
}

static bool on_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	(void)host;
	note(PAUSE, uiommu_device_sid(device).rid);
	if (++trace.pauses == trace.refuse)
		return false;
	if (trace.iova && !trace.keep) {
		assert_int_equal(uiommu_dma_unmap(device, trace.iova, 4096),
				 UIOMMU_OK);
		trace.iova = 0;
	}
	return true;
}

/* It may map again, and finds its new domain. */
static void on_resume(struct uiommu_host *host, struct uiommu_device *device)
{
	uint64_t iova;

	(void)host;
	note(RESUME, uiommu_device_sid(device).rid);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	assert_true(fake_reaches(uiommu_device_sid(device), iova, 3, NULL));
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
}

static void on_attach(struct uiommu_hwdev *dev, struct uiommu_hwdomain *domain)
{
	struct uiommu_device *device = uiommu_device_find(trace.machine->uiommu,
							  dev->sids[0]);
	uiommu_paddr_t paddr = 0;
	uint64_t iova;

	note(ATTACH, dev->sids[0].rid);
	/* Between pause and resume nothing is lent. */
	if (device && device->paused)
		assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
						UIOMMU_DMA_TO_DEVICE, &iova),
				 UIOMMU_EACCES);
	/* R11: what firmware keeps is in the new domain before anybody. */
	if (domain->type == UIOMMU_DOMAIN_DMA && dev->direct) {
		assert_int_equal(uiommu_pt_lookup(&domain->pt, RESERVE_LAST,
						  &paddr, NULL),
				 UIOMMU_OK);
		assert_int_equal(paddr, RESERVE_LAST);
	}
}

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	memset(&trace, 0, sizeof(trace));
	trace.machine = &machine;
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

static void bring_up(struct machine *machine)
{
	machine_up(machine);
	machine->host->on_pause = on_pause;
	machine->host->on_resume = on_resume;
	fake.on_attach = on_attach;
}

static void take_down(struct machine *machine)
{
	fake.on_attach = NULL;
	machine_down(machine);
}

static enum uiommu_domain_type in_hardware(struct uiommu_sid sid)
{
	return fake_domain_of(sid)->type;
}

/* R01, R11: both ways, with members, and a region that is always there. */
static void test_both_ways(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *own;
	struct uiommu_group *group;
	struct watch before, after;
	uiommu_paddr_t paddr;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &second, 1);
	bring_up(machine);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA_FQ),
			 UIOMMU_OK);
	watch_take(machine, &before);
	for (int i = 0; i < 50; i++) {
		trace.count = 0;
		assert_int_equal(
			uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_OK);
		assert_int_equal(trace.count, 2);
		assert_int_equal(uiommu_group_type(group),
				 UIOMMU_DOMAIN_IDENTITY);
		assert_ptr_equal(uiommu_group_domain(group),
				 uiommu_identity_domain(machine->uiommu));
		assert_int_equal(in_hardware(first), UIOMMU_DOMAIN_IDENTITY);
		assert_int_equal(in_hardware(second), UIOMMU_DOMAIN_IDENTITY);
		assert_int_equal(fake.domains, before.domains - 1);
		watch_agree(machine, "identity");
		assert_int_equal(uiommu_group_set_type(
					 group, i % 2 ? UIOMMU_DOMAIN_DMA
						      : UIOMMU_DOMAIN_DMA_FQ),
				 UIOMMU_OK);
		own = uiommu_group_default_domain(group);
		assert_int_equal(
			uiommu_domain_lookup(own, RESERVE_LAST, &paddr),
			UIOMMU_OK);
		assert_int_equal(paddr, RESERVE_LAST);
		assert_ptr_equal(fake_domain_of(first), &own->hw);
		assert_ptr_equal(fake_domain_of(second), &own->hw);
		watch_agree(machine, "translated");
	}
	watch_take(machine, &after);
	assert_int_equal(after.pages, before.pages);
	assert_int_equal(after.domains, before.domains);
	assert_int_equal(after.overrides, before.overrides);
	assert_int_equal(machine->host->pauses, 0);
	take_down(machine);
}

static void test_nothing_to_do(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct watch watch;

	bring_up(machine);
	group = machine_group(machine, first);
	machine_driver(machine, first);
	watch_take(machine, &watch);
	for (unsigned int type = UIOMMU_DOMAIN_NONE;
	     type <= UIOMMU_DOMAIN_SINK + 1; type++) {
		int err;

		if (type == UIOMMU_DOMAIN_IDENTITY ||
		    type == UIOMMU_DOMAIN_DMA_FQ)
			continue;
		err = uiommu_group_set_type(group, type);
		if (type == UIOMMU_DOMAIN_NONE || type == UIOMMU_DOMAIN_DMA) {
			assert_int_equal(err, UIOMMU_OK);
			watch_take(machine, &watch);
			continue;
		}
		assert_int_equal(err, UIOMMU_EINVAL);
		watch_check(machine, &watch, "no such type");
	}
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_DMA);
	assert_int_equal(trace.count, 0);
	take_down(machine);
}

/* DMA and DMA-FQ: live, whoever is at work, whatever is lent. */
static void test_live(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_domain *own;
	struct uiommu_group *group;
	uint64_t iova;

	bring_up(machine);
	device = machine_driver(machine, first);
	group = uiommu_device_group(device);
	own = uiommu_group_default_domain(group);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_OK);
	for (int i = 0; i < 4; i++) {
		enum uiommu_domain_type type = i % 2 ? UIOMMU_DOMAIN_DMA
						     : UIOMMU_DOMAIN_DMA_FQ;

		assert_int_equal(uiommu_group_set_type(group, type), UIOMMU_OK);
		assert_int_equal(uiommu_group_type(group), type);
		assert_ptr_equal(uiommu_group_default_domain(group), own);
		assert_true(fake_reaches(first, iova, 1, NULL));
		watch_agree(machine, "live");
	}
	assert_int_equal(trace.count, 0);
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	take_down(machine);
}

/* Who is at work is paused before, and goes on after; others are not asked. */
static void test_pause(void **state)
{
	static const enum step want[] = { PAUSE,  PAUSE,  ATTACH,
					  ATTACH, RESUME, RESUME };
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_group *group;

	bring_up(machine);
	device = machine_driver(machine, first);
	assert_int_equal(uiommu_device_use(device), UIOMMU_OK);
	machine_driver(machine, alone); /* of another group */
	group = uiommu_device_group(device);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_TO_DEVICE, &trace.iova),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(trace.count, 4);
	assert_int_equal(trace.steps[0], PAUSE);
	assert_int_equal(trace.rids[0], first.rid);
	assert_int_equal(trace.steps[3], RESUME);
	assert_int_equal(trace.rids[3], first.rid);
	machine_driver(machine, second);
	trace.count = 0;
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	assert_int_equal(trace.count, 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(trace.steps[i], want[i]);
	assert_int_not_equal(trace.rids[0], trace.rids[1]);
	assert_int_not_equal(trace.rids[4], trace.rids[5]);
	watch_agree(machine, "paused and resumed");
	take_down(machine);
}

/* The second says no: the first goes on, in the domain that it was in. */
static void test_pause_refused(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct watch watch;

	bring_up(machine);
	machine_driver(machine, first);
	machine_driver(machine, second);
	group = machine_group(machine, first);
	for (trace.refuse = 1; trace.refuse <= 2; trace.refuse++) {
		trace.pauses = 0;
		trace.count = 0;
		watch_take(machine, &watch);
		assert_int_equal(
			uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_EINUSE);
		watch_check(machine, &watch, "not paused");
		assert_int_equal(trace.count, 2 * trace.refuse - 1);
		assert_int_equal(trace.steps[trace.count - 1],
				 trace.refuse == 2 ? RESUME : PAUSE);
		assert_true(user_logged(machine->host, "was not paused"));
	}
	assert_int_equal(trace.rids[0], trace.rids[2]);
	/* A host that knows of no pausing. */
	machine->host->on_pause = NULL;
	watch_take(machine, &watch);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EINUSE);
	watch_check(machine, &watch, "no pausing");
	take_down(machine);
}

/* Paused, but it kept a mapping: it is resumed, and nothing moved. */
static void test_mappings_out(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_group *group;
	struct watch watch;

	bring_up(machine);
	device = machine_driver(machine, first);
	group = uiommu_device_group(device);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_TO_DEVICE, &trace.iova),
			 UIOMMU_OK);
	trace.keep = true;
	watch_take(machine, &watch);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EBUSY);
	watch_check(machine, &watch, "mappings out");
	assert_int_equal(trace.count, 2);
	assert_int_equal(trace.steps[1], RESUME);
	assert_true(fake_reaches(first, trace.iova, 1, NULL));
	assert_true(user_logged(machine->host, "still out"));
	/* Its driver gone, it is a leak; and in the way all the same. */
	uiommu_device_unuse(device);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EBUSY);
	watch_check(machine, &watch, "leaked mappings");
	take_down(machine);
}

/* --- Members that have a say --- */

/* R09: one member needs translation: the group goes as a whole, or stays. */
static void test_required(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct watch watch;

	fake.required_rid = MACHINE_PCI1.rid;
	fake.required = UIOMMU_DOMAIN_DMA;
	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	bring_up(machine);
	group = machine_group(machine, MACHINE_PCI0);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_DMA);
	assert_int_equal(in_hardware(MACHINE_BRIDGE), UIOMMU_DOMAIN_DMA);
	assert_int_equal(uiommu_group_type(machine_group(machine, first)),
			 UIOMMU_DOMAIN_IDENTITY);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EPERM);
	watch_check(machine, &watch, "a member requires DMA");
	assert_true(user_logged(machine->host, "keeps its type"));
	/* When it has gone nobody minds. */
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_PCI1)),
		UIOMMU_OK);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_DMA);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_NONE),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_IDENTITY);
	take_down(machine);
}

/* The machine cannot: told which of the reasons, and nothing moved. */
static void test_impossible(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct watch watch;

	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &second, 1);
	bring_up(machine);
	group = machine_group(machine, first);
	watch_take(machine, &watch);
	fake.no_tables = true;
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_ENOTSUP);
	watch_check(machine, &watch, "no tables in common");
	fake.no_tables = false;
	fake.levels = 3;
	fake.width = 30; /* below the region */
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_ERANGE);
	watch_check(machine, &watch, "a region out of reach");
	fake.levels = fake.width = 0;
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	take_down(machine);
}

/* What was asked holds until the next start, or until nobody asks. */
static void test_asked(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;

	bring_up(machine);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	/* Others' changes do not undo it. */
	assert_int_equal(uiommu_group_set_type(machine_group(machine, alone),
					       UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 15), UIOMMU_OK);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_NONE),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_DMA);
	fake.on_attach = NULL;
	uiommu_stop(machine->uiommu);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_int_equal(uiommu_group_type(machine_group(machine, alone)),
			 UIOMMU_DOMAIN_DMA);
	take_down(machine);
}

/* --- Masks --- */

static int set_up_identity(void **state)
{
	struct machine *machine;

	set_up(state);
	machine = *state;
	machine->options.build_default = UIOMMU_DOMAIN_IDENTITY;
	machine->options.ram = &ram;
	machine->options.ram_count = 1;
	return 0;
}

/* Its group moves as a whole, since it reaches less than all of RAM. */
static void test_mask_moves(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_group *group;
	uint64_t iova;

	bring_up(machine);
	device = machine_driver(machine, first);
	group = uiommu_device_group(device);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_IDENTITY);
	/* All of RAM: nothing to do. */
	assert_int_equal(uiommu_device_set_dma_mask(device, 0x3ffffffff),
			 UIOMMU_OK);
	assert_int_equal(trace.count, 0);
	assert_int_equal(uiommu_device_set_dma_mask(device, MASK32), UIOMMU_OK);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_DMA);
	/* Who asks is not asked. */
	assert_int_equal(machine->host->pauses, 0);
	assert_int_equal(in_hardware(second), UIOMMU_DOMAIN_DMA);
	watch_agree(machine, "moved for a mask");
	assert_int_equal(uiommu_dma_map(device, 0x123456000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_OK);
	assert_true(iova <= MASK32);
	assert_int_equal(device->bounced, 0);
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	take_down(machine);
}

/* R18: a sibling at work that is not paused keeps the group; it bounces. */
static void test_mask_bounces(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_group *group;

	bring_up(machine);
	device = machine_driver(machine, first);
	machine_driver(machine, second);
	group = uiommu_device_group(device);
	trace.refuse = 1;
	assert_int_equal(uiommu_device_set_dma_mask(device, MASK32), UIOMMU_OK);
	assert_int_equal(machine->host->pauses, 1);
	assert_int_equal(trace.rids[0], second.rid);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(in_hardware(second), UIOMMU_DOMAIN_IDENTITY);
	assert_true(user_logged(machine->host, "through low pages"));
	assert_int_equal(device->dma_mask, MASK32);
	watch_agree(machine, "bounces");
	/* Once it may, the group moves. */
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	assert_int_equal(trace.steps[trace.count - 1], RESUME);
	take_down(machine);
}

static void test_mask_misuse(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct watch watch;

	bring_up(machine);
	device = machine_driver(machine, first);
	machine_driver(machine, second);
	watch_take(machine, &watch);
	for (unsigned int i = 0; i < 3; i++) {
		static const uint64_t bad[] = { 0, 0x7ff, 0x10000 };

		assert_int_equal(uiommu_device_set_dma_mask(device, bad[i]),
				 UIOMMU_EINVAL);
	}
	watch_check(machine, &watch, "no mask");
	/* It cannot move, and no page is low enough. */
	trace.refuse = 1;
	assert_int_equal(uiommu_device_set_dma_mask(device, 0xfff),
			 UIOMMU_ERANGE);
	watch_check(machine, &watch, "no low pages");
	take_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_both_ways, set_up),
		cmocka_unit_test_setup(test_nothing_to_do, set_up),
		cmocka_unit_test_setup(test_live, set_up),
		cmocka_unit_test_setup(test_pause, set_up),
		cmocka_unit_test_setup(test_pause_refused, set_up),
		cmocka_unit_test_setup(test_mappings_out, set_up),
		cmocka_unit_test_setup(test_required, set_up),
		cmocka_unit_test_setup(test_impossible, set_up),
		cmocka_unit_test_setup(test_asked, set_up),
		cmocka_unit_test_setup(test_mask_moves, set_up_identity),
		cmocka_unit_test_setup(test_mask_bounces, set_up_identity),
		cmocka_unit_test_setup(test_mask_misuse, set_up_identity),
	};

	return cmocka_run_group_tests_name("core change", tests, NULL, NULL);
}
