// SPDX-License-Identifier: MIT
/* A printf that knows what this kernel uses, and no floating point. */
#include "bare.h"

struct out {
	char *buf; /* NULL: the console */
	size_t size;
	size_t len;
};

struct spec {
	bool left;
	bool zero;
	bool alt;
	int width;
	int precision; /* -1: none */
	unsigned int longs;
};

static void out_char(struct out *o, char c)
{
	if (!o->buf)
		console_putc(c);
	else if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void out_field(struct out *o, const char *s, size_t len,
		      const struct spec *spec, char fill)
{
	size_t pad = spec->width > (int)len ? (size_t)spec->width - len : 0;

	if (!spec->left)
		while (pad) {
			out_char(o, fill);
			pad--;
		}
	while (len--)
		out_char(o, *s++);
	while (pad--)
		out_char(o, ' ');
}

static void out_number(struct out *o, unsigned long long value,
		       unsigned int base, bool minus, const struct spec *spec)
{
	static const char digits[] = "0123456789abcdef";
	char text[24];
	size_t pos = sizeof(text);

	do {
		text[--pos] = digits[value % base];
		value /= base;
	} while (value);
	if (spec->alt && base == 16) {
		text[--pos] = 'x';
		text[--pos] = '0';
	}
	if (minus)
		text[--pos] = '-';
	out_field(o, text + pos, sizeof(text) - pos, spec,
		  spec->zero && !spec->left ? '0' : ' ');
}

static unsigned long long arg_unsigned(va_list *args, unsigned int longs)
{
	return longs ? va_arg(*args, unsigned long)
		     : va_arg(*args, unsigned int);
}

static long long arg_signed(va_list *args, unsigned int longs)
{
	return longs ? va_arg(*args, long) : va_arg(*args, int);
}

static void out_string(struct out *o, const char *s, const struct spec *spec)
{
	size_t len = 0;

	if (!s)
		s = "(null)";
	while (s[len] && (spec->precision < 0 || len < (size_t)spec->precision))
		len++;
	out_field(o, s, len, spec, ' ');
}

static void out_one(struct out *o, char conv, struct spec *spec, va_list *args)
{
	long long n;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		n = arg_signed(args, spec->longs);
		out_number(o,
			   n < 0 ? 0ull - (unsigned long long)n
				 : (unsigned long long)n,
			   10, n < 0, spec);
		break;
	case 'u':
		out_number(o, arg_unsigned(args, spec->longs), 10, false, spec);
		break;
	case 'p':
		spec->alt = true;
		out_number(o, (uintptr_t)va_arg(*args, void *), 16, false,
			   spec);
		break;
	case 'x':
		out_number(o, arg_unsigned(args, spec->longs), 16, false, spec);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		out_field(o, &c, 1, spec, ' ');
		break;
	case 's':
		out_string(o, va_arg(*args, const char *), spec);
		break;
	default:
		out_char(o, conv);
	}
}

static const char *read_number(const char *fmt, int *value, va_list *args)
{
	if (*fmt == '*') {
		*value = va_arg(*args, int);
		return fmt + 1;
	}
	for (*value = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
		*value = *value * 10 + (*fmt - '0');
	return fmt;
}

static const char *read_spec(const char *fmt, struct spec *spec, va_list *args)
{
	*spec = (struct spec){ .precision = -1 };
	for (;; fmt++) {
		if (*fmt == '-')
			spec->left = true;
		else if (*fmt == '0')
			spec->zero = true;
		else if (*fmt == '#')
			spec->alt = true;
		else
			break;
	}
	fmt = read_number(fmt, &spec->width, args);
	if (*fmt == '.')
		fmt = read_number(fmt + 1, &spec->precision, args);
	for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
		spec->longs += *fmt != 'h';
	return fmt;
}

static void out_all(struct out *o, const char *fmt, va_list *args)
{
	struct spec spec;

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			out_char(o, *fmt);
			continue;
		}
		fmt = read_spec(fmt + 1, &spec, args);
		if (!*fmt)
			break;
		out_one(o, *fmt, &spec, args);
	}
}

int vprint_to(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = { .buf = buf, .size = size };
	va_list copy;

	va_copy(copy, args);
	out_all(&o, fmt, &copy);
	va_end(copy);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int print_to(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vprint_to(buf, size, fmt, args);
	va_end(args);
	return n;
}

void print(const char *fmt, ...)
{
	struct out o = { .buf = NULL };
	va_list args;
	va_list copy;

	va_start(args, fmt);
	va_copy(copy, args);
	out_all(&o, fmt, &copy);
	va_end(copy);
	va_end(args);
}
