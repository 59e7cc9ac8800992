// SPDX-License-Identifier: MIT
#include <uiommu/error.h>

#include "vtd/vtd_iotlb.h"

/* Bits needed for @x: one more than the index of its highest set bit. */
static unsigned int vtd_iotlb_bits(uint64_t x)
{
	/* In halves: a 32-bit kernel has no function for the whole. */
	uint32_t high = (uint32_t)(x >> 32);
	uint32_t low = (uint32_t)x;

	if (high)
		return 64 - (unsigned int)__builtin_clz(high);
	return low ? 32 - (unsigned int)__builtin_clz(low) : 0;
}

unsigned int uiommu_vtd_iotlb_mask(struct uiommu_range range)
{
	/*
	 * Hardware ignores the masked bits of the address, so the block that
	 * it flushes begins below an unaligned start: the mask must cover the
	 * highest bit in which the two ends differ, not only the length.
	 */
	return vtd_iotlb_bits((range.first ^ range.last) >> 12);
}

struct vtd_desc uiommu_vtd_iotlb_global(const struct vtd_caps *caps)
{
	struct vtd_desc desc = { 0 };

	desc.lo = VTD_DESC_IOTLB | caps->drain |
		  UIOMMU_PUT64(VTD_TLB_LO_G, VTD_GRANULARITY_GLOBAL);
	return desc;
}

struct vtd_desc uiommu_vtd_iotlb_domain(const struct vtd_caps *caps,
					uint32_t did)
{
	struct vtd_desc desc = { 0 };

	desc.lo = VTD_DESC_IOTLB | caps->drain |
		  UIOMMU_PUT64(VTD_TLB_LO_G, VTD_GRANULARITY_DOMAIN) |
		  UIOMMU_PUT64(VTD_TLB_LO_DID, did);
	return desc;
}

/*
 * The one place that decides between pages and the whole domain. Pages
 * whenever the unit can: with what few entries an IOTLB has, refilling it
 * costs more than looking for a block in it, however large. To be revisited
 * by measurement.
 */
static bool vtd_iotlb_by_pages(const struct vtd_caps *caps, unsigned int mask)
{
	return (int)mask <= caps->address_mask;
}

struct vtd_desc uiommu_vtd_iotlb_range(const struct vtd_caps *caps,
				       uint32_t did, struct uiommu_range range,
				       bool leaves_only)
{
	unsigned int mask = uiommu_vtd_iotlb_mask(range);
	struct vtd_desc desc;

	if (!vtd_iotlb_by_pages(caps, mask))
		return uiommu_vtd_iotlb_domain(caps, did);

	desc.lo = VTD_DESC_IOTLB | caps->drain |
		  UIOMMU_PUT64(VTD_TLB_LO_G, VTD_GRANULARITY_SELECTIVE) |
		  UIOMMU_PUT64(VTD_TLB_LO_DID, did);
	/* The masked bits are ignored; zero is what people expect to see. */
	desc.hi = (range.first & (~UIOMMU_PAGE_MASK << mask)) |
		  (leaves_only ? VTD_TLB_HI_IH : 0) |
		  UIOMMU_PUT64(VTD_TLB_HI_AM, mask);
	return desc;
}

unsigned int uiommu_vtd_iotlb_gather(const struct vtd_caps *caps, uint32_t did,
				     const struct uiommu_gather *gather,
				     struct vtd_desc *descs)
{
	unsigned int i;

	for (i = 0; i < gather->count; i++) {
		descs[i] = uiommu_vtd_iotlb_range(caps, did, gather->ranges[i],
						  !gather->tables);
		if (UIOMMU_GET64(VTD_TLB_LO_G, descs[i].lo) !=
		    VTD_GRANULARITY_SELECTIVE) {
			/* The domain as a whole: that covers the others. */
			descs[0] = descs[i];
			return 1;
		}
	}
	return gather->count;
}

struct vtd_desc uiommu_vtd_context_global(void)
{
	struct vtd_desc desc = { 0 };

	desc.lo = VTD_DESC_CONTEXT |
		  UIOMMU_PUT64(VTD_CC_LO_G, VTD_GRANULARITY_GLOBAL);
	return desc;
}

struct vtd_desc uiommu_vtd_context_device(uint32_t did, uint16_t rid)
{
	struct vtd_desc desc = { 0 };

	desc.lo = VTD_DESC_CONTEXT |
		  UIOMMU_PUT64(VTD_CC_LO_G, VTD_GRANULARITY_SELECTIVE) |
		  UIOMMU_PUT64(VTD_CC_LO_DID, did) |
		  UIOMMU_PUT64(VTD_CC_LO_SID, rid);
	return desc;
}

/* Waits until @busy is clear; *@value is what was read last. */
static int vtd_iotlb_poll(struct vtd_unit *u, uint32_t offset, uint64_t busy,
			  uint64_t *value)
{
	uint64_t deadline = uiommu_vtd_deadline(u);

	for (;;) {
		bool late = uiommu_vtd_late(u, deadline);

		*value = uiommu_host_mmio_read64(u->mmio, offset);
		if (*value == ~(uint64_t)0)
			return UIOMMU_EIO;
		if (!(*value & busy))
			return UIOMMU_OK;
		if (late)
			return UIOMMU_ETIMEDOUT;
		uiommu_host_relax(u->host);
	}
}

static int vtd_iotlb_context(struct vtd_unit *u, struct vtd_desc desc)
{
	uint64_t value;
	int err;

	value = VTD_CCMD_ICC |
		UIOMMU_PUT64(VTD_CCMD_CIRG,
			     UIOMMU_GET64(VTD_CC_LO_G, desc.lo)) |
		UIOMMU_PUT64(VTD_CCMD_SID,
			     UIOMMU_GET64(VTD_CC_LO_SID, desc.lo)) |
		UIOMMU_PUT64(VTD_CCMD_DID,
			     UIOMMU_GET64(VTD_CC_LO_DID, desc.lo));
	uiommu_host_mmio_write64(u->mmio, VTD_CCMD, value);
	err = vtd_iotlb_poll(u, VTD_CCMD, VTD_CCMD_ICC, &value);
	if (err)
		return err;
	/* Coarser than asked for is fine, ignored is not. */
	return value & VTD_CCMD_CAIG ? UIOMMU_OK : UIOMMU_EIO;
}

static int vtd_iotlb_iotlb(struct vtd_unit *u, struct vtd_desc desc)
{
	uint32_t iva = u->caps.iotlb_offset + VTD_IVA;
	uint32_t iotlb = u->caps.iotlb_offset + VTD_IOTLB;
	uint64_t granularity = UIOMMU_GET64(VTD_TLB_LO_G, desc.lo);
	uint64_t value;
	int err;

	/* The upper word of the descriptor has the register's layout. */
	if (granularity == VTD_GRANULARITY_SELECTIVE)
		uiommu_host_mmio_write64(u->mmio, iva, desc.hi);

	value = VTD_IOTLB_IVT | UIOMMU_PUT64(VTD_IOTLB_IIRG, granularity) |
		UIOMMU_PUT64(VTD_IOTLB_DID,
			     UIOMMU_GET64(VTD_TLB_LO_DID, desc.lo));
	if (desc.lo & VTD_TLB_LO_DR)
		value |= VTD_IOTLB_DR;
	if (desc.lo & VTD_TLB_LO_DW)
		value |= VTD_IOTLB_DW;
	uiommu_host_mmio_write64(u->mmio, iotlb, value);
	err = vtd_iotlb_poll(u, iotlb, VTD_IOTLB_IVT, &value);
	if (err)
		return err;
	return value & VTD_IOTLB_IAIG ? UIOMMU_OK : UIOMMU_EIO;
}

bool uiommu_vtd_has_registers(const struct vtd_unit *u)
{
	return UIOMMU_GET64(VTD_VER_MAJOR, u->version) <= VTD_VER_REGISTERS &&
	       u->caps.iotlb_offset >= VTD_FIXED_END &&
	       u->caps.iotlb_offset + VTD_IOTLB_SIZE <= u->mmio_size;
}

int uiommu_vtd_iotlb_register(struct vtd_unit *u, struct vtd_desc desc)
{
	uiommu_barrier(); /* table writes before the command */
	if (UIOMMU_GET64(VTD_DESC_LO_TYPE, desc.lo) == VTD_DESC_CONTEXT)
		return vtd_iotlb_context(u, desc);
	return vtd_iotlb_iotlb(u, desc);
}
