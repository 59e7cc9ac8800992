/* SPDX-License-Identifier: MIT */
/* A unit that another kernel left translating, with one device at work. */
#ifndef VTD_WORLD_H
#define VTD_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "kinds.h"
#include "old.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

/* A is where it should be; bus 2 is for whatever goes wrong. */
struct world {
	struct rig rig;
	struct old old;
	struct rig_device a;
	struct rig_page p;
	uint64_t space;
	const struct vtdm_stats *stats;
};

/* One at a time; it is to be adopted until its rig says otherwise. */
struct world *world(void);
/* After changes to the configuration; then tables, then old_on(). */
void world_begin(struct world *w);
/* A may be attached, whatever happened; then it is where it was put. */
void world_end(struct world *w);
/* What the driver says of the first unit. */
struct uiommu_unit_info info_of(struct rig *rig);

#endif /* VTD_WORLD_H */
