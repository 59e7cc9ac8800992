// SPDX-License-Identifier: MIT
/* What uIOMMU found and decided: its units, then one table of devices. */
#include "demo.h"

static const struct {
	uint32_t class_code; /* as far as @bits say, from the top */
	uint32_t mask;
	const char *name;
} class_names[] = {
	{ 0x010600, 0xffff00, "SATA controller" },
	{ 0x010800, 0xffff00, "NVMe controller" },
	{ 0x020000, 0xff0000, "network adapter" },
	{ 0x030000, 0xff0000, "display" },
	{ 0x060000, 0xffff00, "host bridge" },
	{ 0x060100, 0xffff00, "ISA bridge" },
	{ 0x060400, 0xffff00, "PCI bridge" },
	{ 0x0c0500, 0xffff00, "SMBus controller" },
};

static const char *device_name(const struct uiommu_pci_function *f)
{
	if (f->vendor == EDU_VENDOR && f->device == EDU_DEVICE)
		return "edu";
	if (f->pcie_type == UIOMMU_PCIE_ROOT_PORT)
		return "root port";
	if (f->pcie_type == UIOMMU_PCIE_TO_PCI_BRIDGE)
		return "PCIe-to-PCI bridge";
	for (size_t i = 0; i < ARRAY_SIZE(class_names); i++)
		if ((f->class_code & class_names[i].mask) ==
		    class_names[i].class_code)
			return class_names[i].name;
	return "other";
}

static void show_page_sizes(uint64_t sizes)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} known[] = { { 12, "4K" }, { 21, "2M" }, { 30, "1G" } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (sizes >> known[i].bit & 1)
			print(" %s", known[i].name);
}

static void show_unit(uint32_t index, const struct uiommu_unit_info *u)
{
	print("unit %u at %lx, version %u.%u, cap %lx, ecap %lx\n", index,
	      u->base, u->version_major, u->version_minor, u->capability,
	      u->extended_capability);
	print("  %u address bits, %u levels, pages", u->address_bits,
	      u->levels);
	show_page_sizes(u->page_sizes);
	print(", %u domain ids, %u fault records\n", u->domain_ids,
	      u->fault_records);
	print("  invalidates by %s; %s walks%s%s%s; %s\n",
	      u->queued ? "queue" : "registers",
	      u->coherent ? "coherent" : "non-coherent",
	      u->caching ? ", caching mode" : "",
	      u->passthrough ? ", pass-through" : "",
	      u->snoop ? ", snoop control" : "",
	      u->broken	       ? "BROKEN"
	      : u->translating ? "translating"
			       : "not translating");
}

/* Without pass-through identity costs tables. */
static void show_identity(struct demo *d)
{
	struct uiommu_domain *identity = uiommu_identity_domain(d->uiommu);
	uint64_t pages = uiommu_domain_table_pages(identity);

	if (pages)
		print("identity: %lu KiB of tables for %zu MiB of RAM\n",
		      pages * 4, mem_total_pages() / 256);
	if (boot_flag("expect-tables"))
		check((pages != 0) == (boot_number("expect-tables", 0) != 0) &&
			      pages <= mem_total_pages() * 3 / 1000,
		      "identity: tables of %lu pages", pages);
}

void demo_show_units(struct demo *d)
{
	struct uiommu_unit_info u;
	uint32_t count = 0;
	bool all_on = true;

	print("\n");
	for (; !uiommu_unit_info(d->uiommu, count, &u); count++) {
		show_unit(count, &u);
		all_on = all_on && u.translating && !u.broken;
	}
	check(count > 0 && all_on, "units: %u, all translating", count);
	show_identity(d);
	if (uiommu_unit_info(d->uiommu, 0, &u))
		return;
	/* What the machine was built with is what we must have found. */
	if (boot_flag("expect-bits"))
		check(u.address_bits == boot_number("expect-bits", 0),
		      "units: addresses of %u bits", u.address_bits);
	if (boot_flag("expect-caching"))
		check(u.caching, "units: caching mode is seen");
}

static uint32_t unit_of_record(struct demo *d, uint32_t record)
{
	struct uiommu_unit_info u;

	for (uint32_t i = 0; !uiommu_unit_info(d->uiommu, i, &u); i++)
		if (u.record == record)
			return i;
	return UIOMMU_PLAN_NONE;
}

static void show_regions(const struct uiommu_device *device)
{
	uint32_t count = 0;
	const struct uiommu_region *r = uiommu_device_regions(device, &count);

	for (uint32_t i = 0; i < count; i++)
		print("%s%lx-%lx %s", i ? ", " : "", r[i].range.first,
		      r[i].range.last, uiommu_region_type_name(r[i].type));
	print("\n");
}

static bool show_device(struct demo *d, uint32_t index)
{
	const struct uiommu_pci_function *f =
		&uiommu_topology(d->uiommu)->functions[index];
	uint32_t record = uiommu_plan(d->uiommu)->devices[index].unit;
	struct uiommu_device *device = uiommu_device_find(d->uiommu, f->sid);
	struct uiommu_group *group = device ? uiommu_device_group(device)
					    : NULL;

	print("%02x:%02x.%u  %-19s", UIOMMU_SID_BUS(f->sid),
	      UIOMMU_SID_DEV(f->sid), UIOMMU_SID_FN(f->sid), device_name(f));
	if (!group) {
		print("none  -      unconfined\n");
		return false;
	}
	print("%-6u%-7u%-10s", unit_of_record(d, record),
	      uiommu_group_id(group),
	      uiommu_domain_type_name(
		      uiommu_domain_type(uiommu_group_default_domain(group))));
	show_regions(device);
	return true;
}

struct uiommu_group *demo_group(struct demo *d, uint16_t bdf)
{
	struct uiommu_sid sid = { .segment = 0, .rid = bdf };
	struct uiommu_device *device = uiommu_device_find(d->uiommu, sid);

	return device ? uiommu_device_group(device) : NULL;
}

/* Two on the root bus are apart; two behind a PCI bridge cannot be. */
static void check_groups(struct demo *d)
{
	struct uiommu_group *rogue = demo_group(d, d->rogue.dma.bdf);
	struct uiommu_group *keeper = demo_group(d, d->keeper.dma.bdf);
	uint16_t bdf = d->bridged.dma.bdf;

	if (d->has_rogue && d->has_keeper)
		check(rogue && keeper && rogue != keeper,
		      "groups: devices of the root bus are apart");
	if (d->has_pair)
		check(demo_group(d, d->pair[0].dma.bdf) ==
			      demo_group(d, d->pair[1].dma.bdf),
		      "groups: functions of a device without ACS are together");
	if (d->has_bridged)
		check(demo_group(d, bdf) &&
			      demo_group(d, bdf) ==
				      demo_group(d, (uint16_t)(bdf + 8)),
		      "groups: devices behind a PCI bridge are together");
}

void demo_show_devices(struct demo *d)
{
	uint32_t count = uiommu_topology(d->uiommu)->count;
	uint32_t confined = 0;

	print("\ndevice   what               unit  group  domain    "
	      "reserved regions\n");
	for (uint32_t i = 0; i < count; i++)
		confined += show_device(d, i);
	check(count > 0 && confined == count,
	      "devices: %u of %u are under a unit", confined, count);
	check_groups(d);
}
