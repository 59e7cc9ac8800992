/* SPDX-License-Identifier: MIT */
/* Private to model/: the unit's state and what its files ask of each other. */
#ifndef VTDM_INT_H
#define VTDM_INT_H

#include <pthread.h>
#include <stdarg.h>

#include "vtdm.h"
#include "vtdm_regs.h"

/* --- Notes of what software did wrong (vtdm_util.c) ----------------------- */

#define VTDM_NOTES 32

struct vtdm_notes {
	size_t count; /* also those beyond VTDM_NOTES */
	char text[VTDM_NOTES][128];
};

void vtdm_notes_add(struct vtdm_notes *n, const char *fmt, va_list ap);

/* --- A hash table of 64-bit keys; key 0 is not allowed (vtdm_util.c) ------ */

struct vtdm_slot {
	uint64_t key;
	uint64_t val;
	unsigned int aux;
};

struct vtdm_table {
	struct vtdm_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t used;
};

struct vtdm_slot *vtdm_table_find(const struct vtdm_table *t, uint64_t key);
/* Adds or replaces; true if the key is new. */
bool vtdm_table_put(struct vtdm_table *t, uint64_t key, uint64_t val,
		    unsigned int aux);
bool vtdm_table_del(struct vtdm_table *t, uint64_t key);
void vtdm_table_clear(struct vtdm_table *t);

/* --- The unit ------------------------------------------------------------- */

/* A context entry as cached; held also if faulting where CM is set. */
struct vtdm_ctx {
	bool held;
	bool fpd;
	uint8_t tt;
	uint8_t aw;
	uint16_t did;
	uint16_t reason; /* 0, or the fault that it is */
	uint64_t table;	 /* of the second stage */
};

/*
 * Leaf and table-pointer entries of one domain id, in one table. The low four
 * bits of a key say which; the rest is the address above the entry's span.
 */
#define VTDM_KIND_LEAF(level) ((level) + 1u)  /* level 0..2 */
#define VTDM_KIND_TABLE(level) ((level) + 4u) /* level 1..4 */
#define VTDM_KINDS 9
#define VTDM_NOT_PRESENT 0xffffu /* aux: neither R nor W; direction decides */

struct vtdm_dom {
	struct vtdm_table tab;
	size_t n[VTDM_KINDS];
};

/* A command that software polls for. */
struct vtdm_cmd {
	bool busy;
	unsigned int hang; /* VTDM_HANG_* that holds it */
	unsigned int reads;
	uint64_t due;
};

struct vtdm_msg {
	bool pending;
	uint64_t addr;
	uint32_t data;
};

struct vtdm {
	pthread_mutex_t lock;
	struct vtdm_config cfg;
	struct vtdm_knobs knobs;
	struct vtdm_stats stats;
	struct vtdm_notes notes;
	uint64_t cap, ecap;
	size_t reg_size;
	uint32_t *regs;
	uint64_t now;
	bool dead;

	struct vtdm_cmd gcmd, ccmd, iotlb, pmen, queue;
	uint32_t gcmd_todo, gcmd_want;
	uint64_t root; /* RTADDR as latched by SRTP */
	bool root_set;
	bool need_ctx, need_iotlb; /* global invalidation owed since SRTP */
	unsigned int frcd_next;

	struct vtdm_ctx *ctx[256];  /* by bus, then by device and function */
	struct vtdm_dom **dom[256]; /* by domain id, high byte then low */
	size_t n_ctx, n_leaf, n_table;

	struct vtdm_msg msg_fault, msg_inv;
};

/* vtdm.c */
void vtdm_lock(struct vtdm *m);
void vtdm_unlock(struct vtdm *m);
void vtdm_note(struct vtdm *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool vtdm_cmd_begin(struct vtdm *m, struct vtdm_cmd *c, unsigned int hang);
void vtdm_service(struct vtdm *m, bool read);

static inline uint32_t vtdm_reg(const struct vtdm *m, uint32_t off)
{
	return m->regs[off / 4];
}

static inline void vtdm_reg_set(struct vtdm *m, uint32_t off, uint32_t val)
{
	m->regs[off / 4] = val;
}

static inline uint64_t vtdm_reg64(const struct vtdm *m, uint32_t off)
{
	return (uint64_t)m->regs[off / 4 + 1] << 32 | m->regs[off / 4];
}

static inline void vtdm_reg64_set(struct vtdm *m, uint32_t off, uint64_t val)
{
	m->regs[off / 4] = (uint32_t)val;
	m->regs[off / 4 + 1] = (uint32_t)(val >> 32);
}

static inline bool vtdm_on(const struct vtdm *m, uint32_t gsts_bit)
{
	return vtdm_reg(m, VTDM_GSTS) & gsts_bit;
}

static inline uint64_t vtdm_below(unsigned int bits)
{
	return bits >= 64 ? ~UINT64_C(0) : VTDM_BIT64(bits) - 1;
}

/* vtdm_mmio.c: a delayed command takes effect */
void vtdm_gcmd_done(struct vtdm *m);
void vtdm_ccmd_done(struct vtdm *m);
void vtdm_iotlb_done(struct vtdm *m);
void vtdm_pmen_done(struct vtdm *m);

/* vtdm_cache.c */
struct vtdm_ctx *vtdm_ctx_slot(struct vtdm *m, uint16_t sid);
void vtdm_ctx_hold(struct vtdm *m, uint16_t sid, const struct vtdm_ctx *c);
struct vtdm_slot *vtdm_dom_find(struct vtdm *m, uint16_t did, uint64_t addr,
				unsigned int level, bool leaf);
void vtdm_dom_hold(struct vtdm *m, uint16_t did, uint64_t addr,
		   unsigned int level, bool leaf, uint64_t val,
		   unsigned int aux);
void vtdm_cache_drop_all(struct vtdm *m);
/* Both return the granularity done: VTDM_GRAN_NONE if refused. */
unsigned int vtdm_inv_context(struct vtdm *m, unsigned int gran, uint16_t did,
			      uint16_t sid, unsigned int fm);
unsigned int vtdm_inv_iotlb(struct vtdm *m, unsigned int gran, uint16_t did,
			    uint64_t iva);

/* vtdm_queue.c */
void vtdm_queue_kick(struct vtdm *m);
void vtdm_queue_run(struct vtdm *m);

/* vtdm_fault.c */
void vtdm_record(struct vtdm *m, uint16_t sid, uint64_t addr, bool write,
		 enum vtdm_at at, unsigned int reason);
void vtdm_fsts_raise(struct vtdm *m, uint32_t bit);
void vtdm_fsts_write(struct vtdm *m, uint32_t val);
void vtdm_frcd_write(struct vtdm *m, uint32_t off, uint32_t val);
void vtdm_ectl_write(struct vtdm *m, uint32_t off, uint32_t val);
void vtdm_ics_raise(struct vtdm *m);
void vtdm_ics_write(struct vtdm *m, uint32_t val);

#endif /* VTDM_INT_H */
