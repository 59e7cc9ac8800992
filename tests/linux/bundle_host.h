/* SPDX-License-Identifier: MIT */
/*
 * A machine as it was captured: the text of a bundle, and a host that answers
 * reads of configuration space from it.
 */
#ifndef TESTS_LINUX_BUNDLE_HOST_H
#define TESTS_LINUX_BUNDLE_HOST_H

#include <stdio.h>

#include <uiommu/pci.h>

#define BUNDLE_SPACE 4096
#define BUNDLE_FUNCTIONS 256
#define BUNDLE_UNITS 16

struct bundle_function {
	struct uiommu_sid sid;
	uint8_t space[BUNDLE_SPACE];
	size_t size; /* bytes captured */
	bool external_facing;
	bool has_physfn;
	struct uiommu_sid physfn; /* of a virtual function */
};

struct bundle_unit {
	uint64_t address;
	uint64_t cap;
	uint64_t ecap;
};

struct uiommu_host {
	struct bundle_function functions[BUNDLE_FUNCTIONS];
	size_t function_count;
	struct bundle_unit units[BUNDLE_UNITS];
	size_t unit_count;
	uint8_t dmar[65536];
	size_t dmar_size;
	char cmdline[4096];
};

/* Reads one bundle; ends the program with a message if it is not one. */
struct uiommu_host *bundle_read(FILE *file);

#endif /* TESTS_LINUX_BUNDLE_HOST_H */
