// SPDX-License-Identifier: MIT
/*
 * Without a walk through anything of the dead kernel's: all of its memory is
 * searched, at every place where its buffers may begin.
 */
#include "landing.h"

#define E1000E_VENDOR 0x8086
#define E1000E_DEVICE 0x10d3

/* A network buffer of Linux begins at a line of the cache. */
#define BUFFER_ALIGN 64u
#define MARK_OFFSET 14u /* behind the addresses and the protocol */
#define MARK_SIZE 16u
#define NUMBER_OFFSET (MARK_OFFSET + MARK_SIZE)
#define FRAME_SIZE 256u
#define POLL_NS UINT64_C(100000000)

static const char mark[MARK_SIZE] = "uIOMMU hand-over";

static void found(struct landing *l, uint64_t number)
{
	if (number > l->newest)
		l->newest = number;
	if (number > l->after && number - l->after <= LANDING_NUMBERS &&
	    l->seen[number - l->after - 1] < 2)
		l->seen[number - l->after - 1]++;
}

static void look_at(struct landing *l, uint64_t first, uint64_t last)
{
	uint64_t word;

	memcpy(&word, mark, sizeof(word));
	first = (first + BUFFER_ALIGN - 1) & ~(uint64_t)(BUFFER_ALIGN - 1);
	for (; first <= last && last - first >= FRAME_SIZE - 1;
	     first += BUFFER_ALIGN) {
		const char *frame = phys_to_virt(first);
		uint64_t number;

		if (mmio_read64(frame, MARK_OFFSET) != word ||
		    memcmp(frame + MARK_OFFSET, mark, MARK_SIZE) != 0)
			continue;
		memcpy(&number, frame + NUMBER_OFFSET, sizeof(number));
		found(l, number);
	}
}

/* All memory but ours, to which nobody was ever told to send. */
static void look(struct landing *l)
{
	uint64_t first;
	uint64_t last;

	memset(l->seen, 0, sizeof(l->seen));
	for (unsigned int i = 0; mem_ram(i, &first, &last); i++) {
		if (first < PAGE_SIZE)
			first = PAGE_SIZE;
		if (last < boot_info.within_first ||
		    first > boot_info.within_last) {
			look_at(l, first, last);
			continue;
		}
		if (first < boot_info.within_first)
			look_at(l, first, boot_info.within_first - 1);
		if (last > boot_info.within_last)
			look_at(l, boot_info.within_last + 1, last);
	}
}

bool landing_begin(struct landing *l)
{
	memset(l, 0, sizeof(*l));
	if (!pci_find(E1000E_VENDOR, E1000E_DEVICE, 0, &l->bdf))
		return false;
	landing_mark(l);
	return l->newest != 0;
}

void landing_mark(struct landing *l)
{
	look(l);
	l->after = l->newest;
}

uint32_t landing_wait(struct landing *l, uint32_t packets, uint32_t ms)
{
	uint64_t end = time_ns() + ms * UINT64_C(1000000);
	uint64_t next = time_ns() + POLL_NS;
	uint64_t newest;

	do {
		while (time_ns() < next)
			cpu_relax();
		next += POLL_NS;
		look(l);
	} while (l->newest - l->after < packets && time_ns() < end);
	/* One that lands while we look may be missed: look again. */
	newest = l->newest;
	look(l);
	if (newest - l->after > LANDING_NUMBERS)
		return 0;
	for (uint64_t n = l->after + 1; n <= newest; n++)
		if (l->seen[n - l->after - 1] != 1)
			return 0;
	return (uint32_t)(newest - l->after);
}
