// SPDX-License-Identifier: MIT
/*
 * After the "NVM Express Base Specification", 1.4, and the VT-d specification,
 * chapter "Translation Structure Formats". The queue for reads is found by the
 * commands that made it: they lie in the admin queue's ring as they were given.
 */
#include "left_disk.h"
#include "nvme.h"

#define NVME_CLASS 0x010802u
#define NVME_REGS_SIZE 0x4000
#define NVME_CAP 0x00
#define NVME_AQA 0x24
#define NVME_ASQ 0x28
#define NVME_DOORBELLS 0x1000
#define ADMIN_CREATE_SQ 0x01
#define ADMIN_CREATE_CQ 0x05
#define ADMIN_DOORBELL_BUFFER 0x7c

#define UNIT_RTADDR 0x20
#define ROOT_MODE 0xc00u
#define PRESENT 0x1u
#define CONTEXT_TYPE(low) ((low) >> 2 & 3)
#define PASS_THROUGH 2u
#define PTE_ACCESS 0x3u
#define PTE_LARGE 0x80u
#define TABLE UINT64_C(0x000ffffffffff000)

/* Somebody else's tables: nothing but RAM is read for them. */
static uint64_t word_at(uint64_t paddr)
{
	return mem_holds(paddr, paddr + 7) ? mmio_read64(phys_to_virt(paddr), 0)
					   : 0;
}

bool left_disk_translate(const struct left_disk *l, uint64_t addr,
			 uint64_t *paddr)
{
	uint64_t entry = word_at(l->root + (l->bdf >> 8) * 16u);
	unsigned int level;
	uint64_t low;

	if (!(entry & PRESENT))
		return false;
	entry = (entry & TABLE) + (l->bdf & 0xff) * 16u;
	low = word_at(entry);
	level = (word_at(entry + 8) & 7) + 2;
	*paddr = addr;
	if (!(low & PRESENT) || CONTEXT_TYPE(low) == PASS_THROUGH)
		return low & PRESENT;
	for (entry = low; level; level--) {
		unsigned int shift = 12 + 9 * (level - 1);
		uint64_t rest = (UINT64_C(1) << shift) - 1;

		entry = word_at((entry & TABLE) + (addr >> shift & 511) * 8);
		if (!(entry & PTE_ACCESS))
			return false;
		*paddr = (entry & TABLE & ~rest) | (addr & rest);
		if (entry & PTE_LARGE)
			return true;
	}
	return true;
}

/* 4 bytes at the disk's address @addr, or 0. */
static uint32_t disk_word(const struct left_disk *l, uint64_t addr)
{
	uint64_t paddr;

	if (!left_disk_translate(l, addr, &paddr) ||
	    !mem_holds(paddr, paddr + 3))
		return 0;
	return mmio_read32(phys_to_virt(paddr), 0);
}

/* The last command of this kind for queue @id or, if that is 0, for any. */
static uint64_t find_command(const struct left_disk *l, unsigned int opcode,
			     uint32_t id)
{
	uint32_t entries = (mmio_read32(l->regs, NVME_AQA) & 0xfff) + 1;
	uint64_t at = mmio_read64(l->regs, NVME_ASQ);
	uint64_t found = 0;

	for (; entries; entries--, at += NVME_COMMAND_SIZE)
		if ((disk_word(l, at) & 0xff) == opcode &&
		    (!id || (disk_word(l, at + 40) & 0xffff) == id))
			found = at;
	return found;
}

/* The first or second page that a command names. */
static uint64_t command_page(const struct left_disk *l, uint64_t command,
			     unsigned int nth)
{
	uint64_t low = disk_word(l, command + 24 + 8 * nth);

	return low | (uint64_t)disk_word(l, command + 28 + 8 * nth) << 32;
}

bool left_disk_find(struct left_disk *l, const void *unit)
{
	uint64_t root = mmio_read64(unit, UNIT_RTADDR);
	uint64_t sq;
	uint64_t cq;
	uint64_t buffer;

	*l = (struct left_disk){ .root = root & TABLE };
	if (root & ROOT_MODE || !pci_find_class(NVME_CLASS, 0, &l->bdf))
		return false;
	l->regs = pci_map_bar(l->bdf, 0, NVME_REGS_SIZE);
	sq = l->regs ? find_command(l, ADMIN_CREATE_SQ, 0) : 0;
	if (!sq)
		return false;
	cq = find_command(l, ADMIN_CREATE_CQ, disk_word(l, sq + 44) >> 16);
	if (!cq)
		return false;
	l->id = disk_word(l, sq + 40) & 0xffff;
	l->entries = (disk_word(l, sq + 40) >> 16) + 1;
	l->commands = command_page(l, sq, 0);
	l->ends = command_page(l, cq, 0);
	buffer = find_command(l, ADMIN_DOORBELL_BUFFER, 0);
	if (buffer) {
		l->bells = command_page(l, buffer, 0);
		l->marks = command_page(l, buffer, 1);
	}
	return l->entries == (disk_word(l, cq + 40) >> 16) + 1;
}

/* Word @n of the @nth completion. */
static uint32_t end_word(const struct left_disk *l, uint32_t nth, uint32_t n)
{
	return disk_word(l, l->ends + nth * NVME_COMPLETION_SIZE + 4 * n);
}

/*
 * Each command takes one entry of either part, so that they go round together.
 * The newest completion says how many commands the disk has taken.
 */
void left_disk_look(const struct left_disk *l, struct left_state *s)
{
	uint32_t phase = end_word(l, 0, 3) >> 16 & 1;
	uint32_t at = 1;

	while (at < l->entries && (end_word(l, at, 3) >> 16 & 1) == phase)
		at++;
	s->ended = at % l->entries;
	s->taken = end_word(l, at - 1, 2) & 0xffff;
	s->under_way = (s->taken + l->entries - s->ended) % l->entries;
}

void left_disk_ring(const struct left_disk *l, const struct left_state *s)
{
	uint32_t stride = 4u << (mmio_read64(l->regs, NVME_CAP) >> 32 & 0xf);

	mmio_write32(l->regs, NVME_DOORBELLS + 2 * l->id * stride,
		     (s->taken + 1) % l->entries);
}
