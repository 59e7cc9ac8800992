# SPDX-License-Identifier: MIT
# A thin front of Meson. `make help` lists the targets.

BUILD ?= build
VARIANT ?=
FUZZ_SECONDS ?= 60

.PHONY: all run test bench lint fuzz format clean help

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

help:
	@echo 'make          build the library, the hosts and the tests'

clean:
	rm -rf $(BUILD)
