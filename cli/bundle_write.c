// SPDX-License-Identifier: MIT
/* A machine into a bundle, docs/bundle.md: only what may leave the machine. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privacy.h"
#include "text.h"

#define NOTE_FILE_MOST 80u /* what text_fail() and others print of a name */

/* One line as it can be read back: it begins no section and is printable. */
static void write_line(FILE *to, const char *line)
{
	if (!strncmp(line, "==", 2))
		fputc(' ', to);
	for (; *line; line++)
		fputc(*line == '\t'		      ? ' '
		      : *line < 0x20 || *line >= 0x7f ? '?'
						      : *line,
		      to);
	fputc('\n', to);
}

static void write_bytes(FILE *to, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		fprintf(to, "%02x%s", bytes[i],
			i % 32 == 31 || i + 1 == size ? "\n" : "");
}

static void write_range(FILE *to, struct uiommu_range range)
{
	fprintf(to, "0x%llx 0x%llx", (unsigned long long)range.first,
		(unsigned long long)range.last);
}

static void write_name(FILE *to, const struct machine *machine,
		       const char *before, struct uiommu_sid sid)
{
	char name[MACHINE_SID_SIZE];

	machine_sid_text(machine, sid, name);
	fprintf(to, "%s %s\n", before, name);
}

static int write_cmdline(const struct machine *machine, FILE *to)
{
	char *left;

	if (!machine->cmdline)
		return 0;
	left = privacy_cmdline(machine->cmdline);
	if (!left)
		return -1;
	fputs("== cmdline\n", to);
	if (*left)
		write_line(to, left);
	free(left);
	return 0;
}

static void write_function(const struct machine *machine,
			   const struct machine_function *f, FILE *to)
{
	uint8_t config[MACHINE_CONFIG_SIZE];
	uint32_t size = f->size >= 4096	 ? 4096
			: f->size >= 256 ? 256
			: f->size >= 64	 ? 64
					 : 0;

	if (size) {
		memcpy(config, f->config, size);
		privacy_config(config, size);
		write_name(to, machine, "== config", f->sid);
		write_bytes(to, config, size);
	}
	if (size && !f->vendor && !f->class_code && !f->has_physfn &&
	    !f->has_requester && !f->external_facing && !f->untrusted &&
	    !f->driver[0])
		return;
	write_name(to, machine, "== function", f->sid);
	if (f->vendor)
		fprintf(to, "id %04x:%04x\n", f->vendor, f->device);
	if (f->class_code)
		fprintf(to, "class %06x\n", f->class_code);
	if (f->has_physfn)
		write_name(to, machine, "physfn", f->physfn);
	if (f->has_requester)
		write_name(to, machine, "requester", f->requester);
	if (f->external_facing)
		fputs("external_facing 1\n", to);
	if (f->untrusted)
		fputs("untrusted 1\n", to);
	if (f->driver[0]) {
		fputs("driver ", to);
		write_line(to, f->driver);
	}
}

static void write_group(const struct machine_group *g, FILE *to)
{
	fprintf(to, "== group %u\n", g->number);
	if (g->type[0]) {
		fputs("type ", to);
		write_line(to, g->type);
	}
	for (uint32_t i = 0; i < g->member_count; i++) {
		fputs("device ", to);
		write_line(to, g->members[i].name);
	}
	for (uint32_t i = 0; i < g->region_count; i++) {
		fputs("region ", to);
		write_range(to, g->regions[i].range);
		fputc(' ', to);
		write_line(to, g->regions[i].kind);
	}
}

static void write_memory(const struct machine *machine, FILE *to)
{
	const struct machine_bridge *last = NULL;

	if (machine->memory_count)
		fputs("== memory\n", to);
	for (uint32_t i = 0; i < machine->memory_count; i++) {
		write_range(to, machine->memory[i].range);
		fputc(' ', to);
		write_line(to, machine->memory[i].kind);
	}
	for (uint32_t i = 0; i < machine->bridge_count; i++) {
		const struct machine_bridge *b = &machine->bridges[i];

		if (!last || last->segment != b->segment || last->bus != b->bus)
			fprintf(to, "== bridge %04x:%02x\n",
				machine_domain(machine, b->segment), b->bus);
		write_range(to, b->window);
		fputc('\n', to);
		last = b;
	}
}

static void write_lines(const struct machine *machine, FILE *to)
{
	size_t file = machine->source ? strlen(machine->source) : 0;
	char line[1024];

	if (file > NOTE_FILE_MOST)
		file = NOTE_FILE_MOST;
	if (machine->log_count)
		fputs("== dmesg\n", to);
	for (uint32_t i = 0; i < machine->log_count; i++)
		if (privacy_log(machine->log[i], line, sizeof(line)))
			write_line(to, line);
	if (machine->note_count)
		fputs("== note\n", to);
	for (uint32_t i = 0; i < machine->note_count; i++) {
		/* One about a line of a file names a folder of somebody's. */
		if (file && !strncmp(machine->notes[i], machine->source, file))
			continue;
		write_line(to, machine->notes[i]);
	}
}

int machine_write_bundle(const struct machine *machine, FILE *to)
{
	fputs("uiommu-bundle 1\n", to);
	if (machine->kernel) {
		fputs("== kernel\n", to);
		write_line(to, machine->kernel);
	}
	if (write_cmdline(machine, to))
		return -1;
	if (machine->table) {
		fputs("== table DMAR\n", to);
		write_bytes(to, machine->table, machine->table_size);
	}
	for (uint32_t i = 0; i < machine->unit_count; i++) {
		const struct machine_unit *u = &machine->units[i];

		fprintf(to, "== unit %s\naddress 0x%llx\ncap 0x%llx\n", u->name,
			(unsigned long long)u->base,
			(unsigned long long)u->cap);
		fprintf(to, "ecap 0x%llx\n", (unsigned long long)u->ecap);
	}
	for (uint32_t i = 0; i < machine->function_count; i++)
		write_function(machine, &machine->functions[i], to);
	for (uint32_t i = 0; i < machine->group_count; i++)
		write_group(&machine->groups[i], to);
	write_memory(machine, to);
	write_lines(machine, to);
	return fflush(to) || ferror(to) ? -1 : 0;
}

static int capture_fail(const char *path, struct machine_error *error)
{
	machine_fail(error, "%s: %s", path, strerror(errno ? errno : EIO));
	return -1;
}

/* Writes and closes; only what has reached the disk counts. */
static int capture_to(const struct machine *machine, const char *path, int fd,
		      struct machine_error *error)
{
	FILE *to = fdopen(fd, "w");
	int err;

	if (!to) {
		close(fd);
		return capture_fail(path, error);
	}
	errno = 0;
	err = machine_write_bundle(machine, to);
	/* Not every kind of file can be synchronised. */
	if (!err && fsync(fd) && errno != EINVAL && errno != EROFS)
		err = -1;
	if (err)
		capture_fail(path, error);
	if (fclose(to) && !err)
		err = capture_fail(path, error);
	return err;
}

/* A file beside it first, so that a full disk leaves the old one alone. */
static int capture_file(const struct machine *machine, const char *path,
			struct machine_error *error)
{
	char beside[PATH_MAX];
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >=
	    (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return capture_fail(path, error);
	}
	fd = mkstemp(beside);
	if (fd < 0)
		return capture_fail(path, error);
	if (capture_to(machine, path, fd, error)) {
		unlink(beside);
		return -1;
	}
	if (chmod(beside, 0666 & ~mask) || rename(beside, path)) {
		capture_fail(path, error);
		unlink(beside);
		return -1;
	}
	return 0;
}

int machine_capture(const struct machine *machine, const char *path,
		    struct machine_error *error)
{
	struct stat is;
	int fd;

	if (!strcmp(path, "-")) {
		errno = 0;
		return machine_write_bundle(machine, stdout)
			       ? capture_fail("standard output", error)
			       : 0;
	}
	/* A device or a pipe is written to, never replaced by a file. */
	if (stat(path, &is) || S_ISREG(is.st_mode))
		return capture_file(machine, path, error);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return capture_fail(path, error);
	return capture_to(machine, path, fd, error);
}
