// SPDX-License-Identifier: MIT
/*
 * The reason for all this: a device is told to write and to read memory that
 * nobody gave it, and one that it had to give back. The memory stays as it is,
 * the device learns nothing, and the fault names device, address and direction.
 */
#include "demo.h"

#define COPY_SIZE 256u
#define SECRET 0x53
#define POISON 0xa5
#define NOTHING 0x00
#define HOLE UINT64_C(0xa0000) /* of every PC's memory map */
/* VT-d's reasons why a requester is refused whatever it asks for. */
#define NO_ROOT_ENTRY 0x01
#define NO_CONTEXT_ENTRY 0x02
#define LENT_AT UINT64_C(0x100000) /* where the unmanaged domain maps */

struct rogue {
	struct demo *d;
	struct edu *edu;
	struct uiommu_device *device;
	struct uiommu_group *group;
	struct uiommu_domain *unmanaged; /* NULL: use the DMA API */
	char *page;			 /* lent to the device for its buffer */
};

static int lend(struct rogue *r, void *page, uint64_t *addr)
{
	struct uiommu_range range = { LENT_AT, LENT_AT + PAGE_SIZE - 1 };

	if (!r->unmanaged)
		return uiommu_dma_map(r->device, virt_to_phys(page), PAGE_SIZE,
				      UIOMMU_DMA_BIDIRECTIONAL, addr);
	*addr = LENT_AT;
	return uiommu_domain_map(r->unmanaged, range, virt_to_phys(page),
				 UIOMMU_PROT_READ | UIOMMU_PROT_WRITE);
}

static int take_back(struct rogue *r, uint64_t addr)
{
	struct uiommu_range range = { addr, addr + PAGE_SIZE - 1 };

	if (!r->unmanaged)
		return uiommu_dma_unmap(r->device, addr, PAGE_SIZE);
	return uiommu_domain_unmap(r->unmanaged, range, NULL);
}

static bool all_bytes(const char *p, int byte)
{
	for (size_t i = 0; i < COPY_SIZE; i++)
		if ((uint8_t)p[i] != (uint8_t)byte)
			return false;
	return true;
}

/* Put @byte into all of the device's buffer, through a proper mapping. */
static bool load_buffer(struct rogue *r, int byte)
{
	uint64_t addr;
	bool ok;

	memset(r->page, byte, COPY_SIZE);
	if (lend(r, r->page, &addr))
		return false;
	ok = edu_read(r->edu, addr, 0, COPY_SIZE);
	return !take_back(r, addr) && ok;
}

/* Does the device's buffer hold a byte of the secret? */
static bool buffer_has_secret(struct rogue *r)
{
	uint64_t addr;
	bool has = false;

	memset(r->page, POISON, COPY_SIZE);
	if (lend(r, r->page, &addr))
		return true; /* cannot tell: not good enough */
	if (!edu_write(r->edu, addr, 0, COPY_SIZE) || take_back(r, addr))
		return true;
	for (size_t i = 0; i < COPY_SIZE; i++)
		has = has || r->page[i] == SECRET;
	return has;
}

const struct uiommu_event *demo_find_event(struct demo *d, uint16_t bdf,
					   uint64_t addr,
					   enum uiommu_access access)
{
	struct uiommu_host *host = &d->host;
	uint64_t end = time_ns() + UINT64_C(1000000000);

	do {
		(void)uiommu_poll_faults(d->uiommu);
		for (unsigned int i = 0;
		     i < host->event_count && i < HOST_EVENTS; i++) {
			const struct uiommu_event *e = &host->events[i];

			if (e->kind == UIOMMU_EVENT_FAULT &&
			    e->sid.rid == bdf && e->access == access &&
			    e->address == (addr & ~UINT64_C(0xfff)))
				return e;
		}
		cpu_relax();
	} while (time_ns() < end);
	return NULL;
}

const struct uiommu_event *demo_find_any(struct demo *d, uint16_t bdf)
{
	struct uiommu_host *host = &d->host;
	uint64_t end = time_ns() + UINT64_C(1000000000);

	do {
		(void)uiommu_poll_faults(d->uiommu);
		for (unsigned int i = 0;
		     i < host->event_count && i < HOST_EVENTS; i++)
			if (host->events[i].kind == UIOMMU_EVENT_FAULT &&
			    host->events[i].sid.rid == bdf)
				return &host->events[i];
		cpu_relax();
	} while (time_ns() < end);
	return NULL;
}

bool demo_shut_out(const struct uiommu_event *e)
{
	return e &&
	       (e->reason == NO_ROOT_ENTRY || e->reason == NO_CONTEXT_ENTRY);
}

static void check_fault(struct rogue *r, const char *what, uint64_t addr,
			enum uiommu_access access, bool unharmed)
{
	const struct uiommu_event *e = demo_find_event(r->d, r->edu->dma.bdf,
						       addr, access);

	check(e && e->text && unharmed,
	      "rogue: %s stopped: %02x:%02x.%u %s %lx, %s", what,
	      r->edu->dma.bdf >> 8, r->edu->dma.bdf >> 3 & 31,
	      r->edu->dma.bdf & 7u,
	      access == UIOMMU_ACCESS_WRITE ? "writes" : "reads", addr,
	      e && e->text ? e->text : "but NO FAULT was reported");
	r->d->host.event_count = 0;
}

static void rogue_access(struct rogue *r, char *victim)
{
	uint64_t at = virt_to_phys(victim);
	uint64_t paddr;
	bool ok;

	memset(victim, SECRET, PAGE_SIZE);
	check(uiommu_domain_lookup(uiommu_group_domain(r->group), at, &paddr) ==
		      UIOMMU_ENOENT,
	      "rogue: nothing is mapped at the victim's address %lx", at);
	ok = load_buffer(r, POISON) && edu_write(r->edu, at, 0, COPY_SIZE);
	check_fault(r, "write", at, UIOMMU_ACCESS_WRITE,
		    ok && all_bytes(victim, SECRET));
	ok = load_buffer(r, NOTHING) && edu_read(r->edu, at, 0, COPY_SIZE);
	check_fault(r, "read", at, UIOMMU_ACCESS_READ,
		    ok && !buffer_has_secret(r));
}

/* A mapping that worked and was taken back must not work from any cache. */
static void rogue_stale(struct rogue *r, char *page)
{
	uint64_t addr = 0;
	bool ok = load_buffer(r, POISON) && !lend(r, page, &addr) &&
		  edu_write(r->edu, addr, 0, COPY_SIZE);

	check(ok && all_bytes(page, POISON), "rogue: lent memory is written");
	if (!ok || take_back(r, addr)) {
		check(false, "rogue: could not lend and take back");
		return;
	}
	memset(page, SECRET, PAGE_SIZE);
	ok = edu_write(r->edu, addr, 0, COPY_SIZE);
	check_fault(r, "write after unmap", addr, UIOMMU_ACCESS_WRITE,
		    ok && all_bytes(page, SECRET));
	ok = load_buffer(r, NOTHING) && edu_read(r->edu, addr, 0, COPY_SIZE);
	check_fault(r, "read after unmap", addr, UIOMMU_ACCESS_READ,
		    ok && !buffer_has_secret(r));
}

static void rogue_blocked(struct rogue *r, char *victim)
{
	uint64_t at = virt_to_phys(victim);
	bool ok = load_buffer(r, POISON);
	int err;

	/* An owner's group is blocked at once; one of ours goes back there. */
	uiommu_device_unuse(r->device);
	err = r->unmanaged ? uiommu_group_detach(r->group, r)
			   : uiommu_group_claim(r->group, r);

	memset(victim, SECRET, PAGE_SIZE);
	ok = ok && !err && edu_write(r->edu, at, 0, COPY_SIZE);
	check_fault(r, "write while blocked", at, UIOMMU_ACCESS_WRITE,
		    ok && all_bytes(victim, SECRET));
	err = r->unmanaged ? uiommu_group_attach(r->group, r, r->unmanaged)
			   : uiommu_group_release(r->group, r);
	if (!err && !r->unmanaged)
		err = uiommu_device_use(r->device);
	check(!err, "rogue: back in its domain after blocked: %s",
	      uiommu_strerror(err));
}

/*
 * Identity by tables is RAM and what firmware keeps: no hole of the map. The
 * one hole within the device's reach is the ISA bridge's unless told otherwise.
 * To be tried before its driver says how far it reaches, and it is moved.
 */
void demo_rogue_outside(struct demo *d)
{
	struct rogue r = { .d = d, .edu = &d->rogue };
	struct uiommu_domain *domain;
	uint64_t paddr;

	r.group = demo_group(d, d->rogue.dma.bdf);
	domain = r.group ? uiommu_group_domain(r.group) : NULL;
	if (!domain || domain != uiommu_identity_domain(d->uiommu) ||
	    !uiommu_domain_table_pages(domain) || !boot_flag("no-isa"))
		return;
	d->host.event_count = 0;
	d->host.suspect = d->rogue.dma.bdf;
	check(uiommu_domain_lookup(domain, HOLE, &paddr) == UIOMMU_ENOENT,
	      "rogue: %lx is no RAM, and not mapped in identity", HOLE);
	check_fault(&r, "write beside RAM", HOLE, UIOMMU_ACCESS_WRITE,
		    edu_write(r.edu, HOLE, 0, COPY_SIZE));
}

/*
 * Where the option asks for identity we confine the device as a hypervisor
 * would: in a domain of our own.
 */
static int rogue_enter(struct rogue *r)
{
	int err;

	if (!r->d->passthrough)
		return 0;
	err = uiommu_domain_create(&r->group, 1, &r->unmanaged);
	if (err)
		return err;
	uiommu_device_unuse(r->device);
	err = uiommu_group_claim(r->group, r);
	return err ? err : uiommu_group_attach(r->group, r, r->unmanaged);
}

static int rogue_leave(struct rogue *r)
{
	int err;

	if (!r->unmanaged)
		return 0;
	err = uiommu_group_release(r->group, r);
	if (!err)
		err = uiommu_domain_put(r->d->uiommu, r->unmanaged);
	return err ? err : uiommu_device_use(r->device);
}

void demo_rogue(struct demo *d)
{
	struct rogue r = { .d = d, .edu = &d->rogue };
	char *victim = mem_alloc_in(0, 0, EDU_MASK);
	int err;

	print("\nrogue: a device that does what it must not\n");
	r.page = mem_alloc_in(0, 0, EDU_MASK);
	r.device = d->rogue.dma.iommu;
	r.group = r.device ? uiommu_device_group(r.device) : NULL;
	if (!r.group || !victim || !r.page) {
		check(false, "rogue: a confined device and two pages");
		goto out;
	}
	d->host.event_count = 0;
	d->host.suspect = d->rogue.dma.bdf;
	err = rogue_enter(&r);
	check(!err, "rogue: in a domain of type %s: %s",
	      uiommu_domain_type_name(
		      uiommu_domain_type(uiommu_group_domain(r.group))),
	      uiommu_strerror(err));
	if (err)
		goto out;
	rogue_access(&r, victim);
	rogue_stale(&r, victim);
	rogue_blocked(&r, victim);
	err = rogue_leave(&r);
	check(!err, "rogue: back in the default domain: %s",
	      uiommu_strerror(err));
out:
	if (victim)
		mem_free(victim, 0);
	if (r.page)
		mem_free(r.page, 0);
}
