// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/object.h"
#include "first.h"
#include "vtd/vtd_unit.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d000fffull
#define MASK32 0xffffffffull
#define WINDOW 0x40000000ull /* where an owner's domain translates */

static const struct uiommu_range ram = { 0, 0x1ffffffff };

void first_must(int err)
{
	assert_int_equal(err, UIOMMU_OK);
}

static struct uiommu_group *group(struct first *s)
{
	return machine_group(&s->t.machine, inherit_sids[s->way->who]);
}

static struct uiommu_device *device(struct first *s)
{
	return machine_device(&s->t.machine, inherit_sids[s->way->who]);
}

/* --- The first call ------------------------------------------------------- */

static void take(struct first *s)
{
	s->device = machine_driver(&s->t.machine, inherit_sids[s->way->who]);
}

/* Does what a device writes at @iova arrive there? A sink answers, too. */
static bool arrives(struct first *s, enum inherit_who who, uint64_t iova,
		    const uint8_t *bytes)
{
	volatile uint8_t *byte = (uint8_t *)bytes + (iova & 4095);

	*byte = 0;
	(void)rig_write(&s->t.rig, inherit_sids[who].rid, iova);
	return *byte != 0;
}

void first_give_back(struct first *s, struct uiommu_device *of,
		     enum inherit_who who, uint64_t iova)
{
	uint8_t *byte = s->t.memory.bytes;

	*byte = 0;
	assert_int_equal(rig_write(&s->t.rig, inherit_sids[who].rid, iova),
			 VTDM_OK);
	first_must(uiommu_dma_unmap(of, iova, 4096));
	assert_int_not_equal(*byte, 0);
}

int first_map(struct first *s)
{
	s->iova = FIRST_NONE;
	return uiommu_dma_map(s->device, s->t.memory.paddr, 4096,
			      UIOMMU_DMA_BIDIRECTIONAL, &s->iova);
}

static void unmap(struct first *s)
{
	first_give_back(s, s->device, s->way->who, s->iova);
}

static int map_sg(struct first *s)
{
	uint32_t segments = 0;

	for (unsigned int i = 0; i < 2; i++)
		s->sg[i] = (struct uiommu_sg){
			.paddr = s->t.memory.paddr + 4096 * (1 - i),
			.size = 4096,
			.iova = FIRST_NONE,
		};
	return uiommu_dma_map_sg(s->device, s->sg, 2, UIOMMU_DMA_BIDIRECTIONAL,
				 &segments);
}

static void unmap_sg(struct first *s)
{
	assert_true(arrives(s, s->way->who, s->sg[0].iova,
			    s->t.memory.bytes + 4096));
	first_must(uiommu_dma_unmap_sg(s->device, s->sg, 2));
}

static int alloc(struct first *s)
{
	s->iova = FIRST_NONE;
	s->cpu = NULL;
	return uiommu_dma_alloc(s->device, 8192, &s->cpu, &s->iova);
}

static void unalloc(struct first *s)
{
	assert_true(arrives(s, s->way->who, s->iova, s->cpu));
	first_must(uiommu_dma_free(s->device, 8192, s->cpu, s->iova));
}

/* It does not reach what it is lent: a slot stands in. */
static void take_short(struct first *s)
{
	take(s);
	assert_true(s->t.memory.paddr > MASK32);
	first_must(uiommu_device_set_dma_mask(s->device, MASK32));
}

/* --- Others --------------------------------------------------------------- */

static void describe_ram(struct first *s)
{
	s->t.machine.options.ram = &ram;
	s->t.machine.options.ram_count = 1;
}

static void describe_region(struct first *s)
{
	machine_reserve(&s->t.machine, RESERVE_FIRST, RESERVE_LAST,
			&inherit_sids[s->way->who], 1);
}

static int set_mask(struct first *s)
{
	return uiommu_device_set_dma_mask(device(s), MASK32);
}

bool first_pauses(struct uiommu_host *host, struct uiommu_device *paused)
{
	(void)host;
	(void)paused;
	return true;
}

/* The other one of the group is at work, where its driver asked for it. */
static void take_beside(struct first *s)
{
	uint64_t iova;

	s->beside = machine_driver(&s->t.machine, MACHINE_PAIR1);
	first_must(uiommu_dma_map(s->beside, s->t.memory.paddr, 4096,
				  UIOMMU_DMA_BIDIRECTIONAL, &iova));
	first_must(uiommu_dma_unmap(s->beside, iova, 4096));
	s->t.machine.host->on_pause = first_pauses;
}

static int set_type(struct first *s)
{
	return uiommu_group_set_type(
		group(s), s->kind & FIRST_DIRECT ? UIOMMU_DOMAIN_DMA
						 : UIOMMU_DOMAIN_IDENTITY);
}

static int claim(struct first *s)
{
	return uiommu_group_claim(group(s), s);
}

static void release(struct first *s)
{
	first_must(uiommu_group_release(group(s), s));
}

static void sink(struct first *s)
{
	first_must(uiommu_group_set_sink(group(s), true));
}

/* In it the same page is at WINDOW. */
static void make_domain(struct first *s)
{
	struct uiommu_group *of = group(s);

	first_must(uiommu_domain_create(&of, 1, &s->domain));
	first_must(uiommu_domain_map(
		s->domain, (struct uiommu_range){ WINDOW, WINDOW + 4095 },
		s->t.memory.paddr, UIOMMU_PROT_READ | UIOMMU_PROT_WRITE));
}

static void claim_before(struct first *s)
{
	make_domain(s);
	first_must(claim(s));
}

static int attach(struct first *s)
{
	return uiommu_group_attach(group(s), s, s->domain);
}

static void detach(struct first *s)
{
	assert_true(arrives(s, s->way->who, WINDOW, s->t.memory.bytes));
	first_must(uiommu_group_detach(group(s), s));
	release(s);
	first_must(uiommu_domain_put(s->t.machine.uiommu, s->domain));
}

static int reset(struct first *s)
{
	return uiommu_device_reset_begin(device(s));
}

static void reset_end(struct first *s)
{
	first_must(uiommu_device_reset_end(device(s)));
}

static int leave(struct first *s)
{
	return uiommu_remove_device(device(s));
}

static void leave_before(struct first *s)
{
	first_must(leave(s));
}

static int join(struct first *s)
{
	return uiommu_add_pci(s->t.machine.uiommu, 0, 0, 15);
}

static void join_back(struct first *s)
{
	first_must(join(s));
}

#define OVER(who) (1u << (who))
#define PAIR (OVER(PAIR0) | OVER(PAIR1))
#define BEHIND (OVER(PCI0) | OVER(PCI1) | OVER(ALIAS))
#define ANY 0xfu      /* kinds of machine */
#define PHYSICAL 0xau /* FIRST_DIRECT */

/* clang-format off */
const struct first_way first_ways[] = {
	{ .name = "map", .who = ALONE, .over = OVER(ALONE), .kinds = ANY,
	  .before = take, .act = first_map, .back = unmap,
	  .comes = true },
	{ .name = "map behind a bridge", .who = PCI0,
	  .over = OVER(PCI0) | OVER(ALIAS), .kinds = ANY,
	  .before = take, .act = first_map, .back = unmap,
	  .comes = true },
	{ .name = "map a list", .who = PAIR0, .over = OVER(PAIR0), .kinds = ANY,
	  .before = take, .act = map_sg, .back = unmap_sg,
	  .comes = true },
	{ .name = "alloc", .who = NVME, .over = OVER(NVME), .kinds = ANY,
	  .before = take, .act = alloc, .back = unalloc,
	  .comes = true },
	{ .name = "map through a slot", .who = ALONE, .over = OVER(ALONE),
	  .kinds = PHYSICAL, .before = take_short, .act = first_map, .back = unmap,
	  .comes = true },
	{ .name = "map with a region", .who = NVME, .over = OVER(NVME),
	  .kinds = ANY, .describe = describe_region,
	  .before = take, .act = first_map, .back = unmap,
	  .comes = true },
	{ .name = "mask", .who = ALONE, .kinds = PHYSICAL,
	  .describe = describe_ram, .before = take, .act = set_mask,
	  .partly = true },
	{ .name = "mask of an idle device", .who = PCI0, .kinds = PHYSICAL,
	  .describe = describe_ram, .act = set_mask, .partly = true },
	{ .name = "mask beside another driver", .who = PAIR0,
	  .over = OVER(PAIR1), .kinds = PHYSICAL, .describe = describe_ram,
	  .before = take_beside, .act = set_mask, .partly = true },
	{ .name = "type", .who = PCI0, .kinds = ANY, .act = set_type },
	{ .name = "type with a region", .who = NVME, .kinds = ANY,
	  .describe = describe_region, .act = set_type },
	{ .name = "type beside a driver", .who = PAIR0, .over = OVER(PAIR1),
	  .kinds = ANY, .before = take_beside, .act = set_type },
	{ .name = "claim", .who = PAIR0, .over = PAIR, .kinds = ANY,
	  .act = claim, .back = release },
	{ .name = "claim behind a bridge", .who = PCI1, .over = BEHIND,
	  .kinds = ANY, .act = claim, .back = release },
	{ .name = "claim to a sink", .who = PAIR1, .over = PAIR, .kinds = ANY,
	  .before = sink, .act = claim, .back = release },
	{ .name = "attach", .who = PAIR0, .over = PAIR, .kinds = ANY,
	  .before = claim_before, .act = attach, .back = detach,
	  .quiet = true },
	{ .name = "reset", .who = PAIR1, .over = OVER(PAIR1), .kinds = ANY,
	  .act = reset, .back = reset_end,
	  .quiet = true },
	{ .name = "reset of what a driver has", .who = ALONE,
	  .over = OVER(ALONE), .kinds = ANY,
	  .before = take, .act = reset, .back = reset_end,
	  .quiet = true },
	{ .name = "reset with a region", .who = NVME, .kinds = ANY,
	  .describe = describe_region, .act = reset, .back = reset_end,
	  .quiet = true },
	{ .name = "remove", .who = NVME, .kinds = ANY,
	  .act = leave, .back = join_back },
	{ .name = "remove a member", .who = PAIR1, .kinds = ANY,
	  .act = leave, .back = join_back },
	{ .name = "add", .who = NVME, .kinds = ANY,
	  .before = leave_before, .act = join },
	{ .name = "add a member", .who = PCI1, .kinds = ANY,
	  .before = leave_before, .act = join },
};
/* clang-format on */

/* --- What must hold ------------------------------------------------------- */

void first_hold(struct first *s, struct first_held *held)
{
	struct uiommu *uiommu = s->t.machine.uiommu;
	struct vtd_driver *driver = (struct vtd_driver *)uiommu->driver;
	struct uiommu_domain *domain;

	memset(held, 0, sizeof(*held));
	held->devices = uiommu->device_pool.live;
	held->groups = uiommu->group_pool.live;
	held->domains = uiommu->pool.live;
	held->bounces = uiommu->bounces.pool.live;
	for (domain = uiommu->domains; domain; domain = domain->next)
		if (domain->hw.type == UIOMMU_DOMAIN_DMA)
			held->lent += uiommu_iova_live(&domain->iova);
	held->hardware_devices = driver->devices.live;
	held->hardware_domains = driver->domains.live;
	for (int who = 0; who < INHERIT_ENTRIES; who++) {
		const struct uiommu_device *of = uiommu_device_find(
			uiommu, inherit_sids[who]);

		held->waiting += of && of->hw.inherited;
	}
	held->locks = s->t.machine.host->locks;
	held->windows = s->t.machine.host->windows;
}

/* Is the device where the books say, or where it was found? */
static bool agrees(struct first *s, enum inherit_who who,
		   const struct uiommu_device *of)
{
	struct inherit *t = &s->t;
	const struct uiommu_domain *books = uiommu_device_domain(of);
	const struct uiommu_domain *calls = uiommu_load(&of->dma);
	bool physical = arrives(s, who, t->memory.paddr, t->memory.bytes);
	uint64_t old = who == USB ? t->pages[who].paddr : INHERIT_OLD;

	if (of->hw.inherited)
		return arrives(s, who, old, t->pages[who].bytes) &&
		       physical == (who == USB) && !calls;
	if (who != USB && arrives(s, who, old, t->pages[who].bytes))
		return false;
	if (of->hw.domain != &books->hw ||
	    physical != (books->hw.type == UIOMMU_DOMAIN_IDENTITY))
		return false;
	return !calls || calls == books || of->resetting;
}

void first_check(struct first *s)
{
	for (int who = 0; who < INHERIT_ENTRIES; who++) {
		const struct uiommu_device *of = uiommu_device_find(
			s->t.machine.uiommu, inherit_sids[who]);

		if (who == ALIAS || !of)
			continue;
		if (!agrees(s, who, of))
			fail_msg("%s: %d is not where it should be", s->what,
				 who);
		if (of->paused || uiommu_load(&of->arriving) ||
		    uiommu_load(&of->bounced) > s->lent)
			fail_msg("%s: %d is in the middle of something",
				 s->what, who);
	}
}

void first_ask(struct first *s, enum inherit_who who,
	       struct uiommu_device *driver)
{
	uint64_t iova;

	if (!driver)
		driver = machine_driver(&s->t.machine, inherit_sids[who]);
	first_must(uiommu_dma_map(driver, s->t.memory.paddr, 4096,
				  UIOMMU_DMA_BIDIRECTIONAL, &iova));
	first_give_back(s, driver, who, iova);
	assert_false(arrives(s, who, INHERIT_OLD, s->t.pages[who].bytes));
	uiommu_device_unuse(driver);
}

/* --- The sweep ------------------------------------------------------------ */

/* Firmware's page, which the old kernel has mapped too, and the device uses. */
static void map_region(struct first *s)
{
	struct inherit *t = &s->t;
	int rid = inherit_sids[s->way->who].rid;

	s->region.paddr = RESERVE_FIRST;
	s->region.bytes = vtdm_mem_alloc_at(t->machine.host->mem, RESERVE_FIRST,
					    4096);
	assert_non_null(s->region.bytes);
	old_map(&t->old, *old_entry(&t->old, rid) & ~0xfffull, RESERVE_FIRST,
		RESERVE_FIRST);
	/* Else there is a moment without, which is the lesser evil. */
	if (!(s->kind & FIRST_SLOW))
		old_flow(&t->old, rid, RESERVE_FIRST, s->region);
}

/* It came along, and whoever reads the log knows if it was out of reach. */
static void check_region(struct first *s)
{
	struct inherit *t = &s->t;

	if (!s->region.bytes)
		return;
	assert_true(arrives(s, s->way->who, RESERVE_FIRST, s->region.bytes));
	assert_int_equal(user_logged(t->machine.host,
				     "region is out of reach for a moment"),
			 (s->kind & FIRST_SLOW) != 0);
	vtdm_mem_free(t->machine.host->mem, s->region.bytes, 4096);
}

void first_up(struct first *s, const struct first_way *way, unsigned int kind)
{
	struct inherit *t = &s->t;

	memset(s, 0, sizeof(*s));
	s->way = way;
	s->kind = kind;
	inherit_describe(t);
	if (kind & FIRST_DIRECT)
		t->machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	if (way->describe)
		way->describe(s);
	inherit_old(t);
	t->machine.host->no_store128 = kind & FIRST_SLOW;
	if (way->describe == describe_region)
		map_region(s);
	old_watch(&t->old, true);
	first_must(machine_scan(&t->machine));
	first_must(uiommu_start(t->machine.uiommu));
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if (way->over & OVER(who))
			inherit_over(t, who);
	if (way->before)
		way->before(s);
	old_flows(&t->old);
}

void first_down(struct first *s)
{
	enum inherit_who who = s->way->who;
	struct inherit *t = &s->t;

	if (s->way->back)
		s->way->back(s);
	s->lent = 0;
	first_check(s);
	old_flows(&t->old);
	if (s->region.bytes)
		assert_true(arrives(s, who, RESERVE_FIRST, s->region.bytes));
	if (!(s->way->over & OVER(who)))
		inherit_over(t, who);
	/* the bridge asks for those behind it */
	if ((who == PCI0 || who == PCI1) && !(s->way->over & OVER(ALIAS)))
		inherit_over(t, ALIAS);
	first_ask(s, who, s->device);
	if (s->beside)
		first_ask(s, PAIR1, s->beside);
	old_flows(&t->old);
	assert_false(user_logged(t->machine.host, "not given back"));
	check_region(s);
	inherit_down(t);
}
