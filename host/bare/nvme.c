// SPDX-License-Identifier: MIT
/* After the "NVM Express Base Specification", 1.4. */
#include <uiommu/error.h>

#include "nvme.h"

#define NVME_CLASS 0x010802u
#define NVME_REGS_SIZE 0x4000

#define NVME_CAP 0x00
#define NVME_CC 0x14
#define NVME_CC_EN 0x1u
#define NVME_CC_SIZES 0x00460000u /* entries of 64 and 16 bytes, 4 KiB pages */
#define NVME_CSTS 0x1c
#define NVME_CSTS_RDY 0x1u
#define NVME_AQA 0x24
#define NVME_ASQ 0x28
#define NVME_ACQ 0x30
#define NVME_DOORBELLS 0x1000

#define NVME_ADMIN_CREATE_SQ 0x01
#define NVME_ADMIN_CREATE_CQ 0x05
#define NVME_ADMIN_IDENTIFY 0x06
#define NVME_IO_WRITE 0x01
#define NVME_IO_READ 0x02

#define NVME_IDENTIFY_NAMESPACE 0
#define NVME_IDENTIFY_CONTROLLER 1
#define NVME_QUEUE_CONTIGUOUS 1u
#define NVME_TIMEOUT_NS UINT64_C(60000000000)

struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t namespace;
	uint64_t reserved;
	uint64_t metadata;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t dw10;
	uint32_t dw11;
	uint32_t dw12;
	uint32_t dw13;
	uint32_t dw14;
	uint32_t dw15;
};

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq_id;
	uint16_t id;
	uint16_t status; /* bit 0 is the phase */
};

bool nvme_probe(struct nvme *n)
{
	uint16_t bdf;

	if (!pci_find_class(NVME_CLASS, 0, &bdf))
		return false;
	*n = (struct nvme){ .dma = { .bdf = bdf, .mask = ~UINT64_C(0) } };
	pci_enable(bdf);
	n->regs = pci_map_bar(bdf, 0, NVME_REGS_SIZE);
	return n->regs != NULL;
}

static int nvme_wait_ready(struct nvme *n, uint32_t want)
{
	uint64_t end = time_ns() + NVME_TIMEOUT_NS;

	while ((mmio_read32(n->regs, NVME_CSTS) & NVME_CSTS_RDY) != want) {
		if (time_ns() > end)
			return UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	return 0;
}

static void nvme_doorbell(struct nvme *n, unsigned int index, uint32_t value)
{
	dma_barrier();
	mmio_write32(n->regs, NVME_DOORBELLS + index * n->doorbell_stride,
		     value);
}

/* Hand over a command; there is room, for we never have that many out. */
static void nvme_post(struct nvme *n, struct nvme_queue *q,
		      const struct nvme_command *cmd)
{
	q->sq[q->tail] = *cmd;
	q->tail = (q->tail + 1) % q->entries;
	if (!q->held)
		nvme_tell(n, q);
}

void nvme_tell(struct nvme *n, const struct nvme_queue *q)
{
	nvme_doorbell(n, 2 * q->id, q->tail);
}

bool nvme_reap(struct nvme *n, struct nvme_queue *q, uint16_t *id, int *err)
{
	volatile struct nvme_completion *c = &q->cq[q->head];
	unsigned int status = c->status;

	if ((status & 1u) != q->phase)
		return false;
	*id = c->id;
	*err = status >> 1 & 0x7ff ? UIOMMU_EIO : 0;
	q->head = (q->head + 1) % q->entries;
	if (q->head == 0)
		q->phase ^= 1;
	nvme_doorbell(n, 2 * q->id + 1, q->head);
	return true;
}

unsigned int nvme_count_done(const struct nvme_queue *q, unsigned int count)
{
	unsigned int done = 0;

	while (done < count && (q->cq[done].status & 1u))
		done++;
	return done;
}

int nvme_done_id(const struct nvme_queue *q, unsigned int nth)
{
	return q->cq[nth].status >> 1 & 0x7ff ? UIOMMU_EIO : q->cq[nth].id;
}

static int nvme_submit(struct nvme *n, struct nvme_queue *q,
		       const struct nvme_command *cmd)
{
	uint64_t end = time_ns() + NVME_TIMEOUT_NS;
	uint16_t id;
	int err;

	nvme_post(n, q, cmd);
	while (!nvme_reap(n, q, &id, &err)) {
		if (time_ns() > end)
			return UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	return err;
}

/* In whole pages. */
static size_t nvme_sq_size(const struct nvme_queue *q)
{
	size_t size = q->entries * sizeof(struct nvme_command);

	return size < PAGE_SIZE ? PAGE_SIZE : size;
}

static int nvme_queue_alloc(struct nvme *n, struct nvme_queue *q,
			    unsigned int id, unsigned int entries)
{
	*q = (struct nvme_queue){ .id = id, .entries = entries, .phase = 1 };
	q->sq = dma_alloc(&n->dma, nvme_sq_size(q), &q->sq_addr);
	q->cq = dma_alloc(&n->dma, PAGE_SIZE, &q->cq_addr);
	return q->sq && q->cq ? 0 : UIOMMU_ENOMEM;
}

static void nvme_queue_free(struct nvme *n, struct nvme_queue *q)
{
	if (q->sq)
		dma_free(&n->dma, q->sq, nvme_sq_size(q), q->sq_addr);
	if (q->cq)
		dma_free(&n->dma, (void *)(uintptr_t)q->cq, PAGE_SIZE,
			 q->cq_addr);
	q->sq = NULL;
	q->cq = NULL;
}

static int nvme_start_admin(struct nvme *n)
{
	int err;

	mmio_write32(n->regs, NVME_CC, 0);
	err = nvme_wait_ready(n, 0);
	if (err)
		return err;
	mmio_write32(n->regs, NVME_AQA,
		     (NVME_QUEUE_ENTRIES - 1) << 16 | (NVME_QUEUE_ENTRIES - 1));
	mmio_write64(n->regs, NVME_ASQ, n->admin.sq_addr);
	mmio_write64(n->regs, NVME_ACQ, n->admin.cq_addr);
	mmio_write32(n->regs, NVME_CC, NVME_CC_SIZES | NVME_CC_EN);
	return nvme_wait_ready(n, NVME_CSTS_RDY);
}

static int nvme_identify(struct nvme *n, uint32_t what, uint32_t namespace,
			 const uint8_t *page, uint64_t addr)
{
	struct nvme_command cmd = {
		.opcode = NVME_ADMIN_IDENTIFY,
		.namespace = namespace,
		.prp1 = addr,
		.dw10 = what,
	};
	int err = nvme_submit(n, &n->admin, &cmd);

	if (err || what == NVME_IDENTIFY_CONTROLLER) {
		memcpy(n->model, page + 24, 40);
		for (int i = 39; i >= 0 && n->model[i] == ' '; i--)
			n->model[i] = '\0';
		return err;
	}
	memcpy(&n->blocks, page, sizeof(n->blocks));
	n->block_size = 1u << (page[128 + 4 * (page[26] & 15) + 2] & 31);
	return 0;
}

static int nvme_identify_all(struct nvme *n)
{
	uint64_t addr;
	void *page = dma_alloc(&n->dma, PAGE_SIZE, &addr);
	int err;

	if (!page)
		return UIOMMU_ENOMEM;
	err = nvme_identify(n, NVME_IDENTIFY_CONTROLLER, 0, page, addr);
	if (!err)
		err = nvme_identify(n, NVME_IDENTIFY_NAMESPACE, 1, page, addr);
	dma_free(&n->dma, page, PAGE_SIZE, addr);
	return err;
}

static int nvme_create_io_queue(struct nvme *n, struct nvme_queue *q)
{
	struct nvme_command cq = {
		.opcode = NVME_ADMIN_CREATE_CQ,
		.prp1 = q->cq_addr,
		.dw10 = (q->entries - 1) << 16 | q->id,
		.dw11 = NVME_QUEUE_CONTIGUOUS,
	};
	struct nvme_command sq = {
		.opcode = NVME_ADMIN_CREATE_SQ,
		.prp1 = q->sq_addr,
		.dw10 = (q->entries - 1) << 16 | q->id,
		.dw11 = q->id << 16 | NVME_QUEUE_CONTIGUOUS,
	};
	int err = nvme_submit(n, &n->admin, &cq);

	return err ? err : nvme_submit(n, &n->admin, &sq);
}

int nvme_start(struct nvme *n)
{
	int err = UIOMMU_ENOMEM;

	n->doorbell_stride = 4u << (mmio_read64(n->regs, NVME_CAP) >> 32 & 0xf);
	n->prp_list = dma_alloc(&n->dma, PAGE_SIZE, &n->prp_list_addr);
	if (!n->prp_list ||
	    nvme_queue_alloc(n, &n->admin, 0, NVME_QUEUE_ENTRIES) ||
	    nvme_queue_alloc(n, &n->io, 1, NVME_QUEUE_ENTRIES))
		goto err_stop;
	err = nvme_start_admin(n);
	if (!err)
		err = nvme_identify_all(n);
	if (!err)
		err = nvme_create_io_queue(n, &n->io);
	if (!err)
		return 0;
err_stop:
	nvme_stop(n);
	return err;
}

int nvme_rest(struct nvme *n)
{
	mmio_write32(n->regs, NVME_CC, 0);
	return nvme_wait_ready(n, 0);
}

static void nvme_queue_renew(struct nvme_queue *q)
{
	/* Completions of before would be taken for new ones. */
	memset((void *)(uintptr_t)q->cq, 0, PAGE_SIZE);
	q->tail = 0;
	q->head = 0;
	q->phase = 1;
}

int nvme_go_on(struct nvme *n)
{
	int err;

	nvme_queue_renew(&n->admin);
	nvme_queue_renew(&n->io);
	err = nvme_start_admin(n);
	return err ? err : nvme_create_io_queue(n, &n->io);
}

int nvme_start_second(struct nvme *n)
{
	int err = nvme_queue_alloc(n, &n->second, 2, NVME_SECOND_ENTRIES);

	if (!err)
		err = nvme_create_io_queue(n, &n->second);
	return err;
}

void nvme_stop(struct nvme *n)
{
	/* The controller lets go of its queues before their memory goes. */
	mmio_write32(n->regs, NVME_CC, 0);
	if (nvme_wait_ready(n, 0))
		return;
	nvme_queue_free(n, &n->second);
	nvme_queue_free(n, &n->io);
	nvme_queue_free(n, &n->admin);
	if (n->prp_list)
		dma_free(&n->dma, n->prp_list, PAGE_SIZE, n->prp_list_addr);
	n->prp_list = NULL;
}

/*
 * Pages of the transfer go to prp1, then prp2 if there are two, or else to a
 * list of which prp2 is the address.
 */
static int nvme_fill_prps(struct nvme *n, struct nvme_command *cmd,
			  const struct uiommu_sg *sg, uint32_t count)
{
	unsigned int pages = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t a = sg[i].iova;
		uint64_t end = a + sg[i].iova_size;

		for (; a < end; a = (a | (PAGE_SIZE - 1)) + 1, pages++) {
			if (pages > NVME_MAX_PAGES)
				return UIOMMU_EINVAL;
			if (pages == 0)
				cmd->prp1 = a;
			else
				n->prp_list[pages - 1] = a;
		}
	}
	if (pages == 2)
		cmd->prp2 = n->prp_list[0];
	else if (pages > 2)
		cmd->prp2 = n->prp_list_addr;
	return 0;
}

static int nvme_transfer(struct nvme *n, uint8_t opcode, uint64_t block,
			 const struct uiommu_sg *sg, uint32_t count)
{
	struct nvme_command cmd = {
		.opcode = opcode,
		.namespace = 1,
		.dw10 = (uint32_t)block,
		.dw11 = (uint32_t)(block >> 32),
	};
	size_t size = 0;
	int err;

	for (uint32_t i = 0; i < count; i++)
		size += sg[i].iova_size;
	if (!size || size % n->block_size || size > NVME_MAX_TRANSFER)
		return UIOMMU_EINVAL;
	cmd.dw12 = (uint32_t)(size / n->block_size - 1);
	err = nvme_fill_prps(n, &cmd, sg, count);
	return err ? err : nvme_submit(n, &n->io, &cmd);
}

int nvme_read(struct nvme *n, uint64_t block, const struct uiommu_sg *sg,
	      uint32_t count)
{
	return nvme_transfer(n, NVME_IO_READ, block, sg, count);
}

int nvme_write(struct nvme *n, uint64_t block, const struct uiommu_sg *sg,
	       uint32_t count)
{
	return nvme_transfer(n, NVME_IO_WRITE, block, sg, count);
}

void nvme_post_read(struct nvme *n, struct nvme_queue *q, uint16_t id,
		    uint64_t block, uint64_t addr, uint32_t pages)
{
	struct nvme_command cmd = {
		.opcode = NVME_IO_READ,
		.id = id,
		.namespace = 1,
		.prp1 = addr,
		.prp2 = pages > 1 ? addr + PAGE_SIZE : 0,
		.dw10 = (uint32_t)block,
		.dw11 = (uint32_t)(block >> 32),
		.dw12 = pages * PAGE_SIZE / n->block_size - 1,
	};

	nvme_post(n, q, &cmd);
}

void nvme_provoke(struct nvme *n, uint64_t addr)
{
	mmio_write32(n->regs, NVME_CC, 0);
	if (nvme_wait_ready(n, 0))
		return;
	mmio_write32(n->regs, NVME_AQA, 1u << 16 | 1u);
	mmio_write64(n->regs, NVME_ASQ, addr);
	mmio_write64(n->regs, NVME_ACQ, addr);
	mmio_write32(n->regs, NVME_CC, NVME_CC_SIZES | NVME_CC_EN);
	if (!nvme_wait_ready(n, NVME_CSTS_RDY))
		mmio_write32(n->regs, NVME_DOORBELLS, 1);
}
