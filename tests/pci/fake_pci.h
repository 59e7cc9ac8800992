/* SPDX-License-Identifier: MIT */
/*
 * A host of memory and configuration space alone: functions with 4096 bytes
 * each that say whatever the test writes into them. Two segments.
 */
#ifndef TESTS_PCI_FAKE_PCI_H
#define TESTS_PCI_FAKE_PCI_H

#include <uiommu/pci.h>

#define FAKE_SEGMENTS 2
#define FAKE_SLOTS 65536

/* Capability and control word of an ACS capability that isolates. */
#define FAKE_ACS_FULL 0x1d

struct fake_function {
	uint32_t space[1024];
	bool extended; /* answers beyond offset 255 */
	bool wide_acs; /* control at 0x108, a doubleword of its own */
};

struct uiommu_host {
	struct fake_function *functions[FAKE_SEGMENTS][FAKE_SLOTS];
	unsigned int allocs;  /* asked for */
	unsigned int fail_at; /* the how manieth fails; 0: none */
	unsigned int live;    /* not given back */
	size_t live_bytes;
	unsigned long reads;
	unsigned long writes;
	struct uiommu_sid gone;	 /* function that leaves... */
	unsigned long gone_from; /* ...at this read; 0: never */
};

struct uiommu_host *fake_new(void);
/* Fails the test if memory is still out. */
void fake_free(struct uiommu_host *host);

/* "bb:dd.f" of segment 0. */
struct uiommu_sid fake_sid(unsigned int bus, unsigned int device,
			   unsigned int function);
struct fake_function *fake_add(struct uiommu_host *host, struct uiommu_sid sid,
			       uint32_t id, uint32_t class_code,
			       unsigned int header_type);
void fake_multifunction(struct fake_function *function);
void fake_buses(struct fake_function *function, unsigned int secondary,
		unsigned int subordinate);
/* PCI Express capability at 0x40, and an extended space. */
void fake_express(struct fake_function *function, unsigned int type);
/* Extended capabilities; ACS at 0x100, ATS at 0x140. */
void fake_acs(struct fake_function *function, unsigned int capability,
	      unsigned int control);
void fake_ats(struct fake_function *function);

/* A bridge, by type of port, with ACS fully on or no ACS capability. */
struct fake_function *fake_port(struct uiommu_host *host, struct uiommu_sid sid,
				unsigned int type, unsigned int secondary,
				unsigned int subordinate, bool acs);

/* xorshift64*: the same numbers everywhere. */
uint64_t fake_random(uint64_t *state);
/* The seed of this run: UIOMMU_TEST_SEED, else a constant; printed. */
uint64_t fake_seed(const char *test);

#endif /* TESTS_PCI_FAKE_PCI_H */
