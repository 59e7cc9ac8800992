// SPDX-License-Identifier: MIT
/*
 * The reference kernel: comes up, hands its devices to uIOMMU, lets drivers do
 * their work and one device misbehave, and ends with a verdict.
 */
#include "bench.h"
#include "cost.h"
#include "demo.h"

#define WATCHDOG_SECONDS 55u

static struct demo demo;

void kernel_main(uint32_t start_info);

/* Every polling loop comes by here: the place for what goes on beside. */
void cpu_relax(void)
{
	__asm__ volatile("pause");
	cost_aside_begin();
	demo_rmrr_poll();
	load_poll(&demo.load);
	demo_inherit_poll();
	cost_aside_end();
}

/* Another DMAR as boot module stands in for the firmware's. */
static void use_module(void)
{
	if (!boot_info.dmar)
		return;
	acpi_replace(boot_info.dmar, boot_info.dmar_size);
	print("acpi: the boot module replaces the DMAR, %zu bytes\n",
	      boot_info.dmar_size);
}

/* Where the host bridge of a q35 ends to look for devices below 4 GiB. */
#define WINDOW_LAST UINT64_C(0xfebfffff)
#define RAM_RANGES 16u

/*
 * What devices may reach in identity on a unit without pass-through: the
 * memory map as it stands. A q35 sends what is above its low RAM to the buses;
 * a kernel with an AML interpreter would ask _CRS of the host bridge instead.
 */
static uint32_t tell_memory(struct uiommu_range ram[RAM_RANGES],
			    struct uiommu_window *window)
{
	uint32_t count = 0;

	*window = (struct uiommu_window){ 0, { 0, WINDOW_LAST } };
	for (; count < RAM_RANGES; count++) {
		struct uiommu_range *r = &ram[count];

		if (!mem_ram(count, &r->first, &r->last))
			break;
		if (r->last < WINDOW_LAST && r->last >= window->range.first)
			window->range.first = r->last + 1;
	}
	return count;
}

static int iommu_start(struct demo *d)
{
	struct uiommu_range ram[RAM_RANGES];
	struct uiommu_config config = { 0 };
	struct uiommu_window window;
	int err;

	config.ram = ram;
	config.ram_count = tell_memory(ram, &window);
	config.windows = &window;
	config.window_count = 1;
	config.dmar = acpi_find("DMAR", &config.dmar_size);
	if (d->passthrough)
		config.options.passthrough = UIOMMU_CHOICE_YES;
	if (d->crash || boot_flag("linux"))
		config.takeover = boot_flag("takeover-reset")
					  ? UIOMMU_TAKEOVER_RESET
					  : UIOMMU_TAKEOVER_ADOPT;
	config.takeover_block = boot_flag("takeover-block");
	if (boot_flag("no-isa"))
		config.options.isa_range = UIOMMU_CHOICE_NO;
	err = uiommu_create(&d->host, &config, &d->uiommu);
	if (err)
		return err;
	err = uiommu_scan_pci(d->uiommu, 0, 0, pci_last_bus());
	if (err)
		return err;
	/* The device with the RMRR is at work already, as firmware's are. */
	demo_rmrr_begin(d);
	demo_linux_begin(d);
	demo_inherit_found(d);
	err = uiommu_start(d->uiommu);
	demo_inherit_started(d);
	demo_linux_started(d);
	return err;
}

/* Which edu is for what is said by where it is. */
static void find_edus(struct demo *d)
{
	d->has_keeper = edu_init(&d->keeper, 0);
	d->has_rogue = edu_init(&d->rogue, 1);
	d->has_pair = edu_init(&d->pair[0], 2) && edu_init(&d->pair[1], 3);
	d->has_bridged = edu_init(&d->bridged, 4);
}

/*
 * What the library asks of a driver whose device is to get another domain. The
 * disk's knows how to stop and how to go on; others are no harm if refused.
 */
static bool pause_device(struct uiommu_device *device)
{
	bool paused;

	if (device != demo.nvme.dma.iommu || !demo.load.running)
		return false;
	cost_aside_begin();
	paused = !load_pause(&demo.load);
	cost_aside_end();
	return paused;
}

static void resume_device(struct uiommu_device *device)
{
	int err;

	(void)device;
	cost_aside_begin();
	err = load_resume(&demo.load, &demo.nvme);
	cost_aside_end();
	if (err)
		check(false, "load: goes on: %s", uiommu_strerror(err));
}

static void run_devices(struct demo *d)
{
	demo_nvme(d);
	if (boot_info.image) {
		demo_crash(d); /* comes back if it cannot */
		return;
	}
	demo_load(d);
	demo_change_begin(d);
	demo_net(d);
	demo_user(d);
	demo_edu(d);
	demo_hotplug(d);
	demo_change_end(d);
	if (!d->uiommu)
		return;
	demo_rogue(d);
	if (!d->passthrough) {
		demo_storm(d);
		demo_nvme_read(d);
	}
	check(uiommu_poll_faults(d->uiommu) == 0 && d->host.strangers == 0,
	      "end: no fault but those asked for");
}

static void stop_devices(struct demo *d)
{
	if (d->has_net)
		e1000e_stop(&d->net);
	if (d->has_nvme)
		nvme_stop(&d->nvme);
	pci_disable(d->rogue.dma.bdf);
	pci_disable(d->pair[0].dma.bdf);
	pci_disable(d->pair[1].dma.bdf);
	pci_disable(d->bridged.dma.bdf);
	dma_disconnect(&d->net.dma);
	dma_disconnect(&d->nvme.dma);
	dma_disconnect(&d->rogue.dma);
	dma_disconnect(&d->pair[0].dma);
	dma_disconnect(&d->pair[1].dma);
	dma_disconnect(&d->bridged.dma);
}

/* Figures instead of the demonstration; the device never does DMA. */
static void run_bench(struct demo *d)
{
	if (!nvme_probe(&d->nvme) || dma_connect(&d->nvme.dma, d->uiommu)) {
		check(false, "bench: a device to map for");
		return;
	}
	check(bench_run(d->nvme.dma.iommu), "bench: without an error");
}

static void run_demo(struct demo *d)
{
	size_t before = mem_free_pages();
	int err;

	find_edus(d);
	demo_inherit_begin(d);
	if (!boot_flag("iommu=off")) {
		print("\n");
		err = iommu_start(d);
		check(!err, "uiommu: started: %s", uiommu_strerror(err));
		if (err)
			goto out;
		demo_show_units(d);
		demo_show_devices(d);
	}
	if (d->uiommu && boot_flag("sleep")) {
		demo_sleep(d); /* in the end it lets go for good */
		return;
	}
	if (d->uiommu && boot_flag("bench"))
		run_bench(d);
	else if (d->crash)
		demo_inherit(d);
	else if (boot_flag("linux"))
		demo_linux(d);
	else
		run_devices(d);
	/* Devices fall silent first: afterwards nothing holds them. */
	stop_devices(d);
	demo_rmrr_translated_end();
out:
	if (d->uiommu)
		uiommu_stop(d->uiommu);
	demo_rmrr_end(d);
	uiommu_destroy(d->uiommu);
	check(mem_free_pages() == before && !d->host.pages && !d->host.windows,
	      "end: every page came back (%ld off) and every window",
	      (long)(before - mem_free_pages()));
}

/*
 * try=exception, try=hang, try=check: does a bad end end the run as bad? For
 * try=stray, try=own and try=live see crash.c.
 */
static void try_bad_end(void)
{
	const char *how = boot_option("try");

	/* The second kernel is to say what went wrong in the first. */
	if (!how || demo.crash)
		return;
	if (*how == 'e')
		__asm__ volatile("ud2");
	if (*how == 'h')
		for (;;)
			__asm__ volatile("pause");
	if (*how == 's' || *how == 'o' || *how == 'l')
		return;
	check(false, "try: a check that fails");
}

static void greet_second(const struct crash_handover *h)
{
	check_before(h->passed, h->failed);
	print("the second one, at %p in %lx-%lx; the first one is no more\n",
	      (void *)(uintptr_t)kernel_main, h->region.first, h->region.last);
}

void kernel_main(uint32_t start_info)
{
	console_init();
	print("\nuIOMMU's reference kernel\n");
	trap_init();
	boot_read(start_info);
	demo.crash = crash_handover();
	if (demo.crash)
		greet_second(demo.crash);
	time_init();
	watchdog_start((unsigned int)boot_number("watchdog", WATCHDOG_SECONDS));
	print("memory: %zu pages of 4 KiB\n", mem_total_pages());
	try_bad_end();
	use_module();
	pci_init();
	demo.host.loudest = UIOMMU_LOG_INFO;
	demo.host.pause = pause_device;
	demo.host.resume = resume_device;
	demo.passthrough = boot_flag("passthrough");
	run_demo(&demo);
	kernel_exit(check_summary());
}
