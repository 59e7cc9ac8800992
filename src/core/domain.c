// SPDX-License-Identifier: MIT
/* Domains: making them, and mapping by address in those a host owns. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* What a pool holds at most; see base/pool.h. */
UIOMMU_STATIC_ASSERT(sizeof(struct uiommu_domain) <= 2032);

static int static_init(struct uiommu *uiommu, struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = uiommu->driver;
	int err = driver->ops->domain_init(driver, &domain->hw);

	domain->ready = !err;
	return err;
}

/* What a broken unit was given it may walk for ever: it stays. */
static void domain_free_tables(struct uiommu_domain *domain)
{
	struct uiommu *uiommu = domain->uiommu;

	if (uiommu_core_broken(uiommu))
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   "a unit is broken: %llu pages of tables are not "
			   "given back",
			   (unsigned long long)domain->hw.pt.table_pages);
	else
		uiommu_pt_fini(&domain->hw.pt);
}

static void static_fini(struct uiommu *uiommu, struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = uiommu->driver;

	if (domain->ready)
		driver->ops->domain_fini(driver, &domain->hw);
	if (domain->hw.pt.root)
		domain_free_tables(domain);
	memset(&domain->hw.pt, 0, sizeof(domain->hw.pt));
	domain->ready = false;
	domain->lost = 0;
	domain->attached = 0;
	domain->kept = 0;
	domain->hw.priv = NULL;
	domain->hw.map_sync = false;
}

int uiommu_core_static_init(struct uiommu *uiommu)
{
	int err = static_init(uiommu, &uiommu->blocked);

	return err ? err : static_init(uiommu, &uiommu->identity);
}

void uiommu_core_static_fini(struct uiommu *uiommu)
{
	static_fini(uiommu, &uiommu->identity);
	static_fini(uiommu, &uiommu->blocked);
}

int uiommu_core_pt_config(struct uiommu *uiommu, const uint32_t *units,
			  uint32_t count, struct uiommu_pt_config *config)
{
	struct uiommu_driver *driver = uiommu->driver;
	int err = driver->ops->pt_config(driver, units, count, config);

	if (!err && uiommu->input.options.superpages == UIOMMU_CHOICE_NO)
		config->page_sizes = UIOMMU_PAGE_SIZE;
	return err;
}

/* Page 0 is never given out: 0 means "no address" to too many drivers. */
static int domain_space(struct uiommu_group *group,
			struct uiommu_domain *domain)
{
	struct uiommu_range space = { UIOMMU_PAGE_SIZE, domain->aperture.last };
	int err;

	err = uiommu_iova_init(&domain->iova, group->uiommu->host, space);
	if (err)
		return err;
	err = uiommu_core_reserve(group, domain);
	if (err)
		uiommu_iova_fini(&domain->iova);
	return err;
}

static int domain_build(struct uiommu_group *group,
			struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = group->uiommu->driver;
	struct uiommu_pt_config config;
	int err;

	err = uiommu_core_pt_config(group->uiommu, group->units,
				    group->unit_count, &config);
	if (err)
		return err;
	err = uiommu_pt_init(&domain->hw.pt, group->uiommu->host, &config);
	if (err)
		return err;
	domain->aperture.last = UIOMMU_MASK64(config.width - 1, 0);

	err = driver->ops->domain_init(driver, &domain->hw);
	if (err)
		goto err_free_pt;
	if (domain->hw.type != UIOMMU_DOMAIN_DMA)
		return UIOMMU_OK;
	err = domain_space(group, domain);
	if (err)
		goto err_fini_domain;
	return UIOMMU_OK;

err_fini_domain:
	driver->ops->domain_fini(driver, &domain->hw);
err_free_pt:
	uiommu_pt_fini(&domain->hw.pt);
	return err;
}

int uiommu_core_domain_make(struct uiommu_group *group,
			    enum uiommu_domain_type type,
			    struct uiommu_domain **domain)
{
	struct uiommu *uiommu = group->uiommu;
	struct uiommu_domain *made = uiommu_pool_alloc(&uiommu->pool, 0);
	int err;

	if (!made)
		return UIOMMU_ENOMEM;
	made->uiommu = uiommu;
	made->hw.type = type;
	err = domain_build(group, made);
	if (err) {
		uiommu_pool_free(&uiommu->pool, made);
		return err;
	}
	made->next = uiommu->domains;
	uiommu->domains = made;
	*domain = made;
	return UIOMMU_OK;
}

void uiommu_core_domain_free(struct uiommu_domain *domain)
{
	struct uiommu *uiommu = domain->uiommu;
	struct uiommu_driver *driver = uiommu->driver;
	struct uiommu_domain **link = &uiommu->domains;

	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;

	if (domain->hw.type == UIOMMU_DOMAIN_DMA)
		uiommu_iova_fini(&domain->iova);
	driver->ops->domain_fini(driver, &domain->hw);
	domain_free_tables(domain);
	uiommu_pool_free(&uiommu->pool, domain);
}

static void domain_note(struct uiommu_domain *domain, int err)
{
	if (err == UIOMMU_EIO || err == UIOMMU_ETIMEDOUT)
		uiommu_store(&domain->lost, 1u);
}

int uiommu_core_map_sync(struct uiommu_domain *domain,
			 struct uiommu_range range)
{
	struct uiommu_driver *driver = domain->uiommu->driver;
	int err;

	if (!domain->hw.map_sync)
		return UIOMMU_OK;
	err = driver->ops->map_sync(driver, &domain->hw, range);
	domain_note(domain, err);
	return err;
}

int uiommu_core_flush(struct uiommu_domain *domain,
		      struct uiommu_gather *gather)
{
	struct uiommu_driver *driver = domain->uiommu->driver;
	int err = driver->ops->invalidate(driver, &domain->hw, gather);

	domain_note(domain, err);
	if (!err && gather->tables)
		uiommu_gather_free(&domain->hw.pt, gather);
	return err;
}

int uiommu_core_unmap(struct uiommu_domain *domain, struct uiommu_range range,
		      uint64_t *unmapped)
{
	struct uiommu_gather gather;
	int err;

	uiommu_gather_init(&gather);
	err = uiommu_pt_unmap(&domain->hw.pt, range, UIOMMU_ALLOC_ATOMIC,
			      &gather, unmapped);
	if (!err && uiommu_core_gathered(&gather))
		err = uiommu_core_flush(domain, &gather);
	return err;
}

int uiommu_core_map(struct uiommu_domain *domain, struct uiommu_range range,
		    uiommu_paddr_t paddr, unsigned int prot, unsigned int flags,
		    bool *stuck)
{
	struct uiommu_gather gather;
	uint64_t unmapped;
	int flushed = UIOMMU_OK;
	int err;

	*stuck = false;
	if (uiommu_core_lost(domain))
		return UIOMMU_EIO;
	uiommu_gather_init(&gather);
	err = uiommu_pt_map(&domain->hw.pt, range, paddr, prot, flags, &gather);
	/* An empty table may have made way for a superpage. */
	if (uiommu_core_gathered(&gather))
		flushed = uiommu_core_flush(domain, &gather);
	if (err) {
		*stuck = flushed != UIOMMU_OK;
		return err;
	}
	err = flushed ? flushed : uiommu_core_map_sync(domain, range);
	if (!err)
		return UIOMMU_OK;

	*stuck = uiommu_core_unmap(domain, range, &unmapped) != UIOMMU_OK;
	return err;
}

int uiommu_domain_create(struct uiommu_group *group,
			 struct uiommu_domain **domain)
{
	struct uiommu *uiommu = group->uiommu;
	unsigned long state = uiommu_host_lock_acquire(uiommu->mutex);
	int err;

	err = uiommu_core_domain_make(group, UIOMMU_DOMAIN_UNMANAGED, domain);
	uiommu_host_lock_release(uiommu->mutex, state);
	return err;
}

/*
 * A unit that broke while a group moved keeps members where they were, though
 * the books have the group blocked: what it may walk must not go.
 */
static bool domain_stuck(const struct uiommu_domain *domain)
{
	const struct uiommu *uiommu = domain->uiommu;
	uint32_t i;

	for (i = 0; i < uiommu->plan.device_count; i++)
		if (uiommu->devices[i].hw.domain == &domain->hw)
			return true;
	return false;
}

int uiommu_domain_destroy(struct uiommu_domain *domain)
{
	struct uiommu *uiommu = domain->uiommu;
	unsigned long state;
	int err = UIOMMU_OK;

	if (domain->hw.type != UIOMMU_DOMAIN_UNMANAGED)
		return UIOMMU_EINVAL;
	state = uiommu_host_lock_acquire(uiommu->mutex);
	if (domain->attached || domain_stuck(domain))
		err = UIOMMU_EBUSY;
	else
		uiommu_core_domain_free(domain);
	uiommu_host_lock_release(uiommu->mutex, state);
	return err;
}

enum uiommu_domain_type uiommu_domain_type(const struct uiommu_domain *domain)
{
	return domain->hw.type;
}

struct uiommu_domain *uiommu_identity_domain(struct uiommu *uiommu)
{
	return &uiommu->identity;
}

struct uiommu_domain *uiommu_blocked_domain(struct uiommu *uiommu)
{
	return &uiommu->blocked;
}

static bool domain_has_tables(const struct uiommu_domain *domain)
{
	return domain->hw.type == UIOMMU_DOMAIN_DMA ||
	       domain->hw.type == UIOMMU_DOMAIN_UNMANAGED;
}

int uiommu_domain_aperture(const struct uiommu_domain *domain,
			   struct uiommu_range *range)
{
	if (!domain_has_tables(domain))
		return UIOMMU_EINVAL;
	*range = domain->aperture;
	return UIOMMU_OK;
}

uint64_t uiommu_domain_table_pages(const struct uiommu_domain *domain)
{
	return domain->hw.pt.root ? uiommu_load(&domain->hw.pt.table_pages) : 0;
}

int uiommu_domain_map(struct uiommu_domain *domain, struct uiommu_range range,
		      uiommu_paddr_t paddr, unsigned int prot)
{
	bool stuck;

	if (domain->hw.type != UIOMMU_DOMAIN_UNMANAGED)
		return UIOMMU_EPERM;
	return uiommu_core_map(domain, range, paddr, prot, UIOMMU_ALLOC_ATOMIC,
			       &stuck);
}

int uiommu_domain_unmap(struct uiommu_domain *domain, struct uiommu_range range,
			uint64_t *unmapped)
{
	uint64_t bytes;
	int err;

	if (domain->hw.type != UIOMMU_DOMAIN_UNMANAGED)
		return UIOMMU_EPERM;
	if (uiommu_core_keeps(domain, range))
		return UIOMMU_EPERM;
	err = uiommu_core_unmap(domain, range, &bytes);
	if (!err && unmapped)
		*unmapped = bytes;
	return err;
}

int uiommu_domain_lookup(const struct uiommu_domain *domain, uiommu_iova_t iova,
			 uiommu_paddr_t *paddr)
{
	if (domain->hw.type == UIOMMU_DOMAIN_IDENTITY && !domain->hw.pt.root) {
		*paddr = iova;
		return UIOMMU_OK;
	}
	if (!domain->hw.pt.root || iova > domain->aperture.last)
		return UIOMMU_ENOENT;
	return uiommu_pt_lookup(&domain->hw.pt, iova, paddr, NULL);
}
