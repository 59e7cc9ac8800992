// SPDX-License-Identifier: MIT
/*
 * boot.S maps the first 4 GiB; what firmware put above (large 64-bit BARs)
 * is mapped here when somebody asks. The memory type ranges that firmware
 * set keep device registers uncached.
 */
#include "bare.h"

#define PTE_PRESENT 0x1u
#define PTE_WRITE 0x2u
#define PTE_UNCACHED 0x18u /* PWT, PCD */
#define PTE_LARGE 0x80u
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)
#define LARGE_SIZE (UINT64_C(1) << 21)

extern uint64_t boot_pml4[512];

static uint64_t *next_table(uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT)) {
		void *table = mem_alloc(0);

		if (!table)
			kernel_panic("no page for the CPU's tables");
		*entry = virt_to_phys(table) | PTE_PRESENT | PTE_WRITE;
	}
	return phys_to_virt(*entry & PTE_ADDRESS);
}

void *paging_map_device(uint64_t paddr, size_t size)
{
	uint64_t a = paddr & ~(LARGE_SIZE - 1);

	if (paddr + size <= UINT64_C(1) << 32)
		return phys_to_virt(paddr);
	if (paddr >> 47)
		kernel_panic("device address %lx out of reach", paddr);
	for (; a < paddr + size; a += LARGE_SIZE) {
		uint64_t *pdpt = next_table(&boot_pml4[a >> 39 & 511]);
		uint64_t *pd = next_table(&pdpt[a >> 30 & 511]);

		pd[a >> 21 & 511] = a | PTE_PRESENT | PTE_WRITE | PTE_UNCACHED |
				    PTE_LARGE;
	}
	return phys_to_virt(paddr);
}
