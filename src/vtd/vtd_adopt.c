// SPDX-License-Identifier: MIT
/*
 * Taking over a unit that translates already: another kernel's root and
 * context tables are copied, its page tables are walked by the unit alone.
 *
 * What is read was written by nobody we know, and may be anything. A walk is
 * never deeper than two tables, so that there are no loops; every address is
 * checked and every page read through the host; and an entry is looked at
 * after it was copied, as it may still change where it was.
 *
 * The rule for what is wrong: no answer of the unit may change. What the unit
 * itself refuses (reserved bits, a width or a type that it does not know, a
 * domain id that it does not have) is absent in the copy. What it might well
 * serve, but we cannot read, makes the unit one that is not adopted.
 *
 * Specification: "Root Table Address Register", "Root Entry", "Context Entry",
 * "Fault Conditions".
 */
#include <uiommu/error.h>

#include "base/format.h"
#include "vtd/vtd_adopt.h"

/* One bus after the other. */
struct vtd_adoption {
	struct vtd_unit *unit;
	uint64_t beyond; /* address bits that the platform does not have */
	struct vtd_entry *root; /* a copy of what was found */
	struct vtd_entry *table;
	uiommu_paddr_t table_paddr;
	uint32_t buses;
	uint32_t refused; /* entries that were left out */
	uint16_t refused_first;
	const char *obstacle; /* after UIOMMU_ENOTSUP */
	uint64_t obstacle_at;
};

/* --- Looking -------------------------------------------------------------- */

void uiommu_vtd_look(struct vtd_unit *u)
{
	struct vtd_found found = { 0 };
	uint32_t gsts = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);

	if (gsts == ~(uint32_t)0) {
		u->found = found;
		return;
	}
	found.root = uiommu_host_mmio_read64(u->mmio, VTD_RTADDR);
	found.translating = gsts & VTD_GCMD_TE;
	found.remapping = gsts & VTD_GCMD_IRE;
	if (found.remapping)
		found.irta = uiommu_host_mmio_read64(u->mmio, VTD_IRTA);
	found.compatible = found.remapping && gsts & VTD_GCMD_CFI &&
			   !(found.irta & VTD_IRTA_EIME);
	found.queued = u->caps.queued && gsts & VTD_GCMD_QIE;
	if (found.queued)
		found.unfinished =
			UIOMMU_GET64(VTD_IQH_QH, uiommu_host_mmio_read64(
							 u->mmio, VTD_IQH)) !=
			UIOMMU_GET64(VTD_IQT_QT,
				     uiommu_host_mmio_read64(u->mmio, VTD_IQT));
	if (u->caps.protected_memory)
		found.protected_memory = uiommu_host_mmio_read32(u->mmio,
								 VTD_PMEN) &
					 (VTD_PMEN_EPM | VTD_PMEN_PRS);
	u->found = found;
}

void uiommu_vtd_look_log(const struct vtd_unit *u)
{
	const struct vtd_found *f = &u->found;

	if (!f->translating && !f->queued && !f->remapping &&
	    !f->protected_memory)
		return;
	uiommu_log(u->host, UIOMMU_LOG_INFO, "unit %u: found on:%s%s%s%s%s",
		   u->index, f->translating ? " translation" : "",
		   f->queued ? " queued-invalidation" : "",
		   f->unfinished ? "(unfinished)" : "",
		   f->remapping ? " interrupt-remapping" : "",
		   f->protected_memory ? " protected-memory" : "");
}

/* --- Copying -------------------------------------------------------------- */

static bool vtd_bit(const uint32_t *map, uint32_t n)
{
	return map[n / 32] & UIOMMU_BIT32(n % 32);
}

static void vtd_bit_set(uint32_t *map, uint32_t n)
{
	map[n / 32] |= UIOMMU_BIT32(n % 32);
}

static uint32_t vtd_adopt_did(struct vtd_entry e)
{
	return (uint32_t)UIOMMU_GET64(VTD_CTX_HI_DID, e.hi);
}

static int vtd_adopt_read(struct vtd_adoption *a, const char *what,
			  uiommu_paddr_t paddr, void *page)
{
	struct uiommu_host *host = a->unit->host;

	if (uiommu_host_copy(host, paddr, page, UIOMMU_PAGE_SIZE, true))
		return UIOMMU_OK;
	a->obstacle = what;
	a->obstacle_at = paddr;
	return UIOMMU_ENOTSUP;
}

/* Does the unit refuse every access by this entry, present as it is? */
static bool vtd_adopt_refused(const struct vtd_adoption *a, struct vtd_entry e)
{
	const struct vtd_caps *caps = &a->unit->caps;

	if (e.lo & VTD_CTX_LO_RSVD ||
	    e.hi & (VTD_CTX_HI_RSVD_LOW | VTD_CTX_HI_RSVD_HIGH) ||
	    UIOMMU_GET64(VTD_CTX_HI_DID, e.hi) >= caps->domain_ids)
		return true;
	switch (UIOMMU_GET64(VTD_CTX_LO_TT, e.lo)) {
	case VTD_TT_PASS_THROUGH:
		return !caps->passthrough;
	case VTD_TT_SECOND_STAGE:
		break;
	case VTD_TT_DEVICE_TLB:
		if (!(caps->ecap & VTD_ECAP_DT))
			return true;
		break;
	default:
		return true;
	}
	return !(UIOMMU_GET64(VTD_CAP_SAGAW, caps->cap) &
		 UIOMMU_BIT64(UIOMMU_GET64(VTD_CTX_HI_AW, e.hi)));
}

static void vtd_adopt_leave_out(struct vtd_adoption *a, uint32_t rid)
{
	if (!a->refused++)
		a->refused_first = (uint16_t)rid;
}

/*
 * Looks through a->table; false if nothing of it stays. That faults are not to
 * be recorded holds for an absent entry, too.
 */
static bool vtd_adopt_entries(struct vtd_adoption *a, unsigned int bus)
{
	struct vtd_unit *u = a->unit;
	uint64_t left = 0;
	uint32_t i;

	for (i = 0; i < 256; i++) {
		struct vtd_entry *e = &a->table[i];
		uint32_t rid = bus << 8 | i;

		if (e->lo & VTD_CTX_LO_P && vtd_adopt_refused(a, *e)) {
			vtd_adopt_leave_out(a, rid);
			e->lo &= ~VTD_CTX_LO_P;
		}
		if (!(e->lo & VTD_CTX_LO_P)) {
			e->lo &= VTD_CTX_LO_FPD;
			e->hi = 0;
			left |= e->lo;
			continue;
		}
		left |= e->lo;
		vtd_bit_set(u->inherited->rids, rid);
		vtd_bit_set(u->inherited->dids, vtd_adopt_did(*e));
		u->inherited_count++;
	}
	return left;
}

/* The table is the bus's now; another copy is for what does not succeed. */
static int vtd_adopt_put(struct vtd_adoption *a, unsigned int bus)
{
	struct vtd_unit *u = a->unit;
	struct vtd_entry *found;
	uiommu_paddr_t paddr;
	int err;

	found = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0, &paddr);
	if (!found)
		return UIOMMU_ENOMEM;
	memcpy(found, a->table, UIOMMU_PAGE_SIZE);
	err = uiommu_vtd_context_put(u, bus, a->table, a->table_paddr);
	if (err) {
		uiommu_host_page_free(u->host, found, UIOMMU_PAGE_SIZE);
		return err;
	}
	u->bus[bus]->found = found;
	a->table = NULL;
	a->buses++;
	return UIOMMU_OK;
}

static int vtd_adopt_bus(struct vtd_adoption *a, unsigned int bus)
{
	struct vtd_entry e = a->root[bus];
	struct vtd_unit *u = a->unit;
	int err;

	if (!(e.lo & VTD_ROOT_LO_P))
		return UIOMMU_OK;
	if (e.lo & VTD_ROOT_LO_RSVD || e.hi) {
		vtd_adopt_leave_out(a, bus << 8);
		return UIOMMU_OK;
	}
	if (!a->table)
		a->table = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0,
						  &a->table_paddr);
	if (!a->table)
		return UIOMMU_ENOMEM;
	err = vtd_adopt_read(a, "context table", e.lo & VTD_ROOT_LO_CTP,
			     a->table);
	/* Where the platform has nothing the unit can read no more than we. */
	if (err && e.lo & a->beyond) {
		vtd_adopt_leave_out(a, bus << 8);
		return UIOMMU_OK;
	}
	if (err || !vtd_adopt_entries(a, bus))
		return err; /* the page is used for the next bus */
	return vtd_adopt_put(a, bus);
}

/* Linux, for one, uses the id that is ours for identity. */
static void vtd_adopt_identity(struct vtd_unit *u)
{
	if (vtd_bit(u->inherited->dids, VTD_DID_IDENTITY) &&
	    uiommu_vtd_ids_alloc(u, &u->did_identity))
		u->did_identity = VTD_DID_NONE; /* none left */
}

static int vtd_adopt_tables(struct vtd_adoption *a)
{
	struct vtd_unit *u = a->unit;
	uiommu_paddr_t paddr;
	unsigned int bus;
	int err;

	if (u->found.root & VTD_RTADDR_TTM) {
		a->obstacle = "tables that are not of legacy mode";
		a->obstacle_at = u->found.root;
		return UIOMMU_ENOTSUP;
	}
	u->inherited = uiommu_host_page_alloc(u->host, sizeof(*u->inherited), 0,
					      &paddr);
	a->root = uiommu_host_page_alloc(u->host, UIOMMU_PAGE_SIZE, 0, &paddr);
	if (!u->inherited || !a->root)
		return UIOMMU_ENOMEM;
	err = vtd_adopt_read(a, "root table", u->found.root & VTD_RTADDR_RTA,
			     a->root);
	for (bus = 0; bus < VTD_BUSES && !err; bus++)
		err = vtd_adopt_bus(a, bus);
	if (!err)
		vtd_adopt_identity(u);
	return err;
}

/* --- Deciding ------------------------------------------------------------- */

static void vtd_adopt_undo(struct vtd_unit *u)
{
	unsigned int bus;

	uiommu_vtd_takeover_end(u);
	uiommu_vtd_context_free(u);
	for (bus = 0; bus < VTD_BUSES; bus++)
		u->root[bus].lo = 0;
	uiommu_vtd_clean(u, u->root, UIOMMU_PAGE_SIZE);
}

static void vtd_adopt_log(const struct vtd_adoption *a)
{
	struct vtd_unit *u = a->unit;

	uiommu_log(u->host, UIOMMU_LOG_INFO,
		   "unit %u: found translating: adopted, %u requesters on %u "
		   "buses stay where they are",
		   u->index, u->inherited_count, a->buses);
	if (u->found.remapping)
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: remaps interrupts as the kernel before "
			   "wanted: those in compatibility format %s",
			   u->index,
			   u->found.compatible ? "pass" : "are stopped");
	if (a->refused)
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: %u entries that it refuses were not "
			   "copied, the first for %02x:%02x.%u",
			   u->index, a->refused, a->refused_first >> 8,
			   a->refused_first >> 3 & 0x1f, a->refused_first & 7);
}

static int vtd_adopt(struct vtd_unit *u)
{
	unsigned int haw = u->driver->dmar->address_width;
	struct vtd_adoption a = { .unit = u };
	int err;

	a.beyond = VTD_CTX_LO_SSPTPTR &
		   ~UIOMMU_MASK64((haw < 52 ? haw : 52) - 1, 0);
	err = vtd_adopt_tables(&a);
	if (a.table)
		uiommu_host_page_free(u->host, a.table, UIOMMU_PAGE_SIZE);
	if (a.root)
		uiommu_host_page_free(u->host, a.root, UIOMMU_PAGE_SIZE);
	if (!err) {
		u->adopted = true;
		vtd_adopt_log(&a);
		return UIOMMU_OK;
	}
	vtd_adopt_undo(u);
	if (err == UIOMMU_ENOTSUP)
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: found translating, and not to be "
			   "adopted: %s at 0x%llx: %s",
			   u->index, a.obstacle,
			   (unsigned long long)a.obstacle_at,
			   u->driver->takeover_block
				   ? "its devices are refused until asked for"
				   : "reset");
	return err;
}

int uiommu_vtd_takeover(struct vtd_unit *u)
{
	int err;

	if (!u->found.translating)
		return UIOMMU_OK;
	if (u->driver->takeover != UIOMMU_TAKEOVER_ADOPT) {
		uiommu_log(u->host, UIOMMU_LOG_WARN,
			   "unit %u: found translating: reset", u->index);
		return UIOMMU_OK;
	}
	err = vtd_adopt(u);
	if (err != UIOMMU_ENOTSUP)
		return err;
	u->withheld = u->driver->takeover_block;
	return UIOMMU_OK;
}

void uiommu_vtd_takeover_end(struct vtd_unit *u)
{
	unsigned int bus;

	for (bus = 0; bus < VTD_BUSES; bus++) {
		struct vtd_bus *b = u->bus[bus];

		if (!b || !b->found)
			continue;
		uiommu_host_page_free(u->host, b->found, UIOMMU_PAGE_SIZE);
		b->found = NULL;
	}
	if (u->did_identity != VTD_DID_IDENTITY && u->did_identity)
		uiommu_vtd_ids_free(u, u->did_identity);
	u->did_identity = VTD_DID_IDENTITY;
	if (u->inherited)
		uiommu_host_page_free(u->host, u->inherited,
				      sizeof(*u->inherited));
	u->inherited = NULL;
	u->inherited_count = 0;
	u->adopted = false;
	u->withheld = false;
}

/* --- Devices -------------------------------------------------------------- */

static const struct vtd_entry *vtd_inherited_at(const struct vtd_unit *u,
						uint16_t rid)
{
	if (!u->inherited || !vtd_bit(u->inherited->rids, rid))
		return NULL;
	return &u->bus[rid >> 8]->found[rid & 0xff];
}

/* Was it attached before, by all its requester ids, or who was in its place? */
static bool vtd_inherits_nothing(const struct vtd_device *dev)
{
	uint32_t i;

	for (i = 0; i < dev->hw->sid_count; i++) {
		uint32_t rid = dev->hw->sids[i].rid;

		if (!vtd_bit(dev->unit->bus[rid >> 8]->ours, rid & 0xff))
			return false;
	}
	return true;
}

bool uiommu_vtd_inherits(const struct vtd_device *dev)
{
	const struct vtd_unit *u = dev->unit;

	/*
	 * All whom we do not know, also who was refused: what is still under way
	 * would reach its new domain, which may be all of memory. Withheld until
	 * asked for, but for what firmware never asks about.
	 */
	if (u->adopted)
		return !vtd_inherits_nothing(dev);
	return u->withheld && !dev->hw->direct;
}

bool uiommu_vtd_at_work(const struct vtd_device *dev)
{
	const struct vtd_unit *u = dev->unit;
	const struct vtd_entry *e;
	uint32_t i;

	/* Where it passed its addresses are those of RAM, not of a kernel. */
	for (i = 0; i < dev->hw->sid_count; i++) {
		e = vtd_inherited_at(u, dev->hw->sids[i].rid);
		if (e &&
		    UIOMMU_GET64(VTD_CTX_LO_TT, e->lo) == VTD_TT_PASS_THROUGH)
			return false;
	}
	return u->ran;
}

const struct vtd_entry *uiommu_vtd_inherited_entry(const struct vtd_device *dev,
						   uint16_t rid)
{
	return dev->hw->inherited ? vtd_inherited_at(dev->unit, rid) : NULL;
}

void uiommu_vtd_inherited_physical(const struct vtd_device *dev)
{
	if (dev->hw->inherited && dev->hw->at_work)
		uiommu_log(dev->unit->host, UIOMMU_LOG_WARN,
			   "unit %u: " UIOMMU_SID_FMT ": from translation to "
			   "identity: addresses that the kernel before gave "
			   "it are physical now",
			   dev->unit->index, UIOMMU_SID_ARGS(dev->hw->sids[0]));
}

void uiommu_vtd_inherited_recount(struct vtd_unit *u)
{
	uint32_t rid;

	memset(u->inherited->dids, 0, sizeof(u->inherited->dids));
	for (rid = 0; rid < 65536; rid++)
		if (vtd_bit(u->inherited->rids, rid))
			vtd_bit_set(
				u->inherited->dids,
				vtd_adopt_did(
					u->bus[rid >> 8]->found[rid & 0xff]));
}

void uiommu_vtd_inherited_gone(const struct vtd_device *dev)
{
	struct vtd_unit *u = dev->unit;
	uint32_t i;

	dev->hw->inherited = false;
	if (!u->inherited)
		return;
	for (i = 0; i < dev->hw->sid_count; i++) {
		uint32_t rid = dev->hw->sids[i].rid;
		struct vtd_bus *bus = u->bus[rid >> 8];

		vtd_bit_set(bus->ours, rid & 0xff);
		/* It may have to stay, for who shares it. */
		if (!vtd_bit(u->inherited->rids, rid) ||
		    !memcmp(&bus->table[rid & 0xff], &bus->found[rid & 0xff],
			    sizeof(struct vtd_entry)))
			continue;
		u->inherited->rids[rid / 32] &= ~UIOMMU_BIT32(rid % 32);
		uiommu_store(&u->inherited_count, u->inherited_count - 1);
	}
}
