// SPDX-License-Identifier: MIT
/*
 * What docs/porting.md promises: the ten functions of tier 1, with the
 * template's stand-ins for the rest, reach a blocked DMA. The machine is one
 * unit of the software model and one device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/uiommu.h>

#include "conformance.h"
#include "vtdm.h"
#include "vtdm_mem.h"

#define UNIT_BASE 0xfed90000u
#define DEVICE_RID 0x0008u /* 00:01.0 */

struct uiommu_host {
	struct vtdm_mem *mem;
	struct vtdm *unit;
	uint64_t now;
	char faults[256]; /* the last warning that names an access */
};

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	if (level <= UIOMMU_LOG_WARN)
		print_message("%s\n", line);
	if (strstr(line, "12345000"))
		strncpy(host->faults, line, sizeof(host->faults) - 1);
}

uint64_t uiommu_host_now_ns(struct uiommu_host *host)
{
	return host->now += 1000;
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	(void)flags;
	if (size > 1u << 24)
		return NULL;
	return vtdm_mem_alloc(host->mem, size, 0, paddr);
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	vtdm_mem_free(host->mem, page, size);
}

struct uiommu_mmio *uiommu_host_mmio_map(struct uiommu_host *host,
					 uiommu_paddr_t paddr, size_t size)
{
	if (paddr != UNIT_BASE || size > vtdm_reg_size(host->unit))
		return NULL;
	return (struct uiommu_mmio *)host->unit;
}

uint32_t uiommu_host_mmio_read32(struct uiommu_mmio *mmio, uint32_t offset)
{
	return vtdm_read32((struct vtdm *)mmio, offset);
}

uint64_t uiommu_host_mmio_read64(struct uiommu_mmio *mmio, uint32_t offset)
{
	return vtdm_read64((struct vtdm *)mmio, offset);
}

void uiommu_host_mmio_write32(struct uiommu_mmio *mmio, uint32_t offset,
			      uint32_t value)
{
	vtdm_write32((struct vtdm *)mmio, offset, value);
}

void uiommu_host_mmio_write64(struct uiommu_mmio *mmio, uint32_t offset,
			      uint64_t value)
{
	vtdm_write64((struct vtdm *)mmio, offset, value);
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	(void)host;
	if (sid.segment || sid.rid != DEVICE_RID)
		return ~(uint32_t)0;
	switch (offset) {
	case 0x00:
		return 0x11e81234;
	case 0x08:
		return 0x00ff0010;
	default:
		return 0;
	}
}

/* A header and one unit that covers all of segment 0. */
static size_t make_table(uint8_t *table)
{
	static const uint8_t bytes[64] = {
		[0] = 'D', 'M',	      'A',	'R',	  [4] = 64,    [8] = 1,
		[36] = 38, [50] = 16, [52] = 1, [57] = 0, [58] = 0xd9, 0xfe,
	};
	uint8_t sum = 0;

	memcpy(table, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		sum = (uint8_t)(sum + bytes[i]);
	table[9] = (uint8_t)(0 - sum);
	return sizeof(bytes);
}

static int setup(void **state)
{
	static struct uiommu_host host;
	struct vtdm_mem_config memory = { .haw = 39, .seed = 1 };
	struct vtdm_config config;

	memset(&host, 0, sizeof(host));
	host.mem = vtdm_mem_create(&memory);
	vtdm_config_default(&config);
	config.mem = &vtdm_mem_ops;
	config.mem_ctx = host.mem;
	host.unit = vtdm_create(&config);
	*state = &host;
	return host.mem && host.unit ? 0 : -1;
}

static int teardown(void **state)
{
	struct uiommu_host *host = *state;

	vtdm_destroy(host->unit);
	vtdm_mem_destroy(host->mem);
	return 0;
}

static void ten_functions_stop_a_dma(void **state)
{
	struct uiommu_host *host = *state;
	struct uiommu_config config = { 0 };
	struct uiommu_device *device;
	struct uiommu *uiommu;
	uiommu_paddr_t paddr;
	uiommu_iova_t iova;
	uint8_t table[64];
	char data[8] = "hello";
	char *page;

	config.dmar = table;
	config.dmar_size = make_table(table);
	assert_int_equal(uiommu_create(host, &config, &uiommu), UIOMMU_OK);
	assert_int_equal(uiommu_scan_pci(uiommu, 0, 0, 255), UIOMMU_OK);
	assert_int_equal(uiommu_start(uiommu), UIOMMU_OK);

	assert_int_not_equal(vtdm_dma(host->unit, DEVICE_RID, 0x12345000, true,
				      data, sizeof(data)),
			     VTDM_OK);
	assert_int_equal(uiommu_poll_faults(uiommu), 1);
	assert_non_null(strstr(host->faults, "0000:00:01.0"));
	assert_non_null(strstr(host->faults, "write"));

	page = vtdm_mem_alloc(host->mem, 4096, 0, &paddr);
	device = uiommu_device_find(uiommu,
				    (struct uiommu_sid){ .rid = DEVICE_RID });
	assert_non_null(device);
	assert_int_equal(uiommu_device_use(device), UIOMMU_OK);
	assert_int_equal(uiommu_dma_map(device, paddr, 4096,
					UIOMMU_DMA_FROM_DEVICE, &iova),
			 UIOMMU_OK);
	assert_int_equal(vtdm_dma(host->unit, DEVICE_RID, iova, true, data,
				  sizeof(data)),
			 VTDM_OK);
	assert_string_equal(page, "hello");
	assert_int_equal(uiommu_dma_unmap(device, iova, 4096), UIOMMU_OK);
	vtdm_mem_free(host->mem, page, 4096);

	uiommu_stop(uiommu);
	uiommu_destroy(uiommu);
	assert_int_equal(vtdm_mem_live(host->mem), 0);
	assert_int_equal(vtdm_violations(host->unit), 0);
	assert_int_equal(vtdm_mem_violations(host->mem), 0);
}

static void conformance_holds(void **state)
{
	struct uiommu_host *host = *state;
	struct uiommu_conformance machine = {
		.unit = UNIT_BASE,
		.pci = true,
		.present = { .rid = DEVICE_RID },
		.absent = { .rid = 0xfff8 },
	};

	assert_int_equal(uiommu_conformance(host, &machine), 0);
	assert_int_equal(vtdm_mem_live(host->mem), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ten_functions_stop_a_dma, setup,
						teardown),
		cmocka_unit_test_setup_teardown(conformance_holds, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
