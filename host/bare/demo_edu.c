// SPDX-License-Identifier: MIT
/*
 * A device that reaches 28 bits copies memory that lies within its reach and
 * memory that does not. The second works where its addresses are translated,
 * and by bouncing where they are physical; without uIOMMU it is refused. It is
 * never cut to 28 bits.
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

static void copy_between(struct edu *e, const char *what, uint64_t first,
			 uint64_t last, int want)
{
	char *from = mem_alloc_in(0, first, last);
	char *to = mem_alloc_in(0, first, last);
	uint64_t highest = 0;
	bool same;
	int err = UIOMMU_ENOMEM;

	if (from && to) {
		fill(from, (uint32_t)time_ns());
		err = copy(e, from, to, &highest);
	}
	same = from && to && memcmp(from, to, COPY_SIZE) == 0;
	check(err == want && same == !want && highest <= EDU_MASK,
	      "%s: memory at %lx: %s, device addresses up to %lx", what,
	      virt_to_phys(from),
	      want && err == want ? "refused" : uiommu_strerror(err), highest);
	if (from)
		mem_free(from, 0);
	if (to)
		mem_free(to, 0);
}

void demo_edu(struct demo *d)
{
	print("\nedu: a device that reaches 28 bits\n");
	if (!d->has_rogue) {
		check(false, "edu: found");
		return;
	}
	copy_between(&d->rogue, "edu", 0, EDU_MASK, 0);
	copy_between(&d->rogue, "edu", EDU_MASK + 1, ~UINT64_C(0) >> 1,
		     d->uiommu ? 0 : UIOMMU_ERANGE);
	if (d->has_bridged)
		copy_between(&d->bridged, "edu behind a PCI bridge", 0,
			     EDU_MASK, 0);
}
