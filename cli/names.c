// SPDX-License-Identifier: MIT
/* Names of devices and classes. */
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "pcilib.h"

void names_init(struct names *names, const char *path)
{
	memset(names, 0, sizeof(*names));
	names->path = path;
}

void names_fini(struct names *names)
{
	pcilib_close(names->access);
	names_init(names, names->path);
}

/* The list is not ours: what it holds must not reach a terminal as it is. */
static bool names_find(struct names *names, enum pcilib_name kind,
		       uint16_t number, uint16_t id, char to[NAMES_SIZE])
{
	if (!names->tried) {
		names->tried = true;
		names->access = pcilib_open(NULL, names->path);
	}
	if (!names->access ||
	    !pcilib_name(names->access, kind, number, id, to, NAMES_SIZE) ||
	    !*to)
		return false;
	for (char *at = to; *at; at++)
		if (*at < 0x20 || *at >= 0x7f)
			*at = '?';
	return true;
}

const char *names_device(struct names *names, uint16_t vendor, uint16_t device,
			 char *buf, size_t size)
{
	char maker[NAMES_SIZE], name[NAMES_SIZE];

	if (!names_find(names, PCILIB_VENDOR, vendor, 0, maker))
		snprintf(buf, size, "%04x:%04x", vendor, device);
	else if (!names_find(names, PCILIB_DEVICE, vendor, device, name))
		snprintf(buf, size, "%s Device %04x", maker, device);
	else
		snprintf(buf, size, "%s %s", maker, name);
	return buf;
}

const char *names_class(struct names *names, uint32_t class_code, char *buf,
			size_t size)
{
	uint16_t code = (uint16_t)(class_code >> 8);
	char name[NAMES_SIZE];

	if (names_find(names, PCILIB_CLASS, code, 0, name))
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "class %04x", code);
	return buf;
}
