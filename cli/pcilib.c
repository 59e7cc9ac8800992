// SPDX-License-Identifier: MIT
/*
 * libpci reports an error through a function that must not return, and its
 * default one ends the process. Here it jumps back to whoever called libpci.
 */
#include <setjmp.h>
#include <stdlib.h>

#include <pci/pci.h>

#include <uiommu/types.h>

#include "pcilib.h"

/* The error function is not told on whose behalf it is called. */
static _Thread_local jmp_buf pcilib_back;

static void pcilib_error(char *message, ...) __attribute__((noreturn));

static void pcilib_error(char *message, ...)
{
	(void)message;
	longjmp(pcilib_back, 1);
}

/* What it warns of shows in what it returns. */
static void pcilib_quiet(char *message, ...)
{
	(void)message;
}

static bool pcilib_init(struct pci_access *access, const char *sysfs)
{
	if (setjmp(pcilib_back))
		return false;
	if (sysfs) {
		access->method = PCI_ACCESS_SYS_BUS_PCI;
		if (pci_set_param(access, "sysfs.path", (char *)sysfs))
			return false;
		pci_init(access);
	}
	return true;
}

struct pci_access *pcilib_open(const char *sysfs, const char *ids)
{
	struct pci_access *access = pci_alloc();

	if (!access)
		return NULL;
	access->error = pcilib_error;
	access->warning = pcilib_quiet;
	access->debug = pcilib_quiet;
	/* udev's names are the same list, and asking for them leaks. */
	access->id_lookup_mode = PCI_LOOKUP_NO_HWDB;
	if (ids)
		pci_set_name_list_path(access, (char *)ids, 0);
	if (pcilib_init(access, sysfs))
		return access;
	pcilib_close(access);
	return NULL;
}

void pcilib_close(struct pci_access *access)
{
	if (access && !setjmp(pcilib_back))
		pci_cleanup(access);
}

uint32_t pcilib_config(struct pci_access *access, uint32_t domain, uint16_t rid,
		       uint8_t config[4096])
{
	static const uint32_t sizes[] = { 4096, 256, 64 };
	struct uiommu_sid sid = { 0, rid };
	struct pci_dev *dev;

	if (domain > 0x7fffffff || setjmp(pcilib_back))
		return 0;
	dev = pci_get_dev(access, (int)domain, UIOMMU_SID_BUS(sid),
			  UIOMMU_SID_DEV(sid), UIOMMU_SID_FN(sid));
	for (unsigned int i = 0; i < 3; i++) {
		if (!pci_read_block(dev, 0, config, (int)sizes[i]))
			continue;
		pci_free_dev(dev);
		return sizes[i];
	}
	pci_free_dev(dev);
	return 0;
}

bool pcilib_name(struct pci_access *access, enum pcilib_name kind,
		 uint16_t vendor_or_class, uint16_t id, char *to, size_t size)
{
	static const int flags[] = { PCI_LOOKUP_VENDOR, PCI_LOOKUP_DEVICE,
				     PCI_LOOKUP_CLASS };

	if (setjmp(pcilib_back))
		return false;
	return pci_lookup_name(access, to, (int)size,
			       flags[kind] | PCI_LOOKUP_NO_NUMBERS,
			       vendor_or_class, id) != NULL;
}
