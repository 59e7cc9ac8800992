// SPDX-License-Identifier: MIT
/* A machine's parts, put together from whatever a source gives. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "text.h"

void machine_init(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->host.machine = machine;
	uiommu_topology_init(&machine->topology, &machine->host);
}

static void machine_free_lines(char **lines, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
}

void machine_fini(struct machine *machine)
{
	uiommu_topology_fini(&machine->topology);
	for (uint32_t i = 0; i < machine->function_count; i++)
		free(machine->functions[i].config);
	for (uint32_t i = 0; i < machine->group_count; i++) {
		free(machine->groups[i].members);
		free(machine->groups[i].regions);
	}
	machine_free_lines(machine->log, machine->log_count);
	machine_free_lines(machine->notes, machine->note_count);
	free(machine->functions);
	free(machine->groups);
	free(machine->units);
	free(machine->memory);
	free(machine->bridges);
	free(machine->dmar_memory);
	free(machine->table);
	free(machine->source);
	free(machine->cmdline);
	free(machine->kernel);
	machine_init(machine);
}

/* Room for one more at the end, cleared; NULL: see @error. */
static void *machine_more(void **array, uint32_t *count, uint32_t *room,
			  uint32_t most, size_t size, const char *what,
			  struct machine_error *error)
{
	if (*count == most) {
		machine_fail(error, "more than %u %s; is it one machine?", most,
			     what);
		return NULL;
	}
	if (*count == *room) {
		uint32_t more = *room ? *room * 2 : 16;
		void *grown = realloc(*array, more * size);

		if (!grown) {
			machine_fail(error, "out of memory");
			return NULL;
		}
		*array = grown;
		*room = more;
	}
	return memset((char *)*array + (*count)++ * size, 0, size);
}

#define MACHINE_MORE(array, count, room, most, what, error)        \
	machine_more((void **)&(array), &(count), &(room), (most), \
		     sizeof(*(array)), (what), (error))

int machine_set(char **field, const char *text, struct machine_error *error)
{
	char *copy = strdup(text);

	if (!copy) {
		machine_fail(error, "out of memory");
		return -1;
	}
	free(*field);
	*field = copy;
	return 0;
}

static int machine_line(char ***lines, uint32_t *count, uint32_t *room,
			const char *text, struct machine_error *error)
{
	char **line = machine_more((void **)lines, count, room,
				   MACHINE_LINES_MOST, sizeof(**lines), "lines",
				   error);

	return line ? machine_set(line, text, error) : -1;
}

int machine_note(struct machine *machine, const char *fmt, ...)
{
	struct machine_error ignored;
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (uint32_t i = 0; i < machine->note_count; i++)
		if (!strcmp(machine->notes[i], text))
			return 0;
	return machine_line(&machine->notes, &machine->note_count,
			    &machine->note_room, text, &ignored);
}

int machine_add_log(struct machine *machine, const char *line,
		    struct machine_error *error)
{
	return machine_line(&machine->log, &machine->log_count,
			    &machine->log_room, line, error);
}

int machine_add_memory(struct machine *machine, struct uiommu_range range,
		       const char *kind, struct machine_error *error)
{
	struct machine_range *r = MACHINE_MORE(
		machine->memory, machine->memory_count, machine->memory_room,
		MACHINE_RANGES_MOST, "ranges of memory", error);

	if (!r)
		return -1;
	r->range = range;
	snprintf(r->kind, sizeof(r->kind), "%s", kind);
	return 0;
}

int machine_add_bridge(struct machine *machine, uint16_t segment, uint8_t bus,
		       struct uiommu_range window, struct machine_error *error)
{
	struct machine_bridge *b = MACHINE_MORE(
		machine->bridges, machine->bridge_count, machine->bridge_room,
		MACHINE_RANGES_MOST, "bridge windows", error);

	if (!b)
		return -1;
	*b = (struct machine_bridge){ segment, bus, window };
	return 0;
}

int machine_set_table(struct machine *machine, const void *bytes, size_t size,
		      struct machine_error *error)
{
	uint8_t *copy = malloc(size + 1);

	if (!copy) {
		machine_fail(error, "out of memory");
		return -1;
	}
	memcpy(copy, bytes, size);
	free(machine->table);
	machine->table = copy;
	machine->table_size = size;
	return 0;
}

static int machine_compare(const void *a, const void *b)
{
	const struct machine_function *x = a, *y = b;
	uint32_t i = (uint32_t)x->sid.segment << 16 | x->sid.rid;
	uint32_t j = (uint32_t)y->sid.segment << 16 | y->sid.rid;

	return i < j ? -1 : i > j;
}

static struct machine_function *machine_scan(const struct machine *machine,
					     struct uiommu_sid sid)
{
	for (uint32_t i = machine->function_count; i-- > 0;)
		if (machine->functions[i].sid.rid == sid.rid &&
		    machine->functions[i].sid.segment == sid.segment)
			return &machine->functions[i];
	return NULL;
}

struct machine_function *machine_function(struct machine *machine,
					  struct uiommu_sid sid,
					  struct machine_error *error)
{
	struct machine_function *f = machine_scan(machine, sid);

	if (f)
		return f;
	f = MACHINE_MORE(machine->functions, machine->function_count,
			 machine->function_room, MACHINE_FUNCTIONS_MOST,
			 "functions", error);
	if (f) {
		f->sid = sid;
		f->domain = machine_domain(machine, sid.segment);
	}
	return f;
}

const struct machine_function *machine_find(const struct machine *machine,
					    struct uiommu_sid sid)
{
	struct machine_function key = { .sid = sid };

	if (!machine->function_count)
		return NULL;
	return bsearch(&key, machine->functions, machine->function_count,
		       sizeof(key), machine_compare);
}

struct machine_group *machine_group(struct machine *machine, uint32_t number,
				    struct machine_error *error)
{
	struct machine_group *g;

	for (uint32_t i = machine->group_count; i-- > 0;)
		if (machine->groups[i].number == number)
			return &machine->groups[i];
	g = MACHINE_MORE(machine->groups, machine->group_count,
			 machine->group_room, MACHINE_GROUPS_MOST, "groups",
			 error);
	if (g)
		g->number = number;
	return g;
}

struct machine_unit *machine_unit(struct machine *machine, const char *name,
				  struct machine_error *error)
{
	struct machine_unit *u;

	for (uint32_t i = 0; i < machine->unit_count; i++)
		if (!strcmp(machine->units[i].name, name))
			return &machine->units[i];
	u = MACHINE_MORE(machine->units, machine->unit_count,
			 machine->unit_room, MACHINE_UNITS_MOST, "units",
			 error);
	if (u)
		snprintf(u->name, sizeof(u->name), "%s", name);
	return u;
}

int machine_set_config(struct machine_function *function, const void *bytes,
		       uint32_t size, struct machine_error *error)
{
	uint8_t *copy = malloc(size + 1);

	if (!copy) {
		machine_fail(error, "out of memory");
		return -1;
	}
	memcpy(copy, bytes, size);
	free(function->config);
	function->config = copy;
	function->size = size;
	return 0;
}

int machine_group_device(struct machine_group *group, const char *name,
			 struct machine_error *error)
{
	uint32_t count = group->member_count;
	struct machine_member *m;
	const char *at = name;

	if (count == MACHINE_FUNCTIONS_MOST) {
		machine_fail(error, "too many devices in one group");
		return -1;
	}
	m = realloc(group->members, (count + 1) * sizeof(*m));
	if (!m) {
		machine_fail(error, "out of memory");
		return -1;
	}
	group->members = m;
	group->member_count++;
	m += count;
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->pci = text_sid(&at, &m->sid) && !*at;
	return 0;
}

int machine_group_region(struct machine_group *group, struct uiommu_range range,
			 const char *type, struct machine_error *error)
{
	uint32_t count = group->region_count;
	struct machine_range *r;

	r = count < MACHINE_RANGES_MOST
		    ? realloc(group->regions, (count + 1) * sizeof(*r))
		    : NULL;
	if (!r) {
		machine_fail(error, "too many regions in one group");
		return -1;
	}
	group->regions = r;
	group->region_count++;
	r[count].range = range;
	snprintf(r[count].kind, sizeof(r[count].kind), "%s", type);
	return 0;
}

int machine_read_table(struct machine *machine, struct machine_error *error)
{
	size_t need = uiommu_dmar_memory(machine->table_size);

	if (!machine->table)
		return 0;
	if (need)
		machine->dmar_memory = malloc(need);
	if (!machine->dmar_memory) {
		machine_fail(error, "no memory for a DMAR of %zu bytes",
			     machine->table_size);
		return -1;
	}
	machine->dmar_error = uiommu_dmar_read(
		machine->table, machine->table_size, machine->dmar_memory, need,
		&machine->dmar);
	return 0;
}

bool machine_all_ones(const uint8_t *config, uint32_t size)
{
	uint32_t i = 0;

	while (i < 64 && i < size && config[i] == 0xff)
		i++;
	return i == 64;
}

/* Shares the function at @index its slot with one that is not virtual? */
static bool machine_shares(const struct machine *machine, uint32_t index)
{
	const struct machine_function *f = machine->functions;
	uint32_t first = index > 7 ? index - 7 : 0;

	for (uint32_t i = first; i < machine->function_count && i < index + 8;
	     i++)
		if (i != index && !f[i].has_physfn &&
		    f[i].sid.segment == f[index].sid.segment &&
		    f[i].sid.rid >> 3 == f[index].sid.rid >> 3)
			return true;
	return false;
}

/* Who listed it knew of it: it is kept, though it does not answer. */
static void machine_find_silent(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->function_count; i++) {
		struct machine_function *f = &machine->functions[i];

		f->silent = !f->has_physfn &&
			    machine_all_ones(f->config, f->size);
		f->several = f->silent && machine_shares(machine, i);
	}
}

/* Why the scan did not meet it. */
static void machine_note_left_out(struct machine *machine,
				  struct uiommu_sid sid)
{
	struct uiommu_sid first = { sid.segment, sid.rid & 0xfff8 };
	char name[MACHINE_SID_SIZE];

	machine_sid_text(machine, sid, name);
	if (sid.rid != first.rid &&
	    uiommu_topology_find(&machine->topology, first) == UIOMMU_PCI_NONE)
		machine_note(machine,
			     "%s is left out: function 0 of its slot is not "
			     "there, and without it the slot counts as empty",
			     name);
	else
		machine_note(machine,
			     "%s is left out: a scan of configuration space "
			     "does not find it",
			     name);
}

static void machine_note_silent(struct machine *machine, struct uiommu_sid sid)
{
	char name[MACHINE_SID_SIZE];

	machine_sid_text(machine, sid, name);
	machine_note(machine,
		     "%s reads as all ones: switched off or hung; taken as an "
		     "endpoint without capabilities",
		     name);
}

static void machine_apply(struct machine *machine)
{
	struct uiommu_topology *topology = &machine->topology;

	for (uint32_t i = 0; i < machine->domain_count; i++)
		uiommu_topology_set_domain(topology,
					   machine->domains[i].segment,
					   machine->domains[i].domain);
	for (uint32_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *f = &machine->functions[i];
		uint32_t at = uiommu_topology_find(topology, f->sid);

		if (at == UIOMMU_PCI_NONE) {
			machine_note_left_out(machine, f->sid);
			continue;
		}
		if (f->silent && !topology->functions[at].virtual_function)
			machine_note_silent(machine, f->sid);
		topology->functions[at].external_facing |= f->external_facing;
		topology->functions[at].untrusted |= f->untrusted;
		if (f->has_physfn &&
		    uiommu_topology_set_physical(topology, f->sid, f->physfn))
			machine_note(machine,
				     "a virtual function's physical function "
				     "is not in the machine; ignored");
	}
}

int machine_prepare(struct machine *machine, struct machine_error *error)
{
	uint32_t count = machine->function_count;
	int err;

	if (count)
		qsort(machine->functions, count, sizeof(*machine->functions),
		      machine_compare);
	machine_find_silent(machine);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t segment = machine->functions[i].sid.segment;

		if (i && machine->functions[i - 1].sid.segment == segment)
			continue;
		err = uiommu_topology_scan(&machine->topology, segment, 0, 255);
		if (err) {
			machine_fail(error, "segment %04x: %s", segment,
				     uiommu_strerror(err));
			return -1;
		}
	}
	machine_name_members(machine);
	machine_apply(machine);
	machine_finish(machine);
	return machine_read_table(machine, error);
}

const struct machine_unit *machine_unit_at(const struct machine *machine,
					   uint64_t base)
{
	for (uint32_t i = 0; i < machine->unit_count; i++)
		if (machine->units[i].base == base)
			return &machine->units[i];
	return NULL;
}

const struct machine_group *machine_group_of(const struct machine *machine,
					     struct uiommu_sid sid)
{
	for (uint32_t i = 0; i < machine->group_count; i++) {
		const struct machine_group *g = &machine->groups[i];

		for (uint32_t j = 0; j < g->member_count; j++)
			if (g->members[j].pci &&
			    g->members[j].sid.rid == sid.rid &&
			    g->members[j].sid.segment == sid.segment)
				return g;
	}
	return NULL;
}
