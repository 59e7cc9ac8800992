// SPDX-License-Identifier: MIT
/*
 * Runs in Linux: gives an image to the kernel, which is to jump there when it
 * crashes or is told to go there, and has it do so: load IMAGE crash|kexec
 *
 * The image is an ELF file for physical addresses, those of the memory that
 * "crashkernel=" keeps. The CPU arrives at its entry as README.md tells.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of <linux/kexec.h>, the kernel's interface. */
#define KEXEC_ON_CRASH 1ul
#define KEXEC_ARCH_X86_64 (62ul << 16)
/* Of <linux/reboot.h>: go to the image that was loaded. */
#define REBOOT_KEXEC 0x45584543

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
	uint64_t entry;
};

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

/* The ELF file's parts that are to be in memory. */
static void read_image(const char *name, struct load *l)
{
	size_t size;
	const char *data = read_file(name, &size);
	const Elf64_Ehdr *e = (const void *)data;
	const Elf64_Phdr *p = (const void *)(data + e->e_phoff);

	if (size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_machine != EM_X86_64 ||
	    e->e_phoff + e->e_phnum * sizeof(*p) > size)
		wrong("the image is no ELF file for this machine");
	l->entry = e->e_entry;
	for (unsigned int i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !p[i].p_memsz)
			continue;
		if (l->count == MAX_SEGMENTS || p[i].p_paddr % PAGE ||
		    p[i].p_offset + p[i].p_filesz > size)
			wrong("the image's parts are odd");
		l->segments[l->count++] = (struct segment){
			data + p[i].p_offset, p[i].p_filesz, p[i].p_paddr,
			(p[i].p_memsz + PAGE - 1) & ~(PAGE - 1)
		};
	}
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

	if (argc < 3)
		wrong("wants IMAGE crash|kexec");
	read_image(argv[1], &l);
	if (!strcmp(argv[2], "crash"))
		flags |= KEXEC_ON_CRASH;
	for (unsigned int i = 0; i < l.count; i++)
		printf("load: %lx..%lx\n", l.segments[i].first,
		       l.segments[i].first + l.segments[i].size - 1);
	if (syscall(SYS_kexec_load, l.entry, (unsigned long)l.count, l.segments,
		    flags))
		fail("kexec_load");
	if (flags & KEXEC_ON_CRASH)
		crash();
	else
		leave();
	return 1;
}
