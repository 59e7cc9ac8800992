// SPDX-License-Identifier: MIT
/*
 * Options from the text of a command line, as Linux reads it: blanks separate
 * options, double quotes protect blanks, the last word wins.
 */
#include <uiommu/options.h>

#include <uiommu/types.h>

struct options_text {
	const char *text;
	size_t size;
	struct uiommu_options *options;
	struct uiommu_options_finding *findings;
	uint32_t room;
	uint32_t count;
	bool strict; /* asked for by intel_iommu=; nothing undoes it */
};

/* Bytes @first to @end - 1. */
struct options_span {
	size_t first;
	size_t end;
};

static void options_say(struct options_text *in, struct options_span span,
			enum uiommu_options_problem problem)
{
	if (in->count < in->room)
		in->findings[in->count] = (struct uiommu_options_finding){
			problem, span.first, span.end - span.first
		};
	in->count++;
}

static char options_at(const struct options_text *in, size_t at)
{
	return in->text[at] == '-' ? '_' : in->text[at];
}

/* Length of @word if @span begins with it, else 0. */
static size_t options_begins(const struct options_text *in,
			     struct options_span span, const char *word)
{
	size_t i;

	for (i = 0; word[i] != 0; i++) {
		if (span.first + i >= span.end ||
		    options_at(in, span.first + i) != word[i])
			return 0;
	}
	return i;
}

static bool options_is(const struct options_text *in, struct options_span span,
		       const char *word)
{
	return options_begins(in, span, word) == span.end - span.first &&
	       span.end != span.first;
}

static bool options_is_one(const struct options_text *in,
			   struct options_span span, const char *const *words,
			   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (options_is(in, span, words[i]))
			return true;
	}
	return false;
}

#define OPTIONS_IS_ONE(in, span, words) \
	options_is_one(in, span, words, sizeof(words) / sizeof((words)[0]))

/* Linux looks at the first letter, and at the second after an o. */
static void options_bool(struct options_text *in, struct options_span span,
			 enum uiommu_choice *choice)
{
	char c = span.first < span.end ? in->text[span.first] : 0;

	if ((c == 'o' || c == 'O') && span.end - span.first > 1) {
		c = in->text[span.first + 1];
		if (c == 'n' || c == 'N')
			c = '1';
		else if (c == 'f' || c == 'F')
			c = '0';
		else
			c = 0;
	}
	if (c == '1' || c == 'y' || c == 'Y' || c == 't' || c == 'T')
		*choice = UIOMMU_CHOICE_YES;
	else if (c == '0' || c == 'n' || c == 'N' || c == 'f' || c == 'F')
		*choice = UIOMMU_CHOICE_NO;
	else
		options_say(in, span,
			    span.first == span.end ? UIOMMU_OPTIONS_NO_VALUE
						   : UIOMMU_OPTIONS_BAD_BOOL);
}

/* A word of iommu=. */
static void options_common(struct options_text *in, struct options_span span)
{
	static const char *const unused[] = {
		"force",    "noforce",	  "biomerge",  "panic",
		"nopanic",  "merge",	  "nomerge",   "forcesac",
		"allowdac", "nodac",	  "usedac",    "soft",
		"noagp",    "noaperture", "fullflush", "nofullflush",
	};

	if (options_is(in, span, "pt"))
		in->options->passthrough = UIOMMU_CHOICE_YES;
	else if (options_is(in, span, "nopt"))
		in->options->passthrough = UIOMMU_CHOICE_NO;
	else if (options_is(in, span, "off"))
		in->options->off = true;
	else
		options_say(in, span,
			    OPTIONS_IS_ONE(in, span, unused)
				    ? UIOMMU_OPTIONS_UNUSED
				    : UIOMMU_OPTIONS_UNKNOWN);
}

/* A word of intel_iommu=. */
static void options_intel(struct options_text *in, struct options_span span)
{
	static const char *const unused[] = { "forcedac", "intgpu_off" };
	struct uiommu_options *options = in->options;

	if (options_is(in, span, "on"))
		options->remapping = UIOMMU_CHOICE_YES;
	else if (options_is(in, span, "off"))
		options->remapping = UIOMMU_CHOICE_NO;
	else if (options_is(in, span, "igfx_off"))
		options->igfx_off = true;
	else if (options_is(in, span, "strict"))
		in->strict = true;
	else if (options_is(in, span, "sp_off"))
		options->superpages = UIOMMU_CHOICE_NO;
	else if (options_is(in, span, "sm_on"))
		options->scalable = UIOMMU_CHOICE_YES;
	else if (options_is(in, span, "sm_off"))
		options->scalable = UIOMMU_CHOICE_NO;
	else if (options_is(in, span, "tboot_noforce"))
		options->tboot_noforce = true;
	else
		options_say(in, span,
			    OPTIONS_IS_ONE(in, span, unused)
				    ? UIOMMU_OPTIONS_UNUSED
				    : UIOMMU_OPTIONS_UNKNOWN);
}

static void options_list(struct options_text *in, struct options_span span,
			 void (*word)(struct options_text *in,
				      struct options_span span))
{
	struct options_span one = span;

	if (span.first == span.end)
		options_say(in, span, UIOMMU_OPTIONS_NO_VALUE);
	while (one.first < span.end) {
		one.end = one.first;
		while (one.end < span.end && in->text[one.end] != ',')
			one.end++;
		if (one.end != one.first)
			word(in, one);
		one.first = one.end + 1;
	}
}

/* One option; quotes around it or its value are gone. */
static void options_one(struct options_text *in, struct options_span name,
			struct options_span value, bool has_value)
{
	static const char *const unused[] = { "iommu.forcedac" };
	struct options_span all = { name.first,
				    has_value ? value.end : name.end };

	if (!options_begins(in, name, "iommu") &&
	    !options_begins(in, name, "intel_iommu"))
		return;
	if (OPTIONS_IS_ONE(in, name, unused))
		options_say(in, all, UIOMMU_OPTIONS_UNUSED);
	else if (options_is(in, name, "iommu.passthrough"))
		options_bool(in, value, &in->options->passthrough);
	else if (options_is(in, name, "iommu.strict"))
		options_bool(in, value, &in->options->strict);
	else if (options_is(in, name, "iommu"))
		options_list(in, value, options_common);
	else if (options_is(in, name, "intel_iommu"))
		options_list(in, value, options_intel);
	else
		options_say(in, all, UIOMMU_OPTIONS_UNKNOWN);
}

/* Takes @span apart at its first '=', and quotes off. */
static void options_split(struct options_text *in, struct options_span span)
{
	struct options_span value = { span.end, span.end };
	struct options_span name = span;
	bool has_value = false;
	size_t at;

	if (in->text[name.first] == '"') {
		name.first++;
		if (name.end > name.first && in->text[name.end - 1] == '"')
			name.end--;
	}
	for (at = name.first; at < name.end; at++) {
		if (in->text[at] != '=')
			continue;
		has_value = true;
		value.first = at + 1;
		value.end = name.end;
		name.end = at;
		break;
	}
	if (value.first < value.end && in->text[value.first] == '"') {
		value.first++;
		if (value.end > value.first && in->text[value.end - 1] == '"')
			value.end--;
	}
	if (!has_value)
		value.first = value.end = name.end;
	options_one(in, name, value, has_value);
}

static bool options_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

uint32_t uiommu_options_parse(const char *text, size_t size,
			      struct uiommu_options *options,
			      struct uiommu_options_finding *findings,
			      uint32_t room)
{
	struct options_text in = {
		text, size, options, findings, room, 0, false
	};
	struct options_span span = { 0, 0 };
	bool quoted = false;

	for (;;) {
		while (span.first < size && options_blank(text[span.first]))
			span.first++;
		if (span.first == size || text[span.first] == 0)
			break;
		quoted = false;
		for (span.end = span.first; span.end < size; span.end++) {
			char c = text[span.end];

			if (c == 0 || (options_blank(c) && !quoted))
				break;
			if (c == '"')
				quoted = !quoted;
		}
		if (options_is(&in, span, "__")) /* "--": the rest is init's */
			break;
		options_split(&in, span);
		span.first = span.end;
	}
	if (in.strict)
		options->strict = UIOMMU_CHOICE_YES;
	return in.count;
}

const char *uiommu_options_problem_text(enum uiommu_options_problem problem)
{
	switch (problem) {
	case UIOMMU_OPTIONS_UNKNOWN:
		return "unknown word";
	case UIOMMU_OPTIONS_BAD_BOOL:
		return "neither yes nor no";
	case UIOMMU_OPTIONS_NO_VALUE:
		return "a value is missing";
	case UIOMMU_OPTIONS_UNUSED:
		return "has no effect here";
	}
	return "unknown problem";
}
