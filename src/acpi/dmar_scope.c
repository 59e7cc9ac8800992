// SPDX-License-Identifier: MIT
/*
 * Device scopes: the entries by which a record names devices.
 *
 * Specification: "Device Scope Structure".
 */
#include <uiommu/dmar.h>

#include "acpi/dmar_reader.h"

#define SCOPE_AT_TYPE 0u
#define SCOPE_AT_LENGTH 1u
#define SCOPE_AT_FLAGS 2u
#define SCOPE_AT_RESERVED 3u
#define SCOPE_AT_ENUMERATION_ID 4u
#define SCOPE_AT_START_BUS 5u
#define SCOPE_HOP_SIZE 2u

#define SIDP_KNOWN_FLAGS 0x1fu
#define PCI_DEVICE_MAX 31u
#define PCI_FUNCTION_MAX 7u

/* PCI devices are named by their path alone, the others by a number too. */
static bool dmar_scope_is_pci(const struct uiommu_dmar_scope *scope)
{
	return scope->type == UIOMMU_SCOPE_ENDPOINT ||
	       scope->type == UIOMMU_SCOPE_BRIDGE;
}

uint32_t uiommu_dmar_scope_length(const struct uiommu_dmar *dmar,
				  uint32_t offset, uint32_t end)
{
	uint32_t length;

	if (end - offset < DMAR_SCOPE_HEADER_SIZE)
		return 0;
	length = dmar_get8(dmar, offset + SCOPE_AT_LENGTH);
	if (length < DMAR_SCOPE_HEADER_SIZE || length > end - offset)
		return 0;
	return length;
}

uint32_t uiommu_dmar_scope_count(const struct uiommu_dmar *dmar,
				 uint32_t offset, uint32_t end)
{
	uint32_t count = 0;
	uint32_t length;

	for (;;) {
		length = uiommu_dmar_scope_length(dmar, offset, end);
		if (!length)
			return count;
		offset += length;
		count++;
	}
}

void uiommu_dmar_scope_decode(struct uiommu_dmar_reader *reader,
			      struct uiommu_dmar_record *record,
			      uint32_t offset)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t end = record->offset + record->length;
	struct uiommu_dmar_scope *scope;
	uint32_t length;

	record->scope_first = dmar->scope_count;
	for (;; offset += length) {
		length = uiommu_dmar_scope_length(dmar, offset, end);
		if (!length)
			break;
		scope = &dmar->scopes[dmar->scope_count++];
		scope->offset = offset;
		scope->record = (uint32_t)(record - dmar->records);
		scope->path_offset = offset + DMAR_SCOPE_HEADER_SIZE;
		scope->path_count = (uint8_t)((length -
					       DMAR_SCOPE_HEADER_SIZE) /
					      SCOPE_HOP_SIZE);
		scope->type = dmar_get8(dmar, offset + SCOPE_AT_TYPE);
		scope->flags = 0;
		if (record->type == UIOMMU_DMAR_SIDP)
			scope->flags = dmar_get8(dmar,
						 offset + SCOPE_AT_FLAGS) &
				       SIDP_KNOWN_FLAGS;
		scope->enumeration_id = dmar_get8(
			dmar, offset + SCOPE_AT_ENUMERATION_ID);
		scope->start_bus = dmar_get8(dmar, offset + SCOPE_AT_START_BUS);
		scope->usable = true;
		if (scope->type == UIOMMU_SCOPE_NAMESPACE)
			dmar_number_add(&reader->named, scope->enumeration_id);
	}
	record->scope_count = dmar->scope_count - record->scope_first;
}

static void dmar_scope_refuse(struct uiommu_dmar_reader *reader,
			      struct uiommu_dmar_scope *scope,
			      enum uiommu_dmar_finding_id id, uint64_t value0,
			      uint64_t value1)
{
	scope->usable = false;
	uiommu_dmar_found(reader, id, scope->offset, value0, value1);
}

static void dmar_scope_reserved(struct uiommu_dmar_reader *reader,
				const struct uiommu_dmar_scope *scope)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t at = scope->offset + SCOPE_AT_FLAGS;
	uint8_t value = dmar_get8(dmar, at) ^ scope->flags;

	if (value)
		uiommu_dmar_found(reader, DMAR_SCOPE_FLAGS, at, value, 0);

	at = scope->offset + SCOPE_AT_RESERVED;
	value = dmar_get8(dmar, at);
	if (value)
		uiommu_dmar_found(reader, DMAR_SCOPE_RESERVED, at, value, 0);

	at = scope->offset + SCOPE_AT_ENUMERATION_ID;
	if (dmar_scope_is_pci(scope) && scope->enumeration_id)
		uiommu_dmar_found(reader, DMAR_SCOPE_RESERVED, at,
				  scope->enumeration_id, 0);
}

static void dmar_scope_type(struct uiommu_dmar_reader *reader,
			    const struct uiommu_dmar_record *record,
			    struct uiommu_dmar_scope *scope)
{
	switch (scope->type) {
	case UIOMMU_SCOPE_ENDPOINT:
	case UIOMMU_SCOPE_BRIDGE:
		break;
	case UIOMMU_SCOPE_IOAPIC:
	case UIOMMU_SCOPE_HPET:
		/* They send interrupts only: nothing but a unit has to do. */
		if (record->type != UIOMMU_DMAR_DRHD)
			dmar_scope_refuse(reader, scope, DMAR_SCOPE_UNFIT,
					  scope->type, record->type);
		break;
	case UIOMMU_SCOPE_NAMESPACE:
		if (!dmar_number_in(&reader->declared, scope->enumeration_id))
			dmar_scope_refuse(reader, scope, DMAR_SCOPE_NO_ANDD,
					  scope->enumeration_id, 0);
		break;
	default:
		dmar_scope_refuse(reader, scope, DMAR_SCOPE_TYPE, scope->type,
				  0);
	}
}

static void dmar_scope_path(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_scope *scope)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint8_t length = dmar_get8(dmar, scope->offset + SCOPE_AT_LENGTH);
	uint32_t at = scope->path_offset;
	unsigned int hop;

	if (!scope->path_count) {
		dmar_scope_refuse(reader, scope, DMAR_SCOPE_NO_PATH, length, 0);
		return;
	}
	if (length % SCOPE_HOP_SIZE) {
		dmar_scope_refuse(reader, scope, DMAR_SCOPE_ODD, length, 0);
		return;
	}
	/* For these the path is no path but the low byte of a source id. */
	if ((scope->type == UIOMMU_SCOPE_HPET ||
	     scope->type == UIOMMU_SCOPE_NAMESPACE) &&
	    scope->path_count != 1) {
		dmar_scope_refuse(reader, scope, DMAR_SCOPE_HOPS,
				  scope->path_count, 0);
		return;
	}
	for (hop = 0; hop < scope->path_count; hop++, at += SCOPE_HOP_SIZE) {
		uint8_t device = dmar_get8(dmar, at);
		uint8_t function = dmar_get8(dmar, at + 1);

		if (device <= PCI_DEVICE_MAX && function <= PCI_FUNCTION_MAX)
			continue;
		dmar_scope_refuse(reader, scope, DMAR_SCOPE_NUMBER, device,
				  function);
		return;
	}
}

static bool dmar_scope_same(const struct uiommu_dmar *dmar,
			    const struct uiommu_dmar_scope *a,
			    const struct uiommu_dmar_scope *b)
{
	return a->type == b->type && a->start_bus == b->start_bus &&
	       a->path_count == b->path_count &&
	       (dmar_scope_is_pci(a) ||
		a->enumeration_id == b->enumeration_id) &&
	       memcmp(dmar->table + a->path_offset,
		      dmar->table + b->path_offset,
		      (size_t)a->path_count * SCOPE_HOP_SIZE) == 0;
}

/* A unit may not name what another one has named; any record only once. */
static void dmar_scope_others(struct uiommu_dmar_reader *reader,
			      const struct uiommu_dmar_record *record,
			      struct uiommu_dmar_scope *scope)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	bool unit = record->type == UIOMMU_DMAR_DRHD && record->usable;
	const struct uiommu_dmar_scope *other =
		&dmar->scopes[unit ? 0 : record->scope_first];

	for (; other < scope; other++) {
		const struct uiommu_dmar_record *owner =
			&dmar->records[other->record];

		if (!other->usable || !dmar_scope_same(dmar, other, scope))
			continue;
		if (owner == record) {
			dmar_scope_refuse(reader, scope, DMAR_SCOPE_REPEATED,
					  other->offset, 0);
			return;
		}
		if (owner->type == UIOMMU_DMAR_DRHD && owner->usable &&
		    owner->segment == record->segment) {
			dmar_scope_refuse(reader, scope, DMAR_SCOPE_CLAIMED,
					  other->offset, 0);
			return;
		}
	}
}

/* Why the walk ended at @offset. */
static void dmar_scope_end(struct uiommu_dmar_reader *reader,
			   const struct uiommu_dmar_record *record,
			   uint32_t offset)
{
	uint32_t left = record->offset + record->length - offset;
	uint32_t length;

	if (!left)
		return;
	if (left < DMAR_SCOPE_HEADER_SIZE) {
		uiommu_dmar_found(reader, DMAR_SCOPE_TRAILING, offset, left, 0);
		return;
	}
	length = dmar_get8(&reader->dmar, offset + SCOPE_AT_LENGTH);
	if (length < DMAR_SCOPE_HEADER_SIZE)
		uiommu_dmar_found(reader, DMAR_SCOPE_LENGTH_SMALL, offset,
				  length, DMAR_SCOPE_HEADER_SIZE);
	else
		uiommu_dmar_found(reader, DMAR_SCOPE_PAST_END, offset, length,
				  left);
}

void uiommu_dmar_scope_check(struct uiommu_dmar_reader *reader,
			     const struct uiommu_dmar_record *record,
			     uint32_t offset)
{
	const struct uiommu_dmar *dmar = &reader->dmar;
	uint32_t i;

	for (i = 0; i < record->scope_count; i++) {
		struct uiommu_dmar_scope *scope =
			&dmar->scopes[record->scope_first + i];

		dmar_scope_reserved(reader, scope);
		dmar_scope_type(reader, record, scope);
		if (scope->usable)
			dmar_scope_path(reader, scope);
		if (scope->usable)
			dmar_scope_others(reader, record, scope);
		offset += dmar_get8(dmar, scope->offset + SCOPE_AT_LENGTH);
	}
	dmar_scope_end(reader, record, offset);
}

int uiommu_dmar_path(const struct uiommu_dmar *dmar,
		     const struct uiommu_dmar_scope *scope, unsigned int hop,
		     uint8_t *device, uint8_t *function)
{
	uint32_t at;

	if (hop >= scope->path_count)
		return UIOMMU_EINVAL;
	at = scope->path_offset + hop * SCOPE_HOP_SIZE;
	*device = dmar_get8(dmar, at);
	*function = dmar_get8(dmar, at + 1);
	return UIOMMU_OK;
}
