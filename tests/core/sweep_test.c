// SPDX-License-Identifier: MIT
/*
 * Every change of what is attached where, with everything that it asks of the
 * host and of the driver failing in turn: all as it was, or blocked, never open,
 * and nothing lost.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "watch.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d003fffull
#define MASK32 0xffffffffull
#define TURNS 2000u

static const struct uiommu_sid nvme = MACHINE_NVME;
static const struct uiommu_sid elder = MACHINE_PAIR0;
static const struct uiommu_sid joiner = MACHINE_PAIR1;
static const struct uiommu_sid bus[] = { MACHINE_PORT, MACHINE_BRIDGE,
					 MACHINE_PCI0, MACHINE_PCI1 };
static const struct uiommu_range ram = { 0, 0x1ffffffff };

/* Where the changes start from. */
struct sweep {
	struct machine machine;
	struct uiommu_domain *domains[2];
	struct uiommu_group *pair; /* of two; firmware keeps nothing there */
	struct uiommu_group *pci;  /* of three, with an alias */
};

/* A change, and the way back to where it can be made again. */
struct change {
	const char *name;
	void (*before)(struct sweep *s); /* once, and it must succeed */
	int (*act)(struct sweep *s);
	void (*back)(struct sweep *s); /* after success; NULL: before() again */
	bool partly; /* what fails may be made up for by something else */
};

static void must(int err)
{
	assert_int_equal(err, UIOMMU_OK);
}

static struct uiommu_device *device(struct sweep *s, struct uiommu_sid sid)
{
	return machine_device(&s->machine, sid);
}

/* --- Devices --- */

static void take_joiner(struct sweep *s)
{
	must(uiommu_remove_device(device(s, joiner)));
}

static int add_all(struct sweep *s)
{
	return uiommu_add_pci(s->machine.uiommu, 0, 0, 15);
}

static void take_nvme(struct sweep *s)
{
	must(uiommu_remove_device(device(s, nvme)));
}

static void take_bus(struct sweep *s)
{
	must(uiommu_remove_device(device(s, bus[0])));
}

static int remove_joiner(struct sweep *s)
{
	return uiommu_remove_device(device(s, joiner));
}

static int remove_nvme(struct sweep *s)
{
	return uiommu_remove_device(device(s, nvme));
}

static int remove_bus(struct sweep *s)
{
	return uiommu_remove_device(device(s, bus[0]));
}

static void back_all(struct sweep *s)
{
	must(add_all(s));
	s->pci = machine_group(&s->machine, MACHINE_PCI0);
}

/* --- Owners --- */

static int claim(struct sweep *s)
{
	return uiommu_group_claim(s->pci, s);
}

static void back_claim(struct sweep *s)
{
	must(uiommu_group_release(s->pci, s));
}

static void before_attach(struct sweep *s)
{
	must(uiommu_group_claim(s->pci, s));
}

static int attach(struct sweep *s)
{
	return uiommu_group_attach(s->pci, s, s->domains[0]);
}

static void back_attach(struct sweep *s)
{
	must(uiommu_group_detach(s->pci, s));
}

static void before_replace(struct sweep *s)
{
	before_attach(s);
	must(attach(s));
}

static int replace(struct sweep *s)
{
	return uiommu_group_attach(s->pci, s, s->domains[1]);
}

static void back_replace(struct sweep *s)
{
	must(attach(s));
}

static int detach(struct sweep *s)
{
	return uiommu_group_detach(s->pci, s);
}

static int create(struct sweep *s)
{
	struct uiommu_domain *domain;
	int err = uiommu_domain_create(&s->pci, 1, &domain);

	if (!err)
		must(uiommu_domain_put(s->machine.uiommu, domain));
	return err;
}

static void back_nothing(struct sweep *s)
{
	(void)s;
}

/* --- Types --- */

static int to_identity(struct sweep *s)
{
	return uiommu_group_set_type(s->pci, UIOMMU_DOMAIN_IDENTITY);
}

static int to_dma(struct sweep *s)
{
	return uiommu_group_set_type(s->pci, UIOMMU_DOMAIN_DMA);
}

static int to_lazy(struct sweep *s)
{
	return uiommu_group_set_type(s->pci, UIOMMU_DOMAIN_DMA_FQ);
}

static void back_dma(struct sweep *s)
{
	must(to_dma(s));
}

static void back_identity(struct sweep *s)
{
	must(to_identity(s));
}

/* Bounded where it is; nobody moves. */
static int set_mask(struct sweep *s)
{
	return uiommu_device_set_dma_mask(device(s, elder), MASK32);
}

static void back_mask(struct sweep *s)
{
	must(uiommu_device_set_dma_mask(device(s, elder), ~0ull));
	must(uiommu_group_set_type(s->pair, UIOMMU_DOMAIN_DMA));
}

static void before_short(struct sweep *s)
{
	must(uiommu_group_set_type(s->pair, UIOMMU_DOMAIN_IDENTITY));
}

static void back_short(struct sweep *s)
{
	back_mask(s);
	before_short(s);
}

/* --- Refused --- */

static int sink_on(struct sweep *s)
{
	return uiommu_group_set_sink(s->pci, true);
}

static int sink_off(struct sweep *s)
{
	return uiommu_group_set_sink(s->pci, false);
}

static void back_sink_on(struct sweep *s)
{
	must(sink_off(s));
}

static void back_sink_off(struct sweep *s)
{
	must(sink_on(s));
}

static void before_sunk(struct sweep *s)
{
	must(sink_on(s));
	before_attach(s);
}

static int reset_begin(struct sweep *s)
{
	return uiommu_device_reset_begin(device(s, elder));
}

static int reset_end(struct sweep *s)
{
	return uiommu_device_reset_end(device(s, elder));
}

static void back_begin(struct sweep *s)
{
	must(reset_end(s));
}

static void back_end(struct sweep *s)
{
	must(reset_begin(s));
}

static const struct change changes[] = {
	{ "add a member", take_joiner, add_all, take_joiner, false },
	{ "add a device", take_nvme, add_all, take_nvme, false },
	{ "add a bus", take_bus, add_all, take_bus, false },
	{ "remove a member", NULL, remove_joiner, back_all, false },
	{ "remove a device", NULL, remove_nvme, back_all, false },
	{ "remove a bus", NULL, remove_bus, back_all, false },
	{ "claim", NULL, claim, back_claim, false },
	{ "attach", before_attach, attach, back_attach, false },
	{ "replace", before_replace, replace, back_replace, false },
	{ "detach", before_replace, detach, back_replace, false },
	{ "create", NULL, create, back_nothing, false },
	{ "to identity", NULL, to_identity, back_dma, false },
	{ "to DMA", back_identity, to_dma, back_identity, false },
	{ "to DMA-FQ", NULL, to_lazy, back_dma, false },
	{ "mask", NULL, set_mask, back_mask, false },
	{ "mask in identity", before_short, set_mask, back_short, true },
	{ "sink on", NULL, sink_on, back_sink_on, false },
	{ "sink off", back_sink_off, sink_off, back_sink_off, false },
	{ "detach to a sink", before_sunk, detach, back_nothing, true },
	{ "reset begins", NULL, reset_begin, back_begin, false },
	{ "reset ends", back_end, reset_end, back_end, false },
};

#define CHANGES (sizeof(changes) / sizeof(changes[0]))

static void sweep_up(struct sweep *s)
{
	struct machine *machine = &s->machine;

	memset(s, 0, sizeof(*s));
	fake_reset();
	fake.map_sync = true;
	machine_describe(machine);
	machine->options.ram = &ram;
	machine->options.ram_count = 1;
	/* What comes back brings a region along. */
	machine_reserve(machine, RESERVE_FIRST, RESERVE_LAST, &nvme, 1);
	machine_up(machine);
	s->pair = machine_group(machine, elder);
	s->pci = machine_group(machine, MACHINE_PCI0);
	for (int i = 0; i < 2; i++)
		must(uiommu_domain_create(&s->pci, 1, &s->domains[i]));
}

/* --- The host fails --- */

static unsigned int host_turn(struct sweep *s, const struct change *change,
			      uint64_t nth)
{
	struct uiommu_host *host = s->machine.host;
	struct watch watch;
	char what[64];
	int err;

	snprintf(what, sizeof(what), "%s, host call %llu", change->name,
		 (unsigned long long)nth);
	watch_take(&s->machine, &watch);
	user_fail_at(host, nth);
	err = change->act(s);
	if (host->calls < host->fail_first) {
		user_fail_at(host, 0);
		must(err);
		return 0;
	}
	user_fail_at(host, 0);
	if (err) {
		if (err != UIOMMU_ENOMEM && err != UIOMMU_ERANGE)
			fail_msg("%s: error %d", what, err);
		watch_check(&s->machine, &watch, what);
		return 1;
	}
	if (!change->partly)
		fail_msg("%s: success", what);
	watch_agree(&s->machine, what);
	change->back(s);
	return 1;
}

static void test_host(void **state)
{
	const struct change *change = *state;
	static struct sweep s;
	unsigned int turns = 0;
	uint64_t pages;

	sweep_up(&s);
	if (change->before)
		change->before(&s);
	/* Pools and tables as they will be. */
	must(change->act(&s));
	change->back(&s);
	pages = watch_pages(&s.machine);
	while (turns < TURNS && host_turn(&s, change, turns + 1))
		turns++;
	assert_true(turns < TURNS);
	watch_agree(&s.machine, change->name);
	change->back(&s);
	assert_int_equal(watch_pages(&s.machine), pages);
	machine_down(&s.machine);
}

/* --- The driver fails --- */

static unsigned int op_turn(struct sweep *s, const struct change *change,
			    uint64_t nth, int error)
{
	struct watch watch;
	char what[64];
	bool hit;
	int err;

	snprintf(what, sizeof(what), "%s, op %llu", change->name,
		 (unsigned long long)nth);
	watch_take(&s->machine, &watch);
	fake.ops = 0;
	fake.fail_op = nth;
	fake.fail_error = error;
	err = change->act(s);
	fake.fail_op = 0;
	hit = fake.ops >= nth;
	if (err) {
		if (!hit || err != error)
			fail_msg("%s: error %d", what, err);
		watch_check(&s->machine, &watch, what);
		return 1;
	}
	watch_agree(&s->machine, what);
	if (hit)
		change->back(s);
	return hit;
}

static void test_op(void **state)
{
	static const int errors[] = { UIOMMU_ENOSPC, UIOMMU_ENOMEM };
	const struct change *change = *state;
	static struct sweep s;
	uint64_t nth;

	for (int i = 0; i < 2; i++) {
		sweep_up(&s);
		if (change->before)
			change->before(&s);
		for (nth = 1; op_turn(&s, change, nth, errors[i]); nth++)
			assert_true(nth < TURNS);
		machine_down(&s.machine);
	}
}

/* --- The way back is refused, too --- */

static unsigned int attach_left;

/* From the attach with this number on all fail, but to blocked. */
static void count_attach(struct uiommu_hwdev *dev,
			 struct uiommu_hwdomain *domain)
{
	(void)dev;
	(void)domain;
	if (attach_left && !--attach_left)
		fake.fail_attach_all = true;
}

/* In none but the domain it was in, or blocked. */
static void check_closed(const struct watch *watch, const char *what)
{
	for (uint32_t i = 0; i < watch->device_count; i++) {
		const struct watch_device *was = &watch->devices[i];
		const struct uiommu_hwdomain *is = fake_domain_of(was->sid);

		if (!is || is->type == UIOMMU_DOMAIN_BLOCKED)
			continue;
		if (is != was->hardware)
			fail_msg("%s: device %04x is open", what, was->sid.rid);
	}
}

static void test_no_way_back(void **state)
{
	const struct change *change = *state;
	static struct sweep s;
	struct watch watch;
	char what[64];

	for (unsigned int nth = 1; nth < TURNS; nth++) {
		int err;

		snprintf(what, sizeof(what), "%s, all attaches from %u on",
			 change->name, nth);
		sweep_up(&s);
		if (change->before)
			change->before(&s);
		watch_take(&s.machine, &watch);
		attach_left = nth;
		fake.on_attach = count_attach;
		err = change->act(&s);
		fake.on_attach = NULL;
		fake.fail_attach_all = false;
		watch_agree(&s.machine, what);
		if (err)
			check_closed(&watch, what);
		machine_down(&s.machine);
		if (attach_left)
			break;
	}
}

/* Nothing works any more, from some op on: it ends, and stop finds all. */
static void test_nothing_works(void **state)
{
	const struct change *change = *state;
	static struct sweep s;

	for (uint64_t nth = 1; nth < TURNS; nth++) {
		bool hit;

		sweep_up(&s);
		if (change->before)
			change->before(&s);
		fake.ops = 0;
		fake.fail_op = nth;
		fake.fail_to = ~0ull;
		(void)!change->act(&s);
		hit = fake.ops >= nth;
		uiommu_stop(s.machine.uiommu);
		machine_down(&s.machine);
		if (!hit)
			break;
	}
}

/* --- Release: never refused, at worst blocked --- */

static void test_release(void **state)
{
	static struct sweep s;
	unsigned int nth;
	int err = 1;

	(void)state;
	for (nth = 1; err; nth++) {
		sweep_up(&s);
		before_replace(&s);
		attach_left = nth;
		fake.on_attach = count_attach;
		err = uiommu_group_release(s.pci, &s);
		fake.on_attach = NULL;
		fake.fail_attach_all = false;
		if (err) {
			assert_int_equal(err, UIOMMU_ENOSPC);
			assert_ptr_equal(
				uiommu_group_domain(s.pci),
				uiommu_blocked_domain(s.machine.uiommu));
		}
		assert_null(uiommu_group_owner(s.pci));
		watch_agree(&s.machine, "released");
		/* The first use brings it home. */
		machine_driver(&s.machine, MACHINE_PCI1);
		assert_ptr_equal(uiommu_group_domain(s.pci),
				 uiommu_group_default_domain(s.pci));
		watch_agree(&s.machine, "home");
		machine_down(&s.machine);
	}
	assert_int_equal(nth, 2 * 3 + 2);
}

/* --- Start --- */

static void test_start(void **state)
{
	static struct machine machine;
	uint64_t nth;
	size_t pages;
	int err = 1;

	(void)state;
	fake_reset();
	fake.map_sync = true;
	machine_describe(&machine);
	machine_reserve(&machine, RESERVE_FIRST, RESERVE_LAST, &nvme, 1);
	machine_build(&machine);
	must(machine_scan(&machine));
	pages = machine.host->pages;
	for (nth = 1; err; nth++) {
		fake.ops = 0;
		fake.fail_op = nth;
		err = uiommu_start(machine.uiommu);
		if (err)
			assert_int_equal(machine.host->pages, pages);
	}
	assert_true(nth > 20);
	fake.fail_op = 0;
	uiommu_stop(machine.uiommu);
	assert_int_equal(machine.host->pages, pages);
	for (nth = 1, err = 1; err; nth++) {
		user_fail_at(machine.host, nth);
		err = uiommu_start(machine.uiommu);
		if (err)
			assert_int_equal(machine.host->pages, pages);
	}
	assert_true(nth > 40);
	machine_down(&machine);
}

int main(void)
{
	static void (*const sweeps[])(void **state) = {
		test_host,
		test_op,
		test_no_way_back,
		test_nothing_works,
	};
	struct CMUnitTest tests[4 * CHANGES + 2];
	size_t count = 0;

	for (size_t i = 0; i < 4 * CHANGES; i++)
		tests[count++] = (struct CMUnitTest){
			.name = changes[i / 4].name,
			.test_func = sweeps[i % 4],
			.initial_state = (void *)(uintptr_t)&changes[i / 4],
		};
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_release);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_start);
	return _cmocka_run_group_tests("core sweep", tests, count, NULL, NULL);
}
