#!/bin/sh
# SPDX-License-Identifier: MIT
# Build and run the fuzz targets: fuzz.sh [SECONDS [OUTDIR [TARGET.c...]]]
#
# A target is tests/*/*_fuzz.c with LLVMFuzzerTestOneInput(). It links what it
# needs of the library, and the files named in a line of its own such as
#	fuzz-sources: model/model.c host/user/host.c
# It starts from the inputs in the folder named by
#	fuzz-corpus: ../shared/data/dmar
# if that is there. What it finds is left in OUTDIR, build/fuzz by default.
# Exit status 77: no clang, or no target.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
out=${2:-build/fuzz}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- $(find tests -name '*_fuzz.c' | sort)
[ $# -gt 0 ] || {
	echo 'skipped: no fuzz target'
	exit 77
}
command -v clang >/dev/null 2>&1 || {
	echo 'skipped: no clang'
	exit 77
}

flags='-g -O1 -std=c11 -fno-omit-frame-pointer -Iinclude -Isrc -Icli -I. -D_GNU_SOURCE'
san='address,undefined -fno-sanitize-recover=all'
mkdir -p "$out/core"
rm -f "$out/core.a"
while read -r source; do
	object=$out/core/$(echo "$source" | tr / _).o
	clang $flags -ffreestanding -fsanitize=fuzzer-no-link,$san \
		-c "$source" -o "$object"
	ar rc "$out/core.a" "$object"
done <uiommu.sources

named()
{
	sed -n "s/^.*$1: *\([^*]*\).*/\1/p" "$2"
}

for target; do
	name=$(basename "$target" .c)
	corpus=$out/$name.corpus
	mkdir -p "$corpus"
	clang $flags -fsanitize=fuzzer,$san "$target" \
		$(named fuzz-sources "$target") "$out/core.a" -o "$out/$name"
	seeds=
	for dir in $(named fuzz-corpus "$target"); do
		[ -d "$dir" ] && seeds="$seeds $dir"
	done
	echo "fuzz: $name for $seconds seconds"
	"$out/$name" -max_total_time="$seconds" -timeout=5 -print_final_stats=1 \
		-verbosity=0 -artifact_prefix="$out/$name." "$corpus" $seeds ||
		exit 1 # libFuzzer's own status is 77, too
done
echo "fuzz: nothing found"
