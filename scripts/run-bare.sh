#!/bin/sh
# SPDX-License-Identifier: MIT
# Boot the reference kernel in QEMU: run-bare.sh BUILDDIR [VARIANT]
# Without a variant the plain machine, then the crash of its kernel, its sleep, and
# the crash of a Linux if one can be had; "list" names the variants and "all" runs
# one after the other. BARE_APPEND is added to the kernel's command line, but not
# to the one that comes after Linux. The exit status is the kernel's verdict.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
variant=${2:-acts}
kernel=$build/host/bare/uiommu-bare
acts='default crash crash-reset sleep linux'
all="$acts aw48 cm noscalable scalable devtlb firmware pt nopt model"
limit=60 # seconds; the kernel's own watchdog is faster
# The memory that the replacement DMAR reserves for the first edu.
rmrr_first=e000000
rmrr_last=e001fff
# Where the second kernel is and has its memory; host/bare/meson.build links it.
crash_region=0x4000000-0x5ffffff

fail()
{
	echo "run-bare: $1" >&2
	exit 1
}

list()
{
	cat <<-END
	default     39-bit addresses, a DMAR of our own with a reserved region
	aw48        48-bit addresses: tables of four levels
	cm          caching mode: absent entries are cached, too
	noscalable  x-scalable-mode=off, said aloud
	scalable    a unit that could do scalable mode, driven in legacy mode
	devtlb      the unit supports device TLBs
	firmware    QEMU's own DMAR, no module; in the host's time
	pt          passthrough: identity default domains
	nopt        the same on a unit without it: identity by tables of RAM
	model       no QEMU: the software unit, told by registers, no queue
	crash       the kernel crashes and a second one adopts its unit
	crash-reset the same, but the unit is turned off and set up afresh
	sleep       ACPI's S3 and back, with all mappings; then shutdown
	linux       Debian's Linux (a download of 70 MB) crashes and we adopt its unit
	off         the drivers alone, uIOMMU is never called
	bench       no demonstration: the cost of the DMA API in instructions
	END
}

# iommu: options of QEMU's unit; append: of the kernel; module: its DMAR;
# shift: a guest instruction takes 2^shift ns of the guest's time, or empty for
# the host's time. Counted time makes costs exact, and waits for devices short.
iommu=
shift=6
append=
module=yes
crash=
sleep=
case $variant in
list)
	list
	exit 0
	;;
acts | all)
	[ "$variant" = acts ] || acts=$all
	for v in $acts; do
		BARE_OPTIONAL=yes "$0" "$build" "$v" || exit 1
	done
	exit 0
	;;
default) append='expect-bits=39' ;;
aw48) iommu=,aw-bits=48 append='expect-bits=48' ;;
cm) iommu=,caching-mode=on append='expect-caching=1' ;;
noscalable) iommu=,x-scalable-mode=off ;;
scalable) iommu=,x-scalable-mode=on ;;
devtlb) iommu=,device-iotlb=on ;;
firmware) module= shift= ;;
pt) append='passthrough expect-tables=0' ;;
nopt) iommu=,pt=off append='passthrough no-isa expect-tables=1' ;;
model)
	ninja -C "$build" host/user/uiommu-user-demo || exit 1
	exec "$build/host/user/uiommu-user-demo" no-queue
	;;
crash) crash=yes shift= append=crash-region=$crash_region ;;
crash-reset)
	crash=yes shift= append="crash-region=$crash_region takeover-reset"
	;;
sleep) sleep=yes shift= append=sleep ;;
linux)
	# Among others it is left out where Linux cannot be downloaded.
	optional=
	if [ -n "${BARE_OPTIONAL-}" ]; then
		optional=--optional
	else
		scripts/setup.sh linux || exit 1
	fi
	echo "run-bare: variant linux; what it did is shown at its end"
	python3 host/bare/handover/run.py "$build" $optional crash
	status=$?
	[ -n "$optional" ] && [ $status -eq 77 ] && exit 0
	exit $status
	;;
off) append=iommu=off ;;
bench) append=bench shift=0 limit=300 ;;
*)
	echo "run-bare: no variant '$variant'; there are:" >&2
	list >&2
	exit 2
	;;
esac

command -v qemu-system-x86_64 >/dev/null 2>&1 ||
	fail "qemu-system-x86_64 is missing; on Debian: apt-get install qemu-system-x86"
[ -f "$kernel" ] || fail "$kernel is missing; build first (make)"

work=$build/run-bare/$variant.$$ # several may run at once
mkdir -p "$work" || exit 1
monitor=
sender=
trap 'kill $monitor $sender 2>/dev/null; rm -rf "$work"' EXIT
crc=$(python3 host/bare/make-disk.py "$work/disk.img") ||
	fail "cannot write the disk image"
append="$append disk-crc=$crc ${BARE_APPEND-}"
set --
if [ -n "$module" ]; then
	python3 host/bare/make-dmar.py "$work/dmar.bin" \
		00:02.0 $rmrr_first $rmrr_last || fail "cannot write the DMAR"
	append="$append reserve=0x$rmrr_first-0x$rmrr_last"
	if [ -n "$crash" ]; then # at a multiple of 16 bytes behind it
		truncate -s %16 "$work/dmar.bin" || exit 1
		cat "$kernel-second" >>"$work/dmar.bin" || exit 1
	fi
	set -- -initrd "$work/dmar.bin"
fi
if [ -n "$shift" ]; then
	set -- "$@" -icount "shift=$shift,sleep=off"
	# Of that time much passes while others, in theirs, do little.
	append="$append icount=$shift watchdog=600"
fi
if [ -n "$sleep" ]; then
	set -- "$@" -global ICH9-LPC.disable_s3=0
fi
# A network of packets that come by themselves, and a disk that takes its time.
net='user,id=net,restrict=on'
disk="if=none,id=disk,format=raw,file=$work/disk.img"
if [ -n "$crash" ]; then
	[ ${#work} -lt 90 ] || fail "the build directory's name is too long"
	net="dgram,id=net,local.type=unix,local.path=$work/net"
	net="$net,remote.type=unix,remote.path=$work/sender"
	disk="$disk,throttling.iops-total=30"
	python3 scripts/bare-sender.py "$work/sender" "$work/net" &
	sender=$!
fi
# A socket's name is short; below a long one nobody can listen.
if [ ${#work} -lt 90 ]; then
	set -- "$@" -qmp "unix:$work/monitor,server=on,wait=off"
	python3 scripts/bare-monitor.py "$work/monitor" "$work/console" &
	monitor=$!
	append="$append monitor"
fi

echo "run-bare: variant $variant, at most $limit s"
# The unit must come before the devices that it is to translate for.
timeout --foreground "$limit" qemu-system-x86_64 \
	-machine q35,accel=tcg,kernel-irqchip=split -cpu max -m 512 \
	-nodefaults -no-user-config -no-reboot -display none \
	-chardev "stdio,id=console,signal=on,logfile=$work/console" \
	-serial chardev:console \
	-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off \
	-device "intel-iommu$iommu" \
	-device isa-debug-exit,iobase=0xf4,iosize=4 \
	-device edu,addr=02.0 \
	-device edu,addr=03.0 \
	-device pcie-root-port,id=rp1,addr=04.0,chassis=1,slot=1 \
	-device pcie-root-port,id=rp2,addr=05.0,chassis=2,slot=2 \
	-device pcie-root-port,id=rp3,addr=06.0,chassis=3,slot=3 \
	-drive "$disk" \
	-device nvme,bus=rp1,drive=disk,serial=uiommu \
	-netdev "$net" \
	-device e1000e,bus=rp2,netdev=net \
	-device pcie-pci-bridge,id=pci,bus=rp3 \
	-device edu,bus=pci,addr=01.0 \
	-device pci-testdev,bus=pci,addr=02.0 \
	-device edu,addr=08.0,multifunction=on \
	-device edu,addr=08.1 \
	-device pcie-root-port,id=hot,addr=07.0,chassis=4,slot=4 \
	-kernel "$kernel" -append "$append" "$@" \
	</dev/null 2>"$work/qemu.log"
status=$?

# QEMU has its own say about every access that was stopped; that matters only
# when the kernel had none.
if [ $status -ne 33 ] && [ $status -ne 35 ]; then
	cat "$work/qemu.log" >&2
fi
# isa-debug-exit turns the kernel's 16 (passed) into 33.
case $status in
33) exit 0 ;;
35) exit 1 ;; # the kernel's last line says how many checks failed
124) fail "variant $variant did not end within $limit s" ;;
*) fail "variant $variant: QEMU ended with status $status" ;;
esac
