#!/bin/sh
# SPDX-License-Identifier: MIT
# A fuzz target for a moment, always on the same inputs: smoke.sh TARGET SEEDS
set -eu
seeds=
[ -d "$2" ] && seeds=$2
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$1" -seed=1 -runs=20000 -max_len=4096 -timeout=10 -verbosity=0 \
	-print_final_stats=1 -artifact_prefix="$corpus/" "$corpus" $seeds
