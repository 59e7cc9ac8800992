/* SPDX-License-Identifier: MIT */
/*
 * Names of devices and classes out of the system's pci.ids, read once when the
 * first is asked for. Without it they are numbers. No network is asked.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_SIZE 160u /* enough for nearly all */

struct pci_access;

struct names {
	struct pci_access *access;
	const char *path; /* of another list than the system's, or NULL */
	bool tried;
};

/* @path: a list of one's own, which must stay; NULL: the system's */
void names_init(struct names *names, const char *path);
void names_fini(struct names *names);

/*
 * names_device() - "Intel Corporation 82574L Gigabit Network Connection",
 * "Intel Corporation Device 0001" or "8086:0001"
 *
 * Names are cut to @size - 1 bytes and hold printable ASCII only.
 *
 * Return: @buf.
 */
const char *names_device(struct names *names, uint16_t vendor, uint16_t device,
			 char *buf, size_t size);

/* "Ethernet controller" or "class 0200"; @class_code is 24 bits. */
const char *names_class(struct names *names, uint32_t class_code, char *buf,
			size_t size);

#endif /* CLI_NAMES_H */
