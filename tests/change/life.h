/* SPDX-License-Identifier: MIT */
/*
 * A machine whose devices come and go, are claimed, reset and moved while they
 * work, and a flat oracle of what each reaches.
 */
#ifndef TESTS_CHANGE_LIFE_H
#define TESTS_CHANGE_LIFE_H

#include <uiommu/dma.h>

#include "machine.h"
#include "random.h"

#define LIFE_DEVICES 9u
#define LIFE_GROUPS 6u
#define LIFE_BRIDGED 3u /* the group behind a bridge */
#define LIFE_OPS 15u
#define LIFE_PAGES 32u		  /* of memory to lend */
#define LIFE_MAPS 4u		  /* at a time, of each device */
#define LIFE_WINDOW 0x40000000ull /* where owners' domains translate */
#define LIFE_RESERVE 0x7d000000ull
#define LIFE_RESERVE_SIZE 0x4000ull

/* Where an access of a device ends. */
enum life_end {
	LIFE_REFUSED,
	LIFE_MEMORY,
	LIFE_SUNK, /* answered, and in nobody's memory */
	LIFE_OPEN, /* any address is memory's */
};

struct life_map {
	bool live;
	uint64_t iova, paddr;
	unsigned int prot;
};

struct life_device {
	bool there;
	bool barred; /* it came while its group was claimed */
	bool resetting;
	bool sunk; /* rather than blocked, when it is refused for itself */
	unsigned int uses;
	uint64_t mask;
	struct life_map maps[LIFE_MAPS];
};

struct life_group {
	bool owned;
	bool sink;
	int attached; /* which of the domains; -1: none */
	enum uiommu_domain_type type;
	struct uiommu_domain *domains[2]; /* while it is owned */
};

struct life {
	struct machine machine;
	struct random random;
	struct life_device devices[LIFE_DEVICES];
	struct life_group groups[LIFE_GROUPS];
	uint64_t pages[LIFE_PAGES];
	uint64_t shared; /* what both domains of an owner translate to */
	void *reserve[2];
	bool allow_pause;
	unsigned int op; /* the one under way, for who looks for a failure */
	bool failing;	 /* some call of the host's may fail */
	uint64_t failed;
	/* What goes on beside each operation: */
	bool kept[2];		  /* firmware's devices are there */
	unsigned int beside;	  /* this device... */
	uint64_t beside_address;  /* ...asks for this */
	enum life_end beside_end; /* of that, before */
	uint64_t beside_paddr;
	bool beside_reached, beside_refused;
	uint64_t kept_tried, beside_tried, accesses;
	uint64_t done[LIFE_OPS]; /* operations that succeeded, of each kind */
};

struct life_who {
	struct uiommu_sid sid;
	unsigned int group;
	int reserve; /* firmware's region, or -1 */
	bool plugs;  /* it may go */
	bool on_bus; /* behind the port that may go */
};

extern const struct life_who life_who[LIFE_DEVICES];

void life_up(struct life *s, void (*kind)(struct user_config *config));
void life_down(struct life *s);
void life_step(struct life *s);

/* life_look.c: the oracle; *@paddr is of memory. */
enum life_end life_end(struct life *s, unsigned int device, uint64_t address,
		       unsigned int prot, uint64_t *paddr);
/* Does each device reach what it may, and nothing else? */
void life_look(struct life *s);
void life_beside_begin(struct life *s);
void life_beside_end(struct life *s);
/* host->on_mmio */
void life_beside(struct uiommu_host *host, void *context);

#endif /* TESTS_CHANGE_LIFE_H */
