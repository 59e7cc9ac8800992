# SPDX-License-Identifier: MIT
"""Boot Debian's stock kernel in QEMU and read what its IOMMU code decided.

The kernel and a static busybox are taken out of their packages; nothing is
installed on the machine.
"""

import gzip
import io
import lzma
import pathlib
import re
import subprocess
import tarfile
import time

import table
import unit

HERE = pathlib.Path(__file__).resolve().parent
BOOT_SECONDS = 60
# In front of every scenario's own options; none of them matters to a group.
# Without a clock speed Linux now and then waits no time at all for a unit.
CMDLINE = 'quiet panic=-1 tsc_early_khz=2600000 '


class Failed(Exception):
    """What is wrong, for a person."""


def run(*command, **more):
    """Run a command, return its output."""
    done = subprocess.run(command, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)
    if done.returncode:
        raise Failed('%s: %s' % (' '.join(command), done.stdout.strip()))
    return done.stdout


def unpack(package, folder):
    """Download a package of the distribution and take it apart."""
    for old in folder.glob(package + '_*.deb'):
        old.unlink()
    run('apt-get', '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20',
        'download', package, cwd=folder)
    deb = next(folder.glob(package + '_*.deb'))
    run('dpkg', '-x', str(deb), 'root', cwd=folder)
    deb.unlink()


def kernel_package():
    """The package that the meta package of today means."""
    for line in run('apt-cache', 'depends', 'linux-image-amd64').splitlines():
        found = re.search(r'Depends: (linux-image-\S+)', line)
        if found:
            return found.group(1)
    raise Failed('no linux-image-amd64 here; is this Debian?')


def raw_kernel(image):
    """The kernel without its packing: that saves half of each boot."""
    start = image.find(b'\xfd7zXZ\0')
    if start < 0:
        raise Failed('the kernel image is not packed with xz')
    return lzma.LZMADecompressor().decompress(image[start:])


def prepare(folder):
    """Get what boots, once for a build folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / 'vmlinux').exists():
        return
    package = kernel_package()
    print('taking %s and busybox-static apart' % package, flush=True)
    unpack(package, folder)
    unpack('busybox-static', folder)
    image = next((folder / 'root/boot').glob('vmlinuz-*')).read_bytes()
    (folder / 'vmlinux.part').write_bytes(raw_kernel(image))
    (folder / 'vmlinux.part').rename(folder / 'vmlinux')


def archive(files):
    """A cpio archive in the format that the kernel reads ("newc")."""
    out = io.BytesIO()
    for number, (name, mode, data) in enumerate(
            files + [('TRAILER!!!', 0, b'')]):
        device = (5, 1) if name == 'dev/console' else (0, 0)
        head = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                len(name) + 1, 0)
        out.write(b'070701' + b''.join(b'%08X' % word for word in head))
        out.write(name.encode() + b'\0')
        out.write(bytes(-out.tell() % 4))
        out.write(data)
        out.write(bytes(-out.tell() % 4))
    return out.getvalue()


def with_needed(modules, name, taken):
    """A module's file after those of the modules that it needs."""
    path = modules.get(name)
    if path is None or path in taken:
        return  # built in, or there already
    needs = re.search(rb'\0depends=([^\0]*)', path.read_bytes())
    for other in needs.group(1).decode().split(',') if needs else ():
        with_needed(modules, other.replace('-', '_'), taken)
    taken.append(path)


def module_files(folder, names):
    """Modules for the archive, and the orders to load them."""
    modules = {path.stem.replace('-', '_'): path for path in
               (folder / 'root/lib/modules').rglob('*.ko')} if names else {}
    taken = []
    for name in names:
        with_needed(modules, name, taken)
    return [(path.name, 0o100644, path.read_bytes()) for path in taken], \
        ''.join('module /%s\n' % path.name for path in taken)


def initrd(folder, scenario):
    """Tables first, then the root file system."""
    tables = []
    if scenario.dmar:
        tables.append(('DMAR.aml', table.dmar(scenario.dmar)))
    if scenario.ssdt:
        tables.append(('SSDT.aml', table.ssdt(scenario.ssdt, folder)))
    early = b''
    if tables:
        early = archive(
            [(name, 0o40755, b'')
             for name in ('kernel', 'kernel/firmware', 'kernel/firmware/acpi')]
            + [('kernel/firmware/acpi/' + name, 0o100644, data)
               for name, data in tables])
    files, orders = module_files(folder, scenario.modules)
    for line in scenario.vfs:
        orders += 'vfs %s\n' % line
    busybox = (folder / 'root/bin/busybox').read_bytes()
    return early + archive(files + [
        ('bin', 0o40755, b''), ('dev', 0o40755, b''),
        ('dev/console', 0o20600, b''), ('bin/busybox', 0o100755, busybox),
        ('orders', 0o100644, orders.encode()),
        ('init', 0o100755, (HERE / 'init.sh').read_bytes())])


def cmdline(scenario):
    """The kernel's command line."""
    return CMDLINE + (unit.CMDLINE if scenario.unit else '') + scenario.append


def command(folder, scenario):
    """The machine."""
    words = ['qemu-system-x86_64', '-M', 'q35,kernel-irqchip=split', '-m', '1G',
             '-nodefaults', '-display', 'none', '-no-reboot',
             '-kernel', str(folder / 'vmlinux'), '-initrd',
             str(folder / 'initrd'), '-append', cmdline(scenario),
             '-serial', 'file:%s' % (folder / 'console'),
             '-serial', 'file:%s' % (folder / 'answer')]
    if scenario.iommu != 'none':
        words += ['-device', ','.join(['intel-iommu'] +
                                      scenario.iommu.split())]
    if scenario.unit:
        words += unit.arguments(folder)
    for line in scenario.qemu:
        words += line.split()
    for line in scenario.device:
        words += ['-device', line]
    return words


def boot(folder, scenario):
    """Boot one scenario; what the kernel wrote down, as name -> bytes."""
    (folder / 'initrd').write_bytes(initrd(folder, scenario))
    (folder / 'answer').write_bytes(b'')
    if scenario.unit:
        unit.create(folder)
    with (folder / 'qemu.log').open('w') as log:
        process = subprocess.Popen(command(folder, scenario), stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL)
        try:
            if scenario.unit:
                unit.serve(folder, scenario.unit, process, BOOT_SECONDS)
            process.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()
    try:
        data = gzip.decompress((folder / 'answer').read_bytes())
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {member.name[2:]: tar.extractfile(member).read()
                    for member in tar if member.isfile()}
    except (EOFError, OSError, tarfile.TarError) as error:
        raise Failed('no answer (%s); qemu says: %s' % (
            str(error).partition('\n')[0],
            (folder / 'qemu.log').read_text().strip())) from error


def sparse(data):
    """Configuration space without its zeros: offset -> bytes, in hex."""
    chunks = {}
    for start in range(0, len(data), 16):
        row = data[start:start + 16].hex()
        if row.strip('0'):
            chunks['%x' % start] = row
    return chunks


def memory(iomem):
    """RAM and reserved ranges, and the host bridges' windows."""
    ranges, bridges = [], []
    for line in iomem.splitlines():
        span, _, kind = line.partition(' : ')
        first, last = (int(word, 16) for word in span.strip().split('-'))
        kind = kind.strip()
        if line[0] != ' ' and kind in ('System RAM', 'Reserved',
                                       'ACPI Tables',
                                       'ACPI Non-volatile Storage'):
            ranges.append('0x%x 0x%x %s' % (first, last, kind))
        if line[0] != ' ' and re.fullmatch('PCI Bus [0-9a-f]{4}:[0-9a-f]{2}',
                                           kind):
            bridges.append('%s 0x%x 0x%x' % (kind[8:], first, last))
    return ranges, bridges


def units(dmesg):
    """What the kernel says each unit can do; it does so even when off."""
    found = (re.search(r'reg_base_addr (\w+) ver \S+ cap (\w+) ecap (\w+)',
                       line) for line in dmesg)
    return [dict(zip(('address', 'cap', 'ecap'), unit.groups()))
            for unit in found if unit]


def text(raw, name):
    """One recorded file as text."""
    return raw.get(name, b'').decode(errors='replace').strip()


def answer(scenario, raw):
    """What is kept of a boot."""
    functions, groups = {}, []
    for name in sorted(raw):
        part = name.split('/')
        if part[0] == 'pci' and part[2] == 'config':
            function = {'size': len(raw[name]), 'config': sparse(raw[name])}
            physfn = text(raw, 'pci/%s/physfn' % part[1])
            if physfn:
                function['physfn'] = physfn
            functions[part[1]] = function
        if part[0] == 'groups' and part[2] == 'type':
            where = 'groups/%s/' % part[1]
            groups.append({
                'number': int(part[1]), 'type': text(raw, where + 'type'),
                'devices': text(raw, where + 'devices').split(),
                'regions': text(raw, where + 'regions').splitlines()})
    for name in scenario.external():
        functions[name]['external_facing'] = 1
    groups.sort(key=lambda group: group['number'])
    dmesg = [re.sub(r'^\[[ 0-9.]*\] ', '', line)
             for line in text(raw, 'dmesg').splitlines()]
    ranges, bridges = memory(text(raw, 'iomem'))
    return {
        'scenario': scenario.name, 'about': scenario.about,
        'kernel': text(raw, 'kernel'), 'cmdline': text(raw, 'cmdline'),
        'dmar': raw.get('DMAR', b'').hex(), 'units': units(dmesg),
        'groups': groups, 'functions': functions, 'memory': ranges, 'bridges': bridges,
        'dmesg': [line for line in dmesg if 'Command line' not in line],
    }


def timed(folder, scenario):
    """Boot; answer and seconds."""
    start = time.monotonic()
    try:
        raw = boot(folder, scenario)
    except Failed as error:
        print('again   %s: %s' % (scenario.name, error), flush=True)
        raw = boot(folder, scenario)
    return answer(scenario, raw), time.monotonic() - start
