// SPDX-License-Identifier: MIT
/*
 * Devices that come and go on a running unit, also by surprise.
 *
 * The driver does not turn on address translation services (ATS), so no
 * invalidation waits for a device: one that was pulled cannot hold up the
 * queue. A unit that says so all the same (an emulated one, or ATS left on by
 * firmware) and one that does not finish are met with the bounds below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kinds.h"
#include "random.h"
#include "vtd/vtd_context.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

/* The driver waits so long for one thing; an op for a few of them. */
#define BOUND_NS ((uint64_t)RIG_TIMEOUT_US * 1000 * 16)

static const int rids_a[] = { 0x300, 0x308, -1 };
static const int rids_b[] = { 0x310, 0x308, -1 };

struct world {
	struct rig rig;
	struct rig_device a, b;
	struct uiommu_hwdomain one, blocked;
	struct rig_page p;
};

static struct world *world_up(const struct kind *kind)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	kind_up(&w.rig, kind);
	w.p = rig_page(&w.rig, 4096);
	assert_int_equal(rig_device(&w.rig, &w.a, rids_a), 0);
	assert_int_equal(rig_device(&w.rig, &w.b, rids_b), 0);
	assert_int_equal(rig_domain(&w.rig, &w.one, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(&w.rig, &w.blocked, UIOMMU_DOMAIN_BLOCKED),
			 0);
	assert_int_equal(rig_map(&w.rig, &w.one, 0, w.p.paddr, 4096, RW), 0);
	assert_int_equal(rig_attach(&w.rig, &w.a, &w.one), 0);
	assert_int_equal(rig_attach(&w.rig, &w.b, &w.one), 0);
	return &w;
}

static void world_empty(struct world *w)
{
	rig_device_gone(&w->rig, &w->a);
	rig_device_gone(&w->rig, &w->b);
	rig_domain_gone(&w->rig, &w->one);
	rig_domain_gone(&w->rig, &w->blocked);
	rig_page_gone(&w->rig, w->p, 4096);
}

static struct vtdm_knobs *knobs(struct world *w)
{
	return vtdm_knobs(w->rig.host->units[0]);
}

/* What is pulled answers nothing; nobody asks it, and nothing waits. */
static void test_surprise(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct world *w = world_up(&kinds[k]);
		const struct vtdm_stats *stats = vtdm_stats(
			w->rig.host->units[0]);

		assert_int_equal(rig_unmap(&w->rig, &w->one, 0, 4096), 0);
		rig_device_gone(&w->rig, &w->a);
		assert_int_equal(stats->dev_tlb, 0);
		assert_int_equal(
			rig_map(&w->rig, &w->one, 0, w->p.paddr, 4096, RW), 0);
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		world_empty(w);
		rig_down(&w->rig);
	}
}

/* A unit that reports a time-out, few times: all goes on. */
static void test_time_out_once(void **state)
{
	(void)state;
	for (unsigned int times = 1; times <= 3; times++) {
		struct world *w = world_up(&kinds[0]);
		uint64_t since = w->rig.host->now;

		knobs(w)->queue_error = VTDM_QERR_ITE;
		knobs(w)->queue_error_sid = 0x300;
		knobs(w)->queue_error_at =
			vtdm_stats(w->rig.host->units[0])->descriptors + 1;
		knobs(w)->queue_error_times = times;
		rig_device_gone(&w->rig, &w->a);
		assert_true(w->rig.host->now - since < BOUND_NS);
		assert_true(user_logged(w->rig.host, "device 0300 did not "
						     "answer"));
		assert_int_not_equal(rig_write(&w->rig, 0x300, 0), VTDM_OK);
		/* The one that shares an id with it lives on. */
		assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		assert_true(rig_reaches(&w->rig, 0x310, 0, w->p));
		assert_int_equal(rig_unmap(&w->rig, &w->one, 0, 4096), 0);
		assert_int_not_equal(rig_write(&w->rig, 0x310, 0), VTDM_OK);
		world_empty(w);
		rig_down(&w->rig);
	}
}

/* For ever, or never done: the unit is broken, in bounded time. */
static void test_never(void **state)
{
	(void)state;
	for (unsigned int how = 0; how < 2; how++) {
		struct world *w = world_up(&kinds[0]);
		uint64_t since = w->rig.host->now;

		if (how == 0) {
			knobs(w)->queue_error = VTDM_QERR_ITE;
			knobs(w)->queue_error_at =
				vtdm_stats(w->rig.host->units[0])->descriptors +
				1;
			knobs(w)->queue_error_times = UINT64_MAX;
		} else {
			knobs(w)->hang = VTDM_HANG_QUEUE;
		}
		rig_device_gone(&w->rig, &w->a);
		assert_true(w->rig.host->now - since < BOUND_NS);
		/* The next is told at once. */
		since = w->rig.host->now;
		assert_int_equal(rig_attach(&w->rig, &w->b, &w->blocked),
				 UIOMMU_EIO);
		rig_device_gone(&w->rig, &w->b);
		assert_true(w->rig.host->now - since < BOUND_NS);
		knobs(w)->hang = 0;
		knobs(w)->queue_error = VTDM_QERR_NONE;
		rig_domain_gone(&w->rig, &w->one);
		rig_domain_gone(&w->rig, &w->blocked);
		rig_page_gone(&w->rig, w->p, 4096);
		rig_down_leaking(&w->rig);
	}
}

static const struct vtd_entry *entry_of(const struct rig_device *dev,
					unsigned int index)
{
	const struct vtd_device *v = dev->hw.priv;
	uint16_t rid = dev->sids[index].rid;

	return &v->unit->bus[rid >> 8]->table[rid & 0xff];
}

struct keeper {
	const struct vtd_entry *at;
	unsigned long looks, absent;
};

static void keep(struct uiommu_host *host, void *context)
{
	struct keeper *k = context;

	(void)host;
	k->looks++;
	k->absent += !(k->at->lo & 1);
}

/* One requester id a hundred times; who shares one with it stays (R08). */
static void test_replug(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct world *w = world_up(&kinds[k]);
		struct keeper keeper = { .at = entry_of(&w->b, 1) };
		size_t pages = w->rig.host->pages;

		w->rig.host->on_mmio = keep;
		w->rig.host->on_mmio_context = &keeper;
		for (unsigned int i = 0; i < 100; i++) {
			rig_device_gone(&w->rig, &w->a);
			assert_int_not_equal(rig_write(&w->rig, 0x300, 0),
					     VTDM_OK);
			assert_int_equal(rig_device(&w->rig, &w->a, rids_a), 0);
			assert_int_not_equal(rig_write(&w->rig, 0x300, 0),
					     VTDM_OK);
			assert_int_equal(rig_attach(&w->rig, &w->a, &w->one),
					 0);
			assert_true(rig_reaches(&w->rig, 0x300, 0, w->p));
			assert_true(rig_reaches(&w->rig, 0x308, 0, w->p));
		}
		w->rig.host->on_mmio = NULL;
		assert_int_equal(w->rig.host->pages, pages);
		assert_true(keeper.looks >= 100);
		assert_int_equal(keeper.absent, 0);
		world_empty(w);
		rig_down(&w->rig);
	}
}

#define SHARERS 5u

/* Several with one id in common, in any order (R38, R39). */
static void test_any_order(void **state)
{
	static struct rig_device devices[SHARERS];
	struct random random;

	(void)state;
	random_init(&random, "any order");
	for (size_t k = 0; k < KINDS; k++) {
		struct world *w = world_up(&kinds[k]);
		bool in[SHARERS] = { false };
		unsigned int count = 0;

		for (unsigned int i = 0; i < 300; i++) {
			unsigned int n = (unsigned int)random_below(&random,
								    SHARERS);
			const int rids[] = { 0x400 + (int)n, 0x4f0, -1 };

			if (in[n]) {
				rig_device_gone(&w->rig, &devices[n]);
				count--;
			} else {
				assert_int_equal(
					rig_device(&w->rig, &devices[n], rids),
					0);
				assert_int_equal(rig_attach(&w->rig,
							    &devices[n],
							    &w->one),
						 0);
				count++;
			}
			in[n] = !in[n];
			assert_int_equal(rig_reaches(&w->rig, 0x4f0, 0, w->p),
					 count != 0);
			for (n = 0; n < SHARERS; n++)
				assert_int_equal(rig_reaches(&w->rig,
							     0x400 + (int)n, 0,
							     w->p),
						 in[n]);
		}
		for (unsigned int n = 0; n < SHARERS; n++)
			if (in[n])
				rig_device_gone(&w->rig, &devices[n]);
		world_empty(w);
		rig_down(&w->rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_surprise),
		cmocka_unit_test(test_time_out_once),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_replug),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
