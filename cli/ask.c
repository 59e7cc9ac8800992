// SPDX-License-Identifier: MIT
/* The command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/version.h>

#include "ask.h"

enum {
	ASK_FROM = 256,
	ASK_DMAR,
	ASK_LSPCI,
	ASK_RULE,
	ASK_OPTION,
	ASK_BUILD,
	ASK_JSON,
	ASK_COLOUR,
	ASK_VERSION,
	ASK_ROOT,
	ASK_SET_TYPE,
	ASK_CLAIM,
	ASK_MASK,
};

struct ask_option {
	unsigned int takes; /* 0: every command does */
	const char *text;
};

static const struct option ask_long[] = {
	{ "from", required_argument, NULL, ASK_FROM },
	{ "dmar", required_argument, NULL, ASK_DMAR },
	{ "lspci", required_argument, NULL, ASK_LSPCI },
	{ "root", required_argument, NULL, ASK_ROOT },
	{ "rules", required_argument, NULL, ASK_RULE },
	{ "options", required_argument, NULL, ASK_OPTION },
	{ "build", required_argument, NULL, ASK_BUILD },
	{ "set-type", required_argument, NULL, ASK_SET_TYPE },
	{ "claim", required_argument, NULL, ASK_CLAIM },
	{ "mask", required_argument, NULL, ASK_MASK },
	{ "output", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, ASK_JSON },
	{ "color", required_argument, NULL, ASK_COLOUR },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, ASK_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const struct ask_option ask_texts[] = {
	{ ASK_SOURCE, "  --from FILE      a bundle written by uiommu capture; "
		      "- is standard input\n" },
	{ ASK_SOURCE, "  --dmar FILE      the ACPI DMAR table: binary, or "
		      "acpidump's text\n" },
	{ ASK_SOURCE, "  --lspci FILE     text of lspci -xxxx or lspci "
		      "-vvvxxxx, taken as root\n" },
	{ ASK_SOURCE,
	  "  --root FOLDER    this machine as seen in FOLDER/sys and "
	  "FOLDER/proc\n" },
	{ ASK_RULES, "  --rules RULES    strict (all that can reach each "
		     "other), or linux\n" },
	{ ASK_OPTIONS, "  --options TEXT   kernel options to add, such as "
		       "\"iommu=pt\"\n" },
	{ ASK_OPTIONS,
	  "  --build TYPE     what the kernel was built for: lazy, "
	  "strict, passthrough\n" },
	{ ASK_WISHES,
	  "  --set-type GROUP=TYPE\n"
	  "                   what a running machine would do if it "
	  "were asked for\n"
	  "                   identity, dma, dma-fq or auto\n" },
	{ ASK_WISHES, "  --claim DEVICE   the same, for a user-space driver or "
		      "a guest\n" },
	{ ASK_WISHES,
	  "  --mask DEVICE=BITS\n"
	  "                   the same, if it reaches so many bits of "
	  "address\n" },
	{ ASK_OUTPUT, "  -o FILE          where to write; - is standard "
		      "output\n" },
	{ 0, "  --json           for programs; see docs/json.md\n" },
	{ 0, "  --color WHEN     auto, always or never\n" },
};

static void ask_print_options(FILE *to, unsigned int takes)
{
	for (size_t i = 0; i < sizeof(ask_texts) / sizeof(ask_texts[0]); i++)
		if (!ask_texts[i].takes || ask_texts[i].takes & takes)
			fputs(ask_texts[i].text, to);
}

static int ask_help(const struct ask_command *commands, unsigned int count)
{
	printf("usage: uiommu [COMMAND] [OPTIONS]\n"
	       "Who shares an IOMMU group, which default domain each group "
	       "gets, and why.\n\n");
	for (unsigned int i = 0; i < count; i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s %s", commands[i].name,
			 commands[i].arguments);
		printf("  %-24s %s\n", words, commands[i].about);
	}
	printf("\nWithout a source it looks at this machine; as root it sees "
	       "more.\n");
	ask_print_options(stdout, ~0u);
	printf("\nExit status: 0 fine, 1 findings or an unusable file, "
	       "2 usage.\n");
	return ASK_FINE;
}

static int ask_command_help(const struct ask_command *command)
{
	printf("usage: uiommu %s%s%s [OPTIONS]\n%s\n\n", command->name,
	       *command->arguments ? " " : "", command->arguments,
	       command->about);
	ask_print_options(stdout, command->takes);
	return ASK_FINE;
}

static int ask_wrong(const char *what, const char *word)
{
	fprintf(stderr, "uiommu: %s%s%s; see uiommu --help\n", what,
		*word ? " " : "", word);
	return ASK_USAGE;
}

static int ask_take_rules(struct ask *ask)
{
	if (!strcmp(optarg, "linux"))
		ask->rules = UIOMMU_RULES_LINUX;
	else if (strcmp(optarg, "strict"))
		return ask_wrong("--rules is strict or linux, not", optarg);
	return -1;
}

static int ask_take_build(struct ask *ask)
{
	if (!strcmp(optarg, "lazy"))
		ask->build = UIOMMU_DOMAIN_DMA_FQ;
	else if (!strcmp(optarg, "strict"))
		ask->build = UIOMMU_DOMAIN_DMA;
	else if (!strcmp(optarg, "passthrough"))
		ask->build = UIOMMU_DOMAIN_IDENTITY;
	else
		return ask_wrong("--build is lazy, strict or passthrough, not",
				 optarg);
	return -1;
}

static int ask_take_colour(struct ask *ask)
{
	if (!strcmp(optarg, "always"))
		ask->colour = OUT_COLOUR_ALWAYS;
	else if (!strcmp(optarg, "never"))
		ask->colour = OUT_COLOUR_NEVER;
	else if (strcmp(optarg, "auto"))
		return ask_wrong("--color is auto, always or never, not",
				 optarg);
	return -1;
}

static int ask_take_wish(struct ask *ask, enum uiommu_request_kind kind)
{
	if (ask->wish_count == ASK_WISHES_MOST)
		return ask_wrong("no more than 64 of --set-type, --claim and "
				 "--mask; leave out",
				 optarg);
	ask->wishes[ask->wish_count++] = (struct ask_wish){ kind, optarg };
	return -1;
}

static unsigned int ask_needs(int option)
{
	switch (option) {
	case ASK_SET_TYPE:
	case ASK_CLAIM:
	case ASK_MASK:
		return ASK_WISHES;
	case ASK_FROM:
	case ASK_DMAR:
	case ASK_LSPCI:
	case ASK_ROOT:
		return ASK_SOURCE;
	case ASK_RULE:
		return ASK_RULES;
	case ASK_OPTION:
	case ASK_BUILD:
		return ASK_OPTIONS;
	case 'o':
		return ASK_OUTPUT;
	default:
		return 0;
	}
}

static int ask_take(struct ask *ask, int option)
{
	switch (option) {
	case ASK_FROM:
		ask->from = optarg;
		return -1;
	case ASK_ROOT:
		ask->root = optarg;
		return -1;
	case ASK_DMAR:
		ask->dmar = optarg;
		return -1;
	case ASK_LSPCI:
		ask->lspci = optarg;
		return -1;
	case ASK_OPTION:
		ask->options = optarg;
		return -1;
	case 'o':
		ask->output = optarg;
		return -1;
	case ASK_JSON:
		ask->json = true;
		return -1;
	case ASK_RULE:
		return ask_take_rules(ask);
	case ASK_BUILD:
		return ask_take_build(ask);
	case ASK_COLOUR:
		return ask_take_colour(ask);
	case ASK_SET_TYPE:
		return ask_take_wish(ask, UIOMMU_REQUEST_TYPE);
	case ASK_CLAIM:
		return ask_take_wish(ask, UIOMMU_REQUEST_CLAIM);
	case ASK_MASK:
		return ask_take_wish(ask, UIOMMU_REQUEST_MASK);
	case ASK_VERSION:
		printf("uiommu %s\n", UIOMMU_VERSION_STRING);
		return ASK_FINE;
	default: /* getopt has said what is wrong */
		return ASK_USAGE;
	}
}

/* The command is the first word that is no option, wherever it stands. */
static int ask_find(struct ask *ask, const struct ask_command *commands,
		    unsigned int count)
{
	ask->command = &commands[0];
	if (!ask->word_count)
		return -1;
	for (unsigned int i = 0; i < count; i++) {
		if (strcmp(ask->words[0], commands[i].name))
			continue;
		ask->command = &commands[i];
		ask->words++;
		ask->word_count--;
		return -1;
	}
	return ask_wrong("no command", ask->words[0]);
}

/* "demo" goes before any command that looks at a machine. */
static int ask_find_demo(struct ask *ask, const struct ask_command *commands,
			 unsigned int count)
{
	int status = ask_find(ask, commands, count);

	if (status >= 0 || !(ask->command->takes & ASK_DEMO))
		return status;
	ask->demo = true;
	if (!ask->word_count)
		return -1;
	status = ask_find(ask, commands, count);
	if (status >= 0)
		return status;
	if (ask->command->takes & ASK_SOURCE &&
	    !(ask->command->takes & ASK_DEMO))
		return -1;
	return ask_wrong("demo is for commands that look at a machine, not",
			 ask->command->name);
}

static int ask_check(const struct ask *ask, unsigned int given)
{
	const struct ask_command *command = ask->command;

	if (given & ~command->takes)
		return ask_wrong("an option that does not go with",
				 command->name);
	if (ask->demo && given & ASK_SOURCE)
		return ask_wrong("demo has a machine of its own; leave out "
				 "--from, --dmar and --lspci",
				 "");
	if (ask->from && (ask->dmar || ask->lspci))
		return ask_wrong("--from holds a whole machine; leave out "
				 "--dmar and --lspci",
				 "");
	if (ask->word_count < command->least)
		return ask_wrong("what is missing is", command->arguments);
	if (command->most >= 0 && ask->word_count > command->most)
		return ask_wrong("one word too many:",
				 ask->words[command->most]);
	return -1;
}

int ask_read(struct ask *ask, int argc, char **argv,
	     const struct ask_command *commands, unsigned int count)
{
	unsigned int given = 0;
	bool help = false;
	int option, status;

	memset(ask, 0, sizeof(*ask));
	ask->root = "";
	while ((option = getopt_long(argc, argv, "ho:", ask_long, NULL)) !=
	       -1) {
		help |= option == 'h';
		given |= ask_needs(option);
		status = option == 'h' ? -1 : ask_take(ask, option);
		if (status >= 0)
			return status;
	}
	ask->words = argv + optind;
	ask->word_count = argc - optind;
	if (help && !ask->word_count)
		return ask_help(commands, count);
	status = ask_find_demo(ask, commands, count);
	if (status < 0 && help)
		return ask_command_help(ask->command);
	return status < 0 ? ask_check(ask, given) : status;
}
