// SPDX-License-Identifier: MIT
/* PCI configuration space, written out from the table of functions. */
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "user_int.h"

#define PCI_SIZE 4096u
#define PCI_CAP 0x40u	   /* where the PCI Express capability is put */
#define PCI_EXT_CAP 0x100u /* where extended capabilities begin */
#define PCI_EXT_ACS 0x0du
#define PCI_EXT_ATS 0x0fu

struct user_space {
	uint32_t words[PCI_SIZE / 4];
	uint32_t acs; /* offset of its control word, or 0 */
	bool absent;
};

static void pci_fill_extended(struct user_space *space,
			      const struct user_function *function)
{
	uint32_t at = PCI_EXT_CAP;

	if (function->acs) {
		uint32_t next = function->ats ? at + 8 : 0;

		space->words[at / 4] = PCI_EXT_ACS | 1u << 16 | next << 20;
		space->words[at / 4 + 1] = function->acs;
		space->acs = at + 4;
		at += 8;
	}
	if (function->ats)
		space->words[at / 4] = PCI_EXT_ATS | 1u << 16;
}

static void pci_fill(struct user_space *space,
		     const struct user_function *function)
{
	uint32_t *words = space->words;

	words[0] = function->vendor | (uint32_t)function->device << 16;
	words[2] = function->class_code << 8;
	words[3] = (uint32_t)(function->header_type |
			      (function->multifunction ? 0x80u : 0u))
		   << 16;
	if (function->header_type == 1)
		words[6] = UIOMMU_SID_BUS(function->sid) |
			   (uint32_t)function->secondary << 8 |
			   (uint32_t)function->subordinate << 16;
	if (function->pcie_type == UIOMMU_PCI_CONVENTIONAL) {
		/* Nothing answers beyond the first 256 bytes. */
		memset(&words[64], 0xff, PCI_SIZE - 256);
		return;
	}
	words[1] = 1u << 20; /* has a list of capabilities */
	words[0x34 / 4] = PCI_CAP;
	words[PCI_CAP / 4] = 0x10u | 2u << 16 |
			     (uint32_t)function->pcie_type << 20;
	pci_fill_extended(space, function);
}

struct user_space *user_pci_create(const struct user_config *config)
{
	struct user_space *spaces = calloc(config->function_count + 1,
					   sizeof(*spaces));

	if (!spaces)
		user_abort("no memory");
	for (unsigned int i = 0; i < config->function_count; i++)
		pci_fill(&spaces[i], &config->functions[i]);
	return spaces;
}

static struct user_space *pci_find(struct uiommu_host *host,
				   struct uiommu_sid sid)
{
	const struct user_config *config = &host->config;

	for (unsigned int i = 0; i < config->function_count; i++)
		if (config->functions[i].sid.rid == sid.rid &&
		    config->functions[i].sid.segment == sid.segment)
			return &host->spaces[i];
	return NULL;
}

void user_plug(struct uiommu_host *host, struct uiommu_sid sid, bool there)
{
	struct user_space *space = pci_find(host, sid);

	if (!space)
		user_abort("user_plug: no such function in the table");
	space->absent = !there;
}

void user_swap(struct uiommu_host *host, struct uiommu_sid sid, uint16_t device)
{
	struct user_space *space = pci_find(host, sid);

	if (!space)
		user_abort("user_swap: no such function in the table");
	space->words[0] = (space->words[0] & 0xffffu) | (uint32_t)device << 16;
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	struct user_space *space = pci_find(host, sid);

	user_may_sleep("pci_read32");
	if (offset & 3 || offset >= PCI_SIZE)
		user_abort("pci_read32: no such offset");
	return space && !space->absent ? space->words[offset / 4] : ~0u;
}

void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	struct user_space *space = pci_find(host, sid);
	uint32_t able;

	user_may_sleep("pci_write32");
	if (offset & 3 || offset >= PCI_SIZE || !space)
		user_abort("pci_write32: no such function or offset");
	host->config_writes++;
	if (space->absent || !space->acs || offset != space->acs)
		return;
	able = space->words[offset / 4] & 0xffffu;
	space->words[offset / 4] = able | (value & able << 16);
}
