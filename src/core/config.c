// SPDX-License-Identifier: MIT
/* What the host says of itself and of its wishes: checked, and copied. */
#include <uiommu/error.h>

#include "base/format.h"
#include "core/object.h"

/* Findings of the option text that are told one by one. */
#define CONFIG_FINDINGS 8u
#define CONFIG_WORD 64u

static bool config_choice_known(enum uiommu_choice choice)
{
	return choice == UIOMMU_CHOICE_DEFAULT || choice == UIOMMU_CHOICE_NO ||
	       choice == UIOMMU_CHOICE_YES;
}

static bool config_type_known(enum uiommu_domain_type type)
{
	return type == UIOMMU_DOMAIN_IDENTITY || type == UIOMMU_DOMAIN_DMA ||
	       type == UIOMMU_DOMAIN_DMA_FQ;
}

static bool config_range_known(struct uiommu_range range)
{
	return range.first <= range.last;
}

int uiommu_core_config_check(const struct uiommu_config *config)
{
	const struct uiommu_options *options = &config->options;
	uint32_t i;

	if (!config_choice_known(options->passthrough) ||
	    !config_choice_known(options->strict) ||
	    !config_choice_known(options->remapping) ||
	    !config_choice_known(options->superpages) ||
	    !config_choice_known(options->scalable) ||
	    !config_choice_known(options->isa_range))
		return UIOMMU_EINVAL;
	if (config->build_default != UIOMMU_DOMAIN_NONE &&
	    !config_type_known(config->build_default))
		return UIOMMU_EINVAL;
	for (i = 0; i < config->override_count; i++)
		if (!config_type_known(config->overrides[i].type))
			return UIOMMU_EINVAL;
	for (i = 0; i < config->ram_count; i++)
		if (!config_range_known(config->ram[i]))
			return UIOMMU_EINVAL;
	for (i = 0; i < config->window_count; i++)
		if (!config_range_known(config->windows[i].range))
			return UIOMMU_EINVAL;
	return UIOMMU_OK;
}

/* A port's text may hold anything; a log line is text. */
static void config_word(const char *text,
			const struct uiommu_options_finding *finding,
			char word[CONFIG_WORD])
{
	size_t i;

	for (i = 0; i < finding->length && i + 1 < CONFIG_WORD; i++) {
		char c = text[finding->offset + i];

		word[i] = c < ' ' || c > '~' ? '?' : c;
	}
	word[i] = 0;
}

static void config_read_text(struct uiommu *uiommu, const char *text)
{
	struct uiommu_options_finding findings[CONFIG_FINDINGS];
	char word[CONFIG_WORD];
	uint32_t count, i;

	count = uiommu_options_parse(text, ~(size_t)0, &uiommu->input.options,
				     findings, CONFIG_FINDINGS);
	for (i = 0; i < count && i < CONFIG_FINDINGS; i++) {
		config_word(text, &findings[i], word);
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "options: offset %llu: %s: %s",
			   (unsigned long long)findings[i].offset, word,
			   uiommu_options_problem_text(findings[i].problem));
	}
	if (count > CONFIG_FINDINGS)
		uiommu_log(uiommu->host, UIOMMU_LOG_WARN,
			   "options: %u more findings",
			   count - CONFIG_FINDINGS);
}

static int config_copy_block(struct uiommu_host *host, const void *from,
			     uint32_t count, size_t size,
			     struct uiommu_block *block)
{
	int err;

	if (!count)
		return UIOMMU_OK;
	err = uiommu_block_alloc(host, (uint64_t)count * size, block);
	if (!err)
		memcpy(block->memory, from, count * size);
	return err;
}

int uiommu_core_config_copy(struct uiommu *uiommu,
			    const struct uiommu_config *config)
{
	struct uiommu_plan_input *input = &uiommu->input;
	struct uiommu_ram ram;
	int err;

	uiommu->keep_acs = config->keep_acs;
	input->options = config->options;
	input->build_default = config->build_default;
	input->build_off = config->build_off;
	input->memory_encryption = config->memory_encryption;
	input->trusted_boot = config->trusted_boot;
	if (config->options_text)
		config_read_text(uiommu, config->options_text);
	if (input->options.scalable == UIOMMU_CHOICE_YES)
		uiommu_log(uiommu->host, UIOMMU_LOG_INFO,
			   "options: scalable mode is asked for and not used");

	err = config_copy_block(
		uiommu->host, config->overrides, config->override_count,
		sizeof(*config->overrides), &uiommu->override_block);
	if (err)
		return err;
	input->overrides = uiommu->override_block.memory;
	input->override_count = config->override_count;
	err = config_copy_block(uiommu->host, config->windows,
				config->window_count, sizeof(*config->windows),
				&uiommu->window_block);
	if (err)
		return err;
	uiommu->windows = uiommu->window_block.memory;
	uiommu->window_count = config->window_count;
	if (!config->ram_count)
		return UIOMMU_OK;
	err = uiommu_core_ram_join(uiommu, config->ram, config->ram_count,
				   &ram);
	if (!err)
		uiommu_core_ram_set(uiommu, &ram);
	return err;
}

void uiommu_core_config_free(struct uiommu *uiommu)
{
	uiommu_block_free(uiommu->host, &uiommu->ram.block);
	uiommu_block_free(uiommu->host, &uiommu->window_block);
	uiommu_block_free(uiommu->host, &uiommu->override_block);
}
