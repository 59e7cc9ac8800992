/* SPDX-License-Identifier: MIT */
/*
 * QEMU's educational device: it copies between memory and a buffer of its own
 * at any bus address it is told, which makes it the best rogue there is.
 */
#ifndef BARE_EDU_H
#define BARE_EDU_H

#include "dma.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8
#define EDU_MASK UINT64_C(0x0fffffff) /* it reaches 28 bits */
#define EDU_BUFFER_SIZE 4096u

struct edu {
	struct dma_device dma;
	void *regs;
};

/* The @nth of them; false if there is none, or if it does not answer. */
bool edu_init(struct edu *e, unsigned int nth);
/* The one at @bdf, likewise. */
bool edu_init_at(struct edu *e, uint16_t bdf);
/*
 * Have the device copy @size bytes between bus address @addr and offset @at of
 * its buffer. Returns at once; the device takes 0.1 s.
 */
void edu_start_read(struct edu *e, uint64_t addr, uint32_t at, uint32_t size);
void edu_start_write(struct edu *e, uint64_t addr, uint32_t at, uint32_t size);
/* Once more what it did last, by whomever it was told. */
void edu_again(struct edu *e);
bool edu_busy(struct edu *e);
/* Wait for the end of a transfer: false if it does not come. */
bool edu_wait(struct edu *e);
bool edu_read(struct edu *e, uint64_t addr, uint32_t at, uint32_t size);
bool edu_write(struct edu *e, uint64_t addr, uint32_t at, uint32_t size);

#endif /* BARE_EDU_H */
