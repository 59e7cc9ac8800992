// SPDX-License-Identifier: MIT
/*
 * Reads the PVH start info: memory map, command line, modules, ACPI. The
 * loader's own memory is ours afterwards, so what we keep is copied.
 */
#include "bare.h"

#define PVH_MAGIC 0x336ec578u
#define PVH_RAM 1u
#define LOW_MEMORY 0x100000u /* firmware's and the loader's; never given out */

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t module_list;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map; /* from version 1 */
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t paddr;
	uint64_t size;
	uint64_t command_line;
	uint64_t reserved;
};

struct pvh_memory {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

struct boot_info boot_info;
static char command_line[512];

extern const char kernel_start[];
extern const char kernel_end[];

static void copy_command_line(uint64_t paddr)
{
	const char *from = phys_to_virt(paddr);

	if (!paddr)
		return;
	for (size_t i = 0; from[i] && i + 1 < sizeof(command_line); i++)
		command_line[i] = from[i];
}

static void read_module(const struct pvh_start_info *si)
{
	const struct pvh_module *m = phys_to_virt(si->module_list);

	if (!si->modules || !m->size)
		return;
	boot_info.module = phys_to_virt(m->paddr);
	boot_info.module_size = m->size;
	mem_reserve(m->paddr, m->paddr + m->size - 1);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

static uint64_t read_number(const char **text)
{
	const char *s = *text;
	uint64_t value = 0;
	int base = 10;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (; digit(*s) < base; s++)
		value = value * (uint64_t)base + (uint64_t)digit(*s);
	*text = s;
	return value;
}

/*
 * A range that the command line asks to leave alone: reserve=first-last. It
 * stands for what firmware does when it marks the memory of an RMRR as
 * reserved in its map.
 */
static void reserve_option(void)
{
	const char *s = boot_option("reserve");
	uint64_t first;
	uint64_t last;

	if (!s)
		return;
	first = read_number(&s);
	if (*s++ != '-')
		kernel_panic("reserve= wants first-last");
	last = read_number(&s);
	mem_reserve(first, last);
}

void boot_read(uint64_t start_info)
{
	const struct pvh_start_info *si = phys_to_virt(start_info);
	const struct pvh_memory *map = phys_to_virt(si->memory_map);

	if (si->magic != PVH_MAGIC || si->version < 1)
		kernel_panic("not started by the PVH protocol");
	boot_info.rsdp = si->rsdp;
	copy_command_line(si->command_line);
	mem_reserve(0, LOW_MEMORY - 1);
	mem_reserve(virt_to_phys(kernel_start), virt_to_phys(kernel_end) - 1);
	read_module(si);
	reserve_option();
	for (uint32_t i = 0; i < si->memory_map_entries; i++)
		if (map[i].type == PVH_RAM && map[i].size)
			mem_add(map[i].addr, map[i].addr + map[i].size - 1);
}

const char *boot_option(const char *name)
{
	size_t len = str_len(name);

	for (const char *s = command_line; *s;) {
		if (str_equal(s, name, len) &&
		    (s[len] == '=' || s[len] == ' ' || !s[len]))
			return s[len] == '=' ? s + len + 1 : s + len;
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return NULL;
}

bool boot_flag(const char *name)
{
	return boot_option(name) != NULL;
}

uint64_t boot_number(const char *name, uint64_t otherwise)
{
	const char *s = boot_option(name);

	return s ? read_number(&s) : otherwise;
}
