// SPDX-License-Identifier: MIT
/*
 * The words of lspci -v, and a configuration space that says the same.
 *
 * lspci prints where each capability is, so what is built has them at their
 * own places; those that decide nothing about groups are left out of the
 * list. Lines may have been wrapped on their way: a line that names no
 * register goes on with the one before.
 */
#include <string.h>

#include "lspci_words.h"
#include "text.h"

/* A device whose identity nobody told; no vendor has this number. */
#define WORDS_NO_VENDOR 0x0001u

/* [1234:abcd] of -nn, the last on the line; [1234] alone before @end. */
static void words_ids(const char *at, uint16_t *vendor, uint16_t *device)
{
	while ((at = strchr(at, '['))) {
		const char *p = ++at;
		uint64_t v, d;

		if (text_hex(&p, 4, &v) && p == at + 4 && *p++ == ':' &&
		    text_hex(&p, 4, &d) && p == at + 9 && *p == ']') {
			*vendor = (uint16_t)v;
			*device = (uint16_t)d;
		}
	}
}

/* Only the classes that decide something, and bridges. */
static bool words_class_name(struct lspci_words *words, const char *at)
{
	static const struct {
		const char *name;
		uint32_t code;
	} names[] = {
		{ "Host bridge", 0x0600 },
		{ "ISA bridge", 0x0601 },
		{ "PCI bridge", 0x0604 },
		{ "CardBus bridge", 0x0607 },
		{ "VGA compatible controller", 0x0300 },
		{ "3D controller", 0x0302 },
		{ "Display controller", 0x0380 },
		{ "USB controller", 0x0c03 },
		{ "USB Controller", 0x0c03 },
		{ "Audio device", 0x0403 },
		{ "SATA controller", 0x0106 },
		{ "RAID bus controller", 0x0104 },
		{ "Non-Volatile memory controller", 0x0108 },
		{ "Ethernet controller", 0x0200 },
		{ "Network controller", 0x0280 },
		{ "SMBus", 0x0c05 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(at, names[i].name, strlen(names[i].name)) != 0)
			continue;
		words->class_code = names[i].code << 8;
		return true;
	}
	return false;
}

/* "[0604]:", or "0604: 8086:a115" of -n; else by name. */
static void words_class(struct lspci_words *words, const char *at)
{
	const char *p = at, *begin;
	uint64_t code, vendor, device;

	if (!strncmp(p, "Class ", 6))
		p += 6;
	begin = p;
	if (text_hex(&p, 4, &code) && p == begin + 4 && *p++ == ':') {
		words->class_code = (uint32_t)code << 8;
		words->class_known = true;
		text_blanks(&p);
		if (text_hex(&p, 4, &vendor) && *p++ == ':' &&
		    text_hex(&p, 4, &device)) {
			words->vendor = (uint16_t)vendor;
			words->device = (uint16_t)device;
		}
		return;
	}
	for (p = strchr(at, '['); p; p = strchr(p, '[')) {
		begin = ++p;
		if (!text_hex(&p, 4, &code) || p != begin + 4 || *p != ']')
			continue;
		words->class_code = (uint32_t)code << 8;
		words->class_known = true;
		return;
	}
	if (!words->class_known)
		words->class_known = words_class_name(words, at);
}

static void words_interface(struct lspci_words *words, const char *at)
{
	const char *p = strstr(at, "(prog-if ");
	uint64_t value;

	if (!p)
		return;
	p += 9;
	if (text_hex(&p, 2, &value))
		words->class_code = (words->class_code & 0xffff00) |
				    (uint32_t)value;
}

bool words_header(struct lspci_words *words, const char *at)
{
	uint16_t vendor = words->vendor, device = words->device;

	words->about = WORDS_HEADER;
	if (*at == '"')
		at++;
	words_class(words, at);
	words_ids(at, &words->vendor, &words->device);
	words_interface(words, at);
	return !vendor || (vendor == words->vendor && device == words->device);
}

static bool words_begin(const char **at, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(*at, key, length) != 0)
		return false;
	*at += length;
	text_blanks(at);
	return true;
}

/* The number behind @key, decimal or hexadecimal as lspci prints it. */
static void words_number(const char *at, const char *key, bool hex,
			 uint16_t *to)
{
	const char *p = strstr(at, key);
	uint64_t value;

	if (!p)
		return;
	p += strlen(key);
	text_blanks(&p);
	if ((hex ? text_hex(&p, 4, &value) : text_number(&p, &value)) &&
	    value <= 0xffff)
		*to = (uint16_t)value;
}

static void words_buses(struct lspci_words *words, const char *at)
{
	uint16_t primary = 0, secondary = 0, subordinate = 0;

	words->bridge = true;
	words_number(at, "primary=", true, &primary);
	words_number(at, "secondary=", true, &secondary);
	words_number(at, "subordinate=", true, &subordinate);
	words->primary = (uint8_t)primary;
	words->secondary = (uint8_t)secondary;
	words->subordinate = (uint8_t)subordinate;
}

static void words_express(struct lspci_words *words, uint16_t offset,
			  const char *at)
{
	/* The longer name first where one holds the other. */
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {
		{ "Root Complex Integrated Endpoint", 9 },
		{ "Root Complex Event Collector", 10 },
		{ "Root Port", 4 },
		{ "Upstream Port", 5 },
		{ "Downstream Port", 6 },
		{ "PCI-Express to PCI", 7 },
		{ "PCI/PCI-X to PCI-Express", 8 },
		{ "Legacy Endpoint", 1 },
		{ "Endpoint", 0 },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strstr(at, types[i].name))
			continue;
		words->express_at = offset;
		words->express_type = types[i].type;
		return;
	}
}

/* "[140 v1] Access Control Services"; "<access denied>". */
static void words_capability(struct lspci_words *words, const char *at)
{
	uint64_t offset, version;

	words->about = WORDS_NONE;
	words->listed = true;
	if (*at == '<') {
		words->denied = true;
		return;
	}
	if (*at++ != '[' || !text_hex(&at, 3, &offset))
		return;
	text_blanks(&at);
	if (*at == 'v' && at++ && !text_number(&at, &version))
		return;
	if (*at++ != ']' || offset & 3)
		return;
	text_blanks(&at);
	if (offset >= 0x40 && offset <= 0xf0 && words_begin(&at, "Express"))
		words_express(words, (uint16_t)offset, at);
	if (offset < 0x100 || offset > 0xfc0)
		return;
	if (words_begin(&at, "Access Control Services")) {
		words->acs_at = (uint16_t)offset;
	} else if (words_begin(&at, "Address Translation Service")) {
		words->ats_at = (uint16_t)offset;
	} else if (words_begin(&at, "Single Root I/O Virtualization")) {
		words->sriov_at = (uint16_t)offset;
		words->about = WORDS_SRIOV;
	}
}

/* One word such as "ReqRedir+". */
static void words_flag(struct lspci_words *words, const char *name, bool on)
{
	static const char *const acs[] = { "SrcValid",	  "TransBlk",
					   "ReqRedir",	  "CmpltRedir",
					   "UpstreamFwd", "EgressCtrl",
					   "DirectTrans" };
	uint16_t *to = words->about == WORDS_ACS_CAPABILITY
			       ? &words->acs_capability
		       : words->about == WORDS_ACS_CONTROL ? &words->acs_control
							   : NULL;

	for (size_t i = 0; to && i < sizeof(acs) / sizeof(acs[0]); i++)
		if (!strcmp(name, acs[i]) && on)
			*to |= (uint16_t)(1u << i);
	if (words->about == WORDS_ATS_CONTROL && !strcmp(name, "Enable"))
		words->ats_on = on;
	if (words->about == WORDS_SRIOV && !strcmp(name, "Enable"))
		words->sriov_on = on;
	if (words->about == WORDS_DEVICE_CONTROL && !strcmp(name, "PhantFunc"))
		words->phantom_on = on;
}

static void words_flags(struct lspci_words *words, const char *at)
{
	char word[32];

	for (text_blanks(&at); *at; text_blanks(&at)) {
		size_t length = strcspn(at, " \t");

		while (length > 1 && at[length - 1] == ',')
			length--;
		if (length > 1 && length < sizeof(word) &&
		    (at[length - 1] == '+' || at[length - 1] == '-')) {
			memcpy(word, at, length - 1);
			word[length - 1] = 0;
			words_flag(words, word, at[length - 1] == '+');
		}
		at += strcspn(at, " \t");
	}
}

/* Does the line name a register? Then it is about that from here on. */
static void words_key(struct lspci_words *words, const char **at)
{
	static const struct {
		const char *key;
		enum words_about about;
	} keys[] = {
		{ "Subsystem:", WORDS_SUBSYSTEM },
		{ "ACSCap:", WORDS_ACS_CAPABILITY },
		{ "ACSCtl:", WORDS_ACS_CONTROL },
		{ "ATSCtl:", WORDS_ATS_CONTROL },
		{ "IOVCtl:", WORDS_SRIOV },
		{ "DevCap:", WORDS_DEVICE_CAPABILITY },
		{ "DevCtl:", WORDS_DEVICE_CONTROL },
	};
	size_t length = strcspn(*at, " \t");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!words_begin(at, keys[i].key))
			continue;
		words->about = keys[i].about;
		return;
	}
	/* The lines of SR-IOV that follow have keys of several words. */
	if (length && (*at)[length - 1] == ':' && words->about != WORDS_SRIOV)
		words->about = WORDS_NONE;
}

void words_line(struct lspci_words *words, const char *at, unsigned int line)
{
	if (words_begin(&at, "Control:")) {
		words->whole = true;
		words->line = line;
		words->about = WORDS_NONE;
	} else if (words_begin(&at, "Flags:")) {
		words->line = words->line ? words->line : line;
		words->about = WORDS_NONE;
	} else if (words_begin(&at, "Bus:")) {
		words_buses(words, at);
	} else if (words_begin(&at, "Capabilities:")) {
		words_capability(words, at);
		return;
	} else {
		words_key(words, &at);
	}
	if (!*at)
		words->about = WORDS_NONE;
	if (words->about == WORDS_HEADER && !words->vendor)
		words_ids(at, &words->vendor, &words->device);
	if (words->about == WORDS_SUBSYSTEM)
		words_ids(at, &words->subsystem_vendor, &words->subsystem);
	if (words->about == WORDS_DEVICE_CAPABILITY)
		words_number(at, "PhantFunc ", false, &words->phantom);
	if (words->about == WORDS_SRIOV) {
		words_number(at, "Number of VFs:", false, &words->sriov_count);
		words_number(at, "VF offset:", false, &words->sriov_first);
		words_number(at, "stride:", false, &words->sriov_stride);
		words_number(at, "Device ID:", true, &words->sriov_device);
	}
	words_flags(words, at);
}

static void words_put16(uint8_t *config, uint32_t offset, uint32_t value)
{
	config[offset] = (uint8_t)value;
	config[offset + 1] = (uint8_t)(value >> 8);
}

static void words_put32(uint8_t *config, uint32_t offset, uint32_t value)
{
	words_put16(config, offset, value & 0xffff);
	words_put16(config, offset + 2, value >> 16);
}

/* The first 64 bytes. */
static void words_put_header(const struct lspci_words *words, bool several,
			     uint8_t *config)
{
	uint32_t type = words->class_code >> 8 == 0x0607 ? 2 : words->bridge;

	words_put16(config, 0x00,
		    words->vendor ? words->vendor : WORDS_NO_VENDOR);
	words_put16(config, 0x02, words->device);
	words_put16(config, 0x06, words->listed ? 0x10 : 0);
	words_put32(config, 0x08,
		    (words->class_known ? words->class_code : 0xff0000) << 8);
	config[0x0e] = (uint8_t)(type | (several ? 0x80 : 0));
	if (type) {
		config[0x18] = words->primary;
		config[0x19] = words->secondary;
		config[0x1a] = words->subordinate;
	} else {
		words_put16(config, 0x2c, words->subsystem_vendor);
		words_put16(config, 0x2e, words->subsystem);
	}
}

/* "PCI Express Capability Structure" */
static void words_put_express(const struct lspci_words *words, uint8_t *config)
{
	uint32_t at = words->express_at;

	config[(config[0x0e] & 0x7f) == 2 ? 0x14 : 0x34] = (uint8_t)at;
	config[0x06] |= 0x10;
	words_put32(config, at, (words->express_type << 4 | 2u) << 16 | 0x10);
	words_put32(config, at + 4, (words->phantom & 3u) << 3);
	words_put32(config, at + 8, words->phantom_on ? 1u << 9 : 0);
}

static uint32_t words_link(uint8_t *config, uint32_t previous, uint32_t at,
			   uint32_t id)
{
	if (!at)
		return previous;
	if (at != previous)
		words_put16(config, previous + 2, at << 4 | 1);
	words_put32(config, at, 1u << 16 | id);
	return at;
}

static void words_put_extended(const struct lspci_words *words, uint8_t *config)
{
	uint32_t last = 0x100, at;

	words_put32(config, last, 1u << 16); /* "Null Capability" */
	last = words_link(config, last, words->acs_at, 0x000d);
	last = words_link(config, last, words->ats_at, 0x000f);
	words_link(config, last, words->sriov_at, 0x0010);
	at = words->acs_at;
	if (at) {
		words_put16(config, at + 4, words->acs_capability);
		words_put16(config, at + 6, words->acs_control);
		/* Where some have their control, which lspci does not see:
		 * Linux turns on what isolates. */
		words_put32(config, at + 8, words->acs_capability & 0x1d);
	}
	at = words->ats_at;
	if (at)
		words_put16(config, at + 6, words->ats_on ? 0x8000 : 0);
	at = words->sriov_at;
	if (at) {
		words_put16(config, at + 0x08, words->sriov_on);
		words_put16(config, at + 0x10, words->sriov_count);
		words_put16(config, at + 0x14, words->sriov_first);
		words_put16(config, at + 0x16, words->sriov_stride);
		words_put16(config, at + 0x1a, words->sriov_device);
	}
}

uint32_t words_build(const struct lspci_words *words, bool several,
		     uint8_t *config, uint32_t size)
{
	if (!words->line || size >= MACHINE_CONFIG_SIZE)
		return size;
	memset(config + size, 0, MACHINE_CONFIG_SIZE - size);
	if (!size)
		words_put_header(words, several, config);
	if (size < 256) {
		if (words->denied)
			return 64;
		if (words->express_at)
			words_put_express(words, config);
		size = 256;
	}
	if (!words->whole || words->denied || !words->express_at)
		return size;
	words_put_extended(words, config);
	return MACHINE_CONFIG_SIZE;
}
