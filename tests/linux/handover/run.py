#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Linux loses its machine to an image of ours: run.py BUILD CASE

Cases: peek, peek-pt, peek-kexec. BUILD is a build folder; what Linux boots from
is in BUILD/linux, see ../lab.py.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

import lab  # noqa: E402
import stream  # noqa: E402

# The memory for the image; its link address is in there.
CRASH_MEMORY = '64M@256M'
APPEND = ('console=ttyS0 panic=-1 tsc_early_khz=2600000 no5lvl '
          'intel_iommu=on crashkernel=' + CRASH_MEMORY)
PASSED = 33  # QEMU's status after 16 at the exit port
SECONDS = 90
PACKET_SECONDS = 0.02
CASES = {
    'peek': ('peek', 'crash', 'iommu.passthrough=0'),
    'peek-pt': ('peek', 'crash', 'iommu=pt'),
    'peek-kexec': ('peek', 'kexec', 'iommu.passthrough=0'),
}


def initrd(linux, load, image, how):
    """What Linux starts with."""
    files, orders = lab.module_files(linux, ['nvme', 'e1000e'])
    orders += 'how %s\n' % how
    return lab.archive(files + [
        ('bin', 0o40755, b''), ('dev', 0o40755, b''),
        ('dev/console', 0o20600, b''),
        ('bin/busybox', 0o100755, (linux / 'root/bin/busybox').read_bytes()),
        ('load', 0o100755, load.read_bytes()),
        ('image', 0o100644, image.read_bytes()),
        ('orders', 0o100644, orders.encode()),
        ('init', 0o100755, (HERE / 'init.sh').read_bytes())])


def command(linux, work, netdev, append):
    """The machine."""
    return ['qemu-system-x86_64', '-M', 'q35,kernel-irqchip=split',
            '-accel', 'tcg', '-cpu', 'max', '-m', '512', '-nodefaults',
            '-no-user-config', '-no-reboot', '-display', 'none',
            '-device', 'intel-iommu',
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
            '-device', 'pcie-root-port,id=rp1,addr=05.0,chassis=1,slot=1',
            '-device', 'pcie-root-port,id=rp2,addr=06.0,chassis=2,slot=2',
            '-drive', 'if=none,id=disk,format=raw,file=%s' % (work / 'disk'),
            '-device', 'nvme,bus=rp1,drive=disk,serial=uiommu',
            '-netdev', netdev, '-device', 'e1000e,bus=rp2,netdev=net',
            '-serial', 'file:%s' % (work / 'console'),
            '-kernel', str(linux / 'vmlinux'), '-initrd',
            str(work / 'initrd'), '-append', append]


def boot(build, work, case):
    """Run one case: QEMU's status, seconds, what was on the console."""
    image, how, append = CASES[case]
    here = build / 'tests/linux/handover'
    crc = lab.run('python3', str(ROOT / 'host/bare/make-disk.py'),
                  str(work / 'disk')).strip()
    (work / 'initrd').write_bytes(
        initrd(build / 'linux', here / 'load', here / image, how))
    packets = stream.Stream(work, PACKET_SECONDS)
    start = time.monotonic()
    words = command(build / 'linux', work, packets.netdev(),
                    ' '.join((APPEND, append)))
    packets.start()
    try:
        with (work / 'qemu.log').open('w') as log:
            status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log, timeout=SECONDS,
                                    check=False).returncode
    except subprocess.TimeoutExpired:
        status = None
    finally:
        packets.end()
    print('sent', packets.sent, crc)
    console = (work / 'console').read_text(errors='replace')
    return status, time.monotonic() - start, console.replace('\r', '')


def main():
    build, case = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    lab.prepare(build / 'linux')
    lab.run('ninja', '-C', str(build), 'tests/linux/handover/load',
            'tests/linux/handover/peek')
    with tempfile.TemporaryDirectory(prefix='handover') as folder:
        status, seconds, console = boot(build, pathlib.Path(folder), case)
        print(console)
        print((pathlib.Path(folder) / 'qemu.log').read_text()[-3000:])
    print('status %s, %.1f s' % (status, seconds))


main()
