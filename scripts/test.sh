#!/bin/sh
# SPDX-License-Identifier: MIT
# Build everything and run all tests: test.sh BUILDDIR [meson test options]
# The last line counts them.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ $# -gt 0 ] && shift

stop()
{
	echo "test: $1"
	echo "0 passed, 1 failed"
	exit 1
}

# A tree that `make run` configured may lack the tests' packages.
if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" -Dtests=enabled || stop "meson setup failed"
elif [ "$(meson introspect "$build" --tests)" = "[]" ]; then
	meson setup --reconfigure "$build" -Dtests=enabled ||
		stop "meson setup failed"
fi
ninja -C "$build" || stop "the build failed"

rm -f "$build/meson-logs/testlog.json"
meson test -C "$build" --no-rebuild --print-errorlogs "$@"
status=$?
exec scripts/summary.py "$build/meson-logs/testlog.json" $status
