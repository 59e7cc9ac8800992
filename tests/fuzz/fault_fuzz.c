// SPDX-License-Identifier: MIT
/*
 * Any bytes as a kernel's log: once line by line, where what is reported must
 * hold what its kind promises, and once as a log, which must lose no line.
 *
 * fuzz-sources: cli/fault_line.c cli/fault_log.c cli/fault_reason.c cli/text.c
 * fuzz-corpus: tests/fuzz/seeds-fault
 */
#include <stdlib.h>

#include "../../cli/fault_log.h"
#include "../../cli/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_claim(bool holds)
{
	if (!holds)
		abort();
}

static void fuzz_line(const char *line)
{
	struct fault fault = { .reason = FAULT_NO_REASON };
	const struct fault_reason *reason;
	uint64_t count = 0;

	switch (fault_line_read(line, &fault, &count)) {
	case FAULT_LINE_FAULT:
		fuzz_claim(fault.access <= FAULT_UNKNOWN);
		fuzz_claim(fault.has_domain || !fault.domain);
		fuzz_claim(fault.reason <= 0xff ||
			   fault.reason == FAULT_NO_REASON);
		break;
	case FAULT_LINE_REASON:
		fuzz_claim(fault.reason <= 0xff);
		break;
	default:
		fuzz_claim(fault.reason == FAULT_NO_REASON);
	}
	reason = fault_reason(fault.reason);
	fuzz_claim(!reason || reason->code == fault.reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine_error error = { "" };
	char line[FAULT_LINE_MOST + 1];
	uint32_t lines = 0, faults = 0;
	struct fault_log log;
	struct text text;

	text_init(&text, "fuzz", (const char *)data, size);
	while (text_line(&text)) {
		text_copy(&text, line, sizeof(line));
		fuzz_line(line);
		lines++;
	}
	if (!fault_log_read(&log, (const char *)data, size, &error)) {
		fuzz_claim(log.lines == lines);
		for (uint32_t i = 0; i < log.count; i++)
			faults += log.entries[i].count;
		fuzz_claim(log.faults == faults && faults <= lines);
		for (uint32_t i = 1; i < log.count; i++)
			fuzz_claim(log.entries[i - 1].first <
				   log.entries[i].first);
	}
	fault_log_fini(&log);
	return 0;
}
