/* SPDX-License-Identifier: MIT */
/*
 * Linux's groups once more, device by device and with recursion, as the rules
 * are told. It knows only the models that random machines have.
 */
#ifndef TESTS_PLAN_LINUX_ORACLE_H
#define TESTS_PLAN_LINUX_ORACLE_H

#include "machine.h"

/* Does the model of @f ask as function @devfn of its bus? */
bool oracle_model(const struct uiommu_pci_function *f, uint32_t devfn);
/* Fills @group, one number per function of the topology, for those that have a
 * unit in machine->plan. */
void linux_groups(const struct machine *machine, uint32_t *group);

#endif /* TESTS_PLAN_LINUX_ORACLE_H */
