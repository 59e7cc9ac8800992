// SPDX-License-Identifier: MIT
/*
 * Second, independent transcription of the bit numbers; see vtd_regs.h. Those
 * of 128-bit formats are given as the specification prints them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vtd/vtd_regs.h"

struct field {
	const char *name;
	uint64_t mask;
	unsigned int high;
	unsigned int low;
};

/* clang-format off */
static const struct field fields[] = {
	/* 11.4.1 Version Register */
	{ "VER.MAX", VTD_VER_MAJOR, 7, 4 },
	{ "VER.MIN", VTD_VER_MINOR, 3, 0 },
	/* Capability Register */
	{ "CAP.ND", VTD_CAP_ND, 2, 0 },
	{ "CAP.RWBF", VTD_CAP_RWBF, 4, 4 },
	{ "CAP.PLMR", VTD_CAP_PLMR, 5, 5 },
	{ "CAP.PHMR", VTD_CAP_PHMR, 6, 6 },
	{ "CAP.CM", VTD_CAP_CM, 7, 7 },
	{ "CAP.SAGAW", VTD_CAP_SAGAW, 12, 8 },
	{ "CAP.MGAW", VTD_CAP_MGAW, 21, 16 },
	{ "CAP.FRO", VTD_CAP_FRO, 33, 24 },
	{ "CAP.SSLPS", VTD_CAP_SSLPS, 37, 34 },
	{ "CAP.PSI", VTD_CAP_PSI, 39, 39 },
	{ "CAP.NFR", VTD_CAP_NFR, 47, 40 },
	{ "CAP.MAMV", VTD_CAP_MAMV, 53, 48 },
	{ "CAP.DWD", VTD_CAP_DWD, 54, 54 },
	{ "CAP.DRD", VTD_CAP_DRD, 55, 55 },
	{ "CAP.ESRTPS", VTD_CAP_ESRTPS, 63, 63 },
	/* Bits within them */
	{ "SAGAW 39", VTD_SAGAW_3_LEVELS, 1, 1 },
	{ "SAGAW 48", VTD_SAGAW_4_LEVELS, 2, 2 },
	{ "SAGAW 57", VTD_SAGAW_5_LEVELS, 3, 3 },
	{ "SSLPS 21", VTD_SSLPS_2M, 0, 0 },
	{ "SSLPS 30", VTD_SSLPS_1G, 1, 1 },
	/* Extended Capability Register */
	{ "ECAP.C", VTD_ECAP_C, 0, 0 },
	{ "ECAP.QI", VTD_ECAP_QI, 1, 1 },
	{ "ECAP.DT", VTD_ECAP_DT, 2, 2 },
	{ "ECAP.PT", VTD_ECAP_PT, 6, 6 },
	{ "ECAP.SC", VTD_ECAP_SC, 7, 7 },
	{ "ECAP.IRO", VTD_ECAP_IRO, 17, 8 },
	/* Global Command and Status Registers */
	{ "GCMD.CFI", VTD_GCMD_CFI, 23, 23 },
	{ "GCMD.SIRTP", VTD_GCMD_SIRTP, 24, 24 },
	{ "GCMD.IRE", VTD_GCMD_IRE, 25, 25 },
	{ "GCMD.QIE", VTD_GCMD_QIE, 26, 26 },
	{ "GCMD.WBF", VTD_GCMD_WBF, 27, 27 },
	{ "GCMD.SRTP", VTD_GCMD_SRTP, 30, 30 },
	{ "GCMD.TE", VTD_GCMD_TE, 31, 31 },
	/* Root Table Address Register */
	{ "RTADDR.RTA", VTD_RTADDR_RTA, 63, 12 },
	{ "RTADDR.TTM", VTD_RTADDR_TTM, 11, 10 },
	/* Context Command Register */
	{ "CCMD.DID", VTD_CCMD_DID, 15, 0 },
	{ "CCMD.SID", VTD_CCMD_SID, 31, 16 },
	{ "CCMD.FM", VTD_CCMD_FM, 33, 32 },
	{ "CCMD.CAIG", VTD_CCMD_CAIG, 60, 59 },
	{ "CCMD.CIRG", VTD_CCMD_CIRG, 62, 61 },
	{ "CCMD.ICC", VTD_CCMD_ICC, 63, 63 },
	/* IOTLB Invalidate and Invalidate Address Registers */
	{ "IOTLB.DID", VTD_IOTLB_DID, 47, 32 },
	{ "IOTLB.DW", VTD_IOTLB_DW, 48, 48 },
	{ "IOTLB.DR", VTD_IOTLB_DR, 49, 49 },
	{ "IOTLB.IAIG", VTD_IOTLB_IAIG, 58, 57 },
	{ "IOTLB.IIRG", VTD_IOTLB_IIRG, 61, 60 },
	{ "IOTLB.IVT", VTD_IOTLB_IVT, 63, 63 },
	{ "IVA.AM", VTD_IVA_AM, 5, 0 },
	{ "IVA.IH", VTD_IVA_IH, 6, 6 },
	{ "IVA.ADDR", VTD_IVA_ADDR, 63, 12 },
	/* Fault Status, Event Control and Recording Registers */
	{ "FSTS.PFO", VTD_FSTS_PFO, 0, 0 },
	{ "FSTS.PPF", VTD_FSTS_PPF, 1, 1 },
	{ "FSTS.IQE", VTD_FSTS_IQE, 4, 4 },
	{ "FSTS.ICE", VTD_FSTS_ICE, 5, 5 },
	{ "FSTS.ITE", VTD_FSTS_ITE, 6, 6 },
	{ "FSTS.FRI", VTD_FSTS_FRI, 15, 8 },
	{ "FECTL.IP", VTD_FECTL_IP, 30, 30 },
	{ "FECTL.IM", VTD_FECTL_IM, 31, 31 },
	{ "FRCD.FI", VTD_FRCD_LO_FI, 63, 12 },
	/* Protected Memory Enable Register */
	{ "PMEN.PRS", VTD_PMEN_PRS, 0, 0 },
	{ "PMEN.EPM", VTD_PMEN_EPM, 31, 31 },
	/* Invalidation Queue Registers */
	{ "IQH.QH", VTD_IQH_QH, 18, 4 },
	{ "IQT.QT", VTD_IQT_QT, 18, 4 },
	{ "IQA.QS", VTD_IQA_QS, 2, 0 },
	{ "IQA.DW", VTD_IQA_DW, 11, 11 },
	{ "IQA.IQA", VTD_IQA_IQA, 63, 12 },
	{ "IRTA.EIME", VTD_IRTA_EIME, 11, 11 },
	{ "IQERCD.IQEI", VTD_IQERCD_IQEI, 3, 0 },
	{ "IQERCD.ITESID", VTD_IQERCD_ITESID, 47, 32 },
	{ "IQERCD.ICESID", VTD_IQERCD_ICESID, 63, 48 },
	/* Descriptors, lower halves */
	{ "desc.type", VTD_DESC_LO_TYPE, 3, 0 },
	{ "cc.G", VTD_CC_LO_G, 5, 4 },
	{ "cc.DID", VTD_CC_LO_DID, 31, 16 },
	{ "cc.SID", VTD_CC_LO_SID, 47, 32 },
	{ "cc.FM", VTD_CC_LO_FM, 49, 48 },
	{ "iotlb.G", VTD_TLB_LO_G, 5, 4 },
	{ "iotlb.DW", VTD_TLB_LO_DW, 6, 6 },
	{ "iotlb.DR", VTD_TLB_LO_DR, 7, 7 },
	{ "iotlb.DID", VTD_TLB_LO_DID, 31, 16 },
	{ "wait.IF", VTD_WAIT_LO_IF, 4, 4 },
	{ "wait.SW", VTD_WAIT_LO_SW, 5, 5 },
	{ "wait.FN", VTD_WAIT_LO_FN, 6, 6 },
	{ "wait.data", VTD_WAIT_LO_DATA, 63, 32 },
	/* Root and context entries, second-stage entry */
	{ "root.P", VTD_ROOT_LO_P, 0, 0 },
	{ "root reserved", VTD_ROOT_LO_RSVD, 11, 1 },
	{ "root.CTP", VTD_ROOT_LO_CTP, 63, 12 },
	{ "ctx.P", VTD_CTX_LO_P, 0, 0 },
	{ "ctx.FPD", VTD_CTX_LO_FPD, 1, 1 },
	{ "ctx.TT", VTD_CTX_LO_TT, 3, 2 },
	{ "ctx reserved", VTD_CTX_LO_RSVD, 11, 4 },
	{ "ctx.SSPTPTR", VTD_CTX_LO_SSPTPTR, 63, 12 },
	{ "sspte.SNP", VTD_SSPTE_SNP, 11, 11 },
};

/* Upper halves, numbered 127:64. */
static const struct field upper[] = {
	{ "frcd.SID", VTD_FRCD_HI_SID, 79, 64 },
	{ "frcd.T2", VTD_FRCD_HI_T2, 92, 92 },
	{ "frcd.FR", VTD_FRCD_HI_FR, 103, 96 },
	{ "frcd.T1", VTD_FRCD_HI_T1, 126, 126 },
	{ "frcd.F", VTD_FRCD_HI_F, 127, 127 },
	{ "iotlb.AM", VTD_TLB_HI_AM, 69, 64 },
	{ "iotlb.IH", VTD_TLB_HI_IH, 70, 70 },
	{ "iotlb.ADDR", VTD_TLB_HI_ADDR, 127, 76 },
	{ "wait.addr", VTD_WAIT_HI_ADDR, 127, 66 },
	{ "ctx.AW", VTD_CTX_HI_AW, 66, 64 },
	{ "ctx.DID", VTD_CTX_HI_DID, 87, 72 },
	{ "ctx reserved 71", VTD_CTX_HI_RSVD_LOW, 71, 71 },
	{ "ctx reserved 88", VTD_CTX_HI_RSVD_HIGH, 127, 88 },
};

/* Offsets and codes. */
static const struct {
	const char *name;
	uint32_t is;
	uint32_t want;
} numbers[] = {
	{ "VER", VTD_VER, 0x00 },	{ "CAP", VTD_CAP, 0x08 },
	{ "ECAP", VTD_ECAP, 0x10 },	{ "GCMD", VTD_GCMD, 0x18 },
	{ "GSTS", VTD_GSTS, 0x1c },	{ "RTADDR", VTD_RTADDR, 0x20 },
	{ "CCMD", VTD_CCMD, 0x28 },	{ "FSTS", VTD_FSTS, 0x34 },
	{ "FECTL", VTD_FECTL, 0x38 },	{ "FEDATA", VTD_FEDATA, 0x3c },
	{ "FEADDR", VTD_FEADDR, 0x40 },	{ "FEUADDR", VTD_FEUADDR, 0x44 },
	{ "PMEN", VTD_PMEN, 0x64 },	{ "IQH", VTD_IQH, 0x80 },
	{ "IQT", VTD_IQT, 0x88 },	{ "IQA", VTD_IQA, 0x90 },
	{ "IQERCD", VTD_IQERCD, 0xb0 },	{ "IVA", VTD_IVA, 0 },
	{ "IRTA", VTD_IRTA, 0xb8 },
	{ "last version to invalidate by registers", VTD_VER_REGISTERS, 5 },
	{ "IOTLB", VTD_IOTLB, 8 },	{ "FRCD", VTD_FRCD_SIZE, 16 },
	{ "global", VTD_GRANULARITY_GLOBAL, 1 },
	{ "domain", VTD_GRANULARITY_DOMAIN, 2 },
	{ "selective", VTD_GRANULARITY_SELECTIVE, 3 },
	{ "cc_inv_dsc", VTD_DESC_CONTEXT, 1 },
	{ "iotlb_inv_dsc", VTD_DESC_IOTLB, 2 },
	{ "inv_wait_dsc", VTD_DESC_WAIT, 5 },
	{ "TT 00b", VTD_TT_SECOND_STAGE, 0 },
	{ "TT 01b", VTD_TT_DEVICE_TLB, 1 },
	{ "TT 10b", VTD_TT_PASS_THROUGH, 2 },
};
/* clang-format on */

static void check(const struct field *f, unsigned int base)
{
	unsigned int width = f->high - f->low + 1;
	uint64_t want = (~UINT64_C(0) >> (64 - width)) << (f->low - base);

	if (f->mask != want)
		print_error("%s: 0x%llx, not 0x%llx\n", f->name,
			    (unsigned long long)f->mask,
			    (unsigned long long)want);
	assert_int_equal(f->mask, want);
}

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		check(&fields[i], 0);
	for (size_t i = 0; i < sizeof(upper) / sizeof(upper[0]); i++)
		check(&upper[i], 64);
}

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].is != numbers[i].want)
			print_error("%s\n", numbers[i].name);
		assert_int_equal(numbers[i].is, numbers[i].want);
	}
}

/* 96ffffffh: the specification's own mask of what is not one-shot. */
static void test_sticky(void **state)
{
	(void)state;
	assert_int_equal(VTD_GSTS_STICKY & ~UINT32_C(0x96ffffff), 0);
	assert_int_equal(VTD_GSTS_STICKY, 0x86800000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
