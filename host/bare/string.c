// SPDX-License-Identifier: MIT
/* A compiler may call the mem* functions by itself; the core needs no more. */
#include "bare.h"

void *memcpy(void *to, const void *from, size_t size)
{
	void *ret = to;

	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(size)
			 :
			 : "memory");
	return ret;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + size)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint64_t word = (uint8_t)byte * UINT64_C(0x0101010101010101);
	size_t words = size / 8;
	size_t rest = size % 8;
	void *ret = to;

	__asm__ volatile("rep stosq"
			 : "+D"(to), "+c"(words)
			 : "a"(word)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(rest)
			 : "a"(word)
			 : "memory");
	return ret;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; size; x++, y++, size--)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool str_equal(const char *a, const char *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}
