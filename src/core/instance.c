// SPDX-License-Identifier: MIT
/* An instance: firmware's table, the driver, and what was found on the buses. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

#define CORE_TIMEOUT_US 1000000u
/* Signature and length, all that must be there to know how much to copy. */
#define CORE_TABLE_HEAD 8u

static void core_log_findings(struct uiommu_host *host,
			      const struct uiommu_dmar *dmar)
{
	static const enum uiommu_log_level levels[] = {
		[UIOMMU_NOTE] = UIOMMU_LOG_INFO,
		[UIOMMU_WARNING] = UIOMMU_LOG_WARN,
		[UIOMMU_ERROR] = UIOMMU_LOG_ERROR,
	};
	char text[160];
	uint32_t i;

	for (i = 0; i < dmar->finding_count; i++) {
		const struct uiommu_dmar_finding *finding = &dmar->findings[i];

		uiommu_dmar_finding_text(finding, text, sizeof(text));
		uiommu_log(host, levels[finding->severity],
			   "dmar: offset 0x%x: %s", finding->offset, text);
	}
	if (dmar->findings_dropped)
		uiommu_log(host, UIOMMU_LOG_WARN, "dmar: %u more findings",
			   dmar->findings_dropped);
}

/* What to copy: the table as its header says, within what may be read. */
static size_t core_table_size(const struct uiommu_config *config)
{
	const uint8_t *bytes = config->dmar;
	uint32_t length;

	if (config->dmar_size < CORE_TABLE_HEAD)
		return config->dmar_size;
	length = (uint32_t)bytes[4] | (uint32_t)bytes[5] << 8 |
		 (uint32_t)bytes[6] << 16 | (uint32_t)bytes[7] << 24;
	/* A length too small is for the reader to complain about. */
	if (length < CORE_TABLE_HEAD)
		length = CORE_TABLE_HEAD;
	return length < config->dmar_size ? length : config->dmar_size;
}

static int core_read_table(struct uiommu *uiommu,
			   const struct uiommu_config *config)
{
	size_t size = core_table_size(config);
	size_t memory = uiommu_dmar_memory(size);
	int err;

	if (!memory) {
		uiommu_log(uiommu->host, UIOMMU_LOG_ERROR,
			   "dmar: offset 0x4: %llu bytes are no sensible table",
			   (unsigned long long)size);
		return UIOMMU_EBADTABLE;
	}
	err = uiommu_block_alloc(uiommu->host, size, &uiommu->table);
	if (err)
		return err;
	err = uiommu_block_alloc(uiommu->host, memory, &uiommu->records);
	if (err)
		return err;

	memcpy(uiommu->table.memory, config->dmar, size);
	err = uiommu_dmar_read(uiommu->table.memory, size,
			       uiommu->records.memory, uiommu->records.size,
			       &uiommu->dmar);
	if (!err || err == UIOMMU_EBADTABLE)
		core_log_findings(uiommu->host, &uiommu->dmar);
	return err;
}

static int core_fill(struct uiommu *uiommu, const struct uiommu_config *config)
{
	struct uiommu_driver_env env = {
		.host = uiommu->host,
		.dmar = &uiommu->dmar,
		.timeout_us = config->timeout_us ? config->timeout_us
						 : CORE_TIMEOUT_US,
		.takeover = config->takeover,
		.takeover_block = config->takeover_block,
	};
	int err;

	uiommu->identity.uiommu = uiommu;
	uiommu->identity.hw.type = UIOMMU_DOMAIN_IDENTITY;
	uiommu->blocked.uiommu = uiommu;
	uiommu->blocked.hw.type = UIOMMU_DOMAIN_BLOCKED;
	uiommu_topology_init(&uiommu->topology, uiommu->host);

	uiommu->mutex = uiommu_host_lock_create(uiommu->host,
						UIOMMU_LOCK_MUTEX);
	uiommu->index = uiommu_host_lock_create(uiommu->host, UIOMMU_LOCK_SPIN);
	if (!uiommu->mutex || !uiommu->index)
		return UIOMMU_ENOMEM;
	err = uiommu_bounces_init(uiommu);
	if (err)
		return err;
	err = uiommu_core_config_copy(uiommu, config);
	if (err)
		return err;
	err = core_read_table(uiommu, config);
	if (err)
		return err;
	err = uiommu_block_alloc(uiommu->host,
				 (uint64_t)uiommu->dmar.record_count *
					 sizeof(*uiommu->units),
				 &uiommu->unit_block);
	if (err)
		return err;
	uiommu->units = uiommu->unit_block.memory;
	err = uiommu_vtd_ops.create(&env, &uiommu->driver);
	if (!err)
		uiommu_core_log_units(uiommu);
	return err;
}

int uiommu_create(struct uiommu_host *host, const struct uiommu_config *config,
		  struct uiommu **uiommu)
{
	struct uiommu_block self;
	struct uiommu *made;
	int err;

	err = uiommu_core_config_check(config);
	if (err)
		return err;
	if (!config->dmar || !config->dmar_size) {
		uiommu_log(host, UIOMMU_LOG_ERROR,
			   "no DMAR table was given: is there a unit, and did "
			   "firmware turn it on?");
		return UIOMMU_EINVAL;
	}

	err = uiommu_block_alloc(host, sizeof(*made), &self);
	if (err)
		return err;
	made = self.memory;
	made->self = self;
	made->host = host;

	err = core_fill(made, config);
	if (err) {
		uiommu_destroy(made);
		return err;
	}
	*uiommu = made;
	return UIOMMU_OK;
}

/* Takes half-built instances, too: what is not there is NULL. */
void uiommu_destroy(struct uiommu *uiommu)
{
	struct uiommu_host *host;
	struct uiommu_block self;

	if (!uiommu)
		return;
	uiommu_stop(uiommu);
	host = uiommu->host;
	if (uiommu->driver)
		uiommu->driver->ops->destroy(uiommu->driver);
	uiommu_topology_fini(&uiommu->topology);
	uiommu_core_config_free(uiommu);
	uiommu_block_free(host, &uiommu->records);
	uiommu_block_free(host, &uiommu->table);
	uiommu_bounces_fini(uiommu);
	uiommu_block_free(host, &uiommu->unit_block);
	if (uiommu->index)
		uiommu_host_lock_destroy(host, uiommu->index);
	if (uiommu->mutex)
		uiommu_host_lock_destroy(host, uiommu->mutex);
	self = uiommu->self;
	uiommu_block_free(host, &self);
}

int uiommu_scan_pci(struct uiommu *uiommu, uint16_t segment, uint8_t first_bus,
		    uint8_t last_bus)
{
	unsigned long state = uiommu_host_lock_acquire(uiommu->mutex);
	int err = UIOMMU_EBUSY;

	if (!uiommu->started)
		err = uiommu_topology_scan(&uiommu->topology, segment,
					   first_bus, last_bus);
	if (!err && !uiommu->keep_acs)
		uiommu_topology_enable_acs(&uiommu->topology);
	uiommu_host_lock_release(uiommu->mutex, state);
	return err;
}

const struct uiommu_dmar *uiommu_dmar(const struct uiommu *uiommu)
{
	return &uiommu->dmar;
}
