// SPDX-License-Identifier: MIT
/*
 * PCI configuration space: memory-mapped where the MCFG table says so (only
 * this way the extended capabilities are seen, ACS and ATS among them), else
 * by the old ports.
 */
#include "bare.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u
#define LEGACY_CONFIG_SIZE 256

#define PCI_VENDOR 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u
#define PCI_CLASS 0x08 /* above the revision */
#define PCI_HEADER_TYPE 0x0e
#define PCI_HEADER_MULTI 0x80u
#define PCI_BAR0 0x10
#define PCI_BAR_64 0x4u

struct mcfg_entry {
	uint64_t base;
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint32_t reserved;
} __attribute__((packed));

#define MCFG_ENTRIES 44 /* offset of the first in the table */

static struct mcfg_entry ecam;
static char *ecam_regs;

void pci_init(void)
{
	size_t size = 0;
	const char *mcfg = acpi_find("MCFG", &size);

	ecam.last_bus = 255;
	if (!mcfg || size < MCFG_ENTRIES + sizeof(ecam)) {
		print("pci: no MCFG, extended capabilities are not seen\n");
		return;
	}
	memcpy(&ecam, mcfg + MCFG_ENTRIES, sizeof(ecam));
	ecam_regs = paging_map_device(
		ecam.base, (ecam.last_bus - ecam.first_bus + 1u) << 20);
}

uint8_t pci_last_bus(void)
{
	return ecam.last_bus;
}

static char *ecam_at(uint16_t bdf, uint16_t offset)
{
	if (!ecam_regs || bdf >> 8 < ecam.first_bus || bdf >> 8 > ecam.last_bus)
		return NULL;
	return ecam_regs +
	       (((size_t)bdf - ((size_t)ecam.first_bus << 8)) << 12) + offset;
}

void pci_write_port(uint16_t bdf, uint16_t offset, uint32_t value)
{
	io_out32(CONFIG_ADDRESS,
		 CONFIG_ENABLE | (uint32_t)bdf << 8 | (offset & 0xfcu));
	io_out32(CONFIG_DATA, value);
}

/* An access must be of 1, 2 or 4 bytes and aligned; else it reads all ones. */
static bool access_ok(uint16_t offset, unsigned int width)
{
	return (width == 1 || width == 2 || width == 4) &&
	       offset % width == 0 && offset < 4096;
}

uint32_t pci_read(uint16_t bdf, uint16_t offset, unsigned int width)
{
	volatile char *reg = ecam_at(bdf, offset);
	uint32_t mask = width == 4 ? ~0u : (1u << width * 8) - 1;

	if (!access_ok(offset, width))
		return ~0u;
	if (reg && width == 4)
		return *(volatile uint32_t *)reg;
	if (reg && width == 2)
		return *(volatile uint16_t *)reg;
	if (reg)
		return *(volatile uint8_t *)reg;
	if (offset >= LEGACY_CONFIG_SIZE)
		return mask;
	io_out32(CONFIG_ADDRESS,
		 CONFIG_ENABLE | (uint32_t)bdf << 8 | (offset & 0xfcu));
	return io_in32(CONFIG_DATA) >> (offset & 3u) * 8 & mask;
}

void pci_write(uint16_t bdf, uint16_t offset, unsigned int width,
	       uint32_t value)
{
	volatile char *reg = ecam_at(bdf, offset);
	uint32_t mask = width == 4 ? ~0u : (1u << width * 8) - 1;
	uint32_t shift = (offset & 3u) * 8;
	uint32_t old;

	if (!access_ok(offset, width))
		return;
	if (reg && width == 4) {
		*(volatile uint32_t *)reg = value;
	} else if (reg && width == 2) {
		*(volatile uint16_t *)reg = (uint16_t)value;
	} else if (reg) {
		*(volatile uint8_t *)reg = (uint8_t)value;
	} else if (offset < LEGACY_CONFIG_SIZE) {
		io_out32(CONFIG_ADDRESS,
			 CONFIG_ENABLE | (uint32_t)bdf << 8 | (offset & 0xfcu));
		old = io_in32(CONFIG_DATA);
		io_out32(CONFIG_DATA,
			 (old & ~(mask << shift)) | (value & mask) << shift);
	}
}

/* The @nth function whose register @offset, less its low @shift bits, is so. */
static bool find_by(uint16_t offset, unsigned int shift, uint32_t want,
		    unsigned int nth, uint16_t *bdf)
{
	uint32_t last = (uint32_t)ecam.last_bus << 8 | 0xff;

	for (uint32_t i = (uint32_t)ecam.first_bus << 8; i <= last; i++) {
		uint16_t at = (uint16_t)i;
		bool here = pci_read(at, PCI_VENDOR, 4) != ~0u;

		if (here && pci_read(at, offset, 4) >> shift == want &&
		    nth-- == 0) {
			*bdf = at;
			return true;
		}
		/* Function 0 says whether the slot has others. */
		if (!(i & 7) && (!here || !(pci_read(at, PCI_HEADER_TYPE, 1) &
					    PCI_HEADER_MULTI)))
			i += 7;
	}
	return false;
}

bool pci_find(uint16_t vendor, uint16_t device, unsigned int nth, uint16_t *bdf)
{
	return find_by(PCI_VENDOR, 0, (uint32_t)device << 16 | vendor, nth,
		       bdf);
}

bool pci_find_class(uint32_t class_code, unsigned int nth, uint16_t *bdf)
{
	return find_by(PCI_CLASS, 8, class_code, nth, bdf);
}

void pci_enable(uint16_t bdf)
{
	uint32_t cmd = pci_read(bdf, PCI_COMMAND, 2);

	pci_write(bdf, PCI_COMMAND, 2,
		  cmd | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void pci_disable(uint16_t bdf)
{
	uint32_t cmd = pci_read(bdf, PCI_COMMAND, 2);

	pci_write(bdf, PCI_COMMAND, 2, cmd & ~PCI_COMMAND_MASTER);
}

void *pci_map_bar(uint16_t bdf, unsigned int bar, size_t size)
{
	uint16_t reg = (uint16_t)(PCI_BAR0 + 4 * bar);
	uint32_t lo = pci_read(bdf, reg, 4);
	uint64_t base = lo & ~0xfu;

	if (lo & PCI_BAR_64)
		base |= (uint64_t)pci_read(bdf, (uint16_t)(reg + 4), 4) << 32;
	if (!base || (lo & 1))
		return NULL;
	return paging_map_device(base, size);
}
