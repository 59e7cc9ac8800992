/* SPDX-License-Identifier: MIT */
/*
 * What an NVMe disk still does for a kernel that is no more, without knowing
 * that kernel: its queues are found by the controller's registers and by what
 * NVMe and VT-d say of memory. Nothing is written.
 */
#ifndef BARE_LEFT_DISK_H
#define BARE_LEFT_DISK_H

#include "bare.h"

struct left_disk {
	uint16_t bdf;
	void *regs;
	uint64_t root; /* the unit's table then; legacy mode */
	/* Its queue for reads: both parts have so many entries. */
	uint32_t id;
	uint32_t entries;
	uint64_t commands; /* the device's addresses */
	uint64_t ends;
	/*
	 * Where it is told of commands, if not by registers alone, and tells how
	 * far it is: a page each that comes before the queue, or 0.
	 */
	uint64_t bells;
	uint64_t marks;
};

/* How far the queue is: commands that the disk took, and that ended. */
struct left_state {
	uint32_t taken; /* where in the queue, both */
	uint32_t ended;
	uint32_t under_way;
};

/*
 * Find them, before the unit is touched, the registers of which are at @unit;
 * false if there is no such disk, or no queue can be found.
 */
bool left_disk_find(struct left_disk *l, const void *unit);
/* Where @addr led the disk by the tables of then; false: nowhere. */
bool left_disk_translate(const struct left_disk *l, uint64_t addr,
			 uint64_t *paddr);
void left_disk_look(const struct left_disk *l, struct left_state *s);
/* Tell the disk that there is one more command, by its old doorbell. */
void left_disk_ring(const struct left_disk *l, const struct left_state *s);

#endif /* BARE_LEFT_DISK_H */
