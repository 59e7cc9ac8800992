// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "fx.h"

static void fx_irq(void *ctx, uint64_t addr, uint32_t data)
{
	struct fx *fx = ctx;

	fx->irqs++;
	fx->irq_addr = addr;
	fx->irq_data = data;
	(void)vtdm_read32(fx->m, 0x34); /* a handler may access the unit */
}

void fx_init(struct fx *fx)
{
	memset(fx, 0, sizeof(*fx));
	vtdm_config_default(&fx->cfg);
	fx->cfg.sagaw = 0xe;
	fx->cfg.mgaw = 57;
	fx->levels = 4;
}

uint64_t fx_table(struct fx *fx)
{
	uint64_t pa;
	void *p = vtdm_mem_alloc(fx->mem, 4096, 0, &pa);

	assert_non_null(p);
	vtdm_mem_clean(fx->mem, p, 4096);
	vtdm_mem_flush(fx->mem);
	return pa;
}

void fx_start(struct fx *fx)
{
	fx->mem = vtdm_mem_create(&fx->mem_cfg);
	assert_non_null(fx->mem);
	fx->cfg.mem = &vtdm_mem_ops;
	fx->cfg.mem_ctx = fx->mem;
	fx->cfg.irq = fx_irq;
	fx->cfg.irq_ctx = fx;
	fx->m = vtdm_create(&fx->cfg);
	assert_non_null(fx->m);
	fx->root_pa = fx_table(fx);
	fx->root = vtdm_mem_ptr(fx->mem, fx->root_pa);
	fx->table_pa = fx_table(fx);
	fx->data = vtdm_mem_alloc(fx->mem, 4096, 0, &fx->data_pa);
	assert_non_null(fx->data);
	strcpy((char *)fx->data, "payload");
}

void fx_gcmd(struct fx *fx, uint32_t bit, bool on)
{
	uint32_t val = vtdm_read32(fx->m, 0x1c) & 0x96ffffffu;
	unsigned int i;

	val = on ? val | bit : val & ~bit;
	vtdm_write32(fx->m, 0x18, val);
	for (i = 0; i < 100; i++) {
		uint32_t sts = vtdm_read32(fx->m, 0x1c);

		if (bit == UINT32_C(1) << 27)
			sts = ~sts; /* WBF: done when its status is clear */
		if (!(sts & bit) == !on)
			return;
	}
	fail_msg("GCMD bit 0x%x not done", bit);
}

void fx_srtp(struct fx *fx)
{
	vtdm_write64(fx->m, 0x20, fx->root_pa);
	fx_gcmd(fx, UINT32_C(1) << 30, true);
}

void fx_ccmd(struct fx *fx, unsigned int gran, uint16_t did, uint16_t sid,
	     unsigned int fm)
{
	unsigned int i;

	vtdm_write64(fx->m, 0x28,
		     UINT64_C(1) << 63 | (uint64_t)gran << 61 |
			     (uint64_t)fm << 32 | (uint64_t)sid << 16 | did);
	for (i = 0; i < 100; i++) {
		if (!(vtdm_read64(fx->m, 0x28) >> 63))
			return;
	}
	fail_msg("CCMD not done");
}

void fx_iotlb(struct fx *fx, unsigned int gran, uint16_t did, uint64_t iva)
{
	unsigned int i;

	vtdm_write64(fx->m, fx->cfg.iro, iva);
	vtdm_write64(fx->m, fx->cfg.iro + 8,
		     UINT64_C(1) << 63 | (uint64_t)gran << 60 |
			     (uint64_t)did << 32);
	for (i = 0; i < 100; i++) {
		if (!(vtdm_read64(fx->m, fx->cfg.iro + 8) >> 63))
			return;
	}
	fail_msg("IOTLB not done");
}

void fx_queue_on(struct fx *fx)
{
	fx->queue = vtdm_mem_alloc(fx->mem, 4096, 0, &fx->queue_pa);
	assert_non_null(fx->queue);
	vtdm_write64(fx->m, 0x88, 0);
	vtdm_write64(fx->m, 0x90, fx->queue_pa);
	fx_gcmd(fx, UINT32_C(1) << 26, true);
}

void fx_submit(struct fx *fx, uint64_t lo, uint64_t hi)
{
	fx->queue[fx->tail * 2] = lo;
	fx->queue[fx->tail * 2 + 1] = hi;
	fx->tail = (fx->tail + 1) % 256;
	vtdm_write64(fx->m, 0x88, fx->tail * 16);
}

void fx_boot(struct fx *fx)
{
	fx_start(fx);
	fx_srtp(fx);
	fx_ccmd(fx, 1, 0, 0, 0);
	fx_iotlb(fx, 1, 0, 0);
	fx_gcmd(fx, UINT32_C(1) << 31, true);
}

void fx_boot_queue(struct fx *fx)
{
	fx_start(fx);
	fx_queue_on(fx);
	fx_srtp(fx);
	fx_submit(fx, 0x11, 0);
	fx_submit(fx, 0x12, 0);
	fx_gcmd(fx, UINT32_C(1) << 31, true);
}

void fx_stop(struct fx *fx)
{
	vtdm_destroy(fx->m);
	vtdm_mem_destroy(fx->mem);
}

void fx_poke(struct fx *fx, uint64_t pa, uint64_t val)
{
	uint64_t *p = vtdm_mem_ptr(fx->mem, pa);

	assert_non_null(p);
	*p = val;
	vtdm_mem_clean(fx->mem, p, sizeof(*p));
	vtdm_mem_flush(fx->mem);
}

uint64_t fx_peek(struct fx *fx, uint64_t pa)
{
	uint64_t *p = vtdm_mem_ptr(fx->mem, pa);

	assert_non_null(p);
	return *p;
}

uint64_t fx_context_pa(struct fx *fx, uint16_t sid)
{
	uint64_t root = fx->root_pa + (uint64_t)(sid >> 8) * 16;
	uint64_t e = fx_peek(fx, root);

	if (!(e & 1)) {
		e = fx_table(fx) | 1;
		fx_poke(fx, root, e);
	}
	return (e & ~UINT64_C(0xfff)) + (uint64_t)(sid & 0xff) * 16;
}

void fx_context(struct fx *fx, uint16_t sid, uint64_t lo, uint64_t hi)
{
	uint64_t pa = fx_context_pa(fx, sid);

	fx_poke(fx, pa + 8, hi);
	fx_poke(fx, pa, lo);
}

void fx_attach(struct fx *fx, uint16_t sid)
{
	fx_context(fx, sid, fx->table_pa | 1,
		   (uint64_t)FX_DID << 8 | (fx->levels - 2));
}

uint64_t fx_entry(struct fx *fx, uint64_t iova, unsigned int level)
{
	uint64_t table = fx->table_pa;
	unsigned int l = fx->levels - 1;

	for (;; l--) {
		uint64_t pa = table + (iova >> (12 + 9 * l) & 511) * 8;
		uint64_t e;

		if (l == level)
			return pa;
		e = fx_peek(fx, pa);
		if (!(e & 3)) {
			e = fx_table(fx) | RD | WR;
			fx_poke(fx, pa, e);
		}
		table = e & ~UINT64_C(0xfff);
	}
}

void fx_map(struct fx *fx, uint64_t iova, uint64_t pa, uint64_t bits)
{
	fx_poke(fx, fx_entry(fx, iova, 0), pa | bits);
}

enum vtdm_result fx_read(struct fx *fx, uint64_t iova)
{
	char buf[8] = { 0 };
	enum vtdm_result res = vtdm_dma(fx->m, FX_SID, iova, false, buf,
					sizeof(buf));

	if (!res)
		assert_memory_equal(buf, fx->data, 8);
	return res;
}

enum vtdm_result fx_write(struct fx *fx, uint64_t iova)
{
	return vtdm_dma(fx->m, FX_SID, iova, true, fx->data, 8);
}

void fx_clean(struct fx *fx)
{
	size_t i;

	for (i = 0; vtdm_violation(fx->m, i); i++)
		print_error("unit: %s\n", vtdm_violation(fx->m, i));
	for (i = 0; vtdm_mem_violation(fx->mem, i); i++)
		print_error("memory: %s\n", vtdm_mem_violation(fx->mem, i));
	assert_int_equal(vtdm_violations(fx->m), 0);
	assert_int_equal(vtdm_mem_violations(fx->mem), 0);
}
