// SPDX-License-Identifier: MIT
/* Finds ACPI tables by signature; one of them may be replaced. */
#include "bare.h"

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum2;
	uint8_t reserved[3];
} __attribute__((packed));

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char oem_table[8];
	uint32_t oem_revision;
	uint32_t creator;
	uint32_t creator_revision;
} __attribute__((packed));

static const struct acpi_header *replacement;
static size_t replacement_size;

static bool checksum_ok(const void *table, size_t size)
{
	const uint8_t *p = table;
	uint8_t sum = 0;

	while (size--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

void acpi_replace(const void *table, size_t size)
{
	if (size < sizeof(*replacement))
		return;
	replacement = table;
	replacement_size = size;
}

/* The @n-th table's address from the XSDT, or from the older RSDT. */
static uint64_t table_entry(const struct acpi_header *root, bool wide,
			    uint32_t n)
{
	const char *entries = (const char *)(root + 1);
	uint64_t paddr = 0;

	memcpy(&paddr, entries + (size_t)n * (wide ? 8 : 4), wide ? 8 : 4);
	return paddr;
}

const void *acpi_find(const char *signature, size_t *size)
{
	const struct acpi_rsdp *rsdp = phys_to_virt(boot_info.rsdp);
	const struct acpi_header *root;
	bool wide;

	if (replacement && str_equal(replacement->signature, signature, 4)) {
		*size = replacement_size;
		return replacement;
	}
	if (!boot_info.rsdp || !str_equal(rsdp->signature, "RSD PTR ", 8))
		return NULL;
	wide = rsdp->revision >= 2 && rsdp->xsdt;
	root = phys_to_virt(wide ? rsdp->xsdt : rsdp->rsdt);
	if (root->length < sizeof(*root) || !checksum_ok(root, root->length))
		return NULL;
	for (uint32_t i = 0;
	     i < (root->length - sizeof(*root)) / (wide ? 8 : 4); i++) {
		const struct acpi_header *t;

		t = phys_to_virt(table_entry(root, wide, i));
		if (!str_equal(t->signature, signature, 4))
			continue;
		if (t->length < sizeof(*t) || !checksum_ok(t, t->length))
			return NULL;
		*size = t->length;
		return t;
	}
	return NULL;
}
