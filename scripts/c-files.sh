#!/bin/sh
# SPDX-License-Identifier: MIT
# List the project's C files: the tracked ones, or all where there is no git.
cd "$(dirname "$0")/.." || exit 1
if git ls-files --error-unmatch Makefile >/dev/null 2>&1; then
	git ls-files '*.c' '*.h' | while read -r f; do
		[ -f "$f" ] && echo "$f"
	done
else
	find . -path './build*' -prune -o -path './.*' -prune -o \
		-name '*.[ch]' -print | sed 's,^\./,,' | sort
fi
