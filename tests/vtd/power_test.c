// SPDX-License-Identifier: MIT
/*
 * Suspend, resume and shutdown: with and without a loss of power, every wait
 * timing out in turn, and with the locks of a CPU that stopped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "kinds.h"
#include "vtd/vtd_domain.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_queue.h"

/* As the specification prints them; the driver's header is not used here. */
#define GCMD 0x18
#define GSTS 0x1c
#define RTADDR 0x20
#define FECTL 0x38
#define PMEN 0x64
#define IQH 0x80
#define IQT 0x88
#define TE 0x80000000u
#define SRTP 0x40000000u
#define QIE 0x04000000u
#define EPM 0x80000000u
#define IM 0x80000000u

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)
#define IOVA 0x40000000ull

static const int just_a[] = { 0x10, -1 };

struct life {
	struct rig rig;
	struct rig_device a;
	struct rig_device b; /* in the second unit, if there is one */
	struct uiommu_hwdomain d;
	struct rig_page p;
	struct vtdm *unit;
	uint64_t irqs, irq_address;
	uint32_t irq_data;
};

static struct life life;

static void on_irq(void *context, uint64_t address, uint32_t data)
{
	struct life *l = context;

	l->irqs++;
	l->irq_address = address;
	l->irq_data = data;
}

static void life_describe(void)
{
	memset(&life, 0, sizeof(life));
	rig_describe(&life.rig);
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		life.rig.config.units[i].model.irq = on_irq;
		life.rig.config.units[i].model.irq_ctx = &life;
	}
}

/* A device that reaches a page, and a message for faults. */
static void life_begin(void)
{
	struct rig *rig = &life.rig;

	rig_up(rig);
	life.unit = rig->host->units[0];
	life.p = rig_page(rig, 4096);
	assert_int_equal(rig_device(rig, &life.a, just_a), 0);
	assert_int_equal(rig_domain(rig, &life.d, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_attach(rig, &life.a, &life.d), 0);
	if (rig->config.unit_count > 1) {
		life.b.hw.sids = life.b.sids;
		life.b.hw.sid_count = 1;
		life.b.hw.unit = 1;
		assert_int_equal(
			uiommu_vtd_ops.device_init(rig->driver, &life.b.hw), 0);
		assert_int_equal(rig_attach(rig, &life.b, &life.d), 0);
	}
	assert_int_equal(rig_map(rig, &life.d, IOVA, life.p.paddr, 4096, RW),
			 0);
	assert_int_equal(uiommu_vtd_ops.set_fault_interrupt(
				 rig->driver, 0, 0x1fee12340ull, 0x4321),
			 0);
}

static void life_gone(void)
{
	rig_device_gone(&life.rig, &life.a);
	if (life.rig.config.unit_count > 1)
		rig_device_gone(&life.rig, &life.b);
	rig_domain_gone(&life.rig, &life.d);
	rig_page_gone(&life.rig, life.p, 4096);
}

static void life_end(void)
{
	life_gone();
	rig_down(&life.rig);
}

static bool reaches(void)
{
	return rig_reaches(&life.rig, 0x10, IOVA, life.p);
}

static struct vtd_unit *driver_unit(unsigned int index)
{
	struct vtd_driver *d = (struct vtd_driver *)life.rig.driver;
	struct vtd_unit *u = d->units;

	while (index--)
		u = u->next;
	return u;
}

static bool is_broken(unsigned int index)
{
	struct uiommu_unit_info info;

	assert_int_equal(
		uiommu_vtd_ops.unit_info(life.rig.driver, index, &info), 0);
	return info.broken;
}

/*
 * As a kernel does it, on one CPU with interrupts off: a spin lock is held, so
 * that the host aborts on whatever may sleep, and no call may allocate.
 */
static int quietly(int (*op)(struct uiommu_driver *driver))
{
	struct uiommu_lock *lock = uiommu_host_lock_create(life.rig.host,
							   UIOMMU_LOCK_SPIN);
	uint64_t calls = life.rig.host->calls;
	unsigned long state = uiommu_host_lock_acquire(lock);
	int err = op(life.rig.driver);

	uiommu_host_lock_release(lock, state);
	assert_int_equal(life.rig.host->calls, calls);
	uiommu_host_lock_destroy(life.rig.host, lock);
	return err;
}

static void lose_power(void)
{
	for (unsigned int i = 0; i < life.rig.config.unit_count; i++)
		vtdm_reset(life.rig.host->units[i]);
}

/* Mapped, unmapped and faulting, all as it should be. */
static void check_works(void)
{
	struct rig *rig = &life.rig;

	assert_true(reaches());
	assert_int_equal(
		rig_map(rig, &life.d, IOVA + 0x200000, life.p.paddr, 4096, RW),
		0);
	assert_true(rig_reaches(rig, 0x10, IOVA + 0x200000, life.p));
	assert_int_equal(rig_unmap(rig, &life.d, IOVA + 0x200000, 4096), 0);
	life.irqs = 0;
	assert_int_equal(rig_write(rig, 0x10, IOVA + 0x200000), VTDM_FR_WRITE);
	assert_int_equal(life.irqs, 1);
	assert_int_equal(life.irq_address, 0x1fee12340ull);
	assert_int_equal(life.irq_data, 0x4321);
	assert_int_equal(uiommu_vtd_ops.poll_faults(rig->driver), 1);
	assert_int_not_equal(rig_write(rig, 0x18, IOVA), VTDM_OK);
	assert_int_equal(uiommu_vtd_ops.poll_faults(rig->driver), 1);
	assert_int_equal(user_violations(rig->host), 0);
}

/* --- Suspend and resume --------------------------------------------------- */

static void test_kinds(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (int power = 0; power < 2; power++) {
			life_describe();
			kinds[k].set(&life.rig.config.units[0].model);
			life_begin();
			assert_true(reaches());
			assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
			assert_int_equal(
				vtdm_read32(life.unit, GSTS) & (TE | QIE), 0);
			assert_int_equal(vtdm_read32(life.unit, FECTL) & IM,
					 IM);
			/* Physical now, as direct regions want it. */
			assert_true(rig_reaches(&life.rig, 0x10, life.p.paddr,
						life.p));
			if (!power)
				lose_power();
			assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
			check_works();
			/* And once more. */
			assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
			lose_power();
			assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
			check_works();
			life_end();
		}
	}
}

/* A message that was never asked for stays away. */
static void test_masked(void **state)
{
	(void)state;
	life_describe();
	rig_up(&life.rig);
	life.unit = life.rig.host->units[0];
	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	lose_power();
	assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
	assert_int_equal(vtdm_read32(life.unit, FECTL) & IM, IM);
	assert_int_not_equal(rig_write(&life.rig, 0x10, IOVA), VTDM_OK);
	assert_int_equal(life.irqs, 0);
	assert_int_equal(uiommu_vtd_ops.poll_faults(life.rig.driver), 1);
	rig_down(&life.rig);
}

/* What units cache may be from before, from firmware, or from anybody. */
static void test_stale(void **state)
{
	struct rig_page other;

	(void)state;
	life_describe();
	life_begin();
	other = rig_page(&life.rig, 4096);
	assert_true(reaches());
	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	/* Somebody used the unit, with the same domain ids. */
	vtdm_write64(life.unit, RTADDR, driver_unit(0)->root_paddr);
	vtdm_write32(life.unit, GCMD, SRTP);
	vtdm_write32(life.unit, GCMD, TE);
	assert_true(reaches());
	vtdm_violations_clear(life.unit);
	assert_true(vtdm_holds(life.unit, 0x10, IOVA));
	assert_int_equal(
		uiommu_pt_unmap(&life.d.pt,
				(struct uiommu_range){ IOVA, IOVA + 4095 }, 0,
				&(struct uiommu_gather){ 0 }, &(uint64_t){ 0 }),
		0);
	assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
	assert_int_equal(rig_write(&life.rig, 0x10, IOVA), VTDM_FR_WRITE);
	assert_int_equal(
		rig_map(&life.rig, &life.d, IOVA, other.paddr, 4096, RW), 0);
	assert_true(rig_reaches(&life.rig, 0x10, IOVA, other));
	rig_page_gone(&life.rig, other, 4096);
	life_end();
}

/* Firmware woke up first: its queue, its protected memory, its faults. */
static void test_firmware(void **state)
{
	uint64_t off;

	(void)state;
	life_describe();
	life_begin();
	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	lose_power();
	vtdm_write64(life.unit, 0x90, life.p.paddr); /* IQA */
	vtdm_write32(life.unit, GCMD, QIE);
	vtdm_write32(life.unit, PMEN, EPM);
	vtdm_fault_inject(life.unit, 0x28, 0x5000, true, 5);
	/* It even translates, by tables that ours cannot follow while it does. */
	vtdm_write64(life.unit, RTADDR, life.p.paddr);
	vtdm_write32(life.unit, GCMD, QIE | SRTP);
	vtdm_write32(life.unit, GCMD, QIE | TE);
	vtdm_write64(life.unit, RTADDR, life.p.paddr | 1u << 10);
	vtdm_violations_clear(life.unit);
	off = vtdm_stats(life.unit)->te_off;
	assert_int_equal(uiommu_vtd_ops.resume(life.rig.driver), 0);
	assert_int_equal(vtdm_stats(life.unit)->te_off, off + 1);
	assert_int_equal(vtdm_read32(life.unit, PMEN), 0);
	assert_non_null(user_event(life.rig.host, UIOMMU_EVENT_FAULT));
	assert_int_equal(user_event(life.rig.host, UIOMMU_EVENT_FAULT)->sid.rid,
			 0x28);
	check_works();
	life_end();
}

/* What was recorded would be lost with the power. */
static void test_faults_told(void **state)
{
	(void)state;
	life_describe();
	life_begin();
	assert_int_equal(rig_write(&life.rig, 0x10, 0x1000), VTDM_FR_WRITE);
	assert_null(user_event(life.rig.host, UIOMMU_EVENT_FAULT));
	assert_int_equal(uiommu_vtd_ops.suspend(life.rig.driver), 0);
	assert_non_null(user_event(life.rig.host, UIOMMU_EVENT_FAULT));
	assert_int_equal(user_event(life.rig.host, UIOMMU_EVENT_FAULT)->address,
			 0x1000);
	lose_power();
	assert_int_equal(uiommu_vtd_ops.resume(life.rig.driver), 0);
	check_works();
	life_end();
}

static void test_half_full(void **state)
{
	struct vtd_desc descs[8];
	struct vtd_ticket ticket;
	struct vtd_unit *u;
	uint64_t before;

	(void)state;
	life_describe();
	life.rig.timeout_us = 100000;
	life_begin();
	u = driver_unit(0);
	for (unsigned int i = 0; i < 8; i++)
		descs[i] = uiommu_vtd_iotlb_domain(&u->caps, 2);
	vtdm_knobs(life.unit)->queue_ticks = 50;
	before = vtdm_stats(life.unit)->iotlb_domain;
	for (unsigned int i = 0; i < 14; i++)
		assert_int_equal(uiommu_vtd_submit(u, descs, 8, &ticket), 0);
	assert_int_equal(vtdm_stats(life.unit)->iotlb_domain, before);
	assert_int_not_equal(vtdm_read64(life.unit, IQH),
			     vtdm_read64(life.unit, IQT));
	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	assert_int_equal(vtdm_stats(life.unit)->iotlb_domain - before, 112);
	assert_int_equal(uiommu_vtd_wait(u, &ticket), 0);
	lose_power();
	vtdm_knobs(life.unit)->queue_ticks = 0;
	assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
	check_works();
	life_end();
}

/* --- What goes wrong ------------------------------------------------------ */

static const struct {
	unsigned int hang;
	bool registers, buffered;
} hangs[] = {
	{ VTDM_HANG_TE, false, false },	   { VTDM_HANG_SRTP, false, false },
	{ VTDM_HANG_WBF, false, true },	   { VTDM_HANG_QIE, false, false },
	{ VTDM_HANG_QUEUE, false, false }, { VTDM_HANG_CCMD, true, false },
	{ VTDM_HANG_IOTLB, true, false },
};
#define HANGS (sizeof(hangs) / sizeof(hangs[0]))

/* Two units, the second plain; the first of version 6, or with far registers. */
static void pair_begin(size_t i, size_t odd)
{
	struct vtdm_config *m = &life.rig.config.units[0].model;

	life_describe();
	life.rig.config.unit_count = 2;
	m->qi = !hangs[i].registers;
	m->rwbf = hangs[i].buffered;
	m->version = odd == 1 ? 0x60 : m->version;
	m->iro = odd == 2 ? 0x1ff0 : m->iro;
	life_begin();
}

static void check_other(void)
{
	uint8_t mark = 0x33;

	assert_false(is_broken(1));
	assert_int_equal(
		vtdm_dma(life.rig.host->units[1], 0, IOVA, true, &mark, 1),
		VTDM_OK);
	assert_int_equal(life.p.bytes[0], 0x33);
	assert_int_not_equal(
		vtdm_dma(life.rig.host->units[1], 0, 0x1000, true, &mark, 1),
		VTDM_OK);
}

/* A unit fails in suspend; the rest sleeps, and all wakes up. */
static void test_suspend_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * HANGS; i++) {
		size_t h = i / 2;
		bool power = i % 2;

		if (hangs[h].hang == VTDM_HANG_SRTP)
			continue; /* not in suspend */
		pair_begin(h, 0);
		vtdm_knobs(life.unit)->hang = hangs[h].hang;
		assert_int_equal(uiommu_vtd_ops.suspend(life.rig.driver),
				 UIOMMU_ETIMEDOUT);
		assert_true(is_broken(0));
		assert_false(is_broken(1));
		assert_int_equal(
			vtdm_read32(life.rig.host->units[1], GSTS) & TE, 0);
		vtdm_knobs(life.unit)->hang = 0;
		if (power)
			lose_power();
		assert_int_equal(uiommu_vtd_ops.resume(life.rig.driver), 0);
		assert_true(is_broken(0));
		check_other();
		/* Lost power: it refuses all. Else it is as it was. */
		if (power)
			assert_int_equal(rig_write(&life.rig, 0x10, IOVA),
					 VTDM_FR_ROOT_NOT_PRESENT);
		assert_int_not_equal(rig_write(&life.rig, 0x10, 0x1000),
				     VTDM_OK);
		life_gone();
		rig_down_leaking(&life.rig);
	}
}

/*
 * Whatever of it fails, it refuses all if it can be turned on; also where it
 * has no registers to invalidate by, or they are out of reach.
 */
static void test_resume_fails(void **state)
{
	(void)state;
	for (size_t turn = 0; turn < 3 * HANGS; turn++) {
		size_t i = turn / 3;

		if (turn % 3 && hangs[i].registers)
			continue;
		pair_begin(i, turn % 3);
		assert_int_equal(uiommu_vtd_ops.suspend(life.rig.driver), 0);
		lose_power();
		vtdm_knobs(life.unit)->hang = hangs[i].hang;
		assert_int_equal(uiommu_vtd_ops.resume(life.rig.driver),
				 UIOMMU_ETIMEDOUT);
		assert_true(is_broken(0));
		check_other();
		if (hangs[i].hang != VTDM_HANG_TE)
			assert_int_not_equal(
				rig_write(&life.rig, 0x10, life.p.paddr),
				VTDM_OK);
		assert_int_equal(vtdm_stats(life.unit)->bad_inv, 0);
		life_gone();
		rig_down_leaking(&life.rig);
	}
}

/* Gone, or stuck: at every access of the way back. */
static void test_resume_dead(void **state)
{
	(void)state;
	for (int mode = 0; mode < 2; mode++) {
		uint64_t accesses = 1;

		for (uint64_t at = 0; at < accesses; at++) {
			uint64_t begin;
			int err;

			pair_begin(0, 0);
			assert_int_equal(
				uiommu_vtd_ops.suspend(life.rig.driver), 0);
			lose_power();
			begin = vtdm_stats(life.unit)->mmio;
			if (at) {
				vtdm_knobs(life.unit)->dead_at = begin + at;
				vtdm_knobs(life.unit)->dead_mode =
					mode ? VTDM_DEAD_ONES : VTDM_DEAD_STALE;
			}
			err = uiommu_vtd_ops.resume(life.rig.driver);
			if (!at) {
				assert_int_equal(err, 0);
				accesses = vtdm_stats(life.unit)->mmio - begin;
				assert_true(accesses > 20);
			}
			assert_true(!err == !is_broken(0));
			/* All ones is not taken for an answer. */
			if (at && at < accesses - 1 && mode)
				assert_true(is_broken(0));
			check_other();
			life_gone();
			rig_down_leaking(&life.rig);
		}
	}
}

/* What answers is another unit: tables for ours may mean anything to it. */
static void test_resume_other(void **state)
{
	(void)state;
	pair_begin(0, 0);
	assert_int_equal(uiommu_vtd_ops.suspend(life.rig.driver), 0);
	lose_power();
	driver_unit(0)->caps.cap ^= 1;
	assert_int_equal(uiommu_vtd_ops.resume(life.rig.driver), UIOMMU_EIO);
	assert_true(is_broken(0));
	assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), 0);
	check_other();
	life_gone();
	rig_down_leaking(&life.rig);
}

/* --- Shutdown ------------------------------------------------------------- */

/* All locks are held by a CPU that will not go on: this one. */
static void shutdown_stuck(bool keep)
{
	struct uiommu_lock *locks[] = { driver_unit(0)->lock,
					driver_unit(0)->fault_lock };
	uint64_t calls = life.rig.host->calls;
	uint64_t events = life.rig.host->event_count;
	unsigned long states[2];

	for (unsigned int i = 0; i < 2; i++)
		states[i] = uiommu_host_lock_acquire(locks[i]);
	uiommu_vtd_ops.shutdown(life.rig.driver, keep);
	for (unsigned int i = 0; i < 2; i++)
		uiommu_host_lock_release(locks[i], states[i]);
	assert_int_equal(life.rig.host->calls, calls);
	assert_int_equal(life.rig.host->event_count, events);
}

static void test_shutdown(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		life_describe();
		kinds[k].set(&life.rig.config.units[0].model);
		life_begin();
		vtdm_write32(life.unit, PMEN, EPM);
		shutdown_stuck(false);
		assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), 0);
		assert_int_equal(vtdm_read32(life.unit, PMEN), 0);
		assert_int_equal(vtdm_read32(life.unit, FECTL) & IM, IM);
		assert_true(rig_reaches(&life.rig, 0x10, life.p.paddr, life.p));
		assert_int_equal(user_violations(life.rig.host), 0);
		life_gone();
		rig_down_leaking(&life.rig);
	}
}

static void test_shutdown_keep(void **state)
{
	uint64_t writes;

	(void)state;
	life_describe();
	life_begin();
	vtdm_write32(life.unit, PMEN, EPM);
	writes = vtdm_stats(life.unit)->mmio_writes;
	shutdown_stuck(true);
	assert_int_equal(vtdm_stats(life.unit)->mmio_writes - writes, 1);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), TE | QIE);
	assert_int_equal(vtdm_read32(life.unit, PMEN) & EPM, EPM);
	assert_int_equal(rig_write(&life.rig, 0x10, 0x1000), VTDM_FR_WRITE);
	assert_int_equal(life.irqs, 0);
	vtdm_write32(life.unit, PMEN, 0);
	assert_true(reaches());
	life_end();
}

/* The command of the stopped CPU is waited for, and ours is the next. */
static void test_shutdown_busy(void **state)
{
	(void)state;
	life_describe();
	life.rig.config.units[0].model.rwbf = true;
	life_begin();
	vtdm_knobs(life.unit)->cmd_ticks = 5;
	vtdm_write32(life.unit, GCMD, TE | QIE | 0x08000000u); /* WBF */
	shutdown_stuck(false);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), 0);
	assert_int_equal(user_violations(life.rig.host), 0);
	life_gone();
	rig_down_leaking(&life.rig);

	life_describe();
	life_begin();
	vtdm_knobs(life.unit)->cmd_ticks = 5;
	vtdm_write32(life.unit, GCMD, TE | QIE | SRTP);
	shutdown_stuck(false);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), 0);
	assert_int_equal(user_violations(life.rig.host), 0);
	life_gone();
	rig_down_leaking(&life.rig);
}

/* A batch in the ring whose CPU stopped: it ends before its memory goes. */
static void test_shutdown_half_full(void **state)
{
	struct vtd_desc desc;
	struct vtd_ticket ticket;
	struct vtd_unit *u;

	(void)state;
	life_describe();
	life_begin();
	u = driver_unit(0);
	desc = uiommu_vtd_iotlb_global(&u->caps);
	vtdm_knobs(life.unit)->queue_ticks = 20;
	for (unsigned int i = 0; i < 60; i++)
		assert_int_equal(uiommu_vtd_submit(u, &desc, 1, &ticket), 0);
	shutdown_stuck(false);
	assert_int_equal(*u->status, ticket.number);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), 0);
	assert_int_equal(user_violations(life.rig.host), 0);
	life_gone();
	rig_down_leaking(&life.rig);
}

static void freeze(struct uiommu_host *host, void *context)
{
	(void)context;
	host->now = 1;
}

/* Whatever does not end, with a clock and without: shutdown does. */
static void test_shutdown_hangs(void **state)
{
	static const unsigned int bits[] = { VTDM_HANG_TE, VTDM_HANG_QIE,
					     VTDM_HANG_PMEN, VTDM_HANG_QUEUE };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint64_t now;

		life_describe();
		life_begin();
		vtdm_write32(life.unit, PMEN, EPM);
		vtdm_knobs(life.unit)->hang = bits[i];
		if (bits[i] == VTDM_HANG_QUEUE)
			vtdm_write64(life.unit, IQT,
				     (vtdm_read64(life.unit, IQT) + 16) &
					     0xff0);
		now = life.rig.host->now;
		shutdown_stuck(false);
		assert_in_range(life.rig.host->now - now, RIG_TIMEOUT_US * 1000,
				5 * RIG_TIMEOUT_US * 1000);
		if (bits[i] != VTDM_HANG_TE)
			assert_int_equal(vtdm_read32(life.unit, GSTS) & TE, 0);
		life_gone();
		rig_down_leaking(&life.rig);
	}
	life_describe();
	life_begin();
	vtdm_knobs(life.unit)->hang = VTDM_HANG_TE;
	life.rig.host->on_mmio = freeze;
	shutdown_stuck(false);
	assert_true(user_logged(life.rig.host, "translation did not stop"));
	life.rig.host->on_mmio = NULL;
	life_gone();
	rig_down_leaking(&life.rig);
}

/* A broken unit is turned off if it can be, one that is gone is let be. */
static void test_shutdown_broken(void **state)
{
	uint64_t writes;

	(void)state;
	life_describe();
	life_begin();
	vtdm_knobs(life.unit)->hang = VTDM_HANG_QUEUE;
	assert_int_equal(rig_unmap(&life.rig, &life.d, IOVA, 4096),
			 UIOMMU_ETIMEDOUT);
	assert_true(is_broken(0));
	shutdown_stuck(false);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & TE, 0);
	vtdm_knobs(life.unit)->dead_mode = VTDM_DEAD_ONES;
	vtdm_knobs(life.unit)->dead_at = 1;
	writes = vtdm_stats(life.unit)->mmio_writes;
	shutdown_stuck(false);
	assert_int_equal(vtdm_stats(life.unit)->mmio_writes, writes);
	life_gone();
	rig_down_leaking(&life.rig);
}

/* Before start firmware's protection stands. */
static void test_shutdown_not_started(void **state)
{
	(void)state;
	life_describe();
	assert_int_equal(rig_make(&life.rig), 0);
	life.unit = life.rig.host->units[0];
	shutdown_stuck(false);
	assert_int_equal(vtdm_stats(life.unit)->mmio_writes, 0);
	assert_int_equal(uiommu_vtd_ops.suspend(life.rig.driver), UIOMMU_EBUSY);
	assert_int_equal(uiommu_vtd_ops.resume(life.rig.driver), UIOMMU_EBUSY);
	rig_down(&life.rig);
}

/* --- A unit that must not be turned off ----------------------------------- */

static void test_stays_on(void **state)
{
	struct vtd_unit *u;

	(void)state;
	life_describe();
	life_begin();
	uiommu_vtd_ops.stays_on(life.rig.driver, 0, true);
	u = driver_unit(0);
	assert_true(uiommu_vtd_stays_on(u));

	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	assert_int_equal(vtdm_stats(life.unit)->te_off, 0);
	assert_true(user_logged(life.rig.host, "translation stays on"));
	assert_true(reaches());
	assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
	check_works();
	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	lose_power();
	assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
	check_works();

	shutdown_stuck(false);
	assert_int_equal(vtdm_stats(life.unit)->te_off, 0);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & (TE | QIE), TE);
	assert_true(reaches());
	life_gone();
	rig_down_leaking(&life.rig);
}

/* Stop lets go of it as it is: what it walks, and points to, stays. */
static void test_stays_on_stop(void **state)
{
	(void)state;
	life_describe();
	life_begin();
	uiommu_vtd_ops.stays_on(life.rig.driver, 0, true);
	uiommu_vtd_ops.disable(life.rig.driver);
	assert_true(uiommu_vtd_ops.domain_held(life.rig.driver, &life.d));
	rig_device_gone(&life.rig, &life.a);
	uiommu_vtd_ops.domain_fini(life.rig.driver, &life.d);
	uiommu_vtd_ops.stop(life.rig.driver);
	assert_int_equal(vtdm_stats(life.unit)->te_off, 0);
	assert_true(reaches());
	assert_int_equal(rig_write(&life.rig, 0x10, 0x1000), VTDM_FR_WRITE);
	assert_int_equal(life.irqs, 0);
	assert_int_equal(uiommu_vtd_ops.start(life.rig.driver), UIOMMU_EIO);
	uiommu_pt_fini(&life.d.pt);
	rig_page_gone(&life.rig, life.p, 4096);
	rig_down_leaking(&life.rig);
}

/* Nothing to wait for: no hang. */
static void test_no_draining(void **state)
{
	(void)state;
	life_describe();
	life.rig.config.units[0].model.dwd = false;
	life.rig.config.units[0].model.drd = false;
	life_begin();
	uiommu_vtd_ops.stays_on(life.rig.driver, 0, true);
	assert_int_equal(quietly(uiommu_vtd_ops.suspend), 0);
	assert_int_equal(vtdm_read32(life.unit, GSTS) & TE, 0);
	assert_int_equal(quietly(uiommu_vtd_ops.resume), 0);
	life_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_faults_told),
		cmocka_unit_test(test_half_full),
		cmocka_unit_test(test_suspend_fails),
		cmocka_unit_test(test_resume_fails),
		cmocka_unit_test(test_resume_dead),
		cmocka_unit_test(test_resume_other),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_shutdown_keep),
		cmocka_unit_test(test_shutdown_busy),
		cmocka_unit_test(test_shutdown_half_full),
		cmocka_unit_test(test_shutdown_hangs),
		cmocka_unit_test(test_shutdown_broken),
		cmocka_unit_test(test_shutdown_not_started),
		cmocka_unit_test(test_stays_on),
		cmocka_unit_test(test_stays_on_stop),
		cmocka_unit_test(test_no_draining),
	};

	return cmocka_run_group_tests_name("vtd power", tests, NULL, NULL);
}
