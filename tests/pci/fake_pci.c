// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_pci.h"

struct uiommu_host *fake_new(void)
{
	struct uiommu_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	return host;
}

void fake_free(struct uiommu_host *host)
{
	unsigned int segment, slot;

	assert_int_equal(host->live, 0);
	assert_int_equal(host->live_bytes, 0);
	for (segment = 0; segment < FAKE_SEGMENTS; segment++) {
		for (slot = 0; slot < FAKE_SLOTS; slot++)
			free(host->functions[segment][slot]);
	}
	free(host);
}

struct uiommu_sid fake_sid(unsigned int bus, unsigned int device,
			   unsigned int function)
{
	struct uiommu_sid sid = { 0, 0 };

	sid.rid = (uint16_t)(bus << 8 | device << 3 | function);
	return sid;
}

struct fake_function *fake_add(struct uiommu_host *host, struct uiommu_sid sid,
			       uint32_t id, uint32_t class_code,
			       unsigned int header_type)
{
	struct fake_function *function = calloc(1, sizeof(*function));

	assert_non_null(function);
	assert_null(host->functions[sid.segment][sid.rid]);
	function->space[0] = id;
	function->space[2] = class_code << 8;
	function->space[3] = (uint32_t)header_type << 16;
	host->functions[sid.segment][sid.rid] = function;
	return function;
}

void fake_multifunction(struct fake_function *function)
{
	function->space[3] |= 0x800000;
}

void fake_buses(struct fake_function *function, unsigned int secondary,
		unsigned int subordinate)
{
	function->space[6] = secondary << 8 | subordinate << 16;
}

void fake_express(struct fake_function *function, unsigned int type)
{
	function->space[1] |= 0x100000;
	function->space[0x34 / 4] = 0x40;
	function->space[0x40 / 4] = 0x10 | type << 20;
	function->extended = true;
}

void fake_acs(struct fake_function *function, unsigned int capability,
	      unsigned int control)
{
	/* Next is the place of ATS, there or null. */
	function->space[0x100 / 4] = 0x14000000 | 0x1000d;
	function->space[0x104 / 4] = control << 16 | capability;
}

void fake_ats(struct fake_function *function)
{
	if (function->space[0x100 / 4] == 0)
		function->space[0x100 / 4] = 0x14000000 | 0x10001;
	function->space[0x140 / 4] = 0x1000f;
}

struct fake_function *fake_port(struct uiommu_host *host, struct uiommu_sid sid,
				unsigned int type, unsigned int secondary,
				unsigned int subordinate, bool acs)
{
	struct fake_function *function = fake_add(host, sid, 0x12348086,
						  0x060400, 1);

	fake_buses(function, secondary, subordinate);
	if (type != UIOMMU_PCI_CONVENTIONAL)
		fake_express(function, type);
	if (acs)
		fake_acs(function, FAKE_ACS_FULL, FAKE_ACS_FULL);
	return function;
}

uint64_t fake_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

uint64_t fake_seed(const char *test)
{
	const char *given = getenv("UIOMMU_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0x75696f6d6d75;

	if (seed == 0)
		seed = 1;
	printf("%s: UIOMMU_TEST_SEED=0x%llx\n", test, (unsigned long long)seed);
	return seed;
}

/* --- the host ------------------------------------------------------------- */

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	(void)line;
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page;

	(void)flags;
	assert_true(size >= 4096 && (size & (size - 1)) == 0);
	if (++host->allocs == host->fail_at)
		return NULL;
	page = calloc(1, size);
	assert_non_null(page);
	host->live++;
	host->live_bytes += size;
	*paddr = (uiommu_paddr_t)(uintptr_t)page;
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	assert_non_null(page);
	assert_true(host->live > 0 && host->live_bytes >= size);
	host->live--;
	host->live_bytes -= size;
	free(page);
}

static uint32_t *fake_word(struct uiommu_host *host, struct uiommu_sid sid,
			   uint32_t offset)
{
	struct fake_function *function;

	assert_true(offset <= 4092 && offset % 4 == 0);
	if (sid.segment >= FAKE_SEGMENTS)
		return NULL;
	function = host->functions[sid.segment][sid.rid];
	if (function == NULL || (offset > 255 && !function->extended))
		return NULL;
	if (host->gone_from != 0 && host->reads >= host->gone_from &&
	    host->gone.segment == sid.segment && host->gone.rid == sid.rid)
		return NULL;
	return &function->space[offset / 4];
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	uint32_t *word;

	host->reads++;
	word = fake_word(host, sid, offset);
	return word == NULL ? 0xffffffff : *word;
}

/* Only the control half of an ACS register takes what its capability has. */
void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	uint32_t *word = fake_word(host, sid, offset);

	host->writes++;
	assert_non_null(host->functions[sid.segment][sid.rid]);
	assert_true(offset >= 0x104);
	if (word == NULL)
		return;
	if (host->functions[sid.segment][sid.rid]->wide_acs) {
		assert_int_equal(offset, 0x108);
		*word = value & word[-1];
	} else {
		*word = (*word & 0xffff) | ((value >> 16 & *word) << 16);
	}
}
