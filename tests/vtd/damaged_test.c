// SPDX-License-Identifier: MIT
/*
 * A unit is adopted of which entries are wrong: who was refused before is
 * refused as before, and nobody else notices.
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
static const int just_b[] = { 0x208, -1 };

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

/* With A and B, which is wrong, while A goes on. */
static void damaged_up(struct world *w, const struct damage *d,
		       struct rig_device *b)
{
	struct vtdm_config *m = &w->rig.config.units[0].model;

	m->pt = false;
	m->nd = 0;
	world_begin(w);
	old_enter(&w->old, 0x210, w->space, 4);
	damage_do(w, d);
	old_on(&w->old);
	/* the model agrees that it is wrong */
	assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000), VTDM_OK);
	old_watch(&w->old, true);
	assert_int_equal(rig_make(&w->rig), 0);
	assert_int_equal(uiommu_vtd_ops.start(w->rig.driver), 0);
	assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
	assert_int_equal(rig_device(&w->rig, b, just_b), 0);
	assert_int_equal(uiommu_vtd_ops.enable(w->rig.driver), 0);
	old_watch(&w->old, false);
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
		struct uiommu_hwdomain blocked = {
			.type = UIOMMU_DOMAIN_BLOCKED
		};
		struct rig_device b;

		damaged_up(w, d, &b);
		assert_true(info_of(&w->rig).adopted);
		assert_int_equal(w->stats->te_off, 0);
		/* half written, absent: nothing to tell */
		assert_int_equal(user_logged(w->rig.host, "were not copied"),
				 ~d->lo != 0);
		assert_int_equal(info_of(&w->rig).inherited,
				 d->root_lo || d->root_hi ? 1 : 2);
		/* it waits, like all; also if it comes later, or again... */
		assert_true(w->a.hw.inherited && b.hw.inherited);
		rig_device_gone(&w->rig, &b);
		assert_int_equal(rig_device(&w->rig, &b, just_b), 0);
		assert_true(b.hw.inherited && b.hw.at_work);
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		old_flows(&w->old);
		/* ...but not where it was attached before */
		assert_int_equal(rig_attach(&w->rig, &b, &blocked), 0);
		assert_false(b.hw.inherited);
		rig_device_gone(&w->rig, &b);
		assert_int_equal(rig_device(&w->rig, &b, just_b), 0);
		assert_false(b.hw.inherited);
		rig_device_gone(&w->rig, &b);
		world_end(w);
	}
}

/* What is not read is not judged: whether it serves them the unit knows. */
static void test_beyond(void **state)
{
	(void)state;
	for (unsigned int bit = 39; bit < 64; bit++) {
		struct world *w = world();
		struct rig_device b;

		world_begin(w);
		old_enter(&w->old, 0x208, w->space | (uint64_t)1 << bit, 4);
		old_on(&w->old);
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		rig_up(&w->rig);
		assert_int_equal(info_of(&w->rig).inherited, 2);
		assert_false(user_logged(w->rig.host, "were not copied"));
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		assert_int_equal(rig_device(&w->rig, &b, just_b), 0);
		assert_true(b.hw.inherited);
		rig_device_gone(&w->rig, &b);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
		old_flows(&w->old);
		world_end(w);
	}
}

/* Where faults are not recorded for it, that stays so, present or not. */
static void test_faults_off(void **state)
{
	(void)state;
	for (unsigned int present = 0; present < 2; present++) {
		struct world *w = world();
		uint64_t records;

		world_begin(w);
		/* present, and refused: with a reserved bit */
		old_set(&w->old, old_entry(&w->old, 0x208),
			2 | (present ? 1 | 1u << 4 : 0), 0);
		old_on(&w->old);
		records = w->stats->faults_recorded;
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		assert_int_equal(w->stats->faults_recorded, records);
		rig_up(&w->rig);
		assert_int_not_equal(rig_write(&w->rig, 0x208, 0x5000),
				     VTDM_OK);
		assert_int_equal(w->stats->faults_recorded, records);
		assert_int_not_equal(rig_write(&w->rig, 0x209, 0x5000),
				     VTDM_OK);
		assert_int_equal(w->stats->faults_recorded, records + 1);
		assert_int_equal(rig_device(&w->rig, &w->a, just_a), 0);
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

		w->rig.config.units[0].model.nd = 1 + turn % 2;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_faults_off),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
