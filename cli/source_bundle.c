// SPDX-License-Identifier: MIT
/* A machine out of a bundle, docs/bundle.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define BUNDLE_TABLE_MOST 0x20000u

struct bundle {
	struct machine *machine;
	struct machine_error *error;
	struct text text;
	char kind[16];
	char name[40];
	unsigned int begun; /* line of the section */
	struct machine_function *function;
	struct machine_group *group;
	struct machine_unit *unit;
	struct uiommu_sid root; /* of a section "bridge" */
	uint8_t *bytes;		/* collected hex; BUNDLE_TABLE_MOST */
	size_t size;
};

#define BUNDLE_IS(b, word) (!strcmp((b)->kind, (word)))
#define BUNDLE_FAIL(b, ...) text_fail(&(b)->text, (b)->error, __VA_ARGS__)

/* Puts line and file before what the machine had to say. */
static int bundle_pass(struct bundle *b)
{
	char what[300];

	snprintf(what, sizeof(what), "%.299s", b->error->text);
	return BUNDLE_FAIL(b, "%s", what);
}

static int bundle_end(struct bundle *b)
{
	int err = 0;

	if (BUNDLE_IS(b, "table") && !strcmp(b->name, "DMAR")) {
		err = machine_set_table(b->machine, b->bytes, b->size,
					b->error);
	} else if (BUNDLE_IS(b, "config")) {
		if (b->size != 64 && b->size != 256 && b->size != 4096)
			return BUNDLE_FAIL(b,
					   "configuration space of %zu bytes "
					   "since line %u; it has 64, 256 or "
					   "4096",
					   b->size, b->begun);
		err = machine_set_config(b->function, b->bytes,
					 (uint32_t)b->size, b->error);
	}
	b->kind[0] = 0;
	return err ? bundle_pass(b) : 0;
}

static int bundle_sid(struct bundle *b, const char *text,
		      struct uiommu_sid *sid)
{
	return machine_sid(b->machine, text, sid, b->error) ? bundle_pass(b)
							    : 0;
}

static int bundle_named(struct bundle *b)
{
	const char *at = b->name;
	struct uiommu_sid sid;
	uint64_t number, bus;

	if (BUNDLE_IS(b, "config") || BUNDLE_IS(b, "function")) {
		if (bundle_sid(b, at, &sid))
			return -1;
		b->function = machine_function(b->machine, sid, b->error);
		return b->function ? 0 : bundle_pass(b);
	}
	if (BUNDLE_IS(b, "group")) {
		if (!text_number(&at, &number) || *at || number > 0xffffffff)
			return BUNDLE_FAIL(b, "a group needs a number");
		b->group = machine_group(b->machine, (uint32_t)number,
					 b->error);
		return b->group ? 0 : bundle_pass(b);
	}
	if (BUNDLE_IS(b, "unit")) {
		b->unit = machine_unit(b->machine, at, b->error);
		return b->unit ? 0 : bundle_pass(b);
	}
	/* An empty one is known to be empty. */
	if (BUNDLE_IS(b, "cmdline"))
		return machine_set(&b->machine->cmdline, "", b->error);
	if (BUNDLE_IS(b, "bridge")) {
		if (!text_hex(&at, 8, &number) || *at++ != ':' ||
		    !text_hex(&at, 2, &bus) || *at)
			return BUNDLE_FAIL(b, "no root bus such as 0000:00");
		if (machine_segment(b->machine, (uint32_t)number,
				    &b->root.segment, b->error))
			return bundle_pass(b);
		b->root.rid = (uint16_t)(bus << 8);
	}
	return 0;
}

static int bundle_section(struct bundle *b, const char *line)
{
	static const char *const known[] = { "cmdline", "kernel",   "table",
					     "config",	"function", "group",
					     "unit",	"dmesg",    "memory",
					     "bridge",	"note" };
	const char *at = line + 2;

	if (bundle_end(b))
		return -1;
	b->size = 0;
	b->begun = b->text.line;
	b->name[0] = 0;
	text_blanks(&at);
	if (!text_word(&at, b->kind, sizeof(b->kind)))
		return BUNDLE_FAIL(b, "a section needs a kind: == KIND NAME");
	text_blanks(&at);
	if (*at && !text_word(&at, b->name, sizeof(b->name)))
		return BUNDLE_FAIL(b, "the name of the section is too long");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (BUNDLE_IS(b, known[i]))
			return bundle_named(b);
	machine_note(b->machine,
		     "%.80s:%u: section of unknown kind '%s'; "
		     "skipped",
		     b->text.name, b->text.line, b->kind);
	b->kind[0] = 0;
	return 0;
}

static int bundle_hex(struct bundle *b)
{
	long got = text_bytes(b->text.word, b->text.word + b->text.size,
			      b->bytes + b->size, BUNDLE_TABLE_MOST - b->size);

	if (got < 0)
		return BUNDLE_FAIL(b,
				   "not pairs of hexadecimal digits, or "
				   "more than %u bytes",
				   BUNDLE_TABLE_MOST);
	b->size += (size_t)got;
	return 0;
}

/* "8086:10ca" */
static int bundle_id(struct bundle *b, const char *at)
{
	uint64_t vendor, device;

	if (!text_hex(&at, 4, &vendor) || *at++ != ':' ||
	    !text_hex(&at, 4, &device) || *at)
		return BUNDLE_FAIL(b, "no vendor and device such as 8086:10ca");
	b->function->vendor = (uint16_t)vendor;
	b->function->device = (uint16_t)device;
	return 0;
}

static int bundle_function(struct bundle *b, const char *key, const char *at)
{
	struct machine_function *f = b->function;
	uint64_t code;

	if (!strcmp(key, "physfn")) {
		f->has_physfn = true;
		return bundle_sid(b, at, &f->physfn);
	}
	if (!strcmp(key, "id"))
		return bundle_id(b, at);
	if (!strcmp(key, "class")) {
		if (!text_hex(&at, 6, &code) || *at)
			return BUNDLE_FAIL(b, "no class such as 030000");
		f->class_code = (uint32_t)code;
		return 0;
	}
	if (!strcmp(key, "requester")) {
		f->has_requester = true;
		return bundle_sid(b, at, &f->requester);
	}
	if (!strcmp(key, "external_facing"))
		f->external_facing = !strcmp(at, "1");
	else if (!strcmp(key, "untrusted"))
		f->untrusted = !strcmp(at, "1");
	else if (!strcmp(key, "driver"))
		snprintf(f->driver, sizeof(f->driver), "%.31s", at);
	return 0;
}

/* Linux lists what firmware asks for, even what ends below its beginning. */
static bool bundle_backwards(const char *at)
{
	uint64_t first, last;

	if (!text_number(&at, &first) || *at != ' ')
		return false;
	text_blanks(&at);
	return text_number(&at, &last) && last < first && (!*at || *at == ' ');
}

static int bundle_group(struct bundle *b, const char *key, const char *at)
{
	struct uiommu_range range;
	int err = 0;

	if (!strcmp(key, "type")) {
		snprintf(b->group->type, sizeof(b->group->type), "%.23s", at);
	} else if (!strcmp(key, "device")) {
		err = machine_group_device(b->group, at, b->error);
	} else if (!strcmp(key, "region") && bundle_backwards(at)) {
		machine_note(b->machine,
			     "%.80s:%u: Linux lists a region that ends "
			     "below its beginning: %.60s",
			     b->text.name, b->text.line, at);
	} else if (!strcmp(key, "region")) {
		if (!text_range(&at, &range))
			return BUNDLE_FAIL(b, "not a range 0xFIRST 0xLAST");
		text_blanks(&at);
		err = machine_group_region(b->group, range, at, b->error);
	}
	return err ? bundle_pass(b) : 0;
}

static int bundle_unit(struct bundle *b, const char *key, const char *at)
{
	uint64_t *to = !strcmp(key, "address") ? &b->unit->base
		       : !strcmp(key, "cap")   ? &b->unit->cap
		       : !strcmp(key, "ecap")  ? &b->unit->ecap
					       : NULL;

	if (to && (!text_number(&at, to) || *at))
		return BUNDLE_FAIL(b, "not a number");
	return 0;
}

static int bundle_range(struct bundle *b, const char *at)
{
	struct uiommu_range range;
	int err;

	if (!text_range(&at, &range))
		return BUNDLE_FAIL(b, "not a range 0xFIRST 0xLAST");
	text_blanks(&at);
	if (BUNDLE_IS(b, "memory"))
		err = machine_add_memory(b->machine, range, at, b->error);
	else
		err = machine_add_bridge(b->machine, b->root.segment,
					 (uint8_t)(b->root.rid >> 8), range,
					 b->error);
	return err ? bundle_pass(b) : 0;
}

static int bundle_pair(struct bundle *b, const char *at)
{
	char key[24];

	if (!text_word(&at, key, sizeof(key)))
		return BUNDLE_FAIL(b, "no line of a key and a value");
	text_blanks(&at);
	if (BUNDLE_IS(b, "function"))
		return bundle_function(b, key, at);
	if (BUNDLE_IS(b, "group"))
		return bundle_group(b, key, at);
	return bundle_unit(b, key, at);
}

static int bundle_line(struct bundle *b, const char *line)
{
	struct machine *m = b->machine;
	int err = 0;

	if (!strncmp(line, "==", 2))
		return bundle_section(b, line);
	if (!*line || !b->kind[0])
		return 0;
	if (BUNDLE_IS(b, "config") || BUNDLE_IS(b, "table"))
		return bundle_hex(b);
	if (BUNDLE_IS(b, "memory") || BUNDLE_IS(b, "bridge"))
		return bundle_range(b, line);
	if (BUNDLE_IS(b, "cmdline"))
		err = machine_set(&m->cmdline, line, b->error);
	else if (BUNDLE_IS(b, "kernel"))
		err = machine_set(&m->kernel, line, b->error);
	else if (BUNDLE_IS(b, "note"))
		machine_note(m, "%s", line);
	else if (BUNDLE_IS(b, "dmesg"))
		err = machine_add_log(m, line, b->error);
	else
		return bundle_pair(b, line);
	return err ? bundle_pass(b) : 0;
}

int machine_parse_bundle(struct machine *machine, const char *name,
			 const char *text, size_t size,
			 struct machine_error *error)
{
	struct bundle b = { .machine = machine, .error = error };
	char line[4200];
	int err = 0;

	text_init(&b.text, name, text, size);
	b.text.line = 1;
	if (size < 16 || memcmp(text, "uiommu-bundle 1", 15) ||
	    (text[15] != '\n' && text[15] != '\r'))
		return BUNDLE_FAIL(&b, "no bundle: the first line is not "
				       "'uiommu-bundle 1'");
	b.text.line = 0;
	text_line(&b.text);
	b.bytes = malloc(BUNDLE_TABLE_MOST);
	if (!b.bytes)
		return BUNDLE_FAIL(&b, "out of memory");
	while (!err && text_line(&b.text)) {
		text_copy(&b.text, line, sizeof(line));
		err = bundle_line(&b, line);
	}
	if (!err)
		err = bundle_end(&b);
	free(b.bytes);
	return err ? err : machine_set(&machine->source, name, error);
}

int machine_read_bundle(struct machine *machine, const char *path,
			struct machine_error *error)
{
	size_t size;
	char *text = text_load(path, &size, error);
	int err;

	if (!text)
		return -1;
	err = machine_parse_bundle(machine, path, text, size, error);
	free(text);
	return err;
}
