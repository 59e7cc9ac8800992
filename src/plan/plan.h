/* SPDX-License-Identifier: MIT */
/*
 * What the decisions share. Each has a file of its own, with the rule and the
 * reason it gives side by side; plan.c calls them in order. A device has the
 * index of its function.
 */
#ifndef UIOMMU_PLAN_PLAN_H
#define UIOMMU_PLAN_PLAN_H

#include <uiommu/plan.h>

/* No chain of bridges is longer; a topology that has one is in a circle. */
#define PLAN_MOST_BRIDGES 256

/* Group reasons a device can have at once, apart from being alone. */
#define PLAN_GROUP_REASONS 3

/* A function that the scope of a record names. */
struct plan_name {
	uint32_t function;
	uint32_t record;
};

/* A requester id and a device that may use it. */
struct plan_alias {
	struct uiommu_sid sid;
	uint32_t device;
};

/* Notes on one device while the plan is made. */
struct plan_note {
	uint32_t unit;	 /* record whose present unit names the function */
	uint32_t absent; /* record naming it whose unit is not there */
	struct uiommu_reason unit_reason;
	uint32_t set;	     /* towards the lowest device of its set */
	uint32_t group;	     /* of the set, noted at its lowest device */
	uint32_t shares;     /* a device with which it shares... */
	uint32_t shared_rid; /* ...this requester id */
	uint32_t requirer;   /* of the group, not device, of this index: lowest
			    * member that requires its type */
};

/* A plan being made. All notes go when it is. */
struct plan_work {
	const struct uiommu_plan_input *input;
	const struct uiommu_topology *topology;
	struct plan_note *notes;
	struct plan_name *names; /* of RMRRs; ascending function, record */
	uint32_t name_count;
	struct plan_alias *users; /* of each alias; ascending sid, device */
	uint32_t reason_room;
	struct uiommu_plan plan;
};

/* --- plan_topology.c: questions about the tree --- */

/* The bridge above a function, or UIOMMU_PCI_NONE. */
uint32_t uiommu_plan_above(const struct uiommu_topology *topology,
			   uint32_t function);
/* UIOMMU_ACS_* that isolation needs and @function does not do. */
uint32_t uiommu_plan_acs_missing(const struct uiommu_pci_function *function);
/* Does it keep apart what is below it, or beside it in its slot? */
bool uiommu_plan_isolates(const struct uiommu_pci_function *function);
/* Does it forward requests without telling whose they are? */
bool uiommu_plan_hides(const struct uiommu_pci_function *function);
/* First that does not isolate, from @function to the root; or NONE. */
uint32_t uiommu_plan_leak(const struct uiommu_topology *topology,
			  uint32_t function);

/* --- plan_scope.c: from the table's paths to functions --- */

/* The function that a usable scope of PCI type names, or UIOMMU_PCI_NONE. */
uint32_t uiommu_plan_named(const struct plan_work *work,
			   const struct uiommu_dmar_record *record,
			   const struct uiommu_dmar_scope *scope);
/* Scopes of all RMRR records: as many names as there can be. */
uint32_t uiommu_plan_count_names(const struct plan_work *work);
/* Fills and sorts work->names. */
void uiommu_plan_name(struct plan_work *work);

/* --- plan_sort.c --- */

/* Sorts in place without recursion; @less is a total order. */
void uiommu_plan_sort(void *base, uint32_t count, size_t size,
		      bool (*less)(const void *a, const void *b));

/* --- The decisions, in order. "say" adds the reasons of one device. --- */

void uiommu_plan_units(struct plan_work *work);
void uiommu_plan_say_unit(struct plan_work *work, uint32_t device);

/* At least the aliases of @device; stores them if @aliases is not NULL. */
uint32_t uiommu_plan_device_aliases(const struct uiommu_topology *topology,
				    uint32_t device,
				    struct uiommu_sid *aliases);
void uiommu_plan_aliases(struct plan_work *work);

void uiommu_plan_groups(struct plan_work *work);
void uiommu_plan_say_group(struct plan_work *work, uint32_t device);

void uiommu_plan_types(struct plan_work *work);
void uiommu_plan_say_type(struct plan_work *work, uint32_t device);

/* At least the regions of all devices. */
uint64_t uiommu_plan_count_regions(const struct plan_work *work);
void uiommu_plan_regions(struct plan_work *work);
void uiommu_plan_say_regions(struct plan_work *work, uint32_t device);

/* --- plan_reason.c --- */
void uiommu_plan_say(struct plan_work *work, enum uiommu_rule rule,
		     uint32_t device, uint32_t other, uint32_t detail);

#endif /* UIOMMU_PLAN_PLAN_H */
