// SPDX-License-Identifier: MIT
/*
 * Groups and members that are not where they should be, or not alone with
 * their name: what is refused stays refused, what is told is true, and nobody
 * else is in trouble for it.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "fake.h"
#include "machine.h"
#include "watch.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull

static const struct uiommu_range ram = { 0, 0x1ffffffffull };

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

/* Up, but for @sid, which comes later. */
static void up_without(struct machine *machine, struct uiommu_sid sid)
{
	machine_build(machine);
	user_plug(machine->host, sid, false);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	user_plug(machine->host, sid, true);
}

static void put(struct user_dmar *dmar, const uint8_t *bytes, size_t size)
{
	memcpy(dmar->bytes + dmar->size, bytes, size);
	dmar->size += size;
}

/* What ACPI calls by the id of a function that is there, too. */
static void add_twin(struct machine *machine)
{
	static const uint8_t scope[] = { 5, 8, 0, 0, 1, 0, 2, 0 };
	static const uint8_t andd[] = { 4,    0,   16,	0,   0,	  0,   0,   1,
					'\\', '_', 'S', 'B', '.', 'I', '2', 0 };
	struct user_dmar *dmar = &machine->dmar;

	put(dmar, scope, sizeof(scope));
	dmar->bytes[dmar->record + 2] = (uint8_t)(dmar->size - dmar->record);
	put(dmar, andd, sizeof(andd));
}

static void test_twins(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_edition *now;
	const struct uiommu_device *function, *twin;

	add_twin(machine);
	machine_up(machine);
	now = machine->uiommu->edition;
	function = machine_device(machine, MACHINE_ALONE);
	twin = now->devices[now->view.topology.count];
	assert_ptr_not_equal(function, twin);
	assert_int_equal(
		uiommu_group_set_type(machine_group(machine, MACHINE_OTHER),
				      UIOMMU_DOMAIN_IDENTITY),
		UIOMMU_OK);
	now = machine->uiommu->edition;
	assert_ptr_equal(machine_device(machine, MACHINE_ALONE), function);
	assert_ptr_equal(now->devices[now->view.topology.count], twin);
	user_plug(machine->host, MACHINE_ALONE, false);
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_ALONE)),
		UIOMMU_OK);
	now = machine->uiommu->edition;
	assert_ptr_equal(now->devices[now->view.topology.count], twin);
	user_plug(machine->host, MACHINE_ALONE, true);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 0), UIOMMU_OK);
	assert_ptr_not_equal(machine_device(machine, MACHINE_ALONE), twin);
	machine_down(machine);
}

/* Blocked in the books alone: no owner gets such a group. */
static void test_claim_parked(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;

	machine_up(machine);
	group = machine_group(machine, MACHINE_PCI0);
	fake.fail_blocked = true;
	uiommu_core_group_block(group);
	assert_int_equal(fake_domain_of(MACHINE_PCI0)->type, UIOMMU_DOMAIN_DMA);
	assert_true(uiommu_group_claim(group, state) < 0);
	assert_null(uiommu_group_owner(group));
	fake.fail_blocked = false;
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
	assert_int_equal(fake_domain_of(MACHINE_PCI0)->type,
			 UIOMMU_DOMAIN_BLOCKED);
	machine_down(machine);
}

/* It goes home while a member is reset; the member's region comes along. */
static void test_reset_parked(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_sid sid = MACHINE_PCI0;
	struct uiommu_device *device, *sibling;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &sid, 1);
	machine_up(machine);
	device = machine_device(machine, MACHINE_PCI0);
	sibling = machine_device(machine, MACHINE_PCI1);
	uiommu_core_group_block(uiommu_device_group(device));
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_int_equal(uiommu_device_use(sibling), UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	assert_true(fake_reaches(sid, RESERVE_FIRST, 3, NULL));
	watch_agree(machine, "home after a reset");
	uiommu_device_unuse(sibling);
	machine_down(machine);
}

static void fail_from_second(struct uiommu_hwdev *dev,
			     struct uiommu_hwdomain *domain)
{
	static unsigned int calls;

	(void)dev;
	(void)domain;
	if (++calls == 2)
		fake.fail_attach_all = true;
}

/* A move that ends in blocked is an error, and no address is given out. */
static void test_mask_blocked(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	uiommu_iova_t iova;

	machine->options.ram = &ram;
	machine->options.ram_count = 1;
	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	machine_up(machine);
	device = machine_driver(machine, MACHINE_PCI0);
	fake.on_attach = fail_from_second;
	assert_true(uiommu_device_set_dma_mask(device, 0xffffffff) < 0);
	assert_int_equal(uiommu_domain_type(uiommu_group_domain(
				 uiommu_device_group(device))),
			 UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(uiommu_dma_map(device, 0x10000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_EPERM);
	fake.on_attach = NULL;
	fake.fail_attach_all = false;
	/* Whoever asks for a type brings it back. */
	assert_int_equal(uiommu_group_set_type(uiommu_device_group(device),
					       UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_map(device, 0x10000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_OK);
	watch_agree(machine, "back");
	uiommu_device_unuse(device);
	machine_down(machine);
}

/* One that cannot enter after a release stays out, and is nobody's trouble. */
static void test_joiner_stays_out(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;

	up_without(machine, MACHINE_PCI1);
	group = machine_group(machine, MACHINE_PCI0);
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 3, 3), UIOMMU_OK);
	fake.fail_attach_rid = MACHINE_PCI1.rid;
	assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
	assert_int_equal(fake_domain_of(MACHINE_PCI1)->type,
			 UIOMMU_DOMAIN_BLOCKED);
	watch_agree(machine, "released");
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_NVME)),
		UIOMMU_OK);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 1, 1), UIOMMU_OK);
	assert_int_equal(fake_domain_of(MACHINE_PCI1)->type,
			 UIOMMU_DOMAIN_BLOCKED);
	/* With the next plan after it can, it is in. */
	fake.fail_attach_rid = 0;
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 9, 9), UIOMMU_OK);
	assert_ptr_equal(fake_domain_of(MACHINE_PCI1),
			 fake_domain_of(MACHINE_PCI0));
	watch_agree(machine, "in");
	machine_down(machine);
}

/* What was asked for holds while the group is there, whoever of it leaves. */
static void test_wish_of_group(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;
	struct uiommu_device *device;

	machine->options.ram = &ram;
	machine->options.ram_count = 1;
	machine->options.options.passthrough = UIOMMU_CHOICE_YES;
	up_without(machine, MACHINE_PCI1);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 3, 3), UIOMMU_OK);
	group = machine_group(machine, MACHINE_PCI0);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_PCI1)),
		UIOMMU_OK);
	device = machine_driver(machine, MACHINE_PCI0);
	assert_int_equal(uiommu_device_set_dma_mask(device, 0xffffffff),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_IDENTITY);
	uiommu_device_unuse(device);
	machine_down(machine);
}

/* What the host said at create holds for whoever comes in its place. */
static void test_wish_of_host(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan_override said = { MACHINE_NVME,
						   UIOMMU_DOMAIN_IDENTITY };

	machine->options.overrides = &said;
	machine->options.override_count = 1;
	machine_up(machine);
	assert_int_equal(
		uiommu_group_type(machine_group(machine, MACHINE_NVME)),
		UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(
		uiommu_group_set_type(machine_group(machine, MACHINE_NVME),
				      UIOMMU_DOMAIN_DMA),
		UIOMMU_OK);
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_NVME)),
		UIOMMU_OK);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 1, 1), UIOMMU_OK);
	assert_int_equal(
		uiommu_group_type(machine_group(machine, MACHINE_NVME)),
		UIOMMU_DOMAIN_IDENTITY);
	machine_down(machine);
}

/* A unit that does not walk the tables: a member, and blocked. */
static void test_joiner_misfit(void **state)
{
	struct machine *machine = *state;

	up_without(machine, MACHINE_PCI1);
	fake.misfit_rid = MACHINE_PCI1.rid;
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 3, 3), UIOMMU_OK);
	assert_int_equal(fake_domain_of(MACHINE_PCI1)->type,
			 UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(
		uiommu_device_use(machine_device(machine, MACHINE_PCI1)),
		UIOMMU_EPERM);
	assert_true(user_logged(machine->host, "cannot be in the domain of"));
	watch_agree(machine, "a misfit");
	machine_down(machine);
}

/* Another card in a slot that nobody said was empty. */
static void test_swapped(void **state)
{
	struct machine *machine = *state;
	struct watch watch;

	machine_up(machine);
	user_swap(machine->host, MACHINE_NVME, 0x4321);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 3),
			 UIOMMU_EEXIST);
	assert_true(user_logged(machine->host, "has to come first"));
	watch_check(machine, &watch, "swapped");
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_NVME)),
		UIOMMU_OK);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 3), UIOMMU_OK);
	machine_down(machine);
}

/* The bridge that firmware's region is for is found after what is below. */
static void test_region_comes(void **state)
{
	struct machine *machine = *state;
	struct uiommu_group *group;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, NULL, 0);
	user_dmar_scope(&machine->dmar, UIOMMU_SCOPE_BRIDGE, MACHINE_PORT);
	up_without(machine, MACHINE_PORT);
	assert_false(fake_reaches(MACHINE_PCI0, RESERVE_FIRST, 1, NULL));
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 0, 0), UIOMMU_OK);
	assert_true(fake_reaches(MACHINE_PCI0, RESERVE_FIRST, 3, NULL));
	assert_true(fake_reaches(MACHINE_PCI0, RESERVE_LAST, 3, NULL));
	group = machine_group(machine, MACHINE_PCI0);
	assert_true(machine_device(machine, MACHINE_PCI0)->hw.direct);
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_EPERM);
	watch_agree(machine, "a region came");
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_twins, set_up),
		cmocka_unit_test_setup(test_claim_parked, set_up),
		cmocka_unit_test_setup(test_reset_parked, set_up),
		cmocka_unit_test_setup(test_mask_blocked, set_up),
		cmocka_unit_test_setup(test_joiner_stays_out, set_up),
		cmocka_unit_test_setup(test_wish_of_group, set_up),
		cmocka_unit_test_setup(test_wish_of_host, set_up),
		cmocka_unit_test_setup(test_joiner_misfit, set_up),
		cmocka_unit_test_setup(test_swapped, set_up),
		cmocka_unit_test_setup(test_region_comes, set_up),
	};

	return cmocka_run_group_tests_name("core parked", tests, NULL, NULL);
}
