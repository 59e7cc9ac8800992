/* SPDX-License-Identifier: MIT */
/*
 * A host in user space: uIOMMU on a made-up machine. Memory and units are the
 * software VT-d's (model/), PCI configuration space comes from a small table,
 * time passes when somebody looks at the clock. What a port must not do is
 * checked: a wrong call aborts with a line that says why.
 */
#ifndef USER_USER_H
#define USER_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <pthread.h>

#include <uiommu/fault.h>
#include <uiommu/host.h>
#include <uiommu/uiommu.h>

#include "vtdm.h"
#include "vtdm_mem.h"

#define USER_UNITS 4u
#define USER_EVENTS 64u
#define USER_LINES 128u

/* One function of configuration space. */
struct user_function {
	struct uiommu_sid sid;
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code;
	uint8_t header_type; /* without bit 7 */
	uint8_t pcie_type;   /* enum uiommu_pcie_type */
	uint8_t secondary;   /* bridges */
	uint8_t subordinate;
	bool multifunction;
	uint16_t acs; /* UIOMMU_ACS_* it can do; 0: no such capability */
	bool ats;
	unsigned int unit; /* that its requests pass through */
};

struct user_unit_config {
	uint64_t base; /* physical address of its registers */
	/* It sees what the CPU wrote, however late others of the machine do. */
	bool snoops;
	struct vtdm_config model;
};

/* The machine; tables must stay as long as the host. */
struct user_config {
	const struct user_function *functions;
	unsigned int function_count;
	struct user_unit_config units[USER_UNITS];
	unsigned int unit_count;
	struct vtdm_mem_config memory;
};

struct user_space; /* configuration space of one function */

struct uiommu_host {
	pthread_mutex_t mutex; /* all below but what create set */
	struct user_config config;
	struct vtdm_mem *mem;
	struct vtdm *units[USER_UNITS];
	struct user_space *spaces;
	uint64_t now;
	uint64_t low_next; /* where to look for low pages */

	/* What the core holds now. */
	size_t pages;
	size_t windows;
	size_t locks;

	/* Calls that can fail: memory, windows, locks, copies. */
	uint64_t calls;
	uint64_t fail_first; /* the calls that do fail, counted alike */
	uint64_t fail_last;
	bool atomic_fails; /* all with UIOMMU_ALLOC_ATOMIC fail */
	bool no_store128;  /* a CPU that cannot store 16 bytes at once */

	struct uiommu_event events[USER_EVENTS]; /* the last ones */
	uint64_t event_count;
	char lines[USER_LINES][256]; /* the last ones of the log */
	uint64_t line_count;
	uint64_t config_writes;
	/* Called before each register access; for what goes on beside. */
	void (*on_mmio)(struct uiommu_host *host, void *context);
	void *on_mmio_context;
	/* Called on the way into the model, and back out of it; may be NULL. */
	void (*on_model)(bool enter);
	/* What drivers do when told; none refuses to pause. */
	bool (*on_pause)(struct uiommu_host *host,
			 struct uiommu_device *device);
	void (*on_resume)(struct uiommu_host *host,
			  struct uiommu_device *device);
	uint64_t pauses; /* times that was asked */
	uint64_t resumes;
	FILE *log; /* also print there what is INFO or louder; may be NULL */
};

/** user_config_default() - one capable unit at 0xfed90000, no function */
void user_config_default(struct user_config *config);
/** user_host_create() - build the machine; aborts if it cannot */
struct uiommu_host *user_host_create(const struct user_config *config);
/** user_host_destroy() - take it down; aborts if the core holds anything */
void user_host_destroy(struct uiommu_host *host);

/* The @nth call from now that can fail does: 1 is the next, 0 none. */
void user_fail_at(struct uiommu_host *host, uint64_t nth);
/* That one and all after it. */
void user_fail_from(struct uiommu_host *host, uint64_t nth);

/* Let time pass, for the clock and for the units. */
void user_tick(struct uiommu_host *host, uint64_t ns);

/* A device's access, through the unit of the function with that sid. */
enum vtdm_result user_dma(struct uiommu_host *host, struct uiommu_sid sid,
			  uint64_t address, bool write, void *buffer,
			  size_t size);
struct vtdm *user_unit_of(struct uiommu_host *host, struct uiommu_sid sid);
/* What units and memory found wrong with the software; prints each. */
size_t user_violations(struct uiommu_host *host);

/* Is @text in one of the last lines of the log? */
bool user_logged(struct uiommu_host *host, const char *text);
/* The last event of a kind, or NULL. */
const struct uiommu_event *user_event(struct uiommu_host *host,
				      enum uiommu_event_kind kind);

/* A function comes or goes; all are there at first. */
void user_plug(struct uiommu_host *host, struct uiommu_sid sid, bool there);
/* Another device stands where one was. */
void user_swap(struct uiommu_host *host, struct uiommu_sid sid,
	       uint16_t device);

/* user_pci.c */
struct user_space *user_pci_create(const struct user_config *config);

/* --- user_dmar.c: a firmware table --- */

struct user_dmar {
	uint8_t bytes[4096];
	size_t size;
	size_t record; /* the one being added to */
};

/* @width: bits of DMA addresses */
void user_dmar_begin(struct user_dmar *dmar, unsigned int width);
void user_dmar_unit(struct user_dmar *dmar, uint16_t segment, uint64_t base,
		    bool all);
void user_dmar_reserve(struct user_dmar *dmar, uint16_t segment, uint64_t first,
		       uint64_t last);
/* A scope of the record before: an endpoint on a root bus, or a bridge. */
void user_dmar_scope(struct user_dmar *dmar, enum uiommu_scope_type type,
		     struct uiommu_sid sid);
/* Sets length and checksum. */
void user_dmar_end(struct user_dmar *dmar);

#endif /* USER_USER_H */
