// SPDX-License-Identifier: MIT
/* CRC-32 as in zlib, so that the script and the kernel can compare. */
#include "bare.h"

#define CRC32_POLY 0xedb88320u

uint32_t crc32(uint32_t crc, const void *data, size_t size)
{
	static uint32_t table[256];
	const uint8_t *p = data;

	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;

			for (int bit = 0; bit < 8; bit++)
				c = c & 1 ? c >> 1 ^ CRC32_POLY : c >> 1;
			table[i] = c;
		}
	for (crc = ~crc; size; size--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}
