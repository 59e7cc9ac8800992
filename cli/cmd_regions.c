// SPDX-License-Identifier: MIT
/* uiommu regions, uiommu units: what is not free, and the hardware. */
#include "cmd.h"
#include "json.h"

static void regions_group(struct out_table *table, const struct study *study,
			  uint32_t group)
{
	const struct uiommu_plan_group *g = &study->plan.groups[group];
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	char name[300];

	study_device_name(study, study->plan.members[g->member_first], name,
			  sizeof(name));
	for (uint32_t i = 0; i < g->region_count; i++) {
		const struct uiommu_region *r =
			&study->plan.group_regions[g->region_first + i];
		enum out_style style = r->type == UIOMMU_REGION_DIRECT
					       ? OUT_WARN
					       : OUT_PLAIN;

		out_cell(table, OUT_HEAD, "%s", i ? "" : study->labels[group]);
		out_cell(table, OUT_PLAIN, "%s%s", i ? "" : name,
			 i || g->member_count == 1 ? "" : " ..");
		out_cell(table, style, "0x%016llx 0x%016llx %s",
			 (unsigned long long)r->range.first,
			 (unsigned long long)r->range.last,
			 uiommu_region_type_name(r->type));
		if (r->record < dmar->record_count)
			out_cell(table, OUT_DIM, "DMAR record %u, offset 0x%x",
				 r->record, dmar->records[r->record].offset);
		else
			out_cell(table, OUT_DIM, "%s",
				 r->type == UIOMMU_REGION_MSI ? "interrupts"
							      : "ISA bridge");
	}
}

static int regions_print(struct out *out, const struct study *study)
{
	static const char *const heads[] = { "GROUP", "DEVICE", "REGION",
					     "WHY" };
	struct out_table table;

	out_table_init(&table, 4, heads);
	for (uint32_t i = 0; i < study->plan.group_count; i++)
		regions_group(&table, study, i);
	out_table_print(out, &table);
	return ASK_FINE;
}

int cmd_regions(const struct ask *ask)
{
	return cmd_view(ask, JSON_GROUPS, regions_print);
}

/* What Linux would let one see of "Capability Register" fields. */
static void units_abilities(struct out_table *table, const struct study *study,
			    uint32_t record)
{
	const struct uiommu_plan_unit *unit = &study->units[record];
	const struct machine_unit *u = machine_unit_at(
		study->machine,
		study->machine->dmar.records[record].range.first);

	if (!unit->present)
		out_cell(table, OUT_BAD, "not used");
	else if (!u)
		out_cell(table, OUT_DIM, "registers not known");
	else
		out_cell(table, OUT_PLAIN, "%s%s; cap 0x%llx ecap 0x%llx",
			 unit->passthrough ? "pass-through" : "no pass-through",
			 unit->caching ? ", caching mode" : "",
			 (unsigned long long)u->cap,
			 (unsigned long long)u->ecap);
}

static void units_row(struct out_table *table, const struct study *study,
		      uint32_t record)
{
	const struct uiommu_dmar_record *r =
		&study->machine->dmar.records[record];
	uint32_t devices = 0;
	char name[32];

	for (uint32_t i = 0; i < study->plan.device_count; i++)
		devices += study->plan.devices[i].unit == record;
	study_unit_name(study, record, name, sizeof(name));
	out_cell(table, OUT_HEAD, "%s", name);
	out_cell(table, OUT_PLAIN, "0x%llx",
		 (unsigned long long)r->range.first);
	out_cell(table, OUT_PLAIN, "%04x", r->segment);
	out_cell(table, OUT_PLAIN, "%s",
		 r->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL ? "all others"
							: "its scopes");
	out_cell(table, OUT_PLAIN, "%u", devices);
	units_abilities(table, study, record);
}

static int units_print(struct out *out, const struct study *study)
{
	static const char *const heads[] = { "UNIT",   "REGISTERS", "SEGMENT",
					     "COVERS", "DEVICES",   "CAN" };
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	struct out_table table;

	out_table_init(&table, 6, heads);
	for (uint32_t i = 0; i < dmar->record_count; i++)
		if (dmar->records[i].type == UIOMMU_DMAR_DRHD)
			units_row(&table, study, i);
	out_table_print(out, &table);
	return ASK_FINE;
}

int cmd_units(const struct ask *ask)
{
	return cmd_view(ask, JSON_UNITS, units_print);
}
