// SPDX-License-Identifier: MIT
/*
 * The built-in machine: a workstation put together so that most of what makes
 * people ask about groups is in it once. No such machine exists; its models
 * do, so that names and vendors' claims are real.
 */
#include <stdio.h>
#include <string.h>

#include <vtdm.h>
#include <vtdm_mem.h>

#include "demo.h"

/* Of a unit's registers. */
#define DEMO_CAP_REG 0x08u
#define DEMO_ECAP_REG 0x10u

#define DEMO_RID(bus, dev, fn) ((uint16_t)((bus) << 8 | (dev) << 3 | (fn)))
#define DEMO_SID(bus, dev, fn)            \
	{                                 \
		0, DEMO_RID(bus, dev, fn) \
	}
#define DEMO_SV UIOMMU_ACS_SOURCE_VALIDATION
#define DEMO_ACS                                 \
	(DEMO_SV | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)

/* Where capabilities are put. */
#define DEMO_CAP 0x40u
#define DEMO_EXT 0x100u

struct demo_function {
	uint16_t rid;
	uint16_t vendor, device;
	uint32_t class_code;
	uint8_t type;	  /* enum uiommu_pcie_type */
	uint8_t below[2]; /* bridges: secondary and subordinate bus */
	bool slot;	  /* several functions in it */
	uint8_t acs;	  /* UIOMMU_ACS_* that it can do */
	uint8_t virtuals;
	const char *driver;
};

/* clang-format off */
static const struct demo_function demo_functions[] = {
	/* The processor: graphics with a unit of its own, ... */
	{ DEMO_RID(0, 0, 0), 0x8086, 0x0c00, 0x060000,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "" },
	/* ... two ports of one slot that know nothing of access control: a
	 * graphics card and a disk that share a group for that, ... */
	{ DEMO_RID(0, 1, 0), 0x8086, 0x0c01, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 1, 1 }, true, .driver = "pcieport" },
	{ DEMO_RID(0, 1, 1), 0x8086, 0x0c05, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 2, 2 }, true, .driver = "pcieport" },
	{ DEMO_RID(0, 2, 0), 0x8086, 0x0412, 0x030000,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "i915" },
	/* ... a port with all of it, and below that a network card with two
	 * virtual functions, ... */
	{ DEMO_RID(0, 3, 0), 0x8086, 0x2f08, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 3, 4 }, .acs = DEMO_ACS,
	  .driver = "pcieport" },
	/* ... and one with a switch, one of whose ports cannot do it. */
	{ DEMO_RID(0, 4, 0), 0x8086, 0x2f04, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 5, 9 }, .acs = DEMO_ACS,
	  .driver = "pcieport" },
	/* The last two: a storage controller below, and nothing. */
	{ DEMO_RID(0, 5, 0), 0x8086, 0x2f02, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 12, 12 }, .acs = DEMO_ACS,
	  .driver = "pcieport" },
	{ DEMO_RID(0, 6, 0), 0x8086, 0x2f0a, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 13, 13 }, .acs = DEMO_ACS,
	  .driver = "pcieport" },
	/* The chipset. */
	{ DEMO_RID(0, 0x14, 0), 0x8086, 0x8d31, 0x0c0330,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "xhci_hcd" },
	{ DEMO_RID(0, 0x16, 0), 0x8086, 0x8d3a, 0x078000,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "mei_me" },
	{ DEMO_RID(0, 0x1b, 0), 0x8086, 0x8d20, 0x040300,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "snd_hda_intel" },
	/* Ports that isolate, but only Linux takes the vendor's word. */
	{ DEMO_RID(0, 0x1c, 0), 0x8086, 0x8d10, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 10, 11 }, true, .driver = "pcieport" },
	{ DEMO_RID(0, 0x1c, 4), 0x8086, 0x8d18, 0x060400,
	  UIOMMU_PCIE_ROOT_PORT, { 14, 14 }, true, .driver = "pcieport" },
	{ DEMO_RID(0, 0x1f, 0), 0x8086, 0x8d44, 0x060100,
	  UIOMMU_PCI_CONVENTIONAL, .slot = true, .driver = "lpc_ich" },
	{ DEMO_RID(0, 0x1f, 2), 0x8086, 0x8d02, 0x010601,
	  UIOMMU_PCI_CONVENTIONAL, .slot = true, .driver = "ahci" },
	{ DEMO_RID(0, 0x1f, 3), 0x8086, 0x8d22, 0x0c0500,
	  UIOMMU_PCI_CONVENTIONAL, .slot = true, .driver = "i801_smbus" },
	/* The graphics card, its sound, and the disk. */
	{ DEMO_RID(1, 0, 0), 0x10de, 0x1b80, 0x030000,
	  UIOMMU_PCIE_LEGACY_ENDPOINT, .slot = true, .driver = "nouveau" },
	{ DEMO_RID(1, 0, 1), 0x10de, 0x10f0, 0x040300,
	  UIOMMU_PCIE_ENDPOINT, .slot = true, .driver = "snd_hda_intel" },
	{ DEMO_RID(2, 0, 0), 0x144d, 0xa804, 0x010802,
	  UIOMMU_PCIE_ENDPOINT, .driver = "nvme" },
	/* Two network ports that their vendor says do not talk. */
	{ DEMO_RID(3, 0, 0), 0x8086, 0x10c9, 0x020000,
	  UIOMMU_PCIE_ENDPOINT, .slot = true, .virtuals = 2,
	  .driver = "igb" },
	{ DEMO_RID(3, 0, 1), 0x8086, 0x10c9, 0x020000,
	  UIOMMU_PCIE_ENDPOINT, .slot = true, .driver = "igb" },
	/* The switch: a port with all, one with none, one with a part. */
	{ DEMO_RID(5, 0, 0), 0x10b5, 0x8747, 0x060400,
	  UIOMMU_PCIE_UPSTREAM_PORT, { 6, 9 }, .driver = "pcieport" },
	{ DEMO_RID(6, 8, 0), 0x10b5, 0x8747, 0x060400,
	  UIOMMU_PCIE_DOWNSTREAM_PORT, { 7, 7 }, .acs = DEMO_ACS,
	  .driver = "pcieport" },
	{ DEMO_RID(6, 9, 0), 0x10b5, 0x8747, 0x060400,
	  UIOMMU_PCIE_DOWNSTREAM_PORT, { 8, 8 }, .driver = "pcieport" },
	{ DEMO_RID(6, 10, 0), 0x10b5, 0x8747, 0x060400,
	  UIOMMU_PCIE_DOWNSTREAM_PORT, { 9, 9 }, .acs = DEMO_SV,
	  .driver = "pcieport" },
	{ DEMO_RID(7, 0, 0), 0x8086, 0x10fb, 0x020000,
	  UIOMMU_PCIE_ENDPOINT, .driver = "ixgbe" },
	{ DEMO_RID(8, 0, 0), 0x144d, 0xa804, 0x010802,
	  UIOMMU_PCIE_ENDPOINT, .driver = "nvme" },
	{ DEMO_RID(9, 0, 0), 0x1b21, 0x1142, 0x0c0330,
	  UIOMMU_PCIE_LEGACY_ENDPOINT, .driver = "xhci_hcd" },
	/* A bridge to conventional PCI, and two cards that it hides. */
	{ DEMO_RID(10, 0, 0), 0x104c, 0x8240, 0x060400,
	  UIOMMU_PCIE_TO_PCI_BRIDGE, { 11, 11 }, .driver = "" },
	{ DEMO_RID(11, 0, 0), 0x104c, 0x8024, 0x0c0010,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "firewire_ohci" },
	{ DEMO_RID(11, 1, 0), 0x1102, 0x0004, 0x040100,
	  UIOMMU_PCI_CONVENTIONAL, .driver = "snd_emu10k1" },
	/* A storage controller that firmware keeps talking to. */
	{ DEMO_RID(12, 0, 0), 0x103c, 0x3239, 0x010400,
	  UIOMMU_PCIE_ENDPOINT, .driver = "hpsa" },
	{ DEMO_RID(14, 0, 0), 0x168c, 0x003e, 0x028000,
	  UIOMMU_PCIE_ENDPOINT, .driver = "ath10k_pci" },
};
/* clang-format on */

#define DEMO_PHYSICAL DEMO_RID(3, 0, 0)
#define DEMO_VIRTUAL_FIRST 0x180u /* as the 82576 has it */
#define DEMO_VIRTUAL_STRIDE 2u
#define DEMO_VIRTUAL_MODEL 0x10cau

const struct demo_unit demo_units[DEMO_UNITS] = {
	{ "dmar0", 0xfed90000, false },
	{ "dmar1", 0xfed91000, true },
	{ "dmar2", 0xfed92000, true },
};

static const struct machine_range demo_memory[] = {
	{ { 0x1000, 0x9ffff }, "System RAM" },
	{ { 0xa0000, 0xfffff }, "Reserved" },
	{ { 0x100000, 0x8b2affff }, "System RAM" },
	{ { 0x8b2b0000, 0x8fffffff }, "Reserved" },
	{ { 0x100000000, 0x46fffffff }, "System RAM" },
};

static void demo_put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void demo_extended(uint8_t *config, const struct demo_function *f)
{
	uint8_t *at = config + DEMO_EXT;

	if (f->acs) {
		demo_put(at, 0x1000du, 4);
		demo_put(at + 4, f->acs, 2);
		demo_put(at + 6, f->acs, 2); /* all on, as Linux does */
	}
	if (f->virtuals) {
		demo_put(at, 0x10010u, 4);
		demo_put(at + 0x08, 0x9, 2); /* enabled, with memory */
		demo_put(at + 0x0c, f->virtuals, 2);
		demo_put(at + 0x0e, f->virtuals, 2);
		demo_put(at + 0x10, f->virtuals, 2);
		demo_put(at + 0x14, DEMO_VIRTUAL_FIRST, 2);
		demo_put(at + 0x16, DEMO_VIRTUAL_STRIDE, 2);
		demo_put(at + 0x1a, DEMO_VIRTUAL_MODEL, 2);
	}
}

/* Returns how many bytes of it there are. */
static uint32_t demo_config(uint8_t *config, const struct demo_function *f)
{
	memset(config, 0, MACHINE_CONFIG_SIZE);
	demo_put(config, f->vendor, 2);
	demo_put(config + 2, f->device, 2);
	demo_put(config + 4, 0x6, 2); /* decodes memory, masters the bus */
	demo_put(config + 9, f->class_code, 3);
	config[0x0e] = (uint8_t)((f->below[0] != 0) | f->slot << 7);
	if (f->below[0]) {
		config[0x18] = (uint8_t)(f->rid >> 8);
		config[0x19] = f->below[0];
		config[0x1a] = f->below[1];
	}
	if (f->type == UIOMMU_PCI_CONVENTIONAL)
		return 256;
	demo_put(config + 6, 0x10, 2); /* has capabilities */
	config[0x34] = DEMO_CAP;
	demo_put(config + DEMO_CAP, 0x10u | 2u << 16 | f->type << 20, 4);
	demo_extended(config, f);
	return MACHINE_CONFIG_SIZE;
}

static struct machine_function *demo_add(struct machine *machine, uint16_t rid,
					 const uint8_t *config, uint32_t size,
					 const char *driver,
					 struct machine_error *error)
{
	struct uiommu_sid sid = { 0, rid };
	struct machine_function *f = machine_function(machine, sid, error);

	if (!f || machine_set_config(f, config, size, error))
		return NULL;
	snprintf(f->driver, sizeof(f->driver), "%s", driver);
	return f;
}

/* As Linux shows them: without numbers of their own. */
static int demo_add_virtuals(struct machine *machine, unsigned int count,
			     struct machine_error *error)
{
	static const struct demo_function model = {
		.vendor = 0xffff,
		.device = 0xffff,
		.class_code = 0x020000,
		.type = UIOMMU_PCIE_ENDPOINT,
	};
	uint8_t config[MACHINE_CONFIG_SIZE];
	uint32_t size = demo_config(config, &model);

	for (unsigned int i = 0; i < count; i++) {
		uint16_t rid = (uint16_t)(DEMO_PHYSICAL + DEMO_VIRTUAL_FIRST +
					  i * DEMO_VIRTUAL_STRIDE);
		struct machine_function *f = demo_add(machine, rid, config,
						      size, "igbvf", error);

		if (!f)
			return -1;
		f->vendor = 0x8086;
		f->device = DEMO_VIRTUAL_MODEL;
		f->has_physfn = true;
		f->physfn = (struct uiommu_sid){ 0, DEMO_PHYSICAL };
	}
	return 0;
}

static int demo_add_functions(struct machine *machine,
			      struct machine_error *error)
{
	uint8_t config[MACHINE_CONFIG_SIZE];
	size_t count = sizeof(demo_functions) / sizeof(demo_functions[0]);

	for (size_t i = 0; i < count; i++) {
		const struct demo_function *f = &demo_functions[i];
		uint32_t size = demo_config(config, f);

		if (!demo_add(machine, f->rid, config, size, f->driver, error))
			return -1;
		if (f->virtuals &&
		    demo_add_virtuals(machine, f->virtuals, error))
			return -1;
	}
	return 0;
}

/* --- The DMAR table --- */

struct demo_table {
	uint8_t bytes[1024];
	size_t size;
	size_t record;
};

static void demo_word(struct demo_table *t, uint64_t value, unsigned int bytes)
{
	demo_put(t->bytes + t->size, value, bytes);
	t->size += bytes;
}

static void demo_text(struct demo_table *t, const char *text, size_t size)
{
	memcpy(t->bytes + t->size, text, size);
	t->size += size;
}

static void demo_close(struct demo_table *t)
{
	if (t->record)
		demo_put(t->bytes + t->record + 2, t->size - t->record, 2);
}

static void demo_record(struct demo_table *t, enum uiommu_dmar_type type)
{
	demo_close(t);
	t->record = t->size;
	demo_word(t, (uint64_t)type, 2);
	demo_word(t, 0, 2);
}

/* @path: device and function, down from the root bus. */
static void demo_scope(struct demo_table *t, enum uiommu_scope_type type,
		       uint8_t id, uint8_t bus, const char *path, size_t size)
{
	demo_word(t, (uint64_t)type, 1);
	demo_word(t, 6 + size, 1);
	demo_word(t, 0, 2);
	demo_word(t, id, 1);
	demo_word(t, bus, 1);
	demo_text(t, path, size);
}

static void demo_drhd(struct demo_table *t, bool all, uint64_t base)
{
	demo_record(t, UIOMMU_DMAR_DRHD);
	demo_word(t, all, 1);
	demo_word(t, 0, 3);
	demo_word(t, base, 8);
}

static void demo_rmrr(struct demo_table *t, uint64_t first, uint64_t last)
{
	demo_record(t, UIOMMU_DMAR_RMRR);
	demo_word(t, 0, 4);
	demo_word(t, first, 8);
	demo_word(t, last, 8);
}

static void demo_units_and_regions(struct demo_table *t)
{
	static const char name[] = "\\_SB.PCI0.I2C0";

	demo_drhd(t, false, demo_units[0].base);
	demo_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, "\2\0", 2);
	demo_drhd(t, false, demo_units[1].base);
	demo_scope(t, UIOMMU_SCOPE_BRIDGE, 0, 0, "\4\0", 2);
	demo_drhd(t, true, demo_units[2].base);
	demo_scope(t, UIOMMU_SCOPE_IOAPIC, 8, 0xf0, "\x1f\0", 2);
	demo_scope(t, UIOMMU_SCOPE_HPET, 0, 0, "\x0f\0", 2);
	demo_scope(t, UIOMMU_SCOPE_NAMESPACE, 1, 0, "\x15\0", 2);
	/* Legacy keyboards, both graphics, and remote management. */
	demo_rmrr(t, 0x8b2b0000, 0x8b2d1fff);
	demo_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, "\x14\0", 2);
	demo_rmrr(t, 0x8d800000, 0x8fffffff);
	demo_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, "\2\0", 2);
	demo_rmrr(t, 0x8d400000, 0x8d40ffff);
	demo_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, "\1\0\0\0", 4);
	demo_rmrr(t, 0x8c5e0000, 0x8c5effff);
	demo_scope(t, UIOMMU_SCOPE_ENDPOINT, 0, 0, "\5\0\0\0", 4);
	demo_record(t, UIOMMU_DMAR_ANDD);
	demo_word(t, 0, 3);
	demo_word(t, 1, 1);
	demo_text(t, name, sizeof(name));
}

static int demo_add_table(struct machine *machine, struct machine_error *error)
{
	struct demo_table t = { .size = 0 };
	uint8_t sum = 0;

	demo_text(&t, "DMAR", 4);
	demo_word(&t, 0, 4);
	demo_word(&t, 1, 2); /* revision, checksum */
	demo_text(&t, "UIOMMU", 6);
	demo_text(&t, "BUILTIN ", 8);
	demo_word(&t, 1, 4);
	demo_text(&t, "UIOM", 4);
	demo_word(&t, 1, 4);
	demo_word(&t, 38, 1); /* 39 bits of address */
	demo_word(&t, UIOMMU_DMAR_INTR_REMAP, 1);
	demo_word(&t, 0, 8);
	demo_word(&t, 0, 2);
	demo_units_and_regions(&t);
	demo_close(&t);
	demo_put(t.bytes + 4, t.size, 4);
	for (size_t i = 0; i < t.size; i++)
		sum = (uint8_t)(sum + t.bytes[i]);
	t.bytes[9] = (uint8_t)-sum;
	return machine_set_table(machine, t.bytes, t.size, error);
}

/* Asks the model what its units can do. */
static int demo_add_unit(struct machine *machine, unsigned int index,
			 struct vtdm_mem *mem, struct machine_error *error)
{
	struct machine_unit *unit = machine_unit(machine,
						 demo_units[index].name, error);
	struct vtdm *model = unit ? demo_unit_create(index, mem) : NULL;

	if (!model) {
		if (unit)
			machine_fail(error, "out of memory");
		return -1;
	}
	unit->base = demo_units[index].base;
	unit->cap = vtdm_read64(model, DEMO_CAP_REG);
	unit->ecap = vtdm_read64(model, DEMO_ECAP_REG);
	vtdm_destroy(model);
	return 0;
}

static int demo_add_units(struct machine *machine, struct machine_error *error)
{
	struct vtdm_mem_config config = { .haw = 39 };
	struct vtdm_mem *mem = vtdm_mem_create(&config);
	int err = 0;

	if (!mem)
		machine_fail(error, "out of memory");
	for (unsigned int i = 0; mem && !err && i < DEMO_UNITS; i++)
		err = demo_add_unit(machine, i, mem, error);
	vtdm_mem_destroy(mem);
	return mem ? err : -1;
}

int machine_read_demo(struct machine *machine, struct machine_error *error)
{
	if (machine_set(&machine->source, "the built-in machine", error) ||
	    machine_set(&machine->cmdline, "quiet intel_iommu=on", error) ||
	    demo_add_functions(machine, error) ||
	    demo_add_table(machine, error) || demo_add_units(machine, error))
		return -1;
	for (size_t i = 0; i < sizeof(demo_memory) / sizeof(demo_memory[0]);
	     i++)
		if (machine_add_memory(machine, demo_memory[i].range,
				       demo_memory[i].kind, error))
			return -1;
	return 0;
}
