// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "core/object.h"
#include "life.h"

#define MASK32 0xffffffffull

const struct life_who life_who[LIFE_DEVICES] = {
	{ MACHINE_ALONE, 0, 0, true, false },
	{ MACHINE_OTHER, 1, -1, true, false },
	{ MACHINE_NVME, 2, -1, true, false },
	{ MACHINE_PCI0, 3, -1, true, true },
	{ MACHINE_PCI1, 3, -1, true, true },
	{ MACHINE_BRIDGE, 3, -1, false, true },
	{ MACHINE_PAIR0, 4, 1, false, false },
	{ MACHINE_PAIR1, 4, -1, true, false },
	{ MACHINE_USB, 5, -1, true, false },
};

enum op {
	OP_ADD,
	OP_REMOVE,
	OP_REMOVE_BUS,
	OP_USE,
	OP_UNUSE,
	OP_MAP,
	OP_UNMAP,
	OP_CLAIM,
	OP_RELEASE,
	OP_ATTACH,
	OP_TYPE,
	OP_SINK,
	OP_RESET,
	OP_MASK,
	OP_LOOK,
	OP_COUNT
};

UIOMMU_STATIC_ASSERT(OP_COUNT == LIFE_OPS);

static unsigned int below(struct life *s, unsigned int limit)
{
	return (unsigned int)random_below(&s->random, limit);
}

static struct uiommu_device *object(struct life *s, unsigned int device)
{
	return machine_device(&s->machine, life_who[device].sid);
}

/* As it must be; but for a host that was out of memory. */
static void same(struct life *s, int err, int want)
{
	if (s->failing && err == UIOMMU_ENOMEM)
		s->failed++;
	else
		assert_int_equal(err, want);
}

/* --- What is known of a group --- */

static unsigned int group_uses(const struct life *s, unsigned int group)
{
	unsigned int uses = 0;

	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].group == group)
			uses += s->devices[i].uses;
	return uses;
}

static bool group_resets(const struct life *s, unsigned int group)
{
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].group == group && s->devices[i].resetting)
			return true;
	return false;
}

/* Who is there of it, or LIFE_DEVICES. */
static unsigned int group_member(const struct life *s, unsigned int group)
{
	unsigned int i;

	for (i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].group == group && s->devices[i].there)
			break;
	return i;
}

static bool group_reserved(const struct life *s, unsigned int group)
{
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].group == group && life_who[i].reserve >= 0 &&
		    s->devices[i].there)
			return true;
	return false;
}

/* --- Mappings and uses --- */

static void unmap(struct life *s, unsigned int index, struct life_map *map)
{
	assert_int_equal(uiommu_dma_unmap(object(s, index), map->iova, 4096),
			 UIOMMU_OK);
	map->live = false;
}

static void unmap_all(struct life *s, unsigned int index)
{
	for (unsigned int i = 0; i < LIFE_MAPS; i++)
		if (s->devices[index].maps[i].live)
			unmap(s, index, &s->devices[index].maps[i]);
}

static bool life_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	struct life *s = host->on_mmio_context;
	struct uiommu_sid sid = uiommu_device_sid(device);

	if (!s->allow_pause)
		return false;
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].sid.rid == sid.rid)
			unmap_all(s, i);
	return true;
}

static int op_map(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];
	struct life_map *map = &device->maps[below(s, LIFE_MAPS)];
	struct life_group *group = &s->groups[life_who[index].group];
	uint64_t paddr = s->pages[below(s, LIFE_PAGES)];
	unsigned int prot = 1 + below(s, 3);
	uint64_t iova;
	int err;

	if (!device->there || map->live)
		return UIOMMU_ENOENT;
	err = uiommu_dma_map(object(s, index), paddr, 4096,
			     (enum uiommu_dma_dir)prot, &iova);
	same(s, err, device->uses ? UIOMMU_OK : UIOMMU_EACCES);
	if (err)
		return err;
	assert_true(iova + 4095 <= device->mask);
	if (group->type == UIOMMU_DOMAIN_IDENTITY)
		assert_int_equal(iova, paddr);
	*map = (struct life_map){ true, iova, paddr, prot };
	return UIOMMU_OK;
}

static int op_unmap(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];

	for (unsigned int i = 0; i < LIFE_MAPS; i++) {
		if (!device->maps[i].live)
			continue;
		unmap(s, index, &device->maps[i]);
		return UIOMMU_OK;
	}
	return UIOMMU_ENOENT;
}

static int op_use(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];
	int want = UIOMMU_OK;
	int err;

	if (!device->there || device->uses > 2)
		return UIOMMU_ENOENT;
	if (s->groups[life_who[index].group].owned)
		want = UIOMMU_EOWNED;
	else if (device->resetting)
		want = UIOMMU_EBUSY;
	err = uiommu_device_use(object(s, index));
	same(s, err, want);
	device->uses += !err;
	return err;
}

static int op_unuse(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];

	if (!device->uses)
		return UIOMMU_ENOENT;
	if (device->uses == 1)
		unmap_all(s, index);
	uiommu_device_unuse(object(s, index));
	device->uses--;
	return UIOMMU_OK;
}

/* --- Coming and going --- */

static void refuse(struct life *s, unsigned int index)
{
	s->devices[index].sunk = s->groups[life_who[index].group].sink;
}

static void came(struct life *s, unsigned int index)
{
	struct life_group *group = &s->groups[life_who[index].group];
	bool new_group = group_member(s, life_who[index].group) == LIFE_DEVICES;

	s->devices[index] = (struct life_device){ .there = true,
						  .mask = ~0ull,
						  .barred = group->owned };
	if (new_group)
		*group = (struct life_group){ .attached = -1,
					      .type = UIOMMU_DOMAIN_DMA };
}

static int op_add(struct life *s)
{
	bool all = below(s, 2);
	bool comes[LIFE_DEVICES] = { false };
	bool bus = s->devices[5].there || below(s, 2);
	int err;

	user_plug(s->machine.host, MACHINE_PORT, bus);
	for (unsigned int i = 0; i < LIFE_DEVICES; i++) {
		if (s->devices[i].there)
			continue;
		comes[i] = all || below(s, 2) || !life_who[i].plugs;
		comes[i] = comes[i] && (bus || !life_who[i].on_bus);
		user_plug(s->machine.host, life_who[i].sid, comes[i]);
	}
	err = uiommu_add_pci(s->machine.uiommu, 0, 0, 15);
	same(s, err, UIOMMU_OK);
	if (err)
		return err;
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (comes[i])
			came(s, i);
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (comes[i])
			refuse(s, i);
	return UIOMMU_OK;
}

static int may_go(const struct life *s, unsigned int index)
{
	const struct life_device *device = &s->devices[index];

	if (device->uses)
		return UIOMMU_EINUSE;
	if (s->groups[life_who[index].group].owned)
		return UIOMMU_EOWNED;
	return UIOMMU_OK;
}

static int op_remove(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];
	int err;

	if (!device->there || !life_who[index].plugs)
		return UIOMMU_ENOENT;
	if (life_who[index].reserve >= 0 && !may_go(s, index))
		s->kept[life_who[index].reserve] = false;
	/* Pulled out first, or taken out in order. */
	if (!may_go(s, index) && below(s, 2))
		user_plug(s->machine.host, life_who[index].sid, false);
	err = uiommu_remove_device(object(s, index));
	same(s, err, may_go(s, index));
	if (err)
		return err;
	user_plug(s->machine.host, life_who[index].sid, false);
	memset(device, 0, sizeof(*device));
	return UIOMMU_OK;
}

static int op_remove_bus(struct life *s)
{
	struct uiommu_device *port = uiommu_device_find(s->machine.uiommu,
							MACHINE_PORT);
	bool may = true;
	int err;

	if (!port)
		return UIOMMU_ENOENT;
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].on_bus && s->devices[i].there)
			may = may && !may_go(s, i);
	err = uiommu_remove_device(port);
	same(s, err, may ? UIOMMU_OK : err ? err : UIOMMU_EBUSY);
	for (unsigned int i = 0; i < LIFE_DEVICES && !err; i++) {
		if (!life_who[i].on_bus)
			continue;
		user_plug(s->machine.host, life_who[i].sid, false);
		memset(&s->devices[i], 0, sizeof(s->devices[i]));
	}
	return err;
}

/* --- Owners --- */

static void make_domains(struct life *s, struct uiommu_group *object,
			 struct life_group *group)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct uiommu_range range = { LIFE_WINDOW,
					      LIFE_WINDOW + 4096 * i + 4095 };

		assert_int_equal(
			uiommu_domain_create(&object, 1, &group->domains[i]),
			UIOMMU_OK);
		assert_int_equal(uiommu_domain_map(group->domains[i], range,
						   s->shared, 3),
				 UIOMMU_OK);
	}
}

static int op_claim(struct life *s, unsigned int index,
		    struct uiommu_group *object)
{
	struct life_group *group = &s->groups[index];
	int want = UIOMMU_OK;
	int err;

	if (group->owned)
		want = UIOMMU_EOWNED;
	else if (group_uses(s, index))
		want = UIOMMU_EINUSE;
	else if (group_resets(s, index))
		want = UIOMMU_EBUSY;
	else if (group_reserved(s, index))
		want = UIOMMU_EPERM;
	err = uiommu_group_claim(object, group);
	same(s, err, want);
	if (err)
		return err;
	group->owned = true;
	group->attached = -1;
	user_fail_at(s->machine.host, 0);
	make_domains(s, object, group);
	return UIOMMU_OK;
}

static int owner_want(const struct life *s, unsigned int index)
{
	if (!s->groups[index].owned)
		return UIOMMU_EACCES;
	return group_resets(s, index) ? UIOMMU_EBUSY : UIOMMU_OK;
}

static int op_release(struct life *s, unsigned int index,
		      struct uiommu_group *object)
{
	struct life_group *group = &s->groups[index];
	bool early = group->owned && below(s, 2);
	int err;

	/* Its domains go before the group leaves them, or after. */
	for (unsigned int i = 0; i < 2 && early; i++)
		assert_int_equal(
			uiommu_domain_put(s->machine.uiommu, group->domains[i]),
			UIOMMU_OK);
	err = uiommu_group_release(object, group);
	assert_int_equal(err, group->owned ? UIOMMU_OK : UIOMMU_EACCES);
	if (err)
		return err;
	for (unsigned int i = 0; i < 2 && !early; i++)
		assert_int_equal(
			uiommu_domain_put(s->machine.uiommu, group->domains[i]),
			UIOMMU_OK);
	group->owned = false;
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].group == index)
			s->devices[i].barred = false;
	return UIOMMU_OK;
}

static int op_attach(struct life *s, unsigned int index,
		     struct uiommu_group *object)
{
	struct life_group *group = &s->groups[index];
	int where = (int)below(s, 3) - 1;
	int err;

	if (where < 0 || !group->owned)
		err = uiommu_group_detach(object, group);
	else
		err = uiommu_group_attach(object, group, group->domains[where]);
	same(s, err, owner_want(s, index));
	if (!err)
		group->attached = where;
	return err;
}

/* --- Types, sinks, resets, masks --- */

static int type_want(struct life *s, unsigned int index,
		     enum uiommu_domain_type type)
{
	const struct life_group *group = &s->groups[index];
	bool moves = (type == UIOMMU_DOMAIN_IDENTITY) !=
		     (group->type == UIOMMU_DOMAIN_IDENTITY);

	if (group->owned)
		return UIOMMU_EOWNED;
	if (group_resets(s, index))
		return UIOMMU_EBUSY;
	if (type == UIOMMU_DOMAIN_DMA_FQ && s->machine.config.units[0].model.cm)
		return UIOMMU_EPERM;
	if (moves && group_uses(s, index) && !s->allow_pause)
		return UIOMMU_EINUSE;
	return UIOMMU_OK;
}

static int op_type(struct life *s, unsigned int index,
		   struct uiommu_group *object)
{
	static const enum uiommu_domain_type types[] = {
		UIOMMU_DOMAIN_NONE, UIOMMU_DOMAIN_IDENTITY,
		UIOMMU_DOMAIN_IDENTITY, UIOMMU_DOMAIN_DMA, UIOMMU_DOMAIN_DMA_FQ
	};
	enum uiommu_domain_type type = types[below(s, 5)];
	int err, want;

	s->allow_pause = below(s, 2);
	want = type_want(s, index, type);
	err = uiommu_group_set_type(object, type);
	same(s, err, want);
	if (!err)
		s->groups[index].type = type == UIOMMU_DOMAIN_NONE
						? UIOMMU_DOMAIN_DMA
						: type;
	assert_int_equal(uiommu_group_type(object), s->groups[index].type);
	return err;
}

static int op_sink(struct life *s, unsigned int index,
		   struct uiommu_group *object)
{
	struct life_group *group = &s->groups[index];
	bool on = below(s, 2);
	int want = UIOMMU_OK;
	int err;

	if (group->owned)
		want = UIOMMU_EOWNED;
	else if (group_resets(s, index))
		want = UIOMMU_EBUSY;
	err = uiommu_group_set_sink(object, on);
	same(s, err, want);
	if (err || on == group->sink)
		return err;
	group->sink = on;
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (life_who[i].group == index)
			refuse(s, i);
	return err;
}

static int op_reset(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];
	int err;

	if (!device->there)
		return UIOMMU_ENOENT;
	if (!device->resetting && below(s, 4))
		return UIOMMU_ENOENT;
	if (device->resetting) {
		assert_int_equal(uiommu_device_reset_begin(object(s, index)),
				 UIOMMU_EBUSY);
		err = uiommu_device_reset_end(object(s, index));
	} else {
		assert_int_equal(uiommu_device_reset_end(object(s, index)),
				 UIOMMU_EINVAL);
		err = uiommu_device_reset_begin(object(s, index));
	}
	assert_int_equal(err, UIOMMU_OK);
	device->resetting = !device->resetting;
	if (device->resetting)
		refuse(s, index);
	return err;
}

static int op_mask(struct life *s, unsigned int index)
{
	struct life_device *device = &s->devices[index];
	uint64_t mask = below(s, 2) ? MASK32 : ~0ull;
	int err;

	if (!device->there)
		return UIOMMU_ENOENT;
	err = uiommu_device_set_dma_mask(object(s, index), mask);
	same(s, err, UIOMMU_OK);
	if (!err)
		device->mask = mask;
	return err;
}

/* --- One step --- */

static int step_group(struct life *s, enum op op)
{
	unsigned int index = below(s, LIFE_GROUPS);
	unsigned int member = group_member(s, index);
	struct uiommu_group *group;

	if (member == LIFE_DEVICES)
		return UIOMMU_ENOENT;
	group = uiommu_device_group(object(s, member));
	switch (op) {
	case OP_CLAIM:
		return op_claim(s, index, group);
	case OP_RELEASE:
		return op_release(s, index, group);
	case OP_ATTACH:
		return op_attach(s, index, group);
	case OP_TYPE:
		return op_type(s, index, group);
	default:
		return op_sink(s, index, group);
	}
}

static int step_device(struct life *s, enum op op)
{
	unsigned int index = below(s, LIFE_DEVICES);

	switch (op) {
	case OP_REMOVE:
		return op_remove(s, index);
	case OP_USE:
		return op_use(s, index);
	case OP_UNUSE:
		return op_unuse(s, index);
	case OP_MAP:
		return op_map(s, index);
	case OP_UNMAP:
		return op_unmap(s, index);
	case OP_RESET:
		return op_reset(s, index);
	default:
		return op_mask(s, index);
	}
}

static int step(struct life *s, enum op op)
{
	const struct uiommu_view *view;

	switch (op) {
	case OP_ADD:
		return op_add(s);
	case OP_REMOVE_BUS:
		return op_remove_bus(s);
	case OP_CLAIM:
	case OP_RELEASE:
	case OP_ATTACH:
	case OP_TYPE:
	case OP_SINK:
		return step_group(s, op);
	case OP_LOOK:
		view = uiommu_view_get(s->machine.uiommu);
		uiommu_poll_faults(s->machine.uiommu);
		uiommu_view_put(s->machine.uiommu, view);
		return UIOMMU_OK;
	default:
		return step_device(s, op);
	}
}

/* What depends on others, or seldom succeeds, is tried more often. */
static const enum op often[] = { OP_UNUSE,  OP_MAP,    OP_MAP,
				 OP_CLAIM,  OP_CLAIM,  OP_RELEASE,
				 OP_ATTACH, OP_ATTACH, OP_REMOVE_BUS };

#define OFTEN (unsigned int)(sizeof(often) / sizeof(often[0]))

void life_step(struct life *s)
{
	unsigned int turn = below(s, OP_COUNT + OFTEN);
	enum op op = turn < OP_COUNT ? (enum op)turn : often[turn - OP_COUNT];

	s->op = op;
	/* Out of memory a group is given back all the same, but not judged. */
	s->failing = op != OP_RELEASE && !below(s, 3);
	life_beside_begin(s);
	user_fail_at(s->machine.host, s->failing ? 1 + below(s, 40) : 0);
	if (!step(s, op))
		s->done[op]++;
	user_fail_at(s->machine.host, 0);
	life_beside_end(s);
	life_look(s);
}

/* --- Up and down --- */

static void life_memory(struct life *s)
{
	struct vtdm_mem *mem = s->machine.host->mem;

	for (unsigned int i = 0; i < 2; i++) {
		s->reserve[i] = vtdm_mem_alloc_at(
			mem, LIFE_RESERVE + i * 0x1000000, LIFE_RESERVE_SIZE);
		assert_non_null(s->reserve[i]);
	}
	for (unsigned int i = 0; i < LIFE_PAGES; i++)
		assert_non_null(
			vtdm_mem_alloc(mem, 4096, VTDM_MEM_LOW, &s->pages[i]));
	assert_non_null(vtdm_mem_alloc(mem, 8192, VTDM_MEM_LOW, &s->shared));
}

void life_up(struct life *s, void (*kind)(struct user_config *config))
{
	struct random random = s->random;

	memset(s, 0, sizeof(*s));
	s->random = random;
	machine_describe(&s->machine);
	kind(&s->machine.config);
	for (unsigned int i = 0; i < LIFE_DEVICES; i++) {
		uint64_t first = LIFE_RESERVE +
				 (uint64_t)life_who[i].reserve * 0x1000000;

		if (life_who[i].reserve >= 0)
			machine_reserve(&s->machine, first,
					first + LIFE_RESERVE_SIZE - 1,
					&life_who[i].sid, 1);
	}
	machine_build(&s->machine);
	life_memory(s);
	s->machine.host->on_mmio = life_beside;
	s->machine.host->on_mmio_context = s;
	s->machine.host->on_pause = life_pause;
	assert_int_equal(machine_scan(&s->machine), UIOMMU_OK);
	assert_int_equal(uiommu_start(s->machine.uiommu), UIOMMU_OK);
	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		came(s, i);
}

void life_down(struct life *s)
{
	struct vtdm_mem *mem = s->machine.host->mem;

	for (unsigned int i = 0; i < LIFE_DEVICES; i++)
		if (s->devices[i].resetting)
			(void)op_reset(s, i);
	for (unsigned int i = 0; i < LIFE_GROUPS; i++)
		if (s->groups[i].owned)
			(void)op_release(s, i,
					 uiommu_device_group(object(
						 s, group_member(s, i))));
	life_look(s);
	life_beside_begin(s);
	s->beside_address = 0;
	uiommu_stop(s->machine.uiommu);
	s->machine.host->on_mmio = NULL;
	assert_int_equal(user_violations(s->machine.host), 0);
	for (unsigned int i = 0; i < 2; i++)
		vtdm_mem_free(mem, s->reserve[i], LIFE_RESERVE_SIZE);
	for (unsigned int i = 0; i < LIFE_PAGES; i++)
		vtdm_mem_free(mem, vtdm_mem_ptr(mem, s->pages[i]), 4096);
	vtdm_mem_free(mem, vtdm_mem_ptr(mem, s->shared), 8192);
	machine_down(&s->machine);
}
