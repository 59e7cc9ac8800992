# SPDX-License-Identifier: MIT
"""A recorded machine (tests/linux/answers) as lspci would have printed it."""

TYPES = {0: 'Endpoint', 1: 'Legacy Endpoint', 4: 'Root Port (Slot+)',
         5: 'Upstream Port', 6: 'Downstream Port (Slot+)',
         7: 'PCI-Express to PCI/PCI-X Bridge',
         8: 'PCI/PCI-X to PCI-Express Bridge',
         9: 'Root Complex Integrated Endpoint',
         10: 'Root Complex Event Collector'}
ACS = ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd',
       'EgressCtrl', 'DirectTrans']


def space(function):
    """Configuration space as bytes."""
    chunks = function['config']
    return bytes.fromhex(''.join(chunks.get(f'{start:x}', '00' * 16)
                                 for start in range(0, function['size'], 16)))


def word(config, at, size=2):
    """A little-endian number."""
    return int.from_bytes(config[at:at + size], 'little')


def rows(config, size=4096):
    """The rows of -x, -xxx or -xxxx."""
    return [f'{at:02x}: ' + config[at:at + 16].hex(' ')
            for at in range(0, min(len(config), size), 16)]


def identity(answer, name):
    """Vendor and device; a virtual function's are its physical one's."""
    function = answer['functions'][name]
    config = space(function)
    if 'physfn' not in function:
        return word(config, 0), word(config, 2)
    config = space(answer['functions'][function['physfn']])
    at = 0x100
    while word(config, at) != 0x10:
        at = word(config, at, 4) >> 20
    return word(config, 0), word(config, at + 0x1a)


def header(name, config, vendor, device):
    """The line of -nn with its address."""
    short = name[5:] if name.startswith('0000:') else name
    return (f'{short} Thing [{word(config, 10):04x}]: Some Company A [B/C] '
            f'thing [{vendor:04x}:{device:04x}] '
            f'(rev 01) (prog-if {config[9]:02x} [Some])')


def flags(value):
    """SrcValid+ TransBlk- ..."""
    return ' '.join(name + ('+' if value >> bit & 1 else '-')
                    for bit, name in enumerate(ACS))


def capabilities(config):
    """What is at 0x40 and behind, decoded."""
    at = config[0x34] if word(config, 6) & 0x10 else 0
    lines, express = [], False
    while at:
        if config[at] == 0x10:
            express = True
            kind = TYPES[word(config, at + 2) >> 4 & 15]
            lines += [f'\tCapabilities: [{at:02x}] Express (v2) {kind}, '
                      'MSI 00', '\t\tDevCap:\tMaxPayload 128 bytes, '
                      f'PhantFunc {word(config, at + 4) >> 3 & 3}',
                      '\t\tDevCtl:\tCorrErr- PhantFunc' +
                      '-+'[word(config, at + 8) >> 9 & 1]]
        else:
            lines.append(f'\tCapabilities: [{at:02x}] Other')
        at = config[at + 1]
    at = 0x100 if express and len(config) == 4096 else 0
    while at and word(config, at, 4):
        head = word(config, at, 4)
        lines += extended(config, at, head & 0xffff)
        at = head >> 20
    return lines


def extended(config, at, kind):
    """One extended capability."""
    begin = f'\tCapabilities: [{at:03x} v1] '
    if kind == 0x0d:
        return [begin + 'Access Control Services',
                '\t\tACSCap:\t' + flags(word(config, at + 4)),
                '\t\tACSCtl:\t' + flags(word(config, at + 6))]
    if kind == 0x0f:
        return [begin + 'Address Translation Service (ATS)',
                '\t\tATSCtl:\tEnable- Smallest Translation Unit: 00']
    if kind == 0x10:
        return [begin + 'Single Root I/O Virtualization (SR-IOV)',
                '\t\tIOVCap:\tMigration- 10BitTagReq-',
                '\t\tIOVCtl:\tEnable' + '-+'[config[at + 8] & 1] +
                ' Migration- Interrupt- MSE+ ARIHierarchy+',
                '\t\tIOVSta:\tMigration-',
                '\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: '
                f'{word(config, at + 16)}, Function Dependency Link: 00',
                f'\t\tVF offset: {word(config, at + 20)}, stride: '
                f'{word(config, at + 22)}, Device ID: '
                f'{word(config, at + 26):04x}']
    return [begin + 'Other <?>']


def words(config):
    """The lines of -vvv for one function."""
    lines = ['\tControl: I/O+ Mem+', '\tStatus: Cap+ 66MHz-']
    if config[0x0e] & 0x7f:
        lines.append('\tBus: primary=%02x, secondary=%02x, subordinate=%02x, '
                     'sec-latency=0' % tuple(config[0x18:0x1b]))
    else:
        lines.append('\tSubsystem: Other Company Thing '
                     f'[{word(config, 44):04x}:{word(config, 46):04x}]')
    return lines + capabilities(config)


def text(answer, decoded=False, size=4096, driver=False):
    """All of it; @size of bytes, 0 for none."""
    groups = {name: group['number'] for group in answer['groups']
              for name in group['devices']}
    blocks = []
    for name, function in answer['functions'].items():
        config = space(function)
        lines = [header(name, config, *identity(answer, name))]
        if decoded:
            lines += words(config)
            if name in groups:
                lines.append(f'\tIOMMU group: {groups[name]}')
        if driver:
            lines.append('\tKernel driver in use: some-driver')
        lines += rows(config, size)
        blocks.append('\n'.join(lines) + '\n\n')
    return ''.join(blocks)
