/* SPDX-License-Identifier: MIT */
/*
 * The reference kernel's own services: what any small kernel has already
 * before it thinks of an IOMMU. One section for each file.
 */
#ifndef BARE_H
#define BARE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE 4096u

/* --- string.c: what a compiler may call by itself, and a little more ------ */

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t str_len(const char *s);
bool str_equal(const char *a, const char *b, size_t size);

/* --- io.h: ports and device registers -------------------------------------- */

static inline void io_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t io_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void io_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t io_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void io_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t io_in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t mmio_read32(const volatile void *base, uint32_t offset)
{
	return *(const volatile uint32_t *)((const volatile char *)base +
					    offset);
}

static inline uint64_t mmio_read64(const volatile void *base, uint32_t offset)
{
	return *(const volatile uint64_t *)((const volatile char *)base +
					    offset);
}

static inline void mmio_write32(volatile void *base, uint32_t offset,
				uint32_t value)
{
	*(volatile uint32_t *)((volatile char *)base + offset) = value;
}

static inline void mmio_write64(volatile void *base, uint32_t offset,
				uint64_t value)
{
	*(volatile uint64_t *)((volatile char *)base + offset) = value;
}

/* One turn of a polling loop. */
void cpu_relax(void);

/* Order our writes to memory before the write that tells the device. */
static inline void dma_barrier(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

/* --- console.c: the serial line -------------------------------------------- */

void console_init(void);
void console_putc(char c);

/* --- printf.c: %s %c %d %u %x %p, sizes l ll z, width, '0' and '-' --------- */

int print_to(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int vprint_to(char *buf, size_t size, const char *fmt, va_list args);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- trap.c: exceptions, the watchdog's tick, the end ---------------------- */

void trap_init(void); /* and after sleep */
/*
 * Have a message that a device writes call @handler, with interrupts off; where
 * it is to write what is for it to be told.
 */
void trap_message(void (*handler)(void *context), void *context,
		  uint64_t *address, uint32_t *data);
_Noreturn void kernel_exit(bool ok);
_Noreturn void kernel_panic(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* --- time.c ---------------------------------------------------------------- */

void time_init(void);
void time_tick(void); /* start the watchdog's timer, again after sleep */
uint64_t time_ns(void);
uint64_t time_cycles(void);
uint64_t time_cycles_ns(uint64_t cycles);
/* End the run as failed if it is still going @seconds from now. */
void watchdog_start(unsigned int seconds);
void watchdog_tick(void);

/* --- mem.c: physical pages -------------------------------------------------- */

#define MEM_MAX_ORDER 11u /* 2^11 pages, 8 MiB, at once */
#define MEM_POISON 0x6b

/* Give RAM first..last to the allocator, less what mem_reserve() took. */
void mem_add(uint64_t first, uint64_t last);
/* Keep first..last out of the allocator; to be called before mem_add(). */
void mem_reserve(uint64_t first, uint64_t last);
/* 2^order zeroed pages in a row, aligned to their size, or NULL. */
void *mem_alloc(unsigned int order);
/* The same, with no byte outside first..last; slow, for tests and odd devices */
void *mem_alloc_in(unsigned int order, uint64_t first, uint64_t last);
void mem_free(void *pages, unsigned int order);
/*
 * To be called before mem_add(), by who has filled all RAM that is to come with
 * MEM_POISON: each byte that is free holds it from now on, links apart.
 */
void mem_poison(void);
/* Pages that had another byte while they were free; the first such page. */
size_t mem_spoilt(uint64_t *first);
bool mem_is_poison(const void *memory, size_t size);
size_t mem_free_pages(void);
size_t mem_total_pages(void);
/* Does the memory map call any byte of first..last RAM? */
bool mem_is_ram(uint64_t first, uint64_t last);
/* Is every byte of first..last RAM that the CPU reaches? */
bool mem_holds(uint64_t first, uint64_t last);
/* The @nth range that the memory map calls RAM; false if there are no more. */
bool mem_ram(unsigned int nth, uint64_t *first, uint64_t *last);
unsigned int mem_order(size_t size);

/* --- paging.c: CPU addresses are physical addresses ------------------------- */

/* Make device registers reachable; below 4 GiB they are from the start. */
void *paging_map_device(uint64_t paddr, size_t size);

static inline uint64_t virt_to_phys(const volatile void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline void *phys_to_virt(uint64_t paddr)
{
	return (void *)(uintptr_t)paddr;
}

/* --- boot.c: what the loader told us ---------------------------------------- */

struct boot_info {
	uint64_t rsdp;
	const void *dmar; /* of the boot module; NULL if there is none */
	size_t dmar_size;
	const void *image; /* of a second kernel, likewise */
	size_t image_size;
	/* within=: all memory that is ours; without it all there is */
	uint64_t within_first;
	uint64_t within_last;
};

extern struct boot_info boot_info;

void boot_read(uint64_t start_info);
/* Value of "@name=..." on the command line, or of "@name" alone, or NULL. */
const char *boot_option(const char *name);
bool boot_flag(const char *name);
const char *boot_command_line(void);
uint64_t boot_number(const char *name, uint64_t otherwise);

/* --- acpi.c ------------------------------------------------------------------ */

/* The table with this signature, checked, or NULL. */
const void *acpi_find(const char *signature, size_t *size);
/* Let @table answer for its signature from now on. */
void acpi_replace(const void *table, size_t size);

/* --- pci.c ------------------------------------------------------------------- */

/* bus:8 device:5 function:3 */
#define PCI_BDF(bus, dev, fn) ((uint16_t)((bus) << 8 | (dev) << 3 | (fn)))

struct pci_bar {
	uint64_t base;
	void *regs;
};

void pci_init(void);
uint8_t pci_last_bus(void);
uint32_t pci_read(uint16_t bdf, uint16_t offset, unsigned int width);
void pci_write(uint16_t bdf, uint16_t offset, unsigned int width,
	       uint32_t value);
/* The @nth function with these ids; false when there are no more. */
bool pci_find(uint16_t vendor, uint16_t device, unsigned int nth,
	      uint16_t *bdf);
bool pci_find_class(uint32_t class_code, unsigned int nth, uint16_t *bdf);
void pci_enable(uint16_t bdf);	/* memory decoding and bus mastering */
void pci_disable(uint16_t bdf); /* no bus mastering any more */
void *pci_map_bar(uint16_t bdf, unsigned int bar, size_t size);
/* By the old ports, in the first 256 bytes, 4 at once. */
void pci_write_port(uint16_t bdf, uint16_t offset, uint32_t value);

/* --- pci_state.c: what configuration space forgets in sleep ----------------- */

/* Keep what all functions have. */
void pci_save(void);
/* Before all else: without it nothing else is found. */
void pci_restore_chipset(void);
/* One function; false if it is not what it was. */
bool pci_restore(uint16_t bdf);
/* All of them; returns how many are as they were, and @count how many there are */
unsigned int pci_restore_all(unsigned int *count);

/* --- crc32.c ----------------------------------------------------------------- */

uint32_t crc32(uint32_t crc, const void *data, size_t size);

/* --- check.c: what the run is about ------------------------------------------ */

void check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The last line of a run that ends in the middle: one more failure. */
void check_abort(void);
bool check_summary(void);
/* How many so far. */
void check_counts(uint32_t *passed, uint32_t *failed);
/* The verdict is on these as well: of a kernel that was here before. */
void check_before(uint32_t passed, uint32_t failed);

#endif /* BARE_H */
