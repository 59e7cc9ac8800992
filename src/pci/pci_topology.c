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

static int pci_append(struct uiommu_topology *topology, uint32_t *used,
		      const struct uiommu_pci_function *function)
{
	int err;

	if (*used == topology->capacity) {
		err = pci_grow(topology, *used);
		if (err)
			return err;
	}
	topology->functions[(*used)++] = *function;
	return UIOMMU_OK;
}

/* A slot whose function 0 is absent is empty; the others need its bit. */
static int pci_scan_slot(struct uiommu_topology *topology,
			 struct uiommu_sid sid, uint32_t *used)
{
	struct uiommu_pci_function function;
	unsigned int n, functions;
	int err;

	if (!uiommu_pci_function_read(topology->host, sid, &function))
		return UIOMMU_OK;
	functions = function.multifunction ? 8 : 1;
	err = pci_append(topology, used, &function);
	for (n = 1; !err && n < functions; n++) {
		sid.rid++;
		if (!uiommu_pci_function_read(topology->host, sid, &function))
			continue;
		function.multifunction = true;
		err = pci_append(topology, used, &function);
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
 * Adds the virtual functions of those between count and @used that are on
 * buses up to the one of @last. No bus range holds more than 65536 functions.
 */
static int pci_scan_virtual(struct uiommu_topology *topology, uint32_t last,
			    uint32_t *used)
{
	uint32_t first = topology->count, end = *used;
	uint32_t room = PCI_RIDS;
	struct uiommu_pci_virtual found;
	struct uiommu_pci_function physical, function;
	uint32_t i, n, rid, at;
	int err;

	for (i = first; i < end; i++) {
		physical = topology->functions[i];
		if (!uiommu_pci_virtual(topology->host, &physical, &found))
			continue;
		rid = physical.sid.rid + found.first;
		for (n = 0; n < found.count && rid <= last && room != 0;
		     n++, room--, rid += found.stride) {
			struct uiommu_sid sid = { physical.sid.segment,
						  (uint16_t)rid };

			at = pci_find_among(topology->functions, first, end,
					    rid);
			uiommu_pci_virtual_read(topology->host, sid, &physical,
						found.device, &function);
			if (at != end) {
				topology->functions[at] = function;
				continue;
			}
			err = pci_append(topology, used, &function);
			if (err)
				return err;
		}
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

static void pci_reverse(struct uiommu_pci_function *first,
			struct uiommu_pci_function *end)
{
	while (first < end && first < --end) {
		struct uiommu_pci_function swap = *first;

		*first++ = *end;
		*end = swap;
	}
}

/*
 * Takes in the sorted functions between count and @used. No older one lies
 * between them, so the block as a whole moves to its place: a rotation.
 */
static void pci_place(struct uiommu_topology *topology, uint32_t used)
{
	struct uiommu_pci_function *functions = topology->functions;
	uint32_t added = used - topology->count;
	uint16_t segment;
	uint32_t at, i;

	if (added == 0)
		return;
	segment = functions[topology->count].sid.segment;
	at = uiommu_pci_lower_bound(topology, functions[topology->count].sid);
	pci_reverse(functions + at, functions + topology->count);
	pci_reverse(functions + topology->count, functions + used);
	pci_reverse(functions + at, functions + used);
	topology->count = used;
	for (i = at + added; i < used; i++) {
		if (functions[i].sid.segment != segment &&
		    functions[i].parent != UIOMMU_PCI_NONE)
			functions[i].parent += added;
	}
	uiommu_pci_find_parents(topology, segment);
}

int uiommu_topology_scan(struct uiommu_topology *topology, uint16_t segment,
			 uint8_t first_bus, uint8_t last_bus)
{
	uint32_t first = (uint32_t)first_bus << 8;
	uint32_t last = (uint32_t)last_bus << 8 | 0xff;
	struct uiommu_sid sid = { segment, (uint16_t)first };
	uint32_t used = topology->count;
	uint32_t at, rid;
	int err;

	if (first_bus > last_bus)
		return UIOMMU_EINVAL;
	at = uiommu_pci_lower_bound(topology, sid);
	if (at < topology->count &&
	    topology->functions[at].sid.segment == segment &&
	    topology->functions[at].sid.rid <= last)
		return UIOMMU_EEXIST;
	/* Until the end only what is beyond count changes. */
	for (rid = first; rid <= last; rid += 8) {
		sid.rid = (uint16_t)rid;
		err = pci_scan_slot(topology, sid, &used);
		if (err)
			return err;
	}
	err = pci_scan_virtual(topology, last, &used);
	if (err)
		return err;
	pci_place(topology, pci_settle(topology, used));
	return UIOMMU_OK;
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
