/* SPDX-License-Identifier: MIT */
/* Kinds of unit that there are, or might be: capabilities in combination. */
#ifndef TESTS_VTD_KINDS_H
#define TESTS_VTD_KINDS_H

#include "rig.h"

struct kind {
	const char *name;
	void (*set)(struct vtdm_config *m);
};

#define KINDS 18u
extern const struct kind kinds[KINDS];

/* 16 domain ids; tables of 3 levels only. */
void kind_few_ids(struct vtdm_config *m);
void kind_3_levels(struct vtdm_config *m);

/* One unit of that kind, enabled. */
void kind_up(struct rig *rig, const struct kind *kind);

#endif /* TESTS_VTD_KINDS_H */
