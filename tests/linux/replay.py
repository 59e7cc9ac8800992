#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let the plan decide what Linux decided: replay.py PLANNER [SCENARIO...]

PLANNER reads a bundle and prints its groups (plan_bundle.c). Every recorded
answer goes through it; the last line counts. A scenario in differences.txt
must differ in the way written there, and only there.
"""

import json
import pathlib
import subprocess
import sys

import bundle

HERE = pathlib.Path(__file__).resolve().parent
ORDER = ['direct', 'direct-relaxable', 'reserved', 'msi']


def merged(regions):
    """Ranges of all members as Linux lists them for a group: sorted, those of
    one type that overlap or touch made one."""
    done = []
    for first, last, kind in sorted(
            regions, key=lambda region: (region[0], ORDER.index(region[2]))):
        for other in done:
            if other[2] == kind and first <= other[1] + 1:
                other[1] = max(other[1], last)
                break
        else:
            done.append([first, last, kind])
    return ['0x%016x 0x%016x %s' % tuple(region) for region in done]


def ours(planner, answer):
    """Our groups: members -> (type, regions)."""
    done = subprocess.run([planner], input=bundle.text(answer), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode:
        raise RuntimeError('the planner fails: ' + done.stderr.strip())
    return {tuple(sorted(member['device'] for member in group['members'])):
            (group['type'], merged([region for member in group['members']
                                    for region in member['regions']]))
            for group in json.loads(done.stdout)}


def theirs(answer):
    """Linux's groups, in the same form."""
    return {tuple(sorted(name if name.startswith('0000:') else 'namespace'
                         for name in group['devices'])):
            (group['type'], group['regions'])
            for group in answer['groups']}


def said(groups, members):
    """One group as text."""
    kind, regions = groups[members]
    return '%s: %s; %s' % (' '.join(members), kind, ', '.join(regions))


def differences(linux, own):
    """What one has and the other has not."""
    lines = ['Linux   ' + said(linux, members) for members in sorted(linux)
             if own.get(members) != linux[members]]
    return lines + ['uIOMMU  ' + said(own, members) for members in sorted(own)
                    if linux.get(members) != own[members]]


def documented():
    """Scenarios that docs/differences.md explains: name -> the lines that
    must come out."""
    path = HERE / 'differences.txt'
    known, name = {}, None
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith('['):
            name = line.strip('[]')
            known[name] = []
        elif line and not line.startswith('#'):
            known[name].append(line)
    return known


def one(planner, path, expected):
    """Replay one answer; 'agrees', 'documented' or 'differs'."""
    answer = json.loads(path.read_text())
    try:
        lines = differences(theirs(answer), ours(planner, answer))
    except RuntimeError as error:
        lines = [str(error)]
    if lines == expected:
        return 'documented' if lines else 'agrees'
    print('%s: %s' % (path.stem, answer['about'] or answer['cmdline']))
    for line in lines or ['now agrees, though differences.txt says not']:
        print('    ' + line)
    return 'differs'


def main():
    """Replay what was asked for, or all."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    known = documented()
    paths = sorted((HERE / 'answers').glob('*.json'))
    names = {path.stem for path in paths}
    missing = sorted(set(known) - names)
    if len(sys.argv) > 2:
        paths = [path for path in paths if path.stem in sys.argv[2:]]
    results = [one(sys.argv[1], path, known.get(path.stem, []))
               for path in paths]
    if missing:
        print('no answer for: ' + ' '.join(missing))
    print('%d scenarios: %d agree with Linux, %d differ as documented, '
          '%d differ' % (len(results), results.count('agrees'),
                         results.count('documented'),
                         results.count('differs')))
    sys.exit(bool(missing) or not results or 'differs' in results)


if __name__ == '__main__':
    main()
