// SPDX-License-Identifier: MIT
/*
 * The main story on the software VT-d: firmware's table in, every device
 * confined, DMA through mappings, a rogue device stopped and named.
 *
 *	uiommu-user-demo [no-queue] [caching] [noncoherent] [write-buffer]
 *
 * Each word takes a capability away from the unit, or burdens it with one; so
 * the fallbacks can be seen that QEMU's unit never needs.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/dma.h>

#include "demo.h"

#define DEMO_ACS                                                      \
	(UIOMMU_ACS_SOURCE_VALIDATION | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)

#define DEMO_SID(bus, dev, fn)                                \
	{                                                     \
		0, (uint16_t)((bus) << 8 | (dev) << 3 | (fn)) \
	}

#define RESERVE_FIRST 0x7e000000ull
#define RESERVE_SIZE 0x4000u

/* clang-format off */
static const struct user_function demo_functions[] = {
	{ .sid = DEMO_SID(0, 0, 0), .vendor = 0x8086, .device = 0x29c0,
	  .class_code = 0x060000, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
	{ .sid = DEMO_SID(0, 2, 0), .vendor = 0x1234, .device = 0x11e8,
	  .class_code = 0x00ff00, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
	{ .sid = DEMO_SID(0, 3, 0), .vendor = 0x1234, .device = 0x11e8,
	  .class_code = 0x00ff00, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
	{ .sid = DEMO_SID(0, 4, 0), .vendor = 0x1b36, .device = 0x000c,
	  .class_code = 0x060400, .header_type = 1, .secondary = 1,
	  .subordinate = 1, .pcie_type = UIOMMU_PCIE_ROOT_PORT,
	  .acs = DEMO_ACS },
	{ .sid = DEMO_SID(0, 5, 0), .vendor = 0x1b36, .device = 0x000c,
	  .class_code = 0x060400, .header_type = 1, .secondary = 2,
	  .subordinate = 3, .pcie_type = UIOMMU_PCIE_ROOT_PORT,
	  .acs = DEMO_ACS },
	{ .sid = DEMO_SID(1, 0, 0), .vendor = 0x1b36, .device = 0x0010,
	  .class_code = 0x010802, .pcie_type = UIOMMU_PCIE_ENDPOINT },
	{ .sid = DEMO_SID(2, 0, 0), .vendor = 0x1b36, .device = 0x000e,
	  .class_code = 0x060400, .header_type = 1, .secondary = 3,
	  .subordinate = 3, .pcie_type = UIOMMU_PCIE_TO_PCI_BRIDGE },
	{ .sid = DEMO_SID(3, 1, 0), .vendor = 0x1234, .device = 0x11e8,
	  .class_code = 0x00ff00, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
	{ .sid = DEMO_SID(3, 2, 0), .vendor = 0x1b36, .device = 0x0005,
	  .class_code = 0x00ff00, .pcie_type = UIOMMU_PCI_CONVENTIONAL },
};
/* clang-format on */

static const struct uiommu_sid keeper = DEMO_SID(0, 2, 0);
static const struct uiommu_sid rogue = DEMO_SID(0, 3, 0);
static const struct uiommu_sid disk = DEMO_SID(1, 0, 0);
static const struct uiommu_sid behind = DEMO_SID(3, 1, 0);
static const struct uiommu_sid bridge = DEMO_SID(3, 0, 0); /* its requests */

void demo_check(struct demo *d, bool ok, const char *fmt, ...)
{
	va_list args;

	printf("  %s: ", ok ? "ok" : "NOT OK");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	d->passed += ok;
	d->failed += !ok;
}

static bool demo_option(struct demo *d, const char *word)
{
	struct vtdm_config *unit = &d->config.units[0].model;

	if (!strcmp(word, "no-queue")) {
		unit->qi = false;
	} else if (!strcmp(word, "caching")) {
		unit->cm = true;
	} else if (!strcmp(word, "noncoherent")) {
		unit->c = false;
		d->config.memory.noncoherent = true;
	} else if (!strcmp(word, "write-buffer")) {
		unit->rwbf = true;
		d->config.memory.buffered = true;
	} else {
		return false;
	}
	return true;
}

/* Is the region that firmware reserved within the keeper's reach right now? */
static void demo_keep(struct demo *d)
{
	uint8_t *memory = vtdm_mem_ptr(d->host->mem, RESERVE_FIRST);
	uint8_t byte = (uint8_t)(d->kept + 1);

	if (!memory ||
	    user_dma(d->host, keeper, RESERVE_FIRST, true, &byte, 1) !=
		    VTDM_OK ||
	    *memory != byte)
		d->lost++;
	d->kept++;
}

static bool demo_start(struct demo *d)
{
	struct uiommu_config config = { .dmar = d->dmar.bytes,
					.dmar_size = d->dmar.size };
	int err = uiommu_create(d->host, &config, &d->uiommu);

	demo_check(d, !err, "create: %s", uiommu_strerror(err));
	if (err)
		return false;
	demo_keep(d);
	err = uiommu_scan_pci(d->uiommu, 0, 0, 3);
	demo_check(d, !err, "scan: %s", uiommu_strerror(err));
	if (!err) {
		err = uiommu_start(d->uiommu);
		demo_check(d, !err, "start: %s", uiommu_strerror(err));
	}
	demo_keep(d);
	return !err;
}

/* The device's driver comes. */
static struct uiommu_device *demo_driver(struct demo *d, struct uiommu_sid sid)
{
	struct uiommu_device *device = uiommu_device_find(d->uiommu, sid);
	int err = uiommu_device_use(device);

	if (err)
		demo_check(d, false, "use: %s", uiommu_strerror(err));
	return device;
}

/* Memory goes to a device and comes back changed, through a mapping. */
static void demo_copy(struct demo *d, struct uiommu_sid sid,
		      struct uiommu_sid as, uint64_t mask)
{
	struct uiommu_device *device = demo_driver(d, sid);
	struct vtdm *unit = user_unit_of(d->host, sid);
	uint8_t inside[8192];
	uint64_t paddr, iova;
	uint8_t *buffer = vtdm_mem_alloc(d->host->mem, 8192, 0, &paddr);
	bool ok = uiommu_device_set_dma_mask(device, mask) == UIOMMU_OK;

	for (unsigned int i = 0; i < 8192; i++)
		buffer[i] = (uint8_t)(i * 7);
	ok = ok && !uiommu_dma_map(device, paddr, 8192,
				   UIOMMU_DMA_BIDIRECTIONAL, &iova);
	ok = ok && iova + 8191 <= mask;
	ok = ok && !vtdm_dma(unit, as.rid, iova, false, inside, 8192) &&
	     !memcmp(inside, buffer, 8192);
	for (unsigned int i = 0; ok && i < 8192; i++)
		inside[i] = (uint8_t)~inside[i];
	ok = ok && !vtdm_dma(unit, as.rid, iova, true, inside, 8192) &&
	     !memcmp(inside, buffer, 8192);
	demo_check(d, ok,
		   "%02x:%02x.%u copies 8 KiB both ways through %llx "
		   "(memory at %llx)",
		   UIOMMU_SID_BUS(sid), UIOMMU_SID_DEV(sid), UIOMMU_SID_FN(sid),
		   (unsigned long long)iova, (unsigned long long)paddr);
	ok = ok && !uiommu_dma_unmap(device, iova, 8192);
	ok = ok && vtdm_dma(unit, as.rid, iova, false, inside, 1) != VTDM_OK;
	demo_check(d, ok, "and no more after unmap");
	uiommu_device_unuse(device);
	vtdm_mem_free(d->host->mem, buffer, 8192);
	demo_keep(d);
}

static void demo_scattered(struct demo *d)
{
	struct uiommu_device *device = demo_driver(d, disk);
	struct uiommu_sg sg[8];
	uint8_t *pages[8];
	uint8_t data[8 * 4096];
	uint32_t segments = 0;
	bool ok;

	for (unsigned int i = 0; i < 8; i++) {
		pages[i] = vtdm_mem_alloc(d->host->mem, 4096, 0, &sg[i].paddr);
		sg[i].size = 4096;
	}
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i >> 8 ^ i);
	ok = !uiommu_dma_map_sg(device, sg, 8, UIOMMU_DMA_FROM_DEVICE,
				&segments) &&
	     segments == 1;
	ok = ok &&
	     !user_dma(d->host, disk, sg[0].iova, true, data, sizeof(data));
	for (unsigned int i = 0; i < 8; i++)
		ok = ok && !memcmp(pages[i], data + i * 4096, 4096);
	demo_check(d, ok, "01:00.0 fills 8 scattered pages as %u segment",
		   segments);
	ok = user_dma(d->host, disk, sg[0].iova, false, data, 1) ==
	     VTDM_FR_READ;
	demo_check(d, ok, "01:00.0 may not read what it may only write");
	ok = !uiommu_dma_unmap_sg(device, sg, 8);
	uiommu_device_unuse(device);
	demo_check(d, ok, "8 pages taken back with one invalidation");
	for (unsigned int i = 0; i < 8; i++)
		vtdm_mem_free(d->host->mem, pages[i], 4096);
	demo_keep(d);
}

static void demo_coherent(struct demo *d)
{
	struct uiommu_device *device = demo_driver(d, disk);
	uint64_t iova;
	uint8_t byte = 0x5a;
	uint8_t *ring;
	int err = uiommu_dma_alloc(device, 12288, (void **)&ring, &iova);
	bool ok = !err &&
		  !user_dma(d->host, disk, iova + 12287, true, &byte, 1);

	demo_check(d, ok && ring[12287] == 0x5a,
		   "01:00.0 shares 12 KiB with the CPU");
	if (!err)
		err = uiommu_dma_free(device, 12288, ring, iova);
	uiommu_device_unuse(device);
	demo_check(d, !err, "and gives them back");
}

/* The victim is unchanged, and the host is told who, where and why. */
static void demo_rogue(struct demo *d, bool write, uint64_t address,
		       const uint8_t *victim, const char *what)
{
	uint8_t bytes[16] = { 0xee };
	uint8_t before = victim ? *victim : 0;
	enum vtdm_result result;
	const struct uiommu_event *event;

	/* A look at what was before, not to be taken for what follows. */
	uiommu_poll_faults(d->uiommu);
	user_tick(d->host, 6000000000ull);
	d->host->event_count = 0;
	result = user_dma(d->host, rogue, address, write, bytes, 16);
	demo_check(d, result != VTDM_OK && (!victim || *victim == before),
		   "00:03.0 is stopped: %s", what);
	uiommu_poll_faults(d->uiommu);
	event = user_event(d->host, UIOMMU_EVENT_FAULT);
	if (!event) {
		demo_check(d, false, "the fault was reported");
		return;
	}
	demo_check(d,
		   event->sid.rid == rogue.rid &&
			   event->address == (address & ~0xfffull) &&
			   event->access == (write ? UIOMMU_ACCESS_WRITE
						   : UIOMMU_ACCESS_READ) &&
			   event->reason == (unsigned int)result,
		   "the host is told: %02x:%02x.%u, %s of %llx, reason %x: %s",
		   UIOMMU_SID_BUS(event->sid), UIOMMU_SID_DEV(event->sid),
		   UIOMMU_SID_FN(event->sid),
		   event->access == UIOMMU_ACCESS_WRITE ? "write" : "read",
		   (unsigned long long)event->address, event->reason,
		   event->text);
	demo_keep(d);
}

static void demo_rogues(struct demo *d)
{
	struct uiommu_device *device = demo_driver(d, rogue);
	struct uiommu_device *other = demo_driver(d, disk);
	uint64_t paddr, iova;
	uint8_t *victim = vtdm_mem_alloc(d->host->mem, 4096, 0, &paddr);
	int err;

	demo_rogue(d, true, paddr, victim,
		   "it writes to memory by its address");
	demo_rogue(d, false, paddr, victim, "it reads memory by its address");
	err = uiommu_dma_map(other, paddr, 4096, UIOMMU_DMA_BIDIRECTIONAL,
			     &iova);
	demo_check(d, !err, "01:00.0 maps the memory");
	demo_rogue(d, true, iova, victim, "it uses another device's mapping");
	err = err ? err : uiommu_dma_unmap(other, iova, 4096);
	err = err ? err
		  : uiommu_dma_map(device, paddr, 4096,
				   UIOMMU_DMA_BIDIRECTIONAL, &iova);
	if (!err)
		err = (int)user_dma(d->host, rogue, iova, true, &paddr, 8);
	demo_check(d, !err, "00:03.0 reaches the memory while it is mapped");
	err = err ? err : uiommu_dma_unmap(device, iova, 4096);
	demo_rogue(d, true, iova, victim, "it uses a mapping after unmap");
	uiommu_device_unuse(device);
	uiommu_device_unuse(other);
	vtdm_mem_free(d->host->mem, victim, 4096);
}

/* A user-space driver's domain: it decides the addresses. */
static void demo_unmanaged(struct demo *d)
{
	struct uiommu_group *group = uiommu_device_group(
		uiommu_device_find(d->uiommu, rogue));
	struct uiommu_range range = { 0, 4095 };
	struct uiommu_domain *domain;
	uint64_t paddr;
	uint8_t *page = vtdm_mem_alloc(d->host->mem, 4096, 0, &paddr);
	uint8_t byte = 0x77;
	bool ok = !uiommu_domain_create(&group, 1, &domain);

	ok = ok && !uiommu_domain_map(domain, range, paddr, 3);
	ok = ok && !uiommu_group_claim(group, d);
	ok = ok && !uiommu_group_attach(group, d, domain);
	ok = ok && !user_dma(d->host, rogue, 5, true, &byte, 1);
	demo_check(d, ok && page[5] == 0x77,
		   "00:03.0 in an unmanaged domain writes at address 5");
	ok = !uiommu_group_release(group, d) &&
	     !uiommu_domain_put(d->uiommu, domain);
	demo_check(d, ok, "and is back in its default domain");
	ok = uiommu_group_claim(
		     uiommu_device_group(uiommu_device_find(d->uiommu, keeper)),
		     d) == UIOMMU_EPERM;
	demo_check(d, ok, "00:02.0 cannot be claimed: firmware's region");
	vtdm_mem_free(d->host->mem, page, 4096);
	demo_keep(d);
}

static void demo_run(struct demo *d)
{
	demo_show_units(d);
	demo_show_devices(d);
	demo_copy(d, rogue, rogue, 0x0fffffff);
	demo_copy(d, disk, disk, ~0ull);
	demo_copy(d, behind, bridge, 0xffffffff);
	demo_scattered(d);
	demo_coherent(d);
	demo_rogues(d);
	demo_unmanaged(d);
}

static void demo_end(struct demo *d)
{
	uiommu_stop(d->uiommu);
	demo_keep(d);
	uiommu_destroy(d->uiommu);
	demo_check(d, d->kept > 10 && d->lost == 0,
		   "00:02.0 reached its reserved region %u times of %u, from "
		   "before start until after stop",
		   d->kept - d->lost, d->kept);
	demo_check(d, !d->host->pages && !d->host->windows && !d->host->locks,
		   "every page, window and lock came back");
	demo_check(d, user_violations(d->host) == 0,
		   "the unit saw no breach of protocol");
}

int main(int argc, char **argv)
{
	static struct demo demo;
	struct demo *d = &demo;
	void *reserve;

	user_config_default(&d->config);
	d->config.functions = demo_functions;
	d->config.function_count = sizeof(demo_functions) /
				   sizeof(demo_functions[0]);
	for (int i = 1; i < argc; i++) {
		if (demo_option(d, argv[i]))
			continue;
		fprintf(stderr, "%s: no option '%s'\n", argv[0], argv[i]);
		return 2;
	}
	user_dmar_begin(&d->dmar, 39);
	user_dmar_unit(&d->dmar, 0, d->config.units[0].base, true);
	user_dmar_reserve(&d->dmar, 0, RESERVE_FIRST,
			  RESERVE_FIRST + RESERVE_SIZE - 1);
	user_dmar_scope(&d->dmar, UIOMMU_SCOPE_ENDPOINT, keeper);
	user_dmar_end(&d->dmar);
	d->host = user_host_create(&d->config);
	d->host->log = stdout;
	reserve = vtdm_mem_alloc_at(d->host->mem, RESERVE_FIRST, RESERVE_SIZE);
	if (demo_start(d))
		demo_run(d);
	demo_end(d);
	vtdm_mem_free(d->host->mem, reserve, RESERVE_SIZE);
	user_host_destroy(d->host);
	printf("uiommu: %u passed, %u failed\n", d->passed, d->failed);
	return d->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
