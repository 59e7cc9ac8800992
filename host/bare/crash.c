// SPDX-License-Identifier: MIT
/*
 * A crash kernel without a boot loader: its image is a boot module, its memory
 * was kept apart from the start, and its start info is written before it is
 * needed. At the end nothing is left to do but to sum up memory and jump.
 */
#include "crash.h"
#include "pvh.h"

#define CRASH_MAGIC UINT64_C(0x2168736172436f49)
#define ENTRY_64 0x100		/* behind the entry of the image: boot.S */
#define HANDOVER_SIZE 0x100000u /* the image comes behind */
#define MAX_MEMORY_MAP 16u
#define COMMAND_LINE 600u

struct elf_header {
	uint8_t ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t segments;
	uint64_t sections;
	uint32_t flags;
	uint16_t header_size;
	uint16_t segment_size;
	uint16_t segment_count;
	uint16_t rest[3];
};

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t align;
};

#define ELF_LOAD 1u
#define ELF_WRITE 2u

/* What the second kernel finds at the begin of its memory. */
struct crash_page {
	struct crash_handover handover;
	uint64_t entry;
	struct pvh_start_info start;
	struct pvh_module module;
	struct pvh_memory map[MAX_MEMORY_MAP];
	char command_line[COMMAND_LINE];
	uint8_t dmar[CRASH_MODULE];
};

static struct crash_range region; /* of the first kernel: kept apart */
static struct crash_page *entered;

#define LARGE_PAGE (UINT64_C(1) << 21) /* of boot.S */
#define LAST_CALLS 1024u	       /* bytes of the stack */

void crash_reserve(uint64_t first, uint64_t last)
{
	region = (struct crash_range){ first, last };
	if (last - first < 2 * (uint64_t)HANDOVER_SIZE || last >> 32)
		kernel_panic("crash-region= is no place for a kernel");
	mem_reserve(first, last);
}

void crash_enter(uint64_t handover)
{
	struct crash_page *p = phys_to_virt(handover);

	if (p->handover.magic != CRASH_MAGIC ||
	    p->handover.region.first != handover)
		kernel_panic("nothing was handed over");
	entered = p;
	mem_poison();
	mem_reserve(0, handover + HANDOVER_SIZE - 1);
	mem_reserve(p->handover.region.last + 1, ~UINT64_C(0));
}

struct crash_handover *crash_handover(void)
{
	return entered ? &entered->handover : NULL;
}

static bool load_segment(struct crash_handover *h, const char *elf, size_t size,
			 const struct elf_segment *s)
{
	char *to = phys_to_virt(s->paddr);

	if (s->type != ELF_LOAD)
		return true;
	if (s->file_size > s->memory_size || s->offset > size ||
	    s->file_size > size - s->offset ||
	    s->paddr < region.first + HANDOVER_SIZE || s->paddr > region.last ||
	    s->memory_size > region.last - s->paddr)
		return false;
	memcpy(to, elf + s->offset, s->file_size);
	memset(to + s->file_size, 0, s->memory_size - s->file_size);
	if (s->flags & ELF_WRITE)
		return true;
	h->code = (struct crash_range){ s->paddr, s->paddr + s->file_size - 1 };
	h->code_crc = crc32(0, to, s->file_size);
	return true;
}

static bool load_image(struct crash_handover *h, const char *elf, size_t size,
		       uint64_t *entry)
{
	const struct elf_header *e = (const struct elf_header *)elf;
	const struct elf_segment *s;

	if (size < sizeof(*e) ||
	    !str_equal(elf,
		       "\x7f"
		       "ELF\2\1",
		       6) ||
	    e->segment_size != sizeof(*s) || e->segments > size ||
	    (size - e->segments) / sizeof(*s) < e->segment_count)
		return false;
	s = (const struct elf_segment *)(elf + e->segments);
	for (unsigned int i = 0; i < e->segment_count; i++)
		if (!load_segment(h, elf, size, &s[i]))
			return false;
	*entry = e->entry + ENTRY_64;
	return true;
}

/* The same memory map, command line and table as we got, and where we are. */
static void write_start_info(struct crash_page *p)
{
	size_t size = 0;
	const void *dmar = acpi_find("DMAR", &size);
	uint32_t count = 0;

	for (; count < MAX_MEMORY_MAP; count++) {
		uint64_t first;
		uint64_t last;

		if (!mem_ram(count, &first, &last))
			break;
		p->map[count] = (struct pvh_memory){ first, last - first + 1,
						     PVH_RAM, 0 };
	}
	print_to(p->command_line, sizeof(p->command_line), "%s crash=0x%lx",
		 boot_command_line(), virt_to_phys(p));
	if (dmar && size <= sizeof(p->dmar)) {
		memcpy(p->dmar, dmar, size);
		p->module.paddr = virt_to_phys(p->dmar);
		p->module.size = size;
		p->start.modules = 1;
	}
	p->start.magic = PVH_MAGIC;
	p->start.version = 1;
	p->start.module_list = virt_to_phys(&p->module);
	p->start.command_line = virt_to_phys(p->command_line);
	p->start.rsdp = boot_info.rsdp;
	p->start.memory_map = virt_to_phys(p->map);
	p->start.memory_map_entries = count;
}

struct crash_handover *crash_load(const void *elf, size_t size)
{
	struct crash_page *p = phys_to_virt(region.first);
	uint64_t entry;

	if (!region.last || !elf)
		return NULL;
	memset(p, MEM_POISON, region.last + 1 - region.first);
	memset(p, 0, sizeof(*p));
	if (!load_image(&p->handover, elf, size, &entry))
		return NULL;
	p->handover.magic = CRASH_MAGIC;
	p->handover.region = region;
	p->entry = entry;
	write_start_info(p);
	return &p->handover;
}

void crash_live(struct crash_handover *h, const volatile void *memory,
		size_t size)
{
	uint64_t first = virt_to_phys(memory);

	if (h->live_count == CRASH_LIVE)
		kernel_panic("too many buffers to hand over");
	h->live[h->live_count++] = (struct crash_range){ first,
							 first + size - 1 };
}

static bool is_live(const struct crash_handover *h, uint64_t paddr)
{
	uint64_t last = paddr + PAGE_SIZE - 1;

	if (paddr <= h->region.last && last >= h->region.first)
		return true;
	for (uint32_t i = 0; i < h->live_count; i++)
		if (paddr <= h->live[i].last && last >= h->live[i].first)
			return true;
	return !mem_holds(paddr, last);
}

/* Not for an enemy: any other byte makes another sum. */
static uint64_t sum_page(uint64_t sum, const uint64_t *words)
{
	uint64_t a = sum;
	uint64_t b = ~sum;

	for (size_t i = 0; i < PAGE_SIZE / 8; i += 2) {
		a = (a ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		b = (b ^ words[i + 1]) * UINT64_C(0xc2b2ae3d27d4eb4f);
	}
	return a ^ (b << 32 | b >> 32);
}

static uint64_t sum_block(const struct crash_handover *h, unsigned int block)
{
	uint64_t paddr = block * CRASH_BLOCK_SIZE;
	uint64_t end = paddr + CRASH_BLOCK_SIZE;
	uint64_t sum = 1;

	for (; paddr < end; paddr += PAGE_SIZE) {
		/* A compiler is not to take page 0 for no page. */
		__asm__("" : "+r"(paddr));
		if (!is_live(h, paddr))
			sum = sum_page(sum, phys_to_virt(paddr));
	}
	return sum;
}

unsigned int crash_changed(const struct crash_handover *h, uint64_t *first)
{
	unsigned int changed = 0;

	for (unsigned int i = 0; i < CRASH_BLOCKS; i++) {
		if (sum_block(h, i) == h->sum[i])
			continue;
		if (!changed++)
			*first = i * CRASH_BLOCK_SIZE;
	}
	return changed;
}

static uint32_t handover_crc(const struct crash_handover *h)
{
	return crc32(0, h, offsetof(struct crash_handover, crc));
}

size_t crash_own_changed(const struct crash_handover *h, uint64_t *first)
{
	const struct crash_page *p = (const struct crash_page *)h;
	size_t changed = mem_spoilt(first);

	if (!mem_is_poison(p + 1, HANDOVER_SIZE - sizeof(*p)) ||
	    handover_crc(h) != h->crc) {
		*first = virt_to_phys(p);
		changed++;
	}
	if (crc32(0, phys_to_virt(h->code.first),
		  h->code.last - h->code.first + 1) != h->code_crc) {
		*first = h->code.first;
		changed++;
	}
	return changed;
}

/*
 * Sums of all memory, of the tables of pages too: have the CPU note in them
 * before that each large page was accessed, as far as memory goes.
 */
static void sum_up(struct crash_handover *h)
{
	uint64_t first;
	uint64_t last;

	for (unsigned int i = 0; mem_ram(i, &first, &last); i++)
		for (; first <= last; first += LARGE_PAGE)
			(void)mmio_read32(phys_to_virt(first), 0);
	for (unsigned int i = 0; i < CRASH_BLOCKS; i++)
		h->sum[i] = sum_block(h, i);
	h->crc = handover_crc(h);
}

/* try=stray, try=own, try=live: what must not be, where nobody else writes. */
static void try_stray(const struct crash_handover *h)
{
	const char *how = boot_option("try");
	uint64_t paddr;

	if (how && *how == 's')
		paddr = h->region.first - 1;
	else if (how && *how == 'o')
		paddr = h->region.last;
	else if (how && *how == 'l')
		paddr = h->work.done + PAGE_SIZE - 1;
	else
		return;
	*(volatile uint8_t *)phys_to_virt(paddr) ^= 1;
}

_Noreturn void crash_jump(struct crash_handover *h,
			  void (*leave)(void *context),
			  void (*last)(void *context), void *context)
{
	struct crash_page *p = (struct crash_page *)h;

	check_counts(&h->passed, &h->failed);
	__asm__ volatile("cli" : : : "memory");
	leave(context);
	/* What this and last() call is written on the stack after the sums. */
	crash_live(h, (char *)__builtin_frame_address(0) - LAST_CALLS,
		   LAST_CALLS);
	sum_up(h);
	try_stray(h);
	last(context);
	__asm__ volatile("jmp *%0"
			 :
			 : "r"(p->entry), "D"(virt_to_phys(&p->start))
			 : "memory");
	__builtin_unreachable();
}
