// SPDX-License-Identifier: MIT
/* Changing the domain of a group: all members or none, and never open. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "fake.h"
#include "machine.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull

static const struct uiommu_sid first = MACHINE_SID(3, 1, 0);
static const struct uiommu_sid second = MACHINE_SID(3, 2, 0);
static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);
static const struct uiommu_sid other = MACHINE_SID(0, 3, 0);

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

/* The core's books and the driver's agree: everybody in @domain. */
static void assert_domain(struct machine *machine, struct uiommu_sid sid,
			  const struct uiommu_domain *domain)
{
	struct uiommu_group *group = machine_group(machine, sid);
	const struct uiommu_plan *plan = uiommu_plan(machine->uiommu);
	const struct uiommu_topology *topology = uiommu_topology(
		machine->uiommu);

	assert_ptr_equal(uiommu_group_domain(group), domain);
	for (uint32_t i = 0; i < plan->device_count; i++) {
		struct uiommu_sid member = topology->functions[i].sid;
		struct uiommu_device *device = machine_device(machine, member);

		if (uiommu_device_group(device) != group)
			continue;
		assert_ptr_equal(uiommu_device_domain(device), domain);
		assert_int_equal(fake_domain_of(member)->type,
				 uiommu_domain_type(domain));
	}
}

static void test_attach_and_back(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domains[2];
	struct uiommu_domain *blocked;
	struct uiommu_group *group;
	struct uiommu_domain *own;

	machine_up(machine);
	group = machine_group(machine, first);
	own = uiommu_group_default_domain(group);
	blocked = uiommu_blocked_domain(machine->uiommu);
	assert_int_equal(uiommu_domain_create(&group, 1, &domains[0]),
			 UIOMMU_OK);
	assert_int_equal(uiommu_domain_create(&group, 1, &domains[1]),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_owner(group), machine);
	assert_domain(machine, first, blocked);
	for (int i = 0; i < 2; i++) {
		/* From one to the other without a stop at blocked. */
		assert_int_equal(
			uiommu_group_attach(group, machine, domains[i]),
			UIOMMU_OK);
		assert_domain(machine, first, domains[i]);
		assert_ptr_equal(uiommu_group_default_domain(group), own);
		assert_int_equal(
			uiommu_group_attach(group, machine, domains[i]),
			UIOMMU_OK);
	}
	assert_int_equal(uiommu_group_detach(group, machine), UIOMMU_OK);
	assert_domain(machine, first, blocked);
	assert_int_equal(uiommu_group_detach(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_domain(machine, first, own);
	assert_null(uiommu_group_owner(group));
	for (int i = 0; i < 2; i++)
		assert_int_equal(uiommu_domain_put(machine->uiommu, domains[i]),
				 UIOMMU_OK);
	machine_down(machine);
}

static void test_refused(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *foreign, *gone;
	struct uiommu_group *group;
	struct uiommu_domain *own;
	unsigned int attaches;

	machine_up(machine);
	group = machine_group(machine, first);
	own = uiommu_group_default_domain(group);
	foreign = uiommu_group_default_domain(machine_group(machine, alone));
	assert_int_equal(uiommu_domain_create(&group, 1, &gone), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	attaches = fake.attaches;
	/* Domains that are nobody's to attach. */
	assert_int_equal(uiommu_group_attach(group, machine, foreign),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_group_attach(group, machine, own),
			 UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_group_attach(group, machine,
				    uiommu_identity_domain(machine->uiommu)),
		UIOMMU_EINVAL);
	assert_int_equal(uiommu_group_attach(group, state, gone),
			 UIOMMU_EACCES);
	assert_int_equal(uiommu_domain_put(machine->uiommu, gone), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, machine, gone),
			 UIOMMU_ESTALE);
	assert_int_equal(uiommu_domain_put(machine->uiommu, gone),
			 UIOMMU_ESTALE);
	assert_int_equal(uiommu_domain_put(machine->uiommu, own),
			 UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_domain_put(machine->uiommu,
				  uiommu_identity_domain(machine->uiommu)),
		UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_domain_put(machine->uiommu,
				  uiommu_blocked_domain(machine->uiommu)),
		UIOMMU_EINVAL);
	assert_int_equal(fake.attaches, attaches);
	assert_domain(machine, first, uiommu_blocked_domain(machine->uiommu));
	machine_down(machine);
}

/* Who does not own a claimed group may do nothing with it. */
static void test_strangers(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	unsigned int attaches;

	machine_up(machine);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_group_claim(group, NULL), UIOMMU_EINVAL);
	assert_int_equal(uiommu_group_detach(group, machine), UIOMMU_EACCES);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	attaches = fake.attaches;
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_EOWNED);
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_EOWNED);
	assert_int_equal(uiommu_group_detach(group, state), UIOMMU_EACCES);
	assert_int_equal(uiommu_group_release(group, state), UIOMMU_EACCES);
	assert_int_equal(uiommu_device_use(machine_device(machine, second)),
			 UIOMMU_EOWNED);
	assert_int_equal(fake.attaches, attaches);
	assert_domain(machine, first, uiommu_blocked_domain(machine->uiommu));
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_EACCES);
	assert_domain(machine, first, uiommu_group_default_domain(group));
	machine_down(machine);
}

/* R27: any member's attach may fail; all are back where they were. */
static void test_roll_back(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct uiommu_domain *own;
	int failures = 0;

	machine_up(machine);
	group = machine_group(machine, first);
	own = uiommu_group_default_domain(group);
	for (uint64_t nth = 1;; nth++) {
		int err;

		fake.ops = 0;
		fake.fail_op = nth;
		fake.fail_error = UIOMMU_ENOSPC;
		err = uiommu_group_claim(group, machine);
		fake.fail_op = 0;
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOSPC);
		assert_domain(machine, first, own);
		assert_null(uiommu_group_owner(group));
		failures++;
	}
	assert_true(failures >= 2);
	assert_domain(machine, first, uiommu_blocked_domain(machine->uiommu));
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	machine_down(machine);
}

/* When even the way back fails the group is blocked, and the log says so. */
static void test_roll_back_fails(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;
	struct uiommu_group *group;

	machine_up(machine);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, machine, domain),
			 UIOMMU_OK);
	fake.ops = 0;
	fake.fail_op = 2; /* the second member, ... */
	fake.fail_to = 3; /* ... and the first on its way back */
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_EIO);
	assert_domain(machine, first, uiommu_blocked_domain(machine->uiommu));
	assert_true(user_logged(machine->host, "cannot go back"));
	assert_null(uiommu_group_owner(group));
	/* It is not lost: the next driver brings it home. */
	fake.fail_op = 0;
	assert_int_equal(uiommu_device_use(machine_device(machine, first)),
			 UIOMMU_OK);
	assert_domain(machine, first, uiommu_group_default_domain(group));
	uiommu_device_unuse(machine_device(machine, first));
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	machine_down(machine);
}

/* R55: what firmware keeps using is not cut off. */
static void test_direct_region(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	unsigned int attaches;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &alone, 1);
	machine_up(machine);
	group = machine_group(machine, alone);
	attaches = fake.attaches;
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_EPERM);
	assert_true(user_logged(machine->host, "7d000000"));
	assert_true(user_logged(machine->host, "DMAR record"));
	assert_null(uiommu_group_owner(group));
	assert_int_equal(fake.attaches, attaches);
	assert_domain(machine, alone, uiommu_group_default_domain(group));
	assert_true(fake_reaches(alone, RESERVE_LAST, 3, NULL));
	machine_down(machine);
}

/* R47, R55: a region that its driver does without forbids nothing. */
static void test_relaxable_region(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_sid usb = MACHINE_USB;
	struct uiommu_domain *domain;
	struct uiommu_group *group;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &usb, 1);
	machine_up(machine);
	group = machine_group(machine, usb);
	/* Mapped while the default domain is in force. */
	assert_true(fake_reaches(usb, RESERVE_LAST, 3, NULL));
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, machine, domain),
			 UIOMMU_OK);
	assert_false(fake_reaches(usb, RESERVE_LAST, 1, NULL));
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_true(fake_reaches(usb, RESERVE_LAST, 3, NULL));
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	machine_down(machine);
}

/* R10: what one group does is nothing to another. */
static void test_others_untouched(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;
	struct uiommu_group *groups[2];
	struct uiommu_domain *own;

	machine_up(machine);
	groups[0] = machine_group(machine, alone);
	groups[1] = machine_group(machine, other);
	own = uiommu_group_domain(groups[1]);
	assert_int_equal(uiommu_domain_create(groups, 2, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(groups[0], machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(groups[0], machine, domain),
			 UIOMMU_OK);
	assert_domain(machine, other, own);
	/* One domain may serve several groups; who lets go last frees it. */
	assert_int_equal(uiommu_group_claim(groups[1], groups), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(groups[1], groups, domain),
			 UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_group_release(groups[0], machine), UIOMMU_OK);
	assert_domain(machine, other, domain);
	assert_int_equal(uiommu_group_detach(groups[1], groups), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(groups[1], groups, domain),
			 UIOMMU_ESTALE);
	assert_int_equal(uiommu_group_release(groups[1], groups), UIOMMU_OK);
	machine_down(machine);
}

/* R08-like: a hundred changes leave no trace. */
static void test_back_and_forth(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;
	struct uiommu_group *group;
	size_t pages;

	machine_up(machine);
	group = machine_group(machine, second);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	pages = machine->host->pages;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(uiommu_domain_create(&group, 1, &domain),
				 UIOMMU_OK);
		assert_int_equal(uiommu_group_claim(group, &domain), UIOMMU_OK);
		assert_int_equal(uiommu_group_attach(group, &domain, domain),
				 UIOMMU_OK);
		assert_int_equal(uiommu_domain_put(machine->uiommu, domain),
				 UIOMMU_OK);
		assert_int_equal(uiommu_group_release(group, &domain),
				 UIOMMU_OK);
		assert_int_equal(machine->host->pages, pages);
	}
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_attach_and_back, set_up),
		cmocka_unit_test_setup(test_refused, set_up),
		cmocka_unit_test_setup(test_strangers, set_up),
		cmocka_unit_test_setup(test_roll_back, set_up),
		cmocka_unit_test_setup(test_roll_back_fails, set_up),
		cmocka_unit_test_setup(test_direct_region, set_up),
		cmocka_unit_test_setup(test_relaxable_region, set_up),
		cmocka_unit_test_setup(test_others_untouched, set_up),
		cmocka_unit_test_setup(test_back_and_forth, set_up),
	};

	return cmocka_run_group_tests_name("core group", tests, NULL, NULL);
}
