#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C file is as clang-format leaves it.
cd "$(dirname "$0")/../.." || exit 1
command -v clang-format >/dev/null 2>&1 || {
	echo "skipped: no clang-format"
	exit 77
}
scripts/c-files.sh | xargs clang-format --dry-run -Werror || {
	echo "run: make format"
	exit 1
}
