// SPDX-License-Identifier: MIT
/* The array of functions: found bus by bus, kept sorted, grown by doubling. */
#include "base/sort.h"
#include "pci/pci.h"

#define PCI_FUNCTIONS_MOST UIOMMU_BIT32(18)
#define PCI_RIDS UIOMMU_BIT32(16)
#define PCI_ACS_WANTED                                                \
	(UIOMMU_ACS_SOURCE_VALIDATION | UIOMMU_ACS_REQUEST_REDIRECT | \
	 UIOMMU_ACS_COMPLETION_REDIRECT | UIOMMU_ACS_UPSTREAM_FORWARDING)

static bool pci_sid_less(struct uiommu_sid a, struct uiommu_sid b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment;
	return a.rid < b.rid;
}

/* What the host was asked for when the array got room for @capacity. */
static size_t pci_bytes(uint32_t capacity)
{
	size_t need = (size_t)capacity * sizeof(struct uiommu_pci_function);
	size_t size = UIOMMU_PAGE_SIZE;

	while (size < need)
		size *= 2;
	return size;
}

void uiommu_topology_init(struct uiommu_topology *topology,
			  struct uiommu_host *host)
{
	memset(topology, 0, sizeof(*topology));
	topology->host = host;
}

void uiommu_topology_fini(struct uiommu_topology *topology)
{
	if (topology->functions != NULL)
		uiommu_host_page_free(topology->host, topology->functions,
				      pci_bytes(topology->capacity));
	uiommu_topology_init(topology, topology->host);
}

int uiommu_topology_copy(const struct uiommu_topology *from,
			 struct uiommu_topology *to)
{
	struct uiommu_pci_function *functions;
	uiommu_paddr_t paddr;

	if (from->functions == NULL) {
		*to = *from;
		return UIOMMU_OK;
	}
	functions = uiommu_host_page_alloc(
		from->host, pci_bytes(from->capacity), 0, &paddr);
	if (functions == NULL)
		return UIOMMU_ENOMEM;
	memcpy(functions, from->functions, from->count * sizeof(*functions));
	*to = *from;
	to->functions = functions;
	return UIOMMU_OK;
}

uint32_t uiommu_pci_lower_bound(const struct uiommu_topology *topology,
				struct uiommu_sid sid)
{
	uint32_t low = 0, high = topology->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pci_sid_less(topology->functions[middle].sid, sid))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t uiommu_topology_find(const struct uiommu_topology *topology,
			      struct uiommu_sid sid)
{
	uint32_t i = uiommu_pci_lower_bound(topology, sid);

	if (i == topology->count ||
	    pci_sid_less(sid, topology->functions[i].sid))
		return UIOMMU_PCI_NONE;
	return i;
}

/* Makes room for more than @used functions, which stay what they are. */
static int pci_grow(struct uiommu_topology *topology, uint32_t used)
{
	struct uiommu_pci_function *functions;
	size_t size = UIOMMU_PAGE_SIZE;
	uiommu_paddr_t paddr;

	if (used >= PCI_FUNCTIONS_MOST)
		return UIOMMU_ENOMEM;
	if (topology->functions != NULL)
		size = 2 * pci_bytes(topology->capacity);
	functions = uiommu_host_page_alloc(topology->host, size, 0, &paddr);
	if (functions == NULL)
		return UIOMMU_ENOMEM;
	if (topology->functions != NULL) {
		memcpy(functions, topology->functions,
		       used * sizeof(*functions));
		uiommu_host_page_free(topology->host, topology->functions,
				      pci_bytes(topology->capacity));
	}
	topology->functions = functions;
	topology->capacity = (uint32_t)(size / sizeof(*functions));
	return UIOMMU_OK;
}

/* One look at a range of buses. What it finds stands from count to used. */
struct pci_scan {
	struct uiommu_topology *topology;
	uint16_t segment;
	uint32_t first; /* requester ids */
	uint32_t last;
	uint32_t used;
};

static bool pci_is_known(const struct pci_scan *scan, struct uiommu_sid sid)
{
	return uiommu_topology_find(scan->topology, sid) != UIOMMU_PCI_NONE;
}

static int pci_append(struct pci_scan *scan,
		      const struct uiommu_pci_function *function)
{
	struct uiommu_topology *topology = scan->topology;
	int err;

	if (scan->used == topology->capacity) {
		err = pci_grow(topology, scan->used);
		if (err)
			return err;
	}
	topology->functions[scan->used++] = *function;
	return UIOMMU_OK;
}

/*
 * A slot whose function 0 is absent is empty; the others need its bit, as it
 * is now: what has none may answer to every function number.
 */
static int pci_scan_slot(struct pci_scan *scan, uint32_t rid)
{
	struct uiommu_sid sid = { scan->segment, (uint16_t)rid };
	struct uiommu_host *host = scan->topology->host;
	struct uiommu_pci_function function;
	unsigned int n, functions;
	int err = UIOMMU_OK;

	if (!uiommu_pci_function_read(host, sid, &function))
		return UIOMMU_OK;
	functions = function.multifunction ? 8 : 1;
	if (!pci_is_known(scan, sid))
		err = pci_append(scan, &function);
	for (n = 1; !err && n < functions; n++) {
		sid.rid++;
		if (pci_is_known(scan, sid) ||
		    !uiommu_pci_function_read(host, sid, &function))
			continue;
		function.multifunction = true;
		err = pci_append(scan, &function);
	}
	return err;
}

/* Index in the sorted block of @first to @end; or @end. */
static uint32_t pci_find_among(const struct uiommu_pci_function *functions,
			       uint32_t first, uint32_t end, uint32_t rid)
{
	uint32_t stop = end;

	while (first < end) {
		uint32_t middle = first + (end - first) / 2;

		if (functions[middle].sid.rid < rid)
			first = middle + 1;
		else
			end = middle;
	}
	return first < stop && functions[first].sid.rid == rid ? first : stop;
}

/*
 * Adds the virtual functions of @physical that are in the range. Those found
 * in slots end at @end and are sorted. @room bounds what all of them claim: no
 * segment holds more.
 */
static int pci_scan_virtual(struct pci_scan *scan, uint32_t end,
			    const struct uiommu_pci_function *physical,
			    uint32_t *room)
{
	struct uiommu_topology *topology = scan->topology;
	struct uiommu_sid sid = physical->sid;
	uint32_t rid = physical->sid.rid;
	struct uiommu_pci_function function;
	struct uiommu_pci_virtual found;
	uint32_t n, at;
	int err;

	if (!uiommu_pci_virtual(topology->host, physical, &found))
		return UIOMMU_OK;
	rid += found.first;
	for (n = 0; n < found.count && rid <= scan->last && *room != 0;
	     n++, --*room, rid += found.stride) {
		sid.rid = (uint16_t)rid;
		if (rid < scan->first || pci_is_known(scan, sid))
			continue;
		at = pci_find_among(topology->functions, topology->count, end,
				    rid);
		uiommu_pci_virtual_read(topology->host, sid, physical,
					found.device, &function);
		if (at != end) {
			topology->functions[at] = function;
			continue;
		}
		err = pci_append(scan, &function);
		if (err)
			return err;
	}
	return UIOMMU_OK;
}

/* Those of all physical functions of the segment up to the range's end. */
static int pci_scan_virtuals(struct pci_scan *scan)
{
	struct uiommu_topology *topology = scan->topology;
	struct uiommu_sid begin = { scan->segment, 0 };
	uint32_t end = scan->used;
	uint32_t room = PCI_RIDS;
	struct uiommu_pci_function physical;
	uint32_t i;
	int err;

	for (i = uiommu_pci_lower_bound(topology, begin); i < end; i++) {
		physical = topology->functions[i]; /* the array may move */
		if (physical.sid.segment != scan->segment ||
		    physical.sid.rid > scan->last)
			continue;
		err = pci_scan_virtual(scan, end, &physical, &room);
		if (err)
			return err;
	}
	return UIOMMU_OK;
}

/* By requester id, then so that which of two stays depends on no order. */
static bool pci_settles_before(const void *a, const void *b)
{
	const struct uiommu_pci_function *one = a;
	const struct uiommu_pci_function *two = b;

	if (one->sid.rid != two->sid.rid)
		return one->sid.rid < two->sid.rid;
	return one->physical.rid < two->physical.rid;
}

/* Sorts what is between count and @used; of two with one id one stays. */
static uint32_t pci_settle(struct uiommu_topology *topology, uint32_t used)
{
	struct uiommu_pci_function *functions = topology->functions;
	uint32_t kept = topology->count;
	uint32_t i;

	if (used == kept)
		return used;
	uiommu_sort(functions + kept, used - kept, sizeof(*functions),
		    pci_settles_before);
	for (i = kept + 1; i < used; i++) {
		if (functions[i].sid.rid != functions[kept].sid.rid)
			functions[++kept] = functions[i];
	}
	return kept + 1;
}

static bool pci_stands_before(const void *a, const void *b)
{
	const struct uiommu_pci_function *one = a;
	const struct uiommu_pci_function *two = b;

	return pci_sid_less(one->sid, two->sid);
}

/*
 * A function 0 that was alone is so no more if there is a new one in its slot:
 * who could reach whom would be judged wrongly.
 */
static void pci_note_slots(struct uiommu_topology *topology, uint32_t used)
{
	struct uiommu_pci_function *functions = topology->functions;
	struct uiommu_sid sid;
	uint32_t i, zero;

	for (i = topology->count; i < used; i++) {
		sid = functions[i].sid;
		if (!functions[i].multifunction || UIOMMU_SID_FN(sid) == 0)
			continue;
		sid.rid &= 0xfff8;
		zero = uiommu_topology_find(topology, sid);
		if (zero != UIOMMU_PCI_NONE)
			functions[zero].multifunction = true;
	}
}

/* Takes in the sorted functions between count and @used, of one segment. */
static void pci_place(struct uiommu_topology *topology, uint32_t used)
{
	struct uiommu_pci_function *functions = topology->functions;
	uint32_t added = used - topology->count;
	uint16_t segment;
	uint32_t at, i;

	if (added == 0)
		return;
	pci_note_slots(topology, used);
	segment = functions[topology->count].sid.segment;
	at = uiommu_pci_lower_bound(topology, functions[topology->count].sid);
	uiommu_sort(functions + at, used - at, sizeof(*functions),
		    pci_stands_before);
	topology->count = used;
	/* What follows in other segments has moved as a whole. */
	for (i = at; i < used; i++) {
		if (functions[i].sid.segment != segment &&
		    functions[i].parent != UIOMMU_PCI_NONE)
			functions[i].parent += added;
	}
	uiommu_pci_find_parents(topology, segment);
}

static bool pci_has_children(const struct uiommu_topology *topology,
			     uint32_t bridge)
{
	uint32_t i;

	for (i = 0; i < topology->count; i++)
		if (topology->functions[i].parent == bridge)
			return true;
	return false;
}

/*
 * A port that waited for something to be plugged in may have been given its
 * buses only now. One above known functions keeps those that they were found
 * by.
 */
static void pci_renumber(struct uiommu_topology *topology, uint16_t segment)
{
	uint32_t i, buses;

	for (i = 0; i < topology->count; i++) {
		struct uiommu_pci_function *bridge = &topology->functions[i];

		if (bridge->sid.segment != segment ||
		    bridge->header_type == 0 || pci_has_children(topology, i))
			continue;
		buses = uiommu_host_pci_read32(topology->host, bridge->sid,
					       UIOMMU_PCI_BUSES);
		if (buses == 0xffffffff)
			continue; /* it has left */
		bridge->secondary_bus = (uint8_t)(buses >> 8);
		bridge->subordinate_bus = (uint8_t)(buses >> 16);
	}
}

int uiommu_topology_rescan(struct uiommu_topology *topology, uint16_t segment,
			   uint8_t first_bus, uint8_t last_bus)
{
	struct pci_scan scan = { topology, segment, (uint32_t)first_bus << 8,
				 (uint32_t)last_bus << 8 | 0xff,
				 topology->count };
	uint32_t rid;
	int err;

	if (first_bus > last_bus)
		return UIOMMU_EINVAL;
	/* Until the end only what is beyond count changes. */
	for (rid = scan.first; rid <= scan.last; rid += 8) {
		err = pci_scan_slot(&scan, rid);
		if (err)
			return err;
	}
	err = pci_scan_virtuals(&scan);
	if (err)
		return err;
	if (scan.used != topology->count)
		pci_renumber(topology, segment);
	pci_place(topology, pci_settle(topology, scan.used));
	return UIOMMU_OK;
}

int uiommu_topology_scan(struct uiommu_topology *topology, uint16_t segment,
			 uint8_t first_bus, uint8_t last_bus)
{
	struct uiommu_sid sid = { segment, (uint16_t)(first_bus << 8) };
	uint32_t at = uiommu_pci_lower_bound(topology, sid);

	if (first_bus > last_bus)
		return UIOMMU_EINVAL;
	if (at < topology->count &&
	    topology->functions[at].sid.segment == segment &&
	    UIOMMU_SID_BUS(topology->functions[at].sid) <= last_bus)
		return UIOMMU_EEXIST;
	return uiommu_topology_rescan(topology, segment, first_bus, last_bus);
}

static void pci_enable_acs(struct uiommu_host *host,
			   struct uiommu_pci_function *function)
{
	uint32_t at = (uint32_t)function->acs_offset + 4;
	uint32_t control = function->acs_control;
	bool wide = uiommu_pci_acs_is_wide(function);
	uint32_t acs;

	control |= function->acs_capability & PCI_ACS_WANTED;
	if (control == function->acs_control)
		return;
	if (wide)
		at += 4;
	else
		control = control << 16 | function->acs_capability;
	uiommu_host_pci_write32(host, function->sid, at, control);
	/* Believe the function, not the write; all ones: it has left. */
	acs = uiommu_host_pci_read32(host, function->sid, at);
	if (acs == 0xffffffff)
		acs = 0;
	function->acs_control = (uint16_t)(wide ? acs : acs >> 16);
}

void uiommu_topology_enable_acs(struct uiommu_topology *topology)
{
	uint32_t i;

	for (i = 0; i < topology->count; i++) {
		if (topology->functions[i].acs_offset != 0)
			pci_enable_acs(topology->host, &topology->functions[i]);
	}
}
