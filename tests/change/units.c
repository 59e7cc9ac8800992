// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/dma.h>

#include "units.h"

/* As the specification prints it; the driver's header is not used here. */
#define UNITS_PRESENT 1u
#define UNITS_TABLE (~(uint64_t)0xfff)

static struct user_function functions[16];

/* --- Kinds of machine ----------------------------------------------------- */

static void set_registers(struct vtdm_config *m)
{
	m->qi = false;
	m->ir = m->eim = m->dt = false;
}

/* Caching mode, no queue, tables that are not snooped. */
static void set_mixed(struct units *t)
{
	struct user_unit_config *u = t->machine.config.units;

	u[0].snoops = u[1].snoops = u[2].snoops = true;
	u[1].model.cm = true;
	set_registers(&u[2].model);
	u[2].model.psi = false;
	u[2].model.mamv = 0;
	u[3].model.c = false;
}

/* Write buffers before some; enhanced root pointers; few domain ids. */
static void set_buffered(struct units *t)
{
	struct user_unit_config *u = t->machine.config.units;

	u[1].snoops = u[3].snoops = true;
	u[0].model.rwbf = true;
	u[2].model.rwbf = true;
	u[2].model.cm = true;
	set_registers(&u[2].model);
	u[3].model.esrtps = true;
	u[3].model.nd = 0;
}

/* Unit 2 serves interrupts alone: its devices are under unit 0. */
static void set_ignored(struct units *t)
{
	set_mixed(t);
	t->other[2] = true;
	t->home[PAIR0] = t->home[PAIR1] = 0;
}

/* Unit 1 is left alone by option. */
static void set_left(struct units *t)
{
	set_buffered(t);
	t->other[1] = true;
	t->machine.options.options.igfx_off = true;
}

const struct units_kind units_kinds[UNITS_KINDS] = {
	{ "mixed", set_mixed },
	{ "buffered", set_buffered },
	{ "one ignored", set_ignored },
	{ "one left alone", set_left },
};

/* --- The machine ---------------------------------------------------------- */

static void units_functions(struct machine *machine)
{
	unsigned int count = machine->config.function_count;

	memcpy(functions, machine->config.functions,
	       count * sizeof(functions[0]));
	for (unsigned int i = 0; i < count; i++) {
		if (functions[i].sid.rid != inherit_sids[ALONE].rid)
			continue;
		functions[i].vendor = 0x8086;
		functions[i].device = 0x9a49;
		functions[i].class_code = 0x030000;
	}
	machine->config.functions = functions;
}

/* Record 0 is unit 1, record 3 is unit 0. */
static void units_table(struct units *t)
{
	const struct user_unit_config *u = t->machine.config.units;
	struct user_dmar *dmar = &t->machine.dmar;

	user_dmar_begin(dmar, 39);
	user_dmar_unit(dmar, 0, u[1].base, false);
	user_dmar_scope(dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_ALONE);
	user_dmar_unit(dmar, 0, u[2].base, false);
	if (t->home[PAIR0] == 2) {
		user_dmar_scope(dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_PAIR0);
		user_dmar_scope(dmar, UIOMMU_SCOPE_ENDPOINT, MACHINE_PAIR1);
	} else {
		user_dmar_scope(dmar, UIOMMU_SCOPE_IOAPIC,
				MACHINE_SID(0, 0x1f, 7));
	}
	user_dmar_unit(dmar, 0, u[3].base, false);
	user_dmar_scope(dmar, UIOMMU_SCOPE_BRIDGE, MACHINE_PORT);
	user_dmar_unit(dmar, 0, u[0].base, true);
	user_dmar_end(dmar);
	t->machine.options.dmar = dmar->bytes;
	t->machine.options.dmar_size = dmar->size;
}

void units_describe(struct units *t, const struct units_kind *kind)
{
	memset(t, 0, sizeof(*t));
	machine_describe(&t->machine);
	t->machine.options.takeover = UIOMMU_TAKEOVER_ADOPT;
	t->machine.config.unit_count = USER_UNITS;
	units_functions(&t->machine);
	t->home[ALONE] = 1;
	t->home[PAIR0] = t->home[PAIR1] = 2;
	t->home[PCI0] = t->home[PCI1] = t->home[ALIAS] = 3;
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		t->machine.config.units[i].model.plmr = true;
		t->found[i] = true;
	}
	kind->set(t);
}

/* --- The old kernel ------------------------------------------------------- */

static void units_fill(struct units *t, enum inherit_who who)
{
	struct old *old = &t->olds[t->home[who]];
	int rid = inherit_sids[who].rid;
	uint64_t space;

	t->pages[who] = old_page(old);
	t->memory[who] = old_page(old);
	if (!t->found[t->home[who]])
		return;
	if (who == USB) {
		old_pass(old, rid, 1);
		return;
	}
	space = old_space(old);
	old_map(old, space, INHERIT_OLD, t->pages[who].paddr);
	old_enter(old, rid, space, 2 + (unsigned int)who);
}

/* A table that is not there, for a bus that has no device. */
static void units_damage(struct old *old)
{
	old_set(old, &old->root[2 * 7], 0x7654321000u | UNITS_PRESENT, 0);
}

void units_build(struct units *t)
{
	t->rig.config = t->machine.config;
	rig_memory(&t->rig);
	t->rig.host = user_host_create(&t->rig.config);
	t->machine.host = t->rig.host;
	for (unsigned int i = 0; i < USER_UNITS; i++)
		old_join(&t->olds[i], &t->rig, i);
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		units_fill(t, who);
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		if (!t->found[i])
			continue;
		if (t->damaged[i])
			units_damage(&t->olds[i]);
		old_on(&t->olds[i]);
	}
	units_table(t);
	units_flows(t);
}

void units_up(struct units *t)
{
	units_build(t);
	units_watch(t, true);
	assert_int_equal(machine_scan(&t->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(t->machine.uiommu), UIOMMU_OK);
	units_watch(t, false);
	units_flows(t);
}

static void units_drivers_go(struct units *t)
{
	units_watch(t, false);
	for (int who = 0; who < INHERIT_ENTRIES; who++) {
		if (t->drivers[who])
			uiommu_device_unuse(t->drivers[who]);
		t->drivers[who] = NULL;
	}
}

size_t units_down_keeping(struct units *t)
{
	struct uiommu_host *host = t->machine.host;
	size_t kept;

	units_drivers_go(t);
	uiommu_stop(t->machine.uiommu);
	uiommu_destroy(t->machine.uiommu);
	assert_int_equal(host->windows, 0);
	assert_int_equal(host->locks, 0);
	assert_int_equal(vtdm_mem_violations(host->mem), 0);
	kept = host->pages;
	user_host_destroy(host);
	return kept;
}

void units_down(struct units *t)
{
	units_drivers_go(t);
	uiommu_stop(t->machine.uiommu);
	assert_int_equal(user_violations(t->machine.host), 0);
	assert_int_equal(units_down_keeping(t), 0);
}

/* --- Units ---------------------------------------------------------------- */

struct vtdm *units_model(const struct units *t, unsigned int unit)
{
	return t->machine.host->units[unit];
}

struct uiommu_unit_info units_info(struct units *t, unsigned int unit)
{
	struct uiommu_unit_info info;

	for (uint32_t i = 0; !uiommu_unit_info(t->machine.uiommu, i, &info);
	     i++)
		if (info.base == t->machine.config.units[unit].base)
			return info;
	memset(&info, 0, sizeof(info)); /* ignored: nobody knows it */
	return info;
}

void units_lose_power(struct units *t)
{
	for (unsigned int i = 0; i < USER_UNITS; i++)
		vtdm_reset(units_model(t, i));
}

/* --- What devices do ------------------------------------------------------ */

static uint64_t units_old_address(const struct units *t, enum inherit_who who)
{
	return who == USB ? t->pages[who].paddr : INHERIT_OLD;
}

/* Does a write arrive there, wherever else it might? */
static bool units_arrives(const struct units *t, enum inherit_who who,
			  uint64_t address, struct rig_page page)
{
	uint8_t mark = 0x5a, *byte = &page.bytes[address & 4095];

	*byte = 0;
	(void)vtdm_dma(units_model(t, t->home[who]), inherit_sids[who].rid,
		       address, true, &mark, 1);
	return *byte == mark;
}

bool units_lands(struct units *t, enum inherit_who who)
{
	return units_arrives(t, who, units_old_address(t, who), t->pages[who]);
}

bool units_reaches(struct units *t, enum inherit_who who, uint64_t address,
		   enum inherit_who at)
{
	return units_arrives(t, who, address, t->memory[at]);
}

/* The alias moves with the first of the two that ask as it. */
static bool units_asked(const struct units *t, enum inherit_who who)
{
	if (who == ALIAS)
		return t->drivers[PCI0] || t->drivers[PCI1];
	return t->drivers[who];
}

bool units_inherits(struct units *t, enum inherit_who who)
{
	unsigned int unit = t->home[who];

	return t->found[unit] && !t->other[unit] && !t->lost[unit] &&
	       !units_asked(t, who);
}

void units_flows(struct units *t)
{
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if (units_inherits(t, who) && !t->damaged[t->home[who]])
			assert_true(units_lands(t, who));
}

static void units_step(struct uiommu_host *host, void *context)
{
	(void)host;
	units_flows(context);
}

void units_watch(struct units *t, bool on)
{
	t->machine.host->on_mmio = on ? units_step : NULL;
	t->machine.host->on_mmio_context = t;
}

static uint64_t units_attaches(const struct units *t, unsigned int unit)
{
	const struct vtdm_stats *stats = vtdm_stats(units_model(t, unit));

	return stats->ctx_device + stats->ctx_domain + stats->ctx_global;
}

/* Entries that change with @who: its own, and perhaps the alias's. */
static unsigned int units_moving(struct units *t, enum inherit_who who)
{
	/* nothing was copied of what is damaged */
	if (!units_inherits(t, who) || t->damaged[t->home[who]])
		return 0;
	return (who == PCI0 || who == PCI1) && units_inherits(t, ALIAS) ? 2 : 1;
}

static void units_ask_once(struct units *t, enum inherit_who who)
{
	uint64_t second;

	assert_int_equal(uiommu_dma_map(t->drivers[who], t->memory[who].paddr,
					4096, UIOMMU_DMA_BIDIRECTIONAL,
					&t->iovas[who]),
			 UIOMMU_OK);
	assert_true(units_reaches(t, who, t->iovas[who], who));
	/* it is there, and does not arrive again */
	assert_int_equal(uiommu_dma_map(t->drivers[who], t->memory[OTHER].paddr,
					4096, UIOMMU_DMA_BIDIRECTIONAL,
					&second),
			 UIOMMU_OK);
	assert_int_equal(uiommu_dma_unmap(t->drivers[who], second, 4096),
			 UIOMMU_OK);
}

void units_ask(struct units *t, enum inherit_who who)
{
	unsigned int unit = t->home[who];
	unsigned int moving = units_moving(t, who);
	/* caching mode: what stood there goes, and then its absence */
	unsigned int times = t->rig.config.units[unit].model.cm ? 2 : 1;
	uint32_t inherited = units_info(t, unit).inherited;
	uint64_t attaches[USER_UNITS];

	for (unsigned int i = 0; i < USER_UNITS; i++)
		attaches[i] = units_attaches(t, i);
	t->drivers[who] = machine_driver(&t->machine, inherit_sids[who]);
	units_watch(t, true);
	units_ask_once(t, who);
	units_watch(t, false);
	for (unsigned int i = 0; i < USER_UNITS; i++)
		assert_int_equal(units_attaches(t, i) - attaches[i],
				 i == unit ? times * moving : 0);
	assert_int_equal(units_info(t, unit).inherited, inherited - moving);
	if (t->found[unit] && !t->other[unit])
		assert_false(units_lands(t, who));
	units_flows(t);
}

/* --- Looking -------------------------------------------------------------- */

static const uint64_t *units_entry_at(struct units *t, uint64_t table,
				      unsigned int index)
{
	const uint64_t *page = vtdm_mem_ptr(t->machine.host->mem, table);

	return page ? page + 2 * index : NULL;
}

/* As the unit would find it. */
static const uint64_t *units_entry(struct units *t, enum inherit_who who)
{
	unsigned int rid = inherit_sids[who].rid;
	uint64_t root = vtdm_read64(units_model(t, t->home[who]), OLD_RTADDR);
	const uint64_t *at = units_entry_at(t, root & UNITS_TABLE, rid >> 8);

	if (!at || !(at[0] & UNITS_PRESENT))
		return NULL;
	return units_entry_at(t, at[0] & UNITS_TABLE, rid & 0xff);
}

static void units_look_at(struct units *t, struct units_picture *picture,
			  enum inherit_who who)
{
	const uint64_t *entry = units_entry(t, who);
	struct uiommu_device *device;

	if (entry) {
		picture->devices[who].lo = entry[0];
		picture->devices[who].hi = entry[1];
	}
	if (who != ALIAS) {
		device = machine_device(&t->machine, inherit_sids[who]);
		picture->devices[who].domain = uiommu_device_domain(device);
		if (uiommu_device_group(device))
			picture->devices[who].own = uiommu_group_default_domain(
				uiommu_device_group(device));
	}
	picture->devices[who].lands = units_lands(t, who);
	picture->devices[who].physical = units_reaches(
		t, who, t->memory[who].paddr, who);
	if (t->drivers[who])
		picture->devices[who].ours = units_reaches(t, who,
							   t->iovas[who], who);
	/* an address of the one next to it */
	picture->devices[who].others = units_reaches(
		t, who, t->iovas[(who + 1) % INHERIT_ENTRIES],
		(who + 1) % INHERIT_ENTRIES);
}

void units_look(struct units *t, struct units_picture *picture)
{
	memset(picture, 0, sizeof(*picture));
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		struct uiommu_unit_info info = units_info(t, i);

		picture->units[i].inherited = info.inherited;
		picture->units[i].adopted = info.adopted;
		picture->units[i].translating = info.translating;
		picture->units[i].broken = info.broken;
	}
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		units_look_at(t, picture, who);
}

void units_compare(struct units *t, const struct units_picture *before, int but)
{
	static struct units_picture now;

	units_look(t, &now);
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if ((int)t->home[who] != but)
			assert_memory_equal(&now.devices[who],
					    &before->devices[who],
					    sizeof(now.devices[who]));
	for (int i = 0; i < (int)USER_UNITS; i++)
		if (i != but)
			assert_memory_equal(&now.units[i], &before->units[i],
					    sizeof(now.units[i]));
}
