/* SPDX-License-Identifier: MIT */
/*
 * The DMAR reader in the making: what its files share.
 *
 * Two passes over a table of sound header. The first decodes: it fills records
 * and scopes, and reads nothing that their lengths do not cover. The second
 * checks them in table order, with all of them known, and only it complains.
 */
#ifndef UIOMMU_ACPI_DMAR_READER_H
#define UIOMMU_ACPI_DMAR_READER_H

#include <uiommu/dmar.h>

#include "acpi/dmar_findings.h"

#define DMAR_HEADER_SIZE 48u
#define DMAR_RECORD_HEADER_SIZE 4u
#define DMAR_SCOPE_HEADER_SIZE 6u

/* A set of ACPI device numbers. */
struct dmar_numbers {
	uint8_t bits[32];
};

struct uiommu_dmar_reader {
	struct uiommu_dmar dmar; /* what the caller will get */
	uint32_t finding_max;
	uint32_t record; /* that is being checked, or UIOMMU_DMAR_NONE */
	struct dmar_numbers declared; /* by an ANDD record */
	struct dmar_numbers named;    /* by a scope */
};

/* The fields of the table are little-endian and not aligned. */
uint64_t uiommu_dmar_get(const struct uiommu_dmar *dmar, uint32_t offset,
			 unsigned int bytes);

static inline uint8_t dmar_get8(const struct uiommu_dmar *dmar, uint32_t offset)
{
	return dmar->table[offset];
}

static inline uint16_t dmar_get16(const struct uiommu_dmar *dmar,
				  uint32_t offset)
{
	return (uint16_t)uiommu_dmar_get(dmar, offset, 2);
}

static inline void dmar_number_add(struct dmar_numbers *set, uint32_t number)
{
	set->bits[number / 8 % 32] |= (uint8_t)(1u << number % 8);
}

static inline bool dmar_number_in(const struct dmar_numbers *set,
				  uint32_t number)
{
	return set->bits[number / 8 % 32] >> number % 8 & 1;
}

/* dmar_findings.c: @offset is of what is wrong. */
void uiommu_dmar_found(struct uiommu_dmar_reader *reader,
		       enum uiommu_dmar_finding_id id, uint32_t offset,
		       uint64_t value0, uint64_t value1);

/*
 * dmar_record.c: length of the record at @offset, or 0 if its extent cannot be
 * told or nothing is left.
 */
uint32_t uiommu_dmar_record_length(const struct uiommu_dmar *dmar,
				   uint32_t offset);
/* Offset of its scopes, or 0 if a record of this type and length has none. */
uint32_t uiommu_dmar_record_scopes(const struct uiommu_dmar *dmar,
				   uint32_t offset, uint32_t length);
/* Fills all but the scopes. */
void uiommu_dmar_record_decode(struct uiommu_dmar_reader *reader,
			       struct uiommu_dmar_record *record,
			       uint32_t offset, uint32_t length);
void uiommu_dmar_record_check(struct uiommu_dmar_reader *reader,
			      struct uiommu_dmar_record *record);

/*
 * dmar_check.c: what records of one type must be, besides what is common to
 * all. Called with the reserved fields checked, before the scopes.
 */
void uiommu_dmar_check_drhd(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record);
void uiommu_dmar_check_rmrr(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record);
void uiommu_dmar_check_rhsa(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record);
void uiommu_dmar_check_andd(struct uiommu_dmar_reader *reader,
			    struct uiommu_dmar_record *record);

/*
 * dmar_scope.c: length of the scope at @offset of a record that ends at @end,
 * or 0 if its extent cannot be told or nothing is left.
 */
uint32_t uiommu_dmar_scope_length(const struct uiommu_dmar *dmar,
				  uint32_t offset, uint32_t end);
/* Counts the scopes from @offset to @end. */
uint32_t uiommu_dmar_scope_count(const struct uiommu_dmar *dmar,
				 uint32_t offset, uint32_t end);
/* Appends them to the result, as scopes of @record. */
void uiommu_dmar_scope_decode(struct uiommu_dmar_reader *reader,
			      struct uiommu_dmar_record *record,
			      uint32_t offset);
void uiommu_dmar_scope_check(struct uiommu_dmar_reader *reader,
			     const struct uiommu_dmar_record *record,
			     uint32_t offset);

#endif /* UIOMMU_ACPI_DMAR_READER_H */
