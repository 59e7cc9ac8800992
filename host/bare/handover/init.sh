#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# The first process of a Linux that is to lose its machine: brings its devices
# to work, loads the image that comes after it, and crashes.
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

say()
{
	echo "linux: $*"
}

give_up()
{
	say "failed: $*"
	dmesg | tail -20
	reboot -f
}

counter()
{
	cat "/sys/class/net/eth0/statistics/rx_$1"
}

how=crash options=
while read -r what rest; do
	case $what in
	module) insmod "$rest" || give_up "module $rest" ;;
	how) how=$rest ;;
	options) options=$rest ;;
	esac
done </orders

# Drivers bind in threads of their own.
tries=0
until [ -b /dev/nvme0n1 ] && [ -d /sys/class/net/eth0 ]; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || give_up "no disk or no network"
	sleep 0.1
done
dmesg | grep -E "DMAR|iommu" | sed "s,^,linux: ,"
for path in /sys/kernel/iommu_groups/*; do
	say "group ${path##*/} $(cat "$path/type")" "$(ls "$path/devices" | tr '\n' ' ')"
done
grep -iE 'crash|system ram' /proc/iomem | sed 's/^/linux: iomem /'
ifconfig eth0 10.0.2.15 up || give_up "no eth0"

# A disk that is slow (run.py) and a queue before it that is long: each of the
# large reads is several commands. An orderly end has to wait for all of them.
size=4M readers=0
[ "$how" = crash ] || size=256k
while [ $readers -lt 40 ]; do
	readers=$((readers + 1))
	while :; do
		dd if=/dev/nvme0n1 of=/dev/null bs=$size count=4 iflag=direct
	done >/dev/null 2>&1 &
done

# Somebody sends packets to us all the time.
tries=0
until [ "$(counter packets)" -gt 4 ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || give_up "no packets"
	sleep 0.05
done
read -r done_reads rest </sys/block/nvme0n1/stat
read -r waiting_reads rest </sys/block/nvme0n1/inflight
say "$done_reads reads done, $waiting_reads under way," \
	"$(counter packets) packets received"
# shellcheck disable=SC2086
/load "$how" /peek /kernel $options
give_up "still here"
