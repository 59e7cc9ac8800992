// SPDX-License-Identifier: MIT
/*
 * The DMAR reader: header, memory, and the walk from record to record.
 *
 * Specification: "DMA Remapping Reporting Structure".
 */
#include <uiommu/dmar.h>

#include "acpi/dmar_reader.h"

/*
 * Memory for every byte of the table: this is enough because what stands in
 * the table costs at most, with f findings of 32 bytes each,
 *	record of 4 bytes or more, short or unknown	 64 + 1 * 32	24 a byte
 *	ATSR, SATC, SIDP of 8				 64 + 5 * 32	28
 *	ANDD of 9					 64 + 4 * 32	22
 *	DRHD of 16					 64 + 8 * 32	20
 *	RHSA of 20, RMRR of 24				 64 + 6 * 32	13
 *	scope of 6					 20 + 5 * 32	30
 *	a byte or more left over, of record or table	      1 * 32	32
 * and the header's 48 pay for its own nine findings and for alignment. A table
 * cut down to less than its header has one finding, and is paid as a header.
 */
#define DMAR_MEMORY_PER_BYTE 32u

UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_dmar_record) <= 64);
UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_dmar_scope) <= 20);
UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_dmar_finding) <= 32);

#define DMAR_AT_LENGTH 4u
#define DMAR_AT_REVISION 8u
#define DMAR_AT_CHECKSUM 9u
#define DMAR_AT_OEM_ID 10u
#define DMAR_AT_OEM_TABLE_ID 16u
#define DMAR_AT_WIDTH 36u /* bits of addresses, less 1 */
#define DMAR_AT_FLAGS 37u
#define DMAR_AT_RESERVED 38u

#define DMAR_SIGNATURE 0x52414d44u /* "DMAR" */
#define DMAR_REVISION_MAX 2u
#define DMAR_WIDTH_MIN 12u
#define DMAR_WIDTH_MAX 52u /* no page table and no x86 CPU goes beyond */
#define DMAR_KNOWN_FLAGS                                       \
	(UIOMMU_DMAR_INTR_REMAP | UIOMMU_DMAR_X2APIC_OPT_OUT | \
	 UIOMMU_DMAR_PLATFORM_OPT_IN)

size_t uiommu_dmar_memory(size_t size)
{
	if (size > UIOMMU_DMAR_SIZE_MAX)
		return 0;
	if (size < DMAR_HEADER_SIZE)
		size = DMAR_HEADER_SIZE;
	return size * DMAR_MEMORY_PER_BYTE;
}

static int dmar_no_table(struct uiommu_dmar_reader *reader,
			 enum uiommu_dmar_finding_id id, uint32_t offset,
			 uint64_t value0, uint64_t value1)
{
	uiommu_dmar_found(reader, id, offset, value0, value1);
	return UIOMMU_EBADTABLE;
}

static bool dmar_all_ones(const struct uiommu_dmar *dmar)
{
	uint32_t i;

	for (i = 0; i < DMAR_HEADER_SIZE; i++)
		if (dmar->table[i] != 0xff)
			return false;
	return true;
}

static uint8_t dmar_sum(const struct uiommu_dmar *dmar)
{
	uint8_t sum = 0;
	uint32_t i;

	for (i = 0; i < dmar->size; i++)
		sum = (uint8_t)(sum + dmar->table[i]);
	return sum;
}

/* Whether there is a table at all. */
static int dmar_check_table(struct uiommu_dmar_reader *reader, size_t given)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t signature;

	if (given < DMAR_HEADER_SIZE)
		return dmar_no_table(reader, DMAR_TABLE_SHORT, 0, given,
				     DMAR_HEADER_SIZE);
	if (dmar_all_ones(dmar))
		return dmar_no_table(reader, DMAR_TABLE_ALL_ONES, 0, 0, 0);
	signature = (uint32_t)uiommu_dmar_get(dmar, 0, 4);
	if (signature != DMAR_SIGNATURE)
		return dmar_no_table(reader, DMAR_TABLE_SIGNATURE, 0, signature,
				     0);

	dmar->size = (uint32_t)uiommu_dmar_get(dmar, DMAR_AT_LENGTH, 4);
	if (dmar->size < DMAR_HEADER_SIZE)
		return dmar_no_table(reader, DMAR_TABLE_LENGTH_SMALL,
				     DMAR_AT_LENGTH, dmar->size,
				     DMAR_HEADER_SIZE);
	if (dmar->size > given)
		return dmar_no_table(reader, DMAR_TABLE_LENGTH_LARGE,
				     DMAR_AT_LENGTH, dmar->size, given);
	if (dmar_sum(dmar))
		return dmar_no_table(reader, DMAR_TABLE_CHECKSUM,
				     DMAR_AT_CHECKSUM, dmar_sum(dmar), 0);
	return UIOMMU_OK;
}

static int dmar_read_width(struct uiommu_dmar_reader *reader)
{
	unsigned int width = dmar_get8(&reader->dmar, DMAR_AT_WIDTH) + 1u;

	if (width < DMAR_WIDTH_MIN)
		return dmar_no_table(reader, DMAR_TABLE_WIDTH_SMALL,
				     DMAR_AT_WIDTH, width, 0);
	if (width > DMAR_WIDTH_MAX) {
		uiommu_dmar_found(reader, DMAR_TABLE_WIDTH_LARGE, DMAR_AT_WIDTH,
				  width, DMAR_WIDTH_MAX);
		width = DMAR_WIDTH_MAX;
	}
	reader->dmar.address_width = (uint8_t)width;
	return UIOMMU_OK;
}

/* An id of the header, made fit for a log. */
static void dmar_read_id(const struct uiommu_dmar *dmar, uint32_t offset,
			 char *id, uint32_t size)
{
	uint32_t i;

	for (i = 0; i + 1 < size && dmar->table[offset + i]; i++) {
		uint8_t byte = dmar->table[offset + i];

		id[i] = '?';
		if (byte >= 0x20 && byte < 0x7f)
			id[i] = (char)byte;
	}
	id[i] = '\0';
}

static void dmar_read_flags(struct uiommu_dmar_reader *reader)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	uint8_t flags = dmar_get8(dmar, DMAR_AT_FLAGS);

	dmar->flags = flags & DMAR_KNOWN_FLAGS;
	if (flags != dmar->flags)
		uiommu_dmar_found(reader, DMAR_TABLE_FLAGS, DMAR_AT_FLAGS,
				  flags ^ dmar->flags, 0);
	if ((flags & UIOMMU_DMAR_X2APIC_OPT_OUT) &&
	    !(flags & UIOMMU_DMAR_INTR_REMAP))
		uiommu_dmar_found(reader, DMAR_TABLE_X2APIC, DMAR_AT_FLAGS, 0,
				  0);
}

static int dmar_read_header(struct uiommu_dmar_reader *reader)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t nonzero = 0;
	uint32_t i;
	int err;

	err = dmar_read_width(reader);
	if (err)
		return err;

	dmar->revision = dmar_get8(dmar, DMAR_AT_REVISION);
	if (!dmar->revision || dmar->revision > DMAR_REVISION_MAX)
		uiommu_dmar_found(reader, DMAR_TABLE_REVISION, DMAR_AT_REVISION,
				  dmar->revision, 0);
	dmar_read_flags(reader);
	dmar_read_id(dmar, DMAR_AT_OEM_ID, dmar->oem_id, sizeof(dmar->oem_id));
	dmar_read_id(dmar, DMAR_AT_OEM_TABLE_ID, dmar->oem_table_id,
		     sizeof(dmar->oem_table_id));

	for (i = DMAR_AT_RESERVED; i < DMAR_HEADER_SIZE; i++)
		nonzero += dmar->table[i] ? 1 : 0;
	if (nonzero)
		uiommu_dmar_found(reader, DMAR_TABLE_RESERVED, DMAR_AT_RESERVED,
				  nonzero, 0);
	return UIOMMU_OK;
}

/*
 * Divides the memory: records, scopes, and all the rest for findings. The
 * header's are few and stand at its begin until the numbers are known.
 */
static void dmar_divide(struct uiommu_dmar_reader *reader, void *memory,
			size_t memory_size)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t records = 0, scopes = 0;
	uint32_t offset = DMAR_HEADER_SIZE;
	uint32_t length, first;
	uint8_t *start = memory;
	size_t used;

	for (;; offset += length) {
		length = uiommu_dmar_record_length(dmar, offset);
		if (!length)
			break;
		records++;
		first = uiommu_dmar_record_scopes(dmar, offset, length);
		if (first)
			scopes += uiommu_dmar_scope_count(dmar, first,
							  offset + length);
	}

	used = records * sizeof(*dmar->records);
	dmar->scopes = (struct uiommu_dmar_scope *)(void *)(start + used);
	used += scopes * sizeof(*dmar->scopes);
	used = (used + 7) & ~(size_t)7;
	memmove(start + used, dmar->findings,
		dmar->finding_count * sizeof(*dmar->findings));
	dmar->findings = (struct uiommu_dmar_finding *)(void *)(start + used);
	reader->finding_max = (uint32_t)((memory_size - used) /
					 sizeof(*dmar->findings));
	dmar->records = memory;
}

/* First pass. Returns where the last record ends. */
static uint32_t dmar_decode(struct uiommu_dmar_reader *reader)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t offset = DMAR_HEADER_SIZE;
	struct uiommu_dmar_record *record;
	uint32_t length, first;

	for (;; offset += length) {
		length = uiommu_dmar_record_length(dmar, offset);
		if (!length)
			return offset;
		record = &dmar->records[dmar->record_count++];
		uiommu_dmar_record_decode(reader, record, offset, length);
		first = uiommu_dmar_record_scopes(dmar, offset, length);
		if (first)
			uiommu_dmar_scope_decode(reader, record, first);
	}
}

/* Why the walk ended at @offset. */
static void dmar_check_end(struct uiommu_dmar_reader *reader, uint32_t offset)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t left = dmar->size - offset;
	uint32_t type, length;

	if (!left)
		return;
	if (left < DMAR_RECORD_HEADER_SIZE) {
		uiommu_dmar_found(reader, DMAR_TABLE_TRAILING, offset, left, 0);
		return;
	}
	type = dmar_get16(dmar, offset);
	length = dmar_get16(dmar, offset + 2);
	if (length < DMAR_RECORD_HEADER_SIZE)
		uiommu_dmar_found(reader, DMAR_RECORD_LENGTH_SMALL, offset,
				  type, length);
	else
		uiommu_dmar_found(reader, DMAR_RECORD_PAST_END, offset, length,
				  left);
}

/* Second pass. */
static void dmar_check(struct uiommu_dmar_reader *reader, uint32_t end)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	bool unit = false;
	uint32_t i;

	for (i = 0; i < dmar->record_count; i++) {
		reader->record = i;
		uiommu_dmar_record_check(reader, &dmar->records[i]);
		unit |= dmar->records[i].usable &&
			dmar->records[i].type == UIOMMU_DMAR_DRHD;
	}
	reader->record = UIOMMU_DMAR_NONE;
	dmar_check_end(reader, end);
	if (!unit)
		uiommu_dmar_found(reader, DMAR_TABLE_NO_UNIT, dmar->size, 0, 0);
}

/* Leaves nothing but the findings. */
static void dmar_forget(struct uiommu_dmar *dmar)
{
	struct uiommu_dmar_finding *findings = dmar->findings;
	uint32_t count = dmar->finding_count;

	memset(dmar, 0, sizeof(*dmar));
	dmar->findings = findings;
	dmar->finding_count = count;
}

int uiommu_dmar_read(const void *table, size_t size, void *memory,
		     size_t memory_size, struct uiommu_dmar *dmar)
{
	struct uiommu_dmar_reader reader;
	int err;

	if (!table || !memory || !dmar || (uintptr_t)memory % 8 ||
	    size > UIOMMU_DMAR_SIZE_MAX ||
	    memory_size < uiommu_dmar_memory(size))
		return UIOMMU_EINVAL;

	memset(&reader, 0, sizeof(reader));
	reader.dmar.table = table;
	reader.dmar.findings = memory;
	reader.finding_max = (uint32_t)(memory_size /
					sizeof(*reader.dmar.findings));
	reader.record = UIOMMU_DMAR_NONE;

	err = dmar_check_table(&reader, size);
	if (!err)
		err = dmar_read_header(&reader);
	if (err) {
		dmar_forget(&reader.dmar);
	} else {
		dmar_divide(&reader, memory, memory_size);
		dmar_check(&reader, dmar_decode(&reader));
	}
	*dmar = reader.dmar;
	return err;
}
