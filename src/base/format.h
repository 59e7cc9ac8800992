/* SPDX-License-Identifier: MIT */
/* Text without libc: a small printf for log lines, findings and reasons. */
#ifndef UIOMMU_BASE_FORMAT_H
#define UIOMMU_BASE_FORMAT_H

#include <uiommu/host.h>
#include <uiommu/types.h>

/*
 * Understands %% %c %s %d %u %x with an optional '0' and width, and the
 * lengths l and ll. Anything else is printed as it stands. Writes at most
 * @size bytes, NUL included (nothing if @size is 0), and returns the bytes of
 * the whole text without NUL.
 */
size_t uiommu_vformat(char *text, size_t size, const char *fmt, va_list args);
size_t uiommu_format(char *text, size_t size, const char *fmt, ...)
	UIOMMU_PRINTF(3, 4);

/* One line to the host; cut at 255 bytes. */
void uiommu_log(struct uiommu_host *host, enum uiommu_log_level level,
		const char *fmt, ...) UIOMMU_PRINTF(3, 4);

/* A requester as "0000:00:1f.2": arguments for UIOMMU_SID_FMT. */
#define UIOMMU_SID_FMT "%04x:%02x:%02x.%u"
#define UIOMMU_SID_ARGS(sid)                                                   \
	(unsigned int)(sid).segment, UIOMMU_SID_BUS(sid), UIOMMU_SID_DEV(sid), \
		UIOMMU_SID_FN(sid)

#endif /* UIOMMU_BASE_FORMAT_H */
