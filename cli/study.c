// SPDX-License-Identifier: MIT
/* From what is known of a machine to its plan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study.h"
#include "text.h"

#define STUDY_ECAP_PT UIOMMU_BIT64(6) /* "Extended Capability Register", PT */
#define STUDY_CAP_CM UIOMMU_BIT64(7)  /* "Capability Register", CM */
#define STUDY_CAP_SAGAW UIOMMU_MASK64(12, 8)

static int study_units(struct study *study, struct machine_error *error)
{
	const struct machine *machine = study->machine;
	uint32_t count = machine->dmar.record_count;

	study->units = calloc(count + 1, sizeof(*study->units));
	if (!study->units) {
		machine_fail(error, "out of memory");
		return -1;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct uiommu_dmar_record *r = &machine->dmar.records[i];
		const struct machine_unit *u = machine_unit_at(machine,
							       r->range.first);

		study->units[i].present = r->type == UIOMMU_DMAR_DRHD &&
					  r->usable &&
					  (!u || u->cap & STUDY_CAP_SAGAW);
		study->units[i].passthrough = !u || u->ecap & STUDY_ECAP_PT;
		study->units[i].caching = u && u->cap & STUDY_CAP_CM;
	}
	return 0;
}

static int study_ram(struct study *study, struct machine_error *error)
{
	const struct machine *machine = study->machine;
	uint32_t count = 0;

	study->ram = calloc(machine->memory_count + 1, sizeof(*study->ram));
	if (!study->ram) {
		machine_fail(error, "out of memory");
		return -1;
	}
	for (uint32_t i = 0; i < machine->memory_count; i++)
		if (!strcmp(machine->memory[i].kind, "System RAM"))
			study->ram[count++] = machine->memory[i].range;
	study->input.ram = study->ram;
	study->input.ram_count = count;
	return 0;
}

static int study_options(struct study *study, const char *more,
			 struct machine_error *error)
{
	const char *own = study->machine->cmdline ? study->machine->cmdline
						  : "";

	if (asprintf(&study->options_text, "%s%s%s", own,
		     *own && more ? " " : "", more ? more : "") < 0) {
		study->options_text = NULL;
		machine_fail(error, "out of memory");
		return -1;
	}
	study->finding_count = uiommu_options_parse(
		study->options_text, strlen(study->options_text),
		&study->input.options, study->findings, STUDY_FINDINGS_MOST);
	if (study->finding_count > STUDY_FINDINGS_MOST)
		study->finding_count = STUDY_FINDINGS_MOST;
	return 0;
}

/*
 * Linux turns access control on when it boots with the IOMMU on. If it did
 * not, what configuration space says is not what would be.
 */
static void study_assume_acs(struct study *study, struct machine *machine)
{
	struct uiommu_pci_function *f = machine->topology.functions;
	uint32_t count = machine->topology.count;

	if (study_knows_linux(study))
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint16_t more = f[i].acs_capability & STUDY_ACS &
				~f[i].acs_control;

		f[i].acs_control |= more;
		study->assumed_acs |= more != 0;
	}
}

int study_plan_with(const struct study *study,
		    const struct uiommu_topology *topology,
		    struct uiommu_plan *plan)
{
	struct uiommu_plan_input input = study->input;

	input.topology = topology;
	return uiommu_plan_make(topology->host, &input, plan) ? -1 : 0;
}

static int study_plans(struct study *study, struct machine_error *error)
{
	struct uiommu_plan_input input = study->input;
	struct uiommu_host *host = study->machine->topology.host;
	int err = uiommu_plan_make(host, &input, &study->plan);

	input.rules = UIOMMU_RULES_LINUX;
	if (!err)
		err = uiommu_plan_make(host, &input, &study->as_linux);
	if (err)
		machine_fail(error, "%s: no plan: %s", study->machine->source,
			     uiommu_strerror(err));
	return err ? -1 : 0;
}

static bool study_logged(const struct machine *machine, const char *words)
{
	for (uint32_t i = 0; i < machine->log_count; i++)
		if (strstr(machine->log[i], words) &&
		    !strstr(machine->log[i], "command line"))
			return true;
	return false;
}

/* What the kernel was built for: said, or as its log has it, or the usual. */
static enum uiommu_domain_type study_build(const struct study *study,
					   const struct ask *ask)
{
	if (ask->build != UIOMMU_DOMAIN_NONE)
		return ask->build;
	if (study_logged(study->machine, "Default domain type: Passthrough"))
		return UIOMMU_DOMAIN_IDENTITY;
	return UIOMMU_DOMAIN_DMA_FQ;
}

int study_make(struct study *study, struct machine *machine,
	       const struct ask *ask, const char *options,
	       struct machine_error *error)
{
	memset(study, 0, sizeof(*study));
	study->machine = machine;
	study->names = malloc(sizeof(*study->names));
	if (!study->names) {
		machine_fail(error, "out of memory");
		return -1;
	}
	names_init(study->names, NULL);
	study->table = machine->table && !machine->dmar_error;
	study->input.topology = &machine->topology;
	study->input.chipset_set_up = true; /* Linux does so at boot */
	study->input.isoch_without_tlb = uiommu_topology_isoch_without_tlb(
		&machine->topology);
	study->input.ggc = uiommu_topology_ggc(&machine->topology);
	study->input.rules = ask->rules;
	study->input.build_default = study_build(study, ask);
	study_assume_acs(study, machine);
	if (study_units(study, error) || study_ram(study, error) ||
	    study_options(study, options, error))
		goto fail;
	if (study->table) {
		study->input.dmar = &machine->dmar;
		study->input.units = study->units;
	}
	if (study_plans(study, error) || study_compare(study, error))
		goto fail;
	return 0;
fail:
	study_fini(study);
	return -1;
}

void study_fini(struct study *study)
{
	uiommu_plan_fini(&study->plan);
	uiommu_plan_fini(&study->as_linux);
	if (study->names)
		names_fini(study->names);
	free(study->names);
	free(study->units);
	free(study->ram);
	free(study->options_text);
	free(study->linux_groups);
	free(study->labels);
	free(study->differences);
	memset(study, 0, sizeof(*study));
}

void study_unit_name(const struct study *study, uint32_t record, char *text,
		     size_t size)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	const struct machine_unit *known = NULL;
	uint32_t number = 0;

	if (record < dmar->record_count)
		known = machine_unit_at(study->machine,
					dmar->records[record].range.first);
	for (uint32_t i = 0; i < record && i < dmar->record_count; i++)
		number += dmar->records[i].type == UIOMMU_DMAR_DRHD &&
			  dmar->records[i].usable;
	if (study->machine->supposed_table)
		snprintf(text, size, "?");
	else if (known && !strncmp(known->name, "dmar", 4))
		snprintf(text, size, "%s", known->name);
	else
		snprintf(text, size, "dmar%u", number);
}

void study_device_name(const struct study *study, uint32_t device, char *text,
		       size_t size)
{
	const struct machine *machine = study->machine;
	char name[MACHINE_SID_SIZE];
	uint32_t andd;

	if (device < machine->topology.count) {
		machine_sid_text(machine,
				 machine->topology.functions[device].sid, name);
		snprintf(text, size, "%s", name);
		return;
	}
	andd = study->plan.devices[device].andd;
	snprintf(text, size, "%.*s",
		 (int)machine->dmar.records[andd].name_length,
		 (const char *)machine->table +
			 machine->dmar.records[andd].name_offset);
}

uint32_t study_find_device(const struct study *study, const char *word)
{
	char name[256];
	struct uiommu_sid sid;
	const char *at = word;

	if (text_sid(&at, &sid) && !*at)
		return uiommu_topology_find(&study->machine->topology, sid);
	for (uint32_t i = 0; i < study->plan.device_count; i++) {
		study_device_name(study, i, name, sizeof(name));
		if (!strcmp(name, word))
			return i;
	}
	return UIOMMU_PLAN_NONE;
}

uint32_t study_find_group(const struct study *study, const char *word)
{
	const struct machine_group *now;
	char number[16];

	for (uint32_t i = 0; i < study->plan.group_count; i++)
		if (!strcmp(study->labels[i], word))
			return i;
	/* A number of Linux's whose group is part of a larger one here. */
	for (uint32_t i = 0; i < study->machine->topology.count; i++) {
		now = study->linux_groups[i];
		if (!now)
			continue;
		snprintf(number, sizeof(number), "%u", now->number);
		if (!strcmp(number, word))
			return study->plan.devices[i].group;
	}
	return UIOMMU_PLAN_NONE;
}

const uint32_t *study_members(const struct study *study, uint32_t group,
			      uint32_t *count)
{
	*count = study->plan.groups[group].member_count;
	return &study->plan.members[study->plan.groups[group].member_first];
}

bool study_is_kept(const struct study *study, uint32_t group)
{
	const struct uiommu_plan_group *g = &study->plan.groups[group];

	for (uint32_t i = 0; i < g->region_count; i++)
		if (study->plan.group_regions[g->region_first + i].type ==
		    UIOMMU_REGION_DIRECT)
			return true;
	return false;
}
