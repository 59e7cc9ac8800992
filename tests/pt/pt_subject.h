/* SPDX-License-Identifier: MIT */
/*
 * What the random test drives: an engine, and how hardware would read its
 * entries, written down a second time from the format's specification.
 */
#ifndef UIOMMU_TESTS_PT_SUBJECT_H
#define UIOMMU_TESTS_PT_SUBJECT_H

#include "fake_host.h"
#include "pt/pt.h"
#include "random.h"

enum pt_kind { PT_NOTHING, PT_POINTER, PT_LEAF, PT_DEFECT };

struct pt_subject {
	const char *name;
	uint64_t leaf_bits;
	int (*map)(struct uiommu_pt *pt, struct uiommu_range range,
		   uiommu_paddr_t paddr, unsigned int prot, unsigned int flags,
		   struct uiommu_gather *gather);
	int (*unmap)(struct uiommu_pt *pt, struct uiommu_range range,
		     unsigned int flags, struct uiommu_gather *gather,
		     uint64_t *unmapped);
	int (*lookup)(const struct uiommu_pt *pt, uiommu_iova_t iova,
		      uiommu_paddr_t *paddr, unsigned int *prot);
	int (*find)(const struct uiommu_pt *pt, struct uiommu_range range,
		    bool mapped, uiommu_iova_t *iova);
	enum pt_kind (*decode)(uint64_t entry, unsigned int level,
			       uiommu_paddr_t *paddr, unsigned int *prot);
};

extern const struct pt_subject pt_vtd_ss;
extern const struct pt_subject pt_toy;

/* Called once, right before the toy engine next reads an entry. */
extern void (*pt_toy_before_read)(void *arg);
extern void *pt_toy_before_read_arg;

/* As hardware: 0 if an access faults, or the permission. Asserts on defects. */
unsigned int pt_walk_hardware(struct uiommu_host *host,
			      const struct pt_subject *subject,
			      const struct uiommu_pt *pt, uiommu_iova_t iova,
			      uiommu_paddr_t *paddr);

/* @steps random calls, each checked against a flat array. */
void pt_random_run(const struct pt_subject *subject, unsigned int levels,
		   uint64_t page_sizes, bool coherent, struct random *random,
		   unsigned int steps);

#endif /* UIOMMU_TESTS_PT_SUBJECT_H */
