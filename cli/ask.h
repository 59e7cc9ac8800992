/* SPDX-License-Identifier: MIT */
/* What was asked on the command line. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdio.h>

#include <uiommu/change.h>

#include "out.h"

struct ask_command;

#define ASK_WISHES_MOST 64

/* --set-type, --claim or --mask, in the order of the command line. */
struct ask_wish {
	enum uiommu_request_kind kind;
	const char *word; /* what follows it */
};

struct ask {
	const struct ask_command *command;
	const char *from;    /* a bundle, or NULL */
	const char *root;    /* folder with sys/ and proc/; "": this machine */
	const char *dmar;    /* a table's file, or NULL */
	const char *lspci;   /* text of lspci, or NULL */
	const char *output;  /* -o, or NULL */
	const char *options; /* kernel options to add, or NULL */
	enum uiommu_rules rules;
	enum uiommu_domain_type build; /* NONE: not said */
	enum out_colour colour;
	struct ask_wish wishes[ASK_WISHES_MOST];
	uint32_t wish_count;
	bool demo; /* the built-in machine */
	bool json;
	char **words; /* what is left */
	int word_count;
};

/* Which options a command takes, besides --json, --color and --help. */
#define ASK_SOURCE UIOMMU_BIT32(0)  /* --from, --dmar, --lspci */
#define ASK_RULES UIOMMU_BIT32(1)   /* --rules */
#define ASK_OPTIONS UIOMMU_BIT32(2) /* --options, --build */
#define ASK_OUTPUT UIOMMU_BIT32(3)  /* -o */
#define ASK_DEMO UIOMMU_BIT32(4)    /* another command, on its machine */
/* It makes sense without the table: where there is none, one is supposed. */
#define ASK_SUPPOSE UIOMMU_BIT32(5)
#define ASK_WISHES UIOMMU_BIT32(6) /* --set-type, --claim, --mask */

struct ask_command {
	const char *name;
	const char *arguments; /* for its help, "" if none */
	const char *about;     /* one line */
	unsigned int takes;    /* ASK_* */
	int least, most;       /* words it wants; -1: any number */
	int (*run)(const struct ask *ask);
};

/* Exit status of the program. */
enum { ASK_FINE = 0, ASK_FINDINGS = 1, ASK_USAGE = 2 };

/*
 * Reads argv against @commands, of which the first is meant if none is named.
 * Returns -1 and fills @ask, or an exit status: help was printed, or what is
 * wrong.
 */
int ask_read(struct ask *ask, int argc, char **argv,
	     const struct ask_command *commands, unsigned int count);

#endif /* CLI_ASK_H */
