// SPDX-License-Identifier: MIT
/* Few words for the columns; whole sentences come from the library. */
#include <stdio.h>
#include <string.h>

#include "words.h"

#define WORDS_MODEL_MOST 44u /* of a column */

void words_acs(uint32_t bits, char *text, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} names[] = {
		{ UIOMMU_ACS_SOURCE_VALIDATION, "SV" },
		{ UIOMMU_ACS_REQUEST_REDIRECT, "RR" },
		{ UIOMMU_ACS_COMPLETION_REDIRECT, "CR" },
		{ UIOMMU_ACS_UPSTREAM_FORWARDING, "UF" },
	};
	size_t used = 0;

	snprintf(text, size, "ACS");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bits & names[i].bit && used < size)
			used += (size_t)snprintf(text + used, size - used,
						 "%s%s", used ? " " : "",
						 names[i].word);
}

static const struct uiommu_pci_function *
words_function(const struct study *study, uint32_t device)
{
	return device < study->machine->topology.count
		       ? &study->machine->topology.functions[device]
		       : NULL;
}

void words_model(const struct study *study, uint32_t device, char *text,
		 size_t size)
{
	const struct uiommu_pci_function *f = words_function(study, device);
	char type[80], name[NAMES_SIZE];

	text[0] = 0;
	if (f)
		snprintf(text, size, "%s: %s [%04x:%04x]",
			 names_class(study->names, f->class_code, type,
				     sizeof(type)),
			 names_device(study->names, f->vendor, f->device, name,
				      sizeof(name)),
			 f->vendor, f->device);
}

void words_model_short(const struct study *study, uint32_t device, char *text,
		       size_t size)
{
	static const char *const dull[] = { " Corporation", " Technologies",
					    ", Inc.",	    " Inc.",
					    " Co., Ltd.",   " Limited" };
	const struct uiommu_pci_function *f = words_function(study, device);
	char *at;

	text[0] = 0;
	if (!f)
		return;
	names_device(study->names, f->vendor, f->device, text, size);
	for (size_t i = 0; i < sizeof(dull) / sizeof(dull[0]); i++) {
		at = strstr(text, dull[i]);
		if (at)
			memmove(at, at + strlen(dull[i]),
				strlen(at + strlen(dull[i])) + 1);
	}
	if (strlen(text) > WORDS_MODEL_MOST)
		strcpy(text + WORDS_MODEL_MOST - 2, "..");
}

enum out_style words_style(enum uiommu_rule rule)
{
	switch (rule) {
	case UIOMMU_RULE_TYPE_CONFLICT:
	case UIOMMU_RULE_TYPE_BLOCKED:
	case UIOMMU_RULE_TYPE_BARRED:
	case UIOMMU_RULE_TYPE_BARRED_OWNED:
	case UIOMMU_RULE_TYPE_BARRED_APART:
	case UIOMMU_RULE_GROUP_APART:
	case UIOMMU_RULE_UNIT_NONE:
	case UIOMMU_RULE_UNIT_OFF:
	case UIOMMU_RULE_UNIT_GRAPHICS_OFF:
		return OUT_BAD;
	case UIOMMU_RULE_GROUP_ALIAS:
	case UIOMMU_RULE_GROUP_BRIDGE:
	case UIOMMU_RULE_GROUP_NO_ACS:
	case UIOMMU_RULE_GROUP_REACH:
	case UIOMMU_RULE_GROUP_MULTIFUNCTION:
	case UIOMMU_RULE_GROUP_LINUX:
	case UIOMMU_RULE_REGION_NOT_USER:
	case UIOMMU_RULE_REGION_IN_RAM:
	case UIOMMU_RULE_REGION_IN_MSI:
	case UIOMMU_RULE_TYPE_REFUSED:
	case UIOMMU_RULE_TYPE_MASK:
	case UIOMMU_RULE_TYPE_OWNED:
	case UIOMMU_RULE_TYPE_HELD:
	case UIOMMU_RULE_UNIT_HELD:
	case UIOMMU_RULE_TYPE_QUIRK_UNTRUSTED:
		return OUT_WARN;
	default:
		return OUT_PLAIN;
	}
}

static void words_group(const struct study *study,
			const struct uiommu_reason *reason, char *text,
			size_t size)
{
	bool none = reason->detail & UIOMMU_ACS_NO_CAPABILITY;
	char other[64] = "", bits[32];

	if (reason->other != UIOMMU_PLAN_NONE)
		study_device_name(study, reason->other, other, sizeof(other));
	words_acs(none ? 0 : reason->detail, bits, sizeof(bits));
	switch (reason->rule) {
	case UIOMMU_RULE_GROUP_ALONE:
		snprintf(text, size, "isolated");
		break;
	case UIOMMU_RULE_GROUP_ALIAS:
		snprintf(text, size, "same requester id as %s", other);
		break;
	case UIOMMU_RULE_GROUP_BRIDGE:
		snprintf(text, size, "%s %s",
			 reason->other == reason->device
				 ? "hides who asks:"
				 : "behind conventional bridge",
			 other);
		break;
	case UIOMMU_RULE_GROUP_NO_ACS:
	case UIOMMU_RULE_GROUP_REACH:
		snprintf(text, size, "%s%s %s %s",
			 reason->rule == UIOMMU_RULE_GROUP_NO_ACS ? "port "
								  : "",
			 other, none ? "has no" : "lacks", bits);
		break;
	case UIOMMU_RULE_GROUP_MULTIFUNCTION:
		snprintf(text, size, "one slot with %s, no ACS", other);
		break;
	case UIOMMU_RULE_GROUP_KEPT:
		snprintf(text, size, "was with %s before", other);
		break;
	case UIOMMU_RULE_GROUP_APART:
		snprintf(text, size, "kept apart from %s", other);
		break;
	default:
		snprintf(text, size, "with %s", other);
		break;
	}
}

/* Of a reason that stands out beside the group's; "" if it does not. */
static const char *words_besides(const struct study *study,
				 enum uiommu_rule rule)
{
	switch (rule) {
	case UIOMMU_RULE_UNIT_NONE:
		return "no unit: DMA is not confined";
	case UIOMMU_RULE_UNIT_OFF:
		return "IOMMU off: DMA is not confined";
	case UIOMMU_RULE_UNIT_GRAPHICS_OFF:
		return "unit off for graphics: DMA is not confined";
	case UIOMMU_RULE_UNIT_HELD:
		return "keeps its unit, or none, while it runs";
	case UIOMMU_RULE_GROUP_CLAIM:
		return "by its vendor's word";
	case UIOMMU_RULE_GROUP_LINUX:
		return study->input.rules == UIOMMU_RULES_LINUX
			       ? "can reach more than Linux counts"
			       : "Linux splits this group";
	case UIOMMU_RULE_TYPE_REQUIRED:
		return "type required";
	case UIOMMU_RULE_TYPE_UNTRUSTED:
		return "untrusted";
	case UIOMMU_RULE_TYPE_OVERRIDE:
		return "type asked for";
	case UIOMMU_RULE_TYPE_CONFLICT:
		return "members disagree about the type";
	case UIOMMU_RULE_TYPE_BLOCKED:
		return "blocked: its type cannot be made";
	case UIOMMU_RULE_TYPE_REACH:
		return "not all of RAM in reach";
	case UIOMMU_RULE_TYPE_BARRED:
		return "barred: cannot use the type in force";
	case UIOMMU_RULE_TYPE_BARRED_OWNED:
		return "barred: a user has the group";
	case UIOMMU_RULE_TYPE_BARRED_APART:
		return "barred";
	case UIOMMU_RULE_TYPE_HELD:
		return "keeps its type while it runs";
	case UIOMMU_RULE_REGION_NOT_USER:
		return "firmware keeps memory";
	default:
		return "";
	}
}

void words_why(const struct study *study, uint32_t device, char *text,
	       size_t size)
{
	const struct uiommu_reason *reasons;
	uint32_t count = uiommu_plan_reasons(&study->plan, device, &reasons);
	bool grouped = false;
	size_t used = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < count && used < size; i++) {
		enum uiommu_rule rule = reasons[i].rule;
		char words[128];

		snprintf(words, sizeof(words), "%s",
			 words_besides(study, rule));
		if (!words[0] && !grouped && rule >= UIOMMU_RULE_GROUP_ALONE &&
		    rule <= UIOMMU_RULE_GROUP_APART &&
		    rule != UIOMMU_RULE_GROUP_MODEL_ALIAS) {
			words_group(study, &reasons[i], words, sizeof(words));
			grouped = true;
		}
		if (words[0])
			used += (size_t)snprintf(text + used, size - used,
						 "%s%s", used ? "; " : "",
						 words);
	}
}
