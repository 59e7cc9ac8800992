// SPDX-License-Identifier: MIT
/*
 * Time is the time stamp counter, measured once against the interval timer.
 * The same timer then ticks for the watchdog.
 */
#include "bare.h"

#define PIT_HZ 1193182u
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61 /* bit 0 gates channel 2, bit 5 is its output */
#define CALIBRATE_MS 20u
#define TICK_HZ 20u

static uint64_t cycles_start;
static uint64_t ns_per_2_32_cycles; /* 32.32 fixed point */
static uint64_t watchdog_end;

uint64_t time_cycles(void)
{
	uint32_t lo;
	uint32_t hi;

	/* Not before what precedes it, and nothing that follows before it. */
	__asm__ volatile("lfence; rdtsc; lfence"
			 : "=a"(lo), "=d"(hi)
			 :
			 : "memory");
	return (uint64_t)hi << 32 | lo;
}

uint64_t time_cycles_ns(uint64_t c)
{
	/* Two halves, so that the product does not leave 64 bits. */
	return (c >> 32) * ns_per_2_32_cycles +
	       ((c & 0xffffffff) * (ns_per_2_32_cycles >> 16) >> 16);
}

uint64_t time_ns(void)
{
	return time_cycles_ns(time_cycles() - cycles_start);
}

static uint64_t calibrate(void)
{
	uint32_t count = PIT_HZ / 1000 * CALIBRATE_MS;
	uint8_t gate = io_in8(PIT_GATE) & 0xfc;
	uint64_t begin;

	io_out8(PIT_GATE, gate);
	io_out8(PIT_COMMAND, 0xb0); /* channel 2, both bytes, count once */
	io_out8(PIT_CHANNEL2, (uint8_t)count);
	io_out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	begin = time_cycles();
	io_out8(PIT_GATE, gate | 1);
	/* Never for ever: 2^34 cycles are seconds on any machine. */
	while (!(io_in8(PIT_GATE) & 0x20))
		if ((time_cycles() - begin) >> 34)
			break;
	return (time_cycles() - begin) * 1000 / CALIBRATE_MS;
}

void time_tick(void)
{
	uint32_t period = PIT_HZ / TICK_HZ;

	io_out8(PIT_COMMAND, 0x34); /* channel 0, both bytes, rate */
	io_out8(PIT_CHANNEL0, (uint8_t)period);
	io_out8(PIT_CHANNEL0, (uint8_t)(period >> 8));
}

void time_init(void)
{
	uint64_t hz = calibrate();

	if (hz < 1000000)
		kernel_panic("no usable clock: %lu Hz", hz);
	/* 10^9 * 2^32 fits into 64 bits. */
	ns_per_2_32_cycles = (UINT64_C(1000000000) << 32) / hz;
	cycles_start = time_cycles();

	time_tick();
	__asm__ volatile("sti");
}

void watchdog_start(unsigned int seconds)
{
	watchdog_end = time_ns() + seconds * UINT64_C(1000000000);
}

/* In the timer's interrupt: whatever loop the kernel is in, it ends here. */
void watchdog_tick(void)
{
	if (!watchdog_end || time_ns() < watchdog_end)
		return;
	kernel_panic("watchdog: the run takes too long");
}
