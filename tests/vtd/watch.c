// SPDX-License-Identifier: MIT
/* sigaction() and its siginfo */
#define _POSIX_C_SOURCE 200809L
#include "watch.h"

#include <signal.h>
#include <string.h>

struct watch_place watch_places[WATCH_PLACES];
static unsigned int watch_count;
static volatile unsigned long steps;

static void watch_look(void)
{
	for (unsigned int i = 0; i < watch_count; i++) {
		struct watch_place *place = &watch_places[i];
		struct watch_value now = { place->words[0], place->words[1] };
		unsigned int last = place->count - 1;

		if (place->count > WATCH_VALUES)
			continue;
		if (place->count && place->values[last].lo == now.lo &&
		    place->values[last].hi == now.hi)
			continue;
		if (place->count < WATCH_VALUES)
			place->values[place->count] = now;
		place->count++;
	}
}

void watch_clear(void)
{
	memset(watch_places, 0, sizeof(watch_places));
	watch_count = 0;
	steps = 0;
}

void watch_add(const void *words)
{
	watch_places[watch_count++].words = words;
}

#ifdef __x86_64__
static void watch_step(int number)
{
	(void)number;
	steps++;
	watch_look();
}

/* Bit 8 of the flags: a trap after each instruction. Not in the red zone. */
static inline __attribute__((always_inline)) void watch_trap(bool on)
{
	if (on)
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "pushfq\n\t"
				 "orq $0x100, (%%rsp)\n\t"
				 "popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 :
				 :
				 : "memory", "cc");
	else
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "pushfq\n\t"
				 "andq $~0x100, (%%rsp)\n\t"
				 "popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 :
				 :
				 : "memory", "cc");
}
#endif

void watch_begin(void)
{
	watch_look();
#ifdef __x86_64__
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = watch_step;
	sigaction(SIGTRAP, &action, NULL);
	watch_trap(true);
#endif
}

void watch_end(void)
{
#ifdef __x86_64__
	watch_trap(false);
#endif
	watch_look();
}

void watch_pause(bool pause)
{
#ifdef __x86_64__
	watch_trap(!pause);
#endif
	watch_look();
}

bool watch_saw(bool (*bad)(struct watch_value value))
{
	for (unsigned int i = 0; i < watch_count; i++) {
		const struct watch_place *place = &watch_places[i];

		if (place->count > WATCH_VALUES)
			return true;
		for (unsigned int n = 0; n < place->count; n++)
			if (bad(place->values[n]))
				return true;
	}
	return false;
}

bool watch_two(void)
{
	for (unsigned int i = 0; i < watch_count; i++)
		if (watch_places[i].count > 2)
			return false;
	return true;
}

unsigned long watch_steps(void)
{
	return steps;
}
