#!/bin/sh
# SPDX-License-Identifier: MIT
# The slow static analysers, over the library's sources.
set -u
cd "$(dirname "$0")/.." || exit 1
rc=0

step()
{
	echo "lint: $1"
	shift
	"$@" || rc=1
}

# iova_tree.c: a last node stands above every address, which the analyser
# cannot know: "next" of any other node is never NULL.
known()
{
	case $1 in
	src/iova/iova_tree.c) echo -Wno-analyzer-null-dereference ;;
	esac
}

analyse()
{
	found=0
	while read -r source; do
		gcc -std=c11 -ffreestanding -O2 -Iinclude -Isrc -fanalyzer \
			-Werror $(known "$source") -c "$source" -o /dev/null || found=1
	done <uiommu.sources
	return $found
}

# Its count of what it suppressed is of no use.
tidy()
{
	out=$(clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" \
		$(cat uiommu.sources) -- \
		-std=c11 -ffreestanding -Iinclude -Isrc 2>&1)
	found=$?
	echo "$out" | grep -v 'warnings generated.$'
	return $found
}

step 'gcc -fanalyzer over the library' analyse
# pointerSize: taken for a mistake where a pointer is what memcpy() moves.
step 'cppcheck over the library and the model' \
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,portability,performance -UUIOMMU_TYPES_HEADER \
	--suppress=missingIncludeSystem --suppress=pointerSize \
	-Iinclude -Isrc $(cat uiommu.sources) $(find model -name '*.c')
checks='-*,bugprone-*,clang-analyzer-*,misc-redundant-expression'
# Taste, or wrong for a freestanding library.
checks="$checks,-bugprone-easily-swappable-parameters,-bugprone-branch-clone"
checks="$checks,-clang-analyzer-security.insecureAPI.*"
# Does not follow a va_list in a struct.
checks="$checks,-clang-analyzer-valist.Uninitialized"
step 'clang-tidy over the library' tidy
if command -v shellcheck >/dev/null 2>&1; then
	step 'shellcheck over the scripts' \
		shellcheck -S warning -e SC2046 scripts/*.sh tests/*/*.sh
fi

[ $rc -eq 0 ] && echo 'lint: nothing found'
exit $rc
