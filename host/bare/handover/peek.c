// SPDX-License-Identifier: MIT
/*
 * What Linux jumps to: prints what is left in the remapping unit, line by
 * line as "peek: ...", and goes on to the kernel. It shares nothing with the
 * library, whose reading of the same it is to check.
 *
 * Layouts: VT-d specification, chapters "Register Descriptions" and
 * "Translation Structure Formats".
 */
#include "start.h"

#define COM1 0x3f8
#define APIC_BASE 0x1b
#define APIC_BASE_ENABLE 0x800u
#define UNIT UINT64_C(0xfed90000) /* of QEMU's q35 */

enum { GCMD_STATUS = 0x1c, ROOT = 0x20, FAULTS = 0x34, QUEUE = 0x90 };

void peek_main(void);

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put(char c)
{
	while (!(in8(COM1 + 5) & 0x20))
		;
	out8(COM1, (uint8_t)c);
}

static void text(const char *s)
{
	for (; *s; s++)
		put(*s);
}

static void number(const char *name, uint64_t value)
{
	unsigned int digits = 1;

	while (digits < 16 && value >> (4 * digits))
		digits++;
	text(name);
	while (digits--)
		put("0123456789abcdef"[value >> (4 * digits) & 15]);
}

static uint64_t word(uint64_t paddr)
{
	return *(volatile uint64_t *)(uintptr_t)paddr;
}

static uint32_t reg32(uint32_t offset)
{
	return *(volatile uint32_t *)(uintptr_t)(UNIT + offset);
}

static void entry(unsigned int bus, unsigned int fn, uint64_t low,
		  uint64_t high)
{
	number("peek: entry ", bus);
	number(":", fn >> 3);
	number(".", fn & 7);
	number(" type ", low >> 2 & 3);
	number(" domain ", high >> 8 & 0xffff);
	number(" width ", high & 7);
	number(" table ", low & ~UINT64_C(0xfff));
	number(" fpd ", low >> 1 & 1);
	text("\n");
}

static void tables(uint64_t root)
{
	for (unsigned int bus = 0; bus < 256; bus++) {
		uint64_t context = word(root + 16 * bus);

		if (!(context & 1))
			continue;
		context &= ~UINT64_C(0xfff);
		for (unsigned int fn = 0; fn < 256; fn++) {
			uint64_t low = word(context + 16 * fn);

			if (low & 1)
				entry(bus, fn, low,
				      word(context + 16 * fn + 8));
		}
	}
}

/*
 * The kernel takes interrupts from the first PIC, as after firmware. Linux left
 * the local APIC on, with an interrupt pending that only it can handle.
 */
static void local_apic_off(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(APIC_BASE));
	__asm__ volatile("wrmsr"
			 :
			 : "a"(low & ~APIC_BASE_ENABLE), "d"(high),
			   "c"(APIC_BASE));
}

void peek_main(void)
{
	const struct start_page *start = (const void *)START_ADDRESS;
	uint64_t root = word(UNIT + ROOT);

	number("peek: status ", reg32(GCMD_STATUS));
	number(" root ", root);
	number(" faults ", reg32(FAULTS));
	number(" queue ", word(UNIT + QUEUE));
	text("\n");
	/* Bits 11:10 are the mode: only a legacy root is read here. */
	if (!(root & 0xc00))
		tables(root & ~UINT64_C(0xfff));
	text("peek: end\n");
	local_apic_off();
	__asm__ volatile("jmp *%0"
			 :
			 : "r"(start->entry), "D"(START_ADDRESS)
			 : "memory");
}
