// SPDX-License-Identifier: MIT
/* What the records of each type must be. */
#include <uiommu/dmar.h>

#include "acpi/dmar_reader.h"

#define DRHD_AT_SIZE 5u
#define DRHD_SIZE_KNOWN 0x0fu /* the register set has 2^this pages */

static bool dmar_overlap(const struct uiommu_range *a,
			 const struct uiommu_range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* The last address that a device can put on the bus. */
static uint64_t dmar_address_last(const struct uiommu_dmar *dmar)
{
	return UIOMMU_BIT64(dmar->address_width) - 1;
}

static void dmar_refuse(struct uiommu_dmar_reader *reader,
			struct uiommu_dmar_record *record,
			enum uiommu_dmar_finding_id id, uint64_t value0,
			uint64_t value1)
{
	record->usable = false;
	uiommu_dmar_found(reader, id, record->offset, value0, value1);
}

/* Whether there can be registers where the record says; if not, says so. */
static bool dmar_drhd_place(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record, uint64_t pages)
{
	uint64_t base = record->range.first;
	uint64_t last = dmar_address_last(&reader->dmar);

	if (!base)
		dmar_refuse(reader, record, DMAR_DRHD_BASE_ZERO, 0, 0);
	else if (base == ~(uint64_t)0)
		dmar_refuse(reader, record, DMAR_DRHD_BASE_ONES, 0, 0);
	else if (base & UIOMMU_PAGE_MASK)
		dmar_refuse(reader, record, DMAR_DRHD_BASE_UNALIGNED, base, 0);
	else if (record->range.last < base)
		dmar_refuse(reader, record, DMAR_DRHD_WRAPS, pages, base);
	if (!record->usable)
		return false;

	if (base & (pages * UIOMMU_PAGE_SIZE - 1))
		uiommu_dmar_found(reader, DMAR_DRHD_SIZE_UNALIGNED,
				  record->offset, pages, base);
	if (record->range.last > last)
		uiommu_dmar_found(reader, DMAR_DRHD_ABOVE_WIDTH, record->offset,
				  record->range.last,
				  reader->dmar.address_width);
	return true;
}

/*
 * Two units cannot have the same registers: the second start of one would
 * undo the first. A size field too large, however, does no harm.
 */
static void dmar_drhd_others(struct uiommu_dmar_reader *reader,
			     struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar_record *overlap = NULL;
	const struct uiommu_dmar_record *other;

	for (other = reader->dmar.records; other < record; other++) {
		if (other->type != UIOMMU_DMAR_DRHD || !other->usable)
			continue;
		if (other->range.first == record->range.first) {
			dmar_refuse(reader, record, DMAR_DRHD_REPEATED,
				    record->range.first, other->offset);
			return;
		}
		if (!overlap && dmar_overlap(&other->range, &record->range))
			overlap = other;
	}
	if (overlap)
		uiommu_dmar_found(reader, DMAR_DRHD_OVERLAP, record->offset,
				  record->range.first, overlap->offset);
}

/* "...must be enumerated by BIOS after all other" of the segment, and once. */
static void dmar_drhd_catch_all(struct uiommu_dmar_reader *reader,
				struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar_record *other;

	for (other = reader->dmar.records; other < record; other++) {
		if (other->type != UIOMMU_DMAR_DRHD || !other->usable ||
		    other->segment != record->segment ||
		    !(other->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL))
			continue;
		if (record->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL)
			uiommu_dmar_found(reader, DMAR_DRHD_SECOND_ALL,
					  record->offset, record->segment,
					  other->offset);
		else
			uiommu_dmar_found(reader, DMAR_DRHD_AFTER_ALL,
					  record->offset, other->offset, 0);
		record->flags &= (uint8_t)~UIOMMU_DRHD_INCLUDE_PCI_ALL;
		return;
	}
}

void uiommu_dmar_check_drhd(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record)
{
	uint8_t size = dmar_get8(&reader->dmar, record->offset + DRHD_AT_SIZE);

	if (size & ~DRHD_SIZE_KNOWN)
		uiommu_dmar_found(reader, DMAR_DRHD_SIZE_RESERVED,
				  record->offset + DRHD_AT_SIZE,
				  size & ~DRHD_SIZE_KNOWN, 0);
	if (!dmar_drhd_place(reader, record,
			     UIOMMU_BIT64(size & DRHD_SIZE_KNOWN)))
		return;
	dmar_drhd_others(reader, record);
	if (record->usable)
		dmar_drhd_catch_all(reader, record);
}

void uiommu_dmar_check_rmrr(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	const struct uiommu_dmar_record *other;
	struct uiommu_range *range = &record->range;

	if (!range->first && !range->last)
		dmar_refuse(reader, record, DMAR_RMRR_EMPTY, 0, 0);
	else if (range->last <= range->first)
		dmar_refuse(reader, record, DMAR_RMRR_END, range->last,
			    range->first);
	else if (range->last > dmar_address_last(dmar))
		dmar_refuse(reader, record, DMAR_RMRR_ABOVE_WIDTH, range->last,
			    dmar->address_width);
	if (!record->usable)
		return;

	if (!range->first)
		uiommu_dmar_found(reader, DMAR_RMRR_BASE_ZERO, record->offset,
				  range->last, 0);
	if (range->first & UIOMMU_PAGE_MASK ||
	    ~range->last & UIOMMU_PAGE_MASK) {
		uiommu_dmar_found(reader, DMAR_RMRR_UNALIGNED, record->offset,
				  range->first, range->last);
		range->first &= ~UIOMMU_PAGE_MASK;
		range->last |= UIOMMU_PAGE_MASK;
	}
	for (other = dmar->records; other < record; other++) {
		if (other->type != UIOMMU_DMAR_RMRR || !other->usable ||
		    other->segment != record->segment ||
		    !dmar_overlap(&other->range, range))
			continue;
		uiommu_dmar_found(reader, DMAR_RMRR_OVERLAP, record->offset,
				  other->offset, 0);
		break;
	}
}

void uiommu_dmar_check_rhsa(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	const struct uiommu_dmar_record *other;
	bool known = false;
	uint32_t i;

	for (i = 0; i < dmar->record_count && !known; i++)
		known = dmar->records[i].type == UIOMMU_DMAR_DRHD &&
			dmar->records[i].range.first == record->base;
	if (!known) {
		dmar_refuse(reader, record, DMAR_RHSA_UNKNOWN, record->base, 0);
		return;
	}
	for (other = dmar->records; other < record; other++) {
		if (other->type != UIOMMU_DMAR_RHSA || !other->usable ||
		    other->base != record->base)
			continue;
		dmar_refuse(reader, record, DMAR_RHSA_SECOND, other->offset, 0);
		return;
	}
}

static void dmar_andd_name(struct uiommu_dmar_reader *reader,
			   struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t end = record->name_offset + record->name_length;
	uint32_t at;

	if (end == record->offset + record->length) {
		dmar_refuse(reader, record, DMAR_ANDD_NAME_OPEN, 0, 0);
		return;
	}
	if (!record->name_length) {
		dmar_refuse(reader, record, DMAR_ANDD_NAME_EMPTY, 0, 0);
		return;
	}
	/* Names end in logs: only what is visible may come through. */
	for (at = record->name_offset; at < end; at++) {
		uint8_t byte = dmar_get8(dmar, at);

		if (byte > 0x20 && byte < 0x7f)
			continue;
		dmar_refuse(reader, record, DMAR_ANDD_NAME_BYTE, byte, 0);
		return;
	}
}

void uiommu_dmar_check_andd(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record)
{
	const struct uiommu_dmar_record *other;

	dmar_andd_name(reader, record);
	if (!dmar_number_in(&reader->named, record->device_number))
		uiommu_dmar_found(reader, DMAR_ANDD_UNNAMED, record->offset,
				  record->device_number, 0);

	for (other = reader->dmar.records; other < record; other++) {
		if (other->type != UIOMMU_DMAR_ANDD || !other->usable ||
		    other->device_number != record->device_number)
			continue;
		dmar_refuse(reader, record, DMAR_ANDD_REPEATED,
			    record->device_number, other->offset);
		return;
	}
}
