// SPDX-License-Identifier: MIT
/*
 * In the place of a Linux that crashed, with its disk and its adapter at work:
 * what it left in the unit is adopted, and goes on until a driver of ours asks.
 */
#include "demo.h"
#include "landing.h"

#define PACKETS 8u
#define PATIENCE_MS 6000u

static struct landing landing;

void demo_linux_begin(struct demo *d)
{
	bool landed;

	if (!boot_flag("linux"))
		return;
	d->host.suspect = 0;
	print("\nlinux: where another kernel's devices write\n");
	landed = landing_begin(&landing);
	check(landed, "linux: packet %lu has landed", landing.newest);
}

/*
 * Packets land on in the dead kernel's memory, and nothing is refused: from
 * before the start on in the first round, where the tables were changed below.
 */
static void goes_on(struct demo *d, const char *when)
{
	uint32_t landed = landing_wait(&landing, PACKETS, PATIENCE_MS);

	landing.after = landing.newest;
	uiommu_poll_faults(d->uiommu);
	check(landed >= PACKETS && !d->host.event_count && !d->host.overflows,
	      "linux: %s: %u packets landed, each once, %u faults", when,
	      landed, d->host.event_count);
}

/* The contrast: a unit that was reset refuses what its adapter still does. */
static void is_refused(struct demo *d, bool silent)
{
	uint32_t landed = landing_wait(&landing, 1, PATIENCE_MS / 4);
	unsigned int others = 0;

	uiommu_poll_faults(d->uiommu);
	for (unsigned int i = 0; i < d->host.event_count && i < HOST_EVENTS;
	     i++)
		others += d->host.events[i].sid.rid != landing.bdf;
	check(!d->host.event_count == silent && !others && !landed,
	      "linux: %s: %u faults of the adapter, %u of others, "
	      "%u packets landed",
	      silent ? "silent" : "reset", d->host.event_count, others, landed);
}

static uint32_t inherited(struct demo *d)
{
	struct uiommu_unit_info info;

	return uiommu_unit_info(d->uiommu, 0, &info) ? 0 : info.inherited;
}

static void check_found(struct demo *d, bool adopt)
{
	struct uiommu_unit_info info = { 0 };
	int err = uiommu_unit_info(d->uiommu, 0, &info);

	check(!err && info.adopted == adopt &&
		      info.found_translating == !boot_flag("expect-silence") &&
		      info.found_queued && info.found_interrupt_remapping,
	      "linux: unit 0 found%s, %s, %u entries inherited",
	      info.found_translating ? " translating" : " with its queue on",
	      info.adopted ? "adopted" : "reset", info.inherited);
}

void demo_linux(struct demo *d)
{
	bool adopt = boot_flag("expect-adopted");
	uint32_t before = inherited(d);

	check_found(d, adopt);
	if (adopt) {
		goes_on(d, "adopted");
	} else {
		landing_mark(&landing);
		is_refused(d, boot_flag("expect-silence"));
	}
	demo_nvme(d);
	if (!adopt)
		return;
	check(inherited(d) + 1 == before,
	      "linux: the disk's entry is ours by now, %u are not",
	      inherited(d));
	goes_on(d, "after the disk");
}
