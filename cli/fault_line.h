/* SPDX-License-Identifier: MIT */
/* Lines in which Linux tells of DMAR faults, and what their codes mean. */
#ifndef CLI_FAULT_LINE_H
#define CLI_FAULT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULT_LINE_MOST 1024u /* bytes of a line that are looked at */
#define FAULT_NO_REASON 0xffffu
#define FAULT_NO_PASID ((uint32_t)0xffffffff)

/* What a line is about. */
enum fault_line {
	FAULT_LINE_OTHER,      /* something else */
	FAULT_LINE_FAULT,      /* a fault */
	FAULT_LINE_REASON,     /* the reason of the fault in the line before */
	FAULT_LINE_STATUS,     /* a unit has faults; which follows */
	FAULT_LINE_SUPPRESSED, /* so many were left out */
};

enum fault_access {
	FAULT_READ,
	FAULT_WRITE,
	FAULT_INTERRUPT,
	FAULT_UNKNOWN,
};

struct fault {
	uint32_t domain; /* Linux's number of the segment */
	bool has_domain; /* false: the line does not tell it */
	uint16_t rid;
	enum fault_access access;
	uint32_t pasid;	  /* or FAULT_NO_PASID */
	uint64_t address; /* of the access; of an interrupt: its index */
	uint16_t reason;  /* or FAULT_NO_REASON */
};

/**
 * fault_line_read() - what does a line of the kernel's log say?
 * @line: of at most FAULT_LINE_MOST bytes and a NUL
 * @fault: filled by FAULT_LINE_FAULT; of it FAULT_LINE_REASON sets the
 *	reason alone
 * @count: set by FAULT_LINE_SUPPRESSED, to how many; FAULT_LINE_STATUS: to
 *	the register
 *
 * Kernels before 5.14 write reasons in decimal and addresses without "0x";
 * those before 4.0 take a second line for the reason.
 */
enum fault_line fault_line_read(const char *line, struct fault *fault,
				uint64_t *count);

/* What a reason comes from. */
enum fault_class {
	FAULT_UNMAPPED,	  /* the address is not mapped for that */
	FAULT_NO_CONTEXT, /* the requester has no entry */
	FAULT_CONTEXT,	  /* its entry is wrong */
	FAULT_TABLES,	  /* a table is out of reach or garbled */
	FAULT_WIDTH,	  /* the address is out of bounds */
	FAULT_ATS,	  /* translation by the device itself */
	FAULT_TO_MSI,	  /* an access that ends in the interrupt range */
	FAULT_PASID,	  /* a process address space that is not set up */
	FAULT_PRIVILEGE,  /* mapped, but not for this privilege */
	FAULT_SNOOP,	  /* a table would have to be updated */
	FAULT_IR_ENTRY,	  /* no interrupt of that number */
	FAULT_IR_FOREIGN, /* an interrupt of another device */
	FAULT_IR_BLOCKED, /* an interrupt of the old format */
	FAULT_IR_TABLES,  /* the interrupt table is broken */
};

struct fault_reason {
	uint16_t code;
	enum fault_class kind;
	const char *tried; /* if the reason tells more than the line, or NULL */
	const char *text;
};

/* What a code means; NULL if that is not known. */
const struct fault_reason *fault_reason(uint16_t code);

#endif /* CLI_FAULT_LINE_H */
