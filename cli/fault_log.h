/* SPDX-License-Identifier: MIT */
/* The faults of a log, and what each is about on a machine. */
#ifndef CLI_FAULT_LOG_H
#define CLI_FAULT_LOG_H

#include "fault_line.h"
#include "study.h"

/* Faults of one requester, page and reason. */
struct fault_entry {
	struct fault fault; /* the first of them */
	uint32_t count;
	uint32_t first; /* place among all faults */
};

struct fault_log {
	struct fault_entry *entries;
	uint32_t count, room;
	uint32_t lines, faults, others; /* lines: all; of faults; skipped */
	uint64_t suppressed;		/* faults that the kernel left out */
};

/*
 * fault_log_read() - read and merge; entries in the order of the log
 *
 * Return: 0, or -1: out of memory. fault_log_fini() in both cases.
 */
int fault_log_read(struct fault_log *log, const char *bytes, size_t size,
		   struct machine_error *error);
void fault_log_fini(struct fault_log *log);

#define FAULT_ASKERS_MOST 16u
#define FAULT_PLACES_MOST 6u

struct fault_cause {
	const char *id;	  /* for programs */
	const char *text; /* likely cause */
	const char *advice;
};

/* What a fault is about on a machine. */
struct fault_story {
	const struct fault *fault;
	const struct fault_reason *reason; /* NULL: not told, or not known */
	const struct fault_cause *cause;
	uint32_t device; /* the function of that requester id, or NONE */
	uint32_t askers[FAULT_ASKERS_MOST]; /* who may ask under it */
	uint32_t asker_count;		    /* of all, maybe more than those */
	char chip[80];	/* the I/O APIC or timer that the table gives it to */
	uint32_t like;	/* if none may: a function nearby, or NONE */
	uint32_t group; /* or UIOMMU_PLAN_NONE */
	bool segments;	/* several segments have that requester id */
	char places[FAULT_PLACES_MOST][240]; /* what lies at the address */
	uint32_t place_count;
};

/* @study: NULL if the machine is not known */
void fault_tell(struct fault_story *story, const struct study *study,
		const struct fault *fault);

#endif /* CLI_FAULT_LOG_H */
