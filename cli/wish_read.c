// SPDX-License-Identifier: MIT
/* --set-type, --claim and --mask as words. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "wish.h"

static const struct {
	const char *word;
	enum uiommu_domain_type type;
} wish_types[] = {
	{ "auto", UIOMMU_DOMAIN_NONE },
	{ "identity", UIOMMU_DOMAIN_IDENTITY },
	{ "dma", UIOMMU_DOMAIN_DMA },
	{ "dma-fq", UIOMMU_DOMAIN_DMA_FQ },
};

const char *wish_type_word(enum uiommu_domain_type type)
{
	for (size_t i = 0; i < sizeof(wish_types) / sizeof(wish_types[0]); i++)
		if (wish_types[i].type == type)
			return wish_types[i].word;
	return "?";
}

/* "G" of "G=..." into @name; what follows the last =, or NULL. */
static const char *wish_split(const char *word, char *name, size_t size)
{
	const char *at = strrchr(word, '=');
	size_t length = at ? (size_t)(at - word) : strlen(word);

	if (length >= size)
		length = size - 1;
	memcpy(name, word, length);
	name[length] = 0;
	return at ? at + 1 : NULL;
}

static bool wish_type(const char *word, enum uiommu_domain_type *type)
{
	for (size_t i = 0; i < sizeof(wish_types) / sizeof(wish_types[0]); i++)
		if (!strcasecmp(wish_types[i].word, word)) {
			*type = wish_types[i].type;
			return true;
		}
	return false;
}

/* Bits of address, or 0x... as a driver has it. */
static bool wish_mask(const char *word, uint64_t *mask)
{
	uint64_t value;

	if (!text_number(&word, &value) || *word)
		return false;
	if (value >= 12 && value <= 64)
		value = ~(uint64_t)0 >> (64 - value);
	else if (value < 4095 || value & (value + 1))
		return false;
	*mask = value;
	return true;
}

/* The device or group that @name means. */
static int wish_find(const struct study *study, const char *option,
		     const char *name, bool group, struct wish *wish,
		     struct machine_error *error)
{
	const char *label = name;
	uint32_t count;

	wish->device = study_find_device(study, name);
	if (wish->device == UIOMMU_PLAN_NONE && group) {
		if (!strncmp(label, "group", 5))
			label += 5 + (label[5] == ' ');
		wish->group = study_find_group(study, label);
		if (wish->group != UIOMMU_PLAN_NONE)
			wish->device = study_members(study, wish->group,
						     &count)[0];
	}
	if (wish->device == UIOMMU_PLAN_NONE) {
		machine_fail(error,
			     "%s: %s has no device%s '%s'; uiommu groups lists "
			     "them",
			     option, study->machine->source,
			     group ? " and no group" : "", name);
		return -1;
	}
	wish->group = study->plan.devices[wish->device].group;
	if (wish->group != UIOMMU_PLAN_NONE)
		return 0;
	machine_fail(error,
		     "%s: nothing confines the DMA of %s, so it is in no "
		     "group; uiommu explain %s says why",
		     option, name, name);
	return -1;
}

struct uiommu_sid wish_sid(const struct study *study, uint32_t device)
{
	if (device < study->machine->topology.count)
		return study->machine->topology.functions[device].sid;
	return study->plan.aliases[study->plan.devices[device].alias_first];
}

int wish_read(const struct study *study, const struct ask_wish *asked,
	      struct wish *wish, struct machine_error *error)
{
	struct uiommu_request *request = &wish->request;
	const char *option = "--claim", *value;
	char name[300];

	memset(wish, 0, sizeof(*wish));
	request->kind = asked->kind;
	if (request->kind == UIOMMU_REQUEST_CLAIM) {
		snprintf(name, sizeof(name), "%s", asked->word);
	} else if (request->kind == UIOMMU_REQUEST_TYPE) {
		option = "--set-type";
		value = wish_split(asked->word, name, sizeof(name));
		if (!value || !wish_type(value, &request->type)) {
			machine_fail(error,
				     "--set-type is GROUP=TYPE with a TYPE of "
				     "identity, dma, dma-fq or auto, not '%s'",
				     asked->word);
			return -1;
		}
	} else {
		option = "--mask";
		value = wish_split(asked->word, name, sizeof(name));
		if (!value || !wish_mask(value, &request->mask)) {
			machine_fail(error,
				     "--mask is DEVICE=BITS with 12 to 64 BITS "
				     "of address, or all of them as "
				     "0xffffffff, not '%s'",
				     asked->word);
			return -1;
		}
	}
	if (wish_find(study, option, name, request->kind != UIOMMU_REQUEST_MASK,
		      wish, error))
		return -1;
	request->sid = wish_sid(study, wish->device);
	return 0;
}
