#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the disk image that the reference kernel reads: make-disk.py FILE

The first 16 MiB are the same pseudo-random bytes every time, the other 16 MiB
zero. Prints the CRC-32 of the first half.
"""
import hashlib
import sys
import zlib

HALF = 16 << 20


def main():
    data = hashlib.shake_128(b"uiommu disk").digest(HALF)
    with open(sys.argv[1], "wb") as image:
        image.write(data)
        image.truncate(2 * HALF)
    print(f"{zlib.crc32(data):#010x}")


if len(sys.argv) != 2:
    sys.exit(__doc__)
main()
