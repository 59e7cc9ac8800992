/* SPDX-License-Identifier: MIT */
/* Reading a machine from /sys and /proc, or from a folder made like them. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "machine.h"

#define LIVE_PATH_SIZE 1024u
#define LIVE_NAME_SIZE 128u
#define LIVE_FILE_MOST ((size_t)16 << 20)
#define LIVE_NAMES_MOST 65536u

struct live {
	struct machine *machine;
	struct machine_error *error;
	const char *root;    /* "", or the folder that stands for / */
	bool table_refused;  /* there, but not for us to read */
	bool table_absent;   /* firmware has none */
	bool foreign;	     /* an IOMMU that is not VT-d */
	bool region_refused; /* of any group */
	bool type_missing;   /* of any group */
	uint32_t short_config, no_config;
};

/* The names in a folder, in order, numbers as numbers. */
struct live_names {
	char **names;
	uint32_t count;
};

/*
 * A regular file, bounded, with a 0 behind it; free() it. NULL: errno says
 * why. Paths are formats and begin with a slash; so for all below.
 */
char *live_load(const struct live *live, size_t *size, const char *fmt, ...)
	UIOMMU_PRINTF(3, 4);
/* A file's first line, cut and printable. False: errno says why. */
bool live_line(const struct live *live, char *to, size_t size, const char *fmt,
	       ...) UIOMMU_PRINTF(4, 5);
/* A file that holds one number in hexadecimal, with or without 0x. */
bool live_hex(const struct live *live, uint64_t *value, const char *fmt, ...)
	UIOMMU_PRINTF(3, 4);
/* Where a link leads. False: errno says why. */
bool live_link(const struct live *live, char *to, size_t size, const char *fmt,
	       ...) UIOMMU_PRINTF(4, 5);
/* -1: errno says why; then @names is empty. Always live_names_free() it. */
int live_names(const struct live *live, struct live_names *names,
	       const char *fmt, ...) UIOMMU_PRINTF(3, 4);
void live_names_free(struct live_names *names);
bool live_exists(const struct live *live, const char *path);

/* The last part of a path. */
const char *live_base(const char *path);
/* Did errno say that this is for root only? */
bool live_refused(void);

/* Parts: 0, or -1 with the reason. */
int live_functions(struct live *live);
int live_groups(struct live *live);
int live_units(struct live *live);
int live_memory(struct live *live);
int live_log(struct live *live);

#endif /* CLI_LIVE_H */
