// SPDX-License-Identifier: MIT
/* The units and their capabilities, then the table of devices. */
#include "demo.h"

static void show_unit(const struct uiommu_unit_info *info, uint32_t index)
{
	printf("unit %u at %llx, version %u.%u, cap %llx, ecap %llx\n", index,
	       (unsigned long long)info->base, info->version_major,
	       info->version_minor, (unsigned long long)info->capability,
	       (unsigned long long)info->extended_capability);
	printf("  %u address bits, %u levels, %u domain ids, %u fault "
	       "records\n",
	       info->address_bits, info->levels, info->domain_ids,
	       info->fault_records);
	printf("  invalidates by %s; %s walks%s%s%s; %s\n",
	       info->queued ? "queue" : "registers",
	       info->coherent ? "coherent" : "non-coherent",
	       info->caching ? ", caching mode" : "",
	       info->passthrough ? ", pass-through" : "",
	       info->snoop ? ", snoop control" : "",
	       info->broken	   ? "BROKEN"
	       : info->translating ? "translating"
				   : "not translating");
}

void demo_show_units(struct demo *d)
{
	struct uiommu_unit_info info;
	uint32_t count = 0;
	bool translating = true;

	printf("\n");
	while (!uiommu_unit_info(d->uiommu, count, &info)) {
		show_unit(&info, count);
		translating = translating && info.translating && !info.broken;
		count++;
	}
	demo_check(d, count && translating, "units: %u, all translating",
		   count);
}

static const char *show_kind(const struct uiommu_pci_function *function)
{
	if (function->pcie_type == UIOMMU_PCIE_ROOT_PORT)
		return "root port";
	if (function->pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE)
		return "PCIe-to-PCI bridge";
	switch (function->class_code >> 8) {
	case 0x0600:
		return "host bridge";
	case 0x0108:
		return "NVMe controller";
	default:
		return "other";
	}
}

static void show_regions(const struct uiommu_device *device)
{
	uint32_t count;
	const struct uiommu_region *regions = uiommu_device_regions(device,
								    &count);

	for (uint32_t i = 0; i < count; i++)
		printf("%s%llx-%llx %s", i ? ", " : "",
		       (unsigned long long)regions[i].range.first,
		       (unsigned long long)regions[i].range.last,
		       uiommu_region_type_name(regions[i].type));
	printf("\n");
}

void demo_show_devices(struct demo *d)
{
	const struct uiommu_topology *topology = uiommu_topology(d->uiommu);
	unsigned int confined = 0;

	printf("\n%-8s %-19s %5s %6s  %-9s %s\n", "device", "what it is",
	       "unit", "group", "domain", "reserved");
	for (uint32_t i = 0; i < topology->count; i++) {
		const struct uiommu_pci_function *function =
			&topology->functions[i];
		struct uiommu_device *device = uiommu_device_find(
			d->uiommu, function->sid);
		struct uiommu_group *group = uiommu_device_group(device);

		printf("%02x:%02x.%u  %-19s ", UIOMMU_SID_BUS(function->sid),
		       UIOMMU_SID_DEV(function->sid),
		       UIOMMU_SID_FN(function->sid), show_kind(function));
		if (!group) {
			printf("%5s %6s  not confined\n", "-", "-");
			continue;
		}
		printf("%5u %6u  %-9s ", 0u, uiommu_group_id(group),
		       uiommu_domain_type_name(uiommu_domain_type(
			       uiommu_group_default_domain(group))));
		show_regions(device);
		confined++;
	}
	demo_check(d, confined == topology->count, "devices: %u of %u confined",
		   confined, topology->count);
}
