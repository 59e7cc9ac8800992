// SPDX-License-Identifier: MIT
/*
 * Records: where one ends, what its type makes of its bytes, and the checks
 * common to all types.
 *
 * Specification: chapter "BIOS Considerations", from "Remapping Structure
 * Types" on.
 */
#include <uiommu/dmar.h>

#include "acpi/dmar_reader.h"

/* Offsets in a record; those not given are the same for all that have one. */
#define DMAR_AT_TYPE 0u
#define DMAR_AT_LENGTH 2u
#define DMAR_AT_FLAGS 4u
#define DMAR_AT_SEGMENT 6u
#define DRHD_AT_SIZE 5u
#define DRHD_AT_BASE 8u
#define RMRR_AT_BASE 8u
#define RMRR_AT_LIMIT 16u
#define RHSA_AT_BASE 8u
#define RHSA_AT_DOMAIN 16u
#define ANDD_AT_NUMBER 7u
#define ANDD_AT_NAME 8u

typedef void dmar_decode_fn(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record);
typedef void dmar_check_fn(struct uiommu_dmar_reader *reader,
			   struct uiommu_dmar_record *record);

struct dmar_kind {
	uint8_t min_length;
	uint8_t scopes;		/* offset of the scopes; 0: has none */
	bool flags;		/* has a byte of flags... */
	uint8_t known_flags;	/* ...of which these mean something */
	uint8_t reserved;	/* offset of what must be 0... */
	uint8_t reserved_size;	/* ...and its bytes; 0: nothing */
	dmar_decode_fn *decode; /* fields of this type alone; or NULL */
	dmar_check_fn *check;	/* or NULL */
};

static void dmar_decode_drhd(struct uiommu_dmar_reader *reader,
			     struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint8_t size = dmar_get8(dmar, record->offset + DRHD_AT_SIZE);

	record->range.first = uiommu_dmar_get(dmar,
					      record->offset + DRHD_AT_BASE, 8);
	/* May wrap; the check finds out. */
	record->range.last = record->range.first +
			     (UIOMMU_PAGE_SIZE << (size & 0xf)) - 1;
}

static void dmar_decode_rmrr(struct uiommu_dmar_reader *reader,
			     struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;

	record->range.first = uiommu_dmar_get(dmar,
					      record->offset + RMRR_AT_BASE, 8);
	record->range.last = uiommu_dmar_get(dmar,
					     record->offset + RMRR_AT_LIMIT, 8);
}

static void dmar_decode_rhsa(struct uiommu_dmar_reader *reader,
			     struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;

	record->base = uiommu_dmar_get(dmar, record->offset + RHSA_AT_BASE, 8);
	record->proximity_domain = (uint32_t)uiommu_dmar_get(
		dmar, record->offset + RHSA_AT_DOMAIN, 4);
}

/* Without a NUL in the record the name's length is the whole rest. */
static void dmar_decode_andd(struct uiommu_dmar_reader *reader,
			     struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t end = record->offset + record->length;
	uint32_t at = record->offset + ANDD_AT_NAME;

	record->device_number = dmar_get8(dmar,
					  record->offset + ANDD_AT_NUMBER);
	record->name_offset = at;
	while (at < end && dmar_get8(dmar, at))
		at++;
	record->name_length = at - record->name_offset;
	dmar_number_add(&reader->declared, record->device_number);
}

/* clang-format off */
static const struct dmar_kind dmar_kinds[] = {
	[UIOMMU_DMAR_DRHD] = {
		.min_length = 16, .scopes = 16,
		.flags = true, .known_flags = UIOMMU_DRHD_INCLUDE_PCI_ALL,
		.decode = dmar_decode_drhd, .check = uiommu_dmar_check_drhd,
	},
	[UIOMMU_DMAR_RMRR] = {
		.min_length = 24, .scopes = 24,
		.reserved = 4, .reserved_size = 2,
		.decode = dmar_decode_rmrr, .check = uiommu_dmar_check_rmrr,
	},
	[UIOMMU_DMAR_ATSR] = {
		.min_length = 8, .scopes = 8,
		.flags = true, .known_flags = UIOMMU_ATSR_ALL_PORTS,
		.reserved = 5, .reserved_size = 1,
	},
	[UIOMMU_DMAR_RHSA] = {
		.min_length = 20,
		.reserved = 4, .reserved_size = 4,
		.decode = dmar_decode_rhsa, .check = uiommu_dmar_check_rhsa,
	},
	[UIOMMU_DMAR_ANDD] = {
		.min_length = 9, /* a name of no letter has its NUL */
		.reserved = 4, .reserved_size = 3,
		.decode = dmar_decode_andd, .check = uiommu_dmar_check_andd,
	},
	[UIOMMU_DMAR_SATC] = {
		.min_length = 8, .scopes = 8,
		.flags = true, .known_flags = UIOMMU_SATC_ATC_REQUIRED,
		.reserved = 5, .reserved_size = 1,
	},
	[UIOMMU_DMAR_SIDP] = {
		.min_length = 8, .scopes = 8,
		.reserved = 4, .reserved_size = 2,
	},
};
/* clang-format on */

static const struct dmar_kind *dmar_kind(uint16_t type)
{
	if (type >= sizeof(dmar_kinds) / sizeof(dmar_kinds[0]))
		return NULL;
	return &dmar_kinds[type];
}

uint64_t uiommu_dmar_get(const struct uiommu_dmar *dmar, uint32_t offset,
			 unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | dmar->table[offset + bytes];
	return value;
}

uint32_t uiommu_dmar_record_length(const struct uiommu_dmar *dmar,
				   uint32_t offset)
{
	uint32_t left = dmar->size - offset;
	uint32_t length;

	if (left < DMAR_RECORD_HEADER_SIZE)
		return 0;
	length = dmar_get16(dmar, offset + DMAR_AT_LENGTH);
	if (length < DMAR_RECORD_HEADER_SIZE || length > left)
		return 0;
	return length;
}

uint32_t uiommu_dmar_record_scopes(const struct uiommu_dmar *dmar,
				   uint32_t offset, uint32_t length)
{
	const struct dmar_kind *kind = dmar_kind(
		dmar_get16(dmar, offset + DMAR_AT_TYPE));

	if (!kind || !kind->scopes || length < kind->min_length)
		return 0;
	return offset + kind->scopes;
}

void uiommu_dmar_record_decode(struct uiommu_dmar_reader *reader,
			       struct uiommu_dmar_record *record,
			       uint32_t offset, uint32_t length)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	const struct dmar_kind *kind;

	memset(record, 0, sizeof(*record));
	record->offset = offset;
	record->length = length;
	record->type = dmar_get16(dmar, offset + DMAR_AT_TYPE);

	kind = dmar_kind(record->type);
	if (!kind || length < kind->min_length)
		return;
	record->usable = true;
	if (kind->flags)
		record->flags = dmar_get8(dmar, offset + DMAR_AT_FLAGS) &
				kind->known_flags;
	if (kind->scopes)
		record->segment = dmar_get16(dmar, offset + DMAR_AT_SEGMENT);
	if (kind->decode)
		kind->decode(reader, record);
}

static void dmar_check_reserved(struct uiommu_dmar_reader *reader,
				const struct uiommu_dmar_record *record,
				const struct dmar_kind *kind)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t at = record->offset + DMAR_AT_FLAGS;
	uint64_t value;

	if (kind->flags && dmar_get8(dmar, at) & ~kind->known_flags)
		uiommu_dmar_found(reader, DMAR_RECORD_FLAGS, at,
				  dmar_get8(dmar, at) & ~kind->known_flags, 0);

	at = record->offset + kind->reserved;
	value = uiommu_dmar_get(dmar, at, kind->reserved_size);
	if (value)
		uiommu_dmar_found(reader, DMAR_RECORD_RESERVED, at, value, 0);
}

/*
 * A repeated record of devices says nothing new. Units and regions are
 * compared by what they cover instead, the others by what they are about.
 */
static void dmar_check_repeated(struct uiommu_dmar_reader *reader,
				struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	const struct uiommu_dmar_record *other;

	if (record->type != UIOMMU_DMAR_ATSR &&
	    record->type != UIOMMU_DMAR_SATC &&
	    record->type != UIOMMU_DMAR_SIDP)
		return;
	for (other = dmar->records; other < record; other++) {
		if (other->type != record->type || !other->usable ||
		    other->length != record->length ||
		    memcmp(dmar->table + other->offset,
			   dmar->table + record->offset, record->length) != 0)
			continue;
		record->usable = false;
		uiommu_dmar_found(reader, DMAR_RECORD_REPEATED, record->offset,
				  other->offset, 0);
		return;
	}
}

static void dmar_check_segment(struct uiommu_dmar_reader *reader,
			       const struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t i;

	for (i = 0; i < dmar->record_count; i++)
		if (dmar->records[i].type == UIOMMU_DMAR_DRHD &&
		    dmar->records[i].segment == record->segment)
			return;
	uiommu_dmar_found(reader, DMAR_RECORD_SEGMENT,
			  record->offset + DMAR_AT_SEGMENT, record->segment, 0);
}

/* After its scopes: whether anything is left that the record is about. */
static void dmar_check_names(struct uiommu_dmar_reader *reader,
			     struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar_scope *scope =
		&reader->dmar.scopes[record->scope_first];
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; i < record->scope_count; i++)
		count += scope[i].usable ? 1 : 0;

	if (record->type == UIOMMU_DMAR_ATSR &&
	    (record->flags & UIOMMU_ATSR_ALL_PORTS)) {
		if (count)
			uiommu_dmar_found(reader, DMAR_ATSR_SCOPES,
					  record->offset + DMAR_AT_FLAGS, count,
					  0);
	} else if (record->type != UIOMMU_DMAR_DRHD) {
		if (!count)
			uiommu_dmar_found(reader, DMAR_RECORD_NO_SCOPE,
					  record->offset, 0, 0);
	} else if (!count && !(record->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL)) {
		/* Usable: what its registers protect has to be opened. */
		uiommu_dmar_found(reader, DMAR_DRHD_NO_SCOPE, record->offset, 0,
				  0);
	}
}

void uiommu_dmar_record_check(struct uiommu_dmar_reader *reader,
			      struct uiommu_dmar_record *record)
{
	const struct dmar_kind *kind = dmar_kind(record->type);

	if (!kind) {
		uiommu_dmar_found(reader, DMAR_RECORD_UNKNOWN, record->offset,
				  record->type, 0);
		return;
	}
	if (record->length < kind->min_length) {
		uiommu_dmar_found(reader, DMAR_RECORD_SHORT, record->offset,
				  record->length, kind->min_length);
		return;
	}

	dmar_check_reserved(reader, record, kind);
	dmar_check_repeated(reader, record);
	if (kind->check)
		kind->check(reader, record);
	if (!kind->scopes)
		return;
	if (record->usable)
		dmar_check_segment(reader, record);
	uiommu_dmar_scope_check(reader, record, record->offset + kind->scopes);
	if (record->usable)
		dmar_check_names(reader, record);
}
