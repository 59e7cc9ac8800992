#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let the plan decide what Linux decided: replay.py PLANNER [SCENARIO...]

PLANNER reads bundles and prints their groups (plan_bundle.c). Every recorded
answer goes through it; the last line counts. A scenario in differences.txt
must differ in the way written there, and only there.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import bundle
import scenario

HERE = pathlib.Path(__file__).resolve().parent
REASONS = HERE.parent.parent / 'docs' / 'differences.md'


def plans(planner, answers):
    """Our groups of each scenario, as the planner prints them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, answer in answers.items():
            pathlib.Path(folder, name).write_text(bundle.text(answer))
        done = subprocess.run([planner] + list(answers), cwd=folder, text=True,
                              stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit('replay: the planner fails')
    return json.loads(done.stdout)


def ours(groups):
    """Our groups: members -> (type, regions)."""
    if isinstance(groups, str):
        return {(groups,): ('', [])}
    return {tuple(sorted(group['members'])): (group['type'], group['regions'])
            for group in groups}


def theirs(answer):
    """Linux's groups, in the same form."""
    return {tuple(sorted(name if name in answer['functions'] else 'namespace'
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
    known, name = {}, None
    for line in (HERE / 'differences.txt').read_text().splitlines():
        if line.startswith('['):
            name = line.strip('[]')
            known[name] = []
        elif line and not line.startswith('#'):
            known[name].append(line)
    return known


def one(name, answer, groups, expected):
    """Compare one answer; 'agrees', 'documented' or 'differs'."""
    lines = differences(theirs(answer), ours(groups))
    if lines == expected:
        return 'documented' if lines else 'agrees'
    print('%s: %s' % (name, answer['about'] or answer['cmdline']))
    for line in lines or ['now agrees, though differences.txt says not']:
        print('    ' + line)
    return 'differs'


def untidy(known, names):
    """What is wrong with the files beside the answers."""
    reasons = REASONS.read_text()
    lines = ['no answer for %s, which is in differences.txt' % name
             for name in sorted(set(known) - names)]
    lines += ['%s is in differences.txt, not in docs/differences.md' % name
              for name in sorted(known) if '`%s`' % name not in reasons]
    scenarios = set(scenario.read())
    lines += ['%s is no scenario any more' % name
              for name in sorted(names - scenarios)]
    return lines + ['%s was never recorded' % name
                    for name in sorted(scenarios - names)]


def main():
    """Replay what was asked for, or all."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    paths = {path.stem: path for path in (HERE / 'answers').glob('*.json')}
    known = documented()
    wrong = untidy(known, set(paths))
    answers = {name: json.loads(paths[name].read_text())
               for name in sys.argv[2:] or sorted(paths)}
    groups = plans(str(pathlib.Path(sys.argv[1]).resolve()), answers)
    results = [one(name, answer, groups[name], known.get(name, []))
               for name, answer in answers.items()]
    for line in wrong:
        print(line)
    print('%d scenarios: %d agree with Linux, %d differ as documented, '
          '%d differ' % (len(results), results.count('agrees'),
                         results.count('documented'),
                         results.count('differs')))
    sys.exit(bool(wrong) or not results or 'differs' in results)


if __name__ == '__main__':
    main()
