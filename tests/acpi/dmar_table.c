// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/host.h>

#include "acpi/dmar_findings.h"
#include "dmar_table.h"

#define CHECK(expr)                                                   \
	do {                                                          \
		if (!(expr)) {                                        \
			fprintf(stderr, "%s:%d: does not hold: %s\n", \
				__FILE__, __LINE__, #expr);           \
			abort();                                      \
		}                                                     \
	} while (0)

/* The reader does not log, but the file that makes its texts can. */
void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	(void)line;
	abort();
}

void table_set(struct table *t, uint32_t offset, uint64_t value,
	       unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		t->bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

void table_put(struct table *t, uint64_t value, unsigned int bytes)
{
	table_set(t, t->size, value, bytes);
	t->size += bytes;
	if (t->record)
		table_set(t, t->record + 2, t->size - t->record, 2);
	if (t->scope)
		table_set(t, t->scope + 1, t->size - t->scope, 1);
}

void table_begin(struct table *t)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->bytes, "DMAR", 4);
	t->bytes[8] = 1;
	memcpy(t->bytes + 10, "UIOMMU", 6);
	memcpy(t->bytes + 16, "TEST", 4);
	t->bytes[36] = 38;
	t->size = TABLE_HEADER;
}

void table_seal_bytes(uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (unsigned int i = 0; i < 4; i++)
		bytes[4 + i] = (uint8_t)(size >> 8 * i);
	bytes[9] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[9] = (uint8_t)-sum;
}

void table_seal(struct table *t)
{
	table_seal_bytes(t->bytes, t->size);
}

void table_record(struct table *t, unsigned int type)
{
	t->scope = 0;
	t->record = t->size;
	table_put(t, type, 2);
	table_put(t, 4, 2);
	table_set(t, t->record + 2, 4, 2);
}

void table_drhd(struct table *t, unsigned int flags, unsigned int size,
		unsigned int segment, uint64_t base)
{
	table_record(t, UIOMMU_DMAR_DRHD);
	table_put(t, flags, 1);
	table_put(t, size, 1);
	table_put(t, segment, 2);
	table_put(t, base, 8);
}

void table_rmrr(struct table *t, unsigned int segment, uint64_t base,
		uint64_t limit)
{
	table_record(t, UIOMMU_DMAR_RMRR);
	table_put(t, 0, 2);
	table_put(t, segment, 2);
	table_put(t, base, 8);
	table_put(t, limit, 8);
}

void table_rhsa(struct table *t, uint64_t base, uint32_t domain)
{
	table_record(t, UIOMMU_DMAR_RHSA);
	table_put(t, 0, 4);
	table_put(t, base, 8);
	table_put(t, domain, 4);
}

void table_andd(struct table *t, unsigned int number, const char *name)
{
	table_record(t, UIOMMU_DMAR_ANDD);
	table_put(t, 0, 3);
	table_put(t, number, 1);
	do
		table_put(t, (uint8_t)*name, 1);
	while (*name++);
}

void table_named(struct table *t, unsigned int type, unsigned int flags,
		 unsigned int segment)
{
	table_record(t, type);
	table_put(t, flags, 1);
	table_put(t, 0, 1);
	table_put(t, segment, 2);
}

void table_scope(struct table *t, unsigned int type, unsigned int id,
		 unsigned int bus, unsigned int device, unsigned int function)
{
	t->scope = 0;
	table_put(t, type, 1);
	table_put(t, 8, 1);
	table_put(t, 0, 2);
	table_put(t, id, 1);
	table_put(t, bus, 1);
	t->scope = t->size - 6;
	table_hop(t, device, function);
}

void table_hop(struct table *t, unsigned int device, unsigned int function)
{
	table_put(t, device, 1);
	table_put(t, function, 1);
}

void reading_init(struct reading *r, const uint8_t *bytes, size_t size)
{
	size_t memory_size = uiommu_dmar_memory(size);

	memset(r, 0xa5, sizeof(*r));
	r->table = malloc(size ? size : 1);
	r->memory = malloc(memory_size);
	CHECK(r->table && r->memory);
	if (size)
		memcpy(r->table, bytes, size);
	memset(r->memory, 0xa5, memory_size); /* need not come zeroed */
	r->err = uiommu_dmar_read(r->table, size, r->memory, memory_size,
				  &r->dmar);
	reading_check(r);
}

void reading_fini(struct reading *r)
{
	free(r->table);
	free(r->memory);
}

/* The findings about one record stand together; @first is of those. */
static bool complains(const struct uiommu_dmar *dmar, uint32_t first,
		      uint32_t offset, uint32_t length)
{
	const struct uiommu_dmar_finding *f = &dmar->findings[first];

	for (uint32_t i = first; i < dmar->finding_count; i++, f++) {
		if (f->record != dmar->findings[first].record ||
		    f->offset >= offset + length)
			return false;
		if (f->offset == offset)
			return true;
	}
	return false;
}

/* @at: end of the scope before; @first: the first finding not before it */
static void check_scope(const struct uiommu_dmar *dmar, uint32_t index,
			uint32_t owner, uint32_t *at, uint32_t *first)
{
	const struct uiommu_dmar_scope *s = &dmar->scopes[index];
	const struct uiommu_dmar_record *r = &dmar->records[owner];
	uint8_t length = dmar->table[s->offset + 1];
	uint8_t device, function;

	CHECK(s->record == owner);
	CHECK(s->offset >= *at && length >= 6);
	*at = s->offset + length;
	CHECK(*at <= r->offset + r->length);
	CHECK(s->path_offset + 2u * s->path_count <= *at);
	while (*first < dmar->finding_count &&
	       dmar->findings[*first].record == owner &&
	       dmar->findings[*first].offset < s->offset)
		++*first;
	CHECK(s->usable || complains(dmar, *first, s->offset, length));
	CHECK(uiommu_dmar_path(dmar, s, s->path_count, &device, &function) ==
	      UIOMMU_EINVAL);
	if (!s->usable)
		return;
	CHECK(s->path_count >= 1);
	CHECK(s->type >= UIOMMU_SCOPE_ENDPOINT &&
	      s->type <= UIOMMU_SCOPE_NAMESPACE);
	for (unsigned int hop = 0; hop < s->path_count; hop++) {
		CHECK(!uiommu_dmar_path(dmar, s, hop, &device, &function));
		CHECK(device < 32 && function < 8);
	}
}

static void check_unit(const struct uiommu_dmar *dmar,
		       const struct uiommu_dmar_record *r)
{
	CHECK(r->range.first && !(r->range.first & 0xfff));
	CHECK(r->range.last > r->range.first);
	/* Pairs of many are too slow for random inputs. */
	for (const struct uiommu_dmar_record *o = dmar->records;
	     o < r && dmar->record_count < 100; o++) {
		if (o->type != UIOMMU_DMAR_DRHD || !o->usable)
			continue;
		CHECK(o->range.first != r->range.first);
		CHECK(o->segment != r->segment ||
		      !(o->flags & r->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL));
	}
}

static void check_record(const struct uiommu_dmar *dmar, uint32_t index,
			 uint32_t first)
{
	const struct uiommu_dmar_record *r = &dmar->records[index];

	CHECK(r->length >= 4 && r->length <= dmar->size - r->offset);
	CHECK(r->usable || complains(dmar, first, r->offset, r->length));
	if (!r->usable)
		return;
	CHECK(r->type <= UIOMMU_DMAR_SIDP);
	if (r->type == UIOMMU_DMAR_DRHD)
		check_unit(dmar, r);
	if (r->type == UIOMMU_DMAR_RMRR) {
		CHECK(!(r->range.first & 0xfff));
		CHECK((r->range.last & 0xfff) == 0xfff);
		CHECK(r->range.last > r->range.first);
		CHECK(!(r->range.last >> dmar->address_width));
	}
	if (r->type == UIOMMU_DMAR_ANDD) {
		CHECK(r->name_length && r->name_offset > r->offset);
		CHECK(!dmar->table[r->name_offset + r->name_length]);
	}
}

static void check_finding(const struct reading *r, uint32_t index)
{
	const struct uiommu_dmar_finding *f = &r->dmar.findings[index];
	char text[160], cut[16];
	size_t length = uiommu_dmar_finding_text(f, text, sizeof(text));

	CHECK(f->id < DMAR_FINDING_COUNT);
	CHECK(length == strlen(text) && strstr(text, "; "));
	CHECK(uiommu_dmar_finding_text(f, cut, sizeof(cut)) == length);
	CHECK(strncmp(cut, text, sizeof(cut) - 1) == 0);
	if (r->err)
		return;
	CHECK(f->offset <= r->dmar.size);
	if (f->record == UIOMMU_DMAR_NONE)
		return;
	CHECK(f->record < r->dmar.record_count);
	CHECK(f->offset - r->dmar.records[f->record].offset <
	      r->dmar.records[f->record].length);
	if (index && r->dmar.findings[index - 1].record != UIOMMU_DMAR_NONE)
		CHECK(r->dmar.findings[index - 1].record <= f->record);
}

void reading_check(const struct reading *r)
{
	const struct uiommu_dmar *dmar = &r->dmar;
	uint32_t at = TABLE_HEADER;
	uint32_t scope = 0, first = 0;

	CHECK(r->err == UIOMMU_OK || r->err == UIOMMU_EBADTABLE);
	CHECK(!dmar->findings_dropped);
	for (uint32_t i = 0; i < dmar->finding_count; i++)
		check_finding(r, i);
	if (r->err) {
		CHECK(!dmar->table && !dmar->record_count);
		CHECK(!dmar->scope_count && dmar->finding_count);
		CHECK(dmar->findings[dmar->finding_count - 1].severity ==
		      UIOMMU_ERROR);
		return;
	}
	CHECK(dmar->table == r->table);
	CHECK(dmar->address_width >= 12 && dmar->address_width <= 52);
	CHECK(strlen(dmar->oem_id) <= 6 && strlen(dmar->oem_table_id) <= 8);
	for (uint32_t i = 0; i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *record = &dmar->records[i];
		uint32_t scope_at = record->offset;

		CHECK(record->offset == at);
		at += record->length;
		while (first < dmar->finding_count &&
		       dmar->findings[first].record != i &&
		       dmar->findings[first].offset < at)
			first++;
		check_record(dmar, i, first);
		if (record->scope_count)
			CHECK(record->scope_first == scope);
		for (uint32_t k = 0; k < record->scope_count; k++)
			check_scope(dmar, scope++, i, &scope_at, &first);
	}
	CHECK(scope == dmar->scope_count);
}
