// SPDX-License-Identifier: MIT
/*
 * In the place of a Linux that crashed, with its disk and its adapter at work:
 * what it left in the unit is adopted, and goes on until a driver of ours asks.
 */
#include "demo.h"
#include "landing.h"

#define PACKETS 8u
#define PATIENCE_MS 6000u
#define REFUSED_NS UINT64_C(1000000000)
#define NVME_CLASS 0x010802u

#define NVME_CSTS 0x1c
#define NVME_CSTS_CFS 0x2u

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

static uint16_t disk_bdf(void)
{
	uint16_t bdf = 0;

	pci_find_class(NVME_CLASS, 0, &bdf);
	return bdf;
}

static unsigned int faults_of(const struct demo *d, uint16_t bdf)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < d->host.event_count && i < HOST_EVENTS;
	     i++)
		count += d->host.events[i].sid.rid == bdf;
	return count;
}

/*
 * By its own register: what it was told to do ends in a queue that it cannot
 * reach, and that is fatal for it.
 */
static bool disk_failed(void)
{
	void *regs = pci_map_bar(disk_bdf(), 0, PAGE_SIZE);

	return regs && mmio_read32(regs, NVME_CSTS) & NVME_CSTS_CFS;
}

/*
 * Packets land on in the dead kernel's memory, and nothing is refused: from
 * before the start on in the first round, where the tables were changed below.
 */
static void goes_on(struct demo *d, const char *when)
{
	uint32_t landed = landing_wait(&landing, PACKETS, PATIENCE_MS);
	unsigned int late;

	landing.after = landing.newest;
	uiommu_poll_faults(d->uiommu);
	/* Between its driver's first mapping and its reset it is refused. */
	late = d->has_nvme ? faults_of(d, disk_bdf()) : 0;
	check(landed >= PACKETS && d->host.event_count == late &&
		      !d->host.overflows,
	      "linux: %s: %u packets landed, each once, %u faults", when,
	      landed, d->host.event_count - late);
	check(!disk_failed(), "linux: %s: the disk's controller is well", when);
}

/*
 * The contrast: a unit that was reset refuses what its devices still do. It may
 * have room for one record only, so it is asked often.
 */
static void is_refused(struct demo *d, bool silent)
{
	uint64_t end = time_ns() + REFUSED_NS;
	unsigned int net, disk;
	uint32_t landed;

	landing_mark(&landing);
	while (time_ns() < end) {
		uiommu_poll_faults(d->uiommu);
		cpu_relax();
	}
	landed = landing_wait(&landing, 0, 0);
	net = faults_of(d, landing.bdf);
	disk = faults_of(d, disk_bdf());
	check(!(net + disk) == silent && !landed &&
		      net + disk == d->host.event_count,
	      "linux: %s: %u faults of the adapter, %u of the disk, %u in all, "
	      "%u packets landed",
	      silent ? "silent" : "reset", net, disk, d->host.event_count,
	      landed);
	/* Whoever comes second to that room is seen by what it makes of it. */
	check(disk_failed() != silent, "linux: the disk's controller %s",
	      silent ? "was shut down" : "cannot go on");
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
	if (adopt)
		goes_on(d, "adopted");
	else
		is_refused(d, boot_flag("expect-silence"));
	demo_nvme(d);
	if (!adopt)
		return;
	check(inherited(d) + 1 == before,
	      "linux: the disk's entry is ours by now, %u are not",
	      inherited(d));
	goes_on(d, "after the disk");
	/* It has no driver here, and is to be silent before the unit is off. */
	pci_disable(landing.bdf);
}
