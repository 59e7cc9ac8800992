/* SPDX-License-Identifier: MIT */
/*
 * A polled NVMe driver: admin queue, one I/O queue for one command at once, and
 * on demand a second one for many.
 */
#ifndef BARE_NVME_H
#define BARE_NVME_H

#include "dma.h"

#define NVME_QUEUE_ENTRIES 32u
#define NVME_SECOND_ENTRIES 128u /* of nvme_start_second() */
#define NVME_COMMAND_SIZE 64u
#define NVME_COMPLETION_SIZE 16u
#define NVME_MAX_TRANSFER (512u * 1024)
#define NVME_MAX_PAGES (NVME_MAX_TRANSFER / PAGE_SIZE)

struct nvme_queue {
	unsigned int id;
	unsigned int entries;
	struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	uint64_t sq_addr;
	uint64_t cq_addr;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
	bool held; /* commands are written, but not told */
};

struct nvme {
	struct dma_device dma;
	void *regs;
	unsigned int doorbell_stride;
	struct nvme_queue admin;
	struct nvme_queue io;
	struct nvme_queue second; /* of nvme_start_second() */
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
 * Before sleep, and after it: queues and all other memory stay, and the device
 * is told the same addresses again. Not with a second queue.
 */
int nvme_rest(struct nvme *n);
int nvme_go_on(struct nvme *n);
/*
 * Transfer between the disk from @block on and the @count segments of a mapped
 * list. Each segment but the first begins, and each but the last ends, at a
 * page. 0, or a negative error.
 */
int nvme_read(struct nvme *n, uint64_t block, const struct uiommu_sg *sg,
	      uint32_t count);
int nvme_write(struct nvme *n, uint64_t block, const struct uiommu_sg *sg,
	       uint32_t count);

/* The queue for many commands; nvme_stop() takes it away with the rest. */
int nvme_start_second(struct nvme *n);
/*
 * Hand over a read of one or two pages to @addr and return at once; no more
 * than the queue has entries, less one, may be out. @id comes back with it.
 */
void nvme_post_read(struct nvme *n, struct nvme_queue *q, uint16_t id,
		    uint64_t block, uint64_t addr, uint32_t pages);
/* Tell of commands in a queue that is held; writes no memory. */
void nvme_tell(struct nvme *n, const struct nvme_queue *q);
/* How many ended in the first round of a queue, of @count; takes none. */
unsigned int nvme_count_done(const struct nvme_queue *q, unsigned int count);
/* The @nth of them: its id, or UIOMMU_EIO if it went wrong. */
int nvme_done_id(const struct nvme_queue *q, unsigned int nth);
/* The next command that ended; false if there is none yet. */
bool nvme_reap(struct nvme *n, struct nvme_queue *q, uint16_t *id, int *err);
/*
 * Start a stopped controller with a queue at @addr that nobody gave it: it
 * reads there. To be stopped again.
 */
void nvme_provoke(struct nvme *n, uint64_t addr);

#endif /* BARE_NVME_H */
