// SPDX-License-Identifier: MIT
/*
 * A disk through its domain: 16 MiB are read and their checksum compared with
 * the one the build computed; 1 MiB is written, forgotten, and read again.
 */
#include "demo.h"

#define MIB ((size_t)1 << 20)
#define READ_SIZE (16 * MIB)
#define WRITE_AT (16 * MIB) /* behind what the build filled */
#define WRITE_SIZE MIB
#define SCATTERED 32u

/* One transfer from or to @buffer, which is mapped for its duration only. */
static int disk_transfer(struct demo *d, bool write, size_t at, void *buffer,
			 size_t size)
{
	struct nvme *n = &d->nvme;
	struct uiommu_sg sg = { .paddr = virt_to_phys(buffer), .size = size };
	uint64_t block = at / n->block_size;
	int unmapped;
	int err = dma_map(&n->dma, buffer, size,
			  write ? UIOMMU_DMA_TO_DEVICE : UIOMMU_DMA_FROM_DEVICE,
			  &sg.iova);

	if (err)
		return err;
	sg.iova_size = size;
	err = write ? nvme_write(n, block, &sg, 1)
		    : nvme_read(n, block, &sg, 1);
	unmapped = dma_unmap(&n->dma, sg.iova, size);
	return err ? err : unmapped;
}

static int disk_transfer_all(struct demo *d, bool write, size_t at,
			     char *buffer, size_t size)
{
	for (size_t done = 0; done < size; done += NVME_MAX_TRANSFER) {
		int err = disk_transfer(d, write, at + done, buffer + done,
					NVME_MAX_TRANSFER);

		if (err)
			return err;
	}
	return 0;
}

void demo_nvme_read(struct demo *d)
{
	uint32_t want = (uint32_t)boot_number("disk-crc", 0);
	unsigned int order = mem_order(NVME_MAX_TRANSFER);
	char *buffer = mem_alloc(order);
	uint32_t crc = 0;
	int err = buffer ? 0 : UIOMMU_ENOMEM;

	for (size_t at = 0; !err && at < READ_SIZE; at += NVME_MAX_TRANSFER) {
		memset(buffer, 0xee, NVME_MAX_TRANSFER);
		err = disk_transfer(d, false, at, buffer, NVME_MAX_TRANSFER);
		crc = crc32(crc, buffer, NVME_MAX_TRANSFER);
		load_learn(&d->load, at, buffer, NVME_MAX_TRANSFER);
	}
	d->load.known = !err && crc == want;
	check(!err && crc == want,
	      "nvme: 16 MiB read, checksum %08x, expected %08x", crc, want);
	if (err)
		print("  nvme: %s\n", uiommu_strerror(err));
	if (buffer)
		mem_free(buffer, order);
}

static void disk_write_and_read(struct demo *d)
{
	unsigned int order = mem_order(WRITE_SIZE);
	char *buffer = mem_alloc(order);
	uint32_t crc;
	int err;

	if (!buffer) {
		check(false, "nvme: no memory for the write");
		return;
	}
	for (size_t i = 0; i < WRITE_SIZE; i += 8) {
		uint64_t v = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

		memcpy(buffer + i, &v, 8);
	}
	crc = crc32(0, buffer, WRITE_SIZE);
	err = disk_transfer_all(d, true, WRITE_AT, buffer, WRITE_SIZE);
	memset(buffer, 0, WRITE_SIZE);
	if (!err)
		err = disk_transfer_all(d, false, WRITE_AT, buffer, WRITE_SIZE);
	check(!err && crc32(0, buffer, WRITE_SIZE) == crc,
	      "nvme: 1 MiB written and read back");
	mem_free(buffer, order);
}

/* Read what was just written once more, into pages from all over memory. */
static void disk_read_scattered(struct demo *d)
{
	struct uiommu_sg sg[SCATTERED];
	char *pages = mem_alloc(mem_order(2 * SCATTERED * PAGE_SIZE));
	uint32_t segments = 0;
	bool same = true;
	int err;

	if (!pages) {
		check(false, "nvme: no memory for the list");
		return;
	}
	/* Every second page, backwards: nothing in the list is adjacent. */
	for (uint32_t i = 0; i < SCATTERED; i++)
		sg[i] = (struct uiommu_sg){
			.paddr = virt_to_phys(pages) +
				 2 * (SCATTERED - 1 - i) * PAGE_SIZE,
			.size = PAGE_SIZE,
		};
	err = dma_map_sg(&d->nvme.dma, sg, SCATTERED, UIOMMU_DMA_FROM_DEVICE,
			 &segments);
	if (!err) {
		err = nvme_read(&d->nvme, WRITE_AT / d->nvme.block_size, sg,
				segments);
		if (dma_unmap_sg(&d->nvme.dma, sg, SCATTERED))
			err = UIOMMU_EIO;
	}
	for (size_t i = 0; i < (size_t)SCATTERED * PAGE_SIZE; i += 8) {
		uint64_t v = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		const char *p = phys_to_virt(sg[i / PAGE_SIZE].paddr);

		same = same && !memcmp(p + i % PAGE_SIZE, &v, 8);
	}
	check(!err && same,
	      "nvme: list of %u scattered pages, %u for the device", SCATTERED,
	      segments);
	mem_free(pages, mem_order(2 * SCATTERED * PAGE_SIZE));
}

void demo_nvme(struct demo *d)
{
	int err;

	print("\nnvme: a disk through its domain\n");
	if (!nvme_probe(&d->nvme)) {
		check(false, "nvme: found");
		return;
	}
	err = dma_connect(&d->nvme.dma, d->uiommu);
	if (!err)
		err = nvme_start(&d->nvme);
	check(!err, "nvme: started, \"%s\", %lu blocks of %u bytes: %s",
	      d->nvme.model, d->nvme.blocks, d->nvme.block_size,
	      uiommu_strerror(err));
	if (err)
		return;
	d->has_nvme = true;
	demo_nvme_read(d);
	disk_write_and_read(d);
	disk_read_scattered(d);
}
