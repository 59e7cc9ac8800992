#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header compiles alone: public ones as C11 and as C++17, private ones of
# the library as C11.
set -u
cd "$(dirname "$0")/../.." || exit 1
rc=0

alone()
{
	header=$1
	shift
	# A file of macros alone is no translation unit.
	if ! printf '#include <%s>\ntypedef int alone;\n' "$header" |
		"$@" -Wall -Wextra -Wundef -pedantic-errors -Werror \
			-fsyntax-only -Iinclude -Isrc -; then
		echo "$header does not compile alone with $*"
		rc=1
	fi
}

count=0
for path in include/uiommu/*.h; do
	header=${path#include/}
	alone "$header" gcc -std=c11 -x c
	alone "$header" gcc -std=c11 -m32 -ffreestanding -x c
	alone "$header" g++ -std=c++17 -x c++
	if command -v clang++ >/dev/null 2>&1; then
		alone "$header" clang -std=c11 -x c
		alone "$header" clang++ -std=c++17 -x c++
	fi
	count=$((count + 1))
done
# All of them, before and after the C++ library's own declarations.
for first in before after; do
	{
		[ $first = after ] && echo '#include <cstring>'
		for path in include/uiommu/*.h; do
			echo "#include <${path#include/}>"
		done
		echo '#include <cstring>'
	} >"${TMPDIR:-/tmp}/headers.$$"
	g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c++ - \
		<"${TMPDIR:-/tmp}/headers.$$" || {
		echo "public headers clash with <cstring> ($first)"
		rc=1
	}
	rm -f "${TMPDIR:-/tmp}/headers.$$"
done
# pt_engine.h is no header but the engine that each format's file includes.
for path in $(find src -name '*.h' ! -name pt_engine.h | sort); do
	alone "${path#src/}" gcc -std=c11 -ffreestanding -x c
	count=$((count + 1))
done
echo "$count headers"
exit $rc
