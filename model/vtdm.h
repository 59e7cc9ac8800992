/* SPDX-License-Identifier: MIT */
/*
 * A software VT-d unit: what a driver programs, and what a device's DMA goes
 * through. Its caches forget only when told, so that a missing invalidation
 * shows as a stale translation; what the specification forbids is done as
 * hardware might do it, and noted as a violation that a test asks for.
 *
 * All functions may be called from any thread; each unit has one lock. The
 * callbacks in struct vtdm_config must not call back into the same unit,
 * except irq(), which is called without the lock.
 */
#ifndef VTDM_H
#define VTDM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vtdm;

/**
 * struct vtdm_mem_ops - the memory behind the unit
 * @walk_read: read @size bytes (8 or 16, aligned) as a table walk sees them
 * @read: read @size bytes as a device's DMA sees them (cache coherent)
 * @write: write likewise
 * @flush: the write buffer drains: what the CPU wrote (and cleaned, where the
 *	walk is not coherent) becomes visible to walk_read(); may be NULL
 *
 * Each returns 0, or -1 where there is no memory. struct vtdm_mem
 * (vtdm_mem.h) provides a ready set.
 */
struct vtdm_mem_ops {
	int (*walk_read)(void *ctx, uint64_t paddr, void *buf, size_t size);
	int (*read)(void *ctx, uint64_t paddr, void *buf, size_t size);
	int (*write)(void *ctx, uint64_t paddr, const void *buf, size_t size);
	void (*flush)(void *ctx);
};

/**
 * struct vtdm_config - what the unit is
 *
 * Start from vtdm_config_default() and change what the test is about. Fields
 * named as in the specification are that capability; counts, widths and byte
 * offsets are plain numbers, not the register's encoding.
 */
struct vtdm_config {
	unsigned int nd;    /* CAP.ND code 0..6: 2^(4 + 2 * nd) domains */
	unsigned int sagaw; /* CAP.SAGAW: bit 1 39, bit 2 48, bit 3 57 bits */
	unsigned int mgaw;  /* bits of a guest address, 1..64 */
	unsigned int sslps; /* CAP.SSLPS: bit 0 2 MiB, bit 1 1 GiB pages */
	unsigned int nfr;   /* fault recording registers, 1..256 */
	unsigned int fro;   /* their byte offset, a multiple of 16 */
	unsigned int iro;   /* byte offset of IVA/IOTLB, a multiple of 16 */
	unsigned int mamv;  /* largest address mask of a page invalidation */
	unsigned int mhmv;
	bool rwbf, plmr, phmr, cm, zlr, psi, dwd, drd, fl1gp, esirtps, esrtps;
	bool c, qi, dt, ir, eim, pt, sc;
	uint64_t cap_extra, ecap_extra; /* bits to show besides; no effect */
	unsigned int version;		/* VER, 0x10 by default */
	unsigned int haw;		/* host address width in bits, 32..52 */
	unsigned int pmr_shift; /* granularity of protected regions, 21 */
	bool compress_faults;	/* one record per requester, as allowed */

	const struct vtdm_mem_ops *mem;
	void *mem_ctx;
	/* A fault or invalidation event message; may be NULL. */
	void (*irq)(void *ctx, uint64_t addr, uint32_t data);
	void *irq_ctx;
};

/* What does not complete, for struct vtdm_knobs.hang. */
#define VTDM_HANG_TE 0x001u
#define VTDM_HANG_SRTP 0x002u
#define VTDM_HANG_WBF 0x004u
#define VTDM_HANG_QIE 0x008u
#define VTDM_HANG_IR 0x010u /* SIRTP, IRE, CFI */
#define VTDM_HANG_CCMD 0x020u
#define VTDM_HANG_IOTLB 0x040u
#define VTDM_HANG_QUEUE 0x080u
#define VTDM_HANG_PMEN 0x100u

enum vtdm_dead_mode {
	VTDM_DEAD_STALE, /* registers keep their last value for ever */
	VTDM_DEAD_ONES,	 /* reads return all ones */
};

enum vtdm_queue_error {
	VTDM_QERR_NONE,
	VTDM_QERR_IQE, /* descriptor rejected; the head stays at it */
	VTDM_QERR_ITE, /* a device did not answer; next wait is aborted */
	VTDM_QERR_ICE, /* a stray completion; the queue goes on */
};

/**
 * struct vtdm_knobs - how the unit misbehaves
 * @dead_at: the unit is dead from this register access on, counted from 1 and
 *	over the unit's life (vtdm_stats.mmio says where it is); 0 never. It
 *	goes on translating with what it has, as hardware would
 * @dead_mode: what a dead unit's reads return
 * @cmd_reads: a register command is shown as done after this many register
 *	reads have seen it busy
 * @cmd_ticks: and not before this many ticks
 * @queue_ticks: descriptors are processed this many ticks after the tail moved
 * @hang: VTDM_HANG_* of what never completes while the bit is set
 * @queue_error: error to report ...
 * @queue_error_at: ... at the Nth descriptor fetched, counted from 1 over the
 *	unit's life (vtdm_stats.descriptors) ...
 * @queue_error_times: ... and each after it, until it happened this often
 * @queue_error_sid: requester that IQERCD names for ITE and ICE
 * @storm_faults: faults recorded per tick
 * @storm_sid: requester of those
 * @storm_addr: address of the first; each next one is a page further
 *
 * May be changed between calls, while no other thread is in one.
 */
struct vtdm_knobs {
	uint64_t dead_at;
	enum vtdm_dead_mode dead_mode;
	unsigned int cmd_reads;
	unsigned int cmd_ticks;
	unsigned int queue_ticks;
	unsigned int hang;
	enum vtdm_queue_error queue_error;
	uint64_t queue_error_at;
	uint64_t queue_error_times;
	uint16_t queue_error_sid;
	unsigned int storm_faults;
	uint16_t storm_sid;
	uint64_t storm_addr;
};

/* Counters over the unit's life. */
struct vtdm_stats {
	uint64_t mmio; /* register accesses of both kinds */
	uint64_t mmio_reads, mmio_writes;
	uint64_t ctx_global, ctx_domain, ctx_device; /* invalidations */
	uint64_t iotlb_global, iotlb_domain, iotlb_page, iotlb_page_ih;
	uint64_t dev_tlb, iec, wait;
	uint64_t bad_inv;     /* refused: mask, granularity, capability */
	uint64_t descriptors; /* fetched from the queue */
	uint64_t tail_writes;
	uint64_t wbf, srtp, te_on, te_off;
	uint64_t dma, walks, walk_reads; /* requests; IOTLB misses; entries */
	uint64_t faults, faults_recorded, faults_lost;
	uint64_t pmr_blocked, msi, bus_errors;
	uint64_t irq_fault, irq_inv; /* event messages sent */
};

/*
 * Results of a DMA. 0x01..0xff are the specification's fault reasons
 * ("Fault Conditions"); each also was recorded, unless FPD or an overflow
 * kept it from being so. Higher values are no faults in its sense.
 */
enum vtdm_result {
	VTDM_OK = 0,
	VTDM_FR_ROOT_NOT_PRESENT = 0x1,
	VTDM_FR_CTX_NOT_PRESENT = 0x2,
	VTDM_FR_CTX_INVALID = 0x3, /* AW, TT, or top table unreadable */
	VTDM_FR_ADDR_BEYOND = 0x4, /* above MGAW or the context's width */
	VTDM_FR_WRITE = 0x5,	   /* no write permission, or not present */
	VTDM_FR_READ = 0x6,
	VTDM_FR_TABLE_READ = 0x7, /* a lower table is unreadable */
	VTDM_FR_ROOT_READ = 0x8,
	VTDM_FR_CTX_READ = 0x9,
	VTDM_FR_ROOT_RSVD = 0xa,
	VTDM_FR_CTX_RSVD = 0xb,
	VTDM_FR_TABLE_RSVD = 0xc,
	VTDM_FR_TT_BLOCKED = 0xd, /* ATS request that TT does not allow */
	VTDM_FR_INTR_OUT = 0xe,	  /* translates into 0xfeexxxxx */
	VTDM_FR_TTM = 0x30,	  /* RTADDR.TTM not supported */

	VTDM_PMR_BLOCKED = 0x100, /* protected memory; never recorded */
	VTDM_INTERRUPT,	   /* a write to 0xfeexxxxx: delivered as a message */
	VTDM_INTR_INVALID, /* other access there: dropped */
	VTDM_BUS_ERROR,	   /* translated, but no (live) memory there */
};

/* PCI "address type" of a request. */
enum vtdm_at {
	VTDM_AT_UNTRANSLATED = 0,
	VTDM_AT_TRANSLATION_REQUEST = 1,
	VTDM_AT_TRANSLATED = 2,
};

enum vtdm_cache {
	VTDM_CACHE_CONTEXT,
	VTDM_CACHE_IOTLB,
	VTDM_CACHE_PAGING, /* paging-structure cache: pointers to tables */
};

/**
 * vtdm_config_default() - a capable, well-behaved unit
 * @config: filled: 39 and 48 bit tables, 2 MiB and 1 GiB pages, queued
 *	invalidation, pass-through, coherent, 8 fault records, PSI with masks
 *	to 18, 65536 domains, protected regions; no CM, RWBF, DT, IR
 */
void vtdm_config_default(struct vtdm_config *config);

/**
 * vtdm_create() - make a unit as after reset
 * @config: copied; @mem must stay
 *
 * Return: the unit, or NULL if @config contradicts itself or there is no
 * memory.
 */
struct vtdm *vtdm_create(const struct vtdm_config *config);

/**
 * vtdm_reset() - the unit loses its power and gets it back
 * @m: unit, alive or dead
 *
 * Registers, latched pointers, caches and commands under way are as after
 * vtdm_create(). The clock, counters, knobs and notes stay; a unit that
 * knobs.dead_at killed is dead again with its next access.
 */
void vtdm_reset(struct vtdm *m);

/** vtdm_destroy() - free a unit; NULL is allowed */
void vtdm_destroy(struct vtdm *m);

/** vtdm_reg_size() - bytes of the register window, a multiple of 4096 */
size_t vtdm_reg_size(const struct vtdm *m);

/**
 * vtdm_read32() - a driver reads a 32-bit register, or half a 64-bit one
 * @m: unit
 * @offset: bytes from the window's start, aligned to the access
 *
 * Unknown offsets read as 0, outside of the window as all ones; both a
 * misaligned access and a 64-bit access to a 32-bit register are violations.
 *
 * Return: the value.
 */
uint32_t vtdm_read32(struct vtdm *m, uint32_t offset);
/** vtdm_read64() - likewise, 64 bits */
uint64_t vtdm_read64(struct vtdm *m, uint32_t offset);
/** vtdm_write32() - a driver writes a register */
void vtdm_write32(struct vtdm *m, uint32_t offset, uint32_t value);
/** vtdm_write64() - likewise, 64 bits; acts as low half, then high half */
void vtdm_write64(struct vtdm *m, uint32_t offset, uint64_t value);

/**
 * vtdm_dma() - a device reads or writes memory
 * @m: unit
 * @sid: requester: bus << 8 | device << 3 | function
 * @addr: address the device uses
 * @write: direction
 * @buf: @size bytes to write from or to read into
 * @size: bytes; 0 with @write false is a zero-length read
 *
 * Cut at 4 KiB boundaries, as requests are. The first part that fails ends it:
 * earlier parts were delivered, nothing of that part was.
 *
 * Return: VTDM_OK, or why the failing part failed.
 */
enum vtdm_result vtdm_dma(struct vtdm *m, uint16_t sid, uint64_t addr,
			  bool write, void *buf, size_t size);

/**
 * vtdm_translate() - one request of at most a page, without its data
 * @m: unit
 * @sid: requester
 * @addr: address
 * @write: direction
 * @at: address type
 * @paddr: where it leads to, set on VTDM_OK; may be NULL
 *
 * Fills caches and records faults just as vtdm_dma() does.
 *
 * Return: VTDM_OK or the reason.
 */
enum vtdm_result vtdm_translate(struct vtdm *m, uint16_t sid, uint64_t addr,
				bool write, enum vtdm_at at, uint64_t *paddr);

/**
 * vtdm_tick() - time passes
 * @m: unit
 * @ticks: how much; delayed commands that are due complete, storms blow
 */
void vtdm_tick(struct vtdm *m, uint64_t ticks);

/**
 * vtdm_fault_inject() - record a fault as if a request had failed
 * @m: unit
 * @sid: requester
 * @addr: address
 * @write: direction
 * @reason: any code of 8 bits
 */
void vtdm_fault_inject(struct vtdm *m, uint16_t sid, uint64_t addr, bool write,
		       unsigned int reason);

/** vtdm_knobs() - the unit's knobs, to read and change between calls */
struct vtdm_knobs *vtdm_knobs(struct vtdm *m);
/** vtdm_stats() - the unit's counters */
const struct vtdm_stats *vtdm_stats(const struct vtdm *m);

/** vtdm_cache_count() - entries that a cache holds */
size_t vtdm_cache_count(struct vtdm *m, enum vtdm_cache cache);

/**
 * vtdm_context_cached() - is a context entry of @sid held, good or faulting?
 * @m: unit
 * @sid: requester
 * @did: its domain id, if held; may be NULL
 */
bool vtdm_context_cached(struct vtdm *m, uint16_t sid, uint16_t *did);

/**
 * vtdm_iotlb_cached() - is a translation of @iova in domain @did held?
 * @m: unit
 * @did: domain id
 * @iova: any address in the page
 * @paddr: where it leads to, if held; may be NULL
 */
bool vtdm_iotlb_cached(struct vtdm *m, uint16_t did, uint64_t iova,
		       uint64_t *paddr);

/** vtdm_holds() - would @sid's access to @iova be served from the caches? */
bool vtdm_holds(struct vtdm *m, uint16_t sid, uint64_t iova);

/**
 * vtdm_violations() - how often software broke the protocol
 *
 * Return: the number, also beyond those whose text was kept.
 */
size_t vtdm_violations(const struct vtdm *m);
/** vtdm_violation() - text of number @index from 0; NULL if not kept */
const char *vtdm_violation(const struct vtdm *m, size_t index);
/** vtdm_violations_clear() - forget them */
void vtdm_violations_clear(struct vtdm *m);

#endif /* VTDM_H */
