// SPDX-License-Identifier: MIT
/*
 * Devices that come and go while the machine runs: the way of boot, and nothing
 * left of what went. Rnn: rows of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uiommu/dma.h>

#include "watch.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull

static const struct uiommu_sid nvme = MACHINE_NVME;
static const struct uiommu_sid port = MACHINE_PORT;
static const struct uiommu_sid elder = MACHINE_PAIR0;
static const struct uiommu_sid joiner = MACHINE_PAIR1;
static const struct uiommu_sid below[] = { MACHINE_PORT, MACHINE_BRIDGE,
					   MACHINE_PCI0, MACHINE_PCI1 };

static int set_up(void **state)
{
	static struct machine machine;

	fake_reset();
	machine_describe(&machine);
	*state = &machine;
	return 0;
}

static int add(struct machine *machine)
{
	return uiommu_add_pci(machine->uiommu, 0, 0, 15);
}

static struct uiommu_device *find(struct machine *machine,
				  struct uiommu_sid sid)
{
	return uiommu_device_find(machine->uiommu, sid);
}

/* Up without the second of the pair, which is there only now. */
static void up_without_joiner(struct machine *machine)
{
	machine_build(machine);
	user_plug(machine->host, joiner, false);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_null(find(machine, joiner));
	user_plug(machine->host, joiner, true);
}

/* --- One device --- */

static void replug(struct machine *machine, uint32_t unit)
{
	const struct uiommu_plan *plan;
	struct uiommu_device *device = machine_driver(machine, nvme);
	struct uiommu_group *group = uiommu_device_group(device);
	uint64_t iova, again;

	assert_int_equal(uiommu_device_set_dma_mask(device, 0xffffffff),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	uiommu_device_unuse(device);
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);

	user_plug(machine->host, nvme, false);
	assert_int_equal(uiommu_remove_device(device), UIOMMU_OK);
	assert_null(find(machine, nvme));
	assert_null(fake_domain_of(nvme));
	user_plug(machine->host, nvme, true);
	assert_int_equal(add(machine), UIOMMU_OK);

	/* As at boot: the unit, no mask, and no wish of the one before. */
	device = machine_driver(machine, nvme);
	plan = uiommu_plan(machine->uiommu);
	assert_int_equal(plan->devices[uiommu_core_device_index(device)].unit,
			 unit);
	assert_int_equal(device->dma_mask, ~0ull);
	group = uiommu_device_group(device);
	assert_int_equal(uiommu_group_type(group), UIOMMU_DOMAIN_DMA);
	assert_int_equal(uiommu_dma_map(device, 0x5000, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &again),
			 UIOMMU_OK);
	assert_true(again > 0xffffffff);
	assert_true(fake_reaches(nvme, again, 3, NULL));
	assert_false(fake_reaches(nvme, iova, 1, NULL));
	assert_int_equal(uiommu_dma_unmap(device, again, 4096), UIOMMU_OK);
	uiommu_device_unuse(device);
	watch_agree(machine, "replugged");
}

/* Who joins may be at work by addresses that a kernel before gave it. */
static void test_joins_at_work(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	uint64_t iova[2];

	fake.at_work_rid = joiner.rid;
	up_without_joiner(machine);
	device = machine_driver(machine, (struct uiommu_sid)MACHINE_PAIR0);
	assert_int_equal(uiommu_device_set_dma_mask(device, 0xffffff),
			 UIOMMU_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
						UIOMMU_DMA_BIDIRECTIONAL,
						&iova[i]),
				 UIOMMU_OK);
		if (!i)
			assert_int_equal(add(machine), UIOMMU_OK);
	}
	assert_ptr_equal(uiommu_device_group(find(machine, joiner)),
			 uiommu_device_group(device));
	assert_true(iova[0] >= 0xfff000 && iova[1] < 0xc00000);
	for (int i = 0; i < 2; i++)
		assert_int_equal(uiommu_dma_unmap(device, iova[i], 4096),
				 UIOMMU_OK);
	uiommu_device_unuse(device);
	machine_down(machine);
}

/* R08, R31: a hundred times, the same unit, a fresh state, no page lost. */
static void test_replug(void **state)
{
	struct machine *machine = *state;
	struct watch before, after;
	uint32_t unit;

	machine_up(machine);
	unit = machine_device(machine, nvme)->hw.unit;
	replug(machine, unit);
	watch_take(machine, &before);
	for (int i = 0; i < 100; i++)
		replug(machine, unit);
	watch_take(machine, &after);
	assert_int_equal(after.pages, before.pages);
	assert_int_equal(after.domains, before.domains);
	assert_int_equal(after.overrides, before.overrides);
	assert_int_equal(after.masks, before.masks);
	assert_int_equal(after.device_count, before.device_count);
	assert_int_equal(after.group_count, before.group_count);
	for (uint32_t i = 0; i < after.device_count; i++)
		assert_int_equal(after.devices[i].sid.rid,
				 before.devices[i].sid.rid);
	machine_down(machine);
}

/* The last member takes its group and domain along. */
static void test_last_member(void **state)
{
	struct machine *machine = *state;
	struct watch before, after;

	machine_up(machine);
	watch_take(machine, &before);
	assert_int_equal(uiommu_remove_device(machine_device(machine, joiner)),
			 UIOMMU_OK);
	watch_take(machine, &after);
	assert_int_equal(after.group_count, before.group_count);
	assert_int_equal(after.domains, before.domains);
	assert_ptr_equal(find(machine, elder)->group->members,
			 find(machine, elder));
	assert_int_equal(
		uiommu_group_set_sink(machine_group(machine, elder), true),
		UIOMMU_OK);
	assert_int_equal(uiommu_remove_device(machine_device(machine, elder)),
			 UIOMMU_OK);
	watch_take(machine, &after);
	assert_int_equal(after.device_count, before.device_count - 2);
	assert_int_equal(after.group_count, before.group_count - 1);
	assert_int_equal(after.domains, before.domains - 1);
	watch_agree(machine, "both gone");
	machine_down(machine);
}

/* --- A bus --- */

static void test_bus(void **state)
{
	struct machine *machine = *state;
	struct watch before, after;

	machine_up(machine);
	watch_take(machine, &before);
	for (int round = 0; round < 3; round++) {
		struct uiommu_group *group;

		for (int i = 0; i < 4; i++)
			user_plug(machine->host, below[i], false);
		/* What is known stays, answer or not. */
		assert_int_equal(add(machine), UIOMMU_OK);
		assert_int_equal(
			uiommu_remove_device(machine_device(machine, port)),
			UIOMMU_OK);
		for (int i = 0; i < 4; i++) {
			assert_null(find(machine, below[i]));
			assert_null(fake_domain_of(below[i]));
		}
		watch_take(machine, &after);
		assert_int_equal(after.device_count, before.device_count - 4);
		assert_int_equal(after.group_count, before.group_count - 2);
		assert_int_equal(after.domains, before.domains - 2);
		watch_agree(machine, "bus gone");
		assert_int_equal(add(machine), UIOMMU_OK);
		assert_null(find(machine, port));

		for (int i = 0; i < 4; i++)
			user_plug(machine->host, below[i], true);
		assert_int_equal(add(machine), UIOMMU_OK);
		group = machine_group(machine, MACHINE_PCI0);
		assert_ptr_equal(group, machine_group(machine, MACHINE_PCI1));
		assert_ptr_equal(group, machine_group(machine, MACHINE_BRIDGE));
		assert_ptr_not_equal(group, machine_group(machine, port));
		assert_int_equal(
			machine_device(machine, MACHINE_PCI0)->hw.sid_count, 2);
		watch_take(machine, &after);
		assert_int_equal(after.device_count, before.device_count);
		assert_int_equal(after.group_count, before.group_count);
		assert_int_equal(after.domains, before.domains);
		watch_agree(machine, "bus back");
	}
	machine_down(machine);
}

static void test_misuse(void **state)
{
	struct machine *machine = *state;
	struct watch watch;

	machine_build(machine);
	assert_int_equal(machine_scan(machine), UIOMMU_OK);
	assert_int_equal(add(machine), UIOMMU_EBUSY);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_scan_pci(machine->uiommu, 0, 0, 1),
			 UIOMMU_EBUSY);
	assert_int_equal(uiommu_add_pci(machine->uiommu, 0, 2, 1),
			 UIOMMU_EINVAL);
	watch_check(machine, &watch, "wrong buses");
	/* One that never came back from its reset can go. */
	assert_int_equal(uiommu_device_reset_begin(
				 machine_device(machine, MACHINE_PCI1)),
			 UIOMMU_OK);
	assert_int_equal(
		uiommu_remove_device(machine_device(machine, MACHINE_PCI1)),
		UIOMMU_OK);
	watch_agree(machine, "removed while being reset");
	assert_int_equal(
		uiommu_group_claim(machine_group(machine, MACHINE_PCI0), state),
		UIOMMU_OK);
	uiommu_stop(machine->uiommu);
	assert_int_equal(add(machine), UIOMMU_EBUSY);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	machine_down(machine);
}

/* What only ACPI knows has no function, so that it cannot be pulled out. */
static void test_no_function(void **state)
{
	struct machine *machine = *state;
	struct user_dmar *dmar = &machine->dmar;
	const struct uiommu_sid sid = MACHINE_SID(0xf0, 0x1f, 0);
	struct uiommu_device *device;
	struct watch watch;

	user_dmar_scope(dmar, UIOMMU_SCOPE_NAMESPACE, sid);
	dmar->bytes[dmar->size - 4] = 1; /* its number there... */
	/* ...and in a record as long as a reserved region's, with its name. */
	user_dmar_reserve(dmar, 1 << 8, 0x5043492e42535f5cull, 0);
	dmar->bytes[dmar->record] = UIOMMU_DMAR_ANDD;
	machine_up(machine);
	device = machine_driver(machine, sid);
	uiommu_device_unuse(device);
	watch_take(machine, &watch);
	assert_int_equal(uiommu_remove_device(device), UIOMMU_EINVAL);
	watch_check(machine, &watch, "no function");
	/* It is there when others come and go. */
	assert_int_equal(uiommu_remove_device(machine_device(machine, nvme)),
			 UIOMMU_OK);
	assert_ptr_equal(find(machine, sid), device);
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_ptr_equal(find(machine, sid), device);
	watch_agree(machine, "beside a device of ACPI's");
	machine_down(machine);
}

/* R07, R16: no unit, no group; it can be used, bounded, reset and pulled. */
static void test_no_unit(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct watch watch;

	user_dmar_begin(&machine->dmar, 39);
	user_dmar_unit(&machine->dmar, 0, machine->config.units[0].base, false);
	user_dmar_scope(&machine->dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_OTHER);
	machine_up(machine);
	device = machine_driver(machine, elder);
	assert_null(uiommu_device_group(device));
	assert_null(uiommu_device_domain(device));
	watch_take(machine, &watch);
	assert_int_equal(uiommu_device_set_dma_mask(device, 0xffffffff),
			 UIOMMU_OK);
	assert_int_equal(device->dma_mask, 0xffffffff);
	assert_int_equal(uiommu_device_set_dma_mask(device, ~0ull), UIOMMU_OK);
	assert_int_equal(uiommu_remove_device(device), UIOMMU_EINUSE);
	watch_check(machine, &watch, "without a unit");
	uiommu_device_unuse(device);
	assert_int_equal(uiommu_device_reset_begin(device), UIOMMU_OK);
	assert_int_equal(uiommu_device_use(device), UIOMMU_EBUSY);
	assert_int_equal(uiommu_remove_device(device), UIOMMU_OK);
	assert_null(find(machine, elder));
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_null(uiommu_device_group(machine_device(machine, elder)));
	assert_int_equal(fake.attaches, 1);
	machine_down(machine);
}

/* What came and went while it ran is what the next start finds. */
static void test_over_a_stop(void **state)
{
	struct machine *machine = *state;

	up_without_joiner(machine);
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_int_equal(uiommu_remove_device(machine_device(machine, nvme)),
			 UIOMMU_OK);
	uiommu_stop(machine->uiommu);
	assert_int_equal(uiommu_start(machine->uiommu), UIOMMU_OK);
	assert_non_null(find(machine, joiner));
	assert_null(find(machine, nvme));
	machine_down(machine);
}

/* --- Who joins a group --- */

static void assert_barred(struct machine *machine)
{
	struct uiommu_device *device = machine_device(machine, joiner);
	struct uiommu_group *group = uiommu_device_group(device);

	assert_ptr_equal(group, machine_group(machine, elder));
	assert_ptr_equal(uiommu_device_domain(device),
			 uiommu_blocked_domain(machine->uiommu));
	assert_true(uiommu_plan(machine->uiommu)
			    ->devices[uiommu_core_device_index(device)]
			    .barred);
	assert_true(uiommu_device_use(device) < 0);
	watch_agree(machine, "barred");
}

static void assert_member(struct machine *machine)
{
	struct uiommu_device *device = machine_device(machine, joiner);
	struct uiommu_group *group = machine_group(machine, elder);

	assert_ptr_equal(uiommu_device_group(device), group);
	assert_ptr_equal(uiommu_device_domain(device),
			 uiommu_group_domain(group));
	assert_false(uiommu_plan(machine->uiommu)
			     ->devices[uiommu_core_device_index(device)]
			     .barred);
	assert_int_equal(uiommu_device_use(device), UIOMMU_OK);
	uiommu_device_unuse(device);
	watch_agree(machine, "a member");
}

/* It cannot use the type: blocked and told, siblings at work undisturbed. */
static void test_other_type(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	struct uiommu_domain *own;
	unsigned int attaches;
	uint64_t iova;

	fake.required_rid = joiner.rid;
	fake.required = UIOMMU_DOMAIN_IDENTITY;
	up_without_joiner(machine);
	device = machine_driver(machine, elder);
	own = uiommu_device_domain(device);
	assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
					UIOMMU_DMA_BIDIRECTIONAL, &iova),
			 UIOMMU_OK);
	attaches = fake.attaches;
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_barred(machine);
	assert_true(user_logged(machine->host, "blocked in group"));
	assert_int_equal(fake.attaches, attaches + 1);
	assert_ptr_equal(uiommu_device_domain(device), own);
	assert_true(fake_reaches(elder, iova, 3, NULL));
	assert_int_equal(uiommu_device_use(machine_device(machine, joiner)),
			 UIOMMU_EPERM);
	/* What is known is not asked again, and stays as it is. */
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_barred(machine);

	/* The type that it needs lets it in; there it is in the way, then. */
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	uiommu_device_unuse(device);
	assert_int_equal(uiommu_group_set_type(machine_group(machine, elder),
					       UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_member(machine);
	assert_int_equal(uiommu_group_set_type(machine_group(machine, elder),
					       UIOMMU_DOMAIN_DMA),
			 UIOMMU_EPERM);
	assert_member(machine);
	machine_down(machine);
}

/* It joins while an owner has the group: not into the owner's domain. */
static void test_claimed(void **state)
{
	struct machine *machine = *state;
	struct uiommu_domain *domain;
	struct uiommu_group *group;

	for (int attached = 0; attached < 2; attached++) {
		set_up(state);
		up_without_joiner(machine);
		group = machine_group(machine, elder);
		assert_int_equal(uiommu_domain_create(&group, 1, &domain),
				 UIOMMU_OK);
		assert_int_equal(uiommu_group_claim(group, state), UIOMMU_OK);
		if (attached)
			assert_int_equal(
				uiommu_group_attach(group, state, domain),
				UIOMMU_OK);
		assert_int_equal(add(machine), UIOMMU_OK);
		assert_barred(machine);
		/* Wherever the owner goes. */
		assert_int_equal(uiommu_group_detach(group, state), UIOMMU_OK);
		assert_int_equal(uiommu_group_attach(group, state, domain),
				 UIOMMU_OK);
		assert_barred(machine);
		assert_ptr_equal(fake_domain_of(elder), &domain->hw);
		assert_int_equal(uiommu_group_release(group, state), UIOMMU_OK);
		assert_member(machine);
		assert_ptr_equal(
			uiommu_device_domain(machine_device(machine, joiner)),
			uiommu_group_default_domain(group));
		assert_int_equal(uiommu_domain_put(machine->uiommu, domain),
				 UIOMMU_OK);
		machine_down(machine);
	}
}

/* --- Direct regions of who comes --- */

static void check_region(struct uiommu_hwdev *dev,
			 struct uiommu_hwdomain *domain)
{
	uiommu_paddr_t paddr = 0;
	unsigned int prot = 0;

	if (dev->sids[0].rid != joiner.rid)
		return;
	assert_int_equal(domain->type, UIOMMU_DOMAIN_DMA);
	assert_int_equal(
		uiommu_pt_lookup(&domain->pt, RESERVE_LAST, &paddr, &prot),
		UIOMMU_OK);
	assert_int_equal(paddr, RESERVE_LAST);
}

/* Mapped before it is attached; its siblings notice nothing. */
static void test_brings_region(void **state)
{
	struct machine *machine = *state;
	unsigned int attaches;

	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &joiner, 1);
	up_without_joiner(machine);
	machine_driver(machine, elder);
	assert_false(fake_reaches(elder, RESERVE_FIRST, 1, NULL));
	fake.on_attach = check_region;
	attaches = fake.attaches;
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_int_equal(fake.attaches, attaches + 1);
	assert_member(machine);
	assert_true(fake_reaches(joiner, RESERVE_FIRST, 3, NULL));
	/* And again, where some of it is as it was left. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			uiommu_remove_device(machine_device(machine, joiner)),
			UIOMMU_OK);
		assert_int_equal(add(machine), UIOMMU_OK);
		assert_member(machine);
		assert_true(fake_reaches(joiner, RESERVE_FIRST, 3, NULL));
	}
	machine_down(machine);
}

/* Addresses of its region are given out: it waits until they are back. */
static void test_region_in_the_way(void **state)
{
	struct machine *machine = *state;
	struct uiommu_device *device;
	uint64_t taken = 0, again, to;

	for (int round = 0; round < 2; round++) {
		set_up(state);
		if (round)
			machine_reserve(machine, taken, taken + 0xfff, &joiner,
					1);
		up_without_joiner(machine);
		device = machine_driver(machine, elder);
		assert_int_equal(uiommu_device_set_dma_mask(device, 0xffffffff),
				 UIOMMU_OK);
		assert_int_equal(uiommu_dma_map(device, 0x1000, 4096,
						UIOMMU_DMA_TO_DEVICE, &again),
				 UIOMMU_OK);
		if (!round) {
			taken = again;
			machine_down(machine);
		}
	}
	assert_int_equal(taken, again);
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_barred(machine);
	assert_true(user_logged(machine->host,
				"blocked, it cannot be in the domain of"));
	assert_true(fake_reaches(elder, taken, 1, &to));
	assert_int_equal(to, 0x1000);
	assert_int_equal(uiommu_dma_unmap(device, taken, 4096), UIOMMU_OK);
	/* Judged anew with the next change. */
	assert_int_equal(add(machine), UIOMMU_OK);
	assert_member(machine);
	assert_true(fake_reaches(joiner, taken, 3, &to));
	assert_int_equal(to, taken);
	machine_down(machine);
}

/* --- Views --- */

/* As it was, also for who looks at every word. */
static void assert_view(const struct uiommu_view *view, uint32_t count)
{
	const struct uiommu_plan *plan = &view->plan;

	assert_int_equal(plan->device_count, count);
	assert_int_equal(view->topology.count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(
			plan->aliases[plan->devices[i].alias_first].rid,
			view->topology.functions[i].sid.rid);
}

static void test_views(void **state)
{
	struct machine *machine = *state;
	const struct uiommu_view *views[5];
	uint32_t count;
	uint64_t pages;

	machine_up(machine);
	assert_int_equal(add(machine), UIOMMU_OK);
	pages = watch_pages(machine);
	count = uiommu_plan(machine->uiommu)->device_count;
	for (int i = 0; i < 5; i++) {
		views[i] = uiommu_view_get(machine->uiommu);
		if (i % 2)
			assert_int_equal(add(machine), UIOMMU_OK);
		else
			assert_int_equal(uiommu_remove_device(
						 machine_device(machine, nvme)),
					 UIOMMU_OK);
	}
	for (int i = 0; i < 5; i++)
		assert_view(views[i], count - i % 2);
	/* Given back in any order. */
	assert_int_equal(add(machine), UIOMMU_OK);
	uiommu_view_put(machine->uiommu, NULL);
	for (int i = 0; i < 5; i++)
		uiommu_view_put(machine->uiommu, views[i * 3 % 5]);
	/* Held twice. */
	views[0] = uiommu_view_get(machine->uiommu);
	views[1] = uiommu_view_get(machine->uiommu);
	assert_ptr_equal(views[0], views[1]);
	assert_int_equal(add(machine), UIOMMU_OK);
	uiommu_view_put(machine->uiommu, views[0]);
	assert_view(views[1], count);
	uiommu_view_put(machine->uiommu, views[1]);
	assert_int_equal(watch_pages(machine), pages);
	uiommu_stop(machine->uiommu);
	assert_null(uiommu_view_get(machine->uiommu));
	machine_down(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_replug, set_up),
		cmocka_unit_test_setup(test_joins_at_work, set_up),
		cmocka_unit_test_setup(test_last_member, set_up),
		cmocka_unit_test_setup(test_bus, set_up),
		cmocka_unit_test_setup(test_misuse, set_up),
		cmocka_unit_test_setup(test_no_function, set_up),
		cmocka_unit_test_setup(test_no_unit, set_up),
		cmocka_unit_test_setup(test_over_a_stop, set_up),
		cmocka_unit_test_setup(test_other_type, set_up),
		cmocka_unit_test_setup(test_claimed, set_up),
		cmocka_unit_test_setup(test_brings_region, set_up),
		cmocka_unit_test_setup(test_region_in_the_way, set_up),
		cmocka_unit_test_setup(test_views, set_up),
	};

	return cmocka_run_group_tests_name("core hotplug", tests, NULL, NULL);
}
