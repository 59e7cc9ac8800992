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
#include "plan/plan.h"

#define PLAN_MSI_FIRST ((uint64_t)0xfee00000)
#define PLAN_MSI_LAST ((uint64_t)0xfeefffff)
#define PLAN_CLASS_DISPLAY 0x03
#define PLAN_CLASS_USB 0x0c03
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

/* Index of the first name of @function or a later one. */
static uint32_t plan_names_of(const struct plan_work *work, uint32_t function)
{
	uint32_t low = 0, high = work->name_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (work->names[middle].function < function)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t uiommu_plan_count_regions(const struct plan_work *work)
{
	const struct uiommu_topology *topology = work->topology;
	/* Of devices without a function: the interrupt window. */
	uint64_t count = work->plan.device_count - work->function_count;
	uint32_t i, k, left;

	for (i = 0; i < topology->count; i++) {
		count++; /* the interrupt window */
		left = PLAN_MOST_BRIDGES;
		for (k = i; k != UIOMMU_PCI_NONE && left != 0; left--) {
			count += plan_names_of(work, k + 1) -
				 plan_names_of(work, k);
			k = uiommu_plan_above(topology, k);
		}
	}
	return count;
}

static uint32_t plan_add_named(const struct plan_work *work, uint32_t function,
			       enum uiommu_region_type type,
			       struct uiommu_region *regions)
{
	uint32_t end = plan_names_of(work, function + 1);
	uint32_t count = 0;
	uint32_t i;

	for (i = plan_names_of(work, function); i < end; i++) {
		uint32_t record = work->names[i].record;
		struct uiommu_region *region = &regions[count++];

		region->range = work->input->dmar->records[record].range;
		region->range.first &= ~UIOMMU_PAGE_MASK;
		region->range.last |= UIOMMU_PAGE_MASK;
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
	for (; i != UIOMMU_PCI_NONE && left != 0; left--) {
		count += plan_add_named(work, i, type, &regions[count]);
		i = uiommu_plan_above(topology, i);
	}
	regions[count].range.first = PLAN_MSI_FIRST;
	regions[count].range.last = PLAN_MSI_LAST;
	regions[count].type = UIOMMU_REGION_MSI;
	regions[count].prot = 0;
	regions[count++].record = UIOMMU_PLAN_NONE;
	uiommu_plan_sort(regions, count, sizeof(*regions), plan_region_less);
	return plan_merge(regions, count);
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
}

void uiommu_plan_say_regions(struct plan_work *work, uint32_t device)
{
	const struct uiommu_plan_device *decided = &work->plan.devices[device];
	uint32_t i;

	for (i = 0; i < decided->region_count; i++) {
		uint32_t index = decided->region_first + i;
		uint32_t record = work->plan.regions[index].record;

		uiommu_plan_say(work,
				record == UIOMMU_PLAN_NONE
					? UIOMMU_RULE_REGION_MSI
					: UIOMMU_RULE_REGION_RMRR,
				device, record, index);
	}
}
