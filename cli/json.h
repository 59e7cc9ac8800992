/* SPDX-License-Identifier: MIT */
/* A study as JSON; docs/json.md says what each member means. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>

#include "study.h"

#define JSON_SCHEMA 1

/* Parts of the document. */
#define JSON_GROUPS UIOMMU_BIT32(0)
#define JSON_DEVICES UIOMMU_BIT32(1)
#define JSON_UNITS UIOMMU_BIT32(2)
#define JSON_REASONS UIOMMU_BIT32(3) /* of each device */
#define JSON_ALL (~(uint32_t)0)

/* The head of every document; NULL without memory. */
json_t *json_head(const struct ask *ask);
/* The head, the machine, what Linux did, and @parts of the plan. */
json_t *json_study(const struct ask *ask, const struct study *study,
		   uint32_t parts);
/* One group or device, as in the document. */
json_t *json_group(const struct study *study, uint32_t group);
json_t *json_device(const struct study *study, uint32_t device, bool reasons);
/* What would change a group: text, and the device it is about. */
json_t *json_advice(const struct study *study, uint32_t group);
/* What DMAR findings say: severity, offset, text. */
json_t *json_dmar_findings(const struct uiommu_dmar *dmar);
/* A range as {"first": "0x...", "last": "0x..."}. */
json_t *json_range(struct uiommu_range range);
/* Text that may hold any byte. */
json_t *json_text(const char *text);
/* Prints and frees; ASK_FINE, or ASK_FINDINGS if that cannot be done. */
int json_print(json_t *document, FILE *to);

#endif /* CLI_JSON_H */
