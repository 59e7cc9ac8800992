// SPDX-License-Identifier: MIT
/* What Linux made of this machine: groups, units, memory, its log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live.h"
#include "privacy.h"
#include "text.h"

#define LIVE_GROUPS "/sys/kernel/iommu_groups"
#define LIVE_CLASS "/sys/class/iommu"
#define LIVE_LOG_MOST ((size_t)16 << 20)
#define KLOG_READ_ALL 3 /* SYSLOG_ACTION_READ_ALL, syslog(2) */
#define KLOG_SIZE 10	/* SYSLOG_ACTION_SIZE_BUFFER */

static int live_regions(struct live *live, struct machine_group *group)
{
	struct text text;
	size_t size;
	char line[160];
	char *bytes = live_load(live, &size, LIVE_GROUPS "/%u/reserved_regions",
				group->number);
	int err = 0;

	if (!bytes) {
		live->region_refused |= live_refused();
		return 0;
	}
	text_init(&text, LIVE_GROUPS, bytes, size);
	while (!err && text_line(&text)) {
		struct uiommu_range range;
		const char *at = line;

		text_copy(&text, line, sizeof(line));
		if (!text_range(&at, &range)) {
			machine_note(live->machine,
				     LIVE_GROUPS "/%u/reserved_regions:%u: no "
						 "range; ignored",
				     group->number, text.line);
			continue;
		}
		text_blanks(&at);
		err = machine_group_region(group, range, at, live->error);
	}
	free(bytes);
	return err;
}

static int live_group(struct live *live, uint32_t number)
{
	struct machine_group *group = machine_group(live->machine, number,
						    live->error);
	struct live_names names;
	int err = 0;

	if (!group)
		return -1;
	if (!live_line(live, group->type, sizeof(group->type),
		       LIVE_GROUPS "/%u/type", number))
		live->type_missing = true;
	if (live_names(live, &names, LIVE_GROUPS "/%u/devices", number))
		machine_note(live->machine, LIVE_GROUPS "/%u/devices: %s",
			     number, strerror(errno));
	for (uint32_t i = 0; !err && i < names.count; i++) {
		char *c = names.names[i];

		for (; *c; c++) /* goes to terminals and into bundles */
			*c = *c < 0x20 || *c >= 0x7f ? '?' : *c;
		err = machine_group_device(group, names.names[i], live->error);
	}
	live_names_free(&names);
	return err ? err : live_regions(live, group);
}

int live_groups(struct live *live)
{
	struct live_names names;
	int err = 0;

	if (live_names(live, &names, LIVE_GROUPS))
		return 0; /* a kernel without IOMMU: live_iommu() says so */
	for (uint32_t i = 0; !err && i < names.count; i++) {
		const char *at = names.names[i];
		uint64_t number;

		if (!text_number(&at, &number) || *at || number > 0xffffffff)
			machine_note(live->machine,
				     LIVE_GROUPS ": an entry that is no number "
						 "is left out");
		else
			err = live_group(live, (uint32_t)number);
	}
	live_names_free(&names);
	if (live->type_missing)
		machine_note(live->machine,
			     "this kernel does not say of each group which "
			     "type of domain it has (Linux 5.11 and later do)");
	if (live->region_refused)
		machine_note(live->machine,
			     "the groups' reserved regions as Linux has them "
			     "may not be read: they cannot be compared; run "
			     "as root");
	return err;
}

static int live_unit(struct live *live, const char *name)
{
	struct machine_unit *unit;
	uint64_t base, cap, ecap;

	if (strncmp(name, "dmar", 4)) {
		if (!live->foreign)
			machine_note(live->machine,
				     "this machine has an IOMMU that is not "
				     "Intel VT-d (%.32s); only VT-d is "
				     "supported so far, so Linux's groups are "
				     "shown and not checked",
				     strncmp(name, "ivhd", 4) ? "not known"
							      : "AMD-Vi");
		live->foreign = true;
		return 0;
	}
	if (strlen(name) >= sizeof(unit->name) ||
	    !live_hex(live, &base, LIVE_CLASS "/%s/intel-iommu/address",
		      name) ||
	    !live_hex(live, &cap, LIVE_CLASS "/%s/intel-iommu/cap", name) ||
	    !live_hex(live, &ecap, LIVE_CLASS "/%s/intel-iommu/ecap", name)) {
		machine_note(live->machine,
			     "the registers of a unit below " LIVE_CLASS
			     " cannot be read: its capabilities are guessed");
		return 0;
	}
	unit = machine_unit(live->machine, name, live->error);
	if (!unit)
		return -1;
	unit->base = base;
	unit->cap = cap;
	unit->ecap = ecap;
	return 0;
}

int live_units(struct live *live)
{
	struct live_names names;
	int err = 0;

	if (live_names(live, &names, LIVE_CLASS))
		return 0;
	for (uint32_t i = 0; !err && i < names.count; i++)
		err = live_unit(live, names.names[i]);
	live_names_free(&names);
	return err;
}

/* "PCI Bus 0000:00" */
static bool live_root_bus(const char *kind, uint32_t *domain, uint8_t *bus)
{
	uint64_t high, low;

	if (strncmp(kind, "PCI Bus ", 8))
		return false;
	kind += 8;
	if (!text_hex(&kind, 8, &high) || *kind++ != ':' ||
	    !text_hex(&kind, 2, &low) || *kind)
		return false;
	*domain = (uint32_t)high;
	*bus = (uint8_t)low;
	return true;
}

/* Only the outer ranges: what is inside one is part of it, and indented. */
static int live_iomem_line(struct live *live, const char *at, bool *zero)
{
	static const char *const kinds[] = { "System RAM", "Reserved",
					     "ACPI Tables",
					     "ACPI Non-volatile Storage" };
	struct uiommu_range range;
	uint16_t segment;
	uint32_t domain;
	uint8_t bus;

	if (!text_hex(&at, 16, &range.first) || *at++ != '-' ||
	    !text_hex(&at, 16, &range.last) || range.last < range.first ||
	    strncmp(at, " : ", 3))
		return 0;
	at += 3;
	if (!range.last)
		return 0;
	*zero = false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(at, kinds[i]))
			return machine_add_memory(live->machine, range, at,
						  live->error);
	if (!live_root_bus(at, &domain, &bus))
		return 0;
	if (machine_segment(live->machine, domain, &segment, live->error))
		return -1;
	return machine_add_bridge(live->machine, segment, bus, range,
				  live->error);
}

int live_memory(struct live *live)
{
	struct text text;
	size_t size;
	char line[160];
	char *bytes = live_load(live, &size, "/proc/iomem");
	bool zero = true;
	int err = 0;

	if (bytes) {
		text_init(&text, "/proc/iomem", bytes, size);
		while (!err && text_line(&text)) {
			text_copy(&text, line, sizeof(line));
			err = live_iomem_line(live, line, &zero);
		}
		free(bytes);
	}
	if (!err && zero)
		machine_note(live->machine,
			     "/proc/iomem does not show its addresses: where "
			     "RAM is and what the host bridges pass on is not "
			     "known, so reserved regions are not checked "
			     "against them; run as root");
	return err;
}

/* "6,339,5140900,-;text", or "<6>[    5.14] text" of older interfaces */
static const char *live_record(const char *line)
{
	const char *at = line + (*line == '<');
	uint64_t priority;

	/* Facility 0 is the kernel; others are programs that log there. */
	if (!text_number(&at, &priority) || priority > 7)
		return NULL;
	if (*line == '<')
		return *at == '>' ? at + 1 : NULL;
	at = strchr(at, ';');
	return at ? at + 1 : NULL;
}

static int live_log_lines(struct live *live, const char *bytes, size_t size)
{
	static const char *const words[] = { "DMAR", "iommu", "IOMMU",
					     "AMD-Vi" };
	struct text text;
	char line[1024], kept[1024];

	text_init(&text, "log", bytes, size);
	while (text_line(&text)) {
		const char *at;
		bool wanted = false;

		text_copy(&text, line, sizeof(line));
		at = live_record(line);
		if (!at)
			continue;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			wanted |= strstr(at, words[i]) != NULL;
		if (!wanted || !privacy_log(at, kept, sizeof(kept)))
			continue;
		if (live->machine->log_count == MACHINE_LINES_MOST) {
			machine_note(live->machine,
				     "the kernel's log has more than %u lines "
				     "about IOMMUs; the rest is left out",
				     MACHINE_LINES_MOST);
			return 0;
		}
		if (machine_add_log(live->machine, kept, live->error))
			return -1;
	}
	return 0;
}

/* /dev/kmsg gives a record for each read. NULL: errno says why. */
static char *live_kmsg(size_t *size)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t room = 1 << 16, used = 0;
	char *bytes, *more;
	ssize_t got;

	if (fd < 0)
		return NULL;
	bytes = malloc(room);
	while (bytes && used < LIVE_LOG_MOST) {
		got = read(fd, bytes + used, room - used);
		/* EPIPE: the record was overwritten; EINVAL: it is too long */
		if (got < 0 && errno != EPIPE && errno != EINTR)
			break;
		used += got > 0 ? (size_t)got : 0;
		if (!got)
			break;
		if (room - used > 16384)
			continue;
		more = realloc(bytes, room *= 2);
		if (!more)
			free(bytes);
		bytes = more;
	}
	close(fd);
	*size = used;
	return bytes;
}

static char *live_klog(size_t *size)
{
	int room = klogctl(KLOG_SIZE, NULL, 0);
	char *bytes = room > 0 ? malloc((size_t)room) : NULL;
	int got = bytes ? klogctl(KLOG_READ_ALL, bytes, room) : -1;

	if (got < 0) {
		free(bytes);
		return NULL;
	}
	*size = (size_t)got;
	return bytes;
}

int live_log(struct live *live)
{
	size_t size = 0;
	char *bytes;
	int err;

	if (live->root[0])
		bytes = live_load(live, &size, "/dev/kmsg");
	else
		bytes = live_kmsg(&size);
	if (!bytes && !live->root[0])
		bytes = live_klog(&size);
	if (!bytes) {
		machine_note(live->machine,
			     "the kernel's log cannot be read: what Linux said "
			     "about IOMMUs when it started, and faults since, "
			     "are not known; run as root");
		return 0;
	}
	err = live_log_lines(live, bytes, size);
	free(bytes);
	return err;
}
