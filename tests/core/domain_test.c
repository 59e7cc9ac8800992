// SPDX-License-Identifier: MIT
/* Domains a host owns: mapping by address, and its failures. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "fake.h"
#include "machine.h"

#define MIB 0x100000ull
#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);

struct fixture {
	struct machine machine;
	struct uiommu_group *group;
	struct uiommu_domain *domain;
};

static void bring_up(struct fixture *f)
{
	machine_up(&f->machine);
	f->group = machine_group(&f->machine, alone);
	assert_int_equal(uiommu_domain_create(&f->group, 1, &f->domain),
			 UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(f->group, f), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(f->group, f, f->domain),
			 UIOMMU_OK);
}

static void take_down(struct fixture *f)
{
	assert_int_equal(uiommu_group_release(f->group, f), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(f->machine.uiommu, f->domain),
			 UIOMMU_OK);
	machine_down(&f->machine);
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fake_reset();
	machine_describe(&fixture.machine);
	*state = &fixture;
	return 0;
}

static struct uiommu_range range(uint64_t first, uint64_t size)
{
	return (struct uiommu_range){ first, first + size - 1 };
}

static void test_kinds(void **state)
{
	struct fixture *f = *state;
	struct uiommu_range aperture = { 1, 2 };
	struct uiommu_domain *identity, *blocked, *own;
	uiommu_paddr_t paddr = 7;

	bring_up(f);
	identity = uiommu_identity_domain(f->machine.uiommu);
	blocked = uiommu_blocked_domain(f->machine.uiommu);
	own = uiommu_group_default_domain(f->group);
	assert_int_equal(uiommu_domain_type(own), UIOMMU_DOMAIN_DMA);
	assert_int_equal(uiommu_domain_type(f->domain),
			 UIOMMU_DOMAIN_UNMANAGED);
	assert_int_equal(uiommu_domain_aperture(identity, &aperture),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_domain_aperture(blocked, &aperture),
			 UIOMMU_EINVAL);
	assert_int_equal(aperture.first, 1);
	assert_int_equal(uiommu_domain_aperture(f->domain, &aperture),
			 UIOMMU_OK);
	assert_int_equal(aperture.first, 0);
	assert_int_equal(aperture.last, UIOMMU_BIT64(48) - 1);

	assert_int_equal(uiommu_domain_map(own, range(0x1000, 0x1000), 0, RW),
			 UIOMMU_EPERM);
	assert_int_equal(uiommu_domain_unmap(identity, range(0, 0x1000), NULL),
			 UIOMMU_EPERM);
	assert_int_equal(uiommu_domain_lookup(blocked, 0x1234, &paddr),
			 UIOMMU_ENOENT);
	assert_int_equal(paddr, 7);
	assert_int_equal(uiommu_domain_lookup(identity, 0x1234, &paddr),
			 UIOMMU_OK);
	assert_int_equal(paddr, 0x1234);
	take_down(f);
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	uint64_t unmapped = 5;

	bring_up(f);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(0x800, 0x1000), 0, RW),
		UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(0x1000, 0x1000), 0x800, RW),
		UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(0x1000, 0x1000), 0, 0),
		UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(0x1000, 0x1000), 0, 4),
		UIOMMU_EINVAL);
	assert_int_equal(uiommu_domain_map(f->domain,
					   range(UIOMMU_BIT64(48), 0x1000), 0,
					   RW),
			 UIOMMU_ERANGE);
	assert_int_equal(
		uiommu_domain_unmap(f->domain, range(1, 0x1000), &unmapped),
		UIOMMU_EINVAL);
	assert_int_equal(unmapped, 5);
	take_down(f);
}

/* R72: every offset of a large page leads to its own byte. */
static void test_lookup_in_large_pages(void **state)
{
	struct fixture *f = *state;
	const uint64_t at = UIOMMU_BIT64(30);
	const uint64_t offsets[] = {
		0,	     1,	      0xfff,	 0x1000,	0x123456,
		2 * MIB - 1, 2 * MIB, 0x2345678, 512 * MIB + 3, 1024 * MIB - 1
	};
	uiommu_paddr_t paddr;

	bring_up(f);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(at, 1024 * MIB), 8 * at, RW),
		UIOMMU_OK);
	assert_int_equal(uiommu_domain_map(f->domain, range(4 * at, 2 * MIB),
					   2 * MIB, RW),
			 UIOMMU_OK);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		assert_int_equal(uiommu_domain_lookup(f->domain,
						      at + offsets[i], &paddr),
				 UIOMMU_OK);
		assert_int_equal(paddr, 8 * at + offsets[i]);
		if (offsets[i] >= 2 * MIB)
			continue;
		assert_int_equal(uiommu_domain_lookup(f->domain,
						      4 * at + offsets[i],
						      &paddr),
				 UIOMMU_OK);
		assert_int_equal(paddr, 2 * MIB + offsets[i]);
	}
	take_down(f);
}

/* R74: small pages, away, then a large one in their place. */
static void test_large_after_small(void **state)
{
	struct fixture *f = *state;
	uint64_t unmapped;
	uiommu_paddr_t paddr;

	bring_up(f);
	assert_int_equal(uiommu_domain_map(f->domain, range(2 * MIB, 0x1000),
					   0x5000, RW),
			 UIOMMU_OK);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(2 * MIB, 2 * MIB), 0, RW),
		UIOMMU_EEXIST);
	assert_int_equal(uiommu_domain_unmap(f->domain, range(2 * MIB, 0x1000),
					     &unmapped),
			 UIOMMU_OK);
	assert_int_equal(unmapped, 0x1000);
	assert_int_equal(uiommu_domain_map(f->domain, range(2 * MIB, 2 * MIB),
					   4 * MIB, RW),
			 UIOMMU_OK);
	assert_int_equal(
		uiommu_domain_lookup(f->domain, 2 * MIB + 0x1234, &paddr),
		UIOMMU_OK);
	assert_int_equal(paddr, 4 * MIB + 0x1234);
	take_down(f);
}

/* R77: 1024 pages across the boundary of a table; all of them go. */
static void test_unmap_across_tables(void **state)
{
	struct fixture *f = *state;
	const uint64_t at = 0x3fe00ull << 12;
	uiommu_paddr_t paddr;
	uint64_t unmapped;

	bring_up(f);
	for (uint64_t i = 0; i < 1024; i++)
		assert_int_equal(uiommu_domain_map(f->domain,
						   range(at + i * 4096, 4096),
						   (2000 - i) * 4096, RW),
				 UIOMMU_OK);
	assert_int_equal(uiommu_domain_unmap(f->domain, range(at, 1024 * 4096),
					     &unmapped),
			 UIOMMU_OK);
	assert_int_equal(unmapped, 1024 * 4096);
	for (uint64_t i = 0; i < 1024; i++)
		assert_int_equal(
			uiommu_domain_lookup(f->domain, at + i * 4096, &paddr),
			UIOMMU_ENOENT);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(at, 4 * MIB), 0, RW),
		UIOMMU_OK);
	take_down(f);
}

/* What the hardware is told covers what changed, also for parts and holes. */
static void test_invalidated(void **state)
{
	struct fixture *f = *state;
	struct uiommu_range part = { 3 * MIB, 3 * MIB + 0xfff };
	uint64_t unmapped;

	bring_up(f);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(2 * MIB, 2 * MIB), 0, RW),
		UIOMMU_OK);
	fake.invalidations = 0;
	fake.range_count = 0;
	assert_int_equal(uiommu_domain_unmap(f->domain, part, &unmapped),
			 UIOMMU_OK);
	assert_int_equal(unmapped, 0x1000);
	assert_int_equal(fake.invalidations, 1);
	assert_true(fake.ranges[0].first <= part.first);
	assert_true(fake.ranges[0].last >= part.last);
	/* Nothing there any more: nothing to say. */
	assert_int_equal(uiommu_domain_unmap(f->domain, part, &unmapped),
			 UIOMMU_OK);
	assert_int_equal(unmapped, 0);
	take_down(f);
}

static void test_invalidation_fails(void **state)
{
	struct fixture *f = *state;
	uiommu_paddr_t paddr;
	uint64_t unmapped = 77;

	bring_up(f);
	assert_int_equal(
		uiommu_domain_map(f->domain, range(MIB, 0x4000), 0, RW),
		UIOMMU_OK);
	fake.fail_invalidate = UIOMMU_ETIMEDOUT;
	assert_int_equal(
		uiommu_domain_unmap(f->domain, range(MIB, 0x4000), &unmapped),
		UIOMMU_ETIMEDOUT);
	assert_int_equal(unmapped, 77);
	assert_int_equal(uiommu_domain_lookup(f->domain, MIB, &paddr),
			 UIOMMU_ENOENT);
	fake.fail_invalidate = 0;
	/* The page tables of that range may be lost; nothing else. */
	uiommu_stop(f->machine.uiommu);
	uiommu_destroy(f->machine.uiommu);
	assert_true(f->machine.host->pages <= 8);
	user_host_destroy(f->machine.host);
}

static void test_map_sync(void **state)
{
	struct fixture *f = *state;
	uiommu_paddr_t paddr;

	fake.map_sync = true;
	bring_up(f);
	fake.map_syncs = 0;
	assert_int_equal(
		uiommu_domain_map(f->domain, range(MIB, 0x4000), 0, RW),
		UIOMMU_OK);
	assert_int_equal(fake.map_syncs, 1);
	assert_int_equal(fake.synced.first, MIB);
	assert_int_equal(fake.synced.last, MIB + 0x3fff);
	fake.fail_map_sync = UIOMMU_ENOMEM;
	assert_int_equal(
		uiommu_domain_map(f->domain, range(2 * MIB, 0x4000), 0, RW),
		UIOMMU_ENOMEM);
	assert_int_equal(uiommu_domain_lookup(f->domain, 2 * MIB, &paddr),
			 UIOMMU_ENOENT);
	fake.fail_map_sync = 0;
	assert_int_equal(
		uiommu_domain_map(f->domain, range(2 * MIB, 0x4000), 0, RW),
		UIOMMU_OK);
	/* The unit's own failure is for ever: nothing more is lent to it. */
	fake.fail_map_sync = UIOMMU_ETIMEDOUT;
	assert_int_equal(
		uiommu_domain_map(f->domain, range(3 * MIB, 0x4000), 0, RW),
		UIOMMU_ETIMEDOUT);
	fake.fail_map_sync = 0;
	assert_int_equal(
		uiommu_domain_map(f->domain, range(3 * MIB, 0x4000), 0, RW),
		UIOMMU_EIO);
	take_down(f);
}

/* Every host call of create, map, unmap failing in turn. */
static void test_host_failures(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *domain;
	size_t pages;
	unsigned int nth;
	int err;

	bring_up(f);
	pages = f->machine.host->pages;
	for (nth = 1; nth < 100; nth++) {
		user_fail_at(f->machine.host, nth);
		err = uiommu_domain_create(&f->group, 1, &domain);
		if (err) {
			assert_int_equal(err, UIOMMU_ENOMEM);
			assert_true(f->machine.host->pages <= pages + 1);
			continue;
		}
		err = uiommu_domain_map(
			domain, range(2 * MIB - 0x1000, 4 * MIB), 0x3000, RW);
		if (err) {
			uiommu_paddr_t paddr;

			assert_int_equal(err, UIOMMU_ENOMEM);
			assert_int_equal(
				uiommu_domain_lookup(domain, 2 * MIB, &paddr),
				UIOMMU_ENOENT);
			assert_int_equal(
				uiommu_domain_put(f->machine.uiommu, domain),
				UIOMMU_OK);
			continue;
		}
		user_fail_at(f->machine.host, 0);
		assert_int_equal(uiommu_domain_put(f->machine.uiommu, domain),
				 UIOMMU_OK);
		break;
	}
	assert_true(nth > 5);
	take_down(f);
}

/* What the host forgets is taken down all the same, and named. */
static void test_forgotten(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	uiommu_stop(f->machine.uiommu);
	assert_true(user_logged(f->machine.host,
				"1 unmanaged domains are destroyed"));
	machine_down(&f->machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kinds, set_up),
		cmocka_unit_test_setup(test_arguments, set_up),
		cmocka_unit_test_setup(test_lookup_in_large_pages, set_up),
		cmocka_unit_test_setup(test_large_after_small, set_up),
		cmocka_unit_test_setup(test_unmap_across_tables, set_up),
		cmocka_unit_test_setup(test_invalidated, set_up),
		cmocka_unit_test_setup(test_invalidation_fails, set_up),
		cmocka_unit_test_setup(test_map_sync, set_up),
		cmocka_unit_test_setup(test_host_failures, set_up),
		cmocka_unit_test_setup(test_forgotten, set_up),
	};

	return cmocka_run_group_tests_name("core domain", tests, NULL, NULL);
}
