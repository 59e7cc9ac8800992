// SPDX-License-Identifier: MIT
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/error.h>

#include "base/format.h"

static char logged[512];
static enum uiommu_log_level logged_level;

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	logged_level = level;
	snprintf(logged, sizeof(logged), "%s", line);
}

/* The same directive through libc is the oracle. */
#define SAME(...)                                                             \
	do {                                                                  \
		char ours[128], theirs[128];                                  \
		size_t used = uiommu_format(ours, sizeof(ours), __VA_ARGS__); \
		int want = snprintf(theirs, sizeof(theirs), __VA_ARGS__);     \
		assert_string_equal(ours, theirs);                            \
		assert_int_equal(used, want);                                 \
	} while (0)

static void numbers_as_libc(void **state)
{
	static const long long values[] = {
		0, 1, -1, 9, 10, 255, INT_MAX, INT_MIN, LLONG_MAX, LLONG_MIN,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		SAME("%d %u %x", (int)values[i], (unsigned int)values[i],
		     (unsigned int)values[i]);
		SAME("[%8d] [%08d] [%04x] [%2u]", (int)values[i],
		     (int)values[i], (unsigned int)values[i],
		     (unsigned int)values[i]);
		SAME("%ld %lu %lx", (long)values[i], (unsigned long)values[i],
		     (unsigned long)values[i]);
		SAME("%lld %llu %016llx", values[i],
		     (unsigned long long)values[i],
		     (unsigned long long)values[i]);
	}
}

static void text_as_libc(void **state)
{
	(void)state;
	SAME("%s|%c|%%|%s", "one", 'x', "");
	SAME("plain");
}

static void width_pads_strings_on_the_right(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(uiommu_format(text, sizeof(text), "%4s|", "ab"), 5);
	assert_string_equal(text, "ab  |");
}

static void null_string_is_named(void **state)
{
	char text[16];
	const char *volatile none = NULL; /* unseen by the compiler */

	(void)state;
	uiommu_format(text, sizeof(text), "%s", none);
	assert_string_equal(text, "(null)");
}

static void cut_text_is_terminated(void **state)
{
	char text[8];

	(void)state;
	memset(text, 'z', sizeof(text));
	assert_int_equal(uiommu_format(text, 4, "%s", "abcdef"), 6);
	assert_string_equal(text, "abc");
	assert_int_equal(text[4], 'z');
	assert_int_equal(uiommu_format(text, 0, "%u", 7u), 1);
	assert_int_equal(text[0], 'a');
}

static void unknown_directive_stays(void **state)
{
	char text[16];
	const char *fmt = "100%p %";

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	uiommu_format(text, sizeof(text), fmt);
#pragma GCC diagnostic pop
	assert_string_equal(text, "100%p %");
}

static void log_line_is_cut_at_255(void **state)
{
	char lots[400];

	(void)state;
	memset(lots, 'a', sizeof(lots) - 1);
	lots[sizeof(lots) - 1] = '\0';
	uiommu_log(NULL, UIOMMU_LOG_WARN, "%s", lots);
	assert_int_equal(strlen(logged), 255);
	assert_int_equal(logged_level, UIOMMU_LOG_WARN);
}

static void sid_prints_as_lspci_does(void **state)
{
	struct uiommu_sid sid = { .segment = 0, .rid = 0x1ffa };
	char text[24];

	(void)state;
	uiommu_format(text, sizeof(text), UIOMMU_SID_FMT, UIOMMU_SID_ARGS(sid));
	assert_string_equal(text, "0000:1f:1f.2");
}

static void every_error_has_words(void **state)
{
	static const int errors[] = {
		UIOMMU_EPERM,	  UIOMMU_ENOENT,    UIOMMU_EIO,
		UIOMMU_ENOMEM,	  UIOMMU_EBUSY,	    UIOMMU_EEXIST,
		UIOMMU_ENODEV,	  UIOMMU_EINVAL,    UIOMMU_ENOSPC,
		UIOMMU_ERANGE,	  UIOMMU_EBADTABLE, UIOMMU_ENOTSUP,
		UIOMMU_ETIMEDOUT,
	};
	size_t n = sizeof(errors) / sizeof(errors[0]);

	(void)state;
	assert_string_equal(uiommu_strerror(-9999), "unknown error");
	assert_string_equal(uiommu_strerror(1), "unknown error");
	for (size_t i = 0; i < n; i++) {
		assert_string_not_equal(uiommu_strerror(errors[i]),
					"unknown error");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(uiommu_strerror(errors[i]),
						uiommu_strerror(errors[j]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_as_libc),
		cmocka_unit_test(text_as_libc),
		cmocka_unit_test(width_pads_strings_on_the_right),
		cmocka_unit_test(null_string_is_named),
		cmocka_unit_test(cut_text_is_terminated),
		cmocka_unit_test(unknown_directive_stays),
		cmocka_unit_test(log_line_is_cut_at_255),
		cmocka_unit_test(sid_prints_as_lspci_does),
		cmocka_unit_test(every_error_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
