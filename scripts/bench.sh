#!/bin/sh
# SPDX-License-Identifier: MIT
# Run all benchmarks: bench.sh BUILDDIR
#
# Two kinds: bench/*.py takes the build directory; a program *_bench that
# bench/meson.build builds takes the file to write its figures to. Both print
# a table. All figures go to BUILDDIR/bench.json.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
rc=0

for program in "$build"/bench/*_bench; do
	[ -x "$program" ] || continue
	name=$(basename "$program" _bench)
	"$program" "$build/bench-$name.json" || rc=1
	echo
done
for script in bench/*.py; do
	python3 "$script" "$build" || rc=1
done
scripts/merge-json.py "$build/bench.json" "$build"/bench-*.json || rc=1
exit $rc
