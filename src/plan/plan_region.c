// SPDX-License-Identifier: MIT
/*
 * Which addresses are not a device's to use freely.
 *
 * Specification: "Intel Virtualization Technology for Directed I/O", "Reserved
 * Memory Region Reporting Structure" and "Handling Requests to Interrupt
 * Address Range".
 *
 * A device has the regions whose scope names it or a bridge above it, in whole
 * pages, and the interrupt window. Regions of one type that overlap or touch
 * become one; those of different types never do.
 */
#include "base/format.h"
#include "base/sort.h"
#include "plan/plan.h"
#include "plan/plan_config.h"

#define PLAN_MSI_FIRST ((uint64_t)0xfee00000)
#define PLAN_MSI_LAST ((uint64_t)0xfeefffff)
#define PLAN_CLASS_DISPLAY 0x03
#define PLAN_CLASS_USB 0x0c03
#define PLAN_CLASS_ISA 0x0601
#define PLAN_ISA_LAST ((uint64_t)0xffffff)
/* An RMRR structure, up to its limit; see "Reserved Memory Region Reporting
 * Structure". */
#define PLAN_RMRR_BASE 8
#define PLAN_RMRR_LIMIT 16
#define PLAN_RMRR_SIZE 24
#define PLAN_REGION_TYPES ((unsigned int)UIOMMU_REGION_MSI + 1)

/*
 * A user may take over a USB controller or a display: what firmware kept in
 * their memory (legacy keyboard, boot screen) ends with that.
 */
static enum uiommu_region_type
plan_direct_type(const struct uiommu_pci_function *function)
{
	if (function->class_code >> 8 == PLAN_CLASS_USB ||
	    function->class_code >> 16 == PLAN_CLASS_DISPLAY)
		return UIOMMU_REGION_DIRECT_RELAXABLE;
	return UIOMMU_REGION_DIRECT;
}

/* Index of the first name of @device or a later one. */
static uint32_t plan_names_of(const struct plan_work *work, uint32_t device)
{
	uint32_t low = 0, high = work->name_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (work->names[middle].device < device)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t uiommu_plan_count_regions(const struct plan_work *work)
{
	const struct uiommu_topology *topology = work->topology;
	/* Each has the interrupt window, an ISA bridge another one. */
	uint64_t count = 2 * (uint64_t)work->plan.device_count;
	uint32_t i, k, left;

	/* Of devices without a function; there is no bridge above them. */
	count += work->name_count - plan_names_of(work, work->function_count);
	for (i = 0; i < topology->count; i++) {
		left = PLAN_MOST_BRIDGES;
		for (k = i; k != UIOMMU_PCI_NONE && left != 0; left--) {
			count += plan_names_of(work, k + 1) -
				 plan_names_of(work, k);
			k = uiommu_plan_above(topology, k);
		}
	}
	return count;
}

static uint64_t plan_read64(const uint8_t *bytes)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 8; i != 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

/*
 * Linux lists what the table says, to the byte. Whoever asks for its rules
 * gets the same; mapped are whole pages anyway.
 */
static struct uiommu_range plan_rmrr_range(const struct plan_work *work,
					   uint32_t record)
{
	const struct uiommu_dmar *dmar = work->input->dmar;
	const struct uiommu_dmar_record *rmrr = &dmar->records[record];
	struct uiommu_range pages = rmrr->range;
	struct uiommu_range exact;

	pages.first &= ~UIOMMU_PAGE_MASK;
	pages.last |= UIOMMU_PAGE_MASK;
	if (work->input->rules != UIOMMU_RULES_LINUX ||
	    rmrr->length < PLAN_RMRR_SIZE || dmar->size < PLAN_RMRR_SIZE ||
	    rmrr->offset > dmar->size - PLAN_RMRR_SIZE)
		return pages;
	exact.first = plan_read64(dmar->table + rmrr->offset + PLAN_RMRR_BASE);
	exact.last = plan_read64(dmar->table + rmrr->offset + PLAN_RMRR_LIMIT);
	if ((exact.first & ~UIOMMU_PAGE_MASK) != pages.first ||
	    (exact.last | UIOMMU_PAGE_MASK) != pages.last)
		return pages;
	return exact;
}

static bool plan_has_isa_range(const struct plan_work *work, uint32_t device)
{
	enum uiommu_choice choice = work->input->options.isa_range;

	if (device >= work->topology->count)
		return false;
	if (work->topology->functions[device].class_code >> 8 != PLAN_CLASS_ISA)
		return false;
	if (choice == UIOMMU_CHOICE_DEFAULT)
		return UIOMMU_CONFIG_ISA_RANGE;
	return choice == UIOMMU_CHOICE_YES;
}

static uint32_t plan_add_named(const struct plan_work *work, uint32_t device,
			       enum uiommu_region_type type,
			       struct uiommu_region *regions)
{
	uint32_t end = plan_names_of(work, device + 1);
	uint32_t count = 0;
	uint32_t i;

	for (i = plan_names_of(work, device); i < end; i++) {
		uint32_t record = work->names[i].record;
		struct uiommu_region *region = &regions[count++];

		region->range = plan_rmrr_range(work, record);
		region->type = type;
		region->prot = UIOMMU_PROT_READ | UIOMMU_PROT_WRITE;
		region->record = record;
	}
	return count;
}

static bool plan_region_less(const void *a, const void *b)
{
	const struct uiommu_region *one = a;
	const struct uiommu_region *two = b;

	if (one->range.first != two->range.first)
		return one->range.first < two->range.first;
	if (one->type != two->type)
		return one->type < two->type;
	return one->record < two->record;
}

/* Of the sorted @regions; returns how many are left. */
static uint32_t plan_merge(struct uiommu_region *regions, uint32_t count)
{
	struct uiommu_region *last[PLAN_REGION_TYPES] = { NULL };
	uint32_t kept = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct uiommu_region *before = last[regions[i].type];
		struct uiommu_range range = regions[i].range;

		/* first - 1 wraps at 0 only, where it is not below anything. */
		if (before == NULL || (range.first > before->range.last &&
				       range.first - 1 != before->range.last)) {
			regions[kept] = regions[i];
			last[regions[i].type] = &regions[kept++];
		} else if (range.last > before->range.last) {
			before->range.last = range.last;
		}
	}
	return kept;
}

static uint32_t plan_device_regions(const struct plan_work *work,
				    uint32_t device,
				    struct uiommu_region *regions)
{
	const struct uiommu_topology *topology = work->topology;
	enum uiommu_region_type type = UIOMMU_REGION_DIRECT;
	uint32_t i = work->plan.devices[device].function;
	uint32_t left = PLAN_MOST_BRIDGES;
	uint32_t count = 0;

	if (i != UIOMMU_PCI_NONE)
		type = plan_direct_type(&topology->functions[i]);
	else
		count = plan_add_named(work, device, type, regions);
	for (; i != UIOMMU_PCI_NONE && left != 0; left--) {
		count += plan_add_named(work, i, type, &regions[count]);
		i = uiommu_plan_above(topology, i);
	}
	if (plan_has_isa_range(work, device)) {
		regions[count].range.first = 0;
		regions[count].range.last = PLAN_ISA_LAST;
		regions[count].type = UIOMMU_REGION_DIRECT_RELAXABLE;
		regions[count].prot = UIOMMU_PROT_READ | UIOMMU_PROT_WRITE;
		regions[count++].record = UIOMMU_PLAN_NONE;
	}
	regions[count].range.first = PLAN_MSI_FIRST;
	regions[count].range.last = PLAN_MSI_LAST;
	regions[count].type = UIOMMU_REGION_MSI;
	regions[count].prot = 0;
	regions[count++].record = UIOMMU_PLAN_NONE;
	uiommu_sort(regions, count, sizeof(*regions), plan_region_less);
	return plan_merge(regions, count);
}

/* The one list that allocation, mapping and people go by. */
static void plan_group_regions(struct plan_work *work, uint32_t index)
{
	struct uiommu_plan *plan = &work->plan;
	struct uiommu_plan_group *group = &plan->groups[index];
	struct uiommu_region *regions =
		&plan->group_regions[plan->group_region_count];
	struct plan_note *note = &work->notes[index];
	uint32_t count = 0;
	uint32_t i, k;

	for (i = 0; i < group->member_count; i++) {
		uint32_t member = plan->members[group->member_first + i];
		const struct uiommu_plan_device *device =
			&plan->devices[member];

		for (k = 0; k < device->region_count; k++) {
			uint32_t at = device->region_first + k;

			regions[count++] = plan->regions[at];
			if (plan->regions[at].type != UIOMMU_REGION_DIRECT ||
			    note->keeper != UIOMMU_PLAN_NONE)
				continue;
			note->keeper = member;
			note->kept = at;
		}
	}
	uiommu_sort(regions, count, sizeof(*regions), plan_region_less);
	group->region_first = plan->group_region_count;
	group->region_count = plan_merge(regions, count);
	plan->group_region_count += group->region_count;
}

void uiommu_plan_regions(struct plan_work *work)
{
	struct uiommu_plan *plan = &work->plan;
	uint32_t i;

	for (i = 0; i < plan->device_count; i++) {
		struct uiommu_plan_device *device = &plan->devices[i];

		device->region_first = plan->region_count;
		if (device->unit == UIOMMU_PLAN_NONE)
			continue;
		device->region_count = plan_device_regions(
			work, i, &plan->regions[plan->region_count]);
		plan->region_count += device->region_count;
	}
	for (i = 0; i < plan->group_count; i++)
		plan_group_regions(work, i);
}

static bool plan_overlap(struct uiommu_range a, struct uiommu_range b)
{
	return a.first <= b.last && b.first <= a.last;
}

static bool plan_in_ram(const struct plan_work *work, struct uiommu_range range)
{
	uint32_t i;

	for (i = 0; i < work->input->ram_count; i++) {
		if (plan_overlap(work->input->ram[i], range))
			return true;
	}
	return false;
}

/* What is odd about what firmware asks for. */
static void plan_say_odd(struct plan_work *work, uint32_t device,
			 uint32_t index)
{
	const struct uiommu_region *region = &work->plan.regions[index];
	struct uiommu_range msi = { PLAN_MSI_FIRST, PLAN_MSI_LAST };

	if (plan_in_ram(work, region->range))
		uiommu_plan_say(work, UIOMMU_RULE_REGION_IN_RAM, device,
				region->record, index);
	if (plan_overlap(region->range, msi))
		uiommu_plan_say(work, UIOMMU_RULE_REGION_IN_MSI, device,
				region->record, index);
}

void uiommu_plan_say_regions(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan_device *decided = &work->plan.devices[device];
	const struct plan_note *group;
	uint32_t i;

	for (i = 0; i < decided->region_count; i++) {
		uint32_t index = decided->region_first + i;
		const struct uiommu_region *region = &work->plan.regions[index];
		enum uiommu_rule rule = UIOMMU_RULE_REGION_RMRR;

		if (region->type == UIOMMU_REGION_MSI)
			rule = UIOMMU_RULE_REGION_MSI;
		else if (region->record == UIOMMU_PLAN_NONE)
			rule = UIOMMU_RULE_REGION_ISA;
		uiommu_plan_say(work, rule, device, region->record, index);
		if (rule == UIOMMU_RULE_REGION_RMRR)
			plan_say_odd(work, device, index);
	}
	if (decided->group == UIOMMU_PLAN_NONE)
		return;
	group = &work->notes[decided->group];
	if (group->keeper != UIOMMU_PLAN_NONE)
		uiommu_plan_say(work, UIOMMU_RULE_REGION_NOT_USER, device,
				group->keeper, group->kept);
}

size_t uiommu_region_line(const struct uiommu_region *region, char *text,
			  size_t size)
{
	return uiommu_format(text, size, "0x%016llx 0x%016llx %s\n",
			     (unsigned long long)region->range.first,
			     (unsigned long long)region->range.last,
			     uiommu_region_type_name(region->type));
}
