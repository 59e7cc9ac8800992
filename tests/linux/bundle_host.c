// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle_host.h"

enum section {
	SECTION_OTHER,
	SECTION_CMDLINE,
	SECTION_DMAR,
	SECTION_CONFIG,
	SECTION_FUNCTION,
	SECTION_UNIT,
};

struct reader {
	struct uiommu_host *host;
	enum section section;
	struct bundle_function *function;
	struct bundle_unit *unit;
	unsigned int line;
};

static void stop(const struct reader *reader, const char *what)
{
	fprintf(stderr, "bundle, line %u: %s\n", reader->line, what);
	exit(2);
}

static struct uiommu_sid read_sid(const struct reader *reader, const char *text)
{
	unsigned int segment, bus, device, function;

	if (sscanf(text, "%x:%x:%x.%x", &segment, &bus, &device, &function) !=
		    4 ||
	    segment > 0xffff || bus > 0xff || device > 0x1f || function > 7)
		stop(reader, "not the name of a function");
	return (struct uiommu_sid){
		(uint16_t)segment, (uint16_t)(bus << 8 | device << 3 | function)
	};
}

static struct bundle_function *find(struct uiommu_host *host,
				    struct uiommu_sid sid)
{
	size_t i;

	for (i = 0; i < host->function_count; i++) {
		if (host->functions[i].sid.segment == sid.segment &&
		    host->functions[i].sid.rid == sid.rid)
			return &host->functions[i];
	}
	return NULL;
}

static struct bundle_function *get_function(struct reader *reader,
					    const char *name)
{
	struct uiommu_host *host = reader->host;
	struct uiommu_sid sid = read_sid(reader, name);
	struct bundle_function *function = find(host, sid);

	if (function != NULL)
		return function;
	if (host->function_count == BUNDLE_FUNCTIONS)
		stop(reader, "too many functions");
	function = &host->functions[host->function_count++];
	function->sid = sid;
	return function;
}

static void begin_unit(struct reader *reader, const char *name)
{
	if (reader->host->unit_count == BUNDLE_UNITS)
		stop(reader, "too many units");
	reader->unit = &reader->host->units[reader->host->unit_count++];
	reader->unit->address = strtoull(name, NULL, 16);
}

static void begin_section(struct reader *reader, const char *text)
{
	char kind[32], name[64] = "";

	reader->section = SECTION_OTHER;
	if (sscanf(text, "== %31s %63s", kind, name) < 1)
		stop(reader, "a section without a name");
	if (strcmp(kind, "cmdline") == 0)
		reader->section = SECTION_CMDLINE;
	if (strcmp(kind, "table") == 0 && strcmp(name, "DMAR") == 0)
		reader->section = SECTION_DMAR;
	if (strcmp(kind, "config") == 0 || strcmp(kind, "function") == 0) {
		reader->function = get_function(reader, name);
		reader->section = strcmp(kind, "config") == 0
					  ? SECTION_CONFIG
					  : SECTION_FUNCTION;
	}
	if (strcmp(kind, "unit") == 0) {
		begin_unit(reader, name);
		reader->section = SECTION_UNIT;
	}
}

static void read_hex(const struct reader *reader, const char *text,
		     uint8_t *bytes, size_t *size, size_t room)
{
	unsigned int byte;

	for (; *text != '\0'; text += 2) {
		if (sscanf(text, "%2x", &byte) != 1 || text[1] == '\0')
			stop(reader, "not hexadecimal");
		if (*size == room)
			stop(reader, "too many bytes");
		bytes[(*size)++] = (uint8_t)byte;
	}
}

static void read_key(const struct reader *reader, const char *text)
{
	char key[32], value[64];

	if (sscanf(text, "%31s %63s", key, value) != 2)
		stop(reader, "not \"key value\"");
	if (reader->section == SECTION_UNIT && strcmp(key, "cap") == 0)
		reader->unit->cap = strtoull(value, NULL, 16);
	if (reader->section == SECTION_UNIT && strcmp(key, "ecap") == 0)
		reader->unit->ecap = strtoull(value, NULL, 16);
	if (reader->section != SECTION_FUNCTION)
		return;
	if (strcmp(key, "external_facing") == 0)
		reader->function->external_facing = value[0] == '1';
	if (strcmp(key, "physfn") == 0) {
		reader->function->has_physfn = true;
		reader->function->physfn = read_sid(reader, value);
	}
}

static void read_line(struct reader *reader, const char *text)
{
	struct uiommu_host *host = reader->host;

	if (strncmp(text, "== ", 3) == 0) {
		begin_section(reader, text);
		return;
	}
	switch (reader->section) {
	case SECTION_CMDLINE:
		snprintf(host->cmdline, sizeof(host->cmdline), "%s", text);
		break;
	case SECTION_DMAR:
		read_hex(reader, text, host->dmar, &host->dmar_size,
			 sizeof(host->dmar));
		break;
	case SECTION_CONFIG:
		read_hex(reader, text, reader->function->space,
			 &reader->function->size, BUNDLE_SPACE);
		break;
	case SECTION_FUNCTION:
	case SECTION_UNIT:
		read_key(reader, text);
		break;
	case SECTION_OTHER:
		break;
	}
}

struct uiommu_host *bundle_read(FILE *file)
{
	static struct uiommu_host host;
	struct reader reader = { &host, SECTION_OTHER, NULL, NULL, 0 };
	static char text[8192];

	while (fgets(text, sizeof(text), file) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		reader.line++;
		if (reader.line == 1) {
			if (strcmp(text, "uiommu-bundle 1") != 0)
				stop(&reader, "not a bundle");
			continue;
		}
		read_line(&reader, text);
	}
	return &host;
}

/* --- what the library asks of a host ---------------------------------------- */

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	const struct bundle_function *function = find(host, sid);
	uint32_t value;

	if (function == NULL || offset + 4 > function->size)
		return 0xffffffff;
	memcpy(&value, &function->space[offset], sizeof(value));
	return value;
}

void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	(void)host;
	(void)sid;
	(void)offset;
	(void)value;
	abort(); /* a plan changes nothing */
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uint64_t *paddr)
{
	(void)host;
	(void)flags;
	*paddr = 0;
	return calloc(1, size);
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	(void)host;
	(void)size;
	free(page);
}

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	fprintf(stderr, "%s\n", line);
}
