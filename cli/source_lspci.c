// SPDX-License-Identifier: MIT
/*
 * A machine out of what lspci printed, docs/sources.md.
 *
 * Such text has been through terminals, mail and forums. A function begins at
 * a line with its address; rows of bytes and decoded words after it are its
 * own; any other line is somebody's prose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lspci_words.h"
#include "text.h"

#define LSPCI_ROW 16u

struct lspci_function {
	unsigned int bytes_line; /* where its bytes begin; 0: none */
	bool off;		 /* lspci read all ones */
	struct lspci_words words;
};

struct lspci {
	struct machine *machine;
	struct machine_error *error;
	struct text text;
	struct lspci_function *functions; /* as in the machine */
	uint32_t room;
	bool open; /* bytes and words belong to functions[index] */
	uint32_t index;
	unsigned int begun; /* line of its address */
	uint32_t row;	    /* where a cut row goes on; 0: no such row */
	uint32_t end;	    /* of the bytes */
	uint8_t bytes[MACHINE_CONFIG_SIZE];
	uint8_t known[MACHINE_CONFIG_SIZE];
	bool listing; /* of groups, "IOMMU Group 3:" */
	uint32_t group;
	uint32_t unnamed_rows; /* bytes before any address */
};

#define LSPCI_FAIL(l, ...) text_fail(&(l)->text, (l)->error, __VA_ARGS__)

/* Puts file and line before what the machine had to say. */
static int lspci_pass(struct lspci *l)
{
	char what[300];

	snprintf(what, sizeof(what), "%.299s", l->error->text);
	return LSPCI_FAIL(l, "%s", what);
}

static void lspci_name(const struct lspci *l, uint32_t index,
		       char to[MACHINE_SID_SIZE])
{
	machine_sid_text(l->machine, l->machine->functions[index].sid, to);
}

/* First byte of the header that is not there; all: its size. */
static uint32_t lspci_missing(const struct lspci *l)
{
	uint32_t need = (l->bytes[0x0e] & 0x7f) == 0 ? LSPCI_ROW
						     : 2 * LSPCI_ROW;
	uint32_t i = 0;

	while (i < need && l->known[i])
		i++;
	return i < need ? i : 64;
}

/* Rows of one function are complete: keep them, what is missing as ones. */
static int lspci_take_bytes(struct lspci *l, bool last)
{
	struct machine_function *f = &l->machine->functions[l->index];
	uint32_t size = l->end <= 64 ? 64 : l->end <= 256 ? 256 : 4096;
	uint32_t missing = lspci_missing(l), holes = 0;
	char name[MACHINE_SID_SIZE];

	lspci_name(l, l->index, name);
	if (missing < 64 && !last)
		return LSPCI_FAIL(l,
				  "%s, since line %u, lacks its byte 0x%02x; "
				  "without it nothing can be said",
				  name, l->begun, missing);
	if (missing < 64) {
		machine_note(l->machine, "%.80s:%u: %s is cut off and left out",
			     l->text.name, l->begun, name);
		return 0;
	}
	for (uint32_t i = 0; i < size; i++) {
		if (l->known[i])
			continue;
		l->bytes[i] = 0xff;
		holes += i < l->end || size > 64;
	}
	/* Of a bridge to cardbus -x prints 128 bytes. */
	if (holes && l->end != 128)
		machine_note(l->machine,
			     "%.80s:%u: %s lacks %u bytes; what they hold "
			     "counts as absent",
			     l->text.name, l->begun, name, holes);
	if (machine_set_config(f, l->bytes, size, l->error))
		return lspci_pass(l);
	return 0;
}

static int lspci_close(struct lspci *l, bool last)
{
	int err = 0;

	if (l->open && l->end)
		err = lspci_take_bytes(l, last);
	l->open = false;
	l->row = 0;
	l->end = 0;
	return err;
}

static int lspci_grow(struct lspci *l)
{
	uint32_t count = l->machine->function_count;
	uint32_t room = l->room ? l->room : 64;
	struct lspci_function *more;

	while (room < count)
		room *= 2;
	if (room == l->room)
		return 0;
	more = realloc(l->functions, room * sizeof(*more));
	if (!more)
		return LSPCI_FAIL(l, "out of memory");
	memset(more + l->room, 0, (room - l->room) * sizeof(*more));
	l->functions = more;
	l->room = room;
	return 0;
}

/* Linux's group of the function that is open. */
static int lspci_group(struct lspci *l, uint32_t number)
{
	struct uiommu_sid sid = l->machine->functions[l->index].sid;
	const struct machine_group *now = machine_group_of(l->machine, sid);
	struct machine_group *group;
	char name[MACHINE_SID_SIZE];
	uint32_t last;

	lspci_name(l, l->index, name);
	if (now && now->number != number)
		return LSPCI_FAIL(l,
				  "%s is in group %u here and in group %u "
				  "above; is this one machine?",
				  name, number, now->number);
	if (now)
		return 0;
	group = machine_group(l->machine, number, l->error);
	if (!group || machine_group_device(group, name, l->error))
		return lspci_pass(l);
	last = group->member_count - 1;
	group->members[last].pci = true;
	group->members[last].sid = sid;
	return 0;
}

static int lspci_open(struct lspci *l, struct uiommu_sid sid, const char *at)
{
	struct machine_function *f;
	char name[MACHINE_SID_SIZE];

	f = machine_function(l->machine, sid, l->error);
	if (!f)
		return lspci_pass(l);
	if (lspci_grow(l))
		return -1;
	l->index = (uint32_t)(f - l->machine->functions);
	l->open = true;
	l->begun = l->text.line;
	memset(l->known, 0, sizeof(l->known));
	if (words_header(&l->functions[l->index].words, at))
		return 0;
	lspci_name(l, l->index, name);
	return LSPCI_FAIL(l, "%s was another device above; one machine, please",
			  name);
}

/* 1 and *@at behind the address; 0: none there; -1. */
static int lspci_address(struct lspci *l, const char **at,
			 struct uiommu_sid *sid)
{
	uint32_t domain;

	if (!text_address(at, &domain, &sid->rid))
		return 0;
	if (machine_segment(l->machine, domain, &sid->segment, l->error))
		return lspci_pass(l);
	return 1;
}

/*
 * "00:1f.2 SATA controller: ...", with a domain or a path (-PP) before it.
 * 1: it is one; 0: not.
 */
static int lspci_header(struct lspci *l, const char *at)
{
	struct uiommu_sid sid, next;
	int found = lspci_address(l, &at, &sid);

	while (found > 0 && *at == '/') {
		at++;
		if (!text_sid(&at, &next))
			return LSPCI_FAIL(l, "a path without bus numbers; run "
					     "lspci without -P");
		sid.rid = next.rid;
	}
	if (found < 0)
		return -1;
	if (!found || (*at != ' ' && *at != '\t'))
		return 0;
	text_blanks(&at);
	if (!*at)
		return 0;
	if (lspci_close(l, false) || lspci_open(l, sid, at))
		return -1;
	return 1;
}

/* "Slot:	00:1f.2" of -vmm. */
static int lspci_slot(struct lspci *l, const char *at)
{
	struct uiommu_sid sid;
	int found;

	at += 5;
	text_blanks(&at);
	found = lspci_address(l, &at, &sid);
	if (found < 0)
		return -1;
	if (!found || *at)
		return 0;
	return lspci_close(l, false) || lspci_open(l, sid, "") ? -1 : 1;
}

/* Bytes for the function that is open. */
static int lspci_bytes(struct lspci *l, uint32_t offset, const char *at)
{
	struct lspci_function *f = &l->functions[l->index];
	uint8_t row[LSPCI_ROW];
	long got = text_bytes(at, at + strlen(at), row, sizeof(row));
	char name[MACHINE_SID_SIZE];

	if (got < 0)
		return LSPCI_FAIL(l, "not up to 16 pairs of hexadecimal "
				     "digits");
	if (offset + (uint32_t)got > MACHINE_CONFIG_SIZE)
		return LSPCI_FAIL(l, "bytes beyond 4096");
	lspci_name(l, l->index, name);
	if (!l->end) {
		if (f->bytes_line)
			return LSPCI_FAIL(l,
					  "%s has its bytes at line %u "
					  "already; one machine, please",
					  name, f->bytes_line);
		f->bytes_line = l->text.line;
	}
	for (uint32_t i = 0; i < (uint32_t)got; i++) {
		if (l->known[offset + i])
			return LSPCI_FAIL(l, "byte 0x%02x of %s once more",
					  offset + i, name);
		l->known[offset + i] = 1;
		l->bytes[offset + i] = row[i];
	}
	offset += (uint32_t)got;
	if (offset > l->end)
		l->end = offset;
	l->row = offset % LSPCI_ROW ? offset : 0;
	return 0;
}

static bool lspci_pair(const char *at)
{
	uint64_t value;
	const char *p = at;

	return text_hex(&p, 2, &value) && p == at + 2 &&
	       (!*p || *p == ' ' || *p == '\t');
}

/* "100: 0d 00 ..." or, if the row before was wrapped, only bytes. */
static int lspci_row(struct lspci *l, const char *at)
{
	const char *begin = at;
	uint64_t offset;

	if (l->open && l->row && lspci_pair(at) &&
	    strlen(at) <= 3 * (LSPCI_ROW - l->row % LSPCI_ROW))
		return lspci_bytes(l, l->row, at) ? -1 : 1;
	if (!text_hex(&at, 3, &offset) || at < begin + 2 || *at++ != ':')
		return 0;
	text_blanks(&at);
	if (!lspci_pair(at))
		return 0;
	if (!l->open) {
		l->unnamed_rows++;
		return 1;
	}
	return lspci_bytes(l, (uint32_t)offset, at) ? -1 : 1;
}

/* "IOMMU Group 3:", of scripts; members may follow on the same line. */
static const char *lspci_listing(struct lspci *l, const char *at)
{
	uint64_t number;

	if (strncmp(at, "IOMMU Group ", 12) != 0 &&
	    strncmp(at, "IOMMU group ", 12) != 0)
		return NULL;
	at += 12;
	text_blanks(&at);
	if (!text_number(&at, &number) || number > 0xffffffff)
		return NULL;
	l->listing = true;
	l->group = (uint32_t)number;
	if (*at == ':')
		at++;
	text_blanks(&at);
	return at;
}

static int lspci_words(struct lspci *l, const char *at)
{
	struct machine_function *f = &l->machine->functions[l->index];
	struct lspci_words *words = &l->functions[l->index].words;
	unsigned int before = words->whole ? words->line : 0;
	const char *p = strstr(at, "IOMMU group");
	uint64_t number;

	if (!strncmp(at, "IOMMUGroup:", 11))
		p = at;
	if (p) {
		p += 11;
		p += *p == ':';
		text_blanks(&p);
		if (text_number(&p, &number) && number <= 0xffffffff &&
		    lspci_group(l, (uint32_t)number))
			return -1;
	}
	p = !strncmp(at, "Kernel driver in use:", 21) ? at + 21
	    : !strncmp(at, "Driver:", 7)	      ? at + 7
						      : NULL;
	if (p) {
		text_blanks(&p);
		text_word(&p, f->driver, sizeof(f->driver));
	}
	if (strstr(at, "Unknown header type 7f"))
		l->functions[l->index].off = true;
	words_line(words, at, l->text.line);
	if (before && before < l->begun && words->line != before)
		return LSPCI_FAIL(l,
				  "this is decoded at line %u already; one "
				  "machine, please",
				  before);
	return 0;
}

static int lspci_line(struct lspci *l, const char *line)
{
	const char *at = line, *rest;
	bool indented;
	int done;

	while (*at == '>' || *at == '|' || (*at == ' ' && at[1] == '>'))
		at += 1 + (*at != ' ' && at[1] == ' ');
	indented = *at == ' ' || *at == '\t';
	text_blanks(&at);
	rest = lspci_listing(l, at);
	if (rest) {
		at = rest;
		indented = true;
	}
	done = strncmp(at, "Slot:", 5) != 0 ? lspci_header(l, at)
					    : lspci_slot(l, at);
	if (done) {
		l->listing &= indented;
		return done < 0		       ? -1
		       : l->listing && l->open ? lspci_group(l, l->group)
					       : 0;
	}
	if (*at && !rest)
		l->listing = false;
	done = lspci_row(l, at);
	if (done)
		return done < 0 ? -1 : 0;
	return l->open ? lspci_words(l, at) : 0;
}

/* Its virtual functions may share its slot; that does not make it several. */
static bool lspci_is_virtual(const struct lspci_words *words,
			     struct uiommu_sid sid, struct uiommu_sid other)
{
	uint16_t at = (uint16_t)(other.rid - sid.rid - words->sriov_first);
	uint16_t stride = words->sriov_stride ? words->sriov_stride : 1;

	return words->sriov_on && at % stride == 0 &&
	       at / stride < words->sriov_count;
}

/* Does another function share the slot? */
static bool lspci_several(const struct machine *machine,
			  const struct lspci_words *words,
			  struct uiommu_sid sid)
{
	for (uint32_t i = 0; i < machine->function_count; i++) {
		struct uiommu_sid other = machine->functions[i].sid;

		if (other.segment == sid.segment && other.rid != sid.rid &&
		    other.rid >> 3 == sid.rid >> 3 &&
		    !lspci_is_virtual(words, sid, other))
			return true;
	}
	return false;
}

/* One that is off, as bytes or in words: its space is all ones. 0, or -1. */
static int lspci_off(struct lspci *l, uint32_t index)
{
	struct machine_function *f = &l->machine->functions[index];
	struct lspci_function *known = &l->functions[index];

	if (f->size) {
		known->off = machine_all_ones(f->config, f->size);
	} else if (known->off && !known->words.line) {
		memset(l->bytes, 0xff, 64);
		if (machine_set_config(f, l->bytes, 64, l->error))
			return lspci_pass(l);
	} else {
		known->off = false;
	}
	if (!known->off)
		return 0;
	f->vendor = known->words.vendor;
	f->device = known->words.device;
	/* The interface is read from the function: not that of the text. */
	f->class_code = known->words.class_code & 0xffff00;
	return 0;
}

/* 1: its space was built from words alone. */
static int lspci_build(struct lspci *l, uint32_t index)
{
	struct machine_function *f = &l->machine->functions[index];
	const struct lspci_words *words = &l->functions[index].words;
	bool several = !f->size && words->line &&
		       lspci_several(l->machine, words, f->sid);
	uint32_t before = f->size, size;

	if (before)
		memcpy(l->bytes, f->config, before);
	size = words_build(words, several, l->bytes, before);
	if (size != before && machine_set_config(f, l->bytes, size, l->error))
		return lspci_pass(l);
	/* A virtual function does not say who it is. */
	if (size && l->bytes[0] == 0xff && l->bytes[1] == 0xff) {
		f->vendor = words->vendor;
		f->device = words->device;
	}
	return size && !before;
}

/* Functions that were only named are taken out again. */
static uint32_t lspci_drop(struct machine *machine)
{
	uint32_t kept = 0, count = machine->function_count;

	for (uint32_t i = 0; i < count; i++)
		if (machine->functions[i].config)
			machine->functions[kept++] = machine->functions[i];
	machine->function_count = kept;
	return count - kept;
}

static void lspci_tell(struct lspci *l, uint32_t built, uint32_t nameless,
		       uint32_t dropped)
{
	struct machine *machine = l->machine;

	if (built)
		machine_note(machine,
			     "%u of %u functions are built from what lspci "
			     "decoded; what it does not print is guessed, "
			     "lspci -xxxx as root tells it",
			     built, machine->function_count);
	if (nameless)
		machine_note(machine,
			     "%u functions do not say who they are, so what is "
			     "known of such devices is not applied; lspci -nn "
			     "tells it",
			     nameless);
	if (dropped)
		machine_note(machine,
			     "%u functions are named without their "
			     "configuration space and left out; lspci -xxxx as "
			     "root prints it",
			     dropped);
	if (l->unnamed_rows)
		machine_note(machine,
			     "%u rows of bytes come before any address; the "
			     "beginning is missing",
			     l->unnamed_rows);
}

static int lspci_finish(struct lspci *l)
{
	uint32_t built = 0, nameless = 0;

	if (lspci_close(l, true))
		return -1;
	if (!l->machine->function_count)
		return LSPCI_FAIL(l, "no output of lspci: no line such as "
				     "00:1f.2 SATA controller: ...");
	for (uint32_t i = 0; i < l->machine->function_count; i++) {
		int done = lspci_off(l, i);

		if (!done && !l->functions[i].off)
			done = lspci_build(l, i);
		if (done < 0)
			return -1;
		built += (uint32_t)done;
		nameless += (done || l->functions[i].off) &&
			    !l->functions[i].words.vendor;
	}
	lspci_tell(l, built, nameless, lspci_drop(l->machine));
	if (!l->machine->function_count)
		return LSPCI_FAIL(l, "devices are named, but their "
				     "configuration space is not there; run "
				     "lspci -xxxx as root");
	return 0;
}

int machine_parse_lspci(struct machine *machine, const char *name,
			const char *text, size_t size,
			struct machine_error *error)
{
	struct lspci *l = calloc(1, sizeof(*l));
	char line[1024];
	int err = 0;

	if (!l) {
		machine_fail(error, "out of memory");
		return -1;
	}
	l->machine = machine;
	l->error = error;
	text_init(&l->text, name, text, size);
	while (!err && text_line(&l->text)) {
		text_copy(&l->text, line, sizeof(line));
		err = lspci_line(l, line);
	}
	if (!err)
		err = lspci_finish(l);
	free(l->functions);
	free(l);
	return err ? err : machine_set(&machine->source, name, error);
}

int machine_read_lspci(struct machine *machine, const char *path,
		       struct machine_error *error)
{
	size_t size;
	char *text = text_load(path, &size, error);
	int err;

	if (!text)
		return -1;
	err = machine_parse_lspci(machine, path, text, size, error);
	free(text);
	return err;
}
