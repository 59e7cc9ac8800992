// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "life.h"

static bool within_reserve(uint64_t address, int reserve)
{
	uint64_t first = LIFE_RESERVE + (uint64_t)reserve * 0x1000000;

	return reserve >= 0 && address >= first &&
	       address < first + LIFE_RESERVE_SIZE;
}

static bool is_member(const struct life *s, unsigned int device,
		      unsigned int group)
{
	return life_who[device].group == group && s->devices[device].there;
}

static enum life_end end_translated(struct life *s, unsigned int group,
				    uint64_t address, unsigned int prot,
				    uint64_t *paddr)
{
	for (unsigned int i = 0; i < LIFE_DEVICES; i++) {
		if (!is_member(s, i, group))
			continue;
		if (within_reserve(address, life_who[i].reserve)) {
			*paddr = address;
			return LIFE_MEMORY;
		}
		for (unsigned int k = 0; k < LIFE_MAPS; k++) {
			const struct life_map *map = &s->devices[i].maps[k];

			if (!map->live || address < map->iova ||
			    address > map->iova + 4095)
				continue;
			*paddr = map->paddr + (address - map->iova);
			return (map->prot & prot) == prot ? LIFE_MEMORY
							  : LIFE_REFUSED;
		}
	}
	return LIFE_REFUSED;
}

/* Both of an owner's domains translate the first page, one the second, too. */
static enum life_end end_owned(struct life *s, const struct life_group *group,
			       uint64_t address, uint64_t *paddr)
{
	uint64_t page = (address - LIFE_WINDOW) / 4096;

	if (group->attached < 0)
		return group->sink ? LIFE_SUNK : LIFE_REFUSED;
	if (address < LIFE_WINDOW || page > (uint64_t)group->attached)
		return LIFE_REFUSED;
	*paddr = s->shared + (address - LIFE_WINDOW);
	return LIFE_MEMORY;
}

enum life_end life_end(struct life *s, unsigned int index, uint64_t address,
		       unsigned int prot, uint64_t *paddr)
{
	const struct life_device *device = &s->devices[index];
	const struct life_group *group = &s->groups[life_who[index].group];

	*paddr = address;
	if (!device->there)
		return LIFE_REFUSED;
	if (device->barred ||
	    (device->resetting && life_who[index].reserve < 0))
		return device->sunk ? LIFE_SUNK : LIFE_REFUSED;
	if (group->owned)
		return end_owned(s, group, address, paddr);
	if (group->type == UIOMMU_DOMAIN_IDENTITY)
		return LIFE_OPEN;
	return end_translated(s, life_who[index].group, address, prot, paddr);
}

static bool reaches(struct life *s, struct uiommu_sid sid, uint64_t address,
		    bool write, uint8_t *byte)
{
	return vtdm_dma(s->machine.host->units[0], sid.rid, address, write,
			byte, 1) == VTDM_OK;
}

/* Under the name @sid, its own or an alias. */
static void look_as(struct life *s, unsigned int device, struct uiommu_sid sid,
		    uint64_t address)
{
	bool write = random_below(&s->random, 2);
	uint8_t byte = (uint8_t)random_below(&s->random, 256);
	uint8_t *memory, before = 0;
	enum life_end end;
	uint64_t paddr;
	bool reached;

	end = life_end(s, device, address,
		       write ? UIOMMU_PROT_WRITE : UIOMMU_PROT_READ, &paddr);
	memory = vtdm_mem_ptr(s->machine.host->mem, paddr);
	/* In identity nobody writes to what is not the test's. */
	if (end == LIFE_OPEN && address >= LIFE_WINDOW &&
	    address < LIFE_WINDOW + 0x10000)
		return;
	if (end == LIFE_OPEN && !memory)
		return;
	if (end == LIFE_SUNK && memory)
		before = *memory;
	reached = reaches(s, sid, address, write, &byte);
	s->accesses++;
	if (reached != (end != LIFE_REFUSED))
		fail_msg("device %u, %s of %llx: %s", device,
			 write ? "write" : "read", (unsigned long long)address,
			 reached ? "goes through" : "is refused");
	if ((end == LIFE_MEMORY || end == LIFE_OPEN) && *memory != byte)
		fail_msg("device %u, %llx: not the byte of %llx", device,
			 (unsigned long long)address,
			 (unsigned long long)paddr);
	if (end == LIFE_SUNK && memory && *memory != before)
		fail_msg("device %u: a write in the sink hit %llx", device,
			 (unsigned long long)paddr);
}

static void look_at(struct life *s, unsigned int device, uint64_t address)
{
	look_as(s, device, life_who[device].sid, address);
}

/* Addresses that mean something to somebody. */
static uint64_t some_address(struct life *s)
{
	const struct life_device *device;
	const struct life_map *map;

	switch (random_below(&s->random, 5)) {
	case 0:
		return LIFE_RESERVE + random_below(&s->random, 2) * 0x1000000 +
		       random_below(&s->random, LIFE_RESERVE_SIZE);
	case 1:
		return LIFE_WINDOW + random_below(&s->random, 3 * 4096);
	case 2:
		return s->pages[random_below(&s->random, LIFE_PAGES)] +
		       random_below(&s->random, 4096);
	default:
		device = &s->devices[random_below(&s->random, LIFE_DEVICES)];
		map = &device->maps[random_below(&s->random, LIFE_MAPS)];
		return (map->iova ? map->iova : s->pages[0]) +
		       random_below(&s->random, 4096);
	}
}

/*
 * What is behind the bridge has a name in common; who is refused alone may
 * still borrow it from the others.
 */
static void look_as_bridge(struct life *s)
{
	unsigned int member = LIFE_DEVICES;

	for (unsigned int i = 0; i < LIFE_DEVICES; i++) {
		const struct life_device *device = &s->devices[i];

		if (life_who[i].group != LIFE_BRIDGED || !device->there)
			continue;
		if (device->barred || device->resetting)
			return;
		if (life_who[i].plugs)
			member = i;
	}
	if (member != LIFE_DEVICES)
		look_as(s, member, MACHINE_ALIAS, some_address(s));
}

void life_look(struct life *s)
{
	look_as_bridge(s);
	for (unsigned int i = 0; i < LIFE_DEVICES; i++) {
		const struct life_map *map = &s->devices[i].maps[random_below(
			&s->random, LIFE_MAPS)];

		look_at(s, i, some_address(s));
		if (map->live)
			look_at(s, i, map->iova);
	}
}

/* --- While an operation is under way --- */

void life_beside_begin(struct life *s)
{
	s->beside = (unsigned int)random_below(&s->random, LIFE_DEVICES);
	s->beside_address = some_address(s);
	s->beside_reached = false;
	s->beside_refused = false;
	s->beside_end = life_end(s, s->beside, s->beside_address,
				 UIOMMU_PROT_READ, &s->beside_paddr);
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].reserve >= 0)
			s->kept[life_who[i].reserve] = s->devices[i].there;
}

void life_beside(struct uiommu_host *host, void *context)
{
	struct life *s = context;
	uint8_t byte;

	(void)host;
	for (unsigned int i = 0; i < LIFE_DEVICES; i++) {
		int reserve = life_who[i].reserve;
		uint64_t address = LIFE_RESERVE + (uint64_t)reserve * 0x1000000;

		if (reserve < 0 || !s->kept[reserve])
			continue;
		s->kept_tried++;
		if (!reaches(s, life_who[i].sid, address, false, &byte))
			fail_msg("device %u: firmware's region is refused", i);
	}
	if (!s->beside_address)
		return;
	s->beside_tried++;
	if (reaches(s, life_who[s->beside].sid, s->beside_address, false,
		    &byte))
		s->beside_reached = true;
	else
		s->beside_refused = true;
}

static bool is_answered(enum life_end end)
{
	return end == LIFE_MEMORY || end == LIFE_OPEN;
}

/*
 * What is closed before and after is never open in between; what leads to the
 * same memory before and after is never closed.
 */
void life_beside_end(struct life *s)
{
	uint64_t address = s->beside_address;
	enum life_end end;
	uint64_t paddr;

	s->beside_address = 0;
	end = life_end(s, s->beside, address, UIOMMU_PROT_READ, &paddr);
	/* A sink on the way answers, and leads to nobody's memory. */
	if (s->beside_end == LIFE_REFUSED && end == LIFE_REFUSED &&
	    s->beside_reached && !s->groups[life_who[s->beside].group].sink)
		fail_msg("device %u: %llx was open for a moment, in op %u",
			 s->beside, (unsigned long long)address, s->op);
	if (is_answered(s->beside_end) && is_answered(end) &&
	    paddr == s->beside_paddr && s->beside_refused &&
	    vtdm_mem_ptr(s->machine.host->mem, paddr))
		fail_msg("device %u: %llx was refused for a moment, in op %u",
			 s->beside, (unsigned long long)address, s->op);
}
