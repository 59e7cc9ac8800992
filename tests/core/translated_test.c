// SPDX-License-Identifier: MIT
/*
 * Built without identity tables: a unit that cannot pass anything through
 * translates, whatever the policy. On the software VT-d.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

static const struct uiommu_range ram = { 0, 0x3fffffff };

static void test_translated(void **state)
{
	static struct machine machine;

	(void)state;
	machine_describe(&machine);
	machine.config.units[0].model.pt = false;
	machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	machine.options.ram = &ram;
	machine.options.ram_count = 1;
	machine_up(&machine);
	assert_int_equal(uiommu_domain_type(uiommu_group_default_domain(
				 machine_group(&machine, MACHINE_ALONE))),
			 UIOMMU_DOMAIN_DMA);
	assert_int_equal(uiommu_domain_table_pages(
				 uiommu_identity_domain(machine.uiommu)),
			 0);
	assert_int_equal(
		uiommu_group_set_type(machine_group(&machine, MACHINE_ALONE),
				      UIOMMU_DOMAIN_IDENTITY),
		UIOMMU_EPERM);
	machine_down(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translated),
	};

	return cmocka_run_group_tests_name("core translated", tests, NULL,
					   NULL);
}
