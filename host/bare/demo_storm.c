// SPDX-License-Identifier: MIT
/*
 * A disk is told again and again to read into memory that is not mapped for
 * it. All faults are taken and counted, only the first few are told, and the
 * disk works as before when it gets proper orders.
 */
#include "demo.h"

#define STORM_FAULTS 40u /* more than are told in the library's interval */
#define STORM_COMMANDS 200u
#define TOLD_AT_MOST 10u
#define PERIOD_NS UINT64_C(5000000000)
#define ORDER_SIZE (4 * PAGE_SIZE)
#define SECRET 0x53

static uint64_t faults_so_far(struct demo *d)
{
	struct uiommu_unit_info u;
	uint64_t faults = 0;

	for (uint32_t i = 0; !uiommu_unit_info(d->uiommu, i, &u); i++)
		faults += u.faults;
	return faults;
}

static bool untouched(const char *p, size_t size)
{
	while (size--)
		if (*p++ != SECRET)
			return false;
	return true;
}

void demo_storm(struct demo *d)
{
	unsigned int order = mem_order(ORDER_SIZE);
	char *victim = mem_alloc(order);
	struct uiommu_sg bad = { .iova = virt_to_phys(victim),
				 .iova_size = ORDER_SIZE };
	uint64_t before = faults_so_far(d);
	uint64_t faults = 0;
	unsigned int lines = d->host.lines;
	unsigned int orders = 0;
	uint64_t began;
	unsigned int most;

	print("\nstorm: a device that faults without end\n");
	if (!victim || !d->has_nvme) {
		check(false, "storm: a disk and memory");
		return;
	}
	memset(victim, SECRET, ORDER_SIZE);
	d->host.event_count = 0;
	d->host.suspect = d->nvme.dma.bdf;
	began = time_ns();
	while (faults < STORM_FAULTS && orders < STORM_COMMANDS) {
		/* The disk may or may not notice that its data went nowhere. */
		(void)nvme_read(&d->nvme, 0, &bad, 1);
		(void)uiommu_poll_faults(d->uiommu);
		faults = faults_so_far(d) - before;
		orders++;
	}
	lines = d->host.lines - lines;
	check(faults >= STORM_FAULTS && untouched(victim, ORDER_SIZE),
	      "storm: %lu faults of %u orders, the memory is unharmed", faults,
	      orders);
	/* So many in each period, and a slow machine sees several. */
	most = TOLD_AT_MOST *
	       (1 + (unsigned int)((time_ns() - began) / PERIOD_NS));
	check(d->host.event_count >= 1 && d->host.event_count <= most &&
		      lines <= 2 * most,
	      "storm: %u of them told, %u lines logged", d->host.event_count,
	      lines);
	for (unsigned int i = 0; i < 16 && uiommu_poll_faults(d->uiommu); i++)
		;
	check(uiommu_poll_faults(d->uiommu) == 0,
	      "storm: every record was cleared");
	mem_free(victim, order);
	d->host.event_count = 0;
}
