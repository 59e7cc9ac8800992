// SPDX-License-Identifier: MIT
/* After the "PCI Express Base Specification", "Hot-Plug" and "Slot Control". */
#include <uiommu/error.h>

#include "slot.h"

/* clang-format off */
#define PCI_STATUS		0x06
#define   PCI_STATUS_CAPS	0x0010u
#define PCI_BAR(n)		(uint16_t)(0x10 + 4 * (n))
#define   PCI_BAR_IO		0x1u
#define   PCI_BAR_64		0x4u
#define PCI_SECONDARY		0x19
#define PCI_WINDOW		0x20 /* base, then limit */
#define PCI_CAPS		0x34
#define   PCI_CAP_EXPRESS	0x10u

#define EXP_FLAGS		0x02
#define   EXP_TYPE(flags)	((flags) >> 4 & 0xf)
#define   EXP_ROOT_PORT		4u
#define   EXP_HAS_SLOT		0x0100u
#define EXP_LINK_STATUS		0x12
#define   EXP_LINK_ACTIVE	0x2000u
#define EXP_SLOT_CAP		0x14
#define   EXP_SLOT_HOTPLUG	0x00000040u
#define EXP_SLOT_CONTROL	0x18
#define   EXP_POWER_LED		0x0300u
#define   EXP_POWER_LED_ON	0x0100u
#define   EXP_POWER_LED_OFF	0x0300u
#define   EXP_POWER_OFF		0x0400u
#define EXP_SLOT_STATUS		0x1a /* events are cleared by ones */
#define   EXP_BUTTON		0x0001u
#define   EXP_CHANGED		0x0008u
#define   EXP_COMMAND_DONE	0x0010u
#define   EXP_PRESENT		0x0040u
/* clang-format on */

#define SLOT_TIMEOUT_NS UINT64_C(3000000000)
#define CLASS_BRIDGE 0x060400u
#define BARS 6u

static uint16_t find_express(uint16_t bdf)
{
	unsigned int at;

	if (!(pci_read(bdf, PCI_STATUS, 2) & PCI_STATUS_CAPS))
		return 0;
	at = pci_read(bdf, PCI_CAPS, 1) & 0xfcu;
	/* No list is longer than there is room for. */
	for (unsigned int i = 0; at && i < 48; i++) {
		uint32_t head = pci_read(bdf, (uint16_t)at, 2);

		if ((head & 0xff) == PCI_CAP_EXPRESS)
			return (uint16_t)at;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

static uint32_t slot_read(const struct slot *s, uint16_t reg)
{
	return pci_read(s->port, (uint16_t)(s->cap + reg), 2);
}

static void slot_write(const struct slot *s, uint16_t reg, uint32_t value)
{
	pci_write(s->port, (uint16_t)(s->cap + reg), 2, value);
}

static bool slot_probe(struct slot *s, uint16_t port)
{
	uint32_t flags;
	uint32_t window;

	s->port = port;
	s->cap = find_express(port);
	if (!s->cap)
		return false;
	flags = slot_read(s, EXP_FLAGS);
	if (EXP_TYPE(flags) != EXP_ROOT_PORT || !(flags & EXP_HAS_SLOT) ||
	    !(slot_read(s, EXP_SLOT_CAP) & EXP_SLOT_HOTPLUG))
		return false;
	s->below = PCI_BDF(pci_read(port, PCI_SECONDARY, 1), 0, 0);
	window = pci_read(port, PCI_WINDOW, 4);
	s->window_first = (uint64_t)(window & 0xfff0) << 16;
	s->window_last = (window & 0xfff00000) | 0xfffff;
	return true;
}

bool slot_present(const struct slot *s)
{
	return slot_read(s, EXP_SLOT_STATUS) & EXP_PRESENT;
}

bool slot_find_empty(struct slot *s)
{
	uint16_t port;

	for (unsigned int i = 0; pci_find_class(CLASS_BRIDGE, i, &port); i++)
		if (slot_probe(s, port) && !slot_present(s))
			return true;
	return false;
}

bool slot_ready(const struct slot *s)
{
	return slot_present(s) &&
	       (slot_read(s, EXP_LINK_STATUS) & EXP_LINK_ACTIVE) &&
	       pci_read(s->below, 0, 4) != ~0u;
}

/* Did @event come? It is taken away, and no other. */
static bool slot_take(const struct slot *s, uint32_t event)
{
	if (!(slot_read(s, EXP_SLOT_STATUS) & event))
		return false;
	slot_write(s, EXP_SLOT_STATUS, event);
	return true;
}

bool slot_button(const struct slot *s)
{
	return slot_take(s, EXP_BUTTON);
}

bool slot_changed(const struct slot *s)
{
	return slot_take(s, EXP_CHANGED);
}

/* One command at a time: the next must wait until this one is completed. */
static int slot_command(const struct slot *s, uint32_t clear, uint32_t set)
{
	uint64_t end = time_ns() + SLOT_TIMEOUT_NS;
	uint32_t control = slot_read(s, EXP_SLOT_CONTROL);

	(void)slot_take(s, EXP_COMMAND_DONE);
	slot_write(s, EXP_SLOT_CONTROL, (control & ~clear) | set);
	while (!slot_take(s, EXP_COMMAND_DONE)) {
		if (time_ns() > end)
			return UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	return 0;
}

int slot_power_on(const struct slot *s)
{
	uint64_t end = time_ns() + SLOT_TIMEOUT_NS;
	int err;

	if (!slot_present(s))
		return UIOMMU_ENODEV;
	err = slot_command(s, EXP_POWER_LED | EXP_POWER_OFF, EXP_POWER_LED_ON);
	while (!err && !slot_ready(s)) {
		if (time_ns() > end)
			err = UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	return err;
}

/*
 * An indicator that is off as well tells that the device may be taken out,
 * which is what QEMU does then.
 */
int slot_power_off(const struct slot *s)
{
	uint64_t end = time_ns() + SLOT_TIMEOUT_NS;
	int err = slot_command(s, EXP_POWER_LED,
			       EXP_POWER_OFF | EXP_POWER_LED_OFF);

	while (!err && slot_present(s)) {
		if (time_ns() > end)
			err = UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	return err;
}

static uint32_t bar_mask(uint16_t bdf, uint16_t reg)
{
	uint32_t before = pci_read(bdf, reg, 4);
	uint32_t mask;

	pci_write(bdf, reg, 4, ~0u);
	mask = pci_read(bdf, reg, 4);
	pci_write(bdf, reg, 4, before);
	return mask;
}

int slot_assign(const struct slot *s)
{
	uint64_t at = s->window_first;

	for (unsigned int i = 0; i < BARS; i++) {
		uint16_t reg = PCI_BAR(i);
		uint32_t mask = bar_mask(s->below, reg);
		uint64_t size = (~mask & UINT32_MAX) | 0xf;

		if (!mask || (mask & PCI_BAR_IO))
			continue;
		if (mask & PCI_BAR_64) /* sizes of 4 GiB fit in no window */
			i++;
		at = (at + size) & ~size;
		if (at + size > s->window_last || at < s->window_first)
			return UIOMMU_ENOSPC;
		pci_write(s->below, reg, 4, (uint32_t)at);
		if (mask & PCI_BAR_64)
			pci_write(s->below, (uint16_t)(reg + 4), 4, 0);
		at += size + 1;
	}
	return 0;
}
