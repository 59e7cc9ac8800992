// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "watch.h"

static uint64_t pool_pages(const struct uiommu_pool *pool)
{
	const void *page = pool->pages;
	uint64_t count = 0;

	for (; page; count++)
		memcpy(&page, page, sizeof(page));
	return count;
}

uint64_t watch_pages(struct machine *machine)
{
	const struct uiommu *uiommu = machine->uiommu;
	const struct uiommu_domain *domain;
	uint64_t pages = machine->host->pages;

	pages -= pool_pages(&uiommu->device_pool);
	pages -= pool_pages(&uiommu->group_pool);
	pages -= pool_pages(&uiommu->pool);
	pages -= pool_pages(&uiommu->bounces.pool);
	for (domain = uiommu->domains; domain; domain = domain->next)
		if (domain->hw.type != UIOMMU_DOMAIN_SINK)
			pages -= domain->hw.pt.table_pages;
	if (uiommu->identity.hw.pt.root)
		pages -= uiommu->identity.hw.pt.table_pages;
	return pages;
}

static void take_device(const struct uiommu_device *device,
			struct watch_device *to)
{
	to->sid = device->hw.sids[0];
	to->device = device;
	to->group = device->group;
	to->domain = device->domain;
	to->dma = device->dma;
	to->hardware = fake_domain_of(to->sid);
	to->mask = device->dma_mask;
	to->uses = device->uses;
	to->barred = device->barred;
	to->resetting = device->resetting;
	to->paused = device->paused;
}

static void take_group(const struct uiommu_group *group, struct watch_group *to)
{
	const struct uiommu_device *device;

	to->group = group;
	to->own = group->default_domain;
	to->domain = group->domain;
	to->sink = group->sink;
	to->owner = group->owner;
	to->type = group->type;
	to->uses = group->uses;
	to->resets = group->resets;
	to->attached = group->domain->attached;
	for (device = group->members; device; device = device->next)
		to->members++;
}

void watch_take(struct machine *machine, struct watch *watch)
{
	const struct uiommu *uiommu = machine->uiommu;
	const struct uiommu_edition *now = uiommu->edition;

	memset(watch, 0, sizeof(*watch));
	watch->edition = now;
	watch->device_count = now->view.plan.device_count;
	watch->group_count = now->view.plan.group_count;
	assert_true(watch->device_count <= FAKE_DEVICES);
	for (uint32_t i = 0; i < watch->device_count; i++)
		take_device(now->devices[i], &watch->devices[i]);
	for (uint32_t i = 0; i < watch->group_count; i++)
		take_group(now->groups[i], &watch->groups[i]);
	watch->overrides = uiommu->input.override_count;
	watch->masks = uiommu->input.mask_count;
	watch->domains = fake.domains;
	watch->pages = watch_pages(machine);
	watch->locks = machine->host->locks;
	watch->windows = machine->host->windows;
}

void watch_check(struct machine *machine, const struct watch *watch,
		 const char *what)
{
	struct watch now;

	watch_agree(machine, what);
	watch_take(machine, &now);
	for (uint32_t i = 0; i < watch->device_count; i++)
		if (memcmp(&now.devices[i], &watch->devices[i],
			   sizeof(now.devices[i])))
			fail_msg("%s: device %04x is not as it was", what,
				 watch->devices[i].sid.rid);
	for (uint32_t i = 0; i < watch->group_count; i++)
		if (memcmp(&now.groups[i], &watch->groups[i],
			   sizeof(now.groups[i])))
			fail_msg("%s: group %u is not as it was", what, i);
	if (now.edition != watch->edition)
		fail_msg("%s: another plan is in force", what);
	if (now.pages != watch->pages)
		fail_msg("%s: %llu pages are held now, %llu before", what,
			 (unsigned long long)now.pages,
			 (unsigned long long)watch->pages);
	if (now.domains != watch->domains)
		fail_msg("%s: %u domains now, %u before", what, now.domains,
			 watch->domains);
	if (memcmp(&now, watch, sizeof(now)))
		fail_msg("%s: something is not as it was", what);
}

/* Where a member must be, whatever befell it. */
static bool agrees(const struct uiommu_device *device)
{
	const struct uiommu_group *group = device->group;
	const struct uiommu_domain *refusal = group->sink;
	const struct uiommu_domain *domain = device->domain;
	bool refused = device->barred ||
		       (device->resetting && !device->hw.direct);

	if (domain->hw.type != UIOMMU_DOMAIN_BLOCKED &&
	    domain != (refused ? refusal : group->domain))
		return false;
	if (!refused && domain != group->domain)
		return false;
	return device->hw.domain == &domain->hw &&
	       fake_domain_of(device->hw.sids[0]) == &domain->hw;
}

void watch_agree(struct machine *machine, const char *what)
{
	const struct uiommu_edition *now = machine->uiommu->edition;
	const struct uiommu_plan *plan = &now->view.plan;

	for (uint32_t i = 0; i < plan->device_count; i++) {
		const struct uiommu_device *device = now->devices[i];

		if (uiommu_core_device_index(device) != i ||
		    device->barred != plan->devices[i].barred)
			fail_msg("%s: device %04x is not what the plan says",
				 what, device->hw.sids[0].rid);
		if (device->group && !agrees(device))
			fail_msg("%s: device %04x is not where the books say",
				 what, device->hw.sids[0].rid);
	}
	for (uint32_t i = 0; i < plan->group_count; i++)
		if (now->groups[i]->type != plan->groups[i].type ||
		    now->groups[i]->id != plan->groups[i].id)
			fail_msg("%s: group %u is not what the plan says", what,
				 i);
}
