// SPDX-License-Identifier: MIT
/* Who a fault's requester is, what lies at the address, and the likely cause. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fault_log.h"

#define FAULT_MSI_FIRST ((uint64_t)0xfee00000)
#define FAULT_MSI_LAST ((uint64_t)0xfeefffff)
#define FAULT_CAP_MGAW UIOMMU_MASK64(21, 16) /* "Capability Register" */

enum fault_cause_index {
	CAUSE_STALE,
	CAUSE_GUEST,
	CAUSE_NULL,
	CAUSE_MSI,
	CAUSE_OWN_REGION,
	CAUSE_OTHERS_RMRR,
	CAUSE_NO_RMRR,
	CAUSE_RAM,
	CAUSE_NO_MEMORY,
	CAUSE_ALIAS,
	CAUSE_BLOCKED,
	CAUSE_NO_DOMAIN,
	CAUSE_CONTEXT,
	CAUSE_TABLES,
	CAUSE_WIDTH,
	CAUSE_ATS,
	CAUSE_TO_MSI,
	CAUSE_PASID,
	CAUSE_PRIVILEGE,
	CAUSE_SNOOP,
	CAUSE_IR_ENTRY,
	CAUSE_IR_FOREIGN,
	CAUSE_IR_BLOCKED,
	CAUSE_IR_TABLES,
	CAUSE_NOT_TOLD,
};

static const struct fault_cause fault_causes[] = {
	[CAUSE_STALE] = { "STALE",
			  "the device used an address that its driver has "
			  "unmapped, or never mapped",
			  "report it to the driver's authors; booting with "
			  "iommu.strict=1 makes late accesses fault at once, "
			  "which tells a stale address from a wild one" },
	[CAUSE_GUEST] = { "GUEST",
			  "the device is in the hands of a user (vfio), whose "
			  "driver named an address outside the memory that it "
			  "was given",
			  "look for the fault in the guest or the program that "
			  "holds the device; the host is safe" },
	[CAUSE_NULL] = { "NULL",
			 "the device was told no address at all: a descriptor "
			 "that its driver did not fill in, or had cleared "
			 "before the device stopped",
			 "report it to the driver's authors, with what the "
			 "device did just before (reset, suspend, unbind)" },
	[CAUSE_MSI] = { "MSI",
			"the address is where interrupts are written to, and "
			"this was no such write",
			"look for a driver that sends data to, or reads from, "
			"an address it has for an interrupt" },
	[CAUSE_OWN_REGION] = { "OWN_REGION",
			       "firmware's table asks for this memory to stay "
			       "mapped for the device, and it was not: the "
			       "device is in another domain than its default "
			       "one, or in none",
			       "do not hand the device to a user while "
			       "firmware uses it; if nobody did, report it to "
			       "the kernel's authors" },
	[CAUSE_OTHERS_RMRR] = { "OTHERS_RMRR",
				"firmware lets this device use memory that its "
				"table allows to others alone: an RMRR names "
				"too few devices",
				"ask the vendor for firmware whose RMRR names "
				"this device too; until then iommu=pt lets it "
				"pass, or turn off what uses the memory "
				"(legacy USB, remote management)" },
	[CAUSE_NO_RMRR] = { "NO_RMRR",
			    "firmware has the device use memory of its own "
			    "that no RMRR of its table asks for",
			    "ask the vendor for firmware that lists it; until "
			    "then iommu=pt lets it pass, or turn off what uses "
			    "the memory (legacy USB, remote management)" },
	[CAUSE_RAM] = { "RAM",
			"the address is one of the host's memory: the device "
			"may have been given a physical address, or run on "
			"since firmware or the kernel before this one (kexec); "
			"if not, an unmapped address that looks like one",
			"find out whether the driver was loaded when it "
			"happened; if it was, report it to the driver's "
			"authors, if not, have the device reset before the "
			"hand-over; iommu=pt only hides it" },
	[CAUSE_NO_MEMORY] = { "NO_MEMORY",
			      "the device's domain maps all of the host's "
			      "memory 1:1, so the address is of no memory at "
			      "all, or was added since",
			      "report it to the driver's authors; check the "
			      "device's firmware" },
	[CAUSE_ALIAS] = { "ALIAS",
			  "no function of the machine asks under this "
			  "requester id: a device uses one that is not its "
			  "own, and the kernel does not know of that alias",
			  "the kernel needs a quirk that names the alias for "
			  "the device's model; report model and requester id; "
			  "iommu=pt does not help, another slot or "
			  "intel_iommu=off does" },
	[CAUSE_BLOCKED] = { "BLOCKED",
			    "the device's group is blocked: it requires a type "
			    "of domain that cannot be made",
			    "uiommu explain says what is required and what "
			    "stands against it" },
	[CAUSE_NO_DOMAIN] = { "NO_DOMAIN",
			      "the device asks while it is in no domain: left "
			      "running by firmware, on its way to or from a "
			      "guest, or in front of a driver that is not "
			      "loaded yet",
			      "a few at boot do no harm; if they go on, reset "
			      "or unbind the device, or turn it off in "
			      "firmware" },
	[CAUSE_CONTEXT] = { "CONTEXT",
			    "the kernel set the requester up in a way that "
			    "this unit does not offer",
			    "report it to the kernel's authors with the unit's "
			    "capabilities (uiommu units); intel_iommu=sm_off "
			    "may avoid it" },
	[CAUSE_TABLES] = { "TABLES",
			   "the unit's tables in memory are damaged or were "
			   "freed: overwritten memory, a kernel bug, or bad "
			   "RAM",
			   "test the memory, then report it to the kernel's "
			   "authors; do not trust the machine until it is "
			   "found" },
	[CAUSE_WIDTH] = { "WIDTH",
			  "the device used an address with more bits than can "
			  "be translated: a garbled descriptor, a wrong DMA "
			  "mask, or a guest with more address bits than the "
			  "unit",
			  "report it to the driver's authors; in a virtual "
			  "machine give the guest's CPU fewer address bits" },
	[CAUSE_ATS] = { "ATS",
			"the device asked for translations, or used its own, "
			"without leave",
			"pci=noats keeps all devices from it; if it then "
			"still happens, the device is broken or hostile" },
	[CAUSE_TO_MSI] = { "TO_MSI",
			   "what the device was given leads into the interrupt "
			   "range, where nothing may be mapped",
			   "whoever maps for the device (a driver, a guest's "
			   "monitor) has to leave 0xfee00000-0xfeefffff out" },
	[CAUSE_PASID] = { "PASID",
			  "the device works in an address space (PASID) that "
			  "is not set up, or is gone already",
			  "check that the process or work queue was alive; if "
			  "it was, report it to the driver's authors" },
	[CAUSE_PRIVILEGE] = { "PRIVILEGE",
			      "the page is there, but not for what the device "
			      "wants with it",
			      "check the protection of the memory that the "
			      "program gave to the device, then the driver" },
	[CAUSE_SNOOP] = { "SNOOP",
			  "the unit must mark pages as used, and was set up "
			  "not to keep its tables coherent",
			  "report it to the kernel's authors; "
			  "intel_iommu=sm_off avoids it" },
	[CAUSE_IR_ENTRY] = { "IR_ENTRY",
			     "the device, or an I/O APIC, sent an interrupt "
			     "that was taken from it, or that firmware set up",
			     "a few at boot, kexec or unbinding do no harm; if "
			     "they go on, look for the device's driver and for "
			     "newer firmware" },
	[CAUSE_IR_FOREIGN] = { "IR_FOREIGN",
			       "an interrupt came under another requester id "
			       "than it was set up for: a bridge or a device "
			       "with an alias that the kernel does not know, "
			       "or an I/O APIC that the table names wrongly",
			       "compare the requester id with the scopes of "
			       "uiommu dmar; intremap=nosid avoids it, at the "
			       "price of isolation" },
	[CAUSE_IR_BLOCKED] = { "IR_BLOCKED",
			       "the sender was never told to use remapping: "
			       "set up by firmware, by a guest directly, or "
			       "not for interrupts at all",
			       "look for the sender's driver; intremap=off "
			       "lets such interrupts pass, and gives up "
			       "isolation" },
	[CAUSE_IR_TABLES] = { "IR_TABLES",
			      "the interrupt remapping table or the request "
			      "is damaged: overwritten memory, a kernel bug, "
			      "or a broken device",
			      "test the memory, then report it to the kernel's "
			      "authors" },
	[CAUSE_NOT_TOLD] = { "NOT_TOLD", "not known, as the reason is not",
			     "give the whole line, and the one after it on "
			     "old kernels" },
};

static void fault_place(struct fault_story *story, const char *fmt, ...)
	UIOMMU_PRINTF(2, 3);

static void fault_place(struct fault_story *story, const char *fmt, ...)
{
	va_list args;

	if (story->place_count == FAULT_PLACES_MOST)
		return;
	va_start(args, fmt);
	vsnprintf(story->places[story->place_count++], sizeof(story->places[0]),
		  fmt, args);
	va_end(args);
}

static bool fault_within(struct uiommu_range range, uint64_t address)
{
	return address >= range.first && address <= range.last;
}

static bool fault_is_sid(const struct study *study, const struct fault *fault,
			 struct uiommu_sid sid)
{
	return sid.rid == fault->rid &&
	       (!fault->has_domain ||
		machine_domain(study->machine, sid.segment) == fault->domain);
}

/* Does the device ask under the fault's requester id, and in which segment? */
static bool fault_asks(const struct study *study, uint32_t device,
		       const struct fault *fault, uint16_t *segment)
{
	const struct uiommu_plan_device *d = &study->plan.devices[device];

	for (uint32_t i = 0; i < d->alias_count; i++) {
		struct uiommu_sid sid = study->plan.aliases[d->alias_first + i];

		if (!fault_is_sid(study, fault, sid))
			continue;
		*segment = sid.segment;
		return true;
	}
	return false;
}

/* The first function of its slot, or the bridge to its bus. */
static uint32_t fault_nearby(const struct study *study,
			     const struct fault *fault)
{
	const struct uiommu_topology *topology = &study->machine->topology;
	uint32_t above = UIOMMU_PLAN_NONE;

	for (uint32_t i = 0; i < topology->count; i++) {
		const struct uiommu_pci_function *f = &topology->functions[i];

		if (f->domain != fault->domain)
			continue;
		if (f->sid.rid >> 3 == fault->rid >> 3)
			return i;
		if (f->header_type == 1 && f->secondary_bus == fault->rid >> 8)
			above = i;
	}
	return above;
}

/* I/O APICs and timers are no functions; the table says what they ask as. */
static void fault_chip(struct fault_story *story, const struct study *study)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	struct uiommu_sid sid;
	uint8_t device, function;

	for (uint32_t i = 0; study->table && i < dmar->scope_count; i++) {
		const struct uiommu_dmar_scope *s = &dmar->scopes[i];

		if (!s->usable || s->path_count != 1 ||
		    (s->type != UIOMMU_SCOPE_IOAPIC &&
		     s->type != UIOMMU_SCOPE_HPET) ||
		    uiommu_dmar_path(dmar, s, 0, &device, &function))
			continue;
		sid.segment = dmar->records[s->record].segment;
		sid.rid = (uint16_t)(s->start_bus << 8 | device << 3 |
				     function);
		if (!fault_is_sid(study, story->fault, sid))
			continue;
		snprintf(story->chip, sizeof(story->chip),
			 "%s %u, by the scope at offset 0x%x of the table",
			 s->type == UIOMMU_SCOPE_IOAPIC
				 ? "the I/O APIC with id"
				 : "the timer block (HPET)",
			 s->enumeration_id, s->offset);
		return;
	}
}

static void fault_find(struct fault_story *story, const struct study *study)
{
	const struct fault *fault = story->fault;
	uint16_t segment = 0, first = 0;
	uint32_t device;

	for (uint32_t i = 0; i < study->plan.device_count; i++) {
		if (!fault_asks(study, i, fault, &segment))
			continue;
		if (!story->asker_count)
			first = segment;
		if (segment != first) {
			story->segments = true;
			continue;
		}
		if (story->asker_count < FAULT_ASKERS_MOST)
			story->askers[story->asker_count] = i;
		story->asker_count++;
		if (story->group == UIOMMU_PLAN_NONE)
			story->group = study->plan.devices[i].group;
	}
	if (story->fault->access == FAULT_INTERRUPT || !story->asker_count)
		fault_chip(story, study);
	if (!story->asker_count) {
		if (!*story->chip)
			story->like = fault_nearby(study, fault);
		return;
	}
	device = uiommu_topology_find(&study->machine->topology,
				      (struct uiommu_sid){ first, fault->rid });
	if (device != UIOMMU_PCI_NONE)
		story->device = device;
}

/* Devices that firmware asks this memory for. */
static void fault_rmrr_devices(const struct study *study, uint32_t record,
			       char *text, size_t size)
{
	const struct uiommu_plan *plan = &study->plan;
	char name[300];
	size_t used = 0;

	snprintf(text, size, "devices that the machine does not have");
	for (uint32_t i = 0; i < plan->device_count && used < size; i++) {
		const struct uiommu_plan_device *d = &plan->devices[i];

		for (uint32_t k = 0; k < d->region_count; k++) {
			if (plan->regions[d->region_first + k].record != record)
				continue;
			study_device_name(study, i, name, sizeof(name));
			used += (size_t)snprintf(text + used, size - used,
						 "%s%.40s", used ? ", " : "",
						 name);
			break;
		}
	}
}

/* Regions of its own group; true if it is in a direct one. */
static bool fault_own_region(struct fault_story *story,
			     const struct study *study)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	const struct uiommu_plan_group *g;
	bool direct = false;

	if (story->group == UIOMMU_PLAN_NONE)
		return false;
	g = &study->plan.groups[story->group];
	for (uint32_t i = 0; i < g->region_count; i++) {
		const struct uiommu_region *r =
			&study->plan.group_regions[g->region_first + i];

		if (r->type == UIOMMU_REGION_MSI ||
		    !fault_within(r->range, story->fault->address))
			continue;
		direct |= r->type != UIOMMU_REGION_RESERVED;
		fault_place(story,
			    "in a region of its group: 0x%llx-0x%llx %s%s",
			    (unsigned long long)r->range.first,
			    (unsigned long long)r->range.last,
			    uiommu_region_type_name(r->type),
			    r->record < dmar->record_count
				    ? ", from an RMRR of the table"
				    : "");
	}
	return direct;
}

/* Memory that firmware asks for, for others. */
static bool fault_others_rmrr(struct fault_story *story,
			      const struct study *study)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	bool found = false;
	char names[140];

	for (uint32_t i = 0; study->table && i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *r = &dmar->records[i];

		if (r->type != UIOMMU_DMAR_RMRR || !r->usable ||
		    !fault_within(r->range, story->fault->address))
			continue;
		found = true;
		fault_rmrr_devices(study, i, names, sizeof(names));
		fault_place(story,
			    "in the RMRR 0x%llx-0x%llx (offset 0x%x of the "
			    "table), which is for %s",
			    (unsigned long long)r->range.first,
			    (unsigned long long)r->range.last, r->offset,
			    names);
	}
	return found;
}

/* The narrowest range of the host's memory map around it; NULL: none. */
static const struct machine_range *fault_memory(struct fault_story *story,
						const struct study *study)
{
	const struct machine *m = study->machine;
	const struct machine_range *found = NULL;

	for (uint32_t i = 0; i < m->memory_count; i++) {
		struct uiommu_range r = m->memory[i].range;

		if (fault_within(r, story->fault->address) &&
		    (!found ||
		     r.last - r.first < found->range.last - found->range.first))
			found = &m->memory[i];
	}
	if (found)
		fault_place(story,
			    "taken as an address of the host, in '%s' "
			    "0x%llx-0x%llx",
			    found->kind, (unsigned long long)found->range.first,
			    (unsigned long long)found->range.last);
	return found;
}

/* Beyond what its unit, or the host, has bits for? */
static void fault_width(struct fault_story *story, const struct study *study)
{
	const struct uiommu_dmar *dmar = &study->machine->dmar;
	const struct machine_unit *u = NULL;
	unsigned int width = dmar->address_width;
	uint32_t unit = UIOMMU_PLAN_NONE;

	if (story->asker_count)
		unit = study->plan.devices[story->askers[0]].unit;
	if (unit < dmar->record_count)
		u = machine_unit_at(study->machine,
				    dmar->records[unit].range.first);
	if (u)
		width = (unsigned int)UIOMMU_GET64(FAULT_CAP_MGAW, u->cap) + 1;
	if (width && width < 64 && story->fault->address >> width)
		fault_place(story, "beyond the %u bits of address that %s %u",
			    width,
			    u ? "its unit translates; all"
			      : "the table gives the host; all",
			    width);
}

static bool fault_is_firmwares(const struct machine_range *memory)
{
	return memory && (!strncmp(memory->kind, "Reserved", 8) ||
			  !strncmp(memory->kind, "reserved", 8) ||
			  !strncmp(memory->kind, "ACPI", 4));
}

static bool fault_is_given(const struct fault_story *story,
			   const struct study *study)
{
	const struct machine_function *f;

	if (story->device == UIOMMU_PLAN_NONE)
		return false;
	f = machine_find(study->machine,
			 study->machine->topology.functions[story->device].sid);
	return f && !strncmp(f->driver, "vfio", 4);
}

/* What lies at the address, and what that says of an unmapped one. */
static enum fault_cause_index fault_address(struct fault_story *story,
					    const struct study *study)
{
	uint64_t address = story->fault->address;
	const struct machine_range *memory;
	bool own, others, msi, identity;

	msi = address >= FAULT_MSI_FIRST && address <= FAULT_MSI_LAST;
	if (address < UIOMMU_PAGE_SIZE)
		fault_place(story, "in the first page, which no driver is "
				   "given: as good as no address");
	if (msi)
		fault_place(story, "in the interrupt range "
				   "0xfee00000-0xfeefffff");
	if (!study)
		return address < UIOMMU_PAGE_SIZE ? CAUSE_NULL
		       : msi			  ? CAUSE_MSI
						  : CAUSE_STALE;
	own = fault_own_region(story, study);
	others = !own && fault_others_rmrr(story, study);
	memory = fault_memory(story, study);
	fault_width(story, study);
	identity = story->group != UIOMMU_PLAN_NONE &&
		   study->plan.groups[story->group].type ==
			   UIOMMU_DOMAIN_IDENTITY;
	if (fault_is_given(story, study))
		return CAUSE_GUEST;
	if (own)
		return CAUSE_OWN_REGION;
	if (address < UIOMMU_PAGE_SIZE)
		return CAUSE_NULL;
	if (msi)
		return CAUSE_MSI;
	if (others)
		return CAUSE_OTHERS_RMRR;
	if (fault_is_firmwares(memory))
		return CAUSE_NO_RMRR;
	if (identity)
		return CAUSE_NO_MEMORY;
	return memory && !strcmp(memory->kind, "System RAM") ? CAUSE_RAM
							     : CAUSE_STALE;
}

static enum fault_cause_index fault_context(const struct fault_story *story,
					    const struct study *study)
{
	if (study && study->machine->topology.count && !story->asker_count &&
	    !*story->chip)
		return CAUSE_ALIAS;
	if (study && story->group != UIOMMU_PLAN_NONE &&
	    study->plan.groups[story->group].type == UIOMMU_DOMAIN_BLOCKED)
		return CAUSE_BLOCKED;
	return CAUSE_NO_DOMAIN;
}

static enum fault_cause_index fault_why(const struct fault_story *story,
					const struct study *study,
					enum fault_cause_index address)
{
	static const enum fault_cause_index causes[] = {
		[FAULT_CONTEXT] = CAUSE_CONTEXT,
		[FAULT_TABLES] = CAUSE_TABLES,
		[FAULT_WIDTH] = CAUSE_WIDTH,
		[FAULT_ATS] = CAUSE_ATS,
		[FAULT_TO_MSI] = CAUSE_TO_MSI,
		[FAULT_PASID] = CAUSE_PASID,
		[FAULT_PRIVILEGE] = CAUSE_PRIVILEGE,
		[FAULT_SNOOP] = CAUSE_SNOOP,
		[FAULT_IR_ENTRY] = CAUSE_IR_ENTRY,
		[FAULT_IR_FOREIGN] = CAUSE_IR_FOREIGN,
		[FAULT_IR_BLOCKED] = CAUSE_IR_BLOCKED,
		[FAULT_IR_TABLES] = CAUSE_IR_TABLES,
	};

	if (!story->reason)
		return CAUSE_NOT_TOLD;
	if (story->reason->kind == FAULT_UNMAPPED)
		return address;
	if (story->reason->kind == FAULT_NO_CONTEXT)
		return fault_context(story, study);
	return causes[story->reason->kind];
}

void fault_tell(struct fault_story *story, const struct study *study,
		const struct fault *fault)
{
	enum fault_cause_index address = CAUSE_STALE;

	memset(story, 0, sizeof(*story));
	story->fault = fault;
	story->reason = fault_reason(fault->reason);
	story->device = UIOMMU_PLAN_NONE;
	story->like = UIOMMU_PLAN_NONE;
	story->group = UIOMMU_PLAN_NONE;
	if (study)
		fault_find(story, study);
	if (fault->access != FAULT_INTERRUPT)
		address = fault_address(story, study);
	story->cause = &fault_causes[fault_why(story, study, address)];
}
