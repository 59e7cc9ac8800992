/* SPDX-License-Identifier: MIT */
/*
 * A machine as the command knows it: what firmware and configuration space
 * say, and what Linux made of it, wherever that was read from. A source fills
 * in the first part of struct machine, machine_prepare() derives the second.
 */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <uiommu/dmar.h>
#include <uiommu/pci.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MACHINE_CONFIG_SIZE 4096u
/* Bounds of what a file may hold, far above any machine. */
#define MACHINE_FUNCTIONS_MOST 16384u
#define MACHINE_GROUPS_MOST 16384u
#define MACHINE_UNITS_MOST 1024u
#define MACHINE_RANGES_MOST 4096u
#define MACHINE_LINES_MOST 4096u
#define MACHINE_DOMAINS_MOST 64u
#define MACHINE_SID_SIZE 24u /* a PCI address in words, and its end */

/* What went wrong, in words for a person: where, what, what to do. */
struct machine_error {
	char text[512];
};

void machine_fail(struct machine_error *error, const char *fmt, ...)
	UIOMMU_PRINTF(2, 3);

/* One function's configuration space, and what it does not tell. */
struct machine_function {
	struct uiommu_sid sid;
	uint32_t domain; /* Linux's number of the segment */
	uint32_t size;	 /* bytes known: 0, 64, 256 or 4096 */
	uint8_t *config;
	/* Of one that does not say who it is, virtual or off; else 0. */
	uint16_t vendor, device;
	uint32_t class_code; /* the same; 24 bits */
	bool silent;	     /* by prepare: reads as all ones, yet is there */
	bool several;	     /* by prepare, of a silent one: shares its slot */
	bool has_physfn;
	struct uiommu_sid physfn;
	bool has_requester; /* asks as another, as behind a VMD */
	struct uiommu_sid requester;
	bool external_facing;
	bool untrusted;
	char driver[32];
};

struct machine_range {
	struct uiommu_range range;
	char kind[32];
};

struct machine_member {
	char name[32]; /* as Linux writes it */
	bool pci;      /* false: a platform device; sid means nothing */
	struct uiommu_sid sid;
};

/* A group as Linux made it. */
struct machine_group {
	uint32_t number;
	char type[24]; /* empty if not known */
	struct machine_member *members;
	uint32_t member_count;
	struct machine_range *regions;
	uint32_t region_count;
};

/* A unit's registers, as Linux shows them. */
struct machine_unit {
	char name[16];
	uint64_t base, cap, ecap;
};

/* Windows of a host bridge into the processor's address space. */
struct machine_bridge {
	uint16_t segment;
	uint8_t bus;
	struct uiommu_range window;
};

/* A domain above 0xffff, and the segment that stands for it. */
struct machine_domain {
	uint32_t domain;
	uint16_t segment;
};

struct demo_live;

struct uiommu_host {
	struct machine *machine;
	struct demo_live *live; /* there is hardware: that of uiommu demo */
	/* Set with it; without, pages are for a plan and nothing is written. */
	void *(*page_alloc)(struct demo_live *live, size_t size,
			    uint64_t *paddr);
	void (*page_free)(struct demo_live *live, void *page, size_t size);
	void (*log)(struct demo_live *live, const char *line);
};

struct machine {
	/* --- by the source --- */
	char *source; /* "this machine", or a file's name */
	char *cmdline;
	char *kernel;
	uint8_t *table; /* the DMAR, or NULL */
	size_t table_size;
	bool supposed_table; /* nobody gave it: one unit for all */
	struct machine_function *functions; /* sorted by prepare */
	uint32_t function_count, function_room;
	struct machine_domain domains[MACHINE_DOMAINS_MOST];
	uint32_t domain_count;
	struct machine_group *groups;
	uint32_t group_count, group_room;
	struct machine_unit *units;
	uint32_t unit_count, unit_room;
	struct machine_range *memory;
	uint32_t memory_count, memory_room;
	struct machine_bridge *bridges;
	uint32_t bridge_count, bridge_room;
	char **log; /* lines of the kernel about DMAR and iommu */
	uint32_t log_count, log_room;
	char **notes; /* what is missing or odd, for a person */
	uint32_t note_count, note_room;

	/* --- by machine_prepare() --- */
	struct uiommu_host host;
	struct uiommu_topology topology;
	struct uiommu_dmar dmar; /* valid if dmar_error is 0 and table set */
	void *dmar_memory;
	int dmar_error;
	/* Functions whose Access Control Services, if any, are not in view. */
	uint32_t partial_count;
};

/** machine_init() - an empty machine; machine_fini() after any use */
void machine_init(struct machine *machine);
void machine_fini(struct machine *machine);

/*
 * What a source calls. Each copies what it is given. 0, or -1: too many of
 * them or no memory; the reason is in @error.
 */
int machine_set(char **field, const char *text, struct machine_error *error);
int machine_note(struct machine *machine, const char *fmt, ...)
	UIOMMU_PRINTF(2, 3);
int machine_add_log(struct machine *machine, const char *line,
		    struct machine_error *error);
int machine_add_memory(struct machine *machine, struct uiommu_range range,
		       const char *kind, struct machine_error *error);
int machine_add_bridge(struct machine *machine, uint16_t segment, uint8_t bus,
		       struct uiommu_range window, struct machine_error *error);
int machine_set_table(struct machine *machine, const void *bytes, size_t size,
		      struct machine_error *error);

/* The function, the group or the unit so named; made if there is none. */
struct machine_function *machine_function(struct machine *machine,
					  struct uiommu_sid sid,
					  struct machine_error *error);
struct machine_group *machine_group(struct machine *machine, uint32_t number,
				    struct machine_error *error);
struct machine_unit *machine_unit(struct machine *machine, const char *name,
				  struct machine_error *error);
int machine_set_config(struct machine_function *function, const void *bytes,
		       uint32_t size, struct machine_error *error);
int machine_group_device(struct machine_group *group, const char *name,
			 struct machine_error *error);
int machine_group_region(struct machine_group *group, struct uiommu_range range,
			 const char *type, struct machine_error *error);

/**
 * machine_prepare() - read the table and scan the topology
 * @machine: filled by a source
 * @error: why not
 *
 * A table that cannot be used is no failure: dmar_error says so and the
 * findings why.
 *
 * Return: 0, or -1.
 */
int machine_prepare(struct machine *machine, struct machine_error *error);

/* Its part that reads the table. */
int machine_read_table(struct machine *machine, struct machine_error *error);

/* The unit's registers, by their address; NULL if not known. */
const struct machine_unit *machine_unit_at(const struct machine *machine,
					   uint64_t base);

/* Linux's group of a function; NULL if not known. */
const struct machine_group *machine_group_of(const struct machine *machine,
					     struct uiommu_sid sid);

const struct machine_function *machine_find(const struct machine *machine,
					    struct uiommu_sid sid);

/* --- Sources: 0, or -1 with the reason; then call machine_fini() --- */

/* A bundle, docs/bundle.md; "-" is standard input. */
int machine_read_bundle(struct machine *machine, const char *path,
			struct machine_error *error);
/* The same from memory; @name is for messages. */
int machine_parse_bundle(struct machine *machine, const char *name,
			 const char *text, size_t size,
			 struct machine_error *error);

/* --- Domains, cli/domain.c --- */

/* Linux's number of a segment: itself, or a domain above 0xffff. */
uint32_t machine_domain(const struct machine *machine, uint16_t segment);
/*
 * The segment of a domain; a domain above 0xffff gets one that nothing uses.
 * 0, or -1 with the reason.
 */
int machine_segment(struct machine *machine, uint32_t domain, uint16_t *segment,
		    struct machine_error *error);
/* A whole string as a PCI address, 10000:e1:00.0 included. 0, or -1. */
int machine_sid(struct machine *machine, const char *text,
		struct uiommu_sid *sid, struct machine_error *error);
/* As Linux writes it: 0000:00:1f.2, 10000:e1:00.0 */
void machine_sid_text(const struct machine *machine, struct uiommu_sid sid,
		      char text[MACHINE_SID_SIZE]);
/* For machine_prepare(): members of groups in domains above 0xffff. */
void machine_name_members(struct machine *machine);

/* --- The machine that this runs on, and what becomes of it --- */

/**
 * machine_read_live() - read the machine that this runs on
 * @machine: initialised
 * @root: "", or a folder that holds sys, proc and dev as if it were the root
 * @error: why not
 *
 * What only root may read is left out, with a note.
 *
 * Return: 0, or -1; then call machine_fini().
 */
int machine_read_live(struct machine *machine, const char *root,
		      struct machine_error *error);

/**
 * machine_write_bundle() - write a machine as docs/bundle.md says
 * @machine: filled by a source
 * @to: written to and flushed, not closed
 *
 * Leaves out what identifies the machine or its user: cli/privacy.h.
 *
 * Return: 0, or -1: not all was written, errno says why.
 */
int machine_write_bundle(const struct machine *machine, FILE *to);

/**
 * machine_capture() - the same into a file
 * @machine: filled by a source
 * @path: replaced, if it is there, when all is written; "-": standard output
 * @error: why not
 *
 * Return: 0, or -1: a file of that name is as it was.
 */
int machine_capture(const struct machine *machine, const char *path,
		    struct machine_error *error);

/* --- More sources, docs/sources.md --- */

/* What lspci printed, with -xxxx best. */
int machine_read_lspci(struct machine *machine, const char *path,
		       struct machine_error *error);
int machine_parse_lspci(struct machine *machine, const char *name,
			const char *text, size_t size,
			struct machine_error *error);

/* The DMAR alone: as it is in memory, or as text of acpidump, xxd, hexdump. */
int machine_load_dmar(struct machine *machine, const char *path,
		      struct machine_error *error);
int machine_parse_dmar(struct machine *machine, const char *name,
		       const char *bytes, size_t size,
		       struct machine_error *error);

/* Is its header all ones? Then it is off or hung; or never was there. */
bool machine_all_ones(const uint8_t *config, uint32_t size);

/* The end of machine_prepare(): who asks as whom, and what is not in view. */
void machine_finish(struct machine *machine);

#endif /* CLI_MACHINE_H */
