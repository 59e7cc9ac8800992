// SPDX-License-Identifier: MIT
/*
 * The template as it is copied: it links, and before anything is filled in it
 * fails with an error and a reason, never by a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uiommu/uiommu.h>

#include "conformance.h"
#include "host.h"

static void fresh_copy_start_fails(void **state)
{
	static const uint8_t table[48] = "DMAR";
	struct uiommu_host host = { .dmar = table, .dmar_size = sizeof(table) };

	(void)state;
	assert_true(template_iommu_start(&host) < 0);
}

static void fresh_copy_without_table_fails(void **state)
{
	struct uiommu_host host = { 0 };

	(void)state;
	assert_int_equal(template_iommu_start(&host), UIOMMU_EINVAL);
}

static void fresh_copy_fails_conformance(void **state)
{
	struct uiommu_host host = { 0 };
	struct uiommu_conformance machine = { .unit = 0xfed90000, .pci = true };

	(void)state;
	/* Clock, pages, clean, 16 bytes, registers, PCI; locks stand in. */
	assert_int_equal(uiommu_conformance(&host, &machine), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_copy_start_fails),
		cmocka_unit_test(fresh_copy_without_table_fails),
		cmocka_unit_test(fresh_copy_fails_conformance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
