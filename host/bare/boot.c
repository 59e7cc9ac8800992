// SPDX-License-Identifier: MIT
/*
 * Reads the PVH start info: memory map, command line, modules, ACPI. The
 * loader's own memory is ours afterwards, so what we keep is copied.
 */
#include "crash.h"
#include "pvh.h"

#define LOW_MEMORY 0x100000u /* firmware's and the loader's; never given out */

struct boot_info boot_info;
static char command_line[640];

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

/*
 * QEMU's loader hands over one module: a DMAR table, then, at the next multiple
 * of 16 bytes, the image of a second kernel, or one of both alone.
 */
static void split_module(const char *m, size_t size)
{
	uint32_t length = 0;
	size_t at;

	if (size >= 36 && str_equal(m, "DMAR", 4))
		memcpy(&length, m + 4, 4);
	if (length > size)
		kernel_panic("the boot module's DMAR is cut off");
	boot_info.dmar = length ? m : NULL;
	boot_info.dmar_size = length;
	at = (length + 15u) & ~(size_t)15;
	if (at >= size)
		return;
	boot_info.image = m + at;
	boot_info.image_size = size - at;
}

static void read_module(const struct pvh_start_info *si)
{
	const struct pvh_module *m = phys_to_virt(si->module_list);

	if (!si->modules || !m->size)
		return;
	split_module(phys_to_virt(m->paddr), m->size);
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
 * A range that the command line names. reserve=first-last is to be left alone:
 * it stands for what firmware does when it marks the memory of an RMRR as
 * reserved in its map.
 */
static void reserve_option(const char *name,
			   void (*reserve)(uint64_t first, uint64_t last))
{
	const char *s = boot_option(name);
	uint64_t first;
	uint64_t last;

	if (!s)
		return;
	first = read_number(&s);
	if (*s++ != '-')
		kernel_panic("%s= wants first-last", name);
	last = read_number(&s);
	reserve(first, last);
}

/* Somebody else's memory is all around us: to be read, never to be used. */
static void reserve_others(uint64_t first, uint64_t last)
{
	boot_info.within_first = first;
	boot_info.within_last = last;
	mem_reserve(0, first - 1);
	mem_reserve(last + 1, ~UINT64_C(0));
}

/* In the second kernel crash= says where the first left its hand-over. */
static void crash_option(void)
{
	uint64_t handover = boot_number("crash", 0);

	if (handover)
		crash_enter(handover);
	else
		reserve_option("crash-region", crash_reserve);
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
	reserve_option("reserve", mem_reserve);
	reserve_option("within", reserve_others);
	crash_option();
	for (uint32_t i = 0; i < si->memory_map_entries; i++)
		if (map[i].type == PVH_RAM && map[i].size)
			mem_add(map[i].addr, map[i].addr + map[i].size - 1);
}

const char *boot_command_line(void)
{
	return command_line;
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
