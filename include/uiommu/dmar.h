/* SPDX-License-Identifier: MIT */
/*
 * Reader of the ACPI DMAR table: bytes in, checked records and findings out.
 *
 * Specification: "Intel Virtualization Technology for Directed I/O", chapter
 * "BIOS Considerations".
 *
 * The table is firmware's and therefore hostile: nothing is read outside it,
 * no bad record makes the whole fail, and each oddity becomes a finding that
 * says what is done about it. Records and scopes stand in table order; findings
 * in the order of the records they are about, those about the table at the ends.
 */
#ifndef UIOMMU_DMAR_H
#define UIOMMU_DMAR_H

#include <uiommu/error.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum uiommu_dmar_type {
	UIOMMU_DMAR_DRHD = 0, /* a remapping unit */
	UIOMMU_DMAR_RMRR = 1, /* memory that firmware's devices keep using */
	UIOMMU_DMAR_ATSR = 2, /* root ports below which ATS is allowed */
	UIOMMU_DMAR_RHSA = 3, /* a unit's proximity domain */
	UIOMMU_DMAR_ANDD = 4, /* a device known by its ACPI name only */
	UIOMMU_DMAR_SATC = 5, /* integrated devices with ATS */
	UIOMMU_DMAR_SIDP = 6, /* integrated devices with properties */
};

enum uiommu_scope_type {
	UIOMMU_SCOPE_ENDPOINT = 1,
	UIOMMU_SCOPE_BRIDGE = 2, /* and everything below it */
	UIOMMU_SCOPE_IOAPIC = 3,
	UIOMMU_SCOPE_HPET = 4,
	UIOMMU_SCOPE_NAMESPACE = 5,
};

/* Header flags */
#define UIOMMU_DMAR_INTR_REMAP UIOMMU_BIT32(0)
#define UIOMMU_DMAR_X2APIC_OPT_OUT UIOMMU_BIT32(1)
#define UIOMMU_DMAR_PLATFORM_OPT_IN UIOMMU_BIT32(2)

/* Record flags, by type */
#define UIOMMU_DRHD_INCLUDE_PCI_ALL UIOMMU_BIT32(0)
#define UIOMMU_ATSR_ALL_PORTS UIOMMU_BIT32(0)
#define UIOMMU_SATC_ATC_REQUIRED UIOMMU_BIT32(0)

/* Flags of a scope in a SIDP record; NO_*: in requests without PASID */
#define UIOMMU_SIDP_NO_NESTED UIOMMU_BIT32(0)	 /* no nested translation */
#define UIOMMU_SIDP_NO_PWSNP UIOMMU_BIT32(1)	 /* no page-walk snoop */
#define UIOMMU_SIDP_NO_PGSNP UIOMMU_BIT32(2)	 /* no page snoop */
#define UIOMMU_SIDP_ATC_HARDENED UIOMMU_BIT32(3) /* trusted to use ATS */
#define UIOMMU_SIDP_ATC_REQUIRED UIOMMU_BIT32(4) /* works with ATS only */

/*
 * Bytes that a table may have: 1024 units, each with ten scopes and an
 * affinity record, need less. It bounds the time of checks between records,
 * which grows with the square of their number.
 */
#define UIOMMU_DMAR_SIZE_MAX ((uint32_t)0x20000)

#define UIOMMU_DMAR_NONE ((uint32_t)0xffffffff) /* no such index */

/* One device scope entry. The path's bytes stay in the table. */
struct uiommu_dmar_scope {
	uint32_t offset;	/* of the entry in the table */
	uint32_t record;	/* index of the record it belongs to */
	uint32_t path_offset;	/* of the first {device, function} pair */
	uint8_t path_count;	/* hops; at least 1 if usable */
	uint8_t type;		/* enum uiommu_scope_type, or another number */
	uint8_t flags;		/* SIDP: UIOMMU_SIDP_*; elsewhere 0 */
	uint8_t enumeration_id; /* I/O APIC id, HPET number, ACPI device no. */
	uint8_t start_bus;
	bool usable; /* false: a finding says why; do not match it */
};

/*
 * Fields are the table's, but for a usable record: an RMRR's range is rounded
 * out to whole pages, unknown flags are cleared, and so is INCLUDE_PCI_ALL of
 * any but the first such unit of a segment. The scopes of a DRHD that is not
 * usable still tell which devices are not below any other unit.
 */
struct uiommu_dmar_record {
	uint32_t offset;  /* in the table */
	uint32_t length;  /* bytes, header included */
	uint16_t type;	  /* enum uiommu_dmar_type */
	uint16_t segment; /* DRHD, RMRR, ATSR, SATC, SIDP */
	uint8_t flags;	  /* DRHD, ATSR, SATC */
	bool usable;	  /* false: a finding says why; use nothing of it */
	struct uiommu_range range; /* DRHD: registers; RMRR: memory */
	uint64_t base;		   /* RHSA: register base of the unit meant */
	uint32_t proximity_domain; /* RHSA */
	uint32_t device_number;	   /* ANDD: matches a scope's enumeration_id */
	uint32_t name_offset;	   /* ANDD: ACPI path in the table... */
	uint32_t name_length;	   /* ...of so many bytes before its NUL */
	uint32_t scope_first;	   /* index into scopes */
	uint32_t scope_count;
};

enum uiommu_severity {
	UIOMMU_NOTE,	/* unusual, without consequence */
	UIOMMU_WARNING, /* wrong, and worked around */
	UIOMMU_ERROR,	/* wrong; the record or the table is not used */
};

struct uiommu_dmar_finding {
	enum uiommu_severity severity;
	uint32_t offset;   /* in the table, of what is wrong */
	uint32_t record;   /* index, or UIOMMU_DMAR_NONE */
	uint16_t id;	   /* which check; see src/acpi/dmar_findings.h */
	uint64_t value[2]; /* the numbers the text prints */
};

/* A read table. All pointers lead into the caller's memory and table. */
struct uiommu_dmar {
	const uint8_t *table;
	uint32_t size; /* bytes of the table as its header says */
	uint8_t revision;
	uint8_t address_width; /* bits of DMA addresses, 12 to 52 */
	uint8_t flags;	       /* UIOMMU_DMAR_INTR_REMAP... */
	char oem_id[7];	       /* NUL-terminated, unprintable bytes as '?' */
	char oem_table_id[9];
	struct uiommu_dmar_record *records;
	uint32_t record_count;
	struct uiommu_dmar_scope *scopes;
	uint32_t scope_count;
	struct uiommu_dmar_finding *findings;
	uint32_t finding_count;
	uint32_t findings_dropped; /* that the caller's memory could not hold */
};

/**
 * uiommu_dmar_memory() - memory that reading a table may need
 * @size: bytes of the table
 *
 * Context: any.
 *
 * Return: bytes for uiommu_dmar_read(), enough for every record, scope and
 * finding of any table of @size bytes, so that none is dropped; 0 if @size is
 * more than UIOMMU_DMAR_SIZE_MAX.
 */
size_t uiommu_dmar_memory(size_t size);

/**
 * uiommu_dmar_read() - read and check a DMAR table
 * @table: its bytes, unaligned is fine; must stay, and stay as they are, as
 *	long as @dmar is used
 * @size: bytes that may be read at @table
 * @memory: working memory, aligned to 8; must stay as long as @dmar is used
 * @memory_size: bytes of it, at least uiommu_dmar_memory(@size)
 * @dmar: where to store the result
 *
 * After success @dmar holds every record whose extent could be told, usable or
 * not, and the findings; whatever is not usable has one of its own. After
 * UIOMMU_EBADTABLE it holds the findings alone, of which the last says why; all
 * else is zero. After another error @dmar is untouched.
 *
 * What cannot be right is not used rather than guessed at: a region above the
 * address width, for example, is not cut to it, as that could open most of
 * memory to a device.
 *
 * Context: any. Pure: touches nothing but @memory and @dmar.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBADTABLE - length, signature, checksum, all ones, or an address
 *     width below 12 bits: the firmware gave no usable table; without one no
 *     unit can be found
 *   UIOMMU_EINVAL - NULL, unaligned or too little memory, or @size above
 *     UIOMMU_DMAR_SIZE_MAX: a bug in the caller
 */
UIOMMU_MUST_CHECK
int uiommu_dmar_read(const void *table, size_t size, void *memory,
		     size_t memory_size, struct uiommu_dmar *dmar);

/**
 * uiommu_dmar_path() - one hop of a scope's path
 * @dmar: read table
 * @scope: one of its scopes
 * @hop: 0 for the function on @scope->start_bus, up to path_count - 1
 * @device: where to store the device number, 0..31 if @scope is usable
 * @function: where to store the function number, 0..7 if @scope is usable
 *
 * Context: any.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - no such hop
 */
UIOMMU_MUST_CHECK
int uiommu_dmar_path(const struct uiommu_dmar *dmar,
		     const struct uiommu_dmar_scope *scope, unsigned int hop,
		     uint8_t *device, uint8_t *function);

/**
 * uiommu_dmar_finding_text() - say a finding in words
 * @finding: one of a read table
 * @text: where to put at most @size bytes, NUL included
 * @size: bytes at @text; 160 holds every finding
 *
 * "what is wrong; what is done about it", without the offset.
 *
 * Context: any.
 *
 * Return: bytes of the whole text without NUL, even if cut.
 */
size_t uiommu_dmar_finding_text(const struct uiommu_dmar_finding *finding,
				char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_DMAR_H */
