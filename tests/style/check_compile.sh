#!/bin/sh
# SPDX-License-Identifier: MIT
# The core alone, without a warning and within its symbols:
# check_compile.sh CC FLAG... (e.g. gcc -m32 -O2)
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v "$1" >/dev/null 2>&1 || {
	echo "skipped: no $1"
	exit 77
}
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

rc=0
while read -r source; do
	"$@" -std=c11 -ffreestanding -fno-pic -Iinclude -Isrc \
		-Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef \
		-Wmissing-prototypes -Wcast-qual \
		-Wdeclaration-after-statement \
		-Wframe-larger-than=512 -Werror \
		-c "$source" -o "$out/$(echo "$source" | tr / _).o" ||
		rc=1
done <uiommu.sources
[ $rc -eq 0 ] || exit 1
exec tests/style/check_symbols.py include/uiommu/host.h "$out"/*.o
