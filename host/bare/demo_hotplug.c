// SPDX-License-Identifier: MIT
/*
 * A device is plugged into an empty slot, works, and is taken out again: first
 * as it should be, when somebody pressed the button and the driver let go,
 * then in the middle of its work. Who plugs is QEMU's monitor, told so by lines
 * on the console.
 */
#include "demo.h"
#include "slot.h"

#define ROUNDS 4u
#define WAIT_NS UINT64_C(120000000000) /* the monitor's time is not ours */

struct hotplug {
	struct demo *d;
	struct slot slot;
	struct edu edu;
	char *page;	      /* that the device is at work on when pulled */
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

/* The button is pressed, the device falls silent, the slot goes dark. */
static void remove_asked(struct hotplug *h)
{
	bool pressed;
	int err;

	print("host: device_del id=hot%u\n", h->plugged);
	pressed = wait_for(&h->slot, slot_button);
	pci_disable(h->slot.below);
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
	edu_start_write(&h->edu, addr, 0, PAGE_SIZE);
	busy = edu_busy(&h->edu);
	err = slot_power_off(&h->slot);
	check(busy && !err && slot_changed(&h->slot) &&
		      pci_read(h->slot.below, 0, 4) == ~0u,
	      "hot-plug: pulled while at work: %s", uiommu_strerror(err));
	check(!dma_unmap(&h->edu.dma, addr, PAGE_SIZE),
	      "hot-plug: the memory of the device that went is given back");
}

static bool plug_and_remove(struct hotplug *h)
{
	int err = plug(h);

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

	if (d->uiommu || !boot_flag("monitor"))
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
