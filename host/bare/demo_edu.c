// SPDX-License-Identifier: MIT
/*
 * A device that reaches 28 bits copies memory that lies within its reach and
 * memory that does not. The second works where its addresses are translated,
 * and is refused where they are physical; it is never cut to 28 bits.
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

void demo_edu(struct demo *d)
{
	bool physical = !d->uiommu;
	struct edu_try t;
	bool ok;

	print("\nedu: a device that reaches 28 bits\n");
	if (!d->has_rogue) {
		check(false, "edu: found");
		return;
	}
	ok = demo_edu_copy_low(&d->rogue, &t);
	check_copy("edu", ok, &t);
	ok = demo_edu_copy_high(&d->rogue, &t);
	if (physical)
		check(t.err == UIOMMU_ERANGE && !t.same,
		      "edu: memory at %lx: refused", t.memory);
	else
		check_copy("edu", ok, &t);
	if (!d->has_bridged)
		return;
	ok = demo_edu_copy_low(&d->bridged, &t);
	check_copy("edu behind a PCI bridge", ok, &t);
}
