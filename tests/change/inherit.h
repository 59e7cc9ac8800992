/* SPDX-License-Identifier: MIT */
/*
 * The machine of tests/core as another kernel left it: its unit translates, and
 * each device is in an address space of that kernel, in which one page is
 * mapped at INHERIT_OLD. USB passes. What has no entry: bridges and ports.
 */
#ifndef TESTS_CHANGE_INHERIT_H
#define TESTS_CHANGE_INHERIT_H

#include "machine.h"
#include "old.h"

#define INHERIT_OLD 0x5000u /* an address of the old kernel */

/* Its devices; the alias stands behind the two below the bridge. */
enum inherit_who {
	ALONE,
	OTHER,
	PAIR0,
	PAIR1,
	NVME,
	PCI0,
	PCI1,
	ALIAS,
	USB,
	INHERIT_ENTRIES
};

struct inherit {
	struct machine machine;
	struct rig rig; /* for what the old kernel does */
	struct old old;
	struct rig_page pages[INHERIT_ENTRIES];
	struct rig_page memory; /* ours, two pages */
	const struct vtdm_stats *stats;
};

extern const struct uiommu_sid inherit_sids[INHERIT_ENTRIES];

/* The old kernel is gone; machine and options may be changed before create. */
void inherit_describe(struct inherit *t);
void inherit_old(struct inherit *t);
/* Both, and all of it started, identity if @direct; DMA goes on meanwhile. */
struct inherit *inherit_up(bool direct);
/* Stop; nothing may be left, and nobody have broken the protocol. */
void inherit_down(struct inherit *t);
/* Likewise, but a unit that does not answer may keep pages. */
void inherit_down_broken(struct inherit *t);

struct uiommu_unit_info inherit_info(struct inherit *t);
/* Context invalidations so far: an attach that changes something has one. */
uint64_t inherit_attaches(const struct inherit *t);
/* From now on the old kernel's DMA of @who is not expected to arrive. */
void inherit_over(struct inherit *t, enum inherit_who who);
/* Does it? */
bool inherit_lands(struct inherit *t, enum inherit_who who);
/* Does a write of @who at @iova reach page @index of ours? */
bool inherit_reaches(struct inherit *t, enum inherit_who who, uint64_t iova,
		     unsigned int index);

#endif /* TESTS_CHANGE_INHERIT_H */
