// SPDX-License-Identifier: MIT
/*
 * The second kernel's side of demo_crash.c. What the first one's devices do
 * goes on in the first one's memory and nowhere else, until their drivers ask;
 * the disk's does. With takeover-reset the same is seen to go wrong.
 */
#include "demo.h"

#define WAIT_NS UINT64_C(10000000000)
#define QUIET_NS UINT64_C(200000000)
#define NET_TRIES 10u
/* Registers of the unit, by the specification; nobody else looks at them. */
#define UNIT_GSTS 0x1c
#define UNIT_GSTS_TES 0x80000000u
#define UNIT_FECTL 0x38
#define UNIT_FECTL_IM 0x80000000u
#define UNIT_FEADDR 0x40
#define SOME_FRAMES 50u
#define SOME_COPIES 2u
#define BUFFERS_BACK \
	200u /* of 256: newer ones that are surely not overwritten */

static struct {
	struct crash_work *work; /* NULL: nobody was here before */
	struct edu *edu;	 /* that goes on copying; or NULL */
	struct e1000e net;	 /* the first kernel's ring, to look at */
	uint32_t frames;	 /* that came, by the ring */
	uint32_t number;	 /* of the newest */
	uint32_t bad_frames;
	uint32_t copies;
	uint32_t missed;    /* copies that did not come */
	unsigned int reads; /* that ended before the unit was taken over */
} old;

static bool frame_ok(const uint8_t *frame, size_t size, uint32_t *number)
{
	memcpy(number, frame + DEMO_FRAME_NUMBER, 4);
	if (size != DEMO_FRAME_SIZE)
		return false;
	for (uint32_t i = DEMO_FRAME_FILL; i < DEMO_FRAME_SIZE; i++)
		if (frame[i] !=
		    (uint8_t)(*number * 31 + (i - DEMO_FRAME_FILL) * 7))
			return false;
	for (uint32_t i = DEMO_FRAME_SIZE; i < E1000E_BUFFER; i++)
		if (frame[i] != DEMO_POISON)
			return false;
	return true;
}

/* How far the ring is. */
static uint32_t frames_now(void)
{
	uint32_t at = old.frames;
	size_t size;

	while (at < old.net.rx_entries && e1000e_peek(&old.net, at, &size))
		at++;
	return at;
}

/* Each newer frame is whole, newer than the last, and fills no more than it. */
static void look_at_frames(void)
{
	uint32_t end = frames_now();
	uint32_t at = old.frames;

	if (at + BUFFERS_BACK < end)
		at = end - BUFFERS_BACK;
	for (; at < end; at++) {
		size_t size;
		const uint8_t *frame = e1000e_peek(&old.net, at, &size);
		uint32_t number;
		bool ok = frame_ok(frame, size, &number) && number > old.number;

		/* It may have been overtaken meanwhile. */
		if (!ok && frames_now() - at < old.net.buffer_count - 1)
			old.bad_frames++;
		if (ok)
			old.number = number;
	}
	old.frames = end;
}

static bool frames_go_on(uint32_t count, uint64_t ns)
{
	uint64_t end = time_ns() + ns;
	uint32_t until = old.frames + count;

	while (old.frames < until && time_ns() < end) {
		look_at_frames();
		cpu_relax();
	}
	return old.frames >= until;
}

static bool page_is_copied(void)
{
	uint32_t want[DEMO_PAGE_COPY / 4];
	const uint8_t *page = phys_to_virt(old.work->page);

	demo_page_pattern(want, old.work->page_seed);
	for (uint32_t i = DEMO_PAGE_COPY; i < PAGE_SIZE; i++)
		if (page[i] != DEMO_POISON)
			return false;
	return memcmp(page, want, sizeof(want)) == 0;
}

/* From every polling loop: a device that is told once more as it ends. */
void demo_inherit_poll(void)
{
	if (!old.edu || edu_busy(old.edu))
		return;
	if (page_is_copied())
		old.copies++;
	else
		old.missed++;
	memset(phys_to_virt(old.work->page), DEMO_POISON, DEMO_PAGE_COPY);
	edu_again(old.edu);
}

static bool copies_go_on(uint32_t count)
{
	uint64_t end = time_ns() + WAIT_NS;
	uint32_t until = old.copies + old.missed + count;

	while (old.copies + old.missed < until && time_ns() < end)
		cpu_relax();
	return old.copies + old.missed >= until && !old.missed;
}

/* Reads of the first kernel that have ended, as the disk told its queue. */
static unsigned int reads_done(void)
{
	struct nvme_queue q = { .cq = phys_to_virt(old.work->done) };

	return nvme_count_done(&q, CRASH_READS);
}

/* Of those @done: did they end well, and is what they were to bring there? */
static unsigned int reads_right(unsigned int done)
{
	struct nvme_queue q = { .cq = phys_to_virt(old.work->done) };
	const char *data = phys_to_virt(old.work->reads);
	unsigned int right = 0;

	for (unsigned int i = 0; i < done; i++) {
		int id = nvme_done_id(&q, i);

		right += id >= 0 && id < (int)CRASH_READS &&
			 crc32(0, data + (size_t)id * LOAD_PIECE, LOAD_PIECE) ==
				 old.work->read_crc[id];
	}
	return right;
}

static void find_old(struct demo *d)
{
	struct crash_work *w = &d->crash->work;

	old.work = w;
	old.net = (struct e1000e){
		.rx = phys_to_virt(w->ring),
		.buffers = phys_to_virt(w->buffers),
		.rx_entries = w->ring_entries,
		.buffer_count = w->buffer_count,
	};
	old.frames = w->frames;
	if (d->has_rogue)
		old.edu = &d->rogue;
}

void demo_inherit_begin(struct demo *d)
{
	bool ok;

	if (!d->crash)
		return;
	print("\ninherit: the first kernel's devices, nothing done yet\n");
	find_old(d);
	ok = frames_go_on(SOME_FRAMES, WAIT_NS) && !old.bad_frames;
	check(ok, "inherit: frames come on: %u, the newest is number %u",
	      old.frames, old.number);
	print("  %u of %u reads ended\n", reads_done(), CRASH_READS);
	/* The copy that firmware's device was at, for demo_rmrr_begin(). */
	if (d->has_keeper)
		check(edu_wait(&d->keeper), "inherit: the keeper is idle");
}

/* What uiommu_shutdown() of the first kernel left, by the unit's registers. */
void demo_inherit_found(struct demo *d)
{
	struct uiommu_unit_info u = { 0 };
	const void *unit;
	uint32_t control;

	if (!d->crash)
		return;
	if (uiommu_unit_info(d->uiommu, 0, &u)) {
		check(false, "inherit: a unit to look at");
		return;
	}
	unit = phys_to_virt(u.base);
	control = mmio_read32(unit, UNIT_FECTL);
	check((mmio_read32(unit, UNIT_GSTS) & UNIT_GSTS_TES) &&
		      (control & UNIT_FECTL_IM) &&
		      mmio_read32(unit, UNIT_FEADDR),
	      "inherit: the unit was let go: it translates, and faults no "
	      "longer interrupt (%x)",
	      control);
}

void demo_inherit_started(struct demo *d)
{
	if (d->crash)
		old.reads = reads_done();
}

/* No fault at all, by every way to count them. */
static bool no_fault(struct demo *d)
{
	struct uiommu_unit_info u;

	return uiommu_poll_faults(d->uiommu) == 0 && !d->host.event_count &&
	       !d->host.overflows && !uiommu_unit_info(d->uiommu, 0, &u) &&
	       !u.faults;
}

static void check_unit(struct demo *d, bool adopt)
{
	struct uiommu_unit_info u = { 0 };

	int err = uiommu_unit_info(d->uiommu, 0, &u);

	check(!err && u.found_translating && u.found_queued && u.translating,
	      "inherit: found translating, queue %s, %s; it translates",
	      u.found_queued ? "on" : "off",
	      u.found_unfinished ? "not run to its end" : "idle");
	check(u.adopted == adopt && (u.inherited > 0) == adopt,
	      "inherit: %s, %u entries are another kernel's",
	      u.adopted ? "adopted" : "not adopted", u.inherited);
}

static uint32_t inherited(struct demo *d)
{
	struct uiommu_unit_info u = { 0 };

	return uiommu_unit_info(d->uiommu, 0, &u) ? 0 : u.inherited;
}

static bool all_have_domains(struct demo *d)
{
	const struct uiommu_topology *t = uiommu_topology(d->uiommu);

	for (uint32_t i = 0; i < t->count; i++) {
		struct uiommu_device *device = uiommu_device_find(
			d->uiommu, t->functions[i].sid);

		if (!device || !uiommu_device_domain(device))
			return false;
	}
	return t->count > 0;
}

/* Everything goes on, unseen by the unit's faults. */
static void check_goes_on(const char *when)
{
	uint32_t frames = old.frames;
	bool ok = frames_go_on(SOME_FRAMES, WAIT_NS) && !old.bad_frames;

	check(ok, "%s: %u more frames in the old buffers, %u bad", when,
	      old.frames - frames, old.bad_frames);
	ok = copies_go_on(SOME_COPIES);
	check(ok, "%s: the edu's copies in the old page: %u, %u missed", when,
	      old.copies, old.missed);
}

/*
 * The disk's first DMA call makes the device ours. What it was told by the
 * first kernel ends here: it may not tell the old queue, nor read from it.
 */
static void take_disk(struct demo *d)
{
	const struct uiommu_event *e;
	struct nvme *n = &d->nvme;
	struct crash_work *w = old.work;
	uint32_t entries = inherited(d);
	unsigned int done;
	uint64_t command;
	uint64_t addr;
	void *page;
	int err = nvme_probe(n) ? dma_connect(&n->dma, d->uiommu)
				: UIOMMU_ENODEV;

	check(!err && no_fault(d), "disk: its driver has it, no fault: %s",
	      uiommu_strerror(err));
	if (err)
		return;
	d->host.suspect = n->dma.bdf;
	page = dma_alloc(&n->dma, PAGE_SIZE, &addr);
	check(page, "disk: its first DMA call");
	if (!page)
		return;
	dma_free(&n->dma, page, PAGE_SIZE, addr);
	check(inherited(d) == entries - 1,
	      "disk: and its entry is ours, %u are another kernel's still",
	      inherited(d));
	/* Nothing can come to the old queue any more. */
	done = reads_done();
	check(done < CRASH_READS, "disk: %u of %u old reads are under way%s",
	      CRASH_READS - done, CRASH_READS,
	      done < CRASH_READS ? "" : ": this host is too slow for the test");
	e = demo_find_event(d, n->dma.bdf, w->done_addr, UIOMMU_ACCESS_WRITE);
	check(e && reads_done() == done,
	      "disk: an old read ends, its queue %lx: %s", w->done_addr,
	      e ? e->text : "NO FAULT");
	n->doorbell_stride = w->doorbell_stride;
	nvme_tell(n, &(struct nvme_queue){ .id = w->queue_id,
					   .tail = (w->queue_tail + 1) %
						   NVME_SECOND_ENTRIES });
	command = w->queue_addr + w->queue_tail * NVME_COMMAND_SIZE;
	e = demo_find_event(d, n->dma.bdf, command, UIOMMU_ACCESS_READ);
	check(e, "disk: an old command at %lx: %s", command,
	      e ? e->text : "NO FAULT");
}

/* Without a monitor it takes its time, as it would have anyway. */
void demo_hurry_disk(struct demo *d)
{
	uint64_t end = time_ns() + WAIT_NS;
	uint64_t quiet = time_ns() + QUIET_NS;
	unsigned int count = d->host.event_count + d->host.overflows;

	print("host: disk_pace iops=0\n");
	while (time_ns() < quiet && time_ns() < end) {
		cpu_relax();
		(void)uiommu_poll_faults(d->uiommu);
		if (d->host.event_count + d->host.overflows == count)
			continue;
		count = d->host.event_count + d->host.overflows;
		quiet = time_ns() + QUIET_NS;
	}
}

static void use_disk(struct demo *d)
{
	int err;

	demo_hurry_disk(d);
	err = nvme_start(&d->nvme);

	d->has_nvme = !err;
	check(!err, "disk: started: %s", uiommu_strerror(err));
	if (!err)
		demo_nvme_read(d);
}

static void adopted(struct demo *d)
{
	unsigned int done;

	check(no_fault(d), "inherit: no fault by the start");
	/* Without this the rest proves nothing. */
	check(old.reads < CRASH_READS,
	      "inherit: at the start %u of %u old reads were under way%s",
	      CRASH_READS - old.reads, CRASH_READS,
	      old.reads < CRASH_READS ? "" : ": this host is too slow");
	check(all_have_domains(d), "inherit: every device has a domain");
	check_goes_on("inherit");
	done = reads_done();
	check(done > old.reads,
	      "inherit: %u of %u old reads ended, %u of them since", done,
	      CRASH_READS, done - old.reads);
	check(no_fault(d), "inherit: no fault since");
	take_disk(d);
	use_disk(d);
	check_goes_on("beside the disk");
	done = reads_done();
	check(reads_right(done) == done,
	      "inherit: %u old reads ended, each brought its data", done);
	(void)uiommu_poll_faults(d->uiommu);
	check(!d->host.strangers, "inherit: no fault but the disk's");
}

/*
 * The adapter reads descriptors that it may not, takes what comes for empty
 * ones, and is through with its ring at once. Give it the ring again, until one
 * of its many faults finds a free record.
 */
static const struct uiommu_event *net_fault(struct demo *d)
{
	const struct uiommu_event *e = NULL;

	if (!e1000e_probe(&d->net))
		return NULL;
	for (unsigned int i = 0; !e && i < NET_TRIES; i++) {
		e1000e_refill(&d->net);
		e = demo_find_any(d, d->net.dma.bdf);
	}
	return e;
}

static void check_faults(struct demo *d, const char *who, uint16_t bdf,
			 const struct uiommu_event *e)
{
	check(e, "reset: %s faults: %02x:%02x.%u %lx, %s", who, bdf >> 8,
	      bdf >> 3 & 31, bdf & 7u, e ? e->address : 0,
	      e ? e->text : "but NO FAULT was reported");
	d->host.event_count = 0;
}

/* The contrast: nobody's data arrives, and the unit says so of each. */
static void not_adopted(struct demo *d)
{
	const struct uiommu_event *e;
	bool ok;

	look_at_frames();
	ok = !frames_go_on(1, QUIET_NS);
	check(ok, "reset: no frame comes any more, %u came", old.frames);
	ok = nvme_probe(&d->nvme);
	check_faults(d, "the disk", d->nvme.dma.bdf,
		     ok ? demo_find_any(d, d->nvme.dma.bdf) : NULL);
	(void)copies_go_on(SOME_COPIES);
	check(old.missed, "reset: %u copies of the edu do not arrive",
	      old.missed);
	check_faults(d, "the edu", d->rogue.dma.bdf,
		     demo_find_any(d, d->rogue.dma.bdf));
	old.edu = NULL;
	ok = edu_wait(&d->rogue);
	e = net_fault(d);
	check_faults(d, "the network adapter", d->net.dma.bdf, e);
	ok = ok && !dma_connect(&d->nvme.dma, d->uiommu);
	check(ok, "reset: the disk's driver has it");
	if (ok)
		use_disk(d);
}

static bool all_bytes(const void *memory, int byte, size_t size)
{
	const uint8_t *p = memory;

	for (size_t i = 0; i < size; i++)
		if (p[i] != byte)
			return false;
	return true;
}

/* The adapter wrote frames, and that they came; no address of a buffer. */
static uint32_t wrong_in_ring(void)
{
	const uint64_t *ring = phys_to_virt(old.work->ring);
	const uint8_t *buffer = phys_to_virt(old.work->buffers);
	uint32_t wrong = 0;
	uint32_t number;

	look_at_frames();
	for (uint32_t i = 0; i < old.work->ring_entries; i++) {
		uint64_t at = i % old.work->buffer_count * E1000E_BUFFER;

		if (ring[2 * i] != old.work->buffers_addr + at ||
		    (i >= old.frames && ring[2 * i + 1]))
			wrong++;
	}
	for (uint32_t i = 0; i < old.work->buffer_count; i++) {
		if (i < old.frames
			    ? !frame_ok(buffer, DEMO_FRAME_SIZE, &number)
			    : !all_bytes(buffer, DEMO_POISON, E1000E_BUFFER))
			wrong++;
		buffer += E1000E_BUFFER;
	}
	return wrong;
}

/*
 * The disk wrote what it was to read, and that it did. QEMU looks up where data
 * goes when it is told a read, so it may be there of one that could not end.
 */
static uint32_t wrong_of_disk(void)
{
	const char *data = phys_to_virt(old.work->reads);
	const char *queue = phys_to_virt(old.work->done);
	size_t used = reads_done() * (size_t)NVME_COMPLETION_SIZE;
	uint32_t wrong = !all_bytes(queue + used, 0, PAGE_SIZE - used);

	for (uint32_t i = 0; i < CRASH_READS; i++) {
		if (crc32(0, data, LOAD_PIECE) != old.work->read_crc[i] &&
		    !all_bytes(data, 0, LOAD_PIECE))
			wrong++;
		data += LOAD_PIECE;
	}
	return wrong;
}

/* What was not summed up, for devices were to write there. */
static void check_live(void)
{
	const uint8_t *page = phys_to_virt(old.work->page);
	uint32_t net = wrong_in_ring();
	uint32_t disk = wrong_of_disk();
	bool edu = all_bytes(page + DEMO_PAGE_COPY, DEMO_POISON,
			     PAGE_SIZE - DEMO_PAGE_COPY) &&
		   (page_is_copied() ||
		    all_bytes(page, DEMO_POISON, DEMO_PAGE_COPY));

	check(!net && !disk && edu,
	      "inherit: in their buffers: wrong bytes by adapter %u, disk %u, "
	      "edu %u",
	      net, disk, !edu);
}

/* The devices fall silent, so that memory can be looked at. */
static void silence(struct demo *d)
{
	uint64_t first = 0;
	unsigned int changed;
	size_t own;

	old.edu = NULL;
	(void)edu_wait(&d->rogue);
	if (e1000e_probe(&d->net))
		e1000e_stop(&d->net);
	changed = crash_changed(d->crash, &first);
	/* What was reset may write anywhere: no promise to be checked. */
	if (boot_flag("takeover-reset")) {
		print("  memory elsewhere: %u blocks of 4 MiB changed\n",
		      changed);
		return;
	}
	check(!changed,
	      "inherit: memory elsewhere: %u blocks of 4 MiB changed, at %lx",
	      changed, first);
	own = crash_own_changed(d->crash, &first);
	check_live();
	check(!own, "inherit: our own memory: %zu pages changed, at %lx", own,
	      own ? first : 0);
}

void demo_inherit(struct demo *d)
{
	bool adopt = !boot_flag("takeover-reset");

	print("\ninherit: what goes on\n");
	check_unit(d, adopt);
	if (adopt)
		adopted(d);
	else
		not_adopted(d);
	silence(d);
}
