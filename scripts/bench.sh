#!/bin/sh
# SPDX-License-Identifier: MIT
# Run all benchmarks: bench.sh BUILDDIR
#
# Two kinds: bench/*.py takes the build directory; a program that
# bench/meson.build makes of bench/*_bench.c takes the file for its figures.
# Both print a table. All figures go to BUILDDIR/bench.json.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
rc=0

programs=
for source in bench/*_bench.c; do
	[ -f "$source" ] && programs="$programs ${source%.c}"
done
ninja -C "$build" host/bare/uiommu-bare $programs || exit 1

for program in $programs; do
	name=$(basename "$program" _bench)
	"$build/$program" "$build/bench-$name.json" || rc=1
	echo
done
for script in bench/*.py; do
	python3 "$script" "$build" || rc=1
done
scripts/merge-json.py "$build/bench.json" "$build"/bench-*.json || rc=1
exit $rc
