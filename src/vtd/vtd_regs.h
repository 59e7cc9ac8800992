/* SPDX-License-Identifier: MIT */
/*
 * VT-d registers and in-memory formats, as far as legacy mode needs them.
 *
 * Names and bit numbers are those of the "Intel Virtualization Technology for
 * Directed I/O" architecture specification, chapters "Register Descriptions",
 * "Translation Structure Formats" and "Caching Translation Information". Bit
 * numbers are written as the specification prints them, high bit first; the
 * upper half of a 128-bit format is written as (bit - 64).
 *
 * VTD_<REG>		offset of a register
 * VTD_<REG>_<FIELD>	mask of a field, in place
 */
#ifndef UIOMMU_VTD_REGS_H
#define UIOMMU_VTD_REGS_H

#include <uiommu/types.h>

#include "base/atomic.h"

/* clang-format off */

/* Version Register (32-bit, RO) */
#define VTD_VER				0x000u
#define   VTD_VER_MAJOR			UIOMMU_MASK64(7, 4)
#define   VTD_VER_MINOR			UIOMMU_MASK64(3, 0)
#define   VTD_VER_REGISTERS		5u /* last to invalidate by them */

/* Capability Register (64-bit, RO) */
#define VTD_CAP				0x008u
#define   VTD_CAP_ESRTPS		UIOMMU_BIT64(63)
#define   VTD_CAP_DRD			UIOMMU_BIT64(55)
#define   VTD_CAP_DWD			UIOMMU_BIT64(54)
#define   VTD_CAP_MAMV			UIOMMU_MASK64(53, 48)
#define   VTD_CAP_NFR			UIOMMU_MASK64(47, 40) /* count - 1 */
#define   VTD_CAP_PSI			UIOMMU_BIT64(39)
#define   VTD_CAP_SSLPS			UIOMMU_MASK64(37, 34)
#define   VTD_CAP_FRO			UIOMMU_MASK64(33, 24) /* times 16 */
#define   VTD_CAP_MGAW			UIOMMU_MASK64(21, 16) /* bits - 1 */
#define   VTD_CAP_SAGAW			UIOMMU_MASK64(12, 8)
#define   VTD_CAP_CM			UIOMMU_BIT64(7)
#define   VTD_CAP_PHMR			UIOMMU_BIT64(6)
#define   VTD_CAP_PLMR			UIOMMU_BIT64(5)
#define   VTD_CAP_RWBF			UIOMMU_BIT64(4)
#define   VTD_CAP_ND			UIOMMU_MASK64(2, 0)

/* Bits within SAGAW: levels of page tables; within SSLPS: large pages. */
#define VTD_SAGAW_3_LEVELS		UIOMMU_BIT32(1)
#define VTD_SAGAW_4_LEVELS		UIOMMU_BIT32(2)
#define VTD_SAGAW_5_LEVELS		UIOMMU_BIT32(3)
#define VTD_SSLPS_2M			UIOMMU_BIT32(0)
#define VTD_SSLPS_1G			UIOMMU_BIT32(1)

/* Extended Capability Register (64-bit, RO) */
#define VTD_ECAP			0x010u
#define   VTD_ECAP_IRO			UIOMMU_MASK64(17, 8) /* times 16 */
#define   VTD_ECAP_SC			UIOMMU_BIT64(7)
#define   VTD_ECAP_PT			UIOMMU_BIT64(6)
#define   VTD_ECAP_DT			UIOMMU_BIT64(2)
#define   VTD_ECAP_QI			UIOMMU_BIT64(1)
#define   VTD_ECAP_C			UIOMMU_BIT64(0)

/* Global Command (32-bit, WO) and Global Status (32-bit, RO) */
#define VTD_GCMD			0x018u
#define VTD_GSTS			0x01cu
#define   VTD_GCMD_TE			UIOMMU_BIT32(31)
#define   VTD_GCMD_SRTP			UIOMMU_BIT32(30) /* one-shot */
#define   VTD_GCMD_WBF			UIOMMU_BIT32(27) /* one-shot */
#define   VTD_GCMD_QIE			UIOMMU_BIT32(26)
#define   VTD_GCMD_IRE			UIOMMU_BIT32(25)
#define   VTD_GCMD_SIRTP		UIOMMU_BIT32(24) /* one-shot */
#define   VTD_GCMD_CFI			UIOMMU_BIT32(23)

/*
 * Status bits that mirror a command which stays in force. A new command is
 * written on top of these and no others: carrying a one-shot bit over from
 * GSTS would run that command again.
 */
#define VTD_GSTS_STICKY \
	(VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_CFI)

/* Root Table Address Register (64-bit, RW) */
#define VTD_RTADDR			0x020u
#define   VTD_RTADDR_RTA		UIOMMU_MASK64(63, 12)
#define   VTD_RTADDR_TTM		UIOMMU_MASK64(11, 10) /* 0: legacy */

/* Context Command Register (64-bit, RW) */
#define VTD_CCMD			0x028u
#define   VTD_CCMD_ICC			UIOMMU_BIT64(63)
#define   VTD_CCMD_CIRG			UIOMMU_MASK64(62, 61)
#define   VTD_CCMD_CAIG			UIOMMU_MASK64(60, 59) /* 0: error */
#define   VTD_CCMD_FM			UIOMMU_MASK64(33, 32)
#define   VTD_CCMD_SID			UIOMMU_MASK64(31, 16)
#define   VTD_CCMD_DID			UIOMMU_MASK64(15, 0)

/* Fault Status Register (32-bit; errors are cleared by writing 1) */
#define VTD_FSTS			0x034u
#define   VTD_FSTS_FRI			UIOMMU_MASK64(15, 8)
#define   VTD_FSTS_ITE			UIOMMU_BIT32(6)
#define   VTD_FSTS_ICE			UIOMMU_BIT32(5)
#define   VTD_FSTS_IQE			UIOMMU_BIT32(4)
#define   VTD_FSTS_PPF			UIOMMU_BIT32(1) /* RO */
#define   VTD_FSTS_PFO			UIOMMU_BIT32(0)

/* Fault Event Control, Data, Address and Upper Address (32-bit, RW) */
#define VTD_FECTL			0x038u
#define   VTD_FECTL_IM			UIOMMU_BIT32(31)
#define   VTD_FECTL_IP			UIOMMU_BIT32(30) /* RO */
#define VTD_FEDATA			0x03cu
#define VTD_FEADDR			0x040u
#define VTD_FEUADDR			0x044u

/* Protected Memory Enable Register (32-bit, RW) */
#define VTD_PMEN			0x064u
#define   VTD_PMEN_EPM			UIOMMU_BIT32(31)
#define   VTD_PMEN_PRS			UIOMMU_BIT32(0) /* RO */

/* Invalidation Queue Head (64-bit, RO), Tail and Address (64-bit, RW) */
#define VTD_IQH				0x080u
#define   VTD_IQH_QH			UIOMMU_MASK64(18, 4)
#define VTD_IQT				0x088u
#define   VTD_IQT_QT			UIOMMU_MASK64(18, 4)
#define VTD_IQA				0x090u
#define   VTD_IQA_IQA			UIOMMU_MASK64(63, 12)
#define   VTD_IQA_DW			UIOMMU_BIT64(11) /* 0: 128 bits */
#define   VTD_IQA_QS			UIOMMU_MASK64(2, 0) /* 2^QS pages */

/* Invalidation Queue Error Record Register (64-bit, RO) */
#define VTD_IQERCD			0x0b0u
#define   VTD_IQERCD_ICESID		UIOMMU_MASK64(63, 48)
#define   VTD_IQERCD_ITESID		UIOMMU_MASK64(47, 32)
#define   VTD_IQERCD_IQEI		UIOMMU_MASK64(3, 0)

/* End of what every unit has at a fixed offset and this driver writes to. */
#define VTD_FIXED_END			0x0b8u

/* Interrupt Remapping Table Address Register (64-bit), with ECAP.IR */
#define VTD_IRTA			0x0b8u
#define   VTD_IRTA_EIME			UIOMMU_BIT64(11)

/* Invalidate Address (64-bit, WO), at ECAP.IRO times 16 */
#define VTD_IVA				0x000u
#define   VTD_IVA_ADDR			UIOMMU_MASK64(63, 12)
#define   VTD_IVA_IH			UIOMMU_BIT64(6)
#define   VTD_IVA_AM			UIOMMU_MASK64(5, 0)
/* IOTLB Invalidate Register (64-bit, RW), behind it */
#define VTD_IOTLB			0x008u
#define   VTD_IOTLB_IVT			UIOMMU_BIT64(63)
#define   VTD_IOTLB_IIRG		UIOMMU_MASK64(61, 60)
#define   VTD_IOTLB_IAIG		UIOMMU_MASK64(58, 57) /* 0: error */
#define   VTD_IOTLB_DR			UIOMMU_BIT64(49)
#define   VTD_IOTLB_DW			UIOMMU_BIT64(48)
#define   VTD_IOTLB_DID			UIOMMU_MASK64(47, 32)
#define VTD_IOTLB_SIZE			0x010u

/* Fault Recording Register (128-bit), at CAP.FRO times 16 */
#define VTD_FRCD_SIZE			0x010u
#define   VTD_FRCD_LO_FI		UIOMMU_MASK64(63, 12)
#define   VTD_FRCD_HI_F			UIOMMU_BIT64(127 - 64)
#define   VTD_FRCD_HI_T1		UIOMMU_BIT64(126 - 64)
#define   VTD_FRCD_HI_FR		UIOMMU_MASK64(103 - 64, 96 - 64)
#define   VTD_FRCD_HI_T2		UIOMMU_BIT64(92 - 64)
#define   VTD_FRCD_HI_SID		UIOMMU_MASK64(79 - 64, 64 - 64)

/* Granularities, the same in commands and descriptors */
#define VTD_GRANULARITY_GLOBAL		1u
#define VTD_GRANULARITY_DOMAIN		2u
#define VTD_GRANULARITY_SELECTIVE	3u /* one device, or some pages */

/* Invalidation descriptors (128-bit, in memory) */
struct vtd_desc {
	uint64_t lo;
	uint64_t hi;
};
UIOMMU_STATIC_ASSERT(sizeof(struct vtd_desc) == 16);
#define VTD_DESC_LO_TYPE		UIOMMU_MASK64(3, 0)
#define   VTD_DESC_CONTEXT		1u
#define   VTD_DESC_IOTLB		2u
#define   VTD_DESC_WAIT			5u
/* Context-cache Invalidate Descriptor */
#define VTD_CC_LO_FM			UIOMMU_MASK64(49, 48)
#define VTD_CC_LO_SID			UIOMMU_MASK64(47, 32)
#define VTD_CC_LO_DID			UIOMMU_MASK64(31, 16)
#define VTD_CC_LO_G			UIOMMU_MASK64(5, 4)
/* IOTLB Invalidate Descriptor */
#define VTD_TLB_LO_DID			UIOMMU_MASK64(31, 16)
#define VTD_TLB_LO_DR			UIOMMU_BIT64(7)
#define VTD_TLB_LO_DW			UIOMMU_BIT64(6)
#define VTD_TLB_LO_G			UIOMMU_MASK64(5, 4)
#define VTD_TLB_HI_ADDR			UIOMMU_MASK64(127 - 64, 76 - 64)
#define VTD_TLB_HI_IH			UIOMMU_BIT64(70 - 64)
#define VTD_TLB_HI_AM			UIOMMU_MASK64(69 - 64, 64 - 64)
/* Invalidation Wait Descriptor */
#define VTD_WAIT_LO_DATA		UIOMMU_MASK64(63, 32)
#define VTD_WAIT_LO_FN			UIOMMU_BIT64(6)
#define VTD_WAIT_LO_SW			UIOMMU_BIT64(5)
#define VTD_WAIT_LO_IF			UIOMMU_BIT64(4)
#define VTD_WAIT_HI_ADDR		UIOMMU_MASK64(127 - 64, 66 - 64)

/* Root Entry and Context Entry, legacy mode (128-bit, in memory) */
struct vtd_entry {
	uiommu_word_t lo;
	uiommu_word_t hi;
};
UIOMMU_STATIC_ASSERT(sizeof(struct vtd_entry) == 16);
#define VTD_ROOT_LO_CTP			UIOMMU_MASK64(63, 12)
#define VTD_ROOT_LO_RSVD		UIOMMU_MASK64(11, 1)
#define VTD_ROOT_LO_P			UIOMMU_BIT64(0)
#define VTD_CTX_LO_SSPTPTR		UIOMMU_MASK64(63, 12)
#define VTD_CTX_LO_RSVD			UIOMMU_MASK64(11, 4)
#define VTD_CTX_LO_TT			UIOMMU_MASK64(3, 2)
#define   VTD_TT_SECOND_STAGE		0u
#define   VTD_TT_DEVICE_TLB		1u
#define   VTD_TT_PASS_THROUGH		2u
#define VTD_CTX_LO_FPD			UIOMMU_BIT64(1)
#define VTD_CTX_LO_P			UIOMMU_BIT64(0)
#define VTD_CTX_HI_RSVD_HIGH		UIOMMU_MASK64(127 - 64, 88 - 64)
#define VTD_CTX_HI_DID			UIOMMU_MASK64(87 - 64, 72 - 64)
#define VTD_CTX_HI_RSVD_LOW		UIOMMU_BIT64(71 - 64)
#define VTD_CTX_HI_AW			UIOMMU_MASK64(66 - 64, 64 - 64)

/* Second-Stage Paging Entry: snoop, reserved unless ECAP.SC */
#define VTD_SSPTE_SNP			UIOMMU_BIT64(11)

/* clang-format on */

#endif /* UIOMMU_VTD_REGS_H */
