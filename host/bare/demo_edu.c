// SPDX-License-Identifier: MIT
/*
 * A device that reaches 28 bits copies memory that lies within its reach and
 * memory that does not. For the second its group is moved out of identity as
 * soon as the device says how far it reaches; where a neighbour's driver does
 * not let it, the library copies through low pages. Without an IOMMU it is
 * refused; an address is never cut to 28 bits.
 */
#include "demo.h"

#define COPY_SIZE 2048u

static void fill(void *page, uint32_t seed)
{
	uint32_t *words = page;

	for (uint32_t i = 0; i < COPY_SIZE / 4; i++)
		words[i] = (seed + i) * 0x85ebca6bu;
}

/* Memory to device and back, each way through a mapping of its own. */
static int copy(struct edu *e, void *from, void *to, uint64_t *highest)
{
	uint64_t addr;
	int err;

	*highest = 0;
	err = dma_map(&e->dma, from, COPY_SIZE, UIOMMU_DMA_TO_DEVICE, &addr);
	if (err)
		return err;
	*highest = addr + COPY_SIZE - 1;
	if (!edu_read(e, addr, 0, COPY_SIZE))
		err = UIOMMU_ETIMEDOUT;
	if (dma_unmap(&e->dma, addr, COPY_SIZE) || err)
		return UIOMMU_EIO;
	err = dma_map(&e->dma, to, COPY_SIZE, UIOMMU_DMA_FROM_DEVICE, &addr);
	if (err)
		return err;
	if (addr + COPY_SIZE - 1 > *highest)
		*highest = addr + COPY_SIZE - 1;
	if (!edu_write(e, addr, 0, COPY_SIZE))
		err = UIOMMU_ETIMEDOUT;
	return dma_unmap(&e->dma, addr, COPY_SIZE) || err ? UIOMMU_EIO : 0;
}

/* Copy between two fresh pages within first..last. */
static bool try_copy(struct edu *e, uint64_t first, uint64_t last,
		     struct edu_try *t)
{
	char *from = mem_alloc_in(0, first, last);
	char *to = mem_alloc_in(0, first, last);

	*t = (struct edu_try){ .err = UIOMMU_ENOMEM };
	if (from && to) {
		fill(from, (uint32_t)time_ns());
		t->memory = virt_to_phys(from);
		t->err = copy(e, from, to, &t->highest);
		t->same = memcmp(from, to, COPY_SIZE) == 0;
	}
	if (from)
		mem_free(from, 0);
	if (to)
		mem_free(to, 0);
	return !t->err && t->same && t->highest <= e->dma.mask;
}

bool demo_edu_copy_low(struct edu *e, struct edu_try *t)
{
	return try_copy(e, 0, EDU_MASK, t);
}

bool demo_edu_copy_high(struct edu *e, struct edu_try *t)
{
	return try_copy(e, EDU_MASK + 1, ~UINT64_C(0) >> 1, t);
}

static void check_copy(const char *what, bool ok, const struct edu_try *t)
{
	check(ok, "%s: memory at %lx: %s, device addresses up to %lx", what,
	      t->memory, uiommu_strerror(t->err), t->highest);
}

/* Memory within reach, and memory beyond. */
static void copy_both(struct edu *e, const char *what)
{
	struct edu_try t;
	bool ok = demo_edu_copy_low(e, &t);

	check_copy(what, ok, &t);
	ok = demo_edu_copy_high(e, &t);
	check_copy(what, ok, &t);
}

static void edu_without(struct edu *e)
{
	struct edu_try t;
	bool ok = demo_edu_copy_low(e, &t);

	check_copy("edu", ok, &t);
	(void)demo_edu_copy_high(e, &t);
	check(t.err == UIOMMU_ERANGE && !t.same, "edu: memory at %lx: refused",
	      t.memory);
}

static bool edu_connect(struct demo *d, struct edu *e, const char *who,
			enum uiommu_domain_type want)
{
	int err = demo_connect(d, &e->dma, who);
	enum uiommu_domain_type type = uiommu_group_type(
		demo_group(d, e->dma.bdf));

	check(!err && type == want, "%s: its driver uses it, in %s: %s", who,
	      uiommu_domain_type_name(type), uiommu_strerror(err));
	return !err;
}

/*
 * In identity with a neighbour whose driver does not pause: the device stays
 * where it is and what it cannot reach is bounced, until the neighbour goes.
 */
static void edu_bounced(struct demo *d)
{
	struct uiommu_sid sid = { .rid = (uint16_t)(d->bridged.dma.bdf + 8) };
	struct uiommu_device *neighbour = uiommu_device_find(d->uiommu, sid);
	struct edu *e = &d->bridged;
	int err = neighbour ? uiommu_device_use(neighbour) : UIOMMU_ENODEV;

	check(!err, "edu behind a PCI bridge: its neighbour is in use: %s",
	      uiommu_strerror(err));
	if (err)
		return;
	if (edu_connect(d, e, "edu behind a PCI bridge",
			UIOMMU_DOMAIN_IDENTITY))
		copy_both(e, "edu behind a PCI bridge, bounced");
	uiommu_device_unuse(neighbour);
	dma_disconnect(&e->dma);
	/* Nobody is in the way now. */
	if (demo_set_type(d,
			  uiommu_device_find(
				  d->uiommu,
				  (struct uiommu_sid){ .rid = e->dma.bdf }),
			  "edu behind a PCI bridge", UIOMMU_DOMAIN_NONE) &&
	    edu_connect(d, e, "edu behind a PCI bridge", UIOMMU_DOMAIN_DMA))
		copy_both(e, "edu behind a PCI bridge");
}

/* Two functions of one group, each with its own requests: both move. */
static void edu_pair(struct demo *d)
{
	uint16_t bdf = d->pair[0].dma.bdf;
	struct uiommu_sid sid = { .rid = bdf };
	struct uiommu_device *first = uiommu_device_find(d->uiommu, sid);

	if (!d->passthrough &&
	    (!demo_set_type(d, first, "edu pair", UIOMMU_DOMAIN_IDENTITY) ||
	     !demo_set_type(d, first, "edu pair", UIOMMU_DOMAIN_NONE)))
		return;
	if (edu_connect(d, &d->pair[0], "edu, first of a pair",
			UIOMMU_DOMAIN_DMA) &&
	    edu_connect(d, &d->pair[1], "edu, second of a pair",
			UIOMMU_DOMAIN_DMA)) {
		copy_both(&d->pair[0], "edu, first of a pair");
		copy_both(&d->pair[1], "edu, second of a pair");
	}
}

void demo_edu(struct demo *d)
{
	print("\nedu: a device that reaches 28 bits\n");
	if (!d->has_rogue) {
		check(false, "edu: found");
		return;
	}
	if (!d->uiommu) {
		edu_without(&d->rogue);
		return;
	}
	demo_rogue_outside(d);
	if (d->passthrough)
		check(uiommu_group_type(demo_group(d, d->rogue.dma.bdf)) ==
			      UIOMMU_DOMAIN_IDENTITY,
		      "edu: in identity, as the option asks");
	if (edu_connect(d, &d->rogue, "edu", UIOMMU_DOMAIN_DMA))
		copy_both(&d->rogue, "edu");
	if (d->has_pair)
		edu_pair(d);
	if (!d->has_bridged)
		return;
	if (d->passthrough)
		edu_bounced(d);
	else if (edu_connect(d, &d->bridged, "edu behind a PCI bridge",
			     UIOMMU_DOMAIN_DMA))
		copy_both(&d->bridged, "edu behind a PCI bridge");
}
