/* SPDX-License-Identifier: MIT */
/*
 * The driver on the software VT-d, without the core: units, devices and
 * domains as the core would hold them.
 */
#ifndef TESTS_VTD_RIG_H
#define TESTS_VTD_RIG_H

#include "base/driver.h"
#include "user.h"

#define RIG_SIDS 300u
#define RIG_TIMEOUT_US 500u

struct rig {
	struct user_config config;
	struct user_dmar table;
	uint64_t memory[4096];
	struct uiommu_dmar dmar;
	uint32_t timeout_us;
	enum uiommu_takeover takeover;
	bool takeover_block;
	struct uiommu_host *host;
	struct uiommu_driver *driver;
};

struct rig_device {
	struct uiommu_sid sids[RIG_SIDS];
	struct uiommu_hwdev hw;
};

/* A page that a device can reach. */
struct rig_page {
	uint8_t *bytes;
	uiommu_paddr_t paddr;
};

/* One unit for everything; change it, then rig_make(). */
void rig_describe(struct rig *rig);
/* Sets unit @index of the configuration to what its capabilities ask of the
 * memory: not coherent, buffered. */
void rig_memory(struct rig *rig);
/* Host and driver; the driver's error. The table is added if there is none. */
int rig_make(struct rig *rig);
/* All of it up to enable; must succeed. */
void rig_up(struct rig *rig);
/* Driver and host; no page, window or lock may be left, but for @leaked. */
void rig_down(struct rig *rig);
/* Likewise, when a broken unit may keep pages. */
void rig_down_leaking(struct rig *rig);

/* A device of DMAR record 0; ends with -1. */
int rig_device(struct rig *rig, struct rig_device *dev, const int *rids);
void rig_device_gone(struct rig *rig, struct rig_device *dev);

int rig_domain(struct rig *rig, struct uiommu_hwdomain *domain,
	       enum uiommu_domain_type type);
void rig_domain_gone(struct rig *rig, struct uiommu_hwdomain *domain);

int rig_attach(struct rig *rig, struct rig_device *dev,
	       struct uiommu_hwdomain *domain);
/* As the core does it, invalidation and all. */
int rig_map(struct rig *rig, struct uiommu_hwdomain *domain, uint64_t iova,
	    uint64_t paddr, uint64_t size, unsigned int prot);
int rig_unmap(struct rig *rig, struct uiommu_hwdomain *domain, uint64_t iova,
	      uint64_t size);

struct rig_page rig_page(struct rig *rig, size_t size);
void rig_page_gone(struct rig *rig, struct rig_page page, size_t size);

/* Does a write of @rid through unit 0 at @iova change @page, and only then? */
bool rig_reaches(struct rig *rig, int rid, uint64_t iova, struct rig_page page);
/* The reason why it does not; 0 if it does. */
enum vtdm_result rig_write(struct rig *rig, int rid, uint64_t iova);

#endif /* TESTS_VTD_RIG_H */
