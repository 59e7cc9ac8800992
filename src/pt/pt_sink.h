/* SPDX-License-Identifier: MIT */
/*
 * The tables of a sink: whatever address a device asks for, it meets one page
 * of zeroes of nobody's. A table per level is enough, since all entries of
 * each say the same.
 *
 * What devices write there stays there, for all of them to read: those that
 * share a sink can pass notes.
 */
#ifndef UIOMMU_PT_SINK_H
#define UIOMMU_PT_SINK_H

#include "pt/pt.h"

#define UIOMMU_PT_SINK_LEVELS 5u

struct uiommu_pt_sink {
	struct uiommu_host *host;		/* (c) */
	struct uiommu_pt_config config;		/* (c) leaves of 4 KiB alone */
	uiommu_word_t *root;			/* (c) */
	uiommu_paddr_t root_paddr;		/* (c) */
	uiommu_paddr_t page_paddr;		/* (c) the page that is met */
	void *pages[UIOMMU_PT_SINK_LEVELS + 1]; /* (c) it, then tables */
};

/*
 * Makes the tables, for units that can walk @config. UIOMMU_EINVAL if it makes
 * no sense, UIOMMU_ENOMEM. On error nothing is allocated. [sleep]
 */
UIOMMU_MUST_CHECK
int uiommu_pt_sink_init(struct uiommu_pt_sink *sink, struct uiommu_host *host,
			const struct uiommu_pt_config *config);

/*
 * Frees them all. No unit may hold the root in an entry or a cache; harmless
 * for one that is all zeroes, or was freed.
 */
void uiommu_pt_sink_fini(struct uiommu_pt_sink *sink);

/*
 * Describes the tables to a driver, as the pt of a domain of type
 * UIOMMU_DOMAIN_SINK. They are not a tree of the engine's: nothing of pt.h may
 * be called for @pt, neither to map or look up in it nor to free it. The
 * domain goes before the sink does.
 */
void uiommu_pt_sink_tables(const struct uiommu_pt_sink *sink,
			   struct uiommu_pt *pt);

#endif /* UIOMMU_PT_SINK_H */
