# SPDX-License-Identifier: MIT
"""The table of scenarios: see scenarios/1-options.txt."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
LISTS = ('device', 'qemu', 'dmar', 'ssdt', 'vfs', 'modules')
WORDS = ('about', 'append', 'iommu', 'unit')


class Scenario:
    """One machine and one kernel command line."""

    def __init__(self, name):
        self.name = name
        self.about = self.append = self.iommu = self.unit = ''
        self.device, self.qemu, self.dmar = [], [], []
        self.ssdt, self.vfs, self.modules = [], [], []

    def put(self, key, value):
        """One line of the table."""
        if key in LISTS:
            getattr(self, key).append(value)
        elif key in WORDS:
            setattr(self, key, value)
        else:
            raise ValueError('%s: unknown key %s' % (self.name, key))

    def external(self):
        """Functions that the firmware calls external-facing."""
        return ['0000:00:' + line.split()[1] for line in self.ssdt
                if line.startswith('external ')]


def lines():
    """(where, line) of all files."""
    for path in sorted((HERE / 'scenarios').glob('*.txt')):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield '%s:%d' % (path.name, number), line.strip()


def read():
    """All scenarios, in order; a `like` line takes over what came before."""
    scenarios, current = {}, None
    for where, line in lines():
        if not line or line.startswith('#'):
            continue
        if line.startswith('['):
            current = Scenario(line.strip('[]'))
            if current.name in scenarios:
                raise ValueError('%s: again %s' % (where, current.name))
            scenarios[current.name] = current
            continue
        key, equals, value = line.partition(' = ')
        if not equals or current is None:
            raise ValueError('%s: not "key = value"' % where)
        if key == 'like':
            for word in LISTS:
                setattr(current, word, list(getattr(scenarios[value], word)))
            for word in WORDS[1:]:
                setattr(current, word, getattr(scenarios[value], word))
        else:
            current.put(key, value)
    return scenarios
