/* SPDX-License-Identifier: MIT */
/*
 * A machine to plan for: functions in the fake host's configuration space, a
 * table of records made without a parser, and what its units can do.
 */
#ifndef TESTS_PLAN_MACHINE_H
#define TESTS_PLAN_MACHINE_H

#include <uiommu/plan.h>

#include "fake_pci.h"

#define MACHINE_RECORDS 64
#define MACHINE_SCOPES 256
#define MACHINE_WISHES 4

/* What configuration space does not tell of @sid. */
struct machine_fact {
	struct uiommu_sid sid;
	struct uiommu_sid other;
	bool physical; /* @other is its physical function; else asks as it */
};

/* A way to the outside, or from there. */
struct machine_port {
	struct uiommu_sid sid;
	bool external_facing;
	bool onboard_switch;
	bool untrusted;
};

struct machine {
	struct uiommu_host *host;
	struct uiommu_topology topology;
	struct uiommu_dmar dmar;
	struct uiommu_dmar_record records[MACHINE_RECORDS];
	struct uiommu_dmar_scope scopes[MACHINE_SCOPES];
	uint8_t table[4 * MACHINE_SCOPES]; /* paths of at most two hops */
	struct uiommu_plan_unit units[MACHINE_RECORDS];
	struct uiommu_options options;
	struct uiommu_plan_input input; /* all but the above and arrays */
	struct uiommu_plan_override overrides[MACHINE_WISHES];
	struct uiommu_plan_override requirements[MACHINE_WISHES];
	struct uiommu_plan_mask masks[MACHINE_WISHES];
	struct uiommu_range ram[MACHINE_WISHES];
	struct machine_port ports[MACHINE_WISHES];
	unsigned int port_count;
	struct machine_fact facts[8];
	unsigned int fact_count;
	struct uiommu_plan plan;
	char said[256];
};

/* cmocka fixtures; *state is the machine. */
int machine_setup(void **state);
int machine_teardown(void **state);

/* Records; the index is returned. Scopes go to the last record. */
uint32_t machine_drhd(struct machine *machine, uint8_t flags);
uint32_t machine_rmrr(struct machine *machine, uint64_t first, uint64_t last);
struct uiommu_dmar_scope *machine_scope(struct machine *machine, uint8_t type,
					unsigned int bus, unsigned int device,
					unsigned int function);
/* One more hop for the last scope. */
void machine_hop(struct machine *machine, unsigned int device,
		 unsigned int function);

/* Tells the topology the facts, as far as they apply. */
void machine_tell(struct machine *machine);
/* Scans segment 0, tells the facts and plans; frees an earlier plan. */
void machine_plan(struct machine *machine);
int machine_try_plan(struct machine *machine, struct uiommu_plan *plan);

uint32_t machine_index(const struct machine *machine, unsigned int bus,
		       unsigned int device, unsigned int function);
const struct uiommu_plan_device *machine_device(const struct machine *machine,
						unsigned int bus,
						unsigned int device,
						unsigned int function);
/* An ACPI device known to no bus; scopes name it by @number. */
uint32_t machine_andd(struct machine *machine, uint32_t number);
/* Wishes of the last ones are in force; at most MACHINE_WISHES of each. */
void machine_override(struct machine *machine, struct uiommu_sid sid,
		      enum uiommu_domain_type type);
void machine_require(struct machine *machine, struct uiommu_sid sid,
		     enum uiommu_domain_type type);
/* Type of the group that the function is in. */
enum uiommu_domain_type machine_type(const struct machine *machine,
				     unsigned int bus, unsigned int device,
				     unsigned int function);
/* The text of the function's reason by @rule; fails if it has none. */
const char *machine_says(struct machine *machine, struct uiommu_sid sid,
			 enum uiommu_rule rule);
/* First reason of @device with @rule, or NULL. */
const struct uiommu_reason *machine_reason(const struct machine *machine,
					   uint32_t device,
					   enum uiommu_rule rule);
/* What holds of every plan: order, counts, references, reasons, texts. */
void machine_check(const struct machine *machine);

#endif /* TESTS_PLAN_MACHINE_H */
