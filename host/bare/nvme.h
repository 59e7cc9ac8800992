/* SPDX-License-Identifier: MIT */
/* A polled NVMe driver: admin queue and one I/O queue, one command at once. */
#ifndef BARE_NVME_H
#define BARE_NVME_H

#include "dma.h"

#define NVME_QUEUE_ENTRIES 32u
#define NVME_MAX_TRANSFER (512u * 1024)
#define NVME_MAX_PAGES (NVME_MAX_TRANSFER / PAGE_SIZE)

struct nvme_queue {
	unsigned int id;
	struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	uint64_t sq_addr;
	uint64_t cq_addr;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
};

struct nvme {
	struct dma_device dma;
	void *regs;
	unsigned int doorbell_stride;
	struct nvme_queue admin;
	struct nvme_queue io;
	uint64_t *prp_list;
	uint64_t prp_list_addr;
	uint64_t blocks;
	unsigned int block_size;
	char model[41];
};

/* Find the controller; touches no memory yet. */
bool nvme_probe(struct nvme *n);
/* Reset it and make the queues; 0 or a negative error. */
int nvme_start(struct nvme *n);
void nvme_stop(struct nvme *n);
/*
 * Transfer between the disk from @block on and the @count segments of a mapped
 * list. Each segment but the first begins, and each but the last ends, at a
 * page. 0, or a negative error.
 */
int nvme_read(struct nvme *n, uint64_t block, const struct uiommu_sg *sg,
	      uint32_t count);
int nvme_write(struct nvme *n, uint64_t block, const struct uiommu_sg *sg,
	       uint32_t count);

#endif /* BARE_NVME_H */
