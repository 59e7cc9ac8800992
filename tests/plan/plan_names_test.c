// SPDX-License-Identifier: MIT
/*
 * The rules by name: each stands in the documentation as one row of a table,
 * and no row is about a rule that does not exist.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

#define RULES_MOST 1000

static const char *docs_path;

static bool is_rule(const char *name)
{
	unsigned int rule;

	for (rule = 0; rule < RULES_MOST; rule++) {
		if (strcmp(uiommu_rule_name((enum uiommu_rule)rule), name) == 0)
			return true;
	}
	return false;
}

/* The first cell of a row; empty if @line is none. */
static void first_cell(const char *line, char cell[64])
{
	cell[0] = 0;
	if (sscanf(line, "| %63[A-Z_] |", cell) != 1)
		cell[0] = 0;
}

static bool has_family(const char *name)
{
	return strncmp(name, "UNIT_", 5) == 0 ||
	       strncmp(name, "GROUP_", 6) == 0 ||
	       strncmp(name, "TYPE_", 5) == 0 ||
	       strncmp(name, "REGION_", 7) == 0;
}

/* How many rows of the documentation are about @name; NULL: any unknown. */
static unsigned int rows(const char *name)
{
	FILE *file = fopen(docs_path, "r");
	char line[2000], cell[64];
	unsigned int count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		assert_non_null(strchr(line, '\n'));
		first_cell(line, cell);
		if (name != NULL)
			count += strcmp(cell, name) == 0;
		else if (has_family(cell) && !is_rule(cell))
			fail_msg("%s is documented but no rule", cell);
	}
	fclose(file);
	return count;
}

static void test_documented(void **state)
{
	unsigned int rule;

	(void)state;
	for (rule = 0; rule < RULES_MOST; rule++) {
		const char *name = uiommu_rule_name((enum uiommu_rule)rule);

		if (strcmp(name, "UNKNOWN") == 0)
			break;
		if (!has_family(name) || rows(name) != 1)
			fail_msg("%u rows about %s", rows(name), name);
	}
	assert_int_equal(rule, UIOMMU_RULE_REGION_NOT_USER + 1);
	rows(NULL);
}

static void test_names(void **state)
{
	unsigned int i, k;

	(void)state;
	assert_string_equal(uiommu_rule_name(UIOMMU_RULE_UNIT_SCOPE),
			    "UNIT_SCOPE");
	assert_string_equal(uiommu_rule_name(UIOMMU_RULE_GROUP_ALONE),
			    "GROUP_ALONE");
	assert_string_equal(uiommu_rule_name(UIOMMU_RULE_TYPE_MASK),
			    "TYPE_MASK");
	assert_string_equal(uiommu_rule_name(UIOMMU_RULE_REGION_NOT_USER),
			    "REGION_NOT_USER");
	assert_string_equal(uiommu_rule_name((enum uiommu_rule) - 1),
			    "UNKNOWN");
	for (i = 0; i <= UIOMMU_RULE_REGION_NOT_USER; i++) {
		for (k = 0; k < i; k++)
			assert_string_not_equal(
				uiommu_rule_name((enum uiommu_rule)i),
				uiommu_rule_name((enum uiommu_rule)k));
	}
}

static void test_reasons_of_one(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_plan *plan = &machine->plan;
	const struct uiommu_reason *first;
	uint32_t next = 0;
	uint32_t i, k, count;

	machine_drhd(machine, 1);
	fake_add(machine->host, fake_sid(0, 1, 0), 0x10008086, 0x020000, 0);
	fake_add(machine->host, fake_sid(0, 2, 0), 0x10008086, 0x060100, 0);
	machine_plan(machine);
	for (i = 0; i < plan->device_count; i++) {
		count = uiommu_plan_reasons(plan, i, &first);
		assert_true(count >= 4);
		assert_ptr_equal(first, &plan->reasons[next]);
		for (k = 0; k < count; k++)
			assert_int_equal(first[k].device, i);
		next += count;
	}
	assert_int_equal(next, plan->reason_count);
	assert_int_equal(uiommu_plan_reasons(plan, i, &first), 0);
	assert_null(first);
	assert_int_equal(uiommu_plan_reasons(plan, UIOMMU_PLAN_NONE, &first),
			 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documented),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(
			test_reasons_of_one, machine_setup, machine_teardown),
	};

	if (argc != 2)
		return 2;
	docs_path = argv[1];
	return cmocka_run_group_tests_name("plan names", tests, NULL, NULL);
}
