// SPDX-License-Identifier: MIT
/*
 * A unit that translates already and is not simply adopted: tables of which
 * something is wrong, or all; other policies; and everything that may fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "kinds.h"
#include "old.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const int just_a[] = { 0x10, -1 };
static const int just_b[] = { 0x208, -1 };

static struct uiommu_unit_info info_of(struct rig *rig)
{
	struct uiommu_unit_info info;

	assert_int_equal(uiommu_vtd_ops.unit_info(rig->driver, 0, &info), 0);
	return info;
}

/* A is where it should be; bus 2 is for whatever goes wrong. */
struct world {
	struct rig rig;
	struct old old;
	struct rig_device a;
	struct rig_page p;
	uint64_t space;
	const struct vtdm_stats *stats;
};

static void world_begin(struct world *w)
{
	w->rig.takeover = UIOMMU_TAKEOVER_ADOPT;
	old_begin(&w->old, &w->rig);
	w->stats = vtdm_stats(w->old.unit);
	w->p = old_page(&w->old);
	w->space = old_space(&w->old);
	old_map(&w->old, w->space, 0x5000, w->p.paddr);
	old_enter(&w->old, 0x10, w->space, 1);
	old_flow(&w->old, 0x10, 0x5000, w->p);
}

static struct world *world(void)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	rig_describe(&w.rig);
	return &w;
}

/* A may be attached, whatever happened; then it is where it was put. */
static void world_end(struct world *w)
{
	struct uiommu_hwdomain domain;
	struct rig *rig = &w->rig;

	assert_int_equal(rig_domain(rig, &domain, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_map(rig, &domain, 0x9000, w->p.paddr, 4096, RW),
			 0);
	assert_int_equal(rig_attach(rig, &w->a, &domain), 0);
	assert_false(w->a.hw.inherited);
	assert_int_not_equal(rig_write(rig, 0x10, 0x5000), VTDM_OK);
	assert_true(rig_reaches(rig, 0x10, 0x9000, w->p));
	rig_device_gone(rig, &w->a);
	rig_domain_gone(rig, &domain);
	rig_down(rig);
}

/* --- Entry by entry ------------------------------------------------------- */

/* What is wrong with the entry of 02:01.0, or with its bus. */
struct damage {
	const char *what;
	uint64_t lo, hi; /* besides what would be right; all ones: clear */
	uint64_t root_lo, root_hi;
};

#define HI(bit) ((uint64_t)1 << ((bit)-64))

static const struct damage damages[] = {
	{ "reserved bit 4", 1u << 4, 0, 0, 0 },
	{ "reserved bit 11", 1u << 11, 0, 0, 0 },
	{ "reserved bit 71", 0, HI(71), 0, 0 },
	{ "reserved bit 88", 0, HI(88), 0, 0 },
	{ "reserved bit 127", 0, HI(127), 0, 0 },
	{ "domain id 16 of 16", 0, HI(72 + 4), 0, 0 },
	{ "domain id of 16 bits", 0, HI(87), 0, 0 },
	{ "type 3", 3 << 2, 0, 0, 0 },
	{ "type 1 without device TLBs", 1 << 2, 0, 0, 0 },
	{ "type 2 without pass-through", 2 << 2, 0, 0, 0 },
	{ "width 6", 0, HI(66), 0, 0 },
	{ "width 3", 0, HI(64), 0, 0 },
	{ "tables beyond memory", (uint64_t)1 << 39, 0, 0, 0 },
	{ "tables far beyond memory", (uint64_t)1 << 63, 0, 0, 0 },
	{ "half written: the lower half", 0, ~(uint64_t)0, 0, 0 },
	{ "half written: the upper half", ~(uint64_t)0, 0, 0, 0 },
	{ "root: reserved bit 1", 0, 0, 1u << 1, 0 },
	{ "root: reserved bit 11", 0, 0, 1u << 11, 0 },
	{ "root: upper half", 0, 0, 0, 1 },
	{ "root: beyond memory", 0, 0, (uint64_t)1 << 39, 0 },
};

static void damage_do(struct world *w, const struct damage *d)
{
	uint64_t *root = &w->old.root[2 * 2];
	uint64_t *e = old_entry(&w->old, 0x208);
	uint64_t lo = ~d->lo ? (w->space | 1) | d->lo : 0;
	uint64_t hi = ~d->hi ? (5u << 8 | 2) | d->hi : 0;

	old_set(&w->old, e, lo, hi);
	old_set(&w->old, root, root[0] | d->root_lo, d->root_hi);
}

/*
 * Who was refused before is refused as before, and its driver can have it;
 * the others notice nothing.
 */
static void test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *d = &damages[i];
		struct world *w = world();
		struct vtdm_config *m = &w->rig.config.units[0].model;
		struct rig_device b;

		m->pt = false;
		m->nd = 0;
		world_begin(w);
		old_enter(&w->old, 0x210, w->space, 4);
		damage_do(w, d);
		old_on(&w->old);
		/* the model agrees that it is wrong */
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		old_watch(&w->old, true);
		rig_up(&w->rig);
		old_watch(&w->old, false);
		assert_true(info_of(&w->rig).adopted);
		assert_int_equal(w->stats->te_off, 0);
		/* half written, absent: nothing to tell */
		assert_int_equal(user_logged(w->rig.host, "were not copied"),
				 ~d->lo != 0);
		assert_int_equal(info_of(&w->rig).inherited,
				 d->root_lo || d->root_hi ? 1 : 2);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		assert_int_equal(rig_device(&w->rig, &b, just_b), 0);
		assert_true(w->a.hw.inherited);
		assert_false(b.hw.inherited);
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		old_flows(&w->old);
		rig_device_gone(&w->rig, &b);
		world_end(w);
	}
}

/* Two buses may have one table; the root table is none, nor is a page table. */
static void test_loops(void **state)
{
	struct world *w = world();
	struct rig_page noise;

	(void)state;
	world_begin(w);
	noise = old_page(&w->old);
	for (unsigned int i = 0; i < 4096; i++)
		noise.bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	vtdm_mem_clean(w->rig.host->mem, noise.bytes, 4096);
	old_set(&w->old, &w->old.root[2 * 2], w->old.root[0], 0);
	old_set(&w->old, &w->old.root[2 * 3], w->old.root_paddr | 1, 0);
	old_set(&w->old, &w->old.root[2 * 4], w->space | 1, 0);
	old_set(&w->old, &w->old.root[2 * 5], noise.paddr | 1, 0);
	old_set(&w->old, &w->old.root[2 * 255], w->old.root[0], 0);
	old_on(&w->old);
	old_flow(&w->old, 0x210, 0x5000, w->p);
	old_flow(&w->old, 0xff10, 0x5000, w->p);
	old_watch(&w->old, true);
	rig_up(&w->rig);
	old_watch(&w->old, false);
	assert_true(info_of(&w->rig).adopted);
	for (int rid = 0x300; rid < 0x600; rid++)
		assert_int_not_equal(rig_write(&w->rig, rid, 0x5000), VTDM_OK);
	/* buses 0, 2 and 255, and what of the noise might be one */
	assert_true(info_of(&w->rig).inherited >= 3);
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	world_end(w);
}

/* Random tables: every requester fares as it did. */
static void test_random(void **state)
{
	static enum vtdm_result before[65536];
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned int turn = 0; turn < 8; turn++) {
		struct world *w = world();

		w->rig.config.units[0].model.nd = turn % 2;
		world_begin(w);
		for (unsigned int i = 0; i < 2000; i++) {
			uint64_t lo, hi;

			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			/* mostly right, a bit or two flipped */
			lo = (w->space | 1) ^ (seed & 1) << (seed >> 8 & 63);
			hi = ((uint64_t)(seed >> 20 & 7) << 8 | 2) ^
			     (seed >> 1 & 1) << (seed >> 40 & 63);
			old_set(&w->old,
				old_entry(&w->old,
					  (int)(0x100 | (seed >> 48 & 0xffff))),
				lo, hi);
		}
		old_enter(&w->old, 0x10, w->space, 1);
		old_on(&w->old);
		for (int rid = 0; rid < 65536; rid++)
			before[rid] = rig_write(&w->rig, rid, 0x5000);
		rig_up(&w->rig);
		assert_true(info_of(&w->rig).adopted);
		for (int rid = 0; rid < 65536; rid++)
			assert_int_equal(rig_write(&w->rig, rid, 0x5000) == 0,
					 before[rid] == 0);
		vtdm_violations_clear(w->old.unit);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		world_end(w);
	}
}

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
	uint64_t calls[10];

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		bool block = i & 1;
		struct world *w = world();

		w->rig.takeover_block = block;
		world_begin(w);
		old_on(&w->old);
		impossible[i / 2].make(&w->old);
		assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
		calls[i] = w->rig.host->calls;
		assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
		calls[i] = w->rig.host->calls - calls[i];
		assert_int_equal(w->stats->te_off,
				 !(block && impossible[i / 2].legacy));
		/* refused from the start, if it is to be */
		if (block)
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
	/* what cannot be memory the host is not asked for */
	assert_int_equal(calls[2 * 3] + 1, calls[2 * 2]);
	assert_int_equal(calls[0] + 3, calls[2 * 2]);
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

/* One that hangs when it is turned off gets its fresh tables while it is on. */
static void test_reset_stays_on(void **state)
{
	struct world *w = world();

	(void)state;
	world_begin(w);
	w->rig.takeover = UIOMMU_TAKEOVER_RESET;
	old_on(&w->old);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	uiommu_vtd_ops.stays_on(w->rig.driver, 0, true);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000), VTDM_OK);
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
	assert_int_equal(w->stats->te_off, 0);
	assert_true(info_of(&w->rig).translating);
	assert_int_not_equal(rig_write(&w->rig, 0x10, 0x5000), VTDM_OK);
	uiommu_vtd_ops.device_fini(w->rig.driver, &w->a.hw);
	rig_down_leaking(&w->rig);
}

/* One that is in nobody's use is turned off, whatever the policy. */
static void test_left(void **state)
{
	struct world *w = world();

	(void)state;
	world_begin(w);
	old_on(&w->old);
	assert_int_equal(rig_make(&w->rig), UIOMMU_OK);
	uiommu_vtd_ops.leave(w->rig.driver, 0, true);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
	assert_false(info_of(&w->rig).translating);
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

/* Each call fails when a device comes, and when it is attached. */
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
			w->old.flows[0] = w->old.flows[1];
			err = dies_life(w);
			/* who was not attached goes on, dead unit or not */
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
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_stays_on),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_hand_back),
		cmocka_unit_test(test_two_units),
		cmocka_unit_test(test_host_fails),
		cmocka_unit_test(test_device_fails),
		cmocka_unit_test(test_unit_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
