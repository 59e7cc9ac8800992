// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stack.h"

#define PAGE 4096ull

struct stack_device {
	struct uiommu_sid sid; /* of the device */
	struct uiommu_sid as;  /* of its requests */
	unsigned int group;
};

/* What is behind the bridge asks in the bridge's name. */
static const struct stack_device stack_devices[STACK_DEVICES] = {
	{ MACHINE_SID(0, 2, 0), MACHINE_SID(0, 2, 0), 0 },
	{ MACHINE_SID(0, 3, 0), MACHINE_SID(0, 3, 0), 1 },
	{ MACHINE_SID(1, 0, 0), MACHINE_SID(1, 0, 0), 2 },
	{ MACHINE_SID(3, 1, 0), MACHINE_SID(3, 1, 0), 3 },
	{ MACHINE_SID(3, 2, 0), MACHINE_SID(3, 0, 0), 3 },
	{ MACHINE_SID(0, 4, 0), MACHINE_SID(0, 4, 0), 4 },
	{ MACHINE_SID(0, 4, 1), MACHINE_SID(0, 4, 1), 4 },
};

/* --- Kinds of units --- */

static struct vtdm_config *unit_of(struct machine *machine)
{
	return &machine->config.units[0].model;
}

static void kind_plain(struct machine *machine)
{
	(void)machine;
}

static void kind_caching(struct machine *machine)
{
	unit_of(machine)->cm = true;
}

static void kind_write_buffer(struct machine *machine)
{
	unit_of(machine)->rwbf = true;
	machine->config.memory.buffered = true;
}

static void kind_noncoherent(struct machine *machine)
{
	unit_of(machine)->c = false;
	machine->config.memory.noncoherent = true;
}

static void kind_no_queue(struct machine *machine)
{
	unit_of(machine)->qi = false;
}

static void kind_no_page_selective(struct machine *machine)
{
	unit_of(machine)->psi = false;
}

static void kind_small_mask(struct machine *machine)
{
	unit_of(machine)->mamv = 2;
}

static void kind_three_levels(struct machine *machine)
{
	unit_of(machine)->sagaw = 2;
	unit_of(machine)->mgaw = 39;
}

static void kind_five_levels(struct machine *machine)
{
	unit_of(machine)->sagaw = 8;
	unit_of(machine)->mgaw = 57;
}

static void kind_small_pages(struct machine *machine)
{
	unit_of(machine)->sslps = 0;
}

static void kind_few_domains(struct machine *machine)
{
	unit_of(machine)->nd = 0;
}

static void kind_no_passthrough(struct machine *machine)
{
	unit_of(machine)->pt = false;
}

static void kind_worst(struct machine *machine)
{
	kind_caching(machine);
	kind_write_buffer(machine);
	kind_noncoherent(machine);
	kind_no_queue(machine);
	kind_no_page_selective(machine);
	kind_three_levels(machine);
	kind_no_passthrough(machine);
	unit_of(machine)->sc = false;
}

const struct stack_kind stack_kinds[] = {
	{ "plain", kind_plain, false, false },
	{ "caching mode", kind_caching, false, false },
	{ "write buffer", kind_write_buffer, false, false },
	{ "non-coherent", kind_noncoherent, false, false },
	{ "no queue", kind_no_queue, false, false },
	{ "no page-selective", kind_no_page_selective, false, false },
	{ "small masks", kind_small_mask, false, false },
	{ "3 levels", kind_three_levels, false, false },
	{ "5 levels", kind_five_levels, false, false },
	{ "small pages", kind_small_pages, false, true },
	{ "16 domains", kind_few_domains, false, false },
	{ "no pass-through", kind_no_passthrough, true, false },
	{ "all at once", kind_worst, true, false },
};

const unsigned int stack_kind_count = sizeof(stack_kinds) /
				      sizeof(stack_kinds[0]);

/* --- Up and down --- */

/*
 * A device goes on with its work while its mappings change: it may or may not
 * get through, but nothing that the unit walks may be gone.
 */
static void stack_bystander(struct uiommu_host *host, void *context)
{
	struct stack *s = context;
	uint64_t size = s->beside.last - s->beside.first + 1;
	const struct stack_device *device = &stack_devices[s->beside_device];
	uint8_t byte;

	/* In identity the address is any memory's. */
	if (s->beside.last && s->groups[device->group].mode != STACK_IDENTITY)
		(void)vtdm_dma(host->units[0], device->as.rid,
			       s->beside.first + random_below(&s->random, size),
			       false, &byte, 1);
}

static void stack_memory(struct stack *s)
{
	struct vtdm_mem *mem = s->machine.host->mem;

	s->reserve = vtdm_mem_alloc_at(mem, STACK_RESERVE, STACK_RESERVE_SIZE);
	assert_non_null(s->reserve);
	for (unsigned int i = 0; i < STACK_PAGES; i++)
		assert_non_null(vtdm_mem_alloc(
			mem, PAGE, i % 2 ? VTDM_MEM_HIGH : VTDM_MEM_LOW,
			&s->pages[i]));
	assert_non_null(
		vtdm_mem_alloc(mem, 2048 * PAGE, VTDM_MEM_HIGH, &s->big));
}

void stack_up(struct stack *s, const struct stack_kind *kind)
{
	struct random random = s->random;

	memset(s, 0, sizeof(*s));
	s->random = random;
	s->kind = kind;
	machine_describe(&s->machine);
	kind->change(&s->machine);
	machine_reserve(&s->machine, STACK_RESERVE,
			STACK_RESERVE + STACK_RESERVE_SIZE - 1,
			&stack_devices[0].sid, 1);
	machine_build(&s->machine);
	stack_memory(s);
	s->machine.host->on_mmio = stack_bystander;
	s->machine.host->on_mmio_context = s;
	/* Commands that take their time: who does not wait is too early. */
	vtdm_knobs(s->machine.host->units[0])->cmd_reads = 2;
	vtdm_knobs(s->machine.host->units[0])->queue_ticks = 2;
	assert_int_equal(machine_scan(&s->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(s->machine.uiommu), UIOMMU_OK);
	for (unsigned int i = 0; i < STACK_DEVICES; i++) {
		struct stack_group *group = &s->groups[stack_devices[i].group];

		s->devices[i] = machine_device(&s->machine,
					       stack_devices[i].sid);
		group->group = uiommu_device_group(s->devices[i]);
		assert_int_equal(uiommu_device_use(s->devices[i]), UIOMMU_OK);
	}
}

static void *stack_ptr(struct stack *s, uint64_t paddr)
{
	uint8_t *page = vtdm_mem_ptr(s->machine.host->mem, paddr);

	assert_non_null(page);
	return page;
}

static void stack_memory_free(struct stack *s)
{
	struct vtdm_mem *mem = s->machine.host->mem;

	for (unsigned int i = 0; i < STACK_PAGES; i++)
		vtdm_mem_free(mem, stack_ptr(s, s->pages[i]), PAGE);
	vtdm_mem_free(mem, stack_ptr(s, s->big), 2048 * PAGE);
	vtdm_mem_free(mem, s->reserve, STACK_RESERVE_SIZE);
}

/* --- The oracle --- */

/* Does the oracle translate? *@paddr is of the byte. */
static bool oracle(struct stack *s, unsigned int device, uint64_t iova,
		   unsigned int prot, uint64_t *paddr)
{
	struct stack_group *group = &s->groups[stack_devices[device].group];
	uint64_t page = (iova - STACK_WINDOW_AT) / PAGE;

	*paddr = iova;
	if (group->mode == STACK_IDENTITY)
		return true;
	if (group->mode == STACK_BLOCKED)
		return false;
	if (group->mode == STACK_UNMANAGED) {
		if (iova < STACK_WINDOW_AT || page >= STACK_WINDOW)
			return false;
		*paddr = group->window[page].paddr + iova % PAGE;
		return (group->window[page].prot & prot) == prot;
	}
	if (device == 0 && iova >= STACK_RESERVE &&
	    iova < STACK_RESERVE + STACK_RESERVE_SIZE)
		return true;
	for (unsigned int i = 0; i < STACK_LIVE; i++) {
		const struct stack_mapping *m = &s->mappings[i];

		if (!m->live ||
		    &s->groups[stack_devices[m->device].group] != group)
			continue;
		for (unsigned int k = 0; k < m->piece_count; k++) {
			const struct stack_piece *piece = &m->pieces[k];

			if (iova < piece->first || iova > piece->last)
				continue;
			*paddr = piece->paddr + (iova - piece->first);
			return (m->prot & prot) == prot;
		}
	}
	return false;
}

void stack_access(struct stack *s, unsigned int device, uint64_t iova,
		  bool write)
{
	uint8_t bytes[8], *memory = NULL;
	size_t size = PAGE - iova % PAGE;
	enum vtdm_result result;
	uint64_t paddr;
	bool want;

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	want = oracle(s, device, iova,
		      write ? UIOMMU_PROT_WRITE : UIOMMU_PROT_READ, &paddr);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)random_below(&s->random, 256);
	if (want) {
		memory = vtdm_mem_ptr(s->machine.host->mem, paddr);
		/* Identity lets through what leads nowhere. */
		if (!memory && paddr == iova)
			return;
		assert_non_null(memory);
	}
	result = vtdm_dma(s->machine.host->units[0],
			  stack_devices[device].as.rid, iova, write, bytes,
			  size);
	s->accesses++;
	s->refused += !want;
	if ((result == VTDM_OK) != want)
		fail_msg("%s: device %u, %s of %llx: result %x, but it must %s",
			 s->kind->name, device, write ? "write" : "read",
			 (unsigned long long)iova, result,
			 want ? "succeed" : "be refused");
	if (want && memcmp(memory, bytes, size))
		fail_msg("%s: device %u, %s of %llx: not the bytes of %llx",
			 s->kind->name, device, write ? "write" : "read",
			 (unsigned long long)iova, (unsigned long long)paddr);
}

/* First, last, and some byte of a piece; both ways, by any member. */
static void look_at(struct stack *s, unsigned int device,
		    const struct stack_piece *piece)
{
	uint64_t size = piece->last - piece->first + 1;
	unsigned int other = (unsigned int)random_below(&s->random,
							STACK_DEVICES);

	stack_access(s, device, piece->first, false);
	stack_access(s, device, piece->last, true);
	stack_access(s, device, piece->first, true);
	stack_access(s, device, piece->first + random_below(&s->random, size),
		     false);
	stack_access(s, other, piece->first + random_below(&s->random, size),
		     true);
}

static void look_at_mapping(struct stack *s, const struct stack_mapping *m)
{
	for (unsigned int i = 0; i < m->piece_count; i++)
		look_at(s, m->device, &m->pieces[i]);
	/* And just outside. */
	stack_access(s, m->device, m->pieces[0].first - 1, false);
	stack_access(s, m->device, m->pieces[m->piece_count - 1].last + 1,
		     false);
}

static void look_at_gone(struct stack *s)
{
	unsigned int i;

	if (!s->gone_count)
		return;
	i = (unsigned int)random_below(&s->random, s->gone_count < STACK_GONE
							   ? s->gone_count
							   : STACK_GONE);
	look_at(s, s->gone_device[i], &s->gone[i]);
}

/* --- The DMA API's mappings --- */

static uint64_t some_memory(struct stack *s, size_t *size)
{
	uint64_t first;

	if (random_below(&s->random, 4)) {
		first = s->pages[random_below(&s->random, STACK_PAGES)] +
			random_below(&s->random, 2) *
				random_below(&s->random, PAGE);
		*size = 1 +
			(size_t)random_below(&s->random, PAGE - first % PAGE);
		return first;
	}
	if (!random_below(&s->random, 3)) {
		*size = 512 * PAGE; /* as large as a leaf */
		return s->big + random_below(&s->random, 3) * 512 * PAGE;
	}
	first = s->big + random_below(&s->random, STACK_BIG * PAGE);
	*size = 1 + (size_t)random_below(&s->random,
					 s->big + STACK_BIG * PAGE - first);
	if (random_below(&s->random, 4) && *size > 20000)
		*size = 20000;
	return first;
}

static void add_piece(struct stack_mapping *m, uint64_t iova, uint64_t paddr,
		      size_t size)
{
	struct stack_piece *piece = &m->pieces[m->piece_count++];

	piece->first = iova & ~(PAGE - 1);
	piece->last = (iova + size - 1) | (PAGE - 1);
	piece->paddr = paddr & ~(PAGE - 1);
}

static void map_single(struct stack *s, struct stack_mapping *m)
{
	uint64_t paddr = some_memory(s, &m->size);
	int err = uiommu_dma_map(s->devices[m->device], paddr, m->size,
				 (enum uiommu_dma_dir)m->prot, &m->iova);

	assert_int_equal(err, UIOMMU_OK);
	assert_int_equal(m->iova % PAGE, paddr % PAGE);
	add_piece(m, m->iova, paddr, m->size);
}

static void map_list(struct stack *s, struct stack_mapping *m)
{
	uint32_t segments, segment = 0;
	size_t at = 0;

	m->count = 1 + (uint32_t)random_below(&s->random, STACK_PIECES);
	for (uint32_t i = 0; i < m->count; i++) {
		m->sg[i].paddr = some_memory(s, &m->sg[i].size);
		if (random_below(&s->random, 2)) {
			m->sg[i].paddr &= ~(PAGE - 1);
			m->sg[i].size = PAGE;
		}
	}
	assert_int_equal(
		uiommu_dma_map_sg(s->devices[m->device], m->sg, m->count,
				  (enum uiommu_dma_dir)m->prot, &segments),
		UIOMMU_OK);
	for (uint32_t i = 0; i < m->count; i++) {
		assert_true(segment < segments);
		add_piece(m, m->sg[segment].iova + at, m->sg[i].paddr,
			  m->sg[i].size);
		at += m->sg[i].size;
		if (at == m->sg[segment].iova_size) {
			segment++;
			at = 0;
		}
	}
	assert_int_equal(segment, segments);
}

static void map_coherent(struct stack *s, struct stack_mapping *m)
{
	uint64_t paddr;

	m->prot = 3;
	m->size = 1 + (size_t)random_below(&s->random, 40000);
	assert_int_equal(uiommu_dma_alloc(s->devices[m->device], m->size,
					  &m->cpu, &m->iova),
			 UIOMMU_OK);
	assert_true(vtdm_mem_paddr(s->machine.host->mem, m->cpu, &paddr));
	add_piece(m, m->iova, paddr, m->size);
}

static void step_map(struct stack *s, struct stack_mapping *m)
{
	memset(m, 0, sizeof(*m));
	m->device = (unsigned int)random_below(&s->random, STACK_DEVICES);
	m->prot = 1 + (unsigned int)random_below(&s->random, 3);
	if (s->groups[stack_devices[m->device].group].mode != STACK_DMA)
		return;
	switch (random_below(&s->random, 4)) {
	case 0:
		map_list(s, m);
		break;
	case 1:
		map_coherent(s, m);
		break;
	default:
		map_single(s, m);
	}
	m->live = true;
	look_at_mapping(s, m);
}

static void step_unmap(struct stack *s, struct stack_mapping *m)
{
	struct uiommu_device *device = s->devices[m->device];
	int err;

	if (s->groups[stack_devices[m->device].group].mode != STACK_DMA)
		return;
	s->beside = m->pieces[random_below(&s->random, m->piece_count)];
	s->beside_device = m->device;
	if (m->cpu)
		err = uiommu_dma_free(device, m->size, m->cpu, m->iova);
	else if (m->count)
		err = uiommu_dma_unmap_sg(device, m->sg, m->count);
	else
		err = uiommu_dma_unmap(device, m->iova, m->size);
	assert_int_equal(err, UIOMMU_OK);
	m->live = false;
	for (unsigned int i = 0; i < m->piece_count; i++) {
		unsigned int slot = s->gone_count++ % STACK_GONE;

		s->gone[slot] = m->pieces[i];
		s->gone_device[slot] = m->device;
		look_at(s, m->device, &m->pieces[i]);
	}
}

/* --- Groups and unmanaged domains --- */

static void look_at_window(struct stack *s, unsigned int device, uint64_t page,
			   uint64_t count)
{
	struct stack_piece piece = {
		.first = STACK_WINDOW_AT + page * PAGE,
		.last = STACK_WINDOW_AT + (page + count) * PAGE - 1,
	};

	look_at(s, device, &piece);
	stack_access(s, device, piece.first - 1, true);
	stack_access(s, device, piece.last + 1, true);
}

/* Part of the window, often whole large pages. */
static void some_window(struct stack *s, uint64_t *page, uint64_t *count)
{
	if (!random_below(&s->random, 3)) {
		*page = random_below(&s->random, 4) * 512;
		*count = 512;
		return;
	}
	*page = random_below(&s->random, STACK_WINDOW);
	*count = 1 + random_below(&s->random, STACK_WINDOW - *page);
	if (random_below(&s->random, 4) && *count > 9)
		*count = 9;
}

static void window_map(struct stack *s, struct stack_group *group,
		       unsigned int device)
{
	unsigned int prot = 1 + (unsigned int)random_below(&s->random, 3);
	struct uiommu_range range;
	uint64_t page, count, paddr;
	bool taken = false;
	int err;

	some_window(s, &page, &count);
	if (count > STACK_BIG)
		count = STACK_BIG;
	paddr = s->big;
	if (count <= 512)
		paddr += PAGE * (page % 512
					 ? random_below(&s->random, 1024)
					 : 512 * random_below(&s->random, 3));
	range.first = STACK_WINDOW_AT + page * PAGE;
	range.last = range.first + count * PAGE - 1;
	for (uint64_t i = 0; i < count; i++)
		taken = taken || group->window[page + i].prot;
	err = uiommu_domain_map(group->unmanaged, range, paddr, prot);
	assert_int_equal(err, taken ? UIOMMU_EEXIST : UIOMMU_OK);
	for (uint64_t i = 0; !err && i < count; i++) {
		group->window[page + i].paddr = paddr + i * PAGE;
		group->window[page + i].prot = prot;
	}
	look_at_window(s, device, page, count);
}

static void window_unmap(struct stack *s, struct stack_group *group,
			 unsigned int device)
{
	uint64_t page, count, unmapped, want = 0;
	struct uiommu_range range;

	some_window(s, &page, &count);
	range.first = STACK_WINDOW_AT + page * PAGE;
	range.last = range.first + count * PAGE - 1;
	for (uint64_t i = 0; i < count; i++) {
		want += group->window[page + i].prot ? PAGE : 0;
		group->window[page + i].prot = 0;
	}
	s->beside.first = range.first;
	s->beside.last = range.last;
	s->beside_device = device;
	assert_int_equal(
		uiommu_domain_unmap(group->unmanaged, range, &unmapped),
		UIOMMU_OK);
	assert_int_equal(unmapped, want);
	look_at_window(s, device, page, count);
}

static void step_window(struct stack *s)
{
	unsigned int device = (unsigned int)random_below(&s->random,
							 STACK_DEVICES);
	struct stack_group *group = &s->groups[stack_devices[device].group];

	if (!group->unmanaged)
		return;
	if (random_below(&s->random, 3))
		window_map(s, group, device);
	else
		window_unmap(s, group, device);
}

/* Drivers of all members begin or end. */
static void members_use(struct stack *s, unsigned int group, bool use)
{
	for (unsigned int i = 0; i < STACK_DEVICES; i++) {
		if (stack_devices[i].group != group)
			continue;
		if (use)
			assert_int_equal(uiommu_device_use(s->devices[i]),
					 UIOMMU_OK);
		else
			uiommu_device_unuse(s->devices[i]);
	}
}

static void give_back_all(struct stack *s, const struct uiommu_device *device)
{
	for (unsigned int i = 0; i < STACK_LIVE; i++)
		if (s->mappings[i].live &&
		    s->devices[s->mappings[i].device] == device)
			step_unmap(s, &s->mappings[i]);
}

static bool stack_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	give_back_all(host->on_mmio_context, device);
	return true;
}

/* Another default domain: drivers are paused, or have gone. */
static int go_home(struct stack *s, unsigned int index, enum stack_mode mode)
{
	static const enum uiommu_domain_type types[] = {
		[STACK_DMA] = UIOMMU_DOMAIN_DMA,
		[STACK_IDENTITY] = UIOMMU_DOMAIN_IDENTITY,
	};
	struct stack_group *group = &s->groups[index];
	enum uiommu_domain_type type = types[mode];
	bool pause = random_below(&s->random, 2);
	int err;

	/* With lent memory or without: nothing moves. */
	if (mode == STACK_DMA && random_below(&s->random, 2)) {
		if (unit_of(&s->machine)->cm)
			assert_int_equal(
				uiommu_group_set_type(group->group,
						      UIOMMU_DOMAIN_DMA_FQ),
				UIOMMU_EPERM);
		else
			type = UIOMMU_DOMAIN_DMA_FQ;
	}
	if (mode == group->home)
		return uiommu_group_set_type(group->group, type);
	if (mode == STACK_DMA || !s->kind->no_passthrough)
		assert_int_equal(uiommu_group_set_type(group->group, type),
				 UIOMMU_EINUSE);
	for (unsigned int i = 0; i < STACK_DEVICES; i++)
		if (stack_devices[i].group == index && !pause)
			give_back_all(s, s->devices[i]);
	s->beside.last = 0;
	s->machine.host->on_pause = pause ? stack_pause : NULL;
	if (!pause)
		members_use(s, index, false);
	err = uiommu_group_set_type(group->group, type);
	if (!pause)
		members_use(s, index, true);
	s->machine.host->on_pause = NULL;
	if (!err)
		group->home = mode;
	return err;
}

static int claim(struct stack *s, unsigned int index)
{
	struct stack_group *group = &s->groups[index];
	int err;

	assert_int_equal(uiommu_group_claim(group->group, s), UIOMMU_EINUSE);
	members_use(s, index, false);
	err = uiommu_group_claim(group->group, s);
	if (err)
		members_use(s, index, true);
	else
		group->mode = STACK_BLOCKED;
	return err;
}

static void release(struct stack *s, unsigned int index)
{
	struct stack_group *group = &s->groups[index];

	assert_int_equal(
		uiommu_group_set_type(group->group, UIOMMU_DOMAIN_IDENTITY),
		UIOMMU_EOWNED);
	assert_int_equal(uiommu_group_release(group->group, s), UIOMMU_OK);
	members_use(s, index, true);
	group->mode = group->home;
}

static bool is_owned(const struct stack_group *group)
{
	return group->mode == STACK_BLOCKED || group->mode == STACK_UNMANAGED;
}

static int go_to(struct stack *s, unsigned int index, enum stack_mode mode)
{
	struct stack_group *group = &s->groups[index];
	int err = UIOMMU_OK;

	if (mode == STACK_DMA || mode == STACK_IDENTITY) {
		if (is_owned(group))
			release(s, index);
		err = go_home(s, index, mode);
	} else if (!is_owned(group)) {
		err = claim(s, index);
	}
	if (!err && mode == STACK_UNMANAGED) {
		if (!group->unmanaged)
			assert_int_equal(
				uiommu_domain_create(&group->group, 1,
						     &group->unmanaged),
				UIOMMU_OK);
		err = uiommu_group_attach(group->group, s, group->unmanaged);
	} else if (!err && mode == STACK_BLOCKED) {
		err = uiommu_group_detach(group->group, s);
	}
	if (!err)
		group->mode = mode;
	return err;
}

static void step_attach(struct stack *s)
{
	unsigned int device = (unsigned int)random_below(&s->random,
							 STACK_DEVICES);
	enum stack_mode mode = (enum stack_mode)(random_below(&s->random, 4));
	unsigned int index = stack_devices[device].group;
	int want = UIOMMU_OK;

	if (index == 0 && (mode == STACK_BLOCKED || mode == STACK_UNMANAGED))
		want = UIOMMU_EPERM;
	if (mode == STACK_IDENTITY && s->kind->no_passthrough)
		want = UIOMMU_EPERM;
	assert_int_equal(go_to(s, index, mode), want);
	for (unsigned int i = 0; i < 4; i++)
		stack_access(s, device,
			     s->pages[random_below(&s->random, STACK_PAGES)],
			     i % 2);
	stack_access(s, device, STACK_RESERVE + 8, true);
	look_at_gone(s);
	look_at_window(s, device, random_below(&s->random, STACK_WINDOW - 1),
		       1);
}

void stack_step(struct stack *s)
{
	struct stack_mapping *m =
		&s->mappings[random_below(&s->random, STACK_LIVE)];

	switch (random_below(&s->random, 16)) {
	case 0:
	case 1:
		look_at_gone(s);
		break;
	case 2:
		step_attach(s);
		break;
	case 3:
	case 4:
	case 5:
		step_window(s);
		break;
	case 6:
		uiommu_poll_faults(s->machine.uiommu);
		break;
	default:
		if (m->live)
			step_unmap(s, m);
		else
			step_map(s, m);
	}
}

void stack_down(struct stack *s)
{
	for (unsigned int i = 0; i < STACK_GROUPS; i++) {
		struct stack_group *group = &s->groups[i];

		assert_int_equal(go_to(s, i, STACK_DMA), UIOMMU_OK);
		if (group->unmanaged)
			assert_int_equal(uiommu_domain_put(s->machine.uiommu,
							   group->unmanaged),
					 UIOMMU_OK);
	}
	for (unsigned int i = 0; i < STACK_LIVE; i++)
		if (s->mappings[i].live)
			step_unmap(s, &s->mappings[i]);
	stack_access(s, 0, STACK_RESERVE, true);
	s->machine.host->on_mmio = NULL;
	uiommu_stop(s->machine.uiommu);
	assert_int_equal(user_violations(s->machine.host), 0);
	stack_memory_free(s);
	machine_down(&s->machine);
}
