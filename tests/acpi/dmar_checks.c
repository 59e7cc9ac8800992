// SPDX-License-Identifier: MIT
#include <string.h>

#include "dmar_checks.h"

#define ALL UIOMMU_DRHD_INCLUDE_PCI_ALL
#define BASE 0xfed90000u

/* A catch-all unit at 0x30..0x3f; what follows begins at 0x40. */
static void good(struct table *t)
{
	table_begin(t);
	table_drhd(t, ALL, 0, 0, BASE);
}

/* The same, before it a unit at 0x30..0x47 with a scope at 0x40. */
static void two_units(struct table *t)
{
	table_begin(t);
	table_drhd(t, 0, 0, 0, 0xfed80000);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_drhd(t, ALL, 0, 0, BASE);
}

/* A record of a region, complete with a device at 0x58. */
static void region(struct table *t, uint64_t base, uint64_t limit)
{
	good(t);
	table_rmrr(t, 0, base, limit);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 20, 0);
}

/* A region's record whose scope at 0x58 is still to be spoilt. */
static void region_scope(struct table *t)
{
	region(t, 0x7c000000, 0x7fffffff);
}

static void short_table(struct table *t)
{
	good(t);
	t->size = 47;
}

static void all_ones(struct table *t)
{
	good(t);
	memset(t->bytes, 0xff, t->size);
}

static void signature(struct table *t)
{
	good(t);
	memcpy(t->bytes, "DMAX", 4);
}

static void length_small(struct table *t)
{
	good(t);
	table_set(t, 4, 47, 4);
}

static void length_large(struct table *t)
{
	good(t);
	table_set(t, 4, 65, 4);
}

static void checksum(struct table *t)
{
	good(t);
	table_seal(t);
	t->bytes[9]++;
}

static void width_small(struct table *t)
{
	good(t);
	t->bytes[36] = 10;
}

static void width_large(struct table *t)
{
	good(t);
	t->bytes[36] = 255;
}

static void revision(struct table *t)
{
	good(t);
	t->bytes[8] = 3;
}

static void table_flags(struct table *t)
{
	good(t);
	t->bytes[37] = 0x87;
}

static void x2apic(struct table *t)
{
	good(t);
	t->bytes[37] = 2;
}

static void reserved(struct table *t)
{
	good(t);
	t->bytes[38] = 1;
	t->bytes[47] = 1;
}

static void record_length_zero(struct table *t)
{
	good(t);
	table_record(t, UIOMMU_DMAR_RMRR);
	table_set(t, 0x42, 0, 2);
}

static void record_past_end(struct table *t)
{
	good(t);
	table_rmrr(t, 0, 0x1000, 0x1fff);
	t->size -= 8;
}

static void trailing(struct table *t)
{
	good(t);
	t->record = 0;
	table_put(t, 0, 3);
}

static void no_unit(struct table *t)
{
	table_begin(t);
}

static void record_unknown(struct table *t)
{
	good(t);
	table_record(t, 0x1234);
}

static void record_short(struct table *t)
{
	good(t);
	table_record(t, UIOMMU_DMAR_RMRR);
	table_put(t, 0, 8);
	table_put(t, 0, 8);
}

static void record_flags(struct table *t)
{
	table_begin(t);
	table_drhd(t, ALL | 0x42, 0, 0, BASE);
}

static void record_reserved(struct table *t)
{
	region_scope(t);
	table_set(t, 0x44, 0x1234, 2);
}

static void record_repeated(struct table *t)
{
	good(t);
	for (int i = 0; i < 2; i++) {
		table_named(t, UIOMMU_DMAR_ATSR, 0, 0);
		table_scope(t, UIOMMU_SCOPE_BRIDGE, 0, 0, 28, 0);
	}
}

static void record_segment(struct table *t)
{
	good(t);
	table_named(t, UIOMMU_DMAR_SATC, 0, 7);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
}

static void record_no_scope(struct table *t)
{
	good(t);
	table_rmrr(t, 0, 0x7c000000, 0x7fffffff);
}

static void base_zero(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, 0, 8);
}

static void base_ones(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, UINT64_MAX, 8);
}

static void base_unaligned(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, 0xfed80010, 8);
}

static void drhd_wraps(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, UINT64_MAX - 0xfff, 8);
	table_set(t, 0x35, 1, 1);
}

static void drhd_repeated(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, BASE, 8);
}

static void drhd_overlap(struct table *t)
{
	two_units(t);
	table_set(t, 0x35, 5, 1);
}

static void drhd_size_unaligned(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, 0xfed81000, 8);
	table_set(t, 0x35, 1, 1);
}

static void drhd_above(struct table *t)
{
	two_units(t);
	table_set(t, 0x38, UINT64_C(0x8000000000), 8);
}

static void drhd_size_reserved(struct table *t)
{
	two_units(t);
	table_set(t, 0x35, 0x30, 1);
}

static void drhd_second_all(struct table *t)
{
	good(t);
	table_drhd(t, ALL, 0, 0, 0xfed80000);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
}

static void drhd_after_all(struct table *t)
{
	good(t);
	table_drhd(t, 0, 0, 0, 0xfed80000);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
}

static void drhd_no_scope(struct table *t)
{
	table_begin(t);
	table_drhd(t, 0, 0, 0, 0xfed80000);
	table_drhd(t, ALL, 0, 0, BASE);
}

static void rmrr_empty(struct table *t)
{
	region(t, 0, 0);
}

static void rmrr_end(struct table *t)
{
	region(t, 0x7c000000, 0x7c000000);
}

static void rmrr_above(struct table *t)
{
	region(t, UINT64_C(0x7ffffff000), UINT64_C(0x8000000fff));
}

static void rmrr_unaligned(struct table *t)
{
	region(t, 0x7c000800, 0x7fffff00);
}

static void rmrr_base_zero(struct table *t)
{
	region(t, 0, 0xfff);
}

static void rmrr_overlap(struct table *t)
{
	region_scope(t);
	table_rmrr(t, 0, 0x7fff0000, 0x8fffffff);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
}

static void atsr_scopes(struct table *t)
{
	good(t);
	table_named(t, UIOMMU_DMAR_ATSR, UIOMMU_ATSR_ALL_PORTS, 0);
	table_scope(t, UIOMMU_SCOPE_BRIDGE, 0, 0, 28, 0);
}

static void rhsa_unknown(struct table *t)
{
	good(t);
	table_rhsa(t, BASE + 0x1000, 0);
}

static void rhsa_second(struct table *t)
{
	good(t);
	table_rhsa(t, BASE, 0);
	table_rhsa(t, BASE, 1);
}

/* A unit that names ACPI device 3, at 0x40; its declaration follows at 0x48. */
static void names_acpi(struct table *t)
{
	table_begin(t);
	table_drhd(t, ALL, 0, 0, BASE);
	table_scope(t, UIOMMU_SCOPE_NAMESPACE, 3, 0, 21, 0);
}

static void andd_open(struct table *t)
{
	names_acpi(t);
	table_andd(t, 3, "\\_SB.PCI0.I2C0");
	table_set(t, t->size - 1, 'X', 1);
}

static void andd_empty(struct table *t)
{
	names_acpi(t);
	table_andd(t, 3, "");
}

static void andd_byte(struct table *t)
{
	names_acpi(t);
	table_andd(t, 3, "\\_SB.\033[2J");
}

static void andd_repeated(struct table *t)
{
	names_acpi(t);
	table_andd(t, 3, "\\_SB.I2C0"); /* 18 bytes */
	table_andd(t, 3, "\\_SB.I2C1");
}

static void andd_unnamed(struct table *t)
{
	good(t);
	table_andd(t, 3, "\\_SB.I2C0");
}

static void scope_length_small(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_set(t, 0x61, 5, 1);
}

static void scope_length_zero(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_set(t, 0x61, 0, 1);
}

static void scope_past_end(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_set(t, 0x61, 9, 1);
}

static void scope_trailing(struct table *t)
{
	region_scope(t);
	t->scope = 0;
	table_put(t, 0, 5);
}

static void scope_type(struct table *t)
{
	region_scope(t);
	table_scope(t, 6, 0, 0, 2, 0);
}

static void scope_unfit(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_IOAPIC, 2, 0xf0, 31, 0);
}

static void scope_flags(struct table *t)
{
	region_scope(t);
	table_set(t, 0x5a, 0x08, 1);
}

static void sidp_flags(struct table *t)
{
	good(t);
	table_named(t, UIOMMU_DMAR_SIDP, 0, 0);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_set(t, 0x4a, 0xff, 1);
}

static void scope_reserved(struct table *t)
{
	region_scope(t);
	table_set(t, 0x5b, 0x99, 1);
}

static void scope_id(struct table *t)
{
	region_scope(t);
	table_set(t, 0x5c, 0x98, 1);
}

static void scope_no_path(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	t->size -= 2;
	table_set(t, 0x61, 6, 1);
	table_set(t, 0x42, 0x26, 2);
}

static void scope_odd(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_put(t, 0, 1);
}

static void scope_hops(struct table *t)
{
	table_begin(t);
	table_drhd(t, ALL, 0, 0, BASE);
	table_scope(t, UIOMMU_SCOPE_HPET, 0, 0xf0, 15, 0);
	table_hop(t, 0, 0);
}

static void scope_device(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_BRIDGE, 0, 0, 2, 0);
	table_hop(t, 32, 0);
}

static void scope_function(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 31, 8);
}

static void scope_repeated(struct table *t)
{
	region_scope(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 20, 0);
}

static void scope_claimed(struct table *t)
{
	two_units(t);
	table_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
}

static void scope_no_andd(struct table *t)
{
	names_acpi(t);
}

#define ID(name) DMAR_##name

/* clang-format off */
const struct check checks[] = {
	{ ID(TABLE_SHORT), UIOMMU_ERROR, NO_TABLE, 0, short_table,
	  "47 bytes given, a DMAR header has 48; no table" },
	{ ID(TABLE_ALL_ONES), UIOMMU_ERROR, NO_TABLE, 0, all_ones,
	  "header is all ones, as if nothing answered there; no table" },
	{ ID(TABLE_SIGNATURE), UIOMMU_ERROR, NO_TABLE, 0, signature,
	  "signature is 0x58414d44, not \"DMAR\"; no table" },
	{ ID(TABLE_LENGTH_SMALL), UIOMMU_ERROR, NO_TABLE, 4, length_small,
	  "table says it has 47 bytes, its header has 48; no table" },
	{ ID(TABLE_LENGTH_LARGE), UIOMMU_ERROR, NO_TABLE, 4, length_large,
	  "table says it has 65 bytes, 64 were given; no table" },
	{ ID(TABLE_CHECKSUM), UIOMMU_ERROR, NO_TABLE, 9, checksum,
	  "bytes add up to 0x1, not to 0; no table" },
	{ ID(TABLE_WIDTH_SMALL), UIOMMU_ERROR, NO_TABLE, 36, width_small,
	  "addresses of 11 bits, below 12; no table" },
	{ ID(TABLE_WIDTH_LARGE), UIOMMU_WARNING, TABLE_USED, 36, width_large,
	  "addresses of 256 bits; taken as 52" },
	{ ID(TABLE_REVISION), UIOMMU_NOTE, TABLE_USED, 8, revision,
	  "revision 3 is not known; read all the same" },
	{ ID(TABLE_FLAGS), UIOMMU_NOTE, TABLE_USED, 37, table_flags,
	  "reserved flags 0x80 are set; ignored" },
	{ ID(TABLE_X2APIC), UIOMMU_NOTE, TABLE_USED, 37, x2apic,
	  "x2APIC opt-out without interrupt remapping; has no effect" },
	{ ID(TABLE_RESERVED), UIOMMU_NOTE, TABLE_USED, 38, reserved,
	  "2 reserved bytes of the header are not zero; ignored" },
	{ ID(RECORD_LENGTH_SMALL), UIOMMU_ERROR, TABLE_USED, 0x40,
	  record_length_zero, "record of type 1 says it has 0 bytes; "
	  "the table is not read further" },
	{ ID(RECORD_PAST_END), UIOMMU_ERROR, TABLE_USED, 0x40, record_past_end,
	  "record of 24 bytes, the table ends after 16; "
	  "the table is not read further" },
	{ ID(TABLE_TRAILING), UIOMMU_NOTE, TABLE_USED, 0x40, trailing,
	  "3 bytes after the last record; ignored" },
	{ ID(TABLE_NO_UNIT), UIOMMU_ERROR, TABLE_USED, 0x30, no_unit,
	  "no usable remapping unit; no device is confined" },
	{ ID(RECORD_UNKNOWN), UIOMMU_NOTE, UNUSED, 0x40, record_unknown,
	  "record of unknown type 4660; skipped" },
	{ ID(RECORD_SHORT), UIOMMU_ERROR, UNUSED, 0x40, record_short,
	  "record of 20 bytes, its type needs 24; not used" },
	{ ID(RECORD_FLAGS), UIOMMU_NOTE, USED, 0x34, record_flags,
	  "reserved flags 0x42 are set; ignored" },
	{ ID(RECORD_RESERVED), UIOMMU_NOTE, USED, 0x44, record_reserved,
	  "reserved field is 0x1234, not 0; ignored" },
	{ ID(RECORD_REPEATED), UIOMMU_NOTE, UNUSED, 0x50, record_repeated,
	  "repeats the record at offset 0x40; ignored" },
	{ ID(RECORD_SEGMENT), UIOMMU_WARNING, USED, 0x46, record_segment,
	  "no unit is in segment 7; has no effect" },
	{ ID(RECORD_NO_SCOPE), UIOMMU_WARNING, USED, 0x40, record_no_scope,
	  "names no device that can be used; has no effect" },
	{ ID(DRHD_BASE_ZERO), UIOMMU_ERROR, UNUSED, 0x30, base_zero,
	  "registers at address 0; unit not used" },
	{ ID(DRHD_BASE_ONES), UIOMMU_ERROR, UNUSED, 0x30, base_ones,
	  "address of registers is all ones; unit not used" },
	{ ID(DRHD_BASE_UNALIGNED), UIOMMU_ERROR, UNUSED, 0x30, base_unaligned,
	  "registers at 0xfed80010, within a page; unit not used" },
	{ ID(DRHD_WRAPS), UIOMMU_ERROR, UNUSED, 0x30, drhd_wraps,
	  "2 pages of registers at 0xfffffffffffff000 pass the last address; "
	  "unit not used" },
	{ ID(DRHD_REPEATED), UIOMMU_ERROR, UNUSED, 0x48, drhd_repeated,
	  "registers at 0xfed90000 as of the unit at offset 0x30; not used" },
	{ ID(DRHD_OVERLAP), UIOMMU_WARNING, USED, 0x48, drhd_overlap,
	  "registers at 0xfed90000 overlap those of the unit at offset 0x30; "
	  "both are used" },
	{ ID(DRHD_SIZE_UNALIGNED), UIOMMU_WARNING, USED, 0x30,
	  drhd_size_unaligned,
	  "2 pages of registers at 0xfed81000, not so aligned; used as is" },
	{ ID(DRHD_ABOVE_WIDTH), UIOMMU_WARNING, USED, 0x30, drhd_above,
	  "registers up to 0x8000000fff, above 39 address bits; used as is" },
	{ ID(DRHD_SIZE_RESERVED), UIOMMU_NOTE, USED, 0x35, drhd_size_reserved,
	  "reserved bits 0x30 of the size are set; ignored" },
	{ ID(DRHD_SECOND_ALL), UIOMMU_WARNING, USED, 0x40, drhd_second_all,
	  "segment 0 has a catch-all unit at offset 0x30; "
	  "this one takes what it names" },
	{ ID(DRHD_AFTER_ALL), UIOMMU_WARNING, USED, 0x40, drhd_after_all,
	  "comes after the catch-all unit at offset 0x30; "
	  "still takes what it names first" },
	{ ID(DRHD_NO_SCOPE), UIOMMU_WARNING, USED, 0x30, drhd_no_scope,
	  "unit is no catch-all and names no device that can be used; "
	  "translates nothing" },
	{ ID(RMRR_EMPTY), UIOMMU_NOTE, UNUSED, 0x40, rmrr_empty,
	  "region 0..0, a place holder; ignored" },
	{ ID(RMRR_END), UIOMMU_ERROR, UNUSED, 0x40, rmrr_end,
	  "region ends at 0x7c000000, not above its base 0x7c000000; "
	  "not used" },
	{ ID(RMRR_ABOVE_WIDTH), UIOMMU_ERROR, UNUSED, 0x40, rmrr_above,
	  "region ends at 0x8000000fff, above 39 address bits; not used" },
	{ ID(RMRR_UNALIGNED), UIOMMU_WARNING, USED, 0x40, rmrr_unaligned,
	  "region 0x7c000800..0x7fffff00 is not of whole pages; "
	  "used, rounded out to them" },
	{ ID(RMRR_BASE_ZERO), UIOMMU_WARNING, USED, 0x40, rmrr_base_zero,
	  "region 0..0xfff begins at address 0; used as is" },
	{ ID(RMRR_OVERLAP), UIOMMU_WARNING, USED, 0x60, rmrr_overlap,
	  "region overlaps that of the record at offset 0x40; "
	  "both are used" },
	{ ID(ATSR_SCOPES), UIOMMU_NOTE, USED, 0x44, atsr_scopes,
	  "is for all ports and names 1; those have no effect" },
	{ ID(RHSA_UNKNOWN), UIOMMU_ERROR, UNUSED, 0x40, rhsa_unknown,
	  "no unit has registers at 0xfed91000; not used" },
	{ ID(RHSA_SECOND), UIOMMU_ERROR, UNUSED, 0x54, rhsa_second,
	  "the record at offset 0x40 tells the same unit's node; not used" },
	{ ID(ANDD_NAME_OPEN), UIOMMU_ERROR, UNUSED, 0x48, andd_open,
	  "name has no NUL within the record; not used" },
	{ ID(ANDD_NAME_EMPTY), UIOMMU_ERROR, UNUSED, 0x48, andd_empty,
	  "name is empty; not used" },
	{ ID(ANDD_NAME_BYTE), UIOMMU_ERROR, UNUSED, 0x48, andd_byte,
	  "name contains byte 0x1b, which no path has; not used" },
	{ ID(ANDD_REPEATED), UIOMMU_ERROR, UNUSED, 0x5a, andd_repeated,
	  "device 3 is declared at offset 0x48; not used" },
	{ ID(ANDD_UNNAMED), UIOMMU_NOTE, USED, 0x40, andd_unnamed,
	  "no scope names device 3; has no effect" },
	{ ID(SCOPE_LENGTH_SMALL), UIOMMU_ERROR, USED, 0x60, scope_length_small,
	  "scope says it has 5 bytes, its header has 6; "
	  "the record is not read further" },
	{ ID(SCOPE_LENGTH_SMALL), UIOMMU_ERROR, USED, 0x60, scope_length_zero,
	  "scope says it has 0 bytes, its header has 6; "
	  "the record is not read further" },
	{ ID(SCOPE_PAST_END), UIOMMU_ERROR, USED, 0x60, scope_past_end,
	  "scope of 9 bytes, its record ends after 8; "
	  "the record is not read further" },
	{ ID(SCOPE_TRAILING), UIOMMU_NOTE, USED, 0x60, scope_trailing,
	  "5 bytes after the last scope of the record; ignored" },
	{ ID(SCOPE_TYPE), UIOMMU_ERROR, SCOPE_UNUSED, 0x60, scope_type,
	  "scope of unknown type 6; not used" },
	{ ID(SCOPE_UNFIT), UIOMMU_ERROR, SCOPE_UNUSED, 0x60, scope_unfit,
	  "scope of type 3 in a record of type 1; not used" },
	{ ID(SCOPE_FLAGS), UIOMMU_NOTE, SCOPE_USED, 0x5a, scope_flags,
	  "reserved flags 0x8 of a scope are set; ignored" },
	{ ID(SCOPE_FLAGS), UIOMMU_NOTE, SCOPE_USED, 0x4a, sidp_flags,
	  "reserved flags 0xe0 of a scope are set; ignored" },
	{ ID(SCOPE_RESERVED), UIOMMU_NOTE, SCOPE_USED, 0x5b, scope_reserved,
	  "reserved byte of a scope is 0x99, not 0; ignored" },
	{ ID(SCOPE_RESERVED), UIOMMU_NOTE, SCOPE_USED, 0x5c, scope_id,
	  "reserved byte of a scope is 0x98, not 0; ignored" },
	{ ID(SCOPE_NO_PATH), UIOMMU_ERROR, SCOPE_UNUSED, 0x60, scope_no_path,
	  "scope of 6 bytes has no room for a path; not used" },
	{ ID(SCOPE_ODD), UIOMMU_ERROR, SCOPE_UNUSED, 0x60, scope_odd,
	  "scope of 9 bytes ends within a hop; not used" },
	{ ID(SCOPE_HOPS), UIOMMU_ERROR, SCOPE_UNUSED, 0x40, scope_hops,
	  "path of 2 hops for a source id, which has 1; not used" },
	{ ID(SCOPE_NUMBER), UIOMMU_ERROR, SCOPE_UNUSED, 0x60, scope_device,
	  "path names device 32, function 0; not used" },
	{ ID(SCOPE_NUMBER), UIOMMU_ERROR, SCOPE_UNUSED, 0x60, scope_function,
	  "path names device 31, function 8; not used" },
	{ ID(SCOPE_REPEATED), UIOMMU_NOTE, SCOPE_UNUSED, 0x60, scope_repeated,
	  "repeats the scope at offset 0x58; ignored" },
	{ ID(SCOPE_CLAIMED), UIOMMU_ERROR, SCOPE_UNUSED, 0x58, scope_claimed,
	  "device is named by the scope at offset 0x40, of another unit; "
	  "not used" },
	{ ID(SCOPE_NO_ANDD), UIOMMU_ERROR, SCOPE_UNUSED, 0x40, scope_no_andd,
	  "no record declares ACPI device 3; not used" },
};
/* clang-format on */

const size_t check_count = sizeof(checks) / sizeof(checks[0]);
