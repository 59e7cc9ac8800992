#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Linux loses its machine to our kernel: run.py BUILD [--optional] CASE...

"list" names the cases and "all" runs each. BUILD is a build folder; what Linux
boots from is kept in BUILD/linux, downloaded if it is not there
(tests/linux/lab.py); with --optional all is skipped where that fails. Fails
where the kernel does, or where there is not in the remapping unit what Linux
said.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / 'tests/linux'))

import lab  # noqa: E402
import stream  # noqa: E402

# The memory for what comes after Linux; the images are linked to lie in it.
CRASH_MEMORY = '64M@256M'
# Neither a slow host nor paging of five levels is to stop us on the way.
APPEND = ('quiet console=ttyS0 panic=-1 tsc_early_khz=2600000 no_timer_check '
          'no5lvl intel_iommu=on crashkernel=%s ' % CRASH_MEMORY)
PASSED = 33  # QEMU's status after 16 at the exit port
SKIPPED = 77  # for Meson
SECONDS = 120
# Linux's ring has 256 entries and is filled up by 16: nobody does so after the
# crash, and it is to last for half a minute.
PACKET_SECONDS = 0.125

STATUS_TRANSLATING = 1 << 31
ROOT_MODE = 0xc00
TRANSLATED, PASSTHROUGH = 0, 2


IMAGES = ('load', 'peek', 'kernel')
ADOPT = 'expect-adopted'


class Case:
    """A Linux, how it ends, and what it then leaves in the unit."""

    def __init__(self, append, options, how='crash', unit='', kind=TRANSLATED):
        self.append, self.options, self.how = append, options, how
        self.unit, self.kind = unit, kind


TRANSLATE = 'iommu.passthrough=0'
CASES = {
    'crash': Case(TRANSLATE, ADOPT),
    'pt': Case('iommu=pt', ADOPT, kind=PASSTHROUGH),
    # The contrast: what is under way is refused.
    'reset': Case(TRANSLATE, 'takeover-reset'),
    # A root that we do not read: not adopted, and told so.
    'scalable': Case(TRANSLATE, 'takeover-block',
                     unit=',x-scalable-mode=on,aw-bits=48'),
    # Translation is off, and the adapter silent.
    'kexec': Case(TRANSLATE, 'expect-silence', how='kexec'),
}


def initrd(build, case, crc):
    """What Linux starts with."""
    linux, bare = build / 'linux', build / 'host/bare'
    files, orders = lab.module_files(linux, ['nvme', 'e1000e'])
    orders += 'how %s\noptions linux disk-crc=%s %s\n' % (
        case.how, crc, case.options)
    return lab.archive(files + [
        ('bin', 0o40755, b''), ('dev', 0o40755, b''),
        ('dev/console', 0o20600, b''),
        ('bin/busybox', 0o100755, (linux / 'root/bin/busybox').read_bytes()),
        ('load', 0o100755, (bare / 'handover/load').read_bytes()),
        ('peek', 0o100644, (bare / 'handover/peek').read_bytes()),
        ('kernel', 0o100644, (bare / 'handover/kernel').read_bytes()),
        ('orders', 0o100644, orders.encode()),
        ('init', 0o100755, (HERE / 'init.sh').read_bytes())])


def command(linux, work, netdev, case):
    """The machine; the unit comes before the devices it translates for."""
    return ['qemu-system-x86_64', '-M', 'q35,kernel-irqchip=split',
            '-accel', 'tcg', '-cpu', 'max', '-m', '512', '-nodefaults',
            '-no-user-config', '-no-reboot', '-display', 'none',
            '-device', 'intel-iommu' + case.unit,
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
            '-device', 'pcie-root-port,id=rp1,addr=05.0,chassis=1,slot=1',
            '-device', 'pcie-root-port,id=rp2,addr=06.0,chassis=2,slot=2',
            '-drive', 'if=none,id=disk,format=raw,throttling.iops-total=30,'
            'file=%s' % (work / 'disk'),
            '-device', 'nvme,bus=rp1,drive=disk,serial=uiommu',
            '-netdev', netdev, '-device', 'e1000e,bus=rp2,netdev=net',
            '-serial', 'file:%s' % (work / 'console'),
            '-qmp', 'unix:%s,server=on,wait=off' % (work / 'monitor'),
            '-kernel', str(linux / 'vmlinux'), '-initrd',
            str(work / 'initrd'), '-append', APPEND + case.append]


def boot(build, work, case):
    """Run one case: QEMU's status, and what was on the console."""
    crc = lab.run('python3', str(ROOT / 'host/bare/make-disk.py'),
                  str(work / 'disk')).strip()
    (work / 'initrd').write_bytes(initrd(build, case, crc))
    packets = stream.Stream(work, PACKET_SECONDS)
    packets.start()
    # The kernel has it end the disk's slowness when that was seen.
    monitor = subprocess.Popen(
        ['python3', str(ROOT / 'scripts/bare-monitor.py'),
         str(work / 'monitor'), str(work / 'console')])
    try:
        with (work / 'qemu.log').open('w') as log:
            status = subprocess.run(
                command(build / 'linux', work, packets.netdev(), case),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                timeout=SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        status = None
    finally:
        packets.end()
        monitor.terminate()
        monitor.wait()
    console = (work / 'console').read_text(errors='replace')
    return status, console.replace('\r', '')


def groups(console):
    """Linux's groups: device -> number."""
    found = {}
    for number, devices in re.findall(r'^linux: group (\d+) \S+ (.*)$',
                                      console, re.M):
        for device in devices.split():
            found[device] = int(number)
    return found


def entries(console):
    """What is in the context tables: device -> (type, domain id)."""
    found = {}
    for line in re.findall(r'^peek: entry (.*)$', console, re.M):
        words = line.split()
        bus, slot, function = (int(word, 16) for word in
                               re.split('[:.]', words[0]))
        fields = dict(zip(words[1::2], words[2::2]))
        found['0000:%02x:%02x.%x' % (bus, slot, function)] = (
            int(fields['type'], 16), int(fields['domain'], 16))
    return found


def judge_tables(case, console):
    """Complaints about entries that are not what Linux says of its groups."""
    member, entry = groups(console), entries(console)
    if not member or set(member) != set(entry):
        yield 'entries for %s, groups for %s' % (sorted(entry), sorted(member))
        return
    for device, (kind, domain) in sorted(entry.items()):
        if kind != case.kind or not domain:
            yield '%s: type %d, domain %d' % (device, kind, domain)
    # A domain of its own for each group, but one identity for all.
    used = {(0 if case.kind == PASSTHROUGH else member[device],
             entry[device][1]) for device in member}
    if not len(used) == len({group for group, _ in used}) == \
            len({domain for _, domain in used}):
        yield 'groups and domains are no pairs: %s' % sorted(used)


def judge(case, status, console):
    """Complaints about a run."""
    found = re.search(r'^peek: status (\w+) root (\w+)', console, re.M)
    if not found:
        yield 'the image never got the machine'
        return
    if status != PASSED:
        yield 'QEMU ended with status %s' % status
    translating = bool(int(found[1], 16) & STATUS_TRANSLATING)
    if translating != (case.how == 'crash'):
        yield 'translation is %s' % ('on' if translating else 'off')
    scalable = bool(int(found[2], 16) & ROOT_MODE)
    if scalable != ('scalable' in case.unit):
        yield 'the root is %s' % ('scalable' if scalable else 'legacy')
    if not scalable:
        yield from judge_tables(case, console)
    if ADOPT in case.options:
        count = re.search(r'adopted, (\d+) entries inherited', console)
        if not count or int(count[1]) != len(entries(console)):
            yield 'not as many entries inherited as there were'


def shown(console):
    """The console without what Linux says at length."""
    return '\n'.join(line for line in console.splitlines()
                     if not re.match(r'(linux: )?\[ *\d+\.\d+\] (?!uiommu:)', line))


def one(build, name):
    """Run a case; whether it went well."""
    case = CASES[name]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='handover') as folder:
        status, console = boot(build, pathlib.Path(folder), case)
        errors = (pathlib.Path(folder) / 'qemu.log').read_text()
    wrong = list(judge(case, status, console))
    print(console + errors if wrong else shown(console))
    for line in wrong:
        print('WRONG   %s: %s' % (name, line))
    print('%-7s %s: %.1f s' % ('FAILED' if wrong else 'ok', name,
                               time.monotonic() - start), flush=True)
    return not wrong


def main():
    """Run what was asked for."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    build, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    optional = names[0] == '--optional'
    names = names[optional:]
    if names == ['list']:
        print('\n'.join(CASES))
        return
    if names == ['all']:
        names = list(CASES)
    try:
        lab.prepare(build / 'linux')
    except (lab.Failed, OSError) as error:
        why = str(error).splitlines()[-1] if optional else error
        print('%s: no Linux can be had: %s' % (
            'skipped' if optional else 'handover', why))
        sys.exit(SKIPPED if optional else 1)
    try:
        lab.run('ninja', '-C', str(build),
                *('host/bare/handover/' + name for name in IMAGES))
        good = [one(build, name) for name in names]
    except (KeyError, lab.Failed) as error:
        sys.exit('handover: %s' % error)
    print('%d of %d hand-overs as they have to be' % (sum(good), len(good)))
    sys.exit(not all(good))


if __name__ == '__main__':
    main()
