// SPDX-License-Identifier: MIT
/*
 * A start that fails on a machine of several units, some translating, some
 * not: each is left as it was found, and the next start finds it so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/dma.h>

#include "units.h"

static struct units world;

/* What becomes of each unit that was found on; all others are off. */
enum fate {
	OFF,
	ADOPTED,
	WITHHELD, /* damaged: its devices are refused until asked for */
	STAYS,	  /* reset, and must not be turned off */
	RESET,
};

static const struct variant {
	enum uiommu_takeover takeover;
	bool block;
	enum fate fates[USER_UNITS];
} variants[] = {
	{ UIOMMU_TAKEOVER_ADOPT, true, { OFF, ADOPTED, WITHHELD, ADOPTED } },
	{ UIOMMU_TAKEOVER_ADOPT, true, { ADOPTED, WITHHELD, OFF, WITHHELD } },
	{ UIOMMU_TAKEOVER_ADOPT, false, { OFF, STAYS, ADOPTED, RESET } },
	{ UIOMMU_TAKEOVER_RESET, false, { RESET, STAYS, OFF, RESET } },
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static struct units *begin(const struct variant *v, unsigned int kind)
{
	struct units *t = &world;

	units_describe(t, &units_kinds[kind]);
	t->machine.options.takeover = v->takeover;
	t->machine.options.takeover_block = v->block;
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		t->found[i] = v->fates[i] != OFF;
		t->damaged[i] = v->fates[i] != OFF && v->fates[i] != ADOPTED;
	}
	units_build(t);
	assert_int_equal(machine_scan(&t->machine), UIOMMU_OK);
	return t;
}

static bool is_on(const struct units *t, unsigned int unit)
{
	return vtdm_read32(units_model(t, unit), OLD_GSTS) & OLD_TE;
}

/* It translates by the tables that were found, or is off. */
static void check_device(struct units *t, enum inherit_who who)
{
	bool on = is_on(t, t->home[who]);

	if (on)
		assert_true(units_lands(t, who));
	assert_int_equal(units_reaches(t, who, t->memory[who].paddr, who),
			 !on || (who == USB && t->found[t->home[who]]));
}

/* As it was found, unless it was to be reset; @but one that broke. */
static void check_failed(struct units *t, const struct variant *v, int but)
{
	for (int i = 0; i < (int)USER_UNITS; i++) {
		enum fate fate = v->fates[i];

		if (i == but)
			continue;
		if (fate == OFF) {
			assert_false(is_on(t, (unsigned int)i));
		} else if (fate != RESET) {
			assert_true(is_on(t, (unsigned int)i));
			assert_int_equal(
				vtdm_stats(units_model(t, (unsigned int)i))
					->te_off,
				0);
		}
	}
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if ((int)t->home[who] != but)
			check_device(t, who);
}

/* Who is adopted goes on; who is not gets nowhere until it is asked for. */
static void check_started(struct units *t, const struct variant *v)
{
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		struct uiommu_unit_info info = units_info(t, i);

		/* not to be used: off, unless that would hang it */
		if (t->other[i]) {
			assert_int_equal(is_on(t, i), i == 1 && t->found[i]);
			continue;
		}
		assert_true(info.translating && !info.broken);
		assert_int_equal(info.adopted, v->fates[i] == ADOPTED);
		/* one that went off on the way was found off the second time */
		if (v->fates[i] == ADOPTED || v->fates[i] == WITHHELD)
			assert_int_equal(vtdm_stats(units_model(t, i))->te_off,
					 0);
	}
	for (int who = 0; who < INHERIT_ENTRIES; who++) {
		if (t->other[t->home[who]])
			continue;
		assert_int_equal(units_lands(t, who),
				 v->fates[t->home[who]] == ADOPTED);
		assert_false(units_reaches(t, who, t->memory[who].paddr, who) &&
			     !(who == USB && v->fates[0] == ADOPTED));
	}
}

/* Its driver asks; it is where that wants it. */
static void ask(struct units *t, enum inherit_who who)
{
	struct uiommu_device *device = machine_driver(&t->machine,
						      inherit_sids[who]);
	uint64_t iova;

	assert_int_equal(uiommu_dma_map(device, t->memory[who].paddr, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	assert_true(units_reaches(t, who, iova, who));
	assert_false(units_lands(t, who));
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	assert_false(units_reaches(t, who, iova, who));
	uiommu_device_unuse(device);
}

static void end(struct units *t)
{
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if (who != ALIAS && !t->other[t->home[who]])
			ask(t, who);
	assert_int_equal(user_violations(t->machine.host), 0);
	(void)units_down_keeping(t);
}

/* --- The host refuses ----------------------------------------------------- */

struct failing {
	const struct variant *variant;
	unsigned int kind;
	bool all; /* that follow */
	unsigned int failed;
};

static int start_failing(struct units *t, const struct failing *f, uint64_t nth)
{
	int err;

	if (f->all)
		user_fail_from(t->machine.host, nth);
	else
		user_fail_at(t->machine.host, nth);
	err = uiommu_start(t->machine.uiommu);
	user_fail_at(t->machine.host, 0);
	return err;
}

/* Nobody tries again: nothing is left behind, and all is as it was found. */
static void give_up(struct failing *f, uint64_t nth)
{
	struct units *t = begin(f->variant, f->kind);
	struct uiommu_host *host = t->machine.host;

	assert_int_equal(start_failing(t, f, nth), UIOMMU_ENOMEM);
	check_failed(t, f->variant, -1);
	uiommu_destroy(t->machine.uiommu);
	check_failed(t, f->variant, -1);
	assert_int_equal(user_violations(host), 0);
	assert_int_equal(host->pages, 0);
	user_host_destroy(host);
}

/* Call @nth, or all from there on, fail; true if there was none. */
static bool host_fails(struct failing *f, uint64_t nth)
{
	struct units *t = begin(f->variant, f->kind);
	uint64_t calls = t->machine.host->calls;
	int err = start_failing(t, f, nth);

	calls = t->machine.host->calls - calls;
	if (err) {
		f->failed++;
		assert_int_equal(err, UIOMMU_ENOMEM);
		check_failed(t, f->variant, -1);
		assert_int_equal(user_violations(t->machine.host), 0);
		assert_int_equal(uiommu_start(t->machine.uiommu), UIOMMU_OK);
	}
	/* tables that could not be read are a reason not to adopt them */
	if (err || calls < nth)
		check_started(t, f->variant);
	end(t);
	if (err)
		give_up(f, nth);
	return calls < nth;
}

static void host_fails_each(size_t variant, unsigned int kind, bool all)
{
	struct failing f = { .variant = &variants[variant],
			     .kind = kind,
			     .all = all };
	uint64_t nth = 1;

	while (!host_fails(&f, nth))
		nth++;
	assert_true(f.failed > 50);
}

static void test_host_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < VARIANTS; i++)
		for (unsigned int kind = 0; kind < UNITS_KINDS; kind++)
			host_fails_each(i, kind, false);
}

/*
 * All that follow fail, too. Tables that cannot be read are as damaged ones:
 * where those are to be refused, nothing is turned off.
 */
static void test_host_fails_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (unsigned int kind = 0; kind < UNITS_KINDS; kind++)
			host_fails_each(i, kind, true);
}

/* --- A unit refuses ------------------------------------------------------- */

/* One hangs: the others are as they were, and stay so. */
static void test_hangs(void **state)
{
	static const unsigned int hangs[] = { VTDM_HANG_QIE, VTDM_HANG_SRTP,
					      VTDM_HANG_TE };

	(void)state;
	for (unsigned int i = 0; i < VARIANTS * 2 * 3; i++) {
		const struct variant *v = &variants[i / 6];
		struct units *t = begin(v, i / 3 % 2);
		int off = v->fates[0] == OFF ? 0 : 2;

		/* units without a queue cannot hang in it */
		if (v->fates[off] != OFF ||
		    (off == 2 && hangs[i % 3] == VTDM_HANG_QIE)) {
			assert_int_equal(uiommu_start(t->machine.uiommu), 0);
			end(t);
			continue;
		}
		vtdm_knobs(units_model(t, (unsigned int)off))->hang =
			hangs[i % 3];
		assert_int_equal(uiommu_start(t->machine.uiommu),
				 UIOMMU_ETIMEDOUT);
		check_failed(t, v, off);
		assert_int_equal(uiommu_start(t->machine.uiommu), UIOMMU_EIO);
		check_failed(t, v, off);
		uiommu_destroy(t->machine.uiommu);
		check_failed(t, v, off);
		assert_int_equal(user_violations(t->machine.host), 0);
		user_host_destroy(t->machine.host);
	}
}

/* A unit dies at access @nth of the start; true if there was none. */
static bool dies_at(const struct variant *v, unsigned int unit, uint64_t nth,
		    enum vtdm_dead_mode mode)
{
	struct units *t = begin(v, 0);
	const struct vtdm_stats *stats = vtdm_stats(units_model(t, unit));
	struct vtdm_knobs *knobs = vtdm_knobs(units_model(t, unit));
	bool over;
	int err;

	knobs->dead_at = stats->mmio + nth;
	knobs->dead_mode = mode;
	err = uiommu_start(t->machine.uiommu);
	over = stats->mmio < knobs->dead_at;
	if (over)
		assert_int_equal(err, UIOMMU_OK);
	if (err)
		check_failed(t, v, (int)unit);
	/* by the tables that were found or by copies */
	if (v->fates[unit] == ADOPTED)
		for (int who = 0; who < INHERIT_ENTRIES; who++)
			if (t->home[who] == unit)
				assert_true(units_lands(t, who));
	(void)units_down_keeping(t);
	return over;
}

static void test_unit_dies(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < VARIANTS * USER_UNITS * 2; i++) {
		uint64_t nth = 1;

		while (!dies_at(&variants[i / 8], i / 2 % USER_UNITS, nth,
				i & 1 ? VTDM_DEAD_ONES : VTDM_DEAD_STALE))
			nth++;
		assert_true(nth > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_fails),
		cmocka_unit_test(test_host_fails_all),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_unit_dies),
	};

	return cmocka_run_group_tests_name("change units start", tests, NULL,
					   NULL);
}
