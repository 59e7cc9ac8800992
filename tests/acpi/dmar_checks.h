/* SPDX-License-Identifier: MIT */
/*
 * One table by hand for each check of the DMAR reader, and what is to be said
 * of it. Severity and words are written a second time.
 */
#ifndef TESTS_DMAR_CHECKS_H
#define TESTS_DMAR_CHECKS_H

#include "acpi/dmar_findings.h"
#include "dmar_table.h"

enum effect {
	NO_TABLE,
	TABLE_USED,
	UNUSED, /* the record at the finding's... */
	USED,
	SCOPE_UNUSED, /* ...or the scope */
	SCOPE_USED,
};

struct check {
	enum uiommu_dmar_finding_id id;
	enum uiommu_severity severity;
	enum effect effect;
	uint32_t offset; /* of the finding */
	void (*build)(struct table *t);
	const char *text;
};

extern const struct check checks[];
extern const size_t check_count;

#endif /* TESTS_DMAR_CHECKS_H */
