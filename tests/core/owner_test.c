// SPDX-License-Identifier: MIT
/*
 * Who may do what with a group: every misuse gets its own error, and nothing is
 * changed by it. Rnn: rows of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "watch.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull

static const struct uiommu_sid alone = MACHINE_ALONE;
static const struct uiommu_sid first = MACHINE_PCI0;
static const struct uiommu_sid second = MACHINE_PCI1;

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

/* A call that is refused, and leaves no trace. */
#define REFUSED(machine, call, error)                      \
	do {                                               \
		struct watch watch;                        \
		unsigned int attaches = fake.attaches;     \
                                                           \
		watch_take(machine, &watch);               \
		assert_int_equal(call, error);             \
		watch_check(machine, &watch, #call);       \
		assert_int_equal(fake.attaches, attaches); \
	} while (0)

/* R28: claimed is blocked, at once, and so is what was detached. */
static void test_claim_blocks(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *blocked, *domain;
	struct uiommu_group *group;

	machine_up(machine);
	blocked = uiommu_blocked_domain(machine->uiommu);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_null(uiommu_group_owner(group));
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_owner(group), machine);
	assert_ptr_equal(fake_domain_of(first), &blocked->hw);
	assert_ptr_equal(fake_domain_of(second), &blocked->hw);
	assert_int_equal(uiommu_group_attach(group, machine, domain),
			 UIOMMU_OK);
	assert_ptr_equal(fake_domain_of(second), &domain->hw);
	assert_int_equal(uiommu_group_detach(group, machine), UIOMMU_OK);
	assert_ptr_equal(fake_domain_of(first), &blocked->hw);
	assert_ptr_equal(fake_domain_of(second), &blocked->hw);
	assert_ptr_not_equal(uiommu_group_default_domain(group), blocked);
	REFUSED(machine, uiommu_group_detach(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_domain(group),
			 uiommu_group_default_domain(group));
	watch_agree(machine, "released");
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	machine_down(machine);
}

static unsigned int inherited_lands; /* attached to what is not blocked */

/* The first is blocked, and then nobody any more. */
static void only_once(struct uiommu_hwdev *dev, struct uiommu_hwdomain *domain)
{
	static bool blocked;

	if (domain->type != UIOMMU_DOMAIN_BLOCKED) {
		inherited_lands += dev->sids[0].rid == fake.inherits_rid;
		return;
	}
	fake.fail_blocked = blocked;
	blocked = !blocked;
}

/*
 * A claim that fails half way: who is back in the group's domain was there, and
 * who was another kernel's, and is at work, does not come there so.
 */
static void test_claim_inherited(void **state)
{
	struct machine *machine = *state;

	for (int i = 0; i < 2; i++) {
		struct uiommu_group *group;

		set_up(state);
		fake.inherits_rid = i ? second.rid : first.rid;
		machine_up(machine);
		group = machine_group(machine, first);
		inherited_lands = 0;
		fake.on_attach = only_once;
		assert_int_equal(uiommu_group_claim(group, machine),
				 UIOMMU_ETIMEDOUT);
		fake.on_attach = NULL;
		fake.fail_blocked = false;
		assert_int_equal(inherited_lands, 0);
		assert_null(uiommu_group_owner(group));
		machine_down(machine);
	}
}

static void test_nobodys(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;
	struct uiommu_group *group;

	machine_up(machine);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	REFUSED(machine, uiommu_group_claim(group, NULL), UIOMMU_EINVAL);
	REFUSED(machine, uiommu_group_attach(group, machine, domain),
		UIOMMU_EACCES);
	REFUSED(machine, uiommu_group_attach(group, NULL, domain),
		UIOMMU_EACCES);
	REFUSED(machine, uiommu_group_detach(group, machine), UIOMMU_EACCES);
	REFUSED(machine, uiommu_group_detach(group, NULL), UIOMMU_EACCES);
	REFUSED(machine, uiommu_group_release(group, machine), UIOMMU_EACCES);
	REFUSED(machine, uiommu_group_release(group, NULL), UIOMMU_EACCES);
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	machine_down(machine);
}

static void test_somebodys(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_domain *domain;
	struct uiommu_group *group;

	machine_up(machine);
	device = machine_device(machine, second);
	group = uiommu_device_group(device);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	for (int i = 0; i < 2; i++) {
		REFUSED(machine, uiommu_group_claim(group, machine),
			UIOMMU_EOWNED);
		REFUSED(machine, uiommu_group_claim(group, state),
			UIOMMU_EOWNED);
		REFUSED(machine, uiommu_group_attach(group, state, domain),
			UIOMMU_EACCES);
		REFUSED(machine, uiommu_group_detach(group, state),
			UIOMMU_EACCES);
		REFUSED(machine, uiommu_group_release(group, state),
			UIOMMU_EACCES);
		REFUSED(machine, uiommu_device_use(device), UIOMMU_EOWNED);
		for (unsigned int type = UIOMMU_DOMAIN_NONE;
		     type <= UIOMMU_DOMAIN_SINK; type++)
			assert_true(uiommu_group_set_type(group, type) < 0);
		REFUSED(machine,
			uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			UIOMMU_EOWNED);
		REFUSED(machine,
			uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_EOWNED);
		REFUSED(machine,
			uiommu_group_set_type(group, UIOMMU_DOMAIN_NONE),
			UIOMMU_EOWNED);
		REFUSED(machine, uiommu_group_set_sink(group, true),
			UIOMMU_EOWNED);
		REFUSED(machine, uiommu_remove_device(device), UIOMMU_EOWNED);
		/* The bridge is of the group, the port above is not. */
		REFUSED(machine,
			uiommu_remove_device(
				machine_device(machine, MACHINE_PORT)),
			UIOMMU_EOWNED);
		assert_int_equal(uiommu_group_attach(group, machine, domain),
				 UIOMMU_OK);
	}
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(machine->uiommu, domain), UIOMMU_OK);
	machine_down(machine);
}

/* Counted over all members; the last one makes room. */
static void test_in_use(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *devices[2];
	struct uiommu_group *group;

	machine_up(machine);
	devices[0] = machine_driver(machine, first);
	devices[1] = machine_driver(machine, second);
	assert_int_equal(uiommu_device_use(devices[1]), UIOMMU_OK);
	group = uiommu_device_group(devices[0]);
	for (int i = 0; i < 3; i++) {
		REFUSED(machine, uiommu_group_claim(group, machine),
			UIOMMU_EINUSE);
		REFUSED(machine,
			uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_EINUSE);
		REFUSED(machine,
			uiommu_remove_device(
				machine_device(machine, MACHINE_PORT)),
			UIOMMU_EINUSE);
		REFUSED(machine,
			uiommu_remove_device(
				machine_device(machine, MACHINE_BRIDGE)),
			UIOMMU_EINUSE);
		uiommu_device_unuse(devices[i > 0]);
	}
	REFUSED(machine, (uiommu_device_unuse(devices[1]), 0), 0);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	/* Not even with one unuse more than there was use. */
	uiommu_device_unuse(devices[0]);
	REFUSED(machine, uiommu_device_use(devices[0]), UIOMMU_EOWNED);
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_device_use(devices[0]), UIOMMU_OK);
	machine_down(machine);
}

/* R55: what firmware keeps is not cut off, by nobody's claim. */
static void test_direct_region(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;

	/* For one member of two. */
	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST,
			&(struct uiommu_sid){ 0, MACHINE_PAIR1.rid }, 1);
	machine_up(machine);
	group = machine_group(machine, MACHINE_PAIR0);
	assert_ptr_equal(group, machine_group(machine, MACHINE_PAIR1));
	REFUSED(machine, uiommu_group_claim(group, machine), UIOMMU_EPERM);
	assert_true(user_logged(machine->host, "00:04.1"));
	assert_true(user_logged(machine->host, "7d000000"));
	/* Also in identity, where nothing is mapped for it. */
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	REFUSED(machine, uiommu_group_claim(group, machine), UIOMMU_EPERM);
	assert_true(fake_reaches(MACHINE_PAIR1, RESERVE_LAST, 3, NULL));
	machine_down(machine);
}

/* --- Domains --- */

static void test_wrong_domains(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain, *gone;
	struct uiommu_group *group, *other;
	struct uiommu *uiommu;

	machine_up(machine);
	uiommu = machine->uiommu;
	group = machine_group(machine, first);
	other = machine_group(machine, alone);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_domain_create(&group, 1, &gone), UIOMMU_OK);
	assert_int_equal(uiommu_group_set_sink(other, true), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(uiommu, gone), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, machine, domain),
			 UIOMMU_OK);
	REFUSED(machine, uiommu_group_attach(group, machine, gone),
		UIOMMU_ESTALE);
	REFUSED(machine, uiommu_group_attach(group, machine, (void *)machine),
		UIOMMU_ESTALE);
	REFUSED(machine, uiommu_group_attach(group, machine, NULL),
		UIOMMU_ESTALE);
	REFUSED(machine,
		uiommu_group_attach(group, machine,
				    uiommu_identity_domain(uiommu)),
		UIOMMU_EINVAL);
	REFUSED(machine,
		uiommu_group_attach(group, machine,
				    uiommu_blocked_domain(uiommu)),
		UIOMMU_EINVAL);
	REFUSED(machine,
		uiommu_group_attach(group, machine,
				    uiommu_group_default_domain(group)),
		UIOMMU_EINVAL);
	REFUSED(machine,
		uiommu_group_attach(group, machine,
				    uiommu_group_default_domain(other)),
		UIOMMU_EINVAL);
	REFUSED(machine, uiommu_group_attach(group, machine, other->sink),
		UIOMMU_EINVAL);
	REFUSED(machine, uiommu_group_attach(group, machine, domain),
		UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(uiommu, domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	machine_down(machine);
}

/* Counted: callers and groups; who lets go last frees it. */
static void test_put(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain, *kept;
	struct uiommu_group *group;
	struct uiommu *uiommu;
	unsigned int domains;

	machine_up(machine);
	uiommu = machine->uiommu;
	group = machine_group(machine, first);
	domains = fake.domains;
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	uiommu_domain_get(domain);
	assert_int_equal(uiommu_domain_put(uiommu, domain), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(uiommu, domain), UIOMMU_OK);
	assert_int_equal(fake.domains, domains);
	REFUSED(machine, uiommu_domain_put(uiommu, domain), UIOMMU_ESTALE);
	REFUSED(machine, uiommu_domain_put(uiommu, NULL), UIOMMU_ESTALE);
	REFUSED(machine,
		uiommu_domain_put(uiommu, uiommu_identity_domain(uiommu)),
		UIOMMU_EINVAL);
	REFUSED(machine,
		uiommu_domain_put(uiommu, uiommu_blocked_domain(uiommu)),
		UIOMMU_EINVAL);
	kept = uiommu_group_default_domain(group);
	REFUSED(machine, uiommu_domain_put(uiommu, kept), UIOMMU_EINVAL);
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_OK);
	REFUSED(machine, uiommu_domain_put(uiommu, group->sink), UIOMMU_EINVAL);

	domains = fake.domains;
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, machine), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, machine, domain),
			 UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(uiommu, domain), UIOMMU_OK);
	REFUSED(machine, uiommu_domain_put(uiommu, domain), UIOMMU_EBUSY);
	/* A holder may come back while a group keeps it. */
	uiommu_domain_get(domain);
	assert_int_equal(uiommu_group_release(group, machine), UIOMMU_OK);
	assert_int_equal(fake.domains, domains + 1);
	assert_int_equal(uiommu_domain_put(uiommu, domain), UIOMMU_OK);
	assert_int_equal(fake.domains, domains);
	machine_down(machine);
}

/* Mapping by address is for unmanaged domains. */
static void test_map_elsewhere(void **state)
{
	const struct uiommu_range range = { 0x1000, 0x1fff };
	struct machine *machine = *state;
	struct uiommu_domain *domains[4];
	struct uiommu_group *group;

	machine_up(machine);
	group = machine_group(machine, first);
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_OK);
	domains[0] = uiommu_blocked_domain(machine->uiommu);
	domains[1] = uiommu_identity_domain(machine->uiommu);
	domains[2] = uiommu_group_default_domain(group);
	domains[3] = group->sink;
	for (int i = 0; i < 4; i++) {
		uint64_t bytes = 5;

		REFUSED(machine,
			uiommu_domain_map(domains[i], range, 0x1000, 3),
			UIOMMU_EPERM);
		REFUSED(machine, uiommu_domain_unmap(domains[i], range, &bytes),
			UIOMMU_EPERM);
		assert_int_equal(bytes, 5);
	}
	assert_int_equal(fake.invalidations, 0);
	machine_down(machine);
}

static void test_create(void **state)
{
	struct machine *machine = *state;
	static struct machine second_machine;
	struct uiommu_domain *domain = (void *)state;
	struct uiommu_group *groups[2];

	machine_up(machine);
	groups[0] = machine_group(machine, first);
	groups[1] = machine_group(machine, alone);
	REFUSED(machine, uiommu_domain_create(groups, 0, &domain),
		UIOMMU_EINVAL);
	fake.no_tables = true;
	REFUSED(machine, uiommu_domain_create(groups, 2, &domain),
		UIOMMU_ENOTSUP);
	fake.no_tables = false;
	user_fail_from(machine->host, 1);
	REFUSED(machine, uiommu_domain_create(groups, 2, &domain),
		UIOMMU_ENOMEM);
	user_fail_at(machine->host, 0);
	/* Of another instance, wherever in the list. */
	second_machine = *machine;
	groups[1] = &(struct uiommu_group){ .uiommu = (void *)&second_machine };
	REFUSED(machine, uiommu_domain_create(groups, 2, &domain),
		UIOMMU_EINVAL);
	assert_ptr_equal(domain, state);
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_claim_blocks, set_up),
		cmocka_unit_test_setup(test_claim_inherited, set_up),
		cmocka_unit_test_setup(test_nobodys, set_up),
		cmocka_unit_test_setup(test_somebodys, set_up),
		cmocka_unit_test_setup(test_in_use, set_up),
		cmocka_unit_test_setup(test_direct_region, set_up),
		cmocka_unit_test_setup(test_wrong_domains, set_up),
		cmocka_unit_test_setup(test_put, set_up),
		cmocka_unit_test_setup(test_map_elsewhere, set_up),
		cmocka_unit_test_setup(test_create, set_up),
	};

	return cmocka_run_group_tests_name("core owner", tests, NULL, NULL);
}
