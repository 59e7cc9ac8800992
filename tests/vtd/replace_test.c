// SPDX-License-Identifier: MIT
/*
 * Present context entries that are replaced: what a walk can meet meanwhile,
 * and what happens where the CPU cannot store 16 bytes at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kinds.h"
#include "vtd/vtd_context.h"
#include "watch.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const int rids_a[] = { 0x300, 0x308, -1 };
static const int rids_b[] = { 0x310, 0x308, -1 };

/* A and B share 3:1.0; two domains that map page 0 to pages of their own. */
struct world {
	struct rig rig;
	struct rig_device a, b;
	struct uiommu_hwdomain one, two, blocked;
	struct rig_page p, q;
};

static struct world *world_up(const struct kind *kind, bool direct,
			      bool store128)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	kind_up(&w.rig, kind);
	w.rig.host->no_store128 = !store128;
	w.p = rig_page(&w.rig, 4096);
	w.q = rig_page(&w.rig, 4096);
	assert_int_equal(rig_device(&w.rig, &w.a, rids_a), 0);
	assert_int_equal(rig_device(&w.rig, &w.b, rids_b), 0);
	w.a.hw.direct = direct;
	assert_int_equal(rig_domain(&w.rig, &w.one, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(&w.rig, &w.two, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(&w.rig, &w.blocked, UIOMMU_DOMAIN_BLOCKED),
			 0);
	assert_int_equal(rig_map(&w.rig, &w.one, 0, w.p.paddr, 4096, RW), 0);
	assert_int_equal(rig_map(&w.rig, &w.two, 0, w.q.paddr, 4096, RW), 0);
	return &w;
}

static void world_down(struct world *w)
{
	rig_device_gone(&w->rig, &w->a);
	rig_device_gone(&w->rig, &w->b);
	rig_domain_gone(&w->rig, &w->one);
	rig_domain_gone(&w->rig, &w->two);
	rig_domain_gone(&w->rig, &w->blocked);
	rig_page_gone(&w->rig, w->p, 4096);
	rig_page_gone(&w->rig, w->q, 4096);
	rig_down(&w->rig);
}

static const struct vtd_entry *entry_of(const struct rig_device *dev,
					unsigned int index)
{
	const struct vtd_device *v = dev->hw.priv;
	uint16_t rid = dev->sids[index].rid;

	return &v->unit->bus[rid >> 8]->table[rid & 0xff];
}

static void watch_device(const struct rig_device *dev)
{
	watch_clear();
	for (unsigned int i = 0; i < dev->hw.sid_count; i++)
		watch_add(entry_of(dev, i));
}

/* Attach, looked at between any two instructions. */
static int watched_attach(struct rig *rig, struct rig_device *dev,
			  struct uiommu_hwdomain *domain)
{
	int err;

	watch_device(dev);
	/* The model and its checks take most of the steps and no part in it. */
	rig->host->on_model = watch_pause;
	watch_begin();
	err = uiommu_vtd_ops.attach(rig->driver, &dev->hw, domain);
	watch_end();
	rig->host->on_model = NULL;
#ifdef __x86_64__
	assert_true(watch_steps() > 100);
#endif
	return err;
}

static bool is_absent(struct watch_value value)
{
	return !(value.lo & 1);
}

/* Of each place: present only as it was in the beginning or in the end. */
static void check_untorn(const struct rig_device *dev)
{
	for (unsigned int i = 0; i < dev->hw.sid_count; i++) {
		const struct watch_place *place = &watch_places[i];
		unsigned int last = place->count - 1;

		assert_in_range(place->count, 1, WATCH_VALUES);
		for (unsigned int n = 0; n < place->count; n++) {
			const struct watch_value *v = &place->values[n];

			if (is_absent(*v))
				continue;
			assert_true(memcmp(v, &place->values[0], 16) == 0 ||
				    memcmp(v, &place->values[last], 16) == 0);
		}
	}
}

static const char *const watched_kinds[] = { "plain", "not coherent",
					     "registers", "all odd" };

static const struct kind *kind_of(const char *name)
{
	for (size_t k = 0; k < KINDS; k++)
		if (strcmp(kinds[k].name, name) == 0)
			return &kinds[k];
	fail_msg("%s", name);
	return NULL;
}

static bool cpu_can(struct rig *rig)
{
	uint64_t pair[2] __attribute__((aligned(16))) = { 0 };

	return uiommu_host_store128(rig->host, pair, 0, 0);
}

/* With a direct region: old, then new, and nothing else (R79). */
static void test_at_once(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct world *w = world_up(kind_of(watched_kinds[k]), true,
					   true);

		if (!cpu_can(&w->rig)) {
			world_down(w);
			skip();
		}
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		assert_int_equal(rig_attach(&w->rig, &w->b, &w->one), 0);
		assert_int_equal(watched_attach(&w->rig, &w->a, &w->two), 0);
		assert_true(watch_two());
		assert_false(watch_saw(is_absent));
		assert_int_equal(watch_places[0].count, 2);
		assert_int_equal(watch_places[1].count, 2);
		assert_true(rig_reaches(&w->rig, 0x300, 0, w->q));
		/* What is shared is right already: only B's own changes. */
		assert_int_equal(watched_attach(&w->rig, &w->b, &w->two), 0);
		assert_int_equal(watch_places[1].count, 1);
		assert_false(watch_saw(is_absent));
		world_down(w);
	}
}

/* Another device comes to a shared requester id: untouched (R40). */
static void test_second_alias(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		struct world *w = world_up(kind_of(watched_kinds[i / 2]), true,
					   i % 2);

		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		assert_int_equal(watched_attach(&w->rig, &w->b, &w->one), 0);
		assert_int_equal(watch_places[1].count, 1);
		assert_false(is_absent(watch_places[1].values[0]));
		/* And when it leaves. */
		assert_int_equal(watched_attach(&w->rig, &w->b, &w->blocked),
				 0);
		assert_int_equal(watch_places[1].count, 1);
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		world_down(w);
	}
}

struct teardown {
	const struct vtd_entry *at;
	struct vtd_entry old;
	unsigned int kept, early; /* looks with the rest there, or gone */
	bool done;
};

static void look_at_teardown(struct uiommu_host *host, void *context)
{
	struct teardown *t = context;

	(void)host;
	if (t->at->lo & 1 || t->done)
		return;
	if (t->at->hi == t->old.hi && t->at->lo == (t->old.lo & ~UINT64_C(1)))
		t->kept++;
	else
		t->early += t->kept == 0;
}

/* Present goes first, alone; the rest once no cache has it (R41, R42, R79). */
static void test_teardown(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct world *w = world_up(kind_of(watched_kinds[k]), true,
					   false);
		struct teardown t = { .at = NULL };

		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		t.at = entry_of(&w->a, 1);
		t.old = *t.at;
		w->rig.host->on_mmio = look_at_teardown;
		w->rig.host->on_mmio_context = &t;
		assert_int_equal(watched_attach(&w->rig, &w->a, &w->blocked),
				 0);
		w->rig.host->on_mmio = NULL;
		check_untorn(&w->a);
		assert_true(t.kept > 0);
		assert_int_equal(t.early, 0);
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(entry_of(&w->a, i)->lo, 0);
			assert_int_equal(entry_of(&w->a, i)->hi, 0);
			assert_int_equal(watch_places[i].values[1].hi,
					 watch_places[i].values[0].hi);
			assert_int_equal(watch_places[i].values[1].lo,
					 watch_places[i].values[0].lo - 1);
		}
		assert_int_not_equal(rig_write(&w->rig, 0x300, 0), VTDM_OK);
		assert_int_not_equal(rig_write(&w->rig, 0x308, 0), VTDM_OK);
		world_down(w);
	}
}

/* Without a direct region the entry is absent in between, never torn. */
static void test_through_absent(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct world *w = world_up(kind_of(watched_kinds[k]), false,
					   false);

		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		assert_int_equal(watched_attach(&w->rig, &w->a, &w->two), 0);
		check_untorn(&w->a);
#ifdef __x86_64__
		assert_true(watch_saw(is_absent));
#endif
		assert_true(rig_reaches(&w->rig, 0x300, 0, w->q));
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->q));
		world_down(w);
	}
}

static void check_refused(struct world *w, struct rig_device *dev,
			  struct uiommu_hwdomain *domain)
{
	const struct vtdm_stats *stats = vtdm_stats(w->rig.host->units[0]);
	struct uiommu_hwdomain *old = dev->hw.domain;
	uint64_t mmio = stats->mmio;

	memset(w->rig.host->lines, 0, sizeof(w->rig.host->lines));
	watch_device(dev);
	watch_pause(true);
	assert_int_equal(rig_attach(&w->rig, dev, domain), UIOMMU_ENOTSUP);
	watch_pause(true);
	assert_ptr_equal(dev->hw.domain, old);
	assert_int_equal(watch_places[0].count, 1);
	assert_int_equal(watch_places[1].count, 1);
	assert_int_equal(stats->mmio, mmio);
	assert_true(user_logged(w->rig.host, "stays in its domain"));
	assert_true(user_logged(w->rig.host, "0000:03:01.0"));
}

/* With one: refused before anything was touched, sharers too. */
static void test_refused(void **state)
{
	struct uiommu_hwdomain identity;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct world *w = world_up(&kinds[k], true, false);

		w->a.hw.direct = false;
		w->b.hw.direct = true;
		assert_int_equal(
			rig_domain(&w->rig, &identity, UIOMMU_DOMAIN_IDENTITY),
			0);
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		assert_int_equal(rig_attach(&w->rig, &w->b, &w->one), 0);
		check_refused(w, &w->a, &w->two);
		if (w->rig.config.units[0].model.pt)
			check_refused(w, &w->a, &identity);
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		/* To be blocked is never refused, and from there all is free */
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->blocked), 0);
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		assert_int_equal(rig_attach(&w->rig, &w->b, &w->blocked), 0);
		assert_int_equal(rig_attach(&w->rig, &w->b, &w->two), 0);
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->two), 0);
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->q));
		rig_domain_gone(&w->rig, &identity);
		world_down(w);
	}
}

/* A neighbour that shares no requester id with it moves. */
static void test_neighbour(void **state)
{
	static const int rids_c[] = { 0x318, -1 };
	static struct rig_device c;
	struct world *w;

	(void)state;
	w = world_up(kind_of("plain"), true, false);
	assert_int_equal(rig_device(&w->rig, &c, rids_c), 0);
	assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
	assert_int_equal(rig_attach(&w->rig, &c, &w->one), 0);
	assert_int_equal(rig_attach(&w->rig, &c, &w->two), 0);
	assert_true(rig_reaches(&w->rig, 0x318, 0, w->q));
	rig_device_gone(&w->rig, &c);
	world_down(w);
}

/* One half differs: the same tables under another id. */
static void test_upper_half(void **state)
{
	struct uiommu_hwdomain again;

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct world *w = world_up(kind_of(watched_kinds[k]), true,
					   false);

		memset(&again, 0, sizeof(again));
		again.type = UIOMMU_DOMAIN_DMA;
		again.pt = w->one.pt;
		assert_int_equal(
			uiommu_vtd_ops.domain_init(w->rig.driver, &again), 0);
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		assert_int_equal(watched_attach(&w->rig, &w->a, &again), 0);
		assert_true(watch_two());
		assert_false(watch_saw(is_absent));
		assert_int_equal(rig_unmap(&w->rig, &again, 0, 4096), 0);
		assert_int_not_equal(rig_write(&w->rig, 0x308, 0), VTDM_OK);
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->blocked), 0);
		uiommu_vtd_ops.domain_fini(w->rig.driver, &again);
		world_down(w);
	}
}

/* Other tables under the same id: identity, of a unit without pass-through. */
static void test_lower_half(void **state)
{
	struct world *w;

	(void)state;
	w = world_up(kind_of("all odd"), true, false);
	w->one.type = UIOMMU_DOMAIN_IDENTITY;
	w->two.type = UIOMMU_DOMAIN_IDENTITY;
	assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
	assert_true(rig_reaches(&w->rig, 0x300, 0, w->p));
	assert_int_equal(watched_attach(&w->rig, &w->a, &w->two), 0);
	assert_true(watch_two());
	assert_false(watch_saw(is_absent));
	assert_int_equal(watch_places[0].count, 2);
	/* Nothing that was cached by the id is left. */
	assert_true(rig_reaches(&w->rig, 0x300, 0, w->q));
	assert_true(rig_reaches(&w->rig, 0x308, 0, w->q));
	world_down(w);
}

struct keeper {
	struct world *w;
	unsigned long tried, lost;
};

static void keep(struct uiommu_host *host, void *context)
{
	struct keeper *k = context;

	(void)host;
	k->tried++;
	k->lost += rig_write(&k->w->rig, 0x300, 8) != VTDM_OK;
	k->lost += rig_write(&k->w->rig, 0x308, 8) != VTDM_OK;
}

/* Firmware's accesses between any two register accesses are served. */
static void test_served(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct world *w = world_up(&kinds[k], true, true);
		struct keeper keeper = { .w = w };

		if (!cpu_can(&w->rig)) {
			world_down(w);
			skip();
		}
		assert_int_equal(rig_attach(&w->rig, &w->a, &w->one), 0);
		w->rig.host->on_mmio = keep;
		w->rig.host->on_mmio_context = &keeper;
		for (unsigned int i = 0; i < 10; i++) {
			assert_int_equal(rig_attach(&w->rig, &w->b, &w->one),
					 0);
			assert_int_equal(rig_attach(&w->rig, &w->a, &w->two),
					 0);
			assert_int_equal(rig_attach(&w->rig, &w->b, &w->two),
					 0);
			assert_int_equal(rig_attach(&w->rig, &w->a, &w->one),
					 0);
			rig_device_gone(&w->rig, &w->b);
			assert_int_equal(rig_device(&w->rig, &w->b, rids_b), 0);
		}
		w->rig.host->on_mmio = NULL;
		assert_true(keeper.tried > 20);
		assert_int_equal(keeper.lost, 0);
		world_down(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_second_alias),
		cmocka_unit_test(test_teardown),
		cmocka_unit_test(test_through_absent),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_neighbour),
		cmocka_unit_test(test_upper_half),
		cmocka_unit_test(test_lower_half),
		cmocka_unit_test(test_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
