/* SPDX-License-Identifier: MIT */
/*
 * All that a change may change: taken before, compared after one that was
 * refused or failed. Books of the core, what the driver of no hardware has, and
 * what the host is short of.
 */
#ifndef TESTS_CORE_WATCH_H
#define TESTS_CORE_WATCH_H

#include "core/object.h"
#include "fake.h"
#include "machine.h"

struct watch_device {
	struct uiommu_sid sid;
	const struct uiommu_device *device;
	const struct uiommu_group *group;
	const struct uiommu_domain *domain;
	const struct uiommu_domain *dma;
	const struct uiommu_hwdomain *hardware;
	uint64_t mask;
	uint32_t uses;
	bool barred, resetting, paused;
};

struct watch_group {
	const struct uiommu_group *group;
	const struct uiommu_domain *own, *domain, *sink;
	const void *owner;
	enum uiommu_domain_type type;
	uint32_t uses, resets, attached;
	unsigned int members;
};

struct watch {
	const struct uiommu_edition *edition;
	struct watch_device devices[FAKE_DEVICES];
	struct watch_group groups[FAKE_DEVICES];
	uint32_t device_count, group_count;
	uint32_t overrides, masks;
	unsigned int domains;
	uint64_t pages; /* without what pools and tables keep for later */
	size_t locks, windows;
};

void watch_take(struct machine *machine, struct watch *watch);
/* Fails the test, with @what, if anything is not as it was. */
void watch_check(struct machine *machine, const struct watch *watch,
		 const char *what);
/* Whatever happened: the books and the hardware agree, and nobody is open. */
void watch_agree(struct machine *machine, const char *what);
/* Pages of the host's that are neither a pool's nor a table's. */
uint64_t watch_pages(struct machine *machine);

#endif /* TESTS_CORE_WATCH_H */
