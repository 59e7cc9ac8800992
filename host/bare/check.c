// SPDX-License-Identifier: MIT
/* Collects what was found right or wrong, and says it again at the end. */
#include "bare.h"

#define MAX_CHECKS 160
#define TEXT_SIZE 96

static struct {
	bool ok;
	char text[TEXT_SIZE];
} checks[MAX_CHECKS];
static unsigned int count;
static unsigned int failed;
static unsigned int passed_before;
static unsigned int failed_before;

void check(bool ok, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, fmt);
	vprint_to(text, sizeof(text), fmt, args);
	va_end(args);
	print("  %s: %s\n", ok ? "ok" : "NOT OK", text);
	if (!ok)
		failed++;
	if (count < MAX_CHECKS) {
		checks[count].ok = ok;
		memcpy(checks[count].text, text, sizeof(text));
	}
	count++;
}

void check_abort(void)
{
	print("uiommu: %u passed, %u failed\n", passed_before + count - failed,
	      failed_before + failed + 1);
}

void check_counts(uint32_t *passed, uint32_t *not_passed)
{
	*passed = count - failed;
	*not_passed = failed;
}

void check_before(uint32_t passed, uint32_t not_passed)
{
	passed_before = passed;
	failed_before = not_passed;
}

bool check_summary(void)
{
	print("\nsummary\n");
	for (unsigned int i = 0; i < count && i < MAX_CHECKS; i++)
		print("  %-6s %s\n", checks[i].ok ? "ok" : "NOT OK",
		      checks[i].text);
	if (passed_before + failed_before)
		print("  before the crash: %u passed, %u failed\n",
		      passed_before, failed_before);
	print("uiommu: %u passed, %u failed\n", passed_before + count - failed,
	      failed_before + failed);
	return failed_before + failed == 0 && count > 0;
}
