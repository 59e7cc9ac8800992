// SPDX-License-Identifier: MIT
#include <uiommu/host.h>
#include <uiommu/types.h>

#include "conformance.h"

/* Offsets of the VT-d version and capability registers. */
#define CONF_REG_VERSION 0x00u
#define CONF_REG_CAPABILITY 0x08u

#define CONF_PAGES 16u
#define CONF_CLOCK_READS 10000000u

/* A check returns NULL, or what is wrong. */
typedef const char *(*conf_check)(struct uiommu_host *host,
				  const struct uiommu_conformance *machine);

static const char conf_skipped[] = "skipped";

static const char *conf_clock(struct uiommu_host *host,
			      const struct uiommu_conformance *machine)
{
	uint64_t first = uiommu_host_now_ns(host);
	uint64_t before = first;
	unsigned int i;

	(void)machine;
	for (i = 0; i < CONF_CLOCK_READS; i++) {
		uint64_t now = uiommu_host_now_ns(host);

		if (now < before)
			return "uiommu_host_now_ns() went backwards";
		if (now - first > 1000000)
			return NULL;
		before = now;
		uiommu_host_relax(host);
	}
	return "uiommu_host_now_ns() does not advance while polling";
}

static bool conf_filled(const uint8_t *bytes, size_t size, uint8_t value)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static const char *conf_page_shape(struct uiommu_host *host,
				   const struct uiommu_conformance *machine)
{
	size_t size;

	(void)machine;
	for (size = 4096; size <= 65536; size *= 2) {
		uiommu_paddr_t paddr = 1;
		uint8_t *page = uiommu_host_page_alloc(host, size, 0, &paddr);
		bool aligned, zero;

		if (!page)
			return "uiommu_host_page_alloc() gave no memory";
		aligned = ((uintptr_t)page & 4095u) == 0 &&
			  (paddr & (size - 1)) == 0;
		zero = conf_filled(page, size, 0);
		memset(page, 0xa5, size);
		uiommu_host_page_free(host, page, size);
		if (!aligned)
			return "page or its physical address is not aligned";
		if (!zero)
			return "memory is not zeroed";
	}
	return NULL;
}

static const char *conf_page_apart(struct uiommu_host *host,
				   const struct uiommu_conformance *machine)
{
	uint8_t *pages[CONF_PAGES];
	const char *wrong = NULL;
	uiommu_paddr_t paddr;
	unsigned int n, i;

	(void)machine;
	for (n = 0; n < CONF_PAGES; n++) {
		pages[n] = uiommu_host_page_alloc(host, 4096,
						  UIOMMU_ALLOC_ATOMIC, &paddr);
		if (!pages[n]) {
			wrong = "no memory for 16 pages without sleeping";
			break;
		}
		if (!conf_filled(pages[n], 4096, 0))
			wrong = "a page that was used before is not zeroed";
		memset(pages[n], (int)n + 1, 4096);
	}
	for (i = 0; i < n; i++)
		if (!conf_filled(pages[i], 4096, (uint8_t)(i + 1)))
			wrong = "two pages share memory";
	while (n)
		uiommu_host_page_free(host, pages[--n], 4096);
	return wrong;
}

static const char *conf_page_refused(struct uiommu_host *host,
				     const struct uiommu_conformance *machine)
{
	size_t size = (SIZE_MAX >> 1) + 1; /* the largest power of two */
	uiommu_paddr_t paddr = 1;

	(void)machine;
	if (uiommu_host_page_alloc(host, size, 0, &paddr))
		return "half of the address space was given out";
	if (paddr != 1)
		return "the physical address was stored without a page";
	return NULL;
}

static const char *conf_clean(struct uiommu_host *host,
			      const struct uiommu_conformance *machine)
{
	uiommu_paddr_t paddr;
	uint8_t *page = uiommu_host_page_alloc(host, 4096, 0, &paddr);
	bool kept;

	(void)machine;
	if (!page)
		return "no memory";
	memset(page, 0x5a, 4096);
	uiommu_host_cache_clean(host, page + 3, 1);
	uiommu_host_cache_clean(host, page, 4096);
	kept = conf_filled(page, 4096, 0x5a);
	uiommu_host_page_free(host, page, 4096);
	return kept ? NULL : "uiommu_host_cache_clean() changed the memory";
}

/* What a walker sees in between no test of memory can tell. */
static const char *conf_store128(struct uiommu_host *host,
				 const struct uiommu_conformance *machine)
{
	const uint64_t ones = ~(uint64_t)0;
	uiommu_paddr_t paddr;
	uint64_t *page = uiommu_host_page_alloc(host, 4096, 0, &paddr);
	bool done, first, second, others;

	(void)machine;
	if (!page)
		return "no memory";
	memset(page, 0xff, 4096);
	done = uiommu_host_store128(host, page + 4, 1, 2);
	first = page[4] == (done ? 1 : ones);
	second = page[5] == (done ? 2 : ones);
	others = conf_filled((uint8_t *)page, 32, 0xff) &&
		 conf_filled((uint8_t *)(page + 6), 4096 - 48, 0xff);
	uiommu_host_page_free(host, page, 4096);
	if (!done && !(first && second))
		return "uiommu_host_store128() stored and said that it cannot";
	if (!first || !second || !others)
		return "uiommu_host_store128() stored something else";
	return NULL;
}

static const char *conf_locks(struct uiommu_host *host,
			      const struct uiommu_conformance *machine)
{
	struct uiommu_lock *mutex = uiommu_host_lock_create(host,
							    UIOMMU_LOCK_MUTEX);
	struct uiommu_lock *spin = uiommu_host_lock_create(host,
							   UIOMMU_LOCK_SPIN);
	const char *wrong = "uiommu_host_lock_create() gave no lock";
	unsigned long outer, inner;

	(void)machine;
	if (mutex && spin) {
		outer = uiommu_host_lock_acquire(mutex);
		inner = uiommu_host_lock_acquire(spin);
		uiommu_host_lock_release(spin, inner);
		uiommu_host_lock_release(mutex, outer);
		wrong = mutex == spin ? "two locks are one" : NULL;
	}
	if (spin)
		uiommu_host_lock_destroy(host, spin);
	if (mutex)
		uiommu_host_lock_destroy(host, mutex);
	return wrong;
}

static const char *conf_mmio(struct uiommu_host *host,
			     const struct uiommu_conformance *machine)
{
	struct uiommu_mmio *mmio;
	uint64_t cap, halves;
	uint32_t version;

	if (!machine->unit)
		return conf_skipped;
	mmio = uiommu_host_mmio_map(host, machine->unit, 4096);
	if (!mmio)
		return "uiommu_host_mmio_map() refused the unit's registers";
	version = uiommu_host_mmio_read32(mmio, CONF_REG_VERSION);
	cap = uiommu_host_mmio_read64(mmio, CONF_REG_CAPABILITY);
	halves = uiommu_host_mmio_read32(mmio, CONF_REG_CAPABILITY + 4);
	halves = halves << 32 |
		 uiommu_host_mmio_read32(mmio, CONF_REG_CAPABILITY);
	uiommu_host_mmio_unmap(host, mmio, 4096);
	if (version == ~(uint32_t)0 || version == 0)
		return "no unit answers at that address";
	if (cap != halves)
		return "64-bit and 32-bit reads of one register differ";
	return NULL;
}

static const char *conf_pci(struct uiommu_host *host,
			    const struct uiommu_conformance *machine)
{
	if (!machine->pci)
		return conf_skipped;
	if ((uiommu_host_pci_read32(host, machine->present, 0) & 0xffffu) ==
	    0xffffu)
		return "the function that exists was not found";
	if (uiommu_host_pci_read32(host, machine->absent, 0) != ~(uint32_t)0)
		return "a function that does not exist is not all ones";
	return NULL;
}

#define CONF_LIMIT ((uiommu_paddr_t)0xffffffffu)

static const char *conf_low(struct uiommu_host *host,
			    const struct uiommu_conformance *machine)
{
	const char *wrong = conf_skipped;
	size_t size;

	(void)machine;
	for (size = 4096; size <= 65536; size *= 2) {
		uiommu_paddr_t paddr = 1;
		uint8_t *page = uiommu_host_low_page_alloc(
			host, size, CONF_LIMIT, 0, &paddr);
		bool aligned, zero;

		if (!page)
			return paddr == 1
				       ? wrong
				       : "the address was stored without pages";
		aligned = ((uintptr_t)page & 4095u) == 0 &&
			  (paddr & (size - 1)) == 0;
		zero = conf_filled(page, size, 0);
		memset(page, 0xa5, size);
		uiommu_host_page_free(host, page, size);
		if (!aligned)
			return "low pages are not aligned";
		if (!zero)
			return "low pages are not zeroed";
		if (paddr > CONF_LIMIT - (size - 1))
			return "low pages are beyond the limit";
		wrong = NULL;
	}
	/* The page at 0 is nobody's. */
	if (uiommu_host_low_page_alloc(host, 8192, 4095, 0,
				       &(uiommu_paddr_t){ 0 }))
		return "two pages were found within one";
	return wrong;
}

/* Over a page's end, at odd addresses; what is beside stays. */
static const char *conf_copy_pages(struct uiommu_host *host, uint8_t *there,
				   uiommu_paddr_t paddr, uint8_t *here)
{
	memset(there, 0x11, 8192);
	memset(here, 0x22, 8192);
	if (!uiommu_host_copy(host, paddr + 4093, here + 1, 7, true))
		return "uiommu_host_copy() does not reach a page of the host";
	if (!conf_filled(here + 1, 7, 0x11) || here[0] != 0x22 ||
	    !conf_filled(here + 8, 8184, 0x22) ||
	    !conf_filled(there, 8192, 0x11))
		return "uiommu_host_copy() to memory is wrong";
	memset(here, 0x33, 8192);
	if (!uiommu_host_copy(host, paddr + 4091, here + 5, 9, false))
		return "uiommu_host_copy() does not reach a page of the host";
	if (!conf_filled(there + 4091, 9, 0x33) ||
	    !conf_filled(there, 4091, 0x11) ||
	    !conf_filled(there + 4100, 4092, 0x11) ||
	    !conf_filled(here, 8192, 0x33))
		return "uiommu_host_copy() from memory is wrong";
	return NULL;
}

static const char *conf_copy(struct uiommu_host *host,
			     const struct uiommu_conformance *machine)
{
	uiommu_paddr_t paddr, low;
	uint8_t *here, *there;
	const char *wrong = "no memory";

	(void)machine;
	here = uiommu_host_low_page_alloc(host, 8192, CONF_LIMIT, 0, &low);
	if (!here)
		return conf_skipped;
	there = uiommu_host_page_alloc(host, 8192, 0, &paddr);
	if (there) {
		wrong = conf_copy_pages(host, there, paddr, here);
		uiommu_host_page_free(host, there, 8192);
	}
	uiommu_host_page_free(host, here, 8192);
	return wrong;
}

static const struct {
	const char *name;
	conf_check check;
} conf_checks[] = {
	{ "clock", conf_clock },
	{ "pages are aligned and zeroed", conf_page_shape },
	{ "pages do not overlap", conf_page_apart },
	{ "pages that cannot be are refused", conf_page_refused },
	{ "cleaning a cache keeps memory", conf_clean },
	{ "16 bytes at once", conf_store128 },
	{ "locks", conf_locks },
	{ "registers", conf_mmio },
	{ "PCI configuration space", conf_pci },
	{ "low pages", conf_low },
	{ "copies of memory", conf_copy },
};

/* "conformance: <name>: <verdict>" without a formatter of libc. */
static void conf_report(struct uiommu_host *host, const char *name,
			const char *verdict, bool ok)
{
	const char *parts[] = { "conformance: ", name, ": ", verdict };
	char line[160];
	size_t used = 0;
	size_t i, at;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (at = 0; parts[i][at] && used + 1 < sizeof(line); at++)
			line[used++] = parts[i][at];
	line[used] = '\0';
	uiommu_host_log(host, ok ? UIOMMU_LOG_INFO : UIOMMU_LOG_ERROR, line);
}

unsigned int uiommu_conformance(struct uiommu_host *host,
				const struct uiommu_conformance *machine)
{
	unsigned int failed = 0;
	size_t i;

	for (i = 0; i < sizeof(conf_checks) / sizeof(conf_checks[0]); i++) {
		const char *wrong = conf_checks[i].check(host, machine);
		bool ok = !wrong || wrong == conf_skipped;

		conf_report(host, conf_checks[i].name, wrong ? wrong : "ok",
			    ok);
		if (!ok)
			failed++;
	}
	return failed;
}
