/* SPDX-License-Identifier: MIT */
/* The built-in machine, and its units as the software VT-d plays them. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "machine.h"

#define DEMO_UNITS 3u

struct vtdm;
struct vtdm_mem;
struct out;
struct study;
struct uiommu_event;

struct demo_unit {
	const char *name;
	uint64_t base;
	bool passthrough;
};

extern const struct demo_unit demo_units[DEMO_UNITS];

/* The machine that is built in; 0, or -1 with the reason. */
int machine_read_demo(struct machine *machine, struct machine_error *error);

/* --- demo_live.c: the library at work on it --- */

struct demo_live {
	const struct study *study;
	struct out *out;
	struct uiommu_host host;
	struct vtdm_mem *mem;
	struct vtdm *units[DEMO_UNITS];
	uint64_t now;
	struct uiommu_event *event; /* where the next one goes, if wanted */
	bool told;
	uint32_t locks, windows, pages; /* that the library holds */
	bool failed;
};

/* A unit as the model plays it; NULL: no memory. */
struct vtdm *demo_unit_create(unsigned int index, struct vtdm_mem *mem);
/*
 * Brings the library up on the model, lets devices ask, and says what happens.
 * False: something was not as it should be, and it said what.
 */
bool demo_live(struct out *out, struct machine *machine,
	       const struct study *study);

#endif /* CLI_DEMO_H */
