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
	print("uiommu: %u passed, %u failed\n", count - failed, failed + 1);
}

bool check_summary(void)
{
	print("\nsummary\n");
	for (unsigned int i = 0; i < count && i < MAX_CHECKS; i++)
		print("  %-6s %s\n", checks[i].ok ? "ok" : "NOT OK",
		      checks[i].text);
	print("uiommu: %u passed, %u failed\n", count - failed, failed);
	return failed == 0 && count > 0;
}
