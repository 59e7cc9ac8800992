/* SPDX-License-Identifier: MIT */
/*
 * What the reader has to say about a table: one line a check, in the order in
 * which the checks come. The texts take the finding's two values.
 */
#ifndef UIOMMU_ACPI_DMAR_FINDINGS_H
#define UIOMMU_ACPI_DMAR_FINDINGS_H

#include <uiommu/dmar.h>

/* clang-format off */
#define DMAR_FINDINGS(X)                                                       \
	/* The table as a whole: after these there is none */                  \
	X(TABLE_SHORT, ERROR,                                                  \
	  "%llu bytes given, a DMAR header has %llu; no table")                \
	X(TABLE_ALL_ONES, ERROR,                                               \
	  "header is all ones, as if nothing answered there; no table")        \
	X(TABLE_SIGNATURE, ERROR,                                              \
	  "signature is 0x%llx, not \"DMAR\"; no table")                       \
	X(TABLE_LENGTH_SMALL, ERROR,                                           \
	  "table says it has %llu bytes, its header has %llu; no table")       \
	X(TABLE_LENGTH_LARGE, ERROR,                                           \
	  "table says it has %llu bytes, %llu were given; no table")           \
	X(TABLE_CHECKSUM, ERROR,                                               \
	  "bytes add up to 0x%llx, not to 0; no table")                        \
	X(TABLE_WIDTH_SMALL, ERROR,                                            \
	  "addresses of %llu bits, below 12; no table")                        \
	/* The table's header */                                               \
	X(TABLE_WIDTH_LARGE, WARNING,                                          \
	  "addresses of %llu bits; taken as %llu")                             \
	X(TABLE_REVISION, NOTE,                                                \
	  "revision %llu is not known; read all the same")                     \
	X(TABLE_FLAGS, NOTE,                                                   \
	  "reserved flags 0x%llx are set; ignored")                            \
	X(TABLE_X2APIC, NOTE,                                                  \
	  "x2APIC opt-out without interrupt remapping; has no effect")         \
	X(TABLE_RESERVED, NOTE,                                                \
	  "%llu reserved bytes of the header are not zero; ignored")           \
	/* The walk from record to record */                                   \
	X(RECORD_LENGTH_SMALL, ERROR,                                          \
	  "record of type %llu says it has %llu bytes; "                       \
	  "the table is not read further")                                     \
	X(RECORD_PAST_END, ERROR,                                              \
	  "record of %llu bytes, the table ends after %llu; "                  \
	  "the table is not read further")                                     \
	X(TABLE_TRAILING, NOTE,                                                \
	  "%llu bytes after the last record; ignored")                         \
	X(TABLE_NO_UNIT, ERROR,                                                \
	  "no usable remapping unit; no device is confined")                   \
	/* Any record */                                                       \
	X(RECORD_UNKNOWN, NOTE,                                                \
	  "record of unknown type %llu; skipped")                              \
	X(RECORD_SHORT, ERROR,                                                 \
	  "record of %llu bytes, its type needs %llu; not used")               \
	X(RECORD_FLAGS, NOTE,                                                  \
	  "reserved flags 0x%llx are set; ignored")                            \
	X(RECORD_RESERVED, NOTE,                                               \
	  "reserved field is 0x%llx, not 0; ignored")                          \
	X(RECORD_REPEATED, NOTE,                                               \
	  "repeats the record at offset 0x%llx; ignored")                      \
	X(RECORD_SEGMENT, WARNING,                                             \
	  "no unit is in segment %llu; has no effect")                         \
	X(RECORD_NO_SCOPE, WARNING,                                            \
	  "names no device that can be used; has no effect")                   \
	/* DRHD */                                                             \
	X(DRHD_BASE_ZERO, ERROR,                                               \
	  "registers at address 0; unit not used")                             \
	X(DRHD_BASE_ONES, ERROR,                                               \
	  "address of registers is all ones; unit not used")                   \
	X(DRHD_BASE_UNALIGNED, ERROR,                                          \
	  "registers at 0x%llx, within a page; unit not used")                 \
	X(DRHD_WRAPS, ERROR,                                                   \
	  "%llu pages of registers at 0x%llx pass the last address; "          \
	  "unit not used")                                                     \
	X(DRHD_REPEATED, ERROR,                                                \
	  "registers at 0x%llx as of the unit at offset 0x%llx; not used")     \
	X(DRHD_OVERLAP, WARNING,                                               \
	  "registers at 0x%llx overlap those of the unit at offset 0x%llx; "   \
	  "both are used")                                                     \
	X(DRHD_SIZE_UNALIGNED, WARNING,                                        \
	  "%llu pages of registers at 0x%llx, not so aligned; used as is")     \
	X(DRHD_ABOVE_WIDTH, WARNING,                                           \
	  "registers up to 0x%llx, above %llu address bits; used as is")       \
	X(DRHD_SIZE_RESERVED, NOTE,                                            \
	  "reserved bits 0x%llx of the size are set; ignored")                 \
	X(DRHD_SECOND_ALL, WARNING,                                            \
	  "segment %llu has a catch-all unit at offset 0x%llx; "               \
	  "this one takes what it names")                                      \
	X(DRHD_AFTER_ALL, WARNING,                                             \
	  "comes after the catch-all unit at offset 0x%llx; "                  \
	  "still takes what it names first")                                   \
	X(DRHD_NO_SCOPE, WARNING,                                              \
	  "unit is no catch-all and names no device that can be used; "        \
	  "translates nothing")                                                          \
	/* RMRR */                                                             \
	X(RMRR_EMPTY, NOTE,                                                    \
	  "region 0..0, a place holder; ignored")                              \
	X(RMRR_END, ERROR,                                                     \
	  "region ends at 0x%llx, not above its base 0x%llx; not used")        \
	X(RMRR_ABOVE_WIDTH, ERROR,                                             \
	  "region ends at 0x%llx, above %llu address bits; not used")          \
	X(RMRR_UNALIGNED, WARNING,                                             \
	  "region 0x%llx..0x%llx is not of whole pages; "                      \
	  "used, rounded out to them")                                         \
	X(RMRR_BASE_ZERO, WARNING,                                             \
	  "region 0..0x%llx begins at address 0; used as is")                  \
	X(RMRR_OVERLAP, WARNING,                                               \
	  "region overlaps that of the record at offset 0x%llx; "              \
	  "both are used")                                                     \
	/* ATSR, RHSA, ANDD */                                                 \
	X(ATSR_SCOPES, NOTE,                                                   \
	  "is for all ports and names %llu; those have no effect")             \
	X(RHSA_UNKNOWN, ERROR,                                                 \
	  "no unit has registers at 0x%llx; not used")                         \
	X(RHSA_SECOND, ERROR,                                                  \
	  "the record at offset 0x%llx tells the same unit's node; not used")  \
	X(ANDD_NAME_OPEN, ERROR,                                               \
	  "name has no NUL within the record; not used")                       \
	X(ANDD_NAME_EMPTY, ERROR,                                              \
	  "name is empty; not used")                                           \
	X(ANDD_NAME_BYTE, ERROR,                                               \
	  "name contains byte 0x%llx, which no path has; not used")            \
	X(ANDD_REPEATED, ERROR,                                                \
	  "device %llu is declared at offset 0x%llx; not used")                \
	X(ANDD_UNNAMED, NOTE,                                                  \
	  "no scope names device %llu; has no effect")                         \
	/* Device scopes */                                                    \
	X(SCOPE_LENGTH_SMALL, ERROR,                                           \
	  "scope says it has %llu bytes, its header has %llu; "                \
	  "the record is not read further")                                    \
	X(SCOPE_PAST_END, ERROR,                                               \
	  "scope of %llu bytes, its record ends after %llu; "                  \
	  "the record is not read further")                                    \
	X(SCOPE_TRAILING, NOTE,                                                \
	  "%llu bytes after the last scope of the record; ignored")            \
	X(SCOPE_TYPE, ERROR,                                                   \
	  "scope of unknown type %llu; not used")                              \
	X(SCOPE_UNFIT, ERROR,                                                  \
	  "scope of type %llu in a record of type %llu; not used")             \
	X(SCOPE_FLAGS, NOTE,                                                   \
	  "reserved flags 0x%llx of a scope are set; ignored")                 \
	X(SCOPE_RESERVED, NOTE,                                                \
	  "reserved byte of a scope is 0x%llx, not 0; ignored")                \
	X(SCOPE_NO_PATH, ERROR,                                                \
	  "scope of %llu bytes has no room for a path; not used")              \
	X(SCOPE_ODD, ERROR,                                                    \
	  "scope of %llu bytes ends within a hop; not used")                   \
	X(SCOPE_HOPS, ERROR,                                                   \
	  "path of %llu hops for a source id, which has 1; not used")          \
	X(SCOPE_NUMBER, ERROR,                                                 \
	  "path names device %llu, function %llu; not used")                   \
	X(SCOPE_REPEATED, NOTE,                                                \
	  "repeats the scope at offset 0x%llx; ignored")                       \
	X(SCOPE_CLAIMED, ERROR,                                                \
	  "device is named by the scope at offset 0x%llx, of another unit; "   \
	  "not used")                                                          \
	X(SCOPE_NO_ANDD, ERROR,                                                \
	  "no record declares ACPI device %llu; not used")
/* clang-format on */

enum uiommu_dmar_finding_id {
#define DMAR_FINDING_ID(name, severity, text) DMAR_##name,
	DMAR_FINDINGS(DMAR_FINDING_ID)
#undef DMAR_FINDING_ID
		DMAR_FINDING_COUNT
};

#endif /* UIOMMU_ACPI_DMAR_FINDINGS_H */
