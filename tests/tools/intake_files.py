"""Owns upload files with figures that tests choose. Asserts nothing."""

import json
import struct

from tools.authority import keyring, sample

NOW_S = 1_700_000_000
SLOT = NOW_S // 900
KEY = bytes(range(32))
VISIT = bytes(range(100, 132))


def sealed(folder, code, text, visit=VISIT):
    return sample.upload(keyring.seal_key(folder).public_key(), code, visit, NOW_S, text)["sealed"]


def upload(
    folder, path, code, scheme=1, key=KEY, first_slot=SLOT - 200, first_index=7, count=150, records=1, **changes
):
    text = sample.text(scheme, [struct.pack("<32sIHH", key, first_slot, first_index, count)] * records)
    plain = sample.upload(keyring.seal_key(folder).public_key(), code, VISIT, NOW_S, text) | changes
    path.write_text(json.dumps(plain))
    return path
