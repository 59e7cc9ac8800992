#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# The first and only process of a scenario: writes down what Linux decided and
# what it saw of the machine, sends it through the second serial port, and
# stops the machine.
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /out/groups /out/pci
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

# What the scenario wants done before: "module PATH", "vfs DEVICE COUNT".
while read -r what first second; do
	case $what in
	module) insmod "$first" ;;
	vfs)
		echo 0 >"/sys/bus/pci/devices/$first/sriov_drivers_autoprobe"
		# The driver is bound by a thread of its own.
		until [ -e "/sys/bus/pci/devices/$first/driver" ]; do
			sleep 0.1
		done
		echo "$second" >"/sys/bus/pci/devices/$first/sriov_numvfs"
		;;
	esac
done </orders 2>/out/orders.log

for path in /sys/kernel/iommu_groups/*; do
	[ -e "$path/type" ] || continue
	out=/out/groups/${path##*/}
	mkdir "$out"
	cat "$path/type" >"$out/type"
	cat "$path/reserved_regions" >"$out/regions"
	ls "$path/devices" >"$out/devices"
done

for path in /sys/bus/pci/devices/*; do
	out=/out/pci/${path##*/}
	mkdir "$out"
	cat "$path/config" >"$out/config"
	[ -e "$path/physfn" ] &&
		basename "$(readlink "$path/physfn")" >"$out/physfn"
done

cat /proc/cmdline >/out/cmdline
uname -r >/out/kernel
cat /proc/iomem >/out/iomem
cat /sys/firmware/acpi/tables/DMAR >/out/DMAR 2>/dev/null
dmesg | grep -E 'DMAR|iommu' >/out/dmesg

stty -F /dev/ttyS1 raw -echo
tar -c -C /out . | gzip >/dev/ttyS1
reboot -f
