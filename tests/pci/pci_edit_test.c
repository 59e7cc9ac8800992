// SPDX-License-Identifier: MIT
/* Topology that changes: what comes, what leaves, and who is below whom. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_pci.h"

#define SRIOV_AT 0x180

struct fixture {
	struct uiommu_host *host;
	struct uiommu_topology topology;
	/* All that could be plugged in; what the host has is plugged in. */
	struct fake_function *machine[FAKE_SLOTS];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->host = fake_new();
	uiommu_topology_init(&fixture->topology, fixture->host);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	unsigned int rid;

	for (rid = 0; rid < FAKE_SLOTS; rid++)
		if (fixture->machine[rid])
			fixture->host->functions[0][rid] =
				fixture->machine[rid];
	uiommu_topology_fini(&fixture->topology);
	fake_free(fixture->host);
	free(fixture);
	return 0;
}

static void rescan(struct fixture *fixture, unsigned int first,
		   unsigned int last)
{
	assert_int_equal(uiommu_topology_rescan(&fixture->topology, 0,
						(uint8_t)first, (uint8_t)last),
			 0);
}

static uint32_t find(const struct fixture *fixture, struct uiommu_sid sid)
{
	return uiommu_topology_find(&fixture->topology, sid);
}

static struct uiommu_pci_function *get(struct fixture *fixture,
				       struct uiommu_sid sid)
{
	uint32_t i = find(fixture, sid);

	assert_int_not_equal(i, UIOMMU_PCI_NONE);
	return &fixture->topology.functions[i];
}

static void add_virtual(struct fake_function *f, unsigned int count,
			unsigned int first, unsigned int stride)
{
	fake_express(f, UIOMMU_PCIE_ENDPOINT);
	f->space[0x100 / 4] = (uint32_t)SRIOV_AT << 20 | 0x10001;
	f->space[SRIOV_AT / 4] = 0x10010;
	f->space[(SRIOV_AT + 0x08) / 4] = 1;
	f->space[(SRIOV_AT + 0x10) / 4] = count;
	f->space[(SRIOV_AT + 0x14) / 4] = stride << 16 | first;
	f->space[(SRIOV_AT + 0x18) / 4] = 0x77770000;
}

static struct fake_function *leaf(struct fixture *fixture,
				  struct uiommu_sid sid)
{
	return fake_add(fixture->host, sid, 0x18086, 0x020000, 0);
}

static void port(struct fixture *fixture, struct uiommu_sid sid,
		 unsigned int secondary, unsigned int subordinate)
{
	fake_port(fixture->host, sid, UIOMMU_PCIE_ROOT_PORT, secondary,
		  subordinate, true);
}

static void test_arguments(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(uiommu_topology_rescan(&fixture->topology, 0, 2, 1),
			 UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_topology_remove(&fixture->topology, fake_sid(0, 1, 0)),
		UIOMMU_ENODEV);
	leaf(fixture, fake_sid(0, 1, 0));
	rescan(fixture, 0, 0);
	assert_int_equal(
		uiommu_topology_remove(&fixture->topology, fake_sid(0, 1, 1)),
		UIOMMU_ENODEV);
	assert_int_equal(fixture->topology.count, 1);
}

/* What is known stays as it is, bit for bit, whatever it reads as now. */
static void test_known_stay(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_pci_function before[3];
	struct fake_function *gone;

	gone = leaf(fixture, fake_sid(0, 1, 0));
	leaf(fixture, fake_sid(0, 3, 0));
	leaf(fixture, fake_sid(0, 5, 0));
	rescan(fixture, 0, 255);
	get(fixture, fake_sid(0, 3, 0))->untrusted = true;
	get(fixture, fake_sid(0, 3, 0))->domain = 0x12345;
	memcpy(before, fixture->topology.functions, sizeof(before));
	/* One leaves, one turns into something else, one comes between. */
	fixture->host->functions[0][0x08] = NULL;
	fixture->host->functions[0][0x18]->space[0] = 0xabcd1234;
	leaf(fixture, fake_sid(0, 4, 0));
	rescan(fixture, 0, 255);
	assert_int_equal(fixture->topology.count, 4);
	assert_memory_equal(&before[0], get(fixture, fake_sid(0, 1, 0)),
			    sizeof(before[0]));
	assert_memory_equal(&before[1], get(fixture, fake_sid(0, 3, 0)),
			    sizeof(before[0]));
	assert_memory_equal(&before[2], get(fixture, fake_sid(0, 5, 0)),
			    sizeof(before[0]));
	/* Outside of the buses looked at nothing is found. */
	leaf(fixture, fake_sid(7, 0, 0));
	rescan(fixture, 0, 6);
	rescan(fixture, 8, 255);
	assert_int_equal(fixture->topology.count, 4);
	rescan(fixture, 7, 7);
	assert_int_equal(fixture->topology.count, 5);
	fixture->host->functions[0][0x08] = gone;
}

static void test_slots(void **state)
{
	struct fixture *fixture = *state;
	struct fake_function *zero, *single;

	zero = leaf(fixture, fake_sid(0, 1, 0));
	fake_multifunction(zero);
	single = leaf(fixture, fake_sid(0, 2, 0));
	rescan(fixture, 0, 0);
	leaf(fixture, fake_sid(0, 1, 1));
	leaf(fixture, fake_sid(0, 2, 1));
	rescan(fixture, 0, 0);
	/* Function 0 said several: the new one is found. */
	assert_true(get(fixture, fake_sid(0, 1, 1))->multifunction);
	/* It did not and does not: 1 may be an echo. */
	assert_int_equal(find(fixture, fake_sid(0, 2, 1)), UIOMMU_PCI_NONE);
	assert_false(get(fixture, fake_sid(0, 2, 0))->multifunction);
	/* Now it does, and so neither is alone. */
	fake_multifunction(single);
	rescan(fixture, 0, 0);
	assert_true(get(fixture, fake_sid(0, 2, 1))->multifunction);
	assert_true(get(fixture, fake_sid(0, 2, 0))->multifunction);
	/* The bit is gone, with the device perhaps: nobody is looked for. */
	zero->space[3] = 0;
	leaf(fixture, fake_sid(0, 1, 2));
	rescan(fixture, 0, 0);
	assert_int_equal(find(fixture, fake_sid(0, 1, 2)), UIOMMU_PCI_NONE);
	assert_true(get(fixture, fake_sid(0, 1, 0))->multifunction);
	/* Function 0 comes back after 1. */
	zero->space[3] = 0x800000;
	assert_int_equal(
		uiommu_topology_remove(&fixture->topology, fake_sid(0, 1, 0)),
		0);
	rescan(fixture, 0, 0);
	assert_int_equal(fixture->topology.count, 5);
}

static void test_virtual(void **state)
{
	struct fixture *fixture = *state;
	struct fake_function *f = leaf(fixture, fake_sid(1, 0, 0));

	port(fixture, fake_sid(0, 1, 0), 1, 2);
	rescan(fixture, 0, 255);
	assert_int_equal(fixture->topology.count, 2);
	/* Virtual functions of one known before, in pieces by bus. */
	f = fixture->host->functions[0][0x100];
	add_virtual(f, 3, 0x80, 0x80);
	/* Its capability was not there when it was read. */
	rescan(fixture, 1, 1);
	assert_int_equal(fixture->topology.count, 2);
	assert_int_equal(
		uiommu_topology_remove(&fixture->topology, fake_sid(1, 0, 0)),
		0);
	rescan(fixture, 1, 1);
	assert_int_equal(fixture->topology.count, 3); /* 1:10.0 */
	f->space[(SRIOV_AT + 0x08) / 4] = 0;
	rescan(fixture, 2, 2);
	assert_int_equal(fixture->topology.count, 3);
	f->space[(SRIOV_AT + 0x08) / 4] = 1;
	rescan(fixture, 2, 2);
	assert_int_equal(fixture->topology.count, 5);
	assert_true(get(fixture, fake_sid(2, 0, 0))->virtual_function);
	assert_int_equal(get(fixture, fake_sid(2, 0, 0))->physical.rid, 0x100);
	assert_int_equal(get(fixture, fake_sid(2, 0, 0))->device, 0x7777);
	assert_int_equal(get(fixture, fake_sid(2, 16, 0))->parent,
			 find(fixture, fake_sid(0, 1, 0)));
	/* Turned off, they are known all the same. */
	f->space[(SRIOV_AT + 0x08) / 4] = 0;
	rescan(fixture, 0, 255);
	assert_int_equal(fixture->topology.count, 5);
}

static void test_remove(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_topology *topology = &fixture->topology;

	port(fixture, fake_sid(0, 1, 0), 1, 3);
	port(fixture, fake_sid(1, 0, 0), 2, 3);
	port(fixture, fake_sid(2, 0, 0), 3, 3);
	leaf(fixture, fake_sid(2, 1, 0));
	leaf(fixture, fake_sid(3, 0, 0));
	rescan(fixture, 0, 255);
	assert_int_equal(topology->count, 5);
	assert_int_equal(uiommu_topology_remove(topology, fake_sid(1, 0, 0)),
			 0);
	assert_int_equal(topology->count, 4);
	assert_int_equal(get(fixture, fake_sid(0, 1, 0))->parent,
			 UIOMMU_PCI_NONE);
	assert_int_equal(get(fixture, fake_sid(2, 0, 0))->parent,
			 UIOMMU_PCI_NONE);
	assert_int_equal(get(fixture, fake_sid(2, 1, 0))->parent,
			 UIOMMU_PCI_NONE);
	assert_int_equal(get(fixture, fake_sid(3, 0, 0))->parent,
			 find(fixture, fake_sid(2, 0, 0)));
	/* It comes back, and all is as it was. */
	rescan(fixture, 1, 1);
	assert_int_equal(get(fixture, fake_sid(2, 1, 0))->parent,
			 find(fixture, fake_sid(1, 0, 0)));
}

static void test_below(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_topology *topology = &fixture->topology;
	struct uiommu_pci_function *functions;
	uint32_t i;

	port(fixture, fake_sid(0, 1, 0), 1, 3);
	port(fixture, fake_sid(1, 0, 0), 2, 2);
	add_virtual(leaf(fixture, fake_sid(2, 0, 0)), 1, 0x400, 1);
	leaf(fixture, fake_sid(4, 0, 0));
	rescan(fixture, 0, 255);
	/* 0:1.0, 1:0.0, 2:0.0, 4:0.0 and 6:0.0, which 2:0.0 is behind. */
	assert_int_equal(topology->count, 5);
	functions = topology->functions;
	assert_int_equal(functions[4].parent, UIOMMU_PCI_NONE);
	for (i = 0; i < 5; i++) {
		assert_true(uiommu_topology_below(topology, i, i));
		assert_int_equal(uiommu_topology_below(topology, 0, i), i != 3);
		assert_int_equal(uiommu_topology_below(topology, 1, i),
				 i == 1 || i == 2 || i == 4);
		assert_int_equal(uiommu_topology_below(topology, 3, i), i == 3);
	}
	assert_false(uiommu_topology_below(topology, UIOMMU_PCI_NONE, 0));
	assert_false(uiommu_topology_below(topology, UIOMMU_PCI_NONE, 5));
	assert_false(uiommu_topology_below(topology, 0, UIOMMU_PCI_NONE));
	assert_false(uiommu_topology_below(topology, 5, 5));
	/* A circle, which a caller may have made, ends. */
	functions[0].parent = 2;
	assert_false(uiommu_topology_below(topology, 3, 2));
	assert_true(uiommu_topology_below(topology, 2, 0));
	functions[0].parent = UIOMMU_PCI_NONE;
}

static void test_copy(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_topology copy, untouched;
	unsigned int bus, device;

	memset(&copy, 0x5a, sizeof(copy));
	assert_int_equal(uiommu_topology_copy(&fixture->topology, &copy), 0);
	assert_int_equal(copy.count, 0);
	assert_ptr_equal(copy.host, fixture->host);
	uiommu_topology_fini(&copy);
	for (bus = 0; bus < 5; bus++)
		for (device = 0; device < 32; device++)
			leaf(fixture, fake_sid(bus, device, 0));
	rescan(fixture, 0, 3);
	memset(&copy, 0x5a, sizeof(copy));
	untouched = copy;
	fixture->host->allocs = 0;
	fixture->host->fail_at = 1;
	assert_int_equal(uiommu_topology_copy(&fixture->topology, &copy),
			 UIOMMU_ENOMEM);
	assert_memory_equal(&copy, &untouched, sizeof(copy));
	fixture->host->fail_at = 0;
	assert_int_equal(uiommu_topology_copy(&fixture->topology, &copy), 0);
	assert_int_equal(copy.count, 128);
	assert_memory_equal(copy.functions, fixture->topology.functions,
			    128 * sizeof(*copy.functions));
	/* Each goes its own way, and the copy may grow. */
	assert_int_equal(uiommu_topology_remove(&copy, fake_sid(0, 0, 0)), 0);
	assert_int_equal(uiommu_topology_rescan(&copy, 0, 4, 4), 0);
	assert_int_equal(copy.count, 159);
	assert_int_equal(fixture->topology.count, 128);
	assert_int_equal(find(fixture, fake_sid(0, 0, 0)), 0);
	uiommu_topology_fini(&copy);
}

/* Every allocation of a rescan fails in turn: all is as it was. */
static void test_no_memory(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_topology *topology = &fixture->topology;
	struct uiommu_pci_function before[40];
	struct fake_function *single;
	unsigned int bus, device, n;

	single = leaf(fixture, fake_sid(0, 0, 0));
	for (device = 1; device < 32; device++)
		leaf(fixture, fake_sid(4, device, 0));
	rescan(fixture, 0, 255);
	assert_int_equal(topology->count, 32);
	memcpy(before, topology->functions, 32 * sizeof(before[0]));
	fake_multifunction(single);
	leaf(fixture, fake_sid(0, 0, 1));
	for (bus = 1; bus < 8; bus++)
		for (device = 0; device < 32; device++)
			if (bus != 4)
				leaf(fixture, fake_sid(bus, device, 0));
	for (n = 1;; n++) {
		fixture->host->allocs = 0;
		fixture->host->fail_at = n;
		if (uiommu_topology_rescan(topology, 0, 0, 255) == 0)
			break;
		assert_int_equal(topology->count, 32);
		assert_memory_equal(before, topology->functions,
				    32 * sizeof(before[0]));
	}
	assert_true(n > 1);
	assert_int_equal(topology->count, 33 + 6 * 32);
	assert_true(get(fixture, fake_sid(0, 0, 0))->multifunction);
}

/* --- edits in random order ------------------------------------------------ */

/* A tree of ports, with endpoints, some of several functions or virtual ones. */
static void build(struct fixture *fixture, uint64_t *seed)
{
	static const uint8_t ports[][4] = {
		/* bus, device, secondary, subordinate */
		{ 0, 1, 1, 9 },	  { 1, 0, 2, 9 },   { 2, 0, 3, 4 },
		{ 2, 1, 5, 5 },	  { 2, 2, 6, 9 },   { 6, 0, 7, 8 },
		{ 0, 2, 10, 12 }, { 0, 3, 13, 13 }, { 13, 5, 14, 14 },
	};
	struct fake_function *f;
	unsigned int i, n, rid, next = 0x2000;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		port(fixture, fake_sid(ports[i][0], ports[i][1], 0),
		     ports[i][2], ports[i][3]);
	for (i = 0; i < 60; i++) {
		rid = (unsigned int)(fake_random(seed) % (15 * 32)) * 8;
		if (fixture->host->functions[0][rid])
			continue;
		f = leaf(fixture, (struct uiommu_sid){ 0, (uint16_t)rid });
		if (fake_random(seed) % 3 == 0)
			add_virtual(f, 3, (next += 0x400) - rid, 0x83);
		if (fake_random(seed) % 2 == 0)
			continue;
		fake_multifunction(f);
		for (n = 1; n < 8; n += 1 + (unsigned int)fake_random(seed) % 3)
			leaf(fixture,
			     (struct uiommu_sid){ 0, (uint16_t)(rid + n) });
	}
	memcpy(fixture->machine, fixture->host->functions[0],
	       sizeof(fixture->machine));
	fake_add(fixture->host, (struct uiommu_sid){ 1, 0x08 }, 0x18086,
		 0x060400, 1)
		->space[6] = 0x0101 << 8;
	fake_add(fixture->host, (struct uiommu_sid){ 1, 0x100 }, 0x18086, 0, 0);
}

static void check_like_scan(struct fixture *fixture)
{
	struct uiommu_topology fresh;

	uiommu_topology_init(&fresh, fixture->host);
	assert_int_equal(uiommu_topology_scan(&fresh, 0, 0, 255), 0);
	assert_int_equal(uiommu_topology_scan(&fresh, 1, 0, 255), 0);
	assert_int_equal(fresh.count, fixture->topology.count);
	assert_memory_equal(fresh.functions, fixture->topology.functions,
			    fresh.count * sizeof(*fresh.functions));
	uiommu_topology_fini(&fresh);
}

static void forget(struct fixture *fixture, struct uiommu_sid sid)
{
	assert_int_equal(uiommu_topology_remove(&fixture->topology, sid), 0);
	fixture->host->functions[0][sid.rid] = NULL;
}

/* Takes out @victim and all below it, those in random order. */
static void unplug(struct fixture *fixture, struct uiommu_sid victim,
		   uint64_t *seed)
{
	struct uiommu_sid out[512];
	uint32_t i, at, count = 0;

	at = find(fixture, victim);
	for (i = 0; i < fixture->topology.count; i++) {
		if (i == at ||
		    !uiommu_topology_below(&fixture->topology, at, i))
			continue;
		assert_true(count < 512);
		out[count++] = fixture->topology.functions[i].sid;
	}
	while (count != 0) {
		i = (uint32_t)(fake_random(seed) % count);
		forget(fixture, out[i]);
		out[i] = out[--count];
	}
	forget(fixture, victim);
}

/* One function; if that is 0, all of the slot, as a hand would. */
static void unplug_any(struct fixture *fixture, uint64_t *seed)
{
	struct uiommu_topology *topology = &fixture->topology;
	struct uiommu_pci_function *f;
	struct uiommu_sid sid;
	unsigned int n;

	f = &topology->functions[fake_random(seed) % topology->count];
	if (f->sid.segment != 0 || f->virtual_function)
		return;
	sid = f->sid;
	for (n = 7; UIOMMU_SID_FN(f->sid) == 0 && n != 0; n--) {
		struct uiommu_sid mate = { 0, (uint16_t)(sid.rid + n) };

		if (find(fixture, mate) != UIOMMU_PCI_NONE &&
		    fixture->host->functions[0][mate.rid] != NULL)
			unplug(fixture, mate, seed);
		f = &topology->functions[find(fixture, sid)];
	}
	unplug(fixture, sid, seed);
}

/* Plugs in all that was pulled between two buses; the buses in two looks. */
static void plug_any(struct fixture *fixture, uint64_t *seed)
{
	unsigned int first = (unsigned int)(fake_random(seed) % 16);
	unsigned int middle, rid;

	for (rid = first << 8; rid < FAKE_SLOTS; rid++)
		fixture->host->functions[0][rid] = fixture->machine[rid];
	middle = first + (unsigned int)(fake_random(seed) % (255 - first));
	if (fake_random(seed) % 2 == 0) {
		rescan(fixture, first, middle);
		rescan(fixture, middle + 1, 255);
	} else {
		rescan(fixture, middle + 1, 255);
		rescan(fixture, first, middle);
		/* Virtual ones whose physical function came later. */
		rescan(fixture, middle + 1, 255);
	}
	/* Those below function 0s that are still out count for nothing. */
	rescan(fixture, 0, 255);
}

static void test_random_edits(void **state)
{
	struct fixture *fixture = *state;
	uint64_t seed = fake_seed("random edits");
	uint32_t whole, before;
	unsigned int round, fewer = 0, more = 0;

	build(fixture, &seed);
	rescan(fixture, 0, 255);
	assert_int_equal(uiommu_topology_rescan(&fixture->topology, 1, 0, 255),
			 0);
	check_like_scan(fixture);
	whole = fixture->topology.count;
	for (round = 0; round < 300; round++) {
		before = fixture->topology.count;
		if (fake_random(&seed) % 4 != 0)
			unplug_any(fixture, &seed);
		else
			plug_any(fixture, &seed);
		check_like_scan(fixture);
		fewer += fixture->topology.count < before;
		more += fixture->topology.count > before;
	}
	assert_true(whole > 60 && fewer > 100 && more > 20);
	memcpy(fixture->host->functions[0], fixture->machine,
	       sizeof(fixture->machine));
	rescan(fixture, 0, 255);
	assert_int_equal(fixture->topology.count, whole);
	check_like_scan(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_arguments),	 TEST(test_known_stay),
		TEST(test_slots),	 TEST(test_virtual),
		TEST(test_remove),	 TEST(test_below),
		TEST(test_copy),	 TEST(test_no_memory),
		TEST(test_random_edits),
	};

	return cmocka_run_group_tests_name("pci edit", tests, NULL, NULL);
}
