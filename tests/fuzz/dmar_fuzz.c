// SPDX-License-Identifier: MIT
/*
 * Any bytes as a DMAR table: once as they are, once with signature, length and
 * checksum made right, or almost nothing would get past the header.
 *
 * fuzz-sources: tests/acpi/dmar_table.c
 * fuzz-corpus: ../shared/data/dmar
 */
#include <stdlib.h>
#include <string.h>

#include "../acpi/dmar_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_read(const uint8_t *bytes, size_t size)
{
	struct reading r;

	reading_init(&r, bytes, size);
	reading_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;

	if (size > UIOMMU_DMAR_SIZE_MAX)
		return -1;
	fuzz_read(data, size);
	if (size < TABLE_HEADER)
		return 0;

	bytes = malloc(size);
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	memcpy(bytes, "DMAR", 4);
	table_seal_bytes(bytes, size);
	fuzz_read(bytes, size);
	free(bytes);
	return 0;
}
