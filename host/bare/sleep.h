/* SPDX-License-Identifier: MIT */
/* The machine's sleep: ACPI's S3, in which memory keeps what it has. */
#ifndef BARE_SLEEP_H
#define BARE_SLEEP_H

#include "bare.h"

/* What firmware's tables say about it, and what became of it. */
struct sleep {
	char *facs;
	uint16_t events;     /* ports of the PM1a event block; 0: not there */
	uint16_t enables;    /* half of that block */
	uint16_t control[2]; /* of PM1a and PM1b */
	uint8_t type[2];     /* what they call S3 */
	uint16_t smi_command;
	uint8_t acpi_enable;
	/* A copy of all that link.ld makes ours, as long as we sleep */
	char *image;
	size_t image_size;
	uint16_t woken_by; /* events found on waking up */
};

#define SLEEP_WOKEN 0x8000u    /* of the events: was asleep */
#define SLEEP_BY_CLOCK 0x0400u /* woken by the clock */

/* Look the tables up; NULL, or what is missing. */
const char *sleep_find(struct sleep *s);
/*
 * Sleep until the clock's next second. Interrupts are off before and after;
 * memory, console and timers are what they were, and all devices are to be set
 * up anew. False if the machine stays awake.
 */
bool sleep_enter(struct sleep *s);

#endif /* BARE_SLEEP_H */
