// SPDX-License-Identifier: MIT
/*
 * A device is plugged into an empty slot, works, and is taken out again: first
 * as it should be, when somebody pressed the button and the driver let go,
 * then in the middle of its work. Each one is a stranger to the IOMMU until it is
 * brought under control, and forgotten when it is gone. Who plugs is QEMU's monitor, told so by lines
 * on the console.
 */
#include "demo.h"
#include "slot.h"

#define ROUNDS 4u
#define SECRET 0x53
#define COPY_SIZE 2048u
#define WAIT_NS UINT64_C(120000000000) /* the monitor's time is not ours */

struct hotplug {
	struct demo *d;
	struct slot slot;
	struct edu edu;
	char *page;	      /* that the device is at work on when pulled */
	uint64_t last;	      /* where it was mapped for the one before */
	uint32_t unit;	      /* DMAR record, the same every time */
	unsigned int plugged; /* so many times so far */
};

static bool wait_for(const struct slot *s, bool (*event)(const struct slot *s))
{
	uint64_t end = time_ns() + WAIT_NS;

	while (!event(s)) {
		if (time_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

/* The device is there, and so is its memory; no driver knows it yet. */
static int plug(struct hotplug *h)
{
	int err;

	h->plugged++;
	print("host: device_add driver=edu,id=hot%u,bus=hot\n", h->plugged);
	if (!wait_for(&h->slot, slot_present))
		return UIOMMU_ETIMEDOUT;
	(void)slot_button(&h->slot);
	(void)slot_changed(&h->slot);
	err = slot_power_on(&h->slot);
	if (!err)
		err = slot_assign(&h->slot);
	if (!err && !edu_init_at(&h->edu, h->slot.below))
		err = UIOMMU_ENODEV;
	return err;
}

static void check_work(struct hotplug *h)
{
	struct edu_try t;
	bool ok = demo_edu_copy_low(&h->edu, &t);

	check(ok, "hot-plug: plugged %u times, copies at %lx: %s", h->plugged,
	      t.highest, uiommu_strerror(t.err));
}

static bool unharmed(const char *page)
{
	for (size_t i = 0; i < PAGE_SIZE; i++)
		if (page[i] != SECRET)
			return false;
	return true;
}

/* No bus, no device: until it is brought under control all is refused. */
static void check_stranger(struct hotplug *h)
{
	uint64_t at = virt_to_phys(h->page);
	const struct uiommu_event *e;

	memset(h->page, SECRET, PAGE_SIZE);
	h->d->host.event_count = 0;
	h->d->host.suspect = h->slot.below;
	(void)edu_write(&h->edu, at, 0, COPY_SIZE);
	e = demo_find_event(h->d, h->slot.below, at, UIOMMU_ACCESS_WRITE);
	check(demo_shut_out(e) && e->text && unharmed(h->page),
	      "hot-plug: refused so far: writes %lx, %s", at,
	      e && e->text ? e->text : "but NO FAULT was reported");
	h->d->host.event_count = 0;
}

/* The unit that it is under, and nothing in its domain of the one before. */
static void check_fresh(struct hotplug *h, enum uiommu_domain_type want)
{
	struct uiommu_group *group = demo_group(h->d, h->slot.below);
	const struct uiommu_topology *t = uiommu_topology(h->d->uiommu);
	uint32_t unit = UIOMMU_PLAN_NONE;
	uint64_t paddr;
	bool fresh;

	for (uint32_t i = 0; i < t->count; i++)
		if (t->functions[i].sid.rid == h->slot.below)
			unit = uiommu_plan(h->d->uiommu)->devices[i].unit;
	if (h->plugged == 1)
		h->unit = unit;
	fresh = group && uiommu_group_type(group) == want &&
		(want == UIOMMU_DOMAIN_IDENTITY || !h->last ||
		 uiommu_domain_lookup(uiommu_group_domain(group), h->last,
				      &paddr) == UIOMMU_ENOENT);
	check(fresh && unit == h->unit && unit != UIOMMU_PLAN_NONE,
	      "hot-plug: under the unit of record %u, in an empty domain of "
	      "type %s",
	      unit,
	      group ? uiommu_domain_type_name(uiommu_group_type(group))
		    : "none");
}

static int bring_in(struct hotplug *h)
{
	struct demo *d = h->d;
	uint8_t bus = (uint8_t)(h->slot.below >> 8);
	struct uiommu_sid sid = { .rid = h->slot.below };
	struct cost cost;
	int err;

	if (!d->uiommu)
		return 0;
	check_stranger(h);
	cost_begin(&cost, d->uiommu);
	err = uiommu_add_pci(d->uiommu, 0, bus, bus);
	cost_end(&cost);
	if (err || !uiommu_device_find(d->uiommu, sid))
		return err ? err : UIOMMU_ENODEV;
	demo_tell(d, uiommu_device_find(d->uiommu, sid),
		  "hot-plugged edu: under control", NULL, &cost);
	check_fresh(h, d->passthrough ? UIOMMU_DOMAIN_IDENTITY
				      : UIOMMU_DOMAIN_DMA);
	return demo_connect(d, &h->edu.dma, "hot-plugged edu");
}

/* The driver lets go, the library forgets it; nobody asks the device. */
static void take_out(struct hotplug *h)
{
	struct demo *d = h->d;
	struct uiommu_device *device = h->edu.dma.iommu;
	struct uiommu_sid sid = { .rid = h->slot.below };
	struct cost cost;
	int err;

	if (!device)
		return;
	err = uiommu_remove_device(device);
	check(err == UIOMMU_EINUSE, "hot-plug: not while its driver has it: %s",
	      uiommu_strerror(err));
	dma_disconnect(&h->edu.dma);
	cost_begin(&cost, d->uiommu);
	err = uiommu_remove_device(device);
	cost_end(&cost);
	demo_tell(d, NULL, "hot-plugged edu: forgotten", "it leaves", &cost);
	check(!err && !uiommu_device_find(d->uiommu, sid),
	      "hot-plug: the device is not known any more: %s",
	      uiommu_strerror(err));
}

/* The button is pressed, the device falls silent, the slot goes dark. */
static void remove_asked(struct hotplug *h)
{
	bool pressed;
	int err;

	print("host: device_del id=hot%u\n", h->plugged);
	pressed = wait_for(&h->slot, slot_button);
	pci_disable(h->slot.below);
	take_out(h);
	err = slot_power_off(&h->slot);
	check(pressed && !err && pci_read(h->slot.below, 0, 4) == ~0u,
	      "hot-plug: the button was pressed, and the slot is empty: %s",
	      uiommu_strerror(err));
}

/* Nobody asks and nobody lets go: a copy is under way when the device goes. */
static void remove_busy(struct hotplug *h)
{
	uint64_t addr = 0;
	int err = dma_map(&h->edu.dma, h->page, PAGE_SIZE,
			  UIOMMU_DMA_BIDIRECTIONAL, &addr);
	bool busy;

	if (err) {
		check(false, "hot-plug: memory: %s", uiommu_strerror(err));
		return;
	}
	edu_start_write(&h->edu, addr, 0, COPY_SIZE);
	busy = edu_busy(&h->edu);
	err = slot_power_off(&h->slot);
	check(busy && !err && slot_changed(&h->slot) &&
		      pci_read(h->slot.below, 0, 4) == ~0u,
	      "hot-plug: pulled while at work: %s", uiommu_strerror(err));
	check(!dma_unmap(&h->edu.dma, addr, PAGE_SIZE),
	      "hot-plug: the memory of the device that went is given back");
	h->last = addr;
	take_out(h);
}

static bool plug_and_remove(struct hotplug *h)
{
	int err = plug(h);

	if (!err)
		err = bring_in(h);
	if (err) {
		check(false, "hot-plug: plugged: %s", uiommu_strerror(err));
		return false;
	}
	check_work(h);
	if (h->plugged & 1)
		remove_asked(h);
	else
		remove_busy(h);
	return true;
}

void demo_hotplug(struct demo *d)
{
	struct hotplug h = { .d = d };

	if (!boot_flag("monitor"))
		return;
	print("\nhot-plug: a device comes and goes\n");
	h.page = mem_alloc_in(0, 0, EDU_MASK);
	if (!h.page || !slot_find_empty(&h.slot)) {
		check(false, "hot-plug: a slot and a page");
		goto out;
	}
	print("  slot of %02x:%02x.%u: bus %02x, memory %lx-%lx\n",
	      h.slot.port >> 8, h.slot.port >> 3 & 31, h.slot.port & 7u,
	      h.slot.below >> 8, h.slot.window_first, h.slot.window_last);
	while (h.plugged < ROUNDS && plug_and_remove(&h))
		;
out:
	if (h.page)
		mem_free(h.page, 0);
}
