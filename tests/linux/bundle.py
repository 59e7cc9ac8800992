# SPDX-License-Identifier: MIT
"""A recorded answer as the text of a bundle (docs/bundle.md)."""


def spaced(chunks, size):
    """Configuration space, whole, 16 bytes a line."""
    return ['%s' % chunks.get('%x' % start, '00' * 16)
            for start in range(0, size, 16)]


def text(answer):
    """The bundle."""
    lines = ['uiommu-bundle 1', '== kernel', answer['kernel'],
             '== cmdline', answer['cmdline']]
    table = answer['dmar']
    if table:
        lines.append('== table DMAR')
        lines += [table[i:i + 64] for i in range(0, len(table), 64)]
    for number, unit in enumerate(answer['units']):
        lines.append('== unit dmar%d' % number)
        lines += ['%s 0x%s' % (key, unit[key])
                  for key in ('address', 'cap', 'ecap')]
    for name, function in answer['functions'].items():
        lines.append('== config ' + name)
        lines += spaced(function['config'], function['size'])
        facts = ['%s %s' % (key, function[key])
                 for key in ('physfn', 'external_facing') if key in function]
        if facts:
            lines += ['== function ' + name] + facts
    for group in answer['groups']:
        lines += ['== group %d' % group['number'], 'type ' + group['type']]
        lines += ['device ' + name for name in group['devices']]
        lines += ['region ' + region for region in group['regions']]
    lines += ['== memory'] + answer['memory']
    for bridge in answer['bridges']:
        lines += ['== bridge ' + bridge.split(' ', 1)[0],
                  bridge.split(' ', 1)[1]]
    lines += ['== dmesg'] + answer['dmesg']
    return '\n'.join(lines) + '\n'
