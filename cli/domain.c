// SPDX-License-Identifier: MIT
/*
 * Domains that Linux numbers above 0xffff, such as 10000 behind a volume
 * management device. A sid has 16 bits for the segment, so each such domain
 * gets a segment that nothing else on the machine uses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Far from the segments that firmware gives out. */
#define DOMAIN_SEGMENTS_FROM 0x8000u

uint32_t machine_domain(const struct machine *machine, uint16_t segment)
{
	for (uint32_t i = 0; i < machine->domain_count; i++)
		if (machine->domains[i].segment == segment)
			return machine->domains[i].domain;
	return segment;
}

static bool domain_taken(const struct machine *machine, uint16_t segment)
{
	if (machine_domain(machine, segment) != segment)
		return true;
	for (uint32_t i = 0; i < machine->function_count; i++)
		if (machine->functions[i].sid.segment == segment)
			return true;
	return false;
}

/* The segment of a large domain, if it has one. */
static bool domain_known(const struct machine *machine, uint32_t domain,
			 uint16_t *segment)
{
	for (uint32_t i = 0; i < machine->domain_count; i++)
		if (machine->domains[i].domain == domain) {
			*segment = machine->domains[i].segment;
			return true;
		}
	return false;
}

/*
 * The segment follows from the domain if it can, so that the order in which
 * domains are met makes no difference.
 */
static int domain_add(struct machine *machine, uint32_t domain,
		      uint16_t *segment, struct machine_error *error)
{
	uint32_t at = DOMAIN_SEGMENTS_FROM | (domain & 0x7fff);

	if (machine->domain_count == MACHINE_DOMAINS_MOST) {
		machine_fail(error, "more than %u PCI domains above ffff",
			     MACHINE_DOMAINS_MOST);
		return -1;
	}
	while (domain_taken(machine, (uint16_t)at))
		at = at == 0xffff ? DOMAIN_SEGMENTS_FROM : at + 1;
	*segment = (uint16_t)at;
	machine->domains[machine->domain_count].domain = domain;
	machine->domains[machine->domain_count++].segment = *segment;
	return 0;
}

int machine_segment(struct machine *machine, uint32_t domain, uint16_t *segment,
		    struct machine_error *error)
{
	if (domain > 0xffff)
		return domain_known(machine, domain, segment)
			       ? 0
			       : domain_add(machine, domain, segment, error);
	if (machine_domain(machine, (uint16_t)domain) != domain) {
		machine_fail(error,
			     "PCI domain %04x beside domain %x: one of the two "
			     "has to be left out",
			     domain, machine_domain(machine, (uint16_t)domain));
		return -1;
	}
	*segment = (uint16_t)domain;
	return 0;
}

int machine_sid(struct machine *machine, const char *text,
		struct uiommu_sid *sid, struct machine_error *error)
{
	struct uiommu_sid got;
	uint32_t domain;

	if (!text_address(&text, &domain, &got.rid) || *text) {
		machine_fail(error, "no PCI address such as 0000:00:1f.2");
		return -1;
	}
	if (machine_segment(machine, domain, &got.segment, error))
		return -1;
	*sid = got;
	return 0;
}

void machine_sid_text(const struct machine *machine, struct uiommu_sid sid,
		      char text[MACHINE_SID_SIZE])
{
	snprintf(text, MACHINE_SID_SIZE, "%04x:%02x:%02x.%u",
		 machine_domain(machine, sid.segment), UIOMMU_SID_BUS(sid),
		 UIOMMU_SID_DEV(sid), UIOMMU_SID_FN(sid));
}

void machine_name_members(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->group_count; i++) {
		struct machine_group *g = &machine->groups[i];

		for (uint32_t j = 0; j < g->member_count; j++) {
			struct machine_member *m = &g->members[j];
			const char *at = m->name;
			struct uiommu_sid sid = { 0, 0 };
			uint32_t domain;

			if (m->pci || !text_address(&at, &domain, &sid.rid) ||
			    *at || !domain_known(machine, domain, &sid.segment))
				continue;
			m->pci = true;
			m->sid = sid;
		}
	}
}
