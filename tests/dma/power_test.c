// SPDX-License-Identifier: MIT
/*
 * The whole stack through suspend, a loss of power, and shutdown, with the
 * oracle on both sides.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "stack.h"

#define STEPS 150u

static struct stack stack;

static struct vtdm *unit(void)
{
	return stack.machine.host->units[0];
}

static void sleep_and_wake(bool power)
{
	struct uiommu *uiommu = stack.machine.uiommu;
	uint64_t calls = stack.machine.host->calls;

	assert_int_equal(uiommu_suspend(uiommu), 0);
	if (power)
		vtdm_reset(unit());
	assert_int_equal(uiommu_resume(uiommu), 0);
	assert_int_equal(stack.machine.host->calls, calls);
}

static void test_kinds(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < stack_kind_count; k++) {
		random_init(&stack.random, stack_kinds[k].name);
		stack_up(&stack, &stack_kinds[k]);
		for (unsigned int i = 0; i < 4; i++) {
			for (unsigned int n = 0; n < STEPS; n++)
				stack_step(&stack);
			sleep_and_wake(i != 2);
		}
		for (unsigned int n = 0; n < STEPS; n++)
			stack_step(&stack);
		stack_down(&stack);
	}
}

/* A machine of two units, the device at 00:02.0 behind one of its own. */
static struct machine machine;
static struct user_function functions[16];

static void own_unit(uint16_t vendor, uint16_t device)
{
	machine_describe(&machine);
	machine.config.unit_count = 2;
	machine.config.units[1].model.plmr = true;
	user_dmar_begin(&machine.dmar, 39);
	user_dmar_unit(&machine.dmar, 0, machine.config.units[1].base, false);
	user_dmar_scope(&machine.dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_ALONE);
	user_dmar_unit(&machine.dmar, 0, machine.config.units[0].base, true);
	memcpy(functions, machine.config.functions,
	       machine.config.function_count * sizeof(functions[0]));
	for (unsigned int i = 0; i < machine.config.function_count; i++) {
		if (functions[i].sid.rid != MACHINE_ALONE.rid)
			continue;
		functions[i].unit = 1;
		functions[i].vendor = vendor;
		functions[i].device = device;
		functions[i].class_code = 0x030000;
	}
	machine.config.functions = functions;
}

struct use {
	struct uiommu_sid sid;
	struct uiommu_device *device;
	uint8_t *page;
	uiommu_paddr_t paddr;
	uiommu_iova_t iova;
};

static void use_begin(struct use *use, struct uiommu_sid sid)
{
	use->sid = sid;
	use->device = machine_driver(&machine, sid);
	use->page = uiommu_host_page_alloc(machine.host, 4096, 0, &use->paddr);
	assert_non_null(use->page);
	assert_int_equal(uiommu_dma_map(use->device, use->paddr, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &use->iova),
			 0);
}

static bool use_reaches(struct use *use, uint64_t address)
{
	uint8_t mark = 0x77;

	use->page[0] = 0;
	if (user_dma(machine.host, use->sid, address, true, &mark, 1))
		return false;
	return use->page[0] == 0x77;
}

static void use_end(struct use *use)
{
	assert_int_equal(uiommu_dma_unmap(use->device, use->iova, 4096), 0);
	uiommu_device_unuse(use->device);
	uiommu_host_page_free(machine.host, use->page, 4096);
}

/* The unit of one device comes back dead; the other does not notice. */
static void test_dead(void **state)
{
	struct use dead, alive;
	uiommu_iova_t iova;

	(void)state;
	own_unit(0x1234, 2);
	machine_up(&machine);
	use_begin(&dead, MACHINE_ALONE);
	use_begin(&alive, MACHINE_NVME);
	assert_true(use_reaches(&dead, dead.iova));
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	vtdm_reset(machine.host->units[0]);
	vtdm_reset(machine.host->units[1]);
	vtdm_knobs(machine.host->units[1])->dead_mode = VTDM_DEAD_ONES;
	vtdm_knobs(machine.host->units[1])->dead_at = 1;
	assert_int_equal(uiommu_resume(machine.uiommu), UIOMMU_EIO);
	assert_non_null(user_event(machine.host, UIOMMU_EVENT_UNIT_BROKEN));
	assert_int_equal(uiommu_domain_type(uiommu_device_domain(dead.device)),
			 UIOMMU_DOMAIN_BLOCKED);
	assert_int_equal(uiommu_dma_map(dead.device, dead.paddr, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_EPERM);
	assert_true(use_reaches(&alive, alive.iova));
	assert_false(use_reaches(&alive, alive.paddr));
	use_end(&alive);
	uiommu_device_unuse(dead.device);
	assert_int_equal(uiommu_device_use(dead.device), UIOMMU_EIO);
	uiommu_stop(machine.uiommu);
	uiommu_destroy(machine.uiommu);
	user_host_destroy(machine.host);
}

/* Stopped while asleep: nothing is left, nothing done wrong. */
static void test_stop_asleep(void **state)
{
	(void)state;
	for (int power = 0; power < 2; power++) {
		own_unit(0x1234, 2);
		machine_up(&machine);
		assert_int_equal(uiommu_suspend(machine.uiommu), 0);
		for (int i = 0; power && i < 2; i++)
			vtdm_reset(machine.host->units[i]);
		uiommu_stop(machine.uiommu);
		assert_int_equal(user_violations(machine.host), 0);
		machine_down(&machine);
	}
}

/* Graphics that would hang: its unit goes on over stop and over shutdown. */
static void test_stays_on(void **state)
{
	struct use display, other;

	(void)state;
	for (int shut = 0; shut < 2; shut++) {
		own_unit(0x8086, 0x9a49);
		machine_up(&machine);
		use_begin(&display, MACHINE_ALONE);
		use_begin(&other, MACHINE_NVME);
		if (shut)
			uiommu_shutdown(machine.uiommu, false);
		else
			uiommu_stop(machine.uiommu);
		assert_true(use_reaches(&display, display.iova));
		assert_false(use_reaches(&display, display.paddr));
		assert_true(use_reaches(&other, other.paddr));
		assert_int_equal(vtdm_stats(machine.host->units[1])->te_off, 0);
		assert_int_equal(user_violations(machine.host), 0);
		uiommu_destroy(machine.uiommu);
		assert_true(use_reaches(&display, display.iova));
		assert_int_equal(machine.host->locks, 0);
		assert_int_equal(machine.host->windows, 0);
		user_host_destroy(machine.host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_stop_asleep),
		cmocka_unit_test(test_stays_on),
	};

	return cmocka_run_group_tests_name("dma power", tests, NULL, NULL);
}
