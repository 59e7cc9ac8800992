#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as fuzz targets link it: core.sh OUTPUT ROOT SOURCE...
set -eu
output=$1
root=$2
shift 2
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for source; do
	clang -g -O1 -std=c11 -w -ffreestanding -fno-omit-frame-pointer \
		-fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=all -I"$root/include" -I"$root/src" \
		-c "$source" -o "$objects/x$(echo "$source" | tr / _).o"
done
rm -f "$output"
ar rc "$output" "$objects"/*.o
