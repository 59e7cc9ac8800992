// SPDX-License-Identifier: MIT
/*
 * A unit that dies while a group of several members moves from one unmanaged
 * domain to another: whatever a member is still in must not be destroyed.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/domain.h>

#include "core/object.h"
#include "machine.h"

struct move {
	struct machine machine;
	struct uiommu_group *group;
	struct uiommu_domain *from, *to;
};

static void move_begin(struct move *m)
{
	machine_describe(&m->machine);
	m->machine.options.timeout_us = 200;
	machine_build(&m->machine);
	assert_int_equal(machine_scan(&m->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(m->machine.uiommu), UIOMMU_OK);
	m->group = machine_group(&m->machine, MACHINE_PCI0);
	assert_int_equal(uiommu_domain_create(m->group, &m->from), UIOMMU_OK);
	assert_int_equal(uiommu_domain_create(m->group, &m->to), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(m->group, m->from), UIOMMU_OK);
}

/* What a broken unit may still use is kept on purpose. */
static void move_end(struct move *m)
{
	uiommu_stop(m->machine.uiommu);
	uiommu_destroy(m->machine.uiommu);
	m->machine.host->pages = 0;
	m->machine.host->windows = 0;
	user_host_destroy(m->machine.host);
}

static unsigned int members_in(const struct move *m,
			       const struct uiommu_domain *domain)
{
	unsigned int in = 0;

	for (uint32_t i = 0; i < m->group->member_count; i++) {
		uint32_t member = m->group->members[i];

		in += m->machine.uiommu->devices[member].hw.domain ==
		      &domain->hw;
	}
	return in;
}

static void check_destroy(struct move *m, struct uiommu_domain *domain,
			  uint64_t at)
{
	unsigned int in = members_in(m, domain);
	int err = uiommu_domain_destroy(domain);

	if (in && err != UIOMMU_EBUSY)
		fail_msg("dead at %llu: a domain with %u members is destroyed",
			 (unsigned long long)at, in);
}

static void test_unit_dies_in_a_move(void **state)
{
	static struct move m;
	unsigned int stuck = 0, blocked = 0;
	uint64_t at;
	int err;

	(void)state;
	for (at = 1;; at++) {
		struct vtdm *unit;

		move_begin(&m);
		unit = m.machine.host->units[0];
		vtdm_knobs(unit)->dead_mode = VTDM_DEAD_STALE;
		vtdm_knobs(unit)->dead_at = vtdm_stats(unit)->mmio + at;
		err = uiommu_group_attach(m.group, m.to);
		if (err) {
			stuck += members_in(&m, m.from) + members_in(&m, m.to);
			blocked += uiommu_group_domain(m.group) ==
				   uiommu_blocked_domain(m.machine.uiommu);
			check_destroy(&m, m.to, at);
			check_destroy(&m, m.from, at);
		}
		move_end(&m);
		if (!err)
			break;
	}
	assert_true(at > 2);
	assert_true(stuck > 0);
	assert_true(blocked > 0); /* in the books: nobody goes back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unit_dies_in_a_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
