/* SPDX-License-Identifier: MIT */
/* All that is asked of libpci: configuration space, and names from pci.ids. */
#ifndef CLI_PCILIB_H
#define CLI_PCILIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_access;

enum pcilib_name { PCILIB_VENDOR, PCILIB_DEVICE, PCILIB_CLASS };

/*
 * @sysfs: where /sys/bus/pci is; NULL: only names are wanted.
 * @ids: the list of names; NULL: wherever the system has it.
 * NULL: no memory, or libpci does not want to.
 */
struct pci_access *pcilib_open(const char *sysfs, const char *ids);
void pcilib_close(struct pci_access *access);

/* How much of it there is: 0, 64, 256 or 4096 bytes. */
uint32_t pcilib_config(struct pci_access *access, uint32_t domain, uint16_t rid,
		       uint8_t config[4096]);

/* False: there is no name. @id is the device's, or 0. No network is asked. */
bool pcilib_name(struct pci_access *access, enum pcilib_name kind,
		 uint16_t vendor_or_class, uint16_t id, char *to, size_t size);

#endif /* CLI_PCILIB_H */
