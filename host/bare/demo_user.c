// SPDX-License-Identifier: MIT
/*
 * The network adapter changes hands: the kernel's driver lets go, a user's
 * drives it through a domain of its own and chooses every address itself, and
 * then the kernel's goes back to work.
 */
#include "demo.h"
#include "user_net.h"

/* Beyond this machine's RAM: only the domain leads anywhere from there. */
#define USER_AT UINT64_C(0x100000000)
#define FRAMES 50u /* more than the rings have entries */

struct user {
	struct uiommu_group *group;
	struct uiommu_domain *domain;
	struct user_dma dma;
	struct user_net net;
};

static int user_map(void *context, uint64_t iova, void *memory, size_t size)
{
	struct user *u = context;
	struct uiommu_range range = { iova, iova + size - 1 };

	return uiommu_domain_map(u->domain, range, virt_to_phys(memory),
				 UIOMMU_PROT_READ | UIOMMU_PROT_WRITE);
}

static int user_unmap(void *context, uint64_t iova, size_t size)
{
	struct user *u = context;
	struct uiommu_range range = { iova, iova + size - 1 };
	uint64_t unmapped = 0;
	int err = uiommu_domain_unmap(u->domain, range, &unmapped);

	if (!err && unmapped != size)
		err = UIOMMU_EIO;
	return err;
}

/* As long as the kernel's driver has the adapter nobody else gets it. */
static void user_claim(struct demo *d, struct user *u)
{
	struct uiommu_device *device = d->net.dma.iommu;
	int err = uiommu_group_claim(u->group, u);
	struct cost cost;

	check(err == UIOMMU_EINUSE,
	      "user: not while the kernel's driver works: %s",
	      uiommu_strerror(err));
	e1000e_stop(&d->net);
	d->has_net = false;
	dma_disconnect(&d->net.dma);
	cost_begin(&cost, d->uiommu);
	err = uiommu_group_claim(u->group, u);
	cost_end(&cost);
	demo_tell(d, device, "network adapter: claimed, blocked",
		  "the kernel's driver let go, and the user's wants it", &cost);
	check(!err, "user: has the adapter: %s", uiommu_strerror(err));
	err = dma_connect(&d->net.dma, d->uiommu);
	check(err == UIOMMU_EOWNED,
	      "user: and the kernel's driver gets it no more: %s",
	      uiommu_strerror(err));
}

static int user_enter(struct demo *d, struct user *u)
{
	struct cost cost;
	int err = uiommu_domain_create(&u->group, 1, &u->domain);

	if (err)
		return err;
	cost_begin(&cost, d->uiommu);
	err = uiommu_group_attach(u->group, u, u->domain);
	cost_end(&cost);
	demo_tell(d, NULL, "network adapter: blocked -> unmanaged",
		  "the user attaches a domain of its own", &cost);
	return err;
}

static int user_leave(struct demo *d, struct user *u)
{
	struct cost cost;
	int put;
	int err;

	cost_begin(&cost, d->uiommu);
	err = uiommu_group_release(u->group, u);
	cost_end(&cost);
	demo_tell(d, NULL, "network adapter: back in its default domain",
		  "the user releases it", &cost);
	put = u->domain ? uiommu_domain_put(d->uiommu, u->domain) : 0;
	return err ? err : put;
}

static void user_work(struct user *u, void *regs)
{
	unsigned int back = 0;
	int err = user_net_open(&u->net, regs, &u->dma, USER_AT);
	int closed;

	for (uint32_t i = 0; !err && i < FRAMES; i++) {
		err = user_net_bounce(
			&u->net, i * 77,
			60 + (i * 97) % (USER_NET_FRAME_MAX - 59));
		back += !err;
	}
	closed = user_net_close(&u->net);
	check(back == FRAMES && !closed,
	      "user: %u of %u frames came back through %lx: %s", back, FRAMES,
	      USER_AT, uiommu_strerror(err ? err : closed));
}

/* The kernel's driver again, with its own rings and somebody who answers. */
static void kernel_again(struct demo *d)
{
	int err = dma_connect(&d->net.dma, d->uiommu);

	if (!err)
		err = demo_net_again(d);
	check(!err, "user: the kernel's driver is back at work: %s",
	      uiommu_strerror(err));
}

void demo_user(struct demo *d)
{
	struct user u = { .group = NULL };
	int err;

	if (!d->uiommu || !d->has_net)
		return;
	print("\nuser: a driver that maps by itself\n");
	u.dma = (struct user_dma){ user_map, user_unmap, &u };
	u.group = uiommu_device_group(d->net.dma.iommu);
	user_claim(d, &u);
	err = user_enter(d, &u);
	check(!err, "user: in a domain of its own: %s", uiommu_strerror(err));
	if (!err)
		user_work(&u, d->net.regs);
	err = user_leave(d, &u);
	check(!err, "user: the adapter is given back: %s",
	      uiommu_strerror(err));
	kernel_again(d);
}
