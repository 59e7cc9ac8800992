// SPDX-License-Identifier: MIT
/*
 * Runs in Linux: gives images to the kernel, which is to jump there when it
 * crashes, or is told to go, and has it do so:
 *
 *     load crash|kexec PEEK KERNEL [OPTION...]
 *
 * Both are ELF files for physical addresses, those of the memory that
 * "crashkernel=" keeps. The CPU arrives in the first; the second is told what
 * the PVH protocol tells, and that the crash kernel's memory is all it has.
 */
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "start.h"

/* Of <linux/kexec.h>, the kernel's interface. */
#define KEXEC_ON_CRASH 1ul
#define KEXEC_ARCH_X86_64 (62ul << 16)
/* Of <linux/reboot.h>: go to the image that was loaded. */
#define REBOOT_KEXEC 0x45584543

#define BIOS 0xe0000 /* to 1 MiB: where ACPI's root pointer is */
#define BIOS_SIZE 0x20000u
#define PAGE 4096ul
#define MAX_SEGMENTS 16u

struct segment {
	const void *data;
	size_t data_size;
	uint64_t first; /* in physical memory, whole pages */
	size_t size;
};

struct load {
	struct segment segments[MAX_SEGMENTS];
	unsigned int count;
};

static struct start_page page;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void wrong(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static char *read_file(const char *name, size_t *size)
{
	struct stat st;
	char *data;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		fail(name);
	data = malloc((size_t)st.st_size);
	if (!data || read(fd, data, (size_t)st.st_size) != st.st_size)
		fail(name);
	close(fd);
	*size = (size_t)st.st_size;
	return data;
}

/* The ELF file's parts that are to be in memory; where it begins. */
static uint64_t read_image(const char *name, struct load *l)
{
	size_t size;
	const char *data = read_file(name, &size);
	const Elf64_Ehdr *e = (const void *)data;
	const Elf64_Phdr *p = (const void *)(data + e->e_phoff);

	if (size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_machine != EM_X86_64 ||
	    e->e_phoff + e->e_phnum * sizeof(*p) > size)
		wrong("the image is no ELF file for this machine");
	for (unsigned int i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !p[i].p_memsz)
			continue;
		if (l->count == MAX_SEGMENTS - 1 || p[i].p_paddr % PAGE ||
		    p[i].p_offset + p[i].p_filesz > size)
			wrong("the image's parts are odd");
		l->segments[l->count++] = (struct segment){
			data + p[i].p_offset, p[i].p_filesz, p[i].p_paddr,
			(p[i].p_memsz + PAGE - 1) & ~(PAGE - 1)
		};
	}
	return e->e_entry;
}

/* RAM as Linux has it, and the part of it that it keeps away from itself. */
static void read_memory(uint64_t *first, uint64_t *last)
{
	FILE *f = fopen("/proc/iomem", "r");
	uint32_t *count = &page.info.memory_map_entries;
	unsigned long from, to;
	char line[128];
	int at;

	if (!f)
		fail("iomem");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx : %n", &from, &to, &at) != 2)
			continue;
		if (!strcmp(line + at, "Crash kernel\n")) {
			*first = from;
			*last = to;
		}
		if (strcmp(line + at, "System RAM\n") != 0 ||
		    *count == START_MAP)
			continue;
		page.map[(*count)++] = (struct pvh_memory){ from, to - from + 1,
							    PVH_RAM, 0 };
	}
	fclose(f);
}

static uint64_t find_acpi(void)
{
	static char bios[BIOS_SIZE];
	int fd = open("/dev/mem", O_RDONLY);

	if (fd < 0 || pread(fd, bios, BIOS_SIZE, BIOS) != BIOS_SIZE)
		fail("/dev/mem");
	close(fd);
	for (uint32_t at = 0; at < BIOS_SIZE; at += 16)
		if (!memcmp(bios + at, "RSD PTR ", 8))
			return BIOS + at;
	return 0;
}

/* What a kernel is told that is started by the PVH protocol. */
static void write_start(char **options, uint64_t kernel)
{
	uint64_t first = 0, last = 0;
	size_t used;

	page.info.rsdp = find_acpi();
	read_memory(&first, &last);
	if (!page.info.rsdp || first > START_ADDRESS || last <= kernel)
		wrong("no ACPI, or no memory for the kernel");
	used = (size_t)snprintf(page.command_line, sizeof(page.command_line),
				"within=0x%lx-0x%lx", kernel & ~(PAGE - 1),
				last);
	for (; *options && used < sizeof(page.command_line); options++)
		used += (size_t)snprintf(page.command_line + used,
					 sizeof(page.command_line) - used,
					 " %s", *options);
	page.info.magic = PVH_MAGIC;
	page.info.version = 1;
	page.info.command_line = START_ADDRESS +
				 offsetof(struct start_page, command_line);
	page.info.memory_map = START_ADDRESS + offsetof(struct start_page, map);
	page.entry = kernel + START_ENTRY_64;
}

/* Linux shuts its devices down before, as for a reboot. */
static void leave(void)
{
	if (reboot(REBOOT_KEXEC))
		fail("reboot");
}

static void crash(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, "c", 1) != 1)
		fail("sysrq-trigger");
}

int main(int argc, char **argv)
{
	struct load l = { .count = 0 };
	unsigned long flags = KEXEC_ARCH_X86_64;
	uint64_t entry;

	if (argc < 4)
		wrong("wants crash|kexec PEEK KERNEL [OPTION...]");
	if (!strcmp(argv[1], "crash"))
		flags |= KEXEC_ON_CRASH;
	entry = read_image(argv[2], &l);
	write_start(argv + 4, read_image(argv[3], &l));
	l.segments[l.count++] = (struct segment){ &page, sizeof(page),
						  START_ADDRESS, PAGE };
	for (unsigned int i = 0; i < l.count; i++)
		printf("load: %lx..%lx\n", l.segments[i].first,
		       l.segments[i].first + l.segments[i].size - 1);
	if (syscall(SYS_kexec_load, entry, (unsigned long)l.count, l.segments,
		    flags))
		fail("kexec_load");
	if (flags & KEXEC_ON_CRASH)
		crash();
	else
		leave();
	return 1;
}
