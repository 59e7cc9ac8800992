// SPDX-License-Identifier: MIT
/* Faults: all are read and cleared, some are told, none wedges the unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "rig.h"

#define FSTS 0x34

static const int just_a[] = { 0x10, -1 };

static struct vtdm *unit(struct rig *rig)
{
	return rig->host->units[0];
}

static unsigned int events(struct rig *rig, enum uiommu_event_kind kind)
{
	unsigned int count = 0;

	for (uint64_t i = 0; i < rig->host->event_count && i < USER_EVENTS; i++)
		count += rig->host->events[i].kind == kind;
	return count;
}

static unsigned int poll(struct rig *rig)
{
	return uiommu_vtd_ops.poll_faults(rig->driver);
}

static void test_words(void **state)
{
	static struct rig rig;
	static struct rig_device a;
	const struct uiommu_event *e;
	struct uiommu_hwdomain d;
	struct uiommu_unit_info info;
	uint8_t byte;

	(void)state;
	rig_describe(&rig);
	rig_up(&rig);
	assert_int_equal(poll(&rig), 0);
	assert_int_equal(rig_device(&rig, &a, just_a), 0);
	assert_int_equal(rig_domain(&rig, &d, UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_attach(&rig, &a, &d), 0);
	assert_int_equal(rig_write(&rig, 0x10, 0x12345678), VTDM_FR_WRITE);
	assert_int_equal(poll(&rig), 1);
	e = user_event(rig.host, UIOMMU_EVENT_FAULT);
	assert_non_null(e);
	assert_int_equal(e->unit, 0);
	assert_int_equal(e->sid.segment, 0);
	assert_int_equal(e->sid.rid, 0x10);
	assert_int_equal(e->address, 0x12345000);
	assert_int_equal(e->access, UIOMMU_ACCESS_WRITE);
	assert_int_equal(e->reason, 5);
	assert_string_equal(e->text, "not mapped for writing");
	assert_int_equal(e->suppressed, 0);
	assert_true(user_logged(rig.host,
				"unit 0: 0000:00:02.0 write to 0x12345000 "
				"refused: not mapped for writing (0x05)"));
	assert_int_equal(vtdm_dma(unit(&rig), 0x10, 0xabc000, false, &byte, 1),
			 VTDM_FR_READ);
	assert_int_equal(vtdm_dma(unit(&rig), 0xffff, 0, false, &byte, 1),
			 VTDM_FR_ROOT_NOT_PRESENT);
	assert_int_equal(poll(&rig), 2);
	assert_true(user_logged(rig.host,
				"unit 0: 0000:00:02.0 read of 0xabc000 "
				"refused: not mapped for reading (0x06)"));
	assert_true(user_logged(rig.host, "unit 0: 0000:ff:1f.7 read of 0x0 "
					  "refused: its bus has no root "
					  "entry (0x01)"));
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 0, &info), 0);
	assert_int_equal(info.faults, 3);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 0x73, 0);
	rig_device_gone(&rig, &a);
	rig_domain_gone(&rig, &d);
	rig_down(&rig);
}

/* Read in the order in which they came, wherever the ring of records is. */
static void test_order(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.nfr = 5;
	rig.config.units[0].model.fro = 0x1230;
	rig_up(&rig);
	for (unsigned int i = 0; i < 9; i++) {
		uint64_t before = rig.host->event_count;

		for (unsigned int k = 0; k < 4; k++)
			vtdm_fault_inject(unit(&rig), (uint16_t)(i * 4 + k),
					  0x1000u * (k + 1), true, 5);
		assert_int_equal(poll(&rig), 4);
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(rig.host->events[before + k].sid.rid,
					 i * 4 + k);
		/* the slots for requesters are used up in between */
		user_tick(rig.host, UINT64_C(6000000000));
	}
	rig_down(&rig);
}

static void test_overflow(void **state)
{
	static struct rig rig;
	uint8_t byte;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.nfr = 2;
	rig_up(&rig);
	for (unsigned int i = 0; i < 10; i++)
		vtdm_fault_inject(unit(&rig), 0x20, i * 4096u, false, 2);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 3, 3);
	assert_int_equal(poll(&rig), 2);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 3, 0);
	assert_int_equal(events(&rig, UIOMMU_EVENT_OVERFLOW), 1);
	assert_true(user_logged(rig.host, "more faults than its 2 records"));
	/* it records again */
	assert_int_not_equal(vtdm_dma(unit(&rig), 0x30, 0, false, &byte, 1),
			     VTDM_OK);
	assert_int_equal(poll(&rig), 1);
	rig_down(&rig);
}

/* The overflow bit alone, after somebody else cleared the records. */
static void test_overflow_alone(void **state)
{
	static struct rig rig;
	uint32_t fro;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.nfr = 1;
	rig_up(&rig);
	fro = rig.config.units[0].model.fro;
	vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	vtdm_fault_inject(unit(&rig), 0x21, 0, false, 2);
	vtdm_write32(unit(&rig), fro + 12, 0x80000000);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 3, 1);
	assert_int_equal(poll(&rig), 0);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 3, 0);
	assert_int_equal(events(&rig, UIOMMU_EVENT_OVERFLOW), 1);
	rig_down(&rig);
}

/* Somebody cleared the first of them: the index still points there. */
static void test_hole(void **state)
{
	static struct rig rig;
	uint32_t fro;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.nfr = 4;
	rig_up(&rig);
	fro = rig.config.units[0].model.fro;
	for (unsigned int i = 0; i < 3; i++)
		vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	vtdm_write32(unit(&rig), fro + 12, 0x80000000);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 0xff02, 2);
	assert_int_equal(poll(&rig), 2);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 3, 0);
	rig_down(&rig);
}

/* Ten a requester in five seconds; all are cleared, each call is bounded. */
static void test_storm(void **state)
{
	static struct rig rig;
	struct vtdm_knobs *knobs;
	struct uiommu_unit_info info;
	unsigned int found = 0;
	uint64_t reads;

	(void)state;
	rig_describe(&rig);
	rig_up(&rig);
	knobs = vtdm_knobs(unit(&rig));
	knobs->storm_faults = 50;
	knobs->storm_sid = 0x10;
	knobs->storm_addr = 0x100000;
	for (unsigned int i = 0; i < 500; i++) {
		vtdm_tick(unit(&rig), 1);
		reads = vtdm_stats(unit(&rig))->mmio;
		found += poll(&rig);
		assert_true(vtdm_stats(unit(&rig))->mmio - reads < 200);
	}
	assert_true(found >= 500);
	assert_int_equal(events(&rig, UIOMMU_EVENT_FAULT), 10);
	assert_int_equal(events(&rig, UIOMMU_EVENT_OVERFLOW), 10);
	assert_int_equal(uiommu_vtd_ops.unit_info(rig.driver, 0, &info), 0);
	assert_int_equal(info.faults, found);
	/* somebody else is heard in the midst of it */
	knobs->storm_faults = 0;
	assert_int_equal(poll(&rig), 0);
	assert_int_not_equal(rig_write(&rig, 0x99, 0), VTDM_OK);
	assert_int_equal(poll(&rig), 1);
	assert_int_equal(user_event(rig.host, UIOMMU_EVENT_FAULT)->sid.rid,
			 0x99);
	/* and afterwards it says how many it kept to itself */
	user_tick(rig.host, UINT64_C(5000000000));
	vtdm_fault_inject(unit(&rig), 0x10, 0, true, 5);
	assert_int_equal(poll(&rig), 1);
	assert_int_equal(user_event(rig.host, UIOMMU_EVENT_FAULT)->suppressed,
			 found - 10);
	assert_true(user_logged(rig.host, "more not told before"));
	rig_down(&rig);
}

/* What firmware's time left in the records is nobody's now. */
static void test_left_over(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.nfr = 4;
	rig.host = user_host_create(&rig.config);
	for (unsigned int i = 0; i < 6; i++)
		vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	rig_up(&rig);
	assert_int_equal(vtdm_read32(unit(&rig), FSTS) & 3, 0);
	assert_int_equal(poll(&rig), 0);
	assert_int_equal(rig.host->event_count, 0);
	rig_down(&rig);
}

static void test_interrupt_fault(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig_up(&rig);
	vtdm_fault_inject(unit(&rig), 0xf8, UINT64_C(0x42) << 48, true, 0x22);
	vtdm_fault_inject(unit(&rig), 0xf8, 0, true, 0xee);
	assert_int_equal(poll(&rig), 2);
	assert_true(user_logged(rig.host, "0000:00:1f.0 interrupt "));
	assert_true(user_logged(rig.host, "refused: its remapping entry is "
					  "not present (0x22)"));
	assert_true(user_logged(rig.host, "(0xee)"));
	rig_down(&rig);
}

static unsigned int sent;
static uint64_t sent_address;
static uint32_t sent_data;

static void on_irq(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	sent++;
	sent_address = address;
	sent_data = data;
}

static void test_event(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig.config.units[0].model.irq = on_irq;
	rig_up(&rig);
	sent = 0;
	vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	assert_int_equal(sent, 0); /* masked until somebody wants it */
	assert_int_equal(uiommu_vtd_ops.set_fault_interrupt(
				 rig.driver, 0, UINT64_C(0x12300000abc), 0x41),
			 0);
	/* the one that was waiting comes at once, complete */
	assert_int_equal(sent, 1);
	assert_int_equal(sent_address, UINT64_C(0x12300000abc));
	assert_int_equal(sent_data, 0x41);
	assert_int_equal(poll(&rig), 1);
	vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	assert_int_equal(sent, 2);
	/* no second one until that was read */
	vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	assert_int_equal(sent, 2);
	assert_int_equal(poll(&rig), 2);
	vtdm_fault_inject(unit(&rig), 0x20, 0, false, 2);
	assert_int_equal(sent, 3);
	assert_int_equal(
		uiommu_vtd_ops.set_fault_interrupt(rig.driver, 1, 0, 0),
		UIOMMU_ENOENT);
	uiommu_vtd_ops.stop(rig.driver);
	vtdm_fault_inject(unit(&rig), 0x21, 0, false, 2);
	assert_int_equal(sent, 3);
	assert_int_equal(poll(&rig), 0);
	rig_down(&rig);
}

/* Its registers are gone: that is no storm of faults. */
static void test_gone(void **state)
{
	static struct rig rig;

	(void)state;
	rig_describe(&rig);
	rig_up(&rig);
	vtdm_knobs(unit(&rig))->dead_mode = VTDM_DEAD_ONES;
	vtdm_knobs(unit(&rig))->dead_at = 1;
	assert_int_equal(poll(&rig), 0);
	assert_int_equal(rig.host->event_count, 1);
	assert_non_null(user_event(rig.host, UIOMMU_EVENT_UNIT_BROKEN));
	assert_int_equal(poll(&rig), 0);
	assert_int_equal(rig.host->event_count, 1);
	rig_down_leaking(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_alone),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_left_over),
		cmocka_unit_test(test_interrupt_fault),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
