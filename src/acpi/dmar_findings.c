// SPDX-License-Identifier: MIT
/* The list of findings, and their words. */
#include <uiommu/dmar.h>

#include "acpi/dmar_findings.h"
#include "acpi/dmar_reader.h"
#include "base/format.h"

struct dmar_words {
	enum uiommu_severity severity;
	const char *text;
};

/* clang-format off */
static const struct dmar_words dmar_words[DMAR_FINDING_COUNT] = {
#define DMAR_WORDS(name, severity, text) \
	[DMAR_##name] = { UIOMMU_##severity, text },
	DMAR_FINDINGS(DMAR_WORDS)
#undef DMAR_WORDS
};
/* clang-format on */

void uiommu_dmar_found(struct uiommu_dmar_reader *reader,
		       enum uiommu_dmar_finding_id id, uint32_t offset,
		       uint64_t value0, uint64_t value1)
{
	struct uiommu_dmar *dmar = &reader->dmar;
	struct uiommu_dmar_finding *finding;

	/* Cannot happen (see DMAR_MEMORY_PER_BYTE), but costs nothing. */
	if (dmar->finding_count >= reader->finding_max) {
		dmar->findings_dropped++;
		return;
	}

	finding = &dmar->findings[dmar->finding_count++];
	finding->severity = dmar_words[id].severity;
	finding->offset = offset;
	finding->record = reader->record;
	finding->id = (uint16_t)id;
	finding->value[0] = value0;
	finding->value[1] = value1;
}

size_t uiommu_dmar_finding_text(const struct uiommu_dmar_finding *finding,
				char *text, size_t size)
{
	if (finding->id >= DMAR_FINDING_COUNT)
		return uiommu_format(text, size, "unknown finding %u",
				     (unsigned int)finding->id);
	return uiommu_format(text, size, dmar_words[finding->id].text,
			     (unsigned long long)finding->value[0],
			     (unsigned long long)finding->value[1]);
}
