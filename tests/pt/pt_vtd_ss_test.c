// SPDX-License-Identifier: MIT
/* Second, independent transcription of the entries' bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pt/pt_vtd_ss.h"

/* As the specification's tables of the SS-PTE, SS-PDE and SS-PDPTE print it. */
static void bits_as_printed(void **state)
{
	static const struct {
		const char *name;
		uint64_t mask;
		unsigned int hi, lo;
	} fields[] = {
		{ "R: Read", VTD_SS_READ, 0, 0 },
		{ "W: Write", VTD_SS_WRITE, 1, 1 },
		{ "PS: Page Size", VTD_SS_PS, 7, 7 },
		{ "SNP: Snoop", VTD_SS_SNP, 11, 11 },
		{ "ADDR: Address", VTD_SS_ADDRESS, 51, 12 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(fields) / sizeof(fields[0]); n++) {
		uint64_t want = 0;

		for (unsigned int bit = fields[n].lo; bit <= fields[n].hi;
		     bit++)
			want |= UINT64_C(1) << bit;
		if (fields[n].mask != want)
			fail_msg("%s", fields[n].name);
	}
}

static void entries_as_printed(void **state)
{
	(void)state;
	assert_int_equal(pt_fmt_table(0x12345000), 0x12345003);
	assert_int_equal(pt_fmt_leaf(UIOMMU_PROT_READ, 0), 0x1);
	assert_int_equal(pt_fmt_leaf(UIOMMU_PROT_WRITE, 0), 0x2);
	assert_int_equal(pt_fmt_leaf(3, 1), 0x83);
	assert_int_equal(pt_fmt_leaf(3, 2), 0x83);
	assert_int_equal(pt_fmt_address(0xffffffffff000), 0xffffffffff000);
	assert_int_equal(pt_fmt_paddr(~UINT64_C(0)), 0xffffffffff000);
	assert_int_equal(pt_fmt_prot(0x1), UIOMMU_PROT_READ);
	assert_int_equal(pt_fmt_prot(0x2), UIOMMU_PROT_WRITE);
	assert_int_equal(pt_fmt_prot(0xffc), 0);
	assert_int_equal(PT_FMT_PRESENT, 0x3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_as_printed),
		cmocka_unit_test(entries_as_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
