/* SPDX-License-Identifier: MIT */
/*
 * The way from a kernel that crashed to the one that was put aside for that: a
 * second image of this kernel, linked to lie in memory of its own which the
 * first one never touches otherwise. What the first knows at the end lies there,
 * too, and nothing else of the first one's memory is written by the second.
 */
#ifndef BARE_CRASH_H
#define BARE_CRASH_H

#include "bare.h"

#define CRASH_LIVE 24u	  /* ranges that devices write, and the CPU's own */
#define CRASH_BLOCKS 128u /* sums of memory: 4 MiB each, 512 MiB */
#define CRASH_BLOCK_SIZE (UINT64_C(1) << 22)
/* Of the disk, under way; at thirty a second (run-bare.sh) four seconds long */
#define CRASH_READS 127u
#define CRASH_MODULE 4096u

struct crash_range {
	uint64_t first;
	uint64_t last;
};

/* What devices do, for the second kernel to see that they go on. */
struct crash_work {
	/* The adapter's ring: descriptor n fills buffer n modulo the buffers */
	uint64_t ring; /* physical addresses, all of them */
	uint64_t buffers;
	uint64_t buffers_addr; /* for the device */
	uint32_t frames;       /* that were received before */
	uint32_t ring_entries;
	uint32_t buffer_count;
	/* The disk's reads: two pages each in a row, and its queue. */
	uint64_t reads;
	uint64_t reads_addr; /* for the device */
	uint64_t queue_addr; /* of the submission queue, for the device */
	uint64_t done_addr;  /* of the completion queue, likewise */
	uint64_t done;
	uint32_t queue_id;
	uint32_t queue_tail;
	uint32_t doorbell_stride;
	uint32_t read_crc[CRASH_READS];
	/* What the edu writes over and over, where, and at which address. */
	uint64_t page;
	uint64_t page_addr;
	uint32_t page_seed;
};

/* Lies at the begin of the reserved memory. */
struct crash_handover {
	uint64_t magic;
	struct crash_range region;
	uint32_t passed; /* checks of the first kernel */
	uint32_t failed;
	struct crash_work work;
	struct crash_range code; /* of the second kernel, and its checksum */
	uint32_t code_crc;
	uint32_t live_count;
	struct crash_range live[CRASH_LIVE];
	uint64_t sum[CRASH_BLOCKS];
	uint32_t crc; /* of all in front of it */
};

/* In the second kernel what the first one left; NULL in the first. */
struct crash_handover *crash_handover(void);
/* From boot_read(): keep first..last for a second kernel. */
void crash_reserve(uint64_t first, uint64_t last);
/* From boot_read(): this is the second kernel. */
void crash_enter(uint64_t handover);
/* Put the image @elf into the reserved memory; the hand-over, or NULL. */
struct crash_handover *crash_load(const void *elf, size_t size);
/* Memory of @size bytes that goes on changing. */
void crash_live(struct crash_handover *h, const volatile void *memory,
		size_t size);
/*
 * What every kernel's panic does before it is left, @leave, with interrupts off;
 * then sum up memory, call @last, which may tell devices but write no memory,
 * and jump, as if in the middle of it all.
 */
_Noreturn void crash_jump(struct crash_handover *h,
			  void (*leave)(void *context),
			  void (*last)(void *context), void *context);
/*
 * Blocks of the first kernel's memory that are not what they were, and the
 * first such; what is live does not count.
 */
unsigned int crash_changed(const struct crash_handover *h, uint64_t *first);
/*
 * In the second kernel: its own memory, as far as it does not use it itself.
 * Pages that are not what they were, and the first such.
 */
size_t crash_own_changed(const struct crash_handover *h, uint64_t *first);

#endif /* BARE_CRASH_H */
