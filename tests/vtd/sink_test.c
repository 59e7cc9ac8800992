// SPDX-License-Identifier: MIT
/* A sink, on each kind of unit: nothing is refused, nothing is reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kinds.h"
#include "pt/pt_sink.h"
#include "random.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

struct sink {
	struct uiommu_pt_sink tables;
	struct uiommu_hwdomain domain;
};

static void sink_up(struct rig *rig, struct sink *s)
{
	static const uint32_t units[] = { 0 };
	struct uiommu_pt_config config;

	memset(s, 0, sizeof(*s));
	assert_int_equal(
		uiommu_vtd_ops.pt_config(rig->driver, units, 1, &config), 0);
	assert_int_equal(uiommu_pt_sink_init(&s->tables, rig->host, &config),
			 0);
	s->domain.type = UIOMMU_DOMAIN_SINK;
	uiommu_pt_sink_tables(&s->tables, &s->domain.pt);
	assert_int_equal(uiommu_vtd_ops.domain_init(rig->driver, &s->domain),
			 0);
}

static void sink_down(struct rig *rig, struct sink *s)
{
	uiommu_vtd_ops.domain_fini(rig->driver, &s->domain);
	uiommu_pt_sink_fini(&s->tables);
}

/* An access at @iova is served, by the page of nobody's. */
static void check_access(struct rig *rig, const struct sink *s, uint64_t iova)
{
	struct vtdm *unit = rig->host->units[0];
	uint64_t paddr = 0;
	uint32_t word = 0x12345678;

	iova &= ~(uint64_t)3;
	if (iova >> 20 == 0xfee)
		return; /* a message, not memory */
	assert_int_equal(vtdm_translate(unit, 0x10, iova, true,
					VTDM_AT_UNTRANSLATED, &paddr),
			 VTDM_OK);
	assert_int_equal(paddr, s->tables.page_paddr | (iova & 0xfff));
	assert_int_equal(vtdm_dma(unit, 0x10, iova, true, &word, 4), VTDM_OK);
	assert_memory_equal((char *)s->tables.pages[0] + (iova & 0xfff), &word,
			    4);
	word = 0;
	assert_int_equal(vtdm_dma(unit, 0x10, iova, false, &word, 4), VTDM_OK);
	assert_int_equal(word, 0x12345678);
}

static void check_sink(struct rig *rig, const struct sink *s,
		       struct random *random)
{
	uint64_t last = (UINT64_C(1) << s->tables.config.width) - 1;
	const struct vtdm_stats *stats = vtdm_stats(rig->host->units[0]);
	uint64_t faults = stats->faults;

	check_access(rig, s, 0);
	check_access(rig, s, last);
	for (unsigned int i = 0; i < 500; i++)
		check_access(rig, s, random_below(random, last));
	assert_int_equal(stats->faults, faults);
}

static void test_kinds(void **state)
{
	static const int rids[] = { 0x10, -1 };
	static struct rig rig;
	static struct rig_device a;
	struct uiommu_hwdomain dma, blocked;
	struct random random;
	struct rig_page p;
	struct sink s;

	(void)state;
	random_init(&random, "vtd sink");
	for (size_t k = 0; k < KINDS; k++) {
		kind_up(&rig, &kinds[k]);
		p = rig_page(&rig, 4096);
		assert_int_equal(rig_device(&rig, &a, rids), 0);
		assert_int_equal(rig_domain(&rig, &dma, UIOMMU_DOMAIN_DMA), 0);
		assert_int_equal(
			rig_domain(&rig, &blocked, UIOMMU_DOMAIN_BLOCKED), 0);
		assert_int_equal(rig_map(&rig, &dma, 0, p.paddr, 4096, RW), 0);
		sink_up(&rig, &s);
		assert_int_equal(rig_attach(&rig, &a, &s.domain), 0);
		check_sink(&rig, &s, &random);
		/* Into the place of another domain, and out of it. */
		assert_int_equal(rig_attach(&rig, &a, &dma), 0);
		assert_true(rig_reaches(&rig, 0x10, 0, p));
		assert_int_equal(rig_attach(&rig, &a, &s.domain), 0);
		p.bytes[0] = 0;
		check_sink(&rig, &s, &random);
		assert_int_equal(p.bytes[0], 0);
		assert_int_equal(rig_attach(&rig, &a, &blocked), 0);
		assert_int_not_equal(rig_write(&rig, 0x10, 0), VTDM_OK);
		sink_down(&rig, &s);
		assert_int_not_equal(rig_write(&rig, 0x10, 0), VTDM_OK);
		rig_device_gone(&rig, &a);
		rig_domain_gone(&rig, &dma);
		rig_domain_gone(&rig, &blocked);
		rig_page_gone(&rig, p, 4096);
		rig_down(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
