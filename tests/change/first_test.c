// SPDX-License-Identifier: MIT
/*
 * Every way out of what another kernel left, with everything that it asks of
 * the host failing in turn: what was inherited goes on, or the device is where
 * the books say; nobody has an address that leads nowhere, nothing is lost, and
 * the next call succeeds. All others go on as if nothing had been. So it is
 * when no domain id is left; when the unit dies, nobody else notices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "first.h"

#define TURNS 500u

/* --- The host fails ------------------------------------------------------- */

static void check_failed(struct first *s, int err,
			 const struct first_held *before)
{
	struct first_held now;

	if (err != UIOMMU_ENOMEM && err != UIOMMU_ERANGE)
		fail_msg("%s: error %d", s->what, err);
	first_check(s);
	first_hold(s, &now);
	if (s->way->comes)
		now.waiting = before->waiting;
	if (memcmp(&now, before, sizeof(now)))
		fail_msg("%s: not as it was, or something lost", s->what);
	if (s->iova && s->iova != FIRST_NONE)
		fail_msg("%s: an address all the same", s->what);
}

/* The @nth call fails, and all after it if @on; false: there was none. */
static bool turn(struct first *s, uint64_t nth, bool on, size_t *pages)
{
	struct uiommu_host *host = s->t.machine.host;
	struct first_held before;
	bool hit;
	int err;

	first_hold(s, &before);
	if (on)
		user_fail_from(host, nth);
	else
		user_fail_at(host, nth);
	err = s->way->act(s);
	hit = nth && host->calls >= host->fail_first;
	user_fail_at(host, 0);
	if (err) {
		if (!hit)
			fail_msg("%s: error %d", s->what, err);
		check_failed(s, err, &before);
		first_must(s->way->act(s));
	} else if (hit && !s->way->partly) {
		fail_msg("%s: success", s->what);
	}
	s->lent = 1;
	first_check(s);
	old_watch(&s->t.old, false);
	old_flows(&s->t.old);
	if (!*pages)
		*pages = host->pages;
	else if ((err || !hit) && host->pages != *pages)
		fail_msg("%s: %zu pages, and without an error %zu", s->what,
			 host->pages, *pages);
	return hit;
}

static void test_sweep(void **state)
{
	const struct first_way *way = *state;
	static struct first s;
	uint64_t failed = 0;

	for (unsigned int i = 0; i < 2 * FIRST_KINDS; i++) {
		size_t pages = 0;
		uint64_t nth = 0;
		char what[64];
		bool hit = true;

		if (!(way->kinds & 1u << i / 2))
			continue;
		for (; hit || nth == 1; nth++) {
			snprintf(what, sizeof(what), "%s, host %u, call %u%s",
				 way->name, i / 2, (unsigned int)nth,
				 i & 1 ? " and all after it" : "");
			first_up(&s, way, i / 2);
			s.what = what;
			hit = turn(&s, nth, i & 1, &pages);
			first_down(&s);
			assert_true(nth < TURNS);
		}
		failed += nth - 2;
	}
	assert_int_equal(failed == 0, way->quiet);
}

/* --- The unit dies -------------------------------------------------------- */

/* Whoever was left alone goes on as it was, now and after the end. */
static void dead_down(struct first *s)
{
	struct inherit *t = &s->t;

	old_flows(&t->old);
	uiommu_stop(t->machine.uiommu);
	old_flows(&t->old);
	assert_int_equal(user_violations(t->machine.host), 0);
	if (s->region.bytes)
		vtdm_mem_free(t->machine.host->mem, s->region.bytes, 4096);
	inherit_down_broken(t);
}

/* At its access @nth from now; false: there was none. */
static bool dies(struct first *s, uint64_t nth, enum vtdm_dead_mode mode)
{
	struct vtdm_knobs *knobs = vtdm_knobs(s->t.old.unit);
	const struct first_way *way = s->way;
	int err;

	knobs->dead_at = s->t.stats->mmio + nth;
	knobs->dead_mode = mode;
	err = way->act(s);
	if (s->t.stats->mmio < knobs->dead_at) {
		first_must(err);
		knobs->dead_at = 0;
		old_watch(&s->t.old, false);
		return false;
	}
	if (err && !inherit_info(&s->t).broken)
		fail_msg("%s: error %d, and nothing is broken", s->what, err);
	if (way->comes && !(s->kind & FIRST_DIRECT))
		assert_false(
			inherit_reaches(&s->t, way->who, s->t.memory.paddr, 0));
	if (way->comes && err) {
		assert_true(!s->iova || s->iova == FIRST_NONE);
		assert_int_equal(way->act(s), UIOMMU_EPERM);
		assert_true(!s->iova || s->iova == FIRST_NONE);
	}
	return true;
}

static void test_dies(void **state)
{
	const struct first_way *way = *state;
	static struct first s;

	for (unsigned int i = 0; i < 2 * FIRST_KINDS; i++) {
		char what[64];
		uint64_t nth;

		if (!(way->kinds & 1u << i / 2))
			continue;
		for (nth = 1;; nth++) {
			snprintf(what, sizeof(what), "%s, host %u, access %u",
				 way->name, i / 2, (unsigned int)nth);
			first_up(&s, way, i / 2);
			s.what = what;
			if (!dies(&s, nth,
				  i & 1 ? VTDM_DEAD_ONES : VTDM_DEAD_STALE))
				break;
			dead_down(&s);
			assert_true(nth < TURNS);
		}
		first_down(&s);
	}
}

/* --- No domain id is left ------------------------------------------------- */

/* All but two of 16 are the old kernel's, and one of these is identity's. */
static void ids_up(struct first *s)
{
	struct inherit *t = &s->t;

	memset(s, 0, sizeof(*s));
	s->kind = FIRST_DIRECT;
	s->what = "no id";
	inherit_describe(t);
	t->machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	t->machine.config.units[0].model.nd = 0;
	inherit_old(t);
	for (unsigned int did = 1; did < 14; did++)
		old_pass(&t->old, (int)(0x400 + did), did);
	first_must(machine_scan(&t->machine));
	first_must(uiommu_start(t->machine.uiommu));
	t->machine.host->on_pause = first_pauses;
	old_watch(&t->old, true);
}

static int to_dma(struct first *s, enum inherit_who who)
{
	return uiommu_group_set_type(
		machine_group(&s->t.machine, inherit_sids[who]),
		UIOMMU_DOMAIN_DMA);
}

/* Twice, as the second one may go by what the first one left. */
static void check_no_id(struct first *s,
			int (*act)(struct first *s, enum inherit_who who),
			enum inherit_who who)
{
	struct first_held before, now;

	first_hold(s, &before);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(act(s, who), UIOMMU_ENOSPC);
		first_check(s);
		old_flows(&s->t.old);
		first_hold(s, &now);
		assert_memory_equal(&now, &before, sizeof(now));
	}
}

static int call(struct first *s, enum inherit_who who)
{
	int err;

	s->device = machine_device(&s->t.machine, inherit_sids[who]);
	err = first_map(s);
	if (err)
		assert_int_equal(s->iova, FIRST_NONE);
	return err;
}

/*
 * What cannot be entered is not entered, who waits to be asked for waits on,
 * and who does not is where it was. @first and @second share a group.
 */
static void no_id(enum inherit_who first, enum inherit_who second)
{
	static struct first s;
	struct inherit *t = &s.t;
	struct uiommu_device *drivers[3];

	ids_up(&s);
	first_must(to_dma(&s, OTHER));
	first_must(to_dma(&s, ALONE));
	inherit_over(t, OTHER);
	drivers[0] = machine_driver(&t->machine, MACHINE_OTHER);
	first_must(call(&s, OTHER));
	first_give_back(&s, drivers[0], OTHER, s.iova);
	drivers[1] = machine_driver(&t->machine, MACHINE_ALONE);
	check_no_id(&s, call, ALONE);
	inherit_over(t, first);
	drivers[2] = machine_driver(&t->machine, inherit_sids[first]);
	first_must(call(&s, first));
	first_give_back(&s, drivers[2], first, s.iova);
	check_no_id(&s, to_dma, second);
	assert_int_equal(uiommu_group_type(uiommu_device_group(drivers[2])),
			 UIOMMU_DOMAIN_IDENTITY);
	/* one is given back, and the next who asks has it */
	uiommu_device_unuse(drivers[0]);
	first_must(uiommu_group_set_type(uiommu_device_group(drivers[0]),
					 UIOMMU_DOMAIN_IDENTITY));
	inherit_over(t, ALONE);
	first_ask(&s, ALONE, drivers[1]);
	check_no_id(&s, to_dma, second);
	uiommu_device_unuse(drivers[2]);
	first_check(&s);
	inherit_down(t);
}

static void test_no_id(void **state)
{
	(void)state;
	no_id(PAIR0, PAIR1);
	no_id(PAIR1, PAIR0);
}

int main(void)
{
	struct CMUnitTest tests[2 * FIRST_WAYS + 1] = { cmocka_unit_test(
		test_no_id) };

	for (size_t i = 0; i < 2 * FIRST_WAYS; i++)
		tests[i + 1] = (struct CMUnitTest){
			.name = first_ways[i / 2].name,
			.test_func = i & 1 ? test_dies : test_sweep,
			.initial_state = (void *)(uintptr_t)&first_ways[i / 2],
		};
	return _cmocka_run_group_tests("change first", tests,
				       2 * FIRST_WAYS + 1, NULL, NULL);
}
