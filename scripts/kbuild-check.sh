#!/bin/sh
# SPDX-License-Identifier: MIT
# Compile the core with the kernel's own build system and flags, objects only.
#
# Uses the newest installed kernel headers, or those in KDIR. Exit status 77:
# there are none.
set -u
cd "$(dirname "$0")/.." || exit 1

newest()
{
	for dir in /usr/src/linux-headers-*-amd64 /lib/modules/*/build; do
		[ -f "$dir/Makefile" ] && echo "$dir"
	done | sort -V | tail -n 1
}

kdir=${KDIR:-$(newest)}
[ -n "$kdir" ] || {
	echo "skipped: no kernel headers (package linux-headers-amd64)"
	exit 77
}
echo "kernel headers: $kdir"

# Kbuild puts objects beside the sources, so it gets a copy.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp -r src include host/linux uiommu.sources "$work"

{
	echo 'obj-m := uiommu_core.o'
	# Headers of Linux and ours in one file: no name may clash.
	echo 'uiommu_core-y := clash.o \'
	sed 's,\.c$,.o \\,' "$work/uiommu.sources"
	echo
	echo 'ccflags-y := -I$(src)/include -I$(src)/src -I$(src)/linux'
	echo "ccflags-y += -DUIOMMU_TYPES_HEADER='<uiommu_linux_types.h>'"
	echo 'ccflags-y += -Werror -Wframe-larger-than=512'
} >"$work/Kbuild"
{
	for header in module pci iommu dma-mapping spinlock acpi; do
		echo "#include <linux/$header.h>"
	done
	for header in include/uiommu/*.h; do
		echo "#include <${header#include/}>"
	done
} >"$work/clash.c"

make -s -C "$kdir" M="$work" uiommu_core.o || exit 1
[ -f "$work/uiommu_core.o" ] || {
	echo "Kbuild made no object"
	exit 1
}

# What the kernel's flags and its fortified memcpy() bring in by themselves.
KERNEL='__fentry__|__x86_(return|indirect)_thunk.*|__stack_chk_fail'
KERNEL="$KERNEL|fortify_panic|__warn_printk|__(read|write)_overflow.*"
missing=$(nm -u "$work/uiommu_core.o" | awk '{ print $2 }' |
	grep -vxE "uiommu_host_.*|mem(cpy|move|set|cmp)|$KERNEL")
[ -z "$missing" ] || {
	echo "needs of the kernel beyond host.h:" $missing
	exit 1
}
echo "$(wc -l <"$work/uiommu.sources") sources compiled under Kbuild"
