// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pt_subject.h"

static struct random seeded;

static void run_all(const struct pt_subject *subject)
{
	static const uint64_t sizes[] = { 0x1000, 0x201000, 0x40201000 };

	for (unsigned int levels = 3; levels <= 5; levels++)
		for (unsigned int n = 0; n < 3; n++)
			for (unsigned int coherent = 0; coherent < 2;
			     coherent++)
				pt_random_run(subject, levels, sizes[n],
					      coherent, &seeded, 400);
}

static void vtd_ss_against_flat_array(void **state)
{
	(void)state;
	run_all(&pt_vtd_ss);
}

static void toy_against_flat_array(void **state)
{
	(void)state;
	run_all(&pt_toy);
}

struct other_cpu {
	struct uiommu_pt *pt;
	unsigned int calls;
};

static void map_beside(void *arg)
{
	struct uiommu_range range = { 0x5000, 0x5fff };
	struct other_cpu *other = arg;
	struct uiommu_gather gather;

	other->calls++;
	uiommu_gather_init(&gather);
	assert_int_equal(pt_toy.map(other->pt, range, 0x7000, 3, 0, &gather),
			 0);
}

static void look(struct uiommu_pt *pt, unsigned int how)
{
	struct uiommu_range range = { 0x1000, 0x3fff };
	struct uiommu_gather gather;
	uint64_t unmapped = 77;
	uiommu_paddr_t paddr;
	uiommu_iova_t iova;

	uiommu_gather_init(&gather);
	if (how == 0) {
		assert_int_equal(pt_toy.unmap(pt, range, 0, &gather, &unmapped),
				 0);
		assert_int_equal(unmapped, 0);
		assert_int_equal(gather.count, 0);
	} else if (how == 1) {
		assert_int_equal(pt_toy.lookup(pt, 0x1000, &paddr, NULL),
				 UIOMMU_ENOENT);
	} else if (how == 2) {
		assert_int_equal(pt_toy.find(pt, range, true, &iova),
				 UIOMMU_ENOENT);
	} else {
		assert_int_equal(pt_toy.map(pt, range, 0x9000, 3, 0, &gather),
				 0);
	}
}

/*
 * Between a look at a link and one at its entry another CPU makes a table for
 * its own range there: the entry is not to be taken for a leaf of ours.
 */
static void table_appears_meanwhile(void **state)
{
	struct uiommu_pt_config config = {
		.format = UIOMMU_PT_VTD_SS,
		.levels = 3,
		.width = 39,
		.page_sizes = 0x201000,
		.paddr_last = (UINT64_C(1) << 52) - 1,
		.leaf_bits = pt_toy.leaf_bits,
		.coherent = true,
	};

	(void)state;
	for (unsigned int how = 0; how < 4; how++) {
		struct uiommu_host host;
		struct uiommu_pt pt;
		struct other_cpu other = { &pt, 0 };
		uiommu_paddr_t paddr = 0;

		fake_host_init(&host, false);
		assert_int_equal(uiommu_pt_init(&pt, &host, &config), 0);
		pt_toy_before_read_arg = &other;
		pt_toy_before_read = map_beside;
		look(&pt, how);
		assert_int_equal(other.calls, 1);
		assert_int_equal(pt_toy.lookup(&pt, 0x5000, &paddr, NULL), 0);
		assert_int_equal(paddr, 0x7000);
		assert_int_equal(
			pt_walk_hardware(&host, &pt_toy, &pt, 0x5000, &paddr),
			3);
		uiommu_pt_fini(&pt);
		fake_host_fini(&host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd_ss_against_flat_array),
		cmocka_unit_test(toy_against_flat_array),
		cmocka_unit_test(table_appears_meanwhile),
	};

	random_init(&seeded, "pt random");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
