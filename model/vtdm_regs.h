/* SPDX-License-Identifier: MIT */
/*
 * The VT-d architecture as the model knows it: register offsets, bits,
 * in-memory formats, fault reasons. Written from the specification for this
 * model alone; nothing here may be copied from, or shared with, the library's
 * own tables, or both would make the same mistake. model/README.md says what
 * each block was checked against.
 *
 * Section titles are those of the "Intel Virtualization Technology for
 * Directed I/O Architecture Specification".
 */
#ifndef VTDM_REGS_H
#define VTDM_REGS_H

#include <stdint.h>

/* Bits hi..lo, both included, as the specification prints them. */
#define VTDM_BIT32(n) (UINT32_C(1) << (n))
#define VTDM_BIT64(n) (UINT64_C(1) << (n))
#define VTDM_BITS64(hi, lo) \
	((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))
#define VTDM_BITS32(hi, lo) ((uint32_t)VTDM_BITS64(hi, lo))

/* Take a field out of a word, or put a value in its place. */
#define VTDM_GET(mask, word) (((word) & (mask)) / ((mask) & (~(mask) + 1)))
#define VTDM_PUT(mask, val) (((val) * ((mask) & (~(mask) + 1))) & (mask))

/* clang-format off */
/* "Register Descriptions": offsets of the fixed registers. */
#define VTDM_VER		0x000 /* 32 */
#define VTDM_CAP		0x008 /* 64 */
#define VTDM_ECAP		0x010 /* 64 */
#define VTDM_GCMD		0x018 /* 32 */
#define VTDM_GSTS		0x01c /* 32 */
#define VTDM_RTADDR		0x020 /* 64 */
#define VTDM_CCMD		0x028 /* 64 */
#define VTDM_FSTS		0x034 /* 32 */
#define VTDM_FECTL		0x038 /* 32 */
#define VTDM_FEDATA		0x03c /* 32 */
#define VTDM_FEADDR		0x040 /* 32 */
#define VTDM_FEUADDR		0x044 /* 32 */
#define VTDM_AFLOG		0x058 /* 64 */
#define VTDM_PMEN		0x064 /* 32 */
#define VTDM_PLMBASE		0x068 /* 32 */
#define VTDM_PLMLIMIT		0x06c /* 32 */
#define VTDM_PHMBASE		0x070 /* 64 */
#define VTDM_PHMLIMIT		0x078 /* 64 */
#define VTDM_IQH		0x080 /* 64 */
#define VTDM_IQT		0x088 /* 64 */
#define VTDM_IQA		0x090 /* 64 */
#define VTDM_ICS		0x09c /* 32 */
#define VTDM_IECTL		0x0a0 /* 32 */
#define VTDM_IEDATA		0x0a4 /* 32 */
#define VTDM_IEADDR		0x0a8 /* 32 */
#define VTDM_IEUADDR		0x0ac /* 32 */
#define VTDM_IQERCD		0x0b0 /* 64 */
#define VTDM_IRTA		0x0b8 /* 64 */
#define VTDM_FIXED_END		0x0c0 /* first byte after those modelled */

/* From CAP.FRO: one fault record of 16 bytes each. */
#define VTDM_FRCD_SIZE		16
#define VTDM_FRCD_LO		0x0
#define VTDM_FRCD_HI		0x8
/* From ECAP.IRO. */
#define VTDM_IVA		0x0
#define VTDM_IOTLB		0x8

/* "Capability Register" */
#define VTDM_CAP_ND		VTDM_BITS64(2, 0)
#define VTDM_CAP_AFL		VTDM_BIT64(3)
#define VTDM_CAP_RWBF		VTDM_BIT64(4)
#define VTDM_CAP_PLMR		VTDM_BIT64(5)
#define VTDM_CAP_PHMR		VTDM_BIT64(6)
#define VTDM_CAP_CM		VTDM_BIT64(7)
#define VTDM_CAP_SAGAW		VTDM_BITS64(12, 8)
#define VTDM_CAP_MGAW		VTDM_BITS64(21, 16) /* width - 1 */
#define VTDM_CAP_ZLR		VTDM_BIT64(22)
#define VTDM_CAP_FRO		VTDM_BITS64(33, 24) /* in 16 bytes */
#define VTDM_CAP_SSLPS		VTDM_BITS64(37, 34)
#define VTDM_CAP_PSI		VTDM_BIT64(39)
#define VTDM_CAP_NFR		VTDM_BITS64(47, 40) /* number - 1 */
#define VTDM_CAP_MAMV		VTDM_BITS64(53, 48)
#define VTDM_CAP_DWD		VTDM_BIT64(54)
#define VTDM_CAP_DRD		VTDM_BIT64(55)
#define VTDM_CAP_FL1GP		VTDM_BIT64(56)
#define VTDM_CAP_PI		VTDM_BIT64(59)
#define VTDM_CAP_FL5LP		VTDM_BIT64(60)
#define VTDM_CAP_ESIRTPS	VTDM_BIT64(62)
#define VTDM_CAP_ESRTPS		VTDM_BIT64(63)

/* "Extended Capability Register" */
#define VTDM_ECAP_C		VTDM_BIT64(0)
#define VTDM_ECAP_QI		VTDM_BIT64(1)
#define VTDM_ECAP_DT		VTDM_BIT64(2)
#define VTDM_ECAP_IR		VTDM_BIT64(3)
#define VTDM_ECAP_EIM		VTDM_BIT64(4)
#define VTDM_ECAP_PT		VTDM_BIT64(6)
#define VTDM_ECAP_SC		VTDM_BIT64(7)
#define VTDM_ECAP_IRO		VTDM_BITS64(17, 8) /* in 16 bytes */
#define VTDM_ECAP_MHMV		VTDM_BITS64(23, 20)

/* "Global Command Register" and "Global Status Register": same positions */
#define VTDM_G_CFI		VTDM_BIT32(23)
#define VTDM_G_SIRTP		VTDM_BIT32(24)
#define VTDM_G_IRE		VTDM_BIT32(25)
#define VTDM_G_QIE		VTDM_BIT32(26)
#define VTDM_G_WBF		VTDM_BIT32(27)
#define VTDM_G_EAFL		VTDM_BIT32(28)
#define VTDM_G_SFL		VTDM_BIT32(29)
#define VTDM_G_SRTP		VTDM_BIT32(30)
#define VTDM_G_TE		VTDM_BIT32(31)
#define VTDM_G_RSVD		VTDM_BITS32(22, 0)
/* Ask for an action each time they are written as 1, and are not kept. */
#define VTDM_G_ONESHOT \
	(VTDM_G_SIRTP | VTDM_G_WBF | VTDM_G_SFL | VTDM_G_SRTP)
/* Keep their value until written otherwise. */
#define VTDM_G_KEPT \
	(VTDM_G_CFI | VTDM_G_IRE | VTDM_G_QIE | VTDM_G_EAFL | VTDM_G_TE)

/* "Root Table Address Register" */
#define VTDM_RTADDR_TTM		VTDM_BITS64(11, 10)
#define VTDM_RTADDR_RSVD	VTDM_BITS64(9, 0)
#define VTDM_PAGE_ADDR		VTDM_BITS64(63, 12)

/* "Context Command Register" */
#define VTDM_CCMD_DID		VTDM_BITS64(15, 0)
#define VTDM_CCMD_SID		VTDM_BITS64(31, 16)
#define VTDM_CCMD_FM		VTDM_BITS64(33, 32)
#define VTDM_CCMD_RSVD		VTDM_BITS64(58, 34)
#define VTDM_CCMD_CAIG		VTDM_BITS64(60, 59)
#define VTDM_CCMD_CIRG		VTDM_BITS64(62, 61)
#define VTDM_CCMD_ICC		VTDM_BIT64(63)

/* "IOTLB Invalidate Register", "Invalidate Address Register" */
#define VTDM_IOTLB_DID		VTDM_BITS64(47, 32)
#define VTDM_IOTLB_DW		VTDM_BIT64(48)
#define VTDM_IOTLB_DR		VTDM_BIT64(49)
#define VTDM_IOTLB_IAIG		VTDM_BITS64(58, 57)
#define VTDM_IOTLB_IIRG		VTDM_BITS64(61, 60)
#define VTDM_IOTLB_IVT		VTDM_BIT64(63)
#define VTDM_IVA_AM		VTDM_BITS64(5, 0)
#define VTDM_IVA_IH		VTDM_BIT64(6)
#define VTDM_IVA_RSVD		VTDM_BITS64(11, 7)

/* Granularity, the same code in both registers and in descriptors. */
#define VTDM_GRAN_NONE		0
#define VTDM_GRAN_GLOBAL	1
#define VTDM_GRAN_DOMAIN	2
#define VTDM_GRAN_FINE		3 /* device, or pages of a domain */

/* "Fault Status Register" */
#define VTDM_FSTS_PFO		VTDM_BIT32(0)
#define VTDM_FSTS_PPF		VTDM_BIT32(1)
#define VTDM_FSTS_IQE		VTDM_BIT32(4)
#define VTDM_FSTS_ICE		VTDM_BIT32(5)
#define VTDM_FSTS_ITE		VTDM_BIT32(6)
#define VTDM_FSTS_FRI		VTDM_BITS32(15, 8)
#define VTDM_FSTS_RW1C \
	(VTDM_FSTS_PFO | VTDM_FSTS_IQE | VTDM_FSTS_ICE | VTDM_FSTS_ITE)
#define VTDM_FSTS_ANY		(VTDM_FSTS_RW1C | VTDM_FSTS_PPF)

/* "Fault Event Control Register", "Invalidation Event Control Register" */
#define VTDM_ECTL_IP		VTDM_BIT32(30)
#define VTDM_ECTL_IM		VTDM_BIT32(31)

/* "Fault Recording Registers": bits of the second quadword */
#define VTDM_FRCD_SID		VTDM_BITS64(15, 0)
#define VTDM_FRCD_FR		VTDM_BITS64(39, 32)
#define VTDM_FRCD_AT		VTDM_BITS64(61, 60)
#define VTDM_FRCD_T1		VTDM_BIT64(62) /* 1: read */
#define VTDM_FRCD_F		VTDM_BIT64(63)

/* "Protected Memory Enable Register" */
#define VTDM_PMEN_PRS		VTDM_BIT32(0)
#define VTDM_PMEN_EPM		VTDM_BIT32(31)

/* "Invalidation Queue Head/Tail/Address Register" */
#define VTDM_IQ_OFFSET		VTDM_BITS64(18, 4)
#define VTDM_IQA_QS		VTDM_BITS64(2, 0)
#define VTDM_IQA_RSVD		VTDM_BITS64(10, 3)
#define VTDM_IQA_DW		VTDM_BIT64(11)
#define VTDM_ICS_IWC		VTDM_BIT32(0)

/* "Invalidation Queue Error Record Register" */
#define VTDM_IQERCD_IQEI	VTDM_BITS64(3, 0)
#define VTDM_IQERCD_ITESID	VTDM_BITS64(47, 32)
#define VTDM_IQERCD_ICESID	VTDM_BITS64(63, 48)
#define VTDM_IQEI_TAIL		1
#define VTDM_IQEI_FETCH		2
#define VTDM_IQEI_TYPE		3
#define VTDM_IQEI_RSVD		4
#define VTDM_IQEI_WIDTH		5

/* "Interrupt Remapping Table Address Register" */
#define VTDM_IRTA_S		VTDM_BITS64(3, 0)
#define VTDM_IRTA_RSVD		VTDM_BITS64(10, 4)
#define VTDM_IRTA_EIME		VTDM_BIT64(11)

/* "Root Entry" */
#define VTDM_ROOT_P		VTDM_BIT64(0)
#define VTDM_ROOT_RSVD		VTDM_BITS64(11, 1)

/* "Context Entry": first and second quadword */
#define VTDM_CTX_P		VTDM_BIT64(0)
#define VTDM_CTX_FPD		VTDM_BIT64(1)
#define VTDM_CTX_TT		VTDM_BITS64(3, 2)
#define VTDM_CTX_LO_RSVD	VTDM_BITS64(11, 4)
#define VTDM_CTX_AW		VTDM_BITS64(2, 0)
#define VTDM_CTX_HI_RSVD	(VTDM_BIT64(7) | VTDM_BITS64(63, 24))
#define VTDM_CTX_DID		VTDM_BITS64(23, 8)
#define VTDM_TT_TRANSLATE	0
#define VTDM_TT_DEV_TLB		1
#define VTDM_TT_PASS		2

/* "Second-Stage Paging Entries" */
#define VTDM_SS_R		VTDM_BIT64(0)
#define VTDM_SS_W		VTDM_BIT64(1)
#define VTDM_SS_PS		VTDM_BIT64(7)
#define VTDM_SS_SNP		VTDM_BIT64(11)
#define VTDM_SS_ADDR		VTDM_BITS64(51, 12)
#define VTDM_SS_TM		VTDM_BIT64(62)

/* "Invalidation Descriptors", 128 bits: type is bits 11:9 and 3:0 */
#define VTDM_DESC_TYPE_LO	VTDM_BITS64(3, 0)
#define VTDM_DESC_TYPE_HI	VTDM_BITS64(11, 9)
#define VTDM_DESC_CONTEXT	1
#define VTDM_DESC_IOTLB		2
#define VTDM_DESC_DEV_TLB	3
#define VTDM_DESC_IEC		4
#define VTDM_DESC_WAIT		5
#define VTDM_DESC_G		VTDM_BITS64(5, 4)
#define VTDM_CC_DID		VTDM_BITS64(31, 16)
#define VTDM_CC_SID		VTDM_BITS64(47, 32)
#define VTDM_CC_FM		VTDM_BITS64(49, 48)
#define VTDM_CC_RSVD \
	(VTDM_BITS64(8, 6) | VTDM_BITS64(15, 12) | VTDM_BITS64(63, 50))
#define VTDM_TLB_DID		VTDM_BITS64(31, 16)
#define VTDM_TLB_RSVD \
	(VTDM_BIT64(8) | VTDM_BITS64(15, 12) | VTDM_BITS64(63, 32))
#define VTDM_DTLB_SID		VTDM_BITS64(47, 32)
#define VTDM_DTLB_RSVD \
	(VTDM_BITS64(8, 4) | VTDM_BITS64(31, 21) | VTDM_BITS64(51, 48))
#define VTDM_DTLB_HI_RSVD	VTDM_BITS64(11, 1)
#define VTDM_IEC_RSVD \
	(VTDM_BITS64(8, 5) | VTDM_BITS64(26, 12) | VTDM_BITS64(63, 48))
#define VTDM_WAIT_IF		VTDM_BIT64(4)
#define VTDM_WAIT_SW		VTDM_BIT64(5)
#define VTDM_WAIT_FN		VTDM_BIT64(6)
#define VTDM_WAIT_DATA		VTDM_BITS64(63, 32)
/* Bit 7 (page-request drain) is reserved: ECAP.PDS is never set here. */
#define VTDM_WAIT_RSVD		(VTDM_BITS64(8, 7) | VTDM_BITS64(31, 12))
#define VTDM_WAIT_HI_RSVD	VTDM_BITS64(1, 0)

/* "Interrupt Address Range" */
#define VTDM_INTR_FIRST		UINT64_C(0xfee00000)
#define VTDM_INTR_LAST		UINT64_C(0xfeefffff)
/* clang-format on */

#endif /* VTDM_REGS_H */
