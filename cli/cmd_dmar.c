// SPDX-License-Identifier: MIT
/* uiommu dmar: what is wrong with the table, then what it says. */
#include <string.h>

#include "cmd.h"
#include "json.h"

struct dmar_view {
	const struct machine *machine;
	struct names *names;
};

static const char *const dmar_types[] = {
	[UIOMMU_DMAR_DRHD] = "DRHD", [UIOMMU_DMAR_RMRR] = "RMRR",
	[UIOMMU_DMAR_ATSR] = "ATSR", [UIOMMU_DMAR_RHSA] = "RHSA",
	[UIOMMU_DMAR_ANDD] = "ANDD", [UIOMMU_DMAR_SATC] = "SATC",
	[UIOMMU_DMAR_SIDP] = "SIDP",
};

static const char *const dmar_scope_types[] = {
	[UIOMMU_SCOPE_ENDPOINT] = "endpoint",
	[UIOMMU_SCOPE_BRIDGE] = "bridge",
	[UIOMMU_SCOPE_IOAPIC] = "IOAPIC",
	[UIOMMU_SCOPE_HPET] = "HPET",
	[UIOMMU_SCOPE_NAMESPACE] = "namespace",
};

struct dmar_flag {
	uint32_t bit;
	const char *key;   /* for programs */
	const char *words; /* for people */
};

static const struct dmar_flag dmar_header_flags[] = {
	{ UIOMMU_DMAR_INTR_REMAP, "INTR_REMAP", "interrupt remapping" },
	{ UIOMMU_DMAR_X2APIC_OPT_OUT, "X2APIC_OPT_OUT",
	  "asks not to use x2APIC" },
	{ UIOMMU_DMAR_PLATFORM_OPT_IN, "DMA_CTRL_PLATFORM_OPT_IN",
	  "asks for protection against DMA from outside" },
	{ 0, NULL, NULL },
};

static const struct dmar_flag dmar_sidp_flags[] = {
	{ UIOMMU_SIDP_NO_NESTED, "NO_NESTED", "no nested translation" },
	{ UIOMMU_SIDP_NO_PWSNP, "NO_PWSNP", "no page-walk snoop" },
	{ UIOMMU_SIDP_NO_PGSNP, "NO_PGSNP", "no page snoop" },
	{ UIOMMU_SIDP_ATC_HARDENED, "ATC_HARDENED", "trusted with ATS" },
	{ UIOMMU_SIDP_ATC_REQUIRED, "ATC_REQUIRED", "needs ATS" },
	{ 0, NULL, NULL },
};

static const char *dmar_name(const char *const *names, size_t count,
			     unsigned int index)
{
	return index < count && names[index] ? names[index] : "unknown";
}

#define DMAR_NAME(names, index) \
	dmar_name(names, sizeof(names) / sizeof((names)[0]), index)

/* "a, b" of the flags that are set, or "none". */
static void dmar_flag_words(const struct dmar_flag *flags, uint32_t set,
			    char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (; flags->bit; flags++)
		if (set & flags->bit && used < size)
			used += (size_t)snprintf(text + used, size - used,
						 "%s%s", used ? ", " : "",
						 flags->words);
}

static json_t *dmar_flag_json(const struct dmar_flag *flags, uint32_t set)
{
	json_t *list = json_array();

	for (; flags->bit; flags++)
		if (set & flags->bit)
			json_array_append_new(list, json_string(flags->key));
	return list;
}

/* The largest unit that leaves no rest. */
static void dmar_size_text(struct uiommu_range range, char *text, size_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
					     "TiB",   "PiB", "EiB" };
	uint64_t bytes = range.last - range.first + 1;
	unsigned int unit = 0;

	if (range.last < range.first) {
		snprintf(text, size, "ends below its beginning");
		return;
	}
	if (!bytes) {
		snprintf(text, size, "16 EiB");
		return;
	}
	for (; bytes % 1024 == 0; unit++)
		bytes /= 1024;
	snprintf(text, size, "%llu %s", (unsigned long long)bytes,
		 bytes == 1 && !unit ? "byte" : units[unit]);
}

/* 0000:00:1f.0, or 0000:00:1c.0/00.0 through a bridge. */
static void dmar_path_text(const struct dmar_view *view,
			   const struct uiommu_dmar_scope *scope, char *text,
			   size_t size)
{
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	size_t used = (size_t)snprintf(
		text, size, "%04x:%02x:", dmar->records[scope->record].segment,
		scope->start_bus);
	uint8_t device, function;

	for (unsigned int i = 0; i < scope->path_count && used < size; i++)
		if (!uiommu_dmar_path(dmar, scope, i, &device, &function))
			used += (size_t)snprintf(text + used, size - used,
						 "%s%02x.%x", i ? "/" : "",
						 device, function);
	if (!scope->path_count)
		snprintf(text + used, size - used, "(no path)");
}

/* The function that a scope names, or UIOMMU_PCI_NONE. */
static uint32_t dmar_resolve(const struct dmar_view *view,
			     const struct uiommu_dmar_scope *scope)
{
	const struct uiommu_topology *topology = &view->machine->topology;
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	uint32_t at = UIOMMU_PCI_NONE;
	struct uiommu_sid sid = { dmar->records[scope->record].segment, 0 };
	unsigned int bus = scope->start_bus;
	uint8_t device, function;

	if (!scope->usable)
		return UIOMMU_PCI_NONE;
	for (unsigned int i = 0; i < scope->path_count; i++) {
		if (i && (topology->functions[at].header_type != 1 ||
			  !topology->functions[at].secondary_bus))
			return UIOMMU_PCI_NONE;
		if (i)
			bus = topology->functions[at].secondary_bus;
		if (uiommu_dmar_path(dmar, scope, i, &device, &function))
			return UIOMMU_PCI_NONE;
		sid.rid = (uint16_t)(bus << 8 | (device & 31u) << 3 |
				     (function & 7u));
		at = uiommu_topology_find(topology, sid);
		if (at == UIOMMU_PCI_NONE)
			return UIOMMU_PCI_NONE;
	}
	return at;
}

static void dmar_count(const struct uiommu_dmar *dmar, uint32_t counts[3])
{
	memset(counts, 0, 3 * sizeof(counts[0]));
	for (uint32_t i = 0; i < dmar->finding_count; i++)
		counts[dmar->findings[i].severity]++;
}

static int dmar_status(const struct machine *machine)
{
	uint32_t counts[3];

	dmar_count(&machine->dmar, counts);
	return !machine->table || machine->dmar_error ||
			       counts[UIOMMU_WARNING] || counts[UIOMMU_ERROR]
		       ? ASK_FINDINGS
		       : ASK_FINE;
}

static void dmar_print_findings(struct out *out, const struct dmar_view *view)
{
	static const struct {
		const char *word;
		enum out_style style;
	} severities[] = {
		[UIOMMU_NOTE] = { "note", OUT_PLAIN },
		[UIOMMU_WARNING] = { "warning", OUT_WARN },
		[UIOMMU_ERROR] = { "error", OUT_BAD },
	};
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	char text[200], first[40];
	uint32_t counts[3];

	dmar_count(dmar, counts);
	out_say(out, OUT_HEAD, "%s",
		view->machine->source ? view->machine->source : "?");
	out_say(out, dmar_status(view->machine) ? OUT_WARN : OUT_GOOD,
		": %u error%s, %u warning%s, %u note%s\n", counts[UIOMMU_ERROR],
		counts[UIOMMU_ERROR] == 1 ? "" : "s", counts[UIOMMU_WARNING],
		counts[UIOMMU_WARNING] == 1 ? "" : "s", counts[UIOMMU_NOTE],
		counts[UIOMMU_NOTE] == 1 ? "" : "s");
	for (uint32_t i = 0; i < dmar->finding_count; i++) {
		const struct uiommu_dmar_finding *f = &dmar->findings[i];

		uiommu_dmar_finding_text(f, text, sizeof(text));
		snprintf(first, sizeof(first), "%-7s  0x%04x  ",
			 severities[f->severity].word, f->offset);
		out_wrap(out, severities[f->severity].style, first, "%s", text);
	}
}

static void dmar_print_header(struct out *out, const struct dmar_view *view)
{
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	char text[160];

	out_say(out, OUT_PLAIN, "\n");
	out_say(out, OUT_HEAD, "Header\n");
	out_say(out, OUT_PLAIN, "  size           %u bytes, %u records\n",
		dmar->size, dmar->record_count);
	out_say(out, OUT_PLAIN, "  revision       %u\n", dmar->revision);
	out_say(out, OUT_PLAIN, "  address width  %u bits\n",
		dmar->address_width);
	dmar_flag_words(dmar_header_flags, dmar->flags, text, sizeof(text));
	out_say(out, OUT_PLAIN, "  flags          0x%02x: %s\n", dmar->flags,
		text);
	out_say(out, OUT_PLAIN, "  OEM            '%s', table '%s'\n",
		dmar->oem_id, dmar->oem_table_id);
}

static void dmar_print_scope(struct out *out, const struct dmar_view *view,
			     const struct uiommu_dmar_scope *scope)
{
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	const struct uiommu_pci_function *f;
	uint32_t at = dmar_resolve(view, scope);
	char text[1100], name[NAMES_SIZE], sid[MACHINE_SID_SIZE];

	dmar_path_text(view, scope, text, sizeof(text));
	out_say(out, scope->usable ? OUT_PLAIN : OUT_BAD,
		"          0x%04x  %-9s  %s", scope->offset,
		DMAR_NAME(dmar_scope_types, scope->type), text);
	if (scope->type >= UIOMMU_SCOPE_IOAPIC)
		out_say(out, OUT_PLAIN, ", id %u", scope->enumeration_id);
	if (scope->flags) {
		dmar_flag_words(dmar_sidp_flags, scope->flags, text,
				sizeof(text));
		out_say(out, OUT_PLAIN, ", %s", text);
	}
	if (!scope->usable)
		out_say(out, OUT_BAD, "  not used");
	if (at != UIOMMU_PCI_NONE) {
		f = &view->machine->topology.functions[at];
		machine_sid_text(view->machine, f->sid, sid);
		out_say(out, OUT_DIM, "  %s%s%s",
			scope->path_count > 1 ? sid : "",
			scope->path_count > 1 ? " " : "",
			names_device(view->names, f->vendor, f->device, name,
				     sizeof(name)));
	} else if (scope->usable && view->machine->topology.count &&
		   scope->type <= UIOMMU_SCOPE_BRIDGE &&
		   dmar->records[scope->record].usable) {
		out_say(out, OUT_DIM, "  not in the machine");
	}
	out_say(out, OUT_PLAIN, "\n");
}

/* What a record says besides its scopes. */
static void dmar_record_words(const struct dmar_view *view,
			      const struct uiommu_dmar_record *r, char *text,
			      size_t size)
{
	unsigned long long first = r->range.first, last = r->range.last;
	char bytes[40];

	dmar_size_text(r->range, bytes, sizeof(bytes));
	switch (r->type) {
	case UIOMMU_DMAR_DRHD:
		snprintf(text, size, "segment %04x, registers 0x%llx (%s)%s",
			 r->segment, first, bytes,
			 r->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL
				 ? ", INCLUDE_PCI_ALL"
				 : "");
		break;
	case UIOMMU_DMAR_RMRR:
		snprintf(text, size, "segment %04x, 0x%llx-0x%llx (%s)",
			 r->segment, first, last, bytes);
		break;
	case UIOMMU_DMAR_ATSR:
		snprintf(text, size, "segment %04x%s", r->segment,
			 r->flags & UIOMMU_ATSR_ALL_PORTS ? ", ALL_PORTS" : "");
		break;
	case UIOMMU_DMAR_RHSA:
		snprintf(text, size,
			 "the unit at 0x%llx is near to proximity domain %u",
			 (unsigned long long)r->base, r->proximity_domain);
		break;
	case UIOMMU_DMAR_ANDD:
		snprintf(text, size, "ACPI device %u is %.*s", r->device_number,
			 (int)r->name_length,
			 (const char *)view->machine->table + r->name_offset);
		break;
	case UIOMMU_DMAR_SATC:
		snprintf(text, size, "segment %04x%s", r->segment,
			 r->flags & UIOMMU_SATC_ATC_REQUIRED ? ", ATC_REQUIRED"
							     : "");
		break;
	case UIOMMU_DMAR_SIDP:
		snprintf(text, size, "segment %04x", r->segment);
		break;
	default:
		snprintf(text, size, "type %u, %u bytes", r->type, r->length);
	}
}

static void dmar_print_records(struct out *out, const struct dmar_view *view)
{
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	char text[400];

	out_say(out, OUT_PLAIN, "\n");
	out_say(out, OUT_HEAD, "Records\n");
	for (uint32_t i = 0; i < dmar->record_count; i++) {
		const struct uiommu_dmar_record *r = &dmar->records[i];

		dmar_record_words(view, r, text, sizeof(text));
		out_say(out, OUT_PLAIN, "  0x%04x  ", r->offset);
		out_say(out, OUT_HEAD, "%s",
			r->type <= UIOMMU_DMAR_SIDP
				? DMAR_NAME(dmar_types, r->type)
				: "?");
		out_say(out, OUT_PLAIN, "  %s", text);
		out_say(out, OUT_BAD, "%s\n", r->usable ? "" : "  not used");
		for (uint32_t k = 0; k < r->scope_count; k++)
			dmar_print_scope(out, view,
					 &dmar->scopes[r->scope_first + k]);
	}
}

static void dmar_print(const struct ask *ask, const struct dmar_view *view)
{
	struct out out;

	out_init(&out, stdout, ask->colour);
	for (uint32_t i = 0; i < view->machine->note_count; i++)
		out_wrap(&out, OUT_DIM, "note: ", "%s",
			 view->machine->notes[i]);
	if (!view->machine->table) {
		out_wrap(&out, OUT_WARN, "", "%s: there is no DMAR table%s",
			 view->machine->source ? view->machine->source : "?",
			 view->machine->note_count
				 ? ""
				 : ": no Intel IOMMU, or firmware has it off");
		return;
	}
	dmar_print_findings(&out, view);
	if (view->machine->dmar_error)
		return;
	dmar_print_header(&out, view);
	dmar_print_records(&out, view);
}

static json_t *dmar_scope_json(const struct dmar_view *view,
			       const struct uiommu_dmar_scope *scope)
{
	uint32_t at = dmar_resolve(view, scope);
	char path[1100], sid[MACHINE_SID_SIZE];
	json_t *one;

	dmar_path_text(view, scope, path, sizeof(path));
	one = json_pack("{si ss si sb so so}", "offset", (int)scope->offset,
			"type", DMAR_NAME(dmar_scope_types, scope->type), "id",
			(int)scope->enumeration_id, "usable", scope->usable,
			"path", json_text(path), "flags",
			dmar_flag_json(dmar_sidp_flags, scope->flags));
	if (at == UIOMMU_PCI_NONE) {
		json_object_set_new(one, "device", json_null());
	} else {
		machine_sid_text(view->machine,
				 view->machine->topology.functions[at].sid,
				 sid);
		json_object_set_new(one, "device", json_text(sid));
	}
	return one;
}

/* Members that only some types have. */
static void dmar_record_members(json_t *one, const struct dmar_view *view,
				const struct uiommu_dmar_record *r)
{
	char name[300];

	if (r->type == UIOMMU_DMAR_DRHD) {
		json_object_set_new(one, "registers", json_range(r->range));
		json_object_set_new(
			one, "include_pci_all",
			json_boolean(r->flags & UIOMMU_DRHD_INCLUDE_PCI_ALL));
	}
	if (r->type == UIOMMU_DMAR_RMRR)
		json_object_set_new(one, "memory", json_range(r->range));
	if (r->type == UIOMMU_DMAR_ATSR)
		json_object_set_new(
			one, "all_ports",
			json_boolean(r->flags & UIOMMU_ATSR_ALL_PORTS));
	if (r->type == UIOMMU_DMAR_SATC)
		json_object_set_new(
			one, "atc_required",
			json_boolean(r->flags & UIOMMU_SATC_ATC_REQUIRED));
	if (r->type == UIOMMU_DMAR_RHSA) {
		json_object_set_new(
			one, "unit",
			json_sprintf("0x%llx", (unsigned long long)r->base));
		json_object_set_new(
			one, "proximity_domain",
			json_integer((json_int_t)r->proximity_domain));
	}
	if (r->type == UIOMMU_DMAR_ANDD) {
		snprintf(name, sizeof(name), "%.*s", (int)r->name_length,
			 (const char *)view->machine->table + r->name_offset);
		json_object_set_new(one, "id",
				    json_integer((json_int_t)r->device_number));
		json_object_set_new(one, "name", json_text(name));
	}
}

static json_t *dmar_record_json(const struct dmar_view *view, uint32_t index)
{
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	const struct uiommu_dmar_record *r = &dmar->records[index];
	json_t *scopes = json_array(), *one;

	for (uint32_t i = 0; i < r->scope_count; i++)
		json_array_append_new(
			scopes,
			dmar_scope_json(view,
					&dmar->scopes[r->scope_first + i]));
	one = json_pack("{si si si ss si sb so}", "record", (int)index,
			"offset", (int)r->offset, "length", (int)r->length,
			"type", DMAR_NAME(dmar_types, r->type), "number",
			(int)r->type, "usable", r->usable, "scopes", scopes);
	if (r->type != UIOMMU_DMAR_RHSA && r->type != UIOMMU_DMAR_ANDD &&
	    r->type <= UIOMMU_DMAR_SIDP)
		json_object_set_new(one, "segment", json_integer(r->segment));
	dmar_record_members(one, view, r);
	return one;
}

static json_t *dmar_json(const struct ask *ask, const struct dmar_view *view)
{
	const struct uiommu_dmar *dmar = &view->machine->dmar;
	const char *source = view->machine->source;
	json_t *document = json_head(ask), *list = json_array();

	json_object_set_new(document, "source",
			    json_text(source ? source : "?"));
	json_object_set_new(document, "usable",
			    json_boolean(view->machine->table &&
					 !view->machine->dmar_error));
	json_object_set_new(document, "dmar_findings",
			    json_dmar_findings(dmar));
	json_object_set_new(
		document, "header",
		json_pack("{si si si so so so}", "size", (int)dmar->size,
			  "revision", (int)dmar->revision, "address_width",
			  (int)dmar->address_width, "flags",
			  dmar_flag_json(dmar_header_flags, dmar->flags),
			  "oem_id", json_text(dmar->oem_id), "oem_table_id",
			  json_text(dmar->oem_table_id)));
	for (uint32_t i = 0; i < dmar->record_count; i++)
		json_array_append_new(list, dmar_record_json(view, i));
	json_object_set_new(document, "records", list);
	return document;
}

static int dmar_show(const struct ask *ask, const struct dmar_view *view)
{
	int status = dmar_status(view->machine);

	if (ask->json)
		return json_print(dmar_json(ask, view), stdout) | status;
	dmar_print(ask, view);
	return status;
}

int cmd_dmar(const struct ask *ask)
{
	struct machine_error error = { "" };
	struct ask source = *ask;
	struct machine machine;
	struct dmar_view view;
	struct names names;
	int status;

	if (ask->word_count && (ask->from || ask->dmar)) {
		fprintf(stderr, "uiommu: a table's file, or a source, not "
				"both; see uiommu dmar --help\n");
		return ASK_USAGE;
	}
	if (ask->word_count)
		source.dmar = ask->words[0];
	if (source_of(&source, &machine, &error)) {
		fprintf(stderr, "uiommu: %s\n", error.text);
		return ASK_FINDINGS;
	}
	names_init(&names, NULL);
	view.machine = &machine;
	view.names = &names;
	status = dmar_show(ask, &view);
	names_fini(&names);
	machine_fini(&machine);
	return status;
}
