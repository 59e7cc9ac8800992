// SPDX-License-Identifier: MIT
/* Each check of the reader, on the table made for it in dmar_checks.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmar_checks.h"

#define MAX_TESTS 200

static const struct uiommu_dmar_record *record_at(const struct uiommu_dmar *d,
						  uint32_t offset)
{
	for (uint32_t i = 0; i < d->record_count; i++)
		if (offset - d->records[i].offset < d->records[i].length)
			return &d->records[i];
	return NULL;
}

static const struct uiommu_dmar_scope *scope_at(const struct uiommu_dmar *d,
						uint32_t offset)
{
	for (uint32_t i = 0; i < d->scope_count; i++)
		if (offset - d->scopes[i].offset < 8)
			return &d->scopes[i];
	return NULL;
}

static void check_effect(const struct check *check, const struct reading *r)
{
	const struct uiommu_dmar *d = &r->dmar;
	const struct uiommu_dmar_record *record = record_at(d, check->offset);
	const struct uiommu_dmar_scope *scope = scope_at(d, check->offset);

	switch (check->effect) {
	case NO_TABLE:
		assert_int_equal(r->err, UIOMMU_EBADTABLE);
		return;
	case TABLE_USED:
		assert_int_equal(d->findings[0].record, UIOMMU_DMAR_NONE);
		break;
	case UNUSED:
	case USED:
		assert_non_null(record);
		assert_int_equal(record->usable, check->effect == USED);
		assert_ptr_equal(record, &d->records[d->findings[0].record]);
		break;
	case SCOPE_UNUSED:
	case SCOPE_USED:
		assert_non_null(scope);
		assert_int_equal(scope->usable, check->effect == SCOPE_USED);
		assert_true(d->records[scope->record].usable);
		break;
	}
	assert_int_equal(r->err, UIOMMU_OK);
}

/* Those that spoil what is sealed must not be sealed after. */
static bool seals(const struct check *check)
{
	return check->effect != NO_TABLE || check->id == DMAR_TABLE_WIDTH_SMALL;
}

static void test_check(void **state)
{
	const struct check *check = *state;
	struct uiommu_dmar_finding *finding;
	static struct table t;
	struct reading r;
	char text[160];

	check->build(&t);
	if (seals(check))
		table_seal(&t);
	else if (!t.bytes[4] && !t.bytes[5])
		table_set(&t, 4, t.size, 4);
	reading_init(&r, t.bytes, t.size);

	assert_int_equal(r.dmar.finding_count, 1);
	finding = &r.dmar.findings[0];
	assert_int_equal(finding->id, check->id);
	assert_int_equal(finding->severity, check->severity);
	assert_int_equal(finding->offset, check->offset);
	uiommu_dmar_finding_text(finding, text, sizeof(text));
	assert_string_equal(text, check->text);
	check_effect(check, &r);
	reading_fini(&r);
}

/* A check nobody tests is as good as none. */
static void test_every_check_is_here(void **state)
{
	static const char *const names[] = {
#define NAME(name, severity, text) #name,
		DMAR_FINDINGS(NAME)
	};
	unsigned int missing = 0;

	(void)state;
	for (unsigned int id = 0; id < DMAR_FINDING_COUNT; id++) {
		bool here = false;

		for (size_t i = 0; i < check_count; i++)
			here |= checks[i].id == id;
		if (!here)
			print_error("no test for %s\n", names[id]);
		missing += !here;
	}
	assert_int_equal(missing, 0);
}

static void test_unknown_finding_has_words(void **state)
{
	struct uiommu_dmar_finding finding = { .id = DMAR_FINDING_COUNT };
	char text[160];

	(void)state;
	uiommu_dmar_finding_text(&finding, text, sizeof(text));
	assert_non_null(strstr(text, "unknown finding"));
	assert_true(uiommu_dmar_finding_text(&finding, NULL, 0) > 0);
}

/* The header promises that 160 bytes hold any. */
static void test_longest_words(void **state)
{
	struct uiommu_dmar_finding finding = {
		.value = { UINT64_MAX, UINT64_MAX },
	};
	char text[160];

	(void)state;
	for (; finding.id < DMAR_FINDING_COUNT; finding.id++)
		assert_in_range(
			uiommu_dmar_finding_text(&finding, text, sizeof(text)),
			1, sizeof(text) - 1);
}

int main(void)
{
	static struct CMUnitTest tests[MAX_TESTS];
	size_t count = 0;

	if (check_count > MAX_TESTS - 3)
		abort();
	for (; count < check_count; count++)
		tests[count] = (struct CMUnitTest){
			.name = checks[count].text,
			.test_func = test_check,
			.initial_state = (void *)(uintptr_t)&checks[count],
		};
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		test_every_check_is_here);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		test_unknown_finding_has_words);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		test_longest_words);
	return _cmocka_run_group_tests("dmar findings", tests, count, NULL,
				       NULL);
}
