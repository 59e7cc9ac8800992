// SPDX-License-Identifier: MIT
/*
 * Several CPUs at once, under ThreadSanitizer: drivers of two devices of one
 * group and of a third, a host that maps in an unmanaged domain and moves a
 * group about, and somebody who looks at everything.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>
#include <uiommu/fault.h>

#include "machine.h"

#define ROUNDS 2000u
#define WORKERS 8u
#define MIB 0x100000ull

/*
 * The walker of the model reads tables while CPUs write them, as hardware
 * does: the one race that is meant to be.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:vtdm_mem_walk_read\n";
}

struct worker {
	pthread_t thread;
	struct machine *machine;
	void (*work)(struct worker *worker, unsigned int round);
	struct uiommu_sid sid;
	uint64_t memory;
	struct uiommu_domain *domain;
	uint64_t wrong;
};

static bool reaches(struct worker *w, uint64_t address, bool write)
{
	uint8_t byte = 1;

	return user_dma(w->machine->host, w->sid, address, write, &byte, 1) ==
	       VTDM_OK;
}

static struct uiommu_device *device_of(struct worker *w)
{
	return uiommu_device_find(w->machine->uiommu, w->sid);
}

static void work_single(struct worker *w, unsigned int round)
{
	size_t size = 1 + round * 3331 % 300000;
	uint64_t iova;

	if (uiommu_dma_map(device_of(w), w->memory + round, size,
			   UIOMMU_DMA_BIDIRECTIONAL, &iova)) {
		w->wrong++;
		return;
	}
	w->wrong += !reaches(w, iova, true);
	w->wrong += !reaches(w, iova + size - 1, false);
	w->wrong += uiommu_dma_unmap(device_of(w), iova, size) != UIOMMU_OK;
}

static void work_list(struct worker *w, unsigned int round)
{
	struct uiommu_sg sg[8];
	uint32_t segments;

	for (unsigned int i = 0; i < 8; i++) {
		sg[i].paddr = w->memory + (i * 3 + round % 7) * 4096;
		sg[i].size = 4096;
	}
	if (uiommu_dma_map_sg(device_of(w), sg, 8, UIOMMU_DMA_TO_DEVICE,
			      &segments)) {
		w->wrong++;
		return;
	}
	w->wrong += !reaches(w, sg[0].iova, false);
	w->wrong += reaches(w, sg[0].iova, true);
	w->wrong += uiommu_dma_unmap_sg(device_of(w), sg, 8) != UIOMMU_OK;
}

static void work_coherent(struct worker *w, unsigned int round)
{
	size_t size = 1 + round * 17 % 30000;
	uint64_t iova;
	void *cpu;

	if (uiommu_dma_alloc(device_of(w), size, &cpu, &iova)) {
		w->wrong++;
		return;
	}
	w->wrong += !reaches(w, iova + size - 1, true);
	w->wrong += uiommu_dma_free(device_of(w), size, cpu, iova) != UIOMMU_OK;
}

/* In identity, out of reach: two on one device, lists and single buffers. */
static void work_bounced(struct worker *w, unsigned int round)
{
	struct uiommu_sg sg[3];
	uint32_t segments;
	size_t size = 1 + round * 977 % 20000;
	uint64_t iova;

	if (uiommu_dma_map(device_of(w), w->memory + round, size,
			   UIOMMU_DMA_BIDIRECTIONAL, &iova)) {
		w->wrong++;
		return;
	}
	w->wrong += iova + size - 1 > 0xffffffff;
	w->wrong += !reaches(w, iova, true);
	w->wrong += uiommu_dma_sync_for_cpu(device_of(w), iova + size / 2,
					    size - size / 2) != UIOMMU_OK;
	for (unsigned int i = 0; i < 3; i++) {
		sg[i].paddr = w->memory + (50 + 2 * i) * 4096;
		sg[i].size = 4096;
	}
	if (uiommu_dma_map_sg(device_of(w), sg, 3, UIOMMU_DMA_FROM_DEVICE,
			      &segments)) {
		w->wrong++;
		return;
	}
	w->wrong += segments != 3 || !reaches(w, sg[2].iova, true);
	w->wrong += uiommu_dma_sync_for_device(device_of(w), iova, size) !=
		    UIOMMU_OK;
	w->wrong += uiommu_dma_unmap(device_of(w), iova, size) != UIOMMU_OK;
	w->wrong += uiommu_dma_unmap_sg(device_of(w), sg, 3) != UIOMMU_OK;
}

/* Each in its own half of the domain; tables above are shared. */
static void work_unmanaged(struct worker *w, unsigned int round)
{
	uint64_t at = w->memory % (64 * MIB) + round % 100 * 4096;
	struct uiommu_range range = { at, at + 40 * 4096 - 1 };
	uint64_t unmapped = 0;
	uiommu_paddr_t paddr;

	w->wrong += uiommu_domain_map(w->domain, range, w->memory, 3) !=
		    UIOMMU_OK;
	w->wrong += uiommu_domain_lookup(w->domain, at + 5, &paddr) !=
		    UIOMMU_OK;
	w->wrong += uiommu_domain_unmap(w->domain, range, &unmapped) !=
		    UIOMMU_OK;
	w->wrong += unmapped != 40 * 4096;
}

static void work_about(struct worker *w, unsigned int round)
{
	struct uiommu_group *group = uiommu_device_group(device_of(w));
	struct uiommu_unit_info info;

	if (round % 8 == 0) {
		w->wrong += uiommu_group_claim(group, w) != UIOMMU_OK;
		w->wrong += uiommu_group_attach(group, w, w->domain) !=
			    UIOMMU_OK;
		w->wrong += uiommu_group_detach(group, w) != UIOMMU_OK;
		w->wrong += uiommu_group_release(group, w) != UIOMMU_OK;
	}
	w->wrong += reaches(w, 0x1234000, true);
	uiommu_poll_faults(w->machine->uiommu);
	w->wrong += uiommu_unit_info(w->machine->uiommu, 0, &info) != UIOMMU_OK;
	w->wrong += uiommu_device_domain(device_of(w)) == NULL;
}

static void *worker_run(void *data)
{
	struct worker *w = data;

	for (unsigned int round = 0; round < ROUNDS; round++)
		w->work(w, round);
	return NULL;
}

/* And reaching 32 bits of it. */
static void in_identity(struct machine *machine, struct uiommu_sid sid)
{
	assert_int_equal(uiommu_group_set_type(machine_group(machine, sid),
					       UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(uiommu_device_set_dma_mask(
				 machine_device(machine, sid), 0xffffffff),
			 UIOMMU_OK);
}

static void test_threads(void **state)
{
	static struct machine machine;
	const bool *queued = *state;
	struct worker workers[WORKERS] = {
		{ .work = work_single, .sid = MACHINE_PAIR0 },
		{ .work = work_list, .sid = MACHINE_PAIR1 },
		{ .work = work_coherent, .sid = MACHINE_PAIR1 },
		{ .work = work_unmanaged, .sid = MACHINE_OTHER },
		{ .work = work_unmanaged, .sid = MACHINE_OTHER },
		{ .work = work_about, .sid = MACHINE_OTHER },
		{ .work = work_bounced, .sid = MACHINE_ALONE },
		{ .work = work_bounced, .sid = MACHINE_ALONE },
	};
	struct uiommu_domain *domain;
	struct uiommu_group *group;
	uint64_t paddr;
	void *memory;

	machine_describe(&machine);
	machine.config.units[0].model.qi = *queued;
	machine.config.units[0].model.cm = true;
	machine.options.timeout_us = 10000000;
	machine_up(&machine);
	memory = vtdm_mem_alloc(machine.host->mem, 16 * MIB, VTDM_MEM_HIGH,
				&paddr);
	assert_non_null(memory);
	in_identity(&machine, MACHINE_ALONE);
	group = machine_group(&machine, MACHINE_OTHER);
	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i].machine = &machine;
		workers[i].memory = paddr + i * MIB;
		workers[i].domain = domain;
		if (workers[i].work != work_unmanaged &&
		    workers[i].work != work_about)
			machine_driver(&machine, workers[i].sid);
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						worker_run, &workers[i]),
				 0);
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	assert_int_equal(uiommu_domain_put(machine.uiommu, domain), UIOMMU_OK);
	uiommu_stop(machine.uiommu);
	assert_int_equal(user_violations(machine.host), 0);
	vtdm_mem_free(machine.host->mem, memory, 16 * MIB);
	machine_down(&machine);
}

int main(void)
{
	static bool queued = true, registers;
	const struct CMUnitTest tests[] = {
		{ "queue", test_threads, NULL, NULL, &queued },
		{ "registers", test_threads, NULL, NULL, &registers },
	};

	return cmocka_run_group_tests_name("dma threads", tests, NULL, NULL);
}
