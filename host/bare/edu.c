// SPDX-License-Identifier: MIT
#include "edu.h"

#define EDU_ID 0x00   /* 0xRRrr00ed */
#define EDU_LIVE 0x04 /* reads back what was written, inverted */
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_DMA_RUN 1u
#define EDU_DMA_WRITE 2u /* towards memory */
#define EDU_BUFFER 0x40000u
#define EDU_REGS_SIZE 0x100000
#define EDU_TIMEOUT_NS UINT64_C(30000000000)

bool edu_init(struct edu *e, unsigned int nth)
{
	uint16_t bdf;

	return pci_find(EDU_VENDOR, EDU_DEVICE, nth, &bdf) &&
	       edu_init_at(e, bdf);
}

bool edu_init_at(struct edu *e, uint16_t bdf)
{
	if (pci_read(bdf, 0, 4) != ((uint32_t)EDU_DEVICE << 16 | EDU_VENDOR))
		return false;
	pci_enable(bdf);
	e->dma = (struct dma_device){ .bdf = bdf, .mask = EDU_MASK };
	e->regs = pci_map_bar(bdf, 0, EDU_REGS_SIZE);
	if (!e->regs || (mmio_read32(e->regs, EDU_ID) & 0xff) != 0xed)
		return false;
	mmio_write32(e->regs, EDU_LIVE, 0x12345678);
	return mmio_read32(e->regs, EDU_LIVE) == ~0x12345678u;
}

static void edu_start(struct edu *e, uint64_t from, uint64_t to, uint32_t size,
		      uint32_t command)
{
	dma_barrier();
	mmio_write64(e->regs, EDU_DMA_FROM, from);
	mmio_write64(e->regs, EDU_DMA_TO, to);
	mmio_write64(e->regs, EDU_DMA_COUNT, size);
	mmio_write64(e->regs, EDU_DMA_COMMAND, EDU_DMA_RUN | command);
}

void edu_start_read(struct edu *e, uint64_t addr, uint32_t at, uint32_t size)
{
	edu_start(e, addr, EDU_BUFFER + at, size, 0);
}

void edu_start_write(struct edu *e, uint64_t addr, uint32_t at, uint32_t size)
{
	edu_start(e, EDU_BUFFER + at, addr, size, EDU_DMA_WRITE);
}

void edu_again(struct edu *e)
{
	uint32_t command = mmio_read32(e->regs, EDU_DMA_COMMAND);

	mmio_write64(e->regs, EDU_DMA_COMMAND, EDU_DMA_RUN | command);
}

bool edu_busy(struct edu *e)
{
	return mmio_read32(e->regs, EDU_DMA_COMMAND) & EDU_DMA_RUN;
}

bool edu_wait(struct edu *e)
{
	uint64_t end = time_ns() + EDU_TIMEOUT_NS;

	while (edu_busy(e)) {
		if (time_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

bool edu_read(struct edu *e, uint64_t addr, uint32_t at, uint32_t size)
{
	edu_start_read(e, addr, at, size);
	return edu_wait(e);
}

bool edu_write(struct edu *e, uint64_t addr, uint32_t at, uint32_t size)
{
	edu_start_write(e, addr, at, size);
	return edu_wait(e);
}
