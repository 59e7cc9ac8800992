// SPDX-License-Identifier: MIT
/*
 * The DMAR by itself: the bytes, or text that shows them. Of text it is the
 * rows that count, not what stands around them: acpidump and iasl number them
 * "0000:", xxd "00000000:", hexdump -C has no colon and folds equal rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define DMAR_ROW_MOST 64u

struct dmar_text {
	struct machine *machine;
	struct machine_error *error;
	struct text text;
	uint8_t *bytes; /* UIOMMU_DMAR_SIZE_MAX */
	uint32_t size;	/* of the table that is being read */
	uint32_t row;	/* of its last row */
	unsigned int begun;
	bool found;
	bool folded; /* a line of only "*" */
};

#define DMAR_FAIL(d, ...) text_fail(&(d)->text, (d)->error, __VA_ARGS__)

/* The table before is whole. */
static int dmar_close(struct dmar_text *d)
{
	bool is_dmar = d->size >= 4 && !memcmp(d->bytes, "DMAR", 4);

	if (is_dmar && d->found)
		return DMAR_FAIL(d,
				 "a second DMAR, since line %u; one machine, "
				 "please",
				 d->begun);
	if (is_dmar &&
	    machine_set_table(d->machine, d->bytes, d->size, d->error))
		return -1;
	d->found |= is_dmar;
	d->size = 0;
	d->folded = false;
	return 0;
}

/* Pairs with at most one blank between them, or two in the middle. */
static uint32_t dmar_pairs(const char *at, bool middle, uint8_t *row)
{
	uint32_t count = 0;

	while (count < DMAR_ROW_MOST) {
		const char *p = at;
		uint8_t byte;

		if (count && *p == ' ')
			p++;
		if (middle && count == 8 && *p == ' ')
			p++;
		if (!p[0] || !p[1] || text_bytes(p, p + 2, &byte, 1) != 1)
			break;
		row[count++] = byte;
		at = p + 2;
	}
	return count;
}

static int dmar_room(const struct dmar_text *d, uint32_t more)
{
	if (more > UIOMMU_DMAR_SIZE_MAX ||
	    d->size + more > UIOMMU_DMAR_SIZE_MAX)
		return DMAR_FAIL(d, "more than %u bytes",
				 (unsigned int)UIOMMU_DMAR_SIZE_MAX);
	return 0;
}

/* hexdump -C leaves out rows that are as the one before. */
static int dmar_unfold(struct dmar_text *d, uint32_t offset)
{
	d->folded = false;
	if (offset < d->size || !d->row)
		return 0; /* what follows will complain */
	if (dmar_room(d, offset - d->size))
		return -1;
	for (; d->size < offset; d->size++)
		d->bytes[d->size] = d->bytes[d->size - d->row];
	return 0;
}

static int dmar_row(struct dmar_text *d, uint32_t offset, const uint8_t *row,
		    uint32_t count)
{
	if (offset == 0) {
		if (dmar_close(d))
			return -1;
		d->begun = d->text.line;
	}
	if (d->folded && dmar_unfold(d, offset))
		return -1;
	if (offset != d->size)
		return DMAR_FAIL(d,
				 "a row for 0x%04x where 0x%04x was due; "
				 "is the text whole?",
				 offset, d->size);
	if (dmar_room(d, count))
		return -1;
	memcpy(d->bytes + d->size, row, count);
	d->size += count;
	d->row = count;
	return 0;
}

/* Two bytes turned round: what hexdump prints without -C. */
static bool dmar_is_swapped(const uint8_t *row, uint32_t count)
{
	return count >= 4 && !memcmp(row, "MDRA", 4);
}

static int dmar_line(struct dmar_text *d, const char *line)
{
	uint8_t row[DMAR_ROW_MOST];
	const char *at = line, *begin;
	uint64_t offset;
	uint32_t count;
	bool colon;

	while (*at == '>' || *at == ' ')
		at++;
	if (!strcmp(at, "*")) {
		d->folded = d->size != 0;
		return 0;
	}
	begin = at;
	if (!text_hex(&at, 8, &offset) || at < begin + 4)
		return 0;
	colon = *at == ':';
	if (!colon && at < begin + 7)
		return 0; /* a year, more likely */
	at += colon;
	if (!*at) { /* the last line of hexdump -C tells the size */
		if (colon || !d->size)
			return 0;
		if (d->folded && dmar_unfold(d, (uint32_t)offset))
			return -1;
		return offset == d->size
			       ? 0
			       : DMAR_FAIL(d,
					   "the end is at 0x%04x, "
					   "0x%04x was due",
					   (unsigned int)offset, d->size);
	}
	if (*at != ' ')
		return 0;
	text_blanks(&at);
	count = dmar_pairs(at, !colon, row);
	if (!count)
		return 0;
	if (!offset && dmar_is_swapped(row, count))
		return DMAR_FAIL(d, "bytes in turned pairs; use hexdump -C");
	return dmar_row(d, (uint32_t)offset, row, count);
}

/* xxd -p: nothing but digits. */
static int dmar_parse_plain(struct dmar_text *d)
{
	while (text_line(&d->text)) {
		const char *at = d->text.word;
		long got = text_bytes(at, at + d->text.size, d->bytes + d->size,
				      UIOMMU_DMAR_SIZE_MAX - d->size);

		if (got < 0)
			return DMAR_FAIL(d, "not pairs of hexadecimal digits, "
					    "or more than a DMAR holds");
		d->size += (uint32_t)got;
	}
	return dmar_close(d);
}

static int dmar_parse_text(struct dmar_text *d)
{
	char line[300];

	d->bytes = malloc(UIOMMU_DMAR_SIZE_MAX);
	if (!d->bytes)
		return DMAR_FAIL(d, "out of memory");
	if (d->text.end - d->text.at >= 8 &&
	    !strncasecmp(d->text.at, "444d4152", 8))
		return dmar_parse_plain(d);
	while (text_line(&d->text)) {
		text_copy(&d->text, line, sizeof(line));
		if (dmar_line(d, line))
			return -1;
	}
	if (dmar_close(d))
		return -1;
	return d->found ? 0
			: DMAR_FAIL(d, "no DMAR: neither the table nor text "
				       "of acpidump, xxd or hexdump -C");
}

/* Text has no such bytes in its first lines, a table's header has. */
static bool dmar_is_binary(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && i < 64; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return true;
	}
	return false;
}

static int dmar_parse_binary(struct machine *machine, const char *name,
			     const char *bytes, size_t size,
			     struct machine_error *error)
{
	if (size < 4 || memcmp(bytes, "DMAR", 4) != 0) {
		machine_fail(error,
			     "%.80s: offset 0: no DMAR, which begins with "
			     "these letters",
			     name);
		return -1;
	}
	if (size > UIOMMU_DMAR_SIZE_MAX) {
		machine_fail(error,
			     "%.80s: offset 0x%x: more than a DMAR holds", name,
			     (unsigned int)UIOMMU_DMAR_SIZE_MAX);
		return -1;
	}
	return machine_set_table(machine, bytes, size, error);
}

int machine_parse_dmar(struct machine *machine, const char *name,
		       const char *bytes, size_t size,
		       struct machine_error *error)
{
	struct dmar_text d = { .machine = machine, .error = error };
	int err;

	text_init(&d.text, name, bytes, size);
	if (dmar_is_binary(bytes, size))
		return dmar_parse_binary(machine, d.text.name, bytes, size,
					 error);
	err = dmar_parse_text(&d);
	free(d.bytes);
	return err;
}

int machine_load_dmar(struct machine *machine, const char *path,
		      struct machine_error *error)
{
	size_t size;
	char *bytes = text_load(path, &size, error);
	int err;

	if (!bytes)
		return -1;
	err = machine_parse_dmar(machine, path, bytes, size, error);
	free(bytes);
	return err;
}
