// SPDX-License-Identifier: MIT
/* What was wished, what that takes, and how Linux says it. */
#include <stdio.h>
#include <string.h>

#include "wish.h"

#define WISH_NAMED_MOST 4u

static unsigned int wish_bits(uint64_t mask)
{
	unsigned int bits = 0;

	while (bits < 64 && mask >> bits & 1)
		bits++;
	return bits;
}

static void wish_asked(const struct study *study, struct wish *wish)
{
	const struct uiommu_request *request = &wish->request;
	const char *label = study->labels[wish->group];
	char name[100];

	study_device_name(study, wish->device, name, sizeof(name));
	switch (request->kind) {
	case UIOMMU_REQUEST_TYPE:
		snprintf(wish->asked, sizeof(wish->asked),
			 request->type == UIOMMU_DOMAIN_NONE
				 ? "group %s to choose for itself"
				 : "group %s to be %s",
			 label, uiommu_domain_type_name(request->type));
		break;
	case UIOMMU_REQUEST_CLAIM:
		snprintf(wish->asked, sizeof(wish->asked),
			 "group %s, with %s, for a user", label, name);
		break;
	default:
		snprintf(wish->asked, sizeof(wish->asked),
			 "%s to reach %u bits", name, wish_bits(request->mask));
		break;
	}
}

static const char *wish_driver(const struct study *study, uint32_t device)
{
	const struct machine_function *known;

	if (device >= study->machine->topology.count)
		return "";
	known = machine_find(study->machine,
			     study->machine->topology.functions[device].sid);
	return known ? known->driver : "";
}

/* A bridge's driver does no DMA of its own; ports never stand in the way. */
static bool wish_works(const struct study *study, uint32_t device)
{
	return device >= study->machine->topology.count ||
	       study->machine->topology.functions[device].header_type == 0;
}

/* Does the source say which driver a device has? */
static bool wish_knows_drivers(const struct study *study)
{
	for (uint32_t i = 0; i < study->machine->function_count; i++)
		if (study->machine->functions[i].driver[0])
			return true;
	return false;
}

/* Who has to be idle, by name and driver: "" if there is nobody. */
static void wish_idle(const struct study *study, uint32_t group, char *text,
		      size_t size)
{
	uint32_t count, named = 0, left = 0;
	const uint32_t *members = study_members(study, group, &count);
	bool known = wish_knows_drivers(study);
	size_t used = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < count; i++) {
		const char *driver = wish_driver(study, members[i]);
		char name[100];

		if (!wish_works(study, members[i]) || (known && !*driver))
			continue;
		if (named == WISH_NAMED_MOST) {
			left++;
			continue;
		}
		study_device_name(study, members[i], name, sizeof(name));
		used += (size_t)snprintf(text + used, size - used, "%s%s%s%s%s",
					 named ? ", " : "", name,
					 *driver ? " (" : "", driver,
					 *driver ? ")" : "");
		named++;
		if (used >= size)
			return;
	}
	if (left)
		snprintf(text + used, size - used, " and %u more", left);
}

static void wish_takes_move(const struct study *study, struct wish *wish)
{
	uint32_t count = study->plan.groups[wish->group].member_count;
	char all[40] = "the device moves", idle[300];

	if (count != 1)
		snprintf(all, sizeof(all), "all %u members move at once",
			 count);
	wish_idle(study, wish->group, idle, sizeof(idle));
	snprintf(wish->takes, sizeof(wish->takes), "%s; %s%s", all,
		 *idle ? "the drivers of these must be idle: " : "",
		 *idle ? idle : "no driver stands in the way");
}

static void wish_takes_claim(const struct study *study, struct wish *wish)
{
	char idle[300];

	wish_idle(study, wish->group, idle, sizeof(idle));
	snprintf(wish->takes, sizeof(wish->takes),
		 "blocked at once, then what the user maps; %s%s",
		 *idle ? "no driver may use these: " : "",
		 *idle ? idle : "nothing has one by now");
}

/* Why a mask changes nothing. */
static const char *wish_takes_nothing(const struct study *study,
				      const struct wish *wish)
{
	if (wish->request.kind != UIOMMU_REQUEST_MASK)
		return "it is so already";
	if (wish->from == UIOMMU_DOMAIN_BLOCKED)
		return "its DMA is refused whatever it reaches";
	return study->input.ram_count ? "it reaches all of RAM"
				      : "where RAM ends is not known";
}

static void wish_takes(const struct study *study, struct wish *wish)
{
	char *text = wish->takes;
	size_t size = sizeof(wish->takes);

	switch (wish->outcome) {
	case UIOMMU_OUTCOME_NOTHING:
		snprintf(text, size, "nothing to do: %s",
			 wish_takes_nothing(study, wish));
		break;
	case UIOMMU_OUTCOME_BOUND:
		snprintf(text, size,
			 "in place: from now on it is given addresses up to "
			 "0x%llx; nobody else notices",
			 (unsigned long long)wish->request.mask);
		break;
	case UIOMMU_OUTCOME_LIVE:
		snprintf(text, size, "in place, while the drivers work");
		break;
	case UIOMMU_OUTCOME_MOVE:
		wish_takes_move(study, wish);
		break;
	case UIOMMU_OUTCOME_BOUNCE:
		snprintf(text, size,
			 "the domain stays: what lies above 0x%llx is copied "
			 "through low memory, for this device alone",
			 (unsigned long long)wish->request.mask);
		break;
	case UIOMMU_OUTCOME_CLAIM:
		wish_takes_claim(study, wish);
		break;
	case UIOMMU_OUTCOME_REFUSED:
		snprintf(text, size, "refused; nothing changes");
		break;
	}
}

static void wish_linux_type(const struct wish *wish, const char *file,
			    char *text, size_t size)
{
	const char *word = wish->request.type == UIOMMU_DOMAIN_NONE
				   ? "auto"
				   : uiommu_domain_type_name(
					     wish->request.type);

	if (wish->outcome != UIOMMU_OUTCOME_REFUSED)
		snprintf(text, size, "%secho %s > %s%s",
			 wish->outcome == UIOMMU_OUTCOME_MOVE
				 ? "unbind the drivers, then "
				 : "",
			 word, file,
			 wish->outcome == UIOMMU_OUTCOME_MOVE
				 ? ", then bind them again"
				 : "");
	else
		snprintf(text, size, "echo %s > %s fails: %s", word, file,
			 wish->rule == UIOMMU_RULE_TYPE_OWNED
				 ? "Operation not permitted"
				 : "Invalid argument");
}

/* What Linux does or prints where the same is asked of it. */
static void wish_linux(const struct study *study, struct wish *wish)
{
	const struct machine_group *group = NULL;
	char file[64] = "/sys/kernel/iommu_groups/N/type";
	char *text = wish->linux;
	size_t size = sizeof(wish->linux);

	if (wish->device < study->machine->topology.count)
		group = study->linux_groups[wish->device];
	if (group)
		snprintf(file, sizeof(file), "/sys/kernel/iommu_groups/%u/type",
			 group->number);
	if (wish->request.kind == UIOMMU_REQUEST_TYPE)
		wish_linux_type(wish, file, text, size);
	else if (wish->outcome == UIOMMU_OUTCOME_CLAIM)
		snprintf(text, size,
			 "bind vfio-pci to every device of the group; bridges "
			 "keep their driver");
	else if (wish->rule == UIOMMU_RULE_REGION_NOT_USER)
		snprintf(text, size,
			 "\"Firmware has requested this device have a 1:1 "
			 "IOMMU mapping\", or \"ineligible for IOMMU domain "
			 "attach due to platform RMRR requirement\"");
	else if (wish->rule == UIOMMU_RULE_TYPE_OWNED &&
		 wish->request.kind == UIOMMU_REQUEST_CLAIM)
		snprintf(text, size, "Operation not permitted");
	else if (wish->outcome == UIOMMU_OUTCOME_BOUND)
		snprintf(text, size, "the same: dma_set_mask() bounds them");
	else if (wish->outcome == UIOMMU_OUTCOME_MOVE ||
		 wish->outcome == UIOMMU_OUTCOME_BOUNCE)
		snprintf(text, size,
			 "leaves it in identity and copies (swiotlb)");
}

void wish_say(const struct study *study, struct wish *wish)
{
	wish_asked(study, wish);
	wish_takes(study, wish);
	wish_linux(study, wish);
}
