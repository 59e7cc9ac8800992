// SPDX-License-Identifier: MIT
/*
 * A unit that dies while something is attached elsewhere: whatever a member is
 * still in must not be destroyed, and whoever waits is told in bounded time.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/domain.h>

#include "core/object.h"
#include "machine.h"

struct move {
	struct machine machine;
	struct uiommu_group *group;
	struct uiommu_domain *from, *to;
};

static void move_begin(struct move *m)
{
	machine_describe(&m->machine);
	m->machine.options.timeout_us = 200;
	machine_build(&m->machine);
	assert_int_equal(machine_scan(&m->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(m->machine.uiommu), UIOMMU_OK);
	m->group = machine_group(&m->machine, MACHINE_PCI0);
	assert_int_equal(uiommu_domain_create(&m->group, 1, &m->from),
			 UIOMMU_OK);
	assert_int_equal(uiommu_domain_create(&m->group, 1, &m->to), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(m->group, m), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(m->group, m, m->from), UIOMMU_OK);
}

/* What a broken unit may still use is kept on purpose. */
static void move_end(struct move *m)
{
	uiommu_stop(m->machine.uiommu);
	uiommu_destroy(m->machine.uiommu);
	m->machine.host->pages = 0;
	m->machine.host->windows = 0;
	user_host_destroy(m->machine.host);
}

static unsigned int members_in(const struct move *m,
			       const struct uiommu_domain *domain)
{
	const struct uiommu_device *device;
	unsigned int in = 0;

	for (device = m->group->members; device; device = device->next)
		in += device->hw.domain == &domain->hw;
	return in;
}

static bool is_known(const struct move *m, const struct uiommu_domain *domain)
{
	const struct uiommu_domain *known = m->machine.uiommu->domains;

	while (known && known != domain)
		known = known->next;
	return known;
}

/* Nobody holds it any more; a member that is stuck in it does. */
static void check_put(struct move *m, struct uiommu_domain *domain, uint64_t at)
{
	unsigned int in = members_in(m, domain);

	assert_int_equal(uiommu_domain_put(m->machine.uiommu, domain),
			 UIOMMU_OK);
	if (in && !is_known(m, domain))
		fail_msg("dead at %llu: a domain with %u members is destroyed",
			 (unsigned long long)at, in);
}

static void test_unit_dies_in_a_move(void **state)
{
	static struct move m;
	unsigned int stuck = 0, blocked = 0;
	uint64_t at;
	int err;

	(void)state;
	for (at = 1;; at++) {
		struct vtdm *unit;

		move_begin(&m);
		unit = m.machine.host->units[0];
		vtdm_knobs(unit)->dead_mode = VTDM_DEAD_STALE;
		vtdm_knobs(unit)->dead_at = vtdm_stats(unit)->mmio + at;
		err = uiommu_group_attach(m.group, &m, m.to);
		if (err) {
			stuck += members_in(&m, m.from) + members_in(&m, m.to);
			blocked += uiommu_group_domain(m.group) ==
				   uiommu_blocked_domain(m.machine.uiommu);
			check_put(&m, m.to, at);
			check_put(&m, m.from, at);
		}
		move_end(&m);
		if (!err)
			break;
	}
	assert_true(at > 2);
	assert_true(stuck > 0);
	assert_true(blocked > 0); /* in the books: nobody goes back */
}

/* --- It dies in any other change --- */

static int die_to_identity(struct move *m)
{
	return uiommu_group_set_type(m->group, UIOMMU_DOMAIN_IDENTITY);
}

static int die_to_dma(struct move *m)
{
	return uiommu_group_set_type(m->group, UIOMMU_DOMAIN_DMA);
}

static int die_claim(struct move *m)
{
	return uiommu_group_claim(m->group, m);
}

static int die_release(struct move *m)
{
	return uiommu_group_release(m->group, m);
}

static int die_remove(struct move *m)
{
	return uiommu_remove_device(machine_device(&m->machine, MACHINE_PORT));
}

static int die_add(struct move *m)
{
	return uiommu_add_pci(m->machine.uiommu, 0, 0, 15);
}

static int die_sink(struct move *m)
{
	return uiommu_group_detach(m->group, m);
}

static int die_reset(struct move *m)
{
	struct uiommu_device *device = uiommu_device_find(m->machine.uiommu,
							  MACHINE_PCI1);
	int err = device ? uiommu_device_reset_begin(device) : UIOMMU_ENOENT;

	return err ? err : uiommu_device_reset_end(device);
}

static const struct death {
	const char *name;
	int (*act)(struct move *m);
	bool owned;    /* by us, when it begins */
	bool identity; /* in it */
	bool gone;     /* the bus is, but for what is to come */
} deaths[] = {
	{ "to identity", die_to_identity, false, false, false },
	{ "to DMA", die_to_dma, false, true, false },
	{ "claim", die_claim, false, false, false },
	{ "release", die_release, true, false, false },
	{ "remove", die_remove, false, false, false },
	{ "add", die_add, false, false, true },
	{ "detach to a sink", die_sink, true, false, false },
	{ "reset", die_reset, false, false, false },
};

#define DEATHS (sizeof(deaths) / sizeof(deaths[0]))

static void death_begin(struct move *m, const struct death *death, bool queued)
{
	machine_describe(&m->machine);
	m->machine.options.timeout_us = 200;
	/* Else it is not told of an entry that was not there. */
	m->machine.config.units[0].model.cm = death->gone;
	m->machine.config.units[0].model.qi = queued;
	machine_build(&m->machine);
	assert_int_equal(machine_scan(&m->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(m->machine.uiommu), UIOMMU_OK);
	m->group = machine_group(&m->machine, MACHINE_PCI0);
	if (death->act == die_sink)
		assert_int_equal(uiommu_group_set_sink(m->group, true),
				 UIOMMU_OK);
	if (death->identity)
		assert_int_equal(die_to_identity(m), UIOMMU_OK);
	if (death->gone)
		assert_int_equal(die_remove(m), UIOMMU_OK);
	if (!death->owned)
		return;
	assert_int_equal(uiommu_domain_create(&m->group, 1, &m->to), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(m->group, m), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(m->group, m, m->to), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(m->machine.uiommu, m->to),
			 UIOMMU_OK);
}

/* What the dead unit goes on walking is memory that is still there. */
static void check_walks(struct move *m, const char *what, uint64_t at)
{
	static const struct uiommu_sid sids[] = { MACHINE_PCI0, MACHINE_PCI1,
						  MACHINE_ALIAS,
						  MACHINE_OTHER };
	uint8_t byte;

	for (int i = 0; i < 4; i++)
		(void)user_dma(m->machine.host, sids[i], 0x123000, false, &byte,
			       1);
	if (vtdm_mem_violations(m->machine.host->mem))
		fail_msg("%s, dead at %llu: it reached memory that was freed",
			 what, (unsigned long long)at);
}

/* At its access number @at; false if there were not so many. */
static bool die_at(const struct death *death, bool queued, uint64_t at)
{
	static struct move m;
	uint64_t before;
	struct vtdm *unit;
	bool hit;

	death_begin(&m, death, queued);
	unit = m.machine.host->units[0];
	before = m.machine.host->now;
	vtdm_knobs(unit)->dead_mode = VTDM_DEAD_ONES;
	vtdm_knobs(unit)->dead_at = vtdm_stats(unit)->mmio + at;
	(void)!death->act(&m);
	hit = vtdm_stats(unit)->mmio >= vtdm_knobs(unit)->dead_at;
	/* R80: nothing waits for long. */
	assert_true(m.machine.host->now - before < 100000000);
	check_walks(&m, death->name, at);
	/* The next is told, too, and at once. */
	(void)!die_reset(&m);
	(void)!die_add(&m);
	check_walks(&m, death->name, at);
	uiommu_stop(m.machine.uiommu);
	check_walks(&m, death->name, at);
	move_end(&m);
	return hit;
}

static void test_unit_dies_in(void **state)
{
	const struct death *death = *state;

	for (int queued = 0; queued < 2; queued++) {
		uint64_t at = 1;

		while (die_at(death, queued, at))
			at++;
		assert_true(at > 1);
	}
}

int main(void)
{
	struct CMUnitTest tests[DEATHS + 1] = {
		cmocka_unit_test(test_unit_dies_in_a_move),
	};

	for (size_t i = 0; i < DEATHS; i++)
		tests[i + 1] = (struct CMUnitTest){
			.name = deaths[i].name,
			.test_func = test_unit_dies_in,
			.initial_state = (void *)(uintptr_t)&deaths[i],
		};
	return _cmocka_run_group_tests("dma lost", tests, DEATHS + 1, NULL,
				       NULL);
}
