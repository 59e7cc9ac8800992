// SPDX-License-Identifier: MIT
/*
 * Configuration space forgets in sleep. What firmware and we wrote to it is
 * kept here: headers, and the access control that uIOMMU turned on in ports.
 * A kernel with more drivers keeps more capabilities.
 */
#include "bare.h"

#define MAX_FUNCTIONS 64u
#define HEADER_WORDS 16u

#define PCI_COMMAND 0x04
#define PCI_CACHE_LINE 0x0c
#define PCI_HEADER_TYPE 0x0e
#define PCI_HEADER_MULTI 0x80u
#define PCI_EXTENDED 0x100
#define PCI_ACS 0x000du
#define PCI_ACS_CONTROL 6
#define MAX_CAPABILITIES 64u

struct pci_function_state {
	uint16_t bdf;
	uint16_t acs_at; /* of the control register; 0: there is none */
	uint16_t acs;
	uint32_t header[HEADER_WORDS];
};

static struct pci_function_state functions[MAX_FUNCTIONS];
static unsigned int function_count;

/*
 * Where the chipset of a q35 keeps what finds all else: configuration space in
 * memory, and the ports of power management. Firmware of real machines sets
 * its chipset up again before it wakes anybody; SeaBIOS leaves this to us.
 */
static struct {
	uint16_t bdf;
	uint16_t offset;
	uint32_t value;
} chipset[] = {
	{ PCI_BDF(0, 0, 0), 0x64, 0 },	  /* PCIEXBAR, upper half, */
	{ PCI_BDF(0, 0, 0), 0x60, 0 },	  /* and lower, with its enable */
	{ PCI_BDF(0, 0x1f, 0), 0x40, 0 }, /* PMBASE */
	{ PCI_BDF(0, 0x1f, 0), 0x44, 0 }, /* ACPI_CNTL */
};

static uint16_t find_acs(uint16_t bdf)
{
	uint16_t at = PCI_EXTENDED;

	for (unsigned int i = 0; at && i < MAX_CAPABILITIES; i++) {
		uint32_t header = pci_read(bdf, at, 4);

		if (header == ~0u)
			return 0;
		if ((header & 0xffff) == PCI_ACS)
			return (uint16_t)(at + PCI_ACS_CONTROL);
		at = (uint16_t)(header >> 20 & 0xffc);
	}
	return 0;
}

static void save(uint16_t bdf)
{
	struct pci_function_state *f = &functions[function_count];

	if (function_count == MAX_FUNCTIONS)
		kernel_panic("too many PCI functions to sleep");
	function_count++;
	f->bdf = bdf;
	for (uint16_t i = 0; i < HEADER_WORDS; i++)
		f->header[i] = pci_read(bdf, (uint16_t)(4 * i), 4);
	f->acs_at = find_acs(bdf);
	if (f->acs_at)
		f->acs = (uint16_t)pci_read(bdf, f->acs_at, 2);
}

void pci_save(void)
{
	uint32_t last = (uint32_t)pci_last_bus() << 8 | 0xff;

	for (size_t i = 0; i < ARRAY_SIZE(chipset); i++)
		chipset[i].value = pci_read(chipset[i].bdf, chipset[i].offset,
					    4);
	function_count = 0;
	for (uint32_t i = 0; i <= last; i++) {
		uint16_t bdf = (uint16_t)i;
		bool here = pci_read(bdf, 0, 4) != ~0u;

		if (here)
			save(bdf);
		if (!(i & 7) && (!here || !(pci_read(bdf, PCI_HEADER_TYPE, 1) &
					    PCI_HEADER_MULTI)))
			i += 7;
	}
}

void pci_restore_chipset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(chipset); i++)
		pci_write_port(chipset[i].bdf, chipset[i].offset,
			       chipset[i].value);
}

/* The command last: it lets the function answer, and ask. */
static bool restore(const struct pci_function_state *f)
{
	bool same = pci_read(f->bdf, 0, 4) == f->header[0];

	for (uint16_t i = PCI_CACHE_LINE / 4; same && i < HEADER_WORDS; i++)
		pci_write(f->bdf, (uint16_t)(4 * i), 4, f->header[i]);
	if (!same)
		return false;
	if (f->acs_at) {
		pci_write(f->bdf, f->acs_at, 2, f->acs);
		same = pci_read(f->bdf, f->acs_at, 2) == f->acs;
	}
	pci_write(f->bdf, PCI_COMMAND, 2, f->header[1] & 0xffff);
	for (uint16_t i = 0; i < HEADER_WORDS; i++) {
		uint32_t differs = pci_read(f->bdf, (uint16_t)(4 * i), 4) ^
				   f->header[i];

		/* The upper half beside the command is no state. */
		same = same &&
		       !(i == PCI_COMMAND / 4 ? differs & 0xffff : differs);
	}
	return same;
}

bool pci_restore(uint16_t bdf)
{
	for (unsigned int i = 0; i < function_count; i++)
		if (functions[i].bdf == bdf)
			return restore(&functions[i]);
	return false;
}

unsigned int pci_restore_all(unsigned int *count)
{
	unsigned int restored = 0;

	*count = function_count;
	/* A bridge has a lower number than what is behind it. */
	for (unsigned int i = 0; i < function_count; i++)
		restored += restore(&functions[i]);
	return restored;
}
