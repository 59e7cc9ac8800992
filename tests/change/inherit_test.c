// SPDX-License-Identifier: MIT
/*
 * What another kernel's devices do goes on under ours: a device leaves that
 * kernel's address space when its driver first asks for an address, or when
 * its group goes elsewhere, and no sooner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/dma.h>

#include "inherit.h"

/* --- Start ---------------------------------------------------------------- */

static void check_started(struct inherit *t, enum uiommu_domain_type type)
{
	struct uiommu_unit_info info = inherit_info(t);

	assert_true(t->old.steps > 10);
	assert_true(info.found_translating && info.adopted);
	assert_int_equal(info.inherited, INHERIT_ENTRIES);
	assert_int_equal(t->stats->faults, 0);
	for (int who = 0; who < INHERIT_ENTRIES; who++) {
		struct uiommu_device *device;

		if (who == ALIAS)
			continue;
		device = machine_device(&t->machine, inherit_sids[who]);
		assert_non_null(uiommu_device_group(device));
		assert_non_null(uiommu_device_domain(device));
		assert_int_equal(
			uiommu_domain_type(uiommu_device_domain(device)), type);
	}
}

/* Every one has its domain; nobody has noticed, of drivers and masks neither. */
static void test_start(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		uint64_t writes;

		check_started(t, direct ? UIOMMU_DOMAIN_IDENTITY
					: UIOMMU_DOMAIN_DMA);
		writes = t->stats->mmio_writes;
		for (int who = 0; who < INHERIT_ENTRIES; who++) {
			struct uiommu_device *device;

			if (who == ALIAS)
				continue;
			device = machine_driver(&t->machine, inherit_sids[who]);
			assert_int_equal(
				uiommu_device_set_dma_mask(device, 0xffffffff),
				UIOMMU_OK);
			old_flows(&t->old);
			uiommu_device_unuse(device);
		}
		assert_int_equal(t->stats->mmio_writes, writes);
		assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
		old_flows(&t->old);
		inherit_down(t);
	}
}

/* --- The first call ------------------------------------------------------- */

/* One address of page @index for the device, by each way to get it. */
static int way_map(struct inherit *t, struct uiommu_device *device,
		   unsigned int index, uint64_t *iova)
{
	return uiommu_dma_map(device, t->memory.paddr + 4096 * index, 4096,
			      UIOMMU_DMA_BIDIRECTIONAL, iova);
}

static int way_sg(struct inherit *t, struct uiommu_device *device,
		  unsigned int index, uint64_t *iova)
{
	struct uiommu_sg sg = { .paddr = t->memory.paddr + 4096 * index,
				.size = 4096 };
	uint32_t segments = 0;
	int err = uiommu_dma_map_sg(device, &sg, 1, UIOMMU_DMA_BIDIRECTIONAL,
				    &segments);

	*iova = sg.iova;
	return err;
}

static const struct {
	int (*get)(struct inherit *t, struct uiommu_device *device,
		   unsigned int index, uint64_t *iova);
} ways[] = { { way_map }, { way_sg } };

static void check_first(struct inherit *t, unsigned int way,
			enum inherit_who who, uint32_t entries)
{
	struct uiommu_device *device = machine_driver(&t->machine,
						      inherit_sids[who]);
	uint32_t before = inherit_info(t).inherited;
	uint64_t iova[2], attaches = inherit_attaches(t);

	inherit_over(t, who);
	old_watch(&t->old, true);
	assert_int_equal(ways[way].get(t, device, 0, &iova[0]), UIOMMU_OK);
	old_watch(&t->old, false);
	assert_true(inherit_reaches(t, who, iova[0], 0));
	assert_false(inherit_lands(t, who));
	assert_int_equal(inherit_info(t).inherited, before - entries);
	assert_int_equal(inherit_attaches(t), attaches + entries);

	/* it is there, and does not arrive again */
	assert_int_equal(ways[way].get(t, device, 1, &iova[1]), UIOMMU_OK);
	assert_true(inherit_reaches(t, who, iova[1], 1));
	assert_int_equal(inherit_attaches(t), attaches + entries);
	assert_int_equal(inherit_info(t).inherited, before - entries);
	old_flows(&t->old);
	for (int i = 0; i < 2; i++)
		assert_int_equal(uiommu_dma_unmap(device, iova[i], 4096),
				 UIOMMU_OK);
	uiommu_device_unuse(device);
}

/* R58-R60: the device that asks goes, at once and once; no other goes along. */
static void test_first_call(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++)
		for (unsigned int way = 0; way < 2; way++) {
			struct inherit *t = inherit_up(direct);

			check_first(t, way, ALONE, 1);
			/* the other one of its group stays */
			check_first(t, way, PAIR0, 1);
			assert_true(inherit_lands(t, PAIR1));
			/* the bridge's requests come with it */
			inherit_over(t, ALIAS);
			check_first(t, way, PCI0, 2);
			assert_true(inherit_lands(t, PCI1));
			check_first(t, way, PCI1, 1);
			check_first(t, way, NVME, 1);
			inherit_down(t);
		}
}

static void test_first_alloc(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		struct uiommu_device *device = machine_driver(&t->machine,
							      MACHINE_PAIR1);
		uint64_t iova[2], attaches = inherit_attaches(t);
		void *cpu[2];

		inherit_over(t, PAIR1);
		for (int i = 0; i < 2; i++) {
			struct rig_page page;

			assert_int_equal(uiommu_dma_alloc(device, 4096, &cpu[i],
							  &iova[i]),
					 UIOMMU_OK);
			page = (struct rig_page){ cpu[i], 0 };
			assert_true(rig_reaches(&t->rig, MACHINE_PAIR1.rid,
						iova[i], page));
			assert_int_equal(inherit_attaches(t), attaches + 1);
		}
		assert_false(inherit_lands(t, PAIR1));
		assert_int_equal(inherit_info(t).inherited,
				 INHERIT_ENTRIES - 1);
		old_flows(&t->old);
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				uiommu_dma_free(device, 4096, cpu[i], iova[i]),
				UIOMMU_OK);
		inherit_down(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_first_call),
		cmocka_unit_test(test_first_alloc),
	};

	return cmocka_run_group_tests_name("change inherit", tests, NULL, NULL);
}
