// SPDX-License-Identifier: MIT
/*
 * Any bytes as configuration space and as a table: scanned, isolated and
 * planned, then planned again as a machine that runs, with what is in force
 * bent by the bytes, and asked for changes. The first two bytes are the length
 * of the table; then come the functions, each a requester id on one of eight
 * buses, the first 128 bytes of its space and the first 16 of its extended
 * space.
 */
#include <stdlib.h>
#include <string.h>

#include <uiommu/change.h>

#define FUZZ_SPACE 128
#define FUZZ_EXTENDED 16
#define FUZZ_FUNCTION (2 + FUZZ_SPACE + FUZZ_EXTENDED)
#define FUZZ_MOST 96
#define FUZZ_RIDS 2048

struct uiommu_host {
	uint8_t space[FUZZ_RIDS][FUZZ_SPACE + FUZZ_EXTENDED];
	bool there[FUZZ_RIDS];
	unsigned int live;
	unsigned int fail_at;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void uiommu_host_log(struct uiommu_host *host, enum uiommu_log_level level,
		     const char *line)
{
	(void)host;
	(void)level;
	(void)line;
}

void *uiommu_host_page_alloc(struct uiommu_host *host, size_t size,
			     unsigned int flags, uiommu_paddr_t *paddr)
{
	void *page;

	(void)flags;
	if (host->fail_at != 0 && --host->fail_at == 0)
		return NULL;
	page = calloc(1, size);
	if (page == NULL)
		return NULL;
	host->live++;
	*paddr = 0;
	return page;
}

void uiommu_host_page_free(struct uiommu_host *host, void *page, size_t size)
{
	(void)size;
	host->live--;
	free(page);
}

static uint8_t *fuzz_word(struct uiommu_host *host, struct uiommu_sid sid,
			  uint32_t offset)
{
	if (offset > 4092 || offset % 4 != 0)
		abort();
	if (sid.rid >= FUZZ_RIDS || !host->there[sid.rid])
		return NULL;
	if (offset < FUZZ_SPACE)
		return &host->space[sid.rid][offset];
	if (offset >= 0x100 && offset < 0x100 + FUZZ_EXTENDED)
		return &host->space[sid.rid][FUZZ_SPACE + offset - 0x100];
	return NULL;
}

uint32_t uiommu_host_pci_read32(struct uiommu_host *host, struct uiommu_sid sid,
				uint32_t offset)
{
	uint8_t *word = fuzz_word(host, sid, offset);
	uint32_t value = 0xffffffff;

	if (word != NULL)
		memcpy(&value, word, sizeof(value));
	return value;
}

void uiommu_host_pci_write32(struct uiommu_host *host, struct uiommu_sid sid,
			     uint32_t offset, uint32_t value)
{
	uint8_t *word = fuzz_word(host, sid, offset);

	if (word != NULL)
		memcpy(word, &value, sizeof(value));
}

static void fuzz_check(const struct uiommu_plan *plan,
		       const struct uiommu_topology *topology)
{
	char text[200];
	uint32_t i, k, steps;

	for (i = 0; i < topology->count; i++) {
		steps = 0;
		for (k = i; k != UIOMMU_PCI_NONE;
		     k = topology->functions[k].parent) {
			if (k >= topology->count || ++steps > 256)
				abort();
		}
		if ((plan->devices[i].unit == UIOMMU_PLAN_NONE) !=
		    (plan->devices[i].group == UIOMMU_PLAN_NONE))
			abort();
	}
	for (i = 0; i < plan->reason_count; i++) {
		if (uiommu_reason_text(plan, topology, &plan->reasons[i], text,
				       sizeof(text)) >= sizeof(text))
			abort();
	}
}

/* The byte of a function that bends what is told of it. */
static unsigned int fuzz_twist(const struct uiommu_host *host,
			       struct uiommu_sid sid)
{
	return sid.rid < FUZZ_RIDS ? host->space[sid.rid][8] : 0;
}

/* And that of its unit. */
static unsigned int fuzz_twist2(const struct uiommu_host *host,
				struct uiommu_sid sid)
{
	return sid.rid < FUZZ_RIDS ? host->space[sid.rid][12] : 0;
}

/* Another unit, or none, or one of what is no unit. */
static void fuzz_bend_unit(struct uiommu_plan_live *live, unsigned int twist)
{
	switch (twist % 32) {
	case 1:
	case 2:
	case 3:
		if (live->unit != UIOMMU_PLAN_NONE)
			live->unit = twist >> 5;
		break;
	case 4:
	case 5:
		live->unit = UIOMMU_PLAN_NONE;
		live->group = UIOMMU_PLAN_NONE;
		live->type = UIOMMU_DOMAIN_NONE;
		break;
	case 6:
		live->unit = twist >> 5;
		live->group = twist >> 6;
		break;
	case 7:
		live->andd = twist >> 5;
		break;
	case 8:
		live->off = true;
		break;
	case 9:
		live->andd = UIOMMU_PLAN_NONE;
		break;
	default:
		break;
	}
}

static void fuzz_bend(const struct uiommu_host *host,
		      struct uiommu_plan_live *live, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		unsigned int twist = fuzz_twist(host, live[i].sid);

		live[i].barred = twist & 1;
		live[i].owned = (twist & 6) == 2;
		if (twist & 8)
			live[i].group = twist >> 6;
		if (twist & 16)
			live[i].type = (enum uiommu_domain_type)(twist >> 5);
		fuzz_bend_unit(&live[i], fuzz_twist2(host, live[i].sid));
	}
}

static void fuzz_ask(struct uiommu_host *host,
		     const struct uiommu_plan_input *input,
		     const struct uiommu_plan *now,
		     const struct uiommu_plan_live *live, uint32_t count)
{
	struct uiommu_change change;
	struct uiommu_request request;
	uint32_t i;

	for (i = 0; i < count && i < 4; i++) {
		unsigned int twist = fuzz_twist(host, live[i].sid);

		request.kind = (enum uiommu_request_kind)(twist % 4);
		request.sid = live[i].sid;
		request.type = (enum uiommu_domain_type)(twist >> 5);
		request.mask = ((uint64_t)1 << (twist >> 2)) - 1;
		if (uiommu_change_make(host, input, now, live, count, &request,
				       &change) != 0)
			continue;
		fuzz_check(&change.plan, input->topology);
		if (change.input.override_count > 1 ||
		    change.input.mask_count > 1)
			abort();
		uiommu_change_fini(host, &change);
	}
}

/* What is in force has the unit that it is told to have. */
static void fuzz_check_held(const struct uiommu_plan *plan,
			    const struct uiommu_plan_input *input)
{
	uint32_t i, k;

	for (i = 0; i < input->live_count; i++) {
		const struct uiommu_plan_live *live = &input->live[i];

		for (k = 0; k < plan->device_count; k++) {
			if (plan->devices[k].andd == live->andd &&
			    (k >= input->topology->count ||
			     k == uiommu_topology_find(input->topology,
						       live->sid)) &&
			    plan->devices[k].unit != live->unit)
				abort();
		}
	}
}

static void fuzz_live(struct uiommu_host *host,
		      const struct uiommu_plan_input *input,
		      const struct uiommu_plan *now)
{
	struct uiommu_plan_live *live = calloc(now->device_count + 1,
					       sizeof(*live));
	struct uiommu_plan_input runs = *input;
	struct uiommu_plan plan;

	uiommu_plan_live(now, input->topology, live, &runs.live_count);
	fuzz_bend(host, live, runs.live_count);
	runs.live = live;
	if (uiommu_plan_make(host, &runs, &plan) == 0) {
		fuzz_check(&plan, input->topology);
		fuzz_check_held(&plan, &runs);
		uiommu_plan_fini(&plan);
	}
	fuzz_ask(host, input, now, live, runs.live_count);
	free(live);
}

static void fuzz_plan(struct uiommu_host *host, struct uiommu_dmar *dmar)
{
	struct uiommu_plan_input input = { 0 };
	struct uiommu_topology topology;
	struct uiommu_plan_unit *units = calloc(dmar->record_count + 1,
						sizeof(*units));
	struct uiommu_plan plan;
	uint32_t i;

	for (i = 0; i < dmar->record_count; i++)
		units[i].present = true;
	input.dmar = dmar;
	input.topology = &topology;
	input.units = units;
	uiommu_topology_init(&topology, host);
	if (uiommu_topology_scan(&topology, 0, 0, 7) == 0) {
		uiommu_topology_enable_acs(&topology);
		input.ggc = uiommu_topology_ggc(&topology);
		if (uiommu_plan_make(host, &input, &plan) == 0) {
			fuzz_check(&plan, &topology);
			fuzz_live(host, &input, &plan);
			uiommu_plan_fini(&plan);
		}
	}
	uiommu_topology_fini(&topology);
	free(units);
	if (host->live != 0)
		abort();
}

/* The bytes with the signature, length and sum that a reader insists on. */
static void fuzz_seal(uint8_t *table, size_t size)
{
	uint8_t sum = 0;
	size_t i;

	if (size < 48)
		return;
	memcpy(table, "DMAR", 4);
	memset(table + 4, 0, 4);
	table[4] = (uint8_t)size;
	table[5] = (uint8_t)(size >> 8);
	table[36] |= 31;
	table[9] = 0;
	for (i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct uiommu_host host;
	struct uiommu_dmar dmar;
	size_t length, room;
	uint8_t *table;
	void *memory;
	unsigned int n;

	if (size < 2 || size > 65536)
		return -1;
	length = (size_t)data[0] | (size_t)(data[1] & 15) << 8;
	memset(&host, 0, sizeof(host));
	host.fail_at = data[1] >> 4;
	data += 2;
	size -= 2;
	if (length > size)
		length = size;
	table = malloc(length + 1);
	memcpy(table, data, length);
	fuzz_seal(table, length);
	data += length;
	size -= length;
	for (n = 0; n < FUZZ_MOST && size >= FUZZ_FUNCTION; n++) {
		unsigned int rid = (data[0] | (unsigned int)data[1] << 8) %
				   FUZZ_RIDS;

		host.there[rid] = true;
		memcpy(host.space[rid], data + 2, FUZZ_SPACE + FUZZ_EXTENDED);
		data += FUZZ_FUNCTION;
		size -= FUZZ_FUNCTION;
	}
	room = uiommu_dmar_memory(length);
	memory = malloc(room);
	memset(&dmar, 0, sizeof(dmar));
	if (uiommu_dmar_read(table, length, memory, room, &dmar) != 0)
		memset(&dmar, 0, sizeof(dmar));
	fuzz_plan(&host, &dmar);
	free(memory);
	free(table);
	return 0;
}
