#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The live source and the writer of bundles: live_test.py LIVE_DUMP

Trees like /sys and /proc are made of recorded machines, read, and compared
with the bundles of the same machines.
"""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import fake_root

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'linux'))
import bundle  # noqa: E402  pylint: disable=wrong-import-position

FAULTS = []


def run(*words, text=''):
    done = subprocess.run([sys.argv[1], *map(str, words)],
                          input=text.encode(), capture_output=True,
                          check=False)
    out, err = (s.decode('latin-1') for s in (done.stdout, done.stderr))
    if done.returncode not in (0, 1) or 'Sanitizer' in err or \
            'runtime error' in err:
        FAULTS.append(words)
        print('NOT OK crashed:', words, err)
    return done.returncode, out, err


def want(what, right, *shown):
    if not right:
        FAULTS.append(what)
        print('NOT OK', what, *shown)


def sections(text):
    """{"group 3": lines}"""
    found, lines = {}, None
    for line in text.splitlines()[1:]:
        if line.startswith('== '):
            lines = found.setdefault(line[3:], [])
        else:
            lines.append(line)
    return found


def live(root, what='live'):
    got = run('live', root.path, '-')
    want(what, got[0] == 0, got)
    return sections(got[1])


def rewritten(text, what):
    """The bundle as the writer has it, which must then stay as it is."""
    status, once, err = run('bundle', '-', '-', text=text)
    want(what + ' is read', status == 0, err)
    twice = run('bundle', '-', '-', text=once)[1]
    want(what + ' stays the same', once == twice, once, twice)
    return once


def comparable(parts):
    """In an order of its own, without what the sources cannot share."""
    same = {}
    for name, lines in parts.items():
        if name.startswith('unit '):
            same['unit ' + lines[0]] = sorted(lines)
        elif name.startswith(('group', 'bridge', 'memory')):
            same[name] = sorted(lines)
        elif name.startswith('function'):
            lines = [line for line in lines
                     if line.split()[0] == 'physfn']
            if lines:
                same[name] = lines
        elif name == 'dmesg':
            same[name] = [line for line in lines if any(
                word in line for word in ('DMAR', 'iommu', 'IOMMU'))]
        elif name != 'note':
            same[name] = lines
    return same


# Linux lists a region that ends below its beginning: noted, and left out.
ODD = ('rmrr-empty.json', 'rmrr-reversed.json')

OUTSIDE = 'which ports face outside'


def recorded(folder):
    """Machines of tests/linux, read live and as a bundle."""
    paths = sorted((HERE.parent / 'linux' / 'answers').glob('*.json'))
    want('answers', len(paths) > 200)
    # They differ in what Linux makes of them more than in what they hold.
    paths = [path for i, path in enumerate(paths)
             if i % 8 == 0 or 'vfs' in path.name or path.name in ODD]
    for i, path in enumerate(paths):
        answer = json.loads(path.read_text())
        root = fake_root.build(folder / ('machine%d' % i), answer)
        text = rewritten(bundle.text(answer), path.name)
        status, now, err = run('live', root.path, '-')
        want(path.name + ' read live', status == 0, err)
        want(path.name + ' live stays the same',
             rewritten(now, path.name + ' live') == now)
        a = comparable(sections(text))
        b = comparable(sections(now))
        for name in sorted(set(a) | set(b)):
            want('%s: %s' % (path.name, name), a.get(name) == b.get(name),
                 a.get(name), b.get(name))
        if path.name not in ODD and answer['dmar'] and answer['groups'] and not any(
                'physfn' in f for f in answer['functions'].values()):
            told = [note for note in sections(now).get('note', [])
                    if OUTSIDE not in note]
            want(path.name + ': no note', not told, told)
            want(path.name + ': what faces outside', (OUTSIDE in now) == bool(
                bytes.fromhex(answer['dmar'])[37] & 4))


def space(size=256, vendor=0x8086, device=0x10d3):
    """An endpoint with an empty list of capabilities."""
    head = struct.pack('<HHIBBHI', vendor, device, 0, 0, 0, 0x0200, 0)
    return bytearray(head + bytes(size - len(head)))


def put(config, at, *values):
    config[at:at + len(values)] = bytes(values)


def small(folder, name, config=None):
    """One device, nothing else."""
    root = fake_root.Root(folder / name)
    root.function('0000:00:02.0', bytes(config or space()))
    root.group(0, 'DMA-FQ', ['0000:00:02.0'],
               ['0x00000000fee00000 0x00000000feefffff msi'])
    root.unit('dmar0', 'fed90000', 'd2008c22260206', 'f00f4a')
    root.write('sys/firmware/acpi/tables/DMAR', b'DMAR' + bytes(44))
    root.write('proc/cmdline', 'quiet intel_iommu=on\n')
    root.write('proc/sys/kernel/osrelease', '6.1.0\n')
    root.iomem(['0x1000 0x9fbff System RAM'], [])
    root.log(['DMAR: IOMMU enabled'])
    return root


def hexed(parts, name='config 0000:00:02.0'):
    return bytes.fromhex(''.join(parts.get(name, [])))


def planted():
    """Configuration space with something to hide, and where it is."""
    config = space(4096)
    put(config, 0x06, 0x10)  # has capabilities
    put(config, 0x34, 0x40)
    put(config, 0x40, 0x03, 0x50, 0x34, 0x12, *b'VPD!')
    put(config, 0x50, 0x09, 0x60, 0x10, *b'VendorSecret!')
    put(config, 0x60, 0x10, 0x00, *b'\x02\x00Express-stays')
    put(config, 0x100, 0x03, 0, 1, 0x14, *b'SERIAL8B')  # next 140
    put(config, 0x140, 0x0b, 0, 1, 0x18, 0x34, 0x12, 0x01, 0x02,
        *b'VSEC-secret-of-24-bytes!')  # next 180, size 20
    put(config, 0x180, 0x0d, 0, 1, 0x1c, *b'ACS-stays')
    put(config, 0x1c0, 0x23, 0, 1, 0x10, 0x34, 0x12, 0x40, 0x02, 0x07, 0x00,
        *b'DVSEC-secret')  # next 100: a loop
    return config


def private_config(folder):
    config = planted()
    parts = live(small(folder, 'planted', config))
    got = hexed(parts)
    for secret in (b'SERIAL8B', b'VPD!', b'ecret'):
        want('%s is gone' % secret, secret not in got)
    for at, size in ((0x104, 8), (0x42, 6), (0x53, 13), (0x148, 16),
                     (0x1ca, 6)):
        want('zeros at %x' % at, got[at:at + size] == bytes(size))
    for kept in (b'ACS-stays', b'Express-stays'):
        want('%s is kept' % kept, kept in got)
    for at in (0x40, 0x50, 0x100, 0x140, 0x180, 0x1c0):
        size = 4 if at >= 0x100 else 2
        want('head at %x' % at, got[at:at + size] == config[at:at + size])
    text = 'uiommu-bundle 1\n== config 0000:00:02.0\n%s\n' % config.hex()
    want('the same from a bundle',
         hexed(sections(rewritten(text, 'planted'))) == got)
    # A stated size over the next capability leaves that one's head.
    put(config, 0x146, 0x01, 0xff)
    got = hexed(live(small(folder, 'over', config)))
    want('list stays whole', got[0x180:0x184] == config[0x180:0x184])
    want('serial is gone', b'SERIAL8B' not in got)


def private_text(folder):
    root = small(folder, 'texts')
    root.write('proc/cmdline',
               'BOOT_IMAGE=/vmlinuz root=UUID=0a1b2c3d-0000-1111-2222-33334444'
               '5555 iommu=pt ip=10.1.2.3::10.1.2.1:255.0.0.0:janes-box:eth0 '
               'token=hunter2 pcie_acs_override=downstream vfio-pci.ids=8086:10'
               'd3 foo="iommu=x secret" mem=4G intel_iommu=on,sm_on -- key=x iommu=off\n')
    secrets = ['pci 0000:00:02.0: iommu mac 00:1b:21:aa:bb:cc up',
               'DMAR: id 0a1b2c3d-1234-1234-1234-0123456789ab.',
               'DMAR: eui 00-1b-21-ff-fe-aa-bb-dd',
               'iommu: Serial number XYZZY',
               'Kernel command line: iommu=pt token=hunter2',
               'usb 1-1: nothing of ours janes-box']
    kept = ['DMAR: RMRR base: 0x0000003fff0000 end: 0x0000003fff0fff',
            'DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c22260206',
            'pci 0000:00:1f.2: Adding to iommu group 2']
    root.log(secrets + ['[    0.012345] [ 1.0] ' + line for line in kept])
    with (root.path / 'dev/kmsg').open('a') as log:
        log.write('30,9,9,-;systemd[1]: iommu of janes-box\n')
    for source in ('live', 'bundle'):
        if source == 'live':
            text = run('live', root.path, '-')[1]
        else:
            lines = ['uiommu-bundle 1', '== cmdline',
                     (root.path / 'proc/cmdline').read_text().strip(),
                     '== dmesg', *secrets[:5], *('[ 1.5] ' + k for k in kept)]
            text = rewritten('\n'.join(lines) + '\n', 'texts')
        for secret in ('1b:21', '0a1b2c3d', '1b-21', 'XYZZY', 'hunter2',
                       'janes', '10.1.2', 'secret', 'key=', 'BOOT',
                       str(folder), '0.0123'):
            want('%s: %s is gone' % (source, secret), secret not in text, text)
        want(source + ': command line', sections(text)['cmdline'] == [
            'iommu=pt pcie_acs_override=downstream vfio-pci.ids=8086:10d3 '
            'mem=4G intel_iommu=on,sm_on'], sections(text)['cmdline'])
        want(source + ': log', sections(text)['dmesg'] == [
            'pci 0000:00:02.0: iommu mac (-) up', 'DMAR: id (-).',
            'DMAR: eui (-)', *kept], sections(text)['dmesg'])


def notes(root, *words):
    """Each word in exactly one note, and no other note."""
    got = live(root).get('note', [])
    want('%s: notes' % root.path.name, len(got) == len(words) and all(
        sum(word in note for note in got) == 1 for word in words), got)


def rights(folder):
    """What an ordinary user gets to see."""
    root = small(folder, 'user', space(64))
    root.write('proc/iomem', '00000000-00000000 : System RAM\n'
               '00000000-00000000 : PCI Bus 0000:00\n')
    (root.path / 'dev/kmsg').unlink()
    notes(root, '1 of 1 functions show only 64 bytes', '/proc/iomem',
          "the kernel's log")
    want('size', len(hexed(live(root))) == 64)
    want('no memory', 'memory' not in live(root))
    root = small(folder, 'cut', space(30))
    notes(root, 'of 1 of 1 functions cannot be read')
    root = small(folder, 'old')
    (root.path / 'sys/kernel/iommu_groups/0/type').unlink()
    notes(root, '5.11')
    root = small(folder, 'off')
    for name in ('class/iommu', 'kernel/iommu_groups'):
        subprocess.run(['rm', '-r', root.path / 'sys' / name], check=True)
    notes(root, 'intel_iommu=on')
    (root.path / 'sys/firmware/acpi/tables/DMAR').unlink()
    notes(root, "in the firmware's setup")
    root.write('sys/firmware/acpi/tables/IVRS', 'IVRS')
    notes(root, 'AMD IOMMU')
    root.write('sys/class/iommu/ivhd0/amd-iommu/cap', '0')
    notes(root, 'AMD-Vi')
    root.write('sys/bus/thunderbolt/devices/domain0/x', '')
    notes(root, 'AMD-Vi', 'Thunderbolt')
    empty = fake_root.Root(folder / 'empty')
    empty.path.mkdir()
    got = run('live', empty.path, '-')
    want('no PCI', got[0] == 1 and 'no PCI devices' in got[2], got)


def kinds(folder):
    """Virtual functions, large domains, what is outside, other devices."""
    several = space()
    several[0x0e] = 0x80
    root = small(folder, 'kinds', several)
    ghost = space(256, 0xffff, 0xffff)
    root.function('0000:00:02.1', bytes(ghost), (0x8086, 0x10ca))
    root.link('sys/bus/pci/devices/0000:00:02.1/physfn', '../0000:00:02.0')
    port = space(256, 0x8086, 0x15d3)
    put(port, 0x0a, 0x04, 0x06)
    port[0x0e] = 1
    put(port, 0x18, 0, 1, 1)
    root.function('0000:00:1c.0', bytes(port))
    root.function('0000:01:00.0', bytes(space()),
                  above='pci0000:00/0000:00:1c.0')
    root.write('sys/bus/pci/devices/0000:01:00.0/removable', 'removable\n')
    root.write('sys/bus/pci/devices/0000:00:02.0/removable', 'fixed\n')
    root.link('sys/bus/pci/devices/0000:01:00.0/driver', '/x/drivers/nvme')
    root.function('10000:e0:01.0', bytes(space(256, 0x8086, 0x9a09)))
    root.function('10001:00:01.0', bytes(space(256, 0x8086, 0x9a0b)))
    root.group(7, 'identity', ['10000:e0:01.0', 'INTC1055:00'])
    status, text, err = run('live', root.path, '-')
    want('kinds', status == 0, err)
    want('kinds stay', rewritten(text, 'kinds') == text)
    parts = sections(text)
    want('virtual', parts.get('function 0000:00:02.1') ==
         ['id 8086:10ca', 'physfn 0000:00:02.0'], parts)
    want('outside', parts.get('function 0000:00:1c.0') ==
         ['external_facing 1'], parts)
    want('untrusted', parts.get('function 0000:01:00.0') ==
         ['untrusted 1', 'driver nvme'], parts)
    want('domain', len(hexed(parts, 'config 10000:e0:01.0')) == 256)
    want('names', parts.get('group 7') ==
         ['type identity', 'device 10000:e0:01.0', 'device INTC1055:00'],
         parts.get('group 7'))
    shown = run('topology', '-', text=text)[1].splitlines()
    for line in ('0000:00:02.1 8086:10ca domain 0 virtual',
                 '0000:00:1c.0 8086:15d3 domain 0 external_facing',
                 '0000:01:00.0 8086:10d3 domain 0 untrusted',
                 '10000:e0:01.0 8086:9a09 domain 10000',
                 '10001:00:01.0 8086:9a0b domain 10001',
                 'member 10000:e0:01.0 pci', 'member INTC1055:00'):
        want('topology: ' + line, line in shown, shown)


HOSTILE = [
    'sys/bus/pci/devices/0000:00:02.0/config', 'proc/cmdline', 'proc/iomem',
    'sys/bus/pci/devices/0000:00:02.0/vendor', 'dev/kmsg',
    'sys/bus/pci/devices/0000:00:02.0/physfn', 'proc/sys/kernel/osrelease',
    'sys/bus/pci/devices/0000:00:02.0', 'sys/bus/pci/devices',
    'sys/bus/pci/devices/0000:00:02.0/removable', 'sys/bus/pci/devices/x',
    'sys/bus/pci/devices/ffffffff:00:00.0', 'sys/bus/pci/devices/1:2:3.9',
    'sys/kernel/iommu_groups/0/type', 'sys/kernel/iommu_groups',
    'sys/kernel/iommu_groups/0/devices', 'sys/kernel/iommu_groups/99999999999',
    'sys/kernel/iommu_groups/0/reserved_regions', 'sys/class/iommu/dmar0',
    'sys/class/iommu/dmar0/intel-iommu/cap', 'sys/class/iommu/dmar' + '9' * 60,
    'sys/firmware/acpi/tables/DMAR', 'sys/firmware/acpi/tables', 'sys', 'proc']


def spoil(path, how, dice):
    """Puts something else where a file or folder is, or is not."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        subprocess.run(['rm', '-r', path], check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if how == 'folder':
        path.mkdir()
    elif how == 'loop':
        path.symlink_to(path.name)
    elif how == 'fifo':
        subprocess.run(['mkfifo', path], check=True)
    elif how == 'long':
        path.write_bytes(b'7' * 300000 + b'\n')
    elif how == 'huge':
        with path.open('wb') as file:
            file.truncate(1 << 30)
    elif how == 'noise':
        path.write_bytes(bytes(dice.randrange(256) for _ in range(5000)))
    elif how == 'upwards':
        path.symlink_to('../' * 40)


def hostile(folder):
    dice = random.Random(1)
    for how in ('gone', 'folder', 'loop', 'fifo', 'long', 'huge', 'noise',
                'upwards'):
        for i, name in enumerate(HOSTILE):
            root = small(folder, '%s%d' % (how, i))
            # /dev itself is never searched for more than one file.
            if how == 'upwards' and name == 'sys/bus/pci/devices/x':
                continue
            spoil(root.path / name, how, dice)
            got = run('live', root.path, '-')
            want('%s %s says why' % (how, name), got[0] == 0 or got[2], got)
            if got[0] == 0:
                want('%s %s is read back' % (how, name), got[1] == run(
                    'bundle', '-', '-', text=got[1])[1])
    got = run('live', '/' + 'x' * 600, '-')
    want('long root', got[0] == 1 and 'too long' in got[2], got)
    root = small(folder, 'regions')
    root.write('sys/kernel/iommu_groups/0/reserved_regions',
               '0x5 0x4 direct\nhello\n0x0000 0xfff direct\n')
    notes(root, 'reserved_regions:1', 'reserved_regions:2')


def capture(folder):
    """Into a file: whole, or as it was."""
    root = small(folder, 'capture')
    target = folder / 'out' / 'machine.txt'
    target.parent.mkdir()
    target.write_text('old')
    want('written', run('live', root.path, target)[0] == 0)
    want('whole', target.read_text() == run('live', root.path, '-')[1])
    want('alone', len(list(target.parent.iterdir())) == 1)
    want('readable by all', target.stat().st_mode & 0o777 == 0o644 or
         target.stat().st_mode & 0o400)
    got = run('live', root.path, folder / 'none' / 'machine.txt')
    want('no folder', got[0] == 1 and 'No such file' in got[2], got)
    got = run('live', root.path, target.parent)
    want('a folder', got[0] == 1 and 'Is a directory' in got[2], got)
    full = pathlib.Path('/dev/full')
    if full.is_char_device():
        got = run('live', root.path, full)
        want('no room', got[0] == 1 and 'No space' in got[2], got)
        want('still a device', full.is_char_device())
    want('names a folder of mine', str(folder) not in
         rewritten('uiommu-bundle 1\n== wish\n', 'wish'))
    mine = folder / 'mine.txt'
    mine.write_text('uiommu-bundle 1\n== wish\n')
    want('note without folder', 'mine' not in run('bundle', mine, '-')[1])


def names(folder):
    ids = folder / 'pci.ids'
    ids.write_bytes(b'8086  Intel \x1b[31mCorp\xc3\xa4\n\t10d3  82574L\n'
                    b'C 02  Network controller\n\t00  Ethernet controller\n')
    for path, ident, code, device, name in (
            (ids, '10d3', '020000', 'Intel ?[31mCorp?? 82574L',
             'Ethernet controller'),
            (ids, '0001', '028000', 'Intel ?[31mCorp?? Device 0001',
             'Network controller [0280]'),
            (folder / 'none', '10d3', '020000', '8086:10d3', 'class 0200')):
        got = run('names', path, '8086', ident, code)[1].splitlines()
        want('names', got == [device, name] * 2, got)
    ids.write_bytes(b'8086  Intel\n10d3 what\n\t\t\tX\n')
    got = run('names', ids, '8086', '10d3', '020000')[1].splitlines()
    want('bad list', got[:2] == ['Intel Device 10d3', 'class 0200'], got)
    got = run('names', '', '8086', '10d3', '020000')[1].splitlines()
    want('the system\'s list', '10d3' in got[0] or '82574L' in got[0], got)


def bad_bundles():
    head = 'uiommu-bundle 1\n== function 0000:00:02.0\n'
    for line in ('id 8086', 'id 8086:', 'id 80861:1', 'id x:y'):
        got = run('bundle', '-', '-', text=head + line + '\n')
        want(line, got[0] == 1 and ':3: ' in got[2], got)


def this_machine():
    """Whatever it is: no crash, and words if it has no PCI."""
    got = run('live', '', '-')
    want('this machine', got[0] == 0 or 'no PCI devices' in got[2], got)
    if got[0] == 0:
        rewritten(got[1], 'this machine')


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in (private_config, private_text, rights, kinds, hostile,
                     capture, names, recorded):
            part(folder)
    bad_bundles()
    this_machine()
    print('%d faults' % len(FAULTS))
    return 1 if FAULTS else 0


if __name__ == '__main__':
    sys.exit(main())
