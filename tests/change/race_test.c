// SPDX-License-Identifier: MIT
/*
 * Two threads of one driver ask for an address first, at once, under
 * ThreadSanitizer: the device leaves the other kernel's address space once, and
 * neither is given an address that does not lead anywhere yet.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>

#include <uiommu/dma.h>

#include "inherit.h"

#define ROUNDS 10

/* Units read tables while CPUs write them, as hardware does. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:vtdm_mem_walk_read\n";
}

struct asker {
	pthread_t thread;
	pthread_barrier_t *together;
	struct inherit *t;
	enum inherit_who who;
	uint64_t paddr, iova;
	int err;
	enum vtdm_result result;
};

/* Registers are slow, so that the second one is there before the first is done. */
static void on_register(struct uiommu_host *host, void *context)
{
	const struct timespec rest = { .tv_nsec = 100000 };

	(void)host;
	(void)context;
	nanosleep(&rest, NULL);
}

static void *asker_run(void *data)
{
	struct asker *a = data;
	struct uiommu_sid sid = inherit_sids[a->who];
	struct machine *machine = &a->t->machine;
	uint8_t byte = 0;

	pthread_barrier_wait(a->together);
	a->err = uiommu_dma_map(uiommu_device_find(machine->uiommu, sid),
				a->paddr, 4096, UIOMMU_DMA_BIDIRECTIONAL,
				&a->iova);
	if (!a->err)
		a->result = user_dma(machine->host, sid, a->iova, true, &byte,
				     1);
	return NULL;
}

static int asker_start(struct asker *a, void *(*run)(void *data))
{
	return pthread_create(&a->thread, NULL, run, a);
}

static void both_ask(struct inherit *t, enum inherit_who who)
{
	struct uiommu_device *device = machine_driver(&t->machine,
						      inherit_sids[who]);
	uint64_t attaches = inherit_attaches(t);
	uint32_t before = inherit_info(t).inherited;
	pthread_barrier_t together;
	struct asker askers[2];

	pthread_barrier_init(&together, NULL, 2);
	for (unsigned int i = 0; i < 2; i++) {
		askers[i] = (struct asker){ .together = &together,
					    .t = t,
					    .who = who,
					    .paddr = t->memory.paddr +
						     4096 * (uint64_t)i };
		assert_int_equal(asker_start(&askers[i], asker_run), 0);
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(askers[i].thread, NULL);
	pthread_barrier_destroy(&together);
	assert_int_equal(inherit_attaches(t), attaches + 1);
	assert_int_equal(inherit_info(t).inherited, before - 1);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(askers[i].err, UIOMMU_OK);
		assert_int_equal(askers[i].result, VTDM_OK);
		assert_true(inherit_reaches(t, who, askers[i].iova, i));
		assert_int_equal(uiommu_dma_unmap(device, askers[i].iova, 4096),
				 UIOMMU_OK);
	}
	assert_false(inherit_lands(t, who));
	uiommu_device_unuse(device);
}

static void test_race(void **state)
{
	static const enum inherit_who whose[] = { ALONE, OTHER, PAIR0, PAIR1,
						  NVME };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct inherit *t = inherit_up(round & 1);

		t->machine.host->on_mmio = on_register;
		for (unsigned int i = 0; i < sizeof(whose) / sizeof(whose[0]);
		     i++) {
			inherit_over(t, whose[i]);
			both_ask(t, whose[i]);
		}
		old_flows(&t->old);
		inherit_down(t);
	}
}

/* --- And somebody wants another type meanwhile ---------------------------- */

/* Calls of the driver that are under way, and whether one did not end. */
static atomic_uint under_way;
static atomic_bool attaching, stuck;

/* The first register of the first call: time for the others to queue up. */
static void on_attach(struct uiommu_host *host, void *context)
{
	const struct timespec rest = { .tv_nsec = 30000000 };

	(void)host;
	(void)context;
	if (!atomic_exchange(&attaching, true))
		nanosleep(&rest, NULL);
}

/* As a driver does it: wait until what was begun is done. */
static bool on_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	const struct timespec rest = { .tv_nsec = 1000000 };

	(void)host;
	(void)device;
	for (unsigned int i = 0; i < 2000; i++) {
		if (!atomic_load(&under_way))
			return true;
		nanosleep(&rest, NULL);
	}
	atomic_store(&stuck, true);
	return false;
}

static void *caller_run(void *data)
{
	struct asker *a = data;
	struct uiommu_device *device = uiommu_device_find(a->t->machine.uiommu,
							  inherit_sids[a->who]);

	a->err = uiommu_dma_map(device, a->paddr, 4096,
				UIOMMU_DMA_BIDIRECTIONAL, &a->iova);
	if (!a->err)
		a->err = uiommu_dma_unmap(device, a->iova, 4096);
	atomic_fetch_sub(&under_way, 1);
	return NULL;
}

static void *changer_run(void *data)
{
	struct asker *a = data;

	a->err = uiommu_group_set_type(
		machine_group(&a->t->machine, inherit_sids[a->who]),
		UIOMMU_DOMAIN_IDENTITY);
	return NULL;
}

/*
 * One attaches, one wants another type, one asks as well. Whoever wins, nobody
 * waits for somebody who waits for him.
 */
static void test_type_race(void **state)
{
	const struct timespec rest = { .tv_nsec = 5000000 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct inherit *t = inherit_up(false);
		struct uiommu_device *device = machine_driver(&t->machine,
							      MACHINE_ALONE);
		struct asker a[3];

		for (unsigned int i = 0; i < 3; i++)
			a[i] = (struct asker){ .t = t,
					       .who = ALONE,
					       .paddr = t->memory.paddr };
		inherit_over(t, ALONE);
		atomic_store(&attaching, false);
		atomic_store(&under_way, 2);
		t->machine.host->on_mmio = on_attach;
		t->machine.host->on_pause = on_pause;
		assert_int_equal(asker_start(&a[0], caller_run), 0);
		while (!atomic_load(&attaching))
			sched_yield();
		assert_int_equal(asker_start(&a[1], changer_run), 0);
		nanosleep(&rest, NULL);
		assert_int_equal(asker_start(&a[2], caller_run), 0);
		for (unsigned int i = 0; i < 3; i++)
			pthread_join(a[i].thread, NULL);
		assert_false(atomic_load(&stuck));
		assert_int_equal(a[0].err, UIOMMU_OK);
		assert_int_equal(a[2].err, UIOMMU_OK);
		assert_true(!a[1].err || a[1].err == UIOMMU_EINUSE);
		t->machine.host->on_mmio = NULL;
		uiommu_device_unuse(device);
		old_flows(&t->old);
		inherit_down(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_type_race),
	};

	return cmocka_run_group_tests_name("change race", tests, NULL, NULL);
}
