# SPDX-License-Identifier: MIT
# A thin front of Meson. `make help` lists the targets.

BUILD ?= build
VARIANT ?=
FUZZ_SECONDS ?= 60
SCENARIOS ?=

.PHONY: all run uiommu test test-linux bench lint fuzz format clean help

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@scripts/setup.sh run
	@meson setup $(BUILD)

# The reference kernel in QEMU; the exit status is the kernel's own verdict.
run: $(BUILD)/build.ninja
	@scripts/setup.sh run
	@ninja -C $(BUILD) host/bare/uiommu-bare host/bare/uiommu-bare-second
	@scripts/run-bare.sh $(BUILD) $(VARIANT)

# The command for people, without sanitizers. `meson install` installs it.
uiommu:
	@scripts/setup.sh cli
	@scripts/build-command.sh $(BUILD)

test:
	@scripts/setup.sh test
	@scripts/test.sh $(BUILD)

# Linux as referee: boots every scenario; "as recorded" or it fails. Then Linux
# as who was here before: it crashes, and our kernel takes over.
test-linux: $(BUILD)/build.ninja
	@scripts/setup.sh linux
	@python3 tests/linux/record.py $(BUILD)/linux check $(SCENARIOS)
	$(if $(SCENARIOS),,@python3 host/bare/handover/run.py $(BUILD) all)

bench: $(BUILD)/build.ninja
	@scripts/setup.sh run
	@scripts/bench.sh $(BUILD)

lint:
	@scripts/setup.sh lint
	@scripts/lint.sh

fuzz:
	@scripts/setup.sh test
	@scripts/fuzz.sh $(FUZZ_SECONDS) $(BUILD)/fuzz

format:
	@scripts/setup.sh test
	@scripts/c-files.sh | xargs clang-format -i

clean:
	rm -rf $(BUILD)

help:
	@echo 'make run       boot the reference kernel in QEMU (VARIANT=list: see all)'
	@echo 'make uiommu    build the uiommu command: $(BUILD)/cli/uiommu'
	@echo 'make test      build, check and test everything; ends in a count'
	@echo 'make test-linux  boot Linux on every machine of tests/linux (10 min)'
	@echo 'make           build only'
	@echo 'make bench     measure; prints a table, writes $(BUILD)/bench.json'
	@echo 'make lint      the slow static analysers'
	@echo 'make fuzz      every fuzz target, FUZZ_SECONDS=$(FUZZ_SECONDS) each'
	@echo 'make format    clang-format all C files'
	@echo 'make clean     remove $(BUILD)/'
