// SPDX-License-Identifier: MIT
/*
 * The first kernel's last act: a network adapter that receives, a disk with
 * reads under way, a device that copies, and then no kernel any more. Nobody
 * stops them; what they were told holds.
 */
#include "demo.h"

#define RING_ENTRIES 32768u /* half a minute of frames */
#define BUFFERS 256u
#define FRAMES_BEFORE 100u
#define WAIT_NS UINT64_C(20000000000)

void demo_page_pattern(void *page, uint32_t seed)
{
	uint32_t *words = page;

	for (uint32_t i = 0; i < DEMO_PAGE_COPY / 4; i++)
		words[i] = (seed + i) * 0x85ebca6bu;
}

static int start_net(struct demo *d, struct crash_handover *h)
{
	struct crash_work *w = &h->work;
	struct e1000e *e = &d->net;
	uint64_t end = time_ns() + WAIT_NS;
	size_t size;
	int err;

	if (!e1000e_probe(e))
		return UIOMMU_ENODEV;
	e->rx_entries = RING_ENTRIES;
	e->buffer_count = BUFFERS;
	e->poison = DEMO_POISON;
	err = dma_connect(&e->dma, d->uiommu);
	if (!err)
		err = e1000e_start(e);
	if (err)
		return err;
	w->ring = virt_to_phys(e->rx);
	w->ring_entries = RING_ENTRIES;
	w->buffers = virt_to_phys(e->buffers);
	w->buffers_addr = e->buffers_addr;
	w->buffer_count = BUFFERS;
	crash_live(h, e->rx, (size_t)RING_ENTRIES * 16);
	crash_live(h, e->buffers, (size_t)BUFFERS * E1000E_BUFFER);
	while (w->frames < FRAMES_BEFORE && time_ns() < end)
		if (e1000e_peek(e, w->frames, &size))
			w->frames++;
		else
			cpu_relax();
	return w->frames == FRAMES_BEFORE ? 0 : UIOMMU_ETIMEDOUT;
}

/* Reads for many buffers, written to the queue and not told yet. */
static int prepare_disk(struct demo *d, struct crash_handover *h)
{
	struct crash_work *w = &h->work;
	struct nvme *n = &d->nvme;
	struct nvme_queue *q = &n->second;
	uint64_t addr;
	char *reads;
	int err;

	if (!d->has_nvme || !d->load.known)
		return UIOMMU_ENODEV;
	err = nvme_start_second(n);
	if (err)
		return err;
	reads = dma_alloc(&n->dma, CRASH_READS * LOAD_PIECE, &addr);
	if (!reads)
		return UIOMMU_ENOMEM;
	q->held = true;
	for (uint16_t i = 0; i < CRASH_READS; i++) {
		nvme_post_read(n, q, i,
			       (uint64_t)i * LOAD_PIECE / n->block_size,
			       addr + (uint64_t)i * LOAD_PIECE, LOAD_PAGES);
		w->read_crc[i] = d->load.crc[i];
	}
	w->reads = virt_to_phys(reads);
	w->reads_addr = addr;
	w->done = virt_to_phys(q->cq);
	w->done_addr = q->cq_addr;
	w->queue_addr = q->sq_addr;
	w->queue_id = q->id;
	w->queue_tail = q->tail;
	w->doorbell_stride = n->doorbell_stride;
	crash_live(h, reads, CRASH_READS * LOAD_PIECE);
	crash_live(h, q->cq, PAGE_SIZE);
	return 0;
}

/* The edu has the pattern in its buffer, and a page for it. */
static int prepare_edu(struct demo *d, struct crash_handover *h)
{
	struct crash_work *w = &h->work;
	struct edu *e = &d->rogue;
	char *page;
	int err = d->has_rogue ? dma_connect(&e->dma, d->uiommu)
			       : UIOMMU_ENODEV;

	if (err)
		return err;
	page = dma_alloc(&e->dma, PAGE_SIZE, &w->page_addr);
	if (!page)
		return UIOMMU_ENOMEM;
	w->page = virt_to_phys(page);
	w->page_seed = (uint32_t)time_ns();
	demo_page_pattern(page, w->page_seed);
	if (!edu_read(e, w->page_addr, 0, DEMO_PAGE_COPY))
		return UIOMMU_ETIMEDOUT;
	memset(page, DEMO_POISON, PAGE_SIZE);
	crash_live(h, page, PAGE_SIZE);
	return 0;
}

static void fault_interrupt(void *context)
{
	struct demo *d = context;

	(void)uiommu_poll_faults(d->uiommu);
}

/* An interrupt on faults, which must not come when nobody is there for it. */
static int want_interrupts(struct demo *d)
{
	uint64_t address;
	uint32_t data;

	trap_message(fault_interrupt, d, &address, &data);
	return uiommu_unit_set_fault_interrupt(d->uiommu, 0, address, data);
}

/* As docs/porting.md says of panic: devices go on, and faults tell nobody. */
static void leave_unit(void *context)
{
	struct demo *d = context;

	uiommu_shutdown(d->uiommu, true);
}

/* The last orders; registers only, memory is summed up already. */
static void tell_devices(void *context)
{
	struct demo *d = context;

	nvme_tell(&d->nvme, &d->nvme.second);
	edu_start_write(&d->rogue, d->crash->work.page_addr, 0, DEMO_PAGE_COPY);
}

void demo_crash(struct demo *d)
{
	struct crash_handover *h = crash_load(boot_info.image,
					      boot_info.image_size);
	int err;

	print("\ncrash: devices at work, and no kernel any more\n");
	check(h, "crash: a second kernel is put aside");
	if (!h)
		return;
	d->crash = h;
	demo_rmrr_hand_over(h);
	err = want_interrupts(d);
	check(!err, "crash: the unit interrupts on faults: %s",
	      uiommu_strerror(err));
	if (!err)
		err = start_net(d, h);
	check(!err, "crash: the network adapter receives: %s",
	      uiommu_strerror(err));
	if (!err) {
		err = prepare_edu(d, h);
		check(!err, "crash: an edu is to write %lx: %s",
		      h->work.page_addr, uiommu_strerror(err));
	}
	if (!err) {
		err = prepare_disk(d, h);
		check(!err, "crash: %u reads of the disk for %lx: %s",
		      CRASH_READS, h->work.reads_addr, uiommu_strerror(err));
	}
	if (err)
		return;
	check(uiommu_poll_faults(d->uiommu) == 0 && !d->host.event_count,
	      "crash: no fault so far");
	print("crash: now\n");
	crash_jump(h, leave_unit, tell_devices, d);
}
