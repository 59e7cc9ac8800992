/* SPDX-License-Identifier: MIT */
/*
 * A hot-plug slot below a PCI Express root port, polled: is something in it,
 * is it powered, did somebody press the button. Bus numbers and the memory
 * window are the firmware's.
 */
#ifndef BARE_SLOT_H
#define BARE_SLOT_H

#include "bare.h"

struct slot {
	uint16_t port;	/* bus:8 device:5 function:3 of the root port */
	uint16_t cap;	/* offset of its PCI Express capability */
	uint16_t below; /* function 0 of what is plugged in */
	uint64_t window_first;
	uint64_t window_last;
};

/* A port with a slot for hot-plugging that is empty; false if there is none. */
bool slot_find_empty(struct slot *s);
/* Something is in the slot; it may be without power. */
bool slot_present(const struct slot *s);
/* The function below answers: it has power, and its link is up. */
bool slot_ready(const struct slot *s);
/* Was the attention button pressed, or presence changed, since the last call? */
bool slot_button(const struct slot *s);
bool slot_changed(const struct slot *s);
/*
 * Turn power on and wait for the link; turn it off and wait until the slot is
 * empty. 0, UIOMMU_ETIMEDOUT, or UIOMMU_ENODEV if there is nothing in it.
 */
int slot_power_on(const struct slot *s);
int slot_power_off(const struct slot *s);
/* Give the function below its memory BARs, all within the port's window. */
int slot_assign(const struct slot *s);

#endif /* BARE_SLOT_H */
