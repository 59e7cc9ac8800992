// SPDX-License-Identifier: MIT
/* Text from elsewhere. Everything in it is hostile. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void machine_fail(struct machine_error *error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
}

/* Grows by doubling, so that a pipe is as good as a file. */
static char *text_slurp(FILE *file, const char *path, size_t *size,
			struct machine_error *error)
{
	size_t room = 65536, used = 0, got;
	char *bytes = malloc(room);

	while (bytes) {
		got = fread(bytes + used, 1, room - used, file);
		used += got;
		if (used < room)
			break;
		if (room >= TEXT_FILE_MOST) {
			machine_fail(
				error,
				"%s: more than %zu MiB; is it the right file?",
				path, TEXT_FILE_MOST >> 20);
			free(bytes);
			return NULL;
		}
		room *= 2;
		char *more = realloc(bytes, room);

		if (!more)
			free(bytes);
		bytes = more;
	}
	if (!bytes) {
		machine_fail(error, "%s: out of memory", path);
		return NULL;
	}
	if (ferror(file)) {
		machine_fail(error, "%s: %s", path, strerror(errno));
		free(bytes);
		return NULL;
	}
	*size = used;
	return bytes;
}

char *text_load(const char *path, size_t *size, struct machine_error *error)
{
	char *bytes;
	FILE *file;

	if (!strcmp(path, "-"))
		return text_slurp(stdin, "standard input", size, error);
	file = fopen(path, "rb");
	if (!file) {
		machine_fail(error, "%s: %s", path, strerror(errno));
		return NULL;
	}
	bytes = text_slurp(file, path, size, error);
	fclose(file);
	return bytes;
}

void text_init(struct text *text, const char *name, const char *bytes,
	       size_t size)
{
	memset(text, 0, sizeof(*text));
	text->name = strcmp(name, "-") ? name : "standard input";
	text->at = bytes;
	text->end = bytes + size;
	text->word = bytes;
}

bool text_line(struct text *text)
{
	const char *end;

	if (text->at == text->end)
		return false;
	end = memchr(text->at, '\n', (size_t)(text->end - text->at));
	text->word = text->at;
	text->at = end ? end + 1 : text->end;
	if (!end)
		end = text->end;
	/* Text that went through mail or another system. */
	while (end > text->word && (end[-1] == '\r' || end[-1] == ' '))
		end--;
	text->size = (size_t)(end - text->word);
	text->line++;
	return true;
}

void text_copy(const struct text *text, char *to, size_t size)
{
	size_t length = text->size < size - 1 ? text->size : size - 1;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text->word[i];

		to[i] = c == '\t' ? ' ' : c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	to[length] = 0;
}

int text_fail(const struct text *text, struct machine_error *error,
	      const char *fmt, ...)
{
	char what[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	machine_fail(error, "%.80s:%u: %s", text->name, text->line, what);
	return -1;
}

bool text_begins(const struct text *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text->size >= length && !memcmp(text->word, prefix, length);
}

static int text_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_hex(const char **at, unsigned int most_digits, uint64_t *value)
{
	const char *p = *at;
	uint64_t sum = 0;
	unsigned int digits = 0;

	while (digits < most_digits && text_digit(*p) >= 0) {
		sum = sum << 4 | (unsigned int)text_digit(*p++);
		digits++;
	}
	if (!digits || text_digit(*p) >= 0)
		return false;
	*at = p;
	*value = sum;
	return true;
}

bool text_number(const char **at, uint64_t *value)
{
	const char *p = *at;
	uint64_t sum = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		p += 2;
		if (!text_hex(&p, 16, value))
			return false;
		*at = p;
		return true;
	}
	if (*p < '0' || *p > '9')
		return false;
	while (*p >= '0' && *p <= '9') {
		if (sum > (UINT64_MAX - 9) / 10)
			return false;
		sum = sum * 10 + (unsigned int)(*p++ - '0');
	}
	*at = p;
	*value = sum;
	return true;
}

bool text_address(const char **at, uint32_t *domain, uint16_t *rid)
{
	const char *p = *at;
	uint64_t segment = 0, bus, device, function;

	if (!text_hex(&p, 8, &bus) || *p++ != ':' || !text_hex(&p, 2, &device))
		return false;
	if (*p == ':') {
		p++;
		segment = bus;
		bus = device;
		if (!text_hex(&p, 2, &device))
			return false;
	}
	if (*p++ != '.' || !text_hex(&p, 1, &function) || bus > 0xff ||
	    device > 31 || function > 7)
		return false;
	*at = p;
	*domain = (uint32_t)segment;
	*rid = (uint16_t)(bus << 8 | device << 3 | function);
	return true;
}

bool text_sid(const char **at, struct uiommu_sid *sid)
{
	const char *p = *at;
	uint32_t domain;
	uint16_t rid;

	if (!text_address(&p, &domain, &rid) || domain > 0xffff)
		return false;
	*at = p;
	sid->segment = (uint16_t)domain;
	sid->rid = rid;
	return true;
}

void text_blanks(const char **at)
{
	while (**at == ' ' || **at == '\t')
		(*at)++;
}

bool text_word(const char **at, char *to, size_t size)
{
	const char *p = *at;
	size_t length = 0;

	while (*p && *p != ' ' && *p != '\t') {
		if (length + 1 == size)
			return false;
		to[length++] = *p++;
	}
	if (!length)
		return false;
	to[length] = 0;
	*at = p;
	return true;
}

bool text_range(const char **at, struct uiommu_range *range)
{
	const char *p = *at;
	struct uiommu_range r;

	if (!text_number(&p, &r.first) || (*p != ' ' && *p != '\t'))
		return false;
	text_blanks(&p);
	if (!text_number(&p, &r.last) || r.last < r.first)
		return false;
	*at = p;
	*range = r;
	return true;
}

long text_bytes(const char *at, const char *end, uint8_t *to, size_t room)
{
	size_t count = 0;

	while (at < end) {
		if (*at == ' ' || *at == '\t') {
			at++;
			continue;
		}
		if (end - at < 2 || text_digit(at[0]) < 0 ||
		    text_digit(at[1]) < 0 || count == room)
			return -1;
		to[count++] = (uint8_t)(text_digit(at[0]) << 4 |
					text_digit(at[1]));
		at += 2;
	}
	return (long)count;
}
