// SPDX-License-Identifier: MIT
/*
 * What the planted defects of run.py must not survive: random sequences with a
 * fixed seed on the units where each defect shows, and what only the order of
 * register accesses shows.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "stack.h"

#define STEPS 400u

static void random_kind(void **state)
{
	static struct stack stack;
	const struct stack_kind *kind = *state;

	stack.random.state = 20260731;
	stack_up(&stack, kind);
	for (unsigned int i = 0; i < STEPS; i++)
		stack_step(&stack);
	/* Taken once, at start: one-shot commands are not written back. */
	assert_int_equal(vtdm_stats(stack.machine.host->units[0])->srtp, 1);
	stack_down(&stack);
}

struct keeper {
	struct uiommu_host *host;
	uint64_t tried, lost;
};

static void keep(struct uiommu_host *host, void *context)
{
	struct keeper *keeper = context;
	uint8_t byte = 1;

	keeper->tried++;
	if (user_dma(host, MACHINE_ALONE, STACK_RESERVE, true, &byte, 1) !=
	    VTDM_OK)
		keeper->lost++;
}

static void move_about(struct machine *machine)
{
	struct uiommu_group *group = machine_group(machine, MACHINE_ALONE);

	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
}

/* The region that firmware reserved is never out of reach. */
static void reserved_region(void **state)
{
	static struct machine machine;
	const struct uiommu_sid sid = MACHINE_ALONE;
	struct keeper keeper = { 0 };
	void *reserve;

	(void)state;
	machine_describe(&machine);
	machine_reserve(&machine, STACK_RESERVE,
			STACK_RESERVE + STACK_RESERVE_SIZE - 1, &sid, 1);
	/* Every command by register, so that none goes unseen. */
	machine.config.units[0].model.qi = false;
	machine_build(&machine);
	reserve = vtdm_mem_alloc_at(machine.host->mem, STACK_RESERVE,
				    STACK_RESERVE_SIZE);
	assert_non_null(reserve);
	machine.host->on_mmio = keep;
	machine.host->on_mmio_context = &keeper;
	assert_int_equal(machine_scan(&machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine.uiommu), UIOMMU_OK);
	if (uiommu_host_store128(machine.host, reserve, 0, 0))
		move_about(&machine);
	uiommu_stop(machine.uiommu);
	machine.host->on_mmio = NULL;
	assert_true(keeper.tried > 20);
	assert_int_equal(keeper.lost, 0);
	assert_int_equal(user_violations(machine.host), 0);
	vtdm_mem_free(machine.host->mem, reserve, STACK_RESERVE_SIZE);
	machine_down(&machine);
}

/* A device with few address bits: what is reserved there is left out. */
static void narrow_device(void **state)
{
	static struct machine machine;
	const struct uiommu_window window = { 0, { 0xd000, 0xdfff } };
	const struct uiommu_sid sid = MACHINE_ALONE;
	struct uiommu_device *device;
	uint64_t iova = 0;

	(void)state;
	machine_describe(&machine);
	machine_reserve(&machine, 0x8000, 0xbfff, &sid, 1);
	machine.options.windows = &window;
	machine.options.window_count = 1;
	machine_up(&machine);
	device = machine_driver(&machine, sid);
	assert_int_equal(uiommu_device_set_dma_mask(device, 0xffff), UIOMMU_OK);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(uiommu_dma_map(device, 0x100000, 4096,
						UIOMMU_DMA_TO_DEVICE, &iova),
				 UIOMMU_OK);
		assert_true(iova >= 0x1000 && iova <= 0xf000);
		assert_true(iova < 0x8000 || iova > 0xbfff);
		assert_int_not_equal(iova, 0xd000);
	}
	assert_int_equal(uiommu_dma_map(device, 0x100000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_ENOSPC);
	machine_down(&machine);
}

int main(void)
{
	struct CMUnitTest tests[32] = {
		cmocka_unit_test(reserved_region),
		cmocka_unit_test(narrow_device),
	};
	size_t count = 2;

	for (unsigned int i = 0; i < stack_kind_count; i++)
		tests[count++] = (struct CMUnitTest){
			.name = stack_kinds[i].name,
			.test_func = random_kind,
			.initial_state = (void *)(uintptr_t)&stack_kinds[i],
		};
	return _cmocka_run_group_tests("mutation", tests, count, NULL, NULL);
}
