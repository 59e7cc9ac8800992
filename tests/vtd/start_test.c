// SPDX-License-Identifier: MIT
/*
 * Bring-up and shutdown: the order, what firmware leaves behind, and every
 * way in which it can fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "rig.h"

/* As the specification prints them; the driver's header is not used here. */
#define GCMD 0x18
#define GSTS 0x1c
#define FSTS 0x34
#define PMEN 0x64
#define IQH 0x80
#define IQT 0x88
#define IQA 0x90
#define TE 0x80000000u
#define QIE 0x04000000u
#define EPM 0x80000000u

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const int just_a[] = { 0x10, -1 };

static struct vtdm *unit(struct rig *rig, unsigned int index)
{
	return rig->host->units[index];
}

static void test_info(void **state)
{
	static struct rig rig;
	struct uiommu_plan_unit plan[3];
	struct uiommu_unit_info info;

	(void)state;
	rig_describe(&rig);
	rig.config.unit_count = 2;
	rig.config.units[1].model.pt = false;
	rig.config.units[1].model.cm = true;
	rig.config.units[1].model.qi = false;
	rig.config.units[1].model.nfr = 3;
	rig_up(&rig);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 0, &info), 0);
	assert_int_equal(info.base, rig.config.units[0].base);
	assert_int_equal(info.version_major, 1);
	assert_int_equal(info.version_minor, 0);
	assert_int_equal(info.address_bits, 48);
	assert_int_equal(info.levels, 4);
	assert_true(info.queued && info.passthrough && info.translating);
	assert_true(info.coherent && info.snoop);
	assert_false(info.caching || info.broken);
	assert_int_equal(info.domain_ids, 65536);
	assert_int_equal(info.faults, 0);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 1, &info), 0);
	assert_int_equal(info.record, 1);
	assert_int_equal(info.segment, 1);
	assert_true(info.caching);
	assert_false(info.queued || info.passthrough);
	assert_int_equal(info.fault_records, 3);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 2, &info),
			 UIOMMU_ENOENT);
	uiommu_vtd_ops.describe(rig.driver, plan, 3);
	assert_true(plan[0].present && plan[0].passthrough);
	assert_true(plan[1].present && !plan[1].passthrough);
	assert_false(plan[2].present || plan[2].passthrough);

	uiommu_vtd_ops.disable(rig.driver);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 0, &info), 0);
	assert_false(info.translating);
	rig_down(&rig);
}

/* Create reads and changes nothing. */
static void test_create_is_silent(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	assert_int_equal(rig_make(&rig), 0);
	assert_int_equal(vtdm_stats(unit(&rig, 0))->mmio_writes, 0);
	rig_down(&rig);
}

/* Units that are none, and units with nothing behind them (R03, R86). */
static void test_left_out(void **state)
{
	static struct rig rig;
	struct uiommu_unit_info info;

	(void)state;
	rig_describe(&rig);
	rig.config.unit_count = 4;
	rig.config.units[2].model.sagaw = 0;
	rig.host = user_host_create(&rig.config);
	user_dmar_begin(&rig.table, 39);
	user_dmar_unit(&rig.table, 0, 0, false); /* no base */
	user_dmar_scope(&rig.table, UIOMMU_SCOPE_ENDPOINT,
			(struct uiommu_sid){ 0, 0x10 });
	user_dmar_unit(&rig.table, 0, rig.config.units[0].base, false);
	user_dmar_unit(&rig.table, 0, rig.config.units[2].base, false);
	user_dmar_scope(&rig.table, UIOMMU_SCOPE_ENDPOINT,
			(struct uiommu_sid){ 0, 0x10 });
	/* of an I/O APIC alone */
	user_dmar_unit(&rig.table, 0, rig.config.units[3].base, false);
	user_dmar_scope(&rig.table, UIOMMU_SCOPE_IOAPIC,
			(struct uiommu_sid){ 0, 0xf8 });
	/* where there is nothing: the host refuses */
	user_dmar_unit(&rig.table, 0, 0x12340000, false);
	user_dmar_scope(&rig.table, UIOMMU_SCOPE_ENDPOINT,
			(struct uiommu_sid){ 0, 0x20 });
	user_dmar_unit(&rig.table, 0, rig.config.units[1].base, true);
	user_dmar_end(&rig.table);
	for (unsigned int i = 0; i < 4; i++)
		vtdm_write32(unit(&rig, i), PMEN, EPM);
	rig_up(&rig);

	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 0, &info), 0);
	assert_int_equal(info.base, rig.config.units[1].base);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 1, &info),
			 UIOMMU_ENOENT);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(vtdm_stats(unit(&rig, i))->te_on, i == 1);
		/* protected memory is opened in those as well */
		assert_int_equal(vtdm_read32(unit(&rig, i), PMEN), 0);
	}
	assert_true(user_logged(rig.host, "no device in its scope, ignored"));
	assert_true(user_logged(rig.host, "no usable address width, ignored"));
	assert_true(user_logged(rig.host, "unit at 0x12340000: "));
	rig_down(&rig);
}

static void test_none(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.sagaw = 0;
	assert_int_equal(rig_make(&rig), UIOMMU_ENODEV);
	rig.driver = NULL;
	rig_down(&rig);

	rig_describe(&rig);
	rig.host = user_host_create(&rig.config);
	vtdm_knobs(unit(&rig, 0))->dead_at = 1;
	vtdm_knobs(unit(&rig, 0))->dead_mode = VTDM_DEAD_ONES;
	assert_int_equal(rig_make(&rig), UIOMMU_ENODEV);
	rig.driver = NULL;
	rig_down(&rig);
}

/* Translating when found, and the policy refuses: left as it is. */
static void test_busy(void **state)
{
	static struct rig rig;
	uint64_t writes;

	(void)state;
	rig_describe(&rig);
	rig.takeover = UIOMMU_TAKEOVER_REFUSE;
	rig.config.unit_count = 2;
	rig.host = user_host_create(&rig.config);
	vtdm_write32(unit(&rig, 1), GCMD, TE);
	assert_true(vtdm_read32(unit(&rig, 1), GSTS) & TE);
	vtdm_violations_clear(unit(&rig, 1));
	assert_int_equal(rig_make(&rig), 0);
	writes = vtdm_stats(unit(&rig, 1))->mmio_writes;
	assert_int_equal(uiommu_vtd_ops.start(rig.driver), UIOMMU_EBUSY);
	assert_int_equal(vtdm_stats(unit(&rig, 0))->mmio_writes, 0);
	assert_int_equal(vtdm_stats(unit(&rig, 1))->mmio_writes, writes);
	assert_true(user_logged(rig.host, "unit 1: translates already"));
	/* it lets go: now it can be had */
	vtdm_write32(unit(&rig, 1), GCMD, 0);
	assert_int_equal(uiommu_vtd_ops.start(rig.driver), 0);
	assert_int_equal(uiommu_vtd_ops.start(rig.driver), UIOMMU_EBUSY);
	rig_down(&rig);
}

/* A queue that firmware left on, with four waits that write nothing in it. */
static uint64_t firmware_queue(struct rig *rig, bool no_memory)
{
	uint64_t paddr = 0x1000;
	uint64_t *ring;

	rig->host = user_host_create(&rig->config);
	if (!no_memory) {
		ring = vtdm_mem_alloc(rig->host->mem, 4096, 0, &paddr);
		for (unsigned int i = 0; i < 4; i++)
			ring[2 * i] = 5;
	}
	vtdm_write64(unit(rig, 0), IQA, paddr);
	vtdm_write32(unit(rig, 0), GCMD, QIE);
	vtdm_knobs(unit(rig, 0))->queue_ticks = 20;
	vtdm_write64(unit(rig, 0), IQT, 0x40);
	assert_int_equal(vtdm_read64(unit(rig, 0), IQH), 0);
	return paddr;
}

/* It is executed to its end before it is ended. */
static void test_firmware_queue(void **state)
{
	static struct rig rig;
	uint64_t paddr;

	(void)state;
	rig_describe(&rig);
	paddr = firmware_queue(&rig, false);
	assert_int_equal(rig_make(&rig), 0);
	assert_int_equal(uiommu_vtd_ops.start(rig.driver), UIOMMU_OK);
	assert_true(vtdm_stats(unit(&rig, 0))->wait >= 4);
	assert_int_not_equal(vtdm_read64(unit(&rig, 0), IQA), paddr);
	assert_false(user_logged(rig.host, "does not drain"));
	rig_down(&rig);
}

/* One that will never end is cut off; whether the unit is dead, ours shows. */
static void test_firmware_queue_stuck(void **state)
{
	static struct rig rig;
	uint64_t paddr;

	(void)state;
	for (unsigned int hung = 0; hung < 2; hung++) {
		rig_describe(&rig);
		paddr = firmware_queue(&rig, !hung);
		if (hung) {
			vtdm_knobs(unit(&rig, 0))->hang = VTDM_HANG_QUEUE;
		} else { /* an error holds it, and will again */
			vtdm_tick(unit(&rig, 0), 100);
			assert_int_equal(vtdm_read32(unit(&rig, 0), FSTS),
					 0x10);
		}
		assert_int_equal(rig_make(&rig), 0);
		assert_int_equal(uiommu_vtd_ops.start(rig.driver),
				 hung ? UIOMMU_ETIMEDOUT : UIOMMU_OK);
		assert_int_not_equal(vtdm_read64(unit(&rig, 0), IQA), paddr);
		assert_true(user_logged(rig.host, "does not drain"));
		assert_false(user_logged(rig.host, "rejected"));
		vtdm_violations_clear(
			unit(&rig, 0)); /* ended while not empty */
		if (hung)
			rig_down_leaking(&rig);
		else
			rig_down(&rig);
	}
}

/* Interrupt remapping was on: one field a write, all others as they were. */
static void test_sticky(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.ir = true;
	rig.host = user_host_create(&rig.config);
	vtdm_write32(unit(&rig, 0), GCMD, 0x01000000); /* SIRTP */
	vtdm_write32(unit(&rig, 0), GCMD, 0x02000000); /* IRE */
	vtdm_write32(unit(&rig, 0), GCMD, 0x02800000); /* CFI */
	vtdm_violations_clear(unit(&rig, 0));
	rig_up(&rig);
	assert_int_equal(vtdm_read32(unit(&rig, 0), GSTS) & 0x03800000,
			 0x03800000);
	uiommu_vtd_ops.stop(rig.driver);
	assert_int_equal(vtdm_read32(unit(&rig, 0), GSTS) & 0x86800000,
			 0x02800000);
	rig_down(&rig);
}

struct hang {
	unsigned int what; /* hangs in the second unit */
	int start;
	int enable;
	bool root; /* got its root table: the first unit */
	bool te;   /* translated for a while */
};

static void hang_check(struct rig *rig, const struct hang *h)
{
	struct uiommu_unit_info info;

	assert_int_equal(vtdm_stats(unit(rig, 0))->srtp != 0, h->root);
	assert_int_equal(vtdm_stats(unit(rig, 0))->te_on != 0, h->te);
	/* off in the one that answers */
	assert_int_equal(vtdm_read32(unit(rig, 0), GSTS) & TE, 0);
	/* nothing was opened before all translated */
	assert_int_equal(vtdm_read32(unit(rig, 0), PMEN) != 0,
			 h->what != VTDM_HANG_PMEN);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig->driver, 1, &info), 0);
	assert_true(info.broken);
	assert_int_equal(rig->host->event_count, 1);
	assert_int_equal(user_event(rig->host, UIOMMU_EVENT_UNIT_BROKEN)->unit,
			 1);
	assert_true(user_logged(rig->host, "it is not used any more"));
	assert_int_equal(uiommu_vtd_ops.start(rig->driver),
			 h->start ? UIOMMU_EIO : UIOMMU_EBUSY);
	assert_int_equal(user_violations(rig->host), 0);
}

/* All queues, then roots, then translation, then protected memory. */
static void test_order(void **state)
{
	static const struct hang hangs[] = {
		{ VTDM_HANG_QIE, UIOMMU_ETIMEDOUT, 0, false, false },
		{ VTDM_HANG_SRTP, UIOMMU_ETIMEDOUT, 0, true, false },
		{ VTDM_HANG_QUEUE, UIOMMU_ETIMEDOUT, 0, true, false },
		{ VTDM_HANG_TE, 0, UIOMMU_ETIMEDOUT, true, true },
		{ VTDM_HANG_PMEN, 0, UIOMMU_ETIMEDOUT, true, true },
	};
	static struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(hangs) / sizeof(hangs[0]); i++) {
		const struct hang *h = &hangs[i];

		rig_describe(&rig);
		rig.config.unit_count = 2;
		rig.host = user_host_create(&rig.config);
		vtdm_write32(unit(&rig, 0), PMEN, EPM);
		vtdm_write32(unit(&rig, 1), PMEN, EPM);
		vtdm_knobs(unit(&rig, 1))->hang = h->what;
		assert_int_equal(rig_make(&rig), 0);
		assert_int_equal(uiommu_vtd_ops.start(rig.driver), h->start);
		if (!h->start)
			assert_int_equal(uiommu_vtd_ops.enable(rig.driver),
					 h->enable);
		hang_check(&rig, h);
		rig_down_leaking(&rig);
	}
}

/* All ones is not "done": the unit is gone. */
static void test_gone(void **state)
{
	static struct rig rig;

	(void)state;
	for (unsigned int at = 0; at < 3; at++) {
		struct vtdm_knobs *knobs;

		rig_describe(&rig);
		assert_int_equal(rig_make(&rig), 0);
		knobs = vtdm_knobs(unit(&rig, 0));
		knobs->dead_mode = VTDM_DEAD_ONES;
		if (at)
			assert_int_equal(uiommu_vtd_ops.start(rig.driver), 0);
		/* the last time between the command and its status */
		knobs->dead_at = at < 2 ? 1
					: vtdm_stats(unit(&rig, 0))->mmio + 3;
		if (at)
			assert_int_equal(uiommu_vtd_ops.enable(rig.driver),
					 UIOMMU_EIO);
		else
			assert_int_equal(uiommu_vtd_ops.start(rig.driver),
					 UIOMMU_EIO);
		assert_int_equal(rig.host->event_count, 1);
		assert_int_equal(vtdm_stats(unit(&rig, 0))->te_on, at == 2);
		rig_down_leaking(&rig);
	}
}

/* R64: off, and free of everything. */
static void test_stop(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig_up(&rig);
	for (unsigned int i = 0; i < 3; i++) {
		uiommu_vtd_ops.stop(rig.driver);
		assert_int_equal(vtdm_read32(unit(&rig, 0), GSTS) & (TE | QIE),
				 0);
		uiommu_vtd_ops.stop(rig.driver);
		assert_int_equal(uiommu_vtd_ops.start(rig.driver), 0);
		assert_int_equal(uiommu_vtd_ops.enable(rig.driver), 0);
	}
	rig_down(&rig);
}

/* How often the host was told that a unit is broken. */
static unsigned int broken(struct rig *rig)
{
	unsigned int count = 0;

	assert_true(rig->host->event_count <= USER_EVENTS);
	for (uint64_t i = 0; i < rig->host->event_count; i++)
		count += rig->host->events[i].kind == UIOMMU_EVENT_UNIT_BROKEN;
	return count;
}

/* --- Sweeps --------------------------------------------------------------- */

/* What there is to take down again. */
struct life {
	struct rig *rig;
	bool stale_registers; /* a dead unit goes on saying "done" */
	struct rig_device a;
	struct uiommu_hwdomain d, e;
	struct rig_page p;
	bool have_a, have_d, have_e;
};

static int life_begin(struct life *l)
{
	int err;

	l->p.bytes = vtdm_mem_alloc(l->rig->host->mem, 4096, 0, &l->p.paddr);
	err = uiommu_vtd_ops.start(l->rig->driver);
	if (err)
		return err;
	err = rig_device(l->rig, &l->a, just_a);
	l->have_a = !err;
	if (err)
		return err;
	err = rig_domain(l->rig, &l->d, UIOMMU_DOMAIN_DMA);
	l->have_d = !err;
	if (err)
		return err;
	err = rig_domain(l->rig, &l->e, UIOMMU_DOMAIN_UNMANAGED);
	l->have_e = !err;
	if (err)
		return err;
	err = rig_map(l->rig, &l->d, 0x1000, l->p.paddr, 4096, RW);
	if (err)
		return err;
	return rig_attach(l->rig, &l->a, &l->d);
}

static int life_use(struct life *l)
{
	struct rig *rig = l->rig;
	int err;

	err = uiommu_vtd_ops.enable(rig->driver);
	if (err)
		return err;
	err = rig_map(rig, &l->d, 0x2000, l->p.paddr, 4096, RW);
	if (err)
		return err;
	assert_true(rig_reaches(rig, 0x10, 0x2000, l->p) ||
		    vtdm_knobs(unit(rig, 0))->dead_at);
	err = rig_unmap(rig, &l->d, 0x2000, 4096);
	if (err)
		return err;
	/*
	 * Said to be gone, it is gone, whatever failed before. Only of a
	 * register that goes on saying "done" nobody can tell that it died.
	 */
	if (!l->stale_registers)
		assert_int_not_equal(rig_write(rig, 0x10, 0x2000), VTDM_OK);
	(void)uiommu_vtd_ops.poll_faults(rig->driver);
	err = rig_attach(rig, &l->a, &l->e);
	if (!err && !l->stale_registers)
		assert_int_not_equal(rig_write(rig, 0x10, 0x1000), VTDM_OK);
	return err;
}

static void life_end(struct life *l)
{
	struct uiommu_driver *driver = l->rig->driver;

	uiommu_vtd_ops.disable(driver);
	if (l->have_a)
		rig_device_gone(l->rig, &l->a);
	if (l->have_d)
		uiommu_vtd_ops.domain_fini(driver, &l->d);
	if (l->have_e)
		uiommu_vtd_ops.domain_fini(driver, &l->e);
	/* a broken unit may walk them still; see the core */
	if (l->have_d && !broken(l->rig))
		uiommu_pt_fini(&l->d.pt);
	if (l->have_e && !broken(l->rig))
		uiommu_pt_fini(&l->e.pt);
	uiommu_vtd_ops.stop(driver);
}

/*
 * The life of a driver in which anything may fail. Returns the first error;
 * takes down whatever there was.
 */
static int life(struct rig *rig, bool stale_registers)
{
	static struct life l;
	int err;

	memset(&l, 0, sizeof(l));
	l.rig = rig;
	l.stale_registers = stale_registers;
	err = rig_make(rig);
	if (err) {
		rig->driver = NULL;
		return err;
	}
	err = life_begin(&l);
	if (!err)
		err = life_use(&l);
	life_end(&l);
	return err;
}

static void kind_describe(struct rig *rig, unsigned int kind)
{
	struct vtdm_config *m = &rig->config.units[0].model;

	rig_describe(rig);
	if (kind & 1)
		m->qi = false;
	if (kind & 2)
		m->cm = true;
	if (kind & 4)
		m->rwbf = true;
	if (kind & 8)
		m->c = false;
}

/* Every call of the host that can fail does, in turn. */
static void test_host_fails(void **state)
{
	static struct rig rig;

	(void)state;
	for (unsigned int kind = 0; kind < 16; kind++) {
		for (unsigned int nth = 1;; nth++) {
			int err;

			kind_describe(&rig, kind);
			rig_memory(&rig);
			rig.host = user_host_create(&rig.config);
			user_fail_at(rig.host, nth);
			err = life(&rig, false);
			assert_int_equal(broken(&rig), 0);
			rig_down(&rig);
			if (!err)
				break;
			/* a window refused leaves no unit */
			if (err != UIOMMU_ENODEV)
				assert_int_equal(err, UIOMMU_ENOMEM);
			assert_true(nth < 100);
		}
	}
}

/* The unit dies at its Nth register access, in both ways. */
static void test_unit_dies(void **state)
{
	static struct rig rig;

	(void)state;
	for (unsigned int kind = 0; kind < 32; kind++) {
		uint64_t total = 0;

		for (uint64_t nth = 1;; nth++) {
			struct vtdm_knobs *knobs;
			int err;

			kind_describe(&rig, kind & 15);
			rig_memory(&rig);
			rig.host = user_host_create(&rig.config);
			knobs = vtdm_knobs(unit(&rig, 0));
			knobs->dead_at = nth;
			knobs->dead_mode = kind & 16 ? VTDM_DEAD_ONES
						     : VTDM_DEAD_STALE;
			err = life(&rig, (kind & 17) == 1);
			assert_int_equal(user_violations(rig.host), 0);
			/* told once, or it did not matter */
			assert_true(broken(&rig) <= 1);
			if (broken(&rig)) {
				rig_down_leaking(&rig);
			} else {
				total = vtdm_stats(unit(&rig, 0))->mmio;
				rig_down(&rig);
				if (nth > total) {
					assert_int_equal(err, 0);
					break;
				}
			}
			assert_true(nth < 2000);
		}
		assert_true(total > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_create_is_silent),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_firmware_queue),
		cmocka_unit_test(test_firmware_queue_stuck),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_host_fails),
		cmocka_unit_test(test_unit_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
