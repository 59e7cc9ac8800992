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

#include "core/object.h"
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

/*
 * Who had no entry was refused, and is until its driver asks, also where it is
 * to be in identity: what it still does must not reach all of memory.
 */
static void test_refused(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		const struct uiommu_sid sid = MACHINE_PORT;
		struct uiommu_device *device;
		uint64_t iova;

		assert_int_not_equal(
			rig_write(&t->rig, sid.rid, t->memory.paddr), VTDM_OK);
		assert_int_equal(uiommu_domain_type(uiommu_device_domain(
					 machine_device(&t->machine, sid))),
				 direct ? UIOMMU_DOMAIN_IDENTITY
					: UIOMMU_DOMAIN_DMA);
		device = machine_driver(&t->machine, sid);
		assert_int_not_equal(
			rig_write(&t->rig, sid.rid, t->memory.paddr), VTDM_OK);
		assert_int_equal(uiommu_dma_map(device, t->memory.paddr, 4096,
						UIOMMU_DMA_BIDIRECTIONAL,
						&iova),
				 UIOMMU_OK);
		assert_int_equal(rig_write(&t->rig, sid.rid, iova), VTDM_OK);
		assert_int_equal(user_logged(t->machine.host,
					     "gave it are physical now"),
				 direct);
		assert_int_equal(uiommu_dma_unmap(device, iova, 4096),
				 UIOMMU_OK);
		uiommu_device_unuse(device);
		old_flows(&t->old);
		inherit_down(t);
	}
}

/* A start that fails gives back what it found, and can be tried again. */
static void test_start_fails(void **state)
{
	unsigned int failed = 0;
	bool over = false;

	(void)state;
	for (uint64_t nth = 1; !over; nth++) {
		static struct inherit t;
		int err;

		inherit_describe(&t);
		inherit_old(&t);
		assert_int_equal(machine_scan(&t.machine), UIOMMU_OK);
		user_fail_at(t.machine.host, nth);
		err = uiommu_start(t.machine.uiommu);
		over = t.machine.host->calls < t.machine.host->fail_first;
		user_fail_at(t.machine.host, 0);
		if (err) {
			old_flows(&t.old);
			failed++;
			assert_int_equal(uiommu_start(t.machine.uiommu),
					 UIOMMU_OK);
		}
		/* tables out of reach are a reason to reset the unit */
		if (err || inherit_info(&t).adopted)
			old_flows(&t.old);
		inherit_down(&t);
	}
	assert_true(failed > 10);
}

/* --- The first call ------------------------------------------------------- */

/* One address of page @index for the device, by each way to get it. */
static int way_map(struct inherit *t, struct uiommu_device *device,
		   unsigned int index, uint64_t *iova)
{
	return uiommu_dma_map(device, t->memory.paddr + 4096 * index, 4096,
			      UIOMMU_DMA_BIDIRECTIONAL, iova);
}

static void way_and_back(struct inherit *t, struct uiommu_device *device)
{
	uint64_t iova;

	assert_int_equal(way_map(t, device, 0, &iova), UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
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

/* Who comes to a claimed group is refused, whatever it inherits. */
static void test_claimed_joiner(void **state)
{
	struct inherit *t = inherit_up(false);
	struct uiommu_group *group = machine_group(&t->machine, MACHINE_PCI0);

	assert_int_equal(
		uiommu_remove_device(machine_device(&t->machine, MACHINE_PCI1)),
		UIOMMU_OK);
	assert_true(inherit_lands(t, PCI1));
	inherit_over(t, PCI0);
	inherit_over(t, ALIAS);
	assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
	inherit_over(t, PCI1);
	assert_int_equal(uiommu_add_pci(t->machine.uiommu, 0, 3, 3), UIOMMU_OK);
	assert_false(inherit_lands(t, PCI1));
	assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
	assert_ptr_equal(
		uiommu_device_domain(machine_device(&t->machine, MACHINE_PCI1)),
		uiommu_group_default_domain(group));
	inherit_down(t);
}

static bool pauses(struct uiommu_host *host, struct uiommu_device *device)
{
	(void)host;
	(void)device;
	return true;
}

/* A driver whose first DMA call may be waiting cannot be waited for. */
static void test_type_in_use(void **state)
{
	struct inherit *t = inherit_up(false);
	struct uiommu_device *device = machine_driver(&t->machine,
						      MACHINE_PAIR0);
	struct uiommu_group *group = uiommu_device_group(device);

	(void)state;
	t->machine.host->on_pause = pauses;
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_EINUSE);
	assert_int_equal(t->machine.host->pauses, 0);
	assert_true(user_logged(t->machine.host, "has yet to make its first"));
	inherit_over(t, PAIR0);
	way_and_back(t, device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(t->machine.host->pauses, 1);
	uiommu_device_unuse(device);
	inherit_down(t);
}

/* A call that found nothing, when another one has brought the device there. */
static bool is_late(struct uiommu_host *host, struct uiommu_device *device)
{
	struct uiommu_domain *domain = NULL;

	(void)host;
	assert_int_equal(uiommu_core_device_arrive(device, &domain), UIOMMU_OK);
	assert_ptr_equal(domain, uiommu_group_default_domain(
					 uiommu_device_group(device)));
	return true;
}

/* Then it looks again, and does not wait: whoever pauses it holds the mutex. */
static void test_late_call(void **state)
{
	struct inherit *t = inherit_up(false);
	struct uiommu_device *device = machine_driver(&t->machine,
						      MACHINE_PAIR0);
	struct uiommu_group *group = uiommu_device_group(device);

	(void)state;
	inherit_over(t, PAIR0);
	way_and_back(t, device);
	t->machine.host->on_pause = is_late;
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(t->machine.host->pauses, 1);
	uiommu_device_unuse(device);
	inherit_down(t);
}

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d000fffull

/*
 * Inherited mappings do not tell what firmware keeps for a device: its own
 * domain has it before the device comes there, and gives it to nobody.
 */
static void test_region(void **state)
{
	static struct inherit t;
	const struct uiommu_sid sid = MACHINE_NVME;
	struct rig_page region = { NULL, RESERVE_FIRST };
	struct uiommu_device *device;
	uint64_t iova;

	(void)state;
	inherit_describe(&t);
	machine_reserve(&t.machine, RESERVE_FIRST, RESERVE_LAST, &sid, 1);
	inherit_old(&t);
	region.bytes = vtdm_mem_alloc_at(t.machine.host->mem, RESERVE_FIRST,
					 4096);
	assert_non_null(region.bytes);
	assert_int_equal(machine_scan(&t.machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(t.machine.uiommu), UIOMMU_OK);
	assert_true(inherit_lands(&t, NVME));
	/* The old kernel's tables decide so far, and they have no such page. */
	assert_false(rig_reaches(&t.rig, sid.rid, RESERVE_FIRST, region));
	device = machine_driver(&t.machine, sid);
	assert_int_equal(uiommu_device_set_dma_mask(device, 0x7fffffff),
			 UIOMMU_OK);
	inherit_over(&t, NVME);
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(uiommu_dma_map(device, t.memory.paddr, 4096,
						UIOMMU_DMA_BIDIRECTIONAL,
						&iova),
				 UIOMMU_OK);
		assert_true(iova > RESERVE_LAST || iova + 4095 < RESERVE_FIRST);
		assert_true(
			rig_reaches(&t.rig, sid.rid, RESERVE_FIRST, region));
	}
	assert_true(inherit_reaches(&t, NVME, iova, 0));
	uiommu_device_unuse(device);
	vtdm_mem_free(t.machine.host->mem, region.bytes, 4096);
	inherit_down(&t);
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

/* --- Other ways out ------------------------------------------------------- */

/* Of a driver that uses it already. */
static void ask_as(struct inherit *t, enum inherit_who who,
		   struct uiommu_device *device)
{
	uint64_t iova;

	assert_int_equal(way_map(t, device, 0, &iova), UIOMMU_OK);
	assert_true(inherit_reaches(t, who, iova, 0));
	assert_false(inherit_lands(t, who));
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	uiommu_device_unuse(device);
}

static void ask(struct inherit *t, enum inherit_who who)
{
	ask_as(t, who, machine_driver(&t->machine, inherit_sids[who]));
}

/* An owner's group is blocked at once, all of it, and comes back as ours. */
static void test_claim(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		struct uiommu_group *group = machine_group(&t->machine,
							   MACHINE_PAIR0);
		uint64_t attaches;

		inherit_over(t, PAIR0);
		inherit_over(t, PAIR1);
		old_watch(&t->old, true);
		assert_int_equal(uiommu_group_claim(group, t), UIOMMU_OK);
		assert_ptr_equal(uiommu_group_domain(group),
				 uiommu_blocked_domain(t->machine.uiommu));
		assert_false(inherit_lands(t, PAIR0));
		assert_false(inherit_lands(t, PAIR1));
		assert_false(inherit_reaches(t, PAIR0, t->memory.paddr, 0));
		assert_int_equal(inherit_info(t).inherited,
				 INHERIT_ENTRIES - 2);
		assert_int_equal(uiommu_group_release(group, t), UIOMMU_OK);
		old_watch(&t->old, false);
		assert_false(inherit_lands(t, PAIR0));
		assert_int_equal(inherit_reaches(t, PAIR1, t->memory.paddr, 0),
				 direct);
		assert_ptr_equal(uiommu_group_domain(group),
				 uiommu_group_default_domain(group));
		attaches = inherit_attaches(t);
		ask(t, PAIR0);
		ask(t, PAIR1);
		assert_int_equal(inherit_attaches(t), attaches);
		inherit_down(t);
	}
}

/* No id is left for its sink: it is blocked then, not left where it was. */
static void test_claim_sink(void **state)
{
	static struct inherit t;
	struct uiommu_group *group;

	(void)state;
	inherit_describe(&t);
	t.machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	t.machine.config.units[0].model.nd = 0;
	inherit_old(&t);
	/* identity has the last of 16 */
	for (unsigned int did = 1; did < 15; did++)
		old_pass(&t.old, (int)(0x400 + did), did);
	assert_int_equal(machine_scan(&t.machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(t.machine.uiommu), UIOMMU_OK);
	group = machine_group(&t.machine, MACHINE_ALONE);
	assert_int_equal(uiommu_group_set_sink(group, true), UIOMMU_OK);
	old_flows(&t.old);
	inherit_over(&t, ALONE);
	assert_int_equal(uiommu_group_claim(group, &t), UIOMMU_OK);
	assert_ptr_equal(uiommu_group_domain(group),
			 uiommu_blocked_domain(t.machine.uiommu));
	assert_false(inherit_lands(&t, ALONE));
	old_flows(&t.old);
	assert_int_equal(uiommu_group_release(group, &t), UIOMMU_OK);
	ask(&t, ALONE);
	inherit_down(&t);
}

/* Its driver may have it already: use, reset, and only then the first call. */
static void test_reset(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		struct uiommu_device *device = machine_driver(&t->machine,
							      MACHINE_PAIR0);

		inherit_over(t, PAIR0);
		old_watch(&t->old, true);
		assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
		assert_false(inherit_lands(t, PAIR0));
		assert_false(inherit_reaches(t, PAIR0, t->memory.paddr, 0));
		assert_int_equal(inherit_info(t).inherited,
				 INHERIT_ENTRIES - 1);
		assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
		old_watch(&t->old, false);
		assert_false(inherit_lands(t, PAIR0));
		assert_int_equal(inherit_reaches(t, PAIR0, t->memory.paddr, 0),
				 direct);
		ask_as(t, PAIR0, device);
		assert_true(inherit_lands(t, PAIR1));
		inherit_down(t);
	}
}

/*
 * Where the driver has work to finish before it may pause, none of its calls
 * waits for who has asked it to: the mutex would be noticed.
 */
static bool finishes(struct uiommu_host *host, struct uiommu_device *device)
{
	way_and_back(host->on_mmio_context, device);
	return true;
}

/* Used and reset, never asked for an address, and now its type changes. */
static void test_reset_type(void **state)
{
	struct inherit *t = inherit_up(false);
	struct uiommu_device *device = machine_driver(&t->machine,
						      MACHINE_PAIR0);

	(void)state;
	inherit_over(t, PAIR0);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	t->machine.host->on_mmio_context = t;
	t->machine.host->on_pause = finishes;
	assert_int_equal(uiommu_group_set_type(uiommu_device_group(device),
					       UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(t->machine.host->pauses, 1);
	uiommu_device_unuse(device);
	inherit_down(t);
}

/* Nobody is asked: the books change, and the first call goes by the new ones. */
static void test_type(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		struct uiommu_group *group = machine_group(&t->machine,
							   MACHINE_PAIR0);
		struct uiommu_device *device;
		uint64_t iova;

		old_watch(&t->old, true);
		assert_int_equal(
			uiommu_group_set_type(group,
					      direct ? UIOMMU_DOMAIN_DMA
						     : UIOMMU_DOMAIN_IDENTITY),
			UIOMMU_OK);
		old_watch(&t->old, false);
		old_flows(&t->old);
		assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
		inherit_over(t, PAIR0);
		device = machine_driver(&t->machine, MACHINE_PAIR0);
		assert_ptr_equal(uiommu_device_domain(device),
				 uiommu_group_default_domain(group));
		assert_int_equal(way_map(t, device, 0, &iova), UIOMMU_OK);
		assert_int_equal(iova == t->memory.paddr, !direct);
		assert_true(inherit_reaches(t, PAIR0, iova, 0));
		assert_false(inherit_lands(t, PAIR0));
		assert_int_equal(
			inherit_reaches(t, PAIR0, t->memory.paddr + 4096, 1),
			!direct);
		old_flows(&t->old);
		assert_int_equal(uiommu_dma_unmap(device, iova, 4096),
				 UIOMMU_OK);
		uiommu_device_unuse(device);
		inherit_down(t);
	}
}

/* Who leaves without ever having asked leaves its entry as it was. */
static void test_remove(void **state)
{
	struct inherit *t = inherit_up(false);
	struct uiommu *uiommu = t->machine.uiommu;
	uint64_t attaches = inherit_attaches(t);

	(void)state;
	old_watch(&t->old, true);
	assert_int_equal(
		uiommu_remove_device(machine_device(&t->machine, MACHINE_NVME)),
		UIOMMU_OK);
	assert_int_equal(uiommu_remove_device(
				 machine_device(&t->machine, MACHINE_PAIR1)),
			 UIOMMU_OK);
	assert_int_equal(inherit_attaches(t), attaches);
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
	/* it may come back, and waits again */
	assert_int_equal(uiommu_add_pci(uiommu, 0, 1, 1), UIOMMU_OK);
	old_watch(&t->old, false);
	old_flows(&t->old);
	assert_int_equal(inherit_info(t).inherited, INHERIT_ENTRIES);
	inherit_over(t, NVME);
	ask(t, NVME);
	old_flows(&t->old);
	inherit_down(t);
}

/* Maps one page after the other; false if one is not below @limit. */
static bool apart_below(struct inherit *t, struct uiommu_device *device,
			unsigned int count, uint64_t limit)
{
	bool below = true;
	uint64_t iova;

	for (unsigned int i = 0; i < count; i++) {
		assert_int_equal(way_map(t, device, 0, &iova), UIOMMU_OK);
		below = below && iova < limit;
	}
	return below;
}

/*
 * What a device may still use, by the numbers that the kernel before gave it,
 * leads nowhere: the new ones begin further down, and are taken from there too
 * when there is no other choice. So it is, too, where the unit was reset.
 */
static void test_apart(void **state)
{
	(void)state;
	for (int reset = 0; reset < 2; reset++) {
		static struct inherit t;
		struct uiommu_device *device;
		uint64_t iova;

		inherit_describe(&t);
		if (reset)
			t.machine.options.takeover = UIOMMU_TAKEOVER_RESET;
		inherit_old(&t);
		assert_int_equal(machine_scan(&t.machine), UIOMMU_OK);
		assert_int_equal(uiommu_start(t.machine.uiommu), UIOMMU_OK);
		device = machine_driver(&t.machine, MACHINE_ALONE);
		assert_int_equal(uiommu_device_set_dma_mask(device, 0xffffff),
				 UIOMMU_OK);
		/* five sixteenths of all pages, but the first of them */
		assert_true(apart_below(&t, device, 1279, 0xc00000));
		assert_int_not_equal(
			rig_write(&t.rig, MACHINE_ALONE.rid, 0xfff000),
			VTDM_OK);
		assert_false(apart_below(&t, device, 2816, 0xc00000));
		assert_int_equal(way_map(&t, device, 0, &iova), UIOMMU_ENOSPC);
		uiommu_device_unuse(device);
		inherit_down(&t);
	}
}

/* A unit that does not answer: the error, and never an address. */
static void test_hang(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct inherit *t = inherit_up(direct);
		struct uiommu_device *device = machine_driver(&t->machine,
							      MACHINE_ALONE);
		const uint64_t none = 0x1234567;
		struct uiommu_lock *lock;
		uint64_t iova = none;
		unsigned long held;
		void *cpu = NULL;

		vtdm_knobs(t->old.unit)->hang = VTDM_HANG_QUEUE;
		assert_int_equal(way_map(t, device, 0, &iova),
				 UIOMMU_ETIMEDOUT);
		assert_int_equal(way_map(t, device, 0, &iova), UIOMMU_EPERM);
		assert_int_equal(iova, none);
		assert_int_equal(uiommu_dma_alloc(device, 4096, &cpu, &iova),
				 UIOMMU_EPERM);
		assert_null(cpu);
		assert_int_equal(iova, none);
		/* from now on in any context: the mutex would be noticed */
		lock = uiommu_host_lock_create(t->machine.host,
					       UIOMMU_LOCK_SPIN);
		assert_non_null(lock);
		held = uiommu_host_lock_acquire(lock);
		vtdm_knobs(t->old.unit)->hang = 0;
		assert_int_equal(way_map(t, device, 0, &iova), UIOMMU_EPERM);
		assert_int_equal(iova, none);
		uiommu_host_lock_release(lock, held);
		uiommu_host_lock_destroy(t->machine.host, lock);
		uiommu_device_unuse(device);
		inherit_down_broken(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_first_call),
		cmocka_unit_test(test_region),
		cmocka_unit_test(test_claimed_joiner),
		cmocka_unit_test(test_type_in_use),
		cmocka_unit_test(test_late_call),
		cmocka_unit_test(test_first_alloc),
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_claim_sink),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_type),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_hang),
	};

	return cmocka_run_group_tests_name("change inherit", tests, NULL, NULL);
}
