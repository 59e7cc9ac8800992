/* SPDX-License-Identifier: MIT */
/*
 * A machine thought through: its plan under the rules that were asked for, the
 * plan by Linux's rules, and how that compares with what Linux did.
 */
#ifndef CLI_STUDY_H
#define CLI_STUDY_H

#include <uiommu/plan.h>

#include "ask.h"
#include "machine.h"
#include "names.h"

#define STUDY_FINDINGS_MOST 64u
/* What isolation needs, and Linux turns on at boot. */
#define STUDY_ACS                                                     \
	(UIOMMU_ACS_SOURCE_VALIDATION | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)

/* One thing in which Linux's own groups are not what its rules say. */
struct study_difference {
	uint32_t group; /* Linux's number */
	char text[240];
};

struct study {
	const struct machine *machine;
	struct names *names;		/* of vendors and models */
	struct uiommu_plan_input input; /* of plan */
	struct uiommu_plan_unit *units; /* one per DMAR record */
	struct uiommu_range *ram;
	char *options_text; /* the machine's words, then those that were asked */
	struct uiommu_options_finding findings[STUDY_FINDINGS_MOST];
	uint32_t finding_count;
	bool table;	  /* there is a DMAR table that can be used */
	bool assumed_acs; /* access control as if the IOMMU had been on */
	struct uiommu_plan plan;
	struct uiommu_plan as_linux; /* the same by Linux's rules */
	/* Of each function: Linux's group, or NULL. */
	const struct machine_group **linux_groups;
	char (*labels)[16]; /* of each group of plan */
	struct study_difference *differences;
	uint32_t difference_count, difference_room;
	uint32_t agreed; /* Linux's groups that are as its rules say */
};

/**
 * study_make() - think a machine through
 * @study: filled; study_fini() after success
 * @machine: prepared; must stay
 * @ask: rules and the kernel's build
 * @options: words to add to the machine's own, or NULL
 * @error: why not
 *
 * Return: 0, or -1.
 */
int study_make(struct study *study, struct machine *machine,
	       const struct ask *ask, const char *options,
	       struct machine_error *error);
void study_fini(struct study *study);

/* The same with other functions: what would be. Free with uiommu_plan_fini().
 * Returns 0, or -1. */
int study_plan_with(const struct study *study,
		    const struct uiommu_topology *topology,
		    struct uiommu_plan *plan);

/* study_linux.c: fills linux_groups, labels and differences. */
int study_compare(struct study *study, struct machine_error *error);

/*
 * source_of() - read the machine that @ask names, and prepare it
 *
 * After success machine_fini() is the caller's; after failure the reason is
 * in @error and nothing is held.
 */
int source_of(const struct ask *ask, struct machine *machine,
	      struct machine_error *error);

/*
 * study_of() - read the machine that @ask names, and think it through
 *
 * After success machine_fini() and study_fini() are the caller's. After
 * failure the reason is on standard error and nothing is held.
 */
int study_of(const struct ask *ask, const char *options,
	     struct machine *machine, struct study *study);

/* Did Linux make groups on this machine? */
static inline bool study_knows_linux(const struct study *study)
{
	return study->machine->group_count != 0;
}

/* Is enough known to say whether Linux did as its rules say? */
static inline bool study_compares(const struct study *study)
{
	return study_knows_linux(study) && study->table;
}

/* "dmar0" for a DRHD record, as Linux counts them. */
void study_unit_name(const struct study *study, uint32_t record, char *text,
		     size_t size);
/* "0000:00:1f.2", or the ACPI path of a device that has no function. */
void study_device_name(const struct study *study, uint32_t device, char *text,
		       size_t size);
/* The device that @word names, or UIOMMU_PLAN_NONE. */
uint32_t study_find_device(const struct study *study, const char *word);
/* The group that @word names by label, or UIOMMU_PLAN_NONE. */
uint32_t study_find_group(const struct study *study, const char *word);
/* First member of the group of this index. */
const uint32_t *study_members(const struct study *study, uint32_t group,
			      uint32_t *count);
/* A region of type direct keeps the group from users. */
bool study_is_kept(const struct study *study, uint32_t group);

#endif /* CLI_STUDY_H */
