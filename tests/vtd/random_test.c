// SPDX-License-Identifier: MIT
/* Anything in any order, for each kind of unit, against a flat oracle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../common/random.h"
#include "kinds.h"

#define RW (UIOMMU_PROT_READ | UIOMMU_PROT_WRITE)

#define PAGES 16
#define DOMAINS 3
#define DEVICES 3

struct chaos {
	struct rig *rig;
	struct random *random;
	struct rig_device dev[DEVICES];
	struct uiommu_hwdomain d[DOMAINS], blocked;
	struct rig_page page[PAGES];
	int map[DOMAINS][PAGES]; /* which page each address leads to, or -1 */
	int in[DEVICES];	 /* domain, or -1 */
};

static const int chaos_rids[DEVICES][3] = { { 0x10, 0x20, -1 },
					    { 0x18, 0x20, -1 },
					    { 0x80, -1, -1 } };

static int any(struct chaos *c, int bound)
{
	return (int)random_below(c->random, (uint64_t)bound);
}

static void chaos_begin(struct chaos *c)
{
	memset(c->map, 0xff, sizeof(c->map));
	memset(c->in, 0xff, sizeof(c->in));
	for (int i = 0; i < PAGES; i++)
		c->page[i] = rig_page(c->rig, 4096);
	for (int i = 0; i < DOMAINS; i++)
		assert_int_equal(
			rig_domain(c->rig, &c->d[i], UIOMMU_DOMAIN_DMA), 0);
	assert_int_equal(rig_domain(c->rig, &c->blocked, UIOMMU_DOMAIN_BLOCKED),
			 0);
	for (int i = 0; i < DEVICES; i++)
		assert_int_equal(rig_device(c->rig, &c->dev[i], chaos_rids[i]),
				 0);
}

static void chaos_end(struct chaos *c)
{
	for (int i = 0; i < DEVICES; i++)
		rig_device_gone(c->rig, &c->dev[i]);
	for (int i = 0; i < DOMAINS; i++)
		rig_domain_gone(c->rig, &c->d[i]);
	rig_domain_gone(c->rig, &c->blocked);
	for (int i = 0; i < PAGES; i++)
		rig_page_gone(c->rig, c->page[i], 4096);
}

static void chaos_move(struct chaos *c)
{
	int x = any(c, DEVICES);
	int y = any(c, DOMAINS + 1);

	c->in[x] = y < DOMAINS ? y : -1;
	assert_int_equal(rig_attach(c->rig, &c->dev[x],
				    y < DOMAINS ? &c->d[y] : &c->blocked),
			 0);
}

static void chaos_unmap(struct chaos *c)
{
	int y = any(c, DOMAINS);
	int at = any(c, PAGES);
	int count = 1 + any(c, PAGES - at);

	assert_int_equal(rig_unmap(c->rig, &c->d[y], (uint64_t)at * 4096,
				   (uint64_t)count * 4096),
			 0);
	for (int i = at; i < at + count; i++)
		c->map[y][i] = -1;
}

static void chaos_map(struct chaos *c)
{
	int y = any(c, DOMAINS);
	int at = any(c, PAGES);

	if (c->map[y][at] >= 0)
		return;
	c->map[y][at] = any(c, PAGES);
	assert_int_equal(rig_map(c->rig, &c->d[y], (uint64_t)at * 4096,
				 c->page[c->map[y][at]].paddr, 4096, RW),
			 0);
}

/* A device reaches what the oracle says, and no more. */
static void chaos_check(struct chaos *c)
{
	for (int i = 0; i < DEVICES; i++) {
		int at = any(c, PAGES);
		int to = c->in[i] < 0 ? -1 : c->map[c->in[i]][at];
		uint64_t iova = (uint64_t)at * 4096;

		if (to < 0)
			assert_int_not_equal(
				rig_write(c->rig, chaos_rids[i][0], iova),
				VTDM_OK);
		else
			assert_true(rig_reaches(c->rig, chaos_rids[i][0], iova,
						c->page[to]));
	}
}

static void test_random(void **state)
{
	static struct rig rig;
	static struct chaos c;
	struct random random;

	(void)state;
	random_init(&random, "attach");
	for (size_t k = 0; k < KINDS; k++) {
		kind_up(&rig, &kinds[k]);
		c.rig = &rig;
		c.random = &random;
		chaos_begin(&c);
		for (unsigned int step = 0; step < 400; step++) {
			int what = any(&c, 4);

			if (what == 0)
				chaos_move(&c);
			else if (what == 1)
				chaos_unmap(&c);
			else if (what == 2)
				chaos_map(&c);
			chaos_check(&c);
		}
		chaos_end(&c);
		rig_down(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
