// SPDX-License-Identifier: MIT
/* After Intel's "82574 GbE Controller Family Datasheet". */
#include <uiommu/error.h>

#include "user_net.h"

/* clang-format off */
#define CTRL			0x0000
#define   CTRL_SLU		0x00000040u /* set link up */
#define   CTRL_RST		0x04000000u
#define IMC			0x00d8
#define RCTL			0x0100
#define   RCTL_EN		0x00000002u
#define   RCTL_UPE		0x00000008u /* frames for anybody */
#define   RCTL_LOOPBACK		0x00000040u /* what is sent is received */
#define   RCTL_SECRC		0x04000000u /* strip the checksum */
#define TCTL			0x0400
#define   TCTL_EN		0x00000002u
#define   TCTL_PSP		0x00000008u /* pad short packets */
#define RING_RX			0x2800
#define RING_TX			0x3800
#define   RING_LOW		0x00 /* address; then its upper half */
#define   RING_SIZE		0x08
#define   RING_HEAD		0x10
#define   RING_TAIL		0x18

#define TX_EOP			0x01u
#define TX_IFCS			0x02u
#define TX_RS			0x08u
#define DESC_DONE		0x01u
#define RX_EOP			0x02u
/* clang-format on */

#define USER_TIMEOUT_NS UINT64_C(30000000000)
#define RING_ENTRIES 8u
#define FRAME_ROOM 2048u

struct user_desc {
	uint64_t addr;
	uint16_t size;
	uint8_t checksum;
	uint8_t command; /* of the transmit ring */
	uint8_t status;
	uint8_t errors;
	uint16_t special;
};

/* One page for both rings, one buffer for each entry of each ring. */
#define RX_RING_AT 0u
#define TX_RING_AT 2048u
#define RX_FRAMES_AT PAGE_SIZE
#define TX_FRAMES_AT (RX_FRAMES_AT + RING_ENTRIES * FRAME_ROOM)
#define MEMORY_SIZE (TX_FRAMES_AT + RING_ENTRIES * FRAME_ROOM)

static volatile struct user_desc *user_ring(struct user_net *u, uint32_t at)
{
	return (volatile struct user_desc *)(u->memory + at);
}

static int user_wait_reset(struct user_net *u)
{
	uint64_t end = time_ns() + USER_TIMEOUT_NS;

	mmio_write32(u->regs, IMC, ~0u);
	mmio_write32(u->regs, CTRL, mmio_read32(u->regs, CTRL) | CTRL_RST);
	while (mmio_read32(u->regs, CTRL) & CTRL_RST) {
		if (time_ns() > end)
			return UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	mmio_write32(u->regs, IMC, ~0u);
	return 0;
}

static void user_start_ring(struct user_net *u, uint32_t reg, uint32_t at)
{
	uint64_t addr = u->iova + at;

	mmio_write32(u->regs, reg + RING_LOW, (uint32_t)addr);
	mmio_write32(u->regs, reg + RING_LOW + 4, (uint32_t)(addr >> 32));
	mmio_write32(u->regs, reg + RING_SIZE,
		     RING_ENTRIES * sizeof(struct user_desc));
	mmio_write32(u->regs, reg + RING_HEAD, 0);
	mmio_write32(u->regs, reg + RING_TAIL, 0);
}

static void user_start(struct user_net *u)
{
	volatile struct user_desc *rx = user_ring(u, RX_RING_AT);

	for (unsigned int i = 0; i < RING_ENTRIES; i++)
		rx[i].addr = u->iova + RX_FRAMES_AT + i * FRAME_ROOM;
	mmio_write32(u->regs, CTRL, mmio_read32(u->regs, CTRL) | CTRL_SLU);
	user_start_ring(u, RING_RX, RX_RING_AT);
	user_start_ring(u, RING_TX, TX_RING_AT);
	dma_barrier();
	mmio_write32(u->regs, RCTL,
		     RCTL_EN | RCTL_UPE | RCTL_LOOPBACK | RCTL_SECRC);
	mmio_write32(u->regs, RING_RX + RING_TAIL, RING_ENTRIES - 1);
	mmio_write32(u->regs, TCTL, TCTL_EN | TCTL_PSP);
}

int user_net_open(struct user_net *u, void *regs, const struct user_dma *dma,
		  uint64_t iova)
{
	int err;

	*u = (struct user_net){ .regs = regs, .dma = dma, .iova = iova };
	u->memory = mem_alloc(mem_order(MEMORY_SIZE));
	if (!u->memory)
		return UIOMMU_ENOMEM;
	err = dma->map(dma->context, iova, u->memory, MEMORY_SIZE);
	if (err) {
		mem_free(u->memory, mem_order(MEMORY_SIZE));
		u->memory = NULL;
		return err;
	}
	err = user_wait_reset(u);
	if (!err)
		user_start(u);
	return err;
}

int user_net_close(struct user_net *u)
{
	int err;

	if (!u->memory)
		return 0;
	mmio_write32(u->regs, RCTL, 0);
	mmio_write32(u->regs, TCTL, 0);
	err = user_wait_reset(u);
	if (!err)
		err = u->dma->unmap(u->dma->context, u->iova, MEMORY_SIZE);
	if (err)
		return err; /* the device may still reach it: not freed */
	mem_free(u->memory, mem_order(MEMORY_SIZE));
	u->memory = NULL;
	return 0;
}

static void user_fill(uint8_t *frame, uint32_t seed, size_t size)
{
	for (size_t i = 0; i < size; i++)
		frame[i] = (uint8_t)((seed + i) * 0x9e3779b1u >> 24);
	frame[0] = 2; /* to one station, of a made-up address */
	frame[12] = 0x88;
	frame[13] = 0xb5; /* for local experiments */
}

/* The order of the rings' entries is the order of the frames. */
static int user_receive(struct user_net *u, const uint8_t *want, size_t size)
{
	unsigned int at = u->sent % RING_ENTRIES;
	volatile struct user_desc *rx = &user_ring(u, RX_RING_AT)[at];
	const char *frame = u->memory + RX_FRAMES_AT + at * FRAME_ROOM;
	uint64_t end = time_ns() + USER_TIMEOUT_NS;
	bool same;

	while (!(rx->status & DESC_DONE)) {
		if (time_ns() > end)
			return UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	same = (rx->status & RX_EOP) && !rx->errors && rx->size == size &&
	       memcmp(frame, want, size) == 0;
	rx->status = 0;
	dma_barrier();
	mmio_write32(u->regs, RING_RX + RING_TAIL, at);
	return same ? 0 : UIOMMU_EIO;
}

int user_net_bounce(struct user_net *u, uint32_t seed, size_t size)
{
	unsigned int at = u->sent % RING_ENTRIES;
	volatile struct user_desc *tx = &user_ring(u, TX_RING_AT)[at];
	uint32_t frame_at = TX_FRAMES_AT + at * FRAME_ROOM;
	uint8_t *frame = (uint8_t *)u->memory + frame_at;
	int err;

	if (size < 60 || size > USER_NET_FRAME_MAX)
		return UIOMMU_EINVAL;
	user_fill(frame, seed, size);
	tx->addr = u->iova + frame_at;
	tx->size = (uint16_t)size;
	tx->command = TX_EOP | TX_IFCS | TX_RS;
	tx->status = 0;
	dma_barrier();
	mmio_write32(u->regs, RING_TX + RING_TAIL, (at + 1) % RING_ENTRIES);
	err = user_receive(u, frame, size);
	u->sent++;
	return err;
}
