// SPDX-License-Identifier: MIT
/*
 * The reference kernel: comes up, hands its devices to uIOMMU, lets drivers do
 * their work and one device misbehave, and ends with a verdict.
 */
#include "demo.h"

#define WATCHDOG_SECONDS 55u

static struct demo demo;

void kernel_main(uint32_t start_info);

void cpu_relax(void)
{
	__asm__ volatile("pause");
}

/* Another DMAR as boot module stands in for the firmware's. */
static void use_module(void)
{
	const char *m = boot_info.module;

	if (!m)
		return;
	if (boot_info.module_size < 36 || !str_equal(m, "DMAR", 4))
		kernel_panic("the boot module is no DMAR table");
	acpi_replace(m, boot_info.module_size);
	print("acpi: the boot module replaces the DMAR, %zu bytes\n",
	      boot_info.module_size);
}

static int iommu_start(struct demo *d)
{
	struct uiommu_config config = { 0 };
	int err;

	config.dmar = acpi_find("DMAR", &config.dmar_size);
	if (d->passthrough)
		config.options.passthrough = UIOMMU_CHOICE_YES;
	err = uiommu_create(&d->host, &config, &d->uiommu);
	if (err)
		return err;
	err = uiommu_scan_pci(d->uiommu, 0, 0, pci_last_bus());
	if (err)
		return err;
	/* The device with the RMRR is at work already, as firmware's are. */
	demo_rmrr_begin(d);
	return uiommu_start(d->uiommu);
}

static void iommu_stop(struct demo *d, size_t free_before)
{
	/* Devices first: afterwards nothing holds them any more. */
	if (d->has_net)
		e1000e_stop(&d->net);
	if (d->has_nvme)
		nvme_stop(&d->nvme);
	uiommu_stop(d->uiommu);
	demo_rmrr_end(d);
	uiommu_destroy(d->uiommu);
	check(mem_free_pages() == free_before && d->host.pages == 0 &&
		      d->host.windows == 0,
	      "end: every page and register window came back (%ld pages off)",
	      (long)(free_before - mem_free_pages()));
}

static void run_demo(struct demo *d)
{
	size_t free_before = mem_free_pages();
	int err = 0;

	d->host.loudest = UIOMMU_LOG_INFO;
	d->passthrough = boot_flag("passthrough");
	if (!boot_flag("iommu=off")) {
		err = iommu_start(d);
		check(!err, "uiommu: started: %s", uiommu_strerror(err));
	}
	if (!err) {
		demo_nvme(d);
		demo_net(d);
	}
	iommu_stop(d, free_before);
}

void kernel_main(uint32_t start_info)
{
	console_init();
	print("\nuIOMMU's reference kernel\n");
	trap_init();
	boot_read(start_info);
	time_init();
	watchdog_start(WATCHDOG_SECONDS);
	print("memory: %zu pages of 4 KiB\n", mem_total_pages());
	use_module();
	pci_init();
	run_demo(&demo);
	kernel_exit(check_summary());
}
