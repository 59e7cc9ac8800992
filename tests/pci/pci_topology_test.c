// SPDX-License-Identifier: MIT
/* Topology: what is found, and what a hostile configuration space can do. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_pci.h"

struct fixture {
	struct uiommu_host *host;
	struct uiommu_topology topology;
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

	uiommu_topology_fini(&fixture->topology);
	fake_free(fixture->host);
	free(fixture);
	return 0;
}

static void scan(struct fixture *fixture)
{
	assert_int_equal(uiommu_topology_scan(&fixture->topology, 0, 0, 255),
			 0);
}

static const struct uiommu_pci_function *get(struct fixture *fixture,
					     unsigned int bus,
					     unsigned int device,
					     unsigned int function)
{
	uint32_t i = uiommu_topology_find(&fixture->topology,
					  fake_sid(bus, device, function));

	assert_int_not_equal(i, UIOMMU_PCI_NONE);
	return &fixture->topology.functions[i];
}

/* The requester id of the bridge above device 0 of @bus, or -1. */
static int above(struct fixture *fixture, unsigned int bus)
{
	uint32_t parent = get(fixture, bus, 0, 0)->parent;

	if (parent == UIOMMU_PCI_NONE)
		return -1;
	assert_true(parent < fixture->topology.count);
	return fixture->topology.functions[parent].sid.rid;
}

/* Sorted, no duplicates, parents in range and without a circle. */
static void check_sane(const struct uiommu_topology *topology)
{
	uint32_t i, k, steps;

	assert_true(topology->count <= topology->capacity);
	for (i = 0; i < topology->count; i++) {
		struct uiommu_pci_function *f = &topology->functions[i];

		if (i != 0)
			assert_true(f[-1].sid.segment < f->sid.segment ||
				    (f[-1].sid.segment == f->sid.segment &&
				     f[-1].sid.rid < f->sid.rid));
		assert_int_equal(uiommu_topology_find(topology, f->sid), i);
		for (k = i, steps = 0; k != UIOMMU_PCI_NONE; steps++) {
			assert_true(k < topology->count && steps < 256);
			assert_int_equal(topology->functions[k].sid.segment,
					 f->sid.segment);
			k = topology->functions[k].parent;
		}
	}
}

static void test_empty(void **state)
{
	struct fixture *fixture = *state;

	scan(fixture);
	assert_int_equal(fixture->topology.count, 0);
	assert_int_equal(fixture->host->allocs, 0);
	assert_int_equal(
		uiommu_topology_find(&fixture->topology, fake_sid(0, 0, 0)),
		UIOMMU_PCI_NONE);
}

static void test_arguments(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_topology *topology = &fixture->topology;

	fake_add(fixture->host, fake_sid(5, 0, 0), 0x12348086, 0x020000, 0);
	assert_int_equal(uiommu_topology_scan(topology, 0, 9, 8),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_topology_scan(topology, 0, 5, 5), 0);
	assert_int_equal(uiommu_topology_scan(topology, 0, 0, 255),
			 UIOMMU_EEXIST);
	assert_int_equal(uiommu_topology_scan(topology, 0, 5, 5),
			 UIOMMU_EEXIST);
	assert_int_equal(uiommu_topology_scan(topology, 0, 0, 4), 0);
	assert_int_equal(uiommu_topology_scan(topology, 0, 6, 255), 0);
	assert_int_equal(uiommu_topology_scan(topology, 1, 0, 255), 0);
	assert_int_equal(topology->count, 1);
}

static void test_fields(void **state)
{
	struct fixture *fixture = *state;
	const struct uiommu_pci_function *found;
	struct fake_function *f;

	f = fake_add(fixture->host, fake_sid(0, 2, 0), 0xabcd1234, 0x0c0330, 0);
	fake_express(f, UIOMMU_PCIE_LEGACY_ENDPOINT);
	fake_acs(f, 0x5f, 0x0a);
	fake_ats(f);
	fake_port(fixture->host, fake_sid(0, 3, 0), UIOMMU_PCIE_ROOT_PORT, 1, 4,
		  false);
	fake_add(fixture->host, fake_sid(1, 0, 0), 0x00018086, 0x020000, 0);
	scan(fixture);
	assert_int_equal(fixture->topology.count, 3);
	found = get(fixture, 0, 2, 0);
	assert_int_equal(found->vendor, 0x1234);
	assert_int_equal(found->device, 0xabcd);
	assert_int_equal(found->class_code, 0x0c0330);
	assert_int_equal(found->header_type, 0);
	assert_int_equal(found->pcie_type, UIOMMU_PCIE_LEGACY_ENDPOINT);
	assert_int_equal(found->acs_offset, 0x100);
	assert_int_equal(found->acs_capability, 0x5f);
	assert_int_equal(found->acs_control, 0x0a);
	assert_int_equal(found->ats_offset, 0x140);
	assert_int_equal(found->parent, UIOMMU_PCI_NONE);
	assert_false(found->multifunction);
	found = get(fixture, 0, 3, 0);
	assert_int_equal(found->header_type, 1);
	assert_int_equal(found->pcie_type, UIOMMU_PCIE_ROOT_PORT);
	assert_int_equal(found->secondary_bus, 1);
	assert_int_equal(found->subordinate_bus, 4);
	assert_int_equal(found->acs_offset, 0);
	found = get(fixture, 1, 0, 0);
	assert_int_equal(found->pcie_type, UIOMMU_PCI_CONVENTIONAL);
	assert_int_equal(above(fixture, 1), 0x18);
}

static void test_slots(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_host *host = fixture->host;

	/* Function 0 says several: 3 and 7 are found. */
	fake_multifunction(fake_add(host, fake_sid(0, 1, 0), 0x18086, 0, 0));
	fake_add(host, fake_sid(0, 1, 3), 0x18086, 0, 0);
	fake_add(host, fake_sid(0, 1, 7), 0x18086, 0, 0);
	/* It does not: 1 answers but is an echo. */
	fake_add(host, fake_sid(0, 2, 0), 0x18086, 0, 0);
	fake_add(host, fake_sid(0, 2, 1), 0x18086, 0, 0);
	/* No function 0: an empty slot. */
	fake_add(host, fake_sid(0, 3, 1), 0x18086, 0, 0);
	/* Ids that mean "nothing there", and a header that does not exist. */
	fake_add(host, fake_sid(0, 4, 0), 0xffffffff, 0, 0);
	fake_add(host, fake_sid(0, 5, 0), 0x00000000, 0, 0);
	fake_add(host, fake_sid(0, 6, 0), 0x0000ffff, 0, 0);
	fake_add(host, fake_sid(0, 7, 0), 0xffff0000, 0, 0);
	fake_add(host, fake_sid(0, 8, 0), 0xffff0001, 0, 0);
	fake_add(host, fake_sid(0, 9, 0), 0x18086, 0, 0x7f);
	fake_add(host, fake_sid(255, 31, 0), 0x18086, 0, 0);
	scan(fixture);
	assert_int_equal(fixture->topology.count, 5);
	assert_true(get(fixture, 0, 1, 0)->multifunction);
	assert_true(get(fixture, 0, 1, 3)->multifunction);
	assert_true(get(fixture, 0, 1, 7)->multifunction);
	assert_false(get(fixture, 0, 2, 0)->multifunction);
	assert_false(get(fixture, 255, 31, 0)->multifunction);
}

/* One capability list each that is wrong in its own way. */
static void spoil(struct fake_function *f, unsigned int how)
{
	fake_express(f, UIOMMU_PCIE_ENDPOINT);
	switch (how) {
	case 0: /* points to itself */
		f->space[0x40 / 4] = 0x4001;
		break;
	case 1: /* a circle of two, with low bits set */
		f->space[0x40 / 4] = 0x5301;
		f->space[0x50 / 4] = 0x4202;
		break;
	case 2: /* into the header */
		f->space[0x34 / 4] = 0x10;
		break;
	case 3: /* the status says there is no list */
		f->space[1] = 0;
		break;
	case 4: /* an extended circle */
		f->space[0x100 / 4] = 0x10000000 | 0x10001;
		break;
	case 5: /* ACS where its registers would be out of reach */
		f->space[0x100 / 4] = 0xffc00000 | 0x10001;
		f->space[0xffc / 4] = 0x1000d;
		break;
	case 6: /* extended space repeats the first 256 bytes */
		f->space[0] = 0x1000d;
		f->space[1] |= 0x5f;
		memcpy(&f->space[0x100 / 4], f->space, 256);
		break;
	case 7: /* ACS that reads as all ones */
		fake_acs(f, 0xffff, 0xffff);
		break;
	}
}

static void test_hostile_capabilities(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_host *host = fixture->host;
	struct fake_function *f;
	unsigned int i;

	for (i = 0; i < 8; i++)
		spoil(fake_add(host, fake_sid(0, i, 0), 0x18086, 0, 0), i);
	f = fake_add(host, fake_sid(0, 8, 0), 0x18086, 0, 2);
	f->space[1] = 0x100000; /* CardBus keeps its pointer elsewhere */
	f->space[0x14 / 4] = 0x80;
	f->space[0x80 / 4] = 0x10 | 7u << 20;
	f = fake_add(host, fake_sid(0, 9, 0), 0x18086, 0, 0);
	fake_express(f, UIOMMU_PCIE_ENDPOINT);
	f->space[0x40 / 4] = 0xfc01; /* the last place a list can reach */
	f->space[0xfc / 4] = 0x10 | 9u << 20;
	f->space[0x100 / 4] = 0xff800000 | 0x10001;
	f->space[0xff8 / 4] = 0x1000d;
	f->space[0xffc / 4] = 0x001d001d;
	scan(fixture);
	for (i = 0; i < 4; i++)
		assert_int_equal(get(fixture, 0, i, 0)->pcie_type,
				 UIOMMU_PCI_CONVENTIONAL);
	for (i = 0; i < 8; i++)
		assert_int_equal(get(fixture, 0, i, 0)->acs_offset, 0);
	assert_int_equal(get(fixture, 0, 8, 0)->pcie_type, 7);
	assert_int_equal(get(fixture, 0, 9, 0)->pcie_type, 9);
	assert_int_equal(get(fixture, 0, 9, 0)->acs_offset, 0xff8);
	assert_int_equal(get(fixture, 0, 9, 0)->acs_control, 0x1d);
	/* One function per slot, and at most three walks that went in circles. */
	assert_true(host->reads < 8192 + 3 * (480 + 48));
}

static void test_no_extended_space(void **state)
{
	struct fixture *fixture = *state;
	struct fake_function *f;

	f = fake_port(fixture->host, fake_sid(0, 1, 0), UIOMMU_PCIE_ROOT_PORT,
		      1, 1, true);
	f->extended = false;
	scan(fixture);
	assert_int_equal(get(fixture, 0, 1, 0)->pcie_type,
			 UIOMMU_PCIE_ROOT_PORT);
	assert_int_equal(get(fixture, 0, 1, 0)->acs_offset, 0);
}

static void bridge(struct fixture *fixture, unsigned int bus,
		   unsigned int device, unsigned int secondary,
		   unsigned int subordinate)
{
	fake_port(fixture->host, fake_sid(bus, device, 0),
		  UIOMMU_PCI_CONVENTIONAL, secondary, subordinate, false);
}

static void leaf(struct fixture *fixture, unsigned int bus)
{
	fake_add(fixture->host, fake_sid(bus, 0, 0), 0x18086, 0, 0);
}

static void test_bridges(void **state)
{
	struct fixture *fixture = *state;
	unsigned int bus;

	for (bus = 0; bus <= 12; bus++) {
		if (bus != 9)
			leaf(fixture, bus);
	}
	bridge(fixture, 0, 1, 1, 4);
	bridge(fixture, 1, 1, 2, 3);
	bridge(fixture, 5, 1, 6, 5);   /* backwards: its secondary bus alone */
	bridge(fixture, 7, 1, 7, 9);   /* claims its own bus */
	bridge(fixture, 7, 2, 0, 255); /* firmware left it unset */
	bridge(fixture, 0, 2, 10, 12);
	bridge(fixture, 0, 3, 10, 11); /* the same again */
	bridge(fixture, 0, 4, 11, 12); /* overlaps */
	scan(fixture);
	check_sane(&fixture->topology);
	assert_int_equal(above(fixture, 0), -1);
	assert_int_equal(above(fixture, 1), 0x008);
	assert_int_equal(above(fixture, 2), 0x108);
	assert_int_equal(above(fixture, 3), 0x108); /* innermost range */
	assert_int_equal(above(fixture, 4), 0x008);
	assert_int_equal(above(fixture, 5), -1);
	assert_int_equal(above(fixture, 6), 0x508);
	assert_int_equal(above(fixture, 7), -1);
	assert_int_equal(above(fixture, 8), -1);
	assert_int_equal(above(fixture, 10), 0x010);
	assert_int_equal(above(fixture, 11), 0x020);
	assert_int_equal(above(fixture, 12), 0x020);
}

/* Bridges that lead to lower buses: a chain, then circles. */
static void test_odd_bridges(void **state)
{
	struct fixture *fixture = *state;

	leaf(fixture, 0x80); /* a root bus with a high number */
	bridge(fixture, 0x80, 1, 0x20, 0x2f);
	leaf(fixture, 0x20);
	bridge(fixture, 0x20, 1, 0x10, 0x10);
	leaf(fixture, 0x10);
	leaf(fixture, 0x40);
	bridge(fixture, 0x40, 1, 0x41, 0x41);
	leaf(fixture, 0x41);
	bridge(fixture, 0x41, 1, 0x40, 0x40); /* back to its own parent */
	leaf(fixture, 0x50);
	bridge(fixture, 0x52, 1, 0x50, 0x50);
	bridge(fixture, 0x51, 1, 0x52, 0x52);
	bridge(fixture, 0x50, 1, 0x51, 0x51);
	scan(fixture);
	check_sane(&fixture->topology);
	assert_int_equal(above(fixture, 0x80), -1);
	assert_int_equal(above(fixture, 0x20), 0x8008);
	assert_int_equal(above(fixture, 0x10), 0x2008);
	assert_int_equal(above(fixture, 0x40), -1);
	assert_int_equal(above(fixture, 0x41), 0x4008);
	assert_int_equal(above(fixture, 0x50), -1);
}

/* Step 0..31 is a bus of segment 0; 32 is all of segment 1. */
static int scan_step(struct uiommu_topology *topology, unsigned int step)
{
	if (step == 32)
		return uiommu_topology_scan(topology, 1, 0, 255);
	return uiommu_topology_scan(topology, 0, (uint8_t)step, (uint8_t)step);
}

/* Whatever order ranges are added in, the topology is the same. */
static void test_order_of_scans(void **state)
{
	struct fixture *fixture = *state;
	uint64_t seed = fake_seed("order of scans");
	struct uiommu_sid other_bridge = { 1, 0x18 };
	struct uiommu_sid other_leaf = { 1, 0x100 };
	struct uiommu_topology other;
	unsigned int round, i, step;

	for (i = 0; i < 12; i++) {
		bridge(fixture, i, 1, i + 1, 12);
		bridge(fixture, i, 2, i + 20, i + 20);
		leaf(fixture, i + 20);
	}
	fake_port(fixture->host, other_bridge, UIOMMU_PCIE_ROOT_PORT, 1, 1,
		  true);
	fake_add(fixture->host, other_leaf, 0x18086, 0, 0);
	scan(fixture);
	assert_int_equal(scan_step(&fixture->topology, 32), 0);
	for (round = 0; round < 50; round++) {
		bool done[33] = { false };

		uiommu_topology_init(&other, fixture->host);
		for (i = 0; i < 33;) {
			step = (unsigned int)(fake_random(&seed) % 33);
			if (done[step])
				continue;
			done[step] = true;
			i++;
			assert_int_equal(scan_step(&other, step), 0);
			check_sane(&other);
		}
		assert_int_equal(other.count, fixture->topology.count);
		assert_memory_equal(other.functions,
				    fixture->topology.functions,
				    other.count * sizeof(*other.functions));
		uiommu_topology_fini(&other);
	}
}

/* Every allocation fails in turn: the topology is as it was. */
static void test_no_memory(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_topology *topology = &fixture->topology;
	struct uiommu_pci_function *before;
	unsigned int bus, device, n, failures;
	size_t size;

	for (bus = 0; bus < 24; bus++) {
		for (device = 0; device < 32; device++)
			fake_add(fixture->host, fake_sid(bus, device, 0),
				 0x18086, 0, 0);
	}
	assert_int_equal(uiommu_topology_scan(topology, 0, 8, 10), 0);
	assert_int_equal(topology->count, 96);
	size = topology->count * sizeof(*before);
	before = malloc(size);
	assert_non_null(before);
	memcpy(before, topology->functions, size);
	for (n = 1, failures = 0;; n++, failures++) {
		fixture->host->allocs = 0;
		fixture->host->fail_at = n;
		if (uiommu_topology_scan(topology, 0, 11, 255) == 0)
			break;
		assert_int_equal(topology->count, 96);
		assert_memory_equal(before, topology->functions, size);
		assert_int_equal(fixture->host->live, 1);
		uiommu_topology_fini(topology);
		fixture->host->fail_at = 0;
		assert_int_equal(uiommu_topology_scan(topology, 0, 8, 10), 0);
	}
	assert_int_equal(failures, 2); /* 128 functions, 256, then 512 */
	assert_int_equal(topology->count, 96 + 13 * 32);
	check_sane(topology);
	free(before);
}

/* A host that answers everywhere: the most a segment can hold. */
static void test_full(void **state)
{
	struct fixture *fixture = *state;
	struct fake_function *one = fake_add(fixture->host, fake_sid(0, 0, 0),
					     0x18086, 0, 0);
	unsigned int i;

	fake_multifunction(one);
	for (i = 1; i < FAKE_SLOTS; i++)
		fixture->host->functions[0][i] = one;
	scan(fixture);
	assert_int_equal(fixture->topology.count, FAKE_SLOTS);
	check_sane(&fixture->topology);
	for (i = 1; i < FAKE_SLOTS; i++)
		fixture->host->functions[0][i] = NULL;
}

/* Random bytes for configuration space. */
static void test_random(void **state)
{
	struct fixture *fixture = *state;
	uint64_t seed = fake_seed("random configuration space");
	unsigned int round, i, k;

	for (i = 0; i < 600; i++) {
		struct uiommu_sid sid = { 0, (uint16_t)(i * 104) };

		fake_add(fixture->host, sid, 0, 0, 0)->extended = true;
	}
	for (round = 0; round < 20; round++) {
		for (i = 0; i < FAKE_SLOTS; i++) {
			struct fake_function *f =
				fixture->host->functions[0][i];

			for (k = 0; f != NULL && k < 1024; k++)
				f->space[k] = (uint32_t)fake_random(&seed);
			/* Often enough a bridge or a device. */
			if (f != NULL && fake_random(&seed) % 4 != 0)
				f->space[3] &= 0xff81ffff;
		}
		scan(fixture);
		assert_true(fixture->topology.count > 100);
		check_sane(&fixture->topology);
		uiommu_topology_enable_acs(&fixture->topology);
		uiommu_topology_fini(&fixture->topology);
	}
}

/* A function that leaves at any read never does worse than be absent. */
static void test_gone(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_host *host = fixture->host;
	const struct uiommu_pci_function *f;
	unsigned long n;

	fake_port(host, fake_sid(0, 1, 0), UIOMMU_PCIE_ROOT_PORT, 1, 1, true);
	fake_acs(host->functions[0][8], FAKE_ACS_FULL, 0);
	leaf(fixture, 1);
	host->gone = fake_sid(0, 1, 0);
	for (n = 1; n < 100; n++) {
		host->reads = 0;
		host->gone_from = n;
		assert_int_equal(
			uiommu_topology_scan(&fixture->topology, 0, 0, 1), 0);
		check_sane(&fixture->topology);
		uiommu_topology_enable_acs(&fixture->topology);
		f = fixture->topology.functions;
		if (fixture->topology.count == 2 && f->acs_offset != 0)
			assert_true(f->acs_capability == FAKE_ACS_FULL &&
				    (f->acs_control == 0 ||
				     f->acs_control == FAKE_ACS_FULL));
		uiommu_topology_fini(&fixture->topology);
	}
}

static void test_enable_acs(void **state)
{
	struct fixture *fixture = *state;
	struct uiommu_host *host = fixture->host;
	unsigned int i;

	for (i = 1; i <= 4; i++)
		fake_port(host, fake_sid(0, i, 0), UIOMMU_PCIE_ROOT_PORT, i, i,
			  i != 2);
	/* Egress control and direct translated stay as they are. */
	fake_acs(host->functions[0][3 << 3], 0x7f, 0x60);
	/* Cannot do completion redirect and upstream forwarding. */
	fake_acs(host->functions[0][4 << 3], 0x05, 0x00);
	scan(fixture);
	uiommu_topology_enable_acs(&fixture->topology);
	assert_int_equal(host->writes, 2);
	assert_int_equal(get(fixture, 0, 1, 0)->acs_control, FAKE_ACS_FULL);
	assert_int_equal(get(fixture, 0, 2, 0)->acs_control, 0);
	assert_int_equal(get(fixture, 0, 3, 0)->acs_control, 0x7d);
	assert_int_equal(get(fixture, 0, 4, 0)->acs_control, 0x05);
	assert_int_equal(host->functions[0][3 << 3]->space[0x104 / 4],
			 0x007d007f);
	/* A second time there is nothing left to write. */
	uiommu_topology_enable_acs(&fixture->topology);
	assert_int_equal(host->writes, 2);
}

/* Tylersburg: audio at its isochronous unit, and no TLB entries there. */
static void test_isoch(void **state)
{
	static const struct {
		uint32_t control;
		bool without;
	} cases[] = {
		{ 0x00, true },	      { 0x01, false }, /* routed elsewhere */
		{ 0x10, false }, /* 16 entries, as advised */
		{ 0x04, false },      { 0x08, false },
		{ 0xffffffe2, true }, { 0xffffffff, false },
	};
	struct fixture *fixture = *state;
	struct uiommu_topology *topology = &fixture->topology;
	struct fake_function *function;

	fake_add(fixture->host, fake_sid(0, 1, 0), 0x342f8086, 0x088000, 0);
	scan(fixture);
	assert_false(uiommu_topology_isoch_without_tlb(topology));
	uiommu_topology_fini(topology);
	function = fake_add(fixture->host, fake_sid(0, 20, 0), 0x342e8086,
			    0x080000, 0);
	scan(fixture);
	/* No extended space is no evidence. */
	assert_false(uiommu_topology_isoch_without_tlb(topology));
	fake_express(function, UIOMMU_PCIE_INTEGRATED_ENDPOINT);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		function->space[0x188 / 4] = cases[i].control;
		assert_int_equal(uiommu_topology_isoch_without_tlb(topology),
				 cases[i].without);
	}
	/* Another vendor's device of that number says nothing. */
	function->space[0x188 / 4] = 0;
	function->space[0] = 0x342e1234;
	uiommu_topology_fini(topology);
	scan(fixture);
	assert_false(uiommu_topology_isoch_without_tlb(topology));
}

/* Calpella: what its host bridge says of graphics' second table. */
static void test_ggc(void **state)
{
	static const struct {
		uint32_t id;
		uint32_t dword; /* at 0x50; GGC is the upper half */
		enum uiommu_ggc ggc;
	} cases[] = {
		{ 0x00408086, 0x00000000, UIOMMU_GGC_NO_SHADOW },
		{ 0x00408086, 0xf7ffffff, UIOMMU_GGC_NO_SHADOW },
		{ 0x00408086, 0x08000000, UIOMMU_GGC_SHADOW },
		{ 0x00628086, 0x0a300000, UIOMMU_GGC_SHADOW },
		{ 0x006a8086, 0x03300000, UIOMMU_GGC_NO_SHADOW },
		{ 0x006a8086, 0xffffffff, UIOMMU_GGC_UNKNOWN }, /* hidden */
		{ 0x00448086, 0x08000000, UIOMMU_GGC_UNKNOWN },
		{ 0x00418086, 0x08000000, UIOMMU_GGC_UNKNOWN },
		{ 0x00401234, 0x08000000, UIOMMU_GGC_UNKNOWN },
	};
	struct fixture *fixture = *state;
	struct fake_function *bridge;

	fake_add(fixture->host, fake_sid(0, 0, 0), 0x12378086, 0x060000, 0);
	bridge = fake_add(fixture->host, fake_sid(0, 1, 0), 0, 0x060000, 0);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bridge->space[0] = cases[i].id;
		bridge->space[0x50 / 4] = cases[i].dword;
		uiommu_topology_fini(&fixture->topology);
		scan(fixture);
		assert_int_equal(uiommu_topology_ggc(&fixture->topology),
				 cases[i].ggc);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_arguments),
		TEST(test_fields),
		TEST(test_slots),
		TEST(test_hostile_capabilities),
		TEST(test_no_extended_space),
		TEST(test_bridges),
		TEST(test_odd_bridges),
		TEST(test_order_of_scans),
		TEST(test_no_memory),
		TEST(test_full),
		TEST(test_random),
		TEST(test_gone),
		TEST(test_enable_acs),
		TEST(test_isoch),
		TEST(test_ggc),
	};

	return cmocka_run_group_tests_name("pci topology", tests, NULL, NULL);
}
