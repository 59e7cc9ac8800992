// SPDX-License-Identifier: MIT
/* Sinks, and devices that are refused while their function is reset. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "watch.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull

static const struct uiommu_sid alone = MACHINE_ALONE;
static const struct uiommu_sid first = MACHINE_PAIR0;
static const struct uiommu_sid second = MACHINE_PAIR1;

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

/* --- Sinks --- */

/* Every address leads to one page: which? */
static uint64_t sink_page(struct machine *machine, struct uiommu_sid sid)
{
	static const uint64_t places[] = { 0, 0x1000, 0xfee00000, 0x7d000fff,
					   0x7fffffffffff };
	const struct uiommu_domain *domain = uiommu_device_domain(
		machine_device(machine, sid));
	uint64_t page = 0, to;

	assert_ptr_equal(fake_domain_of(sid), &domain->hw);
	assert_int_equal(domain->hw.type, UIOMMU_DOMAIN_SINK);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(uiommu_domain_lookup(domain, places[i], &to),
				 UIOMMU_OK);
		if (!i)
			page = to;
		assert_int_equal(to & ~0xfffull, page);
		assert_int_equal(to & 0xfff, places[i] & 0xfff);
	}
	assert_non_null(vtdm_mem_ptr(machine->host->mem, page));
	return page;
}

static void test_sink(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *groups[2];
	struct watch before, after;
	uint64_t page;

	machine_up(machine);
	groups[0] = machine_group(machine, first);
	groups[1] = machine_group(machine, alone);
	assert_int_equal(uiommu_group_set_sink(groups[0], true), UIOMMU_OK);
	assert_int_equal(uiommu_group_set_sink(groups[0], false), UIOMMU_OK);
	watch_take(machine, &before);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(uiommu_group_set_sink(groups[i], true),
				 UIOMMU_OK);
		assert_int_equal(uiommu_group_set_sink(groups[i], true),
				 UIOMMU_OK);
		/* It is for when they are refused: not yet. */
		assert_ptr_equal(uiommu_group_domain(groups[i]),
				 uiommu_group_default_domain(groups[i]));
		assert_int_equal(uiommu_group_claim(groups[i], state),
				 UIOMMU_OK);
		assert_int_equal(
			uiommu_domain_type(uiommu_group_domain(groups[i])),
			UIOMMU_DOMAIN_SINK);
		watch_agree(machine, "in the sink");
	}
	page = sink_page(machine, first);
	assert_int_equal(sink_page(machine, second), page);
	/* What one group left is nothing to another. */
	assert_int_not_equal(sink_page(machine, alone), page);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(uiommu_group_detach(groups[i], state),
				 UIOMMU_OK);
		assert_int_equal(uiommu_group_release(groups[i], state),
				 UIOMMU_OK);
		assert_int_equal(uiommu_group_set_sink(groups[i], false),
				 UIOMMU_OK);
	}
	watch_take(machine, &after);
	assert_memory_equal(&after, &before, sizeof(after));
	machine_down(machine);
}

/* Where hardware refuses the sink, blocked will do; where not, not. */
static void test_sink_refused(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct watch watch;

	machine_up(machine);
	group = machine_group(machine, first);
	watch_take(machine, &watch);
	fake.no_tables = true;
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_ENOTSUP);
	watch_check(machine, &watch, "no tables in common");
	fake.no_tables = false;
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_OK);
	fake.fail_attach_rid = second.rid;
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_domain(group),
			 uiommu_blocked_domain(machine->uiommu));
	watch_agree(machine, "blocked instead");
	fake.fail_attach_rid = 0;
	/* Detached it may be in the sink again. */
	assert_int_equal(uiommu_group_detach(group, state), UIOMMU_OK);
	assert_int_equal(uiommu_domain_type(uiommu_group_domain(group)),
			 UIOMMU_DOMAIN_SINK);
	assert_int_equal(uiommu_group_set_sink(group, false), UIOMMU_EOWNED);
	assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
	machine_down(machine);
}

/* Who is barred goes to the sink and back, alone. */
static void test_sink_barred(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_group *group;
	unsigned int attaches;

	fake.required_rid = second.rid;
	fake.required = UIOMMU_DOMAIN_IDENTITY;
	machine_build(machine);
	user_plug(machine->host, second, false);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	user_plug(machine->host, second, true);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 15), UIOMMU_OK);
	device = machine_device(machine, second);
	group = uiommu_device_group(device);
	attaches = fake.attaches;
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_OK);
	assert_int_equal(uiommu_domain_type(uiommu_device_domain(device)),
			 UIOMMU_DOMAIN_SINK);
	sink_page(machine, second);
	watch_agree(machine, "barred, in the sink");
	assert_int_equal(uiommu_group_set_sink(group, false), UIOMMU_OK);
	assert_ptr_equal(uiommu_device_domain(device),
			 uiommu_blocked_domain(machine->uiommu));
	assert_int_equal(fake.attaches, attaches + 2);
	watch_agree(machine, "barred, blocked");
	machine_down(machine);
}

/* --- Resets --- */

static void test_reset(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device, *sibling;
	struct uiommu_domain *own;
	struct watch watch;
	uint64_t iova;

	machine_up(machine);
	device = machine_driver(machine, first);
	sibling = machine_driver(machine, second);
	own = uiommu_device_domain(device);
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_EINVAL);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	watch_take(machine, &watch);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
		assert_false(fake_reaches(first, iova, 1, NULL));
		assert_true(fake_reaches(second, iova, 3, NULL));
		assert_ptr_equal(uiommu_device_domain(sibling), own);
		assert_ptr_equal(uiommu_device_domain(device),
				 uiommu_blocked_domain(machine->uiommu));
		assert_int_equal(uiommu_device_reset_begin(device),
				 UIOMMU_EBUSY);
		watch_agree(machine, "in reset");
		assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
		watch_check(machine, &watch, "after a reset");
		assert_true(fake_reaches(first, iova, 3, NULL));
		assert_int_equal(uiommu_device_reset_end(device),
				 UIOMMU_EINVAL);
	}
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	machine_down(machine);
}

/* Until the end its group stays as it is. */
static void test_reset_keeps(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;
	struct uiommu_device *device;
	struct uiommu_group *group;
	struct watch watch;

	machine_up(machine);
	device = machine_device(machine, first);
	group = uiommu_device_group(device);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_device_use(device), UIOMMU_EBUSY);
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_EBUSY);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_EBUSY);
	watch_check(machine, &watch, "while a member is reset");
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);

	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, state, domain), UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_ptr_equal(fake_domain_of(second), &domain->hw);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_group_detach(group, state), UIOMMU_EBUSY);
	assert_int_equal(uiommu_group_attach(group, state, domain),
			 UIOMMU_EBUSY);
	watch_check(machine, &watch, "while a claimed member is reset");
	/* The others go home; it follows when it is ready. */
	assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
	watch_agree(machine, "released while a member is reset");
	assert_ptr_equal(fake_domain_of(second),
			 &uiommu_group_default_domain(group)->hw);
	assert_int_equal(fake_domain_of(first)->type, UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	watch_agree(machine, "reset while released");
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	machine_down(machine);
}

/* In the sink, where there is one; and what firmware keeps stays. */
static void test_reset_elsewhere(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	unsigned int attaches;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &second, 1);
	machine_up(machine);
	device = machine_device(machine, first);
	assert_int_equal(
		uiommu_group_set_sink(uiommu_device_group(device), true),
		UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	sink_page(machine, first);
	watch_agree(machine, "reset in the sink");
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	device = machine_device(machine, second);
	attaches = fake.attaches;
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_true(fake_reaches(second, RESERVE_LAST, 3, NULL));
	assert_int_equal(uiommu_device_use(device), UIOMMU_EBUSY);
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	assert_int_equal(fake.attaches, attaches);
	machine_down(machine);
}

/* After an error it stays refused, and may be tried again or removed. */
static void test_reset_fails(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct watch watch;

	machine_up(machine);
	device = machine_device(machine, first);
	watch_take(machine, &watch);
	fake.fail_blocked = true;
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_ETIMEDOUT);
	watch_check(machine, &watch, "no reset has begun");
	fake.fail_blocked = false;
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	watch_take(machine, &watch);
	fake.fail_attach_rid = first.rid;
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_ENOSPC);
	watch_check(machine, &watch, "the reset is not over");
	fake.fail_attach_rid = 0;
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	/* "Or remove it". */
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	fake.fail_attach_rid = first.rid;
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_ENOSPC);
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sink, set_up),
		cmocka_unit_test_setup(test_sink_refused, set_up),
		cmocka_unit_test_setup(test_sink_barred, set_up),
		cmocka_unit_test_setup(test_reset, set_up),
		cmocka_unit_test_setup(test_reset_keeps, set_up),
		cmocka_unit_test_setup(test_reset_elsewhere, set_up),
		cmocka_unit_test_setup(test_reset_fails, set_up),
	};

	return cmocka_run_group_tests_name("core refuse", tests, NULL, NULL);
}
