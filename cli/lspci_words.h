/* SPDX-License-Identifier: MIT */
/* What lspci -v says in words, for where the bytes are not there. */
#ifndef CLI_LSPCI_WORDS_H
#define CLI_LSPCI_WORDS_H

#include "machine.h"

/* Which register the words of a line, and of lines after it, are about. */
enum words_about {
	WORDS_NONE,
	WORDS_HEADER,
	WORDS_SUBSYSTEM,
	WORDS_ACS_CAPABILITY,
	WORDS_ACS_CONTROL,
	WORDS_ATS_CONTROL,
	WORDS_SRIOV,
	WORDS_DEVICE_CAPABILITY,
	WORDS_DEVICE_CONTROL,
};

struct lspci_words {
	unsigned int line; /* where its registers are decoded; 0: nowhere */
	enum words_about about;
	uint16_t vendor, device; /* 0: not told */
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits */
	bool class_known;
	bool whole;  /* -vv: every register that we need is decoded */
	bool denied; /* capabilities are hidden from who asked */
	bool listed; /* has capabilities */
	bool bridge;
	uint8_t primary, secondary, subordinate;
	uint16_t express_at, express_type;
	uint16_t phantom;
	bool phantom_on;
	uint16_t acs_at, acs_capability, acs_control;
	uint16_t ats_at;
	bool ats_on;
	uint16_t sriov_at, sriov_count, sriov_first, sriov_stride;
	uint16_t sriov_device;
	bool sriov_on;
};

/* What follows the address; false: it is another device than before. */
bool words_header(struct lspci_words *words, const char *at);
/* Any other line, blanks before it taken off. */
void words_line(struct lspci_words *words, const char *at, unsigned int line);

/*
 * Completes a configuration space: of @size bytes known (0, 64 or 256) at
 * @config, room for 4096. @several: others are in its slot. The new size.
 */
uint32_t words_build(const struct lspci_words *words, bool several,
		     uint8_t *config, uint32_t size);

#endif /* CLI_LSPCI_WORDS_H */
