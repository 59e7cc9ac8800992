#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Text of lspci against bundles of the same machines, and text that people
made of it: lspci_test.py SOURCE_DUMP LINUX_TESTS"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import textwrap

import lspci_text

FAULTS = []
FOLDER = pathlib.Path(tempfile.mkdtemp())
COUNT = [0]


def dump(**files):
    """Status, lines of the dump, error."""
    words = []
    for kind, content in files.items():
        path = FOLDER / kind
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode('latin-1'))
        words.append(f'{kind}={path}')
    done = subprocess.run([sys.argv[1], *words], capture_output=True,
                          check=False)
    return (done.returncode, done.stdout.decode('latin-1').splitlines(),
            done.stderr.decode('latin-1').replace(str(FOLDER) + '/', ''))


def fault(what, got):
    FAULTS.append(what)
    print(f'NOT OK {what}: {got}')


def same(what, left, right, kinds):
    """Lines of those kinds are the same, and there are some."""
    picked = [sorted(line.split(' bytes')[0] for line in got[1]
                     if line.split(' ')[0] in kinds) for got in (left, right)]
    COUNT[0] += 1
    if left[0] or right[0] or not picked[0] or picked[0] != picked[1]:
        fault(what, '\n'.join([right[2]] + [
            line for line in picked[0] + picked[1]
            if line not in picked[0] or line not in picked[1]]))


def want(what, text, word='', error=False, absent=None):
    """The text gives @word in a line, or as its error."""
    status, lines, wrong = dump(lspci=text)
    COUNT[0] += 1
    body = wrong if error else '\n'.join(lines)
    if status != (1 if error else 0) or word not in body or \
            (absent and absent in body):
        fault(what, f'{status} {body} {wrong}')


def replay(folder):
    """Every recorded machine, as bytes and as words."""
    sys.path.insert(0, str(folder))
    import bundle  # pylint: disable=import-outside-toplevel,import-error
    for path in sorted((folder / 'answers').glob('*.json')):
        answer = json.loads(path.read_text())
        for group in answer['groups']:
            group['regions'] = []  # not of interest; some are odd
        right = dump(**{'from': bundle.text(answer)})
        table = {'dmar': bytes.fromhex(answer['dmar'])} \
            if answer['dmar'] else {}
        groups = ('strict', 'linux', 'table')
        got = dump(lspci=lspci_text.text(answer), **table)
        same(path.stem, right, got, groups + ('function',))
        if path.stem[0] in 'imsv':
            got = dump(lspci=lspci_text.text(answer, True, 0), **table)
            # Its function is alone and says that it is not, which has no word.
            if path.stem != 'vfs-multi':
                same(path.stem + ' in words', right, got, groups + ('group',))
            got = dump(lspci=lspci_text.text(answer, True, 256), **table)
            same(path.stem + ' half', right, got, groups + ('group',))
            if not any('physfn' in f for f in answer['functions'].values()):
                got = dump(lspci=lspci_text.text(answer, True, 64), **table)
                same(path.stem + ' little', right, got, groups + ('group',))


def shapes(answer):
    """What happens to text on its way; the machine stays the same."""
    text = lspci_text.text(answer, True, driver=True)
    right = dump(lspci=text)
    rng = random.Random(7)
    kinds = ('strict', 'linux', 'function', 'group')

    def check(what, changed):
        same(what, right, dump(lspci=changed), kinds)

    check('DOS', text.replace('\n', '\r\n'))
    check('quoted', textwrap.indent(text, '> ', lambda line: True))
    check('quoted twice', textwrap.indent(text, '>> ', lambda line: True))
    check('quoted apart', textwrap.indent(text, '> > ', lambda line: True))
    check('indented', textwrap.indent(text, '    '))
    check('tabs to blanks', text.expandtabs())
    check('double spaced', text.replace('\n', '\n\n'))
    check('prompts', 'root@box:~# lspci -xxxxvvv\n' + text + 'root@box:~# \n')
    check('tree', '-[0000:00]-+-00.0\n           +-1c.0-[01]----00.0\n' + text)
    check('-D', '\n'.join(
        '0000:' + line if '] (' in line or 'Thing' in line and
        line[:1] != '\t' else line for line in text.split('\n')))
    check('capitals', '\n'.join(
        line if 'g' in line or '\t' in line else line.upper()
        for line in text.split('\n')))
    check('listed before', ''.join(
        line + '\n' for line in text.split('\n') if 'Thing' in line and
        line[:1] != '\t') + text)
    wrapped = []
    for line in text.split('\n'):
        if line[:1] != '\t' and 'Thing' not in line and len(line) > 40:
            wrapped += [line[:40].rstrip(), line[40:].strip()]
        elif len(line) > 60:
            cut = line.rindex(' ', 0, 60)
            wrapped += [line[:cut], line[cut + 1:]]
        else:
            wrapped.append(line)
    check('wrapped', '\n'.join(wrapped))
    blocks = text.strip('\n').split('\n\n')
    mixed = []
    for block in blocks:
        lines = block.split('\n')
        hexes = [line for line in lines if line[:1] != '\t'][1:]
        rest = [line for line in lines if line not in hexes]
        rng.shuffle(hexes)
        mixed.append('\n'.join(rest + hexes) + '\n')
    check('out of order', '\n'.join(mixed))
    apart = lspci_text.text(answer, True, 0, True) + \
        lspci_text.text(answer, False)
    check('two commands', apart)


def row(at, values):
    return f'{at:02x}: ' + bytes(values).hex(' ') + '\n'


def plain(vendor=0x8086, device=0x1234, code=0x020000, kind=0, status=0):
    """16 bytes of a header."""
    return [vendor & 255, vendor >> 8, device & 255, device >> 8, 0, 0,
            status, 0, 1, code & 255, code >> 8 & 255, code >> 16, 0, 0,
            kind, 0]


def small(address, *args, **names):
    """64 bytes of a conventional function."""
    return f'{address} Thing: a\n' + row(0, plain(*args, **names)) + \
        ''.join(row(at, bytes(16)) for at in (16, 32, 48)) + '\n'


def errors():
    nic = small('00:03.0')
    want('nothing', 'hello\n', ':1: no output of lspci', True)
    want('empty', '', 'no output of lspci', True)
    want('names only', '00:03.0 Thing: a\n00:04.0 Thing: b\n', 'configuration '
         'space is not there', True)
    want('twice', nic + nic, ':8: 0000:00:03.0 has its bytes at line 2', True)
    want('row twice', nic.strip() + '\n' + row(16, bytes(16)),
         ':6: byte 0x10', True)
    want('other device', '00:03.0 A [0200]: b [8086:1234]\n'
         '00:03.0 A [0200]: b [8086:1235]\n', ':2: 0000:00:03.0 was', True)
    want('no pair', '00:03.0 A: b\n00: 86 80 3\n', ':2: not up to', True)
    want('too long', '00:03.0 A: b\n00:' + ' 86' * 17 + '\n', ':2: ', True)
    want('beyond', '00:03.0 A: b\nff8:' + ' 86' * 16 + '\n', ':2: bytes '
         'beyond', True)
    want('first row missing', '00:03.0 A: b\n' + row(16, bytes(16)) + nic
         .replace('03.0', '04.0'), 'lacks its byte 0x00', True)
    want('bridge without buses', '00:03.0 A: b\n' + row(0, plain(kind=1)) +
         nic.replace('03.0', '04.0'), 'lacks its byte 0x10', True)
    want('cut off', nic + '00:04.0 A: b\n' + row(0, plain(kind=1)[:9]),
         ':7: 0000:00:04.0 is cut off')
    want('missing row', '00:03.0 A: b\n' + row(0, plain()) +
         row(32, bytes(16)) + row(48, bytes(16)), 'lacks 16 bytes')
    want('missing row is ones', '00:03.0 A: b\n' + row(0, plain()) +
         row(16, bytes(16)) + row(48, bytes(16)), 'subsystem ffff:ffff')
    want('no beginning', row(16, bytes(16)) + nic, '1 rows of bytes come')
    want('path', '00:1c.0/00.0 A: b\n', ':1: a path', True)
    want('path with buses', small('00:1c.0/03:00.0'), 'function 0000:03:00.0')
    want('two groups', nic.strip() + '\n\tIOMMU group: 1\n\tIOMMU group: 2\n',
         'in group 2 here and in group 1', True)
    want('group', nic.strip() + '\n\tIOMMU group: 9\n',
         'group 9 0000:00:03.0\n')
    want('group of -v', nic.strip() + '\n\tFlags: bus master, IRQ 16, '
         'IOMMU group 7\n', 'group 7 0000:00:03.0\n')
    want('driver', nic.strip() + '\n\tKernel driver in use: e1000e\n',
         "driver 'e1000e'")
    want('listing', 'IOMMU Group 4:\n\t00:03.0 A [0200]: b [8086:1234]\n'
         'IOMMU Group 5 00:04.0 A [0200]: b [8086:1234]\n\n' + nic +
         small('00:04.0'), 'group 4 0000:00:03.0\ngroup 5 0000:00:04.0')
    want('quoted listing', '> IOMMU Group 4:\n> \t00:03.0 A: b\n> 00:04.0 A: b\n' +
         ''.join(
        f'> {line}\n' for line in (nic + small('00:04.0')).split('\n')),
         'group 4 0000:00:03.0\npartial')
    want('-vmm', nic + 'Slot:\t00:03.0\nClass:\tA\nDriver:\te1000\n'
         'IOMMUGroup:\t3\n', 'group 3 0000:00:03.0')
    want('endless line', nic + 'x' * 100000 + '\n' + small('00:04.0'),
         'function 0000:00:04.0')
    want('many', ''.join(f'{i:x}:00:00.0 A: b\n' for i in range(17000)),
         'more than 16384 functions', True)


def partial():
    """What was not in view is said, once."""
    some = small('00:03.0', status=0x10)
    want('64 bytes', some.strip() + '\n\tCapabilities: <access denied>\n',
         'note 1 of 1 functions without extended')
    want('64 bytes of simple', small('00:03.0'), 'partial 0')
    words = '00:1c.0 PCI bridge [0604]: A b [8086:9d10] (rev f1)\n' \
        '\tFlags: bus master\n\tBus: primary=00, secondary=01, ' \
        'subordinate=01\n\tCapabilities: [40] Express Root Port (Slot+)\n' \
        '\tCapabilities: [140] Access Control Services\n'
    want('-v alone', words, 'partial 1')
    want('-v alone is a port', words, 'header 1 type 4 buses 01-01')
    want('without ids', words.replace('[8086:9d10]', ''),
         '1 functions do not say who they are')
    want('-vvv', words.replace('Flags: bus', 'Control: Bus')
         .replace('[140]', '[140 v1]') + '\t\tACSCap: SrcValid+ TransBlk- '
         'ReqRedir+\n\t\tACSCtl: SrcValid-\n', 'acs 0005/0005')
    want('-vvv denied', words.replace('Flags: bus', 'Control: Bus') +
         '\tCapabilities: <access denied>\n', 'partial 1')


def off(folder):
    """Functions that read as all ones are there."""
    ones = ''.join(row(at, [255] * 16) for at in (0, 16, 32, 48))
    card = '01:00.0 VGA [0300]: A b [10de:1b80] (rev ff) (prog-if ff)\n' \
        '\t!!! Unknown header type 7f\n\tKernel driver in use: vfio-pci\n'
    sound = card.replace('00.0 VGA [0300]', '00.1 Audio [0403]') \
        .replace('1b80', '10f0')
    nic = small('00:03.0')
    first = '0000:01:00.0 10de:1b80 class 030000 header 0 type 16 '
    second = '0000:01:00.1 10de:10f0 class 040300 header 0 type 16 '
    for name, rows in (('bytes', ones), ('words', '')):
        both = nic + card + rows + '\n' + sound + rows
        want('off in ' + name, both, first, absent='partial 1')
        want('second off in ' + name, both, second, absent='left out')
        want('noted in ' + name, both, 'note 0000:01:00.1 reads as all ones: '
             'switched off or hung; taken as an endpoint')
        want('alone in ' + name, nic + card + rows, first, absent='multi')
        want('slot in ' + name, both, '0000 subsystem 0000:0000 multi')
    want('off and no ids', nic + '01:00.0 A: b\n' + ones,
         '0000:01:00.0 0001:0000 class 000000')
    want('off and odd ids', nic + '01:00.0 A: b [ffff:ffff]\n' + ones,
         '0000:01:00.0 0001:0000')
    want('off and not ready', nic + '01:00.0 A: b [0001:ffff]\n' + ones,
         '0000:01:00.0 0001:0000')
    want('not all ones', nic + '01:00.0 A: b [8086:1]\n' + ones.replace(
        'ff\n', '00\n', 1), '01:00.0 is left out: a scan')
    want('first of slot off', card + ones + small('01:00.1'),
         'function 0000:01:00.1 8086:1234')
    want('first of slot missing', small('01:00.1') + nic,
         '0000:01:00.1 is left out: function 0 of its slot is not there')
    virtual = json.loads(
        (folder / 'answers' / 'vfs-multi.json').read_text())
    name = next(name for name, function in virtual['functions'].items()
                if 'physfn' in function)
    virtual['functions'][name]['config'] = {
        f'{at:x}': 'ff' * 16 for at in range(0, 4096, 16)}
    want('virtual function off', lspci_text.text(virtual), f'{name} ',
         absent='reads as all ones')
    want('virtual function off', lspci_text.text(virtual), ' physical ',
         absent='left out')
    bundle = 'uiommu-bundle 1\n== config 0000:01:00.0\n' + 'ff' * 64 + \
        '\n== function 0000:01:00.0\nid 10de:1b80\nclass 030000\n'
    status, lines, wrong = dump(**{'from': bundle})
    COUNT[0] += 1
    if status or not any(first in line for line in lines):
        fault('off in a bundle', f'{lines} {wrong}')


def vmd():
    """Functions behind a volume management device."""
    unit = small('0000:00:0e.0', 0x8086, 0x467f, 0x010400)
    child = small('10000:e0:06.0', 0x8086, 0x464d, 0x060000)
    want('vmd', unit + child, '10000:e0:06.0 8086:464d', absent='note')
    want('vmd asks', unit + child, 'requester 0000:00:0e.0')
    want('vmd groups', unit + child.strip() + '\n\tIOMMU group: 3\n',
         'group 3 10000:e0:06.0\n')
    want('two vmds', unit + unit.replace('0e.0', '0f.0') + child,
         'several volume management devices')
    want('no vmd', child, 'no volume management device')
    status, lines, _ = dump(lspci=unit + child, dmar=all_units())
    if status or 'linux 0000:00:0e.0 10000:e0:06.0' not in lines:
        fault('vmd and its child are one group', lines)


def all_units():
    """A DMAR with one unit for all."""
    body = bytes.fromhex('0000100001000000 0000d9fe00000000')
    table = bytearray(b'DMAR' + (48 + len(body)).to_bytes(4, 'little') +
                      b'\1\0TEST  TEST    \1\0\0\0TEST\1\0\0\0\x2f\0' +
                      bytes(10) + body)
    table[9] = -sum(table) & 255
    return bytes(table)


def garble(text):
    """No sanitizer speaks, and what is refused has a line."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f'seed {seed}')
    rng = random.Random(seed)
    for _ in range(100):
        bad = list(text[:rng.randrange(1, len(text))])
        for _ in range(rng.randrange(8)):
            bad[rng.randrange(len(bad))] = chr(rng.randrange(256))
        status, _, wrong = dump(lspci=''.join(bad))
        COUNT[0] += 1
        if status not in (0, 1) or status == 1 and 'lspci:' not in wrong:
            fault('garbled', wrong)


def main():
    folder = pathlib.Path(sys.argv[2])
    replay(folder)
    answer = json.loads(
        (folder / 'answers' / 'ioh3420-slot.json').read_text())
    shapes(answer)
    errors()
    partial()
    off(folder)
    vmd()
    garble(lspci_text.text(answer, True, 256))
    print(f'{COUNT[0]} checks, {len(FAULTS)} faults')
    return 1 if FAULTS else 0


if __name__ == '__main__':
    sys.exit(main())
