// SPDX-License-Identifier: MIT
/* After Intel's "82574 GbE Controller Family Datasheet". */
#include <uiommu/error.h>

#include "e1000e.h"

#define E1000E_REGS_SIZE 0x20000

/* clang-format off */
#define CTRL			0x0000
#define   CTRL_SLU		0x00000040u /* set link up */
#define   CTRL_RST		0x04000000u
#define STATUS			0x0008
#define   STATUS_LU		0x00000002u /* link is up */
#define EERD			0x0014
#define   EERD_START		0x00000001u
#define   EERD_DONE		0x00000002u
#define IMC			0x00d8
#define RCTL			0x0100
#define   RCTL_EN		0x00000002u
#define   RCTL_BAM		0x00008000u /* accept broadcasts */
#define   RCTL_SECRC		0x04000000u /* strip the checksum */
#define TCTL			0x0400
#define   TCTL_EN		0x00000002u
#define   TCTL_PSP		0x00000008u /* pad short packets */
#define RDBAL			0x2800
#define RDBAH			0x2804
#define RDLEN			0x2808
#define RDH			0x2810
#define RDT			0x2818
#define TDBAL			0x3800
#define TDBAH			0x3804
#define TDLEN			0x3808
#define TDH			0x3810
#define TDT			0x3818
#define RAL0			0x5400
#define RAH0			0x5404
#define   RAH_VALID		0x80000000u

#define TX_EOP			0x01u
#define TX_IFCS			0x02u
#define TX_RS			0x08u
#define DESC_DONE		0x01u
#define RX_EOP			0x02u
/* clang-format on */

#define E1000E_TIMEOUT_NS UINT64_C(30000000000)

struct e1000e_tx {
	uint64_t addr;
	uint16_t size;
	uint8_t checksum_offset;
	uint8_t command;
	volatile uint8_t status;
	uint8_t checksum_start;
	uint16_t special;
};

struct e1000e_rx {
	uint64_t addr;
	uint16_t size;
	uint16_t checksum;
	uint8_t status;
	uint8_t errors;
	uint16_t special;
};

static int e1000e_wait(struct e1000e *e, uint32_t reg, uint32_t mask,
		       uint32_t want)
{
	uint64_t end = time_ns() + E1000E_TIMEOUT_NS;

	while ((mmio_read32(e->regs, reg) & mask) != want) {
		if (time_ns() > end)
			return UIOMMU_ETIMEDOUT;
		cpu_relax();
	}
	return 0;
}

bool e1000e_probe(struct e1000e *e)
{
	uint16_t bdf;

	if (!pci_find(E1000E_VENDOR, E1000E_DEVICE, 0, &bdf))
		return false;
	*e = (struct e1000e){
		.dma = { .bdf = bdf, .mask = ~UINT64_C(0) },
		.rx_entries = E1000E_RING,
		.buffer_count = E1000E_RING,
	};
	pci_enable(bdf);
	e->regs = pci_map_bar(bdf, 0, E1000E_REGS_SIZE);
	return e->regs != NULL;
}

static int e1000e_read_mac(struct e1000e *e)
{
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t word;
		int err;

		mmio_write32(e->regs, EERD, EERD_START | i << 2);
		err = e1000e_wait(e, EERD, EERD_DONE, EERD_DONE);
		if (err)
			return err;
		word = mmio_read32(e->regs, EERD) >> 16;
		e->mac[2 * i] = (uint8_t)word;
		e->mac[2 * i + 1] = (uint8_t)(word >> 8);
	}
	return 0;
}

static int e1000e_reset(struct e1000e *e)
{
	int err;

	mmio_write32(e->regs, IMC, ~0u);
	mmio_write32(e->regs, CTRL, mmio_read32(e->regs, CTRL) | CTRL_RST);
	err = e1000e_wait(e, CTRL, CTRL_RST, 0);
	if (err)
		return err;
	mmio_write32(e->regs, IMC, ~0u); /* the reset may have undone it */
	mmio_write32(e->regs, CTRL, mmio_read32(e->regs, CTRL) | CTRL_SLU);
	return e1000e_read_mac(e);
}

/* Of the receive ring, as it is allocated: whole pages. */
static size_t rx_size(const struct e1000e *e)
{
	size_t size = e->rx_entries * sizeof(struct e1000e_rx);

	return size < PAGE_SIZE ? PAGE_SIZE : size;
}

static void e1000e_start_rx(struct e1000e *e)
{
	uint32_t low;
	uint32_t high;

	for (uint32_t i = 0; i < e->rx_entries; i++)
		e->rx[i].addr = e->buffers_addr +
				i % e->buffer_count * E1000E_BUFFER;
	memcpy(&low, e->mac, 4);
	high = (uint32_t)e->mac[4] | (uint32_t)e->mac[5] << 8;
	mmio_write32(e->regs, RAL0, low);
	mmio_write32(e->regs, RAH0, high | RAH_VALID);
	mmio_write32(e->regs, RDBAL, (uint32_t)e->rx_addr);
	mmio_write32(e->regs, RDBAH, (uint32_t)(e->rx_addr >> 32));
	mmio_write32(e->regs, RDLEN,
		     e->rx_entries * (uint32_t)sizeof(struct e1000e_rx));
	mmio_write32(e->regs, RDH, 0);
	dma_barrier();
	/* Buffers of 2048 bytes are what the size field's zero means. */
	mmio_write32(e->regs, RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
	mmio_write32(e->regs, RDT, e->rx_entries - 1);
	e->rx_next = 0;
}

static void e1000e_start_tx(struct e1000e *e)
{
	mmio_write32(e->regs, TDBAL, (uint32_t)e->tx_addr);
	mmio_write32(e->regs, TDBAH, (uint32_t)(e->tx_addr >> 32));
	mmio_write32(e->regs, TDLEN, E1000E_RING * sizeof(struct e1000e_tx));
	mmio_write32(e->regs, TDH, 0);
	mmio_write32(e->regs, TDT, 0);
	mmio_write32(e->regs, TCTL, TCTL_EN | TCTL_PSP);
	e->tx_tail = 0;
}

int e1000e_start(struct e1000e *e)
{
	int err = UIOMMU_ENOMEM;

	e->tx = dma_alloc(&e->dma, PAGE_SIZE, &e->tx_addr);
	e->rx = dma_alloc(&e->dma, rx_size(e), &e->rx_addr);
	e->buffers = dma_alloc(&e->dma, e->buffer_count * E1000E_BUFFER,
			       &e->buffers_addr);
	if (!e->tx || !e->rx || !e->buffers)
		goto err_stop;
	memset(e->buffers, e->poison, e->buffer_count * E1000E_BUFFER);
	err = e1000e_reset(e);
	if (err)
		goto err_stop;
	e1000e_start_rx(e);
	e1000e_start_tx(e);
	err = e1000e_wait(e, STATUS, STATUS_LU, STATUS_LU);
	if (!err)
		return 0;
err_stop:
	e1000e_stop(e);
	return err;
}

void e1000e_stop(struct e1000e *e)
{
	mmio_write32(e->regs, RCTL, 0);
	mmio_write32(e->regs, TCTL, 0);
	mmio_write32(e->regs, CTRL, mmio_read32(e->regs, CTRL) | CTRL_RST);
	if (e1000e_wait(e, CTRL, CTRL_RST, 0))
		return;
	if (e->tx)
		dma_free(&e->dma, e->tx, PAGE_SIZE, e->tx_addr);
	if (e->rx)
		dma_free(&e->dma, (void *)(uintptr_t)e->rx, rx_size(e),
			 e->rx_addr);
	if (e->buffers)
		dma_free(&e->dma, e->buffers, e->buffer_count * E1000E_BUFFER,
			 e->buffers_addr);
	e->tx = NULL;
	e->rx = NULL;
	e->buffers = NULL;
}

int e1000e_send(struct e1000e *e, void *frame, size_t size)
{
	struct e1000e_tx *d = &e->tx[e->tx_tail];
	uint64_t end = time_ns() + E1000E_TIMEOUT_NS;
	uint64_t addr;
	int unmapped;
	int err = dma_map(&e->dma, frame, size, UIOMMU_DMA_TO_DEVICE, &addr);

	if (err)
		return err;
	*d = (struct e1000e_tx){ .addr = addr,
				 .size = (uint16_t)size,
				 .command = TX_EOP | TX_IFCS | TX_RS };
	e->tx_tail = (e->tx_tail + 1) % E1000E_RING;
	dma_barrier();
	mmio_write32(e->regs, TDT, e->tx_tail);
	while (!(d->status & DESC_DONE)) {
		if (time_ns() > end) {
			err = UIOMMU_ETIMEDOUT;
			break;
		}
		cpu_relax();
	}
	unmapped = dma_unmap(&e->dma, addr, size);
	return err ? err : unmapped;
}

size_t e1000e_receive(struct e1000e *e, void *frame, size_t size)
{
	volatile struct e1000e_rx *d = &e->rx[e->rx_next];
	size_t got = 0;

	if (!(d->status & DESC_DONE))
		return 0;
	if ((d->status & RX_EOP) && !d->errors && d->size <= size) {
		got = d->size;
		memcpy(frame,
		       e->buffers +
			       e->rx_next % e->buffer_count * E1000E_BUFFER,
		       got);
	}
	d->status = 0;
	dma_barrier();
	mmio_write32(e->regs, RDT, e->rx_next);
	e->rx_next = (e->rx_next + 1) % e->rx_entries;
	return got;
}

void e1000e_refill(struct e1000e *e)
{
	uint32_t entries = mmio_read32(e->regs, RDLEN) /
			   (uint32_t)sizeof(struct e1000e_rx);
	uint32_t head = mmio_read32(e->regs, RDH);

	if (entries)
		mmio_write32(e->regs, RDT, (head + entries - 1) % entries);
}

const uint8_t *e1000e_peek(const struct e1000e *e, uint32_t at, size_t *size)
{
	volatile struct e1000e_rx *d = &e->rx[at];

	if (!(d->status & DESC_DONE))
		return NULL;
	*size = d->size;
	return e->buffers + at % e->buffer_count * E1000E_BUFFER;
}
