/* SPDX-License-Identifier: MIT */
/* Text from elsewhere: files, lines, words and numbers, all bounded. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <uiommu/types.h>

#include "machine.h"

#define TEXT_FILE_MOST ((size_t)64 << 20)

/* A text of lines, and the place in it. */
struct text {
	const char *name; /* for messages */
	const char *at, *end;
	unsigned int line; /* of the line taken last, from 1 */
	const char *word;  /* that line, without its end ... */
	size_t size;	   /* ... and its length */
};

/* A whole file, "-" for standard input; free() it. NULL: see @error. */
char *text_load(const char *path, size_t *size, struct machine_error *error);

void text_init(struct text *text, const char *name, const char *bytes,
	       size_t size);
/* The next line into word and size; false at the end. */
bool text_line(struct text *text);
/* Copies the line, cut to @size - 1 bytes, without unprintable bytes. */
void text_copy(const struct text *text, char *to, size_t size);
/* -1, and "NAME:LINE: what" in @error. */
int text_fail(const struct text *text, struct machine_error *error,
	      const char *fmt, ...) UIOMMU_PRINTF(3, 4);

/* Does the line begin with @prefix? */
bool text_begins(const struct text *text, const char *prefix);

/*
 * A string's parts. Each moves *@at past what it took and returns true, or
 * returns false and leaves it.
 */
bool text_hex(const char **at, unsigned int most_digits, uint64_t *value);
bool text_number(const char **at, uint64_t *value);	/* 0x..., or decimal */
bool text_sid(const char **at, struct uiommu_sid *sid); /* [0000:]00:1f.2 */
/* The same with a domain of up to 32 bits: 10000:e1:00.0 */
bool text_address(const char **at, uint32_t *domain, uint16_t *rid);
void text_blanks(const char **at);
bool text_word(const char **at, char *to, size_t size);
bool text_range(const char **at, struct uiommu_range *range);

/* Pairs of hex digits with blanks between; bytes, or -1 at the first other. */
long text_bytes(const char *at, const char *end, uint8_t *to, size_t room);

#endif /* CLI_TEXT_H */
