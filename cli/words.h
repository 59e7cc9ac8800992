/* SPDX-License-Identifier: MIT */
/* Reasons in few words, and what would change them. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "study.h"

/* "SV RR" for UIOMMU_ACS_* bits. */
void words_acs(uint32_t bits, char *text, size_t size);
/* "Intel Corporation 82574L Gigabit Network Connection [8086:10d3]", or "". */
void words_model(const struct study *study, uint32_t device, char *text,
		 size_t size);
/* The same in few words: what it is, and whose. */
void words_model_short(const struct study *study, uint32_t device, char *text,
		       size_t size);
/* Why the device is in its group and type, in few words. */
void words_why(const struct study *study, uint32_t device, char *text,
	       size_t size);
/* How bad is what that reason says? */
enum out_style words_style(enum uiommu_rule rule);

/* One thing that would change what the plan says of a group. */
struct advice {
	char *text;
	uint32_t blamed; /* the function it is about, or UIOMMU_PLAN_NONE */
};

#define ADVICE_MOST 24u

struct advices {
	struct advice list[ADVICE_MOST];
	uint32_t count;
};

/**
 * advise() - what would make a group smaller, free for a user, or of another
 * type
 *
 * What it says of access control and options is what the plan comes to with
 * those changed, not a guess. Free with advices_fini().
 */
void advise(const struct study *study, uint32_t group, struct advices *advices);
/* What would give a device that is in no group a unit. */
const char *advise_unconfined(const struct study *study, uint32_t device);
void advices_fini(struct advices *advices);

#endif /* CLI_WORDS_H */
