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

static void domain_free_pages(struct uiommu_domain *domain)
{
	if (domain->hw.type == UIOMMU_DOMAIN_SINK)
		uiommu_pt_sink_fini(&domain->sink);
	else
		uiommu_pt_fini(&domain->hw.pt);
}

bool uiommu_core_domain_held(const struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = domain->uiommu->driver;

	return driver->ops->domain_held(driver, &domain->hw);
}

/* Its last: the driver forgets it. What a broken unit may walk stays. */
static void domain_end(struct uiommu_domain *domain)
{
	struct uiommu_driver *driver = domain->uiommu->driver;
	bool held = uiommu_core_domain_held(domain);

	driver->ops->domain_fini(driver, &domain->hw);
	if (!domain->hw.pt.root)
		return;
	if (held)
		uiommu_log(domain->uiommu->host, UIOMMU_LOG_ERROR,
			   "a unit is broken: %llu pages of tables are not "
			   "given back",
			   (unsigned long long)domain->hw.pt.table_pages);
	else
		domain_free_pages(domain);
}

static void static_fini(struct uiommu_domain *domain)
{
	if (domain->ready)
		domain_end(domain);
	memset(&domain->hw.pt, 0, sizeof(domain->hw.pt));
	domain->ready = false;
	domain->lost = 0;
	domain->attached = 0;
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
	static_fini(&uiommu->identity);
	static_fini(&uiommu->blocked);
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
static int domain_space(struct uiommu_domain *domain)
{
	struct uiommu_range space = { UIOMMU_PAGE_SIZE, domain->aperture.last };

	return uiommu_iova_init(&domain->iova, domain->uiommu->host, space);
}

static int domain_make_tables(struct uiommu_domain *domain,
			      const struct uiommu_pt_config *config)
{
	struct uiommu_host *host = domain->uiommu->host;
	int err;

	if (domain->hw.type != UIOMMU_DOMAIN_SINK)
		return uiommu_pt_init(&domain->hw.pt, host, config);
	err = uiommu_pt_sink_init(&domain->sink, host, config);
	if (!err)
		uiommu_pt_sink_tables(&domain->sink, &domain->hw.pt);
	return err;
}

static int domain_build(struct uiommu_domain *domain,
			const struct uiommu_pt_config *config)
{
	struct uiommu_driver *driver = domain->uiommu->driver;
	int err;

	err = domain_make_tables(domain, config);
	if (err)
		return err;
	domain->aperture.last = UIOMMU_MASK64(config->width - 1, 0);
	err = driver->ops->domain_init(driver, &domain->hw);
	if (err)
		goto err_free_tables;
	if (domain->hw.type != UIOMMU_DOMAIN_DMA)
		return UIOMMU_OK;
	err = domain_space(domain);
	if (err)
		goto err_fini_domain;
	return UIOMMU_OK;

err_fini_domain:
	driver->ops->domain_fini(driver, &domain->hw);
err_free_tables:
	domain_free_pages(domain);
	return err;
}

/* The units of all members of @groups, each once; there are few. */
static uint32_t domain_units(struct uiommu *uiommu,
			     struct uiommu_group *const *groups, uint32_t count)
{
	const struct uiommu_device *device;
	uint32_t found = 0;
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		for (device = groups[i]->members; device;
		     device = device->next) {
			for (j = 0; j < found; j++)
				if (uiommu->units[j] == device->hw.unit)
					break;
			if (j == found)
				uiommu->units[found++] = device->hw.unit;
		}
	}
	return found;
}

int uiommu_core_domain_make(struct uiommu_group *const *groups, uint32_t count,
			    enum uiommu_domain_type type,
			    struct uiommu_domain **domain)
{
	struct uiommu *uiommu = groups[0]->uiommu;
	struct uiommu_pt_config config;
	struct uiommu_domain *made;
	int err;

	err = uiommu_core_pt_config(uiommu, uiommu->units,
				    domain_units(uiommu, groups, count),
				    &config);
	if (err)
		return err;
	made = uiommu_pool_alloc(&uiommu->pool, 0);
	if (!made)
		return UIOMMU_ENOMEM;
	made->uiommu = uiommu;
	made->hw.type = type;
	err = domain_build(made, &config);
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
	struct uiommu_domain **link = &uiommu->domains;

	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;

	if (domain->hw.type == UIOMMU_DOMAIN_DMA)
		uiommu_iova_fini(&domain->iova);
	domain_end(domain);
	uiommu_pool_free(&uiommu->pool, domain);
}

/*
 * A unit that broke while a group moved keeps members where they were, though
 * the books have the group blocked: what it may walk must not go.
 */
static bool domain_stuck(const struct uiommu_domain *domain)
{
	const struct uiommu_edition *now = domain->uiommu->edition;
	uint32_t i;

	for (i = 0; now && i < now->view.plan.device_count; i++)
		if (now->devices[i] &&
		    now->devices[i]->hw.domain == &domain->hw)
			return true;
	return false;
}

void uiommu_core_domain_drop(struct uiommu_domain *domain)
{
	/* Else stop frees it, when the devices are gone. */
	if (!domain_stuck(domain))
		uiommu_core_domain_free(domain);
}

void uiommu_core_domain_left(struct uiommu_domain *domain)
{
	if (domain->hw.type == UIOMMU_DOMAIN_UNMANAGED && !domain->holders &&
	    !domain->attached)
		uiommu_core_domain_drop(domain);
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

int uiommu_domain_create(struct uiommu_group *const *groups, uint32_t count,
			 struct uiommu_domain **domain)
{
	struct uiommu *uiommu;
	unsigned long state;
	uint32_t i;
	int err;

	if (!count)
		return UIOMMU_EINVAL;
	uiommu = groups[0]->uiommu;
	for (i = 1; i < count; i++)
		if (groups[i]->uiommu != uiommu)
			return UIOMMU_EINVAL;
	state = uiommu_core_lock(uiommu);
	err = uiommu_core_domain_make(groups, count, UIOMMU_DOMAIN_UNMANAGED,
				      domain);
	if (!err)
		(*domain)->holders = 1;
	uiommu_core_unlock(uiommu, state);
	return err;
}

bool uiommu_core_domain_known(const struct uiommu *uiommu,
			      const struct uiommu_domain *domain)
{
	const struct uiommu_domain *known;

	for (known = uiommu->domains; known; known = known->next)
		if (known == domain)
			return true;
	return domain == &uiommu->identity || domain == &uiommu->blocked;
}

void uiommu_domain_get(struct uiommu_domain *domain)
{
	unsigned long state = uiommu_core_lock(domain->uiommu);

	domain->holders++;
	uiommu_core_unlock(domain->uiommu, state);
}

static int domain_put(struct uiommu *uiommu, struct uiommu_domain *domain)
{
	if (!uiommu_core_domain_known(uiommu, domain))
		return UIOMMU_ESTALE;
	if (domain->hw.type != UIOMMU_DOMAIN_UNMANAGED)
		return UIOMMU_EINVAL;
	if (!domain->holders)
		return UIOMMU_EBUSY;
	domain->holders--;
	uiommu_core_domain_left(domain);
	return UIOMMU_OK;
}

int uiommu_domain_put(struct uiommu *uiommu, struct uiommu_domain *domain)
{
	unsigned long state = uiommu_core_lock(uiommu);
	int err = domain_put(uiommu, domain);

	uiommu_core_unlock(uiommu, state);
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
	if (domain->hw.type == UIOMMU_DOMAIN_SINK) {
		*paddr = domain->sink.page_paddr + (iova & UIOMMU_PAGE_MASK);
		return iova > domain->aperture.last ? UIOMMU_ENOENT : UIOMMU_OK;
	}
	if (!domain->hw.pt.root || iova > domain->aperture.last)
		return UIOMMU_ENOENT;
	return uiommu_pt_lookup(&domain->hw.pt, iova, paddr, NULL);
}
