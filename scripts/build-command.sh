#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the uiommu command: build-command.sh BUILDDIR
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ -f "$build/build.ninja" ] || meson setup "$build"
# A tree that was set up before the command's libraries were there.
ninja -C "$build" -t targets all | grep -q '^cli/uiommu:' ||
	meson setup --reconfigure --clearcache "$build"
ninja -C "$build" cli/uiommu
echo "built: $build/cli/uiommu"
