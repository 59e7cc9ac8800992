/* SPDX-License-Identifier: MIT */
/*
 * The ways by which devices leave what another kernel left, or by which the
 * books change around those that do not; and what must hold then.
 */
#ifndef TESTS_CHANGE_FIRST_H
#define TESTS_CHANGE_FIRST_H

#include <uiommu/dma.h>

#include "inherit.h"

#define FIRST_NONE 0x1234567ull /* no address */

/* What the machine is like. */
enum {
	FIRST_DIRECT = 1, /* identity by default */
	FIRST_SLOW = 2,	  /* no entry is replaced at once */
	FIRST_KINDS = 4
};

struct first {
	struct inherit t;
	const struct first_way *way;
	unsigned int kind;
	const char *what;
	struct uiommu_device *device, *beside; /* of drivers, or NULL */
	struct uiommu_domain *domain;
	struct rig_page region;
	uint64_t iova;
	struct uiommu_sg sg[2];
	void *cpu;
	uint32_t lent; /* slots that may be in use */
};

struct first_way {
	const char *name;
	enum inherit_who who;
	/* Whose old work need not go on; if none, nobody leaves anything. */
	unsigned int over;
	unsigned int kinds; /* of machines on which it is a way */
	void (*describe)(struct first *s);
	void (*before)(struct first *s);
	int (*act)(struct first *s);
	void (*back)(struct first *s); /* to where calls are made */
	bool partly; /* what fails may be made up for by something else */
	bool quiet;  /* nothing is asked of the host */
	bool comes;  /* the device does, also if there is no address then */
};

#define FIRST_WAYS 23u
extern const struct first_way first_ways[FIRST_WAYS];

/* What is in somebody's hands; all of it, but for pages. */
struct first_held {
	size_t devices, groups, domains, bounces, lent;
	size_t hardware_devices, hardware_domains;
	size_t waiting; /* devices that nobody asked for */
	size_t locks, windows;
};

void first_must(int err);
/* The machine on which @way is one, of @kind, up to where it begins. */
void first_up(struct first *s, const struct first_way *way, unsigned int kind);
/* After success: all can be asked for, and come; nothing may be left. */
void first_down(struct first *s);

void first_hold(struct first *s, struct first_held *held);
/* Is each device where the books say, or where it was found? */
void first_check(struct first *s);

/* A DMA call for s->device. */
int first_map(struct first *s);
/* What the device wrote is there at the end, by whatever way. */
void first_give_back(struct first *s, struct uiommu_device *of,
		     enum inherit_who who, uint64_t iova);
/* Whatever happened: it can be asked for, and comes; its driver goes. */
void first_ask(struct first *s, enum inherit_who who,
	       struct uiommu_device *driver);
/* host->on_pause */
bool first_pauses(struct uiommu_host *host, struct uiommu_device *paused);

#endif /* TESTS_CHANGE_FIRST_H */
