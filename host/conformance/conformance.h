/* SPDX-License-Identifier: MIT */
/*
 * Checks of a port's host functions, run inside the port itself: link
 * conformance.c into the kernel and call uiommu_conformance() once, early.
 */
#ifndef UIOMMU_CONFORMANCE_H
#define UIOMMU_CONFORMANCE_H

#include <uiommu/host.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the port knows of its machine. Zero everywhere skips those checks. */
struct uiommu_conformance {
	uiommu_paddr_t unit; /* register base of a remapping unit; 0: skip */
	bool pci;	     /* there is PCI: look at the two functions below */
	struct uiommu_sid present; /* a function that exists */
	struct uiommu_sid absent;  /* one that does not */
};

/**
 * uiommu_conformance() - check what a port promises in <uiommu/host.h>
 * @host: port instance
 * @machine: what to look at
 *
 * Logs one line a check, "conformance: <what>: ok" or with what is wrong, and
 * leaves nothing allocated. Needs no instance of uIOMMU.
 *
 * Context: sleep.
 *
 * Return: number of checks that failed.
 */
unsigned int uiommu_conformance(struct uiommu_host *host,
				const struct uiommu_conformance *machine);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_CONFORMANCE_H */
