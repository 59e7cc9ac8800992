// SPDX-License-Identifier: MIT
/*
 * A device that comes to a group whose domain it cannot use, while another
 * kernel's work of it goes on: refused in the books, and left alone until
 * somebody asks for its group.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "inherit.h"

static struct inherit test;
static struct user_function functions[16];

/* A display wants identity where graphics are to be left alone. */
static void make_display(struct machine *machine)
{
	unsigned int count = machine->config.function_count;

	memcpy(functions, machine->config.functions,
	       count * sizeof(functions[0]));
	for (unsigned int i = 0; i < count; i++)
		if (functions[i].sid.rid == inherit_sids[PAIR1].rid)
			functions[i].class_code = 0x030000;
	machine->config.functions = functions;
	machine->options.options.igfx_off = true;
}

/* PAIR1 comes when PAIR0 is there, translated. */
static struct inherit *barred_up(void)
{
	struct inherit *t = &test;
	struct uiommu_device *device;

	inherit_describe(t);
	make_display(&t->machine);
	inherit_old(t);
	user_plug(t->machine.host, MACHINE_PAIR1, false);
	old_watch(&t->old, true);
	assert_int_equal(machine_scan(&t->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(t->machine.uiommu), UIOMMU_OK);
	user_plug(t->machine.host, MACHINE_PAIR1, true);
	assert_int_equal(uiommu_add_pci(t->machine.uiommu, 0, 0, 0), UIOMMU_OK);
	old_watch(&t->old, false);
	old_flows(&t->old);
	device = machine_device(&t->machine, MACHINE_PAIR1);
	assert_ptr_equal(uiommu_device_group(device),
			 machine_group(&t->machine, MACHINE_PAIR0));
	assert_int_equal(uiommu_device_use(device), UIOMMU_EPERM);
	assert_ptr_equal(uiommu_device_domain(device),
			 uiommu_blocked_domain(t->machine.uiommu));
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
	return t;
}

/* Does a write arrive? A sink answers it, and it does not. */
static bool arrives(struct inherit *t, enum inherit_who who, uint64_t iova,
		    uint8_t *page)
{
	page[iova & 4095] = 0;
	(void)rig_write(&t->rig, inherit_sids[who].rid, iova);
	return page[iova & 4095] != 0;
}

/* Neither where it was, nor anywhere else, and the books say so. */
static void check_refused(struct inherit *t)
{
	struct uiommu_device *device = machine_device(&t->machine,
						      MACHINE_PAIR1);
	enum uiommu_domain_type type = uiommu_domain_type(
		uiommu_device_domain(device));

	assert_false(arrives(t, PAIR1, INHERIT_OLD, t->pages[PAIR1].bytes));
	assert_false(arrives(t, PAIR1, t->memory.paddr, t->memory.bytes));
	assert_true(type == UIOMMU_DOMAIN_BLOCKED ||
		    type == UIOMMU_DOMAIN_SINK);
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES - 2);
}

/* With a claim of the group its work ends, too, and does not come back. */
static void test_claim(void **state)
{
	for (int sink = 0; sink < 2; sink++) {
		struct inherit *t = barred_up();
		struct uiommu_group *group = machine_group(&t->machine,
							   MACHINE_PAIR0);

		assert_int_equal(uiommu_group_set_sink(group, sink), UIOMMU_OK);
		/* a sink is for who is refused: not yet */
		old_flows(&t->old);
		inherit_over(t, PAIR0);
		inherit_over(t, PAIR1);
		old_watch(&t->old, true);
		assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
		old_watch(&t->old, false);
		assert_false(
			arrives(t, PAIR0, INHERIT_OLD, t->pages[PAIR0].bytes));
		check_refused(t);
		assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
		check_refused(t);
		assert_int_equal(uiommu_device_use(machine_device(
					 &t->machine, MACHINE_PAIR1)),
				 UIOMMU_EPERM);
		old_flows(&t->old);
		inherit_down(t);
	}
}

/* A claim that is refused ends nothing. */
static void test_no_claim(void **state)
{
	struct inherit *t = barred_up();
	struct uiommu_device *device = machine_driver(&t->machine,
						      MACHINE_PAIR0);

	old_watch(&t->old, true);
	assert_int_equal(uiommu_group_claim(uiommu_device_group(device), state),
			 UIOMMU_EINUSE);
	old_watch(&t->old, false);
	old_flows(&t->old);
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
	uiommu_device_unuse(device);
	inherit_down(t);
}

/* A reset of it refuses it in the hardware, too; it stays so. */
static void test_reset(void **state)
{
	struct inherit *t = barred_up();
	struct uiommu_device *device = machine_device(&t->machine,
						      MACHINE_PAIR1);

	(void)state;
	inherit_over(t, PAIR1);
	old_watch(&t->old, true);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_false(inherit_lands(t, PAIR1));
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	old_watch(&t->old, false);
	assert_false(inherit_lands(t, PAIR1));
	assert_false(inherit_reaches(t, PAIR1, t->memory.paddr, 0));
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES - 1);
	old_flows(&t->old);
	inherit_down(t);
}

/* Who leaves without having been asked for leaves its entry as it was. */
static void test_remove(void **state)
{
	struct inherit *t = barred_up();

	(void)state;
	old_watch(&t->old, true);
	assert_int_equal(uiommu_remove_device(
				 machine_device(&t->machine, MACHINE_PAIR1)),
			 UIOMMU_OK);
	old_watch(&t->old, false);
	old_flows(&t->old);
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
	inherit_down(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_no_claim),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests_name("change barred", tests, NULL, NULL);
}
