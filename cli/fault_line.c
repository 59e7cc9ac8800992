// SPDX-License-Identifier: MIT
/*
 * Every bracket and number of these lines has been written in several ways,
 * and syslog, journals and mail put things before and after them. What is
 * looked for are the words that all have in common.
 */
#include <string.h>

#include "fault_line.h"
#include "text.h"

#define FAULT_REQUEST "Request device ["

/* "0x" may stand before any number, and means nothing for the hex ones. */
static bool fault_hex(const char **at, unsigned int digits, uint64_t *value)
{
	const char *p = *at;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	if (!text_hex(&p, digits, value))
		return false;
	*at = p;
	return true;
}

static bool fault_skip(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length))
		return false;
	*at += length;
	return true;
}

/* "[00:1f.2]", "[0000:00:1f.2]", "[0x00:0x1f.2]", "[[00:1f.2]" */
static bool fault_device(const char **at, struct fault *fault)
{
	uint64_t number[3], function;
	unsigned int count = 0, shift;
	const char *p = *at;

	fault_skip(&p, "[");
	do {
		if (count == 3 || !fault_hex(&p, 8, &number[count++]))
			return false;
	} while (fault_skip(&p, ":"));
	if (count < 2 || !fault_skip(&p, ".") || !text_hex(&p, 1, &function) ||
	    !fault_skip(&p, "]"))
		return false;
	shift = count - 2;
	if (number[shift] > 0xff || number[shift + 1] > 31 || function > 7)
		return false;
	fault->has_domain = shift != 0;
	fault->domain = shift ? (uint32_t)number[0] : 0;
	fault->rid = (uint16_t)(number[shift] << 8 | number[shift + 1] << 3 |
				function);
	*at = p;
	return true;
}

/* " PASID ffffffff" before or after the device. */
static void fault_pasid(const char *at, struct fault *fault)
{
	uint64_t value;

	at = strstr(at, "PASID ");
	if (!at)
		return;
	at += strlen("PASID ");
	if (fault_hex(&at, 8, &value))
		fault->pasid = (uint32_t)value;
}

/* What stands before the device; @size bytes of it. */
static void fault_kind(const char *line, size_t size, struct fault *fault)
{
	char kind[FAULT_LINE_MOST + 1], *bracket;

	if (size > FAULT_LINE_MOST)
		size = FAULT_LINE_MOST;
	memcpy(kind, line, size);
	kind[size] = 0;
	/* Not what syslog or another line has before it. */
	bracket = strrchr(kind, '[');
	fault->access = FAULT_UNKNOWN;
	if (strstr(kind, "INTR-REMAP"))
		fault->access = FAULT_INTERRUPT;
	if (!bracket)
		return;
	if (!strncmp(bracket, "[DMA Read", 9))
		fault->access = FAULT_READ;
	else if (!strncmp(bracket, "[DMA Write", 10))
		fault->access = FAULT_WRITE;
	fault_pasid(bracket, fault);
}

/* "[fault reason 05]" of old is decimal, "[fault reason 0x05]" says so. */
static bool fault_code(const char *at, struct fault *fault)
{
	uint64_t value;

	at = strstr(at, "fault reason ");
	if (!at)
		return false;
	at += strlen("fault reason ");
	if (!text_number(&at, &value) || value > 0xff)
		return false;
	fault->reason = (uint16_t)value;
	return true;
}

static bool fault_request(const char *line, struct fault *fault)
{
	const char *request = strstr(line, FAULT_REQUEST), *at;
	struct fault got = { 0 };

	if (!request)
		return false;
	got.pasid = FAULT_NO_PASID;
	got.reason = FAULT_NO_REASON;
	fault_kind(line, (size_t)(request - line), &got);
	at = request + strlen(FAULT_REQUEST);
	if (!fault_device(&at, &got))
		return false;
	text_blanks(&at);
	if (!strncmp(at, "PASID ", 6))
		fault_pasid(at, &got);
	at = strstr(at, "fault ");
	if (!at)
		return false;
	at += strlen("fault ");
	if (fault_skip(&at, "index "))
		got.access = FAULT_INTERRUPT;
	else if (!fault_skip(&at, "addr "))
		return false;
	if (!fault_hex(&at, 16, &got.address))
		return false;
	fault_code(at, &got);
	*fault = got;
	return true;
}

/* "dmar_fault: 123 callbacks suppressed" */
static bool fault_suppressed(const char *line, uint64_t *count)
{
	const char *at = strstr(line, "dmar_fault: ");

	if (!at)
		return false;
	at += strlen("dmar_fault: ");
	return text_number(&at, count) && fault_skip(&at, " callbacks supp");
}

enum fault_line fault_line_read(const char *line, struct fault *fault,
				uint64_t *count)
{
	const char *at;

	if (fault_request(line, fault))
		return FAULT_LINE_FAULT;
	if (fault_suppressed(line, count))
		return FAULT_LINE_SUPPRESSED;
	at = strstr(line, "handling fault status reg ");
	if (at) {
		at += strlen("handling fault status reg ");
		if (fault_hex(&at, 8, count))
			return FAULT_LINE_STATUS;
	}
	/* A line cut short is not the reason of another. */
	if (!strstr(line, FAULT_REQUEST) && strstr(line, "[fault reason ") &&
	    fault_code(line, fault))
		return FAULT_LINE_REASON;
	return FAULT_LINE_OTHER;
}
