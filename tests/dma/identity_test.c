// SPDX-License-Identifier: MIT
/*
 * Identity on the software VT-d: devices do DMA through the shared table, RAM
 * is added under them, units of different kinds share the domain, and options
 * leave units alone. Rnn: rows of the list of known mistakes.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "stack.h"

#define PMEN 0x64u
#define PMEN_EPM 0x80000000u
#define FUNCTIONS 16u

static const struct uiommu_sid alone = MACHINE_SID(0, 2, 0);
static const struct uiommu_sid other = MACHINE_SID(0, 3, 0);

/* The last block is no RAM; the one before is added later. */
#define BLOCK 0x10000ull
#define RAM_FIRST 0x40000000ull
#define RAM_LAST (RAM_FIRST + BLOCK - 1)
#define ADDED_FIRST (RAM_FIRST + BLOCK)
#define ADDED_LAST (ADDED_FIRST + BLOCK - 1)
#define STRANGE (ADDED_LAST + 1)

static const struct uiommu_range ram = { RAM_FIRST, RAM_LAST };

struct fixture {
	struct machine machine;
	struct user_function functions[FUNCTIONS];
	void *memory;
	void *reserve;
};

static struct vtdm_config *model(struct fixture *f, unsigned int unit)
{
	return &f->machine.config.units[unit].model;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	machine_describe(&fixture.machine);
	model(&fixture, 0)->pt = false;
	fixture.machine.options.ram = &ram;
	fixture.machine.options.ram_count = 1;
	fixture.machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	*state = &fixture;
	return 0;
}

/* A unit of its own for @alone, a display; the other takes the rest. */
static void two_units(struct fixture *f)
{
	struct user_config *config = &f->machine.config;

	memcpy(f->functions, config->functions,
	       config->function_count * sizeof(f->functions[0]));
	for (unsigned int i = 0; i < config->function_count; i++) {
		if (f->functions[i].sid.rid != alone.rid)
			continue;
		f->functions[i].class_code = 0x030000;
		f->functions[i].unit = 1;
	}
	config->functions = f->functions;
	config->unit_count = 2;
	user_dmar_begin(&f->machine.dmar, 39);
	user_dmar_unit(&f->machine.dmar, 0, config->units[1].base, false);
	user_dmar_scope(&f->machine.dmar, UIOMMU_SCOPE_ENDPOINT, alone);
	user_dmar_unit(&f->machine.dmar, 0, config->units[0].base, true);
}

static void build(struct fixture *f)
{
	struct vtdm_mem *mem;

	machine_build(&f->machine);
	mem = f->machine.host->mem;
	f->memory = vtdm_mem_alloc_at(mem, RAM_FIRST, 4 * BLOCK);
	f->reserve = vtdm_mem_alloc_at(mem, STACK_RESERVE, STACK_RESERVE_SIZE);
	assert_non_null(f->memory);
	assert_non_null(f->reserve);
	assert_int_equal(machine_scan(&f->machine), UIOMMU_OK);
}

static void bring_up(struct fixture *f)
{
	build(f);
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
}

static void take_down(struct fixture *f)
{
	uiommu_stop(f->machine.uiommu);
	assert_int_equal(user_violations(f->machine.host), 0);
	vtdm_mem_free(f->machine.host->mem, f->memory, 4 * BLOCK);
	vtdm_mem_free(f->machine.host->mem, f->reserve, STACK_RESERVE_SIZE);
	machine_down(&f->machine);
}

static bool reaches(struct fixture *f, struct uiommu_sid sid, uint64_t address)
{
	uint8_t *cpu = vtdm_mem_ptr(f->machine.host->mem, address);
	uint8_t byte = 0x5a;
	bool wrote;

	assert_non_null(cpu);
	*cpu = 0;
	wrote = user_dma(f->machine.host, sid, address, true, &byte, 1) ==
		VTDM_OK;
	assert_int_equal(*cpu, wrote ? 0x5a : 0);
	return wrote;
}

static enum uiommu_domain_type type_of(struct fixture *f, struct uiommu_sid sid)
{
	return uiommu_domain_type(
		uiommu_device_domain(machine_device(&f->machine, sid)));
}

/* --- Kinds of units; all without pass-through --- */

static void kind_plain(struct fixture *f)
{
	(void)f;
}

static void kind_caching(struct fixture *f)
{
	model(f, 0)->cm = true;
}

static void kind_write_buffer(struct fixture *f)
{
	model(f, 0)->rwbf = true;
	f->machine.config.memory.buffered = true;
}

static void kind_noncoherent(struct fixture *f)
{
	model(f, 0)->c = false;
	f->machine.config.memory.noncoherent = true;
}

static void kind_small(struct fixture *f)
{
	model(f, 0)->sslps = 0;
}

static void kind_registers(struct fixture *f)
{
	kind_caching(f);
	kind_small(f);
	model(f, 0)->qi = false;
	model(f, 0)->psi = false;
	model(f, 0)->sc = false;
}

static void (*const kinds[])(struct fixture *f) = {
	kind_plain,	  kind_caching, kind_write_buffer,
	kind_noncoherent, kind_small,	kind_registers,
};

static void go_round(struct fixture *f, struct uiommu_sid sid)
{
	struct uiommu_group *group = machine_group(&f->machine, sid);
	struct uiommu_domain *own;

	assert_int_equal(uiommu_domain_create(&group, 1, &own), UIOMMU_OK);
	assert_int_equal(uiommu_group_claim(group, f), UIOMMU_OK);
	assert_int_equal(uiommu_group_attach(group, f, own), UIOMMU_OK);
	assert_false(reaches(f, sid, RAM_FIRST));
	assert_int_equal(uiommu_group_release(group, f), UIOMMU_OK);
	assert_int_equal(uiommu_domain_put(f->machine.uiommu, own), UIOMMU_OK);
	assert_true(reaches(f, sid, RAM_FIRST));
	/* And through a domain of the group's own. */
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_DMA),
			 UIOMMU_OK);
	assert_false(reaches(f, sid, RAM_FIRST));
	assert_int_equal(uiommu_group_set_type(group, UIOMMU_DOMAIN_IDENTITY),
			 UIOMMU_OK);
	assert_true(reaches(f, sid, RAM_FIRST));
}

/* R53: RAM to its end, what firmware keeps, and no page more; for ever. */
static void test_reach(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t pages;

		assert_int_equal(set_up(state), 0);
		kinds[i](f);
		machine_reserve(&f->machine, STACK_RESERVE,
				STACK_RESERVE + STACK_RESERVE_SIZE - 1, &other,
				1);
		bring_up(f);
		assert_int_equal(type_of(f, alone), UIOMMU_DOMAIN_IDENTITY);
		assert_true(reaches(f, alone, RAM_FIRST));
		assert_true(reaches(f, alone, RAM_LAST));
		assert_false(reaches(f, alone, RAM_LAST + 1));
		assert_true(reaches(f, other, STACK_RESERVE));
		go_round(f, alone);
		pages = f->machine.host->pages;
		for (unsigned int n = 0; n < 50; n++)
			go_round(f, n & 1 ? alone : MACHINE_NVME);
		assert_true(f->machine.host->pages <= pages + 1);
		assert_true(reaches(f, other, RAM_LAST));
		take_down(f);
	}
}

/* A map of memory that counts the interrupt window in does not get it. */
static void test_interrupts(void **state)
{
	static const struct uiommu_range all = { 0, 0xffffffff };
	struct fixture *f = *state;
	struct uiommu_domain *identity;
	uiommu_paddr_t paddr;

	f->machine.options.ram = &all;
	bring_up(f);
	identity = uiommu_identity_domain(f->machine.uiommu);
	assert_int_equal(uiommu_domain_lookup(identity, 0xfee00000, &paddr),
			 UIOMMU_ENOENT);
	assert_int_equal(uiommu_domain_lookup(identity, 0xfeefffff, &paddr),
			 UIOMMU_ENOENT);
	assert_int_equal(uiommu_domain_lookup(identity, 0xfedfffff, &paddr),
			 UIOMMU_OK);
	assert_true(reaches(f, alone, STRANGE));
	take_down(f);
}

/* Under a device that tried before: what it was refused is not remembered. */
static void test_add(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_int_equal(set_up(state), 0);
		kinds[i](f);
		bring_up(f);
		assert_true(reaches(f, alone, RAM_LAST));
		assert_false(reaches(f, alone, ADDED_FIRST));
		assert_false(reaches(f, alone, ADDED_LAST));
		assert_int_equal(
			uiommu_add_ram(f->machine.uiommu,
				       (struct uiommu_range){ ADDED_FIRST,
							      ADDED_LAST }),
			UIOMMU_OK);
		assert_true(reaches(f, alone, ADDED_FIRST));
		assert_true(reaches(f, alone, ADDED_LAST));
		assert_true(reaches(f, other, ADDED_LAST));
		assert_false(reaches(f, alone, STRANGE));
		assert_true(reaches(f, alone, RAM_FIRST));
		take_down(f);
	}
}

/* Who comes later brings its region into the shared table; twice, too. */
static void test_plug(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_int_equal(set_up(state), 0);
		kinds[i](f);
		machine_reserve(&f->machine, STACK_RESERVE,
				STACK_RESERVE + STACK_RESERVE_SIZE - 1, &other,
				1);
		build(f);
		assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
		assert_int_equal(uiommu_remove_device(
					 machine_device(&f->machine, other)),
				 UIOMMU_OK);
		uiommu_stop(f->machine.uiommu);
		assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
		assert_false(reaches(f, alone, STACK_RESERVE));
		assert_int_equal(uiommu_add_pci(f->machine.uiommu, 0, 0, 0),
				 UIOMMU_OK);
		assert_int_equal(type_of(f, other), UIOMMU_DOMAIN_IDENTITY);
		assert_true(reaches(f, other, STACK_RESERVE));
		assert_true(reaches(f, other, RAM_LAST));
		assert_false(reaches(f, other, RAM_LAST + 1));
		take_down(f);
	}
}

/* One unit passes, the other walks, and both are in the one domain. */
static void test_mixed(void **state)
{
	struct fixture *f = *state;
	struct uiommu_domain *identity;

	two_units(f);
	assert_false(model(f, 0)->pt);
	bring_up(f);
	identity = uiommu_identity_domain(f->machine.uiommu);
	assert_ptr_equal(
		uiommu_device_domain(machine_device(&f->machine, alone)),
		identity);
	assert_ptr_equal(
		uiommu_device_domain(machine_device(&f->machine, other)),
		identity);
	assert_true(reaches(f, alone, RAM_LAST));
	assert_true(reaches(f, other, RAM_LAST));
	assert_true(reaches(f, alone, RAM_LAST + 1)); /* passed */
	assert_false(reaches(f, other, RAM_LAST + 1));
	assert_int_equal(uiommu_add_ram(f->machine.uiommu,
					(struct uiommu_range){ ADDED_FIRST,
							       ADDED_LAST }),
			 UIOMMU_OK);
	assert_true(reaches(f, other, ADDED_LAST));
	take_down(f);
}

/* The weaker of two units says what the one table is like. */
static void test_weakest(void **state)
{
	struct fixture *f = *state;

	two_units(f);
	model(f, 1)->pt = false;
	model(f, 1)->sagaw = 2; /* three levels alone */
	model(f, 1)->mgaw = 39;
	model(f, 1)->sslps = 0;
	model(f, 1)->sc = false;
	bring_up(f);
	assert_int_equal(type_of(f, alone), UIOMMU_DOMAIN_IDENTITY);
	assert_int_equal(type_of(f, other), UIOMMU_DOMAIN_IDENTITY);
	assert_true(reaches(f, alone, RAM_LAST));
	assert_true(reaches(f, other, RAM_LAST));
	assert_false(reaches(f, alone, RAM_LAST + 1));
	take_down(f);

	/* None that both walk: translated, and no unit passes anything on. */
	assert_int_equal(set_up(state), 0);
	two_units(f);
	model(f, 0)->sagaw = 4;
	model(f, 1)->pt = false;
	model(f, 1)->sagaw = 2;
	model(f, 1)->mgaw = 39;
	bring_up(f);
	assert_true(user_logged(f->machine.host, "no tables in common"));
	assert_int_equal(type_of(f, alone), UIOMMU_DOMAIN_DMA);
	assert_int_equal(type_of(f, other), UIOMMU_DOMAIN_DMA);
	assert_false(reaches(f, other, RAM_LAST));
	assert_int_equal(
		uiommu_group_set_type(machine_group(&f->machine, other),
				      UIOMMU_DOMAIN_IDENTITY),
		UIOMMU_EPERM);
	assert_int_equal(type_of(f, other), UIOMMU_DOMAIN_DMA);
	take_down(f);
}

/* A unit that hangs while RAM is added: told, and the range does not count. */
static void test_add_hangs(void **state)
{
	struct fixture *f = *state;
	struct uiommu_range range = { ADDED_FIRST, ADDED_LAST };

	kind_caching(f);
	build(f);
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
	vtdm_knobs(f->machine.host->units[0])->hang = VTDM_HANG_QUEUE;
	assert_int_equal(uiommu_add_ram(f->machine.uiommu, range),
			 UIOMMU_ETIMEDOUT);
	assert_non_null(user_event(f->machine.host, UIOMMU_EVENT_UNIT_BROKEN));
	assert_int_equal(uiommu_add_ram(f->machine.uiommu, range), UIOMMU_EIO);
	assert_true(reaches(f, alone, RAM_LAST));
	/* It keeps its tables. */
	uiommu_destroy(f->machine.uiommu);
	assert_int_equal(user_violations(f->machine.host), 0);
	assert_true(f->machine.host->pages > 0);
	assert_true(reaches(f, alone, RAM_LAST));
	user_host_destroy(f->machine.host);
}

/* --- Options that leave units alone --- */

/* R03, R90: the display's unit is never turned on, and holds nothing up. */
static void test_graphics_off(void **state)
{
	struct fixture *f = *state;
	struct uiommu_unit_info info;
	uint32_t i;

	two_units(f);
	f->machine.options.options.passthrough = UIOMMU_CHOICE_DEFAULT;
	f->machine.options.options_text = "intel_iommu=on,igfx_off";
	build(f);
	for (i = 0; i < 2; i++)
		vtdm_write32(f->machine.host->units[i], PMEN, PMEN_EPM);
	for (unsigned int n = 0; n < 3; n++) {
		assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
		assert_int_equal(vtdm_stats(f->machine.host->units[0])->te_on,
				 n + 1);
		assert_int_equal(vtdm_stats(f->machine.host->units[1])->te_on,
				 0);
		for (i = 0; i < 2; i++)
			assert_int_equal(
				vtdm_read32(f->machine.host->units[i], PMEN),
				0);
		/* Units are numbered as ever, and each says what it does. */
		for (i = 0; !uiommu_unit_info(f->machine.uiommu, i, &info); i++)
			assert_int_equal(
				info.translating,
				info.base == f->machine.config.units[0].base);
		assert_int_equal(i, 2);
		assert_null(uiommu_device_group(
			machine_device(&f->machine, alone)));
		assert_true(reaches(f, alone, STRANGE));
		assert_int_equal(type_of(f, other), UIOMMU_DOMAIN_DMA);
		assert_false(reaches(f, other, STRANGE));
		for (i = 0; !uiommu_unit_info(f->machine.uiommu, i, &info); i++)
			assert_int_equal(
				uiommu_unit_set_fault_interrupt(
					f->machine.uiommu, i, 0xfee00000, 0x30),
				info.translating ? UIOMMU_OK : UIOMMU_EBUSY);
		uiommu_stop(f->machine.uiommu);
	}
	take_down(f);
}

/* R89: as with the option, where its chipset set no second table aside. */
static void test_graphics_model(void **state)
{
	struct fixture *f = *state;

	two_units(f);
	for (unsigned int i = 0; i < f->machine.config.function_count; i++) {
		if (f->functions[i].sid.rid != alone.rid)
			continue;
		f->functions[i].vendor = 0x8086;
		f->functions[i].device = 0x0040;
	}
	f->machine.options.options.passthrough = UIOMMU_CHOICE_DEFAULT;
	build(f);
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
	assert_int_equal(vtdm_stats(f->machine.host->units[1])->te_on, 0);
	assert_null(uiommu_device_group(machine_device(&f->machine, alone)));
	assert_int_equal(type_of(f, other), UIOMMU_DOMAIN_DMA);
	take_down(f);
}

/* Even one that firmware left translating. */
static void test_left_translating(void **state)
{
	struct fixture *f = *state;

	two_units(f);
	f->machine.options.options_text = "intel_iommu=igfx_off";
	build(f);
	vtdm_write32(f->machine.host->units[1], 0x18, 0x80000000u); /* TE */
	assert_false(reaches(f, alone, STRANGE));
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
	assert_true(reaches(f, alone, STRANGE));
	assert_false(reaches(f, other, STRANGE));
	vtdm_violations_clear(f->machine.host->units[1]);
	take_down(f);
}

/* off: no translation, no protected memory, physical addresses. */
static void test_off(void **state)
{
	struct fixture *f = *state;
	uiommu_iova_t iova;
	unsigned int i;

	two_units(f);
	f->machine.options.options_text = "iommu=pt intel_iommu=off";
	build(f);
	for (i = 0; i < 2; i++)
		vtdm_write32(f->machine.host->units[i], PMEN, PMEN_EPM);
	assert_int_equal(uiommu_start(f->machine.uiommu), UIOMMU_OK);
	for (i = 0; i < 2; i++) {
		assert_int_equal(vtdm_stats(f->machine.host->units[i])->te_on,
				 0);
		assert_int_equal(vtdm_read32(f->machine.host->units[i], PMEN),
				 0);
	}
	assert_true(reaches(f, alone, STRANGE));
	assert_true(reaches(f, other, STRANGE));
	assert_int_equal(uiommu_dma_map(machine_driver(&f->machine, other),
					STRANGE, 4096, UIOMMU_DMA_TO_DEVICE,
					&iova),
			 UIOMMU_OK);
	assert_int_equal(iova, STRANGE);
	assert_int_equal(uiommu_dma_unmap(machine_device(&f->machine, other),
					  iova, 4096),
			 UIOMMU_OK);
	assert_int_equal(uiommu_poll_faults(f->machine.uiommu), 0);
	take_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reach, set_up),
		cmocka_unit_test_setup(test_interrupts, set_up),
		cmocka_unit_test_setup(test_add, set_up),
		cmocka_unit_test_setup(test_plug, set_up),
		cmocka_unit_test_setup(test_mixed, set_up),
		cmocka_unit_test_setup(test_weakest, set_up),
		cmocka_unit_test_setup(test_add_hangs, set_up),
		cmocka_unit_test_setup(test_graphics_off, set_up),
		cmocka_unit_test_setup(test_graphics_model, set_up),
		cmocka_unit_test_setup(test_left_translating, set_up),
		cmocka_unit_test_setup(test_off, set_up),
	};

	return cmocka_run_group_tests_name("dma identity", tests, NULL, NULL);
}
