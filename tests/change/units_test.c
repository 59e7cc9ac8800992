// SPDX-License-Identifier: MIT
/*
 * Several units sleep and wake up while some devices are where their drivers
 * asked for them and others still in another kernel's address spaces: nothing
 * changes for anybody, or only behind the unit that does not come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/dma.h>

#include "core/object.h"
#include "units.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"

static struct units world;
static struct units_picture before;

/* Which of the devices are asked for before the machine sleeps. */
static const enum inherit_who early[] = { OTHER, PAIR0, PCI0 };
static const enum inherit_who late[] = { NVME, PAIR1, PCI1, ALONE, USB };
#define EARLY (sizeof(early) / sizeof(early[0]))
#define LATE (sizeof(late) / sizeof(late[0]))

static struct units *up(const struct units_kind *kind, unsigned int off)
{
	units_describe(&world, kind);
	for (unsigned int i = 0; i < USER_UNITS; i++)
		if (off & 1u << i)
			world.found[i] = false;
	units_up(&world);
	for (size_t i = 0; i < EARLY; i++)
		units_ask(&world, early[i]);
	return &world;
}

/* Without the mutex, and without any call that may fail. */
static int quietly(struct units *t, int (*op)(struct uiommu *uiommu))
{
	struct uiommu *uiommu = t->machine.uiommu;
	unsigned long mutex = uiommu_host_lock_acquire(uiommu->mutex);
	uint64_t calls = t->machine.host->calls;
	int err = op(uiommu);

	uiommu_host_lock_release(uiommu->mutex, mutex);
	assert_int_equal(t->machine.host->calls, calls);
	return err;
}

static bool left_alone(const struct units *t, enum inherit_who who)
{
	return t->other[t->home[who]];
}

/* Each of them moves when it is asked for, once and alone. */
static void ask_late(struct units *t, int but)
{
	for (size_t i = 0; i < LATE; i++)
		if ((int)t->home[late[i]] != but && !left_alone(t, late[i]))
			units_ask(t, late[i]);
}

static struct vtd_unit *driver_unit(struct units *t, unsigned int unit)
{
	struct vtd_driver *driver = (struct vtd_driver *)
					    t->machine.uiommu->driver;
	struct vtd_unit *u;

	for (u = driver->units; u; u = u->next)
		if (u->base == t->machine.config.units[unit].base)
			return u;
	fail_msg("no unit %u", unit);
	return NULL;
}

/* Graphics keep their translation over a stop, and so what it takes. */
static void down(struct units *t)
{
	assert_int_equal(user_violations(t->machine.host), 0);
	if (t->other[1])
		units_down(t);
	else
		assert_true(units_down_keeping(t) > 0);
}

/* --- As it was ------------------------------------------------------------ */

/* Graphics: on, or left on. */
static bool stays_on(const struct units *t)
{
	return !t->other[1] || t->found[1];
}

/* Asleep all is physical, but for who would hang without. */
static void check_asleep(struct units *t)
{
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		assert_int_equal(
			units_reaches(t, who, t->memory[who].paddr, who),
			t->home[who] != 1 || !stays_on(t));
	assert_int_equal(vtdm_stats(units_model(t, 1))->te_off, 0);
	if (stays_on(t))
		assert_int_equal(units_lands(t, ALONE),
				 t->found[1] && !t->drivers[ALONE]);
}

/*
 * What is left alone has what it had until its power goes, and nobody gives
 * that back to it.
 */
static void sleep_and_wake(struct units *t, bool power)
{
	bool forgets = power && t->other[1] && t->found[1];

	units_look(t, &before);
	assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
	check_asleep(t);
	if (power)
		units_lose_power(t);
	assert_int_equal(quietly(t, uiommu_resume), UIOMMU_OK);
	units_compare(t, &before, forgets ? 1 : -1);
	units_flows(t);
}

/* All found on, or one of them off. */
static void test_as_before(void **state)
{
	static const unsigned int offs[] = { 0, 1, 2, 4, 8, 9 };

	(void)state;
	for (size_t k = 0; k < UNITS_KINDS * 6; k++) {
		struct units *t = up(&units_kinds[k / 6], offs[k % 6]);

		sleep_and_wake(t, false);
		sleep_and_wake(t, true);
		t->found[1] = t->found[1] && !t->other[1];
		ask_late(t, -1);
		sleep_and_wake(t, true);
		sleep_and_wake(t, false);
		down(t);
	}
}

/*
 * Firmware turns on a unit that nobody uses: it goes off again, unless that
 * would hang it.
 */
static void test_other_on(void **state)
{
	(void)state;
	for (size_t k = 2; k < UNITS_KINDS; k++) {
		struct units *t = up(&units_kinds[k], 2);
		unsigned int other = t->other[1] ? 1 : 2;

		units_look(t, &before);
		assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
		units_lose_power(t);
		old_on(&t->olds[other]);
		assert_int_equal(quietly(t, uiommu_resume), UIOMMU_OK);
		assert_int_equal(vtdm_read32(units_model(t, other), OLD_GSTS) &
					 OLD_TE,
				 other == 1 ? OLD_TE : 0);
		units_compare(t, &before, (int)other);
		units_flows(t);
		down(t);
	}
}

/* A queue of which half is done; the others sleep as they do. */
static void half_full(struct units *t, unsigned int unit)
{
	const struct vtdm_stats *stats = vtdm_stats(units_model(t, unit));
	struct vtd_unit *u = driver_unit(t, unit);
	struct vtd_ticket ticket;
	struct vtd_desc descs[8];
	uint64_t done;

	for (unsigned int i = 0; i < 8; i++)
		descs[i] = uiommu_vtd_iotlb_domain(&u->caps, 2);
	vtdm_knobs(units_model(t, unit))->queue_ticks = 50;
	done = stats->iotlb_domain;
	for (unsigned int i = 0; i < 14; i++)
		assert_int_equal(uiommu_vtd_submit(u, descs, 8, &ticket), 0);
	assert_int_equal(stats->iotlb_domain, done);
	assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
	assert_int_equal(stats->iotlb_domain - done, 112);
	assert_int_equal(uiommu_vtd_wait(u, &ticket), 0);
	vtdm_knobs(units_model(t, unit))->queue_ticks = 0;
}

/* All is as it was when it was looked at; who has not asked yet may, now. */
static void same_and_down(struct units *t)
{
	units_compare(t, &before, -1);
	units_flows(t);
	ask_late(t, -1);
	down(t);
}

static void test_half_full(void **state)
{
	static const unsigned int queued[] = { 0, 1, 3 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct units *t = up(&units_kinds[i / 3], 0);

		units_look(t, &before);
		half_full(t, queued[i % 3]);
		units_lose_power(t);
		assert_int_equal(quietly(t, uiommu_resume), UIOMMU_OK);
		same_and_down(t);
	}
}

/* Who waits, refused, to be asked for waits after it. */
static void test_withheld(void **state)
{
	(void)state;
	for (size_t k = 0; k < UNITS_KINDS; k++) {
		struct units *t = &world;

		units_describe(t, &units_kinds[k]);
		t->machine.options.takeover_block = true;
		t->damaged[0] = t->damaged[3] = true;
		units_up(t);
		units_ask(t, OTHER);
		units_ask(t, PCI0);
		for (int power = 0; power < 2; power++) {
			sleep_and_wake(t, power);
			assert_false(units_lands(t, NVME));
			assert_false(units_lands(t, PCI1));
		}
		t->found[1] = t->found[1] && !t->other[1];
		ask_late(t, -1);
		sleep_and_wake(t, true);
		down(t);
	}
}

/*
 * Nobody is to ask now. Who does is told so, if that would move the device,
 * and no unit is bothered.
 */
static void test_asked_asleep(void **state)
{
	static const enum inherit_who whose[] = { PAIR1, ALONE, USB };
	const uint64_t none = 0x1234567;
	struct units *t = up(&units_kinds[0], 0);

	(void)state;
	units_look(t, &before);
	assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
	for (unsigned int i = 0; i < 3; i++) {
		enum inherit_who who = whose[i];
		struct uiommu_device *device = machine_driver(
			&t->machine, inherit_sids[who]);
		const struct vtdm_stats *stats = vtdm_stats(
			units_model(t, t->home[who]));
		uint64_t iova = none, accesses = stats->mmio;

		assert_int_equal(uiommu_dma_map(device, t->memory[who].paddr,
						4096, UIOMMU_DMA_BIDIRECTIONAL,
						&iova),
				 UIOMMU_EBUSY);
		assert_int_equal(iova, none);
		assert_int_equal(stats->mmio, accesses);
		uiommu_device_unuse(device);
	}
	units_lose_power(t);
	assert_int_equal(quietly(t, uiommu_resume), UIOMMU_OK);
	same_and_down(t);
}

/* Stopped asleep: nobody is left behind, of what is ours. */
static void test_stopped_asleep(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * UNITS_KINDS; i++) {
		struct units *t = up(&units_kinds[i / 2], 0);

		assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
		if (i % 2)
			units_lose_power(t);
		down(t);
	}
}

/* --- One that does not come back ------------------------------------------ */

/* Who is behind it gets nowhere, asked for or not, and no address. */
static void check_lost(struct units *t, enum inherit_who who)
{
	struct uiommu_device *device = machine_device(&t->machine,
						      inherit_sids[who]);
	const struct uiommu_domain *blocked = uiommu_blocked_domain(
		t->machine.uiommu);
	const uint64_t none = 0x1234567;
	uint64_t iova = none;

	assert_ptr_equal(uiommu_device_domain(device), blocked);
	assert_ptr_equal(uiommu_group_domain(uiommu_device_group(device)),
			 blocked);
	if (!t->drivers[who])
		assert_int_equal(uiommu_device_use(device), UIOMMU_EIO);
	assert_true(uiommu_dma_map(device, t->memory[who].paddr, 4096,
				   UIOMMU_DMA_BIDIRECTIONAL, &iova) < 0);
	assert_int_equal(iova, none);
}

static void check_all_lost(struct units *t, unsigned int unit)
{
	t->lost[unit] = true;
	assert_true(units_info(t, unit).broken);
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if (t->home[who] == unit && who != ALIAS)
			check_lost(t, who);
}

/* A driver has the device, and did not come to its first call. */
static void use_late(struct units *t)
{
	t->drivers[PAIR1] = machine_driver(&t->machine, MACHINE_PAIR1);
}

/* All ones from the loss of power on. */
static void test_dead(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * USER_UNITS; i++) {
		struct units *t = up(&units_kinds[i / USER_UNITS], 0);
		unsigned int dead = i % USER_UNITS;

		if (dead == 2)
			use_late(t);
		units_look(t, &before);
		assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
		units_lose_power(t);
		vtdm_knobs(units_model(t, dead))->dead_mode = VTDM_DEAD_ONES;
		vtdm_knobs(units_model(t, dead))->dead_at = 1;
		assert_int_equal(uiommu_resume(t->machine.uiommu), UIOMMU_EIO);
		check_all_lost(t, dead);
		units_compare(t, &before, (int)dead);
		ask_late(t, (int)dead);
		assert_int_equal(user_violations(t->machine.host), 0);
		assert_true(units_down_keeping(t) > 0);
	}
}

/* It comes back and hangs: it refuses everything, for whoever is behind it. */
static void test_hangs(void **state)
{
	static const unsigned int queued[] = { 0, 1, 3 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct units *t = up(&units_kinds[i / 3], 0);
		unsigned int dead = queued[i % 3];

		units_look(t, &before);
		assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
		units_lose_power(t);
		vtdm_knobs(units_model(t, dead))->hang = VTDM_HANG_QUEUE;
		assert_int_equal(uiommu_resume(t->machine.uiommu),
				 t->rig.config.units[dead].model.esrtps
					 ? UIOMMU_OK
					 : UIOMMU_ETIMEDOUT);
		if (!units_info(t, dead).broken) {
			/* its root pointer needs no queue */
			assert_true(t->rig.config.units[dead].model.esrtps);
			dead = USER_UNITS;
		} else {
			check_all_lost(t, dead);
		}
		for (int who = 0; who < INHERIT_ENTRIES; who++) {
			if (t->home[who] != dead)
				continue;
			assert_false(units_lands(t, who));
			assert_false(units_reaches(t, who, t->memory[who].paddr,
						   who));
		}
		units_compare(t, &before, (int)dead);
		(void)units_down_keeping(t);
	}
}

/* --- The end -------------------------------------------------------------- */

/* A kernel that crashes itself leaves what it inherited, and what it made. */
static void test_crash(void **state)
{
	(void)state;
	for (size_t k = 0; k < UNITS_KINDS; k++) {
		struct units *t = up(&units_kinds[k], 0);
		uint64_t writes[USER_UNITS];

		units_look(t, &before);
		for (unsigned int i = 0; i < USER_UNITS; i++)
			writes[i] = vtdm_stats(units_model(t, i))->mmio_writes;
		uiommu_shutdown(t->machine.uiommu, true);
		/* fault interrupts are masked */
		for (unsigned int i = 0; i < USER_UNITS; i++)
			assert_in_range(
				vtdm_stats(units_model(t, i))->mmio_writes -
					writes[i],
				0, 1);
		same_and_down(t);
	}
}

/* Off, whether it was asleep or not, but for what would hang. */
static void test_shutdown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * UNITS_KINDS; i++) {
		struct units *t = up(&units_kinds[i / 2], 0);

		if (i % 2)
			assert_int_equal(quietly(t, uiommu_suspend), UIOMMU_OK);
		for (unsigned int unit = 0; unit < USER_UNITS; unit++)
			vtdm_write32(units_model(t, unit), 0x64, 0x80000000u);
		uiommu_shutdown(t->machine.uiommu, false);
		for (unsigned int unit = 0; unit < USER_UNITS; unit++)
			assert_int_equal(
				vtdm_read32(units_model(t, unit), 0x64), 0);
		check_asleep(t);
		assert_int_equal(user_violations(t->machine.host), 0);
		(void)units_down_keeping(t);
	}
}

/* --- At every access ------------------------------------------------------ */

/* What a unit takes with it that breaks while it does nothing. */
static size_t kept_by(const struct units_kind *kind, unsigned int unit)
{
	struct units *t = up(kind, 0);

	uiommu_vtd_unit_break(driver_unit(t, unit), "as a test");
	t->lost[unit] = true;
	ask_late(t, (int)unit);
	return units_down_keeping(t);
}

struct sweep {
	const struct units_kind *kind;
	unsigned int unit;
	enum vtdm_dead_mode mode;
	bool power; /* it loses it, as the others do */
	size_t kept;
	unsigned int broke, unseen;
};

/* Suspend and resume, the unit dying at access @at; false: there was none. */
static bool dies_at(struct units *t, const struct sweep *s, uint64_t at)
{
	const struct vtdm_stats *stats = vtdm_stats(units_model(t, s->unit));
	struct vtdm_knobs *knobs = vtdm_knobs(units_model(t, s->unit));
	int asleep, awake;

	knobs->dead_at = stats->mmio + at;
	knobs->dead_mode = s->mode;
	asleep = quietly(t, uiommu_suspend);
	for (unsigned int i = 0; i < USER_UNITS; i++)
		if (i != s->unit || s->power)
			vtdm_reset(units_model(t, i));
	awake = quietly(t, uiommu_resume);
	if (stats->mmio < knobs->dead_at) {
		assert_int_equal(asleep, UIOMMU_OK);
		assert_int_equal(awake, UIOMMU_OK);
		knobs->dead_at = 0;
		return false;
	}
	assert_int_equal(asleep || awake, units_info(t, s->unit).broken);
	return true;
}

/* Its tables are its own, as long as it may walk them. */
static void check_kept(struct units *t, unsigned int unit, size_t kept)
{
	struct vtd_unit *u = driver_unit(t, unit);
	struct vtdm_mem *mem = t->machine.host->mem;
	struct uiommu_host *host = t->machine.host;
	const void *root = u->root;
	uint64_t paddr;
	size_t pages;

	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if (t->drivers[who])
			uiommu_device_unuse(t->drivers[who]);
	uiommu_stop(t->machine.uiommu);
	assert_true(vtdm_mem_paddr(mem, root, &paddr));
	/* whatever it walks, it is not somebody else's by now */
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		(void)units_lands(t, who);
	assert_int_equal(vtdm_mem_violations(mem), 0);
	uiommu_destroy(t->machine.uiommu);
	pages = host->pages;
	user_host_destroy(host);
	assert_int_equal(pages, kept);
}

static bool sweep_step(struct sweep *s, uint64_t at)
{
	struct units *t = up(s->kind, 0);
	int unit = (int)s->unit;
	bool died;

	units_look(t, &before);
	died = dies_at(t, s, at);
	units_compare(t, &before, died ? unit : -1);
	t->lost[unit] = died;
	ask_late(t, died ? unit : -1);
	if (!units_info(t, s->unit).broken) {
		s->unseen += died;
		(void)units_down_keeping(t);
		return died;
	}
	s->broke++;
	/* All ones is no answer: only who asks no more may miss it. */
	if (s->mode == VTDM_DEAD_ONES)
		assert_int_equal(s->unseen, 0);
	check_all_lost(t, s->unit);
	check_kept(t, s->unit, s->kept);
	return true;
}

static void test_sweep(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8 * USER_UNITS; i++) {
		struct sweep s = {
			.kind = &units_kinds[i / (4 * USER_UNITS)],
			.unit = i / 4 % USER_UNITS,
			.mode = i & 1 ? VTDM_DEAD_ONES : VTDM_DEAD_STALE,
			.power = i & 2,
		};
		uint64_t at = 1;

		s.kept = kept_by(s.kind, s.unit);
		while (sweep_step(&s, at))
			at++;
		assert_true(s.broke > 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_before),
		cmocka_unit_test(test_other_on),
		cmocka_unit_test(test_half_full),
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_asked_asleep),
		cmocka_unit_test(test_stopped_asleep),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests_name("change units", tests, NULL, NULL);
}
