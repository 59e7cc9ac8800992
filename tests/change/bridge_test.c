// SPDX-License-Identifier: MIT
/*
 * Devices behind a bridge that ask in its name, on the software VT-d: what one
 * of them goes through is nothing to the others. R38, R39, R40, R42: rows of
 * the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "machine.h"

static const struct uiommu_sid worker = MACHINE_PCI0;
static const struct uiommu_sid sibling = MACHINE_PCI1;
static const struct uiommu_sid name = MACHINE_ALIAS; /* of both */

struct fixture {
	struct machine machine;
	struct uiommu_device *device;
	void *memory;
	uint64_t iova;
	uint64_t tried, refused;
	bool at_work;
};

/* The memory, not a sink's page in its place. */
static bool reaches(struct fixture *f, struct uiommu_sid sid)
{
	uint8_t *memory = f->memory;
	uint8_t byte = 1;

	*memory = 0;
	return user_dma(f->machine.host, sid, f->iova, true, &byte, 1) ==
		       VTDM_OK &&
	       *memory == byte;
}

/* The worker goes on, under both of its names. */
static void work(struct uiommu_host *host, void *context)
{
	struct fixture *f = context;

	(void)host;
	if (!f->at_work)
		return;
	f->tried++;
	f->refused += !reaches(f, worker) || !reaches(f, name);
}

static void bring_up(struct fixture *f, bool queued, bool caching)
{
	uint64_t paddr;

	memset(f, 0, sizeof(*f));
	machine_describe(&f->machine);
	f->machine.config.units[0].model.qi = queued;
	f->machine.config.units[0].model.cm = caching;
	machine_up(&f->machine);
	f->memory = vtdm_mem_alloc(f->machine.host->mem, 4096, VTDM_MEM_HIGH,
				   &paddr);
	assert_non_null(f->memory);
	f->device = machine_driver(&f->machine, worker);
	assert_int_equal(uiommu_dma_map(f->device, paddr, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &f->iova),
			 UIOMMU_OK);
	f->machine.host->on_mmio = work;
	f->machine.host->on_mmio_context = f;
	f->at_work = true;
}

static void take_down(struct fixture *f)
{
	f->at_work = false;
	f->machine.host->on_mmio = NULL;
	uiommu_stop(f->machine.uiommu);
	assert_int_equal(user_violations(f->machine.host), 0);
	vtdm_mem_free(f->machine.host->mem, f->memory, 4096);
	machine_down(&f->machine);
}

static void replug(struct fixture *f)
{
	struct uiommu_device *device = machine_device(&f->machine, sibling);

	assert_int_equal(uiommu_remove_device(device), UIOMMU_OK);
	assert_false(reaches(f, sibling));
	assert_true(reaches(f, worker));
	assert_true(reaches(f, name));
	assert_int_equal(uiommu_add_pci(f->machine.uiommu, 0, 3, 3), UIOMMU_OK);
	assert_true(reaches(f, sibling));
}

/* In the sink it is answered, and reaches nobody's memory. */
static void reset(struct fixture *f, bool sink)
{
	struct uiommu_device *device = machine_device(&f->machine, sibling);
	uint8_t byte;

	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_false(reaches(f, sibling));
	assert_int_equal(user_dma(f->machine.host, sibling, f->iova, false,
				  &byte, 1) == VTDM_OK,
			 sink);
	assert_true(reaches(f, worker));
	assert_true(reaches(f, name));
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	assert_true(reaches(f, sibling));
}

/* The shared name is there at all times; the sibling's own is not. */
static void test_at_work(void **state)
{
	static struct fixture f;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		bring_up(&f, kind % 2, kind / 2);
		for (int i = 0; i < 20; i++) {
			replug(&f);
			assert_int_equal(
				uiommu_group_set_sink(
					uiommu_device_group(f.device), i % 2),
				UIOMMU_OK);
			reset(&f, i % 2);
		}
		assert_true(f.tried > (kind % 2 ? 20u : 100u));
		assert_int_equal(f.refused, 0);
		take_down(&f);
	}
}

/* In any order, each alone, and none: then the name is nobody's. */
static void test_any_order(void **state)
{
	static struct fixture f;
	const struct uiommu_sid sids[] = { worker, sibling, MACHINE_BRIDGE };

	(void)state;
	for (int first = 0; first < 2; first++) {
		bring_up(&f, true, false);
		f.at_work = false;
		assert_int_equal(uiommu_dma_unmap(f.device, f.iova, 4096),
				 UIOMMU_OK);
		uiommu_device_unuse(f.device);
		assert_int_equal(
			uiommu_group_set_type(uiommu_device_group(f.device),
					      UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_OK);
		assert_true(
			vtdm_mem_paddr(f.machine.host->mem, f.memory, &f.iova));
		assert_true(reaches(&f, name));
		assert_int_equal(uiommu_remove_device(machine_device(
					 &f.machine, sids[first])),
				 UIOMMU_OK);
		assert_true(reaches(&f, name));
		assert_true(reaches(&f, sids[1 - first]));
		assert_false(reaches(&f, sids[first]));
		assert_int_equal(uiommu_remove_device(
					 machine_device(&f.machine, sids[2])),
				 UIOMMU_OK);
		for (int i = 0; i < 3; i++)
			assert_false(reaches(&f, sids[i]));
		assert_false(reaches(&f, name));
		take_down(&f);
	}
}

/* R42: claimed, the group is refused under every name. */
static void test_claimed(void **state)
{
	static struct fixture f;
	struct uiommu_group *group;

	(void)state;
	bring_up(&f, true, false);
	f.at_work = false;
	group = uiommu_device_group(f.device);
	uiommu_device_unuse(f.device);
	assert_int_equal(uiommu_group_claim(group, &f), UIOMMU_OK);
	assert_false(reaches(&f, worker));
	assert_false(reaches(&f, sibling));
	assert_false(reaches(&f, name));
	assert_int_equal(uiommu_group_release(group, &f), UIOMMU_OK);
	assert_true(reaches(&f, worker));
	assert_true(reaches(&f, name));
	take_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_work),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_claimed),
	};

	return cmocka_run_group_tests_name("change bridge", tests, NULL, NULL);
}
