// SPDX-License-Identifier: MIT
/*
 * Shutdown beside a CPU that is in the midst of a map or an unmap: it stands
 * still before any one of its register accesses, holding its locks, and gets
 * on before any one of shutdown's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "kinds.h"

/* As the specification prints them; the driver's header is not used here. */
#define GSTS 0x1c
#define TE 0x80000000u
#define QIE 0x04000000u

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)
#define IOVA 0x40000000ull
#define IOVA_NEW 0x40200000ull

static const int just_a[] = { 0x10, -1 };

enum stand { RUNS, STANDS, IS_DONE };

/* What the other CPU does, and where it stands still. */
struct cpu {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum stand stand;
	unsigned int stand_at; /* its access, from 1 */
	bool once_more;	       /* and at the one after that */
	unsigned int accesses;
	unsigned int leave; /* to go on so many times */
	bool unmaps;
	int err;
};

/* One shutdown. */
struct end {
	struct rig rig;
	struct rig_device a;
	struct uiommu_hwdomain d;
	struct rig_page p;
	struct vtdm *unit;
	struct cpu other;
	bool shutting, let_go;
	unsigned int accesses, go_at;
};

static struct end end;
static _Thread_local bool is_other;

/* --- Two CPUs ------------------------------------------------------------- */

static void other_stands(struct cpu *c)
{
	pthread_mutex_lock(&c->lock);
	c->stand = STANDS;
	pthread_cond_broadcast(&c->changed);
	while (!c->leave)
		pthread_cond_wait(&c->changed, &c->lock);
	c->leave--;
	pthread_mutex_unlock(&c->lock);
}

/* It has arrived where it stands, or is through. */
static void other_wait(struct cpu *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->stand == RUNS)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

static void other_leave(struct cpu *c, unsigned int times)
{
	pthread_mutex_lock(&c->lock);
	if (c->stand == STANDS)
		c->stand = RUNS;
	c->leave += times;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static void on_access(struct uiommu_host *host, void *context)
{
	struct end *e = context;
	struct cpu *c = &e->other;

	(void)host;
	if (is_other) {
		c->accesses++;
		if (c->accesses == c->stand_at ||
		    (c->once_more && c->accesses == c->stand_at + 1))
			other_stands(c);
		return;
	}
	if (!e->shutting || ++e->accesses != e->go_at)
		return;
	e->let_go = true;
	other_leave(c, 1);
	other_wait(c);
}

static void *other_run(void *data)
{
	struct end *e = data;
	struct cpu *c = &e->other;

	is_other = true;
	if (c->unmaps)
		c->err = rig_unmap(&e->rig, &e->d, IOVA, 4096);
	else
		c->err = rig_map(&e->rig, &e->d, IOVA_NEW, e->p.paddr, 4096,
				 RW);
	pthread_mutex_lock(&c->lock);
	c->stand = IS_DONE;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- One shutdown --------------------------------------------------------- */

static void end_begin(const struct kind *kind, bool hangs, unsigned int ticks)
{
	struct rig *rig = &end.rig;

	memset(&end, 0, sizeof(end));
	kind_up(rig, kind);
	end.unit = rig->host->units[0];
	end.p = rig_page(rig, 4096);
	assert_int_equal(rig_device(rig, &end.a, just_a), 0);
	assert_int_equal(rig_domain(rig, &end.d, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_attach(rig, &end.a, &end.d), 0);
	assert_int_equal(rig_map(rig, &end.d, IOVA, end.p.paddr, 4096, RW), 0);
	assert_true(rig_reaches(rig, 0x10, IOVA, end.p));
	uiommu_vtd_ops.stays_on(rig->driver, 0, hangs);
	vtdm_knobs(end.unit)->cmd_ticks = ticks;
	pthread_mutex_init(&end.other.lock, NULL);
	pthread_cond_init(&end.other.changed, NULL);
	rig->host->on_mmio = on_access;
	rig->host->on_mmio_context = &end;
}

static void end_shutdown(bool keep)
{
	assert_int_equal(
		pthread_create(&end.other.thread, NULL, other_run, &end), 0);
	other_wait(&end.other);
	end.shutting = true;
	uiommu_vtd_ops.shutdown(end.rig.driver, keep);
	end.shutting = false;
}

/* Whatever it does now, nobody waits for it. */
static void end_other(void)
{
	other_leave(&end.other, 2);
	pthread_join(end.other.thread, NULL);
	pthread_mutex_destroy(&end.other.lock);
	pthread_cond_destroy(&end.other.changed);
	end.rig.host->on_mmio = NULL;
}

static void end_gone(void)
{
	assert_int_equal(vtdm_mem_violations(end.rig.host->mem), 0);
	rig_device_gone(&end.rig, &end.a);
	rig_domain_gone(&end.rig, &end.d);
	rig_page_gone(&end.rig, end.p, 4096);
	rig_down_leaking(&end.rig);
}

static uint32_t is_on(void)
{
	return vtdm_read32(end.unit, GSTS) & (TE | QIE);
}

/* --- Every access of one beside every access of the other ----------------- */

struct beside {
	const struct kind *kind;
	void (*check)(const struct beside *b);
	bool keep, hangs, unmaps, once_more;
	unsigned int ticks;
	uint32_t was_on;
	unsigned int tried;
};

/*
 * Does it stand between reading the status and writing a command, for longer
 * than shutdown takes? That nobody can know of.
 */
static bool is_late(const struct beside *b)
{
	const struct vtdm_config *m = &end.rig.config.units[0].model;

	return !b->unmaps && m->rwbf && !m->cm && end.other.stand == STANDS &&
	       end.other.accesses == 2;
}

/* False: shutdown has fewer accesses than @go. */
static bool beside_once(struct beside *b, unsigned int stand, unsigned int go)
{
	bool late;

	end_begin(b->kind, b->hangs, b->ticks);
	end.other.stand_at = stand;
	end.other.once_more = b->once_more;
	end.other.unmaps = b->unmaps;
	end.go_at = go;
	b->was_on = is_on();
	end_shutdown(b->keep);
	late = is_late(b);
	if (end.let_go) {
		b->check(b);
		b->tried++;
	}
	end_other();
	if (end.let_go && !late)
		b->check(b);
	end_gone();
	return end.let_go;
}

/* How many accesses the other CPU has if nobody is in its way. */
static unsigned int beside_accesses(struct beside *b)
{
	end_begin(b->kind, b->hangs, b->ticks);
	end.other.unmaps = b->unmaps;
	assert_int_equal(
		pthread_create(&end.other.thread, NULL, other_run, &end), 0);
	end_other();
	assert_int_equal(end.other.err, UIOMMU_OK);
	end_gone();
	return end.other.accesses;
}

static unsigned int beside_each(struct beside b)
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int accesses;

		b.unmaps = i & 1;
		b.once_more = i & 2;
		b.ticks = i & 4 ? 3 : 0;
		accesses = beside_accesses(&b);
		for (unsigned int stand = 1; stand <= accesses; stand++) {
			unsigned int go = 1;

			while (beside_once(&b, stand, go))
				go++;
		}
	}
	return b.tried;
}

/* By queue or by registers, with a write buffer or without. */
static const char *const names[] = { "write buffer", "registers", "all odd",
				     "caching mode", "old chipset" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	fail_msg("no kind %s", name);
	return NULL;
}

static void each_kind(struct beside b)
{
	for (size_t i = 0; i < NAMES; i++) {
		b.kind = kind_named(names[i]);
		assert_true(beside_each(b) > 20);
	}
}

/* --- What is to be -------------------------------------------------------- */

static void check_off(const struct beside *b)
{
	(void)b;
	assert_int_equal(is_on(), 0);
}

/* It writes back what it read before: that turns nothing on again. */
static void test_off(void **state)
{
	(void)state;
	each_kind((struct beside){ .check = check_off });
}

static void check_kept(const struct beside *b)
{
	assert_int_equal(is_on(), b->was_on);
	assert_int_equal(vtdm_stats(end.unit)->te_off, 0);
	if (end.other.stand != IS_DONE)
		return;
	/* it did not notice, either */
	assert_int_equal(end.other.err, UIOMMU_OK);
	assert_int_equal(rig_reaches(&end.rig, 0x10, IOVA, end.p), !b->unmaps);
	assert_int_equal(rig_reaches(&end.rig, 0x10, IOVA_NEW, end.p),
			 !b->unmaps);
	assert_int_equal(user_violations(end.rig.host), 0);
}

/* For a crash kernel nothing changes, not for the other CPU either. */
static void test_keep(void **state)
{
	(void)state;
	each_kind((struct beside){ .check = check_kept, .keep = true });
}

static void check_stays(const struct beside *b)
{
	(void)b;
	assert_int_equal(is_on(), TE);
	assert_int_equal(vtdm_stats(end.unit)->te_off, 0);
	/* never is all of memory open to it */
	assert_false(rig_reaches(&end.rig, 0x10, end.p.paddr, end.p));
}

/* What would hang without stays on, whoever does what. */
static void test_stays_on(void **state)
{
	(void)state;
	each_kind((struct beside){ .check = check_stays, .hangs = true });
}

/* Whoever comes later is told at once, and the unit hears nothing of it. */
static void test_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		struct rig *rig = &end.rig;
		uint64_t accesses;

		end_begin(kind_named(names[i]), false, 0);
		uiommu_vtd_ops.shutdown(rig->driver, false);
		accesses = vtdm_stats(end.unit)->mmio;
		assert_int_equal(rig_unmap(rig, &end.d, IOVA, 4096),
				 UIOMMU_EIO);
		if (end.d.map_sync)
			assert_int_equal(rig_map(rig, &end.d, IOVA_NEW,
						 end.p.paddr, 4096, RW),
					 UIOMMU_EIO);
		assert_int_equal(vtdm_stats(end.unit)->mmio, accesses);
		assert_int_equal(is_on(), 0);
		rig->host->on_mmio = NULL;
		end_gone();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_stays_on),
		cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests_name("vtd shutdown", tests, NULL, NULL);
}
