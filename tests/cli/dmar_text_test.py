#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The DMAR out of bytes and out of text: dmar_text_test.py SOURCE_DUMP FOLDER

FOLDER holds real tables; without it one made up here has to do."""
import pathlib
import random
import subprocess
import sys
import tempfile

FAULTS = []
FOLDER = pathlib.Path(tempfile.mkdtemp())
COUNT = [0]


def load(content):
    """The line about the table, or the error."""
    path = FOLDER / 'dmar'
    path.write_bytes(content if isinstance(content, bytes)
                     else content.encode('latin-1'))
    done = subprocess.run([sys.argv[1], f'dmar={path}'], capture_output=True,
                          check=False)
    text = done.stderr if done.returncode else done.stdout
    return (done.returncode,
            text.decode('latin-1').split('\n')[0].replace(str(FOLDER), ''))


def check(what, content, expected, status=0):
    got = load(content)
    COUNT[0] += 1
    if got[0] != status or expected not in got[1]:
        FAULTS.append(what)
        print(f'NOT OK {what}: {got}, not {expected}')


def summary(table):
    value = 0
    for byte in table:
        value = value * 31 + byte & 0xffffffff
    return f'table {len(table)} {value:08x}'


def letters(row):
    return ''.join(chr(b) if 32 <= b < 127 else '.' for b in row)


def rows(table, size=16):
    for at in range(0, len(table), size):
        yield at, table[at:at + size]


def acpidump(table, name='DMAR'):
    return f'{name} @ 0x000000007B7F6000\n' + ''.join(
        f'    {at:04X}: {row.hex(" ").upper():47}  {letters(row)}\n'
        for at, row in rows(table)) + '\n'


def iasl(table):
    return '[000h 0000   4]    Signature : "DMAR"\n\nRaw Table Data: Length ' \
        f'{len(table)}\n\n' + ''.join(
            f'    {at:04X}: {row.hex(" ").upper():47}  // {letters(row)}\n'
            for at, row in rows(table))


def xxd(table):
    return ''.join(f'{at:08x}: {row.hex(" ", -2):39}  {letters(row)}\n'
                   for at, row in rows(table))


def hexdump(table):
    lines, before, folded = [], None, False
    for at, row in rows(table):
        if row == before:
            lines += [] if folded else ['*']
            folded = True
            continue
        before, folded = row, False
        lines.append(f'{at:08x}  {row[:8].hex(" "):23}  {row[8:].hex(" "):23}'
                     f'  |{letters(row)}|')
    return '\n'.join(lines + [f'{len(table):08x}', ''])


def swapped(table):
    return ''.join(f'{at:07x} ' + ' '.join(
        f'{row[i + 1]:02x}{row[i]:02x}' for i in range(0, len(row) - 1, 2)) +
        '\n' for at, row in rows(table))


def plain(table):
    return ''.join(row.hex() + '\n' for _, row in rows(table, 30))


def tables():
    folder = pathlib.Path(sys.argv[2])
    found = [path.read_bytes() for path in sorted(folder.glob('*.dat'))][::20]
    if not found:
        print('real tables are not there; one made up instead')
    body = b'\0\0\x10\0\1\0\0\0\0\0\xd9\xfe\0\0\0\0'
    return found + [b'DMAR' + (48 + len(body) + 64).to_bytes(4, 'little') +
                    bytes(range(40)) + body + bytes(64)]


def shapes(table):
    right = summary(table)
    other = b'FACP' + bytes(range(200))
    check('bytes', table, right)
    for make in (acpidump, iasl, xxd, hexdump, plain):
        check(make.__name__, make(table), right)
        check(make.__name__ + ' DOS', make(table).replace('\n', '\r\n'), right)
    for make in (acpidump, iasl, xxd, hexdump):
        text = make(table)
        check(make.__name__ + ' quoted',
              ''.join(f'> {line}\n' for line in text.split('\n')), right)
        check(make.__name__ + ' prompts', '$ sudo show\n' + text + '$ \n',
              right)
    check('among others', acpidump(other, 'FACP') + acpidump(table) +
          acpidump(other, 'APIC'), right)
    check('turned', swapped(table), ':1: bytes in turned pairs', 1)


def errors(table):
    text = acpidump(table)
    lines = text.split('\n')
    check('nothing', '', 'no DMAR', 1)
    check('prose', 'In 2024 a1 was fine.\n', 'no DMAR', 1)
    check('other table', b'FACP' + bytes(300), 'offset 0: no DMAR', 1)
    check('other text', acpidump(b'FACP' + bytes(60), 'FACP'), 'no DMAR', 1)
    check('two', text + text, 'a second DMAR, since line', 1)
    check('hole', '\n'.join(lines[:2] + lines[3:]),
          ':3: a row for 0x0020 where 0x0010 was due', 1)
    check('too large', table + bytes(0x20000), 'offset 0x20000', 1)
    check('too large text', xxd(table[:16]) + ''.join(
        f'{at:08x}: {"00" * 16}\n' for at in range(16, 0x20010, 16)),
          ':8193: more than', 1)
    check('far end', hexdump(table[:32])[:-9] + '*\nfffffff0\n',
          'more than', 1)
    check('wrong end', hexdump(table) + 'fffffff0\n', 'the end is at', 1)
    check('odd digit', plain(table) + 'a\n', 'not pairs', 1)
    check('plain too large', plain(table + bytes(0x20000)), 'more than', 1)
    seed = random.SystemRandom().randrange(1 << 32)
    print(f'seed {seed}')
    rng = random.Random(seed)
    for make in (acpidump, hexdump, plain):
        for _ in range(40):
            bad = list(make(table))
            for _ in range(rng.randrange(1, 6)):
                bad[rng.randrange(len(bad))] = chr(rng.randrange(256))
            status, line = load(''.join(bad))
            COUNT[0] += 1
            if status not in (0, 1) or 'ERROR' in line or \
                    status == 1 and '/dmar:' not in line:
                FAULTS.append('garbled')
                print('NOT OK garbled', status, line)


def main():
    found = tables()
    for table in found:
        shapes(table)
    errors(found[-1])
    print(f'{COUNT[0]} checks on {len(found)} tables, {len(FAULTS)} faults')
    return 1 if FAULTS else 0


if __name__ == '__main__':
    sys.exit(main())
