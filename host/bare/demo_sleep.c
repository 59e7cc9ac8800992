// SPDX-License-Identifier: MIT
/*
 * The machine sleeps, and its IOMMU unit loses its power: what was mapped
 * before leads where it led when all is awake again, and what was not is
 * refused as before. Then once more without the sleep, which was called off,
 * and at last the unit is left as a next kernel wants to find it.
 */
#include "demo.h"
#include "sleep.h"

#define COPY_SIZE 1024u
#define COPY_TO 2048u /* offset in the page */
#define POISON 0xa5
#define LENT_AT UINT64_C(0x100000) /* where the unmanaged domain maps */
#define DISK_SIZE NVME_MAX_TRANSFER
#define WAIT_NS UINT64_C(1000000000)

/* Registers of the unit, by the specification; nobody else looks at them. */
#define UNIT_GSTS 0x1c
#define UNIT_GSTS_TES 0x80000000u
#define UNIT_GSTS_QIES 0x04000000u
#define UNIT_RTADDR 0x20
#define UNIT_FECTL 0x38 /* then data, address, upper address */
#define UNIT_FECTL_IM 0x80000000u
#define UNIT_PMEN 0x64
#define UNIT_PMEN_PRS 0x1u
#define UNIT_IQA 0x90

struct unit_state {
	uint32_t status;
	uint64_t root;
	uint64_t queue;
	uint32_t event[4];
};

struct sleeper {
	struct demo *d;
	struct sleep sleep;
	const void *unit; /* its registers */
	struct unit_state before;
	volatile unsigned int interrupts; /* of faults */
	/* Streaming mappings and a coherent one of an edu in its DMA domain */
	char *out;
	char *in;
	char *shared;
	uint64_t out_addr;
	uint64_t in_addr;
	uint64_t shared_addr;
	/* A page for one in identity, and for one in a domain of ours */
	char *same;
	char *lent;
	struct uiommu_group *group;
	struct uiommu_domain *domain;
	/* A streaming mapping of the disk's, and what it read there */
	char *disk;
	uint64_t disk_addr;
	uint32_t disk_crc;
	/* Two pages that no device was given */
	char *from;
	char *to;
};

/* --- The unit --------------------------------------------------------------- */

static void unit_read(const struct sleeper *s, struct unit_state *u)
{
	u->status = mmio_read32(s->unit, UNIT_GSTS);
	u->root = mmio_read64(s->unit, UNIT_RTADDR);
	u->queue = mmio_read64(s->unit, UNIT_IQA);
	for (uint32_t i = 0; i < ARRAY_SIZE(u->event); i++)
		u->event[i] = mmio_read32(s->unit, UNIT_FECTL + 4 * i);
}

/* In the interrupt; what it finds goes to uiommu_host_notify(). */
static void unit_interrupt(void *context)
{
	struct sleeper *s = context;

	s->interrupts++;
	(void)uiommu_poll_faults(s->d->uiommu);
}

static bool unit_prepare(struct sleeper *s)
{
	struct uiommu_unit_info info;
	uint64_t address;
	uint32_t data;
	int err;

	if (uiommu_unit_info(s->d->uiommu, 0, &info))
		return false;
	s->unit = phys_to_virt(info.base);
	trap_message(unit_interrupt, s, &address, &data);
	err = uiommu_unit_set_fault_interrupt(s->d->uiommu, 0, address, data);
	check(!err, "unit: tells faults by a message, %x to %lx: %s", data,
	      address, uiommu_strerror(err));
	return !err;
}

/* --- What devices reach ------------------------------------------------------ */

static bool pages_prepare(struct sleeper *s)
{
	char **const low[] = { &s->same, &s->from, &s->to };
	char **const high[] = { &s->out, &s->in, &s->lent };
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(low); i++) {
		*low[i] = mem_alloc_in(0, 0, EDU_MASK);
		/* Out of an edu's reach unless addresses are translated. */
		*high[i] = mem_alloc_in(0, EDU_MASK + 1, ~UINT64_C(0) >> 1);
		ok = ok && *low[i] && *high[i];
	}
	return ok;
}

static int edu_prepare(struct sleeper *s)
{
	struct dma_device *dma = &s->d->rogue.dma;
	int err = s->d->has_rogue ? dma_connect(dma, s->d->uiommu)
				  : UIOMMU_ENODEV;

	if (!err)
		err = dma_map(dma, s->out, PAGE_SIZE, UIOMMU_DMA_TO_DEVICE,
			      &s->out_addr);
	if (!err)
		err = dma_map(dma, s->in, PAGE_SIZE, UIOMMU_DMA_FROM_DEVICE,
			      &s->in_addr);
	if (err)
		return err;
	s->shared = dma_alloc(dma, PAGE_SIZE, &s->shared_addr);
	return s->shared ? 0 : UIOMMU_ENOMEM;
}

static int lent_prepare(struct sleeper *s)
{
	struct uiommu_range range = { LENT_AT, LENT_AT + PAGE_SIZE - 1 };
	int err;

	s->group = demo_group(s->d, s->d->bridged.dma.bdf);
	if (!s->d->has_bridged || !s->group)
		return UIOMMU_ENODEV;
	err = uiommu_group_claim(s->group, s);
	if (!err)
		err = uiommu_domain_create(&s->group, 1, &s->domain);
	if (!err)
		err = uiommu_domain_map(s->domain, range, virt_to_phys(s->lent),
					UIOMMU_PROT_READ | UIOMMU_PROT_WRITE);
	return err ? err : uiommu_group_attach(s->group, s, s->domain);
}

static int disk_read(struct sleeper *s, uint32_t *crc)
{
	struct uiommu_sg sg = { .iova = s->disk_addr, .iova_size = DISK_SIZE };
	struct nvme *n = &s->d->nvme;
	int err;

	memset(s->disk, POISON, DISK_SIZE);
	err = uiommu_dma_sync_for_device(n->dma.iommu, s->disk_addr, DISK_SIZE);
	if (!err)
		err = nvme_read(n, 0, &sg, 1);
	if (!err)
		err = uiommu_dma_sync_for_cpu(n->dma.iommu, s->disk_addr,
					      DISK_SIZE);
	*crc = crc32(0, s->disk, DISK_SIZE);
	return err;
}

static int disk_prepare(struct sleeper *s)
{
	int err;

	if (!s->d->has_nvme)
		return UIOMMU_ENODEV;
	s->disk = mem_alloc(mem_order(DISK_SIZE));
	if (!s->disk)
		return UIOMMU_ENOMEM;
	err = dma_map(&s->d->nvme.dma, s->disk, DISK_SIZE,
		      UIOMMU_DMA_FROM_DEVICE, &s->disk_addr);
	return err ? err : disk_read(s, &s->disk_crc);
}

static bool prepare(struct sleeper *s)
{
	struct demo *d = s->d;
	struct uiommu_sid pair = { .rid = d->pair[0].dma.bdf };
	struct uiommu_device *device = uiommu_device_find(d->uiommu, pair);
	int err = pages_prepare(s) ? edu_prepare(s) : UIOMMU_ENOMEM;

	check(!err, "edu: mapped for it %lx and %lx, shared %lx: %s",
	      s->out_addr, s->in_addr, s->shared_addr, uiommu_strerror(err));
	if (err)
		return false;
	err = device ? uiommu_group_set_type(uiommu_device_group(device),
					     UIOMMU_DOMAIN_IDENTITY)
		     : UIOMMU_ENODEV;
	check(!err, "edu pair: in identity: %s", uiommu_strerror(err));
	if (err)
		return false;
	err = lent_prepare(s);
	check(!err, "edu behind a PCI bridge: in a domain of ours: %s",
	      uiommu_strerror(err));
	if (err)
		return false;
	err = disk_prepare(s);
	check(!err, "nvme: mapped for it %lx, and read: %s", s->disk_addr,
	      uiommu_strerror(err));
	return !err && unit_prepare(s);
}

/* --- What is tried, before and after ------------------------------------------ */

static void fill(char *page)
{
	uint32_t *words = (uint32_t *)page;
	uint32_t seed = (uint32_t)time_ns();

	for (uint32_t i = 0; i < COPY_SIZE / 4; i++)
		words[i] = (seed + i) * 0x85ebca6bu;
}

/* Does what the edu reads at @a and writes to @b come from @from and go to @to? */
static bool copies(struct edu *e, char *from, uint64_t a, char *to, uint64_t b)
{
	fill(from);
	memset(to, POISON, COPY_SIZE);
	return edu_read(e, a, 0, COPY_SIZE) && edu_write(e, b, 0, COPY_SIZE) &&
	       memcmp(from, to, COPY_SIZE) == 0;
}

static bool streams(struct sleeper *s)
{
	struct uiommu_device *device = s->d->rogue.dma.iommu;

	fill(s->out);
	memset(s->in, POISON, COPY_SIZE);
	return !uiommu_dma_sync_for_device(device, s->out_addr, COPY_SIZE) &&
	       !uiommu_dma_sync_for_device(device, s->in_addr, COPY_SIZE) &&
	       edu_read(&s->d->rogue, s->out_addr, 0, COPY_SIZE) &&
	       edu_write(&s->d->rogue, s->in_addr, 0, COPY_SIZE) &&
	       !uiommu_dma_sync_for_cpu(device, s->in_addr, COPY_SIZE) &&
	       memcmp(s->out, s->in, COPY_SIZE) == 0;
}

static void check_mappings(struct sleeper *s, const char *when)
{
	struct demo *d = s->d;
	uint64_t at = virt_to_phys(s->same);
	uint32_t crc = 0;
	int err;

	check(streams(s), "%s: edu: %lx leads to %lx, and %lx to %lx", when,
	      s->out_addr, virt_to_phys(s->out), s->in_addr,
	      virt_to_phys(s->in));
	check(copies(&d->rogue, s->shared, s->shared_addr, s->shared + COPY_TO,
		     s->shared_addr + COPY_TO),
	      "%s: edu: shared memory at %lx", when, s->shared_addr);
	check(copies(&d->pair[0], s->same, at, s->same + COPY_TO, at + COPY_TO),
	      "%s: edu in identity: %lx is %lx", when, at, at);
	check(copies(&d->bridged, s->lent, LENT_AT, s->lent + COPY_TO,
		     LENT_AT + COPY_TO),
	      "%s: edu in a domain of ours: %lx leads to %lx", when, LENT_AT,
	      virt_to_phys(s->lent));
	err = disk_read(s, &crc);
	check(!err && crc == s->disk_crc,
	      "%s: nvme: reads to %lx, checksum %08x, expected %08x: %s", when,
	      s->disk_addr, crc, s->disk_crc, uiommu_strerror(err));
	if (demo_rmrr_working())
		check(demo_rmrr_go_on(2), "%s: rmrr: the device copies", when);
}

/* Between two pages that it was not given. */
static bool copies_physical(struct sleeper *s)
{
	return copies(&s->d->rogue, s->from, virt_to_phys(s->from), s->to,
		      virt_to_phys(s->to));
}

static bool all_poison(const char *p)
{
	for (size_t i = 0; i < COPY_SIZE; i++)
		if ((uint8_t)p[i] != POISON)
			return false;
	return true;
}

/* Refused, and told by the interrupt: nobody polls before it came. */
static void check_refused(struct sleeper *s, const char *when)
{
	struct demo *d = s->d;
	uint64_t at = virt_to_phys(s->to);
	uint64_t end = time_ns() + WAIT_NS;
	unsigned int before = s->interrupts;
	bool told = false;
	bool ok;

	d->host.event_count = 0;
	d->host.suspect = d->rogue.dma.bdf;
	memset(s->to, POISON, COPY_SIZE);
	ok = edu_write(&d->rogue, at, 0, COPY_SIZE) && all_poison(s->to);
	while (s->interrupts == before && time_ns() < end)
		cpu_relax();
	for (unsigned int i = 0; i < d->host.event_count && i < HOST_EVENTS;
	     i++)
		told = told || (d->host.events[i].kind == UIOMMU_EVENT_FAULT &&
				d->host.events[i].sid.rid == d->rogue.dma.bdf &&
				d->host.events[i].address == at);
	told = told && s->interrupts != before;
	check(ok && told, "%s: edu: a write to %lx is refused, %s", when, at,
	      told ? "an interrupt tells" : "but NO INTERRUPT told");
	d->host.event_count = 0;
}

/* --- To sleep and back -------------------------------------------------------- */

static void rest(struct sleeper *s)
{
	struct demo *d = s->d;
	struct unit_state u;
	int err;

	if (d->has_net)
		e1000e_stop(&d->net);
	err = nvme_rest(&d->nvme);
	check(!err && demo_rmrr_rest(), "sleep: devices are at rest: %s",
	      uiommu_strerror(err));
	__asm__ volatile("cli");
	unit_read(s, &s->before);
	err = uiommu_suspend(d->uiommu);
	unit_read(s, &u);
	check(!err && !(u.status & (UNIT_GSTS_TES | UNIT_GSTS_QIES)) &&
		      u.event[0] & UNIT_FECTL_IM,
	      "sleep: suspended: GSTS %08x, FECTL %08x: %s", u.status,
	      u.event[0], uiommu_strerror(err));
}

/*
 * Nothing is resumed, and one device is set up: a kernel with nothing to prove
 * has none do DMA now.
 */
static void check_lost(struct sleeper *s)
{
	struct unit_state u;

	unit_read(s, &u);
	check(!u.status && !u.root && !u.queue && !u.event[1] && !u.event[2],
	      "sleep: GSTS %08x, RTADDR %lx, IQA %lx: its power was gone",
	      u.status, u.root, u.queue);
	check(pci_restore(s->d->rogue.dma.bdf) && copies_physical(s),
	      "sleep: not resumed yet: edu copies %lx to %lx, physically",
	      virt_to_phys(s->from), virt_to_phys(s->to));
}

static bool resume_unit(struct sleeper *s)
{
	struct unit_state u;
	bool same;
	int err = uiommu_resume(s->d->uiommu);

	unit_read(s, &u);
	same = !err && u.status == s->before.status &&
	       u.root == s->before.root && u.queue == s->before.queue;
	check(same,
	      "sleep: resumed: GSTS %08x, RTADDR %lx, IQA %lx as before: %s",
	      u.status, u.root, u.queue, uiommu_strerror(err));
	check(memcmp(u.event, s->before.event, sizeof(u.event)) == 0,
	      "sleep: faults: FECTL %08x, FEDATA %x, FEADDR %x as before",
	      u.event[0], u.event[1], u.event[2]);
	return same;
}

static void wake(struct sleeper *s)
{
	struct demo *d = s->d;
	int err;

	__asm__ volatile("sti");
	err = nvme_go_on(&d->nvme);
	check(!err, "sleep: nvme: the same queues, %lx and %lx: %s",
	      d->nvme.io.sq_addr, d->nvme.io.cq_addr, uiommu_strerror(err));
	demo_rmrr_wake();
}

/* The network adapter's driver gives its memory back, and asks for it anew. */
static void wake_net(struct demo *d)
{
	int err;

	if (!d->has_net)
		return;
	err = demo_net_again(d);
	check(!err, "sleep: e1000e: started anew, an echo came: %s",
	      uiommu_strerror(err));
}

static bool sleep_once(struct sleeper *s)
{
	uint64_t begin = time_ns();
	unsigned int count;
	unsigned int same;
	bool slept;

	print("\nsleep: the machine's power goes, all but its memory's\n");
	pci_save();
	rest(s);
	print("sleep: now\n");
	slept = sleep_enter(&s->sleep);
	check(slept && s->sleep.woken_by & SLEEP_WOKEN &&
		      s->sleep.woken_by & SLEEP_BY_CLOCK,
	      "sleep: awake after %lu ms, the clock did it (events %04x)",
	      (time_ns() - begin) / 1000000, s->sleep.woken_by);
	if (!slept)
		return false;
	check_lost(s);
	if (!resume_unit(s))
		return false;
	same = pci_restore_all(&count);
	check(same == count && count,
	      "sleep: %u of %u PCI functions are set up as before", same,
	      count);
	if (same != count)
		return false;
	wake(s);
	check_mappings(s, "after sleep");
	check_refused(s, "after sleep");
	demo_nvme_read(s->d);
	wake_net(s->d);
	demo_rogue(s->d);
	return true;
}

/* Suspended, and some driver said no. */
static void sleep_called_off(struct sleeper *s)
{
	print("\nsleep: called off\n");
	rest(s);
	if (!resume_unit(s))
		return;
	wake(s);
	check_mappings(s, "called off");
	check_refused(s, "called off");
	wake_net(s->d);
}

/* --- The end ------------------------------------------------------------------- */

static void let_go(struct sleeper *s)
{
	struct demo *d = s->d;
	struct unit_state u;
	uint64_t begin;
	uint32_t pmen;

	print("\nshutdown: the unit is left to a next kernel\n");
	check(uiommu_poll_faults(d->uiommu) == 0 && d->host.strangers == 0,
	      "end: no fault but those asked for");
	(void)nvme_rest(&d->nvme);
	if (d->has_net)
		e1000e_stop(&d->net);
	demo_rmrr_translated_end();
	begin = time_ns();
	uiommu_shutdown(d->uiommu, false);
	begin = time_ns() - begin;
	unit_read(s, &u);
	pmen = mmio_read32(s->unit, UNIT_PMEN);
	check(!(u.status & (UNIT_GSTS_TES | UNIT_GSTS_QIES)) &&
		      !(pmen & UNIT_PMEN_PRS) && u.event[0] & UNIT_FECTL_IM,
	      "shutdown: GSTS %08x, PMEN %x, FECTL %08x, after %lu us",
	      u.status, pmen, u.event[0], begin / 1000);
	check(copies_physical(s), "shutdown: edu copies %lx to %lx, physically",
	      virt_to_phys(s->from), virt_to_phys(s->to));
	demo_rmrr_end(d);
}

void demo_sleep(struct demo *d)
{
	static struct sleeper s;
	const char *missing = sleep_find(&s.sleep);

	print("\nsleep: what is there before\n");
	s.d = d;
	check(!missing, "sleep: firmware's tables say how, S3 is type %u%s%s",
	      s.sleep.type[0], missing ? ": " : "", missing ? missing : "");
	if (missing)
		return;
	demo_nvme(d);
	demo_net(d);
	if (!prepare(&s))
		return;
	check_mappings(&s, "before");
	check_refused(&s, "before");
	if (!sleep_once(&s))
		return;
	sleep_called_off(&s);
	let_go(&s);
}
