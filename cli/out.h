/* SPDX-License-Identifier: MIT */
/* What people read: columns that line up, sentences that wrap, colour. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <uiommu/types.h>

#define OUT_COLUMNS_MOST 8u

enum out_style {
	OUT_PLAIN,
	OUT_HEAD,
	OUT_DIM,
	OUT_GOOD,
	OUT_WARN,
	OUT_BAD,
};

enum out_colour {
	OUT_COLOUR_AUTO, /* on a terminal, unless NO_COLOR is set */
	OUT_COLOUR_ALWAYS,
	OUT_COLOUR_NEVER,
};

struct out {
	FILE *to;
	bool colour;
	unsigned int width; /* columns of the terminal; 0: no limit */
};

void out_init(struct out *out, FILE *to, enum out_colour colour);
/* Text in a style; unprintable bytes come out as '?'. */
void out_say(struct out *out, enum out_style style, const char *fmt, ...)
	UIOMMU_PRINTF(3, 4);
/* A line of its own, wrapped, with @first before it and blanks below that. */
void out_wrap(struct out *out, enum out_style style, const char *first,
	      const char *fmt, ...) UIOMMU_PRINTF(4, 5);

struct out_cell {
	char *text;
	enum out_style style;
};

/* Rows of cells, printed once all are there. */
struct out_table {
	unsigned int columns;
	struct out_cell *cells;
	uint32_t count, room;
	bool failed; /* out of memory: it prints nothing and says so */
};

/* @heads: a title a column; the last column may be as long as it likes. */
void out_table_init(struct out_table *table, unsigned int columns,
		    const char *const *heads);
void out_cell(struct out_table *table, enum out_style style, const char *fmt,
	      ...) UIOMMU_PRINTF(3, 4);
/* Prints and frees. */
void out_table_print(struct out *out, struct out_table *table);

#endif /* CLI_OUT_H */
