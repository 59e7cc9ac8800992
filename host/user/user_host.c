// SPDX-License-Identifier: MIT
/* The machine, and tier 1 of the host functions but PCI. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "user_int.h"

#define USER_MEMORY ((size_t)1 << 30) /* more than that nobody gets at once */
#define USER_CLOCK_STEP 50u	      /* ns each look at the clock takes */
#define USER_LOW_FIRST 0x100000ull
#define USER_LOW_LAST 0xbfffffffull /* devices are beyond */
#define USER_RELAX_STEP 1000u	    /* ns each turn of a polling loop takes */

struct uiommu_mmio {
	struct uiommu_host *host;
	struct vtdm *unit;
	size_t size;
};

void user_abort(const char *what)
{
	fprintf(stderr, "user host: %s\n", what);
	abort();
}

void user_config_default(struct user_config *config)
{
	memset(config, 0, sizeof(*config));
	config->unit_count = 1;
	for (unsigned int i = 0; i < USER_UNITS; i++) {
		config->units[i].base = 0xfed90000u + 0x10000u * i;
		vtdm_config_default(&config->units[i].model);
	}
}

static const struct vtdm_mem_ops *user_view(const struct user_unit_config *unit)
{
	static struct vtdm_mem_ops snooping;

	if (!unit->snoops)
		return &vtdm_mem_ops;
	snooping = vtdm_mem_ops;
	snooping.walk_read = vtdm_mem_ops.read;
	return &snooping;
}

struct uiommu_host *user_host_create(const struct user_config *config)
{
	struct uiommu_host *host = calloc(1, sizeof(*host));

	if (!host || pthread_mutex_init(&host->mutex, NULL))
		user_abort("no memory");
	host->config = *config;
	host->now = 1000000;
	host->low_next = USER_LOW_FIRST;
	host->mem = vtdm_mem_create(&config->memory);
	host->spaces = user_pci_create(config);
	for (unsigned int i = 0; i < config->unit_count; i++) {
		struct vtdm_config model = config->units[i].model;

		model.mem = user_view(&config->units[i]);
		model.mem_ctx = host->mem;
		host->units[i] = vtdm_create(&model);
		if (!host->units[i])
			user_abort("the model refuses its configuration");
	}
	if (!host->mem)
		user_abort("no memory");
	return host;
}

void user_host_destroy(struct uiommu_host *host)
{
	if (host->windows || host->locks)
		user_abort("destroyed with windows or locks in use");
	for (unsigned int i = 0; i < host->config.unit_count; i++)
		vtdm_destroy(host->units[i]);
	vtdm_mem_destroy(host->mem);
	free(host->spaces);
	pthread_mutex_destroy(&host->mutex);
	free(host);
}

void user_fail_at(struct uiommu_host *host, uint64_t nth)
{
	pthread_mutex_lock(&host->mutex);
	host->fail_first = nth ? host->calls + nth : 0;
	host->fail_last = host->fail_first;
	pthread_mutex_unlock(&host->mutex);
}

void user_fail_from(struct uiommu_host *host, uint64_t nth)
{
	pthread_mutex_lock(&host->mutex);
	host->fail_first = nth ? host->calls + nth : 0;
	host->fail_last = nth ? UINT64_MAX : 0;
	pthread_mutex_unlock(&host->mutex);
}

bool user_fails(struct uiommu_host *host)
{
	bool fails;

	pthread_mutex_lock(&host->mutex);
	host->calls++;
	fails = host->fail_first && host->calls >= host->fail_first &&
		host->calls <= host->fail_last;
	pthread_mutex_unlock(&host->mutex);
	return fails;
}

void user_count(struct uiommu_host *host, size_t *counter, long change)
{
	pthread_mutex_lock(&host->mutex);
	*counter += (size_t)change;
	pthread_mutex_unlock(&host->mutex);
}

void user_tick(struct uiommu_host *host, uint64_t ns)
{
	pthread_mutex_lock(&host->mutex);
	host->now += ns;
	pthread_mutex_unlock(&host->mutex);
	for (unsigned int i = 0; i < host->config.unit_count; i++)
		vtdm_tick(host->units[i], 1);
}

struct vtdm *user_unit_of(struct uiommu_host *host, struct uiommu_sid sid)
{
	const struct user_config *config = &host->config;

	for (unsigned int i = 0; i < config->function_count; i++)
		if (config->functions[i].sid.rid == sid.rid &&
		    config->functions[i].sid.segment == sid.segment)
			return host->units[config->functions[i].unit];
	return host->units[0];
}

enum vtdm_result user_dma(struct uiommu_host *host, struct uiommu_sid sid,
			  uint64_t address, bool write, void *buffer,
			  size_t size)
{
	return vtdm_dma(user_unit_of(host, sid), sid.rid, address, write,
			buffer, size);
}

size_t user_violations(struct uiommu_host *host)
{
	size_t count = vtdm_mem_violations(host->mem);
	const char *text;

	for (size_t i = 0; (text = vtdm_mem_violation(host->mem, i)); i++)
		fprintf(stderr, "violation: memory: %s\n", text);
	for (unsigned int u = 0; u < host->config.unit_count; u++) {
		count += vtdm_violations(host->units[u]);
		for (size_t i = 0; (text = vtdm_violation(host->units[u], i));
		     i++)
			fprintf(stderr, "violation: unit %u: %s\n", u, text);
	}
	return count;
}

bool user_logged(struct uiommu_host *host, const char *text)
{
	bool found = false;

	pthread_mutex_lock(&host->mutex);
	for (unsigned int i = 0; i < USER_LINES; i++)
		if (strstr(host->lines[i], text))
			found = true;
	pthread_mutex_unlock(&host->mutex);
	return found;
}

const struct uiommu_event *user_event(struct uiommu_host *host,
				      enum uiommu_event_kind kind)
{
	uint64_t at = host->event_count;

	for (unsigned int i = 0; i < USER_EVENTS && at; i++) {
		at--;
		if (host->events[at % USER_EVENTS].kind == kind)
			return &host->events[at % USER_EVENTS];
	}
	return NULL;
}

/* --- What the core calls --- */

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	static const char *const names[] = {
		[UIOMMU_LOG_ERROR] = "error",
		[UIOMMU_LOG_WARN] = "warning",
		[UIOMMU_LOG_INFO] = "info",
		[UIOMMU_LOG_DEBUG] = "debug",
	};

	if (strlen(line) > 255 || strchr(line, '\n'))
		user_abort("a log line is too long or has a line feed");
	pthread_mutex_lock(&host->mutex);
	strcpy(host->lines[host->line_count++ % USER_LINES], line);
	if (host->log && level != UIOMMU_LOG_DEBUG)
		fprintf(host->log, "[%s] %s\n", names[level], line);
	pthread_mutex_unlock(&host->mutex);
}

uint64_t uiommu_host_now_ns(struct uiommu_host *host)
{
	uint64_t now;

	pthread_mutex_lock(&host->mutex);
	now = host->now += USER_CLOCK_STEP;
	pthread_mutex_unlock(&host->mutex);
	return now;
}

static void user_model(struct uiommu_host *host, bool enter)
{
	if (host->on_model)
		host->on_model(enter);
}

void uiommu_host_relax(struct uiommu_host *host)
{
	user_model(host, true);
	user_tick(host, USER_RELAX_STEP);
	user_model(host, false);
}

static void user_check_alloc(size_t size, unsigned int flags)
{
	if (size < 4096 || (size & (size - 1)))
		user_abort("page_alloc: not a power of two of 4096 or more");
	if (flags & ~UIOMMU_ALLOC_ATOMIC)
		user_abort("page_alloc: unknown flag");
	if (!(flags & UIOMMU_ALLOC_ATOMIC))
		user_may_sleep("page_alloc without UIOMMU_ALLOC_ATOMIC");
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page;

	user_check_alloc(size, flags);
	if (user_fails(host))
		return NULL;
	if (host->atomic_fails && (flags & UIOMMU_ALLOC_ATOMIC))
		return NULL;
	if (size > USER_MEMORY)
		return NULL;
	page = vtdm_mem_alloc(host->mem, size, 0, paddr);
	if (page)
		user_count(host, &host->pages, (long)(size / 4096));
	return page;
}

/* Some way on from the last one: an address that was freed rests for a while. */
static void *low_pages(struct uiommu_host *host, size_t size, uint64_t limit,
		       uint64_t *paddr)
{
	uint64_t at, from;
	void *page;

	if (limit > USER_LOW_LAST)
		limit = USER_LOW_LAST;
	if (size - 1 > limit)
		return NULL;
	pthread_mutex_lock(&host->mutex);
	from = (host->low_next + size - 1) & ~(uint64_t)(size - 1);
	pthread_mutex_unlock(&host->mutex);
	for (int round = 0; round < 2; round++) {
		for (at = from; at <= limit - (size - 1); at += size) {
			page = vtdm_mem_alloc_at(host->mem, at, size);
			if (!page)
				continue;
			pthread_mutex_lock(&host->mutex);
			host->low_next = at + size;
			pthread_mutex_unlock(&host->mutex);
			*paddr = at;
			return page;
		}
		from = size > USER_LOW_FIRST ? size : USER_LOW_FIRST;
	}
	return NULL;
}

void *uiommu_host_low_page_alloc(struct uiommu_host *host, size_t size,
				 uiommu_paddr_t limit, unsigned int flags,
				 uiommu_paddr_t *paddr)
{
	void *page;

	user_check_alloc(size, flags);
	if (user_fails(host) || size > USER_MEMORY)
		return NULL;
	page = low_pages(host, size, limit, paddr);
	if (page)
		user_count(host, &host->pages, (long)(size / 4096));
	return page;
}

bool uiommu_host_copy(struct uiommu_host *host, uiommu_paddr_t paddr,
		      void *memory, size_t size, bool to_memory)
{
	uint64_t last = paddr + (size - 1);
	uint8_t *bytes = memory;
	uint64_t slot;

	if (!size || last < paddr)
		user_abort("copy: nothing, or it wraps");
	if (!vtdm_mem_paddr(host->mem, bytes, &slot) ||
	    !vtdm_mem_paddr(host->mem, bytes + size - 1, &slot))
		user_abort("copy: the memory is not the host's");
	if (user_fails(host))
		return false;
	for (uint64_t at = paddr & ~(uint64_t)4095; at <= last; at += 4096)
		if (!vtdm_mem_ptr(host->mem, at))
			return false;
	while (size) {
		size_t part = 4096 - (size_t)(paddr & 4095);
		void *there = vtdm_mem_ptr(host->mem, paddr);

		if (part > size)
			part = size;
		memcpy(to_memory ? bytes : there, to_memory ? there : bytes,
		       part);
		paddr += part;
		bytes += part;
		size -= part;
	}
	return true;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	if (!page)
		user_abort("page_free: NULL");
	vtdm_mem_free(host->mem, page, size);
	user_count(host, &host->pages, -(long)(size / 4096));
}

void uiommu_host_cache_clean(struct uiommu_host *host, const void *addr,
			     size_t size)
{
	if (!size)
		user_abort("cache_clean: nothing to clean");
	user_model(host, true);
	vtdm_mem_clean(host->mem, addr, size);
	user_model(host, false);
}

bool uiommu_host_store128(struct uiommu_host *host, void *addr, uint64_t first,
			  uint64_t second)
{
	if ((uintptr_t)addr & 15)
		user_abort("store128: not aligned");
	return !host->no_store128 && vtdm_mem_store128(addr, first, second);
}

struct uiommu_mmio *uiommu_host_mmio_map(struct uiommu_host *host,
					 uiommu_paddr_t paddr, size_t size)
{
	struct uiommu_mmio *mmio;

	user_may_sleep("mmio_map");
	if ((paddr | size) & 4095 || !size)
		user_abort("mmio_map: not whole pages");
	if (user_fails(host))
		return NULL;
	for (unsigned int i = 0; i < host->config.unit_count; i++) {
		if (host->config.units[i].base != paddr)
			continue;
		mmio = calloc(1, sizeof(*mmio));
		if (!mmio)
			return NULL;
		mmio->host = host;
		mmio->unit = host->units[i];
		mmio->size = size;
		user_count(host, &host->windows, 1);
		return mmio;
	}
	return NULL;
}

void uiommu_host_mmio_unmap(struct uiommu_host *host, struct uiommu_mmio *mmio,
			    size_t size)
{
	user_may_sleep("mmio_unmap");
	if (mmio->size != size || mmio->host != host)
		user_abort("mmio_unmap: not as it was mapped");
	user_count(host, &host->windows, -1);
	free(mmio);
}

static struct vtdm *mmio_unit(struct uiommu_mmio *mmio, uint32_t offset,
			      unsigned int width)
{
	if (offset & (width - 1) || offset + width > mmio->size)
		user_abort("mmio: misaligned, or outside of the window");
	if (mmio->host->on_mmio)
		mmio->host->on_mmio(mmio->host, mmio->host->on_mmio_context);
	user_model(mmio->host, true);
	return mmio->unit;
}

uint32_t uiommu_host_mmio_read32(struct uiommu_mmio *mmio, uint32_t offset)
{
	uint32_t value = vtdm_read32(mmio_unit(mmio, offset, 4), offset);

	user_model(mmio->host, false);
	return value;
}

uint64_t uiommu_host_mmio_read64(struct uiommu_mmio *mmio, uint32_t offset)
{
	uint64_t value = vtdm_read64(mmio_unit(mmio, offset, 8), offset);

	user_model(mmio->host, false);
	return value;
}

void uiommu_host_mmio_write32(struct uiommu_mmio *mmio, uint32_t offset,
			      uint32_t value)
{
	vtdm_write32(mmio_unit(mmio, offset, 4), offset, value);
	user_model(mmio->host, false);
}

void uiommu_host_mmio_write64(struct uiommu_mmio *mmio, uint32_t offset,
			      uint64_t value)
{
	vtdm_write64(mmio_unit(mmio, offset, 8), offset, value);
	user_model(mmio->host, false);
}

void uiommu_host_notify(struct uiommu_host *host,
			const struct uiommu_event *event)
{
	user_may_sleep("notify");
	pthread_mutex_lock(&host->mutex);
	host->events[host->event_count++ % USER_EVENTS] = *event;
	pthread_mutex_unlock(&host->mutex);
}

bool uiommu_host_pause(struct uiommu_host *host, struct uiommu_device *device)
{
	user_may_sleep("pause");
	host->pauses++;
	return host->on_pause && host->on_pause(host, device);
}

void uiommu_host_resume(struct uiommu_host *host, struct uiommu_device *device)
{
	user_may_sleep("resume");
	host->resumes++;
	if (host->on_resume)
		host->on_resume(host, device);
}
