"""Owns upload files as kiosks keep them, made without a token, for tests of the authority. Asserts nothing."""

import json
import struct

from emask import handshake
from tools import signing, wire
from tools.authority import keyring

NOW_S = 1_700_000_000
SLOT = NOW_S // 900
KEY = bytes(range(32))
VISIT = bytes(range(100, 132))


def sealed(folder, code, text, visit=VISIT):
    info = handshake.upload_info(visit, wire.code_hash(code))
    return signing.SUITE.encrypt(text, keyring.seal_key(folder).public_key(), info).hex()


def upload(
    folder, path, code, scheme=1, key=KEY, first_slot=SLOT - 200, first_index=7, count=150, records=1, **changes
):
    record = struct.pack("<32sIHH", key, first_slot, first_index, count)
    text = bytes((scheme, records)) + record * records + bytes(480 - 40 * records)
    plain = {"format": "emask-upload/2", "code": code, "visit": VISIT.hex(), "received": NOW_S}
    plain["sealed"] = sealed(folder, code, text)
    plain.update(changes)
    path.write_text(json.dumps(plain))
    return path
