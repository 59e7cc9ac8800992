// SPDX-License-Identifier: MIT
/*
 * Any bytes as text of lspci: a machine comes of it, with plans, or a reason.
 *
 * fuzz-sources: cli/domain.c cli/finish.c cli/host.c cli/lspci_words.c
 * fuzz-sources: cli/machine.c cli/source_bundle.c cli/source_dmar.c
 * fuzz-sources: cli/source_lspci.c cli/text.c tests/cli/plan_both.c
 * fuzz-corpus: tests/fuzz/seeds-lspci
 */
#include "../cli/plan_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_machine(machine_parse_lspci, data, size);
	return 0;
}
