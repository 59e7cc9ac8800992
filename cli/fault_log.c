// SPDX-License-Identifier: MIT
/* Many lines into few faults. */
#include <stdlib.h>
#include <string.h>

#include "fault_log.h"
#include "text.h"

static int fault_order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Interrupts have a number where others have an address. */
static uint64_t fault_page(const struct fault *f)
{
	return f->access == FAULT_INTERRUPT ? f->address
					    : f->address & ~UIOMMU_PAGE_MASK;
}

static int fault_compare(const struct fault *a, const struct fault *b)
{
	int order = fault_order(a->has_domain, b->has_domain);

	if (!order)
		order = fault_order(a->domain, b->domain);
	if (!order)
		order = fault_order(a->rid, b->rid);
	if (!order)
		order = fault_order(a->access, b->access);
	if (!order)
		order = fault_order(a->pasid, b->pasid);
	if (!order)
		order = fault_order(fault_page(a), fault_page(b));
	return order ? order : fault_order(a->reason, b->reason);
}

static int fault_by_kind(const void *a, const void *b)
{
	const struct fault_entry *x = a, *y = b;
	int order = fault_compare(&x->fault, &y->fault);

	return order ? order : fault_order(x->first, y->first);
}

static int fault_by_place(const void *a, const void *b)
{
	const struct fault_entry *x = a, *y = b;

	return fault_order(x->first, y->first);
}

static int fault_add(struct fault_log *log, const struct fault *fault)
{
	if (log->count == log->room) {
		uint32_t room = log->room ? 2 * log->room : 64;
		struct fault_entry *more = realloc(log->entries,
						   room * sizeof(*more));

		if (!more)
			return -1;
		log->entries = more;
		log->room = room;
	}
	log->entries[log->count].fault = *fault;
	log->entries[log->count].count = 1;
	log->entries[log->count].first = log->count;
	log->count++;
	log->faults++;
	return 0;
}

static void fault_merge(struct fault_log *log)
{
	uint32_t kept = 0;

	if (!log->count)
		return;
	qsort(log->entries, log->count, sizeof(*log->entries), fault_by_kind);
	for (uint32_t i = 1; i < log->count; i++) {
		if (fault_compare(&log->entries[kept].fault,
				  &log->entries[i].fault))
			log->entries[++kept] = log->entries[i];
		else
			log->entries[kept].count++;
	}
	log->count = kept + 1;
	qsort(log->entries, log->count, sizeof(*log->entries), fault_by_place);
}

/* The reason belongs to the last fault, if that has none yet. */
static bool fault_complete(struct fault_log *log, uint16_t reason)
{
	struct fault *last;

	if (!log->count)
		return false;
	last = &log->entries[log->count - 1].fault;
	if (last->reason != FAULT_NO_REASON)
		return false;
	last->reason = reason;
	return true;
}

int fault_log_read(struct fault_log *log, const char *bytes, size_t size,
		   struct machine_error *error)
{
	char line[FAULT_LINE_MOST + 1];
	struct fault fault;
	struct text text;
	uint64_t count;

	memset(log, 0, sizeof(*log));
	text_init(&text, "log", bytes, size);
	while (text_line(&text)) {
		text_copy(&text, line, sizeof(line));
		log->lines++;
		switch (fault_line_read(line, &fault, &count)) {
		case FAULT_LINE_FAULT:
			if (fault_add(log, &fault)) {
				machine_fail(error, "out of memory");
				return -1;
			}
			break;
		case FAULT_LINE_REASON:
			log->others += !fault_complete(log, fault.reason);
			break;
		case FAULT_LINE_SUPPRESSED:
			if (count > (uint64_t)INT64_MAX - log->suppressed)
				count = (uint64_t)INT64_MAX - log->suppressed;
			log->suppressed += count;
			break;
		case FAULT_LINE_STATUS:
			break;
		default:
			log->others++;
		}
	}
	fault_merge(log);
	return 0;
}

void fault_log_fini(struct fault_log *log)
{
	free(log->entries);
	memset(log, 0, sizeof(*log));
}
