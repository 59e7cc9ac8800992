// SPDX-License-Identifier: MIT
/*
 * A unit that translates already and is not simply adopted: tables that cannot
 * be; other policies; and everything that may fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "world.h"

static const int just_a[] = { 0x10, -1 };

/* --- Not to be adopted ---------------------------------------------------- */

static void make_scalable(struct old *old)
{
	vtdm_write64(old->unit, OLD_RTADDR, old->root_paddr | 1u << 10);
	vtdm_violations_clear(old->unit);
}

static void make_reserved(struct old *old)
{
	vtdm_write64(old->unit, OLD_RTADDR, old->root_paddr | 3u << 10);
	vtdm_violations_clear(old->unit);
}

static void make_root_gone(struct old *old)
{
	vtdm_write64(old->unit, OLD_RTADDR, 0x7654321000u);
}

static void make_root_beyond(struct old *old)
{
	vtdm_write64(old->unit, OLD_RTADDR, (uint64_t)1 << 40);
	vtdm_violations_clear(old->unit);
}

static void make_bus_gone(struct old *old)
{
	old_set(old, &old->root[2 * 7], 0x7654321000u | 1, 0);
}

static const struct {
	void (*make)(struct old *old);
	bool legacy;
	const char *said;
} impossible[] = {
	{ make_scalable, false, "tables that are not of legacy mode at 0x" },
	{ make_reserved, false, "tables that are not of legacy mode at 0x" },
	{ make_root_gone, true, "root table at 0x7654321000" },
	{ make_root_beyond, true, "root table at 0x10000000000" },
	{ make_bus_gone, true, "context table at 0x7654321000" },
};

/* Reset, or else refused device by device; warned of in either case. */
static void test_impossible(void **state)
{
	uint64_t root;

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		bool block = i & 1;
		struct world *w = world();

		w->rig.takeover_block = block;
		world_begin(w);
		old_on(&w->old);
		impossible[i / 2].make(&w->old);
		root = vtdm_read64(w->old.unit, OLD_RTADDR);
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(w->stats->te_off,
				 !(block && impossible[i / 2].legacy));
		/* as it was as long as it can be; then refused at once */
		if (block && impossible[i / 2].legacy)
			assert_int_equal(vtdm_read64(w->old.unit, OLD_RTADDR),
					 root);
		else if (block)
			assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000),
					     VTDM_OK);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		assert_false(info_of(&w->rig).adopted);
		assert_int_equal(info_of(&w->rig).inherited, 0);
		assert_true(user_logged(w->rig.host, impossible[i / 2].said));
		assert_true(user_logged(
			w->rig.host,
			block ? "its devices are refused until asked for"
			      : ": reset"));
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		assert_int_equal(w->a.hw.inherited, block);
		assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000), VTDM_OK);
		world_end(w);
	}
}

/* Off, fresh tables, said; the default. */
static void test_reset(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KINDS; i++) {
		struct world *w = world();

		kinds[i].set(&w->rig.config.units[0].model);
		world_begin(w);
		w->rig.takeover = UIOMMU_TAKEOVER_RESET;
		old_on(&w->old);
		old_flows(&w->old);
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(w->stats->te_off, 1);
		assert_true(user_logged(w->rig.host,
					"unit 0: found translating: reset"));
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		assert_int_equal(w->stats->te_on, 2);
		assert_true(info_of(&w->rig).found_translating);
		assert_false(info_of(&w->rig).adopted);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		assert_false(w->a.hw.inherited);
		assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000), VTDM_OK);
		world_end(w);
	}
}

/*
 * One that hangs when it is turned off gets its fresh tables while it is on,
 * and not before they are whole: a direct region is never out of reach.
 */
static void test_reset_stays_on(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KINDS; i++) {
		struct world *w = world();
		struct uiommu_hwdomain domain;
		struct rig *rig = &w->rig;

		kinds[i].set(&rig->config.units[0].model);
		world_begin(w);
		rig->takeover = UIOMMU_TAKEOVER_RESET;
		old_on(&w->old);
		assert_int_equal(rig_make(rig), UIOMMU_OK);
		uiommu_vtd_ops.stays_on(rig->driver, 0, true);
		old_watch(&w->old, true);
		assert_int_equal(uiommu_vtd_ops.start(rig->driver), 0);
		assert_int_equal(rig_device(rig, &w->a, just_a), 0);
		assert_int_equal(rig_domain(rig, &domain, UIOMMU_DOMAIN_DMA),
				 0);
		assert_int_equal(
			rig_map(rig, &domain, 0x5000, w->p.paddr, 4096, RW), 0);
		assert_int_equal(rig_attach(rig, &w->a, &domain), 0);
		assert_int_equal(uiommu_vtd_ops.enable(rig->driver), 0);
		old_watch(&w->old, false);
		assert_int_equal(w->stats->te_off, 0);
		assert_true(info_of(rig).translating);
		assert_int_equal(rig_unmap(rig, &domain, 0x5000, 4096), 0);
		assert_int_not_equal(rig_write(rig, 0x10, 0x5000), VTDM_OK);
		uiommu_vtd_ops.device_fini(rig->driver, &w->a.hw);
		uiommu_vtd_ops.disable(rig->driver);
		uiommu_vtd_ops.domain_fini(rig->driver, &domain);
		rig_down_leaking(rig);
	}
}

/* Ours cannot follow tables of another format, and it must not go off. */
static void test_stays_on_other_mode(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct world *w = world();
		uint64_t writes;

		world_begin(w);
		w->rig.takeover = i & 1 ? UIOMMU_TAKEOVER_RESET
					: UIOMMU_TAKEOVER_ADOPT;
		w->rig.takeover_block = i & 2;
		old_on(&w->old);
		make_scalable(&w->old);
		writes = w->stats->mmio_writes;
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		uiommu_vtd_ops.stays_on(w->rig.driver, 0, true);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver),
				 UIOMMU_ENOTSUP);
		assert_int_equal(w->stats->mmio_writes, writes);
		assert_true(info_of(&w->rig).translating);
		rig_down(&w->rig);
	}
}

/*
 * One that is in nobody's use is turned off, whatever the policy, and warned
 * of; unless the policy is that nothing is.
 */
static void test_left(void **state)
{
	static const enum uiommu_takeover policies[] = {
		UIOMMU_TAKEOVER_ADOPT,
		UIOMMU_TAKEOVER_RESET,
		UIOMMU_TAKEOVER_REFUSE,
	};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct world *w = world();
		bool refused = policies[i] == UIOMMU_TAKEOVER_REFUSE;

		world_begin(w);
		w->rig.takeover = policies[i];
		old_on(&w->old);
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		uiommu_vtd_ops.leave(w->rig.driver, 0, true);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver),
				 refused ? UIOMMU_EBUSY : UIOMMU_OK);
		/* not before all else succeeded */
		old_flows(&w->old);
		if (!refused)
			assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver),
					 0);
		assert_int_equal(info_of(&w->rig).translating, refused);
		assert_int_equal(user_logged(w->rig.host, "not to be used: "
							  "turned off"),
				 !refused);
		rig_down(&w->rig);
	}
}

static bool remaps(struct world *w)
{
	return vtdm_read32(w->old.unit, OLD_GSTS) >> 25 & 1;
}

static void remap(struct world *w)
{
	vtdm_write32(w->old.unit, OLD_GCMD,
		     (vtdm_read32(w->old.unit, OLD_GSTS) & 0x86800000u) |
			     1u << 25);
	assert_true(remaps(w));
}

/* A unit that may translate, and remaps interrupts since before or after create. */
static struct world *interrupts(bool translates, bool adopt, bool late)
{
	struct world *w = world();

	w->rig.config.units[0].model.ir = true;
	w->rig.config.units[0].model.eim = true;
	world_begin(w);
	w->rig.takeover = adopt ? UIOMMU_TAKEOVER_ADOPT : UIOMMU_TAKEOVER_RESET;
	if (translates)
		old_on(&w->old);
	if (!late)
		remap(w);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	if (late)
		remap(w);
	return w;
}

/*
 * Who resets it, resets it as a whole; who adopts it, keeps it so. What our
 * host turned on it keeps.
 */
static void test_interrupts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		bool on = i & 4, adopt = i & 2, late = i & 1;
		struct world *w = interrupts(on, adopt, late);

		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		assert_true(info_of(&w->rig).found_interrupt_remapping);
		assert_int_equal(remaps(w), !on || adopt || late);
		assert_int_equal(
			user_logged(w->rig.host,
				    "compatibility format are stopped"),
			on && adopt);
		assert_int_equal(
			user_logged(w->rig.host,
				    "remapping interrupts: turned off"),
			on && !adopt && !late);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		world_end(w);
	}
}

/* One that stays on keeps that, too, until it has our tables. */
static void test_interrupts_stay_on(void **state)
{
	(void)state;
	for (unsigned int fails = 0; fails < 2; fails++) {
		struct world *w = interrupts(true, false, false);

		uiommu_vtd_ops.stays_on(w->rig.driver, 0, true);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_true(remaps(w));
		if (fails) {
			uiommu_vtd_ops.stop(w->rig.driver);
			assert_true(remaps(w));
			old_flows(&w->old);
			rig_down(&w->rig);
			continue;
		}
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		assert_false(remaps(w));
		rig_down_leaking(&w->rig);
	}
}

/* In the extended mode none of the old format passes, whatever CFI says. */
static void test_interrupts_pass(void **state)
{
	(void)state;
	for (unsigned int extended = 0; extended < 2; extended++) {
		struct world *w = interrupts(true, true, false);

		vtdm_write64(w->old.unit, 0xb8, extended << 11);
		vtdm_write32(
			w->old.unit, OLD_GCMD,
			(vtdm_read32(w->old.unit, OLD_GSTS) & 0x86800000u) |
				1u << 23);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		assert_int_equal(user_logged(w->rig.host, "format pass"),
				 !extended);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		world_end(w);
	}
}

/*
 * A start that failed, or a stop, is no reason to forget whose it was; and a
 * table that our host set between create and start is not the other kernel's.
 */
static void test_interrupts_again(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		bool adopt = i % 2;
		struct world *w = interrupts(true, adopt, false);

		if (i == 2)
			vtdm_write64(w->old.unit, 0xb8, 0x7000);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		if (adopt)
			assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver),
					 0);
		if (i == 3)
			vtdm_write64(w->old.unit, 0xb8, 0x7000);
		uiommu_vtd_ops.stop(w->rig.driver);
		assert_false(info_of(&w->rig).translating);
		assert_int_equal(remaps(w), i != 1);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		assert_int_equal(remaps(w), i >= 2);
		rig_down(&w->rig);
	}
}

/* A unit that does not even do that is not to be relied on. */
static void test_interrupts_hang(void **state)
{
	struct world *w = interrupts(true, false, false);

	(void)state;
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
	vtdm_knobs(w->old.unit)->hang = VTDM_HANG_IR;
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver),
			 UIOMMU_ETIMEDOUT);
	assert_true(info_of(&w->rig).broken);
	assert_false(user_logged(w->rig.host, "interrupts: turned off"));
	rig_down_leaking(&w->rig);
}

/* At the end it goes off, too, if it is the other kernel's still. */
static void test_interrupts_shutdown(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		bool adopted = i < 2, ours = i == 1;
		struct world *w = interrupts(adopted, true, false);

		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		if (ours) /* our host has a table of its own by now */
			vtdm_write64(w->old.unit, 0xb8, 0x7000);
		uiommu_vtd_ops.shutdown(w->rig.driver, false);
		assert_false(vtdm_read32(w->old.unit, OLD_GSTS) & OLD_TE);
		assert_int_equal(remaps(w), !adopted || ours);
		rig_down_leaking(&w->rig);
	}
}

/* What must not be turned off stays as it is, also if it is in nobody's use. */
static void test_left_stays_on(void **state)
{
	struct world *w = world();

	(void)state;
	world_begin(w);
	old_on(&w->old);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	uiommu_vtd_ops.leave(w->rig.driver, 0, true);
	uiommu_vtd_ops.stays_on(w->rig.driver, 0, true);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
	old_flows(&w->old);
	assert_true(user_logged(w->rig.host, "goes on translating by tables"));
	assert_false(user_logged(w->rig.host, "turned off; what"));
	rig_down(&w->rig);
}

/* --- What fails ----------------------------------------------------------- */

/* Start, and then no more: the old kernel's tables are in force again. */
static void test_hand_back(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KINDS; i++) {
		struct world *w = world();
		struct uiommu_hwdomain blocked = {
			.type = UIOMMU_DOMAIN_BLOCKED
		};

		kinds[i].set(&w->rig.config.units[0].model);
		world_begin(w);
		old_on(&w->old);
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		old_watch(&w->old, true);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		old_watch(&w->old, false);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		assert_int_equal(rig_attach(&w->rig, &w->a, &blocked), 0);
		assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000), VTDM_OK);
		uiommu_vtd_ops.disable(w->rig.driver);
		old_flows(&w->old);
		old_watch(&w->old, true);
		rig_device_gone(&w->rig, &w->a);
		uiommu_vtd_ops.stop(w->rig.driver);
		assert_int_equal(w->stats->te_off, 0);
		assert_int_equal(w->stats->te_on, 1);
		/* and once more, to the end */
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		old_watch(&w->old, false);
		assert_true(info_of(&w->rig).adopted);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		assert_true(w->a.hw.inherited);
		world_end(w);
	}
}

/*
 * Beside a unit that was off. If that one fails, the first goes on as it was;
 * if not, it stays on and the other one is turned on.
 */
static void test_two_units(void **state)
{
	static const unsigned int hangs[] = { VTDM_HANG_QIE, VTDM_HANG_SRTP,
					      VTDM_HANG_TE, 0 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct world *w = world();
		struct vtdm *second;
		int err;

		w->rig.config.unit_count = 2;
		world_begin(w);
		old_on(&w->old);
		second = w->rig.host->units[1];
		vtdm_knobs(second)->hang = hangs[i];
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		old_watch(&w->old, true);
		err = uiommu_vtd_ops.start(w->rig.driver);
		if (!err)
			err = uiommu_vtd_ops.enable(w->rig.driver);
		assert_int_equal(err, hangs[i] ? UIOMMU_ETIMEDOUT : UIOMMU_OK);
		assert_int_equal(vtdm_stats(second)->te_on, !err);
		assert_true(info_of(&w->rig).translating);
		old_watch(&w->old, err != 0);
		uiommu_vtd_ops.stop(w->rig.driver);
		assert_int_equal(w->stats->te_off, !err);
		if (err)
			old_flows(&w->old);
		rig_down_leaking(&w->rig);
	}
}

/* One that was turned off in a start that failed is known to have run. */
static void test_reset_again(void **state)
{
	struct world *w = world();

	(void)state;
	w->rig.config.unit_count = 2;
	world_begin(w);
	w->rig.takeover = UIOMMU_TAKEOVER_RESET;
	old_on(&w->old);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), UIOMMU_OK);
	uiommu_vtd_ops.stop(w->rig.driver);
	assert_int_equal(w->stats->te_off, 1);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), UIOMMU_OK);
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_true(w->a.hw.at_work);
	rig_device_gone(&w->rig, &w->a);
	rig_down(&w->rig);
}

/* What cannot be turned off again is turned on when all else is on. */
static void test_stays_on_last(void **state)
{
	struct world *w = world();

	(void)state;
	w->rig.config.unit_count = 2;
	world_begin(w);
	vtdm_knobs(w->rig.host->units[1])->hang = VTDM_HANG_TE;
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	uiommu_vtd_ops.stays_on(w->rig.driver, 0, true);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), UIOMMU_OK);
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver),
			 UIOMMU_ETIMEDOUT);
	assert_int_equal(w->stats->te_on, 0);
	assert_false(info_of(&w->rig).broken);
	rig_down_leaking(&w->rig);
}

/* Ten buses, so that there is something to copy. */
static void fail_begin(struct world *w, unsigned int kind)
{
	kinds[kind].set(&w->rig.config.units[0].model);
	world_begin(w);
	for (int bus = 1; bus < 10; bus++)
		old_enter(&w->old, bus << 8, w->space, 1 + bus % 9u);
	old_flow(&w->old, 0x900, 0x5000, w->p);
	old_on(&w->old);
	old_flows(&w->old);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
}

/* The @nth call of the host fails in start; true if there was none. */
static bool host_fails(struct world *w, unsigned int nth, unsigned int *reset)
{
	uint64_t writes = w->stats->mmio_writes;
	uint64_t calls = w->rig.host->calls;
	bool over;
	int err;

	user_fail_at(w->rig.host, nth);
	err = uiommu_vtd_ops.start(w->rig.driver);
	over = w->rig.host->calls - calls < nth;
	user_fail_at(w->rig.host, 0);
	if (err) {
		assert_int_equal(err, UIOMMU_ENOMEM);
		assert_int_equal(w->stats->mmio_writes, writes);
		old_flows(&w->old);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
	}
	assert_int_equal(w->stats->te_off, !info_of(&w->rig).adopted);
	if (info_of(&w->rig).adopted)
		old_flows(&w->old);
	else
		(*reset)++;
	if (over)
		assert_false(err);
	return over;
}

/*
 * Each call of the host fails in turn: nothing was changed, or the unit was
 * reset as a whole.
 */
static void test_host_fails(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < KINDS; kind++) {
		unsigned int reset = 0;
		bool over = false;
		unsigned int nth;

		for (nth = 1; !over; nth++) {
			struct world *w = world();

			fail_begin(w, kind);
			over = host_fails(w, nth, &reset);
			assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver),
					 0);
			assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
			world_end(w);
		}
		/* the root table and those of ten buses: each unreadable once */
		assert_int_equal(reset, 11);
		assert_true(nth > 11 + 12);
	}
}

/*
 * It is attached, which has to do with what there is, or is where it was; and
 * then as if nothing had been. Nobody else notices.
 */
static void attach_fails(struct world *w, unsigned int nth)
{
	struct uiommu_hwdomain blocked = { .type = UIOMMU_DOMAIN_BLOCKED };
	struct rig_page page = w->p;
	struct uiommu_hwdomain domain;
	struct rig *rig = &w->rig;
	int err;

	assert_int_equal(rig_domain(rig, &domain, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_map(rig, &domain, 0x7000, page.paddr, 4096, RW),
			 0);
	/* the second one is of the other device */
	w->old.flows[0] = w->old.flows[--w->old.flow_count];
	old_watch(&w->old, true);
	user_fail_from(rig->host, nth);
	err = rig_attach(rig, &w->a, &domain);
	user_fail_at(rig->host, 0);
	assert_int_equal(w->a.hw.inherited, err != 0);
	assert_int_equal(old_lands(&w->old, 0x10, 0x5000, page), err != 0);
	assert_int_equal(rig_reaches(rig, 0x10, 0x7000, page), !err);
	assert_int_equal(rig_attach(rig, &w->a, &domain), 0);
	old_watch(&w->old, false);
	assert_true(rig_reaches(rig, 0x10, 0x7000, page));
	assert_false(old_lands(&w->old, 0x10, 0x5000, page));
	old_flows(&w->old);
	assert_int_equal(rig_attach(rig, &w->a, &blocked), 0);
	rig_domain_gone(rig, &domain);
}

/* Each call fails when a device comes; that and all after, at its attach. */
static void test_device_fails(void **state)
{
	static const int rids[] = { 0x10, 0xa10, 0xb10, -1 };

	(void)state;
	for (unsigned int nth = 1; nth < 8; nth++) {
		struct world *w = world();
		int err;

		fail_begin(w, 0);
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
		user_fail_at(w->rig.host, nth);
		err = rig_device(&w->rig, &w->a, rids);
		user_fail_at(w->rig.host, 0);
		old_flows(&w->old);
		if (err) {
			assert_int_equal(err, UIOMMU_ENOMEM);
			assert_int_equal(rig_device(&w->rig, &w->a, rids), 0);
		}
		assert_true(w->a.hw.inherited);
		attach_fails(w, nth);
		world_end(w);
	}
}

static int dies_life(struct world *w)
{
	struct uiommu_hwdomain domain;
	struct rig *rig = &w->rig;
	int err;

	err = uiommu_vtd_ops.start(rig->driver);
	if (err)
		return err;
	err = rig_device(rig, &w->a, just_a);
	if (err)
		return err;
	assert_int_equal(rig_domain(rig, &domain, UIOMMU_DOMAIN_DMA), 0);
	err = uiommu_vtd_ops.enable(rig->driver);
	if (!err)
		err = rig_attach(rig, &w->a, &domain);
	if (err)
		uiommu_vtd_ops.disable(rig->driver);
	rig_device_gone(rig, &w->a);
	uiommu_vtd_ops.domain_fini(rig->driver, &domain);
	/* a dead unit may walk it still */
	if (!info_of(rig).broken)
		uiommu_pt_fini(&domain.pt);
	return err;
}

/*
 * The unit dies at its Nth register access: it goes on with what it has, and
 * nothing of that is freed, neither the old kernel's nor ours.
 */
static void test_unit_dies(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * KINDS; i++) {
		bool over = false;

		for (unsigned int nth = 1; !over; nth++) {
			struct world *w = world();
			struct vtdm_knobs *knobs;
			int err;

			fail_begin(w, i / 2);
			knobs = vtdm_knobs(w->old.unit);
			knobs->dead_at = w->stats->mmio + nth;
			knobs->dead_mode = i & 1 ? VTDM_DEAD_ONES
						 : VTDM_DEAD_STALE;
			err = dies_life(w);
			/*
			 * Who was not attached goes on, dead unit or not; and
			 * who was to be, but for what a write buffer keeps.
			 */
			if (err && !w->rig.config.units[0].model.rwbf)
				old_flows(&w->old);
			w->old.flows[0] = w->old.flows[1];
			if (info_of(&w->rig).broken || err)
				old_flows(&w->old);
			over = w->stats->mmio < knobs->dead_at;
			if (over)
				assert_int_equal(err, UIOMMU_OK);
			uiommu_vtd_ops.stop(w->rig.driver);
			if (info_of(&w->rig).broken)
				old_flows(&w->old);
			assert_int_equal(user_violations(w->rig.host), 0);
			rig_down_leaking(&w->rig);
			assert_true(nth < 500);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_stays_on),
		cmocka_unit_test(test_stays_on_other_mode),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_interrupts_stay_on),
		cmocka_unit_test(test_interrupts_pass),
		cmocka_unit_test(test_interrupts_again),
		cmocka_unit_test(test_interrupts_hang),
		cmocka_unit_test(test_interrupts_shutdown),
		cmocka_unit_test(test_left_stays_on),
		cmocka_unit_test(test_hand_back),
		cmocka_unit_test(test_two_units),
		cmocka_unit_test(test_reset_again),
		cmocka_unit_test(test_stays_on_last),
		cmocka_unit_test(test_host_fails),
		cmocka_unit_test(test_device_fails),
		cmocka_unit_test(test_unit_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
