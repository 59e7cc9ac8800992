/* SPDX-License-Identifier: MIT */
/* What is put in memory by a program of Linux (load.c), for the images. */
#ifndef HANDOVER_START_H
#define HANDOVER_START_H

#include "../pvh.h"

#define START_MAP 32u
#define START_ADDRESS UINT64_C(0x10010000) /* behind peek, before the kernel */
/* Where 64-bit code comes into the kernel, behind its entry: boot.S. */
#define START_ENTRY_64 0x100u

struct start_page {
	struct pvh_start_info info;
	uint64_t entry; /* of the kernel, after peek */
	struct pvh_memory map[START_MAP];
	char command_line[512];
};

#endif /* HANDOVER_START_H */
