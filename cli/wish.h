/* SPDX-License-Identifier: MIT */
/*
 * What a running machine would do if somebody asked: --set-type, --claim and
 * --mask, thought through by the same code that a live instance uses.
 */
#ifndef CLI_WISH_H
#define CLI_WISH_H

#include <jansson.h>

#include "study.h"

/* One wish and what came of it; all text is ready to print. */
struct wish {
	struct uiommu_request request;
	uint32_t device; /* index */
	uint32_t group;	 /* index into the study's plan */
	enum uiommu_outcome outcome;
	enum uiommu_domain_type from, to;
	enum uiommu_rule rule; /* of why */
	char asked[128];
	char takes[512]; /* what it takes, or why there is nothing to do */
	char why[256];	 /* "" if nothing decided it */
	char linux[256]; /* in Linux's words, "" if it has none */
};

struct wishes {
	struct wish *list;
	uint32_t count;
};

/**
 * wish_read() - understand one of the options
 * @study: the machine
 * @asked: the option and its word
 * @wish: request, device and group are filled
 * @error: what is wrong, and what to write instead
 *
 * Return: 0, or -1.
 */
int wish_read(const struct study *study, const struct ask_wish *asked,
	      struct wish *wish, struct machine_error *error);

/* A device's own requester id, by which a request names it. */
struct uiommu_sid wish_sid(const struct study *study, uint32_t device);

/* wish_words.c: fills asked, takes and linux, once the rest is. */
void wish_say(const struct study *study, struct wish *wish);
/* "identity", "dma"... as --set-type takes it. */
const char *wish_type_word(enum uiommu_domain_type type);

/*
 * Those of the command line, one after the other as a live machine would
 * answer them: what is refused changes nothing for the next. The plan of
 * @study is what is in force before. Returns 0, or the exit status after it
 * has said what is wrong. Frees with wishes_fini().
 */
int wishes_of(const struct study *study, const struct ask *ask,
	      struct wishes *wishes);
/* Each usual one for a device, or for a group (@device NONE), alone. */
int wishes_usual(const struct study *study, uint32_t device, uint32_t group,
		 struct wishes *wishes);
void wishes_fini(struct wishes *wishes);
bool wishes_refused(const struct wishes *wishes);

/* wish_print.c */
void wishes_print(struct out *out, const struct study *study,
		  const struct wishes *wishes);
/* One line each. */
void wishes_table(struct out *out, const struct wishes *wishes);
json_t *wishes_json(const struct study *study, const struct wishes *wishes);

#endif /* CLI_WISH_H */
