// SPDX-License-Identifier: MIT
/*
 * In the place of a Linux that crashed, with its disk and its adapter at work:
 * what it left in the unit is adopted, and goes on until a driver of ours asks.
 */
#include "demo.h"
#include "landing.h"
#include "left_disk.h"

#define PACKETS 8u
#define PATIENCE_MS 6000u
#define REFUSED_NS UINT64_C(1000000000)
#define NVME_CLASS 0x010802u

#define NVME_CSTS 0x1c
#define NVME_CSTS_CFS 0x2u

static struct landing landing;
static struct left_disk left;
static struct left_state at_start;

/* The reads that Linux has under way: for who adopts. */
static void find_reads(struct demo *d)
{
	struct uiommu_unit_info u = { 0 };
	bool found = !uiommu_unit_info(d->uiommu, 0, &u) &&
		     left_disk_find(&left, phys_to_virt(u.base));

	check(found, "linux: the disk's queue %u: %u entries, at %lx and %lx",
	      left.id, left.entries, left.commands, left.ends);
}

void demo_linux_begin(struct demo *d)
{
	bool landed;

	if (!boot_flag("linux"))
		return;
	d->host.suspect = 0;
	print("\nlinux: where another kernel's devices write\n");
	landed = landing_begin(&landing);
	check(landed, "linux: packet %lu has landed", landing.newest);
	if (boot_flag("expect-adopted"))
		find_reads(d);
}

void demo_linux_started(struct demo *d)
{
	(void)d;
	if (left.entries)
		left_disk_look(&left, &at_start);
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

static uint32_t ended_since_start(const struct left_state *now)
{
	return (now->ended + left.entries - at_start.ended) % left.entries;
}

/*
 * A fault of the disk's at its queue, of @size bytes from @addr on, or at the
 * @page that it looks at before.
 */
static const struct uiommu_event *old_fault(struct demo *d, uint64_t addr,
					    uint64_t size, uint64_t page,
					    enum uiommu_access access)
{
	uint64_t end = time_ns() + REFUSED_NS;

	do {
		(void)uiommu_poll_faults(d->uiommu);
		for (unsigned int i = 0;
		     i < d->host.event_count && i < HOST_EVENTS; i++) {
			const struct uiommu_event *e = &d->host.events[i];

			if (e->sid.rid != left.bdf || e->access != access)
				continue;
			if ((e->address >= addr && e->address < addr + size) ||
			    (page && e->address == page))
				return e;
		}
		cpu_relax();
	} while (time_ns() < end);
	return NULL;
}

/* Linux's reads go on where its tables lead, until a driver of ours asks. */
static void check_reads(struct left_state *now)
{
	check(at_start.under_way, "linux: at the start %u reads were under way",
	      at_start.under_way);
	left_disk_look(&left, now);
	check(ended_since_start(now) && now->under_way,
	      "linux: %u of them have ended since, %u are under way",
	      ended_since_start(now), now->under_way);
}

/*
 * As the disk's first mapping of ours is made, Linux's are gone: the reads that
 * are under way cannot end, and there is no way to tell the disk new ones.
 */
static void take_disk(struct demo *d)
{
	const struct uiommu_event *e;
	struct left_state before;
	struct left_state now;
	struct nvme *n = &d->nvme;
	uint32_t entries = inherited(d);
	uint64_t addr;
	void *page = NULL;

	check_reads(&now);
	d->host.suspect = left.bdf;
	if (nvme_probe(n) && !dma_connect(&n->dma, d->uiommu))
		page = dma_alloc(&n->dma, PAGE_SIZE, &addr);
	left_disk_look(&left, &before);
	check(page && inherited(d) + 1 == entries,
	      "linux: the disk's entry is ours by now, %u are not",
	      inherited(d));
	if (!page)
		return;
	dma_free(&n->dma, page, PAGE_SIZE, addr);
	e = old_fault(d, left.ends, left.entries * NVME_COMPLETION_SIZE,
		      left.marks, UIOMMU_ACCESS_WRITE);
	left_disk_look(&left, &now);
	check(e && now.under_way && now.ended == before.ended,
	      "linux: an old read ends, and cannot tell at %lx: %s",
	      e ? e->address : left.ends, e ? e->text : "NO FAULT");
	left_disk_ring(&left, &now);
	e = old_fault(d, left.commands, left.entries * NVME_COMMAND_SIZE,
		      left.bells, UIOMMU_ACCESS_READ);
	check(e, "linux: an old command, looked for at %lx: %s",
	      e ? e->address : left.commands, e ? e->text : "NO FAULT");
	demo_hurry_disk(d);
	dma_disconnect(&n->dma);
}

void demo_linux(struct demo *d)
{
	bool adopt = boot_flag("expect-adopted");

	check_found(d, adopt);
	if (adopt) {
		goes_on(d, "adopted");
		take_disk(d);
	} else {
		is_refused(d, boot_flag("expect-silence"));
		demo_hurry_disk(d);
	}
	demo_nvme(d);
	if (!adopt)
		return;
	check(!d->host.strangers, "linux: no fault but the disk's old ones");
	/* The disk is through with them by its reset. */
	d->host.event_count = 0;
	d->host.overflows = 0;
	goes_on(d, "after the disk");
	/* It has no driver here, and is to be silent before the unit is off. */
	pci_disable(landing.bdf);
}
