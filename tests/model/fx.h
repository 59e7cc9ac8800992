/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the model share: a unit with memory, and a driver so
 * simple that every bit it writes stands here as a number from the
 * specification, not as one of the model's own names.
 */
#ifndef FX_H
#define FX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vtdm.h"
#include "vtdm_mem.h"

#define FX_SID 0x0208 /* 02:01.0 */
#define FX_DID 7
#define FX_IOVA UINT64_C(0x12345000)

/* Entry bits */
#define RD UINT64_C(1)
#define WR UINT64_C(2)
#define PS UINT64_C(0x80)
#define SNP UINT64_C(0x800)

struct fx {
	struct vtdm_config cfg;
	struct vtdm_mem_config mem_cfg;
	struct vtdm_mem *mem;
	struct vtdm *m;
	uint64_t *root; /* the CPU's view */
	uint64_t root_pa;
	uint64_t *queue;
	uint64_t queue_pa;
	uint32_t tail;	   /* descriptors */
	uint64_t table_pa; /* top table of the one domain */
	unsigned int levels;
	uint64_t data_pa; /* a page to reach */
	uint8_t *data;
	unsigned int irqs;
	uint64_t irq_addr;
	uint32_t irq_data;
};

/* cfg and mem_cfg are defaults; change them, then fx_start() or fx_boot(). */
void fx_init(struct fx *fx);
/* Unit, memory, empty tables, one data page, all visible to walks. */
void fx_start(struct fx *fx);
/* Also SRTP, the two global invalidations and TE, by registers. */
void fx_boot(struct fx *fx);
/* And with the queue enabled before TE. */
void fx_boot_queue(struct fx *fx);
void fx_stop(struct fx *fx);

/* Write GCMD so that only @bit changes; one-shot bits are set. */
void fx_gcmd(struct fx *fx, uint32_t bit, bool on);
void fx_srtp(struct fx *fx);
/* Register-based: granularity 1 global, 2 domain, 3 device or page. */
void fx_ccmd(struct fx *fx, unsigned int gran, uint16_t did, uint16_t sid,
	     unsigned int fm);
void fx_iotlb(struct fx *fx, unsigned int gran, uint16_t did, uint64_t iva);
void fx_queue_on(struct fx *fx);
void fx_submit(struct fx *fx, uint64_t lo, uint64_t hi);

/* A table page, cleaned and flushed. */
uint64_t fx_table(struct fx *fx);
/* Put a word where the CPU writes and let walks see it. */
void fx_poke(struct fx *fx, uint64_t pa, uint64_t val);
uint64_t fx_peek(struct fx *fx, uint64_t pa);
/* Write @lo and @hi into the context entry of @sid, with tables as needed. */
void fx_context(struct fx *fx, uint16_t sid, uint64_t lo, uint64_t hi);
uint64_t fx_context_pa(struct fx *fx, uint16_t sid);
/* A good one: translated through the domain's tables. */
void fx_attach(struct fx *fx, uint16_t sid);
/* Physical address of the entry at @level for @iova, with tables as needed. */
uint64_t fx_entry(struct fx *fx, uint64_t iova, unsigned int level);
void fx_map(struct fx *fx, uint64_t iova, uint64_t pa, uint64_t bits);

enum vtdm_result fx_read(struct fx *fx, uint64_t iova);
enum vtdm_result fx_write(struct fx *fx, uint64_t iova);
/* Fails the test if the unit or the memory saw a violation, and prints it. */
void fx_clean(struct fx *fx);

#endif /* FX_H */
