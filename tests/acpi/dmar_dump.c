// SPDX-License-Identifier: MIT
/*
 * Prints what the reader makes of tables, for comparison: dmar_dump FILE...
 *
 * One line a thing, "word key=value...", numbers in hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dmar_table.h"

#define TABLE_MAX 65536u

static void dump_scope(const struct uiommu_dmar *dmar,
		       const struct uiommu_dmar_scope *s)
{
	uint8_t device, function;

	printf("scope offset=%x type=%x flags=%x id=%x bus=%x usable=%d path=",
	       s->offset, s->type, s->flags, s->enumeration_id, s->start_bus,
	       s->usable);
	for (unsigned int hop = 0; hop < s->path_count; hop++) {
		if (uiommu_dmar_path(dmar, s, hop, &device, &function))
			abort();
		printf("%s%x.%x", hop ? "," : "", device, function);
	}
	printf("\n");
}

static void dump_record(const struct uiommu_dmar *dmar,
			const struct uiommu_dmar_record *r)
{
	printf("record offset=%x length=%x type=%x usable=%d", r->offset,
	       r->length, r->type, r->usable);
	switch (r->type) {
	case UIOMMU_DMAR_RHSA:
		printf(" base=%llx domain=%x", (unsigned long long)r->base,
		       r->proximity_domain);
		break;
	case UIOMMU_DMAR_ANDD:
		printf(" number=%x name=%.*s", r->device_number,
		       (int)r->name_length,
		       (const char *)dmar->table + r->name_offset);
		break;
	default:
		printf(" segment=%x flags=%x first=%llx last=%llx", r->segment,
		       r->flags, (unsigned long long)r->range.first,
		       (unsigned long long)r->range.last);
	}
	printf("\n");
	for (uint32_t i = 0; i < r->scope_count; i++)
		dump_scope(dmar, &dmar->scopes[r->scope_first + i]);
}

static void dump_findings(const struct uiommu_dmar *dmar)
{
	static const char *const severities[] = { "note", "warning", "error" };
	char text[160];

	for (uint32_t i = 0; i < dmar->finding_count; i++) {
		const struct uiommu_dmar_finding *f = &dmar->findings[i];

		uiommu_dmar_finding_text(f, text, sizeof(text));
		printf("finding severity=%s offset=%x text=%s\n",
		       severities[f->severity], f->offset, text);
	}
}

static int dump(const char *name)
{
	static uint8_t bytes[TABLE_MAX];
	struct reading r;
	FILE *file = fopen(name, "rb");
	size_t size;

	if (!file) {
		perror(name);
		return 1;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	reading_init(&r, bytes, size);
	printf("file name=%s\n", name);
	printf("table err=%d size=%x revision=%x width=%x flags=%x\n", r.err,
	       r.dmar.size, r.dmar.revision, r.dmar.address_width,
	       r.dmar.flags);
	printf("oem id=%s\n", r.dmar.oem_id);
	printf("oem_table id=%s\n", r.dmar.oem_table_id);
	for (uint32_t i = 0; i < r.dmar.record_count; i++)
		dump_record(&r.dmar, &r.dmar.records[i]);
	dump_findings(&r.dmar);
	reading_fini(&r);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= dump(argv[i]);
	return failed;
}
