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

/* Reasons for the type that a device can have at once. */
#define PLAN_TYPE_REASONS 8

/* Group reasons a device can have at once, apart from being alone. */
#define PLAN_GROUP_REASONS 9

/* A device that the scope of a record names. */
struct plan_name {
	uint32_t device;
	uint32_t record;
};

/* A requester id and a device that may use it. */
struct plan_alias {
	struct uiommu_sid sid;
	uint32_t device;
};

/* A place in a walk over the functions of one bus. */
struct plan_step {
	uint32_t function;
	uint32_t next;
	bool slot; /* over its slot, else over its bus */
};

/* When Linux meets a device. */
struct plan_turn {
	uint32_t late; /* 0: at boot; 1: a driver makes it; 2: namespace */
	uint32_t rank; /* place of its unit */
	uint32_t device;
};

/* A group in force, at the first entry of its number; or a device in one. */
struct plan_held {
	struct uiommu_sid sid;
	uint32_t andd; /* if not NONE the device is found by it */
	uint32_t unit;
	uint32_t number; /* NONE without a unit */
	enum uiommu_domain_type type;
	bool owned;
	bool barred; /* of this device */
	/* Of the first entry of each number: */
	bool real;	/* a member that is there is not barred */
	uint32_t index; /* of its group in the plan, or NONE */
};

/* A walk goes no deeper than twice the functions of a bus. */
#define PLAN_MOST_STEPS 520

/* Notes on one device while the plan is made. */
struct plan_note {
	uint32_t unit;	 /* record whose present unit names the function */
	uint32_t absent; /* record naming it whose unit is not there */
	struct uiommu_reason unit_reason;
	/* How its function keeps others apart: each rule set's answer. */
	bool apart;
	bool linux_apart;
	uint32_t claim;	     /* that makes up for them, or NONE */
	uint32_t model;	     /* line of its model's aliases, or NONE */
	uint32_t leak;	     /* first not apart from it to the root */
	uint32_t linux_leak; /* the same as Linux sees it */
	uint32_t open_below; /* what lets go round all that is below it */
	uint32_t open_slot;  /* likewise in its slot, at the slot's first */
	uint32_t twin;	     /* device whose group Linux has it join */
	uint32_t first_twin; /* of a set, at its lowest: lowest grouped... */
	uint32_t other_twin; /* ...and lowest that Linux sets apart from it */
	uint32_t set;	     /* towards the lowest device of its set */
	uint32_t group;	     /* of the set, noted at its lowest device */
	uint32_t shares;     /* a device with which it shares... */
	uint32_t shared_rid; /* ...this requester id */
	/* What is in force; indices are of work->held, devices or NONE: */
	bool told;	     /* it is in force, with or without a unit */
	uint32_t held;	     /* the first entry of its group's number */
	bool fresh;	     /* not in force, or judged anew */
	bool set_apart;	     /* kept out of groups that it would merge */
	uint32_t real;	     /* of a set, at its lowest: lowest in force... */
	uint32_t other_real; /* ...and lowest in force of another group */
	uint32_t hollow;     /* lowest whose group has barred members only */
	/* Of the group, not device, of this index; members or NONE: */
	uint32_t number;       /* entry of work->held that is in force for it */
	uint32_t elder;	       /* lowest that is not fresh */
	uint32_t stray;	       /* lowest of another set than the lowest's */
	bool counted;	       /* some member has a say */
	uint32_t short_of_ram; /* lowest that does not reach all of it */
	enum uiommu_domain_type decided; /* as if nothing were in force */
	uint32_t requirer;		 /* lowest that requires identity */
	uint32_t confined;		 /* lowest that requires translation */
	uint32_t outsider;		 /* lowest untrusted */
	uint32_t named;			 /* named by the override in force */
	uint32_t override;		 /* which */
	uint32_t keeper;		 /* lowest with a direct region */
	uint32_t kept;			 /* that region */
	uint32_t caching; /* a record with caching mode that counts */
	bool no_identity; /* some member's unit cannot make one */
	bool wants_lazy;  /* but for that it would be */
	enum uiommu_rule type_rule;
	/* Of the device: */
	enum uiommu_domain_type demanded; /* by the hardware's driver */
	uint8_t mask_bits;		  /* it reaches, 64 if not told */
};

/* A plan being made. All notes go when it is. */
struct plan_work {
	const struct uiommu_plan_input *input;
	const struct uiommu_topology *topology;
	struct plan_note *notes;
	struct plan_name *names; /* of RMRRs; ascending device, record */
	uint32_t name_count;
	struct plan_step *steps;  /* of a walk; see plan_linux.c */
	struct plan_turn *order;  /* devices in Linux's boot order */
	uint32_t function_count;  /* devices above have no function */
	bool graphics_off;	  /* displays are left alone... */
	uint32_t graphics_by;	  /* ...for this one's model, or NONE: asked */
	uint32_t not_lazy;	  /* host bridge that forbids it, or NONE */
	struct plan_alias *users; /* of each alias; ascending sid, device */
	struct plan_held *held;	  /* ascending number, ANDD, sid */
	uint32_t held_count;
	uint32_t reason_room;
	struct uiommu_plan plan;
};

/*
 * plan_decide.c: the decision about one group, a pure function. What chooses
 * is on the left, from weak to strong from the bottom up.
 */
struct plan_type_facts {
	bool untrusted;			  /* some member is */
	bool needs_identity;		  /* some member requires it */
	bool needs_dma;			  /* some member requires translation */
	bool can_identity;		  /* every member's unit can make it */
	bool caching;			  /* lazy invalidation is not for it */
	bool short_of_ram;		  /* some member does not reach it */
	enum uiommu_domain_type override; /* NONE, IDENTITY, DMA, DMA_FQ */
	enum uiommu_choice passthrough;
	enum uiommu_choice strict;
	bool opt_in;		       /* only firmware turned remapping on */
	bool encrypted;		       /* host memory is */
	enum uiommu_domain_type build; /* IDENTITY, DMA, DMA_FQ */
	bool build_strict; /* translation that build chose is strict */
};

struct plan_type_decision {
	enum uiommu_domain_type type;
	enum uiommu_rule rule;
	bool required;	 /* a fall-back to DMA is not allowed */
	bool wants_lazy; /* DMA_FQ but for that */
};

void uiommu_plan_decide_type(const struct plan_type_facts *facts,
			     struct plan_type_decision *decision);

/* Is remapping wanted at all, or on in a machine that runs? @opt_in: only
 * because firmware asks for it. */
bool uiommu_plan_wanted(const struct uiommu_plan_input *input, bool *opt_in);

/* plan_trust.c: did it, or a port above it, come from outside? */
bool uiommu_plan_untrusted(const struct uiommu_topology *topology,
			   enum uiommu_rules rules, uint32_t function);

/*
 * plan_unit.c: names the unit of record @index displays, and nothing else?
 * What came from outside is no display.
 */
bool uiommu_plan_is_for_displays(const struct plan_work *work, uint32_t index);

/*
 * plan_graphics.c: may the machine hang when the unit of a DMAR record turns
 * its translation off? Wants the table, the topology and the rules of @input.
 */
bool uiommu_plan_stays_on(const struct uiommu_plan_input *input,
			  uint32_t record);

/* --- plan_topology.c: questions about the tree --- */

/* The bridge above a function, or UIOMMU_PCI_NONE. */
uint32_t uiommu_plan_above(const struct uiommu_topology *topology,
			   uint32_t function);
/* UIOMMU_ACS_* that isolation needs and @function does not do. */
uint32_t uiommu_plan_acs_missing(const struct uiommu_pci_function *function);
/* What @function lacks to isolate, as the detail of a reason. */
uint32_t uiommu_plan_lack(const struct plan_work *work, uint32_t function);
/* Does it forward requests without telling whose they are? */
bool uiommu_plan_hides(const struct uiommu_pci_function *function);
/* Are both functions of one slot? */
bool uiommu_plan_same_slot(const struct uiommu_pci_function *a,
			   const struct uiommu_pci_function *b);
/* The first function of the slot, or of the bus, of @function. */
uint32_t uiommu_plan_slot_first(const struct uiommu_topology *topology,
				uint32_t function);
uint32_t uiommu_plan_bus_first(const struct uiommu_topology *topology,
			       uint32_t function);
/* The one after the last of its bus. */
uint32_t uiommu_plan_bus_end(const struct uiommu_topology *topology,
			     uint32_t function);
/* Whose requester id its requests bear; itself if nobody else's. */
uint32_t uiommu_plan_asker(const struct uiommu_topology *topology,
			   uint32_t function);
/* Notes what each function keeps apart. */
void uiommu_plan_note_isolation(struct plan_work *work);

/* --- plan_scope.c: from the table's paths to functions --- */

/* The function that a usable scope of PCI type names, or UIOMMU_PCI_NONE. */
uint32_t uiommu_plan_named(const struct plan_work *work,
			   const struct uiommu_dmar_record *record,
			   const struct uiommu_dmar_scope *scope);
/* Scopes of all RMRR records: as many names as there can be. */
uint32_t uiommu_plan_count_names(const struct plan_work *work);
/* Fills and sorts work->names. */
void uiommu_plan_name(struct plan_work *work);

/* --- plan_namespace.c: devices that only ACPI knows --- */

uint32_t uiommu_plan_count_namespace(const struct plan_work *work);
/* Adds them behind the functions, with their units. */
void uiommu_plan_namespace(struct plan_work *work);
/* The one that a scope of any record names, or NONE; before they are added. */
uint32_t uiommu_plan_namespace_named(const struct plan_work *work,
				     const struct uiommu_dmar_scope *scope);
/* Its requester id. */
struct uiommu_sid uiommu_plan_namespace_sid(const struct plan_work *work,
					    uint32_t device);
/* Any device's own id; after the aliases are made. */
struct uiommu_sid uiommu_plan_sid(const struct uiommu_plan *plan,
				  const struct uiommu_topology *topology,
				  uint32_t device);
/* The system's own number of its segment, which @sid.segment may not be. */
unsigned int uiommu_plan_domain(const struct uiommu_plan *plan,
				const struct uiommu_topology *topology,
				uint32_t device);

/* --- The decisions, in order. "say" adds the reasons of one device. --- */

/* plan_graphics.c: what is known of the machine's graphics. */
void uiommu_plan_graphics_note(struct plan_work *work);

bool uiommu_plan_has_unit(const struct plan_work *work, uint32_t record);
/* The units of all functions but those told of. */
void uiommu_plan_units(struct plan_work *work);
/* @device is in force with @unit or, if that is NONE, without. */
void uiommu_plan_hold_unit(struct plan_work *work, uint32_t device,
			   uint32_t unit);
void uiommu_plan_say_unit(struct plan_work *work, uint32_t device);

/* At least the aliases of @device; stores them if @aliases is not NULL. */
uint32_t uiommu_plan_device_aliases(const struct uiommu_topology *topology,
				    enum uiommu_rules rules, uint32_t device,
				    struct uiommu_sid *aliases);
/* Does the model of @function ask as function @devfn of its bus, to Linux? */
bool uiommu_plan_asks_as(const struct uiommu_pci_function *function,
			 uint32_t model, uint32_t devfn);
void uiommu_plan_aliases(struct plan_work *work);

/* plan_live.c: what is in force. Sorts it into work->held; false if it
 * contradicts itself. */
bool uiommu_plan_hold(struct plan_work *work);
/* Notes it with the devices; after the units, before the groups. */
void uiommu_plan_note_held(struct plan_work *work);
/* Settles who is with whom, once the sets are closed. */
void uiommu_plan_settle(struct plan_work *work);
/* The note that holds the group's index for @device. */
uint32_t *uiommu_plan_place(struct plan_work *work, uint32_t device);
/* Numbers the groups. */
void uiommu_plan_number(struct plan_work *work);
/* The set of devices that are one for the rules asked for: its lowest. */
uint32_t uiommu_plan_set(struct plan_work *work, uint32_t device);
/* The device with this id, function or not; or NONE. After the aliases. */
uint32_t uiommu_plan_find(const struct plan_work *work, struct uiommu_sid sid);
/* Has the group a type in force that stays? */
bool uiommu_plan_is_held(const struct plan_work *work, uint32_t group);
/* Has the member of a group a say in its type? */
bool uiommu_plan_counts(const struct plan_work *work, uint32_t device);
/* The lowest from outside that may use what is in force, new or not. */
uint32_t uiommu_plan_newcomer(const struct plan_work *work, uint32_t index);
/* DMA-FQ is a way to do DMA: who requires that one is served by the other. */
enum uiommu_domain_type uiommu_plan_kind(enum uiommu_domain_type type);
/* Bars who cannot use what is in force; after the types. */
void uiommu_plan_bar(struct plan_work *work);
/* Reasons of the group: how many. Of the type: true if it is barred. */
uint32_t uiommu_plan_say_held(struct plan_work *work, uint32_t device);
bool uiommu_plan_say_barred(struct plan_work *work, uint32_t device);

/* Notes the device whose group each joins by Linux's rules: note.twin. */
void uiommu_plan_linux(struct plan_work *work);
void uiommu_plan_groups(struct plan_work *work);
void uiommu_plan_say_group(struct plan_work *work, uint32_t device);

/* --- plan_say.c: reasons of a group; how many were given --- */
uint32_t uiommu_plan_say_leak(struct plan_work *work, uint32_t device,
			      uint32_t leak);
uint32_t uiommu_plan_say_reach(struct plan_work *work, uint32_t device,
			       bool mate);
void uiommu_plan_say_model(struct plan_work *work, uint32_t device);
void uiommu_plan_say_linux(struct plan_work *work, uint32_t device);
void uiommu_plan_say_rest(struct plan_work *work, uint32_t device);
/* Words for the reasons of a group. */
size_t uiommu_plan_group_text(const struct uiommu_plan *plan,
			      const struct uiommu_topology *topology,
			      const struct uiommu_reason *reason, char *text,
			      size_t size);

void uiommu_plan_types(struct plan_work *work);
void uiommu_plan_say_type(struct plan_work *work, uint32_t device);

/* At least the regions of all devices. */
uint64_t uiommu_plan_count_regions(const struct plan_work *work);
void uiommu_plan_regions(struct plan_work *work);
void uiommu_plan_say_regions(struct plan_work *work, uint32_t device);

/* --- plan_reason.c --- */
void uiommu_plan_say(struct plan_work *work, enum uiommu_rule rule,
		     uint32_t device, uint32_t other, uint32_t detail);

/* A record in a sentence: PLAN_RECORD(plan, record) are the arguments. */
#define PLAN_RECORD_FMT "DMAR record %u at 0x%x"
#define PLAN_RECORD(plan, record) \
	(record), uiommu_plan_record_offset((plan), (record))
uint32_t uiommu_plan_record_offset(const struct uiommu_plan *plan,
				   uint32_t record);

/* A device as the system names it: arguments for UIOMMU_SID_FMT. */
#define PLAN_SID_ARGS(plan, topology, device)                                  \
	uiommu_plan_domain((plan), (topology), (device)),                      \
		UIOMMU_SID_BUS(uiommu_plan_sid((plan), (topology), (device))), \
		UIOMMU_SID_DEV(uiommu_plan_sid((plan), (topology), (device))), \
		UIOMMU_SID_FN(uiommu_plan_sid((plan), (topology), (device)))

/* --- plan_words.c: the words of TYPE_* and REGION_* reasons --- */
size_t uiommu_plan_type_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size);
/* plan_words_live.c: and of those of both that tell what is in force. */
size_t uiommu_plan_live_text(const struct uiommu_plan *plan,
			     const struct uiommu_topology *topology,
			     const struct uiommu_reason *reason, char *text,
			     size_t size);
size_t uiommu_plan_region_text(const struct uiommu_plan *plan,
			       const struct uiommu_topology *topology,
			       const struct uiommu_reason *reason, char *text,
			       size_t size);

#endif /* UIOMMU_PLAN_PLAN_H */
