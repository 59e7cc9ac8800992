// SPDX-License-Identifier: MIT
/* The host in user space keeps what every port promises. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "conformance.h"
#include "machine.h"

static void test_conformance(void **state)
{
	static struct machine machine;
	struct uiommu_conformance what = { .pci = true };

	(void)state;
	machine_describe(&machine);
	machine_build(&machine);
	what.unit = machine.config.units[0].base;
	what.present = MACHINE_NVME;
	what.absent = MACHINE_SID(9, 0, 0);
	assert_int_equal(uiommu_conformance(machine.host, &what), 0);
	assert_int_equal(machine.host->pages, 0);
	assert_int_equal(machine.host->windows, 0);
	assert_int_equal(machine.host->locks, 0);
	user_host_destroy(machine.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conformance),
	};

	return cmocka_run_group_tests_name("core host", tests, NULL, NULL);
}
