// SPDX-License-Identifier: MIT
/* The invalidation queue: batches, errors, slowness, several CPUs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "rig.h"
#include "vtd/vtd_domain.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const int just_a[] = { 0x10, -1 };

struct life {
	struct rig rig;
	struct rig_device a;
	struct rig_device b; /* in the second unit, if there is one */
	struct uiommu_hwdomain d;
	struct rig_page p;
	struct vtdm *unit;
};

static void life_second(struct life *l)
{
	memset(&l->b, 0, sizeof(l->b));
	l->b.hw.sids = l->b.sids;
	l->b.hw.sid_count = 1;
	l->b.hw.unit = 1;
	assert_int_equal(uiommu_vtd_ops.device_init(l->rig.driver, &l->b.hw),
			 0);
	assert_int_equal(rig_attach(&l->rig, &l->b, &l->d), 0);
}

static void life_begin(struct life *l)
{
	struct rig *rig = &l->rig;

	rig_up(rig);
	l->unit = rig->host->units[0];
	l->p = rig_page(rig, 4096);
	assert_int_equal(rig_device(rig, &l->a, just_a), 0);
	assert_int_equal(rig_domain(rig, &l->d, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_attach(rig, &l->a, &l->d), 0);
	if (rig->config.unit_count > 1)
		life_second(l);
}

static void life_end(struct life *l)
{
	rig_device_gone(&l->rig, &l->a);
	if (l->rig.config.unit_count > 1)
		rig_device_gone(&l->rig, &l->b);
	rig_domain_gone(&l->rig, &l->d);
	rig_page_gone(&l->rig, l->p, 4096);
	rig_down(&l->rig);
}

static struct uiommu_range page_at(uint64_t iova)
{
	struct uiommu_range range = { iova, iova + 4095 };

	return range;
}

static struct uiommu_gather gather_of(unsigned int count)
{
	struct uiommu_gather g;

	uiommu_gather_init(&g);
	for (unsigned int i = 0; i < count; i++)
		g.ranges[i] = page_at((i + 1) << 20);
	g.count = count;
	return g;
}

/* R83: nothing to do costs nothing and wedges nothing. */
static void test_empty(void **state)
{
	static struct life l;
	struct uiommu_gather none = gather_of(0);
	struct vtd_unit *u;
	uint64_t tails;

	(void)state;
	rig_describe(&l.rig);
	life_begin(&l);
	u = uiommu_vtd_find_unit(l.rig.driver, 0);
	tails = vtdm_stats(l.unit)->tail_writes;
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(
			uiommu_vtd_ops.invalidate(l.rig.driver, &l.d, &none),
			0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(uiommu_vtd_run(u, NULL, 0), 0);
	assert_int_equal(vtdm_stats(l.unit)->tail_writes, tails);
	none = gather_of(1);
	assert_int_equal(uiommu_vtd_ops.invalidate(l.rig.driver, &l.d, &none),
			 0);
	life_end(&l);
}

/* One wait and one register write a batch, however often the ring wraps. */
static void test_batches(void **state)
{
	static struct life l;
	const struct vtdm_stats *stats;

	(void)state;
	rig_describe(&l.rig);
	life_begin(&l);
	stats = vtdm_stats(l.unit);
	for (unsigned int i = 0; i < 2000; i++) {
		struct uiommu_gather g = gather_of(1 + i % 4);
		struct vtdm_stats was = *stats;

		g.tables = i % 3 == 0;
		assert_int_equal(
			uiommu_vtd_ops.invalidate(l.rig.driver, &l.d, &g), 0);
		assert_int_equal(stats->descriptors - was.descriptors,
				 g.count + 1);
		assert_int_equal(stats->wait - was.wait, 1);
		assert_int_equal(stats->tail_writes - was.tail_writes, 1);
		assert_int_equal(stats->mmio - was.mmio, 1);
		assert_int_equal(stats->iotlb_page_ih - was.iotlb_page_ih,
				 g.tables ? 0 : g.count);
	}
	life_end(&l);
}

static int unmapped(struct life *l)
{
	int err;

	err = rig_map(&l->rig, &l->d, 0x7000, l->p.paddr, 4096, RW);
	if (err)
		return err;
	assert_true(rig_reaches(&l->rig, 0x10, 0x7000, l->p));
	err = rig_unmap(&l->rig, &l->d, 0x7000, 4096);
	if (!err)
		assert_false(rig_reaches(&l->rig, 0x10, 0x7000, l->p));
	return err;
}

static void test_slow(void **state)
{
	static struct life l;

	(void)state;
	for (unsigned int ticks = 1; ticks <= 256; ticks *= 4) {
		for (unsigned int kind = 0; kind < 4; kind++) {
			rig_describe(&l.rig);
			l.rig.config.units[0].model.qi = !(kind & 1);
			l.rig.config.units[0].model.rwbf = kind & 2;
			rig_memory(&l.rig);
			l.rig.host = user_host_create(&l.rig.config);
			vtdm_knobs(l.rig.host->units[0])->queue_ticks = ticks;
			vtdm_knobs(l.rig.host->units[0])->cmd_ticks = ticks;
			vtdm_knobs(l.rig.host->units[0])->cmd_reads = 3;
			life_begin(&l);
			assert_int_equal(unmapped(&l), 0);
			life_end(&l);
		}
	}
}

/* Past the deadline when it looks again: it still looks once. */
static void test_late(void **state)
{
	static struct life l;

	(void)state;
	for (unsigned int kind = 0; kind < 2; kind++) {
		rig_describe(&l.rig);
		l.rig.config.units[0].model.qi = !kind;
		l.rig.host = user_host_create(&l.rig.config);
		l.rig.timeout_us = 1;
		vtdm_knobs(l.rig.host->units[0])->queue_ticks = 1;
		vtdm_knobs(l.rig.host->units[0])->cmd_ticks = 1;
		life_begin(&l);
		assert_int_equal(unmapped(&l), 0);
		life_end(&l);
	}
}

/* A broken unit, though it would answer now. */
static void refused(struct life *l, struct uiommu_hwdomain *e,
		    struct uiommu_hwdomain *blocked)
{
	struct uiommu_driver *driver = l->rig.driver;
	struct uiommu_gather g = gather_of(1);
	uint64_t writes = vtdm_stats(l->unit)->mmio_writes;

	assert_int_equal(uiommu_vtd_ops.invalidate(driver, &l->d, &g),
			 UIOMMU_EIO);
	assert_int_equal(rig_attach(&l->rig, &l->a, e), UIOMMU_EIO);
	assert_int_equal(rig_attach(&l->rig, &l->a, blocked), UIOMMU_EIO);
	assert_int_equal(
		uiommu_vtd_ops.set_fault_interrupt(driver, 0, 0xfee00000, 0),
		UIOMMU_EIO);
	assert_int_equal(vtdm_stats(l->unit)->mmio_writes, writes);
	assert_int_equal(l->rig.host->event_count, 1);
}

static void hang(bool qi, unsigned int what)
{
	static struct life l;
	struct uiommu_gather g = gather_of(1);
	struct uiommu_hwdomain e, blocked;
	struct uiommu_unit_info info;

	rig_describe(&l.rig);
	l.rig.config.units[0].model.qi = qi;
	life_begin(&l);
	assert_int_equal(rig_domain(&l.rig, &e, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(&l.rig, &blocked, UIOMMU_DOMAIN_BLOCKED),
			 0);
	vtdm_knobs(l.unit)->hang = what;
	assert_int_equal(uiommu_vtd_ops.invalidate(l.rig.driver, &l.d, &g),
			 UIOMMU_ETIMEDOUT);
	assert_int_equal(uiommu_vtd_ops.unit_info(l.rig.driver, 0, &info), 0);
	assert_true(info.broken && info.translating);
	assert_int_equal(l.rig.host->event_count, 1);
	vtdm_knobs(l.unit)->hang = 0;
	refused(&l, &e, &blocked);
	rig_device_gone(&l.rig, &l.a);
	uiommu_vtd_ops.domain_fini(l.rig.driver, &l.d);
	uiommu_vtd_ops.domain_fini(l.rig.driver, &e);
	uiommu_vtd_ops.domain_fini(l.rig.driver, &blocked);
	assert_int_equal(user_violations(l.rig.host), 0);
	rig_down_leaking(&l.rig);
}

/* A unit that stops: the call that finds out says so, all after are refused. */
static void test_hang(void **state)
{
	(void)state;
	hang(true, VTDM_HANG_QUEUE);
	hang(false, VTDM_HANG_IOTLB);
	hang(false, VTDM_HANG_IOTLB | VTDM_HANG_CCMD);
}

/* A failed attach leaves the device where it was, in memory too. */
static void test_attach_hangs(void **state)
{
	static struct life l;

	(void)state;
	for (unsigned int qi = 0; qi < 2; qi++) {
		struct uiommu_hwdomain e;

		rig_describe(&l.rig);
		l.rig.config.units[0].model.qi = qi;
		life_begin(&l);
		assert_int_equal(rig_domain(&l.rig, &e, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(rig_map(&l.rig, &l.d, 0, l.p.paddr, 4096, RW),
				 0);
		assert_int_equal(
			rig_map(&l.rig, &l.d, 1u << 30, l.p.paddr, 4096, RW),
			0);
		vtdm_knobs(l.unit)->hang = VTDM_HANG_QUEUE | VTDM_HANG_CCMD;
		assert_int_equal(rig_attach(&l.rig, &l.a, &e),
				 UIOMMU_ETIMEDOUT);
		assert_true(rig_reaches(&l.rig, 0x10, 0, l.p));
		uiommu_vtd_ops.stop(l.rig.driver);
		/* what it may walk is still there, also what it did not yet */
		assert_true(rig_reaches(&l.rig, 0x10, 1u << 30, l.p));
		assert_int_equal(rig_write(&l.rig, 0x11, 0),
				 VTDM_FR_CTX_NOT_PRESENT);
		assert_int_equal(rig_write(&l.rig, 0x9900, 0),
				 VTDM_FR_ROOT_NOT_PRESENT);
		rig_device_gone(&l.rig, &l.a);
		uiommu_vtd_ops.domain_fini(l.rig.driver, &l.d);
		uiommu_vtd_ops.domain_fini(l.rig.driver, &e);
		assert_int_equal(user_violations(l.rig.host), 0);
		rig_down_leaking(&l.rig);
	}
}

/* Four mappings in the caches, and out of the tables again. */
static void stale(struct life *l, const struct uiommu_gather *g)
{
	for (unsigned int i = 0; i < g->count; i++) {
		struct uiommu_gather thrown_away;
		uint64_t bytes;

		assert_int_equal(rig_map(&l->rig, &l->d, g->ranges[i].first,
					 l->p.paddr, 4096, RW),
				 0);
		assert_true(
			rig_reaches(&l->rig, 0x10, g->ranges[i].first, l->p));
		uiommu_gather_init(&thrown_away);
		assert_int_equal(uiommu_pt_unmap(&l->d.pt, g->ranges[i], 0,
						 &thrown_away, &bytes),
				 0);
		uiommu_gather_free(&l->d.pt, &thrown_away);
		assert_true(
			rig_reaches(&l->rig, 0x10, g->ranges[i].first, l->p));
	}
}

static void survived(struct life *l, enum vtdm_queue_error kind,
		     const struct uiommu_gather *g)
{
	assert_int_equal(l->rig.host->event_count, 0);
	for (unsigned int i = 0; i < g->count; i++)
		assert_false(
			rig_reaches(&l->rig, 0x10, g->ranges[i].first, l->p));
	if (kind == VTDM_QERR_IQE)
		assert_true(user_logged(l->rig.host, "rejected invalidation"));
	if (kind == VTDM_QERR_ITE)
		assert_true(user_logged(l->rig.host, "device 0010 did not"));
	if (kind == VTDM_QERR_ICE) {
		(void)uiommu_vtd_ops.poll_faults(l->rig.driver);
		assert_true(user_logged(l->rig.host, "from device 0010"));
	}
	assert_int_equal(vtdm_read32(l->unit, 0x34) & 0x70, 0);
	assert_int_equal(unmapped(l), 0);
	life_end(l);
}

/*
 * An error at each place of a batch, once and more often: up to three in a
 * row are survived, and then what was to be forgotten is.
 */
static void errors(enum vtdm_queue_error kind, unsigned int place,
		   unsigned int times, unsigned int units)
{
	static struct life l;
	struct uiommu_gather g = gather_of(4);
	struct vtdm_knobs *knobs;
	int err;

	rig_describe(&l.rig);
	l.rig.config.unit_count = units;
	l.rig.config.units[0].model.dt = true;
	life_begin(&l);
	stale(&l, &g);
	g.tables = true;
	knobs = vtdm_knobs(l.unit);
	knobs->queue_error = kind;
	knobs->queue_error_at = vtdm_stats(l.unit)->descriptors + place;
	knobs->queue_error_times = times;
	knobs->queue_error_sid = 0x10;
	err = uiommu_vtd_ops.invalidate(l.rig.driver, &l.d, &g);
	if (kind == VTDM_QERR_ICE || times <= 3) {
		assert_int_equal(err, UIOMMU_OK);
		survived(&l, kind, &g);
		return;
	}
	assert_int_equal(err, UIOMMU_EIO);
	assert_non_null(user_event(l.rig.host, UIOMMU_EVENT_UNIT_BROKEN));
	rig_device_gone(&l.rig, &l.a);
	if (units > 1)
		rig_device_gone(&l.rig, &l.b);
	uiommu_vtd_ops.domain_fini(l.rig.driver, &l.d);
	rig_down_leaking(&l.rig);
}

static void test_errors(void **state)
{
	(void)state;
	for (unsigned int place = 1; place <= 5; place++) {
		for (unsigned int times = 1; times <= 5; times++) {
			for (unsigned int units = 1; units <= 2; units++) {
				errors(VTDM_QERR_IQE, place, times, units);
				errors(VTDM_QERR_ITE, place, times, units);
				errors(VTDM_QERR_ICE, place, times, units);
			}
		}
	}
}

/* --- Batches by hand ------------------------------------------------------ */

static void submit(struct life *l, struct vtd_ticket *ticket)
{
	struct vtd_unit *u = uiommu_vtd_find_unit(l->rig.driver, 0);
	struct uiommu_gather g = gather_of(4);
	struct vtd_desc descs[VTD_GATHER_DESCS];

	assert_int_equal(uiommu_vtd_iotlb_gather(&u->caps, 5, &g, descs), 4);
	assert_int_equal(uiommu_vtd_submit(u, descs, 4, ticket), 0);
}

/* What a wait looks like: fenced, and told in memory alone. */
static void test_wait(void **state)
{
	static struct life l;
	struct vtd_ticket ticket;
	struct vtd_unit *u;
	const struct vtd_desc *wait;

	(void)state;
	rig_describe(&l.rig);
	life_begin(&l);
	u = uiommu_vtd_find_unit(l.rig.driver, 0);
	submit(&l, &ticket);
	wait = &u->ring[(ticket.number - 1) % 256];
	assert_int_equal(wait->lo, (uint64_t)ticket.number << 32 | 0x65);
	assert_int_equal(wait->hi, u->status_paddr);
	assert_int_equal(*u->status, ticket.number);
	assert_int_equal(uiommu_vtd_wait(u, &ticket), 0);
	life_end(&l);
}

/* Without a queue, a command that the unit ignores is an error, not done. */
static void test_ignored_command(void **state)
{
	static struct life l;
	struct vtd_desc too_wide = { 0x50032, 12 };
	struct vtd_unit *u;

	(void)state;
	rig_describe(&l.rig);
	l.rig.config.units[0].model.qi = false;
	l.rig.config.units[0].model.mamv = 9;
	life_begin(&l);
	u = uiommu_vtd_find_unit(l.rig.driver, 0);
	assert_int_equal(uiommu_vtd_run(u, &too_wide, 1), UIOMMU_EIO);
	assert_true(uiommu_vtd_broken(u));
	rig_device_gone(&l.rig, &l.a);
	uiommu_vtd_ops.domain_fini(l.rig.driver, &l.d);
	rig_down_leaking(&l.rig);
}

/* More than fit: the ring is used to its last slot, and nothing is lost. */
static void test_full(void **state)
{
	static struct life l;
	struct vtd_ticket tickets[120];
	const struct vtdm_stats *stats;
	struct vtd_unit *u;
	uint64_t pages;

	(void)state;
	for (unsigned int shift = 0; shift < 7; shift++) {
		rig_describe(&l.rig);
		life_begin(&l);
		u = uiommu_vtd_find_unit(l.rig.driver, 0);
		stats = vtdm_stats(l.unit);
		for (unsigned int i = 0; i < shift; i++) {
			submit(&l, &tickets[0]);
			assert_int_equal(uiommu_vtd_wait(u, &tickets[0]), 0);
		}
		pages = stats->iotlb_page;
		vtdm_knobs(l.unit)->queue_ticks = 50;
		for (unsigned int i = 0; i < 120; i++) {
			submit(&l, &tickets[i]);
			/* the first that does not fit makes time pass */
			assert_int_equal(stats->iotlb_page == pages, i < 51);
		}
		for (unsigned int i = 0; i < 120; i++)
			assert_int_equal(uiommu_vtd_wait(u, &tickets[i]), 0);
		assert_int_equal(stats->iotlb_page - pages, 4 * 120);
		vtdm_knobs(l.unit)->queue_ticks = 0;
		life_end(&l);
	}
}

/*
 * A time-out loses a batch; one behind it completes, and its number is the
 * higher. The first is not done for that.
 */
static void test_passed(void **state)
{
	static struct life l;
	struct vtd_ticket first, second;
	struct vtdm_knobs *knobs;
	struct vtd_unit *u;

	(void)state;
	rig_describe(&l.rig);
	l.rig.config.units[0].model.dt = true;
	life_begin(&l);
	u = uiommu_vtd_find_unit(l.rig.driver, 0);
	knobs = vtdm_knobs(l.unit);
	knobs->queue_error = VTDM_QERR_ITE;
	knobs->queue_error_at = vtdm_stats(l.unit)->descriptors + 2;
	knobs->queue_error_times = 1;
	submit(&l, &first);
	submit(&l, &second);
	/* somebody, not the first batch's owner, gets the queue going */
	assert_int_equal(uiommu_vtd_queue_service(u), 0);
	assert_true((int32_t)(*u->status - first.number) >= 0);
	assert_int_equal(uiommu_vtd_wait(u, &first), VTD_AGAIN);
	submit(&l, &first);
	assert_int_equal(uiommu_vtd_wait(u, &first), 0);
	life_end(&l);
}

/* --- Several CPUs --------------------------------------------------------- */

#define CPUS 4u
#define ROUNDS 300u

struct cpu {
	pthread_t thread;
	struct life *life;
	unsigned int index;
	unsigned int failed;
	bool faults;
};

/* Maps, uses and unmaps in a range of its own; a stale access is a failure. */
static void *cpu_run(void *arg)
{
	struct cpu *cpu = arg;
	struct life *l = cpu->life;
	uint64_t base = (uint64_t)(cpu->index + 1) << 30;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct uiommu_range range = page_at(base + (i % 7) * 4096);
		struct uiommu_gather g;
		uint64_t bytes;
		uint8_t byte = 0;

		uiommu_gather_init(&g);
		if (uiommu_pt_map(&l->d.pt, range, l->p.paddr, RW, 1, &g))
			cpu->failed++;
		if (vtdm_dma(l->unit, 0x10, range.first, true, &byte, 1))
			cpu->failed++;
		if (uiommu_pt_unmap(&l->d.pt, range, 1, &g, &bytes) ||
		    uiommu_vtd_ops.invalidate(l->rig.driver, &l->d, &g))
			cpu->failed++;
		uiommu_gather_free(&l->d.pt, &g);
		if (!vtdm_dma(l->unit, 0x10, range.first, true, &byte, 1))
			cpu->failed++;
		if (cpu->faults)
			(void)uiommu_vtd_ops.poll_faults(l->rig.driver);
	}
	return NULL;
}

static void cpus(unsigned int ticks, enum vtdm_queue_error kind, bool qi)
{
	static struct life l;
	struct cpu cpu[CPUS];
	struct vtdm_knobs *knobs;

	rig_describe(&l.rig);
	l.rig.config.units[0].model.dt = qi;
	l.rig.config.units[0].model.qi = qi;
	l.rig.timeout_us = 1000000;
	life_begin(&l);
	knobs = vtdm_knobs(l.unit);
	knobs->queue_ticks = ticks;
	knobs->queue_error = kind;
	knobs->queue_error_at = vtdm_stats(l.unit)->descriptors + 200;
	knobs->queue_error_times = 1;
	for (unsigned int i = 0; i < CPUS; i++) {
		cpu[i] = (struct cpu){ .life = &l,
				       .index = i,
				       .faults = i == 0 };
		assert_int_equal(
			pthread_create(&cpu[i].thread, NULL, cpu_run, &cpu[i]),
			0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		assert_int_equal(pthread_join(cpu[i].thread, NULL), 0);
		assert_int_equal(cpu[i].failed, 0);
	}
	knobs->queue_ticks = 0;
	life_end(&l);
}

static void test_cpus(void **state)
{
	(void)state;
	cpus(0, VTDM_QERR_NONE, true);
	cpus(3, VTDM_QERR_NONE, true);
	cpus(3, VTDM_QERR_IQE, true);
	cpus(3, VTDM_QERR_ITE, true);
	cpus(3, VTDM_QERR_ICE, true);
	cpus(0, VTDM_QERR_NONE, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_attach_hangs),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_ignored_command),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_passed),
		cmocka_unit_test(test_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
