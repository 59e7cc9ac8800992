// SPDX-License-Identifier: MIT
/* Output for people. What came from a file is printed without its controls. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out.h"

#define OUT_NARROWEST 60u
#define OUT_PLAIN_WIDTH 80u /* of sentences where there is no terminal */
#define OUT_NAME_MOST 48u   /* of any but the last column on a terminal */

void out_init(struct out *out, FILE *to, enum out_colour colour)
{
	bool terminal = isatty(fileno(to));
	const char *off = getenv("NO_COLOR");
	struct winsize size;

	out->to = to;
	out->width = 0;
	out->colour = colour == OUT_COLOUR_ALWAYS ||
		      (colour == OUT_COLOUR_AUTO && terminal &&
		       (!off || !*off));
	if (terminal && !ioctl(fileno(to), TIOCGWINSZ, &size) && size.ws_col)
		out->width = size.ws_col < OUT_NARROWEST ? OUT_NARROWEST
							 : size.ws_col;
}

static const char *out_code(const struct out *out, enum out_style style)
{
	static const char *const codes[] = {
		[OUT_PLAIN] = "",	 [OUT_HEAD] = "\033[1m",
		[OUT_DIM] = "\033[2m",	 [OUT_GOOD] = "\033[32m",
		[OUT_WARN] = "\033[33m", [OUT_BAD] = "\033[1;31m",
	};

	return out->colour ? codes[style] : "";
}

/* Tabs and the like would shift columns, escapes would do worse. */
static void out_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static char *out_format(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return NULL;
	out_clean(text);
	return text;
}

static void out_put(struct out *out, enum out_style style, const char *text,
		    size_t length)
{
	const char *code = out_code(out, style);

	fprintf(out->to, "%s%.*s%s", code, (int)length, text,
		*code ? "\033[0m" : "");
}

void out_say(struct out *out, enum out_style style, const char *fmt, ...)
{
	size_t length = strlen(fmt);
	bool ends = length && fmt[length - 1] == '\n';
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	length = strlen(text);
	if (ends && length)
		text[--length] = 0;
	out_clean(text);
	out_put(out, style, text, length);
	if (ends)
		fputc('\n', out->to);
	free(text);
}

/* Bytes of @text that fit into @width, cut at a blank if there is one. */
static size_t out_break(const char *text, size_t width)
{
	size_t length = strlen(text), at;

	if (length <= width)
		return length;
	for (at = width; at > 0; at--)
		if (text[at] == ' ')
			return at;
	return width;
}

void out_wrap(struct out *out, enum out_style style, const char *first,
	      const char *fmt, ...)
{
	size_t width = out->width ? out->width : OUT_PLAIN_WIDTH;
	size_t indent = strlen(first), length;
	const char *at;
	va_list args;
	char *text;

	va_start(args, fmt);
	text = out_format(fmt, args);
	va_end(args);
	if (!text)
		return;
	width = width > indent + 20 ? width - indent : 20;
	fputs(first, out->to);
	for (at = text;; at += length) {
		while (*at == ' ')
			at++;
		length = out_break(at, width);
		out_put(out, style, at, length);
		fputc('\n', out->to);
		if (!at[length])
			break;
		fprintf(out->to, "%*s", (int)indent, "");
	}
	free(text);
}

static void out_add(struct out_table *table, enum out_style style, char *text)
{
	struct out_cell *more;

	if (text && table->count == table->room) {
		uint32_t room = table->room ? 2 * table->room : 64;

		more = realloc(table->cells, room * sizeof(*more));
		if (more) {
			table->cells = more;
			table->room = room;
		}
	}
	if (!text || table->count == table->room) {
		free(text);
		table->failed = true;
		return;
	}
	table->cells[table->count++] = (struct out_cell){ text, style };
}

void out_table_init(struct out_table *table, unsigned int columns,
		    const char *const *heads)
{
	memset(table, 0, sizeof(*table));
	table->columns = columns;
	for (unsigned int i = 0; i < columns; i++)
		out_cell(table, OUT_HEAD, "%s", heads[i]);
}

void out_cell(struct out_table *table, enum out_style style, const char *fmt,
	      ...)
{
	va_list args;

	va_start(args, fmt);
	out_add(table, style, out_format(fmt, args));
	va_end(args);
}

static void out_widths(const struct out *out, const struct out_table *table,
		       size_t *widths)
{
	memset(widths, 0, OUT_COLUMNS_MOST * sizeof(*widths));
	for (uint32_t i = 0; i < table->count; i++) {
		size_t *width = &widths[i % table->columns];
		size_t length = strlen(table->cells[i].text);

		if (length > *width)
			*width = length;
		if (out->width && *width > OUT_NAME_MOST)
			*width = OUT_NAME_MOST;
	}
}

/* Cells of a row, without empty ones at its end: no blanks there. */
static unsigned int out_cells(const struct out_table *table,
			      const struct out_cell *row)
{
	unsigned int count = table->columns;

	while (count && !*row[count - 1].text)
		count--;
	return count;
}

static void out_row(struct out *out, const struct out_table *table,
		    const struct out_cell *row, const size_t *widths)
{
	unsigned int count = out_cells(table, row);
	size_t used = 0;

	for (unsigned int i = 0; i < count; i++) {
		size_t length = strlen(row[i].text);
		size_t room = widths[i];

		if (i + 1 == table->columns)
			room = out->width > used + 8 ? out->width - used
						     : length;
		if (length > room) {
			out_put(out, row[i].style, row[i].text, room - 2);
			out_put(out, OUT_DIM, "..", 2);
			length = room;
		} else {
			out_put(out, row[i].style, row[i].text, length);
		}
		if (i + 1 < count)
			fprintf(out->to, "%*s", (int)(room - length) + 2, "");
		used += room + 2;
	}
	fputc('\n', out->to);
}

void out_table_print(struct out *out, struct out_table *table)
{
	size_t widths[OUT_COLUMNS_MOST];
	uint32_t i;

	if (table->failed)
		fprintf(out->to, "out of memory\n");
	out_widths(out, table, widths);
	for (i = 0; !table->failed && i + table->columns <= table->count;
	     i += table->columns)
		out_row(out, table, &table->cells[i], widths);
	for (i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}
