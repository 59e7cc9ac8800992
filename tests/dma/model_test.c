// SPDX-License-Identifier: MIT
/*
 * The whole stack on the software VT-d: units that die or hang, storms of
 * faults, regions that must never be lost, and rows of known mistakes (Rnn).
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "stack.h"

#define MIB 0x100000ull
#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);
static const struct uiommu_sid other = MACHINE_SID(0, 3, 0);
static const struct uiommu_sid bridged = MACHINE_SID(3, 1, 0);
static const struct uiommu_sid bridge = MACHINE_SID(3, 0, 0);

struct fixture {
	struct machine machine;
	void *reserve;
	void *big;
	uint64_t paddr; /* of 8 MiB of memory */
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	machine_describe(&fixture.machine);
	*state = &fixture;
	return 0;
}

static void give_memory(struct fixture *f)
{
	struct vtdm_mem *mem = f->machine.host->mem;

	f->reserve = vtdm_mem_alloc_at(mem, STACK_RESERVE, STACK_RESERVE_SIZE);
	f->big = vtdm_mem_alloc(mem, 8 * MIB, VTDM_MEM_HIGH, &f->paddr);
	assert_non_null(f->reserve);
	assert_non_null(f->big);
}

static void take_memory(struct fixture *f)
{
	vtdm_mem_free(f->machine.host->mem, f->reserve, STACK_RESERVE_SIZE);
	vtdm_mem_free(f->machine.host->mem, f->big, 8 * MIB);
}

static void bring_up(struct fixture *f)
{
	machine_up(&f->machine);
	give_memory(f);
}

static void take_down(struct fixture *f)
{
	uiommu_stop(f->machine.uiommu);
	assert_int_equal(user_violations(f->machine.host), 0);
	take_memory(f);
	machine_down(&f->machine);
}

static bool reaches(struct fixture *f, struct uiommu_sid sid, uint64_t address,
		    bool write)
{
	uint8_t byte = 1;

	return user_dma(f->machine.host, sid, address, write, &byte, 1) ==
	       VTDM_OK;
}

static struct uiommu_domain *own_domain(struct fixture *f,
					struct uiommu_sid sid)
{
	struct uiommu_group *group = machine_group(&f->machine, sid);
	struct uiommu_domain *domain;

	assert_int_equal(uiommu_domain_create(&group, 1, &domain), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, f), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, f, domain), UIOMMU_OK);
	return domain;
}

static void give_back(struct fixture *f, struct uiommu_sid sid,
		      struct uiommu_domain *domain)
{
	assert_int_equal(
		uiommu_group_release(machine_group(&f->machine, sid), f),
		UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(f->machine.uiommu, domain),
			 UIOMMU_OK);
}

static struct uiommu_range range(uint64_t first, uint64_t size)
{
	return (struct uiommu_range){ first, first + size - 1 };
}

/* R74: small pages used, away, a large page there, used at once. */
static void test_large_after_small(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *domain;

	bring_up(f);
	domain = own_domain(f, other);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(uiommu_domain_map(domain, range(2 * MIB, 4096),
						   f->paddr, RW),
				 UIOMMU_OK);
		assert_true(reaches(f, other, 2 * MIB, true));
		assert_false(reaches(f, other, 3 * MIB, true));
		assert_int_equal(
			uiommu_domain_unmap(domain, range(2 * MIB, 4096), NULL),
			UIOMMU_OK);
		assert_false(reaches(f, other, 2 * MIB, true));
		assert_int_equal(uiommu_domain_map(domain,
						   range(2 * MIB, 2 * MIB),
						   f->paddr, RW),
				 UIOMMU_OK);
		assert_true(reaches(f, other, 2 * MIB, true));
		assert_true(reaches(f, other, 4 * MIB - 1, true));
		assert_int_equal(uiommu_domain_unmap(
					 domain, range(2 * MIB, 2 * MIB), NULL),
				 UIOMMU_OK);
		assert_false(reaches(f, other, 4 * MIB - 1, true));
	}
	give_back(f, other, domain);
	take_down(f);
}

/* R75, R76: an unaligned range; no page of it stays, none beside it goes. */
static void test_unaligned_invalidation(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *domain;
	const uint64_t at = 0x17d000;

	bring_up(f);
	domain = own_domain(f, other);
	for (uint64_t first = 0; first < 6; first++) {
		for (uint64_t count = 1; first + count <= 8; count++) {
			struct uiommu_range part = range(at + first * 4096,
							 count * 4096);

			assert_int_equal(uiommu_domain_map(domain,
							   range(at, 8 * 4096),
							   f->paddr, RW),
					 UIOMMU_OK);
			for (uint64_t i = 0; i < 8; i++)
				assert_true(
					reaches(f, other, at + i * 4096, true));
			assert_int_equal(
				uiommu_domain_unmap(domain, part, NULL),
				UIOMMU_OK);
			for (uint64_t i = 0; i < 8; i++)
				assert_int_equal(
					reaches(f, other, at + i * 4096, true),
					i < first || i >= first + count);
			assert_int_equal(
				uiommu_domain_unmap(domain, range(at, 8 * 4096),
						    NULL),
				UIOMMU_OK);
		}
	}
	give_back(f, other, domain);
	take_down(f);
}

/* R77: 1024 single pages across a table's end, all used, all gone. */
static void test_unmap_across_tables(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *domain;
	const uint64_t at = 0x3fe00ull << 12;
	uint64_t unmapped;

	bring_up(f);
	domain = own_domain(f, other);
	for (uint64_t i = 0; i < 1024; i++) {
		assert_int_equal(uiommu_domain_map(domain,
						   range(at + i * 4096, 4096),
						   f->paddr + i * 4096, RW),
				 UIOMMU_OK);
		assert_true(reaches(f, other, at + i * 4096, true));
	}
	assert_int_equal(
		uiommu_domain_unmap(domain, range(at, 1024 * 4096), &unmapped),
		UIOMMU_OK);
	assert_int_equal(unmapped, 1024 * 4096);
	for (uint64_t i = 0; i < 1024; i++)
		assert_false(reaches(f, other, at + i * 4096, true));
	give_back(f, other, domain);
	take_down(f);
}

/* R83: nothing to invalidate, a thousand times. R70: all there is, at once. */
static void test_empty_and_whole(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *domain;
	struct uiommu_range aperture;
	uint64_t unmapped;

	bring_up(f);
	domain = own_domain(f, other);
	assert_int_equal(uiommu_domain_aperture(domain, &aperture), UIOMMU_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(uiommu_domain_unmap(domain,
						     range(MIB, 16 * MIB),
						     &unmapped),
				 UIOMMU_OK);
	assert_int_equal(
		uiommu_domain_map(domain, range(0, 4096), f->paddr, RW),
		UIOMMU_OK);
	assert_int_equal(uiommu_domain_map(domain,
					   range(aperture.last - 4095, 4096),
					   f->paddr, RW),
			 UIOMMU_OK);
	assert_true(reaches(f, other, 5, true));
	assert_true(reaches(f, other, aperture.last, true));
	assert_int_equal(uiommu_domain_unmap(domain, aperture, &unmapped),
			 UIOMMU_OK);
	assert_int_equal(unmapped, 8192);
	assert_false(reaches(f, other, 5, true));
	assert_false(reaches(f, other, aperture.last, true));
	give_back(f, other, domain);
	take_down(f);
}

/* R40, R42: devices that ask in a bridge's name: never cut off while one of
 * them is attached, and cut off in every name when the group is blocked.
 */
static void test_aliases(void **state)
{
	struct fixture *f = *state;
	struct uiommu_group *group;
	struct uiommu_domain *domain;

	bring_up(f);
	group = machine_group(&f->machine, bridged);
	assert_ptr_equal(group, machine_group(&f->machine, MACHINE_BRIDGE));
	domain = own_domain(f, bridged);
	assert_int_equal(
		uiommu_domain_map(domain, range(0, 4096), f->paddr, RW),
		UIOMMU_OK);
	assert_true(reaches(f, bridge, 1, true));
	assert_true(reaches(f, bridged, 1, true));
	assert_int_equal(uiommu_group_detach(group, f), UIOMMU_OK);
	assert_false(reaches(f, bridge, 1, true));
	assert_false(reaches(f, bridged, 1, true));
	assert_false(reaches(f, MACHINE_BRIDGE, 1, true));
	give_back(f, bridged, domain);
	take_down(f);
}

/* A requester that nobody knows reaches nothing. */
static void test_unknown_requester(void **state)
{
	struct fixture *f = *state;
	struct uiommu_sid nobody = MACHINE_SID(0x42, 1, 1);

	bring_up(f);
	assert_false(reaches(f, nobody, f->paddr, false));
	assert_int_equal(uiommu_poll_faults(f->machine.uiommu), 1);
	assert_int_equal(
		user_event(f->machine.host, UIOMMU_EVENT_FAULT)->sid.rid,
		nobody.rid);
	take_down(f);
}

/* R03: a unit whose scope is empty is left alone. */
static void test_ignored_unit(void **state)
{
	struct fixture *f = *state;

	f->machine.config.unit_count = 2;
	user_dmar_begin(&f->machine.dmar, 39);
	user_dmar_unit(&f->machine.dmar, 0, f->machine.config.units[1].base,
		       false);
	user_dmar_unit(&f->machine.dmar, 0, f->machine.config.units[0].base,
		       true);
	bring_up(f);
	assert_int_equal(vtdm_stats(f->machine.host->units[1])->te_on, 0);
	assert_int_equal(vtdm_stats(f->machine.host->units[0])->te_on, 1);
	take_down(f);
}

/* Two units: a device's mappings are its own unit's business. */
static void test_two_units(void **state)
{
	struct fixture *f = *state;
	static struct user_function functions[16];
	uint64_t iova[2];

	f->machine.config.unit_count = 2;
	memcpy(functions, f->machine.config.functions,
	       f->machine.config.function_count * sizeof(functions[0]));
	for (unsigned int i = 0; i < f->machine.config.function_count; i++)
		if (functions[i].sid.rid == other.rid)
			functions[i].unit = 1;
	f->machine.config.functions = functions;
	user_dmar_begin(&f->machine.dmar, 39);
	user_dmar_unit(&f->machine.dmar, 0, f->machine.config.units[1].base,
		       false);
	user_dmar_scope(&f->machine.dmar, UIOMMU_SCOPE_ENDPOINT, other);
	user_dmar_unit(&f->machine.dmar, 0, f->machine.config.units[0].base,
		       true);
	bring_up(f);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			uiommu_dma_map(
				machine_driver(&f->machine, i ? other : alone),
				f->paddr, 4096, UIOMMU_DMA_BIDIRECTIONAL,
				&iova[i]),
			UIOMMU_OK);
	assert_true(reaches(f, alone, iova[0], true));
	assert_true(reaches(f, other, iova[1], true));
	assert_int_equal(uiommu_dma_unmap(machine_device(&f->machine, other),
					  iova[1], 4096),
			 UIOMMU_OK);
	assert_false(reaches(f, other, iova[1], true));
	assert_true(reaches(f, alone, iova[0], true));
	take_down(f);
}

/* --- A region that firmware keeps using --- */

struct keeper {
	struct fixture *f;
	uint64_t tried, lost;
};

static void keep(struct uiommu_host *host, void *context)
{
	struct keeper *keeper = context;

	(void)host;
	keeper->lost += !reaches(keeper->f, alone,
				 STACK_RESERVE +
					 keeper->tried % STACK_RESERVE_SIZE,
				 keeper->tried % 2);
	keeper->tried += 777;
}

/* Through every domain that the group may be in, and what is refused. */
static void move_about(struct fixture *f)
{
	struct uiommu_device *device = machine_device(&f->machine, alone);
	struct uiommu_group *group = uiommu_device_group(device);
	uint64_t probe[2] __attribute__((aligned(16))) = { 0 };

	/* Another CPU needs an absent entry in between. */
	if (!uiommu_host_store128(f->machine.host, probe, 0, 0))
		return;
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA_FQ),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, f), UIOMMU_EPERM);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_int_equal(uiommu_device_reset_end(device), UIOMMU_OK);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_NONE),
			 UIOMMU_OK);
}

/* From before start until after stop, between any two register accesses. */
static void test_direct_never_lost(void **state)
{
	struct fixture *f = *state;
	struct keeper keeper = { .f = f };

	for (int queued = 0; queued < 2; queued++) {
		machine_describe(&f->machine);
		f->machine.config.units[0].model.qi = queued;
		machine_reserve(&f->machine, STACK_RESERVE,
				STACK_RESERVE + STACK_RESERVE_SIZE - 1, &alone,
				1);
		machine_build(&f->machine);
		give_memory(f);
		f->machine.host->on_mmio = keep;
		f->machine.host->on_mmio_context = &keeper;
		assert_int_equal(machine_scan(&f->machine), UIOMMU_OK);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(uiommu_start(f->machine.uiommu),
					 UIOMMU_OK);
			move_about(f);
			uiommu_stop(f->machine.uiommu);
		}
		f->machine.host->on_mmio = NULL;
		take_down(f);
	}
	assert_true(keeper.tried > 777 * 50);
	assert_int_equal(keeper.lost, 0);
}

/* --- Units that stop answering --- */

/*
 * All that a machine does in a day. Errors are the unit's; none is fatal.
 * A unit without a queue that keeps its last values looks as if it had done
 * what it never saw: nobody can tell, so no tables are freed under it.
 */
static int live_a_day(struct fixture *f, bool *lent, uint64_t *iova)
{
	const struct vtdm_knobs *knobs = vtdm_knobs(f->machine.host->units[0]);
	bool liar = knobs->dead_at && knobs->dead_mode == VTDM_DEAD_STALE &&
		    !f->machine.config.units[0].model.qi;
	struct uiommu_device *device;
	struct uiommu_group *group;
	int err, worst;

	*lent = false;
	worst = uiommu_start(f->machine.uiommu);
	if (worst)
		return worst;
	device = machine_driver(&f->machine, other);
	group = machine_group(&f->machine, other);
	err = uiommu_dma_map(device, f->paddr, 8192, UIOMMU_DMA_BIDIRECTIONAL,
			     iova);
	if (!err) {
		(void)reaches(f, other, *iova, true);
		err = uiommu_dma_unmap(device, *iova, 8192);
		*lent = err != UIOMMU_OK;
	}
	worst = err ? err : worst;
	uiommu_device_unuse(device);
	if (!worst && !liar) {
		worst = uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY);
		err = uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA);
		worst = err ? err : worst;
	}
	err = uiommu_group_claim(group, f);
	worst = err ? err : worst;
	if (!err)
		err = uiommu_group_release(group, f);
	worst = err ? err : worst;
	uiommu_poll_faults(f->machine.uiommu);
	return worst;
}

static void day_with_bad_unit(struct fixture *f, const char *what)
{
	uint64_t iova = 0;
	bool lent = false;
	struct uiommu_unit_info info;
	bool broken;
	int err = live_a_day(f, &lent, &iova);

	if (err && err != UIOMMU_EIO && err != UIOMMU_ETIMEDOUT &&
	    err != UIOMMU_EBUSY)
		fail_msg("%s: error %d (%s)", what, err, uiommu_strerror(err));
	broken = !uiommu_unit_info(f->machine.uiommu, 0, &info) && info.broken;
	if (err && err != UIOMMU_EBUSY && !broken)
		fail_msg("%s: error %d, but the unit is not broken", what, err);
	uiommu_stop(f->machine.uiommu);
	broken = !uiommu_unit_info(f->machine.uiommu, 0, &info) && info.broken;
	/* Whatever the unit still does goes to memory that is still there. */
	(void)reaches(f, other, iova, true);
	(void)reaches(f, alone, STACK_RESERVE, true);
	if (vtdm_mem_violations(f->machine.host->mem)) {
		user_violations(f->machine.host);
		fail_msg("%s: the unit reached memory that was freed", what);
	}
	uiommu_destroy(f->machine.uiommu);
	if (!broken && f->machine.host->pages)
		fail_msg("%s: %zu pages lost, but the unit is not broken", what,
			 f->machine.host->pages);
	assert_int_equal(f->machine.host->windows, 0);
	assert_int_equal(f->machine.host->locks, 0);
}

/* The unit dies at each of its register accesses in turn. */
static uint64_t unit_dies(struct fixture *f, enum vtdm_dead_mode mode,
			  bool queued, uint64_t at)
{
	uint64_t accesses;
	char what[64];
	int err;

	machine_describe(&f->machine);
	f->machine.config.units[0].model.qi = queued;
	f->machine.options.timeout_us = 200;
	machine_reserve(&f->machine, STACK_RESERVE,
			STACK_RESERVE + STACK_RESERVE_SIZE - 1, &alone, 1);
	machine_build(&f->machine);
	give_memory(f);
	vtdm_knobs(f->machine.host->units[0])->dead_mode = mode;
	vtdm_knobs(f->machine.host->units[0])->dead_at = at;
	snprintf(what, sizeof(what), "dead (%s, %s) at access %llu",
		 mode == VTDM_DEAD_ONES ? "ones" : "stale",
		 queued ? "queue" : "registers", (unsigned long long)at);
	err = machine_scan(&f->machine);
	if (!err)
		day_with_bad_unit(f, what);
	else if (f->machine.host->pages || f->machine.host->locks)
		fail_msg("%s: create left something", what);
	accesses = vtdm_stats(f->machine.host->units[0])->mmio;
	f->machine.host->windows = 0;
	take_memory(f);
	user_host_destroy(f->machine.host);
	return accesses;
}

static void test_unit_dies(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		enum vtdm_dead_mode mode = i % 2 ? VTDM_DEAD_ONES
						 : VTDM_DEAD_STALE;
		uint64_t all = unit_dies(f, mode, i < 2, 0);

		assert_true(all > 30);
		for (uint64_t at = 1; at <= all; at += 1 + at / 40)
			unit_dies(f, mode, i < 2, at);
	}
}

static void test_unit_hangs(void **state)
{
	struct fixture *f = *state;

	for (unsigned int bit = 1; bit <= VTDM_HANG_PMEN; bit <<= 1) {
		for (int queued = 0; queued < 2; queued++) {
			char what[32];

			machine_describe(&f->machine);
			f->machine.config.units[0].model.qi = queued;
			f->machine.config.units[0].model.rwbf = true;
			f->machine.options.timeout_us = 200;
			machine_build(&f->machine);
			give_memory(f);
			vtdm_knobs(f->machine.host->units[0])->hang = bit;
			assert_int_equal(machine_scan(&f->machine), UIOMMU_OK);
			snprintf(what, sizeof(what), "hang 0x%x, %s", bit,
				 queued ? "queue" : "registers");
			day_with_bad_unit(f, what);
			take_memory(f);
			user_host_destroy(f->machine.host);
		}
	}
}

/* After the loss of a unit: told once, refused from then on, memory kept. */
static void test_lost_in_use(void **state)
{
	struct fixture *f = *state;
	struct uiommu_device *device;
	uint64_t iova, next;

	f->machine.options.timeout_us = 200;
	bring_up(f);
	device = machine_driver(&f->machine, other);
	assert_int_equal(uiommu_dma_map(device, f->paddr, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	assert_true(reaches(f, other, iova, true));
	vtdm_knobs(f->machine.host->units[0])->hang = VTDM_HANG_QUEUE;
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096),
			 UIOMMU_ETIMEDOUT);
	assert_non_null(user_event(f->machine.host, UIOMMU_EVENT_UNIT_BROKEN));
	/* The stale entry is the reason why the address stays taken. */
	assert_true(reaches(f, other, iova, true));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(uiommu_dma_map(device, f->paddr, 4096,
						UIOMMU_DMA_BIDIRECTIONAL,
						&next),
				 UIOMMU_EIO);
	}
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_ENOENT);
	uiommu_stop(f->machine.uiommu);
	assert_int_equal(vtdm_mem_violations(f->machine.host->mem), 0);
	uiommu_destroy(f->machine.uiommu);
	take_memory(f);
	user_host_destroy(f->machine.host);
}

/* A storm of faults: bounded work, few words, others untouched. */
static void test_fault_storm(void **state)
{
	struct fixture *f = *state;
	struct vtdm_knobs *knobs;
	struct uiommu_device *device;
	uint64_t iova, found = 0, told;

	bring_up(f);
	device = machine_driver(&f->machine, alone);
	assert_int_equal(uiommu_dma_map(device, f->paddr, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	knobs = vtdm_knobs(f->machine.host->units[0]);
	knobs->storm_faults = 500;
	knobs->storm_sid = other.rid;
	knobs->storm_addr = 0x10000000;
	f->machine.host->event_count = 0;
	for (int i = 0; i < 100; i++) {
		user_tick(f->machine.host, 1000);
		found += uiommu_poll_faults(f->machine.uiommu);
		assert_true(reaches(f, alone, iova, true));
	}
	told = f->machine.host->event_count;
	assert_true(found >= 100);
	assert_true(told >= 1 && told <= 25); /* 10 faults, and overflows */
	knobs->storm_faults = 0;
	while (uiommu_poll_faults(f->machine.uiommu))
		;
	/* Later it is told again, with how many were not. */
	user_tick(f->machine.host, 6000000000ull);
	assert_false(reaches(f, other, 0x5000, true));
	assert_int_equal(uiommu_poll_faults(f->machine.uiommu), 1);
	assert_true(
		user_event(f->machine.host, UIOMMU_EVENT_FAULT)->suppressed >
		0);
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	take_down(f);
}

/* --- Every host call of the whole stack failing in turn --- */

static void test_host_failures(void **state)
{
	struct fixture *f = *state;
	struct uiommu_device *device;
	size_t pages;
	unsigned int nth;
	uint64_t iova;
	int err;

	machine_reserve(&f->machine, STACK_RESERVE,
			STACK_RESERVE + STACK_RESERVE_SIZE - 1, &alone, 1);
	machine_build(&f->machine);
	give_memory(f);
	for (nth = 1; nth < 1000; nth++) {
		user_fail_at(f->machine.host, nth);
		err = machine_scan(&f->machine);
		if (!err)
			break;
		assert_true(err == UIOMMU_ENOMEM || err == UIOMMU_ENODEV);
		assert_int_equal(f->machine.host->pages, 0);
		assert_int_equal(f->machine.host->windows, 0);
		assert_int_equal(f->machine.host->locks, 0);
	}
	pages = f->machine.host->pages;
	for (nth = 1; nth < 10000; nth++) {
		user_fail_at(f->machine.host, nth);
		err = uiommu_start(f->machine.uiommu);
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
		/* The driver's pools keep a page each until destroy. */
		assert_in_range(f->machine.host->pages, pages, pages + 3);
		assert_true(reaches(f, alone, STACK_RESERVE, true));
	}
	assert_true(nth > 40);
	user_fail_at(f->machine.host, 0);
	device = machine_driver(&f->machine, other);
	for (nth = 1; nth < 1000; nth++) {
		user_fail_at(f->machine.host, nth);
		err = uiommu_dma_map(device, f->paddr, 3 * MIB,
				     UIOMMU_DMA_BIDIRECTIONAL, &iova);
		if (!err)
			break;
		assert_int_equal(err, UIOMMU_ENOMEM);
	}
	user_fail_at(f->machine.host, 0);
	assert_true(reaches(f, other, iova + 3 * MIB - 1, true));
	take_down(f);
}

/* --- Several CPUs --- */

struct worker {
	struct fixture *f;
	pthread_t thread;
	struct uiommu_sid sid;
	unsigned int number;
	uint64_t wrong;
};

static void *worker_run(void *data)
{
	struct worker *w = data;
	struct uiommu_device *device = uiommu_device_find(w->f->machine.uiommu,
							  w->sid);
	uint64_t mine = w->f->paddr + w->number * MIB;

	for (unsigned int i = 0; i < 300; i++) {
		size_t size = 1 + i * 37 % 20000;
		uint64_t iova;

		if (uiommu_dma_map(device, mine + i, size,
				   UIOMMU_DMA_BIDIRECTIONAL, &iova)) {
			w->wrong++;
			continue;
		}
		w->wrong += !reaches(w->f, w->sid, iova, true);
		w->wrong += !reaches(w->f, w->sid, iova + size - 1, false);
		w->wrong += uiommu_dma_unmap(device, iova, size) != UIOMMU_OK;
	}
	return NULL;
}

/* Two threads on one device, two on another; no result depends on luck. */
static void test_threads(void **state)
{
	struct fixture *f = *state;
	struct worker workers[4];

	bring_up(f);
	machine_driver(&f->machine, other);
	machine_driver(&f->machine, alone);
	for (unsigned int i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .f = f,
					      .sid = i < 2 ? other : alone,
					      .number = i };
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						worker_run, &workers[i]),
				 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	take_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_large_after_small, set_up),
		cmocka_unit_test_setup(test_unaligned_invalidation, set_up),
		cmocka_unit_test_setup(test_unmap_across_tables, set_up),
		cmocka_unit_test_setup(test_empty_and_whole, set_up),
		cmocka_unit_test_setup(test_aliases, set_up),
		cmocka_unit_test_setup(test_unknown_requester, set_up),
		cmocka_unit_test_setup(test_ignored_unit, set_up),
		cmocka_unit_test_setup(test_two_units, set_up),
		cmocka_unit_test_setup(test_direct_never_lost, set_up),
		cmocka_unit_test_setup(test_unit_dies, set_up),
		cmocka_unit_test_setup(test_unit_hangs, set_up),
		cmocka_unit_test_setup(test_lost_in_use, set_up),
		cmocka_unit_test_setup(test_fault_storm, set_up),
		cmocka_unit_test_setup(test_host_failures, set_up),
		cmocka_unit_test_setup(test_threads, set_up),
	};

	return cmocka_run_group_tests_name("dma model", tests, NULL, NULL);
}
