// SPDX-License-Identifier: MIT
#include "base/format.h"

struct fmt_out {
	char *text;
	size_t size;
	size_t used; /* bytes of the whole text so far, also those cut off */
};

struct fmt_spec {
	unsigned int width;
	char pad;
	unsigned int longs; /* number of 'l' */
};

static void fmt_putc(struct fmt_out *out, char c)
{
	if (out->used + 1 < out->size)
		out->text[out->used] = c;
	out->used++;
}

static void fmt_puts(struct fmt_out *out, const char *s, unsigned int width)
{
	size_t len = 0;

	if (!s)
		s = "(null)";
	for (; s[len]; len++)
		fmt_putc(out, s[len]);
	for (; len < width; len++)
		fmt_putc(out, ' ');
}

/*
 * Divide and return the remainder. In digits of 16 bits: a 32-bit kernel has
 * no 64-bit division, which the compiler would call as a function.
 */
static unsigned int fmt_divide(unsigned long long *value, unsigned int base)
{
	unsigned long long quotient = 0;
	unsigned int rest = 0;
	unsigned int shift;

	for (shift = 64; shift; shift -= 16) {
		rest = rest << 16 |
		       (unsigned int)(*value >> (shift - 16) & 0xffff);
		quotient = quotient << 16 | rest / base;
		rest %= base;
	}
	*value = quotient;
	return rest;
}

static void fmt_number(struct fmt_out *out, unsigned long long value,
		       unsigned int base, bool negative,
		       const struct fmt_spec *spec)
{
	char digits[24];
	unsigned int n = 0;
	unsigned int len;

	do {
		digits[n++] = "0123456789abcdef"[fmt_divide(&value, base)];
	} while (value);

	len = n + (negative ? 1 : 0);
	if (negative && spec->pad == '0')
		fmt_putc(out, '-');
	for (; len < spec->width; len++)
		fmt_putc(out, spec->pad);
	if (negative && spec->pad != '0')
		fmt_putc(out, '-');
	while (n)
		fmt_putc(out, digits[--n]);
}

static const char *fmt_parse(const char *p, struct fmt_spec *spec)
{
	spec->width = 0;
	spec->pad = ' ';
	spec->longs = 0;

	if (*p == '0') {
		spec->pad = '0';
		p++;
	}
	while (*p >= '0' && *p <= '9' && spec->width < 100)
		spec->width = spec->width * 10 + (unsigned int)(*p++ - '0');
	while (*p == 'l' && spec->longs < 2) {
		spec->longs++;
		p++;
	}
	return p;
}

/* va_list may be an array type: a struct lets it travel by pointer. */
struct fmt_args {
	va_list list;
};

static void fmt_signed(struct fmt_out *out, const struct fmt_spec *spec,
		       struct fmt_args *args)
{
	long long v;

	if (spec->longs == 2)
		v = va_arg(args->list, long long);
	else if (spec->longs == 1)
		v = va_arg(args->list, long);
	else
		v = va_arg(args->list, int);
	fmt_number(out,
		   v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v,
		   10, v < 0, spec);
}

static void fmt_unsigned(struct fmt_out *out, unsigned int base,
			 const struct fmt_spec *spec, struct fmt_args *args)
{
	unsigned long long v;

	if (spec->longs == 2)
		v = va_arg(args->list, unsigned long long);
	else if (spec->longs == 1)
		v = va_arg(args->list, unsigned long);
	else
		v = va_arg(args->list, unsigned int);
	fmt_number(out, v, base, false, spec);
}

size_t uiommu_vformat(char *text, size_t size, const char *fmt, va_list args)
{
	struct fmt_out out = { text, size, 0 };
	struct fmt_args a;
	struct fmt_spec spec;

	va_copy(a.list, args);
	while (*fmt) {
		const char *start = fmt;

		if (*fmt++ != '%') {
			fmt_putc(&out, *start);
			continue;
		}
		fmt = fmt_parse(fmt, &spec);
		switch (*fmt) {
		case 'c':
			fmt_putc(&out, (char)va_arg(a.list, int));
			break;
		case 's':
			fmt_puts(&out, va_arg(a.list, const char *),
				 spec.width);
			break;
		case 'd':
			fmt_signed(&out, &spec, &a);
			break;
		case 'u':
			fmt_unsigned(&out, 10, &spec, &a);
			break;
		case 'x':
			fmt_unsigned(&out, 16, &spec, &a);
			break;
		case '%':
			fmt_putc(&out, '%');
			break;
		default: /* not ours: show the directive as it stands */
			fmt = start + 1;
			fmt_putc(&out, '%');
			continue;
		}
		fmt++;
	}
	va_end(a.list);

	if (size)
		text[out.used < size ? out.used : size - 1] = '\0';
	return out.used;
}

size_t uiommu_format(char *text, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t used;

	va_start(args, fmt);
	used = uiommu_vformat(text, size, fmt, args);
	va_end(args);
	return used;
}

/* Apart from uiommu_log(), whose frame holds the registers of its "...". */
static void fmt_log(struct uiommu_host *host, enum uiommu_log_level level,
		    const char *fmt, struct fmt_args *args)
{
	char line[256];

	uiommu_vformat(line, sizeof(line), fmt, args->list);
	uiommu_host_log(host, level, line);
}

void uiommu_log(struct uiommu_host *host, enum uiommu_log_level level,
		const char *fmt, ...)
{
	struct fmt_args args;

	va_start(args.list, fmt);
	fmt_log(host, level, fmt, &args);
	va_end(args.list);
}
