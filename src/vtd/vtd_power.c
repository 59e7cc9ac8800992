// SPDX-License-Identifier: MIT
/*
 * Units lose their power and get it back; or this kernel ends.
 *
 * Suspend and resume run while nobody else does, perhaps on the one CPU that
 * is awake: they take spin locks, which are free, and neither sleep nor
 * allocate. Shutdown runs beside CPUs that stopped wherever they were, and
 * takes none.
 *
 * Specification: "Software Considerations", "Global Command Register",
 * "Fault Event Control Register", "Protected Memory Enable Register".
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "vtd/vtd_domain.h"
#include "vtd/vtd_fault.h"
#include "vtd/vtd_iotlb.h"
#include "vtd/vtd_power.h"
#include "vtd/vtd_queue.h"

static struct vtd_driver *power_driver(struct uiommu_driver *driver)
{
	return (struct vtd_driver *)driver;
}

/* --- Units that must not be turned off ------------------------------------ */

void uiommu_vtd_set_stays_on(struct uiommu_driver *driver, uint32_t record,
			     bool stays)
{
	struct vtd_unit *u;

	/* Those that are ignored, too: what is found on there is turned off. */
	for (u = power_driver(driver)->units; u; u = u->next)
		if (u->record == record)
			u->hangs = stays;
}

static void power_say_on(struct vtd_unit *u)
{
	uiommu_log(u->host, UIOMMU_LOG_INFO,
		   "unit %u: translation stays on: the graphics behind it "
		   "would hang without",
		   u->index);
}

void uiommu_vtd_unit_hold(struct vtd_unit *u)
{
	power_say_on(u);
	if (!u->started)
		return;
	uiommu_vtd_fault_stop(u);
	/* From here on as a broken one: it walks what it was given. */
	u->held = true;
	(void)uiommu_vtd_unit_mark(u);
}

/* --- Suspend -------------------------------------------------------------- */

/* All that was begun is done; and the unit is known to work. */
static int power_finish(struct vtd_unit *u)
{
	const struct vtd_desc context[] = { uiommu_vtd_context_global() };
	const struct vtd_desc iotlb[] = { uiommu_vtd_iotlb_global(&u->caps) };
	int err;

	err = uiommu_vtd_unit_write_buffer(u);
	if (!err)
		err = uiommu_vtd_run(u, context, 1);
	return err ? err : uiommu_vtd_run(u, iotlb, 1);
}

static void power_save(struct vtd_unit *u)
{
	u->saved.control = uiommu_host_mmio_read32(u->mmio, VTD_FECTL);
	u->saved.data = uiommu_host_mmio_read32(u->mmio, VTD_FEDATA);
	u->saved.address = uiommu_host_mmio_read32(u->mmio, VTD_FEADDR);
	u->saved.upper_address = uiommu_host_mmio_read32(u->mmio, VTD_FEUADDR);
}

/* Is it what it was when it was found? All ones are not. */
static bool power_there(struct vtd_unit *u)
{
	return uiommu_host_mmio_read64(u->mmio, VTD_CAP) == u->caps.cap;
}

static int power_suspend(struct vtd_unit *u)
{
	int err;

	if (!u->started || uiommu_vtd_broken(u))
		return UIOMMU_OK;
	if (!power_there(u)) {
		uiommu_vtd_unit_break(u, "its registers are gone");
		return UIOMMU_EIO;
	}
	power_save(u);
	err = power_finish(u);
	if (err)
		return err;
	uiommu_vtd_fault_stop(u);
	if (uiommu_vtd_stays_on(u))
		power_say_on(u);
	else
		err = uiommu_vtd_unit_command(u, VTD_GCMD_TE, false,
					      "translation did not stop");
	if (err)
		return err;
	/* The last ones: no more are recorded, and these will be lost. */
	(void)uiommu_vtd_fault_poll(u);
	if (!u->ring)
		return uiommu_vtd_broken(u) ? UIOMMU_EIO : UIOMMU_OK;
	return uiommu_vtd_unit_command(u, VTD_GCMD_QIE, false,
				       "invalidation queue did not end");
}

int uiommu_vtd_suspend(struct uiommu_driver *driver)
{
	struct vtd_driver *d = power_driver(driver);
	int result = UIOMMU_OK;
	struct vtd_unit *u;

	if (!d->started)
		return UIOMMU_EBUSY;
	for (u = d->units; u; u = u->next) {
		int err = power_suspend(u);

		result = result ? result : err;
	}
	return result;
}

/* --- Resume --------------------------------------------------------------- */

static int power_queue(struct vtd_unit *u)
{
	if (!power_there(u)) {
		uiommu_vtd_unit_break(u, "it did not come back");
		return UIOMMU_EIO;
	}
	uiommu_vtd_fault_stop(u);
	/* Nor can firmware's tables in another format be followed by ours. */
	if (!uiommu_vtd_stays_on(u) &&
	    uiommu_host_mmio_read64(u->mmio, VTD_RTADDR) & VTD_RTADDR_TTM &&
	    uiommu_vtd_unit_command(u, VTD_GCMD_TE, false,
				    "translation did not stop"))
		return UIOMMU_EIO;
	/* Whatever came between may have left a queue on, ours or its own. */
	return uiommu_vtd_unit_queue(u);
}

/*
 * Records survive some resets, and one that stands keeps the next event from
 * coming: what is there is told before events are let through.
 */
static int power_faults(struct vtd_unit *u)
{
	uint32_t fectl;

	uiommu_host_mmio_write32(u->mmio, VTD_FEDATA, u->saved.data);
	uiommu_host_mmio_write32(u->mmio, VTD_FEADDR, u->saved.address);
	uiommu_host_mmio_write32(u->mmio, VTD_FEUADDR, u->saved.upper_address);
	(void)uiommu_vtd_fault_poll(u);
	if (uiommu_vtd_broken(u))
		return UIOMMU_EIO;
	fectl = uiommu_host_mmio_read32(u->mmio, VTD_FECTL) & ~VTD_FECTL_IM;
	uiommu_host_mmio_write32(u->mmio, VTD_FECTL,
				 fectl | (u->saved.control & VTD_FECTL_IM));
	return UIOMMU_OK;
}

/*
 * The last that a broken unit is asked to do. It came back without
 * translation, or is on its way there, and would let everything through: with
 * an empty root table it refuses everything. Its queue is not used any more. No
 * step that fails keeps translation from going on: whatever is cached still
 * allows less than all of memory.
 */
static void power_confine(struct vtd_unit *u)
{
	const struct vtd_desc context = uiommu_vtd_context_global();
	const struct vtd_desc iotlb = uiommu_vtd_iotlb_global(&u->caps);
	uint32_t gsts = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);
	bool all = u->caps.root_flushes || uiommu_vtd_has_registers(u);

	if (!power_there(u) || gsts & VTD_GCMD_TE)
		return;
	if (gsts & VTD_GCMD_QIE)
		all = !uiommu_vtd_unit_run(u, VTD_GCMD_QIE, false) && all;
	memset(u->root, 0, UIOMMU_PAGE_SIZE);
	uiommu_vtd_clean(u, u->root, UIOMMU_PAGE_SIZE);
	if (u->caps.write_buffer)
		all = !uiommu_vtd_unit_run(u, VTD_GCMD_WBF, true) && all;
	uiommu_host_mmio_write64(u->mmio, VTD_RTADDR,
				 u->root_paddr & VTD_RTADDR_RTA);
	all = !uiommu_vtd_unit_run(u, VTD_GCMD_SRTP, true) && all;
	if (!u->caps.root_flushes && uiommu_vtd_has_registers(u)) {
		all = !uiommu_vtd_iotlb_register(u, context) && all;
		all = !uiommu_vtd_iotlb_register(u, iotlb) && all;
	}
	if (!uiommu_vtd_unit_run(u, VTD_GCMD_TE, true))
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: refuses all DMA from now on%s", u->index,
			   all ? "" : ", but for what it may remember");
}

/* One step of a resume in all units that still work; the first error. */
static int power_all(struct vtd_driver *d, int (*step)(struct vtd_unit *u))
{
	int result = UIOMMU_OK;
	struct vtd_unit *u;

	for (u = d->units; u; u = u->next) {
		int err = UIOMMU_OK;

		if (u->started && !uiommu_vtd_broken(u))
			err = step(u);
		result = result ? result : err;
	}
	return result;
}

/* Firmware ran meanwhile: as after start, whoever has the unit. */
static int power_open(struct vtd_driver *d)
{
	int result = UIOMMU_OK;
	struct vtd_unit *u;

	for (u = d->units; u; u = u->next) {
		int err = UIOMMU_OK;

		if (!u->started)
			uiommu_vtd_unit_disable(u);
		if (!uiommu_vtd_broken(u))
			err = uiommu_vtd_unit_open_memory(u);
		if (u->started && !result)
			result = err;
	}
	return result;
}

int uiommu_vtd_resume(struct uiommu_driver *driver)
{
	/*
	 * The order of start, and for its reasons: all queues before the
	 * first root table, translation last.
	 */
	static int (*const steps[])(struct vtd_unit *) = {
		power_queue,
		uiommu_vtd_unit_load,
		power_faults,
		uiommu_vtd_unit_enable,
	};
	struct vtd_driver *d = power_driver(driver);
	int result = UIOMMU_OK;
	struct vtd_unit *u;
	uint32_t i;
	int err;

	if (!d->started)
		return UIOMMU_EBUSY;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		err = power_all(d, steps[i]);
		result = result ? result : err;
	}
	for (u = d->units; u; u = u->next)
		if (u->started && uiommu_vtd_broken(u))
			power_confine(u);
	err = power_open(d);
	return result ? result : err;
}

/* --- Shutdown ------------------------------------------------------------- */

/* Also if the clock stands, as it may when the kernel has crashed. */
#define POWER_TURNS 200000u

struct power_limit {
	uint64_t deadline;
	uint32_t turns;
};

static struct power_limit power_begin(const struct vtd_unit *u)
{
	struct power_limit limit = { uiommu_vtd_deadline(u), POWER_TURNS };

	return limit;
}

/* Is the next look the last? */
static bool power_last(const struct vtd_unit *u, struct power_limit *limit)
{
	limit->turns--;
	return !limit->turns || uiommu_vtd_late(u, limit->deadline);
}

/* Reads until the bits of @mask are @want, or no longer; what was read last. */
static uint32_t power_poll(struct vtd_unit *u, uint32_t offset, uint32_t mask,
			   uint32_t want)
{
	struct power_limit limit = power_begin(u);

	for (;;) {
		bool last = power_last(u, &limit);
		uint32_t value = uiommu_host_mmio_read32(u->mmio, offset);

		if (last || value == ~(uint32_t)0 || (value & mask) == want)
			return value;
		uiommu_host_relax(u->host);
	}
}

/* False too if the unit is gone. */
static bool power_wait(struct vtd_unit *u, uint32_t offset, uint32_t mask,
		       uint32_t want)
{
	uint32_t value = power_poll(u, offset, mask, want);

	return value != ~(uint32_t)0 && (value & mask) == want;
}

/*
 * A CPU that stopped may have left a command under way, and the next one must
 * not be written before. What the unit was about, nobody can be asked; where
 * it translates all of these are as here.
 */
static void power_settle(struct vtd_unit *u)
{
	uint32_t mask = VTD_GCMD_WBF;
	uint32_t want = 0;

	if (u->enabled)
		want = VTD_GCMD_TE | VTD_GCMD_SRTP;
	(void)power_wait(u, VTD_GSTS, mask | want, want);
}

static void power_set_off(struct vtd_unit *u, uint32_t command,
			  const char *what)
{
	uint32_t value = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);

	if (value == ~(uint32_t)0 || !(value & command))
		return;
	value &= VTD_GSTS_STICKY & ~command;
	uiommu_host_mmio_write32(u->mmio, VTD_GCMD, value);
	if (!power_wait(u, VTD_GSTS, command, 0))
		uiommu_log(u->host, UIOMMU_LOG_ERROR, "unit %u: %s", u->index,
			   what);
}

static void power_open_memory(struct vtd_unit *u)
{
	uint32_t pmen;

	if (!u->caps.protected_memory)
		return;
	pmen = uiommu_host_mmio_read32(u->mmio, VTD_PMEN);
	if (!(pmen & (VTD_PMEN_EPM | VTD_PMEN_PRS)))
		return;
	uiommu_host_mmio_write32(u->mmio, VTD_PMEN, pmen & ~VTD_PMEN_EPM);
	if (!power_wait(u, VTD_PMEN, VTD_PMEN_PRS, 0))
		uiommu_log(u->host, UIOMMU_LOG_ERROR,
			   "unit %u: protected memory was not opened",
			   u->index);
}

/* Its waits are written to memory that will be somebody else's. */
static void power_drop_queue(struct vtd_unit *u)
{
	struct power_limit limit = power_begin(u);
	bool last = false;

	if (!u->caps.queued ||
	    !(uiommu_host_mmio_read32(u->mmio, VTD_GSTS) & VTD_GCMD_QIE))
		return;
	while (!last) {
		uint64_t head;

		last = power_last(u, &limit);
		head = uiommu_host_mmio_read64(u->mmio, VTD_IQH);
		if (UIOMMU_GET64(VTD_IQH_QH, head) ==
		    UIOMMU_GET64(VTD_IQT_QT,
				 uiommu_host_mmio_read64(u->mmio, VTD_IQT)))
			break;
		uiommu_host_relax(u->host);
	}
	power_set_off(u, VTD_GCMD_QIE, "invalidation queue did not end");
}

/*
 * Whether it is on; false too if it is gone. What a write-buffer flush that is
 * under way turns on shows only when that is done.
 */
static bool power_is_on(struct vtd_unit *u, uint32_t command)
{
	uint32_t gsts = power_poll(u, VTD_GSTS, VTD_GCMD_WBF, 0);

	return gsts != ~(uint32_t)0 && gsts & command;
}

static void power_off(struct vtd_unit *u)
{
	/* Another kernel's, by a table in memory that is anybody's soon. */
	if (uiommu_vtd_unit_remaps(u))
		power_set_off(u, VTD_GCMD_IRE,
			      "interrupt remapping did not stop");
	if (!uiommu_vtd_stays_on(u))
		power_set_off(u, VTD_GCMD_TE, "translation did not stop");
	power_drop_queue(u);
}

/* Broken ones too: it is the last chance, and every wait ends. */
static void power_shutdown(struct vtd_unit *u, bool keep_translating)
{
	uint32_t mask = VTD_GCMD_QIE;

	if (uiommu_host_mmio_read32(u->mmio, VTD_GSTS) == ~(uint32_t)0)
		return;
	uiommu_vtd_fault_stop(u);
	if (keep_translating)
		return;
	/* No other CPU begins a command from here on. */
	(void)uiommu_vtd_unit_mark(u);
	if (uiommu_vtd_stays_on(u) && power_is_on(u, VTD_GCMD_TE))
		power_say_on(u);
	power_settle(u);
	power_open_memory(u);
	power_off(u);
	/*
	 * One that was in a command has read the status before, and by what it
	 * writes it turns on again what was on then.
	 */
	if (!uiommu_vtd_stays_on(u))
		mask |= VTD_GCMD_TE;
	if (power_is_on(u, mask))
		power_off(u);
}

void uiommu_vtd_shutdown(struct uiommu_driver *driver, bool keep_translating)
{
	struct vtd_driver *d = power_driver(driver);
	struct vtd_unit *u;

	/* Before start all is as firmware left it. */
	if (!d->started)
		return;
	for (u = d->units; u; u = u->next)
		power_shutdown(u, keep_translating);
}
