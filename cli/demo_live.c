// SPDX-License-Identifier: MIT
/*
 * The library at work: brought up on the software VT-d for the built-in
 * machine, devices that read, write and are stopped, and taken down again.
 */
#include <string.h>

#include <uiommu/uiommu.h>
#include <vtdm.h>
#include <vtdm_mem.h>

#include "demo.h"
#include "out.h"
#include "study.h"
#include "words.h"

#define LIVE_SIZE 8192u
#define LIVE_LAST_BUS 14
#define LIVE_SECOND 1000000000ull
/* What firmware keeps for the storage controller, see demo_machine.c. */
#define LIVE_KEPT 0x8c5e0000u
#define LIVE_KEPT_SIZE 0x10000u

static const struct uiommu_sid live_card = { 0, 0x0301 };
static const struct uiommu_sid live_disk = { 0, 0x0800 };
static const struct uiommu_sid live_storage = { 0, 0x0c00 };

struct vtdm *demo_unit_create(unsigned int index, struct vtdm_mem *mem)
{
	struct vtdm_config config;

	vtdm_config_default(&config);
	config.pt = demo_units[index].passthrough;
	config.mem = &vtdm_mem_ops;
	config.mem_ctx = mem;
	return vtdm_create(&config);
}

static void *live_page_alloc(struct demo_live *live, size_t size,
			     uint64_t *paddr)
{
	void *page = vtdm_mem_alloc(live->mem, size, 0, paddr);

	if (page)
		live->pages += (uint32_t)(size / 4096);
	return page;
}

static void live_page_free(struct demo_live *live, void *page, size_t size)
{
	vtdm_mem_free(live->mem, page, size);
	live->pages -= (uint32_t)(size / 4096);
}

static void live_log(struct demo_live *live, const char *line)
{
	if (!live->event) /* that is explained instead */
		out_wrap(live->out, OUT_DIM, "      log: ", "%s", line);
}

/* One step of the account; what went wrong stays in the status. */
static bool live_step(struct demo_live *live, bool ok, const char *fmt, ...)
	UIOMMU_PRINTF(3, 4);

static bool live_step(struct demo_live *live, bool ok, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out_wrap(live->out, ok ? OUT_PLAIN : OUT_BAD, ok ? "  ok  " : "  NO  ",
		 "%s", text);
	live->failed |= !ok;
	return ok;
}

/* The unit that the plan has for a device. */
static struct vtdm *live_unit(struct demo_live *live, struct uiommu_sid sid)
{
	const struct study *study = live->study;
	uint32_t at = uiommu_topology_find(&study->machine->topology, sid);
	uint32_t record = study->plan.devices[at].unit;

	for (unsigned int i = 0; i < DEMO_UNITS; i++)
		if (record != UIOMMU_PLAN_NONE &&
		    study->machine->dmar.records[record].range.first ==
			    demo_units[i].base)
			return live->units[i];
	return live->units[0];
}

static bool live_dma(struct demo_live *live, struct uiommu_sid sid,
		     uint64_t address, bool write, void *bytes, size_t size)
{
	return vtdm_dma(live_unit(live, sid), sid.rid, address, write, bytes,
			size) == VTDM_OK;
}

/* In the form of Linux's own lines, and what it means. */
static void live_explain(struct demo_live *live, struct uiommu_sid sid,
			 const struct uiommu_event *event)
{
	const struct study *study = live->study;
	uint32_t at = uiommu_topology_find(&study->machine->topology, sid);
	uint32_t group = study->plan.devices[at].group;
	char model[200];

	words_model_short(study, at, model, sizeof(model));
	out_wrap(live->out, OUT_WARN, "      ",
		 "DMAR: [DMA %s NO_PASID] Request device [%02x:%02x.%u] fault "
		 "addr 0x%llx [fault reason 0x%02x] %s",
		 event->access == UIOMMU_ACCESS_WRITE ? "Write" : "Read",
		 UIOMMU_SID_BUS(event->sid), UIOMMU_SID_DEV(event->sid),
		 UIOMMU_SID_FN(event->sid), (unsigned long long)event->address,
		 event->reason, event->text);
	out_wrap(live->out, OUT_DIM, "      that is: ",
		 "%s, of group %s, tried to %s at 0x%llx where nothing is "
		 "mapped for it; the memory there was not touched",
		 model, study->labels[group],
		 event->access == UIOMMU_ACCESS_WRITE ? "write" : "read",
		 (unsigned long long)event->address);
}

/* The device must be stopped, and the host must be told of it. */
static void live_refused(struct demo_live *live, struct uiommu *uiommu,
			 struct uiommu_sid sid, uint64_t address, bool write,
			 const char *what)
{
	struct uiommu_event event = { .reason = 0 };
	uint8_t bytes[16] = { 0xee };
	bool stopped;

	live->told = false;
	live->event = &event;
	live->now += 10 * LIVE_SECOND; /* nothing of before holds it back */
	stopped = !live_dma(live, sid, address, write, bytes, sizeof(bytes));
	uiommu_poll_faults(uiommu);
	live->event = NULL;
	live_step(live,
		  stopped && live->told && event.sid.rid == sid.rid &&
			  event.address == (address & ~0xfffull),
		  "%s: stopped", what);
	if (live->told)
		live_explain(live, sid, &event);
}

static bool live_copies(struct demo_live *live, uint8_t *buffer, uint64_t iova)
{
	uint8_t inside[LIVE_SIZE];

	for (unsigned int i = 0; i < LIVE_SIZE; i++)
		buffer[i] = (uint8_t)(i * 7);
	if (!live_dma(live, live_card, iova, false, inside, LIVE_SIZE) ||
	    memcmp(inside, buffer, LIVE_SIZE))
		return false;
	for (unsigned int i = 0; i < LIVE_SIZE; i++)
		inside[i] = (uint8_t)~inside[i];
	return live_dma(live, live_card, iova, true, inside, LIVE_SIZE) &&
	       !memcmp(inside, buffer, LIVE_SIZE);
}

static void live_mapping(struct demo_live *live, struct uiommu *uiommu)
{
	struct uiommu_device *card = uiommu_device_find(uiommu, live_card);
	uint64_t paddr = 0, iova = 0;
	uint8_t *buffer = vtdm_mem_alloc(live->mem, LIVE_SIZE, 0, &paddr);
	uint8_t before;
	int err = !buffer || !card ? UIOMMU_ENOMEM : uiommu_device_use(card);

	if (!err)
		err = uiommu_dma_map(card, paddr, LIVE_SIZE,
				     UIOMMU_DMA_BIDIRECTIONAL, &iova);

	if (live_step(live, !err,
		      "map: the memory at 0x%llx is 0x%llx for network port "
		      "03:00.1, and for nobody else",
		      (unsigned long long)paddr, (unsigned long long)iova)) {
		live_step(live, live_copies(live, buffer, iova),
			  "03:00.1 reads its 8 KiB and writes them back");
		before = buffer[0];
		live_refused(live, uiommu, live_disk, iova, true,
			     "disk 08:00.0 writes to that address");
		live_refused(live, uiommu, live_card, paddr, true,
			     "03:00.1 writes to memory by its real address");
		err = uiommu_dma_unmap(card, iova, LIVE_SIZE);
		uiommu_device_unuse(card);
		live_step(live, !err, "unmap");
		live_refused(live, uiommu, live_card, iova, false,
			     "03:00.1 reads through what was its mapping");
		live_step(live, buffer[0] == before,
			  "and the memory is as it was");
	}
	vtdm_mem_free(live->mem, buffer, LIVE_SIZE);
}

static void live_kept(struct demo_live *live, const char *when)
{
	uint8_t *memory = vtdm_mem_ptr(live->mem, LIVE_KEPT);
	uint8_t byte = memory ? (uint8_t) ~*memory : 0;

	live_step(live,
		  memory &&
			  live_dma(live, live_storage, LIVE_KEPT, true, &byte,
				   1) &&
			  *memory == byte,
		  "0c:00.0 reaches the memory that firmware keeps for it, %s",
		  when);
}

static void live_run(struct demo_live *live)
{
	const struct machine *machine = live->study->machine;
	struct uiommu_config config = { .dmar = machine->table,
					.dmar_size = machine->table_size };
	struct uiommu *uiommu;
	int err = uiommu_create(&live->host, &config, &uiommu);

	if (!live_step(live, !err, "create: the table is read%s%s",
		       err ? ": " : "", err ? uiommu_strerror(err) : ""))
		return;
	live_kept(live, "before anything");
	err = uiommu_scan_pci(uiommu, 0, 0, LIVE_LAST_BUS);
	live_step(live, !err, "scan: %u functions",
		  uiommu_topology(uiommu)->count);
	if (!err)
		err = uiommu_start(uiommu);
	if (live_step(live, !err, "start: %u units translate",
		      err ? 0 : DEMO_UNITS)) {
		live_kept(live, "while all is confined");
		live_mapping(live, uiommu);
	}
	uiommu_stop(uiommu);
	live_kept(live, "after stop");
	uiommu_destroy(uiommu);
	live_step(live, !live->pages && !live->locks && !live->windows,
		  "stop: every page, lock and window came back");
}

bool demo_live(struct out *out, struct machine *machine,
	       const struct study *study)
{
	struct vtdm_mem_config config = { .haw = 39 };
	struct demo_live live = { .study = study, .out = out };
	void *kept = NULL;
	bool ready;

	live.host = (struct uiommu_host){ machine, &live, live_page_alloc,
					  live_page_free, live_log };
	live.mem = vtdm_mem_create(&config);
	ready = live.mem != NULL;
	if (ready)
		kept = vtdm_mem_alloc_at(live.mem, LIVE_KEPT, LIVE_KEPT_SIZE);
	for (unsigned int i = 0; ready && i < DEMO_UNITS; i++) {
		live.units[i] = demo_unit_create(i, live.mem);
		ready = live.units[i] != NULL;
	}
	out_say(out, OUT_HEAD,
		"The library at work on it, with units in "
		"software\n");
	if (live_step(&live, ready && kept, "a machine of memory and units"))
		live_run(&live);
	for (unsigned int i = 0; i < DEMO_UNITS; i++) {
		size_t bad = live.units[i] ? vtdm_violations(live.units[i]) : 0;

		if (bad)
			live_step(&live, false,
				  "unit %u saw %zu breaches of protocol", i,
				  bad);
		if (live.units[i])
			vtdm_destroy(live.units[i]);
	}
	if (kept)
		vtdm_mem_free(live.mem, kept, LIVE_KEPT_SIZE);
	if (live.mem && vtdm_mem_violations(live.mem))
		live_step(&live, false, "memory was used after it was freed");
	vtdm_mem_destroy(live.mem);
	return !live.failed;
}
