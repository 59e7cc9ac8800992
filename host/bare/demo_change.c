// SPDX-License-Identifier: MIT
/*
 * Domains change below devices that work: the disk goes from a DMA domain to
 * identity and back while it reads, is taken away and comes back, and a
 * reserved region is in use through every change of its own group.
 */
#include "demo.h"

#define READS 32u /* between two changes */
/* Instructions, around the one that replaces a device's entry. */
#define AIM_EARLY 4096u
#define AIM_STRIDE 128u
#define AIM_STEPS 64u

static const char owner[] = "who wants the disk";

/* --- Telling -------------------------------------------------------------- */

/*
 * What decided a type, or, if that was not to be had while the machine runs,
 * what stands beside it.
 */
static bool tell_is_one(const struct uiommu_reason *r, uint32_t count,
			uint32_t index)
{
	bool held = false;

	for (uint32_t k = 0; k < count; k++)
		held = held || r[k].rule == UIOMMU_RULE_TYPE_HELD;
	return r[index].rule >= (held ? UIOMMU_RULE_TYPE_NO_IDENTITY
				      : UIOMMU_RULE_TYPE_OPTION) &&
	       r[index].rule <= UIOMMU_RULE_TYPE_OWNED;
}

/* What the plan in force says about the type of @device's domain. */
static void tell_reasons(struct demo *d, const struct uiommu_device *device)
{
	const struct uiommu_plan *plan = uiommu_plan(d->uiommu);
	const struct uiommu_topology *topology = uiommu_topology(d->uiommu);
	uint16_t rid = uiommu_device_sid(device).rid;
	const struct uiommu_reason *r;
	char text[200];
	bool told = false;
	uint32_t i = 0;
	uint32_t count;

	while (i < topology->count && topology->functions[i].sid.rid != rid)
		i++;
	count = uiommu_plan_reasons(plan, i, &r);
	for (uint32_t k = 0; k < count; k++) {
		if (!tell_is_one(r, count, k))
			continue;
		(void)uiommu_reason_text(plan, topology, &r[k], text,
					 sizeof(text));
		print("    %s %s\n", told ? "     " : "why: ", text);
		told = true;
	}
	if (!told)
		check(false, "change: the plan has a reason for it");
}

void demo_tell(struct demo *d, const struct uiommu_device *device,
	       const char *what, const char *why, const struct cost *cost)
{
	print("  %s\n", what);
	if (why)
		print("    why:  %s\n", why);
	else
		tell_reasons(d, device);
	cost_print(cost);
}

static void tell_move(char *what, size_t size, const char *who,
		      enum uiommu_domain_type from, enum uiommu_domain_type to)
{
	if (from == to)
		print_to(what, size, "%s: stays %s", who,
			 uiommu_domain_type_name(to));
	else
		print_to(what, size, "%s: %s -> %s", who,
			 uiommu_domain_type_name(from),
			 uiommu_domain_type_name(to));
}

bool demo_set_type(struct demo *d, struct uiommu_device *device,
		   const char *who, enum uiommu_domain_type type)
{
	struct uiommu_group *group = uiommu_device_group(device);
	enum uiommu_domain_type from = uiommu_group_type(group);
	enum uiommu_domain_type to;
	char what[64];
	struct cost cost;
	bool ok;
	int err;

	cost_begin(&cost, d->uiommu);
	err = uiommu_group_set_type(group, type);
	cost_end(&cost);
	to = uiommu_group_type(group);
	tell_move(what, sizeof(what), who, from, to);
	demo_tell(d, device, what, NULL, &cost);
	ok = !err &&
	     (type == UIOMMU_DOMAIN_NONE || uiommu_group_type(group) == type);
	if (!ok)
		check(false, "change: %s: %s", what, uiommu_strerror(err));
	return ok;
}

int demo_connect(struct demo *d, struct dma_device *dma, const char *who)
{
	struct uiommu_group *group = d->uiommu ? demo_group(d, dma->bdf) : NULL;
	enum uiommu_domain_type from = UIOMMU_DOMAIN_NONE;
	enum uiommu_domain_type to;
	char what[64];
	struct cost cost;
	int err;

	if (!group)
		return dma_connect(dma, d->uiommu);
	from = uiommu_group_type(group);
	cost_begin(&cost, d->uiommu);
	err = dma_connect(dma, d->uiommu);
	cost_end(&cost);
	to = uiommu_group_type(group);
	if (err || from != UIOMMU_DOMAIN_IDENTITY)
		return err;
	tell_move(what, sizeof(what), who, from, to);
	demo_tell(d, dma->iommu, what, NULL, &cost);
	return 0;
}

/* --- The disk ------------------------------------------------------------- */

static void disk_change(struct demo *d, enum uiommu_domain_type type)
{
	struct load *l = &d->load;
	bool moved = demo_set_type(d, d->nvme.dma.iommu, "disk", type);
	bool direct = uiommu_group_type(uiommu_device_group(
			      d->nvme.dma.iommu)) == UIOMMU_DOMAIN_IDENTITY;
	bool there = l->buffers_addr == virt_to_phys(l->buffers);

	check(moved && load_wait(l, READS) && there == direct,
	      "change: the disk reads on, its addresses are %s",
	      direct ? "physical" : "translated");
}

/* Claimed, the disk reaches nothing; what it tries is seen. */
static void disk_claim(struct demo *d, struct uiommu_device *device)
{
	struct uiommu_group *group = uiommu_device_group(device);
	void *page = mem_alloc(0);
	uint64_t at = virt_to_phys(page);
	const struct uiommu_event *e;
	struct cost cost;
	int err;

	if (!page) {
		check(false, "change: a page");
		return;
	}
	cost_begin(&cost, d->uiommu);
	err = uiommu_group_claim(group, owner);
	cost_end(&cost);
	demo_tell(d, device, "disk: taken away, blocked",
		  "its driver let go, and another owner claims the group",
		  &cost);
	d->host.event_count = 0;
	d->host.suspect = uiommu_device_sid(device).rid;
	if (!err)
		nvme_provoke(&d->nvme, at);
	e = err ? NULL
		: demo_find_event(d, d->host.suspect, at, UIOMMU_ACCESS_READ);
	check(demo_shut_out(e) && e->text,
	      "change: the blocked disk is refused: read %lx, %s", at,
	      e && e->text ? e->text : uiommu_strerror(err));
	nvme_stop(&d->nvme);
	d->host.event_count = 0;
	mem_free(page, 0);
}

static void disk_release(struct demo *d, struct uiommu_device *device)
{
	struct cost cost;
	int err;

	cost_begin(&cost, d->uiommu);
	err = uiommu_group_release(uiommu_device_group(device), owner);
	cost_end(&cost);
	demo_tell(d, device, "disk: given back, in its default domain",
		  "its owner released the group", &cost);
	if (!err)
		err = dma_connect(&d->nvme.dma, d->uiommu);
	if (!err)
		err = load_resume(&d->load, &d->nvme);
	check(!err && load_wait(&d->load, READS),
	      "change: released, the disk reads on: %s", uiommu_strerror(err));
}

static void disk_blocked(struct demo *d)
{
	struct uiommu_device *device = d->nvme.dma.iommu;
	int err = uiommu_group_claim(uiommu_device_group(device), owner);

	check(err == UIOMMU_EINUSE, "change: nobody claims a disk in use: %s",
	      uiommu_strerror(err));
	err = load_pause(&d->load);
	check(!err, "change: the disk's driver let go: %s",
	      uiommu_strerror(err));
	if (err)
		return;
	dma_disconnect(&d->nvme.dma);
	disk_claim(d, device);
	disk_release(d, device);
}

/* --- The reserved region -------------------------------------------------- */

static int keeper_flip(struct uiommu_group *group)
{
	return uiommu_group_set_type(group, uiommu_group_type(group) ==
							    UIOMMU_DOMAIN_DMA
						    ? UIOMMU_DOMAIN_IDENTITY
						    : UIOMMU_DOMAIN_DMA);
}

/* How long after its begin a change replaces the device's entry. */
static int keeper_measure(struct demo *d, struct uiommu_group *group,
			  uint64_t *at)
{
	uint64_t begin = time_cycles();
	int err;

	d->host.stored = 0;
	err = keeper_flip(group);
	*at = d->host.stored - begin;
	return err;
}

/*
 * Change the domain again and again, so that the device's access falls at
 * every moment around the one in which its entry is replaced.
 */
static void keeper_aim(struct demo *d, struct uiommu_group *group)
{
	unsigned int shift = (unsigned int)boot_number("icount", 0);
	unsigned int strangers = d->host.strangers;
	uint32_t before = demo_rmrr_copies();
	uint64_t at[2] = { 0 }; /* there and back again */
	uint32_t done = 0;
	bool once;
	int err;

	if (!boot_flag("icount")) /* nobody knows when that is */
		return;
	err = keeper_measure(d, group, &at[0]);
	once = d->host.stored;
	if (!err)
		err = keeper_measure(d, group, &at[1]);
	once = once && d->host.stored;
	check(!err && once,
	      "change: its entry is replaced in one store, after %lu "
	      "instructions: %s",
	      at[0] >> shift, uiommu_strerror(err));
	if (!once)
		return;
	for (; !err && done < 2 * AIM_STEPS; done++) {
		uint64_t off = (uint64_t)(done / 2 * AIM_STRIDE) << shift;
		uint64_t early = (uint64_t)AIM_EARLY << shift;

		if (!demo_rmrr_aim(at[done & 1] + off - early))
			err = UIOMMU_ETIMEDOUT;
		else
			err = keeper_flip(group);
	}
	(void)uiommu_poll_faults(d->uiommu);
	check(!err && demo_rmrr_go_on(1) && d->host.strangers == strangers,
	      "change: %u right copies during %u changes aimed at them: %s",
	      demo_rmrr_copies() - before, done, uiommu_strerror(err));
}

/* Nobody pauses this one: firmware's device knows no driver that could. */
static void keeper_change(struct demo *d)
{
	struct uiommu_sid sid = { .rid = d->keeper.dma.bdf };
	struct uiommu_device *device;
	struct uiommu_group *group;
	int err;

	if (!demo_rmrr_working())
		return;
	device = uiommu_device_find(d->uiommu, sid);
	group = uiommu_device_group(device);
	err = uiommu_group_claim(group, owner);
	check(err == UIOMMU_EPERM,
	      "change: firmware's device is not for a user: %s",
	      uiommu_strerror(err));
	if (uiommu_group_type(group) != UIOMMU_DOMAIN_DMA)
		(void)demo_set_type(d, device, "reserved region",
				    UIOMMU_DOMAIN_DMA);
	check(demo_set_type(d, device, "reserved region",
			    UIOMMU_DOMAIN_IDENTITY) &&
		      demo_rmrr_go_on(1),
	      "change: the reserved region is reached in identity");
	check(demo_set_type(d, device, "reserved region", UIOMMU_DOMAIN_DMA) &&
		      demo_rmrr_go_on(1),
	      "change: the reserved region is reached in a DMA domain");
	d->host.loudest = UIOMMU_LOG_WARN; /* or two lines for each */
	keeper_aim(d, group);
	d->host.loudest = UIOMMU_LOG_INFO;
	(void)demo_set_type(d, device, "reserved region", UIOMMU_DOMAIN_NONE);
}

/* --- All of it ------------------------------------------------------------ */

void demo_change_begin(struct demo *d)
{
	struct uiommu_group *group;
	int err;

	if (!d->has_nvme || !d->load.known)
		return;
	print("\nchange: %s a disk that reads\n",
	      d->uiommu ? "other domains below" : "beside");
	nvme_stop(&d->nvme);
	err = load_resume(&d->load, &d->nvme);
	check(!err && load_wait(&d->load, READS), "change: the disk reads: %s",
	      uiommu_strerror(err));
	if (err || !d->uiommu)
		return;
	group = uiommu_device_group(d->nvme.dma.iommu);
	if (uiommu_group_type(group) != UIOMMU_DOMAIN_DMA)
		disk_change(d, UIOMMU_DOMAIN_DMA);
	disk_change(d, UIOMMU_DOMAIN_IDENTITY);
	disk_change(d, UIOMMU_DOMAIN_DMA);
	disk_blocked(d);
	disk_change(d, UIOMMU_DOMAIN_NONE);
	keeper_change(d);
}

void demo_change_end(struct demo *d)
{
	struct load *l = &d->load;
	bool running = l->running;
	int err;

	if (!d->has_nvme || !l->known)
		return;
	print("\nchange: the end of it\n");
	err = load_pause(l);
	check(running && !err && l->reads && !l->errors && !l->wrong,
	      "change: %lu reads beside all this, %u refused, %u wrong: %s",
	      l->reads, l->errors, l->wrong, uiommu_strerror(err));
	err = nvme_start(&d->nvme);
	d->has_nvme = !err;
	check(!err, "change: the disk works without it: %s",
	      uiommu_strerror(err));
}
