// SPDX-License-Identifier: MIT
/* Units, as far as the core passes them on to people and hosts. */
#include <uiommu/error.h>
#include <uiommu/fault.h>

#include "base/format.h"
#include "core/object.h"

int uiommu_unit_info(struct uiommu *uiommu, uint32_t index,
		     struct uiommu_unit_info *info)
{
	struct uiommu_driver *driver = uiommu->driver;

	return driver->ops->unit_info(driver, index, info);
}

int uiommu_unit_set_fault_interrupt(struct uiommu *uiommu, uint32_t index,
				    uint64_t address, uint32_t data)
{
	struct uiommu_driver *driver = uiommu->driver;

	if (!uiommu_load(&uiommu->started) || uiommu->suspended)
		return UIOMMU_EBUSY;
	return driver->ops->set_fault_interrupt(driver, index, address, data);
}

unsigned int uiommu_poll_faults(struct uiommu *uiommu)
{
	struct uiommu_driver *driver = uiommu->driver;

	/* Without power its registers are all ones, and it is not broken. */
	if (!uiommu_load(&uiommu->started) || uiommu->suspended)
		return 0;
	return driver->ops->poll_faults(driver);
}

static const char *unit_pages(uint64_t page_sizes)
{
	if (page_sizes & UIOMMU_BIT64(30))
		return "4K 2M 1G";
	return page_sizes & UIOMMU_BIT64(21) ? "4K 2M" : "4K";
}

void uiommu_core_log_units(struct uiommu *uiommu)
{
	struct uiommu_unit_info info;
	uint32_t index;

	for (index = 0; !uiommu_unit_info(uiommu, index, &info); index++)
		uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
			   "unit %u at 0x%llx: version %u.%u, %u address bits, "
			   "%u levels, pages %s, %s, walks %s%s%s",
			   index, (unsigned long long)info.base,
			   info.version_major, info.version_minor,
			   info.address_bits, info.levels,
			   unit_pages(info.page_sizes),
			   info.queued ? "invalidation queue"
				       : "invalidation by register",
			   info.coherent ? "snoop" : "do not snoop",
			   info.passthrough ? ", pass-through" : "",
			   info.caching ? ", caching mode" : "");
}
