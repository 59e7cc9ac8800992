// SPDX-License-Identifier: MIT
/* uiommu report: the machine as one page that needs nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "report.h"
#include "words.h"

static const char *report_kind(const struct uiommu_pci_function *f)
{
	switch (f->pcie_type) {
	case UIOMMU_PCIE_ROOT_PORT:
		return "root port";
	case UIOMMU_PCIE_UPSTREAM_PORT:
		return "switch, upstream";
	case UIOMMU_PCIE_DOWNSTREAM_PORT:
		return "switch, downstream";
	case UIOMMU_PCIE_TO_PCI_BRIDGE:
		return "PCIe-to-PCI bridge";
	case UIOMMU_PCI_TO_PCIE_BRIDGE:
		return "PCI-to-PCIe bridge";
	case UIOMMU_PCIE_INTEGRATED_ENDPOINT:
		return "integrated";
	case UIOMMU_PCIE_EVENT_COLLECTOR:
		return "event collector";
	case UIOMMU_PCI_CONVENTIONAL:
		return f->header_type == 1 ? "PCI bridge" : "conventional PCI";
	default:
		return f->virtual_function ? "virtual function" : "endpoint";
	}
}

static json_t *report_acs(uint32_t bits)
{
	char words[32];

	words_acs(bits, words, sizeof(words));
	return json_text(words[3] ? words + 4 : "");
}

/* What the picture needs of each function beside the document. */
static json_t *report_functions(const struct study *study)
{
	const struct uiommu_topology *t = &study->machine->topology;
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->count; i++) {
		const struct uiommu_pci_function *f = &t->functions[i];

		json_array_append_new(
			list,
			json_pack("{ss so so}", "kind", report_kind(f),
				  "acs_can", report_acs(f->acs_capability),
				  "acs_on", report_acs(f->acs_control)));
	}
	return list;
}

static json_t *report_memory(const struct study *study)
{
	const struct machine *m = study->machine;
	json_t *list = json_array();

	for (uint32_t i = 0; i < m->memory_count; i++) {
		json_t *one = json_range(m->memory[i].range);

		json_object_set_new(one, "kind", json_text(m->memory[i].kind));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *report_document(const struct ask *ask, const struct study *study)
{
	json_t *document = json_study(ask, study, JSON_ALL);
	json_t *advice = json_array();

	for (uint32_t i = 0; i < study->plan.group_count; i++)
		json_array_append_new(advice, json_advice(study, i));
	json_object_set_new(document, "advice", advice);
	json_object_set_new(document, "functions", report_functions(study));
	json_object_set_new(document, "memory", report_memory(study));
	return document;
}

/* As JSON and as what stands between the tags of a script. */
static void report_data(FILE *to, const char *json)
{
	for (; *json; json++)
		if (strchr("<>&", *json))
			fprintf(to, "\\u%04x", (unsigned char)*json);
		else
			fputc(*json, to);
}

static void report_fill(FILE *to, const char *name, size_t length,
			const struct study *study, const char *json)
{
	if (!strncmp(name, "TITLE", length)) {
		fputs("IOMMU groups of ", to);
		report_text(to, study->machine->source ? study->machine->source
						       : "?");
	} else if (!strncmp(name, "STYLE", length)) {
		fputs(report_page_css, to);
	} else if (!strncmp(name, "BODY", length)) {
		report_body(to, study);
	} else if (!strncmp(name, "DATA", length)) {
		report_data(to, json);
	} else if (!strncmp(name, "SCRIPT", length)) {
		fputs(report_page_js, to);
	}
}

/* The template has @NAME@ where something is to be put in. */
static void report_page(FILE *to, const struct study *study, const char *json)
{
	const char *at = report_page_html, *mark, *end;

	while ((mark = strchr(at, '@')) && (end = strchr(mark + 1, '@'))) {
		fwrite(at, 1, (size_t)(mark - at), to);
		report_fill(to, mark + 1, (size_t)(end - mark - 1), study,
			    json);
		at = end + 1;
	}
	fputs(at, to);
}

static int report_wrong(const char *path)
{
	fprintf(stderr, "uiommu: %s cannot be written: %s\n", path,
		strerror(errno));
	return ASK_FINDINGS;
}

/* A file is there whole or not at all; what is no file is written to. */
static int report_write(const char *path, const char *page, size_t size)
{
	char *real = realpath(path, NULL), *name = NULL;
	bool whole;
	struct stat stat;
	FILE *to;
	mode_t mask = umask(0);
	int file = -1;

	umask(mask);
	whole = lstat(real ? real : path, &stat) || S_ISREG(stat.st_mode);
	if (asprintf(&name, whole ? "%s.XXXXXX" : "%s", real ? real : path) < 0)
		name = NULL;
	else if (whole)
		file = mkstemp(name);
	to = file >= 0 ? fdopen(file, "w") : NULL;
	if (name && !whole)
		to = fopen(name, "w");
	if (file >= 0 && (!to || fchmod(file, 0666 & ~mask)))
		goto fail;
	if (!to)
		goto fail;
	if (fwrite(page, 1, size, to) != size || fflush(to) || fclose(to))
		goto fail;
	if (!whole || !rename(name, real ? real : path)) {
		free(name);
		free(real);
		return ASK_FINE;
	}
fail:
	report_wrong(path);
	if (whole && file >= 0)
		unlink(name);
	free(name);
	free(real);
	return ASK_FINDINGS;
}

static int report_make(const struct ask *ask, const struct study *study)
{
	json_t *document = report_document(ask, study);
	char *json = document ? json_dumps(document, JSON_COMPACT) : NULL;
	char *page = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&page, &size);
	int status = ASK_FINDINGS;

	if (json && to)
		report_page(to, study, json);
	if (!to || fclose(to) || !json)
		fprintf(stderr, "uiommu: out of memory\n");
	else if (strcmp(ask->output, "-"))
		status = report_write(ask->output, page, size);
	else if (fwrite(page, 1, size, stdout) != size || fflush(stdout))
		report_wrong("standard output");
	else
		status = ASK_FINE;
	free(page);
	free(json);
	json_decref(document);
	return status;
}

int cmd_report(const struct ask *ask)
{
	struct machine machine;
	struct study study;
	int status;

	if (!ask->output || ask->json) {
		fprintf(stderr,
			ask->json
				? "uiommu: report writes a page; uiommu groups "
				  "--json is for programs\n"
				: "uiommu: report needs a file to write: "
				  "-o machine.html, or -o - for standard "
				  "output\n");
		return ASK_USAGE;
	}
	if (study_of(ask, ask->options, &machine, &study))
		return ASK_FINDINGS;
	status = report_make(ask, &study);
	if (!status)
		status = cmd_status(&study);
	study_fini(&study);
	machine_fini(&machine);
	return status;
}
