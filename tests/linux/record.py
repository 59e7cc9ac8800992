#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot scenarios: record.py FOLDER check|write [SCENARIO...]

"check" boots and compares with the recorded answers, "write" records them.
FOLDER holds what boots; it is filled on the first run.
"""

import fcntl
import json
import pathlib
import sys

import lab
import scenario

ANSWERS = pathlib.Path(__file__).resolve().parent / 'answers'


def write(path, answer):
    """One fact a line, so that a change can be read."""
    path.write_text(json.dumps(answer, indent=1) + '\n')


def decided(answer):
    """What has to be the same in every boot."""
    return {'groups': answer['groups'], 'dmar': answer['dmar'],
            'functions': sorted(answer['functions'])}


def difference(was, now):
    """The first facts that differ, in one text."""
    lines = []
    for key in ('dmar', 'functions'):
        if decided(was)[key] != decided(now)[key]:
            lines.append('    the %s changed' % key)
    old = [json.dumps(group) for group in was['groups']]
    new = [json.dumps(group) for group in now['groups']]
    lines += ['    recorded: ' + group for group in old if group not in new]
    lines += ['    now:      ' + group for group in new if group not in old]
    return '\n'.join(lines)


def one(folder, item, writing):
    """Boot one scenario; whether it is as recorded."""
    path = ANSWERS / (item.name + '.json')
    try:
        now, seconds = lab.timed(folder, item)
    except lab.Failed as error:
        print('FAILED  %s: %s' % (item.name, error), flush=True)
        return False
    same = True
    if writing:
        write(path, now)
    elif not path.exists():
        print('MISSING %s: never recorded' % item.name, flush=True)
        return False
    else:
        was = json.loads(path.read_text())
        same = decided(was) == decided(now)
    print('%-7s %s: %d groups, %.1f s' % (
        'ok' if same else 'DIFFERS', item.name, len(now['groups']), seconds),
        flush=True)
    if not same:
        print('    recorded with %s, now %s' % (was['kernel'], now['kernel']))
        print(difference(was, now), flush=True)
    return same


def main():
    """Boot what was asked for, or all."""
    if len(sys.argv) < 3 or sys.argv[2] not in ('check', 'write'):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1]).resolve()
    known = scenario.read()
    names = sys.argv[3:] or list(known)
    try:
        lab.prepare(folder)
    except lab.Failed as error:
        sys.exit('record: %s' % error)
    with (folder / 'lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        good = sum(one(folder, known[name], sys.argv[2] == 'write')
                   for name in names)
    print('%d of %d scenarios %s' % (
        good, len(names),
        'recorded' if sys.argv[2] == 'write' else 'as recorded'))
    sys.exit(good != len(names))


if __name__ == '__main__':
    main()
