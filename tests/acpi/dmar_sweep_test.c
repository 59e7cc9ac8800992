// SPDX-License-Identifier: MIT
/*
 * Spoilt tables: dmar_sweep_test [FOLDER of tables, *.dat]
 *
 * Every table is cut at every length and some have every bit flipped, once as
 * it is, so that length or checksum must refuse it, and once made to fit again
 * so that the rest of the reader gets it. No change may go unnoticed.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmar_table.h"

#define TABLE_MAX 65536u
#define TABLES_MAX 1000u
#define TO_FLIP 3u

static const char *folder;

struct sample {
	char name[64];
	uint32_t size;
	uint8_t bytes[];
};

static bool same_bytes(const struct reading *a, const struct reading *b,
		       uint32_t offset, uint32_t size)
{
	return memcmp(a->dmar.table + offset, b->dmar.table + offset, size) ==
	       0;
}

static bool same_arrays(const struct uiommu_dmar *a,
			const struct uiommu_dmar *b)
{
	return a->record_count == b->record_count &&
	       a->scope_count == b->scope_count &&
	       a->finding_count == b->finding_count &&
	       memcmp(a->records, b->records,
		      a->record_count * sizeof(*a->records)) == 0 &&
	       memcmp(a->scopes, b->scopes,
		      a->scope_count * sizeof(*a->scopes)) == 0 &&
	       memcmp(a->findings, b->findings,
		      a->finding_count * sizeof(*a->findings)) == 0;
}

/* Whether a user of two results could not tell one from the other. */
static bool same(const struct reading *a, const struct reading *b)
{
	const struct uiommu_dmar *x = &a->dmar;
	const struct uiommu_dmar *y = &b->dmar;

	if (a->err != b->err || a->err)
		return a->err == b->err;
	if (x->size != y->size || x->revision != y->revision ||
	    x->address_width != y->address_width || x->flags != y->flags ||
	    strcmp(x->oem_id, y->oem_id) != 0 ||
	    strcmp(x->oem_table_id, y->oem_table_id) != 0 || !same_arrays(x, y))
		return false;
	for (uint32_t i = 0; i < x->scope_count; i++)
		if (!same_bytes(a, b, x->scopes[i].path_offset,
				2u * x->scopes[i].path_count))
			return false;
	for (uint32_t i = 0; i < x->record_count; i++)
		if (!same_bytes(a, b, x->records[i].name_offset,
				x->records[i].name_length))
			return false;
	return true;
}

static void seal_sum(uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	bytes[9] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[9] = (uint8_t)-sum;
}

static void cut(const struct sample *sample)
{
	static uint8_t bytes[TABLE_MAX];
	struct reading whole, r;

	reading_init(&whole, sample->bytes, sample->size);
	assert_int_equal(whole.err, UIOMMU_OK);
	for (uint32_t size = 0; size < sample->size; size++) {
		reading_init(&r, sample->bytes, size);
		assert_int_equal(r.err, UIOMMU_EBADTABLE);
		reading_fini(&r);

		if (size < TABLE_HEADER)
			continue;
		memcpy(bytes, sample->bytes, size);
		table_seal_bytes(bytes, size);
		reading_init(&r, bytes, size);
		assert_int_equal(r.err, UIOMMU_OK);
		assert_false(r.dmar.record_count == whole.dmar.record_count &&
			     r.dmar.finding_count == whole.dmar.finding_count);
		reading_fini(&r);
	}
	reading_fini(&whole);
}

/* What the reader need not look at. */
static bool ignorable(const struct reading *whole, uint32_t at)
{
	const struct uiommu_dmar *dmar = &whole->dmar;

	if (at >= 9 && at < 36) /* checksum, ids and revisions of the maker */
		return true;
	for (uint32_t i = 0; i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *r = &dmar->records[i];

		if (r->type == UIOMMU_DMAR_ANDD && at < r->offset + r->length &&
		    at > r->name_offset + r->name_length)
			return true;
	}
	return false;
}

static void flip(const struct sample *sample)
{
	static uint8_t bytes[TABLE_MAX];
	struct reading whole, r;

	reading_init(&whole, sample->bytes, sample->size);
	for (uint32_t bit = 0; bit < 8 * sample->size; bit++) {
		memcpy(bytes, sample->bytes, sample->size);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		reading_init(&r, bytes, sample->size);
		/* Fewer bytes may add up to 0 again. */
		if (bit / 8 < 4 || bit / 8 >= 8)
			assert_int_equal(r.err, UIOMMU_EBADTABLE);
		reading_fini(&r);

		seal_sum(bytes, sample->size);
		reading_init(&r, bytes, sample->size);
		if (same(&whole, &r) && !ignorable(&whole, bit / 8))
			fail_msg("%s: bit %u of byte 0x%x makes no difference",
				 sample->name, bit % 8, bit / 8);
		reading_fini(&r);
	}
	reading_fini(&whole);
}

static struct sample *handmade(void)
{
	static struct table t;
	struct sample *sample;

	table_begin(&t);
	t.bytes[37] = UIOMMU_DMAR_INTR_REMAP;
	table_drhd(&t, 0, 0, 0, 0xfed80000);
	table_scope(&t, UIOMMU_SCOPE_BRIDGE, 0, 0, 1, 0);
	table_hop(&t, 2, 0);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 0, 0xfed90000);
	table_scope(&t, UIOMMU_SCOPE_IOAPIC, 2, 0xf0, 31, 0);
	table_scope(&t, UIOMMU_SCOPE_HPET, 0, 0xf0, 15, 0);
	table_scope(&t, UIOMMU_SCOPE_NAMESPACE, 3, 0, 21, 0);
	table_rmrr(&t, 0, 0x7c000000, 0x7fffffff);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_named(&t, UIOMMU_DMAR_ATSR, 0, 0);
	table_scope(&t, UIOMMU_SCOPE_BRIDGE, 0, 0, 28, 0);
	table_rhsa(&t, 0xfed90000, 1);
	table_andd(&t, 3, "\\_SB.PCI0.UA00");
	table_named(&t, UIOMMU_DMAR_SATC, 0, 0);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_named(&t, UIOMMU_DMAR_SIDP, 0, 0);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_seal(&t);

	sample = calloc(1, sizeof(*sample) + t.size);
	assert_non_null(sample);
	strcpy(sample->name, "handmade");
	sample->size = t.size;
	memcpy(sample->bytes, t.bytes, t.size);
	return sample;
}

static struct sample *load(const char *name)
{
	static uint8_t bytes[TABLE_MAX];
	struct sample *sample;
	char path[1024];
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_in_range(size, TABLE_HEADER, TABLE_MAX - 1);

	sample = calloc(1, sizeof(*sample) + size);
	assert_non_null(sample);
	snprintf(sample->name, sizeof(sample->name), "%s", name);
	sample->size = (uint32_t)size;
	memcpy(sample->bytes, bytes, size);
	return sample;
}

static int by_name(const void *a, const void *b)
{
	const struct sample *const *x = a;
	const struct sample *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static unsigned int load_all(struct sample **samples)
{
	DIR *dir = folder ? opendir(folder) : NULL;
	unsigned int count = 0;
	struct dirent *entry;

	if (!dir) {
		print_message("SKIP: no tables of real machines at %s\n",
			      folder ? folder : "(no folder given)");
		return 0;
	}
	while ((entry = readdir(dir)) && count < TABLES_MAX)
		if (strstr(entry->d_name, ".dat"))
			samples[count++] = load(entry->d_name);
	closedir(dir);
	qsort(samples, count, sizeof(*samples), by_name);
	return count;
}

static bool has_type(const struct sample *sample, unsigned int type)
{
	struct reading r;
	bool found = false;

	reading_init(&r, sample->bytes, sample->size);
	for (uint32_t i = 0; i < r.dmar.record_count; i++)
		found |= r.dmar.records[i].type == type;
	reading_fini(&r);
	return found;
}

static void test_handmade(void **state)
{
	struct sample *sample = handmade();

	(void)state;
	cut(sample);
	flip(sample);
	free(sample);
}

static void test_real_tables(void **state)
{
	static const unsigned int types[TO_FLIP] = {
		UIOMMU_DMAR_RHSA,
		UIOMMU_DMAR_ANDD,
		UIOMMU_DMAR_SIDP,
	};
	static struct sample *samples[TABLES_MAX];
	unsigned int count = load_all(samples);
	unsigned int flipped = 0;

	(void)state;
	if (!count)
		skip();
	for (unsigned int i = 0; i < count; i++)
		cut(samples[i]);
	for (unsigned int k = 0; k < TO_FLIP; k++) {
		unsigned int i = 0;

		while (i < count && !has_type(samples[i], types[k]))
			i++;
		if (i == count)
			continue;
		print_message("flipping %s\n", samples[i]->name);
		flip(samples[i]);
		flipped++;
	}
	print_message("%u tables cut, %u flipped\n", count, flipped);
	for (unsigned int i = 0; i < count; i++)
		free(samples[i]);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handmade),
		cmocka_unit_test(test_real_tables),
	};

	folder = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
