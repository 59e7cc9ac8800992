// SPDX-License-Identifier: MIT
/* What is read from good tables, from tables of any size, and by bad calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "acpi/dmar_findings.h"
#include "dmar_table.h"

#define SLOWEST_SECONDS 20 /* with sanitizers, on any machine */

static struct table t;

static void read_table(struct reading *r)
{
	table_seal(&t);
	reading_init(r, t.bytes, t.size);
}

static void assert_path(const struct reading *r, uint32_t scope,
			unsigned int hop, unsigned int device,
			unsigned int function)
{
	uint8_t dev, fn;

	assert_int_equal(uiommu_dmar_path(&r->dmar, &r->dmar.scopes[scope], hop,
					  &dev, &fn),
			 UIOMMU_OK);
	assert_int_equal(dev, device);
	assert_int_equal(fn, function);
}

static void build_all_types(void)
{
	table_begin(&t);
	t.bytes[8] = 2;
	t.bytes[10] = '\n';
	t.bytes[36] = 45;
	t.bytes[37] = 5;
	table_drhd(&t, 0, 4, 1, UINT64_C(0xd37fc0000));
	table_scope(&t, UIOMMU_SCOPE_BRIDGE, 0, 0x80, 1, 2);
	table_hop(&t, 3, 4);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 1, 0xfed91000);
	table_scope(&t, UIOMMU_SCOPE_IOAPIC, 2, 0xf0, 31, 7);
	table_scope(&t, UIOMMU_SCOPE_HPET, 1, 0xf1, 15, 0);
	table_scope(&t, UIOMMU_SCOPE_NAMESPACE, 9, 0, 21, 1);
	table_rmrr(&t, 1, 0x7b800000, 0x7fffffff);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_named(&t, UIOMMU_DMAR_ATSR, UIOMMU_ATSR_ALL_PORTS, 1);
	table_rhsa(&t, 0xfed91000, 0x12345678);
	table_andd(&t, 9, "\\_SB.PCI0.I2C0");
	table_put(&t, 0, 2); /* padding that firmware likes */
	table_named(&t, UIOMMU_DMAR_SATC, UIOMMU_SATC_ATC_REQUIRED, 1);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_named(&t, UIOMMU_DMAR_SIDP, 0, 1);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 11, 0);
	table_set(&t, t.scope + 2, UIOMMU_SIDP_ATC_HARDENED, 1);
}

static void test_all_types(void **state)
{
	const struct uiommu_dmar_record *record;
	struct reading r;

	(void)state;
	build_all_types();
	read_table(&r);
	record = r.dmar.records;
	assert_int_equal(r.err, UIOMMU_OK);
	assert_int_equal(r.dmar.finding_count, 0);
	assert_int_equal(r.dmar.size, t.size);
	assert_int_equal(r.dmar.revision, 2);
	assert_int_equal(r.dmar.address_width, 46);
	assert_int_equal(r.dmar.flags,
			 UIOMMU_DMAR_INTR_REMAP | UIOMMU_DMAR_PLATFORM_OPT_IN);
	assert_string_equal(r.dmar.oem_id, "?IOMMU");
	assert_string_equal(r.dmar.oem_table_id, "TEST");
	assert_int_equal(r.dmar.record_count, 8);
	assert_int_equal(r.dmar.scope_count, 7);

	assert_int_equal(record[0].type, UIOMMU_DMAR_DRHD);
	assert_int_equal(record[0].segment, 1);
	assert_int_equal(record[0].flags, 0);
	assert_true(record[0].range.first == UINT64_C(0xd37fc0000));
	assert_true(record[0].range.last == UINT64_C(0xd37fcffff));
	assert_int_equal(record[1].flags, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	assert_int_equal(record[1].scope_first, 1);
	assert_int_equal(record[1].scope_count, 3);
	assert_true(record[1].range.last == 0xfed91fff);
	assert_true(record[2].range.first == 0x7b800000);
	assert_true(record[2].range.last == 0x7fffffff);
	assert_int_equal(record[3].flags, UIOMMU_ATSR_ALL_PORTS);
	assert_true(record[4].base == 0xfed91000);
	assert_int_equal(record[4].proximity_domain, 0x12345678);
	assert_int_equal(record[5].device_number, 9);
	assert_int_equal(record[5].name_length, 14);
	assert_memory_equal(r.dmar.table + record[5].name_offset,
			    "\\_SB.PCI0.I2C0", 15);
	assert_int_equal(record[6].flags, UIOMMU_SATC_ATC_REQUIRED);
	assert_int_equal(record[7].segment, 1);
	for (uint32_t i = 0; i < r.dmar.record_count; i++)
		assert_true(record[i].usable);
	reading_fini(&r);
}

static void test_scopes(void **state)
{
	const struct uiommu_dmar_scope *scope;
	struct reading r;

	(void)state;
	build_all_types();
	read_table(&r);
	scope = r.dmar.scopes;
	assert_int_equal(scope[0].type, UIOMMU_SCOPE_BRIDGE);
	assert_int_equal(scope[0].start_bus, 0x80);
	assert_int_equal(scope[0].path_count, 2);
	assert_path(&r, 0, 0, 1, 2);
	assert_path(&r, 0, 1, 3, 4);
	assert_int_equal(scope[1].enumeration_id, 2);
	assert_path(&r, 1, 0, 31, 7);
	assert_int_equal(scope[2].type, UIOMMU_SCOPE_HPET);
	assert_int_equal(scope[2].start_bus, 0xf1);
	assert_int_equal(scope[3].enumeration_id, 9);
	assert_int_equal(scope[4].record, 2);
	assert_int_equal(scope[5].flags, 0);
	assert_int_equal(scope[6].flags, UIOMMU_SIDP_ATC_HARDENED);
	reading_fini(&r);
}

/* The longest path a length byte can tell. */
static void test_path_of_124_hops(void **state)
{
	struct reading r;

	(void)state;
	table_begin(&t);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 0, 0xfed90000);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 0, 0);
	for (unsigned int hop = 1; hop < 124; hop++)
		table_hop(&t, hop % 32, hop % 8);
	read_table(&r);
	assert_int_equal(r.dmar.finding_count, 0);
	assert_int_equal(r.dmar.scopes[0].path_count, 124);
	assert_path(&r, 0, 123, 123 % 32, 123 % 8);
	reading_fini(&r);
}

static void test_what_is_used_is_put_right(void **state)
{
	struct reading r;

	(void)state;
	table_begin(&t);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL | 0x80, 0x14, 0, 0xfed90000);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 0, 0xfed80000);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 1, 0xfed70000);
	table_rmrr(&t, 0, 0x1234, 0x2345);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	read_table(&r);
	assert_int_equal(r.dmar.records[0].flags, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	assert_true(r.dmar.records[0].range.last == 0xfed9ffff);
	assert_int_equal(r.dmar.records[1].flags, 0);
	assert_int_equal(r.dmar.records[2].flags, UIOMMU_DRHD_INCLUDE_PCI_ALL);
	assert_true(r.dmar.records[3].range.first == 0x1000);
	assert_true(r.dmar.records[3].range.last == 0x2fff);
	reading_fini(&r);
}

/* A bad record takes nothing else down. */
static void test_good_ones_survive_bad_ones(void **state)
{
	struct reading r;

	(void)state;
	table_begin(&t);
	table_drhd(&t, 0, 0, 0, 0);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_record(&t, 99);
	table_rmrr(&t, 0, 9, 8);
	table_andd(&t, 1, "");
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 0, 0xfed90000);
	table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	table_record(&t, UIOMMU_DMAR_RMRR);
	table_set(&t, t.record + 2, 0, 2); /* Linux 6.1 never comes back */
	read_table(&r);
	assert_int_equal(r.err, UIOMMU_OK);
	assert_int_equal(r.dmar.record_count, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(r.dmar.records[i].usable, i == 4);
	assert_true(r.dmar.scopes[1].usable);
	reading_fini(&r);
}

/* Each type at its shortest, and one byte short of that. */
static void test_shortest_records(void **state)
{
	static const uint8_t shortest[] = { 16, 24, 8, 20, 9, 8, 8 };
	struct reading r;

	(void)state;
	for (unsigned int type = 0; type < sizeof(shortest); type++) {
		for (unsigned int less = 0; less < 2; less++) {
			table_begin(&t);
			table_record(&t, type);
			while (t.size < TABLE_HEADER + shortest[type] - less)
				table_put(&t, 0, 1);
			read_table(&r);
			assert_int_equal(r.dmar.record_count, 1);
			assert_int_equal(r.dmar.findings[0].id ==
						 DMAR_RECORD_SHORT,
					 less);
			reading_fini(&r);
		}
	}
}

/* One that is not used is complained about once. */
static void test_unused_and_nameless(void **state)
{
	struct reading r;

	(void)state;
	table_begin(&t);
	table_drhd(&t, 0, 0, 0, 0);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 0, 0xfed90000);
	table_rmrr(&t, 5, 2, 1);
	read_table(&r);
	assert_int_equal(r.dmar.finding_count, 2);
	assert_int_equal(r.dmar.findings[0].id, DMAR_DRHD_BASE_ZERO);
	assert_int_equal(r.dmar.findings[1].id, DMAR_RMRR_END);
	reading_fini(&r);
}

/* The same path is another device in another segment, or of another number. */
static void test_same_path_other_device(void **state)
{
	struct reading r;

	(void)state;
	table_begin(&t);
	for (unsigned int segment = 0; segment < 2; segment++) {
		table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, segment,
			   0xfed90000 + segment * 0x1000);
		table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
		table_scope(&t, UIOMMU_SCOPE_IOAPIC, 1, 0, 2, 0);
		table_scope(&t, UIOMMU_SCOPE_IOAPIC, 2, 0, 2, 0);
		table_scope(&t, UIOMMU_SCOPE_BRIDGE, 0, 0, 2, 0);
		table_scope(&t, UIOMMU_SCOPE_BRIDGE, 0, 0, 2, 0);
		table_hop(&t, 0, 0);
		table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 1, 2, 0);
		table_rmrr(&t, segment, 0x1000, 0x1fff);
		table_scope(&t, UIOMMU_SCOPE_ENDPOINT, 0, 0, 2, 0);
	}
	read_table(&r);
	assert_int_equal(r.dmar.finding_count, 0);
	reading_fini(&r);
}

/* The very last byte of the table is where a scope's type would be. */
static void test_half_scope_at_the_end(void **state)
{
	struct reading r;

	(void)state;
	table_begin(&t);
	table_drhd(&t, UIOMMU_DRHD_INCLUDE_PCI_ALL, 0, 0, 0xfed90000);
	table_put(&t, UIOMMU_SCOPE_ENDPOINT, 1);
	read_table(&r);
	assert_int_equal(r.dmar.finding_count, 1);
	assert_int_equal(r.dmar.findings[0].id, DMAR_SCOPE_TRAILING);
	reading_fini(&r);
}

static void test_bytes_after_the_table(void **state)
{
	struct reading r;

	(void)state;
	build_all_types();
	table_seal(&t);
	memset(t.bytes + t.size, 0xee, 16);
	reading_init(&r, t.bytes, t.size + 16);
	assert_int_equal(r.err, UIOMMU_OK);
	assert_int_equal(r.dmar.finding_count, 0);
	assert_int_equal(r.dmar.size, t.size);
	reading_fini(&r);
}

static void test_bad_calls(void **state)
{
	static _Alignas(8) uint8_t memory[64 * 48];
	const size_t enough = sizeof(memory) / 2;
	struct uiommu_dmar dmar, before;

	(void)state;
	table_begin(&t);
	table_seal(&t);
	memset(&before, 0x5a, sizeof(before));
	dmar = before;
	assert_int_equal(uiommu_dmar_memory(48), enough);
	assert_int_equal(uiommu_dmar_memory(0), enough);
	assert_int_equal(uiommu_dmar_memory(UIOMMU_DMAR_SIZE_MAX + 1), 0);

	assert_int_equal(uiommu_dmar_read(NULL, 48, memory, enough, &dmar),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_dmar_read(t.bytes, 48, NULL, enough, &dmar),
			 UIOMMU_EINVAL);
	assert_int_equal(uiommu_dmar_read(t.bytes, 48, memory, enough, NULL),
			 UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_dmar_read(t.bytes, 48, memory + 4, enough, &dmar),
		UIOMMU_EINVAL);
	assert_int_equal(
		uiommu_dmar_read(t.bytes, 48, memory, enough - 1, &dmar),
		UIOMMU_EINVAL);
	assert_int_equal(uiommu_dmar_read(t.bytes, UIOMMU_DMAR_SIZE_MAX + 1,
					  memory, sizeof(memory), &dmar),
			 UIOMMU_EINVAL);
	assert_memory_equal(&dmar, &before, sizeof(dmar));
	assert_int_equal(uiommu_dmar_read(t.bytes, 48, memory, enough, &dmar),
			 UIOMMU_OK);
}

static void dense_unknown(void)
{
	table_record(&t, 0xffff);
}

static void dense_short(void)
{
	table_record(&t, UIOMMU_DMAR_DRHD);
}

/* Everything wrong that can be at once. */
static void dense_atsr(void)
{
	table_named(&t, UIOMMU_DMAR_ATSR, 0xfe, t.size & 0xffff);
	table_set(&t, t.record + 5, t.size >> 16 | 0x80, 1);
}

static void dense_sidp(void)
{
	table_named(&t, UIOMMU_DMAR_SIDP, 0xff, t.size & 0xffff);
	table_set(&t, t.record + 5, t.size >> 16 | 0x80, 1);
	table_put(&t, 0xff, 1);
}

static void dense_andd(void)
{
	table_andd(&t, 1, "");
	table_set(&t, t.record + 4, 0xff, 1);
}

static void dense_drhd(void)
{
	uint32_t at = t.size;

	table_drhd(&t, 0xfe, 0xf1, 1,
		   UINT64_C(0x8000000000) + at / 16 * UINT64_C(0x1000));
}

static void dense_rmrr(void)
{
	table_rmrr(&t, 1, 0x1fff - t.size % 7, 0x2000 + t.size % 11);
	table_set(&t, t.record + 4, 0xff, 1);
}

static void dense_rhsa(void)
{
	table_rhsa(&t, 0xfed90000, 0);
	table_set(&t, t.record + 4, 0xff, 1);
}

/* Records as long as they can be, full of scopes. */
static void dense_scope(unsigned int length)
{
	uint32_t n = t.size;

	if (!t.record || t.size - t.record > 0xff00)
		table_drhd(&t, 0, 0, 0, 0x10000 + n / 16 * 0x1000ull);
	t.scope = 0;
	table_put(&t, 1, 1);
	table_put(&t, length, 1);
	table_put(&t, 0xffff, 2);
	table_put(&t, 1 + n / 8 % 255, 1);
	table_put(&t, n / 2048, 1);
	for (unsigned int i = 6; i < length; i++)
		table_put(&t, (i == 6 ? n >> 3 : n >> 7) & 7, 1);
}

static void dense_scope6(void)
{
	dense_scope(6);
}

static void dense_scope7(void)
{
	dense_scope(7);
}

static void dense_scope8(void)
{
	dense_scope(8);
}

static void dense_scopes_of_nothing(void)
{
	table_named(&t, UIOMMU_DMAR_ATSR, 0xfe, t.size & 0xffff);
	table_put(&t, 0xff, 1);
	table_put(&t, 6, 1);
	table_put(&t, UINT64_C(0xffffffff), 4);
	table_put(&t, 0, 1);
}

/*
 * As many of a kind as the largest table holds: memory is enough for every
 * finding, and the time is short although it grows with their square.
 */
static void test_dense(void **state)
{
	void (*const *fill)(void) = *state;
	clock_t took;
	struct reading r;

	table_begin(&t);
	t.bytes[37] = 0xff;
	memset(t.bytes + 38, 0xff, 10);
	while (t.size < UIOMMU_DMAR_SIZE_MAX - 32)
		(*fill)();
	t.record = 0;
	t.scope = 0;
	table_put(&t, 0xff, 1);
	took = clock();
	read_table(&r);
	took = clock() - took;
	print_message("%u records, %u scopes, %u findings, %ld ms\n",
		      r.dmar.record_count, r.dmar.scope_count,
		      r.dmar.finding_count,
		      (long)(took * 1000 / CLOCKS_PER_SEC));
	assert_int_equal(r.err, UIOMMU_OK);
	assert_true(took / CLOCKS_PER_SEC < SLOWEST_SECONDS);
	reading_fini(&r);
}

static void (*const dense[])(void) = {
	dense_unknown,
	dense_short,
	dense_atsr,
	dense_sidp,
	dense_andd,
	dense_drhd,
	dense_rmrr,
	dense_rhsa,
	dense_scope6,
	dense_scope7,
	dense_scopes_of_nothing,
	dense_scope8,
};

#define DENSE_COUNT (sizeof(dense) / sizeof(dense[0]))

int main(void)
{
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(test_all_types),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_path_of_124_hops),
		cmocka_unit_test(test_what_is_used_is_put_right),
		cmocka_unit_test(test_good_ones_survive_bad_ones),
		cmocka_unit_test(test_shortest_records),
		cmocka_unit_test(test_unused_and_nameless),
		cmocka_unit_test(test_same_path_other_device),
		cmocka_unit_test(test_half_scope_at_the_end),
		cmocka_unit_test(test_bytes_after_the_table),
		cmocka_unit_test(test_bad_calls),
	};
	static struct CMUnitTest many[DENSE_COUNT];
	int failed;

	for (size_t i = 0; i < DENSE_COUNT; i++) {
		many[i] = (struct CMUnitTest)cmocka_unit_test(test_dense);
		many[i].initial_state = (void *)(uintptr_t)&dense[i];
	}
	failed = cmocka_run_group_tests(plain, NULL, NULL);
	failed += cmocka_run_group_tests(many, NULL, NULL);
	return failed;
}
