"""Owns golden.json: bytes that lib/ must give, computed here by other means. Must not import emask.

`python tests/vectors/make_golden.py` writes it, `--check` says whether it is current.
"""

import hashlib
import hmac
import json
import sys
import zlib
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PATH = Path(__file__).with_name("golden.json")
KEY = bytes(range(32))
HOUSEHOLD = bytes(range(100, 116))
TEK = bytes.fromhex("75c734c6dd1a782de7a965da5eb93125")
PICKED = (0, 4, 8, 12, 16, 18, 20, 22, 24, 26, 28, 30)


def le(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=value < 0)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def bluezone_id(key: bytes, index: int) -> bytes:
    for _ in range(index // 96):
        key = sha(key)
    state = sha(key + b"bluzonesubkey")
    for _ in range(index % 96):
        state = sha(state)
    return bytes(state[i] for i in PICKED)


def derived(info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=info).derive(TEK)


def gaen_advert(interval: int, tx_dbm: int) -> bytes:
    block = b"EN-RPI" + bytes(6) + le(interval, 4)
    rpi = Cipher(algorithms.AES(derived(b"EN-RPIK")), modes.ECB()).encryptor().update(block)
    metadata = b"\x40" + le(tx_dbm, 1) + b"\0\0"
    aem = Cipher(algorithms.AES(derived(b"EN-AEMK")), modes.CTR(rpi)).encryptor().update(metadata)
    return bytes.fromhex("02011a03036ffd17166ffd") + rpi + aem


def bluezone_advert(index: int, tx_dbm: int, window: int) -> bytes:
    parts = bytes.fromhex("0201060303564e0fffb522"), bluezone_id(KEY, index), bytes.fromhex("0716564e10")
    return b"".join(parts) + le(tx_dbm, 1) + le(window, 2)


def sighting() -> bytes:
    """bluezone, ID of slot 7, segment 3, minute 1000, 321 adverts (255 fit), mean -71, tx -12; minutes 0 (-60 dBm),
    1 (level unknown), 14 (-102 dBm or less)."""
    head = b"\x21" + bluezone_id(KEY, 7) + bytes(4) + le(3, 2) + le(1000, 2) + b"\xff" + le(-71, 1) + le(-12, 1)
    return head + bytes([13 | 1 << 4, 0, 0, 0, 0, 0, 0, 2])


def heard() -> bytes:
    """gaen, an identifier of 16 bytes, segment 3, minute 1000, 6 adverts, -60, -71, tx unknown."""
    return b"\x22" + bytes(range(16)) + le(3, 2) + le(1000, 2) + b"\x06" + le(-60, 1) + le(-71, 1) + le(-128, 1)


# Secrets of the visit's vectors: 32 bytes of one value each.
ROOT, LIST, KIOSK = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
SEAL, KIOSK_ONCE, TOKEN_ONCE = (X25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (4, 5, 6))
SECRET = bytes([7]) * 32
RECOVERY, NEW_ROOT = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (8, 9))
LABEL = b"emask/1\0"
ISSUED_S = 1785000000


def public(key) -> bytes:
    return key.public_key().public_bytes_raw()


def statement(key, kind: int, region: int, serial: int, body: bytes) -> bytes:
    content = b"\x01" + le(kind, 1) + le(region, 2) + le(serial, 4) + body
    return content + key.sign(to_sign(kind, region, serial, content))


def to_sign(kind: int, region: int, serial: int, content: bytes) -> bytes:
    return LABEL + le(kind, 1) + le(region, 2) + le(serial, 4) + sha(content)


def certificate() -> bytes:
    """Of a kiosk of region 84, serial 9, for 14 days."""
    term = le(ISSUED_S, 4) + le(ISSUED_S + 14 * 86400, 4)
    return statement(ROOT, 4, 84, 9, term + public(KIOSK) + public(SEAL))


def root_change() -> bytes:
    """Another root, serial 12, for ten years."""
    term = le(ISSUED_S, 4) + le(ISSUED_S + 3650 * 86400, 4)
    return statement(RECOVERY, 7, 0, 12, term + public(NEW_ROOT) + bytes(32))


def trust() -> bytes:
    """List key 2, that root, the authority's seal, one certificate that was checked."""
    return le(2, 4) + le(12, 4) + public(NEW_ROOT) + public(SEAL) + sha(certificate())[:16]


def listinfo() -> bytes:
    """List 77 compared, all surely up to 70; how far that had come: three days, before place 81000."""
    lists = b"\x03" + le(77, 4) + le(ISSUED_S, 4) + sha(b"offer") + b"\x02" + le(70, 4)
    return lists + le(7, 4) + le(81000, 4) + le(9, 4)


def claims() -> bytes:
    """Time by the kiosk above; another said 1785000000 give or take 2 s, at 7,200 s of segment 3."""
    return sha(public(KIOSK))[:4] + bytes([0, 1, 2, 3]) + le(3, 2) + le(7200, 4) + le(1785000000, 4) + le(2, 2)


def records() -> bytes:
    one = KEY + le(1983000, 4) + le(5, 2) + le(96, 2)
    return one + bytes(32) + le(1983096, 4) + le(0, 2) + le(672, 2)


def marked() -> bytes:
    """The first record with its household's mark: 14 bits, 8 above the slot and 6 above the number."""
    mark = int.from_bytes(sha(b"emask group\0" + HOUSEHOLD + KEY)[:2], "little") & 0x3FFF
    return KEY + le(1983000 | (mark & 255) << 24, 4) + le(5, 2) + le(96 | (mark >> 8) << 10, 2)


def claim() -> bytes:
    """What a contact shows: the first record, and the IDs of its third and fourth slot."""
    met = (le(1983000 + at, 4) + bluezone_id(KEY, 5 + at) + bytes(4) for at in (2, 3))
    return records()[:40] + b"".join(met)


def second() -> bytes:
    """List 78 of contacts found one on day 20660, of key 0606..; lists allow it; the claim above warned this token."""
    lesser = le(20660, 2) + b"\x02\x02" + le(78, 4) + le(20674, 2)
    return lesser + records()[:40] + le(1983002, 4) + le(1983003, 4) + b"\x06" * 32


def rule() -> bytes:
    """2.0 m for 15 minutes, tolerance 2, bias -300, slope 126, share 192, adverts 40, -12 dB, TX power from -21 to
    9 dBm, least 128, rigid 50, at rest 60, noise 64 beyond 30, flags 1."""
    weights = le(-300, 2) + le(126, 2) + bytes([192, 40])
    return bytes([1, 20, 15, 2]) + weights + le(-12, 1) + le(-21, 1) + le(9, 1) + bytes([128, 50, 60, 64, 30, 1])


def manifest() -> bytes:
    """F0, region 84, serial 77, since serial 70, two records, the rule above, 9 is revoked."""
    chunk = records() + bytes(4096 - 80)
    fixed = le(ISSUED_S, 4) + le(70, 4) + le(2, 4) + b"\x01\x00\x13\x01\x00\x01"
    return statement(LIST, 1, 84, 77, fixed + rule() + le(9, 4) + sha(chunk))


def manifest_end() -> bytes:
    """F0, region 84, serial 78, no records, the rule above, nobody revoked: the programme is over."""
    return statement(LIST, 1, 84, 78, le(ISSUED_S, 4) + bytes(8) + b"\x01\x01\x13\x00\x00\x00" + rule())


def expand(key: bytes, info: bytes) -> bytes:
    return hmac.digest(key, info + b"\x01", "sha256")


def visit() -> dict[str, str]:
    nonce = b"\x02" + sha(public(TOKEN_ONCE))
    proof = certificate() + public(KIOSK_ONCE) + le(ISSUED_S, 4) + le(250, 2) + le(2, 2) + b"\0"
    signed = to_sign(5, 84, 9, nonce + proof)
    opening = sha(LABEL + b"visit" + nonce + proof + KIOSK.sign(signed))
    whole = sha(opening + public(TOKEN_ONCE))
    key = hmac.digest(whole, SECRET, "sha256")
    to_token, to_kiosk = expand(key, b"emask/1 ask\0"), expand(key, b"emask/1 reply\0")
    ask = b"\x08\x0e" + le(0, 2) + sha(b"emask code\0ABCDEFGHJKLM")
    household = b"\0\0" + le(1, 2) + HOUSEHOLD + bytes(16)
    return {
        "nonce": nonce.hex(),
        "session_signed": signed.hex(),
        "opening": opening.hex(),
        "whole": whole.hex(),
        "number": bytes([whole[0] % 6 + 1, whole[1] % 6 + 1]).hex(),
        "status": (
            b"\x02" + le(258, 2) + b"\x06" + le(3900, 2) + le(77, 4) + le(ISSUED_S, 4) + le(20660, 2) + le(512, 4)
            + le(65536, 4) + le(4, 2) + le(2, 2) + le(1, 2)
        ).hex(),
        "key_to_token": to_token.hex(),
        "key_to_kiosk": to_kiosk.hex(),
        "ask": ChaCha20Poly1305(to_token).encrypt(bytes(12), ask, b"").hex(),
        "ask_household": ChaCha20Poly1305(to_token).encrypt(bytes(12), household, b"").hex(),
        "upload_sha256": sha(b"\x01\x02" + records() + bytes(400)).hex(),
        "upload_f1_sha256": sha(b"\x21\x01" + records()[40:] + bytes(360) + claim()).hex(),
    }  # fmt: skip


def ring() -> list[str]:
    """Header of a sealed block of lasting records (erases 7, sequence 300, slot 1983333), a sighting's record at 68 of
    block 1000 (slot 1983335), a minute's at 61 of block 999 (the same slot), an alert's at 32 of block 300, a root
    entry at 96 of root 5 (blocks 9, none, 11).
    """
    mark = b"EMR1" + le(7, 4)
    name = b"\x02\x20\0\0" + le(300, 4) + le(1983333, 4)
    name += le(zlib.crc32(name), 4)
    header = mark + le(zlib.crc32(mark), 4) + name + le(zlib.crc32(name) | 1, 4)
    alert = le(20660, 2) + b"\x01\x01" + le(77, 4) + le(20674, 2)
    entry = le(9, 2) + le(300, 4) + b"\xff\xff" + bytes(4) + le(11, 2) + le(299, 4) + bytes(10)
    records = [
        (b"\x01" + le(1983335 % 96, 1) + sighting(), 1000, 68),
        (b"\x02" + le(1983335 % 96, 1) + heard(), 999, 61),
        (b"\x07\x0a" + le(1983335, 4) + alert, 300, 32),
        (b"\x01\x00" + entry, 5, 96),
    ]
    return [header.hex()] + [
        (body + le(zlib.crc32(body, seq << 12 ^ at) & 0xFFFF, 2)).hex() for body, seq, at in records
    ]


def swap() -> dict[str, str]:
    """Two pages of a swap under the shared secret KEY, and the receipt for them."""
    keys = HKDF(hashes.SHA256(), 96, None, b"emask/1 swap\0").derive(KEY)
    first = b"\x07\x0a" + le(1983335, 4) + le(20660, 2) + b"\x01\x01" + le(77, 4) + le(20674, 2)
    text = first + b"\xff\x00" + le(3, 4) + bytes(464 - 22) + bytes(n & 255 for n in range(464))
    cipher = Cipher(algorithms.AES(keys[:32]), modes.CBC(bytes(16))).encryptor().update(text)
    pages = []
    for number in (1, 2):
        sealed = cipher[464 * number - 464 : 464 * number]
        pages.append(sealed + hmac.digest(keys[32:64], number.to_bytes(4, "big") + sealed, "sha256")[:16])
    return {
        "page_begin": pages[0][:32].hex(),
        "page_tag": pages[0][464:].hex(),
        "pages_sha256": sha(pages[0] + pages[1]).hex(),
        "receipt": hmac.digest(keys[64:], (2).to_bytes(4, "big"), "sha256").hex(),
    }


def golden() -> dict:
    days = {str(index): bluezone_id(KEY, index).hex() for index in (0, 7, 95, 96, 97, 191, 192, 671)}
    return {
        "bluezone_ids": days,
        "bluezone_advert": bluezone_advert(100, -12, 5940).hex(),
        "gaen_advert": gaen_advert(2642977, -20).hex(),
        "sighting": sighting().hex(),
        "heard": heard().hex(),
        "anchor": (le(3, 2) + le(7200, 4) + le(1785000000, 4) + le(250, 2) + le(2, 2) + b"\x01").hex(),
        "key": (b"\x01\x01" + le(3, 2) + le(1983333, 4) + bytes(4) + le(1784990000, 4) + KEY).hex(),
        "alert": (le(20660, 2) + b"\x01\x01" + le(77, 4) + le(20674, 2)).hex(),
        "met": (le(20655, 2) + b"\x01" + records()[:80]).hex(),
        "withdrawn": sha(b"emask withdrawn\0" + le(77, 4) + KEY)[:16].hex(),
        "ring": ring(),
        "record": records()[:40].hex(),
        "record_marked": marked().hex(),
        "claim": claim().hex(),
        "second": second().hex(),
        "pauses": (le(29749680, 4) + le(29750160, 4) + le(29751120, 4) + le(29751360, 4)).hex(),
        "certificate": certificate().hex(),
        "root_change": root_change().hex(),
        "trust": trust().hex(),
        "listinfo": listinfo().hex(),
        "claims": claims().hex(),
        "rule": rule().hex(),
        "manifest": manifest().hex(),
        "manifest_end": manifest_end().hex(),
        "list_lead": (b"EML2" + le(len(manifest()), 2) + b"\0\0").hex(),
        "visit": visit(),
        "swap": swap(),
        "frames": [
            (b"\xfe\x01" + b"\x04" + le(12, 2) + b"abc").hex(),
            (b"\xff\x00" + b"defghi").hex(),
            (b"\x00\x02" + b"jkl").hex(),
        ],
    }  # fmt: skip


def main() -> int:
    text = json.dumps(golden(), indent=2) + "\n"
    if "--check" in sys.argv:
        return 0 if PATH.read_text() == text else 1
    PATH.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
