// SPDX-License-Identifier: MIT
/*
 * Everybody at once, under ThreadSanitizer: devices are plugged and pulled,
 * groups claimed, moved and given back, drivers at work in them, functions
 * reset, and somebody looks at all of it. R22-R25, R28: rows of the list of
 * known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "machine.h"

#define SECONDS 2
#define WORKERS 12u
#define RESERVE 0x7d000000ull
#define RESERVE_SIZE 0x4000ull

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
	struct stress *stress;
	void (*work)(struct worker *worker);
	struct uiommu_sid sid;
	uint64_t memory;
	uint64_t done, refused, wrong;
};

struct stress {
	struct machine machine;
	struct worker workers[WORKERS];
	/* A driver holds its own while it has anything mapped. */
	pthread_mutex_t busy[2];
	uint32_t over;
};

static const struct uiommu_sid pair[] = { MACHINE_PAIR0, MACHINE_PAIR1 };

static bool reaches(struct worker *w, uint64_t address)
{
	uint8_t byte = 1;

	return user_dma(w->stress->machine.host, w->sid, address, false, &byte,
			1) == VTDM_OK;
}

static struct uiommu_device *device_of(struct worker *w)
{
	return uiommu_device_find(w->stress->machine.uiommu, w->sid);
}

/* One that must succeed, or be refused for a reason that others give. */
static bool went(struct worker *w, int err)
{
	if (!err) {
		w->done++;
		return true;
	}
	w->refused++;
	w->wrong += err != UIOMMU_EINUSE && err != UIOMMU_EOWNED &&
		    err != UIOMMU_EBUSY;
	return false;
}

static void lend(struct worker *w, struct uiommu_device *device)
{
	uint64_t iova;

	if (uiommu_dma_map(device, w->memory, 4096, UIOMMU_DMA_BIDIRECTIONAL,
			   &iova)) {
		w->wrong++;
		return;
	}
	w->wrong += !reaches(w, iova);
	w->wrong += uiommu_dma_unmap(device, iova, 4096) != UIOMMU_OK;
}

/* --- Drivers --- */

static void work_driver(struct worker *w)
{
	struct uiommu_device *device = device_of(w);

	if (!went(w, uiommu_device_use(device)))
		return;
	lend(w, device);
	uiommu_device_unuse(device);
}

/* Always in use: who wants to move the group has to have it paused. */
static void work_pair(struct worker *w)
{
	pthread_mutex_t *busy = &w->stress->busy[w->sid.rid == pair[1].rid];

	pthread_mutex_lock(busy);
	lend(w, device_of(w));
	pthread_mutex_unlock(busy);
	w->done++;
}

static pthread_mutex_t *busy_of(struct uiommu_host *host,
				struct uiommu_device *device)
{
	struct stress *s = host->on_mmio_context;

	return &s->busy[uiommu_device_sid(device).rid == pair[1].rid];
}

static bool on_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	return !pthread_mutex_trylock(busy_of(host, device));
}

static void on_resume(struct uiommu_host *host, struct uiommu_device *device)
{
	pthread_mutex_unlock(busy_of(host, device));
}

/* --- Who changes things --- */

static void work_type(struct worker *w)
{
	struct uiommu_group *group = uiommu_device_group(device_of(w));

	(void)went(w, uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY));
	(void)went(w, uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA_FQ));
	(void)went(w, uiommu_group_set_type(group, UIOMMU_DOMAIN_NONE));
}

/* Two owners of one group, who do not know of each other, and its driver. */
static void work_owner(struct worker *w)
{
	struct uiommu_group *group = uiommu_device_group(device_of(w));
	struct uiommu_range window = { 0x1000, 0x1fff };
	struct uiommu *uiommu = w->stress->machine.uiommu;
	const struct timespec rest = { .tv_nsec = 100000 };
	struct uiommu_domain *domain;

	/* The others want it, too. */
	nanosleep(&rest, NULL);
	if (!went(w, uiommu_group_claim(group, w)))
		return;
	/* R28: at once. */
	w->wrong += reaches(w, w->memory);
	w->wrong += uiommu_domain_create(&group, 1, &domain) != UIOMMU_OK;
	w->wrong += uiommu_domain_map(domain, window, w->memory, 3) !=
		    UIOMMU_OK;
	w->wrong += uiommu_group_attach(group, w, domain) != UIOMMU_OK;
	w->wrong += !reaches(w, 0x1000);
	w->wrong += uiommu_domain_put(uiommu, domain) != UIOMMU_OK;
	w->wrong += uiommu_group_detach(group, w) != UIOMMU_OK;
	w->wrong += reaches(w, 0x1000);
	w->wrong += uiommu_group_release(group, w) != UIOMMU_OK;
}

/* One device, or a port with all that is below it. */
static void work_plug(struct worker *w)
{
	struct uiommu *uiommu = w->stress->machine.uiommu;
	bool port = w->sid.rid == MACHINE_PORT.rid;

	w->wrong += uiommu_remove_device(device_of(w)) != UIOMMU_OK;
	w->wrong += device_of(w) != NULL;
	w->wrong += reaches(w, w->memory);
	if (port)
		w->wrong += uiommu_add_pci(uiommu, 0, 0, 0) != UIOMMU_OK;
	w->wrong += uiommu_add_pci(uiommu, 0, port ? 2 : 1, port ? 3 : 1) !=
		    UIOMMU_OK;
	if (!device_of(w)) {
		w->wrong++;
		return;
	}
	w->done++;
	work_driver(w);
}

static void work_reset(struct worker *w)
{
	struct uiommu_device *device = device_of(w);
	struct uiommu_group *group = uiommu_device_group(device);

	if (went(w, uiommu_device_reset_begin(device))) {
		w->wrong += reaches(w, w->memory) !=
			    (uiommu_domain_type(uiommu_device_domain(device)) ==
			     UIOMMU_DOMAIN_SINK);
		w->wrong += uiommu_device_reset_end(device) != UIOMMU_OK;
	}
	(void)went(w, uiommu_group_set_sink(group, w->done & 1));
	w->wrong += uiommu_device_set_dma_mask(device, 0xffffffffffull) !=
		    UIOMMU_OK;
}

/* --- Who looks --- */

static void work_look(struct worker *w)
{
	struct uiommu *uiommu = w->stress->machine.uiommu;
	const struct uiommu_view *view = uiommu_view_get(uiommu);
	struct uiommu_unit_info info;
	uint32_t members = 0;

	for (uint32_t i = 0; i < view->plan.group_count; i++)
		members += view->plan.groups[i].member_count;
	w->wrong += members != view->plan.device_count;
	for (uint32_t i = 0; i < view->topology.count; i++)
		(void)uiommu_device_find(uiommu,
					 view->topology.functions[i].sid);
	w->wrong += !uiommu_device_domain(device_of(w));
	(void)uiommu_group_type(uiommu_device_group(device_of(w)));
	(void)uiommu_group_owner(uiommu_device_group(device_of(w)));
	uiommu_view_put(uiommu, view);
	uiommu_poll_faults(uiommu);
	w->wrong += uiommu_unit_info(uiommu, 0, &info) != UIOMMU_OK;
	w->done++;
}

/* What firmware keeps is in reach, whatever is done to its group. */
static void work_firmware(struct worker *w)
{
	w->wrong += !reaches(w, RESERVE + w->done++ % RESERVE_SIZE);
}

static void *worker_run(void *data)
{
	struct worker *w = data;

	while (!__atomic_load_n(&w->stress->over, __ATOMIC_RELAXED))
		w->work(w);
	return NULL;
}

static void stress_up(struct stress *s, bool queued)
{
	struct machine *machine = &s->machine;

	machine_describe(machine);
	machine->config.units[0].model.qi = queued;
	machine->options.timeout_us = 10000000;
	machine_reserve(machine, RESERVE, RESERVE + RESERVE_SIZE - 1,
			&(struct uiommu_sid){ 0, MACHINE_ALONE.rid }, 1);
	machine_up(machine);
	machine->host->on_mmio_context = s;
	machine->host->on_pause = on_pause;
	machine->host->on_resume = on_resume;
	for (int i = 0; i < 2; i++) {
		pthread_mutex_init(&s->busy[i], NULL);
		machine_driver(machine, pair[i]);
	}
}

static const struct {
	void (*work)(struct worker *worker);
	struct uiommu_sid sid;
} jobs[WORKERS] = {
	{ work_pair, MACHINE_PAIR0 },	  { work_pair, MACHINE_PAIR1 },
	{ work_type, MACHINE_PAIR0 },	  { work_type, MACHINE_ALONE },
	{ work_firmware, MACHINE_ALONE }, { work_driver, MACHINE_OTHER },
	{ work_owner, MACHINE_OTHER },	  { work_owner, MACHINE_OTHER },
	{ work_plug, MACHINE_NVME },	  { work_plug, MACHINE_PORT },
	{ work_reset, MACHINE_USB },	  { work_look, MACHINE_OTHER },
};

static void stress_run(struct stress *s, uint64_t paddr)
{
	struct timespec time = { .tv_sec = SECONDS };

	for (unsigned int i = 0; i < WORKERS; i++) {
		struct worker *w = &s->workers[i];

		*w = (struct worker){ .stress = s,
				      .work = jobs[i].work,
				      .sid = jobs[i].sid,
				      .memory = paddr + i * 4096 };
		assert_int_equal(
			pthread_create(&w->thread, NULL, worker_run, w), 0);
	}
	nanosleep(&time, NULL);
	__atomic_store_n(&s->over, 1u, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < WORKERS; i++)
		pthread_join(s->workers[i].thread, NULL);
	for (unsigned int i = 0; i < WORKERS; i++) {
		if (s->workers[i].wrong || !s->workers[i].done)
			fail_msg("worker %u: %llu done, %llu refused, %llu "
				 "wrong",
				 i, (unsigned long long)s->workers[i].done,
				 (unsigned long long)s->workers[i].refused,
				 (unsigned long long)s->workers[i].wrong);
	}
}

static void test_stress(void **state)
{
	static struct stress s;
	void *memory, *reserve;
	uint64_t paddr;

	memset(&s, 0, sizeof(s));
	stress_up(&s, *(const bool *)*state);
	memory = vtdm_mem_alloc(s.machine.host->mem, WORKERS * 4096ull,
				VTDM_MEM_HIGH, &paddr);
	reserve = vtdm_mem_alloc_at(s.machine.host->mem, RESERVE, RESERVE_SIZE);
	assert_non_null(memory);
	assert_non_null(reserve);
	stress_run(&s, paddr);
	uiommu_stop(s.machine.uiommu);
	assert_int_equal(user_violations(s.machine.host), 0);
	vtdm_mem_free(s.machine.host->mem, memory, WORKERS * 4096ull);
	vtdm_mem_free(s.machine.host->mem, reserve, RESERVE_SIZE);
	machine_down(&s.machine);
}

int main(void)
{
	static bool queued = true, registers;
	const struct CMUnitTest tests[] = {
		{ "queue", test_stress, NULL, NULL, &queued },
		{ "registers", test_stress, NULL, NULL, &registers },
	};

	return cmocka_run_group_tests_name("change stress", tests, NULL, NULL);
}
