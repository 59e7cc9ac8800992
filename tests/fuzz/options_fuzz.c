// SPDX-License-Identifier: MIT
/*
 * Any bytes as options: once as they are, once with each byte above 127 in
 * place of a word that means something, or few would get past a name.
 */
#include <stdlib.h>
#include <string.h>

#include <uiommu/options.h>

#define FINDINGS 8
#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {
	"iommu=",
	"intel_iommu=",
	"iommu.passthrough=",
	"iommu.strict=",
	"iommu.forcedac=",
	"intel-iommu=",
	"pt",
	"nopt",
	"off",
	"on",
	"igfx_off",
	"strict",
	"sp_off",
	"sm_on",
	"sm_off",
	"tboot_noforce",
	"forcedac",
	"force",
	"1",
	"0",
	"y",
	"N",
	",",
	" ",
	"\"",
	"--",
	"=",
	"intel_iommu=on,off",
	"iommu.strict=0",
	"iommu",
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Within the text, in order, no longer than what they are in. */
static void check_findings(const char *text, size_t size,
			   const struct uiommu_options_finding *findings,
			   uint32_t count)
{
	const char *end = memchr(text, 0, size);
	uint32_t i;

	if (end != NULL)
		size = (size_t)(end - text);
	must(count <= size);
	for (i = 0; i < count && i < FINDINGS; i++) {
		must(findings[i].offset <= size);
		must(findings[i].length <= size - findings[i].offset);
		must(i == 0 || findings[i - 1].offset <= findings[i].offset);
		must(findings[i].problem <= UIOMMU_OPTIONS_UNUSED);
		must(findings[i].length != 0 ||
		     findings[i].problem == UIOMMU_OPTIONS_NO_VALUE);
	}
}

/* @text is in memory of exactly @size bytes. */
static void fuzz_parse(const char *text, size_t size)
{
	struct uiommu_options_finding findings[FINDINGS + 1];
	struct uiommu_options options, again;
	uint32_t count, room, i;

	memset(&options, 0, sizeof(options));
	memset(findings, 0xa5, sizeof(findings));
	count = uiommu_options_parse(text, size, &options, findings, FINDINGS);
	check_findings(text, size, findings, count);
	/* Read twice, it says the same; nor does it matter who listens. */
	for (room = 0; room <= FINDINGS; room++) {
		struct uiommu_options_finding few[FINDINGS + 1];

		memset(few, 0xa5, sizeof(few));
		again = options;
		must(uiommu_options_parse(text, size, &again,
					  room == 0 ? NULL : few,
					  room) == count);
		must(memcmp(&again, &options, sizeof(again)) == 0);
		for (i = 0; i < room && i < count; i++)
			must(few[i].problem == findings[i].problem &&
			     few[i].offset == findings[i].offset &&
			     few[i].length == findings[i].length);
		must(((const uint8_t *)&few[room])[0] == 0xa5);
	}
}

static void fuzz_copy(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size == 0 ? 1 : size);

	if (text == NULL)
		return;
	memcpy(text, bytes, size);
	fuzz_parse(text, size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[MOST];
	size_t used = 0;
	size_t i, length;

	fuzz_copy(data, size);
	for (i = 0; i < size; i++) {
		const char *word = (const char *)&data[i];

		length = 1;
		if (data[i] >= 128) {
			word = words[data[i] %
				     (sizeof(words) / sizeof(words[0]))];
			length = strlen(word);
		}
		if (length > sizeof(text) - used)
			break;
		memcpy(text + used, word, length);
		used += length;
	}
	fuzz_copy(text, used);
	return 0;
}
