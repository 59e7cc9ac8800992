// SPDX-License-Identifier: MIT
/* What may leave a machine, and what is cleared before. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "privacy.h"

/* Configuration space: "PCI Local Bus", "PCI Express Base" */
#define PCI_STATUS 0x06u
#define PCI_STATUS_CAPS 0x10u
#define PCI_HEADER_TYPE 0x0eu
#define PCI_CAPS 0x34u
#define PCI_CAPS_CARDBUS 0x14u
#define PCI_CAP_VPD 0x03u
#define PCI_CAP_VENDOR 0x09u
#define PCI_EXT 0x100u
#define PCI_EXT_SERIAL 0x0003u
#define PCI_EXT_VENDOR 0x000bu
#define PCI_EXT_DESIGNATED 0x0023u

#define PAIRS_OF_MAC 6u

static uint32_t privacy_word(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/*
 * Where the capabilities of a list begin, by words. A length that a device
 * states may reach into the next one; nothing is cleared across a beginning,
 * so that the list stays whole.
 */
struct privacy_list {
	uint8_t *config;
	uint32_t end; /* of the list's part of configuration space */
	bool begins[1024];
};

static void privacy_clear(struct privacy_list *list, uint32_t at, uint32_t size)
{
	for (; size && at < list->end && !list->begins[at / 4]; size--)
		list->config[at++] = 0;
}

/* What follows a header in the same word is cleared with no such check. */
static void privacy_clear_body(struct privacy_list *list, uint32_t at,
			       uint32_t header, uint32_t size)
{
	while (header % 4 && header < size)
		list->config[at + header++] = 0;
	if (header < size)
		privacy_clear(list, at + header, size - header);
}

static void privacy_capability(struct privacy_list *list, uint32_t at)
{
	if (list->config[at] == PCI_CAP_VPD) /* window into product data */
		privacy_clear_body(list, at, 2, 8);
	if (list->config[at] == PCI_CAP_VENDOR)
		privacy_clear_body(list, at, 3, list->config[at + 2]);
}

static void privacy_capabilities(uint8_t *config)
{
	struct privacy_list list = { .config = config, .end = 256 };
	uint32_t at = PCI_CAPS;

	if (!(config[PCI_STATUS] & PCI_STATUS_CAPS))
		return;
	if ((config[PCI_HEADER_TYPE] & 0x7f) == 2)
		at = PCI_CAPS_CARDBUS;
	at = config[at] & 0xfcu;
	while (at >= 0x40 && !list.begins[at / 4]) {
		list.begins[at / 4] = true;
		at = config[at + 1] & 0xfcu;
	}
	for (at = 0x40; at < 256; at += 4)
		if (list.begins[at / 4])
			privacy_capability(&list, at);
}

static void privacy_extended(struct privacy_list *list, uint32_t at)
{
	uint32_t id = privacy_word(list->config + at) & 0xffff;
	uint32_t size = 0;

	if (id == PCI_EXT_SERIAL)
		privacy_clear(list, at + 4, 8);
	if (at + 8 <= list->end)
		size = privacy_word(list->config + at + 4) >> 20;
	if (id == PCI_EXT_VENDOR)
		privacy_clear_body(list, at, 8, size);
	if (id == PCI_EXT_DESIGNATED && at + 12 <= list->end)
		privacy_clear_body(list, at, 10, size);
}

void privacy_config(uint8_t *config, uint32_t size)
{
	struct privacy_list list = { .config = config, .end = 4096 };
	uint32_t at = PCI_EXT;

	if (size >= 256)
		privacy_capabilities(config);
	if (size < 4096)
		return;
	while (at >= PCI_EXT && !list.begins[at / 4]) {
		list.begins[at / 4] = true;
		at = privacy_word(config + at) >> 20 & 0xffcu;
	}
	for (at = PCI_EXT; at < 4096; at += 4)
		if (list.begins[at / 4])
			privacy_extended(&list, at);
}

/* Words of the command line that say how IOMMUs and PCI are used. */
static bool privacy_keeps(const char *word, size_t size)
{
	static const char *const kept[] = {
		"iommu",   "intel_iommu", "amd_iommu", "pci=",
		"pcie_",   "vfio",	  "intremap",  "nointremap",
		"x2apic",  "nox2apic",	  "no_x2apic", "mem=",
		"memmap=", "mem_encrypt", "swiotlb",   "tboot",
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (size >= strlen(kept[i]) &&
		    !memcmp(word, kept[i], strlen(kept[i])))
			return true;
	return false;
}

/* A word's length; blanks between quotes belong to it. */
static size_t privacy_word_size(const char *at)
{
	bool quoted = false;
	size_t size = 0;

	while (at[size] && (quoted || at[size] != ' ')) {
		quoted ^= at[size] == '"';
		size++;
	}
	return size;
}

char *privacy_cmdline(const char *cmdline)
{
	char *left = malloc(strlen(cmdline) + 1);
	char *to = left;
	size_t size;

	if (!left)
		return NULL;
	for (const char *at = cmdline; *at; at += size) {
		while (*at == ' ')
			at++;
		size = privacy_word_size(at);
		if (size == 2 && !memcmp(at, "--", 2))
			break; /* the rest is for the first process */
		if (size && privacy_keeps(at, size)) {
			if (to != left)
				*to++ = ' ';
			memcpy(to, at, size);
			to += size;
		}
	}
	*to = 0;
	return left;
}

static bool privacy_hex(char c)
{
	return isxdigit((unsigned char)c);
}

/*
 * How much of @at is pairs of digits with the same mark between them, as a
 * network address is written: 0, or at least six pairs.
 */
static size_t privacy_mac(const char *at)
{
	unsigned int pairs = 0;
	size_t size = 0;
	char mark = at[0] && at[1] ? at[2] : 0;

	if (mark != ':' && mark != '-')
		return 0;
	while (privacy_hex(at[size]) && privacy_hex(at[size + 1]) &&
	       !privacy_hex(at[size + 2])) {
		pairs++;
		size += 2;
		if (at[size] != mark)
			break;
		size++;
	}
	return pairs >= PAIRS_OF_MAC ? size : 0;
}

/* The same for 8-4-4-4-12 digits. */
static size_t privacy_uuid(const char *at)
{
	static const unsigned int digits[] = { 8, 4, 4, 4, 12 };
	size_t size = 0;

	for (unsigned int i = 0; i < 5; i++) {
		if (i && at[size++] != '-')
			return 0;
		for (unsigned int j = 0; j < digits[i]; j++)
			if (!privacy_hex(at[size++]))
				return 0;
	}
	return privacy_hex(at[size]) ? 0 : size;
}

/* "[   12.345678] ", more than once if two programs wrote it. */
static const char *privacy_untimed(const char *line)
{
	while (*line == '[') {
		size_t size = strspn(line + 1, " .0123456789");

		if (!size || line[1 + size] != ']')
			break;
		line += size + 2;
		line += strspn(line, " ");
	}
	return line;
}

bool privacy_log(const char *line, char *to, size_t size)
{
	size_t used = 0;
	bool begins = true;

	line = privacy_untimed(line);
	/* It quotes the command line; or somebody's serial number. */
	if (!*line || strcasestr(line, "command line") ||
	    strcasestr(line, "serial"))
		return false;
	while (*line && used + 4 < size) {
		size_t secret = begins ? privacy_mac(line) : 0;

		if (begins && !secret)
			secret = privacy_uuid(line);
		if (secret) {
			memcpy(to + used, "(-)", 3);
			used += 3;
			line += secret;
			continue;
		}
		begins = !privacy_hex(*line);
		to[used++] = *line++;
	}
	to[used] = 0;
	return true;
}
