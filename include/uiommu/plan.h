/* SPDX-License-Identifier: MIT */
/*
 * The plan: every decision about a machine as a pure function of what is
 * known of it. Topology, firmware table, options and what each unit can do go
 * in; the unit and aliases of each device, the groups, the type of each
 * group's default domain and the reserved regions come out, with a reason for
 * each. The live core applies a plan; a tool prints one.
 *
 * The plan does not depend on the order in which devices were found.
 */
#ifndef UIOMMU_PLAN_H
#define UIOMMU_PLAN_H

#include <uiommu/dmar.h>
#include <uiommu/error.h>
#include <uiommu/options.h>
#include <uiommu/pci.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UIOMMU_PLAN_NONE ((uint32_t)0xffffffff)

enum uiommu_domain_type {
	UIOMMU_DOMAIN_NONE = 0,	 /* not decided; no domain has this type */
	UIOMMU_DOMAIN_BLOCKED,	 /* every access is refused */
	UIOMMU_DOMAIN_IDENTITY,	 /* DMA addresses are physical addresses */
	UIOMMU_DOMAIN_DMA,	 /* translated; for the DMA API */
	UIOMMU_DOMAIN_UNMANAGED, /* translated; its owner maps by address */
	UIOMMU_DOMAIN_DMA_FQ,	 /* DMA with lazy invalidation */
	UIOMMU_DOMAIN_SINK,	 /* every access meets one scratch page */
};

/** uiommu_domain_type_name() - "identity", "DMA"...; never NULL [any] */
const char *uiommu_domain_type_name(enum uiommu_domain_type type);

#define UIOMMU_PROT_READ UIOMMU_BIT32(0)  /* the device may read */
#define UIOMMU_PROT_WRITE UIOMMU_BIT32(1) /* the device may write */

enum uiommu_region_type {
	UIOMMU_REGION_DIRECT, /* stays mapped 1:1 while the device lives */
	UIOMMU_REGION_DIRECT_RELAXABLE, /* may be dropped for a user */
	UIOMMU_REGION_RESERVED,		/* never given out, never mapped */
	UIOMMU_REGION_MSI, /* interrupts; never given out, never mapped */
};

/** uiommu_region_type_name() - "direct", "msi"...; never NULL [any] */
const char *uiommu_region_type_name(enum uiommu_region_type type);

struct uiommu_region {
	struct uiommu_range range;
	enum uiommu_region_type type;
	unsigned int prot; /* UIOMMU_PROT_*; 0 if never mapped */
	uint32_t record;   /* DMAR record it begins with, or UIOMMU_PLAN_NONE */
};

/* What the plan needs to know of the unit that a DRHD record describes. */
struct uiommu_plan_unit {
	bool present;	  /* false: the record is not a unit or is ignored */
	bool passthrough; /* has hardware pass-through */
	bool caching;	  /* caches what is not mapped, too (emulated) */
};

/* Whose rules; see docs/differences.md. */
enum uiommu_rules {
	UIOMMU_RULES_STRICT = 0, /* the closure over all that can be reached */
	UIOMMU_RULES_LINUX,	 /* what Linux makes of the same machine */
};

/* What somebody asks for the group that @sid is in; the last one holds. */
struct uiommu_plan_override {
	struct uiommu_sid sid;
	enum uiommu_domain_type type; /* IDENTITY, DMA or DMA_FQ */
};

/* How far a device reaches; all 64 bits for those not listed. */
struct uiommu_plan_mask {
	struct uiommu_sid sid;
	uint64_t mask;
};

/* What is in force for a device while the plan for a change is made. */
struct uiommu_plan_live {
	struct uiommu_sid sid; /* finds a function in the topology */
	uint32_t andd;	/* DMAR record that declares it; NONE: a function */
	uint32_t unit;	/* DMAR record; NONE: none, then it has no group */
	bool off;	/* remapping is; the same for all, and no unit then */
	uint32_t group; /* number of its group: struct uiommu_plan_group.id */
	enum uiommu_domain_type
		type; /* its group's default domain has it; NONE: decide again
		       * or no group */
	bool owned;   /* the group is claimed by a user */
	bool barred;  /* it is a member that is refused; judged anew */
};

struct uiommu_plan_input {
	const struct uiommu_dmar *dmar; /* NULL: no table, no unit */
	const struct uiommu_topology *topology;
	const struct uiommu_plan_unit *units; /* one per DMAR record */
	struct uiommu_options options;
	enum uiommu_rules rules;
	/* IDENTITY, DMA or DMA_FQ; NONE: what the library was built with */
	enum uiommu_domain_type build_default;
	bool build_off;		/* no remapping unless an option asks for it */
	bool memory_encryption; /* of the host: identity is not for default */
	bool trusted_boot;	/* a measured launch: remapping is forced */
	bool isoch_without_tlb; /* uiommu_topology_isoch_without_tlb() */
	/* The host sets the registers by which chipset ports isolate, as Linux
	 * does: strict rules believe those ports then, too. */
	bool chipset_set_up;
	enum uiommu_ggc ggc; /* uiommu_topology_ggc() */
	/* Units without pass-through have no 1:1 table that all can walk. */
	bool no_identity_tables;
	const struct uiommu_plan_override *overrides;
	uint32_t override_count;
	/* What the hardware's driver requires of a device: IDENTITY, DMA */
	const struct uiommu_plan_override *requirements;
	uint32_t requirement_count;
	const struct uiommu_plan_mask *masks;
	uint32_t mask_count;
	const struct uiommu_range *ram; /* of the host; none: not known */
	uint32_t ram_count;
	/* What this plan is to change; none: the machine starts. Devices in
	 * force keep their unit, or to have none. Groups in force keep their
	 * members, their number and, but where it is to be decided again,
	 * their type; see docs/rules.md. In any order, one for a device;
	 * those for devices that are not there are ignored. */
	const struct uiommu_plan_live *live;
	uint32_t live_count;
};

struct uiommu_plan_device {
	uint32_t function; /* index into the topology, or UIOMMU_PCI_NONE */
	uint32_t andd;	   /* DMAR record that declares it, if no function */
	uint32_t unit;	/* DMAR record, or UIOMMU_PLAN_NONE: DMA unconfined */
	uint32_t group; /* index, or UIOMMU_PLAN_NONE without a unit */
	uint32_t alias_first;  /* index into aliases */
	uint32_t alias_count;  /* requester ids, its own first; at least 1 */
	uint32_t region_first; /* index into regions */
	uint32_t region_count; /* 0 without a unit */
	enum uiommu_domain_type required; /* NONE: any type will do */
	bool barred; /* member of its group, but refused all DMA */
};

struct uiommu_plan_group {
	uint32_t member_first; /* index into members */
	uint32_t member_count;
	enum uiommu_domain_type type; /* of its default domain */
	bool type_required; /* else policy chose, and may choose DMA instead */
	uint32_t region_first; /* index into group_regions */
	uint32_t region_count; /* regions of all its members, merged */
	uint32_t id; /* stable: that of the group in force, else a free one */
};

/* Why; the identifiers are stable and documented in docs/rules.md. */
enum uiommu_rule {
	UIOMMU_RULE_UNIT_SCOPE,	       /* a scope names the device */
	UIOMMU_RULE_UNIT_BRIDGE_SCOPE, /* a scope names a bridge above it */
	UIOMMU_RULE_UNIT_INCLUDE_ALL,  /* no other unit claims it */
	UIOMMU_RULE_UNIT_PHYSICAL,     /* that of its physical function */
	UIOMMU_RULE_UNIT_REQUESTER,    /* that of the function it asks as */
	UIOMMU_RULE_UNIT_NAMESPACE,    /* a scope names the ACPI device */
	UIOMMU_RULE_UNIT_GRAPHICS_OFF, /* option or model leave it off */
	UIOMMU_RULE_UNIT_OFF,	       /* remapping is not wanted */
	UIOMMU_RULE_UNIT_NONE,	       /* no unit covers it */
	UIOMMU_RULE_UNIT_HELD,	       /* what it has in force stays */
	UIOMMU_RULE_GROUP_ALONE,       /* isolated all the way to the root */
	UIOMMU_RULE_GROUP_ALIAS,  /* shares a requester id with the other */
	UIOMMU_RULE_GROUP_BRIDGE, /* below a bridge that hides who asks */
	UIOMMU_RULE_GROUP_NO_ACS, /* a port above lets it reach the other */
	UIOMMU_RULE_GROUP_REACH,  /* a function without ACS can reach it */
	UIOMMU_RULE_GROUP_JOINED, /* another member relates to it */
	UIOMMU_RULE_GROUP_CLAIM,  /* its vendor says that it isolates */
	UIOMMU_RULE_GROUP_MODEL_ALIAS,	 /* its model uses more requester ids */
	UIOMMU_RULE_GROUP_LINUX,	 /* Linux keeps the two apart */
	UIOMMU_RULE_GROUP_MULTIFUNCTION, /* functions of one slot, no ACS */
	UIOMMU_RULE_GROUP_KEPT,		 /* it was with the other before */
	UIOMMU_RULE_GROUP_APART,    /* groups in force do not merge over it */
	UIOMMU_RULE_TYPE_OPTION,    /* an option chose the type */
	UIOMMU_RULE_TYPE_BUILD,	    /* the build default chose the type */
	UIOMMU_RULE_TYPE_REQUIRED,  /* the hardware allows no other */
	UIOMMU_RULE_TYPE_UNTRUSTED, /* a member comes from outside */
	UIOMMU_RULE_TYPE_OVERRIDE,  /* somebody asked for this group */
	UIOMMU_RULE_TYPE_OPT_IN,    /* firmware alone turned remapping on */
	UIOMMU_RULE_TYPE_ENCRYPTED, /* memory encryption rules identity out */
	UIOMMU_RULE_TYPE_BLOCKED,   /* what is required cannot be made */
	UIOMMU_RULE_TYPE_CONFLICT,  /* members require different types */
	UIOMMU_RULE_TYPE_REACH,	    /* a member does not reach all of RAM */
	UIOMMU_RULE_TYPE_BARRED,    /* it cannot use the type in force */
	UIOMMU_RULE_TYPE_BARRED_OWNED, /* the group is claimed by a user */
	UIOMMU_RULE_TYPE_BARRED_APART, /* see GROUP_APART */
	/* Besides one of the above: */
	UIOMMU_RULE_TYPE_NO_IDENTITY,	    /* its unit has none */
	UIOMMU_RULE_TYPE_QUIRK,		    /* the model is known to need it */
	UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED,   /* the same, but from outside */
	UIOMMU_RULE_TYPE_REFUSED,	    /* an override cannot be had */
	UIOMMU_RULE_TYPE_NOT_LAZY,	    /* caching mode forbids lazy */
	UIOMMU_RULE_TYPE_MASK,		    /* it does not reach all of RAM */
	UIOMMU_RULE_TYPE_NOT_LAZY_GRAPHICS, /* a chipset forbids lazy */
	UIOMMU_RULE_TYPE_HELD,		    /* the type in force stays */
	UIOMMU_RULE_TYPE_OWNED,	 /* of a change: a user has the group */
	UIOMMU_RULE_REGION_RMRR, /* firmware asked for it */
	UIOMMU_RULE_REGION_MSI,	 /* the interrupt address range */
	UIOMMU_RULE_REGION_ISA,	 /* low memory of an ISA bridge */
	/* Besides those: */
	UIOMMU_RULE_REGION_IN_RAM,   /* it overlaps the host's RAM */
	UIOMMU_RULE_REGION_IN_MSI,   /* it overlaps the interrupt range */
	UIOMMU_RULE_REGION_NOT_USER, /* the group is not for a user */
};

/** uiommu_rule_name() - "UNIT_SCOPE"..., as documented; never NULL [any] */
const char *uiommu_rule_name(enum uiommu_rule rule);

struct uiommu_reason {
	enum uiommu_rule rule;
	uint32_t device; /* index of the device it is about */
	uint32_t other;	 /* by rule, see below; or UIOMMU_PLAN_NONE */
	uint32_t detail; /* likewise */
};

/* In the detail of a GROUP_* reason, besides the UIOMMU_ACS_* missing. */
#define UIOMMU_ACS_NO_CAPABILITY UIOMMU_BIT32(16) /* it has none at all */
#define UIOMMU_ACS_NOT_COUNTED UIOMMU_BIT32(17)	  /* no controls would help */

/*
 * What other and detail of a reason are; "lack" is UIOMMU_ACS_* missing and
 * the two above:
 *   UNIT_SCOPE		  DMAR record; the device
 *   UNIT_BRIDGE_SCOPE	  DMAR record; the bridge named
 *   UNIT_INCLUDE_ALL	  DMAR record
 *   UNIT_OFF		  NONE
 *   UNIT_NONE		  DMAR record whose unit is absent, or NONE
 *   UNIT_HELD		  DMAR record of the unit that a new start would give
 *			  it, or NONE: it would get none
 *   GROUP_ALIAS	  a device with the same requester id; that rid
 *   GROUP_BRIDGE	  the bridge; the device itself if it is the bridge
 *   GROUP_NO_ACS	  the port, or the device itself; its lack
 *   GROUP_MULTIFUNCTION  lowest other function of the slot without ACS; lack
 *			  of the device
 *   UNIT_PHYSICAL	  DMAR record; the physical function
 *   UNIT_REQUESTER	  DMAR record; the function it asks as
 *   UNIT_NAMESPACE	  DMAR record of the unit; that of the ANDD
 *   UNIT_GRAPHICS_OFF	  DMAR record whose unit stays off; the function whose
 *			  model is why, or NONE: an option
 *   GROUP_REACH	  the function without ACS, or the device itself; its
 *			  lack
 *   GROUP_JOINED	  the lowest other member
 *   GROUP_CLAIM	  the function that isolates; entry of the table, for
 *			  uiommu_plan_claim_text() and _model()
 *   GROUP_MODEL_ALIAS	  NONE; entry, for uiommu_plan_alias_text(), _model()
 *   GROUP_KEPT		  lowest other member that nothing relates it to
 *   GROUP_APART	  lowest device in force that it relates to; lowest of
 *			  another group, NONE: its own is another
 *   GROUP_LINUX	  lowest device that it could reach or that could reach
 *			  it, and that Linux puts into another group
 *   TYPE_REQUIRED	  a member that requires the type; the type
 *   TYPE_UNTRUSTED	  the member from outside; the type
 *   TYPE_OVERRIDE	  the member that was named; the type
 *   TYPE_BLOCKED	  the member that requires identity; the type required
 *   TYPE_CONFLICT	  the member that won; the type
 *   TYPE_REACH		  the member that does not; the type
 *   TYPE_BARRED	  the lowest member in force; the type it needs
 *   TYPE_BARRED_OWNED	  the lowest other member, or NONE; the type in force
 *   TYPE_BARRED_APART	  NONE; BLOCKED
 *   TYPE_HELD		  NONE; the type that a new start would choose
 *   TYPE_OWNED		  NONE; the type in force; only in a change, see change.h
 *   TYPE_OPTION, _BUILD, _OPT_IN, _ENCRYPTED  NONE; the type
 *   TYPE_NO_IDENTITY	  DMAR record of the unit; NONE
 *   TYPE_QUIRK, _QUIRK_UNTRUSTED  NONE; the type that the quirk asks for
 *   TYPE_REFUSED	  the member that was named; the type asked for
 *   TYPE_NOT_LAZY	  DMAR record of a unit with caching mode, or NONE; NONE
 *   TYPE_MASK		  NONE; bits of address that it has
 *   TYPE_NOT_LAZY_GRAPHICS  the host bridge whose model it is; NONE
 *   REGION_RMRR, _MSI, _ISA  DMAR record or NONE; index into regions
 *   REGION_IN_RAM, _IN_MSI   the same
 *   REGION_NOT_USER	  the member whose region it is; index into regions
 * Devices have the index of their function, so either serves as the other.
 * Devices that only ACPI knows come after them; they have no function.
 *
 * A device with a unit has one reason for it, at least one for its group, one
 * for its type (TYPE_OPTION to TYPE_BARRED_APART) and one for each region, and
 * those "besides" as they apply; one without a unit has UNIT_NONE,
 * UNIT_GRAPHICS_OFF, UNIT_OFF or UNIT_HELD alone.
 */

/* All arrays are in ascending order of what they index. */
struct uiommu_plan {
	struct uiommu_host *host; /* gave the memory */
	struct uiommu_plan_device
		*devices; /* functions first, in their order */
	uint32_t device_count;
	struct uiommu_plan_group *groups; /* by lowest member */
	uint32_t group_count;
	uint32_t *members; /* device indices, grouped */
	uint32_t member_count;
	struct uiommu_sid *aliases;
	uint32_t alias_count;
	struct uiommu_region *regions;
	uint32_t region_count;
	struct uiommu_region *group_regions;
	uint32_t group_region_count;
	uint64_t ram_last;	  /* of the ranges given; 0 if none was */
	bool off;		  /* remapping is not to be turned on at all */
	uint32_t *record_offsets; /* of the DMAR records, in the table */
	uint32_t record_count;
	struct uiommu_reason *reasons; /* by device */
	uint32_t reason_count;
	void *memory;	    /* all arrays are cut from it */
	size_t memory_size; /* bytes of it */
};

/**
 * uiommu_plan_make() - decide
 * @host: port instance, for memory only
 * @input: what is known; not needed any more after the call
 * @plan: where to store the plan; uiommu_plan_fini() frees it
 *
 * After an error @plan is untouched and nothing is allocated.
 *
 * Context: sleep (memory). Touches no hardware.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - @input has no topology, a table without units, or a type
 *     where that one cannot be asked for; or what is in force contradicts
 *     itself: two entries for one device, two types for one group, a unit
 *     and no group or a group and no unit, a unit that is not there, or
 *     remapping on for some and off for others
 *   UIOMMU_ENOMEM - no memory for the arrays, or a table and topology that
 *     would need more than 64 MiB
 */
UIOMMU_MUST_CHECK
int uiommu_plan_make(struct uiommu_host *host,
		     const struct uiommu_plan_input *input,
		     struct uiommu_plan *plan);

/**
 * uiommu_region_line() - a region as Linux prints it
 * @region: of a plan, of a device or of a group
 * @text: where to put at most @size bytes, NUL included
 * @size: bytes at @text; 64 holds every line
 *
 * "0x%016x 0x%016x type" and a newline, the last address included, as in
 * /sys/kernel/iommu_groups/N/reserved_regions.
 *
 * Context: any.
 *
 * Return: bytes of the whole line without NUL, even if cut.
 */
size_t uiommu_region_line(const struct uiommu_region *region, char *text,
			  size_t size);

/**
 * uiommu_plan_reasons() - all reasons of one device
 * @plan: a made plan
 * @device: index of the device
 * @first: where to store the first of them, NULL if there is no such device
 *
 * They follow each other, the unit's first, then the group's, the type's and
 * those of the regions, and are the plan's: valid until it is freed.
 *
 * Context: any.
 *
 * Return: how many there are.
 */
uint32_t uiommu_plan_reasons(const struct uiommu_plan *plan, uint32_t device,
			     const struct uiommu_reason **first);

/**
 * uiommu_plan_live() - what is in force once a plan is applied
 * @plan: a made plan
 * @topology: the one it was made from
 * @live: where to store one entry for each device; as many as @plan has fit
 * @count: where to store how many these are
 *
 * Entry i is that of device i, none of them owned. Those without a unit have
 * group UIOMMU_PLAN_NONE and no type. Devices that only ACPI knows are found
 * by their record; the requester id that firmware gives them may be another
 * one's, too.
 *
 * Context: any.
 */
void uiommu_plan_live(const struct uiommu_plan *plan,
		      const struct uiommu_topology *topology,
		      struct uiommu_plan_live *live, uint32_t *count);

/** uiommu_plan_fini() - free a plan's arrays; leaves it empty [sleep] */
void uiommu_plan_fini(struct uiommu_plan *plan);

/** uiommu_plan_claim_text() - what GROUP_CLAIM rests on; never NULL [any] */
const char *uiommu_plan_claim_text(uint32_t detail);

/** uiommu_plan_claim_model() - whom it is about, "Intel I350" [any] */
const char *uiommu_plan_claim_model(uint32_t detail);

/** uiommu_plan_alias_text() - what GROUP_MODEL_ALIAS rests on; never NULL [any] */
const char *uiommu_plan_alias_text(uint32_t detail);

/** uiommu_plan_alias_model() - whom it is about, "Marvell 88SE9xxx" [any] */
const char *uiommu_plan_alias_model(uint32_t detail);

/**
 * uiommu_reason_text() - say a reason in one plain sentence
 * @plan: a made plan
 * @topology: the one it was made from
 * @reason: one of its reasons
 * @text: where to put at most @size bytes, NUL included
 * @size: bytes at @text; 200 holds every reason
 *
 * Context: any.
 *
 * Return: bytes of the whole text without NUL, even if cut.
 */
size_t uiommu_reason_text(const struct uiommu_plan *plan,
			  const struct uiommu_topology *topology,
			  const struct uiommu_reason *reason, char *text,
			  size_t size);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_PLAN_H */
