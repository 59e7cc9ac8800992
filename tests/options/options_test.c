// SPDX-License-Identifier: MIT
/* What people write on a command line, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/options.h>

#define YES UIOMMU_CHOICE_YES
#define NO UIOMMU_CHOICE_NO

static const struct {
	const char *text;
	struct uiommu_options want;
	uint32_t findings;
	enum uiommu_options_problem problem; /* of the first */
	size_t offset;
} cases[] = {
	{ "", { 0 }, 0, 0, 0 },
	{ "quiet root=/dev/sda1 ro", { 0 }, 0, 0, 0 },
	{ "iommu=pt", { .passthrough = YES }, 0, 0, 0 },
	{ "iommu=pt iommu=nopt", { .passthrough = NO }, 0, 0, 0 },
	{ "iommu.passthrough=0 iommu=pt", { .passthrough = YES }, 0, 0, 0 },
	{ "iommu=pt iommu.passthrough=off", { .passthrough = NO }, 0, 0, 0 },
	{ "iommu.strict=1", { .strict = YES }, 0, 0, 0 },
	{ "iommu.strict=0 intel_iommu=strict", { .strict = YES }, 0, 0, 0 },
	{ "intel_iommu=strict iommu.strict=0", { .strict = YES }, 0, 0, 0 },
	{ "intel_iommu=on,igfx_off",
	  { .remapping = YES, .igfx_off = true },
	  0,
	  0,
	  0 },
	{ "intel_iommu=on intel_iommu=off", { .remapping = NO }, 0, 0, 0 },
	{ "intel_iommu=sp_off,sm_on",
	  { .superpages = NO, .scalable = YES },
	  0,
	  0,
	  0 },
	{ "iommu=off", { .off = true }, 0, 0, 0 },
	{ "intel-iommu=on", { .remapping = YES }, 0, 0, 0 },
	{ "\"iommu=pt\"", { .passthrough = YES }, 0, 0, 0 },
	{ "a=\"b iommu=pt\"", { 0 }, 0, 0, 0 },
	{ "-- iommu=pt", { 0 }, 0, 0, 0 },
	{ "iommu=ptt", { 0 }, 1, UIOMMU_OPTIONS_UNKNOWN, 6 },
	{ "x iommu=pt,what",
	  { .passthrough = YES },
	  1,
	  UIOMMU_OPTIONS_UNKNOWN,
	  11 },
	{ "iommu.strict=maybe", { 0 }, 1, UIOMMU_OPTIONS_BAD_BOOL, 13 },
	{ "iommu.passthrough=", { 0 }, 1, UIOMMU_OPTIONS_NO_VALUE, 18 },
	{ "intel_iommu", { 0 }, 1, UIOMMU_OPTIONS_NO_VALUE, 11 },
	{ "iommu=soft", { 0 }, 1, UIOMMU_OPTIONS_UNUSED, 6 },
	{ "iommu.nothing=1", { 0 }, 1, UIOMMU_OPTIONS_UNKNOWN, 0 },
};

static void same(const struct uiommu_options *a, const struct uiommu_options *b)
{
	assert_int_equal(a->passthrough, b->passthrough);
	assert_int_equal(a->strict, b->strict);
	assert_int_equal(a->remapping, b->remapping);
	assert_int_equal(a->superpages, b->superpages);
	assert_int_equal(a->scalable, b->scalable);
	assert_int_equal(a->isa_range, b->isa_range);
	assert_int_equal(a->off, b->off);
	assert_int_equal(a->igfx_off, b->igfx_off);
	assert_int_equal(a->tboot_noforce, b->tboot_noforce);
}

static void command_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uiommu_options_finding finding = { 0 };
		struct uiommu_options options = { 0 };
		size_t size = strlen(cases[i].text);
		/* No NUL behind it: reading on would be seen. */
		char *text = malloc(size + !size);
		uint32_t found;

		memcpy(text, cases[i].text, size);
		print_message("%s\n", cases[i].text);
		found = uiommu_options_parse(text, size, &options, &finding, 1);
		assert_int_equal(found, cases[i].findings);
		same(&options, &cases[i].want);
		if (found) {
			assert_int_equal(finding.problem, cases[i].problem);
			assert_int_equal(finding.offset, cases[i].offset);
			assert_non_null(
				uiommu_options_problem_text(finding.problem));
		}
		free(text);
	}
}

/* Any bytes end, and findings stay inside the text. */
static void garbage(void **state)
{
	static const char letters[] = "iommu=,pt.\" -_offn1\t";
	uint32_t seed = 20261123;

	(void)state;
	print_message("seed %u\n", (unsigned int)seed);
	for (unsigned int round = 0; round < 20000; round++) {
		struct uiommu_options_finding findings[4];
		struct uiommu_options options = { 0 };
		size_t size = seed % 60;
		char *text = malloc(size + !size);
		uint32_t found;

		for (size_t i = 0; i < size; i++) {
			seed = seed * 1664525u + 1013904223u;
			text[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		seed = seed * 1664525u + 1013904223u;
		found = uiommu_options_parse(text, size, &options, findings, 4);
		for (uint32_t i = 0; i < found && i < 4; i++) {
			assert_true(findings[i].offset <= size);
			assert_true(findings[i].length <=
				    size - findings[i].offset);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
