/* SPDX-License-Identifier: MIT */
/*
 * What may leave a machine. A bundle is posted for everybody to read, so it
 * holds no serial number, no network address, and of the command line only
 * what has to do with an IOMMU. Each of these changes nothing the second time.
 */
#ifndef CLI_PRIVACY_H
#define CLI_PRIVACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Clears what identifies one device among its like. @size: 0, 64, 256, 4096 */
void privacy_config(uint8_t *config, uint32_t size);

/* What is left of a command line; free() it. NULL: out of memory. */
char *privacy_cmdline(const char *cmdline);

/* What is left of a line of the kernel's log; false: nothing. */
bool privacy_log(const char *line, char *to, size_t size);

#endif /* CLI_PRIVACY_H */
