// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "machine.h"

int machine_setup(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	assert_non_null(machine);
	machine->host = fake_new();
	uiommu_topology_init(&machine->topology, machine->host);
	machine->dmar.records = machine->records;
	machine->dmar.scopes = machine->scopes;
	machine->dmar.table = machine->table;
	machine->dmar.size = sizeof(machine->table);
	*state = machine;
	return 0;
}

int machine_teardown(void **state)
{
	struct machine *machine = *state;

	if (machine->plan.host != NULL)
		uiommu_plan_fini(&machine->plan);
	uiommu_topology_fini(&machine->topology);
	fake_free(machine->host);
	free(machine);
	return 0;
}

static struct uiommu_dmar_record *add_record(struct machine *machine,
					     uint16_t type)
{
	struct uiommu_dmar_record *record;

	assert_true(machine->dmar.record_count < MACHINE_RECORDS);
	record = &machine->records[machine->dmar.record_count++];
	record->type = type;
	record->usable = true;
	record->offset = 48 + 40 * (machine->dmar.record_count - 1);
	record->scope_first = machine->dmar.scope_count;
	return record;
}

uint32_t machine_drhd(struct machine *machine, uint8_t flags)
{
	struct uiommu_dmar_record *record = add_record(machine,
						       UIOMMU_DMAR_DRHD);
	uint32_t index = machine->dmar.record_count - 1;

	record->flags = flags;
	machine->units[index].present = true;
	machine->units[index].passthrough = true;
	return index;
}

uint32_t machine_rmrr(struct machine *machine, uint64_t first, uint64_t last)
{
	struct uiommu_dmar_record *record = add_record(machine,
						       UIOMMU_DMAR_RMRR);

	record->range.first = first;
	record->range.last = last;
	return machine->dmar.record_count - 1;
}

uint32_t machine_andd(struct machine *machine, uint32_t number)
{
	add_record(machine, UIOMMU_DMAR_ANDD)->device_number = number;
	return machine->dmar.record_count - 1;
}

void machine_override(struct machine *machine, struct uiommu_sid sid,
		      enum uiommu_domain_type type)
{
	assert_true(machine->input.override_count < MACHINE_WISHES);
	machine->overrides[machine->input.override_count++] =
		(struct uiommu_plan_override){ sid, type };
}

void machine_require(struct machine *machine, struct uiommu_sid sid,
		     enum uiommu_domain_type type)
{
	assert_true(machine->input.requirement_count < MACHINE_WISHES);
	machine->requirements[machine->input.requirement_count++] =
		(struct uiommu_plan_override){ sid, type };
}

struct uiommu_dmar_scope *machine_scope(struct machine *machine, uint8_t type,
					unsigned int bus, unsigned int device,
					unsigned int function)
{
	uint32_t index = machine->dmar.scope_count++;
	struct uiommu_dmar_scope *scope = &machine->scopes[index];

	assert_true(index < MACHINE_SCOPES);
	machine->records[machine->dmar.record_count - 1].scope_count++;
	scope->record = machine->dmar.record_count - 1;
	scope->path_offset = 4 * index;
	scope->path_count = 1;
	scope->type = type;
	scope->start_bus = (uint8_t)bus;
	scope->usable = true;
	machine->table[4 * index] = (uint8_t)device;
	machine->table[4 * index + 1] = (uint8_t)function;
	return scope;
}

void machine_hop(struct machine *machine, unsigned int device,
		 unsigned int function)
{
	uint32_t index = machine->dmar.scope_count - 1;

	assert_int_equal(machine->scopes[index].path_count, 1);
	machine->scopes[index].path_count = 2;
	machine->table[4 * index + 2] = (uint8_t)device;
	machine->table[4 * index + 3] = (uint8_t)function;
}

int machine_try_plan(struct machine *machine, struct uiommu_plan *plan)
{
	struct uiommu_plan_input input = machine->input;

	input.dmar = &machine->dmar;
	input.topology = &machine->topology;
	input.units = machine->units;
	input.options = machine->options;
	if (input.overrides == NULL)
		input.overrides = machine->overrides;
	if (input.requirements == NULL)
		input.requirements = machine->requirements;
	if (input.masks == NULL)
		input.masks = machine->masks;
	if (input.ram == NULL)
		input.ram = machine->ram;

	return uiommu_plan_make(machine->host, &input, plan);
}

void machine_tell(struct machine *machine)
{
	unsigned int i;
	int err;

	for (i = 0; i < machine->fact_count; i++) {
		const struct machine_fact *fact = &machine->facts[i];

		if (fact->physical)
			err = uiommu_topology_set_physical(
				&machine->topology, fact->sid, fact->other);
		else
			err = uiommu_topology_set_requester(
				&machine->topology, fact->sid, fact->other);
		assert_true(err == 0 || err == UIOMMU_EINVAL);
	}
	for (i = 0; i < machine->port_count; i++) {
		const struct machine_port *port = &machine->ports[i];
		struct uiommu_pci_function *function =
			&machine->topology.functions[uiommu_topology_find(
				&machine->topology, port->sid)];

		function->external_facing = port->external_facing;
		function->onboard_switch = port->onboard_switch;
		function->untrusted = port->untrusted;
	}
}

void machine_plan(struct machine *machine)
{
	if (machine->plan.host != NULL)
		uiommu_plan_fini(&machine->plan);
	uiommu_topology_fini(&machine->topology);
	assert_int_equal(uiommu_topology_scan(&machine->topology, 0, 0, 255),
			 0);
	machine_tell(machine);
	assert_int_equal(machine_try_plan(machine, &machine->plan), 0);
	machine_check(machine);
}

uint32_t machine_index(const struct machine *machine, unsigned int bus,
		       unsigned int device, unsigned int function)
{
	uint32_t i = uiommu_topology_find(&machine->topology,
					  fake_sid(bus, device, function));

	assert_int_not_equal(i, UIOMMU_PCI_NONE);
	return i;
}

const struct uiommu_plan_device *machine_device(const struct machine *machine,
						unsigned int bus,
						unsigned int device,
						unsigned int function)
{
	return &machine->plan
			.devices[machine_index(machine, bus, device, function)];
}

const struct uiommu_reason *machine_reason(const struct machine *machine,
					   uint32_t device,
					   enum uiommu_rule rule)
{
	uint32_t i;

	for (i = 0; i < machine->plan.reason_count; i++) {
		const struct uiommu_reason *reason = &machine->plan.reasons[i];

		if (reason->device == device && reason->rule == rule)
			return reason;
	}
	return NULL;
}

enum uiommu_domain_type machine_type(const struct machine *machine,
				     unsigned int bus, unsigned int device,
				     unsigned int function)
{
	uint32_t group = machine_device(machine, bus, device, function)->group;

	return group == UIOMMU_PLAN_NONE ? UIOMMU_DOMAIN_NONE
					 : machine->plan.groups[group].type;
}

const char *machine_says(struct machine *machine, struct uiommu_sid sid,
			 enum uiommu_rule rule)
{
	uint32_t i = uiommu_topology_find(&machine->topology, sid);
	const struct uiommu_reason *reason = machine_reason(machine, i, rule);

	if (reason == NULL)
		fail_msg("no reason %s", uiommu_rule_name(rule));
	uiommu_reason_text(&machine->plan, &machine->topology, reason,
			   machine->said, sizeof(machine->said));
	return machine->said;
}

static bool refers_to_table(enum uiommu_rule rule)
{
	switch (rule) {
	case UIOMMU_RULE_UNIT_OFF:
	case UIOMMU_RULE_UNIT_NONE:
	case UIOMMU_RULE_REGION_MSI:
	case UIOMMU_RULE_REGION_ISA:
		return false;
	case UIOMMU_RULE_TYPE_NO_IDENTITY:
	case UIOMMU_RULE_TYPE_NOT_LAZY:
		return true;
	default:
		return rule < UIOMMU_RULE_UNIT_NONE ||
		       rule >= UIOMMU_RULE_REGION_RMRR;
	}
}

/* A reason that refers to the table says where in it. */
static void check_numbers(const struct machine *machine,
			  const struct uiommu_reason *reason, const char *text)
{
	const char *record = strstr(text, "DMAR record ");
	unsigned int index, offset;

	assert_true(record != NULL || !refers_to_table(reason->rule));
	for (; record != NULL; record = strstr(record + 1, "DMAR record ")) {
		assert_int_equal(sscanf(record, "DMAR record %u at 0x%x",
					&index, &offset),
				 2);
		assert_true(index < machine->dmar.record_count);
		assert_int_equal(offset, machine->dmar.records[index].offset);
	}
}

/* One sentence of its own, whole in 200 bytes, that names who it is about. */
static void check_text(const struct machine *machine,
		       const struct uiommu_reason *reason)
{
	struct uiommu_sid own =
		machine->plan.aliases[machine->plan.devices[reason->device]
					      .alias_first];
	char text[200], cut[8], sid[24];
	uint32_t domain = own.segment;
	size_t size;

	size = uiommu_reason_text(&machine->plan, &machine->topology, reason,
				  text, sizeof(text));
	assert_true(size > 20 && size < sizeof(text));
	assert_int_equal(strlen(text), size);
	assert_null(strchr(text, '%'));
	assert_null(strchr(text, '\n'));
	assert_null(strstr(text, "4294967295"));
	assert_null(strstr(text, "unknown"));
	assert_null(strstr(text, "(null)"));
	assert_null(strstr(text, "no such"));
	if (reason->device < machine->topology.count) {
		own = machine->topology.functions[reason->device].sid;
		domain = machine->topology.functions[reason->device].domain;
	}
	snprintf(sid, sizeof(sid), "%04x:%02x:%02x.%u", domain,
		 UIOMMU_SID_BUS(own), UIOMMU_SID_DEV(own), UIOMMU_SID_FN(own));
	if (strstr(text, sid) == NULL)
		fail_msg("%s does not say %s: %s",
			 uiommu_rule_name(reason->rule), sid, text);
	check_numbers(machine, reason, text);
	assert_int_equal(uiommu_reason_text(&machine->plan, &machine->topology,
					    reason, cut, sizeof(cut)),
			 size);
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
}

/* The reasons of device @i begin at @at; returns where they end. */
static uint32_t check_reasons(const struct machine *machine, uint32_t i,
			      uint32_t at)
{
	const struct uiommu_plan *plan = &machine->plan;
	unsigned int units = 0, groups = 0, types = 0, regions = 0;

	/* Reasons "besides" the one for each decision are not counted. */

	for (; at < plan->reason_count && plan->reasons[at].device == i; at++) {
		enum uiommu_rule rule = plan->reasons[at].rule;

		check_text(machine, &plan->reasons[at]);
		if (rule <= UIOMMU_RULE_UNIT_HELD)
			units++;
		else if (rule <= UIOMMU_RULE_GROUP_APART)
			groups++;
		else if (rule <= UIOMMU_RULE_TYPE_BARRED_APART)
			types++;
		else if (rule >= UIOMMU_RULE_REGION_RMRR &&
			 rule <= UIOMMU_RULE_REGION_ISA)
			regions++;
	}
	assert_int_equal(units, 1);
	assert_int_equal(regions, plan->devices[i].region_count);
	if (plan->devices[i].unit == UIOMMU_PLAN_NONE) {
		assert_int_equal(groups + types, 0);
	} else {
		assert_true(groups >= 1);
		assert_int_equal(types, 1);
		assert_true(regions >= 1);
	}
	return at;
}

static void check_regions(const struct uiommu_plan *plan,
			  const struct uiommu_plan_device *device)
{
	const struct uiommu_region *regions =
		&plan->regions[device->region_first];
	uint32_t i, k;

	for (i = 0; i < device->region_count; i++) {
		assert_int_equal(regions[i].range.first & 0xfff, 0);
		assert_int_equal(regions[i].range.last & 0xfff, 0xfff);
		assert_true(regions[i].range.first <= regions[i].range.last);
		assert_true(i == 0 || regions[i - 1].range.first <=
					      regions[i].range.first);
		/* Of one type neither overlapping nor touching. */
		for (k = 0; k < i; k++)
			assert_true(regions[k].type != regions[i].type ||
				    regions[k].range.last + 1 <
					    regions[i].range.first);
	}
}

static void check_groups(const struct uiommu_plan *plan)
{
	uint32_t next = 0, lowest = 0;
	uint32_t i, k;

	for (i = 0; i < plan->group_count; i++) {
		const struct uiommu_plan_group *group = &plan->groups[i];

		assert_int_equal(group->member_first, next);
		assert_true(group->member_count >= 1);
		assert_true(group->type == UIOMMU_DOMAIN_DMA ||
			    group->type == UIOMMU_DOMAIN_DMA_FQ ||
			    group->type == UIOMMU_DOMAIN_BLOCKED ||
			    group->type == UIOMMU_DOMAIN_IDENTITY);
		next += group->member_count;
		for (k = 0; k < group->member_count; k++) {
			uint32_t member =
				plan->members[group->member_first + k];

			assert_int_equal(plan->devices[member].group, i);
			assert_true(k == 0 || plan->members[next - 1] > 0);
			if (k == 0) {
				assert_true(i == 0 || member > lowest);
				lowest = member;
			} else {
				assert_true(member >
					    plan->members[group->member_first +
							  k - 1]);
			}
		}
	}
	assert_int_equal(next, plan->member_count);
}

void machine_check(const struct machine *machine)
{
	const struct uiommu_plan *plan = &machine->plan;
	uint32_t aliases = 0, regions = 0, reason = 0;
	uint32_t i;

	assert_true(plan->device_count >= machine->topology.count);
	for (i = 0; i < plan->device_count; i++) {
		const struct uiommu_plan_device *device = &plan->devices[i];

		assert_int_equal(device->function, i < machine->topology.count
							   ? i
							   : UIOMMU_PCI_NONE);
		assert_int_equal(device->unit == UIOMMU_PLAN_NONE,
				 device->group == UIOMMU_PLAN_NONE);
		assert_int_equal(device->alias_first, aliases);
		assert_true(device->alias_count >= 1);
		if (i < machine->topology.count &&
		    !machine->topology.functions[i].has_requester)
			assert_int_equal(
				plan->aliases[aliases].rid,
				machine->topology.functions[i].sid.rid);
		aliases += device->alias_count;
		assert_int_equal(device->region_first, regions);
		regions += device->region_count;
		check_regions(plan, device);
		reason = check_reasons(machine, i, reason);
	}
	assert_int_equal(aliases, plan->alias_count);
	assert_int_equal(regions, plan->region_count);
	assert_int_equal(reason, plan->reason_count);
	check_groups(plan);
}
