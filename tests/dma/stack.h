/* SPDX-License-Identifier: MIT */
/*
 * The whole stack on the software VT-d, with units of many kinds, and a flat
 * oracle that says for each access of each device whether it must succeed.
 */
#ifndef TESTS_DMA_STACK_H
#define TESTS_DMA_STACK_H

#include <uiommu/dma.h>

#include "machine.h"
#include "random.h"

#define STACK_DEVICES 7u
#define STACK_GROUPS 5u
#define STACK_PAGES 64u	   /* single pages that devices may be lent */
#define STACK_BIG 1536u	   /* pages of one block, aligned to 8 MiB */
#define STACK_LIVE 48u	   /* mappings at a time */
#define STACK_PIECES 6u	   /* of one list */
#define STACK_GONE 32u	   /* addresses that were unmapped last */
#define STACK_WINDOW 2048u /* pages an unmanaged domain is used for */
#define STACK_WINDOW_AT 0x40000000ull
#define STACK_RESERVE 0x7d000000ull /* firmware's, for device 0 */
#define STACK_RESERVE_SIZE 0x4000ull

struct stack_kind {
	const char *name;
	void (*change)(struct machine *machine);
	bool no_passthrough;
	bool no_large;
};

extern const struct stack_kind stack_kinds[];
extern const unsigned int stack_kind_count;

enum stack_mode {
	STACK_DMA,
	STACK_IDENTITY,
	STACK_BLOCKED,
	STACK_UNMANAGED,
};

struct stack_piece {
	uint64_t first, last; /* addresses of whole pages */
	uint64_t paddr;	      /* of the first */
};

/* One mapping made by the DMA API. */
struct stack_mapping {
	bool live;
	unsigned int device;
	unsigned int prot;
	uint64_t iova; /* single and coherent */
	size_t size;
	void *cpu; /* coherent */
	struct uiommu_sg sg[STACK_PIECES];
	uint32_t count; /* lists; else 0 */
	struct stack_piece pieces[STACK_PIECES];
	unsigned int piece_count;
};

/* What an unmanaged domain translates, page by page. */
struct stack_page {
	uint64_t paddr;
	unsigned int prot; /* 0: nothing */
};

struct stack_group {
	struct uiommu_group *group;
	enum stack_mode mode;
	enum stack_mode home; /* DMA or IDENTITY: while nobody owns it */
	struct uiommu_domain *unmanaged;
	struct stack_page window[STACK_WINDOW];
};

struct stack {
	const struct stack_kind *kind;
	struct machine machine;
	struct random random;
	struct uiommu_device *devices[STACK_DEVICES];
	struct stack_group groups[STACK_GROUPS];
	uint64_t pages[STACK_PAGES];
	uint64_t big;
	void *reserve;
	struct stack_mapping mappings[STACK_LIVE];
	struct stack_piece gone[STACK_GONE];
	unsigned int gone_device[STACK_GONE];
	unsigned int gone_count;
	struct stack_piece beside; /* what is looked at while it changes */
	unsigned int beside_device;
	uint64_t accesses, refused;
};

/* Brings the machine up and gives it memory. */
void stack_up(struct stack *s, const struct stack_kind *kind);
/* Unmaps all, stops, and finds nothing left behind and nothing done wrong. */
void stack_down(struct stack *s);
/* One random step, with the looks that belong to it. */
void stack_step(struct stack *s);
/* Device accesses an address: as the oracle says, with the right bytes? */
void stack_access(struct stack *s, unsigned int device, uint64_t iova,
		  bool write);

#endif /* TESTS_DMA_STACK_H */
