/* SPDX-License-Identifier: MIT */
/*
 * For tests of the DMAR reader: builds tables by hand, and reads them with
 * memory of exactly the size asked for, so that a byte too far is seen.
 */
#ifndef TESTS_DMAR_TABLE_H
#define TESTS_DMAR_TABLE_H

#include <uiommu/dmar.h>

#define TABLE_HEADER 48u

struct table {
	uint8_t bytes[UIOMMU_DMAR_SIZE_MAX + 16];
	uint32_t size;
	uint32_t record; /* offset of the one being built, or 0 */
	uint32_t scope;	 /* the same */
};

/* Header: revision 1, 39 bits, no flags. */
void table_begin(struct table *t);
/* Length of the table and checksum: as they should be for @t->bytes. */
void table_seal(struct table *t);
void table_seal_bytes(uint8_t *bytes, size_t size);

void table_put(struct table *t, uint64_t value, unsigned int bytes);
void table_set(struct table *t, uint32_t offset, uint64_t value,
	       unsigned int bytes);

/* Each begins a record; what is put after it belongs to it. */
void table_record(struct table *t, unsigned int type);
void table_drhd(struct table *t, unsigned int flags, unsigned int size,
		unsigned int segment, uint64_t base);
void table_rmrr(struct table *t, unsigned int segment, uint64_t base,
		uint64_t limit);
void table_rhsa(struct table *t, uint64_t base, uint32_t domain);
/* The name comes with its NUL. */
void table_andd(struct table *t, unsigned int number, const char *name);
/* ATSR, SATC, SIDP (without flags). */
void table_named(struct table *t, unsigned int type, unsigned int flags,
		 unsigned int segment);

/* A scope of one hop in the record begun last; table_hop() adds more. */
void table_scope(struct table *t, unsigned int type, unsigned int id,
		 unsigned int bus, unsigned int device, unsigned int function);
void table_hop(struct table *t, unsigned int device, unsigned int function);

struct reading {
	int err;
	struct uiommu_dmar dmar;
	void *table; /* copies and memory, freed by reading_fini() */
	void *memory;
};

/* Reads the first @size bytes, and checks what always holds. */
void reading_init(struct reading *r, const uint8_t *bytes, size_t size);
void reading_fini(struct reading *r);

/* Aborts with a line unless all that is promised of a result holds. */
void reading_check(const struct reading *r);

#endif /* TESTS_DMAR_TABLE_H */
