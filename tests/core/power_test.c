// SPDX-License-Identifier: MIT
/* Suspend, resume and shutdown of an instance: states, books, no lock. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/object.h"
#include "fake.h"
#include "machine.h"

static struct machine machine;

static void up(void)
{
	fake_reset();
	machine_describe(&machine);
	machine_up(&machine);
}

/*
 * On one CPU with interrupts off: the host aborts on whatever may sleep, and
 * on a lock of the instance, which this thread holds.
 */
static int quietly(int (*op)(struct uiommu *uiommu))
{
	unsigned long mutex = uiommu_host_lock_acquire(machine.uiommu->mutex);
	unsigned long index = uiommu_host_lock_acquire(machine.uiommu->index);
	uint64_t calls = machine.host->calls;
	int err = op(machine.uiommu);

	uiommu_host_lock_release(machine.uiommu->index, index);
	uiommu_host_lock_release(machine.uiommu->mutex, mutex);
	assert_int_equal(machine.host->calls, calls);
	return err;
}

static void test_states(void **state)
{
	(void)state;
	fake_reset();
	machine_describe(&machine);
	machine_build(&machine);
	assert_int_equal(machine_scan(&machine), 0);
	assert_int_equal(uiommu_suspend(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(uiommu_resume(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(uiommu_start(machine.uiommu), 0);
	assert_int_equal(uiommu_resume(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(quietly(uiommu_suspend), 0);
	assert_int_equal(uiommu_suspend(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(uiommu_start(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(fake.suspends, 1);
	/* Registers without power say nothing. */
	assert_int_equal(uiommu_poll_faults(machine.uiommu), 0);
	assert_int_equal(
		uiommu_unit_set_fault_interrupt(machine.uiommu, 0, 0, 0),
		UIOMMU_EBUSY);
	assert_int_equal(quietly(uiommu_resume), 0);
	assert_int_equal(uiommu_resume(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(fake.resumes, 1);
	assert_int_equal(uiommu_poll_faults(machine.uiommu), 3);
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	assert_int_equal(uiommu_resume(machine.uiommu), 0);
	machine_down(&machine);
}

/* What is asleep is woken before it is taken down; both ways down. */
static void test_stop(void **state)
{
	(void)state;
	up();
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	uiommu_stop(machine.uiommu);
	assert_int_equal(fake.resumes, 1);
	assert_int_equal(uiommu_resume(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(uiommu_start(machine.uiommu), 0);
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	machine_down(&machine);
	assert_int_equal(fake.resumes, 2);
}

static struct uiommu_group *group_of(struct uiommu_sid sid)
{
	return machine_group(&machine, sid);
}

static void test_as_before(void **state)
{
	struct uiommu_device *device;
	uiommu_iova_t iova;
	uint64_t paddr;

	(void)state;
	up();
	device = machine_driver(&machine, MACHINE_NVME);
	assert_int_equal(uiommu_dma_map(device, 0x123000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 0);
	assert_int_equal(uiommu_group_claim(group_of(MACHINE_ALONE), &machine),
			 0);
	assert_int_equal(quietly(uiommu_suspend), 0);
	assert_int_equal(quietly(uiommu_resume), 0);
	assert_ptr_equal(uiommu_group_owner(group_of(MACHINE_ALONE)), &machine);
	assert_true(fake_reaches(MACHINE_NVME, iova, UIOMMU_PROT_READ, &paddr));
	assert_int_equal(paddr, 0x123000);
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), 0);
	uiommu_device_unuse(device);
	machine_down(&machine);
}

/* Suspend fails half way: it is resumed, or slept on. */
static void test_suspend_fails(void **state)
{
	(void)state;
	up();
	fake.fail_op = fake.ops + 1;
	fake.fail_error = UIOMMU_ETIMEDOUT;
	assert_int_equal(quietly(uiommu_suspend), UIOMMU_ETIMEDOUT);
	assert_int_equal(uiommu_suspend(machine.uiommu), UIOMMU_EBUSY);
	assert_int_equal(quietly(uiommu_resume), 0);
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	assert_int_equal(uiommu_resume(machine.uiommu), 0);
	machine_down(&machine);
}

/*
 * A unit that is dead: everybody behind it is blocked in the books, whose
 * domains stay for what the unit may still walk.
 */
static void test_dead(void **state)
{
	struct uiommu_domain *blocked;
	struct uiommu_device *device;
	struct uiommu_domain *own;
	uiommu_iova_t iova;

	(void)state;
	up();
	blocked = &machine.uiommu->blocked;
	device = machine_driver(&machine, MACHINE_NVME);
	own = uiommu_device_domain(device);
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	fake.broken = true;
	fake.fail_blocked = true;
	fake.fail_op = fake.ops + 1;
	fake.fail_error = UIOMMU_EIO;
	assert_int_equal(quietly(uiommu_resume), UIOMMU_EIO);
	assert_int_equal(uiommu_resume(machine.uiommu), UIOMMU_EBUSY);
	assert_ptr_equal(uiommu_device_domain(device), blocked);
	for (struct uiommu_group *g = machine.uiommu->groups; g; g = g->next) {
		assert_ptr_equal(uiommu_group_domain(g), blocked);
		for (device = g->members; device; device = device->next)
			assert_ptr_equal(device->domain, blocked);
	}
	device = machine_device(&machine, MACHINE_NVME);
	assert_ptr_equal(uiommu_group_default_domain(group_of(MACHINE_NVME)),
			 own);
	assert_int_equal(uiommu_dma_map(device, 0x123000, 4096,
					UIOMMU_DMA_TO_DEVICE, &iova),
			 UIOMMU_EPERM);
	uiommu_device_unuse(device);
	fake.fail_op = 0;
	fake.broken = false;
	fake.fail_blocked = false;
	machine_down(&machine);
}

/* Every lock is held by a CPU that stopped. */
static void shut(bool keep)
{
	struct uiommu *u = machine.uiommu;
	struct uiommu_lock *locks[] = { u->mutex, u->index, u->bounces.lock };
	uint64_t calls = machine.host->calls;
	unsigned long states[3];

	for (int i = 0; i < 3; i++)
		states[i] = uiommu_host_lock_acquire(locks[i]);
	uiommu_shutdown(u, keep);
	for (int i = 2; i >= 0; i--)
		uiommu_host_lock_release(locks[i], states[i]);
	assert_int_equal(machine.host->calls, calls);
	assert_int_equal(fake.kept_on, keep);
}

static void test_shutdown(void **state)
{
	(void)state;
	uiommu_shutdown(NULL, false);
	up();
	shut(true);
	shut(false);
	assert_int_equal(fake.shutdowns, 2);
	assert_int_equal(uiommu_suspend(machine.uiommu), 0);
	shut(false);
	machine_down(&machine);
}

/* The driver is told of the unit whose display would hang. */
static void test_stays_on(void **state)
{
	static struct user_function functions[16];

	(void)state;
	for (int hangs = 0; hangs < 2; hangs++) {
		fake_reset();
		machine_describe(&machine);
		machine.config.unit_count = 2;
		user_dmar_begin(&machine.dmar, 39);
		user_dmar_unit(&machine.dmar, 0, machine.config.units[1].base,
			       false);
		user_dmar_scope(&machine.dmar, UIOMMU_SCOPE_ENDPOINT,
				MACHINE_ALONE);
		user_dmar_unit(&machine.dmar, 0, machine.config.units[0].base,
			       true);
		memcpy(functions, machine.config.functions,
		       machine.config.function_count * sizeof(functions[0]));
		for (unsigned int i = 0; i < machine.config.function_count;
		     i++) {
			if (functions[i].sid.rid != MACHINE_ALONE.rid)
				continue;
			functions[i].vendor = 0x8086;
			functions[i].device = hangs ? 0x9a49 : 0x5917;
			functions[i].class_code = 0x030000;
		}
		machine.config.functions = functions;
		machine_up(&machine);
		assert_int_equal(fake.stays_on, hangs ? 1 : 0);
		machine_down(&machine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_as_before),
		cmocka_unit_test(test_suspend_fails),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_stays_on),
	};

	return cmocka_run_group_tests_name("core power", tests, NULL, NULL);
}
