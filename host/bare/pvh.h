/* SPDX-License-Identifier: MIT */
/* The start info of the PVH protocol: read at boot, written for a crash. */
#ifndef BARE_PVH_H
#define BARE_PVH_H

#include <stdint.h>

#define PVH_MAGIC 0x336ec578u
#define PVH_RAM 1u

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t module_list;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map; /* from version 1 */
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t paddr;
	uint64_t size;
	uint64_t command_line;
	uint64_t reserved;
};

struct pvh_memory {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

#endif /* BARE_PVH_H */
