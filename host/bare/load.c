// SPDX-License-Identifier: MIT
#include <uiommu/error.h>

#include "load.h"

#define LOAD_TIMEOUT_NS UINT64_C(60000000000)
#define LOAD_SIZE ((size_t)LOAD_DEPTH * LOAD_PIECE)

void load_learn(struct load *l, size_t at, const char *data, size_t size)
{
	for (size_t k = 0; k < size; k += LOAD_PIECE) {
		size_t piece = (at + k) / LOAD_PIECE;

		if (!l->known && piece < LOAD_PIECES)
			l->crc[piece] = crc32(0, data + k, LOAD_PIECE);
	}
}

static char *load_buffer(const struct load *l, uint32_t slot)
{
	return l->buffers + (size_t)slot * LOAD_PIECE;
}

/* No two pieces are alike: a buffer's old bytes are never taken for new. */
static void load_post(struct load *l, uint32_t slot)
{
	uint64_t block = (uint64_t)l->next * LOAD_PIECE / l->nvme->block_size;

	l->piece[slot] = l->next;
	l->next = (l->next + 1) % LOAD_PIECES;
	l->out++;
	nvme_post_read(l->nvme, &l->nvme->second, (uint16_t)slot, block,
		       l->buffers_addr + (uint64_t)slot * LOAD_PIECE,
		       LOAD_PAGES);
}

/* Take one read that ended; false if none did. */
static bool load_take(struct load *l, uint32_t *slot)
{
	uint16_t id;
	int err;

	if (!nvme_reap(l->nvme, &l->nvme->second, &id, &err))
		return false;
	l->out--;
	if (id >= LOAD_DEPTH || err)
		l->errors++;
	else if (crc32(0, load_buffer(l, id), LOAD_PIECE) !=
		 l->crc[l->piece[id]])
		l->wrong++;
	else
		l->reads++;
	*slot = id % LOAD_DEPTH;
	return true;
}

/* The disk that refuses is not asked again and again. */
void load_poll(struct load *l)
{
	uint32_t slot;

	if (l->running && load_take(l, &slot) && !l->errors)
		load_post(l, slot);
}

int load_resume(struct load *l, struct nvme *n)
{
	int err;

	l->nvme = n;
	l->out = 0;
	l->buffers = mem_alloc(mem_order(LOAD_SIZE));
	if (!l->buffers)
		return UIOMMU_ENOMEM;
	err = dma_map(&n->dma, l->buffers, LOAD_SIZE, UIOMMU_DMA_FROM_DEVICE,
		      &l->buffers_addr);
	if (err)
		goto err_free;
	err = nvme_start(n);
	if (err)
		goto err_unmap;
	err = nvme_start_second(n);
	if (err)
		goto err_stop;
	for (uint32_t slot = 0; slot < LOAD_DEPTH; slot++)
		load_post(l, slot);
	l->running = true;
	return 0;
err_stop:
	nvme_stop(n);
err_unmap:
	if (dma_unmap(&n->dma, l->buffers_addr, LOAD_SIZE))
		return err; /* the device may still reach it */
err_free:
	mem_free(l->buffers, mem_order(LOAD_SIZE));
	return err;
}

int load_pause(struct load *l)
{
	uint64_t end = time_ns() + LOAD_TIMEOUT_NS;
	uint32_t slot;
	int err;

	if (!l->running)
		return 0;
	l->running = false;
	while (l->out && time_ns() < end) {
		(void)load_take(l, &slot);
		cpu_relax();
	}
	nvme_stop(l->nvme);
	err = dma_unmap(&l->nvme->dma, l->buffers_addr, LOAD_SIZE);
	if (err)
		return err;
	mem_free(l->buffers, mem_order(LOAD_SIZE));
	l->buffers = NULL;
	return l->out ? UIOMMU_ETIMEDOUT : 0;
}

bool load_wait(struct load *l, uint64_t count)
{
	uint64_t end = time_ns() + LOAD_TIMEOUT_NS;
	uint64_t until = l->reads + count;

	while (l->reads < until && l->running && time_ns() < end)
		cpu_relax();
	return l->reads >= until;
}
