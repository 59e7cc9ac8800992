// SPDX-License-Identifier: MIT
/*
 * Every way out of what another kernel left, with everything that it asks of
 * the host failing in turn: what was inherited goes on, or the device is where
 * the books say; nobody has an address that leads nowhere, nothing is lost, and
 * the next call succeeds. All others go on as if nothing had been.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/dma.h>

#include "core/object.h"
#include "inherit.h"
#include "vtd/vtd_unit.h"

#define RESERVE_FIRST 0x7d000000ull
#define RESERVE_LAST 0x7d000fffull
#define MASK32 0xffffffffull
#define WINDOW 0x40000000ull /* where an owner's domain translates */
#define NONE 0x1234567ull
#define TURNS 500u

static const struct uiommu_range ram = { 0, 0x1ffffffff };

/* What the machine is like. */
enum {
	DIRECT = 1, /* identity by default */
	SLOW = 2,   /* no entry is replaced at once */
	KINDS_HERE = 4
};

struct sweep {
	struct inherit t;
	const struct way *way;
	unsigned int kind;
	const char *what;
	struct uiommu_device *device, *beside; /* of drivers, or NULL */
	struct uiommu_domain *domain;
	struct rig_page region;
	uint64_t iova;
	struct uiommu_sg sg[2];
	void *cpu;
	uint32_t lent; /* slots that may be in use */
};

struct way {
	const char *name;
	enum inherit_who who;
	/* Whose old work need not go on; if none, nobody leaves anything. */
	unsigned int over;
	unsigned int kinds; /* of machines on which it is a way */
	void (*describe)(struct sweep *s);
	void (*before)(struct sweep *s);
	int (*act)(struct sweep *s);
	void (*back)(struct sweep *s); /* to where calls are made */
	bool partly; /* what fails may be made up for by something else */
	bool quiet;  /* nothing is asked of the host */
	bool comes;  /* the device does, also if there is no address then */
};

static void must(int err)
{
	assert_int_equal(err, UIOMMU_OK);
}

static struct uiommu_group *group(struct sweep *s)
{
	return machine_group(&s->t.machine, inherit_sids[s->way->who]);
}

static struct uiommu_device *device(struct sweep *s)
{
	return machine_device(&s->t.machine, inherit_sids[s->way->who]);
}

/* --- The first call ------------------------------------------------------- */

static void take(struct sweep *s)
{
	s->device = machine_driver(&s->t.machine, inherit_sids[s->way->who]);
}

/* Does what a device writes at @iova arrive there? A sink answers, too. */
static bool arrives(struct sweep *s, enum inherit_who who, uint64_t iova,
		    const uint8_t *bytes)
{
	volatile uint8_t *byte = (uint8_t *)bytes + (iova & 4095);

	*byte = 0;
	(void)rig_write(&s->t.rig, inherit_sids[who].rid, iova);
	return *byte != 0;
}

/* What the device wrote is there at the end, by whatever way. */
static void give_back(struct sweep *s, struct uiommu_device *of,
		      enum inherit_who who, uint64_t iova)
{
	uint8_t *byte = s->t.memory.bytes;

	*byte = 0;
	assert_int_equal(rig_write(&s->t.rig, inherit_sids[who].rid, iova),
			 VTDM_OK);
	must(uiommu_dma_unmap(of, iova, 4096));
	assert_int_not_equal(*byte, 0);
}

static int map(struct sweep *s)
{
	s->iova = NONE;
	return uiommu_dma_map(s->device, s->t.memory.paddr, 4096,
			      UIOMMU_DMA_BIDIRECTIONAL, &s->iova);
}

static void unmap(struct sweep *s)
{
	give_back(s, s->device, s->way->who, s->iova);
}

static int map_sg(struct sweep *s)
{
	uint32_t segments = 0;

	for (unsigned int i = 0; i < 2; i++)
		s->sg[i] = (struct uiommu_sg){
			.paddr = s->t.memory.paddr + 4096 * (1 - i),
			.size = 4096,
			.iova = NONE,
		};
	return uiommu_dma_map_sg(s->device, s->sg, 2, UIOMMU_DMA_BIDIRECTIONAL,
				 &segments);
}

static void unmap_sg(struct sweep *s)
{
	assert_true(arrives(s, s->way->who, s->sg[0].iova,
			    s->t.memory.bytes + 4096));
	must(uiommu_dma_unmap_sg(s->device, s->sg, 2));
}

static int alloc(struct sweep *s)
{
	s->iova = NONE;
	s->cpu = NULL;
	return uiommu_dma_alloc(s->device, 8192, &s->cpu, &s->iova);
}

static void unalloc(struct sweep *s)
{
	assert_true(arrives(s, s->way->who, s->iova, s->cpu));
	must(uiommu_dma_free(s->device, 8192, s->cpu, s->iova));
}

/* It does not reach what it is lent: a slot stands in. */
static void take_short(struct sweep *s)
{
	take(s);
	assert_true(s->t.memory.paddr > MASK32);
	must(uiommu_device_set_dma_mask(s->device, MASK32));
}

/* --- Others --------------------------------------------------------------- */

static void describe_ram(struct sweep *s)
{
	s->t.machine.options.ram = &ram;
	s->t.machine.options.ram_count = 1;
}

static void describe_region(struct sweep *s)
{
	machine_reserve(&s->t.machine, RESERVE_FIRST, RESERVE_LAST,
			&inherit_sids[s->way->who], 1);
}

static int set_mask(struct sweep *s)
{
	return uiommu_device_set_dma_mask(device(s), MASK32);
}

static bool pauses(struct uiommu_host *host, struct uiommu_device *paused)
{
	(void)host;
	(void)paused;
	return true;
}

/* The other one of the group is at work, where its driver asked for it. */
static void take_beside(struct sweep *s)
{
	uint64_t iova;

	s->beside = machine_driver(&s->t.machine, MACHINE_PAIR1);
	must(uiommu_dma_map(s->beside, s->t.memory.paddr, 4096,
			    UIOMMU_DMA_BIDIRECTIONAL, &iova));
	must(uiommu_dma_unmap(s->beside, iova, 4096));
	s->t.machine.host->on_pause = pauses;
}

static int set_type(struct sweep *s)
{
	return uiommu_group_set_type(group(s),
				     s->kind & DIRECT ? UIOMMU_DOMAIN_DMA
						      : UIOMMU_DOMAIN_IDENTITY);
}

static int claim(struct sweep *s)
{
	return uiommu_group_claim(group(s), s);
}

static void release(struct sweep *s)
{
	must(uiommu_group_release(group(s), s));
}

static void sink(struct sweep *s)
{
	must(uiommu_group_set_sink(group(s), true));
}

/* In it the same page is at WINDOW. */
static void make_domain(struct sweep *s)
{
	struct uiommu_group *of = group(s);

	must(uiommu_domain_create(&of, 1, &s->domain));
	must(uiommu_domain_map(
		s->domain, (struct uiommu_range){ WINDOW, WINDOW + 4095 },
		s->t.memory.paddr, UIOMMU_PROT_READ | UIOMMU_PROT_WRITE));
}

static void claim_before(struct sweep *s)
{
	make_domain(s);
	must(claim(s));
}

static int attach(struct sweep *s)
{
	return uiommu_group_attach(group(s), s, s->domain);
}

static void detach(struct sweep *s)
{
	assert_true(arrives(s, s->way->who, WINDOW, s->t.memory.bytes));
	must(uiommu_group_detach(group(s), s));
	release(s);
	must(uiommu_domain_put(s->t.machine.uiommu, s->domain));
}

static int reset(struct sweep *s)
{
	return uiommu_device_reset_begin(device(s));
}

static void reset_end(struct sweep *s)
{
	must(uiommu_device_reset_end(device(s)));
}

static int leave(struct sweep *s)
{
	return uiommu_remove_device(device(s));
}

static void leave_before(struct sweep *s)
{
	must(leave(s));
}

static int join(struct sweep *s)
{
	return uiommu_add_pci(s->t.machine.uiommu, 0, 0, 15);
}

static void join_back(struct sweep *s)
{
	must(join(s));
}

#define OVER(who) (1u << (who))
#define PAIR (OVER(PAIR0) | OVER(PAIR1))
#define BEHIND (OVER(PCI0) | OVER(PCI1) | OVER(ALIAS))
#define ANY 0xfu      /* kinds of machine */
#define PHYSICAL 0xau /* DIRECT */

/* clang-format off */
static const struct way ways[] = {
	{ .name = "map", .who = ALONE, .over = OVER(ALONE), .kinds = ANY,
	  .before = take, .act = map, .back = unmap,
	  .comes = true },
	{ .name = "map behind a bridge", .who = PCI0,
	  .over = OVER(PCI0) | OVER(ALIAS), .kinds = ANY,
	  .before = take, .act = map, .back = unmap,
	  .comes = true },
	{ .name = "map a list", .who = PAIR0, .over = OVER(PAIR0), .kinds = ANY,
	  .before = take, .act = map_sg, .back = unmap_sg,
	  .comes = true },
	{ .name = "alloc", .who = NVME, .over = OVER(NVME), .kinds = ANY,
	  .before = take, .act = alloc, .back = unalloc,
	  .comes = true },
	{ .name = "map through a slot", .who = ALONE, .over = OVER(ALONE),
	  .kinds = PHYSICAL, .before = take_short, .act = map, .back = unmap,
	  .comes = true },
	{ .name = "map with a region", .who = NVME, .over = OVER(NVME),
	  .kinds = ANY, .describe = describe_region,
	  .before = take, .act = map, .back = unmap,
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

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* --- What must hold ------------------------------------------------------- */

/* What is in somebody's hands; all of it, but for pages. */
struct held {
	size_t devices, groups, domains, bounces, lent;
	size_t hardware_devices, hardware_domains;
	size_t waiting; /* devices that nobody asked for */
	size_t locks, windows;
};

static void take_held(struct sweep *s, struct held *held)
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
static bool agrees(struct sweep *s, enum inherit_who who,
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

static void check_all(struct sweep *s)
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

static void check_failed(struct sweep *s, int err, const struct held *before)
{
	struct held now;

	if (err != UIOMMU_ENOMEM && err != UIOMMU_ERANGE)
		fail_msg("%s: error %d", s->what, err);
	check_all(s);
	take_held(s, &now);
	if (s->way->comes)
		now.waiting = before->waiting;
	if (memcmp(&now, before, sizeof(now)))
		fail_msg("%s: not as it was, or something lost", s->what);
	if (s->iova && s->iova != NONE)
		fail_msg("%s: an address all the same", s->what);
}

/* Whatever happened: it can be asked for, and comes. */
static void ask(struct sweep *s, enum inherit_who who,
		struct uiommu_device *driver)
{
	uint64_t iova;

	if (!driver)
		driver = machine_driver(&s->t.machine, inherit_sids[who]);
	must(uiommu_dma_map(driver, s->t.memory.paddr, 4096,
			    UIOMMU_DMA_BIDIRECTIONAL, &iova));
	give_back(s, driver, who, iova);
	assert_false(arrives(s, who, INHERIT_OLD, s->t.pages[who].bytes));
	uiommu_device_unuse(driver);
}

/* --- The sweep ------------------------------------------------------------ */

/* Firmware's page, which the old kernel has mapped too, and the device uses. */
static void map_region(struct sweep *s)
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
	if (!(s->kind & SLOW))
		old_flow(&t->old, rid, RESERVE_FIRST, s->region);
}

/* It came along, and whoever reads the log knows if it was out of reach. */
static void check_region(struct sweep *s)
{
	struct inherit *t = &s->t;

	if (!s->region.bytes)
		return;
	assert_true(arrives(s, s->way->who, RESERVE_FIRST, s->region.bytes));
	assert_int_equal(user_logged(t->machine.host,
				     "region is out of reach for a moment"),
			 (s->kind & SLOW) != 0);
	vtdm_mem_free(t->machine.host->mem, s->region.bytes, 4096);
}

static void sweep_up(struct sweep *s, const struct way *way, unsigned int kind)
{
	struct inherit *t = &s->t;

	memset(s, 0, sizeof(*s));
	s->way = way;
	s->kind = kind;
	inherit_describe(t);
	if (kind & DIRECT)
		t->machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	if (way->describe)
		way->describe(s);
	inherit_old(t);
	t->machine.host->no_store128 = kind & SLOW;
	if (way->describe == describe_region)
		map_region(s);
	old_watch(&t->old, true);
	must(machine_scan(&t->machine));
	must(uiommu_start(t->machine.uiommu));
	for (int who = 0; who < INHERIT_ENTRIES; who++)
		if (way->over & OVER(who))
			inherit_over(t, who);
	if (way->before)
		way->before(s);
	old_flows(&t->old);
}

static void sweep_down(struct sweep *s)
{
	enum inherit_who who = s->way->who;
	struct inherit *t = &s->t;

	if (s->way->back)
		s->way->back(s);
	s->lent = 0;
	check_all(s);
	old_flows(&t->old);
	if (s->region.bytes)
		assert_true(arrives(s, who, RESERVE_FIRST, s->region.bytes));
	if (!(s->way->over & OVER(who)))
		inherit_over(t, who);
	/* the bridge asks for those behind it */
	if ((who == PCI0 || who == PCI1) && !(s->way->over & OVER(ALIAS)))
		inherit_over(t, ALIAS);
	ask(s, who, s->device);
	if (s->beside)
		ask(s, PAIR1, s->beside);
	old_flows(&t->old);
	assert_false(user_logged(t->machine.host, "not given back"));
	check_region(s);
	inherit_down(t);
}

/* The @nth call fails, and all after it if @on; false: there was none. */
static bool turn(struct sweep *s, uint64_t nth, bool on, size_t *pages)
{
	struct uiommu_host *host = s->t.machine.host;
	struct held before;
	bool hit;
	int err;

	take_held(s, &before);
	if (on)
		user_fail_from(host, nth);
	else
		user_fail_at(host, nth);
	err = s->way->act(s);
	hit = nth && host->calls >= host->fail_first;
	user_fail_at(host, 0);
	if (err) {
		if (!hit)
			fail_msg("%s: error %d", s->what, err);
		check_failed(s, err, &before);
		must(s->way->act(s));
	} else if (hit && !s->way->partly) {
		fail_msg("%s: success", s->what);
	}
	s->lent = 1;
	check_all(s);
	old_watch(&s->t.old, false);
	old_flows(&s->t.old);
	if (!*pages)
		*pages = host->pages;
	else if ((err || !hit) && host->pages != *pages)
		fail_msg("%s: %zu pages, and without an error %zu", s->what,
			 host->pages, *pages);
	return hit;
}

static void test_sweep(void **state)
{
	const struct way *way = *state;
	static struct sweep s;
	uint64_t failed = 0;

	for (unsigned int i = 0; i < 2 * KINDS_HERE; i++) {
		size_t pages = 0;
		uint64_t nth = 0;
		char what[64];
		bool hit = true;

		if (!(way->kinds & 1u << i / 2))
			continue;
		for (; hit || nth == 1; nth++) {
			snprintf(what, sizeof(what), "%s, host %u, call %u%s",
				 way->name, i / 2, (unsigned int)nth,
				 i & 1 ? " and all after it" : "");
			sweep_up(&s, way, i / 2);
			s.what = what;
			hit = turn(&s, nth, i & 1, &pages);
			sweep_down(&s);
			assert_true(nth < TURNS);
		}
		failed += nth - 2;
	}
	assert_int_equal(failed == 0, way->quiet);
}

/* --- No domain id is left ------------------------------------------------- */

/* All but two of 16 are the old kernel's, and one of these is identity's. */
static void ids_up(struct sweep *s)
{
	struct inherit *t = &s->t;

	memset(s, 0, sizeof(*s));
	s->kind = DIRECT;
	s->what = "no id";
	inherit_describe(t);
	t->machine.options.options.passthrough = UIOMMU_CHOICE_YES;
	t->machine.config.units[0].model.nd = 0;
	inherit_old(t);
	for (unsigned int did = 1; did < 14; did++)
		old_pass(&t->old, (int)(0x400 + did), did);
	must(machine_scan(&t->machine));
	must(uiommu_start(t->machine.uiommu));
	t->machine.host->on_pause = pauses;
	old_watch(&t->old, true);
}

static int to_dma(struct sweep *s, enum inherit_who who)
{
	return uiommu_group_set_type(
		machine_group(&s->t.machine, inherit_sids[who]),
		UIOMMU_DOMAIN_DMA);
}

/* Twice, as the second one may go by what the first one left. */
static void check_no_id(struct sweep *s,
			int (*act)(struct sweep *s, enum inherit_who who),
			enum inherit_who who)
{
	struct held before, now;

	take_held(s, &before);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(act(s, who), UIOMMU_ENOSPC);
		check_all(s);
		old_flows(&s->t.old);
		take_held(s, &now);
		assert_memory_equal(&now, &before, sizeof(now));
	}
}

static int call(struct sweep *s, enum inherit_who who)
{
	int err;

	s->device = machine_device(&s->t.machine, inherit_sids[who]);
	err = map(s);
	if (err)
		assert_int_equal(s->iova, NONE);
	return err;
}

/*
 * What cannot be entered is not entered, who waits to be asked for waits on,
 * and who does not is where it was. @first and @second share a group.
 */
static void no_id(enum inherit_who first, enum inherit_who second)
{
	static struct sweep s;
	struct inherit *t = &s.t;
	struct uiommu_device *drivers[3];

	ids_up(&s);
	must(to_dma(&s, OTHER));
	must(to_dma(&s, ALONE));
	inherit_over(t, OTHER);
	drivers[0] = machine_driver(&t->machine, MACHINE_OTHER);
	must(call(&s, OTHER));
	give_back(&s, drivers[0], OTHER, s.iova);
	drivers[1] = machine_driver(&t->machine, MACHINE_ALONE);
	check_no_id(&s, call, ALONE);
	inherit_over(t, first);
	drivers[2] = machine_driver(&t->machine, inherit_sids[first]);
	must(call(&s, first));
	give_back(&s, drivers[2], first, s.iova);
	check_no_id(&s, to_dma, second);
	assert_int_equal(uiommu_group_type(uiommu_device_group(drivers[2])),
			 UIOMMU_DOMAIN_IDENTITY);
	/* one is given back, and the next who asks has it */
	uiommu_device_unuse(drivers[0]);
	must(uiommu_group_set_type(uiommu_device_group(drivers[0]),
				   UIOMMU_DOMAIN_IDENTITY));
	inherit_over(t, ALONE);
	ask(&s, ALONE, drivers[1]);
	check_no_id(&s, to_dma, second);
	uiommu_device_unuse(drivers[2]);
	check_all(&s);
	inherit_down(t);
}

static void test_no_id(void **state)
{
	(void)state;
	no_id(PAIR0, PAIR1);
	no_id(PAIR1, PAIR0);
}

int main(void)
{
	struct CMUnitTest tests[WAYS + 1] = { [WAYS] = cmocka_unit_test(
						      test_no_id) };

	for (size_t i = 0; i < WAYS; i++)
		tests[i] = (struct CMUnitTest){
			.name = ways[i].name,
			.test_func = test_sweep,
			.initial_state = (void *)(uintptr_t)&ways[i],
		};
	return _cmocka_run_group_tests("change first", tests, WAYS + 1, NULL,
				       NULL);
}
