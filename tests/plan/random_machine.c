// SPDX-License-Identifier: MIT
/* Machines that nobody would build, always the same for one seed. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "linux_oracle.h"
#include "random_machine.h"

unsigned int random_below(uint64_t *seed, unsigned int n)
{
	return (unsigned int)(fake_random(seed) >> 32) % n;
}

static const uint8_t bridge_types[] = {
	UIOMMU_PCIE_ROOT_PORT,	   UIOMMU_PCIE_ROOT_PORT,
	UIOMMU_PCIE_UPSTREAM_PORT, UIOMMU_PCIE_DOWNSTREAM_PORT,
	UIOMMU_PCIE_TO_PCI_BRIDGE, UIOMMU_PCI_TO_PCIE_BRIDGE,
	UIOMMU_PCI_CONVENTIONAL,   UIOMMU_PCIE_ENDPOINT,
};

static const uint8_t leaf_types[] = {
	UIOMMU_PCIE_ENDPOINT,	 UIOMMU_PCIE_LEGACY_ENDPOINT,
	UIOMMU_PCI_CONVENTIONAL, UIOMMU_PCIE_INTEGRATED_ENDPOINT,
	UIOMMU_PCIE_ENDPOINT,	 UIOMMU_PCIE_EVENT_COLLECTOR,
	UIOMMU_PCIE_ENDPOINT,	 3,
};

/* Models that ask as others too, or isolate by their vendor's word. */
static const uint32_t models[] = {
	0x92301b4b, 0xe8321180, 0x87b010b5, 0x15218086, 0x22608086, 0x00101b36,
};

/* Bridges likewise: a port, and PCIe-to-PCI without the capability. */
static const uint32_t bridge_models[] = { 0x1c108086, 0x10801b21 };

static void random_acs(uint64_t *seed, struct fake_function *f)
{
	if (!f->extended || random_below(seed, 4) == 0)
		return;
	if (random_below(seed, 2) == 0)
		fake_acs(f, FAKE_ACS_FULL, FAKE_ACS_FULL);
	else
		fake_acs(f, random_below(seed, 128), random_below(seed, 128));
}

static void random_function(struct machine *machine, uint64_t *seed,
			    struct uiommu_sid sid, unsigned int *buses)
{
	struct fake_function *f;
	unsigned int type;

	if (*buses < 12 && random_below(seed, 3) == 0) {
		++*buses;
		f = fake_port(machine->host, sid,
			      bridge_types[random_below(seed, 8)], *buses,
			      *buses, false);
	} else {
		f = fake_add(machine->host, sid,
			     random_below(seed, 2) ? 0x10008086 : 0x10001b36,
			     0x020000, 0);
		type = leaf_types[random_below(seed, 8)];
		if (type != UIOMMU_PCI_CONVENTIONAL)
			fake_express(f, type);
	}
	if (random_below(seed, 4) == 0)
		f->space[0] = f->space[6] != 0
				      ? bridge_models[random_below(seed, 2)]
				      : models[random_below(seed, 6)];
	random_acs(seed, f);
	if (random_below(seed, 2) == 0)
		fake_multifunction(f);
}

/* Buses in use are 0 to @buses; fills them one by one. */
void random_functions(struct machine *machine, uint64_t *seed)
{
	unsigned int buses = 0, count = 0;
	unsigned int bus, slot, function;

	for (bus = 0; bus <= buses; bus++) {
		for (slot = 0; slot < 32 && count < RANDOM_MOST - 8; slot++) {
			if (random_below(seed, 10) != 0 && slot != 0)
				continue;
			for (function = 0; function < 3; function++) {
				if (function != 0 && random_below(seed, 2) == 0)
					continue;
				random_function(machine, seed,
						fake_sid(bus, slot, function),
						&buses);
				count++;
			}
		}
	}
}

static bool has_fact(const struct machine *machine, struct uiommu_sid sid)
{
	unsigned int i;

	for (i = 0; i < machine->fact_count; i++) {
		if (machine->facts[i].sid.rid == sid.rid ||
		    machine->facts[i].other.rid == sid.rid)
			return true;
	}
	return false;
}

static bool has_models(const struct uiommu_topology *topology)
{
	uint32_t i, devfn;

	for (i = 0; i < topology->count; i++) {
		for (devfn = 0; devfn < 256; devfn++) {
			if (oracle_model(&topology->functions[i], devfn))
				return true;
		}
	}
	return false;
}

/*
 * Functions that are virtual ones of others, or that ask as others. No one is
 * both, and who asks as others is on no bus with models that do so by design:
 * Linux joins such by numbers that no request bears.
 */
void random_facts(struct machine *machine, uint64_t *seed)
{
	const struct uiommu_topology *topology = &machine->topology;
	bool models_only = has_models(topology);
	unsigned int n = random_below(seed, 4);

	machine->input.rules = (enum uiommu_rules)random_below(seed, 2);
	while (n-- != 0) {
		uint32_t a = random_below(seed, topology->count);
		uint32_t b = random_below(seed, topology->count);

		if (a == b || topology->functions[a].header_type != 0 ||
		    has_fact(machine, topology->functions[a].sid) ||
		    has_fact(machine, topology->functions[b].sid))
			continue;
		machine->facts[machine->fact_count++] = (struct machine_fact){
			topology->functions[a].sid, topology->functions[b].sid,
			models_only || random_below(seed, 2)
		};
	}
	machine_tell(machine);
}

static void random_scopes(struct machine *machine, uint32_t *named,
			  uint64_t *seed)
{
	const struct uiommu_topology *topology = &machine->topology;
	unsigned int n = random_below(seed, 4);

	while (n-- != 0) {
		uint32_t which = random_below(seed, topology->count);
		struct uiommu_sid sid = topology->functions[which].sid;

		named[machine->dmar.scope_count] = which;
		machine_scope(machine, (uint8_t)(1 + random_below(seed, 2)),
			      UIOMMU_SID_BUS(sid), UIOMMU_SID_DEV(sid),
			      UIOMMU_SID_FN(sid))
			->usable = random_below(seed, 8) != 0;
	}
}

void random_table(struct machine *machine, uint32_t *named, uint64_t *seed)
{
	unsigned int n = random_below(seed, 6);
	uint32_t record;

	while (n-- != 0) {
		record = machine_drhd(machine, random_below(seed, 3) == 0);
		random_scopes(machine, named, seed);
		machine->units[record].present = random_below(seed, 5) != 0;
		machine->units[record].passthrough = random_below(seed, 4) != 0;
		machine->records[record].usable = random_below(seed, 8) != 0;
		if (random_below(seed, 2) == 0) {
			uint64_t first = (uint64_t)random_below(seed, 64) << 10;

			record = machine_rmrr(
				machine, first,
				first + random_below(seed, 20000));
			random_scopes(machine, named, seed);
			machine->records[record].usable = random_below(seed,
								       8) != 0;
		}
	}
}

static enum uiommu_domain_type random_choice(uint64_t *seed)
{
	static const enum uiommu_domain_type types[] = { UIOMMU_DOMAIN_IDENTITY,
							 UIOMMU_DOMAIN_DMA,
							 UIOMMU_DOMAIN_DMA_FQ };

	return types[random_below(seed, 3)];
}

static struct uiommu_sid random_sid(const struct machine *machine,
				    uint64_t *seed)
{
	const struct uiommu_topology *topology = &machine->topology;

	return topology->functions[random_below(seed, topology->count)].sid;
}

static void random_wishes(struct machine *machine, uint64_t *seed)
{
	struct uiommu_plan_input *input = &machine->input;
	uint32_t i;

	input->override_count = random_below(seed, MACHINE_WISHES);
	input->requirement_count = random_below(seed, MACHINE_WISHES);
	input->mask_count = random_below(seed, MACHINE_WISHES);
	for (i = 0; i < MACHINE_WISHES; i++) {
		machine->overrides[i] = (struct uiommu_plan_override){
			random_sid(machine, seed), random_choice(seed)
		};
		machine->requirements[i] = (struct uiommu_plan_override){
			random_sid(machine, seed),
			random_below(seed, 2) ? UIOMMU_DOMAIN_IDENTITY
					      : UIOMMU_DOMAIN_DMA
		};
		machine->masks[i] = (struct uiommu_plan_mask){
			random_sid(machine, seed),
			((uint64_t)1 << (24 + random_below(seed, 16))) - 1
		};
	}
}

static void random_ports(struct machine *machine, uint64_t *seed)
{
	unsigned int n = random_below(seed, 3);

	while (n-- != 0)
		machine->ports[machine->port_count++] = (struct machine_port){
			random_sid(machine, seed), random_below(seed, 4) != 0,
			random_below(seed, 2), random_below(seed, 4) == 0
		};
}

void random_policy(struct machine *machine, uint64_t *seed)
{
	struct uiommu_plan_input *input = &machine->input;
	struct uiommu_options *options = &machine->options;
	uint32_t i;

	options->passthrough = (enum uiommu_choice)random_below(seed, 3);
	options->strict = (enum uiommu_choice)random_below(seed, 3);
	options->isa_range = (enum uiommu_choice)random_below(seed, 3);
	options->igfx_off = random_below(seed, 4) == 0;
	options->tboot_noforce = random_below(seed, 4) == 0;
	if (random_below(seed, 3) == 0)
		options->remapping = (enum uiommu_choice)random_below(seed, 3);
	options->off = random_below(seed, 30) == 0;
	input->build_off = random_below(seed, 3) == 0;
	input->trusted_boot = random_below(seed, 4) == 0;
	input->memory_encryption = random_below(seed, 4) == 0;
	input->isoch_without_tlb = random_below(seed, 2);
	input->ggc = (enum uiommu_ggc)random_below(seed, 3);
	if (random_below(seed, 2) == 0)
		input->build_default = random_choice(seed);
	if (random_below(seed, 2) == 0)
		machine->dmar.flags = UIOMMU_DMAR_PLATFORM_OPT_IN;
	for (i = 0; i < MACHINE_RECORDS; i++)
		machine->units[i].caching = random_below(seed, 64) == 0;
	input->ram_count = random_below(seed, 3);
	for (i = 0; i < input->ram_count; i++) {
		machine->ram[i].first = (uint64_t)random_below(seed, 64) << 12;
		machine->ram[i].last =
			machine->ram[i].first |
			(((uint64_t)1 << (14 + random_below(seed, 24))) - 1);
	}
	random_wishes(machine, seed);
	random_ports(machine, seed);
	machine_tell(machine);
}
