/* SPDX-License-Identifier: MIT */
/*
 * What a walk could have met: the values that 16 bytes have between any two
 * instructions of this thread. x86-64 steps through the code; elsewhere only
 * the values before and after are seen.
 */
#ifndef TESTS_VTD_WATCH_H
#define TESTS_VTD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_PLACES 4u
#define WATCH_VALUES 8u

struct watch_value {
	uint64_t lo, hi;
};

struct watch_place {
	const volatile uint64_t *words;
	struct watch_value values[WATCH_VALUES]; /* each once, in order */
	unsigned int count; /* beyond WATCH_VALUES: too many to keep */
};

extern struct watch_place watch_places[WATCH_PLACES];

/* Begins with no place. */
void watch_clear(void);
void watch_add(const void *words);
void watch_begin(void);
void watch_end(void);
/* Between the two: true ends the steps after a look, false goes on. */
void watch_pause(bool pause);
/* Did any place ever have a value of which @bad is true? */
bool watch_saw(bool (*bad)(struct watch_value value));
/* Were all values of each place those of its beginning and its end? */
bool watch_two(void);
unsigned long watch_steps(void);

#endif /* TESTS_VTD_WATCH_H */
