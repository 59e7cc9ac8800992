/* SPDX-License-Identifier: MIT */
/*
 * The machine sleeps and wakes up; the kernel ends. Where uiommu_stop() lets
 * go of everything, these leave it in memory.
 */
#ifndef UIOMMU_POWER_H
#define UIOMMU_POWER_H

#include <uiommu/device.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * uiommu_suspend() - let the units sleep, keeping all that they know
 * @uiommu: started
 *
 * For the last moments before the machine sleeps: drivers have stopped their
 * devices, one CPU is awake, interrupts are off. Work that the units have
 * under way is waited for, faults recorded are told, translation and
 * invalidation queues are turned off. Until uiommu_resume() no other call on
 * the instance may be made but uiommu_stop(), uiommu_destroy() and
 * uiommu_shutdown(), nor may one be under way. The first DMA call of a device
 * that waits for it is refused: UIOMMU_EBUSY.
 *
 * While a unit is off, addresses that its devices use are physical. Firmware's
 * own accesses go on, because its direct regions are mapped to themselves;
 * protected memory stays open. A device that still does DMA to an address of
 * the DMA API hits whatever memory has that number.
 *
 * A unit whose translation must not be turned off (some that serve Intel
 * graphics alone) keeps it on until its power goes.
 *
 * What the host has to save itself is PCI configuration space, with the access
 * control that start turned on (groups are not isolated without), and remapping
 * of interrupts.
 *
 * Context: any, and no other call at the same time: taken without the mutex,
 * it neither sleeps nor allocates, and each wait for a unit has the deadline
 * of struct uiommu_config. Calls host functions tagged [any].
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBUSY - not started, or suspended already
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit does not answer and is broken; the
 *     others are suspended. Sleep all the same, or call uiommu_resume() now:
 *     that is possible at any time
 */
UIOMMU_MUST_CHECK
int uiommu_suspend(struct uiommu *uiommu);

/**
 * uiommu_resume() - have the units do again what they did
 * @uiommu: suspended
 *
 * Before any device gets to work, and whether units lost their power, were set
 * up by firmware meanwhile, or nothing happened: queue, root table, empty
 * caches, fault interrupt, then translation, then protected memory is opened.
 * Mappings, domains and owners are as they were.
 *
 * After an error the instance is resumed nonetheless. Units that came back
 * dead, or broke before, are broken; groups with a member behind one are in
 * the blocked domain and cannot leave it. What was mapped for them is not
 * unmapped; stop frees it. Such a unit that answers
 * enough is made to refuse everything. All others work.
 *
 * Context: as uiommu_suspend().
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EBUSY - not suspended
 *   UIOMMU_EIO, UIOMMU_ETIMEDOUT - a unit did not come back; the log names it
 */
UIOMMU_MUST_CHECK
int uiommu_resume(struct uiommu *uiommu);

/**
 * uiommu_shutdown() - leave the units to the next kernel
 * @uiommu: instance in any state, or NULL
 * @keep_translating: for a crash kernel that takes over what it finds: fault
 *	interrupts are masked, and nothing else is touched
 *
 * For panic and for kexec, when devices may be at work and nothing can be
 * freed. Without @keep_translating protected memory is opened, translation and
 * queues are turned off, on each unit that answers: then DMA is physical, so
 * silence devices if somebody still can. Remapping of interrupts that was found
 * on and adopted goes off, too; the host's own does not. A unit whose translation
 * must not be turned off keeps it; the log says so. Before uiommu_start() and after
 * uiommu_stop() there is nothing to do.
 *
 * Afterwards no call may be made on the instance.
 *
 * Context: any; other CPUs may have stopped in any call on the instance,
 * holding any lock, or go on in one if they only map and unmap. Takes no lock
 * and allocates nothing; waits at most eleven times the deadline of struct
 * uiommu_config for each unit, and not for ever if the clock stands. Calls
 * uiommu_host_log(), uiommu_host_now_ns(), uiommu_host_relax() and the
 * registers' accessors, which must work at that time.
 */
void uiommu_shutdown(struct uiommu *uiommu, bool keep_translating);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_POWER_H */
