// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

struct fake fake;

struct fake_driver {
	struct uiommu_driver driver; /* first */
	const struct uiommu_dmar *dmar;
	void *started; /* a page held from start to stop */
};

/* A wrong call is a bug in the core: no test goes on after it. */
#define FAKE_CHECK(condition)                                              \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "fake driver: %s: %s\n", __func__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
}

static int fake_op(void)
{
	uint64_t to = fake.fail_to ? fake.fail_to : fake.fail_op;

	fake.ops++;
	if (!fake.fail_op || fake.ops < fake.fail_op || fake.ops > to)
		return UIOMMU_OK;
	return fake.fail_error ? fake.fail_error : UIOMMU_EIO;
}

static void *fake_page(struct uiommu_host *host)
{
	uiommu_paddr_t paddr;

	return uiommu_host_page_alloc(host, 4096, 0, &paddr);
}

static int fake_create(const struct uiommu_driver_env *env,
		       struct uiommu_driver **driver)
{
	struct fake_driver *made;
	int err = fake_op();

	FAKE_CHECK(!fake.created && env->timeout_us);
	if (err)
		return err;
	made = fake_page(env->host);
	if (!made)
		return UIOMMU_ENOMEM;
	made->driver.ops = &uiommu_vtd_ops;
	made->driver.host = env->host;
	made->dmar = env->dmar;
	fake.created = true;
	*driver = &made->driver;
	return UIOMMU_OK;
}

static void fake_destroy(struct uiommu_driver *driver)
{
	FAKE_CHECK(fake.created && !fake.started);
	fake.created = false;
	uiommu_host_page_free(driver->host, driver, 4096);
}

static void fake_describe(struct uiommu_driver *driver,
			  struct uiommu_plan_unit *units, uint32_t count)
{
	const struct fake_driver *own = (const struct fake_driver *)driver;

	FAKE_CHECK(count == own->dmar->record_count);
	for (uint32_t i = 0; i < count; i++) {
		units[i].present = own->dmar->records[i].type ==
					   UIOMMU_DMAR_DRHD &&
				   own->dmar->records[i].usable;
		units[i].passthrough = !fake.no_passthrough;
	}
}

static enum uiommu_domain_type
fake_def_domain_type(struct uiommu_driver *driver,
		     const struct uiommu_pci_function *function)
{
	(void)driver;
	if (!fake.required_rid || function->sid.rid != fake.required_rid)
		return UIOMMU_DOMAIN_NONE;
	return fake.required;
}

static void fake_leave(struct uiommu_driver *driver, uint32_t record,
		       bool leave)
{
	(void)driver;
	FAKE_CHECK(!fake.started && record < 64);
	fake.left &= ~(1ull << record);
	fake.left |= (uint64_t)leave << record;
}

static int fake_unit_info(struct uiommu_driver *driver, uint32_t index,
			  struct uiommu_unit_info *info)
{
	(void)driver;
	if (index > 0)
		return UIOMMU_ENOENT;
	memset(info, 0, sizeof(*info));
	info->translating = fake.translating;
	info->broken = fake.broken;
	return UIOMMU_OK;
}

static int fake_start(struct uiommu_driver *driver)
{
	struct fake_driver *own = (struct fake_driver *)driver;
	int err = fake_op();

	FAKE_CHECK(fake.created && !fake.started);
	if (err)
		return err;
	own->started = fake_page(driver->host);
	if (!own->started)
		return UIOMMU_ENOMEM;
	fake.started = true;
	return UIOMMU_OK;
}

static int fake_enable(struct uiommu_driver *driver)
{
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(fake.started && !fake.translating);
	for (unsigned int i = 0; i < FAKE_DEVICES; i++)
		FAKE_CHECK(!fake.devices[i].dev || fake.devices[i].domain ||
			   fake.devices[i].dev->inherited);
	if (err)
		return err;
	fake.translating = true;
	return UIOMMU_OK;
}

static void fake_disable(struct uiommu_driver *driver)
{
	(void)driver;
	FAKE_CHECK(fake.started);
	if (fake.translating && fake.on_disable)
		fake.on_disable();
	fake.translating = false;
}

static void fake_stop(struct uiommu_driver *driver)
{
	struct fake_driver *own = (struct fake_driver *)driver;

	FAKE_CHECK(fake.started && !fake.translating && !fake.domains);
	for (unsigned int i = 0; i < FAKE_DEVICES; i++)
		FAKE_CHECK(!fake.devices[i].dev);
	uiommu_host_page_free(driver->host, own->started, 4096);
	fake.started = false;
}

static struct fake_device *fake_slot(const struct uiommu_hwdev *dev)
{
	for (unsigned int i = 0; i < FAKE_DEVICES; i++)
		if (fake.devices[i].dev == dev)
			return &fake.devices[i];
	FAKE_CHECK(!"a device that is known");
	return NULL;
}

static int fake_device_init(struct uiommu_driver *driver,
			    struct uiommu_hwdev *dev)
{
	struct fake_device *slot;
	int err = fake_op();

	FAKE_CHECK(fake.started && dev->sid_count);
	FAKE_CHECK(!(fake.left >> dev->unit & 1));
	if (err)
		return err;
	slot = fake_slot(NULL);
	slot->page = fake_page(driver->host);
	if (!slot->page)
		return UIOMMU_ENOMEM;
	slot->dev = dev;
	slot->domain = NULL;
	dev->inherited = fake.inherits_rid &&
			 fake.inherits_rid == dev->sids[0].rid;
	dev->at_work = fake.at_work_rid && fake.at_work_rid == dev->sids[0].rid;
	return UIOMMU_OK;
}

static void fake_device_fini(struct uiommu_driver *driver,
			     struct uiommu_hwdev *dev)
{
	struct fake_device *slot = fake_slot(dev);

	FAKE_CHECK(fake.started);
	uiommu_host_page_free(driver->host, slot->page, 4096);
	memset(slot, 0, sizeof(*slot));
}

static int fake_pt_config(struct uiommu_driver *driver, const uint32_t *units,
			  uint32_t count, struct uiommu_pt_config *config)
{
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(count && units);
	if (err)
		return err;
	if (fake.no_tables)
		return UIOMMU_ENOTSUP;
	memset(config, 0, sizeof(*config));
	config->format = UIOMMU_PT_VTD_SS;
	config->levels = fake.levels ? fake.levels : 4;
	config->width = fake.width ? fake.width : 12 + 9 * config->levels;
	config->page_sizes = UIOMMU_BIT64(12) | UIOMMU_BIT64(21) |
			     UIOMMU_BIT64(30);
	if (fake.small_pages)
		config->page_sizes = UIOMMU_BIT64(12);
	if (fake.no_giants)
		config->page_sizes &= ~UIOMMU_BIT64(30);
	config->paddr_last = UIOMMU_MASK64(51, 0);
	config->coherent = true;
	return UIOMMU_OK;
}

static int fake_domain_init(struct uiommu_driver *driver,
			    struct uiommu_hwdomain *domain)
{
	int err = fake_op();

	FAKE_CHECK(fake.started && domain->type != UIOMMU_DOMAIN_NONE);
	if (err)
		return err;
	domain->priv = fake_page(driver->host);
	if (!domain->priv)
		return UIOMMU_ENOMEM;
	domain->map_sync = fake.map_sync;
	fake.domains++;
	return UIOMMU_OK;
}

static bool fake_domain_held(struct uiommu_driver *driver,
			     const struct uiommu_hwdomain *domain)
{
	(void)driver;
	FAKE_CHECK(domain->priv);
	return fake.broken;
}

static void fake_domain_fini(struct uiommu_driver *driver,
			     struct uiommu_hwdomain *domain)
{
	FAKE_CHECK(fake.started && domain->priv);
	for (unsigned int i = 0; i < FAKE_DEVICES; i++)
		FAKE_CHECK(fake.devices[i].domain != domain);
	uiommu_host_page_free(driver->host, domain->priv, 4096);
	domain->priv = NULL;
	fake.domains--;
}

static int fake_attach(struct uiommu_driver *driver, struct uiommu_hwdev *dev,
		       struct uiommu_hwdomain *domain)
{
	struct fake_device *slot = fake_slot(dev);
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(fake.started && domain->priv);
	if (fake.on_attach)
		fake.on_attach(dev, domain);
	if (domain->type == UIOMMU_DOMAIN_BLOCKED) {
		err = fake.fail_blocked ? UIOMMU_ETIMEDOUT : err;
	} else if (domain->type == UIOMMU_DOMAIN_IDENTITY &&
		   fake.no_passthrough && !domain->pt.root) {
		err = UIOMMU_ENOTSUP;
	} else if (fake.misfit_rid && dev->sids[0].rid == fake.misfit_rid) {
		err = UIOMMU_ENOTSUP;
	} else if (fake.fail_attach_all ||
		   (fake.fail_attach_rid &&
		    dev->sids[0].rid == fake.fail_attach_rid)) {
		err = UIOMMU_ENOSPC;
	}
	if (err)
		return err;
	fake.attaches++;
	slot->domain = domain;
	dev->domain = domain;
	dev->inherited = false;
	return UIOMMU_OK;
}

static int fake_invalidate(struct uiommu_driver *driver,
			   struct uiommu_hwdomain *domain,
			   const struct uiommu_gather *gather)
{
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(fake.started && domain->priv);
	fake.invalidations++;
	for (unsigned int i = 0; i < gather->count; i++)
		fake.ranges[fake.range_count++ % FAKE_RANGES] =
			gather->ranges[i];
	return fake.fail_invalidate ? fake.fail_invalidate : err;
}

static int fake_map_sync(struct uiommu_driver *driver,
			 struct uiommu_hwdomain *domain,
			 struct uiommu_range range)
{
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(fake.started && domain->map_sync);
	fake.map_syncs++;
	fake.synced = range;
	return fake.fail_map_sync ? fake.fail_map_sync : err;
}

static unsigned int fake_poll_faults(struct uiommu_driver *driver)
{
	(void)driver;
	fake.polls++;
	return 3;
}

static int fake_set_fault_interrupt(struct uiommu_driver *driver,
				    uint32_t index, uint64_t address,
				    uint32_t data)
{
	(void)driver;
	(void)address;
	(void)data;
	return index ? UIOMMU_ENOENT : UIOMMU_OK;
}

static void fake_stays_on(struct uiommu_driver *driver, uint32_t record,
			  bool stays)
{
	(void)driver;
	FAKE_CHECK(!fake.started && record < 64);
	fake.stays_on &= ~(1ull << record);
	fake.stays_on |= (uint64_t)stays << record;
}

static int fake_suspend(struct uiommu_driver *driver)
{
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(fake.started && !fake.asleep);
	fake.asleep = true;
	fake.suspends++;
	return err;
}

static int fake_resume(struct uiommu_driver *driver)
{
	int err = fake_op();

	(void)driver;
	FAKE_CHECK(fake.started && fake.asleep);
	fake.asleep = false;
	fake.resumes++;
	return err;
}

static void fake_shutdown(struct uiommu_driver *driver, bool keep_translating)
{
	(void)driver;
	fake.shutdowns++;
	fake.kept_on = keep_translating;
}

const struct uiommu_driver_ops uiommu_vtd_ops = {
	.name = "fake",
	.create = fake_create,
	.destroy = fake_destroy,
	.describe = fake_describe,
	.def_domain_type = fake_def_domain_type,
	.leave = fake_leave,
	.unit_info = fake_unit_info,
	.start = fake_start,
	.enable = fake_enable,
	.disable = fake_disable,
	.stop = fake_stop,
	.device_init = fake_device_init,
	.device_fini = fake_device_fini,
	.pt_config = fake_pt_config,
	.domain_init = fake_domain_init,
	.domain_held = fake_domain_held,
	.domain_fini = fake_domain_fini,
	.attach = fake_attach,
	.invalidate = fake_invalidate,
	.map_sync = fake_map_sync,
	.poll_faults = fake_poll_faults,
	.set_fault_interrupt = fake_set_fault_interrupt,
	.stays_on = fake_stays_on,
	.suspend = fake_suspend,
	.resume = fake_resume,
	.shutdown = fake_shutdown,
};

struct uiommu_hwdomain *fake_domain_of(struct uiommu_sid sid)
{
	for (unsigned int i = 0; i < FAKE_DEVICES; i++) {
		const struct uiommu_hwdev *dev = fake.devices[i].dev;

		if (dev && dev->sids[0].rid == sid.rid &&
		    dev->sids[0].segment == sid.segment)
			return fake.devices[i].domain;
	}
	return NULL;
}

bool fake_reaches(struct uiommu_sid sid, uint64_t address, unsigned int prot,
		  uint64_t *paddr)
{
	struct uiommu_hwdomain *domain = fake_domain_of(sid);
	uiommu_paddr_t to = address;
	unsigned int has = UIOMMU_PROT_READ | UIOMMU_PROT_WRITE;

	if (!domain || domain->type == UIOMMU_DOMAIN_BLOCKED)
		return false;
	if ((domain->type != UIOMMU_DOMAIN_IDENTITY || fake.no_passthrough) &&
	    uiommu_pt_lookup(&domain->pt, address, &to, &has))
		return false;
	if (prot & ~has)
		return false;
	if (paddr)
		*paddr = to;
	return true;
}
