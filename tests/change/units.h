/* SPDX-License-Identifier: MIT */
/*
 * The machine of tests/core under up to four units of different kinds, each as
 * another kernel left it (inherit.h) or off:
 *
 *	0	all the rest: OTHER, NVME, USB
 *	1	00:02.0 (ALONE) alone, which is Intel graphics
 *	2	00:04.x (PAIR0, PAIR1)
 *	3	behind the port 00:1d.0: PCI0, PCI1, ALIAS
 */
#ifndef TESTS_CHANGE_UNITS_H
#define TESTS_CHANGE_UNITS_H

#include "inherit.h"

struct units {
	struct machine machine;
	struct rig rig; /* for what the old kernel does */
	struct old olds[USER_UNITS];
	unsigned int home[INHERIT_ENTRIES]; /* unit of each */
	bool found[USER_UNITS];	  /* on, with the old kernel's tables */
	bool damaged[USER_UNITS]; /* which it had better not look at */
	bool other[USER_UNITS];	  /* not in use: ignored, or left alone */
	bool lost[USER_UNITS];	  /* not there any more */
	struct rig_page pages[INHERIT_ENTRIES];
	struct rig_page memory[INHERIT_ENTRIES];	/* ours */
	struct uiommu_device *drivers[INHERIT_ENTRIES]; /* of those asked for */
	uint64_t iovas[INHERIT_ENTRIES];		/* likewise */
};

struct units_kind {
	const char *name;
	void (*set)(struct units *t);
};

#define UNITS_KINDS 4u
extern const struct units_kind units_kinds[UNITS_KINDS];

/* All adopted, all found; change it, then the next. */
void units_describe(struct units *t, const struct units_kind *kind);
/* Host, tables, the old kernel, which is gone. Then machine_scan(). */
void units_build(struct units *t);
/* All of it and started, while the old kernel's DMA goes on. */
void units_up(struct units *t);
/* Drivers go, stop; nothing may be left, nobody have broken the protocol. */
void units_down(struct units *t);
/* Likewise where a unit keeps its pages; returns how many. */
size_t units_down_keeping(struct units *t);

struct vtdm *units_model(const struct units *t, unsigned int unit);
struct uiommu_unit_info units_info(struct units *t, unsigned int unit);
/* All units lose their power. */
void units_lose_power(struct units *t);

/* The old kernel's DMA of @who: does it arrive? */
bool units_lands(struct units *t, enum inherit_who who);
/* Of all that were found and not asked for: all do. */
void units_flows(struct units *t);
void units_watch(struct units *t, bool on);
/* Does a write of @who at @address reach our page of @at? */
bool units_reaches(struct units *t, enum inherit_who who, uint64_t address,
		   enum inherit_who at);
/* Does the device wait to be asked for? */
bool units_inherits(struct units *t, enum inherit_who who);
/* The first call of its driver, which moves it, and no other. */
void units_ask(struct units *t, enum inherit_who who);

/* What each device's entry says, where it is and what it reaches. */
struct units_picture {
	struct {
		uint64_t lo, hi;
		const struct uiommu_domain *domain, *own;
		bool lands, physical, ours, others;
	} devices[INHERIT_ENTRIES];
	struct {
		uint32_t inherited;
		bool adopted, translating, broken;
	} units[USER_UNITS];
};

void units_look(struct units *t, struct units_picture *picture);
/* The same as before, but for unit @but and its devices; -1: for all. */
void units_compare(struct units *t, const struct units_picture *before,
		   int but);

#endif /* TESTS_CHANGE_UNITS_H */
