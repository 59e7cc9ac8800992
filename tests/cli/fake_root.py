# SPDX-License-Identifier: MIT
"""A recorded machine (tests/linux/answers) as a tree like /sys and /proc."""
import pathlib


def config(function):
    """Configuration space, whole."""
    size = function['size']
    chunks = function['config']
    return b''.join(bytes.fromhex(chunks.get('%x' % at, '00' * 16))
                    for at in range(0, size, 16))


class Root:
    """A folder that machine_read_live() takes for the root."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder)

    def write(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)

    def link(self, name, to):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(to)

    def function(self, name, space, ids=None, above='pci0000:00'):
        """One function; @ids as Linux knows them, @above its parent."""
        if ids is None:
            ids = (int.from_bytes(space[0:2], 'little'),
                   int.from_bytes(space[2:4], 'little'))
        real = 'sys/devices/%s/%s' % (above, name)
        self.write(real + '/config', space)
        self.write(real + '/vendor', '0x%04x\n' % ids[0])
        self.write(real + '/device', '0x%04x\n' % ids[1])
        self.link('sys/bus/pci/devices/' + name,
                  '../../../devices/%s/%s' % (above, name))

    def group(self, number, kind, devices, regions=()):
        where = 'sys/kernel/iommu_groups/%d/' % number
        if kind:
            self.write(where + 'type', kind + '\n')
        self.write(where + 'reserved_regions',
                   ''.join(region + '\n' for region in regions))
        (self.path / where / 'devices').mkdir()
        for device in devices:
            self.link(where + 'devices/' + device,
                      '../../../../devices/' + device)

    def unit(self, name, address, cap, ecap):
        where = 'sys/class/iommu/%s/intel-iommu/' % name
        self.write(where + 'address', address + '\n')
        self.write(where + 'cap', cap + '\n')
        self.write(where + 'ecap', ecap + '\n')

    def iomem(self, memory, bridges):
        """@memory and @bridges as recorded; with something inside each."""
        lines = []
        for entry in memory:
            first, last, kind = entry.split(' ', 2)
            lines.append((int(first, 16), int(last, 16), kind))
        for entry in bridges:
            name, first, last = entry.split()
            lines.append((int(first, 16), int(last, 16), 'PCI Bus ' + name))
        text = ''
        for first, last, kind in sorted(lines):
            text += '%08x-%08x : %s\n' % (first, last, kind)
            text += '  %08x-%08x : PCI Bus 0000:01\n' % (first, last)
            text += '  %08x-%08x : Reserved\n' % (first, last)
        self.write('proc/iomem', text)

    def log(self, lines, priority=6):
        self.write('dev/kmsg', ''.join(
            '%d,%d,%d,-;%s\n SUBSYSTEM=pci\n' % (priority, i, i * 100, line)
            for i, line in enumerate(lines)))


def build(folder, answer):
    """The whole machine."""
    root = Root(folder)
    for name, function in answer['functions'].items():
        root.function(name, config(function))
        if 'physfn' in function:
            root.link('sys/bus/pci/devices/%s/physfn' % name,
                      '../' + function['physfn'])
    for group in answer['groups']:
        root.group(group['number'], group['type'], group['devices'],
                   group['regions'])
    for i, unit in enumerate(answer['units']):
        root.unit('dmar%d' % i, unit['address'], unit['cap'], unit['ecap'])
    if answer['dmar']:
        root.write('sys/firmware/acpi/tables/DMAR',
                   bytes.fromhex(answer['dmar']))
    root.write('proc/cmdline', answer['cmdline'] + '\n')
    root.write('proc/sys/kernel/osrelease', answer['kernel'] + '\n')
    root.iomem(answer['memory'], answer['bridges'])
    root.log(answer['dmesg'])
    return root
