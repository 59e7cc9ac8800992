/* SPDX-License-Identifier: MIT */
/* The built-in machine, and its units as the software VT-d plays them. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "machine.h"

#define DEMO_UNITS 3u

struct demo_unit {
	const char *name;
	uint64_t base;
	bool passthrough;
};

extern const struct demo_unit demo_units[DEMO_UNITS];

/* The machine that is built in; 0, or -1 with the reason. */
int machine_read_demo(struct machine *machine, struct machine_error *error);

#endif /* CLI_DEMO_H */
